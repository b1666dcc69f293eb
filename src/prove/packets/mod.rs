//! What a packet filter says, whatever its syntax: rules with their conditions and verdicts, and from a list of them the
//! exact traffic that they permit.

mod icmp;
mod meaning;

use std::collections::{BTreeMap, BTreeSet};

use crate::netset::{Addresses, Family};
use crate::value::Ports;

pub use icmp::{IcmpType, icmp_needed, icmp_type};
pub use meaning::{ALL_PORTS, Permits, permits};

/// Where a list of rules sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    Prerouting,
    Input,
    Output,
}

impl Hook {
    pub fn name(self) -> &'static str {
        match self {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Output => "output",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub matches: Match,
    pub verdict: Verdict,
    pub line: usize,
}

/// What a rule decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It only counts or logs.
    #[default]
    None,
    Accept,
    Drop,
    /// `ct state vmap`: a verdict per state, `true` for accept.
    ByState(BTreeMap<String, bool>),
}

/// A set of protocols by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols([u64; 4]);

impl Protocols {
    pub fn of(numbers: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|n| set.insert(n));
        set
    }

    pub fn insert(&mut self, number: u8) {
        self.0[usize::from(number / 64)] |= 1 << (number % 64);
    }

    pub fn contains(self, number: u8) -> bool {
        self.0[usize::from(number / 64)] & (1 << (number % 64)) != 0
    }

    pub fn numbers(self) -> impl Iterator<Item = u8> {
        let of_word = |(word, from): (u64, u8)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as u8)?;
                rest &= rest - 1;
                Some(from + bit)
            })
        };
        self.0.into_iter().zip([0, 64, 128, 192]).flat_map(of_word)
    }
}

/// The conditions of a rule; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    pub family: Option<Family>,
    /// The other end: the source where packets come in, the destination where they go out.
    pub peers: Option<Addresses>,
    pub protocols: Option<Protocols>,
    pub ports: Option<Vec<Ports>>,
    pub icmp_types: Option<BTreeSet<IcmpType>>,
    pub states: Option<BTreeSet<String>>,
    pub loopback: bool,
    /// `Some(true)`: only packets to an address of this host; `Some(false)`: only packets to others.
    pub local: Option<bool>,
    /// Only up to some rate.
    pub limited: bool,
}
