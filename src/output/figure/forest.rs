//! Forest plots: what each of many arms makes of a metric, with its interval.

use super::Figure;
use super::axis::amount_scale;
use super::crash::largest_of;
use super::frame::{BLUE, INK, Swatch, VERMILLION};
use super::panels::short;
use super::rows::{Heading, NAME, Panel, Range, Row, draw};

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
    pub(in crate::output) rows: Vec<Estimate>,
}

/// Draws a panel a quantity and a row an estimate.
pub(in crate::output) fn forest_figure(
    (name, title, caption): (&'static str, &str, &str),
    heading: (&str, &str),
    quantities: &[Estimates],
) -> Figure {
    let panels: Vec<Panel> = quantities.iter().map(panel).collect();
    let legend = [
        (Swatch::Line(7), INK, "mean"),
        (Swatch::Line(12), BLUE, "95 % interval"),
        (Swatch::Line(12), VERMILLION, "away from 0"),
    ];
    let (svg, hits) = draw(&Heading { title: heading.0, below: heading.1, legend: &legend }, &panels);
    Figure { name, title: title.to_owned(), caption: caption.to_owned(), svg, hits }
}

fn panel(quantity: &Estimates) -> Panel {
    let ends = quantity.rows.iter().flat_map(|estimate| {
        let (low, high) = estimate.interval.unwrap_or((estimate.value, estimate.value));
        [estimate.value, low, high]
    });
    let (scale, unit) = amount_scale(largest_of(ends));
    let header = match quantity.label.strip_suffix("[USD]") {
        Some(label) => format!("{label}[{unit}USD]"),
        None if unit.is_empty() => quantity.label.clone(),
        None => format!("{}, in {unit}", quantity.label),
    };
    Panel {
        header,
        x_label: quantity.axis_label.clone(),
        rows: quantity.rows.iter().map(|estimate| row(estimate, scale)).collect(),
        zone: None,
        most: None,
    }
}

fn row(estimate: &Estimate, scale: f64) -> Row {
    let (low, high) = estimate.interval.unwrap_or((estimate.value, estimate.value));
    let said = estimate
        .interval
        .map_or("no interval".to_owned(), |(low, high)| format!("95 % {} .. {}", short(low), short(high)));
    let color = if low > 0.0 || high < 0.0 { VERMILLION } else { BLUE };
    Row {
        name: estimate.name.chars().take(NAME).collect(),
        ranges: vec![Range {
            low: low / scale,
            high: high / scale,
            middle: estimate.value / scale,
            color,
            at: 0.5,
            width: 12,
        }],
        said: format!("{} ({said})", short(estimate.value)),
    }
}
