//! From a value to a YAML scalar, key or collection that YAML 1.1 and 1.2 readers take for the same.
//!
//! Plain style only by a positive list; everything else stands in double quotes. Whole numbers and booleans are native,
//! all other scalars are strings.

use super::Form;
use super::refusal::{Refusal, is_unsafe, no_nul, scalar};
use crate::value::{Str, Value};

/// What reads the YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Plain,
    /// Compose files, in which `$` begins a variable and `$$` is a dollar.
    Compose,
}

pub(super) fn escape(form: Form, value: &Value, dialect: Dialect) -> Result<String, Refusal> {
    match form {
        Form::Key => key(&scalar(value)?, dialect),
        Form::Flow => flow(value, dialect),
        _ => atom(value, dialect),
    }
}

/// One scalar of any type.
fn atom(value: &Value, dialect: Dialect) -> Result<String, Refusal> {
    match value {
        Value::Bool(b) => Ok(b.to_string()),
        Value::Int(i) => Ok(i.to_string()),
        Value::Ports(p) if p.low == p.high => Ok(p.low.to_string()),
        other => string(&scalar(other)?, dialect),
    }
}

/// A key, which is a string whatever the value's type, and short enough for a simple key.
fn key(text: &str, dialect: Dialect) -> Result<String, Refusal> {
    let written = string(text, dialect)?;
    if written.len() > 1000 {
        return Err(Refusal::because(text, "is longer than a YAML key may be"));
    }
    Ok(written)
}

/// A string as a plain scalar where that is safe, else in double quotes.
fn string(text: &str, dialect: Dialect) -> Result<String, Refusal> {
    no_nul(text)?;
    Ok(match dialect {
        Dialect::Compose if text.contains('$') => quoted(&text.replace('$', "$$")),
        _ if plain(text) => text.to_string(),
        _ => quoted(text),
    })
}

/// The positive list: begins with a letter, `/` or `_`, goes on with harmless characters and single blanks, and is no
/// word that some reader takes for a boolean, a null or a number.
fn plain(text: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '@' | ' ');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    begins && text.chars().all(harmless) && !text.ends_with(' ') && !text.contains("  ") && !is_word(text)
}

fn is_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "null", "none", "nil", "nan", "inf", "infinity",
    ];
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(text))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) || c == '\u{a0}' => match u32::from(c) {
                n @ ..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ ..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The entries of a map or a record, in their order.
fn entries(value: &Value) -> Option<Vec<(Str, Value)>> {
    match value {
        Value::Map(map) => Some(map.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect()),
        Value::Record(record) => Some(
            record
                .fields()
                .iter()
                .filter_map(|name| Some((Str::from(*name), record.field(name)?.value)))
                .filter(|(_, value)| !value.is_null())
                .collect(),
        ),
        _ => None,
    }
}

/// Any value on one line. Nothing is refused inside collections as well.
fn flow(value: &Value, dialect: Dialect) -> Result<String, Refusal> {
    if let Value::List(items) = value {
        let items: Result<Vec<_>, _> = items.iter().map(|i| flow(&i.value, dialect)).collect();
        return Ok(format!("[{}]", items?.join(", ")));
    }
    if let Some(entries) = entries(value) {
        let entries: Result<Vec<_>, Refusal> =
            entries.iter().map(|(k, v)| Ok(format!("{}: {}", key(k, dialect)?, flow(v, dialect)?))).collect();
        return Ok(if entries.as_ref().is_ok_and(Vec::is_empty) {
            "{}".into()
        } else {
            format!("{{{}}}", entries?.join(", "))
        });
    }
    atom(value, dialect)
}

/// Any value as a block that begins on a line of its own, each line indented by `indent` blanks and ended by a newline.
///
/// Empty collections are written in flow style; lists are indented by two below their key.
pub fn block(value: &Value, indent: usize, dialect: Dialect) -> Result<String, Refusal> {
    let mut out = String::new();
    write_block(value, indent, dialect, &mut out)?;
    Ok(out)
}

fn write_block(value: &Value, indent: usize, dialect: Dialect, out: &mut String) -> Result<(), Refusal> {
    let pad = " ".repeat(indent);
    match (value, entries(value)) {
        (Value::List(items), _) if !items.is_empty() => {
            for item in items.iter() {
                if is_collection(&item.value) {
                    // The first line of the nested block takes the place of the blanks after the dash.
                    let mut nested = String::new();
                    write_block(&item.value, indent + 2, dialect, &mut nested)?;
                    out.push_str(&format!("{pad}- {}", &nested[indent + 2..]));
                } else {
                    out.push_str(&format!("{pad}- {}\n", flow(&item.value, dialect)?));
                }
            }
        }
        (_, Some(entries)) if !entries.is_empty() => {
            for (name, item) in &entries {
                let name = key(name, dialect)?;
                if is_collection(item) {
                    out.push_str(&format!("{pad}{name}:\n"));
                    write_block(item, indent + 2, dialect, out)?;
                } else {
                    out.push_str(&format!("{pad}{name}: {}\n", flow(item, dialect)?));
                }
            }
        }
        _ => out.push_str(&format!("{pad}{}\n", flow(value, dialect)?)),
    }
    Ok(())
}

/// Whether a value needs lines of its own.
fn is_collection(value: &Value) -> bool {
    match value {
        Value::List(items) => !items.is_empty(),
        _ => entries(value).is_some_and(|e| !e.is_empty()),
    }
}
