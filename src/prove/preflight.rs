//! What emitted preflight scripts try against the flows that leave their hosts: nothing is left out, nothing is added.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::bugs::Bugs;
use super::fault::{Fault, Read, plain_lines};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Ir, Scope, short_net};

/// The script of every host.
pub fn scripts(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let scripts: Vec<&Emitted> =
        texts.of(Format::Shell).filter(|f| f.is_own() && f.path.ends_with("/preflight.sh")).collect();
    let mut read: Vec<(&Emitted, Script)> = Vec::new();
    for file in scripts {
        read.extend(file.read(script, bugs).map(|script| (file, script)));
    }
    let hosts: BTreeSet<&str> = read.iter().map(|(file, _)| file.host()).collect();
    for preflight in &ir.preflights {
        if !hosts.contains(&**preflight.host) {
            bugs.no_file("preflight", &preflight.host, "a preflight script");
        }
    }
    let own: Vec<BTreeSet<IpAddr>> = read.iter().map(|(_, s)| s.addresses.iter().copied().collect()).collect();
    let mut by_address: Vec<(IpAddr, usize)> = Vec::new();
    for (index, own) in own.iter().enumerate() {
        by_address.extend(own.iter().map(|a| (*a, index)));
    }
    by_address.sort_unstable();
    // A destination of thousands of addresses is kept once, whoever reaches it.
    let mut sets: Vec<Destination> = Vec::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut meant: Vec<BTreeSet<(String, usize)>> = read.iter().map(|_| BTreeSet::new()).collect();
    for flow in ir.flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        let Some(ports) = flow.tried_ports() else { continue };
        let what = format!("{}/{ports}", flow.transport.name());
        let to: Vec<String> = match &flow.to_hosts.name {
            Some(name) if flow.to_hosts.nets.is_empty() => vec![name.to_string()],
            _ => flow.to_hosts.nets.iter().map(short_net).collect(),
        };
        let set = *numbers.entry(to.join(" ")).or_insert_with(|| {
            sets.push(Destination { members: to.iter().cloned().collect(), to });
            sets.len() - 1
        });
        for net in &flow.from_hosts.nets {
            let first = by_address.partition_point(|(a, _)| *a < net.network());
            for (_, host) in by_address[first..].iter().take_while(|(a, _)| *a <= net.broadcast()) {
                meant[*host].insert((what.clone(), set));
            }
        }
    }
    for (((file, script), meant), own) in read.iter().zip(meant).zip(own) {
        let own: BTreeSet<String> = own.iter().map(IpAddr::to_string).collect();
        let meant = meant.into_iter().map(|(what, set)| (what, &sets[set]));
        compare(file, script, meant, &own, bugs);
    }
}

/// The addresses of a destination, in their order and to look one up.
struct Destination {
    to: Vec<String>,
    members: BTreeSet<String>,
}

/// A destination counts as tried when the script has its first addresses, those of the host itself left out, and counts
/// the rest.
fn compare<'d>(
    file: &Emitted,
    script: &Script,
    meant: impl Iterator<Item = (String, &'d Destination)>,
    own: &BTreeSet<String>,
    bugs: &mut Bugs,
) {
    let mut used = vec![false; script.lines.len()];
    for (what, destination) in meant {
        let count = destination.to.len() - own.iter().filter(|a| destination.members.contains(*a)).count();
        if count == 0 {
            continue;
        }
        let others = || destination.to.iter().filter(|t| !own.contains(*t));
        let fits = |line: &Line| {
            line.what == what
                && !line.to.is_empty()
                && line.to.len() + line.more == count
                && others().take(line.to.len()).eq(&line.to)
        };
        match script.lines.iter().zip(&used).position(|(line, used)| !used && fits(line)) {
            Some(line) => used[line] = true,
            None => {
                let some: Vec<&str> = others().take(3).map(|t| &**t).collect();
                bugs.missing(file.path, &format!("a try of {what} at {}", some.join(", ")));
            }
        }
    }
    for (line, _) in script.lines.iter().zip(used).filter(|(_, used)| !used) {
        bugs.extra(file.at(line.line), &format!("a try of {} at {}", line.what, line.to.join(", ")));
    }
}

struct Script {
    addresses: Vec<IpAddr>,
    lines: Vec<Line>,
}

struct Line {
    what: String,
    to: Vec<String>,
    more: usize,
    line: usize,
}

/// The lines of a script that try something, and those with the host's addresses.
fn script(text: &str) -> Read<Script> {
    let mut found = Script { addresses: Vec::new(), lines: Vec::new() };
    for (i, text) in plain_lines(text)?.enumerate() {
        let fault = |what: &str| Fault::new(i + 1, format!("`{text}` {what}"));
        let (command, rest) = text.trim_start().split_once(' ').unwrap_or((text, ""));
        if command == "own" {
            found.addresses.push(rest.trim().parse().map_err(|_| fault("has no address"))?);
        }
        if command != "try" {
            continue;
        }
        let words = shlex::split(rest).ok_or_else(|| fault("is not quoted as a shell reads it"))?;
        let [transport, ports, _to, _from, more, targets @ ..] = words.as_slice() else {
            return Err(fault("lacks words"));
        };
        found.lines.push(Line {
            what: format!("{transport}/{ports}"),
            to: targets.to_vec(),
            more: more.parse().map_err(|_| fault("does not count what is left out"))?,
            line: i + 1,
        });
    }
    Ok(found)
}
