//! Emitted firewalls and flow tables against the `Ir`'s rules and flows, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bugs::{At, Bugs};
use super::flows::{self, FlowRow, Hosts};
use super::markdown;
use super::nftables::{self, Chain, Hook, Permits};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Firewall, Flow, Ir, Peers, Rule, RuleChain, Transport};
use crate::netset::{Addresses, Clause, Family, Region, Traffic};
use crate::value::Ports;

/// The table that is ours in a host's ruleset.
const TABLE: &str = "sitec";

/// The nftables file of every host that keeps its firewall so.
pub fn nftables(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant: BTreeMap<&str, &Firewall> = ir.firewalls.iter().map(|f| (&*f.host.value, &**f)).collect();
    let mut seen: BTreeMap<&str, &Emitted> = BTreeMap::new();
    for file in texts.of(Format::Nft).filter(|f| f.is_own()) {
        if let Some(other) = seen.insert(file.host(), file) {
            bugs.wrong(file.at(0), &format!("`{}` rules the same host", other.path));
        }
        let firewall = meant.remove(file.host());
        if firewall.is_none() {
            bugs.extra(file.at(0), "a ruleset");
        }
        if let Some((ruleset, firewall)) = file.read(nftables::read, bugs).zip(firewall) {
            if ruleset.table != TABLE {
                bugs.wrong(file.at(0), &format!("the table is `{}`, and `{TABLE}` was meant", ruleset.table));
            }
            ruleset_of_host(file, &ruleset.chains, firewall, bugs);
        }
    }
    for host in meant.keys() {
        bugs.no_file("nft", host, "its ruleset");
    }
}

/// What the rules of a host permit in each chain.
fn by_chain(rules: &[Arc<Rule>]) -> BTreeMap<RuleChain, Region> {
    let mut chains: BTreeMap<RuleChain, Region> = BTreeMap::new();
    for rule in rules {
        let family = if *rule.family == 6 { Family::V6 } else { Family::V4 };
        let addresses = match rule.peers.as_slice() {
            [] => Addresses::any(family),
            nets => Addresses::of_nets(family, nets),
        };
        let clause = Clause { family, transport: *rule.transport, ports: rule.ports.value.clone(), addresses };
        chains.entry(*rule.chain).or_default().add([clause]);
    }
    chains
}

fn ruleset_of_host(file: &Emitted, chains: &[Chain], firewall: &Firewall, bugs: &mut Bugs) {
    let mut meant = by_chain(&firewall.rules);
    let mut wanted = vec![RuleChain::Input];
    wanted.extend(firewall.node_ports.value.map(|_| RuleChain::NodePort));
    wanted.extend(firewall.output.then_some(RuleChain::Output));
    let mut seen = Vec::new();
    for chain in chains {
        let kind = match chain.hook {
            Hook::Input => RuleChain::Input,
            Hook::Prerouting => RuleChain::NodePort,
            Hook::Output => RuleChain::Output,
        };
        let at = file.at(chain.line);
        if seen.contains(&kind) {
            bugs.wrong(at, &format!("a second chain at the hook `{}`", chain.hook.name()));
        }
        seen.push(kind);
        let traffic = meant.remove(&kind).unwrap_or_default();
        match chain.permits() {
            Ok(permits) => {
                same_traffic(at, &chain.name, &permits.accepted, &traffic, bugs);
                match *firewall.node_ports {
                    Some(ports) if kind == RuleChain::NodePort => node_port_chain(at, chain, &permits, ports, bugs),
                    _ => filter_chain(at, chain, &permits, bugs),
                }
            }
            Err(fault) => bugs.unreadable(file.path, &fault),
        }
    }
    for kind in wanted.iter().filter(|k| !seen.contains(k)) {
        bugs.missing(file.path, &format!("the `{}` chain", kind.name()));
    }
    for kind in seen.iter().filter(|k| !wanted.contains(k)) {
        bugs.extra(file.at(0), &format!("the `{}` chain", kind.name()));
    }
    for (kind, traffic) in meant {
        bugs.missing(file.path, &format!("the `{}` rules for {}", kind.name(), traffic.traffic()));
    }
}

/// A chain at input or output: what no rule permits is dropped.
fn filter_chain(at: At, chain: &Chain, permits: &Permits, bugs: &mut Bugs) {
    let mut must = must(at, chain, permits, bugs);
    must(chain.priority == 0, "does not stand at priority filter");
    must(chain.drops, "does not drop what no rule permits");
    must(permits.dropped.is_empty(), "drops traffic before a rule that permits it");
    must(permits.icmp.neighbour_discovery(), "does not let IPv6 find its neighbours");
}

/// The chain that judges node ports before the cluster rewrites them: everything on these ports is decided, and
/// nothing else.
fn node_port_chain(at: At, chain: &Chain, permits: &Permits, ports: Ports, bugs: &mut Bugs) {
    let judged = Family::BOTH.into_iter().flat_map(|family| {
        let addresses = Addresses::any(family);
        let clause = move |transport| Clause { family, transport, ports: vec![ports], addresses: addresses.clone() };
        [Transport::Tcp, Transport::Udp].map(clause)
    });
    let decided = permits.accepted.traffic().union(&permits.dropped.traffic());
    let mut must = must(at, chain, permits, bugs);
    // Before the rewrite, and behind the recognition of connections.
    must(chain.priority == -150, "does not stand at priority mangle");
    must(!chain.drops, "drops what no rule names, packets that only pass through included");
    must(!permits.drops_passing, "drops packets that only pass through");
    must(decided == Traffic::of(judged), &format!("does not decide about {ports} and nothing else"));
}

/// Checks what every chain must hold, and gives the means to check more.
fn must<'b>(at: At<'b>, chain: &'b Chain, permits: &Permits, bugs: &'b mut Bugs) -> impl FnMut(bool, &str) {
    let mut must = move |holds: bool, what: &str| {
        if !holds {
            bugs.wrong(at, &format!("the chain `{}` {what}", chain.name));
        }
    };
    must(permits.established, "does not let answers to permitted connections pass");
    must(permits.loopback, "does not let the host talk to itself");
    must
}

fn same_traffic(at: At, chain: &str, found: &Region, meant: &Region, bugs: &mut Bugs) {
    if found == meant {
        return;
    }
    let (found, meant) = (found.traffic(), meant.traffic());
    for (set, verb) in [(meant.difference(&found), "lacks"), (found.difference(&meant), "permits too much:")] {
        if let Some(example) = set.example() {
            bugs.wrong(at, &format!("the chain `{chain}` {verb} {set} (for example {example})"));
        }
    }
}

/// `flows.csv`, row by row.
pub fn flow_table(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    for file in texts.of(Format::Csv).filter(|f| f.path == "firewall/flows.csv") {
        let Some(mut found) = file.read(flows::read, bugs) else { continue };
        let mut meant: Vec<FlowRow> = ir.flows.iter().map(|f| row_of(f)).collect();
        meant.sort();
        found.sort();
        let mut found = found.into_iter().peekable();
        for row in &meant {
            while let Some((extra, line)) = found.next_if(|(f, _)| f < row) {
                bugs.extra(file.at(line), &format!("the flow {}", show(&extra)));
            }
            if found.next_if(|(f, _)| f == row).is_none() {
                bugs.missing(file.path, &format!("the flow {}", show(row)));
            }
        }
        for (extra, line) in found {
            bugs.extra(file.at(line), &format!("the flow {}", show(&extra)));
        }
    }
}

/// The same table in Markdown.
pub fn flow_document(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    for file in texts.of(Format::Markdown).filter(|f| f.path == "firewall/flows.md") {
        let Some(outline) = file.read(markdown::read, bugs) else { continue };
        let header = flows::COLUMNS.map(|c| if c.ends_with("_hosts") { "addresses" } else { c });
        let mut found: Vec<(Vec<String>, usize)> = Vec::new();
        for table in outline.tables.into_iter().filter(|t| t.header == header) {
            found.extend(table.rows.into_iter().zip(table.line + 2..));
        }
        let mut meant: Vec<Vec<String>> = ir.flows.iter().map(|f| cells_of(f)).collect();
        meant.sort();
        found.sort();
        let mut found = found.into_iter().peekable();
        for row in &meant {
            while let Some((extra, line)) = found.next_if(|(f, _)| f < row) {
                bugs.extra(file.at(line), &format!("the flow `{}`", extra.join(" | ")));
            }
            if found.next_if(|(f, _)| f == row).is_none() {
                bugs.missing(file.path, &format!("the flow `{}`", row.join(" | ")));
            }
        }
        for (extra, line) in found {
            bugs.extra(file.at(line), &format!("the flow `{}`", extra.join(" | ")));
        }
    }
}

/// A flow as the cells of a document, in which a line break is a blank.
fn cells_of(flow: &Flow) -> Vec<String> {
    let cells = [
        flow.product.to_string(),
        flow.from.to_string(),
        flow.from_hosts.text(),
        flow.to.to_string(),
        flow.to_hosts.text(),
        flow.transport.name().to_owned(),
        flow.ports.to_string(),
        flow.application.to_string(),
        flow.scope.name().to_owned(),
        flow.why.to_string(),
    ];
    cells.into_iter().map(|cell| cell.replace(['\n', '\t'], " ")).collect()
}

fn row_of(flow: &Flow) -> FlowRow {
    FlowRow {
        product: flow.product.to_string(),
        from: flow.from.to_string(),
        from_hosts: hosts_of(&flow.from_hosts),
        to: flow.to.to_string(),
        to_hosts: hosts_of(&flow.to_hosts),
        transport: *flow.transport,
        ports: *flow.ports,
        application: flow.application.to_string(),
        scope: *flow.scope,
        why: flow.why.to_string(),
    }
}

fn hosts_of(peers: &Peers) -> Hosts {
    let name = peers.name.as_ref().filter(|_| peers.nets.is_empty() && peers.pods.is_none());
    Hosts {
        pods: peers.pods.as_ref().map(|p| p.to_string()),
        nets: peers.nets.clone(),
        name: name.map(|n| n.to_string()),
    }
}

fn show(row: &FlowRow) -> String {
    format!("`{}` → `{}` {} {} of `{}`", row.from, row.to, row.ports, row.transport.name(), row.product)
}
