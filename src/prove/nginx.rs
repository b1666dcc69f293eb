//! Text of an NGINX configuration file → its directives, and from those the servers and groups of upstream servers.
//!
//! Source of the syntax: ngx_conf_file.c. A word ends at a blank, `;`, `{` or `}`; quotes only around whole words.

use super::fault::{Fault, Read, plain_lines};

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    pub name: String,
    pub args: Vec<String>,
    /// What stands between its braces, if it has any.
    pub block: Option<Vec<Directive>>,
    pub line: usize,
}

impl Directive {
    /// The only directive of a name in its block; `None` when there is none.
    pub fn only<'d>(block: &'d [Directive], name: &str) -> Read<Option<&'d Directive>> {
        let mut all = block.iter().filter(|d| d.name == name);
        let first = all.next();
        match all.next() {
            Some(second) => Err(Fault::new(second.line, format!("a second `{name}`"))),
            None => Ok(first),
        }
    }

    /// The only argument.
    pub fn arg(&self) -> Read<&str> {
        match self.args.as_slice() {
            [one] => Ok(one),
            list => Err(Fault::new(self.line, format!("`{}` with {} arguments", self.name, list.len()))),
        }
    }

    pub fn block(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Reads a file, whole or a fragment of one.
pub fn read(text: &str) -> Read<Vec<Directive>> {
    let mut words = words(text)?.into_iter().peekable();
    let list = block(&mut words, None)?;
    Ok(list)
}

#[derive(Debug)]
enum Word {
    Text(String),
    Semicolon,
    Open,
    Close,
}

type Words = std::iter::Peekable<std::vec::IntoIter<(Word, usize)>>;

/// Directives up to the closing brace of the block that began on the given line, or up to the end of the file.
fn block(words: &mut Words, opened: Option<usize>) -> Read<Vec<Directive>> {
    let mut list = Vec::new();
    loop {
        let (name, line) = match words.next() {
            None => match opened {
                None => return Ok(list),
                Some(line) => return Err(Fault::new(line, "a block that is not closed")),
            },
            Some((Word::Close, _)) if opened.is_some() => return Ok(list),
            Some((Word::Text(name), line)) => (name, line),
            Some((_, line)) => return Err(Fault::new(line, "a directive should begin here")),
        };
        let mut args = Vec::new();
        let block = loop {
            match words.next() {
                Some((Word::Text(arg), _)) => args.push(arg),
                Some((Word::Semicolon, _)) => break None,
                Some((Word::Open, line)) => break Some(self::block(words, Some(line))?),
                Some((Word::Close, line)) => return Err(Fault::new(line, format!("`{name}` is not ended by `;`"))),
                None => return Err(Fault::new(line, format!("`{name}` is not ended"))),
            }
        };
        list.push(Directive { name, args, block, line });
    }
}

fn words(text: &str) -> Read<Vec<(Word, usize)>> {
    let mut list = Vec::new();
    for (i, line) in plain_lines(text)?.enumerate() {
        words_of_line(line, i + 1, &mut list)?;
    }
    Ok(list)
}

fn words_of_line(text: &str, line: usize, list: &mut Vec<(Word, usize)>) -> Read<()> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(c) = rest.chars().next() else { return Ok(()) };
        let (word, length) = match c {
            '#' => return Ok(()),
            ';' => (Word::Semicolon, 1),
            '{' => (Word::Open, 1),
            '}' => (Word::Close, 1),
            '"' | '\'' => {
                let (text, length) = quoted(rest, c, line)?;
                if !rest[length..].is_empty() && !rest[length..].starts_with([' ', '\t', ';', '{', ')']) {
                    return Err(Fault::new(line, "text that touches a closing quote"));
                }
                (Word::Text(text), length)
            }
            _ => {
                let length = bare(rest, line)?;
                (Word::Text(rest[..length].to_owned()), length)
            }
        };
        list.push((word, line));
        rest = &rest[length..];
    }
}

/// A quoted word without its quotes, and its length with them.
fn quoted(text: &str, quote: char, line: usize) -> Read<(String, usize)> {
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((word, i + 1)),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\'' | '\\'))) => word.push(c),
                Some((_, 't')) => word.push('\t'),
                Some((_, c)) => word.extend(['\\', c]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err(Fault::new(line, "a quoted word that does not end on its line"))
}

/// The length of a word without quotes; `${…}` belongs to it.
fn bare(text: &str, line: usize) -> Read<usize> {
    let mut depth = 0;
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ' ' | '\t' | ';' | '{' | '}' => return Ok(i),
            '"' | '\'' => return Err(Fault::new(line, "a quote inside a word")),
            _ => {}
        }
        before = c;
    }
    Ok(text.len())
}

/// A size in bytes: a number with `k`, `m` or `g`.
pub fn size(text: &str) -> Option<i64> {
    let (number, factor) = match text.to_ascii_lowercase().strip_suffix(['k', 'm', 'g']) {
        None => (text.to_owned(), 1),
        Some(number) if text.ends_with(['k', 'K']) => (number.to_owned(), 1 << 10),
        Some(number) if text.ends_with(['m', 'M']) => (number.to_owned(), 1 << 20),
        Some(number) => (number.to_owned(), 1 << 30),
    };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    number.parse::<i64>().ok().filter(|_| digits)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_and_quotes() {
        let text = "# head\nupstream \"a b\" { server [fd00::1]:80 max_fails=3; # one\n}\n\
                    map $http_upgrade $c { default upgrade; \"\" close; }\nlog '\\'x\\d' ${a}b;\n";
        let list = read(text).expect("good");
        assert_eq!(list[0].args, ["a b"]);
        assert_eq!(list[0].block()[0].args, ["[fd00::1]:80", "max_fails=3"]);
        assert_eq!(list[1].block()[1].name, "");
        assert_eq!((list[2].args.clone(), list[2].line), (vec!["'x\\d".to_owned(), "${a}b".to_owned()], 5));
    }

    #[test]
    fn refuses_what_nginx_refuses() {
        for (text, line) in [
            ("listen 443\n", 1),
            ("server {\nlisten 443;\n", 1),
            ("server {\nlisten 443\n}\n", 3),
            ("}\n", 1),
            ("a \"b;\n", 1),
            ("a \"b\"c;\n", 1),
            ("a b\"c;\n", 1),
            (";\n", 1),
            ("a b;", 1),
        ] {
            assert_eq!(read(text).map_err(|f| f.line), Err(line), "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(
            ["0", "8k", "1m", "2G", "x", "k", "-1"].map(size),
            [Some(0), Some(8192), Some(1 << 20), Some(2 << 30), None, None, None]
        );
    }
}
