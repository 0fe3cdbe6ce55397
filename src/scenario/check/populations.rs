//! Who trades, and the timeline: from tables to specifications of agents and shocks.

use super::{Checker, Scale, exact};
use crate::agents::{
    Activity, ArbitrageurSpec, BackgroundSpec, ExitRule, ExitRules, FundamentalistSpec, Hedge, Ladder,
    MakerSpec, MetaOrderSpec, RetailSpec, Rung, SpotHolderSpec, TopUp, TrendFollowerSpec, Withdrawal,
};
use crate::sampling::LogNormal;
use crate::scenario::{Entries, Latency, Population, PopulationStrategy, Section, Seeding, Shock, ShockKind};
use crate::units::{MarketId, Money, Price, Qty, Side, Time, decimal_to_units};
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
    fn at(&self, body: Section<'_>) -> Option<(MarketId, Scale)> {
        if self.markets.is_empty() {
            // Said once, for the scenario as a whole.
            return None;
        }
        let index = body.reference("market", "market", &self.markets)?;
        Some((MarketId(index as u16), (*self.scales.get(index)?)?))
    }

    /// Reads how a strategy's rates rise with the volatility of its market, from the table under a key.
    fn response(&self, key: &str, body: Section<'_>, market: Option<&MarketSpec>) -> Activity {
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

    /// Reads the spot market that is named under a key.
    fn spot(
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
        let perpetual = self.spot(body, "perpetual", false, markets);
        let spot = self.spot(body, "spot", true, markets);
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
            }
            ladder
        });
        let hedge = body.opt_table("hedge").map(|table| {
            let market = self.spot(table, "market", true, markets);
            if let (Some((first, _)), Some(market)) = (first, market)
                && first.market == market
            {
                table.problem("market", "is the book that is hedged", None);
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
            inventory_limit: Qty(limit?),
            interval,
            withdrawal,
        };
        Some(PopulationStrategy::Maker { count: count as u32, spec })
    }

    fn retail(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        needs_perpetual(body, market);
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
        let perpetual = market.filter(|market| !market.contract.is_spot());
        let highest = perpetual.map_or(u16::MAX, |market| market.brackets.rows()[0].max_leverage);
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
        let largest = market.map(|market| {
            // The cap in whole money units, by what a lot is worth in both.
            let lot = market.contract.notional(market.initial_price, Qty(1)).0 as f64;
            let units = at.map_or(1.0, |(_, scale)| scale.lot_value);
            Money((body.float("notional_cap") * (lot / units)) as i64)
        });
        let spec = RetailSpec {
            largest: largest.unwrap_or(Money::ZERO),
            market: at.map_or(MarketId(0), |(market, _)| market),
            accounts: (longs + shorts + idle).clamp(0, i64::from(u32::MAX)) as u32,
            leverages,
            weights,
            long_share: body.float("long_share"),
            open_rate: per_second("opens_per_day"),
            close_rate: per_second("closes_per_day"),
            stake: body.float("stake"),
            activity: self.response("activity", body, market),
            exits: exits(body),
            top_up: top_up(body),
            panic: body.float("panic"),
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

    fn fundamentalist(
        &self,
        body: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        if body.bool("short") && !body.is_spoilt("short") && market.is_some_and(|m| m.contract.is_spot()) {
            let help = "nobody sells coins that are not there: short = false makes a dip buyer".to_owned();
            body.problem("short", "is not possible in a spot market", Some(help));
        }
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

    fn trend_follower(
        &self,
        body: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        needs_perpetual(body, market);
        let leverage = body.int("leverage");
        let highest = market.map_or(u16::MAX, |market| market.brackets.rows()[0].max_leverage);
        if leverage > i64::from(highest) && market.is_some_and(|market| !market.contract.is_spot()) {
            let help = "no bracket of the market allows more".to_owned();
            body.problem("leverage", format!("is above the highest leverage, {highest}"), Some(help));
        }
        let half_life = body.duration("half_life").as_secs_f64();
        let spec = TrendFollowerSpec {
            market: at.map_or(MarketId(0), |(market, _)| market),
            accounts: body.int("accounts") as u32,
            capital: body.float("capital"),
            leverage: leverage as u16,
            half_life_s: LogNormal::new(half_life, body.float("half_life_sigma")),
            gain: body.float("gain"),
            volatility: body.float("volatility"),
            threshold: body.float("threshold"),
            mean_interval: body.duration("mean_interval"),
        };
        at.map(|_| PopulationStrategy::TrendFollower(spec))
    }

    fn holder(&self, body: Section<'_>, markets: &[Option<MarketSpec>]) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        if market.is_some_and(|market| !market.contract.is_spot()) {
            let help =
                "name a spot market; retail and trend followers have positions in perpetuals".to_owned();
            body.problem("market", "is a perpetual, where there are no coins to hold", Some(help));
        }
        let (median, sigma, cap) =
            (body.float("coins_median"), body.float("coins_sigma"), body.float("coins_cap"));
        let cash_share = body.float("cash_share");
        let lots_a_coin = match at {
            Some((_, scale)) => 1.0 / scale.lot.to_f64()?,
            None => 1.0,
        };
        let largest = at.map_or(0.0, |(_, scale)| cap * lots_a_coin * scale.lot_value / (1.0 - cash_share));
        if largest > 1e12 {
            let what = format!("with the cash beside it this is worth {largest:.0} of the settlement asset");
            body.problem("coins_cap", what, Some("an account has at most 1000000000000".to_owned()));
        }
        let spec = SpotHolderSpec {
            market: at.map_or(MarketId(0), |(market, _)| market),
            accounts: body.int("accounts") as u32,
            lots: LogNormal::new(median * lots_a_coin, sigma),
            lots_cap: cap * lots_a_coin,
            cash_share,
            trade_rate: body.float("trades_per_day") / 86_400.0,
            order_share: body.float("order_share"),
            dip_buying: body.float("dip_buying"),
            half_life: body.duration("dip_half_life"),
            activity: self.response("activity", body, market),
        };
        at.map(|_| PopulationStrategy::Holder(spec))
    }

    /// Reads the other market of a meta-order: which, lots there, coins a lot. `None` after a problem was said somewhere.
    #[expect(
        clippy::option_option,
        reason = "no other market, and one that could not be read, are two things"
    )]
    fn also(
        &self,
        body: Section<'_>,
        place: Option<(MarketId, Scale)>,
    ) -> Option<Option<(MarketId, Qty, Decimal)>> {
        if !body.has("also") {
            if body.has("also_share") {
                let help = "name the other market in `also`".to_owned();
                body.problem("also_share", "is a share of nothing", Some(help));
            }
            return Some(None);
        }
        let (share, index) = (body.exact("also_share"), body.reference("also", "market", &self.markets)?);
        let (market, _) = place?;
        let tables = self.root.tables("markets");
        let base = |index: usize| tables.get(index).and_then(|(_, table)| table.opt_text("base"));
        if index == market.index() {
            body.problem("also", "is the market that it trades in anyway", None);
        } else if base(index) != base(market.index()) {
            body.problem("also", "trades another coin than `market`", None);
        }
        let lot = (*self.scales.get(index)?)?.lot;
        let lots = (body.exact("quantity") * share / lot).round().to_i64()?;
        Some(Some((MarketId(index as u16), Qty(lots), lot)))
    }

    pub(super) fn shock(&self, name: &str, table: Section<'_>, duration: Time) -> Option<Shock> {
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
                let whole = place.and_then(|(_, scale)| exact(body, "quantity", scale.lot));
                let also = self.also(body, place);
                let (market, scale) = place?;
                let (mut qty, also) = (Qty(whole?), also?);
                if let Some((_, lots, lot)) = also {
                    // Rounded to a whole lot in either market.
                    let left = body.exact("quantity") - Decimal::from(lots.0) * lot;
                    qty = Qty((left / scale.lot).round().to_i64()?);
                }
                let also = also.map(|(market, lots, _)| (market, lots)).filter(|(_, lots)| !lots.is_zero());
                let share = body.float("closes");
                let of = self.root.tables("markets");
                if share > 0.0 && of.get(market.index())?.1.choice("contract") == "spot" {
                    let help = "remove this key".to_owned();
                    body.problem("closes", "is about positions, and a spot market has none", Some(help));
                }
                let closes = Qty(libm::rint(qty.0 as f64 * share) as i64);
                ShockKind::MetaOrder(MetaOrderSpec {
                    market,
                    side,
                    qty,
                    closes,
                    also,
                    at,
                    duration,
                    slice_every,
                })
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

/// Says so where a strategy trades with leverage in a market that has none.
fn needs_perpetual(body: Section<'_>, market: Option<&MarketSpec>) {
    if market.is_some_and(|market| market.contract.is_spot()) {
        let help = "name a perpetual; whoever holds coins is a `holder`".to_owned();
        body.problem("market", "is a spot market, where nobody has leverage", Some(help));
    }
}

/// Reads which positions have orders that wait to close them.
fn exits(body: Section<'_>) -> ExitRules {
    let rule = |share, median, sigma| {
        let (share, distance_bps) =
            (body.float(share), LogNormal::new(body.float(median), body.float(sigma)));
        (share > 0.0).then_some(ExitRule { share, distance_bps })
    };
    ExitRules {
        stop_loss: rule("stop_share", "stop_distance_bps", "stop_distance_sigma"),
        take_profit: rule("take_profit_share", "take_profit_distance_bps", "take_profit_distance_sigma"),
    }
}

/// Reads who puts cash behind a losing position.
fn top_up(body: Section<'_>) -> Option<TopUp> {
    let rule = TopUp {
        share: body.float("top_up_share"),
        below: body.float("top_up_below"),
        look_rate: body.float("looks_per_day") / 86_400.0,
    };
    (rule.share > 0.0).then_some(rule)
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
