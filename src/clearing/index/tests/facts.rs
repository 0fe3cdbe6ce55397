//! What every index must do, said one fact at a time.

use super::scan::ScanIndex;
use super::{
    Heaps, LiquidationIndex, LiquidationTrigger, MarketId, NONE, PlainIndex, PositionId, Price, Removed,
    Side, Ticks, TriggerIndex,
};
use std::collections::BTreeSet;

const A: MarketId = MarketId(0);
const B: MarketId = MarketId(1);

fn long(tick: i64) -> LiquidationTrigger {
    LiquidationTrigger { side: Side::Buy, tick: Price(tick) }
}

fn short(tick: i64) -> LiquidationTrigger {
    LiquidationTrigger { side: Side::Sell, tick: Price(tick) }
}

/// States facts for every implementation.
macro_rules! of_all {
    ($($fact:ident),*) => {
        mod fast { $(#[test] fn $fact() { super::$fact::<super::TriggerIndex>(); })* }
        mod plain { $(#[test] fn $fact() { super::$fact::<super::PlainIndex>(); })* }
        mod scan { $(#[test] fn $fact() { super::$fact::<super::ScanIndex>(); })* }
    };
}

of_all!(
    the_highest_long_goes_first_and_a_move_that_reaches_nobody_finds_nobody,
    shorts_go_after_longs_and_the_lowest_goes_first,
    a_side_that_is_passed_over_does_not_hold_up_the_others,
    a_position_that_flips_leaves_its_old_side
);

fn the_highest_long_goes_first_and_a_move_that_reaches_nobody_finds_nobody<I: LiquidationIndex>() {
    let mut index = I::new(1);
    index.insert(A, PositionId(1), long(90));
    index.insert(A, PositionId(3), long(95));
    index.insert(A, PositionId(2), long(95));
    index.insert(A, PositionId(4), short(110));
    assert_eq!(index.next_due(&[Some(Price(100))], &[]), None);
    assert_eq!(index.next_due(&[None], &[]), None);
    assert_eq!(index.next_due(&[Some(Price(95))], &[]), Some(PositionId(2)));
    index.remove(A, PositionId(2), long(95));
    assert_eq!(index.next_due(&[Some(Price(80))], &[]), Some(PositionId(3)));
    assert_eq!(index.next_due(&[Some(Price(110))], &[]), Some(PositionId(4)));
    assert_eq!(index.len(), 3);
}

fn shorts_go_after_longs_and_the_lowest_goes_first<I: LiquidationIndex>() {
    let mut index = I::new(2);
    index.insert(B, PositionId(0), long(100));
    index.insert(A, PositionId(7), short(90));
    index.insert(A, PositionId(8), short(80));
    index.insert(A, PositionId(9), long(100));
    let marks = [Some(Price(95)); 2];
    for (position, market, trigger) in
        [(9, A, long(100)), (8, A, short(80)), (7, A, short(90)), (0, B, long(100))]
    {
        assert_eq!(index.next_due(&marks, &[]), Some(PositionId(position)));
        index.remove(market, PositionId(position), trigger);
    }
    assert!(index.is_empty());
}

fn a_side_that_is_passed_over_does_not_hold_up_the_others<I: LiquidationIndex>() {
    let mut index = I::new(2);
    index.insert(A, PositionId(1), long(100));
    index.insert(A, PositionId(2), short(90));
    index.insert(B, PositionId(3), long(100));
    let marks = [Some(Price(95)); 2];
    let (longs, shorts) = ((A, Side::Buy), (A, Side::Sell));
    assert_eq!(index.next_due(&marks, &[]), Some(PositionId(1)));
    assert_eq!(index.next_due(&marks, &[longs]), Some(PositionId(2)));
    assert_eq!(index.next_due(&marks, &[longs, shorts]), Some(PositionId(3)));
    assert_eq!(index.next_due(&marks, &[longs, shorts, (B, Side::Buy)]), None);
}

fn a_position_that_flips_leaves_its_old_side<I: LiquidationIndex>() {
    let mut index = I::new(1);
    index.relocate(A, PositionId(0), None, Some(long(90)));
    index.relocate(A, PositionId(0), Some(long(90)), Some(short(90)));
    assert_eq!(index.next_due(&[Some(Price(89))], &[]), None);
    assert_eq!(index.next_due(&[Some(Price(90))], &[]), Some(PositionId(0)));
    index.relocate(A, PositionId(0), Some(short(90)), None);
    assert!(index.is_empty());
}

#[test]
fn the_borders_of_64_bits_are_ticks_like_others() {
    let mut index = TriggerIndex::new(1);
    assert_eq!(index.next_due(&[Some(Price(i64::MAX))], &[]), None);
    assert_eq!(index.next_due(&[Some(Price(i64::MIN))], &[]), None);
    index.insert(A, PositionId(0), short(i64::MAX));
    index.insert(A, PositionId(1), long(1));
    assert_eq!(index.next_due(&[Some(Price(i64::MAX - 1))], &[]), None);
    assert_eq!(index.next_due(&[Some(Price(i64::MAX))], &[]), Some(PositionId(0)));
    assert_eq!(index.next_due(&[Some(Price(1))], &[]), Some(PositionId(1)));
}

/// At a cost by the number of positions on the tick, this test would take minutes.
#[test]
fn a_crowd_on_one_tick_comes_and_goes_in_order() {
    const CROWD: u32 = 300_000;
    let mut index = TriggerIndex::new(1);
    let marks = [Some(Price(95))];
    // Every second one rises, as seeding does; the others come in an order of their own.
    for position in (0..CROWD).step_by(2) {
        index.insert(A, PositionId(position), long(95));
    }
    let scattered = |count: u32| (u64::from(count) * 7_919 % u64::from(CROWD >> 1)) as u32 * 2 + 1;
    for count in 0..CROWD >> 1 {
        index.insert(A, PositionId(scattered(count)), long(95));
    }
    // Part of the crowd goes from the middle of the heap and comes back, before and between the pops.
    for count in 0..CROWD >> 2 {
        let position = PositionId(scattered(count));
        index.relocate(A, position, Some(long(95)), Some(short(200)));
    }
    for count in 0..CROWD >> 2 {
        let position = PositionId(scattered(count));
        index.relocate(A, position, Some(short(200)), Some(long(95)));
    }
    for position in 0..CROWD {
        assert_eq!(index.next_due(&marks, &[]), Some(PositionId(position)));
        index.remove(A, PositionId(position), long(95));
    }
    assert!(index.is_empty());
}

#[test]
fn triggers_that_drift_use_their_memory_again() {
    let mut index = TriggerIndex::new(1);
    let mut last: Vec<Option<LiquidationTrigger>> = vec![None; 50];
    let mut memory = 0;
    for step in 0..200_000 {
        let place = step % 50;
        let low = (1 << 20) + step as i64 * 3;
        let trigger = if step % 2 == 0 { long(low) } else { short(low + 1_000) };
        index.relocate(A, PositionId(place as u32), last[place], Some(trigger));
        last[place] = Some(trigger);
        if step == 100_000 {
            memory = index.memory();
        }
    }
    assert_eq!(index.memory(), memory);
    assert!(memory < 20_000, "{memory} bytes");
}

/// Fills and empties ticks and compares every step with a sorted set.
fn agrees_with_a_sorted_set(drawn: impl IntoIterator<Item = i64>) {
    let (mut ticks, mut places) = (Ticks::new(), std::collections::BTreeMap::new());
    for tick in drawn {
        if let Some(place) = places.remove(&tick) {
            assert_eq!(ticks.tick(place), tick);
            let up = ticks.next(place, Side::Sell).map(|next| ticks.tick(next));
            assert_eq!(up, places.range(tick..).next().map(|(tick, _)| *tick));
            let down = ticks.next(place, Side::Buy).map(|next| ticks.tick(next));
            assert_eq!(down, places.range(..tick).next_back().map(|(tick, _)| *tick));
            ticks.empty(place);
        } else {
            let place = ticks.fill(tick);
            assert_eq!((ticks.tick(place), ticks.get(place)), (tick, NONE));
            ticks.set(place, 1);
            assert_eq!(ticks.fill(tick), place);
            places.insert(tick, place);
        }
    }
}

#[test]
fn neighbours_are_found_across_borders_of_pages_and_storeys() {
    let borders: Vec<i64> = (0..62)
        .flat_map(|bit| [(1 << bit) - 1, 1 << bit])
        .filter(|tick| *tick > 0)
        .chain([i64::MAX])
        .collect();
    let (rising, falling) = (borders.iter().copied(), borders.iter().rev().copied());
    agrees_with_a_sorted_set(
        rising.clone().chain(rising.clone()).chain(falling.clone()).chain(falling.clone()),
    );
    agrees_with_a_sorted_set(rising.chain(falling));
}

#[test]
fn a_heap_gives_back_what_was_put_in_whatever_was_taken_from_its_inside() {
    let mut seed = 1_u64;
    let mut draw = move || {
        seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (seed >> 33) as u32
    };
    let (mut heaps, mut first, mut set) = (Heaps::new(), NONE, BTreeSet::new());
    let mut is_heap = true;
    for _ in 0..200_000 {
        let position = draw() % 100;
        if set.insert(position) {
            // The list grows for a while, then it is made one heap and kept as one.
            is_heap &= draw() % 20 != 0;
            first = if is_heap && first != NONE {
                heaps.insert(PositionId(position), first, 5)
            } else {
                heaps.push(PositionId(position), first, 5)
            };
        } else {
            set.remove(&position);
            match heaps.remove(PositionId(position)) {
                Removed::First { place, follower } => {
                    assert_eq!((place, first), (5, position + 1));
                    first = follower;
                }
                Removed::Inside => assert_ne!(first, position + 1),
            }
            if !is_heap && first != NONE && draw() % 4 == 0 {
                (first, is_heap) = (heaps.merge(first, 5), true);
            }
        }
        if is_heap {
            assert_eq!(first, set.first().map_or(NONE, |position| position + 1));
        }
    }
}
