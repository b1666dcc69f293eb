//! From a value to a field of pg_hba.conf; in quotes a word such as `all` is a name and nothing else.

use super::refusal::{Refusal, one_line};
use crate::value::Value;

pub(super) fn escape(value: &Value) -> Result<String, Refusal> {
    match value {
        // Without a prefix length the server would look for a netmask in the next field.
        Value::Address(address) => Ok(format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })),
        Value::List(items) if !items.is_empty() => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| escape(&i.value)).collect();
            Ok(items?.join(","))
        }
        other => word(&one_line(other)?),
    }
}

fn word(text: &str) -> Result<String, Refusal> {
    const KEYWORDS: &[&str] = &["all", "sameuser", "samerole", "samegroup", "replication", "samehost", "samenet"];
    if text.is_empty() {
        return Err(Refusal::new("an empty text cannot be a field of pg_hba.conf"));
    }
    if text.starts_with('/') {
        return Err(Refusal::because(text, "begins with `/`, which newer servers take for a pattern even in quotes"));
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '/');
    if text.chars().all(harmless) && !KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(text)) {
        Ok(text.to_string())
    } else {
        Ok(format!("\"{}\"", text.replace('"', "\"\"")))
    }
}
