//! What emitted preflight scripts try against the flows that leave their hosts: nothing is left out, nothing is added.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::bugs::Bugs;
use super::fault::{Fault, Read, plain_lines};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Ir, Scope, short_net};

/// Connections that a script tries: transport and ports, destination.
type Tried = BTreeSet<(String, String)>;

/// The script of every host.
pub fn scripts(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let scripts: Vec<&Emitted> =
        texts.of(Format::Shell).filter(|f| f.is_own() && f.path.ends_with("/preflight.sh")).collect();
    let mut read: Vec<(&Emitted, Script)> = Vec::new();
    for file in scripts {
        read.extend(file.read(script, bugs).map(|script| (file, script)));
    }
    for preflight in &ir.preflights {
        if !read.iter().any(|(file, _)| file.host() == &**preflight.host) {
            bugs.no_file("preflight", &preflight.host, "a preflight script");
        }
    }
    let own: Vec<BTreeSet<IpAddr>> = read.iter().map(|(_, s)| s.addresses.iter().copied().collect()).collect();
    let mut by_address: Vec<(IpAddr, usize)> = Vec::new();
    for (index, own) in own.iter().enumerate() {
        by_address.extend(own.iter().map(|a| (*a, index)));
    }
    by_address.sort_unstable();
    let mut meant: Vec<BTreeMap<(String, Vec<String>), ()>> = read.iter().map(|_| BTreeMap::new()).collect();
    for flow in ir.flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        let Some(ports) = *flow.ports else { continue };
        let what = format!("{}/{ports}", flow.transport.name());
        let mut leaving = BTreeSet::new();
        for net in &flow.from_hosts.nets {
            let first = by_address.partition_point(|(a, _)| *a < net.network());
            let inside = by_address[first..].iter().take_while(|(a, _)| *a <= net.broadcast());
            leaving.extend(inside.map(|(_, host)| *host));
        }
        for host in leaving {
            let mut to: Vec<String> = match &flow.to_hosts.name {
                Some(name) if flow.to_hosts.nets.is_empty() => vec![name.to_string()],
                _ => flow.to_hosts.nets.iter().map(short_net).collect(),
            };
            to.retain(|t| !t.parse::<IpAddr>().is_ok_and(|a| own[host].contains(&a)));
            if !to.is_empty() {
                meant[host].insert((what.clone(), to), ());
            }
        }
    }
    for ((file, script), meant) in read.iter().zip(meant) {
        compare(file, script, &meant.into_keys().collect(), bugs);
    }
}

/// A destination set counts as tried when all that the script has room for is, and the script counts the rest.
fn compare(file: &Emitted, script: &Script, meant: &BTreeSet<(String, Vec<String>)>, bugs: &mut Bugs) {
    let mut expected = Tried::new();
    for (what, to) in meant {
        let line =
            script.lines.iter().find(|l| l.what == *what && to.starts_with(&l.to) && l.to.len() + l.more == to.len());
        match line {
            Some(line) => expected.extend(line.to.iter().map(|t| (what.clone(), t.clone()))),
            None => {
                bugs.missing(file.path, &format!("a try of {what} at {}", to.join(", ")));
                expected.extend(to.iter().map(|t| (what.clone(), t.clone())));
            }
        }
    }
    for line in &script.lines {
        for to in line.to.iter().filter(|t| !expected.contains(&(line.what.clone(), (*t).clone()))) {
            bugs.extra(file.at(line.line), &format!("a try of {} at `{to}`", line.what));
        }
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
