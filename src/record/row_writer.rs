//! Writes the rows of one table as CSV, cell by cell, against the table's columns.

use super::number::write_number;
use super::{Column, ColumnKind, Table};
use crate::units::Time;
use std::fmt::Write;

/// Rows of one table in the making. Each row is begun with its run and then takes one call a column, in the table's
/// order; it ends by itself with the last column. A call that does not fit the column is an error of the program and
/// panics, so that a header and its cells can never shift against each other.
pub struct RowWriter<'t> {
    table: &'t Table<'t>,
    rows: String,
    /// Index of the column that is written next; 0 between rows.
    next: usize,
}

impl<'t> RowWriter<'t> {
    /// Starts without rows.
    pub fn new(table: &'t Table<'t>) -> Self {
        Self { table, rows: String::new(), next: 0 }
    }

    /// Begins a row; `replicate` is `None` where the row is about all replicates of the cell.
    pub fn row(&mut self, cell: u32, replicate: impl Into<Option<u32>>) -> &mut Self {
        assert_eq!(self.next, 0, "a row of {} begins after the last one is whole", self.table.name);
        self.integer(i64::from(cell)).integer(replicate.into().map(i64::from))
    }

    /// Writes a whole number.
    pub fn integer(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        self.expect_kind(ColumnKind::Integer);
        if let Some(number) = value.into() {
            self.rows.push_str(itoa::Buffer::new().format(number));
        }
        self.end_cell()
    }

    /// Writes a number in its shortest form that reads back; NaN and infinities leave the cell empty.
    pub fn number(&mut self, value: impl Into<Option<f64>>) -> &mut Self {
        self.expect_kind(ColumnKind::Number);
        if let Some(number) = value.into() {
            write_number(&mut self.rows, number);
        }
        self.end_cell()
    }

    /// Writes an instant or a span in seconds, exact to the nanosecond.
    pub fn time(&mut self, value: impl Into<Option<Time>>) -> &mut Self {
        self.expect_kind(ColumnKind::Time);
        if let Some(time) = value.into() {
            write_seconds(&mut self.rows, time);
        }
        self.end_cell()
    }

    /// Writes an identifier, or several joined by dots.
    ///
    /// # Panics
    /// Panics on any other text: free text in a table can be read as a formula by a spreadsheet, or as markup.
    pub fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> &mut Self {
        self.expect_kind(ColumnKind::Text);
        let value = value.into();
        if let Some(text) = value {
            let mut parts = text.as_bytes().split(|byte| *byte == b'.');
            assert!(parts.all(is_name), "{text:?} in a table is no identifier");
        }
        self.rows.push_str(value.unwrap_or_default());
        self.end_cell()
    }

    /// Writes a message: in quotes, on one line, and never what a spreadsheet takes for a formula.
    pub fn message(&mut self, message: &str) -> &mut Self {
        self.expect_kind(ColumnKind::Text);
        self.rows.push('"');
        if message.starts_with(['=', '+', '-', '@']) {
            self.rows.push('\'');
        }
        for character in message.chars() {
            match character {
                '"' => self.rows.push_str("\"\""),
                control if control.is_control() => self.rows.push(' '),
                other => self.rows.push(other),
            }
        }
        self.rows.push('"');
        self.end_cell()
    }

    /// Returns the rows, without a header.
    pub fn finish(self) -> String {
        assert_eq!(self.next, 0, "the last row of {} is whole", self.table.name);
        self.rows
    }

    /// Returns the column that the next call fills, or `None` between rows.
    pub fn next_column(&self) -> Option<&'t Column<'t>> {
        (self.next > 0).then(|| &self.table.columns[self.next])
    }

    fn expect_kind(&self, kind: ColumnKind) {
        let column = &self.table.columns[self.next];
        assert_eq!(column.kind, kind, "the kind of {}.{}", self.table.name, column.name);
    }

    /// Ends a cell, and with the last one the row. Numbers, times and identifiers are all that a cell can hold, so that none
    /// ever needs quotes.
    fn end_cell(&mut self) -> &mut Self {
        self.next += 1;
        if self.next == self.table.columns.len() {
            self.rows.push('\n');
            self.next = 0;
        } else {
            self.rows.push(',');
        }
        self
    }
}

/// Reads columns of those rows that a [`RowWriter`] made in which a column of text has a value, as numbers; an empty cell repeats the value before it, or is 0.
///
/// # Panics
/// Panics if the rows are not of the table or a column is not one of numbers.
pub fn numbers<const N: usize>(
    table: &Table<'_>,
    rows: &str,
    (key, value): (&str, &str),
    names: [&str; N],
) -> [Vec<f64>; N] {
    let place = |name: &str| {
        table.columns.iter().position(|column| column.name == name).expect("a column of the table")
    };
    let (key, places) = (place(key), names.map(place));
    let mut columns = [const { Vec::new() }; N];
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(rows.as_bytes());
    for row in reader.records() {
        let row = row.expect("rows that were written can be read");
        if &row[key] != value {
            continue;
        }
        for (column, place) in columns.iter_mut().zip(places) {
            let cell = &row[place];
            let before = column.last().copied().unwrap_or(0.0);
            column.push(if cell.is_empty() {
                before
            } else {
                cell.parse().expect("a number that was written")
            });
        }
    }
    columns
}

/// Tells whether a name is one that may stand in tables, paths and commands: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
pub fn is_identifier(name: &str) -> bool {
    is_name(name.as_bytes())
}

fn is_name(name: &[u8]) -> bool {
    (1..=64).contains(&name.len())
        && name[0].is_ascii_alphanumeric()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Adds nanoseconds as decimal seconds without trailing zeros.
fn write_seconds(text: &mut String, time: Time) {
    let nanos = time.0.unsigned_abs();
    let (whole, mut rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    if time.0 < 0 {
        text.push('-');
    }
    text.push_str(itoa::Buffer::new().format(whole));
    if rest > 0 {
        let mut digits = 9;
        while rest % 10 == 0 {
            rest = rest.div_euclid(10);
            digits -= 1;
        }
        write!(text, ".{rest:0digits$}").expect("a text takes every character");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::columns::{CELL, REPLICATE};

    const fn column(name: &'static str, unit: &'static str, kind: ColumnKind) -> Column<'static> {
        Column { name, unit, kind, meaning: "of a test" }
    }

    static TABLE: Table<'_> = Table {
        name: "fake",
        title: "a row of a test",
        columns: &[
            CELL,
            REPLICATE,
            column("time_s", "s", ColumnKind::Time),
            column("price_usd", "USD", ColumnKind::Number),
            column("venue", "", ColumnKind::Text),
        ],
    };

    #[test]
    fn rows_hold_a_cell_a_column_and_end_with_a_line_feed() {
        let mut rows = RowWriter::new(&TABLE);
        rows.row(0, 3).time(Time(250_000_000)).number(66_740.1).text("north-1");
        rows.row(1, None).time(None).number(None).text(None);
        assert_eq!(rows.next_column(), None);
        assert_eq!(rows.finish(), "0,3,0.25,66740.1,north-1\n1,,,,\n");
    }

    #[test]
    fn nan_and_infinities_leave_the_cell_empty() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut rows = RowWriter::new(&TABLE);
            rows.row(0, 0).time(Time::ZERO).number(value).text("a");
            assert_eq!(rows.finish(), "0,0,0,,a\n");
        }
    }

    #[test]
    fn times_are_exact_on_both_sides_of_zero() {
        for (nanos, text) in [
            (1, "0.000000001"),
            (-1, "-0.000000001"),
            (-3_600_000_000_000, "-3600"),
            (1_500_000_000, "1.5"),
            (1_050_000_700, "1.0500007"),
            (i64::MIN, "-9223372036.854775808"),
        ] {
            let mut written = String::new();
            write_seconds(&mut written, Time(nanos));
            assert_eq!(written, text);
        }
    }

    #[test]
    fn only_identifiers_enter_a_table() {
        for hostile in ["=cmd()", "+1", "-1", "@a", "<script>", "a,b", "a\nb", "", "../x", "a b"] {
            let outcome = std::panic::catch_unwind(|| {
                RowWriter::new(&TABLE).row(0, 0).time(Time::ZERO).number(1.0).text(hostile);
            });
            assert!(outcome.is_err(), "{hostile:?}");
        }
        assert!("populations.retail.leverage".split('.').all(is_identifier));
        assert!(is_identifier(&"a".repeat(64)));
        assert!(!is_identifier(&"a".repeat(65)));
    }

    #[test]
    #[should_panic(expected = "the kind of fake.time_s")]
    fn a_cell_of_another_kind_is_an_error_of_the_program() {
        RowWriter::new(&TABLE).row(0, 0).number(1.0);
    }

    #[test]
    #[should_panic(expected = "whole")]
    fn a_row_that_misses_a_cell_is_an_error_of_the_program() {
        let mut rows = RowWriter::new(&TABLE);
        rows.row(0, 0).time(Time::ZERO);
        rows.finish();
    }
}
