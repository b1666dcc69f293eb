//! From the texts of a pack's folder to a [`Pack`], with a finding for everything in it that is wrong by itself.

use std::sync::Arc;

use indexmap::IndexMap;

use super::entries::*;
use super::fields::{Reader, Table};
use super::kinds;
use super::manifest::*;
use crate::diag::codes::{PACK_BROKEN, PACK_DUPLICATE};
use crate::diag::{Diag, Findings};
use crate::node::{Data, Entry, Node};
use crate::parse::parse;
use crate::source::{FileId, PlaceId, Role, Sources, Span};
use crate::value::{Str, Version};

/// The files of one pack's folder, by path below it.
#[derive(Clone, Debug, Default)]
pub struct PackFiles {
    pub name: Str,
    /// How the folder is named in messages.
    pub dir: Str,
    pub files: Vec<(Str, Str)>,
}

/// Loads a pack. What cannot be read is left out and reported; `None` only when `pack.toml` has no usable form.
pub fn load(pack: &PackFiles, sources: &mut Sources, findings: &mut Findings) -> Option<Pack> {
    open(pack, &settings_schema(pack), sources, findings).map(|opened| opened.read(sources, findings))
}

/// A pack whose files are among the sources and whose manifest has been parsed.
pub struct Opened {
    manifest: Node,
    file: FileId,
    pack: Pack,
    /// The folder's name, for a pack that does not say its own.
    name: Str,
}

impl Opened {
    /// Reads the manifest: expressions, texts, items. Several packs can be read at a time.
    pub fn read(self, sources: &Sources, findings: &mut Findings) -> Pack {
        let Self { manifest, file, mut pack, name } = self;
        read_manifest(&manifest, file, &mut pack, sources, findings);
        if pack.name.is_empty() {
            pack.name = name;
        }
        pack
    }
}

/// A pack's part of the schema, or why it is none.
pub type Settings = Result<Arc<serde_json::Value>, serde_json::Error>;

/// Adds a pack's files to the sources and parses its manifest; `None` when that has no usable form.
pub fn open(pack: &PackFiles, settings: &Settings, sources: &mut Sources, findings: &mut Findings) -> Option<Opened> {
    let manifest = pack.files.iter().find(|(path, _)| &**path == "pack.toml");
    let Some((_, text)) = manifest else {
        findings.push(Diag::new(PACK_BROKEN, format!("the pack `{}` has no `pack.toml`", pack.name)));
        return None;
    };
    let file = sources.add(format!("{}/pack.toml", pack.dir), text.clone(), Role::Pack);
    let manifest = parse(sources, file, findings)?;
    let mut loaded = Pack { file: Some(file), dir: pack.dir.clone(), ..Pack::default() };
    loaded.settings_schema = match settings {
        Ok(schema) => schema.clone(),
        Err(error) => {
            malformed_schema(pack, error, sources, findings);
            whatever()
        }
    };
    for (path, text) in &pack.files {
        if path.ends_with(".j2") {
            let id = sources.add(format!("{}/{path}", pack.dir), text.clone(), Role::Template);
            loaded.templates.insert(path.clone(), id);
        }
    }
    Some(Opened { manifest, file, pack: loaded, name: pack.name.clone() })
}

/// Parses a pack's part of the schema; a pack without one takes no settings.
pub fn settings_schema(pack: &PackFiles) -> Settings {
    let schema = match pack.files.iter().find(|(path, _)| &**path == SETTINGS) {
        Some((_, text)) => serde_json::from_str(text)?,
        None => serde_json::json!({ "type": "object", "additionalProperties": false, "properties": {} }),
    };
    Ok(Arc::new(schema))
}

/// The schema of settings of which nothing is known.
pub fn whatever() -> Arc<serde_json::Value> {
    Arc::new(serde_json::json!({ "type": "object" }))
}

const SETTINGS: &str = "settings.schema.json";

fn malformed_schema(pack: &PackFiles, error: &serde_json::Error, sources: &mut Sources, findings: &mut Findings) {
    let Some((_, text)) = pack.files.iter().find(|(path, _)| &**path == SETTINGS) else { return };
    let file = sources.add(format!("{}/{SETTINGS}", pack.dir), text.clone(), Role::Pack);
    let start = sources.file(file).line_starts().get(error.line().saturating_sub(1)).copied().unwrap_or(0);
    let at = (start as usize + error.column().saturating_sub(1)).min(text.len());
    findings
        .push(Diag::new(PACK_BROKEN, "the settings schema is not JSON").at(Span::new(file, at, at), error.to_string()));
}

fn read_manifest(root: &Node, file: FileId, pack: &mut Pack, sources: &Sources, findings: &mut Findings) {
    let mut top = Table::new(root, "pack.toml");
    let cites = top.get("cites");
    let mut r = Reader { sources, findings, cites: Vec::new() };
    for entry in cites.map(Node::entries).unwrap_or_default() {
        if let Some(section) = r.string_of(&entry.value) {
            pack.cites.insert(entry.key.clone(), section);
        }
    }
    r.cites = pack.cites.keys().cloned().collect();
    match top.get("pack") {
        Some(node) => head_of_pack(node, pack, &mut r),
        None => r.findings.push(
            Diag::new(PACK_BROKEN, "the manifest has no `[pack]`").at(Span::new(file, 0, 0), "expected `[pack]` here"),
        ),
    }
    pack.bindings = table(&mut top, &mut r, "bindings", binding);
    pack.ports = table(&mut top, &mut r, "ports", port);
    pack.values = table(&mut top, &mut r, "values", value);
    pack.tables = table(&mut top, &mut r, "tables", rows);
    pack.components = table(&mut top, &mut r, "components", component);
    pack.contradictions = table(&mut top, &mut r, "contradictions", contradiction);
    pack.blanks = table(&mut top, &mut r, "blanks", blank);
    pack.defaults = table(&mut top, &mut r, "defaults", default).into_values().collect();
    pack.flows = list(&mut top, &mut r, "flows", flow);
    pack.requirements = list(&mut top, &mut r, "requirements", super::judge::requirement);
    pack.requirements.extend(list(&mut top, &mut r, "minimums", super::judge::minimums).into_iter().flatten());
    pack.questions = list(&mut top, &mut r, "questions", question);
    pack.claims = list(&mut top, &mut r, "claims", claim);
    pack.immutable = list(&mut top, &mut r, "immutable", immutable);
    for kind in kinds::KINDS {
        pack.items.extend(list(&mut top, &mut r, kind.name, |node, r| item(node, kind, r)));
    }
    pack.artifacts = list(&mut top, &mut r, "artifacts", artifact);
    pack.steps = list(&mut top, &mut r, "steps", super::steps::step);
    pack.omissions = list(&mut top, &mut r, "omissions", omission);
    r.finish(&top);
}

/// Reads a table of named items.
fn table<T>(
    top: &mut Table,
    r: &mut Reader,
    key: &'static str,
    read: impl Fn(&Entry, &mut Reader) -> Option<T>,
) -> IndexMap<Str, T> {
    let Some(node) = top.get(key) else { return IndexMap::new() };
    if !matches!(node.data, Data::Map(_)) {
        r.wrong(node, "a table");
    }
    node.entries().iter().filter_map(|e| read(e, r).map(|t| (e.key.clone(), t))).collect()
}

/// Reads an array of tables; one table stands for an array of one.
pub(super) fn list<T>(
    top: &mut Table,
    r: &mut Reader,
    key: &'static str,
    read: impl Fn(&Node, &mut Reader) -> Option<T>,
) -> Vec<T> {
    let Some(node) = top.get(key) else { return Vec::new() };
    match &node.data {
        Data::List(items) => items.iter().filter_map(|n| read(n, r)).collect(),
        Data::Map(_) => read(node, r).into_iter().collect(),
        _ => {
            r.wrong(node, "an array of tables");
            Vec::new()
        }
    }
}

fn head_of_pack(node: &Node, pack: &mut Pack, r: &mut Reader) {
    let mut t = Table::new(node, "pack");
    pack.place = node.place;
    pack.name = r.required_string(&mut t, "name").unwrap_or_default();
    pack.title = r.string(&mut t, "title").unwrap_or_else(|| pack.name.clone());
    pack.summary = r.string(&mut t, "summary").unwrap_or_default();
    pack.phases = r.strings(&mut t, "phases").into_iter().map(|(s, _)| s).collect();
    pack.nodes = r.expr(&mut t, "nodes");
    pack.versions = bound(&mut t, r);
    if let Some(document) = t.get("document") {
        let mut d = Table::new(document, "document");
        pack.document.id = r.string(&mut d, "id").unwrap_or_default();
        pack.document.title = r.string(&mut d, "title").unwrap_or_default();
        r.finish(&d);
    }
    r.finish(&t);
}

fn bound(t: &mut Table, r: &mut Reader) -> Option<Bound> {
    let node = t.get("versions")?;
    let text = r.string_of(node)?;
    match text.trim().strip_prefix(">=").map(|v| v.trim().parse::<Version>()) {
        Some(Ok(at_least)) => Some(Bound { text, at_least, span: node.span }),
        _ => {
            r.wrong(node, "a bound such as `>=2023.09`");
            None
        }
    }
}

/// Reports names that stand twice among items that need unlike names.
pub(super) fn unlike<'a>(what: &str, names: impl Iterator<Item = (&'a Str, Span)>, findings: &mut Findings) {
    let mut seen: std::collections::BTreeMap<&Str, Span> = Default::default();
    for (name, span) in names {
        match seen.get(name) {
            Some(first) => findings.push(
                Diag::new(PACK_DUPLICATE, format!("the {what} `{name}` is declared twice"))
                    .at(span, "second declaration")
                    .and(*first, "first declaration"),
            ),
            None => {
                seen.insert(name, span);
            }
        }
    }
}

/// The place of a pack item as an origin.
pub fn place_of(head: &Head) -> PlaceId {
    head.place
}
