//! ICMP types by their names, and those without which a network does not work.
//!
//! Sources: RFC 792 and RFC 1191 for IPv4; RFC 4890, section 4.4.1, for what a firewall on a host must let pass of ICMPv6.

use std::collections::BTreeSet;

use crate::netset::Family;

/// A type with its family.
pub type IcmpType = (Family, u8);

const V4: [(&str, u8); 4] =
    [("destination-unreachable", 3), ("echo-request", 8), ("time-exceeded", 11), ("parameter-problem", 12)];

const V6: [(&str, u8); 13] = [
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("mld2-listener-report", 143),
];

/// What every ruleset lets pass in both directions, from and to anybody.
pub fn icmp_needed(family: Family) -> BTreeSet<IcmpType> {
    let list: &[(&str, u8)] = if family == Family::V4 { &V4 } else { &V6 };
    list.iter().map(|(_, number)| (family, *number)).collect()
}

/// Reads a type: its name, or its number.
pub fn icmp_type(word: &str, family: Family) -> Option<IcmpType> {
    let list: &[(&str, u8)] = if family == Family::V4 { &V4 } else { &V6 };
    let named = list.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    Some((family, named.or_else(|| word.parse().ok())?))
}
