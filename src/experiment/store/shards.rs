//! Journals of shards: processes that share a folder without a lock, on one machine or many.
//!
//! 1. [`Store::open_shard`] begins a journal of its own, named by shard, host and process, and learns from all others which runs
//!    are done.
//! 2. Each appends to its own. A run may be done twice; it has the same bytes then, or something is wrong.
//! 3. [`Store::open`] locks the folder and takes over what the shards have. Their journals stay, and are known again.
//!
//! What can go wrong: the last record of a journal that somebody writes right now, or was killed in, is torn, and is not seen.

use super::{
    Entry, JOURNAL, LOCK, Opening, RecordHead, Store, StoreError, StoreWarning, first_record, open_to_read,
};
use crate::experiment::journal::{PayloadAt, Reader};
use crate::experiment::store::EncodedRun;
use crate::experiment::whole_file::{FileError, WholeFile};
use crate::experiment::{Holder, Plan, Shard};
use crate::record::{Outcome, RunKey};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// How the name of a shard's journal begins.
const BEGINNING: &str = "journal";
/// How the name of a shard's journal ends.
const ENDING: &str = ".fsj";

/// Tells whether a file of this name is a store's: a journal, the lock, or one of them in the making.
pub fn is_own(name: &str) -> bool {
    let whole = name.strip_suffix(WholeFile::PARTIAL).unwrap_or(name);
    let is_shared = name.starts_with(WholeFile::SHARED) && whole.len() < name.len();
    whole == JOURNAL || whole == LOCK || is_shard(whole) || is_shared
}

/// Tells whether a name is that of a shard's journal.
fn is_shard(name: &str) -> bool {
    name.strip_prefix(BEGINNING).is_some_and(|rest| rest.starts_with('-') && rest.ends_with(ENDING))
}

/// What the journals of a folder hold, for somebody who only looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Runs of the plan that finished somewhere.
    pub finished: u64,
    /// Runs that failed and finished nowhere.
    pub failed: u64,
    /// Names of journals with the number of runs that each has.
    pub journals: Vec<(String, u64)>,
}

impl Store {
    /// Opens a folder for one of several processes, without a lock.
    ///
    /// # Errors
    /// As for [`Store::open`], but nobody is refused because of somebody else.
    pub fn open_shard(
        folder: &Path,
        plan: &Plan,
        holder: &Holder,
        shard: Shard,
    ) -> Result<(Self, Vec<StoreWarning>), StoreError> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let host: String = holder.host.chars().map(plain).collect();
        let (index, count, pid) = (shard.index(), shard.count(), holder.pid);
        let path = folder.join(format!("{BEGINNING}-{index}-of-{count}-{host}-{pid}{ENDING}"));
        let mut warnings = Vec::new();
        let mut store = Self::with_journal(folder, path.clone(), plan, Opening::Resume, &mut warnings)?;
        // Nobody is kept out by it: it tells others of this machine that the shard is at work. Where a file system has no locks,
        // nobody is told.
        let _ = store.file.try_lock();
        let mut elsewhere = BTreeSet::new();
        let whole = folder.join(JOURNAL);
        for other in journals(folder)?.into_iter().chain(whole.exists().then_some(whole)) {
            if other != path {
                read(folder, &other, plan, &mut warnings, |key, finished, _, _| {
                    if finished {
                        elsewhere.insert(key);
                    }
                })?;
            }
        }
        store.elsewhere = elsewhere;
        Ok((store, warnings))
    }

    /// Counts what the journals of a folder hold, and changes nothing.
    ///
    /// # Errors
    /// A journal is of another plan or format, or cannot be read.
    pub fn count(folder: &Path, plan: &Plan) -> Result<(Counted, Vec<StoreWarning>), StoreError> {
        let mut all: BTreeMap<RunKey, bool> = BTreeMap::new();
        let (mut warnings, mut counted) = (Vec::new(), Vec::new());
        let whole = folder.join(JOURNAL);
        for path in whole.exists().then_some(whole).into_iter().chain(journals(folder)?) {
            let mut own = BTreeSet::new();
            read(folder, &path, plan, &mut warnings, |key, finished, _, _| {
                own.insert(key);
                *all.entry(key).or_default() |= finished;
            })?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            counted.push((name.unwrap_or_default(), own.len() as u64));
        }
        let finished = all.values().filter(|finished| **finished).count() as u64;
        Ok((Counted { finished, failed: all.len() as u64 - finished, journals: counted }, warnings))
    }

    /// Adds the runs of shards that this store does not have.
    pub(super) fn take_over(
        &mut self,
        plan: &Plan,
        warnings: &mut Vec<StoreWarning>,
    ) -> Result<(), StoreError> {
        let folder = self.folder.clone();
        for path in journals(&folder)? {
            let mut wrong = None;
            read(&folder, &path, plan, warnings, |key, finished, at, payload| {
                if wrong.is_none() {
                    wrong = self.take(&path, key, finished, at, payload).err();
                }
            })?;
            if let Some(error) = wrong {
                return Err(error);
            }
        }
        self.sync()
    }

    fn take(
        &mut self,
        path: &Path,
        key: RunKey,
        finished: bool,
        at: PayloadAt,
        payload: &[u8],
    ) -> Result<(), StoreError> {
        match self.index.get(&key) {
            Some(Entry { at: ours, finished: true }) if finished && ours.digest != at.digest => {
                Err(StoreError::Disagreement {
                    cell: key.cell,
                    replicate: key.replicate,
                    one: self.path.clone(),
                    other: path.to_owned(),
                })
            }
            // What failed here and finished there is taken from there.
            Some(entry) if entry.finished || !finished => Ok(()),
            _ => self.append_encoded(&EncodedRun::of_payload(key, finished, payload)),
        }
    }
}

/// Removes the journals of shards, unless one of them is at work.
pub(super) fn remove(folder: &Path) -> Result<(), StoreError> {
    let journals = journals(folder)?;
    for path in &journals {
        let file = File::open(path).map_err(FileError::when("open", path))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let holder = format!("a shard that writes {name}");
            return Err(StoreError::Held { folder: folder.to_owned(), holder });
        }
    }
    for path in journals {
        fs::remove_file(&path).map_err(FileError::when("remove", &path))?;
    }
    Ok(())
}

/// Lists the journals of shards by name.
fn journals(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(FileError::when("read", folder))?;
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_shard))
        .map(|entry| entry.path())
        .collect();
    paths.sort_unstable();
    Ok(paths)
}

/// Hands every whole record of a journal to `each`: run, whether it finished, place, bytes. The journal is not changed, since
/// somebody may be writing it.
fn read(
    folder: &Path,
    path: &Path,
    plan: &Plan,
    warnings: &mut Vec<StoreWarning>,
    mut each: impl FnMut(RunKey, bool, PayloadAt, &[u8]),
) -> Result<(), StoreError> {
    let (file, len) = open_to_read(path)?;
    let mut reader = Reader::new(&file, len);
    let Some(start) = first_record(&mut reader, folder, path, plan)? else {
        warnings.push(StoreWarning::Damaged { path: path.to_owned(), at: 0, bytes: len });
        return Ok(());
    };
    let scanned = reader.scan(start, |at, payload| {
        if let Ok(head) = serde_json::from_slice::<RecordHead>(payload) {
            let key = RunKey { cell: head.cell, replicate: head.replicate };
            if plan.contains(key) {
                each(key, head.outcome == Outcome::Finished, at, payload);
            }
        }
    });
    let damaged = scanned.map_err(FileError::when("read", path))?;
    let in_the_middle = damaged.into_iter().filter(|range| range.end < len);
    warnings.extend(in_the_middle.map(|range| StoreWarning::Damaged {
        path: path.to_owned(),
        at: range.start,
        bytes: range.end - range.start,
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunRecord;

    fn plan() -> Plan {
        Plan { text: "seed = 7\n".to_owned(), cells: 5, replicates: 2, ..Plan::default() }
    }

    fn holder(pid: u32) -> Holder {
        Holder { pid, host: "north.example".to_owned() }
    }

    fn record(key: RunKey) -> RunRecord {
        RunRecord {
            outcome: Outcome::Finished,
            metrics: vec![Some(f64::from(key.cell))],
            ..RunRecord::failed(key, String::new(), String::new())
        }
    }

    fn shard(folder: &Path, index: u32, pid: u32) -> Store {
        let shard = Shard::new(index, 2).unwrap();
        Store::open_shard(folder, &plan(), &holder(pid), shard).unwrap().0
    }

    fn whole(folder: &Path) -> Result<(Store, Vec<StoreWarning>), StoreError> {
        Store::open(folder, &plan(), &holder(1), Opening::Resume)
    }

    #[test]
    fn shards_that_overlap_end_as_one_store() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (shard(folder.path(), 0, 10), shard(folder.path(), 1, 11));
        for key in plan().keys() {
            let halves = [&mut one, &mut other];
            halves[key.cell as usize % 2].append(&record(key)).unwrap();
        }
        // Somebody is sent the first shard again, and an engine that lost its wits runs a cell twice.
        let again = shard(folder.path(), 0, 12);
        assert_eq!(again.done().len(), 10);
        other.append(&record(RunKey { cell: 0, replicate: 0 })).unwrap();
        let (counted, warnings) = Store::count(folder.path(), &plan()).unwrap();
        assert_eq!((counted.finished, counted.failed, warnings.len()), (10, 0, 0));
        let of_journals: Vec<u64> = counted.journals.iter().map(|(_, runs)| *runs).collect();
        assert_eq!(of_journals, [6, 0, 5]);
        assert_eq!(counted.journals[0].0, "journal-0-of-2-north_example-10.fsj");
        let expected: Vec<RunRecord> = plan().keys().map(record).collect();
        for _ in 0..2 {
            let (store, warnings) = whole(folder.path()).unwrap();
            let all: Vec<RunRecord> = store.records().unwrap().map(Result::unwrap).collect();
            assert_eq!((all, warnings), (expected.clone(), vec![]));
        }
    }

    #[test]
    fn a_run_with_two_results_is_an_error_and_a_failed_one_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let key = RunKey { cell: 0, replicate: 1 };
        let (mut one, mut other) = (shard(folder.path(), 0, 10), shard(folder.path(), 0, 11));
        one.append(&RunRecord::failed(key, "broke".to_owned(), String::new())).unwrap();
        other.append(&record(key)).unwrap();
        assert_eq!(whole(folder.path()).unwrap().0.done().len(), 1);
        one.append(&RunRecord { metrics: vec![None], ..record(key) }).unwrap();
        let said = whole(folder.path()).unwrap_err().to_string();
        assert!(said.starts_with("cell 0, replicate 1 has one result in "), "{said}");
    }

    #[test]
    fn a_torn_journal_gives_its_whole_records_and_another_plan_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = shard(folder.path(), 0, 10);
        for key in plan().keys().take(2) {
            one.append(&record(key)).unwrap();
        }
        let bytes = fs::read(&one.path).unwrap();
        for cut in 0..bytes.len() {
            fs::write(&one.path, &bytes[..cut]).unwrap();
            let (counted, _) = Store::count(folder.path(), &plan()).unwrap();
            assert!(counted.finished < 2, "cut at {cut}");
            assert_eq!(fs::read(&one.path).unwrap().len(), cut, "looking changes nothing");
        }
        fs::write(&one.path, &bytes).unwrap();
        let other = Plan { text: "seed = 8\n".to_owned(), ..plan() };
        let refused = Store::open_shard(folder.path(), &other, &holder(9), Shard::WHOLE).unwrap_err();
        assert!(matches!(refused, StoreError::OtherPlan { .. }), "{refused}");
    }

    #[test]
    fn only_names_that_a_store_makes_are_its_own() {
        for own in [
            "journal.fsj",
            "journal.lock",
            "journal.fsj.partial",
            "journal-0-of-2-north-7.fsj",
            "journal.shared.Ab1.partial",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in
            ["journal.tex", "journal-club.pdf", "journal.shared.txt", "journal", "runs.csv", ".partial"]
        {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn anew_throws_shards_away_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut at_work = shard(folder.path(), 0, 10);
        at_work.append(&record(RunKey { cell: 0, replicate: 0 })).unwrap();
        let refused = Store::open(folder.path(), &plan(), &holder(1), Opening::Anew).unwrap_err().to_string();
        assert!(
            refused.contains("in use by a shard that writes journal-0-of-2-north_example-10.fsj"),
            "{refused}"
        );
        assert_eq!(journals(folder.path()).unwrap().len(), 1);
        drop(at_work);
        let (store, _) = Store::open(folder.path(), &plan(), &holder(1), Opening::Anew).unwrap();
        assert!(store.done().is_empty());
        assert_eq!(journals(folder.path()).unwrap(), Vec::<PathBuf>::new());
    }
}
