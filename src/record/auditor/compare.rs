//! What the auditor rebuilt against the world that told it.

use super::{Auditor, Breach, Purse, holdings, money};
use crate::clearing::MarginMode;
use crate::market::Book;
use crate::units::{MarketId, Side};
use crate::world::World;
use std::collections::BTreeSet;

impl Auditor {
    /// Compares everything that was rebuilt with the world at the end of the run.
    pub(super) fn compare(&mut self, world: &World) {
        self.compare_accounts(world);
        self.compare_ledger(world);
        for market in (0..self.books.len()).map(|market| MarketId(market as u16)) {
            self.compare_market(market, world);
            self.compare_due(market, world);
        }
    }

    fn compare_accounts(&mut self, world: &World) {
        let (purses, problems) = (&self.purses, &mut self.problems);
        for (account, state) in world.accounts.iter() {
            let cash = purses.get(Purse::Cash(account));
            problems.require(cash == i128::from(state.cash.0), || {
                format!("account {account} has {} cash, not {cash}", state.cash)
            });
            let owes = state.mode == MarginMode::Isolated && cash < 0;
            problems.require(!owes, || format!("account {account} is below zero"));
        }
        let mut known = BTreeSet::new();
        for (_, position) in world.accounts.positions() {
            let key = (position.account, position.market);
            known.insert(key);
            let held = self.holdings.get(key.0, key.1);
            let ours = (held.lots, held.cost, purses.margin(key.0, key.1));
            let theirs = (position.lots.0, position.cost.0, position.margin.0);
            let theirs = (i128::from(theirs.0), i128::from(theirs.1), i128::from(theirs.2));
            problems.require(ours == theirs, || format!("account {} holds {theirs:?}, not {ours:?}", key.0));
            let is_clean = ours.0 != 0 || ours == (0, 0, 0);
            problems.require(is_clean, || format!("account {} is flat with {ours:?}", key.0));
        }
        for (key, held) in self.holdings.iter() {
            problems.require(known.contains(key), || {
                format!("the world does not know {held:?} of account {}", key.0)
            });
        }
        for (purse, balance) in purses.iter() {
            let exists = match purse {
                Purse::Cash(account) => account.index() < world.accounts.len(),
                Purse::Margin(account, market) => known.contains(&(*account, *market)),
                Purse::External
                | Purse::Clearing(_)
                | Purse::Fund(_)
                | Purse::Fees(_)
                | Purse::Uncovered(_) => true,
            };
            problems.require(exists, || format!("the world does not know the {balance} in {purse:?}"));
        }
    }

    fn compare_ledger(&mut self, world: &World) {
        let ledger = &world.ledger;
        let mut all = vec![(Purse::External, ledger.external)];
        for (index, clearing) in ledger.clearing.iter().enumerate() {
            all.push((Purse::Clearing(MarketId(index as u16)), *clearing));
        }
        for venue in self.venues() {
            let money = [
                (Purse::Fund(venue), ledger.fund[venue.index()]),
                (Purse::Fees(venue), ledger.fees[venue.index()]),
                (Purse::Uncovered(venue), ledger.uncovered[venue.index()]),
            ];
            all.extend(money.map(|(purse, money)| (purse, i128::from(money.0))));
        }
        for (purse, theirs) in all {
            let ours = self.purses.get(purse);
            self.problems.require(ours == theirs, || format!("{purse:?} is {theirs}, not {ours}"));
        }
    }

    fn compare_market(&mut self, market: MarketId, world: &World) {
        let (book, state) = (&self.books[market.index()], world.market(market));
        let problems = &mut self.problems;
        for side in [Side::Buy, Side::Sell] {
            let ours = book.orders(side).map(|(id, o)| (id, o.owner, o.price, o.qty, o.reduce_only));
            let theirs = state.book.orders(side);
            let theirs = theirs.map(|o| (o.id, o.owner, o.price.0, i128::from(o.qty.0), o.reduce_only));
            problems.require(ours.eq(theirs), || format!("the {side:?} half of market {market} differs"));
        }
        let last = state.last.map(|last| last.0);
        problems.require(book.last == last, || format!("the last price is {last:?}, not {:?}", book.last));
        let mark = world.mark(market).0;
        let initial = self.spec.markets[market.index()].initial_price.0;
        problems.require(book.mark.unwrap_or(initial) == mark, || {
            format!("the mark is {mark}, not {:?}", book.mark)
        });
        let waits = self.ids.waiting(market).filter(|id| state.stops.get(*id).is_none()).count();
        let all_wait = waits == 0 && self.ids.waiting(market).count() == state.stops.len();
        problems.require(all_wait, || format!("other stops wait in market {market}"));
        if let Some(value) = self.fundamentals[market.index()] {
            problems.require(value.to_bits() == state.fundamental.to_bits(), || {
                format!("the fundamental value is {}, not {value}", state.fundamental)
            });
        }
    }

    /// Checks that nobody in breach was passed over: a position may stay due only where nobody is left to trade with, and as long
    /// as its market is halted or its liquidation pauses.
    fn compare_due(&mut self, market: MarketId, world: &World) {
        let (book, spec) = (&self.books[market.index()], &self.spec.markets[market.index()]);
        if spec.contract.is_spot() {
            return;
        }
        let Some(mark) = book.mark.filter(|_| world.switches.forced_liquidation && world.is_open()) else {
            return;
        };
        if self.is_halted(market) {
            return;
        }
        let breach = self.spec.venues[spec.venue.index()].liquidation.breach;
        for ((account, at), held) in self.holdings.iter() {
            if *at != market || held.lots == 0 || world.accounts.get(*account).mode != MarginMode::Isolated {
                continue;
            }
            let worth = holdings::position_value(spec.contract, crate::units::Price(mark), held.lots);
            let equity = self.purses.margin(*account, market) + worth - held.cost;
            let maintenance = money::maintenance(spec.brackets.rows(), worth.abs());
            let is_due = equity < maintenance || (breach == Breach::AtOrBelow && equity == maintenance);
            let counterside = if held.lots > 0 { Side::Buy } else { Side::Sell };
            let has_counterparty =
                book.best(counterside).is_some_and(|best| self.is_in_reach(market, counterside, best));
            let may_wait = !has_counterparty || self.pauses(*account, market);
            self.problems.require(!is_due || may_wait, || {
                format!("account {account} is in breach at {mark} and passed over: {equity} < {maintenance}")
            });
        }
    }
}
