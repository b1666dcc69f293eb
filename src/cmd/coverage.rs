//! A pack in, `COVERAGE.md` out: what each section of its document has come to, what was added, what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use camino::Utf8Path;

use super::packs::{self, SECTIONS, Section, text};
use super::{Exit, Shell, Stop};
use crate::compile::{BASE, PackFiles, embedded_packs};
use crate::emit::escape::Format;
use crate::node::{Entry, Node};
use crate::prove::{Reach, reach};

/// The file in a pack's folder.
pub const FILE: &str = "COVERAGE.md";

/// Tables of a manifest that hold no items.
const NO_ITEMS: [&str; 4] = ["pack", "cites", "tables", "omissions"];

/// Keys whose text is meant for people; others are expressions or names, and stand in code.
const PROSE: [&str; 15] = [
    "application",
    "ask",
    "departs",
    "help",
    "kind",
    "level",
    "need",
    "note",
    "phase",
    "resolved",
    "says",
    "title",
    "who",
    "why",
    "without",
];

pub fn run(name: &str, write: bool, check: bool, shell: &Shell) -> Result<Exit, Stop> {
    let project = shell.project()?;
    let pack = packs::find(name, &project)?;
    let base = packs::find(BASE, &project)?;
    let document = document(&pack, &base)?;
    if !write && !check {
        shell.print(&document)?;
        return Ok(Exit::Fine);
    }
    let folder = Utf8Path::new(&*pack.dir);
    let path = folder.join(FILE);
    if !folder.join("pack.toml").is_file() {
        let why = "the pack is built in, and its folder is not here; name it with `--packs DIR`";
        return Err(Stop::Usage(format!("there is no `{folder}/pack.toml`: {why}")));
    }
    if check {
        let fresh = fs::read_to_string(&path).is_ok_and(|text| text == document);
        let state = if fresh { "is fresh" } else { "is stale; `sitec packs coverage --write` makes it anew" };
        shell.print(&format!("{path} {state}\n"))?;
        return Ok(if fresh { Exit::Fine } else { Exit::Findings });
    }
    fs::write(&path, document).map_err(|e| Stop::Usage(format!("cannot write `{path}`: {e}")))?;
    shell.print(&format!("{path}\n"))?;
    Ok(Exit::Fine)
}

/// The coverage of a pack that is part of the program.
pub fn of_embedded(name: &str) -> Result<String, Stop> {
    let find = |name: &str| {
        let found = embedded_packs().into_iter().find(|p| &*p.name == name);
        found.ok_or_else(|| Stop::Usage(format!("there is no pack `{name}`")))
    };
    document(&find(name)?, &find(BASE)?)
}

/// The whole document.
pub fn document(pack: &PackFiles, base: &PackFiles) -> Result<String, Stop> {
    let manifest = packs::manifest(pack)?;
    let base_manifest = packs::manifest(base)?;
    let items = items(&manifest);
    let mut out = String::new();
    let title = manifest.get("pack").map(|head| text(head, "title")).unwrap_or_default();
    let _ = write!(
        out,
        "# Coverage of {}\n\n<!-- Made by `sitec packs coverage {} --write`; whoever changes the pack makes it anew. -->\n\n\
         What each section of {} has come to in this pack, what the pack adds of its own, and what it leaves out.\n",
        prose(&title),
        pack.name,
        document_title(&manifest),
    );
    counts(&items, &mut out);
    artifacts(pack, &manifest, &base_manifest, &items, &mut out);
    let omissions = manifest.get("omissions").map(Node::items).unwrap_or_default();
    let mut silent = Vec::new();
    let cites = manifest.get("cites").map(Node::entries).unwrap_or_default();
    for cite in cites {
        let section = cite.value.scalar_text().cloned().unwrap_or_default();
        let here: Vec<&Item> = items.iter().filter(|i| i.cites.contains(&*cite.key)).collect();
        let left_out: Vec<&Node> = omissions.iter().filter(|o| cited(o).contains(&*cite.key)).collect();
        if here.is_empty() && left_out.is_empty() {
            silent.push(prose(&section));
            continue;
        }
        let _ = write!(out, "\n## {}\n", prose(&section));
        group(&here, &mut out);
        if !left_out.is_empty() {
            out.push_str("\n**Left out**\n\n");
            for omission in left_out {
                let _ = writeln!(out, "- {}", prose(&text(omission, "reason")));
            }
        }
    }
    additions(&items, &mut out);
    left_out(omissions, cites, &mut out);
    if !silent.is_empty() {
        out.push_str("\n## Sections from which nothing follows\n\n");
        for section in silent {
            let _ = writeln!(out, "- {section}");
        }
    }
    Ok(out)
}

fn document_title(manifest: &Node) -> String {
    let title = manifest.pointer("/pack/document/title").and_then(Node::scalar_text);
    title.map_or_else(|| "its document".to_owned(), |t| format!("*{}*", prose(t)))
}

/// One item of the manifest.
struct Item<'n> {
    section: &'static Section,
    /// The key of the section, also where the manifest has a kind that `packs show` has no words for.
    kind: String,
    lead: String,
    node: &'n Node,
    cites: BTreeSet<String>,
}

/// What stands for kinds without words of their own.
const OTHER: Section = packs::section("", "", &["name", "id", "key", "path", "host", "code"], &[]);

/// Every item, in the order of [`SECTIONS`], other kinds after them in the order of the manifest.
fn items(manifest: &Node) -> Vec<Item<'_>> {
    let mut found = Vec::new();
    let mut add = |section: &'static Section, kind: &str| {
        for (lead, node) in section.items_at(manifest, kind) {
            found.push(Item { section, kind: kind.to_owned(), lead, node, cites: cited(node) });
        }
    };
    SECTIONS.iter().filter(|s| !NO_ITEMS.contains(&s.key)).for_each(|s| add(s, s.key));
    for entry in manifest.entries() {
        let known = NO_ITEMS.contains(&&*entry.key) || SECTIONS.iter().any(|s| *s.key == *entry.key);
        if !known {
            add(&OTHER, &entry.key);
        }
    }
    found
}

/// The citations of an item and of what is in it.
fn cited(node: &Node) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for entry in node.entries() {
        match &*entry.key {
            "cite" | "reads" => {
                let list = if entry.value.items().is_empty() {
                    std::slice::from_ref(&entry.value)
                } else {
                    entry.value.items()
                };
                ids.extend(list.iter().filter_map(Node::scalar_text).map(|t| t.to_string()));
            }
            _ => ids.extend(entry.value.items().iter().flat_map(cited)),
        }
    }
    ids
}

impl Item<'_> {
    fn title(&self) -> String {
        if !self.section.title.is_empty() {
            return self.section.title.to_owned();
        }
        let words = self.kind.replace('_', " ");
        let mut chars = words.chars();
        chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }

    /// The item in one line of a list.
    fn line(&self) -> String {
        let mut line = if self.lead.is_empty() { String::new() } else { code(&self.lead) };
        if self.kind == "omissions" || self.kind == "questions" {
            line = prose(&self.lead);
        }
        let mut more: Vec<String> = Vec::new();
        for (key, words) in self.section.more.iter().filter(|(key, _)| self.node.get(key).is_some()) {
            let value = text(self.node, key);
            more.push(format!("{words}{}", if PROSE.contains(key) { prose(&value) } else { code(&value) }));
        }
        for (key, words) in [("of", "judges "), ("that", "demands "), ("when", "when ")] {
            if self.node.get(key).is_some() && !self.section.more.iter().any(|(k, _)| *k == key) {
                more.push(format!("{words}{}", code(&text(self.node, key))));
            }
        }
        if !more.is_empty() {
            line.push_str(if line.is_empty() { "" } else { ": " });
            line.push_str(&more.join("; "));
        }
        line
    }
}

/// How much there is of each kind.
fn counts(items: &[Item], out: &mut String) {
    let mut rows: Vec<(String, usize, usize)> = Vec::new();
    for item in items {
        let title = item.title();
        let added = usize::from(item.cites.is_empty());
        match rows.iter_mut().find(|(t, ..)| *t == title) {
            Some(row) => (row.1, row.2) = (row.1 + 1, row.2 + added),
            None => rows.push((title, 1, added)),
        }
    }
    out.push_str("\n| what | items | of these, additions |\n| --- | ---: | ---: |\n");
    for (title, all, added) in rows {
        let _ = writeln!(out, "| {title} | {all} | {added} |");
    }
}

/// A list of items by kind, as they come.
fn group(items: &[&Item], out: &mut String) {
    let mut last = String::new();
    for item in items {
        if item.title() != last {
            last = item.title();
            let _ = write!(out, "\n**{last}**\n\n");
        }
        let _ = writeln!(out, "- {}", item.line());
    }
}

/// The files that the pack writes or has written by the pack of every site, and how far each is proven.
fn artifacts(pack: &PackFiles, manifest: &Node, base: &Node, items: &[Item], out: &mut String) {
    let mut rows: Vec<(String, String, &str)> = Vec::new();
    let kinds: BTreeSet<&str> = items.iter().map(|i| &*i.kind).collect();
    let mut add = |node: &Node, own: bool, by: &'static str| {
        let (path, format) = (text(node, "path"), text(node, "format"));
        let reach = Format::from_name(&format).map_or(Reach::Written, |format| reach(own, &path, format));
        rows.push((path, reach.text(), by));
    };
    let is_base = &*pack.name == BASE;
    for node in manifest.get("artifacts").map(Node::items).unwrap_or_default() {
        add(node, is_base, "the pack's own template");
    }
    for node in base.get("artifacts").map(Node::items).unwrap_or_default().iter().filter(|_| !is_base) {
        let reads = format!("{} {}", text(node, "for_each"), text(node, "when"));
        if node.get("for_each").is_none() && node.get("when").is_none() {
            add(node, true, "`base`, for every site");
        } else if kinds.iter().any(|kind| written_from(kind).iter().any(|list| names(&reads, list))) {
            add(node, true, "`base`, from the pack's items");
        }
    }
    if rows.is_empty() {
        return;
    }
    out.push_str("\n## What is written, and how it is proven\n\n| file | by | proof |\n| --- | --- | --- |\n");
    for (path, reach, by) in rows {
        let _ = writeln!(out, "| {} | {by} | {reach} |", cell(&code(&path)));
    }
}

/// The lists of the `Ir` that items of a kind end up in.
fn written_from<'k>(kind: &'k str) -> Vec<&'k str> {
    match kind {
        "flows" | "components" => vec!["flows", "firewalls"],
        kind => vec![kind],
    }
}

/// Whether an expression reads this list of the `Ir`.
fn names(expression: &str, list: &str) -> bool {
    let name = format!("ir.{list}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    expression.match_indices(&name).any(|(at, _)| ends(&expression[at + name.len()..]))
}

/// What the document does not ask for, with the reasons.
fn additions(items: &[Item], out: &mut String) {
    let mut by_reason: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    let added = items.iter().filter(|i| i.cites.is_empty());
    let mut order = Vec::new();
    for item in added {
        let reason = text(item.node, "addition");
        if !by_reason.contains_key(&reason) {
            order.push(reason.clone());
        }
        by_reason.entry(reason).or_default().push(item);
    }
    if order.is_empty() {
        return;
    }
    out.push_str(
        "\n## Additions of the pack\n\nWhat the document does not say, each with the reason why it is there.\n\n",
    );
    for reason in order {
        let items: Vec<String> = by_reason[&reason].iter().map(|i| format!("{}: {}", i.title(), i.line())).collect();
        let reason = if reason.is_empty() { "no reason is given".to_owned() } else { prose(&reason) };
        let _ = writeln!(out, "- {reason}");
        for item in items {
            let _ = writeln!(out, "  - {item}");
        }
    }
}

/// All omissions in one place.
fn left_out(omissions: &[Node], cites: &[Entry], out: &mut String) {
    if omissions.is_empty() {
        return;
    }
    out.push_str("\n## Left out on purpose\n\n| section | reason |\n| --- | --- |\n");
    for omission in omissions {
        let ids = cited(omission);
        let sections = cites.iter().filter(|c| ids.contains(&*c.key)).filter_map(|c| c.value.scalar_text());
        let sections: Vec<String> = sections.map(|s| prose(s)).collect();
        let section = if sections.is_empty() { "–".to_owned() } else { sections.join("; ") };
        let _ = writeln!(out, "| {} | {} |", cell(&section), cell(&prose(&text(omission, "reason"))));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Text of the pack as a code span, whatever is in it.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text of the pack between code spans of its own, without anything that Markdown takes for markup.
fn prose(text: &str) -> String {
    let balanced = text.matches('`').count() % 2 == 0;
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '`' if balanced => inside = !inside,
            '<' | '*' | '_' | '[' | ']' | '`' if !inside => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_backticks() {
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("`b`"), "`` `b` ``");
    }

    #[test]
    fn prose_escapes_markup_outside_code() {
        assert_eq!(prose("a < b and `c < d`"), "a \\< b and `c < d`");
        assert_eq!(prose("an odd ` mark"), "an odd \\` mark");
    }

    #[test]
    fn every_list_of_an_expression_counts_whole() {
        assert!(names("g = ir.exports|groupby('x')", "exports"));
        assert!(!names("g = ir.exports_more", "exports"));
    }
}
