//! One process at a time in a results folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::whole_file::FileError;

/// Who holds a folder. The command line fills it in, since only that asks the machine who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Name of the machine.
    pub host: String,
}

/// What an attempt to lock came to.
pub(super) enum Attempt {
    /// The folder is ours until the lock is dropped.
    Locked(FolderLock),
    /// Somebody else has it; says who, as far as the lock file tells.
    Held(String),
}

/// A held lock. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Tries to lock without waiting.
    pub(super) fn attempt(path: &Path, holder: &Holder) -> Result<Attempt, FileError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(FileError::when("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Held(read_holder(&mut file))),
            Err(TryLockError::Error(source)) => {
                return Err(FileError { action: "lock", path: path.to_owned(), source });
            }
        }
        let text = format!("process {} on {}\n", holder.pid, holder.host);
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(FileError::when("write", path))?;
        Ok(Attempt::Locked(Self { file }))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // The name of a process that is gone would mislead; the file itself stays, since removing it would let two
        // processes lock two files of one name.
        let _ = self.file.set_len(0);
        // Closing alone is not enough: a process that is being started elsewhere may for a moment hold a copy of the file.
        let _ = self.file.unlock();
    }
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(400).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        // Between locking and writing, or where a locked file cannot be read.
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first_and_gets_it_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let holder = Holder { pid: 17, host: "north".to_owned() };
        let Attempt::Locked(lock) = FolderLock::attempt(&path, &holder).unwrap() else { panic!("held") };
        let Attempt::Held(who) = FolderLock::attempt(&path, &holder).unwrap() else { panic!("locked twice") };
        assert_eq!(who, "process 17 on north");
        drop(lock);
        assert!(matches!(FolderLock::attempt(&path, &holder).unwrap(), Attempt::Locked(_)));
    }
}
