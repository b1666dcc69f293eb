//! Flows that the site adds, against all others: one finding per addition that permits nothing that is not permitted
//! anyway, be it by one flow or by several together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

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
    let of_additions = additions.iter().enumerate().flat_map(|(i, a)| a.flows.iter().map(move |flow| (flow, Some(i))));
    let all = Index::of(needed.iter().map(|flow| (flow, None)).chain(of_additions));
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
    single: BTreeMap<IpAddr, Near>,
    /// Flows to whole networks.
    wide: Near,
}

/// Flows to one end.
#[derive(Default)]
struct Near {
    /// Sorted by transport and first port.
    rows: Vec<Carried>,
    /// By how much the last port is higher than the first one, at most.
    widest: u16,
}

impl Near {
    fn sort(&mut self) {
        self.rows.sort_by_key(|c| (c.transport, c.ports.low));
        self.widest = self.rows.iter().map(|c| c.ports.high - c.ports.low).max().unwrap_or(0);
    }

    /// Those that have ports with these in common.
    fn meeting(&self, transport: Transport, ports: Ports) -> impl Iterator<Item = usize> {
        let first = (transport, ports.low.saturating_sub(self.widest));
        let from = self.rows.partition_point(|c| (c.transport, c.ports.low) < first);
        let near = self.rows[from..].iter().take_while(move |c| (c.transport, c.ports.low) <= (transport, ports.high));
        near.filter(move |c| c.ports.high >= ports.low).map(|c| c.row)
    }
}

struct Row<'a> {
    flow: &'a Arc<Flow>,
    /// The addition that it belongs to.
    addition: Option<usize>,
}

/// What a row carries.
struct Carried {
    row: usize,
    transport: Transport,
    ports: Ports,
}

impl<'a> Index<'a> {
    fn of(flows: impl Iterator<Item = (&'a Arc<Flow>, Option<usize>)>) -> Self {
        let mut index = Self::default();
        flows.for_each(|(flow, addition)| index.add(flow, addition));
        index.single.values_mut().chain([&mut index.wide]).for_each(Near::sort);
        index
    }

    fn add(&mut self, flow: &'a Arc<Flow>, addition: Option<usize>) {
        let row = self.rows.len();
        self.rows.push(Row { flow, addition });
        let carried = || Carried { row, transport: *flow.transport, ports: flow.all_ports() };
        let mut wide = false;
        for net in &flow.to_hosts.nets {
            match net.prefix_len() == net.max_prefix_len() {
                true => self.single.entry(net.addr()).or_default().rows.push(carried()),
                false => wide = true,
            }
        }
        if wide {
            self.wide.rows.push(carried());
        }
    }

    /// Whether flows other than those of the additions that are gone permit all that a flow does; `by` gets them.
    fn covers(&self, flow: &Flow, gone: &BTreeSet<usize>, by: &mut Vec<usize>) -> bool {
        let named = |peers: &Peers| peers.nets.is_empty();
        if named(&flow.from_hosts) || named(&flow.to_hosts) {
            return false;
        }
        let (transport, ports) = (*flow.transport, flow.all_ports());
        let in_net = |net: &IpNet| self.single.range(net.network()..=net.broadcast()).map(|(_, near)| near);
        let near = flow.to_hosts.nets.iter().flat_map(in_net).chain([&self.wide]);
        let stands = |row: &usize| self.rows[*row].addition.is_none_or(|i| !gone.contains(&i));
        let rows: BTreeSet<usize> = near.flat_map(|near| near.meeting(transport, ports)).filter(stands).collect();
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
