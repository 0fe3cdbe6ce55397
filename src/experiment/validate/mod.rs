//! `validate`: the engine held against exact mathematics and against itself.

mod cascade_law;
mod controls;

pub use cascade_law::{CaseReport, SeedLine};
pub use controls::ControlReport;

use serde::Serialize;
use std::fmt::Write as _;

/// How much is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// First of the seeds, which are consecutive.
    pub seed: u64,
    /// Cascades for each seed and case.
    pub cascades_per_seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One entry a case of the law.
    pub cases: Vec<CaseReport>,
    /// One entry a control.
    pub controls: Vec<ControlReport>,
}

impl Report {
    /// Tells whether every line passed.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(CaseReport::passed) && self.controls.iter().all(|control| control.pass)
    }

    /// Writes the report for a person.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for case in &self.cases {
            let _ = writeln!(out, "{}", case.table());
        }
        let _ = writeln!(out, "controls");
        for control in &self.controls {
            let verdict = if control.pass { "pass" } else { "FAIL" };
            let _ = writeln!(out, "  {verdict}  {}: {}", control.name, control.seen);
        }
        let verdict = if self.passed() { "everything passes" } else { "something FAILS" };
        let _ = writeln!(out, "\n{verdict}");
        out
    }
}

/// Runs the laws and the controls on the threads of the current pool. `progress` hears (done, total) of its parts; the
/// first call has 0 done.
pub fn cascade_law(options: &Options, progress: &(dyn Fn(u64, u64) + Sync)) -> Report {
    let total = cascade_law::parts() + controls::parts();
    progress(0, total);
    let cases = cascade_law::run(options, &|| progress(1, total));
    let controls = controls::run(&|| progress(1, total));
    Report { cases, controls }
}
