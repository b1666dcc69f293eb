//! Types of values, as the schema gives them: what `decode` makes of a scalar and what an expression may do with it.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::value::{Str, Unit};

/// The type of a place in the site, of a setting, or of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Nothing is known; every operation is allowed and checked when it runs.
    Any,
    Bool,
    Int,
    Text,
    Quantity(Unit),
    Version,
    Address,
    Cidr,
    /// A port, or where `range` a port or a range of ports.
    Ports {
        range: bool,
    },
    /// The name of an entry of this table of the site.
    Ref(Str),
    List(Arc<Type>),
    /// A map whose keys are names that the spec chooses.
    Table(Arc<Type>),
    /// A map whose keys name entries of a table of the site (the spec may write patterns).
    Keyed {
        table: Str,
        of: Arc<Type>,
    },
    /// A map with known keys.
    Struct(Arc<Struct>),
    /// One of several forms, tried in order.
    OneOf(Arc<Vec<Type>>),
}

/// A map with known keys.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Struct {
    /// For messages: `host`, `cluster`.
    pub name: Str,
    pub fields: IndexMap<Str, Field>,
    /// Whether keys beyond `fields` are allowed.
    pub open: bool,
    /// The type of the values under such keys; [`Type::Any`] when it is not given.
    pub rest: Option<Type>,
    /// Fields whose default depends on a sibling: the sibling and the value that it must have.
    pub conditions: IndexMap<Str, (Str, Str)>,
    /// The scalar form that the spec may use instead of the map.
    pub short: Option<Short>,
}

/// A way to write a record as one scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// `ubuntu-22.04` for family, version and, where there are any, edition and build.
    Os,
    /// One number for `read` and `write`.
    Iops,
    /// The text of the field `name`.
    Name,
}

/// One key of a [`Struct`].
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub ty: Type,
    /// The default that the schema declares, as JSON text.
    pub default: Option<Str>,
    /// First sentence of the schema's description.
    pub doc: Str,
}

impl Type {
    /// The type of a key below this one; `None` when there can be no such key.
    pub fn field(&self, key: &str) -> Option<Type> {
        match self {
            Type::Any | Type::Ref(_) => Some(Type::Any),
            Type::Table(ty) | Type::Keyed { of: ty, .. } => Some((**ty).clone()),
            Type::Struct(s) => match s.fields.get(key) {
                Some(field) => Some(field.ty.clone()),
                None if s.open => Some(s.rest.clone().unwrap_or(Type::Any)),
                None => None,
            },
            Type::OneOf(types) => types.iter().find_map(|t| t.field(key)),
            _ => None,
        }
    }

    /// The names of known keys, for suggestions.
    pub fn keys(&self) -> Vec<Str> {
        match self {
            Type::Struct(s) => s.fields.keys().cloned().collect(),
            Type::OneOf(types) => types.iter().flat_map(Type::keys).collect(),
            _ => Vec::new(),
        }
    }
}
