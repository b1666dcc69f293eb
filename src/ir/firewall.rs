//! The rulesets of hosts: the rules that follow from permitted traffic, and the sets of addresses that they name.

use std::sync::Arc;

use ipnet::IpNet;

use super::field::{item, words};
use super::nets::{Nets, Ranges};
use crate::value::{Ports, Str};

words! {
    /// What carries a connection: a transport protocol, or an IP protocol that knows no ports.
    pub enum Transport {
        #[default]
        Tcp = "tcp",
        Udp = "udp",
        Sctp = "sctp",
        /// ICMP of either family, every type.
        Icmp = "icmp",
        /// IPv4 packed into IP, as overlay networks do.
        IpInIp = "ip-in-ip",
        Gre = "gre",
        Esp = "esp",
        Ah = "ah",
        Ospf = "ospf",
        Vrrp = "vrrp",
    }
}

impl Transport {
    pub const ALL: [Transport; 10] = [
        Transport::Tcp,
        Transport::Udp,
        Transport::Sctp,
        Transport::Icmp,
        Transport::IpInIp,
        Transport::Gre,
        Transport::Esp,
        Transport::Ah,
        Transport::Ospf,
        Transport::Vrrp,
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Whether it tells its connections apart by ports.
    pub fn has_ports(self) -> bool {
        matches!(self, Transport::Tcp | Transport::Udp | Transport::Sctp)
    }

    /// Ports with their transport, or what has no ports alone: `443/tcp`, `esp`.
    pub fn service(self, ports: Ports) -> String {
        if self.has_ports() { format!("{ports}/{}", self.name()) } else { self.name().to_owned() }
    }

    /// The number that IANA has given it; ICMP has another one in IPv6.
    pub fn number(self, ipv6: bool) -> u8 {
        match self {
            Transport::Tcp => 6,
            Transport::Udp => 17,
            Transport::Sctp => 132,
            Transport::Icmp if ipv6 => 58,
            Transport::Icmp => 1,
            Transport::IpInIp => 4,
            Transport::Gre => 47,
            Transport::Esp => 50,
            Transport::Ah => 51,
            Transport::Ospf => 89,
            Transport::Vrrp => 112,
        }
    }

    /// The transport with a number; the inverse of [`Transport::number`].
    pub fn from_number(number: u8, ipv6: bool) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.number(ipv6) == number)
    }
}

words! {
    /// The chain of a host's ruleset in which a rule stands.
    pub enum RuleChain {
        #[default]
        Input = "input",
        /// Before the cluster rewrites node ports and published ports.
        NodePort = "node_port",
        Output = "output",
    }
}

words! {
    /// The form in which a host's ruleset is written.
    pub enum Target {
        #[default]
        Nftables = "nftables",
        Iptables = "iptables",
        Firewalld = "firewalld",
        Windows = "windows",
    }
}

impl Target {
    pub const ALL: [Target; 4] = [Target::Nftables, Target::Iptables, Target::Firewalld, Target::Windows];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
}

item! {
    /// Peers that a host's rules name together. Identity: host, name.
    pub struct AddressSet {
        /// A word of letters, digits and `_`, not longer than every target takes.
        name: Str,
        /// 4 or 6.
        family: i64,
        /// Sorted, merged.
        nets: Nets,
        /// The same as the fewest intervals: `10.0.0.1-10.0.0.3`, `10.1.0.0/16`.
        ranges: Ranges,
        /// The networks once more, where none may have a prefix of length zero: two halves stand for a whole family.
        entries: Arc<[IpNet]>,
    }
}

item! {
    /// One rule of one host's ruleset. Identity: host, chain, transport, ports, peers.
    pub struct Rule {
        host: Str,
        chain: RuleChain,
        /// The set of the host that holds the peers.
        set: Str,
        /// Who may send (input) or be sent to (output); one family per rule. Empty: anyone.
        peers: Nets,
        /// 4 or 6.
        family: i64,
        transport: Transport,
        /// Empty where the transport has none.
        ports: Vec<Ports>,
        /// The same in groups that one condition of iptables holds, at hosts of that form; one empty group where the
        /// transport has none.
        multiport: Vec<Vec<Ports>>,
        /// The transport's number in this family.
        protocol: i64,
        why: Str,
    }
}

item! {
    /// The ruleset of one host. Identity: host.
    pub struct Firewall {
        host: Str,
        target: Target,
        rules: Vec<Arc<Rule>>,
        /// The sets that the rules name, sorted by name.
        sets: Vec<Arc<AddressSet>>,
        /// The ports of the cluster's nodes that the cluster rewrites; these are judged before it does.
        node_ports: Vec<Ports>,
        /// Whether the host is a node of a cluster, whose packets only pass through.
        forwards: bool,
        /// Whether what leaves the host is filtered too.
        output: bool,
        /// Whether what no rule permits is logged before it is dropped.
        log: bool,
    }
}
