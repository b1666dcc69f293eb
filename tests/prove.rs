//! Breaks every line of what is emitted for the fixtures, in several ways, and asserts that the proof notices.

use sitec::artifact::ArtifactTree;
use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::diag::Findings;
use sitec::ir::Ir;
use sitec::prove;

/// About how many lines of a table are broken; other files are broken at every line.
const TABLE_LINES_MAX: usize = 8;

/// The same of NetworkPolicies, of which a product has dozens.
const POLICY_LINES_MAX: usize = 120;

/// What a site without WebSocket says of headers and versions of HTTP is not compared yet.
const ALL_BUT_NGINX: [&str; 12] =
    ["csv", "exports", "fstab", "ini", "markdown", "nft", "pg_hba", "shell", "sql", "systemd", "text", "yaml"];

fn compiled(site: &str) -> (Ir, ArtifactTree) {
    let read = |path: &str| std::fs::read(path).map_err(|e| e.to_string());
    let entry = format!("{}/fixtures/{site}/site.yaml", env!("CARGO_MANIFEST_DIR"));
    let c: Compilation = compile(&Inputs { entry, read: &read, packs: &[], depth: Depth::Build, threads: 1 });
    // Not even a warning: a path that may wait for an answer is a bug in a fixture.
    let errors: Vec<&str> =
        c.findings.iter().filter(|d| d.code.starts_with("S08")).map(|d| d.message.as_str()).collect();
    assert_eq!(errors, [""; 0], "{site}");
    (c.ir.expect("an Ir"), c.tree.expect("a tree"))
}

/// The part of a site that one file is compared with: its neighbours in the tree, and their items.
fn part(ir: &Ir, tree: &ArtifactTree, path: &str) -> Option<(Ir, ArtifactTree)> {
    let mut part = Ir::default();
    let artifact = &tree.files[path];
    let keep: Box<dyn Fn(&str) -> bool> = match path.split('/').next() {
        Some("clusters") => {
            part.volumes.clone_from(&ir.volumes);
            part.namespaces.clone_from(&ir.namespaces);
            part.objects.clone_from(&ir.objects);
            part.network_policies.clone_from(&ir.network_policies);
            part.flows.clone_from(&ir.flows);
            Box::new(|p| p.starts_with("clusters/"))
        }
        Some("helm") => {
            part.releases.clone_from(&ir.releases);
            Box::new(|p| p.starts_with("helm/"))
        }
        Some("firewall") => {
            part.flows.clone_from(&ir.flows);
            part.zones.clone_from(&ir.zones);
            part.zone_flows.clone_from(&ir.zone_flows);
            part.host_flows.clone_from(&ir.host_flows);
            let word = prove::table_of(path);
            part.flow_tables = ir.flow_tables.iter().filter(|t| Some(&**t.name) == word).cloned().collect();
            Box::new(move |p| prove::table_of(p) == word)
        }
        _ if of_database(path) => {
            part.database_servers.clone_from(&ir.database_servers);
            part.poolers.clone_from(&ir.poolers);
            Box::new(of_database)
        }
        _ if path == "secrets.sh" => {
            part.secrets.clone_from(&ir.secrets);
            part.secret_objects.clone_from(&ir.secret_objects);
            Box::new(|p| p == "secrets.sh")
        }
        Some("images") if *artifact.format != *"shell" => {
            part.mirrors.clone_from(&ir.mirrors);
            Box::new(|p| p.starts_with("images/"))
        }
        Some("hosts") if artifact.host.is_some() && *artifact.format != *"shell" => {
            let host = artifact.host.clone().expect("just seen");
            part.exports = ir.exports.iter().filter(|i| *i.host == host).cloned().collect();
            part.filesystems = ir.filesystems.iter().filter(|i| *i.host == host).cloned().collect();
            part.nfs_servers = ir.nfs_servers.iter().filter(|i| *i.host == host).cloned().collect();
            part.firewalls = ir.firewalls.iter().filter(|i| *i.host == host).cloned().collect();
            part.units = ir.units.iter().filter(|i| *i.host == host).cloned().collect();
            part.kernel = ir.kernel.iter().filter(|i| *i.host == host).cloned().collect();
            part.modules = ir.modules.iter().filter(|i| *i.host == host).cloned().collect();
            part.clocks = ir.clocks.iter().filter(|i| *i.host == host).cloned().collect();
            part.proxies = ir.proxies.iter().filter(|i| *i.host == host).cloned().collect();
            // Scripts speak of the flows of the whole site.
            let is_script = |p: &str| *tree.files[p].format == *"shell";
            Box::new(move |p| tree.files[p].host.as_ref() == Some(&host) && !of_database(p) && !is_script(p))
        }
        _ => return None,
    };
    let mut small = ArtifactTree { site: tree.site.clone(), ..ArtifactTree::default() };
    small.files = tree.files.iter().filter(|(p, _)| keep(p)).map(|(p, a)| (p.clone(), a.clone())).collect();
    Some((part, small))
}

/// What is written from the database servers and poolers of a site.
fn of_database(path: &str) -> bool {
    [".sql", "/pg_hba.conf", "/pgbouncer.ini"].iter().any(|end| path.ends_with(end))
}

fn bugs(ir: &Ir, tree: &ArtifactTree) -> usize {
    let mut findings = Findings::default();
    prove::prove(ir, tree, &mut findings);
    findings.iter().filter(|d| prove::is_bug(d)).count()
}

/// Lines that may be another way without a difference between what is said and what is meant: comments, and settings
/// that stand for no item.
fn is_neutral(format: &str, line: &str) -> bool {
    let line = line.trim();
    match format {
        _ if line.is_empty() || line.starts_with('#') || line == "---" => true,
        "nginx" => ["least_conn", "keepalive", "ssl_protocols", "ssl_session_", "proxy_request_buffering"]
            .iter()
            .chain(&["proxy_read_timeout", "proxy_send_timeout", "proxy_next_upstream", "proxy_busy_buffers_size"])
            .chain(&["proxy_set_header X-Forwarded-Host", "proxy_set_header X-Forwarded-Port", "\"\" "])
            .any(|word| line.starts_with(word)),
        "sql" => line.starts_with("--"),
        // Of a script the lines that name items; what it does with them is the same at every site.
        "shell" => !["\"$1\" ", "tls ", "registry ", "opaque ", "on_host "].iter().any(|word| line.starts_with(word)),
        "ini" => ["; ", "makestep", "rtcsync", "logdir"].iter().any(|word| line.starts_with(word)),
        // What is logged is dropped all the same.
        "nft" => line == "ct state invalid drop" || line.contains("limit rate "),
        "xml" => ["<?xml", "<!--", "<log ", "<limit ", "</log>"].iter().any(|word| line.starts_with(word)),
        "powershell" => line.contains("-LogBlocked True"),
        "iptables" => line.ends_with("--ctstate INVALID -j DROP") || line.contains(" -j LOG "),
        "markdown" => !line.starts_with("| ") || line.starts_with("| ---") || line.starts_with("| product"),
        "yaml" => [
            "watch:",
            "interval:",
            "timeout:",
            "minVersion:",
            "level:",
            "accessLog:",
            "log:",
            "default:",
            "options:",
            "passHostHeader: true",
        ]
        .iter()
        .any(|word| line.starts_with(word)),
        _ => false,
    }
}

/// Every way in which a line is broken here, each with its name.
fn broken(line: &str) -> Vec<(&'static str, String)> {
    let mut list = vec![("deleted", String::new()), ("written twice", format!("{line}{line}"))];
    // Numbers, one by one; of many, the first and the last ones.
    let bytes = line.as_bytes();
    let ends = |i: &usize| bytes[*i].is_ascii_digit() && !bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
    let numbers: Vec<usize> = (0..bytes.len()).filter(ends).collect();
    for (_, &i) in numbers.iter().enumerate().filter(|(n, _)| *n < 4 || n + 4 >= numbers.len()) {
        let mut changed = bytes.to_vec();
        changed[i] = if bytes[i] == b'9' { b'8' } else { bytes[i] + 1 };
        list.push(("with another number", String::from_utf8(changed).expect("ASCII for ASCII")));
    }
    for (from, to) in
        [("tcp", "udp"), ("udp", "tcp"), ("saddr", "daddr"), ("accept", "drop"), ("drop", "accept"), ("rw,", "ro,")]
    {
        if line.contains(from) {
            list.push(("with another word", line.replacen(from, to, 1)));
        }
    }
    for (from, to) in [("(", " ("), (",", " , "), ("  ", " "), ("\"", "'\"")] {
        if line.contains(from) {
            list.push(("with other blanks", line.replacen(from, to, 1)));
        }
    }
    list
}

/// Blanks and quotes that a format's readers do not mind, and numbers in what is only a comment.
fn is_same(format: &str, how: &str, line: &str, changed: &str) -> bool {
    let words = |s: &str| s.replace([' ', '\t'], "");
    match how {
        "with other blanks" if !matches!(format, "csv" | "exports") => {
            words(line).replace(',', " ") == words(changed).replace(',', " ") || format == "markdown"
        }
        "with other blanks" => line == changed,
        // A rule that stands twice permits nothing more.
        "written twice" if format == "iptables" => line.starts_with("-A "),
        "with another number" if format == "iptables" => {
            let rule = |line: &str| line.split(" --comment ").next().map(str::to_owned);
            line.contains(" --comment ") && rule(line) == rule(changed)
        }
        "written twice" if format == "powershell" => line.contains("DisplayName = 'sitec: ICMP"),
        "with another number" if format == "powershell" => {
            let rule = |line: &str| line.split_once("; ").map(|(_, rest)| rest.to_owned());
            line.contains("DisplayName") && rule(line) == rule(changed)
        }
        "with another number" if format == "nft" => line.split(" comment ").next() == changed.split(" comment ").next(),
        // Only that there is a passive check is compared, not its figures.
        "with another number" if format == "nginx" && line.contains("max_fails") => {
            line.split(" max_fails").next() == changed.split(" max_fails").next()
        }
        "with another number" if format == "nginx" => {
            ["http_upgrade", "http2", "proxy_buffers 4"].iter().any(|word| line.contains(word))
        }
        "written twice" => matches!(format, "nft"),
        "with another word" if format == "nft" => {
            line.contains(" comment ") && { line.split(" comment ").next() == changed.split(" comment ").next() }
        }
        _ => false,
    }
}

fn assert_every_line_counts(site: &str, formats: &[&str]) {
    let (ir, tree) = compiled(site);
    let (mut unnoticed, mut tried) = (Vec::new(), 0);
    let mut seen_hosts = std::collections::BTreeMap::new();
    for (path, artifact) in &tree.files {
        if *artifact.pack != *"base" || !(formats.is_empty() || formats.contains(&&*artifact.format)) {
            continue;
        }
        // Two hosts of a kind are enough.
        let last = path.rsplit('/').next().unwrap_or_default().to_owned();
        if path.starts_with("hosts/") && path.contains("/root/") {
            let count = seen_hosts.entry(last).or_insert(0);
            *count += 1;
            if *count > 2 {
                continue;
            }
        }
        let Some((ir, mut small)) = part(&ir, &tree, path) else { continue };
        assert_eq!(bugs(&ir, &small), 0, "{path}");
        let text = String::from_utf8(artifact.bytes.clone()).expect("text");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // A table is the same on every line: a part of them is enough.
        let step = match () {
            () if path.starts_with("firewall/") => lines.len() / TABLE_LINES_MAX + 1,
            () if path.ends_with("/60-network-policies.yaml") => lines.len() / POLICY_LINES_MAX + 1,
            () => 1,
        };
        let counting = lines.iter().enumerate().filter(|(_, l)| !is_neutral(&artifact.format, l));
        for (i, line) in counting.step_by(step) {
            for (how, changed) in broken(line) {
                if is_same(&artifact.format, how, line, &changed) {
                    continue;
                }
                tried += 1;
                let mut parts = lines.clone();
                parts[i] = &changed;
                small.files.get_mut(path).expect("the file").bytes = parts.concat().into_bytes();
                if bugs(&ir, &small) == 0 {
                    unnoticed.push(format!("{path}:{} {how}: {} → {}", i + 1, line.trim(), changed.trim()));
                }
            }
        }
    }
    println!("{site}: {tried} mutations");
    assert_eq!(unnoticed, [""; 0], "{} of {tried} go unnoticed", unnoticed.len());
    assert!(tried > 100, "only {tried} mutations");
}

#[test]
fn every_line_of_the_production_site_counts() {
    assert_every_line_counts("pseven-production", &[]);
}

#[test]
fn every_line_of_the_traefik_site_counts() {
    assert_every_line_counts("pseven-traefik", &[]);
}

#[test]
fn every_line_of_the_airgapped_site_counts() {
    assert_every_line_counts("demo-airgapped", &ALL_BUT_NGINX);
}

#[test]
fn every_line_of_every_firewall_counts() {
    assert_every_line_counts("firewalls", &["nft", "iptables", "xml", "powershell", "csv", "markdown"]);
}

#[test]
fn every_line_of_the_native_site_counts() {
    assert_every_line_counts("pseven-native", &[]);
}

#[test]
fn every_line_of_the_test_site_counts() {
    assert_every_line_counts("pseven-test", &[]);
}

#[test]
fn every_line_of_the_demo_site_counts() {
    assert_every_line_counts("demo", &ALL_BUT_NGINX);
}
