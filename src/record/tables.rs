//! The tables of a results folder, each column with its unit and meaning.

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
        number(
            "criticality_1pct",
            "1",
            "longs that would be liquidated within 1 % below the mark over the bids there, before the first shock",
        ),
        number("criticality_2pct", "1", "the same within 2 %"),
        number("criticality_5pct", "1", "the same within 5 %"),
        number(
            "first_generation",
            "1",
            "mean longs due by the fall that selling one of the next hundred at once causes, before the first shock",
        ),
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
        number(
            "criticality_1pct",
            "1",
            "longs that would be liquidated within 1 % below the mark over the bids there; none without a bid",
        ),
        number("criticality_2pct", "1", "the same within 2 %"),
        number("criticality_5pct", "1", "the same within 5 %"),
        number(
            "first_generation",
            "1",
            "mean longs due by the fall that selling one of the next hundred at once causes; none without a long",
        ),
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

/// One row a metric and cell.
pub static SUMMARY: Table<'_> = Table {
    name: "summary",
    title: "one metric over the replicates of a cell",
    columns: &[
        CELL,
        REPLICATE,
        text("arm", "base, the mechanism that is switched off, unlevered, or calm: without shocks"),
        text("metric", "column of the runs table"),
        integer("replicates", "1", "runs with a value"),
        number("mean", "of the metric", "mean"),
        number("mean_ci_low", "of the metric", "lower end of the 95 % Student interval of the mean"),
        number("mean_ci_high", "of the metric", "upper end of the 95 % Student interval of the mean"),
        number("median", "of the metric", "median"),
        number("p05", "of the metric", "5 % quantile"),
        number("p95", "of the metric", "95 % quantile"),
    ],
};

/// One row a metric and mechanism that is switched off.
pub static EFFECTS: Table<'_> = Table {
    name: "effects",
    title: "one metric with and without a mechanism, paired by seed",
    columns: &[
        CELL,
        REPLICATE,
        text("mechanism", "mechanism that is switched off in this cell"),
        text("metric", "column of the runs table"),
        integer("pairs", "1", "replicates with a value in both cells"),
        number("mean_with", "of the metric", "mean with the mechanism"),
        number("mean_without", "of the metric", "mean without it"),
        number("difference", "of the metric", "mean of with minus without, replicate by replicate"),
        number("difference_ci_low", "of the metric", "lower end of its 95 % Student interval"),
        number("difference_ci_high", "of the metric", "upper end of its 95 % Student interval"),
    ],
};

/// One row a point: what forced selling makes of a shock.
pub static AMPLIFICATION: Table<'_> = Table {
    name: "amplification",
    title: "how much forced selling amplifies a shock at one point",
    columns: &[
        CELL,
        REPLICATE,
        integer("replicates", "1", "replicates that have all four runs"),
        number(
            "fall_with_pct",
            "%",
            "mean drawdown with forced selling, less that of the same runs without the shock",
        ),
        number(
            "fall_without_pct",
            "%",
            "mean drawdown without forced selling (credit extended), less that of the same runs without the shock",
        ),
        number("amplification", "1", "ratio of the two falls; none where the second is no fall"),
        number("amplification_ci_low", "1", "lower end of its 95 % interval (Fieller 1954)"),
        number("amplification_ci_high", "1", "upper end of its 95 % interval (Fieller 1954)"),
        number(
            "effective_r",
            "1",
            "1 - 1/amplification: what a sale brings about anew of itself in a chain of that ratio",
        ),
        number("effective_r_ci_low", "1", "lower end of its interval"),
        number("effective_r_ci_high", "1", "upper end of its interval"),
        integer(
            "replicates_needed",
            "1",
            "replicates that would make the interval of effective R .05 wide to either side, as widths go with the root of their number",
        ),
        number(
            "criticality_1pct",
            "1",
            "mean of the runs with forced selling and the shock: longs that would be liquidated within 1 % below the mark over the bids there, before the shock",
        ),
        number("criticality_2pct", "1", "the same within 2 %"),
        number("criticality_5pct", "1", "the same within 5 %"),
        number(
            "first_generation",
            "1",
            "mean of the same runs: longs due by the fall that selling one of the next hundred at once causes, before the shock",
        ),
    ],
};

/// One row a policy and metric: what it makes of the scenario.
pub static POLICIES: Table<'_> = Table {
    name: "policies",
    title: "one metric under a policy and without it, paired by seed",
    columns: &[
        CELL,
        REPLICATE,
        text("arm", "base, or calm: without shocks"),
        text("metric", "column of the runs table"),
        integer("pairs", "1", "replicates with a value in both cells"),
        number("baseline_mean", "of the metric", "mean in the scenario as it is"),
        number("mean", "of the metric", "mean under the policy"),
        number("difference", "of the metric", "mean of policy minus baseline, replicate by replicate"),
        number("difference_ci_low", "of the metric", "lower end of its 95 % interval (Student's t)"),
        number("difference_ci_high", "of the metric", "upper end of its 95 % interval"),
        number(
            "difference_bca_low",
            "of the metric",
            "lower end of its 95 % bootstrap interval (BCa, Efron 1987)",
        ),
        number("difference_bca_high", "of the metric", "upper end of its 95 % bootstrap interval"),
        number(
            "p",
            "1",
            "two-sided p-value of the difference by random signs (Fisher 1935); 1 where no pair differs",
        ),
        number("p_holm", "1", "the same, corrected for all rows of this table (Holm 1979)"),
        number("better", "1", "share of replicates in which the policy is better, ties half"),
        number("better_ci_low", "1", "lower end of its 95 % interval (Wilson 1927)"),
        number("better_ci_high", "1", "upper end of its 95 % interval"),
        number(
            "crn_factor",
            "1",
            "variance of the difference of independent runs over that of these pairs, which share their dice",
        ),
        text("crn", "factor, complete: all pairs differ by the same, or nothing: neither sample varies"),
        number(
            "detectable",
            "of the metric",
            "smallest difference that a test at 5 % finds with probability .8",
        ),
        number(
            "detectable_holm",
            "of the metric",
            "the same at 5 % over the number of rows of this table, which is what p_holm asks at first",
        ),
    ],
};

/// One row a candidate of a ranking.
pub static RANKING: Table<'_> = Table {
    name: "ranking",
    title: "the rank of a policy by one metric, as far as the data decide it",
    columns: &[
        CELL,
        REPLICATE,
        text("arm", "base, or calm: without shocks"),
        text("metric", "column of the runs table; less is better"),
        integer("replicates", "1", "replicates that all candidates have"),
        number("mean", "of the metric", "mean over them"),
        integer("rank", "1", "rank by mean, 1 for the least"),
        integer("rank_best", "1", "best rank that pairwise tests leave open, all together at 95 %"),
        integer("rank_worst", "1", "worst rank that they leave open"),
        number(
            "p_first",
            "1",
            "p-value of its difference from the first, corrected for all pairs (Holm 1979)",
        ),
    ],
};

/// One row a candidate and kind of protection.
pub static PARETO: Table<'_> = Table {
    name: "pareto",
    title: "protection against calm-time cost of a policy",
    columns: &[
        CELL,
        REPLICATE,
        text("protection", "metric that the policy is to lower in the crash"),
        text("cost", "metric of calm time that it may raise"),
        integer("replicates", "1", "replicates that all candidates have"),
        number("protection_mean", "of the metric", "mean in the crash"),
        number("cost_mean", "of the metric", "mean in calm time"),
        text("on_front", "whether no candidate is as good in both and better in one"),
        integer("dominated_by", "1", "cell of a candidate that is"),
        number(
            "front_share",
            "1",
            "share of 2,000 bootstrap draws of the replicates in which it is on the front",
        ),
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
