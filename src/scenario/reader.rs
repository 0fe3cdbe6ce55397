//! Reading a document by the key table: values go out, problems are collected. What values mean together is checked
//! by the caller.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::document::Document;
use super::keys::{Key, Level};
use super::node::{Node, quoted_key};
use super::overrides::parse_path;
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
        problems.extend(self.document.problems.iter().cloned());
        unknown::find(&self.document.root, &Level::new(self.keys), self.keys, &mut problems);
        problems.sort_by_key(|problem| problem.source.order());
        problems.dedup();
        problems
    }

    pub(super) fn record(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
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
