//! Reading a document by the key table: values go out, problems are collected. What values mean together is checked
//! by the caller.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::keys::{Key, Level};
use super::node::{Entries, Node, Value, quoted_key};
use super::overrides::{Segment, parse_path};
use super::problem::{Problem, Source, shortened};
use super::section::Section;
use super::unknown;

/// Hands out the values of a document and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'d> {
    document: &'d Document,
    keys: &'static [Key],
    by_path: BTreeMap<&'static str, Declared>,
    /// Display path and pattern of every section handed out, so that sections are small and `Copy`.
    trails: RefCell<Vec<Trail>>,
    problems: RefCell<Vec<Problem>>,
    /// Paths of the values that a problem was recorded with, theirs or one of their cells.
    spoilt: RefCell<BTreeSet<String>>,
    /// Defaults that were handed out, by the paths of their keys.
    defaults: RefCell<BTreeMap<String, Node>>,
    /// Named tables that exist only because the path of an override leads through them.
    made: RefCell<Vec<Made>>,
}

/// A named table that the path of an override made, beside one of the file's whose name is like it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) at: String,
    pub(super) source: Source,
    pub(super) near: String,
}

/// A key of the table with its default parsed.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) key: &'static Key,
    pub(super) default: Option<Node>,
}

/// Where a section is: the path for people and the pattern of the key table.
#[derive(Clone, Default, Debug)]
pub(super) struct Trail {
    pub(super) at: String,
    pub(super) pattern: String,
}

impl<'d> Reader<'d> {
    /// Prepares to read a document by a key table.
    pub fn new(document: &'d Document, keys: &'static [Key]) -> Self {
        let by_path =
            keys.iter().map(|key| (key.path, Declared { key, default: key.default_node() })).collect();
        Self {
            document,
            keys,
            by_path,
            trails: RefCell::new(vec![Trail::default()]),
            problems: RefCell::new(Vec::new()),
            spoilt: RefCell::new(BTreeSet::new()),
            defaults: RefCell::new(BTreeMap::new()),
            made: RefCell::new(Vec::new()),
        }
    }

    /// Returns the document's outermost table.
    pub fn root(&self) -> Section<'_> {
        Section::root(self, &self.document.root)
    }

    /// Records a problem at a dotted path of the document; where the path ends in nothing, at the nearest table.
    pub fn problem(&self, at: &str, what: impl Into<String>, help: Option<String>) {
        let source = self.source(at);
        self.record(Problem { at: at.to_owned(), source, what: what.into(), help });
    }

    /// Tells whether nothing wrong has been found so far, unknown keys aside.
    pub fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty() && self.document.problems.is_empty()
    }

    /// Ends the reading: adds the keys that the table does not know and the problems of the overrides, and returns
    /// all, the file's from top to bottom, then the overrides'.
    pub fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        for made in self.made.into_inner() {
            let inside = format!("{}.", made.at);
            let before = problems.len();
            problems.retain(|problem| {
                !(problem.at.starts_with(&inside) && matches!(problem.source, Source::Argument { .. }))
            });
            if problems.len() < before {
                let what = "is not in the file, and this does not make a whole one".to_owned();
                let help = Some(format!("did you mean `{}`?", made.near));
                problems.push(Problem { at: made.at, source: made.source, what, help });
            }
        }
        problems.extend(self.document.problems.iter().cloned());
        unknown::find(&self.document.root, &Level::new(self.keys), self.keys, &mut problems);
        problems.sort_by_key(|problem| problem.source.order());
        problems.dedup();
        problems
    }

    pub(super) fn record(&self, problem: Problem) {
        let value = problem.at.split('[').next().unwrap_or_default();
        self.spoilt.borrow_mut().insert(value.to_owned());
        self.problems.borrow_mut().push(problem);
    }

    /// Tells whether a problem was recorded with the value at a path, so that what follows from it need not be said.
    pub(super) fn is_spoilt(&self, at: &str) -> bool {
        self.spoilt.borrow().contains(at)
    }

    /// Notes that a default was handed out for an absent key.
    pub(super) fn note_default(&self, at: &str, default: &Node) {
        self.defaults.borrow_mut().insert(at.to_owned(), default.clone());
    }

    /// Notes a table that the path of an override made.
    pub(super) fn note_made(&self, made: Made) {
        self.made.borrow_mut().push(made);
    }

    /// Ends the reading with the document in which every default that was handed out is written down.
    pub fn completed(self) -> Document {
        let mut document = self.document.clone();
        for (at, default) in self.defaults.into_inner() {
            let path = parse_path(&at).expect("a path that was made here");
            insert(&mut document.root, &path, default);
        }
        document
    }

    /// Returns the declaration of a pattern.
    ///
    /// # Panics
    /// Panics if the table does not declare it: the code that reads and the table belong together.
    pub(super) fn declared(&self, pattern: &str) -> &Declared {
        self.by_path.get(pattern).unwrap_or_else(|| panic!("the key table does not declare `{pattern}`"))
    }

    /// Keeps a trail and returns its index.
    pub(super) fn keep(&self, trail: Trail) -> usize {
        let mut trails = self.trails.borrow_mut();
        trails.push(trail);
        trails.len() - 1
    }

    /// Returns a kept trail extended by a key, which in the pattern is `part`.
    pub(super) fn extended(&self, trail: usize, key: &str, part: &str) -> Trail {
        let trails = self.trails.borrow();
        let Trail { at, pattern } = &trails[trail];
        let join = |path: &str, part: &str| {
            if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") }
        };
        Trail { at: join(at, &quoted_key(&shortened(key))), pattern: join(pattern, part) }
    }

    /// Returns the display path of a kept trail.
    pub(super) fn path(&self, trail: usize) -> String {
        self.trails.borrow()[trail].at.clone()
    }

    fn source(&self, at: &str) -> Source {
        let root = &self.document.root;
        let Ok(path) = parse_path(at) else { return root.source };
        let mut node = root;
        for segment in path {
            let child = segment.name.and_then(|name| node.entries()?.get(&name));
            match child {
                Some(child) => node = child,
                None => return node.source.missing(),
            }
        }
        node.source
    }
}

/// Puts a value at a path below a node, with the tables on the way; where something else is in the way, it stays.
fn insert(node: &mut Node, path: &[Segment], value: Node) {
    let (Value::Table(entries), Some((first, rest))) = (&mut node.value, path.split_first()) else { return };
    let name = first.name.clone().expect("a path of keys has no star");
    if rest.is_empty() {
        entries.entry(name).or_insert(value);
        return;
    }
    let nowhere = Source::Missing { start: 0, end: 0 };
    let empty = || Node { key: nowhere, source: nowhere, value: Value::Table(Entries::new()), loose: false };
    insert(entries.entry(name).or_insert_with(empty), rest, value);
}
