//! The estimates of one point from the metrics of its runs: spreads, means with intervals, effects paired by seed.

use super::{Arm, Design};
use crate::record::tables::{AMPLIFICATION, CELLS, EFFECTS, RUNS, SUMMARY, metrics};
use crate::record::{RowWriter, RunRecord, Table};
use crate::stats::interval::{mean_interval, paired_interval};
use crate::stats::moments::mean;
use crate::stats::quantile::Spread;
use std::cell::RefCell;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// Values of all metrics of one point by arm and replicate: what estimates are made from.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// By arm, then replicate: one value a metric, or none at all where the run failed.
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

/// The mean of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// Mean over the replicates that have a value.
    pub estimate: f64,
    /// Ends of its 95 % Student interval; absent for fewer than two values.
    pub interval: Option<(f64, f64)>,
}

impl Measurements {
    /// Starts a point without a run.
    pub fn new(design: &Design) -> Self {
        let none = vec![Vec::new(); design.replicates as usize];
        Self { values: vec![none; design.arms.len()] }
    }

    /// Makes a point of which one metric is known, by arm and replicate; `None` for runs without a value.
    ///
    /// # Panics
    /// Panics if no metric is called that.
    pub(super) fn of_one(metric: &str, values: impl Iterator<Item = Vec<Option<f64>>>) -> Self {
        let index = index_of(metric).expect("a metric of the program");
        let run = |value| {
            let mut run = vec![None; index];
            run.push(value);
            run
        };
        Self { values: values.map(|arm| arm.into_iter().map(run).collect()).collect() }
    }

    /// Returns the place of a metric among those of a record; `None` if none is called that.
    pub(super) fn place(metric: &str) -> Option<usize> {
        index_of(metric)
    }

    /// Adds a run of the point.
    pub fn add(&mut self, design: &Design, record: &RunRecord) {
        self.values[design.arm(record.cell)][record.replicate as usize].clone_from(&record.metrics);
    }

    /// Forgets all runs, to start the next point.
    pub fn clear(&mut self) {
        self.values.iter_mut().flatten().for_each(Vec::clear);
    }

    /// Returns the same with the first replicates alone.
    #[must_use]
    pub fn first(&self, replicates: u32) -> Self {
        let first = |runs: &Vec<Vec<Option<f64>>>| runs.iter().take(replicates as usize).cloned().collect();
        Self { values: self.values.iter().map(first).collect() }
    }

    /// Returns the values of a metric in an arm, in the order of replicates; runs without one are left out.
    pub fn of(&self, arm: usize, metric: &str) -> Vec<f64> {
        let Some(index) = index_of(metric) else { return Vec::new() };
        self.values[arm].iter().filter_map(|run| *run.get(index)?).collect()
    }

    /// Returns the value of a metric in each replicate of an arm; `None` for runs without one.
    pub fn by_replicate(&self, arm: usize, metric: &str) -> Vec<Option<f64>> {
        let index = index_of(metric);
        self.values[arm].iter().map(|run| *run.get(index?)?).collect()
    }

    /// Returns the number of arms.
    pub fn arms(&self) -> usize {
        self.values.len()
    }

    /// Returns the mean of a metric in an arm; `None` without a run that has a value.
    pub fn mean(&self, arm: usize, metric: &str) -> Option<Mean> {
        let values = self.of(arm, metric);
        let interval = mean_interval(&values, CONFIDENCE).map(|interval| (interval.low, interval.high));
        Some(Mean { estimate: mean(&values)?, interval })
    }

    /// Compares a metric with a mechanism (the first arm) and without it, over the replicates that have both.
    pub fn effect(&self, arm: usize, metric: &str) -> Option<Effect> {
        let index = index_of(metric)?;
        let both = self.values[0].iter().zip(&self.values[arm]);
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

    /// Returns the values of a metric in several arms, one entry a replicate that has all of them.
    pub fn together<const N: usize>(&self, arms: [usize; N], metric: &str) -> Vec<[f64; N]> {
        let Some(index) = index_of(metric) else { return Vec::new() };
        let replicates = self.values.first().map_or(0, Vec::len);
        (0..replicates)
            .filter_map(|replicate| {
                let values = arms.map(|arm| self.values[arm][replicate].get(index).copied().flatten());
                values.iter().all(Option::is_some).then(|| values.map(|value| value.expect("all have one")))
            })
            .collect()
    }

    /// Returns how a metric spreads over the replicates of an arm.
    pub fn spread(&self, arm: usize, metric: &str) -> Option<Spread> {
        Spread::of(&self.of(arm, metric))
    }

    /// Writes the rows of all cells for the table of cells.
    pub fn cells(design: &Design) -> String {
        let columns = design.columns(&CELLS);
        let table = Table { columns: &columns, ..CELLS };
        let mut rows = RowWriter::new(&table);
        for cell in 0..design.cells() {
            rows.row(cell, None);
            design.write_parameters(design.point(cell), &mut rows);
            rows.text(&*design.arms[design.arm(cell)].name());
        }
        rows.finish()
    }

    /// Writes the rows of a point for the table of estimates by cell and metric.
    pub fn summary(&self, design: &Design, point: u32) -> String {
        let columns = design.columns(&SUMMARY);
        let table = Table { columns: &columns, ..SUMMARY };
        let mut rows = RowWriter::new(&table);
        for (index, arm) in design.arms.iter().enumerate() {
            for column in metrics() {
                let values = self.of(index, column.name);
                let interval = mean_interval(&values, CONFIDENCE);
                let spread = Spread::of(&values);
                rows.row(design.cell(point, index), None);
                design.write_parameters(point, &mut rows);
                rows.text(&*arm.name())
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

    /// Writes the rows of a point for the table of effects.
    pub fn effects(&self, design: &Design, point: u32) -> String {
        let columns = design.columns(&EFFECTS);
        let table = Table { columns: &columns, ..EFFECTS };
        let mut rows = RowWriter::new(&table);
        for (index, arm) in design.arms.iter().enumerate() {
            let Arm::Without(mechanism) = arm else { continue };
            for column in metrics() {
                let effect = self.effect(index, column.name);
                let effect = effect.as_ref();
                let interval = effect.and_then(|effect| effect.interval);
                rows.row(design.cell(point, index), None);
                design.write_parameters(point, &mut rows);
                rows.text(mechanism.name())
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

/// Gathers the runs of one point after the other and makes the rows of a table of each, as records come in the order of tables.
pub struct Gatherer<'d> {
    design: &'d Design,
    rows: fn(&Measurements, &Design, u32) -> String,
    measured: RefCell<Measurements>,
}

impl<'d> Gatherer<'d> {
    /// Begins with the first point. `rows` makes the rows of one, as [`Measurements::summary`] does.
    pub fn new(design: &'d Design, rows: fn(&Measurements, &Design, u32) -> String) -> Self {
        Self { design, rows, measured: RefCell::new(Measurements::new(design)) }
    }

    /// Adds a run; with the last one of a point returns its rows.
    pub fn add(&self, record: &RunRecord) -> String {
        let mut measured = self.measured.borrow_mut();
        measured.add(self.design, record);
        if !self.design.ends_point(record.key()) {
            return String::new();
        }
        let rows = (self.rows)(&measured, self.design, self.design.point(record.cell));
        measured.clear();
        rows
    }
}

/// Tells whether the tables that have columns of parameters have one of this name already.
pub fn is_column(name: &str) -> bool {
    [&CELLS, &RUNS, &SUMMARY, &EFFECTS, &AMPLIFICATION].iter().any(|table| table.column(name).is_some())
}

fn index_of(metric: &str) -> Option<usize> {
    metrics().position(|column| column.name == metric)
}
