//! Money, contracts and the variation pool are conserved to the last unit: what is asserted, and from which sums.

use super::{Market, World, placing};
use crate::clearing::{AccountTotals, LiquidationIndex, MarginMode};
use crate::market::{Book, Owner};
use crate::units::{MarketId, Money};

impl World {
    /// Asserts that nothing was created or lost, from running sums: constant time where debug assertions are, and those are
    /// kept; elsewhere by a recount.
    ///
    /// # Panics
    /// Panics if money, contracts or the variation pool are not conserved to the last unit, or a fund is negative.
    pub fn assert_conserved(&self) {
        match self.accounts.totals() {
            Some(totals) => self.assert_totals(totals),
            None => self.assert_totals(&self.accounts.recount().0),
        }
    }

    /// Asserts the same after summing everything anew, and that the running sums were right: linear in accounts.
    ///
    /// # Panics
    /// Panics as `assert_conserved` does, if an isolated account is below zero without a loss booked, if the liquidation
    /// index has a position where a mark could pass its trigger before it (liquidations that pause aside), or if the reserved cash is not that of the open orders.
    pub fn assert_conserved_in_full(&self) {
        let (totals, long_lots) = self.accounts.recount();
        assert!(self.accounts.totals().is_none_or(|kept| *kept == totals), "running sums equal a recount");
        let kept = (0..self.markets.len()).map(|market| self.open_interest(MarketId(market as u16)));
        assert!(kept.eq(long_lots), "open interest equals a recount");
        self.assert_totals(&totals);
        let mut reserved = vec![Money::ZERO; self.accounts.len()];
        let mut listed = vec![0; self.markets.len()];
        for (id, position) in self.accounts.positions() {
            let Market { book, orders, .. } = self.market(position.market);
            let count = orders.of(&self.accounts, Some(id)).count();
            assert!(
                self.accounts.orders(id).is_none_or(|orders| usize::from(orders) == count),
                "{position:?}"
            );
            for place in orders.of(&self.accounts, Some(id)) {
                let order = book.at(place).and_then(|handle| book.get(handle));
                assert_eq!(order.map(|order| order.owner), Some(Owner(position.account.0)), "{place:?}");
                reserved[position.account.index()] += orders.backing(place);
                listed[position.market.index()] += 1;
            }
        }
        let resting: Vec<usize> = self.markets.iter().map(|market| market.book.len()).collect();
        assert_eq!(listed, resting, "every resting order is in its position's list");
        for (id, account) in self.accounts.iter() {
            assert_eq!(account.reserved, reserved[id.index()], "account {id}");
            assert!(account.mode != MarginMode::Isolated || account.cash >= Money::ZERO, "account {id} owes");
        }
        let triggers = self.accounts.positions().filter(|(_, position)| position.bound().is_some());
        assert_eq!(self.triggers.len(), triggers.count(), "the index holds every bound");
        for (id, position) in self.accounts.positions() {
            let is_clean = (position.cost, position.margin) == (Money::ZERO, Money::ZERO);
            assert!(
                !position.lots.is_zero() || is_clean,
                "a flat position owes and owns nothing: {position:?}"
            );
            if position.mode == MarginMode::Isolated && !self.pauses.has(id) {
                let (market, venue) = self.spec.of(position.market);
                let trigger = placing::trigger(market, venue, position);
                let is_guarded = trigger.is_none_or(|trigger| {
                    position
                        .bound()
                        .is_some_and(|bound| bound.side == trigger.side && bound.is_reached(trigger.tick))
                });
                assert!(is_guarded, "position {id:?} has a trigger at {trigger:?}: {position:?}");
            }
        }
    }

    fn assert_totals(&self, totals: &AccountTotals) {
        for (market, pool) in self.ledger.clearing.iter().enumerate() {
            assert_eq!(totals.markets[market].lots, 0, "contracts of market {market} sum to zero");
            assert_eq!(
                *pool, -totals.markets[market].cost,
                "the variation pool of market {market} mirrors all costs"
            );
        }
        let inside = totals.cash + totals.margin + self.ledger.inside();
        assert_eq!(inside, -self.ledger.external, "money inside equals money paid in");
        assert!(self.ledger.fund.iter().all(|fund| *fund >= Money::ZERO), "a fund is never negative");
    }
}
