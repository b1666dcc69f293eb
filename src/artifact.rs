//! The artifacts of a site: what is emitted, where it belongs, how it takes effect.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::value::Str;

/// How an emitted file gets to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placement {
    /// A whole file of ours.
    File,
    /// A whole file in a directory that others share (`exports.d`, `conf.d`).
    DropIn,
    /// Lines to be merged between markers into a file that is not ours alone.
    Block,
    /// Stays with the operator: documents, scripts to run, YAML to apply.
    Carry,
}

impl Placement {
    /// Finds a placement by the word for it.
    pub fn from_name(name: &str) -> Option<Self> {
        [Placement::File, Placement::DropIn, Placement::Block, Placement::Carry].into_iter().find(|p| p.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Placement::File => "file",
            Placement::DropIn => "drop-in",
            Placement::Block => "block",
            Placement::Carry => "carry",
        }
    }
}

/// One emitted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The format's name as in `emit/escape`: `exports`, `fstab`, `nginx`, `yaml`, `markdown`, …
    pub format: Str,
    pub bytes: Vec<u8>,
    pub placement: Placement,
    /// The host it belongs to, if it belongs to one.
    pub host: Option<Str>,
    /// The absolute path at that host, if it has one.
    pub target: Option<Str>,
    pub owner: Option<Str>,
    /// Octal mode as text, `0644`.
    pub mode: Option<Str>,
    /// The command that makes it take effect, and the one that shows that it did.
    pub apply: Option<Str>,
    pub check: Option<Str>,
    /// The pack whose artifact this is.
    pub pack: Str,
}

/// All emitted files by their path below `out/<site>/`, `/`-separated, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactTree {
    pub site: String,
    pub files: BTreeMap<String, Artifact>,
    /// Resolved values that can never change after installation, by their pointer; `MANIFEST.json` records them.
    pub immutable: BTreeMap<String, Immutable>,
}

/// A resolved value that can never change after installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Immutable {
    /// `None` while it is unanswered.
    pub value: Option<String>,
    /// What would break.
    pub why: String,
    /// Citation or reason.
    pub cite: Str,
    /// Where the spec says it, or the product that it belongs to.
    pub span: Option<Span>,
}
