//! Emitted Kubernetes objects and Helm values against the `Ir`, both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::bugs::{At, Bugs, joined};
use super::fault::Fault;
use super::kubernetes::{self, ClaimText, KubeObject, VolumeText};
use super::yaml::{self, Document};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{HelmRelease, HelmValue, Ir, Object, Volume};
use crate::node::{Data, Node};
use crate::value::Value;

/// What identifies an object: cluster, namespace, kind, name.
type Key = (String, Option<String>, String, String);

/// Everything below `clusters/`.
pub fn objects(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<Key, (&Emitted, KubeObject)> = BTreeMap::new();
    for file in texts.of(Format::Yaml) {
        let Some(cluster) = file.path.strip_prefix("clusters/").and_then(|p| p.split('/').next()) else { continue };
        if ir.releases.iter().any(|r| &**r.path == file.path) {
            // Read with the values.
            continue;
        }
        let objects = match file.is_own() {
            true => file.read(kubernetes::read, bugs),
            false => file.read(kubernetes::read_any, bugs),
        };
        for object in objects.unwrap_or_default() {
            let key = (cluster.to_owned(), object.namespace.clone(), object.kind.clone(), object.name.clone());
            let (line, what) = (object.line, show(&key));
            if let Some((other, _)) = found.insert(key, (file, object)) {
                bugs.wrong(file.at(line), &format!("{what} is in `{}` as well", other.path));
            }
        }
    }
    if found.is_empty() && texts.of(Format::Yaml).all(|f| !f.path.starts_with("clusters/")) {
        // Nothing of this kind is emitted for the site.
        return;
    }
    for volume in &ir.volumes {
        volume_pair(volume, &mut found, bugs);
    }
    namespaces(ir, &mut found, bugs);
    for object in &ir.objects {
        let namespace = object.namespace.as_ref().map(|n| n.to_string());
        let key = (object.cluster.to_string(), namespace, object.kind.to_string(), object.name.to_string());
        match found.remove(&key) {
            Some((file, text)) => object_body(file, object, &text, bugs),
            None => bugs.missing(&format!("clusters/{}", key.0), &show(&key)),
        }
    }
    // What packs write by themselves is read and no more; our own templates write nothing but items.
    for (key, (file, object)) in found {
        // The room of policies speaks of these.
        if file.is_own() && key.2 == "NetworkPolicy" {
            continue;
        }
        if file.is_own() || matches!(&*key.2, "PersistentVolume" | "PersistentVolumeClaim") {
            bugs.extra(file.at(object.line), &show(&key));
        }
    }
}

/// All namespaces of a cluster or, where somebody else makes them, none.
fn namespaces(ir: &Ir, found: &mut BTreeMap<Key, (&Emitted, KubeObject)>, bugs: &mut Bugs) {
    let with: BTreeSet<String> = found.keys().filter(|k| k.2 == "Namespace").map(|k| k.0.clone()).collect();
    for namespace in &ir.namespaces {
        let key = (namespace.cluster.to_string(), None, "Namespace".to_owned(), namespace.name.to_string());
        match found.remove(&key) {
            Some((file, object)) => {
                if let Err(fault) = kubernetes::core(&object).and_then(|()| kubernetes::cluster_wide(&object)) {
                    bugs.unreadable(file.path, &fault);
                }
                metadata(file, &object, [("labels", &namespace.labels.value)], bugs);
            }
            None if with.contains(&key.0) => bugs.missing(&format!("clusters/{}", key.0), &show(&key)),
            None => {}
        }
    }
}

fn show((cluster, namespace, kind, name): &Key) -> String {
    match namespace {
        Some(namespace) => format!("the {kind} `{name}` in namespace `{namespace}` of cluster `{cluster}`"),
        None => format!("the {kind} `{name}` of cluster `{cluster}`"),
    }
}

fn volume_pair(meant: &Volume, found: &mut BTreeMap<Key, (&Emitted, KubeObject)>, bugs: &mut Bugs) {
    let cluster = meant.cluster.to_string();
    let key = (cluster.clone(), None, "PersistentVolume".to_owned(), meant.name.to_string());
    match found.remove(&key) {
        None => bugs.missing(&format!("clusters/{cluster}"), &show(&key)),
        Some((file, object)) => match kubernetes::volume(&object) {
            Err(fault) => bugs.unreadable(file.path, &fault),
            Ok(volume) => volume_fields(file.at(object.line), &volume, meant, bugs),
        },
    }
    let namespace = Some(meant.namespace.to_string());
    let key = (cluster.clone(), namespace, "PersistentVolumeClaim".to_owned(), meant.claim.to_string());
    match found.remove(&key) {
        None => bugs.missing(&format!("clusters/{cluster}"), &show(&key)),
        Some((file, object)) => match kubernetes::claim(&object) {
            Err(fault) => bugs.unreadable(file.path, &fault),
            Ok(claim) => claim_fields(file.at(object.line), &claim, meant, bugs),
        },
    }
}

fn same(at: At, what: &str, of: &str, found: &str, meant: &str, bugs: &mut Bugs) {
    bugs.same(at, &|| format!("the {what} of `{of}`"), found, meant, &|t| t.to_owned());
}

fn volume_fields(at: At, found: &VolumeText, meant: &Volume, bugs: &mut Bugs) {
    let name = &found.name;
    same(at, "size", name, &found.size, &meant.size, bugs);
    same(at, "access modes", name, &joined(&found.access), &meant.access, bugs);
    same(at, "server", name, &found.server, &meant.server, bugs);
    same(at, "path", name, &found.path, &meant.path, bugs);
    same(at, "storage class", name, &found.class, &meant.class, bugs);
    same(at, "mount options", name, &joined(&found.mount_options), &joined(&meant.mount_options), bugs);
    if let Some((namespace, claim)) = &found.reserved_for {
        same(at, "reserved namespace", name, namespace, &meant.namespace, bugs);
        same(at, "reserved claim", name, claim, &meant.claim, bugs);
    }
}

fn claim_fields(at: At, found: &ClaimText, meant: &Volume, bugs: &mut Bugs) {
    let name = &found.name;
    same(at, "size", name, &found.size, &meant.size, bugs);
    same(at, "access modes", name, &joined(&found.access), &meant.access, bugs);
    same(at, "storage class", name, &found.class, &meant.class, bugs);
    same(at, "volume", name, &found.volume, &meant.name, bugs);
}

/// Labels and annotations, each as a whole.
fn metadata<'m>(
    file: &Emitted,
    found: &KubeObject,
    meant: impl IntoIterator<Item = (&'static str, &'m Value)>,
    bugs: &mut Bugs,
) {
    for (key, meant) in meant {
        let node = found.document.root.pointer(&format!("/metadata/{key}"));
        let same = match node {
            Some(node) => yaml::holds(node, meant),
            None => matches!(meant, Value::Map(map) if map.is_empty()),
        };
        if !same {
            let line = found.document.line(node.unwrap_or(&found.document.root));
            bugs.wrong(
                file.at(line),
                &format!("the {key} of the {} `{}` are not what was meant", found.kind, found.name),
            );
        }
    }
}

fn object_body(file: &Emitted, meant: &Object, found: &KubeObject, bugs: &mut Bugs) {
    let at = file.at(found.line);
    same(at, "API version", &found.name, &found.api_version, &meant.api_version, bugs);
    metadata(file, found, [("labels", &meant.labels.value), ("annotations", &meant.annotations.value)], bugs);
    let body = match &meant.body.value {
        crate::value::Value::Map(map) => map,
        _ => return,
    };
    for entry in found.document.root.entries() {
        let key = &*entry.key;
        if matches!(key, "apiVersion" | "kind" | "metadata") {
            continue;
        }
        let at = file.at(found.document.line(&entry.value));
        match body.get(key) {
            None => bugs.extra(at, &format!("`{key}` in the {} `{}`", found.kind, found.name)),
            Some(value) if yaml::holds(&entry.value, &value.value) => {}
            Some(_) => bugs.wrong(at, &format!("`{key}` of the {} `{}` is not what was meant", found.kind, found.name)),
        }
    }
    for key in body.keys().filter(|k| !matches!(&***k, "apiVersion" | "kind" | "metadata")) {
        if found.document.root.get(key).is_none() {
            bugs.wrong(at, &format!("the {} `{}` lacks `{key}`", found.kind, found.name));
        }
    }
}

/// The values files of every release.
pub fn values(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut files: BTreeMap<&str, &Emitted> = BTreeMap::new();
    for file in texts.of(Format::Yaml) {
        if file.path.starts_with("helm/") && file.path.ends_with("/values.yaml") {
            files.insert(file.path, file);
        }
    }
    for release in &ir.releases {
        files.remove(&**release.path);
        match texts.of(Format::Yaml).find(|file| file.path == &**release.path) {
            None => bugs.missing(&release.path, "the values of a release"),
            Some(file) => {
                let Some(document) = file.read(yaml::one, bugs) else { continue };
                match (&**release.by, document) {
                    ("flux", Some(document)) => custom_resource(file, &document, release, bugs),
                    (_, document) => values_of(file, document.as_ref(), None, release, bugs),
                }
            }
        }
    }
    for (release, file) in files.into_iter().filter(|(_, file)| file.is_own()) {
        bugs.extra(file.at(0), &format!("values of the release `{release}`"));
    }
}

/// A HelmRelease: its names, its specification, and the values in it.
fn custom_resource(file: &Emitted, document: &Document, release: &HelmRelease, bugs: &mut Bugs) {
    for (pointer, meant) in
        [("/kind", "HelmRelease"), ("/metadata/name", &**release.name), ("/metadata/namespace", &**release.namespace)]
    {
        let found = document.root.pointer(pointer);
        let line = document.line(found.unwrap_or(&document.root));
        let found = found.and_then(Node::scalar_text).map_or("", |t| t);
        same(file.at(line), pointer, &release.name, found, meant, bugs);
    }
    let spec = document.root.get("spec");
    for entry in spec.map(Node::entries).unwrap_or_default() {
        let at = file.at(document.line(&entry.value));
        let meant = match &release.spec.value {
            Value::Map(map) => map.get(&entry.key),
            _ => None,
        };
        match (&*entry.key, meant) {
            ("values", _) => values_of(file, Some(document), Some(&entry.value), release, bugs),
            ("valuesFrom", None) => values_from(at, &entry.value, release, bugs),
            (_, Some(meant)) if yaml::holds(&entry.value, &meant.value) => {}
            (key, Some(_)) => bugs.wrong(at, &format!("`{key}` is not what was meant")),
            (key, None) => bugs.extra(at, &format!("`{key}`")),
        }
    }
    if let Value::Map(map) = &release.spec.value {
        for key in map.keys().filter(|k| spec.is_none_or(|s| s.get(k).is_none())) {
            bugs.missing(file.path, &format!("`{key}`"));
        }
    }
}

/// The values that come from Secrets, in their order.
fn values_from(at: At, found: &Node, release: &HelmRelease, bugs: &mut Bugs) {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::scalar_text).map(|t| t.to_string());
    let found: Vec<_> = found
        .items()
        .iter()
        .map(|n| (text(n, "kind"), text(n, "name"), text(n, "valuesKey"), text(n, "targetPath")))
        .collect();
    let meant: Vec<_> = release
        .values
        .iter()
        .filter(|v| v.object.is_some())
        .map(|v| {
            let some = |field: &Option<crate::value::Str>| field.as_ref().map(ToString::to_string);
            (Some("Secret".to_owned()), some(&v.object), some(&v.object_key), Some(v.key.to_string()))
        })
        .collect();
    if found != meant {
        bugs.wrong(at, "the values from Secrets are not those that were meant");
    }
}

fn values_of(
    file: &Emitted,
    document: Option<&Document>,
    within: Option<&Node>,
    release: &HelmRelease,
    bugs: &mut Bugs,
) {
    let root = within.or(document.map(|d| &d.root));
    let mut proven: BTreeSet<usize> = BTreeSet::new();
    // A key that stands twice has its last value, as the site's own values come last.
    let values: BTreeMap<&str, &HelmValue> = release.values.iter().map(|v| (&*v.key.value, &**v)).collect();
    for (key, value) in values {
        let node = root.and_then(|root| at_key(root, key));
        let held_back = value.question.as_ref().or(value.secret.as_ref()).or(value.object.as_ref());
        match (node, held_back) {
            (None, None) => bugs.missing(file.path, &format!("the value `{key}`")),
            (None, Some(_)) => {}
            (Some(node), held_back) => {
                let at = file.at(document.map_or(0, |d| d.line(node)));
                if held_back.is_some() {
                    bugs.wrong(at, &format!("the value `{key}` is set, and it is a question or a secret"));
                } else if !yaml::holds(node, &value.value.value) {
                    let meant = value.value.value.text().map_or_else(|| "another one".to_owned(), |t| format!("`{t}`"));
                    let found = yaml::show(node);
                    bugs.wrong(at, &format!("the value `{key}` is {found}, and {meant} was meant"));
                }
                proven.insert(std::ptr::from_ref(node).addr());
            }
        }
    }
    if let (Some(document), Some(root)) = (document, root) {
        match root.data {
            Data::Map(_) => extra_values(file, document, root, &mut String::new(), &proven, bugs),
            _ => bugs.unreadable(file.path, &Fault::new(1, "the values are not a map")),
        }
    }
}

/// The node of a dotted path; a dot that belongs to a key has a backslash before it.
fn at_key<'n>(root: &'n Node, key: &str) -> Option<&'n Node> {
    let mut node = root;
    for step in key_steps(key) {
        node = match &node.data {
            Data::List(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => node.get(&step)?,
        };
    }
    Some(node)
}

fn key_steps(key: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('.')) => {
                chars.next();
                push(&mut steps, '.');
            }
            ('.', _) => steps.push(String::new()),
            (c, _) => push(&mut steps, c),
        }
    }
    steps
}

fn push(steps: &mut [String], c: char) {
    if let Some(last) = steps.last_mut() {
        last.push(c);
    }
}

/// Reports every leaf that no value of the release stands for.
fn extra_values(
    file: &Emitted,
    document: &Document,
    node: &Node,
    path: &mut String,
    proven: &BTreeSet<usize>,
    bugs: &mut Bugs,
) {
    if proven.contains(&std::ptr::from_ref(node).addr()) {
        return;
    }
    let (entries, items) = (node.entries(), node.items());
    if entries.is_empty() && items.is_empty() {
        bugs.extra(file.at(document.line(node)), &format!("the value `{path}`"));
    }
    let length = path.len();
    let steps = entries.iter().map(|e| (e.key.to_string(), &e.value));
    for (step, below) in steps.chain(items.iter().enumerate().map(|(i, item)| (i.to_string(), item))) {
        if length > 0 {
            path.push('.');
        }
        path.push_str(&step);
        extra_values(file, document, below, path, proven, bugs);
        path.truncate(length);
    }
}
