//! Networks of one end of flows: sorted, merged, shared by all flows that begin or end there.

use std::ops::Deref;
use std::sync::{Arc, LazyLock, OnceLock};

use ipnet::IpNet;

use super::field::IntoValue;
use super::network::push_net;
use crate::netset::{Addresses, Family};
use crate::value::{Origins, Str, Tracked, Value};

/// Sorted, merged networks. Copies share the networks and what is made of them.
#[derive(Clone)]
pub struct Nets(Arc<Shared>);

struct Shared {
    nets: Box<[IpNet]>,
    text: OnceLock<Str>,
    ranges: OnceLock<Value>,
    halved: OnceLock<Arc<[IpNet]>>,
    addresses: [OnceLock<Addresses>; 2],
}

impl Shared {
    fn of(nets: Box<[IpNet]>) -> Self {
        let (text, ranges, halved, addresses) = Default::default();
        Shared { nets, text, ranges, halved, addresses }
    }
}

impl Nets {
    /// The networks as tables have them: separated by spaces, single addresses without their prefix length.
    pub fn text(&self) -> &Str {
        self.0.text.get_or_init(|| {
            let mut text = String::new();
            for net in &self.0.nets {
                if !text.is_empty() {
                    text.push(' ');
                }
                push_net(&mut text, net);
            }
            text.into()
        })
    }

    /// The addresses of one family.
    pub fn addresses(&self, family: Family) -> &Addresses {
        self.0.addresses[usize::from(family == Family::V6)].get_or_init(|| Addresses::of_nets(family, &self.0.nets))
    }

    /// The networks, where none may have a prefix of length zero: two halves stand for a whole family.
    pub fn halved(&self) -> &Arc<[IpNet]> {
        let halves = |net: &IpNet| match (net.prefix_len(), net.subnets(1)) {
            (0, Ok(two)) => two.collect(),
            _ => vec![*net],
        };
        self.0.halved.get_or_init(|| self.0.nets.iter().flat_map(halves).collect())
    }

    /// A number that no other set in memory has while this one is there.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether both are one set in memory, told without looking at the networks.
    pub fn is_same(&self, other: &Nets) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Networks of one family as the fewest intervals: `10.0.0.1-10.0.0.3`, `10.1.0.0/16`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    pub nets: Nets,
    pub family: Family,
}

impl IntoValue for Ranges {
    fn to_value(&self, origins: &Origins) -> Value {
        let made = || {
            let ranges = self.nets.addresses(self.family).ranges(self.family);
            Value::list(ranges.into_iter().map(|text| Tracked::new(Str::from(text), origins.clone())).collect())
        };
        // Where nobody asks for origins, hosts share the list.
        match origins {
            Origins::None => self.nets.0.ranges.get_or_init(made).clone(),
            _ => made(),
        }
    }
}

impl From<Vec<IpNet>> for Nets {
    fn from(nets: Vec<IpNet>) -> Self {
        if nets.is_empty() {
            return Nets::default();
        }
        Nets(Arc::new(Shared::of(nets.into())))
    }
}

impl Default for Nets {
    fn default() -> Self {
        static NONE: LazyLock<Nets> = LazyLock::new(|| Nets(Arc::new(Shared::of(Box::default()))));
        NONE.clone()
    }
}

impl Deref for Nets {
    type Target = [IpNet];

    fn deref(&self) -> &[IpNet] {
        &self.0.nets
    }
}

impl<'a> IntoIterator for &'a Nets {
    type Item = &'a IpNet;
    type IntoIter = std::slice::Iter<'a, IpNet>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoValue for Nets {
    fn to_value(&self, origins: &Origins) -> Value {
        (**self).to_value(origins)
    }
}

impl PartialEq for Nets {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || **self == **other
    }
}

impl std::fmt::Debug for Nets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
