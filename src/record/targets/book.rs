//! What is kept of the market as it is sampled.

use super::{Accumulator, Look, Sample, Window};

/// Relative change over a window, from the last sample at or before its start to the last at or before its end.
pub(super) struct Change {
    window: Window,
    of: fn(&dyn Look) -> f64,
    first: Option<f64>,
    last: Option<f64>,
}

impl Change {
    pub(super) fn new(window: Window, of: fn(&dyn Look) -> f64) -> Self {
        Self { window, of, first: None, last: None }
    }
}

impl Accumulator for Change {
    fn sample(&mut self, at: &Sample<'_>) {
        if at.time <= self.window.from {
            self.first = Some((self.of)(at.market));
        } else if at.time <= self.window.to {
            self.last = Some((self.of)(at.market));
        }
    }

    fn value(&self) -> Option<f64> {
        let (first, last) = (self.first.filter(|first| *first > 0.0)?, self.last?);
        Some((last / first - 1.0) * 100.0)
    }
}

/// What there is at the last sample of a window.
pub(super) struct AtEnd {
    window: Window,
    of: fn(&dyn Look) -> Option<f64>,
    last: Option<f64>,
}

impl AtEnd {
    pub(super) fn new(window: Window, of: fn(&dyn Look) -> Option<f64>) -> Self {
        Self { window, of, last: None }
    }
}

impl Accumulator for AtEnd {
    fn sample(&mut self, at: &Sample<'_>) {
        if self.window.contains(at.time) {
            self.last = (self.of)(at.market);
        }
    }

    fn value(&self) -> Option<f64> {
        self.last
    }
}

/// Mean over the samples of a window that have a value.
pub(super) struct Level {
    window: Window,
    of: fn(&dyn Look) -> Option<f64>,
    sum: f64,
    count: u32,
}

impl Level {
    pub(super) fn new(window: Window, of: fn(&dyn Look) -> Option<f64>) -> Self {
        Self { window, of, sum: 0.0, count: 0 }
    }
}

impl Accumulator for Level {
    fn sample(&mut self, at: &Sample<'_>) {
        if self.window.contains(at.time)
            && let Some(value) = (self.of)(at.market)
        {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// Least of a window over the mean of a calm one.
pub(super) struct Survival {
    window: Window,
    of: fn(&dyn Look) -> f64,
    calm: Window,
    calm_sum: f64,
    calm_count: u32,
    least: Option<f64>,
}

impl Survival {
    pub(super) fn new(window: Window, calm: Window, of: fn(&dyn Look) -> f64) -> Self {
        Self { window, of, calm, calm_sum: 0.0, calm_count: 0, least: None }
    }
}

impl Accumulator for Survival {
    fn sample(&mut self, at: &Sample<'_>) {
        let (calm, now) = (self.calm.contains(at.time), self.window.contains(at.time));
        if !calm && !now {
            return;
        }
        let value = (self.of)(at.market);
        if calm {
            self.calm_sum += value;
            self.calm_count += 1;
        }
        if now {
            self.least = Some(self.least.map_or(value, |least| least.min(value)));
        }
    }

    fn value(&self) -> Option<f64> {
        let mean = self.normal()?;
        self.least.map(|least| least / mean)
    }

    fn normal(&self) -> Option<f64> {
        (self.calm_sum > 0.0).then(|| self.calm_sum / f64::from(self.calm_count))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statistic;
    use super::*;
    use crate::units::{Side, Time};

    /// A market in numbers.
    #[derive(Clone, Copy)]
    struct Seen {
        second: i64,
        mark: f64,
        spread: Option<f64>,
        /// Bids within 1 %; asks are twice that, and within 2 % there is ten times as much.
        bids: f64,
        coins: f64,
    }

    impl Look for Seen {
        fn mark_usd(&self) -> f64 {
            self.mark
        }

        fn depth_usd(&self, side: Side, bps: f64) -> f64 {
            let side = if side == Side::Buy { 1.0 } else { 2.0 };
            self.bids * side * if bps > 150.0 { 10.0 } else { 1.0 }
        }

        fn spread_bps(&self) -> Option<f64> {
            self.spread
        }

        fn premium_bps(&self) -> Option<f64> {
            self.spread.map(|spread| -spread)
        }

        fn funding_rate_pct(&self) -> Option<f64> {
            Some(self.mark / 1e4)
        }

        fn open_interest_coins(&self) -> f64 {
            self.coins
        }
    }

    const fn seen(second: i64, mark: f64, spread: Option<f64>, bids: f64, coins: f64) -> Seen {
        Seen { second, mark, spread, bids, coins }
    }

    const HISTORY: [Seen; 6] = [
        seen(-20, 100.0, Some(9.0), 500.0, 90.0),
        seen(-10, 100.0, Some(1.0), 300.0, 100.0),
        seen(0, 100.0, Some(2.0), 100.0, 100.0),
        seen(10, 90.0, Some(4.0), 60.0, 110.0),
        seen(20, 80.0, None, 80.0, 120.0),
        seen(30, 70.0, Some(8.0), 10.0, 60.0),
    ];

    fn window(from: i64, to: i64) -> Window {
        Window { from: Time(from * Time::SECOND.0), to: Time(to * Time::SECOND.0) }
    }

    fn value(name: &str, at: Window, reference: Option<Window>) -> Option<f64> {
        let mut heard = Statistic::find(name).unwrap().begin(at, reference);
        for seen in &HISTORY {
            heard.sample(&Sample { time: Time(seen.second * Time::SECOND.0), market: seen });
        }
        heard.value()
    }

    #[track_caller]
    fn assert_near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} for {expected}");
    }

    #[test]
    fn open_interest_changes_from_end_to_end() {
        let at = window(0, 20);
        assert_near(value("open_interest_change_coins_pct", at, None), 20.0);
        assert_near(value("open_interest_change_usd_pct", at, None), -4.0);
        // Between two samples the earlier one is in force.
        assert_near(value("open_interest_change_coins_pct", window(5, 29), None), 20.0);
        assert_eq!(value("open_interest_change_coins_pct", window(31, 60), None), None);
    }

    #[test]
    fn means_are_those_of_the_samples_with_a_value() {
        let at = window(0, 30);
        assert_near(value("spread_bps_mean", at, None), 6.0);
        assert_near(value("depth_bid_1pct_usd_mean", at, None), 50.0);
        assert_near(value("depth_ask_1pct_usd_mean", at, None), 100.0);
        assert_near(value("depth_bid_2pct_usd_mean", at, None), 500.0);
        assert_near(value("depth_ask_2pct_usd_mean", at, None), 1_000.0);
        assert_eq!(value("spread_bps_mean", window(15, 20), None), None);
        assert_near(value("premium_bps_mean", at, None), -6.0);
    }

    #[test]
    fn the_rate_of_funding_is_that_at_the_end() {
        assert_near(value("funding_rate_pct", window(0, 29), None), 0.008);
        assert_near(value("funding_rate_pct", window(0, 30), None), 0.007);
        assert_eq!(value("funding_rate_pct", window(31, 40), None), None);
    }

    #[test]
    fn depth_survives_as_a_share_of_what_it_was() {
        assert_near(value("depth_bid_1pct_survival", window(0, 20), Some(window(-20, 0))), 0.3);
        assert_eq!(value("depth_bid_1pct_survival", window(0, 20), Some(window(40, 50))), None);
    }
}
