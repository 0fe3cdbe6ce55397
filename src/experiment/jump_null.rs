//! The null of a price without a market: a jump-diffusion that was fitted to the time before, and given the same free parameter
//! as the scenario.

use crate::record::targets::{Feed, Hourly, Purpose, Target, Window};
use crate::rng::Seed;
use crate::stats::jump_diffusion::JumpDiffusion;
use crate::stats::quantile::median;
use crate::units::{MarketId, Time};
use std::collections::BTreeSet;

/// Paths that are drawn: the quantiles of 5 % and 95 % rest on a hundred of them each.
const PATHS: u64 = 2_000;
/// Longest step of a path. Prices between two steps are not drawn, so lows are a little higher than they would be.
const STEP: Time = Time(60 * Time::SECOND.0);
/// Halvings of the interval that the drift is searched in.
const HALVINGS: usize = 60;

/// What the null is made from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct JumpNull {
    /// The process, an hour.
    pub process: JumpDiffusion,
    /// Returns that it was fitted to.
    pub returns: usize,
    /// What it was conditioned on: the index of the target, and the log return that was added, spread evenly over the target's
    /// window, so that the median path meets what was observed. `None` if no fitted target is a fall.
    pub conditioned: Option<(usize, f64)>,
}

/// The value of a target in each path; some may have none.
type PathValues = Vec<Option<f64>>;

impl JumpNull {
    /// Fits the null to the hours that are over when the scenario starts. It speaks about targets of marks in that market.
    /// `None` if there are fewer than 30 returns before the start, or the price did not move.
    ///
    /// The scenario's free parameter (the size of the selling) was chosen for the targets that are marked as fitted; so that the
    /// null has as much, its drift over the window of the first fitted fall is chosen for the same number.
    pub fn fit(
        hourly: &Hourly,
        start: jiff::Timestamp,
        market: MarketId,
        targets: &[Target],
        seed: u64,
    ) -> Option<(Self, Vec<Option<PathValues>>)> {
        let returns = hourly.log_returns_until(start);
        let process = JumpDiffusion::fit(&returns)?;
        let about = |target: &Target| target.statistic.feed == Feed::Price && target.market == market;
        let times = times(targets.iter().filter(|target| about(target)));
        let paths = Paths::draw(process, times, Seed { master: seed, replicate: 0 })?;
        let fitted = targets.iter().position(|target| {
            about(target)
                && target.purpose == Purpose::Fit
                && ["fall_pct", "fall_to_low_pct"].contains(&target.statistic.name)
        });
        let conditioned = fitted.map(|index| (index, paths.drift_for(&targets[index])));
        let added = conditioned.map(|(index, drift)| (targets[index].window, drift));
        let values =
            targets.iter().map(|target| about(target).then(|| paths.values(target, added))).collect();
        Some((Self { process, returns: returns.len(), conditioned }, values))
    }
}

/// Returns when prices are drawn: at both ends of every window, and each minute from the first to the last of them.
fn times<'t>(targets: impl Iterator<Item = &'t Target>) -> BTreeSet<Time> {
    let mut times: BTreeSet<Time> = targets
        .flat_map(|target| [Some(target.window), target.reference])
        .flatten()
        .flat_map(|window| [window.from, window.to])
        .collect();
    if let (Some(&first), Some(&last)) = (times.first(), times.last()) {
        times.extend((0..).map(|step| first + Time(step * STEP.0)).take_while(|time| *time < last));
    }
    times
}

/// Logarithms of prices.
struct Paths {
    times: Vec<Time>,
    /// One path a row, with a price for each time, the first one 0.
    paths: Vec<Vec<f64>>,
}

impl Paths {
    /// Draws paths; `None` without a time.
    fn draw(process: JumpDiffusion, times: BTreeSet<Time>, seed: Seed) -> Option<Self> {
        let times: Vec<Time> = times.into_iter().collect();
        times.first()?;
        let steps: Vec<JumpDiffusion> =
            times.windows(2).map(|pair| process.over((pair[1] - pair[0]).as_secs_f64() / 3_600.0)).collect();
        let stream = seed.stream("null-jump-diffusion");
        let path = |index| {
            let mut rng = stream.draw(index, 0);
            let mut log = 0.0;
            std::iter::once(0.0)
                .chain(steps.iter().map(|step| {
                    log += step.sample(&mut rng);
                    log
                }))
                .collect()
        };
        Some(Self { times, paths: (0..PATHS).map(path).collect() })
    }

    /// Returns the values of a target, with a drift added over a window.
    fn values(&self, target: &Target, added: Option<(Window, f64)>) -> PathValues {
        let (window, drift) = added.unwrap_or((target.window, 0.0));
        let length = (window.to - window.from).as_secs_f64();
        let share = |time: Time| ((time - window.from).as_secs_f64() / length).clamp(0.0, 1.0);
        let drifts: Vec<f64> = self.times.iter().map(|time| drift * share(*time)).collect();
        let value = |path: &Vec<f64>| {
            let mut heard = target.statistic.begin(target.window, target.reference);
            for ((time, drift), log) in self.times.iter().zip(&drifts).zip(path) {
                heard.mark(*time, libm::exp(log + drift));
            }
            heard.value().map(|value| value * target.scale)
        };
        self.paths.iter().map(value).collect()
    }

    /// Finds the drift with which the median of a fall is what was observed: the deeper the drift, the deeper the fall.
    fn drift_for(&self, target: &Target) -> f64 {
        let (mut low, mut high) = (-5.0, 5.0);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            let falls = self.values(target, Some((target.window, middle)));
            let fall = median(&falls.into_iter().flatten().collect::<Vec<f64>>());
            if fall.is_some_and(|fall| fall > target.observed) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::targets::{HOURLY_COLUMNS, Statistic, read_hourly};
    use crate::scenario::Sheet;
    use crate::stats::quantile::Spread;
    use std::fmt::Write as _;

    const HOUR: Time = Time(3_600 * Time::SECOND.0);

    fn target(statistic: &str, purpose: Purpose, observed: f64) -> Target {
        let statistic = Statistic::find(statistic).unwrap();
        Target {
            id: statistic.name.to_owned(),
            statistic,
            market: MarketId(0),
            window: Window { from: Time::ZERO, to: HOUR },
            reference: None,
            observed,
            tolerance: 0.1,
            scale: 1.0,
            purpose,
            scope: String::new(),
        }
    }

    /// A week of hours whose returns alternate between +-0.4 %, with one of +3 % and back each day.
    fn week() -> Hourly {
        let mut text = "time_utc,high_usdt,low_usdt,close_usdt\n".to_owned();
        let (mut log, begin): (f64, jiff::Timestamp) = (0.0, "2026-02-16T00:00Z".parse().unwrap());
        for hour in 0..168 {
            let size = if hour % 24 < 2 { 0.03 } else { 0.004 };
            log += if hour % 2 == 0 { size } else { -size };
            let price = 1_000.0 * libm::exp(log);
            let time = begin + jiff::SignedDuration::from_hours(hour);
            writeln!(text, "{time},{price},{price},{price}").unwrap();
        }
        read_hourly(&Sheet::parse("week", &text, HOURLY_COLUMNS).unwrap()).unwrap()
    }

    /// The null, and its values of each target that it speaks about.
    fn null(targets: &[Target]) -> (JumpNull, Vec<Option<Vec<f64>>>) {
        let start = "2026-02-23T00:00Z".parse().unwrap();
        let (null, values) = JumpNull::fit(&week(), start, MarketId(0), targets, 1).unwrap();
        let known = |values: Vec<Option<f64>>| values.into_iter().flatten().collect();
        (null, values.into_iter().map(|values| values.map(known)).collect())
    }

    #[test]
    fn the_median_meets_the_fitted_fall_and_the_rest_follows() {
        for statistic in ["fall_pct", "fall_to_low_pct"] {
            let targets = [target("wick_pct", Purpose::Score, 0.2), target(statistic, Purpose::Fit, 3.0)];
            let (null, values) = null(&targets);
            let (index, drift) = null.conditioned.unwrap();
            assert_eq!((index, null.returns), (1, 167));
            assert!(drift < 0.0, "{drift}");
            let spread = Spread::of(values[1].as_ref().unwrap()).unwrap();
            assert!((spread.median - 3.0).abs() < 1e-9, "{spread:?}");
            assert!(spread.low < 2.8 && spread.high > 3.2, "{spread:?}");
            assert!(values[0].as_ref().unwrap().iter().all(|wick| *wick >= 0.0));
        }
    }

    /// Windows that begin and end within a minute have their own prices.
    #[test]
    fn a_window_need_not_be_of_minutes() {
        let window = Window { from: Time(7 * Time::SECOND.0), to: Time(30 * Time::SECOND.0) };
        let targets = [Target { window, ..target("fall_pct", Purpose::Fit, 3.0) }];
        let (_, values) = null(&targets);
        let spread = Spread::of(values[0].as_ref().unwrap()).unwrap();
        assert!((spread.median - 3.0).abs() < 1e-9 && spread.high > spread.low, "{spread:?}");
    }

    /// Without a fitted fall the median hour falls by nothing: four standard errors of a median of 2,000 normal values of .5 % are
    /// .06 %.
    #[test]
    fn without_a_fitted_fall_it_has_no_free_parameter() {
        let (null, values) = null(&[target("fall_pct", Purpose::Score, 3.0)]);
        assert_eq!(null.conditioned, None);
        let middle = median(values[0].as_ref().unwrap()).unwrap();
        assert!(middle.abs() < 0.06, "{middle}");
    }

    #[test]
    fn it_is_silent_about_everything_but_marks_of_its_market() {
        let elsewhere = Target { market: MarketId(1), ..target("fall_pct", Purpose::Fit, 3.0) };
        let targets =
            [target("wick_pct", Purpose::Score, 0.2), target("volume_usd", Purpose::Score, 1.0), elsewhere];
        let (null, values) = null(&targets);
        assert_eq!(null.conditioned, None);
        let spoken: Vec<bool> = values.iter().map(Option::is_some).collect();
        assert_eq!(spoken, [true, false, false]);
    }

    #[test]
    fn without_a_past_there_is_none() {
        let start = "2026-02-16T12:00Z".parse().unwrap();
        let targets = [target("fall_pct", Purpose::Fit, 3.0)];
        assert!(JumpNull::fit(&week(), start, MarketId(0), &targets, 1).is_none());
    }
}
