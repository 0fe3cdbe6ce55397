//! The fast index: lists of positions by tick, a tree of bitmaps from tick to tick, and what is due first kept at hand, so
//! that a mark which touches nobody costs two comparisons a market.

use super::heaps::{Heaps, NONE, Removed};
use super::ticks::Ticks;
use super::{LiquidationIndex, LiquidationTrigger};
use crate::clearing::PositionId;
use crate::units::{MarketId, Price, Side};

/// What is due first on either side of a market.
#[derive(Clone, Copy, Debug)]
struct Best {
    /// The highest trigger of the longs in ticks.
    long: i64,
    /// The lowest trigger of the shorts in ticks.
    short: i64,
    /// The numbers of the positions that go first there, or `NONE`.
    first: [u32; 2],
}

/// No mark reaches these, and every trigger is nearer or, at the limit of 64 bits, as near.
const NOBODY: Best = Best { long: i64::MIN, short: i64::MAX, first: [NONE; 2] };

/// The index that a world uses. It allocates only while it grows.
#[derive(Clone, Debug)]
pub struct TriggerIndex {
    best: Vec<Best>,
    halves: Vec<[Ticks; 2]>,
    heaps: Heaps,
    len: usize,
    /// Whether anything could be due: a mark or a position has moved since nothing was.
    is_stirred: bool,
}

impl TriggerIndex {
    /// Tells whether the mark of any market has come to where a position is. A mark that moves is to be told of.
    #[inline]
    pub fn is_due(&mut self, marks: &[Option<Price>]) -> bool {
        self.is_stirred && self.look(marks)
    }

    /// Tells whether anything could be due.
    #[inline]
    pub fn is_stirred(&self) -> bool {
        self.is_stirred
    }

    /// Hears that a mark has moved.
    #[inline]
    pub fn stir(&mut self) {
        self.is_stirred = true;
    }

    #[inline(never)]
    fn look(&mut self, marks: &[Option<Price>]) -> bool {
        let mut pairs = self.best.iter().zip(marks);
        self.is_stirred =
            pairs.any(|(best, mark)| mark.is_some_and(|Price(mark)| mark <= best.long || mark >= best.short));
        self.is_stirred
    }

    /// Returns the bytes that it has reserved.
    pub fn memory(&self) -> usize {
        let ticks = self.halves.iter().flatten().map(Ticks::memory).sum::<usize>();
        let markets =
            self.best.capacity() * size_of::<Best>() + self.halves.capacity() * size_of::<[Ticks; 2]>();
        self.heaps.memory() + ticks + markets
    }

    /// Returns what is due in a market whose mark has reached a trigger.
    #[cold]
    fn due(&self, market: usize, mark: i64, passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        let best = &self.best[market];
        let reached = [(Side::Buy, mark <= best.long), (Side::Sell, mark >= best.short)];
        reached.into_iter().find_map(|(side, reached)| {
            let first = best.first[half(side)];
            let goes = || !passed_over.contains(&(MarketId(market as u16), side));
            (reached && first != NONE && goes()).then(|| PositionId(first - 1))
        })
    }
}

impl Best {
    /// Keeps what is first on a side.
    #[inline]
    fn set(&mut self, side: Side, tick: i64, first: u32) {
        match side {
            Side::Buy => self.long = tick,
            Side::Sell => self.short = tick,
        }
        self.first[half(side)] = first;
    }

    /// Tells whether a trigger is reached no later than the best one.
    #[inline]
    fn leads(&self, side: Side, tick: i64) -> bool {
        match side {
            Side::Buy => tick >= self.long,
            Side::Sell => tick <= self.short,
        }
    }
}

impl LiquidationIndex for TriggerIndex {
    fn new(markets: usize) -> Self {
        let halves = (0..markets).map(|_| [Ticks::new(), Ticks::new()]).collect();
        Self { best: vec![NOBODY; markets], halves, heaps: Heaps::new(), len: 0, is_stirred: false }
    }

    #[inline]
    fn insert(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        let LiquidationTrigger { side, tick: Price(tick) } = trigger;
        let ticks = &mut self.halves[market.index()][half(side)];
        let place = ticks.fill(tick);
        let first = ticks.get(place);
        let best = &mut self.best[market.index()];
        let first = if best.leads(side, tick) {
            // What is due first is known at all times: its list is one heap.
            let first = if first == NONE {
                self.heaps.push(position, NONE, place)
            } else {
                self.heaps.insert(position, first, place)
            };
            best.set(side, tick, first);
            first
        } else {
            self.heaps.push(position, first, place)
        };
        ticks.set(place, first);
        self.len += 1;
        self.is_stirred = true;
    }

    #[inline]
    fn remove(&mut self, market: MarketId, position: PositionId, trigger: LiquidationTrigger) {
        self.len -= 1;
        let Removed::First { place, follower } = self.heaps.remove(position) else { return };
        let side = trigger.side;
        let ticks = &mut self.halves[market.index()][half(side)];
        debug_assert_eq!((ticks.tick(place), ticks.get(place)), (trigger.tick.0, position.0 + 1));
        let best = &mut self.best[market.index()];
        let was_due_first = best.first[half(side)] == position.0 + 1;
        if follower != NONE {
            ticks.set(place, follower);
            if was_due_first {
                best.first[half(side)] = follower;
            }
            return;
        }
        if was_due_first {
            match ticks.next(place, side) {
                Some(next) => {
                    let first = self.heaps.merge(ticks.get(next), next);
                    ticks.set(next, first);
                    best.set(side, ticks.tick(next), first);
                }
                None => best.set(side, if side == Side::Buy { NOBODY.long } else { NOBODY.short }, NONE),
            }
        }
        ticks.empty(place);
    }

    #[inline]
    fn next_due(&self, marks: &[Option<Price>], passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
        for (market, (best, mark)) in self.best.iter().zip(marks).enumerate() {
            if let Some(Price(mark)) = *mark
                && (mark <= best.long || mark >= best.short)
                && let Some(position) = self.due(market, mark, passed_over)
            {
                return Some(position);
            }
        }
        None
    }

    fn len(&self) -> usize {
        self.len
    }
}

/// Where the half of a side is.
#[inline]
const fn half(side: Side) -> usize {
    side as usize
}
