//! From permitted traffic to the NetworkPolicies of products: everything denied, then exactly the flows of each component.
//!
//! Pods are selected by labels, which the pack knows or the site answers. While those of one component are not known,
//! nothing is written for the product: a policy that lacks a peer would cut the product apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::storage::pointer;
use crate::instance::{Answer, Asked, Instance, Run, Withheld, ports_of};
use crate::ir::{F, Flow, Label, NetworkPolicy, PodPort, PolicyPort, PolicyRule, Transport};
use crate::pack::expr::{Scope, Unanswered};
use crate::site::Site;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// What asks for policies in the spec.
const TARGET: &str = "network-policy";

/// Whether the site asks for policies, and what says so.
pub fn wanted(site: &Site) -> Option<Origins> {
    let targets = site.at("/firewall/targets")?;
    let word = targets.items().iter().find(|t| t.value == Value::str(TARGET))?;
    Some(word.origins.union(&targets.origins))
}

/// What decides on whether a site has policies at all.
pub fn read(instances: &[Instance], site: &Site) -> Origins {
    let targets = site.at("/firewall/targets");
    let words = targets.into_iter().flat_map(Tracked::items).map(|t| &t.origins);
    let kinds = site.table("clusters").filter_map(|(_, c)| c.get("kind")).map(|k| &k.origins);
    let clusters = instances.iter().flat_map(|i| &i.names).filter(|(n, _)| &**n == "cluster").map(|(_, c)| &c.origins);
    Origins::all(targets.into_iter().map(|t| &t.origins).chain(words).chain(kinds).chain(clusters))
}

/// Whether a policy can say a flow of a component: a protocol with ports, and addresses.
pub fn is_sayable(flow: &Flow) -> bool {
    let inside = |component: &F<Option<Str>>, nets: &[ipnet::IpNet]| component.is_some() || !nets.is_empty();
    flow.transport.has_ports()
        && inside(&flow.from_component, &flow.from_hosts.nets)
        && inside(&flow.to_component, &flow.to_hosts.nets)
}

/// Labels of the pods of a component, with what they depend on.
type Labels = F<Vec<(Str, Str)>>;

/// The other end of a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    Component(Str),
    Blocks(Vec<Str>),
}

/// The rules of one direction: by what the other end is called, and what it is, its ports.
type Rules = BTreeMap<(Str, Peer), Parts>;

#[derive(Default)]
struct Parts {
    ports: BTreeMap<Transport, Vec<Ports>>,
    origins: Vec<Origins>,
}

/// The policies of every product on Kubernetes.
pub fn policies(flows: &[Arc<Flow>], instances: &[Instance], site: &Site, run: &mut Run) -> Vec<Arc<NetworkPolicy>> {
    let Some(wanted) = wanted(site) else { return Vec::new() };
    let mut list = Vec::new();
    // Namespaces that belong to complete products alone.
    let mut complete: BTreeMap<(Str, Str), Option<Vec<Origins>>> = BTreeMap::new();
    for instance in instances {
        let Some(cluster) = cluster(instance, site) else { continue };
        let own: Vec<&Flow> =
            flows.iter().map(|f| &**f).filter(|f| f.pods_of.as_ref() == Some(&instance.name)).collect();
        let mut product = Product { instance, site, open: Vec::new() };
        let namespace = product.namespace(run);
        if let Some(namespace) = &namespace {
            let place = (cluster.value.clone(), namespace.value.clone());
            let origins = Origins::all([&wanted, &cluster.origins, &namespace.origins]);
            let found = match own.is_empty() {
                true => None,
                false => product.policies(&own, &cluster, namespace, &origins, run),
            };
            match (complete.entry(place).or_insert_with(|| Some(Vec::new())), &found) {
                (Some(all), Some(_)) => all.push(origins),
                (entry, _) => *entry = None,
            }
            list.extend(found.unwrap_or_default());
        }
        if !product.open.is_empty() {
            run.withheld.push(Withheld {
                product: instance.name.clone(),
                what: "NetworkPolicies".into(),
                unanswered: product.open,
                why: WHY.into(),
                origins: wanted.clone(),
            });
        }
    }
    for ((cluster, namespace), origins) in complete {
        let Some(origins) = origins else { continue };
        list.push(deny_all(cluster, namespace, &Origins::all(&origins)));
    }
    list.sort_by_cached_key(|p| (p.cluster.value.clone(), p.namespace.value.clone(), p.name.value.clone()));
    list
}

const WHY: &str = "addition: a NetworkPolicy selects pods by their labels";

/// The cluster of a product, where it is one of Kubernetes.
fn cluster(instance: &Instance, site: &Site) -> Option<F<Str>> {
    let (_, cluster) = instance.names.iter().find(|(n, _)| &**n == "cluster")?;
    let Value::Ref(r) = &cluster.value else { return None };
    let name = &r.name;
    let kind = site.entry("clusters", name)?.get("kind")?;
    (kind.value == Value::str("kubernetes")).then(|| F::new(name.clone(), cluster.origins.union(&kind.origins)))
}

/// Denies what no other policy of the namespace permits; names are resolved all the same.
fn deny_all(cluster: Str, namespace: Str, origins: &Origins) -> Arc<NetworkPolicy> {
    let field = |value: Str| F::new(value, origins.clone());
    Arc::new(NetworkPolicy {
        cluster: field(cluster),
        namespace: field(namespace),
        name: field("sitec-default".into()),
        product: F::new(None, origins.clone()),
        component: F::new(None, origins.clone()),
        labels: F::new(Vec::new(), origins.clone()),
        pod_ports: F::new(Vec::new(), origins.clone()),
        ingress: F::new(Vec::new(), origins.clone()),
        egress: F::new(Vec::new(), origins.clone()),
    })
}

/// One product, and what is not known of its pods.
struct Product<'a> {
    instance: &'a Instance<'a>,
    site: &'a Site,
    open: Vec<Unanswered>,
}

impl Product<'_> {
    fn at(&self, steps: &[&str]) -> Option<&Tracked> {
        let mut all = vec!["products", &*self.instance.name];
        all.extend(steps);
        self.site.at(&pointer(&all)).filter(|v| !matches!(v.value, Value::Null | Value::Poison))
    }

    fn namespace(&mut self, run: &mut Run) -> Option<F<Str>> {
        if let Some(found) = self.at(&["namespace"]) {
            return Some(F::new(found.value.text()?, found.origins.clone()));
        }
        self.ask(&["namespace"], "in which namespace does it run, so that its pods can be protected?".into(), run);
        None
    }

    /// Asks the spec for something below the product.
    fn ask(&mut self, steps: &[&str], ask: String, run: &mut Run) {
        let mut all = vec!["products", &*self.instance.name];
        all.extend(steps);
        // The open answer itself where it is written, else the map in which it is missing.
        let deepest = (1..=all.len()).rev().find_map(|n| self.site.at(&pointer(&all[..n])));
        let origins = deepest.map(|v| v.origins.clone()).unwrap_or_default();
        let unanswered = Unanswered {
            path: format!("product.{}", steps.join(".")),
            pointer: Some(pointer(&all)),
            reads: origins.clone(),
            origins,
        };
        run.asked.push(Asked {
            product: self.instance.name.clone(),
            ask: ask.into(),
            who: "cluster administrator".into(),
            why: WHY.into(),
            waits: Vec::new(),
            unanswered: vec![unanswered.clone()],
            origins: Origins::None,
        });
        self.open.push(unanswered);
    }

    /// One policy per component; nothing while something is not known.
    fn policies(
        &mut self,
        flows: &[&Flow],
        cluster: &F<Str>,
        namespace: &F<Str>,
        wanted: &Origins,
        run: &mut Run,
    ) -> Option<Vec<Arc<NetworkPolicy>>> {
        let components: BTreeSet<&Str> =
            flows.iter().flat_map(|f| [f.from_component.as_ref(), f.to_component.as_ref()]).flatten().collect();
        let mut labels: BTreeMap<&Str, Labels> = BTreeMap::new();
        let mut unknown: Vec<&Str> = Vec::new();
        for component in &components {
            match self.labels(component, run) {
                Some(Some(found)) => drop(labels.insert(component, found)),
                Some(None) => unknown.push(component),
                None => {}
            }
        }
        match unknown.as_slice() {
            [] => {}
            [one] => {
                let ask = format!("by which labels are the pods of component `{one}` told apart?");
                self.ask(&["pods", "labels", one], ask, run);
            }
            // One answer is enough where every pod has its component in a label.
            several => {
                let names = several.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
                let ask = format!("which label of the pods has the name of their component ({names})?");
                self.ask(&["pods", "label_key"], ask, run);
            }
        }
        let mut published: BTreeMap<Str, F<Vec<Ports>>> = BTreeMap::new();
        let (mut ingress, mut egress): (BTreeMap<&Str, Rules>, BTreeMap<&Str, Rules>) = Default::default();
        for flow in flows.iter().filter(|f| is_sayable(f)) {
            let (ports, read) = match published_name(flow) {
                None => (vec![flow.all_ports()], Origins::None),
                Some(name) => {
                    if !published.contains_key(name) {
                        let Some((ports, read)) = self.pod_ports(name, run) else { continue };
                        published.insert(name.clone(), F::new(ports, read));
                    }
                    (published[name].value.clone(), published[name].origins.clone())
                }
            };
            let blocks = |nets: Vec<ipnet::IpNet>| {
                Peer::Blocks(super::peers::merged(nets).iter().map(|n| Str::from(n.to_string())).collect())
            };
            let add = |rules: &mut Rules, label: &Str, peer: Peer| {
                let parts = rules.entry((label.clone(), peer)).or_default();
                parts.ports.entry(*flow.transport).or_default().extend(ports.iter().copied());
                parts.origins.push(flow.origins().union(&read));
            };
            if let Some(own) = flow.from_component.as_ref() {
                let peer = match flow.to_component.as_ref() {
                    Some(component) => Peer::Component(component.clone()),
                    None => blocks(flow.to_hosts.nets.to_vec()),
                };
                add(egress.entry(own).or_default(), &flow.to, peer);
            }
            if let Some(own) = flow.to_component.as_ref() {
                let peer = match flow.from_component.as_ref() {
                    Some(component) => Peer::Component(component.clone()),
                    // A published port is reached at a node, which may pass the connection on in its own name.
                    None => blocks(flow.from_hosts.nets.iter().chain(&flow.to_hosts.nets).copied().collect()),
                };
                add(ingress.entry(own).or_default(), &flow.from, peer);
            }
        }
        if !self.open.is_empty() {
            return None;
        }
        let leads = |(name, ports): (&Str, &F<Vec<Ports>>)| {
            Arc::new(PodPort { name: F::new(name.clone(), ports.origins.clone()), ports: ports.clone() })
        };
        let pod_ports: Vec<Arc<PodPort>> = published.iter().map(leads).collect();
        let mut list = Vec::new();
        for component in components {
            let own = &labels[component];
            let (ingress, egress) = (ingress.remove(component), egress.remove(component));
            let parts = ingress.iter().chain(&egress).flat_map(BTreeMap::values).flat_map(|p| &p.origins);
            let origins = Origins::all(parts.chain([wanted, &own.origins]));
            let of = |rules: Option<Rules>| {
                rules.unwrap_or_default().into_iter().map(|(key, parts)| rule(key, parts, wanted, &labels)).collect()
            };
            list.push(Arc::new(NetworkPolicy {
                cluster: F::new(cluster.value.clone(), origins.clone()),
                namespace: F::new(namespace.value.clone(), origins.clone()),
                name: F::new(policy_name(&self.instance.name, component), origins.clone()),
                product: F::new(Some(self.instance.name.clone()), origins.clone()),
                component: F::new(Some(component.clone()), origins.clone()),
                labels: labels_of(own, &origins),
                pod_ports: F::new(pod_ports.clone(), origins.clone()),
                ingress: F::new(of(ingress), origins.clone()),
                egress: F::new(of(egress), origins.clone()),
            }));
        }
        Some(list)
    }

    /// The labels of a component's pods: the site's answer, or what the pack knows, or a label that has its name. Nothing
    /// within where nobody has said, nothing at all where an answer of another kind is waited for.
    fn labels(&mut self, component: &Str, run: &mut Run) -> Option<Option<Labels>> {
        if let Some(given) = self.at(&["pods", "labels", component]) {
            let list: Option<Vec<(Str, Str)>> =
                given.entries().map(|(key, value)| Some((key.clone(), value.value.text()?))).collect();
            if let Some(list) = list.filter(|l| !l.is_empty()) {
                let origins = Origins::all(given.entries().map(|(_, v)| &v.origins)).union(&given.origins);
                return Some(Some(F::new(list, origins)));
            }
        }
        let rule = &self.instance.pack.components[component];
        if !rule.labels.is_empty() {
            let world = self.instance.world(self.site);
            let scope = Scope::new(&self.instance.names, &world);
            let (mut list, mut origins) = (Vec::new(), vec![Origins::from(rule.head.place)]);
            for (key, text) in &rule.labels {
                match run.text(text, &scope) {
                    Answer::Known(value) => {
                        list.push((key.clone(), value.value.text()?));
                        origins.push(value.origins);
                    }
                    Answer::Open(open) => {
                        self.open.extend(open);
                        return None;
                    }
                    Answer::Poison => return None,
                }
            }
            return Some(Some(F::new(list, Origins::all(&origins))));
        }
        if let Some(key) = self.at(&["pods", "label_key"]) {
            let name = component.replace('_', "-");
            return Some(Some(F::new(vec![(key.value.text()?, name.into())], key.origins.clone())));
        }
        Some(None)
    }

    /// The ports of the pods that a published one leads to, with what was read. They are asked for once.
    fn pod_ports(&mut self, name: &Str, run: &mut Run) -> Option<(Vec<Ports>, Origins)> {
        if let Some(given) = self.at(&["pods", "ports", name]) {
            return Some((ports_of(&given.value)?, given.origins.clone()));
        }
        let world = self.instance.world(self.site);
        let scope = Scope::new(&self.instance.names, &world);
        if let Some(expr) = self.instance.pack.ports.get(name).and_then(|p| p.leads_to.as_ref()) {
            return match run.eval(expr, &scope) {
                Answer::Known(value) => Some((ports_of(&value.value)?, value.origins)),
                Answer::Open(open) => {
                    self.open.extend(open);
                    None
                }
                Answer::Poison => None,
            };
        }
        let ask = format!("to which port of its pods does the published port `{name}` lead?");
        self.ask(&["pods", "ports", name], ask, run);
        None
    }
}

/// What the site adds to the published port of a component comes to the pods of that component.
pub fn attached(mut flows: Vec<Arc<Flow>>) -> Vec<Arc<Flow>> {
    let published: Vec<Arc<Flow>> = flows.iter().filter(|f| published_name(f).is_some()).cloned().collect();
    for flow in flows.iter_mut().filter(|f| *f.published && f.pods_of.is_none()) {
        let same = |p: &&Arc<Flow>| {
            (*p.transport, *p.ports) == (*flow.transport, *flow.ports)
                && flow.to_hosts.nets.iter().any(|n| p.to_hosts.nets.iter().any(|m| m.contains(n) || n.contains(m)))
        };
        let Some(known) = published.iter().find(same) else { continue };
        let flow = Arc::make_mut(flow);
        let read = known.to_component.origins.union(&flow.to_component.origins);
        flow.pods_of = F::new(known.pods_of.value.clone(), read.clone());
        flow.to_component = F::new(known.to_component.value.clone(), read.clone());
        flow.port_name = F::new(known.port_name.value.clone(), read);
    }
    flows
}

/// What the pack calls the published port by which a flow comes to pods.
pub fn published_name(flow: &Flow) -> Option<&Str> {
    flow.port_name.as_ref().filter(|_| *flow.published && flow.to_component.is_some())
}

/// A name that Kubernetes takes, told apart by product and component.
fn policy_name(product: &str, component: &str) -> Str {
    format!("sitec-{product}-{component}").to_lowercase().replace(['_', ' ', '.'], "-").into()
}

fn labels_of(labels: &Labels, origins: &Origins) -> F<Vec<Arc<Label>>> {
    let label = |(key, value): &(Str, Str)| {
        let origins = labels.origins.union(origins);
        Arc::new(Label { key: F::new(key.clone(), origins.clone()), value: F::new(value.clone(), origins) })
    };
    F::new(labels.iter().map(label).collect(), labels.origins.union(origins))
}

fn rule((why, peer): (Str, Peer), parts: Parts, wanted: &Origins, labels: &BTreeMap<&Str, Labels>) -> Arc<PolicyRule> {
    let origins = Origins::all(parts.origins.iter().chain([wanted]));
    let mut ports = Vec::new();
    for (transport, list) in parts.ports {
        for range in super::rules::joined(list) {
            let end = (range.high > range.low).then_some(i64::from(range.high));
            ports.push(Arc::new(PolicyPort {
                protocol: F::new(transport.name().to_uppercase().into(), origins.clone()),
                port: F::new(range.low.into(), origins.clone()),
                end: F::new(end, origins.clone()),
            }));
        }
    }
    let (labels, blocks) = match peer {
        Peer::Component(component) => (labels_of(&labels[&component], &origins), Vec::new()),
        Peer::Blocks(blocks) => (F::new(Vec::new(), origins.clone()), blocks),
    };
    Arc::new(PolicyRule {
        why: F::new(why, origins.clone()),
        labels,
        blocks: F::new(blocks, origins.clone()),
        ports: F::new(ports, origins.clone()),
    })
}
