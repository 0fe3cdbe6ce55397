//! Makes all files of a results folder from its journal and seals them.

use std::fs;
use std::io;
use std::path::Path;

use super::compression::{Compression, packed_name};
use super::data_package::{COLUMNS, DATA_PACKAGE, data_package, dictionary};
use super::manifest::{FileEntry, Origin, SummedFile, seal};
use super::tables::{Forms, TableFile, TableJob, write_tables};
use crate::experiment::whole_file::FileError;
use crate::experiment::{Cancel, StoreError};
use crate::record::RunRecord;
use crate::record::tables::FAILURES;

/// Why files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The journal could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody asked to stop.
    #[error("stopped before all tables were written; the runs are kept")]
    Cancelled,
}

/// Files in the making. Each is whole or absent; together they are results once [`Publication::seal`] returns, and a
/// publication that is interrupted is done again from the start.
pub struct Publication<'a> {
    folder: &'a Path,
    cancel: &'a Cancel,
    forms: Forms,
    files: Vec<FileEntry>,
    tables: Vec<TableFile<'a>>,
}

impl<'a> Publication<'a> {
    /// Begins in a folder that a store has locked; tables will have these forms. The dictionary of columns is always plain, as it is
    /// there to be looked at.
    pub fn begin(folder: &'a Path, cancel: &'a Cancel, forms: Forms) -> Self {
        Self { folder, cancel, forms, files: Vec::new(), tables: Vec::new() }
    }

    /// Writes the tables in one pass over the records.
    pub fn tables(
        &mut self,
        jobs: &[TableJob<'a>],
        records: impl Iterator<Item = Result<RunRecord, StoreError>>,
    ) -> Result<(), OutputError> {
        self.tables.extend(write_tables(self.folder, self.forms, jobs, records, self.cancel)?);
        Ok(())
    }

    /// Writes another file: the resolved scenario, a figure.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let entry = write_summed(self.folder, name, bytes)?;
        self.files.push(entry);
        Ok(())
    }

    /// Writes dictionary, description, manifest and checksums, in this order, and returns the names of all sealed
    /// files.
    pub fn seal(mut self, origin: &Origin) -> Result<Vec<String>, FileError> {
        let columns = dictionary(self.tables.iter().map(|written| written.table));
        self.file(COLUMNS, columns.as_bytes())?;
        let columns = self.files.last().expect("the dictionary was just written");
        let description = data_package(&origin.scenario, &self.tables, columns);
        self.file(DATA_PACKAGE, description.as_bytes())?;
        self.remove_former()?;
        let mut files = self.files;
        files.extend(self.tables.into_iter().flat_map(|written| written.files));
        let names = files.iter().map(|file| file.path.clone()).collect();
        seal(self.folder, origin, files)?;
        Ok(names)
    }
}

impl Publication<'_> {
    /// Removes what a publication before may have left: tables in another form, and failures of runs that were done again.
    fn remove_former(&self) -> Result<(), FileError> {
        let mut names = Vec::new();
        for table in self.tables.iter().map(|written| written.table).chain([&FAILURES]) {
            let forms = [None].into_iter().chain(Compression::ALL.map(Some));
            names.extend(forms.map(|form| packed_name(&table.file_name(), form)));
            names.push(table.parquet_name());
        }
        for name in names {
            if self.tables.iter().flat_map(|written| &written.files).any(|file| file.path == name) {
                continue;
            }
            let path = self.folder.join(&name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError { action: "remove", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn write_summed(folder: &Path, name: &str, bytes: &[u8]) -> Result<FileEntry, FileError> {
    let mut file = SummedFile::create(folder, name)?;
    file.append(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::super::tables::tests::{jobs, record};
    use super::super::{MANIFEST, SUMS, Standing, discard_results, standing, verify};
    use super::*;
    use crate::experiment::{
        Cancel, Holder, JOURNAL, LOCK, Limits, Opening, Plan, Shard, Signal, Stopped, Store, Work, run_all,
    };
    use crate::record::RunKey;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read as _;
    use std::num::NonZeroUsize;

    fn plan() -> Plan {
        Plan { text: "seed = 7\n".to_owned(), cells: 3, replicates: 4, ..Plan::default() }
    }

    fn origin(plan: &Plan) -> Origin {
        Origin {
            scenario: "calm".to_owned(),
            scenario_blake3: "ab".to_owned(),
            command: ["run", "calm", "--seed", "7"].map(str::to_owned).to_vec(),
            seed_scheme: "keyed-1".to_owned(),
            master_seed: "7".to_owned(),
            cells: plan.cells,
            replicates: plan.replicates,
            runs: None,
            failed_runs: 0,
            plan_blake3: plan.id(),
        }
    }

    fn store(folder: &Path) -> Store {
        let holder = Holder { pid: 1, host: "here".to_owned() };
        Store::open(folder, &plan(), &holder, Opening::Resume).unwrap().0
    }

    fn run_until(folder: &Path, threads: usize, last: Option<RunKey>) {
        let cancel = Cancel::default();
        let plan = plan();
        let work = Work {
            plan: &plan,
            shard: Shard::WHOLE,
            threads: NonZeroUsize::new(threads).unwrap(),
            progress: &(),
            cancel: &cancel,
            limits: Limits::NONE,
            apart: &BTreeSet::new(),
            reproduce: &|_| String::new(),
        };
        run_all(&work, &mut store(folder), |key, _| {
            if last.is_some_and(|last| key > last) {
                cancel.set(Signal::Interrupt);
                return Err(Stopped::Cancelled);
            }
            Ok(record(key))
        })
        .unwrap();
    }

    fn publish(folder: &Path) {
        publish_as(folder, Forms::default());
    }

    fn publish_as(folder: &Path, forms: Forms) {
        let store = store(folder);
        let cancel = Cancel::default();
        let mut publication = Publication::begin(folder, &cancel, forms);
        publication.tables(&jobs(), store.records().unwrap()).unwrap();
        publication.file("scenario.toml", b"seed = 7\n").unwrap();
        publication.seal(&origin(&plan())).unwrap();
    }

    /// Every file but the journal, whose order of records is that of their ends.
    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .filter(|(name, _)| name != JOURNAL && name != LOCK)
            .collect()
    }

    fn published(threads: usize) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), threads, None);
        publish(folder.path());
        files(folder.path())
    }

    #[test]
    fn one_two_and_eight_threads_make_the_same_bytes_of_every_file() {
        let expected = published(1);
        let names: Vec<&str> = expected.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "SHA256SUMS",
                "columns.csv",
                "datapackage.json",
                "manifest.json",
                "runs.csv",
                "scenario.toml",
                "series.csv",
                "summary.csv"
            ]
        );
        for threads in [2, 3, 8] {
            assert_eq!(published(threads), expected, "{threads} threads");
        }
    }

    #[test]
    fn a_resumed_experiment_makes_the_same_bytes_as_a_fresh_one() {
        let expected = published(2);
        for last in plan().keys() {
            let folder = tempfile::tempdir().unwrap();
            run_until(folder.path(), 2, Some(last));
            run_until(folder.path(), 1, None);
            publish(folder.path());
            assert_eq!(files(folder.path()), expected, "resumed after {last:?}");
        }
    }

    #[test]
    fn a_journal_cut_at_any_byte_resumes_to_the_same_bytes() {
        let expected = published(1);
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 1, None);
        publish(folder.path());
        let path = folder.path().join(JOURNAL);
        let whole = fs::read(&path).unwrap();
        // Every byte is tried in the store's own test; a stride that is no divisor of anything keeps this one short.
        for cut in (0..whole.len()).step_by(97) {
            fs::write(&path, &whole[..cut]).unwrap();
            run_until(folder.path(), 2, None);
            publish(folder.path());
            let _ = fs::remove_file(folder.path().join("journal.damaged"));
            assert_eq!(files(folder.path()), expected, "cut at {cut}");
        }
    }

    #[test]
    fn tables_in_another_form_take_the_place_of_the_former() {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 2, None);
        publish(folder.path());
        let plain = files(folder.path());
        fs::write(folder.path().join("notes.csv.gz"), "mine").unwrap();
        for form in Compression::ALL {
            #[allow(clippy::field_reassign_with_default, reason = "a build with Parquet has another field")]
            let forms = {
                let mut forms = Forms::default();
                forms.csv = Some(form);
                forms
            };
            publish_as(folder.path(), forms);
            let packed = files(folder.path());
            assert_eq!(verify(folder.path()), Ok(()));
            for table in ["runs.csv", "series.csv", "summary.csv"] {
                let name = packed_name(table, Some(form));
                let mut bytes = Vec::new();
                super::super::open_table(&folder.path().join(&name))
                    .unwrap()
                    .read_to_end(&mut bytes)
                    .unwrap();
                assert_eq!(bytes, plain[table], "{name}");
                assert!(!packed.contains_key(table), "{table} is left");
                let sums = String::from_utf8(packed[SUMS].clone()).unwrap();
                assert!(sums.contains(&format!("  {name}\n")), "{sums}");
            }
            assert_eq!(packed["columns.csv"], plain["columns.csv"]);
        }
        publish(folder.path());
        let mut again = files(folder.path());
        assert_eq!(again.remove("notes.csv.gz").as_deref(), Some(&b"mine"[..]));
        assert_eq!(again, plain);
    }

    #[test]
    fn a_folder_knows_what_is_left_to_do() {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 1, Some(RunKey { cell: 1, replicate: 0 }));
        assert_eq!(standing(&store(folder.path()), &plan()), Standing::Incomplete(7));
        run_until(folder.path(), 1, None);
        let unsealed = Standing::Unsealed(vec!["manifest.json is missing".to_owned()]);
        assert_eq!(standing(&store(folder.path()), &plan()), unsealed);
        publish(folder.path());
        assert_eq!(standing(&store(folder.path()), &plan()), Standing::Complete);
    }

    #[test]
    fn a_file_cut_or_flipped_or_gone_is_found_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 1, None);
        publish(folder.path());
        let expected = files(folder.path());
        for (name, whole) in &expected {
            let path = folder.path().join(name);
            let mut damages = vec![whole[..whole.len() - 1].to_vec(), Vec::new()];
            for at in (0..whole.len()).step_by(11).chain([whole.len() - 1]) {
                let mut flipped = whole.clone();
                flipped[at] ^= 0x01;
                damages.push(flipped);
            }
            for damage in damages {
                fs::write(&path, &damage).unwrap();
                let problems = verify(folder.path()).unwrap_err();
                assert!(problems.concat().contains(name.as_str()), "{name}: {problems:?}");
            }
            fs::remove_file(&path).unwrap();
            let missing = format!("{name} is missing");
            assert_eq!(verify(folder.path()), Err(vec![missing.clone()]));
            assert_eq!(standing(&store(folder.path()), &plan()), Standing::Unsealed(vec![missing]));
            publish(folder.path());
            assert_eq!(files(folder.path()), expected);
        }
        assert_eq!(verify(folder.path()), Ok(()));
    }

    #[test]
    fn a_manifest_that_names_a_file_outside_removes_nothing_there() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("results");
        fs::create_dir(&folder).unwrap();
        fs::write(parent.path().join("thesis.tex"), "x").unwrap();
        run_until(&folder, 1, None);
        publish(&folder);
        let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap();
        fs::write(folder.join(MANIFEST), manifest.replace("runs.csv", "../thesis.tex")).unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        discard_results(&folder).unwrap();
        let left: Vec<String> = files(&folder).into_keys().collect();
        assert_eq!(left, ["notes.txt", "runs.csv"], "only what a publication made is removed");
        assert!(parent.path().join("thesis.tex").exists());
        assert!(!folder.join(SUMS).exists());
    }

    #[test]
    fn a_signal_stops_the_tables_and_leaves_none_in_half() {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 1, None);
        let store = store(folder.path());
        let cancel = Cancel::default();
        cancel.set(Signal::Interrupt);
        let mut publication = Publication::begin(folder.path(), &cancel, Forms::default());
        let stopped = publication.tables(&jobs(), store.records().unwrap());
        assert!(matches!(stopped, Err(OutputError::Cancelled)));
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn a_full_disk_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        run_until(folder.path(), 1, None);
        std::os::unix::fs::symlink("/dev/full", folder.path().join("series.csv.partial")).unwrap();
        let store = store(folder.path());
        let cancel = Cancel::default();
        let mut publication = Publication::begin(folder.path(), &cancel, Forms::default());
        let error = publication.tables(&jobs(), store.records().unwrap()).unwrap_err().to_string();
        assert!(error.contains("series.csv") && error.contains("No space left on device"), "{error}");
        assert!(verify(folder.path()).is_err());
    }
}
