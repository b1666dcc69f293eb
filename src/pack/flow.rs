//! The rows of flow tables: `src {, src} -> dst {, dst} [: group {; group}]`, every word with its span.

use super::fields::Reader;
use super::manifest::PortGroup;
use crate::diag::Diag;
use crate::diag::codes::PACK_WRONG_TYPE;
use crate::ir::Transport;
use crate::node::Node;
use crate::source::Span;
use crate::value::{Ports, Str};

type Names = Vec<(Str, Span)>;

/// Reads one row. A group is `port {, port}[/transport{+transport} application]` or the name of a port.
pub fn row(node: &Node, r: &mut Reader) -> Option<(Names, Names, Vec<PortGroup>)> {
    let text = r.string_of(node)?;
    let raw = r.sources.text(node.span);
    let base = raw.find(&*text).map_or(node.span, |o| node.span.within(o, text.len()));
    let span = |part: &str| {
        let offset = part.as_ptr() as usize - text.as_ptr() as usize;
        if base.end - base.start == text.len() as u32 { base.within(offset, part.len()) } else { node.span }
    };
    let Some((from, rest)) = text.split_once("->") else {
        r.findings.push(
            Diag::new(PACK_WRONG_TYPE, "a flow needs `->` between its ends")
                .at(node.span, "expected `from -> to : ports`"),
        );
        return None;
    };
    let (to, groups) = rest.split_once(" : ").unwrap_or((rest, ""));
    let names = |list: &str| -> Names {
        list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| (Str::from(n), span(n))).collect()
    };
    let parsed = groups_in(groups, &span, r);
    let (from, to) = (names(from), names(to));
    if from.is_empty() || to.is_empty() {
        r.findings.push(Diag::new(PACK_WRONG_TYPE, "a flow needs a name on both sides of `->`").at(node.span, ""));
        return None;
    }
    Some((from, to, parsed))
}

/// Reads groups of ports that stand alone: `6443/tcp Kubernetes API; 10250/tcp kubelet`.
pub fn groups_of(node: &Node, r: &mut Reader) -> Vec<PortGroup> {
    let Some(text) = r.string_of(node) else { return Vec::new() };
    groups_in(&text, &|_| node.span, r)
}

fn groups_in(text: &str, span: &dyn Fn(&str) -> Span, r: &mut Reader) -> Vec<PortGroup> {
    let mut parsed = Vec::new();
    for part in text.split(';').map(str::trim).filter(|g| !g.is_empty()) {
        match group(part) {
            Ok(Some(group)) => parsed.push(group),
            Ok(None) => {
                for name in part.split(',').map(str::trim) {
                    parsed.push(PortGroup::Named(name.into(), span(name)));
                }
            }
            Err(why) => {
                r.findings.push(Diag::new(PACK_WRONG_TYPE, why).at(span(part), "in this group of ports"));
            }
        }
    }
    parsed
}

/// A literal group: `443,8443/tcp HTTPS`, `53/tcp+udp DNS`, or a protocol without ports, `ip-in-ip overlay`; `None` when
/// it consists of names.
pub(crate) fn group(text: &str) -> Result<Option<PortGroup>, String> {
    let (first, application) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(transport) = Transport::from_name(first).filter(|t| !t.has_ports()) {
        let application = application.trim().into();
        return Ok(Some(PortGroup::Literal { ports: Vec::new(), transports: vec![transport], application }));
    }
    let Some((ports, rest)) = text.split_once('/') else {
        return match text.starts_with(|c: char| c.is_ascii_digit()) {
            true => Err(format!("`{text}` lacks its transport, as in `{text}/tcp`")),
            false => Ok(None),
        };
    };
    let (words, application) = rest.split_once(' ').unwrap_or((rest, ""));
    let ports = ports.split(',').map(|p| p.trim().parse::<Ports>()).collect::<Result<Vec<_>, _>>()?;
    let mut transports = Vec::new();
    for word in words.split('+') {
        match Transport::from_name(word) {
            Some(transport) if transport.has_ports() => transports.push(transport),
            Some(_) => return Err(format!("`{word}` has no ports; write it alone")),
            None => return Err(format!("`{word}` is not a transport; known are {}", known_transports())),
        }
    }
    transports.sort_unstable();
    transports.dedup();
    Ok(Some(PortGroup::Literal { ports, transports, application: application.trim().into() }))
}

/// `tcp`, `udp`, … for messages.
fn known_transports() -> String {
    Transport::ALL.map(|t| format!("`{}`", t.name())).join(", ")
}
