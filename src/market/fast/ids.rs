//! Which node a live order's id lies at: an open-addressing table. It holds the low half of each id; the badges hold it
//! whole and decide.

use super::slab::{Badge, NONE};
use crate::units::OrderId;

/// A taken place holds a node; a free one holds `NONE`.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The low 32 bits of the id, from which its home follows.
    tag: u32,
    slot: u32,
}

const FREE: Entry = Entry { tag: 0, slot: NONE };

/// The table; at most half of it is taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    entries: Vec<Entry>,
    count: usize,
}

impl Ids {
    /// Finds the node of a live order.
    #[inline]
    pub(super) fn find(&self, id: OrderId, badges: &[Badge]) -> Option<u32> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut place = self.home(id.0 as u32);
        loop {
            let entry = self.entries[place];
            if entry.slot == NONE {
                return None;
            }
            if entry.tag == id.0 as u32 && badges[entry.slot as usize].id == id {
                return Some(entry.slot);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds an id that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, id: OrderId, slot: u32) {
        if self.count * 2 >= self.entries.len() {
            self.grow();
        }
        self.count += 1;
        self.put(Entry { tag: id.0 as u32, slot });
    }

    /// Removes an id that is in the table, and moves up what its place had pushed aside.
    #[inline]
    pub(super) fn remove(&mut self, id: OrderId, slot: u32) {
        let mask = self.entries.len() - 1;
        let mut gap = self.home(id.0 as u32);
        while self.entries[gap].slot != slot {
            debug_assert_ne!(self.entries[gap].slot, NONE, "the id is in the table");
            gap = (gap + 1) & mask;
        }
        self.count -= 1;
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let entry = self.entries[place];
            if entry.slot == NONE {
                break;
            }
            // It may fill the gap unless its home lies behind the gap.
            let from_home = place.wrapping_sub(self.home(entry.tag)) & mask;
            if from_home >= place.wrapping_sub(gap) & mask {
                self.entries[gap] = entry;
                gap = place;
            }
        }
        self.entries[gap] = FREE;
    }

    #[inline]
    fn put(&mut self, entry: Entry) {
        let mask = self.entries.len() - 1;
        let mut place = self.home(entry.tag);
        while self.entries[place].slot != NONE {
            place = (place + 1) & mask;
        }
        self.entries[place] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.entries.len() * 2).max(64);
        let old = std::mem::replace(&mut self.entries, vec![FREE; size]);
        for entry in old.into_iter().filter(|entry| entry.slot != NONE) {
            self.put(entry);
        }
    }

    /// Fibonacci hashing (Knuth 6.4): consecutive ids spread evenly.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        let bits = self.entries.len().trailing_zeros();
        (u64::from(tag.wrapping_mul(0x9E37_79B9)) << bits >> 32) as usize
    }
}
