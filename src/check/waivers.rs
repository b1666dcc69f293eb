//! Recorded decisions to live with a finding: each silences one code at one pointer, and is itself checked.

use std::sync::Arc;

use crate::diag::codes::{OPEN_QUESTION, UNUSED_WAIVER, WAIVER_REFUSED};
use crate::diag::{Diag, Findings, similar_name};
use crate::ir::{F, WaiverRecord};
use crate::lower::peers::deep_origins;
use crate::node::Node;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Str};

/// Takes waived findings out and reports waivers that match nothing or are not allowed. Returns those that hold.
pub fn apply(site: &Site, spec: &Node, sources: &Sources, findings: &mut Findings) -> Vec<Arc<WaiverRecord>> {
    // An error elsewhere may hide the finding that a waiver is about.
    let sound = !findings.has_errors();
    let written = spec.get("waivers").map(Node::items).unwrap_or_default();
    let mut records = Vec::new();
    let mut reports = Vec::new();
    let list = site.root.get("waivers").map(|w| w.items().to_vec()).unwrap_or_default();
    for (index, waiver) in list.iter().enumerate() {
        let text = |key: &str| -> Option<F<Str>> {
            let value = waiver.get(key)?;
            Some(F::new(value.value.text()?, value.origins.clone()))
        };
        let (Some(code), Some(at), Some(reason)) = (text("code"), text("at"), text("reason")) else { continue };
        let span = code.origins.as_slice().first().and_then(|p| sources.span_of(*p));
        let matches = |d: &Diag| *d.code == **code && covers(&at, &d.pointer);
        let found: Vec<&Diag> = findings.iter().filter(|d| matches(d)).collect();
        if found.is_empty() {
            let mut diag = Diag::new(UNUSED_WAIVER, format!("no finding `{}` at `{}`", *code, *at))
                .at_maybe(span, "this waiver matches nothing")
                .help("remove it: what it allowed is no longer there");
            let elsewhere: Vec<String> =
                findings.iter().filter(|d| *d.code == **code).map(|d| format!("`{}`", d.pointer)).take(3).collect();
            if !elsewhere.is_empty() {
                diag = diag.help(format!("the finding is at {}", elsewhere.join(", ")));
            } else if let Some(near) =
                similar_name(&code, findings.iter().filter(|d| covers(&at, &d.pointer)).map(|d| &*d.code))
            {
                let (near, written) = (near.to_owned(), span.filter(|s| sources.text(*s) == &**code));
                diag = diag.help(format!("there is a finding `{near}` at this place"));
                if let Some(span) = written {
                    diag = diag.replace(span, near, false);
                }
            } else if !sound || waits(&code, findings) {
                continue;
            } else if let Some(item) = written.get(index).and_then(|item| whole_item(sources, item.span)) {
                diag = diag.replace(item, "", true);
            }
            reports.push(diag);
            continue;
        }
        if found.iter().any(|d| !d.waivable) {
            reports.push(
                Diag::new(WAIVER_REFUSED, format!("`{}` cannot be waived", *code))
                    .at_maybe(span, "this waiver is not allowed")
                    .help("put the finding itself right"),
            );
            continue;
        }
        // The record is there because the finding was.
        let found = Origins::all(&found.iter().map(|d| read(d, site)).collect::<Vec<_>>()).union(&deep_origins(waiver));
        findings.waive(matches, &reason, span);
        records.push(Arc::new(WaiverRecord {
            code: F::new(code.value, found.clone()),
            pointer: F::new(at.value, found.clone()),
            reason: F::new(reason.value, found),
        }));
    }
    for report in reports {
        findings.push(report);
    }
    records
}

/// Whether the requirement of a code cannot be judged yet, because an answer to a question is missing.
fn waits(code: &str, findings: &Findings) -> bool {
    let requirement = format!("requirement `{code}`");
    let asks = |d: &Diag| d.code == OPEN_QUESTION.row().code && d.notes.iter().any(|note| note.contains(&requirement));
    findings.iter().any(asks)
}

/// What a finding read. A check that does not keep count of it may have read everything.
fn read(finding: &Diag, site: &Site) -> Origins {
    match &finding.reads {
        Origins::None => deep_origins(&site.root),
        reads => reads.clone(),
    }
}

/// What must go for an item of a YAML list to go: its line with the dash, or its text with one comma.
fn whole_item(sources: &Sources, item: Span) -> Option<Span> {
    let source = sources.file(item.file);
    let (text, start, end) = (&*source.text, item.start as usize, item.end as usize);
    if source.name.ends_with(".json") || source.name.ends_with(".toml") {
        return None;
    }
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    let line = before.rfind('\n').map_or(0, |i| i + 1);
    if before[line..].trim() == "-" {
        let rest = after.find('\n').map_or(after.len(), |i| i + 1);
        return Some(Span::new(item.file, line, end + rest));
    }
    if after.trim_start().starts_with(',') {
        let comma = after.len() - after.trim_start().len() + 1;
        let blank = after[comma..].len() - after[comma..].trim_start_matches(' ').len();
        return Some(Span::new(item.file, start, end + comma + blank));
    }
    let kept = before.trim_end();
    let start = if kept.ends_with(',') { kept.len() - 1 } else { start };
    Some(Span::new(item.file, start, end))
}

/// Whether a waiver's pointer names a finding's place or something above it.
fn covers(at: &str, pointer: &str) -> bool {
    pointer.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
