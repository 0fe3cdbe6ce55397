//! The geometric distribution: failures before the first success.

use super::OpenUniform01;
use rand::Rng;
use rand::distr::Distribution;

/// Geometric on 0, 1, 2, ...: P(n) = p (1-p)^n, mean (1-p)/p. By inversion; falls as the word rises.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Geometric {
    /// One over the logarithm of a failure's probability, never positive.
    scale: f64,
}

impl Geometric {
    /// Makes the distribution of the number of failures before a success of probability `success`.
    ///
    /// # Panics
    /// Panics unless `success` is in (0, 1].
    pub fn new(success: f64) -> Self {
        assert!(
            success > 0.0 && success <= 1.0,
            "the probability of a geometric is in (0, 1], not {success}"
        );
        // A certain success has a logarithm of minus infinity and a scale of -0, which gives 0 failures as it should.
        Self { scale: 1.0 / libm::log1p(-success) }
    }
}

impl Distribution<u64> for Geometric {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        // `as` saturates: with probabilities below 1e-18 the number may pass 64 bits.
        libm::floor(libm::log(OpenUniform01.sample(rng)) * self.scale) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{
        Real, assert_frequencies, assert_moments, assert_same_distribution, golden,
    };

    #[test]
    fn bits_are_stable() {
        golden(
            &Real(Geometric::new(0.05)),
            &[0x402a_0000_0000_0000, 0x4056_0000_0000_0000, 0x4024_0000_0000_0000],
        );
    }

    #[test]
    fn moments_are_those_of_the_geometric() {
        let p = 0.05;
        assert_moments(&Real(Geometric::new(p)), (1.0 - p) / p, (1.0 - p) / (p * p), 9.0 + p * p / (1.0 - p));
    }

    #[test]
    fn frequencies_are_the_probabilities() {
        let p = 0.3;
        let mut pmf = vec![p];
        for n in 1..12 {
            pmf.push(pmf[n - 1] * (1.0 - p));
        }
        assert_frequencies(&Geometric::new(p), &pmf);
    }

    #[test]
    fn the_oracle_agrees() {
        let oracle = Real(rand_distr::Geometric::new(0.05).unwrap());
        assert_same_distribution(&Real(Geometric::new(0.05)), &oracle);
    }

    #[test]
    fn a_certain_success_comes_at_once() {
        let mut rng = crate::sampling::oracle::rng(0);
        assert!((0..100).all(|_| Geometric::new(1.0).sample(&mut rng) == 0));
    }

    #[test]
    #[should_panic(expected = "in (0, 1], not 0")]
    fn an_impossible_success_is_refused() {
        Geometric::new(0.0);
    }
}
