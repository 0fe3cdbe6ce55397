//! What is kept of marks.

use super::{Accumulator, Window};
use crate::units::Time;

/// Marks of a window.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Prices {
    /// In force at its start; where there was none yet, the first in it.
    pub(super) first: f64,
    /// Lowest that was in force in it, that at its start included.
    pub(super) low: f64,
    /// In force at its end.
    pub(super) close: f64,
}

/// First, lowest and last mark of a window.
#[derive(Clone, Copy, Debug)]
struct Span {
    window: Window,
    prices: Option<Prices>,
}

impl Span {
    fn new(window: Window) -> Self {
        Self { window, prices: None }
    }

    fn mark(&mut self, time: Time, usd: f64) {
        let alone = Prices { first: usd, low: usd, close: usd };
        if time <= self.window.from {
            self.prices = Some(alone);
        } else if time <= self.window.to {
            let prices = self.prices.get_or_insert(alone);
            prices.low = prices.low.min(usd);
            prices.close = usd;
        }
    }
}

/// A function of first, lowest and last mark.
pub(super) struct Path {
    span: Span,
    of: fn(&Prices) -> f64,
}

impl Path {
    pub(super) fn new(window: Window, of: fn(&Prices) -> f64) -> Self {
        Self { span: Span::new(window), of }
    }
}

impl Accumulator for Path {
    fn mark(&mut self, time: Time, usd: f64) {
        self.span.mark(time, usd);
    }

    fn value(&self) -> Option<f64> {
        self.span.prices.as_ref().map(self.of)
    }
}

/// How much of a fall is made good at the end of a later window.
pub(super) struct Retraced {
    fall: Span,
    after: Span,
}

impl Retraced {
    pub(super) fn new(window: Window, fall: Window) -> Self {
        Self { fall: Span::new(fall), after: Span::new(window) }
    }
}

impl Accumulator for Retraced {
    fn mark(&mut self, time: Time, usd: f64) {
        self.fall.mark(time, usd);
        self.after.mark(time, usd);
    }

    /// A mark that did not fall has nothing to make good.
    fn value(&self) -> Option<f64> {
        let (fall, after) = (self.fall.prices?, self.after.prices?);
        let size = fall.first - fall.low;
        (size > 0.0).then(|| (after.close - fall.low) / size)
    }
}

/// Changes of the mark over whole minutes, counted from the start of the window.
#[derive(Clone, Copy)]
pub(super) struct Minutes {
    window: Window,
    of: fn(&Self) -> Option<f64>,
    /// Where the minute ends that is not over yet.
    next: Time,
    /// Mark in force now.
    mark: Option<f64>,
    /// Mark in force at the end of the last minute.
    before: Option<f64>,
    squares: f64,
    worst: Option<f64>,
    count: u32,
}

impl Minutes {
    const MINUTE: Time = Time(60 * Time::SECOND.0);

    pub(super) fn volatility(window: Window) -> Self {
        Self::new(window, |minutes| {
            (minutes.count > 0).then(|| (60.0 * minutes.squares / f64::from(minutes.count)).sqrt() * 100.0)
        })
    }

    pub(super) fn worst(window: Window) -> Self {
        Self::new(window, |minutes| minutes.worst)
    }

    fn new(window: Window, of: fn(&Self) -> Option<f64>) -> Self {
        Self { window, of, next: window.from, mark: None, before: None, squares: 0.0, worst: None, count: 0 }
    }

    /// Ends every minute that is over before `time`.
    fn advance(&mut self, time: Time) {
        while self.next < time && self.next <= self.window.to {
            if let (Some(before), Some(now)) = (self.before, self.mark) {
                let log = libm::log(now / before);
                let change = (now / before - 1.0) * 100.0;
                self.squares += log * log;
                self.count += 1;
                self.worst = Some(self.worst.map_or(change, |worst| worst.min(change)));
            }
            self.before = self.mark;
            self.next = self.next + Self::MINUTE;
        }
    }
}

impl Accumulator for Minutes {
    fn mark(&mut self, time: Time, usd: f64) {
        self.advance(time);
        self.mark = Some(usd);
    }

    fn value(&self) -> Option<f64> {
        let mut over = *self;
        over.advance(Time::MAX);
        (self.of)(&over)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statistic;
    use super::*;

    const SECOND: i64 = Time::SECOND.0;

    fn window(from: i64, to: i64) -> Window {
        Window { from: Time(from * SECOND), to: Time(to * SECOND) }
    }

    /// Hears marks of a history in seconds and USD.
    #[track_caller]
    fn value(name: &str, at: Window, reference: Option<Window>, marks: &[(i64, f64)]) -> Option<f64> {
        let mut heard = Statistic::find(name).unwrap().begin(at, reference);
        for &(seconds, usd) in marks {
            heard.mark(Time(seconds * SECOND), usd);
        }
        heard.value()
    }

    #[track_caller]
    fn assert_near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} for {expected}");
    }

    /// From 100 to 96 by way of 90; 80 is before and 50 after the window.
    const FALL: [(i64, f64); 7] =
        [(-5, 80.0), (0, 100.0), (10, 104.0), (20, 90.0), (60, 96.0), (61, 50.0), (120, 99.0)];

    #[test]
    fn falls_and_wicks_are_those_of_the_window() {
        let minute = window(0, 60);
        assert_near(value("fall_pct", minute, None, &FALL), 4.0);
        assert_near(value("fall_to_low_pct", minute, None, &FALL), 10.0);
        assert_near(value("wick_pct", minute, None, &FALL), 6.0);
        assert_near(value("fall_pct", window(10, 20), None, &FALL), (1.0 - 90.0 / 104.0) * 100.0);
    }

    #[test]
    fn the_mark_that_was_in_force_begins_the_window() {
        let marks = [(0, 100.0), (30, 80.0), (31, 110.0)];
        // 100 until second 30.
        assert_near(value("fall_pct", window(20, 40), None, &marks), -10.0);
        assert_near(value("fall_to_low_pct", window(20, 40), None, &marks), 20.0);
        // Nothing moves in it: what was in force at the begin is low and end.
        assert_near(value("fall_to_low_pct", window(40, 50), None, &marks), 0.0);
        assert_near(value("wick_pct", window(40, 50), None, &marks), 0.0);
        // Nothing was there before it: the first one in it.
        assert_near(value("fall_pct", window(-10, 30), None, &marks), 20.0);
        assert_eq!(value("fall_pct", window(-10, -5), None, &marks), None);
    }

    #[test]
    fn a_fall_is_retraced_by_the_price_at_the_end_of_the_later_window() {
        let fall = window(0, 60);
        assert_near(value("retraced", window(60, 120), Some(fall), &FALL), 0.9);
        // At second 61 the mark is below the low of the fall.
        assert_near(value("retraced", window(60, 61), Some(fall), &FALL), -4.0);
        let rise = [(0, 100.0), (30, 101.0), (90, 102.0)];
        assert_eq!(value("retraced", window(60, 120), Some(fall), &rise), None);
    }

    /// Minutes end at 100, 102, 102 and 51: changes of 2 %, 0 and -50 %; the 70 within the first minute is between two ends.
    #[test]
    fn minutes_are_counted_from_the_begin_of_the_window() {
        let marks = [(-1, 100.0), (30, 70.0), (60, 102.0), (150, 51.0)];
        let at = window(0, 180);
        assert_near(value("worst_minute_pct", at, None, &marks), -50.0);
        let squares: f64 =
            [1.02_f64, 1.0, 0.5].iter().map(|ratio| libm::log(*ratio) * libm::log(*ratio)).sum();
        assert_near(value("hourly_volatility_pct", at, None, &marks), (60.0 * squares / 3.0).sqrt() * 100.0);
        // A part of a minute does not count.
        assert_near(value("worst_minute_pct", window(0, 179), None, &marks), 0.0);
        assert_eq!(value("worst_minute_pct", window(0, 59), None, &marks), None);
    }
}
