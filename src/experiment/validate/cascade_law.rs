//! The exact laws of a cascade (`stats::cascade_law`), drawn through the real engine and held against their formulas.
//!
//! One cascade:
//! 1. triggers are drawn, a count for each tick below the initial price;
//! 2. a scenario is made of a ladder of bids, a long at every trigger and one market order that sells `sold` bids' worth;
//! 3. `Simulation` runs it; an observer counts the liquidations that the venue says it began;
//! 4. where the cascade came to the end of the ladder, it is run again from the same draws on a ladder twice as long, so
//!    that no end can shape a result and short cascades stay cheap. What lies below the last bid that traded cannot have
//!    mattered, so this conditions on nothing.
//!
//! What can go wrong: the longest ladder may not suffice. It has 16,384 bids, where the slowest law here, at a density of
//! .9, leaves e^-88 (its tail falls as e^(-.00536 n)); a cascade that came to its end is reported and fails the case.

#[cfg(test)]
mod tests;

use super::ladder::{SIZE, bare, level, long_due_at, meta_order};
use super::report::{Case, Cell, Check, Estimate};
use crate::clearing::Breach;
use crate::engine::Simulation;
use crate::event::{Event, Observer, Record};
use crate::market::Book;
use crate::rng::{Rng, Seed};
use crate::sampling::{Distribution, Poisson, below};
use crate::scenario::Scenario;
use crate::stats::cascade_law::{PoissonTriggers, UniformTriggers};
use crate::stats::fit::{chi_square, kolmogorov_smirnov};
use crate::units::{Price, Side, Time};
use crate::world::MarkRule;

/// Seeds of a case, each with a p-value of its own.
pub(super) const SEEDS: u32 = 20;

/// Ticks; far above the longest ladder.
const INITIAL: i64 = 1_000_000;

/// Bids of the first attempt and of the last one.
const LADDER: (u64, u64) = (64, 1 << 14);

/// Cells of an endless law that are told apart: beyond, the slowest one here has less than e^-100.
const CELLS: u64 = 20_000;

/// Standard errors that an estimate may be off.
const Z_MAX: f64 = 3.0;

/// Level of a goodness-of-fit test.
const P_MIN: f64 = 1e-3;

/// What the planted bug must fall below.
const P_PLANTED: f64 = 1e-6;

/// Where triggers lie.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Triggers {
    /// A Poisson number on each tick.
    Poisson { density: f64 },
    /// A fixed number, each on any of the first ticks.
    Uniform { longs: u64, ticks: u64 },
}

/// A first sale of `sold` bids' worth and what it may set off.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Law {
    pub(super) sold: u64,
    pub(super) triggers: Triggers,
}

/// The laws that the command shows, with a first sale of five bids.
pub(super) const LAWS: [Law; 5] = [
    Law { sold: 5, triggers: Triggers::Poisson { density: 0.5 } },
    Law { sold: 5, triggers: Triggers::Poisson { density: 0.8 } },
    Law { sold: 5, triggers: Triggers::Poisson { density: 0.9 } },
    Law { sold: 5, triggers: Triggers::Uniform { longs: 50, ticks: 100 } },
    Law { sold: 5, triggers: Triggers::Uniform { longs: 90, ticks: 100 } },
];

impl Law {
    fn name(self) -> String {
        match self.triggers {
            Triggers::Poisson { density } => format!("poisson {density}"),
            Triggers::Uniform { longs, ticks } => format!("uniform {longs}/{ticks}"),
        }
    }

    /// Returns the probabilities of 0, 1, 2, ... liquidations; the last cell is the rest.
    fn cells(self) -> Vec<f64> {
        match self.triggers {
            Triggers::Poisson { density } => PoissonTriggers::new(self.sold, density).cells(CELLS),
            Triggers::Uniform { longs, ticks } => {
                UniformTriggers::new(self.sold, longs, ticks).probabilities()
            }
        }
    }

    /// Returns the exact mean and variance: closed forms where there are any.
    fn moments(self) -> (f64, f64) {
        match self.triggers {
            Triggers::Poisson { density } => {
                let law = PoissonTriggers::new(self.sold, density);
                law.mean().zip(law.variance()).expect("every density here is below 1")
            }
            Triggers::Uniform { longs, ticks } => {
                let law = UniformTriggers::new(self.sold, longs, ticks);
                (law.mean(), law.variance())
            }
        }
    }

    /// Returns the exact fourth central moment, by summation.
    fn fourth(self) -> f64 {
        let mean = self.moments().0;
        let mut cells = self.cells();
        if matches!(self.triggers, Triggers::Poisson { .. }) {
            // The rest is a difference of rounded sums; the fourth power of its distance would blow that up.
            cells.pop();
        }
        let centred = |(n, p): (usize, &f64)| {
            let square = (n as f64 - mean) * (n as f64 - mean);
            square * square * p
        };
        cells.iter().enumerate().map(centred).sum()
    }
}

/// Triggers of one cascade by depth, drawn tick by tick as far as they are asked for: a longer ladder sees the same ones.
struct Draw {
    rng: Rng,
    triggers: Triggers,
    /// Number of triggers on the ticks 1, 2, ... below the initial price.
    counts: Vec<u64>,
}

impl Draw {
    fn new(triggers: Triggers, mut rng: Rng) -> Self {
        let mut counts = Vec::new();
        if let Triggers::Uniform { longs, ticks } = triggers {
            counts.resize(ticks as usize, 0);
            for _ in 0..longs {
                counts[below(ticks, &mut rng) as usize] += 1;
            }
        }
        Self { rng, triggers, counts }
    }

    /// Returns the counts of the first `ticks` ticks, or of more where they are there.
    fn reach(&mut self, ticks: u64) -> &[u64] {
        while (self.counts.len() as u64) < ticks {
            let count = match self.triggers {
                Triggers::Poisson { density } => Poisson::new(density).sample(&mut self.rng),
                Triggers::Uniform { .. } => 0,
            };
            self.counts.push(count);
        }
        &self.counts
    }
}

/// Counts liquidations.
#[derive(Default)]
struct Liquidations(u64);

impl Observer for Liquidations {
    fn on(&mut self, record: &Record) {
        if matches!(record.event, Event::Liquidation { .. }) {
            self.0 += 1;
        }
    }
}

/// How one cascade ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct End {
    liquidations: u64,
    /// Fall of the best bid in ticks, or `None` where triggers below the ladder might have been reached.
    fall: Option<u64>,
}

/// Runs one cascade through the engine on a ladder of `bids` bids, on every tick from the initial price down.
fn run(scenario: &mut Scenario, counts: &[u64], bids: u64) -> End {
    furnish(scenario, counts, bids);
    let mut heard = Liquidations::default();
    // The scenario holds no chance: the seed of the run does not matter.
    let mut simulation = Simulation::new(scenario, Seed { master: 0, replicate: 0 }, &mut heard);
    simulation.step_until(scenario.duration, &mut heard);
    let best = simulation.world().market(super::ladder::MARKET).book.best(Side::Buy);
    let fall = best.map(|best| (INITIAL - best.0) as u64).filter(|fall| fall + 1 < bids);
    End { liquidations: heard.0, fall }
}

/// Puts a ladder of bids into a scenario and as many longs below each of its ticks as are counted.
fn furnish(scenario: &mut Scenario, counts: &[u64], bids: u64) {
    scenario.levels.clear();
    scenario.levels.push(level(Side::Sell, Price(INITIAL + 1_000), SIZE));
    scenario.levels.extend((0..bids as i64).map(|depth| level(Side::Buy, Price(INITIAL - depth), SIZE)));
    let mut positions = std::mem::take(&mut scenario.positions);
    positions.clear();
    for (depth, &count) in counts.iter().enumerate() {
        let long = long_due_at(scenario, Price(INITIAL - 1 - depth as i64));
        positions.extend((0..count).map(|_| long));
    }
    scenario.positions = positions;
}

/// Processes every long that is reached at once, then the mark: the same end by the rule alone, with no engine and no
/// ladder that could be too short.
fn batched(sold: u64, draw: &mut Draw) -> u64 {
    let mut liquidations = 0;
    loop {
        let reached = sold + liquidations;
        let due = draw.reach(reached)[..reached as usize].iter().sum();
        if due == liquidations {
            return liquidations;
        }
        liquidations = due;
    }
}

/// Outcomes of many cascades: integers only, so that their sum has no order.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Tally {
    /// Cascades by their number of liquidations.
    counts: Vec<u64>,
    /// Sum of all falls of the best bid, in ticks.
    fall: u64,
    /// Cascades that came to the end of the longest ladder.
    exhausted: u64,
    /// Cascades whose end differs from that of batched processing.
    unbatched: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        let cells = self.counts.len().max(other.counts.len());
        self.counts.resize(cells, 0);
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        self.fall += other.fall;
        self.exhausted += other.exhausted;
        self.unbatched += other.unbatched;
    }

    /// Returns the counts of as many cells as the law has, the last of which takes the rest.
    fn observed(&self, cells: usize) -> Vec<u64> {
        let mut observed = vec![0; cells];
        for (n, count) in self.counts.iter().enumerate() {
            observed[n.min(cells - 1)] += count;
        }
        observed
    }

    fn cascades(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sample's mean and unbiased variance, from exact sums.
    fn moments(&self) -> (f64, f64) {
        let power = |power: u32| -> u128 {
            let term = |(n, &count): (usize, &u64)| (n as u128).pow(power) * u128::from(count);
            self.counts.iter().enumerate().map(term).sum()
        };
        let (total, sum, squares) = (u128::from(self.cascades()), power(1), power(2));
        let variance = (total * squares - sum * sum) as f64 / (total as f64 * (total as f64 - 1.0));
        (sum as f64 / total as f64, variance)
    }
}

/// Runs the cascades of one seed.
pub(super) fn tally(law: Law, breach: Breach, seed: Seed, cascades: u64) -> Tally {
    let mut scenario = bare(Price(INITIAL), MarkRule::BestBid);
    scenario.world.venues[0].liquidation.breach = breach;
    scenario.shocks = vec![meta_order(Side::Sell, law.sold as i64 * SIZE, Time::ZERO, 0)];
    let stream = seed.stream(&format!("validate.cascade-law.{}", law.name()));
    let mut tally = Tally::default();
    for cascade in 0..cascades {
        let mut draw = Draw::new(law.triggers, stream.draw(cascade, 0));
        let (mut bids, longest) = LADDER;
        let end = loop {
            let end = run(&mut scenario, draw.reach(bids), bids);
            if end.fall.is_some() || bids >= longest {
                break end;
            }
            bids *= 2;
        };
        let n = end.liquidations as usize;
        if tally.counts.len() <= n {
            tally.counts.resize(n + 1, 0);
        }
        tally.counts[n] += 1;
        tally.fall += end.fall.unwrap_or(0);
        tally.exhausted += u64::from(end.fall.is_none());
        let expected = batched(law.sold, &mut draw);
        let same = end == End { liquidations: expected, fall: Some(law.sold + expected) };
        tally.unbatched += u64::from(!same);
    }
    tally
}

/// Judges a law by the tallies of its seeds, and of the same seeds with the bug planted.
pub(super) fn judge(law: Law, right: &[Tally], planted: &[Tally]) -> Case {
    let cells = law.cells();
    let p_of = |tally: &Tally| {
        let found = chi_square(&tally.observed(cells.len()), &cells, 0);
        found.map_or(f64::NAN, |found| found.p_value)
    };
    let pool = |tallies: &[Tally]| {
        let mut pooled = Tally::default();
        for tally in tallies {
            pooled.add(tally);
        }
        pooled
    };
    let (pooled, wrong) = (pool(right), pool(planted));
    let p_values: Vec<f64> = right.iter().map(p_of).collect();
    // With too few cascades to test there is no p-value, and the check fails.
    let testable = p_values.iter().all(|p| p.is_finite());
    let fit = kolmogorov_smirnov(if testable { &p_values } else { &[] });
    let uniformity = fit.map_or(f64::NAN, |fit| fit.p_value);
    Case {
        name: law.name(),
        sold: law.sold,
        cascades: pooled.cascades(),
        estimates: estimates(law, &pooled),
        pooled: Check::at_least("fit, all seeds together", p_of(&pooled), P_MIN),
        uniformity: Check::at_least("p-values uniform", uniformity, P_MIN),
        planted: Check::below("planted >= for >", p_of(&wrong), P_PLANTED),
        batched: Check::below("ends unlike batched", pooled.unbatched as f64, 1.0),
        exhausted: Check::below("ladder exhausted", (pooled.exhausted + wrong.exhausted) as f64, 1.0),
        longest: pooled.counts.len() as u64 - 1,
        p_values,
        distribution: distribution(&cells, &pooled),
    }
}

/// Holds mean, variance and amplification against the law, with the standard errors of the law itself.
fn estimates(law: Law, pooled: &Tally) -> Vec<Estimate> {
    let (mean, variance) = law.moments();
    let fourth = law.fourth();
    let (n, sold) = (pooled.cascades() as f64, law.sold as f64);
    let mean_error = (variance / n).sqrt();
    // Of the unbiased variance of n independent values.
    let variance_error = ((fourth - variance * variance * (n - 3.0) / (n - 1.0)) / n).sqrt();
    let (found_mean, found_variance) = pooled.moments();
    // Total fall over the fall of the first sale; for Poisson triggers 1/(1-R).
    let amplification = pooled.fall as f64 / (n * sold);
    vec![
        Estimate::new("mean", mean, found_mean, mean_error, Z_MAX),
        Estimate::new("variance", variance, found_variance, variance_error, Z_MAX),
        Estimate::new("amplification", 1.0 + mean / sold, amplification, mean_error / sold, Z_MAX),
    ]
}

/// Lists P(n) and how often n was seen, up to the last n that was.
fn distribution(cells: &[f64], pooled: &Tally) -> Vec<Cell> {
    let observed = pooled.observed(cells.len());
    let cell = |(n, (&probability, &count))| Cell { n, probability, count };
    (0..).zip(cells.iter().zip(&observed)).take(pooled.counts.len()).map(cell).collect()
}
