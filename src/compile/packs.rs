//! The packs of a compilation: which ones a spec names, and what is read of them.

use std::collections::{BTreeMap, BTreeSet};

use super::BASE;
use crate::diag::codes::UNKNOWN_PACK;
use crate::diag::{Diag, Findings, similar_name, surely_meant};
use crate::node::{Entry, Node};
use crate::pack::load::{self, Opened, Settings};
use crate::pack::{Pack, PackFiles, embedded};
use crate::resolve::PackDefault;
use crate::source::Sources;
use crate::validate;
use crate::value::Str;

/// An entry under `products`.
pub struct Use {
    pub instance: Str,
    pub pack: Str,
}

/// The products of a spec.
pub fn uses(spec: &Node) -> Vec<Use> {
    let of = |e: &Entry| Use {
        instance: e.key.clone(),
        pack: e.value.get("pack").and_then(Node::scalar_text).unwrap_or(&e.key).clone(),
    };
    products(spec).0.map(of).collect()
}

/// The products of a spec, and whether something else stands among them, such as the keys of one whose name is lost.
fn products(spec: &Node) -> (impl Iterator<Item = &Entry>, bool) {
    let entries = spec.get("products").map(Node::entries).unwrap_or_default();
    let is_product = |e: &&Entry| e.value.scalar_text().is_none() && e.value.items().is_empty();
    (entries.iter().filter(is_product), !entries.iter().all(|e| is_product(&e)))
}

/// The files of a pack; those of the user's own go before those that are part of the program.
fn files(name: &str, own: &[PackFiles]) -> Option<PackFiles> {
    own.iter().rfind(|p| &*p.name == name).cloned().or_else(|| embedded::pack(name))
}

/// The pack that every site has, read from sources of its own, which come behind those of the spec, and what was found
/// wrong with it.
pub fn base(own: &[PackFiles]) -> (Option<Pack>, Sources, Findings) {
    let (mut sources, mut findings) = (Sources::behind(), Findings::default());
    let pack = files(BASE, own).and_then(|files| load::load(&files, &mut sources, &mut findings));
    (pack, sources, findings)
}

/// The files of the packs that a spec names, with their parts of the schema. No others are looked at.
pub fn named(used: &[Use], own: &[PackFiles]) -> BTreeMap<Str, (PackFiles, Settings)> {
    let mut named = BTreeMap::new();
    for name in used.iter().map(|u| &u.pack) {
        if !named.contains_key(name)
            && let Some(files) = files(name, own)
        {
            let settings = load::settings_schema(&files);
            named.insert(name.clone(), (files, settings));
        }
    }
    named
}

/// Reads the packs that the spec names, but for the one that every site has. A name without a pack is a finding.
pub fn read(
    spec: &Node,
    own: &[PackFiles],
    named: &BTreeMap<Str, (PackFiles, Settings)>,
    sources: &mut Sources,
    findings: &mut Findings,
) -> BTreeMap<Str, Pack> {
    let mut opened: BTreeMap<Str, Option<Opened>> = BTreeMap::new();
    let (products, mixed) = products(spec);
    for entry in products {
        let said = entry.value.get("pack").filter(|n| n.scalar_text().is_some());
        let name = said.and_then(Node::scalar_text).unwrap_or(&entry.key);
        if opened.contains_key(name) || &**name == BASE {
            continue;
        }
        match named.get(name) {
            Some((files, settings)) => {
                opened.insert(name.clone(), load::open(files, settings, sources, findings));
            }
            None if said.is_none() && (mixed || validate::is_key_of_products(name)) => {}
            None => findings.push(unknown(name, entry.key_span, said, own)),
        }
    }
    opened.into_iter().filter_map(|(name, pack)| Some((name, pack?.read(sources, findings)))).collect()
}

/// The finding about a name that no pack has, given at the key of a product or said beneath it.
fn unknown(name: &Str, key: crate::source::Span, said: Option<&Node>, own: &[PackFiles]) -> Diag {
    let mut known: BTreeSet<&str> = embedded::names().collect();
    known.extend(own.iter().map(|p| &*p.name));
    let span = said.map_or(key, |n| n.span);
    let diag = Diag::new(UNKNOWN_PACK, format!("there is no pack `{name}`")).at(span, "named here");
    let names = known.iter().copied().filter(|k| *k != BASE);
    match similar_name(name, names.clone()) {
        Some(near) => {
            let diag = diag.help(format!("there is a pack `{near}`"));
            let safe = surely_meant(name, near, names);
            if said.is_some() { diag.replace(span, near, safe) } else { diag }
        }
        None => diag.help(format!(
            "packs are: {}; name one with `pack:`, or give your own with `--packs DIR`",
            names.collect::<Vec<_>>().join(", ")
        )),
    }
}

/// The defaults that packs give for places of the site.
pub fn defaults(used: &[Use], packs: &BTreeMap<Str, Pack>) -> Vec<PackDefault> {
    let mut defaults = Vec::new();
    for u in used {
        let Some(pack) = packs.get(&u.pack) else { continue };
        for rule in &pack.defaults {
            // A default of the product's own part holds for this instance only.
            let place: Str = match rule.pattern.strip_prefix("product.") {
                Some(rest) => format!("/products/{}/{}", u.instance, rest.replace('.', "/")).into(),
                None => rule.pattern.clone(),
            };
            defaults.push(PackDefault { place, value: rule.value.clone(), pack: pack.name.clone() });
        }
    }
    defaults
}
