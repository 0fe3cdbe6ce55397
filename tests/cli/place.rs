//! A folder of its own for each test, and the program in it.

use assert_cmd::Command;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_firesale");

/// A minute of a small exchange, some milliseconds a run.
pub(crate) const SOUND: &str = include_str!("sound.toml");

/// Files that tell of the making and not of the results: the order of threads, the process, the time.
const OF_THE_MAKING: [&str; 4] = ["journal.fsj", "journal.lock", "journal.damaged", "run-log.json"];

/// A new folder that holds `sound.toml`.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write("sound.toml", SOUND);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns the program in this folder with arguments separated by spaces.
    pub(crate) fn firesale(&self, words: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            // Help is as wide as the terminal, and a test has none.
            .env("COLUMNS", "100")
            .timeout(Duration::from_secs(50));
        command
    }

    /// Runs the program and returns what it said.
    pub(crate) fn said(&self, words: &str) -> Said {
        Said::of(&mut self.firesale(words))
    }

    /// Runs the program in a window of so many letters.
    pub(crate) fn said_in(&self, words: &str, columns: &str) -> Said {
        Said::of(self.firesale(words).env("COLUMNS", columns))
    }

    /// Returns the program as a process that can be signalled.
    pub(crate) fn process(&self, words: &str) -> std::process::Command {
        let mut command = std::process::Command::new(PROGRAM);
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        command
    }

    /// Returns the program under a limit of the shell's `ulimit`, such as `-f 8`.
    pub(crate) fn limited(&self, limit: &str, words: &str) -> Command {
        let mut command = Command::new("sh");
        let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        command
            .args(["-c", &script, PROGRAM])
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .timeout(Duration::from_secs(50));
        command
    }

    /// Returns the results in a folder by file name.
    pub(crate) fn results(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        results(&self.path(name))
    }
}

/// Returns the results in a folder by file name.
pub(crate) fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files: BTreeMap<String, Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| !OF_THE_MAKING.contains(&name.as_str()) && !name.starts_with("journal-"))
        .collect();
    let has_runs = files.keys().any(|name| name.starts_with("runs.csv"));
    assert!(has_runs && files.contains_key("SHA256SUMS"), "{:?}", files.keys());
    files
}

/// Fails with the names of the files that differ.
pub(crate) fn assert_same(
    left: &BTreeMap<String, Vec<u8>>,
    right: &BTreeMap<String, Vec<u8>>,
    context: &str,
) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{context}");
    let differing: Vec<&String> = left.keys().filter(|name| left[*name] != right[*name]).collect();
    assert!(differing.is_empty(), "{context}: {differing:?} differ");
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Fails unless the exit code is this and stderr holds each of these.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, needles: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for needle in needles {
            assert!(self.err.contains(needle), "no {needle:?} in stderr of {self:#?}");
        }
        self
    }
}

impl From<std::process::Output> for Said {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Compares a text with its file in `tests/cli/snapshots`.
macro_rules! assert_text {
    ($name:expr, $text:expr) => {
        insta::with_settings!({
            prepend_module_to_snapshot => false,
            omit_expression => true,
            filters => vec![(r"process \d+ on \S+", "process [pid] on [host]")],
        }, {
            insta::assert_snapshot!($name, $text);
        })
    };
}
pub(crate) use assert_text;
