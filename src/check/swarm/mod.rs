//! Swarms: what the services of a stack name against what the stack declares and what is made for it, published ports
//! against each other and against the flows, addresses of overlay networks.

mod compose;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::places::{label, place};
use crate::diag::codes::{EXTERNAL_IN_STACK, PORT_CONFLICT, RANGE_OVERLAP, UNDECLARED_IN_STACK, UNREACHED_PORT};
use crate::diag::{Diag, Findings, similar_name};
use crate::ir::{Ir, Stack, Transport};
use crate::lower::storage::pointer;
use crate::site::{Site, addresses_of};
use crate::source::Sources;
use crate::value::{Origins, Ports, Str, Tracked, Value};
use compose::{TABLES, external, named, published};

/// Checks every stack and every overlay network.
pub fn swarm(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut ports = Vec::new();
    for stack in &ir.stacks {
        let body = Tracked { value: stack.body.value.clone(), origins: Origins::None };
        declared(stack, &body, sources, findings);
        made(stack, &body, ir, sources, findings);
        for (service, body) in body.get("services").into_iter().flat_map(Tracked::entries) {
            for port in published(body) {
                match port {
                    Ok(port) => ports.push(Published { stack, service: service.clone(), port }),
                    Err((why, origins)) => findings.push(
                        at(Diag::new(UNDECLARED_IN_STACK, format!("{}: {why}", of(stack, service))), &origins, sources)
                            .help("write `published:target/protocol`, with `tcp`, `udp` or `sctp`"),
                    ),
                }
            }
        }
    }
    twice(&ports, sources, findings);
    reached(&ports, ir, site, sources, findings);
    subnets(ir, site, sources, findings);
}

/// A port that a service of a stack publishes on every node.
struct Published<'a> {
    stack: &'a Stack,
    service: Str,
    port: compose::Port,
}

fn of(stack: &Stack, service: &str) -> String {
    format!("service `{service}` of stack `{}`", *stack.name)
}

/// Labels where something is said, in the spec and in the pack.
fn at(diag: Diag, origins: &Origins, sources: &Sources) -> Diag {
    let spans = origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
    let pack = spans.filter(|s| sources.file(s.file).role == crate::source::Role::Pack).min_by_key(|s| s.end - s.start);
    label(label(diag, super::places::spec_span(origins, sources), ""), pack, "")
}

/// Everything that a service names must stand at the top of its file.
fn declared(stack: &Stack, body: &Tracked, sources: &Sources, findings: &mut Findings) {
    for (service, entry) in body.get("services").into_iter().flat_map(Tracked::entries) {
        for (table, what) in TABLES {
            let known: Vec<&Str> = body.get(table).into_iter().flat_map(Tracked::entries).map(|(k, _)| k).collect();
            for one in named(entry, table) {
                // Every stack has a network of this name.
                if known.contains(&&one.name) || (table == "networks" && &*one.name == "default") {
                    continue;
                }
                let message =
                    format!("{} names the {what} `{}`, which the stack does not declare", of(stack, service), one.name);
                let mut diag = at(Diag::new(UNDECLARED_IN_STACK, message), &one.origins, sources);
                diag = match similar_name(&one.name, known.iter().map(|k| &***k)) {
                    Some(near) => diag.help(format!("the stack declares `{near}`")),
                    None => diag.help(format!("declare it under `{table}` at the top of the stack")),
                };
                findings.push(diag);
            }
        }
    }
}

/// Everything that a stack takes as external must be made by somebody: networks are overlays of the swarm, secrets come
/// from the script of secrets.
fn made(stack: &Stack, body: &Tracked, ir: &Ir, sources: &Sources, findings: &mut Findings) {
    let overlays: Vec<&str> = ir.overlays.iter().filter(|o| *o.cluster == *stack.cluster).map(|o| &**o.name).collect();
    let of_swarm = |o: &&std::sync::Arc<crate::ir::SecretObject>| &**o.form == "swarm" && *o.cluster == *stack.cluster;
    let secrets: Vec<&str> = ir.secret_objects.iter().filter(of_swarm).map(|o| &**o.name).collect();
    for (table, what, known, help) in [
        (
            "networks",
            "network",
            &overlays,
            "declare it as an overlay of the swarm (`[[overlays]]`, or `overlays` of the cluster in the spec)",
        ),
        ("secrets", "secret", &secrets, "let a `[[secrets]]` of the pack with `form = \"swarm\"` make it"),
    ] {
        for (key, entry) in body.get(table).into_iter().flat_map(Tracked::entries) {
            let Some(name) = external(key, entry).filter(|name| !known.contains(&&**name)) else { continue };
            let message = format!(
                "stack `{}` takes the {what} `{name}` from swarm `{}`, where nobody makes it",
                *stack.name, *stack.cluster
            );
            let mut diag =
                at(Diag::new(EXTERNAL_IN_STACK, message), &entry.origins.union(&stack.cluster.origins), sources);
            diag = match similar_name(&name, known.iter().copied()) {
                Some(near) => diag.help(format!("there is `{near}`")),
                None => diag.help(help),
            };
            findings.push(diag);
        }
    }
}

/// Two services of one swarm on one port.
fn twice(ports: &[Published], sources: &Sources, findings: &mut Findings) {
    let mut taken: BTreeMap<(&str, Transport), Vec<&Published>> = BTreeMap::new();
    for port in ports {
        let earlier = taken.entry((&port.stack.cluster, port.port.transport)).or_default();
        let overlaps = |other: &&&Published| {
            other.port.ports.low <= port.port.ports.high && port.port.ports.low <= other.port.ports.high
        };
        if let Some(other) = earlier.iter().find(overlaps) {
            let message = format!(
                "{} and {} both publish port {}/{} of swarm `{}`",
                of(other.stack, &other.service),
                of(port.stack, &port.service),
                port.port.ports,
                port.port.transport.name(),
                *port.stack.cluster
            );
            let diag = at(Diag::new(PORT_CONFLICT, message), &port.port.origins, sources);
            let diag = label(diag, place(&other.port.origins, sources), "the other is published here");
            findings.push(diag.help("a published port is taken on every node: choose another for one of the two"));
        }
        earlier.push(port);
    }
}

/// A published port to which no flow leads is one that the firewalls keep shut.
fn reached(ports: &[Published], ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut told: BTreeSet<(&str, Ports, Transport)> = BTreeSet::new();
    for port in ports {
        let (managers, workers) = site.cluster_nodes(&port.stack.cluster);
        let nodes: Vec<_> = managers
            .iter()
            .chain(&workers)
            .filter_map(|n| site.entry("hosts", n)?.get("addresses").map(addresses_of))
            .flatten()
            .map(|a| a.value)
            .collect();
        let leads = ir.flows.iter().any(|flow| {
            *flow.transport == port.port.transport
                && flow.all_ports().contains(port.port.ports)
                && flow.to_hosts.nets.iter().any(|net| nodes.iter().any(|node| net.contains(node)))
        });
        if leads || nodes.is_empty() || !told.insert((&port.stack.cluster, port.port.ports, port.port.transport)) {
            continue;
        }
        let message = format!(
            "{} publishes port {}/{}, and no flow leads there",
            of(port.stack, &port.service),
            port.port.ports,
            port.port.transport.name()
        );
        let mut diag = at(Diag::new(UNREACHED_PORT, message), &port.port.origins, sources);
        diag.waivable = true;
        diag = diag.pointer(pointer(&["products", &port.stack.product]));
        findings.push(diag.help("declare the flow that needs it, or do not publish the port"));
    }
}

/// Addresses of overlay networks that products choose; those of the spec are checked with its other ranges.
fn subnets(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let of_spec = |cluster: &str, net: &IpNet| {
        let overlays = site.entry("clusters", cluster).and_then(|c| c.get("overlays"));
        overlays
            .is_some_and(|o| o.entries().any(|(_, e)| e.get("subnet").is_some_and(|s| s.value == Value::Cidr(*net))))
    };
    let mut seen: Vec<(&crate::ir::Overlay, IpNet)> = Vec::new();
    for overlay in &ir.overlays {
        let Some(subnet) = overlay.subnet.value.as_ref().filter(|subnet| !subnet.is_poison()) else { continue };
        let net = match subnet {
            Value::Cidr(net) => Some(*net),
            other => other.text().and_then(|t| t.parse::<IpNet>().ok()),
        };
        let what = format!("the overlay network `{}` of swarm `{}`", *overlay.name, *overlay.cluster);
        let Some(net) = net else {
            let text = subnet.text().unwrap_or_default();
            let message = format!("`{text}` is no subnet for {what}");
            findings.push(at(Diag::new(RANGE_OVERLAP, message), &overlay.subnet.origins, sources));
            continue;
        };
        let overlap = |other: &IpNet| other.contains(&net) || net.contains(other);
        let own = !of_spec(&overlay.cluster, &net);
        if let Some((other, theirs)) =
            seen.iter().find(|(o, n)| *o.cluster == *overlay.cluster && overlap(n)).filter(|_| own)
        {
            let message = format!("{what} ({net}) overlaps the overlay network `{}` ({theirs})", *other.name);
            let diag = at(Diag::new(RANGE_OVERLAP, message), &overlay.subnet.origins, sources);
            let diag = label(diag, place(&other.subnet.origins, sources), "");
            findings.push(diag.help("give each a range of its own that nothing else uses"));
        }
        seen.push((overlay, net));
        for (name, network) in site.table("networks").filter(|_| own) {
            let cidrs = network.get("cidrs").map(Tracked::items).unwrap_or_default();
            let hit = cidrs.iter().find(|c| matches!(c.value, Value::Cidr(c) if c.prefix_len() > 0 && overlap(&c)));
            if let Some(cidr) = hit {
                let message = format!("{what}, `{net}`, takes addresses of the network `{name}`");
                let diag = at(Diag::new(RANGE_OVERLAP, message), &overlay.subnet.origins, sources);
                let diag = label(diag, place(&cidr.origins, sources), format!("the network `{name}`"));
                findings.push(diag.help("choose a range that no network of the site uses"));
            }
        }
    }
}
