//! From series.csv to fans: quantiles over the replicates of the first cell at each moment.

use super::super::compression::open;
use super::super::figure::Fan;
use super::ReportError;
use super::sheet::place;
use crate::stats::quantile::{quantile_sorted, sorted};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::path::Path;

/// Replicates that fans are made from. Their 5 % quantile is then known to 0.7 % of probability, which no eye sees, and a folder
/// of ten thousand runs need not be read whole.
const MOST: usize = 1_000;

const SHOWN: [&str; 8] = [
    "mark",
    "basis_bps",
    "liquidated_long_usd",
    "liquidated_short_usd",
    "depth_bid_1pct_usd",
    "depth_ask_1pct_usd",
    "open_interest_coins",
    "fund_usd",
];

/// Lines of replicates over one axis of time.
#[derive(Clone, Debug, Default)]
pub(super) struct OverTime {
    /// Seconds since the start.
    pub(super) time_s: Vec<f64>,
    /// Number of the first replicate.
    pub(super) first: String,
    /// How many replicates there are.
    pub(super) replicates: usize,
    /// By column, then replicate, then time; NaN where there is no value.
    columns: [Vec<Vec<f64>>; 8],
}

impl OverTime {
    /// Reads the first replicates of the first cell; `None` where there are none.
    pub(super) fn read(path: &Path, market: Option<&str>) -> Result<Option<Self>, ReportError> {
        let unreadable = |source| ReportError::Unreadable { path: path.to_owned(), source };
        let packed = open(path).map_err(|error| unreadable(error.into()))?;
        let mut reader = ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(packed);
        let header = reader.headers().map_err(unreadable)?.clone();
        let Some(places) = Places::of(&header) else { return Ok(None) };
        let mut read = Self::default();
        let mut market = market.map(|name| name.as_bytes().to_vec());
        let mut replicate: Option<Vec<u8>> = None;
        let mut row = ByteRecord::new();
        while reader.read_byte_record(&mut row).map_err(unreadable)? {
            if &row[places.cell] != b"0" {
                break;
            }
            if *market.get_or_insert_with(|| row[places.market].to_vec()) != row[places.market] {
                continue;
            }
            if replicate.as_deref() != Some(&row[places.replicate]) {
                if read.replicates == MOST {
                    break;
                }
                replicate = Some(row[places.replicate].to_vec());
                if read.replicates == 0 {
                    read.first = String::from_utf8_lossy(&row[places.replicate]).into_owned();
                }
                read.replicates += 1;
                read.columns.iter_mut().for_each(|column| column.push(Vec::with_capacity(read.time_s.len())));
            }
            if read.replicates == 1 {
                read.time_s.push(value(&row[places.time]));
            }
            for (column, place) in read.columns.iter_mut().zip(places.shown) {
                column.last_mut().expect("a replicate has begun").push(value(&row[place]));
            }
        }
        Ok((read.replicates > 0).then(|| read.cut()))
    }

    /// Keeps the moments that every replicate has.
    fn cut(mut self) -> Self {
        let shortest = self.columns[0].iter().map(Vec::len).min().unwrap_or(0);
        self.time_s.truncate(shortest);
        self.columns.iter_mut().flatten().for_each(|line| line.truncate(shortest));
        self
    }

    fn of(&self, name: &str) -> &[Vec<f64>] {
        let place = SHOWN.iter().position(|shown| *shown == name).expect("a column that is read");
        &self.columns[place]
    }

    /// Returns the line of the first replicate.
    pub(super) fn one(&self, name: &str) -> &[f64] {
        &self.of(name)[0]
    }

    /// Returns the quantiles of a column over replicates.
    pub(super) fn fan(&self, name: &str) -> Fan {
        self.quantiles(self.of(name), |_| 0.0)
    }

    /// Returns the quantiles of how far a column is from where it began.
    pub(super) fn fan_of_change(&self, name: &str) -> Fan {
        self.quantiles(self.of(name), |line| line.first().copied().unwrap_or(0.0))
    }

    fn quantiles(&self, lines: &[Vec<f64>], less: impl Fn(&[f64]) -> f64) -> Fan {
        let mut fan = Fan::default();
        let less: Vec<f64> = lines.iter().map(|line| less(line)).collect();
        for at in 0..self.time_s.len() {
            let across = lines.iter().zip(&less).map(|(line, less)| line[at] - less);
            let across: Vec<f64> = across.filter(|value| value.is_finite()).collect();
            let ascending = sorted(&across);
            for (line, p) in fan.quantiles.iter_mut().zip([0.05, 0.25, 0.5, 0.75, 0.95]) {
                line.push(quantile_sorted(&ascending, p).unwrap_or(f64::NAN));
            }
        }
        fan
    }

    /// Returns the mean of a column over replicates at each time; what is missing counts as nothing.
    pub(super) fn mean(&self, name: &str) -> Vec<f64> {
        let lines = self.of(name);
        let sum =
            |at: usize| -> f64 { lines.iter().map(|line| line[at]).filter(|value| value.is_finite()).sum() };
        (0..self.time_s.len()).map(|at| sum(at) / lines.len() as f64).collect()
    }
}

struct Places {
    cell: usize,
    replicate: usize,
    time: usize,
    market: usize,
    shown: [usize; 8],
}

impl Places {
    fn of(header: &StringRecord) -> Option<Self> {
        let mut shown = [0; 8];
        for (place_of, name) in shown.iter_mut().zip(SHOWN) {
            *place_of = place(header, name)?;
        }
        Some(Self {
            cell: place(header, "cell")?,
            replicate: place(header, "replicate")?,
            time: place(header, "time_s")?,
            market: place(header, "market")?,
            shown,
        })
    }
}

fn value(cell: &[u8]) -> f64 {
    std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}
