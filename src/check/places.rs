//! Where a finding of a check points: origins of values in, labels in the spec out.

use super::requirements::spec_span;
use crate::diag::{Diag, Findings};
use crate::source::{Sources, Span};
use crate::value::Origins;

/// The place of a value: the one in the spec, or the one in a pack whose default it is.
pub fn place(origins: &Origins, sources: &Sources) -> Option<Span> {
    spec_span(origins, sources).or_else(|| origins.as_slice().iter().find_map(|p| sources.span_of(*p)))
}

/// Adds a label, the first as the primary one; a place that has one is not labelled twice.
pub fn label(diag: Diag, span: Option<Span>, text: impl Into<String>) -> Diag {
    let Some(span) = span else { return diag };
    match &diag.primary {
        None => diag.at(span, text),
        Some(primary) if primary.span == span || diag.secondary.iter().any(|l| l.span == span) => diag,
        Some(_) => diag.and(span, text),
    }
}

/// Whether a requirement of a pack has spoken of a place, or of what it is part of: the same cause.
pub fn told(findings: &Findings, span: Option<Span>) -> bool {
    let Some(span) = span else { return false };
    let holds = |outer: Span| outer.file == span.file && outer.start <= span.start && span.end <= outer.end;
    let spoken = |d: &Diag| d.code.contains('/') && d.primary.as_ref().is_some_and(|l| holds(l.span));
    findings.iter().any(spoken)
}

/// Words as a list in a sentence, each in backticks; those beyond `most` are counted.
pub fn words<T: std::fmt::Display>(list: impl IntoIterator<Item = T>, most: usize) -> String {
    let all: Vec<String> = list.into_iter().map(|w| format!("`{w}`")).collect();
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>();
    match (shown.as_slice(), all.len() - shown.len()) {
        ([], _) => String::new(),
        (list, n) if n > 0 => format!("{} and {n} more", list.join(", ")),
        ([one], _) => one.clone(),
        ([rest @ .., last], _) => format!("{} and {last}", rest.join(", ")),
    }
}
