//! The fast books against the reference: drawn streams, random streams, and every short sequence.

use proptest::prelude::*;

use super::bytes;
use super::duel::{LETTERS, campaign, duel, exhaust};
use super::invariants::{ops, spec};
use super::{FastBook, FastIdBook, Op, SelfTrade};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn both_books_answer_drawn_streams_alike(spec in spec(), ops in ops(80)) {
        duel::<FastIdBook>(spec, ops);
    }

    #[test]
    fn both_books_answer_drawn_streams_of_new_ids_alike(spec in spec(), ops in ops(80)) {
        let new = |(index, op): (u64, Op)| match op {
            Op::Submit(order) => Op::Submit(super::NewOrder { id: super::OrderId(index), ..order }),
            other => other,
        };
        duel::<FastBook>(spec, (0..).zip(ops).map(new));
    }
}

/// Makes every piece of a campaign a test, so that they run side by side.
macro_rules! campaigns {
    ($($piece:ident: $first_seed:literal;)*) => {
        mod twenty_million_random_operations_are_answered_alike {
            $(#[test] fn $piece() { super::campaign(2_500_000, $first_seed); })*
        }
    };
}

campaigns! {
    first: 0; second: 125; third: 250; fourth: 375; fifth: 500; sixth: 625; seventh: 750; eighth: 875;
}

/// Makes every self-trade policy a test.
macro_rules! policies {
    ($($policy:ident: $self_trade:ident;)*) => {
        mod every_sequence_of_five_is_answered_alike {
            $(#[test] fn $policy() {
                let every = (1..=5).map(|length| (super::LETTERS as u64).pow(length)).sum::<u64>();
                assert_eq!(super::exhaust(super::SelfTrade::$self_trade, 5), every);
            })*
        }
    };
}

policies! {
    allow: Allow; cancel_taker: CancelTaker; cancel_maker: CancelMaker; cancel_both: CancelBoth;
}

/// The corpus of the fuzz target (docs/campaigns.md) is found from the root of the repository.
#[test]
fn both_books_answer_every_kept_input_of_the_fuzzer_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/book");
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is kept") {
        bytes::check(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 50, "{inputs} inputs");
}
