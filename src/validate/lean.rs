//! The least that the validator needs: of the schema the parts that a spec can reach, of a spec its answered values.

use std::collections::BTreeSet;

use serde_json::{Map as Json, Value as JsonValue};

use crate::node::{Data, Node};

/// The schema without annotations and without what a spec with these keys cannot reach. Pointers stay the same.
pub fn schema(full: &JsonValue, spec: &Node) -> JsonValue {
    let mut lean = Json::new();
    let mut wanted = BTreeSet::new();
    for (key, value) in full.as_object().into_iter().flatten() {
        match key.as_str() {
            "$defs" => {}
            "properties" => {
                let used = value.as_object().into_iter().flatten().filter(|(key, _)| spec.get(key).is_some());
                let used = used.map(|(key, value)| (key.clone(), stripped(value, &mut wanted)));
                lean.insert(key.clone(), JsonValue::Object(used.collect()));
            }
            _ if annotation(key) => {}
            _ => {
                lean.insert(key.clone(), stripped(value, &mut wanted));
            }
        }
    }
    lean.insert("$defs".into(), JsonValue::Object(definitions(full, wanted)));
    JsonValue::Object(lean)
}

/// The definitions that are reached from these ones.
fn definitions(full: &JsonValue, mut wanted: BTreeSet<String>) -> Json<String, JsonValue> {
    let mut found = Json::new();
    while let Some(name) = wanted.pop_first() {
        if !found.contains_key(&name)
            && let Some(definition) = full.get("$defs").and_then(|defs| defs.get(&name))
        {
            let mut further = BTreeSet::new();
            let lean = stripped(definition, &mut further);
            found.insert(name, lean);
            wanted.extend(further);
        }
    }
    found
}

fn annotation(key: &str) -> bool {
    matches!(key, "description" | "title" | "examples" | "default" | "$comment" | "$schema" | "$id")
        || key.starts_with("x-")
}

/// A schema without annotations; the definitions that it refers to are added to `wanted`.
fn stripped(schema: &JsonValue, wanted: &mut BTreeSet<String>) -> JsonValue {
    let Some(map) = schema.as_object() else {
        return match schema {
            JsonValue::Array(items) => JsonValue::Array(items.iter().map(|item| stripped(item, wanted)).collect()),
            other => other.clone(),
        };
    };
    let typed = map.contains_key("x-type");
    let mut lean = Json::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "properties" | "patternProperties" | "$defs" | "dependentSchemas" => {
                let inner = value.as_object().into_iter().flatten();
                JsonValue::Object(inner.map(|(key, value)| (key.clone(), stripped(value, wanted))).collect())
            }
            "$ref" => {
                let target = value.as_str().and_then(|target| target.strip_prefix("#/$defs/")).unwrap_or_default();
                let name = target.split('/').next().unwrap_or_default();
                wanted.insert(name.replace("~1", "/").replace("~0", "~"));
                value.clone()
            }
            "enum" | "const" | "required" | "type" => value.clone(),
            // What decoding reads more exactly.
            "pattern" if typed => continue,
            key if annotation(key) => continue,
            _ => stripped(value, wanted),
        };
        lean.insert(key.clone(), value);
    }
    JsonValue::Object(lean)
}

/// The spec as JSON; what is faulty counts as unanswered.
pub fn instance(node: &Node) -> JsonValue {
    match &node.data {
        Data::Null | Data::Poison => JsonValue::Null,
        Data::Bool { value, .. } => JsonValue::Bool(*value),
        Data::Int { value, .. } => JsonValue::from(*value),
        Data::Float { value, .. } => JsonValue::from(*value),
        Data::Text(text) => JsonValue::String(text.to_string()),
        Data::List(items) => JsonValue::Array(items.iter().map(instance).collect()),
        Data::Map(entries) => {
            JsonValue::Object(entries.iter().map(|e| (e.key.to_string(), instance(&e.value))).collect())
        }
    }
}
