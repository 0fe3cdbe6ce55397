//! The heat map of liquidation prices: how much would be liquidated at which price, over time, with the mark's path through it.

use super::axis::{Axis, TimeUnit, amount_scale};
use super::frame::{
    BOTTOM, Drawn, Frame, HEADER_HEIGHT, INK, LEFT, LEVELS, Legend, RIGHT, Swatch, TITLE_HEIGHT, VERMILLION,
    WIDTH, draw_frame, draw_legend, draw_title, drawing,
};
use super::panels::short;
use super::{Figure, Hit, thin};
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pixels of the data.
const HEIGHT: i32 = 1_400;
/// Columns of pointers' rectangles: wide enough to be met.
const MOST_HITS: usize = 60;

/// What would be liquidated in a range of prices from a moment on.
#[derive(Clone, Copy, Debug)]
pub(in crate::output) struct Spot {
    pub(in crate::output) time_s: f64,
    pub(in crate::output) price_from: f64,
    pub(in crate::output) price_to: f64,
    pub(in crate::output) usd: f64,
}

/// What to draw.
pub(in crate::output) struct HeatMap<'a> {
    pub(in crate::output) title: &'a str,
    pub(in crate::output) below: &'a str,
    /// By time.
    pub(in crate::output) spots: &'a [Spot],
    /// Times and values of the mark.
    pub(in crate::output) mark: (&'a [f64], &'a [f64]),
}

/// Draws notional by liquidation price over time; none without a spot.
pub(in crate::output) fn heat_figure(map: &HeatMap<'_>) -> Option<Figure> {
    let scale = Scale::of(map)?;
    let height = TITLE_HEIGHT + HEADER_HEIGHT + HEIGHT + BOTTOM + 16;
    let (by, unit) = amount_scale(scale.most);
    let steps = [0_u32, 2, 4].map(|halvings| {
        let from = scale.most / f64::from(1_u32 << (halvings + 1)) / by;
        (
            LEVELS[LEVELS.len() - 1 - halvings as usize],
            format!("> {}", short(libm::rint(from * 100.0) / 100.0)),
        )
    });
    let mut legend: Vec<Legend<'_>> = vec![(Swatch::Line(5), VERMILLION, "mark")];
    legend.extend(steps.iter().rev().map(|(color, label)| (Swatch::Area, *color, label.as_str())));
    let svg = drawing(height, |root| {
        draw_title(root, map.title, &format!("{}, shades in {unit}USD", map.below))?;
        draw_legend(root, 112, &legend)?;
        let (_, area) = root.split_vertically(TITLE_HEIGHT);
        draw(map, &scale, &area)
    });
    Some(Figure {
        name: "liquidation_map",
        title: "Where open positions would be liquidated".to_owned(),
        caption: "Notional of open positions by their liquidation price: longs lie below the mark and shorts above it. A fall sells \
                  what it passes through; what the mark has reached is gone. Each step of the scale is twice the step before."
            .to_owned(),
        svg,
        hits: scale.hits(map),
    })
}

/// A rectangle of one level.
struct HeatBand {
    from_s: f64,
    to_s: f64,
    price_from: f64,
    price_to: f64,
    level: usize,
}

struct Scale {
    unit: TimeUnit,
    x: Axis,
    y: Axis,
    /// Seconds between two columns.
    width: f64,
    most: f64,
}

impl Scale {
    fn of(map: &HeatMap<'_>) -> Option<Self> {
        let (first, last) = (map.spots.first()?.time_s, map.spots.last()?.time_s);
        let next = map.spots.iter().map(|spot| spot.time_s).find(|time| *time > first);
        let width = next.map_or(1.0, |next| next - first);
        let unit = TimeUnit::of_span(last - first);
        let x = Axis::of_time(first / unit.seconds(), (last + width) / unit.seconds(), unit);
        let most = map.spots.iter().map(|spot| spot.usd).fold(0.0, f64::max);
        let prices = map.spots.iter().flat_map(|spot| [spot.price_from, spot.price_to]);
        let y = Axis::of_values(prices.chain(map.mark.1.iter().copied()), 10);
        (most > 0.0).then_some(Self { unit, x, y, width, most })
    }

    /// Returns the level of an amount: each is twice the one before, so that small ones are seen beside large ones.
    fn level(&self, usd: f64) -> usize {
        let halvings = libm::floor(libm::log2(self.most / usd)) as usize;
        (LEVELS.len() - 1).saturating_sub(halvings)
    }

    /// Joins what has one level over successive moments: a drawing of a tenth of the size, and without seams.
    fn bands(&self, spots: &[Spot]) -> Vec<HeatBand> {
        let mut bands: Vec<HeatBand> = Vec::new();
        let mut latest: BTreeMap<u64, usize> = BTreeMap::new();
        for spot in spots.iter().filter(|spot| spot.usd > 0.0) {
            let (level, to_s) = (self.level(spot.usd), spot.time_s + self.width);
            let last = latest.get(&spot.price_from.to_bits()).map(|index| &mut bands[*index]);
            let is_next =
                |band: &HeatBand| band.level == level && band.to_s >= spot.time_s - 0.01 * self.width;
            if let Some(band) = last.filter(|band| is_next(band)) {
                band.to_s = to_s;
            } else {
                latest.insert(spot.price_from.to_bits(), bands.len());
                let Spot { time_s: from_s, price_from, price_to, .. } = *spot;
                bands.push(HeatBand { from_s, to_s, price_from, price_to, level });
            }
        }
        bands
    }

    fn hits(&self, map: &HeatMap<'_>) -> Vec<Hit> {
        let mut columns: BTreeMap<u64, Vec<&Spot>> = BTreeMap::new();
        for spot in map.spots {
            columns.entry(spot.time_s.max(0.0).to_bits()).or_default().push(spot);
        }
        let every = columns.len().div_ceil(MOST_HITS).max(1);
        let across = |time: f64| {
            let share = (time / self.unit.seconds() - self.x.from) / (self.x.to - self.x.from);
            LEFT + (share * f64::from(WIDTH as i32 - RIGHT - LEFT)) as i32
        };
        let hit = |spots: &Vec<&Spot>| {
            let time = spots[0].time_s;
            let (left, right) =
                (across(time), across(time + self.width * every as f64).min(WIDTH as i32 - RIGHT));
            let mut largest = spots.clone();
            largest.sort_by(|a, b| b.usd.total_cmp(&a.usd));
            let mut text = format!("{} {}", short(time / self.unit.seconds()), self.unit.symbol());
            for spot in largest.iter().take(6) {
                let (scale, unit) = amount_scale(spot.usd);
                let (from, to) = (short(spot.price_from), short(spot.price_to));
                let _ = write!(text, "\n{from} .. {to}: {} {unit}USD", short(spot.usd / scale));
            }
            Hit { place: (left, TITLE_HEIGHT + HEADER_HEIGHT, (right - left).max(1), HEIGHT), text }
        };
        columns.values().step_by(every).map(hit).collect()
    }
}

fn draw(map: &HeatMap<'_>, scale: &Scale, area: &super::frame::Area<'_>) -> Drawn<()> {
    let frame = Frame {
        header: "Liquidation price [USD]".to_owned(),
        left: LEFT,
        x: scale.x.clone(),
        x_label: Some(format!("time since the start [{}]", scale.unit.symbol())),
        y: scale.y.clone(),
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(area, &frame)?;
    let seconds = scale.unit.seconds();
    for band in scale.bands(map.spots) {
        let corners = [
            (band.from_s / seconds, band.price_from),
            ((band.to_s / seconds).min(scale.x.to), band.price_to),
        ];
        chart.draw_series([Rectangle::new(corners, LEVELS[band.level].filled())])?;
    }
    for style in [WHITE.stroke_width(9), VERMILLION.stroke_width(5)] {
        for piece in thin::line(map.mark.0, map.mark.1, 850) {
            let piece: Vec<_> = piece.into_iter().map(|(time, mark)| (time / seconds, mark)).collect();
            chart.draw_series([PathElement::new(piece, style)])?;
        }
    }
    chart.draw_series([PathElement::new(
        [(scale.x.from, scale.y.from), (scale.x.to, scale.y.from)],
        INK.stroke_width(2),
    )])?;
    Ok(())
}
