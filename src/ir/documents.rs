//! Structured files that packs give as data: what is in them, and how they are laid out.

use std::sync::Arc;

use super::field::item;
use crate::value::{Map, Str, Tracked, Value};

item! {
    /// A file of YAML, JSON, TOML, HCL or Compose. Identity: path.
    pub struct Document {
        /// Below the folder of the site.
        path: Str,
        product: Str,
        /// The format's name as artifacts have it.
        format: Str,
        /// What the first line says; `None` for a format without comments.
        title: Option<Str>,
        /// `carry`, `file`, `drop-in` or `block`.
        placement: Str,
        host: Option<Str>,
        target: Option<Str>,
        owner: Option<Str>,
        mode: Option<Str>,
        apply: Option<Str>,
        check: Option<Str>,
        /// The documents of the file, in their order; one where the format knows no more.
        parts: Vec<Arc<DocumentPart>>,
        /// All of them, line by line.
        lines: Vec<Arc<TextLine>>,
    }
}

item! {
    /// One document of a file. Identity: the file's path, name.
    pub struct DocumentPart {
        /// Empty for the first one.
        name: Str,
        body: Value,
    }
}

item! {
    /// One line of a file, written by the rules of its format.
    pub struct TextLine {
        text: Str,
    }
}

/// What a value of a body stands for in HCL, which knows more than maps, lists and scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term<'v> {
    /// `{ ref = "var.host" }`: something that another block declares.
    Reference(&'v str),
    /// `{ call = "file", args = ["values.yaml"] }`.
    Call(&'v str, &'v [Tracked]),
    /// `{ join = ["https://", { ref = "var.host" }] }`: a string put together of texts and references.
    Join(&'v [Tracked]),
    List(&'v [Tracked]),
    Map(&'v Map),
    Scalar(&'v Value),
}

impl<'v> Term<'v> {
    pub fn of(value: &'v Value) -> Self {
        let map = match value {
            Value::List(items) => return Term::List(items),
            Value::Map(map) => map,
            scalar => return Term::Scalar(scalar),
        };
        let text = |key: &str| match map.get(key).map(|t| &t.value) {
            Some(Value::Str(text)) => Some(&**text),
            _ => None,
        };
        let list = |key: &str| match map.get(key).map(|t| &t.value) {
            Some(Value::List(items)) => Some(items.as_slice()),
            _ => None,
        };
        match (map.len(), text("ref"), text("call"), list("args"), list("join")) {
            (1, Some(name), ..) => Term::Reference(name),
            (1, _, Some(name), ..) => Term::Call(name, &[]),
            (2, _, Some(name), Some(args), _) => Term::Call(name, args),
            (1, .., Some(parts)) => Term::Join(parts),
            _ => Term::Map(map),
        }
    }
}

/// The type and the labels of a block of HCL: a key `block resource kubernetes_namespace hub`.
pub fn block_of(key: &str) -> Option<(&str, Vec<&str>)> {
    let mut words = key.strip_prefix("block ")?.split(' ').filter(|word| !word.is_empty());
    Some((words.next()?, words.collect()))
}

/// Whether a text is a name with its steps, as HCL reads it: `module.net.ids[0]`, `local.ports["http"]`, `a.b[*].c`.
pub fn is_traversal(text: &str) -> bool {
    let name_end = |t: &str| t.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(t.len());
    let mut rest = text;
    if !is_identifier(&rest[..name_end(rest)]) {
        return false;
    }
    rest = &rest[name_end(rest)..];
    while !rest.is_empty() {
        if let Some(step) = rest.strip_prefix('.') {
            let end = name_end(step);
            if !is_identifier(&step[..end]) && (end == 0 || !step[..end].bytes().all(|b| b.is_ascii_digit())) {
                return false;
            }
            rest = &step[end..];
        } else if let Some((index, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            let quoted = index.strip_prefix('"').and_then(|i| i.strip_suffix('"'));
            let number = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
            let plain = |t: &str| t.chars().all(|c| !c.is_control() && !matches!(c, '"' | '\\' | '$' | '%'));
            if !(index == "*" || number || quoted.is_some_and(plain)) {
                return false;
            }
            rest = after;
        } else {
            return false;
        }
    }
    true
}

/// Whether a text is a name that HCL takes without quotes.
pub fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_steps() {
        for good in ["var.host", "a_b.c-d.e[0].f", "local.m[\"x y\"]", "x[*].id", "each.value"] {
            assert!(is_traversal(good), "{good}");
        }
        for bad in ["", "1a", "var.", "var.host }", "a[", "a[b]", "a[\"${x}\"]", "f(x)", "a b"] {
            assert!(!is_traversal(bad), "{bad}");
        }
    }

    #[test]
    fn keys_of_blocks() {
        assert_eq!(block_of("block resource a b"), Some(("resource", vec!["a", "b"])));
        assert_eq!(block_of("block metadata"), Some(("metadata", vec![])));
        assert_eq!(block_of("block"), None);
        assert_eq!(block_of("blocks x"), None);
    }
}
