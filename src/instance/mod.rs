//! A pack put to work on a site: its bindings, ports and values evaluated once, the names that its expressions see.

pub mod each;

use indexmap::IndexMap;

pub use each::{Answer, Asked, Run, Withheld};

use crate::ir::F;
use crate::pack::expr::{Scope, Tables, Unanswered};
use crate::pack::manifest::{Binding, Pack, PortRule};
use crate::site::Site;
use crate::source::PlaceId;
use crate::value::{Map, Origins, Ports, Str, Tracked, Value};

/// One pack on one site. A pack that the site names twice has two.
#[derive(Debug)]
pub struct Instance<'a> {
    /// The key under `products`; `site` for the pack that every site has.
    pub name: Str,
    pub pack: &'a Pack,
    /// The entry under `products`; unanswered for the pack that every site has.
    pub product: Tracked,
    /// What expressions see, beside the names of their own loops.
    pub names: Vec<(Str, Tracked)>,
    pub bound: IndexMap<Str, Bound>,
    pub ports: IndexMap<Str, PortValue>,
}

/// What became of a binding.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Present(Tracked),
    /// The site says that there is none, or a condition of the pack rules it out.
    Absent(Origins),
    /// Unanswered.
    Open(Vec<Unanswered>),
    Poison,
}

/// What became of a named port.
#[derive(Clone, Debug, PartialEq)]
pub enum PortValue {
    Known(F<Vec<Ports>>),
    Open(Vec<Unanswered>),
    Poison,
}

/// What names are looked up in while a pack is evaluated: the site's tables and the pack's blanks.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    pub site: &'a Site,
    pub instance: &'a str,
    pub pack: &'a Pack,
}

impl Tables for World<'_> {
    fn entry(&self, table: &str, name: &str) -> Option<&Tracked> {
        self.site.entry(table, name)
    }

    fn blank(&self, name: &str) -> Option<Tracked> {
        let (index, _, rule) = self.pack.blanks.get_full(name)?;
        Some(Tracked::new(blank_mark(index), rule.head.place))
    }
}

/// What stands in place of a blank; the letter and number are those of its row in `questions.md`.
pub fn blank_mark(index: usize) -> String {
    format!("________ (A{})", index + 1)
}

impl<'a> Instance<'a> {
    /// Puts a pack to work. Evaluation errors are findings; open answers are kept with what they concern.
    pub fn new(name: Str, pack: &'a Pack, product: Option<&Tracked>, site: &Site, run: &mut Run) -> Self {
        let product = product.cloned().unwrap_or_default();
        let mut instance = Self {
            names: names_of(&name, pack, &product, site),
            name,
            pack,
            product,
            bound: IndexMap::new(),
            ports: IndexMap::new(),
        };
        instance.bind(site, run);
        instance.number_ports(site, run);
        instance.compute(site, run);
        instance
    }

    /// What the instance's expressions look names up in.
    pub fn world<'s>(&'s self, site: &'s Site) -> World<'s> {
        World { site, instance: &self.name, pack: self.pack }
    }

    fn set(&mut self, name: &str, value: Tracked) {
        match self.names.iter_mut().find(|(n, _)| &**n == name) {
            Some(slot) => slot.1 = value,
            None => self.names.push((name.into(), value)),
        }
    }

    fn bind(&mut self, site: &Site, run: &mut Run) {
        let mut map = Map::new();
        for (name, binding) in &self.pack.bindings {
            let bound = {
                let world = World { site, instance: &self.name, pack: self.pack };
                bound(binding, &Scope::new(&self.names, &world), run)
            };
            let value = match &bound {
                Bound::Present(value) => value.clone(),
                Bound::Absent(origins) => Tracked { value: Value::str("none"), origins: origins.clone() },
                Bound::Open(open) => {
                    Tracked { value: Value::Null, origins: open.first().map(|u| u.origins.clone()).unwrap_or_default() }
                }
                Bound::Poison => Tracked { value: Value::Poison, origins: Origins::None },
            };
            if &**name == "cluster" {
                self.set("cluster", value.clone());
            }
            map.insert(name.clone(), value);
            self.bound.insert(name.clone(), bound);
            self.set("bind", Tracked::new(map.clone(), Origins::None));
        }
    }

    fn number_ports(&mut self, site: &Site, run: &mut Run) {
        let mut map = Map::new();
        for (name, rule) in &self.pack.ports {
            let world = World { site, instance: &self.name, pack: self.pack };
            let value = port(rule, &Scope::new(&self.names, &world), run);
            let tracked = match &value {
                PortValue::Known(ports) => match ports.value.as_slice() {
                    [one] if one.low == one.high => Tracked::new(one.low, ports.origins.clone()),
                    [one] => Tracked::new(*one, ports.origins.clone()),
                    many => Tracked::new(Value::from(many), ports.origins.clone()),
                },
                PortValue::Open(open) => {
                    Tracked { value: Value::Null, origins: open.first().map(|u| u.origins.clone()).unwrap_or_default() }
                }
                PortValue::Poison => Tracked { value: Value::Poison, origins: Origins::None },
            };
            map.insert(name.clone(), tracked);
            self.ports.insert(name.clone(), value);
        }
        self.set("ports", Tracked::new(map, Origins::None));
    }

    fn compute(&mut self, site: &Site, run: &mut Run) {
        let mut map = Map::new();
        for (name, rule) in &self.pack.values {
            let value = {
                let world = World { site, instance: &self.name, pack: self.pack };
                let scope = Scope::new(&self.names, &world);
                let mut open = Vec::new();
                let mut found = Tracked::default();
                run.each(&rule.head, &scope, &mut open, &mut |scope, origins, run| {
                    found = match run.eval(&rule.is, scope) {
                        Answer::Known(value) => Tracked { origins: value.origins.union(origins), value: value.value },
                        Answer::Open(open) => Tracked::new(Value::Null, Origins::all(open.iter().map(|u| &u.origins))),
                        Answer::Poison => Tracked::new(Value::Poison, Origins::None),
                    };
                });
                found
            };
            map.insert(name.clone(), value);
            self.set("values", Tracked::new(map.clone(), Origins::None));
        }
    }
}

fn names_of(name: &Str, pack: &Pack, product: &Tracked, site: &Site) -> Vec<(Str, Tracked)> {
    let mut entry = match &product.value {
        Value::Map(map) => (**map).clone(),
        _ => Map::new(),
    };
    entry.insert("instance".into(), Tracked::new(name.clone(), Origins::None));
    let settings = entry.get("settings").cloned().unwrap_or_default();
    let cluster = entry.get("cluster").cloned().unwrap_or_default();
    let tables: Map = pack.tables.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let empty = || Tracked::new(Map::new(), Origins::None);
    vec![
        ("site".into(), site.root.clone()),
        ("product".into(), Tracked::new(entry, product.origins.clone())),
        ("settings".into(), if settings.value.is_null() { empty() } else { settings }),
        ("cluster".into(), cluster),
        ("tables".into(), Tracked::new(tables, Origins::None)),
        ("bind".into(), empty()),
        ("ports".into(), empty()),
        ("values".into(), empty()),
    ]
}

fn bound(binding: &Binding, scope: &Scope, run: &mut Run) -> Bound {
    let mut origins = Origins::from(binding.head.place);
    if let Some(when) = &binding.head.when {
        match run.eval(when, scope) {
            Answer::Known(value) if value.value == Value::Bool(true) => origins = origins.union(&value.origins),
            Answer::Known(value) => return Bound::Absent(origins.union(&value.origins)),
            Answer::Open(open) => return Bound::Open(open),
            Answer::Poison => return Bound::Poison,
        }
    }
    match run.eval(&binding.is, scope) {
        Answer::Known(value) if is_none(&value.value) => Bound::Absent(origins.union(&value.origins)),
        Answer::Known(value) => Bound::Present(Tracked { origins: value.origins.union(&origins), value: value.value }),
        Answer::Open(open) => Bound::Open(open),
        Answer::Poison => Bound::Poison,
    }
}

/// Whether the site says that there is none of it.
fn is_none(value: &Value) -> bool {
    match value {
        Value::Str(text) => &**text == "none",
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn port(rule: &PortRule, scope: &Scope, run: &mut Run) -> PortValue {
    let place: PlaceId = rule.head.place;
    let fallback = || PortValue::Known(F::new(rule.default.clone(), Origins::from(place)));
    let Some(of) = &rule.of else { return fallback() };
    match run.eval(of, scope) {
        Answer::Known(value) => match ports_of(&value.value) {
            Some(ports) => PortValue::Known(F::new(ports, value.origins.union(&Origins::from(place)))),
            None => {
                run.not_a(rule.head.span, "a port, a range of ports or a list of these", &value.value);
                PortValue::Poison
            }
        },
        Answer::Open(_) if !rule.default.is_empty() => fallback(),
        Answer::Open(open) => PortValue::Open(open),
        Answer::Poison => PortValue::Poison,
    }
}

/// A value as ports: a number, a range, a text such as `1024-2048`, or a list of these.
pub fn ports_of(value: &Value) -> Option<Vec<Ports>> {
    Some(match value {
        Value::Int(n) => vec![Ports::one(u16::try_from(*n).ok().filter(|n| *n > 0)?)],
        Value::Ports(ports) => vec![*ports],
        Value::Str(text) => vec![text.parse().ok()?],
        Value::List(items) => {
            let mut all = Vec::new();
            for item in items.iter() {
                all.extend(ports_of(&item.value)?);
            }
            all.sort_unstable();
            all.dedup();
            all
        }
        _ => return None,
    })
}
