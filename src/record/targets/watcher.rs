//! Hears a run for the statistics of its targets.

use super::super::scale::Scale;
use super::{Accumulator, Feed, LiquidatedSide, Look, Sample, Target};
use crate::event::{Event, Observer, Record};
use crate::market::{Book as _, BookEvent};
use crate::scenario::Scenario;
use crate::units::{MarketId, Position, Price, Side, Time};
use crate::world::World;

/// Watches one run for its targets, the burn-in included.
pub struct Watcher {
    scales: Vec<Scale>,
    watched: Vec<Watched>,
    /// Size and mark of the liquidation that is in progress.
    forced: Option<(Position, Price)>,
}

struct Watched {
    market: MarketId,
    feed: Feed,
    scale: f64,
    has_normal: bool,
    accumulator: Box<dyn Accumulator>,
}

impl Watcher {
    /// Makes the watcher of a run.
    pub fn new(scenario: &Scenario, targets: &[Target]) -> Self {
        let markets = 0..scenario.world.markets.len() as u16;
        let watched = targets.iter().map(|target| Watched {
            market: target.market,
            feed: target.statistic.feed,
            scale: target.scale,
            has_normal: target.statistic.has_normal,
            accumulator: target.statistic.begin(target.window, target.reference),
        });
        Self {
            scales: markets.map(|market| Scale::of(scenario, MarketId(market))).collect(),
            watched: watched.collect(),
            forced: None,
        }
    }

    /// Sees the market. Call it when the burn-in begins, then at equal distances.
    pub fn sample(&mut self, world: &World, time: Time) {
        for watched in self.watched.iter_mut().filter(|watched| watched.feed == Feed::Samples) {
            let market = Seen { world, market: watched.market, scale: self.scales[watched.market.index()] };
            watched.accumulator.sample(&Sample { time, market: &market });
        }
    }

    /// Ends the watch: one value a target, in their order, times its scale; then what was normal, for those targets whose
    /// statistic is held against that.
    pub fn finish(self) -> Vec<Option<f64>> {
        let value = |one: &Watched| one.accumulator.value().map(|value| value * one.scale);
        let held = self.watched.iter().filter(|one| one.has_normal);
        self.watched.iter().map(value).chain(held.map(|one| one.accumulator.normal())).collect()
    }

    fn listeners(&mut self, feed: Feed, market: MarketId) -> impl Iterator<Item = &mut Box<dyn Accumulator>> {
        let wanted = move |watched: &&mut Watched| watched.feed == feed && watched.market == market;
        self.watched.iter_mut().filter(wanted).map(|watched| &mut watched.accumulator)
    }

    #[inline(never)]
    fn marked(&mut self, time: Time, market: MarketId, mark: Price) {
        let usd = self.scales[market.index()].price(mark);
        self.listeners(Feed::Price, market).for_each(|one| one.mark(time, usd));
    }

    #[inline(never)]
    fn traded(&mut self, time: Time, market: MarketId, usd: f64) {
        self.listeners(Feed::Trades, market).for_each(|one| one.trade(time, usd));
    }

    #[inline(never)]
    fn liquidated(&mut self, time: Time, market: MarketId, left: Position) {
        let Some((lots, mark)) = self.forced.take() else { return };
        let usd = self.scales[market.index()].worth(mark, lots.size() - left.size());
        let side = if lots.0 > 0 { LiquidatedSide::Long } else { LiquidatedSide::Short };
        self.listeners(Feed::Liquidations, market).for_each(|one| one.liquidated(time, side, usd));
    }
}

impl Observer for Watcher {
    #[allow(
        clippy::inline_always,
        reason = "as for the recorder: most kinds leave nothing where they are said"
    )]
    #[inline(always)]
    fn on(&mut self, record: &Record) {
        match record.event {
            Event::Mark { market, mark, .. } | Event::IndexMark { market, mark, .. } => {
                self.marked(record.time, market, mark);
            }
            Event::Book { market, event: BookEvent::Trade(trade) } => {
                let usd = self.scales[market.index()].worth(trade.price, trade.qty);
                self.traded(record.time, market, usd);
            }
            Event::Liquidation { lots, mark, .. } => self.forced = Some((lots, mark)),
            Event::Liquidated { market, left, .. } => self.liquidated(record.time, market, left),
            _ => {}
        }
    }
}

/// One market of the world.
struct Seen<'a> {
    world: &'a World,
    market: MarketId,
    scale: Scale,
}

impl Look for Seen<'_> {
    fn mark_usd(&self) -> f64 {
        self.scale.price(self.world.mark(self.market))
    }

    fn depth_usd(&self, side: Side, bps: f64) -> f64 {
        let qty = self.world.market(self.market).book.depth_within(side, bps);
        self.scale.worth(self.world.mark(self.market), qty)
    }

    fn spread_bps(&self) -> Option<f64> {
        let book = &self.world.market(self.market).book;
        let [bid, ask] = [book.best(Side::Buy)?, book.best(Side::Sell)?].map(|price| price.0 as f64);
        Some((ask - bid) / (ask + bid) * 2e4)
    }

    fn premium_bps(&self) -> Option<f64> {
        let market = self.world.market(self.market);
        let (index, twice) = market.reference.index.zip(market.book.mid_twice())?;
        Some((twice as f64 / 2.0 / index - 1.0) * 1e4)
    }

    fn funding_rate_pct(&self) -> Option<f64> {
        let rules = &self.world.spec.markets[self.market.index()];
        rules.funding.map(|_| self.world.market(self.market).reference.funding_rate * 100.0)
    }

    fn open_interest_coins(&self) -> f64 {
        self.scale.coins(self.world.open_interest(self.market) as f64)
    }
}
