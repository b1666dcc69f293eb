//! Values as HCL: keys that begin with `block ` are blocks, the others arguments; maps with `ref`, `call` or `join`
//! are expressions.

use super::{Page, below, pad};
use crate::ir::{Term, block_of, is_identifier, is_traversal};
use crate::value::{Origins, Tracked, Value};

pub(super) fn write(page: &mut Page, body: &Tracked) {
    match &body.value {
        Value::Map(_) => content(page, body, 0),
        other => page.refuse(format!("{} is no file of HCL", other.kind()), "give HCL a map", &body.origins),
    }
}

/// The arguments and blocks of a file or of a block.
fn content(page: &mut Page, body: &Tracked, depth: usize) {
    let columns = columns(body.entries().map(|(key, part)| match block_of(key) {
        Some(_) => None,
        None => Some((key.chars().count(), part)),
    }));
    for ((key, part), column) in body.entries().zip(columns) {
        let part = below(part, &body.origins.union(&column.origins));
        match block_of(key) {
            Some((kind, labels)) => match &part.value {
                Value::List(items) => {
                    for item in items.iter() {
                        block(page, kind, &labels, &below(item, &part.origins), depth);
                    }
                }
                _ => block(page, kind, &labels, &part, depth),
            },
            None => {
                name(page, key, &part.origins);
                expression(page, format!("{}{key:1$} = ", pad(depth), column.width), &part, depth, "");
            }
        }
    }
}

/// The column in which the names of a run of lines end, and what else it comes from.
#[derive(Clone, Default)]
struct Column {
    width: usize,
    origins: Origins,
}

/// For each entry the column of its `=`: arguments of one line each, one below the other, have theirs in one. `None`
/// stands for what is no argument.
fn columns<'t>(entries: impl Iterator<Item = Option<(usize, &'t Tracked)>>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut run: Vec<(usize, &Tracked)> = Vec::new();
    let end = |run: &mut Vec<(usize, &'t Tracked)>, columns: &mut Vec<Column>| {
        let width = run.iter().map(|(width, _)| *width).max().unwrap_or(0);
        let widest = || run.iter().filter(|(w, _)| *w == width).map(|(_, part)| &part.origins);
        let origins = if run.len() > 1 { Origins::all(widest()) } else { Origins::None };
        columns.extend(run.drain(..).map(|_| Column { width, origins: origins.clone() }));
    };
    for entry in entries {
        match entry {
            Some((width, part)) if is_short(part) => run.push((width, part)),
            _ => {
                end(&mut run, &mut columns);
                columns.push(Column::default());
            }
        }
    }
    end(&mut run, &mut columns);
    columns
}

/// Whether an expression is written on one line.
fn is_short(whole: &Tracked) -> bool {
    match Term::of(&whole.value) {
        Term::Call(_, [one]) => is_short(one),
        Term::List(items) => items.is_empty(),
        Term::Map(map) => map.is_empty(),
        _ => true,
    }
}

fn block(page: &mut Page, kind: &str, labels: &[&str], body: &Tracked, depth: usize) {
    if !matches!(body.value, Value::Map(_)) {
        let why = format!("the block `{kind}` is {}", body.value.kind());
        return page.refuse(why, "give a block a map, or a list of maps for as many blocks", &body.origins);
    }
    name(page, kind, &body.origins);
    if depth == 0 && !page.lines.is_empty() {
        page.line(String::new(), &body.origins);
    }
    let mut head = format!("{}{kind}", pad(depth));
    for label in labels {
        head.push(' ');
        head.push_str(&page.scalar(&Value::str(*label), &body.origins));
    }
    if body.entries().next().is_none() {
        return page.line(format!("{head} {{}}"), &body.origins);
    }
    page.line(format!("{head} {{"), &body.origins);
    content(page, body, depth + 1);
    page.line(format!("{}}}", pad(depth)), &body.origins);
}

/// An expression behind what leads to it, and what closes it.
fn expression(page: &mut Page, lead: String, whole: &Tracked, depth: usize, tail: &str) {
    match Term::of(&whole.value) {
        Term::Call(function, [one]) => {
            name(page, function, &whole.origins);
            let tail = format!("){tail}");
            expression(page, format!("{lead}{function}("), &below(one, &whole.origins), depth, &tail);
        }
        Term::List(items) if !items.is_empty() => {
            page.line(format!("{lead}["), &whole.origins);
            for item in items {
                expression(page, pad(depth + 1), &below(item, &whole.origins), depth + 1, ",");
            }
            page.line(format!("{}]{tail}", pad(depth)), &whole.origins);
        }
        Term::Map(map) if !map.is_empty() => {
            page.line(format!("{lead}{{"), &whole.origins);
            let keys: Vec<String> = map.iter().map(|(key, part)| map_key(page, key, &part.origins)).collect();
            let widths = keys.iter().map(|key| key.chars().count());
            let columns = columns(widths.zip(map.values()).map(Some));
            for ((key, part), column) in keys.iter().zip(map.values()).zip(columns) {
                let part = below(part, &whole.origins.union(&column.origins));
                expression(page, format!("{}{key:1$} = ", pad(depth + 1), column.width), &part, depth + 1, "");
            }
            page.line(format!("{}}}{tail}", pad(depth)), &whole.origins);
        }
        _ => {
            let text = inline(page, whole);
            page.line(format!("{lead}{text}{tail}"), &whole.origins);
        }
    }
}

/// An expression on one line.
fn inline(page: &mut Page, whole: &Tracked) -> String {
    match Term::of(&whole.value) {
        Term::Reference(text) => {
            if !is_traversal(text) {
                let why = format!("`{text}` is no reference of HCL");
                page.refuse(
                    why,
                    "write a name with its steps, `var.host`, `kubernetes_namespace.hub.id`",
                    &whole.origins,
                );
            }
            text.to_owned()
        }
        Term::Call(function, args) => {
            name(page, function, &whole.origins);
            let args: Vec<String> = args.iter().map(|arg| inline(page, &below(arg, &whole.origins))).collect();
            format!("{function}({})", args.join(", "))
        }
        Term::Join(parts) => joined(page, parts, &whole.origins),
        Term::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(page, &below(item, &whole.origins))).collect();
            format!("[{}]", items.join(", "))
        }
        Term::Map(map) if map.is_empty() => "{}".to_owned(),
        Term::Map(map) => {
            let mut pairs = Vec::with_capacity(map.len());
            for (key, part) in map {
                let part = below(part, &whole.origins);
                let (key, text) = (map_key(page, key, &part.origins), inline(page, &part));
                pairs.push(format!("{key} = {text}"));
            }
            format!("{{ {} }}", pairs.join(", "))
        }
        Term::Scalar(value) => page.scalar(value, &whole.origins),
    }
}

/// A string of texts and references.
fn joined(page: &mut Page, parts: &[Tracked], origins: &Origins) -> String {
    let mut out = String::from("\"");
    for part in parts {
        match Term::of(&part.value) {
            Term::Scalar(value) => {
                let text = value.text().unwrap_or_default();
                if text.ends_with(['$', '%']) {
                    let why = format!("`{text}` ends with a mark that makes a string of what follows");
                    page.refuse(why, "write `$` and `%` in the middle of a text", origins);
                }
                let text = page.scalar(&Value::Str(text), origins);
                out.push_str(text.get(1..text.len().saturating_sub(1)).unwrap_or_default());
            }
            Term::Reference(_) | Term::Call(..) => {
                let text = inline(page, &below(part, origins));
                out.push_str(&format!("${{{text}}}"));
            }
            _ => page.refuse("a part of a string is a list or a map".to_owned(), "join texts and references", origins),
        }
    }
    out.push('"');
    out
}

/// A name of a block, an argument or a function, which HCL takes without quotes alone.
fn name(page: &mut Page, text: &str, origins: &Origins) {
    if !is_identifier(text) {
        page.refuse(format!("`{text}` is no name in HCL"), "a name has letters, digits, `_` and `-`", origins);
    }
}

/// A key of a map: without quotes where it cannot be taken for anything else.
fn map_key(page: &mut Page, key: &str, origins: &Origins) -> String {
    match is_identifier(key) && !matches!(key, "for" | "if" | "in" | "true" | "false" | "null") {
        true => key.to_owned(),
        false => page.scalar(&Value::str(key), origins),
    }
}
