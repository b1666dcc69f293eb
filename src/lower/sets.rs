//! What the sets of addresses in a host's ruleset are called: after the host, network, endpoint or cluster that they hold,
//! else as the flows call their peers.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::peers::{merged, peers};
use crate::ir::{F, Nets, short_net};
use crate::site::Site;
use crate::value::{Origins, Ref, Str, Tracked};

/// A group of peers that a rule of a host names.
pub struct Group<'a> {
    pub ipv6: bool,
    /// The rank of the peers among all groups of peers.
    pub peers: u32,
    /// The number of the rule among those of the host.
    pub rule: usize,
    /// What flows call the peers, sorted.
    pub labels: Vec<&'a Str>,
    /// What these flows come from.
    pub origins: Origins,
}

/// Gives every group of peers of a host a name of its own.
pub struct SetNames<'a> {
    sets: &'a [Nets],
    /// What of the site has exactly the networks of each group of peers.
    entities: Vec<Option<F<Word>>>,
    /// What flows call their peers. It is never gone through.
    labels: IndexMap<&'a Str, Word>,
}

/// What a set is called.
#[derive(Clone, PartialEq)]
struct Word {
    text: Str,
    /// The same with the family, in IPv4 and in IPv6. Hosts share these texts.
    of_family: [Str; 2],
}

impl Word {
    fn of(text: &str) -> Self {
        let text = word(text);
        Self { of_family: [format!("{text}_v4").into(), format!("{text}_v6").into()], text: text.into() }
    }
}

impl<'a> SetNames<'a> {
    /// Names for these groups of peers, which are sorted, as flows call them `labels`. Only where lines are `traced` do
    /// they have origins.
    pub fn new(site: &Site, sets: &'a [Nets], labels: impl Iterator<Item = &'a Str>, traced: bool) -> Self {
        let mut entities: Vec<Option<F<Word>>> = vec![None; sets.len()];
        let mut put = |name: &str, value: &Tracked| {
            let Some(found) = peers(value, site) else { return };
            for ipv4 in [true, false] {
                let nets: Vec<IpNet> =
                    merged(found.value.nets.iter().filter(|n| n.addr().is_ipv4() == ipv4).copied().collect());
                let Ok(rank) = sets.binary_search_by(|set| (**set).cmp(&nets)) else { continue };
                let origins = if traced { found.origins.union(&value.origins) } else { Origins::None };
                entities[rank].get_or_insert_with(|| F::new(Word::of(name), origins));
            }
        };
        for table in ["hosts", "networks", "external"] {
            for (name, entry) in site.table(table) {
                put(name, entry);
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
                put(&format!("{what} {name}"), &nodes(list));
            }
            if let Some(pods) = cluster.get("pod_cidr") {
                put(&format!("pods {name}"), pods);
            }
        }
        let mut words: IndexMap<&Str, Word> = IndexMap::new();
        let mut last = None;
        // Sorted flows from one end follow each other.
        for label in labels.filter(|label| last.replace(*label) != Some(label)) {
            words.entry(label).or_insert_with(|| Word::of(label));
        }
        Self { sets, entities, labels: words }
    }

    /// The name of the group of each rule of a host, in the order of the rules. Groups that would be called the same are
    /// numbered. `absent` are the origins of flows that are not there and would have a say in it, by what they call their
    /// peers.
    pub fn given(&self, mut groups: Vec<Group>, absent: &BTreeMap<Str, Origins>) -> Vec<F<Str>> {
        groups.sort_by_key(|g| (g.ipv6, g.peers));
        let mut given: Vec<F<Str>> = vec![F::default(); groups.len()];
        for family in groups.chunk_by(|a, b| a.ipv6 == b.ipv6) {
            let ipv6 = family[0].ipv6;
            let sets: Vec<&[Group]> = family.chunk_by(|a, b| a.peers == b.peers).collect();
            let names: Vec<F<Word>> = sets.iter().map(|set| self.name(set, absent)).collect();
            let mut alike: Vec<usize> = (0..sets.len()).collect();
            alike.sort_by_key(|set| (&names[*set].value.text, *set));
            for alike in alike.chunk_by(|a, b| names[*a] == names[*b]) {
                let origins = Origins::all(alike.iter().map(|set| &names[*set].origins));
                for (n, set) in alike.iter().enumerate() {
                    let first = &names[*set].value.of_family[usize::from(ipv6)];
                    let text = if n == 0 { first.clone() } else { format!("{first}_{}", n + 1).into() };
                    for group in sets[*set] {
                        given[group.rule] = F::new(text.clone(), origins.clone());
                    }
                }
            }
        }
        given
    }

    /// What the peers of a host's rules are called, be they alone in that.
    fn name(&self, set: &[Group], absent: &BTreeMap<Str, Origins>) -> F<Word> {
        let mut labels: Vec<&Str> = set.iter().flat_map(|g| g.labels.iter().copied()).collect();
        labels.sort_unstable();
        labels.dedup();
        let beside = labels.iter().filter_map(|l| absent.get(*l));
        let origins = Origins::all(set.iter().map(|g| &g.origins).chain(beside));
        let rank = set[0].peers as usize;
        match (&self.entities[rank], &*self.sets[rank]) {
            (Some(entity), _) => F::new(entity.value.clone(), origins.union(&entity.origins)),
            (None, [one]) if labels.len() > 1 => F::new(Word::of(&short_net(one)), origins),
            (None, _) => {
                let known = labels.first().and_then(|label| self.labels.get(*label));
                F::new(known.cloned().unwrap_or_else(|| Word::of("")), origins)
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
