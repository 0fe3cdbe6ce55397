//! Those who take positions: retail, fundamentalists, trend followers, holders.

use super::{Checker, Scale};
use crate::agents::{
    ExitRule, ExitRules, FundamentalistSpec, RetailSpec, SpotHolderSpec, TopUp, TrendFollowerSpec,
};
use crate::sampling::LogNormal;
use crate::scenario::{Entries, PopulationStrategy, Section, Seeding};
use crate::units::{MarketId, Money, Price, Qty, decimal_to_units};
use crate::world::MarketSpec;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

impl Checker<'_> {
    pub(super) fn retail(
        &self,
        body: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<PopulationStrategy> {
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
        let (mut leverages, mut weights, mut medians) = (Vec::new(), Vec::new(), Vec::new());
        let notional_median = body.float("notional_median");
        let highest = perpetual.map_or(u16::MAX, |market| market.own_brackets().rows()[0].max_leverage);
        for row in body.rows("leverages") {
            let is_sized = row.len() == 3;
            if is_sized || row.expect(&["leverage", "weight"]) {
                let leverage = row.int(0, 1, 1_000) as u16;
                if leverage > highest {
                    let help = "no bracket of the market allows more".to_owned();
                    row.problem(0, format!("is above the highest leverage, {highest}"), Some(help));
                }
                leverages.push(leverage);
                weights.push(row.float(1, 0.0, 1e12));
                medians.push(if is_sized { row.float(2, 0.01, 1e12) } else { notional_median });
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
        let largest = money(at, market, body.float("notional_cap"));
        let spec = RetailSpec {
            largest,
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
            medians,
            spread: LogNormal::new(1.0, body.float("notional_sigma")),
            notional_cap: body.float("notional_cap"),
            spare: body.float("spare"),
            entries: entries(body, market)?,
        };
        at?;
        (!spec.leverages.is_empty()).then_some(PopulationStrategy::Retail { spec, seeding })
    }

    pub(super) fn fundamentalist(
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
            order: money(at, market, body.float("capital") * body.float("order_share")),
            mean_interval: body.duration("mean_interval"),
            short: body.bool("short"),
        };
        at.map(|_| PopulationStrategy::Fundamentalist(spec))
    }

    pub(super) fn trend_follower(
        &self,
        body: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<PopulationStrategy> {
        let at = self.at(body);
        let market = at.and_then(|(market, _)| markets[market.index()].as_ref());
        needs_perpetual(body, market);
        let leverage = body.int("leverage");
        let highest = market.map_or(u16::MAX, |market| market.own_brackets().rows()[0].max_leverage);
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

    pub(super) fn holder(
        &self,
        body: Section<'_>,
        markets: &[Option<MarketSpec>],
    ) -> Option<PopulationStrategy> {
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
}

/// Turns an amount of the settlement asset into its smallest units, by what a lot is worth in both; nothing where the market is
/// not known.
fn money(at: Option<(MarketId, Scale)>, market: Option<&MarketSpec>, amount: f64) -> Money {
    let Some(((_, scale), market)) = at.zip(market) else { return Money::ZERO };
    let lot = market.contract.notional(market.initial_price, Qty(1)).0 as f64;
    Money((amount * (lot / scale.lot_value)) as i64)
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
