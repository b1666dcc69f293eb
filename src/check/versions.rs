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

/// Checks all Kubernetes clusters of a site.
pub fn versions(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, cluster) in site.table("clusters") {
        if !cluster.get("kind").is_some_and(|kind| kind.value == Value::str("kubernetes")) {
            continue;
        }
        // A version that a product refuses is one cause.
        if let Some(version) = cluster.get("version").filter(|v| !told(findings, place(&v.origins, sources))) {
            tools(name, version, site, sources, findings);
            runtimes(name, version, site, sources, findings);
        }
        architectures(name, ir, site, sources, findings);
    }
}

/// The first two numbers of a version.
fn minor(value: &Tracked) -> Option<(u64, u64)> {
    match &value.value {
        Value::Version(version) => Some((*version.parts.first()?, *version.parts.get(1)?)),
        _ => None,
    }
}

/// kubectl is good for the version of the cluster and one more to both sides, Helm 3 for four versions of Kubernetes.
fn tools(name: &Str, version: &Tracked, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some((1, of_cluster)) = minor(version) else { return };
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
        let span = place(&given.origins, sources);
        if (low..=high).contains(&of_cluster) || told(findings, span) {
            continue;
        }
        let (has, wants) = (given.value.text().unwrap_or_default(), version.value.text().unwrap_or_default());
        let message = format!("{tool} {has} is for Kubernetes 1.{low} to 1.{high}, and cluster `{name}` has {wants}");
        let mut diag = Diag::new(SKEW, message).at_maybe(span, "");
        diag = label(diag, place(&version.origins, sources), "the cluster");
        diag.waivable = true;
        findings
            .push(diag.pointer(pointer(&["tools", tool])).help(format!("install another {tool} on the admin host")));
    }
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
