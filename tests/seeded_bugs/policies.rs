//! Bugs in the NetworkPolicies of a namespace.

use std::ops::Range;

use super::seeds::{Seed, Seeds, between, lines, narrower, stranger, wider};

pub fn seeds(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let policies = documents(text);
    let plain = |word: &'static str| lines(text, move |line| line == word);

    seeds.deleted("a policy", &policies);
    seeds.at("a policy twice", &policies, |policy| Some(format!("{policy}{policy}")));
    seeds.at("the default twice", &policies[..policies.len().min(1)], |policy| Some(format!("{policy}{policy}")));
    for word in ["- Ingress", "- Egress", "policyTypes:", "podSelector: {}", "ingress:", "egress:"] {
        seeds.deleted("a line", &plain(word));
    }
    for (old, new) in [
        ("podSelector: {}", "podSelector:\n    matchLabels:\n      app: nobody"),
        ("podSelector: {}\n", "podSelector: {}\n  ingress:\n    - {}\n"),
        ("- Ingress\n    - Egress", "- Ingress"),
        ("- Ingress\n    - Egress", "- Egress"),
        ("- Ingress", "- Egress"),
        ("  ingress:\n", "  egress:\n"),
        ("  egress:\n", "  ingress:\n"),
        ("- from:", "- to:"),
        ("- to:", "- from:"),
        ("  ingress:\n", "  ingress:\n    - {}\n"),
        ("  egress:\n", "  egress:\n    - {}\n"),
        ("namespace: ", "namespace: other-"),
        ("name: sitec-", "name: sitec-x"),
        ("kind: NetworkPolicy", "kind: ConfigMap"),
        ("networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
        // The same pods, or pods of the same namespace: a dash is the difference.
        ("          podSelector:", "        - podSelector:"),
        ("- namespaceSelector:", "- podSelector: {}\n        - namespaceSelector:"),
        ("kube-system", "default"),
        ("k8s-app: \"kube-dns\"", "k8s-app: \"dns\""),
    ] {
        seeds.word(&policies, old, new);
    }
    seeds.at("ingress and egress swapped", &policies, |policy| {
        let swap = |a: &str, b: &str, text: &str| text.replace(a, "\0").replace(b, a).replace('\0', b);
        Some(swap("\n    - from:", "\n    - to:", &swap("\n  ingress:", "\n  egress:", policy)))
    });
    seeds.at("the pods swapped with those of a peer", &policies, |policy| {
        let own = labels(policy, "  podSelector:")?;
        let peer = labels(policy, "        - podSelector:")?;
        let (a, b) = (policy[own.clone()].to_owned(), policy[peer.clone()].to_owned());
        let indented = |text: &str, by: usize| -> String {
            text.lines().map(|line| format!("{}{}\n", " ".repeat(by), line.trim_start())).collect()
        };
        let mut swapped = policy.to_owned();
        swapped.replace_range(peer, &indented(&a, 14));
        swapped.replace_range(own, &indented(&b, 6));
        Some(swapped)
    });

    let rules = blocks(text, &["- from:", "- to:"]);
    let (peers, ports) = (blocks(text, &["- podSelector:", "- ipBlock:"]), blocks(text, &["- protocol:"]));
    let nets: Vec<Range<usize>> = between(text, &plain_cidrs(text), "cidr: \"", "\"");
    seeds.deleted("a rule", &rules);
    seeds.deleted("a peer", &peers);
    seeds.deleted("a port", &ports);
    seeds.at("no peers", &rules, |rule| {
        let (head, tail) = (rule.find("        - ")?, rule.find("      ports:")?);
        Some(format!("{}{}", &rule[..head], &rule[tail..]))
    });
    seeds.at("everybody", &rules, |rule| {
        let (head, tail) = (rule.find(":\n        - ")?, rule.find("      ports:")?);
        Some(format!("{}: []\n{}", &rule[..head], &rule[tail..]))
    });
    seeds.at("no ports", &rules, |rule| Some(rule[..rule.find("      ports:")?].to_owned()));
    seeds.at("every port", &rules, |rule| Some(format!("{}      ports: []\n", &rule[..rule.find("      ports:")?])));
    for peer in [
        "- ipBlock:\n            cidr: \"0.0.0.0/0\"",
        "- ipBlock:\n            cidr: \"::/0\"",
        "- podSelector: {}",
        "- namespaceSelector: {}",
        "- namespaceSelector: {}\n          podSelector: {}",
    ] {
        seeds.before("a peer too many", &peers, &format!("        {peer}\n"));
    }
    seeds.at("a stranger too many", &peers, |peer| {
        let net = format!("{}/32", stranger(""));
        peer.contains("ipBlock").then(|| format!("{peer}        - ipBlock:\n            cidr: \"{net}\"\n"))
    });
    seeds.at("a part of it taken away", &peers, |peer| {
        let end = peer.trim_end().strip_suffix('"')?.rfind('"')?;
        let net = peer.trim_end()[end + 1..].trim_end_matches('"');
        peer.contains("ipBlock").then(|| format!("{peer}            except: [\"{net}\"]\n"))
    });
    seeds.at("addresses are pods", &peers, |peer| {
        peer.contains("ipBlock")
            .then(|| "        - podSelector:\n            matchLabels:\n              a: b\n".into())
    });
    seeds.at("another port", &ports, |port| with_number(port, |n| n.wrapping_add(1).max(1)));
    seeds.at("no port of this protocol is named", &ports, |port| {
        Some(format!("{}\n", port.lines().next().filter(|_| port.contains(" port:"))?))
    });
    seeds.at("the port by a name", &ports, |port| Some(port.replacen("port: ", "port: p", 1)));
    seeds.at("ports up to the last", &ports, |port| {
        let own: String = port.lines().take(2).map(|line| format!("{line}\n")).collect();
        Some(format!("{own}          endPort: 65535\n"))
    });
    seeds.at("a port too many", &ports, |port| Some(format!("{port}        - protocol: TCP\n          port: 64999\n")));
    let ranges = lines(text, |line| line.starts_with("endPort:"));
    seeds.deleted("the end of a range", &ranges);
    seeds.at("a wider range", &ranges, |line| with_number(line, |n| n.saturating_add(1)));
    seeds.at("a narrower range", &ranges, |line| with_number(line, |n| n - 1));
    for (old, new) in [
        ("protocol: TCP", "protocol: UDP"),
        ("protocol: UDP", "protocol: TCP"),
        ("protocol: TCP", "protocol: SCTP"),
        ("protocol: \"TCP\"", "protocol: \"UDP\""),
        ("protocol: TCP", "protocol: TPC"),
        ("- protocol: TCP\n          port", "- port"),
    ] {
        seeds.word(&ports, old, new);
    }
    seeds.at("a wider mask", &nets, |net| wider(net, 1));
    seeds.at("a much wider mask", &nets, |net| wider(net, 8));
    seeds.at("a narrower mask", &nets, narrower);
    seeds.at("a stranger instead", &nets, |net| {
        Some(format!("{}/{}", stranger(net), if net.contains(':') { 128 } else { 32 }))
    });
    seeds
        .at("the other family", &nets, |net| Some(if net.contains(':') { "10.0.0.0/32" } else { "fd00::/128" }.into()));

    let labels = lines(text, |line| {
        let value = line.split_once(": ").map(|(key, value)| (key, value.trim_matches('"')));
        value.is_some_and(|(key, value)| {
            !["apiVersion", "kind", "name", "namespace", "cidr", "port", "endPort", "- protocol", "protocol"]
                .contains(&key)
                && !key.starts_with('#')
                && !value.is_empty()
                && value != "{}"
        })
    });
    seeds.deleted("a label", &labels);
    seeds.at("another label", &labels, |line| Some(line.replacen(": ", "x: ", 1)));
    seeds.at("another value", &labels, |line| {
        let line = line.trim_end();
        Some(match line.strip_suffix('"') {
            Some(open) => format!("{open}x\"\n"),
            None => format!("{line}x\n"),
        })
    });
    seeds.at("a label too many", &labels, |line| {
        let pad = line.len() - line.trim_start().len();
        Some(format!("{line}{}one-more: label\n", " ".repeat(pad)))
    });
    seeds.word(&lines(text, |line| line == "matchLabels:"), "matchLabels", "matchExpressions");
    if let Some(first) = policies.first() {
        let ends = text[..first.end].to_owned();
        seeds.whole("only the default", ends);
    }
    if let Some(last) = policies.last().filter(|_| policies.len() > 1) {
        seeds.whole("a file that ends one policy early", text[..last.start].to_owned());
    }
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}

/// The policies, each with the line that begins its document.
fn documents(text: &str) -> Vec<Range<usize>> {
    let starts: Vec<usize> = lines(text, |line| line == "---").into_iter().map(|line| line.start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(from, to)| from..to).collect()
}

/// Items of lists that begin with one of these words, up to the next line that stands no deeper.
fn blocks(text: &str, words: &[&str]) -> Vec<Range<usize>> {
    let pad = |line: &str| line.len() - line.trim_start().len();
    let heads = lines(text, |line| words.iter().any(|word| line.starts_with(word)));
    let whole = heads.into_iter().map(|head| {
        let depth = pad(&text[head.clone()]);
        let rest = text[head.end..].split_inclusive('\n').take_while(|line| pad(line) > depth);
        head.start..head.end + rest.map(str::len).sum::<usize>()
    });
    whole.collect()
}

fn plain_cidrs(text: &str) -> Vec<Range<usize>> {
    lines(text, |line| line.starts_with("cidr: "))
}

/// The labels below the first selector that begins so.
fn labels(policy: &str, selector: &str) -> Option<Range<usize>> {
    let head = format!("\n{selector}\n");
    let rest = &policy[policy.find(&head)? + head.len()..];
    let begin = policy.len() - rest.len() + rest.find('\n')? + 1;
    let depth = policy[begin..].len() - policy[begin..].trim_start().len();
    let own = policy[begin..].split_inclusive('\n').take_while(|line| line.len() - line.trim_start().len() >= depth);
    Some(begin..begin + own.map(str::len).sum::<usize>())
}

/// The last number of some lines as another one.
fn with_number(text: &str, change: impl Fn(u16) -> u16) -> Option<String> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let begin = text[..end].rfind(|c: char| !c.is_ascii_digit())? + 1;
    Some(format!("{}{}{}", &text[..begin], change(text[begin..end].parse().ok()?), &text[end..]))
}
