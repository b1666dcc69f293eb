//! An ordered map of tracked values.

use indexmap::IndexMap;

use super::{Str, Tracked};

/// Maps of more entries than this are searched through an index. Nearly all are the parts of one thing, which are found
/// sooner by going through them.
const FEW: usize = 16;

/// A map that keeps the order in which its keys came.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Str, Tracked)>,
    /// The places of the keys, once there are many. It is never gone through.
    index: Option<Box<IndexMap<Str, usize>>>,
}

impl Map {
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for that many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries), index: None }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Tracked> {
        self.entries.get(self.place(key)?).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Tracked> {
        let place = self.place(key)?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// Puts a value at its key: at the end, or, where the key is there, at its place. Gives back what was there.
    pub fn insert(&mut self, key: Str, value: Tracked) -> Option<Tracked> {
        if let Some(place) = self.place(&key) {
            return self.entries.get_mut(place).map(|(_, old)| std::mem::replace(old, value));
        }
        let place = self.entries.len();
        match &mut self.index {
            Some(index) => _ = index.insert(key.clone(), place),
            None if place == FEW => {
                let keys = self.entries.iter().map(|(key, _)| key).chain([&key]);
                self.index = Some(Box::new(keys.cloned().zip(0..).collect()));
            }
            None => {}
        }
        self.entries.push((key, value));
        None
    }

    /// Takes an entry out; those after it keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Tracked> {
        let place = self.place(key)?;
        let (_, value) = self.entries.remove(place);
        if let Some(index) = &mut self.index {
            index.swap_remove(key);
            index.values_mut().filter(|at| **at > place).for_each(|at| *at -= 1);
        }
        Some(value)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &Tracked)> + ExactSizeIterator + Clone {
        self.entries.iter().map(pair)
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Str> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Tracked> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Str, &mut Tracked)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// Where a key stands.
    fn place(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => {
                // Most keys that are as long as another begin with another letter.
                let first = key.as_bytes().first();
                let is_it = |own: &str| own.len() == key.len() && own.as_bytes().first() == first && *own == *key;
                self.entries.iter().position(|(own, _)| is_it(own))
            }
        }
    }
}

fn pair(entry: &(Str, Tracked)) -> (&Str, &Tracked) {
    (&entry.0, &entry.1)
}

/// Two maps are equal when they have the same keys with equal values, in whatever order.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl FromIterator<(Str, Tracked)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Tracked)>>(entries: I) -> Self {
        let mut map = Map::new();
        map.extend(entries);
        map
    }
}

impl<const N: usize> From<[(Str, Tracked); N]> for Map {
    fn from(entries: [(Str, Tracked); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Extend<(Str, Tracked)> for Map {
    fn extend<I: IntoIterator<Item = (Str, Tracked)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        self.entries.reserve(entries.size_hint().0);
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Str, Tracked);
    type IntoIter = std::vec::IntoIter<(Str, Tracked)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Str, &'a Tracked);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (Str, Tracked)>, fn(&'a (Str, Tracked)) -> (&'a Str, &'a Tracked)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter().map(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Origins, Value};

    fn numbers(range: std::ops::Range<i64>) -> Map {
        range.map(|n| (Str::from(format!("k{n}")), Tracked::new(n, Origins::None))).collect()
    }

    #[test]
    fn large_and_small_maps_do_the_same() {
        for size in [0, 1, FEW as i64 - 1, FEW as i64, FEW as i64 + 1, 200] {
            let mut map = numbers(0..size);
            assert_eq!(map.len(), size as usize);
            for n in 0..size {
                assert_eq!(map.get(&format!("k{n}")).map(|t| &t.value), Some(&Value::Int(n)));
            }
            assert_eq!(map.get("k-1").map(|t| &t.value), None);
            assert!(map.keys().map(|k| &**k).eq(numbers(0..size).keys().map(|k| &**k)), "the order of insertion");
            let old = map.insert("k0".into(), Tracked::new(7i64, Origins::None));
            assert_eq!(old.is_some(), size > 0);
            assert_eq!(map.keys().next().map(|k| &**k), Some("k0"));
            let middle = format!("k{}", size / 2);
            assert!(map.remove(&middle).is_some());
            assert!(!map.contains_key(&middle));
            for n in (0..size).filter(|n| *n != size / 2 && *n != 0) {
                assert_eq!(map.get(&format!("k{n}")).map(|t| &t.value), Some(&Value::Int(n)), "{n} of {size}");
            }
        }
    }

    #[test]
    fn order_does_not_make_maps_differ() {
        let (mut a, mut b) = (numbers(0..3), Map::new());
        for n in [2i64, 0, 1] {
            b.insert(format!("k{n}").into(), Tracked::new(n, Origins::None));
        }
        assert_eq!(a, b);
        a.insert("k3".into(), Tracked::default());
        assert_ne!(a, b);
    }
}
