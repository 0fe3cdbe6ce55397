//! How much forced selling amplifies what a shock does: the ratio of the fall with it to the fall without it, each net of the
//! same run without the shock.

use super::{Arm, Design, Measurements};
use crate::mechanisms::Mechanism;
use crate::record::tables::AMPLIFICATION;
use crate::record::{RowWriter, Table};
use crate::stats::moments::mean;
use crate::stats::ratio::{fieller, ratio};
use crate::stats::regression::{Regression, least_squares};

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// The fall that is amplified.
const FALL: &str = "drawdown_pct";
/// How critical the market was before the shock: metrics, by window and by the next longs.
const CRITICALITY: [&str; 4] =
    ["criticality_1pct", "criticality_2pct", "criticality_5pct", "first_generation"];
/// Half the width of an interval of effective R that tells a weak chain from none: R is seldom known better from data, where
/// it is estimated at all.
pub const WANTED_HALF_WIDTH: f64 = 0.05;

/// The four arms that amplification is made of, by their places in a design.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quartet {
    with: usize,
    without: usize,
    calm_with: usize,
    calm_without: usize,
}

impl Quartet {
    /// The mechanism that amplifies.
    pub const MECHANISM: Mechanism = Mechanism::ForcedLiquidation;
    /// The arms besides the base.
    pub const ARMS: [Arm; 3] = [Arm::Without(Self::MECHANISM), Arm::Calm, Arm::CalmWithout(Self::MECHANISM)];

    /// Finds the arms in a design; `None` unless it has all of them.
    pub fn of(design: &Design) -> Option<Self> {
        let [without, calm_with, calm_without] = Self::ARMS.map(|arm| design.find_arm(arm));
        Some(Self { with: 0, without: without?, calm_with: calm_with?, calm_without: calm_without? })
    }
}

/// What forced selling makes of a shock at one point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Amplification {
    /// Replicates that have all four runs.
    pub replicates: usize,
    /// Mean fall with forced selling, less that of the same runs without the shock, in percent of the price.
    pub with: f64,
    /// The same without forced selling, credit extended.
    pub without: f64,
    /// Ratio of the two; `None` where the fall without is no fall.
    pub factor: Option<f64>,
    /// Ends of its 95 % interval (Fieller 1954); `None` where no finite ones exist.
    pub interval: Option<(f64, f64)>,
    /// Before the shock, with forced selling, means over the replicates: longs due within 1, 2 and 5 % over the bids there, and
    /// how many the sale of one of the next hundred longs would set off.
    pub before: [Option<f64>; 4],
}

impl Amplification {
    /// Estimates it from the runs of a point; `None` without a replicate that has all four.
    pub fn of(measured: &Measurements, quartet: Quartet) -> Option<Self> {
        let arms = [quartet.with, quartet.without, quartet.calm_with, quartet.calm_without];
        let runs = measured.together(arms, FALL);
        let (with, without): (Vec<f64>, Vec<f64>) = runs
            .iter()
            .map(|[with, without, calm_with, calm_without]| (with - calm_with, without - calm_without))
            .unzip();
        let before = CRITICALITY.map(|metric| mean(&measured.of(quartet.with, metric)));
        Some(Self { before, ..Self::of_falls(&with, &without)? })
    }

    /// Estimates it from net falls, one each a replicate; `None` without any.
    pub(super) fn of_falls(with: &[f64], without: &[f64]) -> Option<Self> {
        let (mean_with, mean_without) = (mean(with)?, mean(without)?);
        let is_fall = mean_without > 0.0;
        let interval = fieller(with, without, CONFIDENCE).filter(|_| is_fall);
        Some(Self {
            replicates: with.len(),
            with: mean_with,
            without: mean_without,
            factor: ratio(with, without).filter(|_| is_fall),
            interval: interval.map(|interval| (interval.low, interval.high)),
            before: [None; 4],
        })
    }

    /// Returns the highest criticality before the shock over the windows of 1, 2 and 5 %: from 1 on, longs that are due there
    /// outweigh the bids, and a shock that gets so far need not do the rest.
    pub fn criticality(&self) -> Option<f64> {
        self.before[..3].iter().flatten().copied().reduce(f64::max)
    }

    /// Returns how many replicates would make the interval of effective R as narrow as [`WANTED_HALF_WIDTH`] to either side, as widths go
    /// with the root of their number; `None` without an interval.
    pub fn replicates_needed(&self) -> Option<u64> {
        let (low, high) = self.effective_r_interval()?;
        let times = 0.5 * (high - low) / WANTED_HALF_WIDTH;
        Some((libm::ceil(self.replicates as f64 * times * times) as u64).max(2))
    }

    /// Returns the effective reproduction number, 1 - 1/A: what a chain of that ratio would have, where a sale brings about this
    /// share of itself anew. Negative where forced selling makes the fall smaller; `None` unless A is above 0.
    pub fn effective_r(&self) -> Option<f64> {
        self.factor.and_then(effective)
    }

    /// Returns the ends of its interval, where those of the ratio have one.
    pub fn effective_r_interval(&self) -> Option<(f64, f64)> {
        let (low, high) = self.interval?;
        Some((effective(low)?, effective(high)?))
    }

    /// Writes the row of a point.
    pub fn row(measured: &Measurements, design: &Design, point: u32) -> String {
        let columns = design.columns(&AMPLIFICATION);
        let table = Table { columns: &columns, ..AMPLIFICATION };
        let mut rows = RowWriter::new(&table);
        let quartet = Quartet::of(design).expect("a design of amplification has its arms");
        let found = Self::of(measured, quartet);
        let interval = found.and_then(|found| found.interval);
        let effective = found.and_then(|found| found.effective_r_interval());
        rows.row(design.cell(point, 0), None);
        design.write_parameters(point, &mut rows);
        rows.integer(found.map_or(0, |found| found.replicates) as i64)
            .number(found.map(|found| found.with))
            .number(found.map(|found| found.without))
            .number(found.and_then(|found| found.factor))
            .number(interval.map(|ends| ends.0))
            .number(interval.map(|ends| ends.1))
            .number(found.and_then(|found| found.effective_r()))
            .number(effective.map(|ends| ends.0))
            .number(effective.map(|ends| ends.1))
            .integer(found.and_then(|found| found.replicates_needed()).map(|needed| needed as i64));
        let before = found.map_or([None; 4], |found| found.before);
        let _ = before.into_iter().fold(&mut rows, RowWriter::number);
        rows.finish()
    }
}

fn effective(factor: f64) -> Option<f64> {
    (factor > 0.0).then(|| 1.0 - factor.recip())
}

/// Regresses the effective R of points on 1/depth, leverage and leverage/depth. Each point is (depth, leverage, R); `None` for
/// too few points or too few different ones.
pub fn surface(points: &[[f64; 3]]) -> Option<Regression> {
    let column = |of: fn(&[f64; 3]) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let thinness = column(|[depth, ..]| depth.recip());
    let leverage = column(|[_, leverage, _]| *leverage);
    let both = column(|[depth, leverage, _]| leverage / depth);
    least_squares(&[&thinness, &leverage, &both], &column(|[_, _, r]| *r))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Outcome, RunKey, RunRecord};
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Poisson, uniform};
    use crate::scenario::{Document, check, shipped};

    /// Amplification of 100 replicates in which each sale brings about Poisson(R) others like it: the whole is 1/(1-R) times the
    /// first in the mean. The market moves without the shock too, by the same in all arms of a replicate.
    fn of_chains(r: f64, study: u64) -> Amplification {
        let text = shipped::find("long-squeeze").unwrap().text;
        let scenario = check(&Document::parse("a", text.as_bytes()).unwrap(), "a").unwrap();
        let arms = [Arm::Base].into_iter().chain(Quartet::ARMS).collect();
        let mut design = Design::new(&scenario, 1, 100, false);
        design.arms = arms;
        let quartet = Quartet::of(&design).unwrap();
        let mut measured = Measurements::new(&design);
        let offspring = Poisson::new(r);
        for replicate in 0..design.replicates {
            let mut rng = Seed { master: study, replicate }.stream("chains").sequence();
            let (calm, first) = (uniform(&mut rng), 1.0 + uniform(&mut rng));
            let (mut size, mut waiting) = (0_u64, 1_u64);
            while waiting > 0 {
                size += 1;
                waiting += offspring.sample(&mut rng);
                waiting -= 1;
            }
            for (arm, fall) in [calm + first * size as f64, calm + first, calm, calm].into_iter().enumerate()
            {
                let key = RunKey { cell: design.cell(0, arm), replicate };
                let record = RunRecord::failed(key, String::new(), String::new());
                let metrics = vec![Some(fall)];
                measured.add(&design, &RunRecord { outcome: Outcome::Finished, metrics, ..record });
            }
        }
        Amplification::of(&measured, quartet).unwrap()
    }

    /// A 95 % interval holds the truth in 16 studies of 20 or more with probability .997; the sizes of chains are skewed, so that it
    /// holds a little less often. The studies are fixed.
    #[test]
    fn chains_of_a_known_ratio_are_recovered() {
        for r in [0.2, 0.5, 0.7] {
            let hits = (0..20).filter(|study| {
                let found = of_chains(r, *study);
                let (low, high) = found.effective_r_interval().unwrap();
                assert!(found.replicates == 100 && (1.0..2.0).contains(&found.without), "{found:?}");
                low <= r && r <= high
            });
            let hits = hits.count();
            assert!(hits >= 16, "{hits} of 20 at {r}");
        }
        let none = of_chains(0.0, 1);
        assert_eq!(
            (none.factor, none.interval, none.effective_r()),
            (Some(1.0), Some((1.0, 1.0)), Some(0.0))
        );
    }

    #[test]
    fn a_surface_finds_the_coefficients_that_made_it() {
        let mut points = Vec::new();
        for depth in [0.5, 1.0, 2.0, 4.0] {
            for leverage in [2.0, 5.0, 20.0] {
                points.push([depth, leverage, 0.1 - 0.2 / depth + 0.01 * leverage + 0.03 * leverage / depth]);
            }
        }
        let found = surface(&points).unwrap();
        let slopes: Vec<f64> = found.slopes.iter().map(|slope| slope.estimate).collect();
        for (slope, expected) in slopes.iter().zip([-0.2, 0.01, 0.03]) {
            assert!((slope - expected).abs() < 1e-12, "{slopes:?}");
        }
        assert!((found.intercept.estimate - 0.1).abs() < 1e-12);
        assert_eq!(surface(&points[..3]), None);
    }

    #[test]
    fn effective_r_is_that_of_a_geometric_chain() {
        let of = |factor| Amplification {
            replicates: 1,
            with: 1.0,
            without: 1.0,
            factor,
            interval: factor.map(|factor| (factor / 2.0, factor * 2.0)),
            before: [Some(0.5), None, Some(0.7), Some(3.0)],
        };
        assert_eq!(of(Some(2.0)).effective_r(), Some(0.5));
        assert_eq!(of(Some(2.0)).effective_r_interval(), Some((0.0, 0.75)));
        assert_eq!(of(Some(0.5)).effective_r(), Some(-1.0));
        assert_eq!(of(Some(2.0)).criticality(), Some(0.7));
        // An interval of .375 to either side is 7.5 times too wide.
        assert_eq!(of(Some(2.0)).replicates_needed(), Some(57));
        assert_eq!((of(None).replicates_needed(), of(Some(-1.0)).replicates_needed()), (None, None));
        assert_eq!((of(None).effective_r(), of(Some(-1.0)).effective_r()), (None, None));
    }
}
