//! What is kept of the marks of each hour: two numbers an hour.

use super::{Accumulator, Window};
use crate::stats::quantile::quantile;
use crate::units::Time;

/// One whole hour.
#[derive(Clone, Copy, Debug)]
struct Hour {
    /// Change of the mark, end to end [%].
    change_pct: f64,
    /// Highest over lowest less one, what was in force at its start included [%].
    range_pct: f64,
}

/// Changes and ranges of the mark over whole hours, counted from the start of the window.
#[derive(Clone)]
pub(super) struct Hours {
    window: Window,
    of: fn(&[f64]) -> Option<f64>,
    what: fn(&Hour) -> f64,
    /// Where the hour ends that is not over yet.
    next: Time,
    /// Mark in force now.
    mark: Option<f64>,
    /// Mark in force at the start of this hour, and the extremes since.
    begin: Option<(f64, f64, f64)>,
    over: Vec<Hour>,
}

impl Hours {
    /// Computes something of the sizes of the changes.
    pub(super) fn sizes(window: Window, of: fn(&[f64]) -> Option<f64>) -> Self {
        Self::new(window, |hour| hour.change_pct.abs(), of)
    }

    /// Finds the least change.
    pub(super) fn worst(window: Window) -> Self {
        Self::new(window, |hour| hour.change_pct, |changes| changes.iter().copied().reduce(f64::min))
    }

    /// Computes the median range.
    pub(super) fn median_range(window: Window) -> Self {
        Self::new(window, |hour| hour.range_pct, median)
    }

    fn new(window: Window, what: fn(&Hour) -> f64, of: fn(&[f64]) -> Option<f64>) -> Self {
        Self { window, of, what, next: window.from + Time::HOUR, mark: None, begin: None, over: Vec::new() }
    }

    /// Ends every hour that is over before `time`.
    fn advance(&mut self, time: Time) {
        while self.next < time && self.next <= self.window.to {
            if let (Some((first, low, high)), Some(now)) = (self.begin, self.mark) {
                let (change_pct, range_pct) = ((now / first - 1.0) * 100.0, (high / low - 1.0) * 100.0);
                self.over.push(Hour { change_pct, range_pct });
            }
            self.begin = self.mark.map(|mark| (mark, mark, mark));
            self.next = self.next + Time::HOUR;
        }
    }
}

impl Accumulator for Hours {
    fn mark(&mut self, time: Time, usd: f64) {
        self.advance(time);
        self.mark = Some(usd);
        self.begin = match self.begin {
            Some((first, low, high)) if time > self.window.from => Some((first, low.min(usd), high.max(usd))),
            _ => Some((usd, usd, usd)),
        };
    }

    fn value(&self) -> Option<f64> {
        let mut ended = self.clone();
        ended.advance(Time::MAX);
        let values: Vec<f64> = ended.over.iter().map(self.what).collect();
        (self.of)(&values)
    }
}

/// Returns the root of the mean square.
pub(super) fn root_mean_square(values: &[f64]) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| value * value).sum();
    (!values.is_empty()).then(|| (squares / values.len() as f64).sqrt())
}

/// Returns the median.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns the 95 % quantile.
pub(super) fn quantile_95(values: &[f64]) -> Option<f64> {
    quantile(values, 0.95)
}

#[cfg(test)]
mod tests {
    use super::super::Statistic;
    use super::*;

    /// Hours that begin at 100, 102 and 102 and end at 102, 102 and 51; lowest 99, 102, 51 and highest 110, 102, 102. The fourth is
    /// not whole.
    #[test]
    fn hours_are_counted_from_the_begin_of_the_window() {
        let minute = 60 * Time::SECOND.0;
        let marks = [(-5, 300.0), (0, 100.0), (20, 110.0), (30, 99.0), (60, 102.0), (150, 51.0), (200, 7.0)];
        let value = |name: &str, to: i64| {
            let window = Window { from: Time::ZERO, to: Time(to * minute) };
            let mut heard = Statistic::find(name).unwrap().begin(window, None);
            for (minutes, usd) in marks {
                heard.mark(Time(minutes * minute), usd);
            }
            heard.value().map(|value| (value * 1e6).round() as i64)
        };
        assert_eq!(value("hour_change_median_pct", 239), Some(2_000_000));
        assert_eq!(value("worst_hour_pct", 239), Some(-50_000_000));
        assert_eq!(value("worst_hour_pct", 120), Some(0));
        // Ranges of 100/9, 0 and 100 %.
        assert_eq!(value("hour_range_median_pct", 239), Some(11_111_111));
        // The root of 2504 / 3.
        assert_eq!(value("hour_change_rms_pct", 239), Some(28_890_598));
        // Nine tenths of the way from 2 to 50.
        assert_eq!(value("hour_change_p95_pct", 239), Some(45_200_000));
        assert_eq!(value("hour_change_rms_pct", 59), None);
    }
}
