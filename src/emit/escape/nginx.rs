//! From a value to one parameter of an NGINX directive.

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::{Quantity, Unit, Value};

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Bool(b) => return Ok(if *b { "on" } else { "off" }.into()),
        Value::Quantity(q) => return quantity(q),
        _ => {}
    }
    let text = one_line(value)?;
    if text.contains('$') {
        return Err(Refusal::because(&text, "holds `$`, which NGINX takes for a variable and has no escape for"));
    }
    if form != Form::Literal && text.starts_with(['~', '=', '^', '@', '!']) {
        return Err(Refusal::because(&text, "begins with a character that changes how NGINX matches"));
    }
    if bare(&text) {
        Ok(text.to_string())
    } else if form == Form::Bare {
        Err(Refusal::because(&text, "would need quotes, and none can stand in the middle of an NGINX parameter"))
    } else {
        Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

fn bare(text: &str) -> bool {
    let harmless = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '.' | '/' | ':' | '-' | '*' | '+' | ',' | '=' | '%' | '[' | ']' | '@')
    };
    !text.is_empty() && text.chars().all(harmless)
}

/// Sizes count in powers of 1024 with `k`, `m`, `g`; times in `s` and `ms`.
fn quantity(quantity: &Quantity) -> Result<String, Refusal> {
    let n = quantity.amount;
    match quantity.unit {
        Unit::Bytes if n == 0 => Ok("0".into()),
        Unit::Bytes if n.is_multiple_of(1 << 30) => Ok(format!("{}g", n >> 30)),
        Unit::Bytes if n.is_multiple_of(1 << 20) => Ok(format!("{}m", n >> 20)),
        Unit::Bytes if n.is_multiple_of(1 << 10) => Ok(format!("{}k", n >> 10)),
        Unit::Bytes => Ok(n.to_string()),
        Unit::Milliseconds if n.is_multiple_of(1000) => Ok(format!("{}s", n / 1000)),
        Unit::Milliseconds => Ok(format!("{n}ms")),
        Unit::BitsPerSecond | Unit::Millicores => {
            Err(Refusal::because(&quantity.source, "measures something that no NGINX directive takes"))
        }
    }
}
