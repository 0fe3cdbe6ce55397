//! Where open positions would be liquidated, over time: what a fall would set free at which price, and how critical that makes
//! the market. It is read from the world at some samples of one run, since a table of every run would be as large as all others
//! together.

use super::criticality::{Criticality, Triggers};
use super::scale::Scale;
use super::tables::{CRITICALITY, LIQUIDATION_MAP};
use super::{Fragment, RowWriter, Table};
use crate::scenario::Scenario;
use crate::units::{MarketId, Time};
use crate::world::World;

/// Samples of a map: as many columns as a figure shows.
const MOST_SAMPLES: i64 = 120;
/// Price bins between nothing and twice the first mark: half a percent each.
const BINS: f64 = 400.0;
/// Bins on either side of the first mark, 30 %: positions with leverage 4 and more lie within.
const REACH: i64 = 60;

/// The map of one run.
pub(super) struct LiquidationMap {
    rows: RowWriter<'static>,
    criticality: RowWriter<'static>,
    market: MarketId,
    triggers: Triggers,
    name: String,
    scale: Scale,
    /// Between two of its samples.
    every: Time,
    next: Time,
    /// First mark in USD, once it is known.
    first: Option<f64>,
}

impl LiquidationMap {
    /// Begins the map of a market.
    pub(super) fn new(scenario: &Scenario, market: MarketId) -> Self {
        let samples = scenario.duration.0.div_euclid(scenario.sample_every.0.max(1)) + 1;
        let per_map = samples.div_euclid(MOST_SAMPLES) + 1;
        Self {
            rows: RowWriter::new(&LIQUIDATION_MAP),
            criticality: RowWriter::new(&CRITICALITY),
            market,
            triggers: Triggers::new(market),
            name: scenario.world.markets[market.index()].name.clone(),
            scale: Scale::of(scenario, market),
            every: Time(scenario.sample_every.0 * per_map),
            next: Time::ZERO,
            first: None,
        }
    }

    /// Sees the market at a sample.
    pub(super) fn sample(&mut self, (cell, replicate): (u32, u32), world: &World, time: Time) {
        if time < self.next {
            return;
        }
        self.next = time + self.every;
        let mark = world.mark(self.market);
        let triggers = self.triggers.read(world);
        let values = Criticality::among(triggers, world, self.market).values();
        let row = self.criticality.row(cell, replicate).time(time).text(self.name.as_str());
        let _ = values.into_iter().fold(row, |row, value| row.number(value));
        let first = *self.first.get_or_insert(self.scale.price(mark));
        let width = first * 2.0 / BINS;
        let lowest = (BINS / 2.0) as i64 - REACH;
        let mut sums = [[0.0; 2]; 2 * REACH as usize];
        for &(trigger, lots) in triggers {
            let bin = libm::floor(self.scale.price(trigger) / width) as i64;
            if let Some(sum) = usize::try_from(bin - lowest).ok().and_then(|bin| sums.get_mut(bin)) {
                sum[usize::from(lots.0 < 0)] += self.scale.worth(mark, lots.size());
            }
        }
        for (bin, [long, short]) in (lowest..).zip(sums).filter(|(_, sum)| sum.iter().any(|usd| *usd > 0.0)) {
            self.rows
                .row(cell, replicate)
                .time(time)
                .text(self.name.as_str())
                .number(bin as f64 * width)
                .number((bin + 1) as f64 * width)
                .number(long)
                .number(short);
        }
    }

    /// Ends the map.
    pub(super) fn finish(self) -> [Fragment; 2] {
        let fragment = |table: &Table<'_>, rows| Fragment { table: table.name.to_owned(), rows };
        [fragment(&LIQUIDATION_MAP, self.rows.finish()), fragment(&CRITICALITY, self.criticality.finish())]
    }
}
