//! What the samplers' tests share: fixed generators and comparisons with tolerances from the standard error.

use crate::rng::{Rng, Seed};
use rand::TryRng;
use rand::distr::Distribution;
use std::convert::Infallible;

/// Draws for each moment: enough that an error of one percent of a standard deviation shows.
const DRAWS: u32 = 200_000;

/// The tests' generator number `n`.
pub(super) fn rng(n: u64) -> Rng {
    Seed { master: 1, replicate: 0 }.stream("sampling-tests").draw(n, 0)
}

/// A generator that repeats one word, for the ends of a sampler's range.
pub(super) struct Constant(pub(super) u64);

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0.to_le_bytes()[0]);
        Ok(())
    }
}

/// A distribution of counts or indices read as floats.
pub(super) struct Real<D>(pub(super) D);

/// What a count or an index becomes.
pub(super) trait Count {
    fn real(self) -> f64;
}

impl Count for u64 {
    fn real(self) -> f64 {
        self as f64
    }
}

impl Count for usize {
    fn real(self) -> f64 {
        self as f64
    }
}

macro_rules! real {
    ($($sampler:ty => $count:ty),+ $(,)?) => {$(
        impl Distribution<f64> for Real<$sampler> {
            fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f64 {
                let count: $count = self.0.sample(rng);
                count.real()
            }
        }
    )+};
}

real!(
    super::Geometric => u64,
    super::Poisson => u64,
    super::Weighted => usize,
    rand_distr::Geometric => u64,
    rand_distr::weighted::WeightedIndex<f64> => usize,
);

/// Compares the first draws of a fixed generator with their recorded bits.
pub(super) fn golden(distribution: &impl Distribution<f64>, bits: &[u64; 3]) {
    let mut rng = rng(0);
    let found = [(); 3].map(|()| distribution.sample(&mut rng).to_bits());
    assert_eq!(&found, bits, "found [{:#018x}, {:#018x}, {:#018x}]", found[0], found[1], found[2]);
}

/// Compares mean and variance with the exact ones. `kurtosis` is the fourth central moment over the squared variance and
/// gives the variance's own standard error; four standard errors are allowed for each.
pub(super) fn assert_moments(distribution: &impl Distribution<f64>, mean: f64, variance: f64, kurtosis: f64) {
    let mut rng = rng(1);
    let draws: Vec<f64> = (0..DRAWS).map(|_| distribution.sample(&mut rng)).collect();
    let n = f64::from(DRAWS);
    let found = draws.iter().map(|x| x - mean).sum::<f64>() / n;
    let spread = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let mean_tolerance = 4.0 * (variance / n).sqrt();
    assert!(found.abs() < mean_tolerance, "mean {mean} missed by {found}, allowed {mean_tolerance}");
    let tolerance = 4.0 * variance * ((kurtosis - 1.0) / n).sqrt();
    assert!(
        (spread - variance).abs() < tolerance,
        "variance {spread}, expected {variance}, allowed {tolerance}"
    );
}

/// Compares a sampler with another crate's by the two-sample Kolmogorov-Smirnov test at the level of one in ten thousand
/// (which is conservative for counts); a shift of 3 % of a standard deviation is found nearly surely.
pub(super) fn assert_same_distribution(ours: &impl Distribution<f64>, theirs: &impl Distribution<f64>) {
    let n = 50_000;
    let (mut left, mut right) = (rng(2), rng(3));
    let mut found: Vec<f64> = (0..n).map(|_| ours.sample(&mut left)).collect();
    let mut wanted: Vec<f64> = (0..n).map(|_| theirs.sample(&mut right)).collect();
    found.sort_by(f64::total_cmp);
    wanted.sort_by(f64::total_cmp);
    let up_to = |sorted: &[f64], value: f64| sorted.partition_point(|&x| x <= value);
    let gap = |&value: &f64| up_to(&found, value).abs_diff(up_to(&wanted, value));
    let distance = found.iter().chain(&wanted).map(gap).max().unwrap();
    // sqrt(-ln(alpha/2)/2) = 2.225 for alpha = 1e-4, times sqrt(2/n).
    let statistic = distance as f64 / f64::from(n);
    let critical = 2.225 * (2.0 / f64::from(n)).sqrt();
    assert!(statistic < critical, "distance {statistic}, critical {critical}");
}

/// Compares frequencies of the first counts with their probabilities, each within four and a half standard errors.
pub(super) fn assert_frequencies(distribution: &impl Distribution<u64>, pmf: &[f64]) {
    let mut rng = rng(4);
    let mut counts = vec![0_u32; pmf.len()];
    for _ in 0..DRAWS {
        let draw = distribution.sample(&mut rng) as usize;
        if let Some(count) = counts.get_mut(draw) {
            *count += 1;
        }
    }
    let n = f64::from(DRAWS);
    for (value, (&count, &p)) in counts.iter().zip(pmf).enumerate() {
        let deviation = f64::from(count) - n * p;
        // One event more than the normal bound where hardly any is expected.
        let tolerance = 4.5 * (n * p * (1.0 - p)).sqrt() + 1.0;
        assert!(deviation.abs() < tolerance, "{value}: {count} for {}", n * p);
    }
}
