//! The trend follower: buys what has risen and sells what has fallen, up to a bound (Majewski, Ciliberti, Bouchaud 2020: demand
//! proportional to the hyperbolic tangent of an exponential average of returns), with leverage, and so can be liquidated.
//!
//! The signal of an account is `S = sum of returns x 2^(-age / half-life)`, of which a random walk of volatility s per square
//! root of an hour has the standard deviation `s sqrt(tau / 2)`, tau = half-life / ln 2 in hours. Its target is
//! `wealth x leverage x tanh(gain x S / that)`, and it trades the difference at market when that is worth the while.
//!
//! One clock for the population; an account brings its signal up to date when it looks, as if the return since its last look
//! had come in the middle of the time. What can go wrong: looks that are rarer than the half-life see little of the path.

use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::{Rng, Stream};
use crate::sampling::{Distribution, Exponential, LogNormal, below};
use crate::units::{AccountId, MarketId, Money, Position, Qty, Side, Time};

/// Parameters of a population of trend followers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TrendFollowerSpec {
    /// Where: a perpetual.
    pub market: MarketId,
    /// How many accounts.
    pub accounts: u32,
    /// Capital of each at the start, in units of the settlement asset.
    pub capital: f64,
    /// Leverage of its positions, and bound of their notional over what the account is worth; at least 1.
    pub leverage: u16,
    /// Half-life of the signal in seconds, drawn once for each account.
    pub half_life_s: LogNormal,
    /// How strongly it responds: at 1 a signal of one standard deviation asks for three quarters of the largest position.
    pub gain: f64,
    /// Volatility that the signal is measured in: standard deviation of the logarithm per square root of an hour.
    pub volatility: f64,
    /// Smallest trade, as a share of the largest position [0-1].
    pub threshold: f64,
    /// Mean time between two looks of one account.
    pub mean_interval: Time,
}

/// What an account remembers.
#[derive(Clone, Copy, Debug)]
struct Memory {
    signal: f64,
    log_price: f64,
    looked: Time,
}

/// A population of trend followers on one clock.
#[derive(Clone, Debug)]
pub struct TrendFollower {
    spec: TrendFollowerSpec,
    first: AccountId,
    /// Half-lives are drawn from here whenever they are needed.
    traits: Stream,
    memories: Vec<Option<Memory>>,
}

impl TrendFollower {
    /// Makes the population for `spec.accounts` margined accounts from `first` on.
    pub fn new(spec: TrendFollowerSpec, first: AccountId, traits: Stream) -> Self {
        Self { memories: vec![None; spec.accounts as usize], spec, first, traits }
    }

    fn next(&self, rng: &mut Rng, actions: &mut Actions) {
        let rate = f64::from(self.spec.accounts) / self.spec.mean_interval.as_secs_f64();
        actions.wake_after(Time::from_secs_f64(Exponential::new(rate).sample(rng)));
    }

    /// Brings an account's signal up to date and returns it in its standard deviations; 0 at the first look.
    fn signal(&mut self, index: u64, view: &View<'_>) -> f64 {
        let log_price = libm::log(view.mid(self.spec.market));
        let looked = view.now();
        let half_life = self.spec.half_life_s.sample(&mut self.traits.draw(index, 0));
        let slot = &mut self.memories[index as usize];
        let signal = slot.map_or(0.0, |before| {
            let half_way = libm::exp2(-0.5 * (looked - before.looked).as_secs_f64() / half_life);
            (before.signal * half_way + log_price - before.log_price) * half_way
        });
        *slot = Some(Memory { signal, log_price, looked });
        let tau = half_life / core::f64::consts::LN_2 / 3_600.0;
        signal / (self.spec.volatility * (0.5 * tau).sqrt())
    }

    fn trade(&mut self, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let index = below(u64::from(self.spec.accounts), rng);
        let signal = self.signal(index, view);
        let TrendFollowerSpec { market, gain, threshold, .. } = self.spec;
        let account = AccountId(self.first.0 + index as u32);
        let lot_value = view.lot_value(market, view.mark(market)).0 as f64;
        let wealth = (view.free(account) + view.equity(account, market)).0 as f64;
        // One in five hundred of the notional is kept for fees and slippage, times leverage as both scale with it.
        let leverage = f64::from(self.leverage(view));
        let largest = wealth * leverage / (1.0 + 0.002 * leverage) / lot_value;
        if largest.is_nan() || largest < 1.0 {
            return;
        }
        let target = Position(libm::rint(largest * libm::tanh(gain * signal)) as i64);
        let lots = view.lots(account, market);
        let difference = target - lots;
        let Some(side) = difference.side() else { return };
        if (difference.size().0 as f64) < threshold * largest {
            return;
        }
        let closing = lots.reducible(side).min(difference.size());
        if !closing.is_zero() {
            let mut close = order(account, market, side, closing, MARKET);
            close.reduce_only = true;
            actions.submit(close);
        }
        // What turns a position round opens at the next look, with the margin that closing set free.
        if closing == Qty::ZERO {
            self.open(account, side, difference.size(), view, actions);
        }
    }

    /// Returns the leverage that it would have, as far as it is on offer.
    fn leverage(&self, view: &View<'_>) -> u16 {
        self.spec.leverage.min(view.leverage_on_offer(self.spec.market))
    }

    /// Opens or adds to a position, no more than free cash backs.
    fn open(&self, account: AccountId, side: Side, qty: Qty, view: &View<'_>, actions: &mut Actions) {
        let market = self.spec.market;
        let price = view.best(market, side.opposite()).unwrap_or_else(|| view.mark(market));
        let lot_value = view.lot_value(market, price.max(view.mark(market))).0 as f64;
        let leverage = f64::from(self.leverage(view));
        let backed = view.free(account).0 as f64 * leverage / (1.0 + 0.002 * leverage);
        let qty = qty.min(Qty(libm::floor(backed / lot_value) as i64));
        if qty < Qty(1) {
            return;
        }
        let lots = view.lots(account, market) + qty.signed(side);
        let notional = Money((lots.size().0 as f64 * lot_value) as i64);
        let mut opening = order(account, market, side, qty, MARKET);
        opening.leverage = self.spec.leverage.min(view.max_leverage(market, notional));
        actions.submit(opening);
    }
}

impl Decide for TrendFollower {
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
    use crate::world::Order;

    /// A half-life of 25 seconds: tau is a hundredth of an hour.
    fn spec() -> TrendFollowerSpec {
        TrendFollowerSpec {
            market: PERP,
            accounts: 1,
            capital: 1_000_000.0,
            leverage: 5,
            half_life_s: LogNormal::new(36.0 * core::f64::consts::LN_2, 0.0),
            gain: 1.0,
            volatility: 1.0,
            threshold: 0.05,
            mean_interval: Time::SECOND,
        }
    }

    /// Looks once at each middle, five seconds apart, and returns the order of the last look.
    fn look(stage: &mut Stage, agent: &mut TrendFollower, middles: &[i64]) -> Option<Order> {
        let stream = Seed { master: 2, replicate: 0 }.stream("trend");
        let mut last = None;
        for middle in middles {
            stage.quote(*middle);
            stage.observe();
            let (requests, _) = stage.wake(agent, Wake::Timer, &mut stream.draw(0, 1));
            last = requests.first().and_then(submitted).copied();
        }
        last
    }

    #[test]
    fn demand_is_the_bounded_response_to_the_discounted_return() {
        let mut stage = Stage::new();
        let first = stage.open(1_000_000);
        let traits = Seed { master: 2, replicate: 0 }.stream("traits");
        for (middles, sign) in [([1_000, 1_000, 1_100, 1_100], 1.0), ([1_000, 1_000, 900, 900], -1.0)] {
            let mut agent = TrendFollower::new(spec(), first, traits);
            let order = look(&mut stage, &mut agent, &middles).expect("it moved");
            // Half of five seconds of discount at the move and five at the look after it; a standard deviation is
            // sqrt(.005). At a leverage of 5, 1 % is kept.
            let signal = libm::log(middles[3] as f64 / 1_000.0) * libm::exp(-7.5 / 36.0);
            let target = 5_000_000.0 / 1.01 * libm::tanh(signal / 0.005_f64.sqrt());
            // The mark is the last trade held between the quotes, one tick from the middle.
            let notional = order.qty.0 as f64 * middles[3] as f64 * order.side.sign() as f64;
            assert!((notional / target - 1.0).abs() < 0.003, "{notional} against {target}");
            assert!(order.side.sign() as f64 * sign > 0.0 && order.leverage == 5, "{order:?}");
        }
    }

    #[test]
    fn small_differences_are_left_alone_and_a_position_is_closed_before_it_turns_round() {
        let mut stage = Stage::new();
        let first = stage.open(1_000_000);
        let traits = Seed { master: 2, replicate: 0 }.stream("traits");
        let mut agent = TrendFollower::new(spec(), first, traits);
        // A return of .2 % asks for 2 % of the largest position.
        assert_eq!(look(&mut stage, &mut agent, &[1_000, 1_002]), None);
        stage.seed(first, 500, 5);
        let mut agent = TrendFollower::new(spec(), first, traits);
        let order = look(&mut stage, &mut agent, &[1_000, 900]).expect("it moved");
        assert_eq!((order.side, order.qty, order.reduce_only), (Side::Sell, Qty(500), true));
    }
}
