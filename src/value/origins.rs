//! The set of places that a value comes from. Joining sets is cheap however large they are; only who asks for the
//! places of one pays for its size.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::source::PlaceId;

/// The set of places that a value comes from: spec leaves and pack lines. Sorted, without repetition.
#[derive(Clone, Default)]
pub enum Origins {
    #[default]
    None,
    One(PlaceId),
    Many(Arc<[PlaceId]>),
    /// Sets that are joined when somebody asks for their places.
    Joined(Arc<Joined>),
}

/// Several sets that are one.
pub struct Joined {
    parts: Box<[Origins]>,
    /// How many of these stand below each other.
    depth: u32,
    places: OnceLock<Box<[PlaceId]>>,
}

/// Up to this many places are joined at once.
const SMALL: usize = 8;
/// Sets deeper than this are not freed level by level.
const DEEP: u32 = 100;

impl Origins {
    /// The places, sorted.
    pub fn as_slice(&self) -> &[PlaceId] {
        match self {
            Origins::None => &[],
            Origins::One(place) => std::slice::from_ref(place),
            Origins::Many(places) => places,
            Origins::Joined(joined) => joined.places(),
        }
    }

    /// Makes a set from places in any order, with repetitions and [`PlaceId::NONE`] allowed.
    pub fn from_places(mut places: Vec<PlaceId>) -> Self {
        places.retain(|p| *p != PlaceId::NONE);
        places.sort_unstable();
        places.dedup();
        match places.as_slice() {
            [] => Origins::None,
            [one] => Origins::One(*one),
            _ => Origins::Many(places.into()),
        }
    }

    /// The union of two sets.
    pub fn union(&self, other: &Origins) -> Origins {
        Origins::all([self, other])
    }

    /// The union of any number of sets.
    pub fn all<'a>(sets: impl IntoIterator<Item = &'a Origins>) -> Origins {
        // Most unions are of a few sets, and there are millions of them.
        let (mut few, mut count, mut many) = ([const { &Origins::None }; SMALL], 0, Vec::new());
        for set in sets {
            let parts: &[&Origins] = if many.is_empty() { &few[..count] } else { &many };
            // The fields of an item mostly have the origins of the one before.
            if matches!(set, Origins::None) || parts.iter().rev().take(4).any(|p| p.is_same(set)) {
                continue;
            }
            match (many.is_empty(), count < SMALL) {
                (true, true) => {
                    few[count] = set;
                    count += 1;
                }
                (true, false) => {
                    many.extend_from_slice(&few);
                    many.push(set);
                }
                (false, _) => many.push(set),
            }
        }
        let parts: &[&Origins] = if many.is_empty() { &few[..count] } else { &many };
        match parts {
            [] => return Origins::None,
            [one] => return (*one).clone(),
            _ => {}
        }
        if parts.iter().map(|p| p.known_size()).sum::<usize>() <= SMALL {
            return Origins::joined_places(parts);
        }
        let depth = 1 + parts.iter().map(|p| p.depth()).max().unwrap_or(0);
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        Origins::Joined(Arc::new(Joined { parts, depth, places: OnceLock::new() }))
    }

    /// The union of sets with at most [`SMALL`] places together.
    fn joined_places(parts: &[&Origins]) -> Origins {
        let (mut places, mut count) = ([PlaceId::NONE; SMALL], 0);
        for place in parts.iter().flat_map(|p| p.as_slice()) {
            match places[..count].binary_search(place) {
                Ok(_) => {}
                Err(at) => {
                    places.copy_within(at..count, at + 1);
                    places[at] = *place;
                    count += 1;
                }
            }
        }
        // Where one set has all that the others have, it is the union.
        match parts.iter().find(|p| p.as_slice().len() == count) {
            Some(whole) => (*whole).clone(),
            None => Origins::Many(places[..count].into()),
        }
    }

    /// Whether the two are one, told without looking at their places.
    pub(super) fn is_same(&self, other: &Origins) -> bool {
        match (self, other) {
            (Origins::None, Origins::None) => true,
            (Origins::One(a), Origins::One(b)) => a == b,
            (Origins::Many(a), Origins::Many(b)) => Arc::ptr_eq(a, b),
            (Origins::Joined(a), Origins::Joined(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The number of places; more than [`SMALL`] where that is not known yet.
    fn known_size(&self) -> usize {
        match self {
            Origins::Joined(_) => SMALL + 1,
            other => other.as_slice().len(),
        }
    }

    fn depth(&self) -> u32 {
        match self {
            Origins::Joined(joined) => joined.depth,
            _ => 0,
        }
    }
}

impl Joined {
    fn places(&self) -> &[PlaceId] {
        self.places.get_or_init(|| {
            let mut places: Vec<PlaceId> = Vec::new();
            // Parts are shared: each is visited once.
            let mut seen: BTreeSet<*const Joined> = BTreeSet::new();
            let mut open: Vec<&Joined> = vec![self];
            while let Some(joined) = open.pop() {
                for part in &joined.parts {
                    match part {
                        Origins::Joined(inner) => match inner.places.get() {
                            Some(known) => places.extend_from_slice(known),
                            None if seen.insert(Arc::as_ptr(inner)) => open.push(inner),
                            None => {}
                        },
                        other => places.extend_from_slice(other.as_slice()),
                    }
                }
            }
            places.sort_unstable();
            places.dedup();
            places.into()
        })
    }
}

impl Drop for Joined {
    /// Takes a deep set apart without going down into it, so that a chain of any length can be freed.
    fn drop(&mut self) {
        if self.depth <= DEEP {
            return;
        }
        let mut open = vec![std::mem::take(&mut self.parts)];
        while let Some(parts) = open.pop() {
            for part in parts {
                if let Origins::Joined(inner) = part
                    && let Some(mut inner) = Arc::into_inner(inner)
                {
                    open.push(std::mem::take(&mut inner.parts));
                }
            }
        }
    }
}

impl PartialEq for Origins {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.as_slice() == other.as_slice()
    }
}

impl Eq for Origins {}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice().iter().map(|p| p.0)).finish()
    }
}

impl From<PlaceId> for Origins {
    fn from(place: PlaceId) -> Self {
        if place == PlaceId::NONE { Origins::None } else { Origins::One(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: impl IntoIterator<Item = u32>) -> Origins {
        Origins::from_places(places.into_iter().map(PlaceId).collect())
    }

    #[test]
    fn unions_have_all_places_once() {
        let (a, b) = (set(0..50), set(25..80));
        let both = a.union(&b).union(&a).union(&Origins::from(PlaceId(200)));
        assert_eq!(both, set((0..80).chain([200])));
        assert_eq!(Origins::all([&a, &a, &Origins::None]), a);
        assert_eq!(set([1]).union(&set([2])), set([2, 1, 1]));
        assert_eq!(Origins::from(PlaceId::NONE), Origins::None);
    }

    #[test]
    fn long_chains_are_no_deep_ones() {
        let mut all = set(0..10);
        for n in 0..100_000 {
            all = all.union(&Origins::from(PlaceId(n % 1000)));
        }
        assert_eq!(all, set(0..1000));
    }
}
