//! From a price to its level and from a level to the next one: a tree of 64-bit bitmaps over all prices. Nothing here
//! knows an order.
//!
//! A page is 64 neighbouring prices whose headers are one chunk of the slab; branches above it have 64 children each, and
//! as many storeys as the highest price needs. Pages and branches exist while they hold a level, so memory follows the
//! levels in use however far apart they are, and a book that drifts never has to be moved. A small table remembers the
//! pages that were used last, which answers almost every look-up.

use super::slab::{CHUNK, NONE, Slab};
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
    /// Which children exist.
    filled: u64,
    /// The branch above, `NONE` at the root, or the next free branch.
    parent: u32,
    /// Chunks of pages on the lowest storey, else branches.
    children: [u32; 64],
}

/// A page that was used lately.
#[derive(Clone, Copy, Debug)]
struct Recent {
    /// Price of the page >> 6; no page has -1.
    number: i64,
    header: u32,
}

const NOT_RECENT: Recent = Recent { number: -1, header: NONE };

/// All levels of a book, bids and asks alike.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// By number of chunk; chunks of orders leave theirs unused.
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

    /// Returns the header of a price and marks its level as filled; the caller puts an order there.
    #[inline]
    pub(super) fn fill(&mut self, price: i64, slab: &mut Slab) -> u32 {
        let number = price >> BITS;
        let recent = self.recent[(number & 63) as usize];
        let header = if recent.number == number { recent.header } else { self.open(number, slab) };
        let offset = (price & 63) as u32;
        self.pages[(header >> BITS) as usize].filled |= 1 << offset;
        header + offset
    }

    /// Returns the header of a price if its level holds orders.
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
        (self.pages[child as usize].filled >> offset & 1 == 1).then_some(child * CHUNK + offset)
    }

    /// Returns the price of a header.
    #[inline]
    pub(super) fn price(&self, header: u32) -> i64 {
        self.pages[(header >> BITS) as usize].first + i64::from(header & 63)
    }

    /// Returns the header of the next filled level of a half, outwards from the touch.
    #[inline]
    pub(super) fn next(&self, header: u32, side: Side) -> Option<u32> {
        let page = &self.pages[(header >> BITS) as usize];
        if let Some(offset) = beyond(page.filled, header & 63, side) {
            return Some((header & !63) + offset);
        }
        self.next_page(page, side)
    }

    /// Marks a level as empty.
    #[inline]
    pub(super) fn empty(&mut self, header: u32) {
        let chunk = header >> BITS;
        let page = &mut self.pages[chunk as usize];
        page.filled &= !(1 << (header & 63));
        if page.filled == 0 {
            self.close(chunk);
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
        Some(child * CHUNK + nearest(self.pages[child as usize].filled, side))
    }

    /// Finds a page in the tree or makes it, and remembers it.
    #[inline(never)]
    fn open(&mut self, number: i64, slab: &mut Slab) -> u32 {
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
        let mut chunk = self.branches[branch as usize].children[slot];
        if chunk == NONE {
            chunk = self.take_page(slab);
            self.pages[chunk as usize] = Page { first: number << BITS, filled: 0, parent: branch };
            self.adopt(branch, slot, chunk);
        }
        let header = chunk * CHUNK;
        self.recent[(number & 63) as usize] = Recent { number, header };
        header
    }

    /// Gives up an empty page, and every branch that it leaves without children.
    #[inline(never)]
    fn close(&mut self, chunk: u32) {
        let Page { first, filled, parent } = self.pages[chunk as usize];
        debug_assert_eq!(filled, 0);
        let number = first >> BITS;
        let recent = &mut self.recent[(number & 63) as usize];
        if recent.number == number {
            *recent = NOT_RECENT;
        }
        self.pages[chunk as usize].parent = self.free_page;
        self.free_page = chunk;
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

    fn take_page(&mut self, slab: &mut Slab) -> u32 {
        if self.free_page != NONE {
            let chunk = self.free_page;
            self.free_page = self.pages[chunk as usize].parent;
            return chunk;
        }
        let chunk = slab.add_headers() >> BITS;
        self.pages.resize(chunk as usize + 1, Page { first: 0, filled: 0, parent: NONE });
        chunk
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
