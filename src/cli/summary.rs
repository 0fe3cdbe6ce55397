//! The summary of a run as a person reads it, and as JSON.

use crate::experiment::{Design, Measurements};
use crate::record::format_number;
use crate::record::tables::{RUNS, metrics};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Metrics that a person sees first; the tables hold all of them.
const SHOWN: [&str; 14] = [
    "drawdown_pct",
    "fall_1h_pct",
    "time_to_trough_s",
    "retraced_1h",
    "realized_volatility_pct",
    "liquidations",
    "liquidated_long_usd",
    "liquidated_short_usd",
    "long_share_of_liquidations",
    "forced_share_of_volume",
    "bad_debt_usd",
    "fund_end_usd",
    "depth_bid_1pct_usd_min",
    "volume_usd",
];

/// Metrics whose difference is shown for each mechanism that is switched off.
const COMPARED: [&str; 4] = ["drawdown_pct", "liquidated_long_usd", "depth_bid_1pct_usd_min", "volume_usd"];

/// Says what was run: the first lines of what a person reads.
pub(super) fn heading(design: &Design) -> String {
    let scenario = &design.base;
    format!(
        "{}: {}\n{} replicates, seed {}, model {}\n\n",
        scenario.name,
        scenario.title,
        design.replicates,
        design.seed,
        crate::MODEL_VERSION
    )
}

/// Letters of a number, with the space before it.
const NUMBER: usize = 12;
const NUMBERS: usize = 3 * NUMBER;
/// Letters of most intervals, with what separates them.
const INTERVAL: usize = 3 + 20;

/// Writes the summary for a person: `courses` under its heading, and lines of at most `room` letters as far as numbers allow.
pub(super) fn text(design: &Design, measured: &Measurements, courses: &str, room: usize) -> String {
    let mut out = heading(design) + courses;
    let width = room.saturating_sub(NUMBERS).clamp(NARROW, LABEL);
    let _ = writeln!(out, "{:<width$} {:>11} {:>11} {:>11}", "", "median", "5 %", "95 %");
    for metric in SHOWN {
        let spread = measured.spread(0, metric);
        let cells = [spread.map(|s| s.median), spread.map(|s| s.low), spread.map(|s| s.high)];
        let [median, low, high] = cells.map(human);
        let _ = writeln!(out, "{:<width$} {median:>11} {low:>11} {high:>11}", label(metric, width));
    }
    // Where there is no room for what is compared, the difference stands alone.
    let has_both = room >= NARROW + NUMBERS + INTERVAL;
    let numbers = if has_both { NUMBERS } else { NUMBER };
    let width = room.saturating_sub(numbers + INTERVAL).clamp(NARROW, LABEL);
    let both = |with: &str, without: &str| {
        if has_both { format!(" {with:>11} {without:>11}") } else { String::new() }
    };
    for (index, arm) in design.arms.iter().enumerate().skip(1) {
        let mut heading = format!("{}, paired by seed", arm.name());
        if heading.chars().count() > width {
            let _ = write!(out, "\n{heading}");
            heading.clear();
        }
        let names = both("with", "without");
        let _ = writeln!(out, "\n{heading:<width$}{names} {:>11}   95 % interval", "difference");
        for metric in COMPARED {
            let Some(effect) = measured.effect(index, metric) else { continue };
            let [with, without, difference] =
                [effect.with, effect.without, effect.difference].map(|value| human(Some(value)));
            let interval = effect.interval.map_or(String::new(), |(low, high)| {
                format!("{} .. {}", human(Some(low)), human(Some(high)))
            });
            let _ = writeln!(
                out,
                "{:<width$}{} {difference:>11}   {interval}",
                label(metric, width),
                both(&with, &without)
            );
        }
    }
    out
}

/// Makes the summary for a machine: every metric of every cell, and every effect.
pub(super) fn json(design: &Design, measured: &Measurements, folder: &str) -> Value {
    let cells: Vec<Value> = (0..design.arms.len())
        .map(|index| {
            let values: Map<String, Value> = metrics()
                .map(|column| {
                    let spread = measured.spread(index, column.name);
                    let value = spread.map(|s| json!({ "median": s.median, "p05": s.low, "p95": s.high }));
                    (column.name.to_owned(), value.unwrap_or(Value::Null))
                })
                .collect();
            json!({ "arm": design.arms[index].name(), "metrics": values })
        })
        .collect();
    let effects: Vec<Value> = (1..design.arms.len())
        .map(|index| {
            let values: Map<String, Value> = metrics()
                .filter_map(|column| {
                    let effect = measured.effect(index, column.name)?;
                    let ends = effect.interval.map(|(low, high)| [low, high]);
                    let value = json!({
                        "with": effect.with,
                        "without": effect.without,
                        "difference": effect.difference,
                        "ci95": ends,
                        "pairs": effect.pairs,
                    });
                    Some((column.name.to_owned(), value))
                })
                .collect();
            json!({ "mechanism": design.arms[index].name(), "metrics": values })
        })
        .collect();
    json!({
        "scenario": design.base.name,
        "replicates": design.replicates,
        "seed": design.seed,
        "model_version": crate::MODEL_VERSION,
        "folder": folder,
        "cells": cells,
        "effects": effects,
    })
}

/// Letters of the first column where there is room.
const LABEL: usize = 50;
/// Letters of the first column where there is none: less says nothing.
const NARROW: usize = 20;

/// Returns what a metric means, with its unit; a long meaning is cut, a unit never.
fn label(metric: &str, width: usize) -> String {
    let Some(column) = RUNS.column(metric) else { return metric.to_owned() };
    let text = column.axis_label();
    if text.chars().count() <= width {
        return text;
    }
    let unit = text.strip_prefix(column.meaning).unwrap_or_default();
    let room = width.saturating_sub(unit.chars().count() + "...".len());
    let meaning: String = column.meaning.chars().take(room).collect();
    format!("{}...{unit}", meaning.trim_end())
}

/// Writes a number with about four digits, thousands as k, M, G.
pub(super) fn human(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let size = value.abs();
    let (scaled, suffix) = match size {
        s if s >= 1e9 => (value / 1e9, "G"),
        s if s >= 1e6 => (value / 1e6, "M"),
        s if s >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match scaled.abs() {
        s if libm::trunc(scaled).to_bits() == scaled.to_bits() && suffix.is_empty() && s < 1e4 => 0,
        s if s >= 100.0 => 1,
        s if s >= 10.0 => 2,
        s if s >= 0.01 => 3,
        _ => return format_number(libm::rint(value * 1e6) / 1e6).unwrap_or_default(),
    };
    format!("{scaled:.decimals$}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Outcome, RunKey, RunRecord};
    use crate::scenario::{Document, check, shipped};

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        let cases = [
            (0.0, "0"),
            (3.0, "3"),
            (3.456_78, "3.457"),
            (-12.345, "-12.35"),
            (1_234.5, "1234.5"),
            (46_400_000.0, "46.40M"),
            (5.2e9, "5.200G"),
            (0.000_25, "0.00025"),
        ];
        for (value, text) in cases {
            assert_eq!(human(Some(value)), text);
        }
        assert_eq!(human(None), "-");
    }

    #[test]
    fn labels_fit_and_keep_their_units() {
        for metric in SHOWN {
            for width in [NARROW, 30, LABEL] {
                let text = label(metric, width);
                assert!(text.chars().count() <= width, "{text}");
                let unit = RUNS.column(metric).unwrap().unit;
                assert!(unit == "1" || text.ends_with(&format!("[{unit}]")), "{text}");
            }
        }
    }

    #[test]
    fn lines_fit_the_room_and_a_difference_keeps_its_interval() {
        let document = Document::parse("x", shipped::find("long-squeeze").unwrap().text.as_bytes()).unwrap();
        let design = Design::new(&check(&document, "x").unwrap(), 1, 2, false);
        assert_eq!(design.arms.len(), 2);
        let mut measured = Measurements::new(&design);
        for (cell, replicate) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let key = RunKey { cell, replicate };
            // Numbers as long as they are written.
            let value = -404_123.0 * f64::from(1 + replicate) * f64::from(1 + cell);
            measured.add(
                &design,
                &RunRecord {
                    outcome: Outcome::Finished,
                    metrics: metrics().map(|_| Some(value)).collect(),
                    ..RunRecord::failed(key, String::new(), String::new())
                },
            );
        }
        for room in [60, 80, 100] {
            let text = text(&design, &measured, "", room);
            let longest = text.lines().skip(2).map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(longest <= room, "{longest} letters in {room}:\n{text}");
            assert_eq!(text.contains("without"), room >= 80, "{text}");
            assert!(text.contains("difference   95 % interval") && text.contains(" .. "), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_measured() {
        for metric in SHOWN.iter().chain(&COMPARED) {
            assert!(RUNS.column(metric).is_some(), "{metric}");
        }
    }
}
