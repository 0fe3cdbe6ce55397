//! From what was typed after `sweep` to a design, or to every problem on stderr.

use super::args::{DesignArgs, LoadArgs};
use super::load::{Loaded, changed, colored, near};
use super::{Failure, Failures};
use crate::experiment::{
    Arm, Design, MOST_REPLICATES, Plan, Points, Precision, Sampling, Space, Study, Variation, Written,
    is_column, name_apart, points,
};
use crate::scenario::{Document, Problem, Source, check, completed, shipped};
use std::path::Path;

/// Name of the study in a results folder, beside `scenario.toml`: the folder is a study again.
pub(super) const STUDY: &str = "study.toml";
/// Name of its scenario.
pub(super) const SCENARIO: &str = "scenario.toml";

/// A sweep that can begin.
pub(super) struct Sweep {
    pub(super) study: Study,
    pub(super) load: LoadArgs,
    pub(super) loaded: Loaded,
    pub(super) design: Design,
    pub(super) plan: Plan,
}

/// What is varied, as far as it was understood, with the document that it was written in.
struct Asked {
    study: Option<Study>,
    /// Those of what is sound of it.
    points: Option<Points>,
    home: Document,
    /// The scenario, if it is known which.
    load: Option<LoadArgs>,
}

impl Sweep {
    /// Makes the design that was asked for and checks its scenarios. Arms that are given replace those of the study.
    ///
    /// # Errors
    /// Everything that is wrong with what is varied, with the scenario, and with its points, in one report.
    pub(super) fn load(
        name: &str,
        args: &DesignArgs,
        given: Option<Vec<Arm>>,
        hash: bool,
    ) -> Result<Self, Failure> {
        let mut wrong = Failures::default();
        let Asked { study, points, home, load } = asked(name, args, &mut wrong);
        let precision = study.as_ref().and_then(|study| wrong.note(precision(args, study)));
        let base = load.as_ref().and_then(|load| wrong.note(changed(load)));
        let loaded = base.and_then(|base| wrong.note(sound(base, &home, points.as_ref())));
        let (Some(mut study), Some(points), Some(load), Some(precision), Some(loaded)) =
            (study, points, load, precision, loaded)
        else {
            return Err(wrong.joined());
        };
        study.replicates = args.replicates.unwrap_or(study.replicates);
        study.precision = precision;
        study.seed = args.seed.unwrap_or(study.seed);
        study.is_independent |= args.independent;
        study.hash |= hash;
        study.has_tables |= args.tables;
        if study.name.is_empty() {
            study.name.clone_from(&loaded.scenario.name);
        }
        if study.title.is_empty() {
            study.title.clone_from(&loaded.scenario.title);
        }
        let arms = arms(given, &study, &loaded);
        let (document, name) = (loaded.document.clone(), &loaded.scenario.name);
        let space = Space::new(document, name, home, points, study.definition());
        wrong.with(space.check().map_err(|bad| Failure::user(bad.render(colored()))))?;
        let mut design = Design::swept(&loaded.scenario, space, arms, study.seed, study.replicates);
        if let Some(precision) = study.precision {
            design.replicates = precision.most;
            design.precision = Some(precision);
        }
        design.is_independent = study.is_independent;
        design.hash = study.hash;
        design.has_tables = study.has_tables;
        let plan = design.plan(&loaded.resolved());
        Ok(Self { study, load, loaded, design, plan })
    }

    /// Loads a study with changes of its scenario; `None` if the name is of no study.
    pub(super) fn of_study(args: &LoadArgs) -> Result<Option<Self>, Failure> {
        if study_document(&args.scenario)?.is_none() {
            return Ok(None);
        }
        let args = args.clone();
        let design = DesignArgs { set: args.set, without: args.without, ..DesignArgs::default() };
        Self::load(&args.scenario, &design, None, false).map(Some)
    }

    /// Returns the study as it stands in a results folder.
    pub(super) fn text(&self) -> String {
        self.study.to_toml(SCENARIO, &self.design.arms)
    }
}

/// Checks a scenario; if something is wrong with it, what is wrong with its points is said too.
fn sound(
    (document, name): (Document, String),
    home: &Document,
    points: Option<&Points>,
) -> Result<Loaded, Failure> {
    let problems = match check(&document, &name) {
        Ok(scenario) => return Ok(Loaded { scenario, document: completed(&document) }),
        Err(problems) => problems,
    };
    let mut wrong = Failures::default();
    wrong.note::<()>(Err(Failure::user(document.render(&problems, colored()))));
    if let Some(points) = points {
        let space = Space::new(document, &name, home.clone(), points.clone(), String::new());
        let checked = space.check_beside(&problems);
        wrong.note(checked.map_err(|bad| Failure::user(bad.render(colored()))));
    }
    Err(wrong.joined())
}

/// Reads what is varied, from a study or from arguments.
fn asked(path: &str, args: &DesignArgs, wrong: &mut Failures) -> Asked {
    let found = match study_document(path) {
        Ok(Some((home, name))) => return of_study(path, args, home, &name, wrong),
        Ok(None) => exists(path),
        Err(failure) => Err(failure),
    };
    let is_there = wrong.note(found).is_some();
    typed(path, args, is_there, wrong)
}

/// Reads what is varied from a study.
fn of_study(path: &str, args: &DesignArgs, home: Document, name: &str, wrong: &mut Failures) -> Asked {
    let is_typed = !args.vary.is_empty()
        || args.zip
        || args.one_at_a_time
        || args.latin_hypercube.is_some()
        || args.sobol.is_some();
    if is_typed {
        wrong.note::<()>(Err(Failure::user(format!(
            "error: {path} is a study, which says itself what is varied\n  vary its scenario, or change a copy of the study"
        ))));
    }
    let read = Study::read(&home).map_err(|problems| Failure::user(home.render(&problems, colored())));
    let (mut study, points) = wrong.note(read).unzip();
    if let Some(study) = study.as_mut().filter(|study| study.name.is_empty()) {
        name.clone_into(&mut study.name);
    }
    let load = Study::base(&home).and_then(|(scenario, set)| {
        Some(LoadArgs {
            scenario: wrong.note(beside(path, &home, &scenario))?,
            set: set.iter().chain(&args.set).cloned().collect(),
            without: args.without.clone(),
        })
    });
    Asked { study, points, home, load }
}

/// Returns what decides the number of replicates, if anything but their number does.
fn precision(args: &DesignArgs, study: &Study) -> Result<Option<Precision>, Failure> {
    let stated = study.precision.filter(|_| args.replicates.is_none());
    let most = args.most_replicates.or(stated.map(|precision| precision.most)).unwrap_or(MOST_REPLICATES);
    let width = args.until_ci.or(stated.map(|precision| precision.width));
    if width.is_none() && args.most_replicates.is_some() {
        return Err(Failure::user(format!(
            "error: --most-replicates {most}: nothing asks for more or fewer\n  say how narrow the interval is to be: --until-ci 0.05"
        )));
    }
    let precision = width.map(|width| Precision { width, most });
    if let (Some(_), Some(shard)) = (precision, &args.shard) {
        return Err(Failure::user(format!(
            "error: --shard {shard}: the study adds replicates until an interval is narrow enough, and no shard sees all that decides it\n  \
             leave out --shard, or state the number of replicates with -n"
        )));
    }
    Ok(precision)
}

/// Says which studies and scenarios there are if the name is of none and no file is there.
fn exists(name: &str) -> Result<(), Failure> {
    if shipped::find(name).is_some() || Path::new(name).exists() || name.contains(['/', '.']) {
        return Ok(());
    }
    let studies: Vec<&str> = shipped::STUDIES.iter().map(|(name, _)| *name).collect();
    let scenarios: Vec<&str> = shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
    let hint = near(name, &[studies.as_slice(), scenarios.as_slice()].concat());
    let (studies, scenarios) = (studies.join(", "), scenarios.join(", "));
    Err(Failure::user(format!(
        "error: no shipped study or scenario is called {name:?}, and no file is there{hint}\n  studies: {studies}\n  \
         scenarios: {scenarios}"
    )))
}

/// Reads what is varied from arguments. Of a scenario that is not there nothing further is said.
fn typed(name: &str, args: &DesignArgs, is_there: bool, wrong: &mut Failures) -> Asked {
    let mut home = Document::parse("--vary", b"").expect("nothing is TOML");
    let mut variations: Vec<Variation> = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for text in &args.vary {
        let index = home.argument("--vary", text);
        match Variation::typed(text, |start, end| Source::Argument { index, start, end }) {
            Ok(variation) => variations.push(variation),
            Err(problem) => problems.push(problem),
        }
    }
    name_apart(&mut variations, is_column);
    let sampling = match (args.latin_hypercube, args.sobol) {
        (Some(points), _) => Sampling::LatinHypercube(points),
        (None, Some(points)) => Sampling::Sobol(points),
        (None, None) if args.zip => Sampling::Zip,
        (None, None) if args.one_at_a_time => Sampling::OneAtATime,
        (None, None) => Sampling::Grid,
    };
    if args.vary.is_empty() && is_there {
        wrong.note::<()>(Err(Failure::user(
            "error: nothing is varied\n  say what: --vary path=value,value,..., for example --vary duration=30m,1h".to_owned(),
        )));
    }
    let seed = args.seed.unwrap_or(1);
    let made = if variations.is_empty() { Err(Vec::new()) } else { points(&variations, sampling, seed) };
    let points = made.map_err(|more| problems.extend(more)).ok();
    if !problems.is_empty() {
        wrong.note::<()>(Err(Failure::user(home.render(&problems, colored()))));
    }
    let study = Study {
        name: String::new(),
        title: String::new(),
        scenario: Written { text: name.to_owned(), source: Source::Missing { start: 0, end: 0 } },
        set: Vec::new(),
        variations,
        sampling,
        arms: None,
        replicates: 20,
        precision: None,
        seed,
        is_independent: false,
        hash: false,
        has_tables: false,
    };
    let load = LoadArgs { scenario: name.to_owned(), set: args.set.clone(), without: args.without.clone() };
    Asked { study: Some(study), points, home, load: Some(load).filter(|_| is_there) }
}

/// Opens a study; `None` if the name is that of a scenario, or of nothing.
fn study_document(name: &str) -> Result<Option<(Document, String)>, Failure> {
    let reject = |rejection: crate::scenario::Rejection| Failure::user(rejection.render(colored()));
    if let Some(text) = shipped::find_study(name) {
        let document = Document::parse(&format!("{name}.toml"), text.as_bytes()).map_err(reject)?;
        return Ok(Some((document, name.to_owned())));
    }
    let path = Path::new(name);
    if shipped::find(name).is_some() || !path.is_file() {
        return Ok(None);
    }
    let document = Document::open(path).map_err(reject)?;
    if !Study::is_in(&document) {
        return Ok(None);
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = if crate::record::is_identifier(stem) { stem } else { "study" };
    Ok(Some((document, name.to_owned())))
}

/// Returns the scenario that a study names: a shipped one, or a file beside the study.
fn beside(path: &str, home: &Document, scenario: &Written) -> Result<String, Failure> {
    let Written { text, source } = scenario;
    if shipped::find(text).is_some() {
        return Ok(text.clone());
    }
    let file = Path::new(path).parent().unwrap_or(Path::new("")).join(text);
    if file.exists() {
        return Ok(file.display().to_string());
    }
    let names: Vec<&str> = shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
    let problem = Problem {
        at: "scenario".to_owned(),
        source: *source,
        what: format!("no shipped scenario is called that, and there is no file {}", file.display()),
        help: Some(format!("shipped: {}", names.join(", "))),
    };
    Err(Failure::user(home.render(&[problem], colored())))
}

/// Returns the arms: the base, then those that were asked for.
fn arms(given: Option<Vec<Arm>>, study: &Study, loaded: &Loaded) -> Vec<Arm> {
    let scenario = &loaded.scenario;
    let counterfactuals = || scenario.counterfactuals.iter().map(|one| Arm::Without(*one)).collect();
    let wanted = given.or_else(|| study.arms.clone()).unwrap_or_else(counterfactuals);
    let mut arms = vec![Arm::Base];
    for arm in wanted {
        // Switching off what is off already would repeat the base.
        let is_on = match arm {
            Arm::Without(mechanism) | Arm::CalmWithout(mechanism) => scenario.mechanisms.has(mechanism),
            Arm::Base | Arm::Unlevered | Arm::Calm | Arm::CalmFor(_) => true,
        };
        if is_on && !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    arms
}
