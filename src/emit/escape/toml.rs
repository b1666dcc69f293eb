//! From a value to a TOML value or quoted key: numbers and booleans native, everything else a basic string.

use super::refusal::{Refusal, is_unsafe, no_nul, scalar};
use crate::value::Value;

pub(super) fn escape(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Bool(b) => Ok(b.to_string()),
        Value::Int(i) => Ok(i.to_string()),
        Value::Ports(p) if p.low == p.high => Ok(p.low.to_string()),
        Value::List(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| escape(&i.value)).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        other => string(&scalar(other)?),
    }
}

fn string(text: &str) -> Result<String, Refusal> {
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
            c if is_unsafe(c) => match u32::from(c) {
                n @ ..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(out)
}
