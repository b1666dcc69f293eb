//! Evaluation: a tree and a scope to a value, with everything that was read and every answer that was missing.

use super::anchor::Anchor;
use super::members;
use super::operators;
use super::scope::{Reads, Scope, Unanswered};
use super::table::{Call, Unknown};
use super::tree::{Apply, Arg, Binary, Op, Term};
use crate::diag::similar_name;
use crate::source::Span;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// An error that shows only with the values at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalError {
    /// The part of the expression that failed.
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
}

/// How many items an evaluation may go through before it counts as running away.
const FUEL: u32 = 20_000_000;

/// One evaluation.
pub struct Evaluator<'e> {
    pub(super) text: &'e str,
    pub(super) anchor: Anchor,
    pub(super) scope: &'e Scope<'e>,
    pub(super) reads: &'e mut Reads,
    /// The items that expressions over `item` are looking at, the innermost last.
    items: Vec<(Str, Tracked)>,
    pub(super) poisoned: bool,
    fuel: u32,
}

impl<'e> Evaluator<'e> {
    pub(super) fn new(text: &'e str, anchor: Anchor, scope: &'e Scope<'e>, reads: &'e mut Reads) -> Self {
        Self { text, anchor, scope, reads, items: Vec::new(), poisoned: false, fuel: FUEL }
    }

    pub(super) fn error(&self, term: &Term, message: impl Into<String>) -> EvalError {
        EvalError { span: self.anchor.span(term.start, term.end), message: message.into(), help: None }
    }

    /// The value of a node together with all that it was read from.
    pub(super) fn tracked(&mut self, term: &Term) -> Result<Tracked, EvalError> {
        let mark = self.reads.stack.len();
        let value = self.value(term);
        let origins = self.pop(mark);
        Ok(Tracked { value: value?, origins })
    }

    /// Takes what was read since `mark` off the stack, as a set.
    fn pop(&mut self, mark: usize) -> Origins {
        let stack = &mut self.reads.stack;
        self.reads.places.extend_from_slice(&stack[mark..]);
        let origins = match &stack[mark..] {
            [] => Origins::None,
            [one] => Origins::from(*one),
            many => Origins::from_places(many.to_vec()),
        };
        stack.truncate(mark);
        origins
    }

    /// The value of a node. What it was read from is on the stack of `reads`.
    pub(super) fn value(&mut self, term: &Term) -> Result<Value, EvalError> {
        match &term.op {
            Op::Const(value) => Ok(value.clone()),
            Op::Name(_) | Op::Attr(..) | Op::Index(..) => Ok(self.path(term)?.value),
            Op::Slice(base, from, to) => self.slice(term, base, from.as_deref(), to.as_deref()),
            Op::Not(inner) => Ok(match self.condition(inner)? {
                Ok(b) => Value::Bool(!b),
                Err(unknown) => unknown,
            }),
            Op::Negate(inner) => {
                let value = self.value(inner)?;
                operators::negate(value).map_err(|m| self.error(term, m))
            }
            Op::And(left, right) => self.logic(left, right, false),
            Op::Or(left, right) => self.logic(left, right, true),
            Op::Binary(op, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.binary(term, *op, &left, &right)
            }
            Op::Chain(first, rest) => self.chain(term, first, rest),
            Op::If(branches) => match self.condition(&branches.test)? {
                Ok(true) => self.value(&branches.yes),
                Ok(false) => self.value(&branches.no),
                Err(unknown) => Ok(unknown),
            },
            Op::List(items) => {
                let items: Result<Vec<Tracked>, EvalError> = items.iter().map(|t| self.tracked(t)).collect();
                Ok(Value::list(items?))
            }
            Op::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, term) in entries {
                    map.insert(key.clone(), self.tracked(term)?);
                }
                Ok(Value::map(map))
            }
            Op::Apply(apply) => self.apply(term, apply),
            Op::Faulty => {
                self.poisoned = true;
                Ok(Value::Poison)
            }
        }
    }

    /// A node that must be a condition: its truth, or `Err` with the unknown or faulty value.
    fn condition(&mut self, term: &Term) -> Result<Result<bool, Value>, EvalError> {
        match self.value(term)? {
            Value::Bool(b) => Ok(Ok(b)),
            value @ (Value::Null | Value::Poison) => Ok(Err(value)),
            other => Err(self.error(term, format!("a condition is true or false, and this is {}", other.kind()))),
        }
    }

    /// `and` (`decides` = false) and `or` (`decides` = true): the deciding value wins over unknown.
    fn logic(&mut self, left: &Term, right: &Term, decides: bool) -> Result<Value, EvalError> {
        let open = self.reads.unanswered.len();
        let left = self.condition(left)?;
        if left == Ok(decides) {
            self.reads.unanswered.truncate(open);
            return Ok(Value::Bool(decides));
        }
        let right = self.condition(right)?;
        Ok(match (left, right) {
            (_, Ok(b)) if b == decides => {
                self.reads.unanswered.truncate(open);
                Value::Bool(decides)
            }
            (Ok(_), Ok(b)) => Value::Bool(b),
            (Err(Value::Poison), _) | (_, Err(Value::Poison)) => Value::Poison,
            _ => Value::Null,
        })
    }

    fn binary(&mut self, term: &Term, op: Binary, left: &Value, right: &Value) -> Result<Value, EvalError> {
        match (left, right) {
            (Value::Poison, _) | (_, Value::Poison) => Ok(Value::Poison),
            (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
            _ if op == Binary::In => self.contains(term, left, right),
            _ => operators::binary(op, left, right).map_err(|m| self.error(term, m)),
        }
    }

    fn chain(&mut self, term: &Term, first: &Term, rest: &[(Binary, Term)]) -> Result<Value, EvalError> {
        let mut left = self.value(first)?;
        let mut all = Value::Bool(true);
        for (op, next) in rest {
            let right = self.value(next)?;
            match self.binary(term, *op, &left, &right)? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Ok(Value::Bool(false)),
                other => all = other,
            }
            left = right;
        }
        Ok(all)
    }

    /// `needle in haystack`; in a list an unknown item leaves the answer open unless another item decides it.
    pub(super) fn contains(&mut self, term: &Term, needle: &Value, haystack: &Value) -> Result<Value, EvalError> {
        let Value::List(items) = haystack else {
            if let Value::Map(map) = haystack
                && let Some(key) = needle.text()
                && let Some(entry) = map.get(&key)
            {
                self.push(&entry.origins);
            }
            return operators::contains(needle, haystack).map(Value::Bool).map_err(|m| self.error(term, m));
        };
        let open = self.reads.unanswered.len();
        let mut unknown = None;
        for item in items.iter() {
            self.burn(term)?;
            match self.take(item, term) {
                value @ (Value::Null | Value::Poison) => unknown = Some(value),
                value => {
                    if operators::equal(needle, &value).unwrap_or(false) {
                        self.reads.unanswered.truncate(open);
                        return Ok(Value::Bool(true));
                    }
                }
            }
        }
        Ok(unknown.unwrap_or(Value::Bool(false)))
    }

    fn slice(&mut self, term: &Term, base: &Term, from: Option<&Term>, to: Option<&Term>) -> Result<Value, EvalError> {
        let value = self.value(base)?;
        let mut bound = |term: Option<&Term>| match term {
            None => Ok(Ok(None)),
            Some(term) => match self.value(term)? {
                Value::Int(n) => Ok(Ok(Some(n))),
                value @ (Value::Null | Value::Poison) => Ok(Err(value)),
                other => Err(self.error(term, format!("a slice begins and ends at a number, not at {}", other.kind()))),
            },
        };
        let (from, to) = match (bound(from)?, bound(to)?) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(unknown), _) | (_, Err(unknown)) => return Ok(unknown),
        };
        operators::slice(value, from, to).map_err(|m| self.error(term, m))
    }

    /// A name, an attribute or an item, with the origins of the value itself.
    pub(super) fn path(&mut self, term: &Term) -> Result<Tracked, EvalError> {
        match &term.op {
            Op::Name(name) => {
                let found = self.items.iter().rev().find(|(n, _)| n == name).map(|(_, t)| t);
                let Some(found) = found.or_else(|| self.scope.get(name)) else {
                    let known = self.scope.names();
                    let mut error = self.error(term, format!("there is no `{name}` here"));
                    error.help = similar_name(name, known).map(|n| format!("a name that is known here is `{n}`"));
                    return Err(error);
                };
                let found = found.clone();
                self.arrive(term, found)
            }
            Op::Attr(base, name) => {
                let base_value = self.path(base)?;
                let found = self.attribute(term, base_value, name)?;
                match found {
                    Some(found) => self.arrive(term, found),
                    None => Ok(Tracked::default()),
                }
            }
            Op::Index(base, index) => {
                let base_value = self.path(base)?;
                let index = self.value(index)?;
                match self.index(term, base_value, &index)? {
                    Some(found) => self.arrive(term, found),
                    None => Ok(Tracked::default()),
                }
            }
            _ => {
                let mark = self.reads.stack.len();
                let value = self.value(term)?;
                let origins = Origins::from_places(self.reads.stack[mark..].to_vec());
                Ok(Tracked { value, origins })
            }
        }
    }

    /// Notes that a value was read: where it comes from, and whether it was open or faulty.
    fn arrive(&mut self, term: &Term, found: Tracked) -> Result<Tracked, EvalError> {
        self.push(&found.origins);
        match found.value {
            Value::Null => self.open(term, &found.origins),
            Value::Poison => self.poisoned = true,
            _ => {}
        }
        Ok(found)
    }

    /// An attribute; `None` when the base is itself unknown or faulty, which has been noted.
    fn attribute(&mut self, term: &Term, base: Tracked, name: &Str) -> Result<Option<Tracked>, EvalError> {
        Ok(Some(match &base.value {
            Value::Null => return Ok(None),
            Value::Poison => return Ok(Some(Tracked { value: Value::Poison, origins: Origins::None })),
            Value::Map(map) => match map.get(name) {
                Some(found) => found.clone(),
                None => Tracked { value: Value::Null, origins: base.origins },
            },
            Value::Record(record) => record.field(name).ok_or_else(|| {
                let mut error = self.error(term, format!("this item has no field `{name}`"));
                error.help = similar_name(name, record.fields().iter().copied()).map(|n| format!("it has `{n}`"));
                error
            })?,
            Value::Ref(target) => {
                let Some(entry) = self.scope.entry(target) else {
                    return Ok(Some(Tracked { value: Value::Poison, origins: Origins::None }));
                };
                let entry = entry.clone();
                if &**name == "name" && !matches!(&entry.value, Value::Map(m) if m.contains_key(name)) {
                    return Ok(Some(Tracked { value: Value::Str(target.name.clone()), origins: base.origins }));
                }
                self.push(&entry.origins);
                return self.attribute(term, entry, name);
            }
            Value::Str(text) if &**text == "none" => {
                let mut error = self.error(term, format!("what `{name}` is asked of is `none`"));
                error.help = Some("test `is absent` first".into());
                return Err(error);
            }
            other => match members::member(other, name) {
                Some(value) => Tracked { value, origins: Origins::None },
                None => return Err(self.error(term, format!("{} has no attribute `{name}`", other.kind()))),
            },
        }))
    }

    fn index(&mut self, term: &Term, base: Tracked, index: &Value) -> Result<Option<Tracked>, EvalError> {
        match (&base.value, index) {
            (Value::Null, _) | (_, Value::Null) => Ok(None),
            (Value::Poison, _) | (_, Value::Poison) => {
                Ok(Some(Tracked { value: Value::Poison, origins: Origins::None }))
            }
            (Value::List(items), Value::Int(n)) => {
                let at = if *n < 0 { items.len() as i64 + n } else { *n };
                match usize::try_from(at).ok().and_then(|i| items.get(i)) {
                    Some(found) => Ok(Some(found.clone())),
                    None => Err(self.error(term, format!("the list has {} items and no item {n}", items.len()))),
                }
            }
            (_, Value::Str(name)) => self.attribute(term, base, name),
            (_, Value::Ref(name)) => self.attribute(term, base, &name.name),
            (Value::Map(_), Value::Version(v)) => self.attribute(term, base, &v.source),
            (base, index) => Err(self.error(term, format!("{} has no item by {}", base.kind(), index.kind()))),
        }
    }

    /// Records that an answer is missing.
    pub(super) fn open(&mut self, term: &Term, origins: &Origins) {
        let path = self.text.get(term.start as usize..term.end as usize).unwrap_or_default().trim().to_owned();
        let pointer = self.pointer(term);
        self.reads.unanswered.push(Unanswered { path, pointer, origins: origins.clone() });
    }

    /// The JSON Pointer of a path that begins at a place of the site or goes through a bound name.
    fn pointer(&mut self, term: &Term) -> Option<String> {
        let step = |base: String, step: &str| {
            let mut pointer = base;
            crate::node::push_step(&mut pointer, step);
            Some(pointer)
        };
        match &term.op {
            Op::Name(name) => self.scope.tables.pointer(name),
            Op::Attr(base, name) => {
                let base = self.pointer_of_base(base)?;
                step(base, name)
            }
            Op::Index(base, index) => {
                let name = index.literal()?.clone();
                let base = self.pointer_of_base(base)?;
                step(base, &name)
            }
            _ => None,
        }
    }

    fn pointer_of_base(&mut self, base: &Term) -> Option<String> {
        let (mark, open) = (self.reads.stack.len(), self.reads.unanswered.len());
        let value = self.path(base);
        self.reads.stack.truncate(mark);
        self.reads.unanswered.truncate(open);
        match value.ok()?.value {
            Value::Ref(target) => {
                let mut pointer = String::new();
                crate::node::push_step(&mut pointer, &target.table);
                crate::node::push_step(&mut pointer, &target.name);
                Some(pointer)
            }
            _ => self.pointer(base),
        }
    }

    fn apply(&mut self, term: &Term, apply: &Apply) -> Result<Value, EvalError> {
        let open = self.reads.unanswered.len();
        let input = match &apply.input {
            Some(input) => self.value(input)?,
            None => Value::Bool(true),
        };
        match &input {
            Value::Poison => return Ok(Value::Poison),
            Value::Null if apply.row.unknown == Unknown::Passes => return Ok(Value::Null),
            Value::Null => self.reads.unanswered.truncate(open),
            _ => {}
        }
        let mut args = Vec::with_capacity(apply.args.len());
        let lazy = apply.row.unknown == Unknown::Seen && !input.is_null();
        for arg in &apply.args {
            args.push(match arg {
                Some(Arg::Value(_)) if lazy => None,
                Some(Arg::Value(term)) => match self.value(term)? {
                    value @ (Value::Null | Value::Poison) => return Ok(value),
                    value => Some(value),
                },
                _ => None,
            });
        }
        let mut call = Call { evaluator: self, term, apply, input, args };
        (apply.row.run)(&mut call)
    }

    /// Evaluates an expression over an item; what it read stays on the stack.
    pub(super) fn with_item(&mut self, name: &Str, item: &Tracked, term: &Term) -> Result<Value, EvalError> {
        self.burn(term)?;
        self.items.push((name.clone(), item.clone()));
        let value = self.value(term);
        self.items.pop();
        value
    }

    /// Evaluates an expression over an item to a value of its own.
    pub(super) fn tracked_item(&mut self, name: &Str, item: &Tracked, term: &Term) -> Result<Tracked, EvalError> {
        let mark = self.reads.stack.len();
        let value = self.with_item(name, item, term);
        let origins = self.pop(mark);
        Ok(Tracked { value: value?, origins })
    }

    /// Reads an item of a list.
    pub(super) fn take(&mut self, item: &Tracked, term: &Term) -> Value {
        self.push(&item.origins);
        match &item.value {
            Value::Null => {
                let known = |u: &Unanswered| {
                    !u.origins.as_slice().is_empty()
                        && u.origins.as_slice().iter().all(|p| item.origins.as_slice().contains(p))
                };
                if !self.reads.unanswered.iter().any(known) {
                    let input = term.apply().and_then(|a| a.input.as_ref()).unwrap_or(term);
                    self.open(input, &item.origins);
                }
            }
            Value::Poison => self.poisoned = true,
            _ => {}
        }
        item.value.clone()
    }

    pub(super) fn push(&mut self, origins: &Origins) {
        self.reads.stack.extend_from_slice(origins.as_slice());
    }

    /// Counts one item; too many are an error.
    pub(super) fn burn(&mut self, term: &Term) -> Result<(), EvalError> {
        self.fuel = self.fuel.saturating_sub(1);
        if self.fuel == 0 {
            return Err(self.error(term, format!("the expression goes through more than {FUEL} items")));
        }
        Ok(())
    }
}
