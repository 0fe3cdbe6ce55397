//! Conversions of one market from integers to the units of tables.

use crate::scenario::Scenario;
use crate::units::{MarketId, Money, Price, Qty};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A decimal step as a fraction, so that a multiple of it is the number nearest to the decimal: 99,968 steps of .1 are 9996.8, where
/// the product of the two numbers is 9996.800000000001.
#[derive(Clone, Copy, Debug)]
struct Step {
    over: f64,
    under: f64,
}

impl Step {
    fn of(step: Decimal) -> Self {
        let under = libm::pow(10.0, f64::from(step.scale()));
        Self { over: step.mantissa().to_f64().unwrap_or(f64::NAN), under }
    }

    fn times(self, count: f64) -> f64 {
        count * self.over / self.under
    }
}

/// What a tick, a lot and a unit of money are in coins and USD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// USD a tick.
    tick: Step,
    /// Coins a lot.
    lot: Step,
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
        let [tick, lot] = [spec.tick, spec.lot].map(Step::of);
        Self { tick, lot, value: spec.contract.value(Price(1), Qty(1)).0 as f64 * money, money }
    }

    /// Returns a price in USD.
    pub(super) fn price(&self, price: Price) -> f64 {
        self.usd_of_ticks(price.0 as f64)
    }

    /// Returns so many ticks, or a part of one, in USD.
    pub(super) fn usd_of_ticks(&self, ticks: f64) -> f64 {
        self.tick.times(ticks)
    }

    /// Returns so many lots in coins.
    pub(super) fn coins(&self, lots: f64) -> f64 {
        self.lot.times(lots)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiple_of_a_step_is_the_number_nearest_to_the_decimal() {
        let of = |step: &str, count: i64| Step::of(step.parse().unwrap()).times(count as f64);
        assert_eq!(of("0.1", 99_968).to_string(), "9996.8");
        assert_eq!(of("0.001", 3).to_string(), "0.003");
        assert_eq!(of("0.25", 7).to_string(), "1.75");
        assert_eq!(of("5", 3).to_string(), "15");
    }
}
