//! Reading a value by its path: names, attributes, items; where each comes from, and what is missing.

use super::eval::{EvalError, Evaluator, Item};
use super::members;
use super::scope::{Scope, Unanswered};
use super::tree::{Op, Term};
use crate::diag::similar_name;
use crate::value::{Origins, Str, Tracked, Value};

/// What a path comes to, as it lies in the site or made for the asking.
enum Found<'v> {
    There(&'v Tracked),
    Made(Tracked),
}

impl std::ops::Deref for Found<'_> {
    type Target = Tracked;

    fn deref(&self) -> &Tracked {
        match self {
            Found::There(found) => found,
            Found::Made(found) => found,
        }
    }
}

/// The value of a path of names and attributes each of which is there and known, with the origins of all of them on the
/// stack, if there is one; `None` for any other. Nearly all paths are such, and nothing on the way is copied.
fn known<'v>(
    term: &Term,
    item: Option<&'v Item<'v>>,
    scope: &'v Scope<'_>,
    stack: &mut Option<&mut Vec<Origins>>,
) -> Option<Found<'v>> {
    let found = match &term.op {
        Op::Name(name) => Found::There(Item::get(item, name).or_else(|| scope.get(name))?),
        Op::Attr(base, name) => match known(base, item, scope, stack)? {
            Found::There(base) => attribute_of(base, name, scope, stack)?,
            Found::Made(base) => match &base.value {
                Value::Map(map) => Found::Made(map.get(name)?.clone()),
                Value::Record(record) => Found::Made(record.field(name)?),
                Value::Ref(_) => Found::Made(attribute_of(&base, name, scope, stack)?.clone()),
                _ => return None,
            },
        },
        _ => return None,
    };
    if matches!(found.value, Value::Null | Value::Poison) {
        return None;
    }
    if let Some(stack) = stack {
        stack.push(found.origins.clone());
    }
    Some(found)
}

fn attribute_of<'v>(
    base: &'v Tracked,
    name: &Str,
    scope: &'v Scope<'_>,
    stack: &mut Option<&mut Vec<Origins>>,
) -> Option<Found<'v>> {
    match &base.value {
        Value::Map(map) => Some(Found::There(map.get(name)?)),
        Value::Record(record) => Some(Found::Made(record.field(name)?)),
        Value::Ref(target) => {
            let entry = scope.entry(target)?;
            let Value::Map(map) = &entry.value else { return None };
            let found = map.get(name)?;
            if let Some(stack) = stack {
                stack.push(entry.origins.clone());
            }
            Some(Found::There(found))
        }
        _ => None,
    }
}

impl Evaluator<'_> {
    /// The value of a path, if that can be had without a copy on the way.
    pub(super) fn known(&mut self, term: &Term) -> Option<Value> {
        let mark = self.reads.stack.len();
        let mut stack = Some(&mut self.reads.stack).filter(|_| !self.reads.placeless);
        let found = match known(term, self.item, self.scope, &mut stack) {
            Some(Found::There(found)) => Some(found.value.clone()),
            Some(Found::Made(found)) => Some(found.value),
            None => None,
        };
        if found.is_none() {
            self.reads.stack.truncate(mark);
        }
        found
    }

    /// A name, an attribute or an item, with the origins of the value itself.
    pub(super) fn path(&mut self, term: &Term) -> Result<Tracked, EvalError> {
        match &term.op {
            Op::Name(name) => {
                let Some(found) = Item::get(self.item, name).or_else(|| self.scope.get(name)) else {
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
                let origins = Origins::all(&self.reads.stack[mark..]);
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
        self.reads.unanswered.push(Unanswered { path, pointer, origins: origins.clone(), ..Unanswered::default() });
    }

    /// The JSON Pointer of a path that begins at `site` or goes through a bound name.
    pub(super) fn pointer(&mut self, term: &Term) -> Option<String> {
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
                let name = match index.literal() {
                    Some(name) => name.clone(),
                    None => self.quietly(index)?.value.text()?,
                };
                let base = self.pointer_of_base(base)?;
                step(base, &name)
            }
            _ => None,
        }
    }

    /// The value of a path, as if nobody had read it.
    fn quietly(&mut self, path: &Term) -> Option<Tracked> {
        let (mark, open) = (self.reads.stack.len(), self.reads.unanswered.len());
        let value = self.path(path);
        self.reads.stack.truncate(mark);
        self.reads.unanswered.truncate(open);
        value.ok()
    }

    fn pointer_of_base(&mut self, base: &Term) -> Option<String> {
        match self.quietly(base)?.value {
            Value::Ref(target) => {
                let mut pointer = String::new();
                crate::node::push_step(&mut pointer, &target.table);
                crate::node::push_step(&mut pointer, &target.name);
                Some(pointer)
            }
            _ => self.pointer(base),
        }
    }
}
