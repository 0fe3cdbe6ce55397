//! The exact law of a liquidation cascade on a ladder of bids: how many longs a sale takes with it.
//!
//! The rule. Bids of one size rest at P0, P0-1, P0-2, ... and are not replenished; there are no fees. Each long holds that
//! size and has a trigger tick below P0: it is liquidated, by a market order, once the mark is at its trigger. The mark is
//! the best bid, read again after every order.
//!
//! 1. A sale of `sold` times the size eats the bids from P0 to P0-sold+1. The best bid is P0-sold, so the triggers on the
//!    `sold` ticks P0-1, ..., P0-sold are reached.
//! 2. Every liquidation eats one more bid and reaches one more trigger tick.
//! 3. The cascade ends at the first n for which the first sold+n ticks hold exactly n triggers. The order in which reached
//!    longs are liquidated, and whether one at a time or in batches, does not enter: the end state is the same.
//!
//! The law. Ticks whose counts are exchangeable (independent and equal, or a multinomial of a fixed number) obey the
//! cycle lemma (Dvoretzky and Motzkin 1947; Takács 1962): of all arrangements with n triggers on sold+n ticks, a share
//! sold/(sold+n) does not end earlier. Hence P(n) = sold/(sold+n) * P(the first sold+n ticks hold n triggers), which is
//! the Borel-Tanner or generalised Poisson law (Consul and Jain 1973) and Consul's quasi-binomial one.
//!
//! What can go wrong: the ladder of bids must be longer than the cascade, and a mark that is the *last* price stands one
//! tick higher after the same sale: then `sold` is one less.

use super::assert_finite;

/// Number of liquidations when every tick holds a Poisson number of triggers: P(n) = t (t+nR)^(n-1) e^-(t+nR) / n! with
/// t = sold*R, for n = 0, 1, 2, ...
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PoissonTriggers {
    sold: u64,
    density: f64,
}

impl PoissonTriggers {
    /// Makes the law for a first sale of `sold` ticks of bids and a mean number of triggers a tick, `density`.
    ///
    /// # Panics
    /// Panics unless `sold` is at least 1 and `density` positive and finite.
    pub fn new(sold: u64, density: f64) -> Self {
        assert!(sold > 0, "a sale eats at least one tick");
        assert!(density > 0.0 && density.is_finite(), "a density is positive and finite, not {density}");
        Self { sold, density }
    }

    /// Returns the probability of exactly `n` liquidations.
    pub fn probability(&self, n: u64) -> f64 {
        let (sold, count) = (self.sold as f64, n as f64);
        let mean = (sold + count) * self.density;
        let log_poisson = count * libm::log(mean) - mean - libm::lgamma(count + 1.0);
        sold / (sold + count) * libm::exp(log_poisson)
    }

    /// Returns the probabilities of 0, 1, ..., `last`-1 and, as the last cell, of `last` or more, endless cascades
    /// included. The shape that [`chi_square`](super::fit::chi_square) takes; its length is `last`+1.
    pub fn cells(&self, last: u64) -> Vec<f64> {
        let mut cells: Vec<f64> = (0..last).map(|n| self.probability(n)).collect();
        cells.push((1.0 - cells.iter().sum::<f64>()).max(0.0));
        cells
    }

    /// Returns the mean number of liquidations, t/(1-R), or `None` at a density of 1 or more, where it is infinite.
    pub fn mean(&self) -> Option<f64> {
        Some(self.sold as f64 * self.density * self.amplification()?)
    }

    /// Returns the variance of the number of liquidations, t/(1-R)^3, or `None` at a density of 1 or more.
    pub fn variance(&self) -> Option<f64> {
        let factor = self.amplification()?;
        Some(self.sold as f64 * self.density * factor * factor * factor)
    }

    /// Returns the mean total fall over the fall from the first sale, 1/(1-R), or `None` at a density of 1 or more.
    pub fn amplification(&self) -> Option<f64> {
        (self.density < 1.0).then(|| 1.0 / (1.0 - self.density))
    }

    /// Returns the probability that the cascade ends on an endless ladder: 1 up to a density of 1, and above it x^sold
    /// with the smaller root of x = exp(-R(1-x)), the extinction of a branching process.
    pub fn probability_of_ending(&self) -> f64 {
        if self.density <= 1.0 {
            return 1.0;
        }
        // On [0, 1/R] the difference exp(-R(1-x)) - x falls from positive to not positive: one root, found by halving.
        let (mut low, mut high) = (0.0, 1.0 / self.density);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if libm::exp(-self.density * (1.0 - middle)) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        libm::pow(low, self.sold as f64)
    }
}

/// Number of liquidations of `longs` longs whose triggers lie independently and uniformly on the `ticks` ticks below P0:
/// P(n) = C(N,n) p (p+n/K)^(n-1) (1-p-n/K)^(N-n) with p = sold/K, for n = 0, ..., N.
///
/// The end of the range needs care. Once sold+n reaches `ticks`, every trigger is reached and nothing can stop the
/// cascade but the end of the longs: such an n < N is impossible, and n = N takes all that the smaller ones leave. While
/// sold+N <= K+1 that is the formula itself (Pollak's count of parking functions, in Foata and Riordan 1974); beyond,
/// its base passes one and it is no probability, so the rest is one minus the sum of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UniformTriggers {
    sold: u64,
    longs: u64,
    ticks: u64,
}

impl UniformTriggers {
    /// Makes the law for a first sale of `sold` ticks of bids, `longs` longs and triggers on `ticks` ticks.
    ///
    /// # Panics
    /// Panics unless `sold` and `ticks` are at least 1.
    pub fn new(sold: u64, longs: u64, ticks: u64) -> Self {
        assert!(sold > 0, "a sale eats at least one tick");
        assert!(ticks > 0, "triggers lie on at least one tick");
        Self { sold, longs, ticks }
    }

    /// Returns the probabilities of 0, 1, ..., `longs` liquidations; they sum to one. Costs one logarithm of a gamma
    /// function a cell.
    pub fn probabilities(&self) -> Vec<f64> {
        let mut cells: Vec<f64> = (0..self.longs).map(|n| self.interior(n)).collect();
        let all = if self.sold.saturating_add(self.longs) <= self.ticks.saturating_add(1) {
            let (sold, longs, ticks) = (self.sold as f64, self.longs as f64, self.ticks as f64);
            sold / (sold + longs) * libm::pow((sold + longs) / ticks, longs)
        } else {
            (1.0 - cells.iter().sum::<f64>()).max(0.0)
        };
        cells.push(all);
        assert_finite(&cells);
        cells
    }

    /// The probability of `n` below the number of longs, through logarithms: the binomial coefficient overflows early.
    fn interior(&self, n: u64) -> f64 {
        let reached = self.sold.saturating_add(n);
        if reached >= self.ticks {
            return 0.0;
        }
        let (count, longs) = (n as f64, self.longs as f64);
        let share = reached as f64 / self.ticks as f64;
        let log_choose =
            libm::lgamma(longs + 1.0) - libm::lgamma(count + 1.0) - libm::lgamma(longs - count + 1.0);
        let log_binomial = log_choose + count * libm::log(share) + (longs - count) * libm::log1p(-share);
        self.sold as f64 / reached as f64 * libm::exp(log_binomial)
    }

    /// Returns the mean number of liquidations, by summation.
    pub fn mean(&self) -> f64 {
        self.probabilities().iter().enumerate().map(|(n, p)| n as f64 * p).sum()
    }

    /// Returns the variance of the number of liquidations, by summation.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let squares = self.probabilities();
        squares.iter().enumerate().map(|(n, p)| (n as f64 - mean) * (n as f64 - mean) * p).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Poisson, Uniform01};
    use crate::stats::fit::chi_square;
    use std::collections::VecDeque;

    /// Which of the reached longs the venue sells before it reads the mark again.
    #[derive(Clone, Copy)]
    enum Processing {
        HighestTriggerAlone,
        EveryReachedOne,
    }

    /// The rule itself, bid by bid and order by order; `depths` are the triggers' distances below P0 in ticks, at least 1.
    /// Returns the number of liquidations.
    fn cascade(sold: u64, depths: &[u64], processing: Processing) -> u64 {
        let p0 = 1_000_000_i64;
        let mut bids: VecDeque<i64> =
            (0..=sold as i64 + depths.len() as i64).map(|below| p0 - below).collect();
        let mut triggers: Vec<i64> = depths.iter().map(|&depth| p0 - depth as i64).collect();
        triggers.sort_unstable();
        bids.drain(..sold as usize);
        loop {
            let mark = bids[0];
            let reached = triggers.iter().filter(|&&trigger| mark <= trigger).count();
            if reached == 0 {
                return (depths.len() - triggers.len()) as u64;
            }
            let orders = match processing {
                Processing::HighestTriggerAlone => 1,
                Processing::EveryReachedOne => reached,
            };
            triggers.truncate(triggers.len() - orders);
            bids.drain(..orders);
        }
    }

    #[test]
    fn a_sale_reaches_as_many_trigger_ticks_as_it_eats_bids() {
        for sold in 1..5 {
            assert_eq!(cascade(sold, &[sold], Processing::HighestTriggerAlone), 1);
            assert_eq!(cascade(sold, &[sold + 1], Processing::HighestTriggerAlone), 0);
            assert_eq!(cascade(sold, &[sold, sold + 1, sold + 3], Processing::HighestTriggerAlone), 2);
        }
    }

    /// Every arrangement of up to five longs on up to five ticks, each as likely as the next: the law is met exactly, in
    /// particular where the sale or the longs outnumber the ticks. The tolerance is that of logarithms of gammas.
    #[test]
    fn enumeration_of_all_arrangements_gives_the_law() {
        for (longs, ticks) in [(0, 3), (1, 1), (3, 3), (5, 3), (3, 5), (5, 5), (6, 4)] {
            let arrangements = every_arrangement(longs, ticks);
            for sold in 1..=ticks + 2 {
                let mut counts = vec![0_u64; longs + 1];
                for depths in &arrangements {
                    let alone = cascade(sold, depths, Processing::HighestTriggerAlone);
                    assert_eq!(alone, cascade(sold, depths, Processing::EveryReachedOne));
                    counts[alone as usize] += 1;
                }
                let law = UniformTriggers::new(sold, longs as u64, ticks);
                for (n, (p, count)) in law.probabilities().into_iter().zip(counts).enumerate() {
                    let share = count as f64 / arrangements.len() as f64;
                    assert!((p - share).abs() < 1e-13, "{law:?}, n = {n}: {p}, counted {share}");
                }
            }
        }
    }

    fn every_arrangement(longs: usize, ticks: u64) -> Vec<Vec<u64>> {
        (0..longs).fold(vec![Vec::new()], |shorter, _| {
            let extend =
                |depths: Vec<u64>| (1..=ticks).map(move |depth| [depths.clone(), vec![depth]].concat());
            shorter.into_iter().flat_map(extend).collect()
        })
    }

    /// Direct simulation below, at and above criticality; the level of each test is one in a thousand. Triggers deeper
    /// than the last cell's cascade cannot matter and are not drawn.
    #[test]
    fn simulated_poisson_triggers_follow_the_law() {
        let (runs, last) = (20_000, 40);
        for (study, (sold, density)) in
            [(1, 0.3), (3, 0.6), (10, 0.8), (2, 1.0), (1, 1.4)].into_iter().enumerate()
        {
            let mut rng = Seed { master: 7, replicate: 0 }.stream("poisson-triggers").draw(study as u64, 0);
            let mut counts = vec![0_u64; last as usize + 1];
            for _ in 0..runs {
                let mut depths = Vec::new();
                for depth in 1..=sold + last {
                    let triggers = Poisson::new(density).sample(&mut rng);
                    depths.extend((0..triggers).map(|_| depth));
                }
                counts[cascade(sold, &depths, Processing::EveryReachedOne).min(last) as usize] += 1;
            }
            let found = chi_square(&counts, &PoissonTriggers::new(sold, density).cells(last), 0).unwrap();
            assert!(found.p_value > 1e-3, "sold {sold}, density {density}: {found:?}");
        }
    }

    #[test]
    fn simulated_uniform_triggers_follow_the_law() {
        for (study, (sold, longs, ticks)) in [(3, 40, 80), (5, 100, 100), (2, 60, 40)].into_iter().enumerate()
        {
            let mut rng = Seed { master: 7, replicate: 0 }.stream("uniform-triggers").draw(study as u64, 0);
            let mut counts = vec![0_u64; longs + 1];
            for _ in 0..20_000 {
                let depth = |_| 1 + (Uniform01.sample(&mut rng) * ticks as f64) as u64;
                let depths: Vec<u64> = (0..longs).map(depth).collect();
                counts[cascade(sold, &depths, Processing::EveryReachedOne) as usize] += 1;
            }
            let law = UniformTriggers::new(sold, longs as u64, ticks);
            let found = chi_square(&counts, &law.probabilities(), 0).unwrap();
            assert!(found.p_value > 1e-3, "{law:?}: {found:?}");
        }
    }

    #[test]
    fn poisson_moments_are_the_closed_forms() {
        for (sold, density) in [(1, 0.2), (4, 0.5), (2, 0.9)] {
            let law = PoissonTriggers::new(sold, density);
            let cells: Vec<f64> = (0..20_000).map(|n| law.probability(n)).collect();
            let total: f64 = cells.iter().sum();
            let mean: f64 = cells.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            let square: f64 = cells.iter().enumerate().map(|(n, p)| (n * n) as f64 * p).sum();
            assert!((total - 1.0).abs() < 1e-12, "{total}");
            assert!((mean / law.mean().unwrap() - 1.0).abs() < 1e-11, "{mean}");
            assert!(((square - mean * mean) / law.variance().unwrap() - 1.0).abs() < 1e-10, "{square}");
        }
        assert_eq!(PoissonTriggers::new(2, 0.75).amplification(), Some(4.0));
    }

    /// Stirling's formula gives P(n) -> sold/sqrt(2 pi) n^-1.5 at a density of 1, with a relative error of order sold/n.
    #[test]
    fn the_critical_tail_has_exponent_three_halves() {
        let law = PoissonTriggers::new(2, 1.0);
        let n = 1_000_000.0_f64;
        let limit = 2.0 / std::f64::consts::TAU.sqrt() / (n * n.sqrt());
        assert!((law.probability(1_000_000) / limit - 1.0).abs() < 1e-5);
        assert_eq!((law.mean(), law.variance(), law.amplification()), (None, None, None));
        assert!((law.probability_of_ending() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn above_criticality_the_missing_mass_is_the_endless_cascade() {
        for (sold, density) in [(1, 1.2), (3, 1.5), (1, 4.0)] {
            let law = PoissonTriggers::new(sold, density);
            let total: f64 = (0..5_000).map(|n| law.probability(n)).sum();
            let ends = law.probability_of_ending();
            assert!((total - ends).abs() < 1e-11, "{total}, {ends}");
        }
    }

    /// With many longs on many ticks, their number fixed or not is all the same.
    #[test]
    fn uniform_triggers_become_poisson_ones() {
        let (uniform, poisson) =
            (UniformTriggers::new(3, 5_000_000, 10_000_000), PoissonTriggers::new(3, 0.5));
        for n in 0..60 {
            let ratio = uniform.interior(n) / poisson.probability(n);
            assert!((ratio - 1.0).abs() < 1e-3, "n = {n}: {ratio}");
        }
    }

    /// Sums to one by Abel's identity while the last cell is the formula's, which a wrong last cell would break.
    #[test]
    fn the_uniform_law_sums_to_one() {
        for (sold, longs, ticks) in
            [(1, 1, 1), (1, 100, 100), (5, 300, 1000), (10, 2000, 2009), (50, 10, 20), (1, 500, 90)]
        {
            let law = UniformTriggers::new(sold, longs, ticks);
            let total: f64 = law.probabilities().iter().sum();
            assert!((total - 1.0).abs() < 1e-11, "{law:?}: {total}");
            assert!(law.mean() <= longs as f64 && law.variance() >= 0.0);
        }
        assert!((UniformTriggers::new(20, 10, 20).mean() - 10.0).abs() < 1e-12);
    }
}
