//! Bugs in a ruleset for nftables.

use std::ops::Range;

use super::seeds::{STRANGE_PORT, STRANGER_V4, STRANGER_V6, Seed, Seeds, between, lines};

pub fn seeds(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let of_peer = |line: &str| line.starts_with("ip ") || line.starts_with("ip6 ");
    let rules = lines(text, of_peer);
    let sets = lines(text, |line| line.starts_with("set "));
    let hooks = lines(text, |line| line.starts_with("type filter"));
    let verdicts = lines(text, |line| line.contains(" accept") || line.ends_with(" drop"));

    seeds.deleted("a rule", &rules);
    seeds.deleted("a set", &sets);
    seeds.deleted("a hook", &hooks);
    for start in
        ["ct state est", "iif", "oif", "icmp type", "icmpv6 type", "fib ", "meta l4proto { tcp, udp, sctp } th"]
    {
        let own = lines(text, |line| line.starts_with(start) && !line.contains("limit rate"));
        seeds.deleted("a line that every ruleset has", &own);
    }
    for (old, new) in [
        (" saddr ", " daddr "),
        (" daddr ", " saddr "),
        (" tcp dport", " udp dport"),
        (" udp dport", " tcp dport"),
        (" tcp dport", " sctp dport"),
        (" dport", " sport"),
        (" accept", " drop"),
        (" accept", " reject"),
        (" accept", ""),
        (" accept", " counter"),
        (" accept", " jump input"),
        (" accept", " limit rate 1/second accept"),
        (" accept", " ct state established accept"),
        ("l4proto 4 ", "l4proto 50 "),
        ("l4proto 50 ", "l4proto 51 "),
        ("l4proto 112 ", "l4proto 50 "),
        ("ip ", "ip6 "),
        ("ip6 ", "ip "),
        ("_v4 ", "_v6 "),
        ("_v6 ", "_v4 "),
        ("@", "!= @"),
    ] {
        seeds.word(&rules, old, new);
    }
    for (old, new) in [
        ("policy drop", "policy accept"),
        ("policy accept", "policy drop"),
        ("hook input", "hook forward"),
        ("hook input", "hook output"),
        ("hook output", "hook input"),
        ("hook output", "hook postrouting"),
        ("hook prerouting", "hook input"),
        ("priority filter", "priority raw"),
        ("priority mangle", "priority filter"),
        ("type filter", "type nat"),
    ] {
        seeds.word(&hooks, old, new);
    }
    for (old, new) in [
        ("established,related", "new"),
        ("established,related accept", "established,related drop"),
        ("established,related accept", "established,related,new accept"),
        ("\"lo\"", "\"eth0\""),
        ("iif \"lo\" accept", "iif \"lo\" drop"),
        ("!= local", "local"),
        (" th dport", " th sport"),
        ("} drop", "} accept"),
    ] {
        seeds.word(&verdicts, old, new);
    }
    // Whoever asks.
    seeds.at("no peer", &rules, |line| {
        let from = line.find("ip")?;
        let to = line.find("_v4 ").or_else(|| line.find("_v6 "))? + 4;
        Some(format!("{}{}", &line[..from], &line[to..]))
    });
    // The set of another rule.
    let named = between(text, &rules, "@", " ");
    let names: Vec<&str> = named.iter().map(|place| &text[place.clone()]).collect();
    seeds.at("another set", &named, |name| {
        let of_family = |other: &&&str| other.contains("_v4") == name.contains("_v4") && **other != name;
        let other = names.iter().find(of_family)?;
        let elements = |name: &str| {
            let set = sets.iter().map(|p| &text[p.clone()]).find(|line| line.contains(&format!("set {name} ")));
            set.and_then(|line| Some(line.split_once("elements")?.1))
        };
        (elements(other) != elements(name)).then(|| (*other).to_string())
    });

    let ports = between(text, &rules, "dport { ", " }");
    seeds.ports(&ports, ", ", '-');
    let judged = lines(text, |line| line.starts_with("meta l4proto {") && line.ends_with(" drop"));
    seeds.ports(&between(text, &judged, "th dport { ", " }"), ", ", '-');
    seeds.word(&judged, "{ tcp, udp, sctp }", "{ tcp, udp }");
    seeds.word(&judged, "{ tcp, udp, sctp }", "{ tcp, udp, sctp, esp }");
    seeds.addresses(&between(text, &sets, "elements = { ", " }"), ", ");
    let icmp = between(text, &lines(text, |line| line.starts_with("icmp")), "type { ", " }");
    seeds.at("a type of ICMP lost", &icmp, |list| list.split_once(", ").map(|(_, rest)| rest.to_owned()));
    seeds.at("a type of ICMP too many", &icmp, |list| Some(format!("{list}, 5")));

    // Where each chain has its rules: before the first one, in the middle, behind the last one.
    for new in [
        "accept",
        "drop",
        "ct state new accept",
        "meta l4proto 50 accept",
        "meta l4proto { tcp, udp } accept",
        &format!("tcp dport {{ {STRANGE_PORT} }} accept"),
        &format!("ip saddr {STRANGER_V4} tcp dport {{ 22 }} accept"),
        &format!("ip6 saddr {STRANGER_V6} udp dport {{ 53 }} accept"),
        "ip saddr 0.0.0.0/0 tcp dport { 1-65535 } accept",
        "icmp type 5 accept",
        "iif \"eth0\" accept",
    ] {
        seeds.before(&format!("`{new}` too many"), &verdicts, &format!("        {new}\n"));
    }
    let chains = chains(text);
    seeds.deleted("a chain", &chains);
    seeds.at("a chain twice", &chains, |chain| Some(format!("{chain}{chain}")));
    seeds.at("a second chain", &chains, |chain| {
        Some(format!(
            "{chain}    chain more {{\n        type filter hook input priority filter; policy accept;\n    }}\n"
        ))
    });
    seeds.at("the first rule last", &chains, |chain| {
        let (begin, end) = (chain.find("drop\n").map(|i| chain[..i].rfind('\n')), chain.rfind("    }")?);
        let from = begin.flatten()? + 1;
        let to = from + chain[from..].find('\n')? + 1;
        (chain[from..to].contains("th dport")).then(|| {
            let head = chain.find("policy")?;
            let after = head + chain[head..].find('\n')? + 1;
            Some(
                format!("{}{}{}{}", &chain[..after], &chain[from..to], &chain[after..from], &chain[to..end])
                    + &chain[end..],
            )
        })?
    });

    seeds.whole("the machine's ruleset flushed", format!("flush ruleset\n{text}"));
    seeds.whole("old rules stay", text.replacen("delete table inet sitec\n", "", 1));
    seeds.whole("a table of one family", text.replace("inet sitec", "ip sitec"));
    seeds.whole("a table of another name", text.replace("inet sitec", "inet other"));
    seeds.whole("a second table", format!("{text}\ntable inet more {{\n}}\n"));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}

/// The chains with all that is in them.
fn chains(text: &str) -> Vec<Range<usize>> {
    let heads = lines(text, |line| line.starts_with("chain "));
    let end = |head: &Range<usize>| text[head.end..].find("    }\n").map(|i| head.end + i + 6);
    heads.iter().filter_map(|head| Some(head.start..end(head)?)).collect()
}
