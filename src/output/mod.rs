//! The results folder: tables, figure, data package, manifest and checksums.
//!
//! The life of a folder:
//! 1. [`claim`] creates it, or makes sure that it is one of ours.
//! 2. The store (`experiment::Store`) locks it and keeps its journal there, which is the truth and stays.
//! 3. [`standing`] tells what is left to do: runs, tables, or nothing.
//! 4. A [`Publication`] makes every file from the journal, each whole or absent, and seals them with `manifest.json`
//!    and `SHA256SUMS` (which `sha256sum -c` reads).
//!
//! Tables are CSV, plain or in a form that is smaller ([`Compression`]); whatever reads them takes any form.
//!
//! What can go wrong: the folder holds something else, the disk is full, a file was changed after it was sealed. The
//! first two are errors with a path; the last is found by [`verify`], and the file is made again from the journal.
//!
//! Everything that is sealed depends on the plan and the program alone. Host, threads and times are in
//! `run-log.json`, outside the checksums.

mod compression;
mod data_package;
mod figure;
mod folder;
mod latex;
mod manifest;
#[cfg(feature = "parquet")]
mod parquet;
mod publication;
mod report;
mod run_log;
mod tables;

pub use compression::{Compression, open as open_table, packed_name, plain_name};
pub use figure::{Band, Series, crash_figure};
pub use folder::{FolderError, claim, default_path, discard_results};
pub use latex::{Cell, booktabs};
pub use manifest::{
    FileEntry, MANIFEST, Manifest, Origin, SUMS, Standing, read_manifest, standing, table_sum, verify,
};
pub use publication::{OutputError, Publication};
pub use report::{PAGE, REPORT, Report, ReportError};
pub use run_log::{RUN_LOG, Session, log_session};
pub use tables::{Forms, Rows, TableJob, failures_row, runs_row};
