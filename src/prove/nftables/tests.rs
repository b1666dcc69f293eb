//! Rulesets as a reader understands them.

use super::*;

const HEAD: &str = "table inet sitec\ndelete table inet sitec\n";

const GOOD: &str = r#"#!/usr/sbin/nft -f
# site acme-lyon, do not edit

table inet sitec
delete table inet sitec

table inet sitec {
	set users {
		type ipv4_addr
		flags interval
		auto-merge
		elements = {
			10.20.0.0/16,
			10.21.250.0/28,
		}
	}

	set users6 { type ipv6_addr; flags interval; elements = { fd00:20::/64, fd00:21::1-fd00:21::9 }; }

	chain input {
		type filter hook input priority filter; policy drop;

		ct state vmap { established : accept, related : accept, invalid : drop }
		iif lo accept
		icmp type { echo-request, 3 } accept
		icmpv6 type nd-neighbor-solicit accept
		ip saddr 10.30.8.1 meta l4proto ip-in-ip accept
		ip saddr @users tcp dport { 80, 443 } accept comment "HTTPS: section 2"
		ip6 saddr @users6 tcp dport 443 counter accept
		ip saddr { 10.30.8.1, 10.30.8.2 } udp dport 123 accept
		limit rate 5/second burst 10 packets log prefix "sitec drop: " level info
	}

	chain node_ports {
		type filter hook prerouting priority mangle; policy accept;
		iif lo accept
		ct state established,related accept
		fib daddr type local ip saddr @users tcp dport 30080 accept
		fib daddr type local tcp dport 30000-32767 drop
		fib daddr type local udp dport 30000-32767 drop
	}
}
"#;

fn permits(body: &str) -> Permits {
    let text = format!("{HEAD}table inet sitec {{\nchain input {{\n{body}\n}}\n}}\n");
    let ruleset = read(&text).expect("a ruleset");
    ruleset.chains[0].permits().expect("permits")
}

#[test]
fn a_whole_file_means_what_it_says() {
    let ruleset = read(GOOD).expect("good");
    assert_eq!(ruleset.table, "sitec");
    let input = &ruleset.chains[0];
    assert_eq!((input.hook, input.priority, input.drops), (Hook::Input, 0, true));
    let p = input.permits().expect("permits");
    assert!(p.established && p.loopback && p.dropped.is_empty());
    assert_eq!(
        p.accepted.traffic().to_string(),
        "tcp 80 of 10.20.0.0/16 10.21.250.0/28; tcp 443 of 10.20.0.0/16 10.21.250.0/28; \
         udp 123 of 10.30.8.1 10.30.8.2; ip-in-ip of 10.30.8.1; \
         and 1 more"
    );
    let ports = &ruleset.chains[1];
    assert_eq!((ports.hook, ports.priority, ports.drops), (Hook::Prerouting, -150, false));
    let p = ports.permits().expect("permits");
    assert_eq!(p.accepted.traffic().to_string(), "tcp 30080 of 10.20.0.0/16 10.21.250.0/28");
    assert!(p.dropped.traffic().intersection(&p.accepted.traffic()).is_empty());
    assert_eq!(p.dropped.traffic().union(&p.accepted.traffic()).clauses().count(), 4);
}

#[test]
fn the_first_verdict_counts() {
    let begin = "type filter hook input priority 0; policy drop;\n";
    let dropped_first =
        permits(&format!("{begin}ip saddr 10.0.0.1 tcp dport 22 drop\nip saddr 10.0.0.0/30 tcp dport 22 accept"));
    assert_eq!(dropped_first.accepted.traffic().to_string(), "tcp 22 of 10.0.0.0 10.0.0.2/31");
    let accepted_first =
        permits(&format!("{begin}ip saddr 10.0.0.0/30 tcp dport 22 accept\nip saddr 10.0.0.1 tcp dport 22 drop"));
    assert_eq!(accepted_first.accepted.traffic().to_string(), "tcp 22 of 10.0.0.0/30");
    assert!(accepted_first.dropped.is_empty());
    let all = permits(&format!("{begin}meta l4proto tcp accept\nudp dport 53 accept\ndrop"));
    assert_eq!(all.accepted.traffic().clauses().count(), 4);
    let both = permits(&format!("{begin}meta l4proto {{ tcp, udp }} th dport 53 accept"));
    assert_eq!(both.accepted.traffic().clauses().count(), 4);
}

#[test]
fn every_mutation_changes_the_meaning_or_is_refused() {
    let good: Vec<Permits> = read(GOOD).expect("good").chains.iter().map(|c| c.permits().expect("ok")).collect();
    for (from, to) in [
        ("10.20.0.0/16", "10.20.0.0/15"),
        ("10.20.0.0/16", "10.20.0.0/17"),
        ("10.21.250.0/28,", ""),
        ("{ 80, 443 }", "443"),
        ("{ 80, 443 }", "{ 80-443 }"),
        ("{ 80, 443 }", "{ 80, 444 }"),
        ("ip saddr @users tcp", "ip saddr @users udp"),
        ("ip saddr @users tcp", "tcp"),
        ("ip saddr @users tcp", "ip saddr @users6 tcp"),
        ("ip saddr @users tcp", "ip daddr @users tcp"),
        ("ip saddr @users tcp", "ip saddr != @users tcp"),
        ("counter accept", "counter drop"),
        ("counter accept", "counter"),
        ("iif lo accept", "iif eth0 accept"),
        ("ct state established,related accept", ""),
        ("ct state vmap { established : accept", "ct state vmap { established : drop"),
        ("established : accept, ", ""),
        ("ct state vmap", "ct mark vmap"),
        ("dport 30080 accept", "dport 30081 accept"),
        ("fib daddr type local tcp", "tcp"),
        ("fib daddr type local tcp", "fib daddr type != local tcp"),
        ("30000-32767 drop", "30000-32766 drop"),
        ("30000-32767 drop", "30000-32767 accept"),
        ("policy drop", "policy accept"),
        ("priority mangle", "priority filter"),
        ("hook input", "hook forward"),
        ("icmp type { echo-request, 3 } accept", ""),
        ("icmp type { echo-request, 3 } accept", "meta l4proto icmp accept"),
        ("icmp type { echo-request, 3 } accept", "icmp type { echo-request, 13 } accept"),
        ("meta l4proto ip-in-ip", "meta l4proto 41"),
        ("meta l4proto ip-in-ip", "meta l4proto esp"),
        ("delete table inet sitec", "flush ruleset"),
        ("delete table inet sitec", ""),
        ("table inet sitec\ndelete", "delete"),
        ("flags interval; ", ""),
        ("fd00:21::9", "fd00:21::"),
        ("@users tcp dport 30080", "@user tcp dport 30080"),
        ("limit rate 5/second burst 10 packets log", "accept log"),
        ("\t\tiif lo accept\n\t\ticmp", "\t\tip saddr 10.9.9.9 accept\n\t\ticmp"),
        ("tcp dport 443 counter", "tcp sport 443 counter"),
        ("table inet sitec {", "table ip sitec {"),
        ("}\n\n\tchain node_ports", "\n\tchain node_ports"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let Ok(ruleset) = read(&text) else { continue };
        let told = ruleset.chains[0].drops
            && !ruleset.chains[1].drops
            && ruleset.chains[0].priority == 0
            && ruleset.chains[1].priority == -150;
        let meaning: Result<Vec<Permits>, _> = ruleset.chains.iter().map(|c| c.permits()).collect();
        assert!(!told || meaning.as_ref() != Ok(&good), "`{from}` → `{to}` goes unnoticed");
    }
}

#[test]
fn passing_packets_are_let_through_one_way_or_the_other() {
    let chain = "chain c {\ntype filter hook prerouting priority mangle; policy accept;\n";
    for (rules, drops_passing) in [
        ("fib daddr type != local accept\ntcp dport 30000-32767 drop", false),
        ("fib daddr type local tcp dport 30000-32767 drop", false),
        ("tcp dport 30000-32767 drop\nfib daddr type != local accept", true),
        ("tcp dport 30000-32767 drop", true),
    ] {
        let text = format!("{HEAD}table inet sitec {{\n{chain}{rules}\n}}\n}}\n");
        let permits = read(&text).expect(rules).chains[0].permits().expect(rules);
        assert_eq!(permits.drops_passing, drops_passing, "{rules}");
        assert_eq!(permits.dropped.traffic().clauses().count(), 2, "{rules}");
    }
}

#[test]
fn order_and_grouping_do_not_change_the_meaning() {
    let begin = "type filter hook input priority filter; policy drop;\n";
    let one = permits(&format!("{begin}ip saddr 10.0.0.0/23 tcp dport {{ 22, 80-90 }} accept"));
    let two = permits(&format!(
        "{begin}ip saddr {{ 10.0.0.0/24, 10.0.1.0/24 }} tcp dport 80-90 accept\n\
         ip saddr 10.0.1.0-10.0.1.255 tcp dport 22 accept\nip saddr 10.0.0.0/24 tcp dport 22 accept"
    ));
    assert_eq!(one, two);
    assert!(!one.accepted.is_empty());
}

#[test]
fn overlapping_elements_are_refused_as_the_kernel_does() {
    for body in [
        "type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.1.0.0/16 }",
        "type inet_service; elements = { 80, 80 }",
    ] {
        let text = format!("{HEAD}table inet sitec {{\nset s {{ {body} }}\n}}\n");
        assert!(read(&text).expect_err(body).what.contains("overlap"), "{body}");
    }
    let body = "ip saddr { 10.0.0.0/8, 10.1.0.0/16 } tcp dport 22 accept";
    let chain = format!("chain c {{\ntype filter hook input priority 0; policy drop;\n{body}\n}}");
    let text = format!("{HEAD}table inet sitec {{\n{chain}\n}}\n");
    assert!(read(&text).expect_err(body).what.contains("overlap"), "{body}");
}
