//! Reading: the text of an expression to our own tree, by way of minijinja's parser.
//!
//! This file and `emit/read.rs` are the only ones that know minijinja, and only its parser: the meaning of an
//! expression is ours.

use std::sync::Arc;

use minijinja::machinery::{self, Token, ast};
use minijinja::syntax::SyntaxConfig;

use super::anchor::Anchor;
use super::functions::{self, FUNCTIONS};
use super::table::{Kind, Row};
use super::text::Part;
use super::tree::{Apply, Arg, Binary, Branches, Op, Term};
use super::{filters, predicates};
use crate::diag::codes::{self, Code};
use crate::diag::{Diag, Findings, similar_name};
use crate::value::{Str, Value};

/// Most tokens that one expression may have; a longer one is no longer read by people either.
const TOKENS: usize = 1200;
/// Deepest nesting of one expression.
const DEPTH: usize = 100;
/// The name by which expressions made from `attribute=` know the item; no text can spell it.
pub(crate) const IT: &str = "(item)";

/// Reads one expression. What is wrong is reported; the tree is then `None`.
pub(crate) fn read(text: &str, anchor: &Anchor, findings: &mut Findings) -> Option<Term> {
    let mut reader = Reader::new(text, anchor, findings);
    let term = reader.expression(text, 0)?;
    (!reader.failed).then_some(term)
}

/// Reads a string in which only `{{ }}` means anything.
pub(super) fn read_text(text: &str, anchor: &Anchor, findings: &mut Findings) -> Option<Vec<Part>> {
    let mut reader = Reader::new(text, anchor, findings);
    // Tags and comments have delimiters that no text holds.
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("{{", "}}")
        .block_delimiters("\u{1}{%", "%}\u{1}")
        .comment_delimiters("\u{1}{#", "#}\u{1}")
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are distinct and not empty");
    if !reader.small_enough(text, false, &syntax) {
        return None;
    }
    let mut parts = Vec::new();
    match machinery::parse(text, "", syntax) {
        Ok(ast::Stmt::Template(template)) => {
            for child in &template.children {
                match child {
                    ast::Stmt::EmitRaw(raw) => parts.push(Part::Literal(raw.raw.into())),
                    ast::Stmt::EmitExpr(emit) => parts.push(Part::Value(reader.term(&emit.expr))),
                    _ => {}
                }
            }
        }
        Ok(_) => {}
        Err(error) => {
            let help = "text that has `{{` of its own is written `{{ '{{' }}`";
            reader.syntax_error(text, &error, codes::EXPR_SYNTAX, Some(help));
        }
    }
    (!reader.failed).then_some(parts)
}

/// Converts minijinja's tree to ours.
pub(crate) struct Reader<'r> {
    /// The text in which the nodes' offsets count.
    text: &'r str,
    anchor: &'r Anchor,
    findings: &'r mut Findings,
    place: Placing,
    depth: usize,
    /// Whether anything was reported.
    pub(crate) failed: bool,
}

/// How offsets of the text being parsed become offsets of the outer text.
#[derive(Clone, Copy)]
enum Placing {
    Shifted(u32),
    /// The text has another form in the outer text: everything stands at the whole of it.
    Whole(u32, u32),
}

impl<'r> Reader<'r> {
    pub(crate) fn new(text: &'r str, anchor: &'r Anchor, findings: &'r mut Findings) -> Self {
        Self { text, anchor, findings, place: Placing::Shifted(0), depth: 0, failed: false }
    }

    pub(crate) fn report(&mut self, at: (u32, u32), diag: impl FnOnce(crate::source::Span) -> Diag) {
        self.failed = true;
        self.findings.push(diag(self.anchor.span(at.0, at.1)));
    }

    /// Reads a text of its own, which begins at `offset` of the outer text.
    fn expression(&mut self, text: &str, offset: u32) -> Option<Term> {
        let whole = (offset, offset + text.len() as u32);
        let whole = if let Placing::Whole(a, b) = self.place { (a, b) } else { whole };
        if text.trim().is_empty() {
            self.report(whole, |s| Diag::new(codes::EXPR_SYNTAX, "the expression is empty").at(s, ""));
            return None;
        }
        if !self.small_enough(text, true, &SyntaxConfig::default()) {
            return None;
        }
        match machinery::parse_expr(text) {
            Ok(tree) => Some(self.term(&tree)),
            Err(error) => {
                self.syntax_error(text, &error, codes::EXPR_SYNTAX, None);
                None
            }
        }
    }

    /// Whether every expression of a text has few enough tokens to be parsed without deep recursion; reports the first
    /// that has too many.
    pub(crate) fn small_enough(&mut self, text: &str, bare: bool, syntax: &SyntaxConfig) -> bool {
        let mut count = 0;
        for token in machinery::tokenize(text, bare, syntax.clone()) {
            let Ok((token, span)) = token else { return true };
            count = match token {
                Token::VariableStart | Token::BlockStart | Token::TemplateData(_) => 0,
                _ => count + 1,
            };
            if count > TOKENS {
                let at = self.at(clip(text, span.start_offset as usize), clip(text, span.end_offset as usize));
                self.report(at, |s| Diag::new(codes::EXPR_TOO_LARGE, "the expression is too long").at(s, ""));
                return false;
            }
        }
        true
    }

    /// Reports an error of minijinja's parser.
    pub(crate) fn syntax_error(&mut self, text: &str, error: &minijinja::Error, code: Code, help: Option<&str>) {
        let range = error.range().unwrap_or(0..text.len());
        let at = self.at(clip(text, range.start), clip(text, range.end));
        let message = error.detail().unwrap_or("this cannot be parsed").replace('\n', " ");
        self.report(at, |s| {
            let mut diag = Diag::new(code, message).at(s, "");
            diag.help = help.map(Into::into);
            diag
        });
    }

    /// Offsets of the parsed text as offsets of the outer text.
    pub(crate) fn at(&self, start: u32, end: u32) -> (u32, u32) {
        match self.place {
            Placing::Shifted(by) => (start + by, end + by),
            Placing::Whole(start, end) => (start, end),
        }
    }

    fn span(&self, span: machinery::Span) -> (u32, u32) {
        self.at(span.start_offset, span.end_offset)
    }

    fn faulty(&self, at: (u32, u32)) -> Term {
        Term { start: at.0, end: at.1, op: Op::Faulty }
    }

    fn unsupported(&mut self, at: (u32, u32), message: &str, help: &str) -> Term {
        self.report(at, |s| Diag::new(codes::EXPR_UNSUPPORTED, message).at(s, "").help(help));
        self.faulty(at)
    }

    /// Converts one node.
    pub(crate) fn term(&mut self, expr: &ast::Expr<'_>) -> Term {
        self.depth += 1;
        let term = if self.depth > DEPTH {
            let at = self.span(expr.span());
            self.report(at, |s| Diag::new(codes::EXPR_TOO_LARGE, "the expression is nested too deeply").at(s, ""));
            self.faulty(at)
        } else {
            self.node(expr)
        };
        self.depth -= 1;
        term
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Box<Term> {
        Box::new(self.term(expr))
    }

    fn node(&mut self, expr: &ast::Expr<'_>) -> Term {
        let (mut start, end) = self.span(expr.span());
        let op = match expr {
            ast::Expr::Const(c) => match constant(&c.value) {
                Some(value) => Op::Const(value),
                None => {
                    return self.unsupported((start, end), "only whole numbers are allowed", "use `//` to divide");
                }
            },
            ast::Expr::Var(v) => Op::Name(v.id.into()),
            ast::Expr::GetAttr(a) => {
                let base = self.boxed(&a.expr);
                start = base.start;
                Op::Attr(base, a.name.into())
            }
            ast::Expr::GetItem(i) => {
                let base = self.boxed(&i.expr);
                start = base.start;
                Op::Index(base, self.boxed(&i.subscript_expr))
            }
            ast::Expr::Slice(s) => {
                let base = self.boxed(&s.expr);
                start = base.start;
                if s.step.is_some() {
                    return self.unsupported((start, end), "a slice has no step", "write `[from:to]`");
                }
                let from = s.start.as_ref().map(|e| self.boxed(e));
                let to = s.stop.as_ref().map(|e| self.boxed(e));
                Op::Slice(base, from, to)
            }
            ast::Expr::UnaryOp(u) => {
                let inner = self.boxed(&u.expr);
                match u.op {
                    // `a is not b` and `a not in b` come as a negation around the whole.
                    ast::UnaryOpKind::Not => {
                        start = start.min(inner.start);
                        Op::Not(inner)
                    }
                    ast::UnaryOpKind::Neg => Op::Negate(inner),
                }
            }
            ast::Expr::BinOp(b) => return self.operator(b, end),
            ast::Expr::Compare(c) => {
                let first = self.boxed(&c.expr);
                start = first.start;
                let rest = c.ops.iter().map(|op| self.compared(op)).collect();
                Op::Chain(first, rest)
            }
            ast::Expr::IfExpr(i) => {
                let yes = self.term(&i.true_expr);
                start = yes.start;
                let test = self.term(&i.test_expr);
                let Some(no) = &i.false_expr else {
                    let help = "say what it is otherwise: `… if … else …`";
                    return self.unsupported((start, end), "a condition without `else` gives nothing", help);
                };
                let no = self.term(no);
                Op::If(Box::new(Branches { test, yes, no }))
            }
            ast::Expr::List(l) => Op::List(l.items.iter().map(|i| self.term(i)).collect()),
            ast::Expr::Tuple(t) => Op::List(t.items.iter().map(|i| self.term(i)).collect()),
            ast::Expr::Map(m) => {
                let mut entries: Vec<(Str, Term)> = Vec::with_capacity(m.keys.len());
                for (key, value) in m.keys.iter().zip(&m.values) {
                    let key = self.term(key);
                    let value = self.term(value);
                    match key.literal() {
                        Some(name) => entries.push((name.clone(), value)),
                        None => {
                            let at = (key.start, key.end);
                            self.unsupported(at, "a key is a literal string", "write `{'name': value}`");
                        }
                    }
                }
                Op::Map(entries)
            }
            ast::Expr::Filter(f) => {
                let input = f.expr.as_ref().map(|e| self.term(e));
                let name = self.name_of(f.name, (start, end));
                return self.filter(f.name, name, input, &f.args, end);
            }
            ast::Expr::Test(t) => {
                let input = self.term(&t.expr);
                let name = self.name_of(t.name, (start, end));
                return self.test(t.name, name, input, &t.args, end);
            }
            ast::Expr::Call(c) => return self.call(c, (start, end)),
        };
        Term { start, end: end.max(start), op }
    }

    /// The place of the name with which a filter or test begins.
    fn name_of(&self, name: &str, at: (u32, u32)) -> (u32, u32) {
        match self.place {
            Placing::Shifted(_) => (at.0, at.0 + name.len() as u32),
            Placing::Whole(..) => at,
        }
    }

    fn operator(&mut self, b: &ast::BinOp<'_>, end: u32) -> Term {
        let left = self.boxed(&b.left);
        let right = self.boxed(&b.right);
        let start = left.start;
        let end = end.max(right.end);
        let op = match b.op {
            ast::BinOpKind::ScAnd => return Term { start, end, op: Op::And(left, right) },
            ast::BinOpKind::ScOr => return Term { start, end, op: Op::Or(left, right) },
            ast::BinOpKind::Div => {
                let help = "`//` divides whole numbers and rounds down";
                return self.unsupported((start, end), "`/` would give a fraction", help);
            }
            ast::BinOpKind::Pow => return self.unsupported((start, end), "`**` is not supported", "multiply instead"),
            ast::BinOpKind::Eq => Binary::Eq,
            ast::BinOpKind::Ne => Binary::Ne,
            ast::BinOpKind::Lt => Binary::Lt,
            ast::BinOpKind::Lte => Binary::Le,
            ast::BinOpKind::Gt => Binary::Gt,
            ast::BinOpKind::Gte => Binary::Ge,
            ast::BinOpKind::Add => Binary::Add,
            ast::BinOpKind::Sub => Binary::Sub,
            ast::BinOpKind::Mul => Binary::Mul,
            ast::BinOpKind::FloorDiv => Binary::FloorDiv,
            ast::BinOpKind::Rem => Binary::Rem,
            ast::BinOpKind::Concat => Binary::Concat,
            ast::BinOpKind::In => Binary::In,
        };
        Term { start, end, op: Op::Binary(op, left, right) }
    }

    fn compared(&mut self, op: &ast::CompareOp<'_>) -> (Binary, Term) {
        let term = self.term(&op.expr);
        let sign = match op.op {
            ast::CompareOpKind::Eq => Binary::Eq,
            ast::CompareOpKind::Ne => Binary::Ne,
            ast::CompareOpKind::Lt => Binary::Lt,
            ast::CompareOpKind::Lte => Binary::Le,
            ast::CompareOpKind::Gt => Binary::Gt,
            ast::CompareOpKind::Gte => Binary::Ge,
            ast::CompareOpKind::In | ast::CompareOpKind::NotIn => {
                let at = (term.start, term.end);
                self.unsupported(at, "`in` cannot stand in a chain of comparisons", "join the parts with `and`");
                Binary::In
            }
        };
        (sign, term)
    }

    fn filter(
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

    fn test(&mut self, word: &str, name: (u32, u32), input: Term, args: &[ast::CallArg<'_>], end: u32) -> Term {
        let start = input.start;
        match predicates::find(word) {
            Some(row) => self.apply(row, name, Some(input), args, (start, end.max(name.1))),
            None => {
                self.unknown_row("test", word, name, predicates::TESTS.iter().map(|r| r.name));
                self.faulty((start, end))
            }
        }
    }

    fn call(&mut self, call: &ast::Call<'_>, at: (u32, u32)) -> Term {
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

    /// Reads a string literal as an expression.
    fn nested(&mut self, text: &str, at: (u32, u32)) -> Term {
        let outer = self.place;
        let literal = self.text.get(at.0 as usize..at.1 as usize).unwrap_or_default();
        let exact = literal.get(1..).is_some_and(|rest| rest.starts_with(text) && rest.len() == text.len() + 1);
        self.place = if exact { Placing::Shifted(at.0 + 1) } else { Placing::Whole(at.0, at.1) };
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
        let item = Term { start, end, op: Op::Name(IT.into()) };
        Some(text.split('.').fold(item, |base, name| Term { start, end, op: Op::Attr(Box::new(base), name.into()) }))
    }
}

/// How a row is called, for messages and documents: `replace(from, to)`.
pub fn signature(row: &Row) -> String {
    let params: Vec<String> = row
        .params
        .iter()
        .map(|p| {
            let name = match p.kind {
                Kind::Value => p.name.to_owned(),
                Kind::Item | Kind::Word => format!("'{}'", p.name),
            };
            if p.required { name } else { format!("[{name}]") }
        })
        .collect();
    if params.is_empty() { row.name.to_owned() } else { format!("{}({})", row.name, params.join(", ")) }
}

/// An offset moved onto a character boundary within the text.
pub(crate) fn clip(text: &str, offset: usize) -> u32 {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset as u32
}

fn constant(value: &minijinja::Value) -> Option<Value> {
    use minijinja::value::ValueKind;
    Some(match value.kind() {
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::String => Value::str(value.as_str()?),
        // "there is none", as the spec writes it.
        ValueKind::None => Value::str("none"),
        ValueKind::Number if value.is_integer() => Value::Int(value.as_i64()?),
        _ => return None,
    })
}
