//! The auditor: rebuilds books, purses and positions from the records alone, with arithmetic of its own, and says where the
//! records contradict themselves, the rules, or the world that told them. It shares no code with `world` or with the
//! arithmetic of `clearing`.
//!
//! It is slow and plain on purpose. What it checks, record by record: numbers, times and causes; price-time priority, the
//! maker's price, the taker's limit and the orders' own rules; that no book is crossed; that each closed lot realises the
//! profit it should and each fee is what the rate says; that money only takes the roads its reason allows; that a mark is its
//! rule's and is read before it is used; that a liquidated position was in breach by the published formula, and that forced
//! steps only ever reduce, in the order of the waterfall; that nothing goes on in a halted market. At the end it compares all that it rebuilt with the world.
//!
//! It cannot rebuild what no record says: leverage, cash reserved for orders, what waiting stops wait for.

mod compare;
mod holdings;
mod ids;
mod money;
mod safeguards;
mod shadow_book;

use crate::clearing::{Breach, Purse, Stage};
use crate::event::{Assignment, Event, Observer, Record};
use crate::market::BookEvent;
use crate::units::{AccountId, MarketId, Money, Position, Price, Rate, VenueId};
use crate::world::{MarketSpec, World, WorldSpec};
use holdings::{Change, Holdings};
use ids::Ids;
use money::Purses;
use safeguards::Halts;
use shadow_book::ShadowBook;
use std::collections::BTreeMap;

/// Problems that are kept; more are only counted.
const KEPT: usize = 20;

/// What an audit counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct AuditReport {
    /// Records.
    pub records: u64,
    /// Orders that a book accepted.
    pub orders: u64,
    /// Orders that a venue refused.
    pub refusals: u64,
    /// Trades.
    pub trades: u64,
    /// Transfers.
    pub transfers: u64,
    /// Marks.
    pub marks: u64,
    /// Stops that were triggered.
    pub stops: u64,
    /// Liquidations that began.
    pub liquidations: u64,
    /// Liquidations that ended with lots left.
    pub unfinished: u64,
    /// Positions that the fund took over.
    pub takeovers: u64,
    /// Positions reduced by deleveraging.
    pub deleveraged: u64,
    /// Times that funding was paid.
    pub fundings: u64,
    /// Deficits that the fund paid, in part or whole.
    pub covered: u64,
    /// Deficits that nobody could pay, in part or whole.
    pub uncovered: u64,
}

/// What was found wrong, with the record it was found at.
#[derive(Clone, Debug, Default)]
struct Problems {
    seq: u64,
    kept: Vec<String>,
    count: usize,
}

impl Problems {
    fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.count += 1;
            if self.kept.len() < KEPT {
                self.kept.push(format!("record {}: {}", self.seq, what()));
            }
        }
    }

    fn into_result(mut self, report: AuditReport) -> Result<AuditReport, Vec<String>> {
        if self.count > self.kept.len() {
            self.kept.push(format!("and {} more", self.count - self.kept.len()));
        }
        if self.kept.is_empty() { Ok(report) } else { Err(self.kept) }
    }
}

/// A liquidation at work.
#[derive(Clone, Copy, Debug)]
struct Forced {
    market: MarketId,
    account: AccountId,
    /// Stages of the waterfall that are behind.
    stage: usize,
}

/// Rebuilds a run from its records.
#[derive(Clone, Debug)]
pub struct Auditor {
    spec: WorldSpec,
    books: Vec<ShadowBook>,
    ids: Ids,
    purses: Purses,
    holdings: Holdings,
    forced: Option<Forced>,
    halts: Vec<Halts>,
    /// When the last liquidation of a position ended with lots left.
    steps: BTreeMap<(AccountId, MarketId), i64>,
    time: i64,
    fundamentals: Vec<Option<f64>>,
    report: AuditReport,
    problems: Problems,
}

impl Auditor {
    /// Starts with nothing but the rules.
    pub fn new(spec: &WorldSpec) -> Self {
        Self {
            books: spec.markets.iter().map(|market| ShadowBook::new(market.book, market.mark)).collect(),
            fundamentals: vec![None; spec.markets.len()],
            spec: spec.clone(),
            ids: Ids::default(),
            purses: Purses::default(),
            holdings: Holdings::default(),
            forced: None,
            halts: vec![Halts::default(); spec.markets.len()],
            steps: BTreeMap::new(),
            time: i64::MIN,
            report: AuditReport::default(),
            problems: Problems::default(),
        }
    }

    /// Ends the audit of records whose world is gone.
    ///
    /// # Errors
    /// Returns what the records contradict.
    pub fn close(mut self) -> Result<AuditReport, Vec<String>> {
        self.settle_up();
        self.close_books();
        self.problems.into_result(self.report)
    }

    /// Ends the audit and compares what was rebuilt with the world.
    ///
    /// # Errors
    /// Returns what the records contradict and where they differ from the world.
    pub fn finish(mut self, world: &World) -> Result<AuditReport, Vec<String>> {
        self.settle_up();
        self.close_books();
        self.compare(world);
        self.problems.into_result(self.report)
    }

    fn close_books(&mut self) {
        for (index, book) in self.books.iter().enumerate() {
            self.problems.require(book.taker.is_none(), || format!("market {index} is still matching"));
            self.problems.require(book.has_fresh_mark(), || format!("the mark of market {index} is old"));
        }
        self.problems.require(self.forced.is_none(), || "a liquidation does not end".to_owned());
    }

    /// Checks that everything which had to follow the last trade or assignment did.
    fn settle_up(&mut self) {
        self.holdings.settle_up(&mut self.problems);
        let resting = |account: AccountId| {
            let worth = |(book, market): (&ShadowBook, &MarketSpec)| {
                let own = book.live().filter(|order| order.owner.0 == account.0);
                own.map(|order| holdings::position_value(market.contract, Price(order.price), order.qty))
                    .sum::<i128>()
            };
            self.books.iter().zip(&self.spec.markets).map(worth).sum()
        };
        self.purses.settle_up(resting, &mut self.problems);
    }

    fn book(&mut self, market: MarketId, event: BookEvent) {
        self.report.orders += u64::from(matches!(event, BookEvent::Accepted(_)));
        let book = &mut self.books[market.index()];
        let (ids, holdings, problems) = (&mut self.ids, &self.holdings, &mut self.problems);
        let reducible = |owner: u32, side| holdings.reducible(AccountId(owner), market, side);
        book.on(event, ids, reducible, problems);
        if let BookEvent::Accepted(order) = event {
            self.is_within_band(market, &order);
        }
        let BookEvent::Trade(trade) = event else { return };
        self.report.trades += 1;
        let spec = &self.spec.markets[market.index()];
        let fees = self.spec.venues[spec.venue.index()].fees;
        let notional = holdings::position_value(spec.contract, trade.price, i128::from(trade.qty.0));
        let lots = i128::from(trade.qty.0) * i128::from(trade.taker_side.sign());
        let value = notional * i128::from(trade.taker_side.sign());
        let (taker, maker) = (AccountId(trade.taker_owner.0), AccountId(trade.maker_owner.0));
        let value = if spec.contract.is_spot() {
            let (buyer, seller) = if value > 0 { (taker, maker) } else { (maker, taker) };
            self.purses.expect_payment(buyer, seller, notional);
            0
        } else {
            value
        };
        self.change(&Change { account: taker, market, lots, value });
        self.change(&Change { account: maker, market, lots: -lots, value: -value });
        let is_forced = self.forced.is_some_and(|forced| forced.account == taker);
        let taker_rate = if is_forced { 0 } else { fees.taker.0 };
        self.purses.expect_fees(notional.abs(), [(taker, taker_rate), (maker, fees.maker.0)]);
    }

    /// Checks that funding is the rate's share of a lot at the mark, rounded half to even, and notes what everybody owes.
    fn funding(&mut self, market: MarketId, rate: Rate, mark: Price, per_lot: Money) {
        self.report.fundings += 1;
        let is_current = self.books[market.index()].mark.is_none_or(|current| current == mark.0);
        self.problems.require(is_current, || "funding is measured at another mark".to_owned());
        let lot = holdings::position_value(self.spec.markets[market.index()].contract, mark, 1);
        let doubled = 2 * lot.saturating_mul(i128::from(rate.0));
        // Nearer than half a unit, or at half a unit and even.
        let away = (2 * i128::from(per_lot.0) * 1_000_000_000 - doubled).abs();
        let is_right = away < 1_000_000_000 || (away == 1_000_000_000 && per_lot.0 % 2 == 0);
        self.problems.require(is_right, || format!("funding of {rate:?} on {lot} is not {per_lot} a lot"));
        let owed = self.holdings.iter().filter(|((_, at), held)| *at == market && held.lots != 0);
        self.purses.expect_funding(
            market,
            owed.map(|((account, _), held)| (*account, held.lots * i128::from(per_lot.0))),
        );
    }

    /// Changes a position; that of an account which is being liquidated may only shrink.
    fn change(&mut self, change: &Change) {
        if self.forced.is_some_and(|f| f.account == change.account && f.market == change.market) {
            let shrinks = self.holdings.shrinks(change);
            self.problems.require(shrinks, || {
                format!("liquidation increases or flips the position of account {}", change.account)
            });
        }
        self.holdings.change(change);
    }

    fn assigned(&mut self, how: Assignment, from: AccountId, to: AccountId, moved: &Moved) {
        let Moved { market, lots, value } = *moved;
        let taken = Change { account: to, market, lots, value };
        let given = Change { account: from, market, lots: -lots, value: -value };
        let stage = match how {
            Assignment::Seed => None,
            Assignment::Takeover => Some(Stage::InsuranceFund),
            Assignment::Deleverage => Some(Stage::AutoDeleverage),
        };
        if let Some(stage) = stage {
            self.pass_stage(stage, market, from);
            let held = self.holdings.get(from, market);
            let margin = self.purses.margin(from, market);
            if stage == Stage::InsuranceFund {
                self.report.takeovers += 1;
                let whole = held.lots == lots && held.cost - margin == value;
                self.problems
                    .require(whole, || "the fund takes over another position than there is".to_owned());
            } else {
                self.report.deleveraged += 1;
                let shrinks = self.holdings.shrinks(&given) && self.holdings.shrinks(&taken);
                self.problems.require(shrinks, || "deleveraging increases or flips a position".to_owned());
            }
        }
        self.change(&given);
        self.change(&taken);
    }

    /// Checks that a stage of the waterfall is the venue's, comes in its turn, and is about the liquidation at work.
    fn pass_stage(&mut self, stage: Stage, market: MarketId, from: AccountId) {
        let venue = self.spec.markets[market.index()].venue;
        let stages = &self.spec.venues[venue.index()].liquidation.waterfall;
        let place = stages.iter().position(|other| *other == stage);
        let in_turn = match (self.forced.as_mut(), place) {
            (Some(forced), Some(place)) if forced.account == from && forced.market == market => {
                let in_turn = place >= forced.stage;
                forced.stage = place;
                in_turn
            }
            _ => false,
        };
        self.problems.require(in_turn, || format!("{stage:?} is not in its turn"));
    }

    fn liquidation(&mut self, told: &Breached) {
        let Breached { market, account, lots, mark, .. } = *told;
        self.report.liquidations += 1;
        self.is_open(market, "a liquidation begins");
        self.problems.require(self.forced.is_none(), || "a liquidation begins within another".to_owned());
        self.forced = Some(Forced { market, account, stage: 0 });
        self.use_mark(market);
        let spec = &self.spec.markets[market.index()];
        let held = self.holdings.get(account, market);
        let worth = holdings::position_value(spec.contract, mark, held.lots);
        let equity = self.purses.margin(account, market) + worth - held.cost;
        let maintenance = money::maintenance(spec.brackets.rows(), worth.abs());
        let in_breach = match self.spec.venues[spec.venue.index()].liquidation.breach {
            Breach::Below => equity < maintenance,
            Breach::AtOrBelow => equity <= maintenance,
        };
        let problems = &mut self.problems;
        let right = [i128::from(told.equity.0), i128::from(told.maintenance.0)] == [equity, maintenance];
        problems.require(held.lots == i128::from(lots.0) && held.lots != 0, || {
            format!("account {account} is liquidated for {lots} lots and has {}", held.lots)
        });
        problems.require(right, || {
            format!("account {account} has equity {equity} and needs {maintenance}, not {told:?}")
        });
        problems.require(in_breach, || format!("account {account} is liquidated without a breach"));
        let is_current = self.books[market.index()].mark == Some(mark.0);
        problems.require(is_current, || "a liquidation is measured at another mark".to_owned());
    }

    fn liquidated(&mut self, market: MarketId, account: AccountId, left: Position) {
        let begun = self.forced.take().is_some_and(|f| f.market == market && f.account == account);
        self.problems.require(begun, || format!("a liquidation of account {account} ends unbegun"));
        let held = self.holdings.get(account, market);
        self.problems.require(held.lots == i128::from(left.0), || {
            format!("account {account} has {} lots left, not {left}", held.lots)
        });
        self.report.unfinished += u64::from(held.lots != 0);
        self.steps.insert((account, market), self.time);
        let is_clean = held.cost == 0 && self.purses.margin(account, market) == 0;
        self.problems.require(held.lots != 0 || is_clean, || {
            format!("account {account} is closed with cost {} or margin left", held.cost)
        });
    }

    /// Checks that the mark is what its rule gives now, as it must be where it decides something.
    fn use_mark(&mut self, market: MarketId) {
        let is_fresh = self.books[market.index()].has_fresh_mark();
        self.problems.require(is_fresh, || format!("the mark of market {market} is old"));
    }

    /// Tells whether all places that an event names exist; nothing else is looked at if not.
    fn is_known(&self, event: &Event) -> bool {
        let market = match event {
            Event::Book { market, .. }
            | Event::Refused { market, .. }
            | Event::StopPlaced { market, .. }
            | Event::StopTriggered { market, .. }
            | Event::StopCancelled { market, .. }
            | Event::Assigned { market, .. }
            | Event::Mark { market, .. }
            | Event::IndexMark { market, .. }
            | Event::Funding { market, .. }
            | Event::Halted { market, .. }
            | Event::Liquidation { market, .. }
            | Event::Liquidated { market, .. }
            | Event::Fundamental { market, .. } => *market,
            Event::Transfer(_) | Event::Shock { .. } => return true,
        };
        market.index() < self.books.len()
    }

    fn hear(&mut self, event: &Event) {
        match *event {
            Event::Book { market, event } => self.book(market, event),
            Event::Refused { market, id, .. } => {
                self.report.refusals += 1;
                let is_live = self.books[market.index()].is_live(id);
                self.ids.refuse(id, is_live, &mut self.problems);
            }
            Event::StopPlaced { market, account, id } => {
                self.ids.place(id, (market, account), &mut self.problems);
            }
            Event::StopTriggered { market, account, id } => {
                self.report.stops += 1;
                self.is_open(market, "a stop goes");
                self.use_mark(market);
                self.ids.trigger(id, (market, account), &mut self.problems);
            }
            Event::StopCancelled { market, account, id } => {
                self.ids.take_back(id, (market, account), &mut self.problems);
            }
            Event::Transfer(transfer) => {
                self.report.transfers += 1;
                let forced = self.forced.map(|forced| (forced.account, forced.market));
                self.purses.transfer(&transfer, forced, &mut self.report, &mut self.problems);
                self.holdings.realize(&transfer, &mut self.problems);
            }
            Event::Assigned { how, market, from, to, lots, value } => {
                let moved = Moved { market, lots: i128::from(lots.0), value: i128::from(value.0) };
                self.assigned(how, from, to, &moved);
            }
            Event::Mark { market, mark, bid, ask, last } => {
                self.report.marks += 1;
                self.books[market.index()].set_mark(mark, [bid, ask, last], &mut self.problems);
                self.note_mark(market, mark);
            }
            Event::IndexMark { market, mark, by_funding, by_basis, last } => {
                self.report.marks += 1;
                let book = &mut self.books[market.index()];
                book.set_index_mark(mark, [by_funding, by_basis], last, &mut self.problems);
                self.note_mark(market, mark);
            }
            Event::Funding { market, rate, mark, per_lot } => self.funding(market, rate, mark, per_lot),
            Event::Liquidation { market, account, lots, mark, equity, maintenance } => {
                self.liquidation(&Breached { market, account, lots, mark, equity, maintenance });
            }
            Event::Liquidated { market, account, left } => self.liquidated(market, account, left),
            Event::Halted { market, until } => self.halt(market, until),
            Event::Fundamental { market, value } => self.fundamentals[market.index()] = Some(value),
            Event::Shock { .. } => {}
        }
    }
}

/// Lots and value that change hands off the book.
#[derive(Clone, Copy)]
struct Moved {
    market: MarketId,
    lots: i128,
    value: i128,
}

/// What a liquidation's record says.
#[derive(Clone, Copy, Debug)]
struct Breached {
    market: MarketId,
    account: AccountId,
    lots: Position,
    mark: Price,
    equity: Money,
    maintenance: Money,
}

impl Observer for Auditor {
    fn on(&mut self, record: &Record) {
        let in_order =
            record.seq == self.problems.seq + 1 && record.time.0 >= self.time && record.cause < record.seq;
        self.problems.seq = record.seq;
        self.time = record.time.0;
        self.report.records += 1;
        self.problems.require(in_order, || "number, time or cause is out of order".to_owned());
        let is_known = self.is_known(&record.event);
        self.problems.require(is_known, || "there is no such market".to_owned());
        if !is_known {
            return;
        }
        if !matches!(record.event, Event::Transfer(_)) {
            self.settle_up();
            self.check_matching(&record.event);
        }
        self.hear(&record.event);
        self.ids.end_record(&record.event);
    }
}

impl Auditor {
    /// Checks that nothing but its own events comes between an accepted order and its end.
    fn check_matching(&mut self, event: &Event) {
        for (index, book) in self.books.iter().enumerate() {
            let own = matches!(event, Event::Book { market, event } if market.index() == index
                && !matches!(event, BookEvent::Accepted(_) | BookEvent::Rejected { .. }));
            self.problems.require(book.taker.is_none() || own, || {
                format!("something else happens while market {index} is matching")
            });
        }
    }

    /// Returns the venues of the rules.
    fn venues(&self) -> impl Iterator<Item = VenueId> + use<> {
        (0..self.spec.venues.len()).map(|venue| VenueId(venue as u16))
    }
}
