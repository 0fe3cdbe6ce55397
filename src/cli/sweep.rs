//! `sweep`: many points of one scenario, from a study or from arguments to tables and a summary.

use super::Failure;
use super::args::SweepArgs;
use super::job::{Job, Place, Verb};
use super::load::near;
use super::study::{SCENARIO, STUDY, Sweep};
use super::sweep_report::{self, Estimated};
use crate::experiment::{Arm, Gatherer, Measurements, Store};
use crate::output::{Origin, OutputError, Publication, Rows, TableJob, default_path, runs_row};
use crate::record::tables::{CELLS, EFFECTS, LIQUIDATIONS, RUNS, SERIES, SUMMARY, TRANSFERS, metrics};
use crate::record::{RunKey, RunRecord, Table};
use serde_json::Value;

/// Sweeps and returns the exit code.
pub(super) fn sweep(args: &SweepArgs) -> Result<u8, Failure> {
    check_metric(&args.metric)?;
    let sweep = Sweep::load(args)?;
    let folder = args.work.out.clone().unwrap_or_else(|| default_path(&sweep.study.name, &sweep.plan));
    let verb = Points { args, sweep: &sweep };
    Job { verb, work: &args.work, design: &sweep.design, plan: &sweep.plan, folder: &folder }.run()
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
        let mut words = ["firesale", "sweep", &args.study].map(str::to_owned).to_vec();
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
        publication.file(SCENARIO, self.resolved().as_bytes())?;
        publication.file(STUDY, self.sweep.text().as_bytes())?;
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
