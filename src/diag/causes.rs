//! Findings in, one per cause out: the same slip at several places is one report that labels them all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{Diag, Findings, Level, codes};
use crate::resolve::ranges::natural;

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
    alike(findings);
    let mut first: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    // A range of hosts that several lists of their values do not go with is one slip.
    let mut ranges: BTreeMap<_, usize> = BTreeMap::new();
    for (index, diag) in findings.list.iter().enumerate().filter(|(_, d)| d.code == codes::RANGE_MISMATCH.row().code) {
        let Some(range) = diag.secondary.first().map(|label| label.span) else { continue };
        match ranges.entry(range) {
            Entry::Occupied(earlier) => joined.push((*earlier.get(), index)),
            Entry::Vacant(entry) => {
                entry.insert(index);
            }
        }
    }
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
            if !into.secondary.contains(&label) {
                into.secondary.push(label);
            }
        }
        into.replacements.extend(from.replacements);
    }
    drop_all(findings, joined.iter().map(|(_, from)| *from).collect());
}

fn drop_all(findings: &mut Findings, gone: BTreeSet<usize>) {
    let mut index = 0;
    findings.list.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

/// How many of those that one line stands for are named.
const NAMED: usize = 6;

/// What is said of many that one place of the spec stands for, as the hosts of a range, is said of the first; the others
/// are named. What would replace the place by one of them is no way out. Expects sorted findings.
fn alike(findings: &mut Findings) {
    let mut causes: BTreeMap<_, Vec<(&str, usize)>> = BTreeMap::new();
    let of_many = |d: &Diag| {
        // Several answers are one where the hosts of one line are to be given them.
        let is_of_hosts = d.code == codes::OPEN_QUESTION.row().code && d.pointer.starts_with("/hosts/");
        d.code.contains('/') || d.code == codes::UNKNOWN_NAME.row().code || is_of_hosts
    };
    for (index, diag) in findings.list.iter().enumerate().filter(|(_, d)| of_many(d)) {
        let (Some((before, name, behind)), Some(primary)) = (quoted(&diag.message), &diag.primary) else { continue };
        causes.entry((primary.span, &diag.code, diag.level, before, behind)).or_default().push((name, index));
    }
    let (mut notes, mut gone, mut ranges) = (Vec::new(), BTreeSet::new(), Vec::new());
    for mut all in causes.into_values() {
        all.sort_by(|(a, _), (b, _)| natural(a, b));
        // The same said again of the same is another matter.
        all.dedup_by_key(|(name, _)| *name);
        let Some((&(_, first), others @ [_, ..])) = all.split_first() else { continue };
        gone.extend(others.iter().map(|(_, index)| *index));
        ranges.push(first);
        let named: Vec<&str> = others.iter().take(NAMED).map(|(name, _)| *name).collect();
        notes.push((first, format!("the same holds for {}", list(&named, others.len() - named.len()))));
        let pointer = |index: usize| &*findings.list[index].pointer;
        let place = others.iter().fold(pointer(first), |place, (_, index)| common(place, pointer(*index)));
        if findings.list[first].waivable && !place.is_empty() && place != pointer(first) {
            notes.push((first, format!("a waiver at `{place}` covers all of them")));
        }
    }
    for (index, note) in notes.into_iter().rev() {
        findings.list[index].notes.insert(0, note);
    }
    for index in ranges {
        findings.list[index].replacements.clear();
    }
    drop_all(findings, gone);
}

/// The pointer to the place that holds both.
fn common<'p>(one: &'p str, other: &str) -> &'p str {
    let alike = one.split('/').zip(other.split('/')).take_while(|(a, b)| a == b).map(|(step, _)| step.len() + 1);
    &one[..alike.sum::<usize>().saturating_sub(1)]
}

/// Words in backticks, and how many more there are.
fn list(words: &[&str], more: usize) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match (words.as_slice(), more) {
        ([one], 0) => one.clone(),
        ([some @ .., last], 0) => format!("{} and {last}", some.join(", ")),
        (some, more) => format!("{} and {more} more", some.join(", ")),
    }
}

/// The first word of a message that stands in backticks, and what is around it.
fn quoted(message: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = message.split_once('`')?;
    let (name, behind) = rest.split_once('`')?;
    Some((before, name, behind))
}

#[cfg(test)]
mod tests {
    use super::common;

    #[test]
    fn pointers_have_a_place_in_common() {
        assert_eq!(common("/hosts/w1/cpu", "/hosts/w2/cpu"), "/hosts");
        assert_eq!(common("/hosts/w1/cpu", "/hosts/w1/memory"), "/hosts/w1");
        assert_eq!(common("/hosts/w1", "/hosts/w10"), "/hosts");
        assert_eq!(common("/hosts/w1", "/storage/w1"), "");
        assert_eq!(common("", "/storage/w1"), "");
    }
}
