//! From a value to a path, a client or an option of an NFS exports file.

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Option, Value::List(items)) if !items.is_empty() => {
            let options: Result<Vec<_>, _> = items.iter().map(|i| option(&i.value)).collect();
            Ok(options?.join(","))
        }
        (Form::Option, value) => option(value),
        (Form::Client, value) => client(value),
        (_, value) => path(value),
    }
}

/// The exported directory, with octal escapes for everything that the reader could take for syntax.
fn path(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    if !text.starts_with('/') {
        return Err(Refusal::because(&text, "is not an absolute path, so it cannot be exported"));
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let harmless = c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '+' | ':' | '@' | ',' | '%');
        if harmless || !c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("\\{:03o}", u32::from(c)));
        }
    }
    Ok(out)
}

/// An address, a network or a host name. Wildcards, netgroups and default options are the template's to write: a value
/// that becomes one would open the export to hosts that nobody named.
fn client(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    let typed = matches!(value, Value::Address(_) | Value::Cidr(_));
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    if typed || (begins && text.chars().all(harmless)) {
        Ok(text.to_string())
    } else {
        Err(Refusal::because(&text, "is not an address, a network or a host name that an export can be given to"))
    }
}

fn option(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=' | ':' | '/' | '.' | '@' | '+');
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(harmless)
        || matches!(value, Value::Int(_))
    {
        Ok(text.to_string())
    } else {
        Err(Refusal::because(&text, "is not a single export option"))
    }
}
