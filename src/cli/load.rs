//! From the name of a scenario and its changes to a checked scenario, or to every problem on stderr.

use super::Failure;
use super::args::LoadArgs;
use crate::mechanisms::Mechanism;
use crate::record::is_identifier;
use crate::scenario::schema::KEYS;
use crate::scenario::{Document, Rejection, Scenario, check, completed, shipped};
use std::io::IsTerminal;
use std::path::Path;

/// A scenario with the document it was made from, every default in it.
pub(super) struct Loaded {
    pub(super) scenario: Scenario,
    pub(super) document: Document,
}

impl Loaded {
    /// Returns the scenario as it is run: after all changes, with every default.
    pub(super) fn resolved(&self) -> String {
        self.document.resolved(KEYS)
    }
}

/// Loads a scenario.
pub(super) fn load(args: &LoadArgs) -> Result<Loaded, Failure> {
    let (document, name) = changed(args)?;
    match check(&document, &name) {
        Ok(scenario) => Ok(Loaded { scenario, document: completed(&document) }),
        Err(problems) => Err(Failure::user(document.render(&problems, colored()))),
    }
}

/// Opens a scenario and applies the changes of the command line, without checking what comes out.
pub(super) fn changed(args: &LoadArgs) -> Result<(Document, String), Failure> {
    let (document, name) = open(&args.scenario)?;
    Ok((change(document, args), name))
}

/// Opens a document without checking it.
pub(super) fn open(scenario: &str) -> Result<(Document, String), Failure> {
    let reject = |rejection: &Rejection| Failure::user(rejection.render(colored()));
    if let Some(shipped) = shipped::find(scenario) {
        let label = format!("{}.toml", shipped.name);
        let document = Document::parse(&label, shipped.text.as_bytes()).map_err(|e| reject(&e))?;
        return Ok((document, shipped.name.to_owned()));
    }
    let path = Path::new(scenario);
    if !path.exists() && !scenario.contains(['/', '.']) {
        if let Some(what) = another_kind(scenario) {
            return Err(Failure::user(format!("error: {scenario} is {what}")));
        }
        let names: Vec<&str> = shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
        let begun = names.iter().find(|name| !scenario.is_empty() && name.starts_with(scenario));
        let near = begun.or_else(|| {
            let nearest = names.iter().min_by_key(|name| strsim::damerau_levenshtein(name, scenario));
            nearest.filter(|name| strsim::damerau_levenshtein(name, scenario) <= name.len().div_ceil(3))
        });
        let hint = near.map_or(String::new(), |name| format!("\n  did you mean {name}?"));
        let list = names.join(", ");
        return Err(Failure::user(format!(
            "error: no shipped scenario is called {scenario:?}, and no file is there{hint}\n  shipped: {list}"
        )));
    }
    let document = Document::open(path).map_err(|e| reject(&e))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = if is_identifier(stem) { stem.to_owned() } else { "scenario".to_owned() };
    Ok((document, name))
}

/// Says what a shipped name is that names no scenario, and where it belongs.
fn another_kind(name: &str) -> Option<String> {
    if shipped::find_study(name).is_some() {
        return Some(format!(
            "a study, of many points\n  `firesale sweep {name}` or `firesale amplify {name}` runs it"
        ));
    }
    let policy = format!(
        "a policy, a change of a scenario\n  `firesale compare SCENARIO --policies {name}` holds it against one"
    );
    shipped::find_policy(name).map(|_| policy)
}

/// Applies the changes of the command line. What is wrong with them is among the problems of the document.
pub(super) fn change(mut document: Document, args: &LoadArgs) -> Document {
    for argument in &args.set {
        document.set(argument);
    }
    for (index, name) in args.without.iter().enumerate() {
        if args.without[..index].contains(name) {
            continue;
        }
        if Mechanism::from_name(name).is_some() {
            document.set_from("--without", &format!("mechanisms.{name}=false"));
        } else {
            let names = Mechanism::NAMES.join(", ");
            let hint = near(name, &Mechanism::NAMES);
            let help = format!("{} mechanisms: {names}", hint.trim_start());
            document.refuse("--without", name, "no such mechanism", help.trim_start().to_owned());
        }
    }
    document
}

/// Says which of some names was probably meant, on a line of its own, if any is near.
pub(super) fn near(name: &str, known: &[&str]) -> String {
    let nearest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
    let nearest = nearest.filter(|known| strsim::damerau_levenshtein(known, name) <= known.len().div_ceil(3));
    nearest.map_or(String::new(), |known| format!("\n  did you mean {known}?"))
}

/// Tells whether messages may be coloured.
pub(super) fn colored() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
