//! Networks of one end of flows: sorted, merged, shared by all flows that begin or end there.

use std::ops::Deref;
use std::sync::{Arc, LazyLock, OnceLock};

use ipnet::IpNet;

use super::network::push_net;
use crate::value::Str;

/// Sorted, merged networks. Copies share the networks and their text.
#[derive(Clone)]
pub struct Nets(Arc<Shared>);

struct Shared {
    nets: Box<[IpNet]>,
    text: OnceLock<Str>,
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

    /// Whether both are one set in memory, told without looking at the networks.
    pub fn is_same(&self, other: &Nets) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Vec<IpNet>> for Nets {
    fn from(nets: Vec<IpNet>) -> Self {
        if nets.is_empty() {
            return Nets::default();
        }
        Nets(Arc::new(Shared { nets: nets.into(), text: OnceLock::new() }))
    }
}

impl Default for Nets {
    fn default() -> Self {
        static NONE: LazyLock<Nets> =
            LazyLock::new(|| Nets(Arc::new(Shared { nets: Box::default(), text: OnceLock::new() })));
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
