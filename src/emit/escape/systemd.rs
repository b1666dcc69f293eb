//! From a value to a setting of a systemd unit, or to one word of such a setting.
//!
//! `%` begins a specifier everywhere and is doubled; `$` begins a variable on command lines and is doubled there.

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::{Quantity, Unit, Value};

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Key, value) => key(&one_line(value)?),
        (_, Value::Bool(b)) => Ok(if *b { "yes" } else { "no" }.into()),
        (_, Value::Quantity(q)) => quantity(q),
        (Form::Word, value) => Ok(word(&one_line(value)?)),
        (Form::Exec, value) => Ok(word(&one_line(value)?.replace('$', "$$"))),
        (Form::Program, value) => program(&one_line(value)?),
        (Form::Line, value) => line(&one_line(value)?),
        (_, value) => bare(&one_line(value)?),
    }
}

/// The name of a setting or a section.
fn key(text: &str) -> Result<String, Refusal> {
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        Ok(text.to_string())
    } else {
        Err(Refusal::because(text, "is not the name of a setting or section of a unit"))
    }
}

/// The rest of a line, taken as it is.
fn line(text: &str) -> Result<String, Refusal> {
    if text.ends_with('\\') {
        return Err(Refusal::because(text, "ends with a backslash, which would join the next line to it"));
    }
    if text.trim() != text {
        return Err(Refusal::because(text, "begins or ends with a blank, which systemd removes"));
    }
    if text.is_empty() {
        return Err(Refusal::new("an empty text would reset the setting instead of setting it"));
    }
    Ok(text.replace('%', "%%"))
}

/// One element of a setting that may be a list: nothing in it can end it or needs quotes.
fn bare(text: &str) -> Result<String, Refusal> {
    let risky = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ';' | '#');
    match text.chars().find(|c| risky(*c)) {
        Some(c) => Err(Refusal::because(text, format!("holds `{c}`, and the setting may be a list"))
            .help("let the template use `|line` when the setting takes the whole line as one text")),
        None => line(text),
    }
}

/// The program of a command line; a prefix such as `+` or `-` would change how it runs.
fn program(text: &str) -> Result<String, Refusal> {
    if text.starts_with('/') {
        Ok(word(&text.replace('$', "$$")))
    } else {
        Err(Refusal::because(text, "is not an absolute path to a program"))
    }
}

/// One word of a list that knows quotes.
fn word(text: &str) -> String {
    let text = text.replace('%', "%%");
    let harmless = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':' | '@' | '+' | '=' | ',' | '-' | '%' | '$')
    };
    if !text.is_empty() && text.chars().all(harmless) {
        text
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Sizes count in powers of 1024 with `K`, `M`, `G`; times in `s` and `ms`.
fn quantity(quantity: &Quantity) -> Result<String, Refusal> {
    let n = quantity.amount;
    match quantity.unit {
        Unit::Bytes if n > 0 && n.is_multiple_of(1 << 30) => Ok(format!("{}G", n >> 30)),
        Unit::Bytes if n > 0 && n.is_multiple_of(1 << 20) => Ok(format!("{}M", n >> 20)),
        Unit::Bytes if n > 0 && n.is_multiple_of(1 << 10) => Ok(format!("{}K", n >> 10)),
        Unit::Bytes => Ok(n.to_string()),
        Unit::Milliseconds if n.is_multiple_of(1000) => Ok(format!("{}s", n / 1000)),
        Unit::Milliseconds => Ok(format!("{n}ms")),
        Unit::Millicores => Ok(format!("{}%%", n / 10)),
        Unit::BitsPerSecond => Err(Refusal::because(&quantity.source, "measures something that no unit setting takes")),
    }
}
