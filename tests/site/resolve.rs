//! What resolving makes of ranges, names, defaults and paths, and what it says about faulty ones.

use sitec::resolve::PackDefault;
use sitec::site::DefaultFrom;
use sitec::source::PlaceId;
use sitec::value::{Origins, Tracked, Value};

use super::{Run, body, run_with};

fn names(run: &Run, table: &str) -> Vec<String> {
    run.site.table(table).map(|(name, _)| name.to_string()).collect()
}

#[test]
fn ranges_make_hosts() {
    let run = body(
        "hosts:\n  w[09-11]: { addresses: [\"10.0.0.[9-11]\", \"fd00::[9-b]\"], names: [\"node[9-11].example\"] }\n  \
         a2: {}\n  a10: {}\n",
    )
    .clean();
    assert_eq!(names(&run, "hosts"), ["a2", "a10", "w09", "w10", "w11"]);
    assert_eq!(run.show("/hosts/w10/addresses"), "[10.0.0.10, fd00::a]");
    assert_eq!(run.show("/hosts/w11/names"), "[node11.example]");
    assert_eq!(run.show("/hosts/w11/name"), "w11");
}

#[test]
fn several_ranges_in_one_key() {
    let run = body("hosts: { \"r[1-2]n[1-2]\": { addresses: [\"10.0.[1-2].[1-2]\"] } }\n").clean();
    assert_eq!(names(&run, "hosts"), ["r1n1", "r1n2", "r2n1", "r2n2"]);
    assert_eq!(run.show("/hosts/r2n1/addresses"), "[10.0.2.1]");
}

#[test]
fn the_more_specific_key_wins_key_by_key() {
    let run = body(
        "hosts:\n  w[01-05]: { cpu: 4, memory: 8 GiB, facts: { ssd: true, gpu: false } }\n  w[02-03]: { memory: 16 GiB }\n  \
         w03: { cpu: 16, memory: null, facts: { gpu: true } }\n",
    )
    .clean();
    assert_eq!(run.show("/hosts/w01/memory"), "8 GiB");
    assert_eq!(
        run.show("/hosts/w02"),
        "{memory: 16 GiB, cpu: 4, facts: {ssd: true, gpu: false}, firewall: none, name: w02}"
    );
    assert_eq!(
        run.show("/hosts/w03"),
        "{cpu: 16, memory: null, facts: {gpu: true, ssd: true}, firewall: none, name: w03}"
    );
}

#[test]
fn equally_specific_keys_must_agree() {
    let run = body("hosts:\n  w[1-3]: { cpu: 4, link: 1 Gb/s }\n  w[2-4]: { cpu: 8, link: 1 Gb/s }\n");
    let message = "two keys that are equally specific give different values for `cpu` of one host";
    assert_eq!(run.reports(), [format!("S0305 8: {message}")]);
    let run = body("hosts:\n  w[1-3]: { cpu: 4 }\n  w[2-4]: { cpu: 8 }\n  w2: { cpu: 1 }\n  w3: { cpu: 1 }\n");
    run.clean();
}

#[test]
fn counts_must_agree() {
    let run = body("hosts:\n  w[1-3]: { addresses: [\"10.0.0.[1-4]\"], cpu: 4 }\n");
    assert_eq!(run.reports(), ["S0304 \"10.0.0.[1-4]\": `10.0.0.[1-4]` stands for 4 values, `w[1-3]` for 3 hosts"]);
    let labels: Vec<&str> =
        run.findings.iter().next().unwrap().secondary.iter().map(|l| run.sources.text(l.span)).collect();
    assert_eq!(labels, ["w[1-3]"]);
    assert_eq!(run.show("/hosts/w2/addresses"), "[poison]");
}

#[test]
fn malformed_and_exploding_ranges() {
    let run = body("hosts:\n  \"w[1-\": {}\n  x[3-1]: {}\n  \"a b\": {}\nclusters: { c: { workers: [w1, w*] } }\n");
    assert_eq!(
        run.reports(),
        [
            "S0302 \"w[1-\": malformed range in `w[1-`: `[` is not closed",
            "S0302 x[3-1]: malformed range in `x[3-1]`: the range begins at 3, after its end 1",
            "S0206 \"a b\": `a b` is not a name",
        ]
    );
    let run = body("hosts:\n  w[1-60000]: {}\n  x[1-60000]: {}\n  y[0-18446744073709551615]: {}\n");
    assert_eq!(
        run.reports(),
        [
            "S0303 x[1-60000]: `x[1-60000]` stands for 60000 hosts, more than a site may have",
            "S0303 y[0-18446744073709551615]: `y[0-18446744073709551615]` stands for too many hosts, more than a site \
             may have",
        ]
    );
}

#[test]
fn expanded_values_are_checked_once() {
    let run = body("hosts:\n  w[1-300]: { addresses: [\"10.0.0.[1-300]\"] }\n");
    assert_eq!(run.reports(), ["S0206 \"10.0.0.[1-300]\": `10.0.0.256` is not an IP address"]);
    let run = body("hosts:\n  w: { addresses: [\"10.0.0.[1-3]\"] }\n");
    assert_eq!(run.help(), "a range in a value needs a range in the key of its host");
}

#[test]
fn a_mistyped_name_is_one_report() {
    let run = body(
        "hosts: { nfs1: {} }\nstorage:\n  a: { server: nsf1, path: /a }\n  b: { server: nsf1, path: /b }\n\
         tools: { host: nsf1 }\n",
    );
    assert_eq!(run.reports(), ["S0301 nsf1: there is no `nsf1` in `hosts` or `external`"]);
    assert_eq!((run.help(), run.replacement()), ("there is `nfs1`", "nfs1"));
    assert_eq!(run.findings.iter().map(|d| d.secondary.len()).collect::<Vec<_>>(), [2]);
    assert_eq!(run.show("/storage/a/server"), "poison");
}

#[test]
fn lists_of_names_take_patterns() {
    let run = body(
        "hosts: { cp1: {}, w1: {}, w2: {}, w10: {} }\nclusters:\n  a: { workers: [w2, w*] }\n  \
         b: { workers: [\"w[1-2]\", cp?] }\n  c: { workers: [\"[*]\"] }\n  d: { workers: [x*] }\n  e: { workers: [\"w[1-3]\"] }\n",
    );
    assert_eq!(run.show("/clusters/a/workers"), "[hosts/w2, hosts/w1, hosts/w10]");
    assert_eq!(run.show("/clusters/b/workers"), "[hosts/w1, hosts/w2, hosts/cp1]");
    assert_eq!(run.show("/clusters/c/workers"), "[hosts/cp1, hosts/w1, hosts/w2, hosts/w10]");
    assert_eq!(
        run.reports(),
        ["S0306 x*: `x*` matches nothing in `hosts`", "S0301 \"w[1-3]\": there is no `w3` in `hosts`"]
    );
}

#[test]
fn networks_follow_from_addresses() {
    let run = body(
        "networks: { any: { cidrs: [0.0.0.0/0] }, wide: { cidrs: [10.0.0.0/8] }, near: { cidrs: [10.1.0.0/16] } }\n\
         hosts: { a: { addresses: [10.1.2.3] }, b: { addresses: [10.2.0.1] }, c: { addresses: [192.0.2.1] }, d: {} }\n",
    )
    .clean();
    let found: Vec<String> = ["a", "b", "c", "d"].iter().map(|h| run.show(&format!("/hosts/{h}/network"))).collect();
    assert_eq!(found, ["networks/near", "networks/wide", "-", "-"]);
    assert_eq!(run.site.defaults.get("/hosts/a/network"), Some(&DefaultFrom::Core));
    let (name, cidr) = run.site.network_of("10.1.9.9".parse().unwrap()).unwrap();
    assert_eq!((&**name, cidr.to_string().as_str()), ("near", "10.1.0.0/16"));
}

#[test]
fn paths_are_put_on_their_file_systems() {
    let run = body(
        "hosts: { nas: { filesystems: { /: { device: a }, /srv: { device: b }, /srv/data/: { device: c } } }, m: {} }\n\
         storage:\n  a: { server: nas, path: /srv/data/x }\n  b: { server: nas, path: /srv/database }\n  \
         c: { server: nas, path: /srvx }\n  d: { server: m, path: /x }\n  e: { server: nas, path: /srv/data }\n",
    )
    .clean();
    let mounts: Vec<String> =
        ["a", "b", "c", "d", "e"].iter().map(|s| run.show(&format!("/storage/{s}/filesystem/mount"))).collect();
    assert_eq!(mounts, ["/srv/data/", "/srv", "/", "-", "/srv/data/"]);
    assert_eq!(&**run.site.filesystem_of("nas", "/srv/data").unwrap().0, "/srv/data/");
}

#[test]
fn defaults_fill_what_is_unanswered_and_are_remembered() {
    let run = body("registry: { address: r.example, port: null }\nproxy: { port: 8443 }\nsmtp: none\n").clean();
    assert_eq!(run.show("/registry/port"), "443");
    assert_eq!(run.show("/proxy/port"), "8443");
    assert_eq!(run.show("/firewall"), "{targets: [csv], output: allow, log: false}");
    assert_eq!(run.show("/smtp"), "none");
    let defaults: Vec<&str> = run.site.defaults.keys().map(String::as_str).collect();
    assert_eq!(
        defaults,
        [
            "/firewall/log",
            "/firewall/output",
            "/firewall/targets",
            "/proxy/http_port",
            "/registry/port",
            "/registry/protocol",
        ]
    );
    let null = run.site.at("/registry/port").unwrap().origins.as_slice()[0];
    assert_eq!(run.sources.text(run.sources.span_of(null).unwrap()), "null");
}

#[test]
fn defaults_of_packs_come_before_the_schemas() {
    let default = |place: &str, value: Value| PackDefault {
        place: place.into(),
        value: Tracked { value, origins: Origins::One(PlaceId(0)) },
        pack: "portal".into(),
    };
    let defaults = [
        default("clusters.*.pod_cidr", Value::str("10.244.0.0/16")),
        default("/clusters/b/node_port_range", Value::str("31000-31999")),
        default("nfs.ports.mountd", Value::Int(1110)),
        default("smtp.port", Value::Int(25)),
    ];
    let text = "sitec: 1\nsite: { name: a }\nsmtp: none\nclusters: { a: { kind: kubernetes, pod_cidr: 10.1.0.0/16 }, \
                b: { kind: kubernetes, pod_cidr: null } }\n";
    let run = run_with(text, &[], &defaults).clean();
    assert_eq!(run.show("/clusters/a/pod_cidr"), "10.1.0.0/16");
    assert!(matches!(run.site.at("/clusters/b/pod_cidr").unwrap().value, Value::Cidr(_)));
    assert_eq!(run.show("/clusters/b/node_port_range"), "31000-31999");
    assert_eq!(run.show("/clusters/a/node_port_range"), "30000-32767");
    assert!(matches!(run.site.at("/nfs/ports/mountd").unwrap().value, Value::Ports(_)));
    assert_eq!(run.show("/smtp"), "none");
    assert_eq!(run.site.defaults.get("/clusters/b/pod_cidr"), Some(&DefaultFrom::Pack("portal".into(), PlaceId(0))));
}

#[test]
fn helpers_of_the_site() {
    let run = body(
        "hosts: { a: { addresses: [10.0.0.1, \"fd00::1\"] }, b: {} }\nclusters: { c: { managers: [a], workers: [b] } }\n",
    )
    .clean();
    let addresses: Vec<String> = run.site.host_addresses("a").iter().map(|a| a.value.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.1", "fd00::1"]);
    let (control_plane, workers) = run.site.cluster_nodes("c");
    assert_eq!((&*control_plane[0].value, &*workers[0].value), ("a", "b"));
    assert!(run.site.host_addresses("nobody").is_empty());
}

#[test]
fn every_leaf_comes_from_its_own_place() {
    let run = body("hosts:\n  w[1-2]: { addresses: [\"10.0.0.[1-2]\"], cpu: 4 }\n").clean();
    let text = |pointer: &str| {
        let place = run.site.at(pointer).unwrap().origins.as_slice()[0];
        run.sources.text(run.sources.span_of(place).unwrap()).to_string()
    };
    assert_eq!(text("/hosts/w2/addresses/0"), "\"10.0.0.[1-2]\"");
    assert_eq!(text("/hosts/w2/cpu"), "4");
}

#[test]
fn poison_is_silent() {
    let run = body(
        "networks: { lan: { cidrs: [oops] } }\nhosts: { a: { addresses: [bad], network: lan }, b: 3 }\n\
         clusters: { c: { workers: [a, b] } }\nstorage: { s: { server: b, path: /x } }\n",
    );
    let codes: Vec<&str> = run.findings.iter().map(|d| &*d.code).collect();
    assert_eq!(codes, ["S0206", "S0206", "S0202"], "{:?}", run.reports());
    assert_eq!(run.show("/clusters/c/workers"), "[hosts/a, hosts/b]");
    assert_eq!(body("hosts: 3\ntools: { host: a }\n").findings.len(), 1);
}
