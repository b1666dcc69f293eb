//! Flow tables, as CSV and as documents.

use super::*;

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
