//! The resolved site: hosts one by one, names bound, defaults applied and remembered as defaults.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::ir::F;
use crate::source::PlaceId;
use crate::value::{Origins, Str, Tracked, Value};

/// The site as products, expressions and `sitec show` see it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    pub root: Tracked,
    /// Whose default a value is, by the JSON Pointer of the value.
    pub defaults: BTreeMap<String, DefaultFrom>,
    pub(crate) networks: Networks,
}

/// Who gave a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultFrom {
    /// The schema of the spec, or what follows from other values of the spec.
    Core,
    /// A pack, at a place of its own.
    Pack(Str, PlaceId),
}

impl Site {
    /// The value at a JSON Pointer.
    pub fn at(&self, pointer: &str) -> Option<&Tracked> {
        pointer.split('/').skip(1).try_fold(&self.root, |value, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match &value.value {
                Value::Map(map) => map.get(step.as_str()),
                Value::List(items) => items.get(step.parse::<usize>().ok()?),
                _ => None,
            }
        })
    }

    /// An entry of a table of the site: `entry("hosts", "w01")`.
    pub fn entry(&self, table: &str, name: &str) -> Option<&Tracked> {
        match &self.root.get(table)?.value {
            Value::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// The entries of a table, in their order; none when the spec does not have it.
    pub fn table(&self, table: &str) -> impl Iterator<Item = (&Str, &Tracked)> {
        self.root.get(table).map(Tracked::entries).into_iter().flatten()
    }

    /// The addresses of a host, the main one first.
    pub fn host_addresses(&self, host: &str) -> Vec<F<IpAddr>> {
        let addresses = self.entry("hosts", host).and_then(|host| host.get("addresses"));
        addresses.map(addresses_of).unwrap_or_default()
    }

    /// The most specific network that holds an address, and its CIDR.
    pub fn network_of(&self, address: IpAddr) -> Option<(&Str, IpNet)> {
        self.networks.find(address)
    }

    /// The file system of a host that holds a path: its mount point and what the spec says about it.
    pub fn filesystem_of(&self, host: &str, path: &str) -> Option<(&Str, &Tracked)> {
        filesystem_of(self.entry("hosts", host)?, path)
    }

    /// The names of a cluster's nodes: those of the control plane (the managers of a Swarm), and the workers.
    pub fn cluster_nodes(&self, cluster: &str) -> (Vec<F<Str>>, Vec<F<Str>>) {
        let Some(cluster) = self.entry("clusters", cluster) else { return Default::default() };
        let names = |key: &str| cluster.get(key).map(names_of).unwrap_or_default();
        let mut control_plane = names("control_plane");
        control_plane.extend(names("managers"));
        (control_plane, names("workers"))
    }
}

/// The file system of a host that holds a path: the longest mount point that is the path or a folder above it.
pub fn filesystem_of<'a>(host: &'a Tracked, path: &str) -> Option<(&'a Str, &'a Tracked)> {
    let mounts = host.get("filesystems")?.entries();
    mounts.filter(|(mount, _)| holds(mount, path)).max_by_key(|(mount, _)| mount.trim_end_matches('/').len())
}

/// Whether a path is a folder or something below it.
fn holds(folder: &str, path: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The addresses of a list, unanswered and faulty ones left out.
pub fn addresses_of(list: &Tracked) -> Vec<F<IpAddr>> {
    let items = list.items().iter();
    items
        .filter_map(|item| match item.value {
            Value::Address(address) => Some(F::new(address, item.origins.clone())),
            _ => None,
        })
        .collect()
}

/// The names of a list of names, faulty ones left out.
pub fn names_of(list: &Tracked) -> Vec<F<Str>> {
    let items = list.items().iter();
    items
        .filter_map(|item| match &item.value {
            Value::Ref(r) => Some(F::new(r.name.clone(), item.origins.clone())),
            _ => None,
        })
        .collect()
}

/// Networks by their CIDRs, to find the one that an address is in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Networks {
    /// By family and prefix length, longest first: the networks of that length by their address.
    by_length: Vec<(bool, u8, Named)>,
    /// Whether one of them is not known, because it is faulty.
    faulty: bool,
}

/// Names of networks by their CIDR, with the place of the CIDR.
type Named = BTreeMap<IpNet, (Str, Origins)>;

impl Networks {
    /// Whether the network of an address may be one that is not known.
    pub(crate) fn is_faulty(&self) -> bool {
        self.faulty
    }

    /// Indexes the table of networks. A network that holds every address says nothing about where one is.
    pub(crate) fn new(table: &Tracked) -> Self {
        let mut lengths: BTreeMap<(bool, u8), Named> = BTreeMap::new();
        for (name, network) in table.entries() {
            for item in network.get("cidrs").map(Tracked::items).unwrap_or_default() {
                if let Value::Cidr(cidr) = item.value
                    && cidr.prefix_len() > 0
                {
                    let nets = lengths.entry((cidr.addr().is_ipv6(), cidr.prefix_len())).or_default();
                    nets.entry(cidr).or_insert_with(|| (name.clone(), item.origins.clone()));
                }
            }
        }
        let by_length = lengths.into_iter().rev().map(|((v6, length), nets)| (v6, length, nets)).collect();
        let unknown = |value: &Tracked| value.value.is_poison();
        let cidrs =
            |network: &Tracked| network.get("cidrs").is_some_and(|c| unknown(c) || c.items().iter().any(unknown));
        let faulty = unknown(table) || table.entries().any(|(_, network)| unknown(network) || cidrs(network));
        Self { by_length, faulty }
    }

    /// The most specific network that holds an address, with its CIDR.
    pub(crate) fn find(&self, address: IpAddr) -> Option<(&Str, IpNet)> {
        self.lookup(address).map(|(net, (name, _))| (name, net))
    }

    /// The most specific network that holds an address, with the place of its CIDR.
    pub(crate) fn find_tracked(&self, address: IpAddr) -> Option<&(Str, Origins)> {
        self.lookup(address).map(|(_, found)| found)
    }

    fn lookup(&self, address: IpAddr) -> Option<(IpNet, &(Str, Origins))> {
        self.by_length.iter().filter(|(v6, _, _)| *v6 == address.is_ipv6()).find_map(|(_, length, nets)| {
            let net = IpNet::new(address, *length).ok()?.trunc();
            nets.get(&net).map(|found| (net, found))
        })
    }
}
