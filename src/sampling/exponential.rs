//! The exponential distribution: waiting times of a Poisson process.

use super::OpenUniform01;
use rand::Rng;
use rand::distr::Distribution;

/// Exponential with a rate: mean 1/rate, variance 1/rate^2. By inversion; falls as the word rises.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    /// Makes the distribution with `rate` events a unit of time.
    ///
    /// # Panics
    /// Panics unless `rate` is positive and finite.
    pub fn new(rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate.is_finite(),
            "the rate of an exponential is positive and finite, not {rate}"
        );
        Self { mean: 1.0 / rate }
    }
}

impl Distribution<f64> for Exponential {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        -libm::log(OpenUniform01.sample(rng)) * self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{assert_moments, assert_same_distribution, golden};

    #[test]
    fn bits_are_stable() {
        golden(
            &Exponential::new(2.5),
            &[0x3fd1_12d1_fe60_a779, 0x3ffd_0b5d_4037_c8e4, 0x3fcc_b357_34c9_4ca7],
        );
    }

    #[test]
    fn moments_are_those_of_the_exponential() {
        assert_moments(&Exponential::new(2.5), 0.4, 0.16, 9.0);
    }

    #[test]
    fn the_oracle_agrees() {
        assert_same_distribution(&Exponential::new(2.5), &rand_distr::Exp::new(2.5).unwrap());
    }

    #[test]
    #[should_panic(expected = "positive and finite, not 0")]
    fn a_rate_of_nothing_is_refused() {
        Exponential::new(0.0);
    }
}
