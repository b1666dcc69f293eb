//! Typographic quotes around a value: a word processor or a chat has put them where `"` was written, and YAML takes them
//! for part of the text.

use super::{Diag, Findings, Level, Replacement};
use crate::source::{Role, Sources, Span};

/// Quotes as they open and close in one language or another.
pub const QUOTES: [char; 10] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‹'];

/// Where an error without a way out is about a value in such quotes, they are what is wrong: another pair helps.
pub fn adapt(findings: &mut Findings, sources: &Sources) {
    let is_open = |d: &&mut Diag| d.level == Level::Error && d.code.starts_with('S') && d.replacements.is_empty();
    for diag in findings.all_mut().filter(is_open) {
        let Some((span, inner)) =
            diag.primary.as_ref().and_then(|label| Some((label.span, within(label.span, sources)?)))
        else {
            continue;
        };
        diag.help = Some("the typographic quotes are part of the text; write plain ones".to_owned());
        diag.replacements = vec![Replacement { span, text: format!("\"{inner}\""), safe: true }];
    }
}

/// What stands between typographic quotes, where these are the first and the last of a whole value of a spec.
fn within(span: Span, sources: &Sources) -> Option<&str> {
    let file = sources.file(span.file);
    if file.role != Role::Spec {
        return None;
    }
    let inner = sources.text(span).strip_prefix(QUOTES)?.strip_suffix(QUOTES)?;
    let before = file.text.get(..span.start as usize)?.trim_end_matches(' ');
    let behind = file.text.get(span.end as usize..)?.trim_start_matches(' ');
    let is_whole = before.ends_with([':', '-', ',', '[', '{'])
        && (behind.is_empty() || behind.starts_with([',', ']', '}', '#', '\n', '\r']));
    let is_plain = !inner.contains(QUOTES) && !inner.contains(['"', '\\', '\n']);
    (is_whole && is_plain).then_some(inner)
}
