//! Bugs on purpose: what each writer of firewalls and flow tables emits for the fixtures, with one thing wrong at a time.
//! The proof must notice every one.
//!
//! A new form is a row of [`WRITERS`]: which files it writes, and what can be wrong in them.

#[path = "../trees/mod.rs"]
mod trees;

mod groups;
mod iptables;
mod nftables;
mod others;
mod policies;
mod same;
mod seeds;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use camino::Utf8Path;
use same::Meaning;
use seeds::Seed;
use sitec::artifact::ArtifactTree;
use sitec::compile::{Depth, Inputs, compile};
use sitec::diag::Findings;
use sitec::ir::Ir;
use sitec::prove;

/// A form in which flows or what follows from them is written.
struct Writer {
    name: &'static str,
    /// The files of this form, by their path.
    writes: fn(&str) -> bool,
    seeds: fn(&str) -> Vec<Seed>,
    /// What a file means, where a change may leave that as it was; else every change is a bug.
    meaning: Option<fn(&str) -> Meaning>,
    /// Kinds of bugs that are sown at least, so that a form that changed does not go untested.
    least: usize,
}

const WRITERS: &[Writer] = &[
    Writer {
        name: "nftables",
        writes: |p| p.ends_with("/sitec.nft"),
        seeds: nftables::seeds,
        meaning: Some(same::nftables),
        least: 90,
    },
    Writer {
        name: "iptables",
        writes: |p| p.ends_with("/sitec-v4.rules"),
        seeds: iptables::seeds,
        meaning: Some(same::iptables),
        least: 80,
    },
    Writer {
        name: "ip6tables",
        writes: |p| p.ends_with("/sitec-v6.rules"),
        seeds: iptables::seeds,
        meaning: Some(same::iptables),
        least: 70,
    },
    Writer {
        name: "firewalld",
        writes: |p| p.contains("/root/etc/firewalld/"),
        seeds: others::firewalld,
        meaning: None,
        least: 40,
    },
    Writer {
        name: "Windows",
        writes: |p| p.ends_with("/firewall.ps1"),
        seeds: others::windows,
        meaning: Some(same::windows),
        least: 30,
    },
    Writer {
        name: "NetworkPolicy",
        writes: |p| p.starts_with("clusters/") && p.ends_with("/60-network-policies.yaml"),
        seeds: policies::seeds,
        meaning: None,
        least: 60,
    },
    Writer {
        name: "security groups",
        writes: |p| p == "firewall/security-groups.tf",
        seeds: groups::seeds,
        meaning: None,
        least: 60,
    },
    Writer { name: "CSV", writes: |p| p == "firewall/flows.csv", seeds: tables::csv, meaning: None, least: 40 },
    Writer {
        name: "Markdown",
        writes: |p| p == "firewall/flows.md",
        seeds: tables::markdown,
        meaning: None,
        least: 40,
    },
    Writer { name: "HTML", writes: |p| p == "firewall/flows.html", seeds: tables::html, meaning: None, least: 40 },
    Writer {
        name: "matrix",
        writes: |p| p.starts_with("firewall/matrix."),
        seeds: tables::matrix,
        meaning: None,
        least: 9,
    },
    Writer {
        name: "request as CSV",
        writes: |p| p == "firewall/request-form.csv",
        seeds: tables::csv,
        meaning: None,
        least: 40,
    },
    Writer {
        name: "request",
        writes: |p| p == "firewall/request-form.md",
        seeds: tables::markdown,
        meaning: None,
        least: 40,
    },
    Writer {
        name: "the outside as CSV",
        writes: |p| p == "firewall/exposed.csv",
        seeds: tables::csv,
        meaning: None,
        least: 30,
    },
    Writer {
        name: "the outside",
        writes: |p| p == "firewall/exposed.md",
        seeds: tables::markdown,
        meaning: None,
        least: 30,
    },
];

#[test]
fn every_seeded_bug_is_caught() {
    let report: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
    let specs = Mutex::new(trees::fixtures().into_iter());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(spec) = { specs.lock().expect("no panic").next() } {
                    for (name, tally) in sown(&spec) {
                        report.lock().expect("no panic").entry(name).or_default().add(tally);
                    }
                }
            });
        }
    });
    let report = report.into_inner().expect("no panic");
    for writer in WRITERS {
        let tally = &report[writer.name];
        println!("{}: {} bugs of {} kinds in {} files", writer.name, tally.seeds, tally.kinds.len(), tally.files);
    }
    for writer in WRITERS {
        let tally = &report[writer.name];
        let missed = &tally.unnoticed;
        assert_eq!(missed[..], [""; 0], "{}: {} of {} unnoticed", writer.name, missed.len(), tally.seeds);
        let (kinds, least) = (tally.kinds.len(), writer.least);
        assert!(kinds >= least, "{}: only {kinds} kinds of bugs, and not {least}", writer.name);
    }
}

#[derive(Default)]
struct Tally {
    files: usize,
    seeds: usize,
    /// Kinds of bugs with how often each was sown.
    kinds: BTreeMap<String, usize>,
    unnoticed: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.files += other.files;
        self.seeds += other.seeds;
        other.kinds.into_iter().for_each(|(kind, n)| *self.kinds.entry(kind).or_default() += n);
        self.unnoticed.extend(other.unnoticed);
    }
}

/// Sows bugs in every file of a fixture, and says what came of it, writer by writer.
fn sown(spec: &Utf8Path) -> Vec<(&'static str, Tally)> {
    let (ir, tree) = compiled(spec);
    let mut list = Vec::new();
    for writer in WRITERS {
        let mut tally = Tally::default();
        for path in tree.files.keys().filter(|path| (writer.writes)(path)) {
            tally.files += 1;
            let (ir, mut small) = part(&ir, &tree, path);
            assert_eq!(bugs(&ir, &small), 0, "{spec} {path} as it is written");
            let sound = small.files[path].bytes.clone();
            let text = String::from_utf8(sound).expect("text");
            for seed in (writer.seeds)(&text) {
                tally.seeds += 1;
                let kind = seed.what.split_once(": ").map_or(&*seed.what, |(_, kind)| kind);
                *tally.kinds.entry(kind.to_owned()).or_default() += 1;
                small.files.get_mut(path).expect("the file").bytes = seed.text.clone().into_bytes();
                let is_same = || writer.meaning.is_some_and(|of| of(&text) == of(&seed.text));
                if bugs(&ir, &small) == 0 && !is_same() {
                    tally.unnoticed.push(format!("{spec} {path}: {}", seed.what));
                }
            }
            small.files.remove(path);
            if bugs(&ir, &small) == 0 {
                tally.unnoticed.push(format!("{spec} {path}: it is not there"));
            }
        }
        list.push((writer.name, tally));
    }
    list
}

fn compiled(spec: &Utf8Path) -> (Ir, ArtifactTree) {
    let read = |path: &str| fs::read(trees::root().join(path)).map_err(|e| e.to_string());
    let inputs = Inputs { entry: spec.to_string(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
    let compiled = compile(&inputs);
    (compiled.ir.expect("an Ir"), compiled.tree.expect("a tree"))
}

/// What one file is proven against: the ruleset of its host, or all flows; and the files beside it.
fn part(ir: &Ir, tree: &ArtifactTree, path: &str) -> (Ir, ArtifactTree) {
    let mut part = Ir::default();
    let mut small = ArtifactTree { site: tree.site.clone(), ..ArtifactTree::default() };
    let host = tree.files[path].host.clone();
    match &host {
        Some(host) => part.firewalls = ir.firewalls.iter().filter(|f| *f.host == *host).cloned().collect(),
        None => {
            part.flows.clone_from(&ir.flows);
            if path.starts_with("clusters/") {
                part.network_policies.clone_from(&ir.network_policies);
            } else if path.ends_with(".tf") {
                part.security_groups.clone_from(&ir.security_groups);
            }
            part.zones.clone_from(&ir.zones);
            part.zone_flows.clone_from(&ir.zone_flows);
            part.host_flows.clone_from(&ir.host_flows);
            let asked = ir.flow_tables.iter().filter(|t| Some(&**t.name) == prove::table_of(path));
            part.flow_tables = asked.cloned().collect();
        }
    }
    let beside = tree.files.iter().filter(|(p, artifact)| match &host {
        Some(_) => artifact.host == host && WRITERS.iter().any(|w| (w.writes)(p)),
        // Not a table: the policies of all namespaces, or the file alone.
        None if prove::table_of(path).is_none() => {
            let own = |w: &&Writer| (w.writes)(path);
            WRITERS.iter().find(own).is_some_and(|w| (w.writes)(p))
        }
        None => prove::table_of(p) == prove::table_of(path),
    });
    small.files = beside.map(|(p, artifact)| (p.clone(), artifact.clone())).collect();
    (part, small)
}

fn bugs(ir: &Ir, tree: &ArtifactTree) -> usize {
    let mut findings = Findings::default();
    prove::prove(ir, tree, &mut findings);
    findings.iter().filter(|d| prove::is_bug(d)).count()
}
