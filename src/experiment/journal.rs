//! The bytes of a journal: a head that says whose it is, then frames that each vouch for themselves.
//!
//! ```text
//! head   magic[8]  version u32  length u64  plan text[length]  BLAKE3[32] of all before
//! frame  mark[4]   length u64   BLAKE3[32] of length and payload          payload[length]
//! ```
//!
//! All numbers are little-endian. A payload is JSON, and the mark begins with a byte that UTF-8 never holds, so the
//! frame that follows a damaged one can be found again. Nothing here knows what a run is.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

const MAGIC: [u8; 8] = *b"FSJOURN\n";
/// Raised when the bytes of head, frame or record change their meaning.
pub(super) const VERSION: u32 = 1;
const MARK: [u8; 4] = [0xF5, b'R', b'U', b'N'];
const HASH: usize = 32;
/// Bytes of a hash by which payloads are compared: 2^64 pairs of runs would be needed to meet by chance.
const DIGEST: usize = 16;
/// Bytes of a frame before its payload.
const PREFIX: usize = MARK.len() + 8 + HASH;
/// Bytes of a head before its plan text.
const HEAD_PREFIX: usize = MAGIC.len() + 4 + 8;

/// What stands at the start of a journal.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Head {
    /// Its checksum is right.
    Whole {
        /// Version of the format.
        version: u32,
        /// The plan whose runs follow.
        plan_text: String,
        /// Where the first frame begins.
        end: u64,
    },
    /// It is torn, flipped or of something else.
    Damaged,
}

/// Where a payload lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PayloadAt {
    /// First byte of the frame.
    pub(super) frame: u64,
    /// Number of bytes of the payload.
    pub(super) len: u64,
    /// First bytes of the hash that vouches for it: two payloads with the same are the same.
    pub(super) digest: [u8; DIGEST],
}

impl PayloadAt {
    /// Returns the bytes of the whole frame.
    pub(super) const fn frame_range(self) -> Range<u64> {
        self.frame..self.frame + PREFIX as u64 + self.len
    }
}

/// Makes the head for a plan.
pub(super) fn head(plan_text: &str) -> Vec<u8> {
    head_of_version(VERSION, plan_text)
}

fn head_of_version(version: u32, plan_text: &str) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend((plan_text.len() as u64).to_le_bytes());
    bytes.extend(plan_text.as_bytes());
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// Returns what the payload of a frame is compared by.
pub(super) fn digest(frame: &[u8]) -> [u8; DIGEST] {
    array_at(frame, MARK.len() + 8)
}

/// Makes the frame of a payload.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u64;
    let mut bytes = Vec::with_capacity(PREFIX + payload.len());
    bytes.extend(MARK);
    bytes.extend(len.to_le_bytes());
    bytes.extend(frame_hash(len, payload));
    bytes.extend(payload);
    bytes
}

fn frame_hash(len: u64, payload: &[u8]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}

/// Reads a journal of `len` bytes.
pub(super) struct Reader<R> {
    bytes: BufReader<R>,
    len: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Starts to read; what grows behind `len` meanwhile is not seen.
    pub(super) fn new(file: R, len: u64) -> Self {
        Self { bytes: BufReader::with_capacity(1 << 16, file), len }
    }

    /// Reads the head.
    pub(super) fn head(&mut self) -> io::Result<Head> {
        self.bytes.seek(SeekFrom::Start(0))?;
        let room = self.len.saturating_sub((HEAD_PREFIX + HASH) as u64);
        let mut prefix = [0; HEAD_PREFIX];
        if self.len < HEAD_PREFIX as u64 {
            return Ok(Head::Damaged);
        }
        self.bytes.read_exact(&mut prefix)?;
        let text_len = u64_at(&prefix, MAGIC.len() + 4);
        if !prefix.starts_with(&MAGIC) || text_len > room {
            return Ok(Head::Damaged);
        }
        let mut rest = vec![0; text_len as usize + HASH];
        self.bytes.read_exact(&mut rest)?;
        let hash = rest.split_off(text_len as usize);
        let expected = {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&prefix);
            hasher.update(&rest);
            hasher.finalize()
        };
        match String::from_utf8(rest) {
            Ok(plan_text) if expected.as_bytes()[..] == hash[..] => Ok(Head::Whole {
                version: u32::from_le_bytes(array_at(&prefix, MAGIC.len())),
                plan_text,
                end: (HEAD_PREFIX + HASH) as u64 + text_len,
            }),
            _ => Ok(Head::Damaged),
        }
    }

    /// Reads the payload of the frame at `at`, or nothing if no frame begins there whole and unchanged.
    pub(super) fn payload(&mut self, at: u64, payload: &mut Vec<u8>) -> io::Result<Option<PayloadAt>> {
        payload.clear();
        let room = self.len.saturating_sub(at);
        if room < PREFIX as u64 {
            return Ok(None);
        }
        self.go_to(at)?;
        let mut prefix = [0; PREFIX];
        self.bytes.read_exact(&mut prefix)?;
        let len = u64_at(&prefix, MARK.len());
        if !prefix.starts_with(&MARK) || len > room - PREFIX as u64 {
            return Ok(None);
        }
        payload.resize(len as usize, 0);
        self.bytes.read_exact(payload)?;
        let whole = frame_hash(len, payload)[..] == prefix[MARK.len() + 8..];
        let digest = array_at(&prefix, MARK.len() + 8);
        Ok(whole.then_some(PayloadAt { frame: at, len, digest }))
    }

    /// Hands every whole frame from `start` on to `each`, and returns the ranges of bytes that belong to none.
    pub(super) fn scan(
        &mut self,
        start: u64,
        mut each: impl FnMut(PayloadAt, &[u8]),
    ) -> io::Result<Vec<Range<u64>>> {
        let mut damaged = Vec::new();
        let mut payload = Vec::new();
        let (mut at, mut damaged_from) = (start, None);
        while at < self.len {
            if let Some(found) = self.payload(at, &mut payload)? {
                damaged.extend(damaged_from.take().map(|from| from..at));
                each(found, &payload);
                at = found.frame_range().end;
            } else {
                damaged_from.get_or_insert(at);
                at = self.next_mark(at + 1)?;
            }
        }
        damaged.extend(damaged_from.map(|from| from..self.len));
        Ok(damaged)
    }

    /// Returns the place of the next mark at or after `from`, or the end.
    fn next_mark(&mut self, from: u64) -> io::Result<u64> {
        self.go_to(from.min(self.len))?;
        let mut window = [0_u8; MARK.len()];
        for (read, byte) in (&mut self.bytes).bytes().take(self.len.saturating_sub(from) as usize).enumerate()
        {
            window.rotate_left(1);
            window[MARK.len() - 1] = byte?;
            if window == MARK {
                return Ok(from + read as u64 + 1 - MARK.len() as u64);
            }
        }
        Ok(self.len)
    }

    /// Moves without throwing away what is buffered: frames are mostly read one after the other.
    fn go_to(&mut self, at: u64) -> io::Result<()> {
        let now = self.bytes.stream_position()?;
        self.bytes.seek_relative(at as i64 - now as i64)
    }
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the range has the array's length")
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const PAYLOADS: [&[u8]; 3] = [b"{\"a\":1}", b"", b"{\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"];

    fn journal() -> (Vec<u8>, u64, Vec<u64>) {
        let mut bytes = head("seed = 1\n");
        let start = bytes.len() as u64;
        let mut ends = Vec::new();
        for payload in PAYLOADS {
            bytes.extend(frame(payload));
            ends.push(bytes.len() as u64);
        }
        (bytes, start, ends)
    }

    fn scan(bytes: &[u8], start: u64) -> (Vec<Vec<u8>>, Vec<Range<u64>>) {
        let mut payloads = Vec::new();
        let damaged = Reader::new(Cursor::new(bytes), bytes.len() as u64)
            .scan(start, |_, payload| payloads.push(payload.to_vec()))
            .unwrap();
        (payloads, damaged)
    }

    #[test]
    fn a_journal_reads_back_as_written() {
        let (bytes, start, _) = journal();
        let read = Reader::new(Cursor::new(&bytes), bytes.len() as u64).head().unwrap();
        assert_eq!(read, Head::Whole { version: VERSION, plan_text: "seed = 1\n".to_owned(), end: start });
        assert_eq!(scan(&bytes, start), (PAYLOADS.map(<[u8]>::to_vec).to_vec(), vec![]));
    }

    #[test]
    fn a_journal_cut_anywhere_keeps_the_frames_before_the_cut() {
        let (bytes, start, ends) = journal();
        for cut in start..bytes.len() as u64 {
            let (payloads, damaged) = scan(&bytes[..cut as usize], start);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(payloads, PAYLOADS[..whole], "cut at {cut}");
            let last = ends[..whole].last().copied().unwrap_or(start);
            let expected = (last < cut).then_some(last..cut);
            assert_eq!(damaged, Vec::from_iter(expected), "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_costs_the_frame_that_it_is_in_and_no_other() {
        let (bytes, start, ends) = journal();
        for at in start as usize..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let hit = ends.iter().filter(|end| **end <= at as u64).count();
                let (payloads, damaged) = scan(&flipped, start);
                let mut expected = PAYLOADS.to_vec();
                expected.remove(hit);
                assert_eq!(payloads, expected, "byte {at} bit {bit}");
                let from = if hit == 0 { start } else { ends[hit - 1] };
                assert_eq!(damaged, Vec::from_iter(Some(from..ends[hit])), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_head_that_is_cut_or_flipped_is_damaged() {
        let whole = head("seed = 1\n");
        for cut in 0..whole.len() {
            let read = Reader::new(Cursor::new(&whole[..cut]), cut as u64).head().unwrap();
            assert_eq!(read, Head::Damaged, "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            let read = Reader::new(Cursor::new(&flipped), flipped.len() as u64).head().unwrap();
            assert_eq!(read, Head::Damaged, "byte {at}");
        }
    }

    #[test]
    fn a_head_of_another_version_is_whole_and_says_so() {
        let bytes = head_of_version(VERSION + 1, "");
        let read = Reader::new(Cursor::new(&bytes), bytes.len() as u64).head().unwrap();
        assert!(matches!(read, Head::Whole { version, .. } if version == VERSION + 1));
    }
}
