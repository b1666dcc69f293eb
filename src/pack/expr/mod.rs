//! Expressions: the text in a pack to a tree, the tree and types to findings, the tree and values to a value.
//!
//! The syntax is Jinja's. The meaning is ours: three values of truth, no comparison of unlike types, whole numbers
//! only, and every result knows the places that it was read from.

mod anchor;
mod calls;
mod check;
mod env;
mod eval;
mod filters;
mod functions;
pub(crate) mod kinds;
mod members;
mod nodes;
mod operators;
mod paths;
mod predicates;
pub(crate) mod read;
mod scope;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod tree;

pub use anchor::Anchor;
pub(crate) use check::{Checker, join};
pub use env::Env;
pub use eval::EvalError;
pub use kinds::{describe, record as record_type, type_of};
pub use operators::written;
pub(crate) use predicates::fits;
pub use scope::{NoTables, Reads, Scope, Tables, Unanswered};
pub use table::{Row, signature};
pub use text::{Piece, Text};

use crate::diag::{Diag, Findings, codes};
use crate::shape::Type;
use crate::value::{Origins, Str, Tracked, Value};
use tree::{Binary, Op, Term};

/// One expression.
#[derive(Clone, Debug)]
pub struct Expr {
    text: Str,
    anchor: Anchor,
    root: Term,
}

impl Expr {
    /// Reads an expression. What is wrong is reported; the result is then `None`.
    pub fn parse(text: &str, at: Anchor, findings: &mut Findings) -> Option<Self> {
        let root = read::read(text, &at, findings)?;
        Some(Self { text: text.into(), anchor: at, root })
    }

    /// Its type, and findings for names, attributes and operations that cannot work.
    pub fn check(&self, env: &Env<'_>, findings: &mut Findings) -> Type {
        Checker::new(self.anchor, env, findings).type_of(&self.root)
    }

    /// As [`Expr::check`], for an expression that must be true or false.
    pub fn check_condition(&self, env: &Env<'_>, findings: &mut Findings) {
        Checker::new(self.anchor, env, findings).condition(&self.root);
    }

    /// Its value, with the place of the expression and every place read as origins. `reads` gains what was read and
    /// which answers were missing; it may be used for one evaluation after the other.
    pub fn eval(&self, scope: &Scope<'_>, reads: &mut Reads) -> Result<Tracked, EvalError> {
        text::evaluate(&self.text, self.anchor, &self.root, scope, reads)
    }

    /// The same for a condition. Why it is false is asked only where lines are `traced`; else that value has no origins.
    pub fn eval_condition(&self, scope: &Scope<'_>, traced: bool, reads: &mut Reads) -> Result<Tracked, EvalError> {
        text::evaluate_condition(&self.text, self.anchor, &self.root, scope, traced, reads)
    }

    /// Its value without the place of the expression among the origins: what every expression of this text would give
    /// in this scope. `None` unless it is known.
    pub fn known(&self, scope: &Scope<'_>) -> Option<Tracked> {
        let anchor = self.anchor.with_place(crate::source::PlaceId::NONE);
        let value = text::evaluate(&self.text, anchor, &self.root, scope, &mut Reads::default()).ok()?;
        (!matches!(value.value, Value::Null | Value::Poison)).then_some(value)
    }

    /// The JSON Pointer of the place that it names: a path from a place of the site, through bound names to what they
    /// name. `None` for anything else.
    pub fn pointer(&self, scope: &Scope<'_>) -> Option<String> {
        let mut reads = Reads::default();
        eval::Evaluator::new(&self.text, self.anchor, scope, &mut reads).pointer(&self.root)
    }

    /// The origins of the attribute that it names, without those of the way to it; `None` for anything else.
    pub fn own_origins(&self, scope: &Scope<'_>) -> Option<Origins> {
        let Op::Attr(base, name) = &self.root.op else { return None };
        let base = text::evaluate(&self.text, self.anchor, base, scope, &mut Reads::default()).ok()?;
        let entry = match &base.value {
            Value::Ref(named) => scope.entry(named)?,
            _ => &base,
        };
        entry.get(name).map(|value| value.origins.clone())
    }

    /// What it reads, path by path as it is written: the JSON Pointer where the path spells one, and the value.
    pub fn parts(&self, scope: &Scope<'_>) -> Vec<(Option<String>, Tracked)> {
        let mut paths = Vec::new();
        self.root.outer_paths(&mut paths);
        let read = |term: &Term| {
            let mut reads = Reads::default();
            let pointer = eval::Evaluator::new(&self.text, self.anchor, scope, &mut reads).pointer(term);
            let value = text::evaluate(&self.text, self.anchor, term, scope, &mut Reads::default()).ok()?;
            Some((pointer, value))
        };
        paths.into_iter().filter_map(read).collect()
    }

    /// The field of `name` that the condition begins with, and the one value of it for which it can be true:
    /// `x.kind == 'a' and …`.
    pub fn kind_of(&self, name: &str) -> Option<(&Str, &Value)> {
        let mut first = &self.root;
        while let Op::And(left, _) = &first.op {
            first = left;
        }
        let Op::Binary(Binary::Eq, left, right) = &first.op else { return None };
        match (&left.op, &right.op) {
            (Op::Attr(base, field), Op::Const(value)) => match &base.op {
                Op::Name(own) if **own == *name => Some((field, value)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text as written.
    pub fn text(&self) -> &Str {
        &self.text
    }

    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The names that it reads from its scope, sorted.
    pub fn names(&self) -> Vec<Str> {
        self.paths()
            .into_iter()
            .map(|mut path| path.swap_remove(0))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// The paths that it reads, as far as they are written out: `values.smallest_ram` is `["values", "smallest_ram"]`.
    pub fn paths(&self) -> Vec<Vec<Str>> {
        paths(&self.root)
    }
}

impl Text {
    /// The paths that its expressions read.
    pub fn paths(&self) -> Vec<Vec<Str>> {
        let mut found = Vec::new();
        self.walk(&mut |term| found.extend(path_of(term)));
        found
    }
}

pub(crate) fn paths(root: &Term) -> Vec<Vec<Str>> {
    let mut found = Vec::new();
    root.walk(&mut |term| found.extend(path_of(term)));
    found
}

/// The path that a node spells, names of items left out. A path's beginnings are paths of their own.
fn path_of(term: &Term) -> Option<Vec<Str>> {
    match &term.op {
        Op::Name(name) if &**name != "item" && &**name != read::IT => Some(vec![name.clone()]),
        Op::Attr(base, name) => {
            let mut path = path_of(base)?;
            path.push(name.clone());
            Some(path)
        }
        Op::Index(base, index) => {
            let mut path = path_of(base)?;
            path.push(index.literal()?.clone());
            Some(path)
        }
        _ => None,
    }
}

impl EvalError {
    /// The finding of this error.
    pub fn diag(&self) -> Diag {
        let mut diag = Diag::new(codes::EXPR_EVAL, self.message.clone()).at(self.span, "");
        diag.help = self.help.clone();
        diag
    }
}

/// Every filter, test and function, for documents: kind and row.
pub fn reference() -> impl Iterator<Item = (&'static str, &'static Row)> {
    let filters = filters::tables().into_iter().flatten().map(|r| ("filter", r));
    let tests = predicates::TESTS.iter().map(|r| ("test", r));
    filters.chain(tests).chain(functions::FUNCTIONS.iter().map(|r| ("function", r)))
}

#[cfg(test)]
mod tests;
