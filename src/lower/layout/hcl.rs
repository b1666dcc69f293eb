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
    for (key, part) in body.entries() {
        let part = below(part, &body.origins);
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
                expression(page, format!("{}{key} = ", pad(depth)), &part, depth, "");
            }
        }
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
            for (key, part) in map {
                let part = below(part, &whole.origins);
                let key = map_key(page, key, &part.origins);
                expression(page, format!("{}{key} = ", pad(depth + 1)), &part, depth + 1, "");
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
