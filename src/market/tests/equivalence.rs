//! The fast books against the reference: drawn streams, random streams, and every short sequence.

use proptest::prelude::*;

use super::bytes;
use super::duel::{campaign, duel, exhaust};
use super::invariants::{ops, spec};
use super::{FastBook, FastIdBook, Op};

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

#[test]
fn both_books_answer_two_million_random_operations_alike() {
    campaign(2_000_000, 0);
}

#[test]
fn both_books_answer_every_sequence_of_four_alike() {
    assert_eq!(exhaust(4), 4 * (18 + 18 * 18 + 18 * 18 * 18 + 18 * 18 * 18 * 18));
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
