//! From permitted traffic to the tables that people ask for: between zones, by host, and with the outside.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::addresses::HostAddresses;
use super::peers::{deep_origins, host_addresses};
use super::rules::joined;
use crate::ir::{
    Exposure, F, Flow, FlowTable, HostFlows, Ir, MatrixRow, Peers, Scope, Transport, Zone, ZoneFlow, ZonePair,
    short_net,
};
use crate::netset::{Addresses, Family};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// Where addresses lie that are in no network of the site.
pub const OUTSIDE: &str = "outside the site";

/// Tables that are made from zones, and are written for a site that asks for them.
pub const ON_REQUEST: [&str; 4] = ["html", "matrix", "request", "exposed"];

/// Fills in the tables. `gone` are the origins of flows that are not there.
pub fn tables(ir: &mut Ir, gone: &Origins, site: &Site) {
    let targets = site.at("/firewall/targets");
    let words = targets.map(Tracked::items).unwrap_or_default();
    let asked = words.iter().filter(|w| ON_REQUEST.iter().any(|name| w.value == Value::str(*name)));
    let of = |name: &str, origins: Origins| Arc::new(FlowTable { name: F::new(name.into(), origins) });
    ir.flow_tables = ["csv", "markdown"].map(|name| of(name, Origins::None)).to_vec();
    let own = asked.filter_map(|word| Some(of(&word.value.text()?, word.origins.clone())));
    ir.flow_tables.extend(own);
    if ir.flow_tables.len() == 2 {
        return;
    }
    let zones = Zones::of(site);
    let ends = ir.flows.iter().flat_map(|f| {
        [&f.from_hosts.origins, &f.to_hosts.origins, &f.ports.origins, &f.transport.origins, &f.scope.origins]
    });
    // An addition that waits for an answer is no flow yet.
    let products = site.table("products").map(|(_, p)| p);
    let extras = site.root.get("extra").into_iter().chain(products.filter_map(|p| p.get("extra")));
    let waiting: Vec<Origins> = extras.filter_map(|e| e.get("flows")).map(deep_origins).collect();
    let all = Origins::all(ends.chain([gone, &zones.origins]).chain(&waiting));
    ir.zone_flows = zone_flows(&ir.flows, &zones, site);
    ir.zones = zones.zones(&ir.zone_flows, &all);
    ir.zone_pairs = pairs(&ir.zone_flows, &all);
    ir.matrix = matrix(&ir.zones, &ir.zone_pairs, &all);
    ir.host_flows = hosts(&ir.flows, &all, site);
}

/// The networks of the site, to tell where an address lies.
struct Zones<'a> {
    site: &'a Site,
    /// Every network by its CIDRs.
    cidrs: Vec<(IpNet, &'a Str)>,
    /// The networks of pods, by their cluster.
    pods: Vec<(IpNet, Str)>,
    /// The addresses of all hosts.
    hosts: BTreeSet<IpAddr>,
    /// What tells where addresses lie.
    origins: Origins,
}

impl<'a> Zones<'a> {
    fn of(site: &'a Site) -> Self {
        let nets = |value: Option<&Tracked>| -> Vec<IpNet> {
            let items = value.map(Tracked::items).unwrap_or_default();
            items.iter().filter_map(|i| if let Value::Cidr(net) = i.value { Some(net) } else { None }).collect()
        };
        let own = |(name, n): (&'a Str, &'a Tracked)| nets(n.get("cidrs")).into_iter().map(move |net| (net, name));
        let cidrs = site.table("networks").flat_map(own).collect();
        let cidr = |c: &Tracked| match c.get("pod_cidr").map(|p| &p.value) {
            Some(Value::Cidr(net)) => Some(*net),
            _ => None,
        };
        let pods = site.table("clusters").filter_map(|(name, c)| Some((cidr(c)?, pods_of(name)))).collect();
        let tables = ["networks", "clusters"].into_iter().filter_map(|table| site.root.get(table));
        let origins = Origins::all(tables.map(deep_origins).collect::<Vec<_>>().iter());
        let hosts = site.table("hosts").flat_map(|(_, host)| host_addresses(host)).map(|a| a.value).collect();
        Self { site, cidrs, pods, hosts, origins }
    }

    /// The parts of an end by the zone in which they lie. An end that holds networks of the site and more is in several.
    fn parts(&self, end: &Peers) -> Vec<(Str, Peers)> {
        let mut parts: BTreeMap<Str, Vec<IpNet>> = BTreeMap::new();
        for net in &end.nets {
            let inner = self.cidrs.iter().filter(|(cidr, _)| cidr != net && net.contains(cidr));
            let mut covered = Addresses::default();
            for (cidr, name) in inner {
                covered = covered.union(&Addresses::of_nets(Family::of(cidr), [cidr]));
                parts.entry((*name).clone()).or_default().push(*cidr);
            }
            let whole = Addresses::of_nets(Family::of(net), [net]);
            if whole.difference(&covered).is_empty() {
                continue;
            }
            parts.entry(self.zone_of(net)).or_default().push(*net);
        }
        let of = |(zone, nets): (Str, Vec<IpNet>)| {
            (zone, Peers { nets: super::peers::merged(nets).into(), pods: end.pods.clone(), name: end.name.clone() })
        };
        match (parts.is_empty(), &end.pods) {
            (true, Some(cluster)) => vec![(pods_of(cluster), end.clone())],
            (true, None) => vec![(OUTSIDE.into(), end.clone())],
            (false, _) => parts.into_iter().map(of).collect(),
        }
    }

    /// The smallest network of the site that holds all of these addresses.
    fn zone_of(&self, net: &IpNet) -> Str {
        let holding = self.cidrs.iter().filter(|(cidr, _)| cidr.prefix_len() > 0 && cidr.contains(net));
        if let Some((_, name)) = holding.max_by_key(|(cidr, _)| cidr.prefix_len()) {
            return (*name).clone();
        }
        if let Some((_, name)) = self.pods.iter().find(|(cidr, _)| cidr.contains(net)) {
            return name.clone();
        }
        match net.prefix_len() == net.max_prefix_len() && self.hosts.contains(&net.addr()) {
            true => "in no network".into(),
            false => OUTSIDE.into(),
        }
    }

    /// The zones between which there are flows: the networks in the order of the spec, then all others by name.
    fn zones(&self, flows: &[Arc<ZoneFlow>], all: &Origins) -> Vec<Arc<Zone>> {
        let used: BTreeSet<&Str> = flows.iter().flat_map(|f| [&f.from_zone.value, &f.to_zone.value]).collect();
        let networks = self.site.table("networks").map(|(name, _)| name).filter(|name| used.contains(name));
        let networks: Vec<&Str> = networks.collect();
        let others = used.iter().copied().filter(|name| !networks.contains(name));
        let zone = |name: &Str| {
            let mut nets: Vec<IpNet> = self.cidrs.iter().filter(|(_, n)| *n == name).map(|(net, _)| *net).collect();
            nets.extend(self.pods.iter().filter(|(_, n)| n == name).map(|(net, _)| *net));
            let role = self.site.entry("networks", name).and_then(|n| n.get("role")?.value.text());
            let addresses: Vec<String> = nets.iter().map(short_net).collect();
            Arc::new(Zone {
                name: F::new(name.clone(), all.clone()),
                addresses: F::new(addresses.join(" ").into(), all.clone()),
                nets: F::new(nets, all.clone()),
                role: F::new(role.unwrap_or_default(), all.clone()),
            })
        };
        networks.iter().copied().chain(others).map(zone).collect()
    }
}

fn pods_of(cluster: &str) -> Str {
    format!("pods of {cluster}").into()
}

/// What makes rows one: everything but the ports.
type Key = (Str, Str, Str, Str, Str, Str, Str, Transport, Str, Str);

struct Parts {
    sources: Peers,
    destinations: Peers,
    ports: Vec<Ports>,
    origins: Vec<Origins>,
}

fn zone_flows(flows: &[Arc<Flow>], zones: &Zones, site: &Site) -> Vec<Arc<ZoneFlow>> {
    let mut rows: BTreeMap<Key, Parts> = BTreeMap::new();
    for flow in flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        let origins = flow.origins();
        for (from_zone, sources) in zones.parts(&flow.from_hosts) {
            for (to_zone, destinations) in zones.parts(&flow.to_hosts) {
                let same_family = |n: &IpNet| destinations.nets.iter().any(|m| Family::of(m) == Family::of(n));
                let meets =
                    sources.nets.is_empty() || destinations.nets.is_empty() || sources.nets.iter().any(same_family);
                if !meets {
                    continue;
                }
                let (product, from, to) = (flow.product.value.clone(), flow.from.value.clone(), flow.to.value.clone());
                let (application, why) = (flow.application.value.clone(), flow.why.value.clone());
                let zones = (from_zone.clone(), to_zone);
                let texts = (sources.text(), destinations.text());
                let key = (zones.0, zones.1, product, from, texts.0, to, texts.1, *flow.transport, application, why);
                let new = || Parts { sources: sources.clone(), destinations, ports: Vec::new(), origins: Vec::new() };
                let parts = rows.entry(key).or_insert_with(new);
                parts.ports.extend(flow.ports.value);
                parts.origins.push(origins.clone());
            }
        }
    }
    let row = |(key, parts): (Key, Parts)| {
        let (from_zone, to_zone, product, from, _, to, _, transport, application, why) = key;
        let origins = Origins::all(parts.origins.iter().chain([&zones.origins]));
        let exposure = match (&*from_zone == OUTSIDE, &*to_zone == OUTSIDE) {
            (true, true) => Exposure::Through,
            (true, false) => Exposure::In,
            (false, true) => Exposure::Out,
            (false, false) => Exposure::None,
        };
        let ports = joined(parts.ports);
        let owner = owner(&product, site);
        let crosses = from_zone != to_zone;
        let field = |value: &Str| F::new(value.clone(), origins.clone());
        Arc::new(ZoneFlow {
            from_zone: field(&from_zone),
            to_zone: field(&to_zone),
            product: field(&product),
            from: field(&from),
            sources: F::new(parts.sources, origins.clone()),
            to: field(&to),
            destinations: F::new(parts.destinations, origins.clone()),
            transport: F::new(transport, origins.clone()),
            port_list: F::new(port_list(&ports).into(), origins.clone()),
            ports: F::new(ports, origins.clone()),
            application: field(&application),
            reason: field(&reason(&product, &from, &to, &application)),
            why: field(&why),
            owner: F::new(owner.value, owner.origins.union(&origins)),
            crosses: F::new(crosses, origins.clone()),
            exposure: F::new(exposure, origins.clone()),
        })
    };
    rows.into_iter().map(row).collect()
}

/// `HTTPS from users to proxy, for portal`; `from users to proxy, for the site` where nobody has named the application.
fn reason(product: &str, from: &str, to: &str, application: &str) -> Str {
    let of = if product == "site" { "the site" } else { product };
    let head = if application.is_empty() { String::new() } else { format!("{application} ") };
    format!("{head}from {from} to {to}, for {of}").into()
}

/// Who answers for the traffic of a product: its own owner, else the site's.
pub fn owner(product: &str, site: &Site) -> F<Str> {
    let own = site.entry("products", product).and_then(|p| p.get("owner"));
    let of_site = site.at("/site/owner");
    let origins = Origins::all(own.into_iter().chain(of_site).map(|o| &o.origins));
    let text = [own, of_site].into_iter().flatten().find_map(|o| o.value.text().filter(|_| !o.value.is_null()));
    F::new(text.unwrap_or_default(), origins)
}

/// Ports as people write them: `111, 4045-4046`.
pub fn port_list(ports: &[Ports]) -> String {
    ports.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ")
}

fn pairs(flows: &[Arc<ZoneFlow>], all: &Origins) -> Vec<Arc<ZonePair>> {
    let mut pairs: BTreeMap<(&Str, &Str), Vec<Arc<ZoneFlow>>> = BTreeMap::new();
    for flow in flows {
        pairs.entry((&flow.from_zone.value, &flow.to_zone.value)).or_default().push(flow.clone());
    }
    let pair = |((from, to), flows): ((&Str, &Str), Vec<Arc<ZoneFlow>>)| {
        Arc::new(ZonePair {
            from: F::new(from.clone(), all.clone()),
            to: F::new(to.clone(), all.clone()),
            services: F::new(services(&flows).into(), all.clone()),
            flows: F::new(flows, all.clone()),
        })
    };
    pairs.into_iter().map(pair).collect()
}

/// What flows open together, by transport: `22, 443/tcp; esp`.
pub fn services(flows: &[Arc<ZoneFlow>]) -> String {
    let mut by_transport: BTreeMap<Transport, Vec<Ports>> = BTreeMap::new();
    for flow in flows {
        by_transport.entry(*flow.transport).or_default().extend(flow.ports.value.iter().copied());
    }
    let text = |(transport, ports): (Transport, Vec<Ports>)| match transport.has_ports() {
        true => format!("{}/{}", port_list(&joined(ports)), transport.name()),
        false => transport.name().to_owned(),
    };
    by_transport.into_iter().map(text).collect::<Vec<_>>().join("; ")
}

fn matrix(zones: &[Arc<Zone>], pairs: &[Arc<ZonePair>], all: &Origins) -> Vec<Arc<MatrixRow>> {
    let by_ends: BTreeMap<(&Str, &Str), &Str> =
        pairs.iter().map(|p| ((&p.from.value, &p.to.value), &p.services.value)).collect();
    let row = |from: &Arc<Zone>| {
        let cell = |to: &Arc<Zone>| by_ends.get(&(&from.name.value, &to.name.value)).map(|s| (*s).clone());
        let cells: Vec<Str> = zones.iter().map(|to| cell(to).unwrap_or_default()).collect();
        Arc::new(MatrixRow { from: from.name.clone(), cells: F::new(cells, all.clone()) })
    };
    zones.iter().map(row).collect()
}

/// What every host lets in and opens. Pods reach other hosts with the address of their node.
fn hosts(flows: &[Arc<Flow>], all: &Origins, site: &Site) -> Vec<Arc<HostFlows>> {
    let table: Vec<(&Str, &Tracked)> = site.table("hosts").collect();
    let own: Vec<Vec<F<IpAddr>>> = table.iter().map(|(_, host)| host_addresses(host)).collect();
    let addresses = HostAddresses::of(table.iter().map(|(_, host)| Some(*host)));
    let at = |end: &Peers| addresses.hosts_in(&end.nets);
    let (mut incoming, mut outgoing) = (vec![Vec::new(); table.len()], vec![Vec::new(); table.len()]);
    for flow in flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        at(&flow.to_hosts).into_iter().for_each(|host| incoming[host].push(flow.clone()));
        at(&flow.from_hosts).into_iter().for_each(|host| outgoing[host].push(flow.clone()));
    }
    let mut hosts = Vec::with_capacity(table.len());
    for ((name, entry), ((addresses, incoming), outgoing)) in
        table.into_iter().zip(own.into_iter().zip(incoming).zip(outgoing))
    {
        let origins = Origins::all(addresses.iter().map(|a| &a.origins).chain([all, &entry.origins]));
        let text: Vec<String> = addresses.iter().map(|a| a.value.to_string()).collect();
        hosts.push(Arc::new(HostFlows {
            host: F::new(name.clone(), origins.clone()),
            addresses: F::new(text.join(" ").into(), origins.clone()),
            incoming: F::new(incoming, origins.clone()),
            outgoing: F::new(outgoing, origins.clone()),
        }));
    }
    hosts.sort_by(|a, b| a.host.value.cmp(&b.host.value));
    hosts
}
