//! Names: of hosts by the rules of DNS, of what clusters hold by the rules of Kubernetes, of servers against their
//! certificates and against each other.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{label, place, told, words};
use crate::diag::codes::{HOST_NAME, KUBERNETES_NAME, NAME_NOT_COVERED, VIRTUAL_HOST_TWICE};
use crate::diag::{Diag, Findings, Level};
use crate::ir::{F, Ir};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{PlaceId, Sources};
use crate::value::{Ref, Str, Tracked, Value};

/// The longest label and the longest name of DNS.
const LABEL_MOST: usize = 63;
const NAME_MOST: usize = 253;
/// Helm keeps ten characters of a name for itself.
const RELEASE_MOST: usize = 53;
/// The jobs of a CronJob get eleven characters more.
const CRON_JOB_MOST: usize = 52;

/// Names that the site alone tells about.
pub fn names(site: &Site, sources: &Sources, findings: &mut Findings) {
    hosts(site, sources, findings);
    if let Some(proxy) = site.root.get("proxy") {
        let mut served: Vec<&Tracked> = proxy.get("server_name").into_iter().collect();
        served.extend(proxy.get("aliases").map(Tracked::items).unwrap_or_default());
        certificate("the proxy", proxy, &served, "/proxy", site, sources, findings);
    }
    for (name, database) in site.table("databases") {
        let Some(Value::Ref(host)) = database.get("host").map(|h| &h.value) else { continue };
        let served: Vec<&Tracked> =
            site.entry(&host.table, &host.name).and_then(|h| h.get("fqdn")).into_iter().collect();
        let at = pointer(&["databases", name]);
        certificate(&format!("the database server `{name}`"), database, &served, &at, site, sources, findings);
    }
}

/// Names that only the items of the `Ir` have.
pub fn of_items(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    virtual_hosts(ir, site, sources, findings);
    for namespace in &ir.namespaces {
        kubernetes("namespace", &namespace.name, LABEL_MOST, false, sources, findings);
    }
    for release in &ir.releases {
        kubernetes("Helm release", &release.name, RELEASE_MOST, true, sources, findings);
    }
    for volume in &ir.volumes {
        kubernetes("persistent volume", &volume.name, NAME_MOST, true, sources, findings);
        kubernetes("volume claim", &volume.claim, NAME_MOST, true, sources, findings);
    }
    for object in &ir.objects {
        let (most, dots) = match &**object.kind {
            "Service" | "Namespace" | "Job" => (LABEL_MOST, false),
            "CronJob" => (CRON_JOB_MOST, false),
            // Names of RBAC are free.
            "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => continue,
            _ => (NAME_MOST, true),
        };
        kubernetes(&object.kind, &object.name, most, dots, sources, findings);
    }
}

/// Why a text is no name of DNS.
fn fault(name: &str, most: usize, dots: bool, upper: bool) -> Option<String> {
    if name.len() > most {
        return Some(format!("it has {} characters, and {most} are the most", name.len()));
    }
    let labels: Vec<&str> = if dots { name.split('.').collect() } else { vec![name] };
    for part in labels {
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || *c == '-') || (c.is_ascii_uppercase() && !upper);
        if part.is_empty() {
            return Some("a part between its dots is empty".into());
        } else if part.len() > LABEL_MOST && upper {
            return Some(format!("a part of it has {} characters, and {LABEL_MOST} are the most", part.len()));
        } else if let Some(c) = part.chars().find(odd) {
            return Some(format!("`{c}` cannot be in it"));
        } else if part.starts_with('-') || part.ends_with('-') {
            return Some("no part of it may begin or end with `-`".into());
        }
    }
    None
}

/// Host names that DNS does not take; one finding per key of the spec, however many hosts it stands for.
fn hosts(site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut nodes: BTreeSet<Str> = BTreeSet::new();
    for (name, cluster) in site.table("clusters") {
        if cluster.get("kind").is_some_and(|kind| kind.value == Value::str("kubernetes")) {
            let (control_plane, workers) = site.cluster_nodes(name);
            nodes.extend(control_plane.into_iter().chain(workers).map(|n| n.value));
        }
    }
    // A faulty domain is in the full name of every host.
    let domain = site.root.get("site").and_then(|s| s.get("domain"));
    let why_not = domain.and_then(|d| fault(&d.value.text()?, NAME_MOST, true, true));
    if let (Some(domain), Some(why)) = (domain, &why_not) {
        let text = domain.value.text().unwrap_or_default();
        let diag = Diag::new(HOST_NAME, format!("the domain `{text}` is no part of a host name: {why}"));
        let diag = diag.at_maybe(place(&domain.origins, sources), "").pointer("/site/domain");
        findings.push(diag.help("names have letters, digits and `-`, at most 63 between two dots and 253 in all"));
    }
    let mut faulty: BTreeMap<Vec<PlaceId>, (&Str, &Tracked, String, bool, usize)> = BTreeMap::new();
    for (name, host) in site.table("hosts") {
        let full = host.get("fqdn").and_then(|f| f.value.text());
        let why = fault(name, NAME_MOST, true, true).or_else(|| {
            full.as_ref()
                .filter(|_| why_not.is_none())
                .and_then(|f| fault(f, NAME_MOST, true, true))
                .map(|w| format!("in its full name, {w}"))
        });
        let Some(why) = why else { continue };
        let entry = faulty.entry(host.origins.as_slice().to_vec()).or_insert((name, host, why, false, 0));
        entry.3 |= nodes.contains(name);
        entry.4 += 1;
    }
    for (name, host, why, node, count) in faulty.into_values() {
        let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
        let message = format!("`{name}`{more} is no host name: {why}");
        let level = if node { Level::Error } else { Level::Warning };
        let mut diag =
            Diag::with_code(HOST_NAME.row().code, level, message).at_maybe(place(&host.origins, sources), "");
        if node {
            diag = diag.note("it is a node of a Kubernetes cluster, which registers itself by this name");
        }
        diag.waivable = !node;
        let help = "names have letters, digits and `-`, at most 63 between two dots";
        findings.push(diag.pointer(pointer(&["hosts", name])).help(help));
    }
}

/// Names under which something is reached, against those of the certificate that it shows.
fn certificate(
    what: &str,
    entry: &Tracked,
    served: &[&Tracked],
    at: &str,
    site: &Site,
    sources: &Sources,
    findings: &mut Findings,
) {
    let Some(given) = entry.get("certificate") else { return };
    let Value::Ref(certificate) = &given.value else { return };
    let Ref { table, name } = &**certificate;
    let Some(names) = site.entry(table, name).and_then(|c| c.get("names")).filter(|n| !n.items().is_empty()) else {
        return;
    };
    let covers: Vec<Str> = names.items().iter().filter_map(|n| n.value.text()).collect();
    if covers.len() < names.items().len() {
        return;
    }
    for wanted in served {
        let Some(text) = wanted.value.text() else { continue };
        if covers.iter().any(|pattern| covered(&text, pattern)) {
            continue;
        }
        let message = format!("the certificate `{name}` is not valid for `{text}`, under which {what} is reached");
        let span = place(&wanted.origins, sources);
        let mut diag = Diag::new(NAME_NOT_COVERED, message).at_maybe(span, "");
        diag = label(diag, place(&names.items()[0].origins, sources), format!("it is for {}", words(&covers, 4)));
        diag = label(diag, place(&given.origins, sources), "the certificate");
        diag.waivable = true;
        if !told(findings, span) {
            findings.push(
                diag.pointer(at).help("have a certificate made that has the name; `*` stands for one label only"),
            );
        }
    }
}

/// Whether a name of a certificate covers a name; `*.acme.example` covers `a.acme.example` and not `a.b.acme.example`.
fn covered(name: &str, pattern: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, tail)| tail.eq_ignore_ascii_case(rest)) || name == pattern,
        None => name.eq_ignore_ascii_case(pattern),
    }
}

/// Two products behind one name on one port of a proxy: only the first is ever reached.
fn virtual_hosts(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, u16, String), &crate::ir::Proxy> = BTreeMap::new();
    // Of other kinds no configuration is made.
    for proxy in ir.proxies.iter().filter(|p| matches!(&*p.kind.value, "nginx" | "traefik")) {
        let key = (&*proxy.host.value, *proxy.port, proxy.server_name.to_lowercase());
        let Some(first) = seen.insert(key, proxy) else { continue };
        let message = format!(
            "`{}` and `{}` both are behind `{}` on port {} of proxy `{}`",
            *first.product, *proxy.product, *proxy.server_name, *proxy.port, *proxy.host
        );
        let mut diag = Diag::new(VIRTUAL_HOST_TWICE, message);
        for product in [&proxy.product, &first.product] {
            let entry = site.entry("products", product);
            diag = label(diag, entry.and_then(|p| place(&p.origins, sources)), format!("`{}`", product.value));
        }
        diag = label(diag, place(&proxy.server_name.origins, sources), "the name");
        diag.waivable = true;
        diag = diag.pointer("/proxy");
        findings.push(diag.help("a proxy serves one product per name: give one of them another proxy or another name"));
    }
}

/// A name that Kubernetes refuses.
fn kubernetes(kind: &str, name: &F<Str>, most: usize, dots: bool, sources: &Sources, findings: &mut Findings) {
    let Some(why) = fault(name, most, dots, false) else { return };
    let message = format!("`{}` is no name for a {kind}: {why}", name.value);
    let mut diag = Diag::new(KUBERNETES_NAME, message);
    for span in super::places::spec_spans(&name.origins, sources).into_iter().take(3) {
        diag = label(diag, Some(span), "");
    }
    let made = name.origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
    for span in made.filter(|s| sources.file(s.file).role == crate::source::Role::Pack).take(1) {
        diag = label(diag, Some(span), "the name is made here");
    }
    findings.push(diag.help("shorten the names that it is made of; lower case, digits and `-` are allowed"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_label() {
        assert!(covered("a.acme.example", "*.acme.example"));
        assert!(covered("A.acme.example", "a.ACME.example"));
        assert!(!covered("a.b.acme.example", "*.acme.example"));
        assert!(!covered("acme.example", "*.acme.example"));
        assert!(!covered("xacme.example", "acme.example"));
    }

    #[test]
    fn names_at_their_limits() {
        assert_eq!(fault(&"a".repeat(63), LABEL_MOST, false, false), None);
        assert!(fault(&"a".repeat(64), LABEL_MOST, false, false).is_some());
        assert_eq!(fault("w1.acme.example", NAME_MOST, true, true), None);
        assert_eq!(fault("W1", NAME_MOST, true, true), None);
        for wrong in ["w_1", "-w", "w-", "a..b", ""] {
            assert!(fault(wrong, NAME_MOST, true, true).is_some(), "{wrong}");
        }
        assert!(fault("W1", NAME_MOST, true, false).is_some());
    }
}
