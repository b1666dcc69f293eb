//! Syntax errors of YAML: what the parser stumbled over in, a report in plain words with the likely cause out.

use std::ops::Range;

use granit_parser::{ErrorKind as Kind, ScanError};

use super::odd_blanks;
use super::tree::Tree;
use crate::diag::{Diag, codes};

/// Reports a syntax error. `flows` are the offsets of the `[` and `{` that are open.
pub(super) fn report(text: &str, error: &ScanError, flows: &[usize], tree: &mut Tree) {
    let at = boundary(text, error.marker().byte_offset().unwrap_or(text.len()));
    let kind = error.kind();
    let diag = match kind {
        Kind::RecursionLimitExceeded => {
            return tree.report(super::yaml::too_deep().at(tree.span(here(text, at)), "one level too many"));
        }
        Kind::DirectiveDisallowed => unsupported(text, at, tree),
        _ => tabs(text, at, kind, tree)
            .or_else(|| unquoted_pattern(text, at, tree))
            .or_else(|| unquoted_indicator(text, at, kind, tree))
            .or_else(|| unclosed(text, at, kind, flows, tree))
            .or_else(|| odd_blanks::report(text, at, tree))
            .or_else(|| missing_space(text, at, kind, tree))
            .or_else(|| colon_in_text(text, at, kind, tree))
            .or_else(|| misfit(text, at, kind, tree))
            .unwrap_or_else(|| other(text, at, kind, tree)),
    };
    tree.report(diag);
}

fn unsupported(text: &str, at: usize, tree: &Tree) -> Diag {
    Diag::new(codes::UNSUPPORTED_SYNTAX, "YAML directives are not supported")
        .at(tree.span(at..line_end(text, at)), "a directive")
        .help("remove the line; specs are read as YAML 1.2")
}

/// White space at the beginning of a line that holds a tab: the line of the error, or the one behind it when the
/// parser gave up at its end.
fn tabs(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Option<Diag> {
    let indented = |start: usize| {
        let line = &text[start..line_end(text, start)];
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        (line[..blank].contains('\t') && blank < line.len()).then_some(start..start + blank)
    };
    let start = line_start(text, at);
    let after = line_end(text, at) + 1;
    let range = indented(start).or_else(|| {
        let about_tabs = matches!(kind, Kind::TabInPlainScalar | Kind::TabInBlockIndentation | Kind::TabNotAllowed);
        let at_end = text[at..line_end(text, at)].trim().is_empty();
        if (at_end || about_tabs) && after < text.len() { indented(after) } else { None }
    })?;
    let tab = range.start + text[range.clone()].find('\t')?;
    let more = text[range.end..].lines().skip(1).filter(|l| l.trim_start_matches(' ').starts_with('\t')).count();
    let mut diag = Diag::new(codes::SYNTAX, "a tab is used for indentation")
        .at(tree.span(tab..range.end), "YAML indents with spaces only")
        .help("replace the tabs by spaces, two for each level; an editor set to `expandtab` does so by itself");
    if more > 0 {
        diag = diag.note(format!("{more} more {} with a tab", if more == 1 { "line begins" } else { "lines begin" }));
    }
    for (range, spaces) in without_tabs(text) {
        diag = diag.replace(tree.span(range), spaces, true);
    }
    Some(diag)
}

/// The indentation of every line that begins with a tab, and the spaces for it. Empty when tabs and spaces are mixed,
/// since nobody knows how wide a tab was meant to be.
fn without_tabs(text: &str) -> Vec<(Range<usize>, String)> {
    let (mut lines, mut unit, mut start) = (Vec::new(), usize::MAX, 0);
    for line in text.split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        let indentation = &line[..blank];
        if indentation.contains('\t') && !line.trim().is_empty() {
            if indentation.contains(' ') {
                return Vec::new();
            }
            lines.push((start..start + blank, blank));
        } else if blank > 0 && !line.trim().is_empty() {
            unit = unit.min(blank);
        }
        start += line.len();
    }
    let unit = if unit == usize::MAX { 2 } else { unit };
    lines.into_iter().map(|(range, tabs)| (range, " ".repeat(tabs * unit))).collect()
}

/// A name with a range in brackets, `w[01-05]`, within a flow list or map, where the bracket begins a new list.
fn unquoted_pattern(text: &str, at: usize, tree: &Tree) -> Option<Diag> {
    let before = text[..at].chars().next_back()?;
    if !text[at..].starts_with('[') || before.is_whitespace() || "[{,:\"'".contains(before) {
        return None;
    }
    let start = text[..at].rfind(|c: char| c.is_whitespace() || "[{,".contains(c)).map_or(0, |i| i + 1);
    let line = &text[at..line_end(text, at)];
    let mut depth = 0;
    let mut end = line.len();
    for (i, c) in line.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            ']' | '}' | ',' if depth == 0 => {
                end = i;
                break;
            }
            c if c.is_whitespace() && depth == 0 => {
                end = i;
                break;
            }
            _ => {}
        }
    }
    let token = text[start..at + end].trim_end_matches(':');
    let span = tree.span(start..start + token.len());
    Some(
        Diag::new(codes::SYNTAX, format!("`{token}` needs quotes here"))
            .at(span, "inside `[…]` and `{…}` a `[` begins a new list")
            .help("quote names with ranges inside of flow lists and maps")
            .replace(span, format!("\"{token}\""), true),
    )
}

/// A value that begins with a character that YAML keeps for itself: `*`, `&`, `@`, a backtick, `%`.
fn unquoted_indicator(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Option<Diag> {
    let first = text[at..].chars().next()?;
    let fits = match kind {
        Kind::MissingAnchorOrAliasName => matches!(first, '*' | '&'),
        Kind::UnexpectedCharacter { .. } => matches!(first, '@' | '`' | '%'),
        _ => false,
    };
    if !fits {
        return None;
    }
    let line = &text[at..line_end(text, at)];
    let length = line[1..].find(|c: char| c.is_whitespace() || ",]}".contains(c)).map_or(line.len(), |i| i + 1);
    let (token, span) = (&line[..length], tree.span(at..at + length));
    let (label, help) = match first {
        '*' => ("an unquoted `*` repeats the value of an anchor", "patterns that begin with `*` need quotes"),
        '&' => ("an unquoted `&` begins an anchor", "text that begins with `&` needs quotes"),
        _ => ("plain text cannot begin with this character", "quote the text"),
    };
    let diag = Diag::new(codes::SYNTAX, format!("`{token}` needs quotes here")).at(span, label).help(help);
    let safe = !token.contains(['"', '\\', '`']);
    Some(if safe { diag.replace(span, format!("\"{token}\""), true) } else { diag })
}

/// Brackets and quotes that were never closed; the label stands where they open.
fn unclosed(text: &str, at: usize, kind: &Kind, flows: &[usize], tree: &Tree) -> Option<Diag> {
    match kind {
        Kind::UnclosedFlowCollection { open } => Some(never_closed(*open, at, None, tree)),
        Kind::UnexpectedEofFlowSequence | Kind::UnexpectedEofFlowMapping | Kind::UnexpectedEofImplicitFlowMapping => {
            let open = *flows.last()?;
            Some(never_closed(text[open..].chars().next()?, open, None, tree))
        }
        Kind::ExpectedFlowMappingSeparator
        | Kind::ExpectedFlowSequenceSeparator
        | Kind::InvalidColonPlacement
        | Kind::InvalidFlowScalarIndent
        | Kind::BlockEntryInFlowCollection => {
            let open = *flows.last()?;
            let bracket = text[open..].chars().next()?;
            let other_line = line_start(text, open) != line_start(text, at);
            other_line.then(|| never_closed(bracket, open, Some(here(text, at)), tree))
        }
        Kind::UnclosedQuotedScalar | Kind::DocumentIndicatorInQuotedScalar | Kind::InvalidQuotedScalarIndent => {
            let quote = opening_quote(text, at)?;
            Some(
                Diag::new(codes::SYNTAX, "a quote is never closed")
                    .at(tree.span(quote..quote + 1), "the quoted text begins here")
                    .help("close the quote on the same line"),
            )
        }
        _ => None,
    }
}

fn never_closed(open: char, at: usize, noticed: Option<Range<usize>>, tree: &Tree) -> Diag {
    let close = if open == '[' { ']' } else { '}' };
    let mut diag = Diag::new(codes::SYNTAX, format!("this `{open}` is never closed"))
        .at(tree.span(at..at + 1), format!("no `{close}` for it"))
        .help(format!("add the `{close}`, and check the commas between the entries"));
    if let Some(range) = noticed {
        diag = diag.and(tree.span(range), "this does not fit into it any more");
    }
    diag
}

/// The nearest quote at or before `at` that begins a scalar.
fn opening_quote(text: &str, at: usize) -> Option<usize> {
    let opens = |i: usize| i == 0 || text[..i].ends_with(|c: char| c.is_whitespace() || "[{,:".contains(c));
    let upto = boundary(text, at + 1);
    text[..upto].rmatch_indices(['"', '\'']).map(|(i, _)| i).find(|i| opens(*i))
}

/// `cpu:4` above a line with a key: without the space it is text, and goes on in the next line.
fn missing_space(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Option<Diag> {
    let end = match kind {
        Kind::MappingValueNotAllowed => line_start(text, at).checked_sub(1)?,
        Kind::CommentInterceptedScalar => line_end(text, at),
        _ => return None,
    };
    let start = line_start(text, end);
    let before = text[start..end].split(" #").next()?;
    let colon = before.find(':')?;
    let name = before[..colon].trim_start();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    if !is_name || before[colon..].starts_with(": ") || before[colon + 1..].trim().is_empty() {
        return None;
    }
    let span = tree.span(start + colon..start + colon + 1);
    Some(
        Diag::new(codes::SYNTAX, format!("a space is missing behind `{name}:`"))
            .at(span, "only `: ` ends a key")
            .help("put a space behind the colon")
            .replace(span, ": ", true),
    )
}

/// `reason: ordered: change 4711`: a second `: ` on the line of a key.
fn colon_in_text(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Option<Diag> {
    if !matches!(kind, Kind::MappingValueNotAllowed) {
        return None;
    }
    let start = line_start(text, at);
    let value = start + text[start..at].find(": ")? + 2;
    let value = value + (text[value..at].len() - text[value..at].trim_start().len());
    let line = &text[value..line_end(text, at)];
    let line = line[..line.find(" #").unwrap_or(line.len())].trim_end();
    let span = tree.span(value..value + line.len());
    let diag = Diag::new(codes::SYNTAX, "text that contains `: ` needs quotes")
        .at(span, "the second `: ` of the line")
        .help("quote the text, or put nested keys on lines of their own");
    let quotable = !line.contains(['"', '\\']);
    Some(if quotable { diag.replace(span, format!("\"{line}\""), false) } else { diag })
}

/// A line that begins where no line of its kind may begin.
fn misfit(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Option<Diag> {
    let line = &text[line_start(text, at)..line_end(text, at)];
    let begins = text[line_start(text, at)..at].trim().is_empty() && !line.trim_start().starts_with("- ");
    if !matches!(kind, Kind::ExpectedBlockMappingKey) || !begins || !line.contains(':') {
        return None;
    }
    let key = line.trim_start().split(':').next().map_or(0, str::len);
    Some(
        Diag::new(codes::SYNTAX, "the indentation of this line fits nothing above it")
            .at(tree.span(at..at + key), "neither beside the keys above nor below one of them")
            .help("indent the line exactly like the keys that it belongs to"),
    )
}

fn other(text: &str, at: usize, kind: &Kind, tree: &Tree) -> Diag {
    let (message, label, help) = words(kind);
    let line = text[line_start(text, at)..].lines().next().unwrap_or_default();
    let diag = Diag::new(codes::SYNTAX, message).at(tree.span(here(text, at)), label);
    diag.help(match kind {
        Kind::MappingValueNotAllowed if line.starts_with([' ', '\t']) => {
            "indent the key like its neighbours; a key that has keys below it takes no value on its own line"
        }
        _ => help,
    })
}

/// Message, label and help for what the special cases do not explain.
fn words(kind: &Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::MappingValueNotAllowed | Kind::MappingKeyNotAllowed => (
            "a key is not allowed here",
            "this `:` ends no key that could stand here",
            "check the line before: a missing space behind `:` or a missing quote turns keys into text",
        ),
        Kind::ExpectedBlockMappingKey => {
            ("expected a key", "no `key:` here", "indent the line like its neighbours, and quote text with brackets")
        }
        Kind::ExpectedBlockSequenceEntry => (
            "expected an item of the list",
            "no `- ` here",
            "indent the line like the other items, or less than the list when the list has ended",
        ),
        Kind::ExpectedFlowMappingSeparator => {
            ("expected `,` or `}`", "not a new entry and not the end", "separate the entries of `{…}` by commas")
        }
        Kind::ExpectedFlowSequenceSeparator => {
            ("expected `,` or `]`", "not a new item and not the end", "separate the items of `[…]` by commas")
        }
        Kind::MisplacedFlowCollectionEnd => {
            ("a bracket closes nothing", "nothing is open here", "remove it, or quote the text that it belongs to")
        }
        Kind::MismatchedFlowCollectionEnd { .. } => {
            ("a bracket closes another kind of bracket", "does not fit", "close `[` by `]` and `{` by `}`")
        }
        Kind::BlockSequenceEntryNotAllowed | Kind::BlockEntryInFlowCollection => (
            "an item of a list is not allowed here",
            "this `-` begins an item",
            "put the items on lines of their own below the key, or quote the text",
        ),
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => (
            "text follows a closing quote",
            "the quoted text has ended before this",
            "put the whole value into one pair of quotes",
        ),
        Kind::UnknownQuotedScalarEscape
        | Kind::InvalidQuotedScalarHexEscape
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::InvalidLowSurrogate
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate
        | Kind::InvalidUnicodeEscape => (
            "an escape in this text is not known",
            "in this text",
            "write `\\\\` for a backslash, or put the text into single quotes",
        ),
        Kind::CommentInterceptedScalar => (
            "a comment stands inside of a text of several lines",
            "the text goes on behind this comment",
            "move the comment, quote the text, or correct the indentation of the next line",
        ),
        Kind::CommentNotSeparated => {
            ("a comment needs a space before its `#`", "", "put a space before `#`, or quote the text")
        }
        Kind::ZeroBlockScalarIndent
        | Kind::InvalidBlockScalarHeader
        | Kind::InvalidBlockScalarIndent
        | Kind::TabAtBlockScalarStart => (
            "a block text is malformed",
            "here",
            "write `|` alone at the end of the key's line and indent every line of the text alike",
        ),
        Kind::InvalidIndentation | Kind::InvalidFlowScalarIndent => {
            ("the indentation does not fit", "here", "indent the line like its neighbours")
        }
        Kind::TabNotAllowed | Kind::TabInBlockIndentation | Kind::TabInIndentation | Kind::TabInPlainScalar => {
            ("a tab is not allowed here", "a tab", "use spaces")
        }
        Kind::InvalidDocumentEnd | Kind::ExpectedDocumentStart => {
            ("text follows the end of the document", "", "a spec is one document: remove `...` and what follows")
        }
        Kind::BomInsideDocument => ("a byte order mark stands inside of the text", "here", "remove the character"),
        Kind::UnexpectedCharacter { .. } => ("this character is not allowed here", "", "remove it, or quote the text"),
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => (
            "a key must end with `:` on its own line",
            "no `:` behind this",
            "add `: `; a key is at most 1024 characters long",
        ),
        Kind::InvalidMappingValueWhitespace
        | Kind::FlowMappingValueAdjacentCollection
        | Kind::InvalidColonPlacement => {
            ("a `:` stands where no key ends", "here", "put a space behind `:`, or quote the text")
        }
        Kind::ExpectedTagBang
        | Kind::InvalidTagTerminator
        | Kind::MissingTagUri
        | Kind::UndeclaredTagHandle
        | Kind::UnclosedVerbatimTag => ("tags are not supported", "a YAML tag", "quote text that begins with `!`"),
        _ => ("the text is not valid YAML", "here", "check indentation, quotes and brackets near this place"),
    }
}

/// The character at an offset, or nothing at the end of a line.
fn here(text: &str, at: usize) -> Range<usize> {
    match text[at..].chars().next() {
        Some(c) if c != '\n' && c != '\r' => at..at + c.len_utf8(),
        _ => at..at,
    }
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}
