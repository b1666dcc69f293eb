//! Addresses of hosts: one that two hosts have, one outside the network that its host names, one that a network keeps for
//! itself, one that is said to be outside of the site. Gateways outside their network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::places::label;
use super::places::spec_span;
use crate::diag::codes::{
    ADDRESS_OUTSIDE_NETWORK, DUPLICATE_ADDRESS, GATEWAY_AS_HOST, GATEWAY_OUTSIDE, HOST_AS_EXTERNAL, RESERVED_ADDRESS,
};
use crate::diag::{Diag, Findings};
use crate::ir::F;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Str, Tracked, Value};

/// Checks the addresses of all hosts.
pub fn addresses(site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut all: Vec<(IpAddr, Str, F<IpAddr>)> = Vec::new();
    for (name, host) in site.table("hosts") {
        let own = site.host_addresses(name);
        outside(name, host, &own, site, sources, findings);
        all.extend(own.into_iter().map(|a| (a.value, name.clone(), a)));
    }
    // Stable: of equal addresses the host that the spec has first stays first.
    all.sort_by_key(|(address, ..)| *address);
    let gateways = gateways(site, sources, findings);
    for (address, host, place) in &all {
        reserved(*address, host, place, &gateways, site, sources, findings);
    }
    externals(&all, site, sources, findings);
    for same in all.chunk_by(|a, b| a.0 == b.0) {
        let [(address, first, place), others @ ..] = same else { continue };
        let mut others = others.iter().filter(|(_, host, _)| host != first).peekable();
        let Some((_, second, _)) = others.peek() else { continue };
        let message = format!("the hosts `{first}` and `{second}` have the same address `{address}`");
        let mut diag = Diag::new(DUPLICATE_ADDRESS, message).pointer(pointer(&["hosts", second, "addresses"]));
        let earlier = spec_span(&place.origins, sources);
        for (_, host, place) in others {
            let Some(span) = spec_span(&place.origins, sources) else { continue };
            let text = format!("`{host}` has it too");
            diag = if diag.primary.is_none() { diag.at(span, text) } else { diag.and(span, text) };
        }
        if let Some(span) = earlier.filter(|s| diag.primary.as_ref().is_none_or(|l| l.span != *s)) {
            diag = diag.and(span, format!("`{first}` has it here"));
        }
        diag.waivable = true;
        findings
            .push(diag.help("give each host an address of its own; one that moves between hosts belongs to neither"));
    }
}

/// Addresses that lie in none of the CIDRs of the network that the spec gives the host. A host with a foot in another
/// network of the site may have an address there, as long as one lies in its own.
fn outside(name: &Str, host: &Tracked, own: &[F<IpAddr>], site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some(network) = host.get("network") else { return };
    let derived = site.defaults.contains_key(&pointer(&["hosts", name, "network"]));
    let Value::Ref(named) = &network.value else { return };
    let Some(cidrs) = site.entry(&named.table, &named.name).and_then(|n| n.get("cidrs")).filter(|_| !derived) else {
        return;
    };
    let nets: Vec<ipnet::IpNet> = cidrs
        .items()
        .iter()
        .filter_map(|c| match c.value {
            Value::Cidr(net) => Some(net),
            _ => None,
        })
        .collect();
    let inside = |a: &IpAddr| nets.iter().any(|n| n.contains(a));
    let at_home = own.iter().any(|a| inside(&a.value));
    for address in own.iter().filter(|a| !inside(&a.value)) {
        // Nothing is said about a family that the network has no CIDR of.
        let judged = nets.iter().any(|n| n.addr().is_ipv4() == address.value.is_ipv4());
        let elsewhere = site.network_of(address.value);
        if !judged || (at_home && elsewhere.is_some()) {
            continue;
        }
        let message =
            format!("the address `{}` of host `{name}` is outside its network `{}`", address.value, named.name);
        let mut diag = Diag::new(ADDRESS_OUTSIDE_NETWORK, message)
            .at_maybe(spec_span(&address.origins, sources), "")
            .pointer(pointer(&["hosts", name, "addresses"]));
        for (place, text) in
            [(&network.origins, "the host is said to be in this network"), (&cidrs.origins, "which has")]
        {
            if let Some(span) = spec_span(place, sources) {
                diag = diag.and(span, text);
            }
        }
        diag.waivable = true;
        findings.push(match elsewhere {
            Some((other, _)) => diag.help(format!("the address is in the network `{other}`")),
            None => diag.help("correct the address, or the CIDRs of the network"),
        });
    }
}

/// The gateways of all networks. One that is in no CIDR of its network, or is no address for a machine, is a finding.
fn gateways<'a>(
    site: &'a Site,
    sources: &Sources,
    findings: &mut Findings,
) -> BTreeMap<IpAddr, (&'a Str, &'a Tracked)> {
    let mut found = BTreeMap::new();
    for (name, network) in site.table("networks") {
        for key in ["gateway", "gateway6"] {
            let Some(gateway) = network.get(key) else { continue };
            let Value::Address(address) = gateway.value else { continue };
            found.insert(address, (name, gateway));
            let cidrs: Vec<(IpNet, &Tracked)> = network
                .get("cidrs")
                .map(Tracked::items)
                .unwrap_or_default()
                .iter()
                .filter_map(|c| match c.value {
                    Value::Cidr(net) => Some((net, c)),
                    _ => None,
                })
                .collect();
            let place = spec_span(&gateway.origins, sources);
            match cidrs.iter().find(|(net, _)| net.contains(&address)) {
                Some((net, cidr)) => {
                    let Some(what) = kept(*net, address) else { continue };
                    let message = format!("the gateway `{address}` of network `{name}` is {what} of `{net}`");
                    let mut diag = Diag::new(RESERVED_ADDRESS, message).at_maybe(place, "");
                    diag = label(diag, spec_span(&cidr.origins, sources), "the network");
                    let help = "no machine can have that address: correct it, or the CIDR of the network";
                    findings.push(diag.pointer(pointer(&["networks", name, key])).help(help));
                }
                None if cidrs.iter().any(|(net, _)| net.addr().is_ipv4() == address.is_ipv4()) => {
                    let message = format!("the gateway `{address}` of network `{name}` is outside of it");
                    let mut diag = Diag::new(GATEWAY_OUTSIDE, message).at_maybe(place, "");
                    for (_, cidr) in cidrs.iter().filter(|(net, _)| net.addr().is_ipv4() == address.is_ipv4()) {
                        diag = label(diag, spec_span(&cidr.origins, sources), "the network");
                    }
                    let help =
                        "a host reaches its gateway without one: correct the address, or the CIDR of the network";
                    findings.push(diag.pointer(pointer(&["networks", name, key])).help(help));
                }
                None => {}
            }
        }
    }
    found
}

/// What a network uses an address for itself: its own name, or everybody in it. Links of two (`/31`, `/127`) have none.
fn kept(net: IpNet, address: IpAddr) -> Option<&'static str> {
    let lone = net.max_prefix_len() - net.prefix_len() < 2;
    match address {
        _ if lone => None,
        _ if address == net.network() && address.is_ipv4() => Some("the first address, the name of the network,"),
        _ if address == net.network() => Some("the first address, that of all routers,"),
        _ if address == net.broadcast() && address.is_ipv4() => Some("the broadcast address"),
        _ => None,
    }
}

/// An address of a host that its network keeps for itself or for its gateway.
fn reserved(
    address: IpAddr,
    host: &Str,
    place: &F<IpAddr>,
    gateways: &BTreeMap<IpAddr, (&Str, &Tracked)>,
    site: &Site,
    sources: &Sources,
    findings: &mut Findings,
) {
    let at = pointer(&["hosts", host, "addresses"]);
    let span = spec_span(&place.origins, sources);
    if let Some((network, net)) = site.network_of(address)
        && let Some(what) = kept(net, address)
    {
        let message = format!("the address `{address}` of host `{host}` is {what} of `{net}`");
        let mut diag = Diag::new(RESERVED_ADDRESS, message).at_maybe(span, "");
        let cidrs = site.entry("networks", network).and_then(|n| n.get("cidrs")).map(Tracked::items);
        let cidr = cidrs.unwrap_or_default().iter().find(|c| c.value == Value::Cidr(net));
        if let Some(cidr) = cidr {
            diag = label(diag, spec_span(&cidr.origins, sources), format!("the network `{network}`"));
        }
        findings
            .push(diag.pointer(at).help("no machine can have that address: correct it, or the CIDR of the network"));
    } else if let Some((network, gateway)) = gateways.get(&address) {
        let message = format!("host `{host}` has the address of the gateway of network `{network}`, `{address}`");
        let mut diag = Diag::new(GATEWAY_AS_HOST, message).at_maybe(span, "");
        diag = label(diag, spec_span(&gateway.origins, sources), "the gateway");
        diag.waivable = true;
        findings.push(diag.pointer(at).help("correct one of the two; where the host is the router, waive this"));
    }
}

/// Addresses of hosts that an entry of `external` has, too.
fn externals(hosts: &[(IpAddr, Str, F<IpAddr>)], site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, external) in site.table("external") {
        for item in external.get("addresses").map(Tracked::items).unwrap_or_default() {
            let Value::Address(address) = item.value else { continue };
            let Ok(index) = hosts.binary_search_by_key(&address, |(a, ..)| *a) else { continue };
            let (_, host, place) = &hosts[index];
            let message = format!("the external endpoint `{name}` has the address `{address}` of host `{host}`");
            let mut diag = Diag::new(HOST_AS_EXTERNAL, message).at_maybe(spec_span(&item.origins, sources), "");
            diag = label(diag, spec_span(&place.origins, sources), "the host");
            diag.waivable = true;
            let help = format!("name the host `{host}` where the endpoint is meant: only hosts get rules and files");
            findings.push(diag.pointer(pointer(&["external", name])).help(help));
        }
    }
}
