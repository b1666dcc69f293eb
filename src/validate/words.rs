//! Parts of a schema in, words about them out.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value as JsonValue;

use super::letters;
use crate::diag::{Diag, codes};
use crate::node::{Data, Entry, Node};

/// Whether decoding will say more exactly what is wrong with a scalar.
pub fn left_to_decode(kind: &Kind, schema: &JsonValue, node: &Node) -> bool {
    schema.get("x-type").is_some()
        && node.scalar_text().is_some()
        && matches!(kind, Kind::Type { .. } | Kind::Pattern { .. } | Kind::Minimum { .. } | Kind::Maximum { .. })
}

/// The schema that a `$ref` beside other keywords points to.
pub fn target<'a>(root: &'a JsonValue, schema: &'a JsonValue) -> Option<&'a JsonValue> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// The property names that a schema knows, those of what it refers to included.
pub fn keys(schema: &JsonValue) -> impl Iterator<Item = &str> {
    schema.get("properties").and_then(JsonValue::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
}

/// The forms that a schema takes: `a string`, `a map`, `` `none` ``.
pub fn forms(root: &JsonValue, schema: &JsonValue) -> Vec<String> {
    let mut forms = Vec::new();
    collect_forms(root, schema, &mut forms, 0);
    let mut seen = std::collections::BTreeSet::new();
    forms.retain(|form: &String| seen.insert(form.clone()));
    forms
}

/// Whether a place takes a text, among other forms.
pub fn takes_text(schema: &JsonValue) -> bool {
    schema["type"].as_array().is_some_and(|types| types.iter().any(|t| t == "string"))
}

fn collect_forms(root: &JsonValue, schema: &JsonValue, forms: &mut Vec<String>, depth: usize) {
    if depth > 8 {
        return;
    }
    if let Some(target) = target(root, schema) {
        collect_forms(root, target, forms, depth + 1);
    }
    for key in ["oneOf", "anyOf"] {
        for branch in schema.get(key).and_then(JsonValue::as_array).into_iter().flatten() {
            collect_forms(root, branch, forms, depth + 1);
        }
    }
    let constants =
        schema.get("const").into_iter().chain(schema.get("enum").and_then(JsonValue::as_array).into_iter().flatten());
    let before = forms.len();
    forms.extend(constants.filter(|c| !c.is_null()).map(|c| format!("`{}`", plain(c))));
    if forms.len() > before {
        return;
    }
    match schema.get("type") {
        Some(JsonValue::String(name)) => forms.extend(type_name(name)),
        Some(JsonValue::Array(names)) => {
            forms.extend(names.iter().filter_map(JsonValue::as_str).filter_map(type_name));
        }
        _ => {}
    }
}

fn type_name(name: &str) -> Option<String> {
    Some(
        match name {
            "string" => "a string",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "`true` or `false`",
            "array" => "a list",
            "object" => "a map",
            _ => return None,
        }
        .to_string(),
    )
}

/// The constants among the forms that a schema takes.
pub fn constants(root: &JsonValue, schema: &JsonValue) -> Vec<String> {
    let quoted = forms(root, schema);
    quoted
        .iter()
        .filter_map(|f| f.strip_prefix('`')?.strip_suffix('`'))
        .filter(|f| !f.contains('`'))
        .map(Into::into)
        .collect()
}

/// What a text was meant to be that has the form of a boolean or a number and is none: `yes`, `"true"`, `"4"`.
pub fn meant(node: &Node, forms: &[String]) -> Option<String> {
    let Data::Text(text) = &node.data else { return None };
    let takes = |form: &str| forms.iter().any(|f| f == form);
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" if takes("`true` or `false`") => Some("true".to_owned()),
        "no" | "off" | "false" if takes("`true` or `false`") => Some("false".to_owned()),
        "none" | "no" | "n/a" | "nil" if takes("`none`") => Some("none".to_owned()),
        number if takes("a whole number") => {
            let value: i64 = number.parse().ok()?;
            (value.to_string() == number).then(|| value.to_string())
        }
        _ => None,
    }
}

/// A key in which the blank behind the colon is missing, `cpu:4`, as it was meant.
pub fn without_blank(entry: &Entry, known: &[&str]) -> Option<String> {
    let (key, value) = entry.key.split_once(':')?;
    let is_bare = matches!(entry.value.data, Data::Null) && !value.is_empty() && !value.starts_with(['/', ' ', ':']);
    (is_bare && known.contains(&key)).then(|| format!("{key}: {value}"))
}

/// `a, b or c`.
pub fn any_of(forms: &[String]) -> String {
    match forms {
        [] => "something else".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Names in backticks, separated by commas.
pub fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

pub fn quoted(words: &[String]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

/// A JSON scalar as a spec would have it.
pub fn plain(json: &JsonValue) -> String {
    match json {
        JsonValue::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the map at a pointer is called in messages: its last key, `None` for the whole spec.
pub fn title(pointer: &str) -> Option<String> {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let name = steps.iter().rev().find(|step| step.parse::<usize>().is_err()).or(steps.last())?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

/// Whether a pointer names an entry of the table of secrets.
pub fn is_secret_entry(pointer: &str) -> bool {
    pointer.strip_prefix("/secrets/").is_some_and(|rest| !rest.contains('/'))
}

/// Whether a character stands for itself in a pattern.
fn is_literal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-')
}

/// The finding about a value that breaks a keyword which has no report of its own.
pub fn fault(error: &ValidationError<'_>, schema: &JsonValue, node: &Node) -> Diag {
    let value = node.scalar_text().map_or("this value".to_string(), |text| format!("`{text}`"));
    let (code, message) = match error.kind() {
        Kind::Minimum { limit } => (codes::OUT_OF_BOUNDS, format!("{value} is less than {limit}")),
        Kind::Maximum { limit } => (codes::OUT_OF_BOUNDS, format!("{value} is more than {limit}")),
        Kind::ExclusiveMinimum { limit } => (codes::OUT_OF_BOUNDS, format!("{value} is not more than {limit}")),
        Kind::ExclusiveMaximum { limit } => (codes::OUT_OF_BOUNDS, format!("{value} is not less than {limit}")),
        Kind::MultipleOf { multiple_of } => (codes::OUT_OF_BOUNDS, format!("{value} is no multiple of {multiple_of}")),
        Kind::MinLength { limit } => (codes::OUT_OF_BOUNDS, format!("{value} has fewer than {limit} characters")),
        Kind::MaxLength { limit } => (codes::OUT_OF_BOUNDS, format!("{value} has more than {limit} characters")),
        Kind::MinItems { limit } => (codes::OUT_OF_BOUNDS, format!("the list has fewer than {limit} items")),
        Kind::MaxItems { limit } => (codes::OUT_OF_BOUNDS, format!("the list has more than {limit} items")),
        Kind::MinProperties { limit } => (codes::OUT_OF_BOUNDS, format!("the map has fewer than {limit} keys")),
        Kind::MaxProperties { limit } => (codes::OUT_OF_BOUNDS, format!("the map has more than {limit} keys")),
        Kind::Pattern { pattern } => {
            let odd = node.scalar_text().and_then(|text| letters::odd_one(pattern, text));
            let message = match odd {
                Some(' ') => format!("{value} has a blank, which cannot be in it"),
                Some(c) if c.is_ascii_uppercase() && letters::odd_one(pattern, "a").is_none() => {
                    format!("{value} has the capital letter `{c}`, and only small letters can be in it")
                }
                Some(c) if !c.is_control() && c != '`' => format!("{value} has `{c}`, which cannot be in it"),
                _ if schema["x-form"].is_string() => {
                    format!("{value} does not name {}", schema["x-form"].as_str().unwrap_or_default())
                }
                _ => match pattern.strip_prefix('^').filter(|begin| begin.chars().all(is_literal)) {
                    Some(begin) => format!("{value} does not begin with `{begin}`"),
                    None => format!("{value} does not have the form `{pattern}`"),
                },
            };
            (codes::MALFORMED, message)
        }
        Kind::OneOfMultipleValid { .. } => (codes::WRONG_TYPE, format!("{value} fits more than one form")),
        _ => (codes::MALFORMED, error.masked_with("this value").to_string()),
    };
    let diag = Diag::new(code, message);
    match schema.get("examples").and_then(JsonValue::as_array).and_then(|examples| examples.first()) {
        Some(example) if !example.is_object() && !example.is_array() => {
            diag.help(format!("write it like `{}`", plain(example)))
        }
        _ => diag,
    }
}
