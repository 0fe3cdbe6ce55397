//! Arrays whose memory lies in huge pages. A large book is read at random; in pages of 4 KiB many of its reads wait for the
//! translation of an address, and where the pages happen to lie decides which of them throw each other out of the cache
//! (docs/speed.md says what is gained).
//!
//! Memory comes in blocks of a power of two of bytes, cut from pages of 2 MiB. Whoever drops a block leaves it, cleared, to the
//! next book. Pages never go back to the system: a process keeps what its books needed at once at most.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use bytemuck::Pod;
use memmap2::MmapMut;

/// log2 of the bytes of a huge page, on x86-64 and mostly on AArch64.
const PAGE_BITS: usize = 21;

/// log2 of the bytes of the smallest block: a page of any other kind.
const LEAST_BITS: usize = 12;

/// Blocks that nobody uses, by log2 of their bytes. All their bytes are zero.
static FREE: Mutex<[Vec<&'static mut [u8]>; usize::BITS as usize]> =
    Mutex::new([const { Vec::new() }; usize::BITS as usize]);

/// An array that grows. It is as long as its block, and zero behind what was put there.
#[derive(Debug)]
pub(super) struct Array<T: Pod> {
    items: &'static mut [T],
    used: usize,
}

impl<T: Pod> Array<T> {
    pub(super) const fn new() -> Self {
        Self { items: &mut [], used: 0 }
    }

    /// Makes an array of equal items: as many as are asked for, or more up to a power of two.
    pub(super) fn filled(least: usize, item: T) -> Self {
        let mut array = Self::with_room(least);
        array.items.fill(item);
        array.used = array.items.len();
        array
    }

    /// Returns how many items were put there.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Returns the bytes of its block.
    pub(super) fn bytes(&self) -> usize {
        size_of_val::<[T]>(self.items)
    }

    /// Puts items behind those that are there.
    pub(super) fn extend(&mut self, items: impl ExactSizeIterator<Item = T>) {
        let used = self.used + items.len();
        if used > self.items.len() {
            let mut larger = Self::with_room(used);
            larger.copy(self);
            *self = larger;
        }
        for (place, item) in self.items[self.used..used].iter_mut().zip(items) {
            *place = item;
        }
        self.used = used;
    }

    /// Makes an array without items that has room for so many.
    fn with_room(size: usize) -> Self {
        let bytes = (size * size_of::<T>()).next_power_of_two();
        let block = take((bytes.trailing_zeros() as usize).max(LEAST_BITS));
        Self { items: bytemuck::cast_slice_mut(block), used: 0 }
    }

    /// Takes the items of a smaller one.
    fn copy(&mut self, other: &Self) {
        self.items[..other.used].copy_from_slice(&other.items[..other.used]);
        self.used = other.used;
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        self.items
    }
}

impl<T: Pod> DerefMut for Array<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        self.items
    }
}

impl<T: Pod> Clone for Array<T> {
    fn clone(&self) -> Self {
        if self.used == 0 {
            return Self::new();
        }
        let mut copy = Self::with_room(self.used);
        copy.copy(self);
        copy
    }
}

impl<T: Pod> Drop for Array<T> {
    fn drop(&mut self) {
        if !self.items.is_empty() {
            self.items[..self.used].fill(T::zeroed());
            leave(bytemuck::cast_slice_mut(std::mem::take(&mut self.items)));
        }
    }
}

/// Returns a block of 2^bits zeros.
fn take(bits: usize) -> &'static mut [u8] {
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner)[bits].pop();
    match free {
        Some(block) => block,
        None if bits < PAGE_BITS => {
            let (block, other) = take(bits + 1).split_at_mut(1 << bits);
            leave(other);
            block
        }
        None => map(1 << bits),
    }
}

/// Leaves a block of zeros to whoever needs one.
fn leave(block: &'static mut [u8]) {
    debug_assert!(block.iter().all(|byte| *byte == 0), "whoever leaves a block clears it");
    let bits = block.len().trailing_zeros() as usize;
    FREE.lock().unwrap_or_else(PoisonError::into_inner)[bits].push(block);
}

/// Asks the system for so many bytes, a multiple of a huge page.
#[cold]
fn map(bytes: usize) -> &'static mut [u8] {
    let page = 1 << PAGE_BITS;
    let memory = MmapMut::map_anon(bytes + page).expect("the system has memory for a book");
    // A system without huge pages, or that gives none, makes a book slower and not wrong.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(memmap2::Advice::HugePage);
    let memory = Box::leak(Box::new(memory));
    let start = memory.as_ptr().align_offset(page);
    &mut memory[start..start + bytes]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_grows_and_is_copied_with_what_is_in_it() {
        let mut array = Array::new();
        assert_eq!((array.len(), array.clone().used()), (0, 0));
        for first in (0..1_000_000_u32).step_by(50) {
            array.extend(first..first + 50);
        }
        let copy = array.clone();
        array[7] = 0;
        assert_eq!((copy.used(), copy.len(), copy.bytes()), (1_000_000, 1 << 20, 4 << 20));
        assert!(copy.iter().take(1_000_000).copied().eq(0..1_000_000));
        assert!(copy[1_000_000..].iter().all(|item| *item == 0));
    }

    #[test]
    fn what_is_left_is_found_cleared() {
        // Others use blocks at the same time, so which of them comes is chance; that it is cleared is not.
        for size in [1, 1_000, 100_000, 1_000_000] {
            for _ in 0..4 {
                let mut dirty = Array::with_room(size);
                assert!(dirty.iter().all(|item| *item == 0));
                dirty.extend(std::iter::repeat_n(u32::MAX, size));
                assert_eq!(dirty.as_ptr().align_offset(1 << LEAST_BITS), 0);
                drop(Array::filled(size, u32::MAX));
            }
        }
    }

    #[test]
    fn blocks_are_cut_from_pages_and_used_again() {
        // A size that no book has here.
        let bits = 26;
        let block = take(bits);
        assert_eq!(block.as_ptr().align_offset(1 << PAGE_BITS), 0);
        let place = block.as_ptr();
        leave(block);
        assert_eq!(take(bits).as_ptr(), place);
        let (small, other) = (take(LEAST_BITS), take(LEAST_BITS));
        assert_ne!(small.as_ptr(), other.as_ptr());
        assert_eq!(small.len(), 1 << LEAST_BITS);
    }
}
