//! Bytes as operations on a book, so that a fuzzer can write them: any bytes mean something, and four make an operation.

use super::duel::duel;
use super::ops::POLICIES;
use super::session::{OWNERS, Op};
use super::{
    BookSpec, FastBook, FastIdBook, NewOrder, OrderId, OrderType, Owner, Position, Price, Qty, Side,
    TimeInForce,
};

/// Where prices lie: beside a page's border, in an ordinary market, a page apart, far apart.
const GRIDS: [(i64, i64); 4] = [(64, 1), (10_000, 3), (1 << 20, 64), (1 << 40, 1 << 32)];

/// The first byte of an operation. Limit orders that rest are twice as likely as other kinds.
#[derive(Clone, Copy)]
struct Kind(u8);

impl Kind {
    const COUNT: u8 = 10;

    fn what(self) -> u8 {
        self.0 % Self::COUNT
    }

    fn rest(self) -> u8 {
        self.0.div_euclid(Self::COUNT)
    }

    fn side(self) -> Side {
        if self.rest() & 1 == 0 { Side::Buy } else { Side::Sell }
    }

    fn reduce_only(self) -> bool {
        self.rest() & 6 == 6
    }

    /// The order takes the id of an earlier one, which may live.
    fn is_duplicate(self) -> bool {
        self.rest() >= 24
    }
}

/// Runs bytes as operations through the reference and a fast book.
///
/// # Panics
/// Panics if the books differ.
pub(super) fn check(bytes: &[u8]) {
    let Some((&head, rest)) = bytes.split_first() else { return };
    let self_trade = POLICIES[usize::from(head & 3)];
    let grid = GRIDS[usize::from(head >> 2 & 3)];
    let min_notional = if head & 16 == 0 { 0 } else { grid.0 * 2 };
    let spec = BookSpec { self_trade, min_notional };
    let (words, _) = rest.as_chunks::<4>();
    // A book without a table of ids takes its caller's word that ids are new.
    if head & 32 == 0 {
        duel::<FastIdBook>(spec, ops(words, grid, true));
    } else {
        duel::<FastBook>(spec, ops(words, grid, false));
    }
}

fn ops(words: &[[u8; 4]], grid: (i64, i64), duplicates: bool) -> impl Iterator<Item = Op> + '_ {
    let mut next_id = 0;
    words.iter().map(move |&[kind, who, price, qty]| {
        let kind = Kind(kind);
        let earlier = OrderId(u64::saturating_sub(next_id, u64::from(who)));
        let owner = Owner(u32::from(who) % OWNERS);
        let limit_price = self::price(price, grid);
        let limit = |tif| OrderType::Limit { price: limit_price, tif };
        let order_type = match kind.what() {
            0 | 1 => limit(TimeInForce::Gtc),
            2 => limit(TimeInForce::Ioc),
            3 => limit(TimeInForce::Fok),
            4 => limit(TimeInForce::PostOnly),
            5 => OrderType::Market { worst: None },
            6 => OrderType::Market { worst: Some(limit_price) },
            7 => return Op::Cancel(earlier),
            8 => return Op::Amend(earlier, limit_price, self::qty(qty)),
            _ => return Op::Move(owner, Position(i64::from(qty.cast_signed()))),
        };
        let id = if duplicates && kind.is_duplicate() {
            earlier
        } else {
            next_id += 1;
            OrderId(next_id)
        };
        Op::Submit(NewOrder {
            id,
            owner,
            side: kind.side(),
            qty: self::qty(qty),
            order_type,
            reduce_only: kind.reduce_only(),
        })
    })
}

/// Near the middle of the grid; the last few are the borders, out of range on either side.
fn price(byte: u8, (mid, step): (i64, i64)) -> Price {
    match byte {
        0..240 => Price(mid + (i64::from(byte) - 120) * step),
        240..244 => Price(i64::from(byte) - 241),
        244.. => Price(i64::MAX >> ((byte - 244) * 3)),
    }
}

/// Small, or around a power of two up to and beyond the largest.
fn qty(byte: u8) -> Qty {
    match byte {
        0..128 => Qty(i64::from(byte)),
        128.. => Qty((1 << (byte - 128).div_euclid(3)) + i64::from(byte % 3) - 1),
    }
}
