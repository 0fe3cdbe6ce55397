//! The event tape: records as bytes, little-endian and versioned, and their hash.
//!
//! A record is `kind: u8, seq: u64, time: i64, cause: u64`, then the payload of its kind, field by field in the order of
//! `event::Event`. A side is one byte (0 buy, 1 sell), an absent price is the smallest `i64`, an enum one byte. Kinds and enum
//! bytes are numbered by constants here and never by the order of declarations, so that a refactoring cannot move a hash.

use crate::clearing::{Purse, Reason, Transfer};
use crate::event::{Assignment, Event, Observer, Record, Refusal};
use crate::market::{BookEvent, CancelReason, NewOrder, OrderType, RejectReason, TimeInForce, Trade};
use crate::units::{Price, Side};

/// Version of the encoding, at the head of every tape.
pub const FORMAT: u16 = 1;

/// Bytes that are gathered before they are hashed: large enough that a hash call costs nothing per record.
const CHUNK: usize = 1 << 16;

/// Appends the encoding of a record.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    let mut put = Put(out);
    put.byte(kind(&record.event));
    put.u64(record.seq);
    put.i64(record.time.0);
    put.u64(record.cause);
    payload(&record.event, &mut put);
}

/// The head of a tape: magic, format and model version.
pub fn head() -> Vec<u8> {
    let mut head = b"firesale-tape".to_vec();
    head.extend(FORMAT.to_le_bytes());
    head.extend(crate::MODEL_VERSION.to_le_bytes());
    head
}

struct Put<'a>(&'a mut Vec<u8>);

impl Put<'_> {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn price(&mut self, value: Option<Price>) {
        self.i64(value.map_or(i64::MIN, |price| price.0));
    }
    fn side(&mut self, side: Side) {
        self.byte(match side {
            Side::Buy => 0,
            Side::Sell => 1,
        });
    }
    fn purse(&mut self, purse: Purse) {
        let (code, first, second) = match purse {
            Purse::External => (0, 0, 0),
            Purse::Cash(account) => (1, account.0, 0),
            Purse::Margin(account, market) => (2, account.0, market.0),
            Purse::Clearing(market) => (3, 0, market.0),
            Purse::Fund(venue) => (4, 0, venue.0),
            Purse::Fees(venue) => (5, 0, venue.0),
            Purse::Uncovered(venue) => (6, 0, venue.0),
        };
        self.byte(code);
        self.u32(first);
        self.u16(second);
    }
}

const fn kind(event: &Event) -> u8 {
    match event {
        Event::Book { event, .. } => match event {
            BookEvent::Accepted(_) => 1,
            BookEvent::Trade(_) => 2,
            BookEvent::Rested { .. } => 3,
            BookEvent::Cancelled { .. } => 4,
            BookEvent::Reduced { .. } => 5,
            BookEvent::Rejected { .. } => 6,
        },
        Event::Refused { .. } => 10,
        Event::StopPlaced { .. } => 11,
        Event::StopTriggered { .. } => 12,
        Event::StopCancelled { .. } => 13,
        Event::Transfer(_) => 20,
        Event::Assigned { .. } => 21,
        Event::Mark { .. } => 30,
        Event::Liquidation { .. } => 31,
        Event::Liquidated { .. } => 32,
        Event::Fundamental { .. } => 40,
        Event::Shock { .. } => 41,
    }
}

fn payload(event: &Event, put: &mut Put<'_>) {
    match *event {
        Event::Book { market, event } => {
            put.u16(market.0);
            book(&event, put);
        }
        Event::Refused { market, account, id, reason } => {
            put.u16(market.0);
            put.u32(account.0);
            put.u64(id.0);
            put.byte(match reason {
                Refusal::InsufficientMargin => 0,
                Refusal::LeverageAboveBracket => 1,
                Refusal::PositionTooLarge => 2,
                Refusal::BelowMaintenance => 3,
            });
        }
        Event::StopPlaced { market, account, id }
        | Event::StopTriggered { market, account, id }
        | Event::StopCancelled { market, account, id } => {
            put.u16(market.0);
            put.u32(account.0);
            put.u64(id.0);
        }
        Event::Transfer(Transfer { from, to, amount, reason }) => {
            put.purse(from);
            put.purse(to);
            put.i64(amount.0);
            put.byte(match reason {
                Reason::Deposit => 0,
                Reason::InitialMargin => 1,
                Reason::MarginRelease => 2,
                Reason::RealizedPnl => 3,
                Reason::TakerFee => 4,
                Reason::MakerFee => 5,
                Reason::LiquidationFee => 6,
                Reason::FundCover => 7,
                Reason::UncoveredLoss => 8,
            });
        }
        Event::Assigned { how, market, from, to, lots, value } => {
            put.byte(match how {
                Assignment::Seed => 0,
                Assignment::Takeover => 1,
                Assignment::Deleverage => 2,
            });
            put.u16(market.0);
            put.u32(from.0);
            put.u32(to.0);
            put.i64(lots.0);
            put.i64(value.0);
        }
        Event::Mark { market, mark, bid, ask, last } => {
            put.u16(market.0);
            put.i64(mark.0);
            put.price(bid);
            put.price(ask);
            put.price(last);
        }
        Event::Liquidation { market, account, lots, mark, equity, maintenance } => {
            put.u16(market.0);
            put.u32(account.0);
            put.i64(lots.0);
            put.i64(mark.0);
            put.i64(equity.0);
            put.i64(maintenance.0);
        }
        Event::Liquidated { market, account, left } => {
            put.u16(market.0);
            put.u32(account.0);
            put.i64(left.0);
        }
        Event::Fundamental { market, value } => {
            put.u16(market.0);
            put.u64(value.to_bits());
        }
        Event::Shock { index } => put.u32(index),
    }
}

fn book(event: &BookEvent, put: &mut Put<'_>) {
    match *event {
        BookEvent::Accepted(NewOrder { id, owner, side, qty, order_type, reduce_only }) => {
            put.u64(id.0);
            put.u32(owner.0);
            put.side(side);
            put.i64(qty.0);
            let (code, price) = match order_type {
                OrderType::Limit { price, tif: TimeInForce::Gtc } => (0, Some(price)),
                OrderType::Limit { price, tif: TimeInForce::Ioc } => (1, Some(price)),
                OrderType::Limit { price, tif: TimeInForce::Fok } => (2, Some(price)),
                OrderType::Limit { price, tif: TimeInForce::PostOnly } => (3, Some(price)),
                OrderType::Market { worst } => (4, worst),
            };
            put.byte(code);
            put.price(price);
            put.byte(u8::from(reduce_only));
        }
        BookEvent::Trade(Trade {
            maker,
            maker_owner,
            maker_remaining,
            taker,
            taker_owner,
            taker_side,
            price,
            qty,
        }) => {
            put.u64(maker.0);
            put.u32(maker_owner.0);
            put.i64(maker_remaining.0);
            put.u64(taker.0);
            put.u32(taker_owner.0);
            put.side(taker_side);
            put.i64(price.0);
            put.i64(qty.0);
        }
        BookEvent::Rested { id, owner, side, price, qty } => {
            put.u64(id.0);
            put.u32(owner.0);
            put.side(side);
            put.i64(price.0);
            put.i64(qty.0);
        }
        BookEvent::Cancelled { id, owner, side, qty, resting, reason } => {
            put.u64(id.0);
            put.u32(owner.0);
            put.side(side);
            put.i64(qty.0);
            put.byte(u8::from(resting));
            put.byte(match reason {
                CancelReason::Requested => 0,
                CancelReason::Unfilled => 1,
                CancelReason::SelfTrade => 2,
                CancelReason::ReduceOnly => 3,
            });
        }
        BookEvent::Reduced { id, owner, side, from, to } => {
            put.u64(id.0);
            put.u32(owner.0);
            put.side(side);
            put.i64(from.0);
            put.i64(to.0);
        }
        BookEvent::Rejected { id, owner, reason } => {
            put.u64(id.0);
            put.u32(owner.0);
            put.byte(match reason {
                RejectReason::Quantity => 0,
                RejectReason::Price => 1,
                RejectReason::MinNotional => 2,
                RejectReason::DuplicateId => 3,
                RejectReason::FillOrKill => 4,
                RejectReason::PostOnly => 5,
                RejectReason::ReduceOnly => 6,
                RejectReason::UnknownOrder => 7,
            });
        }
    }
}

/// Hashes the tape of a run while it is told.
#[derive(Clone, Debug)]
pub struct TapeHasher {
    hasher: blake3::Hasher,
    waiting: Vec<u8>,
}

impl Default for TapeHasher {
    fn default() -> Self {
        Self { hasher: blake3::Hasher::new(), waiting: head() }
    }
}

impl TapeHasher {
    /// Starts with the head of the tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the BLAKE3 hash of everything that was told, in hexadecimal.
    pub fn finish(mut self) -> String {
        self.hasher.update(&self.waiting);
        self.hasher.finalize().to_hex().to_string()
    }
}

impl Observer for TapeHasher {
    fn on(&mut self, record: &Record) {
        encode(record, &mut self.waiting);
        if self.waiting.len() >= CHUNK {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{AccountId, MarketId, Money, Position, Time};

    /// Guards the encoding: if these bytes move, `FORMAT` must be raised.
    #[test]
    fn a_record_has_the_bytes_it_always_had() {
        let event = Event::Liquidated { market: MarketId(2), account: AccountId(3), left: Position(-1) };
        let mut bytes = Vec::new();
        encode(&Record { seq: 1, time: Time(5), cause: 9, event }, &mut bytes);
        let mut expected = vec![32, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        expected.extend([2, 0, 3, 0, 0, 0]);
        expected.extend([255; 8]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn every_field_moves_the_hash() {
        let transfer = |amount, account| {
            let (from, to) = (Purse::External, Purse::Cash(AccountId(account)));
            Event::Transfer(Transfer { from, to, amount: Money(amount), reason: Reason::Deposit })
        };
        let hash = |seq, time, cause, event| {
            let mut hasher = TapeHasher::new();
            hasher.on(&Record { seq, time: Time(time), cause, event });
            hasher.finish()
        };
        let base = hash(1, 1, 0, transfer(1, 1));
        let others = [
            hash(2, 1, 0, transfer(1, 1)),
            hash(1, 2, 0, transfer(1, 1)),
            hash(1, 1, 1, transfer(1, 1)),
            hash(1, 1, 0, transfer(2, 1)),
            hash(1, 1, 0, transfer(1, 2)),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_eq!(base, hash(1, 1, 0, transfer(1, 1)));
    }
}
