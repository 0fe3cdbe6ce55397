//! The event tape: records as bytes and back, their hash, their file. What the records mean is `event`'s.
//!
//! A tape is a header (magic, format version, model version) and then records one after another, little-endian:
//!
//! ```text
//! record  = kind u8, seq u64, time i64, cause u64, payload
//! payload = the fields of the event in the order of their declaration; ids, ticks, lots and money as their integers,
//!           floats as their bits, enums as one byte, an optional price as a byte 0 or 1 and the price if 1
//! ```
//!
//! The kind fixes the payload, so that there are no lengths. What can go wrong: a tape may end within a record (torn), be
//! of another format, or hold a byte that means nothing; the reader says where and stops.

mod encoding;
#[cfg(test)]
mod tests;

use crate::MODEL_VERSION;
use crate::event::{Observer, Record};
use encoding::{Bytes, Field, Input, put_event, take_event};
use std::io::{self, Read, Write};

/// First bytes of every tape.
pub const MAGIC: [u8; 8] = *b"FIRETAPE";

/// Version of the encoding: raised whenever a record of the same run would be written in other bytes.
pub const FORMAT_VERSION: u16 = 1;

/// Bytes of the header.
pub const HEADER_LEN: usize = MAGIC.len() + 2 + 4;

/// No record is longer than this, in bytes.
pub const MAX_RECORD_LEN: usize = 96;

/// Bytes that are gathered before they are hashed or written: enough for BLAKE3 to work on many chunks at once.
const BUFFER_LEN: usize = 1 << 16;

/// Why bytes are not a tape.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The bytes could not be read.
    #[error("cannot read the tape at byte {at}")]
    Io {
        /// Offset in bytes.
        at: u64,
        /// Why.
        source: io::Error,
    },
    /// The first bytes are those of something else.
    #[error("not an event tape")]
    NotATape,
    /// Another version of the encoding.
    #[error("the tape has format {found}, this program reads format {FORMAT_VERSION}")]
    Format {
        /// The tape's.
        found: u16,
    },
    /// The tape ends within a record or its header.
    #[error("the tape ends within a record that begins at byte {at}")]
    Torn {
        /// Offset in bytes of the record.
        at: u64,
    },
    /// A byte that means nothing.
    #[error("byte {value} at byte {at} of the tape is no {what}")]
    Unknown {
        /// What was expected.
        what: &'static str,
        /// The byte.
        value: u8,
        /// Its offset in bytes.
        at: u64,
    },
}

/// Appends the header of a tape that this program writes.
pub fn encode_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&MODEL_VERSION.to_le_bytes());
}

/// Appends the bytes of a record. Nothing is allocated as long as `out` has room for `MAX_RECORD_LEN` bytes.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    let mut bytes = Bytes { buffer: [0; MAX_RECORD_LEN], len: 0 };
    // The kind comes first and the payload last, and both follow from the event alone.
    bytes.len = 1;
    record.seq.put(&mut bytes);
    record.time.put(&mut bytes);
    record.cause.put(&mut bytes);
    bytes.buffer[0] = put_event(&record.event, &mut bytes);
    out.extend_from_slice(&bytes.buffer[..bytes.len]);
}

/// Reads a tape record by record; as an iterator it ends at the end of the tape or after the first error.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    model_version: u32,
    has_failed: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header. The reader asks for a few bytes at a time: hand in something buffered.
    ///
    /// # Errors
    /// Refuses what is not a tape, or one of another format.
    pub fn new(reader: R) -> Result<Self, TapeError> {
        let mut input = Input { reader, at: 0, record: 0 };
        match input.bytes::<{ MAGIC.len() }>() {
            Ok(MAGIC) => {}
            Ok(_) | Err(TapeError::Torn { .. }) => return Err(TapeError::NotATape),
            Err(error) => return Err(error),
        }
        let found = u16::take(&mut input)?;
        if found != FORMAT_VERSION {
            return Err(TapeError::Format { found });
        }
        let model_version = u32::take(&mut input)?;
        Ok(Self { input, model_version, has_failed: false })
    }

    /// Returns the version of the model that wrote the tape.
    pub fn model_version(&self) -> u32 {
        self.model_version
    }

    /// Returns how many bytes were read so far.
    pub fn position(&self) -> u64 {
        self.input.at
    }

    /// Reads the next record, or `None` at the end of the tape.
    fn read(&mut self) -> Result<Option<Record>, TapeError> {
        self.input.record = self.input.at;
        let Some(kind) = self.input.first_byte()? else { return Ok(None) };
        let input = &mut self.input;
        let (seq, time, cause) = (Field::take(input)?, Field::take(input)?, Field::take(input)?);
        let event = take_event(kind, input)?;
        Ok(Some(Record { seq, time, cause, event }))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, TapeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let record = self.read();
        self.has_failed = record.is_err();
        record.transpose()
    }
}

/// Hashes the tape of a run without keeping it: the BLAKE3 of the very bytes that `TapeWriter` would write.
#[derive(Clone, Debug)]
pub struct TapeHasher {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl TapeHasher {
    /// Begins a tape.
    pub fn new() -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_LEN + MAX_RECORD_LEN);
        encode_header(&mut buffer);
        Self { hasher: blake3::Hasher::new(), buffer }
    }

    /// Ends the tape and returns its hash in hexadecimal.
    pub fn finish(mut self) -> String {
        self.hasher.update(&self.buffer);
        self.hasher.finalize().to_hex().to_string()
    }
}

impl Default for TapeHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for TapeHasher {
    fn on(&mut self, record: &Record) {
        encode(record, &mut self.buffer);
        if self.buffer.len() >= BUFFER_LEN {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// Writes the tape of a run. An observer cannot fail, so the first error is kept, nothing is written after it, and
/// `finish` returns it.
#[derive(Debug)]
pub struct TapeWriter<W: Write> {
    writer: W,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> TapeWriter<W> {
    /// Begins a tape.
    pub fn new(writer: W) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_LEN + MAX_RECORD_LEN);
        encode_header(&mut buffer);
        Self { writer, buffer, error: None }
    }

    /// Returns the error that stopped the tape, if one did.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Ends the tape, flushes it and gives the writer back.
    ///
    /// # Errors
    /// Returns the first error of the whole tape.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_out();
        if let Some(error) = self.error {
            return Err(error);
        }
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn write_out(&mut self) {
        if self.error.is_none() {
            self.error = self.writer.write_all(&self.buffer).err();
        }
        self.buffer.clear();
    }
}

impl<W: Write> Observer for TapeWriter<W> {
    fn on(&mut self, record: &Record) {
        encode(record, &mut self.buffer);
        if self.buffer.len() >= BUFFER_LEN {
            self.write_out();
        }
    }
}
