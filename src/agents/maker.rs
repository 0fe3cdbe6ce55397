//! The market maker: a ladder of quotes around the middle, shifted against its inventory (Avellaneda, Stoikov 2008;
//! Gueant, Lehalle, Fernandez-Tapia 2013, in their linear form), which it takes away when the price runs.
//!
//! It may quote the perpetual and the spot market of one asset. Then it is the coins of both together that shift its quotes and
//! that its limit is about, and it may lay the excess off on spot with market orders, whether its quotes are away or not.

use super::{Actions, Decide, MARKET, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::Rng;
use crate::sampling::uniform;
use crate::units::{AccountId, MarketId, OrderId, Price, Qty, Side, Time};

/// When a maker withdraws.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Withdrawal {
    /// Distance of the middle from its moving average, in hundredths of a percent, at which all quotes are cancelled.
    pub move_bps: f64,
    /// Half-life of the moving average.
    pub half_life: Time,
    /// How long it stays away.
    pub pause: Time,
}

/// The quotes in one book.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ladder {
    /// Where.
    pub market: MarketId,
    /// Quotes on each side.
    pub levels: u32,
    /// Lots of a quote.
    pub quote_qty: Qty,
    /// Distance of the first quote from the (shifted) middle, in hundredths of a percent.
    pub half_spread_bps: f64,
    /// Distance between quotes, in hundredths of a percent.
    pub spacing_bps: f64,
}

/// How a maker lays inventory off on spot.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hedge {
    /// The spot market.
    pub market: MarketId,
    /// Share of the inventory limit beyond which it hedges [0-1].
    pub threshold: f64,
    /// Share of what is beyond it that one order lays off [0-1].
    pub share: f64,
}

/// Parameters of one maker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MakerSpec {
    /// Its quotes.
    pub ladder: Ladder,
    /// Its quotes in a second book.
    pub second: Option<Ladder>,
    /// How it hedges; `None` not at all.
    pub hedge: Option<Hedge>,
    /// Shift of the middle at full inventory, in hundredths of a percent.
    pub skew_bps: f64,
    /// Inventory in lots of the first book, coins of all its books together, at which it only quotes the side that reduces it.
    pub inventory_limit: Qty,
    /// Mean time between two looks.
    pub interval: Time,
    /// When it withdraws; `None` never.
    pub withdrawal: Option<Withdrawal>,
}

/// One maker.
#[derive(Clone, Debug)]
pub struct Maker {
    spec: MakerSpec,
    account: AccountId,
    quotes: Vec<(MarketId, OrderId)>,
    average: f64,
    looked: Time,
    away_until: Time,
}

impl Maker {
    /// Makes the agent for an unmargined account.
    pub fn new(spec: MakerSpec, account: AccountId) -> Self {
        Self {
            spec,
            account,
            quotes: Vec::new(),
            average: 0.0,
            looked: Time::ZERO,
            away_until: Time(i64::MIN),
        }
    }

    /// Moves the average on and tells whether the price has run away from it.
    fn runs(&mut self, mid: f64, now: Time) -> bool {
        let Some(rule) = self.spec.withdrawal else { return false };
        let waited = (now - self.looked).as_secs_f64();
        self.looked = now;
        if self.average <= 0.0 {
            self.average = mid;
        }
        let keep = libm::exp2(-waited / rule.half_life.as_secs_f64());
        self.average = self.average * keep + mid * (1.0 - keep);
        (mid / self.average - 1.0).abs() > rule.move_bps / 1e4
    }

    fn cancel_all(&mut self, actions: &mut Actions) {
        for (market, id) in self.quotes.drain(..) {
            actions.cancel(self.account, market, id);
        }
    }

    /// Returns its coins in all books over its limit.
    fn fullness(&self, view: &View<'_>) -> f64 {
        let first = self.spec.ladder.market;
        let coins = |market: MarketId| view.lots(self.account, market).0 as f64 * view.coins(market);
        // A maker that neither quotes nor hedges elsewhere has nothing there.
        let other = self.spec.second.map(|ladder| ladder.market);
        let other = other.or(self.spec.hedge.map(|hedge| hedge.market));
        let held = coins(first) + other.map_or(0.0, coins);
        held / (self.spec.inventory_limit.0.max(1) as f64 * view.coins(first))
    }

    /// Lays off on spot what is beyond the threshold.
    fn hedge(&self, full: f64, view: &View<'_>, actions: &mut Actions) {
        let Some(hedge) = self.spec.hedge else { return };
        let excess = full.abs() - hedge.threshold;
        if excess <= 0.0 {
            return;
        }
        let limit = self.spec.inventory_limit.0 as f64 * view.coins(self.spec.ladder.market);
        let qty = Qty(libm::rint(excess * hedge.share * limit / view.coins(hedge.market)) as i64);
        if !qty.is_zero() {
            let side = if full > 0.0 { Side::Sell } else { Side::Buy };
            actions.submit(order(self.account, hedge.market, side, qty, MARKET));
        }
    }

    fn look(&mut self, view: &View<'_>, actions: &mut Actions) {
        let now = view.now();
        let mid = view.mid(self.spec.ladder.market);
        if self.runs(mid, now) {
            let pause = self.spec.withdrawal.map_or(Time::ZERO, |rule| rule.pause);
            self.away_until = now + pause;
        }
        self.cancel_all(actions);
        let full = self.fullness(view);
        self.hedge(full, view, actions);
        if now < self.away_until {
            return;
        }
        self.quote(self.spec.ladder, full, view, actions);
        if let Some(ladder) = self.spec.second {
            self.quote(ladder, full, view, actions);
        }
    }

    fn quote(&mut self, ladder: Ladder, full: f64, view: &View<'_>, actions: &mut Actions) {
        let market = ladder.market;
        let mid = view.mid(market);
        let middle = mid * (1.0 - self.spec.skew_bps / 1e4 * full.clamp(-1.0, 1.0));
        for side in [Side::Buy, Side::Sell] {
            if full * side.sign() as f64 >= 1.0 {
                continue;
            }
            let best_opposite = view.best(market, side.opposite());
            for level in 0..ladder.levels {
                let away = ladder.half_spread_bps + ladder.spacing_bps * f64::from(level);
                let price = middle * (1.0 - side.sign() as f64 * away / 1e4);
                let price = match side {
                    Side::Buy => Price(libm::floor(price) as i64)
                        .min(best_opposite.map_or(Price::MAX, |ask| Price(ask.0 - 1))),
                    Side::Sell => Price(libm::ceil(price) as i64)
                        .max(best_opposite.map_or(Price(1), |bid| Price(bid.0 + 1))),
                };
                if price >= Price(1) {
                    let post_only = limit(price, TimeInForce::PostOnly);
                    let quote = order(self.account, market, side, ladder.quote_qty, post_only);
                    self.quotes.push((market, actions.submit(quote)));
                }
            }
        }
    }
}

impl Decide for Maker {
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        if wake == Wake::Timer {
            self.look(view, actions);
        }
        // Uniform between half and one and a half, so that makers do not march in step.
        let wait = self.spec.interval.as_secs_f64() * (0.5 + uniform(rng));
        actions.wake_after(Time::from_secs_f64(wait));
    }
}
