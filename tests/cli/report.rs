//! `report`: what it writes where, and what it says of folders that it cannot report.

use crate::place::{Place, assert_text};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_report_says_where_its_page_is_and_leaves_the_results_as_they_are() {
    let place = Place::new();
    place.said("run sound.toml -n 3 --quiet --out r").expect(0, &[]);
    let before = files(&place.path("r"));
    assert!(before.contains_key("liquidation_map.csv"));
    let said = place.said("report r").expect(0, &[]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("r/report/report.html\n", ""));
    assert_eq!(files(&place.path("r")), before);
    let report = files(&place.path("r/report"));
    let names: Vec<&str> = report.keys().map(String::as_str).collect();
    let stems = ["criticality", "drawdown", "fan", "liquidation_map"];
    let figures = stems.iter().flat_map(|stem| [format!("{stem}.png"), format!("{stem}.svg")]);
    assert_eq!(names, figures.chain(["report.html".to_owned()]).collect::<Vec<String>>());
    let quiet = place.said("report r --quiet").expect(0, &[]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    assert_eq!(files(&place.path("r/report")), report, "the same results make the same bytes");
    place.said("run sound.toml -n 3 --quiet --out r").expect(0, &[]);
    assert_eq!(files(&place.path("r/report")), report, "a complete folder is only reported");
    place.said("run sound.toml -n 3 --quiet --force --out r").expect(0, &[]);
    assert!(!place.path("r/report").exists(), "a report of what was thrown away is thrown away");
}

#[test]
fn a_folder_that_cannot_be_reported_says_what_it_is_and_what_to_do() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    fs::create_dir(place.path("begun")).unwrap();
    place.write("begun/journal.fsj", "");
    fs::create_dir(place.path("odd")).unwrap();
    place.write("odd/manifest.json", "{}");
    place.said("run sound.toml -n 2 --quiet --out r").expect(0, &[]);
    fs::create_dir(place.path("r/report")).unwrap();
    place.write("r/report/thesis.tex", "mine");
    let words =
        ["report none", "report empty", "report begun", "report odd", "report sound.toml", "report r"];
    let said: Vec<String> = words.iter().map(|words| place.said(words).expect(1, &[]).err).collect();
    assert_text!("report_refused", said.join("\n"));
    place.write("r/runs.csv", "cell,replicate\n0\n");
    fs::remove_file(place.path("r/report/thesis.tex")).unwrap();
    place.said("report r").expect(1, &["r/runs.csv cannot be read as a table", "makes its tables again"]);
}

#[test]
fn a_file_that_was_changed_is_a_warning_on_stderr_and_on_the_page() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --quiet --out r").expect(0, &[]);
    fs::remove_file(place.path("r/transfers.csv")).unwrap();
    place.said("report r").expect(0, &["warning: transfers.csv is missing; the report says so"]);
    let page = fs::read_to_string(place.path("r/report/report.html")).unwrap();
    assert!(page.contains("transfers.csv is missing"), "it is on the page");
}

#[test]
fn longs_would_be_liquidated_below_the_mark_and_shorts_above_it() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --quiet --out r").expect(0, &[]);
    let table = |name: &str| csv::Reader::from_path(place.path("r").join(name)).unwrap();
    let number = |cell: &str| cell.parse::<f64>().unwrap();
    let mut marks = BTreeMap::new();
    for row in table("series.csv").records().map(|row| row.unwrap()) {
        if (&row[0], &row[1]) == ("0", "0") {
            marks.insert(row[2].to_owned(), number(&row[7]));
        }
    }
    let mut sums = [0.0, 0.0];
    for row in table("liquidation_map.csv").records().map(|row| row.unwrap()) {
        assert_eq!((&row[0], &row[1], &row[3]), ("0", "0", "COIN-PERP"), "the first run alone");
        let (mark, from, to) = (marks[&row[2]], number(&row[4]), number(&row[5]));
        let [long, short] = [number(&row[6]), number(&row[7])];
        assert!(long <= 0.0 || from <= mark, "{row:?} at a mark of {mark}");
        assert!(short <= 0.0 || to >= mark, "{row:?} at a mark of {mark}");
        sums = [sums[0] + long, sums[1] + short];
    }
    assert!(sums[0] > 100_000.0 && sums[1] > 10_000.0, "{sums:?}");
}
