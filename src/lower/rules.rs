//! From permitted traffic to the rules of each host's ruleset.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::addresses::HostAddresses;
use super::firewalls::Filtered;
use super::flows::Gone;
use super::peers::merged;
use super::sets::{Group, SetNames};
use crate::ir::{F, Flow, Nets, Rule, RuleChain, Scope, Target, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Value};

/// What one rule is made of: flows of one reason between a host and the same peers. Flows of unlike reasons stay apart,
/// so that a rule's line says why it is there and changes with nothing else. All numbers are ranks, so that sorted keys
/// are sorted rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Index of the host, in the order of the names.
    host: u32,
    chain: RuleChain,
    ipv6: bool,
    transport: Transport,
    /// Among [`Reasons`].
    reason: u32,
    /// Among [`PeerSets`].
    peers: u32,
}

/// That a flow is in a rule, because of an address of its host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    key: Key,
    flow: u32,
    address: u32,
}

/// How much of rulesets is wanted.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// Whether they will be written: nothing else asks what sets are called.
    pub written: bool,
    /// Whether their lines are traced to what they come from: nothing else asks for origins.
    pub traced: bool,
}

/// The rules of every host that has a ruleset. `gone` are the flows that are not there, by the name of the product.
pub fn rules(
    flows: &[Arc<Flow>],
    gone: &[(Str, Vec<Gone>)],
    hosts: &[Filtered],
    site: &Site,
    Wanted { written, traced }: Wanted,
) -> Vec<Arc<Rule>> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let flows: Vec<&Flow> = flows.iter().map(|f| &**f).filter(|f| f.scope.value != Scope::Cluster).collect();
    let addresses = HostAddresses::of(hosts.iter().map(|h| site.entry("hosts", &h.name)));
    let filters_output = filters_output(site);
    let sets = PeerSets::of(&flows, filters_output);
    let reasons = Reasons::of(&flows);
    let parts = parts(&flows, &addresses, &sets, &reasons, filters_output);
    let origins: Vec<Origins> = if traced { flows.iter().map(|f| f.origins()).collect() } else { Vec::new() };
    let absent = if traced { Absent::of(gone, &flows) } else { Absent::default() };
    let origins_of = |parts: &[Part]| {
        let each = |p: &Part| [&addresses.get(p.address as usize).origins, &origins[p.flow as usize]];
        if traced { Origins::all(parts.iter().flat_map(each)) } else { Origins::None }
    };

    let rules: Vec<&[Part]> = parts.chunk_by(|a, b| a.key == b.key).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (rule, parts) in rules.iter().enumerate().filter(|_| written) {
        let Key { host, ipv6, peers, chain, .. } = parts[0].key;
        let label = |p: &Part| match chain {
            RuleChain::Output => &flows[p.flow as usize].to.value,
            RuleChain::Input | RuleChain::NodePort => &flows[p.flow as usize].from.value,
        };
        let mut labels: Vec<&Str> = parts.iter().map(label).collect();
        labels.sort_unstable();
        labels.dedup();
        groups.push(Group { host, ipv6, peers, rule, labels, origins: origins_of(parts) });
    }
    let names = match written {
        true => SetNames::new(site, &sets.0).given(groups, &absent.by_peer),
        false => Vec::new(),
    };
    let mut names = names.into_iter();

    let host_names: Vec<&Str> = hosts.iter().map(|h| &h.name).collect();
    let mut all = Vec::with_capacity(rules.len());
    for parts in rules {
        let key = parts[0].key;
        let reason = &reasons.0[key.reason as usize];
        let origins = origins_of(parts).union(absent.to(reason));
        let ports = parts.iter().filter_map(|p| flows[p.flow as usize].ports.value).collect();
        let peers = &sets.0[key.peers as usize];
        let set = names.next().unwrap_or_default();
        let mut rule = rule(key, joined(ports), &origins, set, host_names[key.host as usize], peers, &reason.words);
        // No other form groups ports.
        if *hosts[key.host as usize].target == Target::Iptables {
            rule.multiport.value = multiport(&rule.ports);
        }
        all.push(Arc::new(rule));
    }
    all
}

/// All that goes into rules, sorted by these.
fn parts(
    flows: &[&Flow],
    addresses: &HostAddresses,
    sets: &PeerSets,
    reasons: &Reasons,
    filters_output: bool,
) -> Vec<Part> {
    let mut parts = Vec::with_capacity(flows.len() * 2);
    for (index, flow) in flows.iter().enumerate() {
        let reason = reasons.rank(flow);
        let mut add = |chain: RuleChain, ends: &Nets, peers: &Nets| {
            let peers = sets.ranks(peers);
            for net in ends {
                let ipv6 = net.addr().is_ipv6();
                let Some(peers) = peers[usize::from(ipv6)] else { continue };
                for (number, address) in addresses.within(net) {
                    let transport = flow.transport.value;
                    let key = Key { host: address.host as u32, chain, ipv6, transport, reason, peers };
                    parts.push(Part { key, flow: index as u32, address: number as u32 });
                }
            }
        };
        let chain = if *flow.published { RuleChain::NodePort } else { RuleChain::Input };
        add(chain, &flow.to_hosts.nets, &flow.from_hosts.nets);
        if filters_output {
            add(RuleChain::Output, &flow.from_hosts.nets, &flow.to_hosts.nets);
        }
    }
    parts.sort_unstable();
    parts
}

/// The peers of all flows, one family each, sorted and without repetition: what is in them is compared once.
struct PeerSets(Vec<Arc<[IpNet]>>, Vec<(Nets, [Option<u32>; 2])>);

impl PeerSets {
    fn of(flows: &[&Flow], filters_output: bool) -> Self {
        let peers = |f: &&Flow| {
            let to = Some(f.to_hosts.nets.clone()).filter(|_| filters_output);
            std::iter::once(f.from_hosts.nets.clone()).chain(to)
        };
        let mut ends: Vec<Nets> = Vec::new();
        for nets in flows.iter().flat_map(peers) {
            // Sorted flows of one end follow each other.
            if !ends.last().is_some_and(|last| last.is_same(&nets)) {
                ends.push(nets);
            }
        }
        ends.sort_by(compare);
        ends.dedup();
        let families = |nets: &Nets| {
            [true, false].map(|ipv4| -> Arc<[IpNet]> {
                merged(nets.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect()).into()
            })
        };
        let split: Vec<[Arc<[IpNet]>; 2]> = ends.iter().map(families).collect();
        let mut sets: Vec<Arc<[IpNet]>> = split.iter().flatten().filter(|nets| !nets.is_empty()).cloned().collect();
        sets.sort();
        sets.dedup();
        let rank = |nets: &Arc<[IpNet]>| sets.binary_search(nets).ok().map(|rank| rank as u32);
        let ranks = ends.into_iter().zip(&split).map(|(nets, [v4, v6])| (nets, [rank(v4), rank(v6)])).collect();
        Self(sets, ranks)
    }

    /// The peers of an end in IPv4 and in IPv6; `None` where it has none.
    fn ranks(&self, nets: &Nets) -> [Option<u32>; 2] {
        self.1.binary_search_by(|(own, _)| compare(own, nets)).map_or([None; 2], |index| self.1[index].1)
    }
}

fn compare(a: &Nets, b: &Nets) -> std::cmp::Ordering {
    if a.is_same(b) { std::cmp::Ordering::Equal } else { a.cmp(b) }
}

/// The reasons of all flows, sorted.
struct Reasons(Vec<Reason>);

/// The product, and what the traffic goes to.
struct Reason {
    product: Str,
    to: Str,
    /// Both, as the comment of a rule has them.
    words: Str,
}

impl Reasons {
    fn of(flows: &[&Flow]) -> Self {
        let mut pairs: Vec<(&Str, &Str)> = flows.iter().map(|f| (&f.product.value, &f.to.value)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let reason = |(product, to): (&Str, &Str)| {
            let mut words = String::new();
            for c in format!("{product}: {to}").chars() {
                if words.len() + c.len_utf8() > COMMENT_BYTES_MAX {
                    break;
                }
                words.push(c);
            }
            Reason { product: product.clone(), to: to.clone(), words: words.into() }
        };
        Self(pairs.into_iter().map(reason).collect())
    }

    fn rank(&self, flow: &Flow) -> u32 {
        let own = (&flow.product.value, &flow.to.value);
        self.0.partition_point(|r| (&r.product, &r.to) < own) as u32
    }
}

/// Whether what leaves a host is filtered.
pub fn filters_output(site: &Site) -> bool {
    site.at("/firewall/output").is_some_and(|o| o.value == Value::str("deny"))
}

/// The origins of flows that are not there.
#[derive(Default)]
struct Absent {
    /// By the reason of the rule that they would have joined.
    by_reason: BTreeMap<(Str, Str), Origins>,
    /// By what their peers are called.
    by_peer: BTreeMap<Str, Origins>,
}

impl Absent {
    fn of(gone: &[(Str, Vec<Gone>)], flows: &[&Flow]) -> Self {
        let (mut reasons, mut peers): (BTreeMap<_, Vec<&Origins>>, BTreeMap<_, Vec<&Origins>>) = Default::default();
        for (product, flow) in gone.iter().flat_map(|(p, list)| list.iter().map(move |g| (p, g))) {
            reasons.entry((product.clone(), flow.to.clone())).or_default().push(&flow.origins);
            for peer in [&flow.from, &flow.to] {
                peers.entry(peer.clone()).or_default().push(&flow.origins);
            }
        }
        // Flows between other hosts are not there either, and would be if their ends were others.
        for flow in flows {
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

fn rule(
    key: Key,
    ports: Vec<Ports>,
    origins: &Origins,
    set: F<Str>,
    host: &Str,
    peers: &Arc<[IpNet]>,
    why: &Str,
) -> Rule {
    fn field<T>(value: T, origins: &Origins) -> F<T> {
        F::new(value, origins.clone())
    }
    Rule {
        host: field(host.clone(), origins),
        chain: field(key.chain, origins),
        set,
        peers: field(peers.clone(), origins),
        family: field(if key.ipv6 { 6 } else { 4 }, origins),
        transport: field(key.transport, origins),
        multiport: field(Vec::new(), origins),
        ports: field(ports, origins),
        protocol: field(key.transport.number(key.ipv6).into(), origins),
        why: field(why.clone(), origins),
    }
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
