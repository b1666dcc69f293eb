//! A pack as loaded from its `pack.toml`: a product's knowledge as data, every item with its place and its source.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::expr::{Expr, Text};
use crate::diag::Level;
use crate::ir::Transport;
use crate::source::{FileId, PlaceId, Span};
use crate::value::{Ports, Str, Tracked};

/// One pack.
#[derive(Debug, Default)]
pub struct Pack {
    pub name: Str,
    pub title: Str,
    pub summary: Str,
    /// Bound on the versions that the pack knows, `>=2023.09`.
    pub versions: Option<Bound>,
    pub document: Document,
    /// Citation id → section of the document.
    pub cites: IndexMap<Str, Str>,
    /// Phases of the runbook, in order.
    pub phases: Vec<Str>,
    /// Hosts with whose addresses the product's pods reach the outside.
    pub nodes: Option<Expr>,
    pub bindings: IndexMap<Str, Binding>,
    pub ports: IndexMap<Str, PortRule>,
    pub values: IndexMap<Str, ValueRule>,
    pub tables: IndexMap<Str, Tracked>,
    pub components: IndexMap<Str, Component>,
    pub flows: Vec<FlowRule>,
    pub requirements: Vec<Requirement>,
    pub questions: Vec<QuestionRule>,
    pub contradictions: IndexMap<Str, Contradiction>,
    pub claims: Vec<Claim>,
    pub immutable: Vec<Immutable>,
    pub defaults: Vec<DefaultRule>,
    pub blanks: IndexMap<Str, BlankRule>,
    /// Items of the `Ir`, in the order of the file.
    pub items: Vec<ItemRule>,
    pub artifacts: Vec<ArtifactRule>,
    pub steps: Vec<StepRule>,
    pub omissions: Vec<Omission>,
    /// The schema of the pack's own part of the spec; an empty object when it has none.
    pub settings_schema: Arc<serde_json::Value>,
    /// The template files by name below the pack's folder, for `emit` to parse.
    pub templates: BTreeMap<Str, FileId>,
    /// `templates/<name>` or the folder the user gave.
    pub dir: Str,
    /// The place of `[pack]` and the file.
    pub place: PlaceId,
    pub file: Option<FileId>,
}

/// The document that a pack was made from.
#[derive(Debug, Default)]
pub struct Document {
    pub id: Str,
    pub title: Str,
}

/// A lower bound on versions.
#[derive(Debug)]
pub struct Bound {
    pub text: Str,
    pub at_least: crate::value::Version,
    pub span: Span,
}

/// Why an item is there: what the vendor's document says, or our own reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Cite(Vec<Str>),
    Addition(Str),
}

/// What every item has.
#[derive(Debug)]
pub struct Head {
    pub place: PlaceId,
    pub span: Span,
    pub source: Source,
    pub when: Option<Expr>,
    /// Names and the lists that they run through; a later list may read an earlier name.
    pub for_each: Vec<(Str, Expr)>,
}

impl Head {
    /// How many of the loops, the outermost first, the condition speaks of: what it says is the same for every item of
    /// those within.
    pub fn settled_at(&self) -> usize {
        let Some(when) = self.when.as_ref().filter(|_| !self.for_each.is_empty()) else { return 0 };
        let names = when.names();
        self.for_each.iter().rposition(|(name, _)| names.contains(name)).map_or(0, |last| last + 1)
    }
}

/// What of the site the product uses; also an end of flows.
#[derive(Debug)]
pub struct Binding {
    pub head: Head,
    pub name: Str,
    pub is: Expr,
    pub required: bool,
    /// What is lost when the site has none.
    pub without: Option<Text>,
    pub ask: Option<Text>,
    pub who: Str,
    pub listens: Vec<(Str, Span)>,
    pub label: Str,
}

/// A named port.
#[derive(Debug)]
pub struct PortRule {
    pub head: Head,
    pub name: Str,
    pub of: Option<Expr>,
    pub default: Vec<Ports>,
    pub transports: Vec<Transport>,
    /// What is spoken there; a text, since it may depend on the port that a site has.
    pub application: Option<Text>,
    /// Whether it is a port that the cluster publishes on its nodes.
    pub published: bool,
    /// The port of the pods that a published one leads to.
    pub leads_to: Option<Expr>,
    /// Why it differs from what the document prints.
    pub departs: Option<Str>,
}

/// A value that is computed once.
#[derive(Debug)]
pub struct ValueRule {
    pub head: Head,
    pub name: Str,
    pub is: Expr,
    /// The written form, as the filter `write` takes it: `Mi`, `m`.
    pub write: Option<Str>,
}

/// A part of the product that runs.
#[derive(Debug)]
pub struct Component {
    pub head: Head,
    pub name: Str,
    pub kind: Str,
    pub listens: Vec<(Str, Span)>,
    pub connects: Vec<(Str, Span)>,
    pub note: Option<Text>,
    pub published_on: Option<Expr>,
    /// The labels of its pods, where the product's document or chart gives them.
    pub labels: Vec<(Str, Text)>,
}

/// A flow that is written as such.
#[derive(Debug)]
pub struct FlowRule {
    pub head: Head,
    pub from: Vec<(Str, Span)>,
    pub to: Vec<(Str, Span)>,
    /// Ends that are expressions, as a loop over clusters needs; `from` and `to` are empty then.
    pub ends: Option<(InlineEnd, InlineEnd)>,
    /// Empty: what the target listens on.
    pub groups: Vec<PortGroup>,
    pub note: Option<Text>,
}

/// An end of a flow that is no binding.
#[derive(Debug)]
pub struct InlineEnd {
    pub label: Text,
    pub is: Expr,
}

/// One group of ports of a flow.
#[derive(Debug)]
pub enum PortGroup {
    Named(Str, Span),
    /// No ports where the transports have none.
    Literal {
        ports: Vec<Ports>,
        transports: Vec<Transport>,
        application: Str,
    },
}

/// A literal of a pack that takes its type from the place it is compared with, or an expression.
#[derive(Debug)]
pub enum Limit {
    Literal(Tracked),
    Expr(Expr),
}

/// How a place is judged.
#[derive(Debug)]
pub enum Judgement {
    That(Expr),
    Min(Limit),
    Max(Limit),
    Below(Limit),
    OneOf(Vec<Limit>),
    NoneOf(Vec<Limit>),
    Matches(Str),
    Bands(Vec<Band>),
}

/// One band below a bound, with its own level; bands are tried in order.
#[derive(Debug)]
pub struct Band {
    pub below: Limit,
    pub level: Level,
    pub waive: Waive,
    pub says: Option<Text>,
    pub source: Option<Source>,
    pub place: PlaceId,
}

/// Whether a finding can be waived.
#[derive(Debug)]
pub enum Waive {
    Always,
    Never,
    When(Expr),
}

/// What a product demands of the site.
#[derive(Debug)]
pub struct Requirement {
    pub head: Head,
    pub code: Str,
    pub level: Level,
    pub of: Option<Expr>,
    /// The place to point at when `of` is not given.
    pub at: Option<Expr>,
    pub judgement: Judgement,
    pub says: Text,
    pub help: Option<Text>,
    pub waive: Waive,
    pub contradiction: Option<Str>,
    pub ask: Option<Text>,
    pub who: Str,
}

/// What is asked when a place is unanswered.
#[derive(Debug)]
pub struct QuestionRule {
    pub head: Head,
    pub of: Expr,
    pub ask: Text,
    pub who: Str,
    pub waits: Vec<Str>,
}

/// Two statements of the document that cannot both hold, and how they are read.
#[derive(Debug)]
pub struct Contradiction {
    /// Its source are the statements; its condition says where the choice between them matters.
    pub head: Head,
    pub name: Str,
    pub resolved: Str,
}

impl Contradiction {
    /// The name under which `sitec explain` has its page.
    pub fn code(&self, pack: &str) -> Str {
        format!("{pack}/contradiction-{}", self.name.replace('_', "-")).into()
    }
}

/// What a product wants of something shared.
#[derive(Debug)]
pub struct Claim {
    pub head: Head,
    pub subject: Text,
    pub key: Text,
    pub value: Option<Field>,
    pub forbid: Vec<Field>,
    pub level: Level,
}

/// A field that can never change after installation.
#[derive(Debug)]
pub struct Immutable {
    pub head: Head,
    pub at: Expr,
    pub why: Text,
}

/// A default that a pack gives to a place of the site.
#[derive(Debug)]
pub struct DefaultRule {
    pub head: Head,
    /// Dotted pattern, `clusters.*.pod_cidr`.
    pub pattern: Str,
    pub value: Tracked,
}

/// What only the installation itself reveals.
#[derive(Debug)]
pub struct BlankRule {
    pub head: Head,
    pub name: Str,
    pub says: Text,
    /// The step that reveals it.
    pub revealed_by: Str,
}

/// An item of the `Ir` as the pack describes it.
#[derive(Debug)]
pub struct ItemRule {
    pub head: Head,
    pub kind: &'static super::kinds::Kind,
    pub fields: IndexMap<Str, Field>,
}

/// A field of an item: text, literal, or a structure of these.
#[derive(Debug)]
pub struct Field {
    pub place: PlaceId,
    pub span: Span,
    pub data: FieldData,
}

#[derive(Debug)]
pub enum FieldData {
    Text(Text),
    Literal(Tracked),
    List(Vec<Field>),
    /// Keys are texts: `"{{ host.name }}" = …`.
    Map(Vec<(Text, Field)>),
}

/// A file that the pack emits.
#[derive(Debug)]
pub struct ArtifactRule {
    pub head: Head,
    pub path: Text,
    pub template: Str,
    pub template_span: Span,
    pub format: Str,
    /// The loop's name for an item whose own fields say placement, host, target, owner, mode, apply and check.
    pub of: Option<(Str, Span)>,
    pub placement: crate::artifact::Placement,
    pub host: Option<Text>,
    pub target: Option<Text>,
    pub owner: Option<Text>,
    pub mode: Option<Text>,
    pub apply: Option<Text>,
    pub check: Option<Text>,
}

/// A step of the runbook.
#[derive(Debug)]
pub struct StepRule {
    pub head: Head,
    pub id: Str,
    pub phase: Str,
    pub title: Text,
    pub at: Option<Text>,
    pub text: Option<Text>,
    pub run: Vec<Text>,
    pub verify: Vec<Text>,
    pub verify_text: Option<Text>,
    pub undo: Vec<Text>,
    pub undo_text: Option<Text>,
    pub files: Vec<Text>,
    pub warns: Vec<Text>,
    pub fails: Vec<FailureRule>,
    pub after: Vec<(Str, Span)>,
    pub needs: Vec<Text>,
    pub provides: Vec<Text>,
    pub departs: Option<Text>,
}

/// What may go wrong in a step.
#[derive(Debug)]
pub struct FailureRule {
    pub sees: Text,
    pub says: Option<Text>,
    pub goto: Option<(Str, Span)>,
}

/// A fact of the document that is left out on purpose.
#[derive(Debug)]
pub struct Omission {
    pub cite: Vec<Str>,
    pub reason: Str,
    pub place: PlaceId,
}

impl Pack {
    /// A source as messages and documents print it: `Demo handbook: 3 Picture storage`.
    pub fn source_text(&self, source: &Source) -> Str {
        match source {
            Source::Addition(reason) => format!("addition: {reason}").into(),
            Source::Cite(_) => format!("{}: {}", self.document.title, self.sections(source)).into(),
        }
    }

    /// The sections of the document that a source cites; nothing for an addition.
    pub fn sections(&self, source: &Source) -> Str {
        let Source::Cite(ids) = source else { return Str::default() };
        let sections: Vec<&str> = ids.iter().map(|id| self.cites.get(id).map_or(&**id, |section| section)).collect();
        sections.join("; ").into()
    }
}
