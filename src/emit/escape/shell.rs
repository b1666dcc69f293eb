//! From a value to one word of a POSIX shell, in single quotes when it needs any; a list becomes several words.

use super::Form;
use super::refusal::{Refusal, printable, scalar};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    if let Value::List(items) = value {
        let words: Result<Vec<_>, _> = items.iter().map(|i| escape(form, &i.value)).collect();
        return Ok(words?.join(" "));
    }
    let text = scalar(value)?;
    printable(&text, &['\n', '\t'])?;
    match form {
        Form::Ident => name(&text),
        Form::Token if text.starts_with('-') && !matches!(value, Value::Int(_)) => {
            Err(Refusal::because(&text, "begins with `-`, and a command would take it for an option"))
        }
        _ => Ok(word(&text)),
    }
}

/// The name of a variable or function.
fn name(text: &str) -> Result<String, Refusal> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(text.to_string())
    } else {
        Err(Refusal::because(text, "is not a name that a shell variable can have"))
    }
}

pub(super) fn word(text: &str) -> String {
    const RESERVED: &[&str] = &[
        "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in", "function",
        "select", "time", "coproc",
    ];
    let harmless =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':' | '@' | '%' | '+' | ',' | '-');
    if !text.is_empty() && text.chars().all(harmless) && !RESERVED.contains(&text) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
