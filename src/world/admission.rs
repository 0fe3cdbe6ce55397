//! Whether a venue lets an order in: what margin it asks for, and what it then sets aside.
#![allow(clippy::inline_always, reason = "it is called from one place that matters")]

use super::World;
use super::request::Order;
use crate::clearing::{MarginMode, Means, PositionId, initial_margin, liquidation};
use crate::event::Refusal;
use crate::market::{MAX_PRICE, MAX_QTY, OrderType, TimeInForce};
use crate::units::{Money, Position, Price, Qty, Rate, Rounding};

/// An order that was let in.
#[derive(Clone, Copy)]
pub(super) struct Admission {
    /// The position that it belongs to, if that was opened.
    pub(super) position: Option<PositionId>,
    /// There is none, or it holds nothing.
    pub(super) is_flat: bool,
    /// What is set aside for it if it comes to rest whole, where that is known already.
    pub(super) backing: Option<Money>,
}

impl World {
    /// Sets the leverage of a flat position that is about to be opened.
    #[inline(never)]
    pub(super) fn choose_leverage(&mut self, order: &Order, position: PositionId) {
        if self.accounts.first_order(position).is_none()
            && self.accounts.mode(order.account) == MarginMode::Isolated
            && !self.spec.markets[order.market.index()].contract.is_spot()
        {
            self.accounts.set_leverage(position, order.leverage.max(1));
        }
    }

    /// Lets an order in, or returns why a venue would refuse it: it is measured at its own price or the worse of mark and
    /// touch, on the lots that would increase the position, with the taker fee on all of them. `freed` is what the order
    /// that it takes the place of had set aside. A quantity or price that no book takes is left for the book to reject.
    #[inline(always)]
    pub(super) fn admit(&self, order: &Order, freed: Money) -> Result<Admission, Refusal> {
        let Means { mode, free, position } = self.accounts.means(order.account, order.market);
        let (position, held) = position.unzip();
        let is_flat = held.is_none_or(|position| position.lots.is_zero());
        let admitted = |backing| Ok(Admission { position, is_flat, backing });
        if mode != MarginMode::Isolated || order.reduce_only {
            return admitted(Some(Money::ZERO));
        }
        let (market, venue) = self.spec.of(order.market);
        if market.contract.is_spot() {
            return self.spot_refusal(order, position, freed).map_or_else(|| admitted(None), Err);
        }
        let lots = held.map_or(Position::ZERO, |position| position.lots);
        let (price, rests) = match order.order_type {
            OrderType::Limit { price, tif } => (price, tif != TimeInForce::Ioc),
            OrderType::Market { .. } => (self.reference_price(order.market, order.side), false),
        };
        if !(Qty(1)..=MAX_QTY).contains(&order.qty) || !(Price(1)..=MAX_PRICE).contains(&price) {
            return admitted(None);
        }
        let opening = order.qty - lots.reducible(order.side).min(order.qty);
        // An order that may rest is backed in full: what it will close by the time it trades cannot be known.
        let backed = if rests { order.qty } else { opening };
        if backed.is_zero() {
            return admitted(None);
        }
        let after =
            if opening.is_zero() { lots.size() } else { (lots + order.qty.signed(order.side)).size() };
        // What cannot be valued in 64 bits is beyond every largest position.
        let value = |qty| market.contract.checked_notional(price, qty);
        let (Some(whole), Some(notional)) = (value(order.qty), value(after)) else {
            return Err(Refusal::PositionTooLarge);
        };
        if whole.max(notional) > market.brackets.cap() {
            return Err(Refusal::PositionTooLarge);
        }
        if let (Some(position), Some(mark)) = (held, self.marks[order.market.index()])
            // A position whose liquidation pauses is nowhere in the index.
            && position.bound().map_or(!is_flat, |bound| bound.is_reached(mark))
            && liquidation::is_breached(
                market.contract,
                &market.brackets,
                venue.liquidation.breach,
                position,
                mark,
            )
        {
            return Err(Refusal::BelowMaintenance);
        }
        let leverage = held.filter(|_| !is_flat).map_or(order.leverage, |p| p.leverage).max(1);
        if !market.brackets.allows(leverage, notional)
            || (market.safeguards.volatility_margin.is_some()
                && leverage > self.max_leverage(order.market, notional))
        {
            return Err(Refusal::LeverageAboveBracket);
        }
        let backed = if backed == order.qty { whole } else { market.contract.notional(price, backed) };
        let margin = initial_margin(backed, leverage);
        let left = free + freed - margin;
        let taker = venue.fees.taker;
        // Mostly there is enough for any fee up to all that the order is worth.
        if (left < whole || taker.0 > Rate::ONE) && taker.of(whole, Rounding::Ceil) > left {
            return Err(Refusal::InsufficientMargin);
        }
        // A flat position with orders keeps the leverage that they were sent with.
        let is_known = rests && !held.is_some_and(|position| is_flat && position.first_order().is_some());
        admitted(is_known.then(|| margin.min(free.max(Money::ZERO))))
    }
}
