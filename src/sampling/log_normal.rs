//! The log-normal distribution: sizes and wealth.

use super::normal::Normal;
use rand::Rng;
use rand::distr::Distribution;

/// Log-normal by its median and the standard deviation of its logarithm: mean median*exp(sigma^2/2).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogNormal {
    median: f64,
    log: Normal,
}

impl LogNormal {
    /// Makes the distribution with a median, in the unit of the draws, and a standard deviation of the logarithm.
    ///
    /// # Panics
    /// Panics unless `median` is positive and finite and `sigma` is finite and not negative.
    pub fn new(median: f64, sigma: f64) -> Self {
        assert!(
            median > 0.0 && median.is_finite(),
            "the median of a log-normal is positive and finite, not {median}"
        );
        Self { median, log: Normal::new(0.0, sigma) }
    }
}

impl Distribution<f64> for LogNormal {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.median * libm::exp(self.log.sample(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{assert_moments, assert_same_distribution, golden};

    #[test]
    fn bits_are_stable() {
        golden(
            &LogNormal::new(1500.0, 1.2),
            &[0x4098_6491_0e05_8413, 0x4057_b3f1_0dc1_14f3, 0x409d_0a7d_83b6_feec],
        );
    }

    /// With w = exp(sigma^2) the kurtosis is w^4 + 2w^3 + 3w^2 - 3.
    #[test]
    fn moments_are_those_of_the_log_normal() {
        let (median, sigma) = (2.0, 0.4);
        let w = libm::exp(sigma * sigma);
        let kurtosis = w * w * w * w + 2.0 * w * w * w + 3.0 * w * w - 3.0;
        assert_moments(
            &LogNormal::new(median, sigma),
            median * w.sqrt(),
            median * median * w * (w - 1.0),
            kurtosis,
        );
    }

    #[test]
    fn the_oracle_agrees() {
        let oracle = rand_distr::LogNormal::new(libm::log(1500.0), 1.2).unwrap();
        assert_same_distribution(&LogNormal::new(1500.0, 1.2), &oracle);
    }

    #[test]
    #[should_panic(expected = "positive and finite, not -1")]
    fn a_negative_median_is_refused() {
        LogNormal::new(-1.0, 1.0);
    }
}
