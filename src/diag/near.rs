//! A name that does not exist in, the one that was probably meant out.

use std::collections::{BTreeMap, BTreeSet};

/// Similar names are looked for at most for so many unknown ones, since each is compared with a whole table.
pub const MOST_SUGGESTIONS: usize = 64;

/// Longer names are compared with nothing.
const LONGEST: usize = 256;

/// Names that one may have meant, by their lengths: names of unlike lengths are as far from each other at least.
#[derive(Clone, Debug, Default)]
pub struct NearNames<'a> {
    by_length: BTreeMap<usize, Vec<&'a str>>,
}

/// The name that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'a> {
    pub name: &'a str,
    /// Whether it is a slip beyond reasonable doubt, so that it may be corrected without asking.
    pub sure: bool,
}

impl<'a> NearNames<'a> {
    pub fn of(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        let names: BTreeSet<&str> = names.into_iter().filter(|n| n.len() <= LONGEST).collect();
        for name in names {
            by_length.entry(name.chars().count()).or_default().push(name);
        }
        Self { by_length }
    }

    /// What [`similar_name`] finds, and whether it is [`surely_meant`], with one comparison per name that can be near.
    pub fn nearest(&self, name: &str) -> Option<Near<'a>> {
        if name.len() > LONGEST {
            return None;
        }
        let length = name.chars().count();
        let limit = length.div_ceil(3);
        let mut best: Option<(usize, &'a str, bool)> = None;
        for unlike in 0..=limit {
            if best.is_some_and(|(distance, ..)| distance < unlike) {
                break;
            }
            let shorter = length.checked_sub(unlike).filter(|_| unlike > 0);
            for candidates in shorter.into_iter().chain([length + unlike]).filter_map(|l| self.by_length.get(&l)) {
                for candidate in candidates {
                    let distance = strsim::osa_distance(name, candidate);
                    best = match best {
                        Some(known) if distance > known.0 => Some(known),
                        Some((known, other, _)) if distance == known => Some((known, other.min(candidate), false)),
                        _ if distance == 0 || distance > limit => best,
                        _ => Some((distance, candidate, true)),
                    };
                }
            }
        }
        let (distance, near, alone) = best?;
        Some(Near { name: near, sure: alone && is_slip(name, near, distance) })
    }
}

/// One letter wrong, missing, too much or exchanged with its neighbour (two in long names), all digits alike.
fn is_slip(name: &str, near: &str, distance: usize) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let length = name.chars().count();
    let limit = if length >= 8 { 2 } else { 1 };
    length >= 4 && distance <= limit && digits(name) == digits(near)
}

/// Whether `name` is a slip for `near` beyond reasonable doubt, so that it may be corrected without asking: one letter
/// wrong, missing, too much or exchanged with its neighbour (two in long names), all digits alike, and no other
/// candidate as near.
pub fn surely_meant<'a>(name: &str, near: &str, candidates: impl IntoIterator<Item = &'a str>) -> bool {
    let distance = strsim::osa_distance(name, near);
    is_slip(name, near, distance)
        && candidates.into_iter().all(|other| other == near || strsim::osa_distance(name, other) > distance)
}

/// The name among `candidates` that `name` was probably meant to be, if one is near enough.
///
/// Distance is optimal string alignment, at most a third of the name's length (rounded up); ties go to the
/// alphabetically first.
pub fn similar_name<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = length.div_ceil(3);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let unlike = || candidate.chars().count().abs_diff(length) > best.map_or(limit, |(d, _)| d);
        if candidate.len() > LONGEST || name.len() > LONGEST || unlike() {
            continue;
        }
        let distance = strsim::osa_distance(name, candidate);
        let better = best.is_none_or(|(d, n)| (distance, candidate) < (d, n));
        if distance <= limit && distance > 0 && better {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_finds_what_the_scan_finds() {
        let names = ["nfs1", "nfs2", "proxy1", "w1", "w10", "w11", "users", "admin", "admins", "a", "worker-0012"];
        let words = [
            "nsf1",
            "proxi1",
            "porxy1",
            "w",
            "w2",
            "w12",
            "user",
            "usesr",
            "admni",
            "adminz",
            "b",
            "worker-0021",
            "wroker-0012",
            "nfs1",
            "",
            "somewhere-else",
            "ädmin",
        ];
        let index = NearNames::of(names);
        for word in words {
            let near = similar_name(word, names);
            let expected = near.map(|name| Near { name, sure: surely_meant(word, name, names) });
            assert_eq!(index.nearest(word), expected, "{word}");
        }
    }
}
