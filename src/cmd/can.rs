//! `sitec can`: whether a site permits some traffic, with the flows that decide it.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::report::exit_of;
use super::why::places;
use super::{Exit, Shell, Stop};
use crate::cli::{CanArgs, Format};
use crate::compile::Depth;
use crate::diag::similar_name;
use crate::ir::{Flow, Transport};
use crate::review::can::{Permitted, Question, Verdict, can, end};
use crate::source::Sources;
use crate::value::Ports;

/// Flows that are listed as neighbours of what is not permitted.
const NEIGHBOURS_MAX: usize = 8;

pub fn run(args: &CanArgs, shell: &Shell) -> Result<Exit, Stop> {
    let (ports, transport) = port(&args.port).map_err(Stop::Usage)?;
    let compilation = shell.compile(&args.spec, Depth::Check)?;
    let (Some(site), Some(ir)) = (&compilation.site, &compilation.ir) else {
        shell.report(&compilation.findings, &compilation.sources);
        return Ok(exit_of(&compilation.findings).max(Exit::Findings));
    };
    // What is said about a site with errors may be wrong itself.
    if exit_of(&compilation.findings) != Exit::Fine {
        shell.report(&compilation.findings, &compilation.sources);
        return Ok(exit_of(&compilation.findings));
    }
    let from = end(&args.from, site, ir).map_err(Stop::Usage)?;
    let to = end(&args.to, site, ir).map_err(Stop::Usage)?;
    let question = Question { from, to, ports, transport };
    let verdict = can(&question, ir, site);
    shell.print(&match shell.format {
        Format::Json => format!("{:#}\n", as_json(&question, &verdict, &compilation.sources)),
        _ => text(&question, &verdict, &compilation.sources),
    })?;
    Ok(if is_yes(&verdict) { Exit::Fine } else { Exit::Findings })
}

/// Reads `443`, `443/tcp`, `111-112/udp`, `5060/sctp`, or a protocol without ports: `esp`.
fn port(text: &str) -> Result<(Ports, Transport), String> {
    if let Some(transport) = Transport::from_name(text) {
        return match transport.has_ports() {
            true => Err(format!("`{text}` needs its port before it: `443/{text}`")),
            false => Ok((ALL_PORTS, transport)),
        };
    }
    let (ports, name) = text.split_once('/').unwrap_or((text, "tcp"));
    let transport = match Transport::from_name(name) {
        Some(transport) if transport.has_ports() => transport,
        Some(_) => return Err(format!("`{name}` has no ports; write `{name}` alone")),
        None => {
            let known: Vec<&str> = Transport::ALL.into_iter().map(Transport::name).collect();
            let near =
                similar_name(name, known.iter().copied()).map(|n| format!("; there is `{n}`")).unwrap_or_default();
            return Err(format!("`{name}` is none of {}{near}", known.join(", ")));
        }
    };
    let ports = ports
        .parse()
        .map_err(|why| format!("`{ports}` is no port between 1 and 65535, and no range of them: {why}"))?;
    Ok((ports, transport))
}

/// What stands for the ports of a protocol that has none.
const ALL_PORTS: Ports = Ports { low: 0, high: u16::MAX };

fn is_yes(verdict: &Verdict) -> bool {
    verdict.permitted == Permitted::All && verdict.boundaries.is_empty()
}

fn asked(question: &Question) -> String {
    let Question { from, to, ports, transport } = question;
    format!("{} -> {} : {}", from.text, to.text, transport.service(*ports))
}

fn text(question: &Question, verdict: &Verdict, sources: &Sources) -> String {
    let mut out = String::new();
    let word = match (verdict.permitted, verdict.boundaries.is_empty()) {
        (Permitted::All, true) => "yes",
        (Permitted::Some, true) => "in part",
        _ => "no",
    };
    let _ = writeln!(out, "{word}: {}", asked(question));
    if verdict.itself {
        out.push_str("  a host reaches itself: no ruleset stands in between\n");
    }
    for flow in &verdict.flows {
        let _ = writeln!(out, "  permitted by {}", flow.in_words());
        let _ = writeln!(out, "    {} -> {}", flow.from_hosts.text(), flow.to_hosts.text());
        let _ = writeln!(out, "    {:<8} {}", "why", *flow.why);
        for place in places(&flow.origins(), sources) {
            let _ = writeln!(out, "    {}", place.text());
        }
    }
    for (name, origins) in &verdict.boundaries {
        let _ = writeln!(out, "  stopped by the firewall {name} (`firewall.boundaries`)");
        for place in places(origins, sources) {
            let _ = writeln!(out, "    {}", place.text());
        }
    }
    for rest in &verdict.rest {
        let _ = writeln!(out, "  no flow permits {rest}");
    }
    let lists = [
        ("flows between these ends on other ports", &verdict.between),
        ("who may reach that end on that port", &verdict.toward),
    ];
    for (title, flows) in lists.into_iter().filter(|(_, flows)| !flows.is_empty()) {
        let _ = writeln!(out, "  {title}:");
        for line in shown(flows) {
            let _ = writeln!(out, "    {line}");
        }
    }
    if verdict.permitted != Permitted::All && !verdict.unfiltered.is_empty() {
        let names = verdict.unfiltered.join(", ");
        let _ = writeln!(out, "  no ruleset is written for {names}: nothing of this site's files stops it there");
    }
    out
}

/// Rows with their sources, each once, cut short after some.
fn shown(flows: &[Arc<Flow>]) -> Vec<String> {
    let mut lines: Vec<String> = flows.iter().map(|f| format!("{} ({})", f.in_words(), f.from_hosts.text())).collect();
    lines.dedup();
    let more = lines.len().saturating_sub(NEIGHBOURS_MAX);
    lines.truncate(NEIGHBOURS_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn as_json(question: &Question, verdict: &Verdict, sources: &Sources) -> Json {
    let Question { from, to, ports, transport } = question;
    let flow = |flow: &Arc<Flow>| {
        json!({
            "product": &**flow.product, "from": &**flow.from, "from_hosts": &*flow.from_hosts.text(),
            "to": &**flow.to, "to_hosts": &*flow.to_hosts.text(), "transport": flow.transport.name(),
            "ports": flow.ports.value.map(|p| p.to_string()), "application": &**flow.application, "why": &**flow.why,
            "places": places(&flow.origins(), sources).iter().map(|p| p.json()).collect::<Vec<_>>(),
        })
    };
    let list = |flows: &[Arc<Flow>]| flows.iter().map(flow).collect::<Vec<_>>();
    json!({
        "version": 1,
        "from": from.text, "to": to.text, "ports": transport.has_ports().then(|| ports.to_string()),
        "transport": transport.name(),
        "permitted": match verdict.permitted {
            Permitted::All => "all",
            Permitted::Some => "some",
            Permitted::Nothing => "nothing",
        },
        "itself": verdict.itself,
        "flows": list(&verdict.flows),
        "not_permitted": verdict.rest,
        "stopped_by": verdict.boundaries.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "between": list(&verdict.between),
        "toward": list(&verdict.toward),
        "unfiltered": verdict.unfiltered,
    })
}
