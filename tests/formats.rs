//! Every format of a report, for some error fixtures: the exact text, and the judgement of the format's own schema.
//!
//! `BLESS=1 cargo test --test formats` writes `tests/formats/<fixture>/` anew. The schema of SARIF comes with the crate
//! `serde-sarif`, which is locked and fetched but never compiled; without it there is a printed skip, or a failure with
//! `SITEC_CONSUMERS=required`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::diag::{Findings, github, human, json, sarif, short};
use sitec::source::{Role, Sources, Span};

/// Fixtures that show what formats have to cope with.
const SHOWN: &[&str] = &[
    "S0002-glob-in-flow",
    "S0101-from-an-overlay",
    "S0201-in-an-overlay",
    "S0206-addresses",
    "S0301-one-report-per-name",
    "S0401-duplicate-address",
    "S1002-unused-waiver",
    "pseven/nfs-link-speed",
    "pseven/question-facts",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn compiled(dir: &Path) -> Compilation {
    let read = |name: &str| fs::read(dir.join(name)).map_err(|_| "no such file".to_owned());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Check, threads: 1 })
}

fn page(code: &str) -> Option<String> {
    Some(format!("# {code}\n\na requirement of a pack\n"))
}

/// The name of a file and its text, one for each format.
fn reports(findings: &Findings, sources: &Sources) -> Vec<(&'static str, String)> {
    let human = |options| human::render(findings, sources, options);
    let options = human::Options::default();
    vec![
        ("narrow.txt", human(human::Options { width: 60, ..options })),
        ("ascii.txt", human(human::Options { unicode: false, ..options })),
        ("color.txt", human(human::Options { color: true, ..options }).replace('\x1b', "␛")),
        ("short.txt", short::render(findings, sources)),
        ("github.txt", github::render(findings, sources)),
        ("report.json", json::render(findings, sources)),
        ("report.sarif", sarif::render(vec![sarif::run(findings, sources, &page)])),
    ]
}

/// Fixtures with secrets in them, and what none of their reports may have.
const SECRET: &[&str] = &[
    "S0002-secret-is-hidden",
    "S0004-secret-twice",
    "S0201-value-of-a-secret",
    "S0422-secret-in-spec",
    "S0422-shapes",
];
const HIDDEN: &[&str] = &[
    "Tr0ub4dor",
    "hunter2",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI7K7MDENG",
    "R9h/cIPz0gi",
    "Xy3aB9fQ",
    "k7q2m9x4v1b8",
    "0a1b2c3d4e5f6a7b",
    "t0pS3cr3tT0ken",
    "0123456789abcdefghij",
];

#[test]
fn no_format_prints_a_secret() {
    for name in SECRET {
        let compilation = compiled(&root().join("fixtures/errors").join(name));
        assert!(!compilation.findings.is_empty(), "{name} has no finding");
        for (file, text) in reports(&compilation.findings, &compilation.sources) {
            for hidden in HIDDEN {
                assert!(!text.contains(hidden), "{name}: {file} has {hidden}");
            }
        }
    }
}

#[test]
fn every_format_of_some_fixtures() {
    let (schema, mut failures) = (sarif_schema(), Vec::new());
    let own = validator(&fs::read_to_string(root().join("schema/findings.schema.json")).expect("the schema"));
    let mut kept = BTreeSet::new();
    for name in SHOWN {
        let compilation = compiled(&root().join("fixtures/errors").join(name));
        assert!(!compilation.findings.is_empty(), "{name} has no finding");
        let folder = root().join("tests/formats").join(name.replace('/', "-"));
        for (file, text) in reports(&compilation.findings, &compilation.sources) {
            match file {
                "report.sarif" => failures.extend(schema.as_ref().and_then(|schema| refusal(schema, &text))),
                "report.json" => failures.extend(refusal(&own, &text)),
                "ascii.txt" => {
                    let drawn = text.lines().filter(|l| l.contains("--") || l.contains("`-")).all(|l| l.is_ascii());
                    assert!(drawn || !text.is_ascii(), "{name}: {text}");
                }
                _ => {}
            }
            let path = folder.join(file);
            if std::env::var_os("BLESS").is_some() {
                fs::create_dir_all(&folder).expect("made");
                fs::write(&path, &text).expect("written");
            } else if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                failures.push(format!("{}: differs, or is not there\n{text}", path.display()));
            }
            kept.insert(path);
        }
    }
    for file in walkdir::WalkDir::new(root().join("tests/formats")).into_iter().filter_map(Result::ok) {
        if file.file_type().is_file() && !kept.contains(file.path()) {
            failures.push(format!("{} belongs to no fixture", file.path().display()));
        }
    }
    assert!(failures.is_empty(), "{}\n(BLESS=1 accepts the texts)", failures.join("\n"));
}

/// The schema refuses what is no log: a judge that cannot say no is none.
#[test]
fn the_judge_of_sarif_can_say_no() {
    let Some(schema) = sarif_schema() else { return };
    let compilation = compiled(&root().join("fixtures/errors/S0206-addresses"));
    let text = sarif::render(vec![sarif::run(&compilation.findings, &compilation.sources, &page)]);
    assert_eq!(refusal(&schema, &text), None);
    for (good, bad) in [("\"ruleIndex\"", "\"ruleNumber\""), ("unicodeCodePoints", "characters"), ("2.1.0", "2.2")] {
        assert!(refusal(&schema, &text.replace(good, bad)).is_some(), "{bad} is accepted");
    }
}

fn validator(schema: &str) -> jsonschema::Validator {
    let schema: Json = serde_json::from_str(schema).expect("a schema is JSON");
    jsonschema::options().should_validate_formats(true).offline().build(&schema).expect("a schema")
}

/// Why a document is not of the form of its schema.
fn refusal(schema: &jsonschema::Validator, text: &str) -> Option<String> {
    let document: Json = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("\n"))
}

/// The schema of SARIF 2.1.0, out of the sources of a crate that carries it.
fn sarif_schema() -> Option<jsonschema::Validator> {
    let metadata = |more: &[&str]| -> Option<PathBuf> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
            .arg(root().join("Cargo.toml"))
            .args(more)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let metadata: Json = serde_json::from_slice(&output.stdout).ok()?;
        let packages = metadata["packages"].as_array()?;
        let manifest = packages.iter().find(|p| p["name"] == "serde-sarif")?["manifest_path"].as_str()?.to_owned();
        Some(Path::new(&manifest).parent()?.join("src/schema.json"))
    };
    let text = metadata(&["--offline"]).or_else(|| metadata(&[])).and_then(|path| fs::read_to_string(path).ok());
    if text.is_none() {
        assert!(
            std::env::var("SITEC_CONSUMERS").as_deref() != Ok("required"),
            "the schema of SARIF is not there: `cargo fetch` brings it"
        );
        println!("skipped: the schema of SARIF is not there; `cargo fetch` brings it");
    }
    // One pattern of the schema closes a bracket that it never opened.
    text.map(|text| validator(&text.replace("{2}]?$", "{2}$")))
}

/// Where the underline of a report stands: the columns of the text above it, counted as a terminal counts them.
fn underlined(report: &str) -> String {
    let lines: Vec<&str> = report.lines().collect();
    let at = lines.iter().position(|l| l.contains('·')).expect("an underline");
    let width = |c: char| match u32::from(c) {
        0x300..=0x36f => 0,
        0x1100..=0x115f | 0x2e80..=0x9fff | 0xac00..=0xd7a3 | 0xff00..=0xff60 | 0x1f300..=0x1faff => 2,
        _ => 1,
    };
    let columns = |line: &str| -> Vec<char> {
        line.chars().flat_map(|c| std::iter::repeat_n(c, width(c))).collect::<Vec<char>>()
    };
    let (code, marks) = (columns(lines[at - 1]), columns(lines[at]));
    let marked = marks.iter().enumerate().filter(|(_, c)| matches!(c, '─' | '┬' | '▲'));
    let mut text: Vec<char> = marked.filter_map(|(i, _)| code.get(i).copied()).collect();
    text.dedup();
    text.into_iter().collect()
}

/// The caret stands below its word whatever comes before it: wide characters, marks that take no column, tabs, and
/// lines that are cut.
#[test]
fn the_caret_stands_below_its_word() {
    let long = "x, ".repeat(4000);
    for before in [
        "",
        "title: Zürich ",
        "title: 東京データセンター, ",
        "e\u{301}e\u{301}: 1, ",
        "t: 🏭 ",
        "\u{feff}a: 1, ",
        &long,
    ] {
        for after in ["", " # 東京", &long] {
            let text = format!("{before}wrong{after}\n");
            let mut sources = Sources::default();
            let file = sources.add("site.yaml", text.as_str(), Role::Spec);
            let mut findings = Findings::default();
            let at = Span::new(file, before.len(), before.len() + 5);
            findings.push(sitec::diag::Diag::new(sitec::diag::codes::SYNTAX, "x").at(at, ""));
            let report = human::render(&findings, &sources, human::Options::default());
            assert_eq!(underlined(&report), "wrong", "{report}");
            assert!(report.lines().all(|l| l.chars().count() < 260), "{report}");
        }
    }
}
