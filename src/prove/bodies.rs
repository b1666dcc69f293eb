//! Emitted YAML, JSON, TOML, HCL and Compose that packs give as data, against the bodies of the `Ir`.

use super::bugs::Bugs;
use super::yaml::{self, Document};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{self, Ir};
use crate::node::{Data, Node};
use crate::value::{Str, Value};

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
        Some(Format::Hcl) => return,
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
