//! The event queue: a total order by (time, sequence), so equal times leave in the order in which they came.

use crate::units::{MarketId, Time};
use crate::world::{Notice, Request};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: (Time, u64),
    item: Item,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    pushed: u64,
}

impl Queue {
    pub(super) fn push(&mut self, time: Time, item: Item) {
        self.pushed += 1;
        self.heap.push(Reverse(Entry { at: (time, self.pushed), item }));
    }

    /// Takes the next item if it is due at or before `until`.
    pub(super) fn pop_until(&mut self, until: Time) -> Option<(Time, Item)> {
        if self.heap.peek()?.0.at.0 > until {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at.0, entry.item))
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
