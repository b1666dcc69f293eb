//! Host entries whose keys may have ranges in, one entry per host out.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::decode::scalar::{Fault, Scalar};
use crate::diag::{Diag, Findings, codes};
use crate::schema::Schema;
use crate::shape::Type;
use crate::source::{PlaceId, Sources, Span};
use crate::spec::Spec;
use crate::value::{Map, Origins, Str, Tracked, Value};

use super::ranges::{Pattern, natural};

/// The most hosts that a site may have.
pub const MOST_HOSTS: u64 = 65_536;

/// Replaces the table of hosts by one with an entry per host, in natural order of their names.
///
/// The more specific of two keys that stand for one host wins, key by key. Out comes whether every key could be
/// read, so that nothing is said about names that a faulty key may have meant.
pub fn expand(root: &mut Map, spec: &Spec, schema: &Schema, sources: &Sources, findings: &mut Findings) -> bool {
    let Some(table) = root.get("hosts") else { return true };
    let Value::Map(written) = &table.value else { return table.value.is_null() };
    let ty = schema.at("/hosts/*").unwrap_or(Type::Any);
    let mut expansion = Expansion { spec, sources, findings, reported: BTreeSet::new() };
    let (keys, complete) = expansion.keys(written, &ty);
    let hosts = expansion.hosts(&keys);
    let table = Tracked::new(Value::map(hosts), table.origins.clone());
    root.insert("hosts".into(), table);
    complete
}

/// One entry of the table as it is written.
struct Key<'a> {
    text: &'a Str,
    span: Option<Span>,
    pattern: Pattern,
    count: u64,
    entry: &'a Tracked,
    /// The values with ranges below it, by their place.
    ranged: BTreeMap<PlaceId, Ranged>,
}

/// A text with ranges, and the type of its place.
struct Ranged {
    pattern: Pattern,
    ty: Type,
}

struct Expansion<'a> {
    spec: &'a Spec,
    sources: &'a Sources,
    findings: &'a mut Findings,
    /// Places about which there has been a report.
    reported: BTreeSet<(PlaceId, PlaceId)>,
}

impl<'a> Expansion<'a> {
    /// Reads the keys; the second part is false when one of them had to be left out.
    fn keys(&mut self, written: &'a Map, ty: &Type) -> (Vec<Key<'a>>, bool) {
        let mut keys = Vec::with_capacity(written.len());
        let (mut complete, mut total) = (true, 0u64);
        for (text, entry) in written {
            let span = place(entry).and_then(|place| self.spec.key_span(place));
            let pattern = match Pattern::parse(text, false) {
                Ok(pattern) => pattern,
                Err(reason) => {
                    self.malformed_range(text, &reason, span);
                    complete = false;
                    continue;
                }
            };
            let count = pattern.count().unwrap_or(u64::MAX);
            if total.saturating_add(count) > MOST_HOSTS {
                let counted = if count == u64::MAX { "too many".into() } else { count.to_string() };
                let message = format!("`{text}` stands for {counted} hosts, more than a site may have");
                let diag = Diag::new(codes::RANGE_TOO_LARGE, message).at_maybe(span, "");
                self.findings.push(diag.help(format!("a site has at most {MOST_HOSTS} hosts")));
                complete = false;
                continue;
            }
            total += count;
            if !is_name(&pattern.nth(0)) {
                let diag = Diag::new(codes::MALFORMED, format!("`{text}` is not a name")).at_maybe(span, "");
                self.findings
                    .push(diag.help("names have letters, digits, `.`, `_` and `-`, and begin with a letter or digit"));
                complete = false;
                continue;
            }
            let mut key = Key { text, span, pattern, count, entry, ranged: BTreeMap::new() };
            if key.pattern.is_ranged() {
                let mut ranged = BTreeMap::new();
                self.ranged_values(&key, entry, ty, &mut ranged);
                key.ranged = ranged;
            }
            keys.push(key);
        }
        (keys, complete)
    }

    fn malformed_range(&mut self, text: &str, reason: &str, span: Option<Span>) {
        let diag = Diag::new(codes::MALFORMED_RANGE, format!("malformed range in `{text}`: {reason}"));
        self.findings.push(diag.at_maybe(span, "").help("write ranges like `w[1-3]` or `w[01-05]`"));
    }

    /// Collects the texts with ranges below an entry; one that does not fit is reported here, once.
    fn ranged_values(&mut self, key: &Key, value: &Tracked, ty: &Type, found: &mut BTreeMap<PlaceId, Ranged>) {
        match &value.value {
            Value::Map(map) => {
                for (name, value) in map.iter() {
                    let ty = ty.field(name).unwrap_or(Type::Any);
                    self.ranged_values(key, value, &ty, found);
                }
            }
            Value::List(items) => {
                let ty = match ty {
                    Type::List(of) => of,
                    _ => &Type::Any,
                };
                items.iter().for_each(|item| self.ranged_values(key, item, ty, found));
            }
            Value::Str(text) if text.contains('[') && *ty != Type::Any => {
                if let (Some(place), Some(pattern)) = (place(value), self.ranged_value(key, value, text, ty)) {
                    found.insert(place, Ranged { pattern, ty: ty.clone() });
                }
            }
            _ => {}
        }
    }

    /// The pattern of a text below a key with ranges; plain text without a well-formed range has none.
    fn ranged_value(&mut self, key: &Key, value: &Tracked, text: &str, ty: &Type) -> Option<Pattern> {
        let span = super::span(value, self.sources);
        let hex = matches!(ty, Type::Address | Type::Cidr) && text.contains(':');
        let pattern = match Pattern::parse(text, hex) {
            Ok(pattern) => pattern,
            Err(_) if *ty == Type::Text => return None,
            Err(reason) => {
                self.malformed_range(text, &reason, span);
                // Expanding gives poison where the type cannot take the text.
                return Some(Pattern::literal(text));
            }
        };
        let count = pattern.count();
        if count != Some(key.count) {
            let counted = count.map_or("too many".into(), |count| count.to_string());
            let message = format!("`{text}` stands for {counted} values, `{}` for {} hosts", key.text, key.count);
            let mut diag = Diag::new(codes::RANGE_MISMATCH, message).at_maybe(span, format!("{counted} values"));
            if let Some(span) = key.span {
                diag = diag.and(span, format!("{} hosts", key.count));
            }
            if hex {
                diag = diag.note("ranges in IPv6 addresses count in hexadecimal");
            }
            self.findings.push(diag.help("make both ranges equally long; gaps are written `[21-23,31]`"));
            return Some(Pattern::literal(""));
        }
        Some(pattern)
    }

    /// Makes the entry of each host out of all keys that stand for it.
    fn hosts(&mut self, keys: &[Key<'a>]) -> Map {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|i| keys[*i].count);
        let mut named: Vec<(String, usize, u64)> = Vec::new();
        for rank in order {
            named.extend((0..keys[rank].count).map(|i| (keys[rank].pattern.nth(i), rank, i)));
        }
        // Stable: the more specific key of a name stays first.
        named.sort_by(|a, b| natural(&a.0, &b.0));
        let mut hosts = Map::with_capacity(named.len());
        for same in named.chunk_by(|a, b| natural(&a.0, &b.0) == Ordering::Equal) {
            let entries: Vec<(u64, Tracked)> =
                same.iter().map(|(_, rank, i)| (keys[*rank].count, self.entry(&keys[*rank], *i))).collect();
            let host = match entries.as_slice() {
                [(_, only)] => only.clone(),
                several => self.merged(&several.iter().map(|(count, value)| (*count, value)).collect::<Vec<_>>(), ""),
            };
            hosts.insert(same[0].0.as_str().into(), host);
        }
        hosts
    }

    /// The entry of the host at an index of a key.
    fn entry(&mut self, key: &Key, index: u64) -> Tracked {
        if key.entry.value.is_null() {
            return Tracked::new(Value::map(Map::new()), key.entry.origins.clone());
        }
        if key.ranged.is_empty() { key.entry.clone() } else { self.at_index(key, key.entry, index) }
    }

    fn at_index(&mut self, key: &Key, value: &Tracked, index: u64) -> Tracked {
        let expanded = match &value.value {
            Value::Map(map) if holds_ranged(value, &key.ranged) => {
                let mut map = Map::clone(map);
                map.values_mut().for_each(|value| *value = self.at_index(key, value, index));
                Value::map(map)
            }
            Value::List(items) if holds_ranged(value, &key.ranged) => {
                Value::list(items.iter().map(|item| self.at_index(key, item, index)).collect())
            }
            Value::Str(_) => match place(value).and_then(|place| Some((place, key.ranged.get(&place)?))) {
                Some((place, ranged)) => self.typed(ranged, place, index),
                None => return value.clone(),
            },
            _ => return value.clone(),
        };
        Tracked::new(expanded, value.origins.clone())
    }

    /// The typed value of a text with ranges at an index; a fault is reported once for all indices.
    fn typed(&mut self, ranged: &Ranged, place: PlaceId, index: u64) -> Value {
        if !ranged.pattern.is_ranged() {
            return Value::Poison;
        }
        match Scalar::expanded(ranged.pattern.nth(index)).typed(&ranged.ty, place) {
            Ok(value) => value,
            Err(fault) => {
                if let (Fault::Malformed(mut fault), Some(span)) = (fault, self.sources.span_of(place))
                    && self.reported.insert((place, PlaceId::NONE))
                {
                    fault.replacement = None;
                    self.findings.push(fault.diag(span));
                }
                Value::Poison
            }
        }
    }

    /// One value of several for the same host, the most specific one first.
    fn merged(&mut self, values: &[(u64, &Tracked)], key: &str) -> Tracked {
        let Some((count, first)) = values.first() else { return Tracked::default() };
        if !matches!(first.value, Value::Map(_)) {
            for (_, other) in values.iter().skip(1).take_while(|(c, _)| c == count) {
                self.ambiguous(first, other, key);
            }
            return Tracked::clone(first);
        }
        let maps: Vec<(u64, &Tracked)> =
            values.iter().take_while(|(_, value)| matches!(value.value, Value::Map(_))).copied().collect();
        let mut merged = Map::new();
        for (_, map) in &maps {
            for (name, _) in map.entries() {
                if !merged.contains_key(name) {
                    let below: Vec<(u64, &Tracked)> =
                        maps.iter().filter_map(|(count, map)| Some((*count, map.get(name)?))).collect();
                    merged.insert(name.clone(), self.merged(&below, name));
                }
            }
        }
        Tracked::new(Value::map(merged), Origins::all(maps.iter().map(|(_, map)| &map.origins)))
    }

    fn ambiguous(&mut self, one: &Tracked, other: &Tracked, key: &str) {
        let poisoned = |value: &Tracked| matches!(value.value, Value::Poison);
        let (Some(a), Some(b)) = (place(one), place(other)) else { return };
        if one.value == other.value || poisoned(one) || poisoned(other) || !self.reported.insert((a, b)) {
            return;
        }
        let message = format!("two keys that are equally specific give different values for `{key}` of one host");
        let mut diag = Diag::new(codes::AMBIGUOUS_RANGE, message).at_maybe(self.sources.span_of(b), "");
        if let Some(span) = self.sources.span_of(a) {
            diag = diag.and(span, "the other value");
        }
        self.findings.push(diag.help("give the host an entry of its own, or make the ranges apart"));
    }
}

/// Whether one of these places is below a value.
fn holds_ranged(value: &Tracked, ranged: &BTreeMap<PlaceId, Ranged>) -> bool {
    match &value.value {
        Value::Map(map) => map.values().any(|value| holds_ranged(value, ranged)),
        Value::List(items) => items.iter().any(|item| holds_ranged(item, ranged)),
        Value::Str(_) => place(value).is_some_and(|place| ranged.contains_key(&place)),
        _ => false,
    }
}

fn place(value: &Tracked) -> Option<PlaceId> {
    value.origins.as_slice().first().copied()
}

fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
