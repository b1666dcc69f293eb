//! Overlaid tree and schema in, findings out: everything in which the tree is not what the schema says.

mod blocks;
mod indents;
mod lean;
mod letters;
mod pattern;
mod quick;
mod slips;
mod words;

pub use lean::instance;

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value as JsonValue;

use crate::decode::found;
use crate::diag::{Diag, Findings, codes, similar_name, surely_meant};
use crate::node::{Entry, Node};
use crate::schema::Schema;
use crate::source::{PlaceId, Sources, Span};
use slips::Slip;

/// What validation leaves to later passes.
#[derive(Debug, Default)]
pub struct Validated {
    /// The places whose values are of no use to them.
    pub poisoned: BTreeSet<PlaceId>,
    /// The tree with mistyped keys as they were meant, where there are any: what follows from a slip is not said again.
    pub meant: Option<Node>,
}

/// How often a tree is looked at again with its keys as they were meant.
const ROUNDS: usize = 4;

/// Reports every violation of the schema at its place.
///
/// A value that the schema's `x-type` describes more exactly than its `type` and `pattern` is left to decoding.
pub fn validate(node: &Node, schema: &Schema, sources: &Sources, findings: &mut Findings) -> Validated {
    let mut meant: Option<Node> = None;
    if !is_of_another_version(node) {
        if matches!(quick::valid(node, schema.json()), Ok(true)) {
            return Validated::default();
        }
        for indent in indents::misindented(node, schema.json(), sources) {
            indent.correct(meant.get_or_insert_with(|| node.clone()));
            findings.push(indent.diag);
        }
        for block in blocks::lost_lines(meant.as_ref().unwrap_or(node), schema.json()) {
            block.correct(meant.get_or_insert_with(|| node.clone()));
            findings.push(block.diag);
        }
    }
    for round in 1.. {
        let mut found = Findings::default();
        let (poisoned, slips) = once(meant.as_ref().unwrap_or(node), schema, &mut found);
        if slips.is_empty() || round == ROUNDS {
            findings.extend(found);
            slips.into_iter().for_each(|slip| findings.push(slip.diag));
            return Validated { poisoned, meant };
        }
        let mut tree = meant.take().unwrap_or_else(|| node.clone());
        for slip in slips {
            slip.correct(&mut tree);
            findings.push(slip.diag);
        }
        meant = Some(tree);
    }
    Validated::default()
}

/// Whether a product has such a key: one of this name among the products is indented wrongly.
pub fn is_key_of_products(name: &str) -> bool {
    let schema = Schema::new(&[]);
    blocks::entry_keys(schema.json(), &schema.json()["properties"]["products"]).contains(name)
}

/// The same for the tree as it stands: the places whose values are of no use, and the keys that were mistyped.
fn once(node: &Node, schema: &Schema, findings: &mut Findings) -> (BTreeSet<PlaceId>, Vec<Slip>) {
    let mut report = Report::new(node, schema.json(), findings);
    // Schemas of packs are verified when the packs are loaded; one that does not compile has been reported there.
    if !report.format_version()
        && !matches!(quick::valid(node, schema.json()), Ok(true))
        && let Some(validator) = compiled(schema.json(), node)
    {
        report.violations(&validator);
        report.all_unknown_keys();
    }
    (report.poisoned, report.slips)
}

/// The validator for specs with the keys of this one; `None` when the schema is none.
fn compiled(schema: &JsonValue, node: &Node) -> Option<jsonschema::Validator> {
    let lean = lean::schema(schema, node);
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).offline().build(&lean).ok()
}

struct Report<'a> {
    root: &'a Node,
    schema: &'a JsonValue,
    findings: &'a mut Findings,
    poisoned: BTreeSet<PlaceId>,
    /// Unknown keys, by the keys that are known where they stand and by their own name.
    unknown: BTreeMap<(Vec<&'a str>, &'a str), Vec<UnknownKey<'a>>>,
    slips: Vec<Slip>,
}

/// Unknown keys that are like none of the known ones, of maps that share some of them.
struct Strange<'a> {
    known: Vec<&'a str>,
    names: Vec<&'a str>,
    places: Vec<UnknownKey<'a>>,
}

/// A key that the schema does not know, where it stands.
struct UnknownKey<'a> {
    name: &'a str,
    span: Span,
    /// What the map is called that it stands in.
    title: Option<String>,
    /// The value of a secret was meant to stand here.
    secret: bool,
    map: &'a Node,
    /// The map's place in the tree.
    pointer: String,
}

impl<'a> Report<'a> {
    fn new(root: &'a Node, schema: &'a JsonValue, findings: &'a mut Findings) -> Self {
        Self { root, schema, findings, poisoned: BTreeSet::new(), unknown: BTreeMap::new(), slips: Vec::new() }
    }

    /// Whether the spec is of a format that this compiler does not know; then nothing else is said about it.
    fn format_version(&mut self) -> bool {
        let Some(node) = self.root.get("sitec").filter(|_| is_of_another_version(self.root)) else { return false };
        let text = node.scalar_text().map_or(found(node).to_string(), |text| format!("`{text}`"));
        let diag = Diag::new(codes::SPEC_VERSION, format!("{text} is not a version of the spec's format"))
            .at(node.span, "")
            .help("this compiler reads `sitec: 1`")
            .replace(node.span, "1", false);
        self.findings.push(diag);
        self.poisoned.insert(self.root.place);
        true
    }

    fn violations(&mut self, validator: &jsonschema::Validator) {
        for error in validator.iter_errors(&lean::instance(self.root)) {
            self.error(&error);
        }
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        let Some(node) = self.root.pointer(error.instance_path().as_str()) else { return };
        if node.is_null() {
            return self.unanswered(error.instance_path().as_str());
        }
        if node.is_poison() || self.poisoned.contains(&node.place) {
            return;
        }
        let schema = self.owner(error);
        if words::left_to_decode(error.kind(), schema, node) {
            return;
        }
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                self.unknown_keys(node, unexpected, schema, error.instance_path().as_str());
            }
            Kind::Required { property } => self.missing_key(node, error.instance_path().as_str(), property),
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => self.branches(node, error, context, schema),
            Kind::PropertyNames { error } => self.key_name(node, error),
            Kind::UniqueItems => self.repeated_item(node),
            Kind::Enum { options } => self.not_one_of(node, options.as_array().map_or(&[], Vec::as_slice)),
            Kind::Constant { expected_value } => self.not_one_of(node, std::slice::from_ref(&**expected_value)),
            Kind::Type { .. } => {
                let forms = words::forms(self.schema, schema);
                self.wrong_type(node, &forms);
            }
            _ => self.fault(node, words::fault(error, schema, node)),
        }
    }

    /// The part of the schema that holds the keyword of an error.
    fn owner(&self, error: &ValidationError<'_>) -> &'a JsonValue {
        let path = error.evaluation_path().as_str();
        let path = path.rsplit_once('/').map_or("", |(owner, _)| owner);
        let mut at = self.schema;
        for step in path.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = if step == "$ref" { words::target(self.schema, at) } else { child(at, &step) };
            match next {
                Some(next) => at = next,
                None => return &JsonValue::Null,
            }
        }
        at
    }

    fn fault(&mut self, node: &Node, diag: Diag) {
        self.poisoned.insert(node.place);
        self.findings.push(diag.at(node.span, ""));
    }

    fn wrong_type(&mut self, node: &Node, forms: &[String]) {
        let found = found(node);
        let message = format!("expected {}, found {found}", words::any_of(forms));
        self.poisoned.insert(node.place);
        if let Some(meant) = words::meant(node, forms) {
            let diag = Diag::new(codes::WRONG_TYPE, message).at(node.span, format!("this is {found}"));
            self.findings.push(diag.help(format!("write `{meant}`")).replace(node.span, meant, true));
            return;
        }
        let help = match node.scalar_text().filter(|_| forms.iter().any(|form| form.contains("list"))) {
            Some(text) => format!("write a list, `[{text}]`"),
            None => "`sitec schema` prints the form of each place".to_string(),
        };
        self.findings.push(Diag::new(codes::WRONG_TYPE, message).at(node.span, format!("this is {found}")).help(help));
    }

    /// Notes the unknown keys of a map for [`Self::all_unknown_keys`].
    fn unknown_keys(&mut self, node: &'a Node, unexpected: &[String], schema: &'a JsonValue, pointer: &str) {
        if let Some(text) = unquoted(node).filter(|_| words::takes_text(schema)) {
            let diag = Diag::new(codes::WRONG_TYPE, "text that contains `: ` needs quotes here".to_string())
                .at(node.span, "without quotes this is a key with a value")
                .help(format!("write `{text}`"))
                .replace(node.span, text, true);
            self.poisoned.insert(node.place);
            self.findings.push(diag);
            return;
        }
        let unexpected: BTreeSet<&str> = unexpected.iter().map(String::as_str).collect();
        let known: Vec<&str> = words::keys(schema).collect();
        for (at, entry) in node.entries().iter().enumerate().filter(|(_, e)| unexpected.contains(&*e.key)) {
            self.poisoned.insert(entry.value.place);
            if let Some((before, text)) = cut_at_comma(node, at) {
                let span = before.value.span.until(entry.key_span);
                let diag = Diag::new(codes::WRONG_TYPE, "text that contains a comma needs quotes here")
                    .at(span, "the comma ends the value, and the rest is taken for a key");
                self.findings.push(diag.help(format!("write `{text}`")).replace(span, text, true));
                self.poisoned.insert(before.value.place);
                continue;
            }
            if let Some(text) = words::without_blank(entry, &known) {
                let diag = Diag::new(codes::UNKNOWN_KEY, format!("no blank is behind the colon of `{}`", entry.key));
                let diag = diag.at(entry.key_span, "this is one word, and taken for a key");
                self.findings.push(diag.help(format!("write `{text}`")).replace(entry.key_span, text, true));
                continue;
            }
            let (title, secret) = (words::title(pointer), words::is_secret_entry(pointer));
            let pointer = pointer.to_owned();
            let key = UnknownKey { name: &entry.key, span: entry.key_span, title, secret, map: node, pointer };
            self.unknown.entry((known.clone(), &entry.key)).or_default().push(key);
        }
    }

    /// One report for a key that is unknown at places of one kind, however many there are, and one for all that stand in
    /// one map and are like none that it knows.
    fn all_unknown_keys(&mut self) {
        let mut strange: Vec<Strange> = Vec::new();
        let mut of_map: BTreeMap<(Vec<&'a str>, String), usize> = BTreeMap::new();
        for ((known, name), places) in std::mem::take(&mut self.unknown) {
            let Some(key) = similar_name(name, known.iter().copied()) else {
                let maps: Vec<_> = places.iter().map(|place| (known.clone(), place.pointer.clone())).collect();
                let at = maps.iter().find_map(|map| of_map.get(map)).copied().unwrap_or(strange.len());
                of_map.extend(maps.into_iter().map(|map| (map, at)));
                if at == strange.len() {
                    strange.push(Strange { known, names: Vec::new(), places: Vec::new() });
                }
                strange[at].names.push(name);
                strange[at].places.extend(places);
                continue;
            };
            // Where the similar key stands already in the same file, another one was meant.
            let stands = |place: &UnknownKey| place.map.entry(key).is_some_and(|e| e.key_span.file == place.span.file);
            let (twice, once): (Vec<_>, Vec<_>) = places.into_iter().partition(stands);
            if let Some(diag) = unknown_keys(&[name], &twice) {
                let help = format!("a key with a similar name is `{key}`, which stands here already");
                self.findings.push(diag.help(help));
            }
            if let Some(diag) = unknown_keys(&[name], &once) {
                let sure = surely_meant(name, key, known.iter().copied());
                let diag = diag.help(format!("a key with a similar name is `{key}`"));
                let diag = once.iter().fold(diag, |diag, place| diag.replace(place.span, key, sure));
                let maps = once.into_iter().map(|place| place.pointer).collect();
                self.slips.push(Slip { diag, maps, key: name.into(), meant: key.into(), sure });
            }
        }
        for Strange { known, names, mut places } in strange {
            places.sort_by_key(|place| place.span);
            let mut new: BTreeSet<&str> = names.into_iter().collect();
            let names: Vec<&str> = places.iter().map(|place| place.name).filter(|name| new.remove(name)).collect();
            let Some(diag) = unknown_keys(&names, &places) else { continue };
            self.findings.push(if places.iter().any(|place| place.secret) {
                diag.help("the value of a secret stands nowhere in a spec; say who keeps it under `owner`")
            } else if !known.is_empty() && known.len() <= 12 {
                diag.help(format!("known keys are {}", words::listed(known.into_iter())))
            } else if names.len() > 1 {
                diag.help("remove them, or find the place's keys in `sitec schema`")
            } else {
                diag.help("remove it, or find the place's keys in `sitec schema`")
            });
        }
    }

    /// Reports on a key that is left `null` although nothing can be made without it.
    fn unanswered(&mut self, pointer: &str) {
        let needed = ["/sitec", "/site", "/site/name"];
        let Some((parent, key)) = pointer.rsplit_once('/').filter(|_| needed.contains(&pointer)) else { return };
        let Some(entry) = self.root.pointer(parent).and_then(|parent| parent.entry(key)) else { return };
        let message = format!("`{key}` is left unanswered, but nothing can be made without it");
        let diag = Diag::new(codes::MISSING_KEY, message).at(entry.key_span, "");
        self.findings.push(diag.help(format!("write the answer behind `{key}:`")));
    }

    fn missing_key(&mut self, node: &Node, pointer: &str, property: &JsonValue) {
        let Some(key) = property.as_str() else { return };
        let span = self.key_span(node, pointer);
        let diag = Diag::new(codes::MISSING_KEY, format!("missing key `{key}`")).at(span, "");
        let help = match words::title(pointer) {
            None if key == "sitec" => "a spec begins with `sitec: 1`".to_string(),
            None => format!("add `{key}` to the spec"),
            Some(title) => format!("add `{key}` to `{title}`"),
        };
        self.findings.push(diag.help(help));
    }

    /// The span of the key under which a value stands; for the root, that of its first key.
    fn key_span(&self, node: &Node, pointer: &str) -> Span {
        let entry: Option<&Entry> = match pointer.rsplit_once('/') {
            Some((parent, key)) => {
                let key = key.replace("~1", "/").replace("~0", "~");
                self.root.pointer(parent).and_then(|parent| parent.entry(&key))
            }
            None => node.entries().first(),
        };
        entry.map_or(node.span, |e| e.key_span)
    }

    fn not_one_of(&mut self, node: &Node, options: &[JsonValue]) {
        let mut words: Vec<String> = Vec::new();
        for word in options.iter().filter(|o| !o.is_null()).map(words::plain) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let Some(text) = node.scalar_text() else { return self.wrong_type(node, &words::quoted(&words)) };
        let message = format!("`{text}` is not one of {}", words::listed(words.iter().map(String::as_str)));
        let mut diag = Diag::new(codes::NOT_ONE_OF, message).at(node.span, "");
        if let Some(word) = similar_name(text, words.iter().map(String::as_str)) {
            let safe = surely_meant(text, word, words.iter().map(String::as_str));
            diag = diag.help(format!("a similar value is `{word}`")).replace(node.span, word, safe);
        } else {
            diag = diag.help("choose one of these");
        }
        self.poisoned.insert(node.place);
        self.findings.push(diag);
    }

    fn key_name(&mut self, node: &Node, error: &ValidationError<'_>) {
        let Some(name) = error.instance().as_str() else { return };
        let Some(entry) = node.entry(name) else { return };
        let message = match error.kind() {
            Kind::MaxLength { limit } => format!("the name `{name}` is longer than {limit} characters"),
            _ => format!("`{name}` is not a name"),
        };
        self.poisoned.insert(entry.value.place);
        self.findings.push(
            Diag::new(codes::MALFORMED, message)
                .at(entry.key_span, "")
                .help("names have letters, digits, `.`, `_` and `-`, and begin with a letter or digit"),
        );
    }

    fn repeated_item(&mut self, node: &Node) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for item in node.items() {
            let Some(first) = seen.insert(lean::instance(item).to_string(), item.span) else { continue };
            let text = item.scalar_text().map_or("this item".to_string(), |text| format!("`{text}`"));
            let message = format!("{text} stands in the list more than once");
            let diag = Diag::new(codes::REPEATED_ITEM, message).at(item.span, "");
            self.findings.push(diag.and(first, "it stands here already").help("remove one of the two"));
            self.poisoned.insert(item.place);
        }
    }

    /// Reports on the form that fits best among several.
    fn branches(
        &mut self,
        node: &Node,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        schema: &JsonValue,
    ) {
        let own = error.instance_path();
        let misfit = |e: &&ValidationError<'_>| {
            e.instance_path() == own
                && matches!(e.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. })
        };
        // What is unanswered or faulty speaks against no form.
        let silent = |e: &ValidationError<'_>| {
            let node = self.root.pointer(e.instance_path().as_str());
            node.is_none_or(|node| node.is_null() || node.is_poison())
        };
        let branches = context.iter().map(|errors| errors.iter().filter(|e| !silent(e)).collect::<Vec<_>>());
        let best = branches.min_by_key(|errors| (errors.iter().filter(|e| misfit(e)).count(), errors.len()));
        match best {
            Some(errors) if !errors.iter().any(misfit) => {
                for error in errors {
                    self.error(error);
                }
            }
            _ => {
                let forms = words::forms(self.schema, schema);
                let constants = words::constants(self.schema, schema);
                let near = node.scalar_text().and_then(|t| similar_name(t, constants.iter().map(String::as_str)));
                self.wrong_type(node, &forms);
                if let (Some(word), Some(diag)) = (near, self.findings.iter_mut().last()) {
                    let known = constants.iter().map(String::as_str);
                    let safe = node.scalar_text().is_some_and(|text| surely_meant(text, word, known));
                    *diag = diag.clone().help(format!("a similar value is `{word}`")).replace(node.span, word, safe);
                }
            }
        }
    }
}

/// How many names and titles a message has.
const NAMED: usize = 3;

/// The finding about unknown keys at all of their places.
fn unknown_keys(names: &[&str], places: &[UnknownKey]) -> Option<Diag> {
    let mut places: Vec<&UnknownKey> = places.iter().collect();
    places.sort_by_key(|place| place.span);
    let (first, others) = places.split_first()?;
    let mut titles: Vec<&str> = places.iter().filter_map(|place| place.title.as_deref()).collect();
    titles.dedup();
    let quoted = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    let keys = match names {
        [name] => format!("unknown key `{name}`"),
        [some @ .., last] if names.len() <= NAMED + 1 => {
            format!("unknown keys {} and `{last}`", quoted(some).join(", "))
        }
        _ => format!("unknown keys {} and {} more", quoted(&names[..NAMED]).join(", "), names.len() - NAMED),
    };
    let message = match titles.as_slice() {
        [] => keys,
        all if all.len() <= NAMED => format!("{keys} in {}", quoted(all).join(" and ")),
        [first, ..] => format!("{keys} in `{first}` and {} other places", titles.len() - 1),
    };
    let diag = Diag::new(codes::UNKNOWN_KEY, message).at(first.span, "");
    let (text, shown) = if names.len() > 1 { ("this as well", blocks::SHOWN) } else { ("here as well", others.len()) };
    Some(others.iter().take(shown).fold(diag, |diag, place| diag.and(place.span, text)))
}

/// Whether a spec says that it is of a format that this compiler does not know.
fn is_of_another_version(spec: &Node) -> bool {
    let known =
        |node: &Node| node.is_null() || node.is_poison() || node.scalar_text().is_some_and(|text| &**text == "1");
    spec.get("sitec").is_some_and(|node| !known(node))
}

/// The entry before a key without a value that reads like the rest of its text, and that text with its quotes: within
/// braces, YAML ends a text at a comma.
fn cut_at_comma(node: &Node, at: usize) -> Option<(&Entry, String)> {
    let (before, rest) = (node.entries().get(at.checked_sub(1)?)?, node.entries().get(at)?);
    let text = before.value.scalar_text()?;
    let is_rest = rest.value.is_null() && rest.key.contains(' ') && !rest.key.contains(['"', '\\']);
    (is_rest && !text.contains(['"', '\\'])).then(|| (before, format!("\"{text}, {}\"", rest.key)))
}

/// A text such as `users -> proxy1 : 443/tcp HTTPS` that YAML reads as a key with a value, with its quotes.
fn unquoted(node: &Node) -> Option<String> {
    let [entry] = node.entries() else { return None };
    let value = entry.value.scalar_text().filter(|_| entry.key.contains(' '))?;
    (!entry.key.contains(['"', '\\']) && !value.contains(['"', '\\'])).then(|| format!("\"{} : {value}\"", entry.key))
}

fn child<'a>(json: &'a JsonValue, step: &str) -> Option<&'a JsonValue> {
    match json {
        JsonValue::Object(map) => map.get(step),
        JsonValue::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Data;
    use crate::source::{Role, Sources};

    /// The values and keys of a tree, by pointer.
    fn pointers(node: &Node) -> Vec<String> {
        let mut all = Vec::new();
        node.walk(&mut String::new(), &mut |pointer, _| all.push(pointer.to_string()));
        all
    }

    #[test]
    fn what_is_surely_valid_has_no_violations() {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", include_str!("../tests/site/production.yaml"), Role::Spec);
        let spec = crate::parse::parse(&mut sources, file, &mut Findings::default()).expect("it parses");
        let schema = Schema::new(&[]);
        let validator = compiled(schema.json(), &spec).expect("the schema compiles");
        let values = [
            Data::Null,
            Data::Poison,
            Data::Bool { value: true, raw: "true".into() },
            Data::Int { value: -1, raw: "-1".into() },
            Data::Int { value: 3, raw: "3".into() },
            Data::Float { value: 4.1, raw: "4.1".into() },
            Data::Text("none".into()),
            Data::Text("/a b".into()),
            Data::List(Vec::new()),
            Data::Map(Vec::new()),
        ];
        let (mut sure, mut agreed) = (0, 0);
        for pointer in pointers(&spec) {
            for value in &values {
                let mut spec = spec.clone();
                spec.pointer_mut(&pointer).expect("the pointer leads somewhere").data = value.clone();
                let quick = matches!(quick::valid(&spec, schema.json()), Ok(true));
                let mut findings = Findings::default();
                let mut report = Report::new(&spec, schema.json(), &mut findings);
                report.violations(&validator);
                report.all_unknown_keys();
                assert!(!quick || findings.is_empty(), "{pointer} {value:?}: {findings:?}");
                sure += usize::from(quick);
                agreed += usize::from(quick == findings.is_empty());
            }
        }
        let all = pointers(&spec).len() * values.len();
        // Faulty scalars below a choice of forms are the validator's to judge.
        assert!(sure > all / 4 && agreed > all * 98 / 100, "{sure} and {agreed} of {all}");
    }
}
