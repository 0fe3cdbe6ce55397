//! From a tick to what is there and to the next tick where something is: a tree of 64-bit bitmaps over all positive ticks.
//! Nothing here knows a position but as a number that is kept for a tick.
//!
//! A page is 64 neighbouring ticks; branches above it have 64 children each, and as many storeys as the highest tick
//! needs. Pages and branches exist while something is there, so memory follows the ticks in use however far apart they
//! are, and triggers that drift with the price never have to be moved.

use super::heaps::NONE as NOTHING;
use crate::units::Side;

/// No page or branch.
const NONE: u32 = u32::MAX;

/// log2 of the ticks in a page and of the children of a branch.
const BITS: u32 = 6;

/// 64 neighbouring ticks.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// Which of its ticks are in use.
    filled: u64,
    /// Its first tick >> 6.
    number: i64,
    /// The branch above, or the next free page.
    parent: u32,
    /// The first of each tick's list.
    firsts: [u32; 64],
}

/// 64 neighbouring pages or branches.
#[derive(Clone, Copy, Debug)]
struct Branch {
    /// Which children there are.
    filled: u64,
    /// The branch above, `NONE` at the root, or the next free branch.
    parent: u32,
    /// Pages on the lowest storey, else branches.
    children: [u32; 64],
}

const EMPTY_PAGE: Page = Page { filled: 0, number: 0, parent: NONE, firsts: [NOTHING; 64] };
const EMPTY_BRANCH: Branch = Branch { filled: 0, parent: NONE, children: [NONE; 64] };

/// All ticks of one half of a market. A place is a tick's page and offset, and stays while the tick is in use.
#[derive(Clone, Debug)]
pub(super) struct Ticks {
    pages: Vec<Page>,
    branches: Vec<Branch>,
    root: u32,
    /// Storeys of branches above the pages.
    storeys: u32,
    free_page: u32,
    free_branch: u32,
}

impl Ticks {
    pub(super) fn new() -> Self {
        Self {
            pages: Vec::new(),
            branches: vec![EMPTY_BRANCH],
            root: 0,
            storeys: 1,
            free_page: NONE,
            free_branch: NONE,
        }
    }

    /// Returns the place of a tick and marks it as in use; the caller keeps something there.
    #[inline]
    pub(super) fn fill(&mut self, tick: i64) -> u32 {
        let page = self.open(tick >> BITS);
        let offset = (tick & 63) as u32;
        self.pages[page as usize].filled |= 1 << offset;
        (page << BITS) + offset
    }

    /// Returns what is kept at a place.
    #[inline]
    pub(super) fn get(&self, place: u32) -> u32 {
        self.pages[(place >> BITS) as usize].firsts[(place & 63) as usize]
    }

    /// Keeps something at a place, which is in use.
    #[inline]
    pub(super) fn set(&mut self, place: u32, first: u32) {
        self.pages[(place >> BITS) as usize].firsts[(place & 63) as usize] = first;
    }

    /// Returns the tick of a place.
    #[inline]
    pub(super) fn tick(&self, place: u32) -> i64 {
        (self.pages[(place >> BITS) as usize].number << BITS) + i64::from(place & 63)
    }

    /// Returns the next place in use: at a lower tick for longs, at a higher one for shorts.
    #[inline]
    pub(super) fn next(&self, place: u32, side: Side) -> Option<u32> {
        let page = &self.pages[(place >> BITS) as usize];
        match beyond(page.filled, place & 63, side) {
            Some(offset) => Some((place & !63) + offset),
            None => self.next_page(page, side),
        }
    }

    /// Marks a place as not in use.
    #[inline]
    pub(super) fn empty(&mut self, place: u32) {
        let number = place >> BITS;
        let page = &mut self.pages[number as usize];
        page.firsts[(place & 63) as usize] = NOTHING;
        page.filled &= !(1 << (place & 63));
        if page.filled == 0 {
            self.close(number);
        }
    }

    /// Returns the bytes that are reserved.
    pub(super) fn memory(&self) -> usize {
        self.pages.capacity() * size_of::<Page>() + self.branches.capacity() * size_of::<Branch>()
    }

    #[inline(never)]
    fn next_page(&self, page: &Page, side: Side) -> Option<u32> {
        let (mut branch, mut storey) = (page.parent, 0);
        let mut child = loop {
            if branch == NONE {
                return None;
            }
            let node = &self.branches[branch as usize];
            if let Some(offset) = beyond(node.filled, slot(page.number, storey) as u32, side) {
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

    /// Finds a page in the tree or makes it.
    #[inline]
    fn open(&mut self, number: i64) -> u32 {
        debug_assert!(number >= 0, "ticks are positive");
        while number >> (BITS * self.storeys) != 0 {
            self.add_storey();
        }
        let mut child = self.root;
        for storey in (0..self.storeys).rev() {
            let branch = child;
            child = self.branches[branch as usize].children[slot(number, storey)];
            if child == NONE {
                return self.make(number, branch, storey);
            }
        }
        child
    }

    /// Makes a page, and the branches between it and one that there is.
    #[inline(never)]
    fn make(&mut self, number: i64, mut branch: u32, storey: u32) -> u32 {
        for storey in (1..=storey).rev() {
            let child = self.take_branch(branch);
            self.adopt(branch, slot(number, storey), child);
            branch = child;
        }
        let page = self.take_page();
        let new = &mut self.pages[page as usize];
        (new.number, new.parent) = (number, branch);
        self.adopt(branch, slot(number, 0), page);
        page
    }

    /// Gives up an empty page, and every branch that it leaves without children.
    #[inline(never)]
    fn close(&mut self, page: u32) {
        let Page { number, filled, parent, firsts } = &mut self.pages[page as usize];
        debug_assert!(*filled == 0 && *firsts == [NOTHING; 64]);
        let number = *number;
        let mut branch = std::mem::replace(parent, self.free_page);
        self.free_page = page;
        for storey in 0..self.storeys {
            let node = &mut self.branches[branch as usize];
            let slot = slot(number, storey);
            node.children[slot] = NONE;
            node.filled &= !(1 << slot);
            if node.filled != 0 || branch == self.root {
                break;
            }
            let above = std::mem::replace(&mut node.parent, self.free_branch);
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

    fn take_page(&mut self) -> u32 {
        if self.free_page == NONE {
            assert!(self.pages.len() < 1 << 25, "a place has 31 bits");
            self.pages.push(EMPTY_PAGE);
            return self.pages.len() as u32 - 1;
        }
        let page = self.free_page;
        self.free_page = self.pages[page as usize].parent;
        page
    }

    fn take_branch(&mut self, parent: u32) -> u32 {
        let branch = self.free_branch;
        if branch == NONE {
            self.branches.push(Branch { parent, ..EMPTY_BRANCH });
            return self.branches.len() as u32 - 1;
        }
        let node = &mut self.branches[branch as usize];
        // A branch is given up when its last child is: it is as empty as a new one.
        debug_assert!(node.filled == 0 && node.children == [NONE; 64]);
        self.free_branch = std::mem::replace(&mut node.parent, parent);
        branch
    }
}

/// Returns which child of a branch `storey` storeys above the pages leads to a page.
#[inline]
fn slot(number: i64, storey: u32) -> usize {
    (number >> (BITS * storey) & 63) as usize
}

/// Returns the bit next to `offset`: below for longs, above for shorts.
#[inline]
fn beyond(filled: u64, offset: u32, side: Side) -> Option<u32> {
    let outside = match side {
        Side::Buy => filled & ((1 << offset) - 1),
        // Shifting twice, since a shift by 64 is not one.
        Side::Sell => filled >> offset >> 1 << 1 << offset,
    };
    (outside != 0).then(|| nearest(outside, side))
}

/// Returns the bit that a mark reaches first: the highest for longs, the lowest for shorts.
#[inline]
fn nearest(filled: u64, side: Side) -> u32 {
    debug_assert_ne!(filled, 0);
    match side {
        Side::Buy => filled.ilog2(),
        Side::Sell => filled.trailing_zeros(),
    }
}
