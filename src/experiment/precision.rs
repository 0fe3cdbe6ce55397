//! As many replicates as an interval asks for: which points have enough, decided from whole batches alone, so that neither
//! threads nor interruptions decide anything.

use super::{Amplification, Design, Measurements, Plan, Quartet, Store, StoreError};
use crate::record::RunKey;

/// Replicates of a batch: Student's interval of fewer is a quarter wider than the normal one would let hope.
pub const BATCH: u32 = 32;
/// Most replicates unless stated: 32 batches, whose interval is 5.7 times as narrow as that of the first.
pub const MOST_REPLICATES: u32 = 1_024;
/// What is to be known, where nothing is amplified.
pub(super) const METRIC: &str = "drawdown_pct";

/// How narrow an interval is to be, and how many replicates that may take.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Precision {
    /// Half the width of the 95 % interval over the absolute value of its estimate.
    pub width: f64,
    /// Most replicates of a cell.
    pub most: u32,
}

impl Precision {
    /// Says what it asks for.
    pub fn definition(&self) -> String {
        format!("until_ci = {}\nmost_replicates = {}\nbatch = {BATCH}", self.width, self.most)
    }

    /// Returns the plan with the replicates that the runs of a store ask for: for each point the first batch, and a further one
    /// wherever all batches before are whole and the interval is too wide. All cells of a point have the same number, so that
    /// their differences are paired. The store is complete once no run of that plan is missing. All runs are read;
    /// [`Replication`](super::Replication) says the same of a store that grows and reads each run once.
    ///
    /// # Errors
    /// A record of the store cannot be read.
    pub fn plan(&self, design: &Design, plan: &Plan, store: &Store) -> Result<Plan, StoreError> {
        let arms = design.arms.len();
        let mut counts = vec![BATCH.min(self.most); plan.cells as usize];
        let mut seen = Seen { point: 0, measured: Measurements::new(design), runs: Vec::new() };
        let mut settle = |seen: &mut Seen| {
            let first = design.cell(seen.point, 0) as usize;
            let whole = seen.runs.iter().take_while(|runs| **runs == arms).count() as u32;
            let count = self.count(design, whole, |count| seen.measured.first(count));
            counts[first..first + arms].fill(count);
            seen.measured.clear();
            seen.runs.clear();
        };
        for record in store.records()? {
            let record = record?;
            let RunKey { cell, replicate } = record.key();
            if design.point(cell) != seen.point {
                settle(&mut seen);
                seen.point = design.point(cell);
            }
            seen.measured.add(design, &record);
            seen.runs.resize(seen.runs.len().max(replicate as usize + 1), 0);
            seen.runs[replicate as usize] += 1;
        }
        settle(&mut seen);
        Ok(Plan { counts, ..plan.clone() })
    }

    /// Returns the replicates that a point asks for, of which so many are whole.
    pub(super) fn count(&self, design: &Design, whole: u32, first: impl Fn(u32) -> Measurements) -> u32 {
        let mut count = BATCH.min(self.most);
        while count <= whole && count < self.most && !self.is_met(design, &first(count)) {
            count = (count + BATCH).min(self.most);
        }
        count
    }

    /// Tells whether the runs of a point say what is to be known precisely enough.
    pub fn is_met(&self, design: &Design, measured: &Measurements) -> bool {
        Self::widths(design, measured).into_iter().all(|width| width.is_some_and(|width| width <= self.width))
    }

    /// Returns the relative half widths of a point: of its amplification where the design has the arms for it, else of the mean
    /// drawdown of each cell. `None` where there is no interval, or an estimate of zero with one that is wider.
    fn widths(design: &Design, measured: &Measurements) -> Vec<Option<f64>> {
        if let Some(quartet) = Quartet::of(design) {
            let found = Amplification::of(measured, quartet);
            let estimate = found.and_then(|found| Some((found.factor?, found.interval)));
            return vec![estimate.and_then(|(factor, interval)| relative(factor, interval))];
        }
        let mean = |arm| measured.mean(arm, METRIC);
        (0..measured.arms())
            .map(|arm| mean(arm).and_then(|mean| relative(mean.estimate, mean.interval)))
            .collect()
    }
}

/// What the store has of one point.
struct Seen {
    point: u32,
    measured: Measurements,
    /// Runs by replicate, failed ones included.
    runs: Vec<usize>,
}

fn relative(estimate: f64, interval: Option<(f64, f64)>) -> Option<f64> {
    let (low, high) = interval?;
    let reach = 0.5 * (high - low);
    if reach <= 0.0 {
        return Some(0.0);
    }
    Some(reach / estimate.abs()).filter(|width| width.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Arm, Holder, Opening, Replication};
    use crate::mechanisms::Mechanism;
    use crate::record::tables::metrics;
    use crate::record::{Outcome, RunRecord};
    use crate::scenario::{Document, check, shipped};

    const ASKED: Precision = Precision { width: 0.05, most: 200 };

    fn design() -> Design {
        let text = shipped::find("long-squeeze").unwrap().text;
        let scenario = check(&Document::parse("a", text.as_bytes()).unwrap(), "a").unwrap();
        let arms = vec![Arm::Base, Arm::Without(Mechanism::Adl)];
        let mut design = Design::new(&scenario, 1, ASKED.most, false);
        design.arms = arms;
        design
    }

    /// A run whose drawdown is 10 with an amplitude of its arm, up and down in turn.
    fn record(key: RunKey, amplitudes: [f64; 2]) -> RunRecord {
        let sign = if key.replicate.is_multiple_of(2) { 1.0 } else { -1.0 };
        let drawdown = 10.0 + sign * amplitudes[key.cell as usize];
        let metrics = metrics().map(|column| (column.name == METRIC).then_some(drawdown)).collect();
        RunRecord {
            outcome: Outcome::Finished,
            metrics,
            ..RunRecord::failed(key, String::new(), String::new())
        }
    }

    /// Does what a plan asks for until nothing is missing, in batches or with interruptions, and returns the number of replicates.
    fn replicates(amplitudes: [f64; 2], at_once: usize) -> u32 {
        let (folder, design) = (tempfile::tempdir().unwrap(), design());
        let all = design.plan("x");
        let holder = Holder { pid: 1, host: "here".to_owned() };
        let mut store = Store::open(folder.path(), &all, &holder, Opening::Resume).unwrap().0;
        let mut replication = Replication::new(ASKED, &all);
        loop {
            let plan = ASKED.plan(&design, &all, &store).unwrap();
            assert_eq!(replication.plan(&design, &all, &store).unwrap(), plan, "each run read once");
            let done = store.done();
            // The last ones first, as threads may end in any order.
            let mut missing: Vec<RunKey> = plan.keys().filter(|key| !done.contains(key)).collect();
            missing.reverse();
            if missing.is_empty() {
                assert_eq!(plan.counts, vec![plan.counts[0]; 2], "cells of a point have the same number");
                return plan.counts[0];
            }
            for key in missing.into_iter().take(at_once) {
                store.append(&record(key, amplitudes)).unwrap();
            }
        }
    }

    /// The interval's half width is t s / sqrt(n), where s^2 = a^2 n / (n - 1) for an amplitude a and even n.
    fn expected(amplitude: f64) -> u32 {
        let width = |n: u32| {
            let t = crate::stats::distribution::student_quantile(0.975, f64::from(n - 1));
            t * amplitude / f64::from(n - 1).sqrt() / 10.0
        };
        (1..7).map(|batch| batch * BATCH).find(|n| width(*n) <= ASKED.width).unwrap_or(ASKED.most)
    }

    #[test]
    fn replicates_are_added_in_whole_batches_until_every_cell_is_known() {
        for (amplitudes, count) in
            [([0.1_f64, 0.2], 32), ([0.1, 1.8], 64), ([2.3, 0.0], 96), ([1.0, 30.0], 200)]
        {
            assert_eq!(expected(amplitudes[0].max(amplitudes[1])), count, "the closed form");
            for at_once in [usize::MAX, 7] {
                assert_eq!(replicates(amplitudes, at_once), count, "{amplitudes:?}, {at_once} at once");
            }
        }
    }

    #[test]
    fn an_estimate_of_zero_is_known_only_if_nothing_varies() {
        assert_eq!(relative(0.0, Some((0.0, 0.0))), Some(0.0));
        assert_eq!(relative(0.0, Some((-1.0, 1.0))), None);
        assert_eq!(relative(-4.0, Some((-5.0, -3.0))), Some(0.25));
        assert_eq!(relative(4.0, None), None);
    }
}
