//! Rule W1 for bourse-de: its agents, and the ways to drive it. Which were tried and left out is in the README.

use bourse_book::OrderBook;
use bourse_de::agents::AgentSet;
use bourse_de::types::{Nanos, Order, OrderId, Price, Side, Status, TraderId, Vol};
use bourse_de::{Env, sim_runner};
use rand::{Rng, RngCore};
use rand_distr::{Distribution, Exp};
use rand_xoshiro::Xoroshiro128StarStar;
use rand_xoshiro::rand_core::SeedableRng;

use crate::rule::{
    CANCEL_PERCENT, Case, MARKET_PERCENT, MAX_QTY, MEAN_DISTANCE_TICKS, ORDERS_AT_START, Run,
    START_MID_TICKS, cpu_s,
};

/// Longer than any step has messages. The book's keys are (price, time) and each message of a step takes one unit: a
/// shorter step would give two orders one key, and the book would lose the first.
const STEP_SIZE: Nanos = 1_000_000_000;

/// The peer's own runner, `wakes_per_step` messages a step. Agents see the book as the last step left it.
pub(crate) fn runner(case: &Case, wakes_per_step: u64) -> Run {
    let mut env: Env = Env::new(0, 1, STEP_SIZE, true);
    let mut agents = Agents::new(case.accounts, wakes_per_step);
    agents.fill(&mut env, case.seed);
    env.step(&mut Xoroshiro128StarStar::seed_from_u64(case.seed));
    sim_runner(&mut env, &mut agents, case.seed + 1, case.warm_up.div_ceil(wakes_per_step), false);

    let trades = env.get_trades().len();
    let steps = case.messages.div_ceil(wakes_per_step);
    let cpu_s = cpu_s(|| sim_runner(&mut env, &mut agents, case.seed + 2, steps, false));
    Run {
        messages: steps * wakes_per_step,
        cpu_s,
        live_orders: live_orders(&env.get_orders()),
        trades: (env.get_trades().len() - trades) as u64,
    }
}

/// The peer's book alone, each message worked off when it is sent: no environment, no queue, no market data.
pub(crate) fn book_alone(case: &Case) -> Run {
    let mut book: OrderBook<0> = OrderBook::new(0, 1, true);
    let mut agents = Agents::new(case.accounts, 1);
    agents.fill(&mut book, case.seed);
    let mut rng = Xoroshiro128StarStar::seed_from_u64(case.seed + 1);
    let mut run = |book: &mut OrderBook<0>, messages: u64| {
        for _ in 0..messages {
            agents.wake(book, &mut rng);
        }
    };
    run(&mut book, case.warm_up);

    let trades = book.get_trades().len();
    let cpu_s = cpu_s(|| run(&mut book, case.messages));
    Run {
        messages: case.messages,
        cpu_s,
        live_orders: live_orders(&book.get_orders()),
        trades: (book.get_trades().len() - trades) as u64,
    }
}

fn live_orders(orders: &[&Order]) -> u64 {
    orders.iter().filter(|order| order.status == Status::Active).count() as u64
}

/// All accounts of a run; who wakes is drawn uniformly, which is what independent clocks of equal rate come to.
struct Agents {
    /// Orders of each account that were not yet seen to be over.
    orders: Vec<Vec<OrderId>>,
    wakes_per_step: u64,
    /// Sum of the last best bid and ask that were both there [ticks]: the middle is half of it.
    bid_plus_ask: Price,
    distance: Exp<f64>,
}

impl Agents {
    fn new(accounts: u32, wakes_per_step: u64) -> Self {
        Self {
            orders: (0..accounts).map(|_| Vec::with_capacity(8)).collect(),
            wakes_per_step,
            bid_plus_ask: 2 * START_MID_TICKS,
            distance: Exp::new(1.0 / MEAN_DISTANCE_TICKS).expect("the mean is positive"),
        }
    }

    fn fill(&mut self, market: &mut impl Market, seed: u64) {
        let mut rng = Xoroshiro128StarStar::seed_from_u64(seed);
        for _ in 0..ORDERS_AT_START {
            for account in 0..self.orders.len() {
                self.send_limit(market, &mut rng, account);
            }
        }
    }

    fn wake<R: RngCore>(&mut self, market: &mut impl Market, rng: &mut R) {
        let (bid, ask) = market.best();
        if bid > 0 && ask < Price::MAX {
            self.bid_plus_ask = bid + ask;
        }
        let account = rng.gen_range(0..self.orders.len());
        let kind = rng.gen_range(0..100);
        if kind < MARKET_PERCENT {
            let (side, qty) = (Side::from(rng.r#gen::<bool>()), rng.gen_range(1..=MAX_QTY));
            market.place(side, qty, account as TraderId, None);
        } else if kind < MARKET_PERCENT + CANCEL_PERCENT
            && let Some(order) = self.pick_live(market, rng, account)
        {
            market.cancel(order);
        } else {
            self.send_limit(market, rng, account);
        }
    }

    /// A uniformly random order of the account that may be cancelled. Orders that are over leave the list when the draw
    /// meets them; what is drawn first among the others is uniform all the same.
    fn pick_live<R: RngCore>(
        &mut self,
        market: &impl Market,
        rng: &mut R,
        account: usize,
    ) -> Option<OrderId> {
        let orders = &mut self.orders[account];
        while !orders.is_empty() {
            let place = rng.gen_range(0..orders.len());
            match market.status(orders[place]) {
                Status::Active => return Some(orders.swap_remove(place)),
                // Sent in this step: the shuffle may put the cancel first, so that the order outlives it.
                Status::New => return Some(orders[place]),
                Status::Filled | Status::Cancelled | Status::Rejected => {
                    orders.swap_remove(place);
                }
            }
        }
        None
    }

    fn send_limit<R: RngCore>(&mut self, market: &mut impl Market, rng: &mut R, account: usize) {
        let distance = 1 + self.distance.sample(rng) as Price;
        let (side, qty) = (Side::from(rng.r#gen::<bool>()), rng.gen_range(1..=MAX_QTY));
        // Half a tick is rounded away from the middle. Price zero means a market order to the peer.
        let price = match side {
            Side::Bid => (self.bid_plus_ask >> 1).saturating_sub(distance).max(1),
            Side::Ask => self.bid_plus_ask.div_ceil(2) + distance,
        };
        let order = market.place(side, qty, account as TraderId, Some(price));
        self.orders[account].push(order);
    }
}

impl AgentSet for Agents {
    fn update<R: RngCore>(&mut self, env: &mut Env, rng: &mut R) {
        for _ in 0..self.wakes_per_step {
            self.wake(env, rng);
        }
    }
}

/// What the rule needs of a market, so that one text of it serves every way of driving the peer.
trait Market {
    fn best(&self) -> (Price, Price);
    fn status(&self, order: OrderId) -> Status;
    fn place(&mut self, side: Side, qty: Vol, account: TraderId, price: Option<Price>) -> OrderId;
    fn cancel(&mut self, order: OrderId);
}

impl<const N: usize> Market for Env<N> {
    fn best(&self) -> (Price, Price) {
        (self.level_2_data().bid_price, self.level_2_data().ask_price)
    }

    fn status(&self, order: OrderId) -> Status {
        self.order_status(order)
    }

    fn place(&mut self, side: Side, qty: Vol, account: TraderId, price: Option<Price>) -> OrderId {
        self.place_order(side, qty, account, price).expect("every price is a multiple of one")
    }

    fn cancel(&mut self, order: OrderId) {
        self.cancel_order(order);
    }
}

impl<const N: usize> Market for OrderBook<N> {
    fn best(&self) -> (Price, Price) {
        self.bid_ask()
    }

    fn status(&self, order: OrderId) -> Status {
        self.order(order).status
    }

    fn place(&mut self, side: Side, qty: Vol, account: TraderId, price: Option<Price>) -> OrderId {
        // Orders of one price and one time would share a key.
        self.set_time(self.get_time() + 1);
        self.create_and_place_order(side, qty, account, price).expect("every price is a multiple of one")
    }

    fn cancel(&mut self, order: OrderId) {
        self.cancel_order(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: Case = Case { accounts: 100, warm_up: 0, messages: 50_000, seed: 7 };

    fn after_a_run(wakes_per_step: u64) -> Env {
        let mut env: Env = Env::new(0, 1, STEP_SIZE, true);
        let mut agents = Agents::new(CASE.accounts, wakes_per_step);
        agents.fill(&mut env, CASE.seed);
        sim_runner(&mut env, &mut agents, CASE.seed, CASE.messages.div_ceil(wakes_per_step), false);
        env
    }

    #[test]
    fn no_order_is_lost_to_a_shared_key() {
        for wakes_per_step in [1, 1_000] {
            let env = after_a_run(wakes_per_step);
            let of_status: Vol = env
                .get_orders()
                .iter()
                .filter(|order| order.status == Status::Active)
                .map(|order| order.vol)
                .sum();
            let book = env.get_orderbook();
            let levels = book.bid_vol() + book.ask_vol();
            assert_eq!(of_status, levels, "{wakes_per_step} a step");
            assert!(of_status > 0, "{wakes_per_step} a step");
        }
    }

    #[test]
    fn the_shares_of_messages_are_those_of_the_rule() {
        let env = after_a_run(1);
        let orders = env.get_orders();
        let market = orders.iter().filter(|order| [0, Price::MAX].contains(&order.price)).count() as f64;
        let cancels = CASE.messages as f64 + f64::from(ORDERS_AT_START * CASE.accounts) - orders.len() as f64;
        let share = |count: f64| 100.0 * count / CASE.messages as f64;
        // Four standard errors of a share of 15 % in 50,000 are 0.64 points.
        assert!((share(market) - f64::from(MARKET_PERCENT)).abs() < 0.64, "{} %", share(market));
        // Accounts without an order send a limit order in place of a cancel, so that there are fewer.
        assert!(share(cancels) < f64::from(CANCEL_PERCENT), "{} %", share(cancels));
        assert!(share(cancels) > 0.5 * f64::from(CANCEL_PERCENT), "{} %", share(cancels));
    }
}
