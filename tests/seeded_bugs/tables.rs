//! Bugs in the tables of flows.

use std::ops::Range;

use super::seeds::{Seed, Seeds, lines};

/// The columns that hold addresses, by their index; the same in every table of flows.
const FROM: usize = 2;
const TO: usize = 4;
const TRANSPORT: usize = 5;
const PORTS: usize = 6;
const SCOPE: usize = 8;

pub fn csv(text: &str) -> Vec<Seed> {
    let rows = lines(text, |line| !line.starts_with("product,"));
    let mut seeds = Seeds::of(text);
    cells(&mut seeds, &rows, csv_cells);
    seeds.word(&lines(text, |line| line.starts_with("product,")), "from_hosts", "to_hosts");
    seeds.list
}

pub fn markdown(text: &str) -> Vec<Seed> {
    let rows =
        lines(text, |line| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| product |"));
    let mut seeds = Seeds::of(text);
    cells(&mut seeds, &rows, markdown_cells);
    seeds.list
}

/// What may be wrong in a row, whatever its form. `parts` finds the cells of a row.
fn cells(seeds: &mut Seeds, rows: &[Range<usize>], parts: fn(&str) -> Vec<Range<usize>>) {
    let text = seeds.text;
    let column = |index: usize| -> Vec<Range<usize>> {
        let cell = |row: &Range<usize>| {
            let cell = parts(&text[row.clone()]).get(index)?.clone();
            Some(row.start + cell.start..row.start + cell.end)
        };
        rows.iter().filter_map(cell).collect()
    };
    seeds.deleted("a row", rows);
    seeds.at("a row twice", rows, |row| Some(format!("{row}{row}")));
    for index in [FROM, TO] {
        seeds.addresses(&column(index), " ");
        seeds.at("no address", &column(index), |_| Some(String::new()));
    }
    seeds.ports(&column(PORTS), " ", '-');
    seeds.at("no port", &column(PORTS), |_| Some(String::new()));
    for (index, words) in
        [(TRANSPORT, &["tcp", "udp", "sctp", "esp", "icmp"][..]), (SCOPE, &["cluster", "site", "external", "none"][..])]
    {
        for word in words {
            seeds.at(&format!("`{word}` in column {index}"), &column(index), |_| Some((*word).to_owned()));
        }
    }
    for index in [0, 1, 3, 7, 9] {
        seeds.at(&format!("column {index} empty"), &column(index), |_| Some(String::new()));
    }
    seeds.at("source and destination swapped", rows, |row| {
        let cells = parts(row);
        let (from, to) = (cells.get(FROM)?.clone(), cells.get(TO)?.clone());
        let (a, b) = (row[from.clone()].to_owned(), row[to.clone()].to_owned());
        let mut row = row.to_owned();
        row.replace_range(to, &a);
        row.replace_range(from, &b);
        Some(row)
    });
    seeds.at("two rows with each other's ports", rows, |row| {
        let cells = parts(row);
        let own = cells.get(PORTS)?.clone();
        let other = rows.iter().map(|r| &text[r.clone()]).find_map(|other| {
            let ports = other[parts(other).get(PORTS)?.clone()].to_owned();
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
