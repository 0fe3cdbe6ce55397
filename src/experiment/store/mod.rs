//! Finished runs on disk: an append-only journal in a locked results folder.
//!
//! The journal is the truth of a results folder; tables are made from it and can be made again. It stays after they
//! are written.
//!
//! What can go wrong: a process that is killed leaves a torn record at the end, a bad disk flips one in the middle.
//! Both fail their checksum, are dropped with a [`StoreWarning`], and the run is missing again, to be done again.
//!
//! Shards of one plan share a folder without a lock, each with a journal of its own; whoever opens the folder as a whole takes
//! their runs over (`shards`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::journal::{self, Head, PayloadAt, Reader};
use super::lock::{Attempt, FolderLock};
use super::plan::difference;
use super::whole_file::{FileError, WholeFile, write_whole};
use super::{Holder, Plan};
use crate::record::{Outcome, RunKey, RunRecord};

mod shards;
mod trouble;

#[cfg(test)]
mod tests;

pub use shards::{Counted, is_own};
pub use trouble::{StoreError, StoreWarning};

/// Name of the journal in a results folder.
pub const JOURNAL: &str = "journal.fsj";
/// Name of the lock in a results folder.
pub const LOCK: &str = "journal.lock";
/// Name under which a journal is set aside whose head cannot be read.
const DAMAGED: &str = "journal.damaged";

/// Whether earlier runs count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// Keep what is there and do the rest.
    Resume,
    /// Throw away what is there, whatever plan it is of.
    Anew,
}

/// The runs of one plan in one folder.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Where the next frame goes: the end of the last whole one.
    len: u64,
    index: BTreeMap<RunKey, Entry>,
    /// Runs that finished in journals of others, of which this store only knows that they are done.
    elsewhere: BTreeSet<RunKey>,
    /// Whether something was written since the last sync.
    unsynced: bool,
    #[cfg(test)]
    syncs: std::sync::Arc<std::sync::atomic::AtomicU64>,
    _lock: Option<FolderLock>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: PayloadAt,
    finished: bool,
}

/// What a journal holds.
struct Found {
    index: BTreeMap<RunKey, Entry>,
    len: u64,
}

/// What a record says about itself; the rest is skipped when a journal is opened.
#[derive(Deserialize)]
struct RecordHead {
    cell: u32,
    replicate: u32,
    outcome: Outcome,
}

impl Store {
    /// Locks an existing folder and opens its journal, or begins one; the runs of shards are taken over.
    pub fn open(
        folder: &Path,
        plan: &Plan,
        holder: &Holder,
        opening: Opening,
    ) -> Result<(Self, Vec<StoreWarning>), StoreError> {
        let lock = match FolderLock::attempt(&folder.join(LOCK), holder)? {
            Attempt::Locked(lock) => lock,
            Attempt::Held(holder) => return Err(StoreError::Held { folder: folder.to_owned(), holder }),
        };
        let mut warnings = Vec::new();
        if opening == Opening::Anew {
            shards::remove(folder)?;
        }
        let path = folder.join(JOURNAL);
        let store = Self::with_journal(folder, path, plan, opening, &mut warnings)?;
        let mut store = Self { _lock: Some(lock), ..store };
        store.take_over(plan, &mut warnings)?;
        Ok((store, warnings))
    }

    /// Opens one journal, or begins it.
    fn with_journal(
        folder: &Path,
        path: PathBuf,
        plan: &Plan,
        opening: Opening,
        warnings: &mut Vec<StoreWarning>,
    ) -> Result<Self, StoreError> {
        let exists = path.try_exists().map_err(FileError::when("read", &path))?;
        let found = match opening {
            Opening::Resume if exists => Self::find(folder, &path, plan, warnings)?,
            Opening::Resume | Opening::Anew => None,
        };
        let Found { index, len } = match found {
            Some(found) => found,
            None => begin(&path, plan)?,
        };
        let file =
            File::options().read(true).write(true).open(&path).map_err(FileError::when("open", &path))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            len,
            index,
            elsewhere: BTreeSet::new(),
            unsynced: false,
            #[cfg(test)]
            syncs: std::sync::Arc::default(),
            _lock: None,
        })
    }

    /// Reads a journal that exists and repairs it; `None` if it had to be set aside.
    fn find(
        folder: &Path,
        path: &Path,
        plan: &Plan,
        warnings: &mut Vec<StoreWarning>,
    ) -> Result<Option<Found>, StoreError> {
        let (file, len) = open_to_read(path)?;
        let mut reader = Reader::new(&file, len);
        let Some(start) = first_record(&mut reader, folder, path, plan)? else {
            let aside = folder.join(DAMAGED);
            fs::rename(path, &aside).map_err(FileError::when("set aside", path))?;
            warnings.push(StoreWarning::SetAside { path: path.to_owned(), aside });
            return Ok(None);
        };
        let mut index = BTreeMap::new();
        let damaged = reader
            .scan(start, |at, payload| {
                // A payload with a right checksum that does not decode was written by no version of this format; its
                // run counts as missing.
                if let Ok(head) = serde_json::from_slice::<RecordHead>(payload) {
                    let key = RunKey { cell: head.cell, replicate: head.replicate };
                    if plan.contains(key) {
                        index.insert(key, Entry { at, finished: head.outcome == Outcome::Finished });
                    }
                }
            })
            .map_err(FileError::when("read", path))?;
        match damaged[..] {
            [] => Ok(Some(Found { index, len })),
            [ref tail] if tail.end == len => {
                let file = File::options().write(true).open(path).map_err(FileError::when("open", path))?;
                file.set_len(tail.start)
                    .and_then(|()| file.sync_all())
                    .map_err(FileError::when("repair", path))?;
                let bytes = tail.end - tail.start;
                warnings.push(StoreWarning::TornEnd { path: path.to_owned(), bytes });
                Ok(Some(Found { index, len: tail.start }))
            }
            _ => {
                warnings.extend(damaged.iter().map(|range| StoreWarning::Damaged {
                    path: path.to_owned(),
                    at: range.start,
                    bytes: range.end - range.start,
                }));
                let len = rewrite(path, &mut reader, plan, &mut index)?;
                Ok(Some(Found { index, len }))
            }
        }
    }

    /// Returns the results folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the runs that finished. A run that failed is not among them: the next attempt does it again.
    pub fn done(&self) -> BTreeSet<RunKey> {
        let own = self.index.iter().filter(|(_, entry)| entry.finished).map(|(key, _)| *key);
        own.chain(self.elsewhere.iter().copied()).collect()
    }

    /// Returns the runs that failed and have not finished since.
    pub fn failed(&self) -> BTreeSet<RunKey> {
        self.index.iter().filter(|(_, entry)| !entry.finished).map(|(key, _)| *key).collect()
    }

    /// Tells whether a run failed and has not finished since.
    pub fn has_failures(&self) -> bool {
        self.index.values().any(|entry| !entry.finished)
    }

    /// Forgets the runs that a plan does not have; they stay in the journal.
    pub fn keep_only(&mut self, plan: &Plan) {
        self.index.retain(|key, _| plan.contains(*key));
        self.elsewhere.retain(|key| plan.contains(*key));
    }

    /// Tells whether every run of the plan finished.
    pub fn is_complete(&self, plan: &Plan) -> bool {
        self.index.len() as u64 == plan.runs() && self.index.values().all(|entry| entry.finished)
    }

    /// Adds a run; one that is there already is replaced. It survives the end of this process once this returns, and a
    /// power cut after the next [`Store::sync`].
    pub fn append(&mut self, record: &RunRecord) -> Result<(), StoreError> {
        self.append_encoded(&EncodedRun::new(record))
    }

    /// Adds a run that was encoded before, so that encoding needs no exclusive access to the store.
    pub(super) fn append_encoded(&mut self, run: &EncodedRun) -> Result<(), StoreError> {
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(&run.frame));
        if let Err(source) = written {
            // Takes back the part that was written, if the disk lets us; if not, its checksum gives it away.
            let _ = self.file.set_len(self.len);
            return Err(FileError { action: "write", path: self.path.clone(), source }.into());
        }
        let at = PayloadAt { frame: self.len, len: run.payload_len, digest: journal::digest(&run.frame) };
        self.index.insert(run.key, Entry { at, finished: run.finished });
        self.len = at.frame_range().end;
        self.unsynced = true;
        Ok(())
    }

    /// Makes all that was added durable.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced {
            self.file.sync_data().map_err(FileError::when("sync", &self.path))?;
            self.unsynced = false;
            #[cfg(test)]
            self.syncs.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        Ok(())
    }

    /// Writes go to `path` from now on, which stands for a disk with troubles.
    #[cfg(test)]
    pub(super) fn replace_file_by(&mut self, path: &str) {
        self.file = File::options().write(true).open(path).unwrap();
    }

    /// Counts how often the journal was synced.
    #[cfg(test)]
    pub(super) fn syncs_seen(&self) -> std::sync::Arc<std::sync::atomic::AtomicU64> {
        std::sync::Arc::clone(&self.syncs)
    }

    /// Reads all runs in the order (cell, replicate), one at a time.
    pub fn records(
        &self,
    ) -> Result<impl Iterator<Item = Result<RunRecord, StoreError>> + use<'_>, StoreError> {
        self.records_from(0)
    }

    /// Returns where the next run will be written, for [`Store::records_from`].
    pub const fn end(&self) -> u64 {
        self.len
    }

    /// Reads the runs that were written at this place or behind it, as [`Store::records`] does.
    pub fn records_from(
        &self,
        place: u64,
    ) -> Result<impl Iterator<Item = Result<RunRecord, StoreError>> + use<'_>, StoreError> {
        self.read(move |entry| entry.at.frame >= place)
    }

    /// Reads the runs that failed and have not finished since, as [`Store::records`] does.
    pub fn failures(
        &self,
    ) -> Result<impl Iterator<Item = Result<RunRecord, StoreError>> + use<'_>, StoreError> {
        self.read(|entry| !entry.finished)
    }

    fn read(
        &self,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<impl Iterator<Item = Result<RunRecord, StoreError>>, StoreError> {
        let file = File::open(&self.path).map_err(FileError::when("open", &self.path))?;
        let mut reader = Reader::new(file, self.len);
        let mut payload = Vec::new();
        let entries = self.index.iter().filter(move |(_, entry)| wanted(entry));
        Ok(entries.map(move |(key, entry)| {
            let found =
                reader.payload(entry.at.frame, &mut payload).map_err(FileError::when("read", &self.path))?;
            let record = found.and_then(|_| serde_json::from_slice(&payload).ok());
            record
                .filter(|record: &RunRecord| record.key() == *key)
                .ok_or_else(|| StoreError::changed(&self.path, *key))
        }))
    }
}

/// A run as bytes of the journal.
pub(super) struct EncodedRun {
    key: RunKey,
    finished: bool,
    payload_len: u64,
    frame: Vec<u8>,
}

impl EncodedRun {
    pub(super) fn new(record: &RunRecord) -> Self {
        let payload = serde_json::to_vec(record).expect("a record has string keys only");
        Self::of_payload(record.key(), record.outcome == Outcome::Finished, &payload)
    }

    fn of_payload(key: RunKey, finished: bool, payload: &[u8]) -> Self {
        Self { key, finished, payload_len: payload.len() as u64, frame: journal::frame(payload) }
    }
}

fn begin(path: &Path, plan: &Plan) -> Result<Found, StoreError> {
    let head = journal::head(&plan.text);
    write_whole(path, &head)?;
    Ok(Found { index: BTreeMap::new(), len: head.len() as u64 })
}

/// Writes a new journal of the whole records and puts it in the place of the damaged one.
fn rewrite(
    path: &Path,
    reader: &mut Reader<&File>,
    plan: &Plan,
    index: &mut BTreeMap<RunKey, Entry>,
) -> Result<u64, StoreError> {
    let mut whole = WholeFile::create(path)?;
    let head = journal::head(&plan.text);
    whole.append(&head)?;
    let mut len = head.len() as u64;
    let mut payload = Vec::new();
    for (key, entry) in index {
        let found = reader.payload(entry.at.frame, &mut payload).map_err(FileError::when("read", path))?;
        if found.is_none() {
            return Err(StoreError::changed(path, *key));
        }
        whole.append(&journal::frame(&payload))?;
        entry.at.frame = len;
        len = entry.at.frame_range().end;
    }
    whole.commit()?;
    Ok(len)
}

/// Reads the head of a journal of this plan and returns where its first record begins, or `None` if the head is damaged.
fn first_record(
    reader: &mut Reader<&File>,
    folder: &Path,
    path: &Path,
    plan: &Plan,
) -> Result<Option<u64>, StoreError> {
    match reader.head().map_err(FileError::when("read", path))? {
        Head::Whole { version, .. } if version != journal::VERSION => {
            Err(StoreError::OtherVersion { folder: folder.to_owned(), found: version })
        }
        Head::Whole { plan_text, .. } if plan_text != plan.text => {
            let difference = difference(&plan_text, &plan.text);
            Err(StoreError::OtherPlan { folder: folder.to_owned(), difference })
        }
        Head::Whole { end, .. } => Ok(Some(end)),
        Head::Damaged => Ok(None),
    }
}

fn open_to_read(path: &Path) -> Result<(File, u64), FileError> {
    let file = File::open(path).map_err(FileError::when("open", path))?;
    let len = file.metadata().map_err(FileError::when("read", path))?.len();
    Ok((file, len))
}
