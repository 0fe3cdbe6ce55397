//! Settlement of trades: lots, cost, profit, margin, fees. One trade at a time, both sides, to the last unit.

use super::venue::Notice;
use super::{MarketSpec, VenueSpec, WorldSpec};
use crate::clearing::{
    Accounts, Ledger, LiquidationIndex, LiquidationTrigger, MarginMode, OpenPosition, PositionId, Purse,
    Reason, Transfer, TriggerIndex, initial_margin, liquidation, waterfall,
};
use crate::event::{Emit, Event, Observer};
use crate::market::{BookEvent, Owner, Sink, Trade};
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Qty, Rounding, Side, div_round};
use std::collections::BTreeMap;

/// Moves money between purses, counts it and says so.
pub(super) fn transfer<O: Observer>(
    accounts: &mut Accounts,
    ledger: &mut Ledger,
    transfer: Transfer,
    emit: &mut Emit<'_, O>,
) {
    let mut add = |purse: Purse, amount: Money| match purse {
        Purse::External => ledger.external += i128::from(amount.0),
        Purse::Cash(account) => accounts.add_cash(account, amount),
        Purse::Margin(account, market) => {
            let id = accounts.find_or_open(account, market);
            accounts.add_margin(id, amount);
        }
        Purse::Clearing(market) => ledger.clearing[market.index()] += i128::from(amount.0),
        Purse::Fund(venue) => ledger.fund[venue.index()] += amount,
        Purse::Fees(venue) => ledger.fees[venue.index()] += amount,
        Purse::Uncovered(venue) => ledger.uncovered[venue.index()] += amount,
    };
    add(transfer.from, -transfer.amount);
    add(transfer.to, transfer.amount);
    ledger.note(&transfer);
    emit.say(Event::Transfer(transfer));
}

/// Returns the trigger that a position should have: none for unmargined accounts and flat positions.
pub(super) fn trigger(spec: &WorldSpec, position: &OpenPosition) -> Option<LiquidationTrigger> {
    let market = &spec.markets[position.market.index()];
    let breach = spec.venues[market.venue.index()].liquidation.breach;
    let side = position.lots.side()?;
    let tick = liquidation::trigger(market.contract, &market.brackets, breach, position)?;
    Some(LiquidationTrigger { side, tick })
}

/// Brings a position's trigger and its place in the index up to date.
pub(super) fn reindex(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    spec: &WorldSpec,
    id: PositionId,
) {
    let position = *accounts.position(id);
    if accounts.get(position.account).mode != MarginMode::Isolated {
        return;
    }
    let to = trigger(spec, &position);
    triggers.relocate(position.market, id, position.trigger, to);
    accounts.set_trigger(id, to);
}

/// Everything that a trade touches, borrowed while its book is matching.
pub(super) struct Settlement<'w, 'o, O> {
    pub(super) spec: &'w WorldSpec,
    pub(super) market: MarketId,
    pub(super) accounts: &'w mut Accounts,
    pub(super) ledger: &'w mut Ledger,
    pub(super) triggers: &'w mut TriggerIndex,
    pub(super) reserved: &'w mut BTreeMap<(AccountId, MarketId, OrderId), Money>,
    pub(super) notices: &'w mut Vec<Notice>,
    pub(super) last: &'w mut Option<Price>,
    /// Number of the record in which the book last changed.
    pub(super) last_change: &'w mut u64,
    /// The account that is being liquidated: it pays no taker fee, and its money stays in its margin until the end.
    pub(super) liquidating: Option<AccountId>,
    /// Whether the order that is being matched only reduces: it needs no cash set aside, at whatever price it rests.
    pub(super) incoming_reduces: bool,
    /// Whether the fund pays for deficits.
    pub(super) fund_pays: bool,
    pub(super) emit: &'w mut Emit<'o, O>,
}

/// One account's side of a trade.
#[derive(Clone, Copy)]
struct Fill {
    account: AccountId,
    side: Side,
    qty: Qty,
    price: Price,
    taker: bool,
}

impl<O: Observer> Sink for Settlement<'_, '_, O> {
    fn on(&mut self, event: BookEvent) {
        let seq = self.emit.say(Event::Book { market: self.market, event });
        *self.last_change = seq;
        match event {
            BookEvent::Trade(trade) => self.trade(&trade, seq),
            BookEvent::Rested { id, owner, price, qty, .. } => {
                self.reserve(AccountId(owner.0), id, price, qty);
            }
            BookEvent::Cancelled { id, owner, resting: true, .. } => self.release(AccountId(owner.0), id),
            BookEvent::Reduced { id, owner, from, to, .. } => {
                self.shrink(AccountId(owner.0), id, from, to);
            }
            BookEvent::Accepted(order) => self.incoming_reduces = order.reduce_only,
            BookEvent::Cancelled { .. } | BookEvent::Rejected { .. } => {}
        }
    }

    fn reducible(&self, owner: Owner, side: Side) -> Qty {
        self.accounts.lots(AccountId(owner.0), self.market).reducible(side)
    }
}

impl<'w, O: Observer> Settlement<'w, '_, O> {
    fn market_spec(&self) -> &'w MarketSpec {
        &self.spec.markets[self.market.index()]
    }

    fn venue_spec(&self) -> &'w VenueSpec {
        &self.spec.venues[self.market_spec().venue.index()]
    }

    fn transfer(&mut self, from: Purse, to: Purse, amount: Money, reason: Reason) {
        if !amount.is_zero() {
            transfer(self.accounts, self.ledger, Transfer { from, to, amount, reason }, self.emit);
        }
    }

    fn trade(&mut self, trade: &Trade, seq: u64) {
        *self.last = Some(trade.price);
        let cause = std::mem::replace(&mut self.emit.cause, seq);
        let maker = AccountId(trade.maker_owner.0);
        // Both sides' lots and cost move before anything else, so that contracts sum to zero at every later record.
        let fill = Fill {
            account: AccountId(trade.taker_owner.0),
            side: trade.taker_side,
            qty: trade.qty,
            price: trade.price,
            taker: true,
        };
        let other = Fill { account: maker, side: trade.taker_side.opposite(), taker: false, ..fill };
        self.shrink(maker, trade.maker, trade.maker_remaining + trade.qty, trade.maker_remaining);
        if fill.account == maker {
            // The second side of a trade with oneself starts from what the first one left.
            for side in [&fill, &other] {
                let before = self.move_lots(side);
                self.settle(side, &before);
            }
        } else {
            let (taker_before, maker_before) = (self.move_lots(&fill), self.move_lots(&other));
            self.settle(&fill, &taker_before);
            self.settle(&other, &maker_before);
        }
        for fill in [fill, other] {
            let owner = self.accounts.get(fill.account).owner;
            self.notices.push(Notice {
                agent: owner,
                account: fill.account,
                market: self.market,
                side: fill.side,
                qty: fill.qty,
                price: fill.price,
                cause: seq,
            });
        }
        self.emit.cause = cause;
    }

    /// Moves the lots of one side and returns the position as it was.
    fn move_lots(&mut self, fill: &Fill) -> OpenPosition {
        let id = self.accounts.find_or_open(fill.account, self.market);
        let before = *self.accounts.position(id);
        let value = self.market_spec().contract.value(fill.price, fill.qty);
        self.accounts.add_lots(id, fill.qty.signed(fill.side), Money(value.0 * fill.side.sign()));
        before
    }

    /// Realises profit on closed lots, posts margin for opened ones, takes the fee and reindexes.
    fn settle(&mut self, fill: &Fill, before: &OpenPosition) {
        let contract = self.market_spec().contract;
        let id = self.accounts.find_or_open(fill.account, self.market);
        let value = Money(contract.value(fill.price, fill.qty).0 * fill.side.sign());
        let closed = self.close(id, before, fill.qty.signed(fill.side), value);
        let opened = fill.qty - closed;
        let mode = self.accounts.get(fill.account).mode;
        self.fee(fill, id);
        if mode == MarginMode::Isolated {
            if !opened.is_zero() {
                let notional = contract.notional(fill.price, opened);
                let due = initial_margin(notional, self.accounts.position(id).leverage);
                // The order's check covered this at its own price; slippage beyond it is posted as far as cash goes.
                let free = self.accounts.get(fill.account).free().max(Money::ZERO);
                let to = Purse::Margin(fill.account, self.market);
                self.transfer(Purse::Cash(fill.account), to, due.min(free), Reason::InitialMargin);
            }
            reindex(self.accounts, self.triggers, self.spec, id);
        }
    }

    /// Settles one side of an assignment: profit and margin of closed lots, no fee, no margin for opened ones.
    pub(super) fn settle_assigned(
        &mut self,
        id: PositionId,
        before: &OpenPosition,
        lots: Position,
        value: Money,
    ) {
        self.close(id, before, lots, value);
        reindex(self.accounts, self.triggers, self.spec, id);
    }

    /// Realises the profit of the lots that a trade of `lots` at `value` closed and returns how many those are. What is
    /// left keeps its share of the old cost; a position that flipped keeps its share of the trade's value.
    fn close(&mut self, id: PositionId, before: &OpenPosition, lots: Position, value: Money) -> Qty {
        let Some(side) = lots.side() else { return Qty::ZERO };
        let closed = before.lots.reducible(side).min(lots.size());
        if closed.is_zero() {
            return closed;
        }
        let target = if closed == lots.size() {
            remaining_cost(before.cost, before.lots, closed)
        } else {
            remaining_cost(value, lots, closed)
        };
        self.realize(id, target);
        let isolated = self.accounts.get(before.account).mode == MarginMode::Isolated;
        if isolated && self.liquidating != Some(before.account) {
            self.release_margin(id, before, closed);
        }
        closed
    }

    /// Realises profit so that what is left of a position has the target cost.
    fn realize(&mut self, id: PositionId, target: Money) {
        let position = *self.accounts.position(id);
        let pnl = target - position.cost;
        self.accounts.add_cost(id, pnl);
        let to = match self.accounts.get(position.account).mode {
            MarginMode::Isolated => Purse::Margin(position.account, position.market),
            MarginMode::Unmargined => Purse::Cash(position.account),
        };
        self.transfer(Purse::Clearing(position.market), to, pnl, Reason::RealizedPnl);
    }

    /// Gives back the share of the margin that closed lots no longer need; a closed position with less than nothing
    /// left is made good by the fund, and what the fund cannot pay is booked as uncovered.
    fn release_margin(&mut self, id: PositionId, before: &OpenPosition, closed: Qty) {
        // A position that flipped closed all that there was.
        let left = before.lots.size() - closed;
        let keep = if left.is_zero() {
            Money::ZERO
        } else {
            let share = i128::from(before.margin.0) * i128::from(left.0);
            // A margin below zero keeps nothing for the rest: what closing earns goes to the debt first.
            Money(div_round(share, i128::from(before.lots.size().0), Rounding::Ceil)).max(Money::ZERO)
        };
        let position = *self.accounts.position(id);
        let surplus = position.margin - keep;
        if surplus > Money::ZERO {
            let (from, to) =
                (Purse::Margin(position.account, position.market), Purse::Cash(position.account));
            self.transfer(from, to, surplus, Reason::MarginRelease);
        } else if left.is_zero() {
            self.cover_deficit(id);
        }
    }

    /// Brings the negative margin of a closed position to zero: from the fund, then from nobody.
    pub(super) fn cover_deficit(&mut self, id: PositionId) {
        let position = *self.accounts.position(id);
        let deficit = -position.margin;
        if deficit <= Money::ZERO {
            return;
        }
        let venue = self.market_spec().venue;
        let fund = if self.fund_pays { self.ledger.fund[venue.index()] } else { Money::ZERO };
        let (paid, uncovered) = waterfall::cover(deficit, fund);
        let to = Purse::Margin(position.account, position.market);
        self.transfer(Purse::Fund(venue), to, paid, Reason::FundCover);
        self.transfer(Purse::Uncovered(venue), to, uncovered, Reason::UncoveredLoss);
    }

    /// Takes the fee of one side, capped at what the account has.
    fn fee(&mut self, fill: &Fill, id: PositionId) {
        if self.liquidating == Some(fill.account) {
            return;
        }
        let venue = self.venue_spec();
        let (rate, reason) = if fill.taker {
            (venue.fees.taker, Reason::TakerFee)
        } else {
            (venue.fees.maker, Reason::MakerFee)
        };
        let notional = self.market_spec().contract.notional(fill.price, fill.qty);
        let fee = rate.of(notional, Rounding::Ceil);
        let account = *self.accounts.get(fill.account);
        let to = Purse::Fees(self.market_spec().venue);
        let from_cash = match account.mode {
            MarginMode::Unmargined => fee,
            MarginMode::Isolated => fee.min(account.cash.max(Money::ZERO)),
        };
        self.transfer(Purse::Cash(fill.account), to, from_cash, reason);
        let from_margin = (fee - from_cash).min(self.accounts.position(id).margin.max(Money::ZERO));
        self.transfer(Purse::Margin(fill.account, self.market), to, from_margin, reason);
    }

    /// Sets cash aside for an order that now rests.
    fn reserve(&mut self, account: AccountId, order: OrderId, price: Price, qty: Qty) {
        if self.accounts.get(account).mode != MarginMode::Isolated {
            return;
        }
        let amount = if self.incoming_reduces {
            Money::ZERO
        } else {
            let leverage =
                self.accounts.find(account, self.market).map_or(1, |id| self.accounts.position(id).leverage);
            let notional = self.market_spec().contract.notional(price, qty);
            let free = self.accounts.get(account).free().max(Money::ZERO);
            initial_margin(notional, leverage).min(free)
        };
        self.reserved.insert((account, self.market, order), amount);
        self.accounts.add_reserved(account, amount);
    }

    /// Frees the cash of an order that is gone.
    fn release(&mut self, account: AccountId, order: OrderId) {
        if let Some(amount) = self.reserved.remove(&(account, self.market, order)) {
            self.accounts.add_reserved(account, -amount);
        }
    }

    /// Frees the cash of the part of an order that traded or was taken back.
    fn shrink(&mut self, account: AccountId, order: OrderId, from: Qty, to: Qty) {
        if to.is_zero() {
            self.release(account, order);
        } else if let Some(amount) = self.reserved.get_mut(&(account, self.market, order)) {
            let keep = div_round(i128::from(amount.0) * i128::from(to.0), i128::from(from.0), Rounding::Ceil);
            let freed = *amount - Money(keep);
            *amount = Money(keep);
            self.accounts.add_reserved(account, -freed);
        }
    }
}

/// Returns the cost of what is left after closing part of a position: its share of the cost, rounded down, which is in
/// the house's favour on either side since less profit is realised now.
pub(super) fn remaining_cost(cost: Money, lots: Position, closed: Qty) -> Money {
    let size = lots.size();
    let left = i128::from((size - closed).0);
    Money(div_round(i128::from(cost.0) * left, i128::from(size.0), Rounding::Floor))
}
