//! One loop while it is rendered: which items it takes, and what their being there depends on.

use super::render::Renderer;
use super::template::{For, Template};
use crate::diag::{Diag, codes};
use crate::pack::expr::Unanswered;
use crate::value::{Map, Origins, Record, Tracked, Value};

impl<'r> Renderer<'r> {
    pub(super) fn repeat(&mut self, template: &'r Template, l: &'r For) {
        let open = self.reads.unanswered.len();
        let Some(list) = self.eval(template, &l.list) else { return };
        let items = match &list.value {
            Value::List(items) => items.clone(),
            Value::Null => {
                let missing: Vec<Unanswered> = self.reads.unanswered.split_off(open);
                self.open_header(template, &l.list, &missing);
                return;
            }
            other => {
                let message = format!("a loop goes through a list, not through {}", other.kind());
                let span = template.span((l.list.start, l.list.end));
                let diag = Diag::new(codes::EXPR_OPERAND, message).at(span, "");
                self.found.push(diag.help("a map is gone through by `|items`, `|keys` or `|values`"));
                return;
            }
        };
        let line = template.line_place(l.list.start);
        let mut header = list.origins;
        let mut chosen: Vec<(bool, Origins)> = Vec::with_capacity(items.len());
        let mut faulty = false;
        for item in items.iter() {
            self.fuel = self.fuel.saturating_sub(1);
            match self.chosen(template, l, item) {
                Some(choice) => chosen.push(choice),
                None => faulty = true,
            }
        }
        if faulty {
            return;
        }
        let length = chosen.iter().filter(|(kept, _)| *kept).count();
        if l.counts {
            // `loop.last` depends on every item that could come after.
            header = header.union(&Origins::all(chosen.iter().map(|(_, read)| read)));
        }
        if length == 0 {
            let why = Origins::all(chosen.iter().map(|(_, read)| read)).union(&header);
            self.framed(line, &why, |r| r.body(template, &l.otherwise));
            return;
        }
        self.framed(line, &header.clone(), |r| {
            let mut index = 0;
            for (item, (kept, read)) in items.iter().zip(&chosen) {
                if r.stopped {
                    break;
                }
                if !kept {
                    r.framed(line, read, |_| {});
                    continue;
                }
                let mark = r.locals.len();
                if !r.bind(template, l, item) {
                    break;
                }
                if l.counts {
                    let position = position(index, length, &header);
                    r.locals.push(("loop".into(), position));
                }
                r.framed(line, read, |r| r.body(template, &l.body));
                r.locals.truncate(mark);
                index += 1;
            }
        });
    }

    /// Whether the loop takes an item, and what that and the item's being there depend on.
    fn chosen(&mut self, template: &Template, l: &For, item: &Tracked) -> Option<(bool, Origins)> {
        let mut origins = Origins::None;
        if self.sink.traced() {
            origins = item.origins.clone();
            if let (Origins::None, Value::Record(record)) = (&origins, &item.value) {
                origins = existence(record.as_ref());
            }
        }
        let Some(filter) = &l.filter else { return Some((true, origins)) };
        let mark = self.locals.len();
        let holds = if self.bind(template, l, item) { self.condition(template, filter) } else { None };
        self.locals.truncate(mark);
        holds.map(|(b, read)| (b, origins.union(&read)))
    }

    /// Gives an item, or its parts, the names of the loop.
    fn bind(&mut self, template: &Template, l: &For, item: &Tracked) -> bool {
        if let [name] = l.targets.as_slice() {
            self.locals.push((name.clone(), item.clone()));
            return true;
        }
        let parts: Vec<Tracked> = match &item.value {
            Value::List(parts) => parts.to_vec(),
            Value::Map(parts) => parts.values().cloned().collect(),
            Value::Poison => {
                self.poisoned = true;
                return false;
            }
            _ => Vec::new(),
        };
        if parts.len() != l.targets.len() {
            let message = format!("an item of the loop does not have the {} parts that it names", l.targets.len());
            let span = template.span((l.list.start, l.list.end));
            self.found.push(Diag::new(codes::EXPR_OPERAND, message).at(span, ""));
            return false;
        }
        self.locals.extend(l.targets.iter().cloned().zip(parts));
        true
    }
}

/// Why an item of the `Ir` is there, when its list does not say: whatever any of its fields comes from.
fn existence(record: &dyn Record) -> Origins {
    let fields: Vec<Origins> = record.fields().iter().filter_map(|f| record.field(f)).map(|t| t.origins).collect();
    Origins::all(&fields)
}

/// `loop` in the body of a loop.
fn position(index: usize, length: usize, origins: &Origins) -> Tracked {
    let number = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let mut map = Map::with_capacity(5);
    for (name, value) in [
        ("index", number(index + 1)),
        ("index0", number(index)),
        ("first", Value::Bool(index == 0)),
        ("last", Value::Bool(index + 1 == length)),
        ("length", number(length)),
    ] {
        map.insert(name.into(), Tracked { value, origins: origins.clone() });
    }
    Tracked { value: Value::map(map), origins: Origins::None }
}
