//! Secrets that somebody wrote into a spec: found by key, by shape and by disorder, reported without their value, and
//! hidden in everything that a report shows.

mod hidden;
mod shapes;

use std::collections::BTreeSet;

pub use hidden::{hide_in_remarks, hide_in_text, scrub};
use shapes::{is_reference, names_secret, shape};

use crate::diag::codes::SECRET_IN_SPEC;
use crate::diag::{Diag, Findings};
use crate::node::{Data, Node};
use crate::source::{Sources, Span};
use crate::value::Str;

/// A value that looks like a secret.
#[derive(Clone, Debug)]
pub struct Suspect {
    span: Span,
    text: Str,
    pointer: String,
    why: String,
    /// Whether only its key gives it away, so that the name of a secret may stand there.
    by_key: bool,
    /// Whether it is only hidden: an entry of `secrets` has no key for a value, which is a finding already.
    misplaced: bool,
}

/// Finds what looks like a secret in one file.
pub fn suspects(node: &Node) -> Vec<Suspect> {
    let mut found = Vec::new();
    node.walk(&mut String::new(), &mut |pointer, node| {
        let text = match &node.data {
            Data::Text(text) => text,
            Data::Int { raw, .. } | Data::Float { raw, .. } => raw,
            _ => return,
        };
        let key = pointer.rsplit('/').find(|step| step.parse::<usize>().is_err()).unwrap_or_default();
        let shape = if matches!(node.data, Data::Text(_)) { shape(text, key) } else { None };
        let (why, by_key) = match shape {
            Some(shape) => (format!("it looks like {shape}"), false),
            None if names_secret(key) && !is_reference(text, pointer) => (format!("it stands under `{key}`"), true),
            None if is_value_of_secret(pointer) => (String::new(), false),
            None => return,
        };
        let misplaced = why.is_empty();
        found.push(Suspect {
            misplaced,
            span: node.span,
            text: text.clone(),
            pointer: pointer.to_owned(),
            why,
            by_key,
        });
    });
    found
}

/// Whether somebody wrote the value of a secret into its declaration.
fn is_value_of_secret(pointer: &str) -> bool {
    let mut steps = pointer.split('/').skip(1);
    let (table, _, key) = (steps.next(), steps.next(), steps.next().unwrap_or_default());
    let values =
        ["value", "values", "data", "stringdata", "content", "text", "plain", "plaintext", "base64", "default"];
    table == Some("secrets") && values.contains(&key.to_ascii_lowercase().as_str())
}

/// Hides all suspects, and reports those that are no names of entries of `secrets`.
pub fn report(suspects: &[Suspect], spec: Option<&Node>, sources: &mut Sources, findings: &mut Findings) {
    let table = spec.and_then(|s| s.get("secrets")).map(Node::entries).unwrap_or_default();
    let names: BTreeSet<&str> = table.iter().map(|e| &*e.key).collect();
    for suspect in suspects.iter().filter(|s| !s.by_key || !names.contains(&*s.text)) {
        sources.hide(suspect.span, &suspect.text);
        let Some(spec) = spec.filter(|_| !suspect.misplaced) else { continue };
        let at = suspect.pointer.rsplit_once('/').map_or("", |(at, _)| at);
        let message = "a secret stands in the spec";
        let mut diag = Diag::new(SECRET_IN_SPEC, message).at(suspect.span, &*suspect.why);
        if let Some(table) = spec.entry("secrets") {
            diag = diag.and(table.key_span, "secrets are declared here, without their values");
        }
        diag.pointer.clone_from(&suspect.pointer);
        diag.waivable = true;
        diag =
            diag.note("the value is not shown here; it is in the file and in its history, so that it must be changed");
        let help = match at.ends_with("/settings")
            || names_secret(suspect.pointer.rsplit('/').next().unwrap_or_default())
        {
            true => {
                "declare it under `secrets` (`name: { kind: password, owner: … }`) and write `{ secret: name }` here"
            }
            false => {
                "keep it where its owner keeps it, and declare it under `secrets` with a name, a kind and an owner"
            }
        };
        findings.push(diag.help(help));
    }
}
