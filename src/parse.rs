//! Parse: the text of one file in, its tree of [`Node`]s out, every key and value with its place.
//!
//! YAML, TOML and JSON give equal trees for equal content. What a syntax allows and a spec does not is a finding:
//! duplicate keys, tags, merge keys, keys that are no text, several documents, numbers that are none. Depth, size
//! and the replaying of aliases are limited.

mod anchors;
mod json;
mod odd_blanks;
mod parts;
mod scalar;
mod toml;
mod tree;
mod yaml;
mod yaml_syntax;

pub use tree::inside;

use crate::diag::{Diag, Findings, codes};
use crate::node::{Data, Node};
use crate::source::{FileId, Role, Sources, Span};
use tree::Tree;

/// The largest file that is read, in bytes.
pub const SIZE_LIMIT: usize = 16 << 20;
/// The most values that one file may hold.
pub const VALUES_LIMIT: usize = 1_000_000;
/// How deep lists and maps may be nested.
pub const DEPTH_LIMIT: usize = 128;
/// How many values the aliases of one file may repeat.
pub const ALIAS_LIMIT: usize = 200_000;

/// The syntaxes that a file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Yaml,
    Toml,
    Json,
}

impl Syntax {
    /// The syntax of a file by the end of its name; YAML when the name says nothing.
    pub fn of(name: &str) -> Self {
        let ends = |end: &str| {
            name.len() > end.len()
                && name.as_bytes().get(name.len() - end.len()..).is_some_and(|e| e.eq_ignore_ascii_case(end.as_bytes()))
        };
        if ends(".toml") {
            Syntax::Toml
        } else if ends(".json") {
            Syntax::Json
        } else {
            Syntax::Yaml
        }
    }
}

/// Parses a file in the syntax that its name tells.
///
/// `None` when there is no tree to go on with: a syntax error, an exceeded limit, nothing in the file. The finding
/// that says so has been added. Faulty values within a sound tree are [`Data::Poison`].
pub fn parse(sources: &mut Sources, file: FileId, findings: &mut Findings) -> Option<Node> {
    parse_with(sources, file, 1, findings)
}

/// The same with at most so many threads, 0 leaving it to the machine; the result does not depend on them.
pub fn parse_with(sources: &mut Sources, file: FileId, threads: usize, findings: &mut Findings) -> Option<Node> {
    parse_as(sources, file, Syntax::of(&sources.file(file).name.clone()), threads, findings)
}

/// Parses a file as TOML whatever its name, as [`parse`] does.
pub fn parse_toml(sources: &mut Sources, file: FileId, findings: &mut Findings) -> Option<Node> {
    parse_as(sources, file, Syntax::Toml, 1, findings)
}

fn parse_as(
    sources: &mut Sources,
    file: FileId,
    syntax: Syntax,
    threads: usize,
    findings: &mut Findings,
) -> Option<Node> {
    let whole = sources.file(file).text.clone();
    if whole.len() > SIZE_LIMIT {
        findings.push(too_large(whole.len()).at(Span::new(file, 0, 0), ""));
        return None;
    }
    let base = if whole.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = &whole[base..];
    let in_parts = || parts::read(text, base, file, threads, sources);
    if let Some(node) = (syntax == Syntax::Yaml).then(in_parts).flatten() {
        return Some(node);
    }
    let mut tree = Tree::new(sources, file, base, findings);
    let node = match syntax {
        Syntax::Yaml => yaml::read(text, &mut tree)?,
        Syntax::Toml => Some(toml::read(text, &mut tree)?),
        Syntax::Json => json::read(text, &mut tree)?,
    };
    // A TOML text without any key is an empty table, which in the other syntaxes is an empty file.
    let node = node.filter(|n| match (&n.data, syntax) {
        (Data::Null, _) => false,
        (Data::Map(entries), Syntax::Toml) => !entries.is_empty(),
        _ => true,
    });
    if node.is_none() {
        let start = Span::new(file, base, base);
        findings.push(
            Diag::new(codes::EMPTY, "the file holds no values")
                .at(start, "nothing is written here")
                .help("run `sitec init` for a first spec with comments"),
        );
    }
    node
}

/// Adds the bytes of a file to the sources, or says why they are no text that can be parsed.
///
/// Refused are files above [`SIZE_LIMIT`], bytes that are not UTF-8, and binary files. What is not UTF-8 is added
/// all the same, with replacement characters, so that the report can show the place.
pub fn load(sources: &mut Sources, name: &str, bytes: Vec<u8>, role: Role, findings: &mut Findings) -> Option<FileId> {
    if bytes.len() > SIZE_LIMIT {
        let file = sources.add(name, "", role);
        findings.push(too_large(bytes.len()).at(Span::new(file, 0, 0), ""));
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => Some(sources.add(name, text, role)),
            Some(offset) => {
                let file = sources.add(name, text, role);
                findings.push(binary(offset).at(Span::new(file, offset, offset + 1), "a NUL byte"));
                None
            }
        },
        Err(e) => {
            let (offset, bytes) = (e.utf8_error().valid_up_to(), e.as_bytes());
            let diag = not_utf8(bytes, offset);
            let text = String::from_utf8_lossy(bytes).into_owned();
            let file = sources.add(name, text, role);
            let end = offset + char::REPLACEMENT_CHARACTER.len_utf8();
            findings.push(diag.at(Span::new(file, offset, end), "not valid UTF-8"));
            None
        }
    }
}

/// Makes text of bytes. The finding for what is not UTF-8, binary or too large has no span, since there is no text
/// that a span could mean; its message gives the byte offset.
pub fn decode_utf8(bytes: &[u8]) -> Result<String, Box<Diag>> {
    if bytes.len() > SIZE_LIMIT {
        return Err(Box::new(too_large(bytes.len())));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => Ok(text.to_owned()),
            Some(offset) => Err(Box::new(binary(offset))),
        },
        Err(e) => Err(Box::new(not_utf8(bytes, e.valid_up_to()))),
    }
}

fn too_large(size: usize) -> Diag {
    let (mib, limit) = (size.div_ceil(1 << 20), SIZE_LIMIT >> 20);
    Diag::new(codes::TOO_LARGE, format!("the file has {mib} MiB, more than the {limit} MiB that are read"))
        .help("check that this is the spec; write repeated hosts as a range such as `w[001-200]`")
}

fn too_many_values() -> Diag {
    Diag::new(codes::TOO_LARGE, format!("the file holds more than {VALUES_LIMIT} values"))
        .help("check that this is the spec; write repeated hosts as a range such as `w[001-200]`")
}

fn binary(offset: usize) -> Diag {
    Diag::new(codes::NOT_UTF8, format!("the file is binary or not UTF-8: byte {offset} is NUL"))
        .help("check that this is the spec, and save it as UTF-8 (a file saved as UTF-16 looks like this)")
}

fn not_utf8(bytes: &[u8], offset: usize) -> Diag {
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let message = format!("the file is not UTF-8: byte {offset} is 0x{byte:02X}");
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "this file is UTF-16; save it as UTF-8",
        _ if bytes.contains(&0) => "this looks like a binary file; check that it is the spec",
        _ => "save the file as UTF-8, or convert it: `iconv -f WINDOWS-1252 -t UTF-8`",
    };
    Diag::new(codes::NOT_UTF8, message).help(help)
}

#[cfg(test)]
mod tests;
