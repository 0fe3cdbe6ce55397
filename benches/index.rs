//! How long the index of liquidation triggers takes: to be asked, to move a position, to give up the one that is due. Not a
//! test: `cargo test` compares the indices.
//!
//! `cargo bench --bench index` prints the table, fast beside plain. It shows the least of several rounds, since others use the machine.
//! Triggers lie on 50,000 ticks on either side of the mark, more of them near it; "one tick" is a crowd with one trigger.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints its table")]

use firesale::clearing::{LiquidationIndex, LiquidationTrigger, PlainIndex, PositionId, TriggerIndex};
use firesale::units::{MarketId, Price, Side};

/// Rounds of everything, the least of which is shown.
const ROUNDS: usize = 5;
const MARKET: MarketId = MarketId(0);
/// The mark around which triggers lie, in ticks.
const MARK: i64 = 100_000;
/// Moves in a round.
const MOVES: usize = 1_000_000;
/// Moves that are timed together; the quickest part of a round is shown, since others use the machine too.
const PART: usize = 20_000;

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
    println!("ns (least of {ROUNDS} rounds), bytes of the fast index a position");
    println!("{:<36}{:>10}{:>8}{:>8}{:>8}", "", "positions", "fast", "plain", "bytes");
    for positions in [10_000, 100_000, 1_000_000] {
        let book = Positions::around_the_mark(positions);
        row("a mark that touches nobody", &book, |book| {
            (book.ask::<TriggerIndex>(), book.ask::<PlainIndex>())
        });
        row("a trigger moves by up to 50 ticks", &book, |book| {
            (book.relocate::<TriggerIndex>(), book.relocate::<PlainIndex>())
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
    let least =
        (0..ROUNDS).map(|_| measure(positions)).reduce(|one, other| (one.0.min(other.0), one.1.min(other.1)));
    let (fast, plain) = least.expect("there are rounds");
    let count = positions.triggers.len();
    let bytes = positions.fill::<TriggerIndex>().memory() as f64 / count as f64;
    println!("{name:<36}{count:>10}{fast:>8.2}{plain:>8.2}{bytes:>8.1}");
}

/// Positions by id, and the moves of them that are timed.
struct Positions {
    triggers: Vec<LiquidationTrigger>,
    moves: Vec<Move>,
}

/// A position's trigger goes from one tick to another.
#[derive(Clone, Copy)]
struct Move {
    position: PositionId,
    from: LiquidationTrigger,
    to: LiquidationTrigger,
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
        Self::with_moves(triggers, 50)
    }

    fn on_one_tick(count: usize) -> Self {
        Self::with_moves(vec![LiquidationTrigger { side: Side::Buy, tick: Price(90_000) }; count], 0)
    }

    /// Draws moves by up to `most` ticks, each from where the one before left its position.
    fn with_moves(triggers: Vec<LiquidationTrigger>, most: i64) -> Self {
        let mut dice = Dice(2);
        let mut now = triggers.clone();
        let moves = (0..MOVES)
            .map(|_| {
                let position = PositionId(dice.below(triggers.len() as u64) as u32);
                let trigger = &mut now[position.0 as usize];
                let from = *trigger;
                trigger.tick.0 += dice.below(2 * most as u64 + 1) as i64 - most;
                Move { position, from, to: *trigger }
            })
            .collect();
        Self { triggers, moves }
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
        let mut dice = Dice(3);
        let marks: Vec<_> = (0..MOVES).map(|_| [Some(Price(MARK + dice.below(99) as i64 - 49))]).collect();
        least(&marks, |mark| assert_eq!(index.next_due(mark, &[]), None))
    }

    fn relocate<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        least(&self.moves, |go| index.relocate(MARKET, go.position, Some(go.from), Some(go.to)))
    }

    fn leave_and_return<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        least(&self.moves, |go| {
            index.remove(MARKET, go.position, go.from);
            index.insert(MARKET, go.position, go.to);
        })
    }

    /// Takes all longs out, highest first, as the mark of a crash would.
    fn pop<I: LiquidationIndex>(&self) -> f64 {
        let mut index: I = self.fill();
        // Sorted beforehand, so that looking up a trigger, which the caller has at hand, is not part of the time.
        let mut longs: Vec<(LiquidationTrigger, PositionId)> =
            self.triggers.iter().copied().zip((0..).map(PositionId)).collect();
        longs.retain(|(trigger, _)| trigger.side == Side::Buy);
        longs.sort_by_key(|(trigger, position)| (-trigger.tick.0, *position));
        let start = now();
        for (trigger, position) in &longs {
            assert_eq!(index.next_due(&[Some(Price(1))], &[]), Some(*position));
            index.remove(MARKET, *position, *trigger);
        }
        start.elapsed().as_secs_f64() * 1e9 / longs.len() as f64
    }
}

/// Does something with every item and returns the time of one in ns, of the quickest part.
fn least<T>(items: &[T], mut act: impl FnMut(&T)) -> f64 {
    let parts = items.chunks_exact(PART).map(|part| {
        let start = now();
        part.iter().for_each(&mut act);
        start.elapsed().as_secs_f64() * 1e9 / PART as f64
    });
    parts.reduce(f64::min).expect("there are parts")
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
