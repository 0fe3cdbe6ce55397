//! Accounts and positions: who has what. Sparse: an account costs what it holds, and nothing while it is idle.
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as what these do, and each is called from one place that matters"
)]

mod position;

pub use position::{OpenPosition, PositionId};

use super::LiquidationTrigger;
use crate::units::{AccountId, AgentId, MarketId, Money, Position, VenueId};
use prefetch_index::prefetch_index;

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
}

impl Account {
    /// Returns the cash that neither margin nor resting orders use.
    pub fn free(&self) -> Money {
        self.cash - self.reserved
    }
}

const NONE: u32 = u32::MAX;

/// Where a position is that was not opened yet.
const NOWHERE: MarketId = MarketId(u16::MAX);

/// What trading reads and writes of an account: one line of cache, with the first position in it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    cash: Money,
    reserved: Money,
    position: OpenPosition,
}

const _: () = assert!(size_of::<Line>() == 64);

/// What trading does not ask for.
#[derive(Clone, Copy, Debug)]
struct Holder {
    venue: VenueId,
    owner: AgentId,
    /// The further position that was opened last, or `NONE`.
    more: u32,
}

/// What settling a trade changes of one side: read once, written once.
#[derive(Clone, Copy, Debug)]
pub struct Balances {
    /// Free balance, reserved part included.
    pub cash: Money,
    /// Part of the cash that backs resting orders, which settling does not change.
    pub reserved: Money,
    /// Signed size.
    pub lots: Position,
    /// What the lots cost, signed.
    pub cost: Money,
    /// Isolated margin.
    pub margin: Money,
}

/// What a margin check reads of an account and its position in a market: at once, since it is one line of cache.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// How its positions are backed.
    pub mode: MarginMode,
    /// The cash that neither margin nor resting orders use.
    pub free: Money,
    /// The position, if it was opened; it may be flat.
    pub position: Option<(PositionId, &'a OpenPosition)>,
}

/// A position after the first one of an account.
#[derive(Clone, Copy, Debug)]
struct Further {
    position: OpenPosition,
    next: u32,
}

/// Sums over all accounts, kept as they change where conservation is asserted after every event: where debug assertions are.
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
}

impl PositionTotals {
    fn add(&mut self, lots: Position, cost: Money) {
        self.lots += i128::from(lots.0);
        self.cost += i128::from(cost.0);
    }
}

/// Whether sums are kept as they change.
const SUMMED: bool = cfg!(debug_assertions);

/// All accounts and positions of a world.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    lines: Vec<Line>,
    holders: Vec<Holder>,
    more: Vec<Further>,
    totals: AccountTotals,
    /// Sum of long lots by market.
    long_lots: Vec<i128>,
}

impl Accounts {
    /// Makes an empty set for a number of markets.
    pub fn new(markets: usize) -> Self {
        let totals =
            AccountTotals { markets: vec![PositionTotals::default(); markets], ..AccountTotals::default() };
        Self { totals, long_lots: vec![0; markets], ..Self::default() }
    }

    /// Opens an account without money.
    pub fn open(&mut self, venue: VenueId, owner: AgentId, mode: MarginMode) -> AccountId {
        let id = AccountId(self.lines.len() as u32);
        let position = OpenPosition::flat(id, NOWHERE, mode, true);
        self.lines.push(Line { cash: Money::ZERO, reserved: Money::ZERO, position });
        self.holders.push(Holder { venue, owner, more: NONE });
        id
    }

    /// Returns how many accounts there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Tells whether there is no account.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the bytes that accounts and positions take.
    pub fn memory(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
            + self.holders.capacity() * size_of::<Holder>()
            + self.more.capacity() * size_of::<Further>()
    }

    /// Has what trading reads of an account fetched into the cache: it will be asked for soon.
    #[inline(always)]
    pub fn fetch(&self, id: AccountId) {
        prefetch_index(&self.lines, id.index());
    }

    /// Returns an account.
    #[inline]
    pub fn get(&self, id: AccountId) -> Account {
        let Line { cash, reserved, position: OpenPosition { mode, .. } } = self.lines[id.index()];
        let Holder { venue, owner, .. } = self.holders[id.index()];
        Account { venue, owner, mode, cash, reserved }
    }

    /// Returns the cash of an account that neither margin nor resting orders use.
    #[inline]
    pub fn free(&self, id: AccountId) -> Money {
        let line = &self.lines[id.index()];
        line.cash - line.reserved
    }

    /// Returns the free balance of an account, reserved part included.
    #[inline]
    pub fn cash(&self, id: AccountId) -> Money {
        self.lines[id.index()].cash
    }

    /// Returns how an account's positions are backed.
    #[inline]
    pub fn mode(&self, id: AccountId) -> MarginMode {
        self.lines[id.index()].position.mode
    }

    /// Iterates over all accounts in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, Account)> {
        (0..self.lines.len() as u32).map(|id| (AccountId(id), self.get(AccountId(id))))
    }

    /// Says whether an account's owner is told of its trades; until then it is.
    pub fn set_heard(&mut self, id: AccountId, is_heard: bool) {
        self.lines[id.index()].position.is_heard = is_heard;
        let mut at = self.holders[id.index()].more;
        while at != NONE {
            self.more[at as usize].position.is_heard = is_heard;
            at = self.more[at as usize].next;
        }
    }

    /// Returns the sums as they were kept, or `None` where they are not.
    pub fn totals(&self) -> Option<&AccountTotals> {
        SUMMED.then_some(&self.totals)
    }

    /// Returns the sum of long lots of a market: its open interest.
    pub fn long_lots(&self, market: MarketId) -> i128 {
        self.long_lots[market.index()]
    }

    /// Adds to an account's cash.
    #[inline]
    pub fn add_cash(&mut self, id: AccountId, amount: Money) {
        self.lines[id.index()].cash += amount;
        if SUMMED {
            self.totals.cash += i128::from(amount.0);
        }
    }

    /// Adds to the part of the cash that backs resting orders.
    #[inline]
    pub fn add_reserved(&mut self, id: AccountId, amount: Money) {
        let line = &mut self.lines[id.index()];
        line.reserved += amount;
        debug_assert!(line.reserved >= Money::ZERO, "released more than was reserved");
    }

    /// Finds the position of an account in a market, flat ones included.
    #[inline(always)]
    pub fn find(&self, account: AccountId, market: MarketId) -> Option<PositionId> {
        let first = self.lines[account.index()].position.market;
        if first == market {
            return Some(PositionId(account.0 << 1));
        }
        if first == NOWHERE { None } else { self.find_further(account, market) }
    }

    /// Returns what an account has for an order in a market.
    #[inline(always)]
    pub fn means(&self, account: AccountId, market: MarketId) -> Means<'_> {
        let Line { cash, reserved, position } = &self.lines[account.index()];
        let (mode, free) = (position.mode, *cash - *reserved);
        let position = if position.market == market {
            Some((PositionId(account.0 << 1), position))
        } else if position.market == NOWHERE {
            None
        } else {
            self.find_further(account, market).map(|id| (id, self.position(id)))
        };
        Means { mode, free, position }
    }

    #[inline(never)]
    fn find_further(&self, account: AccountId, market: MarketId) -> Option<PositionId> {
        let mut at = self.holders[account.index()].more;
        while at != NONE {
            let Further { position, next } = &self.more[at as usize];
            if position.market == market {
                return Some(PositionId(at << 1 | 1));
            }
            at = *next;
        }
        None
    }

    /// Finds the position of an account in a market or makes a flat one.
    #[inline]
    pub fn find_or_open(&mut self, account: AccountId, market: MarketId) -> PositionId {
        self.find(account, market).unwrap_or_else(|| self.open_position(account, market))
    }

    fn open_position(&mut self, account: AccountId, market: MarketId) -> PositionId {
        let first = &mut self.lines[account.index()].position;
        if first.market == NOWHERE {
            first.market = market;
            return PositionId(account.0 << 1);
        }
        let OpenPosition { mode, is_heard, .. } = *first;
        let at = self.more.len() as u32;
        let position = OpenPosition::flat(account, market, mode, is_heard);
        let next = std::mem::replace(&mut self.holders[account.index()].more, at);
        self.more.push(Further { position, next });
        PositionId(at << 1 | 1)
    }

    /// Returns a position.
    #[inline(always)]
    pub fn position(&self, id: PositionId) -> &OpenPosition {
        let index = (id.0 >> 1) as usize;
        if id.0 & 1 == 0 { &self.lines[index].position } else { &self.more[index].position }
    }

    #[inline]
    fn position_mut(&mut self, id: PositionId) -> &mut OpenPosition {
        let index = (id.0 >> 1) as usize;
        if id.0 & 1 == 0 { &mut self.lines[index].position } else { &mut self.more[index].position }
    }

    /// Returns what settling a trade of an account's position may change, and the position.
    #[inline(always)]
    pub fn balances(&self, account: AccountId, id: PositionId) -> (Balances, &OpenPosition) {
        let Line { cash, reserved, position } = &self.lines[account.index()];
        let position = if id.0 & 1 == 0 { position } else { self.position(id) };
        let OpenPosition { lots, cost, margin, .. } = *position;
        (Balances { cash: *cash, reserved: *reserved, lots, cost, margin }, position)
    }

    /// Sets what settling a trade has changed, and returns the position.
    #[inline(always)]
    pub fn set_balances(&mut self, account: AccountId, id: PositionId, now: Balances) -> &OpenPosition {
        let Self { lines, more, totals, long_lots, .. } = self;
        let (cash, _, position) = side_mut(lines, more, account, id);
        let long_lots = &mut long_lots[position.market.index()];
        *long_lots += i128::from(now.lots.0.max(0) - position.lots.0.max(0));
        if SUMMED {
            totals.cash += i128::from((now.cash - *cash).0);
            totals.margin += i128::from((now.margin - position.margin).0);
            totals.markets[position.market.index()].add(now.lots - position.lots, now.cost - position.cost);
        }
        *cash = now.cash;
        (position.lots, position.cost, position.margin) = (now.lots, now.cost, now.margin);
        position
    }

    /// Iterates over all positions, flat ones included: accounts' first ones, then the further ones as they were opened.
    pub fn positions(&self) -> impl Iterator<Item = (PositionId, &OpenPosition)> {
        let first = self.lines.iter().map(|line| &line.position);
        let first = first.filter(|position| position.market != NOWHERE);
        let first = first.map(|position| (PositionId(position.account.0 << 1), position));
        let more =
            (0..).zip(&self.more).map(|(at, further): (u32, _)| (PositionId(at << 1 | 1), &further.position));
        first.chain(more)
    }

    /// Returns the signed size of an account's position in a market.
    pub fn lots(&self, account: AccountId, market: MarketId) -> Position {
        self.find(account, market).map_or(Position::ZERO, |id| self.position(id).lots)
    }

    /// Adds lots and cost to a position, as a trade does.
    #[inline]
    pub fn add_lots(&mut self, id: PositionId, lots: Position, cost: Money) {
        let position = self.position_mut(id);
        let (market, before) = (position.market, position.lots.0.max(0));
        position.lots += lots;
        position.cost += cost;
        self.long_lots[market.index()] += i128::from(position.lots.0.max(0) - before);
        if SUMMED {
            self.totals.markets[market.index()].add(lots, cost);
        }
    }

    /// Adds to a position's isolated margin.
    #[inline]
    pub fn add_margin(&mut self, id: PositionId, amount: Money) {
        self.position_mut(id).margin += amount;
        if SUMMED {
            self.totals.margin += i128::from(amount.0);
        }
    }

    /// Returns how many orders of a position rest, or `None` if there were ever too many to keep count.
    #[inline]
    pub fn orders(&self, id: PositionId) -> Option<u16> {
        self.position(id).orders()
    }

    /// Counts an order that came to rest, puts it at the head of its position's list and sets cash aside for it. Returns what
    /// was the head before.
    #[inline(always)]
    pub fn order_came(
        &mut self,
        account: AccountId,
        id: PositionId,
        order: u32,
        backing: Money,
    ) -> Option<u32> {
        let (_, reserved, position) = side_mut(&mut self.lines, &mut self.more, account, id);
        *reserved += backing;
        position.orders = position.orders.saturating_add(1);
        let head = std::mem::replace(&mut position.first_order, order);
        (head != NONE).then_some(head)
    }

    /// Counts a resting order that is gone and frees the cash that was set aside for it. If it was the head of its position's
    /// list, `head` tells what is now.
    #[inline(always)]
    pub fn order_went(
        &mut self,
        account: AccountId,
        id: PositionId,
        head: Option<Option<u32>>,
        backing: Money,
    ) {
        let (_, reserved, position) = side_mut(&mut self.lines, &mut self.more, account, id);
        *reserved -= backing;
        debug_assert!(*reserved >= Money::ZERO, "released more than was reserved");
        position.orders -= u16::from(position.orders < u16::MAX);
        if let Some(head) = head {
            position.first_order = head.unwrap_or(NONE);
        }
    }

    /// Returns the head of the list of a position's resting orders.
    #[inline]
    pub fn first_order(&self, id: PositionId) -> Option<u32> {
        self.position(id).first_order()
    }

    /// Sets the leverage that further lots are opened with.
    pub fn set_leverage(&mut self, id: PositionId, leverage: u16) {
        self.position_mut(id).leverage = leverage;
    }

    /// Keeps where the liquidation index has a position.
    pub fn set_bound(&mut self, id: PositionId, bound: Option<LiquidationTrigger>) {
        self.position_mut(id).bound =
            bound.map_or(0, |LiquidationTrigger { side, tick }| side.sign() * tick.0);
    }

    /// Sums everything anew; what `totals` and `long_lots` must equal.
    pub fn recount(&self) -> (AccountTotals, Vec<i128>) {
        let Self { mut totals, mut long_lots, .. } = Self::new(self.long_lots.len());
        totals.cash = self.lines.iter().map(|line| i128::from(line.cash.0)).sum();
        for (_, position) in self.positions() {
            totals.margin += i128::from(position.margin.0);
            totals.markets[position.market.index()].add(position.lots, position.cost);
            long_lots[position.market.index()] += i128::from(position.lots.0.max(0));
        }
        (totals, long_lots)
    }
}

/// Returns an account's cash, its reserved part and one of its positions, which mostly is in the same line.
#[inline(always)]
fn side_mut<'a>(
    lines: &'a mut [Line],
    more: &'a mut [Further],
    account: AccountId,
    id: PositionId,
) -> (&'a mut Money, &'a mut Money, &'a mut OpenPosition) {
    let Line { cash, reserved, position } = &mut lines[account.index()];
    let first = id.0 & 1 == 0;
    let position = if first { position } else { &mut more[(id.0 >> 1) as usize].position };
    debug_assert_eq!(position.account, account);
    (cash, reserved, position)
}
