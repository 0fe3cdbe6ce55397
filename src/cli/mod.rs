//! The only room that knows a terminal, a clock, signals and the machine: one file a verb, errors to exit codes.
//!
//! Exit codes: 0 done; 1 the user's mistake, usage included; 2 ours; 3 finished with failed runs; 4 `diff` found differences;
//! 130 and 143 stopped by a signal.

mod amplify_report;
mod args;
mod compare;
mod compare_report;
mod diff;
mod fit;
mod interface;
mod job;
mod load;
pub mod machine;
mod new;
mod pilot;
mod policies;
pub mod progress;
mod reference;
mod report;
mod reproduce;
mod run;
pub mod signals;
mod sparkline;
pub mod stdout;
mod study;
mod summary;
mod sweep;
mod sweep_folder;
mod sweep_report;
mod targets;
mod typo;
mod words;

use clap::Parser;
use std::ffi::OsString;
use std::io::Write as _;

/// Why a command ended without doing what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The user's mistake.
    fn user(message: String) -> Self {
        Self { code: 1, message }
    }

    /// Ours, or the machine's.
    fn ours(message: String) -> Self {
        Self { code: 2, message }
    }
}

/// What is wrong in several places of an input, to be said in one report.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<Failure>);

impl Failures {
    /// Keeps why there is no value, or returns it.
    fn note<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|failure| self.0.push(failure)).ok()
    }

    /// Returns a value if nothing is wrong with it nor was before; else everything that is.
    ///
    /// # Errors
    /// All failures, in the order in which they were noted, with the gravest exit code.
    fn with<T>(mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        match self.note(result) {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.joined()),
        }
    }

    /// Makes one failure of all, each after a blank line.
    ///
    /// # Panics
    /// Panics if there is none.
    fn joined(self) -> Failure {
        let code =
            self.0.iter().map(|failure| failure.code).max().expect("what could not be made has a reason");
        let texts: Vec<&str> = self.0.iter().map(|failure| failure.message.trim_end()).collect();
        Failure { code, message: texts.join("\n\n") }
    }
}

macro_rules! ours {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::ours(format!("error: {error}"))
            }
        })*
    };
}

ours!(
    crate::experiment::whole_file::FileError,
    crate::output::OutputError,
    crate::experiment::RunError,
    stdout::StdoutError
);

impl From<crate::experiment::StoreError> for Failure {
    fn from(error: crate::experiment::StoreError) -> Self {
        use crate::experiment::StoreError;
        match error {
            StoreError::Held { .. } => {
                Self::user(format!("error: {error}\n  wait for it, or choose another folder with --out"))
            }
            StoreError::OtherPlan { .. } | StoreError::OtherVersion { .. } => Self::user(format!(
                "error: {error}\n  choose another folder with --out, or --force to throw it away"
            )),
            other => Self::ours(format!("error: {other}")),
        }
    }
}

impl From<crate::output::FolderError> for Failure {
    fn from(error: crate::output::FolderError) -> Self {
        use crate::output::FolderError;
        match error {
            FolderError::NotAFolder { .. } | FolderError::HoldsOther { .. } => {
                Self::user(format!("error: {error}\n  choose another folder with --out"))
            }
            FolderError::File(error) => error.into(),
        }
    }
}

/// Runs a command line and returns the exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match args::Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(mut error) => {
            typo::suggest(&mut error, &words);
            // Help and version go to stdout and are no error; anything else is a mistake in usage.
            let wanted = !error.use_stderr();
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            return match printed {
                Err(error) if wanted && error.kind() != std::io::ErrorKind::BrokenPipe => {
                    anstream::eprintln!("error: {}", stdout::StdoutError::from(error));
                    2
                }
                _ => u8::from(!wanted),
            };
        }
    };
    let done = match &cli.command {
        args::Command::Run(args) => run::run(args),
        args::Command::Targets(args) => targets::targets(args),
        args::Command::Sweep(args) => sweep::sweep(args),
        args::Command::Amplify(args) => sweep::amplify(args),
        args::Command::Compare(args) => compare::compare(args),
        args::Command::Report(args) => report::report(args),
        args::Command::Reproduce(args) => reproduce::reproduce(args),
        args::Command::Check(args) => words::check(args),
        args::Command::List => words::list(),
        args::Command::Show(args) => words::show(args),
        args::Command::Explain(args) => words::explain(args),
        args::Command::New(args) => new::new(args),
        args::Command::Diff(args) => diff::diff(args),
        args::Command::Completions { shell } => interface::completions(*shell),
        args::Command::Man { verb } => interface::man(verb),
        args::Command::Schema => interface::schema(),
        args::Command::Reference => reference::reference(),
        args::Command::Validate(args) => words::validate(args),
    };
    done.unwrap_or_else(|failure| {
        anstream::eprintln!("{}", failure.message.trim_end());
        failure.code
    })
}
