//! Which types go together: the rules of the operators, as far as types alone decide.

use super::table::any_form;
use super::tree::Binary;
use crate::shape::{Struct, Type};
use crate::value::{Unit, Value};

/// What a type is called in messages: `a version`.
pub fn describe(ty: &Type) -> String {
    match ty {
        Type::Any => "a value of any kind".into(),
        Type::Bool => "a boolean".into(),
        Type::Int => "a whole number".into(),
        Type::Text => "a string".into(),
        Type::Quantity(Unit::Bytes) => "a quantity of bytes".into(),
        Type::Quantity(Unit::BitsPerSecond) => "a data rate".into(),
        Type::Quantity(Unit::Milliseconds) => "a duration".into(),
        Type::Quantity(Unit::Millicores) => "an amount of CPU".into(),
        Type::Version => "a version".into(),
        Type::Address => "an address".into(),
        Type::Cidr => "a CIDR".into(),
        Type::Ports { range: false } => "a port".into(),
        Type::Ports { range: true } => "a port or port range".into(),
        Type::Ref(table) => format!("a name from `{table}`"),
        Type::List(_) => "a list".into(),
        Type::Struct(s) if !s.name.is_empty() => format!("`{}`", s.name),
        Type::Table(_) | Type::Keyed { .. } | Type::Struct(_) => "a map".into(),
        Type::OneOf(forms) => {
            let mut words: Vec<String> = forms.iter().map(describe).collect();
            words.dedup();
            words.join(" or ")
        }
    }
}

/// Why `needle in haystack` cannot be.
pub fn cannot_contain(needle: &Type, haystack: &Type) -> String {
    let holder = match haystack {
        Type::List(item) => {
            let item = describe(item);
            let item = item.strip_prefix("a ").or_else(|| item.strip_prefix("an ")).unwrap_or(&item);
            format!("a list of {item}s")
        }
        other => describe(other),
    };
    format!("{holder} cannot contain {}", describe(needle))
}

/// The type of a value, as far as it shows.
pub fn type_of(value: &Value) -> Type {
    match value {
        Value::Null | Value::Poison => Type::Any,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Str(_) => Type::Text,
        Value::Quantity(q) => Type::Quantity(q.unit),
        Value::Version(_) => Type::Version,
        Value::Address(_) => Type::Address,
        Value::Cidr(_) => Type::Cidr,
        Value::Ports(p) => Type::Ports { range: p.low != p.high },
        Value::Ref(r) => Type::Ref(r.table.clone()),
        Value::List(_) => Type::List(Type::Any.into()),
        Value::Map(_) => Type::Table(Type::Any.into()),
        Value::Record(r) => record(r.fields()),
    }
}

/// The type of an item of the `Ir` with these fields, whose types are not known.
pub fn record(fields: &[&str]) -> Type {
    let field = || crate::shape::Field { ty: Type::Any, default: None, doc: "".into() };
    let fields = fields.iter().map(|f| ((*f).into(), field())).collect();
    Type::Struct(Struct { name: "item".into(), fields, open: false, ..Struct::default() }.into())
}

/// Whether a single text can be written for a value of the type.
pub fn scalar(ty: &Type) -> bool {
    !matches!(ty, Type::List(_) | Type::Table(_) | Type::Keyed { .. } | Type::Struct(_))
}

/// Whether some form of `a` and some form of `b` satisfy `rule`.
fn forms(a: &Type, b: &Type, rule: &dyn Fn(&Type, &Type) -> bool) -> bool {
    any_form(a, &|a| any_form(b, &|b| rule(a, b)))
}

/// Whether `==` takes both.
pub fn comparable(a: &Type, b: &Type) -> bool {
    forms(a, b, &|a, b| match (a, b) {
        (Type::Ref(_), Type::Text) | (Type::Text, Type::Ref(_)) => true,
        (Type::Ports { .. }, Type::Int) | (Type::Int, Type::Ports { .. }) => true,
        (Type::Ports { .. }, Type::Ports { .. }) | (Type::List(_), Type::List(_)) => true,
        (
            Type::Table(_) | Type::Keyed { .. } | Type::Struct(_),
            Type::Table(_) | Type::Keyed { .. } | Type::Struct(_),
        ) => true,
        (a, b) => a == b,
    })
}

/// Whether `<` takes both.
pub fn ordered(a: &Type, b: &Type) -> bool {
    forms(a, b, &|a, b| match (a, b) {
        (Type::Ports { .. } | Type::Int, Type::Ports { .. } | Type::Int) => true,
        (Type::Version | Type::Address | Type::Quantity(_), b) => a == b,
        _ => false,
    })
}

/// Whether `needle in haystack` can be.
pub fn containable(needle: &Type, haystack: &Type) -> bool {
    forms(needle, haystack, &|needle, haystack| match (haystack, needle) {
        (Type::List(item), _) => comparable(needle, item),
        (Type::Table(_) | Type::Keyed { .. } | Type::Struct(_), Type::Text | Type::Ref(_) | Type::Int) => true,
        (Type::Text, Type::Text) => true,
        (Type::Cidr, Type::Address | Type::Cidr) => true,
        (Type::Ports { .. }, Type::Ports { .. } | Type::Int) => true,
        _ => false,
    })
}

/// The type of an arithmetic result; `None` when the operator does not take both.
pub fn addable(op: Binary, a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::OneOf(forms), b) => forms.iter().find_map(|a| addable(op, a, b)),
        (a, Type::OneOf(forms)) => forms.iter().find_map(|b| addable(op, a, b)),
        (Type::Any, Type::Any) => Some(Type::Any),
        (Type::Any, Type::Int | Type::Quantity(_) | Type::List(_)) => Some(Type::Any),
        (Type::Int | Type::Quantity(_) | Type::List(_), Type::Any) => Some(Type::Any),
        (Type::Int | Type::Ports { range: false }, Type::Int) | (Type::Int, Type::Ports { range: false }) => {
            Some(Type::Int)
        }
        (Type::Ports { .. }, Type::Any) | (Type::Any, Type::Ports { .. }) => Some(Type::Int),
        (Type::Quantity(x), Type::Quantity(y)) if x == y => match op {
            Binary::Add | Binary::Sub => Some(a.clone()),
            Binary::FloorDiv => Some(Type::Int),
            _ => None,
        },
        (Type::Quantity(_), Type::Int) if matches!(op, Binary::Mul | Binary::FloorDiv) => Some(a.clone()),
        (Type::Int, Type::Quantity(_)) if op == Binary::Mul => Some(b.clone()),
        (Type::List(_), Type::List(_)) if op == Binary::Add => Some(super::check::join(a.clone(), b.clone())),
        _ => None,
    }
}
