//! The shape of a table: name, unit, type and meaning of every column. CSV headers, axis labels, the data dictionary
//! and `datapackage.json` are all made from these, so that they cannot disagree.

/// What the cells of a column hold. An empty cell means that there is no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnKind {
    /// A whole number.
    Integer,
    /// A decimal number in the shortest form that reads back to the same bits.
    Number,
    /// An identifier; free text never enters a table.
    Text,
    /// Seconds since the scenario's start, exact to the nanosecond; the burn-in is negative.
    Time,
}

impl ColumnKind {
    /// Returns the field type of Data Package v2.
    pub const fn data_package_type(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number | Self::Time => "number",
            Self::Text => "string",
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column<'a> {
    /// Name in the header, in snake case with the unit last (`depth_bid_usd`).
    pub name: &'a str,
    /// Unit as a reader writes it (`USD`, `bps`, `s`), `1` for a share or a count, empty for text.
    pub unit: &'a str,
    /// What its cells hold.
    pub kind: ColumnKind,
    /// What it means, in one phrase.
    pub meaning: &'a str,
}

impl Column<'_> {
    /// Returns the label of an axis that shows this column: its meaning and, if it has one, its unit in brackets.
    pub fn axis_label(&self) -> String {
        match self.unit {
            "" | "1" => self.meaning.to_owned(),
            unit => format!("{} [{unit}]", self.meaning),
        }
    }
}

/// One table of a results folder, stored as `<name>.csv`. Most are static; those of a sweep have columns of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table<'a> {
    /// Name in snake case, also the stem of its file.
    pub name: &'a str,
    /// What a row is, in one phrase.
    pub title: &'a str,
    /// Its columns in order; the first two are [`CELL`] and [`REPLICATE`].
    pub columns: &'a [Column<'a>],
}

/// The first column of every table.
pub const CELL: Column<'_> =
    Column { name: "cell", unit: "1", kind: ColumnKind::Integer, meaning: "point of the design" };

/// The second column of every table; empty where a row is about all replicates of a cell.
pub const REPLICATE: Column<'_> = Column {
    name: "replicate",
    unit: "1",
    kind: ColumnKind::Integer,
    meaning: "repetition with its own seeds",
};

impl Table<'_> {
    /// Returns the file name of the table inside a results folder.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// Returns the name of its file as Parquet.
    pub fn parquet_name(&self) -> String {
        format!("{}.parquet", self.name)
    }

    /// Returns the header line with its line end.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(",") + "\n"
    }

    /// Returns the column of this name.
    pub fn column(&self, name: &str) -> Option<&Column<'_>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Tells what is wrong with the table's definition; tests call it for each table that the program writes.
    pub fn check(&self) -> Result<(), String> {
        let starts_well = matches!(self.columns, [CELL, REPLICATE, ..]);
        if !starts_well {
            return Err(format!("{} does not begin with cell,replicate", self.name));
        }
        if !is_snake_case(self.name) {
            return Err(format!("table name {:?} is not snake case", self.name));
        }
        for (index, column) in self.columns.iter().enumerate() {
            if !is_snake_case(column.name) {
                return Err(format!("{}: column name {:?} is not snake case", self.name, column.name));
            }
            if column.meaning.is_empty() {
                return Err(format!("{}.{} says no meaning", self.name, column.name));
            }
            if self.columns[..index].iter().any(|earlier| earlier.name == column.name) {
                return Err(format!("{}.{} appears twice", self.name, column.name));
            }
            if (column.unit.is_empty()) != (column.kind == ColumnKind::Text) {
                return Err(format!("{}.{}: text has no unit, numbers have one", self.name, column.name));
            }
        }
        Ok(())
    }
}

/// Tells whether a name may be that of a table or a column: lower-case letters, digits and `_`, a letter first.
pub fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Column<'_> =
        Column { name: "price_usd", unit: "USD", kind: ColumnKind::Number, meaning: "last price" };

    #[test]
    fn a_header_lists_the_columns_in_order() {
        let table = Table { name: "series", title: "a moment", columns: &[CELL, REPLICATE, PRICE] };
        assert_eq!(table.header(), "cell,replicate,price_usd\n");
        assert_eq!(table.file_name(), "series.csv");
        assert_eq!(table.check(), Ok(()));
    }

    #[test]
    fn an_axis_says_meaning_and_unit() {
        assert_eq!(PRICE.axis_label(), "last price [USD]");
        assert_eq!(CELL.axis_label(), "point of the design");
    }

    #[test]
    fn a_table_that_breaks_a_rule_is_named() {
        let cases: [(&'static [Column<'_>], &str); 3] = [
            (&[PRICE], "does not begin with cell,replicate"),
            (&[CELL, REPLICATE, PRICE, PRICE], "series.price_usd appears twice"),
            (
                &[CELL, REPLICATE, Column { name: "Price", ..PRICE }],
                "column name \"Price\" is not snake case",
            ),
        ];
        for (columns, expected) in cases {
            let said = Table { name: "series", title: "", columns }.check().unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
