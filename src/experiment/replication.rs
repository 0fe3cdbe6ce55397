//! The replicates that [`Precision`] asks for while a store grows: every run is read once, and of points that have enough nothing
//! is kept.

use super::precision::METRIC;
use super::{BATCH, Design, Measurements, Plan, Precision, Store, StoreError};
use crate::record::{Outcome, RunKey, RunRecord};
use std::collections::BTreeMap;

/// What the runs of one store ask for so far.
#[derive(Debug)]
pub struct Replication {
    precision: Precision,
    /// Replicates by cell.
    counts: Vec<u32>,
    /// Points that may ask for more, with their runs.
    open: BTreeMap<u32, Point>,
    /// Where the runs begin that were not read yet.
    read_to: u64,
}

/// The runs of a point, by arm and replicate.
#[derive(Debug)]
struct Point(Vec<Vec<Run>>);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Run {
    Missing,
    /// It may be done again, and have a value then.
    Failed,
    /// With what is to be known.
    Finished(Option<f64>),
}

impl Replication {
    /// Starts with a store of which nothing was read: every cell has its first batch.
    pub fn new(precision: Precision, plan: &Plan) -> Self {
        let counts = vec![BATCH.min(precision.most); plan.cells as usize];
        Self { precision, counts, open: BTreeMap::new(), read_to: 0 }
    }

    /// Reads what the store has got since the last call and returns the plan that [`Precision::plan`] makes of all its runs.
    ///
    /// # Errors
    /// A record of the store cannot be read.
    pub fn plan(&mut self, design: &Design, plan: &Plan, store: &Store) -> Result<Plan, StoreError> {
        let place = Measurements::place(METRIC).expect("a metric of the program");
        let mut last = None;
        for record in store.records_from(self.read_to)? {
            let record = record?;
            let point = design.point(record.cell);
            // They come in the order of points.
            if let Some(last) = last.replace(point).filter(|last| *last != point) {
                self.decide(design, last);
            }
            self.add(design, &record, place);
        }
        if let Some(last) = last {
            self.decide(design, last);
        }
        self.read_to = store.end();
        Ok(Plan { counts: self.counts.clone(), ..plan.clone() })
    }

    fn add(&mut self, design: &Design, record: &RunRecord, place: usize) {
        let RunKey { cell, replicate } = record.key();
        let none = || Point(vec![Vec::new(); design.arms.len()]);
        let runs = &mut self.open.entry(design.point(cell)).or_insert_with(none).0[design.arm(cell)];
        let replicate = replicate as usize;
        runs.resize(runs.len().max(replicate + 1), Run::Missing);
        runs[replicate] = match record.outcome {
            Outcome::Finished => Run::Finished(record.metrics.get(place).copied().flatten()),
            Outcome::Failed { .. } => Run::Failed,
        };
    }

    /// Counts the replicates of a point anew, and forgets its runs if nothing can change their number.
    fn decide(&mut self, design: &Design, point: u32) {
        let Some(runs) = self.open.get(&point) else { return };
        let whole = runs.whole();
        let count = self.precision.count(design, whole, |count| runs.first(count));
        let cell = design.cell(point, 0) as usize;
        self.counts[cell..cell + design.arms.len()].fill(count);
        if count <= whole && !runs.has_failed() {
            self.open.remove(&point);
        }
    }
}

impl Point {
    /// Returns how many replicates, from the first on, have a run in every arm.
    fn whole(&self) -> u32 {
        let of_arm = |runs: &Vec<Run>| runs.iter().take_while(|run| **run != Run::Missing).count();
        self.0.iter().map(of_arm).min().unwrap_or(0) as u32
    }

    fn has_failed(&self) -> bool {
        self.0.iter().flatten().any(|run| *run == Run::Failed)
    }

    /// Returns what is known of the first replicates.
    fn first(&self, count: u32) -> Measurements {
        let value = |run: &Run| match run {
            Run::Finished(value) => *value,
            Run::Missing | Run::Failed => None,
        };
        let arms = self.0.iter().map(|runs| runs.iter().take(count as usize).map(value).collect());
        Measurements::of_one(METRIC, arms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::points::tests::axis;
    use crate::experiment::{Arm, Combination, Holder, Opening, Points, Quartet, Space};
    use crate::record::tables::metrics;
    use crate::rng::Seed;
    use crate::sampling::{below, uniform};
    use crate::scenario::{Document, check, shipped};

    const ASKED: Precision = Precision { width: 0.1, most: 100 };

    /// Three points with two arms, or with those of amplification.
    fn design(arms: Vec<Arm>) -> Design {
        let text = shipped::find("long-squeeze").unwrap().text;
        let document = Document::parse("a", text.as_bytes()).unwrap();
        let scenario = check(&document, "a").unwrap();
        let home = Document::parse("home", b"").unwrap();
        let points = Points::new(vec![axis("duration", &["1h", "2h", "3h"])], Combination::Grid).unwrap();
        let space = Space::new(document, "a", home, points, String::new());
        Design::swept(&scenario, space, arms, 1, ASKED.most)
    }

    /// A run whose drawdown spreads by the point; one in forty has none, and one in forty failed.
    fn record(design: &Design, key: RunKey, attempt: u32) -> RunRecord {
        let stream = Seed { master: 7, replicate: key.replicate }.stream("a test");
        let mut rng = stream.draw(u64::from(key.cell), u64::from(attempt));
        let fate = below(40, &mut rng);
        if fate == 0 && attempt == 0 {
            return RunRecord::failed(key, "broke".to_owned(), String::new());
        }
        let spread = [0.5, 6.0, 30.0][design.point(key.cell) as usize];
        let level = [14.0, 8.0, 2.0, 2.0][design.arm(key.cell)];
        let drawdown = (fate != 1).then(|| level + spread * (uniform(&mut rng) - 0.5));
        let metrics = metrics().map(|column| drawdown.filter(|_| column.name == METRIC)).collect();
        RunRecord {
            outcome: Outcome::Finished,
            metrics,
            ..RunRecord::failed(key, String::new(), String::new())
        }
    }

    /// Whatever the order in which runs end, and wherever the work is interrupted and failed runs are done again, the plan is that
    /// which is made of all runs; and every point but those that are open is forgotten.
    #[test]
    fn reading_each_run_once_asks_for_what_reading_all_does() {
        let pair = vec![Arm::Base, Arm::Unlevered];
        for arms in [pair, [Arm::Base].into_iter().chain(Quartet::ARMS).collect()] {
            let design = design(arms);
            assert_eq!(Quartet::of(&design).is_some(), design.arms.len() == 4);
            let folder = tempfile::tempdir().unwrap();
            let all = design.plan("x");
            let holder = Holder { pid: 1, host: "here".to_owned() };
            let mut rng = Seed { master: 3, replicate: 0 }.stream("order").sequence();
            let mut counts = Vec::new();
            for session in 0..40 {
                let mut store = Store::open(folder.path(), &all, &holder, Opening::Resume).unwrap().0;
                let mut replication = Replication::new(ASKED, &all);
                for _ in 0..4 {
                    let plan = replication.plan(&design, &all, &store).unwrap();
                    assert_eq!(plan, ASKED.plan(&design, &all, &store).unwrap());
                    counts.clone_from(&plan.counts);
                    let done = store.done();
                    let failed = store.failed();
                    let mut missing: Vec<RunKey> = plan.keys().filter(|key| !done.contains(key)).collect();
                    for _ in 0..below(60, &mut rng).min(missing.len() as u64) {
                        let key = missing.swap_remove(below(missing.len() as u64, &mut rng) as usize);
                        // What failed is done again in a later session, and then comes out.
                        let attempt = u32::from(failed.contains(&key) && session % 2 == 1);
                        store.append(&record(&design, key, attempt)).unwrap();
                    }
                }
                assert!(replication.open.len() <= 3);
            }
            let of_points: Vec<u32> = counts.iter().copied().step_by(design.arms.len()).collect();
            assert!(of_points[0] < of_points[2] && of_points[2] == ASKED.most, "{of_points:?}");
        }
    }

    #[test]
    fn of_a_point_that_has_enough_nothing_is_kept() {
        let design = design(vec![Arm::Base]);
        let (folder, all) = (tempfile::tempdir().unwrap(), design.plan("x"));
        let holder = Holder { pid: 1, host: "here".to_owned() };
        let mut store = Store::open(folder.path(), &all, &holder, Opening::Resume).unwrap().0;
        let mut replication = Replication::new(ASKED, &all);
        let same = |cell, replicate| {
            let metrics = metrics().map(|column| (column.name == METRIC).then_some(10.0)).collect();
            let failed = RunRecord::failed(RunKey { cell, replicate }, String::new(), String::new());
            RunRecord { outcome: Outcome::Finished, metrics, ..failed }
        };
        for replicate in 0..BATCH {
            store.append(&same(0, replicate)).unwrap();
            store.append(&same(2, replicate.div_euclid(2))).unwrap();
        }
        let plan = replication.plan(&design, &all, &store).unwrap();
        assert_eq!(plan.counts, [BATCH; 3]);
        assert_eq!(replication.open.keys().collect::<Vec<_>>(), [&2], "half a batch is there");
        // Nothing new is read: a journal of the same length without its bytes is not looked at.
        std::fs::write(folder.path().join(crate::experiment::JOURNAL), vec![0; store.end() as usize])
            .unwrap();
        assert_eq!(replication.plan(&design, &all, &store).unwrap(), plan);
        assert!(ASKED.plan(&design, &all, &store).is_err());
    }
}
