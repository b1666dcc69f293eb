//! Checking at load: a tree and the types of the names it may use to its type, and findings for what cannot work.

use super::anchor::Anchor;
use super::kinds::{self, addable, comparable, ordered};
use super::members::members;
use super::table::{Typing, elements};
use super::tree::{Apply, Arg, Binary, Op, Term};
use crate::diag::{Diag, Findings, codes, similar_name};
use crate::shape::{Field, Struct, Type};
use crate::source::Span;
use crate::value::{Str, Unit, Value};

use super::env::Env;
pub use super::kinds::describe;

/// One check.
pub struct Checker<'f, 'e> {
    anchor: Anchor,
    env: &'e Env<'e>,
    findings: &'f mut Findings,
    items: Vec<(Str, Type)>,
}

impl<'f, 'e> Checker<'f, 'e> {
    pub(crate) fn new(anchor: Anchor, env: &'e Env<'e>, findings: &'f mut Findings) -> Self {
        Self { anchor, env, findings, items: Vec::new() }
    }

    fn span(&self, term: &Term) -> Span {
        self.anchor.span(term.start, term.end)
    }

    pub(super) fn wrong_operand(&mut self, at: (u32, u32), message: String, help: Option<String>) {
        let mut diag = Diag::new(codes::EXPR_OPERAND, message).at(self.anchor.span(at.0, at.1), "");
        diag.help = help;
        self.findings.push(diag);
    }

    /// The type of an expression over an item of this type.
    pub(super) fn item(&mut self, name: &Str, term: &Term, element: &Type) -> Type {
        self.items.push((name.clone(), element.clone()));
        let ty = self.type_of(term);
        self.items.pop();
        ty
    }

    /// Checks a condition over an item of this type.
    pub(super) fn item_condition(&mut self, name: &Str, term: &Term, element: &Type) {
        self.items.push((name.clone(), element.clone()));
        self.condition(term);
        self.items.pop();
    }

    /// Checks an expression that must be true or false.
    pub(crate) fn condition(&mut self, term: &Term) {
        let ty = self.type_of(term);
        if super::table::any_form(&ty, &|t| *t == Type::Bool) {
            return;
        }
        let message = format!("a condition is true or false, and this is {}", describe(&ty));
        let help = match ty {
            Type::List(_) | Type::Table(_) | Type::Keyed { .. } => "compare it, or test `is empty`",
            Type::Struct(_) => "test `is answered` or `is absent`",
            _ => "compare it with something",
        };
        self.findings.push(Diag::new(codes::EXPR_CONDITION, message).at(self.span(term), "").help(help));
    }

    /// The type of a node.
    pub(crate) fn type_of(&mut self, term: &Term) -> Type {
        match &term.op {
            Op::Const(value) => kinds::type_of(value),
            Op::Name(name) => self.name(term, name),
            Op::Attr(base, name) => {
                let base_type = self.type_of(base);
                self.attribute(term, base, &base_type, name)
            }
            Op::Index(base, index) => self.index(term, base, index),
            Op::Slice(base, from, to) => {
                for bound in [from, to].into_iter().flatten() {
                    let ty = self.type_of(bound);
                    self.expect(bound, &ty, "a slice begins and ends at a whole number", |t| *t == Type::Int);
                }
                let ty = self.type_of(base);
                self.expect(base, &ty, "only lists and strings have slices", |t| {
                    matches!(t, Type::List(_) | Type::Text)
                });
                ty
            }
            Op::Not(inner) => {
                self.condition(inner);
                Type::Bool
            }
            Op::Negate(inner) => {
                let ty = self.type_of(inner);
                self.expect(inner, &ty, "`-` takes a whole number", |t| *t == Type::Int);
                Type::Int
            }
            Op::And(left, right) | Op::Or(left, right) => {
                self.condition(left);
                self.condition(right);
                Type::Bool
            }
            Op::Binary(op, left, right) => self.binary(term, *op, left, right),
            Op::Chain(first, rest) => {
                let mut left = first.as_ref();
                for (op, right) in rest {
                    self.binary(term, *op, left, right);
                    left = right;
                }
                Type::Bool
            }
            Op::If(branches) => {
                self.condition(&branches.test);
                let yes = self.type_of(&branches.yes);
                let no = self.type_of(&branches.no);
                join(yes, no)
            }
            Op::List(items) => {
                let types: Vec<Type> = items.iter().map(|t| self.type_of(t)).collect();
                Type::List(types.into_iter().reduce(join).unwrap_or(Type::Any).into())
            }
            Op::Map(entries) => {
                let field = |ty| Field { ty, default: None, doc: Str::default() };
                let fields = entries.iter().map(|(key, t)| (key.clone(), field(self.type_of(t)))).collect();
                Type::Struct(Struct { name: Str::default(), fields, open: false, ..Struct::default() }.into())
            }
            Op::Apply(apply) => self.apply(term, apply),
            Op::Faulty => Type::Any,
        }
    }

    fn name(&mut self, term: &Term, name: &Str) -> Type {
        if let Some((_, ty)) = self.items.iter().rev().find(|(n, _)| n == name) {
            return ty.clone();
        }
        if let Some(ty) = self.env.get(name) {
            return ty.clone();
        }
        let mut known = self.env.all();
        known.extend(self.items.iter().map(|(n, _)| &**n));
        let diag = Diag::new(codes::EXPR_UNKNOWN_NAME, format!("there is no `{name}` here")).at(self.span(term), "");
        let diag = match similar_name(name, known.iter().copied()) {
            Some(near) => {
                diag.help(format!("a name that is known here is `{near}`")).replace(self.span(term), near, false)
            }
            None => diag.help(format!("known here: {}", listing(known))),
        };
        self.findings.push(diag);
        Type::Any
    }

    fn attribute(&mut self, term: &Term, base: &Term, ty: &Type, name: &str) -> Type {
        match self.field(ty, name) {
            Some(found) => found,
            None => {
                let mut known: Vec<Str> = self.keys(ty);
                known.sort();
                let what = describe(ty);
                let message = match base.is_path() {
                    true => format!("{what} has no `{name}`"),
                    false => format!("this has no `{name}`: it is {what}"),
                };
                let at = self.anchor.span(term.end.saturating_sub(name.len() as u32).max(term.start), term.end);
                let diag = Diag::new(codes::EXPR_UNKNOWN_ATTRIBUTE, message).at(at, "");
                let diag = match similar_name(name, known.iter().map(|k| &**k)) {
                    Some(near) => diag.help(format!("it has `{near}`")).replace(at, near, false),
                    None if known.is_empty() => diag,
                    None => diag.help(format!("it has: {}", listing(known.iter().map(|k| &**k).collect()))),
                };
                self.findings.push(diag);
                Type::Any
            }
        }
    }

    /// The type of an attribute, through bound names and all forms of the type.
    fn field(&self, ty: &Type, name: &str) -> Option<Type> {
        match ty {
            Type::Ref(table) => {
                let entry = self.env.entry(table);
                if name == "name" && !matches!(&entry, Type::Struct(s) if s.fields.contains_key(name)) {
                    return Some(Type::Text);
                }
                entry.field(name)
            }
            Type::OneOf(forms) => forms.iter().filter_map(|t| self.field(t, name)).reduce(join),
            Type::Any | Type::Table(_) | Type::Keyed { .. } | Type::Struct(_) => ty.field(name),
            _ => members(ty).iter().find(|(n, _)| *n == name).map(|(_, t)| t.clone()),
        }
    }

    fn keys(&self, ty: &Type) -> Vec<Str> {
        match ty {
            Type::Ref(table) => self.env.entry(table).keys(),
            Type::OneOf(forms) => forms.iter().flat_map(|t| self.keys(t)).collect(),
            Type::Struct(_) => ty.keys(),
            _ => members(ty).iter().map(|(n, _)| Str::from(*n)).collect(),
        }
    }

    fn index(&mut self, term: &Term, base: &Term, index: &Term) -> Type {
        let ty = self.type_of(base);
        let by = self.type_of(index);
        if let Some(name) = index.literal() {
            let name = name.clone();
            if let Some(found) = self.field(&ty, &name) {
                return found;
            }
            return self.attribute(index, base, &ty, &name);
        }
        if let Some(item) = elements(&ty).filter(|_| super::table::any_form(&by, &|t| *t == Type::Int)) {
            return item;
        }
        match &ty {
            Type::Table(entry) | Type::Keyed { of: entry, .. } => (**entry).clone(),
            Type::Struct(_) | Type::Any | Type::OneOf(_) | Type::Ref(_) => Type::Any,
            _ => {
                let message = format!("{} has no item by {}", describe(&ty), describe(&by));
                self.wrong_operand((term.start, term.end), message, None);
                Type::Any
            }
        }
    }

    fn expect(&mut self, term: &Term, ty: &Type, rule: &str, accepts: impl Fn(&Type) -> bool) {
        if !super::table::any_form(ty, &accepts) {
            let message = format!("{rule}, and this is {}", describe(ty));
            self.wrong_operand((term.start, term.end), message, None);
        }
    }

    fn binary(&mut self, term: &Term, op: Binary, left: &Term, right: &Term) -> Type {
        let (a, b) = (self.type_of(left), self.type_of(right));
        match op {
            Binary::Eq | Binary::Ne => {
                let none = |t: &Term| t.literal().is_some_and(|s| &**s == "none");
                if !none(left) && !none(right) && !comparable(&a, &b) {
                    self.unlike(term, (left, &a), (right, &b));
                }
                Type::Bool
            }
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => {
                if !ordered(&a, &b) {
                    self.unlike(term, (left, &a), (right, &b));
                }
                Type::Bool
            }
            Binary::In => {
                if !kinds::containable(&a, &b) {
                    let message = kinds::cannot_contain(&a, &b);
                    self.wrong_operand((term.start, term.end), message, None);
                }
                Type::Bool
            }
            Binary::Concat => {
                for (side, ty) in [(left, &a), (right, &b)] {
                    self.expect(side, ty, "`~` joins single values", kinds::scalar);
                }
                Type::Text
            }
            _ => match addable(op, &a, &b) {
                Some(ty) => ty,
                None => {
                    let message = format!("`{}` does not take {} and {}", op.sign(), describe(&a), describe(&b));
                    let help = match (op, &a) {
                        (Binary::Add, Type::Text) => "`~` joins strings",
                        _ => "arithmetic takes whole numbers, or quantities of one unit",
                    };
                    let diag = Diag::new(codes::EXPR_ARITHMETIC, message).at(self.span(term), "").help(help);
                    self.findings.push(diag);
                    Type::Any
                }
            },
        }
    }

    /// Reports a comparison of unlike types, with the literal that was probably meant.
    fn unlike(&mut self, term: &Term, left: (&Term, &Type), right: (&Term, &Type)) {
        let both = |t: &Type| super::table::any_form(t, &|t| *t == Type::Text) && *t != Type::Any;
        if both(left.1) && both(right.1) {
            let diag = Diag::new(codes::EXPR_UNLIKE, "strings have no order").at(self.span(term), "");
            self.findings.push(diag.help("write versions as `ver('1.28')` and quantities as `qty('16 GB')`"));
            return;
        }
        let message = format!("{} cannot be compared with {}", describe(left.1), describe(right.1));
        let diag = Diag::new(codes::EXPR_UNLIKE, message)
            .at(self.span(left.0), describe(left.1))
            .and(self.span(right.0), describe(right.1));
        let meant = typed_literal(left.1, right.0)
            .map(|t| (right.0, t))
            .or_else(|| typed_literal(right.1, left.0).map(|t| (left.0, t)));
        self.findings.push(match meant {
            Some((at, text)) => diag.help(format!("write `{text}`")).replace(self.span(at), text, false),
            None => diag,
        });
    }

    fn apply(&mut self, term: &Term, apply: &Apply) -> Type {
        let input = apply.input.as_ref().map_or(Type::Any, |t| self.type_of(t));
        let mut args = Vec::with_capacity(apply.args.len());
        for arg in &apply.args {
            args.push(match arg {
                Some(Arg::Value(t)) => Some(self.type_of(t)),
                _ => None,
            });
        }
        if apply.row.name == "blank"
            && let Some(Some(Arg::Value(name))) = apply.args.first()
        {
            self.blank(name);
        }
        let mut typing = Typing { checker: self, term, apply, input, args };
        (apply.row.ty)(&mut typing)
    }

    fn blank(&mut self, term: &Term) {
        if let (Some(blanks), Some(name)) = (self.env.blanks, term.literal())
            && !blanks.contains(name)
        {
            let diag = Diag::new(codes::EXPR_UNKNOWN_NAME, format!("there is no blank `{name}`"));
            let diag = diag.at(self.span(term), "");
            self.findings.push(match similar_name(name, blanks.iter().map(|b| &**b)) {
                Some(near) => diag.help(format!("a blank with a similar name is `{near}`")),
                None => diag.help("declare it under `[blanks]`"),
            });
        }
    }
}

/// One of both types.
pub(crate) fn join(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Any, _) | (_, Type::Any) => Type::Any,
        (Type::List(a), Type::List(b)) => Type::List(join((*a).clone(), (*b).clone()).into()),
        (Type::OneOf(forms), b) if forms.contains(&b) => Type::OneOf(forms),
        (a, b) => Type::OneOf(vec![a, b].into()),
    }
}

/// The literal of type `ty` that a plain literal beside it was probably meant to be.
fn typed_literal(ty: &Type, term: &Term) -> Option<String> {
    let text = match &term.op {
        Op::Const(Value::Str(s)) => s.to_string(),
        Op::Const(Value::Int(n)) => n.to_string(),
        _ => return None,
    };
    let number = matches!(term.op, Op::Const(Value::Int(_)));
    Some(match ty {
        Type::Version => format!("ver('{text}')"),
        Type::Quantity(Unit::Millicores) => format!("cpu('{text}')"),
        Type::Quantity(Unit::Bytes) if number => format!("qty('{text} GB')"),
        Type::Quantity(Unit::BitsPerSecond) if number => format!("qty('{text} Gb/s')"),
        Type::Quantity(Unit::Milliseconds) if number => format!("qty('{text} ms')"),
        Type::Quantity(_) => format!("qty('{text}')"),
        Type::Address => format!("addr('{text}')"),
        Type::Cidr => format!("cidr('{text}')"),
        Type::Ports { .. } => format!("ports('{text}')"),
        Type::OneOf(forms) => return forms.iter().find_map(|t| typed_literal(t, term)),
        _ => return None,
    })
}

fn listing(mut names: Vec<&str>) -> String {
    names.retain(|n| !n.starts_with('('));
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(12);
    names.truncate(12);
    let shown: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
