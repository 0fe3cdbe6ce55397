//! One array for orders and levels: the links of the queues, and apart from them who an order belongs to. Nothing here
//! knows a price.
//!
//! A level's header is a node of the same array as its orders, the sentinel of their circular list, so linking and
//! unlinking never branch. The array grows by chunks of 64 nodes; a chunk is all headers (a page of the ladder) or all
//! orders. What a cancel or a resting order touches is 16 bytes; the other 16, the badge, are read when it trades.

use super::super::{Handle, Owner};
use crate::units::{OrderId, Side};

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// Nodes in a chunk.
pub(super) const CHUNK: u32 = 64;

/// Bits of a node's number; an order's quantity has the other 36 of its word.
const PLACE_BITS: u32 = 28;

/// The place of an order in its queue, or the header of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The next order in time; the first one, seen from a header.
    pub(super) next: u32,
    /// The order before; the last one, seen from a header.
    pub(super) prev: u32,
    /// Of an order, its lots and the number of its header; of a header, the lots of its level.
    word: u64,
}

impl Node {
    /// Returns the lots of an order.
    pub(super) fn lots(self) -> u64 {
        self.word >> PLACE_BITS
    }

    /// Returns the header of an order's level.
    pub(super) fn level(self) -> u32 {
        self.word as u32 & ((1 << PLACE_BITS) - 1)
    }

    /// Returns the lots of a header's level.
    pub(super) fn total(self) -> u64 {
        self.word
    }
}

/// Who an order is. A handle is the number of its node and its mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Badge {
    pub(super) id: OrderId,
    pub(super) owner: Owner,
    /// Flags, and above them how often the node was reused; of a free node or a header, without `LIVE`.
    mark: u32,
}

const SELLS: u32 = 1;
const REDUCE_ONLY: u32 = 2;
const LIVE: u32 = 4;
const FLAGS: u32 = SELLS | REDUCE_ONLY | LIVE;

impl Badge {
    const NOBODY: Self = Self { id: OrderId(0), owner: Owner(0), mark: 0 };

    pub(super) fn side(self) -> Side {
        if self.mark & SELLS == 0 { Side::Buy } else { Side::Sell }
    }

    pub(super) fn reduce_only(self) -> bool {
        self.mark & REDUCE_ONLY != 0
    }
}

/// The array of nodes.
#[derive(Clone, Debug)]
pub(super) struct Slab {
    pub(super) nodes: Vec<Node>,
    pub(super) badges: Vec<Badge>,
    /// First of the free order nodes, linked by `next`.
    free: u32,
}

impl Slab {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), badges: Vec::new(), free: NONE }
    }

    /// Adds a chunk of headers of empty levels and returns the first.
    #[cold]
    pub(super) fn add_headers(&mut self) -> u32 {
        let first = self.add_chunk();
        for header in first..first + CHUNK {
            self.nodes.push(Node { next: header, prev: header, word: 0 });
        }
        first
    }

    /// Puts an order at the end of a level's queue and returns its handle.
    #[inline]
    pub(super) fn link(
        &mut self,
        level: u32,
        lots: u64,
        side: Side,
        reduce_only: bool,
        who: (OrderId, Owner),
    ) -> Handle {
        let slot = self.take_free();
        let badge = &mut self.badges[slot as usize];
        debug_assert_eq!(badge.mark & FLAGS, 0, "the node is free");
        let mark = badge.mark | LIVE | (side as u32 * SELLS) | (u32::from(reduce_only) * REDUCE_ONLY);
        *badge = Badge { id: who.0, owner: who.1, mark };
        let header = &mut self.nodes[level as usize];
        let last = header.prev;
        header.prev = slot;
        header.word += lots;
        self.nodes[last as usize].next = slot;
        self.nodes[slot as usize] =
            Node { next: level, prev: last, word: lots << PLACE_BITS | u64::from(level) };
        Handle(u64::from(mark) << 32 | u64::from(slot))
    }

    /// Returns the node of a live order.
    #[inline]
    pub(super) fn slot(&self, handle: Handle) -> Option<u32> {
        let slot = handle.0 as u32;
        let badge = self.badges.get(slot as usize)?;
        // A free node's mark has no LIVE, so that not even an invented handle finds one.
        (badge.mark == (handle.0 >> 32) as u32 | LIVE).then_some(slot)
    }

    /// Returns the handle of a live order's node.
    pub(super) fn handle(&self, slot: u32) -> Handle {
        Handle(u64::from(self.badges[slot as usize].mark) << 32 | u64::from(slot))
    }

    /// Takes an order out of its queue, frees its node, and tells whether the level is now empty.
    #[inline]
    pub(super) fn unlink(&mut self, slot: u32) -> bool {
        let Node { next, prev, .. } = self.nodes[slot as usize];
        let node = self.nodes[slot as usize];
        self.nodes[next as usize].prev = prev;
        self.nodes[prev as usize].next = next;
        self.nodes[node.level() as usize].word -= node.lots();
        self.retire(slot);
        self.nodes[slot as usize].next = self.free;
        self.free = slot;
        next == prev && next == node.level()
    }

    /// Sets the lots of an order to fewer than it has.
    pub(super) fn reduce(&mut self, slot: u32, lots: u64) {
        let node = &mut self.nodes[slot as usize];
        let cut = node.lots() - lots;
        node.word -= cut << PLACE_BITS;
        let level = node.level();
        self.nodes[level as usize].word -= cut;
    }

    /// Makes every handle of an order's node stale, as it leaves the book.
    #[inline]
    pub(super) fn retire(&mut self, slot: u32) {
        let mark = &mut self.badges[slot as usize].mark;
        debug_assert!(*mark & LIVE != 0, "the order is live");
        // Carries over the flags into the count of reuses, or stays at the last count, which is never reused.
        *mark = (*mark | FLAGS).saturating_add(1) & !FLAGS;
    }

    /// Takes the orders of a level from its first to `last`, all retired, out of the queue in one step, `lots` in all.
    #[inline]
    pub(super) fn splice(&mut self, level: u32, last: u32, lots: u64) {
        let first = self.nodes[level as usize].next;
        let next = self.nodes[last as usize].next;
        self.nodes[last as usize].next = self.free;
        self.free = first;
        self.nodes[next as usize].prev = level;
        let header = &mut self.nodes[level as usize];
        header.next = next;
        header.word -= lots;
    }

    #[inline]
    fn take_free(&mut self) -> u32 {
        loop {
            if self.free == NONE {
                self.add_orders();
            }
            let slot = self.free;
            self.free = self.nodes[slot as usize].next;
            // After half a billion orders in one place its counter is used up, and the place is given up for good.
            if self.badges[slot as usize].mark != !FLAGS {
                return slot;
            }
        }
    }

    #[cold]
    fn add_orders(&mut self) {
        let first = self.add_chunk();
        for slot in first..first + CHUNK {
            self.nodes.push(Node { next: slot + 1, prev: NONE, word: 0 });
        }
        self.nodes[(first + CHUNK - 1) as usize].next = NONE;
        self.free = first;
    }

    fn add_chunk(&mut self) -> u32 {
        let first = self.nodes.len();
        assert!(first + (CHUNK as usize) < 1 << PLACE_BITS, "a book holds fewer than 2^{PLACE_BITS} nodes");
        self.badges.resize(first + CHUNK as usize, Badge::NOBODY);
        first as u32
    }
}
