//! The security groups of a cloud: what its network lets pass to and from each host.

use std::sync::Arc;

use super::Rule;
use super::field::item;
use crate::value::Str;

item! {
    /// One rule of a group. Identity: key.
    pub struct SecurityRule {
        /// Group, direction, protocol, ports and remote end in words: the rule keeps its name while others come and go.
        key: Str,
        /// `ingress` or `egress`.
        direction: Str,
        /// `IPv4` or `IPv6`.
        ethertype: Str,
        /// Unanswered for every protocol.
        protocol: Option<Str>,
        /// The first port, or the type of ICMP.
        low: Option<i64>,
        /// The last port, or the code of ICMP.
        high: Option<i64>,
        /// A CIDR with its prefix length.
        remote: Str,
        why: Str,
    }
}

item! {
    /// The group of one host. Identity: host.
    pub struct SecurityGroup {
        host: Str,
        /// Whether what leaves the host is filtered.
        output: bool,
        /// What is permitted, as hosts with a ruleset have it.
        rules: Vec<Arc<Rule>>,
        entries: Vec<Arc<SecurityRule>>,
    }
}
