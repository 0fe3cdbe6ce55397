//! Bytes to operations: the fast index of liquidation triggers against the plain one and a scan.
#![no_main]

#[path = "../../src/clearing/index/tests/bytes.rs"]
mod bytes;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../src/clearing/index/tests/duel.rs"]
mod duel;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../src/clearing/index/tests/ops.rs"]
mod ops;
#[path = "../../src/clearing/index/tests/scan.rs"]
mod scan;

use firesale::clearing::{LiquidationIndex, LiquidationTrigger, PlainIndex, PositionId, TriggerIndex};
use firesale::units::{MarketId, Price, Side};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bytes::check(bytes));
