//! Tests of paired differences that assume no distribution, and the correction for asking many questions.

use super::distribution::{normal_quantile, normal_upper};
use super::interval::Interval;
use super::quantile::sorted;
use super::{assert_finite, moments};
use rand::Rng;

/// Returns the rank of each value from 1, ties at the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let ascending = sorted(values);
    let rank = |value: &f64| {
        let below = ascending.partition_point(|x| x < value);
        let up_to = ascending.partition_point(|x| x <= value);
        0.5 * (below + 1 + up_to) as f64
    };
    values.iter().map(rank).collect()
}

/// Returns the rank correlation of two variables (Spearman 1904) with an interval by Fisher's transform with the standard error of
/// Bonett and Wright (2000). `None` for fewer than four pairs, or where all of one variable are equal.
///
/// # Panics
/// Panics on lists of different length.
pub fn spearman(x: &[f64], y: &[f64], confidence: f64) -> Option<Interval> {
    assert_eq!(x.len(), y.len(), "a value of each variable a pair");
    let n = x.len() as f64;
    if x.len() < 4 {
        return None;
    }
    // Ranks have the mean (n + 1) / 2 whatever the ties.
    let [x, y] =
        [x, y].map(|values| ranks(values).iter().map(|rank| rank - 0.5 * (n + 1.0)).collect::<Vec<f64>>());
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    if scale <= 0.0 {
        return None;
    }
    let estimate = (product(&x, &y) / scale).clamp(-1.0, 1.0);
    let error = ((1.0 + 0.5 * estimate * estimate) / (n - 3.0)).sqrt();
    let reach = normal_quantile(0.5 + 0.5 * confidence) * error;
    let end = |reach: f64| libm::tanh(libm::atanh(estimate) + reach);
    Some(Interval { estimate, low: end(-reach), high: end(reach) })
}

/// The outcome of Wilcoxon's test.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SignedRank {
    /// Sum of the ranks of the positive differences.
    pub statistic: f64,
    /// Number of differences other than zero.
    pub used: usize,
    /// Two-sided probability of a statistic at least this far from its mean [0-1].
    pub p_value: f64,
}

/// Up to here the distribution is counted out; beyond, the normal one differs by less than 1e-3.
const EXACT_MAX: usize = 100;

/// Tests whether differences are symmetric about zero (Wilcoxon 1945). Zeros are dropped, ties get mean ranks; the
/// p-value is exact, ties included, up to 100 differences and normal with continuity correction beyond. Returns `None` if
/// no difference is other than zero.
pub fn wilcoxon(differences: &[f64]) -> Option<SignedRank> {
    assert_finite(differences);
    let kept: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > 0.0).collect();
    if kept.is_empty() {
        return None;
    }
    let ranks = ranks(&kept.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let statistic: f64 = kept.iter().zip(&ranks).filter(|(d, _)| **d > 0.0).map(|(_, rank)| rank).sum();
    let p_value = if kept.len() <= EXACT_MAX { exact(statistic, &ranks) } else { normal(statistic, &ranks) };
    Some(SignedRank { statistic, used: kept.len(), p_value })
}

/// Counts out the sums of randomly signed ranks. Twice a mean rank is whole, so the sums are indices.
fn exact(statistic: f64, ranks: &[f64]) -> f64 {
    let doubled = |rank: f64| libm::rint(2.0 * rank) as usize;
    let total: usize = ranks.iter().map(|&rank| doubled(rank)).sum();
    let mut probability = vec![0.0; total + 1];
    probability[0] = 1.0;
    for &rank in ranks {
        let rank = doubled(rank);
        for sum in (0..=total).rev() {
            let with = sum.checked_sub(rank).map_or(0.0, |rest| probability[rest]);
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let found = doubled(statistic);
    let tail: f64 = probability[..=found.min(total - found)].iter().sum();
    (2.0 * tail).min(1.0)
}

fn normal(statistic: f64, ranks: &[f64]) -> f64 {
    let mean = 0.5 * ranks.iter().sum::<f64>();
    let deviation = 0.5 * ranks.iter().map(|rank| rank * rank).sum::<f64>().sqrt();
    let distance = ((statistic - mean).abs() - 0.5).max(0.0);
    (2.0 * normal_upper(distance / deviation)).min(1.0)
}

/// Up to here every pattern of signs is tried.
const PATTERNS_MAX: usize = 16;

/// Tests whether paired differences have mean zero, by giving them random signs (Fisher 1935): exact for any distribution
/// that is symmetric under the hypothesis. Returns the two-sided p-value, or `None` for an empty sample.
///
/// Up to 16 differences all patterns of signs are tried and neither `flips` nor `rng` is used; beyond, `flips` random ones,
/// with the sample itself counted among them (Phipson and Smyth 2010), so the p-value is at least 1/(flips+1).
///
/// # Panics
/// Panics if a value is not finite or, beyond 16 differences, `flips` is 0.
pub fn sign_flip(differences: &[f64], flips: u32, rng: &mut impl Rng) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let total = moments::sum(differences).abs();
    // Sums in another order differ in their last bits and must still count as equal.
    let scale: f64 = differences.iter().map(|d| d.abs()).sum();
    let bound = total - 1e-12 * scale;
    // A word has the signs of 64 differences.
    let sum_of = |part: &[f64], signs: u64| {
        let signed = part.iter().enumerate().map(|(place, d)| if signs >> place & 1 == 1 { -d } else { *d });
        signed.sum::<f64>()
    };
    if differences.len() <= PATTERNS_MAX {
        let patterns = 1_u32 << differences.len();
        let extreme = (0..patterns).filter(|&pattern| sum_of(differences, u64::from(pattern)).abs() >= bound);
        return Some(extreme.count() as f64 / f64::from(patterns));
    }
    assert!(flips > 0, "a test needs at least one flip");
    let extreme = (0..flips).filter(|_| {
        let parts = differences.chunks(u64::BITS as usize);
        parts.map(|part| sum_of(part, rng.next_u64())).sum::<f64>().abs() >= bound
    });
    Some((extreme.count() + 1) as f64 / (f64::from(flips) + 1.0))
}

/// Tests as [`sign_flip`] the differences that are not zero: the others add nothing to any sum, and without them fewer patterns
/// have to be tried. 1 if all are zero.
///
/// # Panics
/// As [`sign_flip`].
pub fn sign_flip_nonzero(differences: &[f64], flips: u32, rng: &mut impl Rng) -> f64 {
    assert_finite(differences);
    let kept: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > 0.0).collect();
    sign_flip(&kept, flips, rng).unwrap_or(1.0)
}

/// Returns p-values corrected for their number so that the chance of any false rejection stays at the level (Holm 1979), in
/// the order given.
///
/// # Panics
/// Panics if a p-value is outside [0, 1].
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "a p-value is outside [0, 1]");
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (place, &index) in order.iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - place) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng as Generator, Seed};
    use crate::sampling::{Distribution, Normal};
    use crate::stats::fit::kolmogorov_smirnov;

    fn rng(n: u64) -> Generator {
        Seed { master: 15, replicate: 0 }.stream("rank-tests").draw(n, 0)
    }

    fn sample(study: u64, n: usize, mean: f64) -> Vec<f64> {
        let (mut rng, law) = (rng(study), Normal::new(mean, 1.0));
        (0..n).map(|_| law.sample(&mut rng)).collect()
    }

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    /// The textbook's ten people: intelligence quotient against hours of television (Spearman's rho -29/165).
    #[test]
    fn a_rank_correlation_is_the_textbooks() {
        let quotient = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        let found = spearman(&quotient, &hours, 0.95).unwrap();
        assert!((found.estimate + 29.0 / 165.0).abs() < 1e-12, "{found:?}");
        let error = ((1.0 + 0.5 * found.estimate * found.estimate) / 7.0).sqrt();
        let half = 0.5 * (libm::atanh(found.high) - libm::atanh(found.low));
        assert!((half / error - 1.959_963_985).abs() < 1e-6, "{found:?}");
        assert!(found.low < found.estimate && found.estimate < found.high);
        let same = spearman(&quotient, &quotient, 0.95).unwrap();
        assert_eq!((same.estimate, same.low, same.high), (1.0, 1.0, 1.0));
        assert_eq!(spearman(&quotient, &[1.0; 10], 0.95), None);
        assert_eq!(spearman(&quotient[..3], &hours[..3], 0.95), None);
    }

    /// Hollander and Wolfe (1973), the example of R's `wilcox.test`: V = 40, p = 20/512.
    #[test]
    #[expect(clippy::approx_constant, reason = "a patient's 3.14 is no pi")]
    fn the_depression_data_give_the_published_p_value() {
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let found = wilcoxon(&crate::stats::interval::paired_differences(&before, &after)).unwrap();
        assert!((found.statistic - 40.0).abs() < 1e-12 && found.used == 9);
        assert!((found.p_value - 20.0 / 512.0).abs() < 1e-14, "{found:?}");
    }

    /// Darwin's maize in eighths of an inch: Fisher (1935) counts 863 of 32,768 patterns on one side.
    #[test]
    fn darwins_maize_gives_fishers_count() {
        let differences =
            [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
        let found = sign_flip(&differences, 0, &mut rng(0)).unwrap();
        assert!((found - 2.0 * 863.0 / 32_768.0).abs() < 1e-14, "{found}");
        // Random patterns of the same data, with one pair of zeros to pass the limit: within four standard errors.
        let longer = [&differences[..], &[0.0, 0.0]].concat();
        let drawn = sign_flip(&longer, 20_000, &mut rng(0)).unwrap();
        assert!((drawn - found).abs() < 4.0 * (found / 20_000.0).sqrt(), "{drawn}");
    }

    /// Bad debt in three of fifty runs: all of one sign in one of four patterns, however many zeros stand beside them. And signs
    /// beyond the first word count too: a hundred equal differences reach their sum by no other pattern.
    #[test]
    fn zeros_add_no_evidence_and_every_difference_has_a_sign() {
        let mut rare = vec![0.0; 47];
        rare.extend([5.0, 9.0, 1.0]);
        assert!((sign_flip_nonzero(&rare, 99, &mut rng(1)) - 0.25).abs() < 1e-15);
        assert!((sign_flip(&[1.0; 100], 999, &mut rng(1)).unwrap() - 0.001).abs() < 1e-15);
        // Two in the second word have the same sign in half of the patterns: within four standard errors.
        let late = [vec![0.0; 64], vec![1.0; 2]].concat();
        let half = sign_flip(&late, 9_999, &mut rng(1)).unwrap();
        assert!((half - 0.5).abs() < 0.02, "{half}");
    }

    /// Every sign pattern of ranks with ties, by enumeration through the sign-flip test of the ranks themselves.
    #[test]
    fn tied_ranks_are_counted_out_exactly() {
        let differences = [1.0, 1.0, -1.0, 2.0, 3.0, 3.0, 0.0, -4.0, 5.0];
        let found = wilcoxon(&differences).unwrap();
        let kept = [1.0, 1.0, -1.0, 2.0, 3.0, 3.0, -4.0, 5.0];
        let sizes: Vec<f64> = kept.iter().map(|d: &f64| d.abs()).collect();
        let signed: Vec<f64> = ranks(&sizes).iter().zip(kept).map(|(rank, d)| rank.copysign(d)).collect();
        assert_eq!(found.used, 8);
        assert!((found.p_value - sign_flip(&signed, 0, &mut rng(0)).unwrap()).abs() < 1e-14);
    }

    #[test]
    fn exact_and_normal_p_values_meet_at_the_change_of_method() {
        for (study, shift) in [(1, 0.0), (2, 0.15), (3, 0.3)] {
            let values = sample(study, 100, shift);
            let sizes: Vec<f64> = values.iter().map(|d| d.abs()).collect();
            let found = wilcoxon(&values).unwrap();
            assert!((found.p_value - normal(found.statistic, &ranks(&sizes))).abs() < 1e-3, "{found:?}");
        }
    }

    /// 300 studies of 20 normal differences: p-values uniform without an effect (level of the check one in a thousand; the
    /// tests' own steps are below .002), and an effect of one deviation is nearly always found.
    #[test]
    fn both_tests_hold_their_level_and_have_power() {
        let tests: [fn(&[f64], &mut Generator) -> f64; 2] =
            [|d, _| wilcoxon(d).unwrap().p_value, |d, rng| sign_flip(d, 999, rng).unwrap()];
        for test in tests {
            let p_of = |study: u64, mean: f64| test(&sample(study, 20, mean), &mut rng(10_000 + study));
            let p_values: Vec<f64> = (0..300).map(|study| p_of(study, 0.0)).collect();
            assert!(kolmogorov_smirnov(&p_values).unwrap().p_value > 1e-3);
            assert!((0..100).filter(|&study| p_of(study, 1.0) < 0.05).count() > 90);
        }
    }

    /// R's `p.adjust(c(.01, .04, .03, .005), "holm")`.
    #[test]
    fn holms_p_values_are_those_of_r() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(wilcoxon(&[0.0, 0.0]), None);
        assert_eq!(sign_flip(&[], 100, &mut rng(0)), None);
        assert_eq!(sign_flip(&[0.0, 0.0], 100, &mut rng(0)), Some(1.0));
        assert_eq!(sign_flip_nonzero(&[0.0, -0.0], 100, &mut rng(0)).to_bits(), 1.0_f64.to_bits());
    }
}
