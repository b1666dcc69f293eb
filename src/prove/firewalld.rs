//! Text of firewalld's files → sets of addresses, and the exact traffic that a zone or a policy permits.
//!
//! Source: firewalld.zone(5), firewalld.policy(5), firewalld.ipset(5), firewalld.richlanguage(5). Answers to permitted
//! connections and loopback are let through by firewalld itself, before any zone and policy. Only rules that accept, and
//! one that logs what is left over, are understood.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::fault::{Fault, Read};
use super::packets::{self, Hook, IcmpType, Match, Permits, Protocols, Rule, Verdict};
use super::xml::{self, Element};
use crate::ir::Transport;
use crate::netset::{Addresses, Family};
use crate::value::Ports;

/// A set of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpSet {
    pub family: Family,
    pub addresses: Addresses,
}

/// Sets by their names.
pub type IpSets = BTreeMap<String, IpSet>;

/// What a zone or a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    pub permits: Permits,
    /// Whether what no rule permits is dropped; otherwise it is accepted.
    pub drops: bool,
    /// The sets that it names.
    pub sets: BTreeSet<String>,
    /// How many rules name peers.
    pub rules: usize,
    pub line: usize,
}

/// A policy, by what it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// What leaves the host.
    Output(Stage),
    /// What only passes through the host, all of it accepted.
    ForwardAll,
}

/// The addresses from which multicast listeners of IPv6 speak, and those to which they do.
const LINK: [(&str, Hook); 2] = [("fe80::/10", Hook::Input), ("ff02::/16", Hook::Output)];

/// The types of ICMPv6 of multicast listeners, for which firewalld has no names.
const LISTENERS: [u8; 4] = [130, 131, 132, 143];

/// Reads a set.
pub fn ipset(text: &str) -> Read<IpSet> {
    let root = xml::read(text)?;
    named(&root, "ipset")?;
    root.only(&["type"])?;
    if root.need("type")? != "hash:net" {
        return Err(root.fault("the set is not one of networks"));
    }
    let mut family = None;
    let mut nets: Vec<IpNet> = Vec::new();
    for child in &root.children {
        match &*child.name {
            "option" => {
                child.only(&["name", "value"])?;
                child.empty()?;
                let value = match (child.need("name")?, child.need("value")?) {
                    ("family", "inet") => Family::V4,
                    ("family", "inet6") => Family::V6,
                    _ => return Err(child.fault("an option that is not understood")),
                };
                if family.replace(value).is_some() {
                    return Err(child.fault("the family stands twice"));
                }
            }
            "entry" => {
                child.only(&[])?;
                let net = net(&child.text).ok_or_else(|| child.fault(format!("`{}` is no network", child.text)))?;
                if nets.contains(&net) {
                    return Err(child.fault(format!("`{net}` stands twice")));
                }
                nets.push(net);
            }
            _ => return Err(child.fault(format!("`<{}>` in a set", child.name))),
        }
    }
    let family = family.ok_or_else(|| root.fault("a set without its family"))?;
    if let Some(other) = nets.iter().find(|n| Family::of(n) != family) {
        return Err(root.fault(format!("`{other}` is of another family")));
    }
    if let Some(all) = nets.iter().find(|n| n.prefix_len() == 0) {
        return Err(root.fault(format!("`{all}`, which such a set does not take")));
    }
    Ok(IpSet { family, addresses: Addresses::of_nets(family, &nets) })
}

/// Reads a zone.
pub fn zone(text: &str, sets: &IpSets) -> Read<Stage> {
    let root = xml::read(text)?;
    named(&root, "zone")?;
    root.only(&["target"])?;
    stage(&root, &root.children.iter().collect::<Vec<_>>(), Hook::Input, sets)
}

/// Reads a policy.
pub fn policy(text: &str, sets: &IpSets) -> Read<Policy> {
    let root = xml::read(text)?;
    named(&root, "policy")?;
    root.only(&["target", "priority"])?;
    // Before the zones, whose own verdict on what passes through would be another one.
    if root.need("priority")? != "-1" {
        return Err(root.fault("a policy that does not stand directly before the zones"));
    }
    let (ends, rules): (Vec<&Element>, Vec<&Element>) =
        root.children.iter().partition(|c| matches!(&*c.name, "ingress-zone" | "egress-zone"));
    let mut names = Vec::new();
    for end in ends {
        end.only(&["name"])?;
        end.empty()?;
        names.push((&*end.name, end.need("name")?));
    }
    match names.as_slice() {
        [("ingress-zone", "HOST"), ("egress-zone", "ANY")] => {
            Ok(Policy::Output(stage(&root, &rules, Hook::Output, sets)?))
        }
        [("ingress-zone", "ANY"), ("egress-zone", "ANY")] if root.need("target")? == "ACCEPT" && rules.is_empty() => {
            Ok(Policy::ForwardAll)
        }
        _ => Err(root.fault("a policy that is neither for what leaves the host nor for all that passes through")),
    }
}

fn stage(root: &Element, children: &[&Element], hook: Hook, sets: &IpSets) -> Read<Stage> {
    let drops = match root.need("target")? {
        "DROP" => true,
        "ACCEPT" => false,
        other => return Err(root.fault(format!("the target `{other}` is not understood"))),
    };
    let (mut rules, mut named_sets) = (Vec::new(), BTreeSet::new());
    for child in children {
        named(child, "rule")?;
        rules.extend(rule(child, hook, sets, &mut named_sets)?);
    }
    let mut permits = packets::permits(&rules, hook)?;
    // These are accepted before any zone or policy is asked.
    (permits.established, permits.loopback) = (true, true);
    let named = rules.iter().filter(|r| r.matches.peers.is_some()).count();
    Ok(Stage { permits, drops, sets: named_sets, rules: named, line: root.line })
}

/// A rich rule; one that only logs has no effect.
fn rule(element: &Element, hook: Hook, sets: &IpSets, named_sets: &mut BTreeSet<String>) -> Read<Option<Rule>> {
    element.only(&["family", "priority"])?;
    let names: Vec<&str> = element.children.iter().map(|c| &*c.name).collect();
    if names == ["log"] {
        // A rule without an action needs a priority; the last one sees what nothing else has decided.
        return match (element.attribute("priority"), element.attribute("family")) {
            (Some("32767"), None) => Ok(None),
            _ => Err(element.fault("a log that does not stand behind everything")),
        };
    }
    if element.attribute("priority").is_some() {
        return Err(element.fault("a rule with a priority"));
    }
    let family = match element.need("family")? {
        "ipv4" => Family::V4,
        "ipv6" => Family::V6,
        other => return Err(element.fault(format!("`{other}` is no family"))),
    };
    let mut m = Match { family: Some(family), ..Match::default() };
    let mut link = false;
    let Some((last, conditions)) = element.children.split_last() else {
        return Err(element.fault("a rule without conditions"));
    };
    for c in conditions {
        c.empty()?;
        let twice = |has: bool| if has { Err(c.fault(format!("`<{}>` stands twice", c.name))) } else { Ok(()) };
        match &*c.name {
            "source" | "destination" if (c.name == "destination") == (hook == Hook::Output) => {
                twice(m.peers.is_some() || link)?;
                match c.attributes.as_slice() {
                    [(key, name)] if key == "ipset" => {
                        let set = sets.get(name).ok_or_else(|| c.fault(format!("there is no set `{name}`")))?;
                        if set.family != family {
                            return Err(c.fault(format!("the set `{name}` is of another family")));
                        }
                        named_sets.insert(name.clone());
                        m.peers = Some(set.addresses.clone());
                    }
                    [(key, address)] if key == "address" && LINK.contains(&(address, hook)) => link = true,
                    _ => return Err(c.fault("peers that are not understood")),
                }
            }
            "port" => {
                c.only(&["port", "protocol"])?;
                twice(m.ports.is_some() || m.protocols.is_some())?;
                let transport = Transport::from_name(c.need("protocol")?).filter(|t| t.has_ports());
                let transport = transport.ok_or_else(|| c.fault("a protocol without ports"))?;
                m.protocols = Some(Protocols::of([transport.number(family == Family::V6)]));
                m.ports = Some(vec![ports(c)?]);
            }
            "protocol" => {
                c.only(&["value"])?;
                twice(m.protocols.is_some())?;
                let value = c.need("value")?;
                let number = if value == "ipv6-icmp" { Some(Transport::Icmp.number(true)) } else { value.parse().ok() };
                let number = number.filter(|n| *n > 0);
                m.protocols =
                    Some(Protocols::of([number.ok_or_else(|| c.fault("a protocol that is not understood"))?]));
            }
            "icmp-type" => {
                c.only(&["name"])?;
                twice(m.icmp_types.is_some())?;
                let name = c.need("name")?;
                let found = icmp_type(name, family);
                m.icmp_types = Some(BTreeSet::from([
                    found.ok_or_else(|| c.fault(format!("`{name}` is no type of ICMP that is understood")))?
                ]));
            }
            _ => return Err(c.fault(format!("`<{}>` is not understood here", c.name))),
        }
    }
    last.empty()?;
    last.only(&[])?;
    if last.name != "accept" {
        return Err(last.fault("a rule that does not end with `<accept/>`"));
    }
    if link {
        let icmp = Protocols::of([Transport::Icmp.number(true)]);
        if family != Family::V6 || m.protocols != Some(icmp) || m.icmp_types.is_some() || m.ports.is_some() {
            return Err(element.fault("neighbours may send what is not ICMPv6"));
        }
        m.protocols = None;
        m.icmp_types = Some(LISTENERS.iter().map(|n| (Family::V6, *n)).collect());
    } else if m.icmp_types.is_none() && m.peers.is_none() {
        return Err(element.fault("a rule for everybody"));
    }
    Ok(Some(Rule { matches: m, verdict: Verdict::Accept, line: element.line }))
}

/// A type of ICMP as firewalld calls it.
fn icmp_type(name: &str, family: Family) -> Option<IcmpType> {
    let nft = match name {
        "router-solicitation" => "nd-router-solicit",
        "router-advertisement" => "nd-router-advert",
        "neighbour-solicitation" => "nd-neighbor-solicit",
        "neighbour-advertisement" => "nd-neighbor-advert",
        other if other.starts_with(|c: char| c.is_ascii_digit()) => return None,
        other => other,
    };
    packets::icmp_type(nft, family)
}

fn ports(element: &Element) -> Read<Ports> {
    let text = element.need("port")?;
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    match (low.parse::<u16>(), high.parse::<u16>()) {
        (Ok(low), Ok(high)) if low <= high => Ok(Ports { low, high }),
        _ => Err(element.fault(format!("`{text}` is neither a port nor a range"))),
    }
}

/// A network without bits behind its prefix, or an address.
fn net(text: &str) -> Option<IpNet> {
    match text.contains('/') {
        true => text.parse().ok().filter(|n: &IpNet| n.trunc() == *n),
        false => Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)),
    }
}

fn named(element: &Element, name: &str) -> Read<()> {
    match element.name == name {
        true => Ok(()),
        false => Err(Fault::new(element.line, format!("`<{}>` where `<{name}>` was to stand", element.name))),
    }
}
