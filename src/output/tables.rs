//! Compaction: from the records of runs to CSV files, in one pass and one record at a time.

use super::compression::{Compression, TableWriter};
use super::manifest::FileEntry;
#[cfg(feature = "parquet")]
use super::parquet::ParquetWriter;
use super::publication::OutputError;
use crate::experiment::whole_file::FileError;
use crate::experiment::{Cancel, StoreError};
use crate::record::tables::FAILURES;
use crate::record::{ColumnKind, Outcome, RowWriter, RunRecord, Table};
use crate::units::Time;
use std::path::Path;

/// Where the rows of a table come from.
pub enum Rows<'a> {
    /// The fragments that each run recorded under the table's name.
    Fragments,
    /// A function of each record, such as [`runs_row`]; failed runs included.
    PerRun(&'a dyn Fn(&RunRecord) -> String),
    /// A function of each record that gathers several of them and gives their rows with the last: estimates of a point.
    Gathered(&'a dyn Fn(&RunRecord) -> String),
    /// Made already, as for a summary over replicates.
    Given(String),
}

/// One table to write.
pub struct TableJob<'a> {
    /// Its columns.
    pub table: &'a Table<'a>,
    /// Its rows.
    pub rows: Rows<'a>,
}

/// The forms that tables are written in: CSV in any case.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Forms {
    /// How CSV is packed, if it is.
    pub csv: Option<Compression>,
    /// Whether there is Parquet beside it.
    #[cfg(feature = "parquet")]
    pub parquet: bool,
}

impl Forms {
    /// Tells whether there is Parquet beside CSV.
    #[cfg(feature = "parquet")]
    pub const fn has_parquet(self) -> bool {
        self.parquet
    }

    /// Tells whether there is Parquet beside CSV: never, as this program was built without it.
    #[cfg(not(feature = "parquet"))]
    #[allow(clippy::unused_self, reason = "a program with Parquet looks at it")]
    pub const fn has_parquet(self) -> bool {
        false
    }
}

/// A table in the making, in one form.
enum Writer {
    Csv(Box<TableWriter>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    /// Begins a table in every form.
    fn all(folder: &Path, forms: Forms, table: &Table<'_>) -> Result<Vec<Self>, FileError> {
        let mut csv = TableWriter::create(folder, &table.file_name(), forms.csv)?;
        csv.append(table.header().as_bytes())?;
        let writers = vec![Self::Csv(Box::new(csv))];
        #[cfg(feature = "parquet")]
        let writers = {
            let mut writers = writers;
            if forms.parquet {
                writers.push(Self::Parquet(Box::new(ParquetWriter::create(folder, table)?)));
            }
            writers
        };
        Ok(writers)
    }

    /// Adds whole rows of CSV.
    fn append(&mut self, rows: &str) -> Result<(), FileError> {
        match self {
            Self::Csv(writer) => writer.append(rows.as_bytes()),
            #[cfg(feature = "parquet")]
            Self::Parquet(writer) => writer.append(rows.as_bytes()),
        }
    }

    fn commit(self) -> Result<FileEntry, FileError> {
        match self {
            Self::Csv(writer) => writer.commit(),
            #[cfg(feature = "parquet")]
            Self::Parquet(writer) => writer.commit(),
        }
    }
}

/// A table that was written.
pub(super) struct TableFile<'a> {
    pub(super) table: &'a Table<'a>,
    /// Its file in each form; CSV is the first.
    pub(super) files: Vec<FileEntry>,
    /// Whether each of its rows belongs to one run.
    pub(super) per_run: bool,
}

/// Writes all tables in every form: the header, then the rows of each record in the order in which `records` come.
///
/// # Panics
/// Panics if a record has a fragment for a table that is not written: it would be lost without a word.
pub(super) fn write_tables<'a>(
    folder: &Path,
    forms: Forms,
    jobs: &[TableJob<'a>],
    records: impl Iterator<Item = Result<RunRecord, StoreError>>,
    cancel: &Cancel,
) -> Result<Vec<TableFile<'a>>, OutputError> {
    let mut files = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut writers = Writer::all(folder, forms, job.table)?;
        if let Rows::Given(rows) = &job.rows {
            writers.iter_mut().try_for_each(|writer| writer.append(rows))?;
        }
        files.push(writers);
    }
    for record in records {
        if cancel.is_set() {
            return Err(OutputError::Cancelled);
        }
        let record = record?;
        for fragment in &record.tables {
            let written = jobs
                .iter()
                .any(|job| job.table.name == fragment.table && matches!(job.rows, Rows::Fragments));
            assert!(written, "rows of table {:?} were recorded and must be written", fragment.table);
        }
        for (job, writers) in jobs.iter().zip(&mut files) {
            let made;
            let rows = match &job.rows {
                Rows::Fragments => record.rows(job.table.name),
                Rows::PerRun(rows) | Rows::Gathered(rows) => {
                    made = rows(&record);
                    &made
                }
                Rows::Given(_) => continue,
            };
            writers.iter_mut().try_for_each(|writer| writer.append(rows))?;
        }
    }
    let mut written = Vec::with_capacity(jobs.len());
    for (job, writers) in jobs.iter().zip(files) {
        let per_run = matches!(job.rows, Rows::Fragments | Rows::PerRun(_));
        let files = writers.into_iter().map(Writer::commit).collect::<Result<_, FileError>>()?;
        written.push(TableFile { table: job.table, files, per_run });
    }
    Ok(written)
}

/// Makes the row of a run for a runs table. `parameters` fills columns between the key and `outcome`, if there are any. The
/// columns `outcome` and `tape_hash` are the record's own; every other column takes the next of its metrics, and stays empty if
/// the run failed.
///
/// # Panics
/// Panics if table and record differ in their number of metrics, or if a metric is no whole number in an integer
/// column: both are errors of the program.
pub fn runs_row(
    table: &Table<'_>,
    record: &RunRecord,
    parameters: impl FnOnce(&mut RowWriter<'_>),
) -> String {
    let failed = record.outcome != Outcome::Finished;
    let mut metrics = record.metrics.iter().copied();
    let mut rows = RowWriter::new(table);
    rows.row(record.cell, record.replicate);
    parameters(&mut rows);
    while let Some(column) = rows.next_column() {
        match (column.name, column.kind) {
            ("outcome", ColumnKind::Text) => rows.text(if failed { "failed" } else { "finished" }),
            ("tape_hash", ColumnKind::Text) => rows.text(record.tape_hash.as_deref()),
            (name, kind) => {
                let value = if failed {
                    None
                } else {
                    metrics.next().unwrap_or_else(|| panic!("no metric for {}.{name}", table.name))
                };
                match kind {
                    ColumnKind::Integer => rows.integer(value.map(|value| whole(name, value))),
                    ColumnKind::Number => rows.number(value),
                    ColumnKind::Time => rows.time(value.map(Time::from_secs_f64)),
                    ColumnKind::Text => panic!("{}.{name} is text, and metrics are numbers", table.name),
                }
            }
        };
    }
    assert!(failed || metrics.next().is_none(), "more metrics than columns in {}", table.name);
    rows.finish()
}

/// Makes the row of the table of failures; none for a run that finished.
pub fn failures_row(record: &RunRecord, seed: u64) -> String {
    let mut rows = RowWriter::new(&FAILURES);
    if let Outcome::Failed { message, reproduce } = &record.outcome {
        rows.row(record.cell, record.replicate);
        rows.text(&*seed.to_string()).message(message).message(reproduce);
    }
    rows.finish()
}

fn whole(name: &str, value: f64) -> i64 {
    // Beyond 2^53 a float no longer tells whole numbers apart.
    let exact = value.abs() <= 9_007_199_254_740_992.0 && libm::trunc(value).to_bits() == value.to_bits();
    assert!(exact, "{name} = {value} is no whole number");
    value as i64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::record::columns::{CELL, Column, REPLICATE};
    use crate::record::{Fragment, RunKey};
    use std::fs;

    const fn column(name: &'static str, unit: &'static str, kind: ColumnKind) -> Column<'static> {
        Column { name, unit, kind, meaning: "of a test" }
    }

    pub(in crate::output) static RUNS: Table<'_> = Table {
        name: "runs",
        title: "one run",
        columns: &[
            CELL,
            REPLICATE,
            column("outcome", "", ColumnKind::Text),
            column("liquidations", "1", ColumnKind::Integer),
            column("drawdown_bps", "bps", ColumnKind::Number),
            column("recovery_s", "s", ColumnKind::Time),
            column("tape_hash", "", ColumnKind::Text),
        ],
    };

    pub(in crate::output) static SERIES: Table<'_> = Table {
        name: "series",
        title: "one moment of one run",
        columns: &[CELL, REPLICATE, column("price_usd", "USD", ColumnKind::Number)],
    };

    pub(in crate::output) static SUMMARY: Table<'_> = Table {
        name: "summary",
        title: "one metric of one cell",
        columns: &[CELL, REPLICATE, column("metric", "", ColumnKind::Text)],
    };

    pub(in crate::output) fn record(key: RunKey) -> RunRecord {
        let mut rows = RowWriter::new(&SERIES);
        for step in 0..=key.replicate {
            rows.row(key.cell, key.replicate).number(f64::from(step) / 3.0);
        }
        RunRecord {
            cell: key.cell,
            replicate: key.replicate,
            outcome: Outcome::Finished,
            metrics: vec![Some(f64::from(key.cell)), None, Some(0.25)],
            tables: vec![Fragment { table: "series".to_owned(), rows: rows.finish() }],
            targets: Vec::new(),
            tape_hash: Some("ab12".to_owned()),
        }
    }

    pub(in crate::output) fn jobs() -> [TableJob<'static>; 3] {
        [
            TableJob { table: &RUNS, rows: Rows::PerRun(&|record| runs_row(&RUNS, record, |_| {})) },
            TableJob { table: &SERIES, rows: Rows::Fragments },
            TableJob { table: &SUMMARY, rows: Rows::Given("0,,drawdown\n".to_owned()) },
        ]
    }

    #[test]
    fn a_failure_is_a_row_that_no_spreadsheet_calculates() {
        let key = RunKey { cell: 3, replicate: 1 };
        let failed = RunRecord::failed(key, "=cmd(\"x\"),\n<b>".to_owned(), "firesale run a".to_owned());
        let row = failures_row(&failed, u64::MAX);
        assert_eq!(row, "3,1,18446744073709551615,\"'=cmd(\"\"x\"\"), <b>\",\"firesale run a\"\n");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(row.as_bytes());
        let cells = reader.records().next().unwrap().unwrap();
        assert_eq!((cells.len(), &cells[3], &cells[4]), (5, "'=cmd(\"x\"), <b>", "firesale run a"));
        assert_eq!(failures_row(&record(key), 1), "");
    }

    #[test]
    fn tables_are_header_and_rows_in_the_order_of_records() {
        let folder = tempfile::tempdir().unwrap();
        let failed = RunRecord::failed(
            RunKey { cell: 1, replicate: 0 },
            "=cmd(), <script>".to_owned(),
            "again".to_owned(),
        );
        let records = [record(RunKey { cell: 0, replicate: 1 }), failed];
        let written = write_tables(
            folder.path(),
            Forms::default(),
            &jobs(),
            records.into_iter().map(Ok),
            &Cancel::default(),
        )
        .unwrap();
        let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            read("runs.csv"),
            "cell,replicate,outcome,liquidations,drawdown_bps,recovery_s,tape_hash\n\
             0,1,finished,0,,0.25,ab12\n1,0,failed,,,,\n"
        );
        assert_eq!(read("series.csv"), "cell,replicate,price_usd\n0,1,0\n0,1,0.3333333333333333\n");
        assert_eq!(read("summary.csv"), "cell,replicate,metric\n0,,drawdown\n");
        assert_eq!(written.len(), 3);
    }

    #[test]
    fn an_error_on_the_way_leaves_no_table() {
        let folder = tempfile::tempdir().unwrap();
        let changed = StoreError::Changed { path: "journal.fsj".into(), cell: 0, replicate: 1 };
        let records = [Ok(record(RunKey { cell: 0, replicate: 0 })), Err(changed)];
        assert!(
            write_tables(folder.path(), Forms::default(), &jobs(), records.into_iter(), &Cancel::default())
                .is_err()
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    #[should_panic(expected = "must be written")]
    fn rows_for_a_table_that_nobody_writes_are_not_lost_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        let records = [record(RunKey { cell: 0, replicate: 0 })];
        let _ = write_tables(
            folder.path(),
            Forms::default(),
            &jobs()[..1],
            records.into_iter().map(Ok),
            &Cancel::default(),
        );
    }

    #[test]
    #[should_panic(expected = "liquidations = 0.5 is no whole number")]
    fn half_a_liquidation_is_an_error_of_the_program() {
        let mut broken = record(RunKey { cell: 0, replicate: 0 });
        broken.metrics[0] = Some(0.5);
        runs_row(&RUNS, &broken, |_| {});
    }

    #[test]
    #[should_panic(expected = "more metrics than columns")]
    fn a_metric_without_a_column_is_an_error_of_the_program() {
        let mut broken = record(RunKey { cell: 0, replicate: 0 });
        broken.metrics.push(None);
        runs_row(&RUNS, &broken, |_| {});
    }
}
