//! Namespaces of a test network: hosts with their addresses on one wire, rulesets loaded into them, listeners and
//! probes run in them; everything is gone when the network is dropped.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::program::{command, output, run, write};

const PROBE: &str = include_str!("probe.py");

/// A bus of the system for one firewalld.
const BUS: &str = include_str!("bus.conf");
/// How long a daemon may take until it answers, on a machine that does much else.
const STARTED: Duration = Duration::from_secs(60);

/// Networks made by this process, so that their names differ.
static NETWORKS: AtomicUsize = AtomicUsize::new(0);

/// One wire and the namespaces on it.
pub struct Network {
    prefix: String,
    count: usize,
    listeners: Vec<Child>,
    /// Folders of daemons, which read and write them as long as they run.
    folders: Vec<tempfile::TempDir>,
}

/// What is tried: from which address, to which, on which port (0 where the transport has none).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    pub source: IpAddr,
    pub target: IpAddr,
    pub port: u16,
    pub transport: &'static str,
}

/// A pod of the test network.
pub struct Pod<'a> {
    /// Of its node; each node has a network of pods of its own.
    pub index: u8,
    /// Of its node.
    pub addresses: &'a [IpAddr],
    /// The range of ports that the node hands to its pod.
    pub node_ports: String,
    /// Index and address of every node, for the ways between pods.
    pub neighbours: &'a [(u8, IpAddr)],
}

impl Pod<'_> {
    pub fn address4(node: u8, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 244, node, last)
    }

    pub fn address6(node: u8, last: u8) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0x244, 0, u16::from(node), 0, 0, 0, u16::from(last))
    }
}

impl Network {
    pub fn new() -> Self {
        let prefix = format!("sp{}n{}", std::process::id(), NETWORKS.fetch_add(1, Ordering::Relaxed));
        let network = Network { prefix, count: 0, listeners: Vec::new(), folders: Vec::new() };
        let hub = network.name("hub");
        network.script(&format!(
            "ip netns add {hub}\nip -n {hub} link add br0 type bridge\nip -n {hub} link set br0 up\n"
        ));
        network
    }

    /// The namespace of a station, or of the wire itself (`hub`).
    pub fn name(&self, station: impl std::fmt::Display) -> String {
        format!("{}-{station}", self.prefix)
    }

    /// Adds a station with these addresses; every address of the wire is its neighbour.
    pub fn station(&mut self, addresses: &[IpAddr]) -> String {
        let (n, ns, hub) = (self.count, self.name(self.count), self.name("hub"));
        self.count += 1;
        let mut script = format!(
            "ip netns add {ns}\n\
             ip netns exec {ns} sysctl -eqw net.netfilter.nf_conntrack_generic_timeout=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
             net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0\n\
             ip -n {hub} link add p{n} type veth peer name e0 netns {ns}\n\
             ip -n {hub} link set p{n} master br0 up\n\
             ip -n {ns} link set lo up\nip -n {ns} link set e0 up\n\
             ip -n {ns} route add default dev e0\nip -n {ns} -6 route add default dev e0\n"
        );
        for address in addresses {
            let (length, flags) = if address.is_ipv4() { (32, "") } else { (128, " nodad") };
            script += &format!("ip -n {ns} addr add {address}/{length} dev e0{flags}\n");
        }
        self.script(&script);
        ns
    }

    /// Adds a pod behind a bridge in a node's namespace. What arrives for the node's ports of the cluster goes to the pod
    /// as kube-proxy has it, before the node's input; what the pod sends elsewhere leaves with the node's address.
    pub fn pod(&mut self, node: &str, pod: &Pod<'_>) -> String {
        let (ns, Pod { index, addresses, node_ports, neighbours }) = (self.name(self.count), pod);
        self.count += 1;
        let (gateway4, gateway6) = (Pod::address4(*index, 1), Pod::address6(*index, 1));
        let (pod4, pod6) = (Pod::address4(*index, 2), Pod::address6(*index, 2));
        let mut script = format!(
            "ip netns add {ns}\n\
             ip netns exec {ns} sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0\n\
             ip netns exec {node} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n\
             ip -n {node} link add cni0 type bridge\nip -n {node} link set cni0 up\n\
             ip -n {node} link add c0 type veth peer name e0 netns {ns}\nip -n {node} link set c0 master cni0 up\n\
             ip -n {node} addr add {gateway4}/24 dev cni0\nip -n {node} addr add {gateway6}/64 dev cni0 nodad\n\
             ip -n {ns} link set lo up\nip -n {ns} link set e0 up\n\
             ip -n {ns} addr add {pod4}/24 dev e0\nip -n {ns} addr add {pod6}/64 dev e0 nodad\n\
             ip -n {ns} route add default via {gateway4}\nip -n {ns} -6 route add default via {gateway6}\n"
        );
        for (other, address) in neighbours.iter().filter(|(other, _)| other != index) {
            let (net, via) = match address {
                IpAddr::V4(_) => (format!("{}/24", Pod::address4(*other, 0)), format!("-n {node} route")),
                IpAddr::V6(_) => (format!("{}/64", Pod::address6(*other, 0)), format!("-n {node} -6 route")),
            };
            script += &format!("ip {via} add {net} via {address} dev e0 onlink\n");
        }
        self.script(&script);
        let mut rules = String::from("table inet kube {\nchain pre { type nat hook prerouting priority dstnat;\n");
        for address in *addresses {
            let (family, target) = match address {
                IpAddr::V4(_) => ("ip", pod4.to_string()),
                IpAddr::V6(_) => ("ip6", format!("[{pod6}]")),
            };
            for transport in ["tcp", "udp"] {
                rules +=
                    &format!("{family} daddr {address} {transport} dport {node_ports} dnat {family} to {target}\n");
            }
        }
        rules += "}\nchain post { type nat hook postrouting priority srcnat;\n\
                  ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 oifname \"e0\" masquerade\n\
                  ip6 saddr fd00:244::/32 ip6 daddr != fd00:244::/32 oifname \"e0\" masquerade\n}\n}\n";
        self.run(node, &["nft", "-f", "-"], rules.as_bytes());
        ns
    }

    /// Runs a script; every line of it must succeed.
    pub fn script(&self, script: &str) {
        output(command("sh").arg("-e"), script.as_bytes());
    }

    /// Runs a program in a namespace with an input; it must succeed.
    pub fn run(&self, ns: &str, program: &[&str], input: &[u8]) -> Vec<u8> {
        output(command("ip").args(["netns", "exec", ns]).args(program), input)
    }

    /// Runs the emitted loader of iptables in a namespace, once for each of these verbs, with its rules where it looks for
    /// them: in an `/etc` that this run alone sees.
    pub fn iptables(&self, ns: &str, files: &[(String, Vec<u8>)], verbs: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut copies = String::new();
        for (path, bytes) in files {
            let name = path.rsplit('/').next().expect("a name");
            std::fs::write(folder.path().join(name), bytes).expect("written");
            if path.contains("/root/etc/iptables/") {
                copies += &format!("cp {name} /mnt/etc/iptables/\n");
            }
        }
        let folder = folder.path().to_str().expect("UTF-8");
        let script = format!(
            "cd {folder}\nmount -t tmpfs tmpfs /mnt\nmkdir /mnt/real /mnt/etc\nmount --bind /etc /mnt/real\n\
             for file in /mnt/real/*; do ln -s \"$file\" /mnt/etc/; done\n\
             rm -f /mnt/etc/iptables\nmkdir /mnt/etc/iptables\n{copies}mount --bind /mnt/etc /etc\n\
             chmod +x sitec-firewall\nfor verb in {verbs}; do ./sitec-firewall \"$verb\"; done\n"
        );
        self.run(ns, &["sh", "-e"], script.as_bytes());
    }

    /// Starts a firewalld of its own in a namespace, on a bus of its own, with these files where it looks for its own, and
    /// loads them as the runbook does. What it complains of is a failure.
    pub fn firewalld(&mut self, ns: &str, files: &[(String, Vec<u8>)]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (config, log, address) = (path("firewalld"), path("log"), format!("unix:path={}", path("bus")));
        write(Path::new(&path("bus.conf")), BUS.replace("ADDRESS", &address));
        write(&Path::new(&config).join("firewalld.conf"), "DefaultZone=public\n");
        for (path, bytes) in files {
            let (_, below) = path.split_once("/root/etc/firewalld/").expect("a file of firewalld");
            write(&Path::new(&config).join(below), bytes);
        }
        let mut bus = command("dbus-daemon");
        bus.args(["--nofork", "--nopidfile", "--print-address", "--config-file", &path("bus.conf")]);
        let mut bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dbus-daemon runs");
        let mut line = String::new();
        BufReader::new(bus.stdout.take().expect("a pipe")).read_line(&mut line).expect("the bus answers");
        self.listeners.push(bus);
        let inside = |program: &str| {
            let mut inside = command("ip");
            inside.args(["netns", "exec", ns, program]).env("DBUS_SYSTEM_BUS_ADDRESS", &address);
            inside
        };
        let mut daemon = inside("firewalld");
        daemon.args(["--nofork", "--nopid", "--system-config", &config, "--log-file", &log]);
        daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.listeners.push(daemon.spawn().expect("firewalld runs"));
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let until = Instant::now() + STARTED;
        while !run(inside("firewall-cmd").arg("--state"), b"").status.success() {
            assert!(Instant::now() < until, "firewalld in {ns} does not start: {}", said());
            std::thread::sleep(Duration::from_millis(100));
        }
        output(inside("firewall-cmd").arg("--reload"), b"");
        output(inside("firewall-cmd").arg("--set-default-zone=sitec"), b"");
        let zone = output(inside("firewall-cmd").arg("--get-default-zone"), b"");
        assert_eq!(zone, b"sitec\n", "the zone in {ns}");
        assert!(!["ERROR", "WARNING"].iter().any(|word| said().contains(word)), "firewalld in {ns}: {}", said());
        self.folders.push(folder);
    }

    /// Listens in a namespace on these ports of all its addresses, for TCP and for UDP, and for protocols without ports.
    pub fn listen(&mut self, ns: &str, ports: &[u16], raw: (&[u8], &[IpAddr])) {
        let task = json!({ "listen": { "tcp": ports, "udp": ports }, "protocols": raw.0, "addresses": raw.1 });
        let mut child = spawn(ns);
        child.stdin.take().expect("a pipe").write_all(task.to_string().as_bytes()).expect("the listener reads");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the listener answers");
        assert_eq!(line, "ready\n", "a listener in {ns} does not listen");
        self.listeners.push(child);
    }

    /// Which of the probes from a namespace got an answer.
    pub fn probe(&self, ns: &str, probes: &[Probe], seconds: f64) -> Vec<bool> {
        let list: Vec<_> = probes.iter().map(|p| json!([p.source, p.target, p.port, p.transport])).collect();
        let task = json!({ "probe": list, "seconds": seconds });
        let out = self.run(ns, &["python3", "-c", PROBE], task.to_string().as_bytes());
        let answered: Vec<usize> = serde_json::from_slice(&out).expect("a list of indices");
        let mut result = vec![false; probes.len()];
        answered.into_iter().for_each(|i| result[i] = true);
        result
    }
}

fn spawn(ns: &str) -> Child {
    let mut command: Command = command("ip");
    command.args(["netns", "exec", ns, "python3", "-c", PROBE]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs")
}

impl Drop for Network {
    fn drop(&mut self) {
        for listener in &mut self.listeners {
            let _ = listener.kill();
            let _ = listener.wait();
        }
        for n in (0..self.count).map(|n| n.to_string()).chain(["hub".to_string()]) {
            let _ = command("ip").args(["netns", "del", &self.name(n)]).output();
        }
    }
}
