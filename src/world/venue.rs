//! A venue at work: requests in, orders to the book or refusals out, then marks, stops and liquidations until nothing is due.
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as what these do, and each is called from one place that matters"
)]

use super::admission::Admission;
use super::settle::{Desk, Settlement};
use super::{MarkRule, Market, Order, Request, Trigger, World};
use crate::clearing::PositionId;
use crate::event::{Emit, Event, Observer};
use crate::market::{Book, NewOrder, OrderType, Owner, Place, StopOrder, TimeInForce, TriggerSource};
use crate::units::{AccountId, MarketId, Money, OrderId, Price, Qty, Side, Time, VenueId};

impl World {
    /// Works one request off, with everything that follows from it at this moment.
    pub fn execute<O: Observer>(&mut self, request: Request, emit: &mut Emit<'_, O>) {
        self.work_off(&request, emit);
    }

    /// Works requests off one after the other.
    #[inline(never)]
    pub(crate) fn work_off_all<O: Observer>(&mut self, requests: &[Request], emit: &mut Emit<'_, O>) {
        for request in requests {
            self.work_off(request, emit);
        }
    }

    /// Works one request off where it lies.
    #[inline(always)]
    pub(crate) fn work_off<O: Observer>(&mut self, request: &Request, emit: &mut Emit<'_, O>) {
        let market = match *request {
            Request::Submit(ref order) => {
                self.submit(order, emit);
                // The funds' accounts are the first ones.
                if order.account.index() < self.fund_accounts.len() {
                    self.sweep_fund(VenueId(order.account.0 as u16), emit);
                }
                order.market
            }
            Request::Cancel { account, market, id, place } => {
                self.cancel(account, market, (id, place), emit);
                market
            }
            Request::TopUp { account, market, amount } => {
                self.top_up(account, market, amount, emit);
                market
            }
            Request::Amend { account, market, id, price, qty } => {
                self.amend(account, market, id, (price, qty), emit);
                market
            }
        };
        self.settle_down(market, emit);
    }

    /// Works a new order off: where a market has bands or halts, what is left of it.
    #[inline(always)]
    fn submit<O: Observer>(&mut self, order: &Order, emit: &mut Emit<'_, O>) {
        if self.guards_orders {
            return self.submit_guarded(order, emit);
        }
        self.submit_freely(order, emit);
    }

    #[inline(never)]
    fn submit_guarded<O: Observer>(&mut self, order: &Order, emit: &mut Emit<'_, O>) {
        match self.guard(order, emit.time) {
            Ok(order) => self.submit_freely(&order, emit),
            Err(reason) => {
                let (market, account, id) = (order.market, order.account, order.id);
                emit.say(Event::Refused { market, account, id, reason });
            }
        }
    }

    /// Checks margin, then hands an order to the book or to the stops.
    #[inline(always)]
    fn submit_freely<O: Observer>(&mut self, order: &Order, emit: &mut Emit<'_, O>) {
        let Admission { position, is_flat, backing } = match self.admit(order, Money::ZERO) {
            Ok(admission) => admission,
            Err(reason) => {
                let (market, account, id) = (order.market, order.account, order.id);
                emit.say(Event::Refused { market, account, id, reason });
                return;
            }
        };
        let position = position.unwrap_or_else(|| self.accounts.find_or_open(order.account, order.market));
        if is_flat {
            self.choose_leverage(order, position);
        }
        // Most orders come to rest without a trade.
        if let Some(backing) = backing
            && order.trigger.is_none()
        {
            let (book, mut desk) = self.desk(order.market, position, backing, emit);
            if book.quote(order.for_book(), &mut desk) {
                return;
            }
        }
        self.submit_other(order, position, emit);
    }

    /// Hands an order that may trade to the book, or one that waits to the stops.
    #[inline(never)]
    fn submit_other<O: Observer>(&mut self, order: &Order, position: PositionId, emit: &mut Emit<'_, O>) {
        let to_book = order.for_book();
        let Some(trigger) = order.trigger else {
            let is_spot = self.spec.markets[order.market.index()].contract.is_spot();
            let to_book =
                if is_spot { NewOrder { order_type: self.affordable(order), ..to_book } } else { to_book };
            return self.send_to_book(order.market, to_book, position, None, emit);
        };
        let Trigger { price, when, source } = trigger;
        let stop = StopOrder { order: to_book, trigger: price, when, source };
        match self.markets[order.market.index()].stops.add(stop) {
            Ok(()) => {
                emit.say(Event::StopPlaced { market: order.market, account: order.account, id: order.id });
            }
            Err(reason) => {
                let event = crate::market::BookEvent::Rejected {
                    id: order.id,
                    owner: Owner(order.account.0),
                    reason,
                };
                emit.say(Event::Book { market: order.market, event });
            }
        }
    }

    /// Changes a resting order. One that would lose its place is a new order, and refused like one if the account could not
    /// back it; the order that rests then stays as it is. An order that is gone or somebody else's is left alone.
    #[inline(never)]
    fn amend<O: Observer>(
        &mut self,
        account: AccountId,
        market: MarketId,
        id: OrderId,
        (mut price, qty): (Price, Qty),
        emit: &mut Emit<'_, O>,
    ) {
        let book = &self.market(market).book;
        let Some(handle) = book.find(id) else { return };
        let Some(old) = book.get(handle).filter(|order| order.owner == Owner(account.0)) else { return };
        let position = self.accounts.find(account, market);
        if price != old.price || qty >= old.qty {
            let order = Order {
                account,
                market,
                id,
                side: old.side,
                qty,
                order_type: OrderType::Limit { price, tif: TimeInForce::Gtc },
                reduce_only: old.reduce_only,
                leverage: position.map_or(1, |id| self.accounts.position(id).leverage),
                trigger: None,
            };
            let freed = self.market(market).orders.backing(handle.place());
            let guarded = if self.guards_orders { self.guard(&order, emit.time) } else { Ok(order) };
            match guarded.and_then(|order| self.admit(&order, freed).map(|_| order.order_type)) {
                Ok(OrderType::Limit { price: within, .. }) => price = within,
                Ok(OrderType::Market { .. }) => {}
                Err(reason) => {
                    emit.say(Event::Refused { market, account, id, reason });
                    return;
                }
            }
        }
        let (book, mut settlement) = self.settlement(market, position, None, emit);
        book.amend(handle, price, qty, &mut settlement);
    }

    /// Takes a resting or waiting order back; an order that is gone or somebody else's is left alone without a word.
    #[inline(always)]
    fn cancel<O: Observer>(
        &mut self,
        account: AccountId,
        market: MarketId,
        (id, place): (OrderId, Place),
        emit: &mut Emit<'_, O>,
    ) {
        let Some(position) = self.accounts.find(account, market) else {
            return self.cancel_stop(account, market, id, emit);
        };
        let (book, mut desk) = self.desk(market, position, Money::ZERO, emit);
        if !book.cancel_at(id, Owner(account.0), place, &mut desk) {
            self.cancel_elsewhere(account, market, id, emit);
        }
    }

    /// Takes back an order that is not where it was seen.
    #[inline(never)]
    fn cancel_elsewhere<O: Observer>(
        &mut self,
        account: AccountId,
        market: MarketId,
        id: OrderId,
        emit: &mut Emit<'_, O>,
    ) {
        let state = &mut self.markets[market.index()];
        let Some(handle) = state.book.find(id) else {
            return self.cancel_stop(account, market, id, emit);
        };
        if state.book.get(handle).is_some_and(|order| order.owner == Owner(account.0)) {
            let (book, mut settlement) = self.settlement(market, None, None, emit);
            book.cancel(handle, &mut settlement);
        }
    }

    /// Takes back an order that waits.
    #[inline(never)]
    fn cancel_stop<O: Observer>(
        &mut self,
        account: AccountId,
        market: MarketId,
        id: OrderId,
        emit: &mut Emit<'_, O>,
    ) {
        let stops = &mut self.markets[market.index()].stops;
        if stops.get(id).is_some_and(|stop| stop.order.owner == Owner(account.0)) {
            stops.cancel(id);
            emit.say(Event::StopCancelled { market, account, id });
        }
    }

    /// Borrows a book and, apart from it, what an order touches that comes to rest or goes.
    #[inline(always)]
    fn desk<'w, 'o, O: Observer>(
        &'w mut self,
        market: MarketId,
        position: PositionId,
        backing: Money,
        emit: &'w mut Emit<'o, O>,
    ) -> (&'w mut super::MarketBook, Desk<'w, 'o, O>) {
        let Market { book, orders, .. } = &mut self.markets[market.index()];
        let (accounts, last_change) = (&mut self.accounts, &mut self.last_change);
        (book, Desk { market, position, backing, accounts, orders, last_change, emit })
    }

    /// Hands an order to the book and settles what trades.
    #[inline(always)]
    pub(super) fn send_to_book<O: Observer>(
        &mut self,
        market: MarketId,
        order: NewOrder,
        position: PositionId,
        liquidating: Option<AccountId>,
        emit: &mut Emit<'_, O>,
    ) {
        let (book, mut settlement) = self.settlement(market, Some(position), liquidating, emit);
        book.submit(order, &mut settlement);
    }

    /// Borrows a book and, apart from it, everything that its trades touch.
    #[inline(always)]
    pub(super) fn settlement<'w, 'o, O: Observer>(
        &'w mut self,
        market: MarketId,
        incoming: Option<PositionId>,
        liquidating: Option<AccountId>,
        emit: &'w mut Emit<'o, O>,
    ) -> (&'w mut super::MarketBook, Settlement<'w, 'o, O>) {
        let state = &mut self.markets[market.index()];
        let (market_spec, venue_spec) = self.spec.of(market);
        let settlement = Settlement {
            market,
            market_spec,
            venue_spec,
            accounts: &mut self.accounts,
            ledger: &mut self.ledger,
            triggers: &mut self.triggers,
            orders: &mut state.orders,
            notices: &mut self.notices,
            last: &mut state.last,
            marks: &self.marks,
            last_change: &mut self.last_change,
            incoming,
            liquidating,
            incoming_reduces: false,
            switches: self.switches,
            emit,
        };
        (&mut state.book, settlement)
    }

    /// Reads the mark anew, then lets stops and liquidations go one at a time until nothing is due.
    #[inline(always)]
    pub(super) fn settle_down<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        // After most messages neither touch nor last trade has moved, nothing waits or has waited long enough, and nothing is due.
        let state = &self.markets[market.index()];
        let is_calm = state.quotes == Some(state.quotes_now(self.spec.markets[market.index()].mark))
            && !state.has_waiting()
            && !self.triggers.is_stirred()
            && !self.pauses.are_due(emit.time);
        if !is_calm {
            self.work_out(market, emit);
        }
    }

    /// Settles a market down in which something has moved or waits.
    #[inline(never)]
    fn work_out<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        let cause = emit.cause;
        self.refresh_mark(market, emit);
        let may_go = self.markets[market.index()].has_waiting()
            || (self.switches.forced_liquidation
                && (self.triggers.is_due(&self.marks) || self.pauses.are_due(emit.time)));
        if self.opened && may_go {
            self.let_go(market, emit);
        }
        emit.cause = cause;
    }

    /// Lets stops and liquidations go one at a time, with the mark read anew after each, until nothing is due.
    #[inline(never)]
    fn let_go<O: Observer>(&mut self, mut market: MarketId, emit: &mut Emit<'_, O>) {
        let mut passed_over = Vec::new();
        loop {
            self.refresh_mark(market, emit);
            if self.fire_stop(market, emit) || self.lead_followers(market, emit) {
                // It may rest, and so be whom those who were passed over had been missing.
                passed_over.clear();
                continue;
            }
            if !self.switches.forced_liquidation {
                break;
            }
            if emit.time < self.halted_until {
                self.pass_over_halted(emit.time, &mut passed_over);
            }
            let next = self.next_step(emit.time).map(|(due, step)| (due, Some(step)));
            let next = next.or_else(|| self.next_due(&passed_over).map(|due| (due, None)));
            let Some((due, step)) = next else { break };
            let position = self.accounts.position(due);
            let side = position.lots.side().expect("a position that is due is open");
            // It may be another market's, whose mark then moves and whose stops go.
            market = position.market;
            // Where nobody is left to trade with, its side of the market stays due and the next message tries again.
            if !self.liquidate(due, step, emit) {
                passed_over.push((market, side));
            }
        }
    }

    /// Leaves the positions of halted markets where they wait.
    fn pass_over_halted(&self, now: Time, passed_over: &mut Vec<(MarketId, Side)>) {
        for market in (0..self.markets.len() as u16).map(MarketId) {
            if self.is_halted(market, now) && !passed_over.contains(&(market, Side::Buy)) {
                passed_over.extend([(market, Side::Buy), (market, Side::Sell)]);
            }
        }
    }

    /// Reads the marks of the markets whose index this one is anew and sends one of their stops, if one is due.
    #[inline]
    fn lead_followers<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) -> bool {
        for index in 0..self.markets[market.index()].followers.len() {
            let follower = self.markets[market.index()].followers[index];
            self.refresh_mark(follower, emit);
            if self.fire_stop(follower, emit) {
                return true;
            }
        }
        false
    }

    /// Reads the mark anew and says so if it moved; a rule that has nothing to go by keeps the mark.
    pub(super) fn refresh_mark<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) {
        let rule = self.spec.markets[market.index()].mark;
        let state = &mut self.markets[market.index()];
        let quotes = Some(state.quotes_now(rule));
        if rule == MarkRule::Index {
            return self.refresh_index_mark(market, emit);
        }
        if state.quotes == quotes {
            return;
        }
        state.quotes = quotes;
        let (bid, ask, last) = (state.book.best(Side::Buy), state.book.best(Side::Sell), state.last);
        let mark = match rule {
            MarkRule::BestBid => bid,
            MarkRule::Last | MarkRule::Index => last,
            MarkRule::Median => match (bid, ask, last) {
                (Some(bid), Some(ask), Some(last)) => Some(last.clamp(bid, ask)),
                (Some(bid), Some(ask), None) => Some(Price((bid.0 + ask.0).div_euclid(2))),
                // With a half of the book empty the median of what is left is the last trade or nothing.
                (_, _, last) => last,
            },
        };
        if let Some(mark) = mark.filter(|mark| self.marks[market.index()] != Some(*mark)) {
            let from = self.set_mark(market, mark);
            emit.cause = self.last_change;
            emit.cause = emit.say(Event::Mark { market, mark, bid, ask, last });
            self.watch_mark(market, from, mark, emit);
        }
    }

    /// Keeps a mark that has moved and returns what it was.
    pub(super) fn set_mark(&mut self, market: MarketId, mark: Price) -> Option<Price> {
        self.triggers.stir();
        self.marks[market.index()].replace(mark)
    }

    /// Sends the stop order that is due first, if there is one.
    #[inline(never)]
    fn fire_stop<O: Observer>(&mut self, market: MarketId, emit: &mut Emit<'_, O>) -> bool {
        let state = &mut self.markets[market.index()];
        if state.stops.is_empty() || state.breaker.is_halted(emit.time) {
            return false;
        }
        let by_mark =
            self.marks[market.index()].and_then(|mark| state.stops.pop_triggered(TriggerSource::Mark, mark));
        let due = by_mark
            .or_else(|| state.last.and_then(|last| state.stops.pop_triggered(TriggerSource::Last, last)));
        let Some(stop) = due else { return false };
        let account = AccountId(stop.order.owner.0);
        let cause = emit.cause;
        emit.cause = emit.say(Event::StopTriggered { market, account, id: stop.order.id });
        let order = Order {
            account,
            market,
            id: stop.order.id,
            side: stop.order.side,
            qty: stop.order.qty,
            order_type: stop.order.order_type,
            reduce_only: stop.order.reduce_only,
            leverage: self.accounts.find(account, market).map_or(1, |id| self.accounts.position(id).leverage),
            trigger: None,
        };
        self.submit(&order, emit);
        emit.cause = cause;
        true
    }
}
