//! From the words after `--policies` to policies that change the scenario, or to every problem on stderr.

use super::Failure;
use super::load::{Loaded, colored, near};
use crate::experiment::{BASELINE, Policy};
use crate::record::is_identifier;
use crate::scenario::{Document, Problem, Rejection, Source, check, shipped};
use std::path::Path;

/// The word for every shipped policy.
const ALL: &str = "all";

/// The policies of a comparison.
pub(super) struct Chosen {
    pub(super) policies: Vec<Policy>,
    /// What one would type to name them, in the same order.
    pub(super) words: Vec<String>,
    /// What is to be said beside the results.
    pub(super) warnings: Vec<String>,
}

/// One policy that was asked for.
struct Wanted<'a> {
    /// The word as it was typed, or the name of a shipped policy that `all` stands for.
    word: &'a str,
    /// Where its word stands among all, joined by commas.
    place: (usize, usize),
    /// Whether it was named, so that it has to apply.
    is_named: bool,
}

/// Loads the policies that are named by words and lays each over the scenario. Without one, which is wrong itself then, only what is
/// wrong with words and policies is found.
pub(super) fn choose(words: &[String], loaded: Option<&Loaded>) -> Result<Chosen, Failure> {
    let typed = words.join(",");
    let mut home = Document::parse("--policies", b"").expect("nothing is TOML");
    let index = home.argument("--policies", &typed);
    let mut problems: Vec<Problem> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut chosen = Chosen { policies: Vec::new(), words: Vec::new(), warnings: Vec::new() };
    for wanted in wanted(words) {
        let (start, end) = wanted.place;
        let mut refuse = |what: &str, help: String| {
            let source = Source::Argument { index, start, end };
            problems.push(Problem { at: String::new(), source, what: what.to_owned(), help: Some(help) });
        };
        let (document, name) = match open(wanted.word) {
            Ok(opened) => opened,
            Err(Unopened::Unknown { what, help }) => {
                refuse(&what, help);
                continue;
            }
            Err(Unopened::Rejected(rejection)) => {
                texts.push(rejection.render(colored()));
                continue;
            }
        };
        if chosen.policies.iter().any(|policy| policy.name == name) {
            refuse(&format!("{name} is there twice"), "keep one, or give a file another name".to_owned());
            continue;
        }
        let policy = match Policy::read(&document, &name) {
            Ok(policy) => policy,
            Err(problems) => {
                texts.push(document.render(&problems, colored()));
                continue;
            }
        };
        let Some(loaded) = loaded else {
            chosen.policies.push(policy);
            continue;
        };
        let scenario = &loaded.scenario;
        match policy.on(&loaded.document, &scenario.name) {
            Err(bad) if wanted.is_named => texts.push(bad.render(colored())),
            Err(bad) => {
                let (scenario, why) = (&scenario.name, bad.first());
                chosen.warnings.push(format!("{name} is left out, as {scenario} does not take it: {why}"));
            }
            Ok(changed) if changed == *scenario && !wanted.is_named => {
                chosen
                    .warnings
                    .push(format!("{name} is left out, as it changes nothing in {}", scenario.name));
            }
            Ok(changed) => {
                if changed == *scenario {
                    chosen.warnings.push(format!("{name} changes nothing in {}", scenario.name));
                }
                chosen.policies.push(policy);
                chosen.words.push(wanted.word.to_owned());
            }
        }
    }
    if !problems.is_empty() {
        texts.insert(0, home.render(&problems, colored()));
    }
    if !texts.is_empty() {
        return Err(Failure::user(texts.join("\n")));
    }
    if let Some(loaded) = loaded.filter(|_| chosen.policies.is_empty()) {
        let name = &loaded.scenario.name;
        let why = chosen.warnings.join("\n  ");
        return Err(Failure::user(format!("error: no shipped policy changes anything in {name}\n  {why}")));
    }
    Ok(chosen)
}

/// Says for a policy which scenarios it changes: the one that is named, or all that are shipped. All problems if that is none.
pub(super) fn describe(policy: &Policy, scenario: Option<&Loaded>) -> Result<String, Failure> {
    let name = &policy.name;
    if let Some(loaded) = scenario {
        let on = &loaded.scenario.name;
        let changed = policy.on(&loaded.document, on).map_err(|bad| Failure::user(bad.render(colored())))?;
        let what = if changed == loaded.scenario { "changes nothing there" } else { "sound" };
        return Ok(format!("{name} on {on}: {what}\n"));
    }
    let mut changed = Vec::new();
    let mut bad = None;
    for shipped in shipped::SHIPPED {
        let document =
            Document::parse(shipped.name, shipped.text.as_bytes()).expect("what is shipped is TOML");
        match policy.on(&document, shipped.name) {
            Ok(scenario) => changed.extend(
                check(&document, shipped.name).is_ok_and(|base| base != scenario).then_some(shipped.name),
            ),
            Err(found) => bad = bad.or(Some((shipped.name, found))),
        }
    }
    match bad {
        Some((on, bad)) if changed.is_empty() => Err(Failure::user(format!(
            "{}\n{name} fits no shipped scenario; this is on {on}. Another is named by --on SCENARIO",
            bad.render(colored()).trim_end()
        ))),
        _ if changed.is_empty() => Ok(format!("{name}: sound, and changes no shipped scenario\n")),
        _ => Ok(format!("{name}: sound, changes {}\n", changed.join(", "))),
    }
}

/// Opens the document of a policy if a word, or a file that is no scenario and no study, is one.
pub(super) fn document(word: &str) -> Option<(Document, String)> {
    if shipped::find(word).is_some() || shipped::find_study(word).is_some() {
        return None;
    }
    open(word).ok().filter(|(document, _)| shipped::find_policy(word).is_some() || Policy::is_in(document))
}

/// Returns what each word asks for, `all` taken apart.
fn wanted(words: &[String]) -> Vec<Wanted<'_>> {
    let mut all = Vec::new();
    let mut start = 0;
    for word in words {
        let place = (start, start + word.len());
        start = place.1 + 1;
        if word == ALL {
            let shipped = shipped::POLICIES.iter();
            all.extend(shipped.map(|(name, _)| Wanted { word: name, place, is_named: false }));
        } else {
            all.push(Wanted { word, place, is_named: true });
        }
    }
    all
}

enum Unopened {
    Unknown { what: String, help: String },
    Rejected(Rejection),
}

fn open(word: &str) -> Result<(Document, String), Unopened> {
    if let Some(text) = shipped::find_policy(word) {
        let document = Document::parse(&format!("{word}.toml"), text.as_bytes());
        return Ok((document.map_err(Unopened::Rejected)?, word.to_owned()));
    }
    let path = Path::new(word);
    if !path.exists() && !word.contains(['/', '.']) {
        let names: Vec<&str> = shipped::POLICIES.iter().map(|(name, _)| *name).collect();
        let hint = near(word, &names).trim_start().to_owned();
        let list = format!("policies: {ALL}, {}", names.join(", "));
        let help = if hint.is_empty() { list } else { format!("{hint} {list}") };
        let what = "no shipped policy is called that, and no file is there".to_owned();
        return Err(Unopened::Unknown { what, help });
    }
    let document = Document::open(path).map_err(Unopened::Rejected)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !is_identifier(stem) || [BASELINE, ALL].contains(&stem) {
        let what = format!("the file is called {stem:?}, which is no name for a policy in tables");
        let help = format!("letters, digits, `_` and `-`, and not {BASELINE} or {ALL}");
        return Err(Unopened::Unknown { what, help });
    }
    Ok((document, stem.to_owned()))
}
