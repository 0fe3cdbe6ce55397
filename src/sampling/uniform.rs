//! Uniform numbers between 0 and 1, half open and open.

use rand::Rng;
use rand::distr::Distribution;

/// Uniform on the half-open interval [0, 1): 0 is possible and 1 is not. Multiples of 2^-53.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uniform01;

impl Distribution<f64> for Uniform01 {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// Uniform on the open interval (0, 1), for logarithms and quantiles. Odd multiples of 2^-53, symmetric about a half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenUniform01;

impl Distribution<f64> for OpenUniform01 {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        open_share(rng.next_u64())
    }
}

/// Returns a number in (0, 1) from the upper 52 bits of a word.
#[inline]
pub(super) fn open_share(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{Constant, assert_moments, assert_same_distribution, golden};

    #[test]
    fn bits_are_stable() {
        golden(&Uniform01, &[0x3fe0_6cc9_ab05_57b4, 0x3f85_e619_1f12_6900, 0x3fe2_44bc_7446_3b4e]);
        golden(&OpenUniform01, &[0x3fe0_6cc9_ab05_57b5, 0x3f85_e619_1f12_6940, 0x3fe2_44bc_7446_3b4f]);
    }

    #[test]
    fn the_ends_are_as_named() {
        assert_eq!(Uniform01.sample(&mut Constant(0)).to_bits(), 0);
        assert!(Uniform01.sample(&mut Constant(u64::MAX)) < 1.0);
        assert!(OpenUniform01.sample(&mut Constant(0)) > 0.0);
        assert!(OpenUniform01.sample(&mut Constant(u64::MAX)) < 1.0);
    }

    #[test]
    fn moments_are_those_of_the_uniform() {
        assert_moments(&Uniform01, 0.5, 1.0 / 12.0, 1.8);
        assert_moments(&OpenUniform01, 0.5, 1.0 / 12.0, 1.8);
    }

    #[test]
    fn the_oracle_agrees() {
        assert_same_distribution(&Uniform01, &rand::distr::Uniform::new(0.0, 1.0).unwrap());
        assert_same_distribution(&OpenUniform01, &rand_distr::Open01);
    }
}
