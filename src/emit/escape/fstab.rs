//! From a value to a field of fstab, or to its options, with octal escapes where a character would end the field.

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Option, Value::List(items)) => {
            let options: Result<Vec<_>, _> = items.iter().map(|i| option(&i.value)).collect();
            let options = options?;
            Ok(if options.is_empty() { "defaults".into() } else { options.join(",") })
        }
        (Form::Option, value) => option(value),
        (_, value) => {
            let text = one_line(value)?;
            if text.is_empty() {
                return Err(Refusal::new("an empty text cannot be a field of fstab"));
            }
            Ok(field(&text))
        }
    }
}

/// One mount option. A comma would begin the next one, and the escape for it is undone before commas are looked for.
fn option(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    if text.is_empty() {
        return Err(Refusal::new("an empty text cannot be a mount option"));
    }
    if let Some(c) = text.chars().find(|c| matches!(c, ',' | '"')) {
        return Err(Refusal::because(&text, format!("holds `{c}`, which a mount option cannot have")));
    }
    Ok(field(&text))
}

fn field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\\' | '#' | '"' | '\'' => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
