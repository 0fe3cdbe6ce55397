//! `compare`: what policies make of a scenario, its tables, and what is refused.

use crate::place::{Place, SOUND, assert_same, assert_text};
use std::collections::BTreeMap;

/// Three policies: one that takes depth away, one that takes fees, one that this crash never needs.
const COMPARE: &str = "compare sound.toml --policies thin.toml,dear.toml,larger-fund --after 15s --calm 20s";

/// A folder with three policies, a book that holds a million on both sides, and a sale of four million.
fn place() -> Place {
    let place = Place::new();
    let deep = SOUND.replace("[100, 1000000]", "[100, 4000000]");
    place.write("sound.toml", deep.replace("quantity = 100", "quantity = 400"));
    place.write(
        "at-market.toml",
        "title = \"liquidation at market\"\nset = [\"venues.*.liquidation.style=market\"]\n",
    );
    place.write(
        "thin.toml",
        "title = \"a fifth of the makers' quotes\"\nset = ['populations.makers.strategy.maker.quote=\"0.1\"']\n",
    );
    place.write(
        "dear.toml",
        "title = \"five times the fee of takers\"\nset = ['venues.*.fees.taker=\"0.0025\"']\n",
    );
    place
}

type Row = BTreeMap<String, String>;

fn rows(table: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(table);
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

#[test]
fn a_squeeze_under_three_policies() {
    let place = place();
    let words = "compare long-squeeze --policies at-market.toml,dear.toml,larger-fund -n 6 --after 5m --calm 5m --out out";
    let said = place.said(words).expect(0, &[]);
    assert_text!("compare", said.out);
    let narrow = place.firesale(words).env("COLUMNS", "60").output().unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert!(narrow.contains("p Holm") && !narrow.contains("95 % interval"), "{narrow}");
    let tex = String::from_utf8(place.results("out")["policies.tex"].clone()).unwrap();
    assert_text!("compare_tex", tex);
}

#[test]
fn every_policy_and_metric_is_a_row_that_its_runs_give() {
    let place = place();
    place.said(&format!("{COMPARE} -n 4 --quiet --out out")).expect(0, &[]);
    let results = place.results("out");
    let (runs, policies) = (rows(&results["runs.csv"]), rows(&results["policies.csv"]));
    assert_eq!((runs.len(), policies.len()), (4 * 2 * 4, 3 * 9));
    let values = |policy: &str, arm: &str, metric: &str| -> Vec<f64> {
        let of = runs.iter().filter(|row| row["policy"] == policy && row["arm"] == arm);
        of.map(|row| number(row, metric)).collect()
    };
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
    };
    let mut differing = 0;
    for row in &policies {
        let (arm, metric) = (row["arm"].as_str(), row["metric"].as_str());
        let (policy, baseline) = (values(&row["policy"], arm, metric), values("baseline", arm, metric));
        let differences: Vec<f64> =
            policy.iter().zip(&baseline).map(|(policy, base)| policy - base).collect();
        let difference = differences.iter().sum::<f64>() / 4.0;
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
        assert!(near(number(row, "difference"), difference), "{row:?}");
        let (low, high) = (number(row, "difference_ci_low"), number(row, "difference_ci_high"));
        assert!(low <= difference + 1e-9 && difference <= high + 1e-9, "{row:?}");
        assert!(number(row, "p") <= number(row, "p_holm") && number(row, "p_holm") <= 1.0, "{row:?}");
        if row["crn"] == "factor" {
            differing += 1;
            let gain = (variance(&policy) + variance(&baseline)) / variance(&differences);
            assert!((number(row, "crn_factor") / gain - 1.0).abs() < 1e-6, "{row:?}");
            assert!(number(row, "detectable") < number(row, "detectable_holm"), "{row:?}");
        }
    }
    for row in runs.iter().filter(|row| row["policy"] == "baseline") {
        // Half the spread and the takers' five basis points are the least that a trade costs.
        let least = 0.5 * number(row, "spread_bps_mean") + 5.0;
        assert!(row["cost_1m_bps_mean"].is_empty() || number(row, "cost_1m_bps_mean") > least, "{row:?}");
        let sides = number(row, "liquidated_long_usd") + number(row, "liquidated_short_usd");
        assert!((number(row, "liquidated_usd") - sides).abs() < 1e-6, "{row:?}");
    }
    assert!(differing > 4, "policies do something here: {differing}");
    // Four times the takers' fee is twenty basis points more for whoever trades at market.
    let dear =
        policies.iter().find(|row| row["policy"] == "dear" && row["metric"] == "cost_1m_bps_mean").unwrap();
    assert!((number(dear, "difference") - 20.0).abs() < 1.0, "{dear:?}");
    for (table, count) in [("ranking.csv", 3 * 4), ("pareto.csv", 2 * 4), ("cells.csv", 8)] {
        let rows = rows(&results[table]);
        assert_eq!(rows.len(), count, "{table}");
        assert!(rows.iter().all(|row| row["adaptation"].is_empty() && !row["policy"].is_empty()), "{table}");
    }
    let package: serde_json::Value = serde_json::from_slice(&results["datapackage.json"]).unwrap();
    for resource in package["resources"].as_array().unwrap() {
        let table = &results[resource["path"].as_str().unwrap()];
        let heads = String::from_utf8(table.clone()).unwrap().lines().next().unwrap().to_owned();
        let fields: Vec<&str> = resource["schema"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        assert_eq!(heads, fields.join(","), "{}", resource["name"]);
    }
}

#[test]
fn a_cell_is_the_run_of_its_policy_on_the_same_dice() {
    let place = place();
    place.said(&format!("{COMPARE} -n 2 --quiet --out out")).expect(0, &[]);
    let results = place.results("out");
    let compared = rows(&results["runs.csv"]);
    for (cell, changes) in [
        (3, "--set populations.makers.strategy.maker.quote=\"0.1\" --set shocks={} --set duration=20s"),
        (4, "--set venues.*.fees.taker=\"0.0025\""),
    ] {
        place
            .said(&format!(
                "run out/scenario.toml {changes} --set counterfactuals=[] -n 2 --quiet --out one{cell}"
            ))
            .expect(0, &[]);
        for (alone, row) in
            rows(&place.results(&format!("one{cell}"))["runs.csv"]).iter().zip(&compared[2 * cell..])
        {
            let differing: Vec<&String> = alone
                .iter()
                .filter(|(name, value)| *name != "cell" && row[*name] != **value)
                .map(|(name, _)| name)
                .collect();
            assert!(differing.is_empty(), "cell {cell}: {differing:?}");
        }
    }
    // A failed run names such a command.
    let manifest: serde_json::Value = serde_json::from_slice(&results["manifest.json"]).unwrap();
    assert!(manifest.to_string().contains("thin.toml,dear.toml,larger-fund"), "{manifest:#}");
}

#[test]
fn parts_and_threads_give_the_same_bytes() {
    let place = place();
    place.said(&format!("{COMPARE} -n 3 --threads 1 --quiet --out whole")).expect(0, &[]);
    for shard in ["0/2", "1/2"] {
        place.said(&format!("{COMPARE} -n 3 --shard {shard} --out parts")).expect(0, &["runs are kept"]);
    }
    place.said(&format!("{COMPARE} -n 3 --quiet --out parts")).expect(0, &[]);
    let mut parts = place.results("parts");
    parts.retain(|name, _| !name.starts_with("journal-"));
    assert_same(&place.results("whole"), &parts, "shards");
    place.said(&format!("{COMPARE} -n 3 --out parts")).expect(0, &["complete already"]);
    let sooner = COMPARE.replace("--after 15s", "--after 10s");
    place.said(&format!("{sooner} -n 3 --out parts")).expect(1, &["another plan", "- duration = "]);
    let json = place.said(&format!("{COMPARE} -n 3 --json --out parts")).expect(0, &[]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["crash_s"].as_f64(), json["scenario_s"].as_f64()), (Some(45.0), Some(60.0)));
    assert_eq!(json["policies"].as_array().unwrap().len(), 3);
    assert_eq!(json["policies"][1]["metrics"][8]["metric"], "cost_1m_bps_mean");
    assert_eq!(json["fronts"][0]["points"].as_array().unwrap().len(), 4);
}

#[test]
fn what_no_run_has_is_said_and_not_made_up() {
    let place = place();
    place.write("sound.toml", SOUND);
    let said = place.said(&format!("{COMPARE} -n 2 --out out")).expect(0, &[]).out;
    assert!(said.contains("no ranking by cost_1m_bps_mean"), "{said}");
    let results = place.results("out");
    let policies = rows(&results["policies.csv"]);
    let costs: Vec<&Row> = policies.iter().filter(|row| row["metric"] == "cost_1m_bps_mean").collect();
    assert_eq!(costs.len(), 3);
    assert!(costs.iter().all(|row| row["pairs"] == "0" && row["p"].is_empty() && row["crn"].is_empty()));
    assert_eq!((rows(&results["ranking.csv"]).len(), rows(&results["pareto.csv"]).len()), (2 * 4, 0));
}

#[test]
fn a_policy_lies_above_what_was_set() {
    let place = place();
    place.write("rich.toml", "title = \"x\"\nset = [\"venues.*.insurance_fund=10000000000\"]\n");
    place
        .said(
            "compare sound.toml --policies rich.toml -n 1 --set venues.exchange.insurance_fund=0 --set duration=40s \
             --quiet --out out",
        )
        .expect(0, &[]);
    let runs = rows(&place.results("out")["runs.csv"]);
    let fund = |cell: &str| number(runs.iter().find(|row| row["cell"] == cell).unwrap(), "fund_end_usd");
    assert!(fund("0") < 1e6 && fund("2") > 9e9, "{} {}", fund("0"), fund("2"));
}

#[test]
fn what_cannot_be_compared_is_refused_before_the_first_run() {
    let place = place();
    place.write(
        "wrong.toml",
        "title = \"x\"\nset = [\"venues.*.insurance_fnd=1\", \"nowhere.*.x=1\", \"duration=soon\"]\n",
    );
    place.write("flawed.toml", SOUND.replace("longs = 150", "longs = -150"));
    place.write("form.toml", "titel = \"x\"\nset = [\"no equals\"]\n");
    place.write("a b.toml", "title = \"x\"\nset = [\"duration=1m\"]\n");
    place.write("baseline.toml", "title = \"x\"\nset = [\"duration=1m\"]\n");
    for (name, words) in [
        (
            "names",
            "compare sound.toml --policies larger-fnd,no-adl,no-adl,baseline.toml,wrong.toml,form.toml",
        ),
        ("adaptation", "compare sound.toml --policies no-adl --adaptation sometimes,sometimes"),
        ("no_shock", "compare calm"),
        ("after", "compare sound.toml --after soon"),
        ("calm", "compare sound.toml --calm 1s"),
        ("replicates", "compare sound.toml -n 0"),
        (
            "all_at_once",
            "compare flawed.toml --calm soon --after later --policies no-such,form.toml,no-adl --shard 2 --without adll",
        ),
    ] {
        let said = place.said(&format!("{words} --out out")).expect(1, &[]);
        assert_eq!(said.out, "", "{words}");
        assert_text!(format!("compare_refused_{name}"), said.err);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn a_policy_that_changes_nothing_is_said_and_what_all_cannot_do_is_left_out() {
    let place = place();
    place.write("same.toml", "title = \"x\"\nset = [\"venues.*.insurance_fund=2000\"]\n");
    place.said("compare sound.toml --policies same.toml -n 1 --quiet --dry-run").expect(0, &[]);
    place
        .said("compare sound.toml --policies same.toml -n 1 --dry-run")
        .expect(0, &["warning: same changes nothing in sound"]);
    place
        .said("compare sound.toml -n 1 --set venues.exchange.insurance_fund=0 --dry-run")
        .expect(0, &["warning: larger-fund is left out, as it changes nothing in sound"]);
}

#[test]
fn policies_are_listed_shown_and_checked() {
    let place = place();
    let shown = place.said("show larger-fund").expect(0, &[]).out;
    assert!(shown.contains("venues.*.insurance_fund_factor="), "{shown}");
    assert!(place.said("list").expect(0, &[]).out.contains("\npolicies (firesale compare SCENARIO"));
    assert_eq!(place.said("check dear.toml --on sound.toml").expect(0, &[]).out, "dear on sound: sound\n");
    let all = place.said("check larger-fund").expect(0, &[]).out;
    assert!(all.starts_with("larger-fund: sound, changes ") && all.contains("long-squeeze"), "{all}");
    place.write(
        "wrong.toml",
        "title = \"x\"\nset = [\"venues.*.insurance_fnd=1\", 'venues.*.fees.taker=\"2\"']\n",
    );
    assert_text!("check_policy", place.said("check wrong.toml --on sound.toml").expect(1, &[]).err);
    place.said("check wrong.toml").expect(1, &["fits no shipped scenario"]);
    place.said("check wrong.toml --set duration=1m").expect(1, &["is a policy"]);
    place.said("check sound.toml --on calm").expect(1, &["is no policy"]);
}
