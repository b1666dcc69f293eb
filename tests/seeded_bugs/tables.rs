//! Bugs in the tables of flows.

use std::ops::Range;

use super::seeds::{Seed, Seeds, between, lines};

/// Where a table has what, by the index of the column.
struct Columns {
    from: usize,
    to: usize,
    transport: usize,
    ports: usize,
    /// What stands between ports.
    joint: &'static str,
    /// Columns of plain text.
    texts: &'static [usize],
}

const FLOWS: Columns = Columns { from: 2, to: 4, transport: 5, ports: 6, joint: " ", texts: &[0, 1, 3, 7, 8, 9] };
const REQUEST: Columns = Columns { from: 1, to: 3, transport: 5, ports: 4, joint: ", ", texts: &[0, 2, 6, 7] };
const EXPOSED: Columns = Columns { from: 2, to: 4, transport: 6, ports: 5, joint: ", ", texts: &[0, 1, 3, 7, 8, 9] };

/// The columns of a table, by the name of its file.
fn columns(header: &str) -> &'static Columns {
    match header {
        header if header.contains("owner") => &REQUEST,
        header if header.contains("direction") => &EXPOSED,
        _ => &FLOWS,
    }
}

pub fn csv(text: &str) -> Vec<Seed> {
    let header = text.lines().next().unwrap_or_default();
    let rows = lines(text, |line| line != header);
    let mut seeds = Seeds::of(text);
    cells(&mut seeds, &rows, columns(header), csv_cells);
    let head = lines(text, |line| line == header);
    seeds.word(&head, "to", "from");
    seeds.word(&head, "product", "products");
    seeds.list
}

pub fn markdown(text: &str) -> Vec<Seed> {
    let header = text.lines().find(|line| line.starts_with("| ")).unwrap_or_default();
    let rows = lines(text, |line| line.starts_with("| ") && !line.starts_with("| ---") && line != header);
    let mut seeds = Seeds::of(text);
    cells(&mut seeds, &rows, columns(header), markdown_cells);
    seeds.word(&lines(text, |line| line == header), "to", "from");
    seeds.word(&lines(text, |line| line == header), "destination", "source");
    seeds.list
}

/// A matrix of zones: its cells have ports with their transports.
pub fn matrix(text: &str) -> Vec<Seed> {
    let rows = lines(text, |line| line.contains("/tcp") || line.contains("/udp"));
    let mut seeds = Seeds::of(text);
    seeds.deleted("a row", &rows);
    seeds.at("a row twice", &rows, |row| Some(format!("{row}{row}")));
    for (old, new) in [("/tcp", "/udp"), ("/udp", "/tcp"), ("esp", "ah"), ("; ", ", "), (", ", "; ")] {
        seeds.word(&rows, old, new);
    }
    let numbers: Vec<Range<usize>> = words(text, &rows, |c| c.is_ascii_digit());
    seeds.at("another port", &numbers, |n| Some((n.parse::<u64>().ok()? + 1).to_string()));
    seeds.at("no port", &numbers, |_| Some(String::new()));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    let head = lines(text, |line| line.contains("from \\"));
    seeds.word(&head, "users", "servers");
    seeds.list
}

/// A page with many tables.
pub fn html(text: &str) -> Vec<Seed> {
    let rows = lines(text, |line| line.starts_with("<tr") && line.contains("<td"));
    let mut seeds = Seeds::of(text);
    seeds.deleted("a row", &rows);
    seeds.at("a row twice", &rows, |row| Some(format!("{row}{row}")));
    let addresses = between(text, &rows, "<td class=\"address\">", "</td>");
    seeds.addresses(&addresses, " ");
    let ports = between(text, &rows, "<td class=\"port\">", "</td>");
    seeds.ports(&ports, ", ", '-');
    let all = between(text, &rows, "<td>", "</td>");
    for word in ["tcp", "udp", "esp"] {
        let transports: Vec<Range<usize>> =
            all.iter().filter(|p| ["tcp", "udp", "esp", "icmp"].contains(&&text[(*p).clone()])).cloned().collect();
        seeds.at(&format!("{word} instead"), &transports, |_| Some(word.to_owned()));
    }
    for (what, places) in [("a cell", &all), ("addresses", &addresses), ("ports", &ports)] {
        seeds.at(&format!("{what} empty"), places, |_| Some(String::new()));
        seeds.at(&format!("{what} with more"), places, |cell| Some(format!("{cell} more")));
    }
    seeds.at("source and destination swapped", &rows, |row| {
        let own = between(row, std::slice::from_ref(&(0..row.len())), "<td class=\"address\">", "</td>");
        let [a, b] = own.as_slice() else { return None };
        let mut swapped = row.to_owned();
        swapped.replace_range(b.clone(), &row[a.clone()]);
        swapped.replace_range(a.clone(), &row[b.clone()]);
        Some(swapped)
    });
    let captions = lines(text, |line| line.starts_with("<caption>"));
    seeds.deleted("a caption", &captions);
    seeds.word(&captions, "<caption>", "<caption>no ");
    let tables: Vec<Range<usize>> = lines(text, |line| line.starts_with("<table"))
        .into_iter()
        .filter_map(|head| Some(head.start..head.end + text[head.end..].find("</table>\n")? + 9))
        .collect();
    seeds.deleted("a table", &tables);
    seeds.at("a table twice", &tables, |table| Some(format!("{table}{}", table.replacen("id=\"", "id=\"two-", 1))));
    let heads = lines(text, |line| line.starts_with("<thead>"));
    seeds.word(&heads, ">destination<", ">source<");
    seeds.word(&heads, ">protocol<", ">transport<");
    for (old, new) in [
        ("<td>", "<td hidden>"),
        ("<td>", "<td><script>"),
        ("<td>", "<td><!--"),
        ("<td>", "<td onclick=\"alert(1)\">"),
        ("</td>", ""),
        ("<tr>", "<tr style=\"display: none\">"),
    ] {
        seeds.word(&rows, old, new);
    }
    seeds.whole("something is loaded", text.replacen("<style>", "<style>@import \"x\";", 1));
    seeds.whole("a script that hides others", text.replacen("row.hidden = !", "row.hidden = ", 1));
    seeds.whole("a second script", text.replacen("</script>", "</script>\n<script>alert(1)</script>", 1));
    seeds.whole("the script elsewhere", text.replacen("<script>", "<p></p></main><main><script>", 1));
    seeds.whole("whatever script", text.replacen("script-src 'sha256-", "script-src 'unsafe-inline' 'sha256-", 1));
    seeds.whole("a page that leads elsewhere", text.replacen("Content-Security-Policy", "refresh", 1));
    seeds.whole("a link to elsewhere", text.replacen("href=\"#hosts\"", "href=\"https://example.org\"", 1));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}

/// Runs of characters within places.
fn words(text: &str, places: &[Range<usize>], of: fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for place in places {
        let mut begin = None;
        for (i, c) in text[place.clone()].char_indices() {
            match (of(c), begin) {
                (true, None) => begin = Some(place.start + i),
                (false, Some(from)) => {
                    found.push(from..place.start + i);
                    begin = None;
                }
                _ => {}
            }
        }
    }
    found
}

/// What may be wrong in a row, whatever its form. `parts` finds the cells of a row.
fn cells(seeds: &mut Seeds, rows: &[Range<usize>], columns: &Columns, parts: fn(&str) -> Vec<Range<usize>>) {
    let text = seeds.text;
    let column = |index: usize| -> Vec<Range<usize>> {
        let cell = |row: &Range<usize>| {
            let cell = parts(&text[row.clone()]).get(index)?.clone();
            let quoted = text[row.clone()][cell.clone()].starts_with('"');
            let (begin, end) = (row.start + cell.start, row.start + cell.end);
            Some(if quoted { begin + 1..end - 1 } else { begin..end })
        };
        rows.iter().filter_map(cell).collect()
    };
    seeds.deleted("a row", rows);
    seeds.at("a row twice", rows, |row| Some(format!("{row}{row}")));
    for index in [columns.from, columns.to] {
        seeds.addresses(&column(index), " ");
        seeds.at("no address", &column(index), |_| Some(String::new()));
    }
    seeds.ports(&column(columns.ports), columns.joint, '-');
    seeds.at("no port", &column(columns.ports), |_| Some(String::new()));
    for word in ["tcp", "udp", "sctp", "esp", "icmp"] {
        seeds.at(&format!("`{word}` as the transport"), &column(columns.transport), |_| Some(word.to_owned()));
    }
    for index in columns.texts {
        seeds.at(&format!("column {index} empty"), &column(*index), |_| Some(String::new()));
        seeds.at(&format!("column {index} with more"), &column(*index), |cell| Some(format!("{cell}x")));
    }
    for word in ["cluster", "site", "external", "in", "out", "none"] {
        let place = if columns.texts.contains(&8) && columns.from == 2 && columns.ports == 6 { 8 } else { 0 };
        seeds.at(&format!("`{word}` in column {place}"), &column(place), |_| Some(word.to_owned()));
    }
    seeds.at("source and destination swapped", rows, |row| {
        let cells = parts(row);
        let (from, to) = (cells.get(columns.from)?.clone(), cells.get(columns.to)?.clone());
        let (a, b) = (row[from.clone()].to_owned(), row[to.clone()].to_owned());
        let mut row = row.to_owned();
        row.replace_range(to, &a);
        row.replace_range(from, &b);
        Some(row)
    });
    seeds.at("two rows with each other's ports", rows, |row| {
        let cells = parts(row);
        let own = cells.get(columns.ports)?.clone();
        let other = rows.iter().map(|r| &text[r.clone()]).find_map(|other| {
            let ports = other[parts(other).get(columns.ports)?.clone()].to_owned();
            (ports != row[own.clone()] && !ports.is_empty() && !row[own.clone()].is_empty()).then_some(ports)
        })?;
        let mut row = row.to_owned();
        row.replace_range(own, &other);
        Some(row)
    });
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
}

fn csv_cells(row: &str) -> Vec<Range<usize>> {
    let (mut cells, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (i, c) in row.trim_end_matches('\n').char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                cells.push(begin..i);
                begin = i + 1;
            }
            _ => {}
        }
    }
    cells.push(begin..row.trim_end_matches('\n').len());
    cells
}

fn markdown_cells(row: &str) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut begin = 2;
    while let Some(i) = row[begin..].find(" |") {
        cells.push(begin..begin + i);
        begin = (begin + i + 3).min(row.len());
    }
    cells
}
