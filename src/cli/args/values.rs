//! From a word on the command line to a value, or to what is wanted there.

use crate::units::{Time, parse_duration};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Understands a time of the clock on the wall.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).ok().filter(|time| *time > Time::ZERO);
    let nanoseconds = time.and_then(|time| u64::try_from(time.0).ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| "a duration such as 90s, 30m or 1h30m is wanted".to_owned())
}

/// Understands a number of replicates.
pub(super) fn replicates(text: &str) -> Result<u32, String> {
    const MOST: u32 = 100_000;
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("a whole number from 1 to {MOST} is wanted"))
}

/// Understands a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a whole number from 0 to {} is wanted", u64::MAX))
}

/// Understands how many things are done at once.
pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "a whole number from 1 is wanted".to_owned())
}

/// Understands how narrow an interval is to be.
pub(super) fn width(text: &str) -> Result<f64, String> {
    let width = text.parse().ok().filter(|width| (0.001..=1.0).contains(width));
    width.ok_or_else(|| "a share of the estimate from 0.001 to 1 is wanted, such as 0.05".to_owned())
}
