//! Leveraged retail: accounts that open at random, each with the leverage it is used to, and close at random.
//! One clock for the whole population (superposition of Poisson processes): an idle account costs nothing. It ticks at the
//! highest rate that any account may have and is thinned (`activity`).
//!
//! An opening order and the exits of its position leave together, as one decision: an agent that does not hear its fills cannot
//! wait for them, and venues take exits with the order. What is left of a position's exits is taken back when the account closes it,
//! and at the latest before it opens the next one. Looking at a position, to put cash behind it, is one more event of the
//! clock: people look at random times, and more often in a storm.

use super::activity::{Activity, known_for};
use super::exits::{ExitRules, Exits, Opened, Placed};
use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::clearing::initial_margin;
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
    /// Largest notional of a new position, in money of the settlement asset's smallest unit.
    pub largest: Money,
    /// How all rates rise when the market moves.
    pub activity: Activity,
    /// Which positions have a stop-loss or a take-profit, and where.
    pub exits: ExitRules,
    /// Who puts cash behind a losing position; `None` for nobody.
    pub top_up: Option<TopUp>,
    /// The rate of closing is multiplied by 1 + panic x the share of the initial margin that is lost.
    pub panic: f64,
}

/// How accounts put free cash behind a losing position.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TopUp {
    /// Share of accounts that do [0-1].
    pub share: f64,
    /// Share of the initial margin that equity must have fallen below [0-1].
    pub below: f64,
    /// Rate at which an account with a position looks at it, per second.
    pub look_rate: f64,
}

/// What a tick of the clock may bring.
#[derive(Clone, Copy, Debug)]
struct Tick {
    /// Whose it is: a place in the population.
    index: u32,
    /// Uniform draw times the highest multiplier: below the multiplier, the tick counts; below it times the share of a rate in the
    /// clock's, that is done.
    draw: f64,
    /// A new position would be long.
    long: bool,
}

/// Numbers of draws from a member's habits that no tick has.
const TOP_UP_DRAW: u64 = u64::MAX;
const LEVERAGE_DRAW: u64 = u64::MAX - 1;

/// Returns the place in the list of leverages of the one that a member always chooses: who has little at stake and much leverage
/// opens with much leverage again.
pub fn habitual_leverage(leverages: &Weighted, habits: Stream, index: u32) -> usize {
    leverages.sample(&mut habits.draw(u64::from(index), LEVERAGE_DRAW))
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
    /// Draws on exits by account and tick, and on who tops up.
    habits: Stream,
    /// Highest rate of one account, per second, in a market that does not move.
    rate: f64,
    panic: f64,
    pending: Option<(Tick, Rng)>,
    /// Exits of the positions of the start, placed at the start.
    seeded: Vec<(u32, Exits)>,
    placed: Placed,
}

impl Retail {
    /// Makes the population for `spec.accounts` margined accounts from `first` on. Its draws come from `clock` by tick, those
    /// on what its members are used to from `habits`.
    pub fn new(spec: RetailSpec, first: AccountId, clock: Stream, habits: Stream) -> Self {
        let looks = spec.top_up.map_or(0.0, |rule| rule.look_rate);
        Self {
            leverage: Weighted::new(&spec.weights),
            rate: spec.open_rate.max(spec.close_rate * (1.0 + spec.panic) + looks),
            panic: spec.panic,
            placed: Placed::new(&spec.exits, spec.accounts),
            seeded: Vec::new(),
            spec,
            first,
            clock,
            habits,
            ticks: 0,
            pending: None,
        }
    }

    /// States the exits of positions that are there at the start, by place in the population.
    #[must_use]
    pub fn with_exits(mut self, seeded: Vec<(u32, Exits)>) -> Self {
        self.seeded = seeded;
        self
    }

    /// Takes the response to losses away; the clock ticks as before.
    #[must_use]
    pub fn without_panic(mut self) -> Self {
        self.panic = 0.0;
        self
    }

    fn account(&self, index: u32) -> AccountId {
        AccountId(self.first.0 + index)
    }

    fn place_seeded(&mut self, view: &View<'_>, actions: &mut Actions) {
        for (index, exits) in std::mem::take(&mut self.seeded) {
            let place = (self.account(index), self.spec.market);
            self.placed.place(index as usize, place, view.lots(place.0, place.1), exits, actions);
        }
    }

    /// Draws ticks of the clock until one may bring something, and asks to be woken then. The clock runs at the higher of the
    /// rates without and with a position for every account; the slower decisions are thinned.
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
                index: below(u64::from(self.spec.accounts), &mut rng) as u32,
                draw: uniform(&mut rng) * highest,
                long: happens(self.spec.long_share, &mut rng),
            };
            if wait >= known || tick.draw < multiplier {
                view.fetch_account(self.account(tick.index));
                self.pending = Some((tick, rng));
                actions.wake_after(Time::from_secs_f64(wait));
                return;
            }
        }
    }

    fn act(&mut self, tick: &Tick, view: &View<'_>, actions: &mut Actions) {
        let market = self.spec.market;
        let account = self.account(tick.index);
        let multiplier = self.spec.activity.now(view, market);
        let happens = |rate: f64| tick.draw < rate / self.rate * multiplier;
        let lots = view.lots(account, market);
        if let Some(side) = lots.side() {
            let closing = self.spec.close_rate * (1.0 + self.panic * self.lost(view, account));
            if happens(closing) {
                let mut order = order(account, market, side.opposite(), lots.size(), MARKET);
                order.reduce_only = true;
                actions.submit(order);
                self.placed.cancel(tick.index as usize, (account, market), actions);
            } else if let Some(rule) = self.spec.top_up
                && happens(closing + rule.look_rate)
            {
                self.top_up(&rule, tick.index, view, actions);
            }
        } else if happens(self.spec.open_rate) {
            let side = if tick.long { Side::Buy } else { Side::Sell };
            let price = view.best(market, side.opposite()).unwrap_or_else(|| view.mark(market));
            self.open(tick, view, side, price, actions);
        }
    }

    /// Returns the share of the initial margin that a position has lost [0-1].
    fn lost(&self, view: &View<'_>, account: AccountId) -> f64 {
        if self.panic <= 0.0 {
            return 0.0;
        }
        let initial = view.initial_margin(account, self.spec.market).0.max(1) as f64;
        (1.0 - view.equity(account, self.spec.market).0 as f64 / initial).clamp(0.0, 1.0)
    }

    /// Puts cash behind a position that has lost much of its margin, if the account is one of those who do.
    fn top_up(&self, rule: &TopUp, index: u32, view: &View<'_>, actions: &mut Actions) {
        let (account, market) = (self.account(index), self.spec.market);
        let (initial, equity) = (view.initial_margin(account, market), view.equity(account, market));
        let amount = (initial - equity).min(view.free(account));
        let has_fallen = (equity.0 as f64) < rule.below * initial.0 as f64;
        if has_fallen
            && amount > Money::ZERO
            && happens(rule.share, &mut self.habits.draw(u64::from(index), TOP_UP_DRAW))
        {
            actions.top_up(account, market, amount);
        }
    }

    fn open(&mut self, tick: &Tick, view: &View<'_>, side: Side, price: Price, actions: &mut Actions) {
        let index = tick.index;
        let leverage = self.spec.leverages[habitual_leverage(&self.leverage, self.habits, index)];
        let (account, market) = (self.account(index), self.spec.market);
        let leverage = leverage.min(view.leverage_on_offer(market));
        let lot_value = view.lot_value(market, price).0 as f64;
        let stake = view.free(account).0 as f64 * self.spec.stake;
        // One in five hundred of the notional is kept for fees and slippage, times leverage as both scale with it.
        let notional = stake * f64::from(leverage) / (1.0 + 0.002 * f64::from(leverage));
        let notional = notional.min(self.spec.largest.0 as f64);
        let leverage = leverage.min(view.max_leverage(market, Money(notional as i64)));
        let qty = libm::floor(notional / lot_value) as i64;
        if lot_value <= 0.0 || qty < 1 {
            return;
        }
        self.placed.cancel(index as usize, (account, market), actions);
        let mut opening = order(account, market, side, Qty(qty), MARKET);
        opening.leverage = leverage;
        actions.submit(opening);
        if !self.spec.exits.are_none() {
            let lots = Qty(qty).signed(side);
            let margin = initial_margin(Money(view.lot_value(market, price).0 * qty), leverage);
            let mark = view.mark(market);
            let opened = Opened { side, entry: price, low: mark, high: mark };
            let survives = |mark| view.survives(market, lots, price, margin, mark);
            let exits = self.spec.exits.draw(opened, survives, self.habits, u64::from(index), self.ticks);
            self.placed.place(index as usize, (account, market), lots, exits, actions);
        }
    }
}

impl Decide for Retail {
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        match (wake, self.pending.take()) {
            (Wake::Start, _) => {
                self.place_seeded(view, actions);
                self.ticks = 1;
                self.next(self.clock.draw(0, 1), view, actions);
            }
            (Wake::Timer, Some((tick, rng))) => {
                self.act(&tick, view, actions);
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
    use crate::agents::tests::{PERP, Stage, submitted};
    use crate::market::TriggerWhen;
    use crate::rng::Seed;
    use crate::world::Request;

    const STREAM: Seed = Seed { master: 5, replicate: 0 };

    fn spec() -> RetailSpec {
        RetailSpec {
            largest: Money(i64::MAX),
            market: PERP,
            accounts: 10,
            leverages: vec![5],
            weights: vec![1.0],
            long_share: 0.5,
            open_rate: 0.01,
            close_rate: 0.02,
            stake: 0.5,
            activity: Activity { reference: 0.05, exponent: 1.0, cap: 20.0 },
            exits: ExitRules::default(),
            top_up: None,
            panic: 0.0,
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
        let (_, woken) = calm.live(&mut Retail::new(spec(), first, stream, stream), stream, 300);
        let (_, ticks) = wild.live(&mut Retail::new(spec(), first, stream, stream), stream, 6_000);
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

    fn rule(median: f64) -> crate::agents::ExitRule {
        crate::agents::ExitRule { share: 1.0, distance_bps: crate::sampling::LogNormal::new(median, 0.0) }
    }

    #[test]
    fn exits_leave_with_the_opening_order_and_are_taken_back_with_the_closing_one() {
        let mut stage = Stage::new();
        let first = stage.open(1_000_000);
        let exits = ExitRules { stop_loss: Some(rule(500.0)), take_profit: Some(rule(800.0)) };
        let spec = RetailSpec { accounts: 1, long_share: 1.0, exits, activity: Activity::STEADY, ..spec() };
        let stream = STREAM.stream("retail");
        let (requests, _) = stage.live(&mut Retail::new(spec, first, stream, stream), stream, 50);
        let [opening, stop, profit, closing, ..] = requests[..] else { panic!("{requests:?}") };
        let orders = [opening, stop, profit, closing].map(|request| *submitted(&request).unwrap());
        // The best ask is 1,001: 951 lies 5 % below it and 1,081 8 % above.
        let triggers = orders.map(|order| order.trigger.map(|trigger| (trigger.price.0, trigger.when)));
        let (below, above) = (TriggerWhen::AtOrBelow, TriggerWhen::AtOrAbove);
        assert_eq!(triggers, [None, Some((951, below)), Some((1_081, above)), None]);
        assert_eq!(orders.map(|order| order.reduce_only), [false, true, true, true]);
        assert_eq!(orders.map(|order| order.side), [Side::Buy, Side::Sell, Side::Sell, Side::Sell]);
        assert!(orders.iter().all(|order| order.qty == orders[0].qty));
        let cancelled = requests[4..6].iter().map(|request| match request {
            Request::Cancel { id, .. } => *id,
            other => panic!("{other:?}"),
        });
        assert_eq!(cancelled.collect::<Vec<_>>(), [orders[1].id, orders[2].id]);
        // Sooner or later each position is closed, and nothing waits that nobody holds.
        assert!(stage.world.market(PERP).stops.len() <= 2, "{}", stage.world.market(PERP).stops.len());
    }

    /// Two longs of 10 at leverage 5: initial margin 2,000. At 910 a loss of 900 leaves 1,100, above a half; at 890 it does not.
    #[test]
    fn cash_goes_behind_a_position_that_lost_half_of_its_margin_and_up_to_it() {
        for (middle, topped) in [(910, Vec::new()), (890, vec![Money(1_100)])] {
            let mut stage = Stage::new();
            let first = stage.open(5_000);
            stage.seed(first, 10, 5);
            stage.quote(middle);
            let top_up = Some(TopUp { share: 1.0, below: 0.5, look_rate: 0.1 });
            let spec =
                RetailSpec { accounts: 1, close_rate: 0.0, top_up, activity: Activity::STEADY, ..spec() };
            let stream = STREAM.stream("retail");
            let (requests, _) = stage.live(&mut Retail::new(spec, first, stream, stream), stream, 20);
            let amounts = requests.iter().map(|request| match request {
                Request::TopUp { amount, .. } => *amount,
                other => panic!("{other:?}"),
            });
            assert_eq!(amounts.collect::<Vec<_>>(), topped, "{middle}");
        }
    }

    /// Ten longs of which nine tenths of the margin are lost close at 1 + 9 times the rate; the clock ticks as without.
    #[test]
    fn those_who_lose_close_sooner_if_they_panic() {
        let closes = |panics: bool| {
            let mut stage = Stage::new();
            let first = AccountId(2);
            for _ in 0..1_000 {
                let account = stage.open(2_000);
                stage.seed(account, 10, 5);
            }
            stage.quote(820);
            let spec = RetailSpec {
                accounts: 1_000,
                open_rate: 0.0,
                panic: 10.0,
                activity: Activity::STEADY,
                ..spec()
            };
            let stream = STREAM.stream("retail");
            let mut agent = Retail::new(spec, first, stream, stream);
            if !panics {
                agent = agent.without_panic();
            }
            let (requests, times) = stage.live(&mut agent, stream, 400);
            (requests.len(), times)
        };
        let ((many, ticks), (few, same)) = (closes(true), closes(false));
        assert_eq!(ticks, same);
        // Some 290 accounts are drawn at least once and 400 / 11 = 36 draws close without panic.
        assert!((250..330).contains(&many) && (15..60).contains(&few), "{many} and {few}");
    }
}
