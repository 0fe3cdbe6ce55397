//! From a document to a scenario that always runs, or to every problem at once.

mod investors;
mod margin;
mod populations;
mod safeguards;
mod timeline;

use super::schema::KEYS;
use super::{Adaptation, Document, Problem, Reader, Scenario, Section};
use crate::agents::UnloadingSpec;
use crate::clearing::waterfall::AdlRank;
use crate::clearing::{Breach, Contract, Stage};
use crate::market::{BookSpec, SelfTrade};
use crate::mechanisms::{FundamentalSpec, Mechanism, Mechanisms};
use crate::units::{AssetId, MarketId, Money, Price, Qty, Rate, Time, VenueId, decimal_to_units};
use crate::world::{
    AssetSpec, FeeSchedule, FundingSpec, IndexSpec, LiquidationRules, MarkRule, MarketSpec, Safeguards,
    VenueSpec, WorldSpec,
};
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
        let unloading = root.tables("venues").into_iter().map(|(_, venue)| {
            let table = venue.opt_table("unloading")?;
            Some(UnloadingSpec { interval: table.duration("interval"), share: table.float("share") })
        });
        let unloading = unloading.collect();
        let tables = root.tables("markets");
        self.count_markets(&tables);
        let mut markets = Vec::new();
        let mut fundamentals = Vec::new();
        let mut passive = Vec::new();
        for (name, table) in tables {
            let market = self.market(&name, table, &assets, &venues);
            self.scales.push(market.as_ref().map(|(_, scale)| *scale));
            markets.push(market.map(|(market, _)| market));
            let lots = if table.is_spoilt("lot") {
                None
            } else {
                exact(table, "passive_open_interest", table.exact("lot"))
            };
            if lots.is_some_and(|lots| lots > 0) && table.choice("contract") == "spot" {
                let help = "remove this key".to_owned();
                table.problem("passive_open_interest", "a spot market has no open interest", Some(help));
            }
            passive.push(Qty(lots.unwrap_or(0)));
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
            unloading,
            passive,
            fundamentals,
            levels: Vec::new(),
            populations: populations.into_iter().collect::<Option<_>>()?,
            positions: Vec::new(),
            shocks: shocks.into_iter().collect::<Option<_>>()?,
            adaptation: match root.choice("adaptation") {
                "keep" => Adaptation::Keep,
                "same_notional" => Adaptation::SameNotional,
                _ => Adaptation::SameEquity,
            },
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
        let fund = unit.and_then(|unit| safeguards::fund(table, unit));
        let fees = table.table("fees");
        let rate = |section, key| exact(section, key, RATE_UNIT).map(Rate);
        let (maker, taker) = (rate(fees, "maker"), rate(fees, "taker"));
        let rules = table.table("liquidation");
        let fee = rate(rules, "fee");
        let style = safeguards::style(rules);
        let breach = match rules.choice("breach") {
            "at_or_below" => Breach::AtOrBelow,
            _ => Breach::Below,
        };
        let rank = match rules.choice("adl_rank") {
            "binance" => AdlRank::Binance,
            _ => AdlRank::Bitmex,
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
            liquidation: LiquidationRules { breach, style: style?, fee: fee?, waterfall, rank },
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
        let is_spot = table.choice("contract") == "spot";
        let mark = match table.choice("mark") {
            "index" => MarkRule::Index,
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
        let half_life = table.duration("volatility_half_life");
        let margin = if is_spot {
            Some(margin::no_margin(table))
        } else {
            margin::margin(table.table("margin"), money, half_life > Time::ZERO)
        };
        let (price_band, halt) = (safeguards::price_band(table), safeguards::halt(table));
        let index = self.index(name, table, is_spot, mark, tick);
        let funding = table.opt_table("funding").map(|funding| {
            if is_spot {
                funding.problem("", "a spot market pays no funding", Some("remove this table".to_owned()));
            } else if !table.has("index") {
                let help = "name a spot market in `index`".to_owned();
                funding.problem("", "funding is measured against an index", Some(help));
            }
            self.funding(funding, money, unit.zip(price))
        });
        let (unit, price) = (unit?, price?);
        let lot_value = i128::from(unit) * i128::from(price);
        if lot_value > i128::from(i64::MAX) >> 24 {
            table.problem("lot", "one lot is worth more than the ledger can hold sixteen million of", None);
            return None;
        }
        let scale = Scale { lot, lot_value: lot_value as f64 / asset?.units_per_coin as f64 };
        let margin = margin?;
        let spec = MarketSpec {
            name: name.to_owned(),
            venue: VenueId(venue? as u16),
            base: AssetId(base? as u16),
            contract: if is_spot { Contract::Spot { unit } } else { Contract::Linear { unit } },
            tick,
            lot,
            initial_price: Price(price),
            mark,
            brackets: margin.brackets,
            book: BookSpec {
                self_trade,
                min_notional: least?.div_euclid(unit) + i64::from(least? % unit != 0),
            },
            index,
            funding: match funding {
                Some(funding) => Some(funding?),
                None => None,
            },
            volatility_horizon: table.duration("volatility_horizon"),
            volatility_half_life: half_life,
            safeguards: Safeguards {
                own_brackets: margin.own,
                volatility_margin: margin.volatility,
                price_band,
                halt,
            },
        };
        Some((spec, scale))
    }

    /// Checks that there is one perpetual, and at most one spot market beside it.
    fn count_markets(&self, tables: &[(String, Section<'_>)]) {
        let is_spot = |table: &Section<'_>| table.choice("contract") == "spot";
        for (kind, is_kind) in [("perpetual", false), ("spot market", true)] {
            let mut found = tables.iter().filter(|(_, table)| is_spot(table) == is_kind);
            let first = found.next();
            if first.is_none() && !is_kind {
                let help = "a table [markets.NAME]".to_owned();
                self.root.problem("markets", "missing, expected one perpetual", Some(help));
            }
            if let Some((name, table)) = found.next_back() {
                let help = format!("remove `markets.{name}` or another");
                table.problem("", format!("this version takes one {kind}, found more"), Some(help));
            }
        }
    }

    /// Checks that the market which a key names trades the same coin as another, and is at the same venue where one account
    /// trades in both.
    fn check_pair(&self, body: Section<'_>, key: &str, named: usize, other: usize, has_one_account: bool) {
        let tables = self.root.tables("markets");
        let differs = |field| {
            let of = |index: usize| tables.get(index).and_then(|(_, table)| table.opt_text(field));
            of(named) != of(other)
        };
        let other = &self.markets[other];
        if differs("base") {
            body.problem(key, format!("trades another coin than {other}"), None);
        } else if has_one_account && differs("venue") {
            let help = "an account trades at one venue".to_owned();
            body.problem(key, format!("is at another venue than {other}"), Some(help));
        }
    }

    /// Reads where the index of a market comes from.
    fn index(
        &self,
        name: &str,
        table: Section<'_>,
        is_spot: bool,
        mark: MarkRule,
        tick: Decimal,
    ) -> Option<IndexSpec> {
        if !table.has("index") {
            if mark == MarkRule::Index {
                let help = "name a spot market in `index`".to_owned();
                table.problem("mark", "needs an index", Some(help));
            }
            return None;
        }
        let source = table.reference("index", "market", &self.markets)?;
        let of = self.root.tables("markets");
        let (_, other) = of.get(source)?;
        if is_spot {
            table.problem("index", "a spot market has no index", Some("remove this key".to_owned()));
        } else if other.choice("contract") != "spot" {
            table.problem("index", "is not a spot market", None);
        } else if let Some(own) = self.markets.iter().position(|market| market == name) {
            self.check_pair(table, "index", source, own, false);
        }
        let half = (other.exact("tick") / (tick * Decimal::TWO)).to_f64()?;
        Some(IndexSpec { source: MarketId(source as u16), half_tick: half })
    }

    /// Reads how funding is paid. Intervals are counted from midnight UTC.
    fn funding(
        &self,
        table: Section<'_>,
        money: Option<Decimal>,
        lot: Option<(i64, i64)>,
    ) -> Option<FundingSpec> {
        let interval = table.duration("interval");
        let rate = |key| exact(table, key, RATE_UNIT).map(|rate| Rate(rate).to_f64());
        let (interest, clamp, cap) = (rate("interest"), rate("clamp"), rate("cap"));
        let impact = money.and_then(|money| exact(table, "impact_notional", money));
        let begin = self.root.instant("start").as_nanosecond() - i128::from(self.root.duration("burn_in").0);
        // What is left of the interval that the run begins in.
        let left = -begin.rem_euclid(i128::from(interval.0.max(1))) + i128::from(interval.0);
        let first = Time(left as i64) - self.root.duration("burn_in");
        let (unit, price) = lot?;
        let lot_value = i128::from(unit) * i128::from(price);
        let impact = i128::from(impact?).div_euclid(lot_value.max(1)).max(1) as i64;
        let (interest, clamp, cap) = (interest?, clamp?, cap?);
        Some(FundingSpec { interval, first, interest, clamp, cap, impact: Qty(impact) })
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
