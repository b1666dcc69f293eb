//! A number of hosts in, the text of a made-up site spec out: some 4.5 files per host once it is built.
//!
//! ```text
//! cargo run --release --example synthetic -- 2000 > /tmp/site.yaml
//! cargo run --release -- build /tmp/site.yaml --packs benches/packs --out /tmp/out
//! cargo run --release --example synthetic -- 2000 --flows 50000 > /tmp/flows.yaml
//! ```
//!
//! With `--flows`, a site that consists of firewalls: that many flows from sets of at most 64 addresses to its hosts.
#![allow(dead_code, reason = "a program of its own, and a module of the measurements")]

use std::fmt::Write as _;
use std::io::Write as _;

/// Hosts that share a storage and a product.
const GROUP: usize = 20;
/// Namespaces of each group.
const NAMESPACES: usize = 7;
/// Hosts behind each NFS server.
const BEHIND_A_SERVER: usize = 200;

/// The spec of a site with that many hosts, at most 60,000; the same text every time.
pub fn spec(hosts: usize) -> String {
    let mut out = String::new();
    write(&mut out, hosts.clamp(1, 60_000)).expect("writing to a string cannot fail");
    out
}

fn write(out: &mut String, hosts: usize) -> std::fmt::Result {
    let groups = hosts.div_ceil(GROUP);
    let servers = hosts.div_ceil(BEHIND_A_SERVER);
    out.push_str(
        "# A made-up site for measurements.\nsitec: 1\nsite: { name: synthetic, domain: synthetic.example }\n\
         networks:\n  servers: { cidrs: [10.1.0.0/16], role: servers }\n  storage: { cidrs: [10.2.0.0/16], role: servers }\n  \
         users: { cidrs: [10.3.0.0/16], role: users }\n  admin: { cidrs: [10.4.0.0/24], role: management }\nhosts:\n",
    );
    for n in 0..hosts {
        writeln!(out, "  {}:", host(n))?;
        writeln!(out, "    addresses: [10.1.{}.{}]", n / 250, n % 250 + 1)?;
        writeln!(out, "    os: ubuntu-22.04\n    cpu: {}\n    memory: {} GiB", 4 + n % 3 * 4, 16 << (n % 3))?;
        writeln!(out, "    disk: 200 GiB\n    link: 10 Gb/s")?;
        writeln!(out, "    filesystems:\n      /srv: {{ device: LABEL=srv{n:05}, type: ext4, size: 100 GiB }}")?;
    }
    for n in 0..servers {
        writeln!(out, "  nfs{n:03}:\n    addresses: [10.2.{}.{}]\n    os: ubuntu-22.04", n / 250, n % 250 + 1)?;
        writeln!(out, "    memory: 32 GiB")?;
        writeln!(out, "    filesystems:\n      /srv: {{ device: LABEL=nfs{n:03}, type: xfs, size: 20 TiB }}")?;
    }
    writeln!(out, "clusters:\n  main:\n    kind: kubernetes\n    version: 1.30.2\n    managed: false")?;
    let planes: Vec<String> = (0..hosts.min(3)).map(host).collect();
    writeln!(out, "    cni: calico\n    control_plane: [{}]\n    workers: [\"h*\"]", planes.join(", "))?;
    writeln!(out, "    api: {{ address: 10.1.0.1, port: 6443 }}")?;
    writeln!(out, "    pod_cidr: 10.244.0.0/16\n    service_cidr: 10.96.0.0/12\nstorage:")?;
    for group in 0..groups {
        let server = group * GROUP / BEHIND_A_SERVER;
        writeln!(out, "  d{group:04}: {{ server: nfs{server:03}, path: /srv/d{group:04}, nfs_version: 4.2 }}")?;
    }
    writeln!(out, "firewall: {{ targets: [nftables, csv], output: allow }}\nproducts:")?;
    for group in 0..groups {
        let nodes: Vec<String> = (group * GROUP..hosts.min((group + 1) * GROUP)).map(host).collect();
        let namespaces: Vec<String> = (0..NAMESPACES).map(|n| format!("s{group:04}-{n}")).collect();
        writeln!(out, "  s{group:04}:\n    pack: synthetic\n    cluster: main\n    namespace: s{group:04}")?;
        writeln!(out, "    stores: {{ data: d{group:04} }}\n    settings:\n      port: {}", 8000 + group % 100)?;
        writeln!(out, "      nodes: [{}]\n      namespaces: [{}]", nodes.join(", "), namespaces.join(", "))?;
    }
    Ok(())
}

/// Addresses in one source set, at most.
const SET: usize = 64;
/// Flows for each source set.
const FLOWS_OF_A_SET: usize = 25;

/// The spec of a site with that many hosts, at most 60,000, and that many flows to them; the same text every time.
pub fn flows(hosts: usize, flows: usize) -> String {
    let mut out = String::new();
    write_flows(&mut out, hosts.clamp(1, 60_000), flows).expect("writing to a string cannot fail");
    out
}

fn write_flows(out: &mut String, hosts: usize, flows: usize) -> std::fmt::Result {
    out.push_str(
        "# A made-up site for measurements: firewalls only.\nsitec: 1\n\
         site: { name: synthetic-flows, domain: synthetic.example }\nnetworks:\n  \
         servers: { cidrs: [10.0.0.0/8], role: servers }\n  admin: { cidrs: [172.16.4.0/24], role: management }\nhosts:\n",
    );
    for n in 0..hosts {
        writeln!(out, "  {}: {{ addresses: [10.1.{}.{}], os: ubuntu-22.04 }}", host(n), n / 250, n % 250 + 1)?;
    }
    let mut draw = Draw(0x5EED_0F51);
    let sets = flows.div_ceil(FLOWS_OF_A_SET);
    out.push_str("external:\n");
    for set in 0..sets {
        // Neighbours every other time, so that there is something to merge.
        let size = 1 + draw.below(SET);
        let step = 1 + set % 2;
        let first = draw.below(60_000);
        let addresses = (0..size).map(|i| first + i * step).map(|n| format!("10.2.{}.{}", n / 256, n % 256));
        writeln!(out, "  g{set:05}: {{ addresses: [{}] }}", addresses.collect::<Vec<_>>().join(", "))?;
    }
    out.push_str("firewall: { targets: [nftables, csv], output: allow }\nextra:\n  flows:\n");
    for flow in 0..flows {
        let (set, port) = (flow % sets, 1024 + draw.below(400) * 10);
        // One flow of ten goes to ten hosts.
        let target = draw.below(hosts);
        let to = if flow % 10 == 0 { format!("{}*", &host(target)[..5]) } else { host(target) };
        let transport = if flow % 7 == 0 { "udp" } else { "tcp" };
        writeln!(out, "    - \"g{set:05} -> {to} : {port}/{transport} Service {}\"", port % 17)?;
    }
    Ok(())
}

/// Numbers that look random and are the same every time (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("below a usize")
    }
}

fn host(n: usize) -> String {
    format!("h{n:05}")
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |word: &String| word.parse().ok();
    let text = match words.as_slice() {
        [hosts] => number(hosts).map(spec),
        [hosts, option, count] if option == "--flows" => number(hosts).zip(number(count)).map(|(h, f)| flows(h, f)),
        _ => None,
    };
    let Some(text) = text else {
        eprintln!("usage: synthetic HOSTS [--flows FLOWS] > site.yaml");
        std::process::exit(2);
    };
    // A reader that has seen enough is no failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
