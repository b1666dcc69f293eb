//! A parsed text as a tree in which every key and every value knows its place.

use std::sync::Arc;

use crate::source::{PlaceId, Span};

/// One value of a parsed file. YAML, TOML and JSON all become this.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: PlaceId,
    /// From the first character of the value to its last; a map's span covers its entries.
    pub span: Span,
    pub data: Data,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Data {
    /// `null`, `~` or nothing: unanswered.
    Null,
    /// A plain scalar that resolved to a boolean or number; `raw` is its text as written.
    Bool {
        value: bool,
        raw: Arc<str>,
    },
    Int {
        value: i64,
        raw: Arc<str>,
    },
    Float {
        value: f64,
        raw: Arc<str>,
    },
    Text(Arc<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A finding has been reported here; nothing more is to be said about it.
    Poison,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// The entries of a map; empty for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| &*e.key == key)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The text of a scalar exactly as it was written (`1.30` stays `1.30`); `None` for null, lists and maps.
    pub fn scalar_text(&self) -> Option<&Arc<str>> {
        match &self.data {
            Data::Bool { raw, .. } | Data::Int { raw, .. } | Data::Float { raw, .. } => Some(raw),
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    pub fn is_poison(&self) -> bool {
        matches!(self.data, Data::Poison)
    }

    /// The node at a JSON Pointer below this one.
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = match &node.data {
                Data::Map(_) => node.get(&step)?,
                Data::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// The same node, to be changed.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Node> {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = match &mut node.data {
                Data::Map(entries) => &mut entries.iter_mut().find(|e| *e.key == *step)?.value,
                Data::List(items) => items.get_mut(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Calls `f` with the JSON Pointer of this node and every node below it, parents first, in the order of the text.
    pub fn walk<'a>(&'a self, pointer: &mut String, f: &mut impl FnMut(&str, &'a Node)) {
        f(pointer, self);
        let length = pointer.len();
        match &self.data {
            Data::Map(entries) => {
                for e in entries {
                    push_step(pointer, &e.key);
                    e.value.walk(pointer, f);
                    pointer.truncate(length);
                }
            }
            Data::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    push_step(pointer, &i.to_string());
                    item.walk(pointer, f);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// Appends one escaped step to a JSON Pointer.
pub fn push_step(pointer: &mut String, step: &str) {
    pointer.push('/');
    for c in step.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
