//! Emitted tables of traffic for people against the `Ir`, row by row and both ways; and the rows between zones against
//! the flows that they are parts of.

use std::collections::{BTreeMap, BTreeSet};

use super::bugs::Bugs;
use super::html;
use super::markdown;
use super::{Emitted, Texts, csv};
use crate::emit::escape::Format;
use crate::ir::{Exposure, Flow, Ir, Peers, Scope, Transport, ZoneFlow};
use crate::netset::{Addresses, Family, Pairs};
use crate::value::{Ports, Str};

const FOLDER: &str = "firewall/";

/// The files of each table, by the word that asks for it.
const FILES: [(&str, &[&str]); 6] = [
    ("csv", &["flows.csv"]),
    ("markdown", &["flows.md"]),
    ("html", &["flows.html"]),
    ("matrix", &["matrix.csv", "matrix.md"]),
    ("request", &["request-form.csv", "request-form.md"]),
    ("exposed", &["exposed.csv", "exposed.md"]),
];

/// The word that asks for a file of traffic.
pub fn word_of(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix(FOLDER)?;
    FILES.iter().find(|(_, files)| files.contains(&name)).map(|(word, _)| *word)
}

/// A table as it is meant. The identity of a page's table is its caption, a file has one table of a kind.
struct Meant {
    caption: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Meant {
    fn new(caption: &str, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { caption: caption.to_owned(), header: header.iter().map(|h| (*h).to_owned()).collect(), rows }
    }
}

impl Meant {
    /// The header as programs want it.
    fn with_underscores(mut self) -> Self {
        self.header.iter_mut().for_each(|h| *h = h.replace(' ', "_"));
        self
    }
}

/// Every table that is asked for is there, says what is meant, and is the only one.
pub fn tables(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let asked: BTreeSet<&str> = ir.flow_tables.iter().map(|t| &**t.name).collect();
    let there = |path: &str| texts.files.iter().find(|f| f.is_own() && f.path == path);
    for (word, files) in FILES {
        for name in files {
            let path = format!("{FOLDER}{name}");
            match (asked.contains(word), there(&path)) {
                (true, None) => bugs.missing(&path, "the table that the site asks for"),
                (false, Some(file)) => bugs.extra(file.at(0), "a table"),
                _ => {}
            }
        }
    }
    if !asked.iter().any(|word| crate::lower::tables::ON_REQUEST.contains(word)) {
        return;
    }
    parts(ir, bugs);
    for file in texts.files.iter().filter(|f| f.is_own() && f.path.starts_with(FOLDER)) {
        let meant = match file.path.strip_prefix(FOLDER) {
            Some("matrix.csv") => vec![matrix(ir)],
            Some("matrix.md") => vec![matrix(ir), zones(ir)],
            Some("request-form.csv") => vec![request(ir, &REQUEST_LONG).with_underscores()],
            Some("request-form.md") => vec![request(ir, &REQUEST)],
            Some("exposed.csv") => vec![exposed(ir).with_underscores()],
            Some("exposed.md") => vec![exposed(ir)],
            Some("flows.html") => page(ir),
            _ => continue,
        };
        match file.format {
            Some(Format::Csv) => of_csv(file, &meant, bugs),
            Some(Format::Markdown) => of_markdown(file, &meant, bugs),
            Some(Format::Html) => of_page(file, &meant, bugs),
            _ => bugs.extra(file.at(0), "a table of another format"),
        }
    }
}

fn of_csv(file: &Emitted, meant: &[Meant], bugs: &mut Bugs) {
    for table in meant {
        let Some(rows) = file.read(|text| csv::read(text, table.header.len()), bugs) else { continue };
        let mut rows = rows.into_iter();
        if rows.next().is_none_or(|header| header.cells != table.header) {
            bugs.wrong(file.at(1), &format!("the header is not `{}`", table.header.join(",")));
        }
        compare(file, table, rows.map(|row| (row.cells, row.line)).collect(), bugs);
    }
}

fn of_markdown(file: &Emitted, meant: &[Meant], bugs: &mut Bugs) {
    let Some(outline) = file.read(markdown::read, bugs) else { return };
    if outline.tables.len() != meant.len() {
        bugs.wrong(file.at(0), &format!("it has {} tables, and {} were meant", outline.tables.len(), meant.len()));
    }
    for (found, table) in outline.tables.into_iter().zip(meant) {
        if found.header != table.header {
            bugs.wrong(file.at(found.line), &format!("the header is not `{}`", table.header.join(" | ")));
        }
        compare(file, table, found.rows.into_iter().zip(found.line + 2..).collect(), bugs);
    }
}

fn of_page(file: &Emitted, meant: &[Meant], bugs: &mut Bugs) {
    let Some(page) = file.read(html::read, bugs) else { return };
    let mut found: BTreeMap<String, html::Table> = BTreeMap::new();
    for table in page.tables {
        if let Some(other) = found.insert(table.caption.clone(), table) {
            bugs.wrong(file.at(other.line), &format!("the table `{}` stands twice", other.caption));
        }
    }
    for table in meant {
        let Some(found) = found.remove(&table.caption) else {
            bugs.missing(file.path, &format!("the table `{}`", table.caption));
            continue;
        };
        if found.header != table.header {
            bugs.wrong(file.at(found.line), &format!("the header is not `{}`", table.header.join(" | ")));
        }
        compare(file, table, found.rows, bugs);
    }
    for table in found.values() {
        bugs.extra(file.at(table.line), &format!("the table `{}`", table.caption));
    }
}

/// Rows as they are meant and as they are, in any order; each as often as it is meant.
fn compare(file: &Emitted, table: &Meant, mut found: Vec<(Vec<String>, usize)>, bugs: &mut Bugs) {
    let one_line = |row: &Vec<String>| -> Vec<String> { row.iter().map(|c| c.replace(['\n', '\t'], " ")).collect() };
    let mut meant: Vec<Vec<String>> = table.rows.iter().map(one_line).collect();
    for (row, _) in &mut found {
        *row = one_line(row);
    }
    meant.sort();
    found.sort();
    let mut found = found.into_iter().peekable();
    let show = |row: &[String]| format!("the row `{}`", row.join(" | "));
    for row in &meant {
        while let Some((extra, line)) = found.next_if(|(f, _)| f < row) {
            bugs.extra(file.at(line), &show(&extra));
        }
        if found.next_if(|(f, _)| f == row).is_none() {
            bugs.missing(file.path, &show(row));
        }
    }
    for (extra, line) in found {
        bugs.extra(file.at(line), &show(&extra));
    }
}

fn texts<'a>(cells: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    cells.into_iter().map(str::to_owned).collect()
}

fn matrix(ir: &Ir) -> Meant {
    let mut header = vec!["from \\ to"];
    header.extend(ir.zones.iter().map(|z| &**z.name));
    // What the rows between zones come to, whatever the `Ir` says of the matrix.
    let row = |from: &str| {
        let cell = |to: &str| {
            let between: Vec<_> =
                ir.zone_flows.iter().filter(|f| **f.from_zone == *from && **f.to_zone == *to).cloned().collect();
            crate::lower::tables::services(&between)
        };
        let mut cells = vec![from.to_owned()];
        cells.extend(ir.zones.iter().map(|to| cell(&to.name)));
        cells
    };
    Meant::new("Who may open what, zone by zone", &header, ir.zones.iter().map(|z| row(&z.name)).collect())
}

fn zones(ir: &Ir) -> Meant {
    let row = |z: &std::sync::Arc<crate::ir::Zone>| {
        let nets: Vec<String> = z.nets.iter().map(crate::ir::short_net).collect();
        texts([&**z.name, &nets.join(" "), &**z.role])
    };
    Meant::new("The zones", &["zone", "networks", "role"], ir.zones.iter().map(row).collect())
}

const REQUEST: [&str; 8] =
    ["source zone", "source", "destination zone", "destination", "port", "protocol", "reason", "owner"];
const REQUEST_LONG: [&str; 11] = [
    "source zone",
    "source",
    "destination zone",
    "destination",
    "port",
    "protocol",
    "reason",
    "owner",
    "application",
    "product",
    "why",
];

fn ports_of(f: &ZoneFlow) -> String {
    crate::lower::tables::port_list(&f.ports)
}

fn request(ir: &Ir, header: &[&str]) -> Meant {
    let row = |f: &ZoneFlow| {
        let (sources, destinations, ports) = (f.sources.text(), f.destinations.text(), ports_of(f));
        let mut cells = texts([&**f.from_zone, &sources, &**f.to_zone, &destinations, &ports, f.transport.name()]);
        cells.extend(texts([&**f.reason, &**f.owner, &**f.application, &**f.product, &**f.why]));
        cells.truncate(header.len());
        cells
    };
    let rows = ir.zone_flows.iter().filter(|f| *f.from_zone != *f.to_zone).map(|f| row(f)).collect();
    Meant::new("To be opened between the networks", header, rows)
}

fn exposed(ir: &Ir) -> Meant {
    let header = [
        "direction",
        "source zone",
        "source",
        "destination zone",
        "destination",
        "port",
        "protocol",
        "application",
        "product",
        "why",
    ];
    let row = |f: &ZoneFlow| {
        let (sources, destinations, ports) = (f.sources.text(), f.destinations.text(), ports_of(f));
        let mut cells = texts([f.exposure.name(), &**f.from_zone, &sources, &**f.to_zone, &destinations, &ports]);
        cells.extend(texts([f.transport.name(), &**f.application, &**f.product, &**f.why]));
        cells
    };
    let rows = ir.zone_flows.iter().filter(|f| *f.exposure != Exposure::None).map(|f| row(f)).collect();
    Meant::new("What the outside has to do with the site", &header, rows)
}

/// Everything that the page has.
fn page(ir: &Ir) -> Vec<Meant> {
    let mut tables = vec![zones(ir), matrix(ir), exposed(ir), request(ir, &REQUEST)];
    let mut pairs: BTreeMap<(&str, &str), Vec<Vec<String>>> = BTreeMap::new();
    for f in &ir.zone_flows {
        let (sources, destinations, ports) = (f.sources.text(), f.destinations.text(), ports_of(f));
        let mut cells = texts([&**f.product, &**f.from, &sources, &**f.to, &destinations, &ports]);
        cells.extend(texts([f.transport.name(), &**f.application, &**f.why]));
        pairs.entry((&f.from_zone, &f.to_zone)).or_default().push(cells);
    }
    let header = ["product", "from", "source", "to", "destination", "port", "protocol", "application", "why"];
    tables.extend(pairs.into_iter().map(|((a, b), rows)| Meant::new(&format!("{a} → {b}"), &header, rows)));
    let port = |f: &Flow| f.ports.value.map(|p| p.to_string()).unwrap_or_default();
    for host in &ir.host_flows {
        let row = |direction: &str, f: &Flow| {
            let (label, peers) = if direction == "in" { (&f.from, &f.from_hosts) } else { (&f.to, &f.to_hosts) };
            let (addresses, ports) = (peers.text(), port(f));
            let mut cells = texts([direction, &**label, &addresses, &ports, f.transport.name()]);
            cells.extend(texts([&**f.application, &**f.product, &**f.why]));
            cells
        };
        let own: Vec<std::net::IpAddr> = host.addresses.split(' ').filter_map(|a| a.parse().ok()).collect();
        let meets = |end: &Peers| own.iter().any(|a| end.nets.iter().any(|net| net.contains(a)));
        let flows = || ir.flows.iter().filter(|f| *f.scope != Scope::Cluster);
        let mut rows: Vec<_> = flows().filter(|f| meets(&f.to_hosts)).map(|f| row("in", f)).collect();
        rows.extend(flows().filter(|f| meets(&f.from_hosts)).map(|f| row("out", f)));
        let header = ["direction", "other end", "addresses", "port", "protocol", "application", "product", "why"];
        tables.push(Meant::new(&format!("{} ({})", *host.host, *host.addresses), &header, rows));
    }
    let mut products: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for f in &ir.flows {
        let (from, to, ports) = (f.from_hosts.text(), f.to_hosts.text(), port(f));
        let mut cells = texts([&**f.from, &from, &**f.to, &to, &ports, f.transport.name()]);
        cells.extend(texts([&**f.application, f.scope.name(), &**f.why]));
        products.entry(&f.product).or_default().push(cells);
    }
    let header = ["from", "addresses", "to", "addresses", "port", "protocol", "application", "scope", "why"];
    tables.extend(products.into_iter().map(|(name, rows)| Meant::new(name, &header, rows)));
    tables
}

/// What rows between zones and flows have in common.
type Key<'a> = (&'a str, &'a str, &'a str, Transport, &'a str, &'a str);

fn key_of_flow(f: &Flow) -> Key<'_> {
    (&f.product, &f.from, &f.to, *f.transport, &f.application, &f.why)
}

fn key_of_part(f: &ZoneFlow) -> Key<'_> {
    (&f.product, &f.from, &f.to, *f.transport, &f.application, &f.why)
}

/// The rows between zones permit what the flows permit, no more and no less.
fn parts(ir: &Ir, bugs: &mut Bugs) {
    let mut by_key: BTreeMap<Key, (Vec<&Flow>, Vec<&ZoneFlow>)> = BTreeMap::new();
    for flow in ir.flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        by_key.entry(key_of_flow(flow)).or_default().0.push(flow);
    }
    for part in &ir.zone_flows {
        by_key.entry(key_of_part(part)).or_default().1.push(part);
    }
    for ((product, from, to, ..), (flows, rows)) in by_key {
        let of_flows: Vec<_> =
            flows.iter().flat_map(|f| rectangles(&f.from_hosts, &f.to_hosts, &[f.all_ports()])).collect();
        let all = [Ports { low: 0, high: u16::MAX }];
        let ports = |f: &ZoneFlow| if f.transport.has_ports() { f.ports.value.clone() } else { all.to_vec() };
        let of_rows: Vec<_> = rows.iter().flat_map(|f| rectangles(&f.sources, &f.destinations, &ports(f))).collect();
        for (a, b, verb) in [(&of_flows, &of_rows, "lacks"), (&of_rows, &of_flows, "has too much of")] {
            if !covers(b, a) {
                bugs.missing(
                    FOLDER,
                    &format!("what belongs between the zones: it {verb} {from} → {to} of `{product}`"),
                );
            }
        }
    }
}

/// Sources, destinations, ports; and the names of ends without addresses.
type Rectangle = (Family, Addresses, Addresses, Ports, String);

fn rectangles(from: &Peers, to: &Peers, ports: &[Ports]) -> Vec<Rectangle> {
    let mut list = Vec::new();
    for family in Family::BOTH {
        let set = |end: &Peers| match end.nets.is_empty() {
            true => Addresses::any(family),
            false => Addresses::of_nets(family, &end.nets),
        };
        let name = |end: &Peers| if end.nets.is_empty() { end.text() } else { Str::default() };
        let (sources, targets) = (set(from), set(to));
        if !sources.is_empty() && !targets.is_empty() {
            let names = format!("{} {}", name(from), name(to));
            list.extend(ports.iter().map(|p| (family, sources.clone(), targets.clone(), *p, names.clone())));
        }
    }
    list
}

fn covers(outer: &[Rectangle], inner: &[Rectangle]) -> bool {
    let edges = |list: &[Rectangle]| -> BTreeSet<u32> {
        list.iter().flat_map(|r| [u32::from(r.3.low), u32::from(r.3.high) + 1]).collect()
    };
    let cuts: Vec<u32> = edges(outer).union(&edges(inner)).copied().collect();
    inner.iter().all(|(family, sources, targets, ports, names)| {
        let own = cuts.windows(2).filter(|w| u32::from(ports.low) <= w[0] && w[1] <= u32::from(ports.high) + 1);
        own.into_iter().all(|part| {
            let mut rest = Pairs::of(sources.clone(), targets.clone());
            for (of, from, to, other, ends) in outer {
                let meets = of == family && ends == names;
                if meets && u32::from(other.low) <= part[0] && part[1] <= u32::from(other.high) + 1 {
                    rest.subtract(from, to);
                }
            }
            rest.is_empty()
        })
    })
}
