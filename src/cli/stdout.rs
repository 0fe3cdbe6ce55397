//! Standard output: data goes there whole, or somebody says why not.

use std::io::{self, BufWriter, StdoutLock, Write};

/// Data could not be written to standard output: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct StdoutError(#[from] io::Error);

/// What became of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Printed {
    /// All of it was taken.
    Whole,
    /// The reader closed the pipe early, as `head` does: nothing more need be made, and nothing is wrong.
    PipeClosed,
}

/// Standard output, locked and buffered. What is written counts only after [`Out::print`] has flushed it.
pub struct Out<W: Write = StdoutLock<'static>> {
    writer: BufWriter<W>,
}

impl Out {
    /// Locks standard output.
    pub fn lock() -> Self {
        Self::to(io::stdout().lock())
    }
}

impl<W: Write> Out<W> {
    /// Writes to something that stands for standard output.
    pub fn to(writer: W) -> Self {
        Self { writer: BufWriter::new(writer) }
    }

    /// Lets `fill` write, then makes sure that all of it arrived.
    pub fn print(
        mut self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Printed, StdoutError> {
        let written = fill(&mut self.writer).and_then(|()| self.writer.flush());
        // What is left in the buffer after an error would be written again when the buffer is dropped.
        let (_inner, _rest) = self.writer.into_parts();
        match written {
            Ok(()) => Ok(Printed::Whole),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Printed::PipeClosed),
            Err(error) => Err(StdoutError(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn data_arrives_whole() {
        let mut bytes = Vec::new();
        let printed = Out::to(&mut bytes).print(|out| writeln!(out, "{}", 5)).unwrap();
        assert_eq!((printed, bytes), (Printed::Whole, b"5\n".to_vec()));
    }

    #[test]
    fn a_closed_pipe_is_a_quiet_end_however_much_is_written() {
        for lines in [1, 100_000] {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            let printed = Out::to(writer)
                .print(|out| (0..lines).try_for_each(|_| out.write_all(b"0,0,1.5\n")))
                .unwrap();
            assert_eq!(printed, Printed::PipeClosed);
        }
    }

    #[test]
    fn a_full_disk_is_said_even_if_only_the_last_flush_meets_it() {
        for lines in [1, 100_000] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let error = Out::to(full)
                .print(|out| (0..lines).try_for_each(|_| out.write_all(b"0,0,1.5\n")))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("cannot write to standard output: No space left"), "{error}");
        }
    }
}
