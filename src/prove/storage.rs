//! Emitted exports, fstab blocks and NFS settings against the `Ir`'s storage, both ways.

use std::collections::BTreeMap;

use super::bugs::{At, Bugs, joined};
use super::exports::{self, ExportLine, Who};
use super::fstab::{self, FstabLine};
use super::ini::{self, Section};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Export, Filesystem, Ir, NfsServer};

/// Exports of every host.
pub fn exports(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<(&str, String), (&Emitted, ExportLine)> = BTreeMap::new();
    for file in texts.of(Format::Exports) {
        for line in file.read(exports::read, bugs).unwrap_or_default() {
            let at = file.at(line.line);
            if let Some((other, _)) = found.insert((file.host(), line.path.clone()), (file, line)) {
                bugs.wrong(at, &format!("the export is in `{}` as well", other.path));
            }
        }
    }
    for export in &ir.exports {
        let path = &*export.path.value;
        match found.remove(&(&*export.host.value, path.to_owned())) {
            Some((file, line)) => export_line(file, &line, export, bugs),
            None => bugs.no_file("exports", &export.host, &format!("the export `{path}`")),
        }
    }
    for ((_, path), (file, line)) in found.into_iter().filter(|(_, (file, _))| file.is_own()) {
        bugs.extra(file.at(line.line), &format!("the export `{path}`"));
    }
}

fn export_line(file: &Emitted, line: &ExportLine, export: &Export, bugs: &mut Bugs) {
    let at = file.at(line.line);
    let path = &line.path;
    let meant: Vec<Who> = match export.clients.as_slice() {
        [] => vec![Who::Everyone],
        nets => nets.iter().map(|n| Who::Net(n.trunc())).collect(),
    };
    for who in &meant {
        if !line.clients.iter().any(|c| c.who == *who) {
            bugs.wrong(at, &format!("the export `{path}` lacks the client `{}`", show(who)));
        }
    }
    for client in &line.clients {
        let who = show(&client.who);
        if !meant.contains(&client.who) {
            bugs.extra(at, &format!("the client `{who}` of the export `{path}`"));
        }
        let options: Vec<&str> = client.options.iter().map(|o| &**o).collect();
        let meant: Vec<&str> = export.options.iter().map(|o| &**o).collect();
        let what = || format!("the option list of `{who}` at the export `{path}`");
        bugs.same(at, &what, &options, &meant, &|o| joined(o));
    }
}

fn show(who: &Who) -> String {
    match who {
        Who::Everyone => "*".to_owned(),
        Who::Net(net) => crate::ir::short_net(net),
        Who::Name(name) => name.clone(),
    }
}

/// The fstab lines of every host.
pub fn fstab(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<(&str, String), (&Emitted, FstabLine)> = BTreeMap::new();
    for file in texts.of(Format::Fstab) {
        for line in file.read(fstab::read, bugs).unwrap_or_default() {
            let at = file.at(line.line);
            if let Some((other, _)) = found.insert((file.host(), line.mount.clone()), (file, line)) {
                bugs.wrong(at, &format!("the mount point is in `{}` as well", other.path));
            }
        }
    }
    for filesystem in &ir.filesystems {
        let mount = &*filesystem.mount.value;
        match found.remove(&(&*filesystem.host.value, mount.to_owned())) {
            Some((file, line)) => fstab_line(file.at(line.line), &line, filesystem, bugs),
            None => bugs.no_file("fstab", &filesystem.host, &format!("the mount point `{mount}`")),
        }
    }
    for ((_, mount), (file, line)) in found.into_iter().filter(|(_, (file, _))| file.is_own()) {
        bugs.extra(file.at(line.line), &format!("the mount point `{mount}`"));
    }
}

fn fstab_line(at: At, line: &FstabLine, meant: &Filesystem, bugs: &mut Bugs) {
    let mount = &line.mount;
    let text = |s: &str| s.to_owned();
    bugs.same(at, &|| format!("the device of `{mount}`"), &*line.device, &**meant.device, &text);
    bugs.same(at, &|| format!("the type of `{mount}`"), &*line.fstype, &**meant.fstype, &text);
    // An empty list is written as the word that stands for it.
    let options: Vec<&str> = match meant.options.as_slice() {
        [] => vec!["defaults"],
        list => list.iter().map(|o| &**o).collect(),
    };
    let found: Vec<&str> = line.options.iter().map(|o| &**o).collect();
    bugs.same(at, &|| format!("the option list of `{mount}`"), &found, &options, &|o| joined(o));
    let order = |n: &(i64, i64)| format!("{} {}", n.0, n.1);
    let numbers = (*meant.dump, *meant.pass);
    bugs.same(at, &|| format!("dump and pass of `{mount}`"), &(line.dump, line.pass), &numbers, &order);
}

/// The pinned ports of NFS daemons.
pub fn nfs_conf(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<&str, Vec<(&Emitted, Section)>> = BTreeMap::new();
    for file in texts.of(Format::Ini) {
        if !file.path.contains("/nfs.conf") {
            continue;
        }
        let sections = file.read(ini::read, bugs).unwrap_or_default();
        found.entry(file.host()).or_default().extend(sections.into_iter().map(|s| (file, s)));
    }
    for server in &ir.nfs_servers {
        let sections = found.remove(&*server.host.value).unwrap_or_default();
        pinned_ports(server, &sections, bugs);
    }
    for (host, sections) in found {
        for (file, section) in sections.into_iter().filter(|(file, _)| file.is_own()) {
            bugs.extra(file.at(section.line), &format!("the section `{}` of `{host}`", section.name));
        }
    }
}

fn pinned_ports(server: &NfsServer, sections: &[(&Emitted, Section)], bugs: &mut Bugs) {
    let mut meant: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (section, key, port) in [
        ("lockd", "port", *server.lockd),
        ("lockd", "udp-port", *server.lockd),
        ("mountd", "port", *server.mountd),
        ("statd", "port", *server.statd),
    ] {
        if let Some(port) = port {
            meant.insert((section, key), port.to_string());
        }
    }
    for (file, section) in sections {
        for entry in &section.entries {
            let what = || format!("`{}` of section `{}`", entry.key, section.name);
            let at = file.at(entry.line);
            match meant.remove(&(&*section.name, &*entry.key)) {
                Some(port) => bugs.same(at, &what, &*entry.value, &*port, &|s| s.to_owned()),
                None => bugs.extra(at, &what()),
            }
        }
    }
    for ((section, key), port) in meant {
        bugs.no_file("nfs.conf", &server.host, &format!("`{key} = {port}` in section `{section}`"));
    }
}
