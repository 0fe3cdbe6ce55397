//! `run`, and what `targets` shares with it: from a scenario to a results folder and a summary.

use super::args::RunArgs;
use super::load::{Loaded, load};
use super::machine::{Stopwatch, holder, host_name, utc_now};
use super::progress::{Display, Talk};
use super::stdout::Out;
use super::targets::Beside;
use super::{Failure, signals, summary, targets};
use crate::experiment::{
    Arm, Cancel, Comparison, Design, Measurements, Opening, Plan, Signal, Store, TargetValues, Work, run_all,
    target_values_rows,
};
use crate::output::{
    Band, Origin, OutputError, Publication, Rows, Series, Session, Standing, TableJob, claim, crash_figure,
    default_path, discard_results, log_session, runs_row, standing,
};
use crate::record::tables::{
    CELLS, EFFECTS, LIQUIDATIONS, RUNS, SERIES, SUMMARY, TARGET_VALUES, TARGETS, TRANSFERS,
};
use crate::record::{Outcome, RunKey, RunRecord, numbers};
use crate::rng::SCHEME;
use crate::stats::quantile::quantile;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

/// Runs a scenario and returns the exit code.
pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let loaded = load(&args.load)?;
    let design = Design::new(&loaded.scenario, args.seed, args.replicates, args.hash);
    let plan = design.plan(&loaded.resolved());
    let folder = args.out.clone().unwrap_or_else(|| default_path(&loaded.scenario.name, &plan));
    let job = Job { args, loaded: &loaded, design: &design, plan: &plan, folder: &folder, beside: None };
    job.run()
}

/// One command from its design to its report.
pub(super) struct Job<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) loaded: &'a Loaded,
    pub(super) design: &'a Design,
    pub(super) plan: &'a Plan,
    pub(super) folder: &'a Path,
    /// What the design's targets come from; `None` for a plain run.
    pub(super) beside: Option<&'a Beside>,
}

/// What is made from all runs.
struct Measured<'a> {
    metrics: Measurements,
    comparison: Option<Comparison<'a>>,
}

impl<'a> Job<'a> {
    /// Does what is missing, makes the files, and returns the exit code.
    pub(super) fn run(&self) -> Result<u8, Failure> {
        claim(self.folder)?;
        let opening = if self.args.force { Opening::Anew } else { Opening::Resume };
        let (mut store, warnings) = Store::open(self.folder, self.plan, &holder(), opening)?;
        for warning in warnings {
            self.say(&format!("warning: {warning}"));
        }
        if self.args.force {
            discard_results(self.folder)?;
        }
        let folder = self.folder.display();
        match self.standing(&store) {
            Standing::Complete => {
                self.say(&format!("{folder} is complete already; --force does it again"));
                self.report(&self.measure(&store)?)?;
                return Ok(0);
            }
            Standing::Unsealed(problems) => {
                let problems = problems.join(", ");
                self.say(&format!("{folder}: {problems}; the files are made again from the runs in it"));
            }
            Standing::Incomplete(_) => {}
        }
        let cancel = Cancel::default();
        signals::watch(&cancel)
            .map_err(|error| Failure::ours(format!("cannot watch for signals: {error}")))?;
        let talk = if self.args.quiet { Talk::Quiet } else { Talk::Normal };
        let display = Display::new(talk);
        let threads = self.args.threads.unwrap_or_else(default_threads);
        let watch = Stopwatch::start();
        let started = utc_now();
        let work = Work {
            plan: self.plan,
            threads,
            progress: &display,
            cancel: &cancel,
            reproduce: &|key| self.reproduce(key),
        };
        let finish = run_all(&work, &mut store, |key, cancel| self.design.simulate(key, cancel))?;
        let ended = match finish.cancelled {
            None => "complete",
            Some(Signal::Interrupt) => "interrupted",
            Some(Signal::Terminate) => "terminated",
        };
        log_session(
            self.folder,
            Session {
                host: host_name(),
                started,
                wall_s: watch.elapsed().as_secs_f64(),
                threads: threads.get(),
                runs_before: finish.already,
                runs_finished: finish.finished,
                runs_failed: finish.failed.len() as u64,
                ended: ended.to_owned(),
            },
        )?;
        if let Some(signal) = finish.cancelled {
            return Ok(self.stopped(signal, finish.already + finish.finished));
        }
        let measured = self.measure(&store)?;
        match self.publish(&store, &measured, finish.failed.len() as u32, &cancel) {
            Err(OutputError::Cancelled) => {
                return Ok(self.stopped(cancel.signal().unwrap_or(Signal::Interrupt), self.plan.runs()));
            }
            published => published?,
        }
        self.report(&measured)?;
        if finish.failed.is_empty() {
            return Ok(0);
        }
        self.say(&format!("{} runs failed; each is a row of runs.csv, for example:", finish.failed.len()));
        self.say(&format!("  {}", self.reproduce(finish.failed[0])));
        Ok(3)
    }

    /// Says what is kept and how to go on, and returns the exit code of the signal.
    fn stopped(&self, signal: Signal, done: u64) -> u8 {
        self.say(&format!(
            "stopped: {done} of {} runs are kept in {}; the same command goes on from there:\n  {}",
            self.plan.runs(),
            self.folder.display(),
            self.command()
        ));
        if signal == Signal::Interrupt { 130 } else { 143 }
    }

    /// Tells what is left to do. What was observed decides no run, so files that were made with another one are only made again.
    fn standing(&self, store: &Store) -> Standing {
        let changed: Vec<String> = (self.beside.iter())
            .flat_map(|beside| beside.copies())
            .filter(|(name, text)| fs::read(self.folder.join(name)).ok().as_deref() != Some(text.as_bytes()))
            .map(|(name, _)| format!("{name} is not what is compared now"))
            .collect();
        match standing(store, self.plan) {
            Standing::Complete if !changed.is_empty() => Standing::Unsealed(changed),
            other => other,
        }
    }

    fn measure(&self, store: &Store) -> Result<Measured<'a>, Failure> {
        let mut metrics = Measurements::new(self.design);
        let mut values = TargetValues::new(self.design);
        for record in store.records()? {
            let record = record?;
            metrics.add(self.design, &record);
            values.add(&record);
        }
        let comparison = self.beside.map(|beside| Comparison::new(self.design, &values, beside.hourly()));
        Ok(Measured { metrics, comparison })
    }

    fn publish(
        &self,
        store: &Store,
        measured: &Measured<'_>,
        failed: u32,
        cancel: &Cancel,
    ) -> Result<(), OutputError> {
        let run_row = |record: &RunRecord| runs_row(&RUNS, record);
        let fragments = |table| TableJob { table, rows: Rows::Fragments };
        let given = |table, rows| TableJob { table, rows: Rows::Given(rows) };
        let values_rows = |record: &RunRecord| target_values_rows(self.design, record);
        let mut jobs = vec![
            given(&CELLS, Measurements::cells(self.design)),
            TableJob { table: &RUNS, rows: Rows::PerRun(&run_row) },
            fragments(&SERIES),
            fragments(&LIQUIDATIONS),
            fragments(&TRANSFERS),
            given(&SUMMARY, measured.metrics.summary(self.design, 0)),
            given(&EFFECTS, measured.metrics.effects(self.design, 0)),
        ];
        if let Some(comparison) = &measured.comparison {
            jobs.push(given(&TARGETS, comparison.table(self.design)));
            jobs.push(TableJob { table: &TARGET_VALUES, rows: Rows::PerRun(&values_rows) });
        }
        let mut publication = Publication::begin(self.folder, cancel);
        publication.tables(&jobs, store.records()?)?;
        let resolved = self.loaded.resolved();
        publication.file("scenario.toml", resolved.as_bytes())?;
        for (name, text) in self.beside.iter().flat_map(|beside| beside.copies()) {
            publication.file(&name, text.as_bytes())?;
        }
        if let Some(svg) = self.figure(store)? {
            publication.file("figure.svg", svg.as_bytes())?;
        }
        publication.seal(&Origin {
            scenario: self.loaded.scenario.name.clone(),
            scenario_blake3: blake3::hash(resolved.as_bytes()).to_hex().to_string(),
            command: self.words(),
            seed_scheme: SCHEME.to_owned(),
            master_seed: self.design.seed.to_string(),
            cells: self.plan.cells,
            replicates: self.plan.replicates,
            failed_runs: failed,
            plan_blake3: self.plan.id(),
        })?;
        Ok(())
    }

    /// Draws the first run of the base, with the 5-95 % band of the mark over all replicates.
    fn figure(&self, store: &Store) -> Result<Option<String>, OutputError> {
        const SHOWN: [&str; 10] = [
            "time_s",
            "last",
            "mark",
            "liquidated_long_usd",
            "liquidated_short_usd",
            "depth_bid_1pct_usd",
            "depth_ask_1pct_usd",
            "basis_bps",
            "open_interest_coins",
            "fund_usd",
        ];
        let scenario = &self.loaded.scenario;
        let perpetual = scenario.world.markets.iter().find(|market| !market.contract.is_spot());
        let perpetual = perpetual.expect("a scenario has a perpetual");
        let mut marks: Vec<Vec<f64>> = Vec::new();
        let mut first: Option<(u32, [Vec<f64>; 10])> = None;
        for record in store.records()? {
            let record = record?;
            if record.cell == 0 && record.outcome == Outcome::Finished {
                let market = ("market", perpetual.name.as_str());
                let columns = numbers(&SERIES, record.rows(SERIES.name), market, SHOWN);
                marks.push(columns[2].clone());
                first.get_or_insert((record.replicate, columns));
            }
        }
        let Some((replicate, columns)) = first else { return Ok(None) };
        let [time_s, last, mark, long, short, bids, asks, basis, open_interest, fund] = columns;
        let quantile = |at: usize, p: f64| {
            let across: Vec<f64> = marks.iter().map(|run| run[at]).collect();
            quantile(&across, p).unwrap_or(mark[at])
        };
        let low: Vec<f64> = (0..mark.len()).map(|at| quantile(at, 0.05)).collect();
        let high: Vec<f64> = (0..mark.len()).map(|at| quantile(at, 0.95)).collect();
        let start = scenario.start.strftime("%Y-%m-%d %H:%M:%S UTC");
        let lines = if marks.len() > 1 { format!(", lines of replicate {replicate}") } else { String::new() };
        Ok(Some(crash_figure(&Series {
            title: &scenario.name,
            start_label: &format!("start {start}{lines}"),
            time_s: &time_s,
            price: &last,
            mark: &mark,
            price_band: (marks.len() > 1).then_some(Band { low: &low, high: &high }),
            liquidated_long_usd: &long,
            liquidated_short_usd: &short,
            depth_bid_usd: &bids,
            depth_ask_usd: &asks,
            basis_bps: &basis,
            coin: &scenario.world.assets[perpetual.base.index()].name,
            open_interest: &open_interest,
            fund_usd: &fund,
        })))
    }

    fn report(&self, measured: &Measured<'_>) -> Result<(), Failure> {
        let folder = self.folder.display().to_string();
        let text = if self.args.json {
            let json = match &measured.comparison {
                Some(comparison) => targets::json(self.design, comparison, &folder),
                None => summary::json(self.design, &measured.metrics, &folder),
            };
            format!("{}\n", serde_json::to_string_pretty(&json).expect("a summary has string keys only"))
        } else if self.args.quiet {
            return Ok(());
        } else {
            let summary = match &measured.comparison {
                Some(comparison) => targets::text(self.design, comparison),
                None => summary::text(self.design, &measured.metrics) + &self.hint(),
            };
            format!("{summary}\nresults in {folder}\n")
        };
        Out::lock().print(|out| out.write_all(text.as_bytes()))?;
        Ok(())
    }

    /// Says that there is something to compare with, if there is.
    fn hint(&self) -> String {
        let scenario = &self.args.load.scenario;
        if !targets::exist_for(scenario) {
            return String::new();
        }
        format!("\n`firesale targets {}` compares it with what was observed\n", quoted(scenario))
    }

    /// Returns what one would type to get these results again.
    fn words(&self) -> Vec<String> {
        let verb = if self.beside.is_some() { "targets" } else { "run" };
        let mut words = vec!["firesale".to_owned(), verb.to_owned(), self.args.load.scenario.clone()];
        for set in &self.args.load.set {
            words.extend(["--set".to_owned(), set.clone()]);
        }
        for without in &self.args.load.without {
            words.extend(["--without".to_owned(), without.clone()]);
        }
        words.extend(["--replicates".to_owned(), self.args.replicates.to_string()]);
        words.extend(["--seed".to_owned(), self.args.seed.to_string()]);
        if self.args.hash {
            words.push("--hash".to_owned());
        }
        words
    }

    fn command(&self) -> String {
        let mut words = self.words();
        if let Some(out) = &self.args.out {
            words.extend(["--out".to_owned(), out.display().to_string()]);
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Returns the command that repeats one run alone: as many replicates as it takes, with that arm.
    fn reproduce(&self, key: RunKey) -> String {
        let mut words = self.words();
        // `targets` has the unlevered arm by itself.
        if let Arm::Without(mechanism) = self.design.arms[self.design.arm(key.cell)] {
            words.extend(["--without".to_owned(), mechanism.name().to_owned()]);
        }
        if let Some(at) = words.iter().position(|word| word == "--replicates") {
            words[at + 1] = (key.replicate + 1).to_string();
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    fn say(&self, message: &str) {
        if !self.args.quiet {
            anstream::eprintln!("{message}");
        }
    }
}

/// Quotes a word for a shell if it needs it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn default_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
