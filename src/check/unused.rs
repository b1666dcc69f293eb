//! What the spec declares and nothing uses: hosts, networks, certificates, secrets and other entries, and facts that no
//! pack asks for.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use super::places::{label, place};
use crate::diag::codes::{UNKNOWN_FACT, UNUSED};
use crate::diag::{Diag, Findings, similar_name};
use crate::instance::Instance;
use crate::ir::Ir;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{PlaceId, Role, Sources};
use crate::value::{Origins, Str, Tracked, Value};

/// The tables whose entries must be used, and what one entry is called.
const TABLES: [(&str, &str); 8] = [
    ("networks", "network"),
    ("external", "external endpoint"),
    ("hosts", "host"),
    ("clusters", "cluster"),
    ("storage", "storage"),
    ("databases", "database server"),
    ("certificates", "certificate"),
    ("secrets", "secret"),
];

/// Checks a site on which products run; one without any is a draft, in which nothing is used yet.
pub fn unused(instances: &[Instance], ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let products: Vec<&Instance> = instances.iter().filter(|i| !i.product.value.is_null()).collect();
    if products.is_empty() || findings.has_errors() {
        return;
    }
    let (mut named, mut words) = (IndexSet::new(), IndexSet::new());
    for (key, value) in site.root.entries() {
        refs(value, Some(key), &mut named, &mut words);
    }
    let read = read(&products, ir);
    let entry_file = sources.files().find(|(_, f)| f.role == Role::Spec).map(|(id, _)| id);
    for (table, what) in TABLES {
        let mut reported: BTreeSet<Vec<PlaceId>> = BTreeSet::new();
        for (name, entry) in site.table(table) {
            // The additions name their ends in text.
            let used = matches!(entry.value, Value::Null | Value::Poison)
                || named.contains(&(table, &**name))
                || words.contains(&**name)
                || holds_host(table, name, site)
                || places(entry).iter().any(|p| read.contains(p))
                || entry.get("roles").is_some_and(|r| !r.items().is_empty());
            if used {
                continue;
            }
            // A file that several sites extend holds what not all of them use.
            let own = place(&entry.origins, sources).is_some_and(|s| Some(s.file) == entry_file);
            if !own || !reported.insert(entry.origins.as_slice().to_vec()) {
                continue;
            }
            let message = format!("the {what} `{name}` is used by nothing");
            let mut diag = Diag::new(UNUSED, message).at_maybe(place(&entry.origins, sources), "");
            diag.waivable = true;
            diag = diag.pointer(pointer(&[table, name]));
            findings
                .push(diag.help("name it where it is meant, or remove it; what is there for people only has a waiver"));
        }
    }
    facts(instances, site, sources, findings);
}

/// Whether a host stands in a network.
fn holds_host(table: &str, name: &Str, site: &Site) -> bool {
    let stands =
        |host: &Tracked| matches!(host.get("network").map(|n| &n.value), Some(Value::Ref(r)) if r.name == *name);
    table == "networks" && site.table("hosts").any(|(_, host)| stands(host))
}

/// Every entry that is named below a value, and every word of the additions.
fn refs<'a>(
    value: &'a Tracked,
    key: Option<&str>,
    named: &mut IndexSet<(&'a str, &'a str)>,
    texts: &mut IndexSet<&'a str>,
) {
    match &value.value {
        Value::Ref(used) => {
            named.insert((&used.table, &used.name));
        }
        Value::Map(map) => {
            for (inner_key, inner) in map.iter() {
                // A host's own network is no use of the network by others; where hosts stand is looked at apart.
                let below = if key == Some("extra") { Some("extra") } else { Some(&**inner_key) };
                refs(inner, below, named, texts);
            }
        }
        Value::List(items) => items.iter().for_each(|item| refs(item, key, named, texts)),
        Value::Str(text) if key == Some("extra") => {
            let words = text.split(|c: char| !(c.is_alphanumeric() || "._-".contains(c)));
            texts.extend(words.filter(|w| !w.is_empty()));
        }
        _ => {}
    }
}

/// The places of an entry and of what is directly in it.
fn places(entry: &Tracked) -> Vec<PlaceId> {
    let mut all = entry.origins.as_slice().to_vec();
    for (key, value) in entry.entries().filter(|(key, _)| &***key != "name") {
        let items = value.items().iter().flat_map(|i| i.origins.as_slice());
        // What a host has of its network or of the site is not its own.
        if !matches!(&**key, "network" | "fqdn" | "filesystem") {
            all.extend(value.origins.as_slice().iter().chain(items));
        }
    }
    all
}

/// Every place that products read: in their bindings, ports and flows.
fn read(products: &[&Instance], ir: &Ir) -> BTreeSet<PlaceId> {
    let mut sets: Vec<Origins> = Vec::new();
    for instance in products {
        for (name, value) in &instance.names {
            if matches!(&**name, "bind" | "ports" | "values") {
                sets.push(crate::lower::peers::deep_origins(value));
            }
        }
    }
    let of_products = |product: &Str| products.iter().any(|i| i.name == *product);
    sets.extend(ir.proxies.iter().filter(|p| of_products(&p.product)).map(|p| p.origins()));
    sets.extend(ir.exports.iter().map(|e| e.origins()));
    sets.extend(ir.secrets.iter().filter(|s| !s.uses.is_empty()).map(|s| s.origins()));
    Origins::all(&sets).as_slice().iter().copied().collect()
}

/// Facts that no pack of the site asks for: mostly a letter is wrong, and the question stays open.
fn facts(instances: &[Instance], site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for instance in instances {
        let files = instance.pack.file.into_iter().chain(instance.pack.templates.values().copied());
        for file in files {
            let text = &*sources.file(file).text;
            known.extend(text.match_indices("facts").filter_map(|(at, _)| {
                let rest = text[at + 5..].trim_start_matches(['.', '[', '\'', '"', '\\']);
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
                (end > 0).then(|| &rest[..end])
            }));
        }
    }
    let mut reported: BTreeSet<PlaceId> = BTreeSet::new();
    let mut found: Vec<(String, &Tracked)> = Vec::new();
    below(&site.root, &mut String::new(), &mut found);
    for (at, facts) in found {
        for (key, value) in facts.entries().filter(|(key, _)| !known.contains(&***key)) {
            let Some(first) = value.origins.as_slice().first().filter(|p| reported.insert(**p)) else { continue };
            let message = format!("no pack of this site asks for the fact `{key}`");
            let mut diag = Diag::new(UNKNOWN_FACT, message).at_maybe(sources.span_of(*first), "");
            diag = label(diag, place(&facts.origins, sources), "");
            diag.waivable = true;
            diag.pointer = format!("{at}{}", pointer(&[key]));
            diag = match similar_name(key, known.iter().copied()) {
                Some(near) => diag.help(format!("there is a fact `{near}`")),
                None => diag.help("remove it; for a remark there is `note`"),
            };
            findings.push(diag);
        }
    }
}

/// Every `facts` below a value, with its pointer.
fn below<'a>(value: &'a Tracked, at: &mut String, found: &mut Vec<(String, &'a Tracked)>) {
    let length = at.len();
    for (key, inner) in value.entries() {
        if matches!(inner.value, Value::Map(_)) {
            crate::node::push_step(at, key);
            match &**key {
                "facts" => found.push((at.clone(), inner)),
                _ => below(inner, at, found),
            }
            at.truncate(length);
        }
    }
}
