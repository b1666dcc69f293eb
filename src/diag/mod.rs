//! What the compiler has to say: findings with a code, a level, spans, notes and a help.

pub mod causes;
pub mod codes;
mod excerpt;
pub mod github;
pub mod human;
pub mod json;
pub mod levels;
pub mod near;
pub mod quotes;
pub mod sarif;
pub mod short;
pub mod typographic;

use std::borrow::Cow;

pub use near::{MOST_SUGGESTIONS, NearNames, similar_name, surely_meant};

use crate::source::Span;

/// The page of a code of the compiler's own, as Markdown; `code` is a code (`S0201`) or its name (`unknown-key`).
pub fn explain(code: &str) -> Option<String> {
    codes::find(code.trim()).map(|row| row.page.to_owned())
}

/// How grave a finding is. Ordered from grave to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No correct artifact can be made; exit 1, nothing is written.
    Error,
    Warning,
    /// A product needs an answer that the spec does not give.
    Question,
    Note,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Question => "question",
            Level::Note => "note",
        }
    }
}

/// A place that a report points at, with what it has to say there (may be empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// The text that puts a finding right when it stands in the place of `span`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub span: Span,
    pub text: String,
    /// Whether it may be applied without asking.
    pub safe: bool,
}

/// One finding. Text follows rustc's manner: plain, lower case, no final period, identifiers in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diag {
    /// `S0201`, or `<pack>/<name>` for a requirement of a pack.
    pub code: Cow<'static, str>,
    pub level: Level,
    pub message: String,
    /// The place that the finding is about; `None` only for what has none (a missing file).
    pub primary: Option<Label>,
    pub secondary: Vec<Label>,
    pub notes: Vec<String>,
    pub help: Option<String>,
    /// What puts it right: all of them together.
    pub replacements: Vec<Replacement>,
    /// JSON Pointer into the resolved site that a waiver may name; empty when none applies.
    pub pointer: String,
    /// Whether a waiver can silence it.
    pub waivable: bool,
    /// What was read to find it; the origins of what a document says about it.
    pub reads: crate::value::Origins,
}

impl Diag {
    /// Starts a finding with a code of the compiler's own; its level is the code's.
    pub fn new(code: codes::Code, message: impl Into<String>) -> Self {
        let row = code.row();
        Self::with_code(row.code, row.level, message)
    }

    /// Starts a finding with any code, as a pack's requirements have.
    pub fn with_code(code: impl Into<Cow<'static, str>>, level: Level, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            level,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            replacements: Vec::new(),
            pointer: String::new(),
            waivable: false,
            reads: crate::value::Origins::None,
        }
    }

    /// Sets the primary span. The label's text may be empty.
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// Sets the primary span when there is one.
    pub fn at_maybe(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    /// Adds a secondary span.
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a secondary span when there is one.
    pub fn and_maybe(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.and(span, text),
            None => self,
        }
    }

    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a replacement for a span; a finding with several places is put right by all of them together.
    pub fn replace(mut self, span: Span, text: impl Into<String>, safe: bool) -> Self {
        self.replacements.push(Replacement { span, text: text.into(), safe });
        self
    }

    /// Whether its replacements may be applied without asking.
    pub fn is_fixable(&self) -> bool {
        !self.replacements.is_empty() && self.replacements.iter().all(|r| r.safe)
    }

    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }
}

/// The findings of a run. Every pass adds to it; none stops at the first.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Diag>,
    waived: Vec<Waived>,
}

/// A finding that somebody has decided to live with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    pub finding: Diag,
    /// Why, in the words of the waiver.
    pub reason: String,
    /// Where the waiver stands.
    pub waiver: Option<Span>,
}

impl Findings {
    pub fn push(&mut self, diag: Diag) {
        self.list.push(diag);
    }

    pub fn extend(&mut self, other: Findings) {
        self.list.extend(other.list);
        self.waived.extend(other.waived);
    }

    /// Moves what `matches` to the waived findings.
    pub fn waive(&mut self, matches: impl Fn(&Diag) -> bool, reason: &str, waiver: Option<Span>) {
        let (waived, kept) = std::mem::take(&mut self.list).into_iter().partition(|d| matches(d));
        self.list = kept;
        let waived: Vec<Diag> = waived;
        self.waived.extend(waived.into_iter().map(|finding| Waived { finding, reason: reason.to_owned(), waiver }));
    }

    /// The waived findings, for reports that list what was decided; no count and no exit code knows them.
    pub fn waived(&self) -> &[Waived] {
        &self.waived
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diag> {
        self.list.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diag> {
        self.list.iter_mut()
    }

    /// The findings, waived ones among them.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Diag> {
        self.list.iter_mut().chain(self.waived.iter_mut().map(|w| &mut w.finding))
    }

    pub fn retain(&mut self, keep: impl FnMut(&Diag) -> bool) {
        self.list.retain(keep);
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The errors alone.
    pub fn errors(&self) -> Findings {
        Findings { list: self.list.iter().filter(|d| d.level == Level::Error).cloned().collect(), waived: Vec::new() }
    }

    /// At most `limit` findings in their order, none of them lighter than one that is left out.
    pub fn gravest(&self, limit: usize) -> Vec<&Diag> {
        let mut list: Vec<(usize, &Diag)> = self.list.iter().enumerate().collect();
        if list.len() > limit {
            list.sort_by_key(|(index, diag)| (diag.level, *index));
            list.truncate(limit);
            list.sort_by_key(|(index, _)| *index);
        }
        list.into_iter().map(|(_, diag)| diag).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorts by file, place, level and code, and drops exact repetitions.
    pub fn sort(&mut self) {
        let key = |d: &Diag| {
            let span = d.primary.as_ref().map(|l| l.span);
            (span.is_none(), span.map(|s| (s.file, s.start, s.end)), d.level, d.code.clone(), d.message.clone())
        };
        self.list.sort_by_cached_key(key);
        self.list.dedup();
        self.waived.sort_by_cached_key(|w| key(&w.finding));
        self.waived.dedup();
    }
}
