//! The fan chart: what replicates have in common and how far they lie apart, over time.

use super::axis::amount_scale;
use super::crash::{fund_panel, largest_of, liquidation_panel, moves};
use super::frame::{BLUE, GREEN, INK, Legend, ORANGE, PURPLE, Swatch};
use super::panels::{Layer, Panel, Reach, Stack};
use super::{Figure, frame};
use plotters::style::RGBColor;

/// Quantiles over replicates at each time.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::output) struct Fan {
    /// 5, 25, 50, 75 and 95 %.
    pub(in crate::output) quantiles: [Vec<f64>; 5],
}

/// What to draw. All lines have one value for each time.
pub(in crate::output) struct Fans<'a> {
    pub(in crate::output) title: &'a str,
    /// Over what the fans are.
    pub(in crate::output) below: &'a str,
    pub(in crate::output) coin: &'a str,
    pub(in crate::output) time_s: &'a [f64],
    pub(in crate::output) mark: &'a Fan,
    /// The mark of one replicate.
    pub(in crate::output) one: &'a [f64],
    pub(in crate::output) basis_bps: &'a Fan,
    /// Mean over replicates.
    pub(in crate::output) liquidated_long_usd: &'a [f64],
    /// Mean over replicates.
    pub(in crate::output) liquidated_short_usd: &'a [f64],
    pub(in crate::output) depth_bid_usd: &'a Fan,
    pub(in crate::output) depth_ask_usd: &'a Fan,
    pub(in crate::output) open_interest: &'a Fan,
    pub(in crate::output) fund_start_usd: f64,
    /// Less what it was at the start.
    pub(in crate::output) fund_change_usd: &'a Fan,
}

/// A pale, a less pale and a full tone: outer band, inner band, median.
type Tones = [RGBColor; 3];

const BLUES: Tones = [frame::BLUE_PALE, frame::BLUE_LIGHT, BLUE];
const ORANGES: Tones = [frame::ORANGE_PALE, frame::ORANGE_LIGHT, ORANGE];
const GREENS: Tones = [frame::GREEN_PALE, frame::GREEN_LIGHT, GREEN];
const PURPLES: Tones = [frame::PURPLE_PALE, frame::PURPLE_LIGHT, PURPLE];

impl Fan {
    fn layers(&self, tones: Tones) -> Vec<Layer<'_>> {
        let [p05, p25, median, p75, p95] = &self.quantiles;
        vec![
            Layer::Band { low: p05, high: p95, color: tones[0], label: "5-95 %" },
            Layer::Band { low: p25, high: p75, color: tones[1], label: "25-75 %" },
            Layer::Line { values: median, color: tones[2], width: 6, label: "median" },
        ]
    }

    fn largest(&self) -> f64 {
        largest_of(self.quantiles.iter().flatten().copied())
    }

    fn moves(&self) -> bool {
        self.quantiles.iter().any(|line| moves(line))
    }
}

fn legend(tones: Tones) -> Vec<Legend<'static>> {
    vec![
        (Swatch::Line(6), tones[2], "median"),
        (Swatch::Area, tones[1], "25-75 %"),
        (Swatch::Area, tones[0], "5-95 %"),
    ]
}

fn panel(header: String, fan: &Fan, tones: Tones, scale: f64, reach: Reach) -> Panel<'_> {
    Panel {
        header,
        height: 400,
        scale,
        reach,
        has_zero_line: reach == Reach::ValuesAndZero,
        legend: legend(tones),
        layers: fan.layers(tones),
    }
}

/// Draws fans of price, basis, depth, open interest and fund, with mean liquidations between them.
pub(in crate::output) fn fan_figure(fans: &Fans<'_>) -> Figure {
    let mut price = panel("Mark [USD]".to_owned(), fans.mark, BLUES, 1.0, Reach::Values);
    price.height = 760;
    price.layers.push(Layer::Line { values: fans.one, color: INK, width: 3, label: "one replicate" });
    price.legend.insert(0, (Swatch::Line(3), INK, "one replicate"));
    let (scale, unit) = amount_scale(fans.depth_bid_usd.largest().max(fans.depth_ask_usd.largest()));
    let depth = |side: &str, fan, tones| {
        panel(format!("{side} within 1 % [{unit}USD]"), fan, tones, scale, Reach::Amounts)
    };
    let mut panels = vec![
        price,
        liquidation_panel(fans.time_s, fans.liquidated_long_usd, fans.liquidated_short_usd, ", mean"),
        depth("Bids", fans.depth_bid_usd, BLUES),
        depth("Asks", fans.depth_ask_usd, ORANGES),
    ];
    if fans.basis_bps.moves() {
        let header = "Basis: middle over index [bps]".to_owned();
        panels.push(panel(header, fans.basis_bps, BLUES, 1.0, Reach::ValuesAndZero));
    }
    if fans.open_interest.moves() {
        let (scale, unit) = amount_scale(fans.open_interest.largest());
        let header = format!("Open interest [{unit}{}]", fans.coin);
        panels.push(panel(header, fans.open_interest, GREENS, scale, Reach::Values));
    }
    if fans.fund_change_usd.moves() {
        let scale = amount_scale(fans.fund_change_usd.largest());
        // Its header leaves no room for a legend, and its tones are those of the panels above.
        panels.push(fund_panel(fans.fund_start_usd, scale, fans.fund_change_usd.layers(PURPLES)));
    }
    let stack = Stack { title: fans.title, below: fans.below, time_s: fans.time_s, panels };
    Figure {
        name: "fan",
        title: "Price, liquidations, depth, open interest and fund over time".to_owned(),
        caption: "Fans hold the middle 50 % and 90 % of replicates at each moment, not of paths; liquidations are means over \
                  replicates, longs upwards."
            .to_owned(),
        svg: stack.draw(),
        hits: stack.hits(),
    }
}
