//! Bootstrap intervals: the uncertainty of any statistic from resampling the sample itself.
//!
//! Values, or pairs of values, must be independent of one another: replicates are, the steps of one run are not.

use super::distribution::{normal_cdf, normal_quantile};
use super::interval::{Interval, assert_confidence};
use super::{assert_finite, quantile};
use rand::Rng;

/// How the resampled statistics become limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Their quantiles (Efron 1979): robust, but a skewed or biased statistic shifts the level.
    Percentile,
    /// Their quantiles, corrected for bias and acceleration (BCa, Efron 1987): the level's error falls as 1/n instead of
    /// 1/sqrt(n). Costs one more statistic a value, so as many steps as the sample's square.
    BiasCorrected,
}

/// A plan of resampling.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bootstrap {
    /// How the limits are found.
    pub method: Method,
    /// Number of resamples; 2,000 for a 95 % interval, and never below 100.
    pub resamples: u32,
    /// Confidence level (0-1), usually 0.95.
    pub confidence: f64,
}

impl Bootstrap {
    /// Returns the interval of a statistic of one sample, a function of the values and the generator alone.
    ///
    /// Resamples whose statistic is `None` are left out. Returns `None` if the sample is empty, or if the statistic is
    /// undefined for the sample itself, for the sample less one value (`BiasCorrected` only) or for more than one
    /// resample in twenty.
    ///
    /// # Panics
    /// Panics if a value is not finite, the confidence is outside (0, 1) or there are fewer than 100 resamples.
    pub fn of(
        &self,
        values: &[f64],
        statistic: impl Fn(&[f64]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Option<Interval> {
        assert_finite(values);
        let mut drawn = Vec::with_capacity(values.len());
        let evaluate = |indices: &[usize]| {
            drawn.clear();
            drawn.extend(indices.iter().map(|&i| values[i]));
            statistic(&drawn)
        };
        self.interval(values.len(), evaluate, rng)
    }

    /// Returns the interval of a statistic of paired samples; pairs are drawn together. As [`Bootstrap::of`].
    ///
    /// # Panics
    /// As [`Bootstrap::of`], and if the samples differ in length.
    pub fn of_pairs(
        &self,
        left: &[f64],
        right: &[f64],
        statistic: impl Fn(&[f64], &[f64]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Option<Interval> {
        assert_eq!(left.len(), right.len(), "pairs need samples of one length");
        assert_finite(left);
        assert_finite(right);
        let (mut a, mut b) = (Vec::with_capacity(left.len()), Vec::with_capacity(left.len()));
        let evaluate = |indices: &[usize]| {
            a.clear();
            b.clear();
            a.extend(indices.iter().map(|&i| left[i]));
            b.extend(indices.iter().map(|&i| right[i]));
            statistic(&a, &b)
        };
        self.interval(left.len(), evaluate, rng)
    }

    fn interval(
        &self,
        n: usize,
        mut evaluate: impl FnMut(&[usize]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Option<Interval> {
        assert_confidence(self.confidence);
        assert!(self.resamples >= 100, "{} resamples are too few for limits", self.resamples);
        if n == 0 {
            return None;
        }
        let mut indices: Vec<usize> = (0..n).collect();
        let estimate = evaluate(&indices)?;
        assert_finite(&[estimate]);
        let mut drawn = Vec::with_capacity(self.resamples as usize);
        for _ in 0..self.resamples {
            // The high word of a product: uniform but for a bias of n/2^64.
            indices.fill_with(|| ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize);
            drawn.extend(evaluate(&indices));
        }
        if drawn.len() * 20 < self.resamples as usize * 19 {
            return None;
        }
        let drawn = quantile::sorted(&drawn);
        let outside = 0.5 - 0.5 * self.confidence;
        let [low, high] = match self.method {
            Method::Percentile => [outside, 1.0 - outside],
            Method::BiasCorrected => {
                let correction =
                    Correction { bias: bias(&drawn, estimate), acceleration: acceleration(n, evaluate)? };
                [correction.apply(outside), correction.apply(1.0 - outside)]
            }
        };
        let limit = |p| quantile::quantile_sorted(&drawn, p);
        Some(Interval { estimate, low: limit(low)?, high: limit(high)? })
    }
}

/// What the percentile limits miss: Efron's z0 and a.
struct Correction {
    bias: f64,
    acceleration: f64,
}

impl Correction {
    /// Moves the probability of a percentile limit (Efron 1987).
    fn apply(&self, p: f64) -> f64 {
        let shifted = self.bias + normal_quantile(p);
        let room = 1.0 - self.acceleration * shifted;
        if room <= 0.0 {
            // Beyond the pole of the correction: the limit is the outermost resample on that side.
            return if shifted > 0.0 { 1.0 } else { 0.0 };
        }
        normal_cdf(self.bias + shifted / room)
    }
}

/// The median bias z0, with half of the ties counted as below and the share kept off 0 and 1, where it has no quantile.
fn bias(ascending: &[f64], estimate: f64) -> f64 {
    let below = ascending.partition_point(|&x| x < estimate);
    let up_to = ascending.partition_point(|&x| x <= estimate);
    let total = ascending.len() as f64;
    let share = 0.5 * (below + up_to) as f64 / total;
    normal_quantile(share.clamp(0.5 / total, 1.0 - 0.5 / total))
}

/// The acceleration a from the jackknife (Efron 1987); 0 when leaving one out changes nothing.
fn acceleration(n: usize, mut evaluate: impl FnMut(&[usize]) -> Option<f64>) -> Option<f64> {
    let mut indices: Vec<usize> = (1..n).collect();
    let mut left_out = Vec::with_capacity(n);
    for i in 0..n {
        left_out.push(evaluate(&indices)?);
        // Puts value i back in the place of its successor.
        if let Some(place) = indices.get_mut(i) {
            *place = i;
        }
    }
    let centre = super::moments::mean(&left_out)?;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in left_out {
        let influence = centre - value;
        squares += influence * influence;
        cubes += influence * influence * influence;
    }
    Some(if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng as Generator, Seed};
    use crate::sampling::{Distribution, Exponential, Normal};
    use crate::stats::{moments, ratio};

    fn rng(n: u64) -> Generator {
        Seed { master: 11, replicate: 0 }.stream("bootstrap-tests").draw(n, 0)
    }

    fn plan(method: Method, resamples: u32, confidence: f64) -> Bootstrap {
        Bootstrap { method, resamples, confidence }
    }

    /// The plug-in variance, with divisor n.
    fn plain_variance(values: &[f64]) -> Option<f64> {
        moments::variance(values).map(|v| v * (values.len() as f64 - 1.0) / values.len() as f64)
    }

    /// Efron and Tibshirani (1993), table 14.1 and section 14.3: the variance of the spatial test data is 171.5, its
    /// acceleration .061 and bias .146; 2,000 resamples gave 90 % limits (100.8, 233.9) and (115.8, 259.6). A limit from
    /// 2,000 resamples is itself uncertain by about 3, theirs as well: hence 6 with ours from 20,000.
    #[test]
    fn the_spatial_test_data_give_the_published_limits() {
        let values: [f64; 26] = [
            48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0, 28.0,
            34.0, 4.0, 32.0, 24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
        ];
        let jackknife = acceleration(values.len(), |indices| {
            plain_variance(&indices.iter().map(|&i| values[i]).collect::<Vec<_>>())
        });
        assert!((jackknife.unwrap() - 0.061).abs() < 5e-4, "{jackknife:?}");
        for (method, low, high) in [(Method::Percentile, 100.8, 233.9), (Method::BiasCorrected, 115.8, 259.6)]
        {
            let found = plan(method, 20_000, 0.90).of(&values, plain_variance, &mut rng(0)).unwrap();
            assert!((found.estimate - 171.5).abs() < 0.05, "{found:?}");
            assert!(
                (found.low - low).abs() < 6.0 && (found.high - high).abs() < 6.0,
                "{method:?}: {found:?}"
            );
        }
    }

    /// 400 studies of 25 skewed values with a known mean. Coverage has a standard error of 1.1 points at 95 %; BCa is
    /// known to cover about 92 % here and the percentile method a point or two less.
    #[test]
    fn intervals_of_a_skewed_mean_cover_nearly_as_stated() {
        let (studies, law) = (400, Exponential::new(1.0));
        let covered = |method: Method| {
            let hits = (0..studies).filter(|&study| {
                let mut rng = rng(1_000 + study);
                let values: Vec<f64> = (0..25).map(|_| law.sample(&mut rng)).collect();
                plan(method, 800, 0.95).of(&values, moments::mean, &mut rng).unwrap().contains(1.0)
            });
            hits.count() as f64 / studies as f64
        };
        let (percentile, corrected) = (covered(Method::Percentile), covered(Method::BiasCorrected));
        assert!((0.89..0.96).contains(&corrected), "{corrected}");
        assert!((0.87..0.96).contains(&percentile), "{percentile}");
        assert!(corrected >= percentile - 0.01, "{corrected} against {percentile}");
    }

    #[test]
    fn pairs_stay_together() {
        let mut rng = rng(1);
        let noise = Normal::new(10.0, 3.0);
        let left: Vec<f64> = (0..40).map(|_| noise.sample(&mut rng)).collect();
        let right: Vec<f64> = left.iter().map(|x| 2.0 * x).collect();
        let found =
            plan(Method::BiasCorrected, 500, 0.95).of_pairs(&left, &right, ratio::ratio, &mut rng).unwrap();
        assert!((found.low - 0.5).abs() < 1e-12 && (found.high - 0.5).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn the_same_generator_gives_the_same_limits() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i * i)).collect();
        let study = || plan(Method::BiasCorrected, 200, 0.9).of(&values, moments::mean, &mut rng(2)).unwrap();
        assert_eq!(study(), study());
    }

    #[test]
    fn what_is_undefined_is_none() {
        for method in [Method::Percentile, Method::BiasCorrected] {
            let plan = plan(method, 100, 0.95);
            assert_eq!(plan.of(&[], moments::mean, &mut rng(3)), None);
            assert_eq!(plan.of(&[1.0], moments::variance, &mut rng(3)), None);
            // Two values: half of the resamples repeat one of them and have no skewness.
            assert_eq!(plan.of(&[1.0, 2.0, 4.0], moments::skewness, &mut rng(3)), None);
            let constant = plan.of(&[3.0; 9], moments::mean, &mut rng(3)).unwrap();
            assert_eq!(
                (constant.low.to_bits(), constant.high.to_bits()),
                (3.0_f64.to_bits(), 3.0_f64.to_bits())
            );
        }
    }
}
