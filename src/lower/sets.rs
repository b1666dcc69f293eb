//! What the sets of addresses in a host's ruleset are called: after the host, network, endpoint or cluster that they hold,
//! else as the flows call their peers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;

use super::peers::{merged, peers};
use crate::ir::{F, short_net};
use crate::site::Site;
use crate::value::{Origins, Ref, Str, Tracked};

/// A group of peers: the index of the host whose rules name it, its family, its networks.
type Group = (usize, i64, Arc<[IpNet]>);

/// One of the groups that would be called the same.
type Alike = (Arc<[IpNet]>, Origins);

/// Gives every group of peers of a host a name of its own.
pub struct SetNames {
    /// What of the site has exactly these networks.
    entities: BTreeMap<Vec<IpNet>, F<Str>>,
    groups: BTreeMap<Group, Named>,
}

#[derive(Default)]
struct Named {
    labels: BTreeSet<Str>,
    origins: Vec<Origins>,
}

impl SetNames {
    pub fn new(site: &Site) -> Self {
        let mut entities = BTreeMap::new();
        let mut put = |name: String, value: &Tracked| {
            let Some(found) = peers(value, site) else { return };
            for ipv4 in [true, false] {
                let nets: Vec<IpNet> =
                    merged(found.value.nets.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect());
                if !nets.is_empty() {
                    let name = F::new(Str::from(name.as_str()), found.origins.union(&value.origins));
                    entities.entry(nets).or_insert(name);
                }
            }
        };
        for table in ["hosts", "networks", "external"] {
            for (name, entry) in site.table(table) {
                put(name.to_string(), entry);
            }
        }
        for (name, cluster) in site.table("clusters") {
            let (control_plane, workers) = site.cluster_nodes(name);
            let nodes = |list: &[F<Str>]| {
                let refs = list
                    .iter()
                    .map(|n| Tracked::new(Ref { table: "hosts".into(), name: n.value.clone() }, n.origins.clone()));
                Tracked::new(refs.collect::<Vec<_>>(), cluster.origins.clone())
            };
            let all: Vec<F<Str>> = control_plane.iter().chain(&workers).cloned().collect();
            for (what, list) in [("control", &control_plane), ("workers", &workers), ("nodes", &all)] {
                put(format!("{what} {name}"), &nodes(list));
            }
            if let Some(pods) = cluster.get("pod_cidr") {
                put(format!("pods {name}"), pods);
            }
        }
        Self { entities, groups: BTreeMap::new() }
    }

    /// Takes note of a group, of what flows call it, and of what these flows come from.
    pub fn add(&mut self, host: usize, family: i64, nets: &Arc<[IpNet]>, labels: &BTreeSet<Str>, origins: &[Origins]) {
        let named = self.groups.entry((host, family, nets.clone())).or_default();
        named.labels.extend(labels.iter().cloned());
        named.origins.extend_from_slice(origins);
    }

    /// The names. Groups of one host that would be called the same are numbered. `absent` are the origins of flows that
    /// are not there and would have a say in it, by what they call their peers.
    pub fn given(self, absent: &BTreeMap<Str, Origins>) -> BTreeMap<Group, F<Str>> {
        let mut alike: BTreeMap<(usize, i64, String), Vec<Alike>> = BTreeMap::new();
        for ((host, family, nets), named) in self.groups {
            let beside = named.labels.iter().filter_map(|l| absent.get(l));
            let origins = Origins::all(named.origins.iter().chain(beside));
            let (name, origins) = match (self.entities.get(&*nets), &*nets) {
                (Some(entity), _) => (word(&entity.value), origins.union(&entity.origins)),
                (None, [one]) if named.labels.len() > 1 => (word(&short_net(one)), origins),
                (None, _) => (named.labels.first().map(|l| word(l)).unwrap_or_default(), origins),
            };
            alike.entry((host, family, name)).or_default().push((nets, origins));
        }
        let mut given = BTreeMap::new();
        for ((host, family, name), list) in alike {
            let origins = Origins::all(list.iter().map(|(_, o)| o));
            for (i, (nets, _)) in list.into_iter().enumerate() {
                let name = match i {
                    0 => format!("{name}_v{family}"),
                    i => format!("{name}_v{family}_{}", i + 1),
                };
                given.insert((host, family, nets), F::new(name.into(), origins.clone()));
            }
        }
        given
    }
}

/// A text as a word that every target takes in a name.
fn word(text: &str) -> String {
    /// With family and number, what iptables takes for a chain and firewalld for a set.
    const LENGTH_MAX: usize = 14;
    let mut word = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
            _ if !word.is_empty() && !word.ends_with('_') => word.push('_'),
            _ => {}
        }
    }
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        word.insert_str(0, "net_");
    }
    word.truncate(LENGTH_MAX);
    word.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_are_names_everywhere() {
        for (label, expected) in [
            ("nodes main", "nodes_main"),
            ("10.30.8.31", "net_10_30_8_31"),
            ("PostgreSQL (main)", "postgresql_mai"),
            ("Benutzer — Büro", "benutzer_b_ro"),
            ("управление", "net"),
            ("blocknetworkgate", "blocknetworkga"),
        ] {
            assert_eq!(word(label), expected);
        }
    }
}
