//! Exports, tables of file systems and the ports of NFS servers.

use super::*;

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
