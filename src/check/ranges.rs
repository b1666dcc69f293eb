//! Ranges of addresses: networks that overlap, and ranges of clusters and of Docker that take addresses of the site. One
//! sweep over all ranges, the outer ones before those within.

use std::net::IpAddr;

use ipnet::IpNet;

use super::places::{label, place, words};
use crate::diag::codes::{DOCKER_RANGE, NETWORK_OVERLAP, RANGE_OVERLAP};
use crate::diag::{Diag, Findings, Level};
use crate::lower::storage::pointer;
use crate::site::{Site, addresses_of};
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// Docker's own bridge where the spec does not say otherwise.
const DOCKER_BRIDGE: &str = "172.17.0.0/16";

/// Services outside the table of hosts that clusters reach, and where their addresses are.
const SERVICES: [(&str, &str); 5] = [
    ("dns", "servers"),
    ("registry", "addresses"),
    ("smtp", "addresses"),
    ("ldap", "addresses"),
    ("egress", "addresses"),
];
/// The names that a message lists.
const NAMES_SHOWN: usize = 4;

/// What a range inside a cluster or a host is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pods,
    Services,
    Pool,
    Overlay,
    Bridge,
}

/// A range that is routed inside a cluster or a host only.
struct Inner {
    /// The cluster or host that it belongs to; ranges of one owner must be apart.
    owner: Str,
    kind: Kind,
    /// What messages call it.
    what: String,
    pointer: String,
    origins: Origins,
}

/// Everything that has one CIDR.
#[derive(Default)]
struct Group {
    networks: Vec<(Str, Origins)>,
    inner: Vec<Inner>,
    /// Groups within this one that have networks; only kept where there are inner ranges.
    networks_within: Vec<usize>,
    /// The nearest group around this one that has networks.
    networks_around: Option<usize>,
    /// Groups around this one that have inner ranges, the nearest first.
    inner_around: Vec<usize>,
}

/// Checks all ranges of a site against each other and against its addresses.
pub fn ranges(site: &Site, sources: &Sources, findings: &mut Findings) {
    let groups = swept(gathered(site));
    let addresses = if groups.iter().any(|(_, g)| !g.inner.is_empty()) { addresses(site) } else { Vec::new() };
    for (index, (cidr, group)) in groups.iter().enumerate() {
        network_overlaps(cidr, group, &groups, sources, findings);
        if !group.inner.is_empty() {
            of_one_owner(index, &groups, sources, findings);
            against_site(cidr, group, &groups, &addresses, site, sources, findings);
        }
    }
}

/// All ranges of the site by their CIDR; a range of every address says nothing.
fn gathered(site: &Site) -> std::collections::BTreeMap<IpNet, Group> {
    let mut groups: std::collections::BTreeMap<IpNet, Group> = Default::default();
    for (name, network) in site.table("networks") {
        for item in network.get("cidrs").map(Tracked::items).unwrap_or_default() {
            if let Value::Cidr(cidr) = item.value
                && cidr.prefix_len() > 0
            {
                groups.entry(cidr.trunc()).or_default().networks.push((name.clone(), item.origins.clone()));
            }
        }
    }
    let mut add = |value: Option<&Tracked>, owner: &Str, kind: Kind, what: String, pointer: String| {
        let Some(Tracked { value: Value::Cidr(cidr), origins }) = value else { return };
        let inner = Inner { owner: owner.clone(), kind, what, pointer, origins: origins.clone() };
        groups.entry(cidr.trunc()).or_default().inner.push(inner);
    };
    let mut swarm: Vec<(Str, Origins)> = Vec::new();
    for (name, cluster) in site.table("clusters") {
        let keys = [
            ("pod_cidr", Kind::Pods, "pod range"),
            ("pod_cidr6", Kind::Pods, "pod range"),
            ("service_cidr", Kind::Services, "service range"),
            ("service_cidr6", Kind::Services, "service range"),
            ("address_pool", Kind::Pool, "address pool"),
        ];
        for (key, kind, what) in keys {
            let what = format!("the {what} of cluster `{name}`");
            add(cluster.get(key), name, kind, what, pointer(&["clusters", name, key]));
        }
        for (overlay, entry) in cluster.get("overlays").into_iter().flat_map(Tracked::entries) {
            let what = format!("the overlay network `{overlay}` of cluster `{name}`");
            let at = pointer(&["clusters", name, "overlays", overlay, "subnet"]);
            add(entry.get("subnet"), name, Kind::Overlay, what, at);
        }
        if let Some(kind) = cluster.get("kind").filter(|k| k.value == Value::str("swarm")) {
            let (managers, workers) = site.cluster_nodes(name);
            swarm.extend(managers.into_iter().chain(workers).map(|n| (n.value, kind.origins.clone())));
        }
    }
    swarm.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, host) in site.table("hosts") {
        let runtime = host.get("runtime");
        let kind = runtime.and_then(|r| r.get("kind")).filter(|k| !k.value.is_null());
        let runs = match kind {
            Some(kind) => (kind.value == Value::str("docker")).then_some(&kind.origins),
            None => swarm.binary_search_by(|s| s.0.cmp(name)).ok().map(|at| &swarm[at].1),
        };
        let Some(origins) = runs else { continue };
        let given = runtime.and_then(|r| r.get("bridge")).filter(|b| !b.value.is_null());
        let assumed = DOCKER_BRIDGE.parse().ok().map(|net| Tracked::new(Value::Cidr(net), origins.clone()));
        let what = format!("the bridge of Docker on host `{name}`");
        add(given.or(assumed.as_ref()), name, Kind::Bridge, what, pointer(&["hosts", name, "runtime", "bridge"]));
    }
    groups
}

/// Finds for each group what lies around it. CIDRs hold each other or are apart, so that those around the current one
/// form a stack, at most as deep as a prefix is long.
fn swept(groups: std::collections::BTreeMap<IpNet, Group>) -> Vec<(IpNet, Group)> {
    let mut groups: Vec<(IpNet, Group)> = groups.into_iter().collect();
    groups.sort_by_key(|(net, _)| (net.network(), net.prefix_len()));
    for (_, group) in &mut groups {
        group.inner.sort_by(|a, b| a.owner.cmp(&b.owner));
    }
    let mut around: Vec<usize> = Vec::new();
    for index in 0..groups.len() {
        let cidr = groups[index].0;
        while around.last().is_some_and(|outer| !groups[*outer].0.contains(&cidr)) {
            around.pop();
        }
        let has_networks = !groups[index].1.networks.is_empty();
        for &outer in around.iter().rev() {
            if !groups[outer].1.networks.is_empty() && groups[index].1.networks_around.is_none() {
                groups[index].1.networks_around = Some(outer);
            }
            if !groups[outer].1.inner.is_empty() {
                groups[index].1.inner_around.push(outer);
                if has_networks {
                    groups[outer].1.networks_within.push(index);
                }
            }
        }
        around.push(index);
    }
    groups
}

/// Every address of a host, an external endpoint or a service, sorted.
fn addresses(site: &Site) -> Vec<(IpAddr, Str, Origins)> {
    let mut all: Vec<(IpAddr, Str, Origins)> = Vec::new();
    let mut add = |name: &Str, list: Option<&Tracked>| {
        all.extend(list.map(addresses_of).into_iter().flatten().map(|a| (a.value, name.clone(), a.origins)));
    };
    for (name, entry) in site.table("hosts").chain(site.table("external")) {
        add(name, entry.get("addresses"));
    }
    for (service, key) in SERVICES {
        add(&service.into(), site.root.get(service).and_then(|s| s.get(key)));
    }
    all.sort_by_key(|(address, ..)| *address);
    all
}

/// Two networks of one CIDR, or one within another.
fn network_overlaps(
    cidr: &IpNet,
    group: &Group,
    groups: &[(IpNet, Group)],
    sources: &Sources,
    findings: &mut Findings,
) {
    let [(name, origins), others @ ..] = group.networks.as_slice() else { return };
    if let Some((other, _)) = others.iter().find(|(other, _)| other != name) {
        let message = format!("the networks `{name}` and `{other}` have the same addresses `{cidr}`");
        let mut diag = Diag::new(NETWORK_OVERLAP, message).pointer(pointer(&["networks", other]));
        for (other, origins) in others.iter().filter(|(other, _)| other != name) {
            diag = label(diag, place(origins, sources), format!("`{other}` has them too"));
        }
        diag = label(diag, place(origins, sources), format!("`{name}` has them here"));
        diag.waivable = true;
        findings.push(diag.help("make one network of the two, or correct one of the CIDRs"));
    } else if let Some((outer, around)) = group.networks_around.map(|i| (&groups[i].0, &groups[i].1)) {
        let Some((wide, wide_origins)) = around.networks.iter().find(|(wide, _)| wide != name) else { return };
        let message = format!("the network `{name}` ({cidr}) lies within the network `{wide}` ({outer})");
        let mut diag = Diag::new(NETWORK_OVERLAP, message).pointer(pointer(&["networks", name]));
        diag = label(diag, place(origins, sources), "");
        diag = label(diag, place(wide_origins, sources), format!("what is let in from `{wide}` is let in from here"));
        diag.waivable = true;
        findings.push(
            diag.help(format!("give `{wide}` only the CIDRs that are its own, or waive this where that is meant")),
        );
    }
}

/// Two ranges of one cluster that overlap. An overlay network lies within its pool.
fn of_one_owner(index: usize, groups: &[(IpNet, Group)], sources: &Sources, findings: &mut Findings) {
    let (cidr, group) = &groups[index];
    for (nth, inner) in group.inner.iter().enumerate() {
        let clash = |other: &&Inner| {
            let pooled = |a: &Inner, b: &Inner| a.kind == Kind::Pool && b.kind == Kind::Overlay;
            other.owner == inner.owner
                && (other.kind == Kind::Bridge) == (inner.kind == Kind::Bridge)
                && !pooled(other, inner)
                && !pooled(inner, other)
        };
        // Ranges of one owner stand next to each other.
        let same = group.inner[..nth].iter().rev().take_while(|o| o.owner == inner.owner).find(clash);
        let outer = || {
            group.inner_around.iter().find_map(|i| {
                let all = &groups[*i].1.inner;
                let from = all.partition_point(|o| o.owner < inner.owner);
                let own = all[from..].iter().take_while(|o| o.owner == inner.owner);
                own.into_iter().find(clash).map(|o| (o, groups[*i].0))
            })
        };
        let Some((other, other_cidr)) = same.map(|o| (o, *cidr)).or_else(outer) else { continue };
        let message = format!("{} overlaps {}", inner.what, other.what);
        let mut diag = Diag::new(RANGE_OVERLAP, message).pointer(inner.pointer.clone());
        diag = label(diag, place(&inner.origins, sources), cidr.to_string());
        diag = label(diag, place(&other.origins, sources), other_cidr.to_string());
        findings.push(diag.help("give each a range of its own that nothing else uses"));
    }
}

/// A range of a cluster or of Docker with networks of the site around or within it, or with addresses of hosts in it.
fn against_site(
    cidr: &IpNet,
    group: &Group,
    groups: &[(IpNet, Group)],
    addresses: &[(IpAddr, Str, Origins)],
    site: &Site,
    sources: &Sources,
    findings: &mut Findings,
) {
    let Some(first) = group.inner.iter().min_by_key(|i| i.kind) else { return };
    let mut within: Vec<&(Str, Origins)> = group.networks.iter().collect();
    within.extend(group.networks_within.iter().flat_map(|i| &groups[*i].1.networks));
    let around = group.networks_around.map(|i| &groups[i]);
    let from = addresses.partition_point(|(a, ..)| *a < cidr.network());
    let inside = addresses[from..].iter().take_while(|(a, ..)| *a <= cidr.broadcast());
    // A host of a network that is named here already is no news.
    let hosts: Vec<_> = inside
        .filter(|(a, ..)| !site.network_of(*a).is_some_and(|(_, net)| cidr.contains(&net)))
        .take(NAMES_SHOWN * 2)
        .collect();
    let mut names: Vec<&Str> = within.iter().map(|(name, _)| name).collect();
    names.extend(around.iter().flat_map(|(_, g)| &g.networks).map(|(name, _)| name).take(1));
    names.dedup();
    let what = match (names.as_slice(), hosts.as_slice()) {
        ([], []) => return,
        ([], hosts) => format!("the address of {}", words(hosts.iter().map(|(_, name, _)| name), NAMES_SHOWN)),
        ([one], _) => format!("addresses of the network `{one}`"),
        (names, _) => format!("addresses of the networks {}", words(names, NAMES_SHOWN)),
    };
    let bridge = first.kind == Kind::Bridge;
    let lost = !within.is_empty() || !hosts.is_empty();
    let more = match group.inner.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    let message = format!("{}{more}, `{cidr}`, takes {what}", first.what);
    let mut diag = match (bridge, lost) {
        (true, _) => Diag::new(DOCKER_RANGE, message),
        (false, true) => Diag::new(RANGE_OVERLAP, message),
        (false, false) => Diag::with_code(RANGE_OVERLAP.row().code, Level::Warning, message),
    };
    diag = label(diag, place(&first.origins, sources), if bridge { "Docker runs here" } else { "" });
    for (name, origins) in within.into_iter().chain(around.into_iter().flat_map(|(_, g)| g.networks.first())) {
        diag = label(diag, place(origins, sources), format!("the network `{name}`"));
    }
    for (address, name, origins) in hosts {
        diag = label(diag, place(origins, sources), format!("`{name}` has {address}"));
    }
    diag.pointer.clone_from(&first.pointer);
    diag.waivable = bridge || !lost;
    findings.push(match bridge {
        true => diag.help("give Docker another range (`bip` of daemon.json) and write it as `runtime.bridge`"),
        false => {
            diag.help("choose a range that no network of the site uses; it cannot be changed after the installation")
        }
    });
}
