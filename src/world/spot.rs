//! Coins against cash: what a venue asks of those who trade them.

use super::{Order, World};
use crate::clearing::{Contract, MarginMode, PositionId};
use crate::event::{Emit, Event, Observer, Refusal};
use crate::market::{Book, MAX_PRICE, MAX_QTY, OrderType};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Rate, Rounding, Side};

impl World {
    /// Returns why a spot order would be refused: a purchase is paid for in full, with the taker fee on it, out of free cash;
    /// a sale needs coins that no other order sells. `freed` is what the order that it takes the place of had set aside.
    pub(super) fn spot_refusal(
        &self,
        order: &Order,
        position: Option<PositionId>,
        freed: Money,
    ) -> Option<Refusal> {
        let (market, venue) = self.spec.of(order.market);
        let price = match order.order_type {
            OrderType::Limit { price, .. } => price,
            OrderType::Market { .. } => self.reference_price(order.market, order.side),
        };
        if !(Qty(1)..=MAX_QTY).contains(&order.qty) || !(Price(1)..=MAX_PRICE).contains(&price) {
            return None;
        }
        if order.side == Side::Sell {
            let held = position.map_or(Position::ZERO, |id| self.accounts.position(id).lots);
            let offered = position.map_or(Qty::ZERO, |id| self.offered(order, id));
            let is_there = order.qty <= held.reducible(Side::Sell) - offered;
            return (!is_there).then_some(Refusal::InsufficientCoins);
        }
        let Some(value) = market.contract.checked_notional(price, order.qty) else {
            return Some(Refusal::PositionTooLarge);
        };
        let fee = venue.fees.taker.of(value, Rounding::Ceil);
        let is_there = value <= self.accounts.free(order.account) + freed - fee;
        (!is_there).then_some(Refusal::InsufficientMargin)
    }

    /// Returns the type of an order that goes to the book: a purchase at market of somebody who has no credit goes no further than
    /// the price at which all of it could be paid for, since the book may be thin behind its best price.
    pub(super) fn affordable(&self, order: &Order) -> OrderType {
        let OrderType::Market { worst } = order.order_type else { return order.order_type };
        let is_credited = self.accounts.mode(order.account) != MarginMode::Isolated;
        let (market, venue) = self.spec.of(order.market);
        let Contract::Spot { unit } = market.contract else { return order.order_type };
        if is_credited || order.side == Side::Sell || !(Qty(1)..=MAX_QTY).contains(&order.qty) {
            return order.order_type;
        }
        // Fees of parts are rounded up one by one, and are no more than what is left.
        let free = i128::from(self.accounts.free(order.account).0.max(0)) * i128::from(Rate::ONE);
        let value = free.div_euclid(i128::from(Rate::ONE + venue.fees.taker.0));
        let price = value.div_euclid(i128::from(unit) * i128::from(order.qty.0)).min(i128::from(MAX_PRICE.0));
        let most = Price(price as i64).max(Price(1));
        OrderType::Market { worst: Some(worst.map_or(most, |worst| worst.min(most))) }
    }

    /// Returns the lots that a position's other resting orders sell.
    fn offered(&self, order: &Order, id: PositionId) -> Qty {
        let state = self.market(order.market);
        let places = state.orders.of(&self.accounts, Some(id));
        let resting = places.filter_map(|place| state.book.get(state.book.at(place)?));
        let others = resting.filter(|other| other.side == Side::Sell && other.id != order.id);
        others.map(|other| other.qty).sum()
    }

    /// Gives an account coins that exist when the run begins; the issuer owes them, so that lots sum to zero.
    pub fn endow_coins<O: Observer>(
        &mut self,
        account: AccountId,
        issuer: AccountId,
        market: MarketId,
        qty: Qty,
        emit: &mut Emit<'_, O>,
    ) {
        let (giver, taker) =
            (self.accounts.find_or_open(issuer, market), self.accounts.find_or_open(account, market));
        self.accounts.add_lots(giver, -qty.signed(Side::Buy), Money::ZERO);
        self.accounts.add_lots(taker, qty.signed(Side::Buy), Money::ZERO);
        let how = crate::event::Assignment::Seed;
        let lots = qty.signed(Side::Buy);
        emit.say(Event::Assigned { how, market, from: issuer, to: account, lots, value: Money::ZERO });
    }
}
