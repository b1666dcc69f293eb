//! Whatever stands in a spec, decoding and resolving it does not panic.

use std::collections::BTreeSet;

use sitec::diag::Findings;
use sitec::node::{Data, Node};
use sitec::schema::Schema;
use sitec::source::{Role, Sources};

const HOSTILE: &[&str] = &[
    "",
    "[",
    "]",
    "[]",
    "[1-",
    "[1-3]",
    "w[01-99]",
    "[0-18446744073709551615]",
    "[9-1]",
    "*",
    "**?*",
    "[*]",
    "../x",
    "é[1-2]",
    "99999999999999999999",
    "-",
    "::",
    "fd00::[a-c]",
    "1.2.3.4/99",
    "0.0.0.0/0",
    "1.5.",
    "a\nb",
    "~1",
    "/",
    "none",
    "-1-1",
    "v",
    "1e9 GiB",
    "18446744073709551615 PiB",
    "65536",
    "2-1",
    "-a-",
    "a--1",
    "\u{0}",
    "[1-2][1-2],[",
    "0x10",
];

/// Replaces the scalar at an index, counted in the order of the text, and says whether there was one.
fn replace(node: &mut Node, index: &mut usize, text: &str) -> bool {
    match &mut node.data {
        Data::Map(entries) => entries.iter_mut().any(|entry| {
            if *index == 0 {
                entry.key = text.into();
                return true;
            }
            *index -= 1;
            replace(&mut entry.value, index, text)
        }),
        Data::List(items) => items.iter_mut().any(|item| replace(item, index, text)),
        data => {
            if *index == 0 {
                *data = Data::Text(text.into());
                return true;
            }
            *index -= 1;
            false
        }
    }
}

#[test]
fn no_value_and_no_key_makes_it_panic() {
    let schema = Schema::new(&[]);
    for text in [include_str!("production.yaml"), include_str!("swarm.yaml")] {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", text, Role::Spec);
        let spec = sitec::parse::parse(&mut sources, file, &mut Findings::default()).expect("it parses");
        for index in 0.. {
            let hostile = HOSTILE[index % HOSTILE.len()];
            let mut changed = spec.clone();
            let there = replace(&mut changed, &mut index.clone(), hostile);
            let mut findings = Findings::default();
            let spec = sitec::decode::decode(&changed, &schema, &BTreeSet::new(), 0, &mut findings);
            let site = sitec::resolve::resolve(spec.clone(), &schema, &[], &sources, 0, &mut findings);
            assert!(site.table("hosts").count() < 200, "{hostile}");
            if !there {
                break;
            }
        }
    }
}
