//! From what was asked to be varied, as it was written, to the points of a design: lists and ranges become levels, and designs
//! that draw draw them.

use super::points::{Axis, Combination, MOST_POINTS, Moved, Points, Written};
use super::values::{Between, Generated, generated, items};
use crate::rng::Seed;
use crate::sampling::{below, uniform};
use crate::scenario::{Problem, Source, canonical, quoted};
use std::fmt::Write as _;

/// One parameter as it was asked to be varied.
#[derive(Clone, PartialEq, Debug)]
pub struct Variation {
    /// Name of its column, in snake case.
    pub name: String,
    /// The paths that it moves, in step.
    pub moved: Vec<Variant>,
    /// What stands for each level in tables, if not the value itself.
    pub labels: Option<Vec<Written>>,
}

/// One path with its values as they were written.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// Name among the paths of its parameter; empty for the first.
    pub name: String,
    /// Dotted path.
    pub path: Written,
    /// Values in TOML syntax, among them quoted words such as `"range(1, 3, 1)"`.
    pub items: Vec<Written>,
}

/// How parameters become points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sampling {
    /// Every value with every other; the last parameter by name moves first.
    Grid,
    /// The first values together, the second values together, and so on.
    Zip,
    /// The scenario as it is, then one parameter away from it at a time.
    OneAtATime,
    /// So many points, drawn such that each parameter's range is covered evenly (McKay, Beckman, Conover 1979).
    LatinHypercube(u32),
    /// So many points of a Sobol sequence with Owen's scrambling (Burley 2020).
    Sobol(u32),
}

/// Most points and most parameters that the Sobol sequence has.
pub const SOBOL_POINTS: u32 = 1 << 16;
const SOBOL_AXES: usize = 256;

/// The levels of one path before they are drawn.
enum Levels {
    List(Vec<Written>),
    Between(Between, Source),
}

impl Levels {
    fn len(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.len()),
            Self::Between(..) => None,
        }
    }
}

impl Variation {
    /// Understands `path=values` as one types it; `at` makes the source of a part of the text. The name is the path's last
    /// part until [`name_apart`] is called.
    ///
    /// # Errors
    /// Says where the text is no such thing.
    pub fn typed(text: &str, at: impl Fn(usize, usize) -> Source) -> Result<Self, Problem> {
        let problem = |start, end, what: &str, help: &str| Problem {
            at: String::new(),
            source: at(start, end),
            what: what.to_owned(),
            help: Some(help.to_owned()),
        };
        let Some((path, values)) = text.split_once('=') else {
            let help = "for example duration=30m,1h or path=range(1, 5, 1)";
            return Err(problem(0, text.len(), "what is varied has the form path=value,value,...", help));
        };
        let from = path.len() + 1;
        let start = path.len() - path.trim_start().len();
        let path = path.trim();
        let path = Written { text: path.to_owned(), source: at(start, start + path.len()) };
        let mut list = Vec::new();
        for item in items(values) {
            let word = &values[item.clone()];
            let (start, end) = (from + item.start, from + item.end);
            if word.is_empty() {
                let help = "an empty text is written \"\"";
                return Err(problem(start.saturating_sub(1), end, "a value is missing", help));
            }
            list.push(Written { text: canonical(word), source: at(start, end) });
        }
        let moved = Variant { name: String::new(), path, items: list };
        Ok(Self { name: String::new(), moved: vec![moved], labels: None })
    }

    /// Makes the levels of all paths, or of none after saying what is wrong with one.
    fn levels(&self, problems: &mut Vec<Problem>) -> Option<Vec<Levels>> {
        let all: Vec<_> = self.moved.iter().map(|variant| expand(&variant.items, problems)).collect();
        all.into_iter().collect()
    }
}

/// Names each parameter by the last part of its path, with the parts before it as far as names would be the same or are taken.
pub fn name_apart(variations: &mut [Variation], is_taken: impl Fn(&str) -> bool) {
    let parts: Vec<Vec<String>> = variations
        .iter()
        .map(|variation| {
            let path = variation.moved.first().map_or("", |variant| variant.path.text.as_str());
            path.split('.').map(snake).filter(|part| !part.is_empty()).collect()
        })
        .collect();
    let name = |index: usize, length: usize| {
        let parts: &Vec<String> = &parts[index];
        parts[parts.len().saturating_sub(length)..].join("_")
    };
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    for (index, variation) in variations.iter_mut().enumerate() {
        let is_apart = |length: &usize| {
            let own = name(index, *length);
            let others = (0..parts.len()).filter(|other| *other != index);
            !is_taken(&own) && others.into_iter().all(|other| name(other, *length) != own)
        };
        let length = (1..=longest).find(is_apart).unwrap_or(longest);
        variation.name = name(index, length);
    }
}

/// Makes a word that may stand in a name of a column.
fn snake(part: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    part.chars().map(plain).collect::<String>().trim_matches('_').to_owned()
}

/// Makes the points of a design. Parameters come in the order of their names, as tables of a file do.
///
/// # Errors
/// Says everything that is wrong with what was asked.
pub fn points(variations: &[Variation], sampling: Sampling, seed: u64) -> Result<Points, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut sorted: Vec<&Variation> = variations.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let levels: Vec<Option<Vec<Levels>>> =
        sorted.iter().map(|variation| variation.levels(&mut problems)).collect();
    for (variation, levels) in sorted.iter().zip(&levels) {
        if let Some(levels) = levels {
            check_steps(variation, levels, sampling, &mut problems);
        }
    }
    let about = |index: usize, what: String, help: Option<String>| {
        let path = &sorted[index].moved[0].path;
        Problem { at: sorted[index].name.clone(), source: path.source, what, help }
    };
    for pair in 1..sorted.len() {
        if sorted[pair - 1].name == sorted[pair].name {
            problems.push(about(pair, "is varied twice".to_owned(), Some("keep one of the two".to_owned())));
        }
    }
    if let Sampling::Sobol(count) = sampling
        && (count > SOBOL_POINTS || sorted.len() > SOBOL_AXES)
    {
        let what = format!("a Sobol sequence has at most {SOBOL_POINTS} points of {SOBOL_AXES} parameters");
        problems.push(about(0, what, Some("latin_hypercube has more".to_owned())));
    }
    let count = |index: usize| levels[index].as_ref().and_then(|levels| levels.first()?.len());
    if sampling == Sampling::Zip {
        for index in 1..sorted.len() {
            if let (Some(first), Some(own)) = (count(0), count(index))
                && first != own
            {
                let what = format!("has {own} values, and {} has {first}", sorted[0].name);
                problems.push(about(index, what, Some("values that move together are as many".to_owned())));
            }
        }
    }
    let levels: Option<Vec<Vec<Levels>>> = levels.into_iter().collect();
    let Some(levels) = levels.filter(|_| problems.is_empty()) else { return Err(problems) };
    let draws = match sampling {
        Sampling::LatinHypercube(count) => {
            Some(sorted.iter().map(|one| latin(&one.name, count, seed)).collect::<Vec<_>>())
        }
        Sampling::Sobol(count) => Some((0..sorted.len()).map(|axis| sobol(axis, count, seed)).collect()),
        Sampling::Grid | Sampling::Zip | Sampling::OneAtATime => None,
    };
    let axes = sorted.iter().zip(levels).enumerate().map(|(index, (variation, levels))| {
        axis(variation, levels, draws.as_ref().map(|draws| draws[index].as_slice()))
    });
    let combination = match sampling {
        Sampling::Grid => Combination::Grid,
        Sampling::OneAtATime => Combination::OneAtATime,
        Sampling::Zip | Sampling::LatinHypercube(_) | Sampling::Sobol(_) => Combination::Zip,
    };
    Points::new(axes.collect(), combination).map_err(|what| {
        vec![match sorted.len() {
            0 => {
                Problem { at: String::new(), source: Source::Missing { start: 0, end: 0 }, what, help: None }
            }
            count => about(count - 1, what, None),
        }]
    })
}

/// Makes the levels of one path.
fn expand(list: &[Written], problems: &mut Vec<Problem>) -> Option<Levels> {
    let mut levels = Vec::new();
    for item in list {
        let problem = |what: String, help| Problem { at: String::new(), source: item.source, what, help };
        match generated(super::points::unquoted(&item.text)) {
            None => levels.push(item.clone()),
            Some(Ok(Generated::Levels(texts))) => {
                levels.extend(texts.into_iter().map(|text| Written { text, source: item.source }));
            }
            Some(Ok(Generated::Between(between))) if list.len() == 1 => {
                return Some(Levels::Between(between, item.source));
            }
            Some(Ok(Generated::Between(_))) => {
                let help = Some("an interval stands alone".to_owned());
                problems.push(problem("is beside other values".to_owned(), help));
                return None;
            }
            Some(Err(refused)) => {
                problems.push(problem(refused.what, refused.help));
                return None;
            }
        }
        if levels.len() as u64 > MOST_POINTS {
            problems.push(problem(format!("more than {MOST_POINTS} values"), None));
            return None;
        }
    }
    Some(Levels::List(levels))
}

/// Checks that the paths of one parameter and its labels are as many, and that intervals are where values are drawn.
fn check_steps(variation: &Variation, levels: &[Levels], sampling: Sampling, problems: &mut Vec<Problem>) {
    let is_drawn = matches!(sampling, Sampling::LatinHypercube(_) | Sampling::Sobol(_));
    let is_alone = variation.moved.len() == 1 && variation.labels.is_none();
    let mut problem = |source, what: String, help: &str| {
        problems.push(Problem { at: variation.name.clone(), source, what, help: Some(help.to_owned()) });
    };
    for (variant, levels) in variation.moved.iter().zip(levels) {
        match levels {
            Levels::Between(_, source) if !is_drawn => problem(
                *source,
                "is an interval, and this design takes values".to_owned(),
                "list values, or draw points: a Latin hypercube, a Sobol sequence",
            ),
            Levels::Between(_, source) if !is_alone => problem(
                *source,
                "is an interval beside paths or labels that move in step".to_owned(),
                "list the values",
            ),
            Levels::List(list) if list.is_empty() => {
                problem(variant.path.source, "has no value".to_owned(), "one value at least");
            }
            Levels::Between(..) | Levels::List(_) => {}
        }
    }
    let Some(first) = levels.first().and_then(Levels::len) else { return };
    for (variant, levels) in variation.moved.iter().zip(levels).skip(1) {
        if let Some(count) = levels.len().filter(|count| *count != first) {
            let what = format!("has {count} values where the first path has {first}");
            problem(variant.path.source, what, "paths of one axis move in step");
        }
    }
    if let Some(labels) = &variation.labels
        && labels.len() != first
    {
        let what = format!("has {} labels for {first} values", labels.len());
        let source = labels.first().map_or(variation.moved[0].path.source, |label| label.source);
        problem(source, what, "one label a value");
    }
}

/// Makes an axis of its levels, or of a draw from them for each point.
fn axis(variation: &Variation, levels: Vec<Levels>, draws: Option<&[f64]>) -> Axis {
    let drawn = |list: &[Written], share: f64| {
        let level = (share * list.len() as f64) as usize;
        level.min(list.len() - 1)
    };
    let labels = variation.labels.as_ref().map(|labels| {
        let at = |level: usize| labels[level].text.clone();
        match draws {
            Some(draws) => draws.iter().map(|share| at(drawn(labels, *share))).collect(),
            None => (0..labels.len()).map(at).collect::<Vec<_>>(),
        }
    });
    let moved = variation.moved.iter().zip(levels).map(|(variant, levels)| {
        let values = match (levels, draws) {
            (Levels::List(list), None) => list,
            (Levels::List(list), Some(draws)) => {
                draws.iter().map(|share| list[drawn(&list, *share)].clone()).collect()
            }
            (Levels::Between(between, source), draws) => {
                let draws = draws.expect("an interval is checked to be drawn from");
                draws.iter().map(|share| Written { text: between.at(*share), source }).collect()
            }
        };
        Moved { path: variant.path.clone(), values }
    });
    Axis::new(variation.name.clone(), moved.collect(), labels.as_deref())
}

/// Draws one value in each of `count` equal parts of [0, 1), in random order.
fn latin(name: &str, count: u32, seed: u64) -> Vec<f64> {
    let stream = Seed { master: seed, replicate: 0 }.stream(&format!("latin-hypercube {name}"));
    let mut rng = stream.sequence();
    let mut draws: Vec<f64> =
        (0..count).map(|part| (f64::from(part) + uniform(&mut rng)) / f64::from(count)).collect();
    for last in (1..draws.len()).rev() {
        draws.swap(last, below(last as u64 + 1, &mut rng) as usize);
    }
    draws
}

fn sobol(axis: usize, count: u32, seed: u64) -> Vec<f64> {
    let draw = |index| f64::from(sobol_burley::sample(index, axis as u32, (seed ^ (seed >> 32)) as u32));
    (0..count).map(draw).collect()
}

/// Writes what was asked in the form of a study file, by which a plan knows it.
pub(super) fn definition(variations: &[Variation], sampling: Sampling) -> String {
    let mut text = match sampling {
        Sampling::Grid => "design = \"grid\"\n".to_owned(),
        Sampling::Zip => "design = \"zip\"\n".to_owned(),
        Sampling::OneAtATime => "design = \"one_at_a_time\"\n".to_owned(),
        Sampling::LatinHypercube(points) => {
            format!("design = {{ latin_hypercube = {{ points = {points} }} }}\n")
        }
        Sampling::Sobol(points) => format!("design = {{ sobol = {{ points = {points} }} }}\n"),
    };
    let list = |items: &[Written]| {
        let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
        texts.join(", ")
    };
    let mut sorted: Vec<&Variation> = variations.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for variation in sorted {
        for variant in &variation.moved {
            let also =
                if variant.name.is_empty() { String::new() } else { format!(".also.{}", variant.name) };
            let (path, values) = (quoted(&variant.path.text), list(&variant.items));
            let _ = write!(text, "\n[axes.{}{also}]\npath = {path}\nvalues = [{values}]\n", variation.name);
            if let Some(labels) = variation.labels.as_ref().filter(|_| variant.name.is_empty()) {
                let _ = writeln!(text, "labels = [{}]", list(labels));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(texts: &[&str]) -> Vec<Variation> {
        let at = |start, end| Source::File { start, end };
        let mut all: Vec<Variation> = texts.iter().map(|text| Variation::typed(text, at).unwrap()).collect();
        name_apart(&mut all, |name| name == "arm");
        all
    }

    fn values(points: &Points) -> Vec<Vec<String>> {
        let text = |point| points.overrides(point).iter().map(|one| one.value.text.clone()).collect();
        (0..points.count()).map(text).collect()
    }

    fn refused(texts: &[&str], sampling: Sampling) -> Vec<String> {
        let problems = points(&typed(texts), sampling, 1).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.at, problem.what)).collect()
    }

    #[test]
    fn what_is_typed_becomes_points_in_the_order_of_names() {
        let grid = points(&typed(&["b.y=5m, 1h", "a.x=range(0.1,0.2,0.1)"]), Sampling::Grid, 1).unwrap();
        let names: Vec<&str> = grid.axes().iter().map(|axis| axis.name.as_str()).collect();
        assert_eq!(names, ["x", "y"]);
        let expected = [["0.1", "\"5m\""], ["0.1", "\"1h\""], ["0.2", "\"5m\""], ["0.2", "\"1h\""]];
        assert_eq!(values(&grid), expected);
    }

    #[test]
    fn names_are_as_short_as_they_may_be() {
        let names = |texts: &[&str]| typed(texts).into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(&["a.b.quote=1"]), ["quote"]);
        assert_eq!(names(&["a.second.quote=1", "a.maker.quote=1"]), ["second_quote", "maker_quote"]);
        assert_eq!(names(&["x.arm=1", "COIN-PERP.*.tick=1"]), ["x_arm", "tick"]);
        assert_eq!(names(&["x.COIN-PERP=1"]), ["coin_perp"]);
    }

    #[test]
    fn a_typed_value_points_at_itself() {
        let text = "duration= 1h,range(1,2)";
        let all = Variation::typed(text, |start, end| Source::File { start, end }).unwrap();
        let place = |written: &Written| match written.source {
            Source::File { start, end } => text[start..end].to_owned(),
            other => panic!("{other:?}"),
        };
        let items: Vec<String> = all.moved[0].items.iter().map(place).collect();
        assert_eq!(
            (place(&all.moved[0].path).as_str(), items.as_slice()),
            ("duration", &["1h", "range(1,2)"].map(str::to_owned)[..])
        );
        for text in ["duration", "duration=", "duration=1h,,2h"] {
            assert!(Variation::typed(text, |start, end| Source::File { start, end }).is_err(), "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        assert_eq!(refused(&["a=range(1,2)", "b=logspace(0,1,2)"], Sampling::Grid).len(), 2);
        assert_eq!(
            refused(&["a=between(0,1)"], Sampling::Grid),
            ["a: is an interval, and this design takes values"]
        );
        assert_eq!(refused(&["a=between(0,1),2"], Sampling::Sobol(4)), [": is beside other values"]);
        assert_eq!(refused(&["a=1,2", "b=1"], Sampling::Zip), ["b: has 1 values, and a has 2"]);
        assert_eq!(refused(&["a=1", "a=2"], Sampling::Grid), ["a: is varied twice"]);
        assert_eq!(refused(&["a=1"], Sampling::Sobol(100_000)).len(), 1);
    }

    #[test]
    fn a_latin_hypercube_has_one_value_in_each_part_of_each_range() {
        let drawn = points(
            &typed(&["a=between(0,100)", "b=log_between(1,100)", "c=x,y"]),
            Sampling::LatinHypercube(50),
            3,
        );
        let drawn = values(&drawn.unwrap());
        assert_eq!(drawn.len(), 50);
        let numbers = |axis: usize| drawn.iter().map(move |point| point[axis].parse::<f64>().unwrap());
        let parts = |values: Vec<f64>| {
            let mut parts: Vec<u32> = values.into_iter().map(|share| (share * 50.0) as u32).collect();
            parts.sort_unstable();
            parts
        };
        let all: Vec<u32> = (0..50).collect();
        assert_eq!(parts(numbers(0).map(|value| value / 100.0).collect()), all);
        assert_eq!(parts(numbers(1).map(|value| libm::log(value) / libm::log(100.0)).collect()), all);
        assert_eq!(drawn.iter().filter(|point| point[2] == "\"x\"").count(), 25);
        assert!(numbers(0).zip(numbers(0).skip(1)).any(|(a, b)| a > b), "in no order");
        let again = points(
            &typed(&["a=between(0,100)", "b=log_between(1,100)", "c=x,y"]),
            Sampling::LatinHypercube(50),
            3,
        );
        assert_eq!(values(&again.unwrap()), drawn);
    }

    #[test]
    fn a_sobol_sequence_fills_each_quarter_of_the_square_equally() {
        let drawn =
            values(&points(&typed(&["a=between(0,1)", "b=between(0,1)"]), Sampling::Sobol(64), 5).unwrap());
        let mut quarters = [0; 4];
        for point in &drawn {
            let half = |axis: usize| usize::from(point[axis].parse::<f64>().unwrap() >= 0.5);
            quarters[2 * half(0) + half(1)] += 1;
        }
        assert_eq!(quarters, [16; 4]);
    }

    #[test]
    fn a_definition_has_every_value_as_it_was_written() {
        let text = definition(&typed(&["a.b=range(1,2,1),5", "c=[[5,1]]"]), Sampling::Zip);
        let expected = "design = \"zip\"\n\n[axes.b]\npath = \"a.b\"\nvalues = [\"range(1,2,1)\", 5]\n\n[axes.c]\npath = \"c\"\nvalues = [[[5, 1]]]\n";
        assert_eq!(text, expected);
    }
}
