//! Emitted rulesets of hosts against the `Ir`'s rules, both ways. Every form comes down to the same: chains with the
//! traffic that they permit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bugs::{At, Bugs};
use super::iptables;
use super::nftables::{self, KnownSets};
use super::packets::{ALL_PORTS, Hook, Permits, icmp_needed};
use super::{Emitted, Texts};
use crate::diag::Findings;
use crate::emit::escape::Format;
use crate::ir::{Firewall, Ir, Rule, RuleChain, Target, Transport};
use crate::netset::{Addresses, Clause, Family, Region, Traffic};
use crate::spread::spread_with;
use crate::value::Ports;

/// The table that is ours in a host's ruleset.
const TABLE: &str = "sitec";

/// A chain of a ruleset, whatever its form.
pub struct Stretch<'a> {
    pub at: At<'a>,
    pub name: &'a str,
    pub hook: Hook,
    pub permits: Permits,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
    /// The families that the chain sees.
    pub families: &'a [Family],
}

/// The nftables file of every host that keeps its firewall so.
pub fn nftables(ir: &Ir, texts: &Texts, threads: usize, bugs: &mut Bugs) {
    let mut meant = of_target(ir, Target::Nftables);
    let mut seen: BTreeMap<&str, &Emitted> = BTreeMap::new();
    let mut files: Vec<(&Emitted, Option<&Firewall>)> = Vec::new();
    for file in texts.of(Format::Nft).filter(|f| f.is_own()) {
        if let Some(other) = seen.insert(file.host(), file) {
            bugs.wrong(file.at(0), &format!("`{}` rules the same host", other.path));
        }
        let firewall = meant.remove(file.host());
        if firewall.is_none() {
            bugs.extra(file.at(0), "a ruleset");
        }
        files.push((file, firewall));
    }
    for found in spread_with(threads, &files, KnownSets::default, |known, (file, firewall)| {
        let mut findings = Findings::default();
        nftables_file(file, *firewall, known, &mut Bugs::new(&mut findings));
        findings
    }) {
        bugs.extend(found);
    }
    for host in meant.keys() {
        bugs.no_file("nft", host, "its ruleset");
    }
}

fn nftables_file<'a>(file: &Emitted<'a>, firewall: Option<&Firewall>, known: &mut KnownSets<'a>, bugs: &mut Bugs) {
    let read = file.read(|text| nftables::read_with(text, known), bugs);
    let Some((ruleset, firewall)) = read.zip(firewall) else { return };
    if ruleset.table != TABLE {
        bugs.wrong(file.at(0), &format!("the table is `{}`, and `{TABLE}` was meant", ruleset.table));
    }
    let mut stretches = Vec::new();
    for chain in &ruleset.chains {
        let at = file.at(chain.line);
        // Node ports are judged before the rewrite, and behind the recognition of connections.
        let (priority, word) = if chain.hook == Hook::Prerouting { (-150, "mangle") } else { (0, "filter") };
        if chain.priority != priority {
            bugs.wrong(at, &format!("the chain `{}` does not stand at priority {word}", chain.name));
        }
        match chain.permits() {
            Ok(permits) => stretches.push(Stretch {
                at,
                name: &chain.name,
                hook: chain.hook,
                permits,
                drops: chain.drops,
                families: &Family::BOTH,
            }),
            Err(fault) => bugs.unreadable(file.path, &fault),
        }
    }
    ruleset_of_host(file, &stretches, firewall, &Family::BOTH, bugs);
}

/// The two files of every host that keeps its firewall with iptables, one for each family.
pub fn iptables(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let meant = of_target(ir, Target::Iptables);
    let mut seen: BTreeMap<(&str, Family), &Emitted> = BTreeMap::new();
    for file in texts.of(Format::Iptables).filter(|f| f.is_own()) {
        let family = match file.path.rsplit('/').next() {
            Some("sitec-v4.rules") => Family::V4,
            Some("sitec-v6.rules") => Family::V6,
            _ => {
                bugs.extra(file.at(0), "rules of no family");
                continue;
            }
        };
        if let Some(other) = seen.insert((file.host(), family), file) {
            bugs.wrong(file.at(0), &format!("`{}` rules the same host", other.path));
        }
        let Some(firewall) = meant.get(file.host()) else {
            bugs.extra(file.at(0), "a ruleset");
            continue;
        };
        let Some(chains) = file.read(|text| iptables::read(text, family), bugs) else { continue };
        let families = [family];
        let mut stretches = Vec::new();
        for chain in &chains {
            match chain.permits() {
                Ok(permits) => stretches.push(Stretch {
                    at: file.at(chain.line),
                    name: &chain.name,
                    hook: chain.hook,
                    permits,
                    drops: chain.drops,
                    families: &families,
                }),
                Err(fault) => bugs.unreadable(file.path, &fault),
            }
        }
        ruleset_of_host(file, &stretches, firewall, &families, bugs);
    }
    for host in meant.keys() {
        for family in Family::BOTH.into_iter().filter(|f| !seen.contains_key(&(*host, *f))) {
            let what = if family == Family::V4 { "its IPv4 ruleset" } else { "its IPv6 ruleset" };
            bugs.no_file("iptables", host, what);
        }
    }
}

/// The rulesets that are written in one form, by host.
pub fn of_target(ir: &Ir, target: Target) -> BTreeMap<&str, &Firewall> {
    ir.firewalls.iter().filter(|f| *f.target == target).map(|f| (&*f.host.value, &**f)).collect()
}

/// What the rules of a host permit in each chain, as far as it is of these families.
pub fn by_chain(rules: &[Arc<Rule>], families: &[Family]) -> BTreeMap<RuleChain, Region> {
    let mut chains: BTreeMap<RuleChain, Region> = BTreeMap::new();
    for rule in rules {
        let family = if *rule.family == 6 { Family::V6 } else { Family::V4 };
        if !families.contains(&family) {
            continue;
        }
        let addresses = match &*rule.peers.value {
            [] => Addresses::any(family),
            _ => rule.peers.addresses(family).clone(),
        };
        let ports = if rule.transport.has_ports() { rule.ports.value.clone() } else { vec![ALL_PORTS] };
        let clause = Clause { family, transport: *rule.transport, ports, addresses };
        chains.entry(*rule.chain).or_default().add([clause]);
    }
    chains
}

/// Compares the chains of a file with the rules of its host, as far as the file is there for these families.
pub fn ruleset_of_host(
    file: &Emitted,
    stretches: &[Stretch],
    firewall: &Firewall,
    families: &[Family],
    bugs: &mut Bugs,
) {
    let mut meant = by_chain(&firewall.rules, families);
    let mut wanted = vec![RuleChain::Input];
    wanted.extend((!firewall.node_ports.is_empty()).then_some(RuleChain::NodePort));
    wanted.extend(firewall.output.then_some(RuleChain::Output));
    let mut seen = Vec::new();
    for stretch in stretches {
        let kind = match stretch.hook {
            Hook::Input => RuleChain::Input,
            Hook::Prerouting => RuleChain::NodePort,
            Hook::Output => RuleChain::Output,
        };
        if seen.contains(&kind) {
            bugs.wrong(stretch.at, &format!("a second chain at the hook `{}`", stretch.hook.name()));
        }
        seen.push(kind);
        same_traffic(
            stretch.at,
            stretch.name,
            &stretch.permits.accepted,
            &meant.remove(&kind).unwrap_or_default(),
            bugs,
        );
        match kind {
            RuleChain::NodePort => node_port_chain(stretch, &firewall.node_ports, bugs),
            _ => filter_chain(stretch, bugs),
        }
    }
    for kind in wanted.iter().filter(|k| !seen.contains(k)) {
        bugs.missing(file.path, &format!("the `{}` chain", kind.name()));
    }
    for kind in seen.iter().filter(|k| !wanted.contains(k)) {
        bugs.extra(file.at(0), &format!("the `{}` chain", kind.name()));
    }
    for (kind, traffic) in meant {
        bugs.missing(file.path, &format!("the `{}` rules for {}", kind.name(), traffic.traffic()));
    }
}

/// A chain at input or output: what no rule permits is dropped.
fn filter_chain(stretch: &Stretch, bugs: &mut Bugs) {
    let needed = stretch.families.iter().flat_map(|f| icmp_needed(*f)).collect();
    let (permits, drops) = (&stretch.permits, stretch.drops);
    let mut must = must(stretch, bugs);
    must(drops, "does not drop what no rule permits");
    must(permits.dropped.is_empty(), "drops traffic before a rule that permits it");
    must(permits.icmp.is_superset(&needed), "drops ICMP without which a network does not work");
    must(permits.icmp.is_subset(&needed), "permits ICMP that no network needs");
}

/// The chain that judges node ports before the cluster rewrites them: everything on these ports is decided, and
/// nothing else.
fn node_port_chain(stretch: &Stretch, ports: &[Ports], bugs: &mut Bugs) {
    const WITH_PORTS: [Transport; 3] = [Transport::Tcp, Transport::Udp, Transport::Sctp];
    let judged = stretch.families.iter().flat_map(|family| {
        let addresses = Addresses::any(*family);
        let clause =
            move |transport| Clause { family: *family, transport, ports: ports.to_vec(), addresses: addresses.clone() };
        WITH_PORTS.map(clause)
    });
    let (permits, drops) = (&stretch.permits, stretch.drops);
    let decided = permits.accepted.traffic().union(&permits.dropped.traffic());
    let text = ports.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ");
    let judged = Traffic::of(judged);
    let mut must = must(stretch, bugs);
    must(!drops, "drops what no rule names, packets that only pass through included");
    must(!permits.drops_passing, "drops packets that only pass through");
    must(permits.icmp.is_empty(), "decides about ICMP");
    must(decided == judged, &format!("does not decide about {text} and nothing else"));
}

/// Checks what every chain must hold, and gives the means to check more.
fn must<'b>(stretch: &'b Stretch, bugs: &'b mut Bugs) -> impl FnMut(bool, &str) {
    let mut must = move |holds: bool, what: &str| {
        if !holds {
            bugs.wrong(stretch.at, &format!("the chain `{}` {what}", stretch.name));
        }
    };
    must(stretch.permits.established, "does not let answers to permitted connections pass");
    must(stretch.permits.loopback, "does not let the host talk to itself");
    must
}

fn same_traffic(at: At, chain: &str, found: &Region, meant: &Region, bugs: &mut Bugs) {
    if found == meant {
        return;
    }
    let (found, meant) = (found.traffic(), meant.traffic());
    for (set, verb) in [(meant.difference(&found), "lacks"), (found.difference(&meant), "permits too much:")] {
        if let Some(example) = set.example() {
            bugs.wrong(at, &format!("the chain `{chain}` {verb} {set} (for example {example})"));
        }
    }
}
