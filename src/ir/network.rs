//! Permitted traffic and the reverse proxy.

use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

use super::Transport;
use super::field::{IntoValue, item, words};
use super::nets::Nets;
use crate::value::{Origins, Ports, Str, Value};

words! {
    /// Where a flow passes.
    pub enum Scope {
        /// Inside a cluster, from pod to pod.
        Cluster = "cluster",
        /// Between hosts of the site.
        #[default]
        Site = "site",
        /// One end lies outside the site's networks.
        External = "external",
    }
}

/// One end of a flow: addresses, or the pods of a cluster, or an end whose addresses the spec does not give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers {
    /// Sorted, merged.
    pub nets: Nets,
    /// The cluster whose pods these are.
    pub pods: Option<Str>,
    /// The DNS name of an end whose addresses are not given.
    pub name: Option<Str>,
}

impl Peers {
    /// As the cells of `flows.csv` have it: single addresses without their prefix length, `cluster:<name>` for pods,
    /// separated by spaces; the DNS name where no address is known.
    pub fn text(&self) -> Str {
        match (&self.pods, &self.name) {
            (Some(pods), _) if self.nets.is_empty() => format!("cluster:{pods}").into(),
            (Some(pods), _) => format!("cluster:{pods} {}", self.nets.text()).into(),
            (None, Some(name)) if self.nets.is_empty() => name.clone(),
            (None, _) => self.nets.text().clone(),
        }
    }
}

/// A CIDR as people write it: a single address without `/32` or `/128`.
pub fn short_net(net: &IpNet) -> String {
    let mut text = String::new();
    push_net(&mut text, net);
    text
}

/// Appends a CIDR as [`short_net`] writes it. Tables have so many addresses that the detour over a formatter, which could
/// pad, is worth avoiding.
pub(super) fn push_net(text: &mut String, net: &IpNet) {
    match net.addr() {
        IpAddr::V4(address) => {
            for (i, byte) in address.octets().into_iter().enumerate() {
                if i > 0 {
                    text.push('.');
                }
                push_byte(text, byte);
            }
        }
        // The standard library writes these with dots.
        IpAddr::V6(address) if address.to_ipv4().is_some() => text.push_str(&address.to_string()),
        IpAddr::V6(address) => push_v6(text, address.segments()),
    }
    if net.prefix_len() < net.max_prefix_len() {
        text.push('/');
        push_byte(text, net.prefix_len());
    }
}

/// RFC 5952: the first of the longest runs of at least two zeros is `::`.
fn push_v6(text: &mut String, segments: [u16; 8]) {
    let zeros = |from: usize| segments[from..].iter().take_while(|s| **s == 0).count();
    let (gap, length) = (0..8).map(|from| (from, zeros(from))).rev().max_by_key(|(_, n)| *n).unwrap_or_default();
    let mut at = 0;
    while at < 8 {
        if at == gap && length > 1 {
            text.push_str("::");
            at += length;
            continue;
        }
        if at > 0 && !text.ends_with(':') {
            text.push(':');
        }
        let segment = segments[at];
        for shift in [12, 8, 4, 0].into_iter().filter(|shift| *shift == 0 || segment >> shift > 0) {
            text.extend(char::from_digit(u32::from(segment >> shift & 0xf), 16));
        }
        at += 1;
    }
}

fn push_byte(text: &mut String, byte: u8) {
    for (power, least) in [(100, 100), (10, 10), (1, 0)] {
        if byte >= least {
            text.push(char::from(b'0' + byte / power % 10));
        }
    }
}

impl Flow {
    /// The ports that are permitted; all of them for a protocol without ports.
    pub fn all_ports(&self) -> Ports {
        self.ports.value.unwrap_or(Ports { low: 0, high: u16::MAX })
    }

    /// The ports that a program can try without rights of its own: those of TCP and UDP.
    pub fn tried_ports(&self) -> Option<Ports> {
        self.ports.value.filter(|_| matches!(*self.transport, Transport::Tcp | Transport::Udp))
    }

    /// What is permitted, as rows of a request have it: `443/tcp`, `1024-2048/udp`, `ip-in-ip`.
    pub fn service(&self) -> String {
        match self.ports.value {
            Some(ports) => format!("{ports}/{}", self.transport.name()),
            None => self.transport.name().to_owned(),
        }
    }

    /// The flow in a line of words, as reports name it: `demo: users -> proxy1 : 443/tcp HTTPS`.
    pub fn in_words(&self) -> String {
        let application = if self.application.is_empty() { String::new() } else { format!(" {}", *self.application) };
        let (product, from, to) = (&*self.product, &*self.from, &*self.to);
        format!("{product}: {from} -> {to} : {}{application}", self.service())
    }
}

impl IntoValue for Peers {
    fn to_value(&self, _: &Origins) -> Value {
        Value::Str(self.text())
    }
}

item! {
    /// One row of permitted traffic. Identity: product, from, to, transport, ports, application, peers.
    pub struct Flow {
        /// The product instance that needs it; `site` for what the site itself declares.
        product: Str,
        /// Component of the product, or service, or actor: as the table prints it.
        from: Str,
        from_hosts: Peers,
        to: Str,
        to_hosts: Peers,
        transport: Transport,
        /// Unanswered where the transport has none.
        ports: Option<Ports>,
        application: Str,
        scope: Scope,
        /// Whether the ports are node ports or published ports of a cluster.
        published: bool,
        /// The product whose components these are, the site's own additions to a published port included.
        pods_of: Option<Str>,
        /// The component of the product whose pods it begins at.
        from_component: Option<Str>,
        /// The component of the product whose pods it ends at, by way of a published port as well.
        to_component: Option<Str>,
        /// What the pack calls the port.
        port_name: Option<Str>,
        /// Why: citation or reason, with what the pack adds to it (`runs once during installation`).
        why: Str,
    }
}

item! {
    /// One server behind a proxy.
    pub struct Upstream {
        host: Str,
        address: IpAddr,
        port: u16,
        /// `address:port`, an IPv6 address in brackets.
        endpoint: Str,
        /// The same with the port of the health check, if there is one.
        health_endpoint: Option<Str>,
    }
}

item! {
    /// A reverse proxy with what it must do. Identity: host, product.
    pub struct Proxy {
        host: Str,
        product: Str,
        /// `nginx`, `traefik`, or another kind for which a checklist is made.
        kind: Str,
        server_name: Str,
        /// Addresses of the proxy host.
        addresses: Vec<IpAddr>,
        port: u16,
        certificate_file: Option<Str>,
        key_file: Option<Str>,
        upstreams: Vec<Arc<Upstream>>,
        /// The name of the group of upstream servers in the configuration.
        upstream: Str,
        health_port: Option<u16>,
        /// Unanswered while only the installation itself can reveal it.
        health_path: Option<Str>,
        /// Largest request body in bytes; 0 for no limit.
        body_bytes: i64,
        /// The same as configuration files write it: `20g`.
        body_size: Str,
        /// Size of the buffer for response headers in bytes.
        buffer_bytes: i64,
        /// The same as configuration files write it: `128k`.
        buffer_size: Str,
        websocket: bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        for net in [
            "0.0.0.0/0",
            "10.20.30.4/32",
            "10.0.100.0/22",
            "255.255.255.255/32",
            "1.0.0.9/32",
            "::/0",
            "::1/128",
            "::/128",
            "::ffff:10.0.0.1/128",
            "::a00:1/128",
            "fe80::/10",
            "2001:db8::1/128",
            "2001:db8:0:0:1::/80",
            "2001:0:0:1::1/128",
            "2001:db8:1:2:3:4:5:6/128",
            "0:0:0:1::/64",
            "1:0:0:2:0:0:0:3/128",
            "1:0:2:3:4:5:0:6/128",
            "fd00:30:8::11/128",
        ] {
            let net: IpNet = net.parse().expect("a network");
            let single = net.prefix_len() == net.max_prefix_len();
            assert_eq!(short_net(&net), if single { net.addr().to_string() } else { net.to_string() });
        }
    }
}
