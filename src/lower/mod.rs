//! From the site and its packs to the `Ir`: every kind of item in its own room, this file in the order of dependence.

pub mod additions;
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
use crate::ir::{Blank, Contradiction, Flow, Ir, Step};
use crate::site::Site;
use crate::source::Sources;
use crate::spread;
use crate::value::{Map, Origins, Str, Tracked};

/// Lowers everything but the runbook, which is about all of it, and questions, which are known only when artifacts have
/// been planned. Flows with their rulesets have nothing to do with what stands on hosts and clusters: with more than one
/// thread they are lowered side by side. What only artifacts are made of, as the questions to each host, is left out
/// unless there will be artifacts.
pub fn lower(
    instances: &[Instance],
    site: &Site,
    sources: &Sources,
    threads: usize,
    artifacts: bool,
    run: &mut Run,
) -> Ir {
    let additions = additions::additions(instances, site);
    // What rulesets and tries come from is asked by nobody but who traces lines.
    let (mut beside, traced) = (run.beside(), run.traced);
    let wanted = rules::Wanted { written: artifacts, traced };
    let (open, read) = (firewalls::open_management(site), firewalls::read(site));
    let (mut ir, (traffic, rules, firewalls, security_groups)) = spread::both(
        threads,
        || items(instances, &additions, site, sources, &mut beside),
        || {
            let (traffic, added) = traffic(instances, &additions, site, sources, run);
            let ((rules, firewalls, groups), ()) = spread::both(
                threads,
                || {
                    if !open.is_empty() {
                        return Default::default();
                    }
                    let mut filtered = firewalls::filtered(site);
                    if traced {
                        filtered.iter_mut().for_each(|host| host.target.origins = host.target.origins.union(&read));
                    }
                    let rules = rules::rules(&traffic.flows, &traffic.absent, &filtered, site, wanted);
                    let firewalls = firewalls::firewalls(&filtered, &rules, site, wanted);
                    let groups = security_groups::security_groups(&traffic.flows, &traffic.absent, site, wanted);
                    (rules, firewalls, groups)
                },
                || {
                    crate::check::contradictory::additions(&added.additions, sources, run);
                    crate::check::redundant::redundant(&added.needed, &added.additions, sources, run);
                },
            );
            (traffic, rules, firewalls, groups)
        },
    );
    run.absorb(beside);
    if !open.is_empty() && !firewalls::filtered(site).is_empty() {
        firewalls::wait("the rulesets of hosts", &open, run);
    }
    if !open.is_empty() && security_groups::wanted(site) {
        firewalls::wait("the security groups", &open, run);
    }
    let gone = traffic.absent.iter().filter(|_| traced).flat_map(|(_, gone)| gone).map(|gone| &gone.origins);
    let gone = Origins::all(gone);
    let preflights = match artifacts {
        true => preflight::preflights(&traffic.flows, &gone, site, traced),
        false => Vec::new(),
    };
    ir.network_policies = policies::policies(&traffic.flows, instances, site, run);
    ir.policies_read = policies::read(instances, site);
    ir.flows = traffic.flows;
    tables::tables(&mut ir, &gone, site);
    ir.rules = rules;
    ir.firewalls = firewalls;
    ir.security_groups = security_groups;
    ir.firewalls_read = read;
    ir.groups_read = security_groups::read(site);
    ir.preflights = preflight::probed(preflights, &ir.probes);
    ir
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

fn traffic(
    instances: &[Instance],
    additions: &[Additions],
    site: &Site,
    sources: &Sources,
    run: &mut Run,
) -> (Traffic, Added) {
    let (mut rows, mut absent) = (Vec::new(), Vec::new());
    for instance in instances {
        let (flows, gone) = flows::flows(instance, site, run);
        rows.extend(flows);
        absent.push((instance.name.clone(), gone));
    }
    let added = Added { needed: rows, additions: additions::flows::flows(additions, site, sources, run) };
    let all = added.needed.iter().chain(added.additions.iter().flat_map(|a| &a.flows)).cloned().collect();
    (Traffic { flows: policies::attached(rows::united(all)), absent }, added)
}

/// The items of the packs, kind by kind.
fn items(instances: &[Instance], additions: &[Additions], site: &Site, sources: &Sources, run: &mut Run) -> Ir {
    let mut ir = Ir::default();
    let mut all =
        |kind: &str| -> Vec<items::Item> { instances.iter().flat_map(|i| items::items(i, kind, site, run)).collect() };
    let (exports, directories, filesystems, servers) =
        (all("exports"), all("directories"), all("filesystems"), all("nfs_servers"));
    let (units, kernel, proxies) = (all("units"), all("kernel"), all("proxies"));
    let (namespaces, volumes, objects) = (all("namespaces"), all("volumes"), all("objects"));
    let images = all("images");
    let (roles, databases, access, poolers) = (all("roles"), all("databases"), all("access"), all("poolers"));
    let (modules, clocks) = (all("modules"), all("clocks"));
    let on_servers = databases::Given { roles: &roles, databases: &databases, access: &access };
    let probes = all("probes");
    let before = run.absent.len();
    let secret_items: Vec<items::Item> = instances.iter().flat_map(|i| items::items(i, "secrets", site, run)).collect();
    let absent_secrets = Origins::all(&run.absent[before.min(run.absent.len())..]);
    let before = run.absent.len();
    let mut all =
        |kind: &str| -> Vec<items::Item> { instances.iter().flat_map(|i| items::items(i, kind, site, run)).collect() };
    let (documents, stacks, overlays) = (all("documents"), all("stacks"), all("overlays"));
    let absent_documents = Origins::all(&run.absent[before.min(run.absent.len())..]);
    ir.exports = additions::exports(additions, storage::exports(&exports, site, run), site, sources, run);
    ir.directories = storage::directories(&directories, run);
    ir.filesystems = storage::filesystems(&filesystems, site, run);
    ir.nfs_servers = storage::nfs_servers(&servers, site, run);
    ir.units = hosts::units(&units, run);
    ir.kernel = hosts::kernel(&kernel, run);
    ir.modules = hosts::modules(&modules, run);
    ir.clocks = clocks::clocks(&clocks, site, run);
    ir.database_servers = databases::servers(&on_servers, site, run);
    ir.poolers = databases::poolers(&poolers, site, run);
    ir.proxies = proxies::proxies(&proxies, site, run);
    ir.namespaces = kubernetes::namespaces(&namespaces, run);
    ir.volumes = kubernetes::volumes(&volumes, site, run);
    ir.objects = kubernetes::objects(&objects, run);
    ir.overlays = swarm::overlays(&overlays, site, run);
    let drafts;
    (ir.stacks, drafts) = swarm::stacks(&stacks, run);
    ir.documents = documents::documents(&documents, drafts, &absent_documents, run);
    ir.images = images::images(&images, instances, site, run);
    ir.mirrors = images::mirrors(&ir.images, site, run);
    ir.secrets = secrets::secrets(&secret_items, &absent_secrets, site, run);
    ir.secret_objects = secrets::objects(&secret_items, run);
    for instance in instances {
        let releases = items::items(instance, "releases", site, run);
        let values = items::items(instance, "chart_values", site, run);
        ir.releases.extend(values::releases(&releases, &values, instance, site, run));
    }
    ir.releases.sort_by_key(|r| (r.cluster.value.clone(), r.namespace.value.clone(), r.name.value.clone()));
    ir.probes = preflight::probes(&probes, run);
    ir
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
