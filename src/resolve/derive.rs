//! Into a site with its names bound: what follows from what the spec says.

use std::collections::BTreeMap;

use crate::node::push_step;
use crate::schema::Schema;
use crate::site::{DefaultFrom, Networks, Site, filesystem_of};
use crate::spread::spread_mut;
use crate::value::{Map, Origins, Ref, Str, Tracked, Value};

use super::{firewall, map_mut};

/// Gives every entry of a table its name, hosts their network, their full name, the form of their firewall and one
/// record of their operating system, and storage the file system that holds it. The result does not depend on the number
/// of threads.
pub fn derive(site: &mut Site, schema: &Schema, threads: usize) {
    let mut root = std::mem::take(&mut site.root);
    if let Some(root) = map_mut(&mut root) {
        let domain = root.get("site").and_then(|site| site.get("domain")).cloned().unwrap_or_default();
        if let Some(hosts) = root.get_mut("hosts").and_then(map_mut) {
            let mut hosts: Vec<(&Str, &mut Tracked)> = hosts.iter_mut().collect();
            let derived = spread_mut(threads, &mut hosts, |(name, host)| of_host(name, host, &domain, &site.networks));
            // There are many of them, mostly in order: they are put among the others all at once.
            let derived = derived.into_iter().flatten().flatten().map(|pointer| (pointer, DefaultFrom::Core));
            site.defaults.append(&mut derived.collect());
        }
        firewall::forms(root, &mut site.defaults);
        filesystems(root);
        packs(root, &mut site.defaults);
        let key = Str::from("name");
        for table in schema.tables() {
            for (name, entry) in root.get_mut(table).and_then(map_mut).into_iter().flat_map(Map::iter_mut) {
                let origins = entry.origins.clone();
                if let Some(entry) = map_mut(entry) {
                    entry.insert(key.clone(), Tracked { value: Value::Str(name.clone()), origins });
                }
            }
        }
    }
    site.root = root;
}

/// Fills in what follows for a host; the pointers to its full name and its network, where it had none.
fn of_host(name: &Str, host: &mut Tracked, domain: &Tracked, networks: &Networks) -> [Option<String>; 2] {
    let Some(host) = map_mut(host) else { return [None, None] };
    system(host);
    let pointer = |key: &str| {
        let mut pointer = String::from("/hosts");
        push_step(&mut pointer, name);
        push_step(&mut pointer, key);
        pointer
    };
    let full_name = full_name(name, host, domain).then(|| pointer("fqdn"));
    [full_name, network(host, networks).then(|| pointer("network"))]
}

fn answered<'a>(map: &'a Map, key: &str) -> Option<&'a Tracked> {
    map.get(key).filter(|value| !value.value.is_null())
}

/// Puts the full name: the host's key in the site's domain; whether it did.
fn full_name(name: &str, host: &mut Map, domain: &Tracked) -> bool {
    let Value::Str(text) = &domain.value else { return false };
    if answered(host, "fqdn").is_some() {
        return false;
    }
    let null = host.get("fqdn").map(|null| null.origins.clone()).unwrap_or_default();
    let value = Value::Str(format!("{name}.{text}").into());
    host.insert("fqdn".into(), Tracked { value, origins: domain.origins.union(&null) });
    true
}

/// Puts the network that holds the first address which is in one; whether it did.
fn network(host: &mut Map, networks: &Networks) -> bool {
    if answered(host, "network").is_some() {
        return false;
    }
    let addresses = host.get("addresses").map(Tracked::items).unwrap_or_default();
    let found = addresses.iter().find_map(|item| match item.value {
        Value::Address(address) => {
            let (name, origins) = networks.find_tracked(address)?;
            Some((name.clone(), origins.union(&item.origins)))
        }
        _ => None,
    });
    let Some((name, origins)) = found else {
        // Of faulty addresses nobody can tell where they are.
        let faulty = |value: &Tracked| value.value.is_poison() || value.items().iter().any(|a| a.value.is_poison());
        if let Some(addresses) = host.get("addresses").filter(|a| networks.is_faulty() || faulty(a)) {
            let origins = addresses.origins.clone();
            host.insert("network".into(), Tracked { value: Value::Poison, origins });
        }
        return false;
    };
    let null = host.get("network").map(|null| null.origins.clone()).unwrap_or_default();
    let value = Ref { table: "networks".into(), name }.into();
    host.insert("network".into(), Tracked { value, origins: origins.union(&null) });
    true
}

/// Makes `arch` and `kernel` of a host and of its `os` the same, where only one of them is given.
fn system(host: &mut Map) {
    for key in ["arch", "kernel"] {
        let outside = answered(host, key).cloned();
        let Some(os) = host.get("os") else { return };
        let inside = os.get(key).filter(|value| !value.value.is_null()).cloned();
        match (outside, inside) {
            (Some(outside), None) => {
                if let Some(os) = host.get_mut("os").and_then(map_mut) {
                    os.insert(key.into(), outside);
                }
            }
            (None, Some(inside)) => {
                host.insert(key.into(), inside);
            }
            _ => {}
        }
    }
}

/// Names the pack of each product that does not name it: it is called as the instance.
fn packs(root: &mut Map, defaults: &mut BTreeMap<String, DefaultFrom>) {
    for (name, product) in root.get_mut("products").and_then(map_mut).into_iter().flat_map(Map::iter_mut) {
        let origins = product.origins.clone();
        let Some(product) = map_mut(product) else { continue };
        if answered(product, "pack").is_none() {
            let origins = product.get("pack").map_or(origins, |null| null.origins.clone());
            product.insert("pack".into(), Tracked { value: Value::Str(name.clone()), origins });
            let mut pointer = String::from("/products");
            push_step(&mut pointer, name);
            defaults.insert(pointer + "/pack", DefaultFrom::Core);
        }
    }
}

/// Gives each storage the file system of its server that holds its path.
fn filesystems(root: &mut Map) {
    let Some(storage) = root.get("storage") else { return };
    let mut found = Vec::new();
    for (name, entry) in storage.entries() {
        let (Some(server), Some(path)) = (entry.get("server"), entry.get("path")) else { continue };
        if server.value.is_poison() || path.value.is_poison() {
            let origins = server.origins.union(&path.origins);
            found.push((name.clone(), Tracked { value: Value::Poison, origins }));
            continue;
        }
        let (Value::Ref(server_name), Value::Str(text)) = (&server.value, &path.value) else { continue };
        let host = root.get(&server_name.table).and_then(|table| table.get(&server_name.name));
        if host.is_some_and(|host| host.value.is_poison()) {
            found.push((name.clone(), Tracked { value: Value::Poison, origins: server.origins.clone() }));
            continue;
        }
        let Some((mount, filesystem)) = host.and_then(|host| filesystem_of(host, text)) else { continue };
        let origins = Origins::all([&server.origins, &path.origins, &filesystem.origins]);
        let mount = Tracked { value: Value::Str(mount.clone()), origins: origins.clone() };
        let mut map = Map::from([("mount".into(), mount)]);
        map.extend(filesystem.entries().map(|(key, value)| (key.clone(), value.clone())));
        found.push((name.clone(), Tracked { value: Value::map(map), origins }));
    }
    let Some(storage) = root.get_mut("storage").and_then(map_mut) else { return };
    for (name, filesystem) in found {
        if let Some(entry) = storage.get_mut(&name).and_then(map_mut) {
            entry.insert("filesystem".into(), filesystem);
        }
    }
}
