//! Keeping secrets out of reports: where they stand in a file that is shown, and in the words of findings.

use std::collections::BTreeSet;

use super::shapes::{is_reference, names_secret, shape, word_shape};
use crate::diag::Findings;
use crate::diag::codes::SECRET_IN_SPEC;
use crate::node::Node;
use crate::source::{FileId, Sources, Span};
use crate::value::Str;

/// Hides what looks like a secret in a file that is not all in its tree, if it has one: behind a key that names one, and
/// by shape. Names of entries of `secrets` are none.
pub fn hide_in_text(file: FileId, tree: Option<&Node>, sources: &mut Sources) {
    let table = tree.and_then(|t| t.get("secrets")).map(Node::entries).unwrap_or_default();
    hide(file, sources, &table.iter().map(|e| &*e.key).collect(), |_| Some(0));
}

/// Hides the same in the remarks of a file: an old password beside the line that a report shows.
pub fn hide_in_remarks(file: FileId, sources: &mut Sources) {
    hide(file, sources, &BTreeSet::new(), |line| {
        let is_remark = |at: usize| at == 0 || line[..at].ends_with([' ', '\t']);
        line.match_indices('#').map(|(at, _)| at).find(|at| is_remark(*at))
    });
}

/// Hides what looks like a secret in lines, from a place in each; behind a key, names of secrets are none.
fn hide(file: FileId, sources: &mut Sources, names: &BTreeSet<&str>, from: impl Fn(&str) -> Option<usize>) {
    let text = sources.file(file).text.clone();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    let mut next = 0;
    for whole in text.split_inclusive('\n') {
        let start = next;
        next += whole.len();
        let Some(skipped) = from(whole) else { continue };
        let (start, line) = (start + skipped, &whole[skipped..]);
        let mut at = 0;
        for word in line.split_inclusive([' ', '\t', '\n', ',']) {
            let bare = word.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '}' | ']'));
            if word_shape(bare).is_some() {
                let begin = start + at + word.find(bare).unwrap_or_default();
                hidden.push((begin, begin + bare.len()));
            }
            at += word.len();
        }
        for (colon, _) in line.match_indices([':', '=']) {
            let key = line[..colon].trim_end().trim_end_matches(['"', '\'']);
            let from = key.rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).map_or(0, |i| i + 1);
            let from = if key.is_char_boundary(from) { from } else { continue };
            let value = &line[colon + 1..];
            let begin = colon + 1 + (value.len() - value.trim_start().len());
            let value = value.trim_start();
            let end = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].find(quote).map_or(value.trim_end().len(), |i| i + 2),
                Some('{' | '[' | '&' | '*' | '|' | '>') | None => continue,
                Some(_) => value.find([',', '}', ']', '#', '\n', '\r']).unwrap_or(value.len()),
            };
            let word = value[..end].trim_end();
            let bare = word.trim_matches(['"', '\'']);
            let (key, named) = (&key[from..], names.contains(bare));
            let by_key = || names_secret(key) && !named && !is_reference(bare, &format!("/{key}"));
            let suspect = shape(bare, key).is_some() || (!bare.is_empty() && by_key());
            if suspect {
                hidden.push((start + begin, start + begin + word.len()));
            }
        }
    }
    for (from, to) in hidden {
        let value: Str = text[from..to].trim_matches(['"', '\'']).into();
        sources.hide(Span::new(file, from, to), &value);
    }
}

/// Takes hidden values out of the words of all findings, and findings about a secret as such that another pass made.
pub fn scrub(sources: &Sources, findings: &mut Findings) {
    if sources.hidden().is_empty() {
        return;
    }
    let spans: BTreeSet<Span> = sources.hidden().iter().map(|(span, _)| *span).collect();
    let own = SECRET_IN_SPEC.row().code;
    let told: BTreeSet<Span> =
        findings.iter().filter(|d| d.code == own).filter_map(|d| d.primary.as_ref().map(|l| l.span)).collect();
    findings.retain(|d| {
        d.code == own || !d.primary.as_ref().is_some_and(|l| spans.contains(&l.span) && told.contains(&l.span))
    });
    let clean = |text: &mut String| *text = sources.masked(text);
    for diag in findings.all_mut().filter(|d| d.code != own) {
        clean(&mut diag.message);
        diag.notes.iter_mut().for_each(clean);
        diag.help.iter_mut().for_each(clean);
        diag.primary.iter_mut().chain(&mut diag.secondary).for_each(|label| clean(&mut label.text));
        diag.replacements.iter_mut().for_each(|r| clean(&mut r.text));
    }
}
