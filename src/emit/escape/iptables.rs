//! From a value to a word, a list or a comment string of the iptables-restore format.

use super::Form;
use super::nft::is_typed;
use super::refusal::{Refusal, one_line};
use crate::value::Value;

/// The most bytes that the comment match keeps.
const COMMENT_BYTES_MAX: usize = 255;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Literal, value) => literal(&one_line(value)?),
        (_, Value::List(items)) if !items.is_empty() => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| word(&i.value)).collect();
            Ok(items?.join(","))
        }
        (_, value) => word(value),
    }
}

fn literal(text: &str) -> Result<String, Refusal> {
    if text.len() > COMMENT_BYTES_MAX {
        let reason = format!("has {} bytes, and a comment of iptables holds {COMMENT_BYTES_MAX}", text.len());
        return Err(Refusal::because(text, reason));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A number, an address, a range of ports with its colon, or a name; nothing that an option could be taken for.
fn word(value: &Value) -> Result<String, Refusal> {
    if let Value::Ports(p) = value {
        return Ok(if p.low == p.high { p.low.to_string() } else { format!("{}:{}", p.low, p.high) });
    }
    let text = one_line(value)?;
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if matches!(value, Value::Bool(_)) || !(is_typed(&text) || begins && text.chars().all(harmless)) {
        return Err(Refusal::because(&text, "is not a single word, an address or a port of iptables"));
    }
    Ok(text.to_string())
}
