//! What paired samples say about a difference beside its mean: who is ahead how often, what pairing gained, and how small a
//! difference so many pairs would still have found.

use super::assert_finite;
use super::distribution::student_quantile;
use super::interval::{Interval, paired_differences, wilson_share};
use super::moments::{standard_error, variance};

/// Returns the share of pairs whose difference is positive, ties counted half (Vargha and Delaney 2000), with Wilson's limits;
/// `None` without pairs. Ties vary less than coins do, so that with ties the limits are wider than stated.
///
/// # Panics
/// Panics if a difference is not finite or `confidence` is outside (0, 1).
pub fn superiority(differences: &[f64], confidence: f64) -> Option<Interval> {
    assert_finite(differences);
    let score = |difference: &f64| match difference.total_cmp(&0.0) {
        _ if difference.abs() <= 0.0 => 0.5,
        std::cmp::Ordering::Greater => 1.0,
        _ => 0.0,
    };
    wilson_share(differences.iter().map(score).sum(), differences.len() as u64, confidence)
}

/// What common random numbers gain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Gain {
    /// The variance of the difference is that of independent samples divided by this; below 1 where pairing harms.
    Factor(f64),
    /// Every pair differs by the same, though the samples vary: pairing leaves no variance at all.
    Complete,
    /// Neither sample varies, so that there was nothing to gain.
    Nothing,
}

/// Differences of values of size one that are closer than this are equal: a sum of some thousand terms is as exact.
const ROUNDING: f64 = 1e-12;

/// Returns what pairing gains for the difference of two means: the sum of both variances, which is what independent samples
/// have, over the variance of the paired differences (Glasserman and Yao 1992). `None` for fewer than two pairs.
///
/// # Panics
/// Panics if the samples differ in length.
pub fn pairing_gain(a: &[f64], b: &[f64]) -> Option<Gain> {
    let (apart, together) = (variance(a)? + variance(b)?, variance(&paired_differences(a, b))?);
    // Differences that are equal but for their rounding do not vary.
    let size = a.iter().chain(b).map(|value| value.abs()).fold(0.0, f64::max);
    let rounding = ROUNDING * size;
    Some(if apart <= 0.0 {
        Gain::Nothing
    } else if together <= rounding * rounding {
        Gain::Complete
    } else {
        Gain::Factor(apart / together)
    })
}

/// Returns the smallest mean difference that a two-sided test at `level` finds with probability `power`, given as many pairs with
/// the standard deviation of these: (t(1-level/2) + t(power)) standard errors (Bloom 1995). 0 if the differences do not vary,
/// `None` for fewer than two pairs.
///
/// # Panics
/// Panics if `level` or `power` is outside (0, 1).
pub fn smallest_detectable(differences: &[f64], level: f64, power: f64) -> Option<f64> {
    let error = standard_error(differences)?;
    let degrees = (differences.len() - 1) as f64;
    Some((student_quantile(1.0 - 0.5 * level, degrees) + student_quantile(power, degrees)) * error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Normal};
    use crate::stats::interval::mean_interval;

    #[test]
    fn ties_count_half_for_whoever_is_ahead() {
        let found = superiority(&[1.0, -2.0, 0.0, -0.0, 5.0], 0.95).unwrap();
        assert!((found.estimate - 0.6).abs() < 1e-15 && found.low < 0.6 && found.high > 0.6, "{found:?}");
        let even = superiority(&[0.0; 7], 0.95).unwrap();
        assert!(
            (even.estimate - 0.5).abs() < 1e-15 && (even.low + even.high - 1.0).abs() < 1e-12,
            "{even:?}"
        );
        // All ahead: the closed form of Wilson's lower limit, n/(n + z^2).
        let all = superiority(&[2.0; 20], 0.95).unwrap();
        assert!((all.low - 20.0 / 23.841_458_820_694_12).abs() < 1e-12 && all.high >= 1.0, "{all:?}");
        assert_eq!(superiority(&[], 0.95), None);
    }

    /// By hand: both variances are 1 and 4, and the differences -1, -2, -3 have variance 1.
    #[test]
    fn the_gain_is_the_ratio_of_variances() {
        let (a, b) = ([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]);
        let Some(Gain::Factor(gain)) = pairing_gain(&a, &b) else { panic!() };
        assert!((gain - 5.0).abs() < 1e-14, "{gain}");
        // Turned round, pairing harms: differences -5, -2, 1 have variance 9.
        let Some(Gain::Factor(harm)) = pairing_gain(&a, &[6.0, 4.0, 2.0]) else { panic!() };
        assert!((harm - 5.0 / 9.0).abs() < 1e-14, "{harm}");
        assert_eq!(pairing_gain(&a, &[2.0, 3.0, 4.0]), Some(Gain::Complete));
        // 20 added to values that are not exact in binary.
        assert_eq!(pairing_gain(&[20.1, 20.2, 20.7], &[0.1, 0.2, 0.7]), Some(Gain::Complete));
        assert_eq!(pairing_gain(&[1.0; 3], &[5.0; 3]), Some(Gain::Nothing));
        assert_eq!(pairing_gain(&[1.0], &[5.0]), None);
    }

    /// The textbook size for half a standard deviation at 5 % and 80 % is 34 pairs (Cohen 1988; G*Power prints 34): 33 are too few.
    #[test]
    fn half_a_deviation_takes_thirty_four_pairs() {
        // As many at +c as at -c have a standard deviation of one.
        let unit = |n: usize| -> Vec<f64> {
            let side = ((n - 1) as f64 / (2 * n.div_euclid(2)) as f64).sqrt();
            (0..n)
                .map(|i| [side, -side][i % 2])
                .take(2 * n.div_euclid(2))
                .chain((n % 2 == 1).then_some(0.0))
                .collect()
        };
        assert!((variance(&unit(33)).unwrap() - 1.0).abs() < 1e-12);
        assert!(smallest_detectable(&unit(34), 0.05, 0.8).unwrap() < 0.5);
        assert!(smallest_detectable(&unit(33), 0.05, 0.8).unwrap() > 0.5);
        assert_eq!(smallest_detectable(&[2.0; 5], 0.05, 0.8), Some(0.0));
        assert_eq!(smallest_detectable(&[2.0], 0.05, 0.8), None);
    }

    /// 2,000 studies of 20 pairs with the smallest detectable effect of a known deviation: found in four fifths of them, within
    /// four standard errors of .9 points, and one more point for the approximation.
    #[test]
    fn an_effect_of_that_size_is_found_as_often_as_stated() {
        let stream = Seed { master: 19, replicate: 0 }.stream("paired-tests");
        let n = 20.0_f64;
        let effect = (student_quantile(0.975, n - 1.0) + student_quantile(0.8, n - 1.0)) / n.sqrt();
        let law = Normal::new(effect, 1.0);
        let found = (0..2_000).filter(|&study| {
            let mut rng = stream.draw(study, 0);
            let values: Vec<f64> = (0..20).map(|_| law.sample(&mut rng)).collect();
            !mean_interval(&values, 0.95).unwrap().contains(0.0)
        });
        let power = found.count() as f64 / 2_000.0;
        assert!((power - 0.8).abs() < 0.046, "{power}");
    }
}
