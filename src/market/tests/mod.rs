//! What every order book must do, stated once for all implementations: facts, invariants and their instruments.

mod audit;
mod bytes;
mod duel;
mod equivalence;
mod facts;
mod invariants;
mod ops;
mod session;

use session::Op;

use super::{
    Book, BookEvent, BookSpec, CancelReason, FastBook, FastIdBook, Handle, MAX_PRICE, MAX_QTY, NewOrder,
    OrderType, Outcome, Owner, Place, PlainBook, RejectReason, Resting, SelfTrade, Sink, TimeInForce, Trade,
};
use crate::units::{OrderId, Position, Price, Qty, Side};
