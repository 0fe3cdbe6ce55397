//! The figure of criticality over time: what one more forced sale would set off.

use super::Figure;
use super::frame::{BLUE, INK, ORANGE, SKY_BLUE, Swatch, VERMILLION};
use super::panels::{Layer, Panel, Reach, Stack};

/// What to draw: slices of one length, NaN where there is no value.
pub(in crate::output) struct Criticalities<'a> {
    pub(in crate::output) title: &'a str,
    pub(in crate::output) below: &'a str,
    /// Seconds since the start, increasing, evenly spaced.
    pub(in crate::output) time_s: &'a [f64],
    /// Longs due within 1, 2 and 5 % below the mark over the bids there.
    pub(in crate::output) within: [&'a [f64]; 3],
    /// Longs due by the sale of one of the next hundred, in the mean.
    pub(in crate::output) first_generation: &'a [f64],
}

/// Draws both measures, one above the other; none for fewer than two moments.
pub(in crate::output) fn criticality_figure(shown: &Criticalities<'_>) -> Option<Figure> {
    if shown.time_s.len() < 2 {
        return None;
    }
    let ones = vec![1.0; shown.time_s.len()];
    let line = |values, color, label| Layer::Line { values, color, width: 6, label };
    let [near, middle, far] = shown.within;
    let within = Panel {
        header: "Longs due over bids".to_owned(),
        height: 700,
        scale: 1.0,
        reach: Reach::Amounts,
        has_zero_line: false,
        legend: vec![
            (Swatch::Line(6), VERMILLION, "within 1 %"),
            (Swatch::Line(6), ORANGE, "2 %"),
            (Swatch::Line(6), BLUE, "5 %"),
            (Swatch::Line(3), INK, "a chain feeds itself above"),
        ],
        layers: vec![
            Layer::Line { values: &ones, color: INK, width: 3, label: "feeds itself above" },
            line(far, BLUE, "within 5 %"),
            line(middle, ORANGE, "within 2 %"),
            line(near, VERMILLION, "within 1 %"),
        ],
    };
    let first = Panel {
        header: "First generation: longs due by the sale of another".to_owned(),
        height: 400,
        scale: 1.0,
        reach: Reach::Amounts,
        has_zero_line: false,
        legend: Vec::new(),
        layers: vec![line(shown.first_generation, SKY_BLUE, "first generation")],
    };
    let panels = vec![within, first];
    let stack = Stack { title: shown.title, below: shown.below, time_s: shown.time_s, panels };
    Some(Figure {
        name: "criticality",
        title: "What one more forced sale would set off".to_owned(),
        caption: "Above: the longs that would be liquidated within 1, 2 and 5 % below the mark over the bids there. Below: how many longs \
                  the fall makes due that selling one of the hundred nearest to their liquidation causes. Both are read off book and \
                  positions as they stand: nobody refills the book or buys the dip."
            .to_owned(),
        svg: stack.draw(),
        hits: stack.hits(),
    })
}
