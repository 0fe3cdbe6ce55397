//! The plain index: two sorted sets a market, obviously right, and the judge of the fast one.

use super::{LiquidationIndex, LiquidationTrigger};
use crate::clearing::PositionId;
use crate::units::{MarketId, Price, Side};
use std::collections::BTreeSet;

/// The reference of all indices.
#[derive(Clone, Debug, Default)]
pub struct PlainIndex {
    markets: Vec<Sets>,
}

#[derive(Clone, Debug, Default)]
struct Sets {
    longs: BTreeSet<(Price, PositionId)>,
    shorts: BTreeSet<(Price, PositionId)>,
}

impl PlainIndex {
    fn set(&mut self, market: MarketId, side: Side) -> &mut BTreeSet<(Price, PositionId)> {
        let sets = &mut self.markets[market.index()];
        match side {
            Side::Buy => &mut sets.longs,
            Side::Sell => &mut sets.shorts,
        }
    }
}

impl LiquidationIndex for PlainIndex {
    fn new(markets: usize) -> Self {
        Self { markets: vec![Sets::default(); markets] }
    }

    fn insert(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        let is_new = self.set(market, trigger.side).insert((trigger.tick, position));
        debug_assert!(is_new, "a position is in the index once");
    }

    fn remove(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        let was_there = self.set(market, trigger.side).remove(&(trigger.tick, position));
        debug_assert!(was_there, "a trigger that was set is in the index");
    }

    fn next_due(&self, marks: &[Option<Price>], passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        self.markets.iter().zip(marks).enumerate().find_map(|(market, (sets, mark))| {
            let mark = (*mark)?;
            let goes = |side| !passed_over.contains(&(MarketId(market as u16), side));
            let long = sets.longs.last().filter(|(tick, _)| mark <= *tick && goes(Side::Buy));
            // Among equal highest ticks the earliest position goes first.
            let long = long.and_then(|(tick, _)| sets.longs.range((*tick, PositionId(0))..).next());
            let short = sets.shorts.first().filter(|(tick, _)| mark >= *tick && goes(Side::Sell));
            long.or(short).map(|(_, position)| *position)
        })
    }

    fn len(&self) -> usize {
        self.markets.iter().map(|sets| sets.longs.len() + sets.shorts.len()).sum()
    }
}
