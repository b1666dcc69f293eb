//! From permitted traffic to the rules of each host's ruleset.

use std::collections::BTreeMap;
use std::sync::Arc;

use std::net::IpAddr;

use ipnet::IpNet;

use super::peers::{host_addresses, merged};
use crate::ir::{F, Firewall, Flow, Rule, RuleChain, Scope, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// What one rule is made of: flows of one reason between a host and the same peers. Flows of unlike reasons stay apart,
/// so that a rule's line says why it is there and changes with nothing else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Index of the host, in the order of the names.
    host: usize,
    chain: RuleChain,
    family: i64,
    transport: Transport,
    reason: Str,
    peers: Arc<[IpNet]>,
}

/// The rules of every host that the spec's firewall covers; Windows hosts have none here. `absent` are the origins of
/// flows that are not there.
pub fn rules(flows: &[Arc<Flow>], absent: &Origins, site: &Site) -> Vec<Arc<Rule>> {
    let names = filtered_hosts(site);
    let mut addresses: Vec<(IpAddr, usize, &Origins)> = Vec::new();
    for (index, (_, own)) in names.iter().enumerate() {
        addresses.extend(own.iter().map(|a| (a.value, index, &a.origins)));
    }
    addresses.sort_by_key(|(address, index, _)| (*address, *index));
    let output = site.at("/firewall/output");
    let filters_output = output.is_some_and(|o| matches!(&o.value, Value::Str(s) if &**s == "deny"));
    let mut grouped: BTreeMap<Key, (Vec<Ports>, Vec<Origins>)> = BTreeMap::new();
    for flow in flows.iter().filter(|f| f.scope.value != Scope::Cluster) {
        let reason: Str = format!("{}: {}", flow.product.value, flow.to.value).into();
        let origins = flow.origins();
        let chain = if *flow.published { RuleChain::NodePort } else { RuleChain::Input };
        let mut add = |chain: RuleChain, ends: &[IpNet], peers: &[IpNet]| {
            for family in [4, 6] {
                let of_family = |n: &&IpNet| n.addr().is_ipv4() == (family == 4);
                let peers: Arc<[IpNet]> = merged(peers.iter().filter(of_family).copied().collect()).into();
                if peers.is_empty() {
                    continue;
                }
                for net in ends.iter().filter(of_family) {
                    let from = addresses.partition_point(|(a, _, _)| *a < net.network());
                    let own = addresses[from..].iter().take_while(|(a, _, _)| *a <= net.broadcast());
                    for (_, host, of_address) in own {
                        let (peers, reason, transport) = (peers.clone(), reason.clone(), flow.transport.value);
                        let key = Key { host: *host, chain, family, transport, reason, peers };
                        let (ports, all) = grouped.entry(key).or_default();
                        ports.push(flow.ports.value);
                        all.extend([(*of_address).clone(), origins.clone()]);
                    }
                }
            }
        };
        add(chain, &flow.to_hosts.nets, &flow.from_hosts.nets);
        if filters_output {
            add(RuleChain::Output, &flow.from_hosts.nets, &flow.to_hosts.nets);
        }
    }
    grouped.into_iter().map(|(key, (ports, all))| rule(key, ports, &Origins::all(&all).union(absent), &names)).collect()
}

/// The ruleset of every host that keeps one with nftables, those without a rule included.
pub fn firewalls(rules: &[Arc<Rule>], site: &Site) -> Vec<Arc<Firewall>> {
    let targets = site.at("/firewall/targets").cloned().unwrap_or_default();
    if !targets.items().iter().any(|t| t.value == Value::str("nftables")) {
        return Vec::new();
    }
    let output = site.at("/firewall/output").cloned().unwrap_or_default();
    let filters = matches!(&output.value, Value::Str(s) if &**s == "deny");
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
pub(super) fn node_ports(site: &Site) -> BTreeMap<Str, F<Option<Ports>>> {
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

/// Every host with a ruleset and its addresses, sorted by name.
fn filtered_hosts(site: &Site) -> Vec<(Str, Vec<F<IpAddr>>)> {
    let hosts = site.table("hosts").filter(|(_, entry)| !is_windows(entry));
    let mut hosts: Vec<_> = hosts.map(|(name, entry)| (name.clone(), host_addresses(entry))).collect();
    hosts.sort_by(|a, b| a.0.cmp(&b.0));
    hosts
}

fn rule(key: Key, ports: Vec<Ports>, origins: &Origins, names: &[(Str, Vec<F<IpAddr>>)]) -> Arc<Rule> {
    fn field<T>(value: T, origins: &Origins) -> F<T> {
        F::new(value, origins.clone())
    }
    // nftables keeps at most 128 bytes of a comment.
    let mut why = String::new();
    for c in key.reason.chars() {
        if why.len() + c.len_utf8() > COMMENT_BYTES_MAX {
            break;
        }
        why.push(c);
    }
    Arc::new(Rule {
        host: field(names[key.host].0.clone(), origins),
        chain: field(key.chain, origins),
        peers: field(key.peers.to_vec(), origins),
        family: field(key.family, origins),
        transport: field(key.transport, origins),
        ports: field(joined(ports), origins),
        why: field(why.into(), origins),
    })
}

/// The longest comment of a rule; nftables takes 128 bytes with its end.
const COMMENT_BYTES_MAX: usize = 120;

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
