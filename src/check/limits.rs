//! Values of a site against the limits of a pack: the literal of a limit in the type of what it bounds, and their order.

use std::cmp::Ordering;

use crate::value::{Quantity, Value, Version};

/// The order of two values of one kind; `None` for unlike ones.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Quantity(a), Value::Quantity(b)) if a.unit == b.unit => Some(a.amount.cmp(&b.amount)),
        (Value::Version(a), Value::Version(b)) => Some(a.cmp(b)),
        (Value::Ports(a), Value::Ports(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Address(a), Value::Address(b)) => Some(a.cmp(b)),
        (Value::Str(_) | Value::Ref(_), Value::Str(_) | Value::Ref(_)) => Some(a.text()?.cmp(&b.text()?)),
        _ => None,
    }
}

/// A literal of a pack in the type of a place.
pub fn typed(literal: &Value, place: &Value) -> Result<Value, String> {
    let Some(text) = literal.text() else { return Ok(literal.clone()) };
    match place {
        Value::Quantity(q) => Quantity::parse(&text, q.unit).map(Value::from),
        Value::Version(_) => text.parse::<Version>().map(Value::from),
        Value::Ports(_) => text.parse::<crate::value::Ports>().map(Value::Ports),
        Value::Int(_) => match literal {
            Value::Int(_) | Value::Bool(_) => Ok(literal.clone()),
            _ => text.parse().map(Value::Int).map_err(|_| format!("`{text}` is not a whole number")),
        },
        _ => Ok(literal.clone()),
    }
}
