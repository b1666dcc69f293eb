//! Uniting items of one identity: equal fields join their origins, unlike ones are a finding that shows both.

use std::sync::Arc;

use crate::diag::Diag;
use crate::diag::codes::CONFLICT;
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

/// Turns the conflicts that were noted into findings, each with both places.
pub fn report_conflicts(run: &mut Run, sources: &crate::source::Sources) {
    for (what, a, b) in std::mem::take(&mut run.conflicts) {
        let mut diag = Diag::new(CONFLICT, format!("two items give different values for the {what}"));
        for (origins, text) in [(&a, "one says so here"), (&b, "the other says so here")] {
            for span in smallest(origins, sources) {
                diag = if diag.primary.is_none() { diag.at(span, text) } else { diag.and(span, text) };
            }
        }
        run.findings.push(diag.help("let one of the two follow the other"));
    }
}

/// Places that a finding names for one side.
const SHOWN: usize = 4;

/// The places of a set that hold no other one of it: a whole entry says less than the value in it.
fn smallest(origins: &crate::value::Origins, sources: &crate::source::Sources) -> Vec<crate::source::Span> {
    // The whole of a file says nothing.
    let all = origins.as_slice().iter().filter_map(|p| sources.span_of(*p)).filter(|s| s.start > 0);
    let all: Vec<_> = all.filter(|s| sources.line_col(*s).0 > 1 || s.end - s.start < 200).collect();
    let holds = |o: &crate::source::Span, s: &crate::source::Span| {
        o != s && o.file == s.file && s.start <= o.start && o.end <= s.end
    };
    let mut narrow: Vec<_> = all.iter().filter(|s| !all.iter().any(|o| holds(o, s))).copied().collect();
    // Values of the spec first, then what a pack says about them; many places say less than few.
    narrow.sort_by_key(|s| (sources.file(s.file).role != crate::source::Role::Spec, s.end - s.start, *s));
    narrow.truncate(SHOWN);
    narrow
}
