//! The verbs that print: `check`, `list`, `show`, `explain`, `validate`.

use super::Failure;
use super::args::{ExplainArgs, LoadArgs, ShowArgs};
use super::load::{change, load, open};
use super::stdout::Out;
use crate::mechanisms::Mechanism;
use crate::scenario::{self, schema::KEYS, shipped};
use std::fmt::Write as _;

fn print(text: &str) -> Result<u8, Failure> {
    Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    Ok(0)
}

/// Checks a scenario and says that it is sound.
pub(super) fn check(args: &LoadArgs) -> Result<u8, Failure> {
    let loaded = load(args)?;
    print(&format!("{}: sound\n", loaded.scenario.name))
}

/// Lists scenarios and mechanisms.
pub(super) fn list() -> Result<u8, Failure> {
    let mut text = "scenarios\n".to_owned();
    for shipped in shipped::SHIPPED {
        let (document, name) = open(shipped.name)?;
        let scenario = scenario::check(&document, &name);
        let title = scenario.map_or_else(|_| String::new(), |scenario| scenario.title);
        let _ = writeln!(text, "  {:<20} {title}", shipped.name);
    }
    text.push_str("\nmechanisms (--without NAME)\n");
    for mechanism in Mechanism::ALL {
        let _ = writeln!(text, "  {:<20} {}", mechanism.name(), mechanism.meaning());
    }
    print(&text)
}

/// Prints a scenario.
pub(super) fn show(args: &ShowArgs) -> Result<u8, Failure> {
    if args.resolved {
        return print(&load(&args.load)?.resolved());
    }
    if args.load.set.is_empty()
        && args.load.without.is_empty()
        && let Some(shipped) = shipped::find(&args.load.scenario)
    {
        return print(shipped.text);
    }
    let document = change(open(&args.load.scenario)?.0, &args.load)?;
    if document.problems().is_empty() {
        return print(&document.to_toml());
    }
    Err(Failure::user(document.render(document.problems(), super::load::colored())))
}

/// Explains keys.
pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let text = scenario::explain(KEYS, &args.path, None)
        .map_err(|error| Failure::user(format!("error: {error}")))?;
    print(&text)
}
