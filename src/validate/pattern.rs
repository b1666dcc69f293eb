//! A `pattern` of a schema and a text in, whether the text has it out: for the plain patterns that schemas mostly use.
//!
//! Characters, classes, groups, alternatives and repetitions; anything beyond that is left to the validator proper.

use std::iter::Peekable;
use std::str::Chars;

use super::quick::Unsure;

/// Steps after which a match is left to the validator proper, which does not backtrack.
const MOST_STEPS: u32 = 10_000;

/// Whether a text matches a pattern anywhere.
pub fn matches(pattern: &str, text: &str) -> Result<bool, Unsure> {
    let mut parser = Parser { rest: pattern.chars().peekable() };
    let alternatives = parser.alternatives()?;
    if parser.rest.next().is_some() {
        return Err(Unsure);
    }
    let text: Vec<char> = text.chars().collect();
    let mut matcher = Matcher { text: &text, steps: 0 };
    for start in 0..=text.len() {
        for sequence in &alternatives {
            if matcher.sequence(sequence, start, &mut |_, _| Ok(true))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

enum Piece {
    Class { negated: bool, ranges: Vec<(char, char)> },
    Start,
    End,
    Group(Vec<Vec<Item>>),
}

/// A piece and how often it may stand.
struct Item {
    piece: Piece,
    least: u32,
    most: u32,
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Vec<Vec<Item>>, Unsure> {
        let mut all = vec![Vec::new()];
        while let Some(&c) = self.rest.peek() {
            if c == ')' {
                break;
            }
            self.rest.next();
            if c == '|' {
                all.push(Vec::new());
                continue;
            }
            let piece = self.piece(c)?;
            let (least, most) = self.repetition()?;
            if let Some(last) = all.last_mut() {
                last.push(Item { piece, least, most });
            }
        }
        Ok(all)
    }

    fn piece(&mut self, first: char) -> Result<Piece, Unsure> {
        Ok(match first {
            '^' => Piece::Start,
            '$' => Piece::End,
            '.' => Piece::Class { negated: true, ranges: vec![('\n', '\n')] },
            '[' => self.class()?,
            '(' => {
                if self.rest.peek() == Some(&'?') {
                    return Err(Unsure);
                }
                let inner = self.alternatives()?;
                if self.rest.next() != Some(')') {
                    return Err(Unsure);
                }
                Piece::Group(inner)
            }
            '\\' => single(self.escaped()?),
            '*' | '+' | '?' | '{' | '}' | ']' => return Err(Unsure),
            c => single(c),
        })
    }

    /// The character after a backslash; escapes that stand for more than themselves are not for here.
    fn escaped(&mut self) -> Result<char, Unsure> {
        self.rest.next().filter(|c| c.is_ascii_punctuation()).ok_or(Unsure)
    }

    fn class(&mut self) -> Result<Piece, Unsure> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let low = match self.rest.next().ok_or(Unsure)? {
                ']' if !ranges.is_empty() => return Ok(Piece::Class { negated, ranges }),
                '\\' => self.escaped()?,
                // Nested classes and set operations in some dialects.
                '[' | ']' | '&' | '~' => return Err(Unsure),
                c => c,
            };
            let mut ahead = self.rest.clone();
            let high = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(high)) if high != ']' => {
                    if matches!(high, '\\' | '[' | '-') {
                        return Err(Unsure);
                    }
                    self.rest = ahead;
                    high
                }
                _ => low,
            };
            ranges.push((low, high));
        }
    }

    fn repetition(&mut self) -> Result<(u32, u32), Unsure> {
        let Some(&c) = self.rest.peek() else { return Ok((1, 1)) };
        let counts = match c {
            '*' => (0, u32::MAX),
            '+' => (1, u32::MAX),
            '?' => (0, 1),
            '{' => {
                let mut inner = String::new();
                self.rest.next();
                while let Some(c) = self.rest.next_if(|c| *c != '}') {
                    inner.push(c);
                }
                let number = |t: &str| t.parse::<u32>().map_err(|_| Unsure);
                match inner.split_once(',') {
                    None => (number(&inner)?, number(&inner)?),
                    Some((least, "")) => (number(least)?, u32::MAX),
                    Some((least, most)) => (number(least)?, number(most)?),
                }
            }
            _ => return Ok((1, 1)),
        };
        self.rest.next();
        // Lazy and possessive repetitions.
        if matches!(self.rest.peek(), Some('?' | '+' | '*' | '{')) { Err(Unsure) } else { Ok(counts) }
    }
}

fn single(c: char) -> Piece {
    Piece::Class { negated: false, ranges: vec![(c, c)] }
}

struct Matcher<'a> {
    text: &'a [char],
    steps: u32,
}

/// What is to follow at a position.
type Then<'a, 'b> = &'a mut dyn FnMut(&mut Matcher<'b>, usize) -> Result<bool, Unsure>;

impl<'t> Matcher<'t> {
    fn sequence(&mut self, items: &[Item], at: usize, then: Then<'_, 't>) -> Result<bool, Unsure> {
        match items.split_first() {
            None => then(self, at),
            Some((item, rest)) => self.repeat(item, 0, at, &mut |m, at| m.sequence(rest, at, then)),
        }
    }

    fn repeat(&mut self, item: &Item, done: u32, at: usize, then: Then<'_, 't>) -> Result<bool, Unsure> {
        self.steps += 1;
        if self.steps > MOST_STEPS || done > 1000 {
            return Err(Unsure);
        }
        if done < item.most {
            let more = self.once(&item.piece, at, &mut |m, next| {
                // A repetition of nothing leads nowhere.
                Ok((next > at || done < item.least) && m.repeat(item, done + 1, next, then)?)
            })?;
            if more {
                return Ok(true);
            }
        }
        Ok(done >= item.least && then(self, at)?)
    }

    fn once(&mut self, piece: &Piece, at: usize, then: Then<'_, 't>) -> Result<bool, Unsure> {
        match piece {
            Piece::Start => Ok(at == 0 && then(self, at)?),
            Piece::End => Ok(at == self.text.len() && then(self, at)?),
            Piece::Class { negated, ranges } => match self.text.get(at) {
                Some(c) if ranges.iter().any(|(low, high)| low <= c && c <= high) != *negated => then(self, at + 1),
                _ => Ok(false),
            },
            Piece::Group(alternatives) => {
                for sequence in alternatives {
                    if self.sequence(sequence, at, then)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_validator_proper() {
        let patterns = [
            "^[A-Za-z0-9][A-Za-z0-9._-]*$",
            "^/",
            "^(/.*)?$",
            "^([0-9]{1,5}(-[0-9]{1,5})?/(tcp|udp)|icmp|all)$",
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "^[^@ ]+@[^@ ]+$",
            "^[a-z0-9][a-z0-9._/-]*$",
            "b",
            "a|^b$",
            "(ab)*c",
            "x{2,}",
            "^v?[0-9]+(\\.[0-9]+)*$",
            "",
            "a.c",
            "^(a|ab)(c|bcd)$",
        ];
        let samples = [
            "",
            "a",
            "a-b",
            "-a",
            "a b",
            "/",
            "/a/b",
            "a/b",
            "/a\nb",
            "443/tcp",
            "1-2/udp",
            "1-/udp",
            "443/sctp",
            "icmp",
            "all",
            "123456/tcp",
            "ä",
            "a.b_c",
            ".a",
            "443/tcp/",
            "\n",
            "a\n",
            "all\n",
            "2027-03-31",
            "2027-3-31",
            "a@b",
            "a@b@c",
            "@",
            "ababc",
            "xx",
            "xxx",
            "b",
            "bb",
            "v1.2",
            "1.",
            "a\nc",
            "abc",
            "abcd",
            "a\rc",
            "a\u{2028}c",
        ];
        for pattern in patterns {
            let schema = serde_json::json!({ "pattern": pattern });
            let validator = jsonschema::options().offline().build(&schema).expect("the pattern compiles");
            for sample in samples {
                let quick = matches(pattern, sample).expect("a plain pattern");
                assert_eq!(quick, validator.is_valid(&sample.into()), "{pattern} {sample:?}");
            }
        }
    }

    #[test]
    fn leaves_what_it_does_not_know() {
        for pattern in ["\\d+", "(?i)a", "a*?", "[[:alpha:]]", "a{", "(a", "[a", "*", "[a&&b]"] {
            assert!(matches(pattern, "a").is_err(), "{pattern}");
        }
        assert!(matches("^(a*)*b$", &"a".repeat(64)).is_err());
        assert!(matches("^a*$", &"a".repeat(100_000)).is_err());
    }
}
