//! Text of a Markdown file → its tables as plain text, its links and its code.
//!
//! Source of the syntax: CommonMark 0.31 and the table extension of GitHub, as far as documents here use them.

use super::fault::{Fault, Read, plain_lines};

/// What a document holds beside prose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    pub tables: Vec<Table>,
    /// Destinations of links, with their lines.
    pub links: Vec<(String, usize)>,
    /// Inline code and the lines of fenced code, with their lines.
    pub code: Vec<(String, usize)>,
    /// Headings without their marks, as plain text.
    pub headings: Vec<(String, usize)>,
}

/// One table. Cells are plain text, without markup and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// The line of the header.
    pub line: usize,
}

/// Reads a document. A table whose rows have unequal numbers of cells is a fault, as is a fence that stays open.
pub fn read(text: &str) -> Read<Outline> {
    let mut outline = Outline::default();
    let lines: Vec<&str> = plain_lines(text)?.collect();
    let mut fence: Option<(&str, usize)> = None;
    let mut i = 0;
    while let Some(&text) = lines.get(i) {
        let (line, trimmed) = (i + 1, text.trim_start());
        i += 1;
        if let Some((mark, _)) = fence {
            if trimmed.starts_with(mark) && trimmed.trim_start_matches(mark.as_bytes()[0] as char).trim().is_empty() {
                fence = None;
            } else {
                outline.code.push((text.to_owned(), line));
            }
        } else if let Some(mark) = fence_mark(trimmed) {
            fence = Some((mark, line));
        } else if trimmed.starts_with('|') && lines.get(i).is_some_and(|next| is_delimiter(next)) {
            i += 1;
            let mut table = Table { header: cells(trimmed, line, &mut outline)?, rows: Vec::new(), line };
            while let Some(row) = lines.get(i).filter(|row| row.trim_start().starts_with('|')) {
                i += 1;
                let row = cells(row.trim_start(), i, &mut outline)?;
                if row.len() != table.header.len() {
                    let what = format!("{} cells in a table of {} columns", row.len(), table.header.len());
                    return Err(Fault::new(i, what));
                }
                table.rows.push(row);
            }
            outline.tables.push(table);
        } else if trimmed.starts_with('|') {
            return Err(Fault::new(line, "a row of cells that belongs to no table"));
        } else {
            let marks = trimmed.bytes().take_while(|b| *b == b'#').count();
            let plain = inline(trimmed, line, &mut outline);
            if (1..=6).contains(&marks) && trimmed[marks..].starts_with(' ') {
                outline.headings.push((plain[marks..].trim().to_owned(), line));
            }
        }
    }
    match fence {
        Some((_, line)) => Err(Fault::new(line, "a code fence that is not closed")),
        None => Ok(outline),
    }
}

/// The run of backticks or tildes that opens a fence.
fn fence_mark(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == first).count();
    let info = &line[length..];
    (length >= 3 && !(first == '`' && info.contains('`'))).then(|| &line[..length])
}

/// `| --- | :-: |`
fn is_delimiter(line: &str) -> bool {
    let inner = line.trim().trim_matches('|');
    !inner.is_empty()
        && inner.split('|').all(|cell| {
            let dashes = cell.trim().trim_matches(':');
            !dashes.is_empty() && dashes.bytes().all(|b| b == b'-')
        })
}

/// The cells of a row, as plain text.
fn cells(row: &str, line: usize, outline: &mut Outline) -> Read<Vec<String>> {
    let row = row.trim_end();
    let inner = row.strip_prefix('|').and_then(|r| r.strip_suffix('|')).filter(|r| !r.ends_with('\\'));
    let inner = inner.ok_or_else(|| Fault::new(line, "a row that does not end with `|`"))?;
    let (mut list, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (i, c) in inner.char_indices() {
        if c == '|' && !escaped {
            list.push(&inner[begin..i]);
            begin = i + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    list.push(&inner[begin..]);
    // In a table the backslash before a bar belongs to the table, also within code.
    Ok(list.into_iter().map(|cell| inline(&in_code_unescaped(cell.trim()), line, outline)).collect())
}

/// Removes the backslash before bars within code, where it is no escape of its own.
fn in_code_unescaped(cell: &str) -> String {
    let mut parts = cell.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (i, part) in parts.enumerate() {
        text.push('`');
        if i % 2 == 0 { text.push_str(&part.replace("\\|", "|")) } else { text.push_str(part) }
    }
    text
}

/// The plain text of a line, with its links and code taken note of.
fn inline(text: &str, line: usize, outline: &mut Outline) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let means =
            rest.bytes().position(|b| matches!(b, b'\\' | b'&' | b'`' | b']' | b'*' | b'[')).unwrap_or(rest.len());
        plain.push_str(&rest[..means]);
        rest = &rest[means..];
        let Some(c) = rest.chars().next() else { break };
        let tail = &rest[c.len_utf8()..];
        match c {
            '\\' => match tail.chars().next().filter(char::is_ascii_punctuation) {
                Some(escaped) => {
                    plain.push(escaped);
                    rest = &tail[1..];
                    continue;
                }
                None => plain.push(c),
            },
            '&' => {
                let (decoded, length) = entity(rest);
                plain.push(decoded);
                rest = &rest[length..];
                continue;
            }
            '`' => {
                let ticks = rest.bytes().take_while(|b| *b == b'`').count();
                match code(rest, ticks) {
                    Some((code, after)) => {
                        plain.push_str(&code);
                        outline.code.push((code, line));
                        rest = after;
                    }
                    // Code that begins here ends on another line, or nowhere.
                    None => {
                        plain.push_str(&rest[..ticks]);
                        rest = &rest[ticks..];
                    }
                }
                continue;
            }
            ']' if tail.starts_with('(') && tail.contains(')') => {
                let end = tail.find(')').unwrap_or_default();
                outline.links.push((tail[1..end].trim_matches(['<', '>']).to_owned(), line));
                rest = &tail[end + 1..];
                continue;
            }
            '*' | '[' | ']' => {}
            c => plain.push(c),
        }
        rest = tail;
    }
    plain
}

/// The character that an entity stands for, and its length; an ampersand that begins none is itself.
fn entity(text: &str) -> (char, usize) {
    let decoded = text.find(';').filter(|end| *end <= 10).and_then(|end| {
        let c = match &text[1..end] {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            name => name.strip_prefix('#').and_then(|n| n.parse().ok()).and_then(char::from_u32),
        };
        c.map(|c| (c, end + 1))
    });
    decoded.unwrap_or(('&', 1))
}

/// Inline code that begins with a run of backticks, and what follows it.
fn code(text: &str, ticks: usize) -> Option<(String, &str)> {
    let body = &text[ticks..];
    let mut from = 0;
    while let Some(found) = body[from..].find('`') {
        let begin = from + found;
        let run = body[begin..].bytes().take_while(|b| *b == b'`').count();
        if run == ticks {
            let code = &body[..begin];
            let padded = code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
            let code = if padded { &code[1..code.len() - 1] } else { code };
            return Some((code.to_owned(), &body[begin + run..]));
        }
        from = begin + run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tables_links_and_code() {
        let text = "# A \\*title\\*\n\nSee [the table](firewall/flows.md), `a b` and ``x`y``.\n\n\
                    | a | b \\| c |\n| --- | :-: |\n| \\<x\\> | `p\\|q` &#32;z |\n| 1\\_2 | |\n\n\
                    ```sh\ncat a/b\n```\n";
        let outline = read(text).expect("good");
        assert_eq!(outline.headings, [("A *title*".to_owned(), 1)]);
        assert_eq!(outline.links, [("firewall/flows.md".to_owned(), 3)]);
        let code: Vec<&str> = outline.code.iter().map(|(c, _)| &**c).collect();
        assert_eq!(code, ["a b", "x`y", "p|q", "cat a/b"]);
        let table = &outline.tables[0];
        assert_eq!((table.header.clone(), table.line), (vec!["a".to_owned(), "b | c".to_owned()], 5));
        assert_eq!(table.rows, [vec!["<x>".to_owned(), "p|q  z".to_owned()], vec!["1_2".to_owned(), String::new()]]);
    }

    #[test]
    fn refuses_what_shows_differently() {
        for (text, line) in [("| a | b |\n| --- | --- |\n| 1 |\n", 3), ("| a |\n| --- |\n| 1\n", 3), ("```\nx\n", 1)] {
            assert_eq!(read(text).map_err(|f| f.line), Err(line), "{text}");
        }
    }
}
