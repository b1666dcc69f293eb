//! Why a text does not fit the pattern of its place: the first character that the pattern has no room for.

/// The first character of a text that no part of a pattern takes; `None` where the pattern is not made of sets of
/// characters, or where all of them may occur and only their order is wrong.
pub fn odd_one(pattern: &str, text: &str) -> Option<char> {
    let taken = taken(pattern.strip_prefix('^')?.strip_suffix('$')?)?;
    text.chars().find(|c| !taken.iter().any(|(low, high)| (low..=high).contains(&c)))
}

/// The ranges of characters that a pattern names anywhere.
fn taken(pattern: &str) -> Option<Vec<(char, char)>> {
    let mut found = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => found.push(literal(rest.next()?)?),
            '.' => return None,
            '{' => while rest.next()? != '}' {},
            '(' | ')' | '*' | '+' | '?' | '|' | '^' | '$' => {}
            '[' => {
                if rest.peek() == Some(&'^') {
                    return None;
                }
                loop {
                    let low = match rest.next()? {
                        ']' => break,
                        '\\' => literal(rest.next()?)?.0,
                        c => c,
                    };
                    let mut ahead = rest.clone();
                    match (ahead.next(), ahead.next()) {
                        (Some('-'), Some(high)) if high != ']' => {
                            found.push((low, high));
                            rest = ahead;
                        }
                        _ => found.push((low, low)),
                    }
                }
            }
            c => found.push((c, c)),
        }
    }
    Some(found)
}

/// An escaped character; none for a class such as `\\s`.
fn literal(c: char) -> Option<(char, char)> {
    (!c.is_ascii_alphanumeric()).then_some((c, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_character_without_room() {
        let name = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
        assert_eq!(odd_one(name, "Guestbook"), Some('G'));
        assert_eq!(odd_one(name, "guest book"), Some(' '));
        assert_eq!(odd_one(name, "-guest"), None, "its order is wrong");
        assert_eq!(odd_one("^(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$", "*.a.example"), None);
        assert_eq!(odd_one("^(\\*\\.)?[A-Za-z0-9_]$", "a/b"), Some('/'));
        assert_eq!(odd_one("^[0-9]{1,5}-[0-9]{1,5}$", "10:20"), Some(':'));
        assert_eq!(odd_one("^(/.*)?$", "srv"), None);
        assert_eq!(odd_one("^v?[0-9]+\\S*$", "x"), None);
    }
}
