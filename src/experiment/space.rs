//! From the index of a point to its scenario: the document with the values of the point in it, checked. Scenarios are made
//! when they are needed, so that a design of a million points is as small as its axes.

use super::points::{Axis, Label, Override, Points, Written, labelled};
use crate::scenario::{Document, Problem, Scenario, Source, check};
use std::fmt::Write as _;

/// Most points that are checked before the first run; of more, as many at equal distances.
const MOST_CHECKED: u32 = 2_000;
/// No more problems are looked for: nobody mends more at a time.
const MOST_PROBLEMS: usize = 20;

/// A scenario file and the points that vary it.
#[derive(Clone, Debug)]
pub struct Space {
    /// The scenario with the changes that all points share.
    document: Document,
    /// What the scenario is called in tables and folders.
    name: String,
    /// Where paths and values were written: a study file, or arguments.
    home: Document,
    points: Points,
    /// What decides the points, as a study file says it.
    definition: String,
}

/// What is wrong with the scenarios of some points, each at its place.
#[derive(Clone, Debug)]
pub struct BadPoints {
    home: Box<Document>,
    /// Problems with a value or a path, where it was written.
    values: Vec<Problem>,
    /// Problems that values make elsewhere in the scenario, and the document of the first point that has any.
    elsewhere: Option<Box<(Document, Vec<Problem>)>>,
}

impl BadPoints {
    /// Says the first thing that is wrong in one line.
    pub fn first(&self) -> String {
        let elsewhere = self.elsewhere.iter().flat_map(|elsewhere| &elsewhere.1);
        let problem = self.values.iter().chain(elsewhere).next().expect("bad points have a problem");
        let colon = if problem.at.is_empty() { "" } else { ": " };
        format!("{}{colon}{}", problem.at, problem.what)
    }

    /// Draws what is wrong, with the lines of the files.
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        if !self.values.is_empty() {
            text.push_str(&self.home.render(&self.values, color));
        }
        if let Some(elsewhere) = &self.elsewhere {
            let (document, problems) = &**elsewhere;
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(&document.render(problems, color));
        }
        text
    }
}

impl Space {
    /// Puts points over a document. `home` is the document that their sources lie in, and `definition` what
    /// decides them ([`definition`](super::Study::definition)).
    pub fn new(document: Document, name: &str, home: Document, points: Points, definition: String) -> Self {
        Self { document, name: name.to_owned(), home, points, definition }
    }

    /// Returns what decides the points, as a study file says it.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// Returns the points.
    pub const fn points(&self) -> &Points {
        &self.points
    }

    /// Makes the scenario of a point.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn scenario(&self, point: u32) -> Result<Scenario, BadPoints> {
        let (document, first) = self.document(point);
        check(&document, &self.name).map_err(|problems| {
            let mut bad = self.sound();
            self.sort(point, &document, first, problems, &mut bad);
            bad
        })
    }

    /// Checks the scenarios of all points, or of many at equal distances if they are more than some thousands.
    ///
    /// # Errors
    /// Says everything that is wrong with them, the same fault of the same value once.
    pub fn check(&self) -> Result<(), BadPoints> {
        self.check_beside(&[])
    }

    /// Checks the scenarios of all points as [`Self::check`] does, where the document has problems without them.
    ///
    /// # Errors
    /// Says everything else that is wrong with them.
    pub fn check_beside(&self, known: &[Problem]) -> Result<(), BadPoints> {
        let count = self.points.count();
        let checked = count.min(MOST_CHECKED);
        let mut bad = self.sound();
        for index in 0..checked {
            // The first and the last are among them.
            let span = u64::from(count - 1) * u64::from(index);
            let point = span.checked_div(u64::from(checked - 1)).unwrap_or(0) as u32;
            let (document, first) = self.document(point);
            if let Err(mut problems) = check(&document, &self.name) {
                problems.retain(|problem| !known.contains(problem));
                self.sort(point, &document, first, problems, &mut bad);
            }
            if bad.values.len() >= MOST_PROBLEMS {
                break;
            }
        }
        if bad.values.is_empty() && bad.elsewhere.is_none() { Ok(()) } else { Err(bad) }
    }

    /// Says the values of a point in words: `depth = 0.5, leverage = 20`.
    pub fn said(&self, point: u32) -> String {
        let mut text = String::new();
        for (axis, level) in self.points.axes().iter().zip(self.points.levels(point)) {
            if let Some(level) = level {
                let comma = if text.is_empty() { "" } else { ", " };
                let value = match (axis.moved.first(), axis.label(level)) {
                    (Some(moved), _) => moved.values[level].text.as_str(),
                    (None, Label::Word(word)) => word.as_str(),
                    (None, Label::Number(_)) => unreachable!("an axis that moves nothing has words"),
                };
                let _ = write!(text, "{comma}{} = {value}", axis.name);
            }
        }
        if text.is_empty() { "the scenario as it is".to_owned() } else { text }
    }

    /// Returns the arguments that make the scenario of a point out of the document: `path=value`.
    pub fn arguments(&self, point: u32) -> Vec<String> {
        self.points.overrides(point).iter().map(argument).collect()
    }

    /// Returns what stands in tables for what the scenario has where an axis leaves it as it is; `None` where the axis moves
    /// several paths, or its path is absent from the file or stands for several.
    pub(super) fn unvaried(&self, axis: &Axis) -> Option<Label> {
        let [moved] = axis.moved.as_slice() else { return None };
        let value = self.document.literal(&moved.path.text)?;
        labelled(&[&value]).pop()
    }

    fn sound(&self) -> BadPoints {
        BadPoints { home: Box::new(self.home.clone()), values: Vec::new(), elsewhere: None }
    }

    /// Makes the document of a point; returns the index of its first own argument too.
    fn document(&self, point: u32) -> (Document, usize) {
        let mut document = self.document.clone();
        let mut first = None;
        for one in self.points.overrides(point) {
            let index = document.set_from("--vary", &argument(&one));
            first.get_or_insert(index);
        }
        (document, first.unwrap_or(usize::MAX))
    }

    /// Adds problems of a point to those of others, where the values that they are about were written.
    fn sort(
        &self,
        point: u32,
        document: &Document,
        first: usize,
        problems: Vec<Problem>,
        bad: &mut BadPoints,
    ) {
        let overrides = self.points.overrides(point);
        let mut elsewhere = Vec::new();
        for problem in problems {
            let Some(source) = at_home(&overrides, first, problem.source) else {
                elsewhere.push(problem);
                continue;
            };
            let known = |other: &Problem| other.source == source && other.at == problem.at;
            if !bad.values.iter().any(known) {
                bad.values.push(Problem { source, ..problem });
            }
        }
        if !elsewhere.is_empty() && bad.elsewhere.is_none() {
            let with = format!("with {}", self.said(point));
            for problem in &mut elsewhere {
                let help = problem.help.take().map_or_else(|| with.clone(), |help| format!("{with}; {help}"));
                problem.help = Some(help);
            }
            bad.elsewhere = Some(Box::new((document.clone(), elsewhere)));
        }
    }
}

fn argument(one: &Override<'_>) -> String {
    format!("{}={}", one.path.text, one.value.text)
}

/// Finds the place of a problem with an override in what it was written in.
fn at_home(overrides: &[Override<'_>], first: usize, source: Source) -> Option<Source> {
    let Source::Argument { index, start, end } = source else { return None };
    let one = overrides.get(index.checked_sub(first)?)?;
    let value = one.path.text.len() + 1;
    Some(if start < value {
        inside(one.path, start, end)
    } else {
        inside(one.value, start - value, end.saturating_sub(value))
    })
}

/// Narrows the place of a text to a part of it, if it was written letter by letter.
fn inside(written: &Written, start: usize, end: usize) -> Source {
    let len = written.text.len();
    let (start, end) = (start.min(len), end.min(len));
    match written.source {
        Source::File { start: from, end: to } if to - from == len => {
            Source::File { start: from + start, end: from + end }
        }
        Source::Argument { index, start: from, end: to } if to - from == len => {
            Source::Argument { index, start: from + start, end: from + end }
        }
        whole => whole,
    }
}
