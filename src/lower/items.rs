//! The items that packs declare, evaluated: every field a value with its origins, ready to become a typed item.

use crate::emit::escape::Format;
use crate::instance::{Answer, Instance, OpenFile, Run, Withheld};
use crate::ir::F;
use crate::pack::expr::{Anchor, Scope, Text, Unanswered};
use crate::pack::manifest::{Field, FieldData, ItemRule};
use crate::site::Site;
use crate::source::{PlaceId, Span};
use crate::value::{Map, Origins, Str, Tracked, Value};

/// One evaluated item.
#[derive(Debug)]
pub struct Item {
    pub kind: &'static str,
    pub product: Str,
    /// Citation or reason.
    pub why: Str,
    pub span: Span,
    /// The item's own place and what its loops and condition read: the origins of its being there.
    pub exists: Origins,
    fields: Vec<(Str, Tracked)>,
}

/// Evaluates all items of one kind of an instance. An item with an unanswered field is withheld, loudly.
pub fn items(instance: &Instance, kind: &str, site: &Site, run: &mut Run) -> Vec<Item> {
    let world = instance.world(site);
    let scope = Scope::new(&instance.names, &world);
    items_in(instance, kind, &scope, run)
}

/// The same with names of the caller's own, as `ir`.
pub fn items_in(instance: &Instance, kind: &str, scope: &Scope, run: &mut Run) -> Vec<Item> {
    let mut found = Vec::new();
    for rule in instance.pack.items.iter().filter(|i| i.kind.name == kind) {
        let why = instance.pack.source_text(&rule.head.source);
        let mut open = Vec::new();
        let mut list = Vec::new();
        let mut unanswered = Vec::new();
        run.watched = watched(rule);
        let (files, lost) = (run.open_files.len(), run.lost);
        run.each(&rule.head, scope, &mut open, &mut |scope, exists, run| match evaluate(
            instance, rule, scope, exists, &why, run,
        ) {
            Ok(Some(item)) => list.push(item),
            Ok(None) => run.lost += 1,
            Err(more) => {
                run.leave_file_open(&more, scope);
                run.is_absent(|| Origins::all(more.iter().flat_map(|u| [&u.origins, &u.reads])).union(exists));
                unanswered.extend(more);
            }
        });
        open.extend(unanswered);
        run.watched.clear();
        if run.lost > lost || !open.is_empty() {
            run.unknown.insert(rule.kind.name);
        }
        if !open.is_empty() {
            let mut names: Vec<String> = run.open_files[files..].iter().filter_map(file_name).collect();
            names.dedup();
            let what = match kind {
                "images" => MIRRORING.to_string(),
                _ if !names.is_empty() => names.join(", "),
                _ => format!("{} of the {} pack", singular(kind), instance.pack.title),
            };
            run.withheld.push(Withheld {
                product: instance.name.clone(),
                what,
                unanswered: open,
                why: why.clone(),
                ..Default::default()
            });
        }
        found.extend(list);
    }
    found
}

/// The texts that name the file of a rule's items, where several items are one file.
fn watched(rule: &ItemRule) -> Vec<Text> {
    let names: &[&str] = match rule.kind.name {
        "documents" => &["path"],
        "stacks" => &["cluster", "name"],
        _ => &[],
    };
    let text = |name: &&str| {
        let field = rule.fields.get(*name)?;
        match &field.data {
            FieldData::Text(text) => Some(text.clone()),
            FieldData::Literal(value) => {
                Some(Text::literally(&value.value.text()?, Anchor::exact(field.span, field.place)))
            }
            _ => None,
        }
    };
    names.iter().filter_map(text).collect()
}

/// What waits for the answer to an open file, where its name is known.
fn file_name(file: &OpenFile) -> Option<String> {
    match (file.names.len(), file.known(0), file.known(1)) {
        (1, Some(path), _) => Some(format!("`{path}`")),
        (2, Some(cluster), Some(name)) => Some(format!("stack `{name}` of swarm `{cluster}`")),
        _ => None,
    }
}

/// What waits for an image of which something is not known: a list that lacks one would be found out at the site.
pub const MIRRORING: &str = "`images/images.txt` and `images/mirror.sh`";

fn singular(kind: &str) -> &str {
    match kind {
        "proxies" => "proxy",
        "directories" => "directory",
        "access" => "access line",
        kind => kind.strip_suffix('s').unwrap_or(kind),
    }
}

fn evaluate(
    instance: &Instance,
    rule: &ItemRule,
    scope: &Scope,
    exists: &Origins,
    why: &Str,
    run: &mut Run,
) -> Result<Option<Item>, Vec<Unanswered>> {
    let mut fields = Vec::with_capacity(rule.fields.len());
    let mut open = Vec::new();
    // Helm values keep an open value: it becomes a question in the file.
    let keeps_open = matches!(rule.kind.name, "chart_values" | "proxies" | "images" | "roles");
    for (name, field) in &rule.fields {
        let answer = match (&field.data, &**name) {
            (FieldData::Text(text), name) if rule.kind.is_command(name) => {
                run.written(text, scope, Some(Format::Shell))
            }
            // Each line of a body has reasons of its own.
            (_, "body") => part_value(field, false, scope, run),
            _ => field_value(field, scope, run),
        };
        match answer {
            Answer::Known(value) => {
                let origins = value.origins.union(exists);
                fields.push((name.clone(), Tracked { value: value.value, origins }));
            }
            Answer::Open(unanswered) => {
                let origins = Origins::all(unanswered.iter().map(|u| &u.origins)).union(exists);
                fields.push((name.clone(), Tracked { value: Value::Null, origins }));
                let optional = rule.kind.optional.contains(&&**name);
                if !(keeps_open && optional) {
                    open.extend(unanswered);
                } else if rule.kind.name != "chart_values" {
                    let what = match (rule.kind.name, &**name) {
                        ("images", "tag") => MIRRORING.to_string(),
                        (kind, _) => format!("`{name}` of a {}", singular(kind)),
                    };
                    run.withheld.push(Withheld {
                        product: instance.name.clone(),
                        what,
                        unanswered,
                        why: why.clone(),
                        ..Default::default()
                    });
                }
            }
            // What is wrong with a part that may be missing takes nothing else with it.
            Answer::Poison if keeps_open && rule.kind.optional.contains(&&**name) => {
                fields.push((name.clone(), Tracked { value: Value::Null, origins: exists.clone() }));
            }
            Answer::Poison => return Ok(None),
        }
    }
    if !open.is_empty() {
        return Err(open);
    }
    Ok(Some(Item {
        kind: rule.kind.name,
        product: instance.name.clone(),
        why: why.clone(),
        span: rule.head.span,
        exists: exists.clone(),
        fields,
    }))
}

/// Evaluates a field with everything in it. One unanswered part leaves the whole unanswered.
pub fn field_value(field: &Field, scope: &Scope, run: &mut Run) -> Answer {
    part_value(field, true, scope, run)
}

/// Evaluates a field; a list or map has the origins of everything in it where `joined`, else those of itself alone.
fn part_value(field: &Field, joined: bool, scope: &Scope, run: &mut Run) -> Answer {
    if !matches!(field.data, FieldData::List(_) | FieldData::Map(_)) || field.place == PlaceId::NONE {
        return evaluated(field, joined, scope, run);
    }
    // What has no expression in it is the same for every item.
    let key = (field.place, joined);
    match run.constants.get(&key) {
        Some(Some(known)) => return Answer::Known(known.clone()),
        Some(None) => return evaluated(field, joined, scope, run),
        None => {}
    }
    let answer = evaluated(field, joined, scope, run);
    let known = match &answer {
        Answer::Known(value) if is_constant(field) => Some(value.clone()),
        _ => None,
    };
    run.constants.insert(key, known);
    answer
}

/// Whether a field has no expression in it.
fn is_constant(field: &Field) -> bool {
    match &field.data {
        FieldData::Literal(_) => true,
        FieldData::Text(text) => text.literal().is_some(),
        FieldData::List(items) => items.iter().all(is_constant),
        FieldData::Map(entries) => entries.iter().all(|(key, field)| key.literal().is_some() && is_constant(field)),
    }
}

fn evaluated(field: &Field, joined: bool, scope: &Scope, run: &mut Run) -> Answer {
    let own = Origins::from(field.place);
    match &field.data {
        FieldData::Literal(value) => Answer::Known(value.clone()),
        FieldData::Text(text) => run.text(text, scope),
        FieldData::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                match part_value(item, joined, scope, run) {
                    Answer::Known(value) => list.push(value),
                    other => return other,
                }
            }
            let origins = if joined { Origins::all(list.iter().map(|t| &t.origins)).union(&own) } else { own };
            Answer::Known(Tracked { value: Value::list(list), origins })
        }
        FieldData::Map(entries) => {
            let mut map = Map::new();
            for (key, field) in entries {
                let (key, of_key) = match key_text(key, scope, run) {
                    Ok(known) => known,
                    Err(other) => return other,
                };
                match part_value(field, joined, scope, run) {
                    Answer::Known(value) => {
                        let origins = value.origins.union(&of_key);
                        map.insert(key, Tracked { value: value.value, origins });
                    }
                    other => return other,
                }
            }
            let origins = if joined { Origins::all(map.values().map(|t| &t.origins)).union(&own) } else { own };
            Answer::Known(Tracked { value: Value::map(map), origins })
        }
    }
}

/// A key of a map as text, with what it read.
fn key_text(key: &Text, scope: &Scope, run: &mut Run) -> Result<(Str, Origins), Answer> {
    if let Some(text) = key.literal() {
        return Ok((text.clone(), Origins::None));
    }
    match run.text(key, scope) {
        Answer::Known(found) => match found.value.text() {
            Some(text) => Ok((text, found.origins)),
            None => {
                run.not_a(key.anchor().span, "one text for a key", &found.value);
                Err(Answer::Poison)
            }
        },
        other => Err(other),
    }
}

impl Item {
    /// A field that was given; `None` when the pack leaves it out.
    pub fn get(&self, name: &str) -> Option<&Tracked> {
        self.fields.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }

    /// A field that was given and answered.
    pub fn answered(&self, name: &str) -> Option<&Tracked> {
        self.get(name).filter(|t| !t.value.is_null())
    }

    /// A field as text; a finding when it is a list or map.
    pub fn text(&self, name: &str, run: &mut Run) -> Option<F<Str>> {
        let value = self.answered(name)?;
        match value.value.text() {
            Some(text) => Some(F::new(text, value.origins.clone())),
            None => {
                run.not_a(self.span, &format!("one text for `{name}`"), &value.value);
                None
            }
        }
    }

    /// A field as a list of texts; a single text is a list of one.
    pub fn texts(&self, name: &str, run: &mut Run) -> Option<F<Vec<Str>>> {
        let value = self.answered(name)?;
        let items: Vec<&Value> = match &value.value {
            Value::List(items) => items.iter().map(|t| &t.value).collect(),
            one => vec![one],
        };
        let texts: Option<Vec<Str>> = items.into_iter().map(Value::text).collect();
        if texts.is_none() {
            run.not_a(self.span, &format!("a list of texts for `{name}`"), &value.value);
        }
        Some(F::new(texts?, super::peers::deep_origins(value)))
    }

    /// Notes that something waits which the item was to make, and that items of its kind may be missing.
    pub fn withhold(&self, what: String, unanswered: Vec<Unanswered>, run: &mut Run) {
        run.unknown.insert(self.kind);
        let (product, why) = (self.product.clone(), self.why.clone());
        run.withheld.push(Withheld { product, what, unanswered, why, ..Default::default() });
    }

    pub fn bool(&self, name: &str, run: &mut Run) -> Option<F<bool>> {
        let value = self.answered(name)?;
        match value.value {
            Value::Bool(b) => Some(F::new(b, value.origins.clone())),
            _ => {
                run.not_a(self.span, &format!("`true` or `false` for `{name}`"), &value.value);
                None
            }
        }
    }

    pub fn port(&self, name: &str, run: &mut Run) -> Option<F<u16>> {
        let value = self.answered(name)?;
        match crate::instance::ports_of(&value.value).as_deref() {
            Some([one]) if one.low == one.high => Some(F::new(one.low, value.origins.clone())),
            _ => {
                run.not_a(self.span, &format!("one port for `{name}`"), &value.value);
                None
            }
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str, run: &mut Run) -> Option<F<i64>> {
        let value = self.answered(name)?;
        match value.value {
            Value::Int(n) => Some(F::new(n, value.origins.clone())),
            _ => {
                run.not_a(self.span, &format!("a whole number for `{name}`"), &value.value);
                None
            }
        }
    }

    /// What all fields read: without an answer to any of it the item would not be there.
    pub fn reads(&self) -> Origins {
        Origins::all(self.fields.iter().map(|(_, value)| &value.origins)).union(&self.exists)
    }

    /// A field with the origins of the item's existence.
    pub fn field<T>(&self, value: T) -> F<T> {
        F::new(value, self.exists.clone())
    }
}
