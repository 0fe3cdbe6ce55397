//! firesale: an agent-based simulator of leveraged market crashes.
//!
//! The floors of the house, top to bottom (imports go down only; `tests/it/floors.rs` keeps it so):
//! `cli` > `output` > `experiment` > `record` > `engine` > `scenario` > `agents`, `mechanisms` > `world` > `event` >
//! `market`, `clearing` > `stats` > `units`, `rng`, `sampling`.

pub mod agents;
pub mod clearing;
pub mod cli;
pub mod engine;
pub mod event;
pub mod experiment;
pub mod market;
pub mod mechanisms;
pub mod output;
pub mod record;
pub mod rng;
pub mod sampling;
pub mod scenario;
pub mod stats;
pub mod units;
pub mod world;

/// Version of the model: raised whenever a change moves a golden event tape (`tests/it/golden.rs`), and written into
/// every manifest, so that two results can be compared only when the same model made them.
pub const MODEL_VERSION: u32 = 5;
