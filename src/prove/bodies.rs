//! Emitted YAML, JSON, TOML, HCL and Compose that packs give as data, against the bodies of the `Ir`.

use super::bugs::Bugs;
use super::hcl;
use super::yaml::{self, Document};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{self, Ir, Term};
use crate::node::{Data, Node};
use crate::value::{Str, Tracked, Value};

/// Every file that a pack gives as data.
pub fn documents(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    for meant in &ir.documents {
        match texts.files.iter().find(|f| f.path == &**meant.path) {
            None => bugs.missing(&meant.path, "the file"),
            Some(file) => document(file, meant, bugs),
        }
    }
}

fn document(file: &Emitted, meant: &ir::Document, bugs: &mut Bugs) {
    if file.artifact.placement.name() != &**meant.placement {
        bugs.wrong(file.at(0), &format!("it is no {}", *meant.placement));
    }
    let found: Vec<Document> = match file.format {
        Some(Format::Json) => file.read(yaml::json, bugs).flatten().into_iter().collect(),
        Some(Format::Toml) => file.read(yaml::toml, bugs).flatten().into_iter().collect(),
        Some(Format::Hcl) => return hcl_file(file, meant, bugs),
        _ => file.read(yaml::documents, bugs).unwrap_or_default(),
    };
    if found.len() != meant.parts.len() {
        return bugs.wrong(file.at(0), &format!("{} documents are in it, not {}", found.len(), meant.parts.len()));
    }
    let compose = file.format == Some(Format::Compose);
    for (found, part) in found.iter().zip(meant.parts.iter()) {
        let mut path = String::new();
        if let Some(place) = difference(&found.root, &part.body, compose, &mut path) {
            let what = if path.is_empty() { "the whole".to_owned() } else { format!("`{path}`") };
            bugs.wrong(file.at(found.line(place)), &format!("{what} is not what was meant"));
        }
    }
}

/// The first node that does not hold what was meant, with the path to it.
fn difference<'n>(node: &'n Node, meant: &Value, compose: bool, path: &mut String) -> Option<&'n Node> {
    let length = path.len();
    match (&node.data, meant) {
        (Data::Map(entries), Value::Map(map)) if entries.len() == map.len() => {
            for entry in entries {
                let separator = if path.is_empty() { "" } else { "." };
                path.push_str(&format!("{separator}{}", entry.key));
                let key: Str = if compose { entry.key.replace("$$", "$").into() } else { entry.key.clone() };
                match map.get(&key) {
                    None => return Some(&entry.value),
                    Some(value) => {
                        if let Some(found) = difference(&entry.value, &value.value, compose, path) {
                            return Some(found);
                        }
                    }
                }
                path.truncate(length);
            }
            None
        }
        (Data::List(items), Value::List(list)) if items.len() == list.len() => {
            for (i, (item, value)) in items.iter().zip(list.iter()).enumerate() {
                path.push_str(&format!("[{i}]"));
                if let Some(found) = difference(item, &value.value, compose, path) {
                    return Some(found);
                }
                path.truncate(length);
            }
            None
        }
        (Data::Text(text), meant) if compose && text.contains('$') => {
            // A reader takes `$$` for a dollar, and a lone one for a variable.
            let plain = text.replace("$$", "\u{0}");
            let same = !plain.contains('$') && meant.text().is_some_and(|t| *t == *plain.replace('\u{0}', "$"));
            (!same).then_some(node)
        }
        _ => (!yaml::holds(node, meant)).then_some(node),
    }
}

/// HCL, in which the keys of a body say what is a block.
fn hcl_file(file: &Emitted, meant: &ir::Document, bugs: &mut Bugs) {
    let Some(found) = file.read(hcl::read, bugs) else { return };
    let [part] = meant.parts.as_slice() else {
        return bugs.wrong(file.at(0), "a file of HCL is one document");
    };
    if let Some((line, what)) = body_differs(&found.body, &part.body, 0) {
        bugs.wrong(file.at(line), &format!("{what} is not what was meant"));
    }
}

/// The first line of a body that says something else than what was meant.
fn body_differs(found: &hcl::Body, meant: &Value, line: usize) -> Option<(usize, String)> {
    let Value::Map(map) = meant else { return Some((line, "the body".to_owned())) };
    let mut arguments = found.arguments.iter();
    let mut blocks = found.blocks.iter();
    for (key, value) in map.iter() {
        let Some((kind, labels)) = ir::block_of(key) else {
            match arguments.next() {
                Some(a) if a.name == **key && same(&a.value, &value.value) => continue,
                Some(a) => return Some((a.line, format!("the argument `{}`", a.name))),
                None => return Some((line, format!("the lack of the argument `{key}`"))),
            }
        };
        let one = std::slice::from_ref(value);
        let bodies = if let Value::List(items) = &value.value { items.as_slice() } else { one };
        for body in bodies {
            match blocks.next() {
                Some(b) if b.kind == kind && b.labels == labels => {
                    if let Some(differs) = body_differs(&b.body, &body.value, b.line) {
                        return Some(differs);
                    }
                }
                Some(b) => return Some((b.line, format!("the block `{}`", b.kind))),
                None => return Some((line, format!("the lack of the block `{kind}`"))),
            }
        }
    }
    let more = arguments.next().map(|a| (a.line, format!("the argument `{}`", a.name)));
    more.or_else(|| blocks.next().map(|b| (b.line, format!("the block `{}`", b.kind))))
}

/// Whether an expression is the one that was meant.
fn same(found: &hcl::Expr, meant: &Value) -> bool {
    use hcl::Expr;
    match (found, Term::of(meant)) {
        (Expr::Reference(name), Term::Reference(meant)) => name == meant,
        (Expr::Null | Expr::Bool(_), Term::Reference(_)) => false,
        (Expr::Call(name, args), Term::Call(meant, values)) => {
            name == meant && args.len() == values.len() && args.iter().zip(values).all(|(a, v)| same(a, &v.value))
        }
        (Expr::List(items), Term::List(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(a, v)| same(a, &v.value))
        }
        (Expr::Map(entries), Term::Map(map)) => {
            entries.len() == map.len()
                && entries.iter().zip(map).all(|((key, a), (name, v))| *key == **name && same(a, &v.value))
        }
        (Expr::Join(_) | Expr::Text(_), Term::Join(parts)) => joined(found, parts),
        (Expr::Bool(a), Term::Scalar(Value::Bool(b))) => a == b,
        (Expr::Number(a), Term::Scalar(value @ (Value::Int(_) | Value::Ports(_)))) => {
            value.text().is_some_and(|text| *text == **a)
        }
        (Expr::Text(_), Term::Scalar(Value::Bool(_) | Value::Int(_))) => false,
        (Expr::Text(a), Term::Scalar(value)) => value.text().is_some_and(|text| *text == **a),
        _ => false,
    }
}

/// A string that is put together: texts that stand side by side are one.
fn joined(found: &hcl::Expr, meant: &[Tracked]) -> bool {
    let one = std::slice::from_ref(found);
    let found = if let hcl::Expr::Join(parts) = found { parts.as_slice() } else { one };
    let mut texts: Vec<Result<String, &Value>> = Vec::new();
    for part in meant {
        match (Term::of(&part.value), texts.last_mut()) {
            (Term::Scalar(value), Some(Ok(text))) => text.push_str(&value.text().unwrap_or_default()),
            (Term::Scalar(value), _) => texts.push(Ok(value.text().unwrap_or_default().to_string())),
            _ => texts.push(Err(&part.value)),
        }
    }
    texts.retain(|t| t.as_ref().map_or(true, |text| !text.is_empty()) || meant.len() == 1);
    found.len() == texts.len()
        && found.iter().zip(&texts).all(|(found, meant)| match (found, meant) {
            (hcl::Expr::Text(a), Ok(b)) => a == b,
            (found, Err(value)) => same(found, value),
            _ => false,
        })
}
