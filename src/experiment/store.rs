//! Finished runs on disk: an append-only journal in a locked results folder.
//!
//! The journal is the truth of a results folder; tables are made from it and can be made again. It stays after they
//! are written.
//!
//! What can go wrong: a process that is killed leaves a torn record at the end, a bad disk flips one in the middle.
//! Both fail their checksum, are dropped with a [`StoreWarning`], and the run is missing again, to be done again.

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
    fn changed(path: &Path, key: RunKey) -> Self {
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

/// The runs of one plan in one folder.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Where the next frame goes: the end of the last whole one.
    len: u64,
    index: BTreeMap<RunKey, Entry>,
    /// Whether something was written since the last sync.
    unsynced: bool,
    #[cfg(test)]
    syncs: std::sync::Arc<std::sync::atomic::AtomicU64>,
    _lock: FolderLock,
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
    /// Locks an existing folder and opens its journal, or begins one.
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
        let path = folder.join(JOURNAL);
        let mut warnings = Vec::new();
        let exists = path.try_exists().map_err(FileError::when("read", &path))?;
        let found = match opening {
            Opening::Resume if exists => Self::find(folder, &path, plan, &mut warnings)?,
            Opening::Resume | Opening::Anew => None,
        };
        let Found { index, len } = match found {
            Some(found) => found,
            None => begin(&path, plan)?,
        };
        let file =
            File::options().read(true).write(true).open(&path).map_err(FileError::when("open", &path))?;
        let store = Self {
            folder: folder.to_owned(),
            path,
            file,
            len,
            index,
            unsynced: false,
            #[cfg(test)]
            syncs: std::sync::Arc::default(),
            _lock: lock,
        };
        Ok((store, warnings))
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
        let start = match reader.head().map_err(FileError::when("read", path))? {
            Head::Whole { version, .. } if version != journal::VERSION => {
                return Err(StoreError::OtherVersion { folder: folder.to_owned(), found: version });
            }
            Head::Whole { plan_text, .. } if plan_text != plan.text => {
                let difference = difference(&plan_text, &plan.text);
                return Err(StoreError::OtherPlan { folder: folder.to_owned(), difference });
            }
            Head::Whole { end, .. } => end,
            Head::Damaged => {
                let aside = folder.join(DAMAGED);
                fs::rename(path, &aside).map_err(FileError::when("set aside", path))?;
                warnings.push(StoreWarning::SetAside { path: path.to_owned(), aside });
                return Ok(None);
            }
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
        self.index.iter().filter(|(_, entry)| entry.finished).map(|(key, _)| *key).collect()
    }

    /// Returns the runs that failed and have not finished since.
    pub fn failed(&self) -> BTreeSet<RunKey> {
        self.index.iter().filter(|(_, entry)| !entry.finished).map(|(key, _)| *key).collect()
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
        let at = PayloadAt { frame: self.len, len: run.payload_len };
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
        let file = File::open(&self.path).map_err(FileError::when("open", &self.path))?;
        let mut reader = Reader::new(file, self.len);
        let mut payload = Vec::new();
        Ok(self.index.iter().map(move |(key, entry)| {
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
        Self {
            key: record.key(),
            finished: record.outcome == Outcome::Finished,
            payload_len: payload.len() as u64,
            frame: journal::frame(&payload),
        }
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

fn open_to_read(path: &Path) -> Result<(File, u64), FileError> {
    let file = File::open(path).map_err(FileError::when("open", path))?;
    let len = file.metadata().map_err(FileError::when("read", path))?.len();
    Ok((file, len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fragment;
    use std::process::Command;

    fn holder() -> Holder {
        Holder { pid: std::process::id(), host: "here".to_owned() }
    }

    fn plan() -> Plan {
        Plan { text: "model = 1\nseed = 7\n".to_owned(), cells: 2, replicates: 2 }
    }

    fn record(key: RunKey) -> RunRecord {
        RunRecord {
            cell: key.cell,
            replicate: key.replicate,
            outcome: Outcome::Finished,
            metrics: vec![Some(0.1 + f64::from(key.cell)), None],
            tables: vec![Fragment {
                table: "series".to_owned(),
                rows: format!("{},{},0.5\n", key.cell, key.replicate),
            }],
            tape_hash: None,
        }
    }

    fn open(folder: &Path) -> (Store, Vec<StoreWarning>) {
        Store::open(folder, &plan(), &holder(), Opening::Resume).unwrap()
    }

    fn fill(folder: &Path) -> Vec<u64> {
        let (mut store, warnings) = open(folder);
        assert_eq!(warnings, []);
        let mut ends = vec![store.len];
        for key in plan().keys() {
            store.append(&record(key)).unwrap();
            ends.push(store.len);
        }
        store.sync().unwrap();
        assert!(store.is_complete(&plan()));
        ends
    }

    fn all(store: &Store) -> Vec<RunRecord> {
        store.records().unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn records_come_back_in_the_order_of_tables_whatever_the_order_of_writing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = open(folder.path());
        let keys: Vec<RunKey> = plan().keys().collect();
        for key in keys.iter().rev() {
            store.append(&record(*key)).unwrap();
        }
        let expected: Vec<RunRecord> = keys.iter().map(|key| record(*key)).collect();
        assert_eq!(all(&store), expected);
        drop(store);
        let (store, warnings) = open(folder.path());
        assert_eq!((all(&store), warnings), (expected, vec![]));
        assert_eq!(store.done(), keys.into_iter().collect());
    }

    #[test]
    fn a_journal_torn_at_any_byte_keeps_the_whole_records_and_takes_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let ends = fill(folder.path());
        let path = folder.path().join(JOURNAL);
        let whole = fs::read(&path).unwrap();
        let keys: Vec<RunKey> = plan().keys().collect();
        for cut in ends[0]..whole.len() as u64 {
            fs::write(&path, &whole[..cut as usize]).unwrap();
            let (mut store, warnings) = open(folder.path());
            let kept = ends[1..].iter().filter(|end| **end <= cut).count();
            assert_eq!(store.done(), keys[..kept].iter().copied().collect(), "cut at {cut}");
            assert_eq!(warnings.is_empty(), ends.contains(&cut), "cut at {cut}: {warnings:?}");
            for key in &keys[kept..] {
                store.append(&record(*key)).unwrap();
            }
            drop(store);
            assert_eq!(fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_head_torn_at_any_byte_is_set_aside_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let ends = fill(folder.path());
        let path = folder.path().join(JOURNAL);
        let whole = fs::read(&path).unwrap();
        for cut in 0..ends[0] {
            fs::write(&path, &whole[..cut as usize]).unwrap();
            let (store, warnings) = open(folder.path());
            assert!(store.done().is_empty());
            assert!(matches!(warnings[..], [StoreWarning::SetAside { .. }]), "cut at {cut}: {warnings:?}");
            assert_eq!(fs::read(folder.path().join(DAMAGED)).unwrap(), whole[..cut as usize]);
        }
    }

    #[test]
    fn a_flipped_byte_costs_one_run_is_said_and_is_gone_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let ends = fill(folder.path());
        let path = folder.path().join(JOURNAL);
        let whole = fs::read(&path).unwrap();
        let keys: Vec<RunKey> = plan().keys().collect();
        for at in ends[0] as usize..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x04;
            fs::write(&path, &flipped).unwrap();
            let hit = ends[1..].iter().filter(|end| **end <= at as u64).count();
            let (mut store, warnings) = open(folder.path());
            assert_eq!(warnings.len(), 1, "byte {at}: {warnings:?}");
            let lost: Vec<RunKey> = keys.iter().copied().filter(|key| !store.done().contains(key)).collect();
            assert_eq!(lost, [keys[hit]], "byte {at}");
            store.append(&record(keys[hit])).unwrap();
            let expected: Vec<RunRecord> = keys.iter().map(|key| record(*key)).collect();
            assert_eq!(all(&store), expected, "byte {at}");
            drop(store);
            let (store, warnings) = open(folder.path());
            assert_eq!((all(&store), warnings), (expected, vec![]), "byte {at}");
        }
    }

    #[test]
    fn a_record_that_changes_under_an_open_store_is_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let ends = fill(folder.path());
        let (store, _) = open(folder.path());
        let mut bytes = fs::read(folder.path().join(JOURNAL)).unwrap();
        bytes[ends[1] as usize - 1] ^= 1;
        fs::write(folder.path().join(JOURNAL), bytes).unwrap();
        let read: Vec<_> = store.records().unwrap().collect();
        assert!(matches!(read[0], Err(StoreError::Changed { cell: 0, replicate: 0, .. })));
        assert!(read[1..].iter().all(Result::is_ok));
    }

    #[test]
    fn a_second_process_is_refused_at_once_and_told_who_is_first() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(folder.path());
        for opening in [Opening::Resume, Opening::Anew] {
            let refused = Store::open(folder.path(), &plan(), &holder(), opening).unwrap_err();
            let expected = format!("is in use by process {} on here", std::process::id());
            assert!(refused.to_string().ends_with(&expected), "{refused}");
        }
        drop(store);
        open(folder.path());
    }

    #[test]
    fn a_folder_of_another_plan_is_refused_with_the_difference() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let other = Plan { text: "model = 1\nseed = 8\n".to_owned(), ..plan() };
        let refused = Store::open(folder.path(), &other, &holder(), Opening::Resume).unwrap_err();
        assert!(refused.to_string().ends_with("holds runs of another plan:\n  - seed = 7\n  + seed = 8"));
        let (store, warnings) = open(folder.path());
        assert_eq!((store.done().len(), warnings.len()), (4, 0), "a refusal changes nothing");
        drop(store);
        let (store, _) = Store::open(folder.path(), &other, &holder(), Opening::Anew).unwrap();
        assert!(store.done().is_empty(), "anew means anew");
    }

    #[test]
    fn a_run_that_failed_is_not_done_until_it_finishes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = open(folder.path());
        let key = RunKey { cell: 1, replicate: 0 };
        store.append(&RunRecord::failed(key, "broke".to_owned(), "again".to_owned())).unwrap();
        drop(store);
        let (mut store, _) = open(folder.path());
        assert_eq!((store.done().len(), store.failed().len()), (0, 1));
        store.append(&record(key)).unwrap();
        assert_eq!((store.done().len(), store.failed().len()), (1, 0));
        drop(store);
        let (store, _) = open(folder.path());
        assert_eq!(all(&store), [record(key)]);
    }

    #[test]
    fn a_full_disk_is_said_with_path_and_cause() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = open(folder.path());
        let key = RunKey { cell: 0, replicate: 0 };
        store.append(&record(key)).unwrap();
        store.replace_file_by("/dev/full");
        let error = store.append(&record(RunKey { cell: 1, replicate: 0 })).unwrap_err().to_string();
        assert!(error.contains(JOURNAL) && error.contains("No space left on device"), "{error}");
        assert_eq!(store.done().len(), 1, "what failed is not counted");
        assert_eq!(all(&store), [record(key)]);
    }

    /// Fills a store until its plan or its disk ends, and checks that exactly the acknowledged runs are there after.
    #[test]
    fn acknowledged_runs_are_intact_whether_the_disk_ends_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { cells: 100, replicates: 3, ..plan() };
        let (mut store, _) = Store::open(folder.path(), &plan, &holder(), Opening::Resume).unwrap();
        let mut acknowledged = Vec::new();
        for key in plan.keys() {
            match store.append(&record(key)) {
                Ok(()) => acknowledged.push(record(key)),
                Err(error) => {
                    println!("{error}");
                    break;
                }
            }
        }
        store.sync().unwrap();
        drop(store);
        let (store, warnings) = Store::open(folder.path(), &plan, &holder(), Opening::Resume).unwrap();
        assert_eq!((all(&store), warnings), (acknowledged, vec![]));
    }

    #[test]
    fn a_file_size_limit_is_said_with_path_and_cause_and_keeps_what_was_acknowledged() {
        // The limit belongs to a process, so the test above runs again in one of its own; XFSZ is ignored as the
        // program does.
        let test = std::env::current_exe().unwrap();
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
            .arg(test)
            .args([
                "--exact",
                "experiment::store::tests::acknowledged_runs_are_intact_whether_the_disk_ends_or_not",
            ])
            .arg("--nocapture")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
        assert!(said.contains("cannot write ") && said.contains(JOURNAL), "{said}");
        assert!(said.contains("File too large"), "{said}");
    }
}
