//! The form of a row of the tables of filters, tests and functions: how it is called, checked and run.

use std::sync::Arc;

use super::check::Checker;
use super::eval::{EvalError, Evaluator};
use super::tree::{Apply, Arg, Term};
use crate::shape::Type;
use crate::value::{Origins, Tracked, Value};

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any expression, evaluated before the row runs; unknown makes the result unknown.
    Value,
    /// A literal string that is an expression over `item`, read and checked when the pack is loaded.
    Item,
    /// A literal string.
    Word,
}

/// A parameter of a row.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// A parameter that takes any expression.
pub const fn value(name: &'static str) -> Param {
    Param { name, kind: Kind::Value, required: true }
}

/// A parameter that takes an expression over `item`.
pub const fn item(name: &'static str) -> Param {
    Param { name, kind: Kind::Item, required: true }
}

/// A parameter that takes a literal string.
pub const fn word(name: &'static str) -> Param {
    Param { name, kind: Kind::Word, required: true }
}

/// The same parameter, which may be left out.
pub const fn optional(param: Param) -> Param {
    Param { required: false, ..param }
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

/// What a row does with an unanswered input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The result is unknown, the row does not run.
    Passes,
    /// The row runs and sees it; reading it does not count as a question.
    Seen,
}

/// One filter, test or function.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub params: &'static [Param],
    pub unknown: Unknown,
    /// What it takes and gives, in one sentence.
    pub doc: &'static str,
    /// The result's type; reports what is wrong with input and arguments.
    pub ty: fn(&mut Typing<'_, '_, '_>) -> Type,
    pub run: fn(&mut Call<'_, '_>) -> Result<Value, EvalError>,
}

/// A use of a row while its types are checked.
pub struct Typing<'c, 'f, 'e> {
    pub(super) checker: &'c mut Checker<'f, 'e>,
    pub(super) term: &'c Term,
    pub(super) apply: &'c Apply,
    /// The input's type; [`Type::Any`] for functions.
    pub input: Type,
    /// The types of the arguments given; `None` for an absent one and for expressions over `item`.
    pub args: Vec<Option<Type>>,
}

impl Typing<'_, '_, '_> {
    /// The type of the items of the input; reports an input that is no list.
    pub fn element(&mut self) -> Type {
        match elements(&self.input) {
            Some(ty) => ty,
            None => self.refuse("a list"),
        }
    }

    /// The type of an expression over `item`, given the item's type.
    pub fn item(&mut self, index: usize, element: &Type) -> Type {
        match self.apply.args.get(index) {
            Some(Some(Arg::Item(name, term))) => self.checker.item(name, term, element),
            _ => Type::Any,
        }
    }

    /// As [`Typing::item`], for an expression that must be a condition.
    pub fn condition(&mut self, index: usize, element: &Type) {
        if let Some(Some(Arg::Item(name, term))) = self.apply.args.get(index) {
            self.checker.item_condition(name, term, element);
        }
    }

    /// Whether an expression over `item` was given at this parameter.
    pub fn has_item(&self, index: usize) -> bool {
        matches!(self.apply.args.get(index), Some(Some(Arg::Item(..))))
    }

    /// Reports something at the whole of the use.
    pub fn report(&mut self, message: String) {
        self.checker.wrong_operand((self.term.start, self.term.end), message, None);
    }

    /// The literal text of an argument.
    pub fn literal(&self, index: usize) -> Option<&str> {
        match self.apply.args.get(index) {
            Some(Some(Arg::Value(term))) => term.literal().map(|s| &**s),
            _ => None,
        }
    }

    /// Whether the input can be of a type that `accepts` takes; otherwise reports what was expected.
    pub fn expect(&mut self, expected: &str, accepts: impl Fn(&Type) -> bool) {
        if !any_form(&self.input, &accepts) {
            self.refuse(expected);
        }
    }

    /// As [`Typing::expect`], for an argument.
    pub fn expect_arg(&mut self, index: usize, expected: &str, accepts: impl Fn(&Type) -> bool) {
        if let Some(Some(ty)) = self.args.get(index)
            && !any_form(ty, &accepts)
            && let Some(Some(Arg::Value(term))) = self.apply.args.get(index)
        {
            let found = super::check::describe(ty);
            let message = format!("`{}` takes {expected} here, not {found}", self.apply.row.name);
            self.checker.wrong_operand((term.start, term.end), message, None);
        }
    }

    /// Reports that the input is not what the row takes.
    pub fn refuse(&mut self, expected: &str) -> Type {
        let found = super::check::describe(&self.input);
        let message = format!("`{}` takes {expected}, not {found}", self.apply.row.name);
        let at = self.apply.input.as_ref().unwrap_or(self.term);
        self.checker.wrong_operand((at.start, at.end), message, None);
        Type::Any
    }
}

/// The type of what is in a list of this type; `None` when it can be no list.
pub fn elements(ty: &Type) -> Option<Type> {
    match ty {
        Type::Any => Some(Type::Any),
        Type::List(item) => Some((**item).clone()),
        Type::OneOf(forms) => forms.iter().find_map(elements),
        _ => None,
    }
}

/// Whether the type, or one of its forms, is accepted; [`Type::Any`] always is.
pub fn any_form(ty: &Type, accepts: &impl Fn(&Type) -> bool) -> bool {
    match ty {
        Type::Any => true,
        Type::OneOf(forms) => forms.iter().any(|t| any_form(t, accepts)),
        ty => accepts(ty),
    }
}

/// A use of a row while it runs.
pub struct Call<'c, 'e> {
    pub(super) evaluator: &'c mut Evaluator<'e>,
    pub(super) term: &'c Term,
    pub(super) apply: &'c Apply,
    pub input: Value,
    /// The arguments given; `None` for an absent one and for expressions over `item`.
    pub args: Vec<Option<Value>>,
}

impl Call<'_, '_> {
    pub fn fault(&self, message: impl Into<String>) -> EvalError {
        self.evaluator.error(self.term, message)
    }

    /// The error of an input that the row does not take.
    pub fn refuse(&self, expected: &str) -> EvalError {
        self.fault(format!("`{}` takes {expected}, not {}", self.apply.row.name, self.input.kind()))
    }

    /// The input as a list.
    pub fn list(&self) -> Result<Arc<Vec<Tracked>>, EvalError> {
        match &self.input {
            Value::List(items) => Ok(items.clone()),
            _ => Err(self.refuse("a list")),
        }
    }

    /// The text of an argument.
    pub fn text(&self, index: usize) -> Result<crate::value::Str, EvalError> {
        let value = self.args.get(index).and_then(Option::as_ref);
        value.and_then(Value::text).ok_or_else(|| self.fault(format!("`{}` takes a string here", self.apply.row.name)))
    }

    /// A whole number given as an argument.
    pub fn int(&self, index: usize) -> Result<i64, EvalError> {
        match self.args.get(index) {
            Some(Some(Value::Int(n))) => Ok(*n),
            _ => Err(self.fault(format!("`{}` takes a whole number here", self.apply.row.name))),
        }
    }

    /// Evaluates an expression over `item`; the result of the row depends on what it read.
    pub fn each(&mut self, index: usize, item: &Tracked) -> Result<Value, EvalError> {
        match self.apply.args.get(index) {
            Some(Some(Arg::Item(name, term))) => self.evaluator.with_item(name, item, term),
            _ => Ok(self.take(item)),
        }
    }

    /// Evaluates an expression over `item` to a value that alone depends on what it read.
    pub fn tracked(&mut self, index: usize, item: &Tracked) -> Result<Tracked, EvalError> {
        match self.apply.args.get(index) {
            Some(Some(Arg::Item(name, term))) => self.evaluator.tracked_item(name, item, term),
            _ => Ok(item.clone()),
        }
    }

    /// Evaluates a condition over `item`: `None` when it is unknown or faulty.
    pub fn holds(&mut self, index: usize, item: &Tracked) -> Result<Option<bool>, EvalError> {
        match self.each(index, item)? {
            Value::Bool(b) => Ok(Some(b)),
            Value::Null | Value::Poison => Ok(None),
            other => Err(self.fault(format!("the condition in `{}` is {}", self.apply.row.name, other.kind()))),
        }
    }

    /// Whether an expression over `item` was given at this parameter.
    pub fn has_item(&self, index: usize) -> bool {
        matches!(self.apply.args.get(index), Some(Some(Arg::Item(..))))
    }

    /// Reads an item of the input: the result of the row depends on it.
    pub fn take(&mut self, item: &Tracked) -> Value {
        self.evaluator.take(item, self.term)
    }

    /// The result depends on these places.
    pub fn depend(&mut self, origins: &Origins) {
        self.evaluator.push(origins);
    }

    /// Counts one item against the limit of an evaluation.
    pub fn burn(&mut self) -> Result<(), EvalError> {
        self.evaluator.burn(self.term)
    }

    /// How many answers have been found missing so far.
    pub fn open_answers(&self) -> usize {
        self.evaluator.reads.unanswered.len()
    }

    /// Forgets the answers found missing since, because the result does not depend on them.
    pub fn forget_answers(&mut self, since: usize) {
        self.evaluator.reads.unanswered.truncate(since);
    }

    /// Reads an item; there is none in an empty list, which is an unanswered value and noted as such.
    pub fn take_or_nothing(&mut self, item: Option<&Tracked>) -> Value {
        if let Some(item) = item {
            return self.take(item);
        }
        let input = self.apply.input.as_ref().unwrap_or(self.term);
        self.evaluator.open(input, &Origins::None);
        Value::Null
    }

    /// Unknown, or faulty when something faulty was read.
    pub fn unknown(&self) -> Value {
        if self.evaluator.poisoned { Value::Poison } else { Value::Null }
    }
}
