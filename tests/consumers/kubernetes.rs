//! Kubernetes YAML: `kubernetes-validate --strict`, and where there is one, `kubectl` decoding without a server. Beyond
//! them, whose readers accept any word: kinds that nobody knows, access modes, protocols, reclaim policies and quantities
//! are closed types here.

use serde_json::Value;

use super::program::{command, present, run, say, words, write};
use super::trees::{File, Verdict, files, folder};

#[test]
fn kubernetes() {
    if !present("kubernetes", &[("kubernetes-validate", "PyPI: pip install kubernetes-validate")]) {
        return;
    }
    let mut verdict = Verdict::new("kubernetes");
    let volume = |capacity: &str, mode: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: a\nspec:\n  capacity:\n    storage: {capacity}\n  \
             accessModes:\n    - {mode}\n  nfs:\n    server: 10.0.0.1\n    path: /a\n"
        )
    };
    for (good, text) in [
        (true, volume("1Ti", "ReadWriteMany")),
        (false, volume("100Gx", "ReadWriteMany")),
        (false, volume("1 TiB", "ReadWriteMany")),
        (false, volume("1Ti", "ReadWriteLots")),
        (false, volume("1Ti", "ReadWriteMany").replace("nfs:", "nsf:")),
        (false, volume("1Ti", "ReadWriteMany").replace("PersistentVolume", "PersistentVolumen")),
        (false, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: A_b\n".to_string()),
    ] {
        verdict.sample(good, &text, judge(&text));
    }
    let judged = files(is_object);
    for file in &judged {
        verdict.file(file, judge(&file.text()));
    }
    verdict.end();
}

#[test]
fn kubectl() {
    // Not part of the packages that CI installs, so never demanded.
    if !std::process::Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|o| o.status.success()) {
        return say("skipped: kubectl: `kubectl` is not installed (kubernetes.io)");
    }
    let mut verdict = Verdict::new("kubectl");
    let decode = |text: &str| {
        let folder = folder();
        let path = folder.path().join("objects.yaml");
        write(&path, text);
        // Decodes without a server and writes the objects back.
        let mut kubectl = command("kubectl");
        kubectl.args(["annotate", "--local", "-o", "json", "judge=x", "-f"]).arg(&path);
        let out = run(&mut kubectl, b"");
        if out.status.success() { Ok(()) } else { Err(words(&out)) }
    };
    verdict.sample(true, "namespace", decode("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"));
    verdict.sample(false, "no kind", decode("apiVersion: v1\nmetadata:\n  name: a\n"));
    for file in files(|f| is_object(f) && !documents(&f.text()).is_ok_and(|d| d.is_empty())) {
        verdict.file(&file, decode(&file.text()));
    }
    verdict.end();
}

fn is_object(file: &File) -> bool {
    file.name.starts_with("clusters/") && (file.name.ends_with(".yaml") || file.name.ends_with(".yml"))
}

/// The documents of a YAML text that are not empty.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    use serde::Deserialize;
    let documents: Result<Vec<Value>, _> = serde_yaml::Deserializer::from_str(text).map(Value::deserialize).collect();
    let mut documents = documents.map_err(|e| e.to_string())?;
    // A file of comments alone is no document.
    documents.retain(|d| !d.is_null());
    Ok(documents)
}

fn judge(text: &str) -> Result<(), String> {
    let documents = documents(text)?;
    if documents.is_empty() {
        return Ok(());
    }
    let folder = folder();
    let path = folder.path().join("objects.yaml");
    write(&path, text);
    let out = run(command("kubernetes-validate").arg("--strict").arg(&path), b"");
    let said = words(&out);
    if !out.status.success() || said.lines().any(|l| l.starts_with("WARN")) {
        return Err(said);
    }
    for document in &documents {
        let name = document["metadata"]["name"].as_str().unwrap_or_default();
        if !is_label(name) {
            return Err(format!("`{name}` is no name of an object"));
        }
        closed(document, "", "")?;
    }
    Ok(())
}

/// Names: lower case letters, digits, dashes and dots; colons as well, which roles may have.
fn is_label(name: &str) -> bool {
    let harmless = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    (1..=253).contains(&name.len()) && name.chars().all(harmless) && !name.starts_with(['-', '.'])
}

/// Walks an object and checks the closed types at the keys that have them.
fn closed(value: &Value, key: &str, parent: &str) -> Result<(), String> {
    match value {
        Value::Object(map) => map.iter().try_for_each(|(k, v)| closed(v, k, key)),
        Value::Array(items) => items.iter().try_for_each(|v| closed(v, key, parent)),
        scalar => {
            let text = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_string);
            let fits = match (key, parent) {
                // What a LimitRange is about, which stands beside its bounds.
                ("type", "limits") => ["Pod", "Container", "PersistentVolumeClaim"].contains(&text.as_str()),
                ("accessModes", _) => {
                    ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"].contains(&text.as_str())
                }
                ("protocol", "ports") => ["TCP", "UDP", "SCTP"].contains(&text.as_str()),
                ("persistentVolumeReclaimPolicy", _) => ["Retain", "Delete", "Recycle"].contains(&text.as_str()),
                (_, "capacity" | "requests" | "limits" | "hard" | "default" | "defaultRequest" | "max" | "min") => {
                    is_quantity(&text)
                }
                _ => true,
            };
            if fits { Ok(()) } else { Err(format!("`{text}` is no value for `{key}`")) }
        }
    }
}

fn is_quantity(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    number.parse::<f64>().is_ok()
        && ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].contains(&suffix)
}
