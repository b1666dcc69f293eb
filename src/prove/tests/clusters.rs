//! Objects and values of clusters.

use super::*;

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
                value("images.tag", "1.30".parse::<crate::value::Version>().expect("a version").into(), None),
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
