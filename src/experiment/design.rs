//! The design of `run`: one scenario, and for each counterfactual one cell more with that mechanism switched off, on the
//! same seeds; how one run of it is done, and what is estimated from all of them.

use super::{Cancel, Plan, Stopped};
use crate::engine::Simulation;
use crate::mechanisms::Mechanism;
use crate::record::tables::{CELLS, EFFECTS, SUMMARY, metrics};
use crate::record::targets::{Target, Watcher};
use crate::record::{Outcome, Recorder, RowWriter, RunKey, RunRecord, TapeHasher};
use crate::rng::{SCHEME, Seed};
use crate::scenario::{PopulationStrategy, Scenario};
use crate::stats::interval::{mean_interval, paired_interval};
use crate::stats::moments::mean;
use crate::stats::quantile::Spread;
use crate::units::{Time, format_duration};
use std::fmt::Write as _;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// How a cell differs from the scenario as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    /// Not at all.
    Base,
    /// A mechanism is switched off.
    Without(Mechanism),
    /// Every leveraged population has leverage 1, at the same notional.
    Unlevered,
}

impl Arm {
    /// Returns its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Without(mechanism) => mechanism.name(),
            Self::Unlevered => "unlevered",
        }
    }
}

/// One point of the design.
#[derive(Clone, Debug)]
pub struct Cell {
    /// How it differs.
    pub arm: Arm,
    /// What is run.
    pub scenario: Scenario,
}

/// The cells of a run, with their seeds.
#[derive(Clone, Debug)]
pub struct Design {
    /// Cells; the first is the scenario as it is.
    pub cells: Vec<Cell>,
    /// The seed that all others come from.
    pub seed: u64,
    /// Repetitions of each cell.
    pub replicates: u32,
    /// Whether each run's tape is hashed.
    pub hash: bool,
    /// What of each run is compared with the world.
    pub targets: Vec<Target>,
}

impl Design {
    /// Makes the design of a scenario.
    pub fn new(scenario: &Scenario, seed: u64, replicates: u32, hash: bool) -> Self {
        let mut cells = vec![Cell { arm: Arm::Base, scenario: scenario.clone() }];
        // Switching off what is off already would repeat the base.
        let counterfactuals = scenario.counterfactuals.iter().filter(|one| scenario.mechanisms.has(**one));
        for &mechanism in counterfactuals {
            let mechanisms = scenario.mechanisms.with(mechanism, false);
            cells.push(Cell {
                arm: Arm::Without(mechanism),
                scenario: Scenario { mechanisms, ..scenario.clone() },
            });
        }
        Self { cells, seed, replicates, hash, targets: Vec::new() }
    }

    /// Makes the design that compares a scenario with targets: the scenario as it is, and the same without leverage unless
    /// there is none to take away.
    pub fn compared(
        scenario: &Scenario,
        seed: u64,
        replicates: u32,
        hash: bool,
        targets: Vec<Target>,
    ) -> Self {
        let mut cells = vec![Cell { arm: Arm::Base, scenario: scenario.clone() }];
        let unlevered = without_leverage(scenario);
        if unlevered != *scenario {
            cells.push(Cell { arm: Arm::Unlevered, scenario: unlevered });
        }
        Self { cells, seed, replicates, hash, targets }
    }

    /// Returns the cell of an arm.
    pub fn cell(&self, arm: Arm) -> Option<usize> {
        self.cells.iter().position(|cell| cell.arm == arm)
    }

    /// Makes the plan that the store keeps: everything that decides a result, the resolved scenario included.
    pub fn plan(&self, resolved: &str) -> Plan {
        let mut text = format!(
            "program = {} {}\nmodel_version = {}\nseed_scheme = {SCHEME}\nseed = {}\nreplicates = {}\nhash = {}\n",
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            crate::MODEL_VERSION,
            self.seed,
            self.replicates,
            self.hash,
        );
        for (index, cell) in self.cells.iter().enumerate() {
            let _ = writeln!(text, "cell {index} = {}", cell.arm.name());
        }
        for target in &self.targets {
            let _ = writeln!(text, "target {}", computed(target, &self.cells[0].scenario));
        }
        text.push_str(resolved);
        Plan { text, cells: self.cells.len() as u32, replicates: self.replicates }
    }

    /// Does one run.
    pub fn simulate(&self, key: RunKey, cancel: &Cancel) -> Result<RunRecord, Stopped> {
        let scenario = &self.cells[key.cell as usize].scenario;
        let seed = Seed { master: self.seed, replicate: key.replicate };
        let recorder = Recorder::new(scenario, key.cell, key.replicate);
        let watcher = (!self.targets.is_empty()).then(|| Watcher::new(scenario, &self.targets));
        let mut observer = ((recorder, watcher), self.hash.then(TapeHasher::new));
        let mut simulation = Simulation::new(scenario, seed, &mut observer);
        // The burn-in is walked in steps too, so that a signal is seen within a fraction of a second.
        let mut time = Time::ZERO - scenario.burn_in;
        see(&mut observer.0.1, &simulation, time);
        while time < Time::ZERO {
            time = (time + scenario.sample_every).min(Time::ZERO);
            simulation.step_until(time, &mut observer);
            if cancel.is_set() {
                return Err(Stopped::Cancelled);
            }
            see(&mut observer.0.1, &simulation, time);
        }
        observer.0.0.sample(simulation.world(), Time::ZERO);
        while time < scenario.duration {
            time = (time + scenario.sample_every).min(scenario.duration);
            simulation.step_until(time, &mut observer);
            if cancel.is_set() {
                return Err(Stopped::Cancelled);
            }
            observer.0.0.sample(simulation.world(), time);
            see(&mut observer.0.1, &simulation, time);
        }
        let ((recorder, watcher), hasher) = observer;
        let (metrics, tables) = recorder.finish(simulation.world(), simulation.records());
        Ok(RunRecord {
            cell: key.cell,
            replicate: key.replicate,
            outcome: Outcome::Finished,
            metrics,
            tables,
            targets: watcher.map_or_else(Vec::new, Watcher::finish),
            tape_hash: hasher.map(TapeHasher::finish),
        })
    }
}

/// Shows the market to whoever watches for targets.
fn see(watcher: &mut Option<Watcher>, simulation: &Simulation, time: Time) {
    if let Some(watcher) = watcher {
        watcher.sample(simulation.world(), time);
    }
}

/// Returns a scenario in which everybody who chooses a leverage chooses 1. Notionals are stated whatever the leverage, so they
/// stay; what is behind them grows.
fn without_leverage(scenario: &Scenario) -> Scenario {
    let mut unlevered = scenario.clone();
    for population in &mut unlevered.populations {
        match &mut population.strategy {
            PopulationStrategy::Retail { spec, .. } => {
                spec.leverages = vec![1];
                spec.weights = vec![1.0];
            }
            PopulationStrategy::TrendFollower(spec) => {
                spec.capital *= f64::from(spec.leverage);
                spec.leverage = 1;
            }
            PopulationStrategy::Background(_)
            | PopulationStrategy::Maker { .. }
            | PopulationStrategy::Arbitrageur { .. }
            | PopulationStrategy::Holder(_)
            | PopulationStrategy::Fundamentalist(_) => {}
        }
    }
    unlevered
}

/// Says everything about a target that decides its values; what was observed does not.
fn computed(target: &Target, scenario: &Scenario) -> String {
    let span = |window: crate::record::targets::Window| {
        format!("{}..{}", format_duration(window.from), format_duration(window.to))
    };
    format!(
        "{} = {} of {} over {} against {} times {}",
        target.id,
        target.statistic.name,
        scenario.world.markets[target.market.index()].name,
        span(target.window),
        target.reference.map_or_else(|| "nothing".to_owned(), span),
        target.scale,
    )
}

/// Values of all metrics by cell and replicate: what estimates are made from.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// By cell, then replicate: one value a metric, or none at all where the run failed.
    values: Vec<Vec<Vec<Option<f64>>>>,
}

/// One metric with and without a mechanism.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Mean with it.
    pub with: f64,
    /// Mean without it.
    pub without: f64,
    /// Mean difference with its interval; the interval is absent for fewer than two pairs.
    pub difference: f64,
    /// Ends of the 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// Replicates in it.
    pub pairs: usize,
}

impl Measurements {
    /// Starts without a run.
    pub fn new(design: &Design) -> Self {
        let none = vec![Vec::new(); design.replicates as usize];
        Self { values: vec![none; design.cells.len()] }
    }

    /// Adds a run.
    pub fn add(&mut self, record: &RunRecord) {
        self.values[record.cell as usize][record.replicate as usize].clone_from(&record.metrics);
    }

    /// Returns the values of a metric in a cell, in the order of replicates; runs without one are left out.
    pub fn of(&self, cell: usize, metric: &str) -> Vec<f64> {
        let Some(index) = index_of(metric) else { return Vec::new() };
        self.values[cell].iter().filter_map(|run| *run.get(index)?).collect()
    }

    /// Compares a metric with a mechanism (the first cell) and without it, over the replicates that have both.
    pub fn effect(&self, cell: usize, metric: &str) -> Option<Effect> {
        let index = index_of(metric)?;
        let both = self.values[0].iter().zip(&self.values[cell]);
        let pairs: Vec<(f64, f64)> =
            both.filter_map(|(with, without)| (*with.get(index)?).zip(*without.get(index)?)).collect();
        let (with, without): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (mean_with, mean_without) = (mean(&with)?, mean(&without)?);
        let interval = paired_interval(&with, &without, CONFIDENCE);
        Some(Effect {
            with: mean_with,
            without: mean_without,
            difference: interval.map_or(mean_with - mean_without, |interval| interval.estimate),
            interval: interval.map(|interval| (interval.low, interval.high)),
            pairs: with.len(),
        })
    }

    /// Returns how a metric spreads over the replicates of a cell.
    pub fn spread(&self, cell: usize, metric: &str) -> Option<Spread> {
        Spread::of(&self.of(cell, metric))
    }

    /// Writes the table of cells.
    pub fn cells(design: &Design) -> String {
        let mut rows = RowWriter::new(&CELLS);
        for (index, cell) in design.cells.iter().enumerate() {
            rows.row(index as u32, None).text(cell.arm.name());
        }
        rows.finish()
    }

    /// Writes the table of estimates by cell and metric.
    pub fn summary(&self, design: &Design) -> String {
        let mut rows = RowWriter::new(&SUMMARY);
        for (index, cell) in design.cells.iter().enumerate() {
            for column in metrics() {
                let values = self.of(index, column.name);
                let interval = mean_interval(&values, CONFIDENCE);
                let spread = Spread::of(&values);
                rows.row(index as u32, None)
                    .text(cell.arm.name())
                    .text(column.name)
                    .integer(values.len() as i64)
                    .number(mean(&values))
                    .number(interval.map(|interval| interval.low))
                    .number(interval.map(|interval| interval.high))
                    .number(spread.map(|spread| spread.median))
                    .number(spread.map(|spread| spread.low))
                    .number(spread.map(|spread| spread.high));
            }
        }
        rows.finish()
    }

    /// Writes the table of effects.
    pub fn effects(&self, design: &Design) -> String {
        let mut rows = RowWriter::new(&EFFECTS);
        for (index, cell) in design.cells.iter().enumerate() {
            let Arm::Without(mechanism) = cell.arm else { continue };
            for column in metrics() {
                let effect = self.effect(index, column.name);
                let effect = effect.as_ref();
                let interval = effect.and_then(|effect| effect.interval);
                rows.row(index as u32, None)
                    .text(mechanism.name())
                    .text(column.name)
                    .integer(effect.map_or(0, |effect| effect.pairs) as i64)
                    .number(effect.map(|effect| effect.with))
                    .number(effect.map(|effect| effect.without))
                    .number(effect.map(|effect| effect.difference))
                    .number(interval.map(|ends| ends.0))
                    .number(interval.map(|ends| ends.1));
            }
        }
        rows.finish()
    }
}

fn index_of(metric: &str) -> Option<usize> {
    metrics().position(|column| column.name == metric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, check, shipped};

    fn scenario(name: &str) -> Scenario {
        let text = shipped::find(name).unwrap().text;
        check(&Document::parse(name, text.as_bytes()).unwrap(), name).unwrap()
    }

    #[test]
    fn without_leverage_everybody_has_one_and_the_rest_stays() {
        let leveraged = scenario("long-squeeze");
        let unlevered = without_leverage(&leveraged);
        assert_ne!(unlevered, leveraged);
        assert_eq!(without_leverage(&unlevered), unlevered);
        for population in &unlevered.populations {
            if let PopulationStrategy::Retail { spec, .. } = &population.strategy {
                assert_eq!(spec.leverages, [1]);
            }
        }
        assert_eq!((&unlevered.world, &unlevered.shocks), (&leveraged.world, &leveraged.shocks));
    }

    #[test]
    fn an_arm_that_would_repeat_the_base_is_left_out() {
        let arms = |name: &str| -> Vec<&'static str> {
            let design = Design::compared(&scenario(name), 1, 1, false, Vec::new());
            design.cells.iter().map(|cell| cell.arm.name()).collect()
        };
        assert_eq!(arms("long-squeeze"), ["base", "unlevered"]);
        assert_eq!(arms("leverage-one"), ["base"]);
    }
}
