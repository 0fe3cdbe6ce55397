//! A choice among numbered options with weights.

use super::Uniform01;
use rand::Rng;
use rand::distr::Distribution;

/// An index with probability proportional to its weight; an option of weight zero is never chosen.
///
/// By search in the cumulative weights, in O(log n): the table is small where we choose, and unlike an alias table the
/// draw rises with the word, so a changed weight moves few choices.
#[derive(Clone, PartialEq, Debug)]
pub struct Weighted {
    cumulative: Vec<f64>,
    total: f64,
}

impl Weighted {
    /// Makes the choice among `weights`, which need not sum to one.
    ///
    /// # Panics
    /// Panics if a weight is negative or not finite, or if none is positive.
    pub fn new(weights: &[f64]) -> Self {
        let mut total = 0.0;
        let cumulative = weights
            .iter()
            .map(|&weight| {
                assert!(
                    weight >= 0.0 && weight.is_finite(),
                    "a weight is finite and not negative, not {weight}"
                );
                total += weight;
                total
            })
            .collect();
        assert!(total > 0.0 && total.is_finite(), "the weights have a positive, finite sum, not {total}");
        Self { cumulative, total }
    }
}

impl Distribution<usize> for Weighted {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        // Below the total, since a uniform is at most 1 - 2^-53 and the product rounds down from there. The first sum
        // above it belongs to an option of positive weight: one of weight zero has its predecessor's sum.
        let target = Uniform01.sample(rng) * self.total;
        self.cumulative.partition_point(|&sum| sum <= target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{Constant, Real, assert_same_distribution, golden, rng};

    #[test]
    fn bits_are_stable() {
        golden(
            &Real(Weighted::new(&[1.0, 2.0, 3.0, 4.0])),
            &[0x4000_0000_0000_0000, 0x0000_0000_0000_0000, 0x4000_0000_0000_0000],
        );
    }

    #[test]
    fn shares_are_the_weights() {
        let weights = [5.0, 0.0, 1.0, 3.0, 1.0, 0.0];
        let choice = Weighted::new(&weights);
        let (mut rng, n, mut counts) = (rng(2), 100_000, [0_u32; 6]);
        for _ in 0..n {
            counts[choice.sample(&mut rng)] += 1;
        }
        for (&count, weight) in counts.iter().zip(weights) {
            let p = weight / 10.0;
            let deviation = f64::from(count) / f64::from(n) - p;
            assert!(deviation.abs() <= 4.0 * (p * (1.0 - p) / f64::from(n)).sqrt(), "{counts:?}");
        }
    }

    #[test]
    fn the_extreme_words_choose_options_of_positive_weight() {
        // Sums that round, and a total of every kind of mantissa.
        for last in [0.1, 0.3, 1.0, 1e-3, 7.7] {
            let choice = Weighted::new(&[0.0, 0.1, 0.2, last, 0.0]);
            assert_eq!(choice.sample(&mut Constant(0)), 1);
            assert_eq!(choice.sample(&mut Constant(u64::MAX)), 3);
        }
    }

    #[test]
    fn the_oracle_agrees() {
        let weights = [0.5, 1.5, 7.0, 0.25, 3.0];
        let oracle = rand_distr::weighted::WeightedIndex::new(weights).unwrap();
        assert_same_distribution(&Real(Weighted::new(&weights)), &Real(oracle));
    }

    #[test]
    #[should_panic(expected = "positive, finite sum, not 0")]
    fn no_weight_at_all_is_refused() {
        Weighted::new(&[0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "not negative, not -1")]
    fn a_negative_weight_is_refused() {
        Weighted::new(&[2.0, -1.0]);
    }
}
