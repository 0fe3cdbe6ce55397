//! Quantiles of a sample, by linear interpolation between order statistics.

use super::assert_finite;

/// Returns the quantile of probability `p` in [0, 1], or `None` for an empty sample.
///
/// Type 7 of Hyndman and Fan (1996), the default of R and NumPy. Sorts a copy; for several quantiles of one sample sort
/// once and use [`quantile_sorted`].
///
/// # Panics
/// Panics if `p` is outside [0, 1] or a value is not finite.
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    quantile_sorted(&sorted(values), p)
}

/// Returns the quantile of probability `p` of values in ascending order, or `None` for an empty sample.
///
/// # Panics
/// Panics if `p` is outside [0, 1] or the values are not in order.
pub fn quantile_sorted(ascending: &[f64], p: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&p), "a quantile's probability is in [0, 1], not {p}");
    debug_assert!(ascending.is_sorted(), "quantiles need values in order");
    let last = ascending.len().checked_sub(1)?;
    let position = p * last as f64;
    let below = libm::floor(position) as usize;
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    assert!(low <= high, "quantiles need values in order");
    // Weighted rather than `low + share*(high - low)`, whose difference may overflow; held between the neighbours.
    let share = position - below as f64;
    Some((low * (1.0 - share) + high * share).clamp(low, high))
}

/// Returns the median, or `None` for an empty sample.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The middle of a sample and the range that holds nine tenths of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// 5 % quantile.
    pub low: f64,
    /// Median.
    pub median: f64,
    /// 95 % quantile.
    pub high: f64,
}

impl Spread {
    /// Computes the spread of a sample, or `None` if it is empty.
    pub fn of(values: &[f64]) -> Option<Self> {
        let ascending = sorted(values);
        Some(Self {
            low: quantile_sorted(&ascending, 0.05)?,
            median: quantile_sorted(&ascending, 0.5)?,
            high: quantile_sorted(&ascending, 0.95)?,
        })
    }

    /// Tells whether a value lies in the range, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Returns the values in ascending order, -0 before 0.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    assert_finite(values);
    let mut ascending = values.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    ascending
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `quantile(c(1, 2, 4, 8, 16), p, type = 7)` of R.
    #[test]
    fn quantiles_are_those_of_type_7() {
        let values = [16.0, 1.0, 8.0, 2.0, 4.0];
        for (p, expected) in
            [(0.0, 1.0), (0.05, 1.2), (0.25, 2.0), (0.5, 4.0), (0.9, 12.8), (0.95, 14.4), (1.0, 16.0)]
        {
            let found = quantile(&values, p).unwrap();
            assert!((found - expected).abs() < 1e-14, "{p}: {found}");
        }
        assert_eq!(median(&[1.0, 2.0, 3.0, 4.0]), Some(2.5));
    }

    #[test]
    fn a_spread_is_three_quantiles() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let spread = Spread::of(&values).unwrap();
        assert_eq!(spread, Spread { low: 5.0, median: 50.0, high: 95.0 });
        assert!(spread.contains(95.0) && !spread.contains(95.1));
    }

    #[test]
    fn one_value_is_every_quantile_and_none_is_none() {
        assert_eq!(quantile(&[3.0], 0.77), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn the_largest_floats_do_not_overflow() {
        assert_eq!(median(&[-f64::MAX, f64::MAX]), Some(0.0));
    }
}
