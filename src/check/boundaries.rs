//! The flows that products need against what the firewalls between networks let through today: what they stop is found.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::diag::codes::BOUNDARY_STOPS;
use crate::diag::{Diag, Findings};
use crate::ir::{Flow, Ir};
use crate::lower::peers::peers;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Ports, Tracked, Value};

/// How many stopped flows a finding lists.
const LISTED: usize = 8;

/// Compares every flow with every entry of `firewall.boundaries`; one finding per boundary that stops something.
pub fn boundaries(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some(Value::List(list)) = site.at("/firewall/boundaries").map(|b| &b.value) else { return };
    for (index, item) in list.iter().enumerate() {
        let Some(boundary) = Boundary::new(item, site) else { continue };
        // Transport and ports by the ends that they are between, each once.
        let mut stopped: BTreeMap<(String, String), (Vec<String>, String)> = BTreeMap::new();
        for flow in ir.flows.iter().filter(|f| boundary.is_between(f) && !boundary.lets_through(f)) {
            let ends = (flow.from.value.to_string(), flow.to.value.to_string());
            let (ports, why) = stopped.entry(ends).or_default();
            let port = format!("{}/{}", flow.ports.value, flow.transport.value.name());
            if !ports.contains(&port) {
                ports.push(port);
            }
            *why = flow.why.value.to_string();
        }
        if !stopped.is_empty() {
            findings.push(report(item, index, &stopped, sources));
        }
    }
}

/// A firewall between two networks.
struct Boundary {
    from: Vec<IpNet>,
    to: Vec<IpNet>,
    /// What it lets through; `None` for everything that is not denied.
    allow: Option<Vec<Rule>>,
    deny: Vec<Rule>,
}

/// `443/tcp`, `10000-65535/udp`, or everything.
enum Rule {
    All,
    Ports(Ports, String),
}

impl Boundary {
    /// `None` when an end is unanswered or has no addresses, or when nothing is said about the traffic.
    fn new(item: &Tracked, site: &Site) -> Option<Self> {
        let end = |key: &str| {
            let nets = peers(item.get(key)?, site)?.value.nets;
            (!nets.is_empty()).then_some(nets)
        };
        let (allow, deny) = (rules(item.get("allow")), rules(item.get("deny")));
        if allow.is_none() && deny.is_none() {
            return None;
        }
        Some(Self { from: end("from")?, to: end("to")?, allow, deny: deny.unwrap_or_default() })
    }

    /// Whether some of the flow's traffic passes here.
    fn is_between(&self, flow: &Flow) -> bool {
        meet(&self.from, &flow.from_hosts.value.nets) && meet(&self.to, &flow.to_hosts.value.nets)
    }

    fn lets_through(&self, flow: &Flow) -> bool {
        let transport = flow.transport.value.name();
        let ports = flow.ports.value;
        let denied = self.deny.iter().any(|rule| match rule {
            Rule::All => true,
            Rule::Ports(p, t) => t == transport && p.low <= ports.high && ports.low <= p.high,
        });
        let allowed = self.allow.as_ref().is_none_or(|allow| {
            allow.iter().any(|rule| match rule {
                Rule::All => true,
                Rule::Ports(p, t) => t == transport && p.contains(ports),
            })
        });
        allowed && !denied
    }
}

fn rules(value: Option<&Tracked>) -> Option<Vec<Rule>> {
    let Value::List(items) = &value?.value else { return None };
    let rule = |item: &Tracked| {
        let text = item.value.text()?;
        if &*text == "all" {
            return Some(Rule::All);
        }
        let (ports, transport) = text.split_once('/')?;
        Some(Rule::Ports(ports.parse().ok()?, transport.to_owned()))
    };
    Some(items.iter().filter_map(rule).collect())
}

/// Whether two lists of networks have an address in common.
fn meet(a: &[IpNet], b: &[IpNet]) -> bool {
    a.iter().any(|a| b.iter().any(|b| a.contains(b) || b.contains(a)))
}

fn report(
    item: &Tracked,
    index: usize,
    stopped: &BTreeMap<(String, String), (Vec<String>, String)>,
    sources: &Sources,
) -> Diag {
    let name = |key: &str| item.get(key).and_then(|end| end.value.text()).unwrap_or_default();
    let count = match stopped.len() {
        1 => "a connection that is needed".to_owned(),
        n => format!("{n} connections that are needed"),
    };
    let said = item.get("allow").filter(|a| !a.value.is_null()).or_else(|| item.get("deny"));
    let span = said.and_then(|said| said.origins.as_slice().first()).and_then(|place| sources.span_of(*place));
    let mut diag = Diag::new(
        BOUNDARY_STOPS,
        format!("the firewall between `{}` and `{}` stops {count}", name("from"), name("to")),
    )
    .at_maybe(span, "what it lets through today");
    for ((from, to), (ports, why)) in stopped.iter().take(LISTED) {
        diag = diag.note(format!("{from} -> {to}: {} ({why})", ports.join(", ")));
    }
    if stopped.len() > LISTED {
        diag = diag.note(format!("and {} more", stopped.len() - LISTED));
    }
    let mut missing: Vec<&str> = stopped.values().flat_map(|(ports, _)| ports).map(|p| &**p).collect();
    missing.sort_unstable();
    missing.dedup();
    let mut diag = diag
        .help(format!("have {} let through there, then say so in `allow`", missing.join(", ")))
        .pointer(format!("/firewall/boundaries/{index}"));
    diag.waivable = true;
    diag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(allow: &[&str], deny: &[&str]) -> Boundary {
        let list = |texts: &[&str]| Tracked::new(Value::from(texts), crate::value::Origins::None);
        Boundary {
            from: vec!["10.0.0.0/24".parse().expect("a network")],
            to: vec!["10.1.0.0/24".parse().expect("a network")],
            allow: (!allow.is_empty()).then(|| rules(Some(&list(allow))).expect("a list")),
            deny: rules(Some(&list(deny))).expect("a list"),
        }
    }

    fn flow(from: &str, ports: &str) -> Flow {
        use crate::ir::{F, Peers, Scope, Transport};
        let text = |t: &str| F::new(t.into(), Default::default());
        let nets = |net: &str| {
            F::new(Peers { nets: vec![net.parse().expect("a network")], ..Peers::default() }, Default::default())
        };
        Flow {
            product: text("p"),
            from: text("a"),
            from_hosts: nets(from),
            to: text("b"),
            to_hosts: nets("10.1.0.5/32"),
            transport: F::new(Transport::Tcp, Default::default()),
            ports: F::new(ports.parse().expect("ports"), Default::default()),
            application: text("x"),
            scope: F::new(Scope::Site, Default::default()),
            why: text("w"),
            published: F::new(false, Default::default()),
        }
    }

    #[test]
    fn only_traffic_between_the_two_ends_is_judged() {
        let b = boundary(&["443/tcp"], &[]);
        assert!(b.is_between(&flow("10.0.0.7/32", "80")));
        assert!(b.is_between(&flow("10.0.0.0/8", "80")), "part of a wider source passes here");
        assert!(!b.is_between(&flow("10.2.0.7/32", "80")));
    }

    #[test]
    fn a_range_must_be_allowed_whole_and_denied_nowhere() {
        assert!(boundary(&["443/tcp"], &[]).lets_through(&flow("10.0.0.7/32", "443")));
        assert!(!boundary(&["443/udp"], &[]).lets_through(&flow("10.0.0.7/32", "443")));
        assert!(boundary(&["1000-2000/tcp"], &[]).lets_through(&flow("10.0.0.7/32", "1000-2000")));
        assert!(!boundary(&["1000-1999/tcp"], &[]).lets_through(&flow("10.0.0.7/32", "1000-2000")));
        assert!(boundary(&["all"], &[]).lets_through(&flow("10.0.0.7/32", "22")));
        assert!(!boundary(&["all"], &["22/tcp"]).lets_through(&flow("10.0.0.7/32", "22")));
        assert!(!boundary(&[], &["20-30/tcp"]).lets_through(&flow("10.0.0.7/32", "22")));
        assert!(boundary(&[], &["20-30/tcp"]).lets_through(&flow("10.0.0.7/32", "443")));
    }
}
