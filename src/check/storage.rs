//! Chains of storage, from the disk over the file system and the export to the volume that a cluster mounts: every link
//! against the next.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::places::{label, place, told, told_by, words};
use crate::diag::codes::{
    BEYOND_DISK, EXPORT_OPTIONS, EXPORT_OUT_OF_REACH, MOUNT_DISAGREES, NESTED_EXPORTS, QUOTA_WITHOUT_SERVICE,
    TWO_OWNERS, VOLUME_WITHOUT_EXPORT,
};
use crate::diag::{Diag, Findings, Level};
use crate::instance::Run;
use crate::ir::{Export, F, Ir, Volume};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// Export options that exclude each other.
const EXCLUSIVE: [&[&str]; 6] = [
    &["rw", "ro"],
    &["sync", "async"],
    &["root_squash", "no_root_squash", "all_squash"],
    &["no_all_squash", "all_squash"],
    &["secure", "insecure"],
    &["subtree_check", "no_subtree_check"],
];

/// A node and its addresses.
type Node = (F<Str>, Vec<IpAddr>);

/// What a check needs to look at and to report with.
struct Chain<'a> {
    ir: &'a Ir,
    site: &'a Site,
    sources: &'a Sources,
    /// Exports by host and path.
    exports: BTreeMap<(&'a str, &'a str), &'a Export>,
    /// The workers of each cluster with a volume, and their addresses.
    nodes: BTreeMap<&'a str, Nodes>,
}

/// The workers of a cluster.
struct Nodes {
    all: Vec<Node>,
    /// The addresses of all of them, sorted.
    addresses: Vec<IpAddr>,
}

impl Nodes {
    fn new(all: Vec<Node>) -> Self {
        let mut addresses: Vec<IpAddr> = all.iter().flat_map(|(_, own)| own).copied().collect();
        addresses.sort_unstable();
        Self { all, addresses }
    }

    /// Whether some networks hold one of them, or the address of one is not known.
    fn one_is_in(&self, nets: &[IpNet]) -> bool {
        let first = |net: &IpNet| self.addresses.get(self.addresses.partition_point(|a| *a < net.network()));
        nets.iter().any(|net| first(net).is_some_and(|a| *a <= net.broadcast()))
            || self.all.iter().any(|(_, own)| own.is_empty())
    }
}

/// Checks all chains of a site.
pub fn storage(ir: &Ir, site: &Site, sources: &Sources, run: &mut Run) {
    let Run { findings, shared, .. } = run;
    let exports = ir.exports.iter().map(|e| ((&**e.host, &**e.path), &**e)).collect();
    let addresses_of = |host: &str| site.host_addresses(host).into_iter().map(|a| a.value).collect::<Vec<_>>();
    let mut nodes = BTreeMap::new();
    for volume in &ir.volumes {
        nodes.entry(&**volume.cluster).or_insert_with(|| {
            let (control_plane, workers) = site.cluster_nodes(&volume.cluster);
            let nodes = if workers.is_empty() { control_plane } else { workers };
            Nodes::new(nodes.into_iter().map(|n| (n.clone(), addresses_of(&n.value))).collect())
        });
    }
    let chain = Chain { ir, site, sources, exports, nodes };
    for volume in &ir.volumes {
        chain.volume(volume, findings);
    }
    for export in &ir.exports {
        chain.options(export, findings);
        chain.nested(export, findings);
    }
    chain.quotas(findings);
    chain.owners(shared, findings);
    chain.capacity(findings);
    chain.devices(findings);
}

impl<'a> Chain<'a> {
    /// The export that serves a path: its own, or that of a folder above it.
    fn serving(&self, host: &str, path: &str) -> Option<&'a Export> {
        let mut at = path.trim_end_matches('/');
        loop {
            let found = self.exports.get(&(host, if at.is_empty() { "/" } else { at }));
            match (found, at.rfind('/')) {
                (Some(export), _) => return Some(export),
                (None, Some(end)) => at = &at[..end],
                (None, None) => return None,
            }
        }
    }

    /// A volume against the export that it mounts.
    fn volume(&self, volume: &Volume, findings: &mut Findings) {
        let at = pointer(&["storage", &volume.storage]);
        let entry = self.site.entry("storage", &volume.storage);
        // A volume names its server as the cluster finds it; the storage names the host.
        let server = match entry.and_then(|e| e.get("server")).map(|s| &s.value) {
            Some(Value::Ref(server)) if &*server.table == "hosts" => &server.name,
            Some(_) => return,
            None if self.site.entry("hosts", &volume.server).is_some() => &volume.server.value,
            None => return,
        };
        let path_span = place(&volume.path.origins, self.sources);
        let Some(export) = self.serving(server, &volume.path) else {
            let (name, path) = (&*volume.name, &*volume.path);
            let message = format!("the volume `{name}` mounts `{path}` of `{server}`, which exports no such path");
            let mut diag = Diag::new(VOLUME_WITHOUT_EXPORT, message).at_maybe(path_span, "");
            diag = label(diag, place(&volume.server.origins, self.sources), "of this server");
            for other in self.ir.exports.iter().filter(|e| *e.host.value == **server).take(3) {
                diag = label(diag, place(&other.path.origins, self.sources), format!("it exports `{}`", *other.path));
            }
            findings.push(diag.pointer(at).help("export the path (`extra.exports`), or mount one that is exported"));
            return;
        };
        self.reach(volume, export, findings);
        let wanted = entry.and_then(|e| e.get("nfs_version")).and_then(|v| Some((v.value.text()?, v)));
        for option in volume.mount_options.iter() {
            let version = option.strip_prefix("nfsvers=").or_else(|| option.strip_prefix("vers="));
            let Some((version, (wanted, place_of))) = version.zip(wanted.as_ref()) else { continue };
            let same = |a: &str, b: &str| a.trim_end_matches(".0") == b.trim_end_matches(".0");
            if !same(version, wanted) {
                let message = format!(
                    "the volume `{}` is mounted with `{option}`, and its storage is for NFS {wanted}",
                    *volume.name
                );
                let mut diag = Diag::new(MOUNT_DISAGREES, message).at_maybe(place(&place_of.origins, self.sources), "");
                diag = label(diag, place(&volume.mount_options.origins, self.sources), "the options of the mount");
                findings
                    .push(diag.pointer(at.clone()).help("let the mount follow the storage, or the other way round"));
            }
        }
        let read_only = export.options.iter().any(|o| &**o == "ro") && !export.options.iter().any(|o| &**o == "rw");
        let mounts_read_only = volume.mount_options.iter().any(|o| &**o == "ro");
        if read_only && !mounts_read_only && !volume.access.starts_with("ReadOnly") {
            let message = format!(
                "the volume `{}` is to be written (`{}`), and `{}` is exported read-only",
                *volume.name, *volume.access, *export.path
            );
            let given = entry.and_then(|e| e.get("access")).and_then(|a| place(&a.origins, self.sources));
            let mut diag = Diag::new(MOUNT_DISAGREES, message);
            for span in super::places::spec_spans(&export.options.origins, self.sources).into_iter().take(2) {
                diag = label(diag, Some(span), "the options of the export");
            }
            diag = label(diag, given.or(path_span), "the storage");
            if !told(findings, diag.primary.as_ref().map(|l| l.span)) {
                findings.push(
                    diag.pointer(at).help("export it with `rw` (`access: rw` of the storage), or mount it read-only"),
                );
            }
        }
    }

    /// Whether the nodes of the volume's cluster may mount the export.
    fn reach(&self, volume: &Volume, export: &Export, findings: &mut Findings) {
        if export.clients.is_empty() {
            return;
        }
        let Some(nodes) = self.nodes.get(&**volume.cluster) else { return };
        let clients = self.site.entry("storage", &export.storage).and_then(|s| s.get("clients"));
        let clients = clients.filter(|c| !c.items().is_empty());
        // Where a pack chooses some of the nodes, it knows why.
        if clients.is_none() && nodes.one_is_in(&export.clients) {
            return;
        }
        let admitted = |own: &[IpAddr]| own.is_empty() || own.iter().any(|a| holds(&export.clients, *a));
        let out: Vec<&F<Str>> = nodes.all.iter().filter(|(_, own)| !admitted(own)).map(|(node, _)| node).collect();
        let Some(first) = out.first() else { return };
        let (count, all) = (out.len(), nodes.all.len());
        let message = match count == all {
            true => {
                format!("no node of cluster `{}` may mount `{}` of `{}`", *volume.cluster, *export.path, *export.host)
            }
            false => format!(
                "{} of cluster `{}` may not mount `{}` of `{}`",
                words(out.iter().map(|n| &n.value), 4),
                *volume.cluster,
                *export.path,
                *export.host
            ),
        };
        let clients = clients.map(|c| &c.origins).unwrap_or(&export.clients.origins);
        let level = if count == all { Level::Error } else { Level::Warning };
        let mut diag = Diag::with_code(EXPORT_OUT_OF_REACH.row().code, level, message);
        diag = label(diag, place(clients, self.sources), "who may mount it");
        diag.waivable = count < all;
        diag = label(diag, place(&first.origins, self.sources), format!("`{}` is a node", first.value));
        let at = pointer(&["storage", &volume.storage]);
        if !told(findings, diag.primary.as_ref().map(|l| l.span)) {
            findings
                .push(diag.pointer(at).help("name all nodes of the cluster under `clients`, or leave `clients` out"));
        }
    }

    /// Options of one export that exclude each other.
    fn options(&self, export: &Export, findings: &mut Findings) {
        for set in EXCLUSIVE {
            let both: Vec<&&str> = set.iter().filter(|o| export.options.iter().any(|e| &**e == **o)).collect();
            // All users squashed are root, too, squashed: saying both is a habit, no contradiction.
            if both.len() < 2 || both == [&"root_squash", &"all_squash"] {
                continue;
            }
            let message =
                format!("the export `{}` of `{}` has the options {}", *export.path, *export.host, words(&both, 3));
            let mut diag = Diag::new(EXPORT_OPTIONS, message);
            for span in super::places::spec_spans(&export.options.origins, self.sources).into_iter().take(4) {
                diag = label(diag, Some(span), "");
            }
            diag = label(diag, place(&export.options.origins, self.sources), "");
            let at = pointer(&["storage", &export.storage]);
            findings.push(diag.pointer(at).help("keep one of them: the server takes the last, or refuses the line"));
        }
    }

    /// An export below another one of its host that says something else.
    fn nested(&self, export: &Export, findings: &mut Findings) {
        let above = export.path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        if above.is_empty() && !self.exports.contains_key(&(&**export.host, "/")) {
            return;
        }
        let Some(outer) = self.serving(&export.host, above).filter(|o| *o.path != *export.path) else { return };
        let mount = |path: &str| self.site.filesystem_of(&export.host, path).map(|(mount, _)| mount);
        let (own, around) = (mount(&export.path), mount(&outer.path));
        let crosses = outer.options.iter().any(|o| matches!(&**o, "crossmnt" | "nohide"))
            || export.options.iter().any(|o| &**o == "nohide");
        let unlike = outer.options != export.options || outer.clients != export.clients;
        let why = match (own == around, crosses, unlike) {
            (false, false, _) => "clients of the outer one see an empty folder in its place",
            (_, _, true) => "clients of the outer one reach it under the outer one's options",
            _ => return,
        };
        let (inner, outside, host) = (&*export.path, &*outer.path, &*export.host);
        let message = format!("the export `{inner}` of `{host}` lies within the export `{outside}`: {why}");
        let mut diag = Diag::new(NESTED_EXPORTS, message).at_maybe(place(&export.path.origins, self.sources), "");
        diag = label(diag, place(&outer.path.origins, self.sources), "the outer export");
        diag.waivable = true;
        let at = pointer(&["storage", &export.storage]);
        findings.push(
            diag.pointer(at).help("put them beside each other, or export the outer one with `crossmnt` and alike"),
        );
    }

    /// Storage with quotas on a server whose quota service has no port, or on a file system that keeps none.
    fn quotas(&self, findings: &mut Findings) {
        for (name, entry) in self.site.table("storage") {
            let Some(quota) = entry.get("quota").filter(|q| q.value == Value::Bool(true)) else { continue };
            let Some(Value::Ref(server)) = entry.get("server").map(|s| &s.value) else { continue };
            let server = &server.name;
            let Some(nfs) = self.ir.nfs_servers.iter().find(|s| *s.host.value == **server) else { continue };
            if nfs.rquotad.value.is_some() {
                continue;
            }
            let span = place(&quota.origins, self.sources);
            if told(findings, span) {
                continue;
            }
            let message = format!("quotas are kept on storage `{name}`, and `{server}` has no quota service");
            let mut diag = Diag::new(QUOTA_WITHOUT_SERVICE, message).at_maybe(span, "");
            diag = label(diag, entry.get("server").and_then(|s| place(&s.origins, self.sources)), "on this server");
            diag.waivable = true;
            diag = diag.pointer(pointer(&["storage", name]));
            findings.push(
                diag.help("give the service a port (`nfs.ports.rquotad`), so that clients can ask for their quota"),
            );
        }
    }

    /// One directory, or one partition with quotas, for the storage of two owners.
    fn owners(&self, shared: &BTreeSet<(Str, Str)>, findings: &mut Findings) {
        let mut owner: BTreeMap<&str, &Str> = BTreeMap::new();
        for (product, entry) in self.site.table("products") {
            for (_, store) in entry.get("stores").into_iter().flat_map(Tracked::entries) {
                if let Value::Ref(storage) = &store.value {
                    owner.entry(&storage.name).or_insert(product);
                }
            }
        }
        let mut places: BTreeMap<(Str, Str), Vec<(&Str, &Tracked)>> = BTreeMap::new();
        let mut mounts: BTreeMap<(Str, Str), Vec<(&Str, &Tracked)>> = BTreeMap::new();
        for (name, entry) in self.site.table("storage") {
            let text = |key: &str| entry.get(key).and_then(|v| v.value.text());
            let (Some(server), Some(path)) = (text("server"), text("path")) else { continue };
            places.entry((server.clone(), path.trim_end_matches('/').into())).or_default().push((name, entry));
            if let Some(mount) = entry.get("filesystem").and_then(|f| f.get("mount")).and_then(|m| m.value.text()) {
                mounts.entry((server, mount)).or_default().push((name, entry));
            }
        }
        let report = |what: String, level: Level, pair: [&(&Str, &Tracked); 2], help: &str, findings: &mut Findings| {
            let [(first, a), (second, b)] = pair;
            let message = format!("the storages `{first}` and `{second}` share {what}");
            let span = |entry: &Tracked| entry.get("path").and_then(|v| place(&v.origins, self.sources));
            let mut diag = Diag::new(TWO_OWNERS, message).at_maybe(span(b), format!("`{second}`"));
            diag = label(diag, span(a), format!("`{first}`"));
            diag.waivable = level == Level::Warning;
            diag.level = level;
            let final_word = |d: &Diag| d.level == Level::Error && !d.waivable;
            let said = told_by(findings, span(b), |d| diag.waivable || final_word(d));
            if !said {
                findings.push(diag.pointer(pointer(&["storage", second])).help(help));
            }
        };
        for ((server, path), list) in &places {
            if let [first, second, ..] = list.as_slice() {
                let what = format!("one directory, `{path}` of `{server}`");
                // What is made of both can be made once only: nobody can live with that.
                let both = list.iter().filter_map(|(_, e)| e.get("path").and_then(|p| p.value.text()));
                let both = both.into_iter().any(|path| shared.contains(&(server.clone(), path)));
                let level = if both { Level::Error } else { Level::Warning };
                let help = "give each a directory of its own, or make one storage of the two";
                report(what, level, [first, second], help, findings);
            }
        }
        for ((server, mount), list) in &mounts {
            let limited = list.iter().find(|(_, e)| e.get("quota").is_some_and(|q| q.value == Value::Bool(true)));
            let Some(limited) = limited else { continue };
            let stranger = list.iter().find(|(name, _)| match (owner.get(&***name), owner.get(&**limited.0)) {
                (Some(a), Some(b)) => a != b,
                _ => false,
            });
            if let Some(other) = stranger {
                let what =
                    format!("the file system `{mount}` of `{server}`, on which quotas are kept, for two products");
                let help = "give each product a partition: a quota counts what both write";
                report(what, Level::Warning, [limited, other], help, findings);
            }
        }
    }

    /// More space set aside than a file system has, and more in file systems than the disk has.
    fn capacity(&self, findings: &mut Findings) {
        let bytes = |value: Option<&Tracked>| match value.map(|v| &v.value) {
            Some(Value::Quantity(quantity)) => Some(quantity.amount),
            _ => None,
        };
        let mut promised: BTreeMap<(Str, Str), Promise> = BTreeMap::new();
        for (name, entry) in self.site.table("storage") {
            let (Some(server), Some(system)) = (entry.get("server"), entry.get("filesystem")) else { continue };
            let (Some(server), Some(mount)) = (server.value.text(), system.get("mount").and_then(|m| m.value.text()))
            else {
                continue;
            };
            let (Some(size), Some(capacity)) = (entry.get("size"), system.get("size")) else { continue };
            let (Some(wants), Some(has)) = (bytes(Some(size)), bytes(Some(capacity))) else { continue };
            let promise = promised.entry((server, mount)).or_default();
            promise.has = (has, capacity.origins.clone(), capacity.value.text().unwrap_or_default());
            promise.wants = promise.wants.saturating_add(wants);
            promise.parts.push((name.clone(), size.origins.clone()));
        }
        for ((server, mount), promise) in &promised {
            if promise.wants > promise.has.0 {
                let names = words(promise.parts.iter().map(|(name, _)| name), 4);
                let message = format!(
                    "more space is set aside for {names} than the file system `{mount}` of `{server}` has, {}",
                    promise.has.2
                );
                self.beyond(message, promise, pointer(&["hosts", server, "filesystems", mount, "size"]), findings);
            }
        }
        for (name, host) in self.site.table("hosts") {
            let Some((disk, has)) = host.get("disk").and_then(|d| Some((d, bytes(Some(d))?))) else { continue };
            let text = disk.value.text().unwrap_or_default();
            let mut promise = Promise { has: (has, disk.origins.clone(), text), ..Promise::default() };
            for (mount, system) in host.get("filesystems").into_iter().flat_map(Tracked::entries) {
                let (Some(size), Some(wants)) = (system.get("size"), bytes(system.get("size"))) else { continue };
                promise.wants = promise.wants.saturating_add(wants);
                promise.parts.push((mount.clone(), size.origins.clone()));
            }
            if promise.wants > has {
                let message = format!(
                    "the file systems of host `{name}` are larger than its disk, {}, all together",
                    promise.has.2
                );
                self.beyond(message, &promise, pointer(&["hosts", name, "disk"]), findings);
            }
        }
    }

    fn beyond(&self, message: String, promise: &Promise, at: String, findings: &mut Findings) {
        let span = place(&promise.has.1, self.sources);
        if told(findings, span) {
            return;
        }
        let mut diag = Diag::new(BEYOND_DISK, message).at_maybe(span, "what there is");
        for (name, origins) in &promise.parts {
            diag = label(diag, place(origins, self.sources), format!("`{name}`"));
        }
        diag.waivable = true;
        findings.push(diag.pointer(at).help("correct the sizes; where space is promised twice on purpose, waive this"));
    }

    /// One device at two mount points of a host; parts of one file system are no finding.
    fn devices(&self, findings: &mut Findings) {
        for (name, host) in self.site.table("hosts") {
            let mut seen: BTreeMap<Str, (&Str, &Tracked)> = BTreeMap::new();
            for (mount, system) in host.get("filesystems").into_iter().flat_map(Tracked::entries) {
                let Some(device) = system.get("device") else { continue };
                let Some(text) = device.value.text().filter(|d| d.contains('=') || d.starts_with("/dev/")) else {
                    continue;
                };
                let part = |o: &Tracked| o.value.text().is_some_and(|o| o.starts_with("subvol") || &*o == "bind");
                if system.get("options").map(Tracked::items).unwrap_or_default().iter().any(part) {
                    continue;
                }
                if let Some((first, place_of)) = seen.insert(text.clone(), (mount, device)) {
                    let message =
                        format!("host `{name}` mounts the device `{text}` twice, at `{first}` and at `{mount}`");
                    let mut diag = Diag::new(TWO_OWNERS, message).at_maybe(place(&device.origins, self.sources), "");
                    diag = label(diag, place(&place_of.origins, self.sources), "the same device");
                    diag.waivable = true;
                    diag = diag.pointer(pointer(&["hosts", name, "filesystems", mount]));
                    findings.push(diag.help("ask the host for its devices: `lsblk -o NAME,UUID,MOUNTPOINT`"));
                }
            }
        }
    }
}

/// What is set aside of something: its size with its place and text, the sum, and the parts.
#[derive(Default)]
struct Promise {
    has: (u64, Origins, Str),
    wants: u64,
    parts: Vec<(Str, Origins)>,
}

/// Whether one of some sorted networks that do not overlap holds an address.
fn holds(nets: &[IpNet], address: IpAddr) -> bool {
    let after = nets.partition_point(|n| n.network() <= address);
    nets[..after].last().is_some_and(|n| n.contains(&address))
}
