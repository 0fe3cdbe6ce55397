//! How long the index of liquidation triggers takes: to be asked, to move a position, to give up the one that is due. Not a
//! test: `cargo test` compares the indices.
//!
//! `cargo bench --bench index` prints the table, fast beside plain. On a shared machine, look at the least of several runs.
//! Triggers lie on 50,000 ticks on either side of the mark, more of them near it; "one tick" is a crowd with one trigger.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints its table")]

use firesale::clearing::{LiquidationIndex, LiquidationTrigger, PlainIndex, PositionId, TriggerIndex};
use firesale::units::{MarketId, Price, Side};
use std::hint::black_box;

const ROUNDS: usize = 7;
const MARKET: MarketId = MarketId(0);
/// The mark around which triggers lie, in ticks.
const MARK: i64 = 100_000;
/// Moves that are timed in a round.
const MOVES: usize = 1_000_000;
/// Marks that are asked for in a round.
const MARKS: usize = 1 << 20;

fn main() {
    // `cargo test --all-targets` runs this program without `--bench`.
    if std::env::args().any(|arg| arg == "--bench") {
        table();
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn table() {
    println!("ns (median of {ROUNDS} rounds), bytes of the fast index a position");
    println!("{:<36}{:>10}{:>8}{:>8}{:>8}", "", "positions", "fast", "plain", "bytes");
    for positions in [10_000, 100_000, 1_000_000] {
        let book = Positions::around_the_mark(positions);
        row("a mark that touches nobody", &book, |book| {
            (book.ask::<TriggerIndex>(), book.ask::<PlainIndex>())
        });
        row("a trigger moves by up to 50 ticks", &book, |book| {
            (book.move_near::<TriggerIndex>(), book.move_near::<PlainIndex>())
        });
        row("a trigger stays where it is", &book, |book| {
            (book.stay::<TriggerIndex>(), book.stay::<PlainIndex>())
        });
        row("the next due goes, longs of a fall", &book, |book| {
            (book.pop::<TriggerIndex>(), book.pop::<PlainIndex>())
        });
        let crowd = Positions::on_one_tick(positions);
        row("one tick: a position goes and returns", &crowd, |crowd| {
            (crowd.leave_and_return::<TriggerIndex>(), crowd.leave_and_return::<PlainIndex>())
        });
        row("one tick: the next due goes", &crowd, |crowd| {
            (crowd.pop::<TriggerIndex>(), crowd.pop::<PlainIndex>())
        });
    }
}

fn row(name: &str, positions: &Positions, measure: impl Fn(&Positions) -> (f64, f64)) {
    let mut figures: (Vec<f64>, Vec<f64>) = (0..ROUNDS).map(|_| measure(positions)).unzip();
    figures.0.sort_by(f64::total_cmp);
    figures.1.sort_by(f64::total_cmp);
    let median = ROUNDS >> 1;
    let count = positions.triggers.len();
    let bytes = positions.fill::<TriggerIndex>().memory() as f64 / count as f64;
    println!("{name:<36}{count:>10}{:>8.2}{:>8.2}{bytes:>8.1}", figures.0[median], figures.1[median]);
}

/// Positions by id, and the moves of them that are timed.
struct Positions {
    triggers: Vec<LiquidationTrigger>,
    moves: Vec<(PositionId, i64)>,
}

impl Positions {
    /// Half are longs below the mark, half shorts above it, in no order.
    fn around_the_mark(count: usize) -> Self {
        let mut dice = Dice(1);
        let triggers = (0..count)
            .map(|_| {
                // The square of a uniform draw: the density falls with the distance, as that of high leverage does.
                let draw = dice.below(223) * dice.below(223);
                let distance = 100 + draw as i64 + dice.below(200) as i64;
                match dice.below(2) {
                    0 => LiquidationTrigger { side: Side::Buy, tick: Price(MARK - distance) },
                    _ => LiquidationTrigger { side: Side::Sell, tick: Price(MARK + distance) },
                }
            })
            .collect();
        let moves = (0..MOVES)
            .map(|_| (PositionId(dice.below(count as u64) as u32), dice.below(101) as i64 - 50))
            .collect();
        Self { triggers, moves }
    }

    fn on_one_tick(count: usize) -> Self {
        let moves = Self::around_the_mark(count).moves;
        Self { triggers: vec![LiquidationTrigger { side: Side::Buy, tick: Price(90_000) }; count], moves }
    }

    fn fill<I: LiquidationIndex>(&self) -> I {
        let mut index = I::new(1);
        for (position, trigger) in (0..).zip(&self.triggers) {
            index.insert(MARKET, PositionId(position), *trigger);
        }
        index
    }

    /// Asks for marks that walk between the nearest triggers.
    fn ask<I: LiquidationIndex>(&self) -> f64 {
        let index: I = self.fill();
        let marks: Vec<Option<Price>> =
            self.moves.iter().cycle().take(MARKS).map(|(_, step)| Some(Price(MARK + step))).collect();
        per(MARKS, || {
            let found =
                marks.iter().filter(|mark| index.next_due(std::slice::from_ref(*mark), &[]).is_some());
            assert_eq!(found.count(), 0);
        })
    }

    fn move_near<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        let mut triggers = self.triggers.clone();
        per(MOVES, || {
            for (position, step) in &self.moves {
                let trigger = &mut triggers[position.0 as usize];
                let from = *trigger;
                trigger.tick.0 += step;
                index.relocate(MARKET, *position, Some(from), Some(*trigger));
            }
        })
    }

    fn stay<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        per(MOVES, || {
            for (position, _) in &self.moves {
                let trigger = Some(self.triggers[position.0 as usize]);
                index.relocate(MARKET, *position, trigger, black_box(trigger));
            }
        })
    }

    fn leave_and_return<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        per(MOVES, || {
            for (position, _) in &self.moves {
                let trigger = self.triggers[position.0 as usize];
                index.remove(MARKET, *position, trigger);
                index.insert(MARKET, *position, trigger);
            }
        })
    }

    /// Takes all longs out, highest first, as the mark of a crash would.
    fn pop<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        let longs = self.triggers.iter().filter(|trigger| trigger.side == Side::Buy).count();
        let mut popped = 0;
        let time = per(longs, || {
            while let Some(position) = index.next_due(&[Some(Price(1))], &[]) {
                index.remove(MARKET, position, self.triggers[position.0 as usize]);
                popped += 1;
            }
        });
        assert_eq!(popped, longs);
        time
    }
}

/// Returns the time of one of `count` in ns.
fn per(count: usize, work: impl FnOnce()) -> f64 {
    let start = now();
    work();
    start.elapsed().as_secs_f64() * 1e9 / count as f64
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ (z >> 31)) * u128::from(count)) >> 64) as u64
    }
}
