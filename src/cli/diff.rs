//! `diff`: where two scenarios or two results folders differ.

use super::Failure;
use super::args::{DiffArgs, LoadArgs};
use super::load::{Loaded, load};
use super::sweep_report::window;
use super::words::print;
use crate::output::{plain_name, table_sum};
use crate::scenario::schema::KEYS;
use crate::scenario::{Difference, differences};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Exit code where there are differences: 1 is a mistake of the user, and to differ is none.
const DIFFER: u8 = 4;

/// What of a manifest follows from the rest of it, or from the scenario that is compared itself.
const FOLLOWS: [&str; 3] = ["plan_blake3", "scenario_blake3", "bytes"];

/// Letters of a value that have a column whatever the window.
const MOST_NARROW: usize = 8;

/// One side.
struct Side {
    loaded: Loaded,
    results: Option<Results>,
}

/// A folder with what its manifest says.
struct Results {
    folder: PathBuf,
    manifest: Value,
}

/// Compares and returns the exit code.
pub(super) fn diff(args: &DiffArgs) -> Result<u8, Failure> {
    let (a, b) = (Side::open(&args.a)?, Side::open(&args.b)?);
    let mut found = differences(&a.loaded.document, &b.loaded.document, KEYS);
    if let (Some(a), Some(b)) = (&a.results, &b.results) {
        found.extend(of_results(a, b));
    }
    if args.json {
        let rows =
            found.iter().map(|one| json!({ "path": one.path, "a": one.a, "b": one.b, "unit": one.unit }));
        print(&format!("{:#}\n", rows.collect::<Value>()))?;
    } else if found.is_empty() {
        print(&format!("{} and {} are the same, defaults included\n", args.a, args.b))?;
    } else {
        print(&table(&found, &args.a, &args.b))?;
    }
    Ok(if found.is_empty() { 0 } else { DIFFER })
}

impl Side {
    fn open(name: &str) -> Result<Self, Failure> {
        let folder = Path::new(name);
        if !folder.is_dir() {
            return Ok(Self { loaded: whole(name)?, results: None });
        }
        let (scenario, manifest) = (folder.join("scenario.toml"), folder.join("manifest.json"));
        if !scenario.is_file() {
            return Err(Failure::user(format!(
                "error: {name} is a folder without scenario.toml, so it holds no results\n  \
                 `firesale run long-squeeze --out FOLDER` fills one"
            )));
        }
        let text = std::fs::read_to_string(&manifest).map_err(|error| {
            Failure::user(format!(
                "error: cannot read {}: {error}\n  go on with the command that {name} was begun with",
                manifest.display()
            ))
        })?;
        let manifest = serde_json::from_str(&text)
            .map_err(|error| Failure::user(format!("error: {} is damaged: {error}", manifest.display())))?;
        let results = Some(Results { folder: folder.to_owned(), manifest });
        Ok(Self { loaded: whole(&scenario.to_string_lossy())?, results })
    }
}

fn whole(scenario: &str) -> Result<Loaded, Failure> {
    load(&LoadArgs { scenario: scenario.to_owned(), set: Vec::new(), without: Vec::new() })
}

/// Compares what made two folders, and the files that came of it.
fn of_results(a: &Results, b: &Results) -> Vec<Difference> {
    let (a, b) = (a.flat(b), b.flat(a));
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let side = |all: &Map<String, Value>, path: &String| all.get(path).map(ToString::to_string);
    let all = paths.into_iter().map(|path| Difference {
        path: path.clone(),
        a: side(&a, path),
        b: side(&b, path),
        unit: "",
    });
    all.filter(|one| one.a != one.b).collect()
}

impl Results {
    /// Returns the values of the manifest by path: files by their names, lists of words as one text. A table that the other has in
    /// another form is known by what is packed in it.
    fn flat(&self, other: &Self) -> Map<String, Value> {
        let mut flat = Map::new();
        let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
        for (key, value) in entries(&self.manifest).into_iter().chain(entries(&self.manifest["origin"])) {
            match &value {
                _ if FOLLOWS.contains(&key.as_str()) || key == "origin" => {}
                Value::Array(files) if key == "files" => {
                    for file in files {
                        let name = file["path"].as_str().unwrap_or_default();
                        let (key, sum) = if other.has_in_another_form(name) {
                            (plain_name(name), self.packed_sum(name))
                        } else {
                            (name, file["sha256"].clone())
                        };
                        flat.insert(format!("manifest.files.{key}"), sum);
                    }
                }
                Value::Array(words) => {
                    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                    flat.insert(format!("manifest.{key}"), json!(words.join(" ")));
                }
                _ => {
                    flat.insert(format!("manifest.{key}"), value);
                }
            }
        }
        flat
    }

    fn has_in_another_form(&self, name: &str) -> bool {
        let files = self.manifest["files"].as_array();
        let mut paths = files.into_iter().flatten().filter_map(|file| file["path"].as_str());
        paths.any(|path| path != name && plain_name(path) == plain_name(name))
    }

    /// Sums what is packed in a table of the folder, or says why that cannot be read.
    fn packed_sum(&self, name: &str) -> Value {
        let sum = table_sum(&self.folder.join(name));
        json!(sum.unwrap_or_else(|error| format!("cannot be read: {error}")))
    }
}

/// Draws the differences, a line each; values that are too long for their columns stand on lines of their own and are never cut.
fn table(found: &[Difference], a: &str, b: &str) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![[String::new(), a.to_owned(), b.to_owned()]];
    for one in found {
        let unit = if one.unit.is_empty() { String::new() } else { format!(" [{}]", one.unit) };
        rows.push([format!("{}{unit}", one.path), side(&one.a), side(&one.b)]);
    }
    let letters = |text: &str| text.chars().count();
    let most = window().saturating_sub(4 + 2 * MOST_NARROW);
    let path = rows.iter().map(|row| letters(&row[0])).filter(|path| *path <= most).max().unwrap_or(0);
    let room = window().saturating_sub(path + 4).div_euclid(2).max(MOST_NARROW);
    let fits =
        |row: &[String; 3]| letters(&row[0]) <= path && row[1..].iter().all(|side| letters(side) <= room);
    let value = rows.iter().filter(|row| fits(row)).map(|row| letters(&row[1])).max().unwrap_or(0);
    let mut out = String::new();
    for row in &rows {
        let [name, a, b] = row;
        if fits(row) {
            let line = format!("{name:<path$}  {a:<value$}  {b}");
            let _ = writeln!(out, "{}", line.trim_end());
        } else {
            let _ = writeln!(out, "{name}\n    {a}\n    {b}");
        }
    }
    out
}
