//! What is wrong with an input, where, and what would help; not how it is drawn.

use std::fmt::{self, Write as _};

use super::document::Document;

/// Where a value or a word stands; spans are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// In the text of the document.
    File {
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
    },
    /// In the text of an override.
    Argument {
        /// Index of the override, in the order in which they were given.
        index: usize,
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
    },
    /// Nowhere: a key that should be there is not. The span is that of the nearest table around it, empty for the
    /// document as a whole.
    Missing {
        /// First byte of the nearest table.
        start: usize,
        /// One past the last byte of the nearest table.
        end: usize,
    },
}

impl Source {
    /// The place of a key that is missing in the table that stands here.
    pub(super) fn missing(self) -> Self {
        match self {
            Self::File { start, end } | Self::Missing { start, end } => Self::Missing { start, end },
            Self::Argument { .. } => self,
        }
    }

    /// Orders places: the file from top to bottom, then the arguments from left to right.
    pub(crate) fn order(self) -> (usize, usize) {
        match self {
            Self::File { start, .. } | Self::Missing { start, .. } => (0, start),
            Self::Argument { index, start, .. } => (index + 1, start),
        }
    }
}

/// One thing that the user has to mend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Dotted path of the key, empty where there is none.
    pub at: String,
    /// Where to look.
    pub source: Source,
    /// What is wrong, with the value in it.
    pub what: String,
    /// What would help.
    pub help: Option<String>,
}

/// A file that could not become a document, with all that is wrong with it.
#[derive(Clone, Debug)]
pub struct Rejection {
    document: Box<Document>,
    problems: Vec<Problem>,
}

impl Rejection {
    pub(super) fn new(document: Document, problems: Vec<Problem>) -> Self {
        assert!(!problems.is_empty(), "a rejection says why");
        Self { document: Box::new(document), problems }
    }

    /// Returns what is wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Draws what is wrong, with the lines of the file.
    pub fn render(&self, color: bool) -> String {
        self.document.render(&self.problems, color)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Rejection {}

/// Shortens a value of the user's for a message.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Shortens a value of the user's for a message, and makes its control characters visible.
pub(crate) fn shown(text: &str) -> String {
    shortened(text).chars().flat_map(visible).collect()
}

fn visible(letter: char) -> Box<dyn Iterator<Item = char>> {
    if letter.is_control() { Box::new(letter.escape_default()) } else { Box::new(std::iter::once(letter)) }
}

/// Returns the candidate that the user most likely meant, if any is near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of the lengths, and no key or name is longer than 64 letters.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let wanted = plain(word);
    // A third of the letters may be wrong, but never all: more finds words that have nothing to do with each other.
    let letters = wanted.chars().count();
    let tolerance = letters.div_ceil(3).min(letters.saturating_sub(1));
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Lists words for a message: at most twelve, then how many more there are.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let words: Vec<&str> = words.into_iter().collect();
    let mut text = words.iter().take(MOST).map(|word| shown(word)).collect::<Vec<_>>().join(", ");
    if words.len() > MOST {
        let _ = write!(text, " and {} more", words.len() - MOST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let words = ["levels", "spread", "size", "max_depth"];
        for (word, near) in [
            ("levles", Some("levels")),
            ("Levels", Some("levels")),
            ("level", Some("levels")),
            ("max-depth", Some("max_depth")),
            ("sizes", Some("size")),
            ("depth", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words), near, "{word}");
        }
        assert_eq!(nearest(&"levels".repeat(1_000), words), None);
        assert_eq!(nearest("b", ["a"]), None);
    }

    #[test]
    fn values_in_messages_are_short_and_visible() {
        assert_eq!(shown("plain"), "plain");
        assert_eq!(shown("\u{1b}[31m\n"), "\\u{1b}[31m\\n");
        assert_eq!(shown(&"x".repeat(100)), format!("{}...", "x".repeat(60)));
    }

    #[test]
    fn lists_in_messages_end() {
        assert_eq!(listed(["a", "b"]), "a, b");
        let many: Vec<String> = (0..15).map(|number| number.to_string()).collect();
        assert_eq!(
            listed(many.iter().map(String::as_str)),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more"
        );
    }
}
