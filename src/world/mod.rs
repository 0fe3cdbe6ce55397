//! Everything that is true now: accounts, books, venues, the clock's reading. `clearing` decides; the world does.
//!
//! How one message is worked off (`World::execute`):
//! 1. the venue checks margin and refuses, or hands the order to the book;
//! 2. each trade is settled as it happens: lots and cost move, profit is realised, margin posted or released, fees paid;
//! 3. the mark is read anew;
//! 4. stops that the mark or the last price triggers go to the book, one at a time, each followed by step 3;
//! 5. the position that is due first is liquidated by one order, or a step, followed by step 3; until nothing is due.
//!
//! In a halted market orders are refused, and stops and liquidations wait for the first message after the halt.
//!
//! What can go wrong: nothing here fails on input. A message that breaks a rule is refused or rejected on the tape.

mod admission;
mod conservation;
mod liquidate;
mod orders;
mod pauses;
mod perpetual;
mod placing;
mod request;
mod safeguards;
mod settle;
mod spec;
mod spot;
#[cfg(test)]
mod tests;
mod venue;

use orders::OpenOrders;
use pauses::Pauses;
pub use perpetual::OBSERVED_EVERY;
use perpetual::Reference;
pub use request::{Notice, Order, Request, Trigger};
pub use safeguards::{Safeguards, VolatilityMargin};
pub use spec::{
    AssetSpec, FeeSchedule, FundingSpec, IndexSpec, LiquidationRules, MarkRule, MarketSpec, VenueSpec,
    WorldSpec,
};

use crate::clearing::{
    Accounts, Ledger, LiquidationIndex, MarginMode, OpenPosition, PositionId, Purse, Reason, Transfer,
    TriggerIndex, liquidation,
};
use crate::event::{Assignment, Emit, Event, Observer};
use crate::market::{Book, Breaker, FastIdBook, Handle, Place, Stops};
use crate::units::{AccountId, AgentId, MarketId, Money, OrderId, Position, Price, Side, Time, VenueId};

/// The book that markets run on.
pub type MarketBook = FastIdBook;

/// One market as it is now.
#[derive(Clone, Debug)]
pub struct Market {
    /// The book.
    pub book: MarketBook,
    /// What the venue knows of the orders in it.
    orders: OpenOrders,
    /// Stop orders that wait.
    pub stops: Stops,
    /// Price of the last trade.
    pub last: Option<Price>,
    /// What the mark was made from; nothing of its own where that is an index.
    quotes: Option<Quotes>,
    /// Fundamental value in ticks: what informed agents believe in, each with an error of its own.
    pub fundamental: f64,
    /// Index, premium, funding, volatility.
    pub reference: Reference,
    /// Markets whose index this one is.
    followers: Vec<MarketId>,
    /// Watches the mark, where a rule says when trading stops.
    breaker: Breaker,
}

impl Market {
    /// Returns what a mark would be made from now.
    #[inline]
    fn quotes_now(&self, rule: MarkRule) -> Quotes {
        Quotes { rule, touch: self.book.touch(), last: self.last }
    }

    /// Tells whether stops or the markets whose index this one is have to be looked at.
    #[inline]
    fn has_waiting(&self) -> bool {
        !(self.stops.is_empty() && self.followers.is_empty())
    }
}

/// What a mark follows from where it is not made from an index: while nothing of it moves, neither does the mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Quotes {
    rule: MarkRule,
    touch: [i64; 2],
    last: Option<Price>,
}

/// Which mechanisms act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switches {
    /// Positions below maintenance are liquidated; off, credit is extended: equity may go negative, the position cannot
    /// be increased, and the deficit is reported.
    pub forced_liquidation: bool,
    /// The insurance fund covers deficits and takes positions over.
    pub insurance_fund: bool,
    /// Opposite positions are deleveraged.
    pub adl: bool,
}

/// Everything that is true now.
#[derive(Clone, Debug)]
pub struct World {
    /// The rules, which may change during a run; a change of margin, of the breach or of safeguards is followed by `rules_changed`.
    pub spec: WorldSpec,
    /// Which mechanisms act.
    pub switches: Switches,
    /// Markets.
    pub markets: Vec<Market>,
    /// Accounts and positions.
    pub accounts: Accounts,
    /// Purses that are not accounts.
    pub ledger: Ledger,
    /// The account of each venue's insurance fund, which holds what it took over.
    pub fund_accounts: Vec<AccountId>,
    triggers: TriggerIndex,
    /// Liquidations between two steps.
    pauses: Pauses,
    /// Whether any market has rules by which orders are looked at before they go to the book.
    guards_orders: bool,
    /// When the last halt of any market ends.
    halted_until: Time,
    /// Orders that are about to be cancelled together, kept for its memory.
    doomed: Vec<(OrderId, Handle)>,
    /// What margin is measured on, by market.
    marks: Vec<Option<Price>>,
    /// Number of the record in which a book last changed.
    last_change: u64,
    /// Whether stops and liquidations may go: not before the opening books are complete, or a half-built book would be sold
    /// into.
    opened: bool,
    /// What agents will be told about.
    pub(crate) notices: Vec<Notice>,
    last_order: u64,
}

impl World {
    /// Makes a world without accounts or orders. Agent ids are those of the engine; the funds' accounts belong to nobody.
    pub fn new(spec: WorldSpec, switches: Switches) -> Self {
        let markets = spec.markets.len();
        let mut accounts = Accounts::new(markets);
        let fund_accounts = (0..spec.venues.len())
            .map(|venue| accounts.open(VenueId(venue as u16), AgentId(u32::MAX), MarginMode::Unmargined))
            .collect();
        Self {
            markets: spec
                .markets
                .iter()
                .zip(0..)
                .map(|(market, id)| Market {
                    reference: Reference::new(market),
                    followers: spec.followers(MarketId(id)),
                    book: MarketBook::new(market.book),
                    orders: OpenOrders::default(),
                    stops: Stops::default(),
                    last: None,
                    quotes: None,
                    fundamental: market.initial_price.0 as f64,
                    breaker: Breaker::default(),
                })
                .collect(),
            ledger: Ledger::new(spec.venues.len(), markets),
            triggers: TriggerIndex::new(markets),
            pauses: Pauses::default(),
            guards_orders: spec.guard_orders(),
            halted_until: Time(i64::MIN),
            accounts,
            switches,
            spec,
            fund_accounts,
            doomed: Vec::new(),
            marks: vec![None; markets],
            last_change: 0,
            notices: Vec::new(),
            opened: false,
            last_order: 0,
        }
    }

    /// Returns the next order id: numbered over the whole run, never reused.
    pub fn next_order_id(&mut self) -> OrderId {
        self.last_order += 1;
        OrderId(self.last_order)
    }

    /// Returns the id of the last order, as the engine numbers orders of a whole decision.
    pub(crate) fn last_order_id(&self) -> OrderId {
        OrderId(self.last_order)
    }

    /// Goes on numbering orders after this one.
    pub(crate) fn set_last_order_id(&mut self, last: OrderId) {
        debug_assert!(last.0 >= self.last_order, "ids are never reused");
        self.last_order = last.0;
    }

    /// Lets stops and liquidations go from now on.
    pub fn open_for_liquidation(&mut self) {
        self.opened = true;
    }

    /// Tells whether stops and liquidations may go.
    pub fn is_open(&self) -> bool {
        self.opened
    }

    /// Returns a market.
    pub fn market(&self, id: MarketId) -> &Market {
        &self.markets[id.index()]
    }

    /// Returns what margin is measured on in a market; before the first mark, the price that the run starts from.
    pub fn mark(&self, market: MarketId) -> Price {
        self.marks[market.index()].unwrap_or(self.spec.markets[market.index()].initial_price)
    }

    /// Returns the rules of a market's venue.
    pub fn venue_of(&self, market: MarketId) -> &VenueSpec {
        self.spec.of(market).1
    }

    /// Pays money in from outside.
    pub fn deposit<O: Observer>(&mut self, account: AccountId, amount: Money, emit: &mut Emit<'_, O>) {
        if !amount.is_zero() {
            self.transfer(Purse::External, Purse::Cash(account), amount, Reason::Deposit, emit);
        }
    }

    /// Fills an insurance fund from outside.
    pub fn endow_fund<O: Observer>(&mut self, venue: VenueId, amount: Money, emit: &mut Emit<'_, O>) {
        if !amount.is_zero() {
            self.transfer(Purse::External, Purse::Fund(venue), amount, Reason::Deposit, emit);
        }
    }

    /// Gives an account a position that exists when the run begins, against a counterparty; the margin comes out of the
    /// account's cash.
    pub fn seed_position<O: Observer>(&mut self, seed: &SeedPosition, emit: &mut Emit<'_, O>) {
        let SeedPosition { account, counterparty, market, lots, entry, leverage, margin } = *seed;
        let value = self.spec.markets[market.index()].contract.position_value(entry, lots);
        self.assign(Assignment::Seed, market, counterparty, account, lots, value, emit);
        let id = self.accounts.find_or_open(account, market);
        self.accounts.set_leverage(id, leverage);
        if !margin.is_zero() {
            self.transfer(
                Purse::Cash(account),
                Purse::Margin(account, market),
                margin,
                Reason::InitialMargin,
                emit,
            );
        }
        self.reindex(id);
    }

    /// Moves lots and their value from one account to another off the book and settles both sides like a trade without fees
    /// and margin. In a liquidation the giver is the one that is liquidated.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the fields of one record, named at the only call sites"
    )]
    fn assign<O: Observer>(
        &mut self,
        how: Assignment,
        market: MarketId,
        from: AccountId,
        to: AccountId,
        lots: Position,
        value: Money,
        emit: &mut Emit<'_, O>,
    ) {
        let giver = self.accounts.find_or_open(from, market);
        let taker = self.accounts.find_or_open(to, market);
        emit.say(Event::Assigned { how, market, from, to, lots, value });
        let liquidating = (how != Assignment::Seed).then_some(from);
        let (_, mut settlement) = self.settlement(market, None, liquidating, emit);
        settlement.settle_assigned(giver, -lots, -value);
        settlement.settle_assigned(taker, lots, value);
    }

    /// Moves money, counts it under its reason and says so.
    fn transfer<O: Observer>(
        &mut self,
        from: Purse,
        to: Purse,
        amount: Money,
        reason: Reason,
        emit: &mut Emit<'_, O>,
    ) {
        settle::transfer(
            &mut self.accounts,
            &mut self.ledger,
            Transfer { from, to, amount, reason },
            None,
            emit,
        );
    }

    /// Brings a position's trigger up to date.
    fn reindex(&mut self, id: PositionId) {
        let market = self.accounts.position(id).market;
        placing::reindex(&mut self.accounts, &mut self.triggers, self.spec.of(market), &self.marks, id);
    }

    /// Puts every position where the liquidation index should have it by the rules as they are now.
    pub fn rules_changed(&mut self) {
        self.guards_orders = self.spec.guard_orders();
        let ids: Vec<PositionId> = self.accounts.positions().map(|(id, _)| id).collect();
        for id in ids {
            self.reindex(id);
        }
    }

    /// Returns the position that is to be liquidated first: longs by the highest trigger, then shorts by the lowest, at
    /// equal triggers by their numbers. Positions that only waited there for the mark to come near are sent on.
    fn next_due(&mut self, passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        if self.triggers.is_due(&self.marks) { self.first_due(passed_over) } else { None }
    }

    #[cold]
    fn first_due(&mut self, passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        loop {
            let id = self.triggers.next_due(&self.marks, passed_over)?;
            if self.pauses.has(id) {
                placing::relocate(&mut self.accounts, &mut self.triggers, id, None);
                continue;
            }
            let position = self.accounts.position(id);
            let (market, venue) = self.spec.of(position.market);
            let trigger = placing::trigger(market, venue, position);
            // Whoever is behind it waits no nearer to the mark than its trigger is: so nobody's trigger comes before this one.
            if trigger == position.bound() {
                return Some(id);
            }
            let to = trigger.map(|trigger| trigger.ahead_of(self.marks[position.market.index()]));
            placing::relocate(&mut self.accounts, &mut self.triggers, id, to);
        }
    }

    /// Iterates over the orders that an account has in a book, the one that came to rest last first.
    #[inline]
    pub fn open_orders(
        &self,
        account: AccountId,
        market: MarketId,
    ) -> impl Iterator<Item = (OrderId, Place)> + '_ {
        let Market { book, orders, .. } = self.market(market);
        let position = self.accounts.find(account, market);
        orders.of(&self.accounts, position).map(|place| (book.id(place), place))
    }

    /// Returns how many orders an account has in a book.
    #[inline]
    pub fn count_open_orders(&self, account: AccountId, market: MarketId) -> usize {
        let Some(position) = self.accounts.find(account, market) else { return 0 };
        let walked = || self.market(market).orders.of(&self.accounts, Some(position)).count();
        self.accounts.orders(position).map_or_else(walked, usize::from)
    }

    /// Has an account fetched into the cache.
    #[inline]
    pub(crate) fn fetch_account(&self, account: AccountId) {
        self.accounts.fetch(account);
    }

    /// Has the order of an account that came to rest last fetched into the cache.
    #[inline]
    pub(crate) fn fetch_order(&self, account: AccountId, market: MarketId) {
        let position = self.accounts.means(account, market).position;
        if let Some(place) = position.and_then(|(_, position)| position.first_order()).map(Place) {
            let Market { book, orders, .. } = self.market(market);
            orders.fetch(place);
            book.fetch(place);
        }
    }

    /// Returns the order that `pick` chooses among those that an account has in a book, by how many they are; the one that came
    /// to rest last is 0. Nobody is asked where there is none.
    #[inline]
    pub fn pick_open_order(
        &self,
        account: AccountId,
        market: MarketId,
        pick: impl FnOnce(usize) -> usize,
    ) -> Option<(OrderId, Place)> {
        let (id, position) = self.accounts.means(account, market).position?;
        let Market { book, orders, .. } = self.market(market);
        let walked = || orders.of(&self.accounts, Some(id)).count();
        let count = position.orders().map_or_else(walked, usize::from);
        if count == 0 {
            return None;
        }
        orders.nth(position, pick(count)).map(|place| (book.id(place), place))
    }

    /// Returns the equity of an account's position at the mark: isolated margin plus unrealised profit, or for an
    /// unmargined account all its cash plus the unrealised profit of this position.
    pub fn equity(&self, id: PositionId) -> Money {
        let position = self.accounts.position(id);
        let spec = &self.spec.markets[position.market.index()];
        let mark = self.mark(position.market);
        let backing = match self.accounts.get(position.account).mode {
            MarginMode::Isolated => Money::ZERO,
            MarginMode::Unmargined => self.accounts.get(position.account).cash,
        };
        backing + liquidation::equity(spec.contract, position, mark)
    }

    /// Returns the mark at which a position is liquidated; none for a flat one, one without isolated margin, and one that no mark
    /// breaches.
    pub fn liquidation_price(&self, position: &OpenPosition) -> Option<Price> {
        let (market, venue) = self.spec.of(position.market);
        let isolated = position.mode == MarginMode::Isolated;
        isolated.then(|| placing::trigger(market, venue, position))?.map(|trigger| trigger.tick)
    }

    /// Tells whether a position that was opened at `entry` with this margin behind it would not be liquidated at a mark.
    pub fn survives(
        &self,
        market: MarketId,
        lots: Position,
        entry: Price,
        margin: Money,
        mark: Price,
    ) -> bool {
        let (spec, venue) = self.spec.of(market);
        let rules = (&spec.brackets, venue.liquidation.breach);
        liquidation::survives(spec.contract, rules, (lots, entry, margin), mark)
    }

    /// Returns the fundamental, best price or mark that an order without a price of its own is measured at.
    #[inline]
    fn reference_price(&self, market: MarketId, side: Side) -> Price {
        let state = self.market(market);
        let mark = self.mark(market);
        match (side, state.book.best(side.opposite())) {
            (Side::Buy, Some(ask)) => ask.max(mark),
            (Side::Sell, Some(bid)) => bid.max(mark),
            (_, None) => mark,
        }
    }

    /// Returns the sum of negative equities of isolated positions in a market at the mark, as a positive amount.
    pub fn unresolved_deficit(&self, market: MarketId) -> i128 {
        let isolated = |account| self.accounts.mode(account) == MarginMode::Isolated;
        self.accounts
            .positions()
            .filter(|(_, position)| position.market == market && isolated(position.account))
            .map(|(id, _)| i128::from((-self.equity(id)).0.max(0)))
            .sum()
    }

    /// Returns the open interest of a market in lots.
    pub fn open_interest(&self, market: MarketId) -> i128 {
        self.accounts.long_lots(market)
    }
}

/// A position that exists when a run begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeedPosition {
    /// Who has it.
    pub account: AccountId,
    /// Who has the other side.
    pub counterparty: AccountId,
    /// Where.
    pub market: MarketId,
    /// Signed lots.
    pub lots: Position,
    /// At what price it was opened.
    pub entry: Price,
    /// With what leverage.
    pub leverage: u16,
    /// Isolated margin that is left behind it; 0 for an unmargined account.
    pub margin: Money,
}
