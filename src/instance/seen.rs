//! What expressions read, kept as a set of places while a site is compiled.

use crate::pack::expr::Reads;
use crate::source::{PlaceId, REAR};
use crate::value::Origins;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// One bit for each place, in front and behind.
    bits: [Vec<u64>; 2],
}

impl Places {
    /// Adds what an evaluation read. What is joined from several sets was noted when these were read.
    pub fn note(&mut self, reads: &Reads) {
        reads.each().for_each(|origins| self.note_one(origins));
    }

    /// Adds one of the sets that an evaluation read.
    pub fn note_one(&mut self, origins: &Origins) {
        if !matches!(origins, Origins::Joined(_)) {
            self.add(origins);
        }
    }

    /// Adds all places of a set.
    pub fn add(&mut self, origins: &Origins) {
        for place in origins.as_slice().iter().filter(|p| **p != PlaceId::NONE) {
            let (part, word, bit) = numbers(*place);
            let bits = &mut self.bits[part];
            if word >= bits.len() {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << bit;
        }
    }

    /// Adds the places of another set.
    pub fn absorb(&mut self, other: Places) {
        for (bits, other) in self.bits.iter_mut().zip(other.bits) {
            if other.len() > bits.len() {
                bits.resize(other.len(), 0);
            }
            bits.iter_mut().zip(other).for_each(|(own, other)| *own |= other);
        }
    }

    pub fn contains(&self, place: PlaceId) -> bool {
        let (part, word, bit) = numbers(place);
        self.bits[part].get(word).is_some_and(|word| word >> bit & 1 == 1)
    }
}

/// Where the bit of a place is: the part of the sources, the word, and the bit in it.
fn numbers(place: PlaceId) -> (usize, usize, u32) {
    let (part, number) = place.0.checked_sub(REAR).map_or((0, place.0), |behind| (1, behind));
    (part, number as usize / 64, number % 64)
}
