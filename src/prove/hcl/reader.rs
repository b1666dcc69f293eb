//! The structure of HCL: bodies, arguments, blocks, and the blanks and comments between them.

use super::{Argument, Block, Body};
use crate::prove::fault::{Fault, Read};

/// Bodies and expressions stand within each other at most so deep.
pub(super) const DEPTH_MOST: usize = 100;

/// A text and the place in it that is read next.
pub(super) struct Reader<'t> {
    pub text: &'t str,
    pub at: usize,
    pub references: Vec<(String, usize)>,
    /// Names of loops that are open.
    pub locals: Vec<String>,
    /// Brackets that are open: within them the end of a line is a blank.
    pub brackets: usize,
    /// A place, and the number of its line.
    counted: (usize, usize),
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, references: Vec::new(), locals: Vec::new(), brackets: 0, counted: (0, 1) }
    }

    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub fn fault<T>(&self, what: impl Into<String>) -> Read<T> {
        Err(Fault::new(1 + self.text[..self.at].matches('\n').count(), what.into()))
    }

    /// The line of the place; places come in their order.
    pub fn line(&mut self) -> usize {
        let (at, line) = self.counted;
        let line = line + self.text[at..self.at].matches('\n').count();
        self.counted = (self.at, line);
        line
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes a piece of text if it comes next.
    pub fn take(&mut self, piece: &str) -> bool {
        let there = self.rest().starts_with(piece);
        if there {
            self.at += piece.len();
        }
        there
    }

    pub fn need(&mut self, piece: &str) -> Read<()> {
        match self.take(piece) {
            true => Ok(()),
            false => {
                let found: String = self.rest().chars().take(12).collect();
                self.fault(format!("`{piece}` is expected, not `{}`", found.escape_debug()))
            }
        }
    }

    /// Passes over blanks and comments, over ends of lines as well within brackets or where `lines` says so.
    pub fn blanks(&mut self, lines: bool) -> Read<()> {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t', '\r']) || (rest.starts_with('\n') && (lines || self.brackets > 0)) {
                self.at += 1;
            } else if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.fault("a comment has no end"),
                }
            } else {
                return Ok(());
            }
        }
    }

    pub fn identifier(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        self.at += end;
        Some(&rest[..end])
    }

    /// Everything up to the end of the file, or to the closing brace of a block.
    pub fn body(&mut self, depth: usize) -> Read<Body> {
        if depth > DEPTH_MOST {
            return self.fault("blocks stand too deep within each other");
        }
        let mut body = Body::default();
        loop {
            self.blanks(true)?;
            match self.peek() {
                None if depth == 0 => return Ok(body),
                None => return self.fault("a block has no end"),
                Some('}') if depth > 0 => return Ok(body),
                Some(_) => self.element(&mut body, depth)?,
            }
        }
    }

    /// An argument or a block, with the end of its line.
    fn element(&mut self, body: &mut Body, depth: usize) -> Read<()> {
        let line = self.line();
        let Some(name) = self.identifier() else {
            return self.fault("the name of an argument or of a block is expected");
        };
        self.blanks(false)?;
        if self.rest().starts_with('=') && !self.rest().starts_with("==") {
            self.at += 1;
            self.blanks(false)?;
            let value = self.expression(depth)?;
            body.add(Argument { name: name.to_owned(), value, line })?;
        } else {
            let mut labels = Vec::new();
            loop {
                self.blanks(false)?;
                if self.rest().starts_with('"') {
                    labels.push(self.label()?);
                } else if let Some(label) = self.identifier() {
                    labels.push(label.to_owned());
                } else {
                    break;
                }
            }
            self.need("{")?;
            let open = std::mem::take(&mut self.brackets);
            let inner = self.body(depth + 1)?;
            self.brackets = open;
            self.need("}")?;
            body.blocks.push(Block { kind: name.to_owned(), labels, body: inner, line });
        }
        self.blanks(false)?;
        match self.peek() {
            None => Ok(()),
            Some('\n') => Ok(()),
            Some('}') if depth > 0 => Ok(()),
            Some(c) => self.fault(format!("`{c}` follows on the same line")),
        }
    }

    /// A label: a string in which nothing is put in.
    fn label(&mut self) -> Read<String> {
        match self.expression(0)? {
            super::Expr::Text(text) => Ok(text),
            _ => self.fault("a label has something put in"),
        }
    }
}
