//! A pack put to work on a site: its bindings, ports and values evaluated once, the names that its expressions see.

pub mod each;
mod loops;
pub mod seen;

use std::collections::BTreeSet;

use indexmap::IndexMap;

pub use each::{Answer, Asked, OpenFile, Run, Withheld};

use crate::chart::Chart;
use crate::diag::Diag;
use crate::diag::codes::PACK_CYCLE;
use crate::ir::F;
use crate::pack::expr::{Expr, Scope, Tables, Unanswered};
use crate::pack::manifest::{Binding, Head, Pack, PortRule, ValueRule};
use crate::site::Site;
use crate::source::{PlaceId, Span};
use crate::value::{Map, Origins, Ports, Str, Tracked, Unit, Value};

/// One pack on one site. A pack that the site names twice has two.
#[derive(Debug)]
pub struct Instance<'a> {
    /// The key under `products`; `site` for the pack that every site has.
    pub name: Str,
    pub pack: &'a Pack,
    /// The entry under `products`; unanswered for the pack that every site has.
    pub product: Tracked,
    /// The archive of its chart, if the spec names one.
    pub chart: Option<&'a Chart>,
    /// What expressions see, beside the names of their own loops.
    pub names: Vec<(Str, Tracked)>,
    pub bound: IndexMap<Str, Bound>,
    pub ports: IndexMap<Str, PortValue>,
    /// What keeps computed values open.
    pub open_values: IndexMap<Str, Vec<Unanswered>>,
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

    fn pointer(&self, name: &str) -> Option<String> {
        let mut pointer = String::new();
        match name {
            "site" => {}
            "product" | "settings" => {
                crate::node::push_step(&mut pointer, "products");
                crate::node::push_step(&mut pointer, self.instance);
                if name == "settings" {
                    crate::node::push_step(&mut pointer, name);
                }
            }
            _ => return None,
        }
        Some(pointer)
    }
}

/// What stands in place of a blank; the letter and number are those of its row in `questions.md`.
pub fn blank_mark(index: usize) -> String {
    format!("........ (A{})", index + 1)
}

impl<'a> Instance<'a> {
    /// Puts a pack to work. Evaluation errors are findings; open answers are kept with what they concern.
    pub fn new(
        name: Str,
        pack: &'a Pack,
        product: Option<&Tracked>,
        chart: Option<&'a Chart>,
        site: &Site,
        run: &mut Run,
    ) -> Self {
        let product = product.cloned().unwrap_or_default();
        let mut instance = Self {
            names: names_of(&name, pack, &product, chart, site),
            name,
            pack,
            product,
            chart,
            bound: IndexMap::new(),
            ports: IndexMap::new(),
            open_values: IndexMap::new(),
        };
        instance.evaluate(site, run);
        instance
    }

    /// What an open answer comes down to: a binding, port or value that is open waits for the answers that it waits for
    /// itself.
    pub fn behind(&self, unanswered: &Unanswered) -> Vec<Unanswered> {
        self.behind_at(unanswered, 0)
    }

    fn behind_at(&self, unanswered: &Unanswered, depth: usize) -> Vec<Unanswered> {
        let mut steps = unanswered.path.split(['.', '[']);
        let (first, name) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
        let deeper: &[Unanswered] = match first {
            "bind" => match self.bound.get(name) {
                Some(Bound::Open(open)) => open,
                _ => &[],
            },
            "ports" => match self.ports.get(name) {
                Some(PortValue::Open(open)) => open,
                _ => &[],
            },
            "values" => self.open_values.get(name).map(Vec::as_slice).unwrap_or_default(),
            _ => &[],
        };
        if deeper.is_empty() || unanswered.pointer.is_some() || depth > 8 {
            return vec![unanswered.clone()];
        }
        let mut found: Vec<Unanswered> = deeper.iter().flat_map(|u| self.behind_at(u, depth + 1)).collect();
        for open in &mut found {
            open.reads = open.reads.union(&unanswered.reads);
        }
        found
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

    /// Evaluates bindings, ports and values, each after those that it reads.
    fn evaluate(&mut self, site: &Site, run: &mut Run) {
        let pack = self.pack;
        let mut waiting: Vec<Waiting> = Vec::new();
        for (name, rule) in &pack.bindings {
            waiting.push((Part::Bind, name, reads([Some(&rule.is), rule.head.when.as_ref()], &rule.head)));
        }
        for (name, rule) in &pack.ports {
            waiting.push((Part::Port, name, reads([rule.of.as_ref(), rule.head.when.as_ref()], &rule.head)));
        }
        for (name, rule) in &pack.values {
            waiting.push((Part::Value, name, reads([Some(&rule.is), rule.head.when.as_ref()], &rule.head)));
        }
        let mut maps = [Map::new(), Map::new(), Map::new()];
        while !waiting.is_empty() {
            let open: BTreeSet<(Part, Str)> = waiting.iter().map(|(part, name, _)| (*part, (*name).clone())).collect();
            let ready = waiting.iter().position(|(part, name, reads)| {
                let own = (*part, (*name).clone());
                reads.iter().all(|r| *r == own || !open.contains(r)) && !reads.contains(&own)
            });
            let Some(ready) = ready else {
                self.report_cycle(&waiting, run);
                return;
            };
            let (part, name, _) = waiting.remove(ready);
            let value = self.part(part, name, site, run);
            if part == Part::Bind && &**name == "cluster" {
                self.set("cluster", value.clone());
            }
            maps[part as usize].insert(name.clone(), value);
            self.set(part.name(), Tracked::new(maps[part as usize].clone(), Origins::None));
        }
    }

    fn report_cycle(&self, waiting: &[Waiting], run: &mut Run) {
        let names: Vec<String> = waiting.iter().map(|(part, name, _)| format!("`{}.{name}`", part.name())).collect();
        let mut diag = Diag::new(PACK_CYCLE, format!("these depend on themselves: {}", names.join(", ")));
        for (part, name, _) in waiting {
            let head = match part {
                Part::Bind => &self.pack.bindings[*name].head,
                Part::Port => &self.pack.ports[*name].head,
                Part::Value => &self.pack.values[*name].head,
            };
            diag = if diag.primary.is_none() { diag.at(head.span, "") } else { diag.and(head.span, "") };
        }
        run.findings.push(diag.help("let one of them read the site itself"));
    }

    fn part(&mut self, part: Part, name: &Str, site: &Site, run: &mut Run) -> Tracked {
        let world = World { site, instance: &self.name, pack: self.pack };
        let scope = Scope::new(&self.names, &world);
        match part {
            Part::Bind => {
                let bound = bound(&self.pack.bindings[name], &scope, run);
                let value = match &bound {
                    Bound::Present(value) => value.clone(),
                    // That it is needed and not there is told once; what reads it has nothing to add.
                    Bound::Absent(_) if self.pack.bindings[name].required => {
                        Tracked { value: Value::Poison, origins: Origins::None }
                    }
                    Bound::Absent(origins) => Tracked { value: Value::str("none"), origins: origins.clone() },
                    Bound::Open(open) => unknown(open),
                    Bound::Poison => Tracked { value: Value::Poison, origins: Origins::None },
                };
                self.bound.insert(name.clone(), bound);
                value
            }
            Part::Port => {
                let value = port(&self.pack.ports[name], &scope, run);
                let tracked = match &value {
                    PortValue::Known(ports) => match ports.value.as_slice() {
                        [one] if one.low == one.high => Tracked::new(one.low, ports.origins.clone()),
                        [one] => Tracked::new(*one, ports.origins.clone()),
                        many => Tracked::new(Value::from(many), ports.origins.clone()),
                    },
                    PortValue::Open(open) => unknown(open),
                    PortValue::Poison => Tracked { value: Value::Poison, origins: Origins::None },
                };
                self.ports.insert(name.clone(), value);
                tracked
            }
            Part::Value => {
                let (value, open) = value(&self.pack.values[name], &scope, run);
                if !open.is_empty() {
                    self.open_values.insert(name.clone(), open);
                }
                value
            }
        }
    }
}

/// A name that is not computed yet, with those that it reads.
type Waiting<'a> = (Part, &'a Str, BTreeSet<(Part, Str)>);

/// The three kinds of names that an instance computes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Bind,
    Port,
    Value,
}

impl Part {
    /// The name under which expressions find it.
    fn name(self) -> &'static str {
        ["bind", "ports", "values"][self as usize]
    }
}

/// Which bindings, ports and values these expressions and an item's loops read.
fn reads<'e>(exprs: impl IntoIterator<Item = Option<&'e Expr>>, head: &'e Head) -> BTreeSet<(Part, Str)> {
    let loops = head.for_each.iter().map(|(_, e)| Some(e));
    let mut found = BTreeSet::new();
    for path in exprs.into_iter().chain(loops).flatten().flat_map(Expr::paths) {
        let [first, second, ..] = path.as_slice() else {
            // `cluster` is the binding of that name, where the pack has one.
            if path.first().is_some_and(|f| &**f == "cluster") {
                found.insert((Part::Bind, "cluster".into()));
            }
            continue;
        };
        let part = [Part::Bind, Part::Port, Part::Value].into_iter().find(|p| p.name() == &**first);
        found.extend(part.map(|p| (p, second.clone())));
    }
    found
}

fn unknown(open: &[Unanswered]) -> Tracked {
    Tracked { value: Value::Null, origins: open.first().map(|u| u.origins.clone()).unwrap_or_default() }
}

/// A quantity in whole units of a suffix, rounded down: `8192Mi`, `4000m`.
fn written(value: &Value, suffix: &str, span: Span, run: &mut Run) -> Value {
    let per_unit = match suffix {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "m" => 1,
        _ => 0,
    };
    match value {
        Value::Quantity(q) if per_unit > 0 && (q.unit == Unit::Millicores) == (suffix == "m") => {
            Value::str(format!("{}{suffix}", q.amount / per_unit))
        }
        other => {
            run.not_a(span, &format!("a quantity that can be written in `{suffix}`"), other);
            Value::Poison
        }
    }
}

/// A computed value; several tuples of a loop give the last.
fn value(rule: &ValueRule, scope: &Scope, run: &mut Run) -> (Tracked, Vec<Unanswered>) {
    let mut found = Tracked::default();
    let mut waiting = Vec::new();
    let mut open = Vec::new();
    run.each(&rule.head, scope, &mut open, &mut |scope, origins, run| {
        found = match run.eval(&rule.is, scope) {
            Answer::Known(value) => Tracked {
                origins: value.origins.union(origins),
                value: match &rule.write {
                    Some(suffix) => written(&value.value, suffix, rule.head.span, run),
                    None => value.value,
                },
            },
            Answer::Open(open) => {
                let origins = Origins::all(open.iter().map(|u| &u.origins));
                waiting.extend(open);
                Tracked::new(Value::Null, origins)
            }
            Answer::Poison => Tracked::new(Value::Poison, Origins::None),
        };
    });
    open.extend(waiting);
    (found, open)
}

fn names_of(name: &Str, pack: &Pack, product: &Tracked, chart: Option<&Chart>, site: &Site) -> Vec<(Str, Tracked)> {
    let mut entry = match &product.value {
        Value::Map(map) => (**map).clone(),
        _ => Map::new(),
    };
    entry.insert("instance".into(), Tracked::new(name.clone(), Origins::None));
    let settings = entry.get("settings").cloned().unwrap_or_default();
    let cluster = entry.get("cluster").cloned().unwrap_or_default();
    // That there is none comes from the product's entry.
    let no_chart =
        entry.get("chart").map(|c| Tracked { value: Value::Null, origins: c.origins.clone() }).unwrap_or_default();
    let tables: Map = pack.tables.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let empty = || Tracked::new(Map::new(), Origins::None);
    vec![
        ("site".into(), site.root.clone()),
        ("product".into(), Tracked::new(entry, product.origins.clone())),
        ("settings".into(), if settings.value.is_null() { empty() } else { settings }),
        ("cluster".into(), cluster),
        ("chart".into(), chart.map(Chart::tracked).unwrap_or(no_chart)),
        ("tables".into(), Tracked::new(tables, Origins::None)),
        ("bind".into(), empty()),
        ("ports".into(), empty()),
        ("values".into(), empty()),
    ]
}

fn bound(binding: &Binding, scope: &Scope, run: &mut Run) -> Bound {
    let mut origins = Origins::from(binding.head.place);
    if let Some(when) = &binding.head.when {
        match run.condition(when, scope) {
            Answer::Known(value) if value.value == Value::Bool(true) => origins = origins.union(&value.origins),
            Answer::Known(value) => return Bound::Absent(origins.union(&value.origins)),
            Answer::Open(open) => return Bound::Open(open),
            Answer::Poison => return Bound::Poison,
        }
    }
    match run.eval(&binding.is, scope) {
        // What is needed and comes out as an empty list has not been given yet.
        Answer::Known(value) if binding.required && matches!(&value.value, Value::List(items) if items.is_empty()) => {
            let origins = value.origins.union(&origins);
            Bound::Open(vec![Unanswered {
                path: binding.name.to_string(),
                reads: origins.clone(),
                origins,
                pointer: None,
            }])
        }
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
    if let Some(when) = &rule.head.when {
        match run.condition(when, scope) {
            Answer::Known(value) if value.value == Value::Bool(true) => {}
            // A port that this site does not have: no rows, and nothing is asked.
            Answer::Known(value) => return PortValue::Known(F::new(Vec::new(), value.origins)),
            Answer::Open(open) => return PortValue::Open(open),
            Answer::Poison => return PortValue::Poison,
        }
    }
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
