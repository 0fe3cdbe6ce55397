//! What was observed beside what is simulated, with scores, and the scores of two nulls.
//!
//! What was fitted is given: a target that is not fitted is compared with the replicates in which every fitted one is as it was
//! observed, to its tolerance (rejection sampling; Pritchard, Seielstad, Perez-Lezaun and Feldman 1999). The observation is of an
//! hour that fell that far, and what another fall would have done is no forecast of it. The nulls are held to the same.

use super::jump_null::JumpNull;
use super::{Arm, Design};
use crate::record::tables::{TARGET_VALUES, TARGETS};
use crate::record::targets::{Hourly, Purpose, Target};
use crate::record::{Outcome, RowWriter, RunRecord};
use crate::stats::moments::mean;
use crate::stats::quantile::Spread;
use crate::stats::score::interval_score;
use crate::units::MarketId;

/// What a central interval from the 5 % to the 95 % quantile leaves out.
const ALPHA: f64 = 0.1;
/// A range is narrow if it is no wider than this many tolerances: one that holds everything says nothing.
const NARROW: f64 = 3.0;
/// Fewer values than this have no range to speak of.
const FEWEST: usize = 5;

/// Values of all targets by cell and replicate.
#[derive(Clone, Debug)]
pub struct TargetValues {
    /// By cell, then target: the values of the runs, in the order of replicates; some may have none.
    values: Vec<Vec<Vec<Option<f64>>>>,
    /// By cell, then target that is held against what is normal: what that was in each run.
    normals: Vec<Vec<Vec<Option<f64>>>>,
    /// Which targets those are.
    held: Vec<usize>,
}

impl TargetValues {
    /// Starts without a run.
    pub fn new(design: &Design) -> Self {
        let held: Vec<usize> =
            (0..design.targets.len()).filter(|index| design.targets[*index].statistic.has_normal).collect();
        let none = |columns: usize| vec![vec![Vec::new(); columns]; design.cells() as usize];
        Self { values: none(design.targets.len()), normals: none(held.len()), held }
    }

    /// Adds a run; a run that failed has no values.
    pub fn add(&mut self, record: &RunRecord) {
        let cell = record.cell as usize;
        let columns = self.values[cell].iter_mut().chain(&mut self.normals[cell]);
        for (column, value) in columns.zip(&record.targets) {
            column.push(*value);
        }
    }

    /// Returns the values of a cell by target, those that are held against what is normal as multiples of its mean over the runs.
    fn of_cell(&self, cell: usize) -> Vec<Vec<Option<f64>>> {
        let mut values = self.values[cell].clone();
        for (target, normals) in self.held.iter().zip(&self.normals[cell]) {
            let Some(usual) = mean(&normals.iter().flatten().copied().collect::<Vec<f64>>()) else {
                continue;
            };
            for (value, normal) in values[*target].iter_mut().zip(normals) {
                *value = value.zip(*normal).map(|(value, normal)| value * normal / usual);
            }
        }
        values
    }
}

/// Values of every target in the same runs or paths: a column a target, `None` where nothing is said about it.
struct Columns<'v>(Vec<Option<&'v [Option<f64>]>>);

impl<'v> Columns<'v> {
    fn of(values: &'v [Vec<Option<f64>>]) -> Self {
        Self(values.iter().map(|of| Some(of.as_slice())).collect())
    }

    /// Tells of each run whether every fitted target that there are values of is as observed, to its tolerance; `None` if
    /// nothing is fitted.
    fn given(&self, targets: &[Target]) -> Option<Vec<bool>> {
        let fitted: Vec<(&Target, &[Option<f64>])> = (targets.iter().zip(&self.0))
            .filter(|(target, _)| target.purpose == Purpose::Fit)
            .filter_map(|(target, column)| Some((target, (*column)?)))
            .collect();
        let runs = fitted.first()?.1.len();
        let is_met = |target: &Target, value: Option<f64>| {
            value.is_some_and(|value| (value - target.observed).abs() <= target.tolerance)
        };
        let meets = |run| fitted.iter().all(|(target, column)| is_met(target, column[run]));
        Some((0..runs).map(meets).collect())
    }

    /// Forecasts each target, given what was fitted.
    fn forecasts(&self, targets: &[Target], given: Option<&[bool]>) -> Vec<Option<Forecast>> {
        let forecast = |(target, column): (&Target, Option<&[Option<f64>]>)| {
            let column = column?;
            let is_in = |run: usize| given.is_none_or(|given| given[run]);
            let is_kept = |run| target.purpose == Purpose::Fit || is_in(run);
            let kept = (0..column.len()).filter(|run| is_kept(*run));
            let values: Vec<f64> = kept.filter_map(|run| column[run]).collect();
            Forecast::of(target, &values)
        };
        targets.iter().zip(self.0.iter().copied()).map(forecast).collect()
    }
}

/// What is said about one target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Forecast {
    /// Values that it is made from.
    pub count: usize,
    /// Median and the range that holds nine tenths.
    pub spread: Spread,
    /// Whether the range is no wider than three tolerances.
    pub narrow: bool,
    /// Whether the observed value lies in it.
    pub inside: bool,
    /// Interval score over the tolerance; lower is better.
    pub score: f64,
}

impl Forecast {
    /// Makes the forecast of a target from values, or `None` from fewer than five.
    pub fn of(target: &Target, values: &[f64]) -> Option<Self> {
        let spread = Spread::of(values).filter(|_| values.len() >= FEWEST)?;
        let score = interval_score(spread.low, spread.high, ALPHA, target.observed);
        Some(Self {
            count: values.len(),
            spread,
            narrow: spread.high - spread.low <= NARROW * target.tolerance,
            inside: spread.contains(target.observed),
            score: score / target.tolerance,
        })
    }
}

/// One target with everything that is said about it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'d> {
    /// The target.
    pub target: &'d Target,
    /// What the scenario says, given what was fitted.
    pub model: Option<Forecast>,
    /// What it says whatever came out for the fitted.
    pub all: Option<Forecast>,
    /// What the scenario without leverage says.
    pub unlevered: Option<Forecast>,
    /// What the fitted jump-diffusion says.
    pub diffusion: Option<Forecast>,
}

/// Scores that are summed over the same targets.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Total {
    /// How many targets.
    pub targets: usize,
    /// The scenario's score.
    pub model: f64,
    /// The null's; that of the scenario itself where it is compared with nothing.
    pub null: f64,
}

/// Everything that `targets` finds.
#[derive(Clone, Debug)]
pub struct Comparison<'d> {
    /// One entry a target, in the order of the file.
    pub targets: Vec<Judged<'d>>,
    /// The jump-diffusion, if there are prices to fit it to.
    pub diffusion: Option<JumpNull>,
    /// Whether there is an arm without leverage.
    pub has_unlevered: bool,
    /// How many runs of the scenario there are, and in how many of them what was fitted is as observed; `None` if nothing was.
    pub given: Option<(usize, usize)>,
}

impl<'d> Comparison<'d> {
    /// Judges the values of all runs. `hourly` are the prices around the start of one market.
    pub fn new(design: &'d Design, values: &TargetValues, hourly: Option<(MarketId, &Hourly)>) -> Self {
        let start = design.base.start;
        let null = hourly
            .and_then(|(market, hourly)| JumpNull::fit(hourly, start, market, &design.targets, design.seed));
        let (diffusion, paths) = null.unzip();
        let unlevered = design.find_arm(Arm::Unlevered);
        let targets = design.targets.as_slice();
        let forecasts = |columns: &Columns<'_>| columns.forecasts(targets, columns.given(targets).as_deref());
        let of_model = values.of_cell(0);
        let model = Columns::of(&of_model);
        let given = model.given(targets).map(|met| (met.len(), met.iter().filter(|met| **met).count()));
        let all = model.forecasts(targets, None);
        let model = forecasts(&model);
        let without = unlevered.map(|cell| forecasts(&Columns::of(&values.of_cell(cell))));
        let drawn = paths.map(|paths| forecasts(&Columns(paths.iter().map(Option::as_deref).collect())));
        let judge = |(index, target)| Judged {
            target,
            model: model[index],
            all: all[index],
            unlevered: without.as_ref().and_then(|all| all[index]),
            diffusion: drawn.as_ref().and_then(|all| all[index]),
        };
        let targets = targets.iter().enumerate().map(judge).collect();
        Self { targets, diffusion, has_unlevered: unlevered.is_some(), given }
    }

    /// Sums scores over the targets that are tests and that both the scenario and `null` have a value for.
    pub fn total(&self, null: fn(&Judged<'_>) -> Option<Forecast>) -> Total {
        let tests = self.targets.iter().filter(|judged| judged.target.purpose == Purpose::Score);
        tests.filter_map(|judged| judged.model.zip(null(judged))).fold(
            Total::default(),
            |total, (model, null)| Total {
                targets: total.targets + 1,
                model: total.model + model.score,
                null: total.null + null.score,
            },
        )
    }

    /// Writes the table of targets.
    pub fn table(&self, design: &Design) -> String {
        let yes = |whether: bool| if whether { "yes" } else { "no" };
        let mut rows = RowWriter::new(&TARGETS);
        for judged in &self.targets {
            let Judged { target, model, all, unlevered, diffusion } = judged;
            let market = &design.base.world.markets[target.market.index()].name;
            rows.row(0, None)
                .text(target.id.as_str())
                .text(target.statistic.name)
                .text(market.as_str())
                .time(target.window.from)
                .time(target.window.to)
                .time(target.reference.map(|window| window.from))
                .time(target.reference.map(|window| window.to))
                .text(target.purpose.name())
                .number(target.scale)
                .number(target.observed)
                .number(target.tolerance)
                .integer(model.map_or(0, |forecast| forecast.count as i64))
                .number(model.map(|forecast| forecast.spread.median))
                .number(model.map(|forecast| forecast.spread.low))
                .number(model.map(|forecast| forecast.spread.high))
                .text(model.map(|forecast| yes(forecast.narrow)))
                .text(model.map(|forecast| yes(forecast.inside)))
                .number(model.map(|forecast| forecast.score))
                .number(all.map(|forecast| forecast.spread.median))
                .number(all.map(|forecast| forecast.spread.low))
                .number(all.map(|forecast| forecast.spread.high))
                .integer(unlevered.map_or(0, |forecast| forecast.count as i64));
            for null in [unlevered, diffusion] {
                rows.number(null.map(|forecast| forecast.spread.median))
                    .number(null.map(|forecast| forecast.spread.low))
                    .number(null.map(|forecast| forecast.spread.high))
                    .number(null.map(|forecast| forecast.score));
            }
        }
        rows.finish()
    }
}

/// Makes the rows of one run for the table of values.
pub fn target_values_rows(design: &Design, record: &RunRecord) -> String {
    let mut rows = RowWriter::new(&TARGET_VALUES);
    if record.outcome == Outcome::Finished {
        let mut normals = record.targets.iter().skip(design.targets.len());
        for (target, value) in design.targets.iter().zip(&record.targets) {
            let normal = target.statistic.has_normal.then(|| normals.next().copied().flatten());
            rows.row(record.cell, record.replicate)
                .text(target.id.as_str())
                .number(*value)
                .number(normal.flatten());
        }
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::targets::{Statistic, Window};
    use crate::scenario::{Document, check, shipped};
    use crate::units::Time;

    fn target(id: &str, purpose: Purpose) -> Target {
        Target {
            id: id.to_owned(),
            statistic: Statistic::find("volume_usd").unwrap(),
            market: MarketId(0),
            window: Window { from: Time::ZERO, to: Time::SECOND },
            reference: None,
            observed: 10.0,
            tolerance: 2.0,
            scale: 1.0,
            purpose,
            scope: String::new(),
        }
    }

    fn design(targets: Vec<Target>) -> Design {
        let text = shipped::find("long-squeeze").unwrap().text;
        let scenario = check(&Document::parse("a", text.as_bytes()).unwrap(), "a").unwrap();
        Design::compared(&scenario, 1, 2, false, targets)
    }

    fn record(cell: u32, replicate: u32, targets: &[Option<f64>]) -> RunRecord {
        RunRecord {
            cell,
            replicate,
            outcome: Outcome::Finished,
            metrics: Vec::new(),
            tables: Vec::new(),
            targets: targets.to_vec(),
            tape_hash: None,
        }
    }

    #[test]
    fn a_forecast_is_judged_in_tolerances() {
        let target = target("a", Purpose::Score);
        // Off by 4, twenty times that, over 2.
        let point = Forecast::of(&target, &[14.0; 5]).unwrap();
        assert!((point.score - 40.0).abs() < 1e-9 && point.narrow && !point.inside, "{point:?}");
        let wide: Vec<f64> = (0..=100).map(f64::from).collect();
        let wide = Forecast::of(&target, &wide).unwrap();
        assert!((wide.score - 45.0).abs() < 1e-9 && !wide.narrow && wide.inside, "{wide:?}");
        assert_eq!(Forecast::of(&target, &[14.0; 4]), None);
    }

    #[test]
    fn totals_are_over_tests_that_both_speak_about() {
        let all = [("a", Purpose::Score), ("b", Purpose::Fit), ("c", Purpose::Score), ("d", Purpose::Show)];
        let design = design(all.map(|(id, purpose)| target(id, purpose)).to_vec());
        let mut values = TargetValues::new(&design);
        for replicate in 0..5 {
            // Ten are observed of the fitted one.
            values.add(&record(0, replicate, &[Some(12.0), Some(11.5), Some(11.0), Some(0.0)]));
            values.add(&record(1, replicate, &[Some(16.0), Some(10.0), None, Some(0.0)]));
        }
        values.add(&record(0, 5, &[Some(99.0), Some(12.5), Some(99.0), Some(9.0)]));
        values.add(&RunRecord::failed(record(1, 5, &[]).key(), "broke".to_owned(), String::new()));
        let comparison = Comparison::new(&design, &values, None);
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        let alone = comparison.total(|judged| judged.model);
        assert!(alone.targets == 2 && near(alone.model, 30.0), "{alone:?}");
        let unlevered = comparison.total(|judged| judged.unlevered);
        assert!(unlevered.targets == 1 && near(unlevered.model, 20.0), "{unlevered:?}");
        assert!(near(unlevered.null, 60.0), "{unlevered:?}");
        assert_eq!(comparison.total(|judged| judged.diffusion), Total::default());
        assert!(comparison.diffusion.is_none() && comparison.has_unlevered);
        let table = comparison.table(&design);
        assert_eq!(table.lines().count(), 4);
        // What the run says whose fitted target is off by more than its tolerance counts in the three columns of all runs alone.
        let first =
            "0,,a,volume_usd,COIN-PERP,0,1,,,score,1,10,2,5,12,12,12,yes,no,20,12,12,77.25,5,16,16,16,60,,,,";
        assert_eq!(table.lines().next(), Some(first));
        assert_eq!(comparison.given, Some((6, 5)));
    }

    /// Runs of three and five times what was normal before each; the mean of 1 and 3 is normal.
    #[test]
    fn multiples_are_of_what_is_normal_in_the_mean_over_runs() {
        let reference = Some(Window { from: Time(-Time::SECOND.0), to: Time::ZERO });
        let statistic = Statistic::find("volume_multiple").unwrap();
        let multiple = Target { statistic, reference, ..target("m", Purpose::Score) };
        let design = design(vec![target("a", Purpose::Show), multiple]);
        let mut values = TargetValues::new(&design);
        let first = record(0, 0, &[Some(7.0), Some(3.0), Some(1.0)]);
        values.add(&first);
        values.add(&record(0, 1, &[Some(8.0), Some(5.0), Some(3.0)]));
        values.add(&record(0, 2, &[Some(9.0), None, None]));
        let of_cell = values.of_cell(0);
        assert_eq!(of_cell[0], [Some(7.0), Some(8.0), Some(9.0)]);
        assert_eq!(of_cell[1], [Some(1.5), Some(7.5), None]);
        assert_eq!(target_values_rows(&design, &first), "0,0,a,7,\n0,0,m,3,1\n");
    }

    #[test]
    fn values_are_a_row_a_run_and_target() {
        let design = design(vec![target("a", Purpose::Score), target("b", Purpose::Show)]);
        let rows = target_values_rows(&design, &record(1, 0, &[Some(1.5), None]));
        assert_eq!(rows, "1,0,a,1.5,\n1,0,b,,\n");
        let failed = RunRecord::failed(record(0, 1, &[]).key(), "broke".to_owned(), String::new());
        assert_eq!(target_values_rows(&design, &failed), "");
    }
}
