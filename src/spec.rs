//! The spec as it is written: typed values, nothing expanded, bound or defaulted.

use crate::source::{PlaceId, Span};
use crate::value::Tracked;

/// What decoding makes of the overlaid tree.
///
/// Names of entries of tables are still text, and so are values with a range under a host key with a range.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub root: Tracked,
    /// Where the keys of maps with chosen names stand, by the place of the value; sorted.
    keys: Vec<(PlaceId, Span)>,
}

impl Spec {
    /// Joins a tree with the spans of its keys, in any order.
    pub fn new(root: Tracked, mut keys: Vec<(PlaceId, Span)>) -> Self {
        keys.sort_unstable();
        Self { root, keys }
    }

    /// The span of the key whose value has this place; known for maps with names that the spec chooses.
    pub fn key_span(&self, value: PlaceId) -> Option<Span> {
        let at = self.keys.binary_search_by_key(&value, |(place, _)| *place).ok()?;
        self.keys.get(at).map(|(_, span)| *span)
    }
}
