//! Units, kernel parameters and kernel modules of hosts.

use std::sync::Arc;

use super::items::Item;
use super::merge::merge_field;
use crate::instance::Run;
use crate::ir::{F, KernelModule, KernelParameter, Unit, UnitSetting};
use crate::value::{Origins, Str, Tracked, Value};

/// systemd units, their settings in the order of the pack.
pub fn units(items: &[Item], run: &mut Run) -> Vec<Arc<Unit>> {
    let mut list = Vec::with_capacity(items.len());
    // The unit of one host mostly has what that of the one before has; only origins tell them apart.
    let mut before: Option<(Tracked, F<Vec<Arc<UnitSetting>>>)> = None;
    for item in items {
        let (Some(host), Some(name)) = (item.text("host", run), item.text("name", run)) else { continue };
        let given = item.answered("settings").filter(|_| !run.traced);
        let settings = match before.as_ref().filter(|(before, _)| given.is_some_and(|g| g.is_same_value(before))) {
            Some((_, settings)) => settings.clone(),
            None => settings(item, run),
        };
        before = given.map(|given| (given.clone(), settings.clone()));
        list.push(Arc::new(Unit { host, name, settings }));
    }
    list.sort_by_cached_key(|u| (u.host.value.clone(), u.name.value.clone()));
    super::merge::unite(
        list,
        run,
        |a, b, run| Unit {
            host: a.host.clone(),
            name: a.name.clone(),
            settings: merge_field(
                &a.settings,
                &b.settings,
                &format!("settings of the unit `{}` on `{}`", *a.name, *a.host),
                run,
            ),
        },
        |u| (u.host.value.clone(), u.name.value.clone()),
    )
}

fn settings(item: &Item, run: &mut Run) -> F<Vec<Arc<UnitSetting>>> {
    let mut list = Vec::new();
    let Some(given) = item.answered("settings") else { return item.field(list) };
    let Value::Map(sections) = &given.value else {
        run.not_a(item.span, "sections of a unit for `settings`", &given.value);
        return item.field(list);
    };
    for (section, lines) in sections.iter() {
        let Value::Map(lines) = &lines.value else { continue };
        let mut opens = true;
        for (key, value) in lines.iter() {
            // A list is the same key several times.
            let values = match &value.value {
                Value::List(items) => items.to_vec(),
                _ => vec![value.clone()],
            };
            for value in values {
                let Some(text) = value.value.text() else { continue };
                let origins = value.origins.union(&item.exists);
                let field = |v: Str, origins: &Origins| F::new(v, origins.clone());
                list.push(Arc::new(UnitSetting {
                    section: field(section.clone(), &item.exists),
                    key: field(key.clone(), &origins),
                    value: field(text, &origins),
                    opens: F::new(opens, item.exists.clone()),
                }));
                opens = false;
            }
        }
    }
    F::new(list, given.origins.clone())
}

/// Kernel parameters.
pub fn kernel(items: &[Item], run: &mut Run) -> Vec<Arc<KernelParameter>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(host), Some(key)) = (item.text("host", run), item.text("key", run)) else { continue };
        let Some(value) = item.answered("value").and_then(parameter) else {
            continue;
        };
        list.push(Arc::new(KernelParameter { host, key, value }));
    }
    list.sort_by_cached_key(|k| (k.host.value.clone(), k.key.value.clone()));
    super::merge::unite(
        list,
        run,
        |a, b, run| KernelParameter {
            host: a.host.clone(),
            key: a.key.clone(),
            value: merge_field(&a.value, &b.value, &format!("kernel parameter `{}` of `{}`", *a.key, *a.host), run),
        },
        |k| (k.host.value.clone(), k.key.value.clone()),
    )
}

/// The value of a parameter; a list is its items with blanks between.
fn parameter(given: &Tracked) -> Option<F<Value>> {
    let value = match &given.value {
        Value::List(items) => {
            let items: Option<Vec<Str>> = items.iter().map(|i| i.value.text()).collect();
            Value::Str(items?.join(" ").into())
        }
        one => one.clone(),
    };
    Some(F::new(value, super::peers::deep_origins(given)))
}

/// Kernel modules, once each.
pub fn modules(items: &[Item], run: &mut Run) -> Vec<Arc<KernelModule>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(host), Some(name)) = (item.text("host", run), item.text("name", run)) else { continue };
        list.push(Arc::new(KernelModule { host, name }));
    }
    let key = |m: &KernelModule| (m.host.value.clone(), m.name.value.clone());
    list.sort_by_cached_key(|m| key(m));
    let merge = |a: &KernelModule, b: &KernelModule, _: &mut Run| KernelModule {
        host: F::new(a.host.value.clone(), a.host.origins.union(&b.host.origins)),
        name: F::new(a.name.value.clone(), a.name.origins.union(&b.name.origins)),
    };
    super::merge::unite(list, run, merge, key)
}
