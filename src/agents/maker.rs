//! The market maker: a ladder of quotes around the middle, shifted against its inventory (Avellaneda, Stoikov 2008;
//! Gueant, Lehalle, Fernandez-Tapia 2013, in their linear form), which it takes away when the price runs.
//!
//! It may quote the perpetual and the spot market of one asset. Then it is the coins of both together that shift its quotes and
//! that its limit is about, and it may lay the excess off on spot with market orders, whether its quotes are away or not.
//!
//! The quotes of each book lie around the middle or, if the parameters say so, around a reference that learns from trades.

use super::reference::{Reference, ReferenceRule};
use super::{Actions, Decide, MARKET, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::Rng;
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
    /// What the quotes lie around, with the inventory as a share of its limit; `None` for the middle of the moment.
    pub reference: Option<ReferenceRule>,
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
    /// Of the middle of the first book, for withdrawal.
    average: f64,
    references: [Reference; 2],
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
            references: [Reference::default(); 2],
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
        self.quote(0, self.spec.ladder, full, view, actions);
        if let Some(ladder) = self.spec.second {
            self.quote(1, ladder, full, view, actions);
        }
    }

    /// Quotes in the first or the second book.
    fn quote(&mut self, book: usize, ladder: Ladder, full: f64, view: &View<'_>, actions: &mut Actions) {
        let market = ladder.market;
        let reference = match &self.spec.reference {
            Some(rule) => self.references[book].follow(rule, market, full, view),
            None => view.mid(market),
        };
        let middle = reference * (1.0 - self.spec.skew_bps / 1e4 * full.clamp(-1.0, 1.0));
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
        actions.wake_around(self.spec.interval, rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, SPOT, Stage, submitted};
    use crate::market::OrderType;
    use crate::rng::Seed;
    use crate::world::Request;

    fn ladder(market: MarketId) -> Ladder {
        Ladder { market, levels: 2, quote_qty: Qty(7), half_spread_bps: 100.0, spacing_bps: 50.0 }
    }

    fn spec() -> MakerSpec {
        MakerSpec {
            ladder: ladder(PERP),
            second: None,
            hedge: None,
            skew_bps: 200.0,
            reference: None,
            inventory_limit: Qty(100),
            interval: Time::SECOND,
            withdrawal: None,
        }
    }

    /// What a maker asks for at one look: prices of its quotes by market and side, and what it sends at market.
    struct Look {
        quotes: [[Vec<i64>; 2]; 2],
        market_orders: Vec<(MarketId, Side, i64)>,
        cancels: usize,
    }

    /// Lets a maker look once and does what it asks for.
    fn look(stage: &mut Stage, maker: &mut Maker) -> Look {
        let mut rng = Seed { master: 1, replicate: 0 }.stream("maker").draw(0, 1);
        let (requests, _) = stage.wake(maker, Wake::Timer, &mut rng);
        let mut look = Look { quotes: Default::default(), market_orders: Vec::new(), cancels: 0 };
        look.cancels = requests.iter().filter(|request| matches!(request, Request::Cancel { .. })).count();
        for order in requests.iter().filter_map(submitted) {
            match order.order_type {
                OrderType::Limit { price, tif: TimeInForce::PostOnly } => {
                    assert_eq!(order.qty, Qty(7));
                    let side = usize::from(order.side == Side::Sell);
                    look.quotes[order.market.index()][side].push(price.0);
                }
                OrderType::Market { worst: None } => {
                    look.market_orders.push((order.market, order.side, order.qty.0));
                }
                other => panic!("{other:?}"),
            }
        }
        stage.carry_out(requests);
        look
    }

    #[test]
    fn coins_of_both_books_together_shift_the_quotes_of_both_and_stop_one_side_at_the_limit() {
        // 1 % and 1.5 % away from 1,000, from 990 and from 1,010: a middle that moves by 2 % at full inventory.
        let flat = [[990, 985], [1_010, 1_015]];
        let long = [[980, 975], [1_000, 1_005]];
        let short = [[999, 994], [1_021, 1_026]];
        let cases = [
            ([0, 0], flat),
            ([50, 0], long),
            ([0, 50], long),
            ([-20, 70], long),
            ([60, -60], flat),
            ([-25, -25], short),
        ];
        for (held, quotes) in cases {
            let mut stage = Stage::new();
            let account = stage.desk();
            stage.hold(account, held);
            let mut maker = Maker::new(MakerSpec { second: Some(ladder(SPOT)), ..spec() }, account);
            let found = look(&mut stage, &mut maker);
            for market in [PERP, SPOT] {
                assert_eq!(found.quotes[market.index()], quotes, "{held:?}");
            }
            assert_eq!(look(&mut stage, &mut maker).cancels, 8, "all are taken away before new ones");
        }
        for (held, sides) in [([20, 80], [0, 2]), ([-20, -120], [2, 0])] {
            let mut stage = Stage::new();
            let account = stage.desk();
            stage.hold(account, held);
            let mut maker = Maker::new(MakerSpec { second: Some(ladder(SPOT)), ..spec() }, account);
            let found = look(&mut stage, &mut maker);
            for quotes in found.quotes {
                assert_eq!(quotes.map(|quotes| quotes.len()), sides, "{held:?}");
            }
        }
    }

    #[test]
    fn around_a_reference_what_came_in_shifts_the_quotes_once_and_the_middle_is_followed_slowly() {
        let reference = Some(ReferenceRule { half_life: Time(1_000_000 * Time::SECOND.0), impact: 0.2 });
        let mut stage = Stage::new();
        let account = stage.desk();
        let spec = MakerSpec { reference, skew_bps: 0.0, ..spec() };
        let mut maker = Maker::new(spec, account);
        // Bids, 1 % below: asks do not go below the best bid.
        let mut bid = |stage: &mut Stage| look(stage, &mut maker).quotes[PERP.index()][0][0];
        assert_eq!(bid(&mut stage), 990);
        // Half of its limit at a fifth for a full one: a tenth.
        stage.trade(account, PERP, Side::Buy, 50);
        assert_eq!([bid(&mut stage), bid(&mut stage)], [895, 895]);
        stage.trade(account, PERP, Side::Sell, 50);
        assert_eq!(bid(&mut stage), 990);
        // The middle of the moment has moved, the average has not yet.
        stage.quote(1_010);
        assert_eq!(bid(&mut stage), 990);
    }

    #[test]
    fn a_book_that_is_not_its_own_is_neither_quoted_nor_counted() {
        let mut stage = Stage::new();
        let account = stage.desk();
        stage.hold(account, [0, 100]);
        let found = look(&mut stage, &mut Maker::new(spec(), account));
        assert_eq!(found.quotes.map(|sides| sides.map(|quotes| quotes.len())), [[2, 2], [0, 0]]);
    }

    /// Half of what lies beyond half of the limit of 128.
    #[test]
    fn a_hedge_lays_a_share_of_the_excess_off_on_spot_until_little_is_left_of_it() {
        let hedge = Some(Hedge { market: SPOT, threshold: 0.5, share: 0.5 });
        for side in [Side::Buy, Side::Sell] {
            let mut stage = Stage::new();
            let account = stage.desk();
            // Without a shift, so that its quotes lie behind those that it trades with.
            let spec = MakerSpec { hedge, inventory_limit: Qty(128), skew_bps: 0.0, ..spec() };
            let mut maker = Maker::new(spec, account);
            stage.hold(account, [64 * side.sign(), 0]);
            assert_eq!(look(&mut stage, &mut maker).market_orders, [], "at the threshold");
            stage.trade(account, PERP, side, 32);
            for qty in [16, 8, 4, 2, 1] {
                assert_eq!(look(&mut stage, &mut maker).market_orders, [(SPOT, side.opposite(), qty)]);
            }
            // Half a lot is rounded to none.
            assert_eq!(look(&mut stage, &mut maker).market_orders, []);
            assert_eq!(stage.view().lots(account, SPOT).0, -31 * side.sign());
        }
    }

    #[test]
    fn a_maker_whose_quotes_are_away_hedges_all_the_same() {
        let hedge = Some(Hedge { market: SPOT, threshold: 0.0, share: 1.0 });
        let half_life = Time(60 * Time::SECOND.0);
        let withdrawal = Some(Withdrawal { move_bps: 100.0, half_life, pause: half_life });
        let mut stage = Stage::new();
        let account = stage.desk();
        let mut maker = Maker::new(MakerSpec { hedge, withdrawal, ..spec() }, account);
        assert_eq!(look(&mut stage, &mut maker).quotes[0].each_ref().map(Vec::len), [2, 2]);
        stage.hold(account, [30, 0]);
        stage.quote(900);
        let found = look(&mut stage, &mut maker);
        assert_eq!((found.cancels, found.quotes), (4, Default::default()));
        // 30 and its two bids of 7, which were above the new price.
        assert_eq!(found.market_orders, [(SPOT, Side::Sell, 44)]);
    }
}
