//! Storage as the spec declares it: directories against the file systems of their servers, wishes that no export heeds.

use super::places::{label, place, told, words};
use crate::diag::codes::{BESIDE_FILESYSTEMS, UNUSED};
use crate::diag::{Diag, Findings};
use crate::ir::Ir;
use crate::lower::peers::deep_origins;
use crate::lower::storage::pointer;
use crate::site::{Site, filesystem_of};
use crate::source::{Role, Sources};
use crate::value::{Tracked, Value};

/// Reports directories that are on none of them.
pub fn stores(site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, storage) in site.table("storage") {
        let (Some(Value::Ref(server)), Some(path)) = (storage.get("server").map(|s| &s.value), storage.get("path"))
        else {
            continue;
        };
        let host = site.entry(&server.table, &server.name);
        let Some((host, text)) = host.and_then(|h| Some((h, path.value.text()?))) else { continue };
        let mounts: Vec<_> = host.get("filesystems").map(Tracked::entries).into_iter().flatten().collect();
        let Some((_, first)) = mounts.first() else { continue };
        if filesystem_of(host, &text).is_some() {
            continue;
        }
        let message =
            format!("the directory `{text}` of storage `{name}` is on none of the file systems of `{}`", server.name);
        let mut diag = Diag::new(BESIDE_FILESYSTEMS, message).at_maybe(place(&path.origins, sources), "");
        let given = words(mounts.iter().map(|(mount, _)| mount), 4);
        diag = label(diag, place(&first.origins, sources), format!("the spec gives {given}"));
        diag.waivable = true;
        diag = diag.pointer(pointer(&["storage", name]));
        findings.push(diag.help("correct the path, or add the file system that it is on (`/` for that of the system)"));
    }
}

/// Clients and options that a site asks for, and exports that are made as if it had not.
pub fn unheeded(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, storage) in site.table("storage") {
        for key in ["clients", "options"] {
            let Some(value) = storage.get(key).filter(|v| !matches!(v.value, Value::Null | Value::Poison)) else {
                continue;
            };
            let said = deep_origins(value);
            let mut exports = ir.exports.iter().filter(|e| *e.storage.value == **name).peekable();
            let heeds = |origins: crate::value::Origins| said.as_slice().iter().any(|p| origins.as_slice().contains(p));
            let Some(first) = exports.peek().copied() else { continue };
            let span = place(&value.origins, sources);
            if exports.any(|e| heeds(e.origins())) || told(findings, span) {
                continue;
            }
            let message = format!("no export heeds `{key}` of storage `{name}`");
            let mut diag = Diag::new(UNUSED, message).at_maybe(span, "");
            let field = if key == "clients" { &first.clients.origins } else { &first.options.origins };
            let of_pack = field.as_slice().iter().filter_map(|p| sources.span_of(*p));
            let of_pack = of_pack.into_iter().find(|s| sources.file(s.file).role == Role::Pack);
            diag = label(diag, of_pack, "the product decides on it here");
            diag.waivable = true;
            diag = diag.pointer(pointer(&["storage", name, key]));
            findings.push(diag.help("remove it, or let the pack take it where the site gives it"));
        }
    }
}
