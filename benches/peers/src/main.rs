//! Runs rule W1 on every simulator in turn and prints messages per CPU second. The README says what may be compared.
#![allow(clippy::print_stdout, reason = "it prints its table")]

mod bourse;
mod rule;

use rule::{Case, Run};

type Way = (&'static str, fn(&Case) -> Run);

const WAYS: [Way; 7] = [
    ("runner 1", |c| bourse::runner(c, 1)),
    ("runner 10", |c| bourse::runner(c, 10)),
    ("runner 100", |c| bourse::runner(c, 100)),
    ("runner 1000", |c| bourse::runner(c, 1000)),
    ("runner N", |c| bourse::runner(c, u64::from(c.accounts))),
    ("steps Env<0>", bourse::bare_steps),
    ("book", bourse::bare_book),
];

fn main() {
    for accounts in [1_000, 10_000, 100_000] {
        for seed in 0..3 {
            for (name, run) in WAYS {
                let case = Case { accounts, warm_up: 5 * u64::from(accounts), messages: 2_000_000, seed };
                let r = run(&case);
                println!(
                    "{accounts:>8} {name:<14} {:>12.0} {:.3} {:.3}",
                    r.messages as f64 / r.cpu_s,
                    r.live_orders as f64 / f64::from(accounts),
                    r.trades as f64 / r.messages as f64
                );
            }
        }
    }
}
