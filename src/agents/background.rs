//! Background flow: zero-intelligence limit orders, cancellations and market orders whose rates depend on the distance
//! from the middle (Smith, Farmer, Gillemot, Krishnamurthy 2003; Cont, Stoikov, Talreja 2010). It stands for everybody who is
//! not modelled one by one.
//!
//! The book is stationary by construction: at distance x orders are cancelled at rate theta(x) each and arrive at
//! lambda(x) = theta(x) n(x), where n(x) is the target depth, so that refill time is a parameter of its own.
//!
//! One clock at a constant rate serves all of it, thinned, so that wake-up times are the same in two runs that differ in a
//! mechanism. Live orders are kept in one list a rung. Each list has a share of the clock that bounds its cancellations:
//! (list's capacity) x (the rate one rung nearer, since the middle moves); a draw picks one order, looks where it is now,
//! and cancels it with probability theta(x) over the bound. Orders that traded are found gone when they are drawn.
//!
//! Activity responds to volatility, if the parameters say so: market orders, and near the middle arrivals and cancellations by
//! one factor, so that the book refills faster and is as deep as before. The clock then ticks at the highest rate for ever and is
//! thinned (`activity`).
//!
//! Distances are measured from the middle or, if the parameters say so, from a reference that learns from trades (`reference`).
//!
//! What can go wrong: after a fast move, orders near the touch may still be listed at their old distance and live
//! longer than theta says, for about one lifetime of the old rung: resting orders of people who were not looking.

use super::activity::{Activity, known_for};
use super::reference::{Reference, ReferenceRule};
use super::{Actions, Decide, MARKET, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::{Rng, Stream};
use crate::sampling::{Exponential, LogNormal, Weighted, below, happens, uniform};
use crate::units::{AccountId, MarketId, OrderId, Price, Qty, Side, Time};
use rand_distr::Distribution;

/// One interval of distances from the middle.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rung {
    /// Nearer end in hundredths of a percent.
    pub from_bps: f64,
    /// Farther end in hundredths of a percent.
    pub to_bps: f64,
    /// Target depth of bids in lots.
    pub bid_lots: f64,
    /// Target depth of asks in lots.
    pub ask_lots: f64,
    /// Mean life of an order, in seconds.
    pub lifetime_s: f64,
}

/// Parameters of the background flow of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct BackgroundSpec {
    /// Where.
    pub market: MarketId,
    /// Target book, nearest rung first.
    pub rungs: Vec<Rung>,
    /// Orders that make up the depth of one rung and side, on average.
    pub orders_per_rung: f64,
    /// Market orders per second, both sides together.
    pub market_rate: f64,
    /// Size of a market order in lots.
    pub market_qty: LogNormal,
    /// How market orders become more frequent when the market moves.
    pub activity: Activity,
    /// How cancellations of all resting orders become more frequent on top of that, so that the book thins when the market moves.
    pub flight: Activity,
    /// Distance in hundredths of a percent within which limit orders come and go more often by the same factor: that of rungs
    /// which begin nearer than this.
    pub refill_within_bps: f64,
    /// What distances are measured from, with the inventory in lots; `None` for the middle of the moment.
    pub reference: Option<ReferenceRule>,
}

/// Candidates are thinned where a list is longer than this many times its target.
const CAPACITY: f64 = 2.0;

/// What the clock's next tick may bring.
#[derive(Clone, Copy, Debug)]
enum Candidate {
    Market,
    Arrival { side: Side, rung: usize },
    Cancel { list: usize },
}

/// The tick that is waited for.
#[derive(Clone, Debug)]
struct Pending {
    candidate: Candidate,
    /// Draw on whether it counts, if volatility is sampled before it comes.
    undecided: Option<f64>,
    rng: Rng,
}

/// The background flow of one market.
#[derive(Clone, Debug)]
pub struct Background {
    spec: BackgroundSpec,
    /// Whose the limit orders are.
    quoter: AccountId,
    /// Whose the market orders are: another account, since they would otherwise meet their own quotes.
    taker: AccountId,
    stream: Stream,
    /// Waits between ticks of the clock.
    tick: Exponential,
    choice: Weighted,
    /// Live orders by rung, those that traded included until they are drawn.
    lists: Vec<Vec<OrderId>>,
    /// Ticks of the clock so far; the number in the key of each draw.
    ticks: u64,
    pending: Option<Pending>,
    reference: Reference,
}

impl Background {
    /// Makes the agent for two unmargined accounts. Its draws come from `stream` by tick of its clock.
    pub fn new(spec: BackgroundSpec, quoter: AccountId, taker: AccountId, stream: Stream) -> Self {
        let mut weights = vec![spec.market_rate * spec.activity.highest()];
        for (index, rung) in spec.rungs.iter().enumerate() {
            let arrivals = spec.orders_per_rung / rung.lifetime_s * highest(&spec, index);
            weights.push(if rung.bid_lots > 0.0 { arrivals } else { 0.0 });
            weights.push(if rung.ask_lots > 0.0 { arrivals } else { 0.0 });
        }
        for list in 0..spec.rungs.len() {
            let often = highest(&spec, list.saturating_sub(1)) * spec.flight.highest();
            weights.push(capacity(&spec) * bound(&spec, list) * often);
        }
        Self {
            tick: Exponential::new(weights.iter().sum()),
            choice: Weighted::new(&weights),
            lists: vec![Vec::new(); spec.rungs.len()],
            ticks: 0,
            pending: None,
            reference: Reference::default(),
            spec,
            quoter,
            taker,
            stream,
        }
    }

    /// Draws ticks of the clock until one may bring something, and asks to be woken then. Between own actions the lists do
    /// not change, so ticks that a short list thins out are passed over at once; so are those that low activity thins out,
    /// as long as it is known.
    fn next(&mut self, view: &View<'_>, actions: &mut Actions) {
        let mut wait = 0.0;
        let (multipliers, known) = (self.multipliers(view), known_for(view.now()));
        loop {
            self.ticks += 1;
            let mut rng = self.stream.draw(0, self.ticks);
            wait += self.tick.sample(&mut rng);
            let candidate = self.candidate(self.choice.sample(&mut rng));
            if let Candidate::Cancel { list } = candidate
                && !happens(self.lists[list].len() as f64 / capacity(&self.spec), &mut rng)
            {
                continue;
            }
            let mut undecided = None;
            let highest = self.highest(candidate);
            if highest > 1.0 {
                let draw = uniform(&mut rng) * highest;
                if wait >= known {
                    undecided = Some(draw);
                } else if draw >= self.present(candidate, multipliers) {
                    continue;
                }
            }
            self.pending = Some(Pending { candidate, undecided, rng });
            actions.wake_after(Time::from_secs_f64(wait));
            return;
        }
    }

    fn candidate(&self, index: usize) -> Candidate {
        let rungs = self.spec.rungs.len();
        match index {
            0 => Candidate::Market,
            i if i <= 2 * rungs => {
                let side = if i % 2 == 1 { Side::Buy } else { Side::Sell };
                Candidate::Arrival { side, rung: (i - 1) >> 1 }
            }
            i => Candidate::Cancel { list: i - 1 - 2 * rungs },
        }
    }

    /// Returns how much more often than usual a candidate may come at most.
    fn highest(&self, candidate: Candidate) -> f64 {
        match candidate {
            Candidate::Market => self.spec.activity.highest(),
            Candidate::Arrival { rung, .. } => highest(&self.spec, rung),
            // Its share of the clock is that of the next nearer rung.
            Candidate::Cancel { list } => {
                highest(&self.spec, list.saturating_sub(1)) * self.spec.flight.highest()
            }
        }
    }

    /// Returns the multipliers of activity and of flight now.
    fn multipliers(&self, view: &View<'_>) -> [f64; 2] {
        [self.spec.activity, self.spec.flight].map(|one| one.now(view, self.spec.market))
    }

    /// Returns how much more often than usual a candidate comes now.
    fn present(&self, candidate: Candidate, [activity, flight]: [f64; 2]) -> f64 {
        let near = |rung| if highest(&self.spec, rung) > 1.0 { activity } else { 1.0 };
        match candidate {
            Candidate::Market => activity,
            Candidate::Arrival { rung, .. } => near(rung),
            Candidate::Cancel { list } => near(list.saturating_sub(1)) * flight,
        }
    }

    fn act(&mut self, pending: Pending, view: &View<'_>, actions: &mut Actions) {
        let Pending { candidate, undecided, mut rng } = pending;
        let multipliers = self.multipliers(view);
        if undecided.is_some_and(|draw| draw >= self.present(candidate, multipliers)) {
            return;
        }
        match candidate {
            Candidate::Market => {
                let side = if happens(0.5, &mut rng) { Side::Buy } else { Side::Sell };
                let qty = Qty((libm::rint(self.spec.market_qty.sample(&mut rng)) as i64).max(1));
                actions.submit(order(self.taker, self.spec.market, side, qty, MARKET));
            }
            Candidate::Arrival { side, rung } => self.arrive(side, rung, view, &mut rng, actions),
            Candidate::Cancel { list } => self.cancel(list, multipliers[0], view, &mut rng, actions),
        }
    }

    /// Fills the empty book to its target.
    fn seed(&mut self, view: &View<'_>, actions: &mut Actions) {
        let mut rng = self.stream.draw(1, 0);
        for rung in 0..self.spec.rungs.len() {
            for side in [Side::Buy, Side::Sell] {
                let orders = libm::rint(self.spec.orders_per_rung) as u64;
                for _ in 0..orders {
                    self.arrive(side, rung, view, &mut rng, actions);
                }
            }
        }
    }

    /// Returns what distances are measured from, in ticks.
    fn centre(&mut self, view: &View<'_>) -> f64 {
        let market = self.spec.market;
        let Some(rule) = &self.spec.reference else { return view.mid(market) };
        self.reference.follow(rule, market, view.lots(self.quoter, market).0 as f64, view)
    }

    fn arrive(&mut self, side: Side, rung: usize, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let Rung { from_bps, to_bps, bid_lots, ask_lots, .. } = self.spec.rungs[rung];
        let lots = if side == Side::Buy { bid_lots } else { ask_lots };
        let away = from_bps + (to_bps - from_bps) * uniform(rng);
        if lots <= 0.0 {
            return;
        }
        let mean = lots / self.spec.orders_per_rung;
        // Exponential sizes, at least one lot.
        let qty = Qty((libm::rint(Exponential::new(1.0 / mean).sample(rng)) as i64).max(1));
        let centre = self.centre(view);
        let price = centre * (1.0 - side.sign() as f64 * away / 1e4);
        let wanted = match side {
            Side::Buy => Price(libm::floor(price) as i64),
            Side::Sell => Price(libm::ceil(price) as i64),
        };
        // At distances below half the spread the nearest price on the own side of the middle may be the other side's best.
        let price = match (side, view.best(self.spec.market, side.opposite())) {
            (Side::Buy, Some(ask)) => wanted.min(Price(ask.0 - 1)),
            (Side::Sell, Some(bid)) => wanted.max(Price(bid.0 + 1)),
            (_, None) => wanted,
        };
        // Where the book stands beyond the reference there is no room at this distance; somewhere else it would outlive its rung.
        let is_in_place =
            price == wanted || self.spec.reference.is_none() || beyond(side, price, centre) < to_bps;
        if price >= Price(1) && is_in_place {
            let post_only = limit(price, TimeInForce::PostOnly);
            let id = actions.submit(order(self.quoter, self.spec.market, side, qty, post_only));
            self.lists[rung].push(id);
        }
    }

    /// Looks at an order of a list while activity is `multiplier` times as high as usual.
    fn cancel(
        &mut self,
        list: usize,
        multiplier: f64,
        view: &View<'_>,
        rng: &mut Rng,
        actions: &mut Actions,
    ) {
        let index = below(self.lists[list].len() as u64, rng) as usize;
        let chance = uniform(rng);
        let id = self.lists[list][index];
        let Some(resting) = view.order(self.spec.market, id) else {
            self.lists[list].swap_remove(index);
            return;
        };
        let away = beyond(resting.side, resting.price, self.centre(view));
        let now = self.spec.rungs.iter().position(|rung| away < rung.to_bps).unwrap_or(self.lists.len() - 1);
        // Candidates came this much more often, and this much more often the order is to go; flight is in both.
        let came = if highest(&self.spec, list.saturating_sub(1)) > 1.0 { multiplier } else { 1.0 };
        let goes = if highest(&self.spec, now) > 1.0 { multiplier } else { 1.0 };
        if chance < goes / came / (self.spec.rungs[now].lifetime_s * bound(&self.spec, list)) {
            self.lists[list].swap_remove(index);
            actions.cancel(self.quoter, self.spec.market, id);
        } else if now != list {
            self.lists[list].swap_remove(index);
            self.lists[now].push(id);
        }
    }
}

/// Returns the distance of an order from a price on its own side of it, in hundredths of a percent; on the other side there is none.
fn beyond(side: Side, price: Price, centre: f64) -> f64 {
    ((1.0 - price.0 as f64 / centre) * side.sign() as f64 * 1e4).max(0.0)
}

/// Orders that a list's share of the clock has room for.
fn capacity(spec: &BackgroundSpec) -> f64 {
    CAPACITY * 2.0 * spec.orders_per_rung
}

/// Highest cancellation rate per order that a list has room for: that of the next nearer rung.
fn bound(spec: &BackgroundSpec, list: usize) -> f64 {
    1.0 / spec.rungs[list.saturating_sub(1)].lifetime_s.min(spec.rungs[list].lifetime_s)
}

/// Highest multiplier of arrivals and cancellations in a rung.
fn highest(spec: &BackgroundSpec, rung: usize) -> f64 {
    if spec.rungs[rung].from_bps < spec.refill_within_bps { spec.activity.highest() } else { 1.0 }
}

impl Decide for Background {
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        match (wake, self.pending.take()) {
            (Wake::Start, _) => self.seed(view, actions),
            (Wake::Timer, Some(pending)) => self.act(pending, view, actions),
            (Wake::Timer | Wake::Fill(_), _) => {}
        }
        self.next(view, actions);
    }

    fn draws(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, Stage, submitted};
    use crate::market::OrderType;
    use crate::rng::Seed;

    /// What it holds is there before its first order, and is no news.
    #[test]
    fn orders_arrive_around_what_its_trades_tell_and_not_where_the_book_stands_in_the_way() {
        let mut stage = Stage::new();
        let (quoter, taker) = (stage.desk(), stage.desk());
        let rung = Rung { from_bps: 0.0, to_bps: 500.0, bid_lots: 100.0, ask_lots: 100.0, lifetime_s: 10.0 };
        let spec = BackgroundSpec {
            market: PERP,
            rungs: vec![rung],
            orders_per_rung: 50.0,
            market_rate: 0.0,
            market_qty: LogNormal::new(1.0, 0.0),
            activity: Activity::STEADY,
            flight: Activity::STEADY,
            refill_within_bps: 0.0,
            reference: Some(ReferenceRule { half_life: Time(1_000_000 * Time::SECOND.0), impact: 0.01 }),
        };
        let stream = Seed { master: 8, replicate: 0 }.stream("flow");
        let mut agent = Background::new(spec, quoter, taker, stream);
        let mut rng = stream.draw(1, 1);
        let mut prices = |stage: &Stage, side| {
            let mut actions = Actions::default();
            for _ in 0..400 {
                agent.arrive(side, 0, &stage.view(), &mut rng, &mut actions);
            }
            let prices: Vec<i64> = actions
                .requests
                .iter()
                .filter_map(submitted)
                .map(|order| match order.order_type {
                    OrderType::Limit { price, .. } => price.0,
                    OrderType::Market { .. } => panic!("a limit order"),
                })
                .collect();
            let ends = (*prices.iter().min().unwrap_or(&0), *prices.iter().max().unwrap_or(&0));
            (ends, prices.len())
        };
        stage.trade(quoter, PERP, Side::Buy, 7);
        assert_eq!(prices(&stage, Side::Buy), ((950, 999), 400));
        assert_eq!(prices(&stage, Side::Sell), ((1_001, 1_050), 400));
        // Ten lots at one percent each: around 904.8, and 5 % above it is below the best bid of 999.
        stage.trade(quoter, PERP, Side::Buy, 10);
        assert_eq!(prices(&stage, Side::Buy), ((859, 904), 400));
        assert_eq!(prices(&stage, Side::Sell).1, 0);
    }

    #[test]
    fn on_the_other_side_of_the_reference_there_is_no_distance() {
        let bps = |side, price| libm::rint(beyond(side, Price(price), 1_000.0)) as i64;
        assert_eq!([990, 1_010].map(|price| bps(Side::Buy, price)), [100, 0]);
        assert_eq!([990, 1_010].map(|price| bps(Side::Sell, price)), [0, 100]);
    }
}
