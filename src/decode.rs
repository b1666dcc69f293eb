//! Overlaid tree in, typed spec out: every scalar becomes what the schema says it is.

pub mod scalar;

use std::collections::BTreeSet;

use crate::diag::{Diag, Findings, codes, similar_name};
use crate::node::{Data, Entry, Node};
use crate::schema::Schema;
use crate::shape::{Short, Type};
use crate::source::{PlaceId, Span};
use crate::spec::Spec;
use crate::spread::spread_all;
use crate::value::{Map, Tracked, Value};

use scalar::{Fault, Scalar};

/// Types the values of a spec.
///
/// What stands at a poisoned place becomes [`Value::Poison`], and so does a scalar that is not what its place takes;
/// that is reported here as S0206. The result does not depend on the number of threads.
pub fn decode(
    node: &Node,
    schema: &Schema,
    poisoned: &BTreeSet<PlaceId>,
    threads: usize,
    findings: &mut Findings,
) -> Spec {
    let mut decoder = Decoder { poisoned, threads, findings, keys: Vec::new() };
    let root = decoder.value(node, schema.root(), Depth::Root);
    Spec::new(root, decoder.keys)
}

/// As many entries of a table are worth a thread.
const PART: usize = 256;

/// How much of the way to a host's values has been gone.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Root,
    Hosts,
    /// Below a host key with a range, where values may have ranges as well.
    Ranged,
    Elsewhere,
}

impl Depth {
    fn below(self, key: &str) -> Depth {
        match self {
            Depth::Root if key == "hosts" => Depth::Hosts,
            Depth::Hosts if key.contains('[') => Depth::Ranged,
            Depth::Ranged => Depth::Ranged,
            _ => Depth::Elsewhere,
        }
    }
}

struct Decoder<'a> {
    poisoned: &'a BTreeSet<PlaceId>,
    threads: usize,
    findings: &'a mut Findings,
    keys: Vec<(PlaceId, Span)>,
}

impl Decoder<'_> {
    fn value(&mut self, node: &Node, ty: &Type, depth: Depth) -> Tracked {
        let value = if self.poisoned.contains(&node.place) {
            Value::Poison
        } else {
            match &node.data {
                Data::Null => Value::Null,
                Data::Poison => Value::Poison,
                Data::Map(entries) => self.map(node, entries, ty, depth),
                Data::List(items) => self.list(node, items, ty, depth),
                Data::Bool { .. } | Data::Int { .. } | Data::Float { .. } | Data::Text(_) => {
                    self.scalar(node, ty, depth)
                }
            }
        };
        Tracked::new(value, node.place)
    }

    fn map(&mut self, node: &Node, entries: &[Entry], ty: &Type, depth: Depth) -> Value {
        let ty = match ty {
            Type::OneOf(types) => types.iter().find(|t| is_map(t)).unwrap_or(ty),
            ty => ty,
        };
        if !is_map(ty) {
            return self.wrong_type(node, ty);
        }
        if let Type::Table(of) = ty
            && entries.len() >= 2 * PART
        {
            return self.table(entries, of, depth);
        }
        let chosen_names = !matches!(ty, Type::Struct(s) if !s.open);
        let mut map = Map::with_capacity(entries.len());
        for entry in entries {
            let below = match ty {
                Type::Table(of) | Type::Keyed { of, .. } => of,
                Type::Struct(s) => match s.fields.get(&entry.key) {
                    Some(field) => &field.ty,
                    None if s.open => s.rest.as_ref().unwrap_or(&Type::Any),
                    // Reported by validate. The key that was meant is not open but faulty.
                    None => {
                        let open = s.fields.keys().filter(|key| entries.iter().all(|e| e.key != **key));
                        if let Some(meant) = similar_name(&entry.key, open.map(|key| &**key)) {
                            map.insert(meant.into(), Tracked::new(Value::Poison, entry.value.place));
                        }
                        continue;
                    }
                },
                _ => &Type::Any,
            };
            if chosen_names {
                self.keys.push((entry.value.place, entry.key_span));
            }
            let value = self.value(&entry.value, below, depth.below(&entry.key));
            map.insert(entry.key.clone(), value);
        }
        Value::map(map)
    }

    /// A table of many entries, in parts that have nothing to do with each other.
    fn table(&mut self, entries: &[Entry], of: &Type, depth: Depth) -> Value {
        let parts: Vec<&[Entry]> = entries.chunks(PART).collect();
        let (poisoned, threads) = (self.poisoned, 1);
        let decoded = spread_all(self.threads, &parts, |entries| {
            let mut findings = Findings::default();
            let mut decoder = Decoder { poisoned, threads, findings: &mut findings, keys: Vec::new() };
            let mut part = Vec::with_capacity(entries.len());
            for entry in *entries {
                decoder.keys.push((entry.value.place, entry.key_span));
                part.push((entry.key.clone(), decoder.value(&entry.value, of, depth.below(&entry.key))));
            }
            (part, decoder.keys, findings)
        });
        let mut map = Map::with_capacity(entries.len());
        for (part, keys, findings) in decoded {
            map.extend(part);
            self.keys.extend(keys);
            self.findings.extend(findings);
        }
        Value::map(map)
    }

    fn list(&mut self, node: &Node, items: &[Node], ty: &Type, depth: Depth) -> Value {
        let ty = match ty {
            Type::OneOf(types) => types.iter().find(|t| matches!(t, Type::List(_) | Type::Any)).unwrap_or(ty),
            ty => ty,
        };
        let of = match ty {
            Type::List(of) => of,
            Type::Any => &Type::Any,
            _ => return self.wrong_type(node, ty),
        };
        let depth = if depth == Depth::Ranged { depth } else { Depth::Elsewhere };
        Value::list(items.iter().map(|item| self.value(item, of, depth)).collect())
    }

    fn scalar(&mut self, node: &Node, ty: &Type, depth: Depth) -> Value {
        let Some(scalar) = Scalar::of(node) else { return Value::Null };
        if depth == Depth::Ranged && scalar.text.contains('[') {
            return Value::Str(scalar.text.clone());
        }
        match scalar.typed(ty, node.place) {
            Ok(value) => value,
            Err(Fault::Type) => self.wrong_type(node, ty),
            Err(Fault::Malformed(fault)) => {
                self.findings.push(fault.diag(node.span));
                Value::Poison
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, ty: &Type) -> Value {
        let found = found(node);
        let message = format!("expected {}, found {found}", accepted(ty));
        self.findings.push(Diag::new(codes::WRONG_TYPE, message).at(node.span, format!("this is {found}")));
        Value::Poison
    }
}

fn is_map(ty: &Type) -> bool {
    matches!(ty, Type::Any | Type::Table(_) | Type::Keyed { .. } | Type::Struct(_))
}

/// What a node is, for messages: `a list`.
pub fn found(node: &Node) -> &'static str {
    match &node.data {
        Data::Null => "nothing",
        Data::Bool { .. } => "a boolean",
        Data::Int { .. } => "a whole number",
        Data::Float { .. } => "a number with a fraction",
        Data::Text(_) => "a string",
        Data::List(_) => "a list",
        Data::Map(_) => "a map",
        Data::Poison => "a faulty value",
    }
}

/// What a place takes, for messages: `a list or a string`.
pub fn accepted(ty: &Type) -> String {
    match ty {
        Type::Any => "any value".into(),
        Type::Bool => "`true` or `false`".into(),
        Type::Int => "a whole number".into(),
        Type::Text => "a string".into(),
        Type::Quantity(unit) => Value::quantity_kind(*unit).into(),
        Type::Version => "a version".into(),
        Type::Address => "an IP address".into(),
        Type::Cidr => "a CIDR".into(),
        Type::Ports { range: false } => "a port".into(),
        Type::Ports { range: true } => "a port or port range".into(),
        Type::Ref(table) => format!("a name of `{table}`"),
        Type::List(_) => "a list".into(),
        Type::Table(_) | Type::Keyed { .. } => "a map".into(),
        Type::Struct(s) => match s.short {
            None => "a map".into(),
            Some(Short::Iops) => "a whole number or a map".into(),
            Some(Short::Os | Short::Name) => "a string or a map".into(),
        },
        Type::OneOf(types) => {
            let mut kinds: Vec<String> = types.iter().map(accepted).collect();
            kinds.dedup();
            let last = kinds.pop().unwrap_or_default();
            if kinds.is_empty() { last } else { format!("{} or {last}", kinds.join(", ")) }
        }
    }
}
