//! Seeds bugs into emitted texts and asserts that the proof notices every one.

use std::sync::Arc;

use super::*;
use crate::artifact::Placement;
use crate::ir::*;
use crate::value::{Origins, Ports, Str};

fn f<T>(value: T) -> F<T> {
    F::new(value, Origins::None)
}

fn s(text: &str) -> F<Str> {
    f(text.into())
}

fn nets(list: &[&str]) -> Vec<ipnet::IpNet> {
    list.iter().map(|n| n.parse().expect("a network")).collect()
}

fn strs(list: &[&str]) -> Vec<Str> {
    list.iter().map(|&n| n.into()).collect()
}

fn tree(files: &[(&str, &str, Option<&str>, &str)]) -> ArtifactTree {
    let mut tree = ArtifactTree { site: "acme".into(), ..ArtifactTree::default() };
    for &(path, format, host, text) in files {
        let artifact = Artifact {
            format: format.into(),
            bytes: text.into(),
            placement: Placement::Carry,
            host: host.map(Str::from),
            target: None,
            owner: None,
            mode: None,
            apply: None,
            check: None,
            pack: "base".into(),
        };
        tree.files.insert(path.to_owned(), artifact);
    }
    tree
}

fn messages(ir: &Ir, tree: &ArtifactTree) -> Vec<String> {
    let mut findings = Findings::default();
    prove(ir, tree, &mut findings);
    assert!(findings.iter().all(is_bug));
    findings.iter().map(|d| d.message.clone()).collect()
}

/// Asserts that a tree is proven, and that no mutation `path: from → to` of it is.
fn assert_mutations_are_caught(ir: &Ir, good: &ArtifactTree, mutations: &[(&str, &str, &str)]) {
    assert_eq!(messages(ir, good), [""; 0]);
    for &(path, from, to) in mutations {
        let mut tree = good.clone();
        let artifact = tree.files.get_mut(path).expect(path);
        let text = String::from_utf8(artifact.bytes.clone()).expect("text");
        assert!(text.contains(from), "`{from}` is not in {path}");
        artifact.bytes = text.replacen(from, to, 1).into_bytes();
        let messages = messages(ir, &tree);
        assert!(!messages.is_empty(), "`{from}` → `{to}` in {path} goes unnoticed");
    }
    for path in good.files.keys().filter(|p| mutations.iter().any(|m| m.0 == p.as_str())) {
        let mut tree = good.clone();
        let artifact = tree.files.remove(path).expect("the file");
        let last_of_kind = !tree.files.values().any(|a| a.format == artifact.format);
        assert!(last_of_kind || !messages(ir, &tree).is_empty(), "without {path} all seems well");
        let mut tree = good.clone();
        let artifact = tree.files.get_mut(path).expect("the file");
        artifact.bytes.push(0xff);
        assert!(!messages(ir, &tree).is_empty(), "a broken byte in {path} goes unnoticed");
    }
}

#[test]
fn storage() {
    let export = |path: &str, clients: &[&str]| {
        Arc::new(Export {
            host: s("nfs1"),
            path: s(path),
            clients: f(nets(clients)),
            options: f(strs(&["rw", "sync", "no_root_squash"])),
            storage: s("userdata"),
        })
    };
    let ir = Ir {
        exports: vec![export("/srv/a b", &["10.30.8.0/24", "fd00:30:8::/64"]), export("/srv/c", &[])],
        filesystems: vec![Arc::new(Filesystem {
            host: s("nfs1"),
            mount: s("/srv"),
            device: s("UUID=1c2d"),
            fstype: s("ext4"),
            options: f(strs(&["defaults", "usrquota", "grpquota"])),
            dump: f(0),
            pass: f(2),
            quota: f(true),
        })],
        nfs_servers: vec![Arc::new(NfsServer {
            host: s("nfs1"),
            mountd: f(Some(892)),
            lockd: f(Some(32803)),
            statd: f(None),
            rquotad: f(Some(875)),
            version3: f(true),
        })],
        ..Ir::default()
    };
    let (exports, fstab, conf) = (
        "hosts/nfs1/root/etc/exports.d/sitec.exports",
        "hosts/nfs1/blocks/etc/fstab",
        "hosts/nfs1/root/etc/nfs.conf.d/sitec.conf",
    );
    let good = tree(&[
        (
            exports,
            "exports",
            Some("nfs1"),
            "# x\n/srv/a\\040b 10.30.8.0/24(rw,sync,no_root_squash) fd00:30:8::/64(rw,sync,no_root_squash)\n\
             /srv/c *(rw,sync,no_root_squash)\n",
        ),
        (fstab, "fstab", Some("nfs1"), "UUID=1c2d /srv ext4 defaults,usrquota,grpquota 0 2\n"),
        (conf, "ini", Some("nfs1"), "[lockd]\nport = 32803\nudp-port = 32803\n[mountd]\nport = 892\n"),
    ]);
    assert_mutations_are_caught(
        &ir,
        &good,
        &[
            (exports, "10.30.8.0/24", "10.30.8.0/23"),
            (exports, "10.30.8.0/24", "10.30.9.0/24"),
            (exports, "10.30.8.0/24(", "10.30.8.0/24 ("),
            (exports, "10.30.8.0/24(rw,sync,no_root_squash) ", ""),
            (exports, "10.30.8.0/24(rw", "10.30.8.0/24(ro"),
            (exports, ",no_root_squash", ""),
            (exports, "rw,sync", "rw,sync,insecure"),
            (exports, "rw,sync", "sync,rw"),
            (exports, "a\\040b", "a b"),
            (exports, "a\\040b", "a\\041b"),
            (exports, "/srv/c *(rw,sync,no_root_squash)\n", ""),
            (exports, "*(", "10.0.0.0/8("),
            (exports, "/srv/c *", "/srv/d *"),
            (exports, "# x\n", "/srv *(rw,sync,no_root_squash)\n"),
            (fstab, "usrquota,", ""),
            (fstab, "defaults", "defaults,ro"),
            (fstab, "1c2d", "1c2e"),
            (fstab, "0 2", "0 0"),
            (fstab, "0 2", "0"),
            (fstab, "ext4", "xfs"),
            (fstab, "/srv", "/srv2"),
            (fstab, "UUID=1c2d /srv ext4 defaults,usrquota,grpquota 0 2\n", ""),
            (conf, "892", "893"),
            (conf, "port = 892\n", ""),
            (conf, "udp-port = 32803\n", ""),
            (conf, "[mountd]", "[statd]"),
        ],
    );
    let mut elsewhere = good.clone();
    elsewhere.files.get_mut(exports).expect("exports").host = Some("nfs2".into());
    assert_eq!(messages(&ir, &elsewhere).len(), 4);
}

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

/// The only table of flows that a site has.
fn tables(name: &str) -> Vec<Arc<FlowTable>> {
    vec![Arc::new(FlowTable { name: s(name) })]
}

fn flow(from: &str, to: &str, ports: Ports, why: &str) -> Arc<Flow> {
    Arc::new(Flow {
        product: s("simula"),
        from: s(from),
        from_hosts: f(Peers { nets: nets(&["10.20.0.0/16", "fd00:20::/64"]).into(), pods: None, name: None }),
        to: s(to),
        to_hosts: f(Peers { nets: nets(&["10.30.8.5/32"]).into(), pods: Some("main".into()), name: None }),
        transport: f(Transport::Tcp),
        ports: f(Some(ports)),
        application: s("HTTPS"),
        scope: f(Scope::Site),
        published: f(false),
        pods_of: f(None),
        from_component: f(None),
        to_component: f(None),
        port_name: f(None),
        why: s(why),
    })
}

#[test]
fn flow_table() {
    let ir = Ir {
        flows: vec![
            flow("users", "proxy", Ports::one(443), "table 3, \"external\""),
            flow("proxy", "worker", Ports { low: 30000, high: 30010 }, "-"),
        ],
        flow_tables: tables("csv"),
        ..Ir::default()
    };
    let path = "firewall/flows.csv";
    let good = tree(&[(
        path,
        "csv",
        None,
        "product,from,from_hosts,to,to_hosts,transport,ports,application,scope,why\n\
         simula,users,10.20.0.0/16 fd00:20::/64,proxy,cluster:main 10.30.8.5,tcp,443,HTTPS,site,\
         \"table 3, \"\"external\"\"\"\n\
         simula,proxy,10.20.0.0/16 fd00:20::/64,worker,cluster:main 10.30.8.5,tcp,30000-30010,HTTPS,site,'-\n",
    )]);
    let caught: &[(&str, &str)] = &[
        ("443", "444"),
        ("tcp", "udp"),
        ("users,10.20.0.0/16", "users,10.20.0.0/15"),
        ("10.20.0.0/16 fd00:20::/64", "fd00:20::/64"),
        (
            "users,10.20.0.0/16 fd00:20::/64,proxy,cluster:main 10.30.8.5",
            "proxy,cluster:main 10.30.8.5,users,10.20.0.0/16 fd00:20::/64",
        ),
        ("cluster:main ", ""),
        ("30000-30010", "30000"),
        ("'-", "-"),
        ("'-", ""),
        ("\"\"external\"\"", "external"),
        ("site,'-", "external,'-"),
        ("from_hosts", "sources"),
        ("HTTPS", "HTTP"),
        ("simula,proxy", "simulb,proxy"),
        ("'-\n", "'-\nsimula,a,10.0.0.1,b,10.0.0.2,tcp,1,x,site,w\n"),
    ];
    let mutations: Vec<_> = caught.iter().map(|(from, to)| (path, *from, *to)).collect();
    assert_mutations_are_caught(&ir, &good, &mutations);
}

fn proxy(kind: &str) -> Arc<Proxy> {
    let upstream = |host: &str, address: &str| {
        Arc::new(Upstream {
            host: s(host),
            address: f(address.parse().expect("an address")),
            port: f(30080),
            endpoint: s(""),
            health_endpoint: f(None),
        })
    };
    Arc::new(Proxy {
        host: s("proxy1"),
        product: s("simula"),
        kind: s(kind),
        server_name: s("simula.acme.example"),
        addresses: f(vec!["10.30.8.5".parse().expect("v4"), "fd00::5".parse().expect("v6")]),
        port: f(443),
        certificate_file: f(Some("/etc/ssl/a.pem".into())),
        key_file: f(Some("/etc/ssl/a.key".into())),
        upstreams: f(vec![upstream("w01", "10.30.8.21"), upstream("w02", "fd00::22")]),
        upstream: s("simula"),
        health_port: f(Some(30081)),
        health_path: f(Some("/ping".into())),
        body_bytes: f(0),
        body_size: f("0".into()),
        buffer_bytes: f(128 << 10),
        buffer_size: f("128k".into()),
        websocket: f(true),
    })
}

#[test]
fn nginx() {
    let ir = Ir { proxies: vec![proxy("nginx")], ..Ir::default() };
    let path = "hosts/proxy1/root/etc/nginx/conf.d/simula.conf";
    let good = tree(&[(
        path,
        "nginx",
        Some("proxy1"),
        r#"map $http_upgrade $sitec_connection {
    default upgrade;
    ""      close;
}
upstream simula {
    least_conn;
    server 10.30.8.21:30080 max_fails=3 fail_timeout=10s;
    server [fd00::22]:30080 max_fails=3 fail_timeout=10s;
    keepalive 32;
}
server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name simula.acme.example;
    ssl_certificate /etc/ssl/a.pem;
    ssl_certificate_key /etc/ssl/a.key;
    client_max_body_size 0;
    proxy_buffer_size 131072;
    proxy_buffers 4 128k;
    proxy_busy_buffers_size 131072;
    location / {
        proxy_pass http://simula;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $sitec_connection;
    }
}
"#,
    )]);
    let caught: &[(&str, &str)] = &[
        ("10.30.8.21:30080", "10.30.8.22:30080"),
        ("10.30.8.21:30080", "10.30.8.21:30081"),
        (
            "    server [fd00::22]:30080 max_fails=3 fail_timeout=10s;
",
            "",
        ),
        ("[fd00::22]:30080", "[fd00::22]:30080 backup"),
        (
            "    keepalive",
            "    server 10.30.8.23:30080 max_fails=3 fail_timeout=10s;
    keepalive",
        ),
        ("max_fails=3 ", ""),
        ("upstream simula", "upstream other"),
        ("http://simula", "http://other"),
        ("listen 443 ssl", "listen 443"),
        ("listen 443", "listen 8443"),
        (
            "    listen [::]:443 ssl http2;
",
            "",
        ),
        ("server_name simula", "server_name other"),
        ("a.pem", "b.pem"),
        ("a.key", "b.key"),
        (
            "    ssl_certificate_key /etc/ssl/a.key;
",
            "",
        ),
        ("size 0", "size 1m"),
        (
            "    client_max_body_size 0;
",
            "",
        ),
        ("proxy_buffer_size 131072", "proxy_buffer_size 8k"),
        ("proxy_buffers 4 128k", "proxy_buffers 4 64k"),
        ("busy_buffers_size 131072", "busy_buffers_size 512k"),
        ("Host $host", "Host $proxy_host"),
        (
            "        proxy_set_header X-Real-IP $remote_addr;
",
            "",
        ),
        ("X-Forwarded-For $remote_addr", "X-Forwarded-For $http_x_forwarded_for"),
        (
            "        proxy_set_header Upgrade $http_upgrade;
",
            "",
        ),
        ("default upgrade", "default close"),
        ("Connection $sitec_connection", "Connection close"),
        ("http_version 1.1", "http_version 1.0"),
        ("$host;", "$host"),
        ("    location", "    deny all;\n    location"),
        ("    location", "    return 503;\n    location"),
        ("location /", "location /x"),
        ("upstream simula", "include x;\nupstream simula"),
        ("server_name simula.acme.example;", "server_name simula.acme.example \"x;"),
    ];
    let mutations: Vec<_> = caught.iter().map(|(from, to)| (path, *from, *to)).collect();
    assert_mutations_are_caught(&ir, &good, &mutations);
}

#[test]
fn traefik() {
    let ir = Ir { proxies: vec![proxy("traefik")], ..Ir::default() };
    let (fixed, dynamic) =
        ("hosts/proxy1/root/etc/traefik/traefik.yaml", "hosts/proxy1/root/etc/traefik/dynamic/simula.yaml");
    let good = tree(&[
        (
            fixed,
            "yaml",
            Some("proxy1"),
            "entryPoints:\n  websecure:\n    address: \":443\"\n    forwardedHeaders:\n      insecure: false\n\
             \x20   transport:\n      respondingTimeouts:\n        readTimeout: 0s\n\
             providers:\n  file:\n    directory: /etc/traefik/dynamic\n    watch: true\n",
        ),
        (
            dynamic,
            "yaml",
            Some("proxy1"),
            r#"http:
  routers:
    simula:
      rule: "Host(`simula.acme.example`)"
      entryPoints:
        - websecure
      service: simula
      tls: {}
  services:
    simula:
      loadBalancer:
        passHostHeader: true
        healthCheck:
          path: /ping
          port: 30081
          interval: 10s
        servers:
          - url: "http://10.30.8.21:30080"
          - url: "http://[fd00::22]:30080"
tls:
  certificates:
    - certFile: /etc/ssl/a.pem
      keyFile: /etc/ssl/a.key
  options:
    default:
      minVersion: VersionTLS12
"#,
        ),
    ]);
    assert_mutations_are_caught(
        &ir,
        &good,
        &[
            (fixed, ":443", ":8443"),
            (fixed, "websecure", "web"),
            (fixed, "insecure: false", "insecure: true"),
            (fixed, "readTimeout: 0s", "readTimeout: 60s"),
            (fixed, "    watch: true", "    wach: true"),
            (dynamic, "Host(`simula.acme.example`)", "Host(`acme.example`)"),
            (dynamic, "- websecure", "- web"),
            (dynamic, "service: simula", "service: other"),
            (dynamic, "      tls: {}\n", ""),
            (dynamic, "passHostHeader: true", "passHostHeader: false"),
            (dynamic, "/ping", "/pong"),
            (dynamic, "30081", "30080"),
            (dynamic, "10.30.8.21", "10.30.8.23"),
            (dynamic, "          - url: \"http://[fd00::22]:30080\"\n", ""),
            (dynamic, "http://10", "https://10"),
            (dynamic, "a.pem", "b.pem"),
            (dynamic, "      keyFile: /etc/ssl/a.key\n", ""),
            (dynamic, "VersionTLS12", "VersionTLS99"),
            (dynamic, "certificates:", "certificate:"),
        ],
    );
}

#[test]
fn cluster() {
    let value = |key: &str, value: crate::value::Value, question: Option<&str>| {
        Arc::new(HelmValue {
            key: s(key),
            value: f(value),
            comment: s("section 5"),
            question: f(question.map(Str::from)),
            secret: f(None),
            object: f(None),
            object_key: f(None),
        })
    };
    let ir = Ir {
        volumes: vec![Arc::new(Volume {
            cluster: s("main"),
            namespace: s("simula-ns"),
            product: s("simula"),
            storage: s("userdata"),
            name: s("simula-userdata"),
            claim: s("userdata"),
            server: s("10.30.8.31"),
            path: s("/var/Simula/UserData"),
            mount_options: f(strs(&["nfsvers=3", "nolock"])),
            size: s("1Ti"),
            access: s("ReadWriteMany"),
            class: s(""),
        })],
        releases: vec![Arc::new(HelmRelease {
            cluster: s("main"),
            namespace: s("simula-ns"),
            name: s("simula-rl"),
            product: s("simula"),
            chart: s("chart.tgz"),
            by: s("helm"),
            path: s("helm/simula-rl/values.yaml"),
            head: f(Vec::new()),
            spec: f(crate::value::Value::Null),
            values: f(vec![
                value("entrypoint.port", 443i64.into(), None),
                value("entrypoint.host", "yes".into(), None),
                value("images.tag", crate::value::Value::Version("1.30".parse().expect("a version")), None),
                value("images.list", (&["a", "b"][..]).into(), None),
                value("smtp.host", crate::value::Value::Null, Some("which server?")),
            ]),
            lines: f(Vec::new()),
        })],
        ..Ir::default()
    };
    let (pv, pvc, values) = (
        "clusters/main/_cluster/10-volumes.yaml",
        "clusters/main/simula-ns/20-claims.yaml",
        "helm/simula-rl/values.yaml",
    );
    let good = tree(&[
        (
            pv,
            "yaml",
            None,
            "# x\n---\napiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: simula-userdata\nspec:\n  \
             capacity:\n    storage: 1Ti\n  accessModes:\n    - ReadWriteMany\n  nfs:\n    server: \"10.30.8.31\"\n    \
             path: /var/Simula/UserData\n  mountOptions:\n    - \"nfsvers=3\"\n    - nolock\n",
        ),
        (
            pvc,
            "yaml",
            None,
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: userdata\n  namespace: simula-ns\nspec:\n  \
             accessModes:\n    - ReadWriteMany\n  storageClassName: \"\"\n  resources:\n    requests:\n      \
             storage: 1Ti\n  volumeName: simula-userdata\n",
        ),
        (
            values,
            "yaml",
            None,
            "# section 5\nentrypoint:\n  port: 443\n  host: \"yes\"\nimages:\n  tag: \"1.30\"\n  list:\n    - a\n    - b\n",
        ),
    ]);
    assert_mutations_are_caught(
        &ir,
        &good,
        &[
            (pv, "1Ti", "1Gi"),
            (pv, "1Ti", "1Tx"),
            (pv, "ReadWriteMany", "ReadWriteOnce"),
            (pv, "ReadWriteMany", "ReadWriteLots"),
            (pv, "10.30.8.31", "10.30.8.32"),
            (pv, "\"10.30.8.31\"", "10"),
            (pv, "UserData", "Userdata"),
            (pv, "nfsvers=3", "nfsvers=4"),
            (pv, "    - nolock\n", ""),
            (pv, "simula-userdata", "simula-user"),
            (pv, "spec:\n", "spec:\n  storageClassName: fast\n"),
            (pv, "spec:\n", "spec:\n  persistentVolumeReclaimPolicy: Delete\n"),
            (pv, "kind: PersistentVolume", "kind: PersistentVolumes"),
            (pv, "metadata:\n", "metadata:\n  namespace: simula-ns\n"),
            (pvc, "volumeName: simula-userdata", "volumeName: other"),
            (pvc, "  volumeName: simula-userdata\n", ""),
            (pvc, "  storageClassName: \"\"\n", ""),
            (pvc, "\"\"", "fast"),
            (pvc, "simula-ns", "default"),
            (pvc, "name: userdata", "name: user"),
            (pvc, "storage: 1Ti", "storage: 2Ti"),
            (values, "port: 443", "port: \"443\""),
            (values, "port: 443", "port: 80"),
            (values, "\"yes\"", "yes"),
            (values, "\"yes\"", "true"),
            (values, "\"1.30\"", "1.30"),
            (values, "    - b\n", ""),
            (values, "    - b\n", "    - b\n    - c\n"),
            (values, "  tag: \"1.30\"\n", ""),
            (values, "images:\n", "smtp:\n  host: mail\nimages:\n"),
            (values, "images:\n", "debug: true\nimages:\n"),
            (values, "images:\n", "image:\n"),
        ],
    );
}

#[test]
fn flow_document() {
    let ir = Ir {
        flows: vec![
            flow("users", "proxy", Ports::one(443), "table 3, \"ex|ternal\"\nnext"),
            flow("proxy", "<worker>", Ports::one(80), "-"),
        ],
        flow_tables: tables("markdown"),
        ..Ir::default()
    };
    let path = "firewall/flows.md";
    let good = tree(&[(
        path,
        "markdown",
        None,
        "# Permitted traffic\n\nText with `code`.\n\n\
         | product | from | addresses | to | addresses | transport | ports | application | scope | why |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n\
         | simula | users | 10.20.0.0/16 fd00:20::/64 | proxy | cluster:main 10.30.8.5 | tcp | 443 | HTTPS | site | \
         table 3, \"ex\\|ternal\" next |\n\
         | simula | proxy | 10.20.0.0/16 fd00:20::/64 | \\<worker\\> | cluster:main 10.30.8.5 | tcp | 80 | HTTPS | site | \\- |\n",
    )]);
    let caught: &[(&str, &str)] = &[
        ("443", "444"),
        ("tcp", "udp"),
        ("users | 10.20", "users | 10.21"),
        ("ex\\|ternal", "ex|ternal"),
        ("\\<worker\\>", "worker"),
        ("| simula | proxy", "| simula | prox"),
        ("| ports | application", "| application | ports"),
        ("| \\- |", "|"),
    ];
    let mutations: Vec<_> = caught.iter().map(|(from, to)| (path, *from, *to)).collect();
    assert_mutations_are_caught(&ir, &good, &mutations);
}

#[test]
fn units_and_kernel_parameters() {
    let setting = |section: &str, key: &str, value: &str| {
        Arc::new(UnitSetting { section: s(section), key: s(key), value: s(value), opens: f(false) })
    };
    let ir = Ir {
        units: vec![Arc::new(Unit {
            host: s("nfs1"),
            name: s("rpc-rquotad.service"),
            settings: f(vec![
                setting("Unit", "After", "network.target"),
                setting("Service", "ExecStart", "/usr/sbin/rpc.rquotad -p 875 -x 5%"),
                setting("Service", "Restart", "on-failure"),
            ]),
        })],
        kernel: vec![Arc::new(KernelParameter {
            host: s("nfs1"),
            key: s("vm.max_map_count"),
            value: f(262_144i64.into()),
        })],
        ..Ir::default()
    };
    let (unit, kernel) =
        ("hosts/nfs1/root/etc/systemd/system/rpc-rquotad.service", "hosts/nfs1/root/etc/sysctl.d/90-sitec.conf");
    let good = tree(&[
        (
            unit,
            "systemd",
            Some("nfs1"),
            "# x\n[Unit]\nAfter=network.target\n\n[Service]\nExecStart=/usr/sbin/rpc.rquotad -p 875 -x 5%%\nRestart=on-failure\n",
        ),
        (kernel, "sysctl", Some("nfs1"), "vm.max_map_count = 262144\n"),
    ]);
    assert_mutations_are_caught(
        &ir,
        &good,
        &[
            (unit, "875", "876"),
            (unit, "Restart=on-failure\n", ""),
            (unit, "Restart=on-failure\n", "Restart=always\n"),
            (unit, "Restart=on-failure\n", "Restart=on-failure\nUser=root\n"),
            (unit, "[Service]\n", ""),
            (unit, "5%%", "5%"),
            (unit, "[Unit]\nAfter=network.target\n", ""),
            (kernel, "262144", "65530"),
            (kernel, "vm.max_map_count = 262144\n", ""),
            (kernel, "vm.max", "vm.min"),
        ],
    );
}

#[test]
fn documents_name_files_that_exist() {
    let ir = Ir::default();
    let path = "RUNBOOK.md";
    let good = tree(&[
        (
            path,
            "markdown",
            None,
            "# Runbook\n\nBegin with [the start](START-HERE.md#a) and `SHA256SUMS`, see <https://acme.example>.\n\n\
             ```sh\nkubectl apply -f clusters/main/_cluster/ && sudo cp hosts/nfs1/x.sh /etc/hosts\n```\n",
        ),
        ("START-HERE.md", "markdown", None, "See `helm/rl/values.yaml` and [back](RUNBOOK.md).\n"),
        ("clusters/main/_cluster/10-x.yaml", "yaml", None, "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"),
        ("hosts/nfs1/x.sh", "shell", Some("nfs1"), "#!/bin/sh\n"),
        ("helm/rl/values.yaml", "text", None, "\n"),
    ]);
    let caught: &[(&str, &str)] = &[
        ("START-HERE.md", "START.md"),
        ("_cluster/ ", "_clusters/ "),
        ("hosts/nfs1/x.sh", "hosts/nfs2/x.sh"),
        ("`SHA256SUMS`", "`helm/rl/value.yaml`"),
        ("```\n", "\n"),
    ];
    let tree_without_pack = {
        let mut tree = good.clone();
        for artifact in tree.files.values_mut().filter(|a| *a.format == *"yaml") {
            artifact.pack = "simula".into();
        }
        tree
    };
    assert_eq!(messages(&ir, &tree_without_pack), [""; 0]);
    for (from, to) in caught {
        let mut tree = tree_without_pack.clone();
        let artifact = tree.files.get_mut(path).expect("the runbook");
        let text = String::from_utf8(artifact.bytes.clone()).expect("text");
        assert!(text.contains(from), "{from}");
        artifact.bytes = text.replacen(from, to, 1).into_bytes();
        assert_eq!(messages(&ir, &tree).len(), 1, "`{from}` → `{to}`");
    }
}

#[test]
fn a_sealed_tree_is_whole() {
    let files = crate::write::seal(&tree(&[("a/b.txt", "text", None, "x\n"), ("c", "text", None, "y\n")]));
    let count = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        let mut findings = Findings::default();
        sums::sealed(files, &mut findings);
        findings.len()
    };
    assert_eq!(count(&files), 0);
    for path in files.keys() {
        let mut changed = files.clone();
        changed.get_mut(path).expect("the file").push(b' ');
        assert!(count(&changed) > 0, "a change of {path} goes unnoticed");
        let mut without = files.clone();
        without.remove(path);
        assert!(count(&without) > 0, "without {path} all seems well");
    }
    let mut more = files.clone();
    more.insert("d".into(), Vec::new());
    assert_eq!(count(&more), 2);
}

/// 2,000 hosts with some thirty rules and three more files each. Run by hand: `cargo test --release -- --ignored speed`.
#[test]
#[ignore]
fn speed() {
    let mut ir = Ir::default();
    let mut tree = ArtifactTree::default();
    let head = "table inet sitec\ndelete table inet sitec\ntable inet sitec {\n    chain input {\n        \
                type filter hook input priority filter; policy drop;\n        ct state established,related accept\n        \
                iif \"lo\" accept\n";
    for host in 0..2000 {
        let name: Str = format!("h{host:04}").into();
        let (mut text, mut rules) = (head.to_owned(), Vec::new());
        for i in 0..30u16 {
            let peers: Vec<String> = (0..4).map(|n| format!("10.{n}.{i}.0/24")).collect();
            let ports = [(1000 + i, 1000 + i), (2000 + i, 2010 + i)];
            let mut rule = (*rule(
                RuleChain::Input,
                4,
                &peers.iter().map(String::as_str).collect::<Vec<_>>(),
                Transport::Tcp,
                &ports,
            ))
            .clone();
            rule.host.value = name.clone();
            rules.push(Arc::new(rule));
            text.push_str(&format!(
                "        ip saddr {{ {} }} tcp dport {{ {}, {}-{} }} accept comment \"simula: because of {i}\"\n",
                peers.join(", "),
                ports[0].0,
                ports[1].0,
                ports[1].1
            ));
        }
        text.push_str(
            "        icmp type { 3, 8, 11, 12 } accept\n        icmpv6 type { 1, 2, 3, 4, 128, 130, 131, 132, 133, 134, \
             135, 136, 143 } accept\n    }\n}\n",
        );
        ir.firewalls.push(firewall(&name, rules));
        let script = "#!/bin/sh\n".repeat(100);
        let yaml = format!("apiVersion: v1\nkind: X\nmetadata:\n  name: n{host}\nspec:\n  a:\n    - b: c\n");
        for (path, format, text) in [
            (format!("hosts/{name}/root/etc/nftables.d/sitec.nft"), "nft", text),
            (format!("hosts/{name}/preflight.sh"), "shell", script),
            (format!("clusters/c/ns/{host}.yaml"), "yaml", yaml),
        ] {
            let mut one = self::tree(&[("x", format, Some(&name), &text)]);
            let mut artifact = one.files.remove("x").expect("the file");
            artifact.pack = if format == "nft" { "base".into() } else { "other".into() };
            tree.files.insert(path, artifact);
        }
    }
    let start = std::time::Instant::now();
    assert_eq!(messages(&ir, &tree).len(), 0);
    println!("{} files: {:?}", tree.files.len(), start.elapsed());
}
