//! Overlaid tree and schema in, out whether the tree is surely valid.
//!
//! Most specs are, and for them the schema need not be compiled. What this does not understand it leaves to the
//! validator proper, so it can be short but never wrong.

use std::collections::BTreeSet;

use serde_json::{Map as Json, Value as JsonValue};

use crate::node::{Data, Node};

use super::pattern;

/// The tree holds something, or the schema asks for something, that only the validator proper can judge.
#[derive(Debug)]
pub struct Unsure;

/// Whether a node is valid: exactly what the validator would say, short of what is left to decoding.
pub fn valid(node: &Node, root: &JsonValue) -> Result<bool, Unsure> {
    Quick { root }.node(node, root, false)
}

struct Quick<'a> {
    root: &'a JsonValue,
}

impl<'a> Quick<'a> {
    /// `exact` is set below a choice of forms, where a scalar that decoding would report on decides about the form.
    fn node(&self, node: &Node, schema: &'a JsonValue, exact: bool) -> Result<bool, Unsure> {
        if matches!(node.data, Data::Null | Data::Poison) {
            return Ok(true);
        }
        let map = match schema {
            JsonValue::Object(map) => map,
            JsonValue::Bool(all) => return Ok(*all),
            _ => return Err(Unsure),
        };
        let typed = map.contains_key("x-type") && node.scalar_text().is_some();
        for (keyword, value) in map {
            let good = match keyword.as_str() {
                // What decoding reports on is valid here, unless it decides about a form.
                "type" if typed && !exact => true,
                "minimum" | "maximum" | "pattern" if typed && !exact => true,
                // The lean schema has no patterns at such places.
                "pattern" if typed => true,
                "type" => has_type(node, value),
                "$ref" => self.node(node, self.target(value)?, exact)?,
                "properties" => self.properties(node, value, exact)?,
                "additionalProperties" => self.additional(node, map, value, exact)?,
                "propertyNames" => self.names(node, value)?,
                "items" => self.all(node.items().iter().map(|item| (item, value)), exact)?,
                "enum" => value.as_array().is_some_and(|options| options.iter().any(|o| equal(node, o))),
                "const" => equal(node, value),
                "required" => {
                    node.entries().is_empty() && !matches!(node.data, Data::Map(_))
                        || value.as_array().into_iter().flatten().all(|k| k.as_str().is_some_and(|k| answered(node, k)))
                }
                "minimum" => number(node).is_none_or(|n| value.as_f64().is_some_and(|limit| n >= limit)),
                "maximum" => number(node).is_none_or(|n| value.as_f64().is_some_and(|limit| n <= limit)),
                "maxLength" => {
                    text(node).is_none_or(|t| value.as_u64().is_some_and(|limit| t.chars().count() as u64 <= limit))
                }
                "minLength" => {
                    text(node).is_none_or(|t| value.as_u64().is_some_and(|limit| t.chars().count() as u64 >= limit))
                }
                "minItems" => {
                    !matches!(node.data, Data::List(_))
                        || value.as_u64().is_some_and(|n| node.items().len() as u64 >= n)
                }
                "maxItems" => {
                    !matches!(node.data, Data::List(_))
                        || value.as_u64().is_some_and(|n| node.items().len() as u64 <= n)
                }
                "pattern" => match text(node) {
                    Some(text) => pattern::matches(value.as_str().ok_or(Unsure)?, text)?,
                    None => true,
                },
                "uniqueItems" => unique(node),
                "oneOf" => self.count(node, value)? == 1,
                "anyOf" => self.count(node, value)? > 0,
                "allOf" => {
                    let parts = value.as_array().ok_or(Unsure)?;
                    self.all(parts.iter().map(|part| (node, part)), exact)?
                }
                "description" | "title" | "examples" | "default" | "$comment" | "$schema" | "$id" | "$defs" => true,
                other if other.starts_with("x-") => true,
                _ => return Err(Unsure),
            };
            if !good {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn target(&self, reference: &JsonValue) -> Result<&'a JsonValue, Unsure> {
        let pointer = reference.as_str().and_then(|r| r.strip_prefix('#')).ok_or(Unsure)?;
        self.root.pointer(pointer).ok_or(Unsure)
    }

    fn all<'n>(&self, parts: impl Iterator<Item = (&'n Node, &'a JsonValue)>, exact: bool) -> Result<bool, Unsure> {
        for (node, schema) in parts {
            if !self.node(node, schema, exact)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn properties(&self, node: &Node, properties: &'a JsonValue, exact: bool) -> Result<bool, Unsure> {
        let properties = properties.as_object().ok_or(Unsure)?;
        self.all(node.entries().iter().filter_map(|e| Some((&e.value, properties.get(&*e.key)?))), exact)
    }

    fn additional(
        &self,
        node: &Node,
        map: &'a Json<String, JsonValue>,
        schema: &'a JsonValue,
        exact: bool,
    ) -> Result<bool, Unsure> {
        if *schema == JsonValue::Bool(true) {
            return Ok(true);
        }
        if map.contains_key("patternProperties") {
            return Err(Unsure);
        }
        let known = map.get("properties").and_then(JsonValue::as_object);
        let further = node.entries().iter().filter(|e| known.is_none_or(|known| !known.contains_key(&*e.key)));
        // A key that is unknown is so even without an answer.
        if *schema == JsonValue::Bool(false) {
            return Ok(further.count() == 0);
        }
        self.all(further.map(|e| (&e.value, schema)), exact)
    }

    fn names(&self, node: &Node, schema: &'a JsonValue) -> Result<bool, Unsure> {
        if schema.as_object().is_some_and(|map| map.keys().all(|key| key.starts_with("x-"))) {
            return Ok(true);
        }
        let mut keys = node.entries().iter();
        keys.try_fold(true, |good, entry| {
            let key = Node { place: entry.value.place, span: entry.key_span, data: Data::Text(entry.key.clone()) };
            Ok(good && self.node(&key, schema, true)?)
        })
    }

    /// How many of several forms a node has.
    fn count(&self, node: &Node, branches: &'a JsonValue) -> Result<usize, Unsure> {
        let mut count = 0;
        for branch in branches.as_array().ok_or(Unsure)? {
            count += usize::from(self.node(node, branch, true)?);
        }
        Ok(count)
    }
}

fn has_type(node: &Node, types: &JsonValue) -> bool {
    let has = |name: &str| match &node.data {
        Data::Bool { .. } => name == "boolean",
        Data::Int { .. } => name == "integer" || name == "number",
        Data::Float { value, .. } => name == "number" || name == "integer" && value.fract() == 0.0,
        Data::Text(_) => name == "string",
        Data::List(_) => name == "array",
        Data::Map(_) => name == "object",
        Data::Null | Data::Poison => name == "null",
    };
    match types {
        JsonValue::String(name) => has(name),
        JsonValue::Array(names) => names.iter().filter_map(JsonValue::as_str).any(has),
        _ => false,
    }
}

fn equal(node: &Node, json: &JsonValue) -> bool {
    match (&node.data, json) {
        (Data::Bool { value, .. }, JsonValue::Bool(other)) => value == other,
        (Data::Int { .. } | Data::Float { .. }, JsonValue::Number(other)) => number(node) == other.as_f64(),
        (Data::Text(text), JsonValue::String(other)) => **text == **other,
        _ => false,
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.data {
        Data::Int { value, .. } => Some(value as f64),
        Data::Float { value, .. } => Some(value),
        _ => None,
    }
}

fn text(node: &Node) -> Option<&str> {
    match &node.data {
        Data::Text(text) => Some(text),
        _ => None,
    }
}

/// Whether a required key is there with a value; otherwise there is something to be reported.
fn answered(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

fn unique(node: &Node) -> bool {
    let mut seen = BTreeSet::new();
    node.items().iter().all(|item| seen.insert(super::lean::instance(item).to_string()))
}
