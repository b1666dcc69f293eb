//! From a value to a PowerShell expression: `$true`, a number, or a string in single quotes; a list becomes `@(…)`.

use super::refusal::{Refusal, printable, scalar};
use crate::value::Value;

pub(super) fn escape(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Bool(true) => Ok("$true".into()),
        Value::Bool(false) => Ok("$false".into()),
        Value::Int(i) => Ok(i.to_string()),
        Value::Ports(p) if p.low == p.high => Ok(p.low.to_string()),
        Value::List(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| escape(&i.value)).collect();
            Ok(format!("@({})", items?.join(", ")))
        }
        other => {
            let text = scalar(other)?;
            printable(&text, &['\n', '\t'])?;
            Ok(string(&text))
        }
    }
}

/// A verbatim string. PowerShell takes the typographic single quotes for its own, so these are doubled as well.
fn string(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        out.push(c);
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(c);
        }
    }
    out.push('\'');
    out
}
