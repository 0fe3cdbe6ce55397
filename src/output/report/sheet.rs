//! A table of a results folder as it was written: names of columns and cells of text.

use crate::output::compression::open;
use csv::{ReaderBuilder, StringRecord};
use std::path::Path;

/// A small table, held whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    /// Name of its file.
    file: String,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

impl Sheet {
    /// Reads a table in any form; says what is wrong with one that cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self, csv::Error> {
        let mut reader = ReaderBuilder::new().from_reader(open(path)?);
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let header = reader.headers()?.clone();
        let rows = reader.records().collect::<Result<Vec<StringRecord>, csv::Error>>()?;
        Ok(Self { file, header, rows })
    }

    /// Returns the name of its file; empty where there was none.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Returns the names of all columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// Returns the rows.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = Line<'_>> {
        self.rows.iter().map(|row| Line { header: &self.header, row })
    }
}

/// Returns the place of a column in a header.
pub(super) fn place(header: &StringRecord, name: &str) -> Option<usize> {
    header.iter().position(|other| other == name)
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    header: &'a StringRecord,
    row: &'a StringRecord,
}

impl<'a> Line<'a> {
    /// Returns a cell; empty where there is no such column.
    pub(super) fn text(self, name: &str) -> &'a str {
        place(self.header, name).and_then(|place| self.row.get(place)).unwrap_or_default()
    }

    /// Returns a finite number, if the cell is one.
    pub(super) fn number(self, name: &str) -> Option<f64> {
        number(self.text(name))
    }

    /// Returns the ends of an interval, if both are there.
    pub(super) fn interval(self, of: &str) -> Option<(f64, f64)> {
        self.number(&format!("{of}_ci_low")).zip(self.number(&format!("{of}_ci_high")))
    }
}

/// Reads a finite number.
pub(super) fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}
