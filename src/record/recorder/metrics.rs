//! The metrics of a run, from what its recorder has seen.

use super::{Recorder, Simulated};
use crate::record::tables::metrics;
use crate::units::{Money, Time};

impl Recorder {
    /// Returns one value for each metric of the runs table.
    pub(super) fn metrics(&self, simulated: Simulated<'_>) -> Vec<Option<f64>> {
        let Simulated { world, messages, records } = simulated;
        let seen = &self.seen;
        let mark_at = |time: Time| self.samples.iter().take_while(|s| s.time <= time).last().map(|s| s.mark);
        let start = self.samples.first();
        let end = self.samples.last();
        let change =
            |from: Option<f64>, to: Option<f64>| from.zip(to).map(|(from, to)| (to / from - 1.0) * 100.0);
        let first = start.map(|sample| sample.mark);
        let hour = Time(3_600 * Time::SECOND.0);
        let has_hour_after = |time: Time| end.is_some_and(|end| end.time >= time + hour);
        let retraced = (seen.drawdown > 0.0 && has_hour_after(seen.trough_time)).then(|| {
            let later = mark_at(seen.trough_time + hour).unwrap_or(seen.trough);
            (later - seen.trough) / (seen.trough_peak - seen.trough)
        });
        let fall =
            has_hour_after(Time::ZERO).then(|| change(first, mark_at(hour)).map(|change| -change)).flatten();
        let worst = |span: i64| self.worst_change(Time(span * Time::SECOND.0));
        let total = seen.liquidated[0] + seen.liquidated[1];
        let share = |part: f64, whole: f64| (whole > 0.0).then_some(part / whole);
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let least = |side: usize| self.samples.iter().map(|s| s.depth[side]).reduce(f64::min);
        let depth = |side: usize| mean(&mut self.samples.iter().map(|s| s.depth[side]));
        let fund_end = self.money(world.ledger.fund[0]);
        let basis = || self.samples.iter().filter_map(|sample| sample.basis_bps);
        let spot = self.spot.as_ref();
        let [near, middle, far, first_generation] = self.criticality.unwrap_or_default().values();
        let values = vec![
            Some(seen.drawdown * 100.0),
            (seen.drawdown > 0.0).then(|| seen.trough_time.as_secs_f64()),
            retraced,
            fall,
            change(first, end.map(|sample| sample.mark)),
            worst(60),
            worst(300),
            worst(3_600),
            self.realized_volatility(),
            Some(seen.liquidations as f64),
            Some(seen.liquidations_long as f64),
            Some(seen.liquidated[0]),
            Some(seen.liquidated[1]),
            Some(total),
            share(seen.liquidated[0], total),
            Some(self.minute.largest),
            share(seen.forced_volume, seen.volume),
            Some(self.money(Money::ZERO - world.ledger.uncovered[0])),
            Some(seen.fund_min.min(fund_end)),
            Some(fund_end),
            Some(seen.takeover),
            Some(seen.adl),
            Some(seen.adl_count as f64),
            Some(world.unresolved_deficit(self.id) as f64 * self.scale.money),
            start.map(|sample| sample.open_interest),
            end.map(|sample| sample.open_interest),
            near,
            middle,
            far,
            first_generation,
            mean(&mut self.samples.iter().filter_map(|s| s.spread_bps)),
            depth(0),
            least(0),
            depth(1),
            least(1),
            mean(&mut self.samples.iter().filter_map(|s| s.cost_bps)),
            mean(&mut basis()),
            basis().reduce(f64::min),
            world.spec.markets[self.id.index()]
                .funding
                .map(|_| world.market(self.id).reference.funding_rate * 100.0),
            spot.map(|spot| spot.drawdown * 100.0),
            spot.filter(|spot| spot.quoted > 0).map(|spot| spot.spreads / f64::from(spot.quoted)),
            spot.map(|spot| spot.volume),
            spot.and_then(|spot| share(seen.volume, spot.volume)),
            Some(seen.volume),
            Some(seen.trades as f64),
            Some(messages as f64),
            Some(records as f64),
        ];
        assert_eq!(values.len(), metrics().count(), "one value for each metric of the runs table");
        values
    }

    /// Returns the most negative change of the mark over a span of the sampling grid, in percent.
    fn worst_change(&self, span: Time) -> Option<f64> {
        let mut from = 0;
        let mut worst: Option<f64> = None;
        for to in 0..self.samples.len() {
            while self.samples[to].time - self.samples[from].time > span {
                from += 1;
            }
            if to > 0 && self.samples[to].time - self.samples[0].time >= span {
                let change = (self.samples[to].mark / self.samples[from].mark - 1.0) * 100.0;
                worst = Some(worst.map_or(change, |worst| worst.min(change)));
            }
        }
        worst
    }

    fn realized_volatility(&self) -> Option<f64> {
        let squares = self.samples.windows(2).map(|pair| {
            let change = libm::log(pair[1].mark / pair[0].mark);
            change * change
        });
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        let hours = (last.time - first.time).as_secs_f64() / 3_600.0;
        (hours > 0.0).then(|| (squares.sum::<f64>() / hours).sqrt() * 100.0)
    }
}
