//! Emitted NetworkPolicies against the flows of products, both ways: who may open connections to whom, as exact sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;

use super::bugs::{At, Bugs};
use super::fault::{Fault, Read};
use super::kubernetes::{self, KubeObject};
use super::yaml::{Document, Fields, show};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Flow, Ir, NetworkPolicy, PolicyPort, PolicyRule, Transport};
use crate::lower::policies::published_name;
use crate::netset::{Addresses, Clause, Family, Region};
use crate::node::Node;
use crate::value::Ports;

/// Labels by their keys; none stands for every pod of a namespace.
type Selector = BTreeMap<String, String>;

/// A direction, and the other end: pods of the same namespace, the DNS of the cluster, or addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    FromPods(Selector),
    FromAddresses,
    ToPods(Selector),
    ToAddresses,
    ToDns,
}

impl End {
    fn words(&self) -> String {
        let pods = |s: &Selector| s.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",");
        match self {
            End::FromPods(selector) => format!("from pods with {}", pods(selector)),
            End::ToPods(selector) => format!("to pods with {}", pods(selector)),
            End::FromAddresses => "from addresses".into(),
            End::ToAddresses => "to addresses".into(),
            End::ToDns => "to the DNS of the cluster".into(),
        }
    }
}

/// What a policy permits by the other end.
type Permitted = BTreeMap<End, Region>;

/// One policy.
struct PolicyText {
    selector: Selector,
    permitted: Permitted,
    ingress: Vec<Row>,
    egress: Vec<Row>,
}

/// Everything that our files say of NetworkPolicies.
pub fn policies(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant: BTreeMap<(&str, &str, &str), &NetworkPolicy> =
        ir.network_policies.iter().map(|p| ((&*p.cluster.value, &*p.namespace.value, &*p.name.value), &**p)).collect();
    let pods = Pods::of(ir);
    let own = |f: &&Emitted| f.is_own() && f.path.starts_with("clusters/") && f.text.contains("NetworkPolicy");
    for file in texts.of(Format::Yaml).filter(own) {
        let cluster = file.path.split('/').nth(1).unwrap_or_default();
        for object in file.read(kubernetes::read, bugs).unwrap_or_default() {
            if object.kind != "NetworkPolicy" {
                continue;
            }
            let namespace = object.namespace.clone().unwrap_or_default();
            let at = file.at(object.line);
            let is = |k: &&(&str, &str, &str)| **k == (cluster, &*namespace, &*object.name);
            let key = meant.keys().find(is).copied();
            let Some(policy) = key.and_then(|k| meant.remove(&k)) else {
                // What a pack itself gives as an object is compared with that.
                if ir.objects.iter().any(|o| &**o.kind == "NetworkPolicy" && &**o.name == object.name.as_str()) {
                    continue;
                }
                bugs.extra(at, &format!("the NetworkPolicy `{}`", object.name));
                continue;
            };
            match read(&object) {
                Err(fault) => bugs.unreadable(file.path, &fault),
                Ok(found) => compare(&pods, at, policy, &found, bugs),
            }
        }
    }
    for ((cluster, namespace, name), _) in meant {
        bugs.missing(&format!("clusters/{cluster}"), &format!("the NetworkPolicy `{name}` of namespace `{namespace}`"));
    }
}

/// What flows say of pods, by product and component.
struct Pods<'a> {
    labels: BTreeMap<(&'a str, &'a str), Selector>,
    flows: BTreeMap<(&'a str, &'a str), Vec<&'a Flow>>,
}

impl<'a> Pods<'a> {
    fn of(ir: &'a Ir) -> Self {
        let (mut labels, mut flows) = (BTreeMap::new(), BTreeMap::<_, Vec<&Flow>>::new());
        for policy in &ir.network_policies {
            if let Some(key) = component_of(policy) {
                labels.insert(key, selector_of(policy));
            }
        }
        for flow in ir.flows.iter().filter(|f| !labels.is_empty() && f.transport.has_ports()) {
            let Some(product) = flow.pods_of.as_deref() else { continue };
            let ends: BTreeSet<&str> =
                [&flow.from_component, &flow.to_component].into_iter().filter_map(|c| c.as_deref()).collect();
            for component in ends {
                flows.entry((product, component)).or_default().push(flow);
            }
        }
        Self { labels, flows }
    }

    /// What the flows of a product permit to the pods that a policy selects.
    fn meant(&self, policy: &NetworkPolicy) -> Permitted {
        let mut permitted = Permitted::new();
        let Some((product, component)) = component_of(policy) else {
            let clauses = [Transport::Tcp, Transport::Udp].map(|t| clause(t, Ports::one(53), &[]));
            permitted.entry(End::ToDns).or_default().add(clauses.into_iter().flatten());
            return permitted;
        };
        let labels = |name: &str| self.labels.get(&(product, name)).cloned().unwrap_or_default();
        for flow in self.flows.get(&(product, component)).into_iter().flatten() {
            let ports = ports_of_pods(policy, flow);
            if flow.from_component.as_deref() == Some(component) {
                let (end, nets) = match flow.to_component.as_deref() {
                    Some(other) => (End::ToPods(labels(other)), None),
                    None => (End::ToAddresses, Some(flow.to_hosts.nets.clone())),
                };
                add(&mut permitted, end, *flow.transport, &ports, nets.as_deref());
            }
            if flow.to_component.as_deref() == Some(component) {
                let (end, nets) = match flow.from_component.as_deref() {
                    Some(other) => (End::FromPods(labels(other)), None),
                    // The nodes pass on what comes to a published port.
                    None => {
                        let nets = [&flow.from_hosts.nets[..], &flow.to_hosts.nets].concat();
                        (End::FromAddresses, Some(nets))
                    }
                };
                add(&mut permitted, end, *flow.transport, &ports, nets.as_deref());
            }
        }
        permitted
    }
}

fn component_of(policy: &NetworkPolicy) -> Option<(&str, &str)> {
    Some((policy.product.as_deref()?, policy.component.as_deref()?))
}

fn selector_of(policy: &NetworkPolicy) -> Selector {
    policy.labels.iter().map(|l| (l.key.to_string(), l.value.to_string())).collect()
}

fn compare(pods: &Pods, at: At, policy: &NetworkPolicy, found: &PolicyText, bugs: &mut Bugs) {
    if found.selector != selector_of(policy) {
        bugs.wrong(at, &format!("the policy `{}` selects other pods", *policy.name));
    }
    // A rule that others cover is there for its reason; without it nothing else would differ.
    let rules = |list: &[Arc<PolicyRule>]| list.iter().map(|r| row_of(r)).collect::<Vec<_>>();
    let mut egress = rules(&policy.egress);
    if policy.component.is_none() {
        egress.push(Row { peers: vec!["dns".into()], ports: vec!["UDP 53".into(), "TCP 53".into()] });
    }
    for (found, meant, side) in
        [(&found.ingress, &rules(&policy.ingress), "ingress"), (&found.egress, &egress, "egress")]
    {
        if found != meant {
            bugs.wrong(at, &format!("the `{side}` rules of the policy `{}` are others than were meant", *policy.name));
        }
    }
    let (found, meant) = (&found.permitted, pods.meant(policy));
    let ends: BTreeSet<&End> = found.keys().chain(meant.keys()).collect();
    let nothing = Region::default();
    for end in ends {
        let (found, meant) = (found.get(end).unwrap_or(&nothing), meant.get(end).unwrap_or(&nothing));
        if found == meant {
            continue;
        }
        let (found, meant) = (found.traffic(), meant.traffic());
        for (set, verb) in [(meant.difference(&found), "lacks"), (found.difference(&meant), "permits too much:")] {
            if !set.is_empty() {
                bugs.wrong(at, &format!("the policy `{}` {verb} {set} ({})", *policy.name, end.words()));
            }
        }
    }
}

/// A rule in the words of the file.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    peers: Vec<String>,
    ports: Vec<String>,
}

fn row_of(rule: &PolicyRule) -> Row {
    let mut labels: Vec<String> = rule.labels.iter().map(|l| format!("{}={}", *l.key, *l.value)).collect();
    labels.sort();
    let mut peers: Vec<String> = Vec::new();
    if !labels.is_empty() {
        peers.push(labels.join(","));
    }
    peers.extend(rule.blocks.iter().map(|b| b.to_string()));
    let port = |p: &Arc<PolicyPort>| match *p.end {
        Some(end) => format!("{} {}-{end}", *p.protocol, *p.port),
        None => format!("{} {}", *p.protocol, *p.port),
    };
    Row { peers, ports: rule.ports.iter().map(port).collect() }
}

/// The ports of a flow as pods see them: those of the flow, or what a published port leads to.
fn ports_of_pods(policy: &NetworkPolicy, flow: &Flow) -> Vec<Ports> {
    match published_name(flow) {
        None => vec![flow.all_ports()],
        Some(name) => {
            let ports = policy.pod_ports.iter().find(|p| *p.name == *name);
            ports.map(|p| p.ports.value.clone()).unwrap_or_default()
        }
    }
}

fn add(permitted: &mut Permitted, end: End, transport: Transport, ports: &[Ports], nets: Option<&[IpNet]>) {
    if nets.is_some_and(<[IpNet]>::is_empty) {
        return;
    }
    let region = permitted.entry(end).or_default();
    for range in ports {
        region.add(clause(transport, *range, nets.unwrap_or(&[])));
    }
}

/// One range of ports, of pods (no addresses) or of addresses by family.
fn clause(transport: Transport, ports: Ports, nets: &[IpNet]) -> Vec<Clause> {
    let of = |family: Family| {
        let nets: Vec<IpNet> = nets.iter().filter(|n| Family::of(n) == family).copied().collect();
        let addresses = Addresses::of_nets(family, &nets);
        (!nets.is_empty()).then(|| Clause { family, transport, ports: vec![ports], addresses })
    };
    match nets.is_empty() {
        true => {
            vec![Clause { family: Family::V4, transport, ports: vec![ports], addresses: Addresses::any(Family::V4) }]
        }
        false => Family::BOTH.into_iter().filter_map(of).collect(),
    }
}

/// Reads a policy: which pods it selects, and what it permits. It must speak of both directions, and so deny the rest.
fn read(object: &KubeObject) -> Read<PolicyText> {
    let document = &object.document;
    if object.api_version != "networking.k8s.io/v1" {
        return Err(Fault::new(object.line, "a NetworkPolicy of another version"));
    }
    let root = Fields::of(document, &document.root, &["apiVersion", "kind", "metadata", "spec"])?;
    root.below("metadata", &["name", "namespace"])?;
    let spec = root.below("spec", &["podSelector", "policyTypes", "ingress", "egress"])?;
    if spec.texts("policyTypes")? != ["Ingress", "Egress"] {
        return Err(Fault::new(spec.line(), "a policy that does not speak of both directions"));
    }
    let selector = pods(document, spec.need("podSelector")?)?;
    let mut text = PolicyText { selector, permitted: Permitted::new(), ingress: Vec::new(), egress: Vec::new() };
    for (key, side, into) in [("ingress", "from", true), ("egress", "to", false)] {
        let Some(rules) = spec.get(key) else { continue };
        for node in rules.items() {
            let rule = Fields::of(document, node, &[side, "ports"])?;
            let ports = rule.list("ports")?.iter().map(|p| port(document, p)).collect::<Read<Vec<_>>>()?;
            let peers = rule.list(side)?;
            // An empty list of either would stand for everything.
            if ports.is_empty() || peers.is_empty() {
                return Err(Fault::new(rule.line(), "a rule for every port or for everybody"));
            }
            let port = |(transport, range): &(Transport, Ports)| format!("{} {range}", transport.name().to_uppercase());
            let mut row = Row { peers: Vec::new(), ports: ports.iter().map(port).collect() };
            for peer in peers {
                let (end, net) = peer_of(document, peer, into)?;
                row.peers.push(match (&end, &net) {
                    (_, Some(net)) => net.to_string(),
                    (End::FromPods(pods) | End::ToPods(pods), None) => {
                        pods.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
                    }
                    _ => "dns".into(),
                });
                for (transport, range) in &ports {
                    let nets: Vec<IpNet> = net.into_iter().collect();
                    text.permitted.entry(end.clone()).or_default().add(clause(*transport, *range, &nets));
                }
            }
            if into { text.ingress.push(row) } else { text.egress.push(row) }
        }
    }
    Ok(text)
}

fn pods(document: &Document, node: &Node) -> Read<Selector> {
    if node.entries().is_empty() {
        return Ok(Selector::new());
    }
    let selector = Fields::of(document, node, &["matchLabels"])?;
    let labels = Fields::open(document, selector.need("matchLabels")?)?;
    let list = selector.need("matchLabels")?.entries();
    if list.is_empty() {
        return Err(Fault::new(labels.line(), "labels that are none select every pod"));
    }
    list.iter().map(|e| Ok((e.key.to_string(), labels.text(&e.key)?))).collect()
}

fn peer_of(document: &Document, node: &Node, into: bool) -> Read<(End, Option<IpNet>)> {
    let peer = Fields::of(document, node, &["podSelector", "namespaceSelector", "ipBlock"])?;
    if peer.get("ipBlock").is_some() {
        if node.entries().len() != 1 {
            return Err(Fault::new(peer.line(), "addresses together with pods"));
        }
        let text = peer.below("ipBlock", &["cidr"])?.text("cidr")?;
        let net = text.parse().ok().filter(|n: &IpNet| n.trunc() == *n && text.contains('/'));
        let net = net.ok_or_else(|| Fault::new(peer.line(), format!("`{text}` is no CIDR")))?;
        return Ok((if into { End::FromAddresses } else { End::ToAddresses }, Some(net)));
    }
    let selector = pods(document, peer.need("podSelector")?)?;
    let is = |selector: &Selector, key: &str, value: &str| {
        selector.len() == 1 && selector.get(key).is_some_and(|v| v == value)
    };
    match peer.get("namespaceSelector") {
        Some(namespace) => {
            let namespace = pods(document, namespace)?;
            let dns =
                is(&namespace, "kubernetes.io/metadata.name", "kube-system") && is(&selector, "k8s-app", "kube-dns");
            match dns && !into {
                true => Ok((End::ToDns, None)),
                false => Err(Fault::new(peer.line(), "pods of another namespace than those of the DNS")),
            }
        }
        None if selector.is_empty() => Err(Fault::new(peer.line(), "every pod of the namespace as a peer")),
        None => Ok((if into { End::FromPods(selector) } else { End::ToPods(selector) }, None)),
    }
}

fn port(document: &Document, node: &Node) -> Read<(Transport, Ports)> {
    let fields = Fields::of(document, node, &["protocol", "port", "endPort"])?;
    let transport = match &*fields.text("protocol")? {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "SCTP" => Transport::Sctp,
        _ => return Err(Fault::new(fields.line(), format!("{} is no protocol", show(node)))),
    };
    let number = |key: &str| -> Read<Option<u16>> {
        let number = fields.number(key)?.map(u16::try_from).transpose();
        number.map_err(|_| Fault::new(fields.line(), format!("`{key}` is no port")))
    };
    let low = number("port")?.ok_or_else(|| Fault::new(fields.line(), "a port without its number"))?;
    let high = number("endPort")?.unwrap_or(low);
    match low > 0 && high >= low {
        true => Ok((transport, Ports { low, high })),
        false => Err(Fault::new(fields.line(), "a range of ports the wrong way round")),
    }
}
