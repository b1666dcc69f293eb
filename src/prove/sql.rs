//! Text of a script for psql → its commands and statements, those of `\gexec` as the server will get them.
//!
//! Source of the syntax: PostgreSQL 15, chapter 4.1 and the reference of psql. Understood are names, texts and numbers,
//! comments with `--`, commands that stand on a line of their own, and `\gexec` behind a `SELECT format(…)` that looks
//! first whether the thing is there. Dollar quotes, comments with `/*` and variables of psql are refused.

use super::fault::{Fault, Read};

/// One thing that the script does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub what: What,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A command of psql with its words: `\connect "a"`.
    Command(String, Vec<String>),
    Statement(Statement),
    /// A statement that is made only when the thing is not there yet.
    Unless {
        is_there: Statement,
        made: Statement,
    },
}

/// A statement by its shape: words in capitals, `?` for a name in quotes, `'` for a text, `#` for a number; what they
/// stand for is listed in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    pub shape: String,
    pub values: Vec<String>,
}

impl Statement {
    /// The shape and the values, ready to be matched.
    pub fn parts(&self) -> (&str, Vec<&str>) {
        (&self.shape, self.values.iter().map(|v| &**v).collect())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Name(String),
    Text(String),
    Number(String),
    Sign(char),
    Command(String),
}

/// Reads a script.
pub fn read(text: &str) -> Read<Vec<Act>> {
    if let Some(i) = text.split('\n').position(|l| l.chars().any(|c| c.is_control() && c != '\t')) {
        return Err(Fault::new(i + 1, "a control character"));
    }
    let mut list = Vec::new();
    let (mut open, mut begun): (Vec<Token>, usize) = (Vec::new(), 0);
    let mut scan = Scan { rest: text, line: 1 };
    while let Some((token, line)) = scan.token()? {
        match token {
            Token::Command(name) if name == "gexec" => {
                list.push(Act { what: executed(&std::mem::take(&mut open), begun)?, line: begun });
            }
            Token::Command(name) => {
                if !open.is_empty() {
                    return Err(Fault::new(line, format!("`\\{name}` inside a statement")));
                }
                list.push(Act { what: What::Command(name, scan.words()?), line });
            }
            Token::Sign(';') => {
                let statement = statement(&std::mem::take(&mut open));
                if statement.shape.is_empty() {
                    return Err(Fault::new(line, "an empty statement"));
                }
                list.push(Act { what: What::Statement(statement), line: begun });
            }
            other => {
                if open.is_empty() {
                    begun = line;
                }
                open.push(other);
            }
        }
    }
    match open.is_empty() {
        true => Ok(list),
        false => Err(Fault::new(begun, "a statement that does not end")),
    }
}

fn statement(tokens: &[Token]) -> Statement {
    let (mut words, mut values) = (Vec::new(), Vec::new());
    for token in tokens {
        let (word, value) = match token {
            Token::Word(word) | Token::Command(word) => (word.to_uppercase(), None),
            Token::Name(name) => ("?".to_owned(), Some(name)),
            Token::Text(text) => ("'".to_owned(), Some(text)),
            Token::Number(number) => ("#".to_owned(), Some(number)),
            Token::Sign(sign) => (sign.to_string(), None),
        };
        words.push(word);
        values.extend(value.cloned());
    }
    Statement { shape: words.join(" "), values }
}

/// `SELECT format('…', …) WHERE NOT EXISTS (…) \gexec`: what the server gets, and what is looked for first.
fn executed(tokens: &[Token], line: usize) -> Read<What> {
    let fault = || Fault::new(line, "a `\\gexec` that is not behind `SELECT format(…) WHERE NOT EXISTS (…)`");
    let word = |token: &Token, text: &str| matches!(token, Token::Word(w) if w.eq_ignore_ascii_case(text));
    let close = tokens.iter().position(|t| *t == Token::Sign(')')).ok_or_else(fault)?;
    let (call, guard) = tokens.split_at(close + 1);
    let [select, format, Token::Sign('('), Token::Text(pattern), arguments @ .., Token::Sign(')')] = call else {
        return Err(fault());
    };
    let [where_, not, exists, Token::Sign('('), is_there @ .., Token::Sign(')')] = guard else {
        return Err(fault());
    };
    let words = [(select, "select"), (format, "format"), (where_, "where"), (not, "not"), (exists, "exists")];
    if !words.iter().all(|(token, text)| word(token, text)) {
        return Err(fault());
    }
    let mut values = Vec::new();
    for pair in arguments.chunks(2) {
        match pair {
            [Token::Sign(','), Token::Text(text)] => values.push(text.clone()),
            _ => return Err(fault()),
        }
    }
    let made = formatted(pattern, &values).ok_or_else(fault)?;
    let mut scan = Scan { rest: &made, line };
    let mut tokens = Vec::new();
    while let Some((token, _)) = scan.token()? {
        tokens.push(token);
    }
    Ok(What::Unless { is_there: statement(is_there), made: statement(&tokens) })
}

/// What the function `format` makes: `%I` a name in quotes, `%L` a text.
fn formatted(pattern: &str, values: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match (chars.next()?, values.next()?) {
                ('I', name) => out.push_str(&format!("\"{}\"", name.replace('"', "\"\""))),
                ('L', text) if text.contains('\\') => {
                    out.push_str(&format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")));
                }
                ('L', text) => out.push_str(&format!("'{}'", text.replace('\'', "''"))),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    values.next().is_none().then_some(out)
}

struct Scan<'a> {
    rest: &'a str,
    line: usize,
}

impl Scan<'_> {
    fn take(&mut self, bytes: usize) -> String {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken.to_owned()
    }

    fn token(&mut self) -> Read<Option<(Token, usize)>> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            if !self.rest.starts_with("--") {
                break;
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(end);
        }
        let line = self.line;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let token = match first {
            '"' => Token::Name(self.quoted('"', false)?),
            '\'' => Token::Text(self.quoted('\'', false)?),
            'E' if self.rest[1..].starts_with('\'') => {
                self.take(1);
                Token::Text(self.quoted('\'', true)?)
            }
            '\\' => {
                self.take(1);
                Token::Command(self.run(|c| c.is_ascii_alphabetic()))
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                Token::Word(self.run(|c| c.is_ascii_alphanumeric() || c == '_'))
            }
            c if c.is_ascii_digit() || c == '-' => {
                let sign = if c == '-' { self.take(1) } else { String::new() };
                let digits = self.run(|c| c.is_ascii_digit());
                match digits.is_empty() {
                    true => return Err(Fault::new(line, "a minus without a number")),
                    false => Token::Number(sign + &digits),
                }
            }
            '(' | ')' | ',' | ';' | '.' | '=' => {
                self.take(1);
                Token::Sign(first)
            }
            other => return Err(Fault::new(line, format!("`{other}` is not understood"))),
        };
        Ok(Some((token, line)))
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// What stands between quotes, which are doubled inside; backslashes count only in texts with an `E` before them.
    fn quoted(&mut self, quote: char, escapes: bool) -> Read<String> {
        let line = self.line;
        let mut out = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' if escapes => match chars.next() {
                    Some((_, '\\')) => out.push('\\'),
                    _ => return Err(Fault::new(line, "an escape in a text that is not a doubled backslash")),
                },
                '\\' if quote == '\'' => return Err(Fault::new(line, "a backslash in a text without an `E`")),
                c if c == quote => match chars.peek() {
                    Some((_, next)) if *next == quote => {
                        chars.next();
                        out.push(quote);
                    }
                    _ => {
                        self.take(i + 1);
                        return Ok(out);
                    }
                },
                c => out.push(c),
            }
        }
        Err(Fault::new(line, "a quote that is not closed"))
    }

    /// The words of a command of psql, up to the end of its line.
    fn words(&mut self) -> Read<Vec<String>> {
        let mut list = Vec::new();
        loop {
            self.run(|c| c == ' ');
            match self.rest.chars().next() {
                None | Some('\n') => return Ok(list),
                Some('"') => list.push(self.quoted('"', false)?),
                Some(c) if c.is_ascii_alphanumeric() => {
                    list.push(self.run(|c| c.is_ascii_alphanumeric() || c == '_'));
                }
                Some(c) => return Err(Fault::new(self.line, format!("`{c}` behind a command is not understood"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<String> {
        read(text)
            .expect(text)
            .into_iter()
            .map(|act| match act.what {
                What::Command(name, words) => format!("\\{name} {}", words.join(" ")),
                What::Statement(s) => format!("{} | {}", s.shape, s.values.join(" ")),
                What::Unless { is_there, made } => {
                    format!("{} | {} unless {}", made.shape, made.values.join(" "), is_there.values.join(" "))
                }
            })
            .collect()
    }

    #[test]
    fn reads_commands_and_statements() {
        let text = "-- why\n\\set ON_ERROR_STOP on\nALTER ROLE \"a\"\"b\" LOGIN; -- more\n\\connect \"My Db\"\n";
        assert_eq!(shapes(text), ["\\set ON_ERROR_STOP on", "ALTER ROLE ? LOGIN | a\"b", "\\connect My Db"]);
    }

    #[test]
    fn a_made_statement_is_read_as_the_server_gets_it() {
        let text = "SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L', 'it''s', E'b\\\\c', 'UTF8') \
                    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'it''s') \\gexec\n";
        assert_eq!(shapes(text), ["CREATE DATABASE ? OWNER ? ENCODING ' | it's b\\c UTF8 unless it's"]);
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for text in [
            "SELECT 'a;\n",
            "SELECT 1\n",
            ";\n",
            "SELECT $$a$$;\n",
            "SELECT 'a\\b';\n",
            "SELECT :x;\n",
            "/* a */ SELECT 1;\n",
            "SELECT 1 \\gexec\n",
            "SELECT \\connect a\n",
            "\\connect :x\n",
            "SELECT format('%s', 'a') WHERE NOT EXISTS (SELECT 1) \\gexec\n",
            "SELECT format('%I', 'a', 'b') WHERE NOT EXISTS (SELECT 1) \\gexec\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
