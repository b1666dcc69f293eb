//! Two ends and a port in; whether the flows of a site permit that traffic, and which of them decide, out.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::check::boundaries::{self, Passage};
use crate::diag::similar_name;
use crate::ir::{Flow, Ir, Transport};
use crate::lower::peers::peers;
use crate::netset::{Addresses, Family, Pairs};
use crate::site::Site;
use crate::value::{Origins, Ports, Ref, Tracked};

/// The tables whose entries can be an end of traffic.
const TABLES: [&str; 4] = ["hosts", "networks", "external", "clusters"];

/// One end of the traffic that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// As it was asked.
    pub text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// Addresses, and the DNS name of an end without addresses.
    Addresses { nets: Vec<IpNet>, name: Option<String> },
    /// The pods of a cluster.
    Pods(String),
    /// A row's own word for its end: product instance and component, binding or actor.
    Label { product: String, name: String },
}

/// Traffic from one end to another.
#[derive(Clone, Debug)]
pub struct Question {
    pub from: End,
    pub to: End,
    pub ports: Ports,
    pub transport: Transport,
}

/// What the flows of the site say about traffic.
#[derive(Debug)]
pub struct Verdict {
    pub permitted: Permitted,
    /// Whether a host is asked about itself; no ruleset stands between a host and itself.
    pub itself: bool,
    /// The flows that permit it or some of it, each once.
    pub flows: Vec<Arc<Flow>>,
    /// What no flow permits: sources, targets and ports, in words.
    pub rest: Vec<String>,
    /// Firewalls between networks that stop it today, each as `from -> to` with its origins.
    pub boundaries: Vec<(String, Origins)>,
    /// Flows between the same two ends on other ports.
    pub between: Vec<Arc<Flow>>,
    /// Flows from other sources to the same end and port.
    pub toward: Vec<Arc<Flow>>,
    /// Hosts at the target's end that get no ruleset, so that nothing of ours stands in the way there.
    pub unfiltered: Vec<String>,
}

/// How much of the traffic is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    All,
    Some,
    Nothing,
}

/// Understands one end: a host, network, external endpoint or cluster (its nodes), `cluster:NAME` for the pods,
/// `INSTANCE/NAME` for a component or an end as the flows table calls it, an address, a CIDR, or `any`.
pub fn end(text: &str, site: &Site, ir: &Ir) -> Result<End, String> {
    let kind = kind(text, site, ir)?;
    Ok(End { text: text.to_string(), kind })
}

fn kind(text: &str, site: &Site, ir: &Ir) -> Result<Kind, String> {
    if text == "any" {
        let nets = ["0.0.0.0/0", "::/0"].iter().filter_map(|n| n.parse().ok()).collect();
        return Ok(Kind::Addresses { nets, name: None });
    }
    if let Some(net) = text.parse::<IpNet>().ok().or_else(|| text.parse().ok().map(|a: IpAddr| IpNet::from(a))) {
        return Ok(Kind::Addresses { nets: vec![net.trunc()], name: None });
    }
    if let Some(name) = text.strip_prefix("cluster:") {
        return match site.entry("clusters", name) {
            Some(_) => Ok(Kind::Pods(name.to_string())),
            None => Err(unknown("cluster", name, site.table("clusters").map(|(name, _)| &**name))),
        };
    }
    if let Some(table) = TABLES.iter().find(|t| site.entry(t, text).is_some()) {
        return entry(table, text, site);
    }
    if let Some((product, name)) = text.split_once('/') {
        let ends = || ir.flows.iter().flat_map(|f| [(&f.product, &f.from), (&f.product, &f.to)]);
        if ends().any(|(p, n)| ***p == *product && ***n == *name) {
            return Ok(Kind::Label { product: product.to_string(), name: name.to_string() });
        }
        let names: BTreeSet<String> = ends().map(|(p, n)| format!("{}/{}", **p, **n)).collect();
        return Err(unknown("end of a flow", text, names.iter().map(String::as_str)));
    }
    let names = TABLES.iter().flat_map(|t| site.table(t)).map(|(name, _)| &**name);
    Err(unknown("host, network, external endpoint or cluster", text, names))
}

fn entry(table: &str, name: &str, site: &Site) -> Result<Kind, String> {
    let refer = |table: &str, name: &str| Tracked::new(Ref { table: table.into(), name: name.into() }, Origins::None);
    let refs: Vec<Tracked> = match table {
        "clusters" => {
            let (control_plane, workers) = site.cluster_nodes(name);
            control_plane.into_iter().chain(workers).map(|n| refer("hosts", &n.value)).collect()
        }
        table => vec![refer(table, name)],
    };
    let found = peers(&Tracked::new(refs, Origins::None), site).map(|f| f.value).unwrap_or_default();
    if found.nets.is_empty() && found.name.is_none() {
        return Err(format!("the spec gives no address of `{name}`"));
    }
    Ok(Kind::Addresses { nets: found.nets.to_vec(), name: found.name.map(|n| n.to_string()) })
}

fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> String {
    match similar_name(name, names) {
        Some(near) => format!("there is no {what} `{name}`; there is `{near}`"),
        None => format!("there is no {what} `{name}`"),
    }
}

impl End {
    /// The addresses of one family; all of them for an end that has none of its own.
    fn addresses(&self, family: Family) -> Addresses {
        match &self.kind {
            Kind::Addresses { nets, name: None } => Addresses::of_nets(family, nets),
            Kind::Addresses { nets, .. } if !nets.is_empty() => Addresses::of_nets(family, nets),
            _ => Addresses::any(family),
        }
    }

    /// The part of this end that an end of a flow covers.
    fn covered(&self, flow: &Flow, source: bool, family: Family) -> Addresses {
        let (peers, label) = if source { (&*flow.from_hosts, &*flow.from) } else { (&*flow.to_hosts, &*flow.to) };
        let fits = match &self.kind {
            Kind::Addresses { nets, .. } if !nets.is_empty() => return Addresses::of_nets(family, &peers.nets),
            Kind::Addresses { name, .. } => peers.nets.is_empty() && peers.name.as_deref() == name.as_deref(),
            Kind::Pods(cluster) => peers.pods.as_deref() == Some(cluster),
            Kind::Label { product, name } => **flow.product == **product && **label == **name,
        };
        if fits { Addresses::any(family) } else { Addresses::default() }
    }
}

/// Answers whether the flows of a site permit some traffic.
pub fn can(question: &Question, ir: &Ir, site: &Site) -> Verdict {
    let Question { from, to, ports, transport } = question;
    let mut verdict = Verdict {
        itself: from == to && site.entry("hosts", &from.text).is_some(),
        permitted: Permitted::Nothing,
        flows: Vec::new(),
        rest: Vec::new(),
        boundaries: crossed(question, site),
        between: Vec::new(),
        toward: Vec::new(),
        unfiltered: unfiltered(to, ir, site),
    };
    let (mut asked, mut left, mut open) = (false, false, Vec::new());
    for family in Family::BOTH {
        let (sources, targets) = (from.addresses(family), to.addresses(family));
        if sources.is_empty() || targets.is_empty() {
            continue;
        }
        asked = true;
        // Every port of the range has its own rest; ranges are cut where a flow begins or ends.
        let others = ir.flows.iter().filter(|f| *f.transport == *transport).map(|f| f.all_ports());
        for part in ports.cut_by(others) {
            let mut rest = Pairs::of(sources.clone(), targets.clone());
            for flow in ir.flows.iter().filter(|f| *f.transport == *transport && f.all_ports().contains(part)) {
                let met = rest.subtract(&from.covered(flow, true, family), &to.covered(flow, false, family));
                if met && !verdict.flows.iter().any(|f| Arc::ptr_eq(f, flow)) {
                    verdict.flows.push(flow.clone());
                }
            }
            for (sources, targets) in rest.rectangles().iter().filter(|_| !verdict.itself) {
                left = true;
                let word = |end: &End, set: &Addresses| match &end.kind {
                    Kind::Addresses { nets, .. } if !nets.is_empty() => set.text(family),
                    _ => end.text.clone(),
                };
                open.push((word(from, sources), word(to, targets), part));
            }
        }
    }
    verdict.rest = lines(open, *transport);
    verdict.permitted = match (verdict.itself || asked && !left, verdict.flows.is_empty()) {
        (true, _) => Permitted::All,
        (false, false) => Permitted::Some,
        (false, true) => Permitted::Nothing,
    };
    if verdict.permitted != Permitted::All {
        neighbours(question, ir, &mut verdict);
    }
    verdict
}

/// Sources, targets and ports in words; adjacent ports between the same ends make one line.
fn lines(mut open: Vec<(String, String, Ports)>, transport: Transport) -> Vec<String> {
    open.sort();
    open.dedup_by(|next, last| {
        let same = next.0 == last.0 && next.1 == last.1 && u32::from(next.2.low) <= u32::from(last.2.high) + 1;
        if same {
            last.2.high = last.2.high.max(next.2.high);
        }
        same
    });
    open.iter().map(|(from, to, ports)| format!("{from} -> {to} : {}", transport.service(*ports))).collect()
}

/// What comes near to the traffic that is not permitted.
fn neighbours(question: &Question, ir: &Ir, verdict: &mut Verdict) {
    let Question { from, to, ports, transport } = question;
    for flow in &ir.flows {
        let (mut source, mut target) = (false, false);
        for family in Family::BOTH {
            let meets = |end: &End, side| {
                let covered = end.covered(flow, side, family);
                !end.addresses(family).intersection(&covered).is_empty()
            };
            let (met_source, met_target) = (meets(from, true), meets(to, false));
            source |= met_source && met_target;
            target |= met_target;
        }
        let own = flow.all_ports();
        let same_port = *flow.transport == *transport && own.low <= ports.high && ports.low <= own.high;
        if verdict.flows.iter().any(|f| Arc::ptr_eq(f, flow)) {
            continue;
        }
        if source {
            verdict.between.push(flow.clone());
        } else if target && same_port {
            verdict.toward.push(flow.clone());
        }
    }
}

/// The firewalls between networks that stop the traffic.
fn crossed(question: &Question, site: &Site) -> Vec<(String, Origins)> {
    let nets = |end: &'_ End| match &end.kind {
        Kind::Addresses { nets, .. } => nets.clone(),
        _ => Vec::new(),
    };
    let (from, to) = (nets(&question.from), nets(&question.to));
    let passage = Passage { from: &from, to: &to, ports: question.ports, transport: question.transport };
    boundaries::crossed(&passage, site)
}

/// The hosts among the targets for which no ruleset is written.
fn unfiltered(to: &End, ir: &Ir, site: &Site) -> Vec<String> {
    let Kind::Addresses { nets, .. } = &to.kind else { return Vec::new() };
    let filtered = |name: &str| ir.firewalls.iter().any(|f| **f.host == *name);
    let hosts = site.table("hosts").filter(|(name, entry)| {
        let own = crate::lower::peers::host_addresses(entry);
        !filtered(name) && own.iter().any(|a| nets.iter().any(|net| net.contains(&a.value)))
    });
    hosts.map(|(name, _)| name.to_string()).collect()
}
