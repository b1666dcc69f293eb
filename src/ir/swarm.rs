//! What belongs in a swarm: overlay networks in the order in which they are needed, stacks.

use super::field::item;
use crate::value::{Str, Value};

item! {
    /// A network that spans the nodes of a swarm and is made before the stacks that join it. Identity: cluster, name.
    pub struct Overlay {
        cluster: Str,
        name: Str,
        product: Str,
        driver: Str,
        /// Whether containers that are no services may join.
        attachable: bool,
        encrypted: bool,
        /// `None` leaves the addresses to the swarm.
        subnet: Option<Value>,
        gateway: Option<Value>,
        /// `key=value`, for the driver.
        options: Vec<Str>,
        labels: Vec<Str>,
        /// The place in the order of all overlays of the cluster, from 0.
        position: i64,
    }
}

item! {
    /// A stack of services. Identity: cluster, name. Its file is a document.
    pub struct Stack {
        cluster: Str,
        name: Str,
        product: Str,
        /// The Compose file.
        path: Str,
        body: Value,
    }
}
