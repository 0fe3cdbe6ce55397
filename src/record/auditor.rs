//! The auditor: rebuilds books, purses and positions from the records alone, with arithmetic of its own, and says where the
//! tape contradicts itself, the rules, or the world that told it. It shares no code with `world` or `clearing`.
//!
//! It is slow and plain on purpose. What it checks at each record: numbering, time and causes; price-time priority, the
//! maker's price and the taker's limit; that no book is crossed; that contracts and money are conserved; that a mark
//! follows from its inputs; that a liquidated position really was in breach; that forced steps only ever reduce.

use crate::clearing::{Breach, Contract, MarginMode, Purse};
use crate::event::{Assignment, Event, Observer, Record};
use crate::market::{Book, BookEvent, NewOrder, OrderType, Trade};
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Side, VenueId};
use crate::world::{MarkRule, World, WorldSpec};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Problems that are kept; more are only counted.
const KEPT: usize = 20;

#[derive(Clone, Copy)]
struct Resting {
    owner: u32,
    side: Side,
    price: i64,
    qty: i64,
}

#[derive(Default)]
struct Shadow {
    orders: BTreeMap<OrderId, Resting>,
    /// Orders at each price, earliest first.
    bids: BTreeMap<i64, VecDeque<OrderId>>,
    asks: BTreeMap<i64, VecDeque<OrderId>>,
    last: Option<i64>,
    mark: Option<i64>,
}

impl Shadow {
    fn half(&mut self, side: Side) -> &mut BTreeMap<i64, VecDeque<OrderId>> {
        if side == Side::Buy { &mut self.bids } else { &mut self.asks }
    }

    fn best(&self, side: Side) -> Option<i64> {
        let key = if side == Side::Buy { self.bids.last_key_value() } else { self.asks.first_key_value() };
        key.map(|(price, _)| *price)
    }

    fn remove(&mut self, id: OrderId) -> Option<Resting> {
        let order = self.orders.remove(&id)?;
        let half = self.half(order.side);
        let queue = half.get_mut(&order.price)?;
        queue.retain(|other| *other != id);
        if queue.is_empty() {
            half.remove(&order.price);
        }
        Some(order)
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Held {
    lots: i128,
    cost: i128,
}

/// What an audit counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct AuditReport {
    /// Records.
    pub records: u64,
    /// Trades.
    pub trades: u64,
    /// Transfers.
    pub transfers: u64,
    /// Liquidations.
    pub liquidations: u64,
    /// Positions that the fund took over.
    pub takeovers: u64,
    /// Positions reduced by deleveraging.
    pub deleveraged: u64,
}

/// Rebuilds a run from its records.
pub struct Auditor {
    spec: WorldSpec,
    books: Vec<Shadow>,
    purses: BTreeMap<Purse, i128>,
    held: BTreeMap<(AccountId, MarketId), Held>,
    /// The order that is being matched, with its lots left.
    taker: Option<(NewOrder, i64)>,
    seen: BTreeSet<OrderId>,
    seq: u64,
    time: i64,
    report: AuditReport,
    problems: Vec<String>,
    count: usize,
}

impl Auditor {
    /// Starts with nothing but the rules.
    pub fn new(spec: &WorldSpec) -> Self {
        Self {
            books: spec.markets.iter().map(|_| Shadow::default()).collect(),
            spec: spec.clone(),
            purses: BTreeMap::new(),
            held: BTreeMap::new(),
            taker: None,
            seen: BTreeSet::new(),
            seq: 0,
            time: i64::MIN,
            report: AuditReport::default(),
            problems: Vec::new(),
            count: 0,
        }
    }

    fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.count += 1;
            if self.problems.len() < KEPT {
                let seq = self.seq;
                self.problems.push(format!("record {seq}: {}", what()));
            }
        }
    }

    fn unit(&self, market: MarketId) -> i128 {
        match self.spec.markets[market.index()].contract {
            Contract::Linear { unit } => i128::from(unit),
            Contract::Inverse { .. } => panic!("the auditor knows linear contracts"),
        }
    }

    /// Maintenance margin as a marginal rate on each slice of the notional, rounded up: the published continuity formula
    /// written another way.
    fn maintenance(&self, market: MarketId, notional: i128) -> i128 {
        let rows = self.spec.markets[market.index()].brackets.rows();
        let mut scaled = 0;
        for (index, row) in rows.iter().enumerate() {
            let floor = i128::from(row.floor.0);
            let end = rows.get(index + 1).map_or(i128::MAX, |next| i128::from(next.floor.0));
            let slice = (notional.min(end) - floor).max(0);
            scaled += slice * i128::from(row.maintenance.0);
        }
        (scaled + 999_999_999).div_euclid(1_000_000_000)
    }

    fn purse(&self, purse: Purse) -> i128 {
        self.purses.get(&purse).copied().unwrap_or(0)
    }

    fn trade(&mut self, market: MarketId, trade: &Trade) {
        self.report.trades += 1;
        let side = trade.taker_side;
        let shadow = &mut self.books[market.index()];
        let best = shadow.best(side.opposite());
        let first = best.and_then(|price| shadow.half(side.opposite()).get(&price)?.front().copied());
        let maker = shadow.orders.get(&trade.maker).copied();
        let Some(maker) = maker else {
            return self.require(false, || format!("maker {} does not rest", trade.maker));
        };
        let left = maker.qty - trade.qty.0;
        shadow.last = Some(trade.price.0);
        if left == 0 {
            shadow.remove(trade.maker);
        } else if let Some(order) = shadow.orders.get_mut(&trade.maker) {
            order.qty = left;
        }
        self.require(first == Some(trade.maker), || {
            format!("maker {} is not the first of the best price ({first:?})", trade.maker)
        });
        self.require(maker.price == trade.price.0 && maker.owner == trade.maker_owner.0, || {
            "a trade is not at its maker's price and owner".into()
        });
        self.require(left >= 0 && left == trade.maker_remaining.0, || "the maker's rest is wrong".into());
        if let Some((taker, rest)) = self.taker.as_mut() {
            *rest -= trade.qty.0;
            let (id, rest, order_type) = (taker.id, *rest, taker.order_type);
            self.require(id == trade.taker && rest >= 0, || "the taker is another or trades too much".into());
            let limit = match order_type {
                OrderType::Limit { price, .. } => Some(price),
                OrderType::Market { worst } => worst,
            };
            let good = limit.is_none_or(|limit| (limit.0 - trade.price.0) * side.sign() >= 0);
            self.require(good, || format!("a fill at {} is worse than the limit", trade.price));
        } else {
            self.require(false, || "a trade without an accepted order".into());
        }
        let value = self.unit(market) * i128::from(trade.price.0) * i128::from(trade.qty.0);
        let sides = [(trade.taker_owner.0, side.sign()), (trade.maker_owner.0, -side.sign())];
        for (owner, sign) in sides {
            let held = self.held.entry((AccountId(owner), market)).or_default();
            held.lots += i128::from(trade.qty.0 * sign);
            held.cost += value * i128::from(sign);
        }
    }

    fn book(&mut self, market: MarketId, event: &BookEvent) {
        match *event {
            BookEvent::Accepted(order) => {
                // An amended order comes again under its number; any other number is new.
                let amended = self.books[market.index()].orders.contains_key(&order.id);
                let fresh = self.seen.insert(order.id);
                self.require(fresh || !amended, || format!("order {} is used twice", order.id));
                self.taker = Some((order, order.qty.0));
            }
            BookEvent::Trade(trade) => self.trade(market, &trade),
            BookEvent::Rested { id, owner, side, price, qty } => {
                let rest = self.taker.take().filter(|(order, _)| order.id == id).map(|(_, rest)| rest);
                self.require(rest == Some(qty.0), || {
                    format!("order {id} rests with other lots than are left")
                });
                let shadow = &mut self.books[market.index()];
                shadow.orders.insert(id, Resting { owner: owner.0, side, price: price.0, qty: qty.0 });
                shadow.half(side).entry(price.0).or_default().push_back(id);
                let crossed =
                    shadow.best(Side::Buy).zip(shadow.best(Side::Sell)).is_some_and(|(b, a)| b >= a);
                self.require(!crossed, || "the book is crossed".into());
            }
            BookEvent::Cancelled { id, qty, resting, .. } => {
                if resting {
                    let order = self.books[market.index()].remove(id);
                    let right = order.is_some_and(|order| order.qty == qty.0);
                    self.require(right, || format!("order {id} is cancelled with other lots than rest"));
                } else {
                    let rest = self.taker.take().map(|(_, rest)| rest);
                    self.require(rest == Some(qty.0), || format!("the rest of order {id} is wrong"));
                }
            }
            BookEvent::Reduced { id, from, to, .. } => {
                let order = self.books[market.index()].orders.get_mut(&id);
                let right = order.is_some_and(|order| {
                    let right = order.qty == from.0 && to < from;
                    order.qty = to.0;
                    right
                });
                self.require(right, || format!("order {id} is not reduced from what it was"));
            }
            BookEvent::Rejected { .. } => {}
        }
    }

    fn assigned(
        &mut self,
        how: Assignment,
        market: MarketId,
        from: AccountId,
        to: AccountId,
        lots: i128,
        value: i128,
    ) {
        let giver = self.held.get(&(from, market)).copied().unwrap_or_default();
        let taker = self.held.get(&(to, market)).copied().unwrap_or_default();
        let shrinks = |held: Held, change: i128| (held.lots + change).abs() == held.lots.abs() - change.abs();
        match how {
            Assignment::Seed => {}
            Assignment::Takeover => {
                self.report.takeovers += 1;
                self.require(giver.lots == lots, || {
                    "the fund takes over another position than there is".into()
                });
            }
            Assignment::Deleverage => {
                self.report.deleveraged += 1;
                self.require(shrinks(giver, -lots) && shrinks(taker, lots), || {
                    "deleveraging increases or flips a position".into()
                });
            }
        }
        for (account, sign) in [(from, -1), (to, 1)] {
            let held = self.held.entry((account, market)).or_default();
            held.lots += sign * lots;
            held.cost += sign * value;
        }
    }

    fn mark(&mut self, market: MarketId, mark: Price, inputs: [Option<Price>; 3]) {
        let shadow = &self.books[market.index()];
        let [bid, ask, last] = [shadow.best(Side::Buy), shadow.best(Side::Sell), shadow.last];
        let told = inputs.map(|price| price.map(|price| price.0));
        let by_rule = match self.spec.markets[market.index()].mark {
            MarkRule::BestBid => bid,
            MarkRule::Last => last,
            MarkRule::Median => match (bid, ask, last) {
                (Some(bid), Some(ask), Some(last)) => {
                    let mut three = [bid, ask, last];
                    three.sort_unstable();
                    Some(three[1])
                }
                (Some(bid), Some(ask), None) => Some((bid + ask).div_euclid(2)),
                (_, _, last) => last,
            },
        };
        self.require(told == [bid, ask, last], || {
            format!("a mark is made from {told:?}, not {:?}", [bid, ask, last])
        });
        self.require(by_rule == Some(mark.0), || format!("mark {mark} is not {by_rule:?}"));
        self.books[market.index()].mark = Some(mark.0);
    }

    fn liquidation(
        &mut self,
        market: MarketId,
        account: AccountId,
        lots: Position,
        mark: Price,
        told: [Money; 2],
    ) {
        self.report.liquidations += 1;
        let held = self.held.get(&(account, market)).copied().unwrap_or_default();
        let unit = self.unit(market);
        let price = i128::from(mark.0);
        let equity = self.purse(Purse::Margin(account, market)) + unit * price * held.lots - held.cost;
        let maintenance = self.maintenance(market, unit * price * held.lots.abs());
        let venue = self.spec.markets[market.index()].venue;
        let in_breach = match self.spec.venues[venue.index()].liquidation.breach {
            Breach::Below => equity < maintenance,
            Breach::AtOrBelow => equity <= maintenance,
        };
        let right = held.lots == i128::from(lots.0) && [equity, maintenance] == told.map(|m| i128::from(m.0));
        self.require(right, || format!("account {account} has equity {equity}, maintenance {maintenance}"));
        self.require(in_breach, || format!("account {account} is liquidated without a breach"));
        let here = self.books[market.index()].mark;
        self.require(here == Some(mark.0), || "a liquidation is measured at another mark".into());
    }

    /// Compares what was rebuilt with the world at the end of the run.
    pub fn finish(mut self, world: &World) -> Result<AuditReport, Vec<String>> {
        for (account, state) in world.accounts.iter() {
            let cash = self.purse(Purse::Cash(account));
            self.require(cash == i128::from(state.cash.0), || {
                format!("account {account} has {} cash", state.cash)
            });
            let owes = state.mode == MarginMode::Isolated && cash < 0;
            self.require(!owes, || format!("account {account} is below zero"));
        }
        let mut known = BTreeSet::new();
        for (_, position) in world.accounts.positions() {
            let key = (position.account, position.market);
            known.insert(key);
            let held = self.held.get(&key).copied().unwrap_or_default();
            let margin = self.purse(Purse::Margin(position.account, position.market));
            let theirs =
                (i128::from(position.lots.0), i128::from(position.cost.0), i128::from(position.margin.0));
            let ours = (held.lots, held.cost, margin);
            self.require(ours == theirs, || {
                format!("account {} holds {theirs:?}, not {ours:?}", position.account)
            });
        }
        let unknown = self.held.keys().any(|key| !known.contains(key));
        self.require(!unknown, || "the tape knows a position that the world does not".into());
        for (index, market) in world.markets.iter().enumerate() {
            for side in [Side::Buy, Side::Sell] {
                let shadow = &self.books[index];
                let half: Vec<&VecDeque<OrderId>> = if side == Side::Buy {
                    shadow.bids.values().rev().collect()
                } else {
                    shadow.asks.values().collect()
                };
                let ours: Vec<(OrderId, i64, i64)> = half
                    .into_iter()
                    .flatten()
                    .map(|id| (*id, shadow.orders[id].price, shadow.orders[id].qty))
                    .collect();
                let theirs: Vec<_> = market.book.orders(side).map(|o| (o.id, o.price.0, o.qty.0)).collect();
                self.require(ours == theirs, || format!("the {side:?} half of market {index} differs"));
            }
            let clearing = self.purse(Purse::Clearing(MarketId(index as u16)));
            self.require(clearing == world.ledger.clearing[index], || "the variation pool differs".into());
            let total: i128 = self.held.values().map(|held| held.lots).sum();
            self.require(total == 0, || "contracts do not sum to zero".into());
        }
        for venue in 0..self.spec.venues.len() {
            let id = VenueId(venue as u16);
            let ours =
                [Purse::Fund(id), Purse::Fees(id), Purse::Uncovered(id)].map(|purse| self.purse(purse));
            let ledger = &world.ledger;
            let theirs = [ledger.fund[venue], ledger.fees[venue], ledger.uncovered[venue]];
            let theirs = theirs.map(|money| i128::from(money.0));
            self.require(ours == theirs, || format!("venue {venue} has {theirs:?}, not {ours:?}"));
        }
        let total: i128 = self.purses.values().sum();
        self.require(total == 0, || format!("purses sum to {total}"));
        if self.count > self.problems.len() {
            let more = self.count - self.problems.len();
            self.problems.push(format!("and {more} more"));
        }
        if self.problems.is_empty() { Ok(self.report) } else { Err(self.problems) }
    }
}

impl Observer for Auditor {
    fn on(&mut self, record: &Record) {
        let numbered = record.seq == self.seq + 1 && record.time.0 >= self.time && record.cause < record.seq;
        self.seq = record.seq;
        self.time = record.time.0;
        self.report.records += 1;
        self.require(numbered, || "number, time or cause is out of order".into());
        match record.event {
            Event::Book { market, event } => self.book(market, &event),
            Event::Transfer(transfer) => {
                self.report.transfers += 1;
                let amount = i128::from(transfer.amount.0);
                *self.purses.entry(transfer.from).or_default() -= amount;
                *self.purses.entry(transfer.to).or_default() += amount;
                if let Purse::Fund(_) = transfer.from {
                    let left = self.purse(transfer.from);
                    self.require(left >= 0, || format!("the fund is at {left}"));
                }
                if let Purse::Clearing(market) = transfer.from {
                    let account = match transfer.to {
                        Purse::Cash(account) | Purse::Margin(account, _) => Some(account),
                        _ => None,
                    };
                    self.require(account.is_some(), || "profit goes to nobody".into());
                    if let Some(account) = account {
                        self.held.entry((account, market)).or_default().cost += amount;
                    }
                }
            }
            Event::Assigned { how, market, from, to, lots, value } => {
                self.assigned(how, market, from, to, i128::from(lots.0), i128::from(value.0));
            }
            Event::Mark { market, mark, bid, ask, last } => self.mark(market, mark, [bid, ask, last]),
            Event::Liquidation { market, account, lots, mark, equity, maintenance } => {
                self.liquidation(market, account, lots, mark, [equity, maintenance]);
            }
            Event::Liquidated { market, account, left } => {
                let held = self.held.get(&(account, market)).copied().unwrap_or_default();
                self.require(held.lots == i128::from(left.0), || "what is left of a position differs".into());
            }
            Event::Refused { .. }
            | Event::StopPlaced { .. }
            | Event::StopTriggered { .. }
            | Event::StopCancelled { .. }
            | Event::Fundamental { .. }
            | Event::Shock { .. } => {}
        }
    }
}
