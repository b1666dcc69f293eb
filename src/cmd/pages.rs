//! Packs in, the pages of their codes out: what `sitec explain` prints and what SARIF calls the help of a rule.

use std::fmt::Write as _;

use super::Stop;
use super::packs::{manifest, source, text};
use crate::compile::PackFiles;
use crate::diag::{Findings, Level};
use crate::node::Node;
use crate::pack;
use crate::source::Sources;

/// A code of a pack with its page.
#[derive(Debug)]
pub struct Page {
    /// `<pack>/<name>`.
    pub code: String,
    pub level: Level,
    /// What findings of this code say, with the expressions of the pack.
    pub says: String,
    pub text: String,
}

/// The pages of all codes of a pack, in the order of its manifest.
pub fn pages(files: &PackFiles) -> Result<Vec<Page>, Stop> {
    let manifest = manifest(files)?;
    let (mut sources, mut findings) = (Sources::default(), Findings::default());
    let Some(pack) = pack::load(files, &mut sources, &mut findings) else { return Ok(Vec::new()) };
    let items = |key: &str| manifest.get(key).map(Node::items).unwrap_or_default();
    let mut pages = Vec::new();
    for (name, binding) in &pack.bindings {
        let Some(item) = manifest.get("bindings").and_then(|b| b.get(name)) else { continue };
        if binding.required {
            let code = format!("{}/needs-{name}", pack.name);
            let says = format!("the product needs {}, and the site has none", binding.label);
            let text = requirement(&code, &says, item, &manifest, false);
            pages.push(Page { code, level: Level::Error, says, text });
        } else if binding.without.is_some() {
            let code = format!("{}/without-{name}", pack.name);
            let says = format!("without {}: {}", binding.label, text(item, "without"));
            let text = requirement(&code, &says, item, &manifest, true);
            pages.push(Page { code, level: Level::Warning, says, text });
        }
    }
    for rule in &pack.requirements {
        let code = format!("{}/{}", pack.name, rule.code);
        let own = |item: &&Node| text(item, "code") == *rule.code;
        let says = rule.says.source().to_string();
        let text = match items("requirements").iter().find(own) {
            Some(item) => requirement(&code, &says, item, &manifest, text(item, "waive") != "never"),
            None => match items("minimums").iter().find_map(|item| Some((item, row_of(item, &rule.code)?))) {
                Some((item, row)) => minimum(&code, item, row, &manifest),
                None => format!("# {code}\n\n{says}\n"),
            },
        };
        pages.push(Page { code, level: rule.level, says, text });
    }
    for (name, rule) in &pack.contradictions {
        let Some(item) = manifest.get("contradictions").and_then(|c| c.get(name)) else { continue };
        let code = rule.code(&pack.name).to_string();
        let (says, sections) = (rule.resolved.to_string(), pack.sections(&rule.head.source));
        let text = contradiction(&code, &says, &sections, item);
        pages.push(Page { code, level: Level::Note, says, text });
    }
    Ok(pages)
}

fn contradiction(code: &str, resolved: &str, sections: &str, item: &Node) -> String {
    let mut out = format!("# {code}\n\nThe document says two things that cannot both hold.\n");
    details(&mut out, item, &[("when", "Matters when")]);
    let _ = writeln!(out, "\n## How it is read\n{resolved}\n\n## Source\n{sections}");
    out
}

fn requirement(code: &str, says: &str, item: &Node, manifest: &Node, waivable: bool) -> String {
    let mut out = format!("# {code}\n\n{says}\n");
    let rows = [
        ("level", "Level"),
        ("when", "Asked when"),
        ("for_each", "For each"),
        ("is", "About"),
        ("of", "About"),
        ("that", "Demands"),
        ("min", "At least"),
        ("max", "At most"),
        ("below", "Below"),
        ("one_of", "One of"),
        ("none_of", "None of"),
        ("matches", "Like"),
        ("bands", "Bands"),
        ("waive", "Waivable"),
        ("who", "Who can answer"),
    ];
    details(&mut out, item, &rows);
    ending(&mut out, item, manifest, waivable);
    out
}

/// The row of a table of minimums that gives a code: `[<code>-]<last word of the row>-<column>`.
fn row_of<'a>(item: &'a Node, name: &str) -> Option<&'a Node> {
    let prefix = text(item, "code");
    item.get("rows")?.items().iter().find(|row| {
        let each = row.items().first().and_then(Node::scalar_text).map(|t| t.to_string()).unwrap_or_default();
        let short = each.rsplit('.').next().unwrap_or(&each).replace('_', "-");
        let short = if prefix.is_empty() { short } else { format!("{prefix}-{short}") };
        let columns = item.get("columns").map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar_text);
        columns.into_iter().any(|column| format!("{short}-{}", column.replace(['.', '_'], "-")) == name)
    })
}

fn minimum(code: &str, item: &Node, row: &Node, manifest: &Node) -> String {
    let mut out = format!("# {code}\n\nA host has less than the product asks for.\n\n");
    let columns = item.get("columns").map(Node::items).unwrap_or_default();
    for (column, cell) in columns.iter().zip(row.items()) {
        if let (Some(column), Some(cell)) = (column.scalar_text(), cell.scalar_text()) {
            let _ = writeln!(out, "- {column}: {cell}");
        }
    }
    details(&mut out, item, &[("when", "Asked when"), ("level", "Level"), ("who", "Who can answer")]);
    ending(&mut out, item, manifest, true);
    out
}

fn details(out: &mut String, item: &Node, rows: &[(&str, &str)]) {
    let rows: Vec<_> =
        rows.iter().map(|(key, words)| (words, text(item, key))).filter(|(_, t)| !t.is_empty()).collect();
    if !rows.is_empty() {
        out.push('\n');
    }
    for (words, text) in rows {
        let _ = writeln!(out, "- {words}: `{text}`");
    }
}

fn ending(out: &mut String, item: &Node, manifest: &Node, waivable: bool) {
    let help = text(item, "help");
    if !help.is_empty() {
        let _ = writeln!(out, "\n## The way out\n{help}");
    }
    if let Some(source) = source(item, manifest) {
        let _ = writeln!(out, "\n## Source\n{source}");
    }
    let _ = writeln!(
        out,
        "\n{}",
        match waivable {
            true =>
                "To live with it, record a waiver in the spec: `waivers: [{ code: …, at: /hosts/…, reason: \"…\" }]`.",
            false => "No waiver silences it.",
        }
    );
}
