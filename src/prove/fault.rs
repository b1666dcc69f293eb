//! Why a reader refuses a text: the line, and what it could not understand there.

use std::fmt;

/// The first thing that a reader does not understand. Readers guess nothing and skip nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1; 0 when no single line is to blame.
    pub line: usize,
    /// In the manner of a message: lower case, no final period.
    pub what: String,
}

impl Fault {
    pub fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// What a reader gives.
pub type Read<T> = Result<T, Fault>;

/// Refuses what no line-based text file of ours contains: control characters, carriage returns, a last line that is
/// not ended. Every reader begins with it.
pub fn plain_lines(text: &str) -> Read<std::str::Lines<'_>> {
    // Of bytes outside ASCII, only C2 begins a control character.
    let is_plain = |b: u8| (b >= b' ' && b != 0x7f && b != 0xc2) || b == b'\n' || b == b'\t';
    let lines = if text.bytes().all(is_plain) { "" } else { text };
    for (i, line) in lines.split('\n').enumerate() {
        if let Some(c) = line.chars().find(|c| c.is_control() && *c != '\t') {
            return Err(Fault::new(i + 1, format!("a control character, U+{:04X}", u32::from(c))));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(Fault::new(text.split('\n').count(), "the last line has no line end"));
    }
    Ok(text.lines())
}

/// Decodes `\ooo` escapes as fstab and exports know them; any other backslash is refused.
pub fn octal_unescaped(text: &str, line: usize) -> Read<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'\\' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        let code = tail.get(..3).filter(|d| d.iter().all(|b| (b'0'..=b'7').contains(b)));
        let code = code.map(|d| d.iter().fold(0u32, |n, b| n * 8 + u32::from(b - b'0')));
        match code.and_then(|n| u8::try_from(n).ok()).filter(|n| *n != 0) {
            Some(decoded) => bytes.push(decoded),
            None => return Err(Fault::new(line, format!("a backslash without three octal digits in `{text}`"))),
        }
        rest = &tail[3..];
    }
    String::from_utf8(bytes).map_err(|_| Fault::new(line, format!("`{text}` is not UTF-8 after its escapes")))
}
