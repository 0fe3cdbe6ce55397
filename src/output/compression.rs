//! Tables as gzip or Zstandard: packed on their way to the disk, and read whatever their form is.
//!
//! The same rows make the same bytes on any machine: no name, time or host is in the head of a file, levels are fixed, and both
//! encoders are part of this program.

use flate2::GzBuilder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::Path;
use zstd::{Decoder, Encoder};

use super::manifest::{FileEntry, SummedFile};
use crate::experiment::whole_file::FileError;

/// Level of gzip: that of the program of the name.
const GZIP_LEVEL: u32 = 6;
/// Level of Zstandard. On series and liquidations it makes as small files as gzip does, in a tenth of the time; the usual level 3 makes
/// them 7 % larger in three times the time.
const ZSTD_LEVEL: i32 = 1;
/// Packed bytes that are kept before they are written.
const KEPT: usize = 1 << 16;
/// Why an encoder that writes to memory cannot fail.
const MEMORY: &str = "memory takes every byte";

/// A form in which tables are smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878, one frame with a checksum.
    Zstd,
}

impl Compression {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// Returns how names of such files end, which is also the word of a data package for it: `gz`, `zst`.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// Tells by the name of a file which form it has; `None` for a plain one.
    pub fn of(name: &str) -> Option<Self> {
        let has_ending =
            |form: &Self| name.strip_suffix(form.ending()).is_some_and(|stem| stem.ends_with('.'));
        Self::ALL.into_iter().find(has_ending)
    }
}

/// Returns the name of a file in some form.
pub fn packed_name(plain: &str, form: Option<Compression>) -> String {
    match form {
        Some(form) => format!("{plain}.{}", form.ending()),
        None => plain.to_owned(),
    }
}

/// Returns the name that a file has in its plain form.
pub fn plain_name(name: &str) -> &str {
    match Compression::of(name) {
        Some(form) => &name[..name.len() - form.ending().len() - 1],
        None => name,
    }
}

/// Returns the name under which a folder has a file, whatever its form; `None` where it has none.
pub(super) fn find(folder: &Path, plain: &str) -> Option<String> {
    let forms = [None].into_iter().chain(Compression::ALL.map(Some));
    forms.map(|form| packed_name(plain, form)).find(|name| folder.join(name).is_file())
}

/// Opens a file to read what is packed in it.
///
/// # Errors
/// It cannot be opened, or does not begin as its name says.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(match Compression::of(name) {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(flate2::bufread::GzDecoder::new(file)),
        Some(Compression::Zstd) => Box::new(Decoder::with_buffer(file)?),
    })
}

/// A table in the making.
pub(super) struct TableWriter {
    file: SummedFile,
    packer: Packer,
}

/// What packs, and what it has packed and nobody has written yet.
enum Packer {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(Encoder<'static, Vec<u8>>),
}

impl TableWriter {
    /// Begins a table of this name, to which the ending of the form is added.
    pub(super) fn create(folder: &Path, plain: &str, form: Option<Compression>) -> Result<Self, FileError> {
        let packer = match form {
            None => Packer::Plain,
            Some(Compression::Gzip) => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Packer::Gzip(GzBuilder::new().mtime(0).write(Vec::new(), level))
            }
            Some(Compression::Zstd) => {
                let mut encoder = Encoder::new(Vec::new(), ZSTD_LEVEL).expect(MEMORY);
                encoder.include_checksum(true).expect(MEMORY);
                Packer::Zstd(encoder)
            }
        };
        Ok(Self { file: SummedFile::create(folder, &packed_name(plain, form))?, packer })
    }

    /// Adds rows.
    pub(super) fn append(&mut self, rows: &[u8]) -> Result<(), FileError> {
        let packed = match &mut self.packer {
            Packer::Plain => return self.file.append(rows),
            Packer::Gzip(encoder) => {
                encoder.write_all(rows).expect(MEMORY);
                encoder.get_mut()
            }
            Packer::Zstd(encoder) => {
                encoder.write_all(rows).expect(MEMORY);
                encoder.get_mut()
            }
        };
        if packed.len() >= KEPT {
            self.file.append(packed)?;
            packed.clear();
        }
        Ok(())
    }

    /// Puts the table in its place.
    pub(super) fn commit(mut self) -> Result<FileEntry, FileError> {
        let rest = match self.packer {
            Packer::Plain => Vec::new(),
            Packer::Gzip(encoder) => encoder.finish().expect(MEMORY),
            Packer::Zstd(encoder) => encoder.finish().expect(MEMORY),
        };
        self.file.append(&rest)?;
        self.file.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Rows as a series has them: a key that repeats, numbers that walk.
    fn rows(count: u32) -> String {
        let mut text = "cell,replicate,time_s,mark\n".to_owned();
        let mut mark = 10_000.0;
        for row in 0..count {
            mark += f64::from(row.wrapping_mul(2_654_435_761) >> 20) / 4096.0 - 0.5;
            let _ = writeln!(text, "0,{},{},{mark}", row.div_euclid(1_000), row % 1_000 * 5);
        }
        text
    }

    fn written(folder: &Path, form: Option<Compression>, text: &str, piece: usize) -> FileEntry {
        let mut table = TableWriter::create(folder, "series.csv", form).unwrap();
        for rows in text.as_bytes().chunks(piece) {
            table.append(rows).unwrap();
        }
        table.commit().unwrap()
    }

    #[test]
    fn what_is_packed_is_read_again_and_has_always_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let forms = [None, Some(Compression::Gzip), Some(Compression::Zstd)];
        for text in [String::new(), rows(0), rows(3), rows(60_000)] {
            for form in forms {
                let entry = written(folder.path(), form, &text, 4_099);
                assert_eq!(entry.path, packed_name("series.csv", form));
                let path = folder.path().join(&entry.path);
                assert_eq!(std::fs::metadata(&path).unwrap().len(), entry.bytes);
                let mut read = String::new();
                open(&path).unwrap().read_to_string(&mut read).unwrap();
                assert!(read == text, "{form:?} of {} bytes", text.len());
                assert_eq!(written(folder.path(), form, &text, 4_099), entry, "{form:?}");
                assert!(form.is_none() || text.len() < 1_000 || entry.bytes * 2 < text.len() as u64);
            }
        }
    }

    #[test]
    fn the_head_of_a_packed_table_has_no_time_name_or_machine() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), Some(Compression::Gzip), "a,b\n", 4);
        let gzip = std::fs::read(folder.path().join("series.csv.gz")).unwrap();
        // RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
        assert_eq!(gzip[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        written(folder.path(), Some(Compression::Zstd), "a,b\n", 4);
        let zstd = std::fs::read(folder.path().join("series.csv.zst")).unwrap();
        assert_eq!(zstd[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    }

    #[test]
    fn a_packed_table_that_is_cut_or_flipped_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for form in Compression::ALL {
            let entry = written(folder.path(), Some(form), &rows(2_000), 4_099);
            let path = folder.path().join(&entry.path);
            let whole = std::fs::read(&path).unwrap();
            let mut flipped = whole.clone();
            let middle = whole.len().div_euclid(2);
            flipped[middle] ^= 1;
            for damage in [whole[..middle].to_vec(), flipped] {
                std::fs::write(&path, damage).unwrap();
                let read = open(&path).and_then(|mut reader| reader.read_to_end(&mut Vec::new()));
                assert!(read.is_err(), "{form:?}");
            }
        }
    }

    #[test]
    fn a_name_says_the_form() {
        for (name, form, plain) in [
            ("runs.csv", None, "runs.csv"),
            ("runs.csv.gz", Some(Compression::Gzip), "runs.csv"),
            ("runs.csv.zst", Some(Compression::Zstd), "runs.csv"),
            ("gz", None, "gz"),
            ("igz", None, "igz"),
        ] {
            assert_eq!((Compression::of(name), plain_name(name)), (form, plain), "{name}");
        }
    }
}
