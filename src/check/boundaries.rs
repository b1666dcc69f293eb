//! What firewalls between networks let through today, against the flows that products need: one finding per boundary,
//! with the flows that it stops.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::carried::row_of;
use super::flows::added_rows;
use super::places::spec_span;
use crate::diag::codes::{BOUNDARY_BLOCKS, EMPTY_END, MALFORMED};
use crate::diag::{Diag, Findings};
use crate::ir::{Flow, Ir, Nets, Transport};
use crate::lower::peers::peers;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Ports, Ref, Tracked, Value};

/// Flows that a finding names; the rest is counted.
const FLOWS_SHOWN: usize = 8;

/// What one word of `allow` or `deny` covers.
pub(super) struct Traffic {
    /// All that there are; of no meaning for a protocol without ports.
    ports: Ports,
    transport: Option<Transport>,
}

impl Traffic {
    /// Whether some traffic is covered by both.
    pub(super) fn meets(&self, other: &Traffic) -> bool {
        let same = self.transport.is_none() || other.transport.is_none() || self.transport == other.transport;
        same && self.ports.low <= other.ports.high && other.ports.low <= self.ports.high
    }

    /// Whether it covers all that the other does.
    pub(super) fn holds(&self, other: &Traffic) -> bool {
        (self.transport.is_none() || self.transport == other.transport) && self.ports.contains(other.ports)
    }
}

const ALL_PORTS: Ports = Ports { low: 1, high: u16::MAX };

/// Compares every boundary of the spec with every flow that crosses it.
pub fn boundaries(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let list = site.at("/firewall/boundaries").map(Tracked::items).unwrap_or_default();
    for (index, boundary) in list.iter().enumerate() {
        for key in ["from", "to"] {
            if let Some(diag) = boundary.get(key).and_then(|end| empty(end, site, sources)) {
                findings.push(diag.pointer(format!("/firewall/boundaries/{index}/{key}")));
            }
        }
        let Some((from, to)) = ends(boundary, site) else { continue };
        if malformed(boundary, sources, findings) || ["allow", "deny"].iter().any(|key| is_faulty(boundary.get(key))) {
            continue;
        }
        let (allow, deny) = (traffic(boundary, "allow"), traffic(boundary, "deny"));
        if allow.is_none() && deny.is_none() {
            continue;
        }
        let crossing = ir.flows.iter().filter(|f| Passage::of(f).crosses(&from, &to));
        let mut stopped: Vec<&Flow> =
            crossing.filter(|f| Passage::of(f).is_stopped(&allow, &deny)).map(|f| &**f).collect();
        stopped.dedup_by_key(|f| line(f));
        if !stopped.is_empty() {
            let pointer = format!("/firewall/boundaries/{index}");
            findings.push(report(boundary, &stopped, &added_rows(site, sources), sources).pointer(pointer));
        }
    }
}

/// Whether a list, or something in it, has been reported as faulty.
fn is_faulty(list: Option<&Tracked>) -> bool {
    list.is_some_and(|list| list.value.is_poison() || list.items().iter().any(|item| item.value.is_poison()))
}

/// Reports an end to which the spec gives no address on purpose: a list with nothing in it.
fn empty(end: &Tracked, site: &Site, sources: &Sources) -> Option<Diag> {
    let Value::Ref(named) = &end.value else { return None };
    let Ref { table, name } = &**named;
    let entry = site.entry(table, name)?;
    let list = ["cidrs", "addresses"].into_iter().find_map(|key| entry.get(key).filter(|v| !v.value.is_null()))?;
    if !matches!(&list.value, Value::List(items) if items.is_empty()) {
        return None;
    }
    let message = format!("nobody is `{name}`: the boundary would judge nothing");
    let mut diag = Diag::new(EMPTY_END, message).at_maybe(spec_span(&end.origins, sources), "no address");
    if let Some(span) = spec_span(&list.origins, sources) {
        diag = diag.and(span, "this list is empty");
    }
    Some(diag.help("give it addresses, or take the boundary away"))
}

/// Reports words of a boundary that are no traffic, such as a range that begins after its end; whether there are any.
fn malformed(boundary: &Tracked, sources: &Sources, findings: &mut Findings) -> bool {
    let words = ["allow", "deny"].into_iter().filter_map(|key| boundary.get(key)).flat_map(Tracked::items);
    let mut any = false;
    for word in words {
        let Some(text) = word.value.text().filter(|text| read(text).is_none()) else { continue };
        any = true;
        let ports = text.split_once('/').map_or(&*text, |(ports, _)| ports);
        let why = match ports.parse::<Ports>() {
            Err(why) => why,
            Ok(_) => format!("`{text}` is neither a port with its transport nor a transport"),
        };
        let span = spec_span(&word.origins, sources);
        let diag = Diag::new(MALFORMED, why).at_maybe(span, "");
        let swapped = Ports::swapped(ports).map(|range| text.replacen(ports, &range, 1));
        findings.push(match swapped.zip(span) {
            Some((instead, span)) => diag.help("the smaller number comes first").replace(span, instead, false),
            None => diag.help("write `443/tcp`, `8000-8010/udp`, a transport (`esp`) or `all`"),
        });
    }
    any
}

/// The boundaries that stop some traffic between addresses, each as `from -> to` with its origins.
pub fn crossed(passes: &Passage<'_>, site: &Site) -> Vec<(String, Origins)> {
    let list = site.at("/firewall/boundaries").map(Tracked::items).unwrap_or_default();
    let stops = |boundary: &&Tracked| {
        let ends = ends(boundary, site);
        let (allow, deny) = (traffic(boundary, "allow"), traffic(boundary, "deny"));
        let says = allow.is_some() || deny.is_some();
        ends.is_some_and(|(from, to)| says && passes.crosses(&from, &to) && passes.is_stopped(&allow, &deny))
    };
    let name = |boundary: &Tracked, key: &str| boundary.get(key).and_then(|v| v.value.text()).unwrap_or_default();
    let named = |b: &Tracked| (format!("{} -> {}", name(b, "from"), name(b, "to")), b.origins.clone());
    list.iter().filter(stops).map(named).collect()
}

/// The networks on both sides of a boundary.
pub(super) fn ends(boundary: &Tracked, site: &Site) -> Option<(Nets, Nets)> {
    let nets = |key: &str| {
        let found = boundary.get(key).filter(|v| !v.value.is_null()).and_then(|v| peers(v, site))?;
        (!found.value.nets.is_empty()).then_some(found.value.nets)
    };
    Some((nets("from")?, nets("to")?))
}

/// The words of a list; `None` when it is unanswered.
fn traffic(boundary: &Tracked, key: &str) -> Option<Vec<Traffic>> {
    let list = boundary.get(key).filter(|v| matches!(v.value, Value::List(_)))?;
    let words = list.items().iter().filter_map(|i| i.value.text());
    Some(words.filter_map(|word| read(&word)).collect())
}

pub(super) fn read(word: &str) -> Option<Traffic> {
    if word == "all" {
        return Some(Traffic { ports: ALL_PORTS, transport: None });
    }
    match word.split_once('/') {
        Some((ports, transport)) => {
            Some(Traffic { ports: ports.parse().ok()?, transport: Some(Transport::from_name(transport)?) })
        }
        None => Some(Traffic { ports: ALL_PORTS, transport: Some(Transport::from_name(word)?) }),
    }
}

/// Traffic between addresses, as far as firewalls between networks judge it.
pub struct Passage<'a> {
    pub from: &'a [IpNet],
    pub to: &'a [IpNet],
    pub ports: Ports,
    pub transport: Transport,
}

impl<'a> Passage<'a> {
    fn of(flow: &'a Flow) -> Self {
        let (from, to) = (&flow.from_hosts.nets, &flow.to_hosts.nets);
        Self { from, to, ports: flow.ports.value.unwrap_or(ALL_PORTS), transport: *flow.transport }
    }

    /// Whether some of the traffic passes the boundary. Of two networks of which one holds the other, addresses of the
    /// inner one are not on the outer side.
    fn crosses(&self, from: &[IpNet], to: &[IpNet]) -> bool {
        let meets = |nets: &[IpNet], net: &IpNet| nets.iter().any(|n| n.contains(net) || net.contains(n));
        let within = |nets: &[IpNet], net: &IpNet| nets.iter().any(|n| n.contains(net));
        let inner = |a: &[IpNet], b: &[IpNet]| a != b && a.iter().all(|net| within(b, net));
        let (to_is_inner, from_is_inner) = (inner(to, from), inner(from, to));
        self.from.iter().filter(|n| meets(from, n)).any(|source| {
            self.to.iter().filter(|n| meets(to, n)).any(|target| {
                let stays = (to_is_inner && within(to, source)) || (from_is_inner && within(from, target));
                !stays && source.addr().is_ipv4() == target.addr().is_ipv4()
            })
        })
    }

    fn is_stopped(&self, allow: &Option<Vec<Traffic>>, deny: &Option<Vec<Traffic>>) -> bool {
        let fits = |t: &&Traffic| t.transport.is_none_or(|transport| transport == self.transport);
        let denied = deny.as_ref().is_some_and(|list| {
            list.iter().filter(fits).any(|t| t.ports.low <= self.ports.high && self.ports.low <= t.ports.high)
        });
        let allowed = allow.as_ref().is_none_or(|list| {
            let mut ranges: Vec<Ports> = list.iter().filter(fits).map(|t| t.ports).collect();
            ranges.sort_unstable();
            // The first port that no range has covered yet.
            let mut next = u32::from(self.ports.low);
            for range in ranges {
                if u32::from(range.low) <= next {
                    next = next.max(u32::from(range.high) + 1);
                }
            }
            next > u32::from(self.ports.high)
        });
        denied || !allowed
    }
}

pub(super) fn line(flow: &Flow) -> String {
    format!("{} ({})", flow.in_words(), *flow.why)
}

fn report(boundary: &Tracked, stopped: &[&Flow], rows: &[Span], sources: &Sources) -> Diag {
    let name = |key: &str| boundary.get(key).and_then(|v| v.value.text()).unwrap_or_default();
    let count = match stopped.len() {
        1 => "a flow that is needed".to_string(),
        n => format!("{n} flows that are needed"),
    };
    let message = format!("the firewall from `{}` to `{}` stops {count}", name("from"), name("to"));
    let mut diag = Diag::new(BOUNDARY_BLOCKS, message).at_maybe(spec_span(&boundary.origins, sources), "");
    // What the spec itself adds against its own boundary has a place in it.
    let places: BTreeSet<Span> = stopped.iter().filter_map(|flow| row_of(flow, rows, sources)).collect();
    for span in places.into_iter().take(FLOWS_SHOWN) {
        diag = diag.and(span, "this addition needs it");
    }
    for flow in stopped.iter().take(FLOWS_SHOWN) {
        diag = diag.note(line(flow));
    }
    if stopped.len() > FLOWS_SHOWN {
        diag = diag.note(format!("and {} more", stopped.len() - FLOWS_SHOWN));
    }
    diag.waivable = true;
    diag.help("have it opened and say so under `allow`, or waive this while the request is under way")
}
