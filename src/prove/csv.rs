//! Text of a CSV file (RFC 4180 with LF line ends) → rows of cells.

use super::fault::{Fault, Read};

/// One row with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub cells: Vec<String>,
    pub line: usize,
}

/// Reads a CSV file whose rows, the header included, all have `columns` cells. The apostrophe that keeps a spreadsheet
/// from taking a cell for a formula is removed.
pub fn read(text: &str, columns: usize) -> Read<Vec<Row>> {
    let mut rows = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let begin = line;
        let mut cells = Vec::new();
        loop {
            let (cell, tail) = cell(rest, &mut line)?;
            cells.push(unguarded(cell, begin)?);
            match tail.split_at_checked(1) {
                Some((",", tail)) => rest = tail,
                Some(("\n", tail)) => {
                    rest = tail;
                    line += 1;
                    break;
                }
                Some(_) => return Err(Fault::new(line, "text after a closing quote")),
                None => return Err(Fault::new(line, "the last line has no line end")),
            }
        }
        if cells.len() != columns {
            return Err(Fault::new(begin, format!("{} cells instead of {columns}", cells.len())));
        }
        rows.push(Row { cells, line: begin });
    }
    Ok(rows)
}

/// The cell at the beginning of `text`, and what follows it; counts the lines inside a quoted cell.
fn cell<'a>(text: &'a str, line: &mut usize) -> Read<(String, &'a str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (cell, rest) = text.split_at(end);
        if let Some(c) = cell.chars().find(|c| *c == '"' || c.is_control()) {
            return Err(Fault::new(*line, format!("{c:?} in a cell without quotes")));
        }
        return Ok((cell.to_owned(), rest));
    };
    let (begin, mut value, mut rest) = (*line, String::new(), quoted);
    loop {
        let Some((part, tail)) = rest.split_once('"') else {
            return Err(Fault::new(begin, "a quoted cell without its closing quote"));
        };
        value.push_str(part);
        *line += part.matches('\n').count();
        match tail.strip_prefix('"') {
            Some(tail) => {
                value.push('"');
                rest = tail;
            }
            None => return Ok((value, tail)),
        }
    }
}

/// Removes the apostrophe before what a spreadsheet would take for a formula; refuses a cell that lacks it.
fn unguarded(cell: String, line: usize) -> Read<String> {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => Ok(rest.to_owned()),
        _ if is_formula(&cell) => Err(Fault::new(line, format!("the cell `{cell}` would be a formula"))),
        _ => Ok(cell),
    }
}

/// `=`, `+`, `-`, `@`, also in full width and after blanks; a leading tab or line break, which some programs drop.
fn is_formula(cell: &str) -> bool {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    cell.starts_with(['\t', '\r', '\n']) || cell.trim_start().starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_and_guards() {
        let rows = read("a,b\n\"x,\"\"y\"\"\n\",'=1\n'quoted',\n", 2).expect("good");
        let cells: Vec<Vec<&str>> = rows.iter().map(|r| r.cells.iter().map(|c| &**c).collect()).collect();
        assert_eq!(cells, [vec!["a", "b"], vec!["x,\"y\"\n", "=1"], vec!["'quoted'", ""]]);
        assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 2, 4]);
    }

    #[test]
    fn refuses_broken_rows() {
        for (text, word) in [
            ("a,b\nc\n", "1 cells"),
            ("a,b", "line end"),
            ("a,b\r\n", "'\\r'"),
            ("a,\"b\n", "closing quote"),
            ("a,\"b\"c\n", "after a closing quote"),
            ("a,b\"c\n", "without quotes"),
            ("a,=1\n", "formula"),
            ("a,b\n\n", "1 cells"),
        ] {
            let fault = read(text, 2).expect_err(text);
            assert!(fault.what.contains(word), "{text}: {fault}");
        }
    }
}
