//! The set of places that a value comes from. Joining sets is cheap however large they are; only who asks for the
//! places of one pays for its size.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::source::PlaceId;

/// The set of places that a value comes from: spec leaves and pack lines. Sorted, without repetition. Every value and
/// every field has one, so it is small, and the few places that most have are in it.
#[derive(Clone, Default)]
pub enum Origins {
    #[default]
    None,
    One(PlaceId),
    Two([PlaceId; 2]),
    Three([PlaceId; 3]),
    Few(Arc<Few>),
    Many(Arc<Box<[PlaceId]>>),
    /// Sets that are joined when somebody asks for their places.
    Joined(Arc<Joined>),
}

/// Up to [`SMALL`] places, in one piece of memory.
pub struct Few {
    places: [PlaceId; SMALL],
    count: usize,
}

/// Several sets that are one.
pub struct Joined {
    parts: Parts,
    /// How many of these stand below each other.
    depth: u32,
    places: OnceLock<Box<[PlaceId]>>,
}

/// The sets that are joined; nearly always two, which need no memory of their own.
enum Parts {
    Two([Origins; 2]),
    More(Box<[Origins]>),
}

/// Up to this many places are joined at once.
const SMALL: usize = 8;
/// Sets deeper than this are not freed level by level.
const DEEP: u32 = 100;

impl Parts {
    fn as_slice(&self) -> &[Origins] {
        match self {
            Parts::Two(parts) => parts,
            Parts::More(parts) => parts,
        }
    }

    fn take(&mut self) -> Vec<Origins> {
        match std::mem::replace(self, Parts::More(Box::default())) {
            Parts::Two(parts) => parts.into(),
            Parts::More(parts) => parts.into(),
        }
    }
}

impl Few {
    /// Adds a place, if it is not there; `false` when there is no room for it.
    fn add(&mut self, place: PlaceId) -> bool {
        let known = &self.places[..self.count];
        let at = known.iter().rposition(|p| *p <= place).map_or(0, |last| last + 1);
        if at > 0 && known[at - 1] == place {
            return true;
        }
        if self.count == SMALL {
            return false;
        }
        for to in (at..self.count).rev() {
            self.places[to + 1] = self.places[to];
        }
        self.places[at] = place;
        self.count += 1;
        true
    }
}

impl Origins {
    /// The places, sorted.
    pub fn as_slice(&self) -> &[PlaceId] {
        match self {
            Origins::None => &[],
            Origins::One(place) => std::slice::from_ref(place),
            Origins::Two(places) => places,
            Origins::Three(places) => places,
            Origins::Few(few) => &few.places[..few.count],
            Origins::Many(places) => places,
            Origins::Joined(joined) => joined.places(),
        }
    }

    /// Makes a set from places in any order, with repetitions and [`PlaceId::NONE`] allowed.
    pub fn from_places(mut places: Vec<PlaceId>) -> Self {
        places.retain(|p| *p != PlaceId::NONE);
        places.sort_unstable();
        places.dedup();
        Origins::from_sorted(&places)
    }

    /// The set of these places, which are sorted.
    fn from_sorted(places: &[PlaceId]) -> Self {
        match *places {
            [] => Origins::None,
            [a] => Origins::One(a),
            [a, b] => Origins::Two([a, b]),
            [a, b, c] => Origins::Three([a, b, c]),
            ref few if few.len() <= SMALL => {
                let mut places = [PlaceId::NONE; SMALL];
                places[..few.len()].copy_from_slice(few);
                Origins::Few(Arc::new(Few { places, count: few.len() }))
            }
            ref many => Origins::Many(Arc::new(many.into())),
        }
    }

    /// The union of two sets.
    pub fn union(&self, other: &Origins) -> Origins {
        match (self, other) {
            (_, Origins::None) => self.clone(),
            (Origins::None, _) => other.clone(),
            _ if self.is_same(other) => self.clone(),
            _ => match (self.few(), other.few()) {
                (Some(a), Some(b)) => Origins::merged(self, a, other, b),
                _ => Origins::joined(&[self, other]),
            },
        }
    }

    /// The places of a set that keeps them itself, of which there are few.
    fn few(&self) -> Option<&[PlaceId]> {
        match self {
            Origins::Many(_) | Origins::Joined(_) => None,
            few => Some(few.as_slice()),
        }
    }

    /// The union of two sets with these places.
    fn merged(one: &Origins, a: &[PlaceId], other: &Origins, b: &[PlaceId]) -> Origins {
        let (mut places, mut count, mut i, mut j) = ([PlaceId::NONE; SMALL], 0, 0, 0);
        loop {
            let next = match (a.get(i), b.get(j)) {
                (Some(x), Some(y)) => {
                    i += usize::from(x <= y);
                    j += usize::from(y <= x);
                    *x.min(y)
                }
                (Some(x), None) => {
                    i += 1;
                    *x
                }
                (None, Some(y)) => {
                    j += 1;
                    *y
                }
                (None, None) => break,
            };
            let Some(slot) = places.get_mut(count) else { return Origins::joined(&[one, other]) };
            *slot = next;
            count += 1;
        }
        // Where one set has all that the other has, it is the union.
        match count {
            _ if count == a.len() => one.clone(),
            _ if count == b.len() => other.clone(),
            _ => Origins::from_sorted(&places[..count]),
        }
    }

    /// Sets as one, whose places are put together when somebody asks for them.
    fn joined(parts: &[&Origins]) -> Origins {
        let depth = 1 + parts.iter().map(|p| p.depth()).max().unwrap_or(0);
        let parts = match *parts {
            [a, b] => Parts::Two([a.clone(), b.clone()]),
            _ => Parts::More(parts.iter().map(|part| (*part).clone()).collect()),
        };
        Origins::Joined(Arc::new(Joined { parts, depth, places: OnceLock::new() }))
    }

    /// The union of any number of sets.
    pub fn all<'a>(sets: impl IntoIterator<Item = &'a Origins>) -> Origins {
        // Most unions are of a few sets, and there are millions of them.
        let (mut few, mut count, mut many) = ([const { &Origins::None }; SMALL], 0, Vec::new());
        for set in sets {
            if matches!(set, Origins::None) {
                continue;
            }
            // The fields of an item mostly have the origins of the one before.
            let parts: &[&Origins] = if many.is_empty() { &few[..count] } else { &many };
            if parts[parts.len().saturating_sub(2)..].iter().any(|part| part.is_same(set)) {
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
            [one, other] => return one.union(other),
            _ => {}
        }
        if let Some(union) = Origins::of_few(parts) {
            return union;
        }
        Origins::joined(parts)
    }

    /// The union of sets, if it has at most [`SMALL`] places and that can be told without asking for theirs.
    fn of_few(parts: &[&Origins]) -> Option<Origins> {
        if parts.iter().any(|part| matches!(part, Origins::Many(_) | Origins::Joined(_))) {
            return None;
        }
        let (first, more) = parts.split_first()?;
        let first = first.as_slice();
        let mut union = Few { places: [PlaceId::NONE; SMALL], count: first.len() };
        union.places[..first.len()].copy_from_slice(first);
        if !more.iter().flat_map(|part| part.as_slice()).all(|place| union.add(*place)) {
            return None;
        }
        // Where one set has all that the others have, it is the union.
        let whole = parts.iter().find(|part| matches!(part, Origins::Few(few) if few.count == union.count));
        Some(whole.map_or_else(|| Origins::from_sorted(&union.places[..union.count]), |whole| (*whole).clone()))
    }

    /// Whether the two are one, told without looking at their places.
    pub(super) fn is_same(&self, other: &Origins) -> bool {
        match (self, other) {
            (Origins::None, Origins::None) => true,
            (Origins::One(a), Origins::One(b)) => a == b,
            (Origins::Two(a), Origins::Two(b)) => a == b,
            (Origins::Three(a), Origins::Three(b)) => a == b,
            (Origins::Few(a), Origins::Few(b)) => Arc::ptr_eq(a, b),
            (Origins::Many(a), Origins::Many(b)) => Arc::ptr_eq(a, b),
            (Origins::Joined(a), Origins::Joined(b)) => Arc::ptr_eq(a, b),
            _ => false,
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
                for part in joined.parts.as_slice() {
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
        let mut open = vec![self.parts.take()];
        while let Some(parts) = open.pop() {
            for part in parts {
                if let Origins::Joined(inner) = part
                    && let Some(mut inner) = Arc::into_inner(inner)
                {
                    open.push(inner.parts.take());
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
    fn unions_of_any_size_are_those_of_sets() {
        // 0 to 12 places each, at distances that let sets lie apart, within each other and across.
        let sets: Vec<Vec<u32>> = (0..13)
            .flat_map(|size| (1..4).map(move |step| (0..size).map(|n| 20 - size + n * step).collect()))
            .collect();
        for a in &sets {
            for b in &sets {
                let mut both: Vec<u32> = a.iter().chain(b).copied().collect();
                both.sort_unstable();
                both.dedup();
                let union = set(a.clone()).union(&set(b.clone()));
                assert!(union.as_slice().iter().map(|p| p.0).eq(both.iter().copied()), "{a:?} and {b:?}: {union:?}");
                let three = Origins::all([&set(b.clone()), &set(a.clone()), &set([7])]);
                assert_eq!(three, set(both.into_iter().chain([7])));
            }
        }
        assert_eq!(std::mem::size_of::<Origins>(), 16);
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
