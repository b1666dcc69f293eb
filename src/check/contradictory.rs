//! Rules of the spec that contradict each other: additions that call one port of one address by different names, and
//! boundaries that let through and stop the same.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::boundaries::{Traffic, ends, read};
use super::places::spec_span;
use super::redundant::Addition;
use crate::diag::codes::CONTRADICTORY_RULES;
use crate::diag::{Diag, Findings};
use crate::instance::Run;
use crate::ir::{Flow, Transport};
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Ports, Tracked};

/// What one addition says of some ports: its number, the flow, and the name of the application as it is compared.
type Said<'a> = (usize, &'a Flow, String);

/// Reports additions that give the same ports of the same address to different applications: one port has one listener.
/// A range that only holds the port of another is a wider word for both.
pub fn additions(additions: &[Addition], sources: &Sources, run: &mut Run) {
    let mut by_ports: BTreeMap<(Transport, Ports), Vec<Said>> = BTreeMap::new();
    for (i, addition) in additions.iter().enumerate() {
        for flow in &addition.flows {
            let name = flow.application.trim().to_lowercase();
            if let Some(ports) = flow.ports.value.filter(|_| !name.is_empty()) {
                by_ports.entry((*flow.transport, ports)).or_default().push((i, flow, name));
            }
        }
    }
    let mut seen = BTreeSet::new();
    for said in by_ports.values().filter(|said| said.iter().any(|(.., name)| *name != said[0].2)) {
        let mut first: BTreeMap<IpNet, Vec<&Said>> = BTreeMap::new();
        for one in said {
            for net in &one.1.to_hosts.nets {
                let known = first.entry(*net).or_default();
                let other = known.iter().find(|other| other.2 != one.2 && other.0 != one.0);
                if let Some(other) = other
                    && seen.insert((other.0, one.0))
                {
                    run.findings.push(called(other, one, additions, sources));
                }
                if known.iter().all(|other| other.2 != one.2) {
                    known.push(one);
                }
            }
        }
    }
}

fn called(one: &Said, other: &Said, additions: &[Addition], sources: &Sources) -> Diag {
    let (first, second) = (&one.1.application.value, &other.1.application.value);
    let (service, target) = (other.1.service(), &other.1.to.value);
    let message = format!("two additions call {service} of `{target}` by different names: `{first}` and `{second}`");
    let place = |said: &Said| spec_span(&additions[said.0].origins, sources);
    let mut diag = Diag::new(CONTRADICTORY_RULES, message).at_maybe(place(other), format!("`{second}` here"));
    if let Some(span) = place(one) {
        diag = diag.and(span, format!("`{first}` here"));
    }
    diag.waivable = true;
    diag.pointer(additions[other.0].pointer.clone())
        .help("one port has one listener: correct the port or the target of one of them, or call it the same in both")
}

/// The networks on both sides of a boundary.
type Ends = (Vec<IpNet>, Vec<IpNet>);

/// One word of a boundary.
struct Word<'a> {
    boundary: usize,
    value: &'a Tracked,
    traffic: Traffic,
}

/// Reports boundaries that stop what they also let through, in one entry or in two between the same ends. An exception,
/// which leaves some of what is let through on every side of it, is none.
pub fn boundaries(site: &Site, sources: &Sources, findings: &mut Findings) {
    let list = site.at("/firewall/boundaries").map(Tracked::items).unwrap_or_default();
    // What is allowed and what is denied, by what stands on both sides.
    let mut by_ends: BTreeMap<Ends, [Vec<Word>; 2]> = BTreeMap::new();
    for (index, boundary) in list.iter().enumerate() {
        let Some((from, to)) = ends(boundary, site) else { continue };
        let words = by_ends.entry((from.to_vec(), to.to_vec())).or_default();
        for (key, own) in ["allow", "deny"].into_iter().zip(words) {
            let values = boundary.get(key).map(Tracked::items).unwrap_or_default();
            let word = |value| Some(Word { boundary: index, value, traffic: read(&value.value.text()?)? });
            own.extend(values.iter().filter_map(word));
        }
    }
    for [allow, deny] in by_ends.values() {
        for word in deny {
            let is_exception = |other: &Word| other.traffic.holds(&word.traffic) && !word.traffic.holds(&other.traffic);
            let other = allow.iter().filter(|other| !is_exception(other)).find(|o| o.traffic.meets(&word.traffic));
            let Some(other) = other else { continue };
            let name = |key: &str| list[word.boundary].get(key).and_then(|v| v.value.text()).unwrap_or_default();
            let text = |word: &Word| word.value.value.text().unwrap_or_default();
            let (from, to, stopped, passed) = (name("from"), name("to"), text(word), text(other));
            let firewall = format!("the firewall from `{from}` to `{to}`");
            let message = match (stopped == passed, word.traffic.holds(&other.traffic)) {
                (true, _) => format!("{firewall} both allows and denies `{stopped}`"),
                (_, true) => format!("{firewall} denies `{stopped}`, and with it all of the `{passed}` that it allows"),
                _ => format!("{firewall} denies `{stopped}`, and with it some of the `{passed}` that it allows"),
            };
            let place = |word: &Word| spec_span(&word.value.origins, sources);
            let mut diag = Diag::new(CONTRADICTORY_RULES, message).at_maybe(place(word), "stopped here");
            if let Some(span) = place(other) {
                diag = diag.and(span, "let through here");
            }
            diag.waivable = true;
            let diag = diag.pointer(format!("/firewall/boundaries/{}/deny", word.boundary));
            findings.push(
                diag.help(
                    "what is denied is stopped whatever `allow` says; what `allow` does not name is stopped anyway",
                ),
            );
        }
    }
}
