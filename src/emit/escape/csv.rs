//! From a value to a cell of a CSV table (RFC 4180) that no spreadsheet takes for a formula.

use super::refusal::{Refusal, printable, scalar};
use crate::value::Value;

pub(super) fn escape(value: &Value) -> Result<String, Refusal> {
    let text = scalar(value)?;
    printable(&text, &['\n', '\r', '\t'])?;
    let formula = !matches!(value, Value::Int(_)) && begins_formula(&text);
    let text = if formula { format!("'{text}") } else { text.to_string() };
    let quotes =
        text.bytes().any(|b| matches!(b, b',' | b';' | b'"' | b'\n' | b'\r' | b'\t')) || text.trim() != text || formula;
    Ok(if quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text })
}

/// Whether a spreadsheet would compute the cell: `=`, `+`, `-`, `@` (also in full width) after any blanks, or a leading
/// tab or line break, which some programs drop before they look.
fn begins_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}
