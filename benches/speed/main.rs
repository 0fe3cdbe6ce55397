//! How fast the whole engine is: rule W1 through the real loop, clearing and liquidations.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints its table")]

mod w1;

use firesale::rng::Seed;
use w1::Size;

fn main() {
    let args: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let size = Size { active: args[0] as u32, idle: args.get(2).copied().unwrap_or(0) as u32 };
    let mut simulation = w1::simulation(size, Seed { master: 1, replicate: 0 });
    let messages = args[1];
    let warm = u64::from(size.active) * 20;
    w1::run(&mut simulation, size, warm);
    let before = simulation.records();
    let start = cpu_time::ThreadTime::now();
    w1::run(&mut simulation, size, messages);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} accounts: {:.2} M messages/s, {:.0} ns, {:.2} records a message, {} live, mid {:?}",
        size.active,
        messages as f64 / seconds / 1e6,
        seconds / messages as f64 * 1e9,
        (simulation.records() - before) as f64 / messages as f64,
        firesale::market::Book::len(&simulation.world().markets[0].book),
        firesale::market::Book::mid_twice(&simulation.world().markets[0].book),
    );
}
