//! Forest plots: what each of many arms makes of a metric, with its interval.

use super::frame::{BLUE, INK, Swatch, VERMILLION};
use super::panels::short;
use super::rows::{NAME, Panel, Range, Row, draw};
use super::Figure;

/// An estimate with its interval.
#[derive(Clone, Debug)]
pub(in crate::output) struct Estimate {
    /// Of what.
    pub(in crate::output) name: String,
    pub(in crate::output) value: f64,
    /// Absent where there are too few replicates.
    pub(in crate::output) interval: Option<(f64, f64)>,
}

/// Estimates of one quantity.
#[derive(Clone, Debug)]
pub(in crate::output) struct Estimates {
    /// Quantity and unit.
    pub(in crate::output) label: String,
    /// What the axis shows.
    pub(in crate::output) axis_label: String,
    pub(in crate::output) estimates: Vec<Estimate>,
}

/// Draws a panel a quantity and a row an estimate.
pub(in crate::output) fn forest_figure(
    (name, title, caption): (&'static str, &str, &str),
    heading: (&str, &str),
    quantities: &[Estimates],
) -> Figure {
    let panels: Vec<Panel<'_>> = quantities
        .iter()
        .map(|quantity| Panel {
            header: quantity.label.clone(),
            x_label: quantity.axis_label.clone(),
            rows: quantity.estimates.iter().map(row).collect(),
            zone: None,
            most: None,
            legend: vec![
                (Swatch::Line(7), INK, "mean"),
                (Swatch::Line(12), BLUE, "95 % interval"),
                (Swatch::Line(12), VERMILLION, "away from 0"),
            ],
        })
        .collect();
    let (svg, hits) = draw(heading.0, heading.1, &panels);
    Figure { name, title: title.to_owned(), caption: caption.to_owned(), svg, hits }
}

fn row(estimate: &Estimate) -> Row {
    let (low, high) = estimate.interval.unwrap_or((estimate.value, estimate.value));
    let interval = estimate
        .interval
        .map_or("no interval".to_owned(), |(low, high)| format!("95 % {} .. {}", short(low), short(high)));
    let color = if low > 0.0 || high < 0.0 { VERMILLION } else { BLUE };
    Row {
        name: estimate.name.chars().take(NAME).collect(),
        ranges: vec![Range { low, high, middle: estimate.value, color, at: 0.5, width: 12 }],
        cross: None,
        said: format!("{} ({interval})", short(estimate.value)),
    }
}
