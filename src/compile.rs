//! The texts of a spec and of packs in, findings and the artifact tree out: all passes in their order.

mod packs;

use std::collections::{BTreeMap, BTreeSet};

use self::packs::Use;
use crate::artifact::ArtifactTree;
use crate::chart::Chart;
use crate::diag::codes::NOTHING_READ;
use crate::diag::levels::Levels;
use crate::diag::{Diag, Findings, causes, quotes, typographic};
use crate::instance::{Instance, Run};
use crate::ir::Ir;
use crate::node::Node;
pub use crate::pack::PackFiles;
use crate::pack::manifest::ArtifactRule;
use crate::pack::{self, Pack, embedded};
use crate::schema::Schema;
use crate::site::Site;
use crate::source::{PlaceId, Role, Sources};
use crate::spec::Spec;
use crate::value::{Origins, Str, Tracked, Value};
use crate::{chart, check, decode, emit, fix, lower, overlay, parse, prove, resolve, spread, validate};

/// The pack that every site has.
pub const BASE: &str = "base";

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Until nothing more can be said about the spec; no artifacts.
    Check,
    /// Artifacts, proven.
    Build,
    /// Artifacts with the origins of each of their lines.
    Trace,
}

/// Everything that a compilation reads.
pub struct Inputs<'a> {
    /// The path of the spec, as the user gave it.
    pub entry: String,
    /// The bytes of a file by path, or the reason why it cannot be read.
    pub read: &'a (dyn Fn(&str) -> Result<Vec<u8>, String> + Sync),
    /// The user's own packs; one of an embedded pack's name takes its place.
    pub packs: &'a [PackFiles],
    pub depth: Depth,
    /// The most threads to use; 0 leaves it to the machine. The result never depends on it.
    pub threads: usize,
}

/// What a compilation came to; what it could not reach is `None`.
#[derive(Debug, Default)]
pub struct Compilation {
    pub sources: Sources,
    /// Sorted.
    pub findings: Findings,
    pub spec: Option<Node>,
    pub schema: Option<Schema>,
    pub site: Option<Site>,
    pub packs: BTreeMap<Str, Pack>,
    pub ir: Option<Ir>,
    pub tree: Option<ArtifactTree>,
    /// The origins of each line of each artifact, by path; only for [`Depth::Trace`].
    pub trace: Option<BTreeMap<String, Vec<Origins>>>,
}

/// Runs all passes. Errors keep the tree from being made, never from being looked for further.
pub fn compile(inputs: &Inputs<'_>) -> Compilation {
    compile_at(inputs, &Levels::default())
}

/// Runs all passes, findings counting as the run wishes: what is denied keeps the tree from being made.
pub fn compile_at(inputs: &Inputs<'_>, levels: &Levels) -> Compilation {
    let mut c = Compilation::default();
    let mut judged = 0;
    run(inputs, levels, &mut judged, &mut c);
    levels.apply(&mut c.findings, judged);
    check::secrets::scrub(&c.sources, &mut c.findings);
    c.findings.sort();
    causes::join(&mut c.findings);
    typographic::adapt(&mut c.findings, &c.sources);
    quotes::shorten(&mut c.findings);
    fix::adapt(&mut c.findings, &c.sources);
    c
}

/// `judged` counts the findings that have their level.
fn run(inputs: &Inputs<'_>, levels: &Levels, judged: &mut usize, c: &mut Compilation) -> Option<()> {
    // parse, overlay
    let bytes = match (inputs.read)(&inputs.entry) {
        Ok(bytes) => bytes,
        Err(why) => {
            c.findings.push(Diag::new(NOTHING_READ, format!("cannot read `{}`: {why}", inputs.entry)));
            return None;
        }
    };
    let file = parse::load(&mut c.sources, &inputs.entry, bytes, Role::Spec, &mut c.findings)?;
    // What every site needs of the packs is read meanwhile: it is the same whatever the spec says.
    let (overlaid, (base, behind, in_base)) = spread::both(
        inputs.threads,
        || {
            let read = &mut |path: &str| (inputs.read)(path);
            overlay::overlay_unsearched(&mut c.sources, file, inputs.threads, read, &mut c.findings)
        },
        || packs::base(inputs.packs),
    );
    let Some(node) = &overlaid.node else {
        let suspects = overlaid.search();
        return overlaid.hide(suspects, &mut c.sources, &mut c.findings).map(drop);
    };
    c.sources.append(behind);
    c.findings.extend(in_base);

    // validate, decode, resolve; the packs' expressions have nothing to do with the schema, and only who shows something
    // of the spec has to know its secrets. Nearly always there is nothing to poison: the spec is decoded and resolved as
    // if it were valid, and again where it is not.
    let used = packs::uses(node);
    let named = packs::named(&used, inputs.packs);
    let ((others, schema, as_if_valid), suspects) = spread::both(
        inputs.threads,
        || {
            let others = packs::read(node, inputs.packs, &named, &mut c.sources, &mut c.findings);
            let of = |u: &Use| Some((u.instance.clone(), &named.get(&u.pack)?.1));
            let whatever = pack::load::whatever();
            let settings = used.iter().filter_map(of).map(|(instance, schema)| match schema {
                Ok(schema) => (instance, &**schema),
                Err(_) => (instance, &*whatever),
            });
            let schema = Schema::new(&settings.collect::<Vec<_>>());
            let as_if_valid = decoded(node, &schema, &BTreeSet::new(), inputs.threads);
            (others, schema, as_if_valid)
        },
        || overlaid.search(),
    );
    let node = overlaid.hide(suspects, &mut c.sources, &mut c.findings)?;
    c.packs = others;
    c.packs.extend(base.map(|base| (BASE.into(), base)));
    let defaults = packs::defaults(&used, &c.packs);
    let resolved = |(spec, mut findings): (Spec, Findings)| {
        (resolve::resolve(spec, &schema, &defaults, &c.sources, inputs.threads, &mut findings), findings)
    };
    let mut beside = Findings::default();
    let (settled, validated) = spread::both(
        inputs.threads,
        || resolved(as_if_valid),
        || validate::validate(&node, &schema, &c.sources, &mut beside),
    );
    let (site, settled) = match validated.poisoned.is_empty() && validated.meant.is_none() {
        true => settled,
        false => {
            let meant = validated.meant.as_ref().unwrap_or(&node);
            resolved(decoded(meant, &schema, &validated.poisoned, inputs.threads))
        }
    };
    c.findings.extend(beside);
    c.findings.extend(settled);
    // A pack is verified once, whichever of its instances is looked at: they all have the same types. Those that are
    // part of the program have been verified by a test.
    for pack in c.packs.values().filter(|pack| is_own(pack, inputs)) {
        let instance = used.iter().find(|u| c.packs.get(&u.pack).is_some_and(|p| std::ptr::eq(p, pack)));
        let instance = instance.map_or("site", |u| &u.instance);
        pack::verify::verify(pack, instance, &schema, &c.sources, &mut c.findings);
    }
    let charts = chart::charts(&node, inputs.read, &mut c.sources, &mut c.findings);
    c.spec = Some(validated.meant.unwrap_or(node));

    // check, lower, check
    let mut run = Run::new(inputs.depth == Depth::Trace);
    let mut beside = Findings::default();
    let (instances, ()) = spread::both(
        inputs.threads,
        || instances(&used, &c.packs, &charts, &site, inputs.threads, &mut run),
        || check::site(&site, &c.sources, &mut beside),
    );
    let artifacts = inputs.depth > Depth::Check;
    let (mut required, mut lowering) = (run.beside(), run.beside());
    let requirements = || {
        for instance in &instances {
            check::requirements::requirements(instance, &site, &c.sources, &mut required);
        }
    };
    let mut ir = lower::lower(&instances, &site, &c.sources, inputs.threads, artifacts, &mut lowering, requirements);
    run.absorb(required);
    run.findings.extend(beside);
    run.absorb(lowering);
    // What is checked of items has nothing to do with the runbook and with what will be written.
    let mut planning = run.beside();
    planning.absent = std::mem::take(&mut run.absent);
    let ((runbook, ir_value, planned), immutable) = spread::both(
        inputs.threads,
        || {
            let (runbook, ir_value) = lower::runbook(&instances, &ir, &site, &c.sources, &mut planning);
            let planned = match artifacts {
                true => emit::plan::plan(&instances, &ir_value, &site, inputs.threads, &mut planning),
                false => {
                    emit::plan::check(&instances, &ir_value, &site, inputs.threads, &mut planning);
                    Vec::new()
                }
            };
            (runbook, ir_value, planned)
        },
        || {
            check::misfits::misfits(&c.findings, &c.sources, &mut run);
            check::conflicts::conflicts(&instances, &c.sources, &mut run);
            check::charts::charts(&instances, &ir, &site, &c.sources, &mut run.findings);
            check::ir(&instances, &ir, &site, !c.findings.has_errors(), &c.sources, &mut run);
            run.report_refused(&c.sources);
            check::claims::claims(&instances, &ir, &site, &c.sources, &mut run);
            lower::immutable::immutable(&instances, &site, &c.sources, &mut run)
        },
    );
    runbook.put_into(&mut ir);
    run.absorb(planning);
    run.report_refused(&c.sources);
    check::misfits::misfits(&c.findings, &c.sources, &mut run);
    if !c.findings.has_errors() {
        check::unread::unread(&instances, &ir_value, &site, &c.sources, &mut run);
    }
    ir.questions = lower::questions::questions(&run, &instances, &site, &schema);
    ir.settled = Origins::all(&std::mem::take(&mut run.settled));
    if run.traced && ir.questions.is_empty() {
        // That nothing is open was decided by every answer of the spec.
        ir.settled = ir.settled.union(&lower::peers::deep_origins(&site.root));
    }
    c.findings.extend(std::mem::take(&mut run.findings));
    for question in lower::questions::findings(&ir.questions, &site, &c.sources) {
        c.findings.push(question);
    }
    ir.waivers = match &c.spec {
        Some(spec) => check::waivers::apply(&site, spec, &c.sources, &mut c.findings),
        None => Vec::new(),
    };
    levels.apply(&mut c.findings, 0);
    *judged = c.findings.len();

    // emit, prove
    if inputs.depth > Depth::Check && !c.findings.has_errors() {
        let templates = templates(&instances, &planned, inputs, &mut c.sources, &mut c.findings);
        for instance in instances.iter().filter(|instance| is_own(instance.pack, inputs)) {
            if let Some(templates) = templates.get(&instance.pack.name) {
                check_templates(instance.pack, &instance.name, templates, &schema, &mut c.findings);
            }
        }
        let in_order: Vec<&emit::Templates> = instances.iter().filter_map(|i| templates.get(&i.pack.name)).collect();
        let ir_value = lower::as_value(&ir);
        let emitting = emit::Emitting {
            instances: &instances,
            templates: &in_order,
            ir: &ir_value,
            site: &site,
            sources: &c.sources,
            mode: if inputs.depth == Depth::Trace { emit::Mode::Traced } else { emit::Mode::Plain },
            threads: inputs.threads,
        };
        if !c.findings.has_errors() {
            let mut emission = emit::emit(&planned, &emitting, &mut c.findings);
            emission.tree.immutable = immutable;
            check::references::references(&ir, &emission.tree, &c.sources, &mut c.findings);
            if !c.findings.has_errors() {
                let said = |path: &str| says(&site.root.value, path);
                prove::prove_for(inputs.threads, &ir, &emission.tree, &said, &mut c.findings);
                c.tree = Some(emission.tree);
                c.trace = emission.trace;
            }
        }
    }
    drop(planned);
    drop(instances);
    c.ir = Some(ir);
    c.site = Some(site);
    c.schema = Some(schema);
    Some(())
}

/// The typed spec, and what is wrong with its scalars.
fn decoded(node: &Node, schema: &Schema, poisoned: &BTreeSet<PlaceId>, threads: usize) -> (Spec, Findings) {
    let mut findings = Findings::default();
    let spec = decode::decode(node, schema, poisoned, threads, &mut findings);
    (spec, findings)
}

/// Whether the site has a text of its own that is the path, or a folder that the path lies in.
fn says(value: &Value, path: &str) -> bool {
    match value {
        Value::Str(text) => {
            let text = text.trim_matches('/').trim_start_matches("./");
            text.contains('/') && path.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        Value::List(items) => items.iter().any(|item| says(&item.value, path)),
        Value::Map(map) => map.values().any(|item| says(&item.value, path)),
        _ => false,
    }
}

/// Whether a pack is the user's own.
fn is_own(pack: &Pack, inputs: &Inputs<'_>) -> bool {
    inputs.packs.iter().any(|own| own.dir == pack.dir)
}

/// The templates of every pack in use, by the pack's name: all of the user's own, which have to be checked, and of the
/// others those that will be rendered.
fn templates(
    instances: &[Instance],
    planned: &[emit::plan::Planned],
    inputs: &Inputs<'_>,
    sources: &mut Sources,
    findings: &mut Findings,
) -> BTreeMap<Str, emit::Templates> {
    let mut parsed = BTreeMap::new();
    for Instance { pack, .. } in instances {
        if parsed.contains_key(&pack.name) {
            continue;
        }
        let is_planned = |rule: &&ArtifactRule| planned.iter().any(|p| std::ptr::eq(p.rule, *rule));
        let templates = match is_own(pack, inputs) {
            true => emit::Templates::parse(pack, sources, findings),
            false => emit::Templates::parse_for(pack, pack.artifacts.iter().filter(is_planned), sources, findings),
        };
        parsed.insert(pack.name.clone(), templates);
    }
    parsed
}

/// Checks the templates of a pack against the types of the names that they see, the pack's settings standing at this
/// instance.
pub fn check_templates(
    pack: &Pack,
    instance: &str,
    templates: &emit::Templates,
    schema: &Schema,
    findings: &mut Findings,
) {
    let blanks: Vec<Str> = pack.blanks.keys().cloned().collect();
    let mut names = pack::verify::environment(pack, instance, schema, &blanks);
    names.push(("ir".into(), pack::verify::ir_type()));
    let env = pack::expr::Env::new(&names, schema.root()).with_blanks(&blanks);
    emit::check_templates(pack, templates, &env, findings);
}

/// The pack of every site first, then the products in the order of the spec.
fn instances<'a>(
    used: &[Use],
    packs: &'a BTreeMap<Str, Pack>,
    charts: &'a BTreeMap<Str, Chart>,
    site: &Site,
    threads: usize,
    run: &mut Run,
) -> Vec<Instance<'a>> {
    let mut wanted: Vec<(Str, &Pack, Option<&Tracked>, Option<&Chart>)> = Vec::new();
    wanted.extend(packs.get(BASE).map(|base| ("site".into(), base, None, None)));
    for u in used {
        let Some(pack) = packs.get(&u.pack) else { continue };
        let product = site.entry("products", &u.instance);
        // Nothing can be said about a product whose entry is faulty.
        if product.is_some_and(|p| matches!(p.value, Value::Map(_))) {
            wanted.push((u.instance.clone(), pack, product, charts.get(&u.instance)));
        }
    }
    let traced = run.traced;
    // A handful is not worth a thread.
    let threads = if wanted.len() < 8 { 1 } else { threads };
    let instances = spread::spread_all(threads, &wanted, |(name, pack, product, chart)| {
        let mut run = Run::new(traced);
        (Instance::new(name.clone(), pack, *product, *chart, site, &mut run), run)
    });
    let each = |(instance, beside)| {
        run.absorb(beside);
        instance
    };
    instances.into_iter().map(each).collect()
}

/// The packs that are part of the program.
pub fn embedded_packs() -> Vec<PackFiles> {
    embedded::names().filter_map(embedded::pack).collect()
}

impl Compilation {
    /// The name of the site, as far as it is known.
    pub fn site_name(&self) -> Option<String> {
        let name = self.spec.as_ref()?.pointer("/site/name")?.scalar_text()?;
        Some(name.to_string())
    }
}
