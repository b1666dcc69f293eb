//! Ports: two listeners on one port of a host, published ports against each other and against the range of their
//! cluster, ranges of the kernel and of the cluster that swallow a listener.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{label, place, spoken_of, told};
use crate::diag::codes::{
    EPHEMERAL_RANGE, NODE_PORT_RANGE, NODE_PORT_TAKEN, NODE_PORTS_TAKE_FIXED, PORT_CONFLICT, PRIVILEGED_PORT,
    PUBLISHED_OUTSIDE,
};
use crate::diag::{Diag, Findings};
use crate::instance::{Instance, PortValue, ports_of};
use crate::ir::{Ir, RuleChain, Scope, Transport};
use crate::lower::storage::pointer;
use crate::site::{Site, names_of};
use crate::source::Sources;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// Programs that are no root cannot listen below this port.
const UNPRIVILEGED: u16 = 1024;
/// Ports of the kubelet on every node of a Kubernetes cluster, and of etcd on those of the control plane.
const NODE_FIXED: [(u16, &str); 4] =
    [(2379, "etcd"), (2380, "etcd"), (10250, "the kubelet"), (10256, "the health check of kube-proxy")];
/// A rule for more ports than these is about ports that are taken as they come.
const LISTENED_MOST: u16 = 64;
/// Places that one finding names.
const SHOWN: usize = 8;

/// Something that waits for connections on a host.
struct Listener {
    host: Str,
    transport: Transport,
    port: u16,
    what: String,
    pointer: String,
    origins: Origins,
}

/// A named port of a product that is published on the nodes of a cluster.
struct Published<'a> {
    cluster: Str,
    transport: Transport,
    ports: Ports,
    product: &'a Str,
    name: &'a Str,
    origins: Origins,
}

/// Checks all ports of a site.
pub fn ports(instances: &[Instance], ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut listeners = listeners(ir, site);
    listeners.sort_by(|a, b| (&a.host, a.transport, a.port).cmp(&(&b.host, b.transport, b.port)));
    conflicts(&listeners, sources, findings);
    privileged(site, sources, findings);
    let published = published(instances, ir);
    taken(&published, sources, findings);
    outside_range(&published, site, sources, findings);
    against_listeners(&published, &listeners, site, sources, findings);
    fixed_ports(site, sources, findings);
    ephemeral(&listeners, ir, site, sources, findings);
    outside_cluster(ir, site, sources, findings);
}

/// What listens on hosts of the site, as the spec and the NFS servers of the `Ir` say it.
fn listeners(ir: &Ir, site: &Site) -> Vec<Listener> {
    let mut list = Vec::new();
    let mut add = |hosts: Option<&Tracked>, port: Option<&Tracked>, what: &str, at: String| {
        let (Some(hosts), Some(port)) = (hosts, port) else { return };
        let hosts = match &hosts.value {
            Value::Ref(host) if &*host.table == "hosts" => vec![(host.name.clone(), hosts.origins.clone())],
            _ => names_of(hosts).into_iter().map(|n| (n.value, n.origins)).collect(),
        };
        let Some([ports]) = ports_of(&port.value).as_deref().map(<[Ports; 1]>::try_from).and_then(Result::ok) else {
            return;
        };
        for (host, _) in hosts {
            let (what, pointer, origins) = (what.to_string(), at.clone(), port.origins.clone());
            list.push(Listener { host, transport: Transport::Tcp, port: ports.low, what, pointer, origins });
        }
    };
    for (name, database) in site.table("databases") {
        let at = |key: &str| pointer(&["databases", name, key]);
        let what = format!("the database server `{name}`");
        add(database.get("host"), database.get("port"), &what, at("port"));
        add(database.get("replicas"), database.get("port"), &what, at("port"));
        let Some(pooler) = database.get("pooler") else { continue };
        let what = format!("the pooler of database server `{name}`");
        add(pooler.get("host"), pooler.get("port"), &what, at("pooler") + "/port");
    }
    let services =
        [("proxy", "port"), ("proxy", "http_port"), ("registry", "port"), ("smtp", "port"), ("ldap", "port")];
    for (key, port) in services {
        let Some(entry) = site.root.get(key) else { continue };
        let what = if port == "http_port" { format!("the {key} (HTTP)") } else { format!("the {key}") };
        add(entry.get("host"), entry.get(port), &what, pointer(&[key, port]));
    }
    for (name, cluster) in site.table("clusters") {
        let Some(port) = cluster.get("api").and_then(|api| api.get("port")) else { continue };
        let what = format!("the API of cluster `{name}`");
        add(cluster.get("control_plane"), Some(port), &what, pointer(&["clusters", name, "api", "port"]));
    }
    for server in &ir.nfs_servers {
        let pinned = [
            ("mountd", &server.mountd),
            ("lockd", &server.lockd),
            ("statd", &server.statd),
            ("rquotad", &server.rquotad),
        ];
        for (name, port) in pinned {
            let Some(number) = port.value else { continue };
            let what = format!("{name} of the NFS server");
            for transport in [Transport::Tcp, Transport::Udp] {
                let (host, what) = (server.host.value.clone(), what.clone());
                let pointer = pointer(&["nfs", "ports", name]);
                list.push(Listener { host, transport, port: number, what, pointer, origins: port.origins.clone() });
            }
        }
        for (number, what) in [(111, "the port mapper of NFS"), (2049, "the NFS server")] {
            let (host, what, origins) = (server.host.value.clone(), what.to_string(), server.host.origins.clone());
            list.push(Listener {
                host,
                transport: Transport::Tcp,
                port: number,
                what,
                pointer: String::new(),
                origins,
            });
        }
    }
    list
}

/// Two listeners on one port of a host; what is the same on many hosts is one finding.
fn conflicts(sorted: &[Listener], sources: &Sources, findings: &mut Findings) {
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    for same in sorted.chunk_by(|a, b| (&a.host, a.transport, a.port) == (&b.host, b.transport, b.port)) {
        let [first, others @ ..] = same else { continue };
        for other in others.iter().filter(|o| o.what != first.what) {
            if !told.insert((&first.what, &other.what)) {
                continue;
            }
            let (host, port, transport) = (&first.host, first.port, first.transport.name());
            let message =
                format!("{} and {} both listen on port {port}/{transport} of host `{host}`", first.what, other.what);
            let mut diag = Diag::new(PORT_CONFLICT, message);
            diag = label(diag, place(&other.origins, sources), format!("the port of {}", other.what));
            diag = label(diag, place(&first.origins, sources), format!("the port of {}", first.what));
            diag.pointer.clone_from(if other.pointer.is_empty() { &first.pointer } else { &other.pointer });
            diag.waivable = true;
            findings.push(diag.help("give one of them another port, or another host"));
        }
    }
}

/// Database servers and poolers on ports that only root may open: neither runs as root.
fn privileged(site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, database) in site.table("databases") {
        let pooler = database.get("pooler");
        let pair =
            [(Some(database), "the database server", "port"), (pooler, "the pooler of database server", "pooler/port")];
        for (entry, what, key) in pair {
            let Some(port) = entry.and_then(|e| e.get("port")) else { continue };
            let Some([ports]) = ports_of(&port.value).as_deref().map(<[Ports; 1]>::try_from).and_then(Result::ok)
            else {
                continue;
            };
            // A port that something else has already is left anyway.
            if ports.low >= UNPRIVILEGED || spoken_of(findings, PORT_CONFLICT, &port.origins, sources) {
                continue;
            }
            let message = format!("{what} `{name}` listens on port {}, which only root may open", ports.low);
            let mut diag = Diag::new(PRIVILEGED_PORT, message).at_maybe(place(&port.origins, sources), "");
            diag =
                label(diag, entry.and_then(|e| e.get("host")).and_then(|h| place(&h.origins, sources)), "on this host");
            diag.waivable = true;
            diag = diag.pointer(format!("{}/{key}", pointer(&["databases", name])));
            findings.push(diag.help(format!("choose a port from {UNPRIVILEGED} up: its account is not root")));
        }
    }
}

/// The published ports of all products, sorted by cluster, transport and port.
fn published<'a>(instances: &'a [Instance], ir: &Ir) -> Vec<Published<'a>> {
    let used: BTreeSet<(&str, Transport, Ports)> = ir
        .flows
        .iter()
        .filter(|f| *f.published)
        .filter_map(|f| Some((&*f.product.value, f.transport.value, f.ports.value?)))
        .collect();
    let mut list = Vec::new();
    for instance in instances {
        let cluster = instance.names.iter().find(|(name, _)| &**name == "cluster").map(|(_, value)| &value.value);
        let Some(Value::Ref(cluster)) = cluster else { continue };
        for (name, value) in &instance.ports {
            let (PortValue::Known(known), Some(rule)) = (value, instance.pack.ports.get(name)) else { continue };
            for ports in known.value.iter().filter(|_| rule.published) {
                for transport in rule.transports.iter().copied() {
                    if used.contains(&(&*instance.name, transport, *ports)) {
                        let (cluster, origins) = (cluster.name.clone(), known.origins.clone());
                        list.push(Published {
                            cluster,
                            transport,
                            ports: *ports,
                            product: &instance.name,
                            name,
                            origins,
                        });
                    }
                }
            }
        }
    }
    list.sort_by(|a, b| (&a.cluster, a.transport, a.ports).cmp(&(&b.cluster, b.transport, b.ports)));
    list
}

/// Two published ports of one cluster that are the same. A port that is read under two names is one.
fn taken(sorted: &[Published], sources: &Sources, findings: &mut Findings) {
    let mut reported: BTreeSet<(&str, &str, &str, &str)> = BTreeSet::new();
    for own in sorted.chunk_by(|a, b| a.cluster == b.cluster && a.transport == b.transport) {
        let mut widest: Option<&Published> = None;
        for port in own {
            if let Some(last) = widest.filter(|last| port.ports.low <= last.ports.high)
                && (last.product != port.product || last.origins != port.origins)
                && reported.insert((last.product, last.name, port.product, port.name))
            {
                let span = place(&port.origins, sources);
                let earlier = place(&last.origins, sources);
                if !(told(findings, span) || told(findings, earlier)) {
                    let (cluster, number) = (&port.cluster, port.ports);
                    let message = match last.product == port.product {
                        true => format!(
                            "`{}` publishes port {number} of cluster `{cluster}` twice, as `{}` and as `{}`",
                            port.product, last.name, port.name
                        ),
                        false => format!(
                            "`{}` and `{}` both publish port {number} of cluster `{cluster}`",
                            last.product, port.product
                        ),
                    };
                    let mut diag = Diag::new(NODE_PORT_TAKEN, message);
                    diag = label(diag, span, format!("port `{}` of `{}`", port.name, port.product));
                    diag = label(diag, earlier, format!("port `{}` of `{}`", last.name, last.product));
                    diag = diag.pointer(pointer(&["products", port.product]));
                    findings.push(
                        diag.help(
                            "a published port belongs to one service of a cluster: choose another for one of them",
                        ),
                    );
                }
            }
            if widest.is_none_or(|last| last.ports.high < port.ports.high) {
                widest = Some(port);
            }
        }
    }
}

/// The node ports of a Kubernetes cluster.
fn range_of<'a>(site: &'a Site, cluster: &str) -> Option<(Ports, &'a Tracked)> {
    let cluster = site.entry("clusters", cluster)?;
    let range = cluster.get("node_port_range").filter(|_| is_kubernetes(cluster))?;
    Some((ports_of(&range.value)?.first().copied()?, range))
}

fn is_kubernetes(cluster: &Tracked) -> bool {
    cluster.get("kind").is_some_and(|kind| kind.value == Value::str("kubernetes"))
}

/// Published ports that the cluster refuses.
fn outside_range(published: &[Published], site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut reported: BTreeSet<(&str, &str)> = BTreeSet::new();
    for port in published {
        let Some((range, given)) = range_of(site, &port.cluster) else { continue };
        let span = place(&port.origins, sources);
        if range.contains(port.ports) || told(findings, span) || !reported.insert((port.product, port.name)) {
            continue;
        }
        let (cluster, number) = (&port.cluster, port.ports);
        let message = format!(
            "port {number} (`{}` of `{}`) is outside the node ports of cluster `{cluster}`, {range}",
            port.name, port.product
        );
        let mut diag = Diag::new(NODE_PORT_RANGE, message).at_maybe(span, "");
        diag = label(diag, place(&given.origins, sources), format!("the node ports are {range}"));
        diag = diag.pointer(pointer(&["products", port.product]));
        findings.push(diag.help(format!("choose a port of {range}, or write the range that the cluster really has")));
    }
}

/// Published ports that a listener on a node of the cluster has already.
fn against_listeners(
    published: &[Published],
    listeners: &[Listener],
    site: &Site,
    sources: &Sources,
    findings: &mut Findings,
) {
    let mut clusters: Vec<&Str> = published.iter().map(|p| &p.cluster).collect();
    clusters.dedup();
    for cluster in clusters {
        let (control_plane, workers) = site.cluster_nodes(cluster);
        let nodes: BTreeSet<Str> = control_plane.into_iter().chain(workers).map(|n| n.value).collect();
        for listener in listeners.iter().filter(|l| nodes.contains(&l.host)) {
            let key = (cluster, listener.transport, listener.port);
            let at = published.partition_point(|p| (&p.cluster, p.transport, p.ports.high) < key);
            let Some(port) = published.get(at).filter(|p| {
                &p.cluster == cluster
                    && p.transport == listener.transport
                    && p.ports.contains(Ports::one(listener.port))
            }) else {
                continue;
            };
            let (host, number, transport) = (&listener.host, listener.port, listener.transport.name());
            let message = format!(
                "{} listens on port {number}/{transport} of host `{host}`, which cluster `{cluster}` publishes for `{}`",
                listener.what, port.product
            );
            let mut diag = Diag::new(PORT_CONFLICT, message).at_maybe(place(&listener.origins, sources), "");
            diag = label(diag, place(&port.origins, sources), format!("port `{}` of `{}`", port.name, port.product));
            diag.pointer.clone_from(&listener.pointer);
            diag.waivable = true;
            findings.push(diag.help("a published port is taken on every node: choose another for one of the two"));
        }
    }
}

/// Ranges of node ports that take in ports which only root may open, or which the nodes need themselves.
fn fixed_ports(site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, cluster) in site.table("clusters") {
        let Some((range, given)) = range_of(site, name) else { continue };
        let api = cluster.get("api").and_then(|api| api.get("port"));
        let api_port = api.and_then(|port| ports_of(&port.value)).and_then(|p| p.first().map(|p| p.low));
        let mut takes: Vec<String> = Vec::new();
        if range.low < UNPRIVILEGED {
            takes.push(format!("the ports below {UNPRIVILEGED}, with SSH among them"));
        }
        let api_taken = api_port.filter(|port| range.contains(Ports::one(*port)));
        takes.extend(api_taken.map(|port| format!("{port} of the API")));
        let fixed = NODE_FIXED.iter().filter(|(port, _)| range.contains(Ports::one(*port)));
        takes.extend(fixed.map(|(port, what)| format!("{port} of {what}")));
        if takes.is_empty() {
            continue;
        }
        let message = format!("the node ports of cluster `{name}`, {range}, take in ports that its nodes need");
        let mut diag = Diag::new(NODE_PORTS_TAKE_FIXED, message).at_maybe(place(&given.origins, sources), "");
        if let (Some(_), Some(api)) = (api_taken, api) {
            diag = label(diag, place(&api.origins, sources), "the port of the API");
        }
        diag.waivable = true;
        diag = diag.note(format!("it takes in {}", takes.join(", "))).pointer(pointer(&[
            "clusters",
            name,
            "node_port_range",
        ]));
        findings.push(diag.help("keep to a range such as 30000-32767"));
    }
}

/// The range of a kernel parameter on a host, with the place of the setting.
type Setting = (Vec<Ports>, Origins);

/// Ports from which the kernel takes local ports as it likes, although something listens there.
fn ephemeral(listeners: &[Listener], ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let ranges = settings("net.ipv4.ip_local_port_range", ir, site);
    if ranges.is_empty() {
        return;
    }
    let reserved = settings("net.ipv4.ip_local_reserved_ports", ir, site);
    let mut swallowed: BTreeMap<Vec<crate::source::PlaceId>, Swallowed> = BTreeMap::new();
    let mut add = |host: &Str, ports: Ports, transport: &str, what: &str, origins: &Origins| {
        let Some((range, at)) = ranges.get(host) else { return };
        let kept = reserved.get(host).is_some_and(|(list, _)| list.iter().any(|r| r.contains(ports)));
        if !kept && range.iter().any(|r| r.low <= ports.high && ports.low <= r.high) {
            let all = swallowed.entry(at.as_slice().to_vec()).or_insert_with(|| Swallowed {
                hosts: BTreeSet::new(),
                range: range.first().copied().unwrap_or(ports),
                origins: at.clone(),
                places: Vec::new(),
            });
            all.hosts.insert(host.clone());
            all.places.push((format!("`{host}`: {ports}/{transport}, {what}"), origins.clone()));
        }
    };
    for listener in listeners {
        add(&listener.host, Ports::one(listener.port), listener.transport.name(), &listener.what, &listener.origins);
    }
    for rule in ir.rules.iter().filter(|r| *r.chain != RuleChain::Output && ranges.contains_key(&r.host.value)) {
        let known = |port: &Ports| {
            let key = (&rule.host.value, rule.transport.value, port.low);
            listeners.binary_search_by(|l| (&l.host, l.transport, l.port).cmp(&key)).is_ok()
        };
        for ports in rule.ports.iter().filter(|p| p.high - p.low < LISTENED_MOST && !known(p)) {
            add(&rule.host, *ports, rule.transport.name(), &rule.why, &Origins::None);
        }
    }
    for (name, _) in site.table("clusters") {
        let Some((range, given)) = range_of(site, name) else { continue };
        let (control_plane, workers) = site.cluster_nodes(name);
        for node in control_plane.into_iter().chain(workers) {
            add(&node.value, range, "tcp", &format!("the node ports of cluster `{name}`"), &given.origins);
        }
    }
    for mut all in swallowed.into_values() {
        all.places.dedup_by(|a, b| a.0 == b.0);
        let hosts = super::places::words(&all.hosts, 4);
        let message = format!("the kernel of {hosts} takes local ports from {}, where something listens", all.range);
        let mut diag = Diag::new(EPHEMERAL_RANGE, message).at_maybe(place(&all.origins, sources), "");
        for (text, origins) in all.places.iter().take(SHOWN) {
            diag = label(diag, place(origins, sources), "a port that it may take first").note(text.clone());
        }
        if all.places.len() > SHOWN {
            diag = diag.note(format!("and {} more", all.places.len() - SHOWN));
        }
        diag.waivable = true;
        diag = diag.pointer("/kernel");
        findings
            .push(diag.help("leave these ports out of the range, or list them in `net.ipv4.ip_local_reserved_ports`"));
    }
}

struct Swallowed {
    hosts: BTreeSet<Str>,
    range: Ports,
    origins: Origins,
    /// What is in the range: in words, and where it comes from.
    places: Vec<(String, Origins)>,
}

/// What the site and its products set a kernel parameter of ports to, by host.
fn settings(key: &str, ir: &Ir, site: &Site) -> BTreeMap<Str, Setting> {
    let mut found = BTreeMap::new();
    for group in site.root.get("kernel").map(Tracked::items).unwrap_or_default() {
        let Some(value) = group.get("set").and_then(|set| set.get(key)) else { continue };
        let Some(ranges) = port_list(&value.value, key.ends_with("_range")) else { continue };
        for host in group.get("hosts").map(names_of).unwrap_or_default() {
            found.insert(host.value, (ranges.clone(), super::super::lower::peers::deep_origins(value)));
        }
    }
    for parameter in ir.kernel.iter().filter(|p| *p.key.value == *key) {
        if let Some(ranges) = port_list(&parameter.value.value, key.ends_with("_range")) {
            found.entry(parameter.host.value.clone()).or_insert((ranges, parameter.value.origins.clone()));
        }
    }
    found
}

/// Ports of a kernel parameter: two numbers that are the ends of a range, or a list of ports and ranges.
fn port_list(value: &Value, ends: bool) -> Option<Vec<Ports>> {
    let text = match value {
        Value::List(items) => items.iter().filter_map(|i| i.value.text()).collect::<Vec<_>>().join(" "),
        other => other.text()?.to_string(),
    };
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty());
    if !ends {
        return Some(words.filter_map(|w| w.parse().ok()).collect());
    }
    let numbers: Vec<u16> = words.filter_map(|w| w.parse().ok()).collect();
    match numbers.as_slice() {
        [low, high] if low <= high => Some(vec![Ports { low: *low, high: *high }]),
        _ => None,
    }
}

/// Published ports on hosts that are no nodes of any cluster: nothing there rewrites them.
fn outside_cluster(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let clusters = site.table("clusters").flat_map(|(name, _)| <[_; 2]>::from(site.cluster_nodes(name)));
    let nodes: BTreeSet<Str> = clusters.flatten().map(|node| node.value).collect();
    let others = site.table("hosts").filter(|(name, _)| !nodes.contains(*name));
    // Two hosts with one address are another finding.
    let of_nodes: BTreeSet<_> = nodes.iter().flat_map(|n| site.host_addresses(n)).map(|a| a.value).collect();
    let own = |name: &str| site.host_addresses(name).into_iter().filter(|a| !of_nodes.contains(&a.value)).collect();
    let others: Vec<(_, _, Vec<_>)> = others.map(|(name, host)| (name, host, own(name))).collect();
    let mut reported: BTreeSet<(&str, &str, Ports)> = BTreeSet::new();
    for flow in ir.flows.iter().filter(|f| *f.published && *f.scope == Scope::Site) {
        let Some(ports) = flow.ports.value else { continue };
        for (name, host, addresses) in &others {
            let reached = addresses.iter().any(|a| flow.to_hosts.nets.iter().any(|n| n.contains(&a.value)));
            if !reached || !reported.insert((&flow.product.value, name, ports)) {
                continue;
            }
            let (product, transport) = (&flow.product.value, flow.transport.name());
            let message = format!(
                "`{product}` publishes port {ports}/{transport} on host `{name}`, which is no node of a cluster"
            );
            let mut diag = Diag::new(PUBLISHED_OUTSIDE, message);
            diag = label(diag, place(&host.origins, sources), "");
            diag = diag.pointer(pointer(&["hosts", name]));
            findings.push(diag.help("make the host a node of the cluster, or let the product publish on its nodes"));
        }
    }
}
