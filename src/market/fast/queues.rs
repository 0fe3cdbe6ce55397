//! The queues of orders at each level. Nothing here knows a price.
//!
//! A level is the head of a circular list of its orders and lies in the same array as they do, so that linking and
//! unlinking never ask whether there is a neighbour. The array grows by chunks of 64 nodes, all of them levels or all of
//! them orders. A node is half a cache line and holds all that is known of an order: a look-up by handle or id, a removal
//! and a trade wait for one line of it and check one bound. The next order to come gets the node that was freed last, which
//! is still at hand.

use super::super::{Handle, Owner, Place};
use super::NONE;
use super::array::Array;
use crate::units::{OrderId, Qty, Side};
use bytemuck::{Pod, Zeroable};
use prefetch_index::prefetch_index;

/// Nodes in a chunk.
const CHUNK: u32 = 64;

/// An order's word, from its lowest bit on: the number of its level, three flags, 36 bits of lots.
const LEVEL_BITS: u32 = 25;
const OLD: u64 = 1 << 25;
const REDUCE_ONLY: u64 = 1 << 26;
const SELLS: u64 = 1 << 27;
const LOTS_SHIFT: u32 = 28;

/// The number of an order's node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Slot(pub(super) u32);

impl Slot {
    /// Returns the number under which sinks know the order.
    #[inline(always)]
    pub(super) fn place(self) -> Place {
        Place(self.0)
    }
}

/// An order, or the head of a level.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(32))]
struct Node {
    /// Of an order, its lots, flags and the number of its level; of a level, its lots in all; of a free
    /// node, 0.
    word: u64,
    /// Who an order is. It stays when the order is gone, until the node is used again.
    id: u64,
    /// The order behind; of a level, its first; of a free node, the next free one.
    next: u32,
    /// The order before; of a level, its last.
    prev: u32,
    /// Whose it is.
    owner: u32,
    /// 0 of a level, else 1 and twice the number of orders that the node has been. A handle is the number of a node and
    /// its mark; a node that was two billion orders never is another, so that no handle can ever meet another's order.
    mark: u32,
}

/// Two nodes share a cache line and none lies across two.
const _: () = assert!(size_of::<Node>() == 32);

const UNUSED: Node = Node { next: NONE, prev: NONE, word: 0, id: 0, owner: 0, mark: FOR_ORDERS };

/// In the mark of every node that is for orders.
const FOR_ORDERS: u32 = 1;

impl Node {
    #[inline(always)]
    fn lots(self) -> Qty {
        Qty((self.word >> LOTS_SHIFT) as i64)
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
    /// It was flagged as old.
    pub(super) old: bool,
}

/// What a resting order traded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    pub(super) id: OrderId,
    pub(super) owner: Owner,
    pub(super) lots: Qty,
    /// What is left of it.
    pub(super) kept: Qty,
    /// It was flagged as old.
    pub(super) old: bool,
}

/// What a sweep leaves.
pub(super) struct Swept {
    /// Orders that are gone.
    pub(super) filled: usize,
    /// The queue is empty.
    pub(super) all: bool,
}

/// All queues of a book.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    nodes: Array<Node>,
    /// First of the free nodes, linked by `next`.
    free: u32,
    /// Nodes that are levels.
    levels: u32,
}

impl Queues {
    pub(super) const fn new() -> Self {
        Self { nodes: Array::new(), free: NONE, levels: 0 }
    }

    /// Adds a chunk of empty levels and returns the number of the first.
    #[cold]
    pub(super) fn add_levels(&mut self) -> u32 {
        let first = self.next_chunk();
        self.levels += CHUNK;
        let levels = first..first + CHUNK;
        self.nodes.extend(levels.map(|level| Node { next: level, prev: level, mark: 0, ..UNUSED }));
        first
    }

    #[cold]
    fn add_orders(&mut self) {
        let first = self.next_chunk();
        let end = first + CHUNK;
        let next = |slot| if slot + 1 < end { slot + 1 } else { NONE };
        self.nodes.extend((first..end).map(|slot| Node { next: next(slot), ..UNUSED }));
        self.free = first;
    }

    /// Returns the number of the first node of the next chunk.
    fn next_chunk(&self) -> u32 {
        let first = self.nodes.used();
        assert!(first < 1 << LEVEL_BITS, "a book holds at most {} orders and levels", 1 << LEVEL_BITS);
        first as u32
    }

    /// Returns the lots of a level.
    pub(super) fn total(&self, level: u32) -> Qty {
        Qty(self.nodes[level as usize].word as i64)
    }

    /// Puts an order at the end of a queue and tells whether it is the first there.
    #[inline(always)]
    pub(super) fn push(&mut self, level: u32, lots: Qty, badge: Badge) -> (Handle, bool) {
        let Badge { id, owner, side, reduce_only } = badge;
        let (slot, mark) = self.take_free();
        let nodes = &mut self.nodes[..];
        let head = &mut nodes[level as usize];
        let last = head.prev;
        head.prev = slot;
        head.word = head.word.wrapping_add(lots.0 as u64);
        nodes[last as usize].next = slot;
        let flags = (u64::from(reduce_only) * REDUCE_ONLY) | (side as u64 * SELLS);
        let word = (lots.0 as u64) << LOTS_SHIFT | flags | u64::from(level);
        nodes[slot as usize] = Node { next: level, prev: last, word, id: id.0, owner: owner.0, mark };
        (Handle(u64::from(mark) << 32 | u64::from(slot)), last == level)
    }

    /// Returns where a live order is.
    #[inline(always)]
    pub(super) fn slot(&self, handle: Handle) -> Option<Slot> {
        let slot = handle.0 as u32;
        let node = self.nodes.get(slot as usize)?;
        // No level has such a mark, so that not even a handle that somebody made up finds one.
        let same = node.mark == (handle.0 >> 32) as u32 | FOR_ORDERS;
        (same && node.word != 0).then_some(Slot(slot))
    }

    /// Returns the handle of a live order.
    #[inline(always)]
    pub(super) fn handle(&self, slot: Slot) -> Handle {
        Handle(u64::from(self.nodes[slot.0 as usize].mark) << 32 | u64::from(slot.0))
    }

    /// Returns the handle of the order at a place, if one lives there.
    pub(super) fn live_at(&self, slot: Slot) -> Option<Handle> {
        let node = self.nodes.get(slot.0 as usize)?;
        (node.mark & FOR_ORDERS != 0 && node.word != 0).then(|| self.handle(slot))
    }

    /// Tells whether an order with this id and owner lives there, whatever number a caller makes up.
    #[inline(always)]
    pub(super) fn is_at(&self, slot: Slot, id: OrderId, owner: Owner) -> bool {
        self.nodes.get(slot.0 as usize).is_some_and(|node| {
            node.id == id.0 && node.owner == owner.0 && node.word != 0 && node.mark & FOR_ORDERS != 0
        })
    }

    /// Tells whether the order that lives there, if it is a place at all, has this id.
    #[inline(always)]
    pub(super) fn has_id(&self, slot: Slot, id: OrderId) -> bool {
        self.nodes.get(slot.0 as usize).is_some_and(|node| node.id == id.0)
    }

    /// Flags a live order, so that its removal tells.
    pub(super) fn set_old(&mut self, slot: Slot) {
        self.nodes[slot.0 as usize].word |= OLD;
    }

    /// Returns the bytes that are set aside for nodes.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.bytes()
    }

    /// Returns how many nodes there are for orders, in use or not.
    pub(super) fn places(&self) -> usize {
        self.nodes.used() - self.levels as usize
    }

    #[inline(always)]
    pub(super) fn id(&self, slot: Slot) -> OrderId {
        OrderId(self.nodes[slot.0 as usize].id)
    }

    #[inline(always)]
    pub(super) fn badge(&self, slot: Slot) -> Badge {
        let Node { id, owner, word, .. } = self.nodes[slot.0 as usize];
        let side = if word & SELLS == 0 { Side::Buy } else { Side::Sell };
        Badge { id: OrderId(id), owner: Owner(owner), side, reduce_only: word & REDUCE_ONLY != 0 }
    }

    #[inline(always)]
    pub(super) fn lots(&self, slot: Slot) -> Qty {
        self.nodes[slot.0 as usize].lots()
    }

    pub(super) fn level(&self, slot: Slot) -> u32 {
        self.nodes[slot.0 as usize].level()
    }

    /// Has an order fetched into the cache.
    #[inline(always)]
    pub(super) fn fetch(&self, slot: Slot) {
        prefetch_index(&*self.nodes, slot.0 as usize);
    }

    /// Takes a live order out.
    #[inline(always)]
    pub(super) fn remove(&mut self, slot: Slot) -> Removed {
        let nodes = &mut self.nodes[..];
        let node = &mut nodes[slot.0 as usize];
        debug_assert_ne!(node.word, 0);
        let (next, prev, lots, level) = (node.next, node.prev, node.lots(), node.level());
        let old = node.word & OLD != 0;
        (node.next, node.word) = (self.free, 0);
        self.free = slot.0;
        nodes[next as usize].prev = prev;
        nodes[prev as usize].next = next;
        let head = &mut nodes[level as usize];
        head.word = head.word.wrapping_sub(lots.0 as u64);
        // In a longer queue the two neighbours differ.
        Removed { lots, level, last: next == prev, old }
    }

    /// Trades what is `left` of a taker with the front of a queue and hands every fill on, until nothing is left, the
    /// queue ends, or the next order is reduce-only or of an owner whom the taker may not meet. With the fill of an order that
    /// is gone then goes whose is next. Filled orders leave the list in one step.
    #[inline(always)]
    pub(super) fn sweep(
        &mut self,
        level: u32,
        shunned: Option<Owner>,
        left: &mut Qty,
        mut hand_on: impl FnMut(Slot, Fill, Option<(Slot, Owner)>),
    ) -> Swept {
        let nodes = &mut self.nodes[..];
        // One word to compare with: no owner has this number.
        let shunned = shunned.map_or(u64::MAX, |owner| u64::from(owner.0));
        let head = nodes[level as usize];
        let (mut at, mut last, mut count, mut rest) = (head.next, NONE, 0_usize, left.0 as u64);
        while at != level && rest != 0 {
            let slot = Slot(at);
            let node = &mut nodes[at as usize];
            let Node { id, owner, .. } = *node;
            if node.word & REDUCE_ONLY != 0 || u64::from(owner) == shunned {
                break;
            }
            let lots = node.lots().0 as u64;
            let filled = lots.min(rest);
            rest -= filled;
            let old = node.word & OLD != 0;
            let kept = Qty((lots - filled) as i64);
            let fill = Fill { id: OrderId(id), owner: Owner(owner), lots: Qty(filled as i64), kept, old };
            let mut next = None;
            if filled < lots {
                node.word -= filled << LOTS_SHIFT;
                // The next taker comes to the one behind after this, which is at hand.
                let behind = node.next;
                prefetch_index(&*nodes, behind as usize);
            } else {
                node.word = 0;
                last = at;
                at = node.next;
                count = count.wrapping_add(1);
                if at != level {
                    next = nodes.get(at as usize).map(|node| (Slot(at), Owner(node.owner)));
                }
            }
            hand_on(slot, fill, next);
        }
        nodes[level as usize].word = head.word.wrapping_sub(left.0 as u64 - rest);
        // That the new front still knows the last one would cost an instruction less, and the wait for its line.
        if last != NONE {
            nodes[last as usize].next = self.free;
            self.free = head.next;
            nodes[at as usize].prev = level;
            nodes[level as usize].next = at;
        }
        *left = Qty(rest as i64);
        Swept { filled: count, all: at == level }
    }

    /// Sets the lots of an order to fewer than it has.
    #[inline(always)]
    pub(super) fn reduce(&mut self, slot: Slot, to: Qty) {
        let node = &mut self.nodes[slot.0 as usize];
        let cut = (node.lots() - to).0 as u64;
        node.word -= cut << LOTS_SHIFT;
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

    /// Takes a node off the free list, and returns its new mark.
    #[inline(always)]
    fn take_free(&mut self) -> (u32, u32) {
        loop {
            let slot = self.free;
            let Some(node) = self.nodes.get(slot as usize) else {
                self.add_orders();
                continue;
            };
            self.free = node.next;
            // A node whose count is full is given up here.
            if let Some(mark) = node.mark.checked_add(2) {
                return (slot, mark);
            }
        }
    }
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
        let first = queues.push(0, Qty(5), BADGE).0;
        let slot = queues.slot(first).unwrap();
        assert!(queues.remove(slot).last);
        let second = queues.push(0, Qty(5), BADGE).0;
        assert_eq!(queues.slot(second), Some(slot));
        assert_eq!(queues.slot(first), None);
    }

    #[test]
    fn a_worn_out_place_is_given_up() {
        let mut queues = one_level();
        let slot = Slot(queues.push(0, Qty(5), BADGE).0.0 as u32);
        queues.remove(slot);
        queues.nodes[slot.0 as usize].mark = u32::MAX - 2;
        let last = queues.push(0, Qty(5), BADGE).0;
        assert_eq!(queues.slot(last), Some(slot));
        queues.remove(slot);
        assert_eq!(queues.nodes[slot.0 as usize].mark, u32::MAX);
        let next = queues.push(0, Qty(5), BADGE).0;
        assert_ne!(queues.slot(next), Some(slot));
        assert_eq!(queues.slot(last), None);
    }

    #[test]
    fn no_made_up_handle_finds_a_level_or_a_free_place() {
        let mut queues = one_level();
        let gone = queues.push(0, Qty(5), BADGE).0;
        let slot = queues.slot(gone).unwrap();
        queues.remove(slot);
        for number in 0..=queues.nodes.len() as u64 {
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
        let swept =
            queues.sweep(0, Some(Owner(9)), &mut left, |_, fill, _| seen.push((fill.id.0, fill.lots.0)));
        assert_eq!(
            (swept.filled, swept.all, left, queues.total(0)),
            (2, false, Qty(95), Qty(2)),
            "stops at its owner's"
        );
        assert_eq!(seen, [(1, 2), (2, 3)]);
        let nodes = queues.nodes.len();
        queues.push(0, Qty(50), plain(5, 0));
        queues.push(0, Qty(1), Badge { reduce_only: true, ..plain(6, 0) });
        let (mut left, mut kept) = (Qty(51), Qty::ZERO);
        let swept = queues.sweep(0, Some(Owner(8)), &mut left, |_, fill, _| kept = fill.kept);
        assert_eq!((swept.filled, swept.all), (2, false), "takes part of a larger one");
        assert_eq!((left, kept, queues.total(0)), (Qty::ZERO, Qty(1), Qty(2)));
        let mut left = Qty(100);
        let swept = queues.sweep(0, Some(Owner(8)), &mut left, |_, _, _| {});
        assert_eq!((swept.filled, swept.all), (1, false), "stops at a reduce-only one");
        assert_eq!((left, queues.queue(0).count(), queues.nodes.len()), (Qty(99), 1, nodes));
    }
}
