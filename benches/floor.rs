//! The site of `synthetic --flows` in, the rulesets that sitec writes for it out, byte for byte, and nothing else: no
//! checks, no origins, no proof, no other file. What no compiler can be faster than.
//!
//! ```text
//! cargo run --release --example synthetic -- 2000 --flows 50000 > /tmp/flows.yaml
//! cargo run --release --example floor -- /tmp/flows.yaml /tmp/floor
//! ```
//!
//! It knows the shapes that the generator writes and no others, and stops at anything else.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde::Deserialize;

#[derive(Deserialize)]
struct Spec {
    networks: BTreeMap<String, Network>,
    hosts: BTreeMap<String, End>,
    external: BTreeMap<String, End>,
    extra: Extra,
}

#[derive(Deserialize)]
struct Network {
    cidrs: Vec<String>,
}

#[derive(Deserialize)]
struct End {
    addresses: Vec<Ipv4Addr>,
}

#[derive(Deserialize)]
struct Extra {
    flows: Vec<String>,
}

/// What is before the first rule of a ruleset.
const CHAIN: &str = "
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif \"lo\" accept
        icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept
        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request } accept
        icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
        icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept
";

/// One flow to a host; sorted, they are in the order of the rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    udp: bool,
    to: &'a str,
    /// The place of the set among all sets in the order of their networks; the last is the administrators'.
    rank: usize,
    set: Option<usize>,
    port: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [site, out] = words.as_slice() else {
        return Err("usage: floor SITE.yaml FOLDER".into());
    };
    let text = std::fs::read_to_string(site)?;
    let spec: Spec = serde_yaml::from_str(&text)?;
    let sets: Vec<(&String, Vec<(u32, u32)>)> = spec.external.iter().map(|(name, end)| (name, ranges(end))).collect();
    let lines: Vec<String> = sets.iter().map(|(name, ranges)| line(name, ranges)).collect();
    let networks: Vec<Vec<(u32, u32)>> = sets.iter().map(|(_, ranges)| networks(ranges)).collect();
    let mut order: Vec<usize> = (0..sets.len()).collect();
    order.sort_by_key(|set| &networks[*set]);
    let mut rank = vec![0; sets.len()];
    // Ends with the same networks are one set, with the name of the first.
    let mut number: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, same) in order.chunk_by(|a, b| networks[*a] == networks[*b]).enumerate() {
        for set in same {
            rank[*set] = place;
            number.insert(sets[*set].0, same[0]);
        }
    }

    let hosts: Vec<&String> = spec.hosts.keys().collect();
    let mut rows: Vec<Vec<Row>> = vec![Vec::new(); hosts.len()];
    for flow in &spec.extra.flows {
        let words: Vec<&str> = flow.split(' ').collect();
        let [from, "->", to, ":", service, ..] = words.as_slice() else { return Err(flow.as_str().into()) };
        let (port, transport) = service.split_once('/').ok_or(*service)?;
        let set = *number.get(from).ok_or(*from)?;
        let row = Row { udp: transport == "udp", to, rank: rank[set], set: Some(set), port: port.parse()? };
        let stem = to.trim_end_matches('*');
        let first = hosts.partition_point(|host| host.as_str() < stem);
        let fits = |host: &&&String| if stem == *to { *host == to } else { host.starts_with(stem) };
        for (index, _) in hosts[first..].iter().take_while(fits).enumerate() {
            rows[first + index].push(row);
        }
    }

    let admin = spec.networks.get("admin").ok_or("no network `admin`")?.cidrs.join(", ");
    let admin = format!("    set admin_v4 {{ type ipv4_addr; flags interval; elements = {{ {admin} }}; }}\n");
    let login = Row { udp: false, to: "hosts", rank: usize::MAX, set: None, port: 22 };
    let mut file = String::new();
    for (host, rows) in hosts.iter().zip(&mut rows) {
        rows.push(login);
        rows.sort_unstable();
        file.clear();
        write!(
            file,
            "#!/usr/sbin/nft -f\n# Firewall of {host}, site synthetic-flows. Written by sitec; do not edit.\n# Loading it \
             replaces this one table; tables of a container runtime or of a CNI stay as they are.\ntable inet \
             sitec\ndelete table inet sitec\n\ntable inet sitec {{\n"
        )?;
        file.push_str(&admin);
        let mut used: Vec<usize> = rows.iter().filter_map(|row| row.set).collect();
        used.sort_unstable();
        used.dedup();
        used.iter().for_each(|set| file.push_str(&lines[*set]));
        file.push_str(CHAIN);
        for rule in rows.chunk_by(|a, b| (a.udp, a.to, a.set) == (b.udp, b.to, b.set)) {
            let name = rule[0].set.map_or("admin", |set| sets[set].0.as_str());
            let transport = if rule[0].udp { "udp" } else { "tcp" };
            let mut ports: Vec<String> = rule.iter().map(|row| row.port.to_string()).collect();
            ports.dedup();
            let (ports, to) = (ports.join(", "), rule[0].to);
            writeln!(
                file,
                "        ip saddr @{name}_v4 {transport} dport {{ {ports} }} accept comment \"site: {to}\""
            )?;
        }
        file.push_str("    }\n}\n");
        let folder = format!("{out}/hosts/{host}/root/etc/nftables.d");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(format!("{folder}/sitec.nft"), &file)?;
    }
    Ok(())
}

/// The addresses of an end as intervals.
fn ranges(end: &End) -> Vec<(u32, u32)> {
    let mut addresses: Vec<u32> = end.addresses.iter().map(|a| u32::from(*a)).collect();
    addresses.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for address in addresses {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 >= address => *last = address,
            _ => ranges.push((address, address)),
        }
    }
    ranges
}

/// The fewest networks with these addresses: first address and length of the prefix.
fn networks(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut list = Vec::new();
    for (first, last) in ranges {
        let mut at = u64::from(*first);
        while at <= u64::from(*last) {
            let mut bits = (at as u32).trailing_zeros().min(32);
            while at + (1 << bits) - 1 > u64::from(*last) {
                bits -= 1;
            }
            list.push((at as u32, 32 - bits));
            at += 1 << bits;
        }
    }
    list
}

/// The line of a set.
fn line(name: &str, ranges: &[(u32, u32)]) -> String {
    let element = |(first, last): &(u32, u32)| {
        let (size, from) = (last - first + 1, Ipv4Addr::from(*first));
        match size {
            1 => from.to_string(),
            size if size.is_power_of_two() && first % size == 0 => format!("{from}/{}", 32 - size.trailing_zeros()),
            _ => format!("{from}-{}", Ipv4Addr::from(*last)),
        }
    };
    let elements: Vec<String> = ranges.iter().map(element).collect();
    format!("    set {name}_v4 {{ type ipv4_addr; flags interval; elements = {{ {} }}; }}\n", elements.join(", "))
}
