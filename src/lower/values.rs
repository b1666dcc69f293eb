//! Helm releases: the values that packs set, keys that the site names, and the lines of the values file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Item;
use super::layout::Page;
use crate::diag::Diag;
use crate::diag::codes::PACK_EVALUATION;
use crate::emit::escape::Format;
use crate::instance::{Instance, Run, Withheld};
use crate::ir::{F, HelmRelease, HelmValue, TextLine, ValueLine};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// Releases of one instance with their values, in the order of the pack.
pub fn releases(
    releases: &[Item],
    values: &[Item],
    instance: &Instance,
    site: &Site,
    run: &mut Run,
) -> Vec<Arc<HelmRelease>> {
    let mut list = Vec::new();
    for item in releases {
        let (Some(name), Some(cluster), Some(namespace), Some(chart)) =
            (item.text("name", run), item.text("cluster", run), item.text("namespace", run), item.text("chart", run))
        else {
            continue;
        };
        let id = item.text("id", run).map_or_else(|| "main".into(), |i| i.value);
        // Without any of these there would be no release, and nothing to ask about its values.
        let there = Origins::all([&name.origins, &cluster.origins, &namespace.origins, &chart.origins]);
        let named = F::new(name.value.clone(), there);
        let mut own: Vec<Arc<HelmValue>> = Vec::new();
        for value in values {
            let release = value.text("release", run).map_or_else(|| "main".into(), |r| r.value);
            if release == id
                && let Some(value) = helm_value(value, &named, instance, site, run)
            {
                own.push(Arc::new(value));
            }
        }
        own.extend(extra_values(instance, site));
        let by = item.text("by", run).unwrap_or_else(|| item.field("helm".into()));
        let (depth, place) = match &**by {
            "flux" => (2, format!("clusters/{}/{}/60-release-{}.yaml", *cluster, *namespace, *name)),
            "helm" | "terraform" => (0, format!("helm/{}/values.yaml", *name)),
            other => {
                let diag = Diag::new(PACK_EVALUATION, format!("nobody called `{other}` installs releases"));
                run.findings.push(diag.at(item.span, "").help("`by` is one of `helm`, `flux`, `terraform`"));
                continue;
            }
        };
        let lines = lines(&own, depth, &item.exists);
        let head = match depth {
            0 => F::new(Vec::new(), item.exists.clone()),
            _ => custom_resource(item, &name, &namespace, &own, run),
        };
        let spec = item
            .answered("body")
            .map_or_else(|| item.field(Value::Null), |b| F::new(b.value.clone(), super::peers::deep_origins(b)));
        list.push(Arc::new(HelmRelease {
            values: F::new(own, item.exists.clone()),
            lines: F::new(lines, item.exists.clone()),
            path: item.text("path", run).unwrap_or_else(|| F::new(place.into(), named.origins.clone())),
            head,
            spec,
            by,
            product: item.field(item.product.clone()),
            name,
            cluster,
            namespace,
            chart,
        }));
    }
    list
}

/// What a HelmRelease has beside its values.
fn custom_resource(
    item: &Item,
    name: &F<Str>,
    namespace: &F<Str>,
    values: &[Arc<HelmValue>],
    run: &mut Run,
) -> F<Vec<Arc<TextLine>>> {
    let map = |entries: Vec<(&str, Tracked)>| entries.into_iter().map(|(k, v)| (k.into(), v)).collect::<Map>();
    let text = |field: &F<Str>| Tracked::new(field.value.clone(), field.origins.clone());
    let own = |text: &str| Tracked::new(text, Origins::None);
    let version = item.text("api_version", run).unwrap_or_else(|| item.field("helm.toolkit.fluxcd.io/v2".into()));
    let metadata = Tracked::new(map(vec![("name", text(name)), ("namespace", text(namespace))]), Origins::None);
    let spec = item.answered("body").cloned().unwrap_or_default();
    let mut entries: Map = spec.entries().map(|(k, v)| (k.clone(), v.clone())).collect();
    let handed = values.iter().filter_map(|v| Some((v, v.object.value.as_ref()?, v.object_key.value.as_ref()?)));
    let handed: Vec<Tracked> = handed
        .map(|(value, object, key)| {
            let source = map(vec![
                ("kind", own("Secret")),
                ("name", Tracked::new(object.clone(), value.object.origins.clone())),
                ("valuesKey", Tracked::new(key.clone(), value.object_key.origins.clone())),
                ("targetPath", text(&value.key)),
            ]);
            Tracked::new(source, value.object.origins.clone())
        })
        .collect();
    if !handed.is_empty() {
        entries.insert("valuesFrom".into(), Tracked::new(handed, Origins::None));
    }
    let whole = map(vec![
        ("apiVersion", text(&version)),
        ("kind", own("HelmRelease")),
        ("metadata", metadata),
        ("spec", Tracked { value: Value::map(entries), origins: spec.origins }),
    ]);
    let mut page = Page::new(Format::Yaml, item.exists.clone());
    page.write(&Tracked::new(whole, Origins::None));
    run.refused.extend(page.refused.into_iter().map(|(refusal, origins)| (refusal, origins, item.span)));
    F::new(page.lines, item.exists.clone())
}

/// One value: under the key that the guide gives, or under the one that the site maps a slot to.
fn helm_value(item: &Item, release: &F<Str>, instance: &Instance, site: &Site, run: &mut Run) -> Option<HelmValue> {
    let given = item.get("value").cloned().unwrap_or_default();
    let held_back = secret(&given, item);
    let (object, object_key) = (of_object(&given, "secret_object", item), of_object(&given, "key", item));
    let comment = item.field(item.why.clone());
    if let Some(key) = item.text("key", run) {
        let question = given.value.is_null().then(|| -> Str { format!("the value of `{}`", *key).into() });
        let question = F::new(question, given.origins.union(&item.exists));
        return Some(HelmValue {
            secret: held_back,
            object,
            object_key,
            key,
            value: F::new(given.value, given.origins.union(&item.exists)),
            comment,
            question,
        });
    }
    let slot = item.text("slot", run)?;
    let ask = item.text("ask", run);
    let near = item.text("near", run);
    let place = site.at(&format!("/products/{}/settings/chart/keys/{}", instance.name, *slot));
    let mapped = place.and_then(|p| Some((p.value.text()?, p.origins.clone())));
    let origins = given.origins.union(&item.exists);
    if let Some((key, mapped_at)) = mapped {
        let origins = origins.union(&mapped_at);
        run.settled.push(mapped_at);
        let question = given.value.is_null().then(|| -> Str { format!("the value of `{key}`").into() });
        return Some(HelmValue {
            key: F::new(key, origins.clone()),
            value: F::new(given.value, origins.clone()),
            comment,
            question: F::new(question, origins),
            secret: held_back,
            object,
            object_key,
        });
    }
    let unmapped = match place {
        Some(place) => origins.union(&place.origins),
        None => origins,
    };
    let mut ask: Str = match (ask, &near) {
        (Some(ask), _) => ask.value,
        (None, Some(near)) => format!("which key below `{}` of the chart holds `{}`?", **near, *slot).into(),
        (None, None) => format!("which key of the chart holds `{}`?", *slot).into(),
    };
    let mut unmapped = unmapped;
    if let Some(chart) = instance.chart {
        unmapped = unmapped.union(&Origins::from(chart.place));
        if let Some(offered) = near.and_then(|near| chart.offered(&near)) {
            ask = format!("{} ({offered})?", ask.trim_end_matches('?')).into();
        }
    }
    run.withheld.push(Withheld {
        product: instance.name.clone(),
        what: format!("`{}` in the values of release `{}`", *slot, **release),
        unanswered: vec![Unanswered {
            path: ask.to_string(),
            pointer: Some(format!("/products/{}/settings/chart/keys/{}", instance.name, *slot)),
            // Where the answer belongs, not what the value would depend on.
            origins: place.map(|place| place.origins.clone()).unwrap_or_default(),
            reads: unmapped.clone(),
        }],
        why: item.why.clone(),
        origins: release.origins.clone(),
    });
    Some(HelmValue {
        key: F::new(slot.value, unmapped.clone()),
        value: F::new(given.value, unmapped.clone()),
        comment,
        question: F::new(Some(ask), unmapped),
        secret: held_back,
        object,
        object_key,
    })
}

/// The secret that a value refers to, `{ secret: name }`.
fn secret(value: &Tracked, item: &Item) -> F<Option<Str>> {
    let name = value.get("secret").and_then(|s| s.value.text());
    F::new(name, value.get("secret").map(|s| s.origins.clone()).unwrap_or_default().union(&item.exists))
}

/// The Secret of the cluster that has a value, `{ secret_object: name, key: key }`, or the key in it.
fn of_object(value: &Tracked, field: &str, item: &Item) -> F<Option<Str>> {
    let both = value.get("secret_object").is_some() && value.get("key").is_some();
    let found = value.get(field).filter(|_| both);
    let origins = found.map(|f| f.origins.clone()).unwrap_or_default();
    F::new(found.and_then(|f| f.value.text()), origins.union(&value.origins).union(&item.exists))
}

/// The site's own values, `extra.values`: dotted keys, and below each of them maps whose keys stand as they are.
fn extra_values(instance: &Instance, site: &Site) -> Vec<Arc<HelmValue>> {
    let mut list = Vec::new();
    if let Some(extra) = site.at(&format!("/products/{}/extra/values", instance.name)) {
        flatten("", extra, &mut list);
    }
    list
}

fn flatten(prefix: &str, value: &Tracked, list: &mut Vec<Arc<HelmValue>>) {
    match &value.value {
        Value::Map(map) if !map.is_empty() => {
            for (key, value) in map.iter() {
                let path = match prefix {
                    "" => key.to_string(),
                    // Only the first key is a path; `prometheus.io/scrape` below another is one step.
                    _ => format!("{prefix}.{}", key.replace('.', "\\.")),
                };
                flatten(&path, value, list);
            }
        }
        _ if prefix.is_empty() => {}
        _ => list.push(Arc::new(HelmValue {
            key: F::new(prefix.into(), value.origins.clone()),
            value: F::new(value.value.clone(), super::peers::deep_origins(value)),
            comment: F::new("set by the site".into(), value.origins.clone()),
            question: F::new(None, Origins::None),
            secret: F::new(None, Origins::None),
            object: F::new(None, Origins::None),
            object_key: F::new(None, Origins::None),
        })),
    }
}

/// The steps of a dotted key; a dot that belongs to a step has a backslash before it.
pub fn key_steps(key: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('.')) => {
                chars.next();
                steps.last_mut().into_iter().for_each(|s| s.push('.'));
            }
            ('.', _) => steps.push(String::new()),
            (c, _) => steps.last_mut().into_iter().for_each(|s| s.push(c)),
        }
    }
    steps
}

/// A tree of values while it is being laid out.
#[derive(Default)]
struct Branch {
    /// In the order of first mention.
    keys: Vec<Str>,
    children: BTreeMap<Str, Branch>,
    leaf: Option<Arc<HelmValue>>,
    /// Unmapped slots that belong here, as comments.
    open: Vec<Arc<HelmValue>>,
}

fn lines(values: &[Arc<HelmValue>], depth: usize, exists: &Origins) -> Vec<Arc<ValueLine>> {
    let mut root = Branch::default();
    for value in values {
        if value.question.value.is_some() && !value.key.contains('.') {
            root.open.push(value.clone());
            continue;
        }
        let mut branch = &mut root;
        for part in key_steps(&value.key).iter().map(|part| Str::from(part.as_str())) {
            if !branch.children.contains_key(&part) {
                branch.keys.push(part.clone());
            }
            branch = branch.children.entry(part).or_default();
        }
        branch.leaf = Some(value.clone());
    }
    let mut out = Vec::new();
    lay_out(&root, depth, exists, &mut out);
    out
}

fn lay_out(branch: &Branch, depth: usize, exists: &Origins, out: &mut Vec<Arc<ValueLine>>) {
    for key in &branch.keys {
        let child = &branch.children[key];
        match &child.leaf {
            None => {
                let origins = deep(child, exists);
                let open = held(child);
                if child.keys.iter().all(|k| only_held(&child.children[k])) && !open.is_empty() {
                    out.push(line(depth, open, None, Value::Null, &origins));
                    continue;
                }
                out.push(line(depth, Vec::new(), Some(key), Value::Null, &origins));
                lay_out(child, depth + 1, exists, out);
            }
            Some(value) => leaf(key, value, depth, exists, out),
        }
    }
    for value in &branch.open {
        let comments =
            vec![comment(value), format!("open question: {}", value.question.as_deref().unwrap_or("")).into()];
        out.push(line(depth, comments, None, Value::Null, &value.origins().union(exists)));
    }
}

/// Whether nothing in a branch is written: a key without a value would be the chart's empty one.
fn only_held(branch: &Branch) -> bool {
    match &branch.leaf {
        Some(value) => says(value).is_some(),
        None => branch.keys.iter().all(|k| only_held(&branch.children[k])),
    }
}

fn held(branch: &Branch) -> Vec<Str> {
    let mut list = Vec::new();
    for key in &branch.keys {
        let child = &branch.children[key];
        if let Some((value, says)) = child.leaf.as_ref().and_then(|value| Some((value, says(value)?))) {
            list.push(format!("{}: {says}", *value.key).into());
        }
        list.extend(held(child));
    }
    list
}

/// What stands in the file instead of a value that is not written.
fn says(value: &HelmValue) -> Option<String> {
    if let Some(question) = &value.question.value {
        return Some(format!("open question: {question}"));
    }
    if let Some(secret) = &value.secret.value {
        return Some(format!("from the secret `{secret}`, handed over at the installation, never written here"));
    }
    let (object, key) = (value.object.value.as_ref()?, value.object_key.value.as_ref()?);
    Some(format!("from the key `{key}` of the Secret `{object}`, never written here"))
}

fn deep(branch: &Branch, exists: &Origins) -> Origins {
    let mut origins = exists.clone();
    if let Some(leaf) = &branch.leaf {
        origins = origins.union(&leaf.origins());
    }
    for child in branch.children.values() {
        origins = origins.union(&deep(child, exists));
    }
    origins
}

fn comment(value: &HelmValue) -> Str {
    value.comment.value.clone()
}

fn leaf(key: &Str, value: &Arc<HelmValue>, depth: usize, exists: &Origins, out: &mut Vec<Arc<ValueLine>>) {
    let origins = value.origins().union(exists);
    if let Some(says) = says(value) {
        // A question is about what the site calls the key; the others name it whole.
        let name = if value.question.value.is_some() { key } else { &value.key.value };
        let comments = vec![comment(value), format!("{name}: {says}").into()];
        out.push(line(depth, comments, None, Value::Null, &origins));
        return;
    }
    nested(Some(key), &Tracked { value: value.value.value.clone(), origins }, vec![comment(value)], depth, out);
}

/// A value under a key, or as an item of a list.
fn nested(key: Option<&Str>, value: &Tracked, comments: Vec<Str>, depth: usize, out: &mut Vec<Arc<ValueLine>>) {
    let origins = &value.origins;
    match &value.value {
        Value::List(items) if items.is_empty() => out.push(empty(depth, comments, key, "[]", origins)),
        Value::Map(map) if map.is_empty() => out.push(empty(depth, comments, key, "{}", origins)),
        Value::List(items) => {
            out.push(line(depth, comments, key, Value::Null, origins));
            for item in items.iter() {
                let origins = item.origins.union(origins);
                list_item(&Tracked { value: item.value.clone(), origins }, depth + 1, out);
            }
        }
        Value::Map(map) => {
            out.push(line(depth, comments, key, Value::Null, origins));
            for (name, inner) in map.iter() {
                let inner = Tracked { value: inner.value.clone(), origins: inner.origins.union(origins) };
                nested(Some(name), &inner, Vec::new(), depth + 1, out);
            }
        }
        scalar => out.push(line(depth, comments, key, scalar.clone(), origins)),
    }
}

/// An item of a list. A map has its first key behind the dash and the others below it.
fn list_item(item: &Tracked, depth: usize, out: &mut Vec<Arc<ValueLine>>) {
    let first = out.len();
    match &item.value {
        Value::Map(map) if !map.is_empty() => {
            for (name, inner) in map.iter() {
                let inner = Tracked { value: inner.value.clone(), origins: inner.origins.union(&item.origins) };
                nested(Some(name), &inner, Vec::new(), depth + 1, out);
            }
            if let Some(line) = out.get_mut(first) {
                let dash = format!("{}- ", "  ".repeat(depth));
                let origins = line.pad.origins.clone();
                *line = Arc::new(ValueLine { pad: F::new(dash.into(), origins), ..(**line).clone() });
            }
        }
        scalar => {
            let mut entry = (*line(depth, Vec::new(), None, scalar.clone(), &item.origins)).clone();
            entry.item.value = true;
            out.push(Arc::new(entry));
        }
    }
}

fn line(depth: usize, comments: Vec<Str>, key: Option<&Str>, value: Value, origins: &Origins) -> Arc<ValueLine> {
    Arc::new(ValueLine {
        pad: F::new("  ".repeat(depth).into(), origins.clone()),
        comments: F::new(comments, origins.clone()),
        key: F::new(key.cloned(), origins.clone()),
        item: F::new(false, origins.clone()),
        value: F::new(value, origins.clone()),
        empty: F::new(None, origins.clone()),
    })
}

fn empty(depth: usize, comments: Vec<Str>, key: Option<&Str>, text: &str, origins: &Origins) -> Arc<ValueLine> {
    let mut entry = (*line(depth, comments, key, Value::Null, origins)).clone();
    entry.empty.value = Some(text.into());
    Arc::new(entry)
}
