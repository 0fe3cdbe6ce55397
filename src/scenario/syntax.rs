//! Text to tree: the TOML parser's result, with TOML 1.0 and the depth limit enforced. It knows no keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::node::{Entries, MAX_DEPTH, Node, Value};
use super::problem::Source;

/// Something wrong at a span of the parsed text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) what: String,
    pub(super) help: Option<String>,
}

/// Where a text stands, to turn its spans into sources.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The document.
    File,
    /// An override, whose value begins at a byte of its text.
    Argument { index: usize, offset: usize },
}

impl Place {
    fn source(self, span: &Range<usize>) -> Source {
        match self {
            Self::File => Source::File { start: span.start, end: span.end },
            Self::Argument { index, offset } => {
                Source::Argument { index, start: offset + span.start, end: offset + span.end }
            }
        }
    }
}

/// Longest text of which all faults are told, in bytes; of a longer one the first, since each takes memory and a text
/// may hold as many as bytes.
const LONGEST_RECOVERED: usize = 1 << 16;

/// Parses a document; returns its entries, or its faults.
pub(super) fn parse_document(text: &str) -> Result<Entries, Vec<Fault>> {
    let (table, errors) = if text.len() <= LONGEST_RECOVERED {
        DeTable::parse_recoverable(text)
    } else {
        let table = DeTable::parse(text).map_err(|error| faults(text, &[error]))?;
        (table, Vec::new())
    };
    if !errors.is_empty() {
        return Err(faults(text, &errors));
    }
    let mut tree = Tree { text, place: Place::File, faults: Vec::new() };
    let entries = tree.entries(table.get_ref(), 1);
    tree.finish(entries)
}

/// Parses one value; returns its node, or all faults.
pub(super) fn parse_value(text: &str, place: Place, depth: usize) -> Result<Node, Vec<Fault>> {
    let (value, errors) = DeValue::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(faults(text, &errors));
    }
    let mut tree = Tree { text, place, faults: Vec::new() };
    let node = tree.node(None, &value, depth);
    tree.finish(node)
}

fn faults(text: &str, errors: &[toml::de::Error]) -> Vec<Fault> {
    let placeless = std::cell::LazyCell::new(|| longest_dotted_key(text));
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| Fault {
            span: error.span().unwrap_or_else(|| placeless.clone()),
            what: error.message().to_owned(),
            help: None,
        })
        .collect();
    faults.sort_by_key(|fault| fault.span.start);
    faults.dedup();
    faults
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
    faults: Vec<Fault>,
}

impl Tree<'_> {
    fn finish<T>(self, tree: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(tree) } else { Err(self.faults) }
    }

    fn fault(&mut self, span: Range<usize>, what: &str, help: &str) {
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
                let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                Value::Integer(self.literal(&span), number)
            }
            DeValue::Float(float) => {
                let number = float.as_str().parse().expect("the parser lets only floats through");
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
                Value::Array(elements.iter().map(|element| self.node(None, element, depth + 1)).collect())
            }
            DeValue::Table(table) => {
                if self.text[span.clone()].starts_with('{') {
                    self.check_inline(table, &span);
                }
                Value::Table(self.entries(table, depth + 1))
            }
        };
        Node { key: self.place.source(&key_span), source: self.place.source(&span), value: tree }
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
