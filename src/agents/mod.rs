//! Who trades: one file an agent. An agent sees and says; it never touches.
//!
//! The life of an agent, as the engine lives it:
//! 1. `Wake::Start`: at the beginning of the burn-in; what it asks for is done at once, so that there is a market;
//! 2. `Wake::Timer`: at the instant it last asked for with `Actions::wake_after`;
//! 3. `Wake::Fill`: one of its orders traded, if `Decide::hears_fills` says so;
//! 4. each time it puts requests into `Actions`, which reach the venue after the agent's latency.
//!
//! The generator it is handed is a function of (scheme, seed, replicate, stream name, agent, wake number), so what one
//! agent draws never depends on another. To add an agent of your own, implement `Decide` and run
//! `Simulation<YourAgent>`; all built-in ones are written the same way (`examples/own_agent.rs` is one).

mod activity;
mod arbitrageur;
mod background;
mod exits;
mod fund_desk;
mod fundamentalist;
mod holder;
mod maker;
mod meta_order;
mod reference;
mod retail;
mod spot_holder;
mod surplus;
#[cfg(test)]
mod tests;
mod trend_follower;

pub use activity::Activity;
pub use arbitrageur::{Arbitrageur, ArbitrageurSpec};
pub use background::{Background, BackgroundSpec, Rung};
pub use exits::{ExitRule, ExitRules, Exits, Opened};
pub use fund_desk::{FundDesk, UnloadingSpec};
pub use fundamentalist::{Fundamentalist, FundamentalistSpec};
pub use holder::Holder;
pub use maker::{Hedge, Ladder, Maker, MakerSpec, Withdrawal};
pub use meta_order::{MetaOrder, MetaOrderSpec};
pub use reference::ReferenceRule;
pub use retail::{Retail, RetailSpec, TopUp, habitual_leverage};
pub use spot_holder::{SpotHolder, SpotHolderSpec};
pub use trend_follower::{TrendFollower, TrendFollowerSpec};

use crate::market::{Book, OrderType, Place, Resting, TimeInForce};
use crate::rng::Rng;
use crate::sampling::uniform;
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Qty, Side, Time};
use crate::world::{Notice, Order, Request, World};

/// Why an agent is awake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// The run begins.
    Start,
    /// The time it asked for has come.
    Timer,
    /// One of its orders traded.
    Fill(Notice),
}

/// A decision rule.
pub trait Decide: Clone {
    /// Decides: reads the view, draws from the generator, puts requests into the actions.
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions);

    /// Tells whether the agent is woken by its fills.
    fn hears_fills(&self) -> bool {
        false
    }

    /// Tells whether the agent draws from the generator that it is handed. One that never does, since it keeps a stream of its
    /// own or leaves nothing to chance, says so and is spared the making of it: what it is handed then is always the same.
    fn draws(&self) -> bool {
        true
    }
}

/// What an agent may know: public prices of every market, and everything about its own accounts.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    world: &'a World,
    now: Time,
}

impl<'a> View<'a> {
    /// Makes the view of a moment.
    pub fn new(world: &'a World, now: Time) -> Self {
        Self { world, now }
    }

    /// Returns the time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Returns the best bid (`Buy`) or ask (`Sell`).
    pub fn best(&self, market: MarketId, side: Side) -> Option<Price> {
        self.world.market(market).book.best(side)
    }

    /// Returns the middle of the book in ticks, or the mark where a half is empty.
    pub fn mid(&self, market: MarketId) -> f64 {
        self.mid_twice(market) as f64 / 2.0
    }

    /// Returns the same in half ticks.
    #[inline]
    pub fn mid_twice(&self, market: MarketId) -> i64 {
        let twice = self.world.market(market).book.mid_twice();
        twice.unwrap_or_else(|| 2 * self.world.mark(market).0)
    }

    /// Returns the price that margin is measured on.
    pub fn mark(&self, market: MarketId) -> Price {
        self.world.mark(market)
    }

    /// Returns the fundamental value in ticks, which informed agents see with an error of their own making.
    pub fn fundamental(&self, market: MarketId) -> f64 {
        self.world.market(market).fundamental
    }

    /// Returns the index of a market in its ticks, if it has one and its source was quoted.
    pub fn index(&self, market: MarketId) -> Option<f64> {
        self.world.market(market).reference.index
    }

    /// Returns the funding rate that the next payment would have by what was seen of its interval so far.
    pub fn funding_rate(&self, market: MarketId) -> f64 {
        self.world.market(market).reference.funding_rate
    }

    /// Returns how much the middle has moved of late: standard deviation of the logarithm per square root of an hour, by an
    /// exponential average of the size of returns; 0 in a market that does not ask for it.
    pub fn volatility(&self, market: MarketId) -> f64 {
        self.world.market(market).reference.volatility()
    }

    /// Returns coins a lot, exactly as the rules state them, as a float.
    pub fn coins(&self, market: MarketId) -> f64 {
        self.world.market(market).reference.coins_a_lot
    }

    /// Returns the price of one tick in the settlement asset.
    pub fn tick(&self, market: MarketId) -> f64 {
        self.world.market(market).reference.tick
    }

    /// Returns how an own position stands at the mark: what is behind it, with unrealised profit.
    pub fn equity(&self, account: AccountId, market: MarketId) -> Money {
        self.world.accounts.find(account, market).map_or(Money::ZERO, |id| self.world.equity(id))
    }

    /// Returns the margin that an own position was opened with: its cost over its leverage.
    pub fn initial_margin(&self, account: AccountId, market: MarketId) -> Money {
        let position = self.world.accounts.find(account, market).map(|id| self.world.accounts.position(id));
        position.map_or(Money::ZERO, |position| {
            crate::clearing::initial_margin(Money(position.cost.0.abs()), position.leverage)
        })
    }

    /// Tells whether a position with this margin behind it would not be liquidated at a mark.
    pub fn survives(
        &self,
        market: MarketId,
        lots: Position,
        entry: Price,
        margin: Money,
        mark: Price,
    ) -> bool {
        self.world.survives(market, lots, entry, margin, mark)
    }

    /// Returns the signed lots of an own account.
    pub fn lots(&self, account: AccountId, market: MarketId) -> Position {
        self.world.accounts.lots(account, market)
    }

    /// Returns the free balance of an own account.
    pub fn free(&self, account: AccountId) -> Money {
        self.world.accounts.get(account).free()
    }

    /// Returns an own order if it still rests.
    pub fn order(&self, market: MarketId, id: OrderId) -> Option<Resting> {
        let book = &self.world.market(market).book;
        book.get(book.find(id)?)
    }

    /// Has an own account fetched into the cache, where a later decision will look for it. A wait for memory is as long as a
    /// decision; one that draws whom it is about ahead of time says so here. It tells nothing and changes nothing.
    #[inline]
    pub fn fetch_account(&self, account: AccountId) {
        self.world.fetch_account(account);
    }

    /// Has the order of an own account that came to rest last in a book fetched. The account itself is read for that, so this
    /// is for one that was fetched some time ago.
    #[inline]
    pub fn fetch_order(&self, account: AccountId, market: MarketId) {
        self.world.fetch_order(account, market);
    }

    /// Iterates over the orders that an own account has in a book and where each rests, the one that came to rest last first.
    #[inline]
    pub fn open_orders(
        &self,
        account: AccountId,
        market: MarketId,
    ) -> impl Iterator<Item = (OrderId, Place)> + '_ {
        self.world.open_orders(account, market)
    }

    /// Returns how many orders an own account has in a book.
    #[inline]
    pub fn count_open_orders(&self, account: AccountId, market: MarketId) -> usize {
        self.world.count_open_orders(account, market)
    }

    /// Returns the order that `pick` chooses among those that an own account has in a book, by how many they are; the one that
    /// came to rest last is 0. Nobody is asked where there is none.
    #[inline]
    pub fn pick_open_order(
        &self,
        account: AccountId,
        market: MarketId,
        pick: impl FnOnce(usize) -> usize,
    ) -> Option<(OrderId, Place)> {
        self.world.pick_open_order(account, market, pick)
    }

    /// Returns the notional of one lot at a price, in money.
    pub fn lot_value(&self, market: MarketId, price: Price) -> Money {
        self.world.spec.markets[market.index()].contract.notional(price, Qty(1))
    }

    /// Returns the highest leverage at which a position of this notional may be opened.
    pub fn max_leverage(&self, market: MarketId, notional: Money) -> u16 {
        self.world.max_leverage(market, notional)
    }

    /// Returns the highest leverage that is on offer at all where a policy has changed the margin rules; whoever wants more
    /// makes do with it. Without a policy there is no limit but that of a position's bracket.
    pub fn leverage_on_offer(&self, market: MarketId) -> u16 {
        self.world.leverage_on_offer(market)
    }
}

/// What an agent asks for.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    pub(crate) requests: Vec<Request>,
    pub(crate) wake_after: Option<Time>,
    pub(crate) last_order: u64,
}

impl Actions {
    /// Asks to be woken after some time; a later call replaces an earlier one.
    #[inline]
    pub fn wake_after(&mut self, wait: Time) {
        self.wake_after = Some(wait);
    }

    /// Asks to be woken after a time that is uniform between half and one and a half of `mean`, so that agents of a kind do not
    /// march in step.
    pub fn wake_around(&mut self, mean: Time, rng: &mut Rng) {
        self.wake_after(Time::from_secs_f64(mean.as_secs_f64() * (0.5 + uniform(rng))));
    }

    /// Sends an order and returns its id.
    #[inline]
    pub fn submit(&mut self, order: Order) -> OrderId {
        self.last_order += 1;
        let id = OrderId(self.last_order);
        self.requests.push(Request::Submit(Order { id, ..order }));
        id
    }

    /// Puts free cash behind an open position.
    pub fn top_up(&mut self, account: AccountId, market: MarketId, amount: Money) {
        self.requests.push(Request::TopUp { account, market, amount });
    }

    /// Takes an order back.
    pub fn cancel(&mut self, account: AccountId, market: MarketId, id: OrderId) {
        self.cancel_at(account, market, id, Place::NONE);
    }

    /// Takes an order back that was seen at a place, where the venue looks first.
    #[inline]
    pub fn cancel_at(&mut self, account: AccountId, market: MarketId, id: OrderId, place: Place) {
        self.requests.push(Request::Cancel { account, market, id, place });
    }
}

/// An order before it has a number: what the agents' constructors below fill in.
fn order(account: AccountId, market: MarketId, side: Side, qty: Qty, order_type: OrderType) -> Order {
    Order {
        account,
        market,
        id: OrderId(0),
        side,
        qty,
        order_type,
        reduce_only: false,
        leverage: 1,
        trigger: None,
    }
}

/// A limit order type.
fn limit(price: Price, tif: TimeInForce) -> OrderType {
    OrderType::Limit { price, tif }
}

/// A market order without a worst price.
const MARKET: OrderType = OrderType::Market { worst: None };

/// The built-in agents: an enum of structs, so that a simulation is data and can be cloned at any moment.
#[derive(Clone, Debug)]
pub enum Strategy {
    /// Zero-intelligence flow.
    Background(Background),
    /// A market maker.
    Maker(Maker),
    /// Arbitrage between a perpetual and spot.
    Arbitrageur(Arbitrageur),
    /// Unloads what an insurance fund took over.
    FundDesk(FundDesk),
    /// Leveraged retail accounts.
    Retail(Retail),
    /// Fundamentalists and dip buyers.
    Fundamentalist(Fundamentalist),
    /// A parent order of the timeline.
    MetaOrder(MetaOrder),
    /// Trend followers.
    TrendFollower(TrendFollower),
    /// Holders of coins.
    SpotHolder(SpotHolder),
    /// Holds and does nothing.
    Holder(Holder),
}

impl Decide for Strategy {
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        match self {
            Self::Background(agent) => agent.decide(wake, view, rng, actions),
            Self::Maker(agent) => agent.decide(wake, view, rng, actions),
            Self::Arbitrageur(agent) => agent.decide(wake, view, rng, actions),
            Self::FundDesk(agent) => agent.decide(wake, view, rng, actions),
            Self::Retail(agent) => agent.decide(wake, view, rng, actions),
            Self::Fundamentalist(agent) => agent.decide(wake, view, rng, actions),
            Self::MetaOrder(agent) => agent.decide(wake, view, rng, actions),
            Self::TrendFollower(agent) => agent.decide(wake, view, rng, actions),
            Self::SpotHolder(agent) => agent.decide(wake, view, rng, actions),
            Self::Holder(agent) => agent.decide(wake, view, rng, actions),
        }
    }

    fn draws(&self) -> bool {
        match self {
            Self::Background(agent) => agent.draws(),
            Self::Maker(agent) => agent.draws(),
            Self::Arbitrageur(agent) => agent.draws(),
            Self::FundDesk(agent) => agent.draws(),
            Self::Retail(agent) => agent.draws(),
            Self::Fundamentalist(agent) => agent.draws(),
            Self::MetaOrder(agent) => agent.draws(),
            Self::TrendFollower(agent) => agent.draws(),
            Self::SpotHolder(agent) => agent.draws(),
            Self::Holder(agent) => agent.draws(),
        }
    }

    fn hears_fills(&self) -> bool {
        match self {
            Self::Background(agent) => agent.hears_fills(),
            Self::Maker(agent) => agent.hears_fills(),
            Self::Arbitrageur(agent) => agent.hears_fills(),
            Self::FundDesk(agent) => agent.hears_fills(),
            Self::Retail(agent) => agent.hears_fills(),
            Self::Fundamentalist(agent) => agent.hears_fills(),
            Self::MetaOrder(agent) => agent.hears_fills(),
            Self::TrendFollower(agent) => agent.hears_fills(),
            Self::SpotHolder(agent) => agent.hears_fills(),
            Self::Holder(agent) => agent.hears_fills(),
        }
    }
}
