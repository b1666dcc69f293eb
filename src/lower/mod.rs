//! From the site and its packs to the `Ir`: every kind of item in its own room, this file in the order of dependence.

pub mod additions;
mod addresses;
pub mod clocks;
pub mod contradictions;
pub mod databases;
pub mod documents;
mod ends;
pub mod firewalls;
pub mod flows;
pub mod hosts;
pub mod images;
pub mod immutable;
pub mod items;
pub mod kubernetes;
mod layout;
pub mod merge;
pub mod peers;
pub mod policies;
pub mod preflight;
pub mod proxies;
pub mod questions;
mod rows;
pub mod rules;
pub mod secrets;
pub mod security_groups;
pub mod sets;
pub mod steps;
pub mod storage;
mod swarm;
pub mod tables;
pub mod values;

use std::sync::Arc;

use additions::Additions;

use crate::instance::{Instance, Run};
use crate::ir::{Blank, Contradiction, Firewall, Flow, Ir, Preflight, Rule, SecurityGroup, Step};
use crate::site::Site;
use crate::source::Sources;
use crate::spread;
use crate::value::{Map, Origins, Str, Tracked};

/// Lowers everything but the runbook, which is about all of it, and questions, which are known only when artifacts have
/// been planned. Flows with their rulesets have nothing to do with what stands on hosts and clusters: with more than one
/// thread they are lowered side by side. What only artifacts are made of, as the questions to each host, is left out
/// unless there will be artifacts. `beside` is done meanwhile, too.
pub fn lower(
    instances: &[Instance],
    site: &Site,
    sources: &Sources,
    threads: usize,
    artifacts: bool,
    run: &mut Run,
    beside: impl FnOnce() + Send,
) -> Ir {
    let additions = additions::additions(instances, site);
    // What rulesets and tries come from is asked by nobody but who traces lines.
    let traced = run.traced;
    let wanted = rules::Wanted { written: artifacts, traced };
    let (open, read) = (firewalls::open_management(site), firewalls::read(site));
    let (mut ir, mut permitted) = (Ir::default(), Permitted::default());
    let mut runs = std::array::from_fn(|_| run.beside());
    let given = Given { instances, additions: &additions, site, sources };
    let permit = || {
        let (traffic, added) = traffic(&given, threads, run);
        let gone = traffic.absent.iter().filter(|_| traced).flat_map(|(_, gone)| gone).map(|gone| &gone.origins);
        let gone = Origins::all(gone);
        let (rulesets, preflights) = spread::both(
            threads,
            || match open.is_empty() {
                true => Rulesets::of(&traffic, &read, site, wanted, threads),
                false => Rulesets::default(),
            },
            || {
                crate::check::contradictory::additions(&added.additions, sources, run);
                crate::check::redundant::redundant(&added.needed, &added.additions, sources, run);
                match artifacts {
                    true => preflight::preflights(&traffic.flows, &gone, site, traced),
                    false => Vec::new(),
                }
            },
        );
        permitted = Permitted { traffic, gone, rulesets, preflights };
    };
    let mut tasks: Vec<Task> = vec![Box::new(permit)];
    tasks.extend(items(&mut ir, &mut runs, &given));
    tasks.push(Box::new(beside));
    spread::tasks(threads, tasks);
    runs.into_iter().for_each(|beside| run.absorb(beside));
    let Permitted { traffic, gone, rulesets, preflights } = permitted;
    if !open.is_empty() && !firewalls::filtered(site).is_empty() {
        firewalls::wait("the rulesets of hosts", &open, run);
    }
    if !open.is_empty() && security_groups::wanted(site) {
        firewalls::wait("the security groups", &open, run);
    }
    ir.network_policies = policies::policies(&traffic.flows, instances, site, run);
    ir.policies_read = policies::read(instances, site);
    ir.flows = traffic.flows;
    tables::tables(&mut ir, &gone, site);
    (ir.rules, ir.firewalls, ir.security_groups) = (rulesets.rules, rulesets.firewalls, rulesets.security_groups);
    ir.firewalls_read = read;
    ir.groups_read = security_groups::read(site);
    ir.preflights = preflight::probed(preflights, &ir.probes);
    ir
}

/// Permitted traffic, and what comes of it.
#[derive(Default)]
struct Permitted {
    traffic: Traffic,
    /// The origins of the flows that are not there.
    gone: Origins,
    rulesets: Rulesets,
    preflights: Vec<Preflight>,
}

/// What keeps other traffic away.
#[derive(Default)]
struct Rulesets {
    rules: Vec<Arc<Rule>>,
    firewalls: Vec<Arc<Firewall>>,
    security_groups: Vec<Arc<SecurityGroup>>,
}

impl Rulesets {
    /// `read` is what decides on whether there are any.
    fn of(traffic: &Traffic, read: &Origins, site: &Site, wanted: rules::Wanted, threads: usize) -> Self {
        let mut filtered = firewalls::filtered(site);
        if wanted.traced {
            filtered.iter_mut().for_each(|host| host.target.origins = host.target.origins.union(read));
        }
        let rules = rules::rules(&traffic.flows, &traffic.absent, &filtered, site, wanted, threads);
        let firewalls = firewalls::firewalls(&filtered, &rules, site, wanted, threads);
        let security_groups = security_groups::security_groups(&traffic.flows, &traffic.absent, site, wanted, threads);
        Self { rules, firewalls, security_groups }
    }
}

/// What people do with all the rest of an [`Ir`].
#[derive(Default)]
pub struct Runbook {
    blanks: Vec<Arc<Blank>>,
    contradictions: Vec<Arc<Contradiction>>,
    steps: Vec<Arc<Step>>,
}

/// Lowers the runbook, and what the packs ask on their own account. The second result is the `Ir` with the runbook in it,
/// as expressions see it.
pub fn runbook(instances: &[Instance], ir: &Ir, site: &Site, sources: &Sources, run: &mut Run) -> (Runbook, Tracked) {
    let additions = additions::additions(instances, site);
    let mut book = Ir {
        blanks: steps::blanks(instances, site, run),
        contradictions: contradictions::contradictions(instances, site, run),
        ..Ir::default()
    };
    let mut all: Map = lists(ir, Ir::KINDS).collect();
    all.extend(lists(&book, &RUNBOOK));
    book.steps = steps::steps(instances, &additions, &Tracked::new(all.clone(), Origins::None), site, sources, run);
    all.extend(lists(&book, &RUNBOOK));
    additions::without_effect(&additions, sources, run);
    questions::ask(instances, site, run);
    let Ir { blanks, contradictions, steps, .. } = book;
    (Runbook { blanks, contradictions, steps }, Tracked::new(all, Origins::None))
}

/// The kinds of items that the runbook consists of.
const RUNBOOK: [&str; 3] = ["blanks", "contradictions", "steps"];

impl Runbook {
    /// Puts it where it belongs.
    pub fn put_into(self, ir: &mut Ir) {
        (ir.blanks, ir.contradictions, ir.steps) = (self.blanks, self.contradictions, self.steps);
    }
}

/// Permitted traffic.
#[derive(Default)]
struct Traffic {
    flows: Vec<Arc<Flow>>,
    /// By instance, the flows that are not there.
    absent: Vec<(Str, Vec<flows::Gone>)>,
}

/// What the site adds to it, and what its products need.
struct Added {
    needed: Vec<Arc<Flow>>,
    additions: Vec<crate::check::redundant::Addition>,
}

fn traffic(given: &Given, threads: usize, run: &mut Run) -> (Traffic, Added) {
    let Given { instances, additions, site, sources } = *given;
    let (mut rows, mut absent) = (Vec::new(), Vec::new());
    for instance in instances {
        let (flows, gone) = flows::flows(instance, site, run);
        rows.extend(flows);
        absent.push((instance.name.clone(), gone));
    }
    let added = Added { needed: rows, additions: additions::flows::flows(additions, site, sources, threads, run) };
    let all = added.needed.iter().chain(added.additions.iter().flat_map(|a| &a.flows)).cloned().collect();
    (Traffic { flows: policies::attached(rows::united(all, threads)), absent }, added)
}

/// What all items are lowered from.
struct Given<'a> {
    instances: &'a [Instance<'a>],
    additions: &'a [Additions<'a>],
    site: &'a Site,
    sources: &'a Sources,
}

type Task<'t> = Box<dyn FnOnce() + Send + 't>;

/// Tasks that lower the items of the packs, the largest first. No kind needs one of another task; what they leave behind
/// comes in the order of the runs.
fn items<'t>(ir: &'t mut Ir, runs: &'t mut [Run; 4], given: &'t Given) -> [Task<'t>; 4] {
    let Given { instances, additions, site, sources } = *given;
    let of = move |kind: &str, run: &mut Run| evaluated(kind, instances, site, run).0;
    let Ir { exports, directories, filesystems, nfs_servers, units, kernel, modules, clocks, .. } = ir;
    let Ir { database_servers, poolers, proxies, namespaces, volumes, objects, .. } = ir;
    let Ir { overlays, stacks, documents, images, mirrors, secrets, secret_objects, releases, probes, .. } = ir;
    let [of_disks, of_hosts, of_services, of_clusters] = runs;
    let disks = move || {
        let run = of_disks;
        let evaluated = storage::exports(&of("exports", run), site, run);
        *exports = additions::exports(additions, evaluated, site, sources, run);
        *directories = storage::directories(&of("directories", run), site, run);
        *filesystems = storage::filesystems(&of("filesystems", run), site, run);
    };
    let hosts = move || {
        let run = of_hosts;
        *nfs_servers = storage::nfs_servers(&of("nfs_servers", run), site, run);
        *units = hosts::units(&of("units", run), run);
        *kernel = hosts::kernel(&of("kernel", run), run);
        *modules = hosts::modules(&of("modules", run), run);
        *clocks = clocks::clocks(&of("clocks", run), site, run);
    };
    let services = move || {
        let run = of_services;
        let (roles, databases, access) = (of("roles", run), of("databases", run), of("access", run));
        let on_servers = databases::Given { roles: &roles, databases: &databases, access: &access };
        *database_servers = databases::servers(&on_servers, site, run);
        *poolers = databases::poolers(&of("poolers", run), site, run);
        *proxies = proxies::proxies(&of("proxies", run), site, run);
        *namespaces = kubernetes::namespaces(&of("namespaces", run), run);
        *volumes = kubernetes::volumes(&of("volumes", run), site, run);
    };
    let clusters = move || {
        let run = of_clusters;
        *objects = kubernetes::objects(&of("objects", run), run);
        let (drafts, absent_documents) = evaluated("documents", instances, site, run);
        let (of_stacks, absent_stacks) = evaluated("stacks", instances, site, run);
        let (of_overlays, absent_overlays) = evaluated("overlays", instances, site, run);
        let absent = Origins::all([&absent_documents, &absent_stacks, &absent_overlays]);
        *overlays = swarm::overlays(&of_overlays, site, run);
        let beside_stacks;
        (*stacks, beside_stacks) = swarm::stacks(&of_stacks, run);
        *documents = documents::documents(&drafts, beside_stacks, &absent, run);
        *images = images::images(&of("images", run), instances, site, run);
        *mirrors = images::mirrors(images, site, run);
        let (of_secrets, absent) = evaluated("secrets", instances, site, run);
        *secrets = secrets::secrets(&of_secrets, &absent, site, run);
        *secret_objects = secrets::objects(&of_secrets, run);
        for instance in instances {
            let items = items::items(instance, "releases", site, run);
            let values = items::items(instance, "chart_values", site, run);
            releases.extend(values::releases(&items, &values, instance, site, run));
        }
        releases.sort_by_cached_key(|r| (r.cluster.value.clone(), r.namespace.value.clone(), r.name.value.clone()));
        *probes = preflight::probes(&of("probes", run), run);
    };
    [Box::new(disks), Box::new(clusters), Box::new(services), Box::new(hosts)]
}

/// The items of one kind of all instances, and what kept others from being there.
fn evaluated(kind: &str, instances: &[Instance], site: &Site, run: &mut Run) -> (Vec<items::Item>, Origins) {
    let mut own = run.beside();
    let items = instances.iter().flat_map(|i| items::items(i, kind, site, &mut own)).collect();
    let absent = Origins::all(&own.absent);
    run.absorb(own);
    (items, absent)
}

/// The `Ir` as `ir` in expressions and templates: a map of its lists.
pub fn as_value(ir: &Ir) -> Tracked {
    Tracked::new(lists(ir, Ir::KINDS).collect::<Map>(), Origins::None)
}

/// The lists of these kinds by their names.
fn lists(ir: &Ir, kinds: &[&'static str]) -> impl Iterator<Item = (Str, Tracked)> {
    // Whether these lists are empty decides on whole paragraphs, so the lists themselves have origins.
    let origins = move |kind: &str| match kind {
        "waivers" => Origins::all(&ir.waivers.iter().map(|w| w.origins()).collect::<Vec<_>>()),
        "contradictions" => Origins::all(&ir.contradictions.iter().map(|c| c.origins()).collect::<Vec<_>>()),
        "firewalls" => ir.firewalls_read.clone(),
        "security_groups" => ir.groups_read.clone(),
        "network_policies" => ir.policies_read.clone(),
        "kernel" => Origins::all(&ir.kernel.iter().map(|k| k.origins()).collect::<Vec<_>>()),
        "modules" => Origins::all(&ir.modules.iter().map(|m| m.origins()).collect::<Vec<_>>()),
        "mirrors" => Origins::all(&ir.mirrors.iter().map(|m| m.origins()).collect::<Vec<_>>()),
        "questions" => Origins::all(&ir.questions.iter().map(|q| q.origins()).collect::<Vec<_>>()).union(&ir.settled),
        _ => Origins::None,
    };
    kinds.iter().filter_map(move |kind| {
        let list = ir.list(kind)?;
        Some(((*kind).into(), Tracked { value: list, origins: origins(kind) }))
    })
}
