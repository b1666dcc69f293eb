//! Filters that go through a list: choosing, mapping, counting, adding up.

use crate::pack::expr::eval::EvalError;
use crate::pack::expr::kinds;
use crate::pack::expr::operators::{self, quantity};
use crate::pack::expr::table::{self, Call, Row, Typing, Unknown, item, optional, value};
use crate::pack::expr::tree::Binary;
use crate::shape::Type;
use crate::value::{Tracked, Value};

const PASSES: Unknown = Unknown::Passes;

pub const FILTERS: &[Row] = &[
    Row {
        name: "map",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the list of what the expression gives for each `item`: `map('item.memory')`",
        ty: |t| {
            let element = t.element();
            Type::List(t.item(0, &element).into())
        },
        run: |c| {
            let items = c.list()?;
            let mapped: Result<Vec<Tracked>, EvalError> = items.iter().map(|i| c.tracked(0, i)).collect();
            Ok(Value::list(mapped?))
        },
    },
    Row {
        name: "select",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the items for which the condition is true: `select('item.cpu >= 8')`",
        ty: chosen,
        run: |c| choose(c, true),
    },
    Row {
        name: "reject",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the items for which the condition is false",
        ty: chosen,
        run: |c| choose(c, false),
    },
    Row {
        name: "any",
        params: &[optional(item("item…"))],
        unknown: PASSES,
        doc: "whether the condition is true for some item; without a condition the items are conditions themselves",
        ty: quantified,
        run: |c| decide(c, true),
    },
    Row {
        name: "all",
        params: &[optional(item("item…"))],
        unknown: PASSES,
        doc: "whether the condition is true for every item; true for an empty list",
        ty: quantified,
        run: |c| decide(c, false),
    },
    Row {
        name: "sum",
        params: &[],
        unknown: PASSES,
        doc: "the sum of whole numbers or of quantities of one unit",
        ty: summed,
        run: sum,
    },
    Row {
        name: "sum_by",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the sum of what the expression gives: `sum_by('item.replicas * item.cpu')`",
        ty: summed,
        run: sum,
    },
    Row {
        name: "length",
        params: &[],
        unknown: PASSES,
        doc: "how many items a list has, entries a map, characters a string",
        ty: counted,
        run: length,
    },
    Row { name: "count", params: &[], unknown: PASSES, doc: "the same as `length`", ty: counted, run: length },
    Row {
        name: "first",
        params: &[],
        unknown: PASSES,
        doc: "the first item; unknown for an empty list",
        ty: |t| t.element(),
        run: |c| {
            let items = c.list()?;
            Ok(c.take_or_nothing(items.first()))
        },
    },
    Row {
        name: "last",
        params: &[],
        unknown: PASSES,
        doc: "the last item; unknown for an empty list",
        ty: |t| t.element(),
        run: |c| {
            let items = c.list()?;
            Ok(c.take_or_nothing(items.last()))
        },
    },
    Row {
        name: "join",
        params: &[optional(value("separator"))],
        unknown: PASSES,
        doc: "the texts of all items, one after the other, with the separator between them",
        ty: |t| {
            let element = t.element();
            if !table::any_form(&element, &kinds::scalar) {
                t.refuse("a list of single values");
            }
            Type::Text
        },
        run: join,
    },
    Row {
        name: "list",
        params: &[],
        unknown: PASSES,
        doc: "a list as it is; the keys of a map",
        ty: |t| match &t.input {
            Type::Table(_) | Type::Keyed { .. } | Type::Struct(_) => Type::List(Type::Text.into()),
            _ => Type::List(t.element().into()),
        },
        run: |c| match &c.input {
            Value::Map(_) => super::maps::keys(c),
            _ => c.list().map(Value::List),
        },
    },
    Row {
        name: "flatten",
        params: &[],
        unknown: PASSES,
        doc: "the items of all lists in a list, one level deep",
        ty: |t| {
            let element = t.element();
            match table::elements(&element) {
                Some(inner) => Type::List(inner.into()),
                None => t.refuse("a list of lists"),
            }
        },
        run: flatten,
    },
    Row {
        name: "reverse",
        params: &[],
        unknown: PASSES,
        doc: "the items from last to first",
        ty: |t| Type::List(t.element().into()),
        run: |c| Ok(Value::list(c.list()?.iter().rev().cloned().collect())),
    },
    Row {
        name: "without",
        params: &[value("list")],
        unknown: PASSES,
        doc: "the items that are not in the other list",
        ty: |t| Type::List(t.element().into()),
        run: without,
    },
];

fn chosen(t: &mut Typing<'_, '_, '_>) -> Type {
    let element = t.element();
    t.condition(0, &element);
    Type::List(element.into())
}

fn quantified(t: &mut Typing<'_, '_, '_>) -> Type {
    let element = t.element();
    t.condition(0, &element);
    Type::Bool
}

/// The items whose condition is `wanted`. An item that stays carries what its condition read; what the conditions of
/// the others read explains the list.
fn choose(c: &mut Call<'_, '_>, wanted: bool) -> Result<Value, EvalError> {
    let items = c.list()?;
    let mut kept = Vec::new();
    let mut unknown = false;
    for item in items.iter() {
        let condition = c.tracked(0, item)?;
        match condition.value {
            Value::Bool(b) if b == wanted => {
                kept.push(Tracked { value: item.value.clone(), origins: item.origins.union(&condition.origins) });
            }
            Value::Bool(_) => c.depend(&condition.origins),
            Value::Null | Value::Poison => {
                c.depend(&condition.origins);
                unknown = true;
            }
            other => return Err(c.fault(format!("the condition is {}", other.kind()))),
        }
    }
    Ok(if unknown { c.unknown() } else { Value::list(kept) })
}

/// `any` (`decides` = true) and `all` (`decides` = false).
fn decide(c: &mut Call<'_, '_>, decides: bool) -> Result<Value, EvalError> {
    let items = c.list()?;
    let open = c.open_answers();
    let mut unknown = false;
    let mut looked_at = Vec::new();
    for item in items.iter() {
        let condition = c.tracked(0, item)?;
        match condition.value {
            Value::Bool(b) if b == decides => {
                c.depend(&condition.origins);
                c.forget_answers(open);
                return Ok(Value::Bool(decides));
            }
            Value::Bool(_) => {}
            Value::Null | Value::Poison => unknown = true,
            other => return Err(c.fault(format!("the condition is {}", other.kind()))),
        }
        looked_at.push(condition.origins);
    }
    looked_at.iter().for_each(|o| c.depend(o));
    Ok(if unknown { c.unknown() } else { Value::Bool(!decides) })
}

fn summed(t: &mut Typing<'_, '_, '_>) -> Type {
    let element = t.element();
    let element = if t.has_item(0) { t.item(0, &element) } else { element };
    let number = |t: &Type| matches!(t, Type::Int | Type::Quantity(_));
    if !table::any_form(&element, &number) {
        let message = format!("a sum takes whole numbers or quantities, not {}", kinds::describe(&element));
        t.report(message);
        return Type::Any;
    }
    element
}

fn sum(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let items = c.list()?;
    let mut total: Option<Value> = None;
    let mut unknown = false;
    for item in items.iter() {
        let value = c.each(0, item)?;
        if matches!(value, Value::Null | Value::Poison) {
            unknown = true;
            continue;
        }
        total = Some(match total {
            None if matches!(value, Value::Int(_) | Value::Quantity(_)) => value,
            None => return Err(c.fault(format!("a sum takes whole numbers or quantities, not {}", value.kind()))),
            Some(Value::Quantity(a)) => match value {
                // The text of an intermediate sum is never seen.
                Value::Quantity(b) if a.unit == b.unit => match a.amount.checked_add(b.amount) {
                    Some(amount) => crate::value::Quantity { amount, ..(*a).clone() }.into(),
                    None => return Err(c.fault("the sum is too large")),
                },
                other => return Err(c.fault(format!("a sum of quantities does not take {}", other.kind()))),
            },
            Some(sum) => operators::binary(Binary::Add, &sum, &value).map_err(|m| c.fault(m))?,
        });
    }
    if unknown {
        return Ok(c.unknown());
    }
    Ok(match total {
        None => Value::Int(0),
        Some(Value::Quantity(q)) if items.len() > 1 => quantity(q.unit, q.amount),
        Some(sum) => sum,
    })
}

fn counted(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("a list, a map or a string", |t| {
        matches!(t, Type::List(_) | Type::Table(_) | Type::Keyed { .. } | Type::Struct(_) | Type::Text)
    });
    Type::Int
}

fn length(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let count = match &c.input {
        Value::List(items) => {
            // An item that were not there would change the number.
            let items = items.clone();
            items.iter().for_each(|i| c.depend(&i.origins));
            items.len()
        }
        Value::Map(map) => map.len(),
        Value::Str(text) => text.chars().count(),
        _ => return Err(c.refuse("a list, a map or a string")),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn join(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let separator = if c.args[0].is_some() { c.text(0)? } else { "".into() };
    let items = c.list()?;
    let mut joined = String::new();
    let mut unknown = false;
    for (i, item) in items.iter().enumerate() {
        let value = c.take(item);
        match value.text() {
            Some(text) => {
                if i > 0 {
                    joined.push_str(&separator);
                }
                joined.push_str(&text);
            }
            None if matches!(value, Value::Null | Value::Poison) => unknown = true,
            None => return Err(c.fault(format!("`join` takes single values, not {}", value.kind()))),
        }
    }
    Ok(if unknown { c.unknown() } else { Value::Str(joined.into()) })
}

fn flatten(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let mut flat = Vec::new();
    for item in c.list()?.iter() {
        match c.take(item) {
            Value::List(inner) => flat.extend(inner.iter().cloned()),
            Value::Null | Value::Poison => return Ok(c.unknown()),
            _ => flat.push(item.clone()),
        }
    }
    Ok(Value::list(flat))
}

fn without(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let Some(Value::List(others)) = c.args[0].clone() else {
        return Err(c.fault("`without` takes a list here"));
    };
    let others: Vec<Value> = others.iter().map(|o| c.take(o)).collect();
    let items = c.list()?;
    let stays = |i: &&Tracked| !others.iter().any(|o| operators::equal(&i.value, o).unwrap_or(false));
    Ok(Value::list(items.iter().filter(stays).cloned().collect()))
}
