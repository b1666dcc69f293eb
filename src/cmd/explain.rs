//! `sitec explain`: the page of a code, or the list of all codes.

use std::fmt::Write as _;

use super::packs::{available, manifest, source, text};
use super::{Exit, Shell, Stop};
use crate::cli::{ExplainArgs, Format};
use crate::diag::{codes, similar_name};
use crate::node::Node;

pub fn run(args: &ExplainArgs, shell: &Shell) -> Result<Exit, Stop> {
    let page = match &args.code {
        None => list(shell.format),
        Some(code) => match codes::find(code) {
            Some(row) => row.page.to_string(),
            None => page_of_pack(code, shell)?,
        },
    };
    shell.print(&page)?;
    Ok(Exit::Fine)
}

fn list(format: Format) -> String {
    if format == Format::Json {
        let rows = codes::TABLE
            .iter()
            .map(|row| serde_json::json!({ "code": row.code, "name": row.name, "level": row.level.name() }));
        return format!("{:#}\n", serde_json::json!({ "version": 1, "codes": rows.collect::<Vec<_>>() }));
    }
    let mut out = String::new();
    for row in codes::TABLE {
        let _ = writeln!(out, "{}  {:<9} {}", row.code, row.level.name(), row.name);
    }
    out.push_str("\nCodes such as `pack/name` are requirements of a pack; `sitec packs show PACK` lists them.\n");
    out
}

/// The page of a pack's requirement, made from its `pack.toml`.
fn page_of_pack(code: &str, shell: &Shell) -> Result<String, Stop> {
    let Some((pack, name)) = code.split_once('/') else {
        let known = codes::TABLE.iter().flat_map(|row| [row.code, row.name]);
        return Err(Stop::Usage(match similar_name(code, known) {
            Some(near) => format!("there is no code `{code}`; there is `{near}`"),
            None => format!("there is no code `{code}`; `sitec explain` lists them all"),
        }));
    };
    let packs = available(&shell.project()?);
    let Some(files) = packs.iter().find(|p| &*p.name == pack) else {
        let message = match similar_name(pack, packs.iter().map(|p| &*p.name)) {
            Some(near) => format!("there is no pack `{pack}`; there is `{near}`"),
            None => format!("there is no pack `{pack}`; is `--packs DIR` missing?"),
        };
        return Err(Stop::Usage(message));
    };
    let manifest = manifest(files)?;
    let items = |key: &str| manifest.get(key).map(Node::items).unwrap_or_default();
    let code_of = |item: &Node| text(item, "code");
    let own = |item: &&Node| {
        let own = code_of(item);
        own == name || own == code
    };
    if let Some(item) = items("requirements").iter().find(own) {
        return Ok(requirement(code, item, &manifest));
    }
    if let Some((item, row)) = items("minimums").iter().find_map(|item| Some((item, row_of(item, name)?))) {
        return Ok(minimum(code, item, row, &manifest));
    }
    let entries = manifest.get("contradictions").map(Node::entries).unwrap_or_default();
    let named = |key: &str| name.strip_prefix("contradiction-").is_some_and(|n| n == key.replace('_', "-"));
    if let Some(entry) = entries.iter().find(|entry| named(&entry.key)) {
        return Ok(contradiction(code, &entry.value, &manifest));
    }
    let of_contradictions = entries.iter().map(|entry| format!("contradiction-{}", entry.key.replace('_', "-")));
    let codes: Vec<String> = items("requirements").iter().map(code_of).chain(of_contradictions).collect();
    Err(Stop::Usage(match similar_name(name, codes.iter().map(String::as_str)) {
        Some(near) => format!("the pack `{pack}` has no requirement `{name}`; there is `{near}`"),
        None => format!("the pack `{pack}` has no requirement `{name}`; see `sitec packs show {pack}`"),
    }))
}

fn requirement(code: &str, item: &Node, manifest: &Node) -> String {
    let mut out = format!("# {code}\n\n{}\n", text(item, "says"));
    let rows = [
        ("level", "Level"),
        ("when", "Asked when"),
        ("for_each", "For each"),
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
    ending(&mut out, item, manifest);
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
    ending(&mut out, item, manifest);
    out
}

fn contradiction(code: &str, item: &Node, manifest: &Node) -> String {
    let mut out = format!("# {code}\n\nThe document says two things that cannot both hold.\n\n");
    let section = |id: &Node| Some(text(manifest.get("cites")?, id.scalar_text()?));
    for section in item.get("reads").map(Node::items).unwrap_or_default().iter().filter_map(section) {
        let _ = writeln!(out, "- {section}");
    }
    let _ = writeln!(out, "\n## How it is read\n{}", text(item, "resolved"));
    details(&mut out, item, &[("when", "Matters when")]);
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

fn ending(out: &mut String, item: &Node, manifest: &Node) {
    let help = text(item, "help");
    if !help.is_empty() {
        let _ = writeln!(out, "\n## The way out\n{help}");
    }
    if let Some(source) = source(item, manifest) {
        let _ = writeln!(out, "\n## Source\n{source}");
    }
    let _ = writeln!(
        out,
        "\nTo live with it, record a waiver in the spec: `waivers: [{{ code: …, at: /hosts/…, reason: \"…\" }}]`."
    );
}
