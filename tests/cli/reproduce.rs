//! `reproduce`: a finished folder is run again from what lies in it.

use crate::place::{Place, SOUND};
use std::fs;

/// Reproduces `out` and returns what is said; the sources of the results are gone.
fn reproduced(place: &Place, code: i32) -> String {
    let said = place.said("reproduce out --threads 2").expect(code, &[]);
    assert!(!said.out.contains("mean +- 95 %"), "no summary: {said:#?}");
    said.out
}

#[test]
fn every_verb_leaves_a_folder_that_gives_the_same_files() {
    let verbs = [
        "run other.toml -n 3 --set populations.retail.strategy.retail.longs=100 --without adl --hash",
        "targets other.toml -n 3",
        "sweep other.toml -n 2 --vary populations.retail.strategy.retail.longs=100,150 --arms adl --tables --hash",
        "sweep other.toml --vary burn_in=5s,10s --arms none --until-ci 0.5 --set duration=20s",
        "amplify other.toml -n 3 --vary populations.retail.strategy.retail.longs=100,150",
        "compare other.toml -n 3 --policies leverage-5,mine.toml --after 10s --calm 50s --set duration=2m",
    ];
    for words in verbs {
        let place = Place::new();
        place.write("other.toml", SOUND);
        place.write("mine.toml", "title = \"twice the fund\"\nset = [\"venues.*.insurance_fund=4000\"]\n");
        place.write("other.targets.csv", include_str!("sound.targets.csv"));
        place.said(&format!("{words} --quiet --out out")).expect(0, &[]);
        for source in ["other.toml", "mine.toml", "other.targets.csv"] {
            fs::remove_file(place.path(source)).unwrap();
        }
        let told = reproduced(&place, 0);
        assert!(told.contains("reproduced: what came out is what the folder says"), "{words}: {told}");
        assert!(told.contains("runs.csv                     identical"), "{words}: {told}");
    }
}

#[test]
fn what_differs_is_said_by_name() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --quiet --out out").expect(0, &[]);
    place.said("run sound.toml -n 2 --seed 2 --quiet --out other").expect(0, &[]);
    // A folder that was sealed with what another seed gives: its manifest says one thing, its tables another.
    for name in ["runs.csv", "series.csv"] {
        fs::copy(place.path(&format!("other/{name}")), place.path(&format!("out/{name}"))).unwrap();
    }
    let said = place
        .said("reproduce out")
        .expect(1, &["since it was made: runs.csv", "since it was made: series.csv"]);
    assert!(said.out.contains("but files of the folder were changed since"), "{said:#?}");
    let manifest = fs::read_to_string(place.path("other/manifest.json")).unwrap();
    let lied = manifest
        .replace("\"--seed\",\n      \"2\"", "\"--seed\",\n      \"1\"")
        .replace("\"model_version\": ", "\"model_version\": 1");
    assert_ne!(lied, manifest);
    place.write("other/manifest.json", lied);
    let said = place.said("reproduce other --json").expect(1, &["other results are to be expected"]);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["identical"], false, "{told:#}");
    let verdict = |name: &str| {
        let files = told["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == name).unwrap()["verdict"].clone()
    };
    assert_eq!((verdict("runs.csv"), verdict("scenario.toml")), ("different".into(), "identical".into()));
    place.said("reproduce out --quiet --out kept").expect(1, &[]);
    assert!(place.path("kept/runs.csv").exists());
    place.said("reproduce nowhere").expect(1, &["nowhere has no whole manifest.json"]);
}
