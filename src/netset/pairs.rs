//! Sources and targets of one family in, what is left of their pairs after permitted ones are taken away out.

use super::Addresses;

/// Pairs of a source and a target address: a union of rectangles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(Addresses, Addresses)>);

impl Pairs {
    /// Every source with every target.
    pub fn of(sources: Addresses, targets: Addresses) -> Self {
        let empty = sources.is_empty() || targets.is_empty();
        Pairs(if empty { Vec::new() } else { vec![(sources, targets)] })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rectangles; they have no pair in common.
    pub fn rectangles(&self) -> &[(Addresses, Addresses)] {
        &self.0
    }

    /// Takes away every source with every target; whether that was any of these pairs.
    pub fn subtract(&mut self, sources: &Addresses, targets: &Addresses) -> bool {
        let mut any = false;
        let mut rest = Vec::with_capacity(self.0.len());
        for (from, to) in std::mem::take(&mut self.0) {
            let (met_from, met_to) = (from.intersection(sources), to.intersection(targets));
            if met_from.is_empty() || met_to.is_empty() {
                rest.push((from, to));
                continue;
            }
            any = true;
            let parts = [(from.difference(sources), to.clone()), (met_from, to.difference(targets))];
            rest.extend(parts.into_iter().filter(|(from, to)| !from.is_empty() && !to.is_empty()));
        }
        self.0 = rest;
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netset::Family;

    fn set(text: &str) -> Addresses {
        let nets: Vec<ipnet::IpNet> = text.split(' ').map(|n| n.parse().expect("a network")).collect();
        Addresses::of_nets(Family::V4, &nets)
    }

    #[test]
    fn several_rectangles_cover_one_together() {
        let mut pairs = Pairs::of(set("10.0.0.0/30"), set("10.1.0.0/30"));
        assert!(!pairs.subtract(&set("10.0.0.4/30"), &set("10.1.0.0/24")));
        assert!(pairs.subtract(&set("10.0.0.0/31"), &set("10.1.0.0/24")));
        assert!(pairs.subtract(&set("10.0.0.2/31"), &set("10.1.0.0/31")));
        assert_eq!(pairs.rectangles(), [(set("10.0.0.2/31"), set("10.1.0.2/31"))]);
        assert!(pairs.subtract(&set("10.0.0.0/24"), &set("10.1.0.2/31")));
        assert!(pairs.is_empty());
    }
}
