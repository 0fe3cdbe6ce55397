//! What was observed beside what is simulated, with scores, and the scores of two nulls.

use super::jump_null::JumpNull;
use super::{Arm, Design};
use crate::record::tables::{TARGET_VALUES, TARGETS};
use crate::record::targets::{Hourly, Purpose, Target};
use crate::record::{Outcome, RowWriter, RunRecord};
use crate::stats::quantile::Spread;
use crate::stats::score::interval_score;
use crate::units::MarketId;

/// What a central interval from the 5 % to the 95 % quantile leaves out.
const ALPHA: f64 = 0.1;
/// A range is narrow if it is no wider than this many tolerances: one that holds everything says nothing.
const NARROW: f64 = 3.0;

/// Values of all targets by cell and replicate.
#[derive(Clone, Debug)]
pub struct TargetValues {
    /// By cell, then target: the values of the runs that have one, in the order of replicates.
    values: Vec<Vec<Vec<f64>>>,
}

impl TargetValues {
    /// Starts without a run.
    pub fn new(design: &Design) -> Self {
        Self { values: vec![vec![Vec::new(); design.targets.len()]; design.cells() as usize] }
    }

    /// Adds a run; a run that failed has no values.
    pub fn add(&mut self, record: &RunRecord) {
        for (values, value) in self.values[record.cell as usize].iter_mut().zip(&record.targets) {
            values.extend(*value);
        }
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
    /// Makes the forecast of a target from values, or `None` without any.
    pub fn of(target: &Target, values: &[f64]) -> Option<Self> {
        let spread = Spread::of(values)?;
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
    /// What the scenario says.
    pub model: Option<Forecast>,
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
}

impl<'d> Comparison<'d> {
    /// Judges the values of all runs. `hourly` are the prices around the start of one market.
    pub fn new(design: &'d Design, values: &TargetValues, hourly: Option<(MarketId, &Hourly)>) -> Self {
        let start = design.base.start;
        let null = hourly
            .and_then(|(market, hourly)| JumpNull::fit(hourly, start, market, &design.targets, design.seed));
        let (diffusion, paths) = null.unzip();
        let unlevered = design.find_arm(Arm::Unlevered);
        let targets = (design.targets.iter().enumerate())
            .map(|(index, target)| {
                let of = |cell: usize| Forecast::of(target, &values.values[cell][index]);
                let drawn = paths.as_ref().and_then(|paths| paths[index].as_deref());
                Judged {
                    target,
                    model: of(0),
                    unlevered: unlevered.and_then(of),
                    diffusion: drawn.and_then(|drawn| Forecast::of(target, drawn)),
                }
            })
            .collect();
        Self { targets, diffusion, has_unlevered: unlevered.is_some() }
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
            let Judged { target, model, unlevered, diffusion } = judged;
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
        for (target, value) in design.targets.iter().zip(&record.targets) {
            rows.row(record.cell, record.replicate).text(target.id.as_str()).number(*value);
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
        // One value: its own quantiles. Off by 4, twenty times that, over 2.
        let point = Forecast::of(&target, &[14.0]).unwrap();
        assert!((point.score - 40.0).abs() < 1e-9 && point.narrow && !point.inside, "{point:?}");
        let wide: Vec<f64> = (0..=100).map(f64::from).collect();
        let wide = Forecast::of(&target, &wide).unwrap();
        assert!((wide.score - 45.0).abs() < 1e-9 && !wide.narrow && wide.inside, "{wide:?}");
        assert_eq!(Forecast::of(&target, &[]), None);
    }

    #[test]
    fn totals_are_over_tests_that_both_speak_about() {
        let all = [("a", Purpose::Score), ("b", Purpose::Fit), ("c", Purpose::Score), ("d", Purpose::Show)];
        let design = design(all.map(|(id, purpose)| target(id, purpose)).to_vec());
        let mut values = TargetValues::new(&design);
        values.add(&record(0, 0, &[Some(12.0), Some(99.0), Some(11.0), Some(0.0)]));
        values.add(&record(1, 0, &[Some(16.0), Some(10.0), None, Some(0.0)]));
        values.add(&RunRecord::failed(record(1, 1, &[]).key(), "broke".to_owned(), String::new()));
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
        let first = "0,,a,volume_usd,COIN-PERP,0,1,,,score,1,10,2,1,12,12,12,yes,no,20,1,16,16,16,60,,,,";
        assert_eq!(table.lines().next(), Some(first));
    }

    #[test]
    fn values_are_a_row_a_run_and_target() {
        let design = design(vec![target("a", Purpose::Score), target("b", Purpose::Show)]);
        let rows = target_values_rows(&design, &record(1, 0, &[Some(1.5), None]));
        assert_eq!(rows, "1,0,a,1.5\n1,0,b,\n");
        let failed = RunRecord::failed(record(0, 1, &[]).key(), "broke".to_owned(), String::new());
        assert_eq!(target_values_rows(&design, &failed), "");
    }
}
