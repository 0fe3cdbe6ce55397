//! The cells of an array, each reported at its own place.

use std::cell::Cell;

use rust_decimal::Decimal;

use super::node::{Node, Value};
use super::problem::{Problem, Source};
use super::reader::Reader;
use super::scalar::{self, Refusal, stand_in};
use super::section::position;

/// One array of a document; its elements are cells.
#[derive(Clone, Debug)]
pub struct Row<'r> {
    reader: &'r Reader<'r>,
    at: String,
    source: Source,
    cells: &'r [Node],
    /// Whether it has been reported that cells are missing.
    broken: Cell<bool>,
}

impl<'r> Row<'r> {
    pub(super) fn new(reader: &'r Reader<'r>, at: String, node: Option<&'r Node>, anchor: Source) -> Self {
        let (source, cells, broken) = match node {
            Some(Node { value: Value::Array(cells), source, .. }) => (*source, cells.as_slice(), false),
            Some(node) => {
                let what = format!("expected an array, found {}", node.found());
                reader.record(Problem { at: at.clone(), source: node.source, what, help: None });
                (node.source, Default::default(), true)
            }
            None => (anchor, Default::default(), true),
        };
        Self { reader, at, source, cells, broken: Cell::new(broken) }
    }

    /// Returns the number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Tells whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Checks the number of cells; `columns` says what they are, as in `["price", "quantity"]`. Cells that are missing
    /// are not reported again when they are read.
    pub fn expect(&self, columns: &[&str]) -> bool {
        let fits = self.len() == columns.len();
        if !fits {
            self.short(&format!("{}: {}", columns.len(), columns.join(", ")));
        }
        fits
    }

    /// Returns the cells as rows of their own.
    pub fn rows(&self) -> Vec<Row<'r>> {
        (0..self.len())
            .map(|cell| Row::new(self.reader, self.cell_path(cell), Some(&self.cells[cell]), self.source))
            .collect()
    }

    /// Returns the value of a cell in TOML syntax, whatever it is; empty without such a cell.
    pub fn literal(&self, cell: usize) -> String {
        self.cells.get(cell).map_or_else(String::new, Node::literal)
    }

    /// Returns where a cell stands, or the row if it has no such cell.
    pub fn source(&self, cell: usize) -> Source {
        self.cells.get(cell).map_or(self.source, |node| node.source)
    }

    /// Returns where the letters of a text in a cell stand: inside its quotes, if it is written letter by letter.
    pub fn letters(&self, cell: usize) -> Source {
        match self.cells.get(cell) {
            Some(Node { value: Value::Text(text), source: Source::File { start, end }, .. })
                if end - start == text.len() + 2 =>
            {
                Source::File { start: start + 1, end: end - 1 }
            }
            _ => self.source(cell),
        }
    }

    /// Returns a number in a cell.
    pub fn float(&self, cell: usize, min: f64, max: f64) -> f64 {
        self.read(cell, |node| scalar::float(node, min, max)).unwrap_or_else(|| stand_in::float(min, max))
    }

    /// Returns an integer in a cell.
    pub fn int(&self, cell: usize, min: i64, max: i64) -> i64 {
        self.read(cell, |node| scalar::int(node, min, max)).unwrap_or_else(|| stand_in::int(min, max))
    }

    /// Returns an exact decimal in a cell.
    pub fn exact(&self, cell: usize, min: &str, max: &str) -> Decimal {
        self.read(cell, |node| scalar::exact(node, min, max)).unwrap_or_else(|| stand_in::exact(min))
    }

    /// Returns a duration in a cell.
    pub fn duration(&self, cell: usize, min: &str, max: &str) -> crate::units::Time {
        self.read(cell, |node| scalar::duration(node, min, max)).unwrap_or_else(|| stand_in::duration(min))
    }

    /// Returns text in a cell.
    pub fn text(&self, cell: usize) -> String {
        self.read(cell, scalar::text).unwrap_or_default()
    }

    /// Returns one of some words in a cell.
    pub fn choice(&self, cell: usize, words: &[&'static str]) -> &'static str {
        self.read(cell, |node| scalar::choice(node, words)).unwrap_or(words[0])
    }

    /// Returns the position in `names` of the name in a cell.
    pub fn reference(&self, cell: usize, what: &str, names: &[String]) -> Option<usize> {
        self.read(cell, |node| position(&scalar::text(node)?, what, names))
    }

    /// Records a problem with a cell, or with the row if it has no such cell.
    pub fn problem(&self, cell: usize, what: impl Into<String>, help: Option<String>) {
        self.reader.record(Problem {
            at: self.cell_path(cell),
            source: self.source(cell),
            what: what.into(),
            help,
        });
    }

    fn read<T>(&self, cell: usize, read: impl Fn(&Node) -> Result<T, Refusal>) -> Option<T> {
        let Some(node) = self.cells.get(cell) else {
            self.short(&format!("at least {}", cell + 1));
            return None;
        };
        read(node).map_err(|refusal| self.refuse(self.cell_path(cell), node.source, refusal)).ok()
    }

    fn short(&self, expected: &str) {
        if !self.broken.replace(true) {
            let cells = if self.len() == 1 { "cell" } else { "cells" };
            let what = format!("has {} {cells}, expected {expected}", self.len());
            self.refuse(self.at.clone(), self.source, Refusal::new(what));
        }
    }

    fn cell_path(&self, cell: usize) -> String {
        format!("{}[{cell}]", self.at)
    }

    fn refuse(&self, at: String, source: Source, refusal: Refusal) {
        self.reader.record(refusal.at(at, source));
    }
}
