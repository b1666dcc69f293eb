//! Text that names entries of the site's tables in, references out, patterns replaced by what they match.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::diag::typographic::QUOTES;
use crate::diag::{Diag, Findings, MOST_SUGGESTIONS, NearNames, codes};
use crate::schema::Schema;
use crate::shape::Type;
use crate::source::{Sources, Span};
use crate::spec::Spec;
use crate::value::{Map, Ref, Str, Tracked, Value};

use super::hosts::MOST_HOSTS;
use super::ranges::{Pattern, glob, natural};

/// Binds every name of the site; what cannot be bound becomes poison with a report.
///
/// Where not all hosts are known, nothing is said about names of hosts.
pub fn bind(
    root: &mut Map,
    spec: &Spec,
    schema: &Schema,
    hosts_complete: bool,
    sources: &Sources,
    findings: &mut Findings,
) {
    let mut tables = BTreeMap::new();
    for table in schema.tables() {
        let complete = match root.get(table).map(|t| &t.value) {
            Some(Value::Poison) => false,
            _ => hosts_complete || &**table != "hosts",
        };
        let mut names: Vec<Str> = match root.get(table).map(|t| &t.value) {
            Some(Value::Map(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        };
        names.sort_by(|a, b| natural(a, b));
        let known = names.iter().cloned().collect();
        tables.insert(table.clone(), Table { names, known, complete });
    }
    let mut binder = Binder { tables, spec, sources, findings, unknown: BTreeMap::new(), with_names: BTreeMap::new() };
    let keys: Vec<Str> = root.keys().cloned().collect();
    for key in keys {
        if let (Some(ty), Some(value)) = (schema.root().field(&key), root.get(&key))
            && let Some(bound) = binder.bound(value, &ty)
        {
            root.insert(key, bound);
        }
    }
    binder.report();
}

struct Table {
    /// In natural order.
    names: Vec<Str>,
    known: BTreeSet<Str>,
    /// Whether all its names are known.
    complete: bool,
}

struct Binder<'a> {
    tables: BTreeMap<Str, Table>,
    spec: &'a Spec,
    sources: &'a Sources,
    findings: &'a mut Findings,
    /// Where unknown names stand, by the tables that were looked at and the name.
    unknown: BTreeMap<(Vec<Str>, Str), BTreeSet<Span>>,
    /// Whether there are names below types that are shared, by their address.
    with_names: BTreeMap<usize, bool>,
}

impl Binder<'_> {
    /// The value with its names bound; `None` when it stays as it is.
    fn bound(&mut self, value: &Tracked, ty: &Type) -> Option<Tracked> {
        if !self.has_names(ty) {
            return None;
        }
        match &value.value {
            Value::Str(text) => {
                let tables = tables_of(ty)?;
                let bound = match self.one(text, &tables) {
                    Some(r) => r.into(),
                    None => {
                        self.unknown(text, &tables, super::span(value, self.sources));
                        Value::Poison
                    }
                };
                Some(Tracked::new(bound, value.origins.clone()))
            }
            Value::List(items) => {
                let of = list_of(ty)?;
                let bound = match tables_of(&of) {
                    Some(tables) => {
                        // Of a list with an open place nobody knows who is on it, nor what waits for that.
                        if let Some(open) = items.iter().find(|item| item.value.is_null()) {
                            let diag = Diag::new(codes::MALFORMED, "an item of this list is left open")
                                .at_maybe(super::span(open, self.sources), "")
                                .help("write its name; or leave the whole list unanswered, with `null`");
                            self.findings.push(diag);
                            return Some(Tracked::new(Value::Poison, value.origins.clone()));
                        }
                        let Some(bound) = self.names(items, &tables) else {
                            return Some(Tracked::new(Value::Poison, value.origins.clone()));
                        };
                        bound
                    }
                    None => {
                        let changed: Vec<Option<Tracked>> = items.iter().map(|i| self.bound(i, &of)).collect();
                        if changed.iter().all(Option::is_none) {
                            return None;
                        }
                        items.iter().zip(changed).map(|(item, new)| new.unwrap_or_else(|| item.clone())).collect()
                    }
                };
                Some(Tracked::new(Value::list(bound), value.origins.clone()))
            }
            Value::Map(map) => match keyed(ty) {
                Some((table, of)) => {
                    let bound = self.keyed(map, &table, &of).map_or(Value::Poison, Value::map);
                    Some(Tracked::new(bound, value.origins.clone()))
                }
                None => self.map(map, ty).map(|map| Tracked::new(Value::map(map), value.origins.clone())),
            },
            _ => None,
        }
    }

    fn map(&mut self, map: &Map, ty: &Type) -> Option<Map> {
        let mut changed: Option<Map> = None;
        for (key, value) in map {
            if let Some(ty) = ty.field(key)
                && let Some(bound) = self.bound(value, &ty)
            {
                changed.get_or_insert_with(|| map.clone()).insert(key.clone(), bound);
            }
        }
        changed
    }

    /// A map whose keys are names or patterns: an entry per name, the more exact key wins. `None` when one of them is not
    /// known: what the map lacks then says nothing.
    fn keyed(&mut self, map: &Map, table: &Str, of: &Type) -> Option<Map> {
        let tables = [table.clone()];
        let mut matched: BTreeMap<Str, Vec<(usize, Tracked)>> = BTreeMap::new();
        let mut known = true;
        for (key, value) in map {
            let value = self.bound(value, of).unwrap_or_else(|| value.clone());
            let span = value.origins.as_slice().first().and_then(|place| self.spec.key_span(*place));
            let (names, all) = self.matches(key, &tables, span);
            known &= all;
            for name in &names {
                matched.entry(name.name.clone()).or_default().push((names.len(), value.clone()));
            }
        }
        let mut entries: Vec<(Str, Tracked)> = Vec::with_capacity(matched.len());
        for (name, mut values) in matched {
            values.sort_by_key(|(count, _)| *count);
            entries.push((name, merged(values.into_iter().map(|(_, value)| value))));
        }
        entries.sort_by(|a, b| natural(&a.0, &b.0));
        known.then(|| entries.into_iter().collect())
    }

    /// A list of names, the patterns in it replaced by what they match; each name once, where it stands first. `None` when
    /// one of them is not known: how many there are, and who is not among them, nobody can tell then.
    fn names(&mut self, items: &[Tracked], tables: &[Str]) -> Option<Vec<Tracked>> {
        let mut bound: Vec<Tracked> = Vec::with_capacity(items.len());
        let mut at: IndexMap<Ref, usize> = IndexMap::new();
        let mut known = true;
        for item in items {
            let Value::Str(text) = &item.value else {
                bound.push(item.clone());
                continue;
            };
            let (names, all) = self.matches(text, tables, super::span(item, self.sources));
            known &= all;
            for r in names {
                match at.entry(r) {
                    Entry::Occupied(known) => {
                        let known = &mut bound[*known.get()].origins;
                        *known = known.union(&item.origins);
                    }
                    Entry::Vacant(new) => {
                        let value = Tracked::new(new.key().clone(), item.origins.clone());
                        new.insert(bound.len());
                        bound.push(value);
                    }
                }
            }
        }
        known.then_some(bound)
    }

    /// The entries that a name or pattern stands for, and whether these are all. When they are not, that has been
    /// reported.
    fn matches(&mut self, text: &Str, tables: &[Str], span: Option<Span>) -> (Vec<Ref>, bool) {
        if let Some(r) = self.one(text, tables) {
            return (vec![r], true);
        }
        let pattern = match Pattern::parse(&text.replace("[*]", "*"), false) {
            Ok(pattern) => pattern,
            Err(reason) => {
                let diag = Diag::new(codes::MALFORMED_RANGE, format!("malformed range in `{text}`: {reason}"));
                self.findings.push(diag.at_maybe(span, "").help("write ranges like `w[1-3]` or `w[01-05]`"));
                return (Vec::new(), false);
            }
        };
        if !pattern.is_ranged() && !is_glob(text) {
            self.unknown(text, tables, span);
            return (Vec::new(), false);
        }
        if pattern.count().is_none_or(|count| count > MOST_HOSTS) {
            let diag = Diag::new(codes::RANGE_TOO_LARGE, format!("`{text}` stands for too many names"));
            self.findings.push(diag.at_maybe(span, "").help(format!("a site has at most {MOST_HOSTS} hosts")));
            return (Vec::new(), false);
        }
        let (mut found, mut known) = (Vec::new(), true);
        for name in pattern.texts() {
            if is_glob(&name) {
                self.globbed(&name, tables, &mut found);
                known &= tables.iter().all(|table| self.complete(table));
            } else if let Some(r) = self.one(&name, tables) {
                found.push(r);
            } else {
                self.unknown(&name.into(), tables, span);
                known = false;
            }
        }
        if found.is_empty() && is_glob(text) && tables.iter().all(|table| self.complete(table)) {
            let message = format!("`{text}` matches nothing in {}", listed(tables));
            let diag = Diag::new(codes::GLOB_MATCHES_NOTHING, message).at_maybe(span, "");
            self.findings.push(diag.help("correct the pattern, or leave it out"));
            known = false;
        }
        (found, known)
    }

    fn globbed(&self, pattern: &str, tables: &[Str], found: &mut Vec<Ref>) {
        let prefix = pattern.split(['*', '?']).next().unwrap_or_default();
        for table in tables {
            let Some(Table { names, known, .. }) = self.tables.get(table) else { continue };
            let mut matching: Vec<&Str> = if prefix.is_empty() {
                names.iter().filter(|name| glob(pattern, name)).collect()
            } else {
                let from = known.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
                from.take_while(|name| name.starts_with(prefix)).filter(|name| glob(pattern, name)).collect()
            };
            matching.sort_by(|a, b| natural(a, b));
            found.extend(matching.into_iter().map(|name| Ref { table: table.clone(), name: name.clone() }));
        }
    }

    /// The entry of the first of these tables that has one of this name.
    fn one(&self, name: &str, tables: &[Str]) -> Option<Ref> {
        tables.iter().find_map(|table| {
            let name = self.tables.get(table)?.known.get(name)?;
            Some(Ref { table: table.clone(), name: name.clone() })
        })
    }

    fn complete(&self, table: &str) -> bool {
        self.tables.get(table).is_some_and(|table| table.complete)
    }

    fn unknown(&mut self, name: &Str, tables: &[Str], span: Option<Span>) {
        if tables.iter().all(|table| self.complete(table)) {
            self.unknown.entry((tables.to_vec(), name.clone())).or_default().extend(span);
        }
    }

    /// One report per unknown name, with all its places. Places that take names from different tables are one cause as
    /// long as a table is common to them.
    fn report(&mut self) {
        let mut causes: Vec<(Vec<Str>, Str, Vec<Span>)> = Vec::new();
        let mut of_name: BTreeMap<Str, Vec<usize>> = BTreeMap::new();
        for ((tables, name), spans) in std::mem::take(&mut self.unknown) {
            let of_name = of_name.entry(name.clone()).or_default();
            let same = |cause: &&usize| causes[**cause].0.iter().any(|table| tables.contains(table));
            match of_name.iter().rfind(same).copied() {
                Some(cause) => {
                    let (known, _, places) = &mut causes[cause];
                    known.extend(tables.into_iter().filter(|table| !known.contains(table)).collect::<Vec<_>>());
                    places.extend(spans);
                    places.sort_unstable();
                    places.dedup();
                }
                None => {
                    of_name.push(causes.len());
                    causes.push((tables, name, spans.into_iter().collect()));
                }
            }
        }
        let mut near_names: BTreeMap<Vec<Str>, NearNames> = BTreeMap::new();
        for (index, (tables, name, spans)) in causes.into_iter().enumerate() {
            let message = format!("there is no `{name}` in {}", listed(&tables));
            let first = spans.first().copied();
            let mut diag = Diag::new(codes::UNKNOWN_NAME, message).at_maybe(first, "");
            for span in spans.iter().skip(1) {
                diag = diag.and(*span, "named here as well");
            }
            let known = || tables.iter().filter_map(|table| self.tables.get(table));
            let names = || known().flat_map(|table| &table.names).map(|name| &**name);
            let count: usize = known().map(|table| table.names.len()).sum();
            let is_known = |name: &str| known().any(|table| table.known.contains(name));
            if let Some((key, why, safe)) = written_otherwise(&name, is_known) {
                diag = diag.help(format!("there is `{key}`: {why}"));
                for span in spans.iter().filter(|s| self.sources.text(**s).trim_matches(['"', '\'']) == &*name) {
                    diag = diag.replace(*span, key, safe);
                }
            } else if index < MOST_SUGGESTIONS
                && let Some(near) =
                    near_names.entry(tables.clone()).or_insert_with(|| NearNames::of(names())).nearest(&name)
            {
                diag = diag.help(format!("there is `{}`", near.name));
                let whole = |span: &&Span| self.sources.text(**span).trim_matches(['"', '\'']) == &*name;
                let places: Vec<&Span> = spans.iter().filter(whole).collect();
                for span in &places {
                    diag = diag.replace(**span, near.name, near.sure && places.len() == spans.len());
                }
            } else if count == 0 {
                diag = diag.help(format!("the spec has nothing in {}", listed(&tables)));
            } else if count <= 12 {
                let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                diag = diag.help(format!("there are {}", known.join(", ")));
            }
            self.findings.push(diag);
        }
    }

    /// Whether there can be names below a type.
    fn has_names(&mut self, ty: &Type) -> bool {
        let (address, inner): (usize, &Type) = match ty {
            Type::Ref(_) | Type::Keyed { .. } => return true,
            Type::List(of) | Type::Table(of) => (Arc::as_ptr(of) as usize, of),
            Type::OneOf(types) => return types.iter().any(|ty| self.has_names(ty)),
            Type::Struct(s) => {
                let address = Arc::as_ptr(s) as usize;
                if let Some(known) = self.with_names.get(&address) {
                    return *known;
                }
                let found = s.fields.values().any(|f| self.has_names(&f.ty))
                    || s.rest.as_ref().is_some_and(|rest| self.has_names(rest));
                self.with_names.insert(address, found);
                return found;
            }
            _ => return false,
        };
        if let Some(known) = self.with_names.get(&address) {
            return *known;
        }
        let found = self.has_names(inner);
        self.with_names.insert(address, found);
        found
    }
}

/// The tables whose entries a type names; `None` when it is no name.
fn tables_of(ty: &Type) -> Option<Vec<Str>> {
    match ty {
        Type::Ref(table) => Some(vec![table.clone()]),
        Type::OneOf(types) => {
            let tables: Vec<Str> = types.iter().filter_map(tables_of).flatten().collect();
            (!tables.is_empty() && !types.contains(&Type::Text)).then_some(tables)
        }
        _ => None,
    }
}

fn list_of(ty: &Type) -> Option<Type> {
    match ty {
        Type::List(of) => Some(Type::clone(of)),
        Type::OneOf(types) => types.iter().find_map(list_of),
        _ => None,
    }
}

fn keyed(ty: &Type) -> Option<(Str, Type)> {
    match ty {
        Type::Keyed { table, of } => Some((table.clone(), Type::clone(of))),
        Type::OneOf(types) => types.iter().find_map(keyed),
        _ => None,
    }
}

/// One value of several, the most exact one first; maps are joined key by key.
fn merged(values: impl Iterator<Item = Tracked>) -> Tracked {
    let mut values = values;
    let Some(mut first) = values.next() else { return Tracked::default() };
    for other in values {
        let origins = first.origins.union(&other.origins);
        let (Some(map), Value::Map(other)) = (super::map_mut(&mut first), &other.value) else { break };
        for (key, value) in other.iter() {
            if !map.contains_key(key) {
                map.insert(key.clone(), value.clone());
            }
        }
        first.origins = origins;
    }
    first
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn listed(tables: &[Str]) -> String {
    let names: Vec<String> = tables.iter().map(|table| format!("`{table}`")).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// The name that is meant where it stands with more around it, why, and whether that is sure.
fn written_otherwise(name: &str, is_known: impl Fn(&str) -> bool) -> Option<(&str, &'static str, bool)> {
    let bare = name.trim_matches(QUOTES);
    if bare.len() < name.len() && is_known(bare) {
        return Some((bare, "typographic quotes are part of the text", true));
    }
    let (short, _) = name.split_once('.')?;
    is_known(short).then_some((short, "entries go by their keys, whatever their full names are", false))
}
