use super::*;
use crate::experiment::{Holder, JOURNAL, Opening};
use crate::record::Fragment;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

fn plan() -> Plan {
    Plan { text: "seed = 7\n".to_owned(), cells: 3, replicates: 4, ..Plan::default() }
}

fn store(folder: &Path, plan: &Plan) -> Store {
    let holder = Holder { pid: 1, host: "here".to_owned() };
    Store::open(folder, plan, &holder, Opening::Resume).unwrap().0
}

fn record(key: RunKey) -> RunRecord {
    RunRecord {
        cell: key.cell,
        replicate: key.replicate,
        outcome: Outcome::Finished,
        metrics: vec![Some(f64::from(key.cell) / 3.0 + f64::from(key.replicate))],
        tables: vec![Fragment { table: "series".to_owned(), rows: "x\n".repeat(key.cell as usize) }],
        targets: Vec::new(),
        tape_hash: None,
    }
}

struct Case<'a> {
    plan: &'a Plan,
    threads: usize,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    limits: Limits<'a>,
}

fn run<J>(case: &Case<'_>, store: &mut Store, job: J) -> Result<Finish, RunError>
where
    J: Fn(RunKey, &Cancel) -> Result<RunRecord, Stopped> + Sync,
{
    let work = Work {
        plan: case.plan,
        shard: Shard::WHOLE,
        threads: NonZeroUsize::new(case.threads).unwrap(),
        progress: case.progress,
        cancel: case.cancel,
        limits: case.limits,
        apart: &BTreeSet::new(),
        reproduce: &|key| format!("firesale run x --cell {} --replicate {}", key.cell, key.replicate),
    };
    run_all(&work, store, job)
}

fn case<'a>(plan: &'a Plan, threads: usize, cancel: &'a Cancel) -> Case<'a> {
    Case { plan, threads, progress: &(), cancel, limits: Limits::NONE }
}

fn all(store: &Store) -> Vec<RunRecord> {
    store.records().unwrap().map(Result::unwrap).collect()
}

#[derive(Default)]
struct Counter {
    already: AtomicU64,
    total: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    ends: AtomicU64,
}

impl Progress for Counter {
    fn begin(&self, already: u64, total: u64) {
        self.already.store(already, Ordering::SeqCst);
        self.total.store(total, Ordering::SeqCst);
    }

    fn run_ended(&self, ended: Ended) {
        match ended {
            Ended::Finished => self.finished.fetch_add(1, Ordering::SeqCst),
            Ended::Failed => self.failed.fetch_add(1, Ordering::SeqCst),
        };
    }

    fn end(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn any_number_of_threads_leaves_the_same_records() {
    let expected: Vec<RunRecord> = plan().keys().map(record).collect();
    for threads in [1, 2, 3, 8, 40] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path(), &plan());
        let cancel = Cancel::default();
        let finish = run(&case(&plan(), threads, &cancel), &mut store, |key, _| Ok(record(key))).unwrap();
        assert_eq!(
            finish,
            Finish { already: 0, finished: 12, failed: vec![], cancelled: None, halted: None }
        );
        assert_eq!(all(&store), expected, "{threads} threads");
    }
}

#[test]
fn finished_runs_are_skipped_and_progress_hears_of_each_other_run_once() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel, counter) = (plan(), Cancel::default(), Counter::default());
    let mut store = store(folder.path(), &plan);
    for key in plan.keys().take(5) {
        store.append(&record(key)).unwrap();
    }
    let started = AtomicU64::new(0);
    let case = Case { progress: &counter, ..case(&plan, 2, &cancel) };
    let finish = run(&case, &mut store, |key, _| {
        started.fetch_add(1, Ordering::SeqCst);
        if key.replicate == 3 { Err(Stopped::Failed("no".to_owned())) } else { Ok(record(key)) }
    })
    .unwrap();
    assert_eq!(started.load(Ordering::SeqCst), 7);
    assert_eq!((finish.already, finish.finished, finish.failed.len()), (5, 5, 2));
    let seen = [counter.already, counter.total, counter.finished, counter.failed, counter.ends];
    assert_eq!(seen.map(AtomicU64::into_inner), [5, 12, 5, 2, 1]);
}

#[test]
fn a_run_that_panics_is_a_failed_run_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel) = (plan(), Cancel::default());
    let mut store = store(folder.path(), &plan);
    let broken = RunKey { cell: 1, replicate: 2 };
    let job = |key: RunKey, _: &Cancel| {
        assert!(key != broken, "the book of cell {} crossed", key.cell);
        Ok(record(key))
    };
    let finish = run(&case(&plan, 2, &cancel), &mut store, job).unwrap();
    assert_eq!((finish.finished, finish.failed), (11, vec![broken]));
    assert!(!store.is_complete(&plan));
    let failed = all(&store).into_iter().find(|record| record.key() == broken).unwrap();
    let Outcome::Failed { message, reproduce } = failed.outcome else { panic!("it finished") };
    assert!(message.starts_with(&format!("the book of cell 1 crossed ({}:", file!())), "{message}");
    assert_eq!(reproduce, "firesale run x --cell 1 --replicate 2");
    let again = run(&case(&plan, 2, &cancel), &mut store, |key, _| Ok(record(key))).unwrap();
    assert_eq!((again.already, again.finished, again.failed), (11, 1, vec![]));
    assert!(store.is_complete(&plan));
}

#[test]
fn a_signal_stops_scheduling_drops_what_runs_and_the_rest_is_done_the_next_time() {
    for threads in [1, 2, 8] {
        let folder = tempfile::tempdir().unwrap();
        let (plan, cancel) = (plan(), Cancel::default());
        let mut store = store(folder.path(), &plan);
        let finish = run(&case(&plan, threads, &cancel), &mut store, |key, inside| {
            if key == (RunKey { cell: 1, replicate: 0 }) {
                cancel.set(Signal::Terminate);
            }
            if key >= (RunKey { cell: 1, replicate: 0 }) {
                while !inside.is_set() {
                    thread::yield_now();
                }
                return Err(Stopped::Cancelled);
            }
            Ok(record(key))
        })
        .unwrap();
        assert_eq!(finish.cancelled, Some(Signal::Terminate));
        assert_eq!(finish.failed, []);
        assert!(finish.finished <= 4 && finish.finished == store.done().len() as u64);
        let cancel = Cancel::default();
        let rest = run(&case(&plan, threads, &cancel), &mut store, |key, _| Ok(record(key))).unwrap();
        assert_eq!(rest.already + rest.finished, 12);
        assert_eq!(all(&store), plan.keys().map(record).collect::<Vec<_>>());
    }
}

#[test]
fn when_its_time_is_up_what_has_begun_is_kept_and_nothing_begins() {
    for threads in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let (plan, cancel, begun) = (plan(), Cancel::default(), AtomicU64::new(0));
        let mut store = store(folder.path(), &plan);
        let time_is_up = || begun.load(Ordering::SeqCst) >= 5;
        let limits = Limits { time_is_up: &time_is_up, ..Limits::NONE };
        let job = |key: RunKey, inside: &Cancel| {
            begun.fetch_add(1, Ordering::SeqCst);
            assert!(!inside.is_set());
            Ok(record(key))
        };
        let finish = run(&Case { limits, ..case(&plan, threads, &cancel) }, &mut store, job).unwrap();
        assert_eq!((finish.halted, finish.cancelled), (Some(Halt::TimeIsUp), None));
        assert_eq!(finish.finished, begun.load(Ordering::SeqCst), "what began is kept");
        assert!((5..5 + threads as u64).contains(&finish.finished), "{finish:?}");
        let rest = run(&case(&plan, threads, &cancel), &mut store, |key, _| Ok(record(key))).unwrap();
        assert_eq!((rest.already + rest.finished, rest.halted), (12, None));
    }
}

#[test]
fn the_first_failure_may_be_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel) = (plan(), Cancel::default());
    let mut store = store(folder.path(), &plan);
    let broken = RunKey { cell: 1, replicate: 1 };
    let job = |key, _: &Cancel| {
        if key == broken { Err(Stopped::Failed("no".to_owned())) } else { Ok(record(key)) }
    };
    let limits = Limits { fail_fast: true, ..Limits::NONE };
    let finish = run(&Case { limits, ..case(&plan, 1, &cancel) }, &mut store, job).unwrap();
    assert_eq!((finish.finished, finish.failed, finish.halted), (5, vec![broken], Some(Halt::RunFailed)));
}

#[test]
fn a_signal_after_the_last_run_stopped_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel) = (Plan { cells: 1, replicates: 1, ..plan() }, Cancel::default());
    let mut store = store(folder.path(), &plan);
    let finish = run(&case(&plan, 1, &cancel), &mut store, |key, _| {
        cancel.set(Signal::Interrupt);
        Ok(record(key))
    })
    .unwrap();
    assert_eq!((finish.finished, finish.cancelled), (1, None));
}

#[test]
fn a_full_disk_ends_the_work_with_path_and_cause() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel, counter) = (plan(), Cancel::default(), Counter::default());
    let mut store = store(folder.path(), &plan);
    store.append(&record(RunKey { cell: 0, replicate: 0 })).unwrap();
    store.replace_file_by("/dev/full");
    let case = Case { progress: &counter, ..case(&plan, 2, &cancel) };
    let error = run(&case, &mut store, |key, inside| {
        // The run that is under way when the disk fills up sees that it is of no use any more.
        while key.cell > 0 && !inside.is_set() {
            thread::yield_now();
        }
        Ok(record(key))
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains(JOURNAL) && error.contains("No space left on device"), "{error}");
    assert_eq!(counter.finished.into_inner(), 0, "never a success with lost data");
    assert!(!cancel.is_set(), "nobody asked to stop");
    assert_eq!(store.done().len(), 1);
}

#[test]
fn what_is_kept_is_durable_within_about_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, cancel) = (Plan { cells: 1, replicates: 2, ..plan() }, Cancel::default());
    let mut store = store(folder.path(), &plan);
    let syncs = store.syncs_seen();
    run(&case(&plan, 1, &cancel), &mut store, |key, _| {
        if key.replicate == 1 {
            for _ in 0..1_000 {
                if syncs.load(Ordering::SeqCst) > 0 {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(syncs.load(Ordering::SeqCst), 1, "the first run is synced while the second goes on");
        }
        Ok(record(key))
    })
    .map(|finish| assert_eq!(finish.failed, []))
    .unwrap();
    assert_eq!(syncs.load(Ordering::SeqCst), 2, "the last run is synced at the end");
}
