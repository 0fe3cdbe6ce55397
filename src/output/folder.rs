//! Where results go, and whether a folder may take them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST, SUMS, listed_files};
use crate::experiment::whole_file::{FileError, WholeFile};
use crate::experiment::{Plan, is_own};

/// How many foreign names are shown.
const SHOWN_NAMES: usize = 3;

/// Why results cannot go to a folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is a file of that name.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// It holds files that are not ours.
    #[error("{} holds something else ({}), and results need a folder of their own", path.display(), names.join(", "))]
    HoldsOther {
        /// The path that was asked for.
        path: PathBuf,
        /// Some of its files.
        names: Vec<String>,
    },
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Returns the folder for a plan where nobody names one: `firesale-out/<name>-<start of the plan's identity>`.
pub fn default_path(name: &str, plan: &Plan) -> PathBuf {
    Path::new("firesale-out").join(format!("{name}-{}", plan.short_id()))
}

/// Creates a folder, or makes sure that it is empty or one of ours.
pub fn claim(path: &Path) -> Result<(), FolderError> {
    if let Err(source) = fs::create_dir_all(path) {
        return Err(if path.exists() && !path.is_dir() {
            FolderError::NotAFolder { path: path.to_owned() }
        } else {
            FileError { action: "create", path: path.to_owned(), source }.into()
        });
    }
    let mut names = names_in(path)?;
    if names.is_empty() || names.iter().any(|name| is_own(name)) {
        return Ok(());
    }
    let rest = names.len().saturating_sub(SHOWN_NAMES);
    names.truncate(SHOWN_NAMES);
    if rest > 0 {
        names.push(format!("and {rest} more"));
    }
    Err(FolderError::HoldsOther { path: path.to_owned(), names })
}

/// Removes what an earlier publication left in a folder of ours, so that it cannot be taken for the results that are
/// about to be made; so too a report of it. The journal is not touched, nor is any file that no publication made.
pub fn discard_results(path: &Path) -> Result<(), FileError> {
    super::report::discard(path)?;
    // The seal goes first: without it the rest is not taken for results if this is interrupted.
    let listed = listed_files(path);
    let partial = names_in(path)?.into_iter().filter(|name| name.ends_with(WholeFile::PARTIAL));
    for name in [SUMS.to_owned(), MANIFEST.to_owned()].into_iter().chain(listed).chain(partial) {
        let file = path.join(name);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError { action: "remove", path: file, source }),
        }
    }
    Ok(())
}

fn names_in(path: &Path) -> Result<Vec<String>, FileError> {
    let entries = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<String>>>()
    });
    let mut names = entries.map_err(FileError::when("read", path))?;
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::LOCK;

    #[test]
    fn the_default_folder_is_named_after_scenario_and_plan() {
        let plan = Plan { text: String::new(), cells: 1, replicates: 1, ..Plan::default() };
        assert_eq!(default_path("btc", &plan), Path::new("firesale-out/btc-af1349b9"));
    }

    #[test]
    fn a_new_an_empty_and_an_own_folder_are_taken() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        claim(&path).unwrap();
        assert!(path.is_dir());
        claim(&path).unwrap();
        fs::write(path.join(LOCK), "").unwrap();
        fs::write(path.join("notes.txt"), "").unwrap();
        claim(&path).unwrap();
    }

    #[test]
    fn a_folder_with_something_else_is_refused_and_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["thesis.tex", "d.txt", "b.txt", "c.txt"] {
            fs::write(parent.path().join(name), "x").unwrap();
        }
        let said = claim(parent.path()).unwrap_err().to_string();
        assert!(said.contains("holds something else (b.txt, c.txt, d.txt, and 1 more)"), "{said}");
        assert_eq!(names_in(parent.path()).unwrap().len(), 4);
    }

    #[test]
    fn a_file_is_no_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a");
        fs::write(&path, "x").unwrap();
        assert!(matches!(claim(&path), Err(FolderError::NotAFolder { .. })));
        let said = claim(&path.join("b")).unwrap_err().to_string();
        assert!(said.starts_with("cannot create "), "{said}");
    }
}
