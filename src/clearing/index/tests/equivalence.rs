//! The fast index against its judges: random streams and every short sequence.

use super::bytes;
use super::duel::{Duel, campaign};
use super::ops::Op;
use super::{LiquidationTrigger, MarketId, PositionId, Price, Side};

#[test]
fn all_indices_answer_a_million_random_operations_alike() {
    campaign(1_000_000, 0);
}

/// Two prices on either side of a page's border, three positions, so that heaps have an inside.
fn alphabet() -> Vec<Op> {
    let market = MarketId(0);
    let put = |position, side, tick| {
        Op::Put(PositionId(position), market, LiquidationTrigger { side, tick: Price(tick) })
    };
    vec![
        put(0, Side::Buy, 64),
        put(1, Side::Buy, 64),
        put(2, Side::Buy, 64),
        put(0, Side::Buy, 63),
        put(1, Side::Sell, 64),
        put(2, Side::Sell, 63),
        put(0, Side::Sell, 64),
        Op::Take(PositionId(0)),
        Op::Take(PositionId(1)),
        Op::Mark(market, Some(Price(63))),
        Op::Mark(market, Some(Price(64))),
        Op::PassOver(market, Side::Buy),
        Op::Pop,
    ]
}

fn extend(duel: &Duel, alphabet: &[Op], left: u32) -> u64 {
    let mut operations = 0;
    for op in alphabet {
        let mut next = duel.clone();
        next.apply(*op);
        operations += 1;
        if left > 1 {
            operations += extend(&next, alphabet, left - 1);
        } else {
            next.look();
        }
    }
    operations
}

#[test]
fn all_indices_answer_every_sequence_of_five_alike() {
    let alphabet = alphabet();
    let letters = alphabet.len() as u64;
    let operations = extend(&Duel::new(), &alphabet, 5);
    assert_eq!(operations, (1..=5).map(|length| letters.pow(length)).sum::<u64>());
}

/// The corpus of the fuzz target (docs/campaigns.md) is found from the root of the repository.
#[test]
fn all_indices_answer_every_kept_input_of_the_fuzzer_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/index");
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is kept") {
        bytes::check(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 50, "{inputs} inputs");
}
