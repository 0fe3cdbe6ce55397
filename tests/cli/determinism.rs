//! Results are a function of scenario, seed and replicates, byte by byte.

use crate::place::{PROGRAM, Place, assert_same, results};
use assert_cmd::Command;

#[test]
fn threads_place_and_language_leave_no_trace() {
    let words = "run sound.toml -n 6 --set counterfactuals=[\"forced_liquidation\"] --hash --quiet";
    let first = Place::new();
    first.said(&format!("{words} --threads 1 --out out")).expect(0, &[]);
    let expected = first.results("out");
    let tapes = column(&expected["runs.csv"], "tape_hash");
    assert_eq!(tapes.len(), 12);
    for threads in [2, 8] {
        let place = Place::new();
        place
            .firesale(&format!("{words} --threads {threads} --out elsewhere/results"))
            .env("TZ", "Asia/Kathmandu")
            .env("LANG", "tr_TR.UTF-8")
            .env("LC_ALL", "de_DE.UTF-8")
            .env("HOME", "/")
            .assert()
            .code(0);
        let found = place.results("elsewhere/results");
        assert_eq!(column(&found["runs.csv"], "tape_hash"), tapes, "{threads} threads");
        assert_same(&found, &expected, &format!("{threads} threads"));
    }
}

#[test]
fn the_default_folder_is_named_by_what_is_run() {
    let place = Place::new();
    for words in ["run sound.toml -n 1 --quiet", "run sound.toml -n 1 --quiet --threads 2"] {
        place.said(words).expect(0, &[]);
    }
    let folders = |place: &Place| -> Vec<String> {
        let entries = std::fs::read_dir(place.path("firesale-out")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(folders(&place).len(), 1, "threads are no part of what is run");
    assert!(folders(&place)[0].starts_with("sound-"), "{:?}", folders(&place));
    place.said("run sound.toml -n 1 --seed 2 --quiet").expect(0, &[]);
    assert_eq!(folders(&place).len(), 2);
}

#[test]
fn a_seed_decides_and_another_one_differs() {
    let place = Place::new();
    for (seed, out) in [(1, "a"), (1, "b"), (2, "c")] {
        place.said(&format!("run sound.toml -n 2 --seed {seed} --quiet --out {out}")).expect(0, &[]);
    }
    assert_same(&place.results("a"), &place.results("b"), "one seed");
    assert_ne!(place.results("a")["series.csv"], place.results("c")["series.csv"]);
}

#[test]
fn the_first_replicates_are_the_same_however_many_follow() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --quiet --out few").expect(0, &[]);
    place.said("run sound.toml -n 5 --quiet --out many").expect(0, &[]);
    for table in ["runs.csv", "series.csv", "liquidations.csv"] {
        let (few, many) = (&place.results("few")[table], &place.results("many")[table]);
        assert!(many.starts_with(few), "{table}");
    }
}

#[test]
fn a_scenario_whose_name_is_no_identifier_gets_one() {
    let place = Place::new();
    place.write("a b <x>.toml", crate::place::SOUND);
    let folder = place.path("");
    let mut command = Command::new(PROGRAM);
    let words = ["run", "../a b <x>.toml", "-n", "1", "--quiet", "--out", "../out"];
    std::fs::create_dir(place.path("sub")).unwrap();
    command.args(words).current_dir(folder.join("sub")).assert().code(0);
    let found = results(&place.path("out"));
    let manifest: serde_json::Value = serde_json::from_slice(&found["manifest.json"]).unwrap();
    assert_eq!(manifest["origin"]["scenario"], "scenario");
}

/// Returns a column of a table.
fn column(table: &[u8], name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table);
    let at = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
}
