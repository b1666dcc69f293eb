//! The site's free additions (`extra` of the spec and of a product) as items of the `Ir`: flows, exports, steps. What an
//! addition cannot be made of is a finding.

pub mod flows;
pub mod steps;

use std::sync::{Arc, LazyLock};

use super::merge::merge_field;
use super::peers::{deep_origins, peers};
use crate::check::places::spec_span;
use crate::diag::Diag;
use crate::diag::codes::{EXPORT_TO_NOBODY, WITHOUT_EFFECT};
use crate::instance::{Instance, Run, Withheld};
use crate::ir::{Export, F};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// The additions of the site or of one product.
#[derive(Clone, Copy, Debug)]
pub struct Additions<'a> {
    /// The instance; `site` for those of the site.
    pub product: &'a Str,
    pub instance: &'a Instance<'a>,
    pub extra: &'a Tracked,
}

/// All additions of a spec: those of the site first, then those of the products in their order.
pub fn additions<'a>(instances: &'a [Instance<'a>], site: &'a Site) -> Vec<Additions<'a>> {
    let of = |instance: &'a Instance<'a>| {
        let own = if instance.product.value.is_null() { &site.root } else { &instance.product };
        Some(Additions { product: &instance.name, instance, extra: own.get("extra")? })
    };
    instances.iter().filter_map(of).collect()
}

impl Additions<'_> {
    /// The entries of one kind with their pointers, unanswered and faulty ones left out.
    fn entries(&self, kind: &str) -> impl Iterator<Item = (String, &Tracked)> {
        let base = match self.instance.product.value.is_null() {
            true => super::storage::pointer(&["extra", kind]),
            false => super::storage::pointer(&["products", self.product, "extra", kind]),
        };
        let items = self.extra.get(kind).map(Tracked::items).unwrap_or_default();
        let answered = items.iter().enumerate().filter(|(_, i)| !matches!(i.value, Value::Null | Value::Poison));
        answered.map(move |(index, item)| (format!("{base}/{index}"), item))
    }

    /// Lets something wait for the answer at a place of an entry.
    fn wait(&self, what: &str, pointer: &str, key: &str, entry: &Tracked, run: &mut Run) {
        let null = entry.get(key).map(|value| value.origins.clone()).unwrap_or_default();
        run.withheld.push(Withheld {
            product: self.product.clone(),
            what: what.to_string(),
            unanswered: vec![Unanswered {
                path: key.to_string(),
                pointer: Some(format!("{pointer}/{key}")),
                origins: entry.origins.union(&null),
                // What else stands in the entry decides on what is needed: protocols without ports need none.
                reads: deep_origins(entry),
            }],
            why: "an addition of the site".into(),
            ..Default::default()
        });
    }
}

/// Why an addition is there: `site: the customer's monitoring`.
fn reason(entry: &Tracked) -> F<Str> {
    match entry.get("why").and_then(|why| Some((why.value.text()?, why))) {
        Some((text, why)) => F::new(format!("site: {text}").into(), why.origins.union(&entry.origins)),
        None => {
            /// One text for thousands of them.
            static WHY: LazyLock<Str> = LazyLock::new(|| "site: added in the spec".into());
            F::new(WHY.clone(), entry.origins.clone())
        }
    }
}

/// A key's value as text, with the origins of the entry's being there.
fn text(entry: &Tracked, key: &str) -> Option<F<Str>> {
    let value = entry.get(key)?;
    Some(F::new(value.value.text()?, value.origins.union(&entry.origins)))
}

/// Whether an entry holds something faulty, so that nothing more is said about it.
pub fn is_faulty(entry: &Tracked) -> bool {
    match &entry.value {
        Value::Poison => true,
        Value::Map(map) => map.values().any(is_faulty),
        Value::List(items) => items.iter().any(is_faulty),
        _ => false,
    }
}

/// Whether a value, or an entry that it names, has something faulty in it; that has been reported.
pub fn names_faulty(value: &Tracked, site: &Site) -> bool {
    match &value.value {
        Value::Ref(r) => site.entry(&r.table, &r.name).is_some_and(is_faulty),
        Value::List(items) => items.iter().any(|item| names_faulty(item, site)),
        _ => is_faulty(value),
    }
}

/// Joins the site's own exports with those of the packs: clients are added to an export that is there already, its
/// options must be the same where the addition gives any.
pub fn exports(
    additions: &[Additions],
    packs: Vec<Arc<Export>>,
    site: &Site,
    sources: &Sources,
    run: &mut Run,
) -> Vec<Arc<Export>> {
    let mut list = packs;
    let entries = additions.iter().flat_map(|a| a.entries("exports").map(move |(pointer, entry)| (a, pointer, entry)));
    let mut entries: Vec<_> = entries.filter(|(.., entry)| !is_faulty(entry)).collect();
    let given = |entry: &Tracked, key: &str| entry.get(key).is_some_and(|v| !v.items().is_empty());
    // Of several about one export, those that say more come first, so that the others can follow them.
    entries.sort_by_key(|(.., entry)| (!given(entry, "options"), !given(entry, "clients")));
    for (addition, pointer, entry) in entries {
        let what = "an export among the additions of the site";
        let (Some(host), Some(path)) = (text(entry, "server"), text(entry, "path")) else {
            let missing = if entry.get("server").is_none_or(|s| s.value.is_null()) { "server" } else { "path" };
            addition.wait(what, &pointer, missing, entry, run);
            continue;
        };
        let known = list.iter().position(|e| *e.host == *host && *e.path == *path);
        let clients = entry.get("clients").filter(|_| given(entry, "clients"));
        let clients = clients.and_then(|c| Some(peers(c, site)?.map(|p| p.nets.to_vec())));
        let options = entry.get("options").filter(|_| given(entry, "options")).map(|o| {
            let options = o.items().iter().filter_map(|i| i.value.text()).collect();
            F::new(options, deep_origins(o).union(&entry.origins))
        });
        // No address at all would be an export to everybody.
        if clients.as_ref().is_some_and(|c| c.value.is_empty()) {
            let message = format!("the clients of the export `{}` of `{}` have no address", *path, *host);
            let place = entry.get("clients").and_then(|c| c.items().first()).map_or(&entry.origins, |c| &c.origins);
            let diag = Diag::new(EXPORT_TO_NOBODY, message).at_maybe(spec_span(place, sources), "");
            run.findings
                .push(diag.pointer(pointer).help("give these hosts their `addresses`, these networks their `cidrs`"));
            continue;
        }
        match (known, clients) {
            (Some(index), clients) => list[index] = Arc::new(joined(&list[index], clients, options, entry, run)),
            (None, None) => addition.wait(what, &pointer, "clients", entry, run),
            (None, Some(clients)) => list.push(Arc::new(Export {
                clients: F::new(clients.value, clients.origins.union(&entry.origins)),
                options: options.unwrap_or_else(|| F::new(vec!["rw".into()], entry.origins.clone())),
                storage: F::new("".into(), entry.origins.clone()),
                host,
                path,
            })),
        }
    }
    list.sort_by_cached_key(|e| (e.host.value.clone(), e.path.value.clone()));
    list
}

/// An export with what an addition says about it. One that everybody may mount stays so.
fn joined(
    export: &Export,
    clients: Option<F<Vec<ipnet::IpNet>>>,
    options: Option<F<Vec<Str>>>,
    entry: &Tracked,
    run: &mut Run,
) -> Export {
    let mut export = export.clone();
    if let Some(clients) = clients {
        if !export.clients.value.is_empty() {
            let all = export.clients.value.iter().chain(&clients.value).copied().collect();
            export.clients.value = super::peers::merged(all);
        }
        export.clients.origins = Origins::all([&export.clients.origins, &clients.origins, &entry.origins]);
    }
    if let Some(options) = options {
        export.options = merge_field(
            &export.options,
            &options,
            &format!("options of the export `{}` of `{}`", *export.path, *export.host),
            run,
        );
    }
    export
}

/// Reports additions of which nothing can be made.
pub fn without_effect(additions: &[Additions], sources: &Sources, run: &mut Run) {
    for addition in additions {
        let has =
            |kind: &str| addition.extra.get(kind).filter(|v| !v.items().is_empty() || v.entries().next().is_some());
        let mut refuse = |kind: &str, why: String, help: &str| {
            let Some(value) = has(kind) else { return };
            let message = format!("the additions under `{kind}` have no effect: {why}");
            run.findings
                .push(Diag::new(WITHOUT_EFFECT, message).at_maybe(spec_span(&value.origins, sources), "").help(help));
        };
        let makes_releases = addition.instance.pack.items.iter().any(|i| i.kind.name == "releases");
        if !makes_releases {
            let (why, help) = match addition.instance.product.value.is_null() {
                true => {
                    ("chart values belong to a product".to_string(), "put them under `extra.values` of the product")
                }
                false => (format!("the pack of `{}` installs no chart", addition.product), "remove them"),
            };
            refuse("values", why, help);
        }
        let why = match addition.instance.product.value.is_null() {
            true => "the site itself has no Swarm stack".to_string(),
            false => format!("the pack of `{}` makes no Swarm stack", addition.product),
        };
        refuse("stacks", why, "remove them, and deploy the services with a step under `extra.steps`");
    }
}
