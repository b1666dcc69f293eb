//! Versions and architectures that must go together, whatever the product: the tools with the cluster, the runtimes with
//! the cluster, the nodes with each other.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{label, place, told, words};
use crate::diag::codes::{MIXED_ARCH, RUNTIME, SKEW};
use crate::diag::{Diag, Findings};
use crate::ir::Ir;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{PlaceId, Sources};
use crate::value::{Str, Tracked, Value};

/// Clusters that one finding points at.
const SHOWN: usize = 8;

/// Checks all Kubernetes clusters of a site.
pub fn versions(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut versions = Vec::new();
    for (name, cluster) in site.table("clusters") {
        if !cluster.get("kind").is_some_and(|kind| kind.value == Value::str("kubernetes")) {
            continue;
        }
        // A version that a product refuses is one cause.
        if let Some(version) = cluster.get("version").filter(|v| !told(findings, place(&v.origins, sources))) {
            versions.push((name, version));
            runtimes(name, version, site, sources, findings);
        }
        architectures(name, ir, site, sources, findings);
    }
    tools(&versions, site, sources, findings);
}

/// The first two numbers of a version.
fn minor(value: &Tracked) -> Option<(u64, u64)> {
    match &value.value {
        Value::Version(version) => Some((*version.parts.first()?, *version.parts.get(1)?)),
        _ => None,
    }
}

/// A cluster and its version.
type Versioned<'a> = (&'a Str, &'a Tracked);

/// kubectl is good for the version of the cluster and one more to both sides, Helm 3 for four versions of Kubernetes.
/// Tools that the same clusters are too new or too old for are one finding, and so are all clusters of a tool.
fn tools(clusters: &[Versioned], site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut causes: Vec<(Vec<Versioned>, Vec<Tool>)> = Vec::new();
    for tool in ["kubectl", "helm"] {
        let Some(given) = site.root.get("tools").and_then(|t| t.get(tool)) else { continue };
        let (low, high) = match (tool, minor(given)) {
            ("kubectl", Some((1, own))) => (own.saturating_sub(1), own + 1),
            // Helm 3.4 was built for Kubernetes 1.19, and each one after it for the next.
            ("helm", Some((3, own))) if own >= 4 => (own + 12, own + 15),
            ("helm", Some((3, own))) => (13, (own + 16).min(18)),
            ("helm", Some((2, _))) => (1, 16),
            _ => continue,
        };
        let unfit =
            |(_, version): &&Versioned| minor(version).is_some_and(|(n, m)| n == 1 && !(low..=high).contains(&m));
        let unfit: Vec<Versioned> = clusters.iter().filter(unfit).copied().collect();
        if unfit.is_empty() || told(findings, place(&given.origins, sources)) {
            continue;
        }
        let tool = Tool { name: tool, given, low, high };
        let names = |list: &[Versioned]| list.iter().map(|(name, _)| (*name).clone()).collect::<Vec<_>>();
        match causes.iter_mut().find(|(of, _)| names(of) == names(&unfit)) {
            Some((_, tools)) => tools.push(tool),
            None => causes.push((unfit, vec![tool])),
        }
    }
    for (clusters, tools) in causes {
        findings.push(skew(&clusters, &tools, sources));
    }
}

/// A tool on the admin host, with the minor versions of Kubernetes that it is for.
struct Tool<'a> {
    name: &'static str,
    given: &'a Tracked,
    low: u64,
    high: u64,
}

fn skew(clusters: &[Versioned], tools: &[Tool], sources: &Sources) -> Diag {
    let text = |value: &Tracked| value.value.text().unwrap_or_default();
    let range = |(index, tool): (usize, &Tool)| {
        let of = if index == 0 { "is for Kubernetes" } else { "for" };
        format!("{} {} {of} 1.{} to 1.{}", tool.name, text(tool.given), tool.low, tool.high)
    };
    let ranges = tools.iter().enumerate().map(range).collect::<Vec<_>>().join(", ");
    let names = words(clusters.iter().map(|(name, _)| name), 4);
    let versions: BTreeSet<Str> = clusters.iter().map(|(_, version)| text(version)).collect();
    let have = match (clusters.len(), versions.first(), versions.len()) {
        (1, Some(one), _) => format!("cluster {names} has {one}"),
        (_, Some(one), 1) => format!("the clusters {names} have {one}"),
        _ => format!("the clusters {names} have others"),
    };
    let mut diag = Diag::new(SKEW, format!("{ranges}, and {have}"));
    for tool in tools {
        diag = label(diag, place(&tool.given.origins, sources), "");
    }
    for (name, version) in clusters.iter().take(SHOWN) {
        let what = if clusters.len() == 1 { "the cluster".to_owned() } else { format!("`{name}`") };
        diag = label(diag, place(&version.origins, sources), what);
    }
    diag.waivable = true;
    let (at, others): (Vec<&str>, Vec<String>) = match tools {
        [one] => (vec!["tools", one.name], vec![format!("another {}", one.name)]),
        all => (vec!["tools"], all.iter().map(|t| format!("another {}", t.name)).collect()),
    };
    diag.pointer(pointer(&at)).help(format!("install {} on the admin host", others.join(" and ")))
}

/// Kubernetes 1.24 and later speaks to runtimes through CRI only, from 1.26 on through its version 1.
fn runtimes(name: &Str, version: &Tracked, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some((1, of_cluster)) = minor(version) else { return };
    let (control_plane, workers) = site.cluster_nodes(name);
    let mut found: BTreeMap<Vec<PlaceId>, (&Tracked, String, Vec<Str>)> = BTreeMap::new();
    for node in control_plane.into_iter().chain(workers) {
        let Some(runtime) = site.entry("hosts", &node.value).and_then(|h| h.get("runtime")) else { continue };
        let Some(kind) = runtime.get("kind") else { continue };
        let old = runtime.get("version").filter(|v| minor(v).is_some_and(|m| m < (1, 6)));
        let (at, why) = match (&*kind.value.text().unwrap_or_default(), old) {
            ("docker", _) if of_cluster >= 24 => (kind, "speaks to no Docker by itself since 1.24".to_string()),
            ("containerd", Some(old)) if of_cluster >= 26 => {
                (old, format!("needs containerd 1.6, not {}", old.value.text().unwrap_or_default()))
            }
            _ => continue,
        };
        if runtime.get("version").is_some_and(|v| told(findings, place(&v.origins, sources))) {
            continue;
        }
        found.entry(at.origins.as_slice().to_vec()).or_insert((at, why, Vec::new())).2.push(node.value);
    }
    for (at, why, mut nodes) in found.into_values() {
        let span = place(&at.origins, sources);
        if told(findings, span) {
            continue;
        }
        nodes.dedup();
        let wants = version.value.text().unwrap_or_default();
        let message = format!("the kubelet of {} ({wants}) {why}", words(&nodes, 4));
        let mut diag = Diag::new(RUNTIME, message).at_maybe(span, "");
        diag = label(diag, place(&version.origins, sources), "the version of the cluster");
        diag.waivable = true;
        let at = pointer(&["hosts", nodes.first().map_or("", |n| n), "runtime"]);
        findings.push(diag.pointer(at).help("use containerd 1.6 or later; with cri-dockerd in between, waive this"));
    }
}

/// Workers of one cluster that run on unlike processors.
fn architectures(name: &Str, ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let (_, workers) = site.cluster_nodes(name);
    let mut found: BTreeMap<Str, Vec<(Str, &Tracked)>> = BTreeMap::new();
    for node in &workers {
        let arch = site.entry("hosts", &node.value).and_then(|h| h.get("arch"));
        if let Some((arch, text)) = arch.and_then(|a| Some((a, a.value.text()?))) {
            found.entry(text).or_default().push((node.value.clone(), arch));
        }
    }
    if found.len() < 2 {
        return;
    }
    // Where every image says what it is made for, each has been held against the hosts.
    let own: BTreeSet<&Str> = workers.iter().map(|w| &w.value).collect();
    let mut judged = ir.images.iter().filter(|image| image.nodes.iter().any(|n| own.contains(n))).peekable();
    if judged.peek().is_some() && judged.all(|image| !image.architectures.is_empty()) {
        return;
    }
    let mut kinds: Vec<(&Str, &Vec<(Str, &Tracked)>)> = found.iter().collect();
    kinds.sort_by_cached_key(|(arch, nodes)| (nodes.len(), (*arch).clone()));
    let list: Vec<String> = kinds.iter().map(|(arch, nodes)| format!("{} {arch}", nodes.len())).collect();
    let message = format!("the workers of cluster `{name}` have unlike processors: {}", list.join(", "));
    let mut diag = Diag::new(MIXED_ARCH, message);
    for (arch, nodes) in kinds {
        let Some((node, at)) = nodes.first() else { continue };
        diag = label(diag, place(&at.origins, sources), format!("`{node}` is {arch}"));
    }
    diag.waivable = true;
    let help =
        "an image is made for one of them unless its vendor says otherwise: keep to one, or choose nodes by label";
    findings.push(diag.pointer(pointer(&["clusters", name, "workers"])).help(help));
}
