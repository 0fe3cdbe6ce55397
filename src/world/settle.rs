//! Settlement of trades: lots, cost, profit, margin, fees. One trade at a time, both sides, to the last unit.
#![allow(
    clippy::inline_always,
    reason = "what a caller names is known where it is called, and one arm of each match is left"
)]

use super::orders::OpenOrders;
use super::request::Notice;
use super::{MarketSpec, Switches, VenueSpec, placing};
use crate::clearing::{
    Accounts, Balances, Ledger, MarginMode, OpenPosition, PositionId, Purse, Reason, Transfer, TriggerIndex,
    initial_margin, waterfall,
};
use crate::event::{Emit, Event, Observer};
use crate::market::{BookEvent, Owner, Place, Sink, Trade};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Rounding, Side, mul_div};

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

/// What an order touches that comes to rest or goes without a trade, borrowed while its book says so.
pub(super) struct Desk<'w, 'o, O> {
    pub(super) market: MarketId,
    /// The position that the order belongs to.
    pub(super) position: PositionId,
    /// Cash to set aside for it.
    pub(super) backing: Money,
    pub(super) accounts: &'w mut Accounts,
    pub(super) orders: &'w mut OpenOrders,
    /// Number of the record in which the book last changed.
    pub(super) last_change: &'w mut u64,
    pub(super) emit: &'w mut Emit<'o, O>,
}

impl<O: Observer> Sink for Desk<'_, '_, O> {
    #[inline(always)]
    fn on(&mut self, event: BookEvent, place: Place) {
        *self.last_change = self.emit.say(Event::Book { market: self.market, event });
        match event {
            BookEvent::Rested { owner, .. } => {
                let whose = (AccountId(owner.0), self.position);
                self.orders.add(self.accounts, whose, place, self.backing);
            }
            BookEvent::Cancelled { owner, .. } => {
                self.orders.remove(self.accounts, (AccountId(owner.0), self.position), place);
            }
            // A trade never comes here.
            _ => {}
        }
    }
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
    /// What margin is measured on, by market.
    pub(super) marks: &'w [Option<Price>],
    /// Number of the record in which the book last changed.
    pub(super) last_change: &'w mut u64,
    /// The position that the incoming order belongs to, if there is one.
    pub(super) incoming: Option<PositionId>,
    /// The account that is being liquidated: it pays no taker fee, and its money stays in its margin until the end.
    pub(super) liquidating: Option<AccountId>,
    /// Whether the order that is being matched only reduces: it needs no cash set aside, at whatever price it rests.
    pub(super) incoming_reduces: bool,
    pub(super) switches: Switches,
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

impl<O: Observer> Sink for Settlement<'_, '_, O> {
    #[inline(always)]
    fn on(&mut self, event: BookEvent, place: Place) {
        let seq = self.emit.say(Event::Book { market: self.market, event });
        *self.last_change = seq;
        match event {
            BookEvent::Trade(trade) => self.trade(&trade, place, seq),
            BookEvent::Rested { owner, price, qty, .. } => {
                self.reserve(AccountId(owner.0), place, price, qty);
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

    #[inline(always)]
    fn nears(&mut self, owner: Owner, place: Place) {
        self.accounts.fetch(AccountId(owner.0));
        self.orders.fetch(place);
    }

    fn reducible(&self, owner: Owner, side: Side) -> Qty {
        self.accounts.lots(AccountId(owner.0), self.market).reducible(side)
    }
}

impl<O: Observer> Settlement<'_, '_, O> {
    /// Returns the position of an account that has an order in the book.
    #[inline(always)]
    fn position_of(&self, account: AccountId) -> PositionId {
        self.accounts.find(account, self.market).expect("an order that rests belongs to a position")
    }

    /// Counts and says a movement of money whose two purses have been changed; nothing if there was none.
    #[inline(always)]
    fn note(&mut self, from: Purse, to: Purse, amount: Money, reason: Reason) {
        if !amount.is_zero() {
            let moved = Transfer { from, to, amount, reason };
            self.ledger.note(&moved);
            self.emit.say(Event::Transfer(moved));
        }
    }

    #[inline(never)]
    fn trade(&mut self, trade: &Trade, place: Place, seq: u64) {
        *self.last = Some(trade.price);
        let cause = std::mem::replace(&mut self.emit.cause, seq);
        let (account, maker) = (AccountId(trade.taker_owner.0), AccountId(trade.maker_owner.0));
        let maker_position = self.position_of(maker);
        self.shrink(maker, maker_position, place, trade.maker_remaining + trade.qty, trade.maker_remaining);
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
            self.pay(fill, other);
        } else {
            // The second side of a trade with oneself starts from what the first one left.
            self.settle(&fill);
            self.settle(&other);
        }
        self.emit.cause = cause;
    }

    /// Hands coins over against cash, both sides at once, takes the fees and has the owners told.
    #[inline(never)]
    fn pay(&mut self, taker: Fill, maker: Fill) {
        let (buyer, seller) = if taker.side == Side::Buy { (taker, maker) } else { (maker, taker) };
        self.note(Purse::Cash(buyer.account), Purse::Cash(seller.account), taker.value, Reason::SpotPayment);
        for fill in [taker, maker] {
            let (mut now, &OpenPosition { mode, is_heard, .. }) =
                self.accounts.balances(fill.account, fill.position);
            now.lots += fill.qty.signed(fill.side);
            now.cash -= Money(fill.value.0 * fill.side.sign());
            self.fee(&mut now, &fill, mode);
            self.accounts.set_balances(fill.account, fill.position, now);
            if is_heard {
                self.tell(fill);
            }
        }
    }

    /// Settles one side: moves lots and cost, realises profit on closed lots, takes the fee, posts margin for opened lots and
    /// reindexes. What an account and a position have is read once and written once; every movement is said on the way.
    #[inline(always)]
    fn settle(&mut self, fill: &Fill) {
        let Fill { account, position: id, side, qty, price, value, .. } = *fill;
        let (mut now, &OpenPosition { mode, leverage, is_heard, .. }) = self.accounts.balances(account, id);
        let cost = Money(value.0 * side.sign());
        let closed = self.close(&mut now, (account, mode), qty.signed(side), cost);
        self.fee(&mut now, fill, mode);
        let opened = qty - closed;
        if mode == MarginMode::Isolated && !opened.is_zero() {
            let notional = if opened == qty {
                value.0.abs()
            } else {
                self.market_spec.contract.notional(price, opened).0
            };
            // The order's check covered this at its own price; slippage beyond it is posted as far as cash goes.
            let free = (now.cash - now.reserved).max(Money::ZERO);
            let posted = initial_margin(Money(notional), leverage).min(free);
            now.cash -= posted;
            now.margin += posted;
            let to = Purse::Margin(account, self.market);
            self.note(Purse::Cash(account), to, posted, Reason::InitialMargin);
        }
        let rules = (self.market_spec, self.venue_spec);
        if !placing::waits(self.accounts.set_balances(account, id, now), rules) {
            placing::move_on(self.accounts, self.triggers, rules, self.marks, id);
        }
        if is_heard {
            self.tell(*fill);
        }
    }

    /// Has an owner told of a fill.
    #[inline(never)]
    fn tell(&mut self, fill: Fill) {
        self.notices.push(Notice {
            agent: self.accounts.get(fill.account).owner,
            account: fill.account,
            market: self.market,
            side: fill.side,
            qty: fill.qty,
            price: fill.price,
            cause: self.emit.cause,
        });
    }

    /// Brings a position's trigger up to date.
    #[inline(always)]
    fn reindex(&mut self, id: PositionId) {
        placing::reindex(self.accounts, self.triggers, (self.market_spec, self.venue_spec), self.marks, id);
    }

    /// Settles one side of an assignment: moves lots and cost, realises profit and frees the margin of closed lots; no fee, no
    /// margin for opened ones.
    pub(super) fn settle_assigned(&mut self, id: PositionId, lots: Position, value: Money) {
        let OpenPosition { account, mode, .. } = *self.accounts.position(id);
        let (mut now, _) = self.accounts.balances(account, id);
        self.close(&mut now, (account, mode), lots, value);
        self.accounts.set_balances(account, id, now);
        self.reindex(id);
    }

    /// Adds lots at a value, realises the profit of those that they close and returns how many those are. What is left keeps
    /// its share of the old cost; a position that flipped keeps its share of the trade's value.
    #[inline(always)]
    fn close(
        &mut self,
        now: &mut Balances,
        (account, mode): (AccountId, MarginMode),
        lots: Position,
        value: Money,
    ) -> Qty {
        let before = *now;
        now.lots += lots;
        now.cost += value;
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
        self.realize(now, (account, mode), target);
        if mode == MarginMode::Isolated && self.liquidating != Some(account) {
            self.release_margin(now, account, &before, closed);
        }
        closed
    }

    /// Realises profit so that what is left of a position has the target cost.
    #[inline(always)]
    fn realize(&mut self, now: &mut Balances, (account, mode): (AccountId, MarginMode), target: Money) {
        let profit = target - now.cost;
        now.cost = target;
        self.ledger.clearing[self.market.index()] -= i128::from(profit.0);
        let to = match mode {
            MarginMode::Isolated => {
                now.margin += profit;
                Purse::Margin(account, self.market)
            }
            MarginMode::Unmargined => {
                now.cash += profit;
                Purse::Cash(account)
            }
        };
        self.note(Purse::Clearing(self.market), to, profit, Reason::RealizedPnl);
    }

    /// Gives back the share of the margin that closed lots no longer need; a closed position with less than nothing
    /// left is made good by the fund, and what the fund cannot pay is booked as uncovered.
    #[inline(always)]
    fn release_margin(&mut self, now: &mut Balances, account: AccountId, before: &Balances, closed: Qty) {
        // A position that flipped closed all that there was.
        let left = before.lots.size() - closed;
        let keep = if left.is_zero() {
            Money::ZERO
        } else {
            // A margin below zero keeps nothing for the rest: what closing earns goes to the debt first.
            Money(mul_div(before.margin.0, left.0, before.lots.size().0, Rounding::Ceil)).max(Money::ZERO)
        };
        let surplus = now.margin - keep;
        if surplus > Money::ZERO {
            now.margin = keep;
            now.cash += surplus;
            let from = Purse::Margin(account, self.market);
            self.note(from, Purse::Cash(account), surplus, Reason::MarginRelease);
        } else if left.is_zero() {
            *now = self.cover(*now, account);
        }
    }

    /// Brings the negative margin of a closed position to zero: from the fund, then from nobody.
    pub(super) fn cover_deficit(&mut self, id: PositionId) {
        let account = self.accounts.position(id).account;
        let (now, _) = self.accounts.balances(account, id);
        let now = self.cover(now, account);
        self.accounts.set_balances(account, id, now);
    }

    #[cold]
    fn cover(&mut self, mut now: Balances, account: AccountId) -> Balances {
        let deficit = -now.margin;
        if deficit <= Money::ZERO {
            return now;
        }
        let venue = self.market_spec.venue;
        let fund_pays = self.switches.forced_liquidation && self.switches.insurance_fund;
        let fund = if fund_pays { self.ledger.fund[venue.index()] } else { Money::ZERO };
        let (paid, uncovered) = waterfall::cover(deficit, fund);
        now.margin = Money::ZERO;
        self.ledger.fund[venue.index()] -= paid;
        self.ledger.uncovered[venue.index()] -= uncovered;
        let to = Purse::Margin(account, self.market);
        self.note(Purse::Fund(venue), to, paid, Reason::FundCover);
        self.note(Purse::Uncovered(venue), to, uncovered, Reason::UncoveredLoss);
        now
    }

    /// Takes the fee of one side: from free cash, then from the margin, and no more. Cash that is set aside backs orders, and an
    /// order for coins that came to trade without all of it would leave its account below zero.
    #[inline(always)]
    fn fee(&mut self, now: &mut Balances, fill: &Fill, mode: MarginMode) {
        let account = fill.account;
        if self.liquidating == Some(account) {
            return;
        }
        let fees = self.venue_spec.fees;
        let (rate, reason) =
            if fill.taker { (fees.taker, Reason::TakerFee) } else { (fees.maker, Reason::MakerFee) };
        let fee = rate.of(Money(fill.value.0.abs()), Rounding::Ceil);
        let free = (now.cash - now.reserved).max(Money::ZERO);
        let from_cash = if mode == MarginMode::Unmargined { fee } else { fee.min(free) };
        now.cash -= from_cash;
        let venue = self.market_spec.venue;
        self.ledger.fees[venue.index()] += from_cash;
        self.note(Purse::Cash(account), Purse::Fees(venue), from_cash, reason);
        if from_cash < fee {
            let from_margin = (fee - from_cash).min(now.margin.max(Money::ZERO));
            now.margin -= from_margin;
            self.ledger.fees[venue.index()] += from_margin;
            self.note(Purse::Margin(account, self.market), Purse::Fees(venue), from_margin, reason);
        }
    }

    /// Lists an order that now rests and sets cash aside for it.
    #[inline(always)]
    fn reserve(&mut self, account: AccountId, place: Place, price: Price, qty: Qty) {
        let id = self.incoming.expect(INCOMING);
        let position = self.accounts.position(id);
        let amount = if position.mode == MarginMode::Isolated && !self.incoming_reduces {
            let notional = self.market_spec.contract.notional(price, qty);
            let free = self.accounts.free(account).max(Money::ZERO);
            initial_margin(notional, position.leverage).min(free)
        } else {
            Money::ZERO
        };
        self.orders.add(self.accounts, (account, id), place, amount);
    }

    /// Frees the cash of an order that is gone.
    #[inline(always)]
    fn release(&mut self, account: AccountId, id: PositionId, place: Place) {
        self.orders.remove(self.accounts, (account, id), place);
    }

    /// Frees the cash of the part of an order that traded or was taken back.
    #[inline(always)]
    fn shrink(&mut self, account: AccountId, id: PositionId, place: Place, from: Qty, to: Qty) {
        if to.is_zero() {
            return self.release(account, id, place);
        }
        let backing = self.orders.backing(place);
        if !backing.is_zero() {
            let keep = Money(mul_div(backing.0, to.0, from.0, Rounding::Ceil));
            self.orders.set_backing(place, keep);
            self.accounts.add_reserved(account, keep - backing);
        }
    }
}

/// Returns the cost of what is left after closing part of a position: its share of the cost, rounded down, which is in
/// the house's favour on either side since less profit is realised now.
#[inline]
pub(super) fn remaining_cost(cost: Money, lots: Position, closed: Qty) -> Money {
    let size = lots.size();
    let left = (size - closed).0;
    Money(mul_div(cost.0, left, size.0, Rounding::Floor))
}
