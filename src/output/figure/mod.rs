//! The figure of a crash: price, liquidations, depth, open interest and insurance fund over one axis of time, as an SVG for
//! print; with an index the basis too. A panel in which nothing would move is left out.
//!
//! It is drawn from plain slices and knows nothing of runs; the same input makes the same bytes. Colours are those of
//! Okabe and Ito (2008), which the colour-blind tell apart, and each pair differs in lightness too, for grey print.

mod axis;
#[cfg(test)]
mod tests;
mod thin;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use axis::{Axis, TimeUnit, amount_scale};
use thin::Point;

/// What to draw. All slices have one value for each time; NaN where there is none.
pub struct Series<'a> {
    /// First line of the figure.
    pub title: &'a str,
    /// When time zero is, and what the lines are: `start 2026-02-23 13:30 UTC, the first of 20 replicates`.
    pub start_label: &'a str,
    /// Seconds since the start, increasing, evenly spaced.
    pub time_s: &'a [f64],
    /// Last price in USD.
    pub price: &'a [f64],
    /// Mark price in USD.
    pub mark: &'a [f64],
    /// Spread of the mark price over replicates.
    pub price_band: Option<Band<'a>>,
    /// Longs liquidated since the time before in USD.
    pub liquidated_long_usd: &'a [f64],
    /// Shorts liquidated since the time before in USD.
    pub liquidated_short_usd: &'a [f64],
    /// Bids within 1 % in USD.
    pub depth_bid_usd: &'a [f64],
    /// Asks within 1 % in USD.
    pub depth_ask_usd: &'a [f64],
    /// Middle over index in hundredths of a percent; NaN without an index.
    pub basis_bps: &'a [f64],
    /// What is traded.
    pub coin: &'a str,
    /// Open interest in coins.
    pub open_interest: &'a [f64],
    /// Insurance fund in USD.
    pub fund_usd: &'a [f64],
}

/// The 5 % and 95 % quantiles over replicates, for each time.
#[derive(Clone, Copy)]
pub struct Band<'a> {
    /// 5 %.
    pub low: &'a [f64],
    /// 95 %.
    pub high: &'a [f64],
}

/// Pixels of the drawing's width. It is shown at half of this, so that lines, which have whole coordinates, look smooth.
const WIDTH: u32 = 2000;
/// Height of a sheet of paper of that width: panels are made less high rather than beyond it.
const MOST_HEIGHT: i32 = 2828;
/// Height of the title.
const TITLE_HEIGHT: i32 = 150;
const HEADER_HEIGHT: i32 = 80;
const LEFT: i32 = 160;
const RIGHT: i32 = 50;
/// Room for the time below the last panel.
const BOTTOM: i32 = 118;
/// Between a panel and the next header.
const GAP: i32 = 30;
/// Points of a line in each of so many columns are thinned to its extremes.
const COLUMNS: usize = 850;
/// More bars than this are too thin to be seen.
const MOST_BARS: usize = 300;

const TITLE_TEXT: f64 = 48.0;
const LABEL_TEXT: f64 = 38.0;
const TICK_TEXT: f64 = 34.0;
/// Width of a letter in an unknown sans-serif font as a share of its size, for the places of legend entries.
const LETTER: f64 = 0.58;

const BLACK_LINE: RGBColor = RGBColor(0, 0, 0);
const SKY_BLUE: RGBColor = RGBColor(86, 180, 233);
const VERMILLION: RGBColor = RGBColor(213, 94, 0);
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const GREY: RGBColor = RGBColor(205, 205, 205);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// Draws a crash over time.
///
/// # Panics
/// Panics if the slices differ in length.
pub fn crash_figure(series: &Series<'_>) -> String {
    series.check();
    let panels = series.panels();
    let heights = heights(&panels);
    let height = (TITLE_HEIGHT + heights.iter().sum::<i32>() + BOTTOM) as u32;
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    draw(series, &panels, &heights, &root).expect("a drawing in memory meets no error");
    drop(root);
    shrink(&svg, height)
}

impl Series<'_> {
    fn check(&self) {
        let lengths = [
            self.price.len(),
            self.mark.len(),
            self.price_band.map_or(self.time_s.len(), |band| band.low.len()),
            self.price_band.map_or(self.time_s.len(), |band| band.high.len()),
            self.liquidated_long_usd.len(),
            self.liquidated_short_usd.len(),
            self.depth_bid_usd.len(),
            self.depth_ask_usd.len(),
            self.basis_bps.len(),
            self.open_interest.len(),
            self.fund_usd.len(),
        ];
        assert_eq!(lengths, [self.time_s.len(); 11], "every line has a value for each time");
    }

    /// Returns the panels from top to bottom: those in which something is to be seen.
    fn panels(&self) -> Vec<Panel> {
        let is_shown = |panel: &Panel| match panel {
            Panel::Price | Panel::Liquidations | Panel::Depth => true,
            Panel::Basis => moves(self.basis_bps),
            Panel::OpenInterest => moves(self.open_interest),
            Panel::Fund => moves(self.fund_usd),
        };
        Panel::ALL.into_iter().filter(is_shown).collect()
    }

    fn time_axis(&self) -> TimeAxis {
        // What is recorded at a time happened in the interval before it.
        let interval = thin::sampling_interval(self.time_s);
        let from = self.time_s.first().map_or(0.0, |first| first - interval);
        let to = self.time_s.last().copied().unwrap_or(0.0);
        let unit = TimeUnit::of_span(to - from);
        TimeAxis { unit, axis: Axis::of_time(from / unit.seconds(), to / unit.seconds(), unit) }
    }
}

/// Tells whether a line has two different values.
fn moves(values: &[f64]) -> bool {
    let mut finite = values.iter().filter(|value| value.is_finite());
    finite.next().is_some_and(|first| finite.any(|value| value.total_cmp(first).is_ne()))
}

struct TimeAxis {
    unit: TimeUnit,
    axis: Axis,
}

/// What stands above what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Panel {
    Price,
    Basis,
    Liquidations,
    Depth,
    OpenInterest,
    Fund,
}

impl Panel {
    const ALL: [Self; 6] =
        [Self::Price, Self::Basis, Self::Liquidations, Self::Depth, Self::OpenInterest, Self::Fund];

    /// Returns its height with its header where there is room enough.
    const fn height(self) -> i32 {
        match self {
            Self::Price => 820,
            Self::Basis => 400,
            Self::Liquidations => 580,
            Self::Depth => 572,
            Self::OpenInterest | Self::Fund => 440,
        }
    }

    fn draw(self, series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
        match self {
            Self::Price => draw_price(series, place),
            Self::Basis => draw_basis(series, place),
            Self::Liquidations => draw_liquidations(series, place),
            Self::Depth => draw_depth(series, place),
            Self::OpenInterest => draw_open_interest(series, place),
            Self::Fund => draw_fund(series, place),
        }
    }
}

/// Heights of panels one above the other: in proportion where they would not fit on a sheet.
fn heights(panels: &[Panel]) -> Vec<i32> {
    let wanted: i32 = panels.iter().map(|panel| panel.height()).sum();
    let there_is = (MOST_HEIGHT - TITLE_HEIGHT - BOTTOM).min(wanted);
    // Even, as half of it is shown.
    panels.iter().map(|panel| (panel.height() * there_is).div_euclid(2 * wanted) << 1).collect()
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

/// The text around one panel.
struct Frame<'a> {
    /// Quantity and unit.
    header: String,
    y: Axis,
    /// What is below zero are amounts of the other side, not negative ones.
    mirrored: bool,
    legend: &'a [(Swatch, RGBColor, &'a str)],
}

#[derive(Clone, Copy)]
enum Swatch {
    Line(u32),
    Area,
}

fn draw(series: &Series<'_>, panels: &[Panel], heights: &[i32], root: &Area<'_>) -> Drawn<()> {
    root.fill(&WHITE)?;
    root.draw(&Text::new(series.title.to_owned(), (LEFT, 55), text(TITLE_TEXT, FontStyle::Bold)))?;
    root.draw(&Text::new(series.start_label.to_owned(), (LEFT, 112), text(TICK_TEXT, FontStyle::Normal)))?;
    let time = series.time_axis();
    let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
    for ((panel, &height), letter) in panels.iter().zip(heights).zip('a'..) {
        let last = Some(panel) == panels.last();
        let (area, below) = rest.split_vertically(if last { height + BOTTOM } else { height });
        rest = below;
        panel.draw(series, &Place { area, time: &time, letter, last })?;
    }
    root.present()
}

fn draw_price(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let band = series.price_band;
    let edges = band.map_or([&[][..]; 2], |band| [band.low, band.high]);
    let values = [series.price, series.mark].into_iter().chain(edges).flatten().copied();
    let legend = [
        (Swatch::Line(4), BLACK_LINE, "last"),
        (Swatch::Line(10), SKY_BLUE, "mark"),
        (Swatch::Area, GREY, "mark, 5-95 % of replicates"),
    ];
    let frame = Frame {
        header: "Price [USD]".to_owned(),
        y: Axis::of_values(values, place.most_ticks()),
        mirrored: false,
        legend: if band.is_some() { &legend } else { &legend[..2] },
    };
    let mut chart = draw_frame(place, &frame)?;
    if let Some(band) = band {
        for outline in thin::band(series.time_s, band.low, band.high, COLUMNS) {
            let outline = in_unit(outline, place.time.unit, 1.0);
            chart.draw_series([Polygon::new(outline, GREY.filled())])?;
        }
    }
    draw_line(&mut chart, series, (series.mark, 1.0), SKY_BLUE.stroke_width(10))?;
    draw_line(&mut chart, series, (series.price, 1.0), BLACK_LINE.stroke_width(4))
}

fn draw_basis(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let frame = Frame {
        header: "Basis: middle over index [bps]".to_owned(),
        y: Axis::of_values(series.basis_bps.iter().copied().chain([0.0]), place.most_ticks()),
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(place, &frame)?;
    draw_zero(&mut chart, place)?;
    draw_line(&mut chart, series, (series.basis_bps, 1.0), BLUE.stroke_width(4))
}

fn draw_liquidations(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let longs = thin::bins(series.time_s, series.liquidated_long_usd, MOST_BARS);
    let shorts = thin::bins(series.time_s, series.liquidated_short_usd, MOST_BARS);
    let largest = longs.sums.iter().chain(&shorts.sums).copied().fold(0.0, f64::max);
    let (scale, unit) = amount_scale(largest);
    let width = TimeUnit::span_label(longs.width);
    let up = longs.sums.iter().map(|sum| sum / scale);
    let down = shorts.sums.iter().map(|sum| -sum / scale);
    let frame = Frame {
        header: format!("Liquidated in {width} [{unit}USD]"),
        y: Axis::of_amounts(up.clone().chain(down.clone()), place.most_ticks()),
        mirrored: true,
        legend: &[(Swatch::Area, VERMILLION, "longs (up)"), (Swatch::Area, BLUE, "shorts (down)")],
    };
    let mut chart = draw_frame(place, &frame)?;
    let TimeAxis { unit, axis } = place.time;
    let mut bars = |sums: &mut dyn Iterator<Item = f64>, bins: &thin::Bins, color: RGBColor| {
        let bars = sums.enumerate().filter(|(_, sum)| *sum != 0.0).map(|(index, sum)| {
            let from = (bins.from + bins.width * index as f64) / unit.seconds();
            let to = from + bins.width / unit.seconds();
            Rectangle::new([(from.max(axis.from), 0.0), (to.min(axis.to), sum)], color.filled())
        });
        chart.draw_series(bars).map(|_| ())
    };
    bars(&mut up.clone(), &longs, VERMILLION)?;
    bars(&mut down.clone(), &shorts, BLUE)?;
    if largest <= 0.0 {
        let height = place.area.dim_in_pixel().1 as i32;
        let middle = (LEFT + 30, (HEADER_HEIGHT + height).div_euclid(2));
        place.area.draw(&Text::new("none", middle, text(LABEL_TEXT, FontStyle::Normal)))?;
    }
    draw_zero(&mut chart, place)
}

fn draw_depth(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let values = || series.depth_bid_usd.iter().chain(series.depth_ask_usd).copied();
    let (scale, unit) = amount_scale(largest_of(values()));
    let frame = Frame {
        header: format!("Depth within 1 % [{unit}USD]"),
        y: Axis::of_amounts(values().map(|value| value / scale), place.most_ticks()),
        mirrored: false,
        legend: &[(Swatch::Line(6), BLUE, "bids"), (Swatch::Line(6), ORANGE, "asks")],
    };
    let mut chart = draw_frame(place, &frame)?;
    draw_line(&mut chart, series, (series.depth_ask_usd, scale), ORANGE.stroke_width(6))?;
    draw_line(&mut chart, series, (series.depth_bid_usd, scale), BLUE.stroke_width(6))
}

fn draw_open_interest(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let (scale, unit) = amount_scale(largest_of(series.open_interest.iter().copied()));
    let frame = Frame {
        header: format!("Open interest [{unit}{}]", series.coin),
        y: Axis::of_values(series.open_interest.iter().map(|coins| coins / scale), place.most_ticks()),
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(place, &frame)?;
    draw_line(&mut chart, series, (series.open_interest, scale), GREEN.stroke_width(6))
}

/// Draws how far the fund is from what it had: a large one moves by less than the digits of its balance show.
fn draw_fund(series: &Series<'_>, place: &Place<'_, '_>) -> Drawn<()> {
    let first = series.fund_usd.iter().copied().find(|fund| fund.is_finite()).unwrap_or(0.0);
    let change: Vec<f64> = series.fund_usd.iter().map(|fund| fund - first).collect();
    let (scale, unit) = amount_scale(largest_of(change.iter().copied()));
    let (of_first, unit_of_first) = amount_scale(first);
    let first = libm::rint(first / of_first * 10.0) / 10.0;
    let frame = Frame {
        header: format!("Insurance fund: change from {first} {unit_of_first}USD [{unit}USD]"),
        y: Axis::of_values(change.iter().map(|change| change / scale), place.most_ticks()),
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(place, &frame)?;
    draw_zero(&mut chart, place)?;
    draw_line(&mut chart, series, (&change, scale), PURPLE.stroke_width(6))
}

/// Returns the largest size among finite values.
fn largest_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max)
}

fn draw_zero(chart: &mut Chart<'_, '_>, place: &Place<'_, '_>) -> Drawn<()> {
    let zero = [(place.time.axis.from, 0.0), (place.time.axis.to, 0.0)];
    chart.draw_series([PathElement::new(zero, BLACK_LINE.stroke_width(2))])?;
    Ok(())
}

/// Draws header, legend, grid and axes of a panel, and returns where its data go.
fn draw_frame<'a, 'b>(place: &'a Place<'_, 'b>, frame: &Frame<'_>) -> Drawn<Chart<'a, 'b>> {
    let Place { area, time, letter, last } = place;
    let middle = HEADER_HEIGHT - 34;
    let header = format!("({letter}) {}", frame.header);
    area.draw(&Text::new(header, (LEFT, middle), text(LABEL_TEXT, FontStyle::Bold)))?;
    draw_legend(area, middle, frame.legend)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEADER_HEIGHT)
        .margin_right(RIGHT)
        .margin_bottom(if *last { 16 } else { GAP })
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, if *last { BOTTOM } else { 0 })
        .build_cartesian_2d(time.axis.clone(), frame.y.clone())?;
    let x_label =
        if *last { format!("time since the start [{}]", time.unit.symbol()) } else { String::new() };
    let shown = |tick: &f64| if frame.mirrored { tick.abs() } else { *tick };
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225).stroke_width(2))
        .axis_style(BLACK_LINE.stroke_width(3))
        .label_style(text(TICK_TEXT, FontStyle::Normal))
        .axis_desc_style(text(LABEL_TEXT, FontStyle::Normal))
        .x_desc(x_label)
        .x_label_formatter(&|tick| if *last { time.axis.label(*tick) } else { String::new() })
        .y_label_formatter(&|tick| frame.y.label(shown(tick)))
        .draw()?;
    Ok(chart)
}

fn draw_legend(area: &Area<'_>, middle: i32, legend: &[(Swatch, RGBColor, &str)]) -> Drawn<()> {
    const SWATCH: i32 = 60;
    const TO_LABEL: i32 = 14;
    const BETWEEN: i32 = 46;
    let width = |label: &str| (label.chars().count() as f64 * LETTER * TICK_TEXT) as i32;
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

fn draw_line(
    chart: &mut Chart<'_, '_>,
    series: &Series<'_>,
    (values, scale): (&[f64], f64),
    style: ShapeStyle,
) -> Drawn<()> {
    let unit = series.time_axis().unit;
    for piece in thin::line(series.time_s, values, COLUMNS) {
        chart.draw_series([PathElement::new(in_unit(piece, unit, scale), style)])?;
    }
    Ok(())
}

fn in_unit(points: Vec<Point>, unit: TimeUnit, scale: f64) -> Vec<Point> {
    points.into_iter().map(|(time, value)| (time / unit.seconds(), value / scale)).collect()
}

fn text(size: f64, style: FontStyle) -> TextStyle<'static> {
    // The backend divides sizes by 1.24, so that they fit the boxes of its bitmap fonts.
    let font = FontDesc::new(FontFamily::SansSerif, size * 1.24, style);
    TextStyle::from(font).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Shows a drawing of this height at half its size and keeps its coordinates.
fn shrink(svg: &str, height: u32) -> String {
    let size = |width: u32, height: u32| format!("width=\"{width}\" height=\"{height}\"");
    svg.replacen(&size(WIDTH, height), &size(WIDTH >> 1, height >> 1), 1)
}
