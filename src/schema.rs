//! The schema of the spec, extended by the settings of the packs in use, as JSON and as types.

mod compile;

use serde_json::{Map as Json, Value as JsonValue};

use crate::shape::Type;
use crate::value::Str;

/// The schema of the spec as it is written; the one source of the spec's types.
pub const TEXT: &str = include_str!("../schema/site.schema.json");

/// The schema of one compilation.
#[derive(Clone, Debug)]
pub struct Schema {
    json: JsonValue,
    root: Type,
    tables: Vec<Str>,
}

impl Schema {
    /// Merges the settings schema of each used pack into the core schema, at `/products/<instance>/settings`.
    ///
    /// A settings schema is an object schema. It may have `$defs` of its own, and it reaches the core's definitions
    /// by `{"$ref": "site.schema.json#/$defs/<name>"}`.
    pub fn new(packs: &[(Str, &JsonValue)]) -> Self {
        let mut json = serde_json::from_str(TEXT).expect("the embedded schema is JSON, as a test makes sure");
        for (instance, settings) in packs {
            graft(&mut json, instance, settings);
        }
        let (root, tables) = compile::compile(&json);
        Self { json, root, tables }
    }

    /// The merged schema, for validation and for editors.
    pub fn json(&self) -> &JsonValue {
        &self.json
    }

    /// The type of the resolved site.
    pub fn root(&self) -> &Type {
        &self.root
    }

    /// The keys of the site's tables, whose entries can be named by `x-ref`.
    pub fn tables(&self) -> &[Str] {
        &self.tables
    }

    /// The type of a place, by JSON Pointer; `*` stands for any name or index. `None` where there can be no such
    /// place.
    pub fn at(&self, pointer: &str) -> Option<Type> {
        let mut ty = self.root.clone();
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            ty = match &ty {
                Type::List(item) => (**item).clone(),
                ty => ty.field(&step)?,
            };
        }
        Some(ty)
    }
}

/// Puts a pack's settings schema under `$defs` and points the instance's `settings` at it.
fn graft(json: &mut JsonValue, instance: &str, settings: &JsonValue) {
    let definition = definition_name(json, instance);
    let base = format!("#/$defs/{definition}");
    let mut own = settings.clone();
    if let JsonValue::Object(map) = &mut own {
        map.shift_remove("$schema");
        map.shift_remove("$id");
    }
    rebase(&mut own, &base);
    let product = serde_json::json!({
        "$ref": "#/$defs/product",
        "properties": { "settings": { "$ref": base } },
    });
    if let Some(defs) = object_at(json, &["$defs"]) {
        defs.insert(definition, own);
    }
    if let Some(products) = object_at(json, &["properties", "products"])
        && let JsonValue::Object(instances) =
            products.entry("properties").or_insert_with(|| JsonValue::Object(Json::new()))
    {
        instances.insert(instance.to_string(), product);
    }
}

/// A free name under `$defs` that needs no escapes in a reference.
fn definition_name(json: &JsonValue, instance: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let mut name = format!("settings.{}", instance.chars().map(plain).collect::<String>());
    while json.get("$defs").is_some_and(|defs| defs.get(&name).is_some()) {
        name.push('_');
    }
    name
}

fn object_at<'a>(json: &'a mut JsonValue, path: &[&str]) -> Option<&'a mut Json<String, JsonValue>> {
    path.iter().try_fold(json, |json, step| json.get_mut(step))?.as_object_mut()
}

/// Makes the references of a schema that becomes part of another point to where their targets are then.
fn rebase(schema: &mut JsonValue, base: &str) {
    match schema {
        JsonValue::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    JsonValue::String(target) if key == "$ref" => {
                        if let Some(core) = target.strip_prefix("site.schema.json#") {
                            *target = format!("#{core}");
                        } else if let Some(own) = target.strip_prefix('#') {
                            *target = format!("{base}{own}");
                        }
                    }
                    value if !matches!(key.as_str(), "default" | "examples" | "const" | "enum") => rebase(value, base),
                    _ => {}
                }
            }
        }
        JsonValue::Array(items) => items.iter_mut().for_each(|item| rebase(item, base)),
        _ => {}
    }
}
