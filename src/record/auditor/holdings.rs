//! Positions as the records make them: lots and cost, and the profit that closing must realise.

use super::Problems;
use crate::clearing::{Contract, Purse, Reason, Transfer};
use crate::units::{AccountId, MarketId, Price, Side};
use std::collections::BTreeMap;

/// One position.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Held {
    pub(super) lots: i128,
    /// What the records say.
    pub(super) cost: i128,
    /// What it must be once all profit is realised.
    due: i128,
}

/// Lots and their value that somebody gains.
pub(super) struct Change {
    pub(super) account: AccountId,
    pub(super) market: MarketId,
    pub(super) lots: i128,
    pub(super) value: i128,
}

/// All positions.
#[derive(Clone, Debug, Default)]
pub(super) struct Holdings {
    all: BTreeMap<(AccountId, MarketId), Held>,
    /// Positions that the last trade or assignment changed.
    touched: Vec<(AccountId, MarketId)>,
}

impl Holdings {
    pub(super) fn get(&self, account: AccountId, market: MarketId) -> Held {
        self.all.get(&(account, market)).copied().unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(AccountId, MarketId), &Held)> {
        self.all.iter()
    }

    /// Returns how many lots somebody may trade on a side without increasing or flipping the position.
    pub(super) fn reducible(&self, account: AccountId, market: MarketId, side: Side) -> i128 {
        (-self.get(account, market).lots * i128::from(side.sign())).max(0)
    }

    /// Tells whether a change makes a position smaller without flipping it.
    pub(super) fn shrinks(&self, change: &Change) -> bool {
        let lots = self.get(change.account, change.market).lots;
        lots.signum() == -change.lots.signum() && lots.abs() >= change.lots.abs()
    }

    /// Moves lots and cost, and works out what cost must be left: closed lots take their share of the old cost with
    /// them, what a flip opens keeps its share of the new value, and what does not divide stays on the lower side.
    pub(super) fn change(&mut self, change: &Change) {
        let key = (change.account, change.market);
        let held = self.all.entry(key).or_default();
        let (old, new) = (held.lots, change.lots);
        let with_value = held.due.saturating_add(change.value);
        held.due = if old == 0 || new == 0 || old.signum() == new.signum() {
            with_value
        } else if new.abs() <= old.abs() {
            share(held.due, old.abs() - new.abs(), old.abs())
        } else {
            share(change.value, new.abs() - old.abs(), new.abs())
        };
        held.lots += new;
        held.cost = held.cost.saturating_add(change.value);
        self.touched.push(key);
    }

    /// Realised profit goes into cost.
    pub(super) fn realize(&mut self, transfer: &Transfer, problems: &mut Problems) {
        if transfer.reason != Reason::RealizedPnl {
            return;
        }
        let (Purse::Clearing(market), Purse::Cash(account) | Purse::Margin(account, _)) =
            (transfer.from, transfer.to)
        else {
            return;
        };
        let held = self.all.entry((account, market)).or_default();
        held.cost = held.cost.saturating_add(i128::from(transfer.amount.0));
        let is_due = self.touched.contains(&(account, market));
        problems.require(is_due, || format!("account {account} realises profit without closing anything"));
    }

    /// Checks that all profit of the last trade or assignment was realised, to the unit.
    pub(super) fn settle_up(&mut self, problems: &mut Problems) {
        for key in self.touched.drain(..) {
            let held = self.all.entry(key).or_default();
            let (cost, due) = (held.cost, held.due);
            problems.require(cost == due, || format!("account {} has cost {cost}, not {due}", key.0));
            held.due = cost;
        }
    }
}

/// Returns a part of an amount, rounded down.
fn share(amount: i128, part: i128, whole: i128) -> i128 {
    amount.saturating_mul(part).div_euclid(whole)
}

/// Returns what signed lots are worth at a price: the value of a purchase, or minus the value of a sale.
pub(super) fn position_value(contract: Contract, price: Price, lots: i128) -> i128 {
    let price = i128::from(price.0);
    match contract {
        Contract::Linear { unit } | Contract::Spot { unit } => {
            i128::from(unit).saturating_mul(price).saturating_mul(lots)
        }
        Contract::Inverse { face } => {
            let size = i128::from(face).saturating_mul(lots.abs());
            lots.signum() * (-size).div_euclid(price.max(1))
        }
    }
}
