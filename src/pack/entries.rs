//! The entries of a manifest, one reader for each kind: a table of `pack.toml` in, a typed rule out.

use indexmap::IndexMap;

use super::fields::{Reader, Table, literal};
use super::kinds;
use super::manifest::*;
use crate::artifact::Placement;
use crate::diag::codes::{PACK_UNKNOWN_KEY, PACK_WRONG_TYPE};
use crate::diag::{Diag, Level, similar_name};
use crate::ir::Transport;
use crate::node::{Data, Entry, Node};
use crate::value::{Ports, Str, Tracked, Value};

pub(super) fn binding(entry: &Entry, r: &mut Reader) -> Option<Binding> {
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

pub(super) fn port(entry: &Entry, r: &mut Reader) -> Option<PortRule> {
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

pub(super) fn value(entry: &Entry, r: &mut Reader) -> Option<ValueRule> {
    let mut t = Table::new(&entry.value, "value");
    let head = r.head(&mut t);
    let is = r.required_expr(&mut t, "is");
    let write = r.string(&mut t, "write");
    r.finish(&t);
    Some(ValueRule { head, name: entry.key.clone(), is: is?, write })
}

/// A table of columns and rows as a list of maps.
pub(super) fn rows(entry: &Entry, r: &mut Reader) -> Option<Tracked> {
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

pub(super) fn component(entry: &Entry, r: &mut Reader) -> Option<Component> {
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

pub(super) fn contradiction(entry: &Entry, r: &mut Reader) -> Option<Contradiction> {
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

pub(super) fn blank(entry: &Entry, r: &mut Reader) -> Option<BlankRule> {
    let mut t = Table::new(&entry.value, "blank");
    let head = r.head(&mut t);
    let says = r.required_text(&mut t, "says");
    let revealed_by = r.string(&mut t, "revealed_by").unwrap_or_default();
    r.finish(&t);
    Some(BlankRule { head, name: entry.key.clone(), says: says?, revealed_by })
}

pub(super) fn default(entry: &Entry, r: &mut Reader) -> Option<DefaultRule> {
    let mut t = Table::new(&entry.value, "default");
    let head = r.head(&mut t);
    let value = t.get("value").and_then(literal);
    r.finish(&t);
    if value.is_none() {
        r.wrong(&entry.value, "a table with `value`");
    }
    Some(DefaultRule { head, pattern: entry.key.clone(), value: value? })
}

pub(super) fn flow(node: &Node, r: &mut Reader) -> Option<FlowRule> {
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

pub(super) fn question(node: &Node, r: &mut Reader) -> Option<QuestionRule> {
    let mut t = Table::new(node, "question");
    let head = r.head(&mut t);
    let of = r.required_expr(&mut t, "of");
    let ask = r.required_text(&mut t, "ask");
    let who = r.string(&mut t, "who").unwrap_or_else(|| "customer".into());
    let waits = r.strings(&mut t, "waits").into_iter().map(|(s, _)| s).collect();
    r.finish(&t);
    Some(QuestionRule { head, of: of?, ask: ask?, who, waits })
}

pub(super) fn claim(node: &Node, r: &mut Reader) -> Option<Claim> {
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

pub(super) fn immutable(node: &Node, r: &mut Reader) -> Option<Immutable> {
    let mut t = Table::new(node, "immutable");
    let head = r.head(&mut t);
    let at = r.required_expr(&mut t, "at");
    let why = r.required_text(&mut t, "why");
    r.finish(&t);
    Some(Immutable { head, at: at?, why: why? })
}

pub(super) fn item(node: &Node, kind: &'static kinds::Kind, r: &mut Reader) -> Option<ItemRule> {
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

pub(super) fn artifact(node: &Node, r: &mut Reader) -> Option<ArtifactRule> {
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

pub(super) fn omission(node: &Node, r: &mut Reader) -> Option<Omission> {
    let mut t = Table::new(node, "omission");
    let cite = match r.source(&mut t) {
        Some(Source::Cite(ids)) => ids,
        _ => Vec::new(),
    };
    let reason = r.required_string(&mut t, "reason");
    r.finish(&t);
    Some(Omission { cite, reason: reason?, place: node.place })
}
