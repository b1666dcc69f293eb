//! Recorded decisions to live with a finding: each silences one code at one pointer, and is itself checked.

use std::sync::Arc;

use crate::diag::codes::{UNUSED_WAIVER, WAIVER_REFUSED};
use crate::diag::{Diag, Findings};
use crate::ir::{F, WaiverRecord};
use crate::lower::peers::deep_origins;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str};

/// Takes waived findings out and reports waivers that match nothing or are not allowed. Returns those that hold.
pub fn apply(site: &Site, sources: &Sources, findings: &mut Findings) -> Vec<Arc<WaiverRecord>> {
    let mut records = Vec::new();
    let mut reports = Vec::new();
    let list = site.root.get("waivers").map(|w| w.items().to_vec()).unwrap_or_default();
    for waiver in &list {
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
            let elsewhere: Vec<&str> =
                findings.iter().filter(|d| *d.code == **code).map(|d| d.pointer.as_str()).take(3).collect();
            if !elsewhere.is_empty() {
                diag = diag.help(format!("the finding is at {}", elsewhere.join(", ")));
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
        let found = Origins::all(found.iter().map(|d| &d.reads)).union(&deep_origins(waiver));
        findings.retain(|d| !matches(d));
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

/// Whether a waiver's pointer names a finding's place or something above it.
fn covers(at: &str, pointer: &str) -> bool {
    pointer.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
