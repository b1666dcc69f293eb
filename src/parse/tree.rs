//! What the three readers share: making nodes with places, interned keys, duplicate keys, places inside of strings.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::VALUES_LIMIT;
use crate::diag::{Diag, Findings, Level, codes};
use crate::node::{Data, Entry, Node};
use crate::source::{FileId, Sources, Span};

/// The tree of one file while it is made. Offsets given to it count from the text behind the byte order mark.
pub(super) struct Tree<'a> {
    sources: &'a mut Sources,
    file: FileId,
    base: usize,
    findings: &'a mut Findings,
    keys: Vec<Option<Arc<str>>>,
    /// How many errors, and how many lighter findings, this file has had.
    reported: [usize; 2],
    values: usize,
    /// Whether values were marked to be repeated, or repeated.
    pub repeats: bool,
}

/// How many errors of one file are reported, and how many lighter findings.
const REPORTS_LIMIT: usize = 500;

const KEY_SLOTS: usize = 256;

impl<'a> Tree<'a> {
    pub fn new(sources: &'a mut Sources, file: FileId, base: usize, findings: &'a mut Findings) -> Self {
        Self { sources, file, base, findings, keys: vec![None; KEY_SLOTS], reported: [0; 2], values: 0, repeats: false }
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, self.base + range.start, self.base + range.end)
    }

    pub fn node(&mut self, range: Range<usize>, data: Data) -> Node {
        let span = self.span(range);
        self.values += 1;
        Node { place: self.sources.place(span), span, data }
    }

    /// Whether the file holds more values than a file may.
    pub fn is_full(&self) -> bool {
        self.values > VALUES_LIMIT
    }

    /// Adds a finding. A file in which the same slip was made thousands of times is not reported thousands of times.
    pub fn report(&mut self, diag: Diag) {
        let count = &mut self.reported[usize::from(diag.level != Level::Error)];
        *count += 1;
        match (*count).cmp(&REPORTS_LIMIT) {
            Ordering::Less => self.findings.push(diag),
            Ordering::Equal => self.findings.push(diag.note("further findings of this file are not reported")),
            Ordering::Greater => {}
        }
    }

    /// A shared string for a key: names of fields recur for every host and are kept once.
    pub fn key(&mut self, text: &str) -> Arc<str> {
        let bytes = text.as_bytes();
        let [first, .., last] = bytes else { return text.into() };
        let middle = bytes[bytes.len() / 2];
        let slot = (bytes.len() * 31 + *first as usize * 7 + *last as usize * 3 + middle as usize) % KEY_SLOTS;
        match &self.keys[slot] {
            Some(key) if **key == *text => key.clone(),
            _ => {
                let key: Arc<str> = text.into();
                self.keys[slot] = Some(key.clone());
                key
            }
        }
    }

    /// Reports every key that is given more than once; the first one stays, with a poisoned value.
    pub fn unique(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let Some(firsts) = repeated(&entries) else { return entries };
        let mut again: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
        for (index, &first) in firsts.iter().enumerate().filter(|(index, first)| index != *first) {
            again.entry(first).or_default().push(entries[index].key_span);
        }
        let lost = again.len() >= LOST;
        if lost {
            self.report(two_in_one(&entries, &again));
        }
        for (&first, spans) in again.iter().filter(|_| !lost) {
            let Some((second, others)) = spans.split_first() else { continue };
            let times = match others.len() {
                0 => "twice".to_owned(),
                n => format!("{} times", n + 2),
            };
            let mut diag =
                Diag::new(codes::DUPLICATE_KEY, format!("the key `{}` is given {times}", entries[first].key))
                    .at(*second, "given again here")
                    .and(entries[first].key_span, "first given here")
                    .help("keep one of them; a list holds several values under one key");
            for span in others {
                diag = diag.and(*span, "and here");
            }
            self.report(diag);
        }
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        for (index, mut entry) in entries.into_iter().enumerate() {
            if firsts[index] == index {
                if again.contains_key(&index) {
                    entry.value.data = Data::Poison;
                }
                kept.push(entry);
            }
        }
        kept
    }
}

/// How many keys of one map are repeated when it is rather two maps, and the line between them is lost.
const LOST: usize = 2;

/// How many repeated keys a report shows.
const SHOWN: usize = 4;

/// The finding about a map in which the keys of two stand; `again` has the repetitions of each first key.
fn two_in_one(entries: &[Entry], again: &BTreeMap<usize, Vec<Span>>) -> Diag {
    let keys: Vec<String> = again.keys().map(|&first| format!("`{}`", entries[first].key)).collect();
    let named = match keys.len() {
        all @ ..=4 => format!("{} and {}", keys[..all - 1].join(", "), keys[all - 1]),
        all => format!("{} and {} more", keys[..3].join(", "), all - 3),
    };
    let mut seconds: Vec<(Span, usize)> =
        again.iter().flat_map(|(&first, at)| at.iter().map(move |s| (*s, first))).collect();
    seconds.sort_unstable();
    let diag = Diag::new(codes::DUPLICATE_KEY, format!("the keys {named} are given more than once"));
    let mut shown = seconds.into_iter().take(SHOWN);
    let diag = match shown.next() {
        Some((span, first)) => diag.at(span, "given again here").and(entries[first].key_span, "first given here"),
        None => diag,
    };
    let diag = shown.fold(diag, |diag, (span, first)| diag.and(span, "again").and(entries[first].key_span, "first"));
    diag.help("is the line missing that begins another map between them? If not, keep one of each")
}

/// For each entry the index of the first one with the same key; `None` when all keys differ.
fn repeated(entries: &[Entry]) -> Option<Vec<usize>> {
    if entries.len() <= 16 {
        let again = |i: usize| entries[..i].iter().any(|e| e.key == entries[i].key);
        if !(1..entries.len()).any(again) {
            return None;
        }
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let firsts: Vec<usize> = entries.iter().enumerate().map(|(i, e)| *seen.entry(&e.key).or_insert(i)).collect();
    (seen.len() < entries.len()).then_some(firsts)
}

/// The place of a part of a string: `part` is a range of bytes of `value`, `span` the whole scalar with its quotes.
///
/// Follows quotes and escapes of all three syntaxes. Where the written form cannot be followed (a folded YAML
/// scalar), the span of the whole scalar.
pub fn inside(sources: &Sources, span: Span, value: &str, part: Range<usize>) -> Span {
    let raw = sources.text(span);
    match (offset(raw, value, part.start), offset(raw, value, part.end)) {
        (Some(start), Some(end)) if start <= end => span.within(start, end - start),
        _ => span,
    }
}

/// The offset in `raw`, a scalar as written, of the byte `wanted` of its value.
fn offset(raw: &str, value: &str, wanted: usize) -> Option<usize> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| raw.len() >= 2 * q.len() && raw.starts_with(q));
    let mut at = quote.map_or(0, str::len);
    if quote.is_some_and(|q| q.len() == 3) {
        at += raw[at..].strip_prefix("\r\n").or(raw[at..].strip_prefix('\n')).map_or(0, |r| raw.len() - at - r.len());
    }
    if raw.get(at..at + value.len()) == Some(value) {
        return Some(at + wanted);
    }
    let escapes = quote.is_some_and(|q| q.starts_with('"'));
    for (index, c) in value.char_indices() {
        while escapes && quote != Some("\"") && continues(&raw[at..]) > 0 {
            at += continues(&raw[at..]);
        }
        if index >= wanted {
            return Some(at);
        }
        let rest = raw.get(at..)?;
        at += if escapes && rest.starts_with('\\') {
            escape_length(rest, c)?
        } else if quote == Some("'") && rest.starts_with("''") {
            2
        } else if rest.starts_with(c) {
            c.len_utf8()
        } else if c == '\n' && rest.starts_with("\r\n") {
            2
        } else {
            return None;
        };
    }
    (wanted == value.len()).then_some(at)
}

/// The length of a line continuation of TOML (a backslash and the white space behind it).
fn continues(rest: &str) -> usize {
    match rest.strip_prefix('\\') {
        Some(after) if after.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']) => {
            rest.len() - after.trim_start().len()
        }
        _ => 0,
    }
}

/// The length of the escape sequence at the beginning of `rest` that stands for `c`.
fn escape_length(rest: &str, c: char) -> Option<usize> {
    Some(match rest.as_bytes().get(1)? {
        b'x' => 4,
        b'u' if c.len_utf16() == 2 && rest.get(6..8) == Some("\\u") => 12,
        b'u' => 6,
        b'U' => 10,
        _ => 1 + rest.get(1..)?.chars().next()?.len_utf8(),
    })
}
