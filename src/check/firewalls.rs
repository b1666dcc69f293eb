//! Rulesets that cannot be what is meant: a host that its administrators could no longer reach, a form that the host's
//! operating system does not have, a form that no host takes.

use std::sync::Arc;

use ipnet::IpNet;

use super::places::spec_span;
use crate::diag::codes::{FORM_UNFIT, FORM_UNUSED, LOCKED_OUT};
use crate::diag::{Diag, Findings};
use crate::ir::{Firewall, Ir, Rule, RuleChain, Target, Transport};
use crate::lower::additions::is_faulty;
use crate::lower::firewalls::{filtered, open_management};
use crate::lower::peers::peers;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Ports, Tracked, Value};

/// Hosts that a finding names; the rest is counted.
const HOSTS_SHOWN: usize = 6;

/// Checks the rulesets of all hosts.
pub fn firewalls(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    forms(site, sources, findings);
    // Which network is for administrators, or where it is, is a question that has been asked: the rulesets wait for it.
    if !open_management(site).is_empty() {
        return;
    }
    let managed = |n: &Tracked| n.get("role").is_some_and(|r| r.value == Value::str("management"));
    let networks: Vec<(&str, Vec<IpNet>)> = site
        .table("networks")
        .filter(|(_, n)| managed(n))
        .filter_map(|(name, n)| Some((&**name, peers(n, site)?.value.nets.to_vec())))
        .collect();
    let nets: Vec<IpNet> = networks.iter().flat_map(|(_, nets)| nets.iter().copied()).collect();
    let fits =
        |f: &Firewall| site.entry("hosts", &f.host).is_some_and(|h| is_windows(h) == (*f.target == Target::Windows));
    // At the host from which everything is installed somebody sits.
    let seat = site.at("/tools/host").and_then(|h| h.value.text());
    let rulesets = ir.firewalls.iter().filter(|f| fits(f)).map(|f| (&*f.host.value, &f.rules));
    let groups = ir.security_groups.iter().map(|g| (&*g.host.value, &g.rules));
    // A host without an address is one of which more is asked.
    let judged = |host: &str| seat.as_deref() != Some(host) && !site.host_addresses(host).is_empty();
    let mut locked: Vec<&str> = rulesets
        .chain(groups)
        .filter(|(host, rules)| judged(host) && !is_reached(host, rules, &nets, site))
        .map(|(host, _)| host)
        .collect();
    locked.sort_unstable();
    locked.dedup();
    let Some(first) = locked.first() else { return };
    // Of a faulty network or host nothing is known, and neither is who reaches it.
    if ["/networks", "/hosts", "/tools"].iter().any(|table| site.at(table).is_some_and(is_faulty)) {
        return;
    }
    let span = form_place(site, first).and_then(|p| spec_span(&p.origins, sources));
    let mut diag = match nets.is_empty() {
        true => Diag::new(LOCKED_OUT, "no management network is declared, and the rulesets would lock everybody out")
            .at_maybe(span, "these drop what no flow asks for, SSH included")
            .help("declare the network from which administrators log in: `role: management`"),
        false => {
            let names: Vec<String> = networks.iter().map(|(name, _)| format!("`{name}`")).collect();
            let hosts = shown(&locked);
            let message = format!("nobody could log in at {hosts}: {} cannot reach it", names.join(", "));
            let host = site.entry("hosts", first).and_then(|h| h.get("addresses"));
            Diag::new(LOCKED_OUT, message)
                .at_maybe(host.and_then(|h| spec_span(&h.origins, sources)), "of another address family")
                .help("give the management network a CIDR of the family that the host has")
        }
    };
    diag.waivable = true;
    findings.push(diag.pointer("/firewall/targets"));
}

/// Whether somebody may log in at the host: the management networks, or whoever may open a connection to its shell.
fn is_reached(host: &str, rules: &[Arc<Rule>], nets: &[IpNet], site: &Site) -> bool {
    let windows = site.entry("hosts", host).is_some_and(is_windows);
    let login: &[u16] = if windows { &[3389, 5985, 5986] } else { &[22] };
    let inputs = || rules.iter().filter(|r| *r.chain == RuleChain::Input && *r.transport == Transport::Tcp);
    let shell = |rule: &Rule| login.iter().any(|port| rule.ports.iter().any(|p| p.contains(Ports::one(*port))));
    let managed = |rule: &Rule| rule.peers.iter().any(|peer| nets.iter().any(|net| peer.contains(net)));
    inputs().any(|rule| shell(rule)) || inputs().any(|rule| managed(rule))
}

/// The form that a host's own entry names.
fn own_form<'a>(site: &'a Site, host: &str) -> Option<&'a Tracked> {
    let derived = site.defaults.contains_key(&pointer(&["hosts", host, "firewall"]));
    site.entry("hosts", host).and_then(|h| h.get("firewall")).filter(|_| !derived)
}

/// What of the spec chooses a host's form: its own entry, or the list of the site.
pub(super) fn form_place<'a>(site: &'a Site, host: &str) -> Option<&'a Tracked> {
    own_form(site, host).or_else(|| site.at("/firewall/targets"))
}

fn is_windows(host: &Tracked) -> bool {
    let family = host.get("os").and_then(|os| os.get("family"));
    family.and_then(|f| f.value.text()).is_some_and(|f| f.starts_with("windows"))
}

fn shown(hosts: &[&str]) -> String {
    let names: Vec<String> = hosts.iter().take(HOSTS_SHOWN).map(|host| format!("`{host}`")).collect();
    match hosts.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more hosts", names.join(", ")),
    }
}

/// Forms that do not go with an operating system, and forms of the site that no host takes.
fn forms(site: &Site, sources: &Sources, findings: &mut Findings) {
    // Rulesets may wait for an answer; the forms are known.
    let hosts = filtered(site);
    for firewall in &hosts {
        let Some(host) = site.entry("hosts", &firewall.name) else { continue };
        let windows = is_windows(host);
        if (*firewall.target == Target::Windows) == windows {
            continue;
        }
        let (form, system) = (firewall.target.name(), if windows { "runs" } else { "does not run" });
        let message = format!("host `{}` {system} Windows, so its firewall cannot be `{form}`", firewall.name);
        let place = own_form(site, &firewall.name).and_then(|f| spec_span(&f.origins, sources));
        let os = host.get("os").and_then(|os| spec_span(&os.origins, sources));
        let mut diag = Diag::new(FORM_UNFIT, message).at_maybe(place, "").help(match windows {
            true => "write `windows` or `none`, or leave it out",
            false => "write `nftables`, `iptables`, `firewalld` or `none`, or leave it out",
        });
        if let Some(os) = os.filter(|os| Some(*os) != place) {
            diag = diag.and(os, "its operating system");
        }
        findings.push(diag.pointer(pointer(&["hosts", &firewall.name, "firewall"])));
    }
    for (index, word) in site.at("/firewall/targets").map(Tracked::items).unwrap_or_default().iter().enumerate() {
        let Some(target) = word.value.text().and_then(|w| Target::from_name(&w)) else { continue };
        if hosts.iter().any(|f| *f.target == target) {
            continue;
        }
        let mut diag = Diag::new(FORM_UNUSED, format!("no host has its firewall as `{}`", target.name()))
            .at_maybe(spec_span(&word.origins, sources), "nothing is written for it")
            .help("a host takes the first form that its operating system has; name another one at the host, or take this away")
            .pointer(format!("/firewall/targets/{index}"));
        diag.waivable = true;
        findings.push(diag);
    }
}
