//! Coins against cash: what a venue asks of those who trade them.

use super::{Order, World};
use crate::clearing::PositionId;
use crate::event::{Emit, Event, Observer, Refusal};
use crate::market::{Book, MAX_PRICE, MAX_QTY, OrderType};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Rounding, Side};

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

    /// Returns the lots that a position's other resting orders sell.
    fn offered(&self, order: &Order, id: PositionId) -> Qty {
        let state = self.market(order.market);
        let others =
            state.orders.of(&self.accounts, Some(id)).filter(|place| state.orders.id(*place) != order.id);
        let resting = others.filter_map(|place| state.book.get(state.book.at(place)?));
        resting.filter(|other| other.side == Side::Sell).map(|other| other.qty).sum()
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
