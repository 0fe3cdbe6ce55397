//! Distributions of one metric, a panel each over one axis: how often which value came out.

use super::axis::Axis;
use super::frame::{
    BLUE_LIGHT, BOTTOM, Drawn, Frame, GAP, HEADER_HEIGHT, INK, LEFT, Legend, RIGHT, Swatch, TITLE_HEIGHT,
    VERMILLION, WIDTH, draw_frame, draw_legend, draw_title, drawing,
};
use super::panels::short;
use super::{Figure, Hit};
use crate::stats::quantile::Spread;
use plotters::prelude::*;

/// Bars over the whole axis: some fifty runs fill them, and twenty still show where they lie.
const BINS: usize = 40;
/// Pixels of a panel's data.
const HEIGHT: i32 = 230;
/// Stands once above all panels: their headers say what was varied and are long.
const LEGEND: [Legend<'_>; 2] =
    [(Swatch::Area, BLUE_LIGHT, "runs"), (Swatch::Line(8), VERMILLION, "5 %, median, 95 %")];

/// The values of one metric in one cell.
pub(in crate::output) struct Sample {
    /// What the cell is.
    pub(in crate::output) label: String,
    /// A value a run.
    pub(in crate::output) values: Vec<f64>,
}

/// What to draw.
pub(in crate::output) struct Distributions<'a> {
    pub(in crate::output) title: &'a str,
    pub(in crate::output) below: &'a str,
    /// Quantity and unit.
    pub(in crate::output) axis_label: String,
    pub(in crate::output) samples: Vec<Sample>,
}

/// Counts of values over one axis.
struct Bins {
    from: f64,
    width: f64,
}

impl Bins {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (value.min(low), value.max(high)));
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
        let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
        Self { from: low, width: (high - low) / BINS as f64 }
    }

    fn counts(&self, values: &[f64]) -> [u32; BINS] {
        let mut counts = [0; BINS];
        for value in values {
            let at = ((value - self.from) / self.width) as usize;
            counts[at.min(BINS - 1)] += 1;
        }
        counts
    }

    fn edge(&self, index: usize) -> f64 {
        self.from + self.width * index as f64
    }
}

/// Draws a histogram a sample, with its median and the range of its middle 90 %.
pub(in crate::output) fn distribution_figure(asked: &Distributions<'_>) -> Figure {
    let bins = Bins::of(asked.samples.iter().flat_map(|sample| sample.values.iter().copied()));
    let x = Axis::of_values([bins.from, bins.edge(BINS)].into_iter(), 10);
    let step = HEADER_HEIGHT + HEIGHT + GAP;
    let count = asked.samples.len() as i32;
    let mut hits = Vec::new();
    for (index, sample) in (0..).zip(&asked.samples) {
        let pixel = |value: f64| {
            let share = (value - x.from) / (x.to - x.from);
            LEFT + libm::rint(share * f64::from(WIDTH as i32 - RIGHT - LEFT)) as i32
        };
        for (bin, runs) in bins.counts(&sample.values).into_iter().enumerate().filter(|(_, runs)| *runs > 0) {
            let (from, to) = (bins.edge(bin), bins.edge(bin + 1));
            let (left, right) = (pixel(from), pixel(to));
            let place = (left, TITLE_HEIGHT + index * step + HEADER_HEIGHT, right - left, HEIGHT);
            let text =
                format!("{}\n{} .. {}: {}", sample.label, short(from), short(to), counted(runs as usize));
            hits.push(Hit { place, text });
        }
    }
    let svg = drawing(TITLE_HEIGHT + count * step + BOTTOM + 16 - GAP, |root| {
        draw_title(root, asked.title, asked.below)?;
        draw_legend(root, 112, &LEGEND)?;
        let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
        for (index, sample) in asked.samples.iter().enumerate() {
            let last = index + 1 == asked.samples.len();
            let (area, below) = rest.split_vertically(if last { step + BOTTOM + 16 - GAP } else { step });
            rest = below;
            draw_sample(sample, &bins, (&x, last.then(|| asked.axis_label.clone())), &area)?;
        }
        Ok(())
    });
    Figure {
        name: "drawdown",
        title: "How deep the fall was".to_owned(),
        caption: "Runs by their largest fall of the mark from an earlier peak; the mark below each panel is the median, the line \
                  through it holds the middle 90 %."
            .to_owned(),
        svg,
        hits,
    }
}

fn counted(runs: usize) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

fn draw_sample(
    sample: &Sample,
    bins: &Bins,
    (x, x_label): (&Axis, Option<String>),
    area: &super::frame::Area<'_>,
) -> Drawn<()> {
    let counts = bins.counts(&sample.values);
    let most = counts.iter().copied().max().unwrap_or(0);
    // Below zero is room for the median and its range.
    let room = -0.16 * f64::from(most.max(1));
    let mut y = Axis::of_amounts([f64::from(most)].into_iter(), 4);
    y.from = room;
    y.ticks.retain(|tick| libm::rint(*tick).to_bits() == tick.to_bits());
    y.decimals = 0;
    let frame = Frame {
        header: format!("{} ({})", sample.label, counted(sample.values.len())),
        left: LEFT,
        x: x.clone(),
        x_label,
        y,
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(area, &frame)?;
    let bars = counts.iter().enumerate().filter(|(_, runs)| **runs > 0).map(|(index, runs)| {
        Rectangle::new(
            [(bins.edge(index), 0.0), (bins.edge(index + 1), f64::from(*runs))],
            BLUE_LIGHT.filled(),
        )
    });
    chart.draw_series(bars)?;
    chart.draw_series([PathElement::new([(x.from, 0.0), (x.to, 0.0)], INK.stroke_width(2))])?;
    if let Some(Spread { low, median, high }) = Spread::of(&sample.values) {
        let middle = room / 2.0;
        chart.draw_series([PathElement::new([(low, middle), (high, middle)], VERMILLION.stroke_width(8))])?;
        let tick = [(median, room * 0.1), (median, room * 0.9)];
        chart.draw_series([PathElement::new(tick, VERMILLION.stroke_width(12))])?;
    }
    Ok(())
}
