//! `sweep` and `amplify`: many points of one scenario, from a study or from arguments to tables and a summary.

use super::args::{AmplifyArgs, DesignArgs, SweepAction, SweepArgs, WorkArgs};
use super::job::{Job, Place, Verb};
use super::load::near;
use super::study::{SCENARIO, STUDY, Sweep};
use super::sweep_report::{self, Estimated};
use super::{Failure, Failures, pilot, sweep_folder};
use crate::experiment::{Amplification, Arm, Gatherer, Measurements, Quartet, Shard, Store};
use crate::output::{Origin, OutputError, Rows, TableJob, default_path, failures_row, runs_row};
use crate::record::tables::{
    AMPLIFICATION, CELLS, EFFECTS, FAILURES, LIQUIDATIONS, RUNS, SERIES, SUMMARY, TRANSFERS, metrics,
};
use crate::record::{RunKey, RunRecord, Table};
use serde_json::Value;
use std::path::Path;

/// Sweeps, or looks after a sweep, and returns the exit code.
pub(super) fn sweep(args: &SweepArgs) -> Result<u8, Failure> {
    match &args.action {
        Some(SweepAction::Status { folder, json }) => {
            return sweep_folder::status(&args.design, folder, *json);
        }
        Some(SweepAction::Merge { folder, metric, forms, json, quiet }) => {
            let work = WorkArgs { forms: forms.clone(), json: *json, quiet: *quiet, ..args.work.clone() };
            return merge(&args.design, &work, folder, metric);
        }
        None => {}
    }
    let mut wrong = Failures::default();
    wrong.note(check_metric(&args.metric));
    let names = args.arms.iter().flatten().filter(|name| !name.is_empty() && *name != "none");
    let arms: Vec<Arm> = names.filter_map(|name| wrong.note(arm(name))).collect();
    let asked = Asked {
        verb: "sweep",
        design: &args.design,
        work: &args.work,
        arms: args.arms.as_deref(),
        metric: &args.metric,
    };
    asked.begin(args.arms.is_some().then_some(arms), wrong)
}

/// Sweeps with the arms of amplification and returns the exit code.
pub(super) fn amplify(args: &AmplifyArgs) -> Result<u8, Failure> {
    let metric = "drawdown_pct";
    let asked = Asked { verb: "amplify", design: &args.design, work: &args.work, arms: None, metric };
    asked.begin(Some(Quartet::ARMS.to_vec()), Failures::default())
}

/// What was typed.
#[derive(Clone, Copy)]
struct Asked<'a> {
    verb: &'static str,
    design: &'a DesignArgs,
    work: &'a WorkArgs,
    arms: Option<&'a [String]>,
    metric: &'a str,
}

impl Asked<'_> {
    /// Loads the design and does its work; `wrong` is what is wrong with the other arguments.
    fn begin(self, arms: Option<Vec<Arm>>, mut wrong: Failures) -> Result<u8, Failure> {
        let shard = wrong.note(self.design.shard.as_deref().map(shard).transpose()).flatten();
        let name = self.design.study.as_deref().expect("it is required without a subcommand");
        let sweep = wrong.with(Sweep::load(name, self.design, arms, self.work.hash))?;
        if self.verb == "amplify" {
            check_amplified(&sweep)?;
        }
        if self.design.dry_run {
            return pilot::dry_run(&sweep.study.name, &sweep.design, &sweep.plan, self.work);
        }
        let default = || default_path(&sweep.study.name, &sweep.plan);
        let folder = self.work.out.clone().unwrap_or_else(default);
        let job = self.job(name, &sweep, &folder);
        match shard {
            Some(shard) => job.run_shard(shard),
            None => job.run(),
        }
    }

    fn job<'a>(&'a self, name: &'a str, sweep: &'a Sweep, folder: &'a Path) -> Job<'a, Points<'a>> {
        let verb = Points { asked: *self, name, sweep };
        Job { verb, work: self.work, design: &sweep.design, plan: &sweep.plan, folder }
    }
}

fn merge(design: &DesignArgs, work: &WorkArgs, folder: &Path, metric: &str) -> Result<u8, Failure> {
    check_metric(metric)?;
    let (name, sweep) = sweep_folder::load(design, folder)?;
    Asked { verb: "sweep", design, work, arms: None, metric }.job(&name, &sweep, folder).merge()
}

/// Understands the name of an arm.
fn arm(name: &str) -> Result<Arm, Failure> {
    Arm::from_name(name).ok_or_else(|| {
        let names = Arm::names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = near(name, &names);
        let names = names.join(", ");
        Failure::user(format!(
            "error: --arms {name}: no such mechanism, nor another arm{hint}\n  arms: {names}"
        ))
    })
}

/// Says why nothing could be amplified.
fn check_amplified(sweep: &Sweep) -> Result<(), Failure> {
    let base = &sweep.design.base;
    let name = &base.name;
    if Quartet::of(&sweep.design).is_none() {
        let mechanism = Quartet::MECHANISM.name();
        return Err(Failure::user(format!(
            "error: {mechanism} is off in {name} already: there is nothing to compare"
        )));
    }
    if base.shocks.is_empty() {
        return Err(Failure::user(format!(
            "error: {name} has no shock, and so nothing that could be amplified\n  `firesale explain shocks` says what one is, and long-squeeze has one"
        )));
    }
    Ok(())
}

fn check_metric(metric: &str) -> Result<(), Failure> {
    let names: Vec<&str> = metrics().map(|column| column.name).collect();
    if names.contains(&metric) {
        return Ok(());
    }
    let hint = near(metric, &names);
    let names = names.join(", ");
    Err(Failure::user(format!("error: --metric {metric}: no such metric{hint}\n  metrics: {names}")))
}

/// Understands `i/n`, where `i` may be `env`.
pub(super) fn shard(text: &str) -> Result<Shard, Failure> {
    const VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "HQ_TASK_ID", "JOB_COMPLETION_INDEX"];
    let refused = |what: &str| {
        Failure::user(format!(
            "error: --shard {text}: {what}\n  for example 0/4, 1/4, 2/4 and 3/4, or env/4 in a job array of 4 tasks from 0 on"
        ))
    };
    let (index, count) = text.split_once('/').ok_or_else(|| refused("has no `/`"))?;
    let count: u32 = count.parse().map_err(|_| refused("the number of shards is no whole number"))?;
    let index = if index == "env" {
        let set = VARIABLES.iter().find_map(|name| std::env::var_os(name)?.into_string().ok());
        set.ok_or_else(|| refused(&format!("none of {} is set", VARIABLES.join(", "))))?
    } else {
        index.to_owned()
    };
    let index: u32 = index.parse().map_err(|_| refused(&format!("{index:?} is no whole number")))?;
    Shard::new(index, count)
        .ok_or_else(|| refused(&format!("shards are numbered from 0, and {index} is not below {count}")))
}

/// The verb of many points.
struct Points<'a> {
    asked: Asked<'a>,
    /// The study or scenario as it was named.
    name: &'a str,
    sweep: &'a Sweep,
}

impl Verb for Points<'_> {
    type Measured = Estimated;

    fn name(&self) -> &str {
        &self.sweep.study.name
    }

    fn resolved(&self) -> String {
        self.sweep.loaded.resolved()
    }

    /// The study in the folder says everything, so that the words are the same however it came to be.
    fn words(&self) -> Vec<String> {
        let mut words = ["firesale", "sweep", STUDY].map(str::to_owned).to_vec();
        words.extend(self.asked.work.forms.words());
        words
    }

    fn typed(&self) -> Vec<String> {
        let Asked { verb, design: args, work, arms, .. } = self.asked;
        let mut words = ["firesale", verb, self.name].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.push(name.to_owned());
                words.extend(Some(value).filter(|value| !value.is_empty()));
            }
        };
        let switch = |is_on: bool| is_on.then(String::new);
        for vary in &args.vary {
            option("--vary", Some(vary.clone()));
        }
        option("--zip", switch(args.zip));
        option("--one-at-a-time", switch(args.one_at_a_time));
        option("--latin-hypercube", args.latin_hypercube.map(|points| points.to_string()));
        option("--sobol", args.sobol.map(|points| points.to_string()));
        option("--arms", arms.map(|arms| arms.join(",")));
        for set in &args.set {
            option("--set", Some(set.clone()));
        }
        for without in &args.without {
            option("--without", Some(without.clone()));
        }
        option("--until-ci", args.until_ci.map(|width| width.to_string()));
        option("--most-replicates", args.most_replicates.map(|most| most.to_string()));
        option("--replicates", args.replicates.map(|count| count.to_string()));
        option("--seed", args.seed.map(|seed| seed.to_string()));
        option("--independent", switch(args.independent));
        option("--tables", switch(args.tables));
        option("--hash", switch(work.hash));
        words.extend(work.forms.words());
        words
    }

    /// The run of the cell's scenario, as many replicates as it takes.
    fn reproduce(&self, key: RunKey) -> Vec<String> {
        let design = &self.sweep.design;
        let mut words = vec!["firesale".to_owned(), "run".to_owned()];
        words.extend(self.sweep.load.words());
        let space = design.space().expect("a sweep varies something");
        for argument in space.arguments(design.point(key.cell)) {
            words.extend(["--set".to_owned(), argument]);
        }
        let arm = design.arms[design.arm(key.cell)];
        if let Arm::Without(mechanism) | Arm::CalmWithout(mechanism) = arm {
            words.extend(["--without".to_owned(), mechanism.name().to_owned()]);
        }
        if let Arm::Calm | Arm::CalmWithout(_) = arm {
            words.extend(["--set".to_owned(), "shocks={}".to_owned()]);
        }
        words.extend(["--set".to_owned(), "counterfactuals=[]".to_owned()]);
        words.extend(["--replicates".to_owned(), (key.replicate + 1).to_string()]);
        words.extend(["--seed".to_owned(), design.seed_of(key.cell).to_string()]);
        words
    }

    fn sources(&self) -> Vec<(&'static str, String)> {
        vec![(SCENARIO, self.resolved()), (STUDY, self.sweep.text())]
    }

    fn measure(&self, store: &Store) -> Result<Estimated, Failure> {
        let design = &self.sweep.design;
        let mut measured = Measurements::new(design);
        let mut estimated = Estimated::default();
        for record in store.records()? {
            let record = record?;
            measured.add(design, &record);
            if design.ends_point(record.key()) {
                estimated.add(design, &measured, self.asked.metric, self.asked.work.json);
                measured.clear();
            }
        }
        Ok(estimated)
    }

    fn publish(&self, place: &Place<'_>, _: &Estimated, origin: &Origin) -> Result<(), OutputError> {
        let design = &self.sweep.design;
        let [cells, summary, effects] = [&CELLS, &SUMMARY, &EFFECTS].map(|table| design.columns(table));
        let runs = design.run_columns();
        let cells = Table { columns: &cells, ..CELLS };
        let runs = Table { columns: &runs, ..RUNS };
        let summary = Table { columns: &summary, ..SUMMARY };
        let effects = Table { columns: &effects, ..EFFECTS };
        let run_row =
            |record: &RunRecord| runs_row(&runs, record, |rows| design.write_cell(record.cell, rows));
        let amplification = design.columns(&AMPLIFICATION);
        let amplification = Table { columns: &amplification, ..AMPLIFICATION };
        let of_points = [Measurements::summary, Measurements::effects, Amplification::row]
            .map(|rows| Gatherer::new(design, rows));
        let summary_rows = |record: &RunRecord| of_points[0].add(record);
        let effects_rows = |record: &RunRecord| of_points[1].add(record);
        let amplification_rows = |record: &RunRecord| of_points[2].add(record);
        let mut jobs = vec![
            TableJob { table: &cells, rows: Rows::Given(Measurements::cells(design)) },
            TableJob { table: &runs, rows: Rows::PerRun(&run_row) },
            TableJob { table: &summary, rows: Rows::Gathered(&summary_rows) },
            TableJob { table: &effects, rows: Rows::Gathered(&effects_rows) },
        ];
        if Quartet::of(design).is_some() {
            jobs.push(TableJob { table: &amplification, rows: Rows::Gathered(&amplification_rows) });
        }
        if design.has_tables {
            let fragments = [&SERIES, &LIQUIDATIONS, &TRANSFERS];
            jobs.extend(fragments.map(|table| TableJob { table, rows: Rows::Fragments }));
        }
        let failures_rows = |record: &RunRecord| failures_row(record, design.seed_of(record.cell));
        if place.store.has_failures() {
            jobs.push(TableJob { table: &FAILURES, rows: Rows::PerRun(&failures_rows) });
        }
        let mut publication = place.begin();
        publication.tables(&jobs, place.store.records()?)?;
        for (name, text) in self.sources() {
            publication.file(name, text.as_bytes())?;
        }
        publication.seal(origin)?;
        Ok(())
    }

    fn text(&self, estimated: &Estimated) -> String {
        sweep_report::text(&self.sweep.study, &self.sweep.design, estimated, self.asked.metric)
    }

    fn json(&self, estimated: &Estimated, folder: &str) -> Value {
        sweep_report::json(&self.sweep.study, &self.sweep.design, estimated, folder)
    }
}
