//! How fast the whole engine is, and what an account costs: rule W1 through the real loop, clearing and liquidations; a
//! shipped scenario with and without its tables; replicates on threads and in processes.
//!
//! `cargo bench --bench speed` prints the table and writes `results/speed.csv`. Times are CPU time of the thread that runs;
//! cases that are compared run in turn, round by round, so that what slows the machine for a while slows both.
//!
//! `cargo bench --bench speed -- SECTION` prints one section (w1, accounts, memory, recording, replicates) and writes nothing.
//! `cargo bench --bench speed -- count ACCOUNTS MESSAGES [IDLE]` runs W1 once, for instruction counts: two runs of different
//! length under `valgrind --tool=callgrind`, their difference over the difference in messages (`benches/instructions`).
//! `cargo bench --bench speed -- process SEED` runs the scenario's replicates with their tables, `-- bare SEED` without.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints its table")]

mod table;
mod w1;

use cpu_time::ThreadTime;
use firesale::engine::Simulation;
use firesale::experiment::{Cancel, Design};
use firesale::market::Book;
use firesale::record::RunKey;
use firesale::rng::Seed;
use firesale::scenario::{Document, Scenario, check, shipped};
use firesale::units::Time;
use rayon::prelude::*;
use table::Table;
use w1::Size;

/// Messages of W1 on the clock.
const MESSAGES: u64 = 1_000_000;
/// Rounds of all cases that are compared.
const ROUNDS: usize = 7;
/// Replicates of the scenario a thread or process: as many as `run` makes, of which the first keeps a map of liquidation prices.
const REPLICATES: u32 = 20;

/// The name of a section and what fills it in.
type Section = (&'static str, fn(&mut Table));

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |place: usize| args.get(place).and_then(|arg| arg.parse::<u64>().ok());
    match args.first().map(String::as_str) {
        Some("count") => {
            let size =
                Size { active: number(1).unwrap_or(1_000) as u32, idle: number(3).unwrap_or(0) as u32 };
            let run = w1(size, 1, number(2).unwrap_or(MESSAGES));
            println!("{run:?}, {:.0} ns a message", run.ns());
        }
        // One of two processes that are compared with two threads.
        Some("process") => {
            let design = long_squeeze(number(1).unwrap_or(0));
            for replicate in 0..REPLICATES {
                recorded(&design, replicate);
            }
        }
        // The same with nothing recorded.
        Some("bare") => {
            let master = number(1).unwrap_or(0);
            let design = long_squeeze(master);
            let messages =
                (0..REPLICATES).map(|replicate| unwatched(&design.base, Seed { master, replicate }));
            println!("{} messages", messages.sum::<u64>());
        }
        // `cargo test --all-targets` runs this program without `--bench`.
        _ if std::env::args().any(|arg| arg == "--bench") => {
            let sections: [Section; 5] = [
                ("w1", crowds),
                ("accounts", accounts),
                ("memory", memory),
                ("recording", recording),
                ("replicates", replicates),
            ];
            if let Some(name) = args.first().filter(|name| sections.iter().all(|(one, _)| one != name)) {
                println!(
                    "no section is called {name:?}; there are w1, accounts, memory, recording, replicates"
                );
                std::process::exit(1);
            }
            let mut table = Table::default();
            for (_, section) in sections.iter().filter(|(name, _)| args.is_empty() || args[0] == *name) {
                section(&mut table);
            }
            if args.is_empty() {
                table.write("results/speed.csv");
            }
        }
        _ => {}
    }
}

/// One run of W1.
#[derive(Clone, Copy, Debug)]
struct Run {
    messages: u64,
    seconds: f64,
    trades: u64,
    liquidations: u64,
    live_orders: usize,
}

impl Run {
    fn ns(&self) -> f64 {
        self.seconds / self.messages as f64 * 1e9
    }

    fn millions_a_second(&self) -> f64 {
        self.messages as f64 / self.seconds / 1e6
    }
}

/// Runs W1 on the clock, after as many messages off it as give the book its own shape.
fn w1(size: Size, seed: u64, messages: u64) -> Run {
    let mut simulation = w1::simulation(size, Seed { master: seed, replicate: 0 });
    w1::run(&mut simulation, size, 20 * u64::from(size.active));
    let counts = |simulation: &Simulation<w1::Crowd>| {
        let ledger = &simulation.world().ledger;
        (simulation.messages(), ledger.count(w1::TRADES), ledger.count(w1::LIQUIDATIONS))
    };
    let before = counts(&simulation);
    let start = ThreadTime::now();
    w1::run(&mut simulation, size, messages);
    let seconds = start.elapsed().as_secs_f64();
    let after = counts(&simulation);
    Run {
        messages: after.0 - before.0,
        seconds,
        trades: after.1 - before.1,
        liquidations: after.2 - before.2,
        live_orders: simulation.world().market(w1::MARKET).book.len(),
    }
}

/// W1 by the number of accounts.
fn crowds(table: &mut Table) {
    let sizes = [1_000, 10_000, 100_000].map(|active| Size { active, idle: 0 });
    let runs = rounds(|seed| sizes.map(|size| w1(size, seed, MESSAGES)));
    for (index, size) in sizes.iter().enumerate() {
        let case = format!("{} accounts", size.active);
        let of = |value: fn(&Run) -> f64| runs.iter().map(|round| value(&round[index])).collect::<Vec<_>>();
        table.add("w1", &case, "messages", "M/CPU s", of(Run::millions_a_second));
        table.add("w1", &case, "trades", "a message", of(|run| run.trades as f64 / run.messages as f64));
        table.add(
            "w1",
            &case,
            "liquidations",
            "a million messages",
            of(|run| run.liquidations as f64 / run.messages as f64 * 1e6),
        );
        let live: Vec<f64> =
            runs.iter().map(|round| round[index].live_orders as f64 / f64::from(size.active)).collect();
        table.add("w1", &case, "live orders", "an account", live);
    }
}

/// The same flow beside accounts that hold a leveraged position and do nothing.
fn accounts(table: &mut Table) {
    let sizes = [0, 990_000].map(|idle| Size { active: 10_000, idle });
    let runs = rounds(|seed| sizes.map(|size| w1(size, seed, MESSAGES)));
    let ns = |index: usize| runs.iter().map(|round| round[index].ns()).collect::<Vec<_>>();
    table.add("accounts", "10000 leveraged accounts", "time", "ns a message", ns(0));
    table.add("accounts", "1000000 leveraged accounts", "time", "ns a message", ns(1));
    let ratios = runs.iter().map(|[few, many]| many.ns() / few.ns()).collect();
    table.add("accounts", "1000000 over 10000", "time", "ratio", ratios);
}

/// Bytes an account, and bytes that a run grows by.
fn memory(table: &mut Table) {
    let seed = Seed { master: 1, replicate: 0 };
    let bytes = |size: Size| {
        let mut simulation = None;
        let seen = allocation_counter::measure(|| simulation = Some(w1::simulation(size, seed)));
        let book = simulation.as_ref().map_or(0, w1::book_bytes);
        ((seen.bytes_current + book as i64) as f64, simulation)
    };
    let few = bytes(Size { active: 10_000, idle: 0 }).0;
    let many = bytes(Size { active: 10_000, idle: 1_000_000 }).0;
    table.add("memory", "a leveraged account", "memory", "bytes", vec![(many - few) / 1e6]);
    let size = Size { active: 10_000, idle: 0 };
    let mut simulation = bytes(size).1.expect("it was made");
    w1::run(&mut simulation, size, MESSAGES);
    for part in 1..=4 {
        let book = w1::book_bytes(&simulation);
        let seen = allocation_counter::measure(|| w1::run(&mut simulation, size, MESSAGES));
        let grown = seen.bytes_current + (w1::book_bytes(&simulation) - book) as i64;
        let case = format!("W1, million {} to {}", part, part + 1);
        table.add("memory", &case, "growth", "bytes", vec![grown as f64]);
        table.add("memory", &case, "allocations", "count", vec![seen.count_total as f64]);
    }
}

fn long_squeeze(seed: u64) -> Design {
    let text = shipped::find("long-squeeze").expect("it is shipped").text;
    let document = Document::parse("long-squeeze", text.as_bytes()).expect("it is TOML");
    let scenario = check(&document, "long-squeeze").expect("it is right");
    Design::new(&scenario, seed, REPLICATES, false)
}

/// Runs a replicate with everything that `run` records by default.
fn recorded(design: &Design, replicate: u32) {
    let run = design.simulate(RunKey { cell: 0, replicate }, &Cancel::default());
    assert!(run.is_ok(), "nobody stops it");
}

/// Runs a replicate that nobody watches and returns its messages.
fn unwatched(scenario: &Scenario, seed: Seed) -> u64 {
    let mut simulation = Simulation::new(scenario, seed, &mut ());
    let mut time = Time::ZERO - scenario.burn_in;
    while time < scenario.duration {
        time = (time + scenario.sample_every).min(scenario.duration);
        simulation.step_until(time, &mut ());
    }
    simulation.messages()
}

/// The shipped long squeeze with its default tables and without.
fn recording(table: &mut Table) {
    let runs = rounds(|round| {
        let design = long_squeeze(round);
        let scenario = &design.base;
        let (mut messages, mut off, mut on) = (0, 0.0, 0.0);
        for replicate in 0..REPLICATES {
            let start = ThreadTime::now();
            messages += unwatched(scenario, Seed { master: round, replicate });
            off += start.elapsed().as_secs_f64();
            let start = ThreadTime::now();
            recorded(&design, replicate);
            on += start.elapsed().as_secs_f64();
        }
        (messages as f64, off, on)
    });
    let case = "long-squeeze";
    let rate = |seconds: fn(&(f64, f64, f64)) -> f64| {
        runs.iter().map(|run| run.0 / seconds(run) / 1e6).collect::<Vec<_>>()
    };
    table.add("recording", case, "messages, nothing recorded", "M/CPU s", rate(|run| run.1));
    table.add("recording", case, "messages, default tables", "M/CPU s", rate(|run| run.2));
    table.add(
        "recording",
        case,
        "cost of the tables",
        "ratio",
        runs.iter().map(|run| run.2 / run.1).collect(),
    );
    let messages = runs.iter().map(|run| run.0 / f64::from(REPLICATES)).collect();
    table.add("recording", case, "messages", "a replicate", messages);
}

/// Two threads against two processes of one thread, by the clock on the wall.
#[allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn replicates(table: &mut Table) {
    let program = std::env::current_exe().expect("it runs");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads start");
    let ratios = rounds(|round| {
        let start = std::time::Instant::now();
        let children: Vec<_> = (0..2)
            .map(|half| {
                let seed = (2 * round + half).to_string();
                std::process::Command::new(&program).args(["process", &seed]).spawn().expect("it starts")
            })
            .collect();
        for mut child in children {
            assert!(child.wait().expect("it ends").success());
        }
        let processes = start.elapsed().as_secs_f64();
        let designs = [long_squeeze(2 * round), long_squeeze(2 * round + 1)];
        let start = std::time::Instant::now();
        pool.install(|| {
            (0..2 * REPLICATES).into_par_iter().with_max_len(1).for_each(|index| {
                recorded(&designs[(index & 1) as usize], index >> 1);
            });
        });
        processes / start.elapsed().as_secs_f64()
    });
    table.add("replicates", "two threads over two processes", "throughput", "ratio", ratios);
}

/// Collects what each round gives.
fn rounds<T>(round: impl FnMut(u64) -> T) -> Vec<T> {
    (0..ROUNDS as u64).map(round).collect()
}
