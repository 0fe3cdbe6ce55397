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
    let stems = ["drawdown", "fan", "liquidation_map"];
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
