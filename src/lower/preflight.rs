//! What each host is asked before the installation: its facts in the spec, probes of the packs, its outgoing flows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::addresses::{HostAddress, HostAddresses};
use super::items::Item;
use super::peers::host_addresses;
use crate::instance::Run;
use crate::ir::{F, Flow, HostCheck, Nets, PortCheck, Preflight, Probe, Scope, Transport, Try, short_net};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Unit, Value};

/// Of a destination with more addresses than this, the first ones stand for all.
pub const TARGETS_MAX: usize = 16;

/// The product of flows that no product declares.
const SITE: &str = "site";

/// The names of those who need a connection are printed up to this many.
const NAMES_MAX: usize = 3;

/// The questions for every host on which a POSIX shell runs, without the probes of the packs. `absent` are the origins of
/// flows that are not there; only where lines are `traced` to what they come from do tries and ports have origins.
pub fn preflights(flows: &[Arc<Flow>], absent: &Origins, site: &Site, traced: bool) -> Vec<Preflight> {
    let hosts: Vec<(&Str, &Tracked)> = site.table("hosts").filter(|(_, host)| !is_windows(host)).collect();
    let index = HostAddresses::of(hosts.iter().map(|(_, host)| Some(*host)));
    let (mut tries, mut ports) =
        (tries(flows, absent, &hosts, &index, traced), ports(flows, absent, &hosts, &index, traced));
    let mut list: Vec<Preflight> = Vec::with_capacity(hosts.len());
    for (n, (name, host)) in hosts.iter().enumerate() {
        let addresses = host_addresses(host);
        let of_addresses = Origins::all(addresses.iter().map(|a| &a.origins)).union(&host.origins);
        list.push(Preflight {
            host: F::new((*name).clone(), host.origins.union(&kind(host))),
            addresses: F::new(addresses.iter().map(|a| a.value.to_string().into()).collect(), of_addresses),
            checks: F::new(checks(name, host, traced), host.origins.clone()),
            probes: F::new(Vec::new(), host.origins.clone()),
            ports: F::new(std::mem::take(&mut ports[n]), host.origins.union(absent)),
            tries: F::new(std::mem::take(&mut tries[n]), host.origins.union(absent)),
        });
    }
    list.sort_by(|a, b| a.host.value.cmp(&b.host.value));
    list
}

/// Adds its probes to each host; these are sorted by host.
pub fn probed(preflights: Vec<Preflight>, probes: &[Arc<Probe>]) -> Vec<Arc<Preflight>> {
    let with_own = |mut preflight: Preflight| {
        let from = probes.partition_point(|p| p.host.value < preflight.host.value);
        let own = probes[from..].iter().take_while(|p| p.host.value == preflight.host.value);
        preflight.probes.value = own.cloned().collect();
        Arc::new(preflight)
    };
    preflights.into_iter().map(with_own).collect()
}

fn is_windows(host: &Tracked) -> bool {
    let family = host.get("os").and_then(|os| os.get("family"));
    family.is_some_and(|f| matches!(&f.value, Value::Str(s) if s.starts_with("windows")))
}

/// What decides whether a host has a POSIX shell.
fn kind(host: &Tracked) -> Origins {
    let os = host.get("os");
    Origins::all(os.into_iter().chain(os.and_then(|os| os.get("family"))).map(|t| &t.origins))
}

/// Probes of the packs, one per host and id.
pub fn probes(items: &[Item], run: &mut Run) -> Vec<Arc<Probe>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(hosts), Some(id), Some(says), Some(command)) =
            (item.texts("host", run), item.text("id", run), item.text("says", run), item.text("run", run))
        else {
            continue;
        };
        let args = item.texts("args", run).unwrap_or_else(|| item.field(Vec::new()));
        let fails = item.text("fails", run).unwrap_or_else(|| item.field("".into()));
        for host in &hosts.value {
            // What decides on the host decides on all lines of the probe in its script.
            let here = |field: &F<Str>| F::new(field.value.clone(), field.origins.union(&hosts.origins));
            list.push(Arc::new(Probe {
                host: F::new(host.clone(), hosts.origins.clone()),
                id: here(&id),
                product: here(&item.field(item.product.clone())),
                says: here(&says),
                run: here(&command),
                args: args.clone(),
                fails: here(&fails),
                why: here(&item.field(item.why.clone())),
            }));
        }
    }
    list.sort_by_cached_key(|p| (p.host.value.clone(), p.product.value.clone(), p.id.value.clone()));
    list.dedup_by_key(|p| (p.host.value.clone(), p.id.value.clone(), p.args.value.clone()));
    list
}

/// The facts of a host that the host itself can tell.
fn checks(name: &Str, host: &Tracked, traced: bool) -> Vec<Arc<HostCheck>> {
    let mut list = Vec::new();
    let mut add = |kind: &str, args: Vec<Str>, origins: Origins| {
        let origins = if traced { origins.union(&host.origins) } else { Origins::None };
        let (kind, args) = (F::new(kind.into(), origins.clone()), F::new(args, origins));
        list.push(Arc::new(HostCheck { kind, args }));
    };
    let os = host.get("os");
    let text = |value: Option<&Tracked>| value.and_then(|t| Some((t.value.text()?, t.origins.clone())));
    if let Some((family, origins)) = text(os.and_then(|os| os.get("family"))) {
        let version = text(os.and_then(|os| os.get("version")));
        let origins = version.iter().fold(origins, |all, (_, more)| all.union(more));
        add("system", vec![family, version.map(|(v, _)| v).unwrap_or_default()], origins);
    }
    let of_os = |key: &str| text(host.get(key)).or_else(|| text(os.and_then(|os| os.get(key))));
    for key in ["arch", "kernel"] {
        if let Some((value, origins)) = of_os(key) {
            add(key, vec![value], origins);
        }
    }
    let amount = |value: Option<&Tracked>, unit: Unit| match value.map(|t| (&t.value, &t.origins)) {
        Some((Value::Quantity(q), origins)) if q.unit == unit => Some((q.amount, q.source.clone(), origins.clone())),
        _ => None,
    };
    if let Some((cores, _, origins)) = amount(host.get("cpu"), Unit::Millicores) {
        add("cores", vec![cores.div_ceil(1000).to_string().into()], origins);
    }
    for key in ["memory", "disk"] {
        if let Some((bytes, written, origins)) = amount(host.get(key), Unit::Bytes) {
            add(key, vec![(bytes >> 10).to_string().into(), written], origins);
        }
    }
    for (mount, system) in host.get("filesystems").map(Tracked::entries).into_iter().flatten() {
        let kind = text(system.get("type"));
        let size = amount(system.get("size"), Unit::Bytes);
        let mut origins = system.origins.clone();
        for more in kind.iter().map(|k| &k.1).chain(size.iter().map(|s| &s.2)) {
            origins = origins.union(more);
        }
        let (kib, written) = size.map_or((0, "".into()), |(bytes, written, _)| (bytes >> 10, written));
        let kind = kind.map(|(k, _)| k).unwrap_or_default();
        add("filesystem", vec![mount.clone(), kind, kib.to_string().into(), written], origins);
    }
    let addresses = host_addresses(host);
    for address in &addresses {
        add("address", vec![address.value.to_string().into()], address.origins.clone());
    }
    if let (Some((fqdn, origins)), Some(address)) = (text(host.get("fqdn")), addresses.first()) {
        let own: Vec<Str> = addresses.iter().map(|a| a.value.to_string().into()).collect();
        let origins = Origins::all(addresses.iter().map(|a| &a.origins)).union(&origins).union(&address.origins);
        add("name", [vec![fqdn], own].concat(), origins);
    }
    if let Some((interface, origins)) = text(host.get("interface")) {
        add("interface", vec![interface], origins);
    }
    if let Some((bits, written, origins)) = amount(host.get("link"), Unit::BitsPerSecond) {
        add("link", vec![(bits / 1_000_000).to_string().into(), written], origins);
    }
    add("clock", vec![name.clone()], Origins::None);
    list
}

/// The single ports on which products will listen at each host. What the site itself needs is there already.
fn ports(
    flows: &[Arc<Flow>],
    absent: &Origins,
    hosts: &[(&Str, &Tracked)],
    index: &HostAddresses,
    traced: bool,
) -> Vec<Vec<Arc<PortCheck>>> {
    type Wanted = (Vec<Str>, bool, Vec<Origins>);
    let mut found: Vec<BTreeMap<(Transport, u16), Wanted>> = hosts.iter().map(|_| BTreeMap::new()).collect();
    // By the port of any flow to a host it could have shared a line with another.
    let mut beside: Vec<Vec<Origins>> = hosts.iter().map(|_| Vec::new()).collect();
    let of_products = |f: &&Arc<Flow>| f.scope.value != Scope::Cluster && *f.product.value != *SITE;
    for flow in flows.iter().filter(of_products) {
        let Some(single) = flow.tried_ports().filter(|p| p.low == p.high) else { continue };
        let origins = if traced { flow.origins() } else { Origins::None };
        for net in flow.to_hosts.nets.iter().filter(|n| n.prefix_len() == n.max_prefix_len()) {
            for (_, HostAddress { host, origins: of_address, .. }) in index.within(net) {
                let wanted = found[*host].entry((flow.transport.value, single.low)).or_default();
                wanted.0.push(flow.to.value.clone());
                wanted.1 |= *flow.published;
                if traced {
                    wanted.2.extend([origins.clone(), of_address.clone()]);
                    beside[*host].push(flow.ports.origins.clone());
                }
            }
        }
    }
    let check = |beside: &Origins, ((transport, port), (to, published, origins)): ((Transport, u16), Wanted)| {
        let origins = Origins::all(&origins).union(absent).union(beside);
        Arc::new(PortCheck {
            transport: F::new(transport, origins.clone()),
            port: F::new(port, origins.clone()),
            to: F::new(names(to), origins.clone()),
            published: F::new(published, origins),
        })
    };
    let of_host = |(ports, beside): (BTreeMap<_, _>, Vec<Origins>)| {
        let beside = Origins::all(&beside);
        ports.into_iter().map(|entry| check(&beside, entry)).collect()
    };
    found.into_iter().zip(beside).map(of_host).collect()
}

/// What tells one line of tries from another: the number of the destination's set, transport and ports.
type Key = (usize, Transport, Ports);

/// A line of tries while flows are added to it.
#[derive(Default)]
struct Line {
    to: Vec<Str>,
    applications: Vec<Str>,
    from: Vec<Str>,
    origins: Vec<Origins>,
}

/// The outgoing flows of each host, those with the same destination and ports together.
fn tries(
    flows: &[Arc<Flow>],
    absent: &Origins,
    hosts: &[(&Str, &Tracked)],
    index: &HostAddresses,
    traced: bool,
) -> Vec<Vec<Arc<Try>>> {
    let mut own: Vec<Vec<F<IpAddr>>> = hosts.iter().map(|(_, host)| host_addresses(host)).collect();
    own.iter_mut().flatten().filter(|_| !traced).for_each(|address| address.origins = Origins::None);
    // Hosts share the sets of their destinations; a set of thousands is kept once.
    let mut sets: BTreeMap<(&[IpNet], Option<&Str>), usize> = BTreeMap::new();
    let mut lines: Vec<BTreeMap<Key, Line>> = hosts.iter().map(|_| BTreeMap::new()).collect();
    // Whether flows of one port have the same ends decides on which of them share a line.
    let mut ends: BTreeMap<(Transport, Ports), Vec<Origins>> = BTreeMap::new();
    let mut index = index.remembered();
    let mut last: Option<(&Nets, Option<&Str>, usize)> = None;
    for flow in flows.iter().filter(|f| f.scope.value != Scope::Cluster) {
        let Some(tried) = flow.tried_ports() else { continue };
        let to = &flow.to_hosts.value;
        let name = if to.nets.is_empty() { to.name.as_ref() } else { None };
        if to.nets.is_empty() && name.is_none() {
            continue;
        }
        if traced {
            let of_ends = ends.entry((flow.transport.value, tried)).or_default();
            of_ends.extend([flow.from_hosts.origins.clone(), flow.to_hosts.origins.clone()]);
        }
        let count = sets.len();
        let set = match last {
            Some((nets, last_name, set)) if to.nets.is_same(nets) && last_name == name => set,
            _ => *sets.entry((&*to.nets, name)).or_insert(count),
        };
        last = Some((&to.nets, name, set));
        let origins = if traced { flow.origins() } else { Origins::None };
        let mut seen = None;
        for (_, HostAddress { host, origins: of_address, .. }) in index.within(&flow.from_hosts.nets) {
            if seen == Some(*host) {
                continue;
            }
            seen = Some(*host);
            let line = lines[*host].entry((set, flow.transport.value, tried)).or_default();
            line.to.push(flow.to.value.clone());
            line.applications.push(flow.application.value.clone());
            line.from.push(flow.from.value.clone());
            if traced {
                line.origins.extend([origins.clone(), of_address.clone()]);
            }
        }
    }
    let mut by_number: Vec<(&[IpNet], Option<&Str>)> = vec![(&[], None); sets.len()];
    for (set, number) in sets {
        by_number[number] = set;
    }
    let ends: BTreeMap<_, Origins> =
        ends.into_iter().map(|(key, list)| (key, Origins::all(&list).union(absent))).collect();
    // What is printed of a set: as many addresses as a host prints, and those that it leaves out as its own.
    let printed = TARGETS_MAX + own.iter().map(Vec::len).max().unwrap_or(0);
    let text = |net: &IpNet| (*net, Str::from(short_net(net)));
    let sets: Vec<Set> = by_number
        .into_iter()
        .map(|(nets, name)| Set { nets, name, first: nets.iter().take(printed).map(text).collect() })
        .collect();
    let own_lines = lines.into_iter().zip(&own);
    own_lines
        .map(|(lines, own)| {
            let mut all: Vec<Arc<Try>> = lines
                .into_iter()
                .filter_map(|(key, line)| {
                    let what = (key.1, key.2);
                    one(&sets[key.0], what, line, own, ends.get(&what).unwrap_or(absent))
                })
                .collect();
            all.sort_by(|a, b| {
                let targets = a.targets.value.cmp(&b.targets.value);
                let key = |t: &Try| (t.transport.value, t.ports.value, t.more.value);
                targets.then_with(|| key(a).cmp(&key(b)))
            });
            all
        })
        .collect()
}

/// A set of destinations.
struct Set<'a> {
    nets: &'a [IpNet],
    name: Option<&'a Str>,
    /// The first ones as they are written.
    first: Vec<(IpNet, Str)>,
}

/// One line; `None` for what a host says to itself. `beside` are the origins of what could have shared it.
fn one(
    set: &Set,
    (transport, ports): (Transport, Ports),
    line: Line,
    own: &[F<IpAddr>],
    beside: &Origins,
) -> Option<Arc<Try>> {
    let is_own = |net: &IpNet| net.prefix_len() == net.max_prefix_len() && own.iter().any(|a| a.value == net.addr());
    let of_addresses = own.iter().map(|a| &a.origins);
    let origins = Origins::all(line.origins.iter().chain(of_addresses)).union(beside);
    let first = set.first.iter().filter(|(net, _)| !is_own(net)).take(TARGETS_MAX);
    let mut targets: Vec<Str> = first.map(|(_, text)| text.clone()).collect();
    targets.extend(set.name.cloned());
    if targets.is_empty() {
        return None;
    }
    let own_there = own.iter().filter(|a| set.nets.binary_search(&IpNet::from(a.value)).is_ok()).count();
    let more = (set.nets.len() - own_there).saturating_sub(targets.len());
    Some(Arc::new(Try {
        to: F::new(names(line.to), origins.clone()),
        transport: F::new(transport, origins.clone()),
        ports: F::new(ports, origins.clone()),
        application: F::new(names(line.applications), origins.clone()),
        targets: F::new(targets, origins.clone()),
        more: F::new(more as i64, origins.clone()),
        from: F::new(names(line.from), origins),
    }))
}

/// Names once each, sorted, and how many are left out.
fn names(mut list: Vec<Str>) -> Str {
    list.retain(|name| !name.is_empty());
    list.sort();
    list.dedup();
    let more = list.len().saturating_sub(NAMES_MAX);
    let mut text = list.iter().take(NAMES_MAX).map(|n| &**n).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text.into()
}
