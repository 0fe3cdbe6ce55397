//! Bytes to operations: the fast books against the plain one, event by event.
#![no_main]

#[path = "../../src/market/tests/bytes.rs"]
mod bytes;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../src/market/tests/duel.rs"]
mod duel;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../src/market/tests/ops.rs"]
mod ops;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../src/market/tests/session.rs"]
mod session;

use firesale::market::{
    Book, BookEvent, BookSpec, FastBook, FastIdBook, Handle, NewOrder, OrderType, Outcome, Owner, PlainBook,
    Resting, SelfTrade, Sink, TimeInForce,
};
use firesale::units::{OrderId, Position, Price, Qty, Side};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bytes::check(bytes));
