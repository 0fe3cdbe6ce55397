//! Scores of a forecast against what was observed: lower is better.

/// Returns the interval score of a central interval [low, high] that should hold all but a share `alpha` of the outcomes: its
/// width, plus 2/alpha times the distance by which it misses what was observed.
///
/// Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation, JASA 102(477), eq. 43. Proper: nobody
/// expects a lower score by stating other than the alpha/2 and 1 - alpha/2 quantiles of what they believe. In the unit of the
/// outcome.
///
/// # Panics
/// Panics unless `low <= high`, all are finite and `alpha` is in (0, 1).
pub fn interval_score(low: f64, high: f64, alpha: f64, observed: f64) -> f64 {
    assert!(alpha > 0.0 && alpha < 1.0, "alpha is in (0, 1), not {alpha}");
    assert!(low <= high && low.is_finite() && high.is_finite(), "an interval is in order: {low} .. {high}");
    assert!(observed.is_finite(), "an observation is finite, not {observed}");
    let missed = (low - observed).max(0.0) + (observed - high).max(0.0);
    (high - low) + 2.0 / alpha * missed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Normal, normal_quantile};

    #[test]
    fn inside_it_is_the_width_and_outside_the_distance_is_added_with_its_weight() {
        for (observed, score) in [(1.0, 2.0), (2.5, 2.0), (3.0, 2.0), (0.9, 4.0), (3.5, 12.0)] {
            let found = interval_score(1.0, 3.0, 0.1, observed);
            assert!((found - score).abs() < 1e-12, "{observed}: {found}");
        }
        let point = interval_score(2.0, 2.0, 0.1, 2.5);
        assert!((point - 10.0).abs() < 1e-12, "a point forecast pays for the distance alone: {point}");
    }

    /// Of 20,000 standard normal outcomes: the quantiles' mean score is below that of narrower, wider and shifted intervals. The
    /// nearest of these (the shifted one) is 0.188 worse in expectation, and no difference has a standard error above 0.02: the bar is
    /// four of them away.
    #[test]
    fn the_true_quantiles_have_the_lowest_mean_score() {
        let stream = Seed { master: 3, replicate: 0 }.stream("interval-score");
        let law = Normal::new(0.0, 1.0);
        let outcomes: Vec<f64> = (0..20_000).map(|at| law.sample(&mut stream.draw(at, 0))).collect();
        let z = normal_quantile(0.95);
        let mean = |low: f64, high: f64| {
            let sum: f64 = outcomes.iter().map(|outcome| interval_score(low, high, 0.1, *outcome)).sum();
            sum / outcomes.len() as f64
        };
        let honest = mean(-z, z);
        for (low, high) in [(-0.75 * z, 0.75 * z), (-1.5 * z, 1.5 * z), (0.3 - z, 0.3 + z), (-z, 1.4 * z)] {
            assert!(mean(low, high) > honest + 0.1, "{low} .. {high}");
        }
    }
}
