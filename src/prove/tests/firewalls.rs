//! Rulesets of hosts.

use super::*;

fn rule(chain: RuleChain, family: i64, peers: &[&str], transport: Transport, ports: &[(u16, u16)]) -> Arc<Rule> {
    Arc::new(Rule {
        host: s("w01"),
        chain: f(chain),
        set: s("peers"),
        protocol: f(transport.number(family == 6).into()),
        peers: f(nets(peers).into()),
        family: f(family),
        transport: f(transport),
        ports: f(ports.iter().map(|&(low, high)| Ports { low, high }).collect()),
        multiport: f(Vec::new()),
        why: s("because"),
    })
}

fn firewall(host: &str, rules: Vec<Arc<Rule>>) -> Arc<Firewall> {
    let output = rules.iter().any(|r| *r.chain == RuleChain::Output);
    let node_ports = rules.iter().any(|r| *r.chain == RuleChain::NodePort);
    let range = Ports { low: 30000, high: 32767 };
    Arc::new(Firewall {
        host: s(host),
        target: f(Target::Nftables),
        rules: f(rules),
        sets: f(Vec::new()),
        node_ports: f(if node_ports { vec![range] } else { Vec::new() }),
        forwards: f(node_ports),
        output: f(output),
        log: f(false),
    })
}

#[test]
fn nftables_of_a_host() {
    let ir = Ir {
        firewalls: vec![firewall(
            "w01",
            vec![
                rule(RuleChain::Input, 4, &["10.30.8.0/24", "10.20.0.0/16"], Transport::Tcp, &[(22, 22), (443, 443)]),
                rule(RuleChain::Input, 4, &["10.20.0.0/16"], Transport::Tcp, &[(80, 90)]),
                rule(RuleChain::Input, 6, &["fd00:30:8::/64"], Transport::Udp, &[(123, 123)]),
                rule(RuleChain::NodePort, 4, &["10.20.0.0/16"], Transport::Tcp, &[(30080, 30080)]),
                rule(RuleChain::Output, 4, &[], Transport::Udp, &[(53, 53)]),
            ],
        )],
        ..Ir::default()
    };
    let path = "hosts/w01/root/etc/nftables.d/sitec.nft";
    let good = tree(&[
        (
            path,
            "nftables",
            Some("w01"),
            r#"table inet sitec
delete table inet sitec
table inet sitec {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif "lo" accept
        icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept
        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept
        ip saddr { 10.20.0.0/16, 10.30.8.0/24 } tcp dport { 22, 443 } accept comment "because"
        ip saddr { 10.20.0.0/16 } tcp dport { 80-90 } accept
        ip6 saddr { fd00:30:8::/64 } udp dport { 123 } accept
    }
    chain node_ports {
        type filter hook prerouting priority mangle; policy accept;
        fib daddr type != local accept
        ct state established,related accept
        iif "lo" accept
        ip saddr { 10.20.0.0/16 } tcp dport { 30080 } accept
        meta l4proto { tcp, udp, sctp } th dport 30000-32767 drop
    }
    chain output {
        type filter hook output priority filter; policy drop;
        ct state established,related accept
        oif "lo" accept
        icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept
        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept
        meta nfproto ipv4 udp dport { 53 } accept
    }
}
"#,
        ),
        ("hosts/w02/x.nft", "sh", None, "\n"),
    ]);
    let caught: &[(&str, &str)] = &[
        ("10.20.0.0/16, ", ""),
        ("10.20.0.0/16, ", "10.0.0.0/8, "),
        ("10.20.0.0/16, ", "10.20.0.0/17, "),
        ("22, 443", "22"),
        ("22, 443", "22-443"),
        ("22, 443", "22, 444"),
        ("80-90", "80-89"),
        ("80-90", "80, 90"),
        ("ip saddr", "ip daddr"),
        ("ip saddr { 10.20.0.0/16 } tcp", "tcp"),
        ("ip saddr { 10.20.0.0/16 } tcp", "ip saddr { 10.20.0.0/16 } udp"),
        ("tcp dport { 80-90 } accept", "tcp dport { 80-90 } drop"),
        ("        ip6 saddr { fd00:30:8::/64 } udp dport { 123 } accept\n", ""),
        ("ip6 saddr { fd00:30:8::/64 }", "ip saddr { 10.30.8.0/24 }"),
        ("        ct state established,related accept\n", ""),
        ("        iif \"lo\" accept\n", ""),
        ("destination-unreachable, echo-request", "echo-request"),
        ("echo-request, time", "echo-request, 5, time"),
        ("        icmp type", "        icmpv6 type"),
        (", nd-neighbor-advert", ""),
        ("policy drop;", "policy drop;\n        meta l4proto icmp accept"),
        ("policy drop", "policy accept"),
        ("policy accept", "policy drop"),
        ("hook input", "hook output"),
        ("priority mangle", "priority filter"),
        ("priority filter", "priority mangle"),
        ("        fib daddr type != local accept\n", ""),
        ("30080 } accept", "30081 } accept"),
        ("meta l4proto { tcp, udp, sctp } th dport 30000-32767 drop\n", "\n"),
        ("tcp, udp, sctp } th dport 30000", "tcp, udp } th dport 30000"),
        ("th dport 30000-32767 drop", "th dport 30000-32768 drop"),
        ("th dport 30000-32767 drop", "th dport 30001-32767 drop"),
        ("th dport 30000-32767 drop", "th dport 30000-32767 ip saddr 10.0.0.0/8 drop"),
        ("meta nfproto ipv4 udp", "udp"),
        ("udp dport { 53 }", "udp dport { 53, 5353 }"),
        ("delete table inet sitec\n", "flush ruleset\n"),
        ("table inet sitec {", "table inet mine {"),
        ("        ct state invalid drop\n", "        ip saddr 10.20.0.7 drop\n"),
        ("        ct state invalid drop\n", "        tcp dport 8080 accept\n"),
    ];
    let mutations: Vec<_> = caught.iter().map(|(from, to)| (path, *from, *to)).collect();
    assert_mutations_are_caught(&ir, &good, &mutations);

    let mut wide = good.clone();
    let text = String::from_utf8(wide.files[path].bytes.clone()).expect("text").replace("80-90", "80-91");
    wide.files.get_mut(path).expect("the file").bytes = text.into_bytes();
    assert_eq!(
        messages(&ir, &wide),
        [format!(
            "`{path}` line 4: the chain `input` permits too much: tcp 91 of 10.20.0.0/16 \
             (for example tcp port 91 of 10.20.0.0)"
        )]
    );
}
