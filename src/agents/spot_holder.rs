//! The spot holder: has coins and cash, and now and then sells a share of the ones or buys with a share of the other. Never on
//! credit: what it sells it has, and what it buys it pays for.
//!
//! One clock for the population at the highest rate that activity may have, thinned. Orders are immediate-or-cancel with a
//! collar around the touch, as venues' market orders in spot are: so a purchase never costs more than there is.

use super::activity::Activity;
use super::{Actions, Decide, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::Rng;
use crate::sampling::{Distribution, Exponential, LogNormal, below, uniform};
use crate::units::{AccountId, MarketId, Price, Qty, Side, Time};

/// How far beyond the touch an order may trade, as a share of it.
const COLLAR: f64 = 0.01;

/// Parameters of a population of spot holders.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SpotHolderSpec {
    /// Where: a spot market.
    pub market: MarketId,
    /// How many accounts.
    pub accounts: u32,
    /// Lots of each at the start.
    pub lots: LogNormal,
    /// Most lots of an account at the start.
    pub lots_cap: f64,
    /// Share of what it has that is cash at the start [0-1).
    pub cash_share: f64,
    /// Rate at which an account trades in a market that does not move, per second.
    pub trade_rate: f64,
    /// Share of the coins, or of the cash, in one trade [0-1].
    pub order_share: f64,
    /// Change of the probability of buying, from one half, for each percent that the price has fallen of late: above 0 they
    /// buy dips, below 0 they sell in panic.
    pub dip_buying: f64,
    /// Half-life of the average that "of late" is measured against.
    pub half_life: Time,
    /// How the rate rises when the market moves.
    pub activity: Activity,
}

/// A population of spot holders on one clock.
#[derive(Clone, Copy, Debug)]
pub struct SpotHolder {
    spec: SpotHolderSpec,
    first: AccountId,
    /// Exponential average of the logarithm of the middle, and when it was brought up to date.
    average: Option<(f64, Time)>,
}

impl SpotHolder {
    /// Makes the population for `spec.accounts` accounts from `first` on that owe nothing.
    pub fn new(spec: SpotHolderSpec, first: AccountId) -> Self {
        Self { spec, first, average: None }
    }

    fn next(&self, rng: &mut Rng, actions: &mut Actions) {
        let rate = f64::from(self.spec.accounts) * self.spec.trade_rate * self.spec.activity.highest();
        if rate > 0.0 {
            actions.wake_after(Time::from_secs_f64(Exponential::new(rate).sample(rng)));
        }
    }

    /// Moves the average on and returns how far the middle is above it, in percent.
    fn risen(&mut self, view: &View<'_>) -> f64 {
        let (log_price, now) = (libm::log(view.mid(self.spec.market)), view.now());
        let (average, looked) = self.average.unwrap_or((log_price, now));
        let keep = libm::exp2(-(now - looked).as_secs_f64() / self.spec.half_life.as_secs_f64());
        let average = average * keep + log_price * (1.0 - keep);
        self.average = Some((average, now));
        100.0 * (log_price - average)
    }

    fn trade(&mut self, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let SpotHolderSpec { market, activity, order_share, .. } = self.spec;
        let account = AccountId(self.first.0 + below(u64::from(self.spec.accounts), rng) as u32);
        let (counts, buys) = (uniform(rng) * activity.highest(), uniform(rng));
        let risen = self.risen(view);
        if counts >= activity.now(view, market) {
            return;
        }
        let side = if buys < 0.5 - self.spec.dip_buying * risen { Side::Buy } else { Side::Sell };
        let Some(best) = view.best(market, side.opposite()) else { return };
        let worst = best.0 as f64 * (1.0 + side.sign() as f64 * COLLAR);
        let worst = Price((libm::rint(worst) as i64).max(1));
        let lots = match side {
            Side::Sell => view.lots(account, market).reducible(Side::Sell).0 as f64 * order_share,
            // A tenth of a percent is left for the fee.
            Side::Buy => {
                let cash = view.free(account).0 as f64 * order_share;
                cash / 1.001 / view.lot_value(market, worst).0 as f64
            }
        };
        let qty = Qty(libm::floor(lots) as i64);
        if qty >= Qty(1) {
            actions.submit(order(account, market, side, qty, limit(worst, TimeInForce::Ioc)));
        }
    }
}

impl Decide for SpotHolder {
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
    use crate::agents::tests::{SPOT, Stage, submitted};
    use crate::rng::{Seed, Stream};

    const ACCOUNTS: u32 = 20;

    fn spec() -> SpotHolderSpec {
        SpotHolderSpec {
            market: SPOT,
            accounts: ACCOUNTS,
            lots: LogNormal::new(1_000.0, 0.0),
            lots_cap: 1_000.0,
            cash_share: 0.5,
            trade_rate: 0.01,
            order_share: 0.1,
            dip_buying: 0.0,
            half_life: Time(3_600 * Time::SECOND.0),
            activity: Activity::STEADY,
        }
    }

    fn stage() -> (Stage, AccountId, Stream) {
        let mut stage = Stage::new();
        let first = AccountId(2);
        for _ in 0..ACCOUNTS {
            let account = stage.open(1_000_000);
            stage.endow(account, 1_000);
        }
        (stage, first, Seed { master: 3, replicate: 0 }.stream("holders"))
    }

    #[test]
    fn a_share_of_the_coins_is_sold_or_a_share_of_the_cash_spent() {
        let (mut stage, first, stream) = stage();
        let (requests, _) = stage.live(&mut SpotHolder::new(spec(), first), stream, 400);
        let sales: Vec<i64> = requests
            .iter()
            .filter_map(submitted)
            .filter(|order| order.side == Side::Sell)
            .map(|order| order.qty.0)
            .collect();
        let purchases = requests.len() - sales.len();
        assert!(sales.len().abs_diff(purchases) < 100 && requests.len() == 399, "{} sales", sales.len());
        assert_eq!(sales[0], 100);
        // A purchase of 100,000 at 1,011 at most, a tenth of a percent left for the fee.
        let first_purchase = requests.iter().filter_map(submitted).find(|order| order.side == Side::Buy);
        assert_eq!(first_purchase.unwrap().qty, Qty(98));
        for index in 0..ACCOUNTS {
            let account = AccountId(first.0 + index);
            assert!(stage.world.accounts.lots(account, SPOT).0 > 0);
            assert!(stage.world.accounts.get(account).cash.0 > 0);
        }
    }

    #[test]
    fn a_fall_of_one_percent_tilts_the_balance_by_the_stated_probability() {
        for (dip_buying, share) in [(0.0, 0.5), (0.3, 0.8), (-0.3, 0.2)] {
            let (mut stage, first, stream) = stage();
            let half_life = Time(1_000_000 * Time::SECOND.0);
            let mut agent = SpotHolder::new(SpotHolderSpec { dip_buying, half_life, ..spec() }, first);
            stage.live(&mut agent, stream, 2);
            stage.quote(990);
            let before = stage.world.accounts.len();
            let (requests, _) = stage.live(&mut agent, stream, 600);
            assert_eq!(stage.world.accounts.len(), before);
            let buys = requests.iter().filter_map(submitted).filter(|order| order.side == Side::Buy).count();
            let found = buys as f64 / requests.len() as f64;
            // Four binomial standard errors of 600 draws.
            assert!((found - share).abs() < 0.08, "{dip_buying}: {found}");
        }
    }
}
