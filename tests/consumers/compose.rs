//! Stacks and compose files: `docker stack config`, where Docker's client is. Beyond it: networks, secrets, configs and
//! volumes that a service names and nobody declares.

use super::program::{command, run, say, words, write};
use super::trees::{File, Verdict, files, folder};

#[test]
fn compose() {
    let version = std::process::Command::new("docker").args(["stack", "config", "--help"]).output();
    // Not part of the packages that CI installs, so never demanded.
    if !version.is_ok_and(|o| o.status.success()) {
        return say("skipped: compose: `docker` is not installed (Debian: apt-get install docker.io)");
    }
    let mut verdict = Verdict::new("compose");
    let stack = "services:\n  a:\n    image: \"a:1\"\n    networks:\n      - n\nnetworks:\n  n: {}\n";
    for (good, text) in [
        (true, stack.to_string()),
        (false, stack.replace("image", "imagine")),
        (false, stack.replace("  n: {}", "  m: {}")),
    ] {
        verdict.sample(good, &text, judge(&text));
    }
    for file in files(is_stack) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn is_stack(file: &File) -> bool {
    let name = file.name.rsplit('/').next().unwrap_or("");
    let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    yaml && (name.contains("compose") || name.contains("stack") || file.name.starts_with("stacks/"))
}

/// The entry of a table that an item of a service names; none for a path of the host.
fn one(item: &serde_json::Value, table: &str) -> Option<String> {
    match item.as_str() {
        Some(text) if table == "volumes" => {
            let (name, _) = text.split_once(':')?;
            name.starts_with(|c: char| c.is_ascii_alphanumeric()).then(|| name.to_owned())
        }
        Some(text) => Some(text.to_owned()),
        None if table == "volumes" && item["type"].as_str().is_some_and(|t| t != "volume") => None,
        None => item["source"].as_str().map(str::to_owned),
    }
}

fn judge(text: &str) -> Result<(), String> {
    for document in super::kubernetes::documents(text)? {
        for (name, service) in document["services"].as_object().into_iter().flatten() {
            for table in ["networks", "secrets", "configs", "volumes"] {
                let given = &service[table];
                let listed = given.as_array().into_iter().flatten().filter_map(|n| one(n, table));
                let keyed = given.as_object().into_iter().flat_map(|n| n.keys().cloned());
                if let Some(named) = listed.chain(keyed).find(|n| document[table].get(n).is_none()) {
                    return Err(format!("service `{name}` names `{named}`, which is not declared under `{table}`"));
                }
            }
        }
    }
    let folder = folder();
    let path = folder.path().join("stack.yaml");
    write(&path, text);
    let out = run(command("docker").args(["stack", "config", "-c"]).arg(&path), b"");
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
