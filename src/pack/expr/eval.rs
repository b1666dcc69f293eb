//! Evaluation: a tree and a scope to a value, with everything that was read and every answer that was missing.

use super::anchor::Anchor;
use super::operators;
use super::scope::{Reads, Scope, Unanswered};
use super::table::{Call, Unknown};
use super::tree::{Apply, Arg, Binary, Op, Term};
use crate::source::Span;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// An error that shows only with the values at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalError {
    /// The part of the expression that failed.
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
    /// The places of the value that it failed at, where that is one.
    pub culprit: Option<Origins>,
}

/// How many items an evaluation may go through before it counts as running away.
const FUEL: u32 = 20_000_000;

/// One evaluation.
pub struct Evaluator<'e> {
    pub(super) text: &'e str,
    pub(super) anchor: Anchor,
    pub(super) scope: &'e Scope<'e>,
    pub(super) reads: &'e mut Reads,
    /// The item that an expression over `item` is looking at.
    pub(super) item: Option<&'e Item<'e>>,
    pub(super) poisoned: bool,
    fuel: u32,
}

/// An item that an expression is looking at.
#[derive(Clone, Copy)]
pub(super) struct Item<'e> {
    name: &'e Str,
    item: &'e Tracked,
    /// That of the expression around it.
    outer: Option<&'e Item<'e>>,
}

impl<'e> Item<'e> {
    /// The item of this name, the innermost first.
    pub fn get(this: Option<&'e Item<'e>>, name: &str) -> Option<&'e Tracked> {
        let mut next = this;
        while let Some(own) = next {
            if **own.name == *name {
                return Some(own.item);
            }
            next = own.outer;
        }
        None
    }
}

impl<'e> Evaluator<'e> {
    pub(super) fn new(text: &'e str, anchor: Anchor, scope: &'e Scope<'e>, reads: &'e mut Reads) -> Self {
        Self { text, anchor, scope, reads, item: None, poisoned: false, fuel: FUEL }
    }

    pub(super) fn error(&self, term: &Term, message: impl Into<String>) -> EvalError {
        EvalError { span: self.anchor.span(term.start, term.end), message: message.into(), help: None, culprit: None }
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
        self.reads.keep_from(mark);
        let origins = Origins::all(&self.reads.stack[mark..]);
        self.reads.stack.truncate(mark);
        origins
    }

    /// The value of a node. What it was read from is on the stack of `reads`.
    pub(super) fn value(&mut self, term: &Term) -> Result<Value, EvalError> {
        match &term.op {
            Op::Const(value) => Ok(value.clone()),
            Op::Name(_) | Op::Attr(..) => match self.known(term) {
                Some(value) => Ok(value),
                None => Ok(self.path(term)?.value),
            },
            Op::Index(..) => Ok(self.path(term)?.value),
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
                let left = self.value(left)?;
                match &right.op {
                    Op::Const(right) => self.binary(term, *op, &left, right),
                    _ => {
                        let right = self.value(right)?;
                        self.binary(term, *op, &left, &right)
                    }
                }
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
            other => {
                let mut error = self.error(term, format!("a condition is true or false, and this is {}", other.kind()));
                error.culprit = self.place(term);
                Err(error)
            }
        }
    }

    /// The places of the value that a path leads to.
    fn place(&mut self, term: &Term) -> Option<Origins> {
        match &term.op {
            Op::Name(_) | Op::Attr(..) | Op::Index(..) => Some(self.path(term).ok()?.origins),
            _ => None,
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
        let item = Item { name, item, outer: self.item };
        let mut within = Evaluator { item: Some(&item), reads: &mut *self.reads, ..*self };
        let value = within.value(term);
        (self.poisoned, self.fuel) = (within.poisoned, within.fuel);
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
        if !self.reads.placeless {
            self.reads.stack.push(origins.clone());
        }
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
