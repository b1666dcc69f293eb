//! Filters that open a map: its keys, its values, both.

use crate::pack::expr::check::join;
use crate::pack::expr::eval::EvalError;
use crate::pack::expr::table::{Call, Row, Typing, Unknown};
use crate::shape::{Field, Struct, Type};
use crate::value::{Map, Tracked, Value};

pub const FILTERS: &[Row] = &[
    Row {
        name: "keys",
        params: &[],
        unknown: Unknown::Passes,
        doc: "the keys of a map, in its order",
        ty: |t| {
            entry(t);
            Type::List(Type::Text.into())
        },
        run: keys,
    },
    Row {
        name: "values",
        params: &[],
        unknown: Unknown::Passes,
        doc: "the values of a map, in its order",
        ty: |t| Type::List(entry(t).into()),
        run: |c| Ok(Value::list(map(c)?.values().cloned().collect())),
    },
    Row {
        name: "items",
        params: &[],
        unknown: Unknown::Passes,
        doc: "a list of `{key, value}`, in the map's order; `for key, value in map|items` takes them apart",
        ty: |t| {
            let value = entry(t);
            let field = |ty| Field { ty, default: None, doc: "".into() };
            let fields = [("key".into(), field(Type::Text)), ("value".into(), field(value))];
            let pair =
                Struct { name: "entry".into(), fields: fields.into_iter().collect(), open: false, ..Struct::default() };
            Type::List(Type::Struct(pair.into()).into())
        },
        run: |c| {
            let map = map(c)?;
            let pairs = map.iter().map(|(key, value)| {
                let mut pair = Map::with_capacity(2);
                pair.insert("key".into(), Tracked { value: Value::Str(key.clone()), origins: value.origins.clone() });
                pair.insert("value".into(), value.clone());
                Tracked { value: Value::map(pair), origins: value.origins.clone() }
            });
            Ok(Value::list(pairs.collect()))
        },
    },
];

/// The type of a map's values; reports an input that is no map.
fn entry(t: &mut Typing<'_, '_, '_>) -> Type {
    fn values(ty: &Type) -> Option<Type> {
        match ty {
            Type::Any => Some(Type::Any),
            Type::Table(entry) => Some((**entry).clone()),
            Type::Struct(s) if s.open => Some(Type::Any),
            Type::Struct(s) => Some(s.fields.values().map(|f| f.ty.clone()).reduce(join).unwrap_or(Type::Any)),
            Type::OneOf(forms) => forms.iter().find_map(values),
            _ => None,
        }
    }
    match values(&t.input) {
        Some(ty) => ty,
        None => t.refuse("a map"),
    }
}

fn map(c: &Call<'_, '_>) -> Result<std::sync::Arc<Map>, EvalError> {
    match &c.input {
        Value::Map(map) => Ok(map.clone()),
        _ => Err(c.refuse("a map")),
    }
}

/// The keys of a map, each with the place of its value.
pub(super) fn keys(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let keys = map(c)?
        .iter()
        .map(|(key, value)| Tracked { value: Value::Str(key.clone()), origins: value.origins.clone() })
        .collect();
    Ok(Value::list(keys))
}
