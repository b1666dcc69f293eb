//! Defaults of the schema and of packs into the places that the spec leaves unanswered.

use serde_json::Value as JsonValue;

use crate::decode::scalar::Scalar;
use crate::diag::codes::DEFAULTS_DISAGREE;
use crate::diag::{Diag, Findings};
use crate::node::push_step;
use crate::schema::Schema;
use crate::shape::{Struct, Type};
use crate::site::{DefaultFrom, Site};
use crate::source::{PlaceId, Sources};
use crate::value::{Map, Origins, Str, Tracked, Value};

use super::{PackDefault, map_mut, span};

/// Applies the defaults: those of packs first, then the schema's. What the spec says stays.
pub fn apply(
    site: &mut Site,
    schema: &Schema,
    pack_defaults: &[PackDefault],
    sources: &Sources,
    findings: &mut Findings,
) {
    let mut root = std::mem::take(&mut site.root);
    let mut unlike = Vec::new();
    for default in pack_defaults {
        let steps: Vec<Str> = match default.place.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|s| s.replace("~1", "/").replace("~0", "~").into()).collect(),
            None => default.place.split('.').map(Into::into).collect(),
        };
        give(&mut root, schema.root(), &steps, &mut String::new(), default, site, &mut unlike);
    }
    for Unlike { pointer, packs: [first, second], values: [held, other] } in unlike {
        let message =
            format!("`{first}` and `{second}` have unlike defaults for `{pointer}`, which the spec leaves open");
        let mut diag = Diag::new(DEFAULTS_DISAGREE, message).at_maybe(span(&held, sources), "this one holds");
        if let Some(other) = span(&other, sources) {
            diag = diag.and(other, "this one does not");
        }
        diag.waivable = true;
        findings.push(diag.pointer(pointer).help("write the value into the spec"));
    }
    fill(&mut root, schema.root(), &mut String::new(), site);
    site.root = root;
}

/// Two packs with unlike defaults for one place.
struct Unlike {
    pointer: String,
    packs: [Str; 2],
    values: [Tracked; 2],
}

/// Puts a pack's default at the end of these steps, wherever nothing is said.
fn give(
    value: &mut Tracked,
    ty: &Type,
    steps: &[Str],
    pointer: &mut String,
    default: &PackDefault,
    site: &mut Site,
    unlike: &mut Vec<Unlike>,
) {
    let Some((step, rest)) = steps.split_first() else { return };
    let keys: Vec<Str> = match &**step {
        "*" => value.entries().map(|(key, _)| key.clone()).collect(),
        _ => vec![step.clone()],
    };
    let origins = value.origins.clone();
    let Some(map) = map_mut(value) else { return };
    let length = pointer.len();
    for key in keys {
        let Some(ty) = ty.field(&key) else { continue };
        push_step(pointer, &key);
        let missing = map.get(&key).is_none_or(|below| below.value.is_null());
        if rest.is_empty() {
            let typed = typed(&default.value.value, &ty);
            if let (Some(held), Some(DefaultFrom::Pack(first, place))) = (map.get(&key), site.defaults.get(pointer))
                && !missing
                && held.value != typed
            {
                let held = Tracked::new(held.value.clone(), Origins::from(*place));
                let packs = [first.clone(), default.pack.clone()];
                unlike.push(Unlike { pointer: pointer.clone(), packs, values: [held, default.value.clone()] });
            }
            if missing {
                let null = map.get(&key).map(|below| below.origins.clone()).unwrap_or_default();
                let place = default.value.origins.as_slice().first().copied().unwrap_or(PlaceId::NONE);
                let value = Tracked::new(typed, default.value.origins.union(&null));
                map.insert(key, value);
                site.defaults.insert(pointer.clone(), DefaultFrom::Pack(default.pack.clone(), place));
            }
        } else {
            if missing && matches!(ty, Type::Struct(_)) && &**step != "*" {
                let null = map.get(&key).map_or_else(|| origins.clone(), |below| below.origins.clone());
                map.insert(key.clone(), Tracked::new(Value::map(Map::new()), null));
            }
            if let Some(below) = map.get_mut(&key) {
                give(below, &ty, rest, pointer, default, site, unlike);
            }
        }
        pointer.truncate(length);
    }
}

/// A pack's plain value as its place takes it; what does not fit stays, since packs are verified on their own.
fn typed(value: &Value, ty: &Type) -> Value {
    let text = match value {
        Value::Str(_) | Value::Int(_) | Value::Bool(_) => value.text(),
        _ => None,
    };
    let json = match value {
        Value::Int(i) => Some(JsonValue::from(*i)),
        Value::Bool(b) => Some(JsonValue::from(*b)),
        _ => text.map(|text| JsonValue::from(&*text)),
    };
    let scalar = json.as_ref().and_then(Scalar::of_json);
    scalar.and_then(|scalar| scalar.typed(ty, PlaceId::NONE).ok()).unwrap_or_else(|| value.clone())
}

/// Fills in the schema's defaults below a value.
fn fill(value: &mut Tracked, ty: &Type, pointer: &mut String, site: &mut Site) {
    if !has_defaults(ty) {
        return;
    }
    let length = pointer.len();
    match ty {
        Type::Struct(s) => {
            let origins = value.origins.clone();
            if let Some(map) = map_mut(value) {
                fill_struct(map, s, &origins, pointer, site);
            }
        }
        Type::Table(of) | Type::Keyed { of, .. } => {
            for (key, below) in map_mut(value).into_iter().flat_map(Map::iter_mut) {
                push_step(pointer, key);
                fill(below, of, pointer, site);
                pointer.truncate(length);
            }
        }
        Type::List(of) => {
            if let Value::List(items) = &mut value.value {
                for (index, item) in std::sync::Arc::make_mut(items).iter_mut().enumerate() {
                    push_step(pointer, &index.to_string());
                    fill(item, of, pointer, site);
                    pointer.truncate(length);
                }
            }
        }
        Type::OneOf(types) => types.iter().for_each(|ty| fill(value, ty, pointer, site)),
        _ => {}
    }
}

fn fill_struct(map: &mut Map, s: &Struct, origins: &Origins, pointer: &mut String, site: &mut Site) {
    let length = pointer.len();
    for (key, field) in &s.fields {
        if field.default.is_none() && !map.contains_key(key) {
            continue;
        }
        push_step(pointer, key);
        let missing = map.get(key).is_none_or(|below| below.value.is_null());
        if let Some(default) = &field.default
            && missing
            && let Some(condition) = applies(s, key, map)
            && let Ok(json) = serde_json::from_str::<JsonValue>(default)
        {
            // A default stands where the answer would: at the `null`, or else in the map.
            let place = map.get(key).map_or(origins, |null| &null.origins).union(&condition);
            if !json.is_object() {
                site.defaults.insert(pointer.clone(), DefaultFrom::Core);
            }
            map.insert(key.clone(), of_json(&json, &field.ty, &place));
        }
        if let Some(below) = map.get_mut(key) {
            fill(below, &field.ty, pointer, site);
        }
        pointer.truncate(length);
    }
    if let Some(rest) = &s.rest {
        for (key, below) in map.iter_mut().filter(|(key, _)| !s.fields.contains_key(*key)) {
            push_step(pointer, key);
            fill(below, rest, pointer, site);
            pointer.truncate(length);
        }
    }
}

/// Where the sibling that a default depends on has the value for it; `None` when it does not.
fn applies(s: &Struct, key: &Str, map: &Map) -> Option<Origins> {
    let Some((sibling, value)) = s.conditions.get(key) else { return Some(Origins::None) };
    let sibling = map.get(sibling)?;
    matches!(&sibling.value, Value::Str(text) if text == value).then(|| sibling.origins.clone())
}

/// The value that a JSON default is at its place.
fn of_json(json: &JsonValue, ty: &Type, origins: &Origins) -> Tracked {
    let value = match json {
        JsonValue::Array(items) => {
            let of = match ty {
                Type::List(of) => of,
                _ => &Type::Any,
            };
            Value::list(items.iter().map(|item| of_json(item, of, origins)).collect())
        }
        JsonValue::Object(map) => {
            let entry = |(key, json): (&String, &JsonValue)| {
                (key.as_str().into(), of_json(json, &ty.field(key).unwrap_or(Type::Any), origins))
            };
            Value::map(map.iter().map(entry).collect())
        }
        scalar => {
            let place = origins.as_slice().first().copied().unwrap_or(PlaceId::NONE);
            Scalar::of_json(scalar).and_then(|scalar| scalar.typed(ty, place).ok()).unwrap_or_default()
        }
    };
    Tracked::new(value, origins.clone())
}

/// Whether there is a default at or below a type.
fn has_defaults(ty: &Type) -> bool {
    match ty {
        Type::Struct(s) => {
            s.fields.values().any(|f| f.default.is_some() || has_defaults(&f.ty))
                || s.rest.as_ref().is_some_and(has_defaults)
        }
        Type::Table(of) | Type::List(of) | Type::Keyed { of, .. } => has_defaults(of),
        Type::OneOf(types) => types.iter().any(has_defaults),
        _ => false,
    }
}
