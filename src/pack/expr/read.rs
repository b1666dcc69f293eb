//! Reading: the text of an expression to our own tree, by way of minijinja's parser.
//!
//! This file and `emit/read.rs` are the only ones that know minijinja, and only its parser: the meaning of an
//! expression is ours.

use minijinja::machinery::{self, Token, ast};
use minijinja::syntax::SyntaxConfig;

use super::anchor::Anchor;
use super::text::Part;
use super::tree::{Op, Term};
use crate::diag::codes::{self, Code};
use crate::diag::{Diag, Findings};

/// Most tokens that one expression may have; a longer one is no longer read by people either.
const TOKENS: usize = 1200;
/// Deepest nesting of one expression.
pub(super) const DEPTH: usize = 100;
/// The name by which expressions made from `attribute=` know the item; no text can spell it.
pub(crate) const IT: &str = "(item)";

/// Reads one expression. What is wrong is reported; the tree is then `None`.
pub(crate) fn read(text: &str, anchor: &Anchor, findings: &mut Findings) -> Option<Term> {
    let mut reader = Reader::new(text, anchor, findings);
    let term = reader.expression(text, 0)?;
    (!reader.failed).then_some(term)
}

/// Reads a string in which only `{{ }}` means anything.
pub(super) fn read_text(text: &str, anchor: &Anchor, findings: &mut Findings) -> Option<Vec<Part>> {
    let mut reader = Reader::new(text, anchor, findings);
    // Tags and comments have delimiters that no text holds.
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("{{", "}}")
        .block_delimiters("\u{1}{%", "%}\u{1}")
        .comment_delimiters("\u{1}{#", "#}\u{1}")
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are distinct and not empty");
    if !reader.small_enough(text, false, &syntax) {
        return None;
    }
    let mut parts = Vec::new();
    match machinery::parse(text, "", syntax) {
        Ok(ast::Stmt::Template(template)) => {
            for child in &template.children {
                match child {
                    ast::Stmt::EmitRaw(raw) => parts.push(Part::Literal(raw.raw.into())),
                    ast::Stmt::EmitExpr(emit) => parts.push(Part::Value(reader.term(&emit.expr))),
                    _ => {}
                }
            }
        }
        Ok(_) => {}
        Err(error) => {
            let help = "text that has `{{` of its own is written `{{ '{{' }}`";
            reader.syntax_error(text, &error, codes::EXPR_SYNTAX, Some(help));
        }
    }
    (!reader.failed).then_some(parts)
}

/// Converts minijinja's tree to ours.
pub(crate) struct Reader<'r> {
    /// The text in which the nodes' offsets count.
    pub(super) text: &'r str,
    anchor: &'r Anchor,
    findings: &'r mut Findings,
    pub(super) place: Placing,
    pub(super) depth: usize,
    /// Whether anything was reported.
    pub(crate) failed: bool,
}

/// How offsets of the text being parsed become offsets of the outer text.
#[derive(Clone, Copy)]
pub(super) enum Placing {
    Shifted(u32),
    /// The text has another form in the outer text: everything stands at the whole of it.
    Whole(u32, u32),
}

impl<'r> Reader<'r> {
    pub(crate) fn new(text: &'r str, anchor: &'r Anchor, findings: &'r mut Findings) -> Self {
        Self { text, anchor, findings, place: Placing::Shifted(0), depth: 0, failed: false }
    }

    pub(crate) fn report(&mut self, at: (u32, u32), diag: impl FnOnce(crate::source::Span) -> Diag) {
        self.failed = true;
        self.findings.push(diag(self.anchor.span(at.0, at.1)));
    }

    /// Reads a text of its own, which begins at `offset` of the outer text.
    pub(super) fn expression(&mut self, text: &str, offset: u32) -> Option<Term> {
        let whole = (offset, offset + text.len() as u32);
        let whole = if let Placing::Whole(a, b) = self.place { (a, b) } else { whole };
        if text.trim().is_empty() {
            self.report(whole, |s| Diag::new(codes::EXPR_SYNTAX, "the expression is empty").at(s, ""));
            return None;
        }
        if !self.small_enough(text, true, &SyntaxConfig::default()) {
            return None;
        }
        match machinery::parse_expr(text) {
            Ok(tree) => Some(self.term(&tree)),
            Err(error) => {
                self.syntax_error(text, &error, codes::EXPR_SYNTAX, None);
                None
            }
        }
    }

    /// Whether every expression of a text has few enough tokens to be parsed without deep recursion; reports the first
    /// that has too many.
    pub(crate) fn small_enough(&mut self, text: &str, bare: bool, syntax: &SyntaxConfig) -> bool {
        // No token is without a letter.
        if text.len() <= TOKENS {
            return true;
        }
        let mut count = 0;
        for token in machinery::tokenize(text, bare, syntax.clone()) {
            let Ok((token, span)) = token else { return true };
            count = match token {
                Token::VariableStart | Token::BlockStart | Token::TemplateData(_) => 0,
                _ => count + 1,
            };
            if count > TOKENS {
                let at = self.at(clip(text, span.start_offset as usize), clip(text, span.end_offset as usize));
                self.report(at, |s| Diag::new(codes::EXPR_TOO_LARGE, "the expression is too long").at(s, ""));
                return false;
            }
        }
        true
    }

    /// Reports an error of minijinja's parser.
    pub(crate) fn syntax_error(&mut self, text: &str, error: &minijinja::Error, code: Code, help: Option<&str>) {
        let range = error.range().unwrap_or(0..text.len());
        let at = self.at(clip(text, range.start), clip(text, range.end));
        let message = error.detail().unwrap_or("this cannot be parsed").replace('\n', " ");
        self.report(at, |s| {
            let mut diag = Diag::new(code, message).at(s, "");
            diag.help = help.map(Into::into);
            diag
        });
    }

    /// Offsets of the parsed text as offsets of the outer text.
    pub(crate) fn at(&self, start: u32, end: u32) -> (u32, u32) {
        match self.place {
            Placing::Shifted(by) => (start + by, end + by),
            Placing::Whole(start, end) => (start, end),
        }
    }

    pub(super) fn span(&self, span: machinery::Span) -> (u32, u32) {
        self.at(span.start_offset, span.end_offset)
    }

    pub(super) fn faulty(&self, at: (u32, u32)) -> Term {
        Term { start: at.0, end: at.1, op: Op::Faulty }
    }

    pub(super) fn unsupported(&mut self, at: (u32, u32), message: &str, help: &str) -> Term {
        self.report(at, |s| Diag::new(codes::EXPR_UNSUPPORTED, message).at(s, "").help(help));
        self.faulty(at)
    }
}

/// An offset moved onto a character boundary within the text.
pub(crate) fn clip(text: &str, offset: usize) -> u32 {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset as u32
}
