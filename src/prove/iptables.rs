//! Text for `iptables-restore --noflush` → chains of our own, and from each the exact traffic that it permits.
//!
//! Source of the syntax: iptables(8), iptables-extensions(8). A chain permits by handing a packet back (`RETURN`), since
//! `ACCEPT` would keep it from the rules of others; whatever changes chains that are not ours is refused.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::fault::{Fault, Read, plain_lines};
use super::packets::{self, Hook, Match, Permits, Protocols, Rule, Verdict};
use crate::ir::Transport;
use crate::netset::{Addresses, Family};
use crate::value::Ports;

/// One chain of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub name: String,
    pub hook: Hook,
    /// In the order of the text, without a last rule that drops everything.
    pub rules: Vec<Rule>,
    /// Whether the last rule drops what no other one decides.
    pub drops: bool,
    pub line: usize,
}

impl Chain {
    /// What its rules permit.
    pub fn permits(&self) -> Read<Permits> {
        packets::permits(&self.rules, self.hook)
    }
}

/// Our chains: the table in which each stands, and the hook from which the loader jumps to it.
const CHAINS: [(&str, &str, Hook); 3] = [
    ("mangle", "sitec-node-ports", Hook::Prerouting),
    ("filter", "sitec-input", Hook::Input),
    ("filter", "sitec-output", Hook::Output),
];

/// Reads a file of one family.
pub fn read(text: &str, family: Family) -> Read<Vec<Chain>> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut table: Option<&str> = None;
    let mut seen = BTreeSet::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let line = i + 1;
        let fault = |what: String| Err(Fault::new(line, what));
        let words = words(text, line)?;
        let Some(first) = words.first() else { continue };
        match (&**first, table) {
            ("COMMIT", Some(_)) if words.len() == 1 => table = None,
            ("-A", Some(table)) => {
                let Some(chain) = words.get(1).and_then(|name| chains.iter_mut().find(|c| c.name == *name)) else {
                    return fault("a rule for a chain that is not declared above".into());
                };
                if !CHAINS.contains(&(table, &*chain.name, chain.hook)) {
                    return fault(format!("the chain `{}` is of another table", chain.name));
                }
                if chain.drops {
                    return fault("a rule behind the one that drops everything".into());
                }
                let rule = rule(&words[2..], family, chain.hook, line)?;
                match rule.verdict == Verdict::Drop && rule.matches == Match::default() {
                    true => chain.drops = true,
                    false => chain.rules.push(rule),
                }
            }
            (word, None) if word.starts_with('*') && words.len() == 1 => {
                let Some((name, ..)) = CHAINS.iter().find(|(name, ..)| *name == &word[1..]) else {
                    return fault(format!("`{word}` is not a table of ours"));
                };
                if !seen.insert(*name) {
                    return fault(format!("the table `{name}` stands twice"));
                }
                table = Some(name);
            }
            (word, Some(table)) if word.starts_with(':') => {
                let name = &word[1..];
                let known = CHAINS.iter().find(|(of, own, _)| *of == table && *own == name);
                let (Some((_, name, hook)), ["-", "[0:0]"]) =
                    (known, &words[1..].iter().map(String::as_str).collect::<Vec<_>>()[..])
                else {
                    return fault(format!("`{text}` declares what is not a chain of ours"));
                };
                if chains.iter().any(|c| c.name == *name) {
                    return fault(format!("the chain `{name}` is declared twice"));
                }
                let (rules, drops) = (Vec::new(), false);
                chains.push(Chain { name: (*name).to_owned(), hook: *hook, rules, drops, line });
            }
            _ => return fault(format!("`{text}` is not understood")),
        }
    }
    match table {
        Some(table) => Err(Fault::new(0, format!("the table `{table}` is not committed"))),
        None => Ok(chains),
    }
}

/// The words of a line; a text in double quotes is one. A line that begins with `#` has none.
fn words(text: &str, line: usize) -> Read<Vec<String>> {
    let (mut words, mut rest) = (Vec::new(), text);
    if text.starts_with('#') {
        return Ok(words);
    }
    loop {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return Ok(words);
        }
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(' ').unwrap_or(rest.len());
            if rest[..end].contains(['"', '\\', '\'', '\t']) {
                return Err(Fault::new(line, format!("`{}` has a quote within", &rest[..end])));
            }
            words.push(rest[..end].to_owned());
            rest = &rest[end..];
            continue;
        };
        let (mut word, mut chars) = (String::new(), quoted.char_indices());
        loop {
            match chars.next() {
                Some((at, '"')) => {
                    rest = &quoted[at + 1..];
                    break;
                }
                Some((_, '\\')) => word.extend(chars.next().map(|(_, c)| c)),
                Some((_, c)) => word.push(c),
                None => return Err(Fault::new(line, "a text without its closing quote")),
            }
        }
        if !(rest.is_empty() || rest.starts_with(' ')) {
            return Err(Fault::new(line, "text after a closing quote"));
        }
        words.push(word);
    }
}

/// What follows `-A chain`.
fn rule(words: &[String], family: Family, hook: Hook, line: usize) -> Read<Rule> {
    let mut rule = Rule { line, ..Rule::default() };
    let mut verdict = None;
    let mut words = words.iter().map(String::as_str);
    let (mut multiport, mut inverted, mut logs) = (false, false, false);
    while let Some(word) = words.next() {
        let fault = |what: &str| Fault::new(line, format!("`{word}` {what}"));
        if verdict.is_some() && !(logs && word == "--log-prefix") {
            return Err(fault("behind the verdict"));
        }
        if word == "!" {
            inverted = true;
            continue;
        }
        let negated = std::mem::take(&mut inverted);
        if negated && word != "--dst-type" {
            return Err(fault("cannot be negated here"));
        }
        let value = words.next().ok_or_else(|| fault("without its value"))?;
        let m = &mut rule.matches;
        let twice = |has: bool| if has { Err(fault("stands twice")) } else { Ok(()) };
        match word {
            "-s" | "-d" if (word == "-d") == (hook == Hook::Output) => {
                twice(m.peers.is_some())?;
                m.peers = Some(addresses(value, family, line)?);
            }
            "-p" => {
                twice(m.protocols.is_some())?;
                let ipv6 = family == Family::V6;
                let named = match value {
                    "ipv6-icmp" => Some(Transport::Icmp.number(true)),
                    "icmp" => Some(Transport::Icmp.number(false)),
                    name => Transport::from_name(name).map(|t| t.number(ipv6)),
                };
                let number = named.or_else(|| value.parse().ok()).filter(|n| *n > 0);
                let number = number.ok_or_else(|| Fault::new(line, format!("the protocol `{value}` is not known")))?;
                m.protocols = Some(Protocols::of([number]));
            }
            "-m" if ["multiport", "comment", "conntrack", "addrtype", "limit"].contains(&value) => {
                multiport |= value == "multiport";
            }
            "--dports" if multiport && m.protocols.is_some() => {
                twice(m.ports.is_some())?;
                m.ports = Some(ports(value, line)?);
            }
            "--icmp-type" | "--icmpv6-type" if (word == "--icmpv6-type") == (family == Family::V6) => {
                let protocol = Protocols::of([Transport::Icmp.number(family == Family::V6)]);
                let number: u8 = value.parse().map_err(|_| fault("needs a number"))?;
                if m.protocols != Some(protocol) {
                    return Err(fault("of another protocol"));
                }
                twice(m.icmp_types.is_some())?;
                m.icmp_types = Some(BTreeSet::from([(family, number)]));
            }
            "--ctstate" => {
                twice(m.states.is_some())?;
                let states: BTreeSet<String> = value.split(',').map(str::to_lowercase).collect();
                const STATES: [&str; 5] = ["established", "invalid", "new", "related", "untracked"];
                if !states.iter().all(|s| STATES.contains(&&**s)) {
                    return Err(Fault::new(line, format!("`{value}` are not states")));
                }
                m.states = Some(states);
            }
            "--dst-type" if value == "LOCAL" && hook != Hook::Output => {
                twice(m.local.is_some())?;
                m.local = Some(!negated);
            }
            "-i" | "-o" if value == "lo" && (word == "-o") == (hook == Hook::Output) => m.loopback = true,
            "--comment" | "--limit-burst" | "--log-prefix" => {}
            "--limit" => m.limited = true,
            "-j" => {
                logs = value == "LOG";
                verdict = Some(match value {
                    "RETURN" => Verdict::Accept,
                    "DROP" => Verdict::Drop,
                    "LOG" => Verdict::None,
                    "ACCEPT" => return Err(fault("ACCEPT, which keeps the rules of others from seeing the packet")),
                    _ => return Err(fault("to what is not understood")),
                });
            }
            _ => return Err(Fault::new(line, format!("`{word} {value}` is not understood in this chain"))),
        }
    }
    // Conditions on states and interfaces are the same in both families.
    if rule.matches.protocols.is_some() || rule.matches.peers.is_some() {
        rule.matches.family = Some(family);
    }
    rule.verdict = verdict.ok_or_else(|| Fault::new(line, "a rule without a verdict"))?;
    Ok(rule)
}

fn addresses(list: &str, family: Family, line: usize) -> Read<Addresses> {
    let mut nets = Vec::new();
    for word in list.split(',') {
        let net = word.parse::<IpAddr>().map(IpNet::from).or_else(|_| word.parse::<IpNet>());
        match net {
            Ok(net) if net.addr() == net.network() && Family::of(&net) == family => nets.push(net),
            _ => return Err(Fault::new(line, format!("`{word}` is no address or network of this family"))),
        }
    }
    Ok(Addresses::of_nets(family, &nets))
}

/// Up to fifteen ports; a range, with a colon, counts twice.
fn ports(list: &str, line: usize) -> Read<Vec<Ports>> {
    const SLOTS: usize = 15;
    let (mut all, mut slots) = (Vec::new(), 0);
    for word in list.split(',') {
        let text = word.replacen(':', "-", 1);
        let ports: Ports = text.parse().map_err(|e| Fault::new(line, e))?;
        if word.contains('-') || ports.to_string() != text {
            return Err(Fault::new(line, format!("`{word}` is not how iptables writes ports")));
        }
        slots += if word.contains(':') { 2 } else { 1 };
        all.push(ports);
    }
    if slots > SLOTS {
        return Err(Fault::new(line, format!("{slots} ports in one condition, which takes {SLOTS}")));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# ours\n*filter\n:sitec-input - [0:0]\n\
        -A sitec-input -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN\n\
        -A sitec-input -i lo -j RETURN\n-A sitec-input -p icmp --icmp-type 8 -j RETURN\n\
        -A sitec-input -s 10.0.0.0/8,192.0.2.1 -p 6 -m multiport --dports 22,80:90 -m comment --comment \"a \\\"b\" -j RETURN\n\
        -A sitec-input -s 10.0.0.7 -p 4 -j RETURN\n-A sitec-input -j DROP\nCOMMIT\n";

    #[test]
    fn a_whole_file_means_what_it_says() {
        let chains = read(GOOD, Family::V4).expect("good");
        let permits = chains[0].permits().expect("permits");
        assert!(chains[0].drops && permits.established && permits.loopback && permits.dropped.is_empty());
        assert_eq!(
            permits.accepted.traffic().to_string(),
            "tcp 22 of 10.0.0.0/8 192.0.2.1; tcp 80-90 of 10.0.0.0/8 192.0.2.1; ip-in-ip of 10.0.0.7"
        );
    }

    #[test]
    fn every_mutation_changes_the_meaning_or_is_refused() {
        let good = read(GOOD, Family::V4).expect("good");
        let meaning = (good[0].permits().expect("permits"), good[0].drops);
        for (from, to) in [
            ("10.0.0.0/8", "10.0.0.0/9"),
            ("10.0.0.0/8", "10.0.0.1/8"),
            ("10.0.0.0/8,", ""),
            ("-s 10.0.0.0/8", "-d 10.0.0.0/8"),
            ("-s 10.0.0.0/8,192.0.2.1 ", ""),
            ("-s 10.0", "! -s 10.0"),
            ("-p 6", "-p 17"),
            ("-p 6 ", ""),
            ("-p 4", "-p esp"),
            ("80:90", "80:91"),
            ("80:90", "80-90"),
            ("22,", ""),
            ("-j RETURN\nCOMMIT", "-j ACCEPT\nCOMMIT"),
            ("b\" -j RETURN", "b\" -j ACCEPT"),
            ("b\" -j RETURN", "b\" -j DROP"),
            ("b\" -j RETURN", "b\" -j elsewhere"),
            ("-A sitec-input -j DROP\n", ""),
            ("-A sitec-input -j DROP", "-A INPUT -j DROP"),
            ("-i lo", "-i eth0"),
            ("ESTABLISHED,RELATED -j RETURN", "NEW -j RETURN"),
            ("--icmp-type 8", "--icmp-type 13"),
            ("*filter", "*nat"),
            (":sitec-input - [0:0]", ":INPUT DROP [0:0]"),
            (":sitec-input - [0:0]\n", ""),
            ("COMMIT\n", ""),
            ("a \\\"b", "a \"b"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let Ok(chains) = read(&text, Family::V4) else { continue };
            let same = chains[0].permits().is_ok_and(|p| (p, chains[0].drops) == meaning);
            assert!(!same || text == GOOD, "`{from}` → `{to}` goes unnoticed");
        }
        assert!(read(GOOD, Family::V6).is_err());
    }
}
