//! Runs rule W1 on every simulator in turn and prints messages per CPU second. The README says what may be compared.
#![allow(clippy::print_stdout, reason = "it prints its table")]

mod bourse;
mod firesale_side;
mod rule;

use rule::{Case, Run};

const ACCOUNTS: [u32; 3] = [1_000, 10_000, 100_000];
/// Messages on the clock, unless the command line says otherwise.
const MESSAGES: u64 = 2_000_000;
/// Rounds of all contenders, unless the command line says otherwise.
const ROUNDS: usize = 5;
/// Messages of an account before the clock starts: the book has its own shape by then, caches and branches are warm.
const WARM_UP_PER_ACCOUNT: u64 = 5;

struct Contender {
    name: &'static str,
    /// Whether it is one of those the ratios are taken to: the fastest of them has ratio one.
    is_peer: bool,
    run: fn(&Case) -> Run,
}

const CONTENDERS: &[Contender] = &[
    Contender { name: "bourse, runner, 1 a step", is_peer: true, run: |case| bourse::runner(case, 1) },
    Contender { name: "bourse, runner, 1000 a step", is_peer: true, run: |case| bourse::runner(case, 1_000) },
    Contender { name: "bourse, book alone", is_peer: true, run: bourse::book_alone },
    Contender { name: "firesale, margin and all", is_peer: false, run: firesale_side::w1 },
];

fn main() {
    let number = |place: usize| std::env::args().nth(place).and_then(|arg| arg.parse::<u64>().ok());
    let rounds = number(1).map_or(ROUNDS, |rounds| rounds.max(1) as usize);
    let messages = number(2).unwrap_or(MESSAGES).max(1);
    println!(
        "Rule W1: {messages} messages a run, medians of {rounds} interleaved rounds, ratio to the fastest peer"
    );
    println!(
        "{:>8}  {:<28}{:>14}{:>22}{:>8}{:>14}{:>16}",
        "accounts", "simulator", "messages/s", "least to most", "ratio", "live/account", "trades/message"
    );
    for accounts in ACCOUNTS {
        let runs = interleaved(accounts, messages, rounds);
        let peer = fastest_peer(&runs);
        for (contender, own) in CONTENDERS.iter().zip(&runs) {
            print_row(accounts, contender, own, peer);
        }
    }
}

/// The runs of each contender, in the order of the rounds: what slows the machine for a while slows all.
fn interleaved(accounts: u32, messages: u64, rounds: usize) -> Vec<Vec<Run>> {
    let mut runs = vec![Vec::with_capacity(rounds); CONTENDERS.len()];
    for round in 0..rounds {
        let case = Case {
            accounts,
            warm_up: WARM_UP_PER_ACCOUNT * u64::from(accounts),
            messages,
            seed: 1_000 * (1 + round as u64),
        };
        for (contender, own) in CONTENDERS.iter().zip(&mut runs) {
            own.push((contender.run)(&case));
        }
    }
    runs
}

fn fastest_peer(runs: &[Vec<Run>]) -> &[Run] {
    CONTENDERS
        .iter()
        .zip(runs)
        .filter(|(contender, _)| contender.is_peer)
        .map(|(_, own)| own)
        .max_by(|a, b| median_of(a, Run::messages_per_s).total_cmp(&median_of(b, Run::messages_per_s)))
        .expect("there is a peer")
}

fn print_row(accounts: u32, contender: &Contender, own: &[Run], peer: &[Run]) {
    let mut speeds: Vec<f64> = own.iter().map(Run::messages_per_s).collect();
    let speed = median(&mut speeds);
    let ratio = median(
        &mut own
            .iter()
            .zip(peer)
            .map(|(own, peer)| own.messages_per_s() / peer.messages_per_s())
            .collect::<Vec<_>>(),
    );
    let spread = format!("{:.0} to {:.0}", speeds[0], speeds[speeds.len() - 1]);
    let live = median_of(own, |run| run.live_orders as f64 / f64::from(accounts));
    let trades = median_of(own, |run| run.trades as f64 / run.messages as f64);
    println!(
        "{accounts:>8}  {:<28}{speed:>14.0}{spread:>22}{ratio:>8.2}{live:>14.2}{trades:>16.3}",
        contender.name
    );
}

fn median_of(runs: &[Run], value: impl Fn(&Run) -> f64) -> f64 {
    median(&mut runs.iter().map(value).collect::<Vec<_>>())
}

/// Sorts; of an even number of values the upper middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() >> 1]
}
