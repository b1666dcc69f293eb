//! Uniting items of one identity: equal fields join their origins, unlike ones are a finding that shows both.

use std::sync::Arc;

use crate::instance::Run;
use crate::ir::F;

/// Unites neighbours of equal identity in a sorted list.
pub fn unite<T, K: PartialEq>(
    list: Vec<Arc<T>>,
    run: &mut Run,
    merge: impl Fn(&T, &T, &mut Run) -> T,
    key: impl Fn(&T) -> K,
) -> Vec<Arc<T>> {
    let mut united: Vec<Arc<T>> = Vec::with_capacity(list.len());
    for item in list {
        match united.last_mut() {
            Some(last) if key(last) == key(&item) => *last = Arc::new(merge(last, &item, run)),
            _ => united.push(item),
        }
    }
    united
}

/// One field of two items: the common value with both origins, or the first with a finding.
pub fn merge_field<T: Clone + PartialEq + std::fmt::Debug>(a: &F<T>, b: &F<T>, what: &str, run: &mut Run) -> F<T> {
    if a.value != b.value {
        run.conflicts.push((what.into(), a.origins.clone(), b.origins.clone()));
    }
    F::new(a.value.clone(), a.origins.union(&b.origins))
}

/// A field that one of two items may leave out.
pub fn either<T: Clone + PartialEq + std::fmt::Debug>(
    a: &F<Option<T>>,
    b: &F<Option<T>>,
    what: &str,
    run: &mut Run,
) -> F<Option<T>> {
    match (&a.value, &b.value) {
        (Some(_), Some(_)) => merge_field(a, b, what, run),
        (None, _) => F::new(b.value.clone(), a.origins.union(&b.origins)),
        (_, None) => F::new(a.value.clone(), a.origins.union(&b.origins)),
    }
}
