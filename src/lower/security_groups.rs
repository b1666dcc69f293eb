//! The security groups of a cloud, for sites that keep what hosts permit there: one group for each host, one rule for each
//! direction, protocol, range of ports and network.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::firewalls::Filtered;
use super::flows::Gone;
use super::rules::{Wanted, filters_output, rules};
use super::storage::pointer;
use crate::ir::{F, Flow, Rule, RuleChain, SecurityGroup, SecurityRule, Target, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// What asks for groups in the spec.
const TARGET: &str = "security-group";

/// What becomes one rule: its fields, and what they come from.
struct Entry {
    direction: &'static str,
    ipv6: bool,
    protocol: Option<Str>,
    low: Option<i64>,
    high: Option<i64>,
    remote: String,
    why: Vec<Str>,
    origins: Vec<Origins>,
}

/// Whether the site wants groups.
pub fn wanted(site: &Site) -> bool {
    let targets = site.at("/firewall/targets").map(Tracked::items).unwrap_or_default();
    targets.iter().any(|t| t.value == Value::str(TARGET))
}

/// What decides on whether a site has groups at all.
pub fn read(site: &Site) -> Origins {
    let targets = site.at("/firewall/targets");
    let words = targets.into_iter().flat_map(Tracked::items).map(|t| &t.origins);
    // Which networks are for management decides by which addresses a rule is written, and whether there are any.
    Origins::all(targets.into_iter().map(|t| &t.origins).chain(words)).union(&super::firewalls::read(site))
}

/// The groups of all hosts but those whose own entry wants no firewall.
pub fn security_groups(
    flows: &[Arc<Flow>],
    gone: &[(Str, Vec<Gone>)],
    site: &Site,
    how: Wanted,
    threads: usize,
) -> Vec<Arc<SecurityGroup>> {
    if !wanted(site) {
        return Vec::new();
    }
    let wanted = read(site);
    let mut hosts: Vec<Filtered> = Vec::new();
    for (name, host) in site.table("hosts") {
        let form = host.get("firewall");
        let own = form.filter(|_| !site.defaults.contains_key(&pointer(&["hosts", name, "firewall"])));
        if own.is_some_and(|f| f.value == Value::str("none")) {
            continue;
        }
        let origins = Origins::all([&host.origins, &wanted].into_iter().chain(form.map(|f| &f.origins)));
        hosts.push(Filtered { name: name.clone(), target: F::new(Target::default(), origins) });
    }
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    let output = site.at("/firewall/output").map(|o| o.origins.clone()).unwrap_or_default();
    let filters = filters_output(site);
    let mut own: BTreeMap<Str, Vec<Arc<Rule>>> = BTreeMap::new();
    for rule in rules(flows, gone, &hosts, site, how, threads) {
        own.entry(rule.host.value.clone()).or_default().push(rule);
    }
    let group = |host: Filtered| {
        let exists = &host.target.origins;
        let rules = own.get(&host.name).cloned().unwrap_or_default();
        Arc::new(SecurityGroup {
            entries: F::new(entries(&host.name, &rules, filters, &exists.union(&output)), exists.clone()),
            host: F::new(host.name.clone(), exists.clone()),
            output: F::new(filters, output.clone()),
            rules: F::new(rules, exists.clone()),
        })
    };
    hosts.into_iter().map(group).collect()
}

/// Direction, whether it is IPv6, the transport and its ports.
type Kind = (&'static str, bool, Transport, Option<Ports>);

/// The kinds of traffic that a rule permits, one for each range of ports.
fn kinds(rule: &Rule) -> Vec<Kind> {
    let direction = if *rule.chain == RuleChain::Output { "egress" } else { "ingress" };
    let kind = |range| (direction, *rule.family == 6, *rule.transport, range);
    match rule.ports.as_slice() {
        [] => vec![kind(None)],
        list => list.iter().map(|range| kind(Some(*range))).collect(),
    }
}

/// The rules of one group, sorted by their keys. Two of the same would be refused, so that reasons are joined.
fn entries(host: &str, rules: &[Arc<Rule>], filters: bool, exists: &Origins) -> Vec<Arc<SecurityRule>> {
    let mut list: BTreeMap<String, Entry> = BTreeMap::new();
    let mut add = |entry: Entry| {
        let range = match (entry.low, entry.high) {
            (Some(low), Some(high)) if high > low => format!(" {low}-{high}"),
            (Some(low), _) => format!(" {low}"),
            _ => String::new(),
        };
        let protocol = entry.protocol.as_deref().unwrap_or("any");
        let key = format!("{host} {} {protocol}{range} {}", entry.direction, entry.remote);
        match list.get_mut(&key) {
            Some(known) => {
                known.why.extend(entry.why);
                known.origins.extend(entry.origins);
            }
            None => drop(list.insert(key, entry)),
        }
    };
    let mut fixed = |direction, ipv6: bool, protocol: Option<&str>, low: Option<i64>, why: &str| {
        let remote = if ipv6 { "::/0" } else { "0.0.0.0/0" }.to_owned();
        let (protocol, high) = (protocol.map(Str::from), low.map(|_| 0));
        let (why, origins) = (vec![why.into()], vec![exists.clone()]);
        add(Entry { direction, ipv6, protocol, low, high, remote, why, origins });
    };
    for (ipv6, protocol, echo) in [(false, "icmp", 8), (true, "ipv6-icmp", 128)] {
        fixed("ingress", ipv6, Some(protocol), Some(echo), "whether the host is there");
        match filters {
            true => fixed("egress", ipv6, Some(protocol), Some(echo), "whether others are there"),
            false => fixed("egress", ipv6, None, None, "what leaves the host is not filtered"),
        }
    }
    // Peers of one kind of traffic may come to be the same, and the reasons of their rules with them.
    let mut beside: BTreeMap<Kind, Vec<Origins>> = BTreeMap::new();
    for (rule, kind) in rules.iter().flat_map(|rule| kinds(rule).into_iter().map(move |kind| (rule, kind))) {
        beside.entry(kind).or_default().push(rule.origins());
    }
    let beside: BTreeMap<Kind, Origins> = beside.into_iter().map(|(kind, all)| (kind, Origins::all(&all))).collect();
    for (rule, kind) in rules.iter().flat_map(|rule| kinds(rule).into_iter().map(move |kind| (rule, kind))) {
        for net in rule.peers.iter() {
            let (direction, ipv6, transport, range) = kind;
            add(Entry {
                direction,
                ipv6,
                protocol: Some(protocol(transport, ipv6)),
                low: range.map(|r| r.low.into()),
                high: range.map(|r| r.high.into()),
                remote: net.to_string(),
                why: vec![rule.why.value.clone()],
                origins: vec![beside[&kind].clone(), exists.clone()],
            });
        }
    }
    let entry = |(key, mut entry): (String, Entry)| {
        entry.why.sort();
        entry.why.dedup();
        let origins = Origins::all(&entry.origins);
        fn field<T>(value: T, origins: &Origins) -> F<T> {
            F::new(value, origins.clone())
        }
        Arc::new(SecurityRule {
            key: field(key.into(), &origins),
            direction: field(entry.direction.into(), &origins),
            ethertype: field(if entry.ipv6 { "IPv6" } else { "IPv4" }.into(), &origins),
            protocol: field(entry.protocol, &origins),
            low: field(entry.low, &origins),
            high: field(entry.high, &origins),
            remote: field(entry.remote.into(), &origins),
            why: field(entry.why.join("; ").into(), &origins),
        })
    };
    list.into_iter().map(entry).collect()
}

/// A protocol as the cloud calls it: by its name where that is the same everywhere, else by its number.
fn protocol(transport: Transport, ipv6: bool) -> Str {
    match transport {
        Transport::Tcp | Transport::Udp | Transport::Sctp => transport.name().into(),
        Transport::Icmp if ipv6 => "ipv6-icmp".into(),
        Transport::Icmp => "icmp".into(),
        other => other.number(ipv6).to_string().into(),
    }
}
