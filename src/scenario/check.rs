//! From a document to a scenario that always runs, or to every problem at once.

use super::schema::KEYS;
use super::{
    Document, Entries, Latency, Population, PopulationStrategy, Problem, Reader, Scenario, Section, Seeding,
    Shock, ShockKind,
};
use crate::agents::{
    BackgroundSpec, FundamentalistSpec, MakerSpec, MetaOrderSpec, RetailSpec, Rung, Withdrawal,
};
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle, Stage};
use crate::market::{BookSpec, SelfTrade};
use crate::mechanisms::{FundamentalSpec, Mechanism, Mechanisms};
use crate::sampling::LogNormal;
use crate::units::{AssetId, MarketId, Money, Price, Qty, Rate, Side, Time, VenueId, decimal_to_units};
use crate::world::{AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, VenueSpec, WorldSpec};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Checks a document; `name` is what the scenario is called in tables and folders.
pub fn check(document: &Document, name: &str) -> Result<Scenario, Vec<Problem>> {
    let reader = Reader::new(document, KEYS);
    let scenario = Checker::new(reader.root()).scenario(name);
    let problems = reader.finish();
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(scenario),
        _ => {
            assert!(!problems.is_empty(), "a scenario that cannot be built has a problem that says why");
            Err(problems)
        }
    }
}

/// Returns the document with every default that its check reads, so that the text of a run says all that decided it.
pub fn completed(document: &Document) -> Document {
    let reader = Reader::new(document, KEYS);
    let _scenario = Checker::new(reader.root()).scenario("");
    reader.completed()
}

/// One lot of a market in the amounts that strategies are stated in.
#[derive(Clone, Copy)]
struct Scale {
    /// Coins a lot.
    lot: Decimal,
    /// Settlement units a lot at the initial price.
    lot_value: f64,
}

struct Checker<'r> {
    root: Section<'r>,
    assets: Vec<String>,
    venues: Vec<String>,
    markets: Vec<String>,
    scales: Vec<Option<Scale>>,
}

impl<'r> Checker<'r> {
    fn new(root: Section<'r>) -> Self {
        let names = |key| root.tables(key).into_iter().map(|(name, _)| name).collect();
        Self {
            assets: names("assets"),
            venues: names("venues"),
            markets: names("markets"),
            scales: Vec::new(),
            root,
        }
    }

    fn scenario(mut self, name: &str) -> Option<Scenario> {
        let root = self.root;
        let assets: Vec<_> =
            root.tables("assets").iter().map(|(name, asset)| Self::asset(name, *asset)).collect();
        let venues: Vec<_> =
            root.tables("venues").iter().map(|(name, venue)| self.venue(name, *venue, &assets)).collect();
        let tables = root.tables("markets");
        if tables.len() != 1 {
            let (what, help) = match tables.last() {
                None => ("missing, expected one market".to_owned(), "a table [markets.NAME]".to_owned()),
                Some((last, _)) => (
                    format!("this version takes one market, found {}", tables.len()),
                    format!("remove `markets.{last}` or another"),
                ),
            };
            match tables.last() {
                Some((_, last)) => last.problem("", what, Some(help)),
                None => root.problem("markets", what, Some(help)),
            }
        }
        let mut markets = Vec::new();
        let mut fundamentals = Vec::new();
        for (name, table) in tables {
            let market = self.market(&name, table, &assets, &venues);
            self.scales.push(market.as_ref().map(|(_, scale)| *scale));
            markets.push(market.map(|(market, _)| market));
            let fundamental = table.table("fundamental");
            fundamentals.push(FundamentalSpec {
                volatility: fundamental.float("volatility"),
                step: fundamental.duration("step"),
            });
        }
        let populations: Vec<_> = root
            .tables("populations")
            .iter()
            .map(|(name, table)| self.population(name, *table, &markets))
            .collect();
        let (duration, burn_in) = (root.duration("duration"), root.duration("burn_in"));
        let shocks: Vec<_> =
            root.tables("shocks").iter().map(|(name, table)| self.shock(name, *table, duration)).collect();
        let sample_every = root.duration("sample_every");
        if root.is_spoilt("duration") || root.is_spoilt("sample_every") {
            // Nothing follows from a stand-in.
        } else if sample_every > duration {
            root.problem("sample_every", "is longer than the whole run", None);
        } else if duration.0.div_euclid(sample_every.0.max(1)) > 1_000_000 {
            root.problem(
                "sample_every",
                "makes more than a million rows a run",
                Some("take a longer time".into()),
            );
        }
        let switches = root.table("mechanisms");
        let mechanisms = Mechanism::ALL
            .into_iter()
            .fold(Mechanisms::default(), |all, one| all.with(one, switches.bool(one.name())));
        let names = Mechanism::NAMES.map(str::to_owned);
        let counterfactuals = root.references("counterfactuals", "mechanism", &names);
        Some(Scenario {
            name: name.to_owned(),
            title: root.text("title"),
            start: root.instant("start"),
            duration,
            burn_in,
            sample_every,
            world: WorldSpec {
                assets: assets.into_iter().collect::<Option<_>>()?,
                venues: venues.into_iter().collect::<Option<_>>()?,
                markets: markets.into_iter().collect::<Option<_>>()?,
            },
            fundamentals,
            levels: Vec::new(),
            populations: populations.into_iter().collect::<Option<_>>()?,
            positions: Vec::new(),
            shocks: shocks.into_iter().collect::<Option<_>>()?,
            mechanisms,
            counterfactuals: counterfactuals.into_iter().map(|index| Mechanism::ALL[index]).collect(),
        })
    }

    fn asset(name: &str, table: Section<'_>) -> Option<AssetSpec> {
        let unit = table.exact("unit");
        let units =
            Decimal::ONE.checked_div(unit).filter(|units| units.fract().is_zero()).and_then(|u| u.to_i64());
        if units.is_none() {
            table.problem("unit", format!("one coin is not a whole number of units of {unit}"), None);
        }
        Some(AssetSpec { name: name.to_owned(), units_per_coin: units? })
    }

    fn venue(&self, name: &str, table: Section<'_>, assets: &[Option<AssetSpec>]) -> Option<VenueSpec> {
        let settlement = table.reference("settlement", "asset", &self.assets);
        let unit = settlement.and_then(|index| assets[index].as_ref()).map(unit_of);
        let fund = unit.and_then(|unit| exact(table, "insurance_fund", unit));
        let fees = table.table("fees");
        let rate = |section, key| exact(section, key, RATE_UNIT).map(Rate);
        let (maker, taker) = (rate(fees, "maker"), rate(fees, "taker"));
        let rules = table.table("liquidation");
        let fee = rate(rules, "fee");
        let style = match rules.choice("style") {
            "market" => LiquidationStyle::Market,
            _ => LiquidationStyle::IocToBankruptcy,
        };
        let breach = match rules.choice("breach") {
            "at_or_below" => Breach::AtOrBelow,
            _ => Breach::Below,
        };
        let row = rules.row("waterfall");
        let mut waterfall: Vec<Stage> = Vec::new();
        for cell in 0..row.len() {
            let stage = match row.choice(cell, &["insurance_fund", "auto_deleverage"]) {
                "insurance_fund" => Stage::InsuranceFund,
                _ => Stage::AutoDeleverage,
            };
            if waterfall.contains(&stage) {
                row.problem(cell, "is listed twice", None);
            }
            waterfall.push(stage);
        }
        Some(VenueSpec {
            name: name.to_owned(),
            settlement: AssetId(settlement? as u16),
            fees: FeeSchedule { maker: maker?, taker: taker? },
            liquidation: LiquidationRules { breach, style, fee: fee?, waterfall },
            insurance_fund: Money(fund?),
        })
    }

    fn market(
        &self,
        name: &str,
        table: Section<'_>,
        assets: &[Option<AssetSpec>],
        venues: &[Option<VenueSpec>],
    ) -> Option<(MarketSpec, Scale)> {
        let venue = table.reference("venue", "venue", &self.venues);
        let base = table.reference("base", "asset", &self.assets);
        let (tick, lot) = (table.exact("tick"), table.exact("lot"));
        let price = if table.is_spoilt("tick") { None } else { exact(table, "initial_price", tick) };
        let settlement = venue.and_then(|index| venues[index].as_ref()).map(|venue| venue.settlement);
        let asset = settlement.and_then(|asset| assets[asset.index()].as_ref());
        let money = asset.map(unit_of);
        let unit = money.and_then(|money| {
            if table.is_spoilt("tick") || table.is_spoilt("lot") {
                return None;
            }
            let product = tick.checked_mul(lot)?;
            let unit = decimal_to_units(product, money).ok().filter(|unit| *unit > 0);
            if unit.is_none() {
                let what =
                    format!("tick times lot, {product}, is not a multiple of the settlement unit, {money}");
                table.problem(
                    "lot",
                    what,
                    Some("make the lot or the tick larger, or the asset's unit finer".into()),
                );
            }
            unit
        });
        let mark = match table.choice("mark") {
            "best_bid" => MarkRule::BestBid,
            "last" => MarkRule::Last,
            _ => MarkRule::Median,
        };
        let self_trade = match table.choice("self_trade") {
            "allow" => SelfTrade::Allow,
            "cancel_maker" => SelfTrade::CancelMaker,
            "cancel_both" => SelfTrade::CancelBoth,
            _ => SelfTrade::CancelTaker,
        };
        let least = money.and_then(|money| exact(table, "min_notional", money));
        let brackets = brackets(table.table("margin"), money);
        let (unit, price) = (unit?, price?);
        let lot_value = i128::from(unit) * i128::from(price);
        if lot_value > i128::from(i64::MAX) >> 24 {
            table.problem("lot", "one lot is worth more than the ledger can hold sixteen million of", None);
            return None;
        }
        let scale = Scale { lot, lot_value: lot_value as f64 / asset?.units_per_coin as f64 };
        let spec = MarketSpec {
            name: name.to_owned(),
            venue: VenueId(venue? as u16),
            base: AssetId(base? as u16),
            contract: Contract::Linear { unit },
            tick,
            lot,
            initial_price: Price(price),
            mark,
            brackets: brackets?,
            book: BookSpec {
                self_trade,
                min_notional: least?.div_euclid(unit) + i64::from(least? % unit != 0),
            },
        };
        Some((spec, scale))
    }

    fn population(
        &self,
        name: &str,
        table: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<Population> {
        let delay = table.table("latency");
        let latency = Latency { base: delay.duration("base"), jitter: delay.duration("jitter") };
        let (variant, body) = table.one_of("strategy")?;
        let strategy = match variant {
            "background" => self.background(body),
            "maker" => self.maker(body),
            "retail" => self.retail(body, markets),
            "fundamentalist" => self.fundamentalist(body),
            other => unreachable!("the key table does not declare {other}"),
        };
        Some(Population { name: name.to_owned(), latency, strategy: strategy? })
    }

    /// Returns the market that a strategy or shock names, with its scale; `None` after a problem was said somewhere.
    fn at(&self, body: Section<'_>) -> Option<(MarketId, Scale)> {
        if self.markets.is_empty() {
            // Said once, for the scenario as a whole.
            return None;
        }
        let index = body.reference("market", "market", &self.markets)?;
        Some((MarketId(index as u16), (*self.scales.get(index)?)?))
    }

    fn background(&self, body: Section<'_>) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let (bids, asks) = (profile(body, "bids"), profile(body, "asks"));
        let scale = body.float("depth_scale");
        let orders_per_rung = body.float("orders_per_rung");
        let (near, far) = (body.duration("lifetime_near"), body.duration("lifetime_far"));
        let market_rate = body.float("market_orders_per_second");
        let (median, sigma) = (body.float("market_order_median"), body.float("market_order_sigma"));
        let (bids, asks) = (bids?, asks?);
        if bids.iter().map(|(bps, _)| bps).ne(asks.iter().map(|(bps, _)| bps)) {
            body.problem("asks", "stand at other distances than the bids", None);
            return None;
        }
        let (market, lot) = at?;
        let last = bids.last()?.0;
        let first = bids.first()?.0;
        let (mut from, mut bid_before, mut ask_before) = (0.0, 0.0, 0.0);
        let rungs: Vec<Rung> = bids
            .iter()
            .zip(&asks)
            .map(|(&(to, bid), &(_, ask))| {
                let share = if last > first { libm::log(to / first) / libm::log(last / first) } else { 0.0 };
                let logs = [near, far].map(|life| libm::log(life.as_secs_f64()));
                let rung = Rung {
                    from_bps: from,
                    to_bps: to,
                    bid_lots: (bid - bid_before) * scale / lot.lot_value,
                    ask_lots: (ask - ask_before) * scale / lot.lot_value,
                    lifetime_s: libm::exp(logs[0] + share * (logs[1] - logs[0])),
                };
                (from, bid_before, ask_before) = (to, bid, ask);
                rung
            })
            .collect();
        let rate: f64 = rungs.iter().map(|rung| orders_per_rung / rung.lifetime_s).sum();
        if rate > 100_000.0 {
            let what = format!("makes {rate:.0} limit orders a second");
            body.problem(
                "lifetime_near",
                what,
                Some("more than 100000 a second never end; take longer lives".into()),
            );
        }
        let lots_a_coin = 1.0 / lot.lot.to_f64()?;
        let market_qty = LogNormal::new(median * lots_a_coin, sigma);
        Some(PopulationStrategy::Background(BackgroundSpec {
            market,
            rungs,
            orders_per_rung,
            market_rate,
            market_qty,
        }))
    }

    fn maker(&self, body: Section<'_>) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let lot = at.map(|(_, scale)| scale.lot);
        let qty = |key| lot.and_then(|lot| exact(body, key, lot)).map(Qty);
        let (quote, limit) = (qty("quote"), qty("inventory_limit"));
        let withdrawal = body.opt_table("withdrawal").map(|rule| Withdrawal {
            move_bps: rule.float("move_bps"),
            half_life: rule.duration("half_life"),
            pause: rule.duration("pause"),
        });
        let (count, levels) = (body.int("count"), body.int("levels"));
        let spec = MakerSpec {
            market: at.map_or(MarketId(0), |(market, _)| market),
            levels: levels as u32,
            quote_qty: Qty(1),
            half_spread_bps: body.float("half_spread_bps"),
            spacing_bps: body.float("spacing_bps"),
            skew_bps: body.float("skew_bps"),
            inventory_limit: Qty(1),
            interval: body.duration("interval"),
            withdrawal,
        };
        at?;
        let spec = MakerSpec { quote_qty: quote?, inventory_limit: limit?, ..spec };
        Some(PopulationStrategy::Maker { count: count as u32, spec })
    }

    fn retail(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        let (longs, shorts, idle) = (body.int("longs"), body.int("shorts"), body.int("idle"));
        if ["longs", "shorts", "idle"].iter().any(|key| body.is_spoilt(key)) {
            // Nothing follows from a stand-in.
        } else if longs + shorts + idle == 0 {
            body.problem("longs", "leaves the population without an account", None);
        } else if longs + shorts + idle > 5_000_000 {
            let accounts = longs + shorts + idle;
            let gigabytes = accounts as f64 * 200.0 / 1e9;
            let what = format!("with shorts and idle these are {accounts} accounts, about {gigabytes:.1} GB");
            body.problem("longs", what, Some("a population has at most 5000000 accounts".into()));
        }
        let highest = market.map_or(u16::MAX, |market| market.brackets.rows()[0].max_leverage);
        let (mut leverages, mut weights) = (Vec::new(), Vec::new());
        for row in body.rows("leverages") {
            if row.expect(&["leverage", "weight"]) {
                let leverage = row.int(0, 1, 1_000) as u16;
                if leverage > highest {
                    let help = "no bracket of the market allows more".to_owned();
                    row.problem(0, format!("is above the highest leverage, {highest}"), Some(help));
                }
                leverages.push(leverage);
                weights.push(row.float(1, 0.0, 1e12));
            }
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            body.problem(
                "leverages",
                "have no weight",
                Some("one row of [leverage, weight] at least".into()),
            );
        }
        let per_second = |key| body.float(key) / 86_400.0;
        let spec = RetailSpec {
            market: at.map_or(MarketId(0), |(market, _)| market),
            accounts: (longs + shorts + idle).clamp(0, i64::from(u32::MAX)) as u32,
            leverages,
            weights,
            long_share: body.float("long_share"),
            open_rate: per_second("opens_per_day"),
            close_rate: per_second("closes_per_day"),
            stake: body.float("stake"),
        };
        let seeding = Seeding {
            longs: longs as u32,
            shorts: shorts as u32,
            notional: LogNormal::new(body.float("notional_median"), body.float("notional_sigma")),
            notional_cap: body.float("notional_cap"),
            spare: body.float("spare"),
            entries: entries(body, market)?,
        };
        at?;
        (!spec.leverages.is_empty()).then_some(PopulationStrategy::Retail { spec, seeding })
    }

    fn fundamentalist(&self, body: Section<'_>) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let spec = FundamentalistSpec {
            market: at.map_or(MarketId(0), |(market, _)| market),
            accounts: body.int("accounts") as u32,
            capital: body.float("capital"),
            value_noise_bps: body.float("value_noise_bps"),
            threshold_bps: body.float("threshold_bps"),
            order_share: body.float("order_share"),
            mean_interval: body.duration("mean_interval"),
            short: body.bool("short"),
        };
        at.map(|_| PopulationStrategy::Fundamentalist(spec))
    }

    fn shock(&self, name: &str, table: Section<'_>, duration: Time) -> Option<Shock> {
        let (variant, body) = table.one_of("event")?;
        let place = self.at(body);
        let at = body.duration("at");
        if at > duration && !self.root.is_spoilt("duration") {
            let help = "the scenario's `duration` says when it ends".to_owned();
            body.problem("at", "is after the end of the run", Some(help));
        }
        let kind = match variant {
            "meta_order" => {
                let side = if body.choice("side") == "buy" { Side::Buy } else { Side::Sell };
                let (duration, slice_every) = (body.duration("duration"), body.duration("slice_every"));
                if duration > Time::ZERO && slice_every > duration && !body.is_spoilt("duration") {
                    body.problem("slice_every", "is longer than the whole order", None);
                }
                let (market, scale) = place?;
                let qty = Qty(exact(body, "quantity", scale.lot)?);
                ShockKind::MetaOrder(MetaOrderSpec { market, side, qty, at, duration, slice_every })
            }
            "fundamental_jump" => {
                let bps = body.float("bps");
                ShockKind::FundamentalJump { market: place?.0, at, bps }
            }
            other => unreachable!("the key table does not declare {other}"),
        };
        Some(Shock { name: name.to_owned(), kind })
    }
}

/// Rates are whole billionths.
const RATE_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

fn unit_of(asset: &AssetSpec) -> Decimal {
    Decimal::ONE / Decimal::from(asset.units_per_coin)
}

/// Reads an exact value as a whole number of units.
fn exact(section: Section<'_>, key: &str, unit: Decimal) -> Option<i64> {
    let value = section.exact(key);
    decimal_to_units(value, unit).map_err(|error| section.problem(key, error.to_string(), None)).ok()
}

/// Reads rows of [bps, cumulative depth], ascending in both.
fn profile(body: Section<'_>, key: &str) -> Option<Vec<(f64, f64)>> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for row in body.rows(key) {
        if !row.expect(&["distance in bps", "cumulative depth"]) {
            continue;
        }
        let point = (row.float(0, 0.01, 9_000.0), row.float(1, 0.0, 1e15));
        if let Some(last) = points.last() {
            if point.0 <= last.0 {
                row.problem(0, format!("does not lie beyond {}", last.0), None);
            }
            if point.1 < last.1 {
                row.problem(
                    1,
                    format!("is less than {} nearer to the middle", last.1),
                    Some("depth is cumulative".into()),
                );
            }
        }
        points.push(point);
    }
    if points.last().is_none_or(|last| last.1 <= 0.0) {
        body.problem(key, "hold no depth", None);
        return None;
    }
    Some(points)
}

/// Reads margin brackets.
fn brackets(margin: Section<'_>, money: Option<Decimal>) -> Option<Brackets> {
    // Where the settlement asset is in doubt, the rows are still checked, in the unit that stablecoins have.
    let unit = money.unwrap_or(Decimal::from_parts(1, 0, 0, false, 6));
    let cap = exact(margin, "cap", unit);
    let mut rows: Vec<(Money, Rate, u16)> = Vec::new();
    let mut sound = true;
    for row in margin.rows("brackets") {
        if !row.expect(&["notional floor", "maintenance rate", "highest leverage"]) {
            sound = false;
            continue;
        }
        let floor = decimal_to_units(row.exact(0, "0", "2000000000000"), unit);
        let rate = decimal_to_units(row.exact(1, "0", "1"), RATE_UNIT);
        let leverage = row.int(2, 1, 1_000);
        let (Ok(floor), Ok(rate)) = (floor, rate) else {
            row.problem(0, "has more digits than are booked", None);
            sound = false;
            continue;
        };
        let mut wrong = |cell, what: String, help: &str| {
            row.problem(cell, what, Some(help.to_owned()));
            sound = false;
        };
        if rate * leverage > Rate::ONE {
            let initial = Decimal::ONE / Decimal::from(leverage);
            let what =
                format!("maintenance rate is above the initial rate at {leverage}x, {}", initial.round_dp(6));
            wrong(1, what, "a position would be liquidated as it opens; lower the rate or the leverage");
        }
        match rows.last() {
            None if floor != 0 => wrong(0, "is not 0".into(), "the first bracket starts at 0"),
            Some(last) if floor <= last.0.0 => {
                wrong(0, "does not lie above the floor before".into(), "brackets ascend");
            }
            Some(last) if rate < last.1.0 => wrong(1, "is below the rate before".into(), "rates do not fall"),
            Some(last) if leverage > i64::from(last.2) => {
                wrong(2, "is above the leverage before".into(), "leverage does not rise with notional");
            }
            _ => {}
        }
        rows.push((Money(floor), Rate(rate), leverage as u16));
    }
    if rows.is_empty() {
        if sound {
            margin.problem(
                "brackets",
                "hold no bracket",
                Some("one row of [0, rate, leverage] is a flat rule".into()),
            );
        }
        return None;
    }
    let cap = Money(cap?);
    if cap <= rows[rows.len() - 1].0 {
        margin.problem("cap", "does not lie above the last bracket's floor", None);
        sound = false;
    }
    (sound && money.is_some()).then(|| Brackets::new(&rows, cap))
}

/// Reads where positions were opened.
fn entries(body: Section<'_>, market: Option<&MarketSpec>) -> Option<Entries> {
    let (variant, entries) = body.one_of("entries")?;
    if variant == "spread" {
        return Some(Entries::Spread(entries.float("bps")));
    }
    let mean_age = entries.duration("mean_age").as_secs_f64() / 3_600.0;
    let mut hours = Vec::new();
    for row in entries.rows("hours") {
        if !row.expect(&["high", "low"]) {
            continue;
        }
        let cells = [0, 1].map(|cell| row.exact(cell, "0.000000001", "1000000000"));
        let tick = market.map_or(Decimal::ONE, |market| market.tick);
        let ticks = cells.map(|price| decimal_to_units(price, tick));
        match ticks {
            [Ok(high), Ok(low)] if low > high => row.problem(1, "is above the high", None),
            [Ok(high), Ok(low)] => hours.push((Price(high), Price(low))),
            [Err(error), _] if market.is_some() => row.problem(0, error.to_string(), None),
            [_, Err(error)] if market.is_some() => row.problem(1, error.to_string(), None),
            _ => {}
        }
    }
    if hours.is_empty() {
        entries.problem("hours", "hold no hour", None);
        return None;
    }
    Some(Entries::History { hours, mean_age })
}
