//! A scenario file as a tree in which every value knows where it stands. What keys mean is not known here.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::node::{Entries, Node, Value};
use super::overrides::{self, Segment};
use super::problem::{Problem, Rejection, Source, shown};
use super::syntax;

/// Largest file that is read, in bytes. The largest scenario that we ship is a hundredth of it.
pub const MAX_BYTES: usize = 1 << 20;

/// Most syntax errors that are told.
const MOST_FAULTS: usize = 5;

/// A parsed scenario file with its overrides.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) root: Node,
    pub(super) problems: Vec<Problem>,
}

/// One override as it was given.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) label: String,
    pub(super) text: String,
    /// Its path, once understood.
    pub(super) path: Option<Vec<Segment>>,
}

impl Document {
    /// Reads and parses a regular file of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// Says why the file cannot be a document: missing, a folder, a pipe, too large, not UTF-8, not TOML 1.0.
    pub fn open(path: &Path) -> Result<Self, Rejection> {
        let name = path.display().to_string();
        let bytes = read_regular(path)
            .map_err(|what| Self::empty(&name, String::new()).rejected(0, 0, what, None))?;
        Self::parse(&name, &bytes)
    }

    /// Parses TOML 1.0; `name` is what messages call it.
    ///
    /// # Errors
    /// Returns the syntax errors, one a line and the first of them, or why there is no text to look at.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Rejection> {
        if bytes.len() > MAX_BYTES {
            let what = format!("larger than {MAX_BYTES} bytes, the most that a scenario file may have");
            return Err(Self::empty(name, String::new()).rejected(0, 0, what, None));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                let what = format!("not UTF-8: byte {at} is 0x{:02x}", bytes[at]);
                let text = String::from_utf8_lossy(bytes).into_owned();
                let help = "save the file as UTF-8 text".to_owned();
                return Err(Self::empty(name, text).rejected(
                    at,
                    at + '\u{fffd}'.len_utf8(),
                    what,
                    Some(help),
                ));
            }
        };
        let mut document = Self::empty(name, text.to_owned());
        if let Some(at) = text.find('\0') {
            let what = format!("not a text file: byte {at} is 0x00");
            return Err(document.rejected(at, at + 1, what, None));
        }
        match syntax::parse_document(text) {
            Ok(entries) => {
                document.root.value = Value::Table(entries);
                Ok(document)
            }
            Err(mut faults) => {
                // A bracket that is not closed turns every line below into faults of its own.
                first_of_each_line(text, &mut faults);
                let more = faults.len().saturating_sub(MOST_FAULTS);
                faults.truncate(MOST_FAULTS);
                if let Some(last) = faults.last_mut().filter(|_| more > 0) {
                    let lines = if more == 1 { "line has" } else { "lines have" };
                    last.help = Some(format!("{more} more {lines} faults, which may follow from these"));
                }
                let problems = faults
                    .into_iter()
                    .map(|fault| Problem {
                        at: String::new(),
                        source: Source::File { start: fault.span.start, end: fault.span.end },
                        what: fault.what,
                        help: fault.help,
                    })
                    .collect();
                Err(Rejection::new(document, problems))
            }
        }
    }

    fn empty(name: &str, text: String) -> Self {
        let source = Source::Missing { start: 0, end: 0 };
        let root = Node { key: source, source, loose: false, value: Value::Table(Entries::new()) };
        Self { name: name.to_owned(), text, arguments: Vec::new(), root, problems: Vec::new() }
    }

    fn rejected(self, start: usize, end: usize, what: String, help: Option<String>) -> Rejection {
        let source = if start == end { Source::Missing { start, end } } else { Source::File { start, end } };
        Rejection::new(self, vec![Problem { at: String::new(), source, what, help }])
    }

    /// Applies an override `dotted.path=value`, which replaces the whole value at the path; `*` stands for every name
    /// that exists in its place at that moment. What is wrong with it is kept for [`Self::problems`].
    pub fn set(&mut self, argument: &str) {
        self.set_from("--set", argument);
    }

    /// Applies an override that comes from elsewhere than `--set`; messages call its origin `label`. Returns its index among
    /// the arguments, which [`Source::Argument`] names.
    pub fn set_from(&mut self, label: &str, argument: &str) -> usize {
        overrides::apply(self, label, argument)
    }

    /// Takes what overrides made so far for the file's own: later ones may replace it again.
    pub fn settle(&mut self) {
        self.arguments.iter_mut().for_each(|argument| argument.path = None);
    }

    /// Notes a text that was given as an argument and is no override, so that problems may point into it; returns its index
    /// among the arguments.
    pub fn argument(&mut self, label: &str, text: &str) -> usize {
        self.arguments.push(Argument { label: label.to_owned(), text: text.to_owned(), path: None });
        self.arguments.len() - 1
    }

    /// Notes a text that was given as an argument and means nothing; it is among [`Self::problems`] as a whole.
    pub fn refuse(&mut self, label: &str, text: &str, what: &str, help: String) {
        let source = Source::Argument { index: self.argument(label, text), start: 0, end: text.len() };
        self.problems.push(Problem { at: String::new(), source, what: what.to_owned(), help: Some(help) });
    }

    /// Returns the value at a dotted path in TOML syntax; `None` if there is none, or the path has a star.
    pub fn literal(&self, path: &str) -> Option<String> {
        let mut node = &self.root;
        for segment in overrides::parse_path(path).ok()? {
            node = node.entries()?.get(&segment.name?)?;
        }
        Some(node.literal())
    }

    /// Returns what is wrong with the overrides.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says in one line where something stands: `crash.toml:12`, or the override.
    pub fn locate(&self, source: Source) -> String {
        match source {
            Source::File { start, .. } => format!("{}:{}", self.name, line_of(&self.text, start)),
            Source::Missing { .. } => self.name.clone(),
            Source::Argument { index, .. } => {
                let argument = &self.arguments[index];
                format!("{} {}", argument.label, shown(&argument.text))
            }
        }
    }
}

/// Reads a regular file, or one byte more than [`MAX_BYTES`] of a longer one.
///
/// # Errors
/// Says why there is nothing to read: missing, a folder, a pipe, forbidden.
pub(super) fn read_regular(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| reason(&error);
    // Looked at before it is opened: opening a pipe waits for its writer.
    let kind = path.metadata().map_err(unreadable)?.file_type();
    if kind.is_dir() {
        return Err("a folder, not a file".to_owned());
    }
    if !kind.is_file() {
        return Err("not a regular file but a pipe, socket or device".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Returns the line of a byte, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Keeps the first fault of each line; one walk over the text, however many faults there are.
fn first_of_each_line(text: &str, faults: &mut Vec<syntax::Fault>) {
    faults.sort_by_key(|fault| fault.span.start);
    let (mut walked, mut last) = (0, None);
    let mut line = 0;
    faults.retain(|fault| {
        let start = fault.span.start.min(text.len());
        line += text.as_bytes()[walked..start].split(|byte| *byte == b'\n').count() - 1;
        walked = start;
        last.replace(line) != Some(line)
    });
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refusal(path: &Path) -> String {
        let rejection = Document::open(path).unwrap_err();
        assert_eq!(rejection.problems().len(), 1);
        rejection.problems()[0].what.clone()
    }

    #[test]
    fn what_is_no_readable_file_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(refusal(folder.path()), "a folder, not a file");
        assert_eq!(refusal(&folder.path().join("absent.toml")), "no such file");
        assert_eq!(refusal(Path::new("/dev/null")), "not a regular file but a pipe, socket or device");
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(refusal(&pipe), "not a regular file but a pipe, socket or device");
    }

    #[test]
    fn a_file_beyond_a_mebibyte_is_refused_and_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.toml");
        let file = fs::File::create(&path).unwrap();
        // A sparse terabyte: whoever read it would not return.
        file.set_len(1 << 40).unwrap();
        assert_eq!(refusal(&path), "larger than 1048576 bytes, the most that a scenario file may have");
        let full = "#".repeat(MAX_BYTES);
        fs::write(&path, &full).unwrap();
        assert!(Document::open(&path).is_ok());
        assert!(Document::parse("x", (full + "#").as_bytes()).is_err());
    }

    #[test]
    fn an_empty_file_is_an_empty_document() {
        let document = Document::parse("empty.toml", b"").unwrap();
        assert_eq!(document.to_toml(), "");
        assert_eq!(document.problems(), []);
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_at_their_place() {
        let drawn = |bytes: &[u8]| Document::parse("crash.toml", bytes).unwrap_err().render(false);
        insta::assert_snapshot!("not_utf8", drawn(b"a = 1\nname = \"caf\xe9\"\n"));
        insta::assert_snapshot!("binary", drawn(b"\x7fELF\x02\x01\x01\0\0\0"));
    }

    #[test]
    fn spans_count_from_the_byte_order_mark_and_over_carriage_returns() {
        let text = "\u{feff}a = 1\r\nb = 2\r\n";
        let document = Document::parse("x", text.as_bytes()).unwrap();
        let Source::File { start, end } = document.root.entries().unwrap()["b"].source else { panic!() };
        assert_eq!(&text[start..end], "2");
        assert_eq!(document.locate(Source::File { start, end }), "x:2");
    }
}
