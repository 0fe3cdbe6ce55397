//! Rows of names with a range each over one axis: forest plots, ranges beside what was observed, quantiles of many points.

use super::Hit;
use super::axis::Axis;
use super::frame::{
    Area, BOTTOM, Chart, Drawn, Frame, GAP, HEADER_HEIGHT, INK, Legend, PALE, RIGHT, TICK_TEXT, TITLE_HEIGHT,
    WIDTH, draw_frame, draw_legend, draw_title, drawing, text,
};
use plotters::prelude::*;

/// Pixels of a row.
const ROW: i32 = 64;
/// Left end of the names.
const NAMES: i32 = 40;
/// Left end of the data.
const DATA: i32 = 760;
/// Letters of a name that fit between the two.
pub(super) const NAME: usize = 36;

/// A range in a row with a mark in it.
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Where a mark is.
    pub(super) middle: f64,
    pub(super) color: RGBColor,
    /// From the top of the row (0) to its bottom (1): where its line lies.
    pub(super) at: f64,
    /// Pixels of its line.
    pub(super) width: u32,
}

/// A row.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) ranges: Vec<Range>,
    /// What a pointer is told.
    pub(super) said: String,
}

/// Rows over one axis.
pub(super) struct Panel {
    pub(super) header: String,
    pub(super) x_label: String,
    pub(super) rows: Vec<Row>,
    /// A zone behind all rows.
    pub(super) zone: Option<(f64, f64)>,
    /// Where the axis ends, whatever lies beyond.
    pub(super) most: Option<(f64, f64)>,
}

/// What stands above all panels.
pub(super) struct Heading<'a> {
    pub(super) title: &'a str,
    pub(super) below: &'a str,
    pub(super) legend: &'a [Legend<'a>],
}

/// Draws panels of rows, and returns what a pointer is told.
pub(super) fn draw(heading: &Heading<'_>, panels: &[Panel]) -> (String, Vec<Hit>) {
    let height = TITLE_HEIGHT + panels.iter().map(Panel::height).sum::<i32>();
    let svg = drawing(height, |root| {
        draw_title(root, heading.title, heading.below)?;
        draw_legend(root, 112, heading.legend)?;
        let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
        for (panel, letter) in panels.iter().zip('a'..) {
            let (area, below) = rest.split_vertically(panel.height());
            rest = below;
            let letter = (panels.len() > 1).then_some(letter);
            draw_panel(panel, letter, &area)?;
        }
        Ok(())
    });
    let mut hits = Vec::new();
    let mut top = TITLE_HEIGHT;
    for panel in panels {
        for (index, row) in (0..).zip(&panel.rows) {
            let place = (NAMES, top + HEADER_HEIGHT + index * ROW, WIDTH as i32 - RIGHT - NAMES, ROW);
            hits.push(Hit { place, text: format!("{}\n{}", row.name, row.said) });
        }
        top += panel.height();
    }
    (svg, hits)
}

impl Panel {
    fn height(&self) -> i32 {
        HEADER_HEIGHT + ROW * self.rows.len() as i32 + BOTTOM + 16 + GAP
    }

    fn axis(&self) -> Axis {
        let ends = self
            .rows
            .iter()
            .flat_map(|row| row.ranges.iter().flat_map(|range| [range.low, range.high, range.middle]));
        let zone = self.zone.into_iter().flat_map(|(from, to)| [from, to]);
        let (least, most) = self.most.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        Axis::of_values(ends.chain(zone).chain([0.0]).map(|value| value.clamp(least, most)), 8)
    }
}

fn draw_panel(panel: &Panel, letter: Option<char>, area: &Area<'_>) -> Drawn<()> {
    let rows = panel.rows.len() as f64;
    let x = panel.axis();
    let (area, _) = area.split_vertically(panel.height() - GAP);
    let frame = Frame {
        header: letter.map_or_else(|| panel.header.clone(), |letter| format!("({letter}) {}", panel.header)),
        left: DATA,
        x: x.clone(),
        x_label: Some(panel.x_label.clone()),
        // The first row is on top.
        y: Axis { from: rows, to: 0.0, ticks: Vec::new(), decimals: 0 },
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(&area, &frame)?;
    if let Some((from, to)) = panel.zone {
        chart
            .draw_series([Rectangle::new([(from.max(x.from), 0.0), (to.min(x.to), rows)], PALE.filled())])?;
    }
    chart.draw_series([PathElement::new([(0.0, 0.0), (0.0, rows)], INK.stroke_width(2))])?;
    for (index, row) in panel.rows.iter().enumerate() {
        let middle = HEADER_HEIGHT + ROW * index as i32 + (ROW >> 1);
        area.draw(&Text::new(row.name.clone(), (NAMES, middle), text(TICK_TEXT, FontStyle::Normal)))?;
        draw_row(row, index as f64, &x, &mut chart)?;
    }
    Ok(())
}

fn draw_row(row: &Row, top: f64, x: &Axis, chart: &mut Chart<'_, '_>) -> Drawn<()> {
    for range in &row.ranges {
        let y = top + range.at;
        let (low, high) = (range.low.clamp(x.from, x.to), range.high.clamp(x.from, x.to));
        chart
            .draw_series([PathElement::new([(low, y), (high, y)], range.color.stroke_width(range.width))])?;
        if (x.from..=x.to).contains(&range.middle) {
            let tick = [(range.middle, y - 0.13), (range.middle, y + 0.13)];
            chart.draw_series([PathElement::new(tick, INK.stroke_width(7))])?;
        }
    }
    Ok(())
}
