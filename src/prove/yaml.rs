//! Text of a YAML, TOML or JSON file → its documents as trees whose values know their lines.
//!
//! The parser of specs does the reading; here everything that it remarks on is a fault, also a scalar that readers of
//! YAML 1.1 and 1.2 take for different values.

use super::fault::{Fault, Read};
use crate::diag::Findings;
use crate::diag::codes;
use crate::node::{Data, Node};
use crate::parse;
use crate::source::{Role, Sources};
use crate::value::Value;

/// One document of a file.
#[derive(Debug)]
pub struct Document {
    pub root: Node,
    sources: Sources,
    /// How many lines of the file precede the document.
    skipped: usize,
}

impl Document {
    /// The line on which a node begins, counted in the whole file.
    pub fn line(&self, node: &Node) -> usize {
        self.skipped + self.sources.line_col(node.span).0
    }
}

/// Reads YAML with any number of documents; those without a value are left out.
pub fn documents(text: &str) -> Read<Vec<Document>> {
    split(text, true)
}

fn split(text: &str, strict: bool) -> Read<Vec<Document>> {
    let mut list = Vec::new();
    let (mut begin, mut skipped, mut lines) = (0, 0, 0);
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        lines += 1;
        let end = offset + line.len();
        if line.starts_with('\t') {
            return Err(Fault::new(lines, "a tab as indentation"));
        }
        if line.trim_end() == "---" || line.starts_with("--- #") {
            list.extend(document("x.yaml", &text[begin..offset], skipped, strict)?);
            (begin, skipped) = (end, lines);
        } else if line.starts_with("---") || line.trim_end() == "..." {
            return Err(Fault::new(lines, "a document that does not begin with a line `---`"));
        }
        offset = end;
    }
    list.extend(document("x.yaml", &text[begin..], skipped, strict)?);
    Ok(list)
}

/// Reads YAML with one document at most.
pub fn one(text: &str) -> Read<Option<Document>> {
    let mut list = documents(text)?;
    match list.len() {
        0 | 1 => Ok(list.pop()),
        _ => Err(Fault::new(list[1].line(&list[1].root), "a second document")),
    }
}

/// Reads YAML that a pack writes by itself: with the tags and merge keys that specs do not have, whose values are
/// poison here.
pub fn any_documents(text: &str) -> Read<Vec<Document>> {
    split(text, false)
}

/// Reads JSON.
pub fn json(text: &str) -> Read<Option<Document>> {
    document("x.json", text, 0, true)
}

/// Reads TOML.
pub fn toml(text: &str) -> Read<Option<Document>> {
    document("x.toml", text, 0, false)
}

fn document(name: &str, text: &str, skipped: usize, strict: bool) -> Read<Option<Document>> {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let file = sources.add(name, text, Role::Spec);
    let root = parse::parse(&mut sources, file, &mut findings);
    // A file of comments only says nothing, which is not wrong here.
    findings
        .retain(|d| d.code != codes::EMPTY.row().code && (strict || d.code != codes::UNSUPPORTED_SYNTAX.row().code));
    if let Some(diag) = findings.iter().next() {
        let line = diag.primary.as_ref().map_or(0, |label| skipped + sources.line_col(label.span).0);
        return Err(Fault::new(line, diag.message.clone()));
    }
    Ok(root.map(|root| Document { root, sources, skipped }))
}

/// A map of a document with the keys that its reader understands.
pub struct Fields<'d> {
    document: &'d Document,
    node: &'d Node,
}

impl<'d> Fields<'d> {
    /// Takes a map; any key beside `known` is a fault.
    pub fn of(document: &'d Document, node: &'d Node, known: &[&str]) -> Read<Self> {
        let fields = Self::open(document, node)?;
        match node.entries().iter().find(|e| !known.contains(&&*e.key)) {
            Some(e) => Err(fields.fault(&e.value, format!("the key `{}` is not understood", e.key))),
            None => Ok(fields),
        }
    }

    /// Takes a map with any keys.
    pub fn open(document: &'d Document, node: &'d Node) -> Read<Self> {
        match node.data {
            Data::Map(_) => Ok(Self { document, node }),
            _ => Err(Fault::new(document.line(node), "something else than a map")),
        }
    }

    pub fn line(&self) -> usize {
        self.document.line(self.node)
    }

    pub fn get(&self, key: &str) -> Option<&'d Node> {
        self.node.get(key)
    }

    pub fn need(&self, key: &str) -> Read<&'d Node> {
        self.get(key).ok_or_else(|| Fault::new(self.line(), format!("the key `{key}` is missing")))
    }

    /// A string; a number or boolean in its place is a fault.
    pub fn text(&self, key: &str) -> Read<String> {
        self.maybe_text(key)?.ok_or_else(|| Fault::new(self.line(), format!("the key `{key}` is missing")))
    }

    pub fn maybe_text(&self, key: &str) -> Read<Option<String>> {
        match self.get(key) {
            None => Ok(None),
            Some(node) => text(self.document, node).map(Some),
        }
    }

    /// A list of strings; empty when the key is missing.
    pub fn texts(&self, key: &str) -> Read<Vec<String>> {
        self.list(key)?.iter().map(|n| text(self.document, n)).collect()
    }

    /// The items of a list; none when the key is missing.
    pub fn list(&self, key: &str) -> Read<&'d [Node]> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Node { data: Data::List(items), .. }) => Ok(items),
            Some(node) => Err(self.fault(node, format!("`{key}` is something else than a list"))),
        }
    }

    pub fn number(&self, key: &str) -> Read<Option<i64>> {
        match self.get(key) {
            None => Ok(None),
            Some(Node { data: Data::Int { value, .. }, .. }) => Ok(Some(*value)),
            Some(node) => Err(self.fault(node, format!("`{key}` is something else than a whole number"))),
        }
    }

    /// A map below this one, with the keys that are understood in it.
    pub fn below(&self, key: &str, known: &[&str]) -> Read<Fields<'d>> {
        Fields::of(self.document, self.need(key)?, known)
    }

    fn fault(&self, node: &Node, what: String) -> Fault {
        Fault::new(self.document.line(node), what)
    }
}

fn text(document: &Document, node: &Node) -> Read<String> {
    match &node.data {
        Data::Text(text) => Ok(text.to_string()),
        _ => Err(Fault::new(document.line(node), "something else than a string")),
    }
}

/// Whether a reader of the file finds the value: of the same type, with the same text. What is no boolean and no
/// whole number is written as a string.
pub fn holds(node: &Node, value: &Value) -> bool {
    match (value, &node.data) {
        (Value::Null, data) => matches!(data, Data::Null),
        (Value::Bool(a), Data::Bool { value: b, .. }) => a == b,
        (Value::Int(a), Data::Int { value: b, .. }) => a == b,
        (Value::Ports(p), Data::Int { value, .. }) => p.low == p.high && i64::from(p.low) == *value,
        (Value::List(a), Data::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| holds(b, &a.value)),
        (Value::Map(a), Data::Map(b)) => {
            a.len() == b.len() && b.iter().all(|e| a.get(&e.key).is_some_and(|v| holds(&e.value, &v.value)))
        }
        (Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Map(_) | Value::Record(_), _) => false,
        (value, Data::Text(text)) => value.text().is_some_and(|t| t == *text),
        _ => false,
    }
}

/// A value in a few words, for messages.
pub fn show(node: &Node) -> String {
    match &node.data {
        Data::Null => "nothing".to_owned(),
        Data::List(items) => format!("a list of {}", items.len()),
        Data::Map(entries) => format!("a map of {}", entries.len()),
        Data::Text(text) => format!("the string `{text}`"),
        _ => node.scalar_text().map_or_else(|| "a faulty value".to_owned(), |t| format!("`{t}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_lines() {
        let list = documents("# head\n---\na: 1\n---\n# nothing\n---\nb:\n  - x\n").expect("good");
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].line(&list[0].root), 3);
        let item = &list[1].root.get("b").expect("b").items()[0];
        assert_eq!(list[1].line(item), 8);
        assert!(documents("# only\n").expect("good").is_empty());
    }

    #[test]
    fn what_the_parser_remarks_on_is_a_fault() {
        for (text, line) in [
            ("a: 1\na: 2\n", 2),
            ("a: yes\n", 1),
            ("---\na: 1\n---\nb: [1\n", 4),
            ("a: 1\n--- {b: 2}\n", 2),
            ("\ta: 1\n", 1),
            ("a: 0644\n", 1),
        ] {
            assert_eq!(documents(text).map(|_| ()).map_err(|f| f.line), Err(line), "{text}");
        }
    }

    #[test]
    fn values_keep_their_type() {
        let node = |text: &str| documents(text).expect(text).remove(0).root;
        let version = Value::from("1.30".parse::<crate::value::Version>().expect("a version"));
        assert!(holds(&node("\"1.30\""), &version));
        assert!(!holds(&node("1.30"), &version));
        assert!(holds(&node("true"), &Value::Bool(true)));
        assert!(!holds(&node("'true'"), &Value::Bool(true)));
        assert!(!holds(&node("5"), &Value::str("5")));
        assert!(!holds(&node("[1]"), &Value::list(vec![])));
    }
}
