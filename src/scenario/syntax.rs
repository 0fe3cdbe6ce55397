//! Text to tree: the TOML parser's result, with TOML 1.0 and the depth limit enforced. It knows no keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::node::{Entries, MAX_DEPTH, Node, Value};
use super::problem::{Source, shown};

/// Something wrong at a span of the parsed text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) what: String,
    pub(super) help: Option<String>,
}

/// Most faults that are kept: nobody mends more at a time.
const MOST_FAULTS: usize = 1_000;

/// Largest text in which all syntax errors are sought, in bytes. The parser keeps some 500 bytes for each, and a
/// megabyte can hold a million and a half; of a larger text the first error is told.
const MOST_RECOVERED: usize = 1 << 17;

/// Where a text stands, to turn its spans into sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// The document.
    File,
    /// The key table.
    Default,
    /// An override, whose value begins at a byte of its text.
    Argument { index: usize, offset: usize },
}

impl Place {
    fn source(self, span: &Range<usize>) -> Source {
        match self {
            Self::File => Source::File { start: span.start, end: span.end },
            Self::Default => Source::Missing { start: 0, end: 0 },
            Self::Argument { index, offset } => {
                Source::Argument { index, start: offset + span.start, end: offset + span.end }
            }
        }
    }
}

/// Parses a document; returns its entries, or all faults.
pub(super) fn parse_document(text: &str) -> Result<Entries, Vec<Fault>> {
    if text.len() > MOST_RECOVERED {
        return match DeTable::parse(text) {
            Ok(table) => tree_of(text, &table),
            Err(error) => {
                let mut faults = faults(text, &[error]);
                let help = "this is the first error; of so large a file the others are not sought";
                for fault in &mut faults {
                    fault.help = Some(help.to_owned());
                }
                Err(faults)
            }
        };
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() { tree_of(text, &table) } else { Err(faults(text, &errors)) }
}

fn tree_of(text: &str, table: &Spanned<DeTable<'_>>) -> Result<Entries, Vec<Fault>> {
    let mut tree = Tree { text, place: Place::File, arrays: 0, faults: Vec::new() };
    let entries = tree.entries(table.get_ref(), 1);
    tree.finish(entries)
}

/// Parses one value; returns its node, or all faults.
pub(super) fn parse_value(text: &str, place: Place, depth: usize) -> Result<Node, Vec<Fault>> {
    let (value, errors) = DeValue::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(faults(text, &errors));
    }
    let mut tree = Tree { text, place, arrays: 0, faults: Vec::new() };
    let node = tree.node(None, &value, depth);
    tree.finish(node)
}

/// Writes a value as a file would have it: TOML in our one form, a bare word in quotes. What begins as quoted text, array or
/// table and is none is left as it is, to be refused where it is used.
pub(crate) fn canonical(word: &str) -> String {
    match parse_value(word, Place::Default, 1) {
        Ok(node) => node.literal(),
        Err(_) if word.starts_with(['"', '\'', '[', '{']) => word.to_owned(),
        Err(_) => super::node::quoted(word),
    }
}

fn faults(text: &str, errors: &[toml::de::Error]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or_else(|| longest_dotted_key(text));
            Fault {
                what: reworded(error.message(), text.get(span.clone()).unwrap_or_default()),
                span,
                help: None,
            }
        })
        .collect();
    faults.sort_by_key(|fault| fault.span.start);
    // The parser's second opinion of a place is a consequence of the first.
    faults.dedup_by_key(|fault| fault.span.start);
    faults.truncate(MOST_FAULTS);
    faults
}

/// Mends the parser's messages that mislead.
fn reworded(message: &str, word: &str) -> String {
    if message == "duplicate key" {
        format!("duplicate key `{}`", shown(word))
    } else if message.starts_with("string values must be quoted") && word.trim().is_empty() {
        "missing value".to_owned()
    } else if message.contains("recur") {
        format!("nested deeper than {MAX_DEPTH} levels")
    } else {
        message.strip_suffix(", expected nothing").unwrap_or(message).to_owned()
    }
}

/// Finds the key that has too many parts, the one fault that the parser reports without its place.
fn longest_dotted_key(text: &str) -> Range<usize> {
    let mut start = 0;
    let mut worst = (0, 0..0);
    for line in text.split_inclusive('\n') {
        let dots = line.bytes().filter(|byte| *byte == b'.').count();
        if dots > worst.0 {
            worst = (dots, start..start + line.trim_end().len());
        }
        start += line.len();
    }
    worst.1
}

struct Tree<'t> {
    text: &'t str,
    place: Place,
    /// Number of arrays around the value that is read.
    arrays: usize,
    faults: Vec<Fault>,
}

impl Tree<'_> {
    fn finish<T>(self, tree: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(tree) } else { Err(self.faults) }
    }

    fn fault(&mut self, span: Range<usize>, what: &str, help: &str) {
        if self.faults.len() == MOST_FAULTS {
            return;
        }
        self.faults.push(Fault { span, what: what.to_owned(), help: Some(help.to_owned()) });
    }

    fn entries(&mut self, table: &DeTable<'_>, depth: usize) -> Entries {
        let mut entries = Entries::new();
        for (key, value) in table {
            self.check_escapes(&key.span());
            let node = self.node(Some(key), value, depth);
            entries.insert(key.get_ref().to_string(), node);
        }
        entries
    }

    fn node(
        &mut self,
        key: Option<&Spanned<DeString<'_>>>,
        value: &Spanned<DeValue<'_>>,
        depth: usize,
    ) -> Node {
        let span = value.span();
        let key_span = key.map_or_else(|| span.clone(), Spanned::span);
        let tree = match value.get_ref() {
            // Empty in place of what is too deep: the fault ends the reading anyway.
            DeValue::Array(_) | DeValue::Table(_) if depth > MAX_DEPTH => {
                self.fault(key_span.clone(), &format!("nested deeper than {MAX_DEPTH} levels"), "flatten it");
                Value::Array(Vec::new())
            }
            DeValue::String(text) => {
                self.check_escapes(&span);
                Value::Text(text.to_string())
            }
            DeValue::Integer(integer) => {
                let digits = integer.as_str().trim_start_matches(['+', '-']);
                if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(integer.radix())) {
                    self.no_number(&span);
                }
                let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                Value::Integer(self.literal(&span), number)
            }
            DeValue::Float(float) => {
                let number = float.as_str().parse().unwrap_or_else(|_| {
                    self.no_number(&span);
                    0.0
                });
                Value::Float(self.literal(&span), number)
            }
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(datetime) => {
                if datetime.time.is_some_and(|time| time.second.is_none()) {
                    self.fault(span.clone(), "a time needs its seconds in TOML 1.0", "add `:00`");
                }
                Value::Datetime(*datetime)
            }
            DeValue::Array(elements) => {
                self.arrays += 1;
                let nodes = elements.iter().map(|element| self.node(None, element, depth + 1)).collect();
                self.arrays -= 1;
                Value::Array(nodes)
            }
            DeValue::Table(table) => {
                if self.text[span.clone()].starts_with('{') {
                    self.check_inline(table, &span);
                }
                Value::Table(self.entries(table, depth + 1))
            }
        };
        Node {
            key: self.place.source(&key_span),
            source: self.place.source(&span),
            loose: self.place != Place::File && self.arrays == 0,
            value: tree,
        }
    }

    /// The parser tells numbers by their first letters and leaves the others unread.
    fn no_number(&mut self, span: &Range<usize>) {
        let what = format!("`{}` is not a number", shown(&self.text[span.clone()]));
        self.fault(span.clone(), &what, "text is written in quotes");
    }

    fn literal(&self, span: &Range<usize>) -> String {
        self.text[span.clone()].to_owned()
    }

    /// The parser reads TOML 1.1; other programs, Python's `tomllib` among them, read 1.0.
    fn check_escapes(&mut self, span: &Range<usize>) {
        let raw = &self.text[span.clone()];
        if !raw.starts_with('"') {
            return;
        }
        let mut letters = raw.char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter == '\\'
                && let Some((_, escaped @ ('e' | 'x'))) = letters.next()
            {
                let start = span.start + at;
                self.fault(
                    start..start + 2,
                    &format!("the escape `\\{escaped}` is not in TOML 1.0"),
                    "write `\\u` and four hexadecimal digits",
                );
            }
        }
    }

    fn check_inline(&mut self, table: &DeTable<'_>, span: &Range<usize>) {
        let mut inner = Vec::new();
        own_spans(self.text, table, &mut inner);
        inner.sort_by_key(|span| span.start);
        let mut from = span.start + 1;
        let mut last_gap = from..from;
        let close = span.end.max(from + 1) - 1;
        for next in inner.into_iter().chain(std::iter::once(close..close)) {
            if next.start < from {
                continue;
            }
            last_gap = from..next.start;
            if let Some(at) = self.text[last_gap.clone()].find('\n') {
                self.fault(
                    from + at..from + at,
                    "an inline table stands on one line in TOML 1.0",
                    "write it on one line, or as a table with a [header]",
                );
                return;
            }
            from = next.end;
        }
        if let Some(at) = self.text[last_gap.clone()].rfind(',') {
            let start = last_gap.start + at;
            let what = "an inline table ends without a comma in TOML 1.0";
            self.fault(start..start + 1, what, "remove the comma");
        }
    }
}

/// Collects the spans of an inline table's keys and values; dotted keys make tables without braces of their own.
fn own_spans(text: &str, table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        spans.push(key.span());
        match value.get_ref() {
            DeValue::Table(inner) if !text[value.span()].starts_with('{') => own_spans(text, inner, spans),
            _ => spans.push(value.span()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::document::Document;

    fn drawn(text: &str) -> String {
        Document::parse("crash.toml", text.as_bytes()).unwrap_err().render(false)
    }

    #[test]
    fn every_syntax_error_is_told_at_once() {
        let text = "seed = \nname = crash\n[venues.a\n[venues.b]\ntick = 01\ntick = 2\n[venues.b]\n";
        insta::assert_snapshot!("syntax_errors", drawn(text));
    }

    #[test]
    fn what_only_toml_1_1_allows_is_refused() {
        let text = concat!(
            "a = { b = 1,\n  c.d = { e = 2 } }\n",
            "f = { g.h = 1, g.i = [\n  1,\n], }\n",
            "j = \"\\e[31m\\x41\"\n",
            "k = 2026-02-23T00:00Z\n",
            "\"l\\e\" = 1\n",
        );
        insta::assert_snapshot!("toml_1_1", drawn(text));
    }

    #[test]
    fn what_toml_1_0_allows_is_not_refused() {
        let text = concat!(
            "a = { b = [\n  1, # one\n  2,\n], \"c,}\" = '''\n}\n''', d.e = {}, d.f = { } }\n",
            "g = \"\\\\e \\\\x41 \\u0041\"\n",
            "h = 'C:\\each\\x'\n",
            "i = \"\"\"\\\n   x\"\"\"\n",
        );
        assert!(Document::parse("x", text.as_bytes()).is_ok());
    }

    #[test]
    fn numbers_are_numbers_to_their_last_letter() {
        for word in [
            "50_000a",
            "50_00T0",
            "0x",
            "2_26-02-23",
            "1_0\"x\"",
            "0b12",
            "1_0.5x",
            "1_0e",
            "1_0e5.5",
            "1__0",
            "+0x1",
        ] {
            assert!(parse_document(&format!("a = {word}")).is_err(), "{word}");
        }
        for word in [
            "0",
            "-0",
            "+1_000",
            "0xdead_BEEF",
            "0o17",
            "0b1_0",
            "1_0.5_0e-1_0",
            "-inf",
            "+nan",
            "99999999999999999999",
        ] {
            assert!(parse_document(&format!("a = {word}")).is_ok(), "{word}");
        }
    }

    #[test]
    fn depth_is_limited_and_the_limit_has_a_place() {
        let nested = |depth: usize| format!("x = 1\na = {}{}\n", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_document(&nested(MAX_DEPTH)).is_ok());
        for depth in [MAX_DEPTH + 1, 80, 100, 500_000] {
            let faults = parse_document(&nested(depth)).unwrap_err();
            assert_eq!(faults[0].what, "nested deeper than 32 levels", "{depth}");
            assert!(faults[0].span.start >= 6, "{depth}");
        }
        let dotted = |depth: usize| format!("x = 1\n[{}b]\n", "a.".repeat(depth - 1));
        assert!(parse_document(&dotted(MAX_DEPTH)).is_ok());
        for depth in [MAX_DEPTH + 1, 80, 100, 500_000] {
            let faults = parse_document(&dotted(depth)).unwrap_err();
            assert_eq!(faults[0].what, "nested deeper than 32 levels", "{depth}");
            assert!(faults[0].span.start >= 6, "{depth}");
        }
    }

    #[test]
    fn a_flood_of_errors_in_a_large_file_ends_with_the_first() {
        let faults = parse_document(&"=\n".repeat(400_000)).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].help.as_ref().is_some_and(|help| help.contains("first error")));
    }
}
