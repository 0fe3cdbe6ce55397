//! What agents ask of a venue, and what they hear of their trades.
#![allow(clippy::inline_always, reason = "an order goes to its book on every message")]

use crate::market::{NewOrder, OrderType, Owner, Place, TriggerSource, TriggerWhen};
use crate::units::{AccountId, AgentId, MarketId, Money, OrderId, Price, Qty, Side};

/// What makes a stop or take-profit order go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// Ticks.
    pub price: Price,
    /// At or above, or at or below it.
    pub when: TriggerWhen,
    /// Mark or last.
    pub source: TriggerSource,
}

/// An order as an agent sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// The sender's account.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// From `World::next_order_id`.
    pub id: OrderId,
    /// Buy or sell.
    pub side: Side,
    /// Lots.
    pub qty: Qty,
    /// Limit or market.
    pub order_type: OrderType,
    /// Never increases or flips the position.
    pub reduce_only: bool,
    /// Leverage for a position that this order opens; an open one keeps its own.
    pub leverage: u16,
    /// Waits for this first.
    pub trigger: Option<Trigger>,
}

impl Order {
    /// Returns what its book gets to see of it.
    #[inline(always)]
    pub(super) fn for_book(&self) -> NewOrder {
        let Self { account, id, side, qty, order_type, reduce_only, .. } = *self;
        NewOrder { id, owner: Owner(account.0), side, qty, order_type, reduce_only }
    }
}

/// What agents can ask of a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// A new order.
    Submit(Order),
    /// Take an order back.
    Cancel {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Which.
        id: OrderId,
        /// Where it was seen to rest, or `Place::NONE`: it is looked for there first.
        place: Place,
    },
    /// Put cash behind an open position.
    TopUp {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// How much; no more than is free.
        amount: Money,
    },
    /// Change a resting order.
    Amend {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Which.
        id: OrderId,
        /// New price.
        price: Price,
        /// New quantity left.
        qty: Qty,
    },
}

impl Request {
    /// Returns the market it concerns.
    pub const fn market(&self) -> MarketId {
        match self {
            Self::Submit(order) => order.market,
            Self::Cancel { market, .. } | Self::TopUp { market, .. } | Self::Amend { market, .. } => *market,
        }
    }
}

/// One side of a trade, as its owner will hear of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Who hears.
    pub agent: AgentId,
    /// Whose trade.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Bought or sold.
    pub side: Side,
    /// Lots.
    pub qty: Qty,
    /// Ticks.
    pub price: Price,
    /// The trade's record.
    pub cause: u64,
}
