//! Characters that look like a blank and are none: they come with text that is copied from pages and chats.

use super::tree::Tree;
use super::yaml_syntax::{line_end, line_start};
use crate::diag::{Diag, codes};

/// The characters, with what they are called.
const ODD: [(char, &str); 7] = [
    ('\u{a0}', "no-break space"),
    ('\u{2007}', "figure space"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{2009}', "thin space"),
    ('\u{3000}', "ideographic space"),
    ('\u{200b}', "zero-width space"),
    ('\u{2028}', "line separator"),
];

/// The first one in the line of a syntax error: behind the dash or the colon that needs a blank, or before its text.
pub(super) fn report(text: &str, at: usize, tree: &Tree) -> Option<Diag> {
    let (start, end) = (line_start(text, at), line_end(text, at));
    let line = text.get(start..end)?;
    let found = |c: char| ODD.iter().find(|(odd, _)| *odd == c).map(|(_, name)| *name);
    let (offset, c, name) = line.char_indices().find_map(|(i, c)| Some((i, c, found(c)?)))?;
    let before = line[..offset].trim_end_matches(' ');
    let stands_for_blank = before.is_empty() || before.ends_with([':', '-', ',', '{', '[']);
    let span = tree.span(start + offset..start + offset + c.len_utf8());
    let diag = Diag::new(codes::SYNTAX, format!("a {name} (U+{:04X}) stands where a blank is meant", u32::from(c)));
    Some(diag.at(span, "it only looks like a blank").help("write a blank").replace(span, " ", stands_for_blank))
}
