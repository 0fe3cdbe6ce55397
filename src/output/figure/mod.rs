//! The figure of a crash: price, liquidations and depth over one axis of time, as an SVG for print.
//!
//! It is drawn from plain slices and knows nothing of runs; the same input makes the same bytes. Colours are those of
//! Okabe and Ito (2008), which the colour-blind tell apart, and each pair differs in lightness too, for grey print.

mod axis;
mod thin;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use axis::{Axis, TimeUnit, money_scale};
use thin::Point;

/// What to draw. All slices have one value for each time; NaN where there is none.
pub struct Series<'a> {
    /// First line of the figure.
    pub title: &'a str,
    /// When time zero is, and what the lines are: `start 2026-02-23 13:30 UTC, median of 20 replicates`.
    pub start_label: &'a str,
    /// Seconds since the start, increasing, evenly spaced.
    pub time_s: &'a [f64],
    /// Last price in USD.
    pub price: &'a [f64],
    /// Mark price in USD.
    pub mark: &'a [f64],
    /// Spread of the last price over replicates.
    pub price_band: Option<Band<'a>>,
    /// Longs liquidated since the time before in USD.
    pub liquidated_long_usd: &'a [f64],
    /// Shorts liquidated since the time before in USD.
    pub liquidated_short_usd: &'a [f64],
    /// Bids within 1 % in USD.
    pub depth_bid_usd: &'a [f64],
    /// Asks within 1 % in USD.
    pub depth_ask_usd: &'a [f64],
}

/// The 5 % and 95 % quantiles over replicates, for each time.
#[derive(Clone, Copy)]
pub struct Band<'a> {
    /// 5 %.
    pub low: &'a [f64],
    /// 95 %.
    pub high: &'a [f64],
}

/// Pixels of the drawing. It is shown at half of this, so that lines, which have whole coordinates, look smooth.
const SIZE: (u32, u32) = (2000, 2240);
const SHOWN: (u32, u32) = (1000, 1120);
/// Height of the title, then of the panels with their own headers.
const TITLE_HEIGHT: i32 = 150;
const PANEL_HEIGHTS: [i32; 3] = [820, 580, 690];
const HEADER_HEIGHT: i32 = 80;
const LEFT: i32 = 160;
const RIGHT: i32 = 50;
/// Room for the time below the last panel.
const BOTTOM: i32 = 118;
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
const GREY: RGBColor = RGBColor(205, 205, 205);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// Draws price, liquidations and depth over time.
///
/// # Panics
/// Panics if the slices differ in length.
pub fn price_liquidations_depth(series: &Series<'_>) -> String {
    series.check();
    let mut svg = String::new();
    draw(series, &mut svg).expect("a drawing in memory meets no error");
    shrink(&svg)
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
        ];
        assert_eq!(lengths, [self.time_s.len(); 8], "every line has a value for each time");
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

struct TimeAxis {
    unit: TimeUnit,
    axis: Axis,
}

/// The text around one panel.
struct Frame<'a> {
    /// Letter, quantity and unit.
    header: String,
    y: Axis,
    legend: &'a [(Swatch, RGBColor, &'a str)],
    /// Whether times are written below it.
    last: bool,
}

#[derive(Clone, Copy)]
enum Swatch {
    Line(u32),
    Area,
}

fn draw(series: &Series<'_>, svg: &mut String) -> Drawn<()> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(series.title.to_owned(), (LEFT, 55), text(TITLE_TEXT, FontStyle::Bold)))?;
    root.draw(&Text::new(series.start_label.to_owned(), (LEFT, 112), text(TICK_TEXT, FontStyle::Normal)))?;
    let (_, panels) = root.split_vertically(TITLE_HEIGHT);
    let (price, rest) = panels.split_vertically(PANEL_HEIGHTS[0]);
    let (liquidations, depth) = rest.split_vertically(PANEL_HEIGHTS[1]);
    let time = series.time_axis();
    draw_price(series, &time, &price)?;
    draw_liquidations(series, &time, &liquidations)?;
    draw_depth(series, &time, &depth)?;
    root.present()
}

fn draw_price(series: &Series<'_>, time: &TimeAxis, area: &Area<'_>) -> Drawn<()> {
    let band = series.price_band;
    let edges = band.map_or([&[][..]; 2], |band| [band.low, band.high]);
    let values = [series.price, series.mark].into_iter().chain(edges).flatten().copied();
    let legend = [
        (Swatch::Line(4), BLACK_LINE, "last"),
        (Swatch::Line(10), SKY_BLUE, "mark"),
        (Swatch::Area, GREY, "last, 5-95 % of replicates"),
    ];
    let frame = Frame {
        header: "(a) Price [USD]".to_owned(),
        y: Axis::of_values(values),
        legend: if band.is_some() { &legend } else { &legend[..2] },
        last: false,
    };
    let mut chart = draw_frame(area, time, &frame)?;
    if let Some(band) = band {
        for outline in thin::band(series.time_s, band.low, band.high, COLUMNS) {
            let outline = in_unit(outline, time.unit, 1.0);
            chart.draw_series([Polygon::new(outline, GREY.filled())])?;
        }
    }
    draw_line(&mut chart, series, (series.mark, 1.0), SKY_BLUE.stroke_width(10))?;
    draw_line(&mut chart, series, (series.price, 1.0), BLACK_LINE.stroke_width(4))
}

fn draw_liquidations(series: &Series<'_>, time: &TimeAxis, area: &Area<'_>) -> Drawn<()> {
    let longs = thin::bins(series.time_s, series.liquidated_long_usd, MOST_BARS);
    let shorts = thin::bins(series.time_s, series.liquidated_short_usd, MOST_BARS);
    let largest = longs.sums.iter().chain(&shorts.sums).copied().fold(0.0, f64::max);
    let (scale, unit) = money_scale(largest);
    let width = TimeUnit::span_label(longs.width);
    let up = longs.sums.iter().map(|sum| sum / scale);
    let down = shorts.sums.iter().map(|sum| -sum / scale);
    let frame = Frame {
        header: format!("(b) Liquidated in {width} [{unit}]"),
        y: Axis::of_amounts(up.clone().chain(down.clone())),
        legend: &[(Swatch::Area, VERMILLION, "longs (up)"), (Swatch::Area, BLUE, "shorts (down)")],
        last: false,
    };
    let mut chart = draw_frame(area, time, &frame)?;
    let mut bars = |sums: &mut dyn Iterator<Item = f64>, bins: &thin::Bins, color: RGBColor| {
        let end = time.axis.to;
        let bars = sums.enumerate().filter(|(_, sum)| *sum != 0.0).map(|(index, sum)| {
            let from = (bins.from + bins.width * index as f64) / time.unit.seconds();
            let to = from + bins.width / time.unit.seconds();
            let (from, to) = (from.max(time.axis.from), to.min(end));
            Rectangle::new([(from, 0.0), (to, sum)], color.filled())
        });
        chart.draw_series(bars).map(|_| ())
    };
    bars(&mut up.clone(), &longs, VERMILLION)?;
    bars(&mut down.clone(), &shorts, BLUE)?;
    if largest <= 0.0 {
        let middle = (LEFT + 30, (HEADER_HEIGHT + PANEL_HEIGHTS[1]).div_euclid(2));
        area.draw(&Text::new("none", middle, text(LABEL_TEXT, FontStyle::Normal)))?;
    }
    let zero = [(time.axis.from, 0.0), (time.axis.to, 0.0)];
    chart.draw_series([PathElement::new(zero, BLACK_LINE.stroke_width(2))])?;
    Ok(())
}

fn draw_depth(series: &Series<'_>, time: &TimeAxis, area: &Area<'_>) -> Drawn<()> {
    let values = || series.depth_bid_usd.iter().chain(series.depth_ask_usd).copied();
    let (scale, unit) = money_scale(values().filter(|value| value.is_finite()).fold(0.0, f64::max));
    let frame = Frame {
        header: format!("(c) Depth within 1 % [{unit}]"),
        y: Axis::of_amounts(values().map(|value| value / scale)),
        legend: &[(Swatch::Line(6), BLUE, "bids"), (Swatch::Line(6), ORANGE, "asks")],
        last: true,
    };
    let mut chart = draw_frame(area, time, &frame)?;
    draw_line(&mut chart, series, (series.depth_ask_usd, scale), ORANGE.stroke_width(6))?;
    draw_line(&mut chart, series, (series.depth_bid_usd, scale), BLUE.stroke_width(6))
}

/// Draws header, legend, grid and axes of a panel, and returns where its data go.
fn draw_frame<'a, 'b>(area: &'a Area<'b>, time: &TimeAxis, frame: &Frame<'_>) -> Drawn<Chart<'a, 'b>> {
    let middle = HEADER_HEIGHT - 34;
    area.draw(&Text::new(frame.header.clone(), (LEFT, middle), text(LABEL_TEXT, FontStyle::Bold)))?;
    draw_legend(area, middle, frame.legend)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEADER_HEIGHT)
        .margin_right(RIGHT)
        .margin_bottom(if frame.last { 16 } else { 30 })
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, if frame.last { BOTTOM } else { 0 })
        .build_cartesian_2d(time.axis.clone(), frame.y.clone())?;
    let x_label =
        if frame.last { format!("time since the start [{}]", time.unit.symbol()) } else { String::new() };
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225).stroke_width(2))
        .axis_style(BLACK_LINE.stroke_width(3))
        .label_style(text(TICK_TEXT, FontStyle::Normal))
        .axis_desc_style(text(LABEL_TEXT, FontStyle::Normal))
        .x_desc(x_label)
        .x_label_formatter(&|tick| if frame.last { time.axis.label(*tick) } else { String::new() })
        // Below zero are amounts of the other side, not negative ones.
        .y_label_formatter(&|tick| frame.y.label(tick.abs()))
        .draw()?;
    Ok(chart)
}

fn draw_legend(area: &Area<'_>, middle: i32, legend: &[(Swatch, RGBColor, &str)]) -> Drawn<()> {
    const SWATCH: i32 = 60;
    const GAP: i32 = 14;
    const BETWEEN: i32 = 46;
    let width = |label: &str| (label.chars().count() as f64 * LETTER * TICK_TEXT) as i32;
    let total: i32 = legend.iter().map(|(_, _, label)| SWATCH + GAP + width(label) + BETWEEN).sum();
    let mut left = SIZE.0 as i32 - RIGHT - total + BETWEEN;
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
        left = right + GAP + width(&label) + BETWEEN;
        area.draw(&Text::new(label, (right + GAP, middle), text(TICK_TEXT, FontStyle::Normal)))?;
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

/// Shows the drawing at half its size and keeps its coordinates.
fn shrink(svg: &str) -> String {
    let drawn = format!("width=\"{}\" height=\"{}\"", SIZE.0, SIZE.1);
    let shown = format!("width=\"{}\" height=\"{}\"", SHOWN.0, SHOWN.1);
    svg.replacen(&drawn, &shown, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calm hour, a crash of ten minutes, and a slow recovery.
    struct Crash {
        time: Vec<f64>,
        price: Vec<f64>,
        low: Vec<f64>,
        high: Vec<f64>,
        longs: Vec<f64>,
        shorts: Vec<f64>,
        bids: Vec<f64>,
        asks: Vec<f64>,
    }

    fn crash(hours: f64, interval_s: f64) -> Crash {
        let steps = (hours * 3_600.0 / interval_s) as u32;
        let time: Vec<f64> = (1..=steps).map(|step| f64::from(step) * interval_s).collect();
        let bump = |t: f64, at: f64, width: f64| {
            let x = (t - at * 3_600.0) / (width * 3_600.0);
            if x < 0.0 { 0.0 } else { x * libm::exp(1.0 - x) }
        };
        let noise = |t: f64| libm::sin(t / 37.0) + 0.6 * libm::sin(t / 11.3) + 0.8 * libm::sin(t / 301.0);
        let price: Vec<f64> =
            time.iter().map(|t| 66_740.1 - 5_400.0 * bump(*t, 1.0, 0.5) + 60.0 * noise(*t)).collect();
        let spread = |t: f64| 150.0 + 900.0 * bump(t, 1.0, 0.7);
        Crash {
            low: price.iter().zip(&time).map(|(p, t)| p - spread(*t)).collect(),
            high: price.iter().zip(&time).map(|(p, t)| p + spread(*t)).collect(),
            longs: time
                .iter()
                .map(|t| 9e6 * bump(*t, 1.0, 0.15) * (1.0 + 0.5 * noise(*t)).max(0.0))
                .collect(),
            shorts: time.iter().map(|t| 1.5e6 * bump(*t, 2.2, 0.3) * (1.0 + noise(*t)).max(0.0)).collect(),
            bids: time.iter().map(|t| 42e6 * (1.0 - 0.9 * bump(*t, 1.0, 0.3)) + 1e6 * noise(*t)).collect(),
            asks: time
                .iter()
                .map(|t| 40e6 * (1.0 - 0.6 * bump(*t, 1.0, 0.3)) + 1e6 * noise(*t + 50.0))
                .collect(),
            time,
            price,
        }
    }

    fn figure(crash: &Crash, band: bool) -> String {
        let mark: Vec<f64> = crash.price.iter().map(|price| price - 40.0).collect();
        price_liquidations_depth(&Series {
            title: "btc-2026-02-23",
            start_label: "start 2026-02-23 13:30 UTC, median of 20 replicates",
            time_s: &crash.time,
            price: &crash.price,
            mark: &mark,
            price_band: band.then_some(Band { low: &crash.low, high: &crash.high }),
            liquidated_long_usd: &crash.longs,
            liquidated_short_usd: &crash.shorts,
            depth_bid_usd: &crash.bids,
            depth_ask_usd: &crash.asks,
        })
    }

    #[test]
    fn the_same_series_make_the_same_bytes() {
        let crash = crash(6.0, 10.0);
        let svg = figure(&crash, true);
        assert_eq!(svg, figure(&crash, true));
        assert!(svg.starts_with("<svg width=\"1000\" height=\"1120\" viewBox=\"0 0 2000 2240\""));
    }

    #[test]
    fn a_series_with_holes_or_without_points_is_drawn_without_nonsense() {
        let mut holes = crash(6.0, 10.0);
        for hole in [0, 7, 8, 900, holes.time.len() - 1] {
            for line in [&mut holes.price, &mut holes.low, &mut holes.longs, &mut holes.bids] {
                line[hole] = f64::NAN;
            }
        }
        for crash in [holes, crash(0.0, 1.0), crash(1.0 / 3_600.0, 1.0)] {
            for band in [true, false] {
                let svg = figure(&crash, band);
                assert!(svg.trim_end().ends_with("</svg>"));
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                // What a float without a value becomes as a pixel.
                assert!(!svg.contains("2147483"), "{svg}");
            }
        }
    }

    #[test]
    fn a_day_of_seconds_stays_small_enough_to_mail() {
        let svg = figure(&crash(24.0, 1.0), true);
        assert!(svg.len() < 400_000, "{} bytes", svg.len());
    }

    #[test]
    fn a_title_is_text_and_never_markup() {
        let empty: &[f64] = &[];
        let svg = price_liquidations_depth(&Series {
            title: "<script>alert(1)</script>",
            start_label: "a & b",
            time_s: empty,
            price: empty,
            mark: empty,
            price_band: None,
            liquidated_long_usd: empty,
            liquidated_short_usd: empty,
            depth_bid_usd: empty,
            depth_ask_usd: empty,
        });
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
        assert!(svg.contains("a &amp; b"));
    }
}
