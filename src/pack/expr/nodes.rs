//! From a node of minijinja's tree to a node of ours.

use minijinja::machinery::ast;

use super::read::{DEPTH, Placing, Reader};
use super::tree::{Binary, Branches, Op, Term};
use crate::diag::Diag;
use crate::diag::codes;
use crate::value::{Str, Value};

impl Reader<'_> {
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

    pub(super) fn boxed(&mut self, expr: &ast::Expr<'_>) -> Box<Term> {
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
