//! What depends on a condition is met with and without it: the fixtures of a pack together reach every step and every
//! component, and each one that can be left out is left out by one of them.

mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::pack::manifest::Pack;
use trees::{fixtures, root};

/// What no fixture reaches, each with the reason.
const UNREACHED: &[(&str, &str)] = &[
    ("demo component postman", "the tutorial's site has no mail server, which is what it shows"),
    (
        "pseven step nfs-install-other",
        "is for distributions of neither of the two families that the guide's commands fit",
    ),
    ("pseven step quota-modules-load-other", "needs quotas on ext4 at a server of another family than Ubuntu's"),
    ("pseven step quota-mount-xfs-root", "is for quotas on an XFS root file system, which nobody plans"),
    ("pseven step registry-mirror-by-chart", "is for images that are not known yet, and every fixture knows its own"),
    ("pseven step proxy-other", "is for reverse proxies for which no configuration is made; an error fixture has one"),
    ("pseven component post2_fixstorages", "runs on an upgrade only, and fixtures are installed for the first time"),
];

/// What every fixture has although it has a condition, each with the reason.
const ALWAYS: &[(&str, &str)] = &[
    ("pseven step nfs-ports", "every fixture has a storage with NFSv3, as the guide recommends"),
    ("pseven step passwords-remove", "some password is handed over at every site of which the chart's keys are known"),
];

/// What a pack declares, and what of it its fixtures have.
#[derive(Default)]
struct Seen {
    fixtures: usize,
    /// In how many fixtures each thing is.
    present: BTreeMap<String, usize>,
    /// Everything that the pack declares, and whether it can be left out.
    declared: BTreeMap<String, bool>,
}

fn declare(pack: &Pack, seen: &mut Seen) {
    for step in &pack.steps {
        // A loop over hosts that every site has is no condition.
        seen.declared.insert(format!("{} step {}", pack.name, step.id), step.head.when.is_some());
    }
    for component in pack.components.values() {
        let name = format!("{} component {}", pack.name, component.name);
        seen.declared.insert(name, component.head.when.is_some());
    }
    for rule in pack.contradictions.values() {
        seen.declared.insert(format!("{} contradiction {}", pack.name, rule.name), rule.head.when.is_some());
    }
}

/// What of a pack one fixture has.
fn present(pack: &Pack, compiled: &Compilation) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Some(ir) = &compiled.ir else { return found };
    found.extend(ir.steps.iter().map(|s| format!("{} step {}", pack.name, *s.id)));
    found
        .extend(ir.flows.iter().flat_map(|f| [&f.from, &f.to]).map(|end| format!("{} component {}", pack.name, **end)));
    let code = |name: &str| format!("{}/contradiction-{}", pack.name, name.replace('_', "-"));
    let met = pack.contradictions.keys().filter(|name| ir.contradictions.iter().any(|c| **c.code == *code(name)));
    found.extend(met.map(|name| format!("{} contradiction {name}", pack.name)));
    found
}

#[test]
fn fixtures_meet_every_condition_and_its_opposite() {
    let mut packs: BTreeMap<String, Seen> = BTreeMap::new();
    for fixture in fixtures() {
        let read = |path: &str| fs::read(root().join(path)).map_err(|e| e.to_string());
        let entry = fixture.to_string();
        let compiled = compile(&Inputs { entry, read: &read, packs: &[], depth: Depth::Check, threads: 0 });
        for pack in compiled.packs.values().filter(|p| &*p.name != "base") {
            let seen = packs.entry(pack.name.to_string()).or_default();
            declare(pack, seen);
            seen.fixtures += 1;
            for thing in present(pack, &compiled) {
                *seen.present.entry(thing).or_default() += 1;
            }
        }
    }
    let mut faults = Vec::new();
    let excused = |list: &[(&str, &str)], thing: &str| list.iter().any(|(name, _)| *name == thing);
    for seen in packs.values() {
        for (thing, open) in &seen.declared {
            let times = seen.present.get(thing).copied().unwrap_or_default();
            if times == 0 && !excused(UNREACHED, thing) {
                faults.push(format!("{thing}: no fixture reaches it"));
            }
            if times > 0 && excused(UNREACHED, thing) {
                faults.push(format!("{thing}: a fixture reaches it, although it is excused"));
            }
            // One fixture alone cannot show both.
            if *open && seen.fixtures > 1 && times == seen.fixtures && !excused(ALWAYS, thing) {
                faults.push(format!("{thing}: every fixture has it, so that nobody saw it left out"));
            }
        }
    }
    assert!(packs.values().any(|seen| seen.declared.len() > 50), "no pack with much to declare was looked at");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
