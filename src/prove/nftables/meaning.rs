//! A chain's rules → the exact traffic that it permits.

use std::collections::BTreeSet;

use super::rule::{Protocol, Rule, Verdict};
use super::{Chain, Hook};
use crate::ir::Transport;
use crate::netset::{Addresses, Clause, Family, Region, Traffic};
use crate::prove::fault::{Fault, Read};
use crate::value::Ports;

/// What a chain lets pass and what it does not, for packets that begin a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// TCP and UDP that a rule accepts before any rule drops it. The chain's policy is not in it.
    pub accepted: Region,
    /// TCP and UDP that a rule drops before any rule accepts it.
    pub dropped: Region,
    /// ICMP that is accepted from anywhere.
    pub icmp: Icmp,
    /// Whether answers to permitted connections pass.
    pub established: bool,
    /// Whether the host may talk to itself.
    pub loopback: bool,
    /// Whether a rule may drop packets that are not for this host, which only pass through.
    pub drops_passing: bool,
}

/// Kinds of ICMP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Icmp {
    pub all_v4: bool,
    pub all_v6: bool,
    /// Type names of either family, where not all are accepted.
    pub types: BTreeSet<String>,
}

impl Icmp {
    /// Whether IPv6 can find its neighbours, without which nothing else of it works.
    pub fn neighbour_discovery(&self) -> bool {
        self.all_v6 || ["nd-neighbor-solicit", "nd-neighbor-advert"].iter().all(|t| self.types.contains(*t))
    }
}

impl Chain {
    /// Follows the rules from first to last; the first verdict on a packet is the one that counts.
    ///
    /// Fails at a rule whose effect cannot be said exactly: one with a rate limit and a verdict, or one whose
    /// conditions do not go together here.
    pub fn permits(&self) -> Read<Permits> {
        let mut permits = Permits::default();
        // Rules of one verdict in a row are gathered first: their order does not matter.
        let (mut gathered, mut accepting) = (Vec::new(), true);
        // At input every packet is for this host.
        let mut only_local = self.hook != Hook::Prerouting;
        for rule in &self.rules {
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
                continue;
            }
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
    let m = &rule.matches;
    m.family.is_none()
        && m.peers.is_none()
        && m.protocols.is_none()
        && m.ports.is_none()
        && m.icmp_types.is_none()
        && !m.loopback
        && !m.limited
}

/// Takes note of rules that are not about a new connection over TCP or UDP: answers, loopback, ICMP.
fn special(rule: &Rule, accept: bool, permits: &mut Permits) -> Read<bool> {
    let m = &rule.matches;
    let fault = |what: &str| Err(Fault::new(rule.line, what));
    if m.loopback {
        if !accept || !is_bare(&Rule { matches: super::Match { loopback: false, ..m.clone() }, ..rule.clone() }) {
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
    let Some(protocols) = &m.protocols else { return Ok(false) };
    if !protocols.has_icmp() {
        return Ok(false);
    }
    if protocols.has_transport() || m.ports.is_some() || m.peers.is_some() || !accept {
        return fault("a rule on ICMP that does not simply accept");
    }
    match &m.icmp_types {
        Some(types) => permits.icmp.types.extend(types.iter().cloned()),
        None => {
            permits.icmp.all_v4 |= protocols.contains(Protocol::Icmp) && m.family != Some(Family::V6);
            permits.icmp.all_v6 |= protocols.contains(Protocol::Icmpv6) && m.family != Some(Family::V4);
        }
    }
    Ok(true)
}

/// The TCP and UDP traffic that a rule matches.
fn clauses(rule: &Rule, accept: bool) -> Read<Vec<Clause>> {
    const ALL_PORTS: Ports = Ports { low: 0, high: u16::MAX };
    let m = &rule.matches;
    if accept && m.protocols.is_none() {
        return Err(Fault::new(rule.line, "a rule that accepts every protocol"));
    }
    if m.ports.is_some() && m.protocols.is_none() {
        return Err(Fault::new(rule.line, "ports without a protocol"));
    }
    let mut list = Vec::new();
    for family in Family::BOTH.into_iter().filter(|f| m.family.is_none_or(|only| only == *f)) {
        for (transport, protocol) in [(Transport::Tcp, Protocol::Tcp), (Transport::Udp, Protocol::Udp)] {
            if m.protocols.as_ref().is_some_and(|p| !p.contains(protocol)) {
                continue;
            }
            let ports = m.ports.clone().unwrap_or_else(|| vec![ALL_PORTS]);
            let addresses = m.peers.clone().unwrap_or_else(|| Addresses::any(family));
            list.push(Clause { family, transport, ports, addresses });
        }
    }
    Ok(list)
}
