//! A quantity over two varied parameters: a cell a point with its estimate and interval, and contours between the points.

use super::frame::{
    Area, BOTTOM, Drawn, GAP, HEADER_HEIGHT, INK, LABEL_TEXT, LEFT, LEVELS, MESH, ON_HIGH, ON_LOW, RIGHT,
    TICK_TEXT, TITLE_HEIGHT, WIDTH, draw_title, drawing, text, width_of,
};
use super::panels::short;
use super::{Figure, Hit};
use contour::ContourBuilder;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels of a row of cells.
const ROW: i32 = 130;
/// Where numbers no longer fit into a cell they are told by a pointer only.
const NARROWEST: i32 = 170;
/// Letters of an interval in a cell.
const INTERVAL_TEXT: f64 = 28.0;
/// Contours between the least and the largest value.
const CONTOURS: u32 = 5;

/// An estimate at a point.
#[derive(Clone, Copy, Debug)]
pub(in crate::output) struct Height {
    pub(in crate::output) value: f64,
    /// Absent where there is none.
    pub(in crate::output) interval: Option<(f64, f64)>,
}

/// A quantity over a grid.
pub(in crate::output) struct Surface {
    /// Quantity and unit.
    pub(in crate::output) label: String,
    /// What is varied from left to right, and its values in order.
    pub(in crate::output) across: (String, Vec<String>),
    /// What is varied from bottom to top, and its values in order.
    pub(in crate::output) up: (String, Vec<String>),
    /// By row from the bottom, then column; none where there is no estimate.
    pub(in crate::output) heights: Vec<Vec<Option<Height>>>,
}

/// Draws surfaces one above the other.
pub(in crate::output) fn surface_figure(
    (name, title, caption): (&'static str, &str, &str),
    heading: (&str, &str),
    surfaces: &[Surface],
) -> Figure {
    let height = TITLE_HEIGHT + surfaces.iter().map(Surface::height).sum::<i32>();
    let svg = drawing(height, |root| {
        draw_title(root, heading.0, heading.1)?;
        let (_, mut rest) = root.split_vertically(TITLE_HEIGHT);
        for (surface, letter) in surfaces.iter().zip('a'..) {
            let (area, below) = rest.split_vertically(surface.height());
            rest = below;
            surface.draw(letter, &area)?;
        }
        Ok(())
    });
    let mut top = TITLE_HEIGHT;
    let mut hits = Vec::new();
    for surface in surfaces {
        hits.extend(surface.hits(top));
        top += surface.height();
    }
    Figure { name, title: title.to_owned(), caption: caption.to_owned(), svg, hits }
}

impl Surface {
    fn columns(&self) -> i32 {
        self.across.1.len() as i32
    }

    fn rows(&self) -> i32 {
        self.up.1.len() as i32
    }

    fn height(&self) -> i32 {
        HEADER_HEIGHT + self.rows() * ROW + BOTTOM + GAP
    }

    /// Left, top, right and bottom of a cell, in the panel.
    fn cell(&self, column: i32, row: i32) -> (i32, i32, i32, i32) {
        let across = |column: i32| {
            LEFT + 60 + ((WIDTH as i32 - RIGHT - LEFT - 60) * column).div_euclid(self.columns())
        };
        let bottom = HEADER_HEIGHT + ROW * (self.rows() - row);
        (across(column), bottom - ROW, across(column + 1), bottom)
    }

    fn cells(&self) -> impl Iterator<Item = (i32, i32, Height)> {
        (0..).zip(&self.heights).flat_map(|(row, heights)| {
            (0..).zip(heights).filter_map(move |(column, height)| height.map(|height| (column, row, height)))
        })
    }

    fn range(&self) -> (f64, f64) {
        let values = self.cells().map(|(_, _, height)| height.value);
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (value.min(low), value.max(high)))
    }

    fn hits(&self, top: i32) -> Vec<Hit> {
        let hit = |(column, row, height): (i32, i32, Height)| {
            let (left, above, right, below) = self.cell(column, row);
            let interval = height.interval.map_or("no interval".to_owned(), |(low, high)| {
                format!("95 % {} .. {}", short(low), short(high))
            });
            let text = format!(
                "{} {}, {} {}\n{}: {} ({interval})",
                self.across.0,
                self.across.1[column as usize],
                self.up.0,
                self.up.1[row as usize],
                self.label,
                short(height.value)
            );
            Hit { place: (left, top + above, right - left, below - above), text }
        };
        self.cells().map(hit).collect()
    }

    fn draw(&self, letter: char, area: &Area<'_>) -> Drawn<()> {
        let header = format!("({letter}) {}", self.label);
        area.draw(&Text::new(header, (LEFT, HEADER_HEIGHT - 34), text(LABEL_TEXT, FontStyle::Bold)))?;
        let (low, high) = self.range();
        let level = |height: Height| {
            let share = if high > low { (height.value - low) / (high - low) } else { 0.0 };
            ((share * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1)
        };
        for (column, row, height) in self.cells() {
            let (left, top, right, bottom) = self.cell(column, row);
            area.draw(&Rectangle::new([(left, top), (right, bottom)], LEVELS[level(height)].filled()))?;
            area.draw(&Rectangle::new([(left, top), (right, bottom)], MESH.stroke_width(1)))?;
        }
        self.draw_contours(area, (low, high))?;
        for (column, row, height) in self.cells() {
            self.write_estimate((column, row), height, level(height), area)?;
        }
        for (column, label) in (0..).zip(&self.across.1) {
            let (left, _, right, bottom) = self.cell(column, 0);
            area.draw(&Text::new(
                label.clone(),
                ((left + right).div_euclid(2), bottom + 30),
                centred(TICK_TEXT, INK),
            ))?;
        }
        for (row, label) in (0..).zip(&self.up.1) {
            let (left, top, _, bottom) = self.cell(0, row);
            let right = text(TICK_TEXT, FontStyle::Normal).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(label.clone(), (left - 16, (top + bottom).div_euclid(2)), right))?;
        }
        let below = HEADER_HEIGHT + ROW * self.rows() + 88;
        area.draw(&Text::new(
            self.across.0.clone(),
            ((LEFT + WIDTH as i32).div_euclid(2), below),
            centred(LABEL_TEXT, INK),
        ))?;
        let up = format!("up: {}", self.up.0);
        let left = WIDTH as i32 - RIGHT - width_of(&up, TICK_TEXT);
        area.draw(&Text::new(up, (left, HEADER_HEIGHT - 34), text(TICK_TEXT, FontStyle::Normal)))
    }

    /// Writes an estimate into its cell, on a plate that keeps contours off the digits.
    fn write_estimate(
        &self,
        (column, row): (i32, i32),
        height: Height,
        level: usize,
        area: &Area<'_>,
    ) -> Drawn<()> {
        let (left, top, right, _) = self.cell(column, row);
        if right - left < NARROWEST {
            return Ok(());
        }
        let ink = if level < LEVELS.len().div_ceil(2) { ON_LOW } else { ON_HIGH };
        let middle = (left + right).div_euclid(2);
        let interval = height.interval.map(|(low, high)| format!("{} .. {}", brief(low), brief(high)));
        let value = short(height.value);
        for (text, size, at) in [(Some(value), LABEL_TEXT, 43), (interval, INTERVAL_TEXT, 91)] {
            let Some(text) = text else { continue };
            let half = (width_of(&text, size) >> 1).min((right - left - 4) >> 1);
            let plate = [(middle - half, top + at - 22), (middle + half, top + at + 20)];
            area.draw(&Rectangle::new(plate, LEVELS[level].filled()))?;
            area.draw(&Text::new(text, (middle, top + at), centred(size, ink)))?;
        }
        Ok(())
    }

    /// Draws lines of equal height, straight between neighbouring points; a grid with a hole has none.
    fn draw_contours(&self, area: &Area<'_>, (low, high): (f64, f64)) -> Drawn<()> {
        let (columns, rows) = (self.across.1.len(), self.up.1.len());
        let values: Vec<f64> =
            self.heights.iter().flatten().filter_map(|height| height.map(|height| height.value)).collect();
        if columns < 2 || rows < 2 || values.len() != columns * rows || high <= low {
            return Ok(());
        }
        let step = (high - low) / f64::from(CONTOURS + 1);
        let thresholds: Vec<f64> = (1..=CONTOURS).map(|index| low + step * f64::from(index)).collect();
        let lines = ContourBuilder::new(columns, rows, true).lines(&values, &thresholds);
        let (left, top, _, _) = self.cell(0, self.rows() - 1);
        let (_, _, right, bottom) = self.cell(self.columns() - 1, 0);
        let pixel = |x: f64, y: f64| {
            let across = f64::from(left) + x / columns as f64 * f64::from(right - left);
            let down = f64::from(bottom) - y / rows as f64 * f64::from(bottom - top);
            (libm::rint(across) as i32, libm::rint(down) as i32)
        };
        // Beyond the outermost points nothing is known: lines that close there are cut.
        let inside = |x: f64, y: f64| {
            (0.5..=columns as f64 - 0.5).contains(&x) && (0.5..=rows as f64 - 0.5).contains(&y)
        };
        for line in lines.unwrap_or_default().iter().flat_map(|line| line.geometry().0.iter()) {
            let mut piece: Vec<(i32, i32)> = Vec::new();
            let mut pieces = Vec::new();
            for point in &line.0 {
                if inside(point.x, point.y) {
                    piece.push(pixel(point.x, point.y));
                } else {
                    pieces.push(std::mem::take(&mut piece));
                }
            }
            pieces.push(piece);
            for piece in pieces.into_iter().filter(|piece| piece.len() > 1) {
                area.draw(&PathElement::new(piece.clone(), WHITE.stroke_width(7)))?;
                area.draw(&PathElement::new(piece, INK.stroke_width(3)))?;
            }
        }
        Ok(())
    }
}

fn centred(size: f64, color: RGBColor) -> TextStyle<'static> {
    let mut style = text(size, FontStyle::Normal).pos(Pos::new(HPos::Center, VPos::Center));
    style.color = color.to_backend_color();
    style
}

/// Writes a number with three digits.
fn brief(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{:.decimals$}", value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(heights: Vec<Vec<Option<f64>>>) -> Surface {
        let steps = |count: usize| (0..count).map(|step| step.to_string()).collect();
        let height = |value: f64| Height { value, interval: Some((value - 1.0, value + 1.0)) };
        Surface {
            label: "height".to_owned(),
            across: ("leverage".to_owned(), steps(heights[0].len())),
            up: ("depth".to_owned(), steps(heights.len())),
            heights: heights
                .into_iter()
                .map(|row| row.into_iter().map(|value| value.map(height)).collect())
                .collect(),
        }
    }

    fn drawn(heights: Vec<Vec<Option<f64>>>) -> Figure {
        surface_figure(("surface", "a title", "a caption"), ("above", "below"), &[surface(heights)])
    }

    fn contours(figure: &Figure) -> usize {
        figure.svg.matches("<polyline").count() >> 1
    }

    #[test]
    fn a_slope_has_its_contours_and_a_plain_or_a_grid_with_a_hole_has_none() {
        let slope = |at: usize| (0..4).map(|step| Some((step + at) as f64)).collect::<Vec<Option<f64>>>();
        let grid: Vec<Vec<Option<f64>>> = (0..3).map(slope).collect();
        let figure = drawn(grid.clone());
        assert_eq!(contours(&figure), CONTOURS as usize);
        assert_eq!(figure.hits.len(), 12);
        assert!(figure.hits[0].text.starts_with("leverage 0, depth 0\nheight: 0 (95 % -1 .. 1)"));
        assert_eq!(figure, drawn(grid.clone()));
        assert_eq!(contours(&drawn(vec![vec![Some(2.0); 4]; 3])), 0);
        let mut holed = grid;
        holed[1][1] = None;
        let figure = drawn(holed);
        assert_eq!((contours(&figure), figure.hits.len()), (0, 11));
    }

    #[test]
    fn many_columns_keep_their_numbers_for_a_pointer() {
        let figure = drawn(vec![(0..30).map(|step| Some(f64::from(step))).collect(); 2]);
        assert_eq!(figure.hits.len(), 60);
        assert!(!figure.svg.contains("12.0 .. 14.0"), "it would not fit into its cell");
        let wide = drawn(vec![vec![Some(13.0), Some(14.0)]; 2]);
        assert!(wide.svg.contains("12.0 .. 14.0"));
    }
}
