//! `sitec show`: a part of the resolved site, each value with the place it comes from or whose default it is.

use std::fmt::Write as _;

use serde_json::{Map as Object, Value as Json};

use super::report::exit_of;
use super::{Exit, Shell, Stop};
use crate::cli::{Format, ShowArgs};
use crate::compile::{Compilation, Depth};
use crate::diag::similar_name;
use crate::node::push_step;
use crate::site::{DefaultFrom, Site};
use crate::source::{HIDDEN, PlaceId, Sources};
use crate::value::{Tracked, Value};

pub fn run(args: &ShowArgs, shell: &Shell) -> Result<Exit, Stop> {
    let compilation = shell.compile(&args.spec, Depth::Check)?;
    let Compilation { sources, findings, site, .. } = &compilation;
    let Some(site) = site else {
        shell.report(findings, sources);
        return Ok(exit_of(findings).max(Exit::Findings));
    };
    let pointer = match args.pointer.as_str() {
        "/" => "",
        pointer => pointer,
    };
    let value = find(&site.root, pointer).map_err(Stop::Usage)?;
    if shell.format == Format::Json {
        shell.print(&format!("{:#}\n", to_json(value, sources)))?;
        return Ok(Exit::Fine);
    }
    let mut lines = Lines { list: Vec::new(), site, sources };
    lines.value(0, "", value, &mut pointer.to_string());
    shell.print(&lines.aligned())?;
    Ok(Exit::Fine)
}

/// The value at a pointer, or what to say when there is none.
fn find<'a>(root: &'a Tracked, pointer: &str) -> Result<&'a Tracked, String> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(format!("`{pointer}` is no JSON Pointer: it must begin with `/`, as in `/hosts/w01`"));
    }
    let (mut value, mut done) = (root, String::new());
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &value.value {
            Value::Map(map) => map.get(step.as_str()),
            Value::List(items) => step.parse::<usize>().ok().and_then(|n| items.get(n)),
            _ => None,
        };
        let mut here = done.clone();
        push_step(&mut here, &step);
        let Some(next) = next else {
            let names = match &value.value {
                Value::Map(map) => map.keys().map(|k| &**k).collect(),
                _ => Vec::new(),
            };
            let place = if done.is_empty() { "the site".to_string() } else { format!("`{done}`") };
            return Err(match (&value.value, similar_name(&step, names.iter().copied())) {
                (Value::List(items), _) => format!("{place} has {} items, and no `{step}`", items.len()),
                (_, Some(name)) => format!("{place} has no `{step}`; there is `{name}`"),
                (Value::Map(_), None) if !names.is_empty() => {
                    format!("{place} has no `{step}`; it has {}", names.join(", "))
                }
                (other, None) => format!("{place} is {}, and has nothing below it", other.kind()),
            });
        };
        (value, done) = (next, here);
    }
    Ok(value)
}

/// Lines of text, each with a remark.
struct Lines<'a> {
    list: Vec<(String, String)>,
    site: &'a Site,
    sources: &'a Sources,
}

impl Lines<'_> {
    /// Adds a value that stands behind `lead` (a key or a hyphen).
    fn value(&mut self, depth: usize, lead: &str, value: &Tracked, pointer: &mut String) {
        let indent = "  ".repeat(depth);
        let lead_text = format!("{indent}{lead}");
        let length = pointer.len();
        match &value.value {
            _ if is_hidden(value, self.sources) => {
                let space = if lead.is_empty() { "" } else { " " };
                let remark = self.remark(value, pointer);
                self.list.push((format!("{lead_text}{space}{HIDDEN}"), remark));
            }
            Value::Map(map) if !map.is_empty() => {
                let deeper = if lead.is_empty() { depth } else { depth + 1 };
                if !lead.is_empty() {
                    self.list.push((lead_text, String::new()));
                }
                for (key, value) in map.iter() {
                    push_step(pointer, key);
                    self.value(deeper, &format!("{}:", scalar(key)), value, pointer);
                    pointer.truncate(length);
                }
            }
            Value::List(items) if !items.is_empty() => {
                let deeper = if lead.is_empty() { depth } else { depth + 1 };
                if !lead.is_empty() {
                    self.list.push((lead_text, String::new()));
                }
                for (n, item) in items.iter().enumerate() {
                    push_step(pointer, &n.to_string());
                    self.value(deeper, "-", item, pointer);
                    pointer.truncate(length);
                }
            }
            other => {
                let text = match other {
                    Value::Map(_) => "{}".to_string(),
                    Value::List(_) => "[]".to_string(),
                    Value::Null => "unanswered".to_string(),
                    Value::Poison => "faulty".to_string(),
                    Value::Record(record) => self.sources.masked(&format!("{record:?}")),
                    other => scalar(&self.sources.masked(&other.text().unwrap_or_default())),
                };
                let space = if lead.is_empty() { "" } else { " " };
                let remark = self.remark(value, pointer);
                self.list.push((format!("{lead_text}{space}{text}"), remark));
            }
        }
    }

    /// Whose default it is, or the places that it comes from.
    fn remark(&self, value: &Tracked, pointer: &str) -> String {
        let above = std::iter::successors(Some(pointer), |p| p.rsplit_once('/').map(|(parent, _)| parent));
        match above.filter_map(|p| self.site.defaults.get(p)).next() {
            Some(DefaultFrom::Core) => "default".to_string(),
            Some(DefaultFrom::Pack(pack, place)) => match self.at(*place) {
                Some(at) => format!("default of {pack}, {at}"),
                None => format!("default of {pack}"),
            },
            None => value.origins.as_slice().iter().filter_map(|p| self.at(*p)).collect::<Vec<_>>().join(", "),
        }
    }

    fn at(&self, place: PlaceId) -> Option<String> {
        let span = self.sources.span_of(place)?;
        Some(format!("{}:{}", self.sources.file(span.file).name, self.sources.line_col(span).0))
    }

    /// The lines with their remarks in one column, as far as that is not too far right.
    fn aligned(&self) -> String {
        const FURTHEST: usize = 56;
        let width = |text: &str| text.chars().count();
        let column = self.list.iter().filter(|(_, r)| !r.is_empty()).map(|(t, _)| width(t)).filter(|w| *w <= FURTHEST);
        let column = column.max().unwrap_or(0);
        let mut out = String::new();
        for (text, remark) in &self.list {
            out.push_str(text);
            if !remark.is_empty() {
                let _ = write!(out, "{}  # {remark}", " ".repeat(column.saturating_sub(width(text))));
            }
            out.push('\n');
        }
        out
    }
}

/// A scalar as text: quoted where it would not be read back as the same string.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " /.:_-+*@%()".contains(c);
    let quoted = text.is_empty()
        || !text.chars().all(plain)
        || text.starts_with([' ', '-', '*', '@', '%', ':'])
        || text.ends_with([' ', ':'])
        || text.contains(": ");
    if quoted { Json::from(text).to_string() } else { text.to_string() }
}

/// Whether a value is a secret that somebody wrote into the spec.
fn is_hidden(value: &Tracked, sources: &Sources) -> bool {
    let scalar = !matches!(value.value, Value::Map(_) | Value::List(_) | Value::Record(_));
    scalar && value.origins.as_slice().iter().any(|place| sources.is_hidden(*place))
}

/// A value for other programs; quantities, versions and addresses as the text that the spec would have.
fn to_json(value: &Tracked, sources: &Sources) -> Json {
    let below = |value: &Tracked| to_json(value, sources);
    match &value.value {
        _ if is_hidden(value, sources) => HIDDEN.into(),
        Value::Null | Value::Poison => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::List(items) => items.iter().map(below).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.to_string(), below(v))).collect()),
        Value::Record(record) => {
            let field = |name: &&str| Some((name.to_string(), below(&record.field(name)?)));
            Json::Object(record.fields().iter().filter_map(field).collect::<Object<_, _>>())
        }
        other => other.text().map_or(Json::Null, |text| Json::from(sources.masked(&text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Map, Origins};

    fn site() -> Tracked {
        let mut host = Map::new();
        host.insert("memory".into(), Tracked::new("16 GiB", Origins::None));
        let mut hosts = Map::new();
        hosts.insert("w01".into(), Tracked::new(host, Origins::None));
        let mut root = Map::new();
        root.insert("hosts".into(), Tracked::new(hosts, Origins::None));
        Tracked::new(root, Origins::None)
    }

    #[test]
    fn pointers_find_values_or_say_what_there_is() {
        let site = site();
        assert_eq!(find(&site, "/hosts/w01/memory").map(|v| v.value.text()), Ok(Some("16 GiB".into())));
        let message = |pointer| find(&site, pointer).expect_err("no such value");
        assert_eq!(message("/host"), "the site has no `host`; there is `hosts`");
        assert_eq!(message("/hosts/nfs1"), "`/hosts` has no `nfs1`; it has w01");
        assert_eq!(message("/hosts/w01/memory/x"), "`/hosts/w01/memory` is a string, and has nothing below it");
        assert!(message("hosts").contains("must begin with `/`"));
    }

    #[test]
    fn scalars_are_quoted_where_they_must_be() {
        assert_eq!(scalar("10.0.0.1"), "10.0.0.1");
        assert_eq!(scalar("a: b"), "\"a: b\"");
        assert_eq!(scalar(""), "\"\"");
        assert_eq!(scalar("x\ny"), "\"x\\ny\"");
    }
}
