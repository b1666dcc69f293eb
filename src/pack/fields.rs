//! Reading the tables of a `pack.toml`: typed access to their keys, every mistake a finding at its place.

use super::expr::{Anchor, Expr, Text};
use super::manifest::{Field, FieldData, Head, Limit, Source};
use crate::diag::codes::{PACK_MISSING_KEY, PACK_SOURCE, PACK_UNKNOWN_CITE, PACK_UNKNOWN_KEY, PACK_WRONG_TYPE};
use crate::diag::{Diag, Findings, Level, similar_name};
use crate::node::{Data, Entry, Node};
use crate::source::{Sources, Span};
use crate::value::{Origins, Str, Tracked, Value};

/// What reading needs beside the table itself.
pub struct Reader<'a> {
    pub sources: &'a Sources,
    pub findings: &'a mut Findings,
    /// The citation ids of the pack.
    pub cites: Vec<Str>,
}

/// One table, with the keys that were asked for so far; [`Reader::finish`] reports the others.
pub struct Table<'n> {
    pub node: &'n Node,
    /// What it is, for messages: `component`, `requirement`.
    pub what: &'static str,
    known: Vec<&'static str>,
}

impl<'n> Table<'n> {
    pub fn new(node: &'n Node, what: &'static str) -> Self {
        Self { node, what, known: Vec::new() }
    }

    /// The value of a key, which counts as known from now on.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.node.get(key).filter(|n| !n.is_poison())
    }
}

impl Reader<'_> {
    pub fn wrong(&mut self, node: &Node, expected: &str) {
        self.findings.push(
            Diag::new(PACK_WRONG_TYPE, format!("expected {expected}")).at(node.span, format!("this is not {expected}")),
        );
    }

    fn missing(&mut self, table: &Table, key: &str) {
        self.findings.push(
            Diag::new(PACK_MISSING_KEY, format!("the {} lacks `{key}`", table.what))
                .at(table.node.span, format!("`{key}` is required here")),
        );
    }

    /// Reports every key of the table that nobody asked for.
    pub fn finish(&mut self, table: &Table) {
        for entry in table.node.entries() {
            if table.known.contains(&&*entry.key) {
                continue;
            }
            let mut diag = Diag::new(PACK_UNKNOWN_KEY, format!("a {} has no key `{}`", table.what, entry.key))
                .at(entry.key_span, "unknown key");
            diag = match similar_name(&entry.key, table.known.iter().copied()) {
                Some(name) => diag.help(format!("there is a key `{name}`")).replace(entry.key_span, name, true),
                None => diag.help(format!("known keys: {}", table.known.join(", "))),
            };
            self.findings.push(diag);
        }
    }

    /// The span of a string's characters: inside the quotes where the text stands there unchanged.
    fn inner(&self, node: &Node, text: &str) -> Span {
        let raw = self.sources.text(node.span);
        match raw.find(text) {
            Some(offset) if !text.is_empty() => node.span.within(offset, text.len()),
            _ => node.span,
        }
    }

    pub fn string(&mut self, table: &mut Table, key: &'static str) -> Option<Str> {
        let node = table.get(key)?;
        self.string_of(node)
    }

    pub fn string_of(&mut self, node: &Node) -> Option<Str> {
        match &node.data {
            Data::Text(text) => Some(text.clone()),
            _ => {
                self.wrong(node, "a string");
                None
            }
        }
    }

    pub fn required_string(&mut self, table: &mut Table, key: &'static str) -> Option<Str> {
        if table.node.get(key).is_none() {
            table.get(key);
            self.missing(table, key);
            return None;
        }
        self.string(table, key)
    }

    pub fn bool(&mut self, table: &mut Table, key: &'static str) -> Option<bool> {
        let node = table.get(key)?;
        match node.data {
            Data::Bool { value, .. } => Some(value),
            _ => {
                self.wrong(node, "`true` or `false`");
                None
            }
        }
    }

    pub fn level(&mut self, table: &mut Table, key: &'static str) -> Option<Level> {
        let node = table.get(key)?;
        match node.scalar_text().map(|t| &**t) {
            Some("error") => Some(Level::Error),
            Some("warning") => Some(Level::Warning),
            Some("note") => Some(Level::Note),
            _ => {
                self.wrong(node, "one of `error`, `warning`, `note`");
                None
            }
        }
    }

    /// A list of strings, or one string, with the place of each.
    pub fn strings(&mut self, table: &mut Table, key: &'static str) -> Vec<(Str, Span)> {
        let Some(node) = table.get(key) else { return Vec::new() };
        match &node.data {
            Data::Text(text) => vec![(text.clone(), self.inner(node, text))],
            Data::List(items) => {
                items.iter().filter_map(|i| self.string_of(i).map(|s| (s.clone(), self.inner(i, &s)))).collect()
            }
            _ => {
                self.wrong(node, "a string or a list of strings");
                Vec::new()
            }
        }
    }

    pub fn expr(&mut self, table: &mut Table, key: &'static str) -> Option<Expr> {
        let node = table.get(key)?;
        self.expr_of(node)
    }

    pub fn required_expr(&mut self, table: &mut Table, key: &'static str) -> Option<Expr> {
        if table.node.get(key).is_none() {
            table.get(key);
            self.missing(table, key);
            return None;
        }
        self.expr(table, key)
    }

    /// An expression; `true`, `false` and numbers stand for themselves.
    pub fn expr_of(&mut self, node: &Node) -> Option<Expr> {
        match node.scalar_text() {
            Some(text) => Expr::parse(text, Anchor::of(self.sources, node, text), self.findings),
            None => {
                self.wrong(node, "an expression");
                None
            }
        }
    }

    pub fn text(&mut self, table: &mut Table, key: &'static str) -> Option<Text> {
        let node = table.get(key)?;
        self.text_of(node)
    }

    pub fn required_text(&mut self, table: &mut Table, key: &'static str) -> Option<Text> {
        if table.node.get(key).is_none() {
            table.get(key);
            self.missing(table, key);
            return None;
        }
        self.text(table, key)
    }

    pub fn text_of(&mut self, node: &Node) -> Option<Text> {
        match node.scalar_text() {
            Some(text) => Text::parse(text, Anchor::of(self.sources, node, text), self.findings),
            None => {
                self.wrong(node, "a text");
                None
            }
        }
    }

    /// A list of texts, or one text.
    pub fn texts(&mut self, table: &mut Table, key: &'static str) -> Vec<Text> {
        let Some(node) = table.get(key) else { return Vec::new() };
        match &node.data {
            Data::List(items) => items.iter().filter_map(|i| self.text_of(i)).collect(),
            _ => self.text_of(node).into_iter().collect(),
        }
    }

    /// A field of an item: any TOML value, strings with interpolation.
    pub fn field_of(&mut self, node: &Node) -> Option<Field> {
        let data = match &node.data {
            Data::Text(text) => match text.contains("{{") {
                true => FieldData::Text(Text::parse(text, Anchor::of(self.sources, node, text), self.findings)?),
                false => FieldData::Literal(literal(node)?),
            },
            Data::List(items) => FieldData::List(items.iter().filter_map(|i| self.field_of(i)).collect()),
            Data::Map(entries) => FieldData::Map(
                entries.iter().filter_map(|e| Some((self.key_of(e)?, self.field_of(&e.value)?))).collect(),
            ),
            _ => FieldData::Literal(literal(node)?),
        };
        Some(Field { place: node.place, span: node.span, data })
    }

    /// A key of a map in a field, which may have values in it.
    fn key_of(&mut self, entry: &Entry) -> Option<Text> {
        let at = Anchor::new(self.sources, entry.key_span, entry.value.place, &entry.key);
        Text::parse(&entry.key, at, self.findings)
    }

    /// A limit: a literal, or `{ is = expr }`.
    pub fn limit_of(&mut self, node: &Node) -> Option<Limit> {
        match &node.data {
            Data::Map(_) => {
                let mut table = Table::new(node, "limit");
                let expr = self.required_expr(&mut table, "is");
                self.finish(&table);
                expr.map(Limit::Expr)
            }
            _ => match literal(node) {
                Some(value) => Some(Limit::Literal(value)),
                None => {
                    self.wrong(node, "a literal or `{ is = expression }`");
                    None
                }
            },
        }
    }

    /// `when`, `for_each` and exactly one of `cite` and `addition`.
    pub fn head(&mut self, table: &mut Table) -> Head {
        let when = self.expr(table, "when");
        let for_each = self.for_each(table);
        let source = self.source(table).unwrap_or(Source::Cite(Vec::new()));
        Head { place: table.node.place, span: table.node.span, source, when, for_each }
    }

    fn for_each(&mut self, table: &mut Table) -> Vec<(Str, Expr)> {
        let Some(node) = table.get("for_each") else { return Vec::new() };
        if !matches!(node.data, Data::Map(_)) {
            self.wrong(node, "a table of names and lists, `{ host = 'bind.workers' }`");
            return Vec::new();
        }
        node.entries().iter().filter_map(|e| self.expr_of(&e.value).map(|x| (e.key.clone(), x))).collect()
    }

    /// The citations of a key; a finding for each that is not declared.
    pub fn cited(&mut self, table: &mut Table, key: &'static str) -> Vec<Str> {
        let ids = self.strings(table, key);
        for (id, span) in &ids {
            if !self.cites.contains(id) {
                let mut diag = Diag::new(PACK_UNKNOWN_CITE, format!("no citation `{id}` is declared"))
                    .at(*span, "not in `[cites]`");
                if let Some(name) = similar_name(id, self.cites.iter().map(|c| &**c)) {
                    diag = diag.help(format!("there is a citation `{name}`")).replace(*span, name, true);
                }
                self.findings.push(diag);
            }
        }
        ids.into_iter().map(|(id, _)| id).collect()
    }

    /// The source of an item; a finding when it has none, both, or an unknown citation.
    pub fn source(&mut self, table: &mut Table) -> Option<Source> {
        let cite = table.get("cite");
        let addition = table.get("addition");
        match (cite, addition) {
            (Some(_), None) => Some(Source::Cite(self.cited(table, "cite"))),
            (None, Some(node)) => self.string_of(node).map(Source::Addition),
            (both, _) => {
                let words = if both.is_some() { "both `cite` and `addition`" } else { "neither `cite` nor `addition`" };
                self.findings.push(
                    Diag::new(PACK_SOURCE, format!("the {} has {words}", table.what))
                        .at(table.node.span, "exactly one of the two says where this comes from")
                        .help("add `cite = \"<id of [cites]>\"` or `addition = \"<reason>\"`"),
                );
                None
            }
        }
    }
}

/// A literal of a pack as a value; `None` for tables and null.
pub fn literal(node: &Node) -> Option<Tracked> {
    let value = match &node.data {
        Data::Bool { value, .. } => Value::Bool(*value),
        Data::Int { value, .. } => Value::Int(*value),
        Data::Float { raw, .. } => Value::Str(raw.clone()),
        Data::Text(text) => Value::Str(text.clone()),
        Data::List(items) => Value::list(items.iter().map(literal).collect::<Option<_>>()?),
        Data::Map(entries) => {
            Value::map(entries.iter().map(|e| Some((e.key.clone(), literal(&e.value)?))).collect::<Option<_>>()?)
        }
        Data::Null | Data::Poison => return None,
    };
    Some(Tracked { value, origins: Origins::from(node.place) })
}
