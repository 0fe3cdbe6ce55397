//! The verbs that print: `check`, `list`, `show`, `explain`, `validate`.

use super::Failure;
use super::args::{CheckArgs, ExplainArgs, LoadArgs, ShowArgs, ValidateArgs, Validation};
use super::fit::fitted;
use super::load::{change, load, open};
use super::progress::{Display, Talk};
use super::stdout::Out;
use super::study::Sweep;
use super::{policies, targets};
use crate::experiment::{Ended, Policy, Progress as _, STUDY_KEYS, validate};
use crate::mechanisms::Mechanism;
use crate::scenario::{self, Document, schema::KEYS, shipped};
use serde::Serialize;
use std::fmt::Write as _;

pub(super) fn print(text: &str) -> Result<u8, Failure> {
    Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    Ok(0)
}

/// Checks a scenario, a study or a policy and says that it is sound.
pub(super) fn check(args: &CheckArgs) -> Result<u8, Failure> {
    let CheckArgs { load: args, on } = args;
    if let Some((document, name)) = policies::document(&args.scenario) {
        return check_policy(&document, &name, args, on.as_deref());
    }
    if let Some(on) = on {
        let name = &args.scenario;
        return Err(Failure::user(format!("error: --on {on}: {name} is no policy, and stands for itself")));
    }
    if let Some(sweep) = Sweep::of_study(args)? {
        return print(&format!("{}: sound, {} points\n", sweep.study.name, sweep.design.points()));
    }
    let loaded = load(args)?;
    print(&format!("{}: sound\n", loaded.scenario.name))
}

fn check_policy(document: &Document, name: &str, args: &LoadArgs, on: Option<&str>) -> Result<u8, Failure> {
    let policy = Policy::read(document, name)
        .map_err(|problems| Failure::user(document.render(&problems, super::load::colored())))?;
    if on.is_none() && (!args.set.is_empty() || !args.without.is_empty()) {
        return Err(Failure::user(format!(
            "error: {name} is a policy, and --set and --without change a scenario\n  name one: --on SCENARIO"
        )));
    }
    let on = on.map(|on| load(&LoadArgs { scenario: on.to_owned(), ..args.clone() })).transpose()?;
    let on = on.map(|mut loaded| {
        loaded.document.settle();
        loaded
    });
    print(&policies::describe(&policy, on.as_ref())?)
}

/// Lists scenarios, studies, policies and mechanisms.
pub(super) fn list() -> Result<u8, Failure> {
    let mut text = "scenarios\n".to_owned();
    for shipped in shipped::SHIPPED {
        let (document, name) = open(shipped.name)?;
        let scenario = scenario::check(&document, &name);
        let title = scenario.map_or_else(|_| String::new(), |scenario| scenario.title);
        let _ = writeln!(text, "  {:<22} {title}", shipped.name);
    }
    text.push_str("\nstudies (firesale sweep NAME)\n");
    for (name, study) in shipped::STUDIES {
        let document = Document::parse(name, study.as_bytes());
        let title = document.ok().and_then(|document| document.literal("title"));
        let _ = writeln!(text, "  {name:<22} {}", title.unwrap_or_default().trim_matches('"'));
    }
    text.push_str("\npolicies (firesale compare SCENARIO --policies NAME,NAME)\n");
    for (name, policy) in shipped::POLICIES {
        let document = Document::parse(name, policy.as_bytes());
        let title = document.ok().and_then(|document| document.literal("title"));
        let _ = writeln!(text, "  {name:<22} {}", title.unwrap_or_default().trim_matches('"'));
    }
    text.push_str("\nmechanisms (--without NAME)\n");
    for mechanism in Mechanism::ALL {
        let _ = writeln!(text, "  {:<22} {}", mechanism.name(), mechanism.meaning());
    }
    print(&fitted(text))
}

/// Prints a scenario.
pub(super) fn show(args: &ShowArgs) -> Result<u8, Failure> {
    if args.targets {
        return print(targets::open(&args.load.scenario)?.text());
    }
    if args.resolved {
        return print(&load(&args.load)?.resolved());
    }
    if let Some(text) = shipped::find_study(&args.load.scenario) {
        return print(text);
    }
    if let Some(text) = shipped::find_policy(&args.load.scenario) {
        return print(text);
    }
    if args.load.set.is_empty()
        && args.load.without.is_empty()
        && let Some(shipped) = shipped::find(&args.load.scenario)
    {
        return print(shipped.text);
    }
    let document = change(open(&args.load.scenario)?.0, &args.load);
    if document.problems().is_empty() {
        return print(&document.to_toml());
    }
    Err(Failure::user(document.render(document.problems(), super::load::colored())))
}

/// Explains keys.
pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let of_scenario = scenario::explain(KEYS, &args.path, None);
    // All keys are those of scenarios; by name one finds those of studies too.
    let of_study = scenario::explain(STUDY_KEYS, &args.path, None).ok().filter(|_| !args.path.is_empty());
    let text = match (of_scenario, of_study) {
        (Ok(text), None) => text,
        (Ok(text), Some(more)) => format!("{text}\nin study files\n{more}"),
        (Err(_), Some(text)) => format!("in study files\n{text}"),
        (Err(error), None) => return Err(Failure::user(format!("error: {error}"))),
    };
    print(&fitted(text))
}

/// Holds intervals against known truths.
fn intervals(studies: u64, seed: u64, json: bool, quiet: bool) -> Result<u8, Failure> {
    let display = Display::new(if quiet { Talk::Quiet } else { Talk::Normal });
    display.begin(0, validate::interval_steps());
    let found = validate::intervals(seed, studies, &|| display.run_ended(Ended::Finished));
    display.end();
    let refusal = "error: an interval does not cover 94-96 %; the lines that say FAIL tell which";
    judged(&found, found.table(), json, found.pass, refusal)
}

/// Prints what was found, as JSON or for a person, and refuses with an error of ours what did not pass.
fn judged(
    found: &impl Serialize,
    table: String,
    json: bool,
    pass: bool,
    refusal: &str,
) -> Result<u8, Failure> {
    let text = if json {
        format!("{}\n", serde_json::to_string_pretty(found).expect("a report has string keys only"))
    } else {
        table
    };
    print(&text)?;
    if pass { Ok(0) } else { Err(Failure::ours(refusal.to_owned())) }
}

/// Holds the engine against exact results.
pub(super) fn validate(args: &ValidateArgs) -> Result<u8, Failure> {
    let (cascades, seed, threads, json, quiet) = match args.what {
        Validation::CascadeLaw { cascades, seed, threads, json, quiet } => {
            (cascades, seed, threads, json, quiet)
        }
        Validation::Intervals { studies, seed, json, quiet } => return intervals(studies, seed, json, quiet),
    };
    let display = Display::new(if quiet { Talk::Quiet } else { Talk::Normal });
    let options = validate::Options { seed, cascades_per_seed: cascades, threads };
    display.begin(0, validate::batches());
    let report = validate::cascade_law(&options, &|_, _| display.run_ended(Ended::Finished));
    display.end();
    let refusal = "error: the engine disagrees with a law; the lines that say FAIL tell where";
    judged(&report, report.table(), json, report.pass, refusal)
}
