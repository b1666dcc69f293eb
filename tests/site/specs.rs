//! Whole specs pass without a finding and come out as expected.

use super::run;

#[test]
fn a_production_site() {
    let run = run(include_str!("production.yaml")).clean();
    assert_eq!(run.show("/hosts/w05/addresses"), "[10.30.8.25, fd00:30:8::25]");
    assert_eq!(run.show("/clusters/main/control_plane"), "[hosts/cp1, hosts/cp2, hosts/cp3]");
    assert_eq!(run.show("/clusters/main/node_port_range"), "30000-32767");
    assert_eq!(run.show("/storage/userdata/filesystem/mount"), "/srv/data/user");
    assert_eq!(run.show("/storage/shared/filesystem/mount"), "/srv/data");
    assert_eq!(run.show("/databases/main/tls"), "null");
    assert_eq!(run.show("/databases/main/pooler/host"), "hosts/pool1");
    assert_eq!(run.show("/hosts/nfs1/network"), "networks/servers");
    assert_eq!(run.show("/hosts/win1/os/family"), "windows-server");
    assert_eq!(run.show("/products/portal/pack"), "portal");
    assert_eq!(run.show("/egress"), "none");
}

#[test]
fn a_swarm_site() {
    let run = run(include_str!("swarm.yaml")).clean();
    assert_eq!(run.show("/clusters/core/managers"), "[hosts/nu1]");
    assert_eq!(run.show("/clusters/core/node_labels/nu3"), "{type: worker, zone: a}");
    assert_eq!(run.show("/clusters/core/node_labels/nu2"), "{type: database, zone: a}");
    assert_eq!(run.show("/clusters/core/node_port_range"), "-");
    assert_eq!(run.show("/storage/data/clients"), "[hosts/tg1, hosts/tg2, hosts/tg3]");
    assert_eq!(run.show("/kernel/0/set"), "{net.ipv4.ip_local_port_range: [32768, 60999]}");
    assert_eq!(run.show("/hosts/nu4/public_addresses"), "[198.51.100.14]");
    assert_eq!(run.show("/products/edge/clusters/target"), "[clusters/target-a]");
}

#[test]
fn the_shortest_site() {
    run("sitec: 1\nsite: { name: a }\n").clean();
}
