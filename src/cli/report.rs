//! `report`: a page and figures of a results folder.

use super::Failure;
use super::args::ReportArgs;
use super::stdout::Out;
use crate::output::{Report, ReportError};

/// Makes the report of a folder and returns the exit code.
pub(super) fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let report = Report::of(&args.results)?;
    for problem in &report.problems {
        anstream::eprintln!("warning: {problem}; the report says so");
    }
    let page = report.write()?;
    if !args.quiet {
        let text = format!("{}\n", page.display());
        Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    }
    Ok(0)
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let hint = match &error {
            ReportError::NoFolder { .. } | ReportError::NoManifest { .. } => {
                "\n  `firesale run long-squeeze --out FOLDER` fills one"
            }
            ReportError::Unfinished { .. } => {
                "\n  go on with the command that it was begun with; `firesale sweep merge FOLDER` makes the tables of shards"
            }
            ReportError::BadManifest { .. } => {
                "\n  the command that made the folder makes it anew with --force"
            }
            ReportError::Unreadable { .. } => {
                "\n  the command that made the folder makes its tables again from the runs in it"
            }
            ReportError::HoldsOther { .. } => "\n  move it elsewhere: the report goes there",
            ReportError::Pixels { .. } | ReportError::File(_) => {
                return Self::ours(format!("error: {error}"));
            }
        };
        Self::user(format!("error: {error}{hint}"))
    }
}
