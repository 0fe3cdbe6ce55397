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
mod tests;
