//! Mathematics on slices of numbers: summaries, intervals, tests and the exact laws the simulator is held against.
//! Nothing here knows what a market is.
//!
//! One contract for all files: values are finite and below 1e150 in size (anything else panics, because it is an error of
//! ours that would spread unseen), a result that does not exist is `None` and its function says when, and no result is
//! ever NaN. Logarithms and their kin go through `libm` and sums run in stored order, so that a published number has the
//! same bits everywhere.

pub mod bootstrap;
pub mod cascade_law;
pub mod dependence;
pub mod distribution;
pub mod fit;
pub mod interval;
pub mod jump_diffusion;
pub mod moments;
pub mod order;
pub mod paired;
pub mod quantile;
pub mod rank;
pub mod ratio;
pub mod regression;
pub mod score;
pub mod tails;
pub mod trend;

pub use interval::Interval;

use std::cmp::Ordering;

/// Stops what is not a number before it spreads.
fn assert_finite(values: &[f64]) {
    let stranger = values.iter().position(|value| !value.is_finite());
    assert!(stranger.is_none(), "value {stranger:?} of {} is not finite", values.len());
}

/// Tells whether at least two values differ.
fn varies(values: &[f64]) -> bool {
    values.iter().any(|value| value.partial_cmp(&values[0]) != Some(Ordering::Equal))
}
