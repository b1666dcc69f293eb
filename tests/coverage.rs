//! Every pack's COVERAGE.md is what its manifest comes to, and what it says about proofs is so.
//! `BLESS=1 cargo test --test coverage` writes the documents anew.

mod trees;

use std::fs;

use sitec::cmd::coverage::{FILE, of_embedded};
use sitec::compile::{Depth, Inputs, compile, embedded_packs};
use sitec::diag::Findings;
use sitec::emit::escape::Format;
use sitec::prove::{Reach, is_bug, prove, reach};
use trees::{fixtures, root};

fn bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|v| !v.is_empty() && v != "0")
}

fn coverage(name: &str) -> String {
    of_embedded(name).unwrap_or_else(|_| panic!("the pack `{name}` has a manifest"))
}

#[test]
fn coverage_of_every_pack_is_fresh() {
    let mut stale = Vec::new();
    for pack in embedded_packs() {
        let path = root().join("templates").join(&*pack.name).join(FILE);
        let now = coverage(&pack.name);
        let there = fs::read_to_string(&path).unwrap_or_default();
        if there == now {
            continue;
        }
        if bless() {
            fs::write(&path, now).expect("the document can be written");
        } else {
            let diff = similar::TextDiff::from_lines(&there, &now).unified_diff().context_radius(1).to_string();
            stale.push(format!("{path}:\n{diff}"));
        }
    }
    assert!(stale.is_empty(), "{}\nwrite them with `BLESS=1 cargo test --test coverage`", stale.join("\n"));
}

/// Every item of a manifest is in the document under each section that it cites, or among the additions.
#[test]
fn coverage_lists_every_item_where_it_is_cited() {
    let text = coverage("demo");
    let section = |title: &str| {
        let start = text.find(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section `{title}`"));
        let rest = &text[start + 4..];
        &rest[..rest.find("\n## ").unwrap_or(rest.len())]
    };
    assert!(section("1 What you need").contains("- `memory`"));
    assert!(section("2 Database").contains("`database_host`"));
    assert!(section("6 First visit").contains("**Left out**\n\n- how to write well in a guestbook"));
    assert!(section("Additions of the pack").contains("Flows: `proxy -> workers : web`"));
    assert!(section("Left out on purpose").contains("| 6 First visit | how to write well"));
}

/// What is called proven against items: without any one of its lines that say something, the proof fails at least once.
#[test]
fn what_is_called_proven_is_proven() {
    let mut seen = 0;
    // Every line costs a proof of its whole tree: one file of each claim and format will do.
    let mut formats = std::collections::BTreeSet::new();
    for fixture in fixtures() {
        let read = |path: &str| fs::read(root().join(path)).map_err(|e| e.to_string());
        let inputs = Inputs { entry: fixture.to_string(), read: &read, packs: &[], depth: Depth::Build, threads: 0 };
        let c = compile(&inputs);
        let (Some(ir), Some(tree)) = (c.ir, c.tree) else { panic!("{fixture} has no tree") };
        let faults = |tree: &sitec::artifact::ArtifactTree| {
            let mut findings = Findings::default();
            prove(&ir, tree, &mut findings);
            findings.iter().filter(|d| is_bug(d)).count()
        };
        for (path, artifact) in &tree.files {
            let format = Format::from_name(&artifact.format).expect("a known format");
            let own = &*artifact.pack == "base";
            let claimed = reach(own, path, format);
            if !matches!(claimed, Reach::Items(_)) || !formats.insert((claimed.text(), format)) {
                continue;
            }
            seen += 1;
            let text = String::from_utf8(artifact.bytes.clone()).expect("text");
            let lines: Vec<&str> = text.lines().collect();
            let caught = (0..lines.len()).rev().any(|gone| {
                let rest: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, l)| *l).collect();
                let mut broken = tree.clone();
                let file = broken.files.get_mut(path).expect("the file");
                file.bytes = format!("{}\n", rest.join("\n")).into_bytes();
                faults(&broken) > 0
            });
            assert!(caught, "{fixture}: {path} is called {}, and no line of it is missed", claimed.text());
        }
    }
    assert!(seen > 10, "only {seen} files are called proven");
}
