//! The positions of a tick in the order of their ids: pairing heaps (Fredman, Sedgewick, Sleator, Tarjan 1986) whose links
//! lie in one array by position. Nothing here knows a tick.
//!
//! A tick has a list of heaps, most of which are one position; only when its turn comes does `merge` make one heap of
//! them. So a position comes and goes like one of a linked list, and yet the earliest of a crowd costs the logarithm of its
//! size on average over all operations, even if every position of a world shares one tick. A position is its own key: to
//! compare two of them reads no memory.

use super::super::PositionId;

/// No position. Position p is number p + 1, and node 0 takes the writes that are meant for nobody, so that linking has no
/// branch for the end of a list.
pub(super) const NONE: u32 = 0;

/// Set in `before` of the first of a list; the other bits are its place.
const FIRST: u32 = 1 << 31;

/// The links of one position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Node {
    /// The first of its children, which are later than it is.
    child: u32,
    /// The next of the same list, or of the children of the same parent.
    next: u32,
    /// The one before, the parent of a first child, or the place of the first of a list.
    before: u32,
}

const ABSENT: Node = Node { child: NONE, next: NONE, before: NONE };

/// A position leaves the inside of a list or heap, or a place, where another (or `NONE`) is first from then on.
pub(super) enum Removed {
    Inside,
    First { place: u32, follower: u32 },
}

/// The lists of all ticks. A list is known by its first number, which its caller keeps at a place.
#[derive(Clone, Debug)]
pub(super) struct Heaps {
    nodes: Vec<Node>,
}

impl Heaps {
    pub(super) fn new() -> Self {
        Self { nodes: vec![ABSENT] }
    }

    /// Puts a position before a list and returns its number, which is the list's first.
    #[inline]
    pub(super) fn push(&mut self, position: PositionId, first: u32, place: u32) -> u32 {
        let new = self.number(position);
        self.nodes[first as usize].before = new;
        self.nodes[new as usize] = Node { child: NONE, next: first, before: place | FIRST };
        new
    }

    /// Adds a position to a list that is one heap, and returns the earliest number, which is the list's first.
    #[inline]
    pub(super) fn insert(&mut self, position: PositionId, root: u32, place: u32) -> u32 {
        let new = self.number(position);
        let first = self.meld(root, new);
        self.nodes[first as usize].before = place | FIRST;
        first
    }

    /// Makes one heap of a list and returns the earliest number, which is the list's first.
    pub(super) fn merge(&mut self, first: u32, place: u32) -> u32 {
        let root = self.join(first);
        let node = &mut self.nodes[root as usize];
        (node.next, node.before) = (NONE, place | FIRST);
        root
    }

    /// Takes a position out. Its children, as one heap, take its place.
    #[inline]
    pub(super) fn remove(&mut self, position: PositionId) -> Removed {
        let number = position.0 + 1;
        let node = std::mem::replace(&mut self.nodes[number as usize], ABSENT);
        debug_assert_ne!(node, ABSENT, "a position that is removed is in the index");
        let mut follower = node.next;
        if node.child != NONE {
            let heir = self.join(node.child);
            self.nodes[heir as usize].next = node.next;
            self.nodes[node.next as usize].before = heir;
            follower = heir;
        }
        self.nodes[follower as usize].before = node.before;
        if node.before & FIRST != 0 {
            return Removed::First { place: node.before & !FIRST, follower };
        }
        let before = &mut self.nodes[node.before as usize];
        if before.child == number {
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

    /// Returns the number of a position that is to be added.
    #[inline]
    fn number(&mut self, position: PositionId) -> u32 {
        if position.0 as usize + 1 >= self.nodes.len() {
            self.grow(position);
        }
        let number = position.0 + 1;
        debug_assert_eq!(self.nodes[number as usize], ABSENT, "a position is in the index once");
        number
    }

    #[cold]
    fn grow(&mut self, position: PositionId) {
        assert!(position.0 < FIRST - 1, "a number has 31 bits");
        self.nodes.resize(position.0 as usize + 2, ABSENT);
    }

    /// Makes one heap of a list: joins its members in pairs from left to right, then the pairs from right to left.
    fn join(&mut self, first: u32) -> u32 {
        let (mut at, mut pairs) = (first, NONE);
        while at != NONE {
            let left = at;
            let right = self.nodes[left as usize].next;
            let earlier = if right == NONE {
                at = NONE;
                left
            } else {
                at = self.nodes[right as usize].next;
                self.meld(left, right)
            };
            self.nodes[earlier as usize].next = pairs;
            pairs = earlier;
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

    /// Puts the later of two heaps below the earlier one, which it returns.
    #[inline]
    fn meld(&mut self, one: u32, other: u32) -> u32 {
        let (parent, child) = if one < other { (one, other) } else { (other, one) };
        let elder = std::mem::replace(&mut self.nodes[parent as usize].child, child);
        self.nodes[elder as usize].before = child;
        let node = &mut self.nodes[child as usize];
        (node.next, node.before) = (elder, parent);
        parent
    }
}
