//! Scripts: `sh -n`, `dash -n` and `shellcheck` on every `*.sh`; `sh -n` on every code fence of shell in a document.

use super::program::{command, present, run, words};
use super::trees::{Verdict, files};

#[test]
fn scripts() {
    let programs = [("dash", "Debian: apt-get install dash"), ("shellcheck", "Debian: apt-get install shellcheck")];
    if !present("shell", &programs) {
        return;
    }
    let mut verdict = Verdict::new("shell");
    for (good, text) in [
        (true, "#!/bin/sh\nset -eu\nprintf '%s\\n' 'it'\\''s'\n"),
        (false, "#!/bin/sh\nif true; then\n"),
        (false, "#!/bin/sh\nrm -rf $1/*\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.name.ends_with(".sh")) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    for shell in ["sh", "dash"] {
        let out = run(command(shell).arg("-n"), text.as_bytes());
        if !out.status.success() || !out.stderr.is_empty() {
            return Err(words(&out));
        }
    }
    if !text.starts_with("#!") {
        return Err("the first line does not name the interpreter".into());
    }
    let out = run(command("shellcheck").args(["--norc", "-f", "gcc", "-"]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}

#[test]
fn fences() {
    if !present("shell fences", &[("dash", "Debian: apt-get install dash")]) {
        return;
    }
    let mut verdict = Verdict::new("shell fences");
    verdict.sample(true, "good", fence("ls 'a b'\n"));
    verdict.sample(false, "bad", fence("ls 'a b\n"));
    for file in files(|f| f.name.ends_with(".md")) {
        let text = file.text();
        for (language, body) in shell_fences(&text) {
            if matches!(language, "sh" | "shell" | "bash") {
                verdict.file(&file, fence(&body));
            }
        }
    }
    verdict.end();
}

fn fence(body: &str) -> Result<(), String> {
    let out = run(command("dash").arg("-n"), body.as_bytes());
    if out.status.success() && out.stderr.is_empty() { Ok(()) } else { Err(format!("{}\n{body}", words(&out))) }
}

/// The code fences of a document: language and content.
fn shell_fences(text: &str) -> Vec<(&str, String)> {
    let mut fences = Vec::new();
    let mut open: Option<(&str, &str, String)> = None;
    for line in text.lines() {
        let head = line.trim_start_matches(['>', ' ']);
        match &mut open {
            Some((mark, ..)) if head.trim_end() == *mark => {
                let (_, language, body) = open.take().expect("it is open");
                fences.push((language, body));
            }
            Some((_, _, body)) => body.push_str(&format!("{line}\n")),
            None if head.starts_with("```") => {
                let language = head.trim_start_matches('`');
                open = Some((&head[..head.len() - language.len()], language.trim(), String::new()));
            }
            None => {}
        }
    }
    fences
}
