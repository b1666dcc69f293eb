//! Texts with ranges such as `w[01-05]` and `10.30.8.[11-13]` in, the texts that they stand for out.

use std::cmp::Ordering;

/// A text with any number of ranges in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The runs of `[1-3,7]`.
    Range(Vec<Run>),
}

/// An inclusive run of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    low: u64,
    high: u64,
    /// Digits to which numbers are filled up with zeros; 0 for none.
    width: usize,
    hex: bool,
}

impl Pattern {
    /// Reads a text with ranges `[low-high]`, `[a,b]` or both; a bound that begins with a zero gives the width.
    ///
    /// Where `hex`, bounds are hexadecimal, as in IPv6 addresses. Errors say in a few words what is wrong.
    pub fn parse(text: &str, hex: bool) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['[', ']']) {
            if rest[open..].starts_with(']') {
                return Err("`]` stands without `[`".into());
            }
            if open > 0 {
                parts.push(Part::Text(rest[..open].into()));
            }
            let inner = &rest[open + 1..];
            let close = inner.find(']').ok_or("`[` is not closed")?;
            parts.push(Part::Range(
                inner[..close].split(',').map(|run| Run::parse(run, hex)).collect::<Result<_, _>>()?,
            ));
            rest = &inner[close + 1..];
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Pattern { parts })
    }

    /// A text that stands for itself.
    pub fn literal(text: &str) -> Pattern {
        Pattern { parts: vec![Part::Text(text.into())] }
    }

    /// Whether there is a range in it at all.
    pub fn is_ranged(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Range(_)))
    }

    /// How many texts it stands for; `None` when that is beyond counting.
    pub fn count(&self) -> Option<u64> {
        self.parts.iter().try_fold(1u64, |count, part| match part {
            Part::Text(_) => Some(count),
            Part::Range(runs) => count.checked_mul(length(runs)?),
        })
    }

    /// The text at an index below [`Pattern::count`]; the last range counts fastest.
    pub fn nth(&self, index: u64) -> String {
        let mut left = index;
        let mut pieces: Vec<String> = Vec::with_capacity(self.parts.len());
        for part in self.parts.iter().rev() {
            match part {
                Part::Text(text) => pieces.push(text.clone()),
                Part::Range(runs) => {
                    let length = length(runs).unwrap_or(u64::MAX).max(1);
                    pieces.push(number(runs, left % length));
                    left /= length;
                }
            }
        }
        pieces.reverse();
        pieces.concat()
    }

    /// All texts that it stands for, in order. The caller has looked at [`Pattern::count`].
    pub fn texts(&self) -> impl Iterator<Item = String> {
        (0..self.count().unwrap_or(0)).map(|index| self.nth(index))
    }
}

impl Run {
    fn parse(text: &str, hex: bool) -> Result<Run, String> {
        let digits =
            |t: &str| !t.is_empty() && t.chars().all(|c| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() });
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let (low, high) = (low.trim(), high.trim());
        if !digits(low) || !digits(high) {
            return Err(format!("`{text}` is not a range such as `1-3`"));
        }
        let radix = if hex { 16 } else { 10 };
        let value = |t: &str| u64::from_str_radix(t, radix).map_err(|_| format!("`{t}` is too large"));
        let width = if low.len() > 1 && low.starts_with('0') { low.len() } else { 0 };
        let run = Run { low: value(low)?, high: value(high)?, width, hex };
        if run.low > run.high {
            return Err(format!("the range begins at {low}, after its end {high}"));
        }
        Ok(run)
    }

    fn length(self) -> Option<u64> {
        (self.high - self.low).checked_add(1)
    }
}

fn length(runs: &[Run]) -> Option<u64> {
    runs.iter().try_fold(0u64, |sum, run| sum.checked_add(run.length()?))
}

fn number(runs: &[Run], index: u64) -> String {
    let mut left = index;
    for run in runs {
        let length = run.length().unwrap_or(u64::MAX);
        if left < length {
            let (value, width) = (run.low + left, run.width);
            return if run.hex { format!("{value:0width$x}") } else { format!("{value:0width$}") };
        }
        left -= length;
    }
    String::new()
}

/// A text whose ranges were meant to count in decimal where they count in hexadecimal, written so that they do:
/// `fd00::[8-12]` becomes `fd00::[8-9,10-12]`. `None` when the ranges are malformed or long.
pub fn in_hexadecimal(text: &str) -> Option<String> {
    let decimal = Pattern::parse(text, false).ok()?;
    let mut spelled = String::new();
    for part in &decimal.parts {
        match part {
            Part::Text(text) => spelled.push_str(text),
            Part::Range(runs) => {
                let count = length(runs).filter(|count| *count <= 4096)?;
                let mut ends: Vec<(String, String, u64)> = Vec::new();
                for digits in (0..count).map(|index| number(runs, index)) {
                    let value = u64::from_str_radix(&digits, 16).ok()?;
                    match ends.last_mut() {
                        Some((_, high, last)) if *last + 1 == value => (*high, *last) = (digits, value),
                        _ => ends.push((digits.clone(), digits, value)),
                    }
                }
                let run = |(low, high, _): &(String, String, u64)| {
                    if low == high { low.clone() } else { format!("{low}-{high}") }
                };
                spelled.push_str(&format!("[{}]", ends.iter().map(run).collect::<Vec<_>>().join(",")));
            }
        }
    }
    Some(spelled)
}

/// Orders names as people do: numbers within them by their value, `w2` before `w10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (left.first(), right.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, rest_left) = digits(left);
            let (n, rest_right) = digits(right);
            match m.len().cmp(&n.len()).then_with(|| m.cmp(n)) {
                Ordering::Equal => (left, right) = (rest_left, rest_right),
                unequal => return unequal,
            }
        } else if x == y {
            (left, right) = (&left[1..], &right[1..]);
        } else {
            return x.cmp(&y);
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the beginning without leading zeros, and what follows them.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|b| **b == b'0').count();
    (&text[zeros..end], &text[end..])
}

/// Whether a name fits a glob of `*` (any text) and `?` (any character).
pub fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        Pattern::parse(text, false).unwrap().texts().collect()
    }

    #[test]
    fn ranges_keep_their_width() {
        assert_eq!(texts("cp[1-3]"), ["cp1", "cp2", "cp3"]);
        assert_eq!(texts("w[08-11]"), ["w08", "w09", "w10", "w11"]);
        assert_eq!(texts("w[8-11]"), ["w8", "w9", "w10", "w11"]);
        assert_eq!(texts("w[1-2,7]x"), ["w1x", "w2x", "w7x"]);
        assert_eq!(texts("plain"), ["plain"]);
    }

    #[test]
    fn several_ranges_count_from_the_last() {
        assert_eq!(texts("r[1-2]n[1-2]"), ["r1n1", "r1n2", "r2n1", "r2n2"]);
    }

    #[test]
    fn hexadecimal_ranges() {
        let pattern = Pattern::parse("fd00::[9-b]", true).unwrap();
        assert_eq!(pattern.texts().collect::<Vec<_>>(), ["fd00::9", "fd00::a", "fd00::b"]);
    }

    #[test]
    fn decimal_ranges_in_hexadecimal() {
        assert_eq!(in_hexadecimal("fd00::[8-12]").as_deref(), Some("fd00::[8-9,10-12]"));
        assert_eq!(in_hexadecimal("fd00::[01-3]:[98-101]").as_deref(), Some("fd00::[01-03]:[98-99,100-101]"));
        assert_eq!(in_hexadecimal("fd00::[1-9999999]"), None);
    }

    #[test]
    fn malformed_ranges_say_why() {
        for (text, part) in [
            ("w[1-", "not closed"),
            ("w1]", "without"),
            ("w[]", "not a range"),
            ("w[3-1]", "after"),
            ("w[a-b]", "not a range"),
        ] {
            let reason = Pattern::parse(text, false).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
        assert!(Pattern::parse("w[0-99999999999999999999]", false).is_err());
    }

    #[test]
    fn counting_never_overflows() {
        assert_eq!(Pattern::parse("[0-18446744073709551615]", false).unwrap().count(), None);
        assert_eq!(Pattern::parse("[0-9999999999]x[0-9999999999]", false).unwrap().count(), None);
        assert_eq!(Pattern::parse("[0-9999999999]", false).unwrap().count(), Some(10_000_000_000));
    }

    #[test]
    fn natural_order() {
        let mut names = vec!["w10", "w2", "w02", "a", "w1", "w1a", "w"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "w", "w1", "w1a", "w02", "w2", "w10"]);
    }

    #[test]
    fn globs() {
        assert!(
            glob("*", "") && glob("w*", "w01") && glob("*1", "cp1") && glob("c?1", "cp1") && glob("a*b*c", "aXbYc")
        );
        assert!(!glob("w*", "cp1") && !glob("c?", "cp1") && !glob("", "a"));
    }
}
