//! Whether a bug leaves the meaning of a ruleset as it was, because other rules permit the same: told by a reader of its
//! own, which knows the lines that the writers write and nothing else.

use std::collections::BTreeMap;

use sitec::ir::Transport;
use sitec::netset::{Addresses, Clause, Family, Traffic};
use sitec::value::Ports;

/// What a ruleset means: what each chain accepts, and all lines that are not rules with peers.
#[derive(PartialEq)]
pub struct Meaning {
    chains: BTreeMap<String, (Traffic, Traffic)>,
    others: Vec<String>,
}

impl Meaning {
    /// The first verdict on a packet counts.
    fn rule(&mut self, chain: &str, clause: Clause, accept: Option<bool>) {
        let (accepted, dropped) = self.chains.entry(chain.to_owned()).or_default();
        let clause = Traffic::of([clause]);
        match accept {
            Some(true) => *accepted = accepted.union(&clause.difference(dropped)),
            Some(false) => *dropped = dropped.union(&clause.difference(accepted)),
            None => {}
        }
    }
}

pub fn nftables(text: &str) -> Meaning {
    let mut meaning = Meaning { chains: BTreeMap::new(), others: Vec::new() };
    let (mut sets, mut chain) = (BTreeMap::new(), "");
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix("chain ") {
            chain = head;
        }
        if let Some((name, elements)) = line.strip_prefix("set ").and_then(|l| l.split_once(" { type ")) {
            let elements = elements.split_once("elements = { ").map_or("", |(_, e)| e.trim_end_matches(" }; }"));
            sets.insert(name, elements);
            continue;
        }
        match nft_rule(line, &sets) {
            Some((clause, accept)) => meaning.rule(chain, clause, accept),
            None => meaning.others.push(line.to_owned()),
        }
    }
    // What a rule drops by itself is dropped by the policy, too.
    meaning.chains.values_mut().for_each(|(_, dropped)| *dropped = Traffic::default());
    meaning
}

fn nft_rule(line: &str, sets: &BTreeMap<&str, &str>) -> Option<(Clause, Option<bool>)> {
    let line = line.split(" comment ").next()?;
    let (family, rest) = match line.split_once(' ')? {
        ("ip", rest) => (Family::V4, rest),
        ("ip6", rest) => (Family::V6, rest),
        _ => return None,
    };
    let rest = rest.strip_prefix("saddr @").or_else(|| rest.strip_prefix("daddr @"))?;
    let (set, rest) = rest.split_once(' ')?;
    let addresses = addresses(sets.get(set)?.split(", "), family)?;
    let (transport, list, verdict) = match rest.strip_prefix("meta l4proto ") {
        Some(rest) => {
            let (number, verdict) = rest.split_once(' ').unwrap_or((rest, ""));
            let transport = Transport::from_number(number.parse().ok()?, family == Family::V6)?;
            (transport, vec![Ports { low: 0, high: u16::MAX }], verdict)
        }
        None => {
            let (transport, rest) = rest.split_once(" dport { ")?;
            let (list, verdict) = rest.split_once(" }")?;
            let list = list.split(", ").map(|p| p.parse().ok()).collect::<Option<_>>()?;
            (Transport::from_name(transport)?, list, verdict.trim())
        }
    };
    let accept = match verdict {
        "accept" => Some(true),
        "drop" | "reject" => Some(false),
        "" | "counter" => None,
        _ => return None,
    };
    Some((Clause { family, transport, ports: list, addresses }, accept))
}

/// The script for Windows: sets of peers by name, rules that permit.
pub fn windows(text: &str) -> Meaning {
    let mut meaning = Meaning { chains: BTreeMap::new(), others: Vec::new() };
    let mut sets: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, list)) = line.strip_prefix('\'').and_then(|l| l.split_once("' = @("))
            && let Some(list) = list.strip_suffix(')')
        {
            sets.insert(name, list);
            continue;
        }
        match windows_rule(line, &sets) {
            Some((direction, clauses)) => clauses.into_iter().for_each(|c| meaning.rule(direction, c, Some(true))),
            None => meaning.others.push(line.to_owned()),
        }
    }
    meaning
}

fn windows_rule<'a>(line: &'a str, sets: &BTreeMap<&str, &str>) -> Option<(&'a str, Vec<Clause>)> {
    let (_, rest) = line.strip_suffix(") }")?.split_once("'; Direction = '")?;
    let (direction, rest) = rest.split_once("'; Protocol = '")?;
    let (protocol, rest) = rest.split_once("'; LocalPort = @(").or_else(|| rest.split_once("'; RemotePort = @("))?;
    let (ports, peers) = rest.split_once("); RemoteAddress = $peers.Item('")?;
    let ports: Vec<Ports> = ports.split(", ").map(|p| p.trim_matches('\'').parse().ok()).collect::<Option<_>>()?;
    let list = sets.get(peers.strip_suffix('\'')?)?;
    let words = || list.split(", ").map(|word| word.trim_matches('\''));
    let transport = Transport::from_name(&protocol.to_lowercase())?;
    let of = |family| Some(Clause { family, transport, ports: ports.clone(), addresses: addresses(words(), family)? });
    Some((direction, [Family::V4, Family::V6].into_iter().filter_map(of).collect()))
}

pub fn iptables(text: &str) -> Meaning {
    let mut meaning = Meaning { chains: BTreeMap::new(), others: Vec::new() };
    let family =
        if text.contains("ipv6-icmp") || text.contains(':') && text.contains("::") { Family::V6 } else { Family::V4 };
    for line in text.lines() {
        match iptables_rule(line, family) {
            Some((chain, clause, accept)) => meaning.rule(chain, clause, accept),
            None => meaning.others.push(line.to_owned()),
        }
    }
    meaning.chains.values_mut().for_each(|(_, dropped)| *dropped = Traffic::default());
    meaning
}

fn iptables_rule(line: &str, family: Family) -> Option<(&str, Clause, Option<bool>)> {
    let (rule, verdict) = line.split_once(" -m comment --comment ")?;
    let verdict = verdict.rsplit_once('"')?.1;
    let words: Vec<&str> = rule.split(' ').collect();
    let (chain, peers, number, ports) = match words.as_slice() {
        ["-A", chain, "-s" | "-d", peers, "-p", number] => (*chain, *peers, *number, None),
        ["-A", chain, "-s" | "-d", peers, "-p", number, "-m", "multiport", "--dports", ports] => {
            (*chain, *peers, *number, Some(*ports))
        }
        _ => return None,
    };
    let transport = Transport::from_number(number.parse().ok()?, family == Family::V6)?;
    let ports = match ports {
        None => vec![Ports { low: 0, high: u16::MAX }],
        Some(list) => list.split(',').map(|p| p.replace(':', "-").parse().ok()).collect::<Option<_>>()?,
    };
    let accept = match verdict {
        " -j RETURN" => Some(true),
        " -j DROP" | " -j REJECT" => Some(false),
        "" => None,
        _ => return None,
    };
    let addresses = addresses(peers.split(','), family)?;
    Some((chain, Clause { family, transport, ports, addresses }, accept))
}

fn addresses<'a>(words: impl Iterator<Item = &'a str>, family: Family) -> Option<Addresses> {
    let one = |word: &str| match word.split_once('-') {
        Some((low, high)) => Addresses::between(low.parse().ok()?, high.parse().ok()?),
        None => {
            let net =
                word.parse().ok().or_else(|| word.parse().ok().map(|a: std::net::IpAddr| ipnet::IpNet::from(a)))?;
            (Family::of(&net) == family).then(|| Addresses::of_nets(family, [&net]))
        }
    };
    words.map(one).collect::<Option<Vec<_>>>().map(Addresses::union_of)
}
