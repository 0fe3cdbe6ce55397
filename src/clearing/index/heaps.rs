//! The positions of a tick in the order of their ids: pairing heaps (Fredman, Sedgewick, Sleator, Tarjan 1986) whose links
//! lie in one array by position. Nothing here knows a tick.
//!
//! A position is its own key, so comparing two of them reads no memory. Adding one takes a few writes. Taking any one out
//! puts its children, merged, in its place, which costs the logarithm of the heap's size on average over all operations
//! even if every position of a world shares one tick; where a few do, it costs what a linked list would.

use super::super::PositionId;

/// No position.
pub(super) const NONE: u32 = u32::MAX;

/// Set in `before` of a root; the other bits are its place.
const ROOT: u32 = 1 << 31;

/// The links of one position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Node {
    /// The last child that was added.
    child: u32,
    /// The next child of the same parent.
    next: u32,
    /// The parent of a first child, the child before of another, the place of a root with `ROOT`, `NONE` if it is in no heap.
    before: u32,
}

const ABSENT: Node = Node { child: NONE, next: NONE, before: NONE };

/// What taking a position out changed.
pub(super) enum Removed {
    /// Something below a root.
    Inside,
    /// The root at a place: this position is the new one, or `NONE`.
    Root { place: u32, heir: u32 },
}

/// All heaps of an index. A heap is known by its root, the earliest position, which its caller keeps at a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Heaps {
    nodes: Vec<Node>,
}

impl Heaps {
    /// Adds a position to the heap with a root, or to none, and returns the new root.
    #[inline]
    pub(super) fn insert(&mut self, position: PositionId, root: u32, place: u32) -> u32 {
        let new = position.0;
        if new as usize >= self.nodes.len() {
            self.grow(new);
        }
        debug_assert_eq!(self.nodes[new as usize], ABSENT, "a position is in the index once");
        if root == NONE {
            self.nodes[new as usize].before = place | ROOT;
            return new;
        }
        if new < root {
            self.nodes[new as usize] = Node { child: root, next: NONE, before: place | ROOT };
            self.nodes[root as usize].before = new;
            return new;
        }
        self.adopt(root, new);
        root
    }

    /// Takes a position out of its heap.
    #[inline]
    pub(super) fn remove(&mut self, position: PositionId) -> Removed {
        let node = std::mem::replace(&mut self.nodes[position.0 as usize], ABSENT);
        debug_assert_ne!(node.before, NONE, "a position that is removed is in the index");
        let heir = if node.child == NONE { NONE } else { self.merge(node.child) };
        if node.before & ROOT != 0 {
            if heir != NONE {
                let top = &mut self.nodes[heir as usize];
                (top.next, top.before) = (NONE, node.before);
            }
            return Removed::Root { place: node.before & !ROOT, heir };
        }
        let mut follower = node.next;
        if heir != NONE {
            let top = &mut self.nodes[heir as usize];
            (top.next, top.before) = (node.next, node.before);
            follower = heir;
        }
        if node.next != NONE {
            self.nodes[node.next as usize].before = if heir == NONE { node.before } else { heir };
        }
        let before = &mut self.nodes[node.before as usize];
        if before.child == position.0 {
            before.child = follower;
        } else {
            before.next = follower;
        }
        Removed::Inside
    }

    /// Returns the bytes that are reserved.
    pub(super) fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }

    #[cold]
    fn grow(&mut self, position: u32) {
        assert!(position < ROOT, "fewer than 2^31 positions");
        self.nodes.resize(position as usize + 1, ABSENT);
    }

    /// Makes one heap of siblings: pairs them from left to right, then joins the pairs from right to left.
    fn merge(&mut self, first: u32) -> u32 {
        let (mut at, mut pairs) = (first, NONE);
        while at != NONE {
            let left = at;
            let right = self.nodes[left as usize].next;
            let winner = if right == NONE {
                at = NONE;
                left
            } else {
                at = self.nodes[right as usize].next;
                self.meld(left, right)
            };
            self.nodes[winner as usize].next = pairs;
            pairs = winner;
        }
        let mut root = pairs;
        at = self.nodes[root as usize].next;
        while at != NONE {
            let pair = at;
            at = self.nodes[pair as usize].next;
            root = self.meld(root, pair);
        }
        root
    }

    /// Puts the later of two roots below the earlier one, which it returns.
    #[inline]
    fn meld(&mut self, one: u32, other: u32) -> u32 {
        let (parent, child) = if one < other { (one, other) } else { (other, one) };
        self.adopt(parent, child);
        parent
    }

    /// Puts a heap below a position that is earlier than all of it.
    #[inline]
    fn adopt(&mut self, parent: u32, child: u32) {
        let elder = std::mem::replace(&mut self.nodes[parent as usize].child, child);
        if elder != NONE {
            self.nodes[elder as usize].before = child;
        }
        let node = &mut self.nodes[child as usize];
        (node.next, node.before) = (elder, parent);
    }
}
