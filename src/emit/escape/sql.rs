//! From a value to an SQL identifier or literal as PostgreSQL reads them.

use super::Form;
use super::refusal::{Refusal, printable, scalar};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Ident, value) => ident(&scalar(value)?),
        (_, Value::Int(i)) => Ok(i.to_string()),
        (_, Value::Bool(b)) => Ok(if *b { "TRUE" } else { "FALSE" }.into()),
        (Form::Literal, value) => literal(&scalar(value)?),
        (_, value) => Err(Refusal::because(&scalar(value)?, "could be a name or a text in SQL")
            .help("let the template say which: `|ident` or `|literal`")),
    }
}

/// In double quotes; names longer than 63 bytes are refused, since PostgreSQL cuts them without an error.
fn ident(text: &str) -> Result<String, Refusal> {
    printable(text, &[])?;
    if text.is_empty() {
        return Err(Refusal::new("an empty text cannot be an SQL name"));
    }
    if text.len() > 63 {
        return Err(Refusal::because(text, "is longer than the 63 bytes that PostgreSQL keeps of a name"));
    }
    Ok(format!("\"{}\"", text.replace('"', "\"\"")))
}

/// In single quotes; with a backslash in it as an `E''` string, whose meaning no setting of the server changes.
fn literal(text: &str) -> Result<String, Refusal> {
    printable(text, &['\n', '\t'])?;
    let quoted = text.replace('\'', "''");
    Ok(if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") })
}
