//! Study files: a scenario, what of it is varied, arms, replicates and a seed, read and refused as scenario files are.

use super::axes::{Sampling, Variant, Variation, definition, points};
use super::points::{Points, Written};
use super::{Arm, Precision, is_column};
use crate::record::columns::is_snake_case;
use crate::scenario::{Document, Key, Kind, Problem, Reader, Row, Section, quoted};
use std::fmt::Write as _;

const fn key(
    path: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    meaning: &'static str,
    why: &'static str,
) -> Key {
    Key { path, kind, unit: "", default, meaning, why }
}

/// The keys of study files.
pub static STUDY_KEYS: &[Key] = &[
    key(
        "name",
        Kind::Name,
        None,
        "what it is called in folders and manifests; that of its file unless stated",
        "",
    ),
    key("title", Kind::Text, Some(""), "one line of what it asks", ""),
    key("scenario", Kind::Text, None, "a shipped scenario, or a file beside the study", ""),
    key("set", Kind::List, Some("[]"), "changes of the scenario that all points share: \"path=value\"", ""),
    key(
        "design",
        Kind::OneOf(&["grid", "zip", "one_at_a_time", "latin_hypercube", "sobol"]),
        Some("grid"),
        "how the axes become points: every value with every other, the first with the first, one axis away from the scenario at \
         a time, or drawn",
        "a grid shows how two parameters act together",
    ),
    key(
        "design.latin_hypercube.points",
        Kind::Int { min: 1, max: 10_000_000 },
        None,
        "how many points are drawn",
        "",
    ),
    key("design.sobol.points", Kind::Int { min: 1, max: 65_536 }, None, "how many points are drawn", ""),
    key(
        "axes",
        Kind::Tables,
        None,
        "what is varied: a column of every table each, in the order of names",
        "",
    ),
    key("axes.*.path", Kind::Text, None, "dotted path of the value that is replaced", ""),
    key(
        "axes.*.values",
        Kind::List,
        None,
        "values, among them \"range(first, last, step)\", \"linspace(first, last, count)\", \"logspace(first, last, count)\"; or \
         one \"between(low, high)\" or \"log_between(low, high)\" where the design draws",
        "",
    ),
    key(
        "axes.*.labels",
        Kind::List,
        None,
        "numbers or names that stand in tables for the values; the values themselves unless stated",
        "",
    ),
    key("axes.*.also", Kind::Tables, Some("{}"), "other paths that move in step with this one", ""),
    key("axes.*.also.*.path", Kind::Text, None, "dotted path of the value that is replaced", ""),
    key("axes.*.also.*.values", Kind::List, None, "as many values as the axis has", ""),
    key(
        "arms",
        Kind::List,
        None,
        "mechanisms that are switched off at every point, one at a time and paired by seed; calm, without shocks; calm-NAME, without \
         shocks and a mechanism; the scenario's counterfactuals unless stated",
        "",
    ),
    key(
        "replicates",
        Kind::Int { min: 1, max: 100_000 },
        Some("20"),
        "repetitions of each cell",
        "as in `run`",
    ),
    key(
        "until_ci",
        Kind::Float { min: 0.001, max: 1.0 },
        None,
        "adds replicates in batches of 32 until half the width of the 95 % interval is at most this share of its estimate: of the \
         mean drawdown of each cell of a point, or of its amplification where it has the arms for it; instead of `replicates`",
        "",
    ),
    key(
        "most_replicates",
        Kind::Int { min: 32, max: 100_000 },
        Some("1024"),
        "most replicates of a cell where `until_ci` is stated",
        "the interval of 32 batches is 5.7 times as narrow as that of the first",
    ),
    key(
        "seed",
        Kind::Int { min: 0, max: i64::MAX },
        Some("1"),
        "the seed that all dice come from",
        "as in `run`",
    ),
    key("hash", Kind::Bool, Some("false"), "whether each run's event tape is hashed", ""),
    key(
        "independent",
        Kind::Bool,
        Some("false"),
        "whether every point has dice of its own; the arms of a point share theirs in any case",
        "on common random numbers points differ by less noise than on dice of their own",
    ),
    key(
        "tables",
        Kind::Bool,
        Some("false"),
        "whether each run's series, liquidations and transfers are kept",
        "some hundred kilobytes a run",
    ),
];

/// A study: what a sweep is made from, apart from the text of its scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Study {
    /// What it is called; empty for that of its file.
    pub name: String,
    /// One line of what it asks.
    pub title: String,
    /// A shipped scenario, or a path beside the study.
    pub scenario: Written,
    /// Changes of the scenario that all points share.
    pub set: Vec<String>,
    /// What is varied.
    pub variations: Vec<Variation>,
    /// How it becomes points.
    pub sampling: Sampling,
    /// Arms besides the base; `None` for the scenario's counterfactuals.
    pub arms: Option<Vec<Arm>>,
    /// Repetitions of each cell.
    pub replicates: u32,
    /// What decides the number of repetitions instead.
    pub precision: Option<Precision>,
    /// The seed that all dice come from.
    pub seed: u64,
    /// Whether every point has dice of its own.
    pub is_independent: bool,
    /// Whether each run's event tape is hashed.
    pub hash: bool,
    /// Whether each run's series, liquidations and transfers are kept.
    pub has_tables: bool,
}

impl Study {
    /// Tells whether a document is a study rather than a scenario.
    pub fn is_in(document: &Document) -> bool {
        ["axes", "scenario"].into_iter().any(|key| document.literal(key).is_some())
    }

    /// Reads a study.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn read(document: &Document) -> Result<(Self, Points), Vec<Problem>> {
        let reader = Reader::new(document, STUDY_KEYS);
        let root = reader.root();
        let sampling = sampling(root);
        let variations: Vec<Variation> =
            root.tables("axes").iter().map(|(name, table)| variation(name, *table)).collect();
        if variations.is_empty() && root.has("axes") && !root.is_spoilt("axes") {
            root.problem("axes", "vary nothing", Some("a table [axes.NAME]".to_owned()));
        }
        let names = Arm::names();
        let arms = root.has("arms").then(|| {
            let indices = root.references("arms", "mechanism or other arm", &names);
            indices.into_iter().filter_map(|index| Arm::from_name(&names[index])).collect()
        });
        let set = root.row("set");
        let most = root.int("most_replicates") as u32;
        let precision = root.opt_float("until_ci").map(|width| Precision { width, most });
        if precision.is_some() && root.has("replicates") {
            root.problem(
                "replicates",
                "is stated beside `until_ci`, which decides it",
                Some("keep one of them".to_owned()),
            );
        } else if precision.is_none() && root.has("most_replicates") {
            root.problem(
                "most_replicates",
                "is stated without `until_ci`",
                Some("state until_ci too, or replicates instead".to_owned()),
            );
        }
        let study = Self {
            name: root.opt_text("name").unwrap_or_default(),
            title: root.text("title"),
            scenario: Written { text: root.text("scenario"), source: root.source("scenario") },
            set: (0..set.len()).map(|cell| set.text(cell)).collect(),
            sampling: sampling.unwrap_or(Sampling::Grid),
            arms,
            replicates: root.int("replicates") as u32,
            precision,
            seed: root.int("seed") as u64,
            is_independent: root.bool("independent"),
            hash: root.bool("hash"),
            has_tables: root.bool("tables"),
            variations,
        };
        // What an axis makes of its values is looked at even if something else is wrong, so that all is said at once.
        let made = points(&study.variations, study.sampling, study.seed);
        let is_empty = study.variations.is_empty();
        let mut problems = reader.finish();
        match made {
            Ok(points) if problems.is_empty() => return Ok((study, points)),
            // That nothing is varied has been said, at its place.
            Err(_) if is_empty => {}
            Err(more) => problems.extend(more),
            Ok(_) => {}
        }
        problems.sort_by_key(|problem| problem.source.order());
        problems.dedup();
        assert!(!problems.is_empty(), "a study that cannot be read has a problem that says why");
        Err(problems)
    }

    /// Returns the scenario that a document names and the changes that all points share, so that these are looked at even if
    /// [`Self::read`] finds something wrong elsewhere; `None` if it names none.
    pub fn base(document: &Document) -> Option<(Written, Vec<String>)> {
        let reader = Reader::new(document, STUDY_KEYS);
        let root = reader.root();
        let (text, source, set) = (root.text("scenario"), root.source("scenario"), root.row("set"));
        let set = (0..set.len()).map(|cell| set.text(cell)).collect();
        Some((Written { text, source }, set)).filter(|(scenario, _)| !scenario.text.is_empty())
    }

    /// Writes the study so that it stands beside its scenario in a results folder, and reads as it did.
    pub fn to_toml(&self, scenario: &str, arms: &[Arm]) -> String {
        let mut text = format!("name = {}\n", quoted(&self.name));
        let _ = writeln!(text, "title = {}\nscenario = {}", quoted(&self.title), quoted(scenario));
        let without: Vec<String> = arms.iter().skip(1).map(|arm| quoted(&arm.name())).collect();
        let _ = writeln!(text, "arms = [{}]", without.join(", "));
        let _ = match self.precision {
            Some(Precision { width, most }) => writeln!(text, "until_ci = {width}\nmost_replicates = {most}"),
            None => writeln!(text, "replicates = {}", self.replicates),
        };
        let _ = writeln!(text, "seed = {}\nindependent = {}", self.seed, self.is_independent);
        let _ = writeln!(text, "hash = {}\ntables = {}", self.hash, self.has_tables);
        text.push_str(&self.definition());
        text
    }

    /// Writes what decides the points.
    pub fn definition(&self) -> String {
        definition(&self.variations, self.sampling)
    }
}

fn sampling(root: Section<'_>) -> Option<Sampling> {
    let (design, body) = root.one_of("design")?;
    Some(match design {
        "grid" => Sampling::Grid,
        "zip" => Sampling::Zip,
        "one_at_a_time" => Sampling::OneAtATime,
        "latin_hypercube" => Sampling::LatinHypercube(body.int("points") as u32),
        "sobol" => Sampling::Sobol(body.int("points") as u32),
        other => unreachable!("the key table does not declare {other}"),
    })
}

fn variation(name: &str, table: Section<'_>) -> Variation {
    if !is_snake_case(name) {
        let help = "lower-case letters, digits and `_`, a letter first";
        table.problem("", "is no name of a column", Some(help.to_owned()));
    } else if is_column(name) {
        table.problem("", "is the name of a column already", Some("choose another".to_owned()));
    }
    let mut moved = vec![variant("", table)];
    moved.extend(table.tables("also").iter().map(|(name, table)| variant(name, *table)));
    let labels = table.has("labels").then(|| {
        let row = table.row("labels");
        (0..row.len()).map(|cell| written(&row, cell)).collect()
    });
    Variation { name: name.to_owned(), moved, labels }
}

fn variant(name: &str, table: Section<'_>) -> Variant {
    let path = Written { text: table.text("path"), source: table.source("path") };
    let row = table.row("values");
    let items = (0..row.len()).map(|cell| written(&row, cell)).collect();
    Variant { name: name.to_owned(), path, items }
}

fn written(row: &Row<'_>, cell: usize) -> Written {
    Written { text: row.literal(cell), source: row.source(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Space;
    use crate::mechanisms::Mechanism;
    use crate::scenario::keys::faults;
    use crate::scenario::shipped;

    const STUDY: &str = "name = \"s\"\ntitle = \"how deep\"\nscenario = \"long-squeeze\"\nset = [\"duration=20m\"]\narms = [\"adl\"]\nreplicates = 7\n\
        [axes.depth]\npath = \"a.b\"\nvalues = [0.5, \"range(1, 3, 1)\"]\n\
        [axes.leverage]\npath = \"c\"\nvalues = [[[5, 1]], [[9, 1]]]\nlabels = [5, 9]\nalso.size = { path = \"d\", values = [1, 2] }\n";

    fn read(text: &str) -> Result<(Study, Points), String> {
        let document = Document::parse("s.toml", text.as_bytes()).unwrap();
        Study::read(&document).map_err(|problems| document.render(&problems, false))
    }

    #[test]
    fn the_table_of_keys_is_sound() {
        assert_eq!(faults(STUDY_KEYS), Vec::<String>::new());
    }

    #[test]
    fn a_study_reads_and_reads_again_as_it_is_written() {
        let (study, points) = read(STUDY).unwrap();
        assert_eq!((points.count(), study.replicates, study.set.len()), (8, 7, 1));
        let levels: Vec<String> =
            (0..2).map(|level| format!("{:?}", points.axes()[1].label(level))).collect();
        assert_eq!(levels, ["Number(5.0)", "Number(9.0)"]);
        let arms = [Arm::Base, Arm::Without(Mechanism::Adl)];
        let text = study.to_toml("scenario.toml", &arms);
        let (again, same) = read(&text).unwrap();
        assert_eq!(again.to_toml("scenario.toml", &arms), text);
        assert_eq!(same.count(), points.count());
        for point in 0..points.count() {
            let texts = |points: &Points| -> Vec<String> {
                points
                    .overrides(point)
                    .iter()
                    .map(|one| format!("{}={}", one.path.text, one.value.text))
                    .collect()
            };
            assert_eq!(texts(&same), texts(&points));
        }
    }

    #[test]
    fn every_shipped_study_is_sound() {
        for (name, text) in shipped::STUDIES {
            let home = Document::parse(name, text.as_bytes()).unwrap();
            let (study, points) =
                Study::read(&home).unwrap_or_else(|bad| panic!("{}", home.render(&bad, false)));
            let scenario = shipped::find(&study.scenario.text).unwrap();
            let document = Document::parse(scenario.name, scenario.text.as_bytes()).unwrap();
            let space = Space::new(document, scenario.name, home, points, study.definition());
            space.check().unwrap_or_else(|bad| panic!("{}", bad.render(false)));
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_study_is_said_at_once() {
        let text = "scenari = \"long-squeeze\"\nreplicates = 0\narms = [\"adll\"]\ndesign = \"grd\"\n\
            [axes.Depth]\npath = \"a.b\"\nvalues = [\"range(1, 3)\"]\n[axes.metric]\npath = 5\nvalues = []\n\
            [axes.x]\npath = \"x\"\nvalues = [\"between(0, 1)\"]\nalso.size = { path = \"d\", values = [1, 2], labels = 1 }\n";
        insta::assert_snapshot!("study", read(text).unwrap_err());
        let text = "scenario = \"calm\"\n[axes.x]\npath = \"x\"\nvalues = [1, 2]\nlabels = [1]\nalso.y = { path = \"y\", values = [1] }\n";
        insta::assert_snapshot!("study_in_step", read(text).unwrap_err());
        assert!(read("scenario = \"calm\"\n[axes]\n").unwrap_err().contains("vary nothing"));
    }
}
