//! `compare`: policies held against a scenario, from what was typed to tables and a summary.

use super::args::CompareArgs;
use super::job::{Job, Place, Verb};
use super::load::{Loaded, colored, load};
use super::policies::{Chosen, choose};
use super::sweep::shard;
use super::{Failure, Failures, compare_report, pilot};
use crate::experiment::{Arm, Contest, Design, Gatherer, Measurements, Plan, Policy, Space, Store};
use crate::output::{Origin, OutputError, Rows, TableJob, default_path, failures_row, runs_row};
use crate::record::tables::{CELLS, FAILURES, PARETO, POLICIES, RANKING, RUNS, SUMMARY};
use crate::record::{RunKey, RunRecord, Table};
use crate::scenario::{Document, Scenario, ShockKind, check, completed};
use crate::units::{Time, format_duration, parse_duration};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// Name of the scenario in a results folder.
const SCENARIO: &str = "scenario.toml";

/// Compares policies and returns the exit code.
pub(super) fn compare(args: &CompareArgs) -> Result<u8, Failure> {
    let mut wrong = Failures::default();
    let shard = wrong.note(args.shard.as_deref().map(shard).transpose()).flatten();
    let compared = wrong.with(Compared::load(args))?;
    for warning in &compared.chosen.warnings {
        args.work.say(&format!("warning: {warning}"));
    }
    let (design, plan) = (&compared.design, &compared.plan);
    if args.dry_run {
        return pilot::dry_run(&design.base.name, design, plan, &args.work);
    }
    let folder = args.work.out.clone().unwrap_or_else(|| default_path(&design.base.name, plan));
    let verb = Policies { args, compared: &compared, folder: &folder };
    let job = Job { verb, work: &args.work, design, plan, folder: &folder };
    match shard {
        Some(shard) => job.run_shard(shard),
        None => job.run(),
    }
}

/// A comparison that can begin.
pub(super) struct Compared {
    loaded: Loaded,
    pub(super) chosen: Chosen,
    pub(super) design: Design,
    plan: Plan,
    /// When the last shock is over.
    pub(super) last_shock: Time,
    /// How long the scenario says that it runs.
    pub(super) whole: Time,
    pub(super) calm: Time,
}

impl Compared {
    fn load(args: &CompareArgs) -> Result<Self, Failure> {
        let mut wrong = Failures::default();
        let calm = wrong.note(span("--calm", &args.calm));
        let after = if args.after == "all" { None } else { wrong.note(span("--after", &args.after)) };
        let Some(mut loaded) = wrong.note(load(&args.load)) else {
            wrong.note(choose(&args.policies, None));
            return Err(wrong.joined());
        };
        let whole = loaded.scenario.duration;
        let last_shock = wrong.note(last_shock(&loaded.scenario));
        let calm = calm.and_then(|calm| wrong.note(watched(calm.min(whole), &args.calm, &loaded.scenario)));
        // Policies may change what was set: they lie above.
        loaded.document.settle();
        if let (Some(after), Some(last_shock)) = (after, last_shock)
            && last_shock + after < whole
        {
            wrong.note(shorten(&mut loaded, last_shock + after));
        }
        wrong.note(check_adaptations(&args.adaptation, &loaded));
        let chosen = wrong.with(choose(&args.policies, Some(&loaded)))?;
        let (last_shock, calm) = last_shock.zip(calm).expect("what is wrong with them would have been said");
        let points = Policy::points(&chosen.policies, &args.adaptation);
        let mut definition = Policy::definition(&chosen.policies, &args.adaptation);
        let _ = write!(definition, "\ncalm = {}", format_duration(calm));
        let home = Document::parse("--policies", b"").expect("nothing is TOML");
        let name = &loaded.scenario.name;
        let space = Space::new(loaded.document.clone(), name, home, points, definition);
        space.check().map_err(|bad| Failure::user(bad.render(colored())))?;
        let arms = Contest::arms(calm);
        let mut design = Design::swept(&loaded.scenario, space, arms, args.seed, args.replicates);
        design.hash = args.work.hash;
        let plan = design.plan(&loaded.resolved());
        Ok(Self { loaded, chosen, design, plan, last_shock, whole, calm })
    }
}

/// Returns when the last shock is over.
fn last_shock(scenario: &Scenario) -> Result<Time, Failure> {
    let end = |kind: &ShockKind| match kind {
        ShockKind::MetaOrder(order) => order.at + order.duration,
        ShockKind::FundamentalJump { at, .. } => *at,
    };
    scenario.shocks.iter().map(|shock| end(&shock.kind)).max().ok_or_else(|| {
        let name = &scenario.name;
        Failure::user(format!("error: {name} has no shock, and so nothing to protect against"))
    })
}

/// Returns how long calm runs are, if the market is looked at in that time; `given` is what was typed.
fn watched(calm: Time, given: &str, scenario: &Scenario) -> Result<Time, Failure> {
    if calm >= scenario.sample_every {
        return Ok(calm);
    }
    let every = format_duration(scenario.sample_every);
    Err(Failure::user(format!(
        "error: --calm {given}: is shorter than {every}, the time between two looks at the market"
    )))
}

/// Understands a time that an option gives.
fn span(option: &str, text: &str) -> Result<Time, Failure> {
    parse_duration(text).ok().filter(|time| *time >= Time::ZERO).ok_or_else(|| {
        Failure::user(format!("error: {option} {text}: is not a duration\n  such as 30m, 1h or 1h30m"))
    })
}

/// Lets the scenario end earlier than it says.
fn shorten(loaded: &mut Loaded, until: Time) -> Result<(), Failure> {
    let mut document = loaded.document.clone();
    document.set_from("--after", &format!("duration={}", format_duration(until)));
    let scenario = check(&document, &loaded.scenario.name);
    loaded.scenario = scenario.map_err(|problems| Failure::user(document.render(&problems, colored())))?;
    loaded.document = completed(&document);
    loaded.document.settle();
    Ok(())
}

/// Checks that the scenario understands how agents are to adapt; all words at once.
fn check_adaptations(words: &[String], loaded: &Loaded) -> Result<(), Failure> {
    let mut texts = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if words[..index].contains(word) {
            texts.push(format!("error: --adaptation {word}: is there twice"));
            continue;
        }
        let mut document = loaded.document.clone();
        document.set_from("--adaptation", &format!("adaptation={word}"));
        if let Err(problems) = check(&document, &loaded.scenario.name) {
            texts.push(document.render(&problems, colored()));
        }
    }
    if texts.is_empty() { Ok(()) } else { Err(Failure::user(texts.join("\n"))) }
}

/// The verb of policies.
struct Policies<'a> {
    args: &'a CompareArgs,
    compared: &'a Compared,
    folder: &'a Path,
}

impl Verb for Policies<'_> {
    type Measured = Contest;

    fn name(&self) -> &str {
        &self.compared.design.base.name
    }

    fn resolved(&self) -> String {
        self.compared.loaded.resolved()
    }

    /// Policies by their names: `all` may mean more one day.
    fn words(&self) -> Vec<String> {
        let args = self.args;
        let calm = format_duration(self.compared.calm);
        let mut words = vec!["firesale".to_owned(), "compare".to_owned()];
        words.extend(args.load.words());
        words.extend(["--policies".to_owned(), self.compared.chosen.words.join(",")]);
        if !args.adaptation.is_empty() {
            words.extend(["--adaptation".to_owned(), args.adaptation.join(",")]);
        }
        words.extend(["--replicates".to_owned(), args.replicates.to_string()]);
        words.extend(["--seed".to_owned(), args.seed.to_string()]);
        words.extend(["--after", args.after.as_str(), "--calm", calm.as_str()].map(str::to_owned));
        if args.work.hash {
            words.push("--hash".to_owned());
        }
        words.extend(args.work.forms.words());
        words
    }

    /// The run of the cell's scenario, as many replicates as it takes.
    fn reproduce(&self, key: RunKey) -> Vec<String> {
        let design = &self.compared.design;
        let scenario = self.folder.join(SCENARIO).display().to_string();
        let mut words = vec!["firesale".to_owned(), "run".to_owned(), scenario];
        let space = design.space().expect("a comparison varies the policy");
        let mut sets = space.arguments(design.point(key.cell));
        if let Arm::CalmFor(calm) = design.arms[design.arm(key.cell)] {
            sets.extend(["shocks={}".to_owned(), format!("duration={}", format_duration(calm))]);
        }
        sets.push("counterfactuals=[]".to_owned());
        words.extend(sets.into_iter().flat_map(|set| ["--set".to_owned(), set]));
        words.extend(["--replicates".to_owned(), (key.replicate + 1).to_string()]);
        words.extend(["--seed".to_owned(), design.seed.to_string()]);
        words
    }

    fn sources(&self) -> Vec<(&'static str, String)> {
        vec![(SCENARIO, self.resolved())]
    }

    fn measure(&self, store: &Store) -> Result<Contest, Failure> {
        let design = &self.compared.design;
        let mut measured: Vec<Measurements> =
            (0..design.points()).map(|_| Measurements::new(design)).collect();
        for record in store.records()? {
            let record = record?;
            measured[design.point(record.cell) as usize].add(design, &record);
        }
        Ok(Contest::new(design, &measured))
    }

    fn publish(&self, place: &Place<'_>, contest: &Contest, origin: &Origin) -> Result<(), OutputError> {
        let design = &self.compared.design;
        let columns = [&CELLS, &SUMMARY, &POLICIES, &RANKING, &PARETO].map(|table| design.columns(table));
        let [cells, summary, policies, ranking, pareto] = &columns;
        let runs = design.run_columns();
        let cells = Table { columns: cells, ..CELLS };
        let runs = Table { columns: &runs, ..RUNS };
        let summary = Table { columns: summary, ..SUMMARY };
        let policies = Table { columns: policies, ..POLICIES };
        let ranking = Table { columns: ranking, ..RANKING };
        let pareto = Table { columns: pareto, ..PARETO };
        let run_row =
            |record: &RunRecord| runs_row(&runs, record, |rows| design.write_cell(record.cell, rows));
        let of_points = Gatherer::new(design, Measurements::summary);
        let summary_rows = |record: &RunRecord| of_points.add(record);
        let mut jobs = vec![
            TableJob { table: &cells, rows: Rows::Given(Measurements::cells(design)) },
            TableJob { table: &runs, rows: Rows::PerRun(&run_row) },
            TableJob { table: &summary, rows: Rows::Gathered(&summary_rows) },
            TableJob { table: &policies, rows: Rows::Given(contest.policies(design)) },
            TableJob { table: &ranking, rows: Rows::Given(contest.ranking(design)) },
            TableJob { table: &pareto, rows: Rows::Given(contest.pareto(design)) },
        ];
        let failures_rows = |record: &RunRecord| failures_row(record, design.seed);
        if place.store.has_failures() {
            jobs.push(TableJob { table: &FAILURES, rows: Rows::PerRun(&failures_rows) });
        }
        let mut publication = place.begin();
        publication.tables(&jobs, place.store.records()?)?;
        publication.file(SCENARIO, self.resolved().as_bytes())?;
        for policy in &self.compared.chosen.policies {
            publication.file(&format!("policy-{}.toml", policy.name), policy.to_toml().as_bytes())?;
        }
        publication.file("policies.tex", compare_report::latex(self.compared, contest).as_bytes())?;
        publication.seal(origin)?;
        Ok(())
    }

    fn text(&self, contest: &Contest) -> String {
        compare_report::text(self.compared, contest)
    }

    fn json(&self, contest: &Contest, folder: &str) -> Value {
        compare_report::json(self.compared, contest, folder)
    }
}
