//! Values as JSON, two blanks a level.

use super::{Page, below, pad};
use crate::value::{Origins, Tracked, Value};

pub(super) fn write(page: &mut Page, body: &Tracked) {
    value(page, String::new(), body, 0, "");
}

/// A value behind its key, and what follows it.
fn value(page: &mut Page, lead: String, whole: &Tracked, depth: usize, tail: &str) {
    match &whole.value {
        Value::Map(map) if !map.is_empty() => {
            page.line(format!("{lead}{{"), &whole.origins);
            // Whether a comma follows depends on what comes after.
            let mut after = Origins::None;
            let mut rest: Vec<Origins> = Vec::with_capacity(map.len());
            for part in map.values().rev() {
                rest.push(after.clone());
                after = part.origins.clone();
            }
            for (i, (key, part)) in map.iter().enumerate() {
                let mut part = below(part, &whole.origins);
                part.origins = part.origins.union(&rest[map.len() - 1 - i]);
                let key = page.key(key, &part.origins);
                value(page, format!("{}{key}: ", pad(depth + 1)), &part, depth + 1, comma(i, map.len()));
            }
            page.line(format!("{}}}{tail}", pad(depth)), &whole.origins);
        }
        Value::List(items) if !items.is_empty() => {
            page.line(format!("{lead}["), &whole.origins);
            for (i, part) in items.iter().enumerate() {
                let mut part = below(part, &whole.origins);
                if let Some(next) = items.get(i + 1) {
                    part.origins = part.origins.union(&next.origins);
                }
                value(page, pad(depth + 1), &part, depth + 1, comma(i, items.len()));
            }
            page.line(format!("{}]{tail}", pad(depth)), &whole.origins);
        }
        Value::Map(_) => page.line(format!("{lead}{{}}{tail}"), &whole.origins),
        Value::List(_) => page.line(format!("{lead}[]{tail}"), &whole.origins),
        scalar => {
            let text = page.scalar(scalar, &whole.origins);
            page.line(format!("{lead}{text}{tail}"), &whole.origins);
        }
    }
}

fn comma(index: usize, count: usize) -> &'static str {
    if index + 1 < count { "," } else { "" }
}
