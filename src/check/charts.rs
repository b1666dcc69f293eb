//! Releases against the archives of their charts: keys that a chart does not have, versions, the chart's own schema.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::chart::{Chart, listed};
use crate::diag::codes::{CHART_KEY, CHART_SCHEMA, CHART_VERSION};
use crate::diag::{Diag, Findings, similar_name};
use crate::instance::Instance;
use crate::ir::{HelmRelease, HelmValue, Ir};
use crate::site::Site;
use crate::source::{Role, Sources, Span};
use crate::validate::instance as json;
use crate::value::{Origins, Str, Tracked, Value, Version};

/// Everything in which the values of a release do not fit its chart.
pub fn charts(instances: &[Instance], ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for instance in instances {
        let Some(chart) = instance.chart else { continue };
        version(instance, chart, site, sources, findings);
        for release in ir.releases.iter().filter(|r| *r.product.value == *instance.name) {
            let mut good = true;
            for value in known(release) {
                good &= key(value, chart, sources, findings);
            }
            if good {
                schema(release, chart, sources, findings);
            }
        }
    }
}

/// The values whose keys are known.
fn known(release: &HelmRelease) -> impl Iterator<Item = &HelmValue> {
    release.values.iter().map(|v| &**v).filter(|v| v.question.value.is_none() || v.key.contains('.'))
}

/// Where a key was chosen: in the spec when it says so, otherwise in the pack.
fn said(origins: &Origins, sources: &Sources) -> Option<Span> {
    let spans = || origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
    let of = |role: Role| spans().find(|s| sources.file(s.file).role == role);
    of(Role::Spec).or_else(|| of(Role::Pack))
}

/// The place that holds exactly this text, among those that a value comes from.
fn written(origins: &Origins, text: &str, sources: &Sources) -> Option<Span> {
    let mut spans = origins.as_slice().iter().rev().filter_map(|p| sources.span_of(*p));
    spans.find(|s| sources.text(*s).trim_matches(['"', '\'']) == text)
}

/// A pack writes keys into the chart's values that Helm would take without a word, and that nothing reads.
fn key(value: &HelmValue, chart: &Chart, sources: &Sources, findings: &mut Findings) -> bool {
    let steps = crate::lower::values::key_steps(&value.key);
    if chart.has(&steps) {
        return true;
    }
    let span = written(&value.key.origins, &value.key, sources).or_else(|| said(&value.origins(), sources));
    let message = format!("the chart `{}` has no key `{}`", chart.name, *value.key);
    let mut diag = Diag::new(CHART_KEY, message)
        .at_maybe(span, "nothing in the chart reads this key")
        .and(chart.span, format!("the chart, version {}", chart.version));
    let keys = chart.keys("");
    let block = value.key.rsplit_once('.').map_or("", |(block, _)| block);
    let near = similar_name(&value.key, keys.iter().map(String::as_str));
    let beside = chart.keys(block);
    diag = match near {
        Some(near) => diag.help(format!("there is a key `{near}`")),
        None if !block.is_empty() && !beside.is_empty() => {
            diag.help(format!("the block `{block}` has: {}", listed(&beside)))
        }
        None => diag.help("`helm show values` prints the keys that the chart has"),
    };
    findings.push(diag);
    false
}

/// The product's version against the chart's: its numbers begin either the chart's version or that of the application.
fn version(instance: &Instance, chart: &Chart, site: &Site, sources: &Sources, findings: &mut Findings) {
    let place = site.at(&format!("/products/{}/version", instance.name));
    let Some((Value::Version(version), origins)) = place.map(|p| (&p.value, &p.origins)) else { return };
    let begins = |text: &Str| text.parse::<Version>().is_ok_and(|v| v.parts.starts_with(&version.parts));
    if begins(&chart.version) || chart.app_version.as_ref().is_some_and(begins) {
        return;
    }
    let app = chart.app_version.as_ref().map_or_else(|| "none".to_owned(), |v| format!("`{v}`"));
    let message = format!("the chart is version `{}`, and {} is to be installed", chart.version, version.source);
    let span = origins.as_slice().first().and_then(|p| sources.span_of(*p));
    findings.push(
        Diag::new(CHART_VERSION, message)
            .at(chart.span, format!("`{}`, appVersion {app}", chart.name))
            .and_maybe(span, "the version to be installed")
            .help("name the archive of that version, or install the version of this archive"),
    );
}

/// Applies the chart's own schema to what Helm would apply it to: its values with ours over them.
fn schema(release: &HelmRelease, chart: &Chart, sources: &Sources, findings: &mut Findings) {
    let Some(schema) = &chart.schema else { return };
    let options = jsonschema::options().offline();
    let validator = match options.build(schema) {
        Ok(validator) => validator,
        Err(e) => {
            let message = format!("the schema of the chart `{}` cannot be applied: {e}", chart.name);
            findings.push(Diag::new(CHART_SCHEMA, message).at(chart.span, "this chart's `values.schema.json`"));
            return;
        }
    };
    let mut whole = chart.values.as_ref().map_or_else(|| Json::Object(Default::default()), json);
    let mut ours: BTreeMap<String, &HelmValue> = BTreeMap::new();
    // What is a secret or a question is not in the file; the schema cannot hold it against us.
    let mut held_back: Vec<String> = Vec::new();
    for value in known(release) {
        let steps = crate::lower::values::key_steps(&value.key);
        let pointer: String = steps.iter().map(|s| format!("/{}", s.replace('~', "~0").replace('/', "~1"))).collect();
        if value.question.value.is_some() || value.secret.value.is_some() {
            held_back.push(pointer);
            continue;
        }
        put(&mut whole, &steps, as_json(&value.value.value));
        ours.insert(pointer, value);
    }
    for error in validator.iter_errors(&whole) {
        let at = error.instance_path().as_str().to_owned();
        let near = |p: &str| at == p || at.starts_with(&format!("{p}/")) || p.starts_with(&format!("{at}/"));
        if held_back.iter().any(|p| near(p)) {
            continue;
        }
        let value = ours.iter().rev().find(|(p, _)| at == **p || at.starts_with(&format!("{p}/"))).map(|(_, v)| *v);
        let key = at.trim_start_matches('/').replace('/', ".");
        let place = if key.is_empty() { "the values".to_owned() } else { format!("the value of `{key}`") };
        let message = format!("{place} does not fit the schema of the chart `{}`: {}", chart.name, fault(&error));
        let span = value.and_then(|v| said(&v.value.origins, sources).or_else(|| said(&v.origins(), sources)));
        let diag = match span {
            Some(span) => Diag::new(CHART_SCHEMA, message).at(span, "").and(chart.span, "the chart"),
            None => Diag::new(CHART_SCHEMA, message).at(chart.span, "this chart's `values.schema.json`"),
        };
        findings.push(diag.help("write a value that the chart takes; `extra.values` of the product sets any key"));
    }
}

/// What is wrong, in one line.
fn fault(error: &jsonschema::ValidationError) -> String {
    let text = error.to_string().replace('"', "`");
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    text.trim_end_matches('.').to_owned()
}

/// Sets a value at a path, as Helm merges: maps key by key, anything else as a whole.
fn put(into: &mut Json, steps: &[String], value: Json) {
    match steps.split_first() {
        None => match (into, value) {
            (Json::Object(map), Json::Object(more)) => {
                for (key, value) in more {
                    put(map.entry(key).or_insert(Json::Null), &[], value);
                }
            }
            (into, value) => *into = value,
        },
        Some((step, rest)) => {
            if !into.is_object() {
                *into = Json::Object(Default::default());
            }
            if let Json::Object(map) = into {
                put(map.entry(step.clone()).or_insert(Json::Null), rest, value);
            }
        }
    }
}

fn as_json(value: &Value) -> Json {
    let inner = |t: &Tracked| as_json(&t.value);
    match value {
        Value::Null | Value::Poison | Value::Record(_) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        Value::Ports(p) if p.low == p.high => Json::from(p.low),
        Value::List(items) => Json::Array(items.iter().map(inner).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.to_string(), inner(v))).collect()),
        other => other.text().map_or(Json::Null, |t| Json::String(t.to_string())),
    }
}
