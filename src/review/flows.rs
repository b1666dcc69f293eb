//! Two versions of `firewall/flows.csv` in, the traffic that opens and that closes out.

use std::collections::{BTreeMap, BTreeSet};

/// Traffic that one version permits and the other does not. Ends are addresses, CIDRs or `cluster:<name>`, sorted as
/// the table has them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic {
    pub product: String,
    pub from: String,
    pub to: String,
    pub transport: String,
    pub ports: String,
    pub application: String,
    pub from_hosts: Vec<String>,
    pub to_hosts: Vec<String>,
}

impl Traffic {
    /// One line: who, to whom, which port, with addresses.
    pub fn text(&self) -> String {
        let Traffic { product, from, to, transport, ports, application, .. } = self;
        let application = if application.is_empty() { String::new() } else { format!(" {application}") };
        let hosts = |hosts: &[String]| if hosts.is_empty() { "?".to_string() } else { hosts.join(" ") };
        let (sources, targets) = (hosts(&self.from_hosts), hosts(&self.to_hosts));
        format!("{product}: {from} -> {to} : {ports}/{transport}{application} ({sources} -> {targets})")
    }
}

/// What changes in the traffic of a site, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowChanges {
    pub opens: Vec<Traffic>,
    pub closes: Vec<Traffic>,
}

/// Compares two tables. Rows that differ in nothing but their words (application, why) change no traffic.
pub fn changes(old: &str, new: &str) -> FlowChanges {
    let (old, new) = (rows(old), rows(new));
    FlowChanges { opens: beyond(&new, &old), closes: beyond(&old, &new) }
}

/// A row without its ends' addresses and its words: product, from, to, transport, ports.
type Key = [String; 5];

#[derive(Default)]
struct Ends {
    application: String,
    /// One pair per row of this key.
    pairs: Vec<(Vec<String>, Vec<String>)>,
}

fn rows(text: &str) -> BTreeMap<Key, Ends> {
    let mut table = records(text).into_iter();
    let header = table.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let mut rows: BTreeMap<Key, Ends> = BTreeMap::new();
    for record in table {
        let cell = |name: &str| column(name).and_then(|at| record.get(at)).cloned().unwrap_or_default();
        let hosts = |name: &str| cell(name).split_whitespace().map(str::to_string).collect();
        let ends = rows.entry(["product", "from", "to", "transport", "ports"].map(cell)).or_default();
        ends.application = cell("application");
        ends.pairs.push((hosts("from_hosts"), hosts("to_hosts")));
    }
    rows
}

/// The traffic of `a` that `b` does not have.
fn beyond(a: &BTreeMap<Key, Ends>, b: &BTreeMap<Key, Ends>) -> Vec<Traffic> {
    let mut traffic = Vec::new();
    for (key, ends) in a {
        let others = b.get(key).map_or(&[][..], |ends| &ends.pairs);
        for pair in &ends.pairs {
            // What a row of the other table already covers is taken away, row by row.
            let mut left = vec![pair.clone()];
            for other in others {
                left = left.iter().flat_map(|pair| without(pair, other)).collect();
            }
            traffic.extend(left.into_iter().map(|(from_hosts, to_hosts)| {
                let [product, from, to, transport, ports] = key.clone();
                let application = ends.application.clone();
                Traffic { product, from, to, transport, ports, application, from_hosts, to_hosts }
            }));
        }
    }
    traffic.sort();
    traffic.dedup();
    traffic
}

/// All pairs of a source and a target in `a` and not in `b`, as products of sources and targets.
fn without(
    a: &(Vec<String>, Vec<String>),
    b: &(Vec<String>, Vec<String>),
) -> impl Iterator<Item = (Vec<String>, Vec<String>)> + use<> {
    let split = |a: &[String], b: &[String]| -> (Vec<String>, Vec<String>) {
        let b: BTreeSet<&String> = b.iter().collect();
        a.iter().cloned().partition(|host| b.contains(host))
    };
    let (sources_both, sources_only) = split(&a.0, &b.0);
    let (_, targets_only) = split(&a.1, &b.1);
    // A row without addresses stands for what only the spec's reader knows: equal when both have none.
    let same = a == b;
    let all = (sources_only, a.1.clone());
    let some = (sources_both, targets_only);
    [all, some].into_iter().filter(move |(s, t)| !(same || s.is_empty() || t.is_empty()))
}

/// Rows of a CSV text. Anything is accepted: the file on disk may have been edited.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "product,from,from_hosts,to,to_hosts,transport,ports,application,scope,why\n";

    fn table(rows: &[&str]) -> String {
        format!("{HEADER}{}", rows.iter().map(|r| format!("{r}\n")).collect::<String>())
    }

    fn texts(traffic: &[Traffic]) -> Vec<String> {
        traffic.iter().map(Traffic::text).collect()
    }

    #[test]
    fn new_and_gone_rows_open_and_close() {
        let old = table(&["p,a,10.0.0.1,b,10.0.0.2,tcp,443,HTTPS,site,x"]);
        let new = table(&["p,a,10.0.0.1,b,10.0.0.2,tcp,8443,HTTPS,site,x"]);
        let changes = changes(&old, &new);
        assert_eq!(texts(&changes.opens), ["p: a -> b : 8443/tcp HTTPS (10.0.0.1 -> 10.0.0.2)"]);
        assert_eq!(texts(&changes.closes), ["p: a -> b : 443/tcp HTTPS (10.0.0.1 -> 10.0.0.2)"]);
    }

    #[test]
    fn one_more_address_opens_only_what_is_new() {
        let old = table(&["p,a,10.0.0.1,b,10.0.0.2 10.0.0.3,tcp,443,,site,x"]);
        let new = table(&["p,a,10.0.0.1 10.0.0.9,b,10.0.0.3 10.0.0.4,tcp,443,,site,x"]);
        let changes = changes(&old, &new);
        assert_eq!(
            texts(&changes.opens),
            ["p: a -> b : 443/tcp (10.0.0.1 -> 10.0.0.4)", "p: a -> b : 443/tcp (10.0.0.9 -> 10.0.0.3 10.0.0.4)",]
        );
        assert_eq!(texts(&changes.closes), ["p: a -> b : 443/tcp (10.0.0.1 -> 10.0.0.2)"]);
    }

    #[test]
    fn other_words_change_no_traffic() {
        let old = table(&["p,a,10.0.0.1,b,10.0.0.2,tcp,443,HTTPS,site,\"x, y\""]);
        let new = table(&["p,a,10.0.0.1,b,10.0.0.2,tcp,443,Web,external,\"say \"\"z\"\"\""]);
        assert_eq!(changes(&old, &new), FlowChanges::default());
    }

    #[test]
    fn nothing_and_rubbish_are_tables_too() {
        let one = table(&["p,a,,b,10.0.0.2,tcp,443,HTTPS,site,x"]);
        assert_eq!(changes(&one, &one), FlowChanges::default());
        assert_eq!(changes("", "").opens, []);
        changes("\"", "a,\"\n\n,,,");
    }
}
