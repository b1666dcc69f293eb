//! Why a value cannot be written: the words of a finding at the value's span, and the checks that all formats share.

use crate::value::{Str, Value};

/// A value has no safe way to be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stands alone, in the manner of a finding.
    pub message: String,
    /// The way out, where there is one.
    pub help: Option<String>,
    /// Whether a finding has said already what is wrong with the value.
    pub is_told: bool,
}

impl Refusal {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, is_told: false }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `text` cannot be written because it `has` something: `"a;b" holds a semicolon, which …`.
    pub fn because(text: &str, reason: impl std::fmt::Display) -> Self {
        Self::new(format!("`{}` {reason}", shown(text)))
    }

    pub(super) fn faulty() -> Self {
        Self { is_told: true, ..Self::new("a faulty value cannot be written") }
    }

    pub(super) fn nothing() -> Self {
        Self::new("there is no value to write here")
            .help("answer it in the spec, or let the template ask `is answered` first")
    }
}

/// The text as a message can show it: control and invisible characters as escapes, cut after 60 characters.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == 60 {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character has no place in any readable file: controls, and what hides or reorders text.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}')
        // The last two of every plane are no characters.
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The text of a scalar; lists and maps are refused.
pub(super) fn scalar(value: &Value) -> Result<Str, Refusal> {
    value.text().ok_or_else(|| match value {
        Value::Null => Refusal::nothing(),
        other => Refusal::new(format!("{} has no single text to write here", other.kind()))
            .help("let the template loop over it, or compose one text in the expression"),
    })
}

/// Refuses characters that no reader shows faithfully; `allowed` names the exceptions among them.
pub(super) fn printable(text: &str, allowed: &[char]) -> Result<(), Refusal> {
    // Nearly every text is this plain.
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Ok(());
    }
    let Some(c) = text.chars().find(|c| is_unsafe(*c) && !allowed.contains(c)) else {
        return Ok(());
    };
    Err(match c {
        '\n' | '\r' => Refusal::because(text, "holds a line break, and the place takes one line"),
        '\t' => Refusal::because(text, "holds a tab, which has no safe form at this place"),
        '\0' => Refusal::because(text, "holds a NUL character"),
        c if c.is_control() => Refusal::because(text, format!("holds the control character U+{:04X}", u32::from(c))),
        c => Refusal::because(text, format!("holds the invisible character U+{:04X}", u32::from(c))),
    })
}

/// The text of a scalar on one line without unsafe characters.
pub(super) fn one_line(value: &Value) -> Result<Str, Refusal> {
    let text = scalar(value)?;
    printable(&text, &[])?;
    Ok(text)
}

/// Refuses NUL, which ends a text early wherever C reads it.
pub(super) fn no_nul(text: &str) -> Result<(), Refusal> {
    if text.contains('\0') { Err(Refusal::because(text, "holds a NUL character")) } else { Ok(()) }
}
