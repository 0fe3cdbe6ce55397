//! Tables as Parquet, for a program that was built with the feature `parquet`: beside each CSV file one with the same rows, whose
//! columns have the types that the table declares.
//!
//! Whole numbers are `INT64`, other numbers and times `DOUBLE`, text is `BYTE_ARRAY` with the logical type String; an empty cell is
//! null. The same rows make the same bytes: row groups have a fixed number of rows, and nothing of the machine is in the file.

use csv::{ByteRecord, ReaderBuilder};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{FileEntry, SummedFile};
use crate::experiment::whole_file::FileError;
use crate::record::{ColumnKind, Table};

/// Rows of a group: what is held in memory before it is written.
const GROUP: usize = 1 << 17;

/// A table in the making.
pub(super) struct ParquetWriter {
    path: PathBuf,
    writer: SerializedFileWriter<Sink>,
    columns: Vec<Values>,
    rows: usize,
}

/// A file of the results folder as something to write to.
struct Sink(SummedFile);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes).map_err(|error| error.source)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The cells of a column that were not written yet; none for an empty one.
enum Values {
    Integers(Cells<i64>),
    Numbers(Cells<f64>),
    Texts(Cells<ByteArray>),
}

struct Cells<T> {
    /// 1 for a value, 0 for an empty cell.
    levels: Vec<i16>,
    values: Vec<T>,
}

impl<T> Cells<T> {
    const fn new() -> Self {
        Self { levels: Vec::new(), values: Vec::new() }
    }

    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    fn clear(&mut self) {
        self.levels.clear();
        self.values.clear();
    }
}

impl Values {
    const fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integers(Cells::new()),
            ColumnKind::Number | ColumnKind::Time => Self::Numbers(Cells::new()),
            ColumnKind::Text => Self::Texts(Cells::new()),
        }
    }

    /// Adds a cell as it stands in the CSV.
    ///
    /// # Panics
    /// Panics if it is not of the kind of its column, which is an error of the program.
    fn push(&mut self, cell: &[u8]) {
        let text = || std::str::from_utf8(cell).expect("what was text stays text");
        let is_there = !cell.is_empty();
        match self {
            Self::Integers(cells) => {
                cells.push(is_there.then(|| text().parse().unwrap_or_else(|_| refuse(cell, "whole number"))));
            }
            Self::Numbers(cells) => {
                cells.push(is_there.then(|| text().parse().unwrap_or_else(|_| refuse(cell, "number"))));
            }
            Self::Texts(cells) => cells.push(is_there.then(|| ByteArray::from(cell.to_vec()))),
        }
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Sink>) -> Result<(), ParquetError> {
        let mut column = group.next_column()?.expect("a group has every column of the table");
        match self {
            Self::Integers(cells) => {
                column.typed::<Int64Type>().write_batch(&cells.values, Some(&cells.levels), None)?;
                cells.clear();
            }
            Self::Numbers(cells) => {
                column.typed::<DoubleType>().write_batch(&cells.values, Some(&cells.levels), None)?;
                cells.clear();
            }
            Self::Texts(cells) => {
                column.typed::<ByteArrayType>().write_batch(&cells.values, Some(&cells.levels), None)?;
                cells.clear();
            }
        }
        column.close()
    }
}

impl ParquetWriter {
    /// Begins the file of a table.
    pub(super) fn create(folder: &Path, table: &Table<'_>) -> Result<Self, FileError> {
        let name = table.parquet_name();
        let path = folder.join(&name);
        let sink = Sink(SummedFile::create(folder, &name)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(env!("CARGO_PKG_NAME").to_owned())
            .build();
        let writer = SerializedFileWriter::new(sink, schema(table), Arc::new(properties));
        let writer = writer.map_err(|error| failed(&path, error))?;
        let columns = table.columns.iter().map(|column| Values::of(column.kind)).collect();
        Ok(Self { path, writer, columns, rows: 0 })
    }

    /// Adds rows as they stand in the CSV.
    pub(super) fn append(&mut self, rows: &[u8]) -> Result<(), FileError> {
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(rows);
        let mut row = ByteRecord::new();
        while reader.read_byte_record(&mut row).expect("rows were written as CSV") {
            assert_eq!(row.len(), self.columns.len(), "a row has a cell for every column");
            for (column, cell) in self.columns.iter_mut().zip(&row) {
                column.push(cell);
            }
            self.rows += 1;
            if self.rows == GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), FileError> {
        self.rows = 0;
        let columns = &mut self.columns;
        let written = self.writer.next_row_group().and_then(|mut group| {
            columns.iter_mut().try_for_each(|column| column.write(&mut group))?;
            group.close().map(|_| ())
        });
        written.map_err(|error| failed(&self.path, error))
    }

    /// Puts the file in its place.
    pub(super) fn commit(mut self) -> Result<FileEntry, FileError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        let Sink(file) = self.writer.into_inner().map_err(|error| failed(&self.path, error))?;
        file.commit()
    }
}

fn refuse(cell: &[u8], kind: &str) -> ! {
    panic!("{:?} is no {kind}", String::from_utf8_lossy(cell))
}

fn schema(table: &Table<'_>) -> TypePtr {
    const SOUND: &str = "every table makes a sound schema";
    let field = |name: &str, kind: ColumnKind| {
        let (physical, logical) = match kind {
            ColumnKind::Integer => (Physical::INT64, None),
            ColumnKind::Number | ColumnKind::Time => (Physical::DOUBLE, None),
            ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        Arc::new(builder.with_logical_type(logical).build().expect(SOUND))
    };
    let fields = table.columns.iter().map(|column| field(column.name, column.kind)).collect();
    Arc::new(Type::group_type_builder(table.name).with_fields(fields).build().expect(SOUND))
}

/// Whatever goes wrong while a file is written is the disk's fault.
fn failed(path: &Path, error: ParquetError) -> FileError {
    FileError { action: "write", path: path.to_owned(), source: io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    use super::super::compression::TableWriter;
    use super::*;
    use crate::record::RowWriter;
    use crate::record::columns::{CELL, Column, REPLICATE};
    use crate::units::Time;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;
    use std::fs;

    const fn column(name: &'static str, unit: &'static str, kind: ColumnKind) -> Column<'static> {
        Column { name, unit, kind, meaning: "of a test" }
    }

    static TABLE: Table<'_> = Table {
        name: "series",
        title: "a moment",
        columns: &[
            CELL,
            REPLICATE,
            column("count", "1", ColumnKind::Integer),
            column("price_usd", "USD", ColumnKind::Number),
            column("time_s", "s", ColumnKind::Time),
            column("market", "", ColumnKind::Text),
        ],
    };

    /// Rows with empty cells of every kind, the ends of what a number can be, and text that CSV has to quote.
    fn rows(count: u32) -> Vec<String> {
        let numbers = [Some(0.1 + 0.2), None, Some(f64::MAX), Some(-5e-324), Some(-0.0), Some(1e16)];
        let integers = [Some(i64::MIN), Some(i64::MAX), None, Some(-1)];
        let texts = [Some("a \"b\", c"), None, Some("BTC-PERP"), Some("μ")];
        (0..count)
            .map(|row| {
                let at = row as usize;
                let mut rows = RowWriter::new(&TABLE);
                rows.row(row.div_euclid(7), (row % 3 > 0).then_some(row % 7));
                rows.integer(integers[at % 4]).number(numbers[at % 6]);
                rows.time((row % 5 > 0).then_some(Time(i64::from(row) * 1_000_000_007)));
                match texts[at % 4] {
                    Some(text) => rows.message(text),
                    None => rows.text(None),
                };
                rows.finish()
            })
            .collect()
    }

    fn written(folder: &Path, rows: &[String]) -> FileEntry {
        let mut table = ParquetWriter::create(folder, &TABLE).unwrap();
        for row in rows {
            table.append(row.as_bytes()).unwrap();
        }
        table.commit().unwrap()
    }

    /// Reads the file back and compares each cell with the CSV that was written beside it.
    #[track_caller]
    fn compared(folder: &Path, count: u32) -> usize {
        let rows = rows(count);
        let mut csv = TableWriter::create(folder, &TABLE.file_name(), None).unwrap();
        csv.append(TABLE.header().as_bytes()).unwrap();
        for row in &rows {
            csv.append(row.as_bytes()).unwrap();
        }
        let csv = folder.join(csv.commit().unwrap().path);
        let path = folder.join(written(folder, &rows).path);
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        let mut read = reader.get_row_iter(None).unwrap();
        let mut csv = csv::Reader::from_path(csv).unwrap();
        let names = csv.headers().unwrap().clone();
        for expected in csv.records() {
            let (expected, row) = (expected.unwrap(), read.next().unwrap().unwrap());
            for (index, (name, field)) in row.get_column_iter().enumerate() {
                assert_eq!(name, &names[index]);
                let cell = &expected[index];
                let is_same = match field {
                    Field::Null => cell.is_empty(),
                    Field::Long(value) => cell.parse() == Ok(*value),
                    Field::Double(value) => cell.parse::<f64>().unwrap().to_bits() == value.to_bits(),
                    Field::Str(value) => cell == value,
                    other => panic!("{other:?}"),
                };
                assert!(is_same, "{name}: {field:?} is not {cell:?}");
                let is_kind = match TABLE.columns[index].kind {
                    ColumnKind::Integer => matches!(field, Field::Null | Field::Long(_)),
                    ColumnKind::Number | ColumnKind::Time => matches!(field, Field::Null | Field::Double(_)),
                    ColumnKind::Text => matches!(field, Field::Null | Field::Str(_)),
                };
                assert!(is_kind, "{name}: {field:?}");
            }
        }
        assert!(read.next().is_none(), "rows that the CSV does not have");
        reader.num_row_groups()
    }

    #[test]
    fn what_is_read_back_is_what_the_csv_says() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(compared(folder.path(), 0), 0);
        assert_eq!(compared(folder.path(), 100), 1);
        assert_eq!(compared(folder.path(), GROUP as u32), 1);
        assert_eq!(compared(folder.path(), GROUP as u32 + 1), 2);
    }

    #[test]
    fn the_same_rows_make_the_same_bytes_however_they_come() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let rows = rows(1_000);
        let entry = written(one.path(), &rows);
        assert_eq!(entry, written(other.path(), &[rows.concat()]));
        assert_eq!(fs::metadata(one.path().join(&entry.path)).unwrap().len(), entry.bytes);
        let bytes = fs::read(one.path().join(&entry.path)).unwrap();
        assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    }

    #[test]
    fn a_full_disk_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("series.parquet.partial")).unwrap();
        let mut table = ParquetWriter::create(folder.path(), &TABLE).unwrap();
        let rows = rows(20_000);
        let ended = rows
            .iter()
            .try_for_each(|row| table.append(row.as_bytes()))
            .and_then(|()| table.commit().map(|_| ()));
        let said = ended.unwrap_err().to_string();
        assert!(said.contains("series.parquet") && said.contains("No space left on device"), "{said}");
    }

    #[test]
    #[should_panic(expected = "\"half\" is no whole number")]
    fn a_cell_of_another_kind_is_an_error_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = ParquetWriter::create(folder.path(), &TABLE).unwrap();
        let _ = table.append(b"0,,half,,,\n");
    }
}
