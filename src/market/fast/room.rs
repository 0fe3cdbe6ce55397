//! Where a quote meets nobody, which is what most of them do.

use super::flip;
use crate::market::MAX_PRICE;
use crate::units::{Price, Side};

/// By side, the prices at which a quote meets nobody and breaks no rule, turned so that higher is better: one range, and so one
/// comparison for three questions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// The worst of them.
    from: [i64; 2],
    /// How many there are.
    len: [u64; 2],
}

impl Room {
    /// Returns the room that the best prices of both halves leave.
    pub(super) const fn between(bid: i64, ask: i64) -> Self {
        // An empty half's best is beyond every price.
        let above = if ask <= MAX_PRICE.0 { ask } else { MAX_PRICE.0 + 1 };
        Self { from: [1, !MAX_PRICE.0], len: [(above - 1) as u64, (MAX_PRICE.0 - bid) as u64] }
    }

    /// Tells whether a quote at a price meets nobody and breaks no rule.
    #[inline(always)]
    pub(super) fn has(&self, side: Side, price: Price) -> bool {
        self.above_worst(side, price) < self.len[side as usize]
    }

    /// Tells whether it is a price at all.
    #[inline(always)]
    pub(super) fn is_price(&self, side: Side, price: Price) -> bool {
        self.above_worst(side, price) < MAX_PRICE.0 as u64
    }

    #[inline(always)]
    fn above_worst(&self, side: Side, price: Price) -> u64 {
        (price.0 ^ flip(side)).wrapping_sub(self.from[side as usize]) as u64
    }
}
