//! What a results folder is and whether it still is: `manifest.json`, `SHA256SUMS`, and their verification.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::compression::{open, plain_name};
use crate::experiment::whole_file::{FileError, WholeFile, write_whole};
use crate::experiment::{Plan, Store};

/// Name of the manifest in a results folder.
pub const MANIFEST: &str = "manifest.json";
/// Name of the checksums in a results folder; `sha256sum -c` reads them.
pub const SUMS: &str = "SHA256SUMS";
/// Larger than any manifest or list of checksums, so that a foreign file of the name is not read into memory.
const LARGEST_SEAL: u64 = 1 << 24;

/// A file as it was sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name inside the results folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Where results come from: all that decides them, and nothing of the machine that computed them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the scenario.
    pub scenario: String,
    /// BLAKE3 of the resolved scenario in hexadecimal.
    pub scenario_blake3: String,
    /// What one would type to get these results again, without what does not matter (threads, folder, progress).
    pub command: Vec<String>,
    /// Name of the rule that turns seeds into draws.
    pub seed_scheme: String,
    /// The seed that all others come from, as text, since not every reader of JSON keeps 64 bits.
    pub master_seed: String,
    /// Number of cells.
    pub cells: u32,
    /// Number of replicates of each cell; the most that one has where they differ.
    pub replicates: u32,
    /// Number of runs, where cells differ in their replicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u64>,
    /// Runs that failed and have no results here.
    pub failed_runs: u32,
    /// Identity of the plan, which the journal carries too.
    pub plan_blake3: String,
}

/// What stands in `manifest.json`.
#[derive(PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    program: String,
    /// Version of the program that made the results.
    pub program_version: String,
    /// Commit of its source.
    pub program_commit: String,
    /// Version of its model.
    pub model_version: u32,
    /// All that decides the results.
    pub origin: Origin,
    /// Every sealed file, in the order of names.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Tells whether a file of this name was sealed, in whatever form.
    pub(super) fn lists(&self, plain: &str) -> bool {
        self.files.iter().any(|file| plain_name(&file.path) == plain)
    }
}

/// Reads the manifest of a folder; `None` where there is none or what is there is damaged.
pub fn read_manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_str(&read_small(folder, MANIFEST).ok()?).ok()
}

/// Writes `manifest.json`, then `SHA256SUMS`: with the latter the folder is sealed.
pub(super) fn seal(folder: &Path, origin: &Origin, mut files: Vec<FileEntry>) -> Result<(), FileError> {
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let manifest = Manifest {
        program: env!("CARGO_PKG_NAME").to_owned(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_commit: env!("FIRESALE_COMMIT").to_owned(),
        model_version: crate::MODEL_VERSION,
        origin: origin.clone(),
        files,
    };
    let mut text = serde_json::to_string_pretty(&manifest).expect("a manifest has string keys only");
    text.push('\n');
    write_whole(&folder.join(MANIFEST), text.as_bytes())?;
    write_whole(&folder.join(SUMS), sums(&manifest, &text).as_bytes())
}

/// The text of `SHA256SUMS`, which follows from the manifest: neither can change without the other noticing.
fn sums(manifest: &Manifest, manifest_text: &str) -> String {
    let mut text = String::new();
    for file in &manifest.files {
        writeln!(text, "{}  {}", file.sha256, file.path).expect("memory takes every line");
    }
    let of_manifest = hex(&Sha256::digest(manifest_text.as_bytes()));
    writeln!(text, "{of_manifest}  {MANIFEST}").expect("memory takes every line");
    text
}

/// Checks that every sealed file is there and unchanged; says each that is not.
pub fn verify(folder: &Path) -> Result<(), Vec<String>> {
    let manifest_text = read_small(folder, MANIFEST).map_err(|problem| vec![problem])?;
    let manifest: Manifest =
        serde_json::from_str(&manifest_text).map_err(|_| vec![format!("{MANIFEST} is damaged")])?;
    let sums_text = read_small(folder, SUMS).map_err(|problem| vec![problem])?;
    if sums_text != sums(&manifest, &manifest_text) {
        return Err(vec![format!("{MANIFEST} and {SUMS} do not agree")]);
    }
    let problems = manifest.files.par_iter().filter_map(|file| problem_with(folder, file));
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problem_with(folder: &Path, entry: &FileEntry) -> Option<String> {
    let name = &entry.path;
    match sum_file(&folder.join(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!("{name} is missing")),
        Err(error) => Some(format!("{name} cannot be read: {error}")),
        Ok((bytes, _)) if bytes != entry.bytes => {
            Some(format!("{name} has {bytes} bytes instead of {}", entry.bytes))
        }
        Ok((_, sha256)) if sha256 != entry.sha256 => Some(format!("{name} was changed")),
        Ok(_) => None,
    }
}

/// Returns the SHA-256, in hexadecimal, of what a table has in its plain form.
///
/// # Errors
/// It cannot be read, or what is packed in it is damaged.
pub fn table_sum(path: &Path) -> io::Result<String> {
    sum(BufReader::with_capacity(1 << 16, open(path)?)).map(|(_, sha256)| sha256)
}

fn sum_file(path: &Path) -> io::Result<(u64, String)> {
    sum(BufReader::with_capacity(1 << 16, File::open(path)?))
}

fn sum(mut reader: impl BufRead) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok((bytes, hex(&hasher.finalize())));
        }
        hasher.update(chunk);
        let read = chunk.len();
        bytes += read as u64;
        reader.consume(read);
    }
}

fn read_small(folder: &Path, name: &str) -> Result<String, String> {
    let mut text = String::new();
    match File::open(folder.join(name)).and_then(|file| file.take(LARGEST_SEAL).read_to_string(&mut text)) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("{name} is missing")),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
    }
}

/// Names the files of an earlier seal, as far as there is one; only names that lie in the folder itself.
pub(super) fn listed_files(folder: &Path) -> Vec<String> {
    let files = read_manifest(folder).map(|manifest| manifest.files).unwrap_or_default();
    let plain = |name: &String| Path::new(name).file_name().is_some_and(|last| last == name.as_str());
    files.into_iter().map(|file| file.path).filter(plain).collect()
}

/// What is left to do in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nothing: every run finished, every file is there and unchanged.
    Complete,
    /// Every run finished, but the files must be made (again); says why.
    Unsealed(Vec<String>),
    /// So many runs are missing or failed.
    Incomplete(u64),
}

/// Tells what is left to do in the folder of a store.
pub fn standing(store: &Store, plan: &Plan) -> Standing {
    let missing = plan.runs() - store.done().len() as u64;
    if missing > 0 {
        return Standing::Incomplete(missing);
    }
    let of_plan = || {
        let text = read_small(store.folder(), MANIFEST).map_err(|problem| vec![problem])?;
        let manifest: Option<Manifest> = serde_json::from_str(&text).ok();
        match manifest {
            Some(manifest) if manifest.origin.plan_blake3 == plan.id() => Ok(()),
            _ => Err(vec![format!("{MANIFEST} is of another plan")]),
        }
    };
    match verify(store.folder()).and_then(|()| of_plan()) {
        Ok(()) => Standing::Complete,
        Err(problems) => Standing::Unsealed(problems),
    }
}

/// A whole file that is summed while it is written.
pub(super) struct SummedFile {
    name: String,
    file: WholeFile,
    bytes: u64,
    hasher: Sha256,
}

impl SummedFile {
    /// Begins a file of this name in a folder.
    pub(super) fn create(folder: &Path, name: &str) -> Result<Self, FileError> {
        let file = WholeFile::create(&folder.join(name))?;
        Ok(Self { name: name.to_owned(), file, bytes: 0, hasher: Sha256::new() })
    }

    /// Adds bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        self.file.append(bytes)
    }

    /// Puts the file in its place.
    pub(super) fn commit(self) -> Result<FileEntry, FileError> {
        self.file.commit()?;
        Ok(FileEntry { path: self.name, bytes: self.bytes, sha256: hex(&self.hasher.finalize()) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory takes every digit");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SummedFile::create(folder.path(), "abc").unwrap();
        file.append(b"a").unwrap();
        file.append(b"bc").unwrap();
        let entry = file.commit().unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(entry.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((entry.bytes, entry.path.as_str()), (3, "abc"));
    }
}
