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

use crate::clearing::{MarginMode, OpenPosition};
use crate::market::Book;
use crate::units::{MarketId, Money, Position, Price, Qty, Side};
use crate::world::World;

/// Windows below the mark, in hundredths of a percent: the depths that venues and papers quote, and a crash.
pub(super) const WINDOWS_BPS: [f64; 3] = [100.0, 200.0, 500.0];

/// Longs that are sold one by one in thought: the nearest to their liquidation, since those would be next.
const NEXT: usize = 100;

/// Where the positions of a market would be liquidated. What was found is kept, as most positions are what they were when one
/// asks again.
pub(super) struct Triggers {
    market: MarketId,
    known: Vec<Known>,
    found: Vec<(Price, Position)>,
}

/// All of a position that its trigger depends on, and that.
#[derive(Clone, Copy, Default)]
struct Known {
    lots: Position,
    cost: Money,
    margin: Money,
    trigger: Option<Price>,
}

impl Triggers {
    /// Knows nothing yet.
    pub(super) fn new(market: MarketId) -> Self {
        Self { market, known: Vec::new(), found: Vec::new() }
    }

    /// Returns where each isolated position would be liquidated, with its lots; those that no mark liquidates are left out.
    pub(super) fn read(&mut self, world: &World) -> &[(Price, Position)] {
        self.found.clear();
        for (place, (_, position)) in world.accounts.positions().enumerate() {
            let OpenPosition { lots, cost, margin, .. } = *position;
            if place == self.known.len() {
                self.known.push(Known::default());
            }
            let known = &mut self.known[place];
            if lots.is_zero() || position.market != self.market || position.mode != MarginMode::Isolated {
                continue;
            }
            // Whoever else was at this place, its trigger was the same if these are.
            if (known.lots, known.cost, known.margin) != (lots, cost, margin) {
                *known = Known { lots, cost, margin, trigger: world.liquidation_price(position) };
            }
            self.found.extend(known.trigger.map(|trigger| (trigger, lots)));
        }
        &self.found
    }
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
        Self::among(Triggers::new(market).read(world), world, market)
    }

    /// Reads it from where the positions would be liquidated and the book.
    pub(super) fn among(triggers: &[(Price, Position)], world: &World, market: MarketId) -> Self {
        let mark = world.mark(market);
        let book = &world.market(market).book;
        let longs = triggers.iter().filter(|(_, lots)| lots.0 > 0);
        let mut longs: Vec<(Price, Qty)> = longs.map(|(trigger, lots)| (*trigger, lots.size())).collect();
        let within = WINDOWS_BPS.map(|bps| {
            let limit = Price(libm::ceil(mark.0 as f64 * (1.0 - bps / 1e4)) as i64);
            let bids = book.depth_to(Side::Buy, limit);
            let due = longs.iter().filter(|(trigger, _)| *trigger >= limit);
            let due: Qty = due.map(|(_, lots)| *lots).sum();
            (bids > Qty::ZERO).then(|| due.0 as f64 / bids.0 as f64)
        });
        // The nearest; which of two at one price does not matter, but their lots do.
        let order = |(trigger, lots): &(Price, Qty)| (std::cmp::Reverse(*trigger), *lots);
        if longs.len() > NEXT {
            longs.select_nth_unstable_by_key(NEXT, order);
        }
        let count = NEXT.min(longs.len());
        let (next, others) = longs.split_at_mut(count);
        next.sort_unstable_by_key(order);
        // The best bid after a sale is where one lot more would trade; with no bid left everybody is due.
        let bids = next.iter().map(|(_, lots)| {
            let further = book.cost_to_trade(Side::Sell, *lots + Qty(1));
            further.worst.filter(|_| further.filled > *lots).unwrap_or(Price::ZERO)
        });
        let bids: Vec<Price> = bids.collect();
        let lowest = bids.iter().copied().min().unwrap_or(Price::ZERO);
        let mut reached: Vec<Price> = next
            .iter()
            .chain(&*others)
            .map(|(trigger, _)| *trigger)
            .filter(|trigger| *trigger >= lowest)
            .collect();
        reached.sort_unstable_by_key(|trigger| std::cmp::Reverse(*trigger));
        let offspring = bids.iter().enumerate().map(|(place, bid)| {
            let reached = reached.partition_point(|trigger| trigger >= bid);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Simulation;
    use crate::rng::Seed;
    use crate::scenario::{Document, check, shipped};
    use crate::units::Time;

    /// The definition, with everybody in order.
    fn plain(triggers: &[(Price, Position)], world: &World, market: MarketId) -> Criticality {
        let book = &world.market(market).book;
        let mut longs = triggers.to_vec();
        longs.retain(|(_, lots)| lots.0 > 0);
        longs.sort_by_key(|(trigger, lots)| (std::cmp::Reverse(*trigger), lots.size()));
        let above = |price: Price| longs.iter().take_while(|(trigger, _)| *trigger >= price).count();
        let within = WINDOWS_BPS.map(|bps| {
            let limit = Price(libm::ceil(world.mark(market).0 as f64 * (1.0 - bps / 1e4)) as i64);
            let due: i64 = longs[..above(limit)].iter().map(|(_, lots)| lots.0).sum();
            let bids = book.levels(Side::Buy).take_while(|(price, _)| *price >= limit);
            let bids: i64 = bids.map(|(_, lots)| lots.0).sum();
            (bids > 0).then(|| due as f64 / bids as f64)
        });
        let next = longs.iter().take(NEXT).enumerate();
        let offspring: Vec<usize> = next
            .map(|(place, (_, lots))| {
                let mut left = lots.0;
                let bid = book.levels(Side::Buy).find(|(_, bid)| {
                    left -= bid.0;
                    left < 0
                });
                let reached = bid.map_or(longs.len(), |(price, _)| above(price));
                reached - usize::from(place < reached)
            })
            .collect();
        let mean = offspring.iter().sum::<usize>() as f64 / offspring.len() as f64;
        Criticality { within, first_generation: (!offspring.is_empty()).then_some(mean) }
    }

    #[test]
    fn what_is_kept_and_who_is_left_out_of_order_change_nothing() {
        let text = shipped::find("long-squeeze").expect("it is shipped").text;
        let document = Document::parse("long-squeeze", text.as_bytes()).expect("it is TOML");
        let scenario = check(&document, "long-squeeze").expect("it is right");
        let mut simulation = Simulation::new(&scenario, Seed { master: 3, replicate: 0 }, &mut ());
        let market = MarketId(0);
        let mut kept = Triggers::new(market);
        let (mut seen, mut moments) = (Vec::new(), 0);
        let mut time = Time::ZERO - scenario.burn_in;
        while time < scenario.duration {
            time = (time + scenario.sample_every).min(scenario.duration);
            simulation.step_until(time, &mut ());
            moments += 1;
            if moments % 20 != 0 {
                continue;
            }
            let world = simulation.world();
            let triggers = kept.read(world).to_vec();
            let every = world.accounts.positions().filter(|(_, position)| position.market == market);
            let every =
                every.filter_map(|(_, position)| Some((world.liquidation_price(position)?, position.lots)));
            assert_eq!(triggers, every.collect::<Vec<_>>());
            let is = Criticality::among(&triggers, world, market);
            assert_eq!(is, plain(&triggers, world, market));
            assert_eq!(is, Criticality::of(world, market));
            // Of few, all are looked at one by one.
            for few in [0, 1, NEXT, NEXT + 1] {
                let few = &triggers[..few];
                assert_eq!(Criticality::among(few, world, market), plain(few, world, market));
            }
            seen.extend(is.first_generation);
        }
        assert!(seen.len() > 30 && seen.iter().any(|mean| *mean > 0.0), "{seen:?}");
    }
}
