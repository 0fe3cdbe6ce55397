//! Files that are whole or absent: written beside their place, synced, and renamed into it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// An operation on a file that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was attempted: `write`, `read`, `sync`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Returns a function that adds action and path to a cause, for `map_err`.
    pub fn when(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { action, path, source }
    }
}

/// A file in the making. It appears under its name with [`WholeFile::commit`]; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    /// Where it will be.
    path: PathBuf,
    /// Where it is while it is written. One name a file: the folder is locked, so nobody else writes it, and what a
    /// killed process left is overwritten.
    partial: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl WholeFile {
    /// The ending of files in the making.
    pub const PARTIAL: &'static str = ".partial";
    /// The beginning of the names of files in the making that several processes may write.
    pub(super) const SHARED: &'static str = "journal.shared.";

    /// Begins a file.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(Self::PARTIAL);
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(FileError::when("create", &partial))?;
        Ok(Self { path: path.to_owned(), partial, writer: Some(BufWriter::with_capacity(1 << 16, file)) })
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let writer = self.writer.as_mut().expect("a file is written before it is committed");
        writer.write_all(bytes).map_err(FileError::when("write", &self.path))
    }

    /// Puts the file in its place, durably: once this returns, neither a crash nor a power cut takes it back.
    pub fn commit(mut self) -> Result<(), FileError> {
        let writer = self.writer.take().expect("a file is committed once");
        let file = writer.into_inner().map_err(|error| FileError {
            action: "write",
            path: self.path.clone(),
            source: error.into_error(),
        })?;
        file.sync_all().map_err(FileError::when("sync", &self.path))?;
        drop(file);
        fs::rename(&self.partial, &self.path).map_err(FileError::when("put in place", &self.path))?;
        self.partial.clear();
        match self.path.parent() {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.partial.as_os_str().is_empty() {
            // The error that led here is being reported; a rest that stays is overwritten by the next attempt.
            drop(self.writer.take());
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Writes a whole file at once.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = WholeFile::create(path)?;
    file.append(bytes)?;
    file.commit()
}

/// Writes a whole file that others may be writing with the same bytes at the same time; nothing is done where it has them
/// already.
pub fn write_shared(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(WholeFile::SHARED)
        .suffix(WholeFile::PARTIAL)
        .tempfile_in(folder)
        .map_err(FileError::when("create", path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(FileError::when("write", path))?;
    file.persist(path).map_err(|error| FileError {
        action: "put in place",
        path: path.to_owned(),
        source: error.error,
    })?;
    sync_folder(folder)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    // An empty path is how `parent` names the current folder; only Unix can open a folder to sync it.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) {
        let handle = File::open(folder).map_err(FileError::when("open", folder))?;
        handle.sync_all().map_err(FileError::when("sync", folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut file = WholeFile::create(&path).unwrap();
        file.append(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write_whole(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_fails_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_whole(&path, b"old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.writer = Some(BufWriter::new(File::options().write(true).open("/dev/full").unwrap()));
        file.append(b"new").unwrap();
        let error = file.commit().unwrap_err();
        assert!(error.to_string().contains("a.csv"), "{error}");
        assert!(error.to_string().contains("No space left on device"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_shared_file_is_written_once_and_replaced_if_it_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        for text in ["one", "one", "two"] {
            write_shared(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn an_error_names_path_and_cause() {
        let error = write_whole(Path::new("/nonexistent/a.csv"), b"").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cannot create /nonexistent/a.csv.partial: "), "{text}");
    }
}
