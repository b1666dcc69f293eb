//! The texts of a spec and of packs in, findings and the artifact tree out: all passes in their order.

use std::collections::BTreeMap;

use crate::artifact::ArtifactTree;
use crate::diag::Findings;
use crate::ir::Ir;
use crate::node::Node;
use crate::source::{PlaceId, Role, Sources};
use crate::value::{Origins, Str, Tracked};
use crate::{decode, overlay, parse, schema, validate};

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

/// The files of one pack's folder, by path below it.
#[derive(Clone, Debug, Default)]
pub struct PackFiles {
    pub name: Str,
    /// How the folder is named in messages.
    pub dir: Str,
    pub files: Vec<(Str, Str)>,
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
    pub findings: Findings,
    pub spec: Option<Node>,
    pub site: Option<Site>,
    pub ir: Option<Ir>,
    pub tree: Option<ArtifactTree>,
    /// The origins of each line of each artifact, by path; only for [`Depth::Trace`].
    pub trace: Option<BTreeMap<String, Vec<Origins>>>,
    pub schema: Option<schema::Schema>,
}

#[derive(Debug)]
pub struct Site {
    pub root: Tracked,
    pub defaults: BTreeMap<String, DefaultFrom>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultFrom {
    Core,
    Pack(Str, PlaceId),
}

/// The packs that are part of the program.
pub fn embedded_packs() -> Vec<PackFiles> {
    Vec::new()
}

/// Runs all passes.
pub fn compile(inputs: &Inputs<'_>) -> Compilation {
    let mut c = Compilation::default();
    let Ok(bytes) = (inputs.read)(&inputs.entry) else { return c };
    let Some(file) = parse::load(&mut c.sources, &inputs.entry, bytes, Role::Spec, &mut c.findings) else { return c };
    let Some(node) = overlay::overlay(&mut c.sources, file, &mut |path| (inputs.read)(path), &mut c.findings) else {
        return c;
    };
    let schema = schema::Schema::new(&[]);
    let poisoned = validate::validate(&node, &schema, &mut c.findings);
    let spec = decode::decode(&node, &schema, &poisoned, &mut c.findings);
    let name = node.pointer("/site/name").and_then(Node::scalar_text).map_or("site".to_string(), |n| n.to_string());
    c.site = Some(Site { root: spec.root, defaults: BTreeMap::new() });
    c.spec = Some(node);
    c.schema = Some(schema);
    if inputs.depth > Depth::Check {
        c.tree = Some(ArtifactTree { site: name, ..ArtifactTree::default() });
    }
    c
}

impl Compilation {
    /// The name of the site, as far as it is known.
    pub fn site_name(&self) -> Option<String> {
        let name = self.spec.as_ref()?.pointer("/site/name")?.scalar_text()?;
        Some(name.to_string())
    }
}
