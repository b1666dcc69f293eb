//! The TOML reader: the parser's table in, nodes in the order of the text out; every syntax error is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::Tree;
use super::{DEPTH_LIMIT, VALUES_LIMIT, yaml};
use crate::diag::{Diag, codes};
use crate::node::{Data, Entry, Node};

const ERRORS_LIMIT: usize = 1000;

/// Reads a text. `None` when it has syntax errors or is nested too deep, which has been reported.
pub(super) fn read(text: &str, tree: &mut Tree) -> Option<Node> {
    // The parser makes its table at once; nearly every value has one of these beside it.
    if text.bytes().filter(|b| matches!(b, b'=' | b',')).count() > VALUES_LIMIT {
        tree.report(super::too_many_values().at(tree.span(0..0), ""));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let is_duplicate = |e: &toml::de::Error| e.message().starts_with("duplicate key");
    let keys = if errors.iter().any(is_duplicate) { keys(table.get_ref()) } else { BTreeMap::new() };
    let mut doubtful = BTreeSet::new();
    let failed = !errors.iter().all(is_duplicate);
    let mut lines = BTreeSet::new();
    let mut repeated_header = None;
    // Beyond these nothing would be reported anyway, and each costs a look for the beginning of its line.
    for error in errors.iter().take(ERRORS_LIMIT) {
        let range = place(text, error);
        if is_duplicate(error) {
            // What a repeated table repeats in turn is no news.
            if repeated_header.is_some_and(|h: usize| h < range.start && !text[h..range.start].contains("\n[")) {
                continue;
            }
            if text[line_start(text, range.start)..].starts_with('[') {
                repeated_header = Some(range.end);
            }
            let first = before(&keys, text[range.clone()].trim_matches(['"', '\'']), range.start)
                .or_else(|| same_header(text, &range));
            doubtful.extend(first.as_ref().map(|f| f.start));
            doubtful.insert(range.start);
            tree.report(duplicate(text, range, first, tree));
            continue;
        }
        // One slip makes several errors; the first of a line tells what happened.
        if lines.insert(line_start(text, range.start)) {
            tree.report(syntax_error(text, error, range, tree));
        }
    }
    if failed {
        return None;
    }
    let mut reader = Reader { text, tree, doubtful };
    let data = reader.table(table.get_ref(), 1)?;
    Some(reader.tree.node(extent(&data, tree_base(reader.tree), 0..0), data))
}

struct Reader<'t, 'a, 's> {
    text: &'t str,
    tree: &'a mut Tree<'s>,
    /// Where keys stand that are given again later; their values are poison.
    doubtful: BTreeSet<usize>,
}

impl Reader<'_, '_, '_> {
    fn table(&mut self, table: &DeTable, depth: usize) -> Option<Data> {
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            let (name, key_span) = (self.tree.key(key.get_ref()), self.tree.span(key.span()));
            let mut value = self.value(value, depth)?;
            if self.doubtful.contains(&key.span().start) {
                value.data = Data::Poison;
            }
            entries.push(Entry { key: name, key_span, value });
        }
        Some(Data::Map(entries))
    }

    fn value(&mut self, value: &Spanned<DeValue>, depth: usize) -> Option<Node> {
        let range = value.span();
        if depth >= DEPTH_LIMIT && matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_)) {
            self.tree.report(yaml::too_deep().at(self.tree.span(range), "one level too many"));
            return None;
        }
        let raw = |text: &str| -> Arc<str> { text.replace('_', "").into() };
        let written = self.text.get(range.clone()).unwrap_or_default();
        let data = match value.get_ref() {
            DeValue::String(text) => Data::Text(text.as_ref().into()),
            DeValue::Boolean(value) => Data::Bool { value: *value, raw: written.into() },
            DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
                Ok(value) => Data::Int { value, raw: raw(written) },
                Err(_) => self.unusable(written, &range),
            },
            DeValue::Float(n) => match n.as_str().parse::<f64>() {
                Ok(value) if value.is_finite() => Data::Float { value, raw: raw(written) },
                _ => self.unusable(written, &range),
            },
            DeValue::Datetime(_) => {
                self.tree.report(
                    Diag::new(codes::UNSUPPORTED_SYNTAX, format!("the date `{written}` is not supported"))
                        .at(self.tree.span(range.clone()), "a date or time")
                        .help("quote it")
                        .replace(self.tree.span(range.clone()), format!("\"{written}\""), true),
                );
                Data::Poison
            }
            DeValue::Array(array) => {
                let mut items = Vec::with_capacity(array.len());
                for item in array.iter() {
                    items.push(self.value(item, depth + 1)?);
                }
                Data::List(items)
            }
            DeValue::Table(table) => self.table(table, depth + 1)?,
        };
        // The parser gives tables and arrays of tables the span of their header; here they span what they hold.
        let headed = match value.get_ref() {
            DeValue::Table(_) => !written.starts_with('{'),
            DeValue::Array(array) => array.iter().next().is_some_and(|first| first.span() == range),
            _ => false,
        };
        let range = if headed { extent(&data, tree_base(self.tree), range) } else { range };
        Some(self.tree.node(range, data))
    }

    fn unusable(&mut self, written: &str, range: &Range<usize>) -> Data {
        self.tree.report(yaml::not_finite(written).at(self.tree.span(range.clone()), ""));
        Data::Poison
    }
}

fn tree_base(tree: &Tree) -> u32 {
    tree.span(0..0).start
}

/// From the first child to the last; `empty` for a table or array without children.
fn extent(data: &Data, base: u32, empty: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (u32::MAX, 0);
    match data {
        Data::Map(entries) => {
            for e in entries {
                // The keys of a header stand before the table's entries.
                start = start.min(e.key_span.start).min(e.value.span.start);
                end = end.max(e.key_span.end).max(e.value.span.end);
            }
        }
        Data::List(items) => {
            for n in items {
                (start, end) = (start.min(n.span.start), end.max(n.span.end));
            }
        }
        _ => {}
    }
    if start > end { empty } else { (start - base) as usize..(end - base) as usize }
}

/// The range of an error, on character boundaries within the text.
fn place(text: &str, error: &toml::de::Error) -> Range<usize> {
    let range = error.span().unwrap_or(text.len()..text.len());
    if text.get(range.clone()).is_some() { range } else { text.len()..text.len() }
}

fn duplicate(text: &str, range: Range<usize>, first: Option<Range<usize>>, tree: &Tree) -> Diag {
    let diag = Diag::new(codes::DUPLICATE_KEY, format!("the key `{}` is given twice", &text[range.clone()]))
        .at(tree.span(range), "given again here")
        .help("keep one of the two; several alike tables are written `[[name]]`");
    match first {
        Some(first) => diag.and(tree.span(first), "first given here"),
        None => diag,
    }
}

fn syntax_error(text: &str, error: &toml::de::Error, range: Range<usize>, tree: &Tree) -> Diag {
    let message = error.message();
    let span = tree.span(range.clone());
    if message.contains("recurs") {
        return yaml::too_deep().at(span, "one level too many");
    }
    if message.starts_with("string values must be quoted") && !range.is_empty() {
        return Diag::new(codes::SYNTAX, format!("`{}` is no value", &text[range]))
            .at(span, "text needs quotes")
            .help("quote text; words without quotes are `true` and `false`");
    }
    let message = match message {
        m if m.starts_with("string values must be quoted") => "a value is missing".to_owned(),
        m => plain(m),
    };
    Diag::new(codes::SYNTAX, message).at(span, "").help("check the quotes, brackets and commas before this place")
}

/// The parser's message in this program's manner.
fn plain(message: &str) -> String {
    let (what, _) = message.split_once(", expected ").unwrap_or((message, ""));
    let mut text = what.replace('\n', " ");
    if let Some(first) = text.get(..1).map(str::to_lowercase) {
        text.replace_range(..1, &first);
    }
    text
}

/// Every key of the text by its name, in the order of the text.
fn keys<'t>(table: &'t DeTable<'_>) -> BTreeMap<&'t str, Vec<Range<usize>>> {
    let mut keys: BTreeMap<&str, Vec<Range<usize>>> = BTreeMap::new();
    let mut rest = vec![table];
    while let Some(table) = rest.pop() {
        for (key, value) in table.iter() {
            keys.entry(key.get_ref()).or_default().push(key.span());
            match value.get_ref() {
                DeValue::Table(t) => rest.push(t),
                DeValue::Array(a) => rest.extend(a.iter().filter_map(|v| v.get_ref().as_table())),
                _ => {}
            }
        }
    }
    for ranges in keys.values_mut() {
        ranges.sort_by_key(|r| r.start);
    }
    keys
}

/// The nearest key of a name before an offset: the likeliest partner of a repetition.
fn before(keys: &BTreeMap<&str, Vec<Range<usize>>>, name: &str, offset: usize) -> Option<Range<usize>> {
    let ranges = keys.get(name)?;
    let index = ranges.partition_point(|r| r.start < offset);
    ranges.get(index.checked_sub(1)?).cloned()
}

/// The last key of an earlier header that is written like the one that holds `range`; the parser's table has only the
/// later of two.
fn same_header(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let start = line_start(text, range.start);
    let header = text.get(start..range.end).filter(|h| h.starts_with('['))?;
    let at = text[..start].rmatch_indices(header).map(|(i, _)| i).find(|i| line_start(text, *i) == *i)?;
    Some(at + (range.start - start)..at + (range.end - start))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}
