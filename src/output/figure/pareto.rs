//! Pareto plots: what protects against what it costs, and what nothing beats in both.

use super::axis::Axis;
use super::frame::{
    BLUE, BOTTOM, Drawn, Frame, GAP, HEADER_HEIGHT, INK, LEFT, RIGHT, Swatch, TICK_TEXT, TITLE_HEIGHT,
    VERMILLION, WIDTH, draw_frame, draw_legend, draw_title, drawing, text, width_of,
};
use super::panels::short;
use super::{Figure, Hit};
use plotters::prelude::*;

/// Pixels of a panel's data.
const HEIGHT: i32 = 760;
/// Pixels from a point within which a pointer means it.
const REACH: i32 = 26;
/// Names that one label holds.
const MOST_NAMED: usize = 3;

/// A candidate in one trade-off.
#[derive(Clone, Debug)]
pub(in crate::output) struct Candidate {
    pub(in crate::output) name: String,
    pub(in crate::output) cost: f64,
    pub(in crate::output) harm: f64,
    /// Whether no other is as good in both and better in one.
    pub(in crate::output) is_on_front: bool,
    /// Share of bootstrap draws in which it is.
    pub(in crate::output) front_share: Option<f64>,
}

/// A metric of the crash against one of calm time; less is better in both.
#[derive(Clone, Debug)]
pub(in crate::output) struct TradeOff {
    pub(in crate::output) harm_label: String,
    pub(in crate::output) cost_label: String,
    pub(in crate::output) candidates: Vec<Candidate>,
}

impl TradeOff {
    fn axes(&self) -> (Axis, Axis) {
        let costs = self.candidates.iter().map(|candidate| candidate.cost);
        let harms = self.candidates.iter().map(|candidate| candidate.harm);
        (Axis::of_values(costs, 8), Axis::of_values(harms, 8))
    }
}

const PANEL: i32 = HEADER_HEIGHT + HEIGHT + BOTTOM + 16 + GAP;

/// Draws a panel a trade-off.
pub(in crate::output) fn pareto_figure(title: &str, below: &str, trades: &[TradeOff]) -> Figure {
    let legend = [(Swatch::Line(14), VERMILLION, "on the front"), (Swatch::Line(14), BLUE, "beaten")];
    let svg = drawing(TITLE_HEIGHT + PANEL * trades.len() as i32, |root| {
        draw_title(root, title, below)?;
        draw_legend(root, 112, &legend)?;
        let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
        for (trade, letter) in trades.iter().zip('a'..) {
            let (area, below) = rest.split_vertically(PANEL);
            rest = below;
            draw(trade, letter, &area)?;
        }
        Ok(())
    });
    let hits =
        (0..).zip(trades).flat_map(|(index, trade)| hits(trade, TITLE_HEIGHT + PANEL * index)).collect();
    Figure {
        name: "pareto",
        title: "Protection against its cost".to_owned(),
        caption: "Means of a metric of the crash against one of calm time; less is better in both, so the front is at the lower left. How \
                  sure a place on it is stands where a pointer rests and in the table."
            .to_owned(),
        svg,
        hits,
    }
}

/// Returns where a candidate is in its panel.
fn pixel(candidate: &Candidate, (x, y): (&Axis, &Axis)) -> (i32, i32) {
    let across = (candidate.cost - x.from) / (x.to - x.from) * f64::from(WIDTH as i32 - RIGHT - LEFT);
    let down = (y.to - candidate.harm) / (y.to - y.from) * f64::from(HEIGHT);
    (LEFT + libm::rint(across) as i32, HEADER_HEIGHT + libm::rint(down) as i32)
}

fn hits(trade: &TradeOff, top: i32) -> Vec<Hit> {
    let (x, y) = trade.axes();
    let hit = |candidate: &Candidate| {
        let (left, above) = pixel(candidate, (&x, &y));
        let share = candidate.front_share.map_or("-".to_owned(), short);
        let text = format!(
            "{}\n{}: {}\n{}: {}\non the front in {share} of bootstrap draws",
            candidate.name,
            trade.harm_label,
            short(candidate.harm),
            trade.cost_label,
            short(candidate.cost)
        );
        Hit { place: (left - REACH, top + above - REACH, 2 * REACH, 2 * REACH), text }
    };
    trade.candidates.iter().map(hit).collect()
}

fn draw(trade: &TradeOff, letter: char, area: &super::frame::Area<'_>) -> Drawn<()> {
    let (x, y) = trade.axes();
    let (area, _) = area.split_vertically(PANEL - GAP);
    let frame = Frame {
        header: format!("({letter}) {}", trade.harm_label),
        left: LEFT,
        x: x.clone(),
        x_label: Some(trade.cost_label.clone()),
        y: y.clone(),
        mirrored: false,
        legend: &[],
    };
    let mut chart = draw_frame(&area, &frame)?;
    let mut front: Vec<&Candidate> =
        trade.candidates.iter().filter(|candidate| candidate.is_on_front).collect();
    front.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let line: Vec<(f64, f64)> = front.iter().map(|candidate| (candidate.cost, candidate.harm)).collect();
    chart.draw_series([PathElement::new(line, VERMILLION.stroke_width(3))])?;
    let (beaten, best): (Vec<&Candidate>, Vec<&Candidate>) =
        trade.candidates.iter().partition(|candidate| !candidate.is_on_front);
    for (candidates, color) in [(beaten, BLUE), (best, VERMILLION)] {
        let points = candidates
            .iter()
            .map(|candidate| Circle::new((candidate.cost, candidate.harm), 12, color.filled()));
        chart.draw_series(points)?;
    }
    for ((left, above), name) in labels(&front, (&x, &y)) {
        let width = width_of(&name, TICK_TEXT);
        let left = (left + 22).min(WIDTH as i32 - RIGHT - width).max(0);
        let mut style = text(TICK_TEXT, FontStyle::Normal);
        style.color = INK.to_backend_color();
        area.draw(&Text::new(name, (left, above - 26), style))?;
    }
    Ok(())
}

/// Names places: candidates in one place, such as policies that change nothing, share a label.
fn labels(candidates: &[&Candidate], axes: (&Axis, &Axis)) -> Vec<((i32, i32), String)> {
    let mut groups: Vec<((i32, i32), Vec<&str>)> = Vec::new();
    for candidate in candidates {
        let at = pixel(candidate, axes);
        let near = |(other, _): &&mut ((i32, i32), Vec<&str>)| {
            (other.0 - at.0).abs() <= REACH && (other.1 - at.1).abs() <= REACH
        };
        match groups.iter_mut().find(near) {
            Some((_, names)) => names.push(&candidate.name),
            None => groups.push((at, vec![&candidate.name])),
        }
    }
    let label = |names: Vec<&str>| {
        let more = names.len().saturating_sub(MOST_NAMED);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        names[..names.len() - more].join(", ") + &rest
    };
    groups.into_iter().map(|(at, names)| (at, label(names))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_in_one_place_share_a_label() {
        let candidate = |name: &str, cost: f64| Candidate {
            name: name.to_owned(),
            cost,
            harm: 1.0,
            is_on_front: true,
            front_share: None,
        };
        let [a, b, c] = [candidate("a", 1.0), candidate("b", 1.0), candidate("c", 2.0)];
        let names = |candidates: &[Candidate]| {
            let axes = TradeOff {
                harm_label: String::new(),
                cost_label: String::new(),
                candidates: candidates.to_vec(),
            }
            .axes();
            let labels = labels(&candidates.iter().collect::<Vec<_>>(), (&axes.0, &axes.1));
            labels.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[a.clone(), b, c.clone()]), ["a, b", "c"]);
        assert_eq!(names(&[vec![a; 5], vec![c]].concat()), ["a, a, a and 2 more", "c"]);
    }
}
