//! The order book: price-time priority, nothing about money. Usable alone as a library type.
//!
//! A book takes orders with ids that its caller chose, and says everything that happens to a [`Sink`] in the order in
//! which it happens. [`PlainBook`] is the obviously right implementation and stays as the reference that judges the faster
//! ones, [`FastBook`] and [`FastIdBook`]; all keep the contract of the trait [`Book`], event for event.
//!
//! What can go wrong: nothing panics on input. An order that breaks a rule is answered with one
//! [`BookEvent::Rejected`] and leaves the book exactly as it was. Prices and quantities are bounded ([`MAX_PRICE`],
//! [`MAX_QTY`]), so that no sum that a book forms leaves 64 bits before it holds a hundred million of the largest orders.

mod band;
mod fast;
mod halt;
mod plain;
mod stops;
#[cfg(test)]
mod tests;

pub use band::{BeyondBand, PriceBand};
pub use fast::{FastBook, FastIdBook, SlabBook};
pub use halt::{Breaker, HaltRule};
pub use plain::PlainBook;
pub use stops::{StopOrder, Stops, TriggerSource, TriggerWhen};

use crate::units::{OrderId, Price, Qty, Side};

/// Highest price of a limit order in ticks: the sum of two prices fits 64 bits.
pub const MAX_PRICE: Price = Price(i64::MAX >> 1);

/// Largest quantity of an order in lots: a hundred million of the largest orders add up within 64 bits.
pub const MAX_QTY: Qty = Qty((1 << 36) - 1);

/// Who an order belongs to. The book only compares owners; to a venue it is the account's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner(pub u32);

/// How long a limit order lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeInForce {
    /// Good till cancelled: what does not trade at once rests.
    Gtc,
    /// Immediate or cancel: what does not trade at once is cancelled.
    Ioc,
    /// Fill or kill: trades whole at once or not at all.
    Fok,
    /// Rests whole or is rejected: never takes.
    PostOnly,
}

/// What kind of order it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderType {
    /// Trades at `price` or better.
    Limit {
        /// Worst acceptable price in ticks.
        price: Price,
        /// How long it lives.
        tif: TimeInForce,
    },
    /// Trades at once at any price up to `worst`; what does not trade is cancelled.
    Market {
        /// Worst acceptable price in ticks, if there is one.
        worst: Option<Price>,
    },
}

/// An order as submitted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NewOrder {
    /// Chosen by the caller, never used before.
    pub id: OrderId,
    /// Whose it is.
    pub owner: Owner,
    /// Buy or sell.
    pub side: Side,
    /// Lots, from 1 to [`MAX_QTY`].
    pub qty: Qty,
    /// Limit or market.
    pub order_type: OrderType,
    /// Never increases or flips the owner's position, as [`Sink::reducible`] tells it at every fill.
    pub reduce_only: bool,
}

impl NewOrder {
    /// Tells whether the order may trade at a price.
    fn accepts(&self, price: Price) -> bool {
        let (OrderType::Limit { price: worst, .. } | OrderType::Market { worst: Some(worst) }) =
            self.order_type
        else {
            return true;
        };
        match self.side {
            Side::Buy => price <= worst,
            Side::Sell => price >= worst,
        }
    }
}

/// What happens when an order meets an order of its own owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SelfTrade {
    /// They trade.
    Allow,
    /// What is left of the incoming order is cancelled.
    #[default]
    CancelTaker,
    /// The resting order is cancelled and matching goes on.
    CancelMaker,
    /// Both are cancelled.
    CancelBoth,
}

/// The rules of a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BookSpec {
    /// Self-trade prevention.
    pub self_trade: SelfTrade,
    /// Smallest price times quantity of a limit order, in ticks times lots; 0 for none. Reduce-only orders are exempt,
    /// so that a small rest can always be closed; a market order is not measured, since it has no price of its own.
    pub min_notional: i64,
}

impl BookSpec {
    /// Checks what can be known without the book: quantity, price, notional.
    fn check(self, qty: Qty, order_type: OrderType, reduce_only: bool) -> Result<(), RejectReason> {
        if qty < Qty(1) || qty > MAX_QTY {
            return Err(RejectReason::Quantity);
        }
        match order_type {
            OrderType::Limit { price, .. } if price < Price(1) || price > MAX_PRICE => {
                Err(RejectReason::Price)
            }
            OrderType::Market { worst: Some(worst) } if worst < Price(1) => Err(RejectReason::Price),
            OrderType::Limit { price, .. }
                if self.min_notional > 0
                    && !reduce_only
                    && i128::from(price.0) * i128::from(qty.0) < i128::from(self.min_notional) =>
            {
                Err(RejectReason::MinNotional)
            }
            OrderType::Limit { .. } | OrderType::Market { .. } => Ok(()),
        }
    }
}

/// One trade between a resting order and an incoming one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trade {
    /// The resting order.
    pub maker: OrderId,
    /// Its owner.
    pub maker_owner: Owner,
    /// What is left of the resting order, in lots; 0 when it is done.
    pub maker_remaining: Qty,
    /// The incoming order.
    pub taker: OrderId,
    /// Its owner.
    pub taker_owner: Owner,
    /// The side of the incoming order.
    pub taker_side: Side,
    /// The maker's price in ticks.
    pub price: Price,
    /// Lots.
    pub qty: Qty,
}

/// Why an order, or what was left of it, went away without trading.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CancelReason {
    /// Its owner asked.
    Requested,
    /// It was an IOC or market order and nothing more could trade.
    Unfilled,
    /// Self-trade prevention.
    SelfTrade,
    /// It was reduce-only and there was nothing left to reduce.
    ReduceOnly,
}

/// Why an order or a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RejectReason {
    /// Quantity below one lot or above [`MAX_QTY`].
    Quantity,
    /// Price below one tick, or a limit price above [`MAX_PRICE`].
    Price,
    /// Price times quantity below the smallest notional.
    MinNotional,
    /// A live order already has this id.
    DuplicateId,
    /// A fill-or-kill order that could not fill whole.
    FillOrKill,
    /// A post-only order that would have taken.
    PostOnly,
    /// Reduce-only with nothing to reduce.
    ReduceOnly,
    /// No live order has this id or handle. A book never says so: its caller does, where an answer is owed.
    UnknownOrder,
}

/// What a book says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BookEvent {
    /// The order passed every check; what happens to it follows.
    Accepted(NewOrder),
    /// Two orders traded.
    Trade(Trade),
    /// What was left of an accepted order now rests.
    Rested {
        /// The order.
        id: OrderId,
        /// Its owner.
        owner: Owner,
        /// Bids or asks.
        side: Side,
        /// Ticks.
        price: Price,
        /// Lots that rest.
        qty: Qty,
    },
    /// A resting order, or what was left of an incoming one, is gone.
    Cancelled {
        /// The order.
        id: OrderId,
        /// Its owner.
        owner: Owner,
        /// Its side.
        side: Side,
        /// Lots that are gone.
        qty: Qty,
        /// Whether it was resting in the book.
        resting: bool,
        /// Why.
        reason: CancelReason,
    },
    /// A resting order was made smaller and kept its place. Any other amendment is a cancel and a new submission.
    Reduced {
        /// The order.
        id: OrderId,
        /// Its owner.
        owner: Owner,
        /// Its side.
        side: Side,
        /// Lots before.
        from: Qty,
        /// Lots that rest now.
        to: Qty,
    },
    /// An order or request was refused and changed nothing.
    Rejected {
        /// The order.
        id: OrderId,
        /// Its owner.
        owner: Owner,
        /// Why.
        reason: RejectReason,
    },
}

/// Hears everything a book says, and knows positions for reduce-only orders.
pub trait Sink {
    /// Hears one event, in the order in which they happen, and the place of the resting order that it is about.
    fn on(&mut self, event: BookEvent, place: Place);

    /// Hears, before a trade that takes all of an order, whose is the next one in its queue and where it rests. Nothing happens
    /// to it yet: a sink may begin to fetch what it will need if that trades, now or later, and a book need not say so.
    #[inline]
    fn nears(&mut self, owner: Owner, place: Place) {
        let _ = (owner, place);
    }

    /// Returns how many lots `owner` may trade on `side` without increasing or flipping a position, at least 0. It is
    /// asked at submission and again before every fill of a reduce-only order, after all earlier fills were heard.
    fn reducible(&self, owner: Owner, side: Side) -> Qty {
        let _ = (owner, side);
        Qty::MAX
    }
}

/// Hears nothing.
impl Sink for () {
    fn on(&mut self, _event: BookEvent, _place: Place) {}
}

/// Keeps every event.
impl Sink for Vec<BookEvent> {
    fn on(&mut self, event: BookEvent, _place: Place) {
        self.push(event);
    }
}

/// The number of a resting order among all that rest in its book: small, another order's once it is gone. A caller
/// may keep what it knows of an order in a vector by this number and needs no table of ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(pub u32);

impl Place {
    /// Of an event that is about no resting order. The reference book, on which no venue runs, numbers none.
    pub const NONE: Self = Self(u32::MAX);

    /// Returns the number as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A resting order's name in its book: valid until the order is gone, then refused, never another order's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub u64);

impl Handle {
    /// Returns the place of the order that a fast book gave the handle for.
    pub const fn place(self) -> Place {
        Place(self.0 as u32)
    }
}

/// What became of a submission at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Lots that traded.
    pub filled: Qty,
    /// Where the rest lies, if it rests.
    pub resting: Option<Handle>,
}

/// A resting order as its book knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Resting {
    /// The order.
    pub id: OrderId,
    /// Whose it is.
    pub owner: Owner,
    /// Bids or asks.
    pub side: Side,
    /// Ticks.
    pub price: Price,
    /// Lots left.
    pub qty: Qty,
    /// Never increases or flips the owner's position.
    pub reduce_only: bool,
}

/// What an immediate trade of some quantity would cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CostToTrade {
    /// Lots that would trade.
    pub filled: Qty,
    /// Sum of price times quantity, in ticks times lots.
    pub value: i128,
    /// The last price touched, in ticks; `None` if nothing would trade.
    pub worst: Option<Price>,
}

/// The contract of an order book.
///
/// Order of events: `Accepted`, then trades and cancels of makers in price-time order, then one of `Rested`,
/// `Cancelled` (of the rest of the taker) or nothing if it filled. A rejected order says `Rejected` alone.
///
/// Checks, in this order: quantity, price (limit price and worst price), notional, duplicate id, reduce-only, post-only,
/// fill-or-kill. Lots of an order that would pass its reduce-only bound are clipped at submission without an event
/// (`Accepted` shows the clipped quantity). A fill-or-kill order counts only resting lots that would really trade: not its
/// owner's own orders under a policy that cancels, nothing behind them if the policy stops the taker there, not lots a
/// reduce-only maker may no longer trade. A post-only order is rejected by any order that it would meet, even its owner's.
///
/// A book may take its caller's word that an id is new, and says so ([`FastBook`]); the others refuse one that lives.
///
/// Before each fill, in this order: a reduce-only taker asks for its bound and is cancelled at 0; an order of the same
/// owner is met by the self-trade policy; a reduce-only maker asks for its bound, is cancelled at 0 and cut to it
/// (`Reduced`) if it is larger.
pub trait Book: Clone {
    /// Makes an empty book.
    fn new(spec: BookSpec) -> Self;

    /// Submits an order.
    fn submit<S: Sink>(&mut self, order: NewOrder, sink: &mut S) -> Outcome;

    /// Cancels a resting order and tells whether it was there. A stale handle changes nothing and says nothing.
    fn cancel<S: Sink>(&mut self, handle: Handle, sink: &mut S) -> bool;

    /// Cancels the live order with an id, and tells whether there was one.
    fn cancel_id<S: Sink>(&mut self, id: OrderId, sink: &mut S) -> bool {
        self.find(id).is_some_and(|handle| self.cancel(handle, sink))
    }

    /// Amends a resting order. A smaller quantity at the same price keeps its place (`Reduced`); anything else loses it:
    /// the order is cancelled (`Requested`) and submitted again under the same id as a GTC limit, so it may trade, and
    /// its handle may change. A quantity or price that breaks a rule, or a reduce-only order with nothing to reduce that
    /// would lose its place, is rejected and changes nothing; a stale handle says nothing.
    fn amend<S: Sink>(&mut self, handle: Handle, price: Price, qty: Qty, sink: &mut S) -> Outcome;

    /// Finds a live order by its id. A book without a table of ids looks through all orders.
    fn find(&self, id: OrderId) -> Option<Handle>;

    /// Returns a live order.
    fn get(&self, handle: Handle) -> Option<Resting>;

    /// Returns the best price of a half of the book: highest bid for `Buy`, lowest ask for `Sell`.
    fn best(&self, side: Side) -> Option<Price>;

    /// Returns the lots that rest at a price.
    fn level(&self, side: Side, price: Price) -> Qty;

    /// Iterates over the levels of a half from the best outwards: price in ticks, lots.
    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_;

    /// Iterates over the orders of a half in priority order.
    fn orders(&self, side: Side) -> impl Iterator<Item = Resting> + '_;

    /// Returns how many orders rest.
    fn len(&self) -> usize;

    /// Tells whether nothing rests.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the lots of a half at `limit` or better.
    fn depth_to(&self, side: Side, limit: Price) -> Qty {
        let within = |price: Price| if side == Side::Buy { price >= limit } else { price <= limit };
        self.levels(side).take_while(|(price, _)| within(*price)).map(|(_, qty)| qty).sum()
    }

    /// Returns the middle of best bid and best ask in half ticks, or `None` if a half is empty.
    fn mid_twice(&self) -> Option<i64> {
        Some(self.best(Side::Buy)?.0 + self.best(Side::Sell)?.0)
    }

    /// Returns the lots of a half within `bps` hundredths of a percent of the middle.
    fn depth_within(&self, side: Side, bps: f64) -> Qty {
        let Some(twice) = self.mid_twice() else { return Qty::ZERO };
        let mid = twice as f64 / 2.0;
        // The product first: a whole number of ticks then comes out whole, and the level at the border counts.
        let reach = twice as f64 * bps / 2e4;
        let limit = match side {
            Side::Buy => libm::ceil(mid - reach),
            Side::Sell => libm::floor(mid + reach),
        };
        self.depth_to(side, Price(limit as i64))
    }

    /// Returns what it would cost to trade `qty` lots at once as a taker on `side`, own orders included.
    fn cost_to_trade(&self, side: Side, qty: Qty) -> CostToTrade {
        let mut cost = CostToTrade::default();
        for (price, available) in self.levels(side.opposite()) {
            let take = available.min(qty - cost.filled);
            if take.is_zero() {
                break;
            }
            cost.filled += take;
            cost.value += i128::from(price.0) * i128::from(take.0);
            cost.worst = Some(price);
        }
        cost
    }
}
