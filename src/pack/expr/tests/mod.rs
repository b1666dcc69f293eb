//! Expressions in, values, findings and reads out.

mod load;
mod texts;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::shape::{Field, Struct};
use crate::source::{FileId, PlaceId, Span};
use crate::value::{Map, Origins, Quantity, Ref, Unit, Value, Version};

/// A small site: every leaf has a place of its own.
struct Site {
    tables: BTreeMap<(String, String), Tracked>,
    names: Vec<(Str, Tracked)>,
    types: Vec<(Str, Type)>,
    root: Type,
    /// What each place is.
    places: Vec<String>,
}

impl Tables for Site {
    fn entry(&self, table: &str, name: &str) -> Option<&Tracked> {
        self.tables.get(&(table.to_owned(), name.to_owned()))
    }

    fn pointer(&self, name: &str) -> Option<String> {
        (name == "settings").then(|| "/products/main/settings".to_owned())
    }

    fn blank(&self, name: &str) -> Option<Tracked> {
        (name == "admin_url").then(|| Tracked::new("........ (A2)", Origins::None))
    }
}

fn structure(name: &str, fields: &[(&str, Type)]) -> Type {
    let fields =
        fields.iter().map(|(k, ty)| ((*k).into(), Field { ty: ty.clone(), default: None, doc: "".into() })).collect();
    Type::Struct(Arc::new(Struct { name: name.into(), fields, ..Struct::default() }))
}

impl Site {
    fn place(&mut self, name: &str) -> Origins {
        self.places.push(name.to_owned());
        Origins::One(PlaceId(self.places.len() as u32 - 1))
    }

    fn leaf(&mut self, name: &str, value: impl Into<Value>) -> Tracked {
        let origins = self.place(name);
        Tracked { value: value.into(), origins }
    }

    fn host(&mut self, name: &str, cpu: i64, memory: &str, iops: Option<i64>) {
        let mut map = Map::new();
        let at = |field: &str| format!("{name}.{field}");
        map.insert("cpu".into(), self.leaf(&at("cpu"), cpu));
        map.insert("memory".into(), self.leaf(&at("memory"), Quantity::parse(memory, Unit::Bytes).unwrap()));
        map.insert("iops".into(), self.leaf(&at("iops"), iops));
        map.insert("version".into(), self.leaf(&at("version"), "1.9".parse::<Version>().unwrap()));
        map.insert("address".into(), self.leaf(&at("address"), "10.30.8.21".parse::<std::net::IpAddr>().unwrap()));
        let origins = self.place(name);
        self.tables.insert(("hosts".into(), name.into()), Tracked { value: Value::map(map), origins });
    }

    fn new() -> Self {
        let mut s =
            Site { tables: BTreeMap::new(), names: Vec::new(), types: Vec::new(), root: Type::Any, places: Vec::new() };
        s.host("w1", 8, "16 GiB", Some(7000));
        s.host("w2", 4, "8 GiB", None);
        s.host("w3", 8, "32 GiB", Some(9000));
        let host = |name: &str| Value::from(Ref { table: "hosts".into(), name: name.into() });
        let refs: Vec<Tracked> = ["w1", "w2", "w3"].map(|h| s.leaf(&format!("workers.{h}"), host(h))).into();
        let workers = s.leaf("workers", refs);
        let mut settings = Map::new();
        settings.insert("mesh".into(), s.leaf("mesh", Value::Null));
        settings.insert("profile".into(), s.leaf("profile", "production"));
        settings.insert("smtp".into(), s.leaf("smtp", "none"));
        settings.insert("faulty".into(), s.leaf("faulty", Value::Poison));
        settings.insert("enabled".into(), s.leaf("enabled", true));
        settings.insert("first".into(), s.leaf("first", host("w1")));
        settings.insert("port".into(), s.leaf("port", crate::value::Ports::one(443)));
        settings.insert("net".into(), s.leaf("net", "10.30.8.0/24".parse::<ipnet::IpNet>().unwrap()));
        let mut ports = Map::new();
        ports.insert("web".into(), s.leaf("ports.web", 30080_i64));
        settings.insert("ports".into(), s.leaf("ports", ports));
        let settings = s.leaf("settings", settings);
        let w2 = s.leaf("host", host("w2"));
        s.names = vec![("workers".into(), workers), ("settings".into(), settings), ("host".into(), w2)];
        let host_type = structure(
            "host",
            &[
                ("cpu", Type::Int),
                ("memory", Type::Quantity(Unit::Bytes)),
                ("iops", Type::Int),
                ("version", Type::Version),
                ("address", Type::Address),
            ],
        );
        s.root = structure("site", &[("hosts", Type::Table(host_type.into()))]);
        let settings = structure(
            "settings",
            &[
                ("mesh", Type::Bool),
                ("profile", Type::Text),
                ("smtp", Type::OneOf(vec![Type::Text, structure("smtp", &[("port", Type::Int)])].into())),
                ("faulty", Type::Bool),
                ("enabled", Type::Bool),
                ("first", Type::Ref("hosts".into())),
                ("port", Type::Ports { range: false }),
                ("net", Type::Cidr),
                ("ports", Type::Table(Type::Int.into())),
                ("nothing", Type::Text),
            ],
        );
        let host = Type::Ref("hosts".into());
        s.types = vec![
            ("workers".into(), Type::List(host.clone().into())),
            ("settings".into(), settings),
            ("host".into(), host),
        ];
        s
    }

    fn eval(&self, text: &str, reads: &mut Reads) -> Result<Tracked, EvalError> {
        let mut findings = Findings::default();
        let expr = Expr::parse(text, anchor(text), &mut findings);
        assert!(findings.is_empty(), "{text}: {:?}", messages(&findings));
        expr.expect("no findings").eval(&Scope::new(&self.names, self), reads)
    }

    /// The value as text for comparison.
    fn show(&self, text: &str) -> String {
        match self.eval(text, &mut Reads::default()) {
            Ok(found) => show(&found.value),
            Err(error) => format!("error: {}", error.message),
        }
    }

    /// The names of the places that the value comes from.
    fn origins(&self, text: &str) -> Vec<&str> {
        let found = self.eval(text, &mut Reads::default()).expect("evaluates");
        found.origins.as_slice().iter().map(|p| &*self.places[p.0 as usize]).collect()
    }

    fn unanswered(&self, text: &str) -> Vec<String> {
        let mut reads = Reads::default();
        self.eval(text, &mut reads).expect("evaluates");
        reads.unanswered.iter().map(|u| u.pointer.clone().unwrap_or(u.path.clone())).collect()
    }

    /// What reading and checking report, as `code message | help @ text`.
    fn check(&self, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        if let Some(expr) = Expr::parse(text, anchor(text), &mut findings) {
            expr.check(&Env::new(&self.types, &self.root), &mut findings);
        }
        let line = |d: &Diag| {
            let span = d.primary.as_ref().expect("has a place").span;
            let at = &text[span.start as usize..span.end as usize];
            format!("{} {} | {} @ {at}", d.code, d.message, d.help.as_deref().unwrap_or_default())
        };
        findings.iter().map(line).collect()
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "unknown".into(),
        Value::Poison => "poison".into(),
        Value::List(items) => format!("[{}]", items.iter().map(|i| show(&i.value)).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}: {}", show(&v.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.text().map_or_else(|| "?".into(), |t| t.to_string()),
    }
}

fn anchor(text: &str) -> Anchor {
    Anchor::exact(Span::new(FileId(0), 0, text.len()), PlaceId::NONE)
}

fn messages(findings: &Findings) -> Vec<String> {
    findings.iter().map(|d| d.message.clone()).collect()
}
