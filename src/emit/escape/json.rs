//! From a value to a JSON value; characters that hide or reorder text become escapes.

use super::Form;
use super::refusal::{Refusal, is_unsafe, no_nul, scalar};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Key, value) => string(&scalar(value)?),
        (Form::Flow, value) => flow(value),
        (_, value) => atom(value),
    }
}

fn atom(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Bool(b) => Ok(b.to_string()),
        Value::Int(i) => Ok(i.to_string()),
        Value::Ports(p) if p.low == p.high => Ok(p.low.to_string()),
        other => string(&scalar(other)?),
    }
}

/// Any value on one line.
fn flow(value: &Value) -> Result<String, Refusal> {
    let pair = |name: &str, value: &Value| Ok(format!("{}: {}", string(name)?, flow(value)?));
    match value {
        Value::List(items) => {
            let items: Result<Vec<_>, Refusal> = items.iter().map(|i| flow(&i.value)).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        Value::Map(map) => {
            let pairs: Result<Vec<_>, Refusal> = map.iter().map(|(k, v)| pair(k, &v.value)).collect();
            Ok(format!("{{{}}}", pairs?.join(", ")))
        }
        other => atom(other),
    }
}

pub(super) fn string(text: &str) -> Result<String, Refusal> {
    no_nul(text)?;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(out)
}
