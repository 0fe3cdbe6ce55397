//! What can be wrong with a store: what refuses it, and what was repaired.

use std::path::{Path, PathBuf};

use crate::experiment::journal;
use crate::experiment::whole_file::FileError;
use crate::record::RunKey;

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process works in the folder.
    #[error("{} is in use by {holder}", folder.display())]
    Held {
        /// The results folder.
        folder: PathBuf,
        /// Who works in it.
        holder: String,
    },
    /// The folder holds the runs of another plan.
    #[error("{} holds runs of another plan:\n  {}", folder.display(), difference.join("\n  "))]
    OtherPlan {
        /// The results folder.
        folder: PathBuf,
        /// `- ` lines of its plan, `+ ` lines of ours.
        difference: Vec<String>,
    },
    /// The journal was written by another version of the program.
    #[error("{} has journal format {found}; this program reads format {}", folder.display(), journal::VERSION)]
    OtherVersion {
        /// The results folder.
        folder: PathBuf,
        /// The format that it has.
        found: u32,
    },
    /// Two journals have different results of one run: one of them is of another build or machine that computes otherwise.
    #[error("cell {cell}, replicate {replicate} has one result in {} and another in {}", one.display(), other.display())]
    Disagreement {
        /// Cell of the run.
        cell: u32,
        /// Replicate of the run.
        replicate: u32,
        /// One journal.
        one: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record that was whole when the store was opened no longer is.
    #[error("the record of cell {cell}, replicate {replicate} in {} changed on disk; run the same command again", path.display())]
    Changed {
        /// The journal.
        path: PathBuf,
        /// Cell of the run.
        cell: u32,
        /// Replicate of the run.
        replicate: u32,
    },
}

impl StoreError {
    pub(super) fn changed(path: &Path, key: RunKey) -> Self {
        Self::Changed { path: path.to_owned(), cell: key.cell, replicate: key.replicate }
    }
}

/// Something that was repaired on opening and that the user should know.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreWarning {
    /// The last record was cut short, as a killed process leaves it.
    #[error("{} ended in the middle of a record; dropped {bytes} bytes, their run is done again", path.display())]
    TornEnd {
        /// The journal.
        path: PathBuf,
        /// How many bytes were dropped.
        bytes: u64,
    },
    /// Bytes before the last record failed their checksum.
    #[error("{} is damaged at byte {at}; dropped {bytes} bytes, their runs are done again", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the damage begins.
        at: u64,
        /// How many bytes were dropped.
        bytes: u64,
    },
    /// The head failed its checksum, so that nobody can tell whose runs these are.
    #[error("the head of {} is damaged; set aside as {}, all runs are done again", path.display(), aside.display())]
    SetAside {
        /// The journal.
        path: PathBuf,
        /// Its new name.
        aside: PathBuf,
    },
}
