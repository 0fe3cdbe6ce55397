//! The record of one run: all that is kept of it, as the store writes it and the tables are made from it.

use serde::{Deserialize, Serialize};

/// Which run: the unit of work, of seeds and of storage. Ordered as tables are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RunKey {
    /// Index of the cell in the design.
    pub cell: u32,
    /// Number of the repetition.
    pub replicate: u32,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran to its end.
    Finished,
    /// It broke; the other runs of the experiment went on.
    Failed {
        /// What broke.
        message: String,
        /// The command that repeats this run alone.
        reproduce: String,
    },
}

/// The rows that one run adds to one table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fragment {
    /// Name of the table.
    pub table: String,
    /// CSV rows without a header, each ended by a line feed, as a `RowWriter` makes them.
    pub rows: String,
}

/// All that is kept of one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// Index of the cell in the design.
    pub cell: u32,
    /// Number of the repetition.
    pub replicate: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// One value for each metric of the runs table, in its order; `None` where the run has no value. Empty if it
    /// failed.
    pub metrics: Vec<Option<f64>>,
    /// Rows for the other tables.
    pub tables: Vec<Fragment>,
    /// One value for each target of the design, in its order; `None` where the run has no value. Then what was normal in it, for
    /// each target that is held against that. Empty if it failed or the design has no targets.
    #[serde(default)]
    pub targets: Vec<Option<f64>>,
    /// BLAKE3 of the event tape in hexadecimal, if it was asked for.
    pub tape_hash: Option<String>,
}

impl RunRecord {
    /// Makes the record of a run that broke.
    pub fn failed(key: RunKey, message: String, reproduce: String) -> Self {
        Self {
            cell: key.cell,
            replicate: key.replicate,
            outcome: Outcome::Failed { message, reproduce },
            metrics: Vec::new(),
            tables: Vec::new(),
            targets: Vec::new(),
            tape_hash: None,
        }
    }

    /// Returns which run this is.
    pub const fn key(&self) -> RunKey {
        RunKey { cell: self.cell, replicate: self.replicate }
    }

    /// Returns the rows for a table; empty if the run has none.
    pub fn rows(&self, table: &str) -> &str {
        self.tables.iter().find(|fragment| fragment.table == table).map_or("", |fragment| &fragment.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_written() {
        let record = RunRecord {
            cell: 1,
            replicate: 2,
            outcome: Outcome::Finished,
            metrics: vec![Some(0.1), None, Some(-1e300)],
            tables: vec![Fragment { table: "series".to_owned(), rows: "1,2,0.5\n".to_owned() }],
            targets: vec![None, Some(0.3)],
            tape_hash: Some("ab".to_owned()),
        };
        let failed = RunRecord::failed(record.key(), "broke".to_owned(), "firesale run x".to_owned());
        for original in [record, failed] {
            let text = serde_json::to_string(&original).unwrap();
            assert_eq!(serde_json::from_str::<RunRecord>(&text).unwrap(), original);
        }
    }

    #[test]
    fn keys_order_by_cell_then_replicate() {
        let key = |cell, replicate| RunKey { cell, replicate };
        assert!(key(0, 9) < key(1, 0) && key(1, 0) < key(1, 1));
    }
}
