//! The rows of flow tables: `src {, src} -> dst {, dst} [: group {; group}]`, every word with its span.

use super::fields::Reader;
use super::manifest::PortGroup;
use crate::diag::codes::PACK_WRONG_TYPE;
use crate::diag::{Diag, similar_name};
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
            Err(wrong) => {
                let diag = Diag::new(PACK_WRONG_TYPE, wrong.message).at(span(wrong.word), "in this group of ports");
                r.findings.push(diag.help(wrong.help));
            }
        }
    }
    parsed
}

/// What is wrong with a group of ports.
pub(crate) struct Wrong<'t> {
    pub message: String,
    /// The word at fault.
    pub word: &'t str,
    pub help: String,
    /// What may be meant by the word.
    pub instead: Option<String>,
}

/// A literal group: `443,8443/tcp HTTPS`, `53/tcp+udp DNS`, or a protocol without ports, `ip-in-ip overlay`; `None` when
/// it consists of names.
pub(crate) fn group(text: &str) -> Result<Option<PortGroup>, Wrong<'_>> {
    let (first, application) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(transport) = Transport::from_name(first).filter(|t| !t.has_ports()) {
        let application = application.trim().into();
        return Ok(Some(PortGroup::Literal { ports: Vec::new(), transports: vec![transport], application }));
    }
    let Some((ports, rest)) = text.split_once('/') else {
        return match text.starts_with(|c: char| c.is_ascii_digit()) {
            true => Err(Wrong {
                message: format!("`{first}` lacks its transport"),
                word: first,
                help: format!("the transport stands behind the ports: `{first}/tcp`, `{first}/udp`"),
                instead: Some(format!("{first}/tcp")),
            }),
            false => Ok(None),
        };
    };
    let (words, application) = rest.split_once(' ').unwrap_or((rest, ""));
    let ports = ports.split(',').map(|word| port(word.trim())).collect::<Result<Vec<_>, _>>()?;
    let mut transports = Vec::new();
    for word in words.split('+') {
        let transport = Transport::from_name(word);
        let message = match transport {
            Some(transport) if transport.has_ports() => {
                transports.push(transport);
                continue;
            }
            Some(_) => format!("`{word}` has no ports"),
            None => format!("`{word}` is not a transport"),
        };
        let near = similar_name(word, Transport::ALL.map(|t| t.name())).filter(|_| transport.is_none());
        let help = match (transport, near) {
            (Some(_), _) => format!("write it alone: `{word}`, then what it is for"),
            (None, Some(near)) => format!("there is `{near}`"),
            (None, None) => format!("known are {}", known_transports()),
        };
        return Err(Wrong { message, word, help, instead: near.map(str::to_owned) });
    }
    transports.sort_unstable();
    transports.dedup();
    Ok(Some(PortGroup::Literal { ports, transports, application: application.trim().into() }))
}

/// A port or a range of ports of a group.
fn port(word: &str) -> Result<Ports, Wrong<'_>> {
    word.parse().map_err(|message| {
        let instead = Ports::swapped(word);
        let help = match &instead {
            Some(_) => "the smaller number comes first",
            None => "a port such as `443`, or a range such as `8000-9000`",
        };
        Wrong { message, word, help: help.to_owned(), instead }
    })
}

/// `tcp`, `udp`, … for messages.
fn known_transports() -> String {
    Transport::ALL.map(|t| format!("`{}`", t.name())).join(", ")
}
