//! Emitted systemd units, kernel parameters, kernel modules and clocks against the `Ir`, both ways.

use std::collections::BTreeMap;

use super::bugs::{At, Bugs, joined};
use super::chrony;
use super::fault::{Fault, Read, plain_lines};
use super::ini::{self, Section};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Clock, Ir, Unit, short_net};

/// Units of every host.
pub fn units(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: Vec<(&Emitted, Vec<Section>)> = Vec::new();
    // A pack's own unit may use specifiers and continued lines.
    let names: Vec<String> = ir.units.iter().map(|u| format!("/{}", *u.name)).collect();
    for file in texts.of(Format::Systemd).filter(|f| f.is_own() || names.iter().any(|n| f.path.ends_with(n))) {
        found.extend(file.read(read_unit, bugs).map(|sections| (file, sections)));
    }
    for unit in &ir.units {
        let name = format!("/{}", *unit.name);
        let place = found.iter().position(|(file, _)| file.host() == &**unit.host && file.path.ends_with(&name));
        match place.map(|i| found.remove(i)) {
            Some((file, sections)) => unit_settings(file, &sections, unit, bugs),
            None => bugs.no_file("systemd", &unit.host, &format!("the unit `{}`", *unit.name)),
        }
    }
    for (file, _) in found {
        if file.is_own() {
            bugs.extra(file.at(0), "a unit");
        }
    }
}

/// A unit: keys may repeat, `%` is doubled.
fn read_unit(text: &str) -> Read<Vec<Section>> {
    let mut sections = ini::read_repeating(text)?;
    for entry in sections.iter_mut().flat_map(|s| &mut s.entries) {
        entry.value = without_specifiers(&entry.value, entry.line)?;
    }
    Ok(sections)
}

fn without_specifiers(text: &str, line: usize) -> Read<String> {
    let plain = text.replace("%%", "");
    match plain.contains('%') {
        true => Err(Fault::new(line, format!("a `%` in `{text}` that systemd would replace"))),
        false => Ok(text.replace("%%", "%")),
    }
}

fn unit_settings(file: &Emitted, sections: &[Section], meant: &Unit, bugs: &mut Bugs) {
    let found: Vec<(&str, &str, &str, usize)> =
        sections.iter().flat_map(|s| s.entries.iter().map(move |e| (&*s.name, &*e.key, &*e.value, e.line))).collect();
    for (i, setting) in meant.settings.iter().enumerate() {
        let (section, key, value) = (&*setting.section.value, &*setting.key.value, &*setting.value.value);
        match found.get(i) {
            Some((s, k, v, line)) if (*s, *k, *v) != (section, key, value) => {
                let what = format!("`{k}={v}` in `[{s}]`, and `{key}={value}` in `[{section}]` was meant");
                return bugs.wrong(file.at(*line), &what);
            }
            Some(_) => {}
            None => bugs.missing(file.path, &format!("`{key}={value}` in `[{section}]`")),
        }
    }
    for (section, key, value, line) in found.iter().skip(meant.settings.len()) {
        bugs.extra(file.at(*line), &format!("`{key}={value}` in `[{section}]`"));
    }
}

/// Kernel parameters of every host, `sysctl.d`.
pub fn kernel(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<(&str, String), (At, String)> = BTreeMap::new();
    let mut own = false;
    for file in texts.of(Format::Ini).filter(|f| f.path.contains("/sysctl.d/")) {
        own |= file.is_own();
        for (key, value, line) in file.read(read_sysctl, bugs).unwrap_or_default() {
            found.insert((file.host(), key), (file.at(line), value));
        }
    }
    for parameter in &ir.kernel {
        let key = &*parameter.key.value;
        let Some(meant) = parameter.value.text() else { continue };
        match found.remove(&(&*parameter.host.value, key.to_owned())) {
            Some((at, value)) => bugs.same(at, &|| format!("`{key}`"), &*value, &*meant, &|v| v.to_owned()),
            None => bugs.no_file("sysctl", &parameter.host, &format!("`{key} = {meant}`")),
        }
    }
    for ((_, key), (at, _)) in found.into_iter().filter(|_| own) {
        bugs.extra(at, &format!("the kernel parameter `{key}`"));
    }
}

/// `key = value` lines.
fn read_sysctl(text: &str) -> Read<Vec<(String, String, usize)>> {
    let mut list: Vec<(String, String, usize)> = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        if text.trim().is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        let Some((key, value)) = text.split_once('=') else {
            return Err(Fault::new(i + 1, format!("`{text}` is not `key = value`")));
        };
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if list.iter().any(|(k, ..)| *k == key) {
            return Err(Fault::new(i + 1, format!("`{key}` stands twice")));
        }
        list.push((key, value, i + 1));
    }
    Ok(list)
}

/// Kernel modules of every host, `modules-load.d`.
pub fn modules(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<(&str, &str), At> = BTreeMap::new();
    for file in texts.of(Format::Ini).filter(|f| f.is_own() && f.path.contains("/modules-load.d/")) {
        for (i, line) in file.read(plain_lines, bugs).into_iter().flatten().enumerate() {
            let counts = !line.is_empty() && !line.starts_with('#');
            if counts && found.insert((file.host(), line), file.at(i + 1)).is_some() {
                bugs.extra(file.at(i + 1), &format!("a second time the kernel module `{line}`"));
            }
        }
    }
    for module in &ir.modules {
        if found.remove(&(&*module.host.value, &*module.name.value)).is_none() {
            bugs.no_file("modules-load", &module.host, &format!("the kernel module `{}`", module.name.value));
        }
    }
    for ((_, name), at) in found {
        bugs.extra(at, &format!("the kernel module `{name}`"));
    }
}

/// The file of the time service of every host.
pub fn clocks(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<&str, &Emitted> = BTreeMap::new();
    for file in texts.of(Format::Ini).filter(|f| f.is_own() && f.path.contains("/root/etc/chrony")) {
        if let Some(other) = found.insert(file.host(), file) {
            bugs.wrong(file.at(0), &format!("`{}` is another file of this time service", other.path));
        }
    }
    for clock in &ir.clocks {
        match found.remove(&*clock.host.value) {
            Some(file) => {
                if let Some(settings) = file.read(chrony::read, bugs) {
                    clock_settings(file, settings, clock, bugs);
                }
            }
            None => bugs.no_file("chrony", &clock.host, "its time servers"),
        }
    }
    for file in found.into_values() {
        bugs.extra(file.at(0), "a time service");
    }
}

fn clock_settings(file: &Emitted, found: chrony::Settings, meant: &Clock, bugs: &mut Bugs) {
    if file.artifact.target.as_deref() != Some(&**meant.target) {
        bugs.wrong(file.at(0), &format!("it belongs to `{}`", meant.target.value));
    }
    let lines: Vec<&str> = found.servers.iter().map(|(name, _)| &**name).collect();
    let sources: Vec<&str> = meant.sources.iter().map(|s| &**s).collect();
    bugs.same(file.at(0), &|| "the list of time servers".to_owned(), &lines, &sources, &|l| joined(l));
    let nets = |list: &mut dyn Iterator<Item = ipnet::IpNet>| list.map(|n| short_net(&n)).collect::<Vec<_>>();
    let (served, meant_nets) =
        (nets(&mut found.allow.iter().map(|(n, _)| *n)), nets(&mut meant.allow.iter().map(|n| n.trunc())));
    bugs.same(file.at(0), &|| "the list of clients".to_owned(), &served, &meant_nets, &|l| joined(l));
    let stratum = |n: &Option<i64>| n.map_or("none".to_owned(), |n| n.to_string());
    let local = found.stratum.map(|(n, _)| n);
    bugs.same(file.at(0), &|| "the stratum without a source".to_owned(), &local, &meant.stratum, &stratum);
    let drift = meant.whole.then(|| meant.drift.value.to_string());
    let text = |d: &Option<String>| d.clone().unwrap_or_default();
    bugs.same(file.at(0), &|| "the file of the drift".to_owned(), &found.drift.map(|(d, _)| d), &drift, &text);
}
