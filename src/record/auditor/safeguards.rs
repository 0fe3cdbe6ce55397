//! Bands and halts by the records: nothing trades, triggers or is liquidated in a halted market, a halt follows a move that is
//! large enough, and where a band is around the mark no order that a book accepts reaches beyond it. A band around an index is
//! not looked at, since no record has the index as it was.

use super::Auditor;
use crate::clearing::LiquidationStyle;
use crate::market::{NewOrder, OrderType};
use crate::units::{AccountId, MarketId, Price, Side, Time};

/// What is known of one market's mark and halts.
#[derive(Clone, Debug, Default)]
pub(super) struct Halts {
    /// Until when it is halted.
    until: Option<i64>,
    /// Marks that have ended since the last halt, with the time of their end; kept where there is a rule.
    past: Vec<(i64, i64)>,
    mark: Option<i64>,
}

impl Auditor {
    /// Tells whether a market was halted at the last record.
    pub(super) fn is_halted(&self, market: MarketId) -> bool {
        self.halts[market.index()].until.is_some_and(|until| self.time < until)
    }

    /// Tells whether the liquidation of a position may pause: its last step ended less than a pause ago.
    pub(super) fn pauses(&self, account: AccountId, market: MarketId) -> bool {
        let venue = self.spec.markets[market.index()].venue;
        let LiquidationStyle::Slow { pause, .. } = self.spec.venues[venue.index()].liquidation.style else {
            return false;
        };
        let ended = self.steps.get(&(account, market));
        ended.is_some_and(|ended| self.time < ended.saturating_add(pause.0))
    }

    /// Tells whether a forced order may trade with the best order of a half: not beyond a band around the mark. One around an index
    /// may be anywhere.
    pub(super) fn is_in_reach(&self, market: MarketId, half: Side, best: i64) -> bool {
        let spec = &self.spec.markets[market.index()];
        let Some(band) = spec.safeguards.price_band else { return true };
        let mark = self.books[market.index()].mark.unwrap_or(spec.initial_price.0) as f64;
        spec.index.is_none()
            && match half {
                Side::Buy => best as f64 >= mark * (1.0 - band.reach),
                Side::Sell => best as f64 <= mark * (1.0 + band.reach),
            }
    }

    /// Checks that a market is not halted.
    pub(super) fn is_open(&mut self, market: MarketId, what: &str) {
        let is_open = !self.is_halted(market);
        self.problems.require(is_open, || format!("{what} in market {market}, which is halted"));
    }

    /// Notes a mark.
    pub(super) fn note_mark(&mut self, market: MarketId, mark: Price) {
        let halts = &mut self.halts[market.index()];
        let Some(rule) = self.spec.markets[market.index()].safeguards.halt else { return };
        let now = self.time;
        if let Some(before) = halts.mark.replace(mark.0)
            && halts.until.is_none_or(|until| now >= until)
        {
            halts.past.push((now, before));
            if halts.past.len().is_power_of_two() {
                halts.past.retain(|(end, _)| end.saturating_add(rule.window.0) >= now);
            }
        }
    }

    /// Checks that a mark of the window is further away than the rule allows, and notes the halt.
    pub(super) fn halt(&mut self, market: MarketId, until: Time) {
        self.is_open(market, "a halt begins");
        let now = self.time;
        let rule = self.spec.markets[market.index()].safeguards.halt;
        let halts = &mut self.halts[market.index()];
        let is_far = rule.zip(halts.mark).is_some_and(|(rule, mark)| {
            until.0 == now.saturating_add(rule.pause.0)
                && halts.past.iter().filter(|(end, _)| end.saturating_add(rule.window.0) >= now).any(
                    |(_, past)| {
                        let moved = i128::from((past - mark).abs()) * 1_000_000_000;
                        moved > i128::from(*past) * i128::from(rule.reach.0)
                    },
                )
        });
        *halts = Halts { until: Some(until.0), past: Vec::new(), mark: halts.mark };
        self.problems.require(is_far, || format!("market {market} is halted without a move"));
    }

    /// Checks that an accepted order reaches no further than the band.
    pub(super) fn is_within_band(&mut self, market: MarketId, order: &NewOrder) {
        self.is_open(market, "an order is accepted");
        let spec = &self.spec.markets[market.index()];
        let (Some(band), None) = (spec.safeguards.price_band, spec.index) else { return };
        let mark = self.books[market.index()].mark.unwrap_or(spec.initial_price.0);
        let share = 1.0 + band.reach * order.side.sign() as f64;
        let border = (mark as f64) * share;
        let worst = match order.order_type {
            OrderType::Limit { price, .. } => Some(price),
            OrderType::Market { worst } => worst,
        };
        let is_within = worst.is_some_and(|Price(worst)| match order.side {
            Side::Buy => (worst as f64) <= border,
            // No price is below one tick, however wide the band.
            Side::Sell => worst == 1 || (worst as f64) >= border,
        });
        self.problems.require(is_within, || format!("{order:?} reaches beyond the band, {border}"));
    }
}
