//! What was seen of one run: samples, liquidations, and the metrics of the runs table. Memory grows with the samples and
//! the liquidations, never with the number of events.

mod metrics;

use super::criticality::Criticality;
use super::liquidation_map::LiquidationMap;
use super::scale::Scale;
use super::tables::{LIQUIDATIONS, SERIES, TRANSFERS};
use super::{Fragment, RowWriter};
use crate::agents::MetaOrderSpec;
use crate::clearing::{Purse, Reason};
use crate::event::{Assignment, Event, Observer, Record};
use crate::market::{Book, BookEvent, Owner};
use crate::scenario::{Scenario, ShockKind};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Side, Time, VenueId};
use crate::world::World;

/// What is left of a simulation at its end.
#[derive(Clone, Copy)]
pub struct Simulated<'a> {
    /// The world as it is then.
    pub world: &'a World,
    /// Messages that reached a venue, burn-in included.
    pub messages: u64,
    /// Records of the event tape, burn-in included.
    pub records: u64,
}

/// A liquidation in progress.
#[derive(Clone, Copy, Debug)]
struct Forced {
    account: AccountId,
    lots: Position,
    mark: Price,
    equity: Money,
    maintenance: Money,
    filled: f64,
    takeover: f64,
    adl: f64,
}

/// The spot market beside the perpetual.
#[derive(Clone, Debug)]
struct Spot {
    market: MarketId,
    name: String,
    scale: Scale,
    volume: f64,
    since_sample: f64,
    peak: f64,
    drawdown: f64,
    spreads: f64,
    quoted: u32,
}

/// Watches one run of a scenario with one perpetual, and a spot market beside it if there is one.
pub struct Recorder {
    cell: u32,
    replicate: u32,
    id: MarketId,
    market: String,
    spot: Option<Spot>,
    scale: Scale,
    fund: f64,
    /// Whether rows are kept besides the metrics.
    has_rows: bool,
    series: RowWriter<'static>,
    liquidations: RowWriter<'static>,
    map: Option<LiquidationMap>,
    /// When the last sample before the first shock is due, or any before it.
    shocked_from: Time,
    criticality: Option<Criticality>,
    forced: Option<Forced>,
    seen: Seen,
    since_sample: Flow,
    samples: Vec<Sample>,
    minute: Minute,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    volume: f64,
    liquidated: [f64; 2],
}

/// Sums over the recorded part of the run.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    liquidations: u64,
    liquidations_long: u64,
    liquidated: [f64; 2],
    forced_volume: f64,
    volume: f64,
    trades: u64,
    takeover: f64,
    adl: f64,
    adl_count: u64,
    fund_min: f64,
    peak: f64,
    drawdown: f64,
    trough: f64,
    trough_peak: f64,
    trough_time: Time,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    time: Time,
    mark: f64,
    spread_bps: Option<f64>,
    depth: [f64; 2],
    cost_bps: Option<f64>,
    open_interest: f64,
    basis_bps: Option<f64>,
}

/// The largest sum within one minute: minutes of the clock, counted from time zero.
#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    number: i64,
    sum: f64,
    largest: f64,
}

/// What is said to be traded to measure its cost: a large order of a person, a small one of a fund.
const TRADED_USD: f64 = 1e6;

impl Recorder {
    /// Makes the recorder of a run.
    pub fn new(scenario: &Scenario, cell: u32, replicate: u32) -> Self {
        let world = &scenario.world;
        let is_spot = |market: MarketId| world.markets[market.index()].contract.is_spot();
        let markets = || (0..world.markets.len() as u16).map(MarketId);
        let id = markets().find(|market| !is_spot(*market)).expect("a scenario has a perpetual");
        let name = |market: MarketId| world.markets[market.index()].name.clone();
        let spot = markets().find(|market| is_spot(*market)).map(|market| Spot {
            market,
            name: name(market),
            scale: Scale::of(scenario, market),
            volume: 0.0,
            since_sample: 0.0,
            peak: 0.0,
            drawdown: 0.0,
            spreads: 0.0,
            quoted: 0,
        });
        Self {
            cell,
            replicate,
            id,
            market: name(id),
            spot,
            scale: Scale::of(scenario, id),
            fund: 0.0,
            has_rows: true,
            series: RowWriter::new(&SERIES),
            liquidations: RowWriter::new(&LIQUIDATIONS),
            map: None,
            shocked_from: first_shock(scenario) - scenario.sample_every,
            criticality: None,
            forced: None,
            seen: Seen { fund_min: f64::INFINITY, ..Seen::default() },
            since_sample: Flow::default(),
            samples: Vec::new(),
            minute: Minute::default(),
        }
    }

    /// Keeps the metrics alone, for runs that are read by the thousand.
    #[must_use]
    pub fn metrics_only(self) -> Self {
        Self { has_rows: false, ..self }
    }

    /// Keeps a map of liquidation prices besides.
    #[must_use]
    pub fn with_liquidation_map(mut self, scenario: &Scenario) -> Self {
        self.map = Some(LiquidationMap::new(scenario, self.id));
        self
    }

    fn value(&self, price: Price, qty: Qty) -> f64 {
        self.scale.worth(price, qty)
    }

    fn money(&self, money: Money) -> f64 {
        self.scale.usd(money)
    }

    /// Sees the market at one moment, a row of the series. Call it at time zero first, then at equal distances.
    pub fn sample(&mut self, world: &World, time: Time) {
        let market = self.id;
        let state = world.market(market);
        let book = &state.book;
        let mark = world.mark(market);
        let depth = |side, bps| self.value(mark, book.depth_within(side, bps));
        let far = [depth(Side::Buy, 100.0), depth(Side::Sell, 100.0)];
        let (bid, ask) = (book.best(Side::Buy), book.best(Side::Sell));
        let spread_bps = bid.zip(ask).map(|(bid, ask)| {
            let (bid, ask) = (bid.0 as f64, ask.0 as f64);
            (ask - bid) / (0.5 * (ask + bid)) * 1e4
        });
        let basis_bps = state.reference.index.zip(book.mid_twice());
        let basis_bps = basis_bps.map(|(index, twice)| (twice as f64 / 2.0 / index - 1.0) * 1e4);
        let open_interest = self.scale.coins(world.open_interest(market) as f64);
        let mark = self.scale.price(mark);
        let cost_bps = self.cost_bps(world);
        let sample = Sample { time, mark, spread_bps, depth: far, cost_bps, open_interest, basis_bps };
        let flow = std::mem::take(&mut self.since_sample);
        if self.has_rows {
            self.write_sample(world, sample, flow);
        }
        if self.samples.is_empty() {
            self.seen.fund_min = self.money(world.ledger.fund[0]);
            self.seen.peak = mark;
        }
        self.samples.push(sample);
        if time >= self.shocked_from && self.criticality.is_none() {
            self.criticality = Some(Criticality::of(world, market));
        }
        if let Some(map) = &mut self.map {
            map.sample((self.cell, self.replicate), world, time);
        }
        self.sample_spot(world, time);
    }

    /// Returns what it costs now to trade [`TRADED_USD`] at market, the mean of both sides, with the taker's fee; `None` if a half of the
    /// book holds less.
    fn cost_bps(&self, world: &World) -> Option<f64> {
        let book = &world.market(self.id).book;
        let middle = book.mid_twice()? as f64 / 2.0;
        let qty = Qty(libm::rint(TRADED_USD / (self.scale.value * middle)) as i64);
        if qty.is_zero() {
            return None;
        }
        let away = |side: Side| {
            let cost = book.cost_to_trade(side, qty);
            let mean = cost.value as f64 / qty.0 as f64;
            (cost.filled == qty).then(|| (mean / middle - 1.0).abs() * 1e4)
        };
        let venue = world.spec.markets[self.id.index()].venue;
        let fee = world.spec.venues[venue.index()].fees.taker.0 as f64 / 1e5;
        Some(0.5 * (away(Side::Buy)? + away(Side::Sell)?) + fee)
    }

    /// Writes the row of the perpetual.
    fn write_sample(&mut self, world: &World, sample: Sample, flow: Flow) {
        let market = self.id;
        let state = world.market(market);
        let book = &state.book;
        let at = world.mark(market);
        let price = |price: Option<Price>| price.map(|price| self.scale.price(price));
        let near = [Side::Buy, Side::Sell].map(|side| self.value(at, book.depth_within(side, 10.0)));
        let (bid, ask) = (price(book.best(Side::Buy)), price(book.best(Side::Sell)));
        let last = price(state.last);
        let fund = self.money(world.ledger.fund[0]);
        let rules = &world.spec.markets[market.index()];
        self.series
            .row(self.cell, self.replicate)
            .time(sample.time)
            .text(self.market.as_str())
            .number(bid)
            .number(ask)
            .number(last)
            .number(sample.mark)
            .number(state.reference.index.map(|index| self.scale.usd_of_ticks(index)))
            .number(sample.basis_bps)
            .number(rules.funding.map(|_| state.reference.funding_rate * 100.0))
            .number((rules.volatility_half_life > Time::ZERO).then(|| state.reference.volatility() * 100.0))
            .number(self.scale.usd_of_ticks(state.fundamental))
            .number(near[0])
            .number(near[1])
            .number(sample.depth[0])
            .number(sample.depth[1])
            .number(flow.volume)
            .number(flow.liquidated[0])
            .number(flow.liquidated[1])
            .number(sample.open_interest)
            .number(fund);
    }

    /// Writes the row of the spot market: what only a perpetual has is left out.
    fn sample_spot(&mut self, world: &World, time: Time) {
        let Some(spot) = &mut self.spot else { return };
        let state = world.market(spot.market);
        let book = &state.book;
        let scale = spot.scale;
        let price = |price: Option<Price>| price.map(|price| scale.price(price));
        let (bid, ask) = (price(book.best(Side::Buy)), price(book.best(Side::Sell)));
        if let (Some(bid), Some(ask)) = (bid, ask) {
            let middle = 0.5 * (bid + ask);
            spot.spreads += (ask - bid) / middle * 1e4;
            spot.quoted += 1;
            spot.peak = spot.peak.max(middle);
            spot.drawdown = spot.drawdown.max(1.0 - middle / spot.peak);
        }
        let mark = world.mark(spot.market);
        let volume = std::mem::take(&mut spot.since_sample);
        if !self.has_rows {
            return;
        }
        let depth = |side, bps| {
            let lots = book.depth_within(side, bps);
            spot.scale.value * mark.0 as f64 * lots.0 as f64
        };
        let depths = [10.0, 100.0].map(|bps| [Side::Buy, Side::Sell].map(|side| depth(side, bps)));
        self.series
            .row(self.cell, self.replicate)
            .time(time)
            .text(spot.name.as_str())
            .number(bid)
            .number(ask)
            .number(price(state.last))
            .number(scale.price(mark))
            .number(None)
            .number(None)
            .number(None)
            .number(None)
            .number(None)
            .number(depths[0][0])
            .number(depths[0][1])
            .number(depths[1][0])
            .number(depths[1][1])
            .number(volume)
            .number(None)
            .number(None)
            .number(None)
            .number(None);
    }

    /// Ends the recording: metrics in the order of the runs table, and the rows of the other tables if they are kept.
    pub fn finish(self, simulated: Simulated<'_>) -> (Vec<Option<f64>>, Vec<Fragment>) {
        let world = simulated.world;
        let metrics = self.metrics(simulated);
        if !self.has_rows {
            return (metrics, Vec::new());
        }
        let mut transfers = RowWriter::new(&TRANSFERS);
        for reason in Reason::ALL {
            let amount = world.ledger.total(reason) as f64 * self.scale.money;
            transfers
                .row(self.cell, self.replicate)
                .text(reason.name())
                .integer(world.ledger.count(reason) as i64)
                .number(amount);
        }
        let fragment = |table: &super::Table<'_>, rows| Fragment { table: table.name.to_owned(), rows };
        let mut fragments = vec![
            fragment(&SERIES, self.series.finish()),
            fragment(&LIQUIDATIONS, self.liquidations.finish()),
            fragment(&TRANSFERS, transfers.finish()),
        ];
        fragments.extend(self.map.into_iter().flat_map(LiquidationMap::finish));
        (metrics, fragments)
    }

    fn mark_moved(&mut self, mark: Price, time: Time) {
        let mark = self.scale.price(mark);
        if mark > self.seen.peak {
            self.seen.peak = mark;
        }
        let fall = 1.0 - mark / self.seen.peak;
        if fall > self.seen.drawdown {
            self.seen.drawdown = fall;
            self.seen.trough = mark;
            self.seen.trough_peak = self.seen.peak;
            self.seen.trough_time = time;
        }
    }

    fn liquidated(&mut self, forced: &Forced, left: Position, time: Time) {
        let side = usize::from(forced.lots.0 < 0);
        let closed = self.value(forced.mark, forced.lots.size() - left.size());
        self.seen.liquidated[side] += closed;
        self.since_sample.liquidated[side] += closed;
        let minute = time.0.div_euclid(60 * Time::SECOND.0);
        if minute != self.minute.number {
            self.minute.number = minute;
            self.minute.sum = 0.0;
        }
        self.minute.sum += closed;
        self.minute.largest = self.minute.largest.max(self.minute.sum);
        if !self.has_rows {
            return;
        }
        let (equity, maintenance) = (self.money(forced.equity), self.money(forced.maintenance));
        self.liquidations
            .row(self.cell, self.replicate)
            .time(time)
            .text(self.market.as_str())
            .integer(i64::from(forced.account.0))
            .text(if side == 0 { "long" } else { "short" })
            .number(self.scale.coins(forced.lots.size().0 as f64))
            .number(self.scale.price(forced.mark))
            .number(equity)
            .number(maintenance)
            .number(closed)
            .number(forced.filled)
            .number(forced.takeover)
            .number(forced.adl);
    }

    #[inline(never)]
    fn fund_moved(&mut self, amount: Money) {
        self.fund += self.money(amount);
        self.seen.fund_min = self.seen.fund_min.min(self.fund);
    }

    #[inline(never)]
    fn traded(&mut self, taker: Owner, price: Price, qty: Qty) {
        let value = self.value(price, qty);
        self.seen.trades += 1;
        self.seen.volume += value;
        self.since_sample.volume += value;
        if let Some(forced) = self.forced.as_mut().filter(|forced| forced.account.0 == taker.0) {
            forced.filled += value;
            self.seen.forced_volume += value;
        }
    }

    #[inline(never)]
    fn traded_spot(&mut self, price: Price, qty: Qty) {
        if let Some(spot) = &mut self.spot {
            let value = spot.scale.value * price.0 as f64 * qty.0 as f64;
            spot.volume += value;
            spot.since_sample += value;
        }
    }

    fn assigned(&mut self, how: Assignment, value: Money) {
        let value = self.money(value).abs();
        if let Some(forced) = &mut self.forced {
            match how {
                Assignment::Takeover => {
                    forced.takeover += value;
                    self.seen.takeover += value;
                }
                Assignment::Deleverage => {
                    forced.adl += value;
                    self.seen.adl += value;
                    self.seen.adl_count += 1;
                }
                Assignment::Seed => {}
            }
        }
    }
}

/// Returns when the first shock strikes; time zero without any.
fn first_shock(scenario: &Scenario) -> Time {
    let times = scenario.shocks.iter().map(|shock| match shock.kind {
        ShockKind::MetaOrder(MetaOrderSpec { at, .. }) | ShockKind::FundamentalJump { at, .. } => at,
    });
    times.min().unwrap_or(Time::ZERO)
}

impl Observer for Recorder {
    /// Inlined where a record is said, which is where its kind is known: most kinds are of no interest and leave nothing.
    #[allow(clippy::inline_always, reason = "see above")]
    #[inline(always)]
    fn on(&mut self, record: &Record) {
        let fund = Purse::Fund(VenueId(0));
        match record.event {
            Event::Transfer(transfer) if transfer.to == fund => self.fund_moved(transfer.amount),
            Event::Transfer(transfer) if transfer.from == fund => self.fund_moved(-transfer.amount),
            Event::Transfer(_) => {}
            _ if record.time < Time::ZERO => {}
            Event::Book { market, event: BookEvent::Trade(trade) } if market == self.id => {
                self.traded(trade.taker_owner, trade.price, trade.qty);
            }
            Event::Book { event: BookEvent::Trade(trade), .. } => self.traded_spot(trade.price, trade.qty),
            Event::Mark { market, mark, .. } | Event::IndexMark { market, mark, .. } if market == self.id => {
                self.mark_moved(mark, record.time);
            }
            Event::Liquidation { account, lots, mark, equity, maintenance, .. } => {
                self.seen.liquidations += 1;
                self.seen.liquidations_long += u64::from(lots.0 > 0);
                let (filled, takeover, adl) = (0.0, 0.0, 0.0);
                self.forced =
                    Some(Forced { account, lots, mark, equity, maintenance, filled, takeover, adl });
            }
            Event::Assigned { how, value, .. } => self.assigned(how, value),
            Event::Liquidated { left, .. } => {
                if let Some(forced) = self.forced.take() {
                    self.liquidated(&forced, left, record.time);
                }
            }
            _ => {}
        }
    }
}
