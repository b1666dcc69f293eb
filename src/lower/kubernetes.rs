//! Namespaces, volumes and objects.

use std::sync::Arc;

use super::documents::merged;
use super::items::Item;
use super::layout::Page;
use super::merge::merge_field;
use super::peers::deep_origins;
use crate::emit::escape::Format;
use crate::instance::Run;
use crate::ir::{F, Namespace, Object, TextLine, Volume};
use crate::site::Site;
use crate::source::Span;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// Namespaces, once each, with the labels of all who want one.
pub fn namespaces(items: &[Item], run: &mut Run) -> Vec<Arc<Namespace>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(cluster), Some(name)) = (item.text("cluster", run), item.text("name", run)) else { continue };
        let Some(labels) = texts(item, "labels", run) else { continue };
        let whole = namespace_tree(&name, &labels);
        let lines = lines(&whole, item.span, run);
        let (product, labels) = (item.field(item.product.clone()), whole_field(&labels));
        list.push((Arc::new(Namespace { cluster, name, product, labels, lines }), whole, item.span));
    }
    list.sort_by_cached_key(|(n, ..)| (n.cluster.value.clone(), n.name.value.clone()));
    let mut united: Vec<(Arc<Namespace>, Tracked, Span)> = Vec::with_capacity(list.len());
    for (namespace, whole, span) in list {
        match united.last_mut() {
            Some((last, tree, _)) if *last.cluster == *namespace.cluster && *last.name == *namespace.name => {
                let what = format!("namespace `{}`", *last.name);
                *tree = merged(tree, &whole, &what, run);
                let labels = tree.get("metadata").and_then(|m| m.get("labels")).cloned();
                let mut both = Namespace::clone(last);
                both.labels = whole_field(&labels.unwrap_or_else(|| nothing(&last.labels.origins)));
                both.lines = lines(tree, span, run);
                *last = Arc::new(both);
            }
            _ => united.push((namespace, whole, span)),
        }
    }
    united.into_iter().map(|(namespace, ..)| namespace).collect()
}

fn namespace_tree(name: &F<Str>, labels: &Tracked) -> Tracked {
    let own = |text: &str| Tracked::new(text, name.origins.clone());
    let mut metadata = Map::new();
    metadata.insert("name".into(), Tracked::new(name.value.clone(), name.origins.clone()));
    if labels.entries().next().is_some() {
        metadata.insert("labels".into(), labels.clone());
    }
    let metadata = Tracked::new(metadata, Origins::None);
    let whole = [("apiVersion", own("v1")), ("kind", own("Namespace")), ("metadata", metadata)];
    Tracked::new(whole.into_iter().map(|(k, v)| (k.into(), v)).collect::<Map>(), name.origins.clone())
}

fn nothing(origins: &Origins) -> Tracked {
    Tracked::new(Map::new(), origins.clone())
}

fn whole_field(value: &Tracked) -> F<Value> {
    F::new(value.value.clone(), deep_origins(value))
}

/// The lines of an object; what YAML cannot hold is noted.
fn lines(whole: &Tracked, span: Span, run: &mut Run) -> F<Vec<Arc<TextLine>>> {
    let mut page = Page::new(Format::Yaml, Origins::None);
    page.write(whole);
    run.refused.extend(page.refused.into_iter().map(|(refusal, origins)| (refusal, origins, span)));
    F::new(page.lines, whole.origins.clone())
}

/// A map of strings, empty where none is given; `None` after a finding.
fn texts(item: &Item, field: &str, run: &mut Run) -> Option<Tracked> {
    let Some(given) = item.answered(field) else { return Some(nothing(&item.exists)) };
    let Value::Map(map) = &given.value else {
        run.not_a(item.span, &format!("a map of strings for `{field}`"), &given.value);
        return None;
    };
    let mut texts = Map::new();
    for (key, value) in map.iter() {
        match value.value.text() {
            Some(text) => texts.insert(key.clone(), Tracked::new(text, value.origins.clone())),
            None => {
                run.not_a(item.span, &format!("a string for `{key}` in `{field}`"), &value.value);
                return None;
            }
        };
    }
    Some(Tracked::new(texts, given.origins.clone()))
}

/// Volumes; server, path and mount options follow the storage unless the pack says otherwise.
pub fn volumes(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Volume>> {
    let mut list = Vec::new();
    for item in items {
        let required = |name: &str, run: &mut Run| item.text(name, run);
        let (Some(cluster), Some(namespace), Some(storage), Some(name), Some(claim)) = (
            required("cluster", run),
            required("namespace", run),
            required("storage", run),
            required("name", run),
            required("claim", run),
        ) else {
            continue;
        };
        let entry = site.entry("storage", &storage);
        let of_storage = |key: &str| {
            let value = entry.and_then(|e| e.get(key))?;
            Some(F::new(value.value.text()?, value.origins.union(&storage.origins)))
        };
        let Some(server) = item.text("server", run).or_else(|| of_storage("server")) else { continue };
        let Some(path) = item.text("path", run).or_else(|| of_storage("path")) else { continue };
        let text = |name: &str, default: &str, run: &mut Run| {
            item.text(name, run).unwrap_or_else(|| item.field(default.into()))
        };
        list.push(Arc::new(Volume {
            mount_options: item.texts("mount_options", run).unwrap_or_else(|| item.field(Vec::new())),
            size: text("size", "1Gi", run),
            access: text("access", "ReadWriteMany", run),
            class: text("class", "", run),
            product: item.field(item.product.clone()),
            cluster,
            namespace,
            storage,
            name,
            claim,
            server,
            path,
        }));
    }
    list.sort_by_cached_key(|v: &Arc<Volume>| (v.cluster.value.clone(), v.name.value.clone()));
    super::merge::unite(
        list,
        run,
        |a, b, run| {
            let what = |field: &str| format!("{field} of the persistent volume `{}`", *a.name);
            Volume {
                namespace: merge_field(&a.namespace, &b.namespace, &what("namespace"), run),
                storage: merge_field(&a.storage, &b.storage, &what("storage"), run),
                claim: merge_field(&a.claim, &b.claim, &what("claim"), run),
                server: merge_field(&a.server, &b.server, &what("server"), run),
                path: merge_field(&a.path, &b.path, &what("path"), run),
                mount_options: merge_field(&a.mount_options, &b.mount_options, &what("mount options"), run),
                size: merge_field(&a.size, &b.size, &what("size"), run),
                access: merge_field(&a.access, &b.access, &what("access mode"), run),
                class: merge_field(&a.class, &b.class, &what("storage class"), run),
                ..a.clone()
            }
        },
        |v| (v.cluster.value.clone(), v.name.value.clone()),
    )
}

/// Other objects.
pub fn objects(items: &[Item], run: &mut Run) -> Vec<Arc<Object>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(cluster), Some(api_version), Some(kind), Some(name)) =
            (item.text("cluster", run), item.text("api_version", run), item.text("kind", run), item.text("name", run))
        else {
            continue;
        };
        let namespace = match item.text("namespace", run) {
            Some(namespace) => namespace.map(Some),
            None => item.field(None),
        };
        let body = item.answered("body").cloned().unwrap_or_else(|| nothing(&item.exists));
        let (Some(labels), Some(annotations)) = (texts(item, "labels", run), texts(item, "annotations", run)) else {
            continue;
        };
        let product = item.field(item.product.clone());
        let whole = object_tree(item, [&api_version, &kind, &name], &namespace, [&labels, &annotations], &body);
        let lines = lines(&whole, item.span, run);
        let (labels, annotations, body) = (whole_field(&labels), whole_field(&annotations), whole_field(&body));
        list.push(Arc::new(Object {
            cluster,
            namespace,
            api_version,
            kind,
            name,
            product,
            labels,
            annotations,
            body,
            lines,
        }));
    }
    let key =
        |o: &Object| (o.cluster.value.clone(), o.namespace.value.clone(), o.kind.value.clone(), o.name.value.clone());
    list.sort_by_cached_key(|o| key(o));
    super::merge::unite(
        list,
        run,
        |a, b, run| {
            // Each line has the reasons of both.
            let both = b.origins();
            let what = |field: &str| format!("{field} of the {} `{}`", *a.kind, *a.name);
            let line = |l: &Arc<TextLine>| {
                Arc::new(TextLine { text: F::new(l.text.value.clone(), l.text.origins.union(&both)) })
            };
            Object {
                api_version: merge_field(&a.api_version, &b.api_version, &what("API version"), run),
                labels: merge_field(&a.labels, &b.labels, &what("labels"), run),
                annotations: merge_field(&a.annotations, &b.annotations, &what("annotations"), run),
                body: merge_field(&a.body, &b.body, &what("body"), run),
                lines: F::new(a.lines.iter().map(line).collect(), a.lines.origins.union(&both)),
                ..a.clone()
            }
        },
        key,
    )
}

/// An object as it stands in its file.
fn object_tree(
    item: &Item,
    [api_version, kind, name]: [&F<Str>; 3],
    namespace: &F<Option<Str>>,
    [labels, annotations]: [&Tracked; 2],
    body: &Tracked,
) -> Tracked {
    let text = |field: &F<Str>| Tracked::new(field.value.clone(), field.origins.clone());
    let mut metadata = Map::new();
    metadata.insert("name".into(), text(name));
    if let Some(namespace_name) = &namespace.value {
        metadata.insert("namespace".into(), Tracked::new(namespace_name.clone(), namespace.origins.clone()));
    }
    for (key, map) in [("labels", labels), ("annotations", annotations)] {
        if map.entries().next().is_some() {
            metadata.insert(key.into(), map.clone());
        }
    }
    let mut whole = Map::new();
    whole.insert("apiVersion".into(), text(api_version));
    whole.insert("kind".into(), text(kind));
    whole.insert("metadata".into(), Tracked::new(metadata, Origins::None));
    for (key, value) in body.entries().filter(|(key, _)| !matches!(&***key, "apiVersion" | "kind" | "metadata")) {
        let origins = value.origins.union(&body.origins);
        whole.insert(key.clone(), Tracked { value: value.value.clone(), origins });
    }
    Tracked::new(whole, item.exists.clone())
}
