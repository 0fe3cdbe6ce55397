//! Bytes as operations on an index, so that a fuzzer can write them: any bytes mean something, and four make an operation.

use super::duel::{MARKETS, duel};
use super::ops::Op;
use super::{LiquidationTrigger, MarketId, PositionId, Price, Side};

/// Runs bytes as operations through all indices.
///
/// # Panics
/// Panics if they differ.
pub(super) fn check(bytes: &[u8]) {
    let Some((&head, rest)) = bytes.split_first() else { return };
    // Ticks are this far apart, in powers of two: from neighbours to the ends of 64 bits.
    let spread = u32::from(head) % 48;
    let (words, _) = rest.as_chunks::<4>();
    duel(words.iter().map(|&[kind, position, high, low]| {
        let tick = i64::from(u16::from_be_bytes([high, low]).min(i16::MAX as u16)) << spread;
        let (what, rest) = (kind % 10, kind.div_euclid(10));
        let market = MarketId(u16::from(rest) % MARKETS as u16);
        let side = if rest.div_euclid(3) & 1 == 0 { Side::Buy } else { Side::Sell };
        let position = PositionId(u32::from(position));
        match what {
            0..=3 => Op::Put(position, market, LiquidationTrigger { side, tick: Price(tick.max(1)) }),
            4 => Op::Take(position),
            5 | 6 => Op::Mark(market, Some(Price(tick))),
            7 if high & 1 == 0 => Op::PassOver(market, side),
            7 if high & 2 == 0 => Op::Mark(market, None),
            7 => Op::PassNobody,
            _ => Op::Pop,
        }
    }));
}
