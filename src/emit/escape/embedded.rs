//! From a value to text inside a comment, a block scalar, a here-document or a code fence.

use super::hcl::without_templates;
use super::refusal::{Refusal, one_line};
use super::{Context, Format, Inner, escape};
use crate::value::Value;

/// One line of a comment; nothing in it closes the comment or joins the next line to it.
pub(super) fn comment(format: Format, value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    if text.ends_with('\\') {
        return Err(Refusal::because(&text, "ends with a backslash, which would join the next line to the comment"));
    }
    let closes = match format {
        Format::Html | Format::Markdown => {
            text.contains("--") || text.starts_with(['>', '-']) || text.ends_with(['-', '!', '<'])
        }
        Format::Sql | Format::Hcl => text.contains("*/") || text.contains("/*"),
        _ => false,
    };
    if closes {
        return Err(Refusal::because(&text, "could end the comment that it stands in"));
    }
    Ok(text.to_string())
}

/// A line of a block scalar: blanks at its head would change the indentation of the block.
pub(super) fn block(inner: Inner, value: &Value) -> Result<String, Refusal> {
    let text = content(inner, value)?;
    if text.starts_with(' ') {
        return Err(Refusal::because(&text, "begins with a blank, which would change the block that it stands in"));
    }
    Ok(text)
}

/// A line of a here-document that is taken as it is.
pub(super) fn heredoc(inner: Inner, value: &Value) -> Result<String, Refusal> {
    let text = content(inner, value)?;
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if (text.starts_with("EOF") || text.starts_with("EOT")) && text.chars().all(upper) {
        return Err(Refusal::because(&text, "could end the here-document that it stands in"));
    }
    Ok(text)
}

/// A line of a here-document in which variables and commands are expanded.
pub(super) fn open_heredoc(format: Format, inner: Inner, value: &Value) -> Result<String, Refusal> {
    let text = heredoc(inner, value)?;
    if format == Format::Hcl {
        return without_templates(&text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}

/// A line of a code fence.
pub(super) fn fence(inner: Inner, value: &Value) -> Result<String, Refusal> {
    let text = content(inner, value)?;
    if text.contains("```") || text.contains("~~~") {
        return Err(Refusal::because(&text, "could end the code fence that it stands in"));
    }
    Ok(text)
}

/// The text of one line, as a token of the embedded format when there is one.
fn content(inner: Inner, value: &Value) -> Result<String, Refusal> {
    let Some((format, form)) = inner else {
        return Ok(one_line(value)?.to_string());
    };
    let text = escape(format, Context::By(form), value)?;
    if text.contains('\n') {
        return Err(Refusal::because(&text, "holds a line break, and the place takes one line"));
    }
    Ok(text)
}
