//! Answers of the spec that nothing reads at this site: settings of products, and facts.

use super::places::place;
use crate::diag::codes::UNUSED;
use crate::diag::{Diag, Findings, similar_name};
use crate::instance::{Instance, Run};
use crate::lower::peers::deep_origins;
use crate::lower::storage::pointer;
use crate::node::push_step;
use crate::site::Site;
use crate::source::{FileId, Role, Sources};
use crate::value::{Str, Tracked, Value};

/// Reports settings that no expression of the pack read and no item came from. `items` is the whole `Ir`. Nothing is
/// told where errors or open questions of the product may have kept something from being read.
pub fn unread(instances: &[Instance], items: &Tracked, site: &Site, sources: &Sources, run: &mut Run) {
    if run.findings.has_errors() {
        return;
    }
    // Mostly expressions have read everything, and nobody has to look where items come from.
    let mut findings = unseen(instances, site, sources, run);
    if !findings.is_empty() {
        run.seen.add(&deep_origins(items));
        findings = unseen(instances, site, sources, run);
    }
    run.findings.extend(findings);
}

/// What nothing reads, as far as has been seen.
fn unseen(instances: &[Instance], site: &Site, sources: &Sources, run: &Run) -> Findings {
    let entry = sources.files().find(|(_, f)| f.role == Role::Spec).map(|(id, _)| id);
    let mut findings = Findings::default();
    let waits = |name: &Str| {
        run.withheld.iter().any(|w| w.product == *name) || run.asked.iter().any(|asked| asked.product == *name)
    };
    for instance in instances.iter().filter(|i| !i.product.value.is_null()) {
        stores(instance, entry, site, sources, run, &mut findings);
    }
    for instance in instances.iter().filter(|i| !i.product.value.is_null() && !waits(&i.name)) {
        let Some(settings) = site.at(&pointer(&["products", &instance.name, "settings"])) else { continue };
        let mut walk = Walk { instance, sources, entry, run, at: String::new(), findings: &mut findings };
        // What was looked up in a chart serves every site that has the chart.
        for (key, value) in settings.entries().filter(|(key, _)| &***key != "chart") {
            walk.at = pointer(&["products", &instance.name, "settings", key]);
            walk.value(key, value);
        }
    }
    findings
}

/// Stores that a product does not ask for: mostly a letter of their use is wrong, and that of another one stays open.
fn stores(
    instance: &Instance,
    entry: Option<FileId>,
    site: &Site,
    sources: &Sources,
    run: &Run,
    findings: &mut Findings,
) {
    let at = pointer(&["products", &instance.name, "stores"]);
    let open = run.asked.iter().flat_map(|a| &a.unanswered).filter_map(|u| u.pointer.as_deref());
    let open: Vec<&str> = open.filter_map(|p| p.strip_prefix(&at)?.strip_prefix('/')?.split('/').next()).collect();
    for (key, value) in site.at(&at).map(Tracked::entries).into_iter().flatten() {
        let own = place(&value.origins, sources).filter(|span| Some(span.file) == entry);
        let read = deep_origins(value).as_slice().iter().any(|p| run.seen.contains(*p));
        let (Some(span), false) = (own, read) else { continue };
        let message = format!("the store `{key}` of `{}` is read by nothing at this site", instance.name);
        let mut diag = Diag::new(UNUSED, message).at(span, "").pointer(format!("{at}{}", pointer(&[key])));
        diag.waivable = true;
        findings.push(match similar_name(key, open.iter().copied()) {
            Some(near) => diag.help(format!("the product asks for a store `{near}`")),
            None => diag.help("remove it, or name it as the product does"),
        });
    }
}

struct Walk<'a> {
    instance: &'a Instance<'a>,
    sources: &'a Sources,
    /// The spec itself: a file that several sites extend holds what not all of them use.
    entry: Option<FileId>,
    run: &'a Run,
    /// The pointer of the value being looked at.
    at: String,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn value(&mut self, key: &str, value: &Tracked) {
        match &value.value {
            Value::Null | Value::Poison => {}
            // There is none, which is said for people.
            Value::List(items) if items.is_empty() => {}
            Value::Map(map) => {
                let length = self.at.len();
                for (key, inner) in map.iter() {
                    push_step(&mut self.at, key);
                    self.value(key, inner);
                    self.at.truncate(length);
                }
            }
            _ => self.leaf(key, value),
        }
    }

    /// A scalar, or a list as a whole.
    fn leaf(&mut self, key: &str, value: &Tracked) {
        let own = place(&value.origins, self.sources).filter(|span| Some(span.file) == self.entry);
        let origins = deep_origins(value);
        let read = origins.as_slice().iter().any(|p| self.run.seen.contains(*p));
        let (Some(span), false, false) = (own, read, self.in_templates(key)) else { return };
        let message = format!("the setting `{key}` of `{}` is read by nothing at this site", self.instance.name);
        let mut diag = Diag::new(UNUSED, message).at(span, "").pointer(self.at.clone());
        diag.waivable = true;
        self.findings.push(diag.help("remove it; or look whether another setting that it belongs to is missing"));
    }

    /// Whether a template of the pack names the key: what templates read is known only when they are rendered.
    fn in_templates(&self, key: &str) -> bool {
        self.instance.pack.templates.values().any(|file| self.sources.file(*file).text.contains(key))
    }
}
