//! Where a finding of a check points: origins of values in, labels in the spec out.

use std::collections::BTreeSet;

use crate::diag::codes::Code;
use crate::diag::{Diag, Findings};
use crate::source::{Role, Sources, Span};
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
    told_by(findings, span, |_| true)
}

/// Whether a pack has a finding at a place, or around it, that this is true of.
pub fn told_by(findings: &Findings, span: Option<Span>, counts: impl Fn(&Diag) -> bool) -> bool {
    let Some(span) = span else { return false };
    let holds = |outer: Span| outer.file == span.file && outer.start <= span.start && span.end <= outer.end;
    let spoken = |d: &Diag| d.code.contains('/') && d.primary.as_ref().is_some_and(|l| holds(l.span)) && counts(d);
    findings.iter().any(spoken)
}

/// Whether a finding of this code has a label at one of the places of a value in the spec: what else is wrong with the
/// value may follow from it.
pub fn spoken_of(findings: &Findings, code: Code, origins: &Origins, sources: &Sources) -> bool {
    let mut about = findings.iter().filter(|d| d.code == code.row().code).peekable();
    if about.peek().is_none() {
        return false;
    }
    let places: BTreeSet<Span> = spec_spans(origins, sources).into_iter().collect();
    about.any(|d| d.primary.iter().chain(&d.secondary).any(|l| places.contains(&l.span)))
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

/// The first place of a set that lies in a spec.
pub fn spec_span(origins: &Origins, sources: &Sources) -> Option<Span> {
    spec_spans(origins, sources).into_iter().next()
}

/// The places of a set that lie in a spec, the smallest first where one holds another.
pub fn spec_spans(origins: &Origins, sources: &Sources) -> Vec<Span> {
    let spans = origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
    let mut spans: Vec<_> = spans.filter(|s| sources.file(s.file).role == Role::Spec).collect();
    // Nearly always there is one, and nothing to choose.
    if spans.len() < 2 {
        return spans;
    }
    // Of those that begin at a span or behind it, the one that ends first tells whether the span holds another.
    let mut sorted = spans.clone();
    sorted.sort_unstable_by_key(|s| (s.file, s.start, std::cmp::Reverse(s.end)));
    sorted.dedup();
    let mut holding: BTreeSet<Span> = BTreeSet::new();
    let mut first: Option<Span> = None;
    for span in sorted.into_iter().rev() {
        match first.filter(|f| f.file == span.file) {
            Some(first) if first.end <= span.end => drop(holding.insert(span)),
            _ => first = Some(span),
        }
    }
    spans.retain(|s| !holding.contains(s));
    // A whole file stands for nothing in particular where another one, below `extends`, has the place itself.
    if spans.iter().any(|s| !is_document(*s, sources)) {
        spans.retain(|s| !is_document(*s, sources));
    }
    spans
}

/// Whether a span holds everything in its file but comments.
fn is_document(span: Span, sources: &Sources) -> bool {
    let text = &*sources.file(span.file).text;
    let (before, rest) = (text.get(..span.start as usize), text.get(span.end as usize..));
    let is_remark = |text: &str| text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    before.is_some_and(is_remark) && rest.is_some_and(is_remark)
}
