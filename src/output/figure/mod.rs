//! Figures as SVG for print, drawn from plain slices; they know nothing of runs, and the same input makes the same bytes.
//!
//! Colours are those of Okabe and Ito (2008), which the colour-blind tell apart, and each pair differs in lightness too, for
//! grey print. A figure of the report is a [`Figure`]: with what a pointer is told and what a screen reader says.

mod axis;
mod crash;
mod criticality;
mod fan;
mod forest;
mod frame;
mod heat;
mod histogram;
mod panels;
mod pareto;
mod ranges;
mod rows;
mod surface;
#[cfg(test)]
mod tests;
mod thin;

pub use crash::{Band, Series, crash_figure};
pub(super) use criticality::{Criticalities, criticality_figure};
pub(super) use fan::{Fan, Fans, fan_figure};
pub(super) use forest::{Estimate, Estimates, forest_figure};
pub(super) use frame::DARK;
pub(super) use heat::{HeatMap, Spot, heat_figure};
pub(super) use histogram::{Distributions, Sample, distribution_figure};
pub(super) use pareto::{Candidate, TradeOff, pareto_figure};
pub(super) use ranges::{Beside, Forecast, targets_figure};
pub(super) use surface::{Height, Surface, surface_figure};

/// A figure of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Figure {
    /// Stem of its files.
    pub(super) name: &'static str,
    /// What it shows, in a few words.
    pub(super) title: String,
    /// How to read it, in a sentence or two.
    pub(super) caption: String,
    /// The drawing.
    pub(super) svg: String,
    /// Where a pointer is told what.
    pub(super) hits: Vec<Hit>,
}

/// A rectangle of a drawing that says something where a pointer is on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hit {
    /// Left, top, width, height in pixels of the drawing.
    pub(super) place: (i32, i32, i32, i32),
    /// Its lines.
    pub(super) text: String,
}
