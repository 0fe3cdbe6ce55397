//! The simulation: one clock, one queue, agents that decide and a world that does.
//!
//! One step:
//! ```text
//! take the next item by (time, sequence)
//! wake     -> the agent decides from a view of the world and its own dice; requests go out, after its latency
//! deliver  -> the venue works the request off (world::execute), and its fills set out for the agents
//! fill     -> the agent whose order traded decides
//! shock    -> a fundamental value moves
//! ```
//! Everything that happens is said to the observer, which takes references only and cannot change the run. A simulation is
//! data: clone it at any moment and run the copies on, with and without an intervention, on the same dice.
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as what these do, and each is called from one place that matters"
)]

mod queue;
mod setup;

use crate::agents::{Actions, Decide, Strategy, View, Wake};
use crate::event::{Emit, Event, Observer};
use crate::mechanisms::FundamentalSpec;
use crate::rng::{Rng, Stream};
use crate::sampling::{Distribution, Normal, uniform};
use crate::scenario::{Latency, Shock, ShockKind};
use crate::units::{AccountId, AgentId, MarketId, OrderId, Time};
use crate::world::{OBSERVED_EVERY, Request, World};
use queue::{Due, Item, Queue, Timer};

/// One agent with what the engine keeps for it.
#[derive(Clone, Debug)]
struct Slot<A> {
    agent: A,
    stream: Stream,
    delays: Stream,
    /// Its place in its population: the number in the key of its draws.
    index: u64,
    /// Decisions so far.
    wakes: u64,
    /// The timer asked for last, the only one that counts.
    timer: Timer,
    latency: Latency,
    /// Without latency: what it asks for is done at once.
    is_instant: bool,
    hears_fills: bool,
    /// What an agent is handed that does not draw.
    unused: Option<Rng>,
}

/// A run of a scenario from a seed, at some moment of it.
#[derive(Clone, Debug)]
pub struct Simulation<A: Decide = Strategy> {
    world: World,
    agents: Vec<Slot<A>>,
    queue: Queue,
    now: Time,
    seq: u64,
    items: u64,
    messages: u64,
    fundamentals: Vec<FundamentalSpec>,
    fundamental_streams: Vec<Stream>,
    fundamental_moves: Vec<u64>,
    shocks: Vec<Shock>,
    actions: Actions,
}

impl<A: Decide> Simulation<A> {
    /// Makes a simulation of a world without agents, for agents of one's own: see `add_agent`.
    pub fn empty(world: World, start: Time) -> Self {
        Self {
            world,
            agents: Vec::new(),
            queue: Queue::default(),
            now: start,
            seq: 0,
            items: 0,
            messages: 0,
            fundamentals: Vec::new(),
            fundamental_streams: Vec::new(),
            fundamental_moves: Vec::new(),
            shocks: Vec::new(),
            actions: Actions::default(),
        }
    }

    /// Returns the world as it is now.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns the world to change it from outside between two steps: an intervention in a fork.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Returns the time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Returns how many records were said so far.
    pub fn records(&self) -> u64 {
        self.seq
    }

    /// Returns how many messages reached a venue so far.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Returns the id that the next agent will have, to open its accounts with.
    pub fn next_agent(&self) -> AgentId {
        AgentId(self.agents.len() as u32)
    }

    /// Adds an agent. `stream` is its population's, `index` its place in it; it starts when `start` is called.
    pub fn add_agent(&mut self, agent: A, stream: Stream, delays: Stream, index: u64, latency: Latency) {
        let hears_fills = agent.hears_fills();
        let unused = (!agent.draws()).then(|| stream.draw(index, 0));
        self.agents.push(Slot {
            agent,
            stream,
            delays,
            index,
            wakes: 0,
            timer: Timer::default(),
            latency,
            is_instant: latency.base.max(latency.jitter) == Time::ZERO,
            hears_fills,
            unused,
        });
    }

    /// Wakes every agent for the first time, in order; what they ask for is done at once. Then stops and liquidations may go.
    pub fn start<O: Observer>(&mut self, observer: &mut O) {
        let accounts = &mut self.world.accounts;
        for id in (0..accounts.len() as u32).map(AccountId) {
            let owner = accounts.get(id).owner;
            accounts.set_heard(id, self.agents.get(owner.index()).is_some_and(|slot| slot.hears_fills));
        }
        for agent in 0..self.agents.len() as u32 {
            self.decide(agent, Wake::Start, 0, observer);
        }
        self.world.open_for_liquidation();
    }

    /// Works off everything up to and including an instant.
    pub fn step_until<O: Observer>(&mut self, until: Time, observer: &mut O) {
        while let Some((time, due)) = self.queue.pop_until(until) {
            debug_assert!(time >= self.now, "time never runs backwards");
            self.now = time;
            self.items = self.items.wrapping_add(1);
            self.work_off(due, observer);
            if cfg!(debug_assertions) {
                self.audit();
            }
        }
        self.now = self.now.max(until);
    }

    /// Asserts conservation: of the running sums at every item, of everything at some of them and in small worlds always.
    fn audit(&self) {
        self.world.assert_conserved();
        if self.world.accounts.len() <= 64
            || self.items.is_power_of_two()
            || self.items.is_multiple_of(1 << 18)
        {
            self.world.assert_conserved_in_full();
        }
    }

    fn work_off<O: Observer>(&mut self, due: Due, observer: &mut O) {
        match due {
            Due::Timer { agent, timer } => {
                if self.agents[agent as usize].timer == timer {
                    self.decide(agent, Wake::Timer, 0, observer);
                }
            }
            Due::Item(Item::Deliver { request, cause }) => self.execute(&request, cause, observer),
            Due::Item(Item::Fill(notice)) => {
                self.decide(notice.agent.0, Wake::Fill(notice), notice.cause, observer);
            }
            Due::Item(Item::Fundamental(market)) => self.move_fundamental(market, observer),
            Due::Item(Item::Shock(index)) => self.strike(index, observer),
            Due::Item(Item::Observe(market)) => {
                self.queue.push(self.now + OBSERVED_EVERY, Item::Observe(market));
                let mut emit = Emit { seq: &mut self.seq, time: self.now, cause: 0, observer };
                self.world.observe(market, &mut emit);
                self.notify();
            }
        }
    }

    /// Lets an agent decide and sends what it asks for.
    fn decide<O: Observer>(&mut self, agent: u32, wake: Wake, cause: u64, observer: &mut O) {
        let Self { agents, actions, world, queue, now, .. } = self;
        let slot = &mut agents[agent as usize];
        slot.wakes = slot.wakes.wrapping_add(1);
        let mut rng = match &slot.unused {
            Some(rng) => rng.clone(),
            None => slot.stream.draw(slot.index, slot.wakes),
        };
        actions.last_order = world.last_order_id().0;
        slot.agent.decide(wake, &View::new(world, *now), &mut rng, actions);
        world.set_last_order_id(OrderId(actions.last_order));
        if let Some(wait) = actions.wake_after.take() {
            slot.timer = queue.push_timer(*now + wait.max(Time::ZERO), agent);
        }
        if wake == Wake::Start || slot.is_instant {
            self.execute_at_once(cause, observer);
        } else if !actions.requests.is_empty() {
            let arrival = *now + delay(slot);
            for request in actions.requests.drain(..) {
                queue.push(arrival, Item::Deliver { request, cause });
            }
        }
    }

    /// Works off what an agent asks for where the agent put it: a copy of a request is as long as the work of some.
    #[inline(always)]
    fn execute_at_once<O: Observer>(&mut self, cause: u64, observer: &mut O) {
        let requests = &self.actions.requests[..];
        self.messages = self.messages.wrapping_add(requests.len() as u64);
        let mut emit = Emit { seq: &mut self.seq, time: self.now, cause, observer };
        match requests {
            [] => {}
            // Apart from several: a loop would get everything ready for further rounds.
            [request] => self.world.work_off(request, &mut emit),
            several => self.world.work_off_all(several, &mut emit),
        }
        self.actions.requests.clear();
        self.notify();
    }

    fn execute<O: Observer>(&mut self, request: &Request, cause: u64, observer: &mut O) {
        self.messages = self.messages.wrapping_add(1);
        let mut emit = Emit { seq: &mut self.seq, time: self.now, cause, observer };
        self.world.work_off(request, &mut emit);
        self.notify();
    }

    /// Sends what agents are to hear of their trades on its way.
    #[inline]
    fn notify(&mut self) {
        if !self.world.notices.is_empty() {
            self.send_notices();
        }
    }

    /// Sends the fills of a message on their way to the agents that hear of them.
    #[inline(never)]
    fn send_notices(&mut self) {
        for notice in self.world.notices.drain(..) {
            if let Some(slot) = self.agents.get(notice.agent.index()).filter(|slot| slot.hears_fills) {
                self.queue.push(self.now + delay(slot), Item::Fill(notice));
            }
        }
    }

    fn move_fundamental<O: Observer>(&mut self, market: MarketId, observer: &mut O) {
        let spec = self.fundamentals[market.index()];
        let moves = &mut self.fundamental_moves[market.index()];
        *moves += 1;
        let mut rng = self.fundamental_streams[market.index()].draw(0, *moves);
        let sd = spec.volatility * (spec.step.as_secs_f64() / 3_600.0).sqrt();
        // The value itself is a martingale: half the variance is taken off its logarithm.
        let factor = libm::exp(Normal::new(-0.5 * sd * sd, sd).sample(&mut rng));
        self.queue.push(self.now + spec.step, Item::Fundamental(market));
        self.scale_fundamental(market, factor, 0, observer);
    }

    fn strike<O: Observer>(&mut self, index: u32, observer: &mut O) {
        if let ShockKind::FundamentalJump { market, bps, .. } = self.shocks[index as usize].kind {
            let mut emit = Emit { seq: &mut self.seq, time: self.now, cause: 0, observer };
            let cause = emit.say(Event::Shock { index });
            self.scale_fundamental(market, 1.0 + bps / 1e4, cause, observer);
        }
    }

    fn scale_fundamental<O: Observer>(
        &mut self,
        market: MarketId,
        factor: f64,
        cause: u64,
        observer: &mut O,
    ) {
        let state = &mut self.world.markets[market.index()];
        state.fundamental *= factor;
        let value = state.fundamental;
        Emit { seq: &mut self.seq, time: self.now, cause, observer }
            .say(Event::Fundamental { market, value });
    }
}

/// Draws the delay of an agent's messages at its present decision.
fn delay<A>(slot: &Slot<A>) -> Time {
    if slot.latency.jitter == Time::ZERO {
        return slot.latency.base;
    }
    let share = uniform(&mut slot.delays.draw(slot.index, slot.wakes));
    slot.latency.base + Time((slot.latency.jitter.0 as f64 * share) as i64)
}
