//! YAML: `yamllint -s`, and two readers of different ages that must see the same: PyYAML (YAML 1.1, as Helm and the older
//! tools of clusters) and a reader of YAML 1.2's core types.

use super::program::{command, output, present, run, words};
use super::trees::{Verdict, files};

const CONFIG: &str = "{extends: default, rules: {line-length: disable, document-start: disable, indentation: {spaces: 2, \
                      indent-sequences: true}, quoted-strings: disable, comments: {min-spaces-from-content: 1}, \
                      comments-indentation: disable, truthy: {check-keys: true}, octal-values: enable}}";

#[test]
fn yamllint() {
    if !present("yamllint", &[("yamllint", "Debian: apt-get install yamllint")]) {
        return;
    }
    let mut verdict = Verdict::new("yamllint");
    for (good, text) in [
        (true, "a: \"yes\"\nb:\n  - c\n"),
        (true, "---\na: 1\n---\na: 2\n"),
        (false, "a: yes\n"),
        (false, "a: 1\na: 2\n"),
        (false, "a: 0644\n"),
        (false, "a:\n    b: 1\n  c: 1\n"),
        (false, "a: 1 \n"),
    ] {
        verdict.sample(good, text, lint(text));
    }
    for file in files(|f| f.name.ends_with(".yaml") || f.name.ends_with(".yml")) {
        verdict.file(&file, lint(&file.text()));
    }
    verdict.end();
}

fn lint(text: &str) -> Result<(), String> {
    let out = run(command("yamllint").args(["-s", "-f", "parsable", "-d", CONFIG, "-"]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}

/// All documents as PyYAML sees them, as JSON; dates and the like, which JSON lacks, come as texts that give them away.
const PYTHON: &str = "import sys, json, yaml\n\
                      json.dump(list(yaml.safe_load_all(sys.stdin.buffer.read())), sys.stdout, default=lambda x: repr(x))";

#[test]
fn two_readers_agree() {
    let programs = [("python3", "Debian: apt-get install python3"), ("python3 -m yaml", "PyPI: pip install PyYAML")];
    if !present("PyYAML", &programs) {
        return;
    }
    let mut verdict = Verdict::new("PyYAML and a YAML 1.2 reader");
    for (good, text) in [
        (true, "a: \"no\"\nb: [1, \"1.10\", true]\n"),
        (false, "a: no\n"),
        (false, "a: 12:30\n"),
        (false, "a: 2024-01-02\n"),
        (false, "a: 1_000\n"),
        (false, "on: 1\n"),
    ] {
        verdict.sample(good, text, agree(text));
    }
    for file in files(|f| f.name.ends_with(".yaml") || f.name.ends_with(".yml")) {
        verdict.file(&file, agree(&file.text()));
    }
    verdict.end();
}

fn agree(text: &str) -> Result<(), String> {
    let old = output(command("python3").args(["-c", PYTHON]), text.as_bytes());
    let old: Vec<serde_json::Value> = serde_json::from_slice(&old).map_err(|e| e.to_string())?;
    let new = super::kubernetes::documents(text)?;
    if old == new {
        return Ok(());
    }
    let differs = old.iter().zip(&new).find(|(a, b)| a != b);
    Err(match differs {
        Some((a, b)) => format!("YAML 1.1 reads {a}\nYAML 1.2 reads {b}"),
        None => format!("YAML 1.1 reads {} documents, YAML 1.2 {}", old.len(), new.len()),
    })
}
