//! Typed spec in, resolved site out: ranges expanded, names bound, defaults applied, what follows filled in.

mod defaults;
mod derive;
mod firewall;
mod hosts;
mod names;
pub mod ranges;

use std::sync::Arc;

use crate::diag::Findings;
use crate::schema::Schema;
use crate::site::{Networks, Site};
use crate::source::{Sources, Span};
use crate::spec::Spec;
use crate::value::{Map, Str, Tracked, Value};

/// A default that a pack gives for a place of the site.
#[derive(Clone, Debug)]
pub struct PackDefault {
    /// The place: `clusters.*.pod_cidr`, or a JSON Pointer when it begins with `/`; `*` stands for any name.
    pub place: Str,
    /// The value, with the place in the pack that gives it. Plain text is typed as the place asks for.
    pub value: Tracked,
    pub pack: Str,
}

/// Resolves a spec. Poison stays poison, and nothing is reported about what depends on it. The result does not depend on
/// the number of threads.
pub fn resolve(
    mut spec: Spec,
    schema: &Schema,
    pack_defaults: &[PackDefault],
    sources: &Sources,
    threads: usize,
    findings: &mut Findings,
) -> Site {
    // Nobody else has the tree: it is changed where it stands.
    let Tracked { value, origins } = std::mem::take(&mut spec.root);
    let Value::Map(written) = value else {
        return Site { root: Tracked { value, origins }, ..Site::default() };
    };
    let mut root = Arc::unwrap_or_clone(written);
    let hosts_complete = hosts::expand(&mut root, &spec, schema, sources, findings);
    names::bind(&mut root, &spec, schema, hosts_complete, sources, findings);
    let networks = root.get("networks").map(Networks::new).unwrap_or_default();
    let mut site = Site { root: Tracked::new(Value::map(root), origins), networks, ..Site::default() };
    defaults::apply(&mut site, schema, pack_defaults, sources, findings);
    derive::derive(&mut site, schema, threads);
    site
}

/// The span of the place that a value comes from; the first one when there are several.
fn span(value: &Tracked, sources: &Sources) -> Option<Span> {
    value.origins.as_slice().first().and_then(|place| sources.span_of(*place))
}

/// The map of a value, to be changed; `None` for what is no map.
fn map_mut(value: &mut Tracked) -> Option<&mut Map> {
    match &mut value.value {
        Value::Map(map) => Some(Arc::make_mut(map)),
        _ => None,
    }
}
