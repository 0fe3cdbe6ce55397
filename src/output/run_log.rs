//! `run-log.json`: when, where and how fast the results were computed. Outside the checksums, since none of it decides
//! a result.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::experiment::whole_file::{FileError, write_whole};

/// Name of the log in a results folder.
pub const RUN_LOG: &str = "run-log.json";

/// One attempt at the work of a folder. The command line fills it in, since only that looks at clock and machine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Name of the machine.
    pub host: String,
    /// RFC 3339.
    pub started: String,
    /// How long it took, in seconds.
    pub wall_s: f64,
    /// How many runs went on at once.
    pub threads: usize,
    /// Runs that were on disk before.
    pub runs_before: u64,
    /// Runs that finished.
    pub runs_finished: u64,
    /// Runs that failed.
    pub runs_failed: u64,
    /// `complete`, `interrupted`, `terminated`.
    pub ended: String,
}

/// Adds a session to the log of a folder. A log that cannot be read is begun anew: nothing depends on it.
pub fn log_session(folder: &Path, session: Session) -> Result<(), FileError> {
    let path = folder.join(RUN_LOG);
    let mut sessions: Vec<Session> =
        fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    sessions.push(session);
    let mut text = serde_json::to_string_pretty(&sessions).expect("a log has string keys only");
    text.push('\n');
    write_whole(&path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_add_up_and_a_broken_log_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let session = Session {
            host: "north".to_owned(),
            started: "2026-11-24T09:00:00Z".to_owned(),
            wall_s: 1.5,
            threads: 2,
            runs_before: 0,
            runs_finished: 4,
            runs_failed: 0,
            ended: "complete".to_owned(),
        };
        let read = || -> Vec<Session> {
            serde_json::from_str(&fs::read_to_string(folder.path().join(RUN_LOG)).unwrap()).unwrap()
        };
        log_session(folder.path(), session.clone()).unwrap();
        log_session(folder.path(), session.clone()).unwrap();
        assert_eq!(read(), [session.clone(), session.clone()]);
        fs::write(folder.path().join(RUN_LOG), "{").unwrap();
        log_session(folder.path(), session.clone()).unwrap();
        assert_eq!(read(), [session]);
    }
}
