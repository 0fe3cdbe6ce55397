//! Background flow: zero-intelligence limit orders, cancellations and market orders whose rates depend on the distance
//! from the middle (Smith, Farmer, Gillemot, Krishnamurthy 2003; Cont, Stoikov, Talreja 2010). It stands for everybody who is
//! not modelled one by one.
//!
//! The book is stationary by construction: at distance x orders are cancelled at rate theta(x) each and arrive at
//! lambda(x) = theta(x) n(x), where n(x) is the target depth, so that refill time is a parameter of its own.
//!
//! One clock at a constant rate serves all of it, so that wake-up times are the same in two runs that differ in a
//! mechanism. Live orders are kept in one list a rung. Each list has a share of the clock that bounds its cancellations:
//! (list's capacity) x (the rate one rung nearer, since the middle moves); a draw picks one order, looks where it is now,
//! and cancels it with probability theta(x) over the bound. Orders that traded are found gone when they are drawn.
//!
//! Activity responds to volatility, if the parameters say so: market orders, and near the middle arrivals and cancellations by
//! one factor, so that the book refills faster and is as deep as before. What comes beyond the usual is of a clock of its own (`surplus`).
//!
//! Distances are measured from the middle or, if the parameters say so, from a reference that learns from trades (`reference`).
//!
//! What can go wrong: after a fast move, orders near the touch may still be listed at their old distance and live
//! longer than theta says, for about one lifetime of the old rung: resting orders of people who were not looking.

use super::activity::Activity;
use super::reference::{Reference, ReferenceRule};
use super::surplus::{Clock, Surplus};
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

/// What makes a candidate more frequent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Response {
    Activity,
    Both,
    Flight,
    Neither,
}

/// A choice among candidates by their rates.
#[derive(Clone, Debug)]
struct Choice {
    weights: Weighted,
    candidates: Vec<Candidate>,
    /// All together, a second.
    rate: f64,
}

/// The tick that is waited for.
#[derive(Clone, Debug)]
struct Pending {
    at: Time,
    candidate: Candidate,
    /// Whether a cancellation has still to be thinned by the length of its list.
    is_open: bool,
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
    /// Waits between ticks of the clock at usual activity.
    tick: Exponential,
    usual: Choice,
    /// Multiplier of activity in this slice of time.
    activity: f64,
    surplus: Surplus,
    /// What ticks of the surplus bring, by clock.
    unusual: Vec<(Response, Choice)>,
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
        let candidates = candidates(&spec);
        let usual = Choice::new(candidates.clone()).expect("somebody comes");
        let (mut clocks, mut unusual) = (Vec::new(), Vec::new());
        for response in [Response::Activity, Response::Both, Response::Flight] {
            let those = candidates.iter().filter(|(candidate, _)| response == responds(&spec, *candidate));
            let Some(choice) = Choice::new(those.copied().collect()) else { continue };
            clocks.push(Clock {
                rate: choice.rate,
                highest: response.of([spec.activity, spec.flight].map(|one| one.highest())),
            });
            unusual.push((response, choice));
        }
        Self {
            tick: Exponential::new(usual.rate),
            usual,
            activity: 1.0,
            surplus: Surplus::new(&clocks, stream),
            unusual,
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

    /// Draws ticks of the usual clock until one may bring something. As long as nothing else happens here the lists do not change, so
    /// ticks that a short list thins out are passed over at once.
    fn next(&mut self, now: Time) -> Pending {
        let mut wait = 0.0;
        loop {
            self.ticks += 1;
            let mut rng = self.stream.draw(0, self.ticks);
            wait += self.tick.sample(&mut rng);
            let at = now + Time::from_secs_f64(wait);
            let candidate = self.usual.sample(&mut rng);
            let is_open =
                self.surplus.is_possible() && (self.surplus.is_busy() || at >= self.surplus.until());
            if !is_open && !self.finds_one(candidate, &mut rng) {
                continue;
            }
            return Pending { at, candidate, is_open, rng };
        }
    }

    /// Tells whether a candidate that looks for an order in its list finds one in the place it looks at.
    fn finds_one(&self, candidate: Candidate, rng: &mut Rng) -> bool {
        match candidate {
            Candidate::Cancel { list } => happens(self.lists[list].len() as f64 / capacity(&self.spec), rng),
            Candidate::Market | Candidate::Arrival { .. } => true,
        }
    }

    /// Does what is due: the draws of a slice of time, a tick of the surplus, or one of the usual clock.
    fn tick(&mut self, view: &View<'_>, actions: &mut Actions) {
        let now = view.now();
        if self.surplus.is_due(now) {
            self.begin_slice(view);
        } else if let Some(tick) = self.surplus.pop(now) {
            let mut rng = tick.rng;
            let candidate = self.unusual[tick.clock].1.sample(&mut rng);
            if self.finds_one(candidate, &mut rng) {
                self.act(candidate, rng, view, actions);
            }
        } else if let Some(Pending { candidate, is_open, mut rng, .. }) =
            self.pending.take_if(|pending| pending.at <= now)
            && (!is_open || self.finds_one(candidate, &mut rng))
        {
            self.act(candidate, rng, view, actions);
        }
    }

    /// Reads volatility, which stays as it is until the next slice.
    fn begin_slice(&mut self, view: &View<'_>) {
        let now = [self.spec.activity, self.spec.flight].map(|one| one.now(view, self.spec.market));
        self.activity = now[0];
        let multipliers: Vec<f64> = self.unusual.iter().map(|(response, _)| response.of(now)).collect();
        self.surplus.draw(view.now(), &multipliers);
    }

    /// Asks to be woken for what comes next.
    fn wait(&mut self, now: Time, actions: &mut Actions) {
        let usual = if let Some(pending) = &self.pending {
            pending.at
        } else {
            let next = self.next(now);
            self.pending.insert(next).at
        };
        let at = self.surplus.next().map_or(usual, |surplus| usual.min(surplus));
        actions.wake_after(at - now);
    }

    fn act(&mut self, candidate: Candidate, mut rng: Rng, view: &View<'_>, actions: &mut Actions) {
        match candidate {
            Candidate::Market => {
                let side = if happens(0.5, &mut rng) { Side::Buy } else { Side::Sell };
                let qty = Qty((libm::rint(self.spec.market_qty.sample(&mut rng)) as i64).max(1));
                actions.submit(order(self.taker, self.spec.market, side, qty, MARKET));
            }
            Candidate::Arrival { side, rung } => self.arrive(side, rung, view, &mut rng, actions),
            Candidate::Cancel { list } => self.cancel(list, view, &mut rng, actions),
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

    /// Looks at an order of a list.
    fn cancel(&mut self, list: usize, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
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
        let came = if is_near(&self.spec, list.saturating_sub(1)) { self.activity } else { 1.0 };
        let goes = if is_near(&self.spec, now) { self.activity } else { 1.0 };
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

/// Tells whether orders of a rung come and go more often with activity.
fn is_near(spec: &BackgroundSpec, rung: usize) -> bool {
    spec.rungs[rung].from_bps < spec.refill_within_bps
}

/// Everything that may happen, with its rate at usual activity.
fn candidates(spec: &BackgroundSpec) -> Vec<(Candidate, f64)> {
    let mut all = vec![(Candidate::Market, spec.market_rate)];
    for (rung, here) in spec.rungs.iter().enumerate() {
        for (side, lots) in [(Side::Buy, here.bid_lots), (Side::Sell, here.ask_lots)] {
            let rate = if lots > 0.0 { spec.orders_per_rung / here.lifetime_s } else { 0.0 };
            all.push((Candidate::Arrival { side, rung }, rate));
        }
    }
    for list in 0..spec.rungs.len() {
        all.push((Candidate::Cancel { list }, capacity(spec) * bound(spec, list)));
    }
    all
}

/// Returns what makes a candidate more frequent, `Neither` if nothing does.
fn responds(spec: &BackgroundSpec, candidate: Candidate) -> Response {
    match candidate {
        Candidate::Market => Response::Activity,
        Candidate::Arrival { rung, .. } if is_near(spec, rung) => Response::Activity,
        Candidate::Arrival { .. } => Response::Neither,
        // Its share of the clock is that of the next nearer rung.
        Candidate::Cancel { list } if is_near(spec, list.saturating_sub(1)) => Response::Both,
        Candidate::Cancel { .. } => Response::Flight,
    }
}

impl Response {
    /// Returns how much more often than usual somebody comes, from the multipliers of activity and flight.
    fn of(self, [activity, flight]: [f64; 2]) -> f64 {
        match self {
            Self::Activity => activity,
            Self::Both => activity * flight,
            Self::Flight => flight,
            Self::Neither => 1.0,
        }
    }
}

impl Choice {
    /// Makes a choice by rates; `None` if nothing ever happens.
    fn new(candidates: Vec<(Candidate, f64)>) -> Option<Self> {
        let rates: Vec<f64> = candidates.iter().map(|candidate| candidate.1).collect();
        let rate = rates.iter().sum();
        (rate > 0.0).then(|| Self {
            weights: Weighted::new(&rates),
            candidates: candidates.into_iter().map(|candidate| candidate.0).collect(),
            rate,
        })
    }

    #[inline]
    fn sample(&self, rng: &mut Rng) -> Candidate {
        self.candidates[self.weights.sample(rng)]
    }
}

impl Decide for Background {
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        match wake {
            Wake::Start => {
                self.seed(view, actions);
                if self.surplus.is_possible() {
                    self.begin_slice(view);
                }
            }
            Wake::Timer => self.tick(view, actions),
            Wake::Fill(_) => {}
        }
        self.wait(view.now(), actions);
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
