//! `targets`: what was observed beside what is simulated.

use crate::place::{Place, SOUND, assert_same, assert_text};
use std::fmt::Write as _;

/// A made-up observation of each kind of statistic, for the sound scenario.
const TARGETS: &str = include_str!("sound.targets.csv");

/// A place with targets beside the sound scenario.
fn place() -> Place {
    let place = Place::new();
    place.write("sound.targets.csv", TARGETS);
    place
}

/// Two days of hourly prices that end where the sound scenario starts.
fn hourly() -> String {
    let mut text = "time_utc,high_usdt,low_usdt,close_usdt\n".to_owned();
    for hour in 0..48 {
        let close =
            10_000 + [0, 25, -30, 10, 0, -15, 5, 60, -45, 20][hour % 10] * if hour == 30 { 9 } else { 1 };
        let (day, hour) = (30 + hour / 24, hour % 24);
        let _ = writeln!(text, "2025-12-{day}T{hour:02}:00Z,{},{},{close}", close + 50, close - 50);
    }
    text
}

#[test]
fn a_comparison_reads_well() {
    let place = place();
    let words = "targets sound.toml -n 6 --out out";
    assert_text!("targets", place.said(words).expect(0, &[]).out);
    place.write("sound.COIN-PERP.hourly.csv", hourly());
    let said =
        place.said(words).expect(0, &["out: scenario.COIN-PERP.hourly.csv is not what is compared now"]);
    assert_text!("targets_with_diffusion", said.out);
}

#[test]
fn tables_and_json_say_what_is_printed() {
    let place = place();
    place.write("sound.COIN-PERP.hourly.csv", hourly());
    let said = place.said("targets sound.toml -n 6 --json --out out").expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&json["scenario"], &json["folder"]), (&"sound".into(), &"out".into()));
    let results = place.results("out");
    let text = |name: &str| String::from_utf8(results[name].clone()).unwrap();
    let mut table = csv::Reader::from_reader(results["targets.csv"].as_slice());
    let heads = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let targets = json["targets"].as_array().unwrap();
    assert_eq!((rows.len(), targets.len()), (8, 8));
    for (row, target) in rows.iter().zip(targets) {
        let cell = |name: &str| &row[heads.iter().position(|head| head == name).unwrap()];
        assert_eq!(cell("id"), target["id"].as_str().unwrap());
        for (column, arm, key) in [
            ("median", "scenario", "median"),
            ("score", "scenario", "score"),
            ("unlevered_p95", "unlevered", "p95"),
            ("diffusion_score", "diffusion", "score"),
        ] {
            let found = cell(column).parse::<f64>().ok();
            assert_eq!(found, target[arm][key].as_f64(), "{column} of {}", cell("id"));
        }
    }
    // Only statistics of marks have a diffusion, and the fitted one meets what was observed.
    let spoken: Vec<bool> = targets.iter().map(|target| target["diffusion"].is_object()).collect();
    assert_eq!(spoken, [true, true, true, false, false, false, false, false]);
    assert!((targets[0]["diffusion"]["median"].as_f64().unwrap() - 0.9).abs() < 1e-6);
    assert_eq!(json["diffusion"]["conditioned"]["target"], "fall");
    let summed = |arm: &str| -> f64 {
        let tests = targets.iter().filter(|target| target["use"] == "score" && target[arm].is_object());
        tests.map(|target| target["scenario"]["score"].as_f64().unwrap()).sum()
    };
    for arm in ["scenario", "unlevered", "diffusion"] {
        let told = json["scores"][arm]["scenario"].as_f64().unwrap();
        assert!((told - summed(arm)).abs() < 1e-9, "{arm}: {told}");
    }
    // Two cells of six runs and eight targets, with a header.
    assert_eq!(text("target_values.csv").lines().count(), 1 + 2 * 6 * 8);
    assert_eq!(text("cells.csv"), "cell,replicate,arm\n0,,base\n1,,unlevered\n");
    let package: serde_json::Value = serde_json::from_str(&text("datapackage.json")).unwrap();
    let names: Vec<&str> =
        package["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"targets") && names.contains(&"target_values"), "{names:?}");
    assert_eq!(text("scenario.targets.csv"), TARGETS);
}

#[test]
fn a_results_folder_is_a_scenario_with_its_targets() {
    let place = place();
    place.write("sound.COIN-PERP.hourly.csv", hourly());
    place.said("targets sound.toml -n 2 --quiet --out a").expect(0, &[]);
    place.said("targets a/scenario.toml -n 2 --quiet --out b").expect(0, &[]);
    let (a, b) = (place.results("a"), place.results("b"));
    for name in ["targets.csv", "target_values.csv", "scenario.targets.csv", "scenario.toml"] {
        assert_eq!(a[name], b[name], "{name}");
    }
}

#[test]
fn another_observation_takes_no_other_run() {
    let place = place();
    let words = "targets sound.toml -n 2 --out out";
    let first = place.said(words).expect(0, &[]);
    let whole = place.results("out");
    let again = place.said(words).expect(0, &["out is complete already"]);
    assert_eq!(again.out, first.out);
    place.write("sound.targets.csv", TARGETS.replace(",0.9,2,", ",0.8,1,"));
    place.said(words).expect(0, &["scenario.targets.csv is not what is compared now", "made again"]);
    let changed = place.results("out");
    assert_ne!(changed["targets.csv"], whole["targets.csv"]);
    assert_eq!(changed["target_values.csv"], whole["target_values.csv"]);
    place.write("sound.targets.csv", TARGETS);
    place.said(words).expect(0, &["made again"]);
    assert_same(&place.results("out"), &whole, "the first observation again");
    // What is computed decides the runs.
    place.write("sound.targets.csv", TARGETS.replace("wick_pct", "fall_to_low_pct"));
    place.said(words).expect(1, &["out holds runs of another plan", "wick = fall_to_low_pct of COIN-PERP"]);
}

#[test]
fn threads_leave_no_trace() {
    let place = place();
    place.said("targets sound.toml -n 4 --threads 1 --quiet --out a").expect(0, &[]);
    place.said("targets sound.toml -n 4 --threads 8 --quiet --out b").expect(0, &[]);
    assert_same(&place.results("a"), &place.results("b"), "threads");
}

#[test]
fn a_run_says_that_there_is_something_to_compare_with() {
    let place = place();
    let hint = "`firesale targets sound.toml` compares it with what was observed";
    assert!(place.said("run sound.toml -n 1 --out a").expect(0, &[]).out.contains(hint));
    place.write("other.toml", SOUND);
    assert!(!place.said("run other.toml -n 1 --out b").expect(0, &[]).out.contains("targets"));
}

#[test]
fn without_targets_there_is_nothing_to_compare_with() {
    let place = place();
    place.write("other.toml", SOUND);
    for (name, words) in
        [("file", "targets other.toml"), ("shipped", "targets calm"), ("show", "show calm --targets")]
    {
        assert_text!(format!("targets_without_{name}"), place.said(words).expect(1, &[]).err);
        assert!(!place.path("firesale-out").exists());
    }
    let shown = place.said("show btc-2026-02-23 --targets").expect(0, &[]).out;
    assert!(shown.contains("\nid,statistic,market,from,to,"), "{shown}");
}

#[test]
fn broken_targets_are_refused_at_their_place() {
    let place = place();
    for (name, sound, broken) in [
        ("statistic", "fall,fall_pct", "fall,fall_pc"),
        ("statistic_far", "fall,fall_pct", "fall,xyzzy"),
        ("market", "wick_pct,COIN-PERP", "wick_pct,COIN-PREP"),
        ("window_after_the_end", "COIN-PERP,30s,1m,0s,30s", "COIN-PERP,30s,2h,0s,30s"),
        ("window_backwards", "fall_pct,COIN-PERP,0s,30s", "fall_pct,COIN-PERP,30s,0s"),
        ("window_without_a_unit", "fall_pct,COIN-PERP,0s,30s", "fall_pct,COIN-PERP,0,30"),
        ("no_reference", "COIN-PERP,0s,1m,-10s,0s,10", "COIN-PERP,0s,1m,,,10"),
        ("reference_apart", "30s,1m,0s,30s,0.3", "30s,1m,0s,20s,0.3"),
        ("number", "0.9,2,%", "much,none,%"),
        ("unit", "0.9,2,%", "0.9,2,bps"),
        ("use", "%,,fit", "%,,fitted"),
        ("comma", "\"Low against close, spot.\"", "Low against close, spot."),
        ("no_source", "All of it.,made up", "All of it.,"),
        ("column", "id,statistic,market", "id,statistics,market"),
        ("twice", "wick,wick_pct", "fall,wick_pct"),
        (
            "several",
            "reported_long,reported_long_usd,COIN-PERP,0s,1m,,,4000,1000,USD,2,score",
            "reported long,reported_long_usd,COIN,0s,1h,-10s,,nan,0,usd,-2,",
        ),
    ] {
        assert_eq!(TARGETS.matches(sound).count(), 1, "{name}");
        place.write("sound.targets.csv", TARGETS.replace(sound, broken));
        let said = place.said("targets sound.toml --out out").expect(1, &["error", "sound.targets.csv:"]);
        assert_eq!(said.out, "");
        assert!(!place.path("out").exists(), "{name}: refused targets leave no folder");
        assert_text!(format!("targets_refused_{name}"), said.err);
    }
    place.write("sound.targets.csv", "# nobody looked\n");
    place.said("targets sound.toml").expect(1, &["has no line with the names of its columns"]);
    place.write("sound.targets.csv", [0xff, 0xfe]);
    place.said("targets sound.toml").expect(1, &["not UTF-8"]);
    place.write("sound.targets.csv", TARGETS);
    place.write("sound.COIN-PERP.hourly.csv", hourly().replace("T05:00Z,", "T06:00Z,"));
    place.said("targets sound.toml").expect(1, &["sound.COIN-PERP.hourly.csv:7", "is not an hour after"]);
}

/// A scenario that is cut short no longer reaches its targets, and says so instead of comparing something else.
#[test]
fn a_change_that_moves_a_window_out_of_the_run_is_refused() {
    let said = place().said("targets sound.toml --set duration=40s").expect(1, &["is outside the run"]);
    assert!(said.err.contains("the scenario runs from -10s to 40s"), "{}", said.err);
}
