//! The anchored values of one YAML text: each is kept with its size, and every repetition is charged to one budget.

use std::collections::BTreeMap;

use super::{ALIAS_LIMIT, DEPTH_LIMIT};
use crate::node::{Data, Node};

/// The values with an anchor that are complete, by the parser's number.
#[derive(Default)]
pub(super) struct Anchors {
    nodes: BTreeMap<usize, (Node, Size)>,
    /// Nodes that were copied for anchors and aliases.
    copied: usize,
}

/// What an alias stands for.
pub(super) enum Replay {
    /// A copy of the value, with the places of the original.
    Node(Node),
    /// Together the aliases of the text repeat too many values.
    TooMuch,
    TooDeep,
    /// The value is not complete: the alias stands inside of it.
    Itself,
}

impl Anchors {
    pub fn remember(&mut self, anchor: usize, node: &Node) {
        let size = measure(node, ALIAS_LIMIT);
        self.copied += size.nodes;
        if self.copied <= ALIAS_LIMIT {
            self.nodes.insert(anchor, (node.clone(), size));
        }
    }

    /// The value of an alias that stands `depth` levels deep.
    pub fn replay(&mut self, anchor: usize, depth: usize) -> Replay {
        let found = self.nodes.get(&anchor);
        let size = found.map_or(Size::default(), |(_, size)| *size);
        self.copied += size.nodes;
        match found {
            _ if depth + size.depth > DEPTH_LIMIT => Replay::TooDeep,
            _ if self.copied > ALIAS_LIMIT => Replay::TooMuch,
            Some((node, _)) => Replay::Node(node.clone()),
            None => Replay::Itself,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    /// Levels of lists and maps.
    depth: usize,
}

/// The size of a tree, measured no further than `limit` nodes.
fn measure(node: &Node, limit: usize) -> Size {
    let mut size = Size::default();
    let mut rest = vec![(node, 0)];
    while let Some((node, above)) = rest.pop() {
        size.nodes += 1;
        if size.nodes > limit {
            break;
        }
        let depth = above + usize::from(matches!(node.data, Data::List(_) | Data::Map(_)));
        size.depth = size.depth.max(depth);
        rest.extend(node.items().iter().map(|n| (n, depth)));
        rest.extend(node.entries().iter().map(|e| (&e.value, depth)));
    }
    size
}
