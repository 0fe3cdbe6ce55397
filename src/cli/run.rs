//! `run`, and what `targets` shares with it: what is made of the runs of one point.

use super::Failure;
use super::args::{LoadArgs, RunArgs};
use super::fit::room;
use super::job::{Job, Place, Verb, quoted};
use super::load::{Loaded, load};
use super::sparkline::courses;
use super::sweep_report::window;
use super::targets::Beside;
use super::{summary, targets};
use crate::experiment::{Arm, Comparison, Design, Measurements, Store, TargetValues, target_values_rows};
use crate::output::{
    Band, Origin, OutputError, Rows, Series, TableJob, crash_figure, default_path, failures_row, runs_row,
};
use crate::record::tables::{
    CELLS, CRITICALITY, EFFECTS, FAILURES, LIQUIDATION_MAP, LIQUIDATIONS, RUNS, SERIES, SUMMARY,
    TARGET_VALUES, TARGETS, TRANSFERS,
};
use crate::record::{Outcome, RunKey, RunRecord, numbers};
use crate::stats::quantile::quantile;
use crate::world::MarketSpec;
use serde_json::Value;
use std::io::IsTerminal as _;

/// Runs a scenario and returns the exit code.
pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let loaded = load(&args.load)?;
    let design = Design::new(&loaded.scenario, args.seed, args.replicates, args.work.hash);
    finish(args, &loaded, &design, None)
}

/// Does the runs of a design and returns the exit code. `beside` is what the design's targets come from.
pub(super) fn finish(
    args: &RunArgs,
    loaded: &Loaded,
    design: &Design,
    beside: Option<&Beside>,
) -> Result<u8, Failure> {
    let plan = design.plan(&loaded.resolved());
    let folder = args.work.out.clone().unwrap_or_else(|| default_path(&loaded.scenario.name, &plan));
    let verb = OnePoint { args, loaded, design, beside };
    Job { verb, work: &args.work, design, plan: &plan, folder: &folder }.run()
}

/// The verbs of one point: `run`, and `targets` with what stands beside the scenario.
struct OnePoint<'a> {
    args: &'a RunArgs,
    loaded: &'a Loaded,
    design: &'a Design,
    beside: Option<&'a Beside>,
}

/// What is made from all runs.
struct Measured<'a> {
    metrics: Measurements,
    /// Drawn where there is a person to look at it.
    courses: String,
    comparison: Option<Comparison<'a>>,
}

impl<'a> Verb for OnePoint<'a> {
    type Measured = Measured<'a>;

    fn name(&self) -> &str {
        &self.loaded.scenario.name
    }

    fn resolved(&self) -> String {
        self.loaded.resolved()
    }

    fn words(&self) -> Vec<String> {
        let mut words = self.plain_words();
        words.extend(self.args.work.forms.words());
        words
    }

    /// As many replicates as it takes, with that arm.
    fn reproduce(&self, key: RunKey) -> Vec<String> {
        // A run alone is looked at and not kept: in what form does not matter.
        let mut words = self.plain_words();
        // `targets` has the unlevered arm by itself.
        if let Arm::Without(mechanism) = self.design.arms[self.design.arm(key.cell)] {
            words.extend(["--without".to_owned(), mechanism.name().to_owned()]);
        }
        if let Some(at) = words.iter().position(|word| word == "--replicates") {
            words[at + 1] = (key.replicate + 1).to_string();
        }
        words
    }

    fn copies(&self) -> Vec<(String, &str)> {
        self.beside.map_or_else(Vec::new, Beside::copies)
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
        let is_seen = self.beside.is_none() && std::io::stdout().is_terminal();
        let is_seen = is_seen && !self.args.work.json && !self.args.work.quiet;
        let courses = if is_seen { courses(store, &self.perpetual().name, window())? } else { String::new() };
        Ok(Measured { metrics, courses, comparison })
    }

    fn publish(
        &self,
        place: &Place<'_>,
        measured: &Measured<'_>,
        origin: &Origin,
    ) -> Result<(), OutputError> {
        let run_row = |record: &RunRecord| runs_row(&RUNS, record, |_| {});
        let fragments = |table| TableJob { table, rows: Rows::Fragments };
        let given = |table, rows| TableJob { table, rows: Rows::Given(rows) };
        let values_rows = |record: &RunRecord| target_values_rows(self.design, record);
        let mut jobs = vec![
            given(&CELLS, Measurements::cells(self.design)),
            TableJob { table: &RUNS, rows: Rows::PerRun(&run_row) },
            fragments(&SERIES),
            fragments(&LIQUIDATIONS),
            fragments(&LIQUIDATION_MAP),
            fragments(&CRITICALITY),
            fragments(&TRANSFERS),
            given(&SUMMARY, measured.metrics.summary(self.design, 0)),
            given(&EFFECTS, measured.metrics.effects(self.design, 0)),
        ];
        if let Some(comparison) = &measured.comparison {
            jobs.push(given(&TARGETS, comparison.table(self.design)));
            jobs.push(TableJob { table: &TARGET_VALUES, rows: Rows::PerRun(&values_rows) });
        }
        let failures_rows = |record: &RunRecord| failures_row(record, self.design.seed);
        if place.store.has_failures() {
            jobs.push(TableJob { table: &FAILURES, rows: Rows::PerRun(&failures_rows) });
        }
        let mut publication = place.begin();
        publication.tables(&jobs, place.store.records()?)?;
        publication.file("scenario.toml", self.loaded.resolved().as_bytes())?;
        for (name, text) in self.copies() {
            publication.file(&name, text.as_bytes())?;
        }
        if let Some(svg) = self.figure(place.store)? {
            publication.file("figure.svg", svg.as_bytes())?;
        }
        publication.seal(origin)?;
        Ok(())
    }

    fn text(&self, measured: &Measured<'_>) -> String {
        if let Some(comparison) = &measured.comparison {
            return targets::text(self.design, comparison, room());
        }
        summary::text(self.design, &measured.metrics, &measured.courses, room()) + &self.hint()
    }

    fn json(&self, measured: &Measured<'_>, folder: &str) -> Value {
        match &measured.comparison {
            Some(comparison) => targets::json(self.design, comparison, folder),
            None => summary::json(self.design, &measured.metrics, folder),
        }
    }
}

impl OnePoint<'_> {
    /// Returns what was typed but for the forms of tables.
    fn plain_words(&self) -> Vec<String> {
        let verb = if self.beside.is_some() { "targets" } else { "run" };
        let mut words = vec!["firesale".to_owned(), verb.to_owned()];
        words.extend(self.args.load.words());
        words.extend(["--replicates".to_owned(), self.args.replicates.to_string()]);
        words.extend(["--seed".to_owned(), self.args.seed.to_string()]);
        if self.args.work.hash {
            words.push("--hash".to_owned());
        }
        words
    }

    fn perpetual(&self) -> &MarketSpec {
        let mut markets = self.loaded.scenario.world.markets.iter();
        markets.find(|market| !market.contract.is_spot()).expect("a scenario has a perpetual")
    }

    /// Says that there is something to compare with, if there is.
    fn hint(&self) -> String {
        let scenario = &self.args.load.scenario;
        if !targets::exist_for(scenario) {
            return String::new();
        }
        format!("\n`firesale targets {}` compares it with what was observed\n", quoted(scenario))
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
        let (scenario, perpetual) = (&self.loaded.scenario, self.perpetual());
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
}

impl LoadArgs {
    /// Returns what one would type to name the same scenario with the same changes.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![self.scenario.clone()];
        for set in &self.set {
            words.extend(["--set".to_owned(), set.clone()]);
        }
        for without in &self.without {
            words.extend(["--without".to_owned(), without.clone()]);
        }
        words
    }
}
