//! The JSON reader: strict JSON in, nodes out. Comments, trailing commas and single quotes are named as what they are.

use std::ops::Range;

use super::scalar::{self, Plain};
use super::tree::Tree;
use super::{DEPTH_LIMIT, yaml};
use crate::diag::{Diag, codes};
use crate::node::{Data, Entry, Node};

/// Reads a text. The outer `None` is a text that has no tree (reported), the inner one an empty text.
pub(super) fn read(text: &str, tree: &mut Tree) -> Option<Option<Node>> {
    let mut reader = Reader { text, at: 0, depth: 0, tree };
    reader.space();
    if reader.at == text.len() {
        return Some(None);
    }
    let read = reader.value().and_then(|node| {
        reader.space();
        match reader.peek() {
            None => Ok(node),
            Some(_) => Err(reader.wrong("text follows the value", "the value has ended before this")),
        }
    });
    match read {
        Ok(node) => Some(Some(node)),
        Err(diag) => {
            tree.report(*diag);
            None
        }
    }
}

struct Reader<'t, 'a, 's> {
    text: &'t str,
    at: usize,
    depth: usize,
    tree: &'a mut Tree<'s>,
}

type Read<T> = Result<T, Box<Diag>>;

impl Reader<'_, '_, '_> {
    fn value(&mut self) -> Read<Node> {
        let start = self.at;
        if self.tree.is_full() {
            return Err(Box::new(super::too_many_values().at(self.tree.span(self.here()), "one too many")));
        }
        let data = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Data::Text(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            _ => return Err(self.wrong("expected a value", "no value begins here")),
        };
        Ok(self.tree.node(start..self.at, data))
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Data>) -> Read<Data> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            let span = self.tree.span(self.at..self.at + 1);
            return Err(Box::new(yaml::too_deep().at(span, "one level too many")));
        }
        let data = read(self);
        self.depth -= 1;
        data
    }

    fn object(&mut self) -> Read<Data> {
        let open = self.at;
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b'}') if entries.is_empty() => break,
                Some(b'"') => {}
                None => return Err(self.unclosed(open)),
                Some(b'}') => return Err(self.comma("}")),
                _ => return Err(self.wrong("expected a key in double quotes", "no key begins here")),
            }
            let start = self.at;
            let text = self.string()?;
            let (key, key_span) = (self.tree.key(&text), self.tree.span(start..self.at));
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.wrong("expected `:` behind the key", "no `:` here"));
            }
            self.at += 1;
            self.space();
            let value = self.value()?;
            entries.push(Entry { key, key_span, value });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                None => return Err(self.unclosed(open)),
                _ => return Err(self.wrong("expected `,` or `}`", "not a new entry and not the end")),
            }
        }
        self.at += 1;
        Ok(Data::Map(self.tree.unique(entries)))
    }

    fn array(&mut self) -> Read<Data> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b']') if items.is_empty() => break,
                Some(b']') => return Err(self.comma("]")),
                None => return Err(self.unclosed(open)),
                _ => items.push(self.value()?),
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                None => return Err(self.unclosed(open)),
                _ => return Err(self.wrong("expected `,` or `]`", "not a new item and not the end")),
            }
        }
        self.at += 1;
        Ok(Data::List(items))
    }

    fn string(&mut self) -> Read<String> {
        let open = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => value.push(self.escape()?),
                _ => {
                    let span = self.tree.span(open..open + 1);
                    let diag = Diag::new(codes::SYNTAX, "a quote is never closed").at(span, "the text begins here");
                    return Err(Box::new(diag.help("close the quote on the same line; write a line end as `\\n`")));
                }
            }
        }
        self.at += 1;
        Ok(value)
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let code = |at: usize| {
                    let digits = self.text.get(at..at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                    digits.and_then(|d| u32::from_str_radix(d, 16).ok())
                };
                let high = code(start + 2);
                let low = if self.text[start..].get(6..8) == Some("\\u") { code(start + 8) } else { None };
                match (high, low) {
                    (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                        self.at = start + 12;
                        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                    }
                    (Some(code), _) => {
                        self.at = start + 6;
                        char::from_u32(code)
                    }
                    _ => None,
                }
                .ok_or_else(|| self.bad_escape(start))?
            }
            _ => return Err(self.bad_escape(start)),
        })
    }

    fn bad_escape(&self, start: usize) -> Box<Diag> {
        let span = self.tree.span(start..start + 1);
        let diag = Diag::new(codes::SYNTAX, "an escape in this text is not known").at(span, "begins here");
        Box::new(diag.help("write `\\\\` for a backslash"))
    }

    fn number(&mut self) -> Read<Data> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let raw = &rest[..length];
        self.at += length;
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let exponent_of_zero = digits.starts_with("0e") || digits.starts_with("0E");
        let bare_point = digits.starts_with('.') || digits.ends_with('.') || raw.contains(".e") || raw.contains(".E");
        let data = match scalar::resolve(raw) {
            _ if (leading_zero && !exponent_of_zero) || bare_point => None,
            Plain::Int(value) => Some(Data::Int { value, raw: raw.into() }),
            Plain::Float(value) => Some(Data::Float { value, raw: raw.into() }),
            Plain::NotFinite => {
                self.tree.report(yaml::not_finite(raw).at(self.tree.span(start..self.at), ""));
                Some(Data::Poison)
            }
            _ => None,
        };
        data.ok_or_else(|| {
            let diag = Diag::new(codes::SYNTAX, format!("`{raw}` is not a number"))
                .at(self.tree.span(start..start + length), "not a number of JSON");
            Box::new(diag.help("quote the text; numbers have no leading zeros"))
        })
    }

    fn word(&mut self) -> Read<Data> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
        let (word, range) = (&rest[..length], self.at..self.at + length);
        self.at += length;
        Ok(match word {
            "null" => Data::Null,
            "true" => Data::Bool { value: true, raw: word.into() },
            "false" => Data::Bool { value: false, raw: word.into() },
            _ => {
                let diag = Diag::new(codes::SYNTAX, format!("`{word}` is not a value of JSON"))
                    .at(self.tree.span(range), "text needs double quotes");
                return Err(Box::new(diag.help("quote it; words without quotes are `true`, `false` and `null`")));
            }
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong(&self, message: &str, label: &str) -> Box<Diag> {
        let help = match self.peek() {
            Some(b'/' | b'#') => "JSON has no comments; a spec with comments is written in YAML",
            Some(b'\'') => "JSON quotes with `\"` only",
            _ => "check the commas, quotes and brackets before this place",
        };
        Box::new(Diag::new(codes::SYNTAX, message).at(self.tree.span(self.here()), label).help(help))
    }

    fn comma(&self, close: &str) -> Box<Diag> {
        let comma = self.text[..self.at].rfind(',').unwrap_or(self.at);
        let span = self.tree.span(comma..comma + 1);
        let diag = Diag::new(codes::SYNTAX, format!("a comma stands before the closing `{close}`"));
        Box::new(diag.at(span, "nothing follows it").help("remove the comma").replace(span, "", true))
    }

    fn unclosed(&self, open: usize) -> Box<Diag> {
        let bracket = &self.text[open..open + 1];
        let close = if bracket == "[" { "]" } else { "}" };
        let diag = Diag::new(codes::SYNTAX, format!("this `{bracket}` is never closed"))
            .at(self.tree.span(open..open + 1), format!("no `{close}` for it"));
        Box::new(diag.help(format!("add the `{close}`")))
    }

    fn here(&self) -> Range<usize> {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at..self.at + length
    }
}
