//! `firewall.output: deny` filters what leaves a host, and the proof reads it back; `allow` leaves it alone.

use sitec::compile::{Depth, Inputs, compile};

const SPEC: &str = r#"sitec: 1
site: { name: tiny }
networks:
  servers: { cidrs: [10.30.8.0/24], role: servers }
  admin: { cidrs: [10.21.250.0/28], role: management }
hosts:
  w[01-02]: { addresses: ["10.30.8.[21-22]"], os: ubuntu-22.04 }
  ops: { addresses: [10.21.250.5], os: ubuntu-22.04 }
firewall: { targets: [nftables], output: OUTPUT }
"#;

/// The ruleset of the host in the management network.
fn ruleset(output: &str) -> String {
    let spec = SPEC.replace("OUTPUT", output);
    let read = |_: &str| Ok(spec.clone().into_bytes());
    let inputs = Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
    let compilation = compile(&inputs);
    assert!(!compilation.findings.has_errors(), "{:?}", compilation.findings);
    let tree = compilation.tree.expect("a tree");
    String::from_utf8(tree.files["hosts/ops/root/etc/nftables.d/sitec.nft"].bytes.clone()).expect("UTF-8")
}

#[test]
fn deny_filters_what_leaves_a_host() {
    let denied = ruleset("deny");
    assert!(denied.contains("hook output priority filter; policy drop;"), "{denied}");
    let set = denied.lines().find(|l| l.contains("elements = { 10.21.250.5, 10.30.8.21-10.30.8.22 }"));
    assert!(set.is_some(), "{denied}");
    assert!(denied.lines().any(|l| l.contains("ip daddr @") && l.contains("tcp dport { 22 } accept")), "{denied}");
    assert!(!ruleset("allow").contains("hook output"));
}
