//! Axes that read well: round ticks, and units in which the numbers are short.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// Where an axis begins and ends, and what it says in between.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<f64>,
    /// Digits after the point that the ticks need.
    pub(super) decimals: usize,
}

impl Axis {
    /// Makes an axis for values with at most so many ticks. The ends lie a little beyond them, so that a line does not touch the
    /// frame.
    pub(super) fn of_values(values: impl Iterator<Item = f64>, most: usize) -> Self {
        let (low, high) = finite_range(values).unwrap_or((0.0, 1.0));
        let margin = if high > low { 0.06 * (high - low) } else { 0.01 * high.abs().max(1.0) };
        Self::with_step(low - margin, high + margin, |span| decimal_step(span, most))
    }

    /// Makes an axis from zero (or below, where values are negative) to a little above the values.
    pub(super) fn of_amounts(values: impl Iterator<Item = f64>, most: usize) -> Self {
        let (low, high) = finite_range(values.chain([0.0])).unwrap_or((0.0, 0.0));
        let (low, high) = if high > low { (low, high) } else { (0.0, 1.0) };
        let margin = 0.08 * (high - low);
        let below = if low < 0.0 { low - margin } else { 0.0 };
        Self::with_step(below, high + margin, |span| decimal_step(span, most))
    }

    /// Makes an axis of time without margins, in `unit`s, with ticks where a clock has them.
    pub(super) fn of_time(from: f64, to: f64, unit: TimeUnit) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self::with_step(from, to, |span| unit.step(span))
    }

    fn with_step(from: f64, to: f64, step: impl Fn(f64) -> f64) -> Self {
        let step = step(to - from);
        let first = libm::ceil(from / step - 1e-9);
        let last = libm::floor(to / step + 1e-9);
        let count = (last - first).max(0.0) as u32;
        let ticks = (0..=count).map(|index| (first + f64::from(index)) * step).collect();
        let decimals =
            (0..12).find(|digits| is_whole(step * libm::pow(10.0, f64::from(*digits)))).unwrap_or(12);
        let decimals = decimals as usize;
        Self { from, to, ticks, decimals }
    }

    /// Writes a tick.
    pub(super) fn label(&self, tick: f64) -> String {
        // Adding zero turns the minus zero of a rounded tick into zero.
        format!("{:.*}", self.decimals, tick + 0.0)
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        first + libm::rint(share * f64::from(last - first)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

/// The smallest step of 1, 2 or 5 times a power of ten that fits at most so many times into a span.
fn decimal_step(span: f64, most: usize) -> f64 {
    let rough = span / most.max(1) as f64;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= rough).unwrap_or(10.0);
    digit * power
}

fn is_whole(value: f64) -> bool {
    (value - libm::rint(value)).abs() < 1e-6
}

fn finite_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

/// The unit of a time axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl TimeUnit {
    /// Returns the unit in which a span is a short number.
    pub(super) fn of_span(seconds: f64) -> Self {
        match seconds {
            span if span < 300.0 => Self::Seconds,
            span if span < 2.0 * 3_600.0 => Self::Minutes,
            span if span < 4.0 * 86_400.0 => Self::Hours,
            _ => Self::Days,
        }
    }

    pub(super) const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3_600.0,
            Self::Days => 86_400.0,
        }
    }

    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }

    /// Writes a span in the largest unit that it is a whole number of.
    pub(super) fn span_label(seconds: f64) -> String {
        let whole = |unit: &Self| seconds >= unit.seconds() && is_whole(seconds / unit.seconds());
        let unit = [Self::Days, Self::Hours, Self::Minutes].into_iter().find(whole).unwrap_or(Self::Seconds);
        format!("{} {}", seconds / unit.seconds(), unit.symbol())
    }

    /// Returns a step that divides the next larger unit and gives at most ten ticks.
    fn step(self, span: f64) -> f64 {
        let steps: &[f64] = match self {
            Self::Seconds | Self::Minutes => &[0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0],
            Self::Hours => &[0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0],
            Self::Days => &[0.5, 1.0, 2.0, 7.0, 14.0],
        };
        steps.iter().copied().find(|step| span / step <= 10.0).unwrap_or_else(|| decimal_step(span, 10))
    }
}

/// A scale for amounts: what to divide by, and what to write before the unit.
pub(super) fn amount_scale(largest: f64) -> (f64, &'static str) {
    match largest {
        size if size >= 1e9 => (1e9, "billion "),
        size if size >= 1e6 => (1e6, "million "),
        size if size >= 1e4 => (1e3, "thousand "),
        _ => (1.0, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| axis.label(*tick)).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_inside() {
        let axis = Axis::of_values([61_230.5, f64::NAN, 66_740.1].into_iter(), 10);
        assert_eq!(labels(&axis), ["61000", "62000", "63000", "64000", "65000", "66000", "67000"]);
        let axis = Axis::of_values([0.12, 0.19].into_iter(), 10);
        assert_eq!(labels(&axis), ["0.12", "0.13", "0.14", "0.15", "0.16", "0.17", "0.18", "0.19"]);
        let axis = Axis::of_amounts([-0.4, 1.9].into_iter(), 10);
        assert_eq!(labels(&axis), ["-0.5", "0.0", "0.5", "1.0", "1.5", "2.0"]);
    }

    #[test]
    fn an_axis_without_a_span_still_has_one() {
        for values in [vec![], vec![f64::NAN], vec![5.0], vec![0.0, 0.0]] {
            let values = || values.iter().copied();
            for axis in [Axis::of_values(values(), 10), Axis::of_amounts(values(), 10)] {
                assert!(axis.to > axis.from && axis.ticks.len() >= 2, "{axis:?}");
            }
        }
        assert!(Axis::of_time(3.0, 3.0, TimeUnit::Hours).to > 3.0);
    }

    #[test]
    fn time_is_cut_as_a_clock_cuts_it() {
        for (hours, expected) in [
            (24.0, vec!["0", "3", "6", "9", "12", "15", "18", "21", "24"]),
            (72.0, vec!["0", "12", "24", "36", "48", "60", "72"]),
        ] {
            let axis = Axis::of_time(0.0, hours, TimeUnit::Hours);
            assert_eq!(labels(&axis), expected);
        }
        assert_eq!(labels(&Axis::of_time(-0.5, 1.5, TimeUnit::Hours))[..3], ["-0.50", "-0.25", "0.00"]);
        for (seconds, unit) in [
            (120.0, TimeUnit::Seconds),
            (3_600.0, TimeUnit::Minutes),
            (86_400.0, TimeUnit::Hours),
            (1e6, TimeUnit::Days),
        ] {
            assert_eq!(TimeUnit::of_span(seconds), unit);
        }
    }

    #[test]
    fn a_span_is_written_in_its_own_unit() {
        for (seconds, label) in [
            (0.5, "0.5 s"),
            (10.0, "10 s"),
            (90.0, "90 s"),
            (120.0, "2 min"),
            (3_600.0, "1 h"),
            (172_800.0, "2 d"),
        ] {
            assert_eq!(TimeUnit::span_label(seconds), label);
        }
    }

    /// Neighbouring steps differ by 2.5 at most, so that there are four in ten, and in four one at least.
    #[test]
    fn there_are_no_more_ticks_than_there_is_room_for_and_not_many_fewer() {
        for most in 2..=10 {
            for span in 1..400 {
                let span = f64::from(span) * 0.37;
                let axis = Axis::of_values([100.0, 100.0 + span].into_iter(), most);
                assert!(axis.ticks.len() <= most + 1 && 3 * axis.ticks.len() >= most, "{most}: {axis:?}");
            }
        }
    }

    #[test]
    fn amounts_are_named_so_that_numbers_are_short() {
        assert_eq!(amount_scale(2.5e9), (1e9, "billion "));
        assert_eq!(amount_scale(3.0e6).1, "million ");
        assert_eq!(amount_scale(9_999.0), (1.0, ""));
    }
}
