//! The table of amplification, a row a point, and how it moves with depth and with leverage.

use super::summary::human;
use super::sweep_report::{SHOWN_POINTS, axes, cut, said, width};
use crate::experiment::{Amplification, Design, Label, WANTED_HALF_WIDTH, surface};
use crate::stats::distribution::student_quantile;
use crate::stats::rank::spearman;
use std::fmt::Write as _;

/// The axes that effective R is regressed on.
const DEPTH: &str = "depth";
const LEVERAGE: &str = "leverage";
/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// Letters of the columns after the parameters.
const WIDTHS: [usize; 8] = [8, 8, 13, 16, 9, 18, 8, 8];
/// Which of them stand on the right.
const RIGHT: [bool; 8] = [true, true, true, false, true, false, true, true];

/// Writes the table and, where the axes are those of it, the regression. Columns on the right that do not fit a terminal are left
/// out; the table of amplification has them.
pub(super) fn text(design: &Design, points: &[Option<Amplification>]) -> String {
    let axes = axes(design);
    let widths: Vec<usize> = axes.iter().enumerate().map(|(at, axis)| width(design, at, axis)).collect();
    let room = super::fit::room().saturating_sub(widths.iter().map(|width| width + 2).sum());
    let mut out = String::new();
    let mut row = |parameters: Vec<String>, cells: [String; 8]| {
        let mut line = String::new();
        for (text, width) in parameters.iter().zip(&widths) {
            let _ = write!(line, "{:>width$}  ", cut(text, *width));
        }
        let mut used = 0;
        for ((text, width), is_right) in cells.iter().zip(WIDTHS).zip(RIGHT) {
            used += width + 2;
            if used > room.saturating_add(2) {
                break;
            }
            let padded = if is_right { format!("{text:>width$}  ") } else { format!("{text:<width$}  ") };
            line.push_str(&padded);
        }
        let _ = writeln!(out, "{}", line.trim_end());
    };
    let names = axes.iter().map(|axis| axis.name.clone()).collect();
    let headings = ["fall [%]", "without", "amplification", "95 %", "R", "95 %", "needed", "before"];
    row(names, headings.map(str::to_owned));
    for (point, found) in points.iter().enumerate().take(SHOWN_POINTS) {
        let parameters = (0..axes.len()).map(|at| said(design.label(point as u32, at).as_ref())).collect();
        let ends = |ends: Option<(f64, f64)>| {
            let said = |(low, high)| format!("{} .. {}", human(Some(low)), human(Some(high)));
            ends.map_or_else(|| "-".to_owned(), said)
        };
        let found = found.as_ref();
        let needed = found.and_then(Amplification::replicates_needed);
        row(
            parameters,
            [
                human(found.map(|found| found.with)),
                human(found.map(|found| found.without)),
                human(found.and_then(|found| found.factor)),
                ends(found.and_then(|found| found.interval)),
                human(found.and_then(Amplification::effective_r)),
                ends(found.and_then(Amplification::effective_r_interval)),
                needed.map_or_else(|| "-".to_owned(), |needed| needed.to_string()),
                human(found.and_then(Amplification::criticality)),
            ],
        );
    }
    out.push_str(
        "\nfall: largest fall of the mark, less that of the same run without the shock; without: the same without forced selling,\n\
         credit extended. amplification: their ratio, with Fieller's interval. R: the effective one, 1 - 1/amplification.\n",
    );
    let _ = writeln!(
        out,
        "needed: replicates for an interval of R of +-{WANTED_HALF_WIDTH}. before: longs due within 1, 2 or 5 % over the bids there, before\n\
         the shock, the highest of the three."
    );
    out.push_str(&foretold(points));
    out.push_str(&regression(design, points));
    out
}

/// Says how well what stood ready before the shock orders the points by what came of it.
fn foretold(points: &[Option<Amplification>]) -> String {
    let (before, after): (Vec<f64>, Vec<f64>) = points
        .iter()
        .flatten()
        .filter_map(|found| Some((found.criticality()?, found.effective_r()?)))
        .unzip();
    let Some(found) = spearman(&before, &after, CONFIDENCE) else { return String::new() };
    format!(
        "\nrank correlation of before and R over {} points: {} (95 % {} .. {})\n",
        before.len(),
        human(Some(found.estimate)),
        human(Some(found.low)),
        human(Some(found.high))
    )
}

/// Regresses effective R on 1/depth, leverage and leverage/depth, if those are the axes.
fn regression(design: &Design, points: &[Option<Amplification>]) -> String {
    let place = |name: &str| axes(design).iter().position(|axis| axis.name == name);
    let (Some(depth), Some(leverage)) = (place(DEPTH), place(LEVERAGE)) else { return String::new() };
    let number = |point: usize, axis| match design.label(point as u32, axis) {
        Some(Label::Number(number)) => Some(number),
        Some(Label::Word(_)) | None => None,
    };
    let rows: Vec<[f64; 3]> = points
        .iter()
        .enumerate()
        .filter_map(|(point, found)| {
            let depth = number(point, depth).filter(|depth| *depth > 0.0)?;
            Some([depth, number(point, leverage)?, found.as_ref()?.effective_r()?])
        })
        .collect();
    let Some(fit) = surface(&rows) else { return String::new() };
    let reach = student_quantile(0.5 + 0.5 * CONFIDENCE, fit.degrees as f64);
    let explained = fit.r_squared.map_or_else(|| "-".to_owned(), |share| human(Some(share)));
    let mut out = format!(
        "\neffective R over {} points (least squares, share explained {explained})    coefficient   95 %\n",
        rows.len()
    );
    let names = ["intercept", "1/depth", "leverage", "leverage/depth"];
    for (name, coefficient) in names.iter().zip([fit.intercept].iter().chain(&fit.slopes)) {
        let half = reach * coefficient.standard_error;
        let (low, high) = (coefficient.estimate - half, coefficient.estimate + half);
        let _ = writeln!(
            out,
            "  {name:<64} {:>11}   {} .. {}",
            human(Some(coefficient.estimate)),
            human(Some(low)),
            human(Some(high))
        );
    }
    out
}
