//! What the core says to the outside: records of everything that happened, numbered and with their causes. The event
//! tape, every table and the auditor are made from these alone; nothing here can change a run.

use crate::clearing::Transfer;
use crate::market::BookEvent;
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Rate, Time};

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    /// Counts all records of a run from 1.
    pub seq: u64,
    /// When.
    pub time: Time,
    /// The record that brought this one about, or 0: inherited through orders, wake-ups and messages.
    pub cause: u64,
    /// What.
    pub event: Event,
}

/// Why a venue refused an order before it reached the book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The free balance does not cover initial margin and fee.
    InsufficientMargin,
    /// The chosen leverage is above the highest of the bracket that the position would be in.
    LeverageAboveBracket,
    /// The position would be larger than the last bracket.
    PositionTooLarge,
    /// The position is below maintenance margin and may only be reduced.
    BelowMaintenance,
    /// The coins that are sold are not there, or behind other orders.
    InsufficientCoins,
    /// The market is halted.
    Halted,
    /// The order would trade beyond the price band.
    BeyondBand,
}

/// How lots changed hands off the book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Assignment {
    /// Positions that exist when the run begins.
    Seed,
    /// The insurance fund took the rest of a liquidated position over.
    Takeover,
    /// An opposite position was reduced against a bankrupt one.
    Deleverage,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event {
    /// A book of a market said something.
    Book {
        /// The market.
        market: MarketId,
        /// What it said.
        event: BookEvent,
    },
    /// A venue refused an order before it reached the book.
    Refused {
        /// The market.
        market: MarketId,
        /// Whose order it was.
        account: AccountId,
        /// The order.
        id: OrderId,
        /// Why.
        reason: Refusal,
    },
    /// A stop order waits for its trigger.
    StopPlaced {
        /// The market.
        market: MarketId,
        /// Whose order it is.
        account: AccountId,
        /// The order.
        id: OrderId,
    },
    /// A stop order was triggered and goes to the book.
    StopTriggered {
        /// The market.
        market: MarketId,
        /// Whose order it is.
        account: AccountId,
        /// The order.
        id: OrderId,
    },
    /// A stop order was cancelled before it was triggered.
    StopCancelled {
        /// The market.
        market: MarketId,
        /// Whose order it was.
        account: AccountId,
        /// The order.
        id: OrderId,
    },
    /// Money moved.
    Transfer(Transfer),
    /// Lots changed hands off the book.
    Assigned {
        /// How.
        how: Assignment,
        /// The market.
        market: MarketId,
        /// Who gives the lots away.
        from: AccountId,
        /// Who gets them.
        to: AccountId,
        /// Signed lots that `to` gains and `from` loses.
        lots: Position,
        /// What `to` takes into cost and `from` takes out.
        value: Money,
    },
    /// The mark moved.
    Mark {
        /// The market.
        market: MarketId,
        /// The new mark.
        mark: Price,
        /// Best bid it was made from.
        bid: Option<Price>,
        /// Best ask it was made from.
        ask: Option<Price>,
        /// Last trade it was made from.
        last: Option<Price>,
    },
    /// A mark that is made from an index moved: it is the median of the last three prices here.
    IndexMark {
        /// The market.
        market: MarketId,
        /// The new mark.
        mark: Price,
        /// The index, with the funding that has accrued.
        by_funding: Price,
        /// The index, with the mean premium of late.
        by_basis: Price,
        /// The last trade; the mark is `by_funding` before the first one.
        last: Option<Price>,
    },
    /// Funding is due: every long pays `per_lot` for each lot and every short receives it, as the next transfers say.
    Funding {
        /// The market.
        market: MarketId,
        /// Share of the notional at the mark, positive if longs pay.
        rate: Rate,
        /// The mark it is measured at.
        mark: Price,
        /// Money a lot.
        per_lot: Money,
    },
    /// A position breached maintenance and its liquidation begins.
    Liquidation {
        /// The market.
        market: MarketId,
        /// Whose position it is.
        account: AccountId,
        /// Its size.
        lots: Position,
        /// The mark it was measured at.
        mark: Price,
        /// Margin plus unrealised profit.
        equity: Money,
        /// What it should at least have been.
        maintenance: Money,
    },
    /// A liquidation, or a step of one, has ended; lots that are left are tried again later.
    Liquidated {
        /// The market.
        market: MarketId,
        /// Whose position it is.
        account: AccountId,
        /// What is left of it.
        left: Position,
    },
    /// A market stopped trading: until the time nothing is done in it but to take orders back.
    Halted {
        /// The market.
        market: MarketId,
        /// From then on it trades again.
        until: Time,
    },
    /// A fundamental value moved: a price in ticks, as the bits of a float.
    Fundamental {
        /// The market.
        market: MarketId,
        /// Ticks.
        value: f64,
    },
    /// A shock of the scenario's timeline struck.
    Shock {
        /// Its place in the list of shocks.
        index: u32,
    },
}

/// Hears every record. An observer takes shared references only, so watching cannot change a result; observers compose
/// as tuples, and `()` is one that costs nothing.
pub trait Observer {
    /// Hears one record.
    fn on(&mut self, record: &Record);
}

impl Observer for () {
    fn on(&mut self, _record: &Record) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[allow(clippy::inline_always, reason = "as for `Emit::say`")]
    #[inline(always)]
    fn on(&mut self, record: &Record) {
        self.0.on(record);
        self.1.on(record);
    }
}

impl<O: Observer> Observer for &mut O {
    #[allow(clippy::inline_always, reason = "as for `Emit::say`")]
    #[inline(always)]
    fn on(&mut self, record: &Record) {
        (**self).on(record);
    }
}

impl<O: Observer> Observer for Option<O> {
    #[allow(clippy::inline_always, reason = "as for `Emit::say`")]
    #[inline(always)]
    fn on(&mut self, record: &Record) {
        if let Some(observer) = self {
            observer.on(record);
        }
    }
}

/// Keeps every record, for tests and small runs.
impl Observer for Vec<Record> {
    fn on(&mut self, record: &Record) {
        self.push(*record);
    }
}

/// Numbers records and hands them to the observer; the cause of what is said next is a field.
#[derive(Debug)]
pub struct Emit<'a, O> {
    /// Number of the last record.
    pub seq: &'a mut u64,
    /// Now.
    pub time: Time,
    /// Number of the record that causes the next ones.
    pub cause: u64,
    /// Who hears.
    pub observer: &'a mut O,
}

impl<O: Observer> Emit<'_, O> {
    /// Says that something happened and returns its number.
    #[allow(
        clippy::inline_always,
        reason = "an observer that asks for few kinds is then asked for nothing else"
    )]
    #[inline(always)]
    pub fn say(&mut self, event: Event) -> u64 {
        *self.seq = self.seq.wrapping_add(1);
        self.observer.on(&Record { seq: *self.seq, time: self.time, cause: self.cause, event });
        *self.seq
    }
}
