//! Units, kernel parameters, names of files, and the tree as a whole.

use super::*;

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
