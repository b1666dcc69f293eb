//! Makes types of a JSON Schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map as Json, Value as JsonValue};

use crate::shape::{Field, Short, Struct, Type};
use crate::value::{Str, Unit};

/// The type of the whole site and the keys of its tables.
pub fn compile(schema: &JsonValue) -> (Type, Vec<Str>) {
    let mut compiler = Compiler { root: schema, done: BTreeMap::new(), open: Vec::new() };
    let mut root = match compiler.ty(schema) {
        Type::Struct(root) => Arc::unwrap_or_clone(root),
        _ => Struct::default(),
    };
    root.name = "spec".into();
    let mut tables = Vec::new();
    for (key, property) in properties(schema) {
        if property.get("x-table").is_some()
            && let Some(field) = root.fields.get_mut(key.as_str())
        {
            field.ty = named(&field.ty);
            tables.push(key.as_str().into());
        }
    }
    (Type::Struct(Arc::new(root)), tables)
}

/// The type of a table whose entries know their own name.
fn named(table: &Type) -> Type {
    match table {
        Type::Table(entry) => Type::Table(Arc::new(with_name(entry))),
        Type::Struct(table) => {
            let mut table = Struct::clone(table);
            table.fields.values_mut().for_each(|field| field.ty = with_name(&field.ty));
            table.rest = table.rest.as_ref().map(with_name);
            Type::Struct(Arc::new(table))
        }
        other => other.clone(),
    }
}

fn with_name(entry: &Type) -> Type {
    let Type::Struct(entry) = entry else { return entry.clone() };
    let mut entry = Struct::clone(entry);
    entry.fields.insert("name".into(), Field { ty: Type::Text, default: None, doc: "The entry's key.".into() });
    Type::Struct(Arc::new(entry))
}

struct Compiler<'a> {
    root: &'a JsonValue,
    /// Types by the reference that names them.
    done: BTreeMap<&'a str, Type>,
    /// References that are being compiled; one that comes back to itself is [`Type::Any`].
    open: Vec<&'a str>,
}

impl<'a> Compiler<'a> {
    fn ty(&mut self, schema: &'a JsonValue) -> Type {
        let Some(map) = schema.as_object() else { return Type::Any };
        if let Some(target) = map.get("$ref").and_then(JsonValue::as_str) {
            let ty = self.reference(target);
            return if map.contains_key("properties") { self.refined(&ty, map) } else { ty };
        }
        if let Some(own) = map.get("x-type").and_then(JsonValue::as_str)
            && let Some(ty) = self.own_type(own, map)
        {
            return ty;
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            if let Some(branches) = map.get(key).and_then(JsonValue::as_array) {
                return one_of(branches.iter().map(|branch| self.ty(branch)).collect());
            }
        }
        if let Some(options) = map.get("enum").and_then(JsonValue::as_array) {
            return one_of(options.iter().filter(|o| !o.is_null()).map(constant).collect());
        }
        if let Some(value) = map.get("const") {
            return constant(value);
        }
        match map.get("type") {
            Some(JsonValue::String(name)) => self.plain(name, map),
            Some(JsonValue::Array(names)) => {
                let names = names.iter().filter_map(JsonValue::as_str).filter(|n| *n != "null");
                one_of(names.map(|name| self.plain(name, map)).collect())
            }
            _ if map.contains_key("properties") => self.plain("object", map),
            _ => Type::Any,
        }
    }

    fn reference(&mut self, target: &'a str) -> Type {
        if let Some(ty) = self.done.get(target) {
            return ty.clone();
        }
        let Some(schema) = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else {
            return Type::Any;
        };
        if self.open.contains(&target) {
            return Type::Any;
        }
        self.open.push(target);
        let mut ty = self.ty(schema);
        self.open.pop();
        if let Type::Struct(s) = &mut ty
            && let Some(name) = target.strip_prefix("#/$defs/")
        {
            Arc::make_mut(s).name = name.replace('_', " ").into();
        }
        self.done.insert(target, ty.clone());
        ty
    }

    /// A referenced type some of whose properties are said more exactly beside the reference.
    fn refined(&mut self, ty: &Type, map: &'a Json<String, JsonValue>) -> Type {
        let Type::Struct(s) = ty else { return ty.clone() };
        let mut s = Struct::clone(s);
        for (key, field) in self.fields(map) {
            s.fields.insert(key, field);
        }
        Type::Struct(Arc::new(s))
    }

    /// The type that `x-type` names; `None` for a word that it does not know.
    fn own_type(&mut self, own: &str, map: &'a Json<String, JsonValue>) -> Option<Type> {
        let ty = match own {
            "quantity.bytes" => Type::Quantity(Unit::Bytes),
            "quantity.rate" => Type::Quantity(Unit::BitsPerSecond),
            "quantity.duration" => Type::Quantity(Unit::Milliseconds),
            "quantity.cpu" => Type::Quantity(Unit::Millicores),
            "version" => Type::Version,
            "address" => Type::Address,
            "cidr" => Type::Cidr,
            "port" => Type::Ports { range: false },
            "ports" => Type::Ports { range: true },
            "text" => Type::Text,
            "os" => self.short(Short::Os, map),
            "iops" => self.short(Short::Iops, map),
            "named" => self.short(Short::Name, map),
            _ => return None,
        };
        Some(match map.get("x-ref") {
            Some(_) => one_of(vec![ty, references(map)]),
            None => ty,
        })
    }

    fn short(&mut self, short: Short, map: &'a Json<String, JsonValue>) -> Type {
        match self.plain("object", map) {
            Type::Struct(s) => Type::Struct(Arc::new(Struct { short: Some(short), ..Arc::unwrap_or_clone(s) })),
            other => other,
        }
    }

    fn plain(&mut self, name: &str, map: &'a Json<String, JsonValue>) -> Type {
        match name {
            "boolean" => Type::Bool,
            "integer" => Type::Int,
            "string" if map.contains_key("x-ref") => references(map),
            "string" => Type::Text,
            "array" => Type::List(Arc::new(map.get("items").map_or(Type::Any, |items| self.ty(items)))),
            "object" => self.object(map),
            _ => Type::Any,
        }
    }

    fn object(&mut self, map: &'a Json<String, JsonValue>) -> Type {
        let rest = match map.get("additionalProperties") {
            None | Some(JsonValue::Bool(true)) => Some(Type::Any),
            Some(JsonValue::Bool(false)) => None,
            Some(schema) => Some(self.ty(schema)),
        };
        let fields = self.fields(map);
        if fields.is_empty()
            && let Some(of) = &rest
        {
            let of = Arc::new(of.clone());
            return match map.get("propertyNames").and_then(|names| names.get("x-ref")).and_then(JsonValue::as_str) {
                Some(table) => Type::Keyed { table: table.into(), of },
                None => Type::Table(of),
            };
        }
        let conditions = conditions(map);
        Type::Struct(Arc::new(Struct { fields, open: rest.is_some(), rest, conditions, ..Struct::default() }))
    }

    /// The properties of an object, and after them the ones that resolving adds (`x-derived`).
    fn fields(&mut self, map: &'a Json<String, JsonValue>) -> IndexMap<Str, Field> {
        let declared = map.get("properties").and_then(JsonValue::as_object);
        let derived = map.get("x-derived").and_then(JsonValue::as_object);
        let all = declared.into_iter().flatten().chain(derived.into_iter().flatten());
        all.map(|(key, schema)| {
            let default = schema.get("default").map(|d| d.to_string().into());
            let field = Field { ty: self.ty(schema), default, doc: first_sentence(schema) };
            (key.as_str().into(), field)
        })
        .collect()
    }
}

fn properties(schema: &JsonValue) -> impl Iterator<Item = (&String, &JsonValue)> {
    schema.get("properties").and_then(JsonValue::as_object).into_iter().flatten()
}

/// What the defaults of properties depend on (`x-default-when`).
fn conditions(map: &Json<String, JsonValue>) -> IndexMap<Str, (Str, Str)> {
    let properties = map.get("properties").and_then(JsonValue::as_object).into_iter().flatten();
    let condition = |(key, schema): (&String, &JsonValue)| {
        let (sibling, value) = schema.get("x-default-when")?.as_object()?.iter().next()?;
        Some((key.as_str().into(), (sibling.as_str().into(), value.as_str()?.into())))
    };
    properties.filter_map(condition).collect()
}

fn references(map: &Json<String, JsonValue>) -> Type {
    match map.get("x-ref") {
        Some(JsonValue::String(table)) => Type::Ref(table.as_str().into()),
        Some(JsonValue::Array(tables)) => {
            one_of(tables.iter().filter_map(JsonValue::as_str).map(|t| Type::Ref(t.into())).collect())
        }
        _ => Type::Text,
    }
}

fn constant(value: &JsonValue) -> Type {
    match value {
        JsonValue::Bool(_) => Type::Bool,
        JsonValue::String(_) => Type::Text,
        JsonValue::Number(n) if n.is_i64() => Type::Int,
        _ => Type::Any,
    }
}

/// One type of several, flat and without repetition.
fn one_of(types: Vec<Type>) -> Type {
    let mut flat: Vec<Type> = Vec::new();
    for ty in types {
        match ty {
            Type::OneOf(inner) => inner.iter().for_each(|t| push_new(&mut flat, t.clone())),
            ty => push_new(&mut flat, ty),
        }
    }
    match flat.len() {
        0 => Type::Any,
        1 => flat.remove(0),
        _ => Type::OneOf(Arc::new(flat)),
    }
}

fn push_new(types: &mut Vec<Type>, ty: Type) {
    if !types.contains(&ty) {
        types.push(ty);
    }
}

fn first_sentence(schema: &JsonValue) -> Str {
    let text = schema.get("description").and_then(JsonValue::as_str).unwrap_or_default();
    let end = text.find(". ").map_or(text.len(), |i| i + 1);
    text[..end].into()
}
