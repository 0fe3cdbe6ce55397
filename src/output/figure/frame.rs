//! What all figures share: size, colours, letters, and the frame of a panel with header, legend, grid and axes.

use super::axis::Axis;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels of a drawing's width. It is shown at half of this, so that lines, which have whole coordinates, look smooth.
pub(super) const WIDTH: u32 = 2000;
/// Height of a sheet of paper of that width: panels are made less high rather than beyond it.
pub(super) const MOST_HEIGHT: i32 = 2828;
/// Height of the title.
pub(super) const TITLE_HEIGHT: i32 = 150;
pub(super) const HEADER_HEIGHT: i32 = 80;
pub(super) const LEFT: i32 = 160;
pub(super) const RIGHT: i32 = 50;
/// Room for the labels below the last panel.
pub(super) const BOTTOM: i32 = 118;
/// Between a panel and the next header.
pub(super) const GAP: i32 = 30;

pub(super) const TITLE_TEXT: f64 = 48.0;
pub(super) const LABEL_TEXT: f64 = 38.0;
pub(super) const TICK_TEXT: f64 = 34.0;
/// Width of a letter in an unknown sans-serif font as a share of its size, for the places of texts beside each other.
const LETTER: f64 = 0.58;

pub(super) const INK: RGBColor = RGBColor(0, 0, 0);
pub(super) const SKY_BLUE: RGBColor = RGBColor(86, 180, 233);
pub(super) const VERMILLION: RGBColor = RGBColor(213, 94, 0);
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(super) const PURPLE: RGBColor = RGBColor(204, 121, 167);
/// The same colours for the bands of a fan: opaque, so that what lies below does not shine through and print is as the screen.
pub(super) const BLUE_PALE: RGBColor = RGBColor(204, 227, 240);
pub(super) const BLUE_LIGHT: RGBColor = RGBColor(127, 184, 216);
pub(super) const ORANGE_PALE: RGBColor = RGBColor(250, 236, 204);
pub(super) const ORANGE_LIGHT: RGBColor = RGBColor(242, 207, 128);
pub(super) const GREEN_PALE: RGBColor = RGBColor(204, 236, 227);
pub(super) const GREEN_LIGHT: RGBColor = RGBColor(128, 207, 185);
pub(super) const PURPLE_PALE: RGBColor = RGBColor(245, 228, 237);
pub(super) const PURPLE_LIGHT: RGBColor = RGBColor(229, 188, 211);
pub(super) const GREY: RGBColor = RGBColor(205, 205, 205);
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
/// Between the cells of a surface, and what is unimportant.
pub(super) const MESH: RGBColor = RGBColor(120, 120, 120);
/// A zone behind the data.
pub(super) const PALE: RGBColor = RGBColor(240, 241, 243);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
pub(super) type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

#[derive(Clone, Copy)]
pub(super) enum Swatch {
    Line(u32),
    Area,
}

/// A line of a legend.
pub(super) type Legend<'a> = (Swatch, RGBColor, &'a str);

/// Makes a drawing of this height.
pub(super) fn drawing(height: i32, draw: impl FnOnce(&Area<'_>) -> Drawn<()>) -> String {
    let height = height as u32;
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE).expect(IN_MEMORY);
    draw(&root).expect(IN_MEMORY);
    root.present().expect(IN_MEMORY);
    drop(root);
    shrink(&svg, height)
}

const IN_MEMORY: &str = "a drawing in memory meets no error";

/// Writes the two lines above a figure.
pub(super) fn draw_title(root: &Area<'_>, title: &str, below: &str) -> Drawn<()> {
    root.draw(&Text::new(title.to_owned(), (LEFT, 55), text(TITLE_TEXT, FontStyle::Bold)))?;
    root.draw(&Text::new(below.to_owned(), (LEFT, 112), text(TICK_TEXT, FontStyle::Normal)))
}

/// What stands around the data of a panel.
pub(super) struct Frame<'a> {
    /// Quantity and unit.
    pub(super) header: String,
    /// Room for what stands left of the data.
    pub(super) left: i32,
    pub(super) x: Axis,
    /// What the horizontal axis shows; nothing is written below the panel without it.
    pub(super) x_label: Option<String>,
    pub(super) y: Axis,
    /// What is below zero are amounts of the other side, not negative ones.
    pub(super) mirrored: bool,
    pub(super) legend: &'a [Legend<'a>],
}

/// Draws header, legend, grid and axes of a panel, and returns where its data go.
pub(super) fn draw_frame<'a, 'b>(area: &'a Area<'b>, frame: &Frame<'_>) -> Drawn<Chart<'a, 'b>> {
    let middle = HEADER_HEIGHT - 34;
    area.draw(&Text::new(frame.header.clone(), (LEFT, middle), text(LABEL_TEXT, FontStyle::Bold)))?;
    draw_legend(area, middle, frame.legend)?;
    let last = frame.x_label.is_some();
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEADER_HEIGHT)
        .margin_right(RIGHT)
        .margin_bottom(if last { 16 } else { GAP })
        .set_label_area_size(LabelAreaPosition::Left, frame.left)
        .set_label_area_size(LabelAreaPosition::Bottom, if last { BOTTOM } else { 0 })
        .build_cartesian_2d(frame.x.clone(), frame.y.clone())?;
    let shown = |tick: &f64| if frame.mirrored { tick.abs() } else { *tick };
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(INK.stroke_width(3))
        .label_style(text(TICK_TEXT, FontStyle::Normal))
        .axis_desc_style(text(LABEL_TEXT, FontStyle::Normal))
        .x_desc(frame.x_label.as_deref().unwrap_or_default())
        .x_label_formatter(&|tick| if last { frame.x.label(*tick) } else { String::new() })
        .y_label_formatter(&|tick| frame.y.label(shown(tick)))
        .draw()?;
    Ok(chart)
}

/// Returns about how wide a text is.
pub(super) fn width_of(text: &str, size: f64) -> i32 {
    (text.chars().count() as f64 * LETTER * size) as i32
}

pub(super) fn draw_legend(area: &Area<'_>, middle: i32, legend: &[Legend<'_>]) -> Drawn<()> {
    const SWATCH: i32 = 60;
    const TO_LABEL: i32 = 14;
    const BETWEEN: i32 = 46;
    let width = |label: &str| width_of(label, TICK_TEXT);
    let total: i32 = legend.iter().map(|(_, _, label)| SWATCH + TO_LABEL + width(label) + BETWEEN).sum();
    let mut left = WIDTH as i32 - RIGHT - total + BETWEEN;
    for (swatch, color, label) in legend {
        let right = left + SWATCH;
        match swatch {
            Swatch::Line(width) => {
                let line = [(left, middle), (right, middle)];
                area.draw(&PathElement::new(line, color.stroke_width(*width)))?;
            }
            Swatch::Area => {
                area.draw(&Rectangle::new([(left, middle - 16), (right, middle + 16)], color.filled()))?;
            }
        }
        let label = (*label).to_owned();
        left = right + TO_LABEL + width(&label) + BETWEEN;
        area.draw(&Text::new(label, (right + TO_LABEL, middle), text(TICK_TEXT, FontStyle::Normal)))?;
    }
    Ok(())
}

pub(super) fn text(size: f64, style: FontStyle) -> TextStyle<'static> {
    // The backend divides sizes by 1.24, so that they fit the boxes of its bitmap fonts.
    let font = FontDesc::new(FontFamily::SansSerif, size * 1.24, style);
    TextStyle::from(font).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Shows a drawing of this height at half its size and keeps its coordinates.
fn shrink(svg: &str, height: u32) -> String {
    let size = |width: u32, height: u32| format!("width=\"{width}\" height=\"{height}\"");
    svg.replacen(&size(WIDTH, height), &size(WIDTH >> 1, height >> 1), 1)
}

/// Seven steps from little to much, of one hue and even in lightness (interpolated from white to Okabe and Ito's blue and on to
/// black).
pub(super) const LEVELS: [RGBColor; 7] = [
    RGBColor(235, 244, 249),
    RGBColor(199, 223, 237),
    RGBColor(155, 198, 223),
    RGBColor(104, 169, 208),
    RGBColor(40, 130, 185),
    RGBColor(0, 92, 144),
    RGBColor(0, 52, 84),
];
/// Ink on the lower half of the levels and on the upper.
pub(super) const ON_LOW: RGBColor = RGBColor(1, 1, 1);
pub(super) const ON_HIGH: RGBColor = RGBColor(254, 254, 254);

/// What takes the place of each colour on a dark screen. Dark tones are lighter there and pale ones darker, so that what stood
/// out still does.
pub(in crate::output) const DARK: [(RGBColor, RGBColor); 29] = [
    (WHITE, RGBColor(20, 23, 28)),
    (INK, RGBColor(232, 232, 232)),
    (SKY_BLUE, RGBColor(108, 188, 236)),
    (BLUE, RGBColor(74, 168, 224)),
    (BLUE_PALE, RGBColor(20, 46, 63)),
    (BLUE_LIGHT, RGBColor(34, 90, 126)),
    (VERMILLION, RGBColor(240, 122, 58)),
    (ORANGE, RGBColor(240, 175, 40)),
    (ORANGE_PALE, RGBColor(60, 46, 16)),
    (ORANGE_LIGHT, RGBColor(126, 98, 32)),
    (GREEN, RGBColor(44, 196, 154)),
    (GREEN_PALE, RGBColor(16, 54, 43)),
    (GREEN_LIGHT, RGBColor(28, 110, 87)),
    (PURPLE, RGBColor(224, 150, 190)),
    (PURPLE_PALE, RGBColor(60, 36, 51)),
    (PURPLE_LIGHT, RGBColor(126, 78, 105)),
    (GREY, RGBColor(66, 72, 80)),
    (GRID, RGBColor(44, 49, 57)),
    (MESH, RGBColor(90, 96, 104)),
    (PALE, RGBColor(30, 34, 41)),
    // What was much stays what stands out.
    (LEVELS[0], RGBColor(24, 32, 40)),
    (LEVELS[1], RGBColor(14, 48, 70)),
    (LEVELS[2], RGBColor(8, 66, 102)),
    (LEVELS[3], RGBColor(12, 90, 138)),
    (LEVELS[4], RGBColor(92, 160, 202)),
    (LEVELS[5], RGBColor(152, 200, 228)),
    (LEVELS[6], RGBColor(214, 234, 246)),
    (ON_LOW, RGBColor(244, 244, 244)),
    (ON_HIGH, RGBColor(8, 8, 8)),
];
