//! Bugs in the rules for iptables-restore and ip6tables-restore.

use super::seeds::{STRANGE_PORT, Seed, Seeds, between, lines, stranger};

pub fn seeds(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let rules = lines(text, |line| line.starts_with("-A ") && line.contains(" --comment "));
    let all = lines(text, |line| line.starts_with("-A ") && !line.contains("-j LOG"));
    let last = lines(text, |line| line.starts_with("-A ") && line.ends_with("-j DROP") && !line.contains("INVALID"));
    let heads = lines(text, |line| line.starts_with(':'));
    let commits = lines(text, |line| line == "COMMIT");
    let tables = lines(text, |line| line.starts_with('*'));

    seeds.deleted("a rule", &rules);
    seeds.deleted("the rule that drops the rest", &last);
    seeds.deleted("a chain", &heads);
    seeds.deleted("a commit", &commits);
    seeds.deleted("a table", &tables);
    for word in ["ESTABLISHED", "-i lo", "-o lo", "--icmp-type", "--icmpv6-type", "--dst-type"] {
        seeds.deleted(
            "a line that every ruleset has",
            &lines(text, |line| line.starts_with("-A ") && line.contains(word)),
        );
    }
    for (old, new) in [
        (" -s ", " -d "),
        (" -d ", " -s "),
        (" -s ", " ! -s "),
        (" -p 6 ", " -p 17 "),
        (" -p 17 ", " -p 6 "),
        (" -p 6 ", " -p 132 "),
        (" -p 4 ", " -p 50 "),
        (" -p 50 ", " -p 51 "),
        (" -p 112 ", " -p 50 "),
        (" -p 1 ", " -p 50 "),
        (" -p 58 ", " -p 50 "),
        (" --dports ", " --sports "),
        (" --dports ", " --ports "),
        (" --dports ", " ! --dports "),
        (" -j RETURN", " -j DROP"),
        (" -j RETURN", " -j ACCEPT"),
        (" -j RETURN", " -j REJECT"),
        (" -j RETURN", ""),
        (" -j RETURN", " -m limit --limit 1/second -j RETURN"),
        (" -j RETURN", " -m conntrack --ctstate ESTABLISHED -j RETURN"),
        ("sitec-input", "sitec-output"),
        ("sitec-output", "sitec-input"),
        ("sitec-input", "INPUT"),
        ("sitec-output", "OUTPUT"),
        ("sitec-node-ports", "PREROUTING"),
        ("-A ", "-I "),
        ("-A ", "-D "),
    ] {
        seeds.word(&rules, old, new);
    }
    for (old, new) in [
        ("ESTABLISHED,RELATED -j RETURN", "NEW -j RETURN"),
        ("ESTABLISHED,RELATED -j RETURN", "ESTABLISHED,RELATED,NEW -j RETURN"),
        ("ESTABLISHED,RELATED -j RETURN", "ESTABLISHED,RELATED -j DROP"),
        ("-i lo", "-i eth0"),
        ("-o lo", "-o eth0"),
        ("-i lo -j RETURN", "-i lo -j DROP"),
        ("! --dst-type LOCAL", "--dst-type LOCAL"),
        ("--icmp-type 8", "--icmp-type 5"),
        ("--icmp-type 3", "--icmp-type 13"),
        ("--icmpv6-type 135", "--icmpv6-type 137"),
        ("--icmpv6-type 2 ", "--icmpv6-type 139 "),
    ] {
        seeds.word(&all, old, new);
    }
    seeds.word(&last, "-j DROP", "-j RETURN");
    seeds.word(&last, "-j DROP", "-j ACCEPT");
    seeds.word(&last, "-j DROP", "-p 6 -j DROP");
    seeds.word(&tables, "*filter", "*raw");
    seeds.word(&tables, "*mangle", "*filter");
    seeds.word(&heads, " - [0:0]", " DROP [0:0]");
    seeds.word(&heads, "sitec-input", "INPUT");
    // Whoever asks, and on whichever port.
    for option in [" -s ", " -d "] {
        seeds.at("no peer", &rules, |line| {
            let from = line.find(option)?;
            let to = from + option.len() + line[from + option.len()..].find(' ')?;
            Some(format!("{}{}", &line[..from], &line[to..]))
        });
    }
    seeds.at("no ports", &rules, |line| {
        let from = line.find(" -m multiport")?;
        Some(format!("{}{}", &line[..from], &line[line.find(" -m comment")?..]))
    });
    seeds.at("no protocol", &rules, |line| {
        let from = line.find(" -p ")?;
        Some(format!("{}{}", &line[..from], &line[from + 4 + line[from + 4..].find(' ')?..]))
    });

    seeds.ports(&between(text, &all, "--dports ", " "), ",", ':');
    for option in [" -s ", " -d "] {
        seeds.addresses(&between(text, &rules, option, " "), ",");
    }

    let family = if text.contains("ipv6-icmp") { ":" } else { "." };
    for chain in ["sitec-input", "sitec-output", "sitec-node-ports"] {
        let own = lines(text, |line| line.starts_with(&format!("-A {chain} ")));
        let (from, port) = (if chain == "sitec-output" { "-d" } else { "-s" }, STRANGE_PORT);
        for new in [
            "-j RETURN".to_owned(),
            "-j ACCEPT".to_owned(),
            "-j DROP".to_owned(),
            "-p 50 -j RETURN".to_owned(),
            "-p 6 -j RETURN".to_owned(),
            "-m conntrack --ctstate NEW -j RETURN".to_owned(),
            format!("-p 6 -m multiport --dports {port} -j RETURN"),
            format!("{from} {} -p 17 -m multiport --dports 53 -j RETURN", stranger(family)),
            "-i eth0 -j RETURN".to_owned(),
        ] {
            seeds.before(&format!("`{new}` too many"), &own, &format!("-A {chain} {new}\n"));
        }
    }
    seeds.before("a rule of others", &commits, "-A INPUT -j ACCEPT\n");
    seeds.before("the policy of others", &commits, ":INPUT ACCEPT [0:0]\n");
    seeds.before("the chains of others flushed", &commits, "-F\n");
    seeds.whole("a table twice", format!("{text}*filter\n:sitec-input - [0:0]\nCOMMIT\n"));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}
