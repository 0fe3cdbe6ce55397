//! `sweep`: many points of one scenario, from a study or from arguments to tables and a summary.

use super::Failure;
use super::args::{SweepAction, SweepArgs, WorkArgs};
use super::job::{Job, Place, Verb};
use super::load::near;
use super::study::{SCENARIO, STUDY, Sweep};
use super::sweep_report::{self, Estimated};
use super::{pilot, sweep_folder};
use crate::experiment::{Arm, Gatherer, Measurements, Shard, Store};
use crate::output::{Origin, OutputError, Publication, Rows, TableJob, default_path, runs_row};
use crate::record::tables::{CELLS, EFFECTS, LIQUIDATIONS, RUNS, SERIES, SUMMARY, TRANSFERS, metrics};
use crate::record::{RunKey, RunRecord, Table};
use serde_json::Value;
use std::path::Path;

/// Sweeps, or looks after a sweep, and returns the exit code.
pub(super) fn sweep(args: &SweepArgs) -> Result<u8, Failure> {
    match &args.action {
        Some(SweepAction::Status { folder, json }) => return sweep_folder::status(args, folder, *json),
        Some(SweepAction::Merge { folder, metric, json, quiet }) => {
            let work = WorkArgs { json: *json, quiet: *quiet, ..args.work.clone() };
            let args = SweepArgs { metric: metric.clone(), work, ..args.clone() };
            return merge(&args, folder);
        }
        None => {}
    }
    check_metric(&args.metric)?;
    let shard = args.shard.as_deref().map(shard).transpose()?;
    let name = args.study.as_deref().expect("it is required without a subcommand");
    let sweep = Sweep::load(name, args)?;
    if args.dry_run {
        return pilot::dry_run(&sweep, &args.work);
    }
    let folder = args.work.out.clone().unwrap_or_else(|| default_path(&sweep.study.name, &sweep.plan));
    let job = job(args, name, &sweep, &folder);
    match shard {
        Some(shard) => job.run_shard(shard),
        None => job.run(),
    }
}

fn merge(args: &SweepArgs, folder: &Path) -> Result<u8, Failure> {
    check_metric(&args.metric)?;
    let (name, sweep) = sweep_folder::load(args, folder)?;
    job(args, &name, &sweep, folder).merge()
}

fn job<'a>(args: &'a SweepArgs, name: &'a str, sweep: &'a Sweep, folder: &'a Path) -> Job<'a, Points<'a>> {
    let verb = Points { args, name, sweep };
    Job { verb, work: &args.work, design: &sweep.design, plan: &sweep.plan, folder }
}

/// Understands `i/n`, where `i` may be `env`.
fn shard(text: &str) -> Result<Shard, Failure> {
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

fn check_metric(metric: &str) -> Result<(), Failure> {
    let names: Vec<&str> = metrics().map(|column| column.name).collect();
    if names.contains(&metric) {
        return Ok(());
    }
    let hint = near(metric, &names);
    let names = names.join(", ");
    Err(Failure::user(format!("error: --metric {metric}: no such metric{hint}\n  metrics: {names}")))
}

/// The verb of many points.
struct Points<'a> {
    args: &'a SweepArgs,
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
        ["firesale", "sweep", STUDY].map(str::to_owned).to_vec()
    }

    fn typed(&self) -> Vec<String> {
        let args = self.args;
        let mut words = ["firesale", "sweep", self.name].map(str::to_owned).to_vec();
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
        option("--arms", args.arms.as_ref().map(|arms| arms.join(",")));
        for set in &args.set {
            option("--set", Some(set.clone()));
        }
        for without in &args.without {
            option("--without", Some(without.clone()));
        }
        option("--replicates", args.replicates.map(|count| count.to_string()));
        option("--seed", args.seed.map(|seed| seed.to_string()));
        option("--tables", switch(args.tables));
        option("--hash", switch(args.work.hash));
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
        if let Arm::Without(mechanism) = design.arms[design.arm(key.cell)] {
            words.extend(["--without".to_owned(), mechanism.name().to_owned()]);
        }
        words.extend(["--set".to_owned(), "counterfactuals=[]".to_owned()]);
        words.extend(["--replicates".to_owned(), (key.replicate + 1).to_string()]);
        words.extend(["--seed".to_owned(), design.seed.to_string()]);
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
                estimated.add(&measured, &self.args.metric, self.args.work.json);
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
        let of_points =
            [Measurements::summary, Measurements::effects].map(|rows| Gatherer::new(design, rows));
        let summary_rows = |record: &RunRecord| of_points[0].add(record);
        let effects_rows = |record: &RunRecord| of_points[1].add(record);
        let mut jobs = vec![
            TableJob { table: &cells, rows: Rows::Given(Measurements::cells(design)) },
            TableJob { table: &runs, rows: Rows::PerRun(&run_row) },
            TableJob { table: &summary, rows: Rows::Gathered(&summary_rows) },
            TableJob { table: &effects, rows: Rows::Gathered(&effects_rows) },
        ];
        if design.has_tables {
            let fragments = [&SERIES, &LIQUIDATIONS, &TRANSFERS];
            jobs.extend(fragments.map(|table| TableJob { table, rows: Rows::Fragments }));
        }
        let mut publication = Publication::begin(place.folder, place.cancel);
        publication.tables(&jobs, place.store.records()?)?;
        for (name, text) in self.sources() {
            publication.file(name, text.as_bytes())?;
        }
        publication.seal(origin)?;
        Ok(())
    }

    fn text(&self, estimated: &Estimated) -> String {
        sweep_report::text(&self.sweep.study, &self.sweep.design, estimated, &self.args.metric)
    }

    fn json(&self, estimated: &Estimated, folder: &str) -> Value {
        sweep_report::json(&self.sweep.study, &self.sweep.design, estimated, folder)
    }
}
