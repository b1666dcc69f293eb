//! Rules of one chain → the exact traffic that they permit.

use std::collections::BTreeSet;

use super::icmp::IcmpType;
use super::{Hook, Match, Rule, Verdict};
use crate::ir::Transport;
use crate::netset::{Addresses, Clause, Family, Region, Traffic};
use crate::prove::fault::{Fault, Read};
use crate::value::Ports;

/// What stands for the ports of a rule that names none, and of protocols that have none.
pub const ALL_PORTS: Ports = Ports { low: 0, high: u16::MAX };

/// What a list of rules lets pass and what it does not, for packets that begin a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// What a rule accepts before any rule drops it. What happens to the rest is not in it.
    pub accepted: Region,
    /// What a rule drops before any rule accepts it.
    pub dropped: Region,
    /// Types of ICMP that are accepted from and to anybody.
    pub icmp: BTreeSet<IcmpType>,
    /// Whether answers to permitted connections pass.
    pub established: bool,
    /// Whether the host may talk to itself.
    pub loopback: bool,
    /// Whether a rule may drop packets that are not for this host, which only pass through.
    pub drops_passing: bool,
}

/// Follows the rules from first to last; the first verdict on a packet is the one that counts.
///
/// Fails at a rule whose effect cannot be said exactly: one with a rate limit and a verdict, or one whose conditions do
/// not go together here.
pub fn permits(rules: &[Rule], hook: Hook) -> Read<Permits> {
    let mut permits = Permits::default();
    // Rules of one verdict in a row are gathered first: their order does not matter.
    let (mut gathered, mut accepting) = (Vec::new(), true);
    // At input every packet is for this host.
    let mut only_local = hook != Hook::Prerouting;
    let mut drops = false;
    for rule in rules {
        let accept = match &rule.verdict {
            Verdict::None => continue,
            Verdict::Accept => true,
            Verdict::Drop => false,
            Verdict::ByState(map) => {
                let plain = map.iter().all(|(s, accept)| match &**s {
                    "established" | "related" => *accept,
                    "invalid" => !*accept,
                    _ => false,
                });
                if !plain || !is_bare(rule) {
                    return Err(Fault::new(rule.line, "verdicts by state that are not the usual ones"));
                }
                permits.established |= map.contains_key("established");
                continue;
            }
        };
        if rule.matches.limited {
            return Err(Fault::new(rule.line, "a verdict under a rate limit"));
        }
        if rule.matches.local == Some(false) {
            if !accept || !is_bare(rule) || rule.matches.states.is_some() {
                return Err(Fault::new(rule.line, "a rule on packets to others that does not simply accept"));
            }
            only_local = true;
            continue;
        }
        if special(rule, accept, &mut permits)? {
            if accept && drops {
                return Err(Fault::new(rule.line, "a rule for every connection behind one that drops some"));
            }
            continue;
        }
        drops |= !accept;
        permits.drops_passing |= !accept && !only_local && rule.matches.local.is_none();
        if accept != accepting {
            permits.settle(std::mem::take(&mut gathered), accepting);
            accepting = accept;
        }
        gathered.extend(clauses(rule, accept)?);
    }
    permits.settle(gathered, accepting);
    Ok(permits)
}

impl Permits {
    /// Adds traffic that nothing has decided yet.
    fn settle(&mut self, clauses: Vec<Clause>, accept: bool) {
        let (same, other) =
            if accept { (&mut self.accepted, &self.dropped) } else { (&mut self.dropped, &self.accepted) };
        match other.is_empty() {
            true => same.add(clauses),
            false => same.add(Traffic::of(clauses).difference(&other.traffic()).clauses()),
        }
    }
}

/// Whether a rule has no condition but those on states and on local addresses.
fn is_bare(rule: &Rule) -> bool {
    let Match { family, peers, protocols, ports, icmp_types, states: _, loopback, local: _, limited } = &rule.matches;
    family.is_none()
        && peers.is_none()
        && protocols.is_none()
        && ports.is_none()
        && icmp_types.is_none()
        && !loopback
        && !limited
}

/// Takes note of rules that do not permit somebody's connections: answers, loopback, types of ICMP.
fn special(rule: &Rule, accept: bool, permits: &mut Permits) -> Read<bool> {
    let m = &rule.matches;
    let fault = |what: &str| Err(Fault::new(rule.line, what));
    if m.loopback {
        if !accept || !is_bare(&Rule { matches: Match { loopback: false, ..m.clone() }, ..rule.clone() }) {
            return fault("a rule on the loopback interface that does not simply accept");
        }
        permits.loopback = true;
        return Ok(true);
    }
    if let Some(states) = &m.states {
        let names: Vec<&str> = states.iter().map(String::as_str).collect();
        match (names.as_slice(), accept) {
            (["new"], _) => {}
            (["established"] | ["established", "related"], true) if is_bare(rule) => {
                permits.established = true;
                return Ok(true);
            }
            (["invalid"], false) if is_bare(rule) => return Ok(true),
            _ => return fault("a rule on states that is not one of the usual ones"),
        }
    }
    let Some(types) = &m.icmp_types else { return Ok(false) };
    if m.peers.is_some() || m.ports.is_some() || !accept {
        return fault("a rule on types of ICMP that does not simply accept");
    }
    permits.icmp.extend(types.iter().copied());
    Ok(true)
}

/// The traffic that a rule matches.
fn clauses(rule: &Rule, accept: bool) -> Read<Vec<Clause>> {
    let m = &rule.matches;
    if accept && m.protocols.is_none() {
        return Err(Fault::new(rule.line, "a rule that accepts every protocol"));
    }
    if m.ports.is_some() && m.protocols.is_none() {
        return Err(Fault::new(rule.line, "ports without a protocol"));
    }
    let mut list = Vec::new();
    for family in Family::BOTH.into_iter().filter(|f| m.family.is_none_or(|only| only == *f)) {
        let ipv6 = family == Family::V6;
        let transports: Vec<Transport> = match m.protocols {
            None => Transport::ALL.to_vec(),
            Some(set) => {
                let known = |n| match Transport::from_number(n, ipv6) {
                    // The other family's ICMP does not occur in this one.
                    None if Transport::from_number(n, !ipv6) == Some(Transport::Icmp) => Ok(None),
                    None => Err(Fault::new(rule.line, format!("the protocol {n} is not understood"))),
                    found => Ok(found),
                };
                set.numbers().filter_map(|n| known(n).transpose()).collect::<Read<_>>()?
            }
        };
        for transport in transports {
            let ports = match &m.ports {
                None => vec![ALL_PORTS],
                Some(_) if !transport.has_ports() => {
                    return Err(Fault::new(rule.line, format!("ports of {}, which has none", transport.name())));
                }
                Some(ports) => ports.clone(),
            };
            let addresses = m.peers.clone().unwrap_or_else(|| Addresses::any(family));
            list.push(Clause { family, transport, ports, addresses });
        }
    }
    Ok(list)
}
