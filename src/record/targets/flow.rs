//! What is kept of trades and liquidations.

use super::{Accumulator, LiquidatedSide, Window};
use crate::units::Time;

/// What of longs and shorts is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Long,
    Short,
    Either,
    LongShare,
}

/// Liquidated notional by side.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Sums {
    long: f64,
    short: f64,
}

impl Sums {
    fn add(&mut self, side: LiquidatedSide, usd: f64) {
        match side {
            LiquidatedSide::Long => self.long += usd,
            LiquidatedSide::Short => self.short += usd,
        }
    }

    fn part(self, part: Part) -> Option<f64> {
        let total = self.long + self.short;
        match part {
            Part::Long => Some(self.long),
            Part::Short => Some(self.short),
            Part::Either => Some(total),
            Part::LongShare => (total > 0.0).then_some(self.long / total),
        }
    }
}

/// Everything that was liquidated in a window.
pub(super) struct Liquidated {
    window: Window,
    part: Part,
    sums: Sums,
}

impl Liquidated {
    pub(super) fn new(window: Window, part: Part) -> Self {
        Self { window, part, sums: Sums::default() }
    }
}

impl Accumulator for Liquidated {
    fn liquidated(&mut self, time: Time, side: LiquidatedSide, usd: f64) {
        if self.window.contains(time) {
            self.sums.add(side, usd);
        }
    }

    fn value(&self) -> Option<f64> {
        self.sums.part(self.part)
    }
}

/// Which liquidation of a second a public stream tells of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pick {
    Largest,
    Latest,
}

/// What a public stream tells of it: "For each symbol, only the largest one liquidation order within 1000ms will be pushed as the
/// snapshot" (Binance, USD-M futures, Liquidation Order Streams,
/// <https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Liquidation-Order-Streams>).
/// Until 2026-04-10 the same page said "latest"; the change log of that day calls it an updated description and no change of the
/// stream, so that the largest is what was pushed in February as well, as far as one can know. Seconds are those of the clock;
/// that a second ends where the clock's does is ours to choose, the document does not say.
pub(super) struct Reported {
    window: Window,
    part: Part,
    pick: Pick,
    sums: Sums,
    /// When the liquidation that is picked so far will be told, and what it was.
    picked: Option<(Time, LiquidatedSide, f64)>,
}

impl Reported {
    pub(super) fn new(window: Window, part: Part, pick: Pick) -> Self {
        Self { window, part, pick, sums: Sums::default(), picked: None }
    }

    /// Returns the sums with the liquidation that nobody was told of yet.
    fn told(&self) -> Sums {
        let mut sums = self.sums;
        if let Some((told, side, usd)) = self.picked
            && self.window.contains(told)
        {
            sums.add(side, usd);
        }
        sums
    }
}

impl Accumulator for Reported {
    fn liquidated(&mut self, time: Time, side: LiquidatedSide, usd: f64) {
        let told = Time((time.0.div_euclid(Time::SECOND.0) + 1) * Time::SECOND.0);
        match self.picked {
            Some((earlier, ..)) if earlier != told => self.sums = self.told(),
            Some((.., before)) if self.pick == Pick::Largest && before > usd => return,
            _ => {}
        }
        self.picked = Some((told, side, usd));
    }

    fn value(&self) -> Option<f64> {
        self.told().part(self.part)
    }
}

/// Notional that was traded in a window.
pub(super) struct Volume {
    window: Window,
    usd: f64,
}

impl Volume {
    pub(super) fn new(window: Window) -> Self {
        Self { window, usd: 0.0 }
    }
}

impl Accumulator for Volume {
    fn trade(&mut self, time: Time, usd: f64) {
        if self.window.contains(time) {
            self.usd += usd;
        }
    }

    fn value(&self) -> Option<f64> {
        Some(self.usd)
    }
}

/// Trading of a window over that of a calm one, both an hour.
pub(super) struct VolumeMultiple {
    busy: Volume,
    calm: Volume,
}

impl VolumeMultiple {
    pub(super) fn new(window: Window, calm: Window) -> Self {
        Self { busy: Volume::new(window), calm: Volume::new(calm) }
    }
}

impl Accumulator for VolumeMultiple {
    fn trade(&mut self, time: Time, usd: f64) {
        self.busy.trade(time, usd);
        self.calm.trade(time, usd);
    }

    /// There is no multiple of nothing.
    fn value(&self) -> Option<f64> {
        let [busy, calm] = [&self.busy, &self.calm].map(|volume| volume.usd / volume.window.hours());
        (calm > 0.0).then(|| busy / calm)
    }

    fn normal(&self) -> Option<f64> {
        Some(self.calm.usd / self.calm.window.hours()).filter(|calm| *calm > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statistic;
    use super::LiquidatedSide::{Long, Short};
    use super::*;

    const MS: i64 = 1_000_000;

    fn window(from: i64, to: i64) -> Window {
        Window { from: Time(from * 1_000 * MS), to: Time(to * 1_000 * MS) }
    }

    /// Hears of liquidations at milliseconds.
    fn liquidated(name: &str, at: Window, events: &[(i64, LiquidatedSide, f64)]) -> Option<f64> {
        let mut heard = Statistic::find(name).unwrap().begin(at, None);
        for &(ms, side, usd) in events {
            heard.liquidated(Time(ms * MS), side, usd);
        }
        heard.value()
    }

    const EVENTS: [(i64, LiquidatedSide, f64); 7] = [
        (0, Long, 1.0),
        (100, Long, 2.0),
        (900, Short, 4.0),
        (1_000, Long, 8.0),
        (1_999, Long, 16.0),
        (5_000, Long, 32.0),
        (5_001, Long, 64.0),
    ];

    #[test]
    fn all_liquidations_of_the_window_are_summed() {
        let at = window(0, 5);
        assert_eq!(liquidated("liquidated_long_usd", at, &EVENTS), Some(58.0));
        assert_eq!(liquidated("liquidated_short_usd", at, &EVENTS), Some(4.0));
        assert_eq!(liquidated("long_share", at, &EVENTS), Some(58.0 / 62.0));
        assert_eq!(liquidated("long_share", at, &[]), None);
        assert_eq!(liquidated("liquidated_long_usd", at, &[]), Some(0.0));
    }

    /// Of second 0 the long of 9 comes first, then 2, and a short of 4 last.
    #[test]
    fn a_stream_tells_the_largest_of_each_second_or_the_latest() {
        let events = [(0, Long, 9.0), (100, Long, 2.0), (900, Short, 4.0), (1_500, Long, 1.0)];
        let at = window(0, 5);
        assert_eq!(liquidated("reported_long_usd", at, &events), Some(10.0));
        assert_eq!(liquidated("reported_short_usd", at, &events), Some(0.0));
        assert_eq!(liquidated("reported_long_share", at, &events), Some(1.0));
        assert_eq!(liquidated("latest_reported_long_usd", at, &events), Some(1.0));
    }

    /// Of second 0 the short of 4 is told at 1 s, of second 1 the long of 16 at 2 s, of second 5 the long of 64 at 6 s: each the
    /// largest and the latest.
    #[test]
    fn a_stream_tells_one_of_each_second_at_its_end() {
        assert_eq!(liquidated("reported_long_usd", window(0, 5), &EVENTS), Some(16.0));
        assert_eq!(liquidated("reported_short_usd", window(0, 5), &EVENTS), Some(4.0));
        assert_eq!(liquidated("reported_usd", window(0, 5), &EVENTS), Some(20.0));
        assert_eq!(liquidated("reported_long_usd", window(0, 6), &EVENTS), Some(80.0));
        assert_eq!(liquidated("reported_long_share", window(0, 6), &EVENTS), Some(80.0 / 84.0));
        assert_eq!(liquidated("reported_long_usd", window(1, 2), &EVENTS), Some(16.0));
        assert_eq!(liquidated("reported_short_usd", window(1, 2), &EVENTS), Some(0.0));
        assert_eq!(liquidated("reported_long_share", window(2, 5), &EVENTS), None);
        // Before time zero seconds end as they do after it.
        assert_eq!(
            liquidated("reported_long_usd", window(-1, 0), &[(-500, Long, 3.0), (-1, Long, 5.0)]),
            Some(5.0)
        );
    }

    fn traded(name: &str, at: Window, reference: Option<Window>, trades: &[(i64, f64)]) -> Option<f64> {
        let mut heard = Statistic::find(name).unwrap().begin(at, reference);
        for &(ms, usd) in trades {
            heard.trade(Time(ms * MS), usd);
        }
        heard.value()
    }

    #[test]
    fn volume_is_that_of_the_window_and_its_multiple_is_an_hour() {
        let trades = [(-10_000, 7.0), (-4_000, 10.0), (0, 20.0), (1, 45.0), (2_000, 45.0), (2_001, 1.0)];
        assert_eq!(traded("volume_usd", window(0, 2), None, &trades), Some(90.0));
        // 45 a second after 3 a second.
        assert_eq!(traded("volume_multiple", window(0, 2), Some(window(-10, 0)), &trades), Some(15.0));
        let mut heard = Statistic::find("volume_multiple").unwrap().begin(window(0, 2), Some(window(-10, 0)));
        for (ms, usd) in trades {
            heard.trade(Time(ms * MS), usd);
        }
        assert!(heard.normal().is_some_and(|usd| (usd - 3.0 * 3_600.0).abs() < 1e-6), "{:?}", heard.normal());
        assert_eq!(traded("volume_multiple", window(0, 2), Some(window(5, 9)), &trades), None);
    }
}
