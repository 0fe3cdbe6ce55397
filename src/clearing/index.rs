//! The plain index of isolated positions by liquidation tick: obviously right, and the judge of any faster one.

use super::PositionId;
use crate::units::{MarketId, Price};
use std::collections::BTreeSet;

/// Which positions are liquidated at which mark.
#[derive(Clone, Debug, Default)]
pub struct TriggerIndex {
    markets: Vec<Half>,
}

#[derive(Clone, Debug, Default)]
struct Half {
    /// Longs, due when the mark is at or below the tick.
    longs: BTreeSet<(Price, PositionId)>,
    /// Shorts, due when the mark is at or above the tick.
    shorts: BTreeSet<(Price, PositionId)>,
}

impl TriggerIndex {
    /// Makes an empty index for a number of markets.
    pub fn new(markets: usize) -> Self {
        Self { markets: vec![Half::default(); markets] }
    }

    /// Moves a position from one trigger to another; `None` is not in the index.
    pub fn update(
        &mut self,
        market: MarketId,
        position: PositionId,
        long: bool,
        from: Option<Price>,
        to: Option<Price>,
    ) {
        let half = &mut self.markets[market.index()];
        let set = if long { &mut half.longs } else { &mut half.shorts };
        if let Some(tick) = from {
            let was_there = set.remove(&(tick, position));
            debug_assert!(was_there, "a trigger that was set is in the index");
        }
        if let Some(tick) = to {
            set.insert((tick, position));
        }
    }

    /// Returns a position that is due at these marks (one per market, in the order of markets): longs with the highest
    /// trigger first, then shorts with the lowest, earlier positions first at equal ticks.
    pub fn next_due(&self, marks: &[Option<Price>]) -> Option<PositionId> {
        self.markets.iter().zip(marks).find_map(|(half, mark)| {
            let mark = (*mark)?;
            let long = half.longs.last().filter(|(tick, _)| mark <= *tick);
            // Among equal highest ticks the earliest position goes first.
            let long = long.and_then(|(tick, _)| half.longs.range((*tick, PositionId(0))..).next());
            let short = half.shorts.first().filter(|(tick, _)| mark >= *tick);
            long.or(short).map(|(_, position)| *position)
        })
    }

    /// Returns how many positions are in the index.
    pub fn len(&self) -> usize {
        self.markets.iter().map(|half| half.longs.len() + half.shorts.len()).sum()
    }

    /// Tells whether no position is in the index.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: MarketId = MarketId(0);

    #[test]
    fn the_highest_long_goes_first_and_a_move_that_reaches_nobody_finds_nobody() {
        let mut index = TriggerIndex::new(1);
        index.update(MARKET, PositionId(1), true, None, Some(Price(90)));
        index.update(MARKET, PositionId(3), true, None, Some(Price(95)));
        index.update(MARKET, PositionId(2), true, None, Some(Price(95)));
        index.update(MARKET, PositionId(4), false, None, Some(Price(110)));
        assert_eq!(index.next_due(&[Some(Price(100))]), None);
        assert_eq!(index.next_due(&[None]), None);
        assert_eq!(index.next_due(&[Some(Price(95))]), Some(PositionId(2)));
        index.update(MARKET, PositionId(2), true, Some(Price(95)), None);
        assert_eq!(index.next_due(&[Some(Price(80))]), Some(PositionId(3)));
        assert_eq!(index.next_due(&[Some(Price(110))]), Some(PositionId(4)));
        assert_eq!(index.len(), 3);
    }
}
