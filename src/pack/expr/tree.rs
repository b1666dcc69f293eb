//! The tree of an expression: our own, owned, with every name, filter and constant resolved when it is read.

use std::sync::Arc;

use super::table::Row;
use crate::value::{Str, Value};

/// One node. `start..end` are byte offsets into the text in which the expression stands.
#[derive(Clone, Debug)]
pub struct Term {
    pub start: u32,
    pub end: u32,
    pub op: Op,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Op {
    Const(Value),
    Name(Str),
    Attr(Box<Term>, Str),
    Index(Box<Term>, Box<Term>),
    Slice(Box<Term>, Option<Box<Term>>, Option<Box<Term>>),
    Not(Box<Term>),
    Negate(Box<Term>),
    And(Box<Term>, Box<Term>),
    Or(Box<Term>, Box<Term>),
    Binary(Binary, Box<Term>, Box<Term>),
    /// `a < b <= c`: true when every neighbouring pair is.
    Chain(Box<Term>, Vec<(Binary, Term)>),
    If(Box<Branches>),
    List(Vec<Term>),
    Map(Vec<(Str, Term)>),
    /// A filter, a test or a function from one of the tables.
    Apply(Box<Apply>),
    /// `not` and what follows are refused; nothing more is said about it.
    Faulty,
}

/// The parts of `yes if test else no`.
#[derive(Clone, Debug)]
pub struct Branches {
    pub test: Term,
    pub yes: Term,
    pub no: Term,
}

/// The use of a row of the tables of filters, tests and functions.
#[derive(Clone, Debug)]
pub struct Apply {
    pub row: &'static Row,
    /// Where the name of the filter, test or function stands.
    pub name: (u32, u32),
    /// What it is applied to; functions have none.
    pub input: Option<Term>,
    /// One per parameter of the row, in its order; a row whose last parameter repeats may have more.
    pub args: Vec<Option<Arg>>,
}

/// An argument.
#[derive(Clone, Debug)]
pub enum Arg {
    Value(Term),
    /// An expression over an item of the input, which it knows by this name.
    Item(Str, Arc<Term>),
}

/// An operator with two operands, except `and` and `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    FloorDiv,
    Rem,
    Concat,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

impl Binary {
    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Sub => "-",
            Binary::Mul => "*",
            Binary::FloorDiv => "//",
            Binary::Rem => "%",
            Binary::Concat => "~",
            Binary::Eq => "==",
            Binary::Ne => "!=",
            Binary::Lt => "<",
            Binary::Le => "<=",
            Binary::Gt => ">",
            Binary::Ge => ">=",
            Binary::In => "in",
        }
    }

    pub fn is_order(self) -> bool {
        matches!(self, Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge)
    }

    pub fn is_equality(self) -> bool {
        matches!(self, Binary::Eq | Binary::Ne)
    }
}

impl Term {
    /// The outermost filter, test or function, if the node is one.
    pub fn apply(&self) -> Option<&Apply> {
        match &self.op {
            Op::Apply(apply) => Some(apply),
            _ => None,
        }
    }

    /// Whether the node names something that a value is read from: `host`, `host.memory`, `hosts[0].cpu`.
    pub fn is_path(&self) -> bool {
        matches!(self.op, Op::Name(_) | Op::Attr(..) | Op::Index(..))
    }

    /// The constant text of the node.
    pub fn literal(&self) -> Option<&Str> {
        match &self.op {
            Op::Const(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// The longest paths in this node, in the order in which they are written; item expressions left out, since they
    /// speak about names of their own.
    pub fn outer_paths<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match &self.op {
            Op::Const(_) | Op::Faulty => {}
            _ if self.is_path() => found.push(self),
            Op::Apply(apply) => {
                apply.input.iter().for_each(|t| t.outer_paths(found));
                for arg in apply.args.iter().flatten() {
                    if let Arg::Value(term) = arg {
                        term.outer_paths(found);
                    }
                }
            }
            _ => self.children(&mut |term| term.outer_paths(found)),
        }
    }

    /// Calls `f` with this node and every node below it, item expressions included, parents first.
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Term)) {
        f(self);
        self.children(&mut |term| term.walk(f));
    }

    /// Calls `f` with every node right below this one, item expressions included.
    fn children<'a>(&'a self, f: &mut dyn FnMut(&'a Term)) {
        match &self.op {
            Op::Const(_) | Op::Name(_) | Op::Faulty => {}
            Op::Attr(a, _) | Op::Not(a) | Op::Negate(a) => f(a),
            Op::Index(a, b) | Op::And(a, b) | Op::Or(a, b) | Op::Binary(_, a, b) => {
                f(a);
                f(b);
            }
            Op::Slice(a, b, c) => {
                [Some(&**a), b.as_ref().map(|t| &**t), c.as_ref().map(|t| &**t)].into_iter().flatten().for_each(f)
            }
            Op::Chain(a, rest) => {
                f(a);
                rest.iter().for_each(|(_, t)| f(t));
            }
            Op::If(b) => [&b.test, &b.yes, &b.no].into_iter().for_each(f),
            Op::List(items) => items.iter().for_each(f),
            Op::Map(entries) => entries.iter().for_each(|(_, t)| f(t)),
            Op::Apply(apply) => {
                apply.input.iter().for_each(&mut *f);
                for arg in apply.args.iter().flatten() {
                    match arg {
                        Arg::Value(term) => f(term),
                        Arg::Item(_, term) => f(term),
                    }
                }
            }
        }
    }
}
