//! Filters that put a list in order: sorting, extremes, repetitions, groups.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::pack::expr::eval::EvalError;
use crate::pack::expr::kinds;
use crate::pack::expr::operators;
use crate::pack::expr::table::{Call, Row, Typing, Unknown, any_form, item};
use crate::shape::{Field, Struct, Type};
use crate::value::{Map, Origins, Str, Tracked, Value};

const PASSES: Unknown = Unknown::Passes;

pub const FILTERS: &[Row] = &[
    Row {
        name: "sort",
        params: &[],
        unknown: PASSES,
        doc: "the items in ascending order; equal ones stay as they stand, strings go byte by byte",
        ty: sorted,
        run: sort,
    },
    Row {
        name: "sort_by",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the items in the order of what the expression gives",
        ty: sorted,
        run: sort,
    },
    Row {
        name: "min",
        params: &[],
        unknown: PASSES,
        doc: "the smallest item; unknown for an empty list",
        ty: extreme_type,
        run: |c| extreme(c, Ordering::Less),
    },
    Row {
        name: "max",
        params: &[],
        unknown: PASSES,
        doc: "the largest item; unknown for an empty list",
        ty: extreme_type,
        run: |c| extreme(c, Ordering::Greater),
    },
    Row {
        name: "min_by",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the item for which the expression gives the least",
        ty: sorted_item,
        run: |c| extreme(c, Ordering::Less),
    },
    Row {
        name: "max_by",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the item for which the expression gives the most",
        ty: sorted_item,
        run: |c| extreme(c, Ordering::Greater),
    },
    Row {
        name: "unique",
        params: &[],
        unknown: PASSES,
        doc: "the items without repetitions, each where it stood first",
        ty: |t| Type::List(t.element().into()),
        run: unique,
    },
    Row {
        name: "unique_by",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "the first item for each value that the expression gives",
        ty: |t| {
            let element = t.element();
            t.item(0, &element);
            Type::List(element.into())
        },
        run: unique,
    },
    Row {
        name: "groupby",
        params: &[item("item…")],
        unknown: PASSES,
        doc: "a list of `{key, items}`, sorted by key: the items for which the expression gives the same",
        ty: |t| {
            let element = t.element();
            let key = t.item(0, &element);
            let field = |ty| Field { ty, default: None, doc: "".into() };
            let fields = [("key".into(), field(key)), ("items".into(), field(Type::List(element.into())))];
            let group =
                Struct { name: "group".into(), fields: fields.into_iter().collect(), open: false, ..Struct::default() };
            Type::List(Type::Struct(group.into()).into())
        },
        run: groupby,
    },
];

fn sorted_item(t: &mut Typing<'_, '_, '_>) -> Type {
    let element = t.element();
    let key = if t.has_item(0) { t.item(0, &element) } else { element.clone() };
    if !any_form(&key, &|t| kinds::scalar(t) || matches!(t, Type::List(_))) {
        t.report(format!("{} has no order", kinds::describe(&key)));
    }
    element
}

fn sorted(t: &mut Typing<'_, '_, '_>) -> Type {
    Type::List(sorted_item(t).into())
}

fn extreme_type(t: &mut Typing<'_, '_, '_>) -> Type {
    let element = t.element();
    if !any_form(&element, &|t| kinds::ordered(t, t)) {
        t.report(format!("{} has no smallest and no largest", kinds::describe(&element)));
    }
    element
}

/// The key of every item; `None` when one of them is unknown.
fn keys(c: &mut Call<'_, '_>, items: &[Tracked]) -> Result<Option<Vec<Value>>, EvalError> {
    let mut keys = Vec::with_capacity(items.len());
    for item in items {
        keys.push(c.each(0, item)?);
    }
    Ok((!keys.iter().any(|k| matches!(k, Value::Null | Value::Poison))).then_some(keys))
}

/// The positions of keys in ascending order, stable.
fn ranking(c: &Call<'_, '_>, keys: &[Value]) -> Result<Vec<usize>, EvalError> {
    let mut wrong = None;
    let mut ranks: Vec<usize> = (0..keys.len()).collect();
    ranks.sort_by(|a, b| {
        operators::sort_order(&keys[*a], &keys[*b]).unwrap_or_else(|message| {
            wrong.get_or_insert(message);
            Ordering::Equal
        })
    });
    match wrong {
        None => Ok(ranks),
        Some(message) => Err(c.fault(message)),
    }
}

fn sort(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let items = c.list()?;
    let Some(keys) = keys(c, &items)? else { return Ok(c.unknown()) };
    let ranks = ranking(c, &keys)?;
    Ok(Value::list(ranks.into_iter().map(|i| items[i].clone()).collect()))
}

fn extreme(c: &mut Call<'_, '_>, wanted: Ordering) -> Result<Value, EvalError> {
    let items = c.list()?;
    let Some(keys) = keys(c, &items)? else { return Ok(c.unknown()) };
    let mut best: Option<usize> = None;
    for (i, key) in keys.iter().enumerate() {
        let order = if c.has_item(0) { operators::sort_order } else { operators::order };
        let better = match best {
            None => true,
            Some(b) => order(key, &keys[b]).map_err(|m| c.fault(m))? == wanted,
        };
        if better {
            best = Some(i);
        }
    }
    Ok(c.take_or_nothing(best.map(|i| &items[i])))
}

fn unique(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let items = c.list()?;
    let Some(keys) = keys(c, &items)? else { return Ok(c.unknown()) };
    let mut first: Vec<(usize, Vec<usize>)> = Vec::new();
    match ranking(c, &keys) {
        Ok(ranks) => {
            for i in ranks {
                match first.last_mut() {
                    Some((f, same)) if operators::sort_order(&keys[*f], &keys[i]) == Ok(Ordering::Equal) => {
                        same.push(i);
                    }
                    _ => first.push((i, Vec::new())),
                }
            }
            first.sort_by_key(|(f, _)| *f);
        }
        Err(_) => {
            for i in 0..keys.len() {
                c.burn()?;
                match first.iter_mut().find(|(f, _)| keys[*f] == keys[i]) {
                    Some((_, same)) => same.push(i),
                    None => first.push((i, Vec::new())),
                }
            }
        }
    }
    let merged = first.into_iter().map(|(f, same)| Tracked {
        value: items[f].value.clone(),
        origins: Origins::all(std::iter::once(f).chain(same).map(|i| &items[i].origins)),
    });
    Ok(Value::list(merged.collect()))
}

fn groupby(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let items = c.list()?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items.iter() {
        keyed.push(c.tracked(0, item)?);
    }
    keyed.iter().for_each(|k| c.depend(&k.origins));
    if keyed.iter().any(|k| matches!(k.value, Value::Null | Value::Poison)) {
        return Ok(c.unknown());
    }
    let keys: Vec<Value> = keyed.iter().map(|k| k.value.clone()).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in ranking(c, &keys)? {
        match groups.last_mut() {
            Some(group) if operators::sort_order(&keys[group[0]], &keys[i]) == Ok(Ordering::Equal) => group.push(i),
            _ => groups.push(vec![i]),
        }
    }
    let (key, members_key): (Str, Str) = ("key".into(), "items".into());
    let groups = groups.into_iter().map(|group| {
        let origins = Origins::all(group.iter().map(|i| &keyed[*i].origins));
        let members: Vec<Tracked> = group.iter().map(|i| items[*i].clone()).collect();
        let mut map = Map::with_capacity(2);
        map.insert(key.clone(), Tracked { value: keys[group[0]].clone(), origins: origins.clone() });
        map.insert(members_key.clone(), Tracked { value: Value::List(Arc::new(members)), origins: origins.clone() });
        Tracked { value: Value::map(map), origins }
    });
    Ok(Value::list(groups.collect()))
}
