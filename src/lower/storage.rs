//! Exports, file systems, NFS servers and directories.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::items::Item;
use super::merge::merge_field;
use super::peers::{hosts, open_within, peers};
use crate::diag::Diag;
use crate::diag::codes::PACK_EVALUATION;
use crate::instance::Run;
use crate::ir::{Directory, Export, F, Filesystem, NfsServer};
use crate::site::Site;
use crate::value::{Origins, Str, Value};

/// Exports: host and path are those of the named storage unless the pack says otherwise.
pub fn exports(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Export>> {
    let mut list = Vec::new();
    for item in items {
        let Some(storage) = item.text("storage", run) else { continue };
        let entry = site.entry("storage", &storage);
        let from_storage = |key: &str| {
            let value = entry.and_then(|e| e.get(key))?;
            Some(F::new(value.value.text()?, value.origins.union(&storage.origins)))
        };
        let Some(host) = item.text("host", run).or_else(|| from_storage("server")) else { continue };
        let Some(path) = item.text("path", run).or_else(|| from_storage("path")) else { continue };
        let clients = match item.answered("clients").map(|c| (c, peers(c, site))) {
            None => F::new(Vec::new(), item.exists.clone()),
            Some((_, Some(found))) => found.map(|p| p.nets.to_vec()),
            Some((value, None)) if super::additions::names_faulty(value, site) => {
                run.unknown.insert("exports");
                continue;
            }
            Some((value, None)) if open_within(value).is_some() => {
                let what = format!("the export `{}` of `{}`", *path, *host);
                item.withhold(what, open_within(value).into_iter().collect(), run);
                continue;
            }
            Some((value, None)) => {
                run.not_a(item.span, "hosts, networks or addresses for `clients`", &value.value);
                continue;
            }
        };
        let options = item.texts("options", run).unwrap_or_else(|| item.field(vec!["rw".into()]));
        list.push(Arc::new(Export { host, path, clients, options, storage }));
    }
    list.sort_by_cached_key(|e| (e.host.value.clone(), e.path.value.clone()));
    let several = several(site);
    super::merge::unite(
        list,
        run,
        |a, b, run| match shared((&a.host, &a.path), &b.path, &several, run) {
            true => a.clone(),
            false => Export {
                host: a.host.clone(),
                path: a.path.clone(),
                clients: merge_field(
                    &a.clients,
                    &b.clients,
                    &format!("clients of the export `{}` of `{}`", *a.path, *a.host),
                    run,
                ),
                options: merge_field(
                    &a.options,
                    &b.options,
                    &format!("options of the export `{}` of `{}`", *a.path, *a.host),
                    run,
                ),
                storage: merge_field(
                    &a.storage,
                    &b.storage,
                    &format!("storage behind the export `{}` of `{}`", *a.path, *a.host),
                    run,
                ),
            },
        },
        |e| (e.host.value.clone(), e.path.value.clone()),
    )
}

/// The directories that several storages of the spec are, by host and path, with the origins of each of these paths.
fn several(site: &Site) -> BTreeMap<(Str, Str), Vec<&Origins>> {
    let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (_, entry) in site.table("storage") {
        let text = |key| entry.get(key).and_then(|v| Some((v.value.text()?, &v.origins)));
        let (Some((host, _)), Some((path, origins))) = (text("server"), text("path")) else { continue };
        paths.entry((host, path)).or_default().push(origins);
    }
    paths.retain(|_, of| of.len() > 1);
    paths
}

/// Whether two items are in one directory because two storages are, which is noted.
fn shared(
    (host, path): (&F<Str>, &F<Str>),
    other: &F<Str>,
    several: &BTreeMap<(Str, Str), Vec<&Origins>>,
    run: &mut Run,
) -> bool {
    let key = (host.value.clone(), path.value.clone());
    let Some(paths) = several.get(&key) else { return false };
    let of = |origins: &Origins| {
        let meets = |own: &&&Origins| own.as_slice().iter().any(|p| origins.as_slice().contains(p));
        paths.iter().position(|own| meets(&own))
    };
    let two = matches!((of(&path.origins), of(&other.origins)), (Some(a), Some(b)) if a != b);
    if two {
        run.shared.insert(key);
    }
    two
}

/// Lines of fstab: what the spec says of a file system, with the options that packs add, once per host and mount.
pub fn filesystems(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Filesystem>> {
    let mut found: Vec<Filesystem> = Vec::with_capacity(items.len());
    let mut at: IndexMap<(Str, Str), usize> = IndexMap::with_capacity(items.len());
    for item in items {
        let (Some(host), Some(mount)) = (item.text("host", run), item.text("mount", run)) else { continue };
        let key = (host.value.clone(), mount.value.clone());
        let add = item.texts("add_options", run).unwrap_or_else(|| item.field(Vec::new()));
        let quota = item.bool("quota", run).unwrap_or_else(|| item.field(false));
        match at.get(&key).and_then(|at| found.get_mut(*at)) {
            Some(known) => {
                for option in &add.value {
                    if !known.options.value.contains(option) {
                        known.options.value.push(option.clone());
                    }
                }
                known.options.origins = known.options.origins.union(&add.origins);
                known.quota = F::new(known.quota.value || quota.value, known.quota.origins.union(&quota.origins));
                known.host.origins = known.host.origins.union(&item.exists);
            }
            None => {
                if let Some(new) = filesystem(item, host, mount, add, quota, site, run) {
                    at.insert(key, found.len());
                    found.push(new);
                }
            }
        }
    }
    found.sort_by(|a, b| (&a.host.value, &a.mount.value).cmp(&(&b.host.value, &b.mount.value)));
    found.into_iter().map(Arc::new).collect()
}

fn filesystem(
    item: &Item,
    host: F<Str>,
    mount: F<Str>,
    add: F<Vec<Str>>,
    quota: F<bool>,
    site: &Site,
    run: &mut Run,
) -> Option<Filesystem> {
    let entry = site.entry("hosts", &host)?;
    let all = entry.get("filesystems")?;
    let Value::Map(map) = &all.value else { return None };
    let Some(system) = map.get(&mount.value) else {
        run.findings.push(
            Diag::new(PACK_EVALUATION, format!("host `{}` has no file system mounted at `{}`", *host, *mount))
                .at(item.span, "an option is added to it here"),
        );
        return None;
    };
    let text = |key: &str| {
        let value = system.get(key).cloned().unwrap_or_default();
        F::new(value.value.text(), value.origins.union(&item.exists))
    };
    let (device, fstype) = (text("device"), text("type"));
    let (Some(device_text), Some(type_text)) = (device.value, fstype.value) else {
        let missing = if system.get("device").is_none_or(|d| d.value.is_null()) { "device" } else { "type" };
        run.withheld.push(crate::instance::Withheld {
            product: item.product.clone(),
            what: format!("fstab line of `{}` on host `{}`", *mount, *host),
            unanswered: vec![crate::pack::expr::Unanswered {
                path: missing.into(),
                pointer: Some(pointer(&["hosts", &host, "filesystems", &mount, missing])),
                origins: system.origins.clone(),
                reads: host.origins.union(&mount.origins),
            }],
            why: item.why.clone(),
            origins: host.origins.union(&mount.origins),
        });
        return None;
    };
    let given = system.get("options").cloned().unwrap_or_default();
    let mut options: Vec<Str> = match &given.value {
        Value::List(items) => items.iter().filter_map(|t| t.value.text()).collect(),
        _ => Vec::new(),
    };
    if options.is_empty() && add.value.is_empty() {
        options.push("defaults".into());
    }
    for option in &add.value {
        if !options.contains(option) {
            options.push(option.clone());
        }
    }
    let pass = if &*mount.value == "/" { 1 } else { 2 };
    Some(Filesystem {
        options: F::new(options, super::peers::deep_origins(&given).union(&add.origins)),
        dump: item.field(0),
        pass: F::new(if &*type_text == "xfs" { 0 } else { pass }, fstype.origins.union(&mount.origins)),
        device: F::new(device_text, device.origins),
        fstype: F::new(type_text, fstype.origins),
        host,
        mount,
        quota,
    })
}

/// A JSON Pointer from its steps.
pub fn pointer(steps: &[&str]) -> String {
    let mut text = String::new();
    for step in steps {
        crate::node::push_step(&mut text, step);
    }
    text
}

/// NFS servers with their pinned ports: the site's `nfs.ports` first, then what packs propose.
pub fn nfs_servers(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<NfsServer>> {
    let mut found: BTreeMap<Str, NfsServer> = BTreeMap::new();
    for item in items {
        let Some(host) = item.answered("host").and_then(hosts).and_then(|h| h.into_iter().next()) else { continue };
        let port = |name: &str, run: &mut Run| -> F<Option<u16>> {
            let of_site = site.at(&format!("/nfs/ports/{name}")).filter(|t| !t.value.is_null());
            let of_site = of_site.and_then(|t| {
                let ports = crate::instance::ports_of(&t.value)?;
                Some(F::new(Some(ports.first()?.low), t.origins.union(&item.exists)))
            });
            of_site
                .or_else(|| item.port(name, run).map(|p| p.map(Some)))
                .unwrap_or_else(|| F::new(None, item.exists.clone()))
        };
        let server = NfsServer {
            mountd: port("mountd", run),
            lockd: port("lockd", run),
            statd: port("statd", run),
            rquotad: port("rquotad", run),
            version3: item.bool("version3", run).unwrap_or_else(|| item.field(false)),
            host,
        };
        match found.get_mut(&server.host.value) {
            None => {
                found.insert(server.host.value.clone(), server);
            }
            Some(known) => {
                known.mountd = super::merge::either(
                    &known.mountd,
                    &server.mountd,
                    &format!("mountd port of the NFS server `{}`", *known.host),
                    run,
                );
                known.lockd = super::merge::either(
                    &known.lockd,
                    &server.lockd,
                    &format!("lockd port of the NFS server `{}`", *known.host),
                    run,
                );
                known.statd = super::merge::either(
                    &known.statd,
                    &server.statd,
                    &format!("statd port of the NFS server `{}`", *known.host),
                    run,
                );
                known.rquotad = super::merge::either(
                    &known.rquotad,
                    &server.rquotad,
                    &format!("rquotad port of the NFS server `{}`", *known.host),
                    run,
                );
                known.version3 = F::new(
                    known.version3.value || server.version3.value,
                    known.version3.origins.union(&server.version3.origins),
                );
                known.host.origins = known.host.origins.union(&server.host.origins);
            }
        }
    }
    found.into_values().map(Arc::new).collect()
}

/// Directories with owner and mode.
pub fn directories(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Directory>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(host), Some(path), Some(owner)) =
            (item.text("host", run), item.text("path", run), item.text("owner", run))
        else {
            continue;
        };
        let mode = match item.text("mode", run) {
            Some(mode) => mode.map(Some),
            None => item.field(None),
        };
        list.push(Arc::new(Directory { host, path, owner, mode }));
    }
    list.sort_by_cached_key(|d| (d.host.value.clone(), d.path.value.clone()));
    let several = several(site);
    super::merge::unite(
        list,
        run,
        |a, b, run| match shared((&a.host, &a.path), &b.path, &several, run) {
            true => a.clone(),
            false => Directory {
                host: a.host.clone(),
                path: a.path.clone(),
                owner: merge_field(&a.owner, &b.owner, &format!("owner of `{}` on `{}`", *a.path, *a.host), run),
                mode: merge_field(&a.mode, &b.mode, &format!("mode of `{}` on `{}`", *a.path, *a.host), run),
            },
        },
        |d| (d.host.value.clone(), d.path.value.clone()),
    )
}
