//! From a filter, a test or a call of minijinja's tree to a row of our tables with its arguments.

use std::sync::Arc;

use minijinja::machinery::ast;

use super::functions::{self, FUNCTIONS};
use super::read::{IT, Placing, Reader};
use super::table::{Kind, Row, signature};
use super::tree::{Apply, Arg, Binary, Op, Term};
use super::{filters, predicates};
use crate::diag::codes;
use crate::diag::{Diag, similar_name};

impl Reader<'_> {
    pub(super) fn filter(
        &mut self,
        word: &str,
        name: (u32, u32),
        input: Option<Term>,
        args: &[ast::CallArg<'_>],
        end: u32,
    ) -> Term {
        let start = input.as_ref().map_or(name.0, |t| t.start);
        if let Some(term) = self.by_attribute(word, &input, args, (start, end.max(name.1))) {
            return term;
        }
        let table = filters::tables();
        match table.iter().flat_map(|t| t.iter()).find(|r| r.name == word) {
            Some(row) => self.apply(row, name, input, args, (start, end.max(name.1))),
            None => {
                let names = filters::tables().into_iter().flatten().map(|r| r.name);
                self.unknown_row("filter", word, name, names);
                self.faulty((start, end))
            }
        }
    }

    pub(super) fn test(
        &mut self,
        word: &str,
        name: (u32, u32),
        input: Term,
        args: &[ast::CallArg<'_>],
        end: u32,
    ) -> Term {
        let start = input.start;
        match predicates::find(word) {
            Some(row) => self.apply(row, name, Some(input), args, (start, end.max(name.1))),
            None => {
                self.unknown_row("test", word, name, predicates::TESTS.iter().map(|r| r.name));
                self.faulty((start, end))
            }
        }
    }

    pub(super) fn call(&mut self, call: &ast::Call<'_>, at: (u32, u32)) -> Term {
        match &call.expr {
            ast::Expr::Var(v) => {
                let name = self.span(v.span());
                match FUNCTIONS.iter().find(|r| r.name == v.id) {
                    Some(row) => {
                        let term = self.apply(row, name, None, &call.args, (name.0, at.1));
                        self.folded(term)
                    }
                    None => {
                        self.unknown_row("function", v.id, name, FUNCTIONS.iter().map(|r| r.name));
                        self.faulty(at)
                    }
                }
            }
            ast::Expr::GetAttr(a) => {
                let base = self.term(&a.expr);
                let help = format!("values have no methods; a filter may do it: `…|{}`", a.name);
                self.unsupported((base.start, at.1), "only functions can be called", &help)
            }
            _ => self.unsupported(at, "only functions can be called", "call a function by its name"),
        }
    }

    /// A typed literal is read once, here.
    fn folded(&mut self, term: Term) -> Term {
        let constant = match &term.op {
            Op::Apply(apply) => match apply.args.as_slice() {
                [Some(Arg::Value(Term { op: Op::Const(value), .. }))] => functions::literal(apply.row.name, value),
                _ => None,
            },
            _ => None,
        };
        let at = (term.start, term.end);
        match constant {
            None => term,
            Some(Ok(value)) => Term { op: Op::Const(value), ..term },
            Some(Err(message)) => {
                self.report(at, |s| Diag::new(codes::EXPR_LITERAL, message).at(s, ""));
                self.faulty(at)
            }
        }
    }

    fn unknown_row(&mut self, what: &str, word: &str, at: (u32, u32), names: impl Iterator<Item = &'static str>) {
        let names: Vec<&str> = names.collect();
        let near = similar_name(word, names.iter().copied());
        self.report(at, |s| {
            let diag = Diag::new(codes::EXPR_UNKNOWN_FUNCTION, format!("there is no {what} `{word}`")).at(s, "");
            match near {
                Some(near) => diag.help(format!("a {what} with a similar name is `{near}`")).replace(s, near, false),
                None => diag,
            }
        });
    }

    fn apply(
        &mut self,
        row: &'static Row,
        name: (u32, u32),
        input: Option<Term>,
        args: &[ast::CallArg<'_>],
        at: (u32, u32),
    ) -> Term {
        let mut bound: Vec<Option<Arg>> = vec![None; row.params.len()];
        for (position, arg) in args.iter().enumerate() {
            let (index, expr) = match arg {
                ast::CallArg::Pos(expr) => (Some(position).filter(|p| *p < row.params.len()), expr),
                ast::CallArg::Kwarg(key, expr) => (row.params.iter().position(|p| p.name == *key), expr),
                ast::CallArg::PosSplat(expr) | ast::CallArg::KwargSplat(expr) => (None, expr),
            };
            let term = self.term(expr);
            let place = (term.start, term.end);
            match index {
                Some(index) if bound[index].is_none() => bound[index] = Some(self.argument(row, index, term)),
                _ => self.wrong_arguments(row, place),
            }
        }
        let missing = row.params.iter().zip(&bound).any(|(p, b)| p.required && b.is_none());
        if missing && !self.failed {
            self.wrong_arguments(row, name);
        }
        let apply = Apply { row, name, input, args: bound };
        Term { start: at.0, end: at.1, op: Op::Apply(Box::new(apply)) }
    }

    fn wrong_arguments(&mut self, row: &Row, at: (u32, u32)) {
        let message = format!("`{}` is called as `{}`", row.name, signature(row));
        self.report(at, |s| Diag::new(codes::EXPR_ARGUMENTS, message).at(s, "").help(row.doc));
    }

    fn argument(&mut self, row: &Row, index: usize, term: Term) -> Arg {
        match (row.params[index].kind, term.literal()) {
            (Kind::Value, _) | (Kind::Word, Some(_)) => Arg::Value(term),
            (Kind::Item, Some(text)) => {
                let text = text.clone();
                let item = self.nested(&text, (term.start, term.end));
                Arg::Item("item".into(), Arc::new(item))
            }
            (Kind::Item | Kind::Word, None) => {
                self.wrong_arguments(row, (term.start, term.end));
                Arg::Value(term)
            }
        }
    }

    /// Where the text of a literal begins, when it stands there letter by letter.
    fn inside(&self, text: &str, at: (u32, u32)) -> Option<u32> {
        let literal = self.text.get(at.0 as usize..at.1 as usize)?;
        let exact = literal.get(1..).is_some_and(|rest| rest.starts_with(text) && rest.len() == text.len() + 1);
        exact.then_some(at.0 + 1)
    }

    /// Reads a string literal as an expression.
    fn nested(&mut self, text: &str, at: (u32, u32)) -> Term {
        let outer = self.place;
        self.place = match self.inside(text, at) {
            Some(begin) => Placing::Shifted(begin),
            None => Placing::Whole(at.0, at.1),
        };
        let term = self.expression(text, at.0 + 1).unwrap_or_else(|| self.faulty(at));
        self.place = outer;
        term
    }

    /// `map(attribute='a.b')`, `selectattr('a', 'test', x)`, `rejectattr(…)`, `sort(attribute='a')`, …: the same as an
    /// expression over the item.
    fn by_attribute(
        &mut self,
        word: &str,
        input: &Option<Term>,
        args: &[ast::CallArg<'_>],
        at: (u32, u32),
    ) -> Option<Term> {
        let (target, rest) = match (word, args) {
            ("selectattr", args) => ("select", args),
            ("rejectattr", args) => ("reject", args),
            (
                "map" | "sum" | "min" | "max" | "unique" | "sort" | "groupby",
                [ast::CallArg::Kwarg("attribute", path)],
            ) => {
                let attribute = self.attribute(path)?;
                let row = filters::find(match word {
                    "sum" => "sum_by",
                    "min" => "min_by",
                    "max" => "max_by",
                    "unique" => "unique_by",
                    "sort" => "sort_by",
                    other => other,
                })?;
                return Some(self.applied(row, input, attribute, at));
            }
            _ => return None,
        };
        let row = filters::find(target)?;
        let [ast::CallArg::Pos(path), rest @ ..] = rest else {
            self.wrong_arguments(row, at);
            return Some(self.faulty(at));
        };
        let attribute = self.attribute(path)?;
        let condition = match rest {
            [] => attribute,
            [ast::CallArg::Pos(test), rest @ ..] => {
                let test = self.term(test);
                let place = (test.start, test.end);
                let word = test.literal().map_or("", |w| w).to_owned();
                let sign = match &*word {
                    "eq" | "equalto" | "==" => Some(Binary::Eq),
                    "ne" | "!=" => Some(Binary::Ne),
                    "lt" | "<" => Some(Binary::Lt),
                    "le" | "<=" => Some(Binary::Le),
                    "gt" | ">" => Some(Binary::Gt),
                    "ge" | ">=" => Some(Binary::Ge),
                    "in" => Some(Binary::In),
                    _ => None,
                };
                match (sign, rest) {
                    (Some(sign), [ast::CallArg::Pos(operand)]) => {
                        let operand = self.boxed(operand);
                        Term { start: place.0, end: operand.end, op: Op::Binary(sign, Box::new(attribute), operand) }
                    }
                    _ => self.test(&word, place, attribute, rest, place.1),
                }
            }
            _ => {
                self.wrong_arguments(row, at);
                return Some(self.faulty(at));
            }
        };
        Some(self.applied(row, input, condition, at))
    }

    fn applied(&self, row: &'static Row, input: &Option<Term>, item: Term, at: (u32, u32)) -> Term {
        let args = vec![Some(Arg::Item(IT.into(), Arc::new(item)))];
        let apply = Apply { row, name: at, input: input.clone(), args };
        Term { start: at.0, end: at.1, op: Op::Apply(Box::new(apply)) }
    }

    /// The path `a.b` as an expression over the item.
    fn attribute(&mut self, path: &ast::Expr<'_>) -> Option<Term> {
        let term = self.term(path);
        let (start, end) = (term.start, term.end);
        let text = term.literal().cloned().unwrap_or_default();
        let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !text.split('.').all(word) {
            self.unsupported(
                (start, end),
                "an attribute is a path such as `memory.bytes`",
                "use an expression over `item`",
            );
            return Some(self.faulty((start, end)));
        }
        let mut begin = self.inside(&text, (start, end));
        let mut path = Term { start: begin.unwrap_or(start), end, op: Op::Name(IT.into()) };
        for name in text.split('.') {
            let from = path.start;
            let end = begin.map_or(end, |b| b + name.len() as u32);
            path = Term { start: from, end, op: Op::Attr(Box::new(path), name.into()) };
            begin = begin.map(|b| b + name.len() as u32 + 1);
        }
        Some(path)
    }
}
