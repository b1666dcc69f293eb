//! What the sets of addresses in a host's ruleset are called: after the host, network, endpoint or cluster that they hold,
//! else as the flows call their peers.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::peers::{merged, peers};
use crate::ir::{F, short_net};
use crate::site::Site;
use crate::value::{Origins, Ref, Str, Tracked};

/// A group of peers that a rule names.
pub struct Group<'a> {
    /// The index of the host whose rule it is.
    pub host: u32,
    pub ipv6: bool,
    /// The rank of the peers among all groups of peers.
    pub peers: u32,
    /// The number of the rule.
    pub rule: usize,
    /// What flows call the peers, sorted.
    pub labels: Vec<&'a Str>,
    /// What these flows come from.
    pub origins: Origins,
}

/// Gives every group of peers of a host a name of its own.
pub struct SetNames<'a> {
    sets: &'a [Arc<[IpNet]>],
    /// What of the site has exactly the networks of each group of peers, as a word.
    entities: Vec<Option<F<Str>>>,
}

impl<'a> SetNames<'a> {
    /// Names for these groups of peers, which are sorted.
    pub fn new(site: &Site, sets: &'a [Arc<[IpNet]>]) -> Self {
        let mut entities: Vec<Option<F<Str>>> = vec![None; sets.len()];
        let mut put = |name: String, value: &Tracked| {
            let Some(found) = peers(value, site) else { return };
            for ipv4 in [true, false] {
                let nets: Vec<IpNet> =
                    merged(found.value.nets.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect());
                let Ok(rank) = sets.binary_search_by(|set| (**set).cmp(&nets)) else { continue };
                entities[rank].get_or_insert_with(|| F::new(word(&name).into(), found.origins.union(&value.origins)));
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
        Self { sets, entities }
    }

    /// The name of the group of each rule, in the order of the rules. Groups of one host that would be called the same
    /// are numbered. `absent` are the origins of flows that are not there and would have a say in it, by what they call
    /// their peers.
    pub fn given(&self, mut groups: Vec<Group>, absent: &BTreeMap<Str, Origins>) -> Vec<F<Str>> {
        groups.sort_by_key(|g| (g.host, g.ipv6, g.peers));
        let mut given: Vec<F<Str>> = vec![F::default(); groups.len()];
        let mut words: BTreeMap<Str, Str> = BTreeMap::new();
        // Hosts share the texts of their names.
        let mut written: BTreeMap<(Str, bool, usize), Str> = BTreeMap::new();
        for host in groups.chunk_by(|a, b| (a.host, a.ipv6) == (b.host, b.ipv6)) {
            let sets: Vec<&[Group]> = host.chunk_by(|a, b| a.peers == b.peers).collect();
            let names: Vec<F<Str>> = sets.iter().map(|set| self.name(set, &mut words, absent)).collect();
            let mut alike: Vec<usize> = (0..sets.len()).collect();
            alike.sort_by_key(|set| (&names[*set].value, *set));
            for alike in alike.chunk_by(|a, b| names[*a] == names[*b]) {
                let origins = Origins::all(alike.iter().map(|set| &names[*set].origins));
                for (n, set) in alike.iter().enumerate() {
                    let (name, family) = (&names[*set].value, if host[0].ipv6 { 6 } else { 4 });
                    let text = written.entry((name.clone(), host[0].ipv6, n)).or_insert_with(|| match n {
                        0 => format!("{name}_v{family}").into(),
                        n => format!("{name}_v{family}_{}", n + 1).into(),
                    });
                    for group in sets[*set] {
                        given[group.rule] = F::new(text.clone(), origins.clone());
                    }
                }
            }
        }
        given
    }

    /// What the peers of a host's rules are called, be they alone in that.
    fn name(&self, set: &[Group], words: &mut BTreeMap<Str, Str>, absent: &BTreeMap<Str, Origins>) -> F<Str> {
        let mut labels: Vec<&Str> = set.iter().flat_map(|g| g.labels.iter().copied()).collect();
        labels.sort_unstable();
        labels.dedup();
        let beside = labels.iter().filter_map(|l| absent.get(*l));
        let origins = Origins::all(set.iter().map(|g| &g.origins).chain(beside));
        let rank = set[0].peers as usize;
        match (&self.entities[rank], &*self.sets[rank]) {
            (Some(entity), _) => F::new(entity.value.clone(), origins.union(&entity.origins)),
            (None, [one]) if labels.len() > 1 => F::new(word(&short_net(one)).into(), origins),
            (None, _) => {
                let label = labels.first().copied().cloned().unwrap_or_default();
                F::new(words.entry(label.clone()).or_insert_with(|| word(&label).into()).clone(), origins)
            }
        }
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
