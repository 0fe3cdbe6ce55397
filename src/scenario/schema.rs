//! The keys of a scenario file: the one table that ranges, defaults, `explain` and the documentation come from.

mod investors;
mod populations;
mod safeguards;
mod timeline;

use super::{Key, Kind};
use investors::INVESTORS;
use populations::POPULATIONS;
use safeguards::SAFEGUARDS;
use timeline::TIMELINE;

const ABOVE_ZERO: f64 = f64::MIN_POSITIVE;

const fn key(
    path: &'static str,
    kind: Kind,
    unit: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
    why: &'static str,
) -> Key {
    Key { path, kind, unit, default, meaning, why }
}

const fn table(path: &'static str, meaning: &'static str) -> Key {
    key(path, Kind::Table, "", None, meaning, "")
}

/// All keys.
pub static KEYS: &[Key] = &joined::<
    { WORLD.len() + SAFEGUARDS.len() + POPULATIONS.len() + INVESTORS.len() + TIMELINE.len() },
>([WORLD, SAFEGUARDS, POPULATIONS, INVESTORS, TIMELINE]);

/// Finds the key that a dotted path names; names that the user chooses may be a star.
pub fn find(path: &str) -> Option<&'static Key> {
    let parts = super::overrides::path_parts(path)?;
    KEYS.iter().find(|key| super::keys::path_matches(key.path, &parts))
}

/// Joins lists of keys that are `N` keys together.
const fn joined<const N: usize>(parts: [&[Key]; 5]) -> [Key; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut count) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            all[count] = parts[part][index];
            (index, count) = (index + 1, count + 1);
        }
        part += 1;
    }
    assert!(count == N, "the keys of all parts");
    all
}

/// Keys of the file itself, assets, venues and markets.
const WORLD: &[Key] = &[
    key("title", Kind::Text, "", Some(""), "one line of what the scenario shows", ""),
    key(
        "start",
        Kind::Instant,
        "UTC",
        Some("2026-01-01T00:00:00Z"),
        "the instant that time zero stands for",
        "labels only: no rule depends on the date in this version",
    ),
    key(
        "duration",
        Kind::Duration { min: "1s", max: "30d" },
        "",
        None,
        "how long it runs from time zero",
        "a month bounds a run to minutes",
    ),
    key(
        "burn_in",
        Kind::Duration { min: "0s", max: "1d" },
        "",
        Some("10m"),
        "how long the market runs before time zero without being recorded",
        "ten minutes are many lifetimes of orders near the touch, whose age at the start is what the burn-in washes out",
    ),
    key(
        "sample_every",
        Kind::Duration { min: "100ms", max: "1d" },
        "",
        Some("10s"),
        "time between two rows of the time series",
        "an hour in 360 rows draws smoothly",
    ),
    key(
        "counterfactuals",
        Kind::List,
        "",
        Some("[]"),
        "mechanisms that `run` also switches off, one at a time and paired by seed",
        "a claim about a mechanism needs the run without it on the same dice",
    ),
    key("assets", Kind::Tables, "", None, "what balances are kept in", ""),
    key(
        "assets.*.unit",
        Kind::Exact { min: "0.000000001", max: "1" },
        "whole coins",
        None,
        "the smallest amount that is booked",
        "1e-6 for stablecoins and 1e-8 for coins, as venues and chains book them",
    ),
    key("venues", Kind::Tables, "", None, "rule books", ""),
    key("venues.*.settlement", Kind::Name, "", None, "the asset that accounts are settled in", ""),
    key(
        "venues.*.insurance_fund",
        Kind::Exact { min: "0", max: "9000000000000" },
        "settlement asset",
        Some("0"),
        "what the insurance fund starts with",
        "no fund unless one is stated",
    ),
    table("venues.*.fees", "fees as fractions of notional"),
    key(
        "venues.*.fees.maker",
        Kind::Exact { min: "0", max: "0.1" },
        "fraction",
        Some("\"0.0002\""),
        "fee of the resting order",
        "Binance USD-M regular user, 2026",
    ),
    key(
        "venues.*.fees.taker",
        Kind::Exact { min: "0", max: "0.1" },
        "fraction",
        Some("\"0.0005\""),
        "fee of the incoming order",
        "Binance USD-M regular user, 2026",
    ),
    table(
        "venues.*.unloading",
        "how the insurance fund unloads what it took over; without this table it keeps it",
    ),
    key(
        "venues.*.unloading.interval",
        Kind::Duration { min: "1s", max: "1d" },
        "",
        Some("10s"),
        "time between two orders",
        "venues do not say; a few orders a minute are slow beside a chain and fast beside its recovery",
    ),
    key(
        "venues.*.unloading.share",
        Kind::Float { min: 0.0, max: 1.0 },
        "fraction",
        Some("0.05"),
        "share of the position that one order closes, at least one lot",
        "half of it within two and a half minutes",
    ),
    table("venues.*.liquidation", "how positions below maintenance margin are closed"),
    key(
        "venues.*.liquidation.style",
        Kind::Choice(&["market", "ioc_to_bankruptcy", "partial", "slow"]),
        "",
        Some("ioc_to_bankruptcy"),
        "the order that closes a position: at any price, or immediate-or-cancel no worse than the bankruptcy price; `partial` sends such orders for a share until there is a buffer above maintenance, `slow` one at a time with a pause between two",
        "Binance sends one IOC order (liquidation protocols, 2026)",
    ),
    key(
        "venues.*.liquidation.breach",
        Kind::Choice(&["below", "at_or_below"]),
        "",
        Some("below"),
        "whether equity must fall below maintenance margin or only reach it",
        "a position exactly at maintenance is compliant in this model",
    ),
    key(
        "venues.*.liquidation.fee",
        Kind::Exact { min: "0", max: "0.1" },
        "fraction",
        Some("\"0.0125\""),
        "fee on the liquidated notional, capped at the margin that is left, to the insurance fund",
        "Binance 1.2-1.75 % by secondary sources, not confirmed by the venue",
    ),
    key(
        "venues.*.liquidation.adl_rank",
        Kind::Choice(&["bitmex", "binance"]),
        "",
        Some("bitmex"),
        "who is deleveraged first: profit share times effective leverage, or Binance's profit over wallet balance times margin ratio",
        "the rule with a worked example by its venue",
    ),
    key(
        "venues.*.liquidation.waterfall",
        Kind::List,
        "",
        Some("[\"insurance_fund\", \"auto_deleverage\"]"),
        "who bears what the order could not close, in this order; last it is sold at any price",
        "the order of every venue in the model's rule book survey",
    ),
    key(
        "markets",
        Kind::Tables,
        "",
        None,
        "one order book each; this version takes one perpetual and the spot market that its index comes from",
        "",
    ),
    key(
        "markets.*.contract",
        Kind::Choice(&["perpetual", "spot"]),
        "",
        Some("perpetual"),
        "what a trade is about: a perpetual with margin, or coins that are paid for at once",
        "the leveraged market is what a scenario is about",
    ),
    key(
        "markets.*.index",
        Kind::Name,
        "",
        None,
        "the spot market whose middle is the index of this perpetual; without it there is none",
        "",
    ),
    key(
        "markets.*.passive_open_interest",
        Kind::Exact { min: "0", max: "1000000000" },
        "coins",
        Some("0"),
        "open interest of hedged positions that nobody trades during the run, beside that of the populations",
        "none unless one is stated",
    ),
    key(
        "markets.*.volatility_half_life",
        Kind::Duration { min: "0s", max: "1d" },
        "",
        Some("0s"),
        "half-life of the average size of five-second returns that agents of the market respond to; 0s for none",
        "nobody responds to volatility unless the scenario says how fast it is noticed",
    ),
    key(
        "markets.*.volatility_horizon",
        Kind::Duration { min: "0s", max: "1h" },
        "",
        Some("0s"),
        "length of the longer returns that count as much as those of five seconds, whole multiples of 5s; 0s for none",
        "one horizon, unless the scenario has a reason for a second",
    ),
    table("markets.*.funding", "what longs and shorts pay each other; without this table nothing"),
    key(
        "markets.*.funding.interval",
        Kind::Duration { min: "1m", max: "1d" },
        "",
        Some("8h"),
        "time between two payments, counted from midnight UTC",
        "Binance pays at 00:00, 08:00 and 16:00 UTC",
    ),
    key(
        "markets.*.funding.interest",
        Kind::Exact { min: "0", max: "0.01" },
        "fraction",
        Some("\"0.0001\""),
        "interest part of the rate of one interval",
        "Binance: .01 % in eight hours",
    ),
    key(
        "markets.*.funding.clamp",
        Kind::Exact { min: "0", max: "0.1" },
        "fraction",
        Some("\"0.0005\""),
        "most that interest may add to or take from the premium",
        "Binance: .05 %",
    ),
    key(
        "markets.*.funding.cap",
        Kind::Exact { min: "0", max: "0.1" },
        "fraction",
        Some("\"0.003\""),
        "largest size of the rate",
        "Binance: +-.3 % in eight hours for BTCUSDT, from secondary sources",
    ),
    key(
        "markets.*.funding.impact_notional",
        Kind::Exact { min: "1", max: "1000000000" },
        "settlement asset",
        Some("25000"),
        "notional whose average execution price the premium is measured at, in lots at the initial price",
        "Binance: 200 over the initial margin rate at the highest leverage, 25,000 at 125x",
    ),
    key("markets.*.venue", Kind::Name, "", None, "where it is traded", ""),
    key("markets.*.base", Kind::Name, "", None, "what is traded", ""),
    key(
        "markets.*.tick",
        Kind::Exact { min: "0.000000001", max: "100000" },
        "settlement asset a coin",
        None,
        "the price grid",
        "",
    ),
    key(
        "markets.*.lot",
        Kind::Exact { min: "0.000000001", max: "1000000" },
        "coins",
        None,
        "the quantity grid; tick times lot must be a multiple of the settlement asset's unit",
        "so that notional is exact",
    ),
    key(
        "markets.*.initial_price",
        Kind::Exact { min: "0.000000001", max: "1000000000" },
        "settlement asset a coin",
        None,
        "the price that the run starts from",
        "",
    ),
    key(
        "markets.*.mark",
        Kind::Choice(&["best_bid", "last", "median", "index"]),
        "",
        Some("median"),
        "what margin is measured on: best bid, last trade, the median of best bid, best ask and last trade, or the median of the last trade and two prices around the index",
        "the median is the core of every large venue's mark",
    ),
    key(
        "markets.*.min_notional",
        Kind::Exact { min: "0", max: "1000000" },
        "settlement asset",
        Some("0"),
        "smallest notional of a limit order",
        "background orders stand for many people's",
    ),
    key(
        "markets.*.self_trade",
        Kind::Choice(&["allow", "cancel_taker", "cancel_maker", "cancel_both"]),
        "",
        Some("cancel_taker"),
        "what happens when an order meets its owner's own",
        "the default of large venues (expire taker)",
    ),
    table("markets.*.margin", "margin rules"),
    key(
        "markets.*.margin.brackets",
        Kind::List,
        "",
        None,
        "rows of [notional floor in the settlement asset, maintenance rate, highest leverage], ascending from 0; one row is a flat rule",
        "",
    ),
    key(
        "markets.*.margin.cap",
        Kind::Exact { min: "1", max: "2000000000000" },
        "settlement asset",
        None,
        "largest notional of a position",
        "",
    ),
    table("markets.*.fundamental", "the value that informed agents believe in"),
    key(
        "markets.*.fundamental.volatility",
        Kind::Float { min: 0.0, max: 1.0 },
        "per square root of an hour",
        Some("0"),
        "standard deviation of the logarithm of the fundamental value",
        "constant unless stated, so that every fall has a cause in the scenario",
    ),
    key(
        "markets.*.fundamental.step",
        Kind::Duration { min: "100ms", max: "1h" },
        "",
        Some("10s"),
        "time between two moves of the fundamental value",
        "finer than any agent looks",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::keys::faults;
    use super::*;

    #[test]
    fn the_table_is_sound() {
        assert_eq!(faults(KEYS), Vec::<String>::new());
    }
}
