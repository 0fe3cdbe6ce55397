//! Shipped scenarios with changes, and how to run them.

use firesale::engine::Simulation;
use firesale::event::Observer;
use firesale::rng::Seed;
use firesale::scenario::{Document, Scenario, check, shipped};

/// Loads a shipped scenario with changes.
pub(crate) fn scenario(name: &str, changes: &[&str]) -> Scenario {
    let text = shipped::find(name).expect("it is shipped").text;
    checked(name, text, changes).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Checks the text of a scenario with changes; an error is every problem as it is drawn.
pub(crate) fn checked(name: &str, text: &str, changes: &[&str]) -> Result<Scenario, String> {
    let mut document = Document::parse(name, text.as_bytes()).unwrap();
    for change in changes {
        document.set(change);
    }
    check(&document, name).map_err(|problems| document.render(&problems, false))
}

/// Runs a scenario to its end.
pub(crate) fn run<O: Observer>(scenario: &Scenario, replicate: u32, observer: &mut O) -> Simulation {
    let mut simulation = Simulation::new(scenario, Seed { master: 1, replicate }, observer);
    simulation.step_until(scenario.duration, observer);
    simulation
}
