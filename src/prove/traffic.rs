//! Emitted firewalls and flow tables against the `Ir`'s rules and flows, both ways.

use std::collections::BTreeMap;

use super::bugs::{At, Bugs};
use super::flows::{self, FlowRow, Hosts};
use super::markdown;
use super::nftables::{self, Chain, Hook, Permits};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Flow, Ir, Peers, Rule, RuleChain};
use crate::netset::{Addresses, Clause, Family, Region};
use crate::value::Ports;

/// The table that is ours in a host's ruleset.
const TABLE: &str = "sitec";

/// The nftables files of every host.
pub fn nftables(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let files: Vec<&Emitted> = texts.of(Format::Nft).collect();
    if files.is_empty() {
        // The site did not choose this target.
        return;
    }
    let mut meant: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &ir.rules {
        meant.entry(&*rule.host.value).or_default().push(rule);
    }
    let mut seen: BTreeMap<&str, &Emitted> = BTreeMap::new();
    for file in files {
        if let Some(other) = seen.insert(file.host(), file) {
            bugs.wrong(file.at(0), &format!("`{}` rules the same host", other.path));
        }
        let chains = by_chain(&meant.remove(file.host()).unwrap_or_default());
        if let Some(ruleset) = file.read(nftables::read, bugs) {
            if ruleset.table != TABLE {
                bugs.wrong(file.at(0), &format!("the table is `{}`, and `{TABLE}` was meant", ruleset.table));
            }
            ruleset_of_host(file, &ruleset.chains, chains, bugs);
        }
    }
    for (host, rules) in meant {
        for (chain, traffic) in by_chain(&rules) {
            bugs.no_file("nftables", host, &format!("the `{}` rules for {}", chain.name(), traffic.traffic()));
        }
    }
}

/// What the rules of a host permit in each chain.
fn by_chain(rules: &[&Rule]) -> BTreeMap<RuleChain, Region> {
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

fn ruleset_of_host(file: &Emitted, chains: &[Chain], mut meant: BTreeMap<RuleChain, Region>, bugs: &mut Bugs) {
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
            Ok(permits) => chain_of_host(at, chain, kind, &permits, &traffic, bugs),
            Err(fault) => bugs.unreadable(file.path, &fault),
        }
    }
    if !seen.contains(&RuleChain::Input) {
        bugs.missing(file.path, "a chain at the hook `input`");
    }
    for (kind, traffic) in meant {
        bugs.missing(file.path, &format!("the `{}` rules for {}", kind.name(), traffic.traffic()));
    }
}

fn chain_of_host(at: At, chain: &Chain, kind: RuleChain, permits: &Permits, meant: &Region, bugs: &mut Bugs) {
    same_traffic(at, &chain.name, &permits.accepted, meant, bugs);
    let name = &chain.name;
    let mut must = |holds: bool, what: &str| {
        if !holds {
            bugs.wrong(at, &format!("the chain `{name}` {what}"));
        }
    };
    must(permits.established, "does not let answers to permitted connections pass");
    must(permits.loopback, "does not let the host talk to itself");
    if kind == RuleChain::NodePort {
        // Before the rewrite, and not yet at the other hooks.
        must(chain.priority == -150, "does not stand at priority mangle");
        must(!chain.drops, "drops what no rule names, packets that only pass through included");
        must(!permits.drops_passing, "drops packets that only pass through");
        must(!permits.dropped.is_empty(), "drops nothing, so that its rules decide nothing");
        must(is_closed(permits), "leaves some addresses undecided for a port that it judges");
    } else {
        must(chain.priority == 0, "does not stand at priority filter");
        must(chain.drops, "does not drop what no rule permits");
        must(permits.dropped.is_empty(), "drops traffic before a rule that permits it");
        must(permits.icmp.neighbour_discovery(), "does not let IPv6 find its neighbours");
    }
}

/// Whether every port that is judged is judged for all addresses, and in both families alike.
fn is_closed(permits: &Permits) -> bool {
    let decided = permits.accepted.traffic().union(&permits.dropped.traffic());
    let mut judged: BTreeMap<Family, Vec<(crate::ir::Transport, Vec<Ports>)>> = BTreeMap::new();
    for clause in decided.clauses() {
        if clause.addresses != Addresses::any(clause.family) {
            return false;
        }
        judged.entry(clause.family).or_default().push((clause.transport, clause.ports));
    }
    judged.get(&Family::V4) == judged.get(&Family::V6)
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
    for file in texts.of(Format::Csv) {
        if !file.path.ends_with("flows.csv") {
            continue;
        }
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
    for file in texts.of(Format::Markdown).filter(|f| f.path.ends_with("flows.md")) {
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
