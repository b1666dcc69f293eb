//! From the plan, the `Ir` and the packs' templates to the text of every artifact, and on demand its origins.

mod check;
pub mod escape;
mod interpolation;
mod loops;
pub mod plan;
mod read;
mod render;
mod settle;
mod template;
#[cfg(test)]
mod tests;
mod trace;
mod written;

use std::collections::BTreeMap;

use crate::artifact::{Artifact, ArtifactTree};
use crate::diag::{Diag, Findings};
use crate::instance::Instance;
use crate::pack::Pack;
use crate::pack::expr::Scope;
use crate::pack::manifest::ArtifactRule;
use crate::site::Site;
use crate::source::Sources;
use crate::spread::spread_all_with;
use crate::value::{Origins, Str, Tracked};
use escape::Format;
use plan::Planned;
use written::KnownLists;

pub use check::{check_template, check_templates};
pub use render::{Mode, Rendered, TemplateSet, render};
pub use template::Template;
pub use trace::Trace;

/// What emitting comes to.
#[derive(Debug, Default)]
pub struct Emission {
    pub tree: ArtifactTree,
    /// The origins of each line of each artifact.
    pub trace: Option<BTreeMap<String, Vec<Origins>>>,
}

/// The parsed templates of one pack. A template is parsed once for each format that it is used in.
#[derive(Debug, Default)]
pub struct Templates {
    by_name: BTreeMap<(Str, Format), Template>,
}

/// One format of a pack's templates, as `include` sees them.
struct InFormat<'a>(&'a Templates, Format);

impl TemplateSet for InFormat<'_> {
    fn template(&self, name: &str) -> Option<&Template> {
        self.0.by_name.get(&(Str::from(name), self.1))
    }

    fn names(&self) -> Vec<&str> {
        self.0.by_name.keys().filter(|(_, f)| *f == self.1).map(|(n, _)| &**n).collect()
    }
}

impl Templates {
    /// Parses the templates that the artifacts of a pack name, and those that these include.
    pub fn parse(pack: &Pack, sources: &mut Sources, findings: &mut Findings) -> Self {
        Self::parse_for(pack, &pack.artifacts, sources, findings)
    }

    /// Parses the templates that some of the artifacts of a pack name, and those that these include.
    pub fn parse_for<'a>(
        pack: &Pack,
        artifacts: impl IntoIterator<Item = &'a ArtifactRule>,
        sources: &mut Sources,
        findings: &mut Findings,
    ) -> Self {
        let mut templates = Self::default();
        let named = artifacts.into_iter().filter_map(|a| Some((a.template.clone(), Format::from_name(&a.format)?)));
        let mut waiting: Vec<(Str, Format)> = named.collect();
        while let Some((name, format)) = waiting.pop() {
            let Some(file) = pack.templates.get(&name) else { continue };
            if templates.by_name.contains_key(&(name.clone(), format)) {
                continue;
            }
            let Some(template) = Template::parse(&name, *file, sources, format, findings) else { continue };
            waiting.extend(template.uses().into_iter().map(|used| (used, format)));
            templates.by_name.insert((name, format), template);
        }
        templates
    }

    fn get(&self, name: &str, format: Format) -> Option<(&Template, InFormat<'_>)> {
        Some((self.by_name.get(&(Str::from(name), format))?, InFormat(self, format)))
    }

    /// Calls `f` with every template and the set that it can include from.
    pub fn each(&self, mut f: impl FnMut(&Template, &dyn TemplateSet)) {
        for ((_, format), template) in &self.by_name {
            f(template, &InFormat(self, *format));
        }
    }
}

/// What rendering reads beside the plan.
pub struct Emitting<'a> {
    pub instances: &'a [Instance<'a>],
    /// The templates of each instance's pack, in the order of the instances.
    pub templates: &'a [&'a Templates],
    pub ir: &'a Tracked,
    pub site: &'a Site,
    pub sources: &'a Sources,
    pub mode: Mode,
    /// The most threads to use; 0 leaves it to the machine.
    pub threads: usize,
}

type Piece = Result<Option<(Artifact, Option<Vec<Origins>>)>, Vec<Diag>>;

/// Renders every planned artifact, several at once; the result does not depend on how many.
pub fn emit(planned: &[Planned], cx: &Emitting, findings: &mut Findings) -> Emission {
    // Names that every artifact of an instance sees are put together once.
    let tree = tree(planned, cx.instances);
    let names: Vec<Vec<(Str, Tracked)>> = cx
        .instances
        .iter()
        .map(|_| {
            let (products, tree) = (products(cx.instances), tree.clone());
            vec![("ir".into(), cx.ir.clone()), ("products".into(), products), ("tree".into(), tree)]
        })
        .collect();
    let pieces = spread_all_with(cx.threads, planned, KnownLists::default, |written, planned| {
        one(planned, cx, &names[planned.instance], written)
    });
    let mut emission = Emission::default();
    emission.tree.site =
        cx.site.at("/site/name").and_then(|n| n.value.text()).map(|n| n.to_string()).unwrap_or_default();
    let mut trace = BTreeMap::new();
    for (planned, piece) in planned.iter().zip(pieces) {
        match piece {
            Ok(Some((artifact, lines))) => {
                if let Some(lines) = lines {
                    trace.insert(planned.path.to_string(), lines);
                }
                emission.tree.files.insert(planned.path.to_string(), artifact);
            }
            Err(diags) => diags.into_iter().for_each(|d| findings.push(d)),
            Ok(None) => {}
        }
    }
    if cx.mode == Mode::Traced {
        emission.trace = Some(trace);
    }
    emission
}

fn one(planned: &Planned, cx: &Emitting, names: &[(Str, Tracked)], written: &mut KnownLists) -> Piece {
    let instance = &cx.instances[planned.instance];
    let world = instance.world(cx.site);
    let base = Scope::new(&instance.names, &world);
    let middle = base.child(names);
    let scope = middle.child(&planned.names);
    let format = Format::from_name(&planned.rule.format);
    let Some((template, set)) = format.and_then(|f| cx.templates[planned.instance].get(&planned.rule.template, f))
    else {
        return Ok(None);
    };
    let (text, trace) = match render(template, &scope, &set, cx.sources, cx.mode, written)? {
        Rendered::Poisoned => return Ok(None),
        Rendered::Text { text, trace, .. } => (text, trace),
    };
    let lines = trace.map(|trace| {
        let lines = 0..trace.line_count();
        lines.map(|l| Origins::from_places(trace.line_origins(l + 1)).union(&planned.exists)).collect()
    });
    let artifact = Artifact {
        format: planned.rule.format.clone(),
        bytes: text.into_bytes(),
        placement: planned.placement,
        host: planned.host.clone(),
        target: planned.target.clone(),
        owner: planned.owner.clone(),
        mode: planned.mode.clone(),
        apply: planned.apply.clone(),
        check: planned.check.clone(),
        pack: instance.pack.name.clone(),
    };
    Ok(Some((artifact, lines)))
}

/// The products of the site, for documents: instance, pack, title and version.
fn products(instances: &[Instance]) -> Tracked {
    let products = instances.iter().filter(|i| !i.product.value.is_null()).map(|i| {
        let mut map = crate::value::Map::new();
        map.insert("instance".into(), Tracked::new(i.name.clone(), i.product.origins.clone()));
        map.insert("pack".into(), Tracked::new(i.pack.name.clone(), i.product.origins.clone()));
        map.insert("title".into(), Tracked::new(i.pack.title.clone(), i.product.origins.clone()));
        let version = i.product.get("version").cloned().unwrap_or_default();
        map.insert("version".into(), version);
        Tracked::new(map, i.product.origins.clone())
    });
    Tracked::new(products.collect::<Vec<_>>(), Origins::None)
}

/// What stands at the top of the tree: folders and files, with the titles of the packs of products that write there.
///
/// An entry is there as long as one artifact is: what decides about the first one decides about the entry.
fn tree(planned: &[Planned], instances: &[Instance]) -> Tracked {
    let mut entries: BTreeMap<&str, (&Origins, BTreeMap<&Str, &Origins>)> = BTreeMap::new();
    for artifact in planned {
        let top = artifact.path.split_once('/').map_or(&*artifact.path, |(folder, _)| folder);
        let (_, packs) = entries.entry(top).or_insert((&artifact.exists, BTreeMap::new()));
        if let Some(instance) = instances.get(artifact.instance).filter(|i| !i.product.value.is_null()) {
            packs.entry(&instance.pack.title).or_insert(&artifact.exists);
        }
    }
    let entries = entries.into_iter().map(|(name, (exists, packs))| {
        let packs: Vec<Tracked> =
            packs.into_iter().map(|(title, origins)| Tracked::new(title.clone(), origins.clone())).collect();
        let mut map = crate::value::Map::new();
        map.insert("name".into(), Tracked::new(name, exists.clone()));
        map.insert("packs".into(), Tracked::new(packs, exists.clone()));
        Tracked::new(map, exists.clone())
    });
    Tracked::new(entries.collect::<Vec<_>>(), Origins::None)
}
