//! Error fixtures: each `fixtures/errors/**/site.{yaml,toml,json}` must give exactly the findings that it announces.
//!
//! A line that gets findings says so by hand: `key: value #~ S0201`, several codes separated by spaces; `#~^ S0002` on
//! a line of its own speaks of the line above, with more carets of lines further up. What cannot carry comments (JSON,
//! bytes that are no text) has an `expect.txt` beside it with lines `site.json:3 S0201`. The report for people is
//! compared with `report.txt`, that for programs with `report.json`, which keeps to `schema/findings.schema.json`. Where
//! `check --fix` has something to do, `fixed.yaml` (of an overlay `fixed-<file>`) is what becomes of it; the findings that offered it are gone
//! then. Folders below `packs` are packs that the fixture brings along. `BLESS=1 cargo test --test error_fixtures` writes all of these anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sitec::compile::{Depth, Inputs, PackFiles, compile};
use sitec::diag::levels::Levels;
use sitec::diag::{Findings, codes, human, json};
use sitec::fix::{Fixed, fix};
use sitec::source::Sources;

/// Codes that have no fixture, each with the reason.
const WITHOUT_FIXTURE: &[(&str, &str)] = &[
    ("S0000", "is about a spec that is not there"),
    ("S0006", "needs a file of more than 16 MiB; tests/bad_input.rs makes one"),
    ("S0502", "needs two products that share something; tests/claims.rs makes them"),
    ("S0510", "needs a pack that is wrong; tests/databases.rs makes one"),
    ("S0557", "needs two packs with defaults for one place; tests/claims.rs makes them"),
    ("S0580", "needs a pack with Terraform; tests/outside_pack.rs makes one"),
    ("S0581", "needs a pack with a stack; tests/outside_pack.rs makes one"),
    ("S0582", "needs a pack with a stack; tests/outside_pack.rs makes one"),
    ("S0583", "needs a pack with a stack; tests/outside_pack.rs makes one"),
    ("S0584", "needs a pack with an object; tests/outside_pack.rs makes one"),
];

/// The beginnings of the codes that every fixture tree must cover.
const COVERED: &[&str] = &["S00", "S01", "S02", "S03", "S04", "S05", "S10"];

/// Compiles a fixture with file names relative to its folder. What a pack requires is known before artifacts are made.
fn compile_fixture(dir: &Path, entry: &str) -> (Sources, Findings) {
    let read = |name: &str| fs::read(dir.join(name)).map_err(|_| "no such file".to_owned());
    let depth = if own_code(dir).is_some() { Depth::Build } else { Depth::Check };
    let packs = packs(dir);
    let compiled = compile(&Inputs { entry: entry.to_owned(), read: &read, packs: &packs, depth, threads: 1 });
    (compiled.sources, compiled.findings)
}

/// The packs that a fixture brings along, in folders below `packs`.
fn packs(dir: &Path) -> Vec<PackFiles> {
    let mut packs: Vec<PackFiles> = Vec::new();
    for file in walkdir::WalkDir::new(dir.join("packs")).sort_by_file_name().into_iter().filter_map(Result::ok) {
        let path = file.path().strip_prefix(dir).expect("found below the folder").to_string_lossy().replace('\\', "/");
        let Some((name, file_name)) = path.strip_prefix("packs/").and_then(|p| p.split_once('/')) else { continue };
        if packs.last().is_none_or(|pack| &*pack.name != name) {
            let dir = format!("packs/{name}").into();
            packs.push(PackFiles { name: name.into(), dir, files: Vec::new() });
        }
        let text = fs::read_to_string(file.path()).expect("packs are text");
        packs.last_mut().expect("there is one").files.push((file_name.into(), text.into()));
    }
    packs
}

/// The code of the compiler's own with which a folder's name begins.
fn own_code(dir: &Path) -> Option<&'static str> {
    let name = dir.file_name()?.to_str()?;
    codes::find(name.split('-').next()?).map(|row| row.code).filter(|code| name.starts_with(code))
}

/// File, line and code of a finding; no file and line 0 for one without a place.
type Expected = BTreeSet<(String, usize, String)>;

#[test]
fn every_fixture_gets_what_it_announces() {
    let entries = entries();
    assert!(!entries.is_empty());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let (mut failures, mut seen) = (Vec::new(), BTreeSet::new());
    std::thread::scope(|scope| {
        let parts = entries.chunks(entries.len().div_ceil(threads));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().map(|(dir, entry)| judge(dir, entry)).collect::<Vec<_>>()))
            .collect();
        for (wrong, codes) in workers.into_iter().flat_map(|w| w.join().expect("no fixture panics")) {
            failures.extend(wrong);
            seen.extend(codes);
        }
    });
    for row in codes::TABLE.iter().filter(|r| COVERED.iter().any(|c| r.code.starts_with(c))) {
        let excused = WITHOUT_FIXTURE.iter().any(|(code, _)| *code == row.code);
        if excused == seen.contains(row.code) {
            failures.push(format!("{} {} is neither reported by a fixture nor excused, or both", row.code, row.name));
        }
    }
    assert!(failures.is_empty(), "{}\n(BLESS=1 accepts the reports)", failures.join("\n"));
}

/// What is wrong with one fixture, and the codes that it gets.
fn judge(dir: &Path, entry: &str) -> (Vec<String>, BTreeSet<String>) {
    let (sources, findings) = compile_fixture(dir, entry);
    let found: Expected = findings
        .iter()
        .map(|d| match &d.primary {
            Some(l) => (sources.file(l.span.file).name.to_string(), sources.line_col(l.span).0, d.code.to_string()),
            None => (String::new(), 0, d.code.to_string()),
        })
        .collect();
    let (wanted, mut failures) = (announced(dir), Vec::new());
    for (file, line, code) in wanted.difference(&found) {
        failures.push(format!("{}: {file}:{line} announces {code}, which is not reported", dir.display()));
    }
    for (file, line, code) in found.difference(&wanted) {
        failures.push(format!("{}: {file}:{line} gets {code}, which is not announced", dir.display()));
    }
    if let Some(code) = own_code(dir).filter(|code| !found.iter().any(|(.., c)| c == code)) {
        failures.push(format!("{}: {code} is not reported", dir.display()));
    }
    let mut blessed = vec![
        ("report.txt".to_owned(), human::render(&findings, &sources, human::Options::default())),
        ("report.json".to_owned(), json::render(&findings, &sources)),
    ];
    let document = serde_json::from_str(&blessed[1].1).expect("the report is JSON");
    for error in schema().iter_errors(&document) {
        failures.push(format!("{}: report.json: {}: {error}", dir.display(), error.instance_path()));
    }
    let (fixed, unfit) = fixed(dir, entry, &findings);
    blessed.extend(fixed);
    failures.extend(unfit);
    let kept: BTreeSet<&str> = blessed.iter().map(|(name, _)| name.as_str()).collect();
    for file in fs::read_dir(dir).expect("the fixture's folder") {
        let name = file.expect("readable").file_name().to_string_lossy().into_owned();
        if is_blessed(&name) && !kept.contains(name.as_str()) {
            match std::env::var_os("BLESS") {
                Some(_) => fs::remove_file(dir.join(&name)).expect("removed"),
                None => failures.push(format!("{}: {name} is not made any more", dir.display())),
            }
        }
    }
    for (name, text) in &blessed {
        let path = dir.join(name);
        match fs::read_to_string(&path) {
            Ok(blessed) if blessed == *text => {}
            _ if std::env::var_os("BLESS").is_some() => {
                fs::write(&path, text).expect("the fixture's folder can be written");
            }
            Ok(blessed) => failures.push(format!("{}: differs:\n{}", path.display(), difference(&blessed, text))),
            Err(_) => failures.push(format!("{}: is not there", path.display())),
        }
    }
    (failures, found.into_iter().map(|(.., code)| code).collect())
}

/// What `check --fix` makes of the files of a fixture, and what is wrong with that.
fn fixed(dir: &Path, entry: &str, findings: &Findings) -> (Vec<(String, String)>, Vec<String>) {
    let read = |name: &str| fs::read(dir.join(name)).map_err(|_| "no such file".to_owned());
    let packs = packs(dir);
    let inputs = Inputs { entry: entry.to_owned(), read: &read, packs: &packs, depth: Depth::Check, threads: 1 };
    if !findings.iter().any(|d| d.is_fixable()) {
        return (Vec::new(), Vec::new());
    }
    let Fixed { compilation, texts, done } = fix(&inputs, &Levels::default());
    let mut failures = Vec::new();
    let message = |d: &sitec::diag::Diag| (d.code.to_string(), d.message.clone());
    let left: BTreeSet<_> = compilation.findings.iter().map(message).collect();
    for diag in findings.iter().filter(|d| d.is_fixable()) {
        if left.contains(&message(diag)) {
            failures.push(format!(
                "{}: {} can be fixed and is still there: {}",
                dir.display(),
                diag.code,
                diag.message
            ));
        }
    }
    if done.is_empty() {
        failures.push(format!("{}: nothing was fixed", dir.display()));
    }
    let changed = texts.iter().filter(|(_, (old, new))| old != new);
    let name_of = |name: &str| match name.strip_prefix("site.").filter(|_| name == entry) {
        Some(extension) => format!("fixed.{extension}"),
        None => format!("fixed-{}", name.replace('/', "-")),
    };
    (changed.map(|(name, (_, new))| (name_of(name), new.clone())).collect(), failures)
}

/// Whether a file of a fixture is written by this test.
fn is_blessed(name: &str) -> bool {
    matches!(name, "report.txt" | "report.json") || name.starts_with("fixed-") || name.starts_with("fixed.")
}

/// The documented form of the report for programs.
fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(|| {
        let text = include_str!("../schema/findings.schema.json");
        let schema = serde_json::from_str(text).expect("the schema is JSON");
        jsonschema::options().offline().build(&schema).expect("a schema")
    });
    &SCHEMA
}

/// Each folder with a spec, and the spec's name, sorted.
fn entries() -> Vec<(PathBuf, String)> {
    let mut entries = Vec::new();
    for file in walkdir::WalkDir::new("fixtures/errors").sort_by_file_name() {
        let file = file.expect("the fixtures can be read");
        let name = file.file_name().to_string_lossy().into_owned();
        if matches!(name.as_str(), "site.yaml" | "site.toml" | "site.json") {
            entries.push((file.path().parent().expect("a file has a folder").to_owned(), name));
        }
    }
    entries
}

/// What the files of a folder say about the findings that they get.
fn announced(dir: &Path) -> Expected {
    let mut wanted = Expected::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for file in walkdir::WalkDir::new(dir).sort_by_file_name() {
        let file = file.expect("the fixtures can be read");
        if file.file_type().is_file() && !is_blessed(&file.file_name().to_string_lossy()) {
            files.push(file.path().to_owned());
        }
    }
    for path in files {
        let bytes = fs::read(&path).expect("the fixtures can be read");
        let text = String::from_utf8_lossy(&bytes);
        let name = path.strip_prefix(dir).expect("found below the folder").to_string_lossy().replace('\\', "/");
        for (index, line) in text.lines().enumerate() {
            if name == "expect.txt" {
                let (place, codes) = line.split_once(' ').expect("lines are `file:line code`");
                let (file, number) = place.rsplit_once(':').unwrap_or(("", "0"));
                let number = number.parse().expect("lines have numbers");
                wanted.extend(codes.split_whitespace().map(|c| (file.to_owned(), number, c.to_owned())));
            } else if let Some((_, note)) = line.split_once("#~") {
                let codes = note.trim_start_matches('^');
                let line = index + 1 - (note.len() - codes.len());
                wanted.extend(codes.split_whitespace().map(|c| (name.clone(), line, c.to_owned())));
            }
        }
    }
    wanted
}

fn difference(old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new).unified_diff().context_radius(2).to_string()
}
