//! Criticality before the fact: what one more forced sale would set off, from the book and the open positions at one moment.
//!
//! The mean of offspring that a run realises says little: every chain that ended had fewer sales in each generation than in
//! the one before. So it is read off the world as it stands, twice:
//! - within a window below the mark, the lots of longs that would be liquidated there over the lots bid there. Where bids and
//!   triggers lie evenly that is the share of itself that a forced sale brings about anew: the ratio of a branching process
//!   (Harris 1963), 1 and more where a chain feeds itself;
//! - one by one, the longs that would be liquidated by the fall that selling another one at once causes: the first generation.
//!
//! Both are static. Nobody refills the book, buys the dip or cancels, and the mark is taken to follow the best bid; so they say
//! what stands ready, not what will happen.

use crate::market::Book;
use crate::units::{MarketId, Position, Price, Qty, Side};
use crate::world::World;

/// Windows below the mark, in hundredths of a percent: the depths that venues and papers quote, and a crash.
pub(super) const WINDOWS_BPS: [f64; 3] = [100.0, 200.0, 500.0];

/// Longs that are sold one by one in thought: the nearest to their liquidation, since those would be next.
const NEXT: usize = 100;

/// Returns where each position of a market would be liquidated, with its lots; those that no mark liquidates are left out.
pub(super) fn triggers(world: &World, market: MarketId) -> Vec<(Price, Position)> {
    let positions = world.accounts.positions().filter(|(_, position)| position.market == market);
    positions.filter_map(|(_, position)| Some((world.liquidation_price(position)?, position.lots))).collect()
}

/// How critical a market is at one moment, for a fall.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Criticality {
    /// Lots of longs that would be liquidated within each window, over the lots bid there [0-]; `None` where nobody bids.
    pub(super) within: [Option<f64>; WINDOWS_BPS.len()],
    /// Mean number of longs that would be liquidated by the fall that selling one of the next hundred causes [0-]; `None` where
    /// no long can be liquidated.
    pub(super) first_generation: Option<f64>,
}

impl Criticality {
    /// Reads it from the world.
    pub(super) fn of(world: &World, market: MarketId) -> Self {
        Self::among(&triggers(world, market), world, market)
    }

    /// Reads it from what [`triggers`] returned and the book.
    pub(super) fn among(triggers: &[(Price, Position)], world: &World, market: MarketId) -> Self {
        let mark = world.mark(market);
        let book = &world.market(market).book;
        let longs = triggers.iter().filter(|(_, lots)| lots.0 > 0);
        let mut longs: Vec<(Price, Qty)> = longs.map(|(trigger, lots)| (*trigger, lots.size())).collect();
        // The nearest first; which of two at one price does not matter, but their lots do.
        longs.sort_unstable_by_key(|(trigger, lots)| (std::cmp::Reverse(*trigger), *lots));
        let above = |price: Price| longs.partition_point(|(trigger, _)| *trigger >= price);
        let within = WINDOWS_BPS.map(|bps| {
            let limit = Price(libm::ceil(mark.0 as f64 * (1.0 - bps / 1e4)) as i64);
            let bids = book.depth_to(Side::Buy, limit);
            let due: Qty = longs[..above(limit)].iter().map(|(_, lots)| *lots).sum();
            (bids > Qty::ZERO).then(|| due.0 as f64 / bids.0 as f64)
        });
        let next = &longs[..NEXT.min(longs.len())];
        let offspring = next.iter().enumerate().map(|(place, (_, lots))| {
            // The best bid after the sale is where one lot more would trade; with no bid left everybody is due.
            let further = book.cost_to_trade(Side::Sell, *lots + Qty(1));
            let bid = further.worst.filter(|_| further.filled > *lots);
            let reached = bid.map_or(longs.len(), above);
            reached - usize::from(place < reached)
        });
        let total: usize = offspring.sum();
        let first_generation = (!next.is_empty()).then(|| total as f64 / next.len() as f64);
        Self { within, first_generation }
    }

    /// Returns its values in the order of their columns.
    pub(super) fn values(self) -> [Option<f64>; WINDOWS_BPS.len() + 1] {
        let [near, middle, far] = self.within;
        [near, middle, far, self.first_generation]
    }
}
