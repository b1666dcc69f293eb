//! Overlay networks of swarms in their order, and stacks with their files.

use std::sync::Arc;

use super::documents::{Draft, draft, unite};
use super::items::Item;
use super::merge::{either, merge_field};
use super::peers::deep_origins;
use crate::instance::Run;
use crate::ir::{F, Overlay, Stack};
use crate::site::Site;
use crate::source::Span;
use crate::value::{Str, Tracked, Value};

/// Overlay networks. What products want comes in the order of their items, then what the spec alone names; a field that
/// an item leaves out is that of the network of this name in the spec.
pub fn overlays(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Overlay>> {
    let mut list: Vec<Overlay> = Vec::new();
    let (own, others): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| &*item.product == "site");
    for item in others.into_iter().chain(own) {
        let (Some(cluster), Some(name)) = (item.text("cluster", run), item.text("name", run)) else { continue };
        let given = of_site(site, &cluster, &name);
        let overlay = overlay(item, cluster, name, given, run);
        match list.iter_mut().find(|o| *o.cluster == *overlay.cluster && *o.name == *overlay.name) {
            Some(first) => *first = united(first, &overlay, run),
            None => list.push(overlay),
        }
    }
    let mut count: std::collections::BTreeMap<Str, i64> = Default::default();
    for overlay in &mut list {
        let next = count.entry(overlay.cluster.value.clone()).or_default();
        overlay.position.value = *next;
        *next += 1;
    }
    list.sort_by_cached_key(|o| (o.cluster.value.clone(), o.position.value));
    list.into_iter().map(Arc::new).collect()
}

/// The network of a name in the spec.
fn of_site<'s>(site: &'s Site, cluster: &str, name: &str) -> Option<&'s Tracked> {
    let overlays = site.entry("clusters", cluster)?.get("overlays")?;
    let called = |key: &str, entry: &Tracked| match entry.get("name").and_then(|n| n.value.text()) {
        Some(own) => *own == *name,
        None => key == name,
    };
    overlays.entries().find(|(key, entry)| called(key, entry)).map(|(_, entry)| entry)
}

fn overlay(item: &Item, cluster: F<Str>, name: F<Str>, given: Option<&Tracked>, run: &mut Run) -> Overlay {
    let of_spec = |key: &str| given.and_then(|g| g.get(key)).filter(|v| !v.value.is_null());
    let bool = |key: &str, run: &mut Run| match (item.bool(key, run), of_spec(key)) {
        (Some(own), _) => own,
        (None, Some(Tracked { value: Value::Bool(b), origins })) => F::new(*b, origins.union(&item.exists)),
        (None, _) => item.field(false),
    };
    let value = |key: &str| match item.answered(key).or(of_spec(key)) {
        Some(found) => F::new(Some(found.value.clone()), found.origins.union(&item.exists)),
        None => item.field(None),
    };
    Overlay {
        attachable: bool("attachable", run),
        encrypted: bool("encrypted", run),
        subnet: value("subnet").map(|given| given.map(network)),
        gateway: value("gateway"),
        driver: item.text("driver", run).unwrap_or_else(|| item.field("overlay".into())),
        options: pairs(item, "options", run),
        labels: pairs(item, "labels", run),
        product: item.field(item.product.clone()),
        position: item.field(0),
        cluster,
        name,
    }
}

/// A text that is a CIDR as one, so that it is the same as one of the spec.
fn network(value: Value) -> Value {
    match value.text().and_then(|text| text.parse().ok()) {
        Some(net) => Value::Cidr(net),
        None => value,
    }
}

/// A map as `key=value`.
fn pairs(item: &Item, key: &str, run: &mut Run) -> F<Vec<Str>> {
    let Some(given) = item.answered(key) else { return item.field(Vec::new()) };
    let mut list = Vec::new();
    for (name, value) in given.entries() {
        match value.value.text() {
            Some(text) => list.push(format!("{name}={text}").into()),
            None => run.not_a(item.span, &format!("a string for `{name}` in `{key}`"), &value.value),
        }
    }
    F::new(list, deep_origins(given))
}

fn united(a: &Overlay, b: &Overlay, run: &mut Run) -> Overlay {
    let what = |field: &str| format!("{field} of the network `{}`", *a.name);
    Overlay {
        driver: merge_field(&a.driver, &b.driver, &what("driver"), run),
        attachable: merge_field(&a.attachable, &b.attachable, &what("attachable"), run),
        encrypted: merge_field(&a.encrypted, &b.encrypted, &what("encryption"), run),
        subnet: either(&a.subnet, &b.subnet, &what("subnet"), run),
        gateway: either(&a.gateway, &b.gateway, &what("gateway"), run),
        options: merge_field(&a.options, &b.options, &what("options"), run),
        labels: merge_field(&a.labels, &b.labels, &what("labels"), run),
        name: F::new(a.name.value.clone(), a.name.origins.union(&b.name.origins)),
        ..a.clone()
    }
}

/// Stacks, and the drafts of their files.
pub fn stacks(items: &[Item], run: &mut Run) -> (Vec<Arc<Stack>>, Vec<Draft>) {
    let mut list: Vec<(Stack, Draft, Span)> = Vec::new();
    for item in items {
        let (Some(cluster), Some(name), Some(body)) =
            (item.text("cluster", run), item.text("name", run), item.answered("body").cloned())
        else {
            continue;
        };
        let named = cluster.origins.union(&name.origins);
        let path = item
            .text("path", run)
            .unwrap_or_else(|| F::new(format!("clusters/{}/stacks/{}.yaml", *cluster, *name).into(), named));
        let format = item.field("compose".into());
        let Some(mut draft) = draft(item, path.clone(), format, body, run) else { continue };
        for (field, command) in [
            (&mut draft.item.apply, format!("docker stack deploy -c {} {}", quoted(&path), quoted(&name))),
            (&mut draft.item.check, format!("docker stack services {}", quoted(&name))),
        ] {
            if field.value.is_none() {
                *field = F::new(Some(command.into()), path.origins.union(&name.origins));
            }
        }
        if draft.item.title.value.is_none() {
            draft.item.title =
                F::new(Some(format!("Stack {} of swarm {}", *name, *cluster).into()), name.origins.clone());
        }
        let same = |(stack, ..): &&mut (Stack, Draft, Span)| *stack.cluster == *cluster && *stack.name == *name;
        match list.iter_mut().find(same) {
            Some((_, first, _)) => unite(first, draft, run),
            None => {
                let product = item.field(item.product.clone());
                let body = item.field(Value::Null);
                list.push((Stack { cluster, name, product, path, body }, draft, item.span));
            }
        }
    }
    // A stack with a part of it missing is another stack.
    list.retain(|(s, ..)| !run.open_files.iter().any(|file| file.is(&[&s.cluster, &s.name])));
    list.sort_by_cached_key(|(s, ..)| (s.cluster.value.clone(), s.name.value.clone()));
    let mut stacks = Vec::with_capacity(list.len());
    let mut drafts = Vec::with_capacity(list.len());
    for (mut stack, draft, _) in list {
        let body = draft.body().cloned().unwrap_or_default();
        stack.body = F::new(body.value.clone(), deep_origins(&body));
        stacks.push(Arc::new(stack));
        drafts.push(draft);
    }
    (stacks, drafts)
}

/// A word of a command.
fn quoted(text: &str) -> String {
    use crate::emit::escape::{Context, Format, escape};
    escape(Format::Shell, Context::TOKEN, &Value::str(text)).unwrap_or_default()
}
