//! Exact sets of traffic: rules as (addresses × transport × ports) go in, one canonical set comes out, so that two
//! rule lists mean the same exactly when their sets are equal.
//!
//! Canonical form: per family and transport, the port axis is cut into the fewest neighbouring slabs within which the
//! set of addresses does not change; each set of addresses is a sorted list of disjoint intervals that do not touch.

mod addresses;
mod pairs;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

pub use addresses::Addresses;
pub use pairs::Pairs;

use crate::ir::Transport;
use crate::value::Ports;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The family of a network.
    pub fn of(net: &IpNet) -> Self {
        if matches!(net, IpNet::V4(_)) { Family::V4 } else { Family::V6 }
    }

    /// The highest address, as a number.
    fn last(self) -> u128 {
        if self == Family::V4 { u32::MAX.into() } else { u128::MAX }
    }

    fn bits(self) -> u32 {
        if self == Family::V4 { 32 } else { 128 }
    }

    fn address(self, number: u128) -> IpAddr {
        match self {
            // The intervals of this family never exceed 32 bits.
            Family::V4 => Ipv4Addr::from(number as u32).into(),
            Family::V6 => Ipv6Addr::from(number).into(),
        }
    }
}

/// A set of traffic in canonical form: equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    slabs: BTreeMap<(Family, Transport), Vec<Slab>>,
}

/// Inclusive intervals of addresses by the port ranges that a rule names.
type Intervals = BTreeMap<Ports, Vec<(u128, u128)>>;

/// Neighbouring ports with the same addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slab {
    ports: Ports,
    addresses: Addresses,
}

/// A set of traffic as it was stated, clause by clause; made canonical only where that is needed.
#[derive(Clone, Debug, Default)]
pub struct Region {
    clauses: Vec<Clause>,
}

impl Region {
    pub fn add(&mut self, clauses: impl IntoIterator<Item = Clause>) {
        self.clauses.extend(clauses);
    }

    /// Takes in what another set has.
    pub fn merge(&mut self, other: Region) {
        self.clauses.extend(other.clauses);
    }

    pub fn is_empty(&self) -> bool {
        self.clauses.iter().all(|c| c.ports.is_empty() || c.addresses.is_empty())
    }

    /// The canonical set.
    pub fn traffic(&self) -> Traffic {
        Traffic::of(self.clauses.iter().cloned())
    }
}

impl PartialEq for Region {
    /// Whether both are the same set, however each is stated.
    fn eq(&self, other: &Self) -> bool {
        fn sorted(region: &Region) -> Vec<&Clause> {
            let mut list: Vec<&Clause> = region.clauses.iter().collect();
            list.sort_unstable();
            list
        }
        // The same clauses are the same set; only unlike ones are worth the algebra.
        self.clauses == other.clauses || sorted(self) == sorted(other) || self.traffic() == other.traffic()
    }
}

impl Eq for Region {}

/// One kind of traffic as a rule states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    pub family: Family,
    pub transport: Transport,
    pub ports: Vec<Ports>,
    pub addresses: Addresses,
}

impl Traffic {
    /// The union of any number of clauses.
    pub fn of(clauses: impl IntoIterator<Item = Clause>) -> Self {
        let mut grouped: BTreeMap<(Family, Transport), Intervals> = BTreeMap::new();
        for c in clauses {
            let groups = grouped.entry((c.family, c.transport)).or_default();
            for ports in c.ports {
                groups.entry(ports).or_default().extend_from_slice(&c.addresses.0);
            }
        }
        let mut slabs = BTreeMap::new();
        for (key, groups) in grouped {
            let list = cut(groups);
            if !list.is_empty() {
                slabs.insert(key, list);
            }
        }
        Traffic { slabs }
    }

    pub fn is_empty(&self) -> bool {
        self.slabs.is_empty()
    }

    pub fn union(&self, other: &Traffic) -> Traffic {
        self.combine(other, |a, b| a.union(b))
    }

    pub fn intersection(&self, other: &Traffic) -> Traffic {
        self.combine(other, |a, b| a.intersection(b))
    }

    /// What is in this set and not in the other one.
    pub fn difference(&self, other: &Traffic) -> Traffic {
        self.combine(other, |a, b| a.difference(b))
    }

    /// The pieces of the set, sorted by family, transport and ports.
    pub fn clauses(&self) -> impl Iterator<Item = Clause> + '_ {
        self.slabs.iter().flat_map(|(&(family, transport), list)| {
            list.iter().map(move |s| Clause { family, transport, ports: vec![s.ports], addresses: s.addresses.clone() })
        })
    }

    /// The lowest member as one packet, for a message: `tcp port 443 of 10.20.0.0`; `None` for the empty set.
    pub fn example(&self) -> Option<String> {
        let (&(family, transport), list) = self.slabs.first_key_value()?;
        let slab = list.first()?;
        let (low, _) = *slab.addresses.0.first()?;
        let port = if transport.has_ports() { format!("port {} ", slab.ports.low) } else { String::new() };
        Some(format!("{} {port}of {}", transport.name(), family.address(low)))
    }

    fn combine(&self, other: &Traffic, op: impl Fn(&Addresses, &Addresses) -> Addresses) -> Traffic {
        let mut keys: Vec<_> = self.slabs.keys().chain(other.slabs.keys()).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut slabs = BTreeMap::new();
        for key in keys {
            let (a, b) = (self.slabs.get(&key), other.slabs.get(&key));
            let list = combine_slabs(a.map_or(&[], |v| v), b.map_or(&[], |v| v), &op);
            if !list.is_empty() {
                slabs.insert(key, list);
            }
        }
        Traffic { slabs }
    }
}

impl fmt::Display for Traffic {
    /// `tcp 443 of 10.20.0.0/16 10.30.8.4; udp 123 of any IPv6 address`, cut short after some pieces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PIECES_MAX: usize = 4;
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (i, c) in self.clauses().enumerate() {
            if i == PIECES_MAX {
                return write!(f, "; and {} more", self.clauses().count() - PIECES_MAX);
            }
            let join = if i == 0 { "" } else { "; " };
            let ports = c.ports.first().filter(|_| c.transport.has_ports());
            let ports = ports.map(|p| format!("{p} ")).unwrap_or_default();
            write!(f, "{join}{} {ports}of {}", c.transport.name(), c.addresses.text(c.family))?;
        }
        Ok(())
    }
}

/// Cuts overlapping port ranges into slabs, lowest port first.
fn cut(groups: Intervals) -> Vec<Slab> {
    let groups: Vec<(Ports, Addresses)> = groups.into_iter().map(|(p, i)| (p, Addresses::of(i))).collect();
    // A group that is still open when the next port is reached overlaps it.
    let mut cuts: Vec<u32> = groups.iter().flat_map(|(p, _)| [u32::from(p.low), u32::from(p.high) + 1]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut slabs = Vec::new();
    let mut open: Vec<&(Ports, Addresses)> = Vec::new();
    let mut next = groups.iter().peekable();
    for pair in cuts.windows(2) {
        let (low, end) = (pair[0], pair[1]);
        open.retain(|(p, _)| u32::from(p.high) >= low);
        while let Some(group) = next.next_if(|(p, _)| u32::from(p.low) == low) {
            open.push(group);
        }
        let addresses = match open.as_slice() {
            [] => continue,
            [(_, one)] => one.clone(),
            several => Addresses::of(several.iter().flat_map(|(_, a)| a.0.iter().copied()).collect()),
        };
        push_slab(&mut slabs, Slab { ports: Ports { low: low as u16, high: (end - 1) as u16 }, addresses });
    }
    slabs
}

/// Appends a slab that lies behind all others, joining it to the last one when nothing changes between them.
fn push_slab(slabs: &mut Vec<Slab>, slab: Slab) {
    if slab.addresses.is_empty() {
        return;
    }
    match slabs.last_mut() {
        Some(last)
            if u32::from(last.ports.high) + 1 == u32::from(slab.ports.low) && last.addresses == slab.addresses =>
        {
            last.ports.high = slab.ports.high;
        }
        _ => slabs.push(slab),
    }
}

fn combine_slabs(a: &[Slab], b: &[Slab], op: impl Fn(&Addresses, &Addresses) -> Addresses) -> Vec<Slab> {
    let mut cuts: Vec<u32> =
        a.iter().chain(b).flat_map(|s| [u32::from(s.ports.low), u32::from(s.ports.high) + 1]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let nothing = Addresses::default();
    let (mut i, mut j) = (0, 0);
    let mut slabs = Vec::new();
    for pair in cuts.windows(2) {
        let (low, end) = (pair[0], pair[1]);
        let at = |list: &[Slab], index: &mut usize| {
            while list.get(*index).is_some_and(|s| u32::from(s.ports.high) < low) {
                *index += 1;
            }
            list.get(*index).is_some_and(|s| u32::from(s.ports.low) <= low)
        };
        let (in_a, in_b) = (at(a, &mut i), at(b, &mut j));
        let left = if in_a { &a[i].addresses } else { &nothing };
        let right = if in_b { &b[j].addresses } else { &nothing };
        let ports = Ports { low: low as u16, high: (end - 1) as u16 };
        push_slab(&mut slabs, Slab { ports, addresses: op(left, right) });
    }
    slabs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(transport: Transport, ports: (u16, u16), net: &str) -> Clause {
        let net: IpNet = net.parse().expect("a net");
        let family = Family::of(&net);
        let ports = vec![Ports { low: ports.0, high: ports.1 }];
        Clause { family, transport, ports, addresses: Addresses::of_nets(family, [&net]) }
    }

    fn tcp(low: u16, high: u16, net: &str) -> Clause {
        clause(Transport::Tcp, (low, high), net)
    }

    #[test]
    fn order_and_cutting_do_not_matter() {
        let a = Traffic::of([tcp(80, 443, "10.0.0.0/8")]);
        let b = Traffic::of([
            tcp(100, 443, "10.128.0.0/9"),
            tcp(80, 99, "10.0.0.0/8"),
            tcp(90, 443, "10.0.0.0/9"),
            tcp(100, 200, "10.3.0.0/16"),
        ]);
        assert_eq!(a, b);
        assert_eq!(b.to_string(), "tcp 80-443 of 10.0.0.0/8");
    }

    #[test]
    fn differences_are_exact() {
        let wide = Traffic::of([tcp(0, 65535, "::/0"), tcp(0, 65535, "0.0.0.0/0")]);
        let hole = Traffic::of([tcp(443, 443, "10.0.0.1/32")]);
        let rest = wide.difference(&hole);
        assert_eq!(rest.intersection(&hole), Traffic::default());
        assert_eq!(rest.union(&hole), wide);
        assert_eq!(wide.difference(&rest), hole);
        assert_eq!(hole.example().as_deref(), Some("tcp port 443 of 10.0.0.1"));
        assert_eq!(wide.difference(&wide).to_string(), "nothing");
    }

    #[test]
    fn families_and_transports_stay_apart() {
        let a = Traffic::of([tcp(53, 53, "0.0.0.0/0"), clause(Transport::Udp, (53, 53), "::/0")]);
        assert_eq!(a.to_string(), "tcp 53 of any IPv4 address; udp 53 of any IPv6 address");
        assert!(a.intersection(&Traffic::of([tcp(53, 53, "::/0")])).is_empty());
    }

    #[test]
    fn nets_are_the_shortest_list() {
        let between = |a: &str, b: &str| Addresses::between(a.parse().expect("low"), b.parse().expect("high"));
        let set = between("10.0.0.1", "10.0.0.8").expect("an interval");
        assert_eq!(set.text(Family::V4), "10.0.0.1 10.0.0.2/31 10.0.0.4/30 10.0.0.8");
        assert_eq!(Addresses::any(Family::V6).nets(Family::V6).len(), 1);
        assert_eq!(between("::1", "10.0.0.1"), None);
        assert_eq!(between("10.0.0.2", "10.0.0.1"), None);
    }

    /// Compares the algebra with plain bit sets over a small space, for many pseudo-random rule lists.
    #[test]
    fn agrees_with_bit_sets() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = move |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        for _ in 0..300 {
            let mut side = || {
                let mut bits = [[false; 16]; 12];
                let mut clauses = Vec::new();
                for _ in 0..random(6) {
                    let (p, q, a, b) = (random(12), random(12), random(16), random(16));
                    let (p, q, a, b) = (p.min(q), p.max(q), a.min(b), a.max(b));
                    for row in bits.iter_mut().take(q as usize + 1).skip(p as usize) {
                        row[a as usize..=b as usize].fill(true);
                    }
                    clauses.push(Clause {
                        family: Family::V6,
                        transport: Transport::Tcp,
                        ports: vec![Ports { low: p as u16, high: q as u16 }],
                        addresses: Addresses([(a.into(), b.into())].into()),
                    });
                }
                (bits, Traffic::of(clauses))
            };
            let ((x, a), (y, b)) = (side(), side());
            let bits = |f: &dyn Fn(bool, bool) -> bool| {
                let mut clauses = Vec::new();
                for (port, row) in x.iter().enumerate() {
                    for (address, &bit) in row.iter().enumerate() {
                        if f(bit, y[port][address]) {
                            clauses.push(Clause {
                                family: Family::V6,
                                transport: Transport::Tcp,
                                ports: vec![Ports::one(port as u16)],
                                addresses: Addresses([(address as u128, address as u128)].into()),
                            });
                        }
                    }
                }
                Traffic::of(clauses)
            };
            assert_eq!(a.union(&b), bits(&|p, q| p || q));
            assert_eq!(a.intersection(&b), bits(&|p, q| p && q));
            assert_eq!(a.difference(&b), bits(&|p, q| p && !q));
        }
    }
}
