//! Accounts and positions: who has what. Sparse: an account costs what it holds, and nothing while it is idle.

use super::LiquidationTrigger;
use crate::units::{AccountId, AgentId, MarketId, Money, Position, Price, VenueId};

/// How an account's positions are backed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarginMode {
    /// Each position has its own margin and can lose no more than that.
    Isolated,
    /// A participant whose solvency is not in question here (background flow, makers, hedgers): no margin is asked for,
    /// and cash may run negative as credit, which the summary reports.
    Unmargined,
}

/// One account at one venue, settled in the venue's asset.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub struct Account {
    /// Where it is.
    pub venue: VenueId,
    /// Whose it is.
    pub owner: AgentId,
    /// How its positions are backed.
    pub mode: MarginMode,
    /// Free balance, reserved part included.
    pub cash: Money,
    /// Part of the cash that backs resting orders.
    pub reserved: Money,
    first: u32,
}

impl Account {
    /// Returns the cash that neither margin nor resting orders use.
    pub fn free(&self) -> Money {
        self.cash - self.reserved
    }
}

/// The place of a position, stable for the whole run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PositionId(pub u32);

/// A position of one account in one market, in one line of cache. `(cash, cost, lots)` are the truth; an average entry price is derived.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct OpenPosition {
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub market: MarketId,
    /// Signed size.
    pub lots: Position,
    /// What the lots cost, signed: value paid for a long, minus the value received for a short.
    pub cost: Money,
    /// Isolated margin.
    pub margin: Money,
    /// Leverage it was opened with.
    pub leverage: u16,
    /// The mark at which it is liquidated (see `liquidation::trigger`), or `None`.
    pub trigger: Option<LiquidationTrigger>,
    /// Head of the list of its resting orders, in the terms of whoever keeps it.
    first_order: u32,
    next: u32,
}

impl OpenPosition {
    /// Tells whether the position is below its maintenance margin at a mark, by its trigger.
    pub fn is_due(&self, mark: Price) -> bool {
        self.trigger.is_some_and(|trigger| trigger.is_reached(mark))
    }
}

const NONE: u32 = u32::MAX;

/// An account with one position takes a line and a half.
const _: () = assert!(size_of::<OpenPosition>() == 64 && size_of::<Account>() == 32);

/// Sums over all accounts, kept as they change so that conservation can be asserted after every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountTotals {
    /// Sum of cash.
    pub cash: i128,
    /// Sum of isolated margin.
    pub margin: i128,
    /// Sums over the positions of each market.
    pub markets: Vec<PositionTotals>,
}

/// Sums over the positions of one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionTotals {
    /// Sum of cost.
    pub cost: i128,
    /// Sum of lots: 0 whenever no trade is half done.
    pub lots: i128,
    /// Sum of long lots: the open interest.
    pub long_lots: i128,
}

/// All accounts and positions of a world.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    all: Vec<Account>,
    positions: Vec<OpenPosition>,
    totals: AccountTotals,
}

impl Accounts {
    /// Makes an empty set for a number of markets.
    pub fn new(markets: usize) -> Self {
        let totals =
            AccountTotals { markets: vec![PositionTotals::default(); markets], ..AccountTotals::default() };
        Self { totals, ..Self::default() }
    }

    /// Opens an account without money.
    pub fn open(&mut self, venue: VenueId, owner: AgentId, mode: MarginMode) -> AccountId {
        let id = AccountId(self.all.len() as u32);
        self.all.push(Account { venue, owner, mode, cash: Money::ZERO, reserved: Money::ZERO, first: NONE });
        id
    }

    /// Returns how many accounts there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Tells whether there is no account.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns an account.
    pub fn get(&self, id: AccountId) -> &Account {
        &self.all[id.index()]
    }

    /// Iterates over all accounts in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.all.iter().enumerate().map(|(index, account)| (AccountId(index as u32), account))
    }

    /// Returns the totals.
    pub fn totals(&self) -> &AccountTotals {
        &self.totals
    }

    /// Adds to an account's cash.
    pub fn add_cash(&mut self, id: AccountId, amount: Money) {
        self.all[id.index()].cash += amount;
        self.totals.cash += i128::from(amount.0);
    }

    /// Adds to the part of the cash that backs resting orders.
    pub fn add_reserved(&mut self, id: AccountId, amount: Money) {
        let account = &mut self.all[id.index()];
        account.reserved += amount;
        debug_assert!(account.reserved >= Money::ZERO, "released more than was reserved");
    }

    /// Finds the position of an account in a market, flat ones included.
    pub fn find(&self, account: AccountId, market: MarketId) -> Option<PositionId> {
        let mut at = self.all[account.index()].first;
        while at != NONE {
            let position = &self.positions[at as usize];
            if position.market == market {
                return Some(PositionId(at));
            }
            at = position.next;
        }
        None
    }

    /// Finds the position of an account in a market or makes a flat one.
    pub fn find_or_open(&mut self, account: AccountId, market: MarketId) -> PositionId {
        self.find(account, market).unwrap_or_else(|| {
            let at = self.positions.len() as u32;
            let holder = &mut self.all[account.index()];
            self.positions.push(OpenPosition {
                account,
                market,
                lots: Position::ZERO,
                cost: Money::ZERO,
                margin: Money::ZERO,
                leverage: 1,
                trigger: None,
                first_order: NONE,
                next: holder.first,
            });
            holder.first = at;
            PositionId(at)
        })
    }

    /// Returns a position.
    pub fn position(&self, id: PositionId) -> &OpenPosition {
        &self.positions[id.0 as usize]
    }

    /// Iterates over all positions, flat ones included, in the order in which they were opened.
    pub fn positions(&self) -> impl Iterator<Item = (PositionId, &OpenPosition)> {
        self.positions.iter().enumerate().map(|(index, position)| (PositionId(index as u32), position))
    }

    /// Returns the signed size of an account's position in a market.
    pub fn lots(&self, account: AccountId, market: MarketId) -> Position {
        self.find(account, market).map_or(Position::ZERO, |id| self.position(id).lots)
    }

    /// Adds lots and cost to a position, as a trade does.
    #[inline]
    pub fn add_lots(&mut self, id: PositionId, lots: Position, cost: Money) {
        let position = &mut self.positions[id.0 as usize];
        let totals = &mut self.totals.markets[position.market.index()];
        let before = position.lots.0.max(0);
        position.lots += lots;
        position.cost += cost;
        totals.long_lots += i128::from(position.lots.0.max(0) - before);
        totals.lots += i128::from(lots.0);
        totals.cost += i128::from(cost.0);
    }

    /// Adds to a position's cost alone, as realising profit does.
    pub fn add_cost(&mut self, id: PositionId, cost: Money) {
        let position = &mut self.positions[id.0 as usize];
        position.cost += cost;
        self.totals.markets[position.market.index()].cost += i128::from(cost.0);
    }

    /// Adds to a position's isolated margin.
    pub fn add_margin(&mut self, id: PositionId, amount: Money) {
        self.positions[id.0 as usize].margin += amount;
        self.totals.margin += i128::from(amount.0);
    }

    /// Returns the head of the list of a position's resting orders.
    pub fn first_order(&self, id: PositionId) -> Option<u32> {
        let first = self.positions[id.0 as usize].first_order;
        (first != NONE).then_some(first)
    }

    /// Sets the head of the list of a position's resting orders.
    pub fn set_first_order(&mut self, id: PositionId, first: Option<u32>) {
        self.positions[id.0 as usize].first_order = first.unwrap_or(NONE);
    }

    /// Sets the leverage that further lots are opened with.
    pub fn set_leverage(&mut self, id: PositionId, leverage: u16) {
        self.positions[id.0 as usize].leverage = leverage;
    }

    /// Keeps the trigger that the index holds for a position.
    pub fn set_trigger(&mut self, id: PositionId, trigger: Option<LiquidationTrigger>) {
        self.positions[id.0 as usize].trigger = trigger;
    }

    /// Sums everything anew; what `totals` must equal.
    pub fn recount(&self) -> AccountTotals {
        let mut totals = Self::new(self.totals.markets.len()).totals;
        totals.cash = self.all.iter().map(|account| i128::from(account.cash.0)).sum();
        for position in &self.positions {
            let market = &mut totals.markets[position.market.index()];
            totals.margin += i128::from(position.margin.0);
            market.cost += i128::from(position.cost.0);
            market.lots += i128::from(position.lots.0);
            market.long_lots += i128::from(position.lots.0.max(0));
        }
        totals
    }
}
