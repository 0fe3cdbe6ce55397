//! The Poisson distribution: counts of independent events.

use super::{OpenUniform01, Uniform01};
use rand::Rng;
use rand::distr::Distribution;

/// Poisson by its mean.
///
/// Below a mean of ten by inversion, one word a draw, rising with it. From ten on by transformed rejection with squeeze,
/// between two and three words a draw (PTRS, Hörmann 1993), against the log-probability in Loader's (2000) form, which keeps its
/// digits for every mean: both methods are exact to the resolution of the words.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Poisson {
    mean: f64,
    method: Method,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Method {
    /// Search from zero upwards, with the probability of zero.
    Inversion { none: f64 },
    /// Transformed rejection, with the constants of Hörmann's step 0.
    Rejection { a: f64, b: f64, inverse_alpha: f64, squeeze: f64 },
}

/// Hörmann's bound: transformed rejection is valid from here.
const LARGE: f64 = 10.0;

/// Counts above 2^53 are no longer every integer in a float; ten standard deviations stay clear of that.
const MEAN_MAX: f64 = 1e15;

impl Poisson {
    /// Makes the distribution with a mean number of events; a mean of zero is the constant zero.
    ///
    /// # Panics
    /// Panics unless `mean` is in [0, 1e15].
    pub fn new(mean: f64) -> Self {
        assert!(
            (0.0..=MEAN_MAX).contains(&mean),
            "the mean of a Poisson is in [0, {MEAN_MAX:e}], not {mean}"
        );
        let method = if mean < LARGE {
            Method::Inversion { none: libm::exp(-mean) }
        } else {
            let b = 0.931 + 2.53 * mean.sqrt();
            Method::Rejection {
                a: -0.059 + 0.024_83 * b,
                b,
                inverse_alpha: 1.1239 + 1.1328 / (b - 3.4),
                squeeze: 0.9277 - 3.6224 / (b - 2.0),
            }
        };
        Self { mean, method }
    }
}

impl Distribution<u64> for Poisson {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        match self.method {
            Method::Inversion { none } => {
                let target = Uniform01.sample(rng);
                let (mut count, mut probability, mut sum) = (0_u64, none, none);
                // Rounding may leave the whole sum a few 2^-53 short of one; once terms vanish, nothing is left to add.
                while target >= sum && probability > f64::EPSILON * f64::EPSILON {
                    count += 1;
                    probability *= self.mean / count as f64;
                    sum += probability;
                }
                count
            }
            Method::Rejection { a, b, inverse_alpha, squeeze } => loop {
                let u = Uniform01.sample(rng) - 0.5;
                let v = OpenUniform01.sample(rng);
                let edge = 0.5 - u.abs();
                let count = libm::floor((2.0 * a / edge + b) * u + self.mean + 0.43);
                if edge >= 0.07 && v <= squeeze {
                    break count as u64;
                }
                if count < 0.0 || (edge < 0.013 && v > edge) {
                    continue;
                }
                let bound = libm::log(v * inverse_alpha / (a / (edge * edge) + b));
                if bound <= log_probability(count, self.mean) {
                    break count as u64;
                }
            },
        }
    }
}

/// Log-probability of `count` events at a mean, without the cancellation of `k ln m - m - ln k!` (Loader 2000).
fn log_probability(count: f64, mean: f64) -> f64 {
    if count < 1.0 {
        return -mean;
    }
    -stirling_error(count) - deviance(count, mean) - 0.5 * libm::log(std::f64::consts::TAU * count)
}

/// `ln n! - ln(sqrt(2 pi n) (n/e)^n)`, for n of at least 1.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(std::f64::consts::TAU);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / n
}

/// `x ln(x/m) + m - x`, by a series where the terms nearly cancel.
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) + mean - x;
    }
    let v = (x - mean) / (x + mean);
    let mut sum = (x - mean) * v;
    let mut term = 2.0 * x * v;
    let mut order = 1.0;
    loop {
        term *= v * v;
        order += 2.0;
        let next = sum + term / order;
        if next.to_bits() == sum.to_bits() {
            return sum;
        }
        sum = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{
        Constant, Real, assert_frequencies, assert_moments, assert_same_distribution, golden,
    };

    #[test]
    fn bits_are_stable() {
        golden(
            &Real(Poisson::new(3.5)),
            &[0x4008_0000_0000_0000, 0x0000_0000_0000_0000, 0x4010_0000_0000_0000],
        );
        golden(
            &Real(Poisson::new(250.0)),
            &[0x406f_6000_0000_0000, 0x406f_a000_0000_0000, 0x406e_0000_0000_0000],
        );
        golden(
            &Real(Poisson::new(1e9)),
            &[0x41cd_cd67_4980_0000, 0x41cd_cd71_5c00_0000, 0x41cd_cd40_a980_0000],
        );
    }

    #[test]
    fn moments_are_those_of_the_poisson() {
        for mean in [0.01, 1.0, 9.99, 10.0, 40.0, 1e4, 1e12] {
            assert_moments(&Real(Poisson::new(mean)), mean, mean, 3.0 + 1.0 / mean);
        }
    }

    #[test]
    fn frequencies_are_the_probabilities_on_both_sides_of_the_change_of_method() {
        for mean in [0.3, 4.0, 9.9, 10.0, 15.0] {
            let mut pmf = vec![libm::exp(-mean)];
            for n in 1..40 {
                pmf.push(pmf[n - 1] * mean / n as f64);
            }
            assert_frequencies(&Poisson::new(mean), &pmf);
        }
    }

    #[test]
    fn the_oracle_agrees() {
        for mean in [2.0, 30.0, 1e5] {
            assert_same_distribution(&Real(Poisson::new(mean)), &rand_distr::Poisson::new(mean).unwrap());
        }
    }

    /// Against the plain formula, whose own cancellation limits the comparison to 1e-12 of its largest term.
    #[test]
    fn log_probabilities_match_the_plain_formula() {
        for mean in [0.5, 10.0, 123.4, 9_876.5] {
            for count in [0.0, 1.0, 7.0, 15.0, 16.0, 100.0, 9_000.0, 12_000.0] {
                let plain = count * libm::log(mean) - mean - libm::lgamma(count + 1.0);
                let scale = 1.0 + mean + libm::lgamma(count + 1.0);
                let deviation = (log_probability(count, mean) - plain).abs();
                assert!(deviation < 1e-12 * scale, "mean {mean}, count {count}: {deviation}");
            }
        }
    }

    #[test]
    fn the_extreme_words_end_the_search() {
        assert_eq!(Poisson::new(0.0).sample(&mut Constant(u64::MAX)), 0);
        assert_eq!(Poisson::new(9.9).sample(&mut Constant(0)), 0);
        let most = Poisson::new(9.9).sample(&mut Constant(u64::MAX));
        assert!((40..120).contains(&most), "{most}");
    }

    #[test]
    #[should_panic(expected = "not -1")]
    fn a_negative_mean_is_refused() {
        Poisson::new(-1.0);
    }
}
