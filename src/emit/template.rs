//! A template as we hold it: our own tree, with the context of every interpolation settled when it was read.

use super::escape::{Context, Format};
use crate::pack::expr::Anchor;
use crate::pack::expr::tree::Term;
use crate::source::{PlaceId, Span};
use crate::value::Str;

/// One template.
#[derive(Clone, Debug)]
pub struct Template {
    /// The name by which others include it.
    pub name: Str,
    pub format: Format,
    pub(super) text: Str,
    pub(super) anchor: Anchor,
    /// A place for each line of the template, the origin of its literal text.
    pub(super) lines: Vec<PlaceId>,
    /// Offsets at which the lines begin.
    pub(super) starts: Vec<u32>,
    pub(super) body: Vec<Stmt>,
    pub(super) macros: Vec<Macro>,
}

/// A range of bytes of the template's text.
pub(super) type At = (u32, u32);

/// One statement.
#[derive(Clone, Debug)]
pub(super) enum Stmt {
    /// Literal text and where it stands.
    Raw(Str, u32),
    Write(Write),
    If(If),
    For(Box<For>),
    Include(Str, At),
    /// `set x` … `endset`: text already written, to be put somewhere later.
    Capture {
        name: Str,
        layout: Layout,
        body: Vec<Stmt>,
    },
    /// Text captured under a name.
    Paste {
        name: Str,
        layout: Layout,
    },
    Call(Box<Call>),
    /// `filter indent(4)` … `endfilter`.
    Laid {
        layout: Layout,
        body: Vec<Stmt>,
    },
}

/// `<{ expression }>`.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub term: Term,
    pub at: At,
    /// As chosen by the author until the template is settled, then where it stands.
    pub context: Context,
    /// `tokens(', ')`: the items of a list, each written as a token, with this between them.
    pub separator: Option<Str>,
    /// `raw('reason')`: written as it is.
    pub raw: bool,
}

/// `if`, its `elif`s, and what comes when none holds.
#[derive(Clone, Debug)]
pub(super) struct If {
    pub arms: Vec<(Term, Vec<Stmt>)>,
    pub otherwise: Vec<Stmt>,
}

/// `for a, b in list if condition`.
#[derive(Clone, Debug)]
pub(super) struct For {
    pub targets: Vec<Str>,
    pub list: Term,
    pub filter: Option<Term>,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
    /// Whether the body reads `loop`.
    pub counts: bool,
}

/// A call of a macro.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub name: Str,
    /// The template that the macro comes from; `None` for this one.
    pub from: Option<Str>,
    pub args: Vec<(Option<Str>, Term)>,
    pub layout: Layout,
    pub at: At,
}

/// A macro.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub name: Str,
    pub params: Vec<(Str, Option<Term>)>,
    pub body: Vec<Stmt>,
}

/// How written text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Spaces before each line but empty ones.
    pub indent: usize,
    /// Whether the first line gets them too.
    pub first: bool,
}

impl Template {
    pub(super) fn span(&self, at: At) -> Span {
        self.anchor.span(at.0, at.1)
    }

    /// The place of the line on which an offset stands.
    pub(super) fn line_place(&self, offset: u32) -> PlaceId {
        let line = self.starts.partition_point(|s| *s <= offset).saturating_sub(1);
        self.lines.get(line).copied().unwrap_or(PlaceId::NONE)
    }

    /// The names of the templates that it includes or takes macros from.
    pub fn uses(&self) -> Vec<Str> {
        let mut names = Vec::new();
        let bodies = self.macros.iter().map(|m| &m.body).chain([&self.body]);
        bodies.for_each(|b| {
            walk(b, &mut |stmt| match stmt {
                Stmt::Include(name, _) => names.push(name.clone()),
                Stmt::Call(call) => names.extend(call.from.clone()),
                _ => {}
            })
        });
        names.sort();
        names.dedup();
        names
    }

    /// The paths that its expressions read: `["ir", "flows"]`. Names that the template itself gives are among them.
    pub fn paths(&self) -> Vec<Vec<Str>> {
        let mut found = Vec::new();
        let bodies = self.macros.iter().map(|m| &m.body).chain([&self.body]);
        bodies.for_each(|b| {
            walk(b, &mut |stmt| {
                let mut note = |term: &Term| found.extend(crate::pack::expr::paths(term));
                match stmt {
                    Stmt::Write(write) => note(&write.term),
                    Stmt::If(i) => i.arms.iter().for_each(|(t, _)| note(t)),
                    Stmt::For(f) => {
                        note(&f.list);
                        f.filter.iter().for_each(note);
                    }
                    Stmt::Call(call) => call.args.iter().for_each(|(_, t)| note(t)),
                    _ => {}
                }
            })
        });
        found
    }
}

/// Calls `f` with every statement, parents first.
pub(super) fn walk<'a>(body: &'a [Stmt], f: &mut impl FnMut(&'a Stmt)) {
    for stmt in body {
        f(stmt);
        match stmt {
            Stmt::If(i) => {
                i.arms.iter().for_each(|(_, b)| walk(b, f));
                walk(&i.otherwise, f);
            }
            Stmt::For(l) => {
                walk(&l.body, f);
                walk(&l.otherwise, f);
            }
            Stmt::Capture { body, .. } | Stmt::Laid { body, .. } => walk(body, f),
            Stmt::Raw(..) | Stmt::Write(_) | Stmt::Include(..) | Stmt::Paste { .. } | Stmt::Call(_) => {}
        }
    }
}
