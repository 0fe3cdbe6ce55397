//! Where the order of a live id is. Ids mostly ascend and most live orders are young, so neighbouring ids have
//! neighbouring entries in a table that the newest id sweeps like the hand of a clock: a coming order costs no cache miss.
//! An old order that stands where a new one comes moves to a hash table, and carries a flag that says so. Ids in any other
//! order are found as well, only not as fast. Nothing ever has to be cleaned up, and memory is asked for only when a book holds
//! more orders than ever before.

use super::array::Array;
use super::queues::{Queues, Slot};
use crate::units::OrderId;

/// The slot of an entry without an order.
const FREE: Slot = Slot(u32::MAX);

/// Entries for young orders for every place of an order: so many that few live to see the hand come round. With half of them
/// three times as many do in the benchmark's cascade; with twice as many a large calm book is slower.
const SPAN: usize = 8;

/// The most of them, where most ids that come belong to other books.
const SPAN_MAX: usize = 16;

/// Both tables. Every live order is in one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// The live ones, each at its id modulo the length: a power of two from 64 on, or none before the first order.
    young: Array<Slot>,
    old: Old,
    /// No greater id ever came.
    newest: u64,
}

impl Ids {
    /// Returns the bytes that are set aside for the young.
    pub(super) fn bytes(&self) -> usize {
        self.young.bytes()
    }

    /// Finds a live order.
    #[inline(always)]
    pub(super) fn find(&self, id: OrderId, queues: &Queues) -> Option<Slot> {
        let slot = *self.young.get(self.home(id))?;
        if queues.has_id(slot, id) { Some(slot) } else { self.old.find(id, queues) }
    }

    /// Tells whether an order with this id lives, and notes that the id came.
    #[inline(always)]
    pub(super) fn meet(&mut self, id: OrderId, queues: &Queues) -> bool {
        if id.0 > self.newest {
            self.newest = id.0;
            return false;
        }
        self.find(id, queues).is_some()
    }

    /// Adds an order that rests now; none with its id does, and the id was met.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: OrderId, slot: Slot, queues: &mut Queues) {
        let home = self.home(id);
        match self.young.get_mut(home) {
            Some(entry) if *entry == FREE => *entry = slot,
            _ => self.make_room(id, slot, queues),
        }
    }

    /// Takes out an order that goes; the queues tell whether it is old.
    #[inline(always)]
    pub(super) fn remove(&mut self, id: OrderId, slot: Slot, old: bool) {
        if old {
            self.old.remove(id, slot);
        } else {
            let home = self.home(id);
            self.young[home] = FREE;
        }
    }

    /// Adds an order where another stands, which is old then.
    #[inline(never)]
    fn make_room(&mut self, id: OrderId, slot: Slot, queues: &mut Queues) {
        let places = queues.places();
        if self.young.len() < places * SPAN {
            self.resize((places * SPAN).next_power_of_two(), queues);
        }
        let home = self.home(id);
        let before = std::mem::replace(&mut self.young[home], slot);
        if before == FREE {
            return;
        }
        queues.set_old(before);
        let grown = self.old.insert(queues.id(before), before);
        // The old are more than ever.
        if grown && self.old.count * 2 > places && self.young.len() < places * SPAN_MAX {
            self.resize(self.young.len() * 2, queues);
        }
    }

    /// Makes a larger table of the young; their homes differ in it as they did before.
    #[cold]
    fn resize(&mut self, size: usize, queues: &Queues) {
        let young = std::mem::replace(&mut self.young, Array::filled(size, FREE));
        for slot in young.iter().copied().filter(|slot| *slot != FREE) {
            let home = self.home(queues.id(slot));
            self.young[home] = slot;
        }
    }

    #[inline(always)]
    fn home(&self, id: OrderId) -> usize {
        id.0 as usize & self.young.len().wrapping_sub(1)
    }
}

/// The old: an open-addressing table with linear probing.
#[derive(Clone, Debug, Default)]
struct Old {
    /// A power of two, or none before the first order. Some are always free, so that every search ends.
    entries: Vec<Entry>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The low half of an id, from which the entry's home follows.
    tag: u32,
    slot: Slot,
}

const NOBODY: Entry = Entry { tag: 0, slot: FREE };

impl Old {
    #[inline(never)]
    fn find(&self, id: OrderId, queues: &Queues) -> Option<Slot> {
        let entry = self.search(id, |slot| queues.id(slot) == id)?;
        Some(self.entries[entry].slot)
    }

    /// Returns the first entry of an id that is the right one.
    #[inline(always)]
    fn search(&self, id: OrderId, is_right: impl Fn(Slot) -> bool) -> Option<usize> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut place = self.home(id.0 as u32);
        loop {
            let Entry { tag, slot } = self.entries[place];
            if slot == FREE {
                return None;
            }
            if tag == id.0 as u32 && is_right(slot) {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds an order and tells whether the table had to grow.
    fn insert(&mut self, id: OrderId, slot: Slot) -> bool {
        // Long searches begin well before a table is full.
        let full = self.count * 8 >= self.entries.len() * 5;
        if full {
            let size = (self.entries.len() * 2).max(64);
            for Entry { tag, slot } in std::mem::replace(&mut self.entries, vec![NOBODY; size]) {
                if slot != FREE {
                    self.put(tag, slot);
                }
            }
        }
        self.put(id.0 as u32, slot);
        self.count += 1;
        full
    }

    fn put(&mut self, tag: u32, slot: Slot) {
        let mask = self.entries.len() - 1;
        let mut place = self.home(tag);
        while self.entries[place].slot != FREE {
            place = (place + 1) & mask;
        }
        self.entries[place] = Entry { tag, slot };
    }

    /// Takes an order out and closes the gap, so that no search stops there too soon (Knuth 6.4, algorithm R).
    #[inline(never)]
    fn remove(&mut self, id: OrderId, slot: Slot) {
        let Some(mut gap) = self.search(id, |other| other == slot) else { return };
        let mask = self.entries.len() - 1;
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let entry = self.entries[place];
            if entry.slot == FREE {
                break;
            }
            // It may move to the gap if that does not lie before its home.
            let home = self.home(entry.tag);
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(gap) & mask {
                self.entries[gap] = entry;
                gap = place;
            }
        }
        self.entries[gap] = NOBODY;
        self.count -= 1;
    }

    /// Fibonacci hashing (Knuth 6.4): consecutive ids spread evenly.
    fn home(&self, tag: u32) -> usize {
        let bits = self.entries.len().trailing_zeros();
        (u64::from(tag.wrapping_mul(0x9E37_79B9)) << bits >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::market::Owner;
    use crate::market::fast::queues::Badge;
    use crate::units::{Qty, Side};

    /// A table and the orders that it is about, compared with a sorted map after each step.
    struct Desk {
        ids: Ids,
        queues: Queues,
        level: u32,
        live: BTreeMap<OrderId, Slot>,
    }

    impl Desk {
        fn new() -> Self {
            let mut queues = Queues::new();
            let level = queues.add_levels();
            Self { ids: Ids::default(), queues, level, live: BTreeMap::new() }
        }

        fn come(&mut self, id: OrderId) {
            let badge = Badge { id, owner: Owner(0), side: Side::Buy, reduce_only: false };
            assert_eq!(self.ids.meet(id, &self.queues), self.live.contains_key(&id));
            let slot = Slot(self.queues.push(self.level, Qty(1), badge).0.0 as u32);
            self.ids.insert(id, slot, &mut self.queues);
            self.live.insert(id, slot);
            assert_eq!(self.ids.find(id, &self.queues), Some(slot));
        }

        fn go(&mut self, id: OrderId) {
            let slot = self.live.remove(&id).expect("it lives");
            assert_eq!(self.ids.find(id, &self.queues), Some(slot));
            let old = self.queues.remove(slot).old;
            self.ids.remove(id, slot, old);
            assert_eq!(self.ids.find(id, &self.queues), None);
        }

        fn check(&self) {
            for (id, slot) in &self.live {
                assert_eq!(self.ids.find(*id, &self.queues), Some(*slot));
            }
            let young = self.ids.young.iter().filter(|slot| **slot != FREE).count();
            let old = self.ids.old.entries.iter().filter(|entry| entry.slot != FREE).count();
            assert_eq!((young + old, old), (self.live.len(), self.ids.old.count));
        }
    }

    #[test]
    fn any_ids_that_come_and_go_are_found() {
        let mut seed = 1_u64;
        let mut draw = move |below: u64| {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (seed >> 33) % below
        };
        // Ascending, far apart, all at one home, at random among few, with one low half.
        let ids: [fn(u64, u64) -> u64; 5] = [
            |count, _| count,
            |count, drawn| count * 9 + drawn % 9,
            |count, _| count << 20,
            |_, drawn| drawn % 1500,
            |count, drawn| (count << 32) + drawn % 3,
        ];
        for id in ids {
            let mut desk = Desk::new();
            for count in 0..20_000 {
                let id = OrderId(id(count, draw(1 << 30)));
                if !desk.live.contains_key(&id) {
                    desk.come(id);
                }
                while desk.live.len() > 500 {
                    let from = OrderId(draw(id.0 + 1));
                    let id = desk
                        .live
                        .range(from..)
                        .next()
                        .map_or_else(|| desk.live.keys().next(), |(id, _)| Some(id));
                    desk.go(*id.expect("there are 500"));
                }
                if count % 512 == 0 {
                    desk.check();
                }
            }
            assert!(desk.ids.young.len() <= 512 * SPAN_MAX * 2, "{} young", desk.ids.young.len());
            assert!(desk.ids.old.entries.len() <= 2048, "{} old", desk.ids.old.entries.len());
        }
    }
}
