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

mod cancel;
mod comparison;
mod design;
mod journal;
mod jump_null;
mod lock;
mod panics;
mod plan;
mod runner;
mod store;
pub mod validate;
pub mod whole_file;

pub use cancel::{Cancel, Signal};
pub use comparison::{Comparison, Forecast, Judged, TargetValues, Total, target_values_rows};
pub use design::{Arm, Cell, Design, Effect, Measurements};
pub use jump_null::JumpNull;
pub use lock::Holder;
pub use plan::Plan;
pub use runner::{Ended, Finish, Progress, RunError, Stopped, Work, run_all};
pub use store::{JOURNAL, LOCK, Opening, Store, StoreError, StoreWarning};
