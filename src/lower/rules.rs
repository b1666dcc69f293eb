//! From permitted traffic to the rules of each host's ruleset.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::firewalls::Filtered;
use super::flows::Gone;
use super::peers::{host_addresses, merged};
use super::sets::SetNames;
use crate::ir::{F, Flow, Rule, RuleChain, Scope, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Value};

/// What one rule is made of: flows of one reason between a host and the same peers. Flows of unlike reasons stay apart,
/// so that a rule's line says why it is there and changes with nothing else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Index of the host, in the order of the names.
    host: usize,
    chain: RuleChain,
    family: i64,
    transport: Transport,
    reason: Reason,
    peers: Arc<[IpNet]>,
}

/// The product, and what the traffic goes to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    product: Str,
    to: Str,
}

/// What a rule is made from.
#[derive(Default)]
struct Parts {
    ports: Vec<Ports>,
    origins: Vec<Origins>,
    /// What the flows call the peers.
    labels: BTreeSet<Str>,
}

/// The rules of every host that has a ruleset. `gone` are the flows that are not there, by the name of the product.
pub fn rules(flows: &[Arc<Flow>], gone: &[(Str, Vec<Gone>)], hosts: &[Filtered], site: &Site) -> Vec<Arc<Rule>> {
    let names: Vec<(&Str, Vec<F<IpAddr>>)> =
        hosts.iter().map(|h| (&h.name, site.entry("hosts", &h.name).map(host_addresses).unwrap_or_default())).collect();
    let mut addresses: Vec<(IpAddr, usize, &Origins)> = Vec::new();
    for (index, (_, own)) in names.iter().enumerate() {
        addresses.extend(own.iter().map(|a| (a.value, index, &a.origins)));
    }
    addresses.sort_by_key(|(address, index, _)| (*address, *index));
    let filters_output = filters_output(site);
    let mut grouped: BTreeMap<Key, Parts> = BTreeMap::new();
    // Flows from the same hosts share their peers, in memory too.
    let mut shared: BTreeSet<Arc<[IpNet]>> = BTreeSet::new();
    for flow in flows.iter().filter(|f| f.scope.value != Scope::Cluster) {
        let origins = flow.origins();
        let chain = if *flow.published { RuleChain::NodePort } else { RuleChain::Input };
        let mut add = |chain: RuleChain, ends: &[IpNet], peer: &Str, peers: &[IpNet]| {
            for family in [4, 6] {
                let of_family = |n: &&IpNet| n.addr().is_ipv4() == (family == 4);
                let peers = merged(peers.iter().filter(of_family).copied().collect());
                if peers.is_empty() {
                    continue;
                }
                let peers = shared.get(peers.as_slice()).cloned().unwrap_or_else(|| {
                    let peers: Arc<[IpNet]> = peers.into();
                    shared.insert(peers.clone());
                    peers
                });
                for net in ends.iter().filter(of_family) {
                    let from = addresses.partition_point(|(a, _, _)| *a < net.network());
                    let own = addresses[from..].iter().take_while(|(a, _, _)| *a <= net.broadcast());
                    for (_, host, of_address) in own {
                        let reason = Reason { product: flow.product.value.clone(), to: flow.to.value.clone() };
                        let (peers, transport) = (peers.clone(), flow.transport.value);
                        let key = Key { host: *host, chain, family, transport, reason, peers };
                        let parts = grouped.entry(key).or_default();
                        parts.labels.insert(peer.clone());
                        parts.ports.extend(flow.ports.value);
                        parts.origins.extend([(*of_address).clone(), origins.clone()]);
                    }
                }
            }
        };
        add(chain, &flow.to_hosts.nets, &flow.from, &flow.from_hosts.nets);
        if filters_output {
            add(RuleChain::Output, &flow.from_hosts.nets, &flow.to, &flow.to_hosts.nets);
        }
    }
    let absent = Absent::of(gone, flows);
    let mut names_of_sets = SetNames::new(site);
    for (key, parts) in &grouped {
        names_of_sets.add(key.host, key.family, &key.peers, &parts.labels, &parts.origins);
    }
    let sets = names_of_sets.given(&absent.by_peer);
    let mut all = Vec::with_capacity(grouped.len());
    for (key, parts) in grouped {
        let origins = Origins::all(&parts.origins).union(absent.to(&key.reason));
        let set = sets[&(key.host, key.family, key.peers.clone())].clone();
        all.push(rule(key, parts.ports, &origins, set, &names));
    }
    all
}

/// Whether what leaves a host is filtered.
pub fn filters_output(site: &Site) -> bool {
    site.at("/firewall/output").is_some_and(|o| o.value == Value::str("deny"))
}

/// The origins of flows that are not there.
struct Absent {
    /// By the reason of the rule that they would have joined.
    by_reason: BTreeMap<(Str, Str), Origins>,
    /// By what their peers are called.
    by_peer: BTreeMap<Str, Origins>,
}

impl Absent {
    fn of(gone: &[(Str, Vec<Gone>)], flows: &[Arc<Flow>]) -> Self {
        let (mut reasons, mut peers): (BTreeMap<_, Vec<&Origins>>, BTreeMap<_, Vec<&Origins>>) = Default::default();
        for (product, flow) in gone.iter().flat_map(|(p, list)| list.iter().map(move |g| (p, g))) {
            reasons.entry((product.clone(), flow.to.clone())).or_default().push(&flow.origins);
            for peer in [&flow.from, &flow.to] {
                peers.entry(peer.clone()).or_default().push(&flow.origins);
            }
        }
        // Flows between other hosts are not there either, and would be if their ends were others.
        for flow in flows.iter().filter(|f| f.scope.value != Scope::Cluster) {
            let reason = reasons.entry((flow.product.value.clone(), flow.to.value.clone())).or_default();
            reason.extend([&flow.from_hosts.origins, &flow.to_hosts.origins]);
        }
        Self {
            by_reason: reasons.into_iter().map(|(key, list)| (key, Origins::all(list))).collect(),
            by_peer: peers.into_iter().map(|(key, list)| (key, Origins::all(list))).collect(),
        }
    }

    fn to(&self, reason: &Reason) -> &Origins {
        self.by_reason.get(&(reason.product.clone(), reason.to.clone())).unwrap_or(&Origins::None)
    }
}

fn rule(key: Key, ports: Vec<Ports>, origins: &Origins, set: F<Str>, names: &[(&Str, Vec<F<IpAddr>>)]) -> Arc<Rule> {
    fn field<T>(value: T, origins: &Origins) -> F<T> {
        F::new(value, origins.clone())
    }
    let mut why = String::new();
    for c in format!("{}: {}", key.reason.product, key.reason.to).chars() {
        if why.len() + c.len_utf8() > COMMENT_BYTES_MAX {
            break;
        }
        why.push(c);
    }
    let ports = joined(ports);
    Arc::new(Rule {
        host: field(names[key.host].0.clone(), origins),
        chain: field(key.chain, origins),
        set,
        peers: field(key.peers, origins),
        family: field(key.family, origins),
        transport: field(key.transport, origins),
        multiport: field(multiport(&ports), origins),
        ports: field(ports, origins),
        protocol: field(key.transport.number(key.family == 6).into(), origins),
        why: field(why.into(), origins),
    })
}

/// The longest comment of a rule; nftables takes 128 bytes with its end.
const COMMENT_BYTES_MAX: usize = 120;

/// Ports in groups of at most fifteen, in which a range counts twice.
fn multiport(ports: &[Ports]) -> Vec<Vec<Ports>> {
    const SLOTS: usize = 15;
    let (mut groups, mut used) = (vec![Vec::new()], 0);
    for ports in ports {
        let slots = if ports.low == ports.high { 1 } else { 2 };
        if used + slots > SLOTS {
            groups.push(Vec::new());
            used = 0;
        }
        used += slots;
        if let Some(group) = groups.last_mut() {
            group.push(*ports);
        }
    }
    groups
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
