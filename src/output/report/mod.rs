//! The report of a results folder: one page that needs nothing beside it, and its figures as SVG and PNG.
//!
//! 1. [`Results`](results::Results) reads manifest and tables, and checks every sealed file.
//! 2. `figures` draws what these tables hold; `dress` adds what a pointer is told and a screen reader says.
//! 3. `page` writes tables and figures as HTML, `png` the same figures as pixels.
//! 4. [`Report::write`] puts all of it into `RESULTS/report`, whole or not at all.
//!
//! What can go wrong: the folder holds no results, a table is not readable, the disk is full: errors with a path. A file that is
//! missing or was changed after it was sealed is no error: the page says so, by name and with the command that makes it again.
//!
//! The page has no script and loads nothing; its content security policy forbids both, so that a name that looks like markup
//! could do nothing even if it were not escaped. The same results make the same bytes.

mod dress;
mod estimates;
mod figures;
mod over_time;
mod page;
mod png;
mod policies;
mod results;
mod sheet;
#[cfg(test)]
mod tests;
mod theme;
mod words;

use super::manifest::MANIFEST;
use crate::experiment::is_own;
use crate::experiment::whole_file::{FileError, write_whole};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the report's folder in a results folder.
pub const REPORT: &str = "report";
/// Name of its page.
pub const PAGE: &str = "report.html";
/// Where it is while it is made.
const MAKING: &str = "report.making";
/// Where an earlier one is while a new one takes its place.
const FORMER: &str = "report.former";

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no such folder.
    #[error("{} {}", path.display(), if path.exists() { "is not a folder" } else { "does not exist" })]
    NoFolder {
        /// The path that was named.
        path: PathBuf,
    },
    /// The folder has no manifest.
    #[error("no {MANIFEST} in {}: is it a results folder?", path.display())]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has a journal and no manifest.
    #[error("no {MANIFEST} in {}: its runs are not all done, or its shards not merged", path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// What is called a manifest is none.
    #[error("{} is not a manifest that this version reads", path.join(MANIFEST).display())]
    BadManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A table is no CSV.
    #[error("{} cannot be read as a table: {source}", path.display())]
    Unreadable {
        /// The table.
        path: PathBuf,
        /// Where it is wrong.
        source: csv::Error,
    },
    /// Where the report goes are files of somebody else.
    #[error("{} is no report of ours and is left alone", path.display())]
    HoldsOther {
        /// The folder.
        path: PathBuf,
    },
    /// A figure could not be turned into pixels.
    #[error("figure {name} cannot be drawn in pixels: {why}")]
    Pixels {
        /// The figure.
        name: String,
        /// What the renderer says.
        why: String,
    },
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A report in memory.
pub struct Report {
    folder: PathBuf,
    files: Vec<(String, Vec<u8>)>,
    /// What is missing or changed in the folder, in words.
    pub problems: Vec<String>,
}

impl Report {
    /// Makes the report of a results folder.
    pub fn of(folder: &Path) -> Result<Self, ReportError> {
        let results = results::Results::open(folder)?;
        let figures = figures::draw(&results)?;
        let notes = words::notes(&results, &figures);
        let page = page::page(&results, &figures, &notes);
        let mut files = vec![(PAGE.to_owned(), page.into_bytes())];
        for (figure, pixels) in figures.drawn.iter().zip(png::all(&figures.drawn)?) {
            files.push((format!("{}.svg", figure.name), figure.svg.clone().into_bytes()));
            files.push((format!("{}.png", figure.name), pixels));
        }
        Ok(Self { folder: folder.to_owned(), files, problems: results.problems })
    }

    /// Writes it into `RESULTS/report`, in the place of an earlier one, and returns the path of its page.
    pub fn write(&self) -> Result<PathBuf, ReportError> {
        let [place, making, former] = [REPORT, MAKING, FORMER].map(|name| self.folder.join(name));
        if !is_report(&place) {
            return Err(ReportError::HoldsOther { path: place });
        }
        for left in [&making, &former] {
            remove(left)?;
        }
        fs::create_dir(&making).map_err(FileError::when("create", &making))?;
        for (name, bytes) in &self.files {
            write_whole(&making.join(name), bytes)?;
        }
        if place.exists() {
            fs::rename(&place, &former).map_err(FileError::when("move away", &place))?;
        }
        fs::rename(&making, &place).map_err(FileError::when("put in place", &place))?;
        remove(&former)?;
        Ok(place.join(PAGE))
    }
}

/// Says what a folder without a manifest is.
fn without_manifest(path: PathBuf) -> ReportError {
    let mut names = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.file_name());
    if names.any(|name| is_own(&name.to_string_lossy())) {
        ReportError::Unfinished { path }
    } else {
        ReportError::NoManifest { path }
    }
}

/// Tells whether a folder holds nothing but what a report is made of, or is not there.
fn is_report(folder: &Path) -> bool {
    let is_figure = |path: &Path| path.extension().is_some_and(|end| end == "svg" || end == "png");
    match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().all(|entry| entry.file_name() == PAGE || is_figure(&entry.path())),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes the report of results that are about to be made anew; a folder that holds something else is left alone.
pub(super) fn discard(results: &Path) -> Result<(), FileError> {
    let place = results.join(REPORT);
    if is_report(&place) {
        remove(&place)?;
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::when("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
