//! Values as TOML: what stands by itself first, then tables and arrays of tables; maps within lists on one line.

use super::{Page, below, pad};
use crate::value::{Tracked, Value};

const HELP: &str = "give TOML a map";

pub(super) fn write(page: &mut Page, body: &Tracked) {
    match &body.value {
        Value::Map(_) => table(page, body, ""),
        other => page.refuse(format!("{} is no file of TOML", other.kind()), HELP, &body.origins),
    }
}

/// The entries of a table whose name stands above, then the tables in it.
fn table(page: &mut Page, body: &Tracked, path: &str) {
    let parts: Vec<_> = body.entries().map(|(key, part)| (key.clone(), below(part, &body.origins))).collect();
    for (key, part) in parts.iter().filter(|(_, part)| !is_table(&part.value) && !is_tables(&part.value)) {
        let key = name(page, key, part);
        entry(page, format!("{key} = "), part);
    }
    for (key, part) in parts.iter().filter(|(_, part)| is_table(&part.value)) {
        let inner = step(page, path, key, part);
        // A table of tables alone needs no line of its own.
        if part.entries().next().is_none() || part.entries().any(|(_, v)| !is_table(&v.value) && !is_tables(&v.value)) {
            head(page, format!("[{inner}]"), part);
        }
        table(page, part, &inner);
    }
    for (key, part) in parts.iter().filter(|(_, part)| is_tables(&part.value)) {
        let inner = step(page, path, key, part);
        for item in part.items() {
            let item = below(item, &part.origins);
            head(page, format!("[[{inner}]]"), &item);
            table(page, &item, &inner);
        }
    }
}

fn head(page: &mut Page, text: String, of: &Tracked) {
    if !page.lines.is_empty() {
        page.line(String::new(), &of.origins);
    }
    page.line(text, &of.origins);
}

fn entry(page: &mut Page, lead: String, part: &Tracked) {
    match &part.value {
        Value::List(items) if !items.is_empty() => {
            page.line(format!("{lead}["), &part.origins);
            for item in items.iter() {
                let item = below(item, &part.origins);
                let text = inline(page, &item);
                page.line(format!("{}{text},", pad(1)), &item.origins);
            }
            page.line("]".to_owned(), &part.origins);
        }
        _ => {
            let text = inline(page, part);
            page.line(format!("{lead}{text}"), &part.origins);
        }
    }
}

/// A value on one line.
fn inline(page: &mut Page, whole: &Tracked) -> String {
    match &whole.value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(page, &below(item, &whole.origins))).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::Map(map) => {
            let mut pairs = Vec::with_capacity(map.len());
            for (key, part) in map.iter() {
                let part = below(part, &whole.origins);
                let (key, text) = (name(page, key, &part), inline(page, &part));
                pairs.push(format!("{key} = {text}"));
            }
            format!("{{ {} }}", pairs.join(", "))
        }
        scalar => page.scalar(scalar, &whole.origins),
    }
}

fn is_table(value: &Value) -> bool {
    matches!(value, Value::Map(_))
}

fn is_tables(value: &Value) -> bool {
    matches!(value, Value::List(items) if !items.is_empty() && items.iter().all(|item| is_table(&item.value)))
}

fn step(page: &mut Page, path: &str, key: &str, part: &Tracked) -> String {
    let key = name(page, key, part);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// A key, bare where TOML takes it so.
fn name(page: &mut Page, key: &str, part: &Tracked) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { page.key(key, &part.origins) }
}
