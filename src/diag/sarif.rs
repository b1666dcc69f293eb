//! Findings in, a SARIF 2.1.0 log out, as code reviews and scanners read it.
//!
//! One run per site. Columns count characters, as everywhere. A question has the level `note` and says so in its
//! properties, since SARIF knows no questions. A waived finding is a suppressed result with the waiver's reason.

use serde::Serialize;

use super::{Diag, Findings, Label, Level, Replacement, Waived, codes};
use crate::source::{Sources, Span};

/// The schema that the log says it keeps to.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The page of a code that is not the compiler's own, as Markdown.
pub type Pages<'a> = &'a dyn Fn(&str) -> Option<String>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

/// A code, with its page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    short_description: Text,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

#[derive(Debug, Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
    /// The waiver of a waived finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: Properties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    level: &'static str,
    /// JSON Pointer into the site that a waiver may name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pointer: String,
    waivable: bool,
    /// Whether `check --fix` applies the fix.
    fixable: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    byte_offset: u32,
    byte_length: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    description: Text,
    artifact_changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: Vec<Edit>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    deleted_region: Region,
    inserted_content: Text,
}

/// The log of these runs, as one indented JSON document with a line end.
pub fn render(runs: Vec<Run>) -> String {
    let log = Log { schema: SCHEMA, version: "2.1.0", runs };
    // Structs of texts and numbers have a form in JSON.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

/// The run that found these findings.
pub fn run(findings: &Findings, sources: &Sources, pages: Pages<'_>) -> Run {
    let waived = findings.waived();
    let mut ids: Vec<&str> = findings.iter().chain(waived.iter().map(|w| &w.finding)).map(|d| &*d.code).collect();
    ids.sort_unstable();
    ids.dedup();
    let rules = ids.iter().map(|id| rule(id, findings, pages)).collect();
    let index = |code: &str| ids.partition_point(|id| *id < code);
    let open = findings.iter().map(|d| finding(d, index(&d.code), sources));
    let suppressed = waived.iter().map(|w| Finding {
        suppressions: vec![suppression(w, sources)],
        ..finding(&w.finding, index(&w.finding.code), sources)
    });
    let results = open.chain(suppressed).collect();
    let driver = Driver { name: "sitec", semantic_version: env!("CARGO_PKG_VERSION"), rules };
    Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }
}

fn rule(id: &str, findings: &Findings, pages: Pages<'_>) -> Rule {
    let row = codes::find(id);
    let page = row.map(|row| row.page.to_owned()).or_else(|| pages(id)).unwrap_or_else(|| format!("# {id}\n"));
    let waived = findings.waived().iter().map(|w| &w.finding);
    let found = findings.iter().chain(waived).find(|d| d.code == id);
    let level = row.map(|row| row.level).or_else(|| found.map(|d| d.level)).unwrap_or(Level::Error);
    Rule {
        id: id.to_owned(),
        name: row.map(|row| row.name),
        short_description: Text { text: first_paragraph(&page).unwrap_or_else(|| id.to_owned()) },
        help: Help { text: page.clone(), markdown: page },
        default_configuration: Configuration { level: level_name(level) },
    }
}

/// What a page says below its title, in one line.
fn first_paragraph(page: &str) -> Option<String> {
    let lines = page.lines().skip(1).skip_while(|l| l.trim().is_empty()).take_while(|l| !l.trim().is_empty());
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Question | Level::Note => "note",
    }
}

fn finding(diag: &Diag, rule_index: usize, sources: &Sources) -> Finding {
    let mut text = diag.message.clone();
    for note in &diag.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    if let Some(help) = super::human::help(diag) {
        text.push_str(&format!("\nhelp: {help}"));
    }
    let location = |label: &Label, id: Option<usize>| Location {
        id,
        physical_location: physical(label.span, sources),
        message: (!label.text.is_empty()).then(|| Text { text: label.text.clone() }),
    };
    Finding {
        rule_id: diag.code.to_string(),
        rule_index,
        level: level_name(diag.level),
        message: Text { text },
        locations: diag.primary.iter().map(|label| location(label, None)).collect(),
        related_locations: diag.secondary.iter().enumerate().map(|(i, label)| location(label, Some(i + 1))).collect(),
        fixes: fix(diag, sources).into_iter().collect(),
        suppressions: Vec::new(),
        properties: Properties {
            level: diag.level.name(),
            pointer: diag.pointer.clone(),
            waivable: diag.waivable,
            fixable: diag.is_fixable(),
        },
    }
}

fn suppression(waived: &Waived, sources: &Sources) -> Suppression {
    let location = |at| Location { id: None, physical_location: physical(at, sources), message: None };
    Suppression {
        kind: "inSource",
        status: "accepted",
        justification: waived.reason.clone(),
        location: waived.waiver.map(location),
    }
}

fn physical(span: Span, sources: &Sources) -> Physical {
    Physical { artifact_location: artifact(span, sources), region: region(span, sources) }
}

fn region(span: Span, sources: &Sources) -> Region {
    let (start_line, start_column) = sources.line_col(span);
    let (end_line, end_column) = sources.line_col(Span { start: span.end, ..span });
    let byte_length = span.end.saturating_sub(span.start);
    Region { start_line, start_column, end_line, end_column, byte_offset: span.start, byte_length }
}

fn artifact(span: Span, sources: &Sources) -> Artifact {
    Artifact { uri: uri(&sources.file(span.file).name) }
}

fn fix(diag: &Diag, sources: &Sources) -> Option<Fix> {
    let mut changes: Vec<Change> = Vec::new();
    for Replacement { span, text, .. } in &diag.replacements {
        let edit = Edit { deleted_region: region(*span, sources), inserted_content: Text { text: text.clone() } };
        let artifact_location = artifact(*span, sources);
        match changes.iter_mut().find(|c| c.artifact_location == artifact_location) {
            Some(change) => change.replacements.push(edit),
            None => changes.push(Change { artifact_location, replacements: vec![edit] }),
        }
    }
    let text = super::human::help(diag).unwrap_or_else(|| diag.message.clone());
    (!changes.is_empty()).then_some(Fix { description: Text { text }, artifact_changes: changes })
}

/// A path as a URI reference: relative ones stay relative, what a URI reserves is written in percent.
fn uri(path: &str) -> String {
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Role;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("../a b/é:1%.yaml"), "../a%20b/%C3%A9%3A1%25.yaml");
        assert_eq!(uri("/srv/site.yaml"), "file:///srv/site.yaml");
    }

    #[test]
    fn changes_of_one_file_stand_together() {
        let mut sources = Sources::default();
        let (a, b) =
            (sources.add("a.yaml", "xx: 1\nxx: 2\n", Role::Spec), sources.add("b.yaml", "xx: 1\n", Role::Spec));
        let mut diag = Diag::new(codes::UNKNOWN_KEY, "unknown key `xx`").at(Span::new(a, 0, 2), "");
        for (file, start) in [(a, 0), (b, 0), (a, 6)] {
            diag = diag.replace(Span::new(file, start, start + 2), "yy", true);
        }
        let fix = fix(&diag, &sources).expect("a fix");
        assert_eq!(fix.artifact_changes.iter().map(|c| c.replacements.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(fix.artifact_changes[0].replacements[1].deleted_region.start_line, 2);
    }
}
