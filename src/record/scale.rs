//! Conversions of one market from integers to the units of tables.

use crate::scenario::Scenario;
use crate::units::{MarketId, Money, Price, Qty};
use rust_decimal::prelude::ToPrimitive;

/// What a tick, a lot and a unit of money are in coins and USD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// USD a tick.
    pub(super) tick: f64,
    /// Coins a lot.
    pub(super) lot: f64,
    /// USD a tick and lot.
    pub(super) value: f64,
    /// USD a unit of the settlement asset.
    pub(super) money: f64,
}

impl Scale {
    /// Reads the scale of a market.
    pub(super) fn of(scenario: &Scenario, market: MarketId) -> Self {
        let (spec, venue) = scenario.world.of(market);
        let money = 1.0 / scenario.world.assets[venue.settlement.index()].units_per_coin as f64;
        let [tick, lot] = [spec.tick, spec.lot].map(|value| value.to_f64().unwrap_or(f64::NAN));
        Self { tick, lot, value: spec.contract.value(Price(1), Qty(1)).0 as f64 * money, money }
    }

    /// Returns a price in USD.
    pub(super) fn price(&self, price: Price) -> f64 {
        price.0 as f64 * self.tick
    }

    /// Returns the worth of lots at a price in USD.
    pub(super) fn worth(&self, price: Price, qty: Qty) -> f64 {
        self.value * price.0 as f64 * qty.0 as f64
    }

    /// Returns money in USD.
    pub(super) fn usd(&self, money: Money) -> f64 {
        money.0 as f64 * self.money
    }
}
