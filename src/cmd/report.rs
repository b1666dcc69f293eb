//! Findings in, text on the stream of the chosen format out.

use serde_json::Value as Json;

use super::{Exit, Shell, Stop};
use crate::cli::{Format, Strictness};
use crate::diag::{Findings, Level, codes, human, json, short};
use crate::source::Sources;

impl Strictness {
    /// Raises what is denied to an error. Refuses a code that cannot exist.
    pub(super) fn apply(&self, findings: &mut Findings) -> Result<(), Stop> {
        let names =
            |level: Level| move |denied: &&String| **denied == level.name() || **denied == format!("{}s", level.name());
        for denied in &self.deny {
            let level = [Level::Error, Level::Warning, Level::Question, Level::Note];
            let known = level.into_iter().any(|l| names(l)(&denied)) || codes::find(denied).is_some();
            if !known && !denied.contains('/') {
                return Err(Stop::Usage(format!("`--deny {denied}`: neither a level nor a code; see `sitec explain`")));
            }
        }
        // Doubts about the compiler's own work are no wish of the user's: as errors they would be bugs.
        for diag in findings.iter_mut().filter(|diag| !diag.code.starts_with("S08")) {
            let strict = self.strict && matches!(diag.level, Level::Warning | Level::Question);
            let by_name = |denied: &&String| codes::find(denied).is_some_and(|row| row.code == diag.code);
            let denied = |d: &&String| **d == *diag.code || by_name(d) || names(diag.level)(d);
            if strict || self.deny.iter().any(|d| denied(&d)) {
                diag.level = Level::Error;
            }
        }
        findings.sort();
        Ok(())
    }
}

/// What findings alone make of the exit code.
pub fn exit_of(findings: &Findings) -> Exit {
    // S08xx: what was emitted does not say what was meant.
    if findings.iter().any(|d| d.level == Level::Error && d.code.starts_with("S08")) {
        Exit::Bug
    } else if findings.has_errors() {
        Exit::Findings
    } else {
        Exit::Fine
    }
}

impl Shell {
    /// Reports on standard error, for people; JSON waits for [`Shell::print_json`].
    pub(super) fn report(&self, findings: &Findings, sources: &Sources) {
        match self.format {
            Format::Human => {
                let options =
                    human::Options { width: width(), color: self.color_on_stderr(), unicode: locale_is_unicode() };
                self.tell(&human::render(findings, sources, options));
            }
            Format::Short => self.tell(&short::render(findings, sources)),
            Format::Json => {}
        }
    }

    /// Prints the documents of all sites: the only one as it is, several under `sites`.
    pub(super) fn print_json(&self, folder: bool, mut documents: Vec<Json>) -> Result<(), Stop> {
        let document = match documents.pop() {
            Some(only) if !folder => only,
            last => {
                documents.extend(last);
                serde_json::json!({ "version": 1, "sites": documents })
            }
        };
        self.print(&format!("{document:#}\n"))
    }
}

/// The documented report as JSON, with the spec it is about and what the command adds.
pub fn document(spec: &str, site: Option<&str>, findings: &Findings, sources: &Sources, more: Json) -> Json {
    let mut document = json::value(findings, sources);
    if let Json::Object(fields) = &mut document {
        fields.insert("spec".to_string(), spec.into());
        fields.insert("site".to_string(), site.into());
        if let Json::Object(more) = more {
            fields.extend(more);
        }
    }
    document
}

/// Columns of the terminal as the shell tells them, otherwise 100.
fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100).clamp(40, 140)
}

/// Whether frames may be drawn with characters beyond ASCII; no word about it counts as yes.
fn locale_is_unicode() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
