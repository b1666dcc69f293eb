//! Text of an nftables file → tokens with their lines.

use crate::prove::fault::{Fault, Read};

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind<'a>,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    Word(&'a str),
    /// Without its quotes.
    Text(&'a str),
    /// What `elements = { … }` has between its braces, where all of it stands in one line.
    List(&'a str),
    /// One of `{ } , = @ !`.
    Sign(char),
    /// `;` or the end of a line.
    End,
}

impl<'a> Token<'a> {
    pub fn word(self) -> Read<&'a str> {
        match self.kind {
            Kind::Word(word) => Ok(word),
            other => Err(Fault::new(self.line, format!("{} where a word should stand", show(other)))),
        }
    }
}

/// The tokens of a file and how far they are read.
pub struct Tokens<'a> {
    list: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Tokens<'a> {
    /// Splits a text; comments and continued line ends vanish.
    pub fn of(text: &'a str) -> Read<Self> {
        let mut list = Vec::with_capacity(text.len() / 6);
        let mut lines = text.split('\n').enumerate().peekable();
        while let Some((i, text)) = lines.next() {
            let line = i + 1;
            if lines.peek().is_none() && !text.is_empty() {
                return Err(Fault::new(line, "the last line has no line end"));
            }
            let (code, continued) = match text.strip_suffix('\\') {
                Some(code) if !code.trim_start().starts_with('#') => (code, true),
                _ => (text, false),
            };
            split_line(code, line, &mut list)?;
            if !continued {
                list.push(Token { kind: Kind::End, line });
            }
        }
        Ok(Self { list, next: 0 })
    }

    pub fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }

    pub fn peek(&self) -> Option<Token<'a>> {
        self.list.get(self.next).copied()
    }

    /// The line of the next token.
    pub fn line(&self) -> usize {
        self.list.get(self.next).or(self.list.last()).map_or(1, |t| t.line)
    }

    pub fn skip_ends(&mut self) {
        while self.peek().is_some_and(|t| t.kind == Kind::End) {
            self.next += 1;
        }
    }

    /// Takes the next token when it is this sign.
    pub fn next_is(&mut self, sign: char) -> bool {
        self.take(Kind::Sign(sign))
    }

    /// Takes the next token when it is this word.
    pub fn next_is_word(&mut self, word: &str) -> bool {
        self.take(Kind::Word(word))
    }

    fn take(&mut self, kind: Kind) -> bool {
        let fits = self.peek().is_some_and(|t| t.kind == kind);
        self.next += usize::from(fits);
        fits
    }

    pub fn expect(&mut self, sign: char) -> Read<()> {
        if self.next_is(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    pub fn expect_word(&mut self, word: &str) -> Read<()> {
        if self.next_is_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// A statement ends here: at a line end, a semicolon, or before a closing brace.
    pub fn expect_end(&mut self) -> Read<()> {
        match self.peek().map(|t| t.kind) {
            None | Some(Kind::End | Kind::Sign('}')) => Ok(()),
            Some(_) => Err(self.unexpected("the end of the statement")),
        }
    }

    /// The next token, a word; `what` says what it is for messages.
    pub fn name(&mut self, what: &str) -> Read<&'a str> {
        match self.peek().map(|t| t.kind) {
            Some(Kind::Word(word)) => {
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// The next token, a quoted text.
    pub fn string(&mut self, what: &str) -> Read<&'a str> {
        match self.peek().map(|t| t.kind) {
            Some(Kind::Text(text)) => {
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// What follows an opening brace: words separated by commas over any number of lines, and the closing brace.
    /// At least one; a comma after the last is allowed.
    pub fn elements(&mut self) -> Read<Vec<&'a str>> {
        let mut list = Vec::new();
        loop {
            self.skip_ends();
            if !list.is_empty() && self.next_is('}') {
                return Ok(list);
            }
            list.push(self.name("an element")?);
            self.skip_ends();
            if !self.next_is(',') {
                self.expect('}')?;
                return Ok(list);
            }
        }
    }

    /// The next token, a list of elements that stands in one line, as text.
    pub fn next_list(&mut self) -> Option<&'a str> {
        let Some(Kind::List(text)) = self.peek().map(|t| t.kind) else { return None };
        self.next += 1;
        Some(text)
    }

    pub fn unexpected(&self, wanted: &str) -> Fault {
        let found = self.peek().map_or_else(|| "the end of the file".to_owned(), |t| show(t.kind));
        Fault::new(self.line(), format!("{found} where {wanted} should stand"))
    }
}

fn show(kind: Kind) -> String {
    match kind {
        Kind::Word(word) => format!("`{word}`"),
        Kind::Text(text) => format!("`\"{text}\"`"),
        Kind::List(text) => format!("`{{{text}}}`"),
        Kind::Sign(sign) => format!("`{sign}`"),
        Kind::End => "the end of a statement".to_owned(),
    }
}

/// The words of a list of elements that stands in one line: at least one, separated by commas; a comma after the last is
/// allowed.
pub fn list_of(text: &str, line: usize) -> Read<Vec<&str>> {
    let text = text.trim_matches([' ', '\t']);
    let words = text.strip_suffix(',').unwrap_or(text).split(',').map(|word| word.trim_matches([' ', '\t']));
    let word = |word: &str| !word.is_empty() && word.bytes().all(is_word);
    let fault = |other: &str| Fault::new(line, format!("`{other}` where an element should stand"));
    words.map(|found| if word(found) { Ok(found) } else { Err(fault(found)) }).collect()
}

fn split_line<'a>(code: &'a str, line: usize, list: &mut Vec<Token<'a>>) -> Read<()> {
    let mut rest = code;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(c) = rest.chars().next() else { return Ok(()) };
        let (kind, length) = match c {
            '#' => return Ok(()),
            ';' => (Kind::End, 1),
            '{' if begins_elements(list)
                && let Some(end) = rest.find('}') =>
            {
                (Kind::List(&rest[1..end]), end + 1)
            }
            '{' | '}' | ',' | '=' | '@' | '!' => (Kind::Sign(c), 1),
            '"' => {
                let end = rest[1..].find('"').ok_or_else(|| Fault::new(line, "a text without its closing quote"))?;
                (Kind::Text(&rest[1..=end]), end + 2)
            }
            c if c.is_ascii() && is_word(c as u8) => {
                let end = rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len());
                (Kind::Word(&rest[..end]), end)
            }
            c => return Err(Fault::new(line, format!("{c:?} is not understood"))),
        };
        list.push(Token { kind, line });
        rest = &rest[length..];
    }
}

/// Whether a brace behind these tokens has elements in it.
fn begins_elements(before: &[Token]) -> bool {
    matches!(before, [.., Token { kind: Kind::Word("elements"), .. }, Token { kind: Kind::Sign('='), .. }])
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'/' | b'-' | b'+' | b'*')
}
