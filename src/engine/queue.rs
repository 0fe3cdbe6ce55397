//! The event queue: a total order by (time, sequence), so equal times leave in the order in which they came.

use crate::units::{MarketId, Time};
use crate::world::{Notice, Request};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// What is to happen, agents' timers apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// A message reaches its venue.
    Deliver { request: Request, cause: u64 },
    /// A fill reaches its agent.
    Fill(Notice),
    /// A fundamental value moves.
    Fundamental(MarketId),
    /// A shock strikes.
    Shock(u32),
    /// A market's index, premium and volatility are sampled, and funding is paid if it is due.
    Observe(MarketId),
}

/// What has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// An agent's timer; stale if the agent has asked anew since.
    Timer { agent: u32, timer: Timer },
    /// Something else.
    Item(Item),
}

/// One request of an agent to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Timer(u64);

/// When something is due, and what: small, since a heap moves its entries about. The order is that of the fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    time: Time,
    sequence: u64,
    /// The place of an item, or an agent with `TIMER` set.
    what: u32,
}

const TIMER: u32 = 1 << 31;

/// The queue. It allocates only while it grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// What is next, if it is known: a clock that alone is near goes on without the heap.
    front: Option<Entry>,
    heap: BinaryHeap<Reverse<Entry>>,
    items: Vec<Item>,
    /// Places in `items` whose item has left.
    free: Vec<u32>,
    pushed: u64,
}

impl Queue {
    pub(super) fn push(&mut self, time: Time, item: Item) {
        let place = if let Some(place) = self.free.pop() {
            self.items[place as usize] = item;
            place
        } else {
            self.items.push(item);
            self.items.len() as u32 - 1
        };
        debug_assert_eq!(place & TIMER, 0);
        self.enter(time, place);
    }

    /// Sets a timer of an agent.
    #[inline(always)]
    pub(super) fn push_timer(&mut self, time: Time, agent: u32) -> Timer {
        self.enter(time, agent | TIMER);
        Timer(self.pushed)
    }

    #[inline(always)]
    fn enter(&mut self, time: Time, what: u32) {
        self.pushed = self.pushed.wrapping_add(1);
        let entry = Entry { time, sequence: self.pushed, what };
        // What came before leaves first at equal times, so times alone tell.
        let is_first = match (self.front, self.heap.peek()) {
            (Some(front), _) if time < front.time => {
                self.heap.push(Reverse(front));
                true
            }
            (Some(_), _) => false,
            (None, top) => top.is_none_or(|top| time < top.0.time),
        };
        if is_first {
            self.front = Some(entry);
        } else {
            self.heap.push(Reverse(entry));
        }
    }

    /// Takes what is next if it is due at or before `until`.
    #[inline(always)]
    pub(super) fn pop_until(&mut self, until: Time) -> Option<(Time, Due)> {
        let Entry { time, sequence, what } = match self.front {
            Some(front) if front.time > until => return None,
            Some(front) => {
                self.front = None;
                front
            }
            None => {
                let top = self.heap.peek_mut()?;
                if top.0.time > until {
                    return None;
                }
                PeekMut::pop(top).0
            }
        };
        if what & TIMER != 0 {
            return Some((time, Due::Timer { agent: what & !TIMER, timer: Timer(sequence) }));
        }
        self.free.push(what);
        Some((time, Due::Item(self.items[what as usize])))
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
        while let Some((_, Due::Item(Item::Shock(shock)))) = queue.pop_until(Time(5)) {
            order.push(shock);
        }
        assert_eq!(order, [1, 3, 4, 0, 2]);
    }

    /// Random pushes and pops against a sorted map.
    #[test]
    fn everything_leaves_in_the_order_of_time_and_arrival() {
        let mut queue = Queue::default();
        let mut expected = std::collections::BTreeSet::new();
        let (mut state, mut now, mut count) = (3_u64, 0, 0_u64);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = state >> 40;
            if draw % 2 == 0 || expected.is_empty() {
                let time = now + (draw >> 8) as i64 % 20;
                count += 1;
                if draw & 4 == 0 {
                    queue.push(Time(time), Item::Shock(count as u32));
                } else {
                    assert_eq!(queue.push_timer(Time(time), count as u32), Timer(count));
                }
                expected.insert((time, count));
            } else {
                let (time, number) = expected.pop_first().unwrap();
                assert!(queue.pop_until(Time(time - 1)).is_none());
                let (at, due) = queue.pop_until(Time(time)).unwrap();
                now = time;
                let due = match due {
                    Due::Timer { agent, .. } => agent,
                    Due::Item(Item::Shock(shock)) => shock,
                    Due::Item(other) => panic!("{other:?} was never pushed"),
                };
                assert_eq!((at, due), (Time(time), number as u32));
            }
        }
    }
}
