//! From a value to a word, a rest of line or a quoted text of files made of `key = value` or `directive word …` lines.
//!
//! Chrony, pgbouncer, nfs.conf, sysctl and hosts files have no quoting in common, so what would need some is refused.

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    match form {
        // The quoting of pgbouncer's connection strings.
        Form::Literal => Ok(format!("'{}'", text.replace('\'', "''"))),
        Form::Line => line(&text),
        _ => word(&text),
    }
}

fn word(text: &str) -> Result<String, Refusal> {
    match text.chars().find(|c| c.is_whitespace() || matches!(c, ',' | '=' | '[' | ']')) {
        Some(' ') => Err(Refusal::because(text, "holds a blank, and the place takes one word")
            .help("let the template use `|line` when the rest of the line is one text")),
        Some(c) => Err(Refusal::because(text, format!("holds `{c}`, and the place takes one word"))
            .help("let the template use `|line` when the rest of the line is one text")),
        None => line(text),
    }
}

fn line(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.trim() != text {
        return Err(Refusal::because(text, "is empty, or begins or ends with a blank, which such a file cannot keep"));
    }
    if let Some(c) = text.chars().find(|c| matches!(c, '#' | ';' | '"' | '\'' | '\\' | '$')) {
        return Err(Refusal::because(text, format!("holds `{c}`, which some readers of such a file take for syntax")));
    }
    if text.starts_with(['!', '%']) {
        return Err(Refusal::because(text, "begins with a character that begins a comment or an include"));
    }
    Ok(text.to_string())
}
