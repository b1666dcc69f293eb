//! Stacks and compose files: `docker stack config`, where Docker's client is. Beyond it: networks that a service names and
//! nobody declares.

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

fn judge(text: &str) -> Result<(), String> {
    for document in super::kubernetes::documents(text)? {
        for (name, service) in document["services"].as_object().into_iter().flatten() {
            let networks = &service["networks"];
            let listed = networks.as_array().into_iter().flatten().filter_map(|n| n.as_str().map(str::to_string));
            let keyed = networks.as_object().into_iter().flat_map(|n| n.keys().cloned());
            for network in listed.chain(keyed) {
                if document["networks"].get(&network).is_none() {
                    return Err(format!("service `{name}` names the network `{network}`, which is not declared"));
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
