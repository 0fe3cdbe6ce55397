//! Streams of operations: dice, the ranges that a stream draws from, and the drawing itself.

use super::session::{OWNERS, Op};
use super::{NewOrder, OrderId, OrderType, Owner, Position, Price, Qty, SelfTrade, Side, TimeInForce};

/// SplitMix64 (Steele, Lea, Flood 2014): enough for tests, the same on every machine.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws from 0 to `count` - 1; the bias of the multiplication is below 2^-32 for the counts used here.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }

    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What a stream of operations looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// Prices lie within this many ticks of the middle.
    pub(super) width: i64,
    /// Ticks; it walks by up to `width` every so often.
    pub(super) mid: i64,
    /// Largest ordinary quantity in lots.
    pub(super) qty_max: i64,
    /// Share of cancels [%].
    pub(super) cancels: u64,
    /// Ids may be used while they live.
    pub(super) duplicates: bool,
}

/// A crowded touch, an ordinary book, a sparse one with orders of every size, and one that nobody cancels.
pub(super) const HABITS: [Habit; 4] = [
    Habit { width: 2, mid: 50, qty_max: 3, cancels: 20, duplicates: true },
    Habit { width: 20, mid: 10_000, qty_max: 20, cancels: 40, duplicates: true },
    Habit { width: 3_000, mid: 1_000_000, qty_max: 1 << 34, cancels: 30, duplicates: true },
    Habit { width: 200, mid: 300, qty_max: 50, cancels: 0, duplicates: true },
];

/// Every self-trade policy.
pub(super) const POLICIES: [SelfTrade; 4] =
    [SelfTrade::Allow, SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::CancelBoth];

/// Draws operations of one habit.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    dice: Dice,
    habit: Habit,
    next_id: u64,
}

impl Stream {
    pub(super) fn new(seed: u64, habit: Habit) -> Self {
        Self { dice: Dice(seed), habit, next_id: 0 }
    }

    pub(super) fn next(&mut self) -> Op {
        let dice = &mut self.dice;
        if dice.chance(1) {
            self.habit.mid = (self.habit.mid + dice.between(-self.habit.width, self.habit.width)).max(1);
        }
        match dice.below(100) {
            share if share < self.habit.cancels => Op::Cancel(self.earlier_id()),
            share if share < self.habit.cancels + 8 => {
                let id = self.earlier_id();
                Op::Amend(id, self.price(), self.qty())
            }
            share if share < self.habit.cancels + 10 => {
                Op::Move(Owner(dice.below(u64::from(OWNERS)) as u32), Position(dice.between(-20, 20)))
            }
            _ => Op::Submit(self.order()),
        }
    }

    fn order(&mut self) -> NewOrder {
        let id = if self.habit.duplicates && self.dice.chance(1) {
            self.earlier_id()
        } else {
            self.next_id += 1;
            OrderId(self.next_id)
        };
        let side = if self.dice.chance(50) { Side::Buy } else { Side::Sell };
        let price = self.price();
        let order_type = match self.dice.below(100) {
            0..=59 => OrderType::Limit { price, tif: TimeInForce::Gtc },
            60..=69 => OrderType::Limit { price, tif: TimeInForce::Ioc },
            70..=77 => OrderType::Limit { price, tif: TimeInForce::Fok },
            78..=87 => OrderType::Limit { price, tif: TimeInForce::PostOnly },
            88..=93 => OrderType::Market { worst: Some(price) },
            _ => OrderType::Market { worst: None },
        };
        let owner = Owner(self.dice.below(u64::from(OWNERS)) as u32);
        NewOrder { id, owner, side, qty: self.qty(), order_type, reduce_only: self.dice.chance(20) }
    }

    /// Mostly recent orders, which still live; now and then a very old one, whose handle is stale.
    fn earlier_id(&mut self) -> OrderId {
        let back = if self.dice.chance(90) { 64 } else { 4096 };
        OrderId(self.next_id.saturating_sub(self.dice.below(back)))
    }

    fn price(&mut self) -> Price {
        let Habit { mid, width, .. } = self.habit;
        match self.dice.below(200) {
            // Far away, out of range, and the borders.
            0 => Price(self.dice.between(-1, 3)),
            1 => Price(i64::MAX >> self.dice.below(63)),
            _ => Price(mid + self.dice.between(-width, width)),
        }
    }

    fn qty(&mut self) -> Qty {
        match self.dice.below(200) {
            0 => Qty(0),
            1 => Qty((1 << self.dice.below(38)) + self.dice.between(-1, 1)),
            _ => Qty(self.dice.between(1, self.habit.qty_max)),
        }
    }
}
