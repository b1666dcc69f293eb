//! The site's free additions: what they become among the flows, exports and steps.

use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::ir::{Scope, Transport};

const SITE: &str = "sitec: 1
site: { name: acme }
networks:
  servers: { cidrs: [10.30.8.0/24], role: servers }
  admin: { cidrs: [10.21.250.0/28], role: management }
hosts:
  n[1-2]: { addresses: ['10.30.8.[11-12]'], os: ubuntu-22.04 }
  nfs1: { addresses: [10.30.8.31], os: ubuntu-22.04 }
clusters:
  main: { kind: kubernetes, control_plane: [n1], workers: [n2], node_port_range: 30000-32767, cni: calico }
firewall: { targets: [nftables, csv, markdown], output: allow }
extra:
  flows:
    - { flow: 'admin, 192.0.2.7 -> main : 30080/tcp HTTP', why: monitoring }
    - 'n* -> nfs1 : 111/tcp+udp portmapper'
  exports:
    - { server: nfs1, path: /srv/home, clients: [n1], options: [rw, sync], why: home directories }
    - { server: nfs1, path: /srv/home, clients: [n2] }
  steps:
    - { id: tell, title: Tell the users, where: mail, do: Send *the* mail., verify: Somebody answers., why: courtesy }
    - { id: first, title: Look around, do: ['ls -l /srv', 'df -h'], before: [checksums] }
";

fn compiled(spec: &str) -> Compilation {
    let read = |_: &str| Ok(spec.as_bytes().to_vec());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Trace, threads: 1 })
}

#[test]
fn flows_have_addresses_and_the_reason_of_the_site() {
    let compilation = compiled(SITE);
    let flows = &compilation.ir.as_ref().expect("an Ir").flows;
    let flows: Vec<_> = flows.iter().filter(|f| f.why.starts_with("site: ")).collect();
    let rows: Vec<String> = flows
        .iter()
        .map(|f| {
            let service = f.service();
            format!(
                "{}: {} [{}] -> {} [{}] {service} {}",
                *f.product,
                *f.from,
                f.from_hosts.text(),
                *f.to,
                f.to_hosts.text(),
                *f.why
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "site: 192.0.2.7 [192.0.2.7] -> main [10.30.8.11 10.30.8.12] 30080/tcp site: monitoring",
            "site: admin [10.21.250.0/28] -> main [10.30.8.11 10.30.8.12] 30080/tcp site: monitoring",
            "site: n* [10.30.8.11 10.30.8.12 10.30.8.31] -> nfs1 [10.30.8.31] 111/tcp site: added in the spec",
            "site: n* [10.30.8.11 10.30.8.12 10.30.8.31] -> nfs1 [10.30.8.31] 111/udp site: added in the spec",
        ]
    );
    assert!(flows[0].published.value && flows[0].scope.value == Scope::External);
    assert!(!flows[3].published.value && flows[3].transport.value == Transport::Udp);
}

#[test]
fn exports_are_joined_and_steps_stand_in_the_runbook() {
    let compilation = compiled(SITE);
    let tree = compilation.tree.as_ref().unwrap_or_else(|| panic!("{:#?}", compilation.findings));
    let text = |path: &str| String::from_utf8_lossy(&tree.files[path].bytes).into_owned();
    let exports = text("hosts/nfs1/root/etc/exports.d/sitec.exports");
    assert!(exports.contains("/srv/home 10.30.8.11(rw,sync) 10.30.8.12(rw,sync)"), "{exports}");
    assert!(exports.contains("# added by the site"), "{exports}");
    let runbook = text("RUNBOOK.md");
    assert!(runbook.contains("## Additions of the site"), "{runbook}");
    assert!(runbook.contains("Send \\*the\\* mail.") && runbook.contains("site: courtesy"), "{runbook}");
    let places = ["Look around", "Check that everything arrived whole", "Tell the users"].map(|t| runbook.find(t));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{runbook}");
}

/// Each leaf of the additions is among the origins of every line that its change moves.
#[test]
fn lines_name_the_additions_that_they_come_from() {
    let before = compiled(SITE);
    for (old, new) in
        [("30080", "30081"), ("monitoring", "metrics"), ("sync", "async"), ("courtesy", "manners"), ("df -h", "df")]
    {
        let changed = SITE.replacen(old, new, 1);
        let line = SITE.lines().position(|l| l.contains(old)).expect("it is there") + 1;
        for (one, other) in [(&before, &compiled(&changed)), (&compiled(&changed), &before)] {
            let (tree, trace) = (one.tree.as_ref().expect("a tree"), one.trace.as_ref().expect("a trace"));
            let others = other.tree.as_ref().expect("a tree");
            for (path, artifact) in &tree.files {
                let lines = |a: &sitec::artifact::Artifact| {
                    String::from_utf8_lossy(&a.bytes).lines().map(str::to_owned).collect::<Vec<_>>()
                };
                let there = others.files.get(path).map(lines).unwrap_or_default();
                for (index, text) in lines(artifact).iter().enumerate().filter(|(_, t)| !there.contains(t)) {
                    let spans = trace[path][index].as_slice().iter().filter_map(|p| one.sources.span_of(*p));
                    let named = spans.into_iter().any(|s| one.sources.line_col(s).0 == line);
                    assert!(named, "{path}:{}: `{text}` does not name line {line}", index + 1);
                }
            }
        }
    }
}
