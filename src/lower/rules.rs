//! From permitted traffic to the rules of each host's ruleset.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::peers::{host_addresses, merged};
use crate::ir::{F, Firewall, Flow, Rule, RuleChain, Scope, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// What rules are grouped by before their ports are joined.
type Key = (Str, RuleChain, i64, Transport, Vec<IpNet>);

/// `absent` are the origins of flows that are not there.
/// The rules of every host that the spec's firewall covers. Windows hosts have none here.
pub fn rules(flows: &[Arc<Flow>], absent: &Origins, site: &Site) -> Vec<Arc<Rule>> {
    let hosts = filtered_hosts(site);
    let output = site.at("/firewall/output");
    let filters_output = output.is_some_and(|o| matches!(&o.value, Value::Str(s) if &**s == "filter"));
    let mut grouped: BTreeMap<Key, (Vec<Ports>, Vec<Str>, Origins)> = BTreeMap::new();
    for flow in flows.iter().filter(|f| f.scope.value != Scope::Cluster) {
        for (net, host, origins) in &hosts {
            if covers(&flow.to_hosts.nets, net) {
                let chain = if *flow.published { RuleChain::NodePort } else { RuleChain::Input };
                add(&mut grouped, host, chain, &flow.from_hosts.nets, net, flow, &flow.to.value, origins);
            }
            if filters_output && covers(&flow.from_hosts.nets, net) {
                let chain = RuleChain::Output;
                add(&mut grouped, host, chain, &flow.to_hosts.nets, net, flow, &flow.to.value, origins);
            }
        }
    }
    grouped.into_iter().map(|group| rule(group, absent)).collect()
}

/// The ruleset of every host that keeps one with nftables, those without a rule included.
pub fn firewalls(rules: &[Arc<Rule>], site: &Site) -> Vec<Arc<Firewall>> {
    let targets = site.at("/firewall/targets").cloned().unwrap_or_default();
    if !targets.items().iter().any(|t| t.value == Value::str("nftables")) {
        return Vec::new();
    }
    let output = site.at("/firewall/output").cloned().unwrap_or_default();
    let filters = matches!(&output.value, Value::Str(s) if &**s == "filter");
    let mut own: BTreeMap<Str, Vec<Arc<Rule>>> = BTreeMap::new();
    for rule in rules {
        own.entry(rule.host.value.clone()).or_default().push(rule.clone());
    }
    let node_ports = node_ports(site);
    let mut list = Vec::new();
    for (name, entry) in site.table("hosts").filter(|(_, entry)| !is_windows(entry)) {
        let rules = own.remove(name).unwrap_or_default();
        let exists = targets.origins.union(&Origins::all(targets.items().iter().map(|t| &t.origins)));
        let os = entry.get("os");
        let family = os.and_then(|os| os.get("family"));
        let kind = Origins::all(os.into_iter().chain(family).map(|t| &t.origins));
        let host = F::new(name.clone(), Origins::all([&exists, &entry.origins, &kind]));
        list.push(Arc::new(Firewall {
            rules: F::new(rules, exists.clone()),
            node_ports: node_ports.get(name).cloned().unwrap_or_else(|| F::new(None, exists.clone())),
            output: F::new(filters, output.origins.clone()),
            host,
        }));
    }
    list.sort_by(|a, b| a.host.value.cmp(&b.host.value));
    list
}

/// The range of node ports of every node of a Kubernetes cluster.
fn node_ports(site: &Site) -> BTreeMap<Str, F<Option<Ports>>> {
    let mut found = BTreeMap::new();
    for (name, cluster) in site.table("clusters") {
        if !cluster.get("kind").is_some_and(|k| k.value == Value::str("kubernetes")) {
            continue;
        }
        let Some(range) = cluster.get("node_port_range") else { continue };
        let Some(ports) = crate::instance::ports_of(&range.value).and_then(|p| p.first().copied()) else { continue };
        let (control_plane, workers) = site.cluster_nodes(name);
        for node in control_plane.into_iter().chain(workers) {
            found.insert(node.value, F::new(Some(ports), range.origins.union(&node.origins)));
        }
    }
    found
}

fn is_windows(host: &Tracked) -> bool {
    let family = host.get("os").and_then(|os| os.get("family"));
    family.is_some_and(|f| matches!(&f.value, Value::Str(s) if s.starts_with("windows")))
}

/// Every address of every host with a ruleset, with the host's name and the origins of the address.
fn filtered_hosts(site: &Site) -> Vec<(IpNet, Str, Origins)> {
    let mut hosts = Vec::new();
    for (name, entry) in site.table("hosts") {
        if is_windows(entry) {
            continue;
        }
        for address in host_addresses(entry) {
            hosts.push((IpNet::from(address.value), name.clone(), address.origins));
        }
    }
    hosts
}

fn covers(nets: &[IpNet], address: &IpNet) -> bool {
    nets.iter().any(|n| n.contains(address))
}

#[allow(clippy::too_many_arguments)]
fn add(
    grouped: &mut BTreeMap<Key, (Vec<Ports>, Vec<Str>, Origins)>,
    host: &Str,
    chain: RuleChain,
    peers: &[IpNet],
    own: &IpNet,
    flow: &Flow,
    to: &Str,
    origins: &Origins,
) {
    let ipv4 = own.addr().is_ipv4();
    let peers: Vec<IpNet> = peers.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect();
    if peers.is_empty() {
        return;
    }
    let key = (host.clone(), chain, if ipv4 { 4 } else { 6 }, flow.transport.value, merged(peers));
    let (ports, why, all) = grouped.entry(key).or_default();
    ports.push(flow.ports.value);
    let reason: Str = format!("{}: {}", flow.product.value, to).into();
    if !why.contains(&reason) {
        why.push(reason);
    }
    *all = Origins::all([&*all, origins, &flow.origins()]);
}

fn rule((key, (ports, mut why, origins)): (Key, (Vec<Ports>, Vec<Str>, Origins)), absent: &Origins) -> Arc<Rule> {
    let origins = origins.union(absent);
    let (host, chain, family, transport, peers) = key;
    why.sort();
    let mut text = String::new();
    for (i, reason) in why.iter().enumerate() {
        // nftables keeps at most 128 bytes of a comment.
        if text.len() + reason.len() > 110 {
            text.push_str(&format!(", and {} more", why.len() - i));
            break;
        }
        if i > 0 {
            text.push_str(", ");
        }
        text.push_str(reason);
    }
    fn field<T>(value: T, origins: &Origins) -> F<T> {
        F::new(value, origins.clone())
    }
    Arc::new(Rule {
        host: field(host, &origins),
        chain: field(chain, &origins),
        peers: field(peers, &origins),
        family: field(family, &origins),
        transport: field(transport, &origins),
        ports: field(joined(ports), &origins),
        why: field(text.into(), &origins),
    })
}

/// Sorted ports with overlapping and adjacent ranges joined.
pub fn joined(mut ports: Vec<Ports>) -> Vec<Ports> {
    ports.sort_unstable();
    let mut all: Vec<Ports> = Vec::with_capacity(ports.len());
    for port in ports {
        match all.last_mut() {
            Some(last) if u32::from(port.low) <= u32::from(last.high) + 1 => last.high = last.high.max(port.high),
            _ => all.push(port),
        }
    }
    all
}
