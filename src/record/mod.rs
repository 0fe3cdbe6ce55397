//! What was seen of a run: its tape, the columns that every table, axis and dictionary takes its names and units from, and
//! the record of one run as it is stored, and what of it is compared with the world. Nothing here opens a file.

pub mod auditor;
pub mod columns;
mod criticality;
mod liquidation_map;
mod number;
mod recorder;
mod row_writer;
pub mod run_record;
mod scale;
pub mod tables;
pub mod tape;
pub mod targets;

pub use auditor::{AuditReport, Auditor};
pub use columns::{Column, ColumnKind, Table};
pub use number::format_number;
pub use recorder::{Recorder, Simulated};
pub use row_writer::{RowWriter, is_identifier, numbers};
pub use run_record::{Fragment, Outcome, RunKey, RunRecord};
pub use tape::TapeHasher;
