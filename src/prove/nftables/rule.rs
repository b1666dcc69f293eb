//! Tokens of one rule → what it matches and what it decides.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::tokens::{Kind, Tokens};
use super::{Flags, NamedSet};
use crate::ir::Transport;
use crate::netset::{Addresses, Family};
use crate::prove::fault::{Fault, Read};
use crate::prove::packets::{Hook, Match, Protocols, Rule, Verdict, icmp_type};
use crate::value::Ports;

/// Reads one rule up to its end.
pub fn read<'a>(tokens: &mut Tokens<'a>, sets: &BTreeMap<&str, NamedSet<'a>>, hook: Hook) -> Read<Rule> {
    let mut rule = Rule { line: tokens.line(), ..Rule::default() };
    let mut commented = false;
    while !matches!(tokens.peek().map(|t| t.kind), None | Some(Kind::End | Kind::Sign('}'))) {
        let line = tokens.line();
        let word = tokens.name("a condition or a verdict")?;
        if commented {
            return Err(Fault::new(line, format!("`{word}` behind the comment")));
        }
        if rule.verdict != Verdict::None && word != "comment" {
            return Err(Fault::new(line, format!("`{word}` behind the verdict")));
        }
        match word {
            "accept" => rule.verdict = Verdict::Accept,
            "drop" => rule.verdict = Verdict::Drop,
            "reject" => {
                if tokens.next_is_word("with") {
                    while matches!(tokens.peek().map(|t| t.kind), Some(Kind::Word(w)) if w != "comment") {
                        tokens.next();
                    }
                }
                rule.verdict = Verdict::Drop;
            }
            "comment" => {
                comment(tokens)?;
                commented = true;
            }
            "counter" => {}
            "log" => log(tokens)?,
            "limit" => {
                limit(tokens)?;
                rule.matches.limited = true;
            }
            _ => condition(word, line, tokens, sets, hook, &mut rule)?,
        }
    }
    Ok(rule)
}

fn condition<'a>(
    word: &str,
    line: usize,
    tokens: &mut Tokens<'a>,
    sets: &BTreeMap<&str, NamedSet<'a>>,
    hook: Hook,
    rule: &mut Rule,
) -> Read<()> {
    let matches = &mut rule.matches;
    match word {
        "ip" | "ip6" => {
            let family = if word == "ip" { Family::V4 } else { Family::V6 };
            set_family(matches, family, line)?;
            let field = tokens.name("a header field")?;
            let peer_field = if hook == Hook::Output { "daddr" } else { "saddr" };
            match field {
                "protocol" | "nexthdr" => set_protocols(matches, &words(tokens)?, line)?,
                f if f == peer_field => {
                    let wanted = if family == Family::V4 { "ipv4_addr" } else { "ipv6_addr" };
                    let addresses = match operand(tokens, sets)? {
                        Operand::List(list) => addresses_of(&list, family, line, false)?,
                        Operand::Set(NamedSet { value: SetValue::Addresses(set), kind }) if *kind == wanted => {
                            set.clone()
                        }
                        Operand::Set(_) => {
                            let message = format!("`{word} {field}` with a set that is not of {wanted}");
                            return Err(Fault::new(line, message));
                        }
                    };
                    put(&mut matches.peers, addresses, "addresses", line)?;
                }
                other => return Err(Fault::new(line, format!("`{word} {other}` is not understood in this chain"))),
            }
        }
        "tcp" | "udp" | "sctp" | "th" => {
            tokens.expect_word("dport")?;
            if word != "th" {
                set_protocols(matches, &[word], line)?;
            }
            let ports = match operand(tokens, sets)? {
                Operand::List(list) => ports(&list, line)?,
                Operand::Set(NamedSet { value: SetValue::Ports(ports), .. }) => ports.clone(),
                Operand::Set(_) => return Err(Fault::new(line, "ports from a set that is not of inet_service")),
            };
            put(&mut matches.ports, ports, "ports", line)?;
        }
        "meta" => match tokens.name("a meta key")? {
            "l4proto" => set_protocols(matches, &words(tokens)?, line)?,
            "nfproto" => match tokens.name("a family")? {
                "ipv4" => set_family(matches, Family::V4, line)?,
                "ipv6" => set_family(matches, Family::V6, line)?,
                other => return Err(Fault::new(line, format!("the family `{other}` is not understood"))),
            },
            other => return Err(Fault::new(line, format!("`meta {other}` is not understood"))),
        },
        "icmp" | "icmpv6" => {
            tokens.expect_word("type")?;
            set_protocols(matches, &[word], line)?;
            let family = if word == "icmp" { Family::V4 } else { Family::V6 };
            set_family(matches, family, line)?;
            let read = |w: &str| {
                icmp_type(w, family).ok_or_else(|| Fault::new(line, format!("the ICMP type `{w}` is not understood")))
            };
            let types = words(tokens)?.into_iter().map(read).collect::<Read<_>>()?;
            put(&mut matches.icmp_types, types, "ICMP types", line)?;
        }
        "ct" => {
            tokens.expect_word("state")?;
            if tokens.next_is_word("vmap") {
                rule.verdict = Verdict::ByState(state_map(tokens)?);
            } else {
                let states: BTreeSet<String> = words(tokens)?.into_iter().map(str::to_owned).collect();
                known_states(&states, line)?;
                put(&mut matches.states, states, "states", line)?;
            }
        }
        "iif" | "iifname" | "oif" | "oifname" => {
            let fits = word.starts_with('o') == (hook == Hook::Output);
            let name = match tokens.peek().map(|t| t.kind) {
                Some(Kind::Text(text)) => tokens.next().map(|_| text),
                _ => Some(tokens.name("an interface")?),
            };
            if !fits || name != Some("lo") {
                return Err(Fault::new(line, format!("`{word}` with this interface is not understood in this chain")));
            }
            matches.loopback = true;
        }
        "fib" => {
            for word in ["daddr", "type"] {
                tokens.expect_word(word)?;
            }
            let other = tokens.next_is('!');
            if other {
                tokens.expect('=')?;
            }
            tokens.expect_word("local")?;
            if hook == Hook::Output {
                return Err(Fault::new(line, "a condition on the destination's type where packets go out"));
            }
            put(&mut matches.local, !other, "the destination's type", line)?;
        }
        other => return Err(Fault::new(line, format!("`{other}` is not understood in a rule"))),
    }
    Ok(())
}

/// A comment; the kernel keeps at most 128 bytes and nft refuses more.
fn comment(tokens: &mut Tokens) -> Read<()> {
    const BYTES_MAX: usize = 128;
    let line = tokens.line();
    let text = tokens.string("a comment")?;
    match text.len() {
        0..=BYTES_MAX => Ok(()),
        length => Err(Fault::new(line, format!("a comment of {length} bytes; nft takes {BYTES_MAX}"))),
    }
}

fn log(tokens: &mut Tokens) -> Read<()> {
    loop {
        if tokens.next_is_word("prefix") {
            tokens.string("a prefix")?;
        } else if tokens.next_is_word("level") || tokens.next_is_word("flags") {
            tokens.name("a word")?;
        } else {
            return Ok(());
        }
    }
}

/// `limit rate 5/second burst 10 packets`
fn limit(tokens: &mut Tokens) -> Read<()> {
    tokens.expect_word("rate")?;
    tokens.name("a rate")?;
    if tokens.next_is_word("burst") {
        tokens.name("a number")?;
        tokens.expect_word("packets")?;
    }
    Ok(())
}

/// Words after a condition: one, several joined by commas, or a set in braces.
fn words<'a>(tokens: &mut Tokens<'a>) -> Read<Vec<&'a str>> {
    if tokens.next_is('{') {
        return tokens.elements();
    }
    let mut list = vec![tokens.name("a value")?];
    while tokens.next_is(',') {
        list.push(tokens.name("a value")?);
    }
    Ok(list)
}

/// The right side of a condition.
enum Operand<'a, 's> {
    Set(&'s NamedSet<'a>),
    List(Vec<&'a str>),
}

fn operand<'a, 's>(tokens: &mut Tokens<'a>, sets: &'s BTreeMap<&str, NamedSet<'a>>) -> Read<Operand<'a, 's>> {
    let line = tokens.line();
    if tokens.next_is('@') {
        let name = tokens.name("a set's name")?;
        let set = sets.get(name).ok_or_else(|| Fault::new(line, format!("no set `{name}` is declared above")))?;
        return Ok(Operand::Set(set));
    }
    if tokens.next_is('{') {
        return tokens.elements().map(Operand::List);
    }
    Ok(Operand::List(vec![tokens.name("a value")?]))
}

/// `{ established : accept, related : accept, invalid : drop }`
fn state_map(tokens: &mut Tokens) -> Read<BTreeMap<String, bool>> {
    let line = tokens.line();
    tokens.expect('{')?;
    let mut map = BTreeMap::new();
    loop {
        let state = tokens.name("a state")?;
        tokens.expect_word(":")?;
        let accept = match tokens.name("a verdict")? {
            "accept" => true,
            "drop" => false,
            other => return Err(Fault::new(line, format!("the verdict `{other}` is not understood"))),
        };
        if map.insert(state.to_owned(), accept).is_some() {
            return Err(Fault::new(line, "a state stands twice"));
        }
        if !tokens.next_is(',') {
            break;
        }
    }
    tokens.expect('}')?;
    known_states(map.keys(), line)?;
    Ok(map)
}

fn known_states<'a>(states: impl IntoIterator<Item = &'a String>, line: usize) -> Read<()> {
    const STATES: [&str; 5] = ["established", "invalid", "new", "related", "untracked"];
    match states.into_iter().find(|s| !STATES.contains(&s.as_str())) {
        Some(other) => Err(Fault::new(line, format!("the state `{other}` is not understood"))),
        None => Ok(()),
    }
}

fn put<T>(slot: &mut Option<T>, value: T, what: &str, line: usize) -> Read<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::new(line, format!("a second condition on {what}"))),
    }
}

fn set_family(matches: &mut Match, family: Family, line: usize) -> Read<()> {
    match matches.family.replace(family) {
        Some(other) if other != family => Err(Fault::new(line, "conditions on both families, which nothing meets")),
        _ => Ok(()),
    }
}

fn set_protocols(matches: &mut Match, names: &[&str], line: usize) -> Read<()> {
    let mut set = Protocols::default();
    for name in names {
        let named = match *name {
            "icmpv6" | "ipv6-icmp" => Some(Transport::Icmp.number(true)),
            name => Transport::from_name(name).map(|t| t.number(false)),
        };
        let number = named.or_else(|| name.parse().ok());
        set.insert(number.ok_or_else(|| Fault::new(line, format!("the protocol `{name}` is not understood")))?);
    }
    match matches.protocols.replace(set) {
        Some(other) if other != set => Err(Fault::new(line, "two conditions on the protocol that differ")),
        _ => Ok(()),
    }
}

/// What a named set holds.
#[derive(Clone)]
pub enum SetValue {
    Addresses(Addresses),
    Ports(Vec<Ports>),
}

/// Reads the elements of a set of this type. One whose elements overlap is refused unless they are merged, as the kernel
/// does.
pub fn set_value(kind: &str, elements: &[&str], flags: Flags, line: usize) -> Read<SetValue> {
    if !flags.interval && elements.iter().any(|e| e.contains(['/', '-'])) {
        return Err(Fault::new(line, "a set with networks or ranges lacks `flags interval`"));
    }
    match kind {
        "ipv4_addr" => addresses_of(elements, Family::V4, line, flags.merged).map(SetValue::Addresses),
        "ipv6_addr" => addresses_of(elements, Family::V6, line, flags.merged).map(SetValue::Addresses),
        "inet_service" => ports(elements, line).map(SetValue::Ports),
        other => Err(Fault::new(line, format!("a set of `{other}` is not understood"))),
    }
}

fn addresses_of(list: &[&str], family: Family, line: usize, merged: bool) -> Read<Addresses> {
    let mut parts = Vec::with_capacity(list.len());
    for word in list {
        let part = interval(word, family).ok_or_else(|| {
            Fault::new(line, format!("`{word}` is no address, network or range of the family that stands there"))
        })?;
        parts.push(part);
    }
    match merged {
        true => Ok(Addresses::union_of(parts)),
        false => Addresses::disjoint_union_of(parts).ok_or_else(|| Fault::new(line, "addresses that overlap")),
    }
}

fn interval(word: &str, family: Family) -> Option<Addresses> {
    let (low, high): (IpAddr, IpAddr) = if word.contains('/') {
        let net: IpNet = word.parse().ok()?;
        if net.addr() != net.network() {
            return None;
        }
        (net.network(), net.broadcast())
    } else if let Some((low, high)) = word.split_once('-') {
        (low.parse().ok()?, high.parse().ok()?)
    } else {
        let address = word.parse().ok()?;
        (address, address)
    };
    (low.is_ipv4() == (family == Family::V4)).then(|| Addresses::between(low, high))?
}

fn ports(list: &[&str], line: usize) -> Read<Vec<Ports>> {
    let mut all: Vec<Ports> = Vec::with_capacity(list.len());
    for word in list {
        let ports: Ports = word.parse().map_err(|e| Fault::new(line, e))?;
        if ports.low == ports.high && word.contains('-') {
            return Err(Fault::new(line, format!("`{word}` is a range of one port")));
        }
        all.push(ports);
    }
    all.sort_unstable();
    match all.windows(2).find(|p| p[1].low <= p[0].high) {
        Some(pair) => Err(Fault::new(line, format!("the ports {} and {} overlap", pair[0], pair[1]))),
        None => Ok(all),
    }
}
