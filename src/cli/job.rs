//! The life of a command that fills a results folder: what `run`, `targets` and `sweep` share. What differs is a [`Verb`].
//!
//! 1. The folder is claimed and its store opened; a complete one is only reported.
//! 2. The missing runs are done, each on disk when it is counted; a signal stops here with its code.
//! 3. All records are measured, the files made and sealed, the summary printed.

use super::args::WorkArgs;
use super::fit::fitted;
use super::machine::{Stopwatch, holder, host_name, utc_now};
use super::progress::{Display, Talk};
use super::stdout::Out;
use super::{Failure, signals};
use crate::experiment::whole_file::write_shared;
use crate::experiment::{
    Cancel, Design, Finish, Halt, Limits, Opening, Plan, Replication, Shard, Signal, Store, Work, run_all,
};
use crate::output::{
    Forms, Origin, OutputError, Publication, Session, Standing, claim, discard_results, log_session,
    packed_name, standing,
};
use crate::record::tables::{FAILURES, RUNS};
use crate::record::{Outcome, RunKey};
use crate::rng::SCHEME;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

/// Exit code of work that is to be sent again.
const AGAIN: u8 = 75;
/// Exit code of work in which runs failed.
const FAILED: u8 = 3;

/// Why work ended before it was done.
#[derive(Clone, Copy)]
enum Cut {
    Signal(Signal),
    Halt(Halt),
}

impl Cut {
    fn of(finish: &Finish) -> Option<Self> {
        finish.cancelled.map(Self::Signal).or(finish.halted.map(Self::Halt))
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Signal(signal) => signal.exit_code(),
            Self::Halt(Halt::TimeIsUp) => AGAIN,
            Self::Halt(Halt::RunFailed) => FAILED,
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Signal(_) => "stopped",
            Self::Halt(Halt::TimeIsUp) => "time is up",
            Self::Halt(Halt::RunFailed) => "stopped after a run that failed",
        }
    }
}

/// What one verb makes of a design's runs.
pub(super) trait Verb {
    /// What is made from all runs.
    type Measured;
    /// Returns the name of what is run, for the manifest.
    fn name(&self) -> &str;
    /// Returns the scenario as it is run, with every default.
    fn resolved(&self) -> String;
    /// Returns what one would type to get these results again, without what does not matter (threads, folder, progress).
    fn words(&self) -> Vec<String>;
    /// Returns what was typed, so that the same command goes on; the folder is added to it.
    fn typed(&self) -> Vec<String> {
        self.words()
    }
    /// Returns what one would type to repeat one run alone.
    fn reproduce(&self, key: RunKey) -> Vec<String>;
    /// Returns files that a complete folder holds, with their texts, where another text asks for new files and no new run.
    fn copies(&self) -> Vec<(String, &str)> {
        Vec::new()
    }
    /// Returns files, by name, that say what is run and stand in the folder from the first run on.
    fn sources(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// Makes estimates from all runs.
    fn measure(&self, store: &Store) -> Result<Self::Measured, Failure>;
    /// Makes every file and seals them.
    fn publish(
        &self,
        place: &Place<'_>,
        measured: &Self::Measured,
        origin: &Origin,
    ) -> Result<(), OutputError>;
    /// Writes the summary for a person.
    fn text(&self, measured: &Self::Measured) -> String;
    /// Makes the summary for a machine.
    fn json(&self, measured: &Self::Measured, folder: &str) -> Value;
}

/// Where files are made from.
pub(super) struct Place<'a> {
    pub(super) store: &'a Store,
    pub(super) folder: &'a Path,
    pub(super) cancel: &'a Cancel,
    forms: Forms,
}

impl<'a> Place<'a> {
    /// Begins to make files there, tables in the forms that were asked for.
    pub(super) fn begin(&self) -> Publication<'a> {
        Publication::begin(self.folder, self.cancel, self.forms)
    }
}

/// One command from its design to its report.
pub(super) struct Job<'a, V> {
    pub(super) verb: V,
    pub(super) work: &'a WorkArgs,
    pub(super) design: &'a Design,
    pub(super) plan: &'a Plan,
    pub(super) folder: &'a Path,
}

impl<V: Verb> Job<'_, V>
where
    V: Sync,
{
    /// Does what is missing, makes the files, and returns the exit code.
    pub(super) fn run(&self) -> Result<u8, Failure> {
        claim(self.folder)?;
        let opening = if self.work.force { Opening::Anew } else { Opening::Resume };
        let (mut store, warnings) = Store::open(self.folder, self.plan, &holder(), opening)?;
        for warning in warnings {
            self.say(&format!("warning: {warning}"));
        }
        if self.work.force {
            discard_results(self.folder)?;
        }
        let folder = self.folder.display();
        let mut replication = self.replication();
        let plan = self.asked(&store, &mut replication)?;
        match self.standing(&store, &plan) {
            Standing::Complete => {
                self.say(&format!("{folder} is complete already; --force does it again"));
                self.settle(&mut store, &plan);
                self.report(&self.verb.measure(&store)?)?;
                return Ok(0);
            }
            Standing::Unsealed(problems) => {
                let problems = problems.join(", ");
                self.say(&format!("{folder}: {problems}; the files are made again from the runs in it"));
            }
            Standing::Incomplete(_) => {}
        }
        self.write_sources()?;
        let cancel = watched()?;
        let watch = Stopwatch::start();
        let started = utc_now();
        let (finish, plan) = self.fill(&mut store, plan, &mut replication, Shard::WHOLE, &cancel)?;
        let ended = match (finish.cancelled, finish.halted) {
            (Some(Signal::Interrupt), _) => "interrupted",
            (Some(Signal::Terminate), _) => "terminated",
            (None, Some(Halt::TimeIsUp)) => "timeout",
            (None, Some(Halt::RunFailed)) => "failed",
            (None, None) => "complete",
        };
        log_session(
            self.folder,
            Session {
                host: host_name(),
                started,
                wall_s: watch.elapsed().as_secs_f64(),
                threads: self.threads().get(),
                runs_before: finish.already,
                runs_finished: finish.finished,
                runs_failed: finish.failed.len() as u64,
                ended: ended.to_owned(),
            },
        )?;
        if let Some(cut) = Cut::of(&finish) {
            self.tell_failures(&store, &finish.failed)?;
            return Ok(self.stopped(cut, finish.already + finish.finished, &plan));
        }
        self.settle(&mut store, &plan);
        self.finish(&store, &plan, &finish.failed, &cancel)
    }

    /// Does what is missing of a shard beside others that do theirs, and returns the exit code. Tables are made by whoever merges.
    pub(super) fn run_shard(&self, shard: Shard) -> Result<u8, Failure> {
        if self.forms().has_parquet() {
            return Err(Failure::user(
                "error: --parquet beside --shard: a shard makes no tables\n  give it to the command that does".to_owned(),
            ));
        }
        claim(self.folder)?;
        let (mut store, warnings) = Store::open_shard(self.folder, self.plan, &holder(), shard)?;
        for warning in warnings {
            self.say(&format!("warning: {warning}"));
        }
        self.write_sources()?;
        let cancel = watched()?;
        let (finish, _) = self.fill(&mut store, self.plan.clone(), &mut None, shard, &cancel)?;
        let (done, all) = (finish.already + finish.finished, self.plan.runs_of(shard));
        let (index, count, folder) = (shard.index(), shard.count(), self.folder.display());
        self.say(&format!("shard {index}/{count}: {done} of its {all} runs are kept in {folder}"));
        self.tell_failures(&store, &finish.failed)?;
        Ok(match Cut::of(&finish) {
            None => 0,
            // What a scheduler takes for "send it again".
            Some(Cut::Signal(Signal::Terminate)) => AGAIN,
            Some(cut) => cut.exit_code(),
        })
    }

    /// Makes the files of a folder that shards have filled, and returns the exit code.
    pub(super) fn merge(&self) -> Result<u8, Failure> {
        let (store, warnings) = Store::open(self.folder, self.plan, &holder(), Opening::Resume)?;
        for warning in warnings {
            self.say(&format!("warning: {warning}"));
        }
        let mut store = store;
        let plan = self.asked(&store, &mut self.replication())?;
        self.settle(&mut store, &plan);
        let (done, failed) = (store.done(), store.failed());
        let missing = plan.runs() - done.len() as u64 - failed.len() as u64;
        if let Some(first) = plan.keys().find(|key| !done.contains(key) && !failed.contains(key)) {
            let (runs, folder) = (plan.runs(), self.folder.display());
            return Err(Failure::user(format!(
                "error: {missing} of {runs} runs are missing in {folder}, the first of them cell {}, replicate {}\n  \
                 start the shards again that were to do them; what is there is not done again",
                first.cell, first.replicate
            )));
        }
        if self.standing(&store, &plan) == Standing::Complete {
            self.say(&format!("{} is complete already", self.folder.display()));
            self.report(&self.verb.measure(&store)?)?;
            return Ok(0);
        }
        let failed: Vec<RunKey> = failed.into_iter().collect();
        self.finish(&store, &plan, &failed, &watched()?)
    }

    /// Starts to count replicates, where runs decide how many there are.
    fn replication(&self) -> Option<Replication> {
        self.design.precision.map(|precision| Replication::new(precision, self.plan))
    }

    /// Returns the plan, with as many replicates as the runs of the store ask for.
    fn asked(&self, store: &Store, replication: &mut Option<Replication>) -> Result<Plan, Failure> {
        match replication {
            Some(replication) => Ok(replication.plan(self.design, self.plan, store)?),
            None => Ok(self.plan.clone()),
        }
    }

    /// Lets the runs of a plan be all that there is.
    fn settle(&self, store: &mut Store, plan: &Plan) {
        store.keep_only(plan);
        self.design.settle(plan);
    }

    /// Does the missing runs of a shard, then those that these ask for, and so on. Returns the plan that this came to.
    fn fill(
        &self,
        store: &mut Store,
        mut plan: Plan,
        replication: &mut Option<Replication>,
        shard: Shard,
        cancel: &Cancel,
    ) -> Result<(Finish, Plan), Failure> {
        let display = Display::new(self.work.talk());
        let watch = Stopwatch::start();
        let time_is_up = || self.work.timeout.is_some_and(|timeout| watch.elapsed() >= timeout);
        let limits = Limits { time_is_up: &time_is_up, fail_fast: self.work.fail_fast };
        let mut apart = BTreeSet::new();
        let mut all: Option<Finish> = None;
        loop {
            let work = Work {
                plan: &plan,
                shard,
                threads: self.threads(),
                progress: &display,
                cancel,
                limits,
                apart: &apart,
                reproduce: &|key| shell(&self.verb.reproduce(key)),
            };
            let batch = run_all(&work, store, |key, cancel| self.design.simulate(key, cancel))?;
            apart.extend(batch.failed.iter().copied());
            let done = match all {
                Some(before) => before.followed_by(batch),
                None => batch,
            };
            let more = if Cut::of(&done).is_some() { plan.clone() } else { self.asked(store, replication)? };
            if more == plan {
                return Ok((done, plan));
            }
            all = Some(done);
            self.say(&format!(
                "{} runs more until every interval is narrow enough",
                more.runs() - plan.runs()
            ));
            plan = more;
        }
    }

    /// Measures, makes and seals the files, prints the summary, and returns the exit code.
    fn finish(&self, store: &Store, plan: &Plan, failed: &[RunKey], cancel: &Cancel) -> Result<u8, Failure> {
        let measured = self.verb.measure(store)?;
        match self.publish(store, plan, &measured, failed.len() as u32, cancel) {
            Err(OutputError::Cancelled) => {
                let signal = cancel.signal().unwrap_or(Signal::Interrupt);
                return Ok(self.stopped(Cut::Signal(signal), plan.runs(), plan));
            }
            published => published?,
        }
        self.report(&measured)?;
        self.tell_failures(store, failed)?;
        Ok(if failed.is_empty() { 0 } else { FAILED })
    }

    /// Says how many runs failed, and of the first one why and how to repeat it.
    fn tell_failures(&self, store: &Store, failed: &[RunKey]) -> Result<(), Failure> {
        let Some(first) = failed.first() else { return Ok(()) };
        let mut records = store.failures()?;
        let RunKey { cell, replicate } = *first;
        let record = records.find(|record| record.as_ref().map_or(true, |record| record.key() == *first));
        let message = match record.transpose()?.map(|record| record.outcome) {
            Some(Outcome::Failed { message, .. }) => message,
            _ => String::new(),
        };
        self.say(&format!(
            "{} runs failed, each a row of {}; the first one is cell {cell}, replicate {replicate} of seed {}: {}\n  {}",
            failed.len(),
            packed_name(&FAILURES.file_name(), self.forms().csv),
            self.design.seed_of(cell),
            message.lines().next().unwrap_or_default(),
            shell(&self.verb.reproduce(*first))
        ));
        Ok(())
    }

    /// Writes what says what is run, so that whoever looks into the folder before it is complete finds it.
    fn write_sources(&self) -> Result<(), Failure> {
        for (name, text) in self.verb.sources() {
            write_shared(&self.folder.join(name), text.as_bytes())?;
        }
        Ok(())
    }

    /// Returns the forms of tables.
    fn forms(&self) -> Forms {
        self.work.forms.forms()
    }

    fn threads(&self) -> NonZeroUsize {
        self.work.threads.unwrap_or_else(default_threads)
    }

    /// Says what is kept and how to go on, and returns the exit code.
    fn stopped(&self, cut: Cut, done: u64, plan: &Plan) -> u8 {
        let mut words = self.verb.typed();
        if let Some(out) = &self.work.out {
            words.extend(["--out".to_owned(), out.display().to_string()]);
        }
        self.say(&format!(
            "{}: {done} of {} runs are kept in {}; the same command goes on from there:\n  {}",
            cut.what(),
            plan.runs(),
            self.folder.display(),
            shell(&words)
        ));
        cut.exit_code()
    }

    /// Tells what is left to do. What was observed and the forms of tables decide no run, so files that were made with another one are
    /// only made again.
    fn standing(&self, store: &Store, plan: &Plan) -> Standing {
        let copies = self.verb.copies();
        let mut changed: Vec<String> = copies
            .iter()
            .filter(|(name, text)| fs::read(self.folder.join(name)).ok().as_deref() != Some(text.as_bytes()))
            .map(|(name, _)| format!("{name} is not what is compared now"))
            .collect();
        let forms = self.forms();
        let runs =
            [(packed_name(&RUNS.file_name(), forms.csv), true), (RUNS.parquet_name(), forms.has_parquet())];
        for (name, is_wanted) in runs {
            match (is_wanted, self.folder.join(&name).is_file()) {
                (true, false) => changed.push(format!("there is no {name}")),
                (false, true) => changed.push(format!("{name} is not asked for")),
                (true, true) | (false, false) => {}
            }
        }
        match standing(store, plan) {
            Standing::Complete if !changed.is_empty() => Standing::Unsealed(changed),
            other => other,
        }
    }

    fn publish(
        &self,
        store: &Store,
        plan: &Plan,
        measured: &V::Measured,
        failed: u32,
        cancel: &Cancel,
    ) -> Result<(), OutputError> {
        let place = Place { store, folder: self.folder, cancel, forms: self.forms() };
        let origin = Origin {
            scenario: self.verb.name().to_owned(),
            scenario_blake3: blake3::hash(self.verb.resolved().as_bytes()).to_hex().to_string(),
            command: self.verb.words(),
            seed_scheme: SCHEME.to_owned(),
            master_seed: self.design.seed.to_string(),
            cells: plan.cells,
            replicates: plan.counts.iter().copied().max().unwrap_or(plan.replicates),
            runs: (!plan.counts.is_empty()).then(|| plan.runs()),
            failed_runs: failed,
            plan_blake3: plan.id(),
        };
        self.verb.publish(&place, measured, &origin)
    }

    fn report(&self, measured: &V::Measured) -> Result<(), Failure> {
        if self.work.untold {
            return Ok(());
        }
        let folder = self.folder.display().to_string();
        let text = if self.work.json {
            let json = self.verb.json(measured, &folder);
            format!("{}\n", serde_json::to_string_pretty(&json).expect("a summary has string keys only"))
        } else if self.work.quiet {
            return Ok(());
        } else {
            fitted(format!("{}\nresults in {folder}\n", self.verb.text(measured)))
        };
        Out::lock().print(|out| out.write_all(text.as_bytes()))?;
        Ok(())
    }

    fn say(&self, message: &str) {
        self.work.say(message);
    }
}

impl WorkArgs {
    /// Says something beside the results, unless nothing is to be said.
    pub(super) fn say(&self, message: &str) {
        if !self.quiet {
            anstream::eprintln!("{message}");
        }
    }

    /// Returns how much is said while work goes on.
    pub(super) fn talk(&self) -> Talk {
        if self.quiet { Talk::Quiet } else { Talk::Normal }
    }
}

/// Joins words to a command line.
pub(super) fn shell(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for a shell if it needs it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Returns a flag that signals set from now on.
fn watched() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    signals::watch(&cancel).map_err(|error| Failure::ours(format!("cannot watch for signals: {error}")))?;
    Ok(cancel)
}

/// Returns as many as a scheduler gives, or as there are processors.
pub(super) fn default_threads() -> NonZeroUsize {
    let text = |name: &str| std::env::var_os(name).and_then(|value| value.into_string().ok());
    let stated = text("SLURM_CPUS_PER_TASK").and_then(|count| count.parse().ok());
    let listed = || NonZeroUsize::new(text("HQ_CPUS")?.split(',').filter(|id| !id.is_empty()).count());
    let available = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    stated.or_else(listed).unwrap_or_else(available)
}
