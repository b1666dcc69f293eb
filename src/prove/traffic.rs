//! Emitted flow tables against the `Ir`'s flows, both ways.

use super::bugs::Bugs;
use super::flows::{self, FlowRow, Hosts};
use super::markdown::Outline;
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Flow, Ir, Peers};

/// `flows.csv`, row by row.
pub fn flow_table(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    for file in texts.of(Format::Csv).filter(|f| f.path == "firewall/flows.csv") {
        let Some(mut found) = file.read(flows::read, bugs) else { continue };
        // In the order of the flows, as it should be, nothing has to be sorted or kept.
        if found.len() == ir.flows.len() && found.iter().zip(&ir.flows).all(|((row, _), flow)| *row == row_of(flow)) {
            continue;
        }
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
pub fn flow_document(ir: &Ir, file: &Emitted, outline: Outline, bugs: &mut Bugs) {
    if file.path == "firewall/flows.md" {
        let header = flows::COLUMNS.map(|c| if c.ends_with("_hosts") { "addresses" } else { c });
        let mut found: Vec<(Vec<String>, usize)> = Vec::new();
        for table in outline.tables.into_iter().filter(|t| t.header == header) {
            found.extend(table.rows.into_iter().zip(table.line + 2..));
        }
        if found.len() == ir.flows.len() && found.iter().zip(&ir.flows).all(|((row, _), flow)| *row == cells_of(flow)) {
            return;
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
        flow.from_hosts.text().to_string(),
        flow.to.to_string(),
        flow.to_hosts.text().to_string(),
        flow.transport.name().to_owned(),
        flow.ports.value.map(|p| p.to_string()).unwrap_or_default(),
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
        nets: peers.nets.to_vec(),
        name: name.map(|n| n.to_string()),
    }
}

fn show(row: &FlowRow) -> String {
    let ports = row.ports.map(|p| format!("{p} ")).unwrap_or_default();
    format!("`{}` → `{}` {ports}{} of `{}`", row.from, row.to, row.transport.name(), row.product)
}
