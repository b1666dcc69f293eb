//! The secrets of the spec with every place that reads one, and the Secrets of clusters that are made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Item;
use super::merge::{either, merge_field};
use crate::diag::Diag;
use crate::diag::codes::PACK_EVALUATION;
use crate::instance::Run;
use crate::ir::{F, Secret, SecretMixture, SecretObject, SecretUse};
use crate::site::Site;
use crate::value::{Origins, Str};

/// Secrets of the spec with every place that reads one.
/// `absent` are the origins of items that are not there.
pub fn secrets(items: &[Item], absent: &Origins, site: &Site, run: &mut Run) -> Vec<Arc<Secret>> {
    // Every place that names some secret could have named another one.
    let mut named: Vec<Origins> = vec![absent.clone()];
    let mut uses: BTreeMap<Str, Vec<Arc<SecretUse>>> = BTreeMap::new();
    for item in items {
        let (Some(name), Some(mut place)) = (item.text("name", run), item.text("place", run)) else { continue };
        place.origins = item.reads();
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
        uses.sort_by_cached_key(|u| (u.place.value.clone(), u.key.value.clone()));
        list.push(Arc::new(Secret {
            name: F::new(name.clone(), entry.origins.clone()),
            kind: text("kind"),
            owner: text("owner"),
            uses: F::new(uses, entry.origins.union(&named)),
        }));
    }
    list.sort_by_cached_key(|s| s.name.value.clone());
    list
}

/// Secrets of clusters; the keys of one object come from several items.
pub fn objects(items: &[Item], run: &mut Run) -> Vec<Arc<SecretObject>> {
    let mut found: BTreeMap<(Str, Str, Str), (SecretObject, Origins)> = BTreeMap::new();
    for item in items {
        let (Some(cluster), Some(name), Some(secret)) =
            (item.text("cluster", run), item.text("object", run), item.text("name", run))
        else {
            continue;
        };
        let mut text = |key: &str, default: &str| match item.text(key, run) {
            Some(text) => text,
            None => item.field(default.into()),
        };
        let (form, key, namespace) = (text("form", "opaque"), text("key", &secret), text("namespace", ""));
        let (certificate, server, user) = (text("certificate", ""), text("server", ""), text("user", ""));
        let (controller, where_it_runs) =
            (text("controller", "sealed-secrets-controller"), text("controller_namespace", "kube-system"));
        if let Err((why, help)) = form_fits(&form, &namespace, item.answered("sealed").is_some()) {
            run.findings.push(Diag::new(PACK_EVALUATION, why).at(item.span, "").help(help));
            continue;
        }
        let sealed = match item.text("sealed", run) {
            Some(text) => text.map(Some),
            None => item.field(None),
        };
        let mixture = mixture(item, &secret, format!(".{}.{}.{}.{}", *cluster, *namespace, *name, *key), run);
        let source = mixture.as_ref().map_or(&*secret, |m| &m.name);
        let part: Str = format!("{}={source}", *key).into();
        let origins = item.reads();
        let id = (cluster.value.clone(), namespace.value.clone(), name.value.clone());
        match found.get_mut(&id) {
            Some((object, all)) => {
                object.parts.value.push(part);
                object.mixtures.value.extend(mixture.map(Arc::new));
                object.form = merge_field(&object.form, &form, &format!("form of the Secret `{}`", *name), run);
                object.sealed = either(&object.sealed, &sealed, &format!("file of the sealed Secret `{}`", *name), run);
                *all = all.union(&origins);
            }
            None => {
                let product = item.field(item.product.clone());
                let object = SecretObject {
                    parts: F::new(vec![part], Origins::None),
                    mixtures: F::new(mixture.map(Arc::new).into_iter().collect(), Origins::None),
                    controller_namespace: where_it_runs,
                    cluster,
                    namespace,
                    name,
                    product,
                    form,
                    certificate,
                    server,
                    user,
                    sealed,
                    controller,
                };
                found.insert(id, (object, origins));
            }
        }
    }
    let finish = |(mut object, origins): (SecretObject, Origins)| {
        object.parts.value.sort();
        object.parts.value.dedup();
        object.mixtures.value.sort_by_cached_key(|m| m.name.value.clone());
        object.mixtures.value.dedup_by_key(|m| m.name.value.clone());
        object.mixtures.origins = origins.clone();
        object.parts.origins = origins;
        Arc::new(object)
    };
    found.into_values().map(finish).collect()
}

/// What speaks against a form of a Secret, and the way out.
fn form_fits(form: &str, namespace: &str, sealed: bool) -> Result<(), (String, &'static str)> {
    const FORMS: [&str; 4] = ["opaque", "tls", "registry", "swarm"];
    match (form, namespace) {
        (form, _) if !FORMS.contains(&form) => {
            Err((format!("a Secret has no form `{form}`"), "the form is one of `opaque`, `tls`, `registry`, `swarm`"))
        }
        ("swarm", "") if !sealed => Ok(()),
        ("swarm", _) => Err((
            "a secret of a swarm has neither a namespace nor a sealed form".to_owned(),
            "leave out `namespace` and `sealed`",
        )),
        (_, "") => Err(("a Secret of a cluster lacks its `namespace`".to_owned(), "name the namespace")),
        _ => Ok(()),
    }
}

/// The text around a secret, where an item has some.
fn mixture(item: &Item, secret: &F<Str>, name: String, run: &mut Run) -> Option<SecretMixture> {
    let (before, after) = (item.text("before", run), item.text("after", run));
    if before.is_none() && after.is_none() {
        return None;
    }
    let text = |given: Option<F<Str>>, default: &str| given.unwrap_or_else(|| item.field(default.into()));
    let encoding = text(item.text("encoding", run), "plain");
    if !matches!(&**encoding, "plain" | "url") {
        let diag = Diag::new(PACK_EVALUATION, format!("a secret has no encoding `{}`", *encoding)).at(item.span, "");
        run.findings.push(diag.help("the encoding is `plain` or `url`"));
    }
    Some(SecretMixture {
        name: F::new(name.into(), secret.origins.clone()),
        secret: secret.clone(),
        encoding,
        before: text(before, ""),
        after: text(after, ""),
    })
}
