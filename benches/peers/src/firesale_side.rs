//! Rule W1 on firesale: the file that its own benchmark runs, with every account's leveraged position and the look at all of
//! them after every message.

#[path = "../../speed/w1.rs"]
#[allow(dead_code, reason = "firesale's own benchmark uses all of it")]
mod w1;

use crate::rule::{Case, Run, cpu_s};
use firesale::market::Book;
use firesale::rng::Seed;
use w1::Size;

pub(crate) fn w1(case: &Case) -> Run {
    let size = Size { active: case.accounts, idle: 0 };
    let mut simulation = w1::simulation(size, Seed { master: case.seed, replicate: 0 });
    w1::run(&mut simulation, size, case.warm_up);
    let (messages, trades) = (simulation.messages(), simulation.world().ledger.count(w1::TRADES));
    let cpu_s = cpu_s(|| w1::run(&mut simulation, size, case.messages));
    Run {
        messages: simulation.messages() - messages,
        cpu_s,
        live_orders: simulation.world().market(w1::MARKET).book.len() as u64,
        trades: simulation.world().ledger.count(w1::TRADES) - trades,
    }
}
