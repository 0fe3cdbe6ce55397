//! The law of a cascade through the real engine: explicit positions, no fees, mark = best bid, liquidation at market.
//!
//! Bids of `b` contracts rest at ticks P0, P0-1, ...; nothing is replenished. Longs of `b` contracts have triggers below
//! P0: maintenance is breached at mark = L and not at L+1. A sale of k0*b leaves the best bid at P0-k0. Every liquidation
//! eats one more tick. The number of liquidations then follows the generalised Poisson law for triggers that are Poisson
//! on the ticks, and its finite form for N triggers uniform on K ticks (`stats::cascade_law`).

use crate::agents::MetaOrderSpec;
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle};
use crate::engine::Simulation;
use crate::event::{Event, Observer, Record};
use crate::market::BookSpec;
use crate::mechanisms::{FundamentalSpec, Mechanisms};
use crate::rng::Seed;
use crate::sampling::{Distribution, Poisson, below};
use crate::scenario::{BookLevel, ExplicitPosition, Scenario, Shock, ShockKind};
use crate::stats::cascade_law::{PoissonTriggers, UniformTriggers};
use crate::stats::fit::{chi_square, kolmogorov_smirnov};
use crate::units::{
    AssetId, MarketId, Money, Position, Price, Qty, Rate, Rounding, Side, Time, VenueId, div_round,
};
use crate::world::{AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, VenueSpec, WorldSpec};
use rayon::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use std::fmt::Write as _;

/// Best bid at the start, in ticks: far enough above zero for every ladder.
const START: i64 = 100_000;
/// Contracts of a level, a position and a liquidation.
const LOTS: i64 = 3;
/// Ticks that the sale eats.
const SOLD: u64 = 5;
/// Money a tick and lot.
const UNIT: i64 = 100;
/// One percent, so that maintenance margin is a whole number of units at every tick.
const MAINTENANCE: Rate = Rate(10_000_000);
/// Fixed seeds for the test of uniformity.
const SEEDS: u64 = 20;
/// Ladders that are tried in turn: a cascade that reaches the end of one is run again, on the same dice, on the next. Beyond
/// the last, the law for a density of .9 leaves a probability below 1e-12.
const LADDERS: [u64; 3] = [200, 1_000, 8_000];
/// A planted bug must be rejected below this p-value.
const REJECTED: f64 = 1e-6;

/// Where triggers lie.
#[derive(Clone, Copy, Debug)]
enum Triggers {
    /// A Poisson number on each tick.
    Poisson { density: f64 },
    /// A number of longs, each on one of a number of ticks.
    Uniform { longs: u64, ticks: u64 },
}

/// The exact law of a case as far as it is compared.
struct Law {
    probabilities: Vec<f64>,
    mean: f64,
    variance: f64,
    fourth: f64,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    triggers: Triggers,
    breach: Breach,
}

const CASES: [Case; 6] = [
    Case { triggers: Triggers::Poisson { density: 0.5 }, breach: Breach::Below },
    Case { triggers: Triggers::Poisson { density: 0.8 }, breach: Breach::Below },
    Case { triggers: Triggers::Poisson { density: 0.9 }, breach: Breach::Below },
    Case { triggers: Triggers::Uniform { longs: 50, ticks: 100 }, breach: Breach::Below },
    Case { triggers: Triggers::Uniform { longs: 90, ticks: 100 }, breach: Breach::Below },
    // The planted bug: equity AT maintenance counts as a breach, so every trigger is one tick too early.
    Case { triggers: Triggers::Poisson { density: 0.8 }, breach: Breach::AtOrBelow },
];

/// One seed's test.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SeedLine {
    /// The seed.
    pub seed: u64,
    /// Probability of so bad a fit under the law.
    pub p_value: f64,
}

/// One case's comparison.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// What was run.
    pub name: String,
    /// Whether it carries the planted bug, and so must be rejected.
    pub planted_bug: bool,
    /// Cascades of all seeds.
    pub cascades: u64,
    /// Exact mean of the number of liquidations.
    pub mean_exact: f64,
    /// Simulated mean.
    pub mean: f64,
    /// Their distance in standard errors.
    pub mean_z: f64,
    /// Exact variance.
    pub variance_exact: f64,
    /// Simulated variance.
    pub variance: f64,
    /// Their distance in standard errors.
    pub variance_z: f64,
    /// Simulated amplification: ticks that the price falls over ticks sold, for Poisson triggers 1/(1-R).
    pub amplification: f64,
    /// Exact amplification.
    pub amplification_exact: f64,
    /// Goodness of fit by seed.
    pub seeds: Vec<SeedLine>,
    /// Goodness of fit of all cascades together.
    pub pooled_p_value: f64,
    /// Kolmogorov-Smirnov p-value that the seeds' p-values are uniform.
    pub uniformity_p_value: f64,
}

impl CaseReport {
    /// Tells whether the case came out as it must.
    pub fn passed(&self) -> bool {
        if self.planted_bug {
            return self.pooled_p_value < REJECTED;
        }
        self.mean_z.abs() <= 3.0 && self.variance_z.abs() <= 3.0 && self.uniformity_p_value > 0.001
    }

    /// Writes the case for a person.
    pub(super) fn table(&self) -> String {
        let mut out = String::new();
        let verdict = if self.passed() { "pass" } else { "FAIL" };
        let _ = writeln!(out, "{verdict}  {}, {} cascades", self.name, self.cascades);
        let line = |out: &mut String, what: &str, exact: f64, seen: f64, z: f64| {
            let _ = writeln!(out, "      {what:<14} exact {exact:>11.4}  simulated {seen:>11.4}  z {z:>6.2}");
        };
        line(&mut out, "mean", self.mean_exact, self.mean, self.mean_z);
        line(&mut out, "variance", self.variance_exact, self.variance, self.variance_z);
        let _ = writeln!(
            out,
            "      {:<14} exact {:>11.4}  simulated {:>11.4}",
            "amplification", self.amplification_exact, self.amplification
        );
        let _ = writeln!(
            out,
            "      goodness of fit, p-value of all cascades {:.4}; by seed:",
            self.pooled_p_value
        );
        for row in self.seeds.chunks(10) {
            let values: Vec<String> = row.iter().map(|line| format!("{:.3}", line.p_value)).collect();
            let _ = writeln!(out, "        {}", values.join("  "));
        }
        let _ = write!(out, "      these are uniform with p-value {:.3}", self.uniformity_p_value);
        if self.planted_bug {
            let _ = write!(out, "  (the planted bug must be rejected: p < {REJECTED:e})");
        }
        let _ = writeln!(out);
        out
    }
}

/// How many parts the progress counts.
pub(super) fn parts() -> u64 {
    CASES.len() as u64 * SEEDS
}

/// Runs all cases.
pub(super) fn run(options: &super::Options, part_done: &(dyn Fn() + Sync)) -> Vec<CaseReport> {
    let jobs: Vec<(usize, u64)> =
        (0..CASES.len()).flat_map(|case| (0..SEEDS).map(move |seed| (case, seed))).collect();
    let counts: Vec<Vec<u64>> = jobs
        .par_iter()
        .map(|&(case, seed)| {
            let counts = histogram(&CASES[case], options.seed.wrapping_add(seed), options.cascades_per_seed);
            part_done();
            counts
        })
        .collect();
    CASES
        .iter()
        .enumerate()
        .map(|(index, case)| {
            let of_case = &counts[index * SEEDS as usize..(index + 1) * SEEDS as usize];
            case.report(of_case, options.seed)
        })
        .collect()
}

/// Counts cascades by their number of liquidations.
fn histogram(case: &Case, master: u64, cascades: u64) -> Vec<u64> {
    let mut counts = Vec::new();
    for replicate in 0..cascades {
        let size = case.cascade(Seed { master, replicate: replicate as u32 }) as usize;
        if counts.len() <= size {
            counts.resize(size + 1, 0);
        }
        counts[size] += 1;
    }
    counts
}

impl Case {
    fn name(&self) -> String {
        let bug = if self.breach == Breach::AtOrBelow { ", planted bug (>= for >)" } else { "" };
        match self.triggers {
            Triggers::Poisson { density } => format!("Poisson triggers, R = {density}, k0 = {SOLD}{bug}"),
            Triggers::Uniform { longs, ticks } => {
                format!("N = {longs} triggers on K = {ticks} ticks, k0 = {SOLD}{bug}")
            }
        }
    }

    fn law(&self) -> Law {
        let probabilities = match self.triggers {
            Triggers::Poisson { density } => {
                let law = PoissonTriggers::new(SOLD, density);
                (0..LADDERS[2]).map(|n| law.probability(n)).collect()
            }
            Triggers::Uniform { longs, ticks } => UniformTriggers::new(SOLD, longs, ticks).probabilities(),
        };
        let moment = |power: i32, mean: f64| -> f64 {
            let term = |(n, p): (usize, &f64)| {
                let away = n as f64 - mean;
                p * (0..power).fold(1.0, |product, _| product * away)
            };
            probabilities.iter().enumerate().map(term).sum()
        };
        let mean = moment(1, 0.0);
        Law { mean, variance: moment(2, mean), fourth: moment(4, mean), probabilities }
    }

    fn report(&self, counts: &[Vec<u64>], first_seed: u64) -> CaseReport {
        let law = self.law();
        // Beyond 400 liquidations the cells are one: they would be pooled anyway.
        let cells = law.probabilities.len().min(400);
        let mut probabilities = law.probabilities[..cells].to_vec();
        probabilities.push((1.0 - probabilities.iter().sum::<f64>()).max(0.0));
        let longest = counts.iter().map(Vec::len).max().unwrap_or(0);
        let mut all = vec![0; longest];
        let test = |counts: &[u64]| {
            let mut observed = vec![0; cells + 1];
            for (n, count) in counts.iter().enumerate() {
                observed[n.min(cells)] += count;
            }
            chi_square(&observed, &probabilities, 0).map_or(0.0, |fit| fit.p_value)
        };
        let seeds: Vec<SeedLine> = counts
            .iter()
            .zip(first_seed..)
            .map(|(counts, seed)| {
                for (n, count) in counts.iter().enumerate() {
                    all[n] += count;
                }
                SeedLine { seed, p_value: test(counts) }
            })
            .collect();
        let cascades: u64 = all.iter().sum();
        let n = cascades as f64;
        let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
            all.iter().enumerate().map(|(size, count)| f(size as f64) * *count as f64).sum()
        };
        let mean = sum(&|size| size) / n;
        let variance = sum(&|size| (size - mean) * (size - mean)) / (n - 1.0);
        let p_values: Vec<f64> = seeds.iter().map(|line| line.p_value).collect();
        let sold = SOLD as f64;
        CaseReport {
            name: self.name(),
            planted_bug: self.breach == Breach::AtOrBelow,
            cascades,
            mean_exact: law.mean,
            mean,
            mean_z: (mean - law.mean) / (law.variance / n).sqrt(),
            variance_exact: law.variance,
            variance,
            variance_z: (variance - law.variance) / ((law.fourth - law.variance * law.variance) / n).sqrt(),
            amplification: (sold + mean) / sold,
            amplification_exact: (sold + law.mean) / sold,
            pooled_p_value: test(&all),
            uniformity_p_value: kolmogorov_smirnov(&p_values).map_or(0.0, |test| test.p_value),
            seeds,
        }
    }

    /// Runs one cascade through the engine and returns its number of liquidations.
    fn cascade(&self, seed: Seed) -> u64 {
        let (ladders, end) = match self.triggers {
            Triggers::Poisson { .. } => (&LADDERS[..], false),
            Triggers::Uniform { longs, ticks } => (&[ticks + longs + SOLD + 1][..], true),
        };
        for &ladder in ladders {
            let mut liquidations = Liquidations(0);
            let scenario = self.scenario(seed, ladder);
            let mut simulation = Simulation::new(&scenario, seed, &mut liquidations);
            simulation.step_until(scenario.duration, &mut liquidations);
            // A cascade that ate the whole ladder might have gone on.
            if end || SOLD + liquidations.0 < ladder {
                return liquidations.0;
            }
        }
        panic!("a cascade of seed {seed:?} reached the end of the longest ladder");
    }

    /// Draws the ticks of the triggers below the start, nearest first, as far as the ladder reaches. A longer ladder begins
    /// with the same draws.
    fn draw(&self, seed: Seed, ladder: u64) -> Vec<i64> {
        let mut rng = seed.stream("cascade.triggers").sequence();
        match self.triggers {
            Triggers::Poisson { density } => {
                let at_tick = Poisson::new(density);
                (1..=ladder as i64)
                    .flat_map(|away| std::iter::repeat_n(away, at_tick.sample(&mut rng) as usize))
                    .collect()
            }
            Triggers::Uniform { longs, ticks } => {
                (0..longs).map(|_| 1 + below(ticks, &mut rng) as i64).collect()
            }
        }
    }

    fn scenario(&self, seed: Seed, ladder: u64) -> Scenario {
        let market = MarketId(0);
        let contract = Contract::Linear { unit: UNIT };
        let brackets = Brackets::new(&[(Money::ZERO, MAINTENANCE, 100)], Money(i64::MAX >> 8));
        let positions = self
            .draw(seed, ladder)
            .into_iter()
            .map(|away| {
                // Equity equals maintenance exactly one tick above the trigger.
                let safe = Price(START - away + 1);
                let maintenance = brackets.maintenance(contract.notional(safe, Qty(LOTS)));
                let loss = contract.value(Price(START), Qty(LOTS)) - contract.value(safe, Qty(LOTS));
                let (lots, entry) = (Position(LOTS), Price(START));
                ExplicitPosition { market, lots, entry, margin: loss + maintenance, cash: Money::ZERO }
            })
            .collect();
        let bid = |below: u64| BookLevel {
            market,
            side: Side::Buy,
            price: Price(START - below as i64),
            qty: Qty(LOTS),
        };
        let sale = MetaOrderSpec {
            market,
            side: Side::Sell,
            qty: Qty(SOLD as i64 * LOTS),
            at: Time::ZERO,
            duration: Time::ZERO,
            slice_every: Time::SECOND,
        };
        Scenario {
            name: "cascade-law".to_owned(),
            title: String::new(),
            start: jiff::Timestamp::UNIX_EPOCH,
            duration: Time::SECOND,
            burn_in: Time::ZERO,
            sample_every: Time::SECOND,
            world: world(self.breach, brackets),
            fundamentals: vec![FundamentalSpec { volatility: 0.0, step: Time::SECOND }],
            levels: (0..ladder).map(bid).collect(),
            populations: Vec::new(),
            positions,
            shocks: vec![Shock { name: "sale".to_owned(), kind: ShockKind::MetaOrder(sale) }],
            mechanisms: Mechanisms::default(),
            observed: Vec::new(),
            counterfactuals: Vec::new(),
        }
    }
}

/// Returns the last mark at which a short at leverage 1 is safe, and the next tick: p <= 2 p0 / (1 + m) in integers.
pub(super) fn fully_funded_short_bounds() -> (i64, i64) {
    let bound = div_round(
        i128::from(2 * START) * i128::from(Rate::ONE),
        i128::from(Rate::ONE + MAINTENANCE.0),
        Rounding::Floor,
    );
    (bound, bound + 1)
}

/// Tells whether a short at leverage 1, opened at the start price, is liquidated at a mark.
pub(super) fn liquidates_fully_funded_short(mark: i64) -> bool {
    let seed = Seed { master: 1, replicate: 0 };
    let case = Case { triggers: Triggers::Uniform { longs: 0, ticks: 1 }, breach: Breach::Below };
    let mut scenario = case.scenario(seed, 0);
    let market = MarketId(0);
    let margin = Contract::Linear { unit: UNIT }.notional(Price(START), Qty(LOTS));
    scenario.positions = vec![ExplicitPosition {
        market,
        lots: Position(-LOTS),
        entry: Price(START),
        margin,
        cash: Money::ZERO,
    }];
    // The sale of SOLD * LOTS leaves the best bid where it is, and with it the mark.
    scenario.levels = vec![BookLevel { market, side: Side::Buy, price: Price(mark), qty: Qty(100 * LOTS) }];
    let mut liquidations = Liquidations(0);
    let mut simulation = Simulation::new(&scenario, seed, &mut liquidations);
    simulation.step_until(scenario.duration, &mut liquidations);
    liquidations.0 > 0
}

/// One venue without fees and without a waterfall, one market whose mark is the best bid.
fn world(breach: Breach, brackets: Brackets) -> WorldSpec {
    let asset = |name: &str, units_per_coin| AssetSpec { name: name.to_owned(), units_per_coin };
    WorldSpec {
        assets: vec![asset("COIN", 100_000_000), asset("USDT", 1_000_000)],
        venues: vec![VenueSpec {
            name: "exchange".to_owned(),
            settlement: AssetId(1),
            fees: FeeSchedule { maker: Rate::ZERO, taker: Rate::ZERO },
            liquidation: LiquidationRules {
                breach,
                style: LiquidationStyle::Market,
                fee: Rate::ZERO,
                waterfall: Vec::new(),
            },
            insurance_fund: Money::ZERO,
        }],
        markets: vec![MarketSpec {
            name: "COIN-PERP".to_owned(),
            venue: VenueId(0),
            base: AssetId(0),
            contract: Contract::Linear { unit: UNIT },
            tick: Decimal::new(1, 1),
            lot: Decimal::new(1, 3),
            initial_price: Price(START),
            mark: MarkRule::BestBid,
            brackets,
            book: BookSpec::default(),
        }],
    }
}

struct Liquidations(u64);

impl Observer for Liquidations {
    fn on(&mut self, record: &Record) {
        self.0 += u64::from(matches!(record.event, Event::Liquidation { .. }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2,000 cascades a case; three standard errors of mean and variance hold with fixed seeds.
    #[test]
    fn the_engine_follows_the_law_and_a_planted_bug_is_rejected() {
        let reports = run(&super::super::Options { seed: 11, cascades_per_seed: 100 }, &|| {});
        for report in reports {
            assert!(report.passed(), "{}", report.table());
        }
    }

    #[test]
    fn a_longer_ladder_begins_with_the_same_triggers() {
        let case = CASES[0];
        let seed = Seed { master: 3, replicate: 4 };
        let (short, long) = (case.draw(seed, 50), case.draw(seed, 500));
        assert_eq!(short[..], long[..short.len()]);
    }
}
