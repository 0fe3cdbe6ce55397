//! Panels one above the other over one axis of time: what the figure of a crash and the fan chart are made of.

use super::Hit;
use super::axis::{Axis, TimeUnit};
use super::frame::{
    Area, BOTTOM, Chart, Drawn, Frame, GAP, HEADER_HEIGHT, INK, LABEL_TEXT, LEFT, Legend, MOST_HEIGHT, RIGHT,
    TICK_TEXT, TITLE_HEIGHT, WIDTH, draw_frame, draw_title, drawing, text,
};
use super::thin;
use plotters::prelude::*;
use std::fmt::Write as _;

/// Points of a line in each of so many columns are thinned to its extremes.
const COLUMNS: usize = 850;
/// Moments whose values are shown where a pointer is: each a dozen pixels wide on a screen.
const MOST_HITS: usize = 120;

/// Something drawn over time; values are NaN where there is none.
pub(super) enum Layer<'a> {
    /// Between two lines.
    Band { low: &'a [f64], high: &'a [f64], color: RGBColor, label: &'static str },
    /// A line of this width.
    Line { values: &'a [f64], color: RGBColor, width: u32, label: &'static str },
    /// Amounts since the time before, summed: upwards, or downwards where they are of the other side.
    Bars { amounts: &'a [f64], color: RGBColor, upwards: bool, label: &'static str },
}

/// Where a vertical axis begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A little beyond the values.
    Values,
    /// As above, zero included.
    ValuesAndZero,
    /// At zero, as amounts do.
    Amounts,
}

/// One panel.
pub(super) struct Panel<'a> {
    pub(super) header: String,
    /// Pixels with its header, where there is room enough.
    pub(super) height: i32,
    /// What values are divided by.
    pub(super) scale: f64,
    pub(super) reach: Reach,
    pub(super) has_zero_line: bool,
    pub(super) legend: Vec<Legend<'a>>,
    /// The first lies below.
    pub(super) layers: Vec<Layer<'a>>,
}

/// A figure of panels.
pub(super) struct Stack<'a> {
    pub(super) title: &'a str,
    pub(super) below: &'a str,
    /// Seconds since the start, increasing, evenly spaced.
    pub(super) time_s: &'a [f64],
    pub(super) panels: Vec<Panel<'a>>,
}

/// Returns how wide the bars of amounts over these times are, in words.
pub(super) fn bar_label(time_s: &[f64]) -> String {
    TimeUnit::span_label(thin::bins(time_s, &[], thin::MOST_BARS).width)
}

struct TimeAxis {
    unit: TimeUnit,
    axis: Axis,
}

impl Stack<'_> {
    /// Draws the figure.
    pub(super) fn draw(&self) -> String {
        let heights = self.heights();
        drawing(TITLE_HEIGHT + heights.iter().sum::<i32>() + BOTTOM, |root| {
            draw_title(root, self.title, self.below)?;
            let time = self.time_axis();
            let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
            for (index, ((panel, &height), letter)) in self.panels.iter().zip(&heights).zip('a'..).enumerate()
            {
                let last = index + 1 == self.panels.len();
                let (area, below) = rest.split_vertically(if last { height + BOTTOM } else { height });
                rest = below;
                self.draw_panel(panel, &Place { area, time: &time, letter, last })?;
            }
            Ok(())
        })
    }

    /// Returns where a pointer meets which values: strips as high as the figure, each of one moment.
    pub(super) fn hits(&self) -> Vec<Hit> {
        let samples = self.time_s.len();
        let per_hit = samples.div_ceil(MOST_HITS).max(1);
        let (left, right) = (f64::from(LEFT), f64::from(WIDTH as i32 - RIGHT));
        let height = self.heights().iter().sum::<i32>();
        let time = self.time_axis();
        let x = |index: usize| {
            let end = self.time_s[index] / time.unit.seconds();
            left + (end - time.axis.from) / (time.axis.to - time.axis.from) * (right - left)
        };
        let mut from = left;
        (per_hit - 1..samples)
            .step_by(per_hit)
            .map(|index| {
                let to = x(index);
                let place = (from as i32, TITLE_HEIGHT, (to - from).max(1.0) as i32, height);
                from = to;
                let clock = self.time_s[index] / time.unit.seconds();
                let mut text = format!("{} {}", short(clock), time.unit.symbol());
                for panel in &self.panels {
                    let _ = write!(text, "\n{}", panel.header);
                    for layer in &panel.layers {
                        let _ = write!(text, "\n  {}", layer.said(index, per_hit, panel.scale));
                    }
                }
                Hit { place, text }
            })
            .collect()
    }

    fn time_axis(&self) -> TimeAxis {
        // What is recorded at a time happened in the interval before it.
        let interval = thin::sampling_interval(self.time_s);
        let from = self.time_s.first().map_or(0.0, |first| first - interval);
        let to = self.time_s.last().copied().unwrap_or(0.0);
        let unit = TimeUnit::of_span(to - from);
        TimeAxis { unit, axis: Axis::of_time(from / unit.seconds(), to / unit.seconds(), unit) }
    }

    /// Heights of panels one above the other: in proportion where they would not fit on a sheet.
    fn heights(&self) -> Vec<i32> {
        let wanted: i32 = self.panels.iter().map(|panel| panel.height).sum();
        let there_is = (MOST_HEIGHT - TITLE_HEIGHT - BOTTOM).min(wanted);
        // Even, as half of it is shown.
        self.panels.iter().map(|panel| (panel.height * there_is).div_euclid(2 * wanted) << 1).collect()
    }

    fn draw_panel(&self, panel: &Panel<'_>, place: &Place<'_, '_>) -> Drawn<()> {
        let Place { area, time, letter, last } = place;
        let bars: Vec<(thin::Bins, f64, RGBColor)> =
            panel.layers.iter().filter_map(|layer| self.bars(layer)).collect();
        let lines = panel.layers.iter().flat_map(Layer::edges).flatten().copied();
        let bar_ends = bars.iter().flat_map(|(bins, sign, _)| bins.sums.iter().map(move |sum| sum * sign));
        let values = || lines.clone().chain(bar_ends.clone()).map(|value| value / panel.scale);
        let most = place.most_ticks();
        let frame = Frame {
            header: format!("({letter}) {}", panel.header),
            left: LEFT,
            x: time.axis.clone(),
            x_label: last.then(|| format!("time since the start [{}]", time.unit.symbol())),
            y: match panel.reach {
                Reach::Values => Axis::of_values(values(), most),
                Reach::ValuesAndZero => Axis::of_values(values().chain([0.0]), most),
                Reach::Amounts => Axis::of_amounts(values(), most),
            },
            mirrored: bars.iter().any(|(_, sign, _)| *sign < 0.0),
            legend: &panel.legend,
        };
        let mut chart = draw_frame(area, &frame)?;
        if panel.has_zero_line && bars.is_empty() {
            draw_zero(&mut chart, time)?;
        }
        for layer in &panel.layers {
            self.draw_layer(layer, panel.scale, time, &mut chart)?;
        }
        if !bars.is_empty() {
            if bars.iter().all(|(bins, _, _)| bins.sums.iter().all(|sum| *sum <= 0.0)) {
                let height = area.dim_in_pixel().1 as i32;
                let middle = (LEFT + 30, (HEADER_HEIGHT + height).div_euclid(2));
                area.draw(&Text::new("none", middle, text(LABEL_TEXT, FontStyle::Normal)))?;
            }
            draw_zero(&mut chart, time)?;
        }
        Ok(())
    }

    fn bars(&self, layer: &Layer<'_>) -> Option<(thin::Bins, f64, RGBColor)> {
        match layer {
            Layer::Bars { amounts, color, upwards, .. } => {
                let bins = thin::bins(self.time_s, amounts, thin::MOST_BARS);
                Some((bins, if *upwards { 1.0 } else { -1.0 }, *color))
            }
            Layer::Band { .. } | Layer::Line { .. } => None,
        }
    }

    fn draw_layer(
        &self,
        layer: &Layer<'_>,
        scale: f64,
        time: &TimeAxis,
        chart: &mut Chart<'_, '_>,
    ) -> Drawn<()> {
        let seconds = time.unit.seconds();
        let in_unit = |points: Vec<thin::Point>| -> Vec<thin::Point> {
            points.into_iter().map(|(at, value)| (at / seconds, value / scale)).collect()
        };
        match layer {
            Layer::Band { low, high, color, .. } => {
                for outline in thin::band(self.time_s, low, high, COLUMNS) {
                    chart.draw_series([Polygon::new(in_unit(outline), color.filled())])?;
                }
            }
            Layer::Line { values, color, width, .. } => {
                for piece in thin::line(self.time_s, values, COLUMNS) {
                    chart.draw_series([PathElement::new(in_unit(piece), color.stroke_width(*width))])?;
                }
            }
            Layer::Bars { .. } => {
                let (bins, sign, color) = self.bars(layer).expect("they are bars");
                let bars =
                    bins.sums.iter().enumerate().filter(|(_, sum)| **sum != 0.0).map(|(index, sum)| {
                        let from = (bins.from + bins.width * index as f64) / seconds;
                        let to = from + bins.width / seconds;
                        let (from, to) = (from.max(time.axis.from), to.min(time.axis.to));
                        Rectangle::new([(from, 0.0), (to, sign * sum / scale)], color.filled())
                    });
                chart.draw_series(bars)?;
            }
        }
        Ok(())
    }
}

impl<'a> Layer<'a> {
    /// Returns the lines that it consists of.
    fn edges(&self) -> [&'a [f64]; 2] {
        match self {
            Self::Band { low, high, .. } => [low, high],
            Self::Line { values, .. } => [values, &[]],
            Self::Bars { .. } => [&[], &[]],
        }
    }

    /// Says its value at a moment; of amounts their sum over so many samples up to it.
    fn said(&self, index: usize, samples: usize, scale: f64) -> String {
        match self {
            Self::Band { low, high, label, .. } => {
                format!("{label} {} .. {}", short(low[index] / scale), short(high[index] / scale))
            }
            Self::Line { values, label, .. } => format!("{label} {}", short(values[index] / scale)),
            Self::Bars { amounts, label, .. } => {
                let amounts = &amounts[(index + 1).saturating_sub(samples)..=index];
                let sum: f64 = amounts.iter().filter(|amount| amount.is_finite()).sum();
                format!("{label} {} in {samples} samples", short(sum / scale))
            }
        }
    }
}

/// Where a panel goes.
struct Place<'t, 'a> {
    area: Area<'a>,
    time: &'t TimeAxis,
    /// (a), (b) and so on.
    letter: char,
    /// Whether times are written below it.
    last: bool,
}

impl Place<'_, '_> {
    /// Returns the most ticks that its data area has room for.
    fn most_ticks(&self) -> usize {
        let below = if self.last { BOTTOM } else { 0 };
        let height = self.area.dim_in_pixel().1 as i32 - HEADER_HEIGHT - GAP - below;
        (f64::from(height) / (1.15 * TICK_TEXT)).clamp(2.0, 10.0) as usize
    }
}

fn draw_zero(chart: &mut Chart<'_, '_>, time: &TimeAxis) -> Drawn<()> {
    let zero = [(time.axis.from, 0.0), (time.axis.to, 0.0)];
    chart.draw_series([PathElement::new(zero, INK.stroke_width(2))])?;
    Ok(())
}

/// Writes a number with five digits at most.
pub(super) fn short(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let decimals = match value.abs() {
        size if !(1e-12..1e4).contains(&size) => 0,
        size if size >= 1e3 => 1,
        size if size >= 100.0 => 2,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    let text = format!("{:.decimals$}", value + 0.0);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
