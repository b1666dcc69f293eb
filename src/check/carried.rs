//! What the site permits that a form of firewall cannot say: each with the place of the flow, and the way out.

use std::collections::BTreeMap;

use super::firewalls::form_place;
use super::flows::added_rows;
use super::places::{label, place, words};
use crate::diag::codes::{FLOW_OF_NO_COMPONENT, FORM_CANNOT_CARRY, FORM_TOO_WIDE};
use crate::diag::{Diag, Findings};
use crate::ir::{Flow, Ir, Scope, Target, Transport};
use crate::lower::policies::{is_sayable, wanted};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::Value;

/// Hosts and flows that a finding names; the rest is counted.
const SHOWN: usize = 6;

/// Checks the rulesets of all hosts.
pub fn carried(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    node_ports(ir, site, sources, findings);
    ports_of_windows(ir, site, sources, findings);
    policies(ir, site, sources, findings);
}

/// firewalld accepts what the cluster has rewritten: it cannot keep anybody from node ports.
fn node_ports(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let open = |f: &&std::sync::Arc<crate::ir::Firewall>| *f.target == Target::Firewalld && !f.node_ports.is_empty();
    let hosts: Vec<_> = ir.firewalls.iter().filter(open).collect();
    let Some(first) = hosts.first() else { return };
    let names = words(hosts.iter().map(|f| &*f.host.value), SHOWN);
    let ports: Vec<String> = first.node_ports.iter().map(|p| p.to_string()).collect();
    let message = format!("firewalld cannot keep anybody from the ports that the cluster publishes on {names}");
    let mut diag = Diag::new(FORM_TOO_WIDE, message)
        .at_maybe(form_place(site, &first.host).and_then(|p| place(&p.origins, sources)), "")
        .note(format!(
            "the cluster rewrites {} before a zone sees them, and firewalld accepts what was rewritten",
            ports.join(", ")
        ))
        .help("choose `nftables` or `iptables` for the nodes of the cluster; or keep others out at a boundary, and waive this");
    for flow in ir.flows.iter().filter(|f| *f.published).take(SHOWN) {
        diag = diag.note(format!("meant to be open: {}", shown(flow)));
    }
    diag.waivable = true;
    findings.push(diag.pointer(pointer(&["hosts", &first.host, "firewall"])));
}

/// The firewall of Windows knows ports of TCP and UDP only.
fn ports_of_windows(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let windows: BTreeMap<&str, &crate::ir::Firewall> =
        ir.firewalls.iter().filter(|f| *f.target == Target::Windows).map(|f| (&*f.host.value, &**f)).collect();
    let rows = added_rows(site, sources);
    for flow in ir.flows.iter().filter(|f| *f.scope != Scope::Cluster && *f.transport == Transport::Sctp) {
        let filters = |f: &crate::ir::Firewall| {
            let own = site.host_addresses(&f.host);
            let is = |nets: &[ipnet::IpNet]| own.iter().any(|a| nets.iter().any(|n| n.contains(&a.value)));
            is(&flow.to_hosts.nets) || (*f.output && is(&flow.from_hosts.nets))
        };
        let Some(firewall) = windows.values().find(|f| filters(f)) else { continue };
        let message = format!(
            "host `{}` runs Windows, whose firewall knows no ports of {}: {}",
            *firewall.host,
            flow.transport.name(),
            shown(flow)
        );
        let mut diag = Diag::new(FORM_CANNOT_CARRY, message);
        diag = label(diag, row_of(flow, &rows, sources), "");
        let form = form_place(site, &firewall.host).and_then(|p| place(&p.origins, sources));
        diag = label(diag, form, "its form");
        let help = "take the flow away, or write `firewall: none` at the host and permit it by hand";
        findings.push(diag.help(help).pointer(pointer(&["hosts", &firewall.host, "firewall"])));
    }
}

/// A NetworkPolicy knows neither protocols without ports nor names.
fn policies(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    if wanted(site).is_none() {
        return;
    }
    let targets = site.at("/firewall/targets").and_then(|t| place(&t.origins, sources));
    let rows = added_rows(site, sources);
    for flow in ir.flows.iter() {
        let of_pods = flow.from_component.is_some() || flow.to_component.is_some();
        if of_pods && !is_sayable(flow) {
            let message = match flow.transport.has_ports() {
                true => format!("no NetworkPolicy can permit {}: an end has a name and no address", shown(flow)),
                false => format!("no NetworkPolicy can permit {}: the protocol has no ports", shown(flow)),
            };
            let end = if flow.from_component.is_some() { &flow.to_hosts } else { &flow.from_hosts };
            let diag = label(Diag::new(FORM_CANNOT_CARRY, message), place(&end.origins, sources), "");
            let diag = label(diag, targets, "asked for here");
            findings.push(diag.help("give the end its addresses, or leave `network-policy` out"));
        }
        let pods = |nets: &[ipnet::IpNet]| site.table("clusters").any(|(name, _)| is_cluster(nets, name, site));
        if rows.is_empty() || of_pods || row_of(flow, &rows, sources).is_none() {
            continue;
        }
        if pods(&flow.from_hosts.nets) || (*flow.published && pods(&flow.to_hosts.nets)) {
            let message = format!("no NetworkPolicy speaks of {}: it names no component", shown(flow));
            let mut diag = Diag::new(FLOW_OF_NO_COMPONENT, message).at_maybe(row_of(flow, &rows, sources), "");
            diag.waivable = true;
            findings.push(
                diag.pointer("/extra/flows")
                    .help("where pods of a product need it, write a policy for them beside ours, and waive this"),
            );
        }
    }
}

/// Whether these are the nodes of a cluster of Kubernetes.
fn is_cluster(nets: &[ipnet::IpNet], cluster: &str, site: &Site) -> bool {
    let kubernetes = site.entry("clusters", cluster).and_then(|c| c.get("kind"));
    let (_, workers) = site.cluster_nodes(cluster);
    let has = |host: &str| site.host_addresses(host).iter().any(|a| nets.iter().any(|n| n.contains(&a.value)));
    kubernetes.is_some_and(|k| k.value == Value::str("kubernetes"))
        && !workers.is_empty()
        && workers.iter().all(|w| has(&w.value))
}

/// The row of the spec that a flow comes from; of other flows nothing, since a pack has them.
pub(super) fn row_of(flow: &Flow, rows: &[Span], sources: &Sources) -> Option<Span> {
    flow.why.origins.as_slice().iter().filter_map(|p| sources.span_of(*p)).find(|s| rows.binary_search(s).is_ok())
}

/// A flow as people write it.
pub(super) fn shown(flow: &Flow) -> String {
    format!("`{}`: {} -> {} : {}", *flow.product, *flow.from, *flow.to, flow.service())
}
