//! Populations, and those of them that make the books: background flow, makers, arbitrageurs.

use super::{Checker, Scale, exact};
use crate::agents::{
    Activity, ArbitrageurSpec, BackgroundSpec, Hedge, Ladder, MakerSpec, ReferenceRule, Rung, Withdrawal,
};
use crate::sampling::LogNormal;
use crate::scenario::{Latency, Population, PopulationStrategy, Section};
use crate::units::{MarketId, Qty, Time};
use crate::world::MarketSpec;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

impl Checker<'_> {
    pub(super) fn population(
        &self,
        name: &str,
        table: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<Population> {
        let delay = table.table("latency");
        let latency = Latency { base: delay.duration("base"), jitter: delay.duration("jitter") };
        let (variant, body) = table.one_of("strategy")?;
        let strategy = match variant {
            "background" => self.background(body, markets),
            "maker" => self.maker(body, markets),
            "arbitrageur" => self.arbitrageur(body, markets),
            "retail" => self.retail(body, markets),
            "fundamentalist" => self.fundamentalist(body, markets),
            "trend_follower" => self.trend_follower(body, markets),
            "holder" => self.holder(body, markets),
            other => unreachable!("the key table does not declare {other}"),
        };
        Some(Population { name: name.to_owned(), latency, strategy: strategy? })
    }

    /// Returns the market that a strategy or shock names, with its scale; `None` after a problem was said somewhere.
    pub(super) fn at(&self, body: Section<'_>) -> Option<(MarketId, Scale)> {
        if self.markets.is_empty() {
            // Said once, for the scenario as a whole.
            return None;
        }
        let index = body.reference("market", "market", &self.markets)?;
        Some((MarketId(index as u16), (*self.scales.get(index)?)?))
    }

    /// Reads how a strategy's rates rise with the volatility of its market, from the table under a key.
    pub(super) fn response(&self, key: &str, body: Section<'_>, market: Option<&MarketSpec>) -> Activity {
        let Some(rule) = body.opt_table(key) else { return Activity::STEADY };
        let activity = Activity {
            reference: rule.float("reference"),
            exponent: rule.float("exponent"),
            cap: rule.float("cap"),
        };
        let is_silent = |market: &&MarketSpec| {
            let tables = self.root.tables("markets");
            let table = tables.iter().find(|(name, _)| *name == market.name);
            market.volatility_half_life == Time::ZERO
                && table.is_some_and(|(_, table)| !table.is_spoilt("volatility_half_life"))
        };
        if let Some(market) = market.filter(is_silent) {
            let help =
                format!("say how fast it is noticed: markets.{}.volatility_half_life = \"5m\"", market.name);
            rule.problem("", "responds to a volatility that the market does not measure", Some(help));
        }
        activity
    }

    fn background(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        let activity = self.response("activity", body, market);
        let flight = self.response("flight", body, market);
        let refill_within_bps =
            body.opt_table("activity").map_or(0.0, |rule| rule.float("refill_within_bps"));
        let (bids, asks) = (profile(body, "bids"), profile(body, "asks"));
        let scale = body.float("depth_scale");
        let orders_per_rung = body.float("orders_per_rung");
        let (near, far) = (body.duration("lifetime_near"), body.duration("lifetime_far"));
        let market_rate = body.float("market_orders_per_second");
        let (median, sigma) = (body.float("market_order_median"), body.float("market_order_sigma"));
        let reference = reference(body);
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
        let highest = |rung: &Rung| if rung.from_bps < refill_within_bps { activity.highest() } else { 1.0 };
        let rate: f64 = rungs.iter().map(|rung| orders_per_rung / rung.lifetime_s * highest(rung)).sum();
        if rate > 100_000.0 {
            let what = format!("makes {rate:.0} limit orders a second");
            body.problem(
                "lifetime_near",
                what,
                Some("more than 100000 a second never end; take longer lives".into()),
            );
        }
        let busiest = market_rate * activity.highest();
        if busiest > 100_000.0 && market_rate <= 100_000.0 {
            let rule = body.table("activity");
            rule.problem(
                "cap",
                format!("allows {busiest:.0} market orders a second"),
                Some("at most 100000".into()),
            );
        }
        let reference = reference.map(|rule| {
            let millions_a_lot = lot.lot_value / 1e6;
            ReferenceRule { impact: rule.impact * millions_a_lot / scale, ..rule }
        });
        let lots_a_coin = 1.0 / lot.lot.to_f64()?;
        let market_qty = LogNormal::new(median * lots_a_coin, sigma);
        Some(PopulationStrategy::Background(BackgroundSpec {
            market,
            rungs,
            orders_per_rung,
            market_rate,
            market_qty,
            activity,
            flight,
            refill_within_bps,
            reference,
        }))
    }

    /// Reads a maker's quotes in one book, with the coins of a lot there.
    fn ladder(&self, body: Section<'_>) -> Option<(Ladder, Decimal)> {
        let at = self.at(body);
        let quote = at.and_then(|(_, scale)| exact(body, "quote", scale.lot));
        let (levels, half, spacing) =
            (body.int("levels"), body.float("half_spread_bps"), body.float("spacing_bps"));
        let (market, scale) = at?;
        let ladder = Ladder {
            market,
            levels: levels as u32,
            quote_qty: Qty(quote?),
            half_spread_bps: half,
            spacing_bps: spacing,
        };
        Some((ladder, scale.lot))
    }

    /// Reads the spot market or the perpetual that is named under a key.
    pub(super) fn market_of_kind(
        &self,
        body: Section<'_>,
        key: &str,
        is_spot: bool,
        markets: &[Option<MarketSpec>],
    ) -> Option<MarketId> {
        let index = body.reference(key, "market", &self.markets)?;
        let market = markets.get(index)?.as_ref()?;
        if market.contract.is_spot() != is_spot {
            let what = if is_spot { "is not a spot market" } else { "is not a perpetual" };
            body.problem(key, what, None);
        }
        Some(MarketId(index as u16))
    }

    fn arbitrageur(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let perpetual = self.market_of_kind(body, "perpetual", false, markets);
        let spot = self.market_of_kind(body, "spot", true, markets);
        let count = body.int("count") as u32;
        let spec = ArbitrageurSpec {
            perpetual: MarketId(0),
            spot: MarketId(0),
            limit: body.float("limit"),
            order: body.float("order"),
            fair_bps: body.float("fair_bps"),
            entry_bps: body.float("entry_bps"),
            exit_bps: body.float("exit_bps"),
            interval: body.duration("interval"),
        };
        if let (Some(perpetual), Some(spot)) = (perpetual, spot) {
            self.check_pair(body, "spot", spot.index(), perpetual.index(), true);
        }
        if spec.exit_bps > spec.entry_bps && !body.is_spoilt("exit_bps") {
            body.problem("exit_bps", "is above `entry_bps`: it would go back where it came in", None);
        }
        let spec = ArbitrageurSpec { perpetual: perpetual?, spot: spot?, ..spec };
        Some(PopulationStrategy::Arbitrageur { count, spec })
    }

    fn maker(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let first = self.ladder(body);
        let limit = first.and_then(|(_, lot)| exact(body, "inventory_limit", lot));
        let second = body.opt_table("second").map(|table| {
            let ladder = self.ladder(table);
            if let (Some((first, _)), Some((second, _))) = (first, ladder)
                && first.market == second.market
            {
                table.problem("market", "is the first book again", None);
            } else if let (Some((first, _)), Some((second, _))) = (first, ladder) {
                self.check_pair(table, "market", second.market.index(), first.market.index(), true);
            }
            ladder
        });
        let hedge = body.opt_table("hedge").map(|table| {
            let market = self.market_of_kind(table, "market", true, markets);
            if let (Some((first, _)), Some(market)) = (first, market)
                && first.market == market
            {
                table.problem("market", "is the book that is hedged", None);
            } else if let (Some((first, _)), Some(market)) = (first, market) {
                self.check_pair(table, "market", market.index(), first.market.index(), true);
            }
            let (threshold, share) = (table.float("threshold"), table.float("share"));
            Some(Hedge { market: market?, threshold, share })
        });
        let withdrawal = body.opt_table("withdrawal").map(|rule| Withdrawal {
            move_bps: rule.float("move_bps"),
            half_life: rule.duration("half_life"),
            pause: rule.duration("pause"),
        });
        let count = body.int("count");
        let (skew_bps, interval) = (body.float("skew_bps"), body.duration("interval"));
        let reference = reference(body);
        let (ladder, _) = first?;
        let spec = MakerSpec {
            ladder,
            second: match second {
                Some(second) => Some(second?.0),
                None => None,
            },
            hedge: match hedge {
                Some(hedge) => Some(hedge?),
                None => None,
            },
            skew_bps,
            reference,
            inventory_limit: Qty(limit?),
            interval,
            withdrawal,
        };
        Some(PopulationStrategy::Maker { count: count as u32, spec })
    }
}

/// Reads what quotes are laid around; the impact is for the amount that it is stated for.
fn reference(body: Section<'_>) -> Option<ReferenceRule> {
    let rule = body.opt_table("reference")?;
    Some(ReferenceRule { half_life: rule.duration("half_life"), impact: rule.float("impact_bps") / 1e4 })
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
