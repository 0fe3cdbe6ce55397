//! The event queue: a total order by (time, sequence), so equal times leave in the order in which they came.

use crate::units::{MarketId, Time};
use crate::world::{Notice, Request};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// An agent's timer; stale if the agent has asked anew since.
    Wake { agent: u32, epoch: u64 },
    /// A message reaches its venue.
    Deliver { request: Request, cause: u64 },
    /// A fill reaches its agent.
    Fill(Notice),
    /// A fundamental value moves.
    Fundamental(MarketId),
    /// A shock strikes.
    Shock(u32),
}

/// When an item is due, and where it lies: small, since a heap moves its entries about. The order is that of the fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    time: Time,
    sequence: u64,
    slot: u32,
}

/// The queue. It allocates only while it grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    items: Vec<Item>,
    /// Places in `items` whose item has left.
    free: Vec<u32>,
    pushed: u64,
}

impl Queue {
    pub(super) fn push(&mut self, time: Time, item: Item) {
        self.pushed += 1;
        let slot = if let Some(slot) = self.free.pop() {
            self.items[slot as usize] = item;
            slot
        } else {
            self.items.push(item);
            self.items.len() as u32 - 1
        };
        self.heap.push(Reverse(Entry { time, sequence: self.pushed, slot }));
    }

    /// Takes the next item if it is due at or before `until`.
    pub(super) fn pop_until(&mut self, until: Time) -> Option<(Time, Item)> {
        let next = self.heap.peek_mut()?;
        if next.0.time > until {
            return None;
        }
        let Reverse(Entry { time, slot, .. }) = PeekMut::pop(next);
        self.free.push(slot);
        Some((time, self.items[slot as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_leave_in_the_order_in_which_they_came() {
        let mut queue = Queue::default();
        for (time, shock) in [(5, 0), (3, 1), (5, 2), (3, 3), (4, 4)] {
            queue.push(Time(time), Item::Shock(shock));
        }
        assert!(queue.pop_until(Time(2)).is_none());
        let mut order = Vec::new();
        while let Some((_, Item::Shock(shock))) = queue.pop_until(Time(5)) {
            order.push(shock);
        }
        assert_eq!(order, [1, 3, 4, 0, 2]);
    }
}
