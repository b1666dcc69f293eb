//! The addresses of hosts, to tell which hosts a network holds.

use std::collections::BTreeSet;
use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::peers::host_addresses;
use crate::ir::Nets;
use crate::value::{Origins, Tracked};

/// One address of a host.
pub struct HostAddress {
    pub address: IpAddr,
    /// The number of the host, in the order in which the hosts were given.
    pub host: usize,
    pub origins: Origins,
}

/// The addresses of all hosts, sorted.
pub struct HostAddresses(Vec<HostAddress>);

impl HostAddresses {
    /// Of these entries; what is none has no addresses, and its number all the same.
    pub fn of<'a>(hosts: impl IntoIterator<Item = Option<&'a Tracked>>) -> Self {
        let mut all = Vec::new();
        for (host, entry) in hosts.into_iter().enumerate() {
            let own = entry.map(host_addresses).unwrap_or_default();
            all.extend(own.into_iter().map(|a| HostAddress { address: a.value, host, origins: a.origins }));
        }
        all.sort_by_key(|a| (a.address, a.host));
        Self(all)
    }

    /// The address of a number that [`HostAddresses::within`] gave.
    pub fn get(&self, number: usize) -> &HostAddress {
        &self.0[number]
    }

    /// The addresses that a network holds, each with its number.
    pub fn within(&self, net: &IpNet) -> impl Iterator<Item = (usize, &HostAddress)> {
        let from = self.0.partition_point(|a| a.address < net.network());
        let last = net.broadcast();
        (from..).zip(&self.0[from..]).take_while(move |(_, a)| a.address <= last)
    }

    /// The same for sets of networks, each looked up once.
    pub fn remembered(&self) -> Remembered<'_> {
        Remembered { index: self, known: IndexMap::new() }
    }

    /// The hosts with an address in one of these networks.
    pub fn hosts_in(&self, nets: &[IpNet]) -> BTreeSet<usize> {
        nets.iter().flat_map(|net| self.within(net)).map(|(_, a)| a.host).collect()
    }
}

/// Addresses of hosts in sets of networks that many flows have in common.
pub struct Remembered<'a> {
    index: &'a HostAddresses,
    /// By the identity of the set; it is never gone through.
    known: IndexMap<usize, (Nets, Vec<usize>)>,
}

impl<'a> Remembered<'a> {
    /// The addresses that these networks hold, each with its number, one network after the other.
    pub fn within(&mut self, nets: &Nets) -> impl Iterator<Item = (usize, &'a HostAddress)> {
        let index = self.index;
        let found = || (nets.clone(), nets.iter().flat_map(|net| index.within(net)).map(|(n, _)| n).collect());
        let (_, numbers) = self.known.entry(nets.identity()).or_insert_with(found);
        numbers.iter().map(|number| (*number, index.get(*number)))
    }
}
