//! Operations on an index, and streams of them.

use super::duel::MARKETS;
use super::{LiquidationTrigger, MarketId, PositionId, Price, Side};

/// One thing that happens to an index or to what it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    /// A position gets a trigger, wherever it was.
    Put(PositionId, MarketId, LiquidationTrigger),
    /// A position goes, if it is there.
    Take(PositionId),
    /// A mark moves.
    Mark(MarketId, Option<Price>),
    /// A side of a market is passed over from now on.
    PassOver(MarketId, Side),
    /// No side is passed over any more.
    PassNobody,
    /// The position that is due first goes, if one is.
    Pop,
}

/// What a stream of operations looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// Number of positions.
    positions: u64,
    /// Triggers lie within this many ticks of the middle, which walks.
    width: i64,
    /// Ticks.
    mid: i64,
}

/// One tick for all, a crowd on a few ticks beside a page's border, an ordinary market, and a few positions anywhere.
pub(super) const HABITS: [Habit; 4] = [
    Habit { positions: 100, width: 0, mid: 64 },
    Habit { positions: 60, width: 3, mid: 4_096 },
    Habit { positions: 150, width: 500, mid: 100_000 },
    Habit { positions: 20, width: 1 << 40, mid: 1 << 41 },
];

/// Draws operations of one habit.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    state: u64,
    habit: Habit,
}

impl Stream {
    pub(super) fn new(seed: u64, habit: Habit) -> Self {
        Self { state: seed, habit }
    }

    pub(super) fn next(&mut self) -> Op {
        let Habit { positions, width, mid } = self.habit;
        if self.below(50) == 0 {
            self.habit.mid = (mid + self.between(-width, width)).max(1);
        }
        let market = MarketId(self.below(MARKETS as u64) as u16);
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let position = PositionId(self.below(positions) as u32);
        match self.below(100) {
            0..=59 => {
                let tick = match self.below(50) {
                    0 => Price(i64::MAX >> self.below(63)),
                    _ => Price(self.near().max(1)),
                };
                Op::Put(position, market, LiquidationTrigger { side, tick })
            }
            60..=69 => Op::Take(position),
            70..=81 => Op::Mark(market, Some(Price(self.near()))),
            82 => Op::Mark(market, None),
            83..=84 => Op::PassOver(market, side),
            85..=88 => Op::PassNobody,
            _ => Op::Pop,
        }
    }

    /// A tick near the middle or just beyond all triggers.
    fn near(&mut self) -> i64 {
        let Habit { width, mid, .. } = self.habit;
        mid + self.between(-width - 1, width + 1)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// Draws from 0 to `count` - 1 by SplitMix64 (Steele, Lea, Flood 2014).
    fn below(&mut self, count: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ (z >> 31)) * u128::from(count)) >> 64) as u64
    }
}
