//! Text of `firewall/flows.csv` → permitted flows.

use ipnet::IpNet;
use std::net::IpAddr;

use super::csv;
use super::fault::{Fault, Read};
use crate::ir::{Scope, Transport};
use crate::value::Ports;

/// The columns, as tools outside rely on them.
pub const COLUMNS: [&str; 10] =
    ["product", "from", "from_hosts", "to", "to_hosts", "transport", "ports", "application", "scope", "why"];

/// One row. Sorted as it is written: by its text columns in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowRow {
    pub product: String,
    pub from: String,
    pub from_hosts: Hosts,
    pub to: String,
    pub to_hosts: Hosts,
    pub transport: Transport,
    /// `None` where the transport has none.
    pub ports: Option<Ports>,
    pub application: String,
    pub scope: Scope,
    pub why: String,
}

/// One end of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hosts {
    /// The cluster whose pods these are.
    pub pods: Option<String>,
    /// Sorted by number, IPv4 first.
    pub nets: Vec<IpNet>,
    /// The DNS name of an end whose addresses are not known.
    pub name: Option<String>,
}

/// Reads the table; every row with its line, in the order of the text.
pub fn read(text: &str) -> Read<Vec<(FlowRow, usize)>> {
    let mut rows = csv::read(text, COLUMNS.len())?.into_iter();
    if rows.next().is_none_or(|header| header.cells != COLUMNS) {
        return Err(Fault::new(1, format!("the header is not `{}`", COLUMNS.join(","))));
    }
    rows.map(|row| flow(row.cells, row.line).map(|flow| (flow, row.line))).collect()
}

fn flow(cells: Vec<String>, line: usize) -> Read<FlowRow> {
    let Ok([product, from, from_hosts, to, to_hosts, transport, ports, application, scope, why]) =
        <[String; 10]>::try_from(cells)
    else {
        return Err(Fault::new(line, "a row with the wrong number of cells"));
    };
    let transport = Transport::from_name(&transport)
        .ok_or_else(|| Fault::new(line, format!("the transport `{transport}` is not known")))?;
    let scope = match &*scope {
        "cluster" => Scope::Cluster,
        "site" => Scope::Site,
        "external" => Scope::External,
        other => return Err(Fault::new(line, format!("the scope `{other}` is not one of the three"))),
    };
    let parsed = match &*ports {
        "" => None,
        text => Some(text.parse::<Ports>().map_err(|e| Fault::new(line, e))?),
    };
    if parsed.is_some() != transport.has_ports() {
        return Err(Fault::new(line, format!("the ports `{ports}` do not go with the transport {}", transport.name())));
    }
    if let Some(parsed) = parsed.filter(|p| p.to_string() != ports) {
        return Err(Fault::new(line, format!("the ports `{ports}` are not written as `{parsed}`")));
    }
    let (from_hosts, to_hosts) = (hosts(&from_hosts, line)?, hosts(&to_hosts, line)?);
    Ok(FlowRow { product, from, from_hosts, to, to_hosts, transport, ports: parsed, application, scope, why })
}

fn hosts(text: &str, line: usize) -> Read<Hosts> {
    let mut hosts = Hosts::default();
    if is_name(text) {
        hosts.name = Some(text.to_owned());
        return Ok(hosts);
    }
    for (i, word) in text.split(' ').enumerate().filter(|_| !text.is_empty()) {
        if let Some(cluster) = word.strip_prefix("cluster:").filter(|_| i == 0) {
            hosts.pods = Some(cluster.to_owned());
        } else if let Some(net) = net(word) {
            if hosts.nets.last().is_some_and(|last| *last >= net) {
                return Err(Fault::new(line, format!("`{word}` is out of order or stands twice")));
            }
            hosts.nets.push(net);
        } else {
            return Err(Fault::new(line, format!("`{word}` is no address, CIDR, `cluster:<name>` or DNS name")));
        }
    }
    Ok(hosts)
}

/// An address or a CIDR in the one form in which it may be written.
fn net(word: &str) -> Option<IpNet> {
    let net = match word.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => word.parse().ok()?,
    };
    (crate::ir::short_net(&net) == word && net.addr() == net.network()).then_some(net)
}

/// Whether a cell is the name of an end whose addresses are not known: it has letters, and nothing of an address.
fn is_name(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && !text.contains([':', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "product,from,from_hosts,to,to_hosts,transport,ports,application,scope,why\n";

    #[test]
    fn reads_both_ends() {
        let text = format!(
            "{HEADER}simula,users,10.20.0.0/16 fd00::/64,proxy,10.30.8.5,tcp,443,HTTPS,site,\"section 2, table 1\"\n\
             simula,redis,cluster:main,smtp,smtp.acme.example,udp,1024-2048,x,external,\n"
        );
        let rows = read(&text).expect("good");
        assert_eq!(rows[0].0.from_hosts.nets.len(), 2);
        assert_eq!(rows[0].0.why, "section 2, table 1");
        assert_eq!(rows[1].0.from_hosts.pods.as_deref(), Some("main"));
        assert_eq!(rows[1].0.to_hosts.name.as_deref(), Some("smtp.acme.example"));
        assert_eq!((rows[1].0.ports, rows[1].1), (Some(Ports { low: 1024, high: 2048 }), 3));
    }

    #[test]
    fn refuses_what_tools_cannot_rely_on() {
        assert!(read("product,from\n").is_err());
        for (row, word) in [
            ("p,a,10.0.0.1/32,b,10.0.0.2,tcp,1,x,site,w", "no address"),
            ("p,a,10.0.0.1/24,b,10.0.0.2,tcp,1,x,site,w", "no address"),
            ("p,a,10.0.0.2 10.0.0.1,b,10.0.0.2,tcp,1,x,site,w", "out of order"),
            ("p,a,10.0.0.1 10.0.0.1,b,10.0.0.2,tcp,1,x,site,w", "out of order"),
            ("p,a,10.0.0.1  10.0.0.3,b,10.0.0.2,tcp,1,x,site,w", "no address"),
            ("p,a,10.0.0.1,b,10.0.0.2,TCP,1,x,site,w", "transport"),
            ("p,a,10.0.0.1,b,10.0.0.2,tcp,1,x,elsewhere,w", "scope"),
            ("p,a,10.0.0.1,b,10.0.0.2,tcp,0,x,site,w", "port 0"),
            ("p,a,10.0.0.1,b,10.0.0.2,tcp,9-3,x,site,w", "begins at 9"),
            ("p,a,10.0.0.1,b,10.0.0.2,tcp,5-5,x,site,w", "not written as"),
            ("p,a,smtp.acme fd00::1,b,10.0.0.2,tcp,5,x,site,w", "no address"),
        ] {
            let text = format!("{HEADER}{row}\n");
            let fault = read(&text).expect_err(row);
            assert!(fault.what.contains(word) && fault.line == 2, "{row}: {fault}");
        }
    }
}
