//! Components, bindings and flow rows of the packs as permitted traffic.

use std::sync::Arc;

use super::ends::InlineEnds;
use super::peers::peers;
use super::rows::{ranges, scope_of};
use crate::instance::{Answer, Bound, Instance, PortValue, Run, Withheld};
use crate::ir::{F, Flow, Peers, Scope as FlowScope, Transport};
use crate::pack::expr::{Scope, Unanswered};
use crate::pack::manifest::{Component, FlowRule, PortGroup};
use crate::site::Site;
use crate::source::Span;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// Flows that are not there, by the labels of their ends. Had they been, their ports would have joined those of a rule.
#[derive(Clone, Debug)]
pub struct Gone {
    pub from: Str,
    pub to: Str,
    /// What keeps them from being there.
    pub origins: Origins,
}

/// The flows of one instance, and those that are not there.
pub fn flows(instance: &Instance, site: &Site, run: &mut Run) -> (Vec<Arc<Flow>>, Vec<Gone>) {
    let (mut open, lost) = (Vec::new(), run.lost);
    let mut lowering = Lowering {
        instance,
        site,
        ends: Vec::new(),
        inline: InlineEnds::default(),
        nodes: None,
        ranges: ranges(site),
        nodes_open: Vec::new(),
        flows: Vec::new(),
        gone: Vec::new(),
        open: Vec::new(),
    };
    lowering.nodes = lowering.node_peers(run);
    lowering.ends = lowering.ends(run, &mut open);
    for component in instance.pack.components.values() {
        lowering.component(component, run);
    }
    for rule in &instance.pack.flows {
        lowering.rule(rule, run);
    }
    if !lowering.open.is_empty() || run.lost > lost {
        run.unknown.insert("flows");
    }
    for (what, unanswered, why) in std::mem::take(&mut lowering.open) {
        run.withheld.push(Withheld { product: instance.name.clone(), what, unanswered, why, ..Default::default() });
    }
    (lowering.flows, lowering.gone)
}

/// One thing that a flow can begin or end at.
pub(super) struct End {
    pub(super) name: Str,
    pub(super) label: Str,
    /// Whether it is a component of the product (its pods), and the origins of its being there.
    pub(super) component: bool,
    pub(super) state: State,
    pub(super) listens: Vec<(Str, Span)>,
    /// Where published ports of a component are reached from outside the cluster.
    pub(super) published_on: Option<F<Peers>>,
}

pub(super) enum State {
    Present(F<Peers>),
    /// With what keeps it from being there.
    Absent(Origins),
    Open(Vec<Unanswered>),
}

struct Lowering<'a> {
    instance: &'a Instance<'a>,
    site: &'a Site,
    ends: Vec<Arc<End>>,
    inline: InlineEnds,
    /// Addresses with which pods reach other hosts.
    nodes: Option<F<Peers>>,
    /// What says where the site ends.
    ranges: Origins,
    /// Why those addresses, or the cluster itself, are not known.
    nodes_open: Vec<Unanswered>,
    flows: Vec<Arc<Flow>>,
    gone: Vec<Gone>,
    open: Vec<(String, Vec<Unanswered>, Str)>,
}

/// One group of ports with its transports, ready for rows.
struct Group {
    ports: F<Vec<Ports>>,
    transports: Vec<Transport>,
    application: Str,
    published: bool,
    /// What the pack calls it.
    name: Option<Str>,
    departs: Option<Str>,
}

impl Lowering<'_> {
    fn node_peers(&mut self, run: &mut Run) -> Option<F<Peers>> {
        let nodes = self.instance.pack.nodes.as_ref()?;
        let world = self.instance.world(self.site);
        match run.eval(nodes, &Scope::new(&self.instance.names, &world)) {
            Answer::Known(value) => peers(&value, self.site),
            Answer::Open(open) => {
                self.nodes_open = open;
                None
            }
            Answer::Poison => None,
        }
    }

    fn ends(&self, run: &mut Run, open: &mut Vec<Unanswered>) -> Vec<Arc<End>> {
        let instance = self.instance;
        let mut ends = Vec::new();
        for (name, binding) in &instance.pack.bindings {
            let state = match instance.bound.get(name) {
                Some(Bound::Present(value)) => match peers(value, self.site) {
                    Some(found) => State::Present(found),
                    None => State::Absent(value.origins.clone()),
                },
                Some(Bound::Open(unanswered)) => State::Open(unanswered.clone()),
                Some(Bound::Absent(origins)) => State::Absent(origins.clone()),
                Some(Bound::Poison) | None => State::Absent(Origins::None),
            };
            ends.push(Arc::new(End {
                name: name.clone(),
                label: binding.label.clone(),
                component: false,
                state,
                listens: binding.listens.clone(),
                published_on: None,
            }));
        }
        let pods = match self.cluster() {
            Some(cluster) => Peers { pods: Some(cluster.value.clone()), ..Peers::default() },
            None => Peers::default(),
        };
        let cluster_origins = self.cluster().map(|c| c.origins).unwrap_or_default();
        let world = instance.world(self.site);
        let scope = Scope::new(&instance.names, &world);
        for (name, component) in &instance.pack.components {
            let mut unanswered = Vec::new();
            let mut state = State::Absent(Origins::None);
            let mut published_on = None;
            run.absent.clear();
            run.each(&component.head, &scope, &mut unanswered, &mut |scope, origins, run| {
                state = State::Present(F::new(pods.clone(), origins.union(&cluster_origins)));
                if let Some(Answer::Known(value)) = component.published_on.as_ref().map(|e| run.eval(e, scope)) {
                    published_on = peers(&value, self.site);
                }
            });
            if let State::Absent(why) = &mut state {
                *why = Origins::all(&std::mem::take(&mut run.absent));
            }
            if matches!(state, State::Present(_)) && !self.nodes_open.is_empty() {
                state = State::Open(self.nodes_open.clone());
            }
            if !unanswered.is_empty() {
                open.extend(unanswered.iter().cloned());
                state = State::Open(unanswered);
            }
            ends.push(Arc::new(End {
                name: name.clone(),
                label: name.clone(),
                component: true,
                state,
                listens: component.listens.clone(),
                published_on,
            }));
        }
        ends
    }

    fn cluster(&self) -> Option<F<Str>> {
        match self.instance.names.iter().find(|(n, _)| &**n == "cluster").map(|(_, v)| v) {
            Some(Tracked { value: Value::Ref(cluster), origins }) => {
                Some(F::new(cluster.name.clone(), origins.clone()))
            }
            _ => None,
        }
    }

    fn end(&self, name: &str) -> Option<Arc<End>> {
        self.ends.iter().find(|e| *e.name == *name).cloned()
    }

    fn component(&mut self, component: &Component, run: &mut Run) {
        let Some(from) = self.end(&component.name) else { return };
        let why = self.why(&component.head.source, component.note.as_ref(), run);
        for (target, _) in &component.connects {
            let Some(to) = self.end(target) else { continue };
            let origins = Origins::from(component.head.place);
            self.connect(&from, &to, None, &origins, &why, run);
        }
    }

    fn rule(&mut self, rule: &FlowRule, run: &mut Run) {
        let (instance, site) = (self.instance, self.site);
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        let mut unanswered = Vec::new();
        let mut found = Vec::new();
        let mut inline = Vec::new();
        let ends = &mut self.inline;
        run.absent.clear();
        run.each(&rule.head, &scope, &mut unanswered, &mut |scope, origins, run| match &rule.ends {
            None => found.push(origins.clone()),
            Some((from, to)) => {
                inline.push((ends.end(from, scope, site, run), ends.end(to, scope, site, run), origins.clone()))
            }
        });
        let gone = Origins::all(&std::mem::take(&mut run.absent));
        match &rule.ends {
            Some((from, to)) => self.gone(from.label.source(), to.label.source(), &gone),
            None => {
                for (from, to) in rule.from.iter().flat_map(|(f, _)| rule.to.iter().map(move |(t, _)| (f, t))) {
                    if let (Some(from), Some(to)) = (self.end(from), self.end(to)) {
                        self.gone(&from.label, &to.label, &gone);
                    }
                }
            }
        }
        let why = self.why(&rule.head.source, rule.note.as_ref(), run);
        if !unanswered.is_empty() {
            let ends = |names: &[(Str, Span)]| names.iter().map(|(n, _)| &**n).collect::<Vec<_>>().join(", ");
            let what = match &rule.ends {
                None => format!("flow {} -> {}", ends(&rule.from), ends(&rule.to)),
                Some((from, to)) => format!("flow {} -> {}", from.label.source(), to.label.source()),
            };
            self.open.push((what, unanswered, why.clone()));
        }
        for (from, to, origins) in inline {
            self.connect(&from, &to, Some(&rule.groups), &origins, &why, run);
        }
        for origins in found {
            for (from, _) in &rule.from {
                for (to, _) in &rule.to {
                    let (Some(from), Some(to)) = (self.end(from), self.end(to)) else { continue };
                    self.connect(&from, &to, Some(&rule.groups), &origins, &why, run);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn connect(
        &mut self,
        source: &End,
        target: &End,
        groups: Option<&[PortGroup]>,
        origins: &Origins,
        why: &Str,
        run: &mut Run,
    ) {
        let (from_peers, to_peers) = match (&source.state, &target.state) {
            (State::Absent(why), _) | (_, State::Absent(why)) => {
                return self.gone(&source.label, &target.label, &why.union(origins));
            }
            (State::Open(open), _) | (_, State::Open(open)) => {
                let reads = Origins::all(open.iter().map(|u| &u.reads));
                self.gone(&source.label, &target.label, &reads);
                let what = format!("flow {} -> {}", source.label, target.label);
                self.open.push((what, open.clone(), why.clone()));
                return;
            }
            (State::Present(from), State::Present(to)) => (from.clone(), to.clone()),
        };
        let inside = source.component && target.component;
        let listens: Vec<PortGroup>;
        let groups = match groups {
            Some(groups) if !groups.is_empty() => groups,
            _ => {
                listens = target.listens.iter().map(|(n, s)| PortGroup::Named(n.clone(), *s)).collect();
                &listens
            }
        };
        let from_peers = match source.component && !inside {
            true => self.outside(&self.nodes, &from_peers),
            false => from_peers,
        };
        let published_on = target.published_on.clone().or_else(|| self.nodes.clone());
        let to_peers = match target.component && !inside {
            true => self.outside(&published_on, &to_peers),
            false => to_peers,
        };
        let labels = (source.label.clone(), target.label.clone());
        let scope = if inside { FlowScope::Cluster } else { scope_of(&from_peers, &to_peers, self.site) };
        for group in groups {
            run.absent.clear();
            let group = self.group(group, run);
            let gone = Origins::all(&std::mem::take(&mut run.absent));
            self.gone(&labels.0, &labels.1, &gone);
            match group {
                Ok(group) => {
                    let of = |end: &End| end.component.then(|| end.name.clone());
                    let pods = (of(source), of(target).or_else(|| self.behind(&group)));
                    self.rows(&labels, &pods, &from_peers, &to_peers, scope, &group, origins, why);
                }
                Err(open) if open.is_empty() => {}
                Err(open) => {
                    let what = format!("flow {} -> {}", labels.0, labels.1);
                    self.open.push((what, open, why.clone()));
                }
            }
        }
    }

    /// The only component that listens on a published port.
    fn behind(&self, group: &Group) -> Option<Str> {
        let name = group.name.as_ref().filter(|_| group.published)?;
        let listens = |e: &&Arc<End>| e.component && matches!(e.state, State::Present(_));
        let mut ends = self.ends.iter().filter(listens).filter(|e| e.listens.iter().any(|(n, _)| n == name));
        ends.next().filter(|_| ends.next().is_none()).map(|e| e.name.clone())
    }

    /// Notes that there is no flow between two ends, with what keeps it from being there.
    fn gone(&mut self, from: &Str, to: &Str, origins: &Origins) {
        if !matches!(origins, Origins::None) {
            self.gone.push(Gone { from: from.clone(), to: to.clone(), origins: origins.clone() });
        }
    }

    /// The addresses that pods have to other hosts, with the origins of the component's being there.
    fn outside(&self, nodes: &Option<F<Peers>>, component: &F<Peers>) -> F<Peers> {
        match nodes {
            Some(nodes) => F::new(nodes.value.clone(), nodes.origins.union(&component.origins)),
            None => component.clone(),
        }
    }

    fn group(&self, group: &PortGroup, run: &mut Run) -> Result<Group, Vec<Unanswered>> {
        match group {
            PortGroup::Literal { ports, transports, application } => Ok(Group {
                ports: F::new(ports.clone(), Origins::None),
                transports: transports.clone(),
                application: application.clone(),
                published: false,
                name: None,
                departs: None,
            }),
            PortGroup::Named(name, _) => {
                let (Some(rule), Some(value)) = (self.instance.pack.ports.get(name), self.instance.ports.get(name))
                else {
                    return Err(Vec::new());
                };
                let world = self.instance.world(self.site);
                let scope = Scope::new(&self.instance.names, &world);
                let mut open = Vec::new();
                let mut origins = None;
                run.each(&rule.head, &scope, &mut open, &mut |_, o, _| origins = Some(o.clone()));
                let Some(origins) = origins else { return Err(open) };
                let (application, said) = match rule.application.as_ref().map(|text| run.text(text, &scope)) {
                    None => ("".into(), Origins::None),
                    Some(Answer::Known(text)) => (text.value.text().unwrap_or_default(), text.origins),
                    Some(Answer::Open(open)) => return Err(open),
                    Some(Answer::Poison) => return Err(Vec::new()),
                };
                match value {
                    PortValue::Known(ports) if ports.value.is_empty() => {
                        run.is_absent(|| ports.origins.union(&origins));
                        Err(Vec::new())
                    }
                    PortValue::Known(ports) => Ok(Group {
                        ports: F::new(ports.value.clone(), ports.origins.union(&origins).union(&said)),
                        transports: rule.transports.clone(),
                        application,
                        published: rule.published,
                        name: Some(name.clone()),
                        departs: rule.departs.clone(),
                    }),
                    PortValue::Open(open) => Err(open.clone()),
                    PortValue::Poison => Err(Vec::new()),
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn rows(
        &mut self,
        labels: &(Str, Str),
        pods: &(Option<Str>, Option<Str>),
        from: &F<Peers>,
        to: &F<Peers>,
        scope: FlowScope,
        group: &Group,
        origins: &Origins,
        why: &Str,
    ) {
        let why: Str = match &group.departs {
            Some(departs) => format!("{why}; {departs}").into(),
            None => why.clone(),
        };
        // Every field of a row depends on both ends being there and on the item that connects them.
        let exists = Origins::all([origins, &from.origins, &to.origins, &group.ports.origins]);
        let field = |value: &Str| F::new(value.clone(), exists.clone());
        let ports: Vec<Option<Ports>> = match group.ports.value.as_slice() {
            [] => vec![None],
            list => list.iter().map(|p| Some(*p)).collect(),
        };
        for ports in &ports {
            for &transport in &group.transports {
                self.flows.push(Arc::new(Flow {
                    product: field(&self.instance.name),
                    from: field(&labels.0),
                    from_hosts: from.clone(),
                    to: field(&labels.1),
                    to_hosts: to.clone(),
                    transport: F::new(transport, exists.clone()),
                    ports: F::new(*ports, exists.clone()),
                    application: field(&group.application),
                    scope: F::new(scope, exists.union(&self.ranges)),
                    published: F::new(group.published, exists.clone()),
                    pods_of: F::new(
                        pods.0.as_ref().or(pods.1.as_ref()).map(|_| self.instance.name.clone()),
                        exists.clone(),
                    ),
                    from_component: F::new(pods.0.clone(), exists.clone()),
                    to_component: F::new(pods.1.clone(), exists.clone()),
                    port_name: F::new(group.name.clone(), exists.clone()),
                    why: field(&why),
                }));
            }
        }
    }

    fn why(
        &self,
        source: &crate::pack::manifest::Source,
        note: Option<&crate::pack::expr::Text>,
        run: &mut Run,
    ) -> Str {
        let base = self.instance.pack.source_text(source);
        let world = self.instance.world(self.site);
        let note = note.and_then(|n| match run.text(n, &Scope::new(&self.instance.names, &world)) {
            Answer::Known(value) => value.value.text(),
            _ => None,
        });
        match note {
            Some(note) => format!("{base}; {note}").into(),
            None => base,
        }
    }
}
