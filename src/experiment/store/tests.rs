//! Facts about the store: kills, flips, full disks, other plans, other processes.

use super::*;
use crate::record::Fragment;
use std::process::Command;

fn holder() -> Holder {
    Holder { pid: std::process::id(), host: "here".to_owned() }
}

fn plan() -> Plan {
    Plan { text: "model = 1\nseed = 7\n".to_owned(), cells: 2, replicates: 2, ..Plan::default() }
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
        targets: Vec::new(),
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
