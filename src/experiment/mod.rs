//! Many runs: the plan of an experiment, the store that keeps finished runs on disk, and the runner that fills it.
//!
//! The life of an experiment:
//! 1. A [`Plan`] says which runs there are and carries the canonical text that identifies them.
//! 2. [`Store::open`] locks the results folder and reads which runs are already there.
//! 3. [`run_all`] does the missing ones in parallel; each is on disk when it is counted.
//! 4. [`Store::records`] hands all of them to whoever makes tables, in the order (cell, replicate).
//!
//! What can go wrong: another process holds the folder, it belongs to another plan, the disk is full or damaged. Each
//! is a [`StoreError`] or a [`StoreWarning`] with its path; a run that breaks is a record like any other.

mod amplification;
mod arm;
mod axes;
mod cancel;
mod comparison;
mod contest;
mod design;
mod journal;
mod jump_null;
mod lock;
mod measurements;
mod panics;
mod plan;
mod play;
mod points;
mod policy;
mod precision;
mod replication;
mod runner;
mod space;
mod store;
mod study;
pub mod validate;
mod values;
pub mod whole_file;

pub use amplification::{Amplification, Quartet, WANTED_HALF_WIDTH, surface};
pub use arm::Arm;
pub use axes::{SOBOL_POINTS, Sampling, Variant, Variation, name_apart, points};
pub use cancel::{Cancel, Signal};
pub use comparison::{Comparison, Forecast, Judged, TargetValues, Total, target_values_rows};
pub use contest::{Contest, Contrast, FACETS, Facet, Front, Phase, RANKED, Wanted};
pub use design::Design;
pub use jump_null::JumpNull;
pub use lock::Holder;
pub use measurements::{Effect, Gatherer, Mean, Measurements, is_column};
pub use plan::{Plan, Shard};
pub use points::{Axis, Combination, Label, MOST_POINTS, Moved, Overlay, Points, Written};
pub use policy::{BASELINE, POLICY_KEYS, Policy};
pub use precision::{BATCH, MOST_REPLICATES, Precision};
pub use replication::Replication;
pub use runner::{Ended, Finish, Halt, Limits, Progress, RunError, Stopped, Work, run_all};
pub use space::{BadPoints, Space};
pub use store::{Counted, JOURNAL, LOCK, Opening, Store, StoreError, StoreWarning, is_own};
pub use study::{STUDY_KEYS, Study};
pub use values::Between;
