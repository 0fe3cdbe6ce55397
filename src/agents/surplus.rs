//! What clocks tick beyond their usual rate while volatility is high: a clock whose rate is `multiplier` times the usual one is the
//! usual clock, which ticks for ever, and surplus ticks at `multiplier - 1` times its rate, which are made here.
//!
//! Surplus ticks are those of a thinned clock at the highest rate (Lewis and Shedler 1979), so two runs that differ in a mechanism have
//! the same ticks, whatever their prices do. But the clock is cut into layers: of the multipliers from 1 to 2, from 2 to 4, and so on to the
//! highest. A layer above the present multiplier has no tick that counts and is not drawn at all, so the work is of the order of what
//! happens and not of what could. Volatility is sampled every `OBSERVED_EVERY`; each layer of each such slice of time is a Poisson number
//! of ticks, uniform in it, from draws that are keyed by layer, slice and number.

use crate::rng::{Rng, Stream};
use crate::sampling::{Poisson, uniform};
use crate::units::Time;
use crate::world::OBSERVED_EVERY;
use rand_distr::Distribution;

/// A clock that may tick more often than usual.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Clock {
    /// Usual ticks a second.
    pub rate: f64,
    /// Highest multiplier, at least 1.
    pub highest: f64,
}

/// A surplus tick.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub at: Time,
    /// Which of the clocks ticks.
    pub clock: usize,
    /// Draws of what the tick brings.
    pub rng: Rng,
}

/// The multipliers of one clock between two bounds.
#[derive(Clone, Debug)]
struct Layer {
    clock: usize,
    from: f64,
    to: f64,
    /// Ticks in a slice.
    count: Poisson,
}

/// The surplus ticks of some clocks.
#[derive(Clone, Debug)]
pub(super) struct Surplus {
    layers: Vec<Layer>,
    stream: Stream,
    /// Ticks of this slice that are still to come, the last one first.
    ticks: Vec<Tick>,
    /// When the next slice begins.
    until: Time,
}

/// Draws of a stream that are numbered below this are the owner's; layers come after.
const FIRST_LAYER: u64 = 1 << 32;

impl Surplus {
    /// Makes the surplus of clocks; draws come from `stream`, apart from all whose agent is below 2^32.
    pub(super) fn new(clocks: &[Clock], stream: Stream) -> Self {
        let slice = OBSERVED_EVERY.as_secs_f64();
        let mut layers = Vec::new();
        for (clock, &Clock { rate, highest }) in clocks.iter().enumerate() {
            let mut from = 1.0;
            while from < highest && rate > 0.0 {
                let to = highest.min(2.0 * from);
                layers.push(Layer { clock, from, to, count: Poisson::new((to - from) * rate * slice) });
                from = to;
            }
        }
        Self { layers, stream, ticks: Vec::new(), until: Time(i64::MIN) }
    }

    /// Tells whether there can ever be a surplus.
    pub(super) fn is_possible(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Tells whether the ticks of this moment's slice are still to be drawn.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.is_possible() && now >= self.until
    }

    /// Draws the ticks of this moment's slice, with the multiplier of each clock until it ends.
    pub(super) fn draw(&mut self, now: Time, multipliers: &[f64]) {
        let slice = now.0.div_euclid(OBSERVED_EVERY.0);
        let begin = slice * OBSERVED_EVERY.0;
        self.until = Time(begin + OBSERVED_EVERY.0);
        self.ticks.clear();
        for (number, layer) in (FIRST_LAYER..).step_by(2).zip(&self.layers) {
            let multiplier = multipliers[layer.clock];
            if multiplier <= layer.from {
                continue;
            }
            let count = layer.count.sample(&mut self.stream.draw(number, slice as u64));
            for tick in 0..count {
                let key = ((slice as u64) << 24).wrapping_add(tick);
                let mut rng = self.stream.draw(number + 1, key);
                let at = Time(begin + (uniform(&mut rng) * OBSERVED_EVERY.0 as f64) as i64);
                let counts_up_to = layer.from + uniform(&mut rng) * (layer.to - layer.from);
                if counts_up_to < multiplier && at >= now {
                    self.ticks.push(Tick { at, clock: layer.clock, rng });
                }
            }
        }
        // Stable, so that ticks of one instant keep the order of their layers.
        self.ticks.sort_by_key(|tick| std::cmp::Reverse(tick.at));
    }

    /// Tells whether a tick of this slice is still to come.
    pub(super) fn is_busy(&self) -> bool {
        !self.ticks.is_empty()
    }

    /// Returns when the next slice begins; it is to be drawn then.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Returns when something is to be done next: a tick, or the next slice.
    pub(super) fn next(&self) -> Option<Time> {
        self.is_possible().then(|| self.ticks.last().map_or(self.until, |tick| tick.at))
    }

    /// Takes the next tick, if its time has come.
    pub(super) fn pop(&mut self, now: Time) -> Option<Tick> {
        self.ticks.pop_if(|tick| tick.at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    const CLOCKS: [Clock; 3] = [
        Clock { rate: 40.0, highest: 20.0 },
        Clock { rate: 10.0, highest: 3.0 },
        Clock { rate: 5.0, highest: 1.0 },
    ];

    fn surplus() -> Surplus {
        Surplus::new(&CLOCKS, Seed { master: 3, replicate: 1 }.stream("surplus"))
    }

    /// Ticks of a slice by clock and nanosecond.
    fn ticks(slice: i64, multipliers: [f64; 3]) -> Vec<(usize, i64)> {
        let mut surplus = surplus();
        let begin = Time(slice * OBSERVED_EVERY.0);
        surplus.draw(begin, &multipliers);
        assert_eq!(surplus.until(), begin + OBSERVED_EVERY);
        let ticks: Vec<_> = std::iter::from_fn(|| surplus.pop(surplus.until())).collect();
        assert!(ticks.is_sorted_by_key(|tick| tick.at));
        assert!(ticks.iter().all(|tick| tick.at >= begin && tick.at < begin + OBSERVED_EVERY));
        ticks.into_iter().map(|tick| (tick.clock, tick.at.0)).collect()
    }

    #[test]
    fn usually_there_is_none_and_nothing_is_drawn() {
        assert!(ticks(-3, [1.0; 3]).is_empty());
        assert!(
            !Surplus::new(&CLOCKS[2..], Seed { master: 3, replicate: 1 }.stream("surplus")).is_possible()
        );
    }

    /// Means of 20,000 seconds: five standard deviations of the rate are 0.04 sqrt(rate).
    #[test]
    fn a_clock_ticks_by_its_multiplier_less_one_times_its_usual_rate() {
        for multipliers in [[1.0, 1.0, 1.0], [1.5, 3.0, 1.0], [7.0, 2.5, 1.0], [20.0, 1.0, 1.0]] {
            let mut counts = [0_u32; 3];
            for slice in 0..4_000 {
                for (clock, _) in ticks(slice, multipliers) {
                    counts[clock] += 1;
                }
            }
            for (clock, count) in counts.into_iter().enumerate() {
                let expected = CLOCKS[clock].rate * (multipliers[clock] - 1.0);
                let found = f64::from(count) / 20_000.0;
                assert!((found - expected).abs() <= 0.04 * expected.sqrt(), "{multipliers:?}: {found}");
            }
        }
    }

    #[test]
    fn a_higher_multiplier_adds_ticks_and_moves_none() {
        for slice in [-1, 0, 7] {
            let (few, many) = (ticks(slice, [1.7, 1.2, 1.0]), ticks(slice, [11.0, 1.2, 1.0]));
            assert!(few.len() > 10 && many.len() > 5 * few.len());
            assert!(few.iter().all(|tick| many.contains(tick)));
        }
    }

    #[test]
    fn what_is_drawn_in_the_middle_of_a_slice_is_its_rest() {
        let mut surplus = surplus();
        let now = Time(OBSERVED_EVERY.0 >> 1);
        surplus.draw(now, &[20.0, 1.0, 1.0]);
        let rest: Vec<_> =
            std::iter::from_fn(|| surplus.pop(surplus.until())).map(|tick| tick.at.0).collect();
        let whole = ticks(0, [20.0, 1.0, 1.0]).into_iter().map(|tick| tick.1);
        assert_eq!(rest, whole.filter(|at| *at >= now.0).collect::<Vec<_>>());
    }
}
