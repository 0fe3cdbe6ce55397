//! The tree of a document: values that know where they stand. How text becomes a tree is in `syntax`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::value::Datetime;

use super::problem::{Source, shown};

/// A table's entries by name.
pub(super) type Entries = BTreeMap<String, Node>;

/// Deepest nesting of a document. Scenarios need six; every walk over the tree recurses this deep.
pub(super) const MAX_DEPTH: usize = 32;

/// A value, where it stands and where its key stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where the key stands; the same as `source` for elements of arrays.
    pub(super) key: Source,
    /// Where the value stands; for a table its header, its braces, or the word that created it.
    pub(super) source: Source,
    /// Whether it was written where quotes are a nuisance, in an argument or the key table: then a number or a word
    /// will do for text and a float's digits for an exact decimal. Elements of arrays are never loose, for nobody
    /// knows their kinds when the resolved document is written.
    pub(super) loose: bool,
    /// The value.
    pub(super) value: Value,
}

/// A TOML value. Numbers keep their text, for decimals that must not pass through binary floats.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    /// `None` beyond 64 bits.
    Integer(String, Option<i64>),
    Float(String, f64),
    Bool(bool),
    Datetime(Datetime),
    Array(Vec<Node>),
    Table(Entries),
}

/// Two nodes are equal if their values are, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    /// Returns the entries of a table.
    pub(super) fn entries(&self) -> Option<&Entries> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the text of a value that is text: a string, or any word if the node is loose.
    pub(super) fn as_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(literal, _) | Value::Float(literal, _) if self.loose => Some(literal.clone()),
            Value::Bool(value) if self.loose => Some(value.to_string()),
            Value::Datetime(value) if self.loose => Some(value.to_string()),
            _ => None,
        }
    }

    /// Says what kind of value this is, with the value, for "found ..." in a message.
    pub(super) fn found(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the text \"{}\"", shown(text)),
            Value::Integer(literal, _) => format!("the integer {}", shown(literal)),
            Value::Float(literal, _) => format!("the float {}", shown(literal)),
            Value::Bool(value) => value.to_string(),
            Value::Datetime(value) => format!("the date-time {value}"),
            Value::Array(elements) => match elements.len() {
                1 => "an array of 1 element".to_owned(),
                count => format!("an array of {count} elements"),
            },
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// Writes a key as in TOML: bare if it may be.
pub(super) fn quoted_key(key: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}

/// Writes text as a basic string of TOML 1.0.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Appends a key to a dotted path.
pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { quoted_key(key) } else { format!("{path}.{}", quoted_key(key)) }
}
