//! Does the missing runs of a plan in parallel and keeps each on disk as soon as it is there.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::panics;
use super::store::EncodedRun;
use super::{Cancel, Plan, Shard, Signal, Store, StoreError};
use crate::record::{Outcome, RunKey, RunRecord};

/// At most this much work is lost in a power cut.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Why a job gave no record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// It saw the [`Cancel`] flag; the run stays missing.
    Cancelled,
    /// It cannot be done; the message is kept in the record of the run.
    Failed(String),
}

/// How a run that was scheduled ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// With a result.
    Finished,
    /// Broken; its record says why.
    Failed,
}

/// Watches a runner. Called once a run, never within one.
pub trait Progress: Sync {
    /// The work begins: `total` runs of which `already` are on disk.
    fn begin(&self, already: u64, total: u64);
    /// One more run is on disk.
    fn run_ended(&self, ended: Ended);
    /// The work ends, whole or not.
    fn end(&self);
}

/// Nobody watches.
impl Progress for () {
    fn begin(&self, _already: u64, _total: u64) {}
    fn run_ended(&self, _ended: Ended) {}
    fn end(&self) {}
}

/// Why work ended between two runs, with more of them to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Halt {
    /// Its time was up.
    TimeIsUp,
    /// A run failed, and that was to be the end.
    RunFailed,
}

/// What ends the work between runs. Those that have begun are finished and kept.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Tells whether the time is up; asked before each run.
    pub time_is_up: &'a (dyn Fn() -> bool + Sync),
    /// Whether no run begins after one that failed.
    pub fail_fast: bool,
}

impl Limits<'_> {
    /// Nothing ends it.
    pub const NONE: Self = Limits { time_is_up: &|| false, fail_fast: false };
}

/// What a runner needs besides the job.
pub struct Work<'a> {
    /// Which runs there are.
    pub plan: &'a Plan,
    /// Which of them are done here.
    pub shard: Shard,
    /// How many run at once.
    pub threads: NonZeroUsize,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Who may stop it.
    pub cancel: &'a Cancel,
    /// What ends it between runs.
    pub limits: Limits<'a>,
    /// Runs that are not done although the store does not have them: they failed a moment ago.
    pub apart: &'a BTreeSet<RunKey>,
    /// Tells the command that repeats one run alone.
    pub reproduce: &'a (dyn Fn(RunKey) -> String + Sync),
}

/// What became of the work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finish {
    /// Runs that were on disk before.
    pub already: u64,
    /// Runs that finished now.
    pub finished: u64,
    /// Runs that failed now, in order.
    pub failed: Vec<RunKey>,
    /// Who stopped the work before it was done.
    pub cancelled: Option<Signal>,
    /// What ended the work between runs before it was done.
    pub halted: Option<Halt>,
}

impl Finish {
    /// Returns what became of this work and of more that followed it.
    #[must_use]
    pub fn followed_by(mut self, more: Self) -> Self {
        self.finished += more.finished;
        self.failed.extend(more.failed);
        self.failed.sort_unstable();
        Self { cancelled: more.cancelled, halted: more.halted, ..self }
    }
}

/// Why the work could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A result could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many were asked for.
        threads: NonZeroUsize,
        /// The cause.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// Does every run of the plan that the store does not have.
///
/// `job` is called with a run and a flag that it looks at often enough to return within a second or two of its being
/// set. A job that panics is a failed run; the others go on. Runs start in the order of tables, and what a run gives
/// must depend on its key alone, so the store ends the same for any number of threads.
pub fn run_all<J>(work: &Work<'_>, store: &mut Store, job: J) -> Result<Finish, RunError>
where
    J: Fn(RunKey, &Cancel) -> Result<RunRecord, Stopped> + Sync,
{
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(work.threads.get())
        .thread_name(|index| format!("run-{index}"))
        .build()
        .map_err(|source| RunError::Threads { threads: work.threads, source })?;
    let done = store.done();
    let already = done.iter().filter(|key| work.shard.has(key.cell)).count() as u64;
    let total = work.plan.runs_of(work.shard);
    let missing = Mutex::new(
        work.plan.keys_of(work.shard).filter(move |key| !done.contains(key) && !work.apart.contains(key)),
    );
    let cancel = work.cancel.child();
    let state = Mutex::new(State {
        store,
        fail_fast: work.limits.fail_fast,
        finished: 0,
        failed: Vec::new(),
        halted: None,
        error: None,
    });
    work.progress.begin(already, total);
    thread::scope(|scope| {
        let (stop_ticking, ticks) = mpsc::channel::<()>();
        let (state, cancel) = (&state, &cancel);
        scope.spawn(move || {
            while ticks.recv_timeout(SYNC_EVERY) == Err(RecvTimeoutError::Timeout) {
                lock(state).sync(cancel);
            }
        });
        pool.broadcast(|_| {
            loop {
                if cancel.is_set() {
                    break;
                }
                if (work.limits.time_is_up)() {
                    lock(state).halted.get_or_insert(Halt::TimeIsUp);
                }
                if lock(state).halted.is_some() {
                    break;
                }
                let Some(key) = lock(&missing).next() else { break };
                if let Some(record) = attempt(work, key, cancel, &job) {
                    let run = EncodedRun::new(&record);
                    let kept = lock(state).keep(&record, &run, cancel);
                    if let Some(ended) = kept {
                        work.progress.run_ended(ended);
                    }
                }
            }
        });
        drop(stop_ticking);
    });
    let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.sync(&cancel);
    work.progress.end();
    if let Some(error) = state.error {
        return Err(error.into());
    }
    state.failed.sort_unstable();
    // A signal that came when all was done stopped nothing.
    let apart = work.apart.iter().filter(|key| work.shard.has(key.cell)).count() as u64;
    let is_cut = already + apart + state.finished + (state.failed.len() as u64) < total;
    let cancelled = work.cancel.signal().filter(|_| is_cut);
    let halted = state.halted.filter(|_| is_cut && cancelled.is_none());
    Ok(Finish { already, finished: state.finished, failed: state.failed, cancelled, halted })
}

/// What the threads share.
struct State<'a> {
    store: &'a mut Store,
    fail_fast: bool,
    finished: u64,
    failed: Vec<RunKey>,
    /// Set when no further run begins.
    halted: Option<Halt>,
    /// The first error of the store; nothing is written after it.
    error: Option<StoreError>,
}

impl State<'_> {
    fn keep(&mut self, record: &RunRecord, run: &EncodedRun, cancel: &Cancel) -> Option<Ended> {
        if self.error.is_some() {
            return None;
        }
        if let Err(error) = self.store.append_encoded(run) {
            self.error = Some(error);
            cancel.abort();
            return None;
        }
        match record.outcome {
            Outcome::Finished => {
                self.finished += 1;
                Some(Ended::Finished)
            }
            Outcome::Failed { .. } => {
                self.failed.push(record.key());
                if self.fail_fast {
                    self.halted.get_or_insert(Halt::RunFailed);
                }
                Some(Ended::Failed)
            }
        }
    }

    fn sync(&mut self, cancel: &Cancel) {
        if self.error.is_none()
            && let Err(error) = self.store.sync()
        {
            self.error = Some(error);
            cancel.abort();
        }
    }
}

fn attempt<J>(work: &Work<'_>, key: RunKey, cancel: &Cancel, job: &J) -> Option<RunRecord>
where
    J: Fn(RunKey, &Cancel) -> Result<RunRecord, Stopped> + Sync,
{
    // A job owns all that it changes, so a panic leaves nothing half changed behind.
    let message = match panics::catch(AssertUnwindSafe(|| job(key, cancel))) {
        Ok(Ok(record)) => {
            assert_eq!(record.key(), key, "a job makes the record of its own run");
            return Some(record);
        }
        Ok(Err(Stopped::Cancelled)) => return None,
        Ok(Err(Stopped::Failed(message))) | Err(message) => message,
    };
    Some(RunRecord::failed(key, message, (work.reproduce)(key)))
}

/// Locks, whether or not another thread panicked while it held the lock: that panic is on its way out already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
        assert!(message.starts_with("the book of cell 1 crossed (src/experiment/runner.rs:"), "{message}");
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
                assert_eq!(
                    syncs.load(Ordering::SeqCst),
                    1,
                    "the first run is synced while the second goes on"
                );
            }
            Ok(record(key))
        })
        .map(|finish| assert_eq!(finish.failed, []))
        .unwrap();
        assert_eq!(syncs.load(Ordering::SeqCst), 2, "the last run is synced at the end");
    }
}
