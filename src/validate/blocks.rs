//! Tree and schema in, what stands in it without the line above it out: a table or an entry whose first line was lost, or
//! was never typed, is one slip, however many keys are out of place because of it.

use std::collections::BTreeSet;

use serde_json::Value as JsonValue;

use super::words;
use crate::diag::{Diag, codes};
use crate::node::{Data, Entry, Node};

/// Keys that have lost the line above them.
#[derive(Debug)]
pub struct Block {
    pub diag: Diag,
    /// Where they stand: the key of a table of the spec.
    pub table: String,
    pub keys: Vec<String>,
    /// The table of the spec that they are of; `None` where they are of one entry whose name nobody knows, or where
    /// several can be meant.
    pub home: Option<String>,
}

/// How many keys have to be out of place before a lost line is the reason.
const ENOUGH: usize = 2;

/// The blocks without their line among the tables of a spec.
pub fn lost_lines(root: &Node, schema: &JsonValue) -> Vec<Block> {
    let tables = root.entries().iter().filter(|table| matches!(table.value.data, Data::Map(_)));
    tables.filter_map(|table| block(root, table, schema)).collect()
}

fn block(root: &Node, table: &Entry, schema: &JsonValue) -> Option<Block> {
    let own = &schema["properties"][&*table.key];
    let own_keys = properties(schema, own);
    let of_entry = entry_keys(schema, own);
    let entries = table.value.entries();
    let stranger = |entry: &&Entry| match (&entry.value.data, of_entry.is_empty()) {
        (Data::Null | Data::Poison, _) => false,
        (Data::Map(_), false) => entry.value.entries().iter().any(|e| !of_entry.contains(&*e.key)),
        (_, false) => true,
        (_, true) => !own_keys.is_empty() && !own_keys.contains(&*entry.key),
    };
    let strangers: Vec<&Entry> = entries.iter().filter(stranger).collect();
    if strangers.is_empty() {
        return None;
    }
    let names: Vec<&str> = strangers.iter().map(|e| &*e.key).collect();
    let found = |what: &str, help: String, home: Option<&str>, keys: &[&Entry]| {
        let [first, others @ ..] = keys else { return None };
        let listed: Vec<&str> = keys.iter().map(|e| &*e.key).collect();
        let diag = Diag::new(codes::UNKNOWN_KEY, format!("{} {what} in `{}`", few(&listed), table.key));
        let diag = diag.at(first.key_span, "");
        let diag = others.iter().take(SHOWN).fold(diag, |diag, e| diag.and(e.key_span, "this as well"));
        let keys = keys.iter().map(|e| e.key.to_string()).collect();
        Some(Block { diag: diag.help(help), table: table.key.to_string(), keys, home: home.map(Into::into) })
    };
    // The keys of an entry stand where names of entries are meant.
    let of_one: Vec<&Entry> = entries.iter().filter(|e| of_entry.contains(&*e.key)).collect();
    if strangers.iter().filter(|e| of_entry.contains(&*e.key)).count() >= ENOUGH && strangers.iter().any(is_no_map) {
        let help = "they are keys of one entry; write its name above them, and indent them below it".to_string();
        return found("stand where names are meant", help, None, &of_one);
    }
    let absent = |name: &&String| root.get(name).is_none_or(Node::is_null);
    let all = schema["properties"].as_object()?;
    let in_root = |fits: &dyn Fn(&JsonValue) -> bool| -> Vec<&str> {
        let fitting = all.iter().filter(|(_, schema)| fits(schema)).map(|(name, _)| name);
        fitting.filter(absent).map(String::as_str).collect()
    };
    let keys_of = |entry: &Entry| entry.value.entries().iter().map(|e| e.key.to_string()).collect::<Vec<_>>();
    let homes = match strangers.iter().all(|e| matches!(e.value.data, Data::Map(_))) {
        true => in_root(&|of| {
            let known = entry_keys(schema, of);
            let fits = |entry: &&Entry| {
                let keys = keys_of(entry);
                !keys.is_empty() && keys.iter().all(|key| known.contains(&**key))
            };
            strangers.iter().all(fits)
        }),
        false => Vec::new(),
    };
    let enough = strangers.len() >= ENOUGH;
    let homes = match homes.is_empty() && enough {
        true => in_root(&|of| names.iter().all(|name| properties(schema, of).contains(name))),
        false => homes,
    };
    let lines: Vec<String> = homes.iter().map(|home| format!("`{home}:`")).collect();
    let home = match homes.as_slice() {
        [] => return None,
        [one] => Some(*one),
        _ => None,
    };
    let help = format!("is the line {} missing above them?", words::any_of(&lines));
    let what = if strangers.len() == 1 { "is out of place" } else { "are out of place" };
    found(what, help, home, &strangers)
}

/// How many places a report shows beside the first.
pub const SHOWN: usize = 7;

/// Names, the first of many.
pub fn few(names: &[&str]) -> String {
    let quoted = |names: &[&str]| words::listed(names.iter().copied());
    match names {
        [some @ .., last] if !some.is_empty() && names.len() <= SHOWN => format!("{} and `{last}`", quoted(some)),
        _ if names.len() <= SHOWN => quoted(names),
        _ => format!("{} and {} more", quoted(&names[..SHOWN]), names.len() - SHOWN),
    }
}

fn is_no_map(entry: &&Entry) -> bool {
    !matches!(entry.value.data, Data::Map(_) | Data::Null | Data::Poison)
}

/// The keys that maps of a schema have, in whichever form.
pub fn properties<'a>(root: &'a JsonValue, schema: &'a JsonValue) -> BTreeSet<&'a str> {
    let mut keys = BTreeSet::new();
    forms(root, schema, 0, &mut |form| keys.extend(words::keys(form)));
    keys
}

/// The keys of the entries of a table; none for other schemas.
pub fn entry_keys<'a>(root: &'a JsonValue, table: &'a JsonValue) -> BTreeSet<&'a str> {
    let mut keys = BTreeSet::new();
    forms(root, table, 0, &mut |form| keys.extend(properties(root, &form["additionalProperties"])));
    keys
}

/// All forms of a schema.
pub fn forms<'a>(root: &'a JsonValue, schema: &'a JsonValue, depth: usize, f: &mut dyn FnMut(&'a JsonValue)) {
    if depth > 4 {
        return;
    }
    f(schema);
    if let Some(target) = words::target(root, schema) {
        forms(root, target, depth + 1, f);
    }
    for choice in ["oneOf", "anyOf"] {
        for form in schema[choice].as_array().into_iter().flatten() {
            forms(root, form, depth + 1, f);
        }
    }
}

impl Block {
    /// Puts the keys where they are at home, if that is known, and takes them out of where they stand.
    pub fn correct(&self, tree: &mut Node) {
        let Data::Map(tables) = &mut tree.data else { return };
        let Some(at) = tables.iter().position(|t| *t.key == *self.table) else { return };
        let Data::Map(entries) = &mut tables[at].value.data else { return };
        let (lost, kept): (Vec<_>, Vec<_>) =
            std::mem::take(entries).into_iter().partition(|e| self.keys.contains(&e.key.to_string()));
        *entries = kept;
        let Some(first) = lost.first() else { return };
        match &self.home {
            Some(home) => {
                let (place, span, key_span) = (first.value.place, first.value.span, first.key_span);
                let value = Node { place, span, data: Data::Map(lost) };
                tables.retain(|table| *table.key != **home);
                tables.push(Entry { key: home.as_str().into(), key_span, value });
            }
            // Of an entry without a name, and of a table that may be one of several, nothing is known.
            None => tables[at].value.data = Data::Poison,
        }
    }
}
