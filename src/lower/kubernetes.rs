//! Namespaces, volumes, objects and the uses of secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Item;
use super::merge::merge_field;
use crate::instance::Run;
use crate::ir::{F, Namespace, Object, Secret, SecretUse, Volume};
use crate::site::Site;
use crate::value::{Str, Tracked, Value};

/// Namespaces, once each.
pub fn namespaces(items: &[Item], run: &mut Run) -> Vec<Arc<Namespace>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(cluster), Some(name)) = (item.text("cluster", run), item.text("name", run)) else { continue };
        list.push(Arc::new(Namespace { cluster, name, product: item.field(item.product.clone()) }));
    }
    list.sort_by_key(|n| (n.cluster.value.clone(), n.name.value.clone()));
    list.dedup_by_key(|n| (n.cluster.value.clone(), n.name.value.clone()));
    list
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
    list.sort_by_key(|v| (v.cluster.value.clone(), v.name.value.clone()));
    list
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
        let body = match item.answered("body") {
            Some(body) => F::new(body.value.clone(), super::peers::deep_origins(body)),
            None => item.field(Value::map(Default::default())),
        };
        let lines = item.answered("body").map(super::values::block).unwrap_or_default();
        let lines = F::new(lines, body.origins.clone());
        let product = item.field(item.product.clone());
        list.push(Arc::new(Object { cluster, namespace, api_version, kind, name, product, body, lines }));
    }
    let key =
        |o: &Object| (o.cluster.value.clone(), o.namespace.value.clone(), o.kind.value.clone(), o.name.value.clone());
    list.sort_by_key(|o| key(o));
    super::merge::unite(
        list,
        run,
        |a, b, run| {
            let body = merge_field(&a.body, &b.body, "object", run);
            // Each line has the reasons of both.
            let both = Tracked { value: body.value.clone(), origins: body.origins.clone() };
            let lines = F::new(super::values::block(&both), body.origins.clone());
            Object { body, lines, ..a.clone() }
        },
        key,
    )
}

/// Secrets of the spec with every place that reads one.
pub fn secrets(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Secret>> {
    let mut uses: BTreeMap<Str, Vec<Arc<SecretUse>>> = BTreeMap::new();
    for item in items {
        let (Some(name), Some(place)) = (item.text("name", run), item.text("place", run)) else { continue };
        let key = item.text("key", run).unwrap_or_else(|| item.field("".into()));
        let product = F::new(item.product.clone(), item.exists.union(&name.origins));
        uses.entry(name.value).or_default().push(Arc::new(SecretUse { product, place, key }));
    }
    let mut list = Vec::new();
    for (name, entry) in site.table("secrets") {
        let text = |key: &str| {
            let value = entry.get(key).cloned().unwrap_or_default();
            F::new(value.value.text().unwrap_or_default(), value.origins)
        };
        let mut uses = uses.remove(name).unwrap_or_default();
        uses.sort_by_key(|u| (u.place.value.clone(), u.key.value.clone()));
        list.push(Arc::new(Secret {
            name: F::new(name.clone(), entry.origins.clone()),
            kind: text("kind"),
            owner: text("owner"),
            uses: F::new(uses, entry.origins.clone()),
        }));
    }
    list.sort_by_key(|s| s.name.value.clone());
    list
}
