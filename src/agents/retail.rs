//! Leveraged retail: accounts that open at random with a leverage from the venue's distribution and close at random.
//! One clock for the whole population (superposition of Poisson processes): an idle account costs nothing.

use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::Rng;
use crate::sampling::{Exponential, Weighted, below, happens, uniform};
use crate::units::{AccountId, MarketId, Money, Price, Qty, Side, Time};
use rand_distr::Distribution;

/// Parameters of a retail population.
#[derive(Clone, PartialEq, Debug)]
pub struct RetailSpec {
    /// Where.
    pub market: MarketId,
    /// How many accounts.
    pub accounts: u32,
    /// Leverages to choose from, each at least 1.
    pub leverages: Vec<u16>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// Share of new positions that are long [0-1].
    pub long_share: f64,
    /// Rate at which an account without a position opens one, per second.
    pub open_rate: f64,
    /// Rate at which an account with a position closes it, per second.
    pub close_rate: f64,
    /// Share of the free balance put behind a new position [0-1].
    pub stake: f64,
}

/// A retail population on one clock.
#[derive(Clone, Debug)]
pub struct Retail {
    spec: RetailSpec,
    first: AccountId,
    leverage: Weighted,
}

impl Retail {
    /// Makes the population for `spec.accounts` margined accounts from `first` on.
    pub fn new(spec: RetailSpec, first: AccountId) -> Self {
        Self { leverage: Weighted::new(&spec.weights), spec, first }
    }

    /// The clock runs at the higher of the two rates for every account; the slower decision is thinned.
    fn next(&self, rng: &mut Rng, actions: &mut Actions) {
        let rate = f64::from(self.spec.accounts) * self.spec.open_rate.max(self.spec.close_rate);
        if rate > 0.0 {
            actions.wake_after(Time::from_secs_f64(Exponential::new(rate).sample(rng)));
        }
    }

    fn trade(&self, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let market = self.spec.market;
        let account = AccountId(self.first.0 + below(u64::from(self.spec.accounts), rng) as u32);
        let top = self.spec.open_rate.max(self.spec.close_rate);
        let (chance, long) = (uniform(rng), happens(self.spec.long_share, rng));
        let leverage = self.spec.leverages[self.leverage.sample(rng)];
        let lots = view.lots(account, market);
        if let Some(side) = lots.side() {
            if chance < self.spec.close_rate / top {
                let mut order = order(account, market, side.opposite(), lots.size(), MARKET);
                order.reduce_only = true;
                actions.submit(order);
            }
        } else if chance < self.spec.open_rate / top {
            let side = if long { Side::Buy } else { Side::Sell };
            let price = view.best(market, side.opposite()).unwrap_or_else(|| view.mark(market));
            self.open(view, account, side, price, leverage, actions);
        }
    }

    fn open(
        &self,
        view: &View<'_>,
        account: AccountId,
        side: Side,
        price: Price,
        leverage: u16,
        actions: &mut Actions,
    ) {
        let market = self.spec.market;
        let lot_value = view.lot_value(market, price).0 as f64;
        let stake = view.free(account).0 as f64 * self.spec.stake;
        // One in five hundred of the notional is kept for fees and slippage, times leverage as both scale with it.
        let notional = stake * f64::from(leverage) / (1.0 + 0.002 * f64::from(leverage));
        let leverage = leverage.min(view.max_leverage(market, Money(notional as i64)));
        let qty = libm::floor(notional / lot_value) as i64;
        if lot_value > 0.0 && qty >= 1 {
            let mut order = order(account, market, side, Qty(qty), MARKET);
            order.leverage = leverage;
            actions.submit(order);
        }
    }
}

impl Decide for Retail {
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        if wake == Wake::Timer {
            self.trade(view, rng, actions);
        }
        self.next(rng, actions);
    }
}
