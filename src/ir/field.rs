//! One field of an item: a value with the places it comes from.

use ipnet::IpNet;
use std::net::IpAddr;

use crate::value::{Origins, Ports, Str, Tracked, Value};

/// A field of an `Ir` item. Two of them are equal when their values are.
#[derive(Clone, Debug, Default)]
pub struct F<T> {
    pub value: T,
    pub origins: Origins,
}

impl<T: PartialEq> PartialEq for F<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> F<T> {
    pub fn new(value: T, origins: Origins) -> Self {
        Self { value, origins }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> F<U> {
        F { value: f(self.value), origins: self.origins }
    }
}

impl<T> std::ops::Deref for F<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What a field's value is to a template. The origins given are those of the whole field; lists pass them on to their
/// items.
pub trait IntoValue {
    fn to_value(&self, origins: &Origins) -> Value;
}

impl<T: IntoValue> F<T> {
    pub fn tracked(&self) -> Tracked {
        Tracked { value: self.value.to_value(&self.origins), origins: self.origins.clone() }
    }
}

impl IntoValue for Str {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Str(self.clone())
    }
}

impl IntoValue for bool {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Bool(*self)
    }
}

impl IntoValue for i64 {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Int(*self)
    }
}

impl IntoValue for u16 {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Int((*self).into())
    }
}

impl IntoValue for Ports {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Ports(*self)
    }
}

impl IntoValue for IpAddr {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Address(*self)
    }
}

/// A network of one address is that address.
impl IntoValue for IpNet {
    fn to_value(&self, _: &Origins) -> Value {
        if self.prefix_len() == self.max_prefix_len() { Value::Address(self.addr()) } else { Value::Cidr(*self) }
    }
}

impl IntoValue for Value {
    fn to_value(&self, _: &Origins) -> Value {
        self.clone()
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn to_value(&self, origins: &Origins) -> Value {
        self.as_ref().map_or(Value::Null, |v| v.to_value(origins))
    }
}

impl<T: IntoValue> IntoValue for [T] {
    fn to_value(&self, origins: &Origins) -> Value {
        Value::list(self.iter().map(|v| Tracked { value: v.to_value(origins), origins: origins.clone() }).collect())
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn to_value(&self, origins: &Origins) -> Value {
        self.as_slice().to_value(origins)
    }
}

impl<T: IntoValue> IntoValue for std::sync::Arc<[T]> {
    fn to_value(&self, origins: &Origins) -> Value {
        (**self).to_value(origins)
    }
}

impl<T: IntoValue> IntoValue for F<T> {
    fn to_value(&self, _: &Origins) -> Value {
        self.value.to_value(&self.origins)
    }
}

impl<T: crate::value::Record + 'static> IntoValue for std::sync::Arc<T> {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Record(self.clone())
    }
}

/// Declares an item: a struct whose fields are [`F`]s and can be read by name.
macro_rules! item {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $crate::ir::F<$ty>,)*
        }

        impl $crate::value::Record for $name {
            fn field(&self, name: &str) -> Option<$crate::value::Tracked> {
                match name {
                    $(stringify!($field) => Some(self.$field.tracked()),)*
                    _ => None,
                }
            }

            fn fields(&self) -> &'static [&'static str] {
                Self::FIELDS
            }
        }

        impl $name {
            /// The names of the fields, as templates read them.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            /// The union of the origins of all fields.
            pub fn origins(&self) -> $crate::value::Origins {
                $crate::value::Origins::all([$(&self.$field.origins),*])
            }
        }
    };
}

/// Declares a closed set of words, as text in templates.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl $crate::ir::IntoValue for $name {
            fn to_value(&self, _: &$crate::value::Origins) -> $crate::value::Value {
                // Conditions on thousands of items share the text of each word, but no two threads do: they would wait
                // for each other at the counter of its users.
                thread_local! {
                    static WORDS: Vec<$crate::value::Str> = vec![$($name::$variant.name().into()),*];
                }
                let word = WORDS.with(|words| words.get(*self as usize).cloned());
                $crate::value::Value::Str(word.unwrap_or_else(|| self.name().into()))
            }
        }
    };
}

pub(crate) use {item, words};
