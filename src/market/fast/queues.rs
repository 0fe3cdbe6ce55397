//! The queues of orders at each level. Nothing here knows a price.
//!
//! A level is the head of a circular list of its orders and lies in the same array as they do, so that linking and
//! unlinking never ask whether there is a neighbour. The array grows by chunks of 64 nodes, all of them levels or all of
//! them orders. A node is half a cache line and holds all of an order: taking one out touches its own line and two
//! neighbours', and the next order to come gets the node that was freed last, which is still at hand.

use super::super::{Handle, Owner, Place};
use super::NONE;
use crate::units::{OrderId, Qty, Side};

/// Nodes in a chunk.
const CHUNK: u32 = 64;

/// Bits of the number of a level; an order's lots have the other 36 of its word.
const LEVEL_BITS: u32 = 28;

/// The number of an order's node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot(pub(super) u32);

impl Slot {
    /// Returns the number under which sinks know the order.
    #[inline(always)]
    pub(super) fn place(self) -> Place {
        Place(self.0)
    }
}

/// An order, or the head of a level.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Node {
    /// The order behind; of a level, its first.
    next: u32,
    /// The order before; of a level, its last.
    prev: u32,
    /// Of an order, its lots and the number of its level; of a level, its lots in all.
    word: u64,
    id: OrderId,
    owner: Owner,
    /// Flags, and above them how often the node was used. A handle is the number of a node and its mark.
    mark: u32,
}

/// Two nodes share a cache line and none lies across two.
const _: () = assert!(size_of::<Node>() == 32);

const UNUSED: Node = Node { next: NONE, prev: NONE, word: 0, id: OrderId(0), owner: Owner(0), mark: 0 };

const LIVE: u32 = 1;
const REDUCE_ONLY: u32 = 2;
const SELLS: u32 = 4;
const FLAGS: u32 = LIVE | REDUCE_ONLY | SELLS;
/// The mark of a free node that was used half a billion times and never is again, so that no handle can ever meet
/// another's order.
const WORN_OUT: u32 = !FLAGS;

impl Node {
    #[inline(always)]
    fn lots(self) -> Qty {
        Qty((self.word >> LEVEL_BITS) as i64)
    }

    #[inline(always)]
    fn level(self) -> u32 {
        self.word as u32 & ((1 << LEVEL_BITS) - 1)
    }
}

/// Who an order is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Badge {
    pub(super) id: OrderId,
    pub(super) owner: Owner,
    pub(super) side: Side,
    pub(super) reduce_only: bool,
}

/// What a removal leaves.
pub(super) struct Removed {
    pub(super) lots: Qty,
    pub(super) level: u32,
    /// It was the last order of its level.
    pub(super) last: bool,
}

/// All queues of a book.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    nodes: Vec<Node>,
    /// First of the free nodes, linked by `next`.
    free: u32,
}

impl Queues {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), free: NONE }
    }

    /// Adds a chunk of empty levels and returns the number of the first.
    #[cold]
    pub(super) fn add_levels(&mut self) -> u32 {
        let first = self.room();
        for level in first..first + CHUNK {
            self.nodes.push(Node { next: level, prev: level, ..UNUSED });
        }
        first
    }

    /// Returns the lots of a level.
    pub(super) fn total(&self, level: u32) -> Qty {
        Qty(self.nodes[level as usize].word as i64)
    }

    /// Puts an order at the end of a queue.
    #[inline(always)]
    pub(super) fn push(&mut self, level: u32, lots: Qty, badge: Badge) -> Handle {
        let slot = self.take_free();
        let nodes = &mut self.nodes[..];
        let head = &mut nodes[level as usize];
        let last = head.prev;
        head.prev = slot;
        head.word += lots.0 as u64;
        nodes[last as usize].next = slot;
        let node = &mut nodes[slot as usize];
        let mark =
            node.mark | LIVE | (u32::from(badge.reduce_only) * REDUCE_ONLY) | (badge.side as u32 * SELLS);
        node.next = level;
        node.prev = last;
        node.word = (lots.0 as u64) << LEVEL_BITS | u64::from(level);
        node.id = badge.id;
        node.owner = badge.owner;
        node.mark = mark;
        Handle(u64::from(mark) << 32 | u64::from(slot))
    }

    /// Returns where a live order is.
    #[inline(always)]
    pub(super) fn slot(&self, handle: Handle) -> Option<Slot> {
        let slot = handle.0 as u32;
        let mark = self.nodes.get(slot as usize)?.mark;
        // The mark of a free node is not live, so that not even a handle that somebody made up finds one.
        (mark == (handle.0 >> 32) as u32 | LIVE).then_some(Slot(slot))
    }

    /// Returns the handle of a live order.
    pub(super) fn handle(&self, slot: Slot) -> Handle {
        Handle(u64::from(self.nodes[slot.0 as usize].mark) << 32 | u64::from(slot.0))
    }

    /// Returns the handle of the order at a place, if one lives there.
    pub(super) fn live_at(&self, slot: Slot) -> Option<Handle> {
        let node = self.nodes.get(slot.0 as usize)?;
        (node.mark & LIVE != 0).then(|| self.handle(slot))
    }

    /// Tells whether an order with this id lives there.
    #[inline(always)]
    pub(super) fn lives(&self, slot: Slot, id: OrderId) -> bool {
        let node = &self.nodes[slot.0 as usize];
        node.id == id && node.mark & LIVE != 0
    }

    /// Returns how many nodes there are, in use or not.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Iterates over all live orders, in no order that means anything.
    pub(super) fn live(&self) -> impl Iterator<Item = (OrderId, Slot)> + '_ {
        (0..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.mark & LIVE != 0)
            .map(|(slot, node)| (node.id, Slot(slot)))
    }

    #[inline(always)]
    pub(super) fn badge(&self, slot: Slot) -> Badge {
        let Node { id, owner, mark, .. } = self.nodes[slot.0 as usize];
        let side = if mark & SELLS == 0 { Side::Buy } else { Side::Sell };
        Badge { id, owner, side, reduce_only: mark & REDUCE_ONLY != 0 }
    }

    #[inline(always)]
    pub(super) fn lots(&self, slot: Slot) -> Qty {
        self.nodes[slot.0 as usize].lots()
    }

    pub(super) fn level(&self, slot: Slot) -> u32 {
        self.nodes[slot.0 as usize].level()
    }

    /// Takes a live order out.
    #[inline(always)]
    pub(super) fn remove(&mut self, slot: Slot) -> Removed {
        let nodes = &mut self.nodes[..];
        let node = &mut nodes[slot.0 as usize];
        debug_assert_eq!(node.mark & LIVE, LIVE);
        let (next, prev, lots, level) = (node.next, node.prev, node.lots(), node.level());
        node.mark = retired(node.mark);
        node.next = self.free;
        self.free = slot.0;
        nodes[next as usize].prev = prev;
        nodes[prev as usize].next = next;
        nodes[level as usize].word -= lots.0 as u64;
        Removed { lots, level, last: next == prev && next == level }
    }

    /// Takes orders out of the front of a queue and hands them on, for as long as the next is not larger than what is
    /// `left`, is not reduce-only and is not `owner`'s. Returns how many went; they leave the list in one step.
    #[inline(always)]
    pub(super) fn sweep(
        &mut self,
        level: u32,
        owner: Owner,
        left: &mut Qty,
        mut hand_on: impl FnMut(Slot, OrderId, Owner, Qty),
    ) -> usize {
        let nodes = &mut self.nodes[..];
        let head = nodes[level as usize];
        let (mut at, mut last, mut count, mut rest) = (head.next, NONE, 0, left.0 as u64);
        // The list is a chain of cache misses. Reading it from its other end at the same time is a second chain, whose
        // misses overlap with the first one's: a long queue is half in the cache when its middle is reached.
        let mut back = head.prev;
        while at != level {
            let node = &mut nodes[at as usize];
            let lots = node.lots().0 as u64;
            if lots > rest || node.owner == owner || node.mark & REDUCE_ONLY != 0 {
                break;
            }
            rest -= lots;
            count += 1;
            node.mark = retired(node.mark);
            let (id, owner) = (node.id, node.owner);
            last = at;
            let slot = Slot(at);
            at = node.next;
            back = nodes[back as usize].prev;
            hand_on(slot, id, owner, Qty(lots as i64));
        }
        std::hint::black_box(back);
        if last != NONE {
            nodes[last as usize].next = self.free;
            self.free = head.next;
            nodes[at as usize].prev = level;
            let head = &mut nodes[level as usize];
            head.next = at;
            head.word -= left.0 as u64 - rest;
            *left = Qty(rest as i64);
        }
        count
    }

    /// Tells whether a level has no order.
    #[inline(always)]
    pub(super) fn is_empty(&self, level: u32) -> bool {
        self.nodes[level as usize].next == level
    }

    /// Sets the lots of an order to fewer than it has.
    #[inline(always)]
    pub(super) fn reduce(&mut self, slot: Slot, to: Qty) {
        let node = &mut self.nodes[slot.0 as usize];
        let cut = (node.lots() - to).0 as u64;
        node.word -= cut << LEVEL_BITS;
        let level = node.level();
        self.nodes[level as usize].word -= cut;
    }

    /// Returns the first order of a level that has one.
    #[inline(always)]
    pub(super) fn first(&self, level: u32) -> Slot {
        Slot(self.nodes[level as usize].next)
    }

    /// Iterates over the orders of a level in order of time.
    pub(super) fn queue(&self, level: u32) -> impl Iterator<Item = Slot> + '_ {
        let behind = move |node: u32| {
            let next = self.nodes[node as usize].next;
            (next != level).then_some(Slot(next))
        };
        std::iter::successors(behind(level), move |slot| behind(slot.0))
    }

    #[inline(always)]
    fn take_free(&mut self) -> u32 {
        loop {
            if self.free == NONE {
                self.add_orders();
            }
            let slot = self.free;
            let node = &self.nodes[slot as usize];
            self.free = node.next;
            if node.mark != WORN_OUT {
                return slot;
            }
        }
    }

    #[cold]
    fn add_orders(&mut self) {
        let first = self.room();
        self.nodes.extend((first + 1..first + CHUNK).map(|next| Node { next, ..UNUSED }));
        self.nodes.push(UNUSED);
        self.free = first;
    }

    /// Returns the number of the next chunk's first node.
    fn room(&self) -> u32 {
        let first = self.nodes.len();
        assert!(first < 1 << LEVEL_BITS, "a book holds at most {} orders and levels", 1 << LEVEL_BITS);
        first as u32
    }
}

/// Returns the mark of a node whose order has gone: the flags carry over into the count of uses.
#[inline(always)]
fn retired(mark: u32) -> u32 {
    debug_assert_eq!(mark & LIVE, LIVE, "the order lives");
    (mark | FLAGS) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const BADGE: Badge = Badge { id: OrderId(7), owner: Owner(3), side: Side::Sell, reduce_only: true };

    fn one_level() -> Queues {
        let mut queues = Queues::new();
        assert_eq!(queues.add_levels(), 0);
        queues
    }

    #[test]
    fn a_place_is_used_again_under_another_handle() {
        let mut queues = one_level();
        let first = queues.push(0, Qty(5), BADGE);
        let slot = queues.slot(first).unwrap();
        assert!(queues.remove(slot).last);
        let second = queues.push(0, Qty(5), BADGE);
        assert_eq!(queues.slot(second), Some(slot));
        assert_eq!(queues.slot(first), None);
    }

    #[test]
    fn a_worn_out_place_is_given_up() {
        let mut queues = one_level();
        let slot = Slot(queues.push(0, Qty(5), BADGE).0 as u32);
        queues.remove(slot);
        queues.nodes[slot.0 as usize].mark = WORN_OUT - FLAGS - 1;
        let last = queues.push(0, Qty(5), BADGE);
        assert_eq!(queues.slot(last), Some(slot));
        queues.remove(slot);
        assert_eq!(queues.nodes[slot.0 as usize].mark, WORN_OUT);
        let next = queues.push(0, Qty(5), BADGE);
        assert_ne!(queues.slot(next), Some(slot));
        assert_eq!(queues.slot(last), None);
    }

    #[test]
    fn no_made_up_handle_finds_a_level_or_a_free_place() {
        let mut queues = one_level();
        let gone = queues.push(0, Qty(5), BADGE);
        let slot = queues.slot(gone).unwrap();
        queues.remove(slot);
        for number in 0..=queues.nodes() as u64 {
            for mark in 0..64_u64 {
                assert_eq!(queues.slot(Handle(mark << 32 | number)), None);
            }
        }
    }

    #[test]
    fn a_sweep_stops_where_it_must_and_frees_what_it_took() {
        let mut queues = one_level();
        let plain =
            |id, owner| Badge { id: OrderId(id), owner: Owner(owner), side: Side::Buy, reduce_only: false };
        for (id, owner, lots) in [(1, 0, 2), (2, 0, 3), (3, 9, 1), (4, 0, 1)] {
            queues.push(0, Qty(lots), plain(id, owner));
        }
        let mut left = Qty(100);
        let mut seen = Vec::new();
        let count = queues.sweep(0, Owner(9), &mut left, |_, id, _, lots| seen.push((id.0, lots.0)));
        assert_eq!((count, left, queues.total(0)), (2, Qty(95), Qty(2)), "stops at its owner's");
        assert_eq!(seen, [(1, 2), (2, 3)]);
        let nodes = queues.nodes();
        queues.push(0, Qty(50), plain(5, 0));
        queues.push(0, Qty(1), Badge { reduce_only: true, ..plain(6, 0) });
        let mut left = Qty(51);
        assert_eq!(queues.sweep(0, Owner(8), &mut left, |_, _, _, _| {}), 2, "stops at a larger one");
        assert_eq!((left, queues.total(0)), (Qty(49), Qty(51)));
        let mut left = Qty(100);
        assert_eq!(queues.sweep(0, Owner(8), &mut left, |_, _, _, _| {}), 1, "stops at a reduce-only one");
        assert_eq!((left, queues.queue(0).count(), queues.nodes()), (Qty(50), 1, nodes));
    }
}
