//! Firewalls for real: the hosts of each fixture as network namespaces, its rulesets loaded into them (nftables by `nft`,
//! iptables by the emitted loader, firewalld by its daemon), and every pair probed: what the flows permit gets an answer, everything else none.

#[path = "../consumers/program.rs"]
#[allow(dead_code, reason = "the judges of artifacts use the rest")]
mod program;

mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::sync::Mutex;

use camino::Utf8Path;
use network::{Network, Pod, Probe};
use program::{given, is_root, present};
use sitec::artifact::ArtifactTree;
use sitec::compile::{Depth, Inputs, compile};
use sitec::ir::{Ir, Scope};
use sitec::lower::peers::host_addresses;
use sitec::site::Site;
use sitec::value::{Ports, Tracked, Value};

/// Addresses that no site has: documentation networks of their own.
const STRANGERS: [&str; 2] = ["198.51.100.77", "2001:db8:ffff:ffff::77"];
/// How long an answer is waited for; what should have come and did not is asked again with patience.
const SECONDS: f64 = 0.4;
const PATIENCE: f64 = 3.0;
/// A port of pods that no node hands to them.
const POD_PORT: u16 = 8443;
/// Ports of other hosts' flows that are tried at each host.
const FOREIGN_PORTS: usize = 12;
/// Transports without ports that can be tried, with their numbers; what a host answers itself has none.
const PORTLESS: [(&str, u8); 6] = [("ip-in-ip", 4), ("gre", 47), ("esp", 50), ("ospf", 89), ("vrrp", 112), ("icmp", 0)];
/// Chains that somebody else has made: a network plug-in that forwards, marks, and drops a port of its own.
const OTHERS: &str = include_str!("others.rules");
/// The port that they drop.
const PORT_OF_OTHERS: u16 = 64998;
/// After this time the tracker of a namespace knows nothing more of a packet without ports.
const FORGOTTEN: std::time::Duration = std::time::Duration::from_secs(3);
/// Differences that a failure shows.
const SHOWN: usize = 20;

#[test]
fn rulesets_permit_the_flows_and_nothing_else() {
    if !ready() {
        return;
    }
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = root.join("fixtures").read_dir_utf8().expect("the fixtures").map(|e| e.expect("readable"));
    let mut specs: Vec<_> = folders.map(|e| e.path().join("site.yaml")).filter(|spec| spec.is_file()).collect();
    specs.sort();
    for spec in specs {
        let fixture = Fixture::of(&spec);
        probed(&fixture, spec.strip_prefix(root).unwrap_or(&spec).as_str());
    }
}

#[test]
fn every_host_with_iptables_permits_the_same() {
    every_host_with("iptables", "firewalld");
}

#[test]
fn every_host_with_firewalld_permits_the_same() {
    every_host_with("firewalld", "iptables");
}

/// Probes sites whose hosts all have their firewall in one form, also those with a word of their own for another.
fn every_host_with(form: &str, other: &str) {
    if !ready() {
        return;
    }
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["firewalls", "demo"] {
        let spec = root.join("fixtures").join(name).join("site.yaml");
        let fixture = Fixture::edited(&spec, |text| {
            let text = text.replace("targets: [nftables, iptables, firewalld,", &format!("targets: [{form},"));
            let text = text.replace(&format!("firewall: {other}"), &format!("firewall: {form}"));
            text.replace("targets: [nftables,", &format!("targets: [{form},"))
        });
        // Windows takes no other form than its own.
        let has_form = |f: &std::sync::Arc<sitec::ir::Firewall>| [form, "windows"].contains(&f.target.name());
        assert!(fixture.ir.firewalls.iter().all(has_form), "{name} has hosts of another form");
        assert!(fixture.ir.firewalls.iter().any(|f| !f.node_ports.is_empty()), "{name} has no node");
        probed(&fixture, &format!("{name} with {form}"));
    }
}

fn probed(fixture: &Fixture, name: &str) {
    fixture.say_unloaded(name);
    match fixture.probed() {
        Ok(count) => program::say(&format!("{name}: {count}")),
        Err(differences) => panic!("{name}: {differences}"),
    }
}

#[test]
fn chains_of_others_survive_the_loader() {
    if !ready() {
        return;
    }
    let spec = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/firewalls/site.yaml");
    let fixture = Fixture::of(&spec);
    let mut network = Network::new();
    let addresses = |host: &str| fixture.site.host_addresses(host).into_iter().map(|a| a.value).collect::<Vec<_>>();
    let (host, admin) = (addresses("files1"), "10.61.250.3".parse().expect("an address"));
    let (ns, asking) = (network.station(&host), network.station(&[admin]));
    let saved = |network: &Network| -> Vec<Vec<String>> {
        let save = |program: &str| String::from_utf8(network.run(&ns, &[program], b"")).expect("text");
        let plain = |line: &&str| !line.starts_with('#');
        // Without the counters.
        let line = |line: &str| line.split(" [").next().unwrap_or_default().to_owned();
        ["iptables-save", "ip6tables-save"].map(|p| save(p).lines().filter(plain).map(line).collect()).to_vec()
    };
    for program in ["iptables-restore", "ip6tables-restore"] {
        network.run(&ns, &[program, "--noflush"], OTHERS.as_bytes());
    }
    let before = saved(&network);
    let files = fixture.ruleset("files1");
    network.iptables(&ns, &files, "start start");
    for (before, after) in before.iter().zip(saved(&network)) {
        let of_others: Vec<&String> = after.iter().filter(|line| !line.contains("sitec-")).collect();
        assert_eq!(of_others, before.iter().collect::<Vec<_>>(), "the loader touches what others have made");
        let input: Vec<&String> = after.iter().filter(|line| line.starts_with("-A INPUT ")).collect();
        assert_eq!(*input[0], "-A INPUT -j sitec-input", "others come first: {input:?}");
        let ours = after.iter().filter(|line| line.contains("-j sitec-input")).count();
        assert_eq!(ours, 1, "starting twice jumps twice");
    }
    // What our chain permits, theirs still sees.
    network.listen(&ns, &[22, PORT_OF_OTHERS], (&[], &[]));
    let probe = |port: u16| {
        network.probe(&asking, &[Probe { source: admin, target: host[0], port, transport: "tcp" }], PATIENCE)[0]
    };
    assert!(probe(22), "the port that is permitted does not answer");
    assert!(!probe(PORT_OF_OTHERS), "a port that nobody permits answers");
    let theirs = OTHERS.replace(&PORT_OF_OTHERS.to_string(), "22");
    network.run(&ns, &["iptables-restore", "--noflush"], theirs.as_bytes());
    let probe = |port: u16| {
        network.probe(&asking, &[Probe { source: admin, target: host[0], port, transport: "tcp" }], SECONDS)[0]
    };
    assert!(!probe(22), "what our chain permits passes by the chains of others");
    network.run(&ns, &["iptables-restore"], before_text(&before[0]).as_bytes());
    network.iptables(&ns, &files, "start stop stop");
    assert_eq!(saved(&network), before, "the loader leaves something behind");
}

#[test]
fn a_ruleset_that_differs_is_noticed() {
    if !ready() {
        return;
    }
    let demo = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/site.yaml");
    let edits = [
        ("pg1", "tcp dport { 5432 } accept", "tcp dport { 5433 } accept"),
        ("nfs1", "policy drop", "policy accept"),
        ("w1", "10.30.8.", "10.31.8."),
    ];
    for (host, old, new) in edits {
        let mut fixture = Fixture::of(&demo);
        fixture.edit(&format!("hosts/{host}/root/etc/nftables.d/sitec.nft"), old, new);
        assert!(fixture.probed().is_err(), "`{new}` instead of `{old}` at {host} was not noticed");
    }
    let firewalls = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/firewalls/site.yaml");
    let edits = [
        ("files1", "etc/iptables/sitec-v4.rules", "--dports 22 ", "--dports 23 "),
        ("files1", "etc/iptables/sitec-v6.rules", "-A sitec-input -j DROP", "-A sitec-input -j RETURN"),
        ("s1", "etc/iptables/sitec-v4.rules", "-p 50 ", "-p 47 "),
        ("files1", "usr/local/sbin/sitec-firewall", "filter INPUT", "filter FORWARD"),
        ("k2", "etc/nftables.d/sitec.nft", "l4proto 4 accept", "l4proto 4 drop"),
        ("fd1", "etc/firewalld/zones/sitec.xml", "port=\"8443\"", "port=\"8444\""),
        ("fd1", "etc/firewalld/zones/sitec.xml", "target=\"DROP\"", "target=\"ACCEPT\""),
        ("fd1", "etc/firewalld/ipsets/sitec-users_v6.xml", "2001:db8:61::/64", "2001:db8:61::/127"),
        ("k3", "etc/firewalld/policies/sitec-output.xml", "port=\"2049\"", "port=\"2050\""),
        ("k3", "etc/firewalld/zones/sitec.xml", "<protocol value=\"4\"/>", "<protocol value=\"50\"/>"),
    ];
    for (host, path, old, new) in edits {
        let mut fixture = Fixture::of(&firewalls);
        fixture.edit(&format!("hosts/{host}/root/{path}"), old, new);
        assert!(fixture.probed().is_err(), "`{new}` instead of `{old}` at {host} was not noticed");
    }
}

fn ready() -> bool {
    let programs = [
        ("ip", "Debian: apt-get install iproute2"),
        ("firewalld", "Debian: apt-get install firewalld"),
        ("dbus-daemon", "Debian: apt-get install dbus-daemon"),
        ("nft", "Debian: apt-get install nftables"),
        ("iptables-restore", "Debian: apt-get install iptables"),
        ("python3", "Debian: apt-get install python3"),
    ];
    present("probes", &programs) && given("probes", is_root(), "needs root for network namespaces")
}

struct Fixture {
    site: Site,
    ir: Ir,
    tree: ArtifactTree,
    /// The addresses of the nodes of clusters, by index.
    nodes: Vec<Vec<IpAddr>>,
}

/// A namespace of the test network.
struct Station {
    name: String,
    addresses: Vec<IpAddr>,
    /// The files of its ruleset; a station without one only asks.
    ruleset: Vec<(String, Vec<u8>)>,
    /// Index among the nodes of clusters, and the range of node ports.
    node: Option<(u8, Ports)>,
}

impl Fixture {
    fn of(spec: &Utf8Path) -> Self {
        Self::edited(spec, |text| text.to_owned())
    }

    /// The fixture with another text.
    fn edited(spec: &Utf8Path, edit: impl Fn(&str) -> String + Sync) -> Self {
        let read = |path: &str| {
            let bytes = fs::read(path).map_err(|e| e.to_string())?;
            Ok(match std::str::from_utf8(&bytes) {
                Ok(text) if path == spec.as_str() => edit(text).into_bytes(),
                _ => bytes,
            })
        };
        let inputs = Inputs { entry: spec.to_string(), read: &read, packs: &[], depth: Depth::Build, threads: 0 };
        let compiled = compile(&inputs);
        let why = "a fixture compiles";
        let (site, ir, tree) = (compiled.site.expect(why), compiled.ir.expect(why), compiled.tree.expect(why));
        let mut fixture = Fixture { site, ir, tree, nodes: Vec::new() };
        let stations = fixture.stations().into_iter().filter(|s| s.node.is_some());
        fixture.nodes = stations.map(|s| s.addresses).collect();
        fixture
    }

    /// Breaks a file.
    fn edit(&mut self, path: &str, old: &str, new: &str) {
        let file = self.tree.files.get_mut(path).unwrap_or_else(|| panic!("no {path}"));
        let text = String::from_utf8(file.bytes.clone()).expect("text");
        assert!(text.contains(old), "{path} has no `{old}`");
        file.bytes = text.replace(old, new).into_bytes();
    }

    /// Every host, one stranger per network, the external endpoints, and one who belongs nowhere.
    fn stations(&self) -> Vec<Station> {
        let (mut stations, mut nodes) = (Vec::new(), 0);
        for (name, host) in self.site.table("hosts") {
            let addresses = host_addresses(host).into_iter().map(|a| a.value).collect();
            let ruleset = self.ir.firewalls.iter().find(|f| **f.host == **name);
            let range = ruleset.and_then(|f| f.node_ports.first().copied());
            let node = range.map(|range| (nodes, range));
            nodes += u8::from(node.is_some());
            stations.push(Station { name: name.to_string(), addresses, ruleset: self.ruleset(name), node });
        }
        let mut taken: BTreeSet<IpAddr> = stations.iter().flat_map(|s| s.addresses.iter().copied()).collect();
        let mut asker = |name: String, addresses: Vec<IpAddr>| {
            let addresses: Vec<IpAddr> = addresses.into_iter().filter(|a| taken.insert(*a)).collect();
            if !addresses.is_empty() {
                stations.push(Station { name, addresses, ruleset: Vec::new(), node: None });
            }
        };
        for (name, network) in self.site.table("networks") {
            let free = nets(network.get("cidrs")).into_iter().filter_map(|net| {
                // From the far end, where no fixture has a host.
                let last: Vec<IpAddr> = match net {
                    ipnet::IpNet::V4(n) => (2..9).map(|i| IpAddr::V4((u32::from(n.broadcast()) - i).into())).collect(),
                    ipnet::IpNet::V6(n) => (2..9).map(|i| IpAddr::V6((u128::from(n.broadcast()) - i).into())).collect(),
                };
                last.into_iter().find(|a| net.contains(a) && !self.is_a_host(a))
            });
            asker(format!("somebody in {name}"), free.collect());
        }
        for (name, external) in self.site.table("external") {
            let addresses = external.get("addresses").map(Tracked::items).unwrap_or_default().iter();
            let addresses = addresses.filter_map(|a| if let Value::Address(a) = a.value { Some(a) } else { None });
            asker(name.to_string(), addresses.collect());
        }
        asker("a stranger".into(), STRANGERS.iter().map(|a| a.parse().expect("an address")).collect());
        stations
    }

    fn is_a_host(&self, address: &IpAddr) -> bool {
        self.site.table("hosts").any(|(_, host)| host_addresses(host).iter().any(|a| a.value == *address))
    }

    fn ruleset(&self, host: &str) -> Vec<(String, Vec<u8>)> {
        const PLACES: [&str; 4] =
            ["etc/nftables.d/", "etc/iptables/", "usr/local/sbin/sitec-firewall", "etc/firewalld/"];
        let folder = format!("hosts/{host}/root/");
        let ours = |path: &str| path.strip_prefix(&folder).is_some_and(|p| PLACES.iter().any(|own| p.starts_with(own)));
        let files = self.tree.files.iter().filter(|(path, _)| ours(path));
        files.map(|(path, artifact)| (path.clone(), artifact.bytes.clone())).collect()
    }

    /// Says which rulesets nothing here can load.
    fn say_unloaded(&self, name: &str) {
        let windows = self.ir.firewalls.iter().filter(|f| f.target.name() == "windows").count();
        if windows > 0 {
            program::say(&format!("{name}: {windows} rulesets of windows are not loaded: there is no Windows here"));
        }
    }

    /// The transports without ports that are tried at every host: those of the flows, and one more.
    fn portless(&self) -> Vec<(&'static str, u8)> {
        let used = |name: &str| self.ir.flows.iter().any(|f| f.transport.name() == name);
        PORTLESS.into_iter().filter(|(name, _)| used(name) || *name == "esp").collect()
    }

    /// Whether the flows permit it. Addresses are looked at, not names.
    fn permits(&self, probe: &Probe) -> bool {
        let within = |nets: &[ipnet::IpNet], address: &IpAddr| nets.iter().any(|net| net.contains(address));
        let source = match pod_node(&probe.source) {
            Some(_) if pod_node(&probe.target).is_some() => return true,
            Some(index) => {
                let node = self.nodes.get(usize::from(index)).map(Vec::as_slice).unwrap_or_default();
                let own = node.iter().find(|a| a.is_ipv4() == probe.target.is_ipv4()).copied();
                own.filter(|_| !node.contains(&probe.target)).unwrap_or(probe.source)
            }
            None => probe.source,
        };
        if self.is_beyond_reach(&source, probe) {
            return true;
        }
        self.ir.flows.iter().any(|flow| {
            *flow.scope != Scope::Cluster
                && flow.transport.name() == probe.transport
                && flow.ports.is_none_or(|p| p.low <= probe.port && probe.port <= p.high)
                && within(&flow.from_hosts.nets, &source)
                && within(&flow.to_hosts.nets, &probe.target)
        })
    }

    /// Whether it is for a port that the cluster rewrites at a node with firewalld, which cannot keep anybody from it; the
    /// finding S0564 says so. The ruleset of a host that sends may still.
    fn is_beyond_reach(&self, source: &IpAddr, probe: &Probe) -> bool {
        let of = |address: &IpAddr| {
            let is = |host: &str| self.site.host_addresses(host).iter().any(|a| a.value == *address);
            self.ir.firewalls.iter().find(|f| is(&f.host))
        };
        let rewritten = |ports: &Ports| ports.low <= probe.port && probe.port <= ports.high;
        let open =
            of(&probe.target).is_some_and(|f| f.target.name() == "firewalld" && f.node_ports.iter().any(rewritten));
        // That of Windows is not loaded here.
        let filters = |f: &std::sync::Arc<sitec::ir::Firewall>| *f.output && f.target.name() != "windows";
        open && matches!(probe.transport, "tcp" | "udp") && !of(source).is_some_and(filters)
    }

    /// The ports to try at a host: those of its own flows with what lies right beside them, some of others.
    fn ports(&self, station: &Station) -> Vec<u16> {
        let (mut own, mut others) = (BTreeSet::from([1, u16::MAX]), BTreeSet::new());
        for flow in self.ir.flows.iter().filter(|f| *f.scope != Scope::Cluster) {
            let meets = station.addresses.iter().any(|a| flow.to_hosts.nets.iter().any(|net| net.contains(a)));
            let Some(Ports { low, high }) = *flow.ports else { continue };
            if meets {
                let middle = low + (high - low) / 2;
                own.extend([low, high, middle, low.saturating_sub(1).max(1), high.saturating_add(1)]);
            } else {
                others.insert(low);
            }
        }
        let step = (others.len() / FOREIGN_PORTS).max(1);
        own.extend(others.into_iter().step_by(step));
        own.into_iter().collect()
    }

    /// Builds the network, tries every pair, and says how many probes there were.
    fn probed(&self) -> Result<String, String> {
        let stations = self.stations();
        if stations.iter().all(|s| s.ruleset.is_empty()) {
            return Ok("no host of this site has a ruleset that can be loaded here".to_owned());
        }
        let mut network = Network::new();
        let spaces: Vec<String> = stations.iter().map(|s| network.station(&s.addresses)).collect();
        let mut ports = BTreeMap::new();
        for (station, ns) in stations.iter().zip(&spaces).filter(|(s, _)| !s.ruleset.is_empty()) {
            let has = |part: &str| station.ruleset.iter().find(|(path, _)| path.contains(part));
            match has("/etc/nftables.d/") {
                Some((_, bytes)) => drop(network.run(ns, &["nft", "-f", "-"], bytes)),
                None if has("/etc/firewalld/").is_some() => network.firewalld(ns, &station.ruleset),
                None => {
                    for program in ["iptables-restore", "ip6tables-restore"] {
                        network.run(ns, &[program, "--noflush"], OTHERS.as_bytes());
                    }
                    network.iptables(ns, &station.ruleset, "start");
                }
            }
            let own = self.ports(station);
            let raw: Vec<u8> = self.portless().into_iter().map(|(_, number)| number).filter(|n| *n > 0).collect();
            network.listen(ns, &own, (&raw, &station.addresses));
            ports.insert(&station.name, own);
        }
        let mut jobs: Vec<(String, Vec<Probe>)> =
            spaces.iter().enumerate().map(|(i, ns)| (ns.clone(), self.all_probes(i, &stations, &ports))).collect();
        jobs.extend(self.pods(&mut network, &stations, &spaces, &ports));
        let (wrong, count) = (Mutex::new(Vec::new()), jobs.iter().map(|(_, p)| p.len()).sum::<usize>());
        let open = jobs.iter().flat_map(|(_, p)| p).filter(|p| self.permits(p)).count();
        let next = Mutex::new(jobs.iter());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some((ns, probes)) = { next.lock().expect("no panic").next() } {
                        let found = self.differences(&network, ns, probes);
                        wrong.lock().expect("no panic").extend(found);
                    }
                });
            }
        });
        let wrong = wrong.into_inner().expect("no panic");
        assert!(open > 0, "no flow was probed");
        match wrong.len() {
            0 => Ok(format!("{} hosts, {count} probes, {open} of them permitted", ports.len())),
            n => Err(format!("{n} of {count} probes:\n{}", wrong[..n.min(SHOWN)].join("\n"))),
        }
    }

    /// All probes from one station to the others that have a ruleset; transports without ports are not tried of pods.
    fn all_probes(&self, from: usize, stations: &[Station], ports: &BTreeMap<&String, Vec<u16>>) -> Vec<Probe> {
        let mut list = probes(from, stations, ports);
        for (i, station) in stations.iter().enumerate().filter(|(i, s)| *i != from && ports.contains_key(&s.name)) {
            for source in &stations[from].addresses {
                for target in station.addresses.iter().filter(|t| t.is_ipv4() == source.is_ipv4()) {
                    // Of ICMPv6 no type is answered and not permitted anyway.
                    let portless = self.portless().into_iter().filter(|(name, _)| *name != "icmp" || target.is_ipv4());
                    for (transport, _) in portless {
                        let there = Probe { source: *source, target: *target, port: 0, transport };
                        let back = Probe { source: *target, target: *source, port: 0, transport };
                        // Without ports, what comes back is an answer to whoever has asked before.
                        let first = from < i || !ports.contains_key(&stations[from].name);
                        if self.permits(&there) || (first && !self.permits(&back)) {
                            list.push(there);
                        }
                    }
                }
            }
        }
        list
    }

    /// Puts a pod behind every node: node ports lead to it, and it reaches other pods always, its own node with its own
    /// address, and everything else with the address of its node.
    fn pods(
        &self,
        network: &mut Network,
        stations: &[Station],
        spaces: &[String],
        ports: &BTreeMap<&String, Vec<u16>>,
    ) -> Vec<(String, Vec<Probe>)> {
        let nodes: Vec<(usize, &Station, u8, Ports)> = stations
            .iter()
            .enumerate()
            // A node of another form than those that can be loaded here listens on nothing.
            .filter(|(_, s)| ports.contains_key(&s.name))
            .filter_map(|(i, s)| s.node.map(|(index, range)| (i, s, index, range)))
            .collect();
        let neighbours: Vec<(u8, IpAddr)> =
            nodes.iter().flat_map(|(_, s, index, _)| s.addresses.iter().map(|a| (*index, *a))).collect();
        let mut jobs = Vec::new();
        for (i, station, index, range) in &nodes {
            let node_ports = range.to_string();
            let pod = Pod { index: *index, addresses: &station.addresses, node_ports, neighbours: &neighbours };
            let ns = network.pod(&spaces[*i], &pod);
            let mut own: Vec<u16> = ports[&station.name].clone();
            own.retain(|p| range.low <= *p && *p <= range.high);
            own.push(POD_PORT);
            network.listen(&ns, &own, (&[], &[]));
            let own = [IpAddr::V4(Pod::address4(*index, 2)), IpAddr::V6(Pod::address6(*index, 2))];
            let mut list = Vec::new();
            for (_, _, other, _) in nodes.iter().filter(|(_, _, other, _)| other != index) {
                let targets = [IpAddr::V4(Pod::address4(*other, 2)), IpAddr::V6(Pod::address6(*other, 2))];
                let both = |target: &IpAddr| {
                    let has =
                        |index: u8| neighbours.iter().any(|(i, a)| *i == index && a.is_ipv4() == target.is_ipv4());
                    has(*index) && has(*other)
                };
                list.extend(own.iter().zip(targets).filter(|(_, target)| both(target)).map(|(source, target)| Probe {
                    source: *source,
                    target,
                    port: POD_PORT,
                    transport: "tcp",
                }));
            }
            // Its own node sees the address of the pod itself.
            let kubelet = ports[&station.name].iter().filter(|p| !(range.low <= **p && **p <= range.high));
            for (port, target) in kubelet.flat_map(|p| station.addresses.iter().map(move |a| (*p, *a))) {
                let source = if target.is_ipv4() { own[0] } else { own[1] };
                list.push(Probe { source, target, port, transport: "tcp" });
            }
            for probe in probes(*i, stations, ports) {
                // A family in which its node has no address is none for the pod either.
                let source = if probe.source.is_ipv4() { own[0] } else { own[1] };
                let within = nodes.iter().any(|(_, s, ..)| s.addresses.contains(&probe.target));
                let is_node_port = range.low <= probe.port && probe.port <= range.high;
                // What a pod sends to a node port of another node is rewritten on its own node already.
                if !(within && is_node_port) {
                    list.push(Probe { source, ..probe });
                }
            }
            jobs.push((ns, list));
        }
        jobs
    }

    fn differences(&self, network: &Network, ns: &str, probes: &[Probe]) -> Vec<String> {
        let mut answered = network.probe(ns, probes, SECONDS);
        let silent: Vec<usize> = (0..probes.len()).filter(|&i| self.permits(&probes[i]) && !answered[i]).collect();
        if !silent.is_empty() {
            let again: Vec<Probe> = silent.iter().map(|&i| probes[i].clone()).collect();
            let second = network.probe(ns, &again, PATIENCE);
            silent.iter().zip(second).for_each(|(&i, answer)| answered[i] = answer);
        }
        // Two hosts that ask each other in the same moment answer: to the tracker each question is the answer to the
        // other's. Without ports nothing tells them apart, so that such an answer must come a second time.
        let odd = |i: &usize| {
            let portless = PORTLESS.iter().any(|(name, _)| *name == probes[*i].transport);
            portless && answered[*i] && !self.permits(&probes[*i])
        };
        let odd: Vec<usize> = (0..probes.len()).filter(odd).collect();
        if !odd.is_empty() {
            std::thread::sleep(FORGOTTEN);
            let again: Vec<Probe> = odd.iter().map(|&i| probes[i].clone()).collect();
            let second = network.probe(ns, &again, SECONDS);
            odd.iter().zip(second).for_each(|(&i, answer)| answered[i] = answer);
        }
        let differs = probes.iter().zip(answered).filter(|(probe, answer)| self.permits(probe) != *answer);
        let say =
            |answer: bool| if answer { "answers, and no flow permits it" } else { "is permitted, and nothing answers" };
        differs.map(|(p, a)| format!("{} -> {} {}/{} {}", p.source, p.target, p.port, p.transport, say(a))).collect()
    }
}

/// All probes with ports from one station to the others that have a ruleset.
fn probes(from: usize, stations: &[Station], ports: &BTreeMap<&String, Vec<u16>>) -> Vec<Probe> {
    let mut list = Vec::new();
    for (index, station) in stations.iter().enumerate().filter(|(index, _)| *index != from) {
        let Some(ports) = ports.get(&station.name) else { continue };
        debug_assert_ne!(index, from);
        for source in &stations[from].addresses {
            for target in station.addresses.iter().filter(|t| t.is_ipv4() == source.is_ipv4()) {
                for (port, transport) in ports.iter().flat_map(|p| [(*p, "tcp"), (*p, "udp")]) {
                    list.push(Probe { source: *source, target: *target, port, transport });
                }
            }
        }
    }
    list
}

/// What has been saved without its counters, so that it can be restored.
fn before_text(lines: &[String]) -> String {
    lines.iter().map(|line| line.clone() + if line.starts_with(':') { " [0:0]\n" } else { "\n" }).collect()
}

/// The node of a pod of the test network.
fn pod_node(address: &IpAddr) -> Option<u8> {
    (0..=u8::MAX).find(|i| *address == Pod::address4(*i, 2) || *address == Pod::address6(*i, 2))
}

fn nets(value: Option<&Tracked>) -> Vec<ipnet::IpNet> {
    let items = value.map(Tracked::items).unwrap_or_default();
    items.iter().filter_map(|i| if let Value::Cidr(net) = &i.value { Some(*net) } else { None }).collect()
}
