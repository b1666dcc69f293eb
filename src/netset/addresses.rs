//! Networks and ranges of one family in, a canonical set of addresses out: sorted, disjoint intervals.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::Family;

/// A set of addresses of one family: sorted, disjoint, inclusive intervals that do not touch. Copies share them: rules
/// name one set many times.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addresses(pub(super) Arc<[(u128, u128)]>);

impl Addresses {
    /// Makes a set from inclusive intervals in any order.
    pub(super) fn of(mut list: Vec<(u128, u128)>) -> Self {
        if list.len() > 1 {
            list.sort_unstable();
            let mut kept = 0;
            for i in 1..list.len() {
                let (low, high) = list[i];
                if list[kept].1 == u128::MAX || low <= list[kept].1 + 1 {
                    list[kept].1 = list[kept].1.max(high);
                } else {
                    kept += 1;
                    list[kept] = (low, high);
                }
            }
            list.truncate(kept + 1);
        }
        Addresses(list.into())
    }

    /// Every address of a family.
    pub fn any(family: Family) -> Self {
        Addresses([(0, family.last())].into())
    }

    /// The union of the networks of one family; those of the other one are left out.
    pub fn of_nets<'a>(family: Family, nets: impl IntoIterator<Item = &'a IpNet>) -> Self {
        Self::of(nets.into_iter().filter(|n| Family::of(n) == family).map(interval).collect())
    }

    /// The addresses from one to another of the same family, both included; `None` when they do not form an interval.
    pub fn between(low: IpAddr, high: IpAddr) -> Option<Self> {
        let pair = match (low, high) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a).into(), u32::from(b).into()),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.into(), b.into()),
            _ => return None,
        };
        (pair.0 <= pair.1).then(|| Addresses([pair].into()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn union(&self, other: &Addresses) -> Addresses {
        Self::of(self.0.iter().chain(&*other.0).copied().collect())
    }

    /// The union of any number of sets.
    pub fn union_of(sets: impl IntoIterator<Item = Addresses>) -> Addresses {
        Self::of(sets.into_iter().flat_map(|s| s.0.to_vec()).collect())
    }

    /// The union of sets that have nothing in common; `None` when two of them overlap.
    pub fn disjoint_union_of(sets: impl IntoIterator<Item = Addresses>) -> Option<Addresses> {
        let mut list: Vec<(u128, u128)> = sets.into_iter().flat_map(|s| s.0.to_vec()).collect();
        list.sort_unstable();
        list.windows(2).all(|pair| pair[0].1 < pair[1].0).then(|| Self::of(list))
    }

    pub fn intersection(&self, other: &Addresses) -> Addresses {
        let (mut i, mut j, mut list) = (0, 0, Vec::new());
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                list.push((low, high));
            }
            if a.1 <= b.1 { i += 1 } else { j += 1 }
        }
        Addresses(list.into())
    }

    /// What is in this set and not in the other one.
    pub fn difference(&self, other: &Addresses) -> Addresses {
        let (mut list, mut j) = (Vec::new(), 0);
        for &(low, high) in &*self.0 {
            let mut rest = Some(low);
            while let Some(low) = rest {
                while other.0.get(j).is_some_and(|b| b.1 < low) {
                    j += 1;
                }
                match other.0.get(j) {
                    Some(&(from, to)) if from <= high => {
                        if from > low {
                            list.push((low, from - 1));
                        }
                        rest = (to < high).then(|| to + 1);
                    }
                    _ => {
                        list.push((low, high));
                        rest = None;
                    }
                }
            }
        }
        Addresses(list.into())
    }

    /// The shortest list of networks that makes up this set, sorted.
    pub fn nets(&self, family: Family) -> Vec<IpNet> {
        let mut nets = Vec::new();
        for &(low, high) in &*self.0 {
            let mut next = Some(low);
            while let Some(low) = next {
                // The largest block that begins here and does not pass the end.
                let mut size = low.trailing_zeros().min(family.bits());
                while size > 0 && (high - low) < block_last(size) {
                    size -= 1;
                }
                let prefix = (family.bits() - size) as u8;
                if let Ok(net) = IpNet::new(family.address(low), prefix) {
                    nets.push(net);
                }
                next = low.checked_add(block_last(size)).filter(|last| *last < high).map(|last| last + 1);
            }
        }
        nets
    }

    /// The fewest intervals, sorted: a single address, a network where the interval is one, else `low-high`.
    pub fn ranges(&self, family: Family) -> Vec<String> {
        let text = |&(low, high): &(u128, u128)| {
            let one = Addresses([(low, high)].into());
            match one.nets(family).as_slice() {
                [net] => crate::ir::short_net(net),
                _ => format!("{}-{}", family.address(low), family.address(high)),
            }
        };
        self.0.iter().map(text).collect()
    }

    /// For messages: networks separated by spaces, cut short after some, `any IPv4 address` for all, and what is missing
    /// where that is shorter.
    pub fn text(&self, family: Family) -> String {
        const NETS_MAX: usize = 6;
        let any = format!("any {} address", if family == Family::V4 { "IPv4" } else { "IPv6" });
        if *self == Self::any(family) {
            return any;
        }
        let nets = self.nets(family);
        let missing = Self::any(family).difference(self).nets(family);
        if nets.len() > NETS_MAX && missing.len() <= NETS_MAX {
            let words: Vec<String> = missing.iter().map(crate::ir::short_net).collect();
            return format!("{any} but {}", words.join(" "));
        }
        let mut words: Vec<String> = nets.iter().take(NETS_MAX).map(crate::ir::short_net).collect();
        if nets.len() > NETS_MAX {
            words.push(format!("and {} more networks", nets.len() - NETS_MAX));
        }
        words.join(" ")
    }
}

/// The offset of the last address in a block of 2^size addresses.
fn block_last(size: u32) -> u128 {
    if size >= 128 { u128::MAX } else { (1u128 << size) - 1 }
}

fn interval(net: &IpNet) -> (u128, u128) {
    match net {
        IpNet::V4(n) => (u32::from(n.network()).into(), u32::from(n.broadcast()).into()),
        IpNet::V6(n) => (n.network().into(), n.broadcast().into()),
    }
}
