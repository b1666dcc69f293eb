//! Flows that the site adds, against all others: one finding per addition that permits nothing that is not permitted
//! anyway, be it by one flow or by several together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::boundaries::line;
use super::places::spec_span;
use crate::diag::Diag;
use crate::diag::codes::REDUNDANT_ADDITION;
use crate::instance::Run;
use crate::ir::{Flow, Peers, Transport};
use crate::netset::{Addresses, Family, Pairs};
use crate::source::Sources;
use crate::value::{Origins, Ports};

/// Flows that a finding names; the rest is counted.
const FLOWS_SHOWN: usize = 4;

/// One addition of the spec with the flows that it makes.
pub struct Addition {
    /// Where it stands.
    pub pointer: String,
    pub origins: Origins,
    pub flows: Vec<Arc<Flow>>,
}

/// Reports additions without which the same traffic would be permitted. Of several alike, the last is reported.
pub fn redundant(needed: &[Arc<Flow>], additions: &[Addition], sources: &Sources, run: &mut Run) {
    if additions.is_empty() {
        return;
    }
    let mut all = Index::default();
    needed.iter().for_each(|flow| all.add(flow, None));
    for (i, addition) in additions.iter().enumerate() {
        addition.flows.iter().for_each(|flow| all.add(flow, Some(i)));
    }
    let mut gone = BTreeSet::new();
    for (i, addition) in additions.iter().enumerate().rev().filter(|(_, a)| !a.flows.is_empty()) {
        gone.insert(i);
        if !addition.flows.iter().all(|flow| all.covers(flow, &gone, &mut Vec::new())) {
            gone.remove(&i);
        }
    }
    // What stood in for one may be gone itself by now; what stood in for that is named instead.
    for i in &gone {
        let (addition, mut by) = (&additions[*i], Vec::new());
        addition.flows.iter().for_each(|flow| _ = all.covers(flow, &gone, &mut by));
        run.findings.push(all.report(addition, &by, additions, sources));
    }
}

/// Flows by what they reach, so that only those that can meet an addition are looked at.
#[derive(Default)]
struct Index<'a> {
    rows: Vec<Row<'a>>,
    /// Flows to a single address.
    single: BTreeMap<IpAddr, Vec<usize>>,
    /// Flows to whole networks.
    wide: Vec<usize>,
}

struct Row<'a> {
    flow: &'a Arc<Flow>,
    /// What it carries, beside the flow so that most rows are passed by without a look at theirs.
    transport: Transport,
    ports: Ports,
    /// The addition that it belongs to.
    addition: Option<usize>,
}

impl<'a> Index<'a> {
    fn add(&mut self, flow: &'a Arc<Flow>, addition: Option<usize>) {
        let row = self.rows.len();
        self.rows.push(Row { flow, transport: *flow.transport, ports: flow.all_ports(), addition });
        let mut wide = false;
        for net in &flow.to_hosts.nets {
            match net.prefix_len() == net.max_prefix_len() {
                true => self.single.entry(net.addr()).or_default().push(row),
                false => wide = true,
            }
        }
        if wide {
            self.wide.push(row);
        }
    }

    /// Whether flows other than those of the additions that are gone permit all that a flow does; `by` gets them.
    fn covers(&self, flow: &Flow, gone: &BTreeSet<usize>, by: &mut Vec<usize>) -> bool {
        let named = |peers: &Peers| peers.nets.is_empty();
        if named(&flow.from_hosts) || named(&flow.to_hosts) {
            return false;
        }
        let near = flow.to_hosts.nets.iter().flat_map(|net| self.single.range(net.network()..=net.broadcast()));
        let near = near.flat_map(|(_, rows)| rows).chain(&self.wide).copied();
        let (of_flow, by_transport) = (flow.all_ports(), *flow.transport);
        let meets = |row: &usize| {
            let Row { transport, ports, addition, .. } = &self.rows[*row];
            *transport == by_transport
                && ports.low <= of_flow.high
                && of_flow.low <= ports.high
                && addition.is_none_or(|i| !gone.contains(&i))
        };
        let rows: BTreeSet<usize> = near.filter(meets).collect();
        if rows.is_empty() {
            return false;
        }
        let mut used = BTreeSet::new();
        let covered = Family::BOTH.into_iter().all(|family| {
            let set = |nets| Addresses::of_nets(family, nets);
            flow.all_ports().cut_by(rows.iter().map(|row| self.rows[*row].flow.all_ports())).into_iter().all(|part| {
                let mut rest = Pairs::of(set(&flow.from_hosts.nets), set(&flow.to_hosts.nets));
                for row in &rows {
                    let other = self.rows[*row].flow;
                    if other.all_ports().contains(part)
                        && rest.subtract(&set(&other.from_hosts.nets), &set(&other.to_hosts.nets))
                    {
                        used.insert(*row);
                    }
                    if rest.is_empty() {
                        break;
                    }
                }
                rest.is_empty()
            })
        });
        by.extend(used.iter().copied().filter(|_| covered));
        covered
    }
}

impl Index<'_> {
    fn report(&self, addition: &Addition, by: &[usize], additions: &[Addition], sources: &Sources) -> Diag {
        let by: BTreeSet<usize> = by.iter().copied().collect();
        let message = match by.len() {
            1 => "this addition permits nothing new: another flow permits it already".to_string(),
            n => format!("this addition permits nothing new: {n} flows permit it together"),
        };
        let span = spec_span(&addition.origins, sources);
        let mut diag = Diag::new(REDUNDANT_ADDITION, message).at_maybe(span, "");
        let rows = by.iter().map(|row| &self.rows[*row]);
        let labelled: BTreeSet<usize> = rows.clone().filter_map(|row| row.addition).collect();
        for other in labelled.iter().take(FLOWS_SHOWN) {
            if let Some(span) = spec_span(&additions[*other].origins, sources) {
                diag = diag.and(span, "this addition permits it");
            }
        }
        let lines: BTreeSet<String> = rows.filter(|row| row.addition.is_none()).map(|row| line(row.flow)).collect();
        for line in lines.iter().take(FLOWS_SHOWN) {
            diag = diag.note(line);
        }
        if lines.len() > FLOWS_SHOWN {
            diag = diag.note(format!("and {} more", lines.len() - FLOWS_SHOWN));
        }
        diag.waivable = true;
        diag.pointer(addition.pointer.clone()).help("remove it; `sitec can` shows what permits the traffic")
    }
}
