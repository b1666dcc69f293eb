//! Answers of the spec that an expression of a pack cannot take: shown at the answer, with the expression beside it.

use super::places::spec_spans;
use crate::diag::codes::{EXPR_EVAL, PACK_EVALUATION};
use crate::diag::{Diag, Findings, Label, similar_name, surely_meant};
use crate::instance::Run;
use crate::source::{Sources, Span};

/// Turns the failures that were noted while packs were evaluated into findings. A value of the spec that several
/// expressions cannot take is one cause, and so is an expression of which the verification of its pack has spoken.
pub fn misfits(verified: &Findings, sources: &Sources, run: &mut Run) {
    let mut all: Vec<_> = std::mem::take(&mut run.misfits);
    // What reads one answer tells which one it is, also for what reads several.
    all.sort_by_cached_key(|(_, read)| spec_spans(read, sources).len() != 1);
    for (mut diag, read) in all {
        let is_verified =
            |at: &Label| verified.iter().any(|d| d.primary.as_ref().is_some_and(|l| meet(l.span, at.span)));
        if diag.primary.as_ref().is_some_and(is_verified) {
            continue;
        }
        let places = spec_spans(&read, sources);
        if places.iter().any(|place| run.findings.iter().any(|d| is_told(d, *place))) {
            continue;
        }
        if let [place] = places.as_slice() {
            let at = diag.primary.take();
            diag = diag.at(*place, "");
            if let Some(Label { span, .. }) = at {
                diag = diag.and(span, "the pack reads it here");
            }
            let text = sources.text(*place);
            let words = ["true", "false"];
            // The fact is answered by a word that is nearly one of these.
            let meant = similar_name(text, words).filter(|_| diag.code == EXPR_EVAL.row().code);
            if let Some(meant) = meant {
                let sure = surely_meant(text, meant, words);
                diag = diag.help(format!("a similar value is `{meant}`")).replace(*place, meant, sure);
            } else if diag.help.is_none() {
                diag = diag.help("give the answer in the form that the pack takes, or mend the pack");
            }
        } else {
            for place in places.into_iter().take(3) {
                diag = diag.and(place, "this is read");
            }
        }
        run.findings.push(diag);
    }
}

/// Whether a misfit at this place has been reported.
fn is_told(diag: &Diag, place: Span) -> bool {
    let is_code = [EXPR_EVAL, PACK_EVALUATION].iter().any(|code| code.row().code == diag.code);
    is_code && diag.primary.as_ref().is_some_and(|l| l.span == place)
}

/// Whether two spans have a character in common.
fn meet(a: Span, b: Span) -> bool {
    a.file == b.file && a.start < b.end && b.start < a.end
}
