//! What rests in a half of the book up to a price, and what it costs to take so much of it: read a page of 64 prices at a time.

use super::{CostToTrade, NONE, SlabBook};
use crate::units::{Price, Qty, Side};

impl<const IDS: bool> SlabBook<IDS> {
    /// Returns the lots of a half from its best price to a limit, included.
    pub(super) fn lots_to(&self, side: Side, limit: Price) -> Qty {
        let mut next = Some(self.best[side as usize].level).filter(|level| *level != NONE);
        let mut depth = Qty::ZERO;
        while let Some(level) = next {
            let (first, mut bits) = self.ladder.rest_of_page(level, limit.0, side);
            if bits == 0 {
                break;
            }
            while bits != 0 {
                depth += self.queues.total(first + bits.trailing_zeros());
                bits &= bits - 1;
            }
            next = self.ladder.next_page_of(level, side);
        }
        depth
    }

    /// Returns what a taker of `qty` lots would fill now, own orders included, and at what cost.
    pub(super) fn cost_of(&self, side: Side, qty: Qty) -> CostToTrade {
        let half = side.opposite();
        let mut next = Some(self.best[half as usize].level).filter(|level| *level != NONE);
        let mut cost = CostToTrade::default();
        while let Some(level) = next {
            let (first, mut bits) = self.ladder.rest_of_page(level, i64::MAX * -half.sign(), half);
            let base = self.ladder.price(first);
            // A page that is taken whole needs no order among its levels.
            let (mut lots, mut lots_by_offset, mut levels) = (Qty::ZERO, 0, bits);
            while levels != 0 {
                let offset = levels.trailing_zeros();
                levels &= levels - 1;
                let total = self.queues.total(first + offset);
                lots += total;
                lots_by_offset += i128::from(offset) * i128::from(total.0);
            }
            if lots <= qty - cost.filled {
                let last = if half == Side::Buy { bits.trailing_zeros() } else { bits.ilog2() };
                cost.filled += lots;
                cost.value += i128::from(base) * i128::from(lots.0) + lots_by_offset;
                cost.worst = Some(Price(base + i64::from(last)));
                next = self.ladder.next_page_of(level, half);
                continue;
            }
            while bits != 0 {
                // From the best outwards: the lowest bit of asks, the highest of bids.
                let offset = if half == Side::Buy { bits.ilog2() } else { bits.trailing_zeros() };
                bits ^= 1 << offset;
                let take = self.queues.total(first + offset).min(qty - cost.filled);
                if take.is_zero() {
                    return cost;
                }
                let price = base + i64::from(offset);
                cost.filled += take;
                cost.value += i128::from(price) * i128::from(take.0);
                cost.worst = Some(Price(price));
            }
            next = self.ladder.next_page_of(level, half);
        }
        cost
    }
}
