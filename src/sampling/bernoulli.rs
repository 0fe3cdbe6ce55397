//! The Bernoulli distribution: one yes or no.

use super::Uniform01;
use rand::Rng;
use rand::distr::Distribution;

/// True with a probability; exactly never at 0 and exactly always at 1. True on low words.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bernoulli {
    probability: f64,
}

impl Bernoulli {
    /// Makes the distribution that is true with `probability`.
    ///
    /// # Panics
    /// Panics unless `probability` is in [0, 1].
    pub fn new(probability: f64) -> Self {
        assert!((0.0..=1.0).contains(&probability), "a probability is in [0, 1], not {probability}");
        Self { probability }
    }
}

impl Distribution<bool> for Bernoulli {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> bool {
        Uniform01.sample(rng) < self.probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{Constant, rng};

    #[test]
    fn impossible_and_certain_are_exact() {
        for word in [0, u64::MAX] {
            assert!(!Bernoulli::new(0.0).sample(&mut Constant(word)));
            assert!(Bernoulli::new(1.0).sample(&mut Constant(word)));
        }
    }

    #[test]
    fn the_share_of_true_is_the_probability() {
        let (mut rng, n, p) = (rng(1), 100_000, 0.2);
        let hits = (0..n).filter(|_| Bernoulli::new(p).sample(&mut rng)).count();
        let deviation = hits as f64 / f64::from(n) - p;
        assert!(deviation.abs() < 4.0 * (p * (1.0 - p) / f64::from(n)).sqrt(), "{deviation}");
    }

    #[test]
    #[should_panic(expected = "in [0, 1], not NaN")]
    fn what_is_no_probability_is_refused() {
        Bernoulli::new(f64::NAN);
    }
}
