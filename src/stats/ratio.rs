//! The ratio of two means over paired observations, such as the amplification of a fall: with leverage over without.
//!
//! A mean of ratios is another quantity, and a biased one where a denominator comes near zero.

use super::distribution::student_quantile;
use super::interval::{Interval, assert_confidence};
use super::moments::{compensated, mean, variance};
use super::{assert_finite, varies};

/// Returns mean(numerators) / mean(denominators), or `None` if the samples are empty or the denominators' mean is zero.
/// The statistic to hand to [`Bootstrap::of_pairs`](super::bootstrap::Bootstrap::of_pairs).
///
/// # Panics
/// Panics if the samples differ in length.
pub fn ratio(numerators: &[f64], denominators: &[f64]) -> Option<f64> {
    assert_eq!(numerators.len(), denominators.len(), "pairs need samples of one length");
    let quotient = mean(numerators)? / mean(denominators)?;
    quotient.is_finite().then_some(quotient)
}

/// Returns the ratio of means with the limits of the delta method (Cramér 1946) and Student's t with n-1 degrees; `None`
/// for fewer than two pairs or a denominators' mean of zero.
///
/// Good while the denominators' mean is known within a tenth of itself; beyond, use [`fieller`] or the bootstrap.
///
/// # Panics
/// Panics if the samples differ in length or `confidence` is outside (0, 1).
pub fn delta_interval(numerators: &[f64], denominators: &[f64], confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let estimate = ratio(numerators, denominators)?;
    // The ratio's influence function: its mean is zero by the definition of the ratio.
    let residuals: Vec<f64> = numerators.iter().zip(denominators).map(|(y, x)| y - estimate * x).collect();
    let n = numerators.len() as f64;
    let error = (variance(&residuals)? / n).sqrt() / mean(denominators)?.abs();
    Some(Interval::symmetric(estimate, student_quantile(0.5 + 0.5 * confidence, n - 1.0) * error))
}

/// Returns the ratio of means with the limits of Fieller (1954), exact for jointly normal pairs; `None` for fewer than two
/// pairs, or when the denominators' mean does not differ from zero at this level, so that no finite limits exist.
///
/// # Panics
/// Panics if the samples differ in length or `confidence` is outside (0, 1).
pub fn fieller(numerators: &[f64], denominators: &[f64], confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let estimate = ratio(numerators, denominators)?;
    if !varies(denominators) {
        return delta_interval(numerators, denominators, confidence);
    }
    let n = numerators.len() as f64;
    let (y, x) = (mean(numerators)?, mean(denominators)?);
    let t = student_quantile(0.5 + 0.5 * confidence, (n - 1.0).max(1.0));
    let scale = t * t / n;
    // Roots of (y - r x)^2 = t^2/n (s_yy - 2 r s_xy + r^2 s_xx).
    let square = x * x - scale * variance(denominators)?;
    let middle = x * y - scale * covariance(numerators, denominators)?;
    let constant = y * y - scale * variance(numerators)?;
    if square <= 0.0 {
        return None;
    }
    let root = (middle * middle - square * constant).max(0.0).sqrt();
    Some(Interval { estimate, low: (middle - root) / square, high: (middle + root) / square })
}

/// Returns the elasticity of a mean between two values of a parameter, ln(mean ratio) / ln(`factor`), with Fieller's limits through the
/// same logarithm, so that it covers as often as they do; `None` where these do not exist or are not above zero.
///
/// # Panics
/// Panics if the samples differ in length, `confidence` is outside (0, 1), or `factor` is not positive or is 1.
pub fn elasticity(
    numerators: &[f64],
    denominators: &[f64],
    factor: f64,
    confidence: f64,
) -> Option<Interval> {
    let scale = libm::log(factor);
    assert!(
        scale.is_finite() && scale != 0.0,
        "between two values of a parameter there is a ratio, not {factor}"
    );
    let Interval { estimate, low, high } = fieller(numerators, denominators, confidence)?;
    if low <= 0.0 {
        return None;
    }
    let [estimate, low, high] = [estimate, low, high].map(|ratio| libm::log(ratio) / scale);
    Some(Interval { estimate, low: low.min(high), high: low.max(high) })
}

/// Returns the unbiased covariance of paired samples (divisor n-1), or `None` for fewer than two pairs.
///
/// # Panics
/// Panics if the samples differ in length.
pub fn covariance(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "pairs need samples of one length");
    assert_finite(a);
    if a.len() < 2 {
        return None;
    }
    let (a_mean, b_mean) = (mean(a)?, mean(b)?);
    let products = compensated(a.iter().zip(b).map(|(x, y)| (x - a_mean) * (y - b_mean)));
    Some(products / (a.len() as f64 - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Normal};

    fn pairs(study: u64, n: usize) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Seed { master: 12, replicate: 0 }.stream("ratio-tests").draw(study, 0);
        let (common, own) = (Normal::new(0.0, 2.0), Normal::new(0.0, 1.0));
        let pair = |_| {
            let shared = common.sample(&mut rng);
            (30.0 + 3.0 * shared + own.sample(&mut rng), 10.0 + shared + own.sample(&mut rng))
        };
        (0..n).map(pair).unzip()
    }

    /// By hand: means 4 and 2, residuals y-2x of 1, -2, 1 with variance 3, so an error of sqrt(3/3)/2.
    #[test]
    fn the_delta_method_is_that_of_the_closed_form() {
        let found = delta_interval(&[3.0, 2.0, 7.0], &[1.0, 2.0, 3.0], 0.95).unwrap();
        let reach = student_quantile(0.975, 2.0) * 0.5;
        assert!((found.estimate - 2.0).abs() < 1e-14);
        assert!((found.high - found.low - 2.0 * reach).abs() < 1e-12, "{found:?}");
    }

    /// 1,000 studies of 12 normal pairs with a true ratio of 3; four standard errors of coverage are 2.8 points.
    #[test]
    fn intervals_cover_as_stated() {
        let studies = 1_000;
        let (mut delta, mut exact) = (0, 0);
        for study in 0..studies {
            let (y, x) = pairs(study, 12);
            delta += u64::from(delta_interval(&y, &x, 0.95).unwrap().contains(3.0));
            exact += u64::from(fieller(&y, &x, 0.95).unwrap().contains(3.0));
        }
        for hits in [delta, exact] {
            let coverage = hits as f64 / studies as f64;
            assert!((coverage - 0.95).abs() < 0.028, "{coverage}");
        }
    }

    #[test]
    fn both_intervals_meet_in_large_samples() {
        let (y, x) = pairs(0, 20_000);
        let (delta, exact) = (delta_interval(&y, &x, 0.95).unwrap(), fieller(&y, &x, 0.95).unwrap());
        let width = delta.high - delta.low;
        assert!(
            (delta.low - exact.low).abs() < 0.01 * width && (delta.high - exact.high).abs() < 0.01 * width
        );
    }

    #[test]
    fn a_denominator_that_may_be_zero_has_no_limits() {
        assert_eq!(ratio(&[1.0, 2.0], &[1.0, -1.0]), None);
        assert_eq!(ratio(&[], &[]), None);
        assert_eq!(fieller(&[1.0, 2.0, 3.0], &[1.0, -0.5, 0.3], 0.95), None);
        assert_eq!(delta_interval(&[1.0], &[1.0], 0.95), None);
        assert_eq!(fieller(&[1.0], &[1.0], 0.95), None);
    }

    #[test]
    fn a_constant_denominator_leaves_the_interval_of_the_mean() {
        let y = [1.0, 4.0, 2.0, 8.0];
        let mean = crate::stats::interval::mean_interval(&y, 0.9).unwrap();
        let found = fieller(&y, &[2.0; 4], 0.9).unwrap();
        assert!((found.low - mean.low / 2.0).abs() < 1e-14 && (found.high - mean.high / 2.0).abs() < 1e-14);
    }

    #[test]
    fn an_elasticity_is_the_logarithm_of_a_ratio_with_its_limits() {
        let (with, without) = ([8.0, 9.0, 7.5, 7.5], [4.0, 4.5, 4.1, 3.4]);
        let Interval { low, high, .. } = fieller(&with, &without, 0.95).unwrap();
        // Twice as much where the parameter is four times as large, and where it is a quarter.
        let found = elasticity(&with, &without, 4.0, 0.95).unwrap();
        let exact = [0.5, libm::log(low) / libm::log(4.0), libm::log(high) / libm::log(4.0)];
        for (found, exact) in [found.estimate, found.low, found.high].into_iter().zip(exact) {
            assert!((found - exact).abs() < 1e-12, "{found} {exact}");
        }
        let falling = elasticity(&with, &without, 0.25, 0.95).unwrap();
        assert!(
            (falling.low + found.high).abs() < 1e-12 && (falling.high + found.low).abs() < 1e-12,
            "{falling:?}"
        );
        assert_eq!(elasticity(&[-1.0, 3.0, 1.0], &[1.0, 1.1, 1.0], 2.0, 0.95), None);
    }
}
