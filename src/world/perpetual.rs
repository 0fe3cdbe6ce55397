//! What a perpetual is measured against: index, mark, premium, funding; and how much a market moves.
//!
//! Every five seconds a market with an index is observed: the distance of its middle from the index goes into the mean of
//! the last two and a half minutes, the impact premium into the interval's weighted mean, from which the funding rate
//! follows: `F = P + clamp(interest - P)`, at most the cap in size. When an interval ends, longs pay shorts a whole number of money units a lot, so that
//! payments sum to zero to the unit (Binance, mark price and funding rate, USD-M futures).
//!
//! What can go wrong: the source may have an empty half. Then the index stays what it was.

use super::spec::MarketSpec;
use super::{Market, World};
use crate::clearing::{MarginMode, PositionId, Purse, Reason};
use crate::event::{Emit, Event, Observer};
use crate::market::Book;
use crate::units::{AccountId, MarketId, Money, Price, Qty, Rate, Rounding, Side, Time, div_round};
use rust_decimal::prelude::ToPrimitive;

/// Time between two observations: Binance samples premium and basis each five seconds.
pub const OBSERVED_EVERY: Time = Time(5 * Time::SECOND.0);

/// Observations in the mean distance of middle and index: two and a half minutes.
const BASIS_SAMPLES: usize = 30;

/// What is known of a market beside its book.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The index in this market's ticks.
    pub index: Option<f64>,
    /// The weighted mean premium of the funding interval so far, as a share of the index.
    pub premium: f64,
    /// The rate that the interval's end would bring by now.
    pub funding_rate: f64,
    /// When funding is paid next.
    pub next_funding: Time,
    /// Coins a lot.
    pub coins_a_lot: f64,
    /// Settlement asset a tick and coin.
    pub tick: f64,
    /// Distances of the middle from the index, the latest overwriting the oldest.
    basis: [f64; BASIS_SAMPLES],
    observations: usize,
    /// Mean of `basis`.
    mean_basis: f64,
    /// Premiums of the interval times their numbers, and how many they are.
    weighted: f64,
    samples: f64,
    /// Returns over one observation.
    short: Moves,
    /// Returns over the market's horizon, if it has one.
    long: Option<Moves>,
    /// What averages keep from one observation to the next.
    keep: f64,
}

/// The average size of the logarithmic returns over one horizon.
#[derive(Clone, Debug)]
struct Moves {
    /// Middles of the last observations, the latest overwriting the oldest: as many as the horizon has.
    middles: Vec<f64>,
    observations: usize,
    mean: f64,
}

impl Moves {
    fn new(horizon: Time) -> Self {
        let steps = horizon.0.div_euclid(OBSERVED_EVERY.0).max(1) as usize;
        Self { middles: vec![f64::NAN; steps], observations: 0, mean: 0.0 }
    }

    fn observe(&mut self, middle: f64, keep: f64) {
        let steps = self.middles.len();
        let slot = &mut self.middles[self.observations % steps];
        if self.observations >= steps {
            self.mean = self.mean * keep + libm::log(middle / *slot).abs() * (1.0 - keep);
        }
        *slot = middle;
        self.observations += 1;
    }

    /// Returns the variance an hour, by the mean size of returns as if they were normal: one gap that closes at once would stay
    /// in a mean of squares for as long as the half-life.
    fn variance(&self) -> f64 {
        let per_hour = 3_600.0 / (OBSERVED_EVERY.as_secs_f64() * self.middles.len() as f64);
        self.mean * self.mean * core::f64::consts::FRAC_PI_2 * per_hour
    }
}

impl Reference {
    pub(super) fn new(market: &MarketSpec) -> Self {
        let half_life = market.volatility_half_life.as_secs_f64();
        Self {
            index: None,
            premium: 0.0,
            funding_rate: 0.0,
            next_funding: market.funding.map_or(Time(i64::MAX), |funding| funding.first),
            coins_a_lot: market.lot.to_f64().unwrap_or(f64::NAN),
            tick: market.tick.to_f64().unwrap_or(f64::NAN),
            basis: [0.0; BASIS_SAMPLES],
            observations: 0,
            mean_basis: 0.0,
            weighted: 0.0,
            samples: 0.0,
            short: Moves::new(OBSERVED_EVERY),
            long: (market.volatility_horizon > Time::ZERO).then(|| Moves::new(market.volatility_horizon)),
            keep: if half_life > 0.0 { libm::exp2(-OBSERVED_EVERY.as_secs_f64() / half_life) } else { 1.0 },
        }
    }

    /// Standard deviation of the logarithm per square root of an hour: with a horizon the root of the mean of the variances of
    /// short and of longer returns, since a steady fall shows in those alone (Müller, Dacorogna, Davé, Olsen, Pictet and von
    /// Weizsäcker 1997: traders of different horizons respond to returns of different lengths).
    pub fn volatility(&self) -> f64 {
        let short = self.short.variance();
        self.long.as_ref().map_or(short, |long| f64::midpoint(short, long.variance())).sqrt()
    }

    fn move_volatility(&mut self, middle: f64) {
        self.short.observe(middle, self.keep);
        if let Some(long) = &mut self.long {
            long.observe(middle, self.keep);
        }
    }

    fn sample_basis(&mut self, distance: f64) {
        self.basis[self.observations % BASIS_SAMPLES] = distance;
        self.observations += 1;
        let count = self.observations.min(BASIS_SAMPLES);
        self.mean_basis = self.basis[..count].iter().sum::<f64>() / count as f64;
    }

    /// Later premiums of an interval weigh more: the n-th n times.
    fn sample_premium(&mut self, premium: f64) {
        self.samples += 1.0;
        self.weighted += self.samples * premium;
        self.premium = 2.0 * self.weighted / (self.samples * (self.samples + 1.0));
    }

    fn end_interval(&mut self) {
        (self.weighted, self.samples) = (0.0, 0.0);
    }
}

impl World {
    /// Samples what a market is measured against, pays funding if it is due, and settles what follows.
    pub fn observe<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        let spec = &self.spec.markets[market.index()];
        let twice = self.market(market).book.mid_twice();
        if spec.volatility_half_life > Time::ZERO
            && let Some(twice) = twice
        {
            self.markets[market.index()].reference.move_volatility(twice as f64 / 2.0);
        }
        self.read_index(market);
        if let (Some(index), Some(twice)) = (self.market(market).reference.index, twice) {
            self.markets[market.index()].reference.sample_basis(twice as f64 / 2.0 - index);
            self.sample_funding(market, index, emit);
        }
        self.settle_down(market, emit);
    }

    /// Reads the index from its source; with a half of that empty it stays.
    fn read_index(&mut self, market: MarketId) {
        let Some(spec) = self.spec.markets[market.index()].index else { return };
        if let Some(twice) = self.market(spec.source).book.mid_twice() {
            self.markets[market.index()].reference.index = Some(twice as f64 * spec.half_tick);
        }
    }

    fn sample_funding<O: Observer>(&mut self, market: MarketId, index: f64, emit: &mut Emit<'_, O>) {
        let Some(funding) = self.spec.markets[market.index()].funding else { return };
        let state = self.market(market);
        // A side without enough lots has no impact price, and the premium of that side is none.
        let impact = |side| {
            let cost = state.book.cost_to_trade(side, funding.impact);
            (cost.filled == funding.impact).then(|| cost.value as f64 / cost.filled.0 as f64)
        };
        let (bid, ask) = (impact(Side::Sell), impact(Side::Buy));
        let above = bid.map_or(0.0, |bid| (bid - index).max(0.0));
        let below = ask.map_or(0.0, |ask| (index - ask).max(0.0));
        let reference = &mut self.markets[market.index()].reference;
        reference.sample_premium((above - below) / index);
        let premium = reference.premium;
        let rate = premium + (funding.interest - premium).clamp(-funding.clamp, funding.clamp);
        reference.funding_rate = rate.clamp(-funding.cap, funding.cap);
        if emit.time >= reference.next_funding {
            reference.next_funding = reference.next_funding + funding.interval;
            reference.end_interval();
            self.pay_funding(market, emit);
        }
    }

    /// Lets longs pay shorts, or shorts longs: a whole number of units a lot, so that payments sum to zero.
    fn pay_funding<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        let mark = self.mark(market);
        let rate = Rate(libm::rint(self.market(market).reference.funding_rate * Rate::ONE as f64) as i64);
        let lot = self.spec.markets[market.index()].contract.notional(mark, Qty(1));
        let paid = i128::from(lot.0) * i128::from(rate.0);
        let per_lot = Money(div_round(paid, i128::from(Rate::ONE), Rounding::HalfEven));
        emit.cause = emit.say(Event::Funding { market, rate, mark, per_lot });
        if per_lot.is_zero() {
            return;
        }
        let is_in = |id: &PositionId, world: &Self| {
            let position = world.accounts.position(*id);
            position.market == market && !position.lots.is_zero()
        };
        let ids: Vec<PositionId> =
            self.accounts.positions().map(|(id, _)| id).filter(|id| is_in(id, self)).collect();
        for id in ids {
            let position = *self.accounts.position(id);
            self.pay_funding_of(id, position.account, Money(per_lot.0 * position.lots.0), emit);
            self.reindex(id);
        }
    }

    /// Takes funding from free cash first, then from the margin of the position, which may go below zero and is then in
    /// breach; gives it to cash.
    fn pay_funding_of<O: Observer>(
        &mut self,
        id: PositionId,
        account: AccountId,
        owed: Money,
        emit: &mut Emit<'_, O>,
    ) {
        let market = self.accounts.position(id).market;
        let pool = Purse::Clearing(market);
        if owed < Money::ZERO {
            return self.transfer(pool, Purse::Cash(account), -owed, Reason::Funding, emit);
        }
        let from_cash = match self.accounts.mode(account) {
            MarginMode::Unmargined => owed,
            MarginMode::Isolated => owed.min(self.accounts.free(account).max(Money::ZERO)),
        };
        for (from, amount) in
            [(Purse::Cash(account), from_cash), (Purse::Margin(account, market), owed - from_cash)]
        {
            if !amount.is_zero() {
                self.transfer(from, pool, amount, Reason::Funding, emit);
            }
        }
    }

    /// Puts free cash behind an open position; no more than is free, and nothing where nothing is open
    /// or coins are held.
    pub(super) fn top_up<O: Observer>(
        &mut self,
        account: AccountId,
        market: MarketId,
        amount: Money,
        emit: &mut Emit<'_, O>,
    ) {
        if self.spec.markets[market.index()].contract.is_spot() {
            return;
        }
        let Some(id) = self.accounts.find(account, market) else { return };
        let position = self.accounts.position(id);
        let amount = amount.min(self.accounts.free(account));
        if position.mode != MarginMode::Isolated || position.lots.is_zero() || amount <= Money::ZERO {
            return;
        }
        self.transfer(Purse::Cash(account), Purse::Margin(account, market), amount, Reason::TopUp, emit);
        self.reindex(id);
    }

    /// Reads a mark that is made from an index anew and says so if it moved.
    pub(super) fn refresh_index_mark<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        self.read_index(market);
        let Market { reference, last, .. } = self.market(market);
        let Some(index) = reference.index else { return };
        let left = match self.spec.markets[market.index()].funding {
            Some(funding) => {
                let left = (reference.next_funding - emit.time).max(Time::ZERO);
                left.as_secs_f64() / funding.interval.as_secs_f64()
            }
            None => 0.0,
        };
        let price = |value: f64| Price((libm::rint(value) as i64).max(1));
        let by_funding = price(index * (1.0 + reference.funding_rate * left));
        let by_basis = price(index + reference.mean_basis);
        let last = *last;
        // The median of two prices and one between or outside them.
        let (low, high) = (by_funding.min(by_basis), by_funding.max(by_basis));
        let mark = last.map_or(by_funding, |last| last.clamp(low, high));
        if self.marks[market.index()] != Some(mark) {
            let from = self.set_mark(market, mark);
            emit.cause = self.last_change;
            emit.cause = emit.say(Event::IndexMark { market, mark, by_funding, by_basis, last });
            self.watch_mark(market, from, mark, emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::tests::spec;

    /// Half of the mean is kept each time: a return of 1 % and two of none.
    #[test]
    fn volatility_is_the_decaying_mean_size_of_returns_in_the_terms_of_a_standard_deviation() {
        let market = MarketSpec { volatility_half_life: OBSERVED_EVERY, ..spec().markets.swap_remove(0) };
        let mut reference = Reference::new(&market);
        reference.move_volatility(1_000.0);
        assert_eq!(reference.volatility().to_bits(), 0.0_f64.to_bits(), "nothing has moved yet");
        let per_hour = (core::f64::consts::PI * 360.0).sqrt();
        for (middle, share) in [(990.0, 0.5), (990.0, 0.25), (990.0, 0.125)] {
            reference.move_volatility(middle);
            let expected = libm::log(1_000.0 / 990.0) * share * per_hour;
            let found = reference.volatility();
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        let silent = MarketSpec { volatility_half_life: Time::ZERO, ..market };
        let mut reference = Reference::new(&silent);
        for middle in [1_000.0, 500.0] {
            reference.move_volatility(middle);
        }
        assert_eq!(reference.volatility().to_bits(), 0.0_f64.to_bits());
    }
}
