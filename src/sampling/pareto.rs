//! The Pareto distribution: heavy-tailed sizes and wealth.

use super::OpenUniform01;
use rand::Rng;
use rand::distr::Distribution;

/// Pareto: P(X > x) = (scale/x)^shape for x above the scale. By inversion; falls as the word rises.
///
/// The mean is infinite for a shape of 1 or less, the variance for 2 or less.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pareto {
    scale: f64,
    exponent: f64,
}

impl Pareto {
    /// Makes the distribution with a least value and a tail exponent.
    ///
    /// # Panics
    /// Panics unless both are positive and finite.
    pub fn new(scale: f64, shape: f64) -> Self {
        assert!(
            scale > 0.0 && scale.is_finite(),
            "the scale of a Pareto is positive and finite, not {scale}"
        );
        assert!(
            shape > 0.0 && shape.is_finite(),
            "the shape of a Pareto is positive and finite, not {shape}"
        );
        Self { scale, exponent: -1.0 / shape }
    }
}

impl Distribution<f64> for Pareto {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.scale * libm::pow(OpenUniform01.sample(rng), self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{assert_moments, assert_same_distribution, golden};

    #[test]
    fn bits_are_stable() {
        golden(
            &Pareto::new(3.0, 1.6),
            &[0x4012_34af_b3e5_c99d, 0x4049_949d_8df2_6e62, 0x4011_08e5_20cf_5ca0],
        );
    }

    /// A shape of 10 keeps the fourth moment and its estimate tame: kurtosis 3(a-2)(3a^2+a+2)/(a(a-3)(a-4)).
    #[test]
    fn moments_are_those_of_the_pareto() {
        let a = 10.0;
        let kurtosis = 3.0 * (a - 2.0) * (3.0 * a * a + a + 2.0) / (a * (a - 3.0) * (a - 4.0));
        let variance = 9.0 * a / ((a - 1.0) * (a - 1.0) * (a - 2.0));
        assert_moments(&Pareto::new(3.0, a), 3.0 * a / (a - 1.0), variance, kurtosis);
    }

    #[test]
    fn the_oracle_agrees() {
        assert_same_distribution(&Pareto::new(3.0, 1.6), &rand_distr::Pareto::new(3.0, 1.6).unwrap());
    }

    #[test]
    #[should_panic(expected = "the shape of a Pareto")]
    fn an_infinite_shape_is_refused() {
        Pareto::new(1.0, f64::INFINITY);
    }
}
