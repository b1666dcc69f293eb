//! Operators: two known values to one, or the message why they do not go together.

use std::cmp::Ordering;
use std::sync::Arc;

use super::tree::Binary;
use crate::value::{Ports, Quantity, Tracked, Unit, Value};

/// Applies an operator to known operands. The error is a message that stands alone.
pub fn binary(op: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    match op {
        Binary::Eq => equal(left, right).map(Value::Bool),
        Binary::Ne => equal(left, right).map(|b| Value::Bool(!b)),
        Binary::Lt => order(left, right).map(|o| Value::Bool(o.is_lt())),
        Binary::Le => order(left, right).map(|o| Value::Bool(o.is_le())),
        Binary::Gt => order(left, right).map(|o| Value::Bool(o.is_gt())),
        Binary::Ge => order(left, right).map(|o| Value::Bool(o.is_ge())),
        Binary::In => contains(left, right).map(Value::Bool),
        Binary::Concat => concat(left, right),
        Binary::Add | Binary::Sub | Binary::Mul | Binary::FloorDiv | Binary::Rem => arithmetic(op, left, right),
    }
}

/// Whether the value is the word for "there is none".
pub fn is_none(value: &Value) -> bool {
    matches!(value, Value::Str(s) if &**s == "none")
}

/// Equality. Unlike types are an error, not a difference; a name equals the text of it, a single port its number.
pub fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Ref(r), Value::Str(s)) | (Value::Str(s), Value::Ref(r)) => r.name == *s,
        (Value::Ports(p), Value::Int(n)) | (Value::Int(n), Value::Ports(p)) => single(*p) == Some(*n),
        (Value::Quantity(a), Value::Quantity(b)) if a.unit == b.unit => a == b,
        // The sum of an empty list has no unit.
        (Value::Quantity(q), Value::Int(0)) | (Value::Int(0), Value::Quantity(q)) => q.amount == 0,
        (Value::Str(a), Value::Str(b)) => a == b,
        (a, b) if is_none(a) || is_none(b) => false,
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) && a.kind() == b.kind() => a == b,
        (Value::Map(_) | Value::Record(_), Value::Map(_) | Value::Record(_)) => left == right,
        (a, b) => return Err(unlike(a, b)),
    })
}

/// Order. Only what has one order in the field is ordered; strings are not.
pub fn order(left: &Value, right: &Value) -> Result<Ordering, String> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Quantity(a), Value::Quantity(b)) if a.unit == b.unit => a.amount.cmp(&b.amount),
        (Value::Quantity(q), Value::Int(0)) => q.amount.cmp(&0),
        (Value::Int(0), Value::Quantity(q)) => 0.cmp(&q.amount),
        (Value::Version(a), Value::Version(b)) => a.cmp(b),
        (Value::Address(a), Value::Address(b)) => a.cmp(b),
        (Value::Ports(a), Value::Ports(b)) => a.cmp(b),
        (Value::Ports(p), Value::Int(n)) if single(*p).is_some() => i64::from(p.low).cmp(n),
        (Value::Int(n), Value::Ports(p)) if single(*p).is_some() => n.cmp(&i64::from(p.low)),
        (Value::Str(_), Value::Str(_)) => return Err("strings have no order".into()),
        (a, b) if is_none(a) || is_none(b) => return Err("`none` cannot be compared, test `is absent` first".into()),
        (a, b) if a.kind() == b.kind() => return Err(format!("{} has no order", a.kind())),
        (a, b) => return Err(unlike(a, b)),
    })
}

/// The order in which `sort`, `unique` and `groupby` put values: total over values of one kind, strings byte by byte.
pub fn sort_order(left: &Value, right: &Value) -> Result<Ordering, String> {
    Ok(match (left, right) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Ref(a), Value::Ref(b)) => a.cmp(b),
        (Value::Ref(r), Value::Str(s)) => r.name.cmp(s),
        (Value::Str(s), Value::Ref(r)) => s.cmp(&r.name),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Cidr(a), Value::Cidr(b)) => (a.network(), a.prefix_len()).cmp(&(b.network(), b.prefix_len())),
        (Value::List(a), Value::List(b)) => {
            for (a, b) in a.iter().zip(b.iter()) {
                let order = sort_order(&a.value, &b.value)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            a.len().cmp(&b.len())
        }
        (a, b) => order(a, b)?,
    })
}

/// Containment in anything but a list: a key in a map, text in text, an address or network in a network, ports in ports.
pub fn contains(needle: &Value, haystack: &Value) -> Result<bool, String> {
    Ok(match (haystack, needle) {
        (Value::Map(map), _) => match needle.text() {
            Some(key) => map.contains_key(&key),
            None => return Err(format!("a map has names as keys, not {}", needle.kind())),
        },
        (Value::Record(record), Value::Str(key)) => record.fields().contains(&&**key),
        (Value::Str(text), Value::Str(part)) => text.contains(&**part),
        (Value::Cidr(net), Value::Address(address)) => net.contains(address),
        (Value::Cidr(net), Value::Cidr(inner)) => net.contains(inner),
        (Value::Ports(ports), Value::Ports(inner)) => ports.contains(*inner),
        (Value::Ports(ports), Value::Int(n)) => i64::from(ports.low) <= *n && *n <= i64::from(ports.high),
        (Value::List(items), _) => items.iter().any(|i| equal(needle, &i.value).unwrap_or(false)),
        (a, b) => return Err(format!("{} cannot contain {}", a.kind(), b.kind())),
    })
}

/// The text of both, one after the other.
pub fn concat(left: &Value, right: &Value) -> Result<Value, String> {
    let text = |v: &Value| v.text().ok_or_else(|| format!("{} has no text that `~` could join", v.kind()));
    let (left, right) = (text(left)?, text(right)?);
    let mut joined = String::with_capacity(left.len() + right.len());
    joined.push_str(&left);
    joined.push_str(&right);
    Ok(Value::Str(joined.into()))
}

pub fn negate(value: Value) -> Result<Value, String> {
    match value {
        Value::Int(n) => n.checked_neg().map(Value::Int).ok_or_else(too_large),
        Value::Null | Value::Poison => Ok(value),
        other => Err(format!("`-` takes a whole number, not {}", other.kind())),
    }
}

fn too_large() -> String {
    "the result is too large".into()
}

fn arithmetic(op: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    let sign = op.sign();
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => whole(op, *a, *b).map(Value::Int),
        (Value::Ports(a), Value::Int(b)) if single(*a).is_some() => whole(op, a.low.into(), *b).map(Value::Int),
        (Value::Int(a), Value::Ports(b)) if single(*b).is_some() => whole(op, *a, b.low.into()).map(Value::Int),
        (Value::Quantity(a), Value::Quantity(b)) if a.unit == b.unit => match op {
            Binary::Add => a.amount.checked_add(b.amount).ok_or_else(too_large).map(|n| quantity(a.unit, n)),
            Binary::Sub => match a.amount.checked_sub(b.amount) {
                Some(n) => Ok(quantity(a.unit, n)),
                None => Err(format!("`{} - {}` is less than nothing", a.source, b.source)),
            },
            Binary::FloorDiv if b.amount > 0 => {
                i64::try_from(a.amount / b.amount).map(Value::Int).map_err(|_| too_large())
            }
            Binary::FloorDiv => Err("division by nothing".into()),
            _ => Err(format!("`{sign}` does not take two quantities")),
        },
        (Value::Quantity(q), Value::Int(0)) | (Value::Int(0), Value::Quantity(q)) if op == Binary::Add => {
            Ok(Value::Quantity(q.clone()))
        }
        (Value::Quantity(q), Value::Int(n)) | (Value::Int(n), Value::Quantity(q)) if op == Binary::Mul => {
            let factor = u64::try_from(*n).map_err(|_| format!("a quantity cannot be multiplied by {n}"))?;
            q.amount.checked_mul(factor).ok_or_else(too_large).map(|n| quantity(q.unit, n))
        }
        (Value::Quantity(q), Value::Int(n)) if op == Binary::FloorDiv => match u64::try_from(*n) {
            Ok(n) if n > 0 => Ok(quantity(q.unit, q.amount / n)),
            _ => Err(format!("a quantity cannot be divided by {n}")),
        },
        (Value::List(a), Value::List(b)) if op == Binary::Add => {
            Ok(Value::list(a.iter().chain(b.iter()).cloned().collect::<Vec<Tracked>>()))
        }
        (a, b) => Err(format!("`{sign}` does not take {} and {}", a.kind(), b.kind())),
    }
}

fn whole(op: Binary, a: i64, b: i64) -> Result<i64, String> {
    let result = match op {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        _ if b == 0 => return Err("division by zero".into()),
        Binary::FloorDiv => a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q }),
        _ => a.checked_rem(b).map(|r| if r != 0 && (a < 0) != (b < 0) { r + b } else { r }),
    };
    result.ok_or_else(too_large)
}

/// A part of a list or a string, `[from:to]`, negative bounds counted from the end, bounds beyond the end cut.
pub fn slice(value: Value, from: Option<i64>, to: Option<i64>) -> Result<Value, String> {
    let bounds = |length: usize| {
        let clamp = |n: i64| {
            let n = if n < 0 { n.saturating_add(length as i64) } else { n };
            usize::try_from(n).unwrap_or(0).min(length)
        };
        let (from, to) = (from.map_or(0, clamp), to.map_or(length, clamp));
        from..to.max(from)
    };
    match value {
        Value::List(items) => Ok(Value::List(Arc::new(items[bounds(items.len())].to_vec()))),
        Value::Str(text) => {
            let range = bounds(text.chars().count());
            Ok(Value::Str(text.chars().skip(range.start).take(range.len()).collect::<String>().into()))
        }
        Value::Null | Value::Poison => Ok(value),
        other => Err(format!("{} has no slices", other.kind())),
    }
}

fn single(ports: Ports) -> Option<i64> {
    (ports.low == ports.high).then(|| ports.low.into())
}

fn unlike(a: &Value, b: &Value) -> String {
    format!("{} cannot be compared with {}", a.kind(), b.kind())
}

/// A quantity that was computed, with the text that a person would write for it.
pub fn quantity(unit: Unit, amount: u64) -> Value {
    Quantity { unit, amount, source: written(unit, amount).into() }.into()
}

/// The largest unit that gives a whole number: `8 GiB`, `1500 MB`, `5 min`, `500m`.
pub fn written(unit: Unit, amount: u64) -> String {
    const BYTES: [(u64, &str); 10] = [
        (1 << 50, " PiB"),
        (1 << 40, " TiB"),
        (1_000_000_000_000, " TB"),
        (1 << 30, " GiB"),
        (1_000_000_000, " GB"),
        (1 << 20, " MiB"),
        (1_000_000, " MB"),
        (1 << 10, " KiB"),
        (1000, " kB"),
        (1, " B"),
    ];
    const RATE: [(u64, &str); 4] = [(1_000_000_000, " Gb/s"), (1_000_000, " Mb/s"), (1000, " kb/s"), (1, " b/s")];
    const TIME: [(u64, &str); 5] = [(86_400_000, " d"), (3_600_000, " h"), (60_000, " min"), (1000, " s"), (1, " ms")];
    const CPU: [(u64, &str); 2] = [(1000, ""), (1, "m")];
    let units: &[(u64, &str)] = match unit {
        Unit::Bytes => &BYTES,
        Unit::BitsPerSecond => &RATE,
        Unit::Milliseconds => &TIME,
        Unit::Millicores => &CPU,
    };
    let (factor, suffix) =
        units.iter().find(|(f, _)| amount > 0 && amount.is_multiple_of(*f)).unwrap_or(&units[units.len() - 1]);
    if amount == 0 && unit == Unit::Millicores {
        return "0".into();
    }
    format!("{}{suffix}", amount / factor)
}
