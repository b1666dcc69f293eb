//! The schema as a text of its own: valid, described, and in step with the types.

use std::collections::BTreeSet;

use serde_json::{Value as JsonValue, json};
use sitec::schema::{Schema, TEXT};
use sitec::shape::Type;
use sitec::value::Unit;

fn core() -> JsonValue {
    serde_json::from_str(TEXT).unwrap()
}

/// Calls `f` with every subschema and its pointer.
fn each<'a>(schema: &'a JsonValue, pointer: String, f: &mut impl FnMut(&str, &'a JsonValue)) {
    if !schema.is_object() {
        return;
    }
    f(&pointer, schema);
    for key in ["properties", "$defs", "x-derived", "patternProperties"] {
        for (name, inner) in schema[key].as_object().into_iter().flatten() {
            each(inner, format!("{pointer}/{key}/{name}"), f);
        }
    }
    for key in ["items", "additionalProperties", "propertyNames"] {
        if let Some(inner) = schema.get(key) {
            each(inner, format!("{pointer}/{key}"), f);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for (index, inner) in schema[key].as_array().into_iter().flatten().enumerate() {
            each(inner, format!("{pointer}/{key}/{index}"), f);
        }
    }
}

#[test]
fn is_a_valid_schema() {
    let schema = core();
    jsonschema::options().offline().build(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["$id"].is_string());
}

#[test]
fn every_property_and_definition_is_described() {
    let schema = core();
    each(&schema, String::new(), &mut |pointer, part| {
        let parent = pointer.rsplit('/').nth(1);
        if matches!(parent, Some("properties" | "$defs" | "x-derived")) {
            let text = part["description"].as_str().unwrap_or_else(|| panic!("{pointer} has no description"));
            assert!(text.ends_with('.') && text.starts_with(|c: char| !c.is_lowercase()), "{pointer}: {text}");
        }
    });
}

#[test]
fn objects_are_closed_or_open_on_purpose() {
    let schema = core();
    each(&schema, String::new(), &mut |pointer, part| {
        if part.get("properties").is_some() {
            assert_eq!(part["additionalProperties"], json!(false), "{pointer}");
        }
        let object = part["type"] == "object" || part["type"].as_array().is_some_and(|t| t.contains(&json!("object")));
        assert!(!object || part.get("additionalProperties").is_some(), "{pointer}");
    });
}

#[test]
fn what_may_be_unanswered_may_be_null() {
    let schema = core();
    let required = BTreeSet::from(["/properties/sitec", "/properties/site", "/properties/site/properties/name"]);
    let validator = |part: &JsonValue| {
        let mut part = part.clone();
        part["$defs"] = schema["$defs"].clone();
        jsonschema::options().offline().build(&part).unwrap()
    };
    each(&schema, String::new(), &mut |pointer, part| {
        if pointer.rsplit('/').nth(1) == Some("properties") && !pointer.contains("/x-derived/") {
            assert_eq!(validator(part).is_valid(&JsonValue::Null), !required.contains(pointer), "{pointer}");
        }
    });
}

#[test]
fn examples_and_defaults_fit_their_own_schema() {
    let schema = core();
    each(&schema, String::new(), &mut |pointer, part| {
        let examples = part["examples"].as_array().into_iter().flatten();
        let all: Vec<&JsonValue> = examples.chain(part.get("default")).collect();
        if all.is_empty() {
            return;
        }
        let mut own = part.clone();
        own["$defs"] = schema["$defs"].clone();
        let validator = jsonschema::options().offline().build(&own).unwrap();
        for example in all {
            assert!(validator.is_valid(example), "{pointer}: {example}");
        }
    });
}

#[test]
fn our_own_keywords_are_known() {
    let schema = core();
    let tables: Vec<String> = Schema::new(&[]).tables().iter().map(|t| t.to_string()).collect();
    let types = [
        "quantity.bytes",
        "quantity.rate",
        "quantity.duration",
        "quantity.cpu",
        "version",
        "address",
        "cidr",
        "port",
        "ports",
        "text",
        "os",
        "iops",
        "named",
    ];
    each(&schema, String::new(), &mut |pointer, part| {
        for key in part.as_object().unwrap().keys().filter(|key| key.starts_with("x-")) {
            let known = ["x-type", "x-ref", "x-table", "x-derived", "x-default-when", "x-form"];
            assert!(known.contains(&key.as_str()), "{pointer}: {key}");
        }
        if let Some(own) = part.get("x-type") {
            assert!(types.contains(&own.as_str().unwrap()), "{pointer}: {own}");
        }
        let named = match &part["x-ref"] {
            JsonValue::String(one) => vec![one.clone()],
            JsonValue::Array(several) => several.iter().map(|t| t.as_str().unwrap().into()).collect(),
            _ => Vec::new(),
        };
        assert!(named.iter().all(|table| tables.contains(table)), "{pointer}: {named:?}");
    });
}

#[test]
fn types_follow_the_schema() {
    let schema = Schema::new(&[]);
    let at = |pointer: &str| schema.at(pointer).unwrap_or_else(|| panic!("{pointer}"));
    assert_eq!(at("/hosts/*/memory"), Type::Quantity(Unit::Bytes));
    assert_eq!(at("/hosts/*/addresses/0"), Type::Address);
    assert_eq!(at("/hosts/*/name"), Type::Text);
    assert_eq!(at("/hosts/*/os/version"), Type::Version);
    assert_eq!(at("/hosts/*/iops/read"), Type::Int);
    assert_eq!(at("/hosts/*/facts/anything"), Type::Any);
    assert_eq!(
        at("/storage/*/server"),
        Type::OneOf(vec![Type::Ref("hosts".into()), Type::Ref("external".into())].into())
    );
    assert_eq!(at("/storage/*/filesystem/size"), Type::Quantity(Unit::Bytes));
    assert_eq!(at("/smtp/port"), Type::Ports { range: false });
    assert_eq!(at("/clusters/*/node_port_range"), Type::Ports { range: true });
    assert_eq!(at("/clusters/*/version"), Type::Version);
    assert_eq!(at("/registry/password/secret"), Type::Ref("secrets".into()));
    assert!(matches!(at("/clusters/*/node_labels"), Type::Keyed { .. }));
    assert!(schema.at("/hosts/*/memorry").is_none());
}

#[test]
fn settings_of_packs_are_grafted() {
    let settings = json!({
        "$id": "https://example.com/settings",
        "type": "object",
        "properties": {
            "nodes": { "type": "array", "items": { "type": "string", "x-ref": "hosts" } },
            "quota": { "$ref": "#/$defs/size" },
            "password": { "$ref": "site.schema.json#/$defs/secret_ref" }
        },
        "additionalProperties": false,
        "$defs": { "size": { "type": "string", "x-type": "quantity.bytes" } }
    });
    let schema = Schema::new(&[("portal".into(), &settings)]);
    jsonschema::options().offline().build(schema.json()).unwrap();
    let at = |pointer: &str| schema.at(pointer).unwrap_or_else(|| panic!("{pointer}"));
    assert_eq!(at("/products/portal/settings/nodes"), Type::List(Type::Ref("hosts".into()).into()));
    assert_eq!(at("/products/portal/settings/quota"), Type::Quantity(Unit::Bytes));
    assert_eq!(at("/products/portal/settings/password/secret"), Type::Ref("secrets".into()));
    assert_eq!(at("/products/portal/cluster"), Type::Ref("clusters".into()));
    assert_eq!(at("/products/portal/name"), Type::Text);
    assert!(schema.at("/products/portal/settings/other").is_none());
    assert_eq!(at("/products/other/settings/other"), Type::Any);
}
