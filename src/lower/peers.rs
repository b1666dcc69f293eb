//! From a value of the site to the addresses it stands for.

use ipnet::IpNet;
use std::net::IpAddr;

use crate::ir::{F, Peers};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// The addresses of a host, network, external endpoint, service entry, address, or list of these. An end whose
/// addresses the site does not give keeps its name. `None` when the value is nothing of that kind.
pub fn peers(value: &Tracked, site: &Site) -> Option<F<Peers>> {
    let mut found = Found::default();
    collect(value, site, &mut found, 0)?;
    let value = Peers { nets: merged(found.nets).into(), pods: None, name: found.name };
    Some(F::new(value, Origins::all(&found.origins)))
}

/// The first open answer among hosts, networks or addresses.
pub fn open_within(value: &Tracked) -> Option<Unanswered> {
    match &value.value {
        Value::List(items) => items.iter().find_map(open_within),
        Value::Null => {
            let (origins, reads) = (value.origins.clone(), value.origins.clone());
            Some(Unanswered { path: String::new(), pointer: None, origins, reads })
        }
        _ => None,
    }
}

/// What is being gathered. The sets of origins of thousands of hosts are joined once, at the end.
#[derive(Default)]
struct Found {
    nets: Vec<IpNet>,
    name: Option<Str>,
    origins: Vec<Origins>,
}

fn collect(value: &Tracked, site: &Site, found: &mut Found, depth: usize) -> Option<()> {
    if depth > 8 {
        return None;
    }
    found.origins.push(value.origins.clone());
    match &value.value {
        Value::Ref(name) => collect(site.entry(&name.table, &name.name)?, site, found, depth + 1),
        Value::Address(address) => {
            found.nets.push(IpNet::from(*address));
            Some(())
        }
        Value::Cidr(net) => {
            found.nets.push(*net);
            Some(())
        }
        Value::Str(name) => {
            named(name, site, found);
            Some(())
        }
        Value::List(items) => {
            for item in items.iter() {
                collect(item, site, found, depth + 1)?;
            }
            Some(())
        }
        Value::Map(map) => entry(map, site, found, depth),
        _ => None,
    }
}

/// An entry of a table: `cidrs` of a network, `addresses` or `address` of a host or endpoint, or the `host` of a
/// service.
fn entry(map: &Map, site: &Site, found: &mut Found, depth: usize) -> Option<()> {
    for key in ["cidrs", "addresses", "host", "address", "fqdn"] {
        let Some(value) = map.get(key).filter(|v| answered(&v.value)) else { continue };
        return collect(value, site, found, depth + 1);
    }
    None
}

fn answered(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::List(items) => !items.is_empty(),
        _ => true,
    }
}

/// A DNS name: the addresses of the host that carries it, or the name itself.
fn named(name: &Str, site: &Site, found: &mut Found) {
    if let Ok(address) = name.parse::<IpAddr>() {
        found.nets.push(IpNet::from(address));
        return;
    }
    for (host, entry) in site.table("hosts") {
        let Value::Map(map) = &entry.value else { continue };
        let names = map.get("names").map(|n| &n.value);
        let carries = **host == **name
            || matches!(names, Some(Value::List(items)) if items.iter().any(|i| i.value == Value::Str(name.clone())));
        if carries {
            for address in host_addresses(entry) {
                found.origins.push(address.origins.clone());
                found.nets.push(IpNet::from(address.value));
            }
            return;
        }
    }
    found.name.get_or_insert_with(|| name.clone());
}

/// The addresses of a host's entry, in the order of the spec.
pub fn host_addresses(host: &Tracked) -> Vec<F<IpAddr>> {
    let Value::Map(map) = &host.value else { return Vec::new() };
    let Some(Tracked { value: Value::List(items), .. }) = map.get("addresses") else { return Vec::new() };
    items
        .iter()
        .filter_map(|i| match i.value {
            Value::Address(address) => Some(F::new(address, i.origins.clone())),
            _ => None,
        })
        .collect()
}

/// The hosts that a value names: a reference, a list of them, or an entry with a `host`.
pub fn hosts(value: &Tracked) -> Option<Vec<F<Str>>> {
    fn collect(value: &Tracked, found: &mut Vec<F<Str>>) -> Option<()> {
        match &value.value {
            Value::Ref(host) if &*host.table == "hosts" => {
                found.push(F::new(host.name.clone(), value.origins.clone()));
                Some(())
            }
            Value::Str(name) => {
                found.push(F::new(name.clone(), value.origins.clone()));
                Some(())
            }
            Value::List(items) => items.iter().try_for_each(|i| collect(i, found)),
            Value::Map(map) => collect(map.get("host").or_else(|| map.get("name"))?, found),
            _ => None,
        }
    }
    let mut found = Vec::new();
    collect(value, &mut found)?;
    for host in &mut found {
        host.origins = host.origins.union(&value.origins);
    }
    Some(found)
}

/// Up to this many addresses are written one by one, as people read them; more are joined to larger networks.
const SINGLE_MAX: usize = 64;

/// Sorted, without networks that others contain, IPv4 before IPv6; long lists with adjacent networks joined.
pub fn merged(nets: Vec<IpNet>) -> Vec<IpNet> {
    let mut nets: Vec<IpNet> = nets.iter().map(IpNet::trunc).collect();
    nets.sort_unstable_by_key(|n| (n.addr(), n.prefix_len()));
    let mut kept: Vec<IpNet> = Vec::with_capacity(nets.len());
    for net in nets {
        if !kept.last().is_some_and(|last| last.contains(&net)) {
            kept.push(net);
        }
    }
    if kept.len() > SINGLE_MAX {
        kept = IpNet::aggregate(&kept);
        kept.sort_unstable_by_key(|n| (n.addr(), n.prefix_len()));
    }
    kept
}

/// The origins of everything in a value, itself included.
pub fn deep_origins(value: &Tracked) -> Origins {
    match &value.value {
        Value::List(items) => {
            Origins::all(items.iter().map(deep_origins).collect::<Vec<_>>().iter().chain([&value.origins]))
        }
        Value::Map(map) => {
            Origins::all(map.values().map(deep_origins).collect::<Vec<_>>().iter().chain([&value.origins]))
        }
        _ => value.origins.clone(),
    }
}
