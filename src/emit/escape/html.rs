//! From a value to HTML text, to a quoted attribute, or to an address that a click may follow. The same text is XML.

use super::Form;
use super::refusal::{Refusal, printable, scalar};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    let text = scalar(value)?;
    printable(&text, &['\n', '\t'])?;
    match form {
        Form::Url => {
            check_scheme(&text)?;
            Ok(format!("\"{}\"", entities(&text)))
        }
        Form::Attribute => Ok(format!("\"{}\"", entities(&text))),
        _ => Ok(entities(&text)),
    }
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// Refuses addresses of another scheme than http, https and mailto; a relative path is fine.
pub(super) fn check_scheme(text: &str) -> Result<(), Refusal> {
    let head = text.split(['/', '?', '#']).next().unwrap_or("");
    let known = |s: &str| ["http", "https", "mailto"].iter().any(|k| k.eq_ignore_ascii_case(s));
    match head.split_once(':') {
        Some((scheme, _)) if !known(scheme) => {
            Err(Refusal::because(text, "is not an address that a link may point at"))
        }
        None | Some(_) => Ok(()),
    }
}
