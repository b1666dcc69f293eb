//! What expressions read, kept as a set of places while a site is compiled.

use crate::pack::expr::Reads;
use crate::source::PlaceId;
use crate::value::Origins;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// One bit for each place.
    bits: Vec<u64>,
}

impl Places {
    /// Adds what an evaluation read. What is joined from several sets was noted when these were read.
    pub fn note(&mut self, reads: &Reads) {
        for origins in reads.each() {
            if !matches!(origins, Origins::Joined(_)) {
                self.add(origins);
            }
        }
    }

    /// Adds all places of a set.
    pub fn add(&mut self, origins: &Origins) {
        for place in origins.as_slice().iter().filter(|p| **p != PlaceId::NONE) {
            let (word, bit) = (place.0 as usize / 64, place.0 % 64);
            if word >= self.bits.len() {
                self.bits.resize(word + 1, 0);
            }
            self.bits[word] |= 1 << bit;
        }
    }

    /// Adds the places of another set.
    pub fn absorb(&mut self, other: Places) {
        if other.bits.len() > self.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        self.bits.iter_mut().zip(other.bits).for_each(|(own, other)| *own |= other);
    }

    pub fn contains(&self, place: PlaceId) -> bool {
        self.bits.get(place.0 as usize / 64).is_some_and(|word| word >> (place.0 % 64) & 1 == 1)
    }
}
