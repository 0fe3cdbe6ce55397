//! Simulated ranges beside what was observed, in tolerances.

use super::Figure;
use super::frame::{INK, MESH, ORANGE, SKY_BLUE, Swatch};
use super::panels::short;
use super::rows::{Heading, NAME, Panel, Range, Row, draw};
use plotters::style::RGBColor;
use std::fmt::Write as _;

/// Tolerances beyond which it no longer matters how far off a range is.
const FARTHEST: f64 = 12.0;

/// The middle of a forecast and the range of nine tenths of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::output) struct Forecast {
    pub(in crate::output) low: f64,
    pub(in crate::output) median: f64,
    pub(in crate::output) high: f64,
}

/// One target.
#[derive(Clone, Debug)]
pub(in crate::output) struct Beside {
    pub(in crate::output) name: String,
    /// Whether it was fitted to, and so is no test.
    pub(in crate::output) purpose: String,
    pub(in crate::output) observed: f64,
    pub(in crate::output) tolerance: f64,
    pub(in crate::output) scenario: Option<Forecast>,
    pub(in crate::output) unlevered: Option<Forecast>,
    pub(in crate::output) diffusion: Option<Forecast>,
}

/// Draws a row a target.
pub(in crate::output) fn targets_figure(title: &str, below: &str, targets: &[Beside]) -> Figure {
    let panel = Panel {
        header: "Simulated less observed".to_owned(),
        x_label: "tolerances (ranges beyond 12 are cut)".to_owned(),
        rows: targets.iter().map(row).collect(),
        zone: Some((-1.0, 1.0)),
        most: Some((-FARTHEST, FARTHEST)),
    };
    let legend = [
        (Swatch::Line(16), SKY_BLUE, "scenario"),
        (Swatch::Line(8), ORANGE, "unlevered"),
        (Swatch::Line(8), MESH, "diffusion"),
        (Swatch::Line(7), INK, "median"),
    ];
    let (svg, hits) = draw(&Heading { title, below, legend: &legend }, &[panel]);
    Figure {
        name: "targets",
        title: "What was observed beside what is simulated".to_owned(),
        caption: "The middle 90 % of runs, less what was observed, in tolerances of each target: at 0 they agree, and in the shaded \
                  zone they differ by less than is known or matters. A target that was fitted to (fit) is no test."
            .to_owned(),
        svg,
        hits,
    }
}

fn row(target: &Beside) -> Row {
    let scaled = |value: f64| (value - target.observed) / target.tolerance;
    let mut ranges = Vec::new();
    let mut said = format!("observed {} +- {}", short(target.observed), short(target.tolerance));
    let kinds: [(&str, Option<Forecast>, RGBColor, f64, u32); 3] = [
        ("scenario", target.scenario, SKY_BLUE, 0.3, 16),
        ("unlevered", target.unlevered, ORANGE, 0.54, 8),
        ("diffusion", target.diffusion, MESH, 0.74, 8),
    ];
    for (name, forecast, color, at, width) in kinds {
        let Some(Forecast { low, median, high }) = forecast else { continue };
        ranges.push(Range { low: scaled(low), high: scaled(high), middle: scaled(median), color, at, width });
        let [median, low, high] = [median, low, high].map(short);
        let _ = write!(said, "\n{name}: median {median}, 5-95 % {low} .. {high}");
    }
    let name = format!("{} ({})", target.name, target.purpose);
    Row { name: name.chars().take(NAME).collect(), ranges, said }
}
