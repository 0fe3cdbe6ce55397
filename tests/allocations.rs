//! A run allocates while it grows to its size, and then no more: counted over the whole loop, agents, book, clearing,
//! liquidations and queue.

#[path = "../benches/speed/w1.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod w1;

use firesale::rng::Seed;
use w1::Size;

#[test]
fn the_loop_allocates_nothing_once_it_has_its_size() {
    // A thin book walks far enough that some of the idle are liquidated.
    let size = Size { active: 6, idle: 10_000 };
    let mut simulation = w1::simulation(size, Seed { master: 5, replicate: 0 });
    w1::run(&mut simulation, size, 50_000);
    let liquidations = |simulation: &firesale::engine::Simulation<w1::Crowd>| {
        simulation.world().ledger.count(w1::LIQUIDATIONS)
    };
    let before = (simulation.messages(), liquidations(&simulation));
    let seen = allocation_counter::measure(|| w1::run(&mut simulation, size, 400_000));
    let after = (simulation.messages(), liquidations(&simulation));
    assert!(after.0 - before.0 > 390_000, "{} messages", after.0 - before.0);
    assert!(after.1 - before.1 > 0, "{} liquidations", after.1 - before.1);
    assert_eq!(seen.count_total, 0, "{seen:?} in {} messages", after.0 - before.0);
}
