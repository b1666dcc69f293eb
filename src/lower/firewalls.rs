//! Which host keeps a ruleset, in which form, and what is in it beside its rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::rules::{Wanted, filters_output, joined};
use super::storage::pointer;
use crate::instance::{Run, Withheld};
use crate::ir::{AddressSet, F, Firewall, Rule, RuleChain, Target};
use crate::netset::{Addresses, Family};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// A host with a ruleset.
#[derive(Clone, Debug)]
pub struct Filtered {
    pub name: Str,
    pub target: F<Target>,
}

/// Every host with a ruleset, sorted by name.
pub fn filtered(site: &Site) -> Vec<Filtered> {
    let form = |host: &Tracked| {
        let form = host.get("firewall")?;
        let target = Target::from_name(&form.value.text()?)?;
        Some(F::new(target, form.origins.union(&host.origins)))
    };
    let hosts =
        site.table("hosts").filter_map(|(name, host)| Some(Filtered { name: name.clone(), target: form(host)? }));
    let mut list: Vec<Filtered> = hosts.collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    list
}

/// The answers without which nobody knows from where administrators log in: the roles of networks where none is for
/// management, the addresses of those that are. A ruleset that is written without them locks everybody out.
pub fn open_management(site: &Site) -> Vec<(String, &Tracked)> {
    let open = |value: Option<&Tracked>| value.is_none_or(|v| matches!(v.value, Value::Null | Value::Poison));
    let managed = |n: &Tracked| n.get("role").is_some_and(|r| r.value == Value::str("management"));
    let key = if site.table("networks").any(|(_, n)| managed(n)) { "cidrs" } else { "role" };
    let networks = site.table("networks").filter(|(_, n)| key == "role" || managed(n));
    let networks = networks.filter(|(_, n)| open(n.get(key)));
    networks.map(|(name, n)| (pointer(&["networks", name, key]), n)).collect()
}

/// What decides on whether rulesets are written at all.
pub fn read(site: &Site) -> Origins {
    let of = |n: &Tracked, key: &str| n.get(key).map(|v| v.origins.clone());
    Origins::all(
        &site.table("networks").flat_map(|(_, n)| [of(n, "role"), of(n, "cidrs")]).flatten().collect::<Vec<_>>(),
    )
}

/// Lets rulesets wait for those answers.
pub fn wait(what: &str, open: &[(String, &Tracked)], run: &mut Run) {
    let one = |(pointer, network): &(String, &Tracked)| Unanswered {
        path: pointer.rsplit('/').next().unwrap_or_default().to_owned(),
        pointer: Some(pointer.clone()),
        origins: network.origins.clone(),
        reads: network.origins.clone(),
    };
    run.withheld.push(Withheld {
        product: "site".into(),
        what: what.to_owned(),
        unanswered: open.iter().map(one).collect(),
        why: "a firewall must not lock its administrators out".into(),
        ..Default::default()
    });
}

/// The ruleset of every host that has one, those without a rule included.
pub fn firewalls(hosts: &[Filtered], rules: &[Arc<Rule>], site: &Site, wanted: Wanted) -> Vec<Arc<Firewall>> {
    let of_site = |pointer: &str| site.at(pointer).map(|v| v.origins.clone()).unwrap_or_default();
    let (output, log) = (of_site("/firewall/output"), of_site("/firewall/log"));
    let filters = filters_output(site);
    let logs = site.at("/firewall/log").is_some_and(|l| l.value == Value::Bool(true));
    let mut own: IndexMap<&Str, Vec<Arc<Rule>>> = IndexMap::new();
    for of_host in rules.chunk_by(|a, b| a.host == b.host) {
        own.entry(&of_host[0].host.value).or_default().extend_from_slice(of_host);
    }
    let ranges = node_ports(site);
    let mut written = Written::new();
    let mut list = Vec::with_capacity(hosts.len());
    for Filtered { name, target } in hosts {
        let rules = own.swap_remove(name).unwrap_or_default();
        let exists = &target.origins;
        list.push(Arc::new(Firewall {
            host: F::new(name.clone(), exists.clone()),
            target: target.clone(),
            sets: F::new(if wanted.written { sets(&rules, &mut written) } else { Vec::new() }, exists.clone()),
            node_ports: judged_ports(ranges.get(name), &rules, exists),
            forwards: match ranges.get(name) {
                Some(node) => F::new(true, node.origins.union(exists)),
                None => F::new(false, exists.clone()),
            },
            rules: F::new(rules, exists.clone()),
            output: F::new(filters, output.clone()),
            log: F::new(logs, log.clone()),
        }));
    }
    list
}

/// The ranges of sets as they are written: hosts share them.
type Written = BTreeMap<Arc<[IpNet]>, Arc<[Str]>>;

/// The sets that rules name, each once.
fn sets(rules: &[Arc<Rule>], written: &mut Written) -> Vec<Arc<AddressSet>> {
    let by_name: BTreeMap<&Str, &Rule> = rules.iter().map(|r| (&r.set.value, &**r)).collect();
    let mut list = Vec::with_capacity(by_name.len());
    for rule in by_name.into_values() {
        let family = if *rule.family == 6 { Family::V6 } else { Family::V4 };
        let origins = &rule.set.origins;
        let nets = &rule.peers.value;
        if !written.contains_key(nets) {
            let ranges = Addresses::of_nets(family, nets.iter()).ranges(family);
            written.insert(nets.clone(), ranges.into_iter().map(Str::from).collect());
        }
        list.push(Arc::new(AddressSet {
            name: rule.set.clone(),
            family: F::new(rule.family.value, origins.clone()),
            nets: F::new(rule.peers.value.clone(), origins.clone()),
            entries: F::new(entries(nets), origins.clone()),
            ranges: F::new(written.get(nets).cloned().unwrap_or_default(), origins.clone()),
        }));
    }
    list
}

/// The networks, shared unless one of them has a prefix of length zero.
fn entries(nets: &Arc<[IpNet]>) -> Arc<[IpNet]> {
    match nets.iter().any(|net| net.prefix_len() == 0) {
        true => nets.iter().flat_map(halves).collect(),
        false => nets.clone(),
    }
}

/// A network, or the two halves of a whole family.
fn halves(net: &IpNet) -> Vec<IpNet> {
    match (net.prefix_len(), net.subnets(1)) {
        (0, Ok(two)) => two.collect(),
        _ => vec![*net],
    }
}

/// The ports of a node that are judged before the cluster rewrites them: its range of node ports, and whatever products
/// publish there beyond it. A host of no cluster rewrites nothing.
fn judged_ports(range: Option<&F<Option<Ports>>>, rules: &[Arc<Rule>], exists: &Origins) -> F<Vec<Ports>> {
    let Some(range) = range else { return F::new(Vec::new(), exists.clone()) };
    let published = || rules.iter().filter(|r| r.chain.value == RuleChain::NodePort);
    let mut ports: Vec<Ports> = published().flat_map(|r| r.ports.value.iter().copied()).collect();
    ports.extend(range.value);
    let origins = Origins::all(published().map(|r| &r.ports.origins).chain([&range.origins, exists]));
    F::new(joined(ports), origins)
}

/// The range of node ports of every node of a cluster; a swarm has none.
pub(super) fn node_ports(site: &Site) -> IndexMap<Str, F<Option<Ports>>> {
    let mut found = IndexMap::new();
    for (name, cluster) in site.table("clusters") {
        let (kind, range) = (cluster.get("kind"), cluster.get("node_port_range"));
        let origins = Origins::all(kind.into_iter().chain(range).map(|t| &t.origins));
        let range = range.filter(|_| kind.is_some_and(|k| k.value == Value::str("kubernetes")));
        let ports = range.and_then(|r| crate::instance::ports_of(&r.value)?.first().copied());
        let (control_plane, workers) = site.cluster_nodes(name);
        for node in control_plane.into_iter().chain(workers) {
            found.insert(node.value, F::new(ports, origins.union(&node.origins)));
        }
    }
    found
}
