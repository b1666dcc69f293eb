//! Bugs in the files of firewalld and in the script for Windows.

use std::ops::Range;

use super::seeds::{Seed, Seeds, between, lines, stranger, wider};

pub fn firewalld(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let all = lines(text, |line| line.starts_with('<') && !line.starts_with("<!--") && !line.starts_with("<?"));
    let rules: Vec<Range<usize>> = lines(text, |line| line.starts_with("<rule"))
        .into_iter()
        .filter_map(|head| Some(head.start..head.end + text[head.end..].find("</rule>\n")? + 8))
        .collect();
    // What only logs decides nothing.
    let rules: Vec<Range<usize>> = rules.into_iter().filter(|rule| !text[rule.clone()].contains("<log")).collect();
    seeds.deleted("a rule", &rules);
    for (old, new) in [
        ("<accept/>", "<drop/>"),
        ("<accept/>", "<reject/>"),
        ("<accept/>", ""),
        ("protocol=\"tcp\"", "protocol=\"udp\""),
        ("protocol=\"udp\"", "protocol=\"tcp\""),
        ("<source ", "<destination "),
        ("<destination ", "<source "),
        ("target=\"DROP\"", "target=\"ACCEPT\""),
        ("target=\"DROP\"", "target=\"default\""),
        ("target=\"ACCEPT\"", "target=\"DROP\""),
        ("family=\"ipv4\"", "family=\"ipv6\""),
        ("family=\"ipv6\"", "family=\"ipv4\""),
        ("value=\"inet\"", "value=\"inet6\""),
        ("value=\"inet6\"", "value=\"inet\""),
        ("hash:net", "hash:ip"),
        ("echo-request", "redirect"),
        ("destination-unreachable", "router-advertisement"),
        ("<protocol value=\"4\"", "<protocol value=\"50\""),
        ("<ingress-zone name=\"", "<ingress-zone name=\"x"),
        ("<egress-zone name=\"", "<egress-zone name=\"x"),
        ("<rule ", "<rule invert=\"True\" "),
        ("ipset=\"", "invert=\"True\" ipset=\""),
    ] {
        seeds.word(&all, old, new);
    }
    seeds.ports(&between(text, &all, " port=\"", "\""), ",", '-');
    let entries = lines(text, |line| line.starts_with("<entry>"));
    seeds.deleted("an entry", &entries);
    seeds.before("an entry too many", &entries, &format!("  <entry>{}</entry>\n", stranger(text)));
    // One bit more may be the neighbour in the same set.
    let addresses = between(text, &entries, "<entry>", "</entry>");
    seeds.at("a much wider mask", &addresses, |word| wider(word, 8));
    seeds.at("a stranger instead", &addresses, |word| Some(stranger(word).to_owned()));
    let sets = between(text, &rules, "ipset=\"", "\"");
    let first = sets.first().map(|place| text[place.clone()].to_owned());
    seeds.at("another set", &sets, |name| {
        first.clone().filter(|other| other != name && other[other.len() - 2..] == name[name.len() - 2..])
    });
    seeds.at("a rule for everybody", &rules, |rule| {
        Some(format!(
            "  <rule family=\"ipv4\">\n    <port port=\"64999\" protocol=\"tcp\"/>\n    <accept/>\n  </rule>\n{rule}"
        ))
    });
    seeds.at("something else permitted", &rules, |rule| Some(format!("  <service name=\"ssh\"/>\n{rule}")));
    seeds.at("a port permitted to everybody", &rules, |rule| {
        Some(format!("  <port port=\"22\" protocol=\"tcp\"/>\n{rule}"))
    });
    seeds.at("masquerading", &rules, |rule| Some(format!("  <masquerade/>\n{rule}")));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}

pub fn windows(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let rules = lines(text, |line| line.starts_with("Add-Rule"));
    let sets = lines(text, |line| line.starts_with('\'') && line.contains("= @("));
    let profiles = lines(text, |line| line.starts_with("Set-NetFirewallProfile -All -Enabled"));
    let makers = lines(text, |line| line.starts_with("New-NetFirewallRule"));
    seeds.deleted("a rule", &rules);
    seeds.deleted("a set", &sets);
    seeds.deleted("the profiles", &profiles);
    seeds.deleted("what turns others off", &lines(text, |line| line.starts_with("Disable-Others")));
    for (old, new) in [
        ("'Inbound'", "'Outbound'"),
        ("'Outbound'", "'Inbound'"),
        ("'TCP'", "'UDP'"),
        ("'UDP'", "'TCP'"),
        ("LocalPort", "RemotePort"),
        ("RemotePort", "LocalPort"),
        ("RemoteAddress", "LocalAddress"),
        ("_v4'", "_v6'"),
        ("ICMPv4", "ICMPv6"),
    ] {
        seeds.word(&rules, old, new);
    }
    for (old, new) in [
        ("InboundAction Block", "InboundAction Allow"),
        ("OutboundAction Block", "OutboundAction Allow"),
        ("-Enabled True", "-Enabled False"),
        ("-All", "-Profile Domain"),
        ("AllowInboundRules True", "AllowInboundRules False"),
    ] {
        seeds.word(&profiles, old, new);
    }
    for (old, new) in
        [("-Action Allow", "-Action Block"), ("-Enabled True", "-Enabled False"), ("-Profile Any", "-Profile Domain")]
    {
        seeds.word(&makers, old, new);
    }
    for option in ["; RemoteAddress", "; LocalPort"] {
        seeds.at(&format!("no{}", &option[1..]), &rules, |line| {
            let from = line.find(option)?;
            let to = from + 1 + line[from + 1..].find(';').or_else(|| line[from + 1..].find(" }"))?;
            Some(format!("{}{}", &line[..from], &line[to..]))
        });
    }
    let numbers = between(text, &rules, "LocalPort = @(", ")");
    seeds.at("a port lost", &numbers, |list| list.split_once(", ").map(|(_, rest)| rest.to_owned()));
    seeds.at("a port too many", &numbers, |list| Some(format!("{list}, 64999")));
    seeds.at("another port", &numbers, |_| Some("64999".to_owned()));
    seeds.addresses(&between(text, &sets, "@('", "')"), "', '");
    seeds.before(
        "a rule too many",
        &rules,
        "    Add-Rule @{ DisplayName = 'x'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @(64999) }\n",
    );
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}
