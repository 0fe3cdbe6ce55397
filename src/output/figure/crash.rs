//! The figure of a crash: price, liquidations, depth, open interest and insurance fund over one axis of time; with an index
//! the basis too. A panel in which nothing would move is left out.

use super::axis::amount_scale;
use super::frame::{BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY_BLUE, Swatch, VERMILLION};
use super::panels::{Layer, Panel, Reach, Stack, bar_label};
use super::thin;

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

/// Draws a crash over time.
///
/// # Panics
/// Panics if the slices differ in length.
pub fn crash_figure(series: &Series<'_>) -> String {
    series.check();
    let fund = change(series.fund_usd);
    let panels = [
        Some(price(series)),
        moves(series.basis_bps).then(|| basis(series)),
        Some(liquidations(series)),
        Some(depth(series)),
        moves(series.open_interest).then(|| open_interest(series)),
        moves(series.fund_usd).then(|| self::fund(series, &fund)),
    ];
    let panels = panels.into_iter().flatten().collect();
    Stack { title: series.title, below: series.start_label, time_s: series.time_s, panels }.draw()
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
}

/// Tells whether a line has two different values.
pub(super) fn moves(values: &[f64]) -> bool {
    let mut finite = values.iter().filter(|value| value.is_finite());
    finite.next().is_some_and(|first| finite.any(|value| value.total_cmp(first).is_ne()))
}

fn price<'a>(series: &Series<'a>) -> Panel<'a> {
    let mut legend = vec![(Swatch::Line(4), INK, "last"), (Swatch::Line(10), SKY_BLUE, "mark")];
    let mut layers = Vec::new();
    if let Some(Band { low, high }) = series.price_band {
        legend.push((Swatch::Area, GREY, "mark, 5-95 % of replicates"));
        layers.push(Layer::Band { low, high, color: GREY, label: "mark, 5-95 %" });
    }
    layers.push(Layer::Line { values: series.mark, color: SKY_BLUE, width: 10, label: "mark" });
    layers.push(Layer::Line { values: series.price, color: INK, width: 4, label: "last" });
    Panel {
        header: "Price [USD]".to_owned(),
        height: 820,
        scale: 1.0,
        reach: Reach::Values,
        has_zero_line: false,
        legend,
        layers,
    }
}

fn basis<'a>(series: &Series<'a>) -> Panel<'a> {
    Panel {
        header: "Basis: middle over index [bps]".to_owned(),
        height: 400,
        scale: 1.0,
        reach: Reach::ValuesAndZero,
        has_zero_line: true,
        legend: Vec::new(),
        layers: vec![Layer::Line { values: series.basis_bps, color: BLUE, width: 4, label: "basis" }],
    }
}

fn liquidations<'a>(series: &Series<'a>) -> Panel<'a> {
    liquidation_panel(series.time_s, series.liquidated_long_usd, series.liquidated_short_usd, "")
}

/// Bars of liquidated longs upwards and shorts downwards; `of` says of what they are a mean, if they are one.
pub(super) fn liquidation_panel<'a>(
    time_s: &'a [f64],
    longs: &'a [f64],
    shorts: &'a [f64],
    of: &str,
) -> Panel<'a> {
    let largest = largest_of([longs, shorts].into_iter().flat_map(|amounts| thin::sums(time_s, amounts)));
    let (scale, unit) = amount_scale(largest);
    Panel {
        header: format!("Liquidated in {}{of} [{unit}USD]", bar_label(time_s)),
        height: 580,
        scale,
        reach: Reach::Amounts,
        has_zero_line: true,
        legend: vec![(Swatch::Area, VERMILLION, "longs (up)"), (Swatch::Area, BLUE, "shorts (down)")],
        layers: vec![
            Layer::Bars { amounts: longs, color: VERMILLION, upwards: true, label: "longs" },
            Layer::Bars { amounts: shorts, color: BLUE, upwards: false, label: "shorts" },
        ],
    }
}

fn depth<'a>(series: &Series<'a>) -> Panel<'a> {
    let (bids, asks) = (series.depth_bid_usd, series.depth_ask_usd);
    let (scale, unit) = amount_scale(largest_of(bids.iter().chain(asks).copied()));
    Panel {
        header: format!("Depth within 1 % [{unit}USD]"),
        height: 572,
        scale,
        reach: Reach::Amounts,
        has_zero_line: false,
        legend: vec![(Swatch::Line(6), BLUE, "bids"), (Swatch::Line(6), ORANGE, "asks")],
        layers: vec![
            Layer::Line { values: asks, color: ORANGE, width: 6, label: "asks" },
            Layer::Line { values: bids, color: BLUE, width: 6, label: "bids" },
        ],
    }
}

fn open_interest<'a>(series: &Series<'a>) -> Panel<'a> {
    let (scale, unit) = amount_scale(largest_of(series.open_interest.iter().copied()));
    Panel {
        header: format!("Open interest [{unit}{}]", series.coin),
        height: 440,
        scale,
        reach: Reach::Values,
        has_zero_line: false,
        legend: Vec::new(),
        layers: vec![Layer::Line {
            values: series.open_interest,
            color: GREEN,
            width: 6,
            label: "open interest",
        }],
    }
}

/// Returns how far a line is from where it began: a large fund moves by less than the digits of its balance show.
fn change(values: &[f64]) -> Vec<f64> {
    let first = first_of(values);
    values.iter().map(|value| value - first).collect()
}

fn first_of(values: &[f64]) -> f64 {
    values.iter().copied().find(|value| value.is_finite()).unwrap_or(0.0)
}

fn fund<'a>(series: &Series<'a>, change: &'a [f64]) -> Panel<'a> {
    let (scale, unit) = amount_scale(largest_of(change.iter().copied()));
    let layers = vec![Layer::Line { values: change, color: PURPLE, width: 6, label: "fund" }];
    fund_panel(first_of(series.fund_usd), (scale, unit), layers)
}

/// A panel of what the insurance fund is away from what it had.
pub(super) fn fund_panel<'a>(first: f64, (scale, unit): (f64, &str), layers: Vec<Layer<'a>>) -> Panel<'a> {
    let (of_first, unit_of_first) = amount_scale(first);
    let first = libm::rint(first / of_first * 10.0) / 10.0;
    Panel {
        header: format!("Insurance fund: change from {first} {unit_of_first}USD [{unit}USD]"),
        height: 440,
        scale,
        reach: Reach::Values,
        has_zero_line: true,
        legend: Vec::new(),
        layers,
    }
}

/// Returns the largest size among finite values.
pub(super) fn largest_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max)
}
