//! The plain index of isolated positions by liquidation tick: obviously right, and the judge of any faster one.

use super::PositionId;
use crate::units::{MarketId, Price, Side};
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

    /// Adds a position with its trigger.
    pub fn insert(&mut self, market: MarketId, position: PositionId, long: bool, tick: Price) {
        let half = &mut self.markets[market.index()];
        let set = if long { &mut half.longs } else { &mut half.shorts };
        let is_new = set.insert((tick, position));
        debug_assert!(is_new, "a position is in the index once");
    }

    /// Removes a position that is there with this trigger, from whichever side it is on.
    pub fn remove(&mut self, market: MarketId, position: PositionId, tick: Price) {
        let half = &mut self.markets[market.index()];
        let was_there = half.longs.remove(&(tick, position)) || half.shorts.remove(&(tick, position));
        debug_assert!(was_there, "a trigger that was set is in the index");
    }

    /// Returns a position that is due at these marks (one per market, in the order of markets): longs with the highest
    /// trigger first, then shorts with the lowest, earlier positions first at equal ticks. Longs (`Buy`) or shorts of a
    /// market that are to be passed over are left out.
    pub fn next_due(&self, marks: &[Option<Price>], passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        self.markets.iter().zip(marks).enumerate().find_map(|(market, (half, mark))| {
            let mark = (*mark)?;
            let goes = |side| !passed_over.contains(&(MarketId(market as u16), side));
            let long = half.longs.last().filter(|(tick, _)| mark <= *tick && goes(Side::Buy));
            // Among equal highest ticks the earliest position goes first.
            let long = long.and_then(|(tick, _)| half.longs.range((*tick, PositionId(0))..).next());
            let short = half.shorts.first().filter(|(tick, _)| mark >= *tick && goes(Side::Sell));
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
        index.insert(MARKET, PositionId(1), true, Price(90));
        index.insert(MARKET, PositionId(3), true, Price(95));
        index.insert(MARKET, PositionId(2), true, Price(95));
        index.insert(MARKET, PositionId(4), false, Price(110));
        assert_eq!(index.next_due(&[Some(Price(100))], &[]), None);
        assert_eq!(index.next_due(&[None], &[]), None);
        assert_eq!(index.next_due(&[Some(Price(95))], &[]), Some(PositionId(2)));
        index.remove(MARKET, PositionId(2), Price(95));
        assert_eq!(index.next_due(&[Some(Price(80))], &[]), Some(PositionId(3)));
        assert_eq!(index.next_due(&[Some(Price(110))], &[]), Some(PositionId(4)));
        assert_eq!(index.len(), 3);
    }

    #[test]
    fn a_side_that_is_passed_over_does_not_hold_up_the_others() {
        let mut index = TriggerIndex::new(2);
        let other = MarketId(1);
        index.insert(MARKET, PositionId(1), true, Price(100));
        index.insert(MARKET, PositionId(2), false, Price(90));
        index.insert(other, PositionId(3), true, Price(100));
        let marks = [Some(Price(95)); 2];
        assert_eq!(index.next_due(&marks, &[]), Some(PositionId(1)));
        assert_eq!(index.next_due(&marks, &[(MARKET, Side::Buy)]), Some(PositionId(2)));
        assert_eq!(index.next_due(&marks, &[(MARKET, Side::Buy), (MARKET, Side::Sell)]), Some(PositionId(3)));
        let all = [(MARKET, Side::Buy), (MARKET, Side::Sell), (other, Side::Buy)];
        assert_eq!(index.next_due(&marks, &all), None);
    }
}
