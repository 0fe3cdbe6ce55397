//! A position: what it holds, where the liquidation index has it, and where the list of its orders begins.
#![allow(clippy::inline_always, reason = "it is asked after every trade")]

use super::{MarginMode, NONE};
use crate::clearing::LiquidationTrigger;
use crate::units::{AccountId, MarketId, Money, Position, Price};

/// The place of a position, stable for the whole run: twice the account's number for its first one, odd for further ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PositionId(pub u32);

/// A position of one account in one market. `(cash, cost, lots)` are the truth; an average entry price is derived.
#[derive(Clone, Copy, Debug)]
pub struct OpenPosition {
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub market: MarketId,
    /// Leverage it was opened with.
    pub leverage: u16,
    /// Signed size.
    pub lots: Position,
    /// What the lots cost, signed: value paid for a long, minus the value received for a short.
    pub cost: Money,
    /// Isolated margin.
    pub margin: Money,
    /// Where the liquidation index has it: positive for longs, negative for shorts, 0 if it is not there.
    pub(super) bound: i64,
    /// Head of the list of its resting orders, in the terms of whoever keeps it.
    pub(super) first_order: u32,
    /// How many orders of it rest; that many or more at the largest number.
    pub(super) orders: u16,
    /// How it is backed: its account's mode.
    pub mode: MarginMode,
    /// Whether its owner is told of its trades.
    pub is_heard: bool,
}

impl OpenPosition {
    pub(super) const fn flat(account: AccountId, market: MarketId, mode: MarginMode, is_heard: bool) -> Self {
        Self {
            account,
            market,
            leverage: 1,
            lots: Position::ZERO,
            cost: Money::ZERO,
            margin: Money::ZERO,
            bound: 0,
            first_order: NONE,
            orders: 0,
            mode,
            is_heard,
        }
    }

    /// Returns where the liquidation index has the position: a mark that is reached no later than its trigger.
    #[inline(always)]
    pub fn bound(&self) -> Option<LiquidationTrigger> {
        let side = Position(self.bound).side()?;
        Some(LiquidationTrigger { side, tick: Price(self.bound.wrapping_abs()) })
    }

    /// Returns the head of the list of its resting orders.
    #[inline]
    pub fn first_order(&self) -> Option<u32> {
        (self.first_order != NONE).then_some(self.first_order)
    }

    /// Returns how many of its orders rest, or `None` if there were ever too many to keep count.
    #[inline]
    pub fn orders(&self) -> Option<u16> {
        Some(self.orders).filter(|orders| *orders < u16::MAX)
    }
}
