//! Hosts one by one: systems that nobody knows, addresses in no network of the site.

use indexmap::IndexMap;

use super::places::{label, place};
use crate::diag::codes::{HOST_WITHOUT_NETWORK, NODE_OF_TWO, UNKNOWN_SYSTEM};
use crate::diag::{Diag, Findings, similar_name};
use crate::lower::additions::is_faulty;
use crate::lower::peers::{host_addresses, peers};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked};

/// Families of operating systems, as `ID` in their `/etc/os-release` names them, and those of Windows.
const FAMILIES: [&str; 24] = [
    "alma",
    "almalinux",
    "alpine",
    "amzn",
    "arch",
    "centos",
    "debian",
    "fedora",
    "flatcar",
    "linuxmint",
    "nixos",
    "ol",
    "opensuse-leap",
    "photon",
    "raspbian",
    "redhat",
    "rhel",
    "rocky",
    "sles",
    "suse",
    "talos",
    "ubuntu",
    "windows",
    "windows-server",
];

/// Hosts that a finding names; the rest is counted.
const SHOWN: usize = 6;

/// Checks every host.
pub fn hosts(site: &Site, sources: &Sources, findings: &mut Findings) {
    systems(site, sources, findings);
    strangers(site, sources, findings);
    shared(site, sources, findings);
}

/// Hosts that are nodes of two clusters: each takes the firewall and the ports of its nodes for its own.
fn shared(site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut first: IndexMap<Str, (&Str, Origins)> = IndexMap::new();
    let mut told: Vec<(&Str, &Str)> = Vec::new();
    for (cluster, _) in site.table("clusters") {
        let (managers, workers) = site.cluster_nodes(cluster);
        for node in managers.into_iter().chain(workers) {
            match first.get(&node.value) {
                Some((other, origins)) if *other != cluster && !told.contains(&(other, cluster)) => {
                    told.push((other, cluster));
                    let message =
                        format!("host `{}` is a node of cluster `{other}` and of cluster `{cluster}`", node.value);
                    let mut diag = Diag::new(NODE_OF_TWO, message).pointer(pointer(&["clusters", cluster]));
                    diag = label(diag, place(&node.origins, sources), format!("a node of `{cluster}`"));
                    diag = label(diag, place(origins, sources), format!("a node of `{other}`"));
                    diag.waivable = true;
                    findings.push(diag.help("let each cluster have hosts of its own"));
                }
                Some(_) => {}
                None => {
                    first.insert(node.value, (cluster, node.origins));
                }
            }
        }
    }
}

/// A family that is one letter away from a known one; others may well exist.
fn systems(site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut reported: Vec<Origins> = Vec::new();
    for (name, host) in site.table("hosts") {
        let Some(family) = host.get("os").and_then(|os| os.get("family")) else { continue };
        let Some(text) = family.value.text().filter(|t| !FAMILIES.contains(&&**t)) else { continue };
        let Some(near) = similar_name(&text, FAMILIES) else { continue };
        if reported.contains(&family.origins) {
            continue;
        }
        reported.push(family.origins.clone());
        let message = format!("no operating system is called `{text}`");
        let mut diag = Diag::new(UNKNOWN_SYSTEM, message).at_maybe(place(&family.origins, sources), "");
        diag.waivable = true;
        diag = diag.pointer(format!("{}/os", pointer(&["hosts", name])));
        findings.push(diag.help(format!("there is `{near}`")));
    }
}

/// Hosts with an address that lies in none of the networks, where the site declares networks at all.
fn strangers(site: &Site, sources: &Sources, findings: &mut Findings) {
    if site.at("/networks").is_none_or(is_faulty) {
        return;
    }
    let nets: Vec<_> =
        site.table("networks").filter_map(|(_, n)| peers(n, site)).flat_map(|p| p.value.nets.to_vec()).collect();
    if nets.is_empty() {
        return;
    }
    let mut found: Vec<(String, std::net::IpAddr, Origins)> = Vec::new();
    // Where the spec names a host's network itself, the address is compared with that one.
    let is_given = |name: &str, host: &Tracked| {
        let derived = site.defaults.contains_key(&(pointer(&["hosts", name]) + "/network"));
        !derived && host.get("network").is_some_and(|n| !n.value.is_null())
    };
    for (name, host) in site.table("hosts") {
        let outside = |a: &std::net::IpAddr| !nets.iter().any(|net| net.contains(a));
        let of_family = |a: &std::net::IpAddr| nets.iter().any(|net| net.addr().is_ipv4() == a.is_ipv4());
        let own = host_addresses(host).into_iter().find(|a| outside(&a.value) && of_family(&a.value));
        let own = own.filter(|_| !is_given(name, host));
        found.extend(own.map(|a| (name.to_string(), a.value, a.origins)));
    }
    let Some((name, address, origins)) = found.first() else { return };
    let message = match found.len() {
        1 => format!("no network of the site has the address `{address}` of host `{name}`"),
        n => {
            let names: Vec<String> = found.iter().take(SHOWN).map(|(name, ..)| format!("`{name}`")).collect();
            let more = if n > SHOWN { format!(" and {} more", n - SHOWN) } else { String::new() };
            format!("hosts {}{more} stand in no network of the site", names.join(", "))
        }
    };
    let mut diag = Diag::new(HOST_WITHOUT_NETWORK, message).at_maybe(place(origins, sources), "");
    for (_, _, origins) in found.iter().skip(1).take(SHOWN) {
        diag = label(diag, place(origins, sources), "in none either");
    }
    diag.waivable = true;
    diag = diag.pointer(pointer(&["hosts", name]));
    findings.push(diag.help("correct the address, or declare the network with its CIDRs"));
}
