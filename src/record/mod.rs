//! What was seen of a run: its tape, the columns that every table, axis and dictionary takes its names and units from, and
//! the record of one run as it is stored. Nothing here opens a file.

pub mod columns;
mod number;
mod row_writer;
pub mod run_record;
pub mod tape;

pub use columns::{Column, ColumnKind, Table};
pub use number::format_number;
pub use row_writer::{RowWriter, is_identifier};
pub use run_record::{Fragment, Outcome, RunKey, RunRecord};
