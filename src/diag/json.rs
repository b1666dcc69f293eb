//! Findings in, one JSON document for programs out.
//!
//! `schema/findings.schema.json` describes the document. Fields are added over time, never renamed or removed; `version` changes if that must
//! be broken. Every field is always present; what there is not is `null` or an empty list.
//!
//! ```text
//! { "version": 1,
//!   "findings": [ {
//!       "code": "S0201",              stable; "<pack>/<name>" for a pack's requirement
//!       "name": "unknown-key",        the code's name; null for a pack's codes
//!       "level": "error",             error | warning | question | note
//!       "message": "…",
//!       "primary": PLACE or null,
//!       "secondary": [ PLACE, … ],
//!       "notes": [ "…", … ],
//!       "help": "…" or null,
//!       "replacements": [ { "at": SPAN, "text": "…", "safe": true }, … ],   put it right all together
//!       "pointer": "/hosts/nfs1",     JSON Pointer that a waiver may name; "" when there is none
//!       "waivable": false
//!   } ],
//!   "counts": { "error": 1, "warning": 0, "question": 0, "note": 0 },
//!   "waived": [ { …as in findings…, "reason": "…", "waiver": SPAN or null }, … ] }   not counted
//!
//! PLACE = SPAN with "label": "…" or null
//! SPAN  = { "file": "site.yaml",
//!           "byte_start": 28, "byte_end": 34,        offsets in the file's bytes, the end exclusive
//!           "line_start": 4, "column_start": 5,      from 1; columns count characters
//!           "line_end": 4, "column_end": 11 }        the place behind the last character
//! ```

use serde_json::{Map, Value, json};

use super::{Diag, Findings, Label, Level, Waived, codes};
use crate::source::{Sources, Span};

/// Renders all findings as one indented JSON document with a line end.
pub fn render(findings: &Findings, sources: &Sources) -> String {
    format!("{:#}\n", value(findings, sources))
}

/// The document as a value.
pub fn value(findings: &Findings, sources: &Sources) -> Value {
    let mut counts = Map::new();
    for level in [Level::Error, Level::Warning, Level::Question, Level::Note] {
        counts.insert(level.name().to_owned(), findings.iter().filter(|d| d.level == level).count().into());
    }
    let list: Vec<Value> = findings.iter().map(|d| finding(d, sources)).collect();
    let waived: Vec<Value> = findings.waived().iter().map(|w| waived(w, sources)).collect();
    json!({ "version": 1, "findings": list, "counts": counts, "waived": waived })
}

fn waived(waived: &Waived, sources: &Sources) -> Value {
    let mut value = finding(&waived.finding, sources);
    if let Some(map) = value.as_object_mut() {
        map.insert("reason".to_owned(), json!(waived.reason));
        map.insert("waiver".to_owned(), json!(waived.waiver.map(|at| span(at, sources))));
    }
    value
}

fn finding(diag: &Diag, sources: &Sources) -> Value {
    json!({
        "code": diag.code,
        "name": codes::find(&diag.code).map(|row| row.name),
        "level": diag.level.name(),
        "message": diag.message,
        "primary": diag.primary.as_ref().map(|l| place(l, sources)),
        "secondary": diag.secondary.iter().map(|l| place(l, sources)).collect::<Vec<_>>(),
        "notes": diag.notes,
        "help": diag.help,
        "replacements": diag.replacements.iter().map(|r| {
            json!({ "at": span(r.span, sources), "text": r.text, "safe": r.safe })
        }).collect::<Vec<_>>(),
        "pointer": diag.pointer,
        "waivable": diag.waivable,
    })
}

fn place(label: &Label, sources: &Sources) -> Value {
    let mut value = span(label.span, sources);
    let text = (!label.text.is_empty()).then_some(label.text.as_str());
    if let Some(map) = value.as_object_mut() {
        map.insert("label".to_owned(), json!(text));
    }
    value
}

fn span(span: Span, sources: &Sources) -> Value {
    let (line_start, column_start) = sources.line_col(span);
    let (line_end, column_end) = sources.line_col(Span { start: span.end, ..span });
    json!({
        "file": &*sources.file(span.file).name,
        "byte_start": span.start,
        "byte_end": span.end,
        "line_start": line_start,
        "column_start": column_start,
        "line_end": line_end,
        "column_end": column_end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Role;

    #[test]
    fn the_documented_shape() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "\u{feff}é: 1\nb: 2\n", Role::Spec);
        let mut findings = Findings::default();
        let at = Span::new(file, 3, 5);
        findings.push(Diag::new(codes::UNKNOWN_KEY, "unknown key `é`").at(at, "").help("h").replace(at, "e", true));
        let place = json!({
            "file": "a.yaml", "byte_start": 3, "byte_end": 5, "line_start": 1, "column_start": 1,
            "line_end": 1, "column_end": 2,
        });
        let mut labelled = place.clone();
        labelled["label"] = Value::Null;
        assert_eq!(
            value(&findings, &sources),
            json!({
                "version": 1,
                "findings": [{
                    "code": "S0201", "name": "unknown-key", "level": "error", "message": "unknown key `é`",
                    "primary": labelled, "secondary": [], "notes": [], "help": "h",
                    "replacements": [{ "at": place, "text": "e", "safe": true }], "pointer": "", "waivable": false,
                }],
                "counts": { "error": 1, "warning": 0, "question": 0, "note": 0 },
                "waived": [],
            })
        );
    }
}
