//! The points of a design: axes whose values replace what stands at dotted paths, and how the axes are combined. Points are
//! counted, not stored: the values of one are found by its index.

use crate::record::{ColumnKind, is_identifier};
use crate::scenario::Source;

/// A value or a path as it was written, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// A path, or a value in TOML syntax: digits stay as they are.
    pub text: String,
    /// Where it stands in the document that the design was read from.
    pub source: Source,
}

/// One path with a value for each level of its axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Dotted path.
    pub path: Written,
    /// One value a level.
    pub values: Vec<Written>,
}

/// What stands for a level in tables.
#[derive(Clone, PartialEq, Debug)]
pub enum Label {
    /// A number.
    Number(f64),
    /// An identifier, or several joined by dots.
    Word(String),
}

/// One parameter that is varied: a column of every table.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// Name of the column, in snake case.
    pub name: String,
    /// The paths that it moves, all in step.
    pub moved: Vec<Moved>,
    /// One label a level, all of one kind.
    labels: Vec<Label>,
    /// What its column means, where no key of the scenario says it.
    meaning: &'static str,
}

impl Axis {
    /// Makes an axis that only names the points of [`Points::overlaid`]: it moves nothing itself.
    ///
    /// # Panics
    /// Panics on a word that may not stand in a table.
    pub fn naming(name: &str, words: &[String], meaning: &'static str) -> Self {
        assert!(words.iter().all(|word| is_identifier(word)), "names may stand in tables: {words:?}");
        let labels = words.iter().map(|word| Label::Word(word.clone())).collect();
        Self { name: name.to_owned(), moved: Vec::new(), labels, meaning }
    }

    /// Makes an axis. `labels` are texts that stand for its levels, its first path's values unless given. If all are numbers
    /// they are kept as such; if not, texts that may stand in a table are kept, and `value-1`, `value-2` stand for all if one
    /// may not, such as an array.
    ///
    /// # Panics
    /// Panics unless it moves a path, and all paths and labels have the same number of levels.
    pub fn new(name: String, moved: Vec<Moved>, labels: Option<&[String]>) -> Self {
        let levels = moved.first().expect("an axis moves a path").values.len();
        assert!(moved.iter().all(|one| one.values.len() == levels), "paths of one axis move in step");
        let texts: Vec<&str> = match labels {
            Some(labels) => labels.iter().map(String::as_str).collect(),
            None => moved[0].values.iter().map(|value| value.text.as_str()).collect(),
        };
        assert_eq!(texts.len(), levels, "one label a level");
        let labels = labelled(&texts);
        Self { name, moved, labels, meaning: "varied" }
    }

    /// Returns the number of values.
    pub fn levels(&self) -> usize {
        self.labels.len()
    }

    /// Returns what stands for a level in tables.
    pub fn label(&self, level: usize) -> &Label {
        &self.labels[level]
    }

    /// Returns what the cells of its column hold.
    pub fn kind(&self) -> ColumnKind {
        match self.labels.first() {
            Some(Label::Word(_)) => ColumnKind::Text,
            None if self.moved.is_empty() => ColumnKind::Text,
            Some(Label::Number(_)) | None => ColumnKind::Number,
        }
    }

    /// Returns what its column means, where no key of the scenario says it.
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }
}

pub(super) fn labelled(texts: &[&str]) -> Vec<Label> {
    let bare: Vec<&str> = texts.iter().map(|text| unquoted(text)).collect();
    let numbers: Option<Vec<Label>> = bare.iter().map(|text| number(text).map(Label::Number)).collect();
    if let Some(numbers) = numbers {
        return numbers;
    }
    let may_stand = |text: &&str| text.split('.').all(is_identifier);
    if bare.iter().all(may_stand) {
        return bare.iter().map(|text| Label::Word((*text).to_owned())).collect();
    }
    (1..=texts.len()).map(|level| Label::Word(format!("value-{level}"))).collect()
}

/// Reads a number as TOML writes it.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    let begins = plain.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit());
    plain.parse().ok().filter(|number: &f64| begins && number.is_finite())
}

/// Takes the quotes of a plain text away.
pub(super) fn unquoted(text: &str) -> &str {
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.filter(|inner| !inner.contains('\\')).unwrap_or(text)
}

/// How the values of several axes become points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combination {
    /// Every value with every other; the last axis moves first.
    Grid,
    /// The first values together, the second values together, and so on.
    Zip,
    /// The scenario as it is, then one axis away from it at a time.
    OneAtATime,
    /// Drawn so that each axis is covered evenly; combined as [`Combination::Zip`].
    LatinHypercube,
    /// A scrambled Sobol sequence; combined as [`Combination::Zip`].
    Sobol,
    /// Each point has a list of changes of its own.
    Overlays,
}

impl Combination {
    /// Returns its name in study files and plans.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Zip => "zip",
            Self::OneAtATime => "one_at_a_time",
            Self::LatinHypercube => "latin_hypercube",
            Self::Sobol => "sobol",
            Self::Overlays => "overlays",
        }
    }
}

/// Most points of a design.
pub const MOST_POINTS: u64 = 10_000_000;

/// One point that is a list of changes, not a level of each axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlay {
    /// What stands for it in the column of each axis; `None` for nothing.
    pub levels: Vec<Option<usize>>,
    /// Paths with their values.
    pub changes: Vec<(Written, Written)>,
}

/// Axes and their combination.
#[derive(Clone, PartialEq, Debug)]
pub struct Points {
    axes: Vec<Axis>,
    combination: Combination,
    count: u32,
    overlays: Vec<Overlay>,
}

impl Points {
    /// Combines axes.
    ///
    /// # Errors
    /// Says why there are no such points: no axis, too many points, axes of unlike lengths that move together.
    pub fn new(axes: Vec<Axis>, combination: Combination) -> Result<Self, String> {
        let levels: Vec<u64> = axes.iter().map(|axis| axis.levels() as u64).collect();
        let first = *levels.first().ok_or("a sweep varies one path at least")?;
        let count = match combination {
            Combination::Grid => {
                levels.iter().try_fold(1_u64, |product, &levels| product.checked_mul(levels))
            }
            Combination::OneAtATime => Some(1 + levels.iter().sum::<u64>()),
            Combination::Zip | Combination::LatinHypercube | Combination::Sobol => {
                if let Some(at) = levels.iter().position(|&levels| levels != first) {
                    let (one, other) = (&axes[0].name, &axes[at].name);
                    return Err(format!(
                        "values move together, and {one} has {first} of them where {other} has {}",
                        levels[at]
                    ));
                }
                Some(first)
            }
            Combination::Overlays => return Err("each point has changes of its own".to_owned()),
        };
        match count.filter(|&count| count <= MOST_POINTS) {
            Some(count) => Ok(Self { axes, combination, count: count as u32, overlays: Vec::new() }),
            None => Err(format!("there are more than {MOST_POINTS} points")),
        }
    }

    /// Makes a point of each list of changes, named in the columns of these axes.
    ///
    /// # Panics
    /// Panics unless each has a level, or none, for each axis.
    pub fn overlaid(axes: Vec<Axis>, overlays: Vec<Overlay>) -> Self {
        let is_whole = |overlay: &Overlay| {
            let of_axis =
                |(level, axis): (&Option<usize>, &Axis)| level.is_none_or(|level| level < axis.levels());
            overlay.levels.len() == axes.len() && overlay.levels.iter().zip(&axes).all(of_axis)
        };
        assert!(overlays.iter().all(is_whole), "an overlay has a level of each axis");
        Self { axes, combination: Combination::Overlays, count: overlays.len() as u32, overlays }
    }

    /// Returns the axes in the order in which they were given.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Returns how they are combined.
    pub const fn combination(&self) -> Combination {
        self.combination
    }

    /// Returns the number of points.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Returns the level of each axis at a point; `None` where the scenario is left as it is.
    pub fn levels(&self, point: u32) -> Vec<Option<usize>> {
        assert!(point < self.count, "a point of the design");
        match self.combination {
            Combination::Grid => {
                let mut rest = point as usize;
                let mut levels = vec![None; self.axes.len()];
                for (level, axis) in levels.iter_mut().zip(&self.axes).rev() {
                    *level = Some(rest % axis.levels());
                    rest = rest.div_euclid(axis.levels());
                }
                levels
            }
            Combination::Zip | Combination::LatinHypercube | Combination::Sobol => {
                vec![Some(point as usize); self.axes.len()]
            }
            Combination::Overlays => self.overlays[point as usize].levels.clone(),
            Combination::OneAtATime => {
                let mut levels = vec![None; self.axes.len()];
                let mut rest = (point as usize).checked_sub(1);
                for (level, axis) in levels.iter_mut().zip(&self.axes) {
                    let Some(at) = rest else { break };
                    if at < axis.levels() {
                        *level = Some(at);
                        break;
                    }
                    rest = Some(at - axis.levels());
                }
                levels
            }
        }
    }

    /// Returns the overrides of a point, in the order of axes: the axis, the place of the path in it, the level.
    pub(super) fn overrides(&self, point: u32) -> Vec<Override<'_>> {
        if self.combination == Combination::Overlays {
            let changes = &self.overlays[point as usize].changes;
            return changes.iter().map(|(path, value)| Override { path, value }).collect();
        }
        let mut overrides = Vec::new();
        for (axis, level) in self.axes.iter().zip(self.levels(point)) {
            let Some(level) = level else { continue };
            for moved in &axis.moved {
                overrides.push(Override { path: &moved.path, value: &moved.values[level] });
            }
        }
        overrides
    }
}

/// One value at one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Override<'p> {
    pub(super) path: &'p Written,
    pub(super) value: &'p Written,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn written(text: &str) -> Written {
        Written { text: text.to_owned(), source: Source::Missing { start: 0, end: 0 } }
    }

    pub(in crate::experiment) fn axis(name: &str, values: &[&str]) -> Axis {
        let values = values.iter().map(|value| written(value)).collect();
        Axis::new(name.to_owned(), vec![Moved { path: written(name), values }], None)
    }

    fn all(combination: Combination, axes: &[Axis]) -> Vec<Vec<String>> {
        let points = Points::new(axes.to_vec(), combination).unwrap();
        let texts = |point| points.overrides(point).iter().map(|one| one.value.text.clone()).collect();
        (0..points.count()).map(texts).collect()
    }

    #[test]
    fn points_are_found_by_their_index() {
        let axes = [axis("a", &["1", "2"]), axis("b", &["x", "y"])];
        assert_eq!(all(Combination::Grid, &axes), [["1", "x"], ["1", "y"], ["2", "x"], ["2", "y"]]);
        assert_eq!(all(Combination::Zip, &axes), [["1", "x"], ["2", "y"]]);
        let one_at_a_time: Vec<Vec<&str>> = vec![vec![], vec!["1"], vec!["2"], vec!["x"], vec!["y"]];
        assert_eq!(all(Combination::OneAtATime, &axes), one_at_a_time);
    }

    #[test]
    fn what_makes_no_points_is_said() {
        let refused = |axes: &[Axis], combination| Points::new(axes.to_vec(), combination).unwrap_err();
        assert_eq!(refused(&[], Combination::Grid), "a sweep varies one path at least");
        let unlike = [axis("a", &["1", "2"]), axis("b", &["1", "2", "3"])];
        let said = refused(&unlike, Combination::Zip);
        assert_eq!(said, "values move together, and a has 2 of them where b has 3");
        let thousand: Vec<String> = (0..1_000).map(|value| value.to_string()).collect();
        let long = axis("a", &thousand.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(refused(&vec![long.clone(); 3], Combination::Grid), "there are more than 10000000 points");
        assert_eq!(refused(&vec![long; 30], Combination::Grid), "there are more than 10000000 points");
    }

    #[test]
    fn labels_are_numbers_or_words_that_may_stand_in_a_table() {
        let labels = |values: &[&str]| axis("a", values).labels;
        let number = |value: f64| Label::Number(value);
        assert_eq!(labels(&["0.50", "\"2\"", "1_000"]), [number(0.5), number(2.0), number(1000.0)]);
        let word = |text: &str| Label::Word(text.to_owned());
        assert_eq!(labels(&["5m", "\"1h\""]), [word("5m"), word("1h")]);
        assert_eq!(labels(&["1", "inf"]), [word("1"), word("inf")]);
        assert_eq!(labels(&["[[5, 1]]", "x"]), [word("value-1"), word("value-2")]);
        assert_eq!(labels(&["=cmd()", "-x"]), [word("value-1"), word("value-2")]);
    }
}
