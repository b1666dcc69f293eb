//! Addresses of hosts: one that two hosts have, and one outside the network that its host names.

use std::net::IpAddr;

use super::requirements::spec_span;
use crate::diag::codes::{ADDRESS_OUTSIDE_NETWORK, DUPLICATE_ADDRESS};
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
