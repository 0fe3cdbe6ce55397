//! The type of the key table: one static list is the source of ranges, defaults and documentation. Its contents are
//! elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::node::{Node, Value};
use super::problem::Source;
use super::scalar;
use super::syntax::{Place, parse_value};

/// One key of a scenario file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted path; `*` stands for a name that the user chooses, as in `populations.*.size`.
    pub path: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Unit of the value, empty if it has none.
    pub unit: &'static str,
    /// Value where the key is absent, as TOML text (a bare word is text too); `None` if the key is required or
    /// its absence means something.
    pub default: Option<&'static str>,
    /// What it means, one sentence.
    pub meaning: &'static str,
    /// Why this default or range: a source or a reason.
    pub why: &'static str,
}

/// What values a key takes. Ranges are inclusive.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// An identifier: a letter or digit, then up to 63 letters, digits, `_`, `-`.
    Name,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number, never `nan` or `inf`. The smallest positive float as `min` means "above 0".
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// A decimal that must not pass through a binary float: an integer or a quoted decimal.
    Exact {
        /// Smallest, as a decimal.
        min: &'static str,
        /// Largest, as a decimal.
        max: &'static str,
    },
    /// A duration such as `"250ms"`.
    Duration {
        /// Shortest, as a duration.
        min: &'static str,
        /// Longest, as a duration.
        max: &'static str,
    },
    /// An instant with its offset, as an RFC 3339 text or a TOML date-time.
    Instant,
    /// A text among these.
    Choice(&'static [&'static str]),
    /// A table with exactly one of these keys, or one of these as text if nothing follows.
    OneOf(&'static [&'static str]),
    /// A table with declared keys.
    Table,
    /// A table of tables under names that the user chooses.
    Tables,
    /// An array; the code that reads it knows its elements.
    List,
}

impl Kind {
    /// Says what is expected, for "expected ..." in a message and for `explain`.
    pub fn expected(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Name => "a name of letters, digits, `_` and `-`".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Int { min, max } => scalar::int_range(*min, *max),
            Self::Float { min, max } => scalar::float_range(*min, *max),
            Self::Exact { min, max } => format!("a decimal from {min} to {max}"),
            Self::Duration { min, max } => format!("a duration from {min} to {max}"),
            Self::Instant => "an instant such as 2026-02-23T00:00:00Z".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::OneOf(words) => format!("exactly one of {}", words.join(", ")),
            Self::Table => "a table".to_owned(),
            Self::Tables => "a table of named tables".to_owned(),
            Self::List => "an array".to_owned(),
        }
    }
}

impl Key {
    /// Says what is expected, with the unit.
    pub(super) fn expected(&self) -> String {
        let mut text = self.kind.expected();
        if !self.unit.is_empty() {
            let _ = write!(text, " [{}]", self.unit);
        }
        text
    }

    /// Parses the default.
    pub(super) fn default_node(&self) -> Option<Node> {
        let text = self.default?;
        let source = Source::Missing { start: 0, end: 0 };
        Some(parse_value(text, Place::Default, 1).unwrap_or_else(|_| Node {
            key: source,
            source,
            loose: true,
            value: Value::Text(text.to_owned()),
        }))
    }
}

/// Returns what is wrong with a key table: for a test beside its contents.
pub fn faults(keys: &[Key]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key.path) {
            faults.push(format!("{}: declared twice", key.path));
        }
        if key.path.split('.').any(str::is_empty) {
            faults.push(format!("{}: a part of the path is empty", key.path));
        }
        if key.meaning.is_empty() {
            faults.push(format!("{}: its meaning is not said", key.path));
        }
        if let Err(what) = scalar::check_kind(&key.kind) {
            faults.push(format!("{}: {what}", key.path));
        } else if let Some(node) = key.default_node()
            && let Err(fault) = scalar::check(&node, &key.kind)
        {
            faults.push(format!("{}: default {}", key.path, fault.what));
        }
    }
    faults
}

/// The key table as a tree of levels, for walks over documents.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// What is declared at this place, if anything.
    pub(super) key: Option<&'static Key>,
    /// The place of the first key at or below it in the key table, which is in an order that people read well.
    pub(super) order: usize,
    /// Declared keys below.
    pub(super) keys: BTreeMap<&'static str, Level>,
    /// What is below any other name.
    pub(super) any: Option<Box<Level>>,
}

impl Level {
    /// Builds the tree.
    pub(super) fn new(keys: &'static [Key]) -> Self {
        let mut root = Self::default();
        for (order, key) in keys.iter().enumerate() {
            let mut level = &mut root;
            for part in key.path.split('.') {
                let new = || Self { order, ..Self::default() };
                level = match part {
                    "*" => level.any.get_or_insert_with(|| Box::new(new())),
                    name => level.keys.entry(name).or_insert_with(new),
                };
            }
            level.key = Some(key);
        }
        root
    }

    /// Returns what values are declared at this place, if any.
    pub(super) fn kind(&self) -> Option<&'static Kind> {
        self.key.map(|key| &key.kind)
    }

    /// Returns the declared keys below, in the order of the key table.
    pub(super) fn in_order(&self) -> Vec<(&'static str, &Self)> {
        let mut keys: Vec<_> = self.keys.iter().map(|(name, level)| (*name, level)).collect();
        keys.sort_by_key(|(_, level)| level.order);
        keys
    }

    /// Returns the level below a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.keys.get(name).or(self.any.as_deref())
    }
}

/// Tells whether a concrete or pattern path, in parts, names a declared key.
pub(super) fn path_matches(pattern: &str, parts: &[String]) -> bool {
    let mut wanted = pattern.split('.');
    parts.iter().all(|part| wanted.next().is_some_and(|want| want == "*" || want == part))
        && wanted.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::sample::KEYS;

    #[test]
    fn the_sample_table_has_no_faults() {
        assert_eq!(faults(KEYS), Vec::<String>::new());
    }

    #[test]
    fn a_tables_own_mistakes_are_found() {
        let key = |path, kind, default| Key { path, kind, unit: "", default, meaning: "m", why: "" };
        let table = [
            key("a", Kind::Int { min: 2, max: 1 }, None),
            key("a", Kind::Bool, None),
            key("b..c", Kind::Bool, None),
            key("d", Kind::Float { min: 0.0, max: f64::INFINITY }, None),
            key("e", Kind::Float { min: 0.0, max: 1.0 }, Some("1.5")),
            key("f", Kind::Exact { min: "x", max: "1" }, None),
            key("g", Kind::Duration { min: "1h", max: "1s" }, None),
            key("h", Kind::Choice(&[]), None),
            key("i", Kind::Choice(&["x"]), Some("y")),
            key("j", Kind::List, Some("{}")),
        ];
        assert_eq!(faults(&table).len(), table.len(), "{:#?}", faults(&table));
    }

    #[test]
    fn a_default_may_be_written_without_quotes() {
        let key =
            |kind, default| Key { path: "a", kind, unit: "", default: Some(default), meaning: "m", why: "" };
        let table = [
            key(Kind::Exact { min: "0", max: "1" }, "0.1"),
            key(Kind::Duration { min: "0s", max: "1d" }, "2h"),
            key(Kind::Duration { min: "0s", max: "1d" }, "\"2h\""),
            key(Kind::Text, "2026"),
            key(Kind::Instant, "2026-01-01T00:00:00Z"),
            key(Kind::OneOf(&["x"]), "x"),
            key(Kind::OneOf(&["x"]), "{ x = {} }"),
        ];
        for key in table {
            assert_eq!(faults(&[key]), Vec::<String>::new());
        }
    }

    #[test]
    fn limits_are_said_in_words() {
        for (kind, words) in [
            (Kind::Int { min: 1, max: 9 }, "an integer from 1 to 9"),
            (Kind::Int { min: 0, max: i64::MAX }, "an integer of at least 0"),
            (Kind::Int { min: i64::MIN, max: 9 }, "an integer of at most 9"),
            (Kind::Int { min: i64::MIN, max: i64::MAX }, "an integer"),
            (Kind::Float { min: 0.5, max: 1.0 }, "a number from 0.5 to 1"),
            (Kind::Float { min: f64::MIN_POSITIVE, max: 1.0 }, "a number above 0, up to 1"),
            (Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX }, "a number above 0"),
            (Kind::Float { min: 0.0, max: f64::MAX }, "a number of at least 0"),
            (Kind::Float { min: f64::MIN, max: 0.0 }, "a number of at most 0"),
            (Kind::Float { min: f64::MIN, max: f64::MAX }, "a number"),
        ] {
            assert_eq!(kind.expected(), words);
        }
    }

    #[test]
    fn paths_match_their_pattern_part_by_part() {
        let parts = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert!(path_matches("a.*.c", &parts("a.b.c")));
        assert!(path_matches("a.*.c", &parts("a.*.c")));
        assert!(!path_matches("a.*.c", &parts("a.b")));
        assert!(!path_matches("a.*", &parts("a.b.c")));
    }
}
