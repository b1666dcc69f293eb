//! Tree and schema in, keys that are indented too far or too little out: in block style that is all that decides where a
//! key belongs, and one blank too many takes a whole table somewhere else.

use serde_json::Value as JsonValue;

use super::blocks::{SHOWN, entry_keys, few, properties};
use crate::diag::{Diag, codes, similar_name};
use crate::node::{Data, Entry, Node, push_step};
use crate::overlay::put;
use crate::source::Sources;

/// A key that stands one level off.
#[derive(Debug)]
pub struct Indent {
    pub diag: Diag,
    /// The map that it stands in.
    map: String,
    keys: Vec<String>,
    way: Way,
}

/// Where a key belongs.
#[derive(Debug)]
enum Way {
    /// Into the map around its own; what follows it there comes along below it.
    Out,
    /// Into the value of the key before it.
    Into(String),
}

/// A map on the way through the tree, with the forms that its schema gives it.
struct Level<'a> {
    node: &'a Node,
    pointer: String,
    forms: Vec<&'a JsonValue>,
    /// What it is called.
    title: &'a str,
}

/// The keys of a tree that are one level off, each once.
pub fn misindented(root: &Node, schema: &JsonValue, sources: &Sources) -> Vec<Indent> {
    let level = Level { node: root, pointer: String::new(), forms: vec![schema], title: "the spec" };
    let mut walk = Walk { schema, sources, found: Vec::new() };
    walk.map(&level, None);
    walk.found
}

struct Walk<'w> {
    schema: &'w JsonValue,
    sources: &'w Sources,
    found: Vec<Indent>,
}

impl<'w> Walk<'w> {
    fn map(&mut self, level: &Level<'w>, around: Option<&Level<'w>>) {
        let entries = level.node.entries();
        let strange: Vec<bool> = entries.iter().map(|entry| self.is_strange(level, around, entry)).collect();
        let mut moved = vec![false; entries.len()];
        let mut before: Option<&Entry> = None;
        for (index, entry) in entries.iter().enumerate() {
            if moved[index] {
                continue;
            }
            if !strange[index] {
                self.below(level, entry);
                before = Some(entry);
                continue;
            }
            let known: Vec<&str> = level.forms.iter().flat_map(|form| properties(self.schema, form)).collect();
            let typo = similar_name(&entry.key, known).is_some();
            let rest = index + 1..entries.len();
            if let Some(before) = before.filter(|before| self.takes_in(level, before, entry, typo)) {
                // What follows it is off by the same blanks.
                let along = |at: &usize| strange[*at] && self.takes_in(level, before, &entries[*at], typo);
                let with: Vec<usize> = rest.take_while(along).collect();
                let help = match with.is_empty() {
                    true => format!("indent it below `{}`, as what belongs to it", before.key),
                    false => format!("indent them below `{}`, as what belongs to it", before.key),
                };
                with.iter().for_each(|at| moved[*at] = true);
                self.report(level, index, &with, "too little", help, Way::Into(before.key.to_string()));
            } else if let Some(around) = around.filter(|around| self.takes_out(level, around, entry, typo)) {
                // A key without a value whose own keys stand beside it, or the entries of its table.
                let forms = self.forms_of(around, &entry.key);
                let theirs: Vec<_> = forms.iter().flat_map(|form| entry_keys(self.schema, form)).collect();
                let own: Vec<_> = level.forms.iter().flat_map(|form| entry_keys(self.schema, form)).collect();
                let fit = |value: &Node| fits(value, &theirs) && !fits(value, &own);
                let along = |at: &usize| strange[*at] || fit(&entries[*at].value);
                let with: Vec<usize> = rest.filter(|at| entry.value.is_null() && along(at)).collect();
                // An entry may well be called like a table and be left open.
                if entry.value.is_null() && with.is_empty() && !own.is_empty() {
                    continue;
                }
                let help = format!("let it begin where `{}` begins", level.title);
                with.iter().for_each(|at| moved[*at] = true);
                self.report(level, index, &with, "too far", help, Way::Out);
            }
        }
    }

    /// Goes on below an entry that is where it belongs.
    fn below(&mut self, level: &Level<'w>, entry: &'w Entry) {
        if matches!(entry.value.data, Data::Map(_)) {
            let mut pointer = level.pointer.clone();
            push_step(&mut pointer, &entry.key);
            let inner =
                Level { node: &entry.value, pointer, forms: self.forms_of(level, &entry.key), title: &entry.key };
            self.map(&inner, Some(level));
        }
    }

    /// The schemas of the value under a key.
    fn forms_of(&self, level: &Level<'w>, key: &str) -> Vec<&'w JsonValue> {
        let mut own = Vec::new();
        for form in &level.forms {
            super::blocks::forms(self.schema, form, 0, &mut |form| {
                let of_key = form["properties"].get(key).or_else(|| form.get("additionalProperties"));
                own.extend(of_key.filter(|schema| schema.is_object()));
            });
        }
        own
    }

    /// Whether an entry is nothing that its map takes.
    fn is_strange(&self, level: &Level<'w>, around: Option<&Level<'w>>, entry: &Entry) -> bool {
        let has = |level: &Level| level.forms.iter().any(|form| properties(self.schema, form).contains(&*entry.key));
        if has(level) || entry.value.is_poison() {
            return false;
        }
        let of_entry: Vec<_> = level.forms.iter().flat_map(|form| entry_keys(self.schema, form)).collect();
        if of_entry.is_empty() {
            // A map of free keys takes everything.
            return !self.is_free(level);
        }
        let of_around = around.is_some_and(|around| {
            let lacks = has(around) && around.node.get(&entry.key).is_none();
            lacks && self.is_of(&self.forms_of(around, &entry.key), &entry.value)
        });
        let odd = entry.value.is_null() || !fits(&entry.value, &of_entry);
        odd && (of_around || of_entry.contains(&&*entry.key) || !matches!(entry.value.data, Data::Map(_) | Data::Null))
    }

    /// Whether a value has the keys of these forms, or entries that have those of theirs.
    fn is_of(&self, forms: &[&JsonValue], value: &Node) -> bool {
        let own: Vec<_> = forms.iter().flat_map(|form| properties(self.schema, form)).collect();
        let of_entry: Vec<_> = forms.iter().flat_map(|form| entry_keys(self.schema, form)).collect();
        let all = |of: &dyn Fn(&Entry) -> bool| value.entries().iter().all(of);
        match of_entry.is_empty() {
            true => all(&|entry| own.contains(&&*entry.key)),
            false => all(&|entry| entry.value.is_null() || fits(&entry.value, &of_entry)),
        }
    }

    fn is_free(&self, level: &Level<'_>) -> bool {
        let mut closed = false;
        for form in &level.forms {
            super::blocks::forms(self.schema, form, 0, &mut |form| {
                closed |= form["additionalProperties"] == JsonValue::Bool(false)
                    || form["unevaluatedProperties"] == JsonValue::Bool(false);
            });
        }
        !closed
    }

    /// Whether a key belongs into the value of the one before it.
    fn takes_in(&self, level: &Level<'w>, before: &Entry, entry: &Entry, typo: bool) -> bool {
        let is_block = before.value.is_null() || self.is_block(&before.value);
        let stands = |map: &Node| map.entry(&entry.key).is_some_and(|e| e.key_span.file == entry.key_span.file);
        if !is_block || stands(&before.value) || !self.is_after(before, entry) {
            return false;
        }
        let forms = self.forms_of(level, &before.key);
        self.takes(&forms, entry, typo)
    }

    /// Whether a key belongs into the map around its own.
    fn takes_out(&self, level: &Level<'_>, around: &Level<'_>, entry: &Entry, typo: bool) -> bool {
        if !self.is_block(level.node) || around.node.get(&entry.key).is_some() {
            return false;
        }
        // The keys of an entry that got into the one before it are given twice there.
        let doubled = || level.node.entries().iter().any(|e| e.value.is_poison());
        let entry_of = || around.forms.iter().any(|form| !entry_keys(self.schema, form).is_empty());
        self.takes(&around.forms, entry, typo) || (entry.value.is_null() && !typo && entry_of() && doubled())
    }

    /// Whether maps of these forms have such a key, or such an entry.
    fn takes(&self, forms: &[&JsonValue], entry: &Entry, typo: bool) -> bool {
        if forms.iter().any(|form| properties(self.schema, form).contains(&*entry.key)) {
            return true;
        }
        let of_entry: Vec<_> = forms.iter().flat_map(|form| entry_keys(self.schema, form)).collect();
        !typo && !of_entry.contains(&&*entry.key) && fits(&entry.value, &of_entry)
    }

    /// Whether a map is written in block style: only there does it matter how far something is indented.
    fn is_block(&self, map: &Node) -> bool {
        let name = &*self.sources.file(map.span.file).name;
        let is_yaml = !name.ends_with(".json") && !name.ends_with(".toml");
        is_yaml && matches!(map.data, Data::Map(_)) && !self.sources.text(map.span).starts_with('{')
    }

    /// Whether a key is the next in the text of the same file.
    fn is_after(&self, before: &Entry, entry: &Entry) -> bool {
        before.key_span.file == entry.key_span.file && before.key_span.end < entry.key_span.start
    }

    fn report(&mut self, level: &Level<'_>, at: usize, with: &[usize], how: &str, help: String, way: Way) {
        let entries = level.node.entries();
        let first = &entries[at];
        let place = match level.pointer.is_empty() {
            true => level.title.to_owned(),
            false => format!("`{}`", level.title),
        };
        // Where a key takes its own along, it is its line that is wrong; else it is all of theirs.
        let wrong: Vec<&Entry> = match way {
            Way::Out => vec![first],
            Way::Into(_) => std::iter::once(&at).chain(with).map(|at| &entries[*at]).collect(),
        };
        let names: Vec<&str> = wrong.iter().map(|entry| &*entry.key).collect();
        let (are, have) = if names.len() > 1 { ("are", "they have") } else { ("is", "it has") };
        let message = format!("{} {are} indented {how}: {have} no place in {place}", few(&names));
        let diag = Diag::new(codes::UNKNOWN_KEY, message).at(first.key_span, "");
        let others = wrong.iter().skip(1).take(SHOWN);
        let diag = others.fold(diag, |diag, entry| diag.and(entry.key_span, "this as well")).help(help);
        let keys = std::iter::once(&at).chain(with).map(|at| entries[*at].key.to_string()).collect();
        self.found.push(Indent { diag, map: level.pointer.clone(), keys, way });
    }
}

/// Whether a map has keys, and only such.
fn fits(value: &Node, keys: &[&str]) -> bool {
    let entries = value.entries();
    !entries.is_empty() && entries.iter().all(|entry| keys.contains(&&*entry.key))
}

impl Indent {
    /// Puts the keys where they belong.
    pub fn correct(&self, tree: &mut Node) {
        let Some(Node { data: Data::Map(entries), .. }) = tree.pointer_mut(&self.map) else { return };
        let doubled = entries.iter().any(|e| e.value.is_poison());
        let mut moved: Vec<Entry> = Vec::new();
        for key in &self.keys {
            if let Some(at) = entries.iter().position(|e| *e.key == **key) {
                moved.push(entries.remove(at));
            }
        }
        let mut moved = moved.into_iter();
        let Some(mut first) = moved.next() else { return };
        match &self.way {
            Way::Into(before) => {
                let Some(before) = entries.iter_mut().find(|e| *e.key == **before) else { return };
                let all = std::iter::once(first).chain(moved);
                match &mut before.value.data {
                    Data::Map(entries) => all.for_each(|entry| put(entries, entry)),
                    data => *data = Data::Map(all.collect()),
                }
            }
            Way::Out => {
                let along: Vec<Entry> = moved.collect();
                first.value.data = match first.value.data {
                    // Keys that both maps have went into one of them.
                    Data::Null if doubled => Data::Poison,
                    Data::Null if !along.is_empty() => Data::Map(along),
                    data => data,
                };
                let around = self.map.rsplit_once('/').map_or("", |(around, _)| around);
                if let Some(Node { data: Data::Map(entries), .. }) = tree.pointer_mut(around) {
                    put(entries, first);
                }
            }
        }
    }
}
