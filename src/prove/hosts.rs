//! Emitted systemd units and kernel parameters against the `Ir`, both ways.

use std::collections::BTreeMap;

use super::bugs::{At, Bugs};
use super::fault::{Fault, Read, plain_lines};
use super::ini::{self, Section};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Ir, Unit};

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
    let (mut seen, mut own) = (false, false);
    for file in texts.of(Format::Ini).filter(|f| f.path.contains("/sysctl.d/")) {
        seen = true;
        own |= file.is_own();
        for (key, value, line) in file.read(read_sysctl, bugs).unwrap_or_default() {
            found.insert((file.host(), key), (file.at(line), value));
        }
    }
    for parameter in ir.kernel.iter().filter(|_| seen) {
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
