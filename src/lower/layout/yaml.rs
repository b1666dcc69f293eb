//! Values as YAML: maps and lists in blocks, scalars so that every reader takes them for the same.

use super::{Page, below, pad};
use crate::value::{Origins, Tracked, Value};

pub(super) fn write(page: &mut Page, body: &Tracked) {
    if !page.lines.is_empty() {
        page.line("---".to_owned(), &body.origins);
    }
    match &body.value {
        Value::Map(map) if !map.is_empty() => entries(page, body, 0),
        Value::List(items) if !items.is_empty() => list(page, body, 0),
        _ => entry(page, String::new(), body, 0),
    }
}

fn entries(page: &mut Page, body: &Tracked, depth: usize) {
    for (key, value) in body.entries() {
        let value = below(value, &body.origins);
        let mut lead = pad(depth);
        lead.push_str(&page.key(key, &value.origins));
        lead.push(':');
        entry(page, lead, &value, depth);
    }
}

/// A value behind its key or dash.
fn entry(page: &mut Page, lead: String, value: &Tracked, depth: usize) {
    let blank = if lead.is_empty() { "" } else { " " };
    match &value.value {
        Value::List(items) if items.is_empty() => page.line(format!("{lead}{blank}[]"), &value.origins),
        Value::Map(map) if map.is_empty() => page.line(format!("{lead}{blank}{{}}"), &value.origins),
        Value::List(_) => {
            page.line(lead, &value.origins);
            list(page, value, depth + 1);
        }
        Value::Map(_) => {
            page.line(lead, &value.origins);
            entries(page, value, depth + 1);
        }
        scalar => {
            let (text, mut line) = (page.scalar(scalar, &value.origins), lead);
            line.push_str(blank);
            line.push_str(&text);
            page.line(line, &value.origins);
        }
    }
}

fn list(page: &mut Page, whole: &Tracked, depth: usize) {
    for item in whole.items() {
        let item = below(item, &whole.origins);
        let first = page.lines.len();
        match &item.value {
            Value::Map(map) if !map.is_empty() => entries(page, &item, depth + 1),
            Value::List(items) if !items.is_empty() => list(page, &item, depth + 1),
            _ => {
                entry(page, format!("{}-", pad(depth)), &item, depth);
                continue;
            }
        }
        dash(page, first, depth, &item.origins);
    }
}

/// Puts the dash of an item before the first of its lines.
fn dash(page: &mut Page, first: usize, depth: usize, origins: &Origins) {
    if let Some(line) = page.lines.get(first).cloned() {
        let rest = line.text.get(2 * depth + 2..).unwrap_or_default();
        let text = format!("{}- {rest}", pad(depth));
        let origins = line.text.origins.union(origins);
        page.lines[first] = std::sync::Arc::new(crate::ir::TextLine { text: crate::ir::F::new(text.into(), origins) });
    }
}
