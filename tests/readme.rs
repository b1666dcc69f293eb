//! What the README shows is what the program does.
//!
//! A block after `<!-- spec -->` is a spec that compiles without an error. A block after `<!-- run -->` is a session:
//! lines with `$ ` are commands, all in one folder that begins with `site.yaml`, the spec of `fixtures/demo`; what
//! follows a command is what it prints. `BLESS=1 cargo test --test readme` writes down what the commands print now.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use camino::Utf8Path;
use sitec::compile::{Depth, Inputs, compile};
use sitec::diag::human;

fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of the README, cut into what stands outside and inside the blocks after a mark.
enum Part<'t> {
    Outside(&'t str),
    Block(&'t str),
}

fn parts<'t>(text: &'t str, mark: &str) -> Vec<Part<'t>> {
    let (mut rest, mut parts) = (text, Vec::new());
    while let Some(at) = rest.find(mark) {
        let fence = at + rest[at..].find("```").expect("a mark stands before a block");
        let start = fence + rest[fence..].find('\n').expect("a block has lines") + 1;
        let end = start + rest[start..].find("```").expect("a block ends");
        parts.push(Part::Outside(&rest[..start]));
        parts.push(Part::Block(&rest[start..end]));
        rest = &rest[end..];
    }
    parts.push(Part::Outside(rest));
    parts
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("the README")
}

#[test]
fn specs_compile() {
    let text = readme();
    let mut count = 0;
    for part in parts(&text, "<!-- spec -->") {
        let Part::Block(spec) = part else { continue };
        let read = |_: &str| Ok(spec.as_bytes().to_vec());
        let inputs = Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
        let c = compile(&inputs);
        let report = human::render(&c.findings, &c.sources, human::Options::default());
        assert!(!c.findings.has_errors(), "{report}\n{spec}");
        count += 1;
    }
    assert!(count > 0, "the README shows no spec");
}

#[test]
fn sessions_print_what_the_readme_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    fs::copy(root().join("fixtures/demo/site.yaml"), path.join("site.yaml")).expect("the spec is copied");
    let text = readme();
    let mut now = String::new();
    for part in parts(&text, "<!-- run -->") {
        match part {
            Part::Outside(text) => now.push_str(text),
            Part::Block(session) => {
                for command in session.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    now.push_str(&format!("$ {command}\n{}", run(command, path)));
                }
            }
        }
    }
    if now == text {
        return;
    }
    if std::env::var_os("BLESS").is_some_and(|v| !v.is_empty() && v != "0") {
        fs::write(root().join("README.md"), now).expect("the README can be written");
        return;
    }
    let difference = similar::TextDiff::from_lines(&text, &now).unified_diff().header("README.md", "now").to_string();
    panic!("{difference}\naccept with `BLESS=1 cargo test --test readme`");
}

/// What a command prints, to both streams, without blanks at the ends of lines.
fn run(command: &str, folder: &Utf8Path) -> String {
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_sitec")).parent().expect("a folder");
    let search = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}; }} 2>&1")])
        .current_dir(folder)
        .env("PATH", search)
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .expect("sh runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
