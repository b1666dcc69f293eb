//! Findings in, one per cause out: the same slip at several places is one report that labels them all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{Diag, Findings, Level, codes};

/// Codes whose message names the slip itself, so that equal messages have one cause.
const SAME_SLIP: [codes::Code; 3] = [codes::NOT_ONE_OF, codes::MALFORMED, codes::UNKNOWN_NAME];

/// Drops the warning about a word that other readers take for something else where an error is about that word.
fn ambiguous(findings: &mut Findings) {
    let code = codes::AMBIGUOUS_SCALAR.row().code;
    let errors = findings.list.iter().filter(|d| d.level == Level::Error && d.code != code);
    let faulty: BTreeSet<_> = errors.filter_map(|d| d.primary.as_ref().map(|l| l.span)).collect();
    findings.list.retain(|d| d.code != code || !d.primary.as_ref().is_some_and(|l| faulty.contains(&l.span)));
}

/// What findings of one cause have in common: the message and the help. A name that is missing in several rooms, and for
/// which all of them know the same other one, is one slip whatever each room would have found by it.
fn cause(diag: &Diag) -> (&str, &str, &str) {
    let help = diag.help.as_deref().unwrap_or_default();
    match diag.message.split('`').nth(1) {
        Some(name) if diag.code == codes::UNKNOWN_NAME.row().code && help.starts_with("there is `") => {
            (&diag.code, name, help)
        }
        _ => (&diag.code, &diag.message, help),
    }
}

/// Joins findings of one cause; the first place stays the primary one. Expects sorted findings.
pub fn join(findings: &mut Findings) {
    ambiguous(findings);
    let mut first: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (index, diag) in findings.list.iter().enumerate() {
        let same = SAME_SLIP.iter().any(|code| code.row().code == diag.code);
        if !same || diag.primary.is_none() || !diag.pointer.is_empty() {
            continue;
        }
        match first.entry(cause(diag)) {
            Entry::Occupied(earlier) => joined.push((*earlier.get(), index)),
            Entry::Vacant(entry) => {
                entry.insert(index);
            }
        }
    }
    for (into, from) in &joined {
        let from = findings.list[*from].clone();
        let into = &mut findings.list[*into];
        for mut label in from.primary.into_iter().chain(from.secondary) {
            if label.text.is_empty() {
                label.text = "here as well".to_owned();
            }
            into.secondary.push(label);
        }
        into.replacements.extend(from.replacements);
    }
    let mut index = 0;
    let gone: BTreeSet<usize> = joined.iter().map(|(_, from)| *from).collect();
    findings.list.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}
