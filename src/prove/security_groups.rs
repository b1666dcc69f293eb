//! Emitted security groups against the rules of each host, both ways.

use std::collections::BTreeMap;

use super::Texts;
use super::bugs::Bugs;
use super::firewalls::by_chain;
use super::terraform::{self, GroupRule};
use crate::emit::escape::Format;
use crate::ir::{Ir, RuleChain, SecurityGroup, Transport};
use crate::netset::{Addresses, Clause, Family, Region};
use crate::prove::packets::ALL_PORTS;
use crate::value::Ports;

/// Where the groups are written.
const PATH: &str = "firewall/security-groups.tf";

/// The file of a site, group by group.
pub fn security_groups(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant: BTreeMap<&str, &SecurityGroup> = ir.security_groups.iter().map(|g| (&*g.host.value, &**g)).collect();
    for file in texts.of(Format::Hcl).filter(|f| f.is_own() && f.path == PATH) {
        let Some(found) = file.read(terraform::read, bugs) else { return };
        let mut by_group: BTreeMap<&str, Vec<&GroupRule>> = BTreeMap::new();
        for (key, rule) in &found.rules {
            by_group.entry(&rule.group).or_default().push(rule);
            // What a rule is called must say what it is: Terraform tells rules apart by it.
            if *key != words(rule) {
                bugs.wrong(file.at(rule.line), &format!("the rule `{key}` is called otherwise than it says"));
            }
        }
        for name in &found.groups {
            let rules = by_group.remove(&**name).unwrap_or_default();
            match meant.remove(&**name) {
                Some(group) => one(group, &rules, file, bugs),
                None => bugs.extra(file.at(0), &format!("a group of `{name}`")),
            }
        }
        if let Some((name, _)) = by_group.first_key_value() {
            bugs.extra(file.at(0), &format!("rules of a group `{name}`"));
        }
    }
    for host in meant.keys() {
        bugs.missing(PATH, &format!("the group of `{host}`"));
    }
}

/// A rule in words, as its key has them.
fn words(rule: &GroupRule) -> String {
    let range = match (rule.low, rule.high) {
        (Some(low), Some(high)) if high > low => format!(" {low}-{high}"),
        (Some(low), _) => format!(" {low}"),
        _ => String::new(),
    };
    let direction = if rule.ingress { "ingress" } else { "egress" };
    let protocol = rule.protocol.as_deref().unwrap_or("any");
    format!("{} {direction} {protocol}{range} {}", rule.group, rule.remote)
}

fn one(group: &SecurityGroup, rules: &[&GroupRule], file: &super::Emitted, bugs: &mut Bugs) {
    let host = &*group.host.value;
    // A rule that others cover is there for its reason; without it nothing else would differ.
    let mut meant: BTreeMap<String, &str> = group.entries.iter().map(|e| (e.key.to_string(), &**e.why)).collect();
    for rule in rules {
        let (at, key) = (file.at(rule.line), words(rule));
        match meant.remove(&key) {
            None => bugs.extra(at, &format!("the rule `{key}`")),
            Some(why) if why != rule.why => {
                bugs.wrong(at, &format!("the rule `{key}` is there for `{}`, and `{why}` was meant", rule.why));
            }
            Some(_) => {}
        }
    }
    for key in meant.keys() {
        bugs.missing(file.path, &format!("the rule `{key}`"));
    }
    let mut chains = by_chain(&group.rules.value, &Family::BOTH);
    let mut ingress = chains.remove(&RuleChain::Input).unwrap_or_default();
    ingress.merge(chains.remove(&RuleChain::NodePort).unwrap_or_default());
    let egress = chains.remove(&RuleChain::Output).unwrap_or_default();
    for (side, meant) in [(true, ingress), (false, egress)] {
        let mut found = Region::default();
        let (mut echo, mut all) = (Vec::new(), Vec::new());
        for rule in rules.iter().filter(|r| r.ingress == side) {
            let at = file.at(rule.line);
            match permitted(rule) {
                Some(Permitted::Clause(clause)) => found.add([clause]),
                Some(Permitted::Echo) => echo.push(rule.family),
                Some(Permitted::Everything) => all.push(rule.family),
                None => bugs.wrong(at, &format!("a rule of the group `{host}` that is not understood")),
            }
        }
        let name = if side { "ingress" } else { "egress" };
        let open = !side && !*group.output;
        let is_both = |list: &[Family]| list == Family::BOTH;
        if is_both(&echo) == open || is_both(&all) != open || (open && !echo.is_empty()) || (!open && !all.is_empty()) {
            bugs.wrong(file.at(0), &format!("the `{name}` of the group `{host}` does not begin as it must"));
        }
        if found != meant {
            let (found, meant) = (found.traffic(), meant.traffic());
            for (set, verb) in [(meant.difference(&found), "lacks"), (found.difference(&meant), "permits too much:")] {
                if !set.is_empty() {
                    bugs.wrong(file.at(0), &format!("the `{name}` of the group `{host}` {verb} {set}"));
                }
            }
        }
    }
}

enum Permitted {
    Clause(Clause),
    /// The question whether somebody is there, from or to anybody.
    Echo,
    /// Every protocol, from or to anybody.
    Everything,
}

fn permitted(rule: &GroupRule) -> Option<Permitted> {
    let ipv6 = rule.family == Family::V6;
    let anybody = rule.remote.prefix_len() == 0;
    let Some(name) = &rule.protocol else {
        return (anybody && rule.low.is_none() && rule.high.is_none()).then_some(Permitted::Everything);
    };
    let transport = match &**name {
        "icmp" if !ipv6 => Transport::Icmp,
        "ipv6-icmp" if ipv6 => Transport::Icmp,
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        "sctp" => Transport::Sctp,
        number => {
            Transport::from_number(number.parse().ok()?, ipv6).filter(|t| !t.has_ports() && *t != Transport::Icmp)?
        }
    };
    let ports = match (rule.low, rule.high) {
        (Some(kind), Some(0)) if transport == Transport::Icmp && anybody => {
            return (kind == if ipv6 { 128 } else { 8 }).then_some(Permitted::Echo);
        }
        (Some(low), Some(high)) if transport.has_ports() && low > 0 && low <= high => Ports { low, high },
        (None, None) if !transport.has_ports() => ALL_PORTS,
        _ => return None,
    };
    let addresses = Addresses::of_nets(rule.family, [&rule.remote]);
    Some(Permitted::Clause(Clause { family: rule.family, transport, ports: vec![ports], addresses }))
}
