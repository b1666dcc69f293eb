//! From a value to Markdown text in which nothing is markup, to inline code, or to the destination of a link.

use super::Form;
use super::html::check_scheme;
use super::refusal::{Refusal, one_line, printable, scalar};
use crate::value::Value;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match form {
        Form::Code => Ok(code(&one_line(value)?)),
        Form::CodeCell => Ok(code(&one_line(value)?).replace('|', "\\|")),
        Form::InCode => in_code(&one_line(value)?),
        Form::Url => destination(&one_line(value)?),
        _ => {
            let text = scalar(value)?;
            printable(&text, &['\n', '\t'])?;
            Ok(prose(&text))
        }
    }
}

/// Text without markup, on one line: a line break in the value is a blank, as it is in a paragraph.
fn prose(text: &str) -> String {
    let number = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.char_indices().map(|(i, c)| (i, if matches!(c, '\n' | '\t') { ' ' } else { c })).peekable();
    let mut before = None;
    while let Some((i, c)) = chars.next() {
        let after = chars.peek().map(|(_, c)| *c);
        let escaped = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$' | '{' | '}' => true,
            // Between two letters it is no markup.
            '_' => !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)),
            // Headings, lists, rules and underlines begin a line.
            '#' | '+' | '-' | '=' | ':' => i == 0 || (c == ':' && after == Some('/')),
            // The marker of a numbered list ends in a blank or with the line: `10.2.0.1` is none.
            '.' | ')' => {
                (number > 0 && i == number && after.is_none_or(char::is_whitespace))
                    || (c == '.' && ends_with_www(&text[..i]))
            }
            _ => false,
        };
        if c == ' ' && (i == 0 || after.is_none() || before == Some(' ')) {
            out.push_str("&#32;");
        } else {
            if escaped {
                out.push('\\');
            }
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// Whether the text before a dot is the `www` that turns a name into a link.
fn ends_with_www(before: &str) -> bool {
    before.as_bytes().last_chunk::<3>().is_some_and(|last| last.eq_ignore_ascii_case(b"www"))
}

/// Inline code between runs of backticks longer than any inside; a blank on both sides where one is needed.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let blank_ends = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let pad = if text.starts_with('`') || text.ends_with('`') || blank_ends || text.is_empty() { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Text between single backticks that stand there already.
fn in_code(text: &str) -> Result<String, Refusal> {
    if text.contains('`') {
        return Err(Refusal::because(text, "holds a backtick, which would end the inline code around it"));
    }
    if text.trim().is_empty() {
        return Err(Refusal::new("an empty text cannot stand between backticks, which would be no inline code then"));
    }
    Ok(text.to_string())
}

/// The destination of a link, between the parentheses that the template wrote.
fn destination(text: &str) -> Result<String, Refusal> {
    check_scheme(text)?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'/' | b':' | b'.' | b'-' | b'_' | b'~' | b'?' | b'#' | b'=' | b'&' | b'%' | b'@' | b'+' | b',' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(out)
}
