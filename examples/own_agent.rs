//! An agent of one's own: a momentum seller alone with a stated book, under a shipped scenario's rules.
//!
//! Run with `cargo run --release --example own_agent`.

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use firesale::agents::{Actions, Decide, View, Wake};
use firesale::clearing::MarginMode;
use firesale::engine::Simulation;
use firesale::event::Emit;
use firesale::market::{OrderType, TimeInForce};
use firesale::rng::{Rng, Seed};
use firesale::scenario::{Document, Latency, check, shipped};
use firesale::units::{AccountId, MarketId, OrderId, Price, Qty, Side, Time, VenueId};
use firesale::world::{Order, Request, Switches, World};

const MARKET: MarketId = MarketId(0);

/// Sells a lot at market every second that the middle stands below where it was the second before.
#[derive(Clone)]
struct Momentum {
    account: AccountId,
    before: f64,
}

impl Decide for Momentum {
    fn decide(&mut self, _wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        let mid = view.mid(MARKET);
        if mid <= self.before {
            actions.submit(order(self.account, Side::Sell, OrderType::Market { worst: None }));
        }
        self.before = mid;
        actions.wake_after(Time::SECOND);
    }
}

fn order(account: AccountId, side: Side, order_type: OrderType) -> Order {
    // The engine numbers an agent's orders; a number of our own is needed only for orders placed by hand below.
    let (market, id, qty) = (MARKET, OrderId(0), Qty(100));
    Order { account, market, id, side, qty, order_type, reduce_only: false, leverage: 1, trigger: None }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The venue's rules are those of a shipped scenario.
    let text = shipped::find("long-squeeze").ok_or("the scenario is shipped")?.text;
    let document = Document::parse("long-squeeze", text.as_bytes())?;
    let scenario = check(&document, "long-squeeze").map_err(|problems| document.render(&problems, false))?;
    let switches = Switches { forced_liquidation: true, insurance_fund: true, adl: true };
    let mut simulation = Simulation::<Momentum>::empty(World::new(scenario.world, switches), Time::ZERO);

    // A book of ten bids and one ask, by hand.
    let agent = simulation.next_agent();
    let world = simulation.world_mut();
    let provider = world.accounts.open(VenueId(0), agent, MarginMode::Unmargined);
    let seller = world.accounts.open(VenueId(0), agent, MarginMode::Unmargined);
    let mut seq = 0;
    let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut () };
    for step in 0..10 {
        let bid = OrderType::Limit { price: Price(99_990 - 10 * step), tif: TimeInForce::Gtc };
        let id = world.next_order_id();
        world.execute(Request::Submit(Order { id, ..order(provider, Side::Buy, bid) }), &mut emit);
    }
    let ask = OrderType::Limit { price: Price(100_010), tif: TimeInForce::Gtc };
    let id = world.next_order_id();
    world.execute(Request::Submit(Order { id, ..order(provider, Side::Sell, ask) }), &mut emit);

    let stream = Seed { master: 1, replicate: 0 }.stream("momentum");
    let at_once = Latency { base: Time::ZERO, jitter: Time::ZERO };
    simulation.add_agent(Momentum { account: seller, before: f64::INFINITY }, stream, stream, 0, at_once);
    simulation.start(&mut ());
    simulation.step_until(Time(5 * Time::SECOND.0), &mut ());
    let last = simulation.world().market(MARKET).last.ok_or("the agent has sold")?;
    println!("after five seconds the last trade is at {last} ticks");
    Ok(())
}
