//! The tables of a results folder, each column with its unit and meaning.

mod estimates;

pub use estimates::{AMPLIFICATION, EFFECTS, PARETO, POLICIES, RANKING, SUMMARY};

use super::columns::{CELL, Column, ColumnKind, REPLICATE, Table};

const fn number(name: &'static str, unit: &'static str, meaning: &'static str) -> Column<'static> {
    Column { name, unit, kind: ColumnKind::Number, meaning }
}

const fn integer(name: &'static str, unit: &'static str, meaning: &'static str) -> Column<'static> {
    Column { name, unit, kind: ColumnKind::Integer, meaning }
}

const fn text(name: &'static str, meaning: &'static str) -> Column<'static> {
    Column { name, unit: "", kind: ColumnKind::Text, meaning }
}

const fn time(name: &'static str, meaning: &'static str) -> Column<'static> {
    Column { name, unit: "s", kind: ColumnKind::Time, meaning }
}

/// What stood ready for a chain: in `runs` before the first shock, in `criticality` at a moment, in `amplification` means over the runs with
/// forced selling and the shock.
const CRITICAL: [Column<'static>; 4] = [
    number(
        "criticality_1pct",
        "1",
        "longs due within 1 % below the mark over the bids there (of a run: before the first shock)",
    ),
    number(
        "criticality_2pct",
        "1",
        "longs due within 2 % below the mark over the bids there (of a run: before the first shock)",
    ),
    number(
        "criticality_5pct",
        "1",
        "longs due within 5 % below the mark over the bids there (of a run: before the first shock)",
    ),
    number(
        "first_generation",
        "1",
        "mean longs due if one of the next hundred is sold at once (of a run: before the first shock)",
    ),
];

/// The points of the design.
pub static CELLS: Table<'_> = Table {
    name: "cells",
    title: "one point of the design",
    columns: &[
        CELL,
        REPLICATE,
        text("arm", "base, the mechanism that is switched off, unlevered, or calm: without shocks"),
    ],
};

/// One row a run.
pub static RUNS: Table<'_> = Table {
    name: "runs",
    title: "one run",
    columns: &[
        CELL,
        REPLICATE,
        text("outcome", "finished or failed"),
        number("drawdown_pct", "%", "largest fall of the mark from an earlier peak"),
        time("time_to_trough_s", "time of the lowest mark of the largest fall"),
        number("retraced_1h", "1", "share of the largest fall that is made good an hour after its trough"),
        number("fall_1h_pct", "%", "fall of the mark over the first hour, end to end"),
        number("return_pct", "%", "change of the mark over the whole run"),
        number("worst_1min_pct", "%", "worst change of the mark within a minute, on the sampling grid"),
        number("worst_5min_pct", "%", "worst change of the mark within five minutes, on the sampling grid"),
        number("worst_1h_pct", "%", "worst change of the mark within an hour, on the sampling grid"),
        number(
            "realized_volatility_pct",
            "% per sqrt(h)",
            "root of the mean squared change of the mark's logarithm",
        ),
        integer("liquidations", "1", "liquidations begun"),
        integer("liquidations_long", "1", "liquidations of long positions begun"),
        number("liquidated_long_usd", "USD", "long notional closed by liquidation, at the mark"),
        number("liquidated_short_usd", "USD", "short notional closed by liquidation, at the mark"),
        number("liquidated_usd", "USD", "notional closed by liquidation, at the mark"),
        number("long_share_of_liquidations", "1", "share of longs in the liquidated notional"),
        number("liquidated_peak_minute_usd", "USD", "largest notional liquidated within one minute"),
        number("forced_share_of_volume", "1", "share of liquidation orders in the traded notional"),
        number("bad_debt_usd", "USD", "losses that nobody could pay"),
        number("fund_min_usd", "USD", "lowest balance of the insurance fund"),
        number("fund_end_usd", "USD", "balance of the insurance fund at the end"),
        number("takeover_usd", "USD", "notional that the insurance fund took over"),
        number("adl_usd", "USD", "notional deleveraged against bankrupt positions"),
        integer("adl_count", "1", "positions reduced by deleveraging"),
        number("unresolved_deficit_usd", "USD", "negative equity of open positions at the end"),
        number("open_interest_start_coins", "coins", "open interest at time zero"),
        number("open_interest_end_coins", "coins", "open interest at the end"),
        CRITICAL[0],
        CRITICAL[1],
        CRITICAL[2],
        CRITICAL[3],
        number("spread_bps_mean", "bps", "mean spread"),
        number("depth_bid_1pct_usd_mean", "USD", "mean bids within 1 %"),
        number("depth_bid_1pct_usd_min", "USD", "fewest bids within 1 %"),
        number("depth_ask_1pct_usd_mean", "USD", "mean asks within 1 %"),
        number("depth_ask_1pct_usd_min", "USD", "fewest asks within 1 %"),
        number(
            "cost_1m_bps_mean",
            "bps",
            "mean cost of trading 1 M USD at market from the middle, fee included",
        ),
        number("basis_bps_mean", "bps", "mean of middle over index"),
        number("basis_bps_min", "bps", "least of middle over index"),
        number("funding_rate_end_pct", "%", "funding rate by the end"),
        number(
            "spot_drawdown_pct",
            "%",
            "largest fall of the spot middle from an earlier peak, on the sampling grid",
        ),
        number("spot_spread_bps_mean", "bps", "mean spread of spot"),
        number("spot_volume_usd", "USD", "traded notional of spot"),
        number("volume_over_spot_volume", "1", "traded notional of the perpetual over that of spot"),
        number("volume_usd", "USD", "traded notional"),
        integer("trades", "1", "trades"),
        integer("messages", "1", "messages that reached a venue, burn-in included"),
        integer("records", "1", "records of the event tape, burn-in included"),
        text("tape_hash", "BLAKE3 of the event tape, if it was asked for"),
    ],
};

/// One row a sample.
pub static SERIES: Table<'_> = Table {
    name: "series",
    title: "the market at one moment",
    columns: &[
        CELL,
        REPLICATE,
        time("time_s", "time since the scenario's start"),
        text("market", "market"),
        number("bid", "USD", "best bid"),
        number("ask", "USD", "best ask"),
        number("last", "USD", "last trade"),
        number("mark", "USD", "mark"),
        number("index", "USD", "index; none for a market without one"),
        number("basis_bps", "bps", "middle over index; none without an index"),
        number("funding_rate_pct", "%", "funding rate that the interval's end would bring by now"),
        number("volatility_pct", "% per sqrt(h)", "volatility of late that agents respond to"),
        number("fundamental", "USD", "fundamental value"),
        number("depth_bid_10bps_usd", "USD", "bids within 0.1 %"),
        number("depth_ask_10bps_usd", "USD", "asks within 0.1 %"),
        number("depth_bid_1pct_usd", "USD", "bids within 1 %"),
        number("depth_ask_1pct_usd", "USD", "asks within 1 %"),
        number("volume_usd", "USD", "traded notional since the sample before"),
        number("liquidated_long_usd", "USD", "long notional liquidated since the sample before"),
        number("liquidated_short_usd", "USD", "short notional liquidated since the sample before"),
        number("open_interest_coins", "coins", "open interest"),
        number("fund_usd", "USD", "insurance fund"),
    ],
};

/// One row a liquidation.
pub static LIQUIDATIONS: Table<'_> = Table {
    name: "liquidations",
    title: "one liquidation",
    columns: &[
        CELL,
        REPLICATE,
        time("time_s", "time since the scenario's start"),
        text("market", "market"),
        integer("account", "1", "number of the account"),
        text("side", "long or short"),
        number("size_coins", "coins", "size of the position"),
        number("mark", "USD", "mark at which it was measured"),
        number("equity_usd", "USD", "margin plus unrealised profit at that mark"),
        number("maintenance_usd", "USD", "maintenance margin at that mark"),
        number("closed_usd", "USD", "notional closed, at that mark"),
        number("forced_fill_usd", "USD", "part of it that traded in the book"),
        number("takeover_usd", "USD", "part of it that the fund took over"),
        number("adl_usd", "USD", "part of it that was deleveraged"),
    ],
};

/// One row a moment and range of prices, of the first run alone.
pub static LIQUIDATION_MAP: Table<'_> = Table {
    name: "liquidation_map",
    title: "open positions of the first run that would be liquidated in a range of prices within 30 % of the first mark",
    columns: &[
        CELL,
        REPLICATE,
        time("time_s", "time since the scenario's start"),
        text("market", "market"),
        number("price_from", "USD", "lower end of the range of liquidation prices"),
        number("price_to", "USD", "upper end of it, excluded"),
        number("long_usd", "USD", "notional of longs that would be liquidated there, at the mark"),
        number("short_usd", "USD", "notional of shorts that would be liquidated there, at the mark"),
    ],
};

/// One row a moment, of the first run alone.
pub static CRITICALITY: Table<'_> = Table {
    name: "criticality",
    title: "what one more forced sale would set off in the first run, from its book and positions at one moment",
    columns: &[
        CELL,
        REPLICATE,
        time("time_s", "time since the scenario's start"),
        text("market", "market"),
        CRITICAL[0],
        CRITICAL[1],
        CRITICAL[2],
        CRITICAL[3],
    ],
};

/// One row a reason for which money moved.
pub static TRANSFERS: Table<'_> = Table {
    name: "transfers",
    title: "all money that moved for one reason",
    columns: &[
        CELL,
        REPLICATE,
        text("reason", "why it moved"),
        integer("count", "1", "transfers"),
        number("amount_usd", "USD", "their sum"),
    ],
};

/// One row a target: what was observed beside what is simulated.
pub static TARGETS: Table<'_> = Table {
    name: "targets",
    title: "an observed quantity beside the simulated one, with scores",
    columns: &[
        CELL,
        REPLICATE,
        text("id", "name of the target in scenario.targets.csv, where its scope and source stand"),
        text("statistic", "what is computed of a run"),
        text("market", "market"),
        time("from_s", "start of the window"),
        time("to_s", "end of the window"),
        time("ref_from_s", "start of the reference window"),
        time("ref_to_s", "end of the reference window"),
        text("use", "fit (fitted to, no test), score (a test) or show"),
        number("scale", "1", "what simulated values were multiplied by"),
        number("observed", "of the statistic", "observed value"),
        number("tolerance", "of the statistic", "how exactly it is known or matters"),
        integer(
            "runs",
            "1",
            "runs with a value, of those in which every fitted target is within its tolerance",
        ),
        number("median", "of the statistic", "simulated median"),
        number("p05", "of the statistic", "simulated 5 % quantile"),
        number("p95", "of the statistic", "simulated 95 % quantile"),
        text("narrow", "whether the two quantiles are no further apart than three tolerances"),
        text("inside", "whether the observed value lies between them"),
        number("score", "tolerances", "interval score (Gneiting, Raftery 2007; alpha .1) over the tolerance"),
        number(
            "all_median",
            "of the statistic",
            "median of all runs, whatever came out for the fitted targets",
        ),
        number("all_p05", "of the statistic", "5 % quantile of all runs"),
        number("all_p95", "of the statistic", "95 % quantile of all runs"),
        integer(
            "unlevered_runs",
            "1",
            "runs without leverage that have a value, held to the fitted targets as well",
        ),
        number("unlevered_median", "of the statistic", "median without leverage"),
        number("unlevered_p05", "of the statistic", "5 % quantile without leverage"),
        number("unlevered_p95", "of the statistic", "95 % quantile without leverage"),
        number("unlevered_score", "tolerances", "interval score without leverage, over the tolerance"),
        number("diffusion_median", "of the statistic", "median of the fitted jump-diffusion"),
        number("diffusion_p05", "of the statistic", "5 % quantile of the fitted jump-diffusion"),
        number("diffusion_p95", "of the statistic", "95 % quantile of the fitted jump-diffusion"),
        number(
            "diffusion_score",
            "tolerances",
            "interval score of the fitted jump-diffusion, over the tolerance",
        ),
    ],
};

/// One row a run and target.
pub static TARGET_VALUES: Table<'_> = Table {
    name: "target_values",
    title: "what is compared with one target in one run",
    columns: &[
        CELL,
        REPLICATE,
        text("id", "name of the target"),
        number(
            "value",
            "of the statistic",
            "simulated value times the scale of the target; a multiple of what was normal in this run",
        ),
        number(
            "normal",
            "of the statistic",
            "what was normal in this run, for statistics that are held against that: targets.csv has value times normal over the mean of normal",
        ),
    ],
};

/// One row a run that failed; written where there is one.
pub static FAILURES: Table<'_> = Table {
    name: "failures",
    title: "a run that failed",
    columns: &[
        CELL,
        REPLICATE,
        text("seed", "the seed that all dice come from"),
        text("error", "what went wrong"),
        text("command", "what repeats the run alone"),
    ],
};

/// All tables that `run` writes.
pub static TABLES: [&Table<'_>; 9] =
    [&CELLS, &RUNS, &SERIES, &LIQUIDATIONS, &LIQUIDATION_MAP, &CRITICALITY, &TRANSFERS, &SUMMARY, &EFFECTS];

/// The tables that `targets` writes besides.
pub static TARGET_TABLES: [&Table<'_>; 2] = [&TARGETS, &TARGET_VALUES];

/// Returns the metrics of the runs table: its number, integer and time columns after the run's key, in order.
pub fn metrics() -> impl Iterator<Item = &'static Column<'static>> {
    RUNS.columns.iter().skip(2).filter(|column| column.kind != ColumnKind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_well_defined() {
        for table in TABLES.iter().chain(&TARGET_TABLES).chain([
            &&AMPLIFICATION,
            &&POLICIES,
            &&RANKING,
            &&PARETO,
            &&FAILURES,
        ]) {
            assert_eq!(table.check(), Ok(()));
        }
    }
}
