//! The naive index: a list of positions, every one of which is looked at each time.

use super::{LiquidationIndex, LiquidationTrigger, MarketId, PositionId, Price, Side};

/// Positions in no order.
#[derive(Clone, Debug)]
pub(super) struct ScanIndex(Vec<(MarketId, PositionId, LiquidationTrigger)>);

impl LiquidationIndex for ScanIndex {
    fn new(_markets: usize) -> Self {
        Self(Vec::new())
    }

    fn insert(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        assert!(self.0.iter().all(|(_, other, _)| *other != position), "a position is in the index once");
        self.0.push((market, position, trigger));
    }

    fn remove(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        let entry = (market, position, trigger);
        let place = self.0.iter().position(|other| *other == entry).expect("it is in the index");
        self.0.swap_remove(place);
    }

    fn next_due(&self, marks: &[Option<Price>], passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        let mut first = None;
        for (market, position, LiquidationTrigger { side, tick }) in &self.0 {
            let Some(mark) = marks[market.index()] else { continue };
            let (reached, rank) = match side {
                Side::Buy => (mark <= *tick, -tick.0),
                Side::Sell => (mark >= *tick, tick.0),
            };
            if reached && !passed_over.contains(&(*market, *side)) {
                let key = (*market, *side, rank, *position);
                if first.is_none_or(|least| key < least) {
                    first = Some(key);
                }
            }
        }
        first.map(|(_, _, _, position)| position)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
