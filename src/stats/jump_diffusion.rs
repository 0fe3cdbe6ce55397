//! Merton's jump-diffusion: its likelihood on equally spaced log returns, and the fit that maximises it.
//!
//! Merton (1976), Option pricing when underlying stock returns are discontinuous, J. Financial Economics 3: in one interval a
//! log return is normal with mean `drift` and standard deviation `volatility`, plus a Poisson number of jumps with mean
//! `intensity`, each normal with mean `jump_mean` and standard deviation `jump_sd`. Everything is per interval here.
//!
//! What can go wrong: the likelihood is unbounded where the volatility goes to zero on a single return (as in every mixture of
//! normals), and it has several maxima. The fit starts from fixed places with most of the mass without a jump, never enters
//! volatilities below a thousandth of the sample's, and keeps the best maximum it found.

use super::moments;
use crate::rng::Rng;
use crate::sampling::{Distribution, Normal, Poisson};

/// Most jumps in an interval that the likelihood counts, as in Ball and Torous (1985), On jumps in common stock prices and
/// their impact on call option pricing, J. Finance 40.
const MOST_JUMPS: u32 = 10;
/// Rounds of a fit at most; it has usually converged after a tenth of them.
const ROUNDS: usize = 5_000;
/// Starting intensities, in jumps an interval.
const STARTS: [f64; 3] = [0.05, 0.3, 1.0];
/// Fewest returns that are fitted: five parameters, six returns each.
const FEWEST: usize = 30;

/// A jump-diffusion by its parameters, per interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct JumpDiffusion {
    /// Mean of the log return without jumps.
    pub drift: f64,
    /// Standard deviation of the log return without jumps, not negative.
    pub volatility: f64,
    /// Mean number of jumps, not negative.
    pub intensity: f64,
    /// Mean of a jump of the logarithm.
    pub jump_mean: f64,
    /// Standard deviation of a jump of the logarithm, not negative.
    pub jump_sd: f64,
}

impl JumpDiffusion {
    /// Returns the process seen over another span: `share` of an interval.
    ///
    /// # Panics
    /// Panics unless `share` is positive and finite.
    #[must_use]
    pub fn over(&self, share: f64) -> Self {
        assert!(share > 0.0 && share.is_finite(), "a span is positive, not {share}");
        Self {
            drift: self.drift * share,
            volatility: self.volatility * share.sqrt(),
            intensity: self.intensity * share,
            ..*self
        }
    }

    /// Draws the log return of one interval: exact in distribution, whatever the span.
    pub fn sample(&self, rng: &mut Rng) -> f64 {
        let jumps = Poisson::new(self.intensity).sample(rng) as f64;
        let mean = self.drift + jumps * self.jump_mean;
        let variance = self.volatility * self.volatility + jumps * self.jump_sd * self.jump_sd;
        Normal::new(mean, variance.sqrt()).sample(rng)
    }

    /// Returns the logarithm of the likelihood of returns, of one interval each.
    ///
    /// # Panics
    /// Panics unless the volatility is positive.
    pub fn log_likelihood(&self, returns: &[f64]) -> f64 {
        assert!(self.volatility > 0.0, "a density needs a volatility, not {}", self.volatility);
        returns.iter().map(|value| libm::log(self.weights(*value).iter().sum())).sum()
    }

    /// Returns the joint density of a return and of each number of jumps.
    fn weights(&self, value: f64) -> [f64; MOST_JUMPS as usize + 1] {
        let mut weights = [0.0; MOST_JUMPS as usize + 1];
        let mut chance = libm::exp(-self.intensity);
        for (jumps, weight) in weights.iter_mut().enumerate() {
            let n = jumps as f64;
            if jumps > 0 {
                chance *= self.intensity / n;
            }
            let variance = self.volatility * self.volatility + n * self.jump_sd * self.jump_sd;
            let off = value - self.drift - n * self.jump_mean;
            *weight = chance * libm::exp(-0.5 * off * off / variance)
                / (2.0 * std::f64::consts::PI * variance).sqrt();
        }
        weights
    }

    /// Fits returns by maximum likelihood (Ball and Torous 1985), climbed by expectation-maximisation (Dempster, Laird and
    /// Rubin 1977) with the number of jumps and their sum as the missing data; `None` for fewer than 30 returns, or returns
    /// without variance.
    ///
    /// # Panics
    /// Panics if a return is not finite.
    pub fn fit(returns: &[f64]) -> Option<Self> {
        if returns.len() < FEWEST {
            return None;
        }
        let (mean, variance) = (moments::mean(returns)?, moments::variance(returns)?);
        if variance <= 0.0 {
            return None;
        }
        let climbed = STARTS.map(|intensity| {
            let start = Self {
                drift: mean,
                volatility: (0.5 * variance).sqrt(),
                intensity,
                jump_mean: 0.0,
                jump_sd: (0.5 * variance / intensity).sqrt(),
            };
            start.climb(returns, 1e-6 * variance)
        });
        climbed.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(best, _)| best)
    }

    /// Climbs the likelihood until it no longer rises, and returns where it is and how high.
    fn climb(mut self, returns: &[f64], variance_floor: f64) -> (Self, f64) {
        let mut height = self.log_likelihood(returns);
        for _ in 0..ROUNDS {
            let Some(next) = self.improved(returns, variance_floor) else { break };
            let reached = next.log_likelihood(returns);
            let risen = reached - height;
            (self, height) = (next, reached);
            if risen < 1e-10 * height.abs() {
                break;
            }
        }
        (self, height)
    }

    /// One round of expectation and maximisation; `None` where no return is likely to have jumped any more.
    fn improved(&self, returns: &[f64], variance_floor: f64) -> Option<Self> {
        let (diffusion, jump) = (self.volatility * self.volatility, self.jump_sd * self.jump_sd);
        let count = returns.len() as f64;
        let each = |visit: &mut dyn FnMut(f64, f64, f64, f64, f64)| {
            for &value in returns {
                let weights = self.weights(value);
                let total: f64 = weights.iter().sum();
                for (jumps, weight) in weights.iter().enumerate() {
                    let n = jumps as f64;
                    // Given the return and n, the sum of jumps is normal: the share of the surprise that is theirs.
                    let share = n * jump / (diffusion + n * jump);
                    let sum = n * self.jump_mean + share * (value - self.drift - n * self.jump_mean);
                    visit(weight / total, n, value, sum, share * diffusion);
                }
            }
        };
        let (mut number, mut rest, mut sums, mut some) = (0.0, 0.0, 0.0, 0.0);
        each(&mut |p, n, value, sum, _| {
            number += p * n;
            rest += p * (value - sum);
            sums += p * sum;
            some += if n > 0.0 { p } else { 0.0 };
        });
        if number < 1e-9 {
            return None;
        }
        let (drift, jump_mean) = (rest / count, sums / number);
        let (mut squares, mut jump_squares) = (0.0, 0.0);
        each(&mut |p, n, value, sum, variance| {
            let off = value - sum - drift;
            squares += p * (off * off + variance);
            if n > 0.0 {
                let off = sum - n * jump_mean;
                jump_squares += p * (off * off + variance) / n;
            }
        });
        Some(Self {
            drift,
            volatility: (squares / count).max(variance_floor).sqrt(),
            intensity: number / count,
            jump_mean,
            jump_sd: (jump_squares / some).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::stats::moments::{excess_kurtosis, standard_deviation};

    /// Half a percent an hour, and a jump of one percent every fifth hour.
    const KNOWN: JumpDiffusion =
        JumpDiffusion { drift: 0.0, volatility: 0.003, intensity: 0.2, jump_mean: -0.002, jump_sd: 0.01 };

    fn draws(law: &JumpDiffusion, count: u64, stream: &str) -> Vec<f64> {
        let stream = Seed { master: 11, replicate: 0 }.stream(stream);
        (0..count).map(|at| law.sample(&mut stream.draw(at, 0))).collect()
    }

    /// Cumulants of Merton's law: variance v^2 + l(m^2 + s^2), fourth cumulant l(m^4 + 6 m^2 s^2 + 3 s^4) (Press 1967).
    #[test]
    fn draws_have_the_cumulants_of_the_law() {
        let JumpDiffusion { volatility: v, intensity: l, jump_mean: m, jump_sd: s, .. } = KNOWN;
        let variance = v * v + l * (m * m + s * s);
        let fourth = l * (m * m * m * m + 6.0 * m * m * s * s + 3.0 * s * s * s * s);
        let drawn = draws(&KNOWN, 200_000, "cumulants");
        let mean = moments::mean(&drawn).unwrap();
        // Four standard errors: sd / sqrt(n) for the mean; over 20 such samples variance and kurtosis scattered by 0.7 and 2.2 %.
        assert!((mean - l * m).abs() < 4.0 * variance.sqrt() / 447.0, "{mean}");
        let ratio = moments::variance(&drawn).unwrap() / variance;
        assert!((ratio - 1.0).abs() < 0.028, "{ratio}");
        let ratio = excess_kurtosis(&drawn).unwrap() / (fourth / (variance * variance));
        assert!((ratio - 1.0).abs() < 0.088, "{ratio}");
    }

    /// 5,000 returns; the tolerances are four standard deviations of the fit over 20 such samples.
    #[test]
    fn the_fit_finds_the_parameters_of_synthetic_returns() {
        for sample in ["a", "b", "c"] {
            let fit = JumpDiffusion::fit(&draws(&KNOWN, 5_000, sample)).unwrap();
            let near = |found: f64, known: f64, tolerance: f64| (found - known).abs() < tolerance;
            assert!(near(fit.drift, KNOWN.drift, 0.000_25), "{fit:?}");
            assert!(near(fit.volatility, KNOWN.volatility, 0.000_15), "{fit:?}");
            assert!(near(fit.intensity, KNOWN.intensity, 0.0625), "{fit:?}");
            assert!(near(fit.jump_mean, KNOWN.jump_mean, 0.0013), "{fit:?}");
            assert!(near(fit.jump_sd, KNOWN.jump_sd, 0.0015), "{fit:?}");
        }
    }

    #[test]
    fn the_fit_is_at_least_as_likely_as_the_truth_and_as_a_plain_normal() {
        let returns = draws(&KNOWN, 168, "week");
        let fit = JumpDiffusion::fit(&returns).unwrap();
        let reached = fit.log_likelihood(&returns);
        assert!(reached >= KNOWN.log_likelihood(&returns), "{fit:?}");
        let sd = standard_deviation(&returns).unwrap();
        let mean = moments::mean(&returns).unwrap();
        let normal =
            JumpDiffusion { drift: mean, volatility: sd, intensity: 0.0, jump_mean: 0.0, jump_sd: 0.0 };
        assert!(reached > normal.log_likelihood(&returns), "{fit:?}");
    }

    #[test]
    fn each_round_of_the_climb_rises() {
        let returns = draws(&KNOWN, 300, "rounds");
        let mut at = JumpDiffusion { intensity: 1.0, jump_sd: 0.004, ..KNOWN };
        for _ in 0..50 {
            let next = at.improved(&returns, 1e-12).unwrap();
            assert!(
                next.log_likelihood(&returns) >= at.log_likelihood(&returns) - 1e-9,
                "{at:?} to {next:?}"
            );
            at = next;
        }
    }

    /// Sixty minutes are an hour: 20,000 sums of sixty against the law of the hour. Such a variance scatters by 2.1 %.
    #[test]
    fn short_steps_add_up_to_the_interval() {
        let minute = KNOWN.over(1.0 / 60.0);
        let minutes = draws(&minute, 20_000 * 60, "minutes");
        let hours: Vec<f64> = minutes.chunks_exact(60).map(|hour| hour.iter().sum()).collect();
        let variance = KNOWN.volatility * KNOWN.volatility
            + KNOWN.intensity * (KNOWN.jump_mean * KNOWN.jump_mean + KNOWN.jump_sd * KNOWN.jump_sd);
        let ratio = moments::variance(&hours).unwrap() / variance;
        assert!((ratio - 1.0).abs() < 0.085, "{ratio}");
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        assert_eq!(JumpDiffusion::fit(&[0.0, 0.1]), None);
        assert_eq!(JumpDiffusion::fit(&[0.01; 100]), None);
    }
}
