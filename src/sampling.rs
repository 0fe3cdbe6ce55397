//! Samplers whose bits do not depend on the platform or on any crate's features: every function of a real number goes
//! through `libm`. They implement `rand_distr::Distribution`, whose own samplers serve the tests as an oracle.

use rand::Rng;
use rand_distr::Distribution;

/// Uniform on [0, 1) with 53 bits.
pub fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * SCALE
}

/// Uniform on (0, 1): never 0, so that its logarithm exists.
fn uniform_open<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * SCALE
}

/// 2^-53.
const SCALE: f64 = 1.0 / 9_007_199_254_740_992.0;

/// Tells with probability `p`.
pub fn happens<R: Rng + ?Sized>(p: f64, rng: &mut R) -> bool {
    uniform(rng) < p
}

/// Uniform on the integers 0..n, by multiplication; the bias is below n / 2^64.
///
/// # Panics
/// Panics if `n` is 0.
pub fn below<R: Rng + ?Sized>(n: u64, rng: &mut R) -> u64 {
    assert!(n > 0, "a choice among nothing");
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

/// Exponential waiting times.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    /// Events per unit, at least 0; at 0 the wait is infinite.
    pub rate: f64,
}

impl Distribution<f64> for Exponential {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        -libm::log(uniform_open(rng)) / self.rate
    }
}

/// Normal, by the polar method without the second value, so that a sampler has no state (Marsaglia, Bray 1964).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, at least 0.
    pub sd: f64,
}

impl Distribution<f64> for Normal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        loop {
            let (x, y) = (2.0 * uniform_open(rng) - 1.0, 2.0 * uniform_open(rng) - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return self.mean + self.sd * x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }
}

/// Log-normal by its median.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogNormal {
    /// Median, above 0.
    pub median: f64,
    /// Standard deviation of the logarithm, at least 0.
    pub sigma: f64,
}

impl Distribution<f64> for LogNormal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.median * libm::exp(Normal { mean: 0.0, sd: self.sigma }.sample(rng))
    }
}

/// A choice among numbered outcomes with given weights, by Vose's alias table: constant time.
#[derive(Clone, PartialEq, Debug)]
pub struct Weighted {
    keep: Vec<f64>,
    alias: Vec<u32>,
}

impl Weighted {
    /// Makes the table.
    ///
    /// # Panics
    /// Panics unless the weights are finite, none is negative and their sum is positive.
    pub fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        assert!(weights.iter().all(|w| *w >= 0.0) && total > 0.0 && total.is_finite(), "weights are positive");
        let scale = weights.len() as f64 / total;
        let mut keep: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let mut alias: Vec<u32> = (0..weights.len() as u32).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&i| keep[i] < 1.0);
        while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
            small.pop();
            alias[less] = more as u32;
            keep[more] -= 1.0 - keep[less];
            if keep[more] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        // What is left differs from 1 by rounding alone.
        for index in small.into_iter().chain(large) {
            keep[index] = 1.0;
        }
        Self { keep, alias }
    }

    /// Draws an outcome.
    pub fn index<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        let slot = below(self.keep.len() as u64, rng) as usize;
        if uniform(rng) < self.keep[slot] { slot } else { self.alias[slot] as usize }
    }
}

/// Poisson counts: products of uniforms for small means, the sum of two halves for larger ones.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Poisson {
    /// Mean, at least 0.
    pub mean: f64,
}

impl Distribution<u64> for Poisson {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        // A Poisson count is the sum of independent ones, so chunks of mean 16 stay far from underflow.
        let mut left = self.mean;
        let mut count = 0;
        while left > 0.0 {
            let mean = left.min(16.0);
            left -= mean;
            let floor = libm::exp(-mean);
            let mut product = uniform_open(rng);
            while product > floor {
                count += 1;
                product *= uniform_open(rng);
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    const DRAWS: usize = 40_000;

    fn draws<D: Distribution<f64>>(distribution: &D) -> Vec<f64> {
        let mut rng = Seed { master: 5, replicate: 0 }.stream("samples").sequence();
        (0..DRAWS).map(|_| distribution.sample(&mut rng)).collect()
    }

    /// Two-sample Kolmogorov-Smirnov distance; at these sizes 0.0137 is the 0.1 % point.
    fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let (mut i, mut j, mut worst) = (0, 0, 0.0_f64);
        while i < a.len() && j < b.len() {
            if a[i] <= b[j] {
                i += 1;
            } else {
                j += 1;
            }
            worst = worst.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
        }
        worst
    }

    fn oracle<D: Distribution<f64>>(distribution: &D) -> Vec<f64> {
        let mut rng = Seed { master: 6, replicate: 0 }.stream("oracle").sequence();
        (0..DRAWS).map(|_| distribution.sample(&mut rng)).collect()
    }

    #[test]
    fn samplers_agree_with_those_of_rand_distr() {
        let limit = 0.0137;
        let exponential = oracle(&rand_distr::Exp::new(0.5).unwrap());
        assert!(distance(draws(&Exponential { rate: 0.5 }), exponential) < limit);
        let normal = oracle(&rand_distr::Normal::new(3.0, 2.0).unwrap());
        assert!(distance(draws(&Normal { mean: 3.0, sd: 2.0 }), normal) < limit);
        let log_normal = oracle(&rand_distr::LogNormal::new(libm::log(5.0), 0.7).unwrap());
        assert!(distance(draws(&LogNormal { median: 5.0, sigma: 0.7 }), log_normal) < limit);
    }

    #[test]
    fn a_weighted_choice_follows_its_weights() {
        let weights = [1.0, 0.0, 3.0, 4.0];
        let table = Weighted::new(&weights);
        let mut rng = Seed { master: 7, replicate: 0 }.stream("choice").sequence();
        let mut counts = [0_u32; 4];
        for _ in 0..DRAWS {
            counts[table.index(&mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, weight) in counts.into_iter().zip(weights) {
            let mean = DRAWS as f64 * weight / 8.0;
            // Five binomial standard errors.
            assert!((f64::from(count) - mean).abs() <= 5.0 * (mean * (1.0 - weight / 8.0)).sqrt());
        }
    }

    #[test]
    fn poisson_counts_have_their_mean_and_variance() {
        for mean in [0.0, 0.3, 5.0, 40.0] {
            let mut rng = Seed { master: 8, replicate: 0 }.stream("poisson").sequence();
            let counts: Vec<f64> = (0..DRAWS).map(|_| Poisson { mean }.sample(&mut rng) as f64).collect();
            let average = counts.iter().sum::<f64>() / DRAWS as f64;
            let variance = counts.iter().map(|c| (c - average) * (c - average)).sum::<f64>() / DRAWS as f64;
            let error = (mean / DRAWS as f64).sqrt();
            assert!((average - mean).abs() <= 5.0 * error, "mean {average} of {mean}");
            // The variance of a sample variance is about (mean + 2 mean^2) / n for a Poisson count.
            let error = ((mean + 2.0 * mean * mean) / DRAWS as f64).sqrt();
            assert!((variance - mean).abs() <= 5.0 * error, "variance {variance} of {mean}");
        }
    }

    #[test]
    fn choices_below_n_reach_every_number() {
        let mut rng = Seed { master: 9, replicate: 0 }.stream("below").sequence();
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[below(7, &mut rng) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }
}
