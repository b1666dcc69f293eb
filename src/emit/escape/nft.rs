//! From a value to a word, a set or a comment string of an nftables ruleset.

use std::net::IpAddr;

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::{Ports, Value};
use ipnet::IpNet;

/// The most bytes that nft keeps of a comment.
const COMMENT_BYTES_MAX: usize = 128;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Literal, value) => literal(&one_line(value)?),
        (_, Value::List(items)) if !items.is_empty() => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| word(&i.value)).collect();
            Ok(format!("{{ {} }}", items?.join(", ")))
        }
        (Form::Ident, value) => ident(&one_line(value)?),
        (_, value) => word(value),
    }
}

/// A string in double quotes; nft knows no escape in it.
fn literal(text: &str) -> Result<String, Refusal> {
    if text.contains(['"', '\\']) {
        return Err(Refusal::because(text, "holds a double quote or a backslash, for which nft has no escape"));
    }
    if text.len() > COMMENT_BYTES_MAX {
        let reason = format!("has {} bytes, and a comment of nft holds {COMMENT_BYTES_MAX}", text.len());
        return Err(Refusal::because(text, reason));
    }
    Ok(format!("\"{text}\""))
}

/// A number, an address, a port or a name that is no word of the language.
fn word(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    if matches!(value, Value::Int(_) | Value::Address(_) | Value::Cidr(_) | Value::Ports(_)) || is_typed(&text) {
        return Ok(text.to_string());
    }
    if let Value::Bool(_) = value {
        return Err(Refusal::new("nft has no booleans"));
    }
    if !is_name(&text) {
        return Err(Refusal::because(&text, "is not a single word, an address or a port of nft"));
    }
    if DECISIONS.contains(&&*text) {
        return Err(Refusal::because(&text, "is a word of the nft language"));
    }
    Ok(text.to_string())
}

/// The name of a table, a chain, a set or an interface.
fn ident(text: &str) -> Result<String, Refusal> {
    if !is_name(text) {
        return Err(Refusal::because(text, "is not a name that nft can give"));
    }
    if DECISIONS.contains(&text) || TERMS.contains(&text) {
        return Err(Refusal::because(text, "is a word of the nft language"));
    }
    Ok(text.to_string())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// A string that reads as an address, a network, a range of addresses, a port or a range of ports.
pub(super) fn is_typed(text: &str) -> bool {
    // Nearly all strings are names, which begin with a letter; an address that does so has colons.
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(':') {
        return false;
    }
    let between = |(low, high): (&str, &str)| low.parse::<IpAddr>().is_ok() && high.parse::<IpAddr>().is_ok();
    text.parse::<IpAddr>().is_ok()
        || text.split_once('-').is_some_and(between)
        || text.parse::<IpNet>().is_ok()
        || (text.parse::<Ports>().is_ok() && text.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

/// Words that decide about packets or begin a statement.
const DECISIONS: &[&str] = &[
    "accept",
    "add",
    "chain",
    "comment",
    "continue",
    "counter",
    "create",
    "define",
    "delete",
    "destroy",
    "dnat",
    "drop",
    "element",
    "flush",
    "goto",
    "include",
    "insert",
    "jump",
    "list",
    "log",
    "map",
    "masquerade",
    "notrack",
    "policy",
    "queue",
    "redirect",
    "redefine",
    "reject",
    "rename",
    "replace",
    "reset",
    "return",
    "rule",
    "ruleset",
    "set",
    "snat",
    "table",
    "type",
    "undefine",
    "vmap",
];

/// Words that are ordinary values in a rule, but no names.
const TERMS: &[&str] = &[
    "ah",
    "all",
    "arp",
    "bridge",
    "ct",
    "daddr",
    "day",
    "dccp",
    "device",
    "dport",
    "dup",
    "egress",
    "esp",
    "ether",
    "eval",
    "exists",
    "export",
    "fib",
    "flags",
    "flow",
    "flowtable",
    "fwd",
    "hash",
    "helper",
    "hook",
    "hour",
    "ibrname",
    "icmp",
    "icmpv6",
    "iif",
    "iifname",
    "inet",
    "ingress",
    "interval",
    "ip",
    "ip6",
    "ipsec",
    "last",
    "length",
    "limit",
    "mark",
    "meta",
    "meter",
    "missing",
    "monitor",
    "netdev",
    "notrack",
    "obrname",
    "oif",
    "oifname",
    "osf",
    "priority",
    "protocol",
    "quota",
    "rt",
    "saddr",
    "sctp",
    "size",
    "socket",
    "sport",
    "synproxy",
    "tcp",
    "th",
    "time",
    "timeout",
    "tproxy",
    "udp",
    "udplite",
    "update",
    "version",
    "vlan",
    "vxlan",
    "xt",
];
