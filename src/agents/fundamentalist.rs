//! The fundamentalist and dip buyer: trades slowly towards a value of its own with bounded capital
//! (Chiarella, Iori 2002; Majewski, Ciliberti, Bouchaud 2020). Unlevered, so its longs can never be liquidated.

use super::{Actions, Decide, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::{Rng, Stream};
use crate::sampling::{Exponential, Normal, below};
use crate::units::{AccountId, MarketId, Money, Price, Qty, Side, Time};
use rand_distr::Distribution;

/// Parameters of a population of fundamentalists.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FundamentalistSpec {
    /// Where.
    pub market: MarketId,
    /// How many accounts.
    pub accounts: u32,
    /// Cash of each at the start, in whole units of the settlement asset.
    pub capital: f64,
    /// Standard deviation of own value around the fundamental, in hundredths of a percent.
    pub value_noise_bps: f64,
    /// How far the price must be from own value before it trades, in hundredths of a percent.
    pub threshold_bps: f64,
    /// Notional of one order, in money of the settlement asset's smallest unit; one lot at least.
    pub order: Money,
    /// Mean time between two looks of one account.
    pub mean_interval: Time,
    /// Whether it also sells short above its value; a dip buyer only sells what it bought.
    pub short: bool,
}

/// A population of fundamentalists on one clock.
#[derive(Clone, Copy, Debug)]
pub struct Fundamentalist {
    spec: FundamentalistSpec,
    first: AccountId,
    /// Per-account constants are drawn from here whenever they are needed, so nothing is stored.
    traits: Stream,
}

impl Fundamentalist {
    /// Makes the population for `spec.accounts` margined accounts from `first` on.
    pub fn new(spec: FundamentalistSpec, first: AccountId, traits: Stream) -> Self {
        Self { spec, first, traits }
    }

    fn next(&self, rng: &mut Rng, actions: &mut Actions) {
        let rate = f64::from(self.spec.accounts) / self.spec.mean_interval.as_secs_f64();
        if rate > 0.0 {
            actions.wake_after(Time::from_secs_f64(Exponential::new(rate).sample(rng)));
        }
    }

    fn trade(&self, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let market = self.spec.market;
        let index = below(u64::from(self.spec.accounts), rng);
        let account = AccountId(self.first.0 + index as u32);
        let noise = Normal::new(0.0, self.spec.value_noise_bps / 1e4);
        let value = view.fundamental(market) * libm::exp(noise.sample(&mut self.traits.draw(index, 0)));
        let band = self.spec.threshold_bps / 1e4;
        let lots = view.lots(account, market);
        let (bid, ask) = (view.best(market, Side::Buy), view.best(market, Side::Sell));
        let floor = Price(libm::floor(value * (1.0 - band)) as i64);
        let ceiling = Price(libm::ceil(value * (1.0 + band)) as i64);
        let (side, price) = if ask.is_some_and(|ask| ask <= floor) {
            (Side::Buy, floor)
        } else if bid.is_some_and(|bid| bid >= ceiling) {
            (Side::Sell, ceiling)
        } else {
            return;
        };
        let lot_value = view.lot_value(market, price).0 as f64;
        if lot_value <= 0.0 {
            return;
        }
        let size = self.spec.order.0 as f64 / lot_value;
        let closing = lots.reducible(side);
        // Opening is bounded by the free balance, with a hundredth kept for fees; closing by what there is to close.
        let affordable = view.free(account).0 as f64 * 0.99 / lot_value;
        let mut qty = (libm::floor(size) as i64).max(1);
        if closing.is_zero() {
            qty = qty.min(libm::floor(affordable) as i64);
            if side == Side::Sell && !self.spec.short {
                return;
            }
        } else {
            qty = qty.min(closing.0);
        }
        if qty >= 1 {
            let tif = TimeInForce::Ioc;
            let mut order = order(account, market, side, Qty(qty), limit(price, tif));
            order.reduce_only = !closing.is_zero();
            actions.submit(order);
        }
    }
}

impl Decide for Fundamentalist {
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        if wake == Wake::Timer {
            self.trade(view, rng, actions);
        }
        self.next(rng, actions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, Stage, submitted};
    use crate::rng::Seed;

    #[test]
    fn an_order_is_as_large_as_stated_and_never_less_than_a_lot() {
        // Quotes at 1,000 and 20 % below the value that all of them have.
        for (order, lots) in [(25_000, 22), (500, 1)] {
            let mut stage = Stage::new();
            let first = stage.open(1_000_000);
            stage.world.markets[PERP.index()].fundamental = 1_250.0;
            let spec = FundamentalistSpec {
                market: PERP,
                accounts: 1,
                capital: 1_000_000.0,
                value_noise_bps: 0.0,
                threshold_bps: 1_000.0,
                order: Money(order),
                mean_interval: Time::SECOND,
                short: false,
            };
            let stream = Seed { master: 3, replicate: 0 }.stream("value");
            let mut agent = Fundamentalist::new(spec, first, stream);
            let mut rng = stream.draw(0, 1);
            let (requests, _) = stage.wake(&mut agent, Wake::Timer, &mut rng);
            let order = submitted(&requests[0]).unwrap();
            // What it would pay at most is 1,125 a lot.
            assert_eq!((order.side, order.qty), (Side::Buy, Qty(lots)));
        }
    }
}
