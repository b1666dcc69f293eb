//! The secrets of the spec with every place that reads one, and the Secrets of clusters that are made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Item;
use crate::instance::Run;
use crate::ir::{F, Secret, SecretObject, SecretUse};
use crate::site::Site;
use crate::value::{Origins, Str};

/// Secrets of the spec with every place that reads one.
/// `absent` are the origins of items that are not there.
pub fn secrets(items: &[Item], absent: &Origins, site: &Site, run: &mut Run) -> Vec<Arc<Secret>> {
    // Every place that names some secret could have named another one.
    let mut named: Vec<Origins> = vec![absent.clone()];
    let mut uses: BTreeMap<Str, Vec<Arc<SecretUse>>> = BTreeMap::new();
    for item in items {
        let (Some(name), Some(place)) = (item.text("name", run), item.text("place", run)) else { continue };
        let product = F::new(item.product.clone(), item.exists.union(&name.origins));
        named.push(name.origins.clone());
        let mut text = |key: &str, default: &str| match item.text(key, run) {
            Some(text) => text,
            None => item.field(default.into()),
        };
        let (key, owner, mode) = (text("key", ""), text("owner", "root:root"), text("mode", "0600"));
        let mut option = |key: &str| match item.text(key, run) {
            Some(text) => text.map(Some),
            None => item.field(None),
        };
        let (host, file) = (option("host"), option("file"));
        let used = SecretUse { product, place, key, host, file, owner, mode };
        uses.entry(name.value).or_default().push(Arc::new(used));
    }
    let named = Origins::all(&named);
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
            uses: F::new(uses, entry.origins.union(&named)),
        }));
    }
    list.sort_by_key(|s| s.name.value.clone());
    list
}

/// Secrets of clusters; the keys of one object come from several items.
pub fn objects(items: &[Item], run: &mut Run) -> Vec<Arc<SecretObject>> {
    let mut found: BTreeMap<(Str, Str, Str), (SecretObject, Origins)> = BTreeMap::new();
    for item in items {
        let (Some(cluster), Some(namespace), Some(name), Some(secret)) =
            (item.text("cluster", run), item.text("namespace", run), item.text("object", run), item.text("name", run))
        else {
            continue;
        };
        let mut text = |key: &str, default: &str| match item.text(key, run) {
            Some(text) => text,
            None => item.field(default.into()),
        };
        let (form, key) = (text("form", "opaque"), text("key", &secret));
        let (certificate, server, user) = (text("certificate", ""), text("server", ""), text("user", ""));
        let part: Str = format!("{}={}", *key, *secret).into();
        let origins = secret.origins.union(&key.origins);
        let id = (cluster.value.clone(), namespace.value.clone(), name.value.clone());
        match found.get_mut(&id) {
            Some((object, all)) => {
                object.parts.value.push(part);
                *all = all.union(&origins);
            }
            None => {
                let product = item.field(item.product.clone());
                let parts = F::new(vec![part], Origins::None);
                let object = SecretObject { cluster, namespace, name, product, form, parts, certificate, server, user };
                found.insert(id, (object, origins));
            }
        }
    }
    let finish = |(mut object, origins): (SecretObject, Origins)| {
        object.parts.value.sort();
        object.parts.value.dedup();
        object.parts.origins = origins;
        Arc::new(object)
    };
    found.into_values().map(finish).collect()
}
