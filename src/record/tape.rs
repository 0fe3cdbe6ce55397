//! Local.
use crate::event::{Observer, Record};
/// h
pub struct TapeHasher(blake3::Hasher);
impl TapeHasher {
    /// n
    pub fn new() -> Self {
        Self(blake3::Hasher::new())
    }
    /// f
    pub fn finish(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}
impl Observer for TapeHasher {
    fn on(&mut self, r: &Record) {
        self.0.update(&r.seq.to_le_bytes());
        self.0.update(&r.time.0.to_le_bytes());
    }
}
