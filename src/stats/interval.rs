//! Confidence intervals of means, paired differences and proportions, in closed form.

use super::distribution::{normal_quantile, student_quantile};
use super::moments;

/// An estimate with its confidence limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The estimate itself.
    pub estimate: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Interval {
    /// Tells whether a value lies within the limits, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Makes the interval that reaches equally far to both sides.
    pub(super) fn symmetric(estimate: f64, reach: f64) -> Self {
        Self { estimate, low: estimate - reach, high: estimate + reach }
    }
}

/// Stops a level that is no level; 0.95 is the usual one.
pub(super) fn assert_confidence(confidence: f64) {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence level is in (0, 1), not {confidence}");
}

/// Returns Student's t interval of the mean of independent values, or `None` for fewer than two.
///
/// Exact for normal data; for others the error falls with the sample's size and grows with its skewness (see
/// `bootstrap`).
///
/// # Panics
/// Panics unless `confidence` is in (0, 1).
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let error = moments::standard_error(values)?;
    let t = student_quantile(0.5 + 0.5 * confidence, (values.len() - 1) as f64);
    Some(Interval::symmetric(moments::mean(values)?, t * error))
}

/// Returns Student's t interval of the mean of `treated - control`, pair by pair, or `None` for fewer than two pairs.
///
/// For runs that share their seeds: what the pairs have in common leaves the error.
///
/// # Panics
/// Panics if the samples differ in length or `confidence` is outside (0, 1).
pub fn paired_interval(treated: &[f64], control: &[f64], confidence: f64) -> Option<Interval> {
    mean_interval(&paired_differences(treated, control), confidence)
}

/// Returns `treated - control`, pair by pair.
///
/// # Panics
/// Panics if the samples differ in length.
pub fn paired_differences(treated: &[f64], control: &[f64]) -> Vec<f64> {
    assert_eq!(treated.len(), control.len(), "pairs need samples of one length");
    treated.iter().zip(control).map(|(t, c)| t - c).collect()
}

/// Returns Wilson's (1927) score interval of a proportion, or `None` without trials. Stays within [0, 1] and holds its
/// level for small counts, where the textbook interval collapses.
///
/// # Panics
/// Panics if there are more successes than trials or `confidence` is outside (0, 1).
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Option<Interval> {
    wilson_share(successes as f64, trials, confidence)
}

/// As [`wilson`], with trials that may count half.
pub(super) fn wilson_share(successes: f64, trials: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    assert!(successes <= trials as f64, "{successes} successes in {trials} trials");
    if trials == 0 {
        return None;
    }
    let (n, share) = (trials as f64, successes / trials as f64);
    let z = normal_quantile(0.5 + 0.5 * confidence);
    let weight = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / weight;
    let reach = z / weight * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // The exact limits at no and at all successes are 0 and 1; rounding may miss them by a bit.
    let low = if successes <= 0.0 { 0.0 } else { (centre - reach).max(0.0) };
    let high = if successes >= n { 1.0 } else { (centre + reach).min(1.0) };
    Some(Interval { estimate: share, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Bernoulli, Distribution, Normal};

    fn assert_limits(found: Option<Interval>, low: f64, high: f64, tolerance: f64) {
        let found = found.unwrap();
        assert!((found.low - low).abs() < tolerance && (found.high - high).abs() < tolerance, "{found:?}");
    }

    /// Student's (1908) sleep data, as R's `t.test(extra ~ group, paired = TRUE)` prints it: mean -1.58, limits -2.4598858
    /// and -.7001142.
    #[test]
    fn students_sleep_data_give_his_interval() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let found = paired_interval(&first, &second, 0.95);
        assert!((found.unwrap().estimate + 1.58).abs() < 1e-14);
        assert_limits(found, -2.459_885_8, -0.700_114_2, 5e-8);
    }

    /// Ten in a hundred by the formula in double precision elsewhere, and the closed form at zero: z^2/(n+z^2).
    #[test]
    fn wilson_limits_are_those_of_the_closed_form() {
        assert_limits(wilson(10, 100, 0.95), 0.055_229_1, 0.174_365_7, 5e-8);
        assert_limits(wilson(0, 20, 0.95), 0.0, 3.841_458_820_694_12 / 23.841_458_820_694_12, 1e-12);
        assert_limits(wilson(20, 20, 0.95), 20.0 / 23.841_458_820_694_12, 1.0, 1e-12);
    }

    /// 1,000 studies of eight normal values, and of 30 trials; four standard errors of coverage are 2.8 points. Wilson's level
    /// is an average over proportions and oscillates by another 2 points at one of them.
    #[test]
    fn intervals_cover_as_stated() {
        let (studies, stream) = (1_000, Seed { master: 17, replicate: 0 }.stream("interval-tests"));
        let (law, coin) = (Normal::new(5.0, 3.0), Bernoulli::new(0.2));
        let (mut means, mut shares) = (0, 0);
        for study in 0..studies {
            let mut rng = stream.draw(study, 0);
            let values: Vec<f64> = (0..8).map(|_| law.sample(&mut rng)).collect();
            means += u64::from(mean_interval(&values, 0.95).unwrap().contains(5.0));
            let successes = (0..30).filter(|_| coin.sample(&mut rng)).count();
            shares += u64::from(wilson(successes as u64, 30, 0.95).unwrap().contains(0.2));
        }
        let coverage = |hits: u64| hits as f64 / studies as f64;
        assert!((coverage(means) - 0.95).abs() < 0.028, "{means}");
        assert!((coverage(shares) - 0.95).abs() < 0.048, "{shares}");
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        assert_eq!(wilson(0, 0, 0.95), None);
        let constant = mean_interval(&[2.0, 2.0, 2.0], 0.95).unwrap();
        assert_eq!(constant, Interval { estimate: 2.0, low: 2.0, high: 2.0 });
    }

    #[test]
    #[should_panic(expected = "one length")]
    fn unequal_samples_have_no_pairs() {
        paired_interval(&[1.0, 2.0], &[1.0], 0.95);
    }
}
