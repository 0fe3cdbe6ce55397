//! From a price to its level and from a level to the next one: a tree of 64-bit bitmaps over all prices. Nothing here
//! knows an order.
//!
//! A page is 64 neighbouring prices, whose queues lie side by side; branches above it have 64 children each, and as many
//! storeys as the highest price needs. Pages and branches exist while they hold a level, so memory follows the
//! levels in use however far apart they are, and a book that drifts never has to be moved. A small table remembers the
//! pages that were used last, which answers almost every look-up.

use super::NONE;
use super::queues::Queues;
use crate::units::Side;

/// log2 of the prices in a page and of the children of a branch.
const BITS: u32 = 6;

/// 64 neighbouring prices.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// Its first price in ticks.
    first: i64,
    /// Which of its levels hold orders.
    filled: u64,
    /// The branch above, or the next free page.
    parent: u32,
}

/// 64 neighbouring pages or branches.
#[derive(Clone, Debug)]
struct Branch {
    /// Which children there are.
    filled: u64,
    /// The branch above, `NONE` at the root, or the next free branch.
    parent: u32,
    /// Pages on the lowest storey, else branches.
    children: [u32; 64],
}

/// A page that was used lately.
#[derive(Clone, Copy, Debug)]
struct Recent {
    /// Its first price >> 6; no page has -1.
    number: i64,
    /// From a price of it to its level, modulo 2^32.
    shift: u32,
}

const NOT_RECENT: Recent = Recent { number: -1, shift: 0 };

/// All levels of a book, bids and asks alike.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// Page p holds the levels from 64 p on.
    pages: Vec<Page>,
    branches: Vec<Branch>,
    recent: [Recent; 64],
    root: u32,
    /// Storeys of branches above the pages.
    storeys: u32,
    free_page: u32,
    free_branch: u32,
}

impl Ladder {
    pub(super) fn new() -> Self {
        let root = Branch { filled: 0, parent: NONE, children: [NONE; 64] };
        Self {
            pages: Vec::new(),
            branches: vec![root],
            recent: [NOT_RECENT; 64],
            root: 0,
            storeys: 1,
            free_page: NONE,
            free_branch: NONE,
        }
    }

    /// Returns the level of a price, filled or not; the caller puts an order there.
    #[inline(always)]
    pub(super) fn level(&mut self, price: i64, queues: &mut Queues) -> u32 {
        let number = price >> BITS;
        let recent = self.recent[(number & 63) as usize];
        let shift = if recent.number == number { recent.shift } else { self.open(number, queues) };
        (price as u32).wrapping_add(shift)
    }

    /// Marks a level as filled.
    #[inline(always)]
    pub(super) fn fill(&mut self, level: u32) {
        self.pages[(level >> BITS) as usize].filled |= 1 << (level & 63);
    }

    /// Returns the level of a price if it holds orders.
    pub(super) fn find(&self, price: i64) -> Option<u32> {
        let number = price >> BITS;
        if number < 0 || number >> (BITS * self.storeys) != 0 {
            return None;
        }
        let mut child = self.root;
        for storey in (0..self.storeys).rev() {
            child = self.branches[child as usize].children[place(number, storey)];
            if child == NONE {
                return None;
            }
        }
        let offset = (price & 63) as u32;
        (self.pages[child as usize].filled >> offset & 1 == 1).then_some((child << BITS) + offset)
    }

    /// Returns the price of a level.
    #[inline]
    pub(super) fn price(&self, level: u32) -> i64 {
        self.pages[(level >> BITS) as usize].first + i64::from(level & 63)
    }

    /// Returns the next filled level of a half, outwards from the touch.
    #[inline]
    pub(super) fn next(&self, level: u32, side: Side) -> Option<u32> {
        let page = &self.pages[(level >> BITS) as usize];
        if let Some(offset) = beyond(page.filled, level & 63, side) {
            return Some((level & !63) + offset);
        }
        self.next_page(page, side)
    }

    /// Returns the filled levels of a level's page from that level on outwards, up to and including a price: the first
    /// level of the page and one bit a level.
    #[inline]
    pub(super) fn rest_of_page(&self, level: u32, limit: i64, side: Side) -> (u32, u64) {
        let Page { first, filled, .. } = self.pages[(level >> BITS) as usize];
        let (from, to) = (level & 63, limit.saturating_sub(first));
        let (low, high) = match side {
            Side::Buy => (to.max(0), i64::from(from)),
            Side::Sell => (i64::from(from), to.min(63)),
        };
        let outside = low > high;
        let bits = if outside { 0 } else { filled & (u64::MAX << low) & (u64::MAX >> (63 - high)) };
        (level & !63, bits)
    }

    /// Returns the nearest filled level on the pages beyond a level's own, outwards.
    #[inline]
    pub(super) fn next_page_of(&self, level: u32, side: Side) -> Option<u32> {
        self.next_page(&self.pages[(level >> BITS) as usize], side)
    }

    /// Marks a level as empty.
    #[inline]
    pub(super) fn empty(&mut self, level: u32) {
        let number = level >> BITS;
        let page = &mut self.pages[number as usize];
        page.filled &= !(1 << (level & 63));
        if page.filled == 0 {
            self.close(number);
        }
    }

    #[inline(never)]
    fn next_page(&self, page: &Page, side: Side) -> Option<u32> {
        let number = page.first >> BITS;
        let (mut branch, mut storey) = (page.parent, 0);
        let mut child = loop {
            if branch == NONE {
                return None;
            }
            let node = &self.branches[branch as usize];
            if let Some(offset) = beyond(node.filled, place(number, storey) as u32, side) {
                break node.children[offset as usize];
            }
            branch = node.parent;
            storey += 1;
        };
        for _ in 0..storey {
            let node = &self.branches[child as usize];
            child = node.children[nearest(node.filled, side) as usize];
        }
        Some((child << BITS) + nearest(self.pages[child as usize].filled, side))
    }

    /// Finds a page in the tree or makes it, remembers it, and returns its shift.
    #[inline(never)]
    fn open(&mut self, number: i64, queues: &mut Queues) -> u32 {
        while number >> (BITS * self.storeys) != 0 {
            self.add_storey();
        }
        let mut branch = self.root;
        for storey in (1..self.storeys).rev() {
            let slot = place(number, storey);
            let mut child = self.branches[branch as usize].children[slot];
            if child == NONE {
                child = self.take_branch(branch);
                self.adopt(branch, slot, child);
            }
            branch = child;
        }
        let slot = place(number, 0);
        let mut page = self.branches[branch as usize].children[slot];
        if page == NONE {
            page = self.take_page(queues);
            self.pages[page as usize] = Page { first: number << BITS, filled: 0, parent: branch };
            self.adopt(branch, slot, page);
        }
        let shift = (page << BITS).wrapping_sub((number << BITS) as u32);
        self.recent[(number & 63) as usize] = Recent { number, shift };
        shift
    }

    /// Gives up an empty page, and every branch that it leaves without children.
    #[inline(never)]
    fn close(&mut self, page: u32) {
        let Page { first, filled, parent } = self.pages[page as usize];
        debug_assert_eq!(filled, 0);
        let number = first >> BITS;
        let recent = &mut self.recent[(number & 63) as usize];
        if recent.number == number {
            *recent = NOT_RECENT;
        }
        self.pages[page as usize].parent = self.free_page;
        self.free_page = page;
        let mut branch = parent;
        for storey in 0..self.storeys {
            let node = &mut self.branches[branch as usize];
            let slot = place(number, storey);
            node.children[slot] = NONE;
            node.filled &= !(1 << slot);
            if node.filled != 0 || branch == self.root {
                break;
            }
            let above = node.parent;
            node.parent = self.free_branch;
            self.free_branch = branch;
            branch = above;
        }
    }

    /// Puts a branch above the root.
    #[cold]
    fn add_storey(&mut self) {
        self.storeys += 1;
        if self.branches[self.root as usize].filled != 0 {
            let old = self.root;
            self.root = self.take_branch(NONE);
            self.branches[old as usize].parent = self.root;
            self.adopt(self.root, 0, old);
        }
    }

    fn adopt(&mut self, branch: u32, slot: usize, child: u32) {
        let node = &mut self.branches[branch as usize];
        node.children[slot] = child;
        node.filled |= 1 << slot;
    }

    fn take_page(&mut self, queues: &mut Queues) -> u32 {
        if self.free_page != NONE {
            let page = self.free_page;
            self.free_page = self.pages[page as usize].parent;
            return page;
        }
        let page = queues.add_levels() >> BITS;
        self.pages.resize(page as usize + 1, Page { first: 0, filled: 0, parent: NONE });
        page
    }

    fn take_branch(&mut self, parent: u32) -> u32 {
        if self.free_branch == NONE {
            self.branches.push(Branch { filled: 0, parent, children: [NONE; 64] });
            return self.branches.len() as u32 - 1;
        }
        let branch = self.free_branch;
        let node = &mut self.branches[branch as usize];
        // A branch is given up when its last child is: it is as empty as a new one.
        debug_assert!(node.filled == 0 && node.children == [NONE; 64]);
        self.free_branch = node.parent;
        node.parent = parent;
        branch
    }
}

/// Returns which child of a branch `storey` storeys above the pages leads to a page.
#[inline]
fn place(number: i64, storey: u32) -> usize {
    (number >> (BITS * storey) & 63) as usize
}

/// Returns the bit next to `offset` outwards from the touch: above for asks, below for bids.
#[inline]
fn beyond(filled: u64, offset: u32, side: Side) -> Option<u32> {
    let outside = match side {
        // Shifting twice, since a shift by 64 is not one.
        Side::Sell => filled >> offset >> 1 << 1 << offset,
        Side::Buy => filled & ((1 << offset) - 1),
    };
    (outside != 0).then(|| nearest(outside, side))
}

/// Returns the bit nearest to the touch.
#[inline]
fn nearest(filled: u64, side: Side) -> u32 {
    debug_assert_ne!(filled, 0);
    match side {
        Side::Sell => filled.trailing_zeros(),
        Side::Buy => filled.ilog2(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Fills and empties levels and compares every step with a sorted set.
    fn agrees_with_a_sorted_set(prices: impl IntoIterator<Item = i64>) -> Ladder {
        let (mut ladder, mut queues, mut set) = (Ladder::new(), Queues::new(), BTreeSet::new());
        for price in prices {
            if set.insert(price) {
                let level = ladder.level(price, &mut queues);
                ladder.fill(level);
                assert_eq!((ladder.price(level), ladder.find(price)), (price, Some(level)));
            } else {
                set.remove(&price);
                let level = ladder.find(price).expect("it is filled");
                let up = ladder.next(level, Side::Sell).map(|next| ladder.price(next));
                assert_eq!(up, set.range(price..).next().copied());
                let down = ladder.next(level, Side::Buy).map(|next| ladder.price(next));
                assert_eq!(down, set.range(..price).next_back().copied());
                ladder.empty(level);
                assert_eq!(ladder.find(price), None);
            }
        }
        ladder
    }

    #[test]
    fn neighbours_are_found_across_borders_of_pages_and_storeys() {
        let borders: Vec<i64> =
            (0..62).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).filter(|price| *price > 0).collect();
        let rising = borders.iter().chain(&borders).copied();
        let falling = borders.iter().rev().chain(borders.iter().rev()).copied();
        agrees_with_a_sorted_set(rising.clone().chain(falling));
        agrees_with_a_sorted_set(borders.iter().copied().chain(borders.iter().rev().copied()));
    }

    #[test]
    fn levels_anywhere_agree_with_a_sorted_set() {
        let mut seed = 1_u64;
        let mut draw = move || {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            seed >> 33
        };
        for range in [80, 5_000, 300_000, 1 << 31] {
            agrees_with_a_sorted_set((0..20_000).map(|_| 1 + (draw() % range) as i64));
        }
    }

    #[test]
    fn a_book_that_drifts_uses_its_pages_again() {
        let ladder = agrees_with_a_sorted_set(
            (1..1_000_000).step_by(50).flat_map(|price| [price, price + 40, price, price + 40]),
        );
        assert!(ladder.pages.len() <= 3, "{} pages", ladder.pages.len());
        assert!(ladder.branches.len() <= 8, "{} branches", ladder.branches.len());
    }
}
