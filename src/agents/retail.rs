//! Leveraged retail: accounts that open at random with a leverage from the venue's distribution and close at random.
//! One clock for the whole population (superposition of Poisson processes): an idle account costs nothing. It ticks at the
//! highest rate that any account may have and is thinned (`activity`).

use super::activity::{Activity, known_for};
use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::{Rng, Stream};
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
    /// How both rates rise when the market moves.
    pub activity: Activity,
}

/// What a tick of the clock may bring.
#[derive(Clone, Copy, Debug)]
struct Tick {
    /// Whose it is.
    account: AccountId,
    /// Uniform draw times the highest multiplier: below the multiplier, the tick counts; below it times the share of a rate in the
    /// clock's, that is done.
    draw: f64,
    /// A new position would be long.
    long: bool,
    leverage: u16,
}

/// A retail population on one clock.
#[derive(Clone, Debug)]
pub struct Retail {
    spec: RetailSpec,
    first: AccountId,
    leverage: Weighted,
    clock: Stream,
    /// Ticks of the clock so far, the start included; the number in the key of each draw.
    ticks: u64,
    /// Highest rate of one account, per second, in a market that does not move.
    rate: f64,
    pending: Option<(Tick, Rng)>,
}

impl Retail {
    /// Makes the population for `spec.accounts` margined accounts from `first` on. Its draws come from `clock` by tick.
    pub fn new(spec: RetailSpec, first: AccountId, clock: Stream) -> Self {
        Self {
            leverage: Weighted::new(&spec.weights),
            rate: spec.open_rate.max(spec.close_rate),
            spec,
            first,
            clock,
            ticks: 0,
            pending: None,
        }
    }

    /// Draws ticks of the clock until one may bring something, and asks to be woken then. The clock runs at the higher of the
    /// two rates for every account; the slower decision is thinned.
    fn next(&mut self, mut rng: Rng, view: &View<'_>, actions: &mut Actions) {
        let highest = self.spec.activity.highest();
        let rate = f64::from(self.spec.accounts) * self.rate * highest;
        if rate <= 0.0 {
            return;
        }
        let interval = Exponential::new(rate);
        let (multiplier, known) = (self.spec.activity.now(view, self.spec.market), known_for(view.now()));
        let mut wait = 0.0;
        loop {
            wait += interval.sample(&mut rng);
            self.ticks += 1;
            rng = self.clock.draw(0, self.ticks);
            let tick = Tick {
                account: AccountId(self.first.0 + below(u64::from(self.spec.accounts), &mut rng) as u32),
                draw: uniform(&mut rng) * highest,
                long: happens(self.spec.long_share, &mut rng),
                leverage: self.spec.leverages[self.leverage.sample(&mut rng)],
            };
            if wait >= known || tick.draw < multiplier {
                self.pending = Some((tick, rng));
                actions.wake_after(Time::from_secs_f64(wait));
                return;
            }
        }
    }

    fn trade(&self, tick: &Tick, view: &View<'_>, actions: &mut Actions) {
        let market = self.spec.market;
        let multiplier = self.spec.activity.now(view, market);
        let happens = |rate: f64| tick.draw < rate / self.rate * multiplier;
        let lots = view.lots(tick.account, market);
        if let Some(side) = lots.side() {
            if happens(self.spec.close_rate) {
                let mut order = order(tick.account, market, side.opposite(), lots.size(), MARKET);
                order.reduce_only = true;
                actions.submit(order);
            }
        } else if happens(self.spec.open_rate) {
            let side = if tick.long { Side::Buy } else { Side::Sell };
            let price = view.best(market, side.opposite()).unwrap_or_else(|| view.mark(market));
            self.open(tick, view, side, price, actions);
        }
    }

    fn open(&self, tick: &Tick, view: &View<'_>, side: Side, price: Price, actions: &mut Actions) {
        let Tick { account, leverage, .. } = *tick;
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
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        match (wake, self.pending.take()) {
            (Wake::Start, _) => {
                self.ticks = 1;
                self.next(self.clock.draw(0, 1), view, actions);
            }
            (Wake::Timer, Some((tick, rng))) => {
                self.trade(&tick, view, actions);
                self.next(rng, view, actions);
            }
            (Wake::Timer | Wake::Fill(_), _) => {}
        }
    }

    fn draws(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, Stage};
    use crate::rng::Seed;

    const STREAM: Seed = Seed { master: 5, replicate: 0 };

    fn spec() -> RetailSpec {
        RetailSpec {
            market: PERP,
            accounts: 10,
            leverages: vec![5],
            weights: vec![1.0],
            long_share: 0.5,
            open_rate: 0.01,
            close_rate: 0.02,
            stake: 0.5,
            activity: Activity { reference: 0.05, exponent: 1.0, cap: 20.0 },
        }
    }

    /// A calm market and one that moves 10 % in five seconds, of which an hour would have a standard deviation of 1.9.
    #[test]
    fn ticks_are_the_same_whatever_the_market_does_and_most_are_passed_over_in_a_calm_one() {
        let mut calm = Stage::new();
        calm.observe();
        calm.observe();
        let mut wild = Stage::new();
        wild.observe();
        wild.quote(1_100);
        wild.observe();
        let stream = STREAM.stream("retail");
        let first = AccountId(2);
        for stage in [&mut calm, &mut wild] {
            for _ in 0..10 {
                stage.open(0);
            }
        }
        // Volatility stays as it was sampled, since nobody samples it again.
        let (_, woken) = calm.live(&mut Retail::new(spec(), first, stream), stream, 300);
        let (_, ticks) = wild.live(&mut Retail::new(spec(), first, stream), stream, 6_000);
        let last = woken[woken.len() - 1];
        let before = ticks.iter().filter(|tick| **tick <= last).count();
        // A tick each quarter of a second, a twentieth of which counts, and one more each five seconds.
        assert!(
            before > 6 * woken.len() && ticks.len() > before,
            "{before} ticks, {} times awake",
            woken.len()
        );
        for time in woken {
            let at = ticks.partition_point(|tick| tick.0 < time.0 - 10_000);
            assert!((ticks[at].0 - time.0).abs() < 10_000, "{time:?} is no tick");
        }
    }
}
