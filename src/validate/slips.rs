//! Mistyped keys in, the tree as it was meant out: what follows from a slip is found as if it had not happened.

use std::sync::Arc;

use crate::diag::Diag;
use crate::node::{Data, Node};
use crate::overlay::put;

/// A key that was mistyped at one place or at several of one kind.
#[derive(Debug)]
pub struct Slip {
    pub diag: Diag,
    /// The maps in which it stands, by their pointers.
    pub maps: Vec<String>,
    pub key: Arc<str>,
    pub meant: Arc<str>,
    /// Whether no other key can be meant.
    pub sure: bool,
}

/// Keys of the spec itself that have been read before it is validated.
const READ_BEFORE: [&str; 2] = ["extends", "products"];

impl Slip {
    /// Puts the key that is meant in the place of the mistyped one, with its value where no other can be meant, and with
    /// one that nobody knows where one can. What another file says under the right key stays below it.
    pub fn correct(&self, tree: &mut Node) {
        for map in &self.maps {
            let known = self.sure && !(map.is_empty() && READ_BEFORE.contains(&&*self.meant));
            let Some(Node { data: Data::Map(entries), .. }) = tree.pointer_mut(map) else { continue };
            let Some(at) = entries.iter().position(|e| e.key == self.key) else { continue };
            let mut slip = entries.remove(at);
            slip.key = self.meant.clone();
            if !known {
                slip.value.data = Data::Poison;
            }
            put(entries, slip);
        }
    }
}
