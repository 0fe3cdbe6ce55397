//! The summary of a sweep: a table that fits the window, a row a point, and the same for a machine.

use super::amplify_report;
use super::summary::human;
use crate::experiment::{Amplification, Axis, Design, Effect, Label, Mean, Measurements, Quartet, Study};
use crate::record::tables::{RUNS, metrics};
use crate::record::{Column, format_number};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Points that a person is shown; the tables hold all of them.
pub(super) const SHOWN_POINTS: usize = 100;
/// Points that a machine is told of with `--json`; the tables hold all of them.
const TOLD_POINTS: usize = 10_000;
/// Width where nobody says how wide the window is.
const WIDTH: usize = 100;
/// Letters of an estimate with its interval.
const ESTIMATE: usize = 22;
/// Letters of a parameter, at most.
const PARAMETER: usize = 16;

/// What is said of the points: the first ones in full, and how many there are.
#[derive(Default)]
pub(super) struct Estimated {
    points: Vec<Point>,
    count: u64,
    /// Points whose interval is wider than was asked for.
    wide: u64,
}

/// What is said of one point.
struct Point {
    /// Mean of the metric in the base.
    base: Option<Mean>,
    /// What each arm but the base makes of it.
    effects: Vec<Option<Effect>>,
    /// What forced selling amplifies, where the design has the arms for it.
    amplification: Option<Amplification>,
    /// All metrics, if a machine wants them: by arm, means and effects.
    all: Option<Value>,
}

impl Estimated {
    /// Adds the next point.
    pub(super) fn add(&mut self, design: &Design, measured: &Measurements, metric: &str, has_json: bool) {
        self.count += 1;
        let is_met = design.precision.is_none_or(|precision| precision.is_met(design, measured));
        self.wide += u64::from(!is_met);
        if self.points.len() < if has_json { TOLD_POINTS } else { SHOWN_POINTS } {
            self.points.push(Point {
                base: measured.mean(0, metric),
                effects: (1..measured.arms()).map(|arm| measured.effect(arm, metric)).collect(),
                amplification: Quartet::of(design).and_then(|quartet| Amplification::of(measured, quartet)),
                all: has_json.then(|| all(measured)),
            });
        }
    }
}

/// Writes what a person is shown: amplification where the design has the arms for it, else the metric and what arms make of it.
pub(super) fn text(study: &Study, design: &Design, estimated: &Estimated, metric: &str) -> String {
    let names: Vec<&str> = axes(design).iter().map(|axis| axis.name.as_str()).collect();
    let mut out = format!(
        "{}: {}\n{} points ({}), {} arms, {} replicates, seed {}, model {}\n{}\n",
        study.name,
        study.title,
        design.points(),
        names.join(" x "),
        design.arms.len(),
        replicates(design),
        design.seed,
        crate::MODEL_VERSION,
        narrowness(design, estimated),
    );
    if Quartet::of(design).is_some() {
        let found: Vec<Option<Amplification>> =
            estimated.points.iter().map(|point| point.amplification).collect();
        out.push_str(&amplify_report::text(design, &found));
    } else {
        metric_table(&mut out, design, estimated, metric);
    }
    let more = estimated.count.saturating_sub(SHOWN_POINTS as u64);
    if more > 0 {
        let _ = writeln!(out, "{more} more points are in the tables.");
    }
    out
}

/// Says how many replicates there are.
fn replicates(design: &Design) -> String {
    match design.replicates_range() {
        (least, most) if least == most => most.to_string(),
        (least, most) => format!("{least} to {most}"),
    }
}

/// Says how many points have an interval as narrow as was asked for, if it was.
fn narrowness(design: &Design, estimated: &Estimated) -> String {
    let Some(precision) = design.precision else { return String::new() };
    let what = if Quartet::of(design).is_some() { "amplification" } else { "every cell's mean drawdown" };
    let wide = match estimated.wide {
        0 => String::new(),
        wide => format!(", all but {wide} after {} replicates", precision.most),
    };
    format!("{what} is known within {} %{wide}\n", precision.width * 100.0)
}

/// Writes a table of one metric: parameters, its mean in the base, and what each arm makes of it.
fn metric_table(out: &mut String, design: &Design, estimated: &Estimated, metric: &str) {
    let axes = axes(design);
    let widths: Vec<usize> = axes.iter().enumerate().map(|(at, axis)| width(design, at, axis)).collect();
    let room = window().saturating_sub(widths.iter().map(|width| width + 2).sum());
    let fitting = room.div_euclid(ESTIMATE + 2).saturating_sub(1).min(design.arms.len() - 1);
    let _ = writeln!(out, "{}", RUNS.column(metric).map_or_else(String::new, Column::axis_label));
    let mut line = String::new();
    for (axis, width) in axes.iter().zip(&widths) {
        let _ = write!(line, "{:>width$}  ", cut(&axis.name, *width));
    }
    let _ = write!(line, "{:>ESTIMATE$}", "mean +- 95 %");
    for arm in &design.arms[1..=fitting] {
        let _ = write!(line, "  {:>ESTIMATE$}", cut(&arm.name(), ESTIMATE));
    }
    let _ = writeln!(out, "{}", line.trim_end());
    for (point, told) in estimated.points.iter().enumerate().take(SHOWN_POINTS) {
        let mut line = String::new();
        for (at, width) in widths.iter().enumerate() {
            let label = design.label(point as u32, at);
            let _ = write!(line, "{:>width$}  ", cut(&said(label.as_ref()), *width));
        }
        line.push_str(&estimate(told.base.map(|mean| (mean.estimate, mean.interval))));
        for effect in told.effects.iter().take(fitting) {
            let effect = effect.as_ref().map(|effect| (effect.difference, effect.interval));
            let _ = write!(line, "  {}", estimate(effect));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if design.arms.len() > 1 {
        out.push_str("\nUnder the name of a mechanism: with it minus without it, paired by seed, +- half of the 95 % interval.\n");
    }
    let left_out = design.arms.len() - 1 - fitting;
    if left_out > 0 {
        let _ = writeln!(out, "{left_out} more arms are in effects.csv; a wider window shows them.");
    }
}

/// Makes the summary for a machine: every metric of the first ten thousand points.
pub(super) fn json(study: &Study, design: &Design, estimated: &Estimated, folder: &str) -> Value {
    let points: Vec<Value> = estimated
        .points
        .iter()
        .enumerate()
        .map(|(point, told)| {
            let parameters: Map<String, Value> = axes(design)
                .iter()
                .enumerate()
                .map(|(at, axis)| {
                    let value = match design.label(point as u32, at) {
                        Some(Label::Number(number)) => json!(number),
                        Some(Label::Word(word)) => json!(word),
                        None => Value::Null,
                    };
                    (axis.name.clone(), value)
                })
                .collect();
            let amplification = told.amplification.map(|found| {
                json!({
                    "replicates": found.replicates,
                    "fall_with_pct": found.with,
                    "fall_without_pct": found.without,
                    "factor": found.factor,
                    "ci95": found.interval,
                    "effective_r": found.effective_r(),
                    "effective_r_ci95": found.effective_r_interval(),
                })
            });
            json!({ "point": point, "parameters": parameters, "arms": told.all, "amplification": amplification })
        })
        .collect();
    let mut json = json!({
        "study": study.name,
        "scenario": design.base.name,
        "replicates": design.replicates_range().1,
        "seed": design.seed,
        "model_version": crate::MODEL_VERSION,
        "folder": folder,
        "arms": design.arms.iter().map(|arm| arm.name()).collect::<Vec<_>>(),
        "points": points,
        "points_left_out": estimated.count - estimated.points.len() as u64,
    });
    if let Some(precision) = design.precision {
        json["until_ci"] = json!({ "width": precision.width, "points_that_are_wider": estimated.wide });
    }
    json
}

/// Every metric of each arm of a point, with the effect of each but the base.
fn all(measured: &Measurements) -> Value {
    let arm = |arm: usize| -> Map<String, Value> {
        metrics()
            .map(|column| {
                let mean = measured.mean(arm, column.name);
                let mut value = json!({ "mean": mean.map(|mean| mean.estimate), "ci95": mean.and_then(|mean| mean.interval) });
                if arm > 0 {
                    let effect = measured.effect(arm, column.name);
                    value["difference"] = json!(effect.as_ref().map(|effect| effect.difference));
                    value["difference_ci95"] = json!(effect.and_then(|effect| effect.interval));
                }
                (column.name.to_owned(), value)
            })
            .collect()
    };
    (0..measured.arms()).map(arm).collect()
}

pub(super) fn axes(design: &Design) -> &[Axis] {
    design.space().map_or(&[], |space| space.points().axes())
}

/// Returns how wide the column of a parameter is.
pub(super) fn width(design: &Design, at: usize, axis: &Axis) -> usize {
    let shown = (0..design.points().min(SHOWN_POINTS as u32))
        .map(|point| said(design.label(point, at).as_ref()).len());
    shown.chain([axis.name.len()]).max().unwrap_or(0).min(PARAMETER)
}

pub(super) fn said(label: Option<&Label>) -> String {
    match label {
        Some(Label::Number(number)) => format_number(*number).unwrap_or_default(),
        Some(Label::Word(word)) => word.clone(),
        None => "-".to_owned(),
    }
}

/// Writes an estimate with half of its interval.
fn estimate(value: Option<(f64, Option<(f64, f64)>)>) -> String {
    let Some((estimate, interval)) = value else { return format!("{:>10}{:12}", "-", "") };
    let half = interval.map(|(low, high)| format!(" +- {:<8}", human(Some(0.5 * (high - low)))));
    format!("{:>10}{:<12}", human(Some(estimate)), half.unwrap_or_default())
}

pub(super) fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// Returns how many letters a line of the window has.
pub(super) fn window() -> usize {
    let stated = std::env::var_os("COLUMNS").and_then(|text| text.to_str()?.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    stated.or_else(measured).unwrap_or(WIDTH).max(40)
}
