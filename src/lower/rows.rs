//! Rows of permitted traffic, whoever asks for them: which lie within the site, and which say the same and are one.

use std::cmp::Ordering;
use std::sync::Arc;

use super::peers::merged;
use crate::ir::{Flow, Peers, Scope};
use crate::site::Site;
use crate::spread;
use crate::value::{Origins, Str, Value};

/// The ranges of a site, by which an address is inside or outside of it.
pub(super) fn ranges(site: &Site) -> Origins {
    let networks = site.table("networks").filter_map(|(_, n)| n.get("cidrs"));
    let cidrs = networks.flat_map(|cidrs| cidrs.items().iter().map(|c| &c.origins).chain([&cidrs.origins]));
    let clusters = site.table("clusters").flat_map(|(_, c)| [c.get("pod_cidr"), c.get("service_cidr")]);
    Origins::all(cidrs.chain(clusters.flatten().map(|c| &c.origins)))
}

/// `external` when an end is named only, or lies outside every network of the site and of its clusters.
pub(super) fn scope_of(from: &Peers, to: &Peers, site: &Site) -> Scope {
    scope_between(is_inside(from, site), is_inside(to, site))
}

/// The scope of what goes between ends that are inside of the site or not.
pub(super) fn scope_between(from_inside: bool, to_inside: bool) -> Scope {
    if from_inside && to_inside { Scope::Site } else { Scope::External }
}

/// Whether an end lies in the networks of the site and of its clusters.
pub(super) fn is_inside(end: &Peers, site: &Site) -> bool {
    let of_cluster = |n: &ipnet::IpNet| {
        let ranges = site.table("clusters").flat_map(|(_, c)| [c.get("pod_cidr"), c.get("service_cidr")]);
        ranges.flatten().any(|range| matches!(&range.value, Value::Cidr(cidr) if cidr.contains(n)))
    };
    let inside =
        |n: &ipnet::IpNet| site.network_of(n.addr()).is_some_and(|(_, cidr)| cidr.contains(n)) || of_cluster(n);
    !end.nets.is_empty() && end.nets.iter().all(inside)
}

/// Rows that say the same but for their addresses would be one if these were equal: each of sorted rows gets the origins
/// of the others' ends.
fn know_each_other(flows: &mut [Arc<Flow>]) {
    let same = |a: &Arc<Flow>, b: &Arc<Flow>| {
        (&a.product, &a.from, &a.to, &a.application) == (&b.product, &b.from, &b.to, &b.application)
            && (*a.transport, *a.ports) == (*b.transport, *b.ports)
    };
    for group in flows.chunk_by_mut(same).filter(|group| group.len() > 1) {
        let ends = Origins::all(group.iter().flat_map(|f| [&f.from_hosts.origins, &f.to_hosts.origins]));
        for flow in group {
            let why = &mut Arc::make_mut(flow).why;
            why.origins = why.origins.union(&ends);
        }
    }
}

/// Sorts flows and unites rows that say the same: origins and reasons are joined. The result does not depend on the
/// number of threads.
pub fn united(flows: Vec<Arc<Flow>>, threads: usize) -> Vec<Arc<Flow>> {
    let mut flows = flows;
    let mut united: Vec<Arc<Flow>> = Vec::with_capacity(flows.len());
    spread::sort(threads, &mut flows, |a, b| identity(a, b));
    know_each_other(&mut flows);
    for flow in flows {
        match united.last_mut().filter(|last: &&mut Arc<Flow>| identity(last, &flow).is_eq()) {
            Some(last) => {
                let mut joined = (**last).clone();
                let origins = flow.origins();
                if !joined.why.value.contains(&*flow.why.value) {
                    joined.why.value = format!("{}; {}", joined.why.value, flow.why.value).into();
                }
                for set in [
                    &mut joined.why.origins,
                    &mut joined.from_hosts.origins,
                    &mut joined.to_hosts.origins,
                    &mut joined.product.origins,
                ] {
                    *set = set.union(&origins);
                }
                joined.from_hosts.value.nets = merged(joined.from_hosts.value.nets.to_vec()).into();
                *last = Arc::new(joined);
            }
            None => united.push(flow),
        }
    }
    united
}

/// The order of the rows; those of one identity say the same.
fn identity(a: &Flow, b: &Flow) -> Ordering {
    // Texts that are one in memory are not looked at.
    let text = |a: &Str, b: &Str| if Arc::ptr_eq(a, b) { Ordering::Equal } else { a.cmp(b) };
    let key = text(&a.product, &b.product)
        .then_with(|| text(&a.from, &b.from))
        .then_with(|| text(&a.to, &b.to))
        .then_with(|| (*a.transport, *a.ports).cmp(&(*b.transport, *b.ports)))
        .then_with(|| text(&a.application, &b.application));
    let end = |a: &Peers, b: &Peers| {
        if a.nets.is_same(&b.nets) && a.pods == b.pods && a.name == b.name {
            Ordering::Equal
        } else {
            a.text().cmp(&b.text())
        }
    };
    key.then_with(|| end(&a.from_hosts, &b.from_hosts)).then_with(|| end(&a.to_hosts, &b.to_hosts))
}
