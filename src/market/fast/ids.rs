//! Where the order of a live id is: an open-addressing table. It is a guess that the queues confirm, so an order that
//! goes leaves its entry behind, and the table is made anew when too many of those have gathered.

use super::queues::{Queues, Slot};
use crate::units::OrderId;

/// An order that came, and may be gone.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The low half of its id, from which its home follows.
    tag: u32,
    slot: Slot,
}

const FREE: Entry = Entry { tag: 0, slot: Slot(u32::MAX) };

/// The table. Some places are always free, so that every search ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// A power of two, or none before the first order.
    entries: Vec<Entry>,
    taken: usize,
}

impl Ids {
    /// Finds a live order.
    #[inline(always)]
    pub(super) fn find(&self, id: OrderId, queues: &Queues) -> Option<Slot> {
        let mask = self.entries.len().checked_sub(1)?;
        let tag = id.0 as u32;
        let mut place = self.home(tag);
        loop {
            let entry = self.entries[place];
            if entry.slot == FREE.slot {
                return None;
            }
            if entry.tag == tag && queues.lives(entry.slot, id) {
                return Some(entry.slot);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds an order that rests now.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: OrderId, slot: Slot, queues: &Queues) {
        // Long searches begin well before a table is full.
        if self.taken * 8 >= self.entries.len() * 5 {
            self.renew(queues);
        } else {
            self.put(id, slot);
        }
    }

    #[inline(always)]
    fn put(&mut self, id: OrderId, slot: Slot) {
        let mask = self.entries.len() - 1;
        let tag = id.0 as u32;
        let mut place = self.home(tag);
        while self.entries[place].slot != FREE.slot {
            place = (place + 1) & mask;
        }
        self.entries[place] = Entry { tag, slot };
        self.taken += 1;
    }

    /// Makes the table anew from the orders that live. Its size follows the nodes that must be looked through for it, of
    /// which at most all live: so each time is paid for by nearly as many insertions before the next.
    #[cold]
    fn renew(&mut self, queues: &Queues) {
        let size = (queues.nodes() * 3).next_power_of_two();
        self.entries.clear();
        self.entries.resize(size, FREE);
        self.taken = 0;
        for (id, slot) in queues.live() {
            self.put(id, slot);
        }
    }

    /// Fibonacci hashing (Knuth 6.4): consecutive ids spread evenly.
    #[inline(always)]
    fn home(&self, tag: u32) -> usize {
        let bits = self.entries.len().trailing_zeros();
        (u64::from(tag.wrapping_mul(0x9E37_79B9)) << bits >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Owner;
    use crate::market::fast::queues::Badge;
    use crate::units::{Qty, Side};

    #[test]
    fn the_table_stays_small_while_orders_come_and_go() {
        let (mut ids, mut queues) = (Ids::default(), Queues::new());
        let level = queues.add_levels();
        let mut live = std::collections::VecDeque::new();
        for id in (0..200_000).map(OrderId) {
            let badge = Badge { id, owner: Owner(0), side: Side::Buy, reduce_only: false };
            let slot = Slot(queues.push(level, Qty(1), badge).0 as u32);
            ids.insert(id, slot, &queues);
            live.push_back((id, slot));
            assert_eq!(ids.find(id, &queues), Some(slot));
            if live.len() > 500 {
                let (old, slot) = live.pop_front().expect("there are 500");
                assert_eq!(ids.find(old, &queues), Some(slot));
                queues.remove(slot);
                assert_eq!(ids.find(old, &queues), None);
            }
        }
        assert!(ids.entries.len() <= 4096, "{} places for 500 orders", ids.entries.len());
    }

    #[test]
    fn ids_with_the_same_low_half_are_told_apart() {
        let (mut ids, mut queues) = (Ids::default(), Queues::new());
        let level = queues.add_levels();
        let both = [OrderId(5), OrderId(5 + (1 << 32))];
        let slots = both.map(|id| {
            let badge = Badge { id, owner: Owner(0), side: Side::Buy, reduce_only: false };
            let slot = Slot(queues.push(level, Qty(1), badge).0 as u32);
            ids.insert(id, slot, &queues);
            slot
        });
        assert_eq!(both.map(|id| ids.find(id, &queues)), slots.map(Some));
        queues.remove(slots[0]);
        assert_eq!(both.map(|id| ids.find(id, &queues)), [None, Some(slots[1])]);
    }
}
