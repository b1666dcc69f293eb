//! A spec with findings in, the texts of its files with every safe replacement applied out.
//!
//! Works in memory: rounds of compiling and replacing, until a round finds nothing more to replace. Only files of the
//! spec are changed, never a pack; what stands outside of a replaced place keeps every byte.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::{Compilation, Inputs, compile_at};
use crate::diag::codes::WRONG_TYPE;
use crate::diag::levels::Levels;
use crate::diag::{Diag, Findings, Replacement};
use crate::source::{FileId, Role, Sources};

/// What became of a spec.
#[derive(Debug)]
pub struct Fixed {
    /// Of the texts as they are now.
    pub compilation: Compilation,
    /// The files that changed, by path: the text before and now.
    pub texts: BTreeMap<String, (String, String)>,
    /// In the order in which they were applied.
    pub done: Vec<Done>,
}

/// A replacement that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub file: String,
    /// Where it stood when it was applied, from 1.
    pub line: usize,
    pub column: usize,
    pub code: String,
    pub old: String,
    pub new: String,
}

/// A parser stops at the first slip of syntax, so each may take a round of its own.
const MOST_ROUNDS: usize = 200;

/// Applies what is safe, again and again until nothing is left of it.
pub fn fix(inputs: &Inputs<'_>, levels: &Levels) -> Fixed {
    let mut texts: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut compilation = compiled(inputs, levels, &texts);
    let mut done = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let edits = edits(&compilation.findings, &compilation.sources);
        if edits.is_empty() {
            break;
        }
        let mut next = texts.clone();
        for (file, list) in &edits {
            let source = compilation.sources.file(*file);
            let entry = next.entry(source.name.to_string());
            let (_, text) = entry.or_insert_with(|| (source.text.to_string(), source.text.to_string()));
            for (_, replacement) in list.iter().rev() {
                let span = replacement.span;
                text.replace_range(span.start as usize..span.end as usize, &replacement.text);
            }
        }
        let fixed = compiled(inputs, levels, &next);
        // A spec that could be read must not become one that cannot.
        if compilation.spec.is_some() && fixed.spec.is_none() {
            break;
        }
        for (diag, replacement) in edits.values().flatten() {
            done.push(told(diag, replacement, &compilation.sources));
        }
        (texts, compilation) = (next, fixed);
    }
    Fixed { compilation, texts, done }
}

fn compiled(inputs: &Inputs<'_>, levels: &Levels, texts: &BTreeMap<String, (String, String)>) -> Compilation {
    let read = |path: &str| match texts.get(path) {
        Some((_, now)) => Ok(now.clone().into_bytes()),
        None => (inputs.read)(path),
    };
    let inputs = Inputs {
        entry: inputs.entry.clone(),
        read: &read,
        packs: inputs.packs,
        depth: inputs.depth,
        threads: inputs.threads,
    };
    compile_at(&inputs, levels)
}

/// The replacements of this round, by file and place. All of a finding or none, and none that touches another one or
/// a place with a fault that no replacement mends.
fn edits<'f>(findings: &'f Findings, sources: &Sources) -> BTreeMap<FileId, Vec<(&'f Diag, &'f Replacement)>> {
    let mut open = BTreeSet::new();
    for diag in findings.iter().filter(|d| !d.is_fixable()) {
        open.extend(diag.primary.as_ref().map(|label| label.span));
    }
    let mut edits: BTreeMap<FileId, Vec<(&Diag, &Replacement)>> = BTreeMap::new();
    for diag in findings.iter().filter(|d| d.is_fixable()) {
        let free = |r: &Replacement| {
            let source = sources.file(r.span.file);
            let others = edits.get(&r.span.file).map(Vec::as_slice).unwrap_or_default();
            source.role == Role::Spec
                && source.text.get(r.span.start as usize..r.span.end as usize).is_some_and(|old| *old != *r.text)
                && !open.contains(&r.span)
                && others.iter().all(|(_, o)| o.span.end < r.span.start || r.span.end < o.span.start)
        };
        if diag.replacements.iter().all(free) {
            for replacement in &diag.replacements {
                edits.entry(replacement.span.file).or_default().push((diag, replacement));
            }
        }
    }
    for list in edits.values_mut() {
        list.sort_by_key(|(_, r)| r.span);
    }
    edits
}

fn told(diag: &Diag, replacement: &Replacement, sources: &Sources) -> Done {
    let (line, column) = sources.line_col(replacement.span);
    Done {
        file: sources.file(replacement.span.file).name.to_string(),
        line,
        column,
        code: diag.code.to_string(),
        old: sources.text(replacement.span).to_owned(),
        new: replacement.text.clone(),
    }
}

/// Gives each replacement the quotes of what it replaces. What does not fit the syntax of its file is no longer safe.
pub fn adapt(findings: &mut Findings, sources: &Sources) {
    for (code, replacement) in findings.iter_mut().flat_map(|d| d.replacements.iter_mut().map(|r| (&d.code, r))) {
        // Where quotes make a text of what is no text, they go.
        if *code == WRONG_TYPE.row().code && is_bare(&replacement.text) {
            continue;
        }
        let source = sources.file(replacement.span.file);
        let old = sources.text(replacement.span);
        let quote = old.chars().next().filter(|c| matches!(c, '"' | '\'') && old.len() > 1 && old.ends_with(*c));
        match quote {
            Some(quote) if !replacement.text.is_empty() && !replacement.text.starts_with(quote) => {
                let plain = !replacement.text.contains([quote, '\\', '\n']);
                replacement.safe &= plain;
                if plain {
                    replacement.text = format!("{quote}{}{quote}", replacement.text);
                }
            }
            Some(_) => {}
            None => {
                let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
                // A key of TOML needs no quotes as long as it is a word; a value of JSON is quoted unless it is a number.
                let all_words = old.chars().all(word) && replacement.text.chars().all(word);
                let literal = matches!(old, "true" | "false" | "null") || !old.starts_with(|c: char| c.is_alphabetic());
                let fits = match source.name.rsplit('.').next() {
                    // A word that is no literal stands inside a string.
                    Some("json") if all_words && !literal => true,
                    Some("json") => old.is_empty() || replacement.text.is_empty() || old == ",",
                    Some("toml") => all_words,
                    _ => true,
                };
                let quoted = replacement.text.starts_with('"');
                replacement.safe &= fits || quoted || replacement.text.is_empty();
            }
        }
    }
}

/// Whether a replacement is a boolean or a number.
fn is_bare(text: &str) -> bool {
    matches!(text, "true" | "false") || text.parse::<i64>().is_ok()
}
