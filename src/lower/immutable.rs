//! What of a site can never change once a product is installed: the packs' `[[immutable]]` on this site, for the
//! manifest.

use std::collections::BTreeMap;

use super::storage::pointer;
use crate::artifact::Immutable;
use crate::check::places::spec_span;
use crate::instance::{Answer, Instance, Run};
use crate::pack::expr::Scope;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Str, Tracked, Unit, Value};

/// The immutable values of all instances by their pointer; one that is unanswered is there without a value.
pub fn immutable(instances: &[Instance], site: &Site, sources: &Sources, run: &mut Run) -> BTreeMap<String, Immutable> {
    let mut found = BTreeMap::new();
    for instance in instances {
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        for rule in &instance.pack.immutable {
            // What a condition or a loop cannot tell yet is not fixed yet either.
            run.each(&rule.head, &scope, &mut Vec::new(), &mut |scope, _, run| {
                let (value, origins) = match run.eval(&rule.at, scope) {
                    Answer::Known(value) => (written(&value.value), value.origins),
                    Answer::Open(open) => (None, open.into_iter().next().map(|u| u.origins).unwrap_or_default()),
                    Answer::Poison => return,
                };
                let why = match run.text(&rule.why, scope) {
                    Answer::Known(Tracked { value: Value::Str(text), .. }) => text,
                    _ => rule.why.source().clone(),
                };
                let cite = instance.pack.source_text(&rule.head.source);
                // An expression that spells no place is named by its own text, below its product.
                let place = rule
                    .at
                    .pointer(scope)
                    .unwrap_or_else(|| pointer(&["products", &instance.name, &format!("({})", rule.at.text())]));
                let span = spec_span(&origins, sources).or_else(|| spec_span(&instance.product.origins, sources));
                found
                    .insert(place, Immutable { value: value.map(|v| v.to_string()), why: why.to_string(), cite, span });
            });
        }
    }
    found
}

/// A value as one text that is equal for equal values.
fn written(value: &Value) -> Option<Str> {
    Some(match value {
        Value::Null | Value::Poison => return None,
        Value::List(items) => {
            let items: Vec<Str> = items.iter().map(|i| written(&i.value).unwrap_or_default()).collect();
            format!("[{}]", items.join(", ")).into()
        }
        Value::Map(map) => {
            let entry =
                |(key, value): (&Str, &Tracked)| format!("{key}: {}", written(&value.value).unwrap_or_default());
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", ")).into()
        }
        // What is compared is the amount, never the way of writing it.
        Value::Quantity(q) => {
            let unit = match q.unit {
                Unit::Bytes => "B",
                Unit::BitsPerSecond => "b/s",
                Unit::Milliseconds => "ms",
                Unit::Millicores => "m",
            };
            format!("{} {unit}", q.amount).into()
        }
        other => other.text()?,
    })
}
