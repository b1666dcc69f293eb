//! From the texts of a pack's folder to a [`Pack`], with a finding for everything in it that is wrong by itself.

use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{Reader, Table, literal};
use super::kinds;
use super::manifest::*;
use crate::artifact::Placement;
use crate::diag::codes::{PACK_BROKEN, PACK_DUPLICATE, PACK_UNKNOWN_KEY, PACK_WRONG_TYPE};
use crate::diag::{Diag, Findings, Level, similar_name};
use crate::ir::Transport;
use crate::node::{Data, Entry, Node};
use crate::parse::parse;
use crate::source::{FileId, PlaceId, Role, Sources, Span};
use crate::value::{Ports, Str, Tracked, Value, Version};

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
    open(pack, sources, findings).map(|opened| opened.read(sources, findings))
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
    /// The pack's part of the schema.
    pub fn settings_schema(&self) -> Arc<serde_json::Value> {
        self.pack.settings_schema.clone()
    }

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

/// Adds a pack's files to the sources and parses its manifest; `None` when that has no usable form.
pub fn open(pack: &PackFiles, sources: &mut Sources, findings: &mut Findings) -> Option<Opened> {
    let manifest = pack.files.iter().find(|(path, _)| &**path == "pack.toml");
    let Some((_, text)) = manifest else {
        findings.push(Diag::new(PACK_BROKEN, format!("the pack `{}` has no `pack.toml`", pack.name)));
        return None;
    };
    let file = sources.add(format!("{}/pack.toml", pack.dir), text.clone(), Role::Pack);
    let manifest = parse(sources, file, findings)?;
    let mut loaded = Pack { file: Some(file), dir: pack.dir.clone(), ..Pack::default() };
    loaded.settings_schema = Arc::new(settings_schema(pack, sources, findings));
    for (path, text) in &pack.files {
        if path.ends_with(".j2") {
            let id = sources.add(format!("{}/{path}", pack.dir), text.clone(), Role::Template);
            loaded.templates.insert(path.clone(), id);
        }
    }
    Some(Opened { manifest, file, pack: loaded, name: pack.name.clone() })
}

fn settings_schema(pack: &PackFiles, sources: &mut Sources, findings: &mut Findings) -> serde_json::Value {
    let Some((_, text)) = pack.files.iter().find(|(path, _)| &**path == "settings.schema.json") else {
        return serde_json::json!({ "type": "object", "additionalProperties": false, "properties": {} });
    };
    match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => {
            let file = sources.add(format!("{}/settings.schema.json", pack.dir), text.clone(), Role::Pack);
            let start = sources.file(file).line_starts().get(error.line().saturating_sub(1)).copied().unwrap_or(0);
            let at = (start as usize + error.column().saturating_sub(1)).min(text.len());
            findings.push(
                Diag::new(PACK_BROKEN, "the settings schema is not JSON")
                    .at(Span::new(file, at, at), error.to_string()),
            );
            serde_json::json!({ "type": "object" })
        }
    }
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

fn binding(entry: &Entry, r: &mut Reader) -> Option<Binding> {
    let mut t = Table::new(&entry.value, "binding");
    let head = r.head(&mut t);
    let is = r.required_expr(&mut t, "is");
    let need = r.string(&mut t, "need");
    let required = match need.as_deref() {
        None | Some("required") => true,
        Some("optional") => false,
        Some(_) => {
            if let Some(node) = entry.value.get("need") {
                r.wrong(node, "`required` or `optional`");
            }
            true
        }
    };
    let binding = Binding {
        head,
        name: entry.key.clone(),
        is: is?,
        required,
        without: r.text(&mut t, "without"),
        ask: r.text(&mut t, "ask"),
        who: r.string(&mut t, "who").unwrap_or_else(|| "customer".into()),
        listens: r.strings(&mut t, "listens"),
        label: r.string(&mut t, "label").unwrap_or_else(|| entry.key.clone()),
    };
    r.finish(&t);
    Some(binding)
}

fn port(entry: &Entry, r: &mut Reader) -> Option<PortRule> {
    let mut t = Table::new(&entry.value, "port");
    let head = r.head(&mut t);
    let mut transports = Vec::new();
    for (word, span) in r.strings(&mut t, "transport") {
        match Transport::from_name(&word).filter(|t| t.has_ports()) {
            Some(transport) => transports.push(transport),
            None => r.findings.push(
                Diag::new(PACK_WRONG_TYPE, "expected `tcp`, `udp` or `sctp`").at(span, "not a transport with ports"),
            ),
        }
    }
    if transports.is_empty() {
        transports.push(Transport::Tcp);
    }
    if Transport::from_name(&entry.key).is_some_and(|t| !t.has_ports()) {
        let message = format!("a port cannot be called `{}`, which is a protocol without ports", entry.key);
        r.findings.push(Diag::new(PACK_WRONG_TYPE, message).at(entry.key_span, "a flow could not tell the two apart"));
    }
    let port = PortRule {
        head,
        name: entry.key.clone(),
        of: r.expr(&mut t, "of"),
        default: default_ports(&mut t, r),
        transports,
        application: r.text(&mut t, "application"),
        published: r.bool(&mut t, "published").unwrap_or(false),
        leads_to: r.expr(&mut t, "leads_to"),
        departs: r.string(&mut t, "departs"),
    };
    if port.of.is_none() && port.default.is_empty() {
        r.findings.push(
            Diag::new(PACK_WRONG_TYPE, format!("the port `{}` has neither `of` nor `default`", entry.key))
                .at(entry.key_span, "which number does it have?"),
        );
    }
    r.finish(&t);
    Some(port)
}

fn default_ports(t: &mut Table, r: &mut Reader) -> Vec<Ports> {
    let Some(node) = t.get("default") else { return Vec::new() };
    let items = match &node.data {
        Data::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let mut ports = Vec::new();
    for item in items {
        match item.scalar_text().map(|s| s.parse::<Ports>()) {
            Some(Ok(p)) => ports.push(p),
            Some(Err(why)) => {
                r.findings.push(Diag::new(PACK_WRONG_TYPE, why).at(item.span, "expected a port or a range of ports"));
            }
            None => r.wrong(item, "a port or a range of ports"),
        }
    }
    ports
}

fn value(entry: &Entry, r: &mut Reader) -> Option<ValueRule> {
    let mut t = Table::new(&entry.value, "value");
    let head = r.head(&mut t);
    let is = r.required_expr(&mut t, "is");
    let write = r.string(&mut t, "write");
    r.finish(&t);
    Some(ValueRule { head, name: entry.key.clone(), is: is?, write })
}

/// A table of columns and rows as a list of maps.
fn rows(entry: &Entry, r: &mut Reader) -> Option<Tracked> {
    let mut t = Table::new(&entry.value, "table");
    r.source(&mut t);
    let columns: Vec<Str> = r.strings(&mut t, "columns").into_iter().map(|(s, _)| s).collect();
    let rows = t.get("rows").map(Node::items).unwrap_or_default();
    r.finish(&t);
    let mut list = Vec::new();
    for row in rows {
        if row.items().len() != columns.len() {
            r.wrong(row, &format!("a row of {} cells", columns.len()));
            continue;
        }
        let cells = columns.iter().cloned().zip(row.items().iter().map(|n| literal(n).unwrap_or_default()));
        list.push(Tracked::new(cells.collect::<crate::value::Map>(), row.place));
    }
    Some(Tracked::new(Value::list(list), entry.value.place))
}

fn component(entry: &Entry, r: &mut Reader) -> Option<Component> {
    let mut t = Table::new(&entry.value, "component");
    let component = Component {
        head: r.head(&mut t),
        name: entry.key.clone(),
        kind: r.string(&mut t, "kind").unwrap_or_else(|| "service".into()),
        listens: r.strings(&mut t, "listens"),
        connects: r.strings(&mut t, "connects"),
        note: r.text(&mut t, "note"),
        published_on: r.expr(&mut t, "published_on"),
        labels: match t.get("labels") {
            Some(node) => node.entries().iter().filter_map(|e| Some((e.key.clone(), r.text_of(&e.value)?))).collect(),
            None => Vec::new(),
        },
    };
    r.finish(&t);
    Some(component)
}

fn contradiction(entry: &Entry, r: &mut Reader) -> Option<Contradiction> {
    let mut t = Table::new(&entry.value, "contradiction");
    let head = Head {
        place: entry.value.place,
        span: entry.value.span,
        source: Source::Cite(r.cited(&mut t, "reads")),
        when: r.expr(&mut t, "when"),
        for_each: Vec::new(),
    };
    let resolved = r.required_string(&mut t, "resolved");
    r.finish(&t);
    Some(Contradiction { head, name: entry.key.clone(), resolved: resolved? })
}

fn blank(entry: &Entry, r: &mut Reader) -> Option<BlankRule> {
    let mut t = Table::new(&entry.value, "blank");
    let head = r.head(&mut t);
    let says = r.required_text(&mut t, "says");
    let revealed_by = r.string(&mut t, "revealed_by").unwrap_or_default();
    r.finish(&t);
    Some(BlankRule { head, name: entry.key.clone(), says: says?, revealed_by })
}

fn default(entry: &Entry, r: &mut Reader) -> Option<DefaultRule> {
    let mut t = Table::new(&entry.value, "default");
    let head = r.head(&mut t);
    let value = t.get("value").and_then(literal);
    r.finish(&t);
    if value.is_none() {
        r.wrong(&entry.value, "a table with `value`");
    }
    Some(DefaultRule { head, pattern: entry.key.clone(), value: value? })
}

fn flow(node: &Node, r: &mut Reader) -> Option<FlowRule> {
    let mut t = Table::new(node, "flow");
    let head = r.head(&mut t);
    let note = r.text(&mut t, "note");
    let flow = t.get("flow");
    let ends = (t.get("from"), t.get("to"));
    let ports = t.get("ports");
    let rule = match (flow, ends) {
        (Some(text), (None, None)) => super::flow::row(text, r).map(|(from, to, groups)| (from, to, groups, None)),
        (None, (Some(from), Some(to))) => {
            let groups = ports.map(|p| super::flow::groups_of(p, r)).unwrap_or_default();
            inline(from, r).zip(inline(to, r)).map(|ends| (Default::default(), Default::default(), groups, Some(ends)))
        }
        _ => {
            r.wrong(node, "a table with `flow`, or with `from`, `to` and `ports`");
            None
        }
    };
    r.finish(&t);
    let (from, to, groups, ends) = rule?;
    Some(FlowRule { head, from, to, ends, groups, note })
}

fn inline(node: &Node, r: &mut Reader) -> Option<InlineEnd> {
    let mut t = Table::new(node, "end of a flow");
    let label = r.required_text(&mut t, "label");
    let is = r.required_expr(&mut t, "is");
    r.finish(&t);
    Some(InlineEnd { label: label?, is: is? })
}

fn question(node: &Node, r: &mut Reader) -> Option<QuestionRule> {
    let mut t = Table::new(node, "question");
    let head = r.head(&mut t);
    let of = r.required_expr(&mut t, "of");
    let ask = r.required_text(&mut t, "ask");
    let who = r.string(&mut t, "who").unwrap_or_else(|| "customer".into());
    let waits = r.strings(&mut t, "waits").into_iter().map(|(s, _)| s).collect();
    r.finish(&t);
    Some(QuestionRule { head, of: of?, ask: ask?, who, waits })
}

fn claim(node: &Node, r: &mut Reader) -> Option<Claim> {
    let mut t = Table::new(node, "claim");
    let head = r.head(&mut t);
    let subject = r.required_text(&mut t, "subject");
    let key = r.required_text(&mut t, "key");
    let value = t.get("value").and_then(|n| r.field_of(n));
    let forbid = t.get("forbid").map(Node::items).unwrap_or_default().iter().filter_map(|n| r.field_of(n)).collect();
    let level = r.level(&mut t, "level").unwrap_or(Level::Error);
    r.finish(&t);
    Some(Claim { head, subject: subject?, key: key?, value, forbid, level })
}

fn immutable(node: &Node, r: &mut Reader) -> Option<Immutable> {
    let mut t = Table::new(node, "immutable");
    let head = r.head(&mut t);
    let at = r.required_expr(&mut t, "at");
    let why = r.required_text(&mut t, "why");
    r.finish(&t);
    Some(Immutable { head, at: at?, why: why? })
}

fn item(node: &Node, kind: &'static kinds::Kind, r: &mut Reader) -> Option<ItemRule> {
    let mut t = Table::new(node, kind.name);
    let head = r.head(&mut t);
    let mut fields = IndexMap::new();
    for name in kind.fields() {
        if let Some(field) = t.get(name).and_then(|n| r.field_of(n)) {
            fields.insert(name.into(), field);
        } else if kind.required.contains(&name) && node.get(name).is_none() {
            r.wrong(node, &format!("a table with `{name}`"));
        }
    }
    r.finish(&t);
    Some(ItemRule { head, kind, fields })
}

fn artifact(node: &Node, r: &mut Reader) -> Option<ArtifactRule> {
    let mut t = Table::new(node, "artifact");
    let head = r.head(&mut t);
    let path = r.required_text(&mut t, "path");
    let template_span = node.get("template").map_or(node.span, |n| n.span);
    let template = r.required_string(&mut t, "template");
    let format_node = node.get("format");
    let format = r.required_string(&mut t, "format");
    if let (Some(name), Some(node)) = (&format, format_node)
        && crate::emit::escape::Format::from_name(name).is_none()
    {
        let mut diag =
            Diag::new(PACK_UNKNOWN_KEY, format!("there is no format `{name}`")).at(node.span, "unknown format");
        if let Some(near) = similar_name(name, crate::emit::escape::Format::NAMES.iter().copied()) {
            diag = diag.help(format!("there is a format `{near}`"));
        }
        r.findings.push(diag);
        return None;
    }
    let placement = match r.string(&mut t, "placement").as_deref() {
        None | Some("carry") => Placement::Carry,
        Some("file") => Placement::File,
        Some("drop-in") => Placement::DropIn,
        Some("block") => Placement::Block,
        Some(_) => {
            if let Some(n) = node.get("placement") {
                r.wrong(n, "one of `file`, `drop-in`, `block`, `carry`");
            }
            Placement::Carry
        }
    };
    let rule = ArtifactRule {
        head,
        path: path?,
        template: template?,
        template_span,
        format: format?,
        of: r.strings(&mut t, "of").into_iter().next(),
        placement,
        host: r.text(&mut t, "host"),
        target: r.text(&mut t, "target"),
        owner: r.text(&mut t, "owner"),
        mode: r.text(&mut t, "mode"),
        apply: r.text(&mut t, "apply"),
        check: r.text(&mut t, "check"),
    };
    r.finish(&t);
    Some(rule)
}

fn omission(node: &Node, r: &mut Reader) -> Option<Omission> {
    let mut t = Table::new(node, "omission");
    let cite = match r.source(&mut t) {
        Some(Source::Cite(ids)) => ids,
        _ => Vec::new(),
    };
    let reason = r.required_string(&mut t, "reason");
    r.finish(&t);
    Some(Omission { cite, reason: reason?, place: node.place })
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
