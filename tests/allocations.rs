//! A run allocates while it grows to its size, and then no more: counted over the whole loop, agents, book, clearing,
//! liquidations and queue.

#[path = "../benches/speed/w1.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod w1;

use allocation_counter::AllocationInfo;
use firesale::rng::Seed;
use w1::Size;

/// Builds with assertions sum everything anew at every 2^18th step, which allocates: the messages counted lie between two of
/// those.
///
/// Runs a crowd on and returns what was allocated and how many were liquidated over 240,000 messages.
fn seen(size: Size, master: u64, before: u64) -> (AllocationInfo, u64) {
    let mut simulation = w1::simulation(size, Seed { master, replicate: 0 });
    w1::run(&mut simulation, size, before);
    let (messages, liquidations) = (simulation.messages(), simulation.world().ledger.count(w1::LIQUIDATIONS));
    let book = w1::book_bytes(&simulation);
    let mut seen = allocation_counter::measure(|| w1::run(&mut simulation, size, 240_000));
    // The book's memory is no allocator's.
    let grown = w1::book_bytes(&simulation) - book;
    seen.count_total += u64::from(grown > 0);
    seen.bytes_current += grown as i64;
    assert!(simulation.messages() - messages > 235_000);
    (seen, simulation.world().ledger.count(w1::LIQUIDATIONS) - liquidations)
}

#[test]
fn the_loop_allocates_nothing_once_it_has_its_size() {
    let (seen, _) = seen(Size { active: 300, idle: 2_000 }, 5, 1_055_000);
    assert_eq!(seen.count_total, 0, "{seen:?}");
}

/// A thin book walks far: positions are liquidated, others wait at ticks where nobody was before, and the index grows by
/// doubling. That is all: what is freed in between is what was outgrown. Where it walks is chance, hence several of them.
#[test]
fn a_walk_to_new_prices_allocates_for_growth_alone() {
    let (mut liquidated, mut grown) = (0, 0);
    for master in 1..=5 {
        let (seen, liquidations) = seen(Size { active: 6, idle: 60_000 }, master, 270_000);
        assert!(
            seen.count_total < 32 && seen.count_current >= 0,
            "{seen:?} with {liquidations} liquidations"
        );
        liquidated += liquidations;
        grown += seen.count_total;
    }
    assert!(liquidated > 0, "nobody was liquidated");
    assert!(grown > 0, "nothing grew");
}
