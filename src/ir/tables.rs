//! Permitted traffic as people ask for it: zone by zone, host by host, and what the outside has to do with the site.

use std::sync::Arc;

use ipnet::IpNet;

use super::field::{item, words};
use super::network::Flow;
use super::{Peers, Transport};
use crate::value::{Ports, Str};

words! {
    /// On which side of a flow the outside of the site is.
    pub enum Exposure {
        #[default]
        None = "none",
        /// Somebody outside reaches the site.
        In = "in",
        /// The site reaches somebody outside.
        Out = "out",
        /// Both ends lie outside.
        Through = "through",
    }
}

item! {
    /// A table of traffic that the site asks for. Identity: name.
    pub struct FlowTable {
        /// The word of the spec that asks for it: `csv`, `markdown`, `html`, `matrix`, `request`, `exposed`.
        name: Str,
    }
}

item! {
    /// A part of the world as firewalls between networks see it: a network, the pods of a cluster, the outside.
    /// Identity: name.
    pub struct Zone {
        name: Str,
        /// Its networks, if it has any.
        nets: Vec<IpNet>,
        /// The same in one text.
        addresses: Str,
        role: Str,
    }
}

item! {
    /// The part of one or several flows that lies between two zones: flows that differ in their ports alone are one row.
    /// Identity: from_zone, to_zone, product, from, to, transport, application, peers, why.
    pub struct ZoneFlow {
        from_zone: Str,
        to_zone: Str,
        product: Str,
        from: Str,
        sources: Peers,
        to: Str,
        destinations: Peers,
        transport: Transport,
        /// Sorted, joined; empty where the transport has none.
        ports: Vec<Ports>,
        /// The same in one text: `111, 4045-4046`.
        port_list: Str,
        application: Str,
        why: Str,
        /// What a network team is told: the application with what it goes from and to, and the product.
        reason: Str,
        /// Who answers for it; empty where the spec does not say.
        owner: Str,
        /// Whether a firewall between networks may stand in the way.
        crosses: bool,
        exposure: Exposure,
    }
}

item! {
    /// Everything between two zones. Identity: from, to.
    pub struct ZonePair {
        from: Str,
        to: Str,
        /// Transports and ports, joined: `22, 443/tcp; 53/udp`; empty for nothing.
        services: Str,
        flows: Vec<Arc<ZoneFlow>>,
    }
}

item! {
    /// One row of the matrix: what a zone may open, zone by zone. Identity: from.
    pub struct MatrixRow {
        from: Str,
        /// One cell for each zone, in the order of the zones.
        cells: Vec<Str>,
    }
}

item! {
    /// What one host lets in and opens. Identity: host.
    pub struct HostFlows {
        host: Str,
        addresses: Str,
        incoming: Vec<Arc<Flow>>,
        outgoing: Vec<Arc<Flow>>,
    }
}
