//! Which isolated positions are liquidated at which mark.
//!
//! 1. A position is put where its trigger is: a market, longs or shorts, a tick.
//! 2. A trade, margin or a fee moves the trigger, and the position is put elsewhere.
//! 3. After every message the marks are asked for the position that is due first; almost always there is none.
//! 4. In a cascade it is taken out, its liquidation moves the mark, and the next one is asked for.
//!
//! `TriggerIndex` is the fast one, `PlainIndex` its judge. What can go wrong: whoever puts a position in has to remember
//! where, since an index is not asked where a position is.
//!
//! Funding that every position of a market pays alike moves all its triggers by the same number of ticks; an index by
//! `trigger + offset` would be asked with `mark - offset` of the market and stay as it is.

mod heaps;
mod plain;
#[cfg(test)]
mod tests;
mod ticks;
mod trigger_index;

pub use plain::PlainIndex;
pub use trigger_index::TriggerIndex;

use super::PositionId;
use crate::units::{MarketId, Price, Side};

/// The mark at which a position is liquidated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LiquidationTrigger {
    /// `Buy` for a long, which is due at or below the tick; `Sell` for a short, due at or above it.
    pub side: Side,
    /// Ticks, at least 1.
    pub tick: Price,
}

impl LiquidationTrigger {
    /// Returns a tick on the way from here to a mark that has not reached it, for an index to wait at: while the mark stays
    /// on its side of that tick and the trigger on the other, neither has to be looked at. An eighth of the way: a trade
    /// seldom moves a trigger by more, and a mark that comes near is met a few times, each at an eighth of the distance.
    #[inline]
    #[must_use]
    pub fn ahead_of(self, mark: Option<Price>) -> Self {
        let Some(mark) = mark.filter(|mark| !self.is_reached(*mark)) else { return self };
        // Towards the trigger where it does not come out even, so that the mark has not reached it.
        let way = (mark.0 - self.tick.0).abs() >> 3;
        Self { tick: Price(self.tick.0 + self.side.sign() * way), ..self }
    }

    /// Tells whether a mark is at or beyond the tick.
    #[inline]
    pub fn is_reached(self, mark: Price) -> bool {
        match self.side {
            Side::Buy => mark <= self.tick,
            Side::Sell => mark >= self.tick,
        }
    }
}

/// An index of positions by trigger. A position is in it once, in one market.
pub trait LiquidationIndex: Clone {
    /// Makes an empty index for a number of markets.
    fn new(markets: usize) -> Self;

    /// Adds a position that is not there.
    fn insert(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger);

    /// Removes a position that is there, with the trigger that it was added with.
    fn remove(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger);

    /// Moves a position from one trigger to another, or in, or out.
    fn relocate(
        &mut self,
        market: MarketId,
        position: PositionId,
        from: Option<LiquidationTrigger>,
        to: Option<LiquidationTrigger>,
    ) {
        if from == to {
            return;
        }
        if let Some(trigger) = from {
            self.remove(market, position, trigger);
        }
        if let Some(trigger) = to {
            self.insert(market, position, trigger);
        }
    }

    /// Returns a position that is due at these marks (one per market, in the order of markets): longs with the highest
    /// trigger first, then shorts with the lowest, earlier positions first at equal ticks. Longs (`Buy`) or shorts of a
    /// market that are to be passed over are left out.
    fn next_due(&self, marks: &[Option<Price>], passed_over: &[(MarketId, Side)]) -> Option<PositionId>;

    /// Returns how many positions are in the index.
    fn len(&self) -> usize;

    /// Tells whether no position is in the index.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
