//! Liquidation as a venue carries it out: cancel, sell, fee, waterfall.
//!
//! 1. the account's orders in the market are cancelled;
//! 2. one order for the whole position goes to the book, bounded by the bankruptcy price or not; or orders for a share of it, one
//!    after another until there is a buffer again, or one only and the next after a pause;
//! 3. what traded is realised into the margin; the fee is taken from what is left of it;
//! 4. what did not trade, of a whole position or of a share, goes down the waterfall with all that is left: the fund takes it over if it can bear it, opposite positions are
//!    deleveraged, and last the rest is sold at any price;
//! 5. a closed position with less than nothing left is made good by the fund, and what the fund cannot pay is booked as
//!    uncovered loss.
//!
//! What can go wrong: the book may be empty and the waterfall too. Then the position stays open and due, and is tried
//! again after the next message.

use super::settle::remaining_cost;
use super::{Market, MarketSpec, World};
use crate::clearing::waterfall::{Standing, can_take_over, deleverage_queue, split_value};
use crate::clearing::{LiquidationStyle, OpenPosition, PositionId, Purse, Reason, Stage, liquidation};
use crate::event::{Assignment, Emit, Event, Observer};
use crate::market::{Book, NewOrder, OrderType, Owner, TimeInForce};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Rate, Rounding, Side, VenueId};

impl World {
    /// Liquidates a position, or takes a step of it, and tells whether it got smaller.
    pub(super) fn liquidate<O: Observer>(
        &mut self,
        id: PositionId,
        step: Option<Qty>,
        emit: &mut Emit<'_, O>,
    ) -> bool {
        let before = *self.accounts.position(id);
        let OpenPosition { account, market, lots, .. } = before;
        let spec = &self.spec.markets[market.index()];
        let mark = self.marks[market.index()].expect("a position is due at a mark");
        let maintenance = spec.brackets.maintenance(spec.contract.notional(mark, lots.size()));
        let equity = liquidation::equity(spec.contract, &before, mark);
        let cause = emit.cause;
        emit.cause = emit.say(Event::Liquidation { market, account, lots, mark, equity, maintenance });
        self.cancel_all(account, market, emit);

        let style = self.venue_of(market).liquidation.style;
        let step = step.unwrap_or_else(|| style.step(lots.size()));
        let is_done = match style {
            LiquidationStyle::Market | LiquidationStyle::IocToBankruptcy => {
                self.close(id, step, style, emit);
                false
            }
            LiquidationStyle::Partial { buffer, .. } => self.close_until_sound(id, step, buffer, emit),
            LiquidationStyle::Slow { .. } => self.close(id, step, style, emit),
        };
        if !is_done {
            self.pass_down(id, style, emit);
        }
        let left = self.accounts.position(id).lots;
        if left.is_zero() {
            self.close_out(id, emit);
        }
        match style {
            LiquidationStyle::Slow { pause, .. } if is_done && !left.is_zero() => {
                self.pause(id, step, emit.time + pause);
            }
            _ => self.reindex(id),
        }
        emit.say(Event::Liquidated { market, account, left });
        emit.cause = cause;
        left != lots
    }

    /// Sends one order for a part of a position and takes the fee on what traded; tells whether anything did.
    fn close<O: Observer>(
        &mut self,
        id: PositionId,
        qty: Qty,
        style: LiquidationStyle,
        emit: &mut Emit<'_, O>,
    ) -> bool {
        let before = *self.accounts.position(id);
        self.send_liquidation(id, qty, style, emit);
        self.take_liquidation_fee(id, &before, emit);
        self.accounts.position(id).lots != before.lots
    }

    /// Closes a position step by step until its equity is above maintenance by a buffer, its market is halted or nothing is
    /// left; tells whether that came to be. Each step closes a lot at least, so there is an end.
    fn close_until_sound<O: Observer>(
        &mut self,
        id: PositionId,
        step: Qty,
        buffer: Rate,
        emit: &mut Emit<'_, O>,
    ) -> bool {
        let market = self.accounts.position(id).market;
        while self.close(id, step, LiquidationStyle::IocToBankruptcy, emit) {
            self.refresh_mark(market, emit);
            let position = self.accounts.position(id);
            let MarketSpec { contract, brackets, .. } = &self.spec.markets[market.index()];
            if position.lots.is_zero()
                || liquidation::is_sound(*contract, brackets, buffer, position, self.mark(market))
                || self.is_halted(market, emit.time)
            {
                return true;
            }
        }
        false
    }

    /// Sends what the order could not close down the waterfall, and what is then left to the book at any price.
    fn pass_down<O: Observer>(&mut self, id: PositionId, style: LiquidationStyle, emit: &mut Emit<'_, O>) {
        let market = self.accounts.position(id).market;
        let mark = self.mark(market);
        let stages = self.venue_of(market).liquidation.waterfall.len();
        for stage in 0..stages {
            if self.accounts.position(id).lots.is_zero() {
                break;
            }
            match self.venue_of(market).liquidation.waterfall[stage] {
                Stage::InsuranceFund if self.switches.insurance_fund => self.take_over(id, mark, emit),
                Stage::AutoDeleverage if self.switches.adl => self.deleverage(id, mark, emit),
                Stage::InsuranceFund | Stage::AutoDeleverage => {}
            }
        }
        let left = self.accounts.position(id).lots.size();
        if style != LiquidationStyle::Market && !left.is_zero() {
            self.send_liquidation(id, left, LiquidationStyle::Market, emit);
        }
    }

    /// Cancels every order of an account in a market in the order of their ids, then the waiting ones.
    fn cancel_all<O: Observer>(&mut self, account: AccountId, market: MarketId, emit: &mut Emit<'_, O>) {
        let mut doomed = std::mem::take(&mut self.doomed);
        let Market { book, orders, .. } = self.market(market);
        let places = orders.of(&self.accounts, self.accounts.find(account, market));
        doomed.extend(places.filter_map(|place| Some((book.id(place), book.at(place)?))));
        doomed.sort_unstable();
        for (_, handle) in doomed.drain(..) {
            let (book, mut settlement) = self.settlement(market, None, Some(account), emit);
            book.cancel(handle, &mut settlement);
        }
        self.doomed = doomed;
        let stops = &mut self.markets[market.index()].stops;
        if !stops.is_empty() {
            for stop in stops.cancel_owner(Owner(account.0)) {
                emit.say(Event::StopCancelled { market, account, id: stop.order.id });
            }
        }
    }

    /// Sends one order for a part of a position.
    fn send_liquidation<O: Observer>(
        &mut self,
        id: PositionId,
        qty: Qty,
        style: LiquidationStyle,
        emit: &mut Emit<'_, O>,
    ) {
        let position = *self.accounts.position(id);
        let spec = &self.spec.markets[position.market.index()];
        let side = position.lots.side().expect("a position that is liquidated is open").opposite();
        let order_type = match style {
            LiquidationStyle::Market => OrderType::Market { worst: None },
            LiquidationStyle::IocToBankruptcy
            | LiquidationStyle::Partial { .. }
            | LiquidationStyle::Slow { .. } => {
                match liquidation::bankruptcy_price(spec.contract, &position) {
                    Some(price) => OrderType::Limit { price, tif: TimeInForce::Ioc },
                    // A long that is worth more than it owes at every price.
                    None if side == Side::Sell => OrderType::Market { worst: None },
                    // A short that owes more than it has at every price: no order can be good enough.
                    None => return,
                }
            }
        };
        let order_type = self.within_band(position.market, side, order_type);
        let order = NewOrder {
            id: self.next_order_id(),
            owner: Owner(position.account.0),
            side,
            qty: qty.min(position.lots.size()),
            order_type,
            reduce_only: true,
        };
        self.send_to_book(position.market, order, id, Some(position.account), emit);
    }

    /// Takes the liquidation fee on what the order closed, capped at what the margin can still pay. The margin that backs
    /// lots which are still open does not pay for those that are closed.
    fn take_liquidation_fee<O: Observer>(
        &mut self,
        id: PositionId,
        before: &OpenPosition,
        emit: &mut Emit<'_, O>,
    ) {
        let now = *self.accounts.position(id);
        let closed = before.lots.size() - now.lots.size();
        if closed.is_zero() {
            return;
        }
        let spec = &self.spec.markets[now.market.index()];
        let rate = self.spec.venues[spec.venue.index()].liquidation.fee;
        // Value of the closed lots at the prices they traded at: cost moved by exactly that before profit was realised,
        // and profit moved both; so value = what cost lost + what margin gained.
        let moved = (before.cost - now.cost) + (now.margin - before.margin);
        let fee = rate.of(Money(moved.0.abs()), Rounding::Ceil);
        let needed = Self::margin_of_rest(&now, before);
        let payable = (now.margin - needed).max(Money::ZERO);
        let venue = spec.venue;
        let fee = fee.min(payable);
        if !fee.is_zero() {
            let from = Purse::Margin(now.account, now.market);
            self.transfer(from, Purse::Fund(venue), fee, Reason::LiquidationFee, emit);
        }
    }

    /// Returns the share of the margin at the start that backs the lots which are still open.
    fn margin_of_rest(now: &OpenPosition, before: &OpenPosition) -> Money {
        if now.lots.is_zero() {
            return Money::ZERO;
        }
        let closed = before.lots.size() - now.lots.size();
        // Cost and margin are shared in the same way; the bankruptcy price of the rest stays that of the whole.
        let backing = before.margin - remaining_cost(before.margin, before.lots, before.lots.size() - closed);
        // A margin below zero backs nothing, and pays no fee before it is made good.
        backing.max(Money::ZERO)
    }

    /// Lets the fund take the rest of a position over at the bankruptcy price, if it can bear that at the mark.
    fn take_over<O: Observer>(&mut self, id: PositionId, mark: Price, emit: &mut Emit<'_, O>) {
        let position = *self.accounts.position(id);
        let spec = &self.spec.markets[position.market.index()];
        let venue = spec.venue;
        let at_mark = spec.contract.position_value(mark, position.lots);
        let owed = position.cost - position.margin;
        if !can_take_over(self.means_of_fund(venue), at_mark, owed) {
            return;
        }
        let fund = self.fund_accounts[venue.index()];
        let market = position.market;
        self.assign(Assignment::Takeover, market, position.account, fund, position.lots, owed, emit);
        debug_assert!(self.accounts.lots(position.account, market).is_zero());
        self.sweep_fund(venue, emit);
    }

    /// Brings what the fund's account made or lost with positions into the fund itself, as far as the fund has it.
    pub(super) fn sweep_fund<O: Observer>(&mut self, venue: VenueId, emit: &mut Emit<'_, O>) {
        let account = Purse::Cash(self.fund_accounts[venue.index()]);
        let cash = self.accounts.cash(self.fund_accounts[venue.index()]);
        let owed = (-cash).min(self.ledger.fund[venue.index()]);
        if cash > Money::ZERO {
            self.transfer(account, Purse::Fund(venue), cash, Reason::FundTrading, emit);
        } else if owed > Money::ZERO {
            self.transfer(Purse::Fund(venue), account, owed, Reason::FundTrading, emit);
        }
    }

    /// Returns what a fund could lose: its balance, with what came of the positions that it took over and what those that it
    /// still has are worth at their marks. The same balance cannot bear two positions.
    fn means_of_fund(&self, venue: VenueId) -> Money {
        let account = self.fund_accounts[venue.index()];
        let markets = (0..self.markets.len()).map(|market| MarketId(market as u16));
        let unrealized = markets.filter_map(|market| {
            let position = self.accounts.position(self.accounts.find(account, market)?);
            let contract = self.spec.markets[market.index()].contract;
            Some(contract.position_value(self.mark(market), position.lots) - position.cost)
        });
        self.ledger.fund[venue.index()] + self.accounts.get(account).cash + unrealized.sum::<Money>()
    }

    /// Reduces opposite positions against a bankrupt one at its bankruptcy price, by rank.
    fn deleverage<O: Observer>(&mut self, id: PositionId, mark: Price, emit: &mut Emit<'_, O>) {
        let position = *self.accounts.position(id);
        let market = position.market;
        let spec = &self.spec.markets[market.index()];
        let fund = self.fund_accounts[spec.venue.index()];
        let rank = self.spec.venues[spec.venue.index()].liquidation.rank;
        let (ids, candidates): (Vec<_>, Vec<_>) = self
            .accounts
            .positions()
            .filter(|(_, other)| other.market == market && other.account != fund)
            .filter(|(_, other)| other.lots.0.signum() == -position.lots.0.signum())
            .map(|(other, state)| {
                (other, (state.lots.size(), self.standing(spec, other, state, mark).score(rank)))
            })
            .unzip();
        let chosen = deleverage_queue(&candidates, position.lots.size());
        let parts: Vec<Qty> = chosen.iter().map(|(_, qty)| *qty).collect();
        if parts.is_empty() {
            return;
        }
        let owed = position.cost - position.margin;
        let total: Qty = parts.iter().copied().sum();
        // Opposite positions always suffice, since contracts sum to zero, unless the fund holds some of them.
        let owed = owed - remaining_cost(owed, position.lots, total);
        for ((index, qty), value) in chosen.into_iter().zip(split_value(owed, &parts)) {
            let other = ids[index];
            let lots = Position(qty.0 * position.lots.0.signum());
            let to = self.accounts.position(other).account;
            self.cancel_all(to, market, emit);
            self.assign(Assignment::Deleverage, market, position.account, to, lots, value, emit);
        }
    }

    /// Returns what the deleveraging rank of a position is made from.
    fn standing(&self, spec: &MarketSpec, id: PositionId, position: &OpenPosition, mark: Price) -> Standing {
        let unrealized = spec.contract.position_value(mark, position.lots) - position.cost;
        Standing {
            unrealized,
            entry_value: Money(position.cost.0.abs()),
            notional: spec.contract.notional(mark, position.lots.size()),
            equity: self.equity(id),
            maintenance: spec.brackets.maintenance(spec.contract.notional(mark, position.lots.size())),
        }
    }

    /// Ends a liquidation that closed the position: a deficit is made good, a surplus goes back to the account.
    fn close_out<O: Observer>(&mut self, id: PositionId, emit: &mut Emit<'_, O>) {
        let position = *self.accounts.position(id);
        if position.margin > Money::ZERO {
            let (from, to) =
                (Purse::Margin(position.account, position.market), Purse::Cash(position.account));
            self.transfer(from, to, position.margin, Reason::MarginRelease, emit);
        } else {
            let (_, mut settlement) = self.settlement(position.market, None, None, emit);
            settlement.cover_deficit(id);
        }
    }
}
