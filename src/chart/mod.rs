//! The archive of a Helm chart that a product names in, what the compiler asks of it out: its keys, versions, schema
//! and images.

pub mod archive;
mod images;

use std::collections::BTreeMap;

use crate::diag::codes::CHART_UNREADABLE;
use crate::diag::{Diag, Findings};
use crate::node::{Data, Node};
use crate::overlay::beside;
use crate::parse::parse;
use crate::source::{PlaceId, Role, Sources, Span};
use crate::value::{Map, Origins, Str, Tracked, Value};
use archive::{Budget, unpack};

/// Charts inside charts are followed so far.
const DEPTH_LIMIT: usize = 4;

/// One chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The path as the spec gives it, and where it does.
    pub path: Str,
    pub place: PlaceId,
    pub span: Span,
    pub name: Str,
    pub version: Str,
    pub app_version: Option<Str>,
    /// The chart's own values.
    pub values: Option<Node>,
    pub schema: Option<serde_json::Value>,
    pub images: Vec<ChartImage>,
    /// The charts that it brings with it, under the key of their values.
    pub parts: BTreeMap<String, Chart>,
    /// The texts of its templates, in which keys may be read that the values do not have.
    templates: String,
}

/// An image that a chart names.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartImage {
    /// The key of the values that names it; empty for one that only the chart's annotations list.
    pub key: Str,
    /// What is under the key: `image`, `tagged` for an image with its tag, `registry` where the name has a key of its own.
    pub holds: Str,
    /// Registry and name.
    pub source: Str,
    /// Empty for the registry that every runtime assumes.
    pub registry: Str,
    pub name: Str,
    pub tag: Option<Str>,
    pub place: PlaceId,
}

/// The charts of all products that name one, by instance. A faulty one is a finding, and as good as none.
pub fn charts(
    spec: &Node,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    sources: &mut Sources,
    findings: &mut Findings,
) -> BTreeMap<Str, Chart> {
    let mut charts = BTreeMap::new();
    for product in spec.get("products").map(Node::entries).unwrap_or_default() {
        let Some(node) = product.value.get("chart") else { continue };
        let Data::Text(path) = &node.data else { continue };
        let full = beside(&sources.file(node.span.file).name, path);
        let chart = read(&full).map_err(|why| format!("cannot read the chart `{full}`: {why}")).and_then(|bytes| {
            let files = unpack(&bytes, &mut Budget::default());
            let chart = files.and_then(|files| chart(&full, files, node, &mut Budget::default(), 0, sources));
            chart.map_err(|why| format!("the chart `{full}` cannot be used: {why}"))
        });
        match chart {
            Ok(chart) => {
                charts.insert(product.key.clone(), chart);
            }
            Err(message) => {
                findings.push(Diag::new(CHART_UNREADABLE, message).at(node.span, "named here").help(
                    "`chart` takes the path of a file made by `helm package` or `helm pull`, relative to this file",
                ))
            }
        }
    }
    charts
}

/// A chart from its files, all below one folder.
fn chart(
    path: &str,
    files: BTreeMap<String, Vec<u8>>,
    node: &Node,
    budget: &mut Budget,
    depth: usize,
    sources: &mut Sources,
) -> Result<Chart, String> {
    let root = files.keys().find_map(|p| p.strip_suffix("/Chart.yaml").filter(|folder| !folder.contains('/')));
    let root = root.ok_or("it has no `<name>/Chart.yaml`")?.to_owned();
    let own = |below: &str| files.get(&format!("{root}/{below}"));
    let text = |below: &str| -> Result<Option<String>, String> {
        let text = own(below).map(|bytes| String::from_utf8(bytes.clone()));
        text.transpose().map_err(|_| format!("its `{below}` is not UTF-8"))
    };
    let head_name = format!("{path}:{root}/Chart.yaml");
    let head = text("Chart.yaml")?.and_then(|t| yaml(&head_name, t, sources)).ok_or("its `Chart.yaml` is not YAML")?;
    let field = |key: &str| head.get(key).and_then(Node::scalar_text).cloned();
    let name = field("name").ok_or("its `Chart.yaml` has no `name`")?;
    let version = field("version").ok_or("its `Chart.yaml` has no `version`")?;
    let app_version = field("appVersion");
    let values = match text("values.yaml")?.filter(|t| !t.trim().is_empty()) {
        Some(t) => Some(
            yaml(&format!("{path}:{root}/values.yaml"), t, sources)
                .filter(|n| matches!(n.data, Data::Map(_) | Data::Null))
                .ok_or("its `values.yaml` is not a YAML map")?,
        ),
        None => None,
    };
    let schema = match text("values.schema.json")? {
        Some(t) => Some(serde_json::from_str(&t).map_err(|e| format!("its `values.schema.json` is not JSON: {e}"))?),
        None => None,
    };
    let mut images = values.as_ref().map(|v| images::of_values(v, app_version.as_ref())).unwrap_or_default();
    images.extend(images::of_annotations(&head, &head_name, sources));
    let mut templates = String::new();
    for (_, bytes) in files.iter().filter(|(p, _)| p.starts_with(&format!("{root}/templates/"))) {
        templates.push_str(&String::from_utf8_lossy(bytes));
        templates.push('\n');
    }
    let mut parts = BTreeMap::new();
    for (folder, inner) in inner(&root, &files, budget)? {
        if depth >= DEPTH_LIMIT {
            return Err(format!("more than {DEPTH_LIMIT} charts lie in each other"));
        }
        let part = chart(&format!("{path}:{folder}"), inner, node, budget, depth + 1, sources);
        let part = part.map_err(|why| format!("the chart `{folder}` in it cannot be used: {why}"))?;
        let key = alias(&head, &part.name);
        images.extend(part.images.iter().map(|image| match image.key.is_empty() {
            true => image.clone(),
            false => ChartImage { key: format!("{key}.{}", image.key).into(), ..image.clone() },
        }));
        parts.insert(key, part);
    }
    images.sort_by(|a, b| {
        (&a.source, &a.tag, a.key.is_empty(), &a.key).cmp(&(&b.source, &b.tag, b.key.is_empty(), &b.key))
    });
    // What the annotations list and a key names is one image.
    let named: Vec<(Str, Option<Str>)> =
        images.iter().filter(|i| !i.key.is_empty()).map(|i| (i.source.clone(), i.tag.clone())).collect();
    images.retain(|i| !i.key.is_empty() || !named.contains(&(i.source.clone(), i.tag.clone())));
    Ok(Chart {
        path: path.into(),
        place: node.place,
        span: node.span,
        name,
        version,
        app_version,
        values,
        schema,
        images,
        parts,
        templates,
    })
}

/// The files of each chart in `charts/`: a folder or an archive of its own.
type Inner = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

fn inner(root: &str, files: &BTreeMap<String, Vec<u8>>, budget: &mut Budget) -> Result<Inner, String> {
    let prefix = format!("{root}/charts/");
    let mut found = Inner::new();
    for (path, bytes) in files {
        let Some(below) = path.strip_prefix(&prefix) else { continue };
        match below.split_once('/') {
            Some((folder, _)) => {
                found.entry(format!("charts/{folder}")).or_default().insert(below.to_owned(), bytes.clone());
            }
            None if below.ends_with(".tgz") => {
                let files = unpack(bytes, budget).map_err(|why| format!("the archive `{path}` in it: {why}"))?;
                found.insert(format!("charts/{below}"), files);
            }
            None => {}
        }
    }
    Ok(found)
}

/// The key of a part's values: its name, unless the dependency has an alias.
fn alias(head: &Node, name: &str) -> String {
    let dependencies = head.get("dependencies").map(Node::items).unwrap_or_default();
    let named = dependencies.iter().find(|d| d.get("name").and_then(Node::scalar_text).is_some_and(|n| **n == *name));
    let alias = named.and_then(|d| d.get("alias")).and_then(Node::scalar_text);
    alias.map_or_else(|| name.to_owned(), |a| a.to_string())
}

/// A YAML text of the chart. It is not ours to judge: what this compiler would refuse in a spec is only unknown.
fn yaml(name: &str, text: String, sources: &mut Sources) -> Option<Node> {
    let file = sources.add(name, text, Role::Chart);
    parse(sources, file, &mut Findings::default())
}

impl Chart {
    /// Whether the chart's values have this key, or may have it.
    pub fn has(&self, steps: &[String]) -> bool {
        if let Some((first, rest)) = steps.split_first() {
            if first == "global" || self.parts.get(first).is_some_and(|part| !rest.is_empty() && part.has(rest)) {
                return true;
            }
        }
        if self.templates_read(steps) {
            return true;
        }
        let Some(mut node) = self.values.as_ref() else { return false };
        for step in steps {
            match &node.data {
                // An empty place takes whatever the templates read there.
                Data::Null | Data::Poison => return true,
                Data::Map(entries) if entries.is_empty() => return true,
                Data::List(items) => match step.parse::<usize>() {
                    Ok(_) if items.is_empty() => return true,
                    Ok(n) if n < items.len() => node = &items[n],
                    _ => return false,
                },
                _ => match node.get(step) {
                    Some(below) => node = below,
                    None => return false,
                },
            }
        }
        true
    }

    /// Whether a template reads the key by its whole name.
    fn templates_read(&self, steps: &[String]) -> bool {
        let name = format!(".Values.{}", steps.join("."));
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        self.templates.match_indices(&name).any(|(at, _)| ends(&self.templates[at + name.len()..]))
    }

    /// The dotted keys of all scalars, lists and empty maps below a block; all of the chart's for an empty name.
    pub fn keys(&self, block: &str) -> Vec<String> {
        let mut node = self.values.as_ref();
        for step in block.split('.').filter(|s| !s.is_empty()) {
            node = node.and_then(|n| n.get(step));
        }
        let mut keys = Vec::new();
        if let Some(node) = node {
            leaves(node, block, &mut keys);
        }
        if block.is_empty() {
            for (name, part) in &self.parts {
                keys.extend(part.keys("").into_iter().map(|key| format!("{name}.{key}")));
            }
        }
        keys
    }

    /// The keys of a block, as a question offers them.
    pub fn offered(&self, block: &str) -> Option<String> {
        let keys = self.keys(block);
        (!keys.is_empty()).then(|| format!("the chart has {}", listed(&keys)))
    }

    /// What expressions see as `chart`.
    pub fn tracked(&self) -> Tracked {
        let origins = Origins::from(self.place);
        let text = |text: &Str| Tracked::new(text.clone(), origins.clone());
        let file: Str = self.path.rsplit('/').next().unwrap_or_default().into();
        let mut map = Map::new();
        map.insert("file".into(), text(&file));
        map.insert("name".into(), text(&self.name));
        map.insert("version".into(), text(&self.version));
        let app_version = self.app_version.as_ref().map(text);
        map.insert("app_version".into(), app_version.unwrap_or_else(|| Tracked::new(Value::Null, origins.clone())));
        let keys = self.keys("").iter().map(|k| text(&k.as_str().into())).collect();
        map.insert("keys".into(), Tracked::new(Value::list(keys), origins.clone()));
        let images = self.images.iter().map(|image| {
            let origins = origins.union(&Origins::from(image.place));
            let field = |value: Value| Tracked { value, origins: origins.clone() };
            let mut map = Map::new();
            map.insert("key".into(), field(Value::Str(image.key.clone())));
            map.insert("holds".into(), field(Value::Str(image.holds.clone())));
            map.insert("source".into(), field(Value::Str(image.source.clone())));
            map.insert("registry".into(), field(Value::Str(image.registry.clone())));
            map.insert("name".into(), field(Value::Str(image.name.clone())));
            map.insert("tag".into(), field(image.tag.clone().map_or(Value::Null, Value::Str)));
            Tracked { value: Value::map(map), origins: origins.clone() }
        });
        map.insert("images".into(), Tracked::new(Value::list(images.collect()), origins.clone()));
        Tracked { value: Value::map(map), origins }
    }
}

/// At most a dozen names.
pub fn listed(names: &[String]) -> String {
    let mut list: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
    if names.len() > list.len() {
        list.push("…".to_owned());
    }
    list.join(", ")
}

fn leaves(node: &Node, key: &str, keys: &mut Vec<String>) {
    if node.entries().is_empty() {
        keys.extend((!key.is_empty()).then(|| key.to_owned()));
    }
    for entry in node.entries() {
        let step = entry.key.replace('.', "\\.");
        let below = if key.is_empty() { step } else { format!("{key}.{step}") };
        leaves(&entry.value, &below, keys);
    }
}
