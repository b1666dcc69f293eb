//! What no schema can say: findings on the site and on the `Ir`, one room per subject.

mod access;
pub mod addresses;
pub mod boundaries;
pub mod carried;
mod certificates;
pub mod charts;
pub mod claims;
pub mod conflicts;
pub mod contradictory;
pub mod databases;
pub mod firewalls;
mod flows;
mod hosts;
mod images;
mod limits;
pub mod misfits;
mod names;
mod objects;
pub mod places;
mod ports;
mod ranges;
pub mod redundant;
pub mod references;
pub mod requirements;
pub mod secrets;
mod served;
mod storage;
mod stores;
mod swarm;
pub mod unread;
mod unused;
mod versions;
pub mod waivers;

use crate::diag::Findings;
use crate::diag::codes::{
    ACCESS_NOT_COVERED, Code, EXTERNAL_IN_STACK, IMAGE_NOT_MIRRORED, POOLER_UNUSED, ROLE_WITHOUT_DATABASE,
    UNREACHED_PORT, VOLUME_WITHOUT_EXPORT,
};
use crate::instance::{Instance, Run};
use crate::ir::Ir;
use crate::site::Site;
use crate::source::Sources;

/// What the site alone tells.
pub fn site(site: &Site, sources: &Sources, findings: &mut Findings) {
    addresses::addresses(site, sources, findings);
    ranges::ranges(site, sources, findings);
    names::names(site, sources, findings);
    certificates::certificates(site, sources, findings);
    hosts::hosts(site, sources, findings);
    stores::stores(site, sources, findings);
}

/// What the items of the `Ir` tell of each other and of the site; `sound` where no value of the spec is faulty.
pub fn ir(instances: &[Instance], ir: &Ir, site: &Site, sound: bool, sources: &Sources, run: &mut Run) {
    firewalls::firewalls(ir, site, sources, &mut run.findings);
    carried::carried(ir, site, sources, &mut run.findings);
    boundaries::boundaries(ir, site, sources, &mut run.findings);
    contradictory::boundaries(site, sources, &mut run.findings);
    ports::ports(instances, ir, site, sources, &mut run.findings);
    storage::storage(ir, site, sources, run);
    stores::unheeded(ir, site, sources, &mut run.findings);
    names::of_items(ir, site, sources, &mut run.findings);
    versions::versions(ir, site, sources, &mut run.findings);
    served::served(ir, site, sources, &mut run.findings);
    images::images(ir, site, sources, &mut run.findings);
    flows::flows(ir, site, sources, &mut run.findings);
    objects::objects(ir, sources, &mut run.findings);
    swarm::swarm(ir, site, sources, &mut run.findings);
    databases::databases(ir, site, sources, &mut run.findings);
    access::access_and_roles(ir, site, sources, &mut run.findings);
    if sound {
        unused::unused(instances, ir, site, sources, &mut run.findings);
    }
    if !sound || run.unknown.contains("flows") {
        run.findings.retain(|d| !OF_FLOWS.iter().any(|code| code.row().code == d.code));
    }
    let Run { findings, unknown, .. } = run;
    let hidden = |code: &str| {
        MISSING.iter().any(|(of, kinds)| of.row().code == code && kinds.iter().any(|k| unknown.contains(k)))
    };
    findings.retain(|d| unknown.is_empty() || !hidden(&d.code));
}

/// Findings about items that are not there, and the kinds of these: where some of them are not known, nothing is missing
/// yet.
const MISSING: [(Code, &[&str]); 5] = [
    (VOLUME_WITHOUT_EXPORT, &["exports"]),
    (IMAGE_NOT_MIRRORED, &["images"]),
    (ACCESS_NOT_COVERED, &["access", "roles"]),
    (ROLE_WITHOUT_DATABASE, &["databases"]),
    (EXTERNAL_IN_STACK, &["overlays", "secrets"]),
];

/// Findings about flows that are not there, some of which something faulty or unanswered may have kept from being there.
const OF_FLOWS: [Code; 2] = [UNREACHED_PORT, POOLER_UNUSED];
