//! Which host keeps a ruleset, in which form, and what is in it beside its rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::rules::{Wanted, filters_output, joined};
use super::storage::pointer;
use crate::instance::{Run, Withheld};
use crate::ir::{AddressSet, F, Firewall, Ranges, Rule, RuleChain, Target};
use crate::netset::Family;
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::spread::spread_with;
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

/// The ruleset of every host that has one, those without a rule included. The result does not depend on the number of
/// threads.
pub fn firewalls(
    hosts: &[Filtered],
    rules: &[Arc<Rule>],
    site: &Site,
    wanted: Wanted,
    threads: usize,
) -> Vec<Arc<Firewall>> {
    let of_site = |pointer: &str| site.at(pointer).map(|v| v.origins.clone()).unwrap_or_default();
    let (output, log) = (of_site("/firewall/output"), of_site("/firewall/log"));
    let filters = filters_output(site);
    let logs = site.at("/firewall/log").is_some_and(|l| l.value == Value::Bool(true));
    let of_hosts = rules.chunk_by(|a, b| a.host == b.host);
    let own: IndexMap<&Str, &[Arc<Rule>]> = of_hosts.map(|of_host| (&of_host[0].host.value, of_host)).collect();
    let ranges = node_ports(site);
    spread_with(threads, hosts, IndexMap::new, |known: &mut Known, Filtered { name, target }| {
        let rules = own.get(name).copied().unwrap_or_default();
        let exists = &target.origins;
        Arc::new(Firewall {
            host: F::new(name.clone(), exists.clone()),
            target: target.clone(),
            sets: F::new(if wanted.written { sets(rules, wanted, known) } else { Vec::new() }, exists.clone()),
            node_ports: judged_ports(ranges.get(name), rules, exists),
            forwards: match ranges.get(name) {
                Some(node) => F::new(true, node.origins.union(exists)),
                None => F::new(false, exists.clone()),
            },
            rules: F::new(rules.to_vec(), exists.clone()),
            output: F::new(filters, output.clone()),
            log: F::new(logs, log.clone()),
        })
    })
}

/// Sets of addresses by their names and networks, as these lie in memory: hosts share them. They are never gone through.
type Known = IndexMap<(usize, usize), Arc<AddressSet>>;

/// The sets that rules name, each once.
fn sets(rules: &[Arc<Rule>], wanted: Wanted, known: &mut Known) -> Vec<Arc<AddressSet>> {
    let by_name: BTreeMap<&Str, &Rule> = rules.iter().map(|r| (&r.set.value, &**r)).collect();
    let set = |rule: &Rule| {
        let family = if *rule.family == 6 { Family::V6 } else { Family::V4 };
        let (origins, nets) = (&rule.set.origins, &rule.peers.value);
        Arc::new(AddressSet {
            name: rule.set.clone(),
            family: F::new(rule.family.value, origins.clone()),
            nets: F::new(nets.clone(), origins.clone()),
            entries: F::new(nets.halved().clone(), origins.clone()),
            ranges: F::new(Ranges { nets: nets.clone(), family }, origins.clone()),
        })
    };
    let shared = |rule: &Rule| match wanted.traced {
        true => set(rule),
        false => {
            let key = (Arc::as_ptr(&rule.set.value).addr(), rule.peers.identity());
            known.entry(key).or_insert_with(|| set(rule)).clone()
        }
    };
    by_name.into_values().map(shared).collect()
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
