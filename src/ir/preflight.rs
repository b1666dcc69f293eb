//! What a host is asked before anything is installed: whether it is what the spec says, and what the network lets out.

use std::sync::Arc;

use super::field::item;
use super::firewall::Transport;
use crate::value::{Ports, Str};

item! {
    /// A fact of the spec that the host can be compared with.
    pub struct HostCheck {
        /// `system`, `cores`, `memory`, …: the function of the script that looks.
        kind: Str,
        /// What the function gets: names and numbers in the units that it reads.
        args: Vec<Str>,
    }
}

item! {
    /// Something that a product asks of a host, with the command that tells. Identity: host, id.
    pub struct Probe {
        host: Str,
        id: Str,
        product: Str,
        /// What is asked, as the table of results prints it.
        says: Str,
        /// The command; exit status 0 is fine. It gets values as `$1`, `$2`, …
        run: Str,
        args: Vec<Str>,
        /// What to do when it is not.
        fails: Str,
        /// Citation or reason.
        why: Str,
    }
}

item! {
    /// Outgoing traffic that is tried: one destination set, one range of ports.
    pub struct Try {
        to: Str,
        transport: Transport,
        ports: Ports,
        application: Str,
        /// Addresses, networks or a name.
        targets: Vec<Str>,
        /// How many further addresses the destination has.
        more: i64,
        /// Who needs it.
        from: Str,
    }
}

item! {
    /// A port on which something of a product will listen.
    pub struct PortCheck {
        transport: Transport,
        port: u16,
        to: Str,
        /// Whether a cluster publishes it: then nothing else may have it.
        published: bool,
    }
}

item! {
    /// The questions that one host is asked. Identity: host.
    pub struct Preflight {
        host: Str,
        addresses: Vec<Str>,
        checks: Vec<Arc<HostCheck>>,
        ports: Vec<Arc<PortCheck>>,
        probes: Vec<Arc<Probe>>,
        tries: Vec<Arc<Try>>,
    }
}
