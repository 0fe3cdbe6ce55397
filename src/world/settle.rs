//! Settlement of trades: lots, cost, profit, margin, fees. One trade at a time, both sides, to the last unit.
#![allow(
    clippy::inline_always,
    reason = "what a caller names is known where it is called, and one arm of each match is left"
)]

use super::orders::OpenOrders;
use super::venue::Notice;
use super::{MarketSpec, VenueSpec};
use crate::clearing::{
    Accounts, Ledger, LiquidationIndex, LiquidationTrigger, MarginMode, OpenPosition, PositionId, Purse,
    Reason, Transfer, TriggerIndex, initial_margin, liquidation, waterfall,
};
use crate::event::{Emit, Event, Observer};
use crate::market::{BookEvent, Owner, Place, Sink, Trade};
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Qty, Rounding, Side, div_round};

/// Moves money between purses, counts it and says so. `position` is that of a margin purse, where it is known.
#[inline(always)]
pub(super) fn transfer<O: Observer>(
    accounts: &mut Accounts,
    ledger: &mut Ledger,
    transfer: Transfer,
    position: Option<PositionId>,
    emit: &mut Emit<'_, O>,
) {
    add(accounts, ledger, transfer.from, -transfer.amount, position);
    add(accounts, ledger, transfer.to, transfer.amount, position);
    ledger.note(&transfer);
    emit.say(Event::Transfer(transfer));
}

/// Adds to what lies in a purse.
#[inline(always)]
fn add(
    accounts: &mut Accounts,
    ledger: &mut Ledger,
    purse: Purse,
    amount: Money,
    position: Option<PositionId>,
) {
    match purse {
        Purse::External => ledger.external += i128::from(amount.0),
        Purse::Cash(account) => accounts.add_cash(account, amount),
        Purse::Margin(account, market) => {
            let id = position.unwrap_or_else(|| accounts.find_or_open(account, market));
            debug_assert_eq!(accounts.find(account, market), Some(id));
            accounts.add_margin(id, amount);
        }
        Purse::Clearing(market) => ledger.clearing[market.index()] += i128::from(amount.0),
        Purse::Fund(venue) => ledger.fund[venue.index()] += amount,
        Purse::Fees(venue) => ledger.fees[venue.index()] += amount,
        Purse::Uncovered(venue) => ledger.uncovered[venue.index()] += amount,
    }
}

/// Returns the trigger that a position should have: none for unmargined accounts and flat positions.
pub(super) fn trigger(
    market: &MarketSpec,
    venue: &VenueSpec,
    position: &OpenPosition,
) -> Option<LiquidationTrigger> {
    let side = position.lots.side()?;
    if market.contract.is_spot() {
        return None;
    }
    let tick = liquidation::trigger(market.contract, &market.brackets, venue.liquidation.breach, position)?;
    Some(LiquidationTrigger { side, tick })
}

/// Sees to it that the index has a position where a mark comes by no later than at its trigger.
///
/// Most trades leave it where it is: it waits somewhat ahead of its trigger, and has to be moved only if it would be
/// liquidated there already. Whoever finds it in the way of the mark asks for its trigger ([`World::next_due`]).
#[inline]
pub(super) fn reindex(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    (market, venue): (&MarketSpec, &VenueSpec),
    mark: Option<Price>,
    id: PositionId,
) {
    let position = accounts.position(id);
    if position.mode != MarginMode::Isolated {
        return;
    }
    let breach = venue.liquidation.breach;
    let waits = position.bound().is_some_and(|bound| {
        position.lots.side() == Some(bound.side)
            && !liquidation::is_breached(market.contract, &market.brackets, breach, position, bound.tick)
    });
    if !waits {
        let trigger = trigger(market, venue, position);
        relocate(accounts, triggers, id, trigger.map(|trigger| trigger.ahead_of(mark)));
    }
}

/// Moves a position in the index.
pub(super) fn relocate(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    id: PositionId,
    to: Option<LiquidationTrigger>,
) {
    let position = accounts.position(id);
    triggers.relocate(position.market, id, position.bound(), to);
    accounts.set_bound(id, to);
}

/// Everything that a trade touches, borrowed while its book is matching.
pub(super) struct Settlement<'w, 'o, O> {
    pub(super) market: MarketId,
    pub(super) market_spec: &'w MarketSpec,
    pub(super) venue_spec: &'w VenueSpec,
    pub(super) accounts: &'w mut Accounts,
    pub(super) ledger: &'w mut Ledger,
    pub(super) triggers: &'w mut TriggerIndex,
    pub(super) orders: &'w mut OpenOrders,
    pub(super) notices: &'w mut Vec<Notice>,
    pub(super) last: &'w mut Option<Price>,
    /// What margin is measured on.
    pub(super) mark: Option<Price>,
    /// Number of the record in which the book last changed.
    pub(super) last_change: &'w mut u64,
    /// The position that the incoming order belongs to, if there is one.
    pub(super) incoming: Option<PositionId>,
    /// The account that is being liquidated: it pays no taker fee, and its money stays in its margin until the end.
    pub(super) liquidating: Option<AccountId>,
    /// Whether the order that is being matched only reduces: it needs no cash set aside, at whatever price it rests.
    pub(super) incoming_reduces: bool,
    /// Whether the fund pays for deficits.
    pub(super) fund_pays: bool,
    pub(super) emit: &'w mut Emit<'o, O>,
}

const INCOMING: &str = "an order that trades or comes to rest was sent with its position";

/// One account's side of a trade.
#[derive(Clone, Copy)]
struct Fill {
    account: AccountId,
    position: PositionId,
    side: Side,
    qty: Qty,
    price: Price,
    /// What the lots cost the buyer.
    value: Money,
    taker: bool,
}

impl Fill {
    fn lots(&self) -> Position {
        self.qty.signed(self.side)
    }

    fn cost(&self) -> Money {
        Money(self.value.0 * self.side.sign())
    }
}

impl<O: Observer> Sink for Settlement<'_, '_, O> {
    #[inline(always)]
    fn on(&mut self, event: BookEvent, place: Place) {
        let seq = self.emit.say(Event::Book { market: self.market, event });
        *self.last_change = seq;
        match event {
            BookEvent::Trade(trade) => self.trade(&trade, place, seq),
            BookEvent::Rested { id, owner, price, qty, .. } => {
                self.reserve(AccountId(owner.0), id, place, price, qty);
            }
            BookEvent::Cancelled { owner, resting: true, .. } => {
                let account = AccountId(owner.0);
                self.release(account, self.position_of(account), place);
            }
            BookEvent::Reduced { owner, from, to, .. } => {
                let account = AccountId(owner.0);
                self.shrink(account, self.position_of(account), place, from, to);
            }
            BookEvent::Accepted(order) => self.incoming_reduces = order.reduce_only,
            BookEvent::Cancelled { .. } | BookEvent::Rejected { .. } => {}
        }
    }

    fn reducible(&self, owner: Owner, side: Side) -> Qty {
        self.accounts.lots(AccountId(owner.0), self.market).reducible(side)
    }
}

impl<O: Observer> Settlement<'_, '_, O> {
    /// Returns the position of an account that has an order in the book.
    fn position_of(&self, account: AccountId) -> PositionId {
        self.accounts.find(account, self.market).expect("an order that rests belongs to a position")
    }

    /// Moves money; a margin purse that is named is that of `position`.
    #[inline(always)]
    fn transfer(&mut self, from: Purse, to: Purse, amount: Money, reason: Reason, position: PositionId) {
        if !amount.is_zero() {
            let moved = Transfer { from, to, amount, reason };
            transfer(self.accounts, self.ledger, moved, Some(position), self.emit);
        }
    }

    #[inline(never)]
    fn trade(&mut self, trade: &Trade, place: Place, seq: u64) {
        *self.last = Some(trade.price);
        let cause = std::mem::replace(&mut self.emit.cause, seq);
        let (account, maker) = (AccountId(trade.taker_owner.0), AccountId(trade.maker_owner.0));
        let maker_position = self.position_of(maker);
        self.shrink(maker, maker_position, place, trade.maker_remaining + trade.qty, trade.maker_remaining);
        // Both sides' lots and cost move before anything else, so that contracts sum to zero at every later record.
        let fill = Fill {
            account,
            position: self.incoming.expect(INCOMING),
            side: trade.taker_side,
            qty: trade.qty,
            price: trade.price,
            value: self.market_spec.contract.value(trade.price, trade.qty),
            taker: true,
        };
        let other = Fill {
            account: maker,
            position: maker_position,
            side: trade.taker_side.opposite(),
            taker: false,
            ..fill
        };
        if self.market_spec.contract.is_spot() {
            self.pay(&fill, &other);
        } else if fill.account == maker {
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
            if !self.accounts.position(fill.position).is_heard {
                continue;
            }
            self.notices.push(Notice {
                agent: self.accounts.get(fill.account).owner,
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

    /// Hands coins over against cash, both sides at once, and takes the fees.
    fn pay(&mut self, taker: &Fill, maker: &Fill) {
        for side in [taker, maker] {
            self.accounts.add_lots(side.position, side.lots(), Money::ZERO);
        }
        let (buyer, seller) = if taker.side == Side::Buy { (taker, maker) } else { (maker, taker) };
        let (from, to) = (Purse::Cash(buyer.account), Purse::Cash(seller.account));
        self.transfer(from, to, taker.value, Reason::SpotPayment, buyer.position);
        self.fee(taker);
        self.fee(maker);
    }

    /// Moves the lots of one side and returns the position as it was.
    fn move_lots(&mut self, fill: &Fill) -> OpenPosition {
        let before = *self.accounts.position(fill.position);
        self.accounts.add_lots(fill.position, fill.lots(), fill.cost());
        before
    }

    /// Realises profit on closed lots, posts margin for opened ones, takes the fee and reindexes.
    fn settle(&mut self, fill: &Fill, before: &OpenPosition) {
        let id = fill.position;
        let closed = self.close(id, before, fill.lots(), fill.cost());
        let opened = fill.qty - closed;
        self.fee(fill);
        if before.mode == MarginMode::Isolated {
            if !opened.is_zero() {
                let notional = self.market_spec.contract.notional(fill.price, opened);
                let due = initial_margin(notional, self.accounts.position(id).leverage);
                // The order's check covered this at its own price; slippage beyond it is posted as far as cash goes.
                let free = self.accounts.free(fill.account).max(Money::ZERO);
                let to = Purse::Margin(fill.account, self.market);
                self.transfer(Purse::Cash(fill.account), to, due.min(free), Reason::InitialMargin, id);
            }
            self.reindex(id);
        }
    }

    /// Brings a position's trigger up to date.
    fn reindex(&mut self, id: PositionId) {
        reindex(self.accounts, self.triggers, (self.market_spec, self.venue_spec), self.mark, id);
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
        self.reindex(id);
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
        if before.mode == MarginMode::Isolated && self.liquidating != Some(before.account) {
            self.release_margin(id, before, closed);
        }
        closed
    }

    /// Realises profit so that what is left of a position has the target cost.
    fn realize(&mut self, id: PositionId, target: Money) {
        let position = self.accounts.position(id);
        let (account, mode, pnl) = (position.account, position.mode, target - position.cost);
        self.accounts.add_cost(id, pnl);
        let from = Purse::Clearing(self.market);
        match mode {
            MarginMode::Isolated => {
                self.transfer(from, Purse::Margin(account, self.market), pnl, Reason::RealizedPnl, id);
            }
            MarginMode::Unmargined => {
                self.transfer(from, Purse::Cash(account), pnl, Reason::RealizedPnl, id);
            }
        }
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
        let position = self.accounts.position(id);
        let surplus = position.margin - keep;
        if surplus > Money::ZERO {
            let (from, to) =
                (Purse::Margin(position.account, position.market), Purse::Cash(position.account));
            self.transfer(from, to, surplus, Reason::MarginRelease, id);
        } else if left.is_zero() {
            self.cover_deficit(id);
        }
    }

    /// Brings the negative margin of a closed position to zero: from the fund, then from nobody.
    pub(super) fn cover_deficit(&mut self, id: PositionId) {
        let position = self.accounts.position(id);
        let deficit = -position.margin;
        if deficit <= Money::ZERO {
            return;
        }
        let venue = self.market_spec.venue;
        let fund = if self.fund_pays { self.ledger.fund[venue.index()] } else { Money::ZERO };
        let (paid, uncovered) = waterfall::cover(deficit, fund);
        let to = Purse::Margin(position.account, position.market);
        self.transfer(Purse::Fund(venue), to, paid, Reason::FundCover, id);
        self.transfer(Purse::Uncovered(venue), to, uncovered, Reason::UncoveredLoss, id);
    }

    /// Takes the fee of one side, capped at what the account has.
    #[inline]
    fn fee(&mut self, fill: &Fill) {
        if self.liquidating == Some(fill.account) {
            return;
        }
        let fees = self.venue_spec.fees;
        let (rate, reason) =
            if fill.taker { (fees.taker, Reason::TakerFee) } else { (fees.maker, Reason::MakerFee) };
        let fee = rate.of(Money(fill.value.0.abs()), Rounding::Ceil);
        let to = Purse::Fees(self.market_spec.venue);
        let from_cash = match self.accounts.mode(fill.account) {
            MarginMode::Unmargined => fee,
            MarginMode::Isolated => fee.min(self.accounts.cash(fill.account).max(Money::ZERO)),
        };
        self.transfer(Purse::Cash(fill.account), to, from_cash, reason, fill.position);
        let margin = self.accounts.position(fill.position).margin.max(Money::ZERO);
        let from = Purse::Margin(fill.account, self.market);
        self.transfer(from, to, (fee - from_cash).min(margin), reason, fill.position);
    }

    /// Lists an order that now rests and sets cash aside for it.
    fn reserve(&mut self, account: AccountId, order: OrderId, place: Place, price: Price, qty: Qty) {
        let id = self.incoming.expect(INCOMING);
        let position = self.accounts.position(id);
        let amount = if position.mode == MarginMode::Isolated && !self.incoming_reduces {
            let notional = self.market_spec.contract.notional(price, qty);
            let free = self.accounts.free(account).max(Money::ZERO);
            initial_margin(notional, position.leverage).min(free)
        } else {
            Money::ZERO
        };
        self.orders.add(self.accounts, id, place, order, amount);
        self.accounts.add_reserved(account, amount);
    }

    /// Frees the cash of an order that is gone.
    fn release(&mut self, account: AccountId, id: PositionId, place: Place) {
        let amount = self.orders.remove(self.accounts, id, place);
        self.accounts.add_reserved(account, -amount);
    }

    /// Frees the cash of the part of an order that traded or was taken back.
    fn shrink(&mut self, account: AccountId, id: PositionId, place: Place, from: Qty, to: Qty) {
        if to.is_zero() {
            return self.release(account, id, place);
        }
        let backing = self.orders.backing(place);
        if !backing.is_zero() {
            let share = i128::from(backing.0) * i128::from(to.0);
            let keep = Money(div_round(share, i128::from(from.0), Rounding::Ceil));
            self.orders.set_backing(place, keep);
            self.accounts.add_reserved(account, keep - backing);
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
