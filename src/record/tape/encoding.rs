//! The bytes of every event and of everything in one. Each thing says how it is written and read in the same place.

use super::{MAX_RECORD_LEN, TapeError};
use crate::clearing::{Purse, Reason, Transfer};
use crate::event::{Assignment, Event, Refusal};
use crate::market::{BookEvent, CancelReason, NewOrder, OrderType, Owner, RejectReason, TimeInForce, Trade};
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Qty, Rate, Side, Time, VenueId};
use std::io::{self, Read};

mod kind {
    //! Numbers of the kinds. A number is never given to another kind; a new kind gets a new one.
    pub(super) const ACCEPTED: u8 = 1;
    pub(super) const TRADE: u8 = 2;
    pub(super) const RESTED: u8 = 3;
    pub(super) const CANCELLED: u8 = 4;
    pub(super) const REDUCED: u8 = 5;
    pub(super) const REJECTED: u8 = 6;
    pub(super) const REFUSED: u8 = 16;
    pub(super) const STOP_PLACED: u8 = 17;
    pub(super) const STOP_TRIGGERED: u8 = 18;
    pub(super) const STOP_CANCELLED: u8 = 19;
    pub(super) const TRANSFER: u8 = 32;
    pub(super) const ASSIGNED: u8 = 33;
    pub(super) const MARK: u8 = 48;
    pub(super) const LIQUIDATION: u8 = 49;
    pub(super) const LIQUIDATED: u8 = 50;
    pub(super) const INDEX_MARK: u8 = 51;
    pub(super) const FUNDING: u8 = 52;
    pub(super) const HALTED: u8 = 53;
    pub(super) const FUNDAMENTAL: u8 = 64;
    pub(super) const SHOCK: u8 = 65;
}

/// The bytes of one record on their way out.
pub(super) struct Bytes {
    pub(super) buffer: [u8; MAX_RECORD_LEN],
    pub(super) len: usize,
}

impl Bytes {
    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        self.buffer[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }
}

/// Bytes on their way in.
#[derive(Debug)]
pub(super) struct Input<R> {
    pub(super) reader: R,
    /// Offset of the next byte.
    pub(super) at: u64,
    /// Offset of the record that is being read.
    pub(super) record: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], TapeError> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {
                self.at += N as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(TapeError::Torn { at: self.record })
            }
            Err(source) => Err(TapeError::Io { at: self.at, source }),
        }
    }

    /// Reads the first byte of a record; here alone the tape may end.
    pub(super) fn first_byte(&mut self) -> Result<Option<u8>, TapeError> {
        match self.bytes::<1>() {
            Ok([byte]) => Ok(Some(byte)),
            Err(TapeError::Torn { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the number of a variant and finds what it stands for.
    fn tag<T>(&mut self, what: &'static str, find: impl Fn(u8) -> Option<T>) -> Result<T, TapeError> {
        let at = self.at;
        let [value] = self.bytes::<1>()?;
        find(value).ok_or(TapeError::Unknown { what, value, at })
    }
}

/// Something with a place on the tape.
pub(super) trait Field: Sized {
    fn put(self, bytes: &mut Bytes);
    fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError>;
}

macro_rules! integers {
    ($($inner:ty),*) => {$(
        impl Field for $inner {
            #[inline]
            fn put(self, bytes: &mut Bytes) {
                bytes.push(self.to_le_bytes());
            }

            fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
                Ok(Self::from_le_bytes(input.bytes()?))
            }
        }
    )*};
}
integers!(u16, u32, u64, i64, f64);

macro_rules! newtypes {
    ($($name:ident),*) => {$(
        impl Field for $name {
            #[inline]
            fn put(self, bytes: &mut Bytes) {
                self.0.put(bytes);
            }

            fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
                Ok(Self(Field::take(input)?))
            }
        }
    )*};
}
newtypes!(Time, Price, Qty, Position, Money, Rate, VenueId, MarketId, AccountId, OrderId, Owner);

/// Enums without fields: one byte, with every number written out.
macro_rules! tags {
    ($name:ident, $what:literal, $($variant:ident = $number:literal),+) => {
        impl Field for $name {
            #[inline]
            fn put(self, bytes: &mut Bytes) {
                bytes.push([match self { $(Self::$variant => $number),+ }]);
            }

            fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
                input.tag($what, |byte| match byte {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                })
            }
        }
    };
}
tags!(Side, "side", Buy = 0, Sell = 1);
tags!(Assignment, "assignment", Seed = 0, Takeover = 1, Deleverage = 2);
tags!(TimeInForce, "time in force", Gtc = 0, Ioc = 1, Fok = 2, PostOnly = 3);
tags!(CancelReason, "reason to cancel", Requested = 0, Unfilled = 1, SelfTrade = 2, ReduceOnly = 3);
tags!(
    Refusal,
    "refusal",
    InsufficientMargin = 0,
    LeverageAboveBracket = 1,
    PositionTooLarge = 2,
    BelowMaintenance = 3,
    InsufficientCoins = 4,
    Halted = 5,
    BeyondBand = 6
);
tags!(
    RejectReason,
    "reason to reject",
    Quantity = 0,
    Price = 1,
    MinNotional = 2,
    DuplicateId = 3,
    FillOrKill = 4,
    PostOnly = 5,
    ReduceOnly = 6,
    UnknownOrder = 7
);
tags!(
    Reason,
    "reason of a transfer",
    Deposit = 0,
    InitialMargin = 1,
    MarginRelease = 2,
    RealizedPnl = 3,
    TakerFee = 4,
    MakerFee = 5,
    LiquidationFee = 6,
    FundCover = 7,
    UncoveredLoss = 8,
    SpotPayment = 9,
    Funding = 10,
    TopUp = 11,
    FundTrading = 12
);

/// Structs: their fields one after another.
macro_rules! fields {
    ($name:ident { $($field:ident),+ }) => {
        impl Field for $name {
            #[inline]
            fn put(self, bytes: &mut Bytes) {
                let Self { $($field),+ } = self;
                $($field.put(bytes);)+
            }

            fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
                $(let $field = Field::take(input)?;)+
                Ok(Self { $($field),+ })
            }
        }
    };
}
fields!(NewOrder { id, owner, side, qty, order_type, reduce_only });
fields!(Trade { maker, maker_owner, maker_remaining, taker, taker_owner, taker_side, price, qty });
fields!(Transfer { from, to, amount, reason });

impl Field for bool {
    #[inline]
    fn put(self, bytes: &mut Bytes) {
        bytes.push([u8::from(self)]);
    }

    fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
        input.tag("yes or no", |byte| match byte {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })
    }
}

impl Field for Option<Price> {
    #[inline]
    fn put(self, bytes: &mut Bytes) {
        self.is_some().put(bytes);
        if let Some(price) = self {
            price.put(bytes);
        }
    }

    fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
        Ok(if bool::take(input)? { Some(Field::take(input)?) } else { None })
    }
}

impl Field for OrderType {
    #[inline]
    fn put(self, bytes: &mut Bytes) {
        match self {
            Self::Limit { price, tif } => {
                bytes.push([0]);
                price.put(bytes);
                tif.put(bytes);
            }
            Self::Market { worst } => {
                bytes.push([1]);
                worst.put(bytes);
            }
        }
    }

    fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
        let is_limit = input.tag("order type", |byte| match byte {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        })?;
        Ok(if is_limit {
            Self::Limit { price: Field::take(input)?, tif: Field::take(input)? }
        } else {
            Self::Market { worst: Field::take(input)? }
        })
    }
}

impl Field for Purse {
    #[inline]
    fn put(self, bytes: &mut Bytes) {
        match self {
            Self::External => bytes.push([0]),
            Self::Cash(account) => {
                bytes.push([1]);
                account.put(bytes);
            }
            Self::Margin(account, market) => {
                bytes.push([2]);
                account.put(bytes);
                market.put(bytes);
            }
            Self::Clearing(market) => {
                bytes.push([3]);
                market.put(bytes);
            }
            Self::Fund(venue) => {
                bytes.push([4]);
                venue.put(bytes);
            }
            Self::Fees(venue) => {
                bytes.push([5]);
                venue.put(bytes);
            }
            Self::Uncovered(venue) => {
                bytes.push([6]);
                venue.put(bytes);
            }
        }
    }

    fn take<R: Read>(input: &mut Input<R>) -> Result<Self, TapeError> {
        let number = input.tag("purse", |byte| (byte <= 6).then_some(byte))?;
        Ok(match number {
            0 => Self::External,
            1 => Self::Cash(Field::take(input)?),
            2 => Self::Margin(Field::take(input)?, Field::take(input)?),
            3 => Self::Clearing(Field::take(input)?),
            4 => Self::Fund(Field::take(input)?),
            5 => Self::Fees(Field::take(input)?),
            _ => Self::Uncovered(Field::take(input)?),
        })
    }
}

/// Writes fields one after another and gives the kind back.
macro_rules! put {
    ($bytes:ident, $kind:expr, $($field:expr),+) => {{
        $($field.put($bytes);)+
        $kind
    }};
}

/// Reads the fields of a struct variant in the order of writing.
macro_rules! take {
    ($input:ident, $($path:ident)::+ { $($field:ident),+ }) => {{
        $(let $field = Field::take($input)?;)+
        $($path)::+ { $($field),+ }
    }};
}

/// Writes the payload of an event and returns its kind.
#[inline]
pub(super) fn put_event(event: &Event, bytes: &mut Bytes) -> u8 {
    match *event {
        Event::Book { market, event } => {
            market.put(bytes);
            put_book_event(event, bytes)
        }
        Event::Refused { market, account, id, reason } => {
            put!(bytes, kind::REFUSED, market, account, id, reason)
        }
        Event::StopPlaced { market, account, id } => put!(bytes, kind::STOP_PLACED, market, account, id),
        Event::StopTriggered { market, account, id } => {
            put!(bytes, kind::STOP_TRIGGERED, market, account, id)
        }
        Event::StopCancelled { market, account, id } => {
            put!(bytes, kind::STOP_CANCELLED, market, account, id)
        }
        Event::Transfer(transfer) => put!(bytes, kind::TRANSFER, transfer),
        Event::Assigned { how, market, from, to, lots, value } => {
            put!(bytes, kind::ASSIGNED, how, market, from, to, lots, value)
        }
        Event::Mark { market, mark, bid, ask, last } => {
            put!(bytes, kind::MARK, market, mark, bid, ask, last)
        }
        Event::Liquidation { market, account, lots, mark, equity, maintenance } => {
            put!(bytes, kind::LIQUIDATION, market, account, lots, mark, equity, maintenance)
        }
        Event::Liquidated { market, account, left } => put!(bytes, kind::LIQUIDATED, market, account, left),
        Event::IndexMark { market, mark, by_funding, by_basis, last } => {
            put!(bytes, kind::INDEX_MARK, market, mark, by_funding, by_basis, last)
        }
        Event::Funding { market, rate, mark, per_lot } => {
            put!(bytes, kind::FUNDING, market, rate, mark, per_lot)
        }
        Event::Halted { market, until } => put!(bytes, kind::HALTED, market, until),
        Event::Fundamental { market, value } => put!(bytes, kind::FUNDAMENTAL, market, value),
        Event::Shock { index } => put!(bytes, kind::SHOCK, index),
    }
}

#[inline]
fn put_book_event(event: BookEvent, bytes: &mut Bytes) -> u8 {
    match event {
        BookEvent::Accepted(order) => put!(bytes, kind::ACCEPTED, order),
        BookEvent::Trade(trade) => put!(bytes, kind::TRADE, trade),
        BookEvent::Rested { id, owner, side, price, qty } => {
            put!(bytes, kind::RESTED, id, owner, side, price, qty)
        }
        BookEvent::Cancelled { id, owner, side, qty, resting, reason } => {
            put!(bytes, kind::CANCELLED, id, owner, side, qty, resting, reason)
        }
        BookEvent::Reduced { id, owner, side, from, to } => {
            put!(bytes, kind::REDUCED, id, owner, side, from, to)
        }
        BookEvent::Rejected { id, owner, reason } => put!(bytes, kind::REJECTED, id, owner, reason),
    }
}

pub(super) fn take_event<R: Read>(kind: u8, input: &mut Input<R>) -> Result<Event, TapeError> {
    Ok(match kind {
        kind::ACCEPTED..=kind::REJECTED => {
            Event::Book { market: Field::take(input)?, event: take_book_event(kind, input)? }
        }
        kind::REFUSED => take!(input, Event::Refused { market, account, id, reason }),
        kind::STOP_PLACED => take!(input, Event::StopPlaced { market, account, id }),
        kind::STOP_TRIGGERED => take!(input, Event::StopTriggered { market, account, id }),
        kind::STOP_CANCELLED => take!(input, Event::StopCancelled { market, account, id }),
        kind::TRANSFER => Event::Transfer(Field::take(input)?),
        kind::ASSIGNED => take!(input, Event::Assigned { how, market, from, to, lots, value }),
        kind::MARK => take!(input, Event::Mark { market, mark, bid, ask, last }),
        kind::LIQUIDATION => {
            take!(input, Event::Liquidation { market, account, lots, mark, equity, maintenance })
        }
        kind::LIQUIDATED => take!(input, Event::Liquidated { market, account, left }),
        kind::INDEX_MARK => take!(input, Event::IndexMark { market, mark, by_funding, by_basis, last }),
        kind::FUNDING => take!(input, Event::Funding { market, rate, mark, per_lot }),
        kind::HALTED => take!(input, Event::Halted { market, until }),
        kind::FUNDAMENTAL => take!(input, Event::Fundamental { market, value }),
        kind::SHOCK => take!(input, Event::Shock { index }),
        value => return Err(TapeError::Unknown { what: "kind of record", value, at: input.record }),
    })
}

fn take_book_event<R: Read>(kind: u8, input: &mut Input<R>) -> Result<BookEvent, TapeError> {
    Ok(match kind {
        kind::ACCEPTED => BookEvent::Accepted(Field::take(input)?),
        kind::TRADE => BookEvent::Trade(Field::take(input)?),
        kind::RESTED => take!(input, BookEvent::Rested { id, owner, side, price, qty }),
        kind::CANCELLED => take!(input, BookEvent::Cancelled { id, owner, side, qty, resting, reason }),
        kind::REDUCED => take!(input, BookEvent::Reduced { id, owner, side, from, to }),
        kind::REJECTED => take!(input, BookEvent::Rejected { id, owner, reason }),
        value => return Err(TapeError::Unknown { what: "kind of record", value, at: input.record }),
    })
}
