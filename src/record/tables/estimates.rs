//! The tables of what is estimated from runs.

use super::super::columns::{CELL, REPLICATE, Table};
use super::{CRITICAL, integer, number, text};

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
        CRITICAL[0],
        CRITICAL[1],
        CRITICAL[2],
        CRITICAL[3],
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
