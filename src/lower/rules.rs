//! From permitted traffic to the rules of each host's ruleset.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::peers::{host_addresses, merged};
use crate::ir::{F, Flow, Rule, RuleChain, Scope, Transport};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Value};

/// What rules are grouped by before their ports are joined.
type Key = (Str, RuleChain, i64, Transport, Vec<IpNet>);

/// The rules of every host that the spec's firewall covers. Windows hosts have none here.
pub fn rules(flows: &[Arc<Flow>], site: &Site) -> Vec<Arc<Rule>> {
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
    grouped.into_iter().map(rule).collect()
}

/// Every address of every host with a ruleset, with the host's name and the origins of the address.
fn filtered_hosts(site: &Site) -> Vec<(IpNet, Str, Origins)> {
    let mut hosts = Vec::new();
    for (name, entry) in site.table("hosts") {
        let windows = entry
            .get("os")
            .and_then(|os| os.get("family"))
            .is_some_and(|f| matches!(&f.value, Value::Str(s) if s.starts_with("windows")));
        if windows {
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

fn rule((key, (ports, mut why, origins)): (Key, (Vec<Ports>, Vec<Str>, Origins))) -> Arc<Rule> {
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
