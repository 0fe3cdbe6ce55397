//! A course over time in one line of letters, for a terminal: the shape at a glance, the figure has the rest.

use super::Failure;
use super::summary::human;
use crate::experiment::Store;
use crate::record::tables::SERIES;
use crate::record::{Outcome, numbers};
use crate::stats::quantile::quantile;
use std::fmt::Write as _;

/// Eighths of a letter's height.
const BARS: [char; 8] =
    ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
/// The medians of so many runs draw as those of more would.
const MOST_RUNS: usize = 100;
/// Letters beside the bars: name and range.
const BESIDE: usize = 50;

/// Returns the courses of mark and liquidations of the base, medians over replicates, in so many letters.
pub(super) fn courses(store: &Store, market: &str, room: usize) -> Result<String, Failure> {
    const DRAWN: [(&str, &str); 2] = [("mark", "mark"), ("liquidated_long_usd", "longs liquidated [USD]")];
    let mut runs: [Vec<Vec<f64>>; 2] = Default::default();
    for record in store.records()? {
        let record = record?;
        if record.cell == 0 && record.outcome == Outcome::Finished && runs[0].len() < MOST_RUNS {
            let columns = numbers(
                &SERIES,
                record.rows(SERIES.name),
                ("market", market),
                DRAWN.map(|(column, _)| column),
            );
            for (runs, column) in runs.iter_mut().zip(columns) {
                runs.push(column);
            }
        }
    }
    let cells = room.saturating_sub(BESIDE).clamp(10, 60);
    let mut out = String::new();
    for ((_, name), runs) in DRAWN.iter().zip(&runs) {
        let length = runs.iter().map(Vec::len).min().unwrap_or(0);
        let median = |at: usize| quantile(&runs.iter().map(|run| run[at]).collect::<Vec<_>>(), 0.5);
        let course: Vec<f64> = (0..length).filter_map(median).collect();
        let (low, high) = ends(&course);
        if high > low {
            let range = format!("{} .. {}", human(Some(low)), human(Some(high)));
            let _ = writeln!(out, "{name:<23} {} {range}", bars(&course, cells));
        }
    }
    if !out.is_empty() {
        let _ = writeln!(out, "{:<23} from start to end, medians of {} replicates\n", "", runs[0].len());
    }
    Ok(out)
}

fn ends(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// Draws values as bars, the mean of as many as share a letter.
fn bars(values: &[f64], cells: usize) -> String {
    let cells = cells.min(values.len());
    let cell = |index: usize| {
        let edge = |at: usize| (at * values.len()).div_euclid(cells);
        let shared = &values[edge(index)..edge(index + 1)];
        shared.iter().sum::<f64>() / shared.len() as f64
    };
    let means: Vec<f64> = (0..cells).map(cell).collect();
    let (low, high) = ends(&means);
    let height = |mean: f64| if high > low { (mean - low) / (high - low) } else { 0.0 };
    means.iter().map(|mean| BARS[((height(*mean) * 7.0).round() as usize).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_and_the_highest_have_the_lowest_and_the_highest_bar() {
        assert_eq!(bars(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), BARS.iter().collect::<String>());
        assert_eq!(bars(&[5.0, 5.0, 9.0, 9.0, 5.0, 5.0], 3), "\u{2581}\u{2588}\u{2581}");
        assert_eq!(bars(&[3.0; 4], 10), "\u{2581}".repeat(4), "no more letters than values");
        assert_eq!(bars(&[], 10), "");
    }
}
