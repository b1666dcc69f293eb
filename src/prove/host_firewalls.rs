//! Emitted firewalls of firewalld and of Windows against the `Ir`'s rules, both ways. Neither sees packets before the
//! cluster rewrites them, so that what is meant for published ports stands among what is meant for the host.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bugs::{At, Bugs};
use super::firewalld::{self, IpSets, Policy};
use super::firewalls::{Stretch, of_target, ruleset_of_host};
use super::packets::Hook;
use super::powershell;
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{AddressSet, Firewall, Ir, Rule, RuleChain, Target};
use crate::netset::{Addresses, Family};

/// The folder of firewalld's files.
const FOLDER: &str = "/root/etc/firewalld/";

/// The files of every host that keeps its firewall with firewalld.
pub fn firewalld(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant = of_target(ir, Target::Firewalld);
    let mut by_host: BTreeMap<&str, Vec<(&str, &Emitted)>> = BTreeMap::new();
    for file in texts.of(Format::Html).filter(|f| f.is_own()) {
        let Some((_, below)) = file.path.split_once(FOLDER) else { continue };
        by_host.entry(file.host()).or_default().push((below, file));
    }
    for (host, files) in by_host {
        let Some(firewall) = meant.remove(host) else {
            for (_, file) in files {
                bugs.extra(file.at(0), "a part of a ruleset");
            }
            continue;
        };
        of_host(&files, firewall, bugs);
    }
    for host in meant.keys() {
        bugs.no_file("firewalld", host, "its ruleset");
    }
}

fn of_host(files: &[(&str, &Emitted)], firewall: &Firewall, bugs: &mut Bugs) {
    let (mut sets, mut places) = (IpSets::new(), BTreeMap::new());
    for (below, file) in files {
        let Some(name) = below.strip_prefix("ipsets/").and_then(|f| f.strip_suffix(".xml")) else { continue };
        if let Some(set) = file.read(firewalld::ipset, bugs) {
            sets.insert(name.to_owned(), set);
            places.insert(name.to_owned(), *file);
        }
    }
    for set in firewall.sets.iter() {
        let name = format!("sitec-{}", *set.name);
        let meant = (family_of(set), Addresses::of_nets(family_of(set), &*set.nets.value));
        match (sets.get(&name), places.get(&name)) {
            (Some(found), Some(file)) if (found.family, &found.addresses) != (meant.0, &meant.1) => {
                bugs.wrong(file.at(0), "the set has other addresses than the peers of its rules");
            }
            (Some(_), _) => {}
            (None, _) => bugs.no_file("firewalld", &firewall.host, &format!("the set `{name}`")),
        }
    }
    let (mut zone, mut output, mut forward) = (None, None, None);
    for (below, file) in files.iter().filter(|(below, _)| !below.starts_with("ipsets/")) {
        match *below {
            "zones/sitec.xml" => zone = file.read(|t| firewalld::zone(t, &sets), bugs).map(|s| (*file, s)),
            "policies/sitec-output.xml" => match file.read(|t| firewalld::policy(t, &sets), bugs) {
                Some(Policy::Output(stage)) => output = Some((*file, stage)),
                Some(Policy::ForwardAll) => bugs.wrong(file.at(0), "the policy lets packets pass through"),
                None => {}
            },
            "policies/sitec-forward.xml" => match file.read(|t| firewalld::policy(t, &sets), bugs) {
                Some(Policy::ForwardAll) => forward = Some(*file),
                Some(Policy::Output(_)) => bugs.wrong(file.at(0), "the policy filters what leaves the host"),
                None => {}
            },
            _ => bugs.extra(file.at(0), "a file of firewalld"),
        }
    }
    for (name, file) in &places {
        let mut stages = zone.iter().chain(&output);
        if !stages.any(|(_, stage)| stage.sets.contains(name)) && zone.is_some() {
            bugs.extra(file.at(0), "a set that no rule names");
        }
    }
    let host = &*firewall.host.value;
    match (*firewall.forwards, forward) {
        (true, None) => bugs.no_file("firewalld", host, "a policy for what passes through"),
        (false, Some(file)) => bugs.extra(file.at(0), "a policy for what passes through"),
        _ => {}
    }
    let Some((first, _)) = &zone else { return bugs.no_file("firewalld", host, "its zone") };
    let mut stretches = Vec::new();
    for (stage, hook, name) in [(&zone, Hook::Input, "zone"), (&output, Hook::Output, "output policy")] {
        let Some((file, stage)) = stage else { continue };
        let (at, permits) = (file.at(stage.line), stage.permits.clone());
        // One rule for each range of ports.
        let each = |r: &Arc<Rule>| if is_at(r, hook) { r.ports.len().max(1) } else { 0 };
        count(at, stage.rules, firewall.rules.iter().map(each).sum(), bugs);
        stretches.push(Stretch { at, name, hook, permits, drops: stage.drops, families: &Family::BOTH });
    }
    ruleset_of_host(first, &stretches, &of_the_host(firewall), &Family::BOTH, bugs);
}

/// The script of every Windows host with a ruleset.
pub fn windows(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant = of_target(ir, Target::Windows);
    for file in texts.of(Format::Powershell).filter(|f| f.is_own()) {
        let Some(firewall) = meant.remove(file.host()) else {
            bugs.extra(file.at(0), "a ruleset");
            continue;
        };
        let Some(script) = file.read(powershell::read, bugs) else { continue };
        let of = |s: &AddressSet| (family_of(s), Addresses::of_nets(family_of(s), &*s.nets.value));
        let peers: powershell::Peers = firewall.sets.iter().map(|s| (s.name.to_string(), of(s))).collect();
        if script.peers != peers {
            bugs.wrong(file.at(0), "the table of peers differs from the peers of the rules");
        }
        for side in &script.sides {
            let meant = firewall.rules.iter().filter(|r| is_at(r, side.hook)).count();
            count(file.at(side.line), side.rules, meant, bugs);
        }
        let stretch = |side: &powershell::Side| Stretch {
            at: file.at(side.line),
            name: side.hook.name(),
            hook: side.hook,
            permits: side.permits.clone(),
            drops: side.drops,
            families: &Family::BOTH,
        };
        let stretches: Vec<Stretch> = script.sides.iter().map(stretch).collect();
        ruleset_of_host(file, &stretches, &of_the_host(firewall), &Family::BOTH, bugs);
    }
    for host in meant.keys() {
        bugs.no_file("powershell", host, "its ruleset");
    }
}

fn family_of(set: &AddressSet) -> Family {
    if *set.family == 6 { Family::V6 } else { Family::V4 }
}

/// Whether a rule is for what leaves the host, or for what comes in.
fn is_at(rule: &Rule, hook: Hook) -> bool {
    (*rule.chain == RuleChain::Output) == (hook == Hook::Output)
}

/// A rule that another one covers is there for its reason; without it nothing else would differ.
fn count(at: At, found: usize, meant: usize, bugs: &mut Bugs) {
    if found != meant {
        bugs.wrong(at, &format!("{found} rules with peers, and {meant} were meant"));
    }
}

/// The same ruleset without a chain of its own for published ports.
fn of_the_host(firewall: &Firewall) -> Firewall {
    let mut firewall = firewall.clone();
    firewall.node_ports.value.clear();
    for rule in firewall.rules.value.iter_mut().filter(|r| *r.chain == RuleChain::NodePort) {
        Arc::make_mut(rule).chain.value = RuleChain::Input;
    }
    firewall
}
