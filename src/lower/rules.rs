//! From permitted traffic to the rules of each host's ruleset.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::addresses::HostAddresses;
use super::firewalls::Filtered;
use super::flows::Gone;
use super::peers::merged;
use super::sets::{Group, SetNames};
use crate::ir::{F, Flow, Nets, Rule, RuleChain, Scope, Target, Transport};
use crate::site::Site;
use crate::spread::spread;
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
/// The result does not depend on the number of threads.
pub fn rules(
    flows: &[Arc<Flow>],
    gone: &[(Str, Vec<Gone>)],
    hosts: &[Filtered],
    site: &Site,
    Wanted { written, traced }: Wanted,
    threads: usize,
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
    let label = |p: &Part| match p.key.chain {
        RuleChain::Output => &flows[p.flow as usize].to.value,
        RuleChain::Input | RuleChain::NodePort => &flows[p.flow as usize].from.value,
    };
    let names = written.then(|| SetNames::new(site, &sets.sets, labels(&flows, filters_output), traced));
    let names_of = |rules: &[&[Part]]| -> Vec<F<Str>> {
        let Some(names) = &names else { return Vec::new() };
        let group = |(rule, parts): (usize, &&[Part])| {
            let Key { ipv6, peers, .. } = parts[0].key;
            let mut labels: Vec<&Str> = parts.iter().map(label).collect();
            labels.sort_unstable();
            labels.dedup();
            Group { ipv6, peers, rule, labels, origins: origins_of(parts) }
        };
        names.given(rules.iter().enumerate().map(group).collect(), &absent.by_peer)
    };
    let of_host = |parts: &&[Part]| -> Vec<Arc<Rule>> {
        let rules: Vec<&[Part]> = parts.chunk_by(|a, b| a.key == b.key).collect();
        let mut names = names_of(&rules).into_iter();
        let mut list = Vec::with_capacity(rules.len());
        for parts in rules {
            let key = parts[0].key;
            let (host, reason) = (&hosts[key.host as usize], &reasons.0[key.reason as usize]);
            let origins = origins_of(parts).union(absent.to(reason));
            let ports = parts.iter().filter_map(|p| flows[p.flow as usize].ports.value).collect();
            let set = names.next().unwrap_or_default();
            let peers = &sets.sets[key.peers as usize];
            let mut rule = rule(key, joined(ports), &origins, set, &host.name, peers, &reason.words);
            // No other form groups ports.
            if *host.target == Target::Iptables {
                rule.multiport.value = multiport(&rule.ports);
            }
            list.push(Arc::new(rule));
        }
        list
    };
    let by_host: Vec<&[Part]> = parts.chunk_by(|a, b| a.key.host == b.key.host).collect();
    spread(threads, &by_host, of_host).into_iter().flatten().collect()
}

/// What flows call those that set names are for.
fn labels<'a>(flows: &[&'a Flow], filters_output: bool) -> impl Iterator<Item = &'a Str> {
    let of = move |flow: &&'a Flow| [Some(&flow.from.value), Some(&flow.to.value).filter(|_| filters_output)];
    flows.iter().flat_map(of).flatten()
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
    let mut addresses = addresses.remembered();
    for (index, flow) in flows.iter().enumerate() {
        let (reason, transport) = (reasons.1[index], flow.transport.value);
        let mut add = |chain: RuleChain, ends: &Nets, peers: &Nets| {
            let peers = sets.ranks(peers);
            for (number, address) in addresses.within(ends) {
                let ipv6 = address.address.is_ipv6();
                let Some(peers) = peers[usize::from(ipv6)] else { continue };
                let key = Key { host: address.host as u32, chain, ipv6, transport, reason, peers };
                parts.push(Part { key, flow: index as u32, address: number as u32 });
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
struct PeerSets {
    sets: Vec<Nets>,
    /// The ranks of the two families of each end, by its identity. They are never gone through.
    ranks: IndexMap<usize, [Option<u32>; 2]>,
}

impl PeerSets {
    fn of(flows: &[&Flow], filters_output: bool) -> Self {
        let peers = |f: &&Flow| {
            let to = Some(f.to_hosts.nets.clone()).filter(|_| filters_output);
            std::iter::once(f.from_hosts.nets.clone()).chain(to)
        };
        let mut ends: IndexMap<usize, Nets> = IndexMap::new();
        for nets in flows.iter().flat_map(peers) {
            // Sorted flows of one end follow each other.
            if !ends.last().is_some_and(|(_, last)| last.is_same(&nets)) {
                ends.insert(nets.identity(), nets);
            }
        }
        let families = |nets: &Nets| {
            [true, false].map(|ipv4| -> Nets {
                merged(nets.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect()).into()
            })
        };
        let split: Vec<[Nets; 2]> = ends.values().map(families).collect();
        let mut sets: Vec<Nets> = split.iter().flatten().filter(|nets| !nets.is_empty()).cloned().collect();
        sets.sort_by(compare);
        sets.dedup();
        let rank = |nets: &Nets| sets.binary_search_by(|own| compare(own, nets)).ok().map(|rank| rank as u32);
        let ranks = ends.into_keys().zip(&split).map(|(end, [v4, v6])| (end, [rank(v4), rank(v6)])).collect();
        Self { sets, ranks }
    }

    /// The peers of an end in IPv4 and in IPv6; `None` where it has none.
    fn ranks(&self, nets: &Nets) -> [Option<u32>; 2] {
        self.ranks.get(&nets.identity()).copied().unwrap_or_default()
    }
}

fn compare(a: &Nets, b: &Nets) -> std::cmp::Ordering {
    if a.is_same(b) { std::cmp::Ordering::Equal } else { a.cmp(b) }
}

/// The reasons of all flows, sorted, and the rank of each flow's own.
struct Reasons(Vec<Reason>, Vec<u32>);

/// The product, and what the traffic goes to.
struct Reason {
    product: Str,
    to: Str,
    /// Both, as the comment of a rule has them.
    words: Str,
}

impl Reasons {
    fn of(flows: &[&Flow]) -> Self {
        let mut numbers: IndexMap<(&Str, &Str), u32> = IndexMap::new();
        let mut of_flows = Vec::with_capacity(flows.len());
        for flow in flows {
            let next = numbers.len() as u32;
            of_flows.push(*numbers.entry((&flow.product.value, &flow.to.value)).or_insert(next));
        }
        numbers.sort_unstable_keys();
        let mut ranks = vec![0; numbers.len()];
        for (rank, number) in numbers.values().enumerate() {
            ranks[*number as usize] = rank as u32;
        }
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
        let of_flows = of_flows.into_iter().map(|number| ranks[number as usize]).collect();
        Self(numbers.into_keys().map(reason).collect(), of_flows)
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
        if self.by_reason.is_empty() {
            return &Origins::None;
        }
        self.by_reason.get(&(reason.product.clone(), reason.to.clone())).unwrap_or(&Origins::None)
    }
}

fn rule(key: Key, ports: Vec<Ports>, origins: &Origins, set: F<Str>, host: &Str, peers: &Nets, why: &Str) -> Rule {
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
