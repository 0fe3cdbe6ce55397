//! One table of a document, read by the key table. Every getter returns a value; what is wrong goes to the reader.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::keys::{Key, Kind};
use super::node::{Node, Value};
use super::problem::{Problem, Source, listed, nearest, shown};
use super::reader::{Declared, Made, Reader};
use super::row::Row;
use super::scalar::{self, Refusal, stand_in};
use crate::units::Time;

/// How the problem begins that a key is not there.
pub(super) const MISSING: &str = "missing, expected ";

/// A view of one table, present or not.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Section<'r> {
    reader: &'r Reader<'r>,
    trail: usize,
    body: Body<'r>,
    /// Where to point for keys that are missing here.
    anchor: Source,
}

/// What a section has to read from.
#[derive(Clone, Copy, Debug)]
enum Body<'r> {
    Table(&'r Node),
    /// No such table: every key in it is absent.
    Absent,
    /// Something else is in its place, which has been reported: its keys are not reported again.
    Broken,
}

/// A key looked up.
struct Lookup<'r> {
    declared: &'r Declared,
    at: String,
    /// The value in the document or the default.
    node: Option<&'r Node>,
    /// Whether the value is the document's.
    given: bool,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $get:ident, $opt:ident -> $type:ty, $kind:pat => $read:expr, $stand_in:expr;)*) => {
        impl Section<'_> {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// Panics if the key table does not declare the key, or declares another kind.
                pub fn $get(&self, key: &str) -> $type {
                    let lookup = self.lookup(key);
                    let $kind = lookup.declared.key.kind else { misread(lookup.declared.key, stringify!($get)) };
                    #[allow(clippy::redundant_closure_call, reason = "the macro's only way to name the node")]
                    self.required(&lookup, |node| ($read)(node)).unwrap_or_else(|| $stand_in)
                }

                /// The same, or `None` if the key is absent, whatever its default.
                pub fn $opt(&self, key: &str) -> Option<$type> {
                    self.has(key).then(|| self.$get(key))
                }
            )*
        }
    };
}

getters! {
    /// Returns text or a name.
    text, opt_text -> String, kind @ (Kind::Text | Kind::Name) => |node| match kind {
        Kind::Name => scalar::name(node),
        _ => scalar::text(node),
    }, "x".to_owned();
    /// Returns true or false.
    bool, opt_bool -> bool, Kind::Bool => scalar::bool, false;
    /// Returns an integer.
    int, opt_int -> i64, Kind::Int { min, max } => |node| scalar::int(node, min, max), stand_in::int(min, max);
    /// Returns a finite number.
    float, opt_float -> f64, Kind::Float { min, max } => |node| scalar::float(node, min, max), stand_in::float(min, max);
    /// Returns an exact decimal.
    exact, opt_exact -> Decimal, Kind::Exact { min, max } => |node| scalar::exact(node, min, max), stand_in::exact(min);
    /// Returns a duration.
    duration, opt_duration -> Time, Kind::Duration { min, max } => |node| scalar::duration(node, min, max), stand_in::duration(min);
    /// Returns an instant.
    instant, opt_instant -> Timestamp, Kind::Instant => scalar::instant, Timestamp::UNIX_EPOCH;
    /// Returns one of the words of the key table.
    choice, opt_choice -> &'static str, Kind::Choice(words) => |node| scalar::choice(node, words), words[0];
}

impl<'r> Section<'r> {
    pub(super) fn root(reader: &'r Reader<'r>, node: &'r Node) -> Self {
        Self { reader, trail: 0, body: Body::Table(node), anchor: node.source }
    }

    /// Returns the dotted path of this table.
    pub fn path(&self) -> String {
        self.reader.path(self.trail)
    }

    /// Tells whether the document has the key, with any value.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Returns the table under a key; if there is none, a section in which every key is absent, so that each key's
    /// own default holds.
    pub fn table(&self, key: &str) -> Section<'r> {
        let lookup = self.lookup(key);
        let (Kind::Table | Kind::Tables) = lookup.declared.key.kind else {
            misread(lookup.declared.key, "table")
        };
        self.enter(key, key, lookup.given.then_some(lookup.node).flatten())
    }

    /// Returns the table under a key, or `None` if there is none.
    pub fn opt_table(&self, key: &str) -> Option<Section<'r>> {
        self.has(key).then(|| self.table(key))
    }

    /// Returns the tables under a key by the names that the user chose, in the order of names.
    pub fn tables(&self, key: &str) -> Vec<(String, Section<'r>)> {
        let outer = self.table(key);
        let Body::Table(node) = outer.body else { return Vec::new() };
        let mut tables = Vec::new();
        let entries = node.entries().into_iter().flatten();
        let filed = entries.clone().filter(|(_, child)| !matches!(child.key, Source::Argument { .. }));
        for (name, child) in entries {
            if matches!(child.key, Source::Argument { .. })
                && child.key == child.source
                && let Some(near) = nearest(name, filed.clone().map(|(name, _)| name.as_str()))
            {
                let at = self.reader.extended(outer.trail, name, "*").at;
                self.reader.note_made(Made { at, source: child.key, near: near.to_owned() });
            }
            if !scalar::is_name(name) {
                let at = self.reader.extended(outer.trail, name, "*").at;
                self.refuse(&at, child.key, scalar::not_a_name(name));
            }
            tables.push((name.clone(), outer.enter(name, "*", Some(child))));
        }
        tables
    }

    /// Returns the one variant that is chosen under a key and its section, or `None` after saying what is wrong.
    /// `style = "market"` is a variant without keys.
    pub fn one_of(&self, key: &str) -> Option<(&'static str, Section<'r>)> {
        let lookup = self.lookup(key);
        let Kind::OneOf(words) = lookup.declared.key.kind else { misread(lookup.declared.key, "one_of") };
        let Some(node) = lookup.node else {
            self.missing(&lookup);
            return None;
        };
        let outer = self.reader.keep(self.reader.extended(self.trail, key, key));
        let anchor = if lookup.given { node.source } else { self.anchor };
        let holder = Section { trail: outer, body: Body::Absent, anchor, ..*self };
        if let Value::Text(_) = node.value {
            return match scalar::choice(node, words) {
                Ok(word) => Some((word, holder.enter(word, word, None))),
                Err(refusal) => {
                    self.refuse(&lookup.at, node.source, refusal);
                    None
                }
            };
        }
        let Some(entries) = node.entries() else {
            let what = format!("expected {}, found {}", lookup.declared.key.expected(), node.found());
            self.refuse(&lookup.at, node.source, Refusal::new(what));
            return None;
        };
        let chosen: Vec<&'static str> =
            words.iter().copied().filter(|word| entries.contains_key(*word)).collect();
        match chosen.as_slice() {
            [word] => Some((word, holder.enter(word, word, entries.get(*word)))),
            // Words that are none of these are reported as unknown keys, with what they resemble.
            [] if !entries.is_empty() => None,
            [] => {
                let what = format!("is empty, expected {}", lookup.declared.key.expected());
                self.refuse(&lookup.at, node.source, Refusal::new(what));
                None
            }
            several => {
                let last =
                    several.iter().max_by_key(|word| entries[**word].key.order()).expect("two or more");
                let what = format!("has {}, expected exactly one of them", chosen.join(" and "));
                let help = format!("to choose another by an override, replace {} as a whole", lookup.at);
                self.refuse(&lookup.at, entries[*last].key, Refusal::new(what).help(help));
                None
            }
        }
    }

    /// Returns the variant under a key, or `None` without a word if the key is absent.
    pub fn opt_one_of(&self, key: &str) -> Option<(&'static str, Section<'r>)> {
        if self.has(key) { self.one_of(key) } else { None }
    }

    /// Returns an array as one row of cells.
    pub fn row(&self, key: &str) -> Row<'r> {
        let lookup = self.lookup(key);
        let Kind::List = lookup.declared.key.kind else { misread(lookup.declared.key, "row") };
        if lookup.node.is_none() {
            self.missing(&lookup);
        }
        if let Some(default) = lookup.node
            && !lookup.given
        {
            self.reader.note_default(&lookup.at, default);
        }
        Row::new(self.reader, lookup.at, lookup.node, self.anchor)
    }

    /// Returns an array of arrays as rows of cells.
    pub fn rows(&self, key: &str) -> Vec<Row<'r>> {
        self.row(key).rows()
    }

    /// Returns the position in `names` of the name under a key; `what` says what is named, as in "market".
    pub fn reference(&self, key: &str, what: &str, names: &[String]) -> Option<usize> {
        let lookup = self.lookup(key);
        let (Kind::Name | Kind::Text) = lookup.declared.key.kind else {
            misread(lookup.declared.key, "reference")
        };
        let name = self.required(&lookup, scalar::text)?;
        let found = position(&name, what, names);
        found.map_err(|refusal| self.refuse_lookup(&lookup, refusal)).ok()
    }

    /// Returns the positions in `names` of an array of names.
    pub fn references(&self, key: &str, what: &str, names: &[String]) -> Vec<usize> {
        let row = self.row(key);
        (0..row.len()).filter_map(|cell| row.reference(cell, what, names)).collect()
    }

    /// Tells whether a problem was recorded with the value under a key: what it was read as is a stand-in, and no
    /// conclusion may be drawn from it.
    pub fn is_spoilt(&self, key: &str) -> bool {
        self.reader.is_spoilt(&self.reader.extended(self.trail, key, key).at)
    }

    /// Records a problem with the value under a key, unless there is one already; with an empty key, with the table
    /// itself.
    pub fn problem(&self, key: &str, what: impl Into<String>, help: Option<String>) {
        let at = if key.is_empty() { self.path() } else { self.reader.extended(self.trail, key, key).at };
        if key.is_empty() || !self.reader.is_spoilt(&at) {
            self.reader.record(Problem { at, source: self.source(key), what: what.into(), help });
        }
    }

    /// Returns where the value under a key stands; with an empty key, the table itself.
    pub fn source(&self, key: &str) -> Source {
        match self.find(key) {
            Some(node) => node.source,
            None if key.is_empty() => self.anchor,
            None => self.anchor.missing(),
        }
    }

    fn find(&self, key: &str) -> Option<&'r Node> {
        match self.body {
            Body::Table(node) => node.entries().and_then(|entries| entries.get(key)),
            Body::Absent | Body::Broken => None,
        }
    }

    fn lookup(&self, key: &str) -> Lookup<'r> {
        let trail = self.reader.extended(self.trail, key, key);
        let declared = self.reader.declared(&trail.pattern);
        let found = self.find(key);
        Lookup { declared, at: trail.at, node: found.or(declared.default.as_ref()), given: found.is_some() }
    }

    fn enter(&self, key: &str, part: &str, node: Option<&'r Node>) -> Section<'r> {
        let trail = self.reader.extended(self.trail, key, part);
        let (body, anchor) = match node {
            Some(node) if node.entries().is_some() => (Body::Table(node), node.source),
            Some(node) => {
                let what = format!("expected a table, found {}", node.found());
                self.refuse(&trail.at, node.source, Refusal::new(what));
                (Body::Broken, node.source)
            }
            None if matches!(self.body, Body::Broken) => (Body::Broken, self.anchor),
            None => (Body::Absent, self.anchor),
        };
        Section { trail: self.reader.keep(trail), body, anchor, ..*self }
    }

    fn required<T>(&self, lookup: &Lookup<'_>, read: impl Fn(&Node) -> Result<T, Refusal>) -> Option<T> {
        let Some(node) = lookup.node else {
            self.missing(lookup);
            return None;
        };
        match read(node) {
            Ok(value) => {
                if !lookup.given {
                    self.reader.note_default(&lookup.at, node);
                }
                return Some(value);
            }
            Err(refusal) if lookup.given => self.refuse_lookup(lookup, refusal),
            Err(refusal) => panic!("default of `{}`: {}", lookup.declared.key.path, refusal.what),
        }
        lookup.declared.default.as_ref().and_then(|default| read(default).ok())
    }

    fn missing(&self, lookup: &Lookup<'_>) {
        if !matches!(self.body, Body::Broken) {
            let what = format!("{MISSING}{}", lookup.declared.key.expected());
            let refusal = Refusal::new(what).help(lookup.declared.key.meaning);
            self.refuse(&lookup.at, self.anchor.missing(), refusal);
        }
    }

    fn refuse_lookup(&self, lookup: &Lookup<'_>, refusal: Refusal) {
        let refusal = refusal.in_unit(lookup.declared.key.unit);
        let source = match lookup.node {
            Some(node) if lookup.given => node.source,
            _ => self.anchor.missing(),
        };
        self.refuse(&lookup.at, source, refusal);
    }

    fn refuse(&self, at: &str, source: Source, refusal: Refusal) {
        self.reader.record(refusal.at(at.to_owned(), source));
    }
}

/// Finds a name among others, or says which it could have been.
pub(super) fn position(name: &str, what: &str, names: &[String]) -> Result<usize, Refusal> {
    names.iter().position(|other| other == name).ok_or_else(|| {
        let known = names.iter().map(String::as_str);
        let refusal = Refusal::new(format!("there is no {what} \"{}\"", shown(name)));
        match nearest(name, known.clone()) {
            Some(near) => refusal.help(format!("did you mean \"{near}\"? known: {}", listed(known))),
            None if names.is_empty() => refusal.help(format!("the scenario has no {what} at all")),
            None => refusal.help(format!("known: {}", listed(known))),
        }
    })
}

fn misread(key: &Key, getter: &str) -> ! {
    panic!("`{}` is {} and is not read by `{getter}`", key.path, key.kind.expected())
}

#[cfg(test)]
mod tests;
