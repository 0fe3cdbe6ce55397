//! `sweep`: what is varied, its tables, and what is refused.

use crate::place::{Place, SOUND, assert_same, assert_text};

/// Two by two points of a minute, with and without forced liquidation.
const SWEEP: &str = "sweep sound.toml --arms forced_liquidation \
    --vary populations.retail.strategy.retail.longs=range(100,200,100) --vary duration=40s,1m";

fn rows(table: &[u8]) -> (Vec<String>, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_reader(table);
    let heads = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (heads, reader.records().map(Result::unwrap).collect())
}

#[test]
fn every_run_is_a_row_with_what_was_varied() {
    let place = Place::new();
    assert_text!("sweep", place.said(&format!("{SWEEP} -n 3 --out out")).expect(0, &[]).out);
    let results = place.results("out");
    let (heads, runs) = rows(&results["runs.csv"]);
    assert_eq!(heads[..6], ["cell", "replicate", "duration", "longs", "arm", "outcome"]);
    assert_eq!(runs.len(), 2 * 2 * 2 * 3);
    let key = |row: &csv::StringRecord| row.iter().take(6).collect::<Vec<_>>().join(",");
    assert_eq!(key(&runs[0]), "0,0,40s,100,base,finished");
    assert_eq!(key(&runs[4]), "1,1,40s,100,forced_liquidation,finished");
    assert_eq!(key(&runs[23]), "7,2,1m,200,forced_liquidation,finished");
    for (table, count) in [("cells.csv", 8), ("summary.csv", 8 * 47), ("effects.csv", 4 * 47)] {
        let (heads, rows) = rows(&results[table]);
        assert_eq!(heads[2..4], ["duration", "longs"], "{table}");
        assert_eq!(rows.len(), count, "{table}");
    }
    assert!(!results.contains_key("series.csv"), "only with --tables");
    let package: serde_json::Value = serde_json::from_slice(&results["datapackage.json"]).unwrap();
    for resource in package["resources"].as_array().unwrap() {
        let (heads, _) = rows(&results[resource["path"].as_str().unwrap()]);
        let fields: Vec<&str> = resource["schema"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        assert_eq!(heads, fields, "{}", resource["name"]);
    }
}

#[test]
fn a_point_is_the_run_of_its_values_on_the_same_dice() {
    let place = Place::new();
    place.said(&format!("{SWEEP} -n 3 --tables --quiet --out out")).expect(0, &[]);
    place
        .said(
            "run sound.toml -n 3 --quiet --out one --set counterfactuals=[\"forced_liquidation\"] \
             --set duration=1m --set populations.retail.strategy.retail.longs=200",
        )
        .expect(0, &[]);
    let (swept, alone) = (place.results("out"), place.results("one"));
    let metrics = |table: &[u8], skip: usize, from: usize| -> Vec<String> {
        let (_, rows) = rows(table);
        rows[from..].iter().map(|row| row.iter().skip(skip).collect::<Vec<_>>().join(",")).collect()
    };
    // The last point: cells 6 and 7 of the sweep are cells 0 and 1 of the run.
    assert_eq!(metrics(&swept["runs.csv"], 5, 18), metrics(&alone["runs.csv"], 2, 0));
    assert_eq!(metrics(&swept["effects.csv"], 5, 3 * 47), metrics(&alone["effects.csv"], 3, 0));
    let last = |table: &[u8]| {
        rows(table)
            .1
            .iter()
            .rev()
            .take(20)
            .map(|row| row.iter().skip(1).collect::<Vec<_>>().join(","))
            .collect::<Vec<_>>()
    };
    assert_eq!(last(&swept["series.csv"]), last(&alone["series.csv"]));
}

/// A fund that nobody asks makes no difference, so on the same dice the points are the same, arm by arm.
#[test]
fn points_have_the_same_dice_or_their_own() {
    let place = Place::new();
    let falls = |words: &str, out: &str| -> Vec<String> {
        let fund = "--vary venues.exchange.insurance_fund=100000,200000 --arms forced_liquidation";
        place.said(&format!("sweep sound.toml {fund} -n 2 --quiet --out {out} {words}")).expect(0, &[]);
        let (heads, runs) = rows(&place.results(out)["runs.csv"]);
        let [at, arm] = ["volume_usd", "arm"].map(|name| heads.iter().position(|head| head == name).unwrap());
        runs.iter().filter(|run| &run[arm] == "base").map(|run| run[at].to_owned()).collect()
    };
    let same = falls("", "same");
    assert_eq!(same[..2], same[2..]);
    let own = falls("--independent", "own");
    assert!(own[..2].iter().all(|fall| !own[2..].contains(fall)), "{own:?}");
    // The first point, too, has another seed than the design.
    assert_ne!(own[0], same[0]);
    assert!(place.said("reproduce own").expect(0, &[]).out.contains("reproduced"));
}

#[test]
fn the_folder_is_a_study_that_gives_the_same() {
    let place = Place::new();
    for (name, design) in [
        ("grid", ""),
        ("zip", "--zip"),
        ("one", "--one-at-a-time"),
        ("latin", "--latin-hypercube 4"),
        ("sobol", "--sobol 3"),
    ] {
        place.said(&format!("{SWEEP} -n 1 {design} --quiet --out {name}")).expect(0, &[]);
        place.said(&format!("sweep {name}/study.toml --quiet --out again")).expect(0, &[]);
        assert_same(&place.results(name), &place.results("again"), name);
        std::fs::remove_dir_all(place.path("again")).unwrap();
    }
}

#[test]
fn a_study_says_what_is_varied() {
    let place = Place::new();
    place.write(
        "my-study.toml",
        "title = \"how many longs\"\nscenario = \"sound.toml\"\nset = [\"duration=40s\"]\narms = [\"adl\", \"forced_liquidation\"]\n\
         replicates = 2\n[axes.crowd]\npath = \"populations.retail.strategy.retail.longs\"\nvalues = [100, 150]\n\
         labels = [\"few\", \"many\"]\nalso.idle = { path = \"populations.retail.strategy.retail.idle\", values = [50, 0] }\n",
    );
    assert_text!("sweep_study", place.said("sweep my-study.toml --out out").expect(0, &[]).out);
    let (_, runs) = rows(&place.results("out")["runs.csv"]);
    assert_eq!(runs.len(), 2 * 3 * 2);
    assert_eq!(runs[11].iter().take(4).collect::<Vec<_>>(), ["5", "1", "many", "forced_liquidation"]);
    place.said("sweep my-study.toml --vary duration=1m").expect(1, &["says itself what is varied"]);
    let one_arm = place.said("sweep my-study.toml -n 1 --arms none --json --out one").expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&one_arm.out).unwrap();
    assert_eq!(json["arms"], serde_json::json!(["base"]));
    assert_eq!(json["points"][1]["parameters"]["crowd"], "many");
    assert!(json["points"][1]["arms"][0]["drawdown_pct"]["mean"].is_number(), "{json:#}");
}

#[test]
fn one_at_a_time_shows_what_the_scenario_has() {
    let place = Place::new();
    place.said(&format!("{SWEEP} -n 1 --one-at-a-time --quiet --out out")).expect(0, &[]);
    let (_, cells) = rows(&place.results("out")["cells.csv"]);
    let parameters: Vec<(&str, &str)> = cells.iter().step_by(2).map(|row| (&row[2], &row[3])).collect();
    assert_eq!(parameters, [("1m", "150"), ("40s", "150"), ("1m", "150"), ("1m", "100"), ("1m", "200")]);
}

#[test]
fn what_cannot_be_swept_is_refused_before_the_first_run() {
    let place = Place::new();
    place.write("broken.toml", SOUND.replace("longs = 150", "longs = 1O0"));
    place.write(
        "study.toml",
        "scenario = \"sound.toml\"\n[axes.depth]\npath = \"duration\"\nvalues = [\"1m\", \"soon\"]\n",
    );
    place.write("flawed.toml", SOUND.replace("longs = 150", "longs = -150"));
    place.write(
        "flawed-study.toml",
        "scenario = \"flawed.toml\"\nreplicate = 3\n[axes.depth]\npath = \"duration\"\nvalues = [\"1m\", \"range(1)\"]\n",
    );
    place.write(
        "lost.toml",
        "scenario = \"nowhere.toml\"\n[axes.depth]\npath = \"duration\"\nvalues = [\"1m\"]\n",
    );
    for (name, words) in [
        ("nothing_varied", "sweep sound.toml"),
        ("no_such", "sweep depth-levrage"),
        (
            "values",
            "sweep sound.toml --vary duration=1m,soon --vary burn_in=-1s --vary venues.exchange.fees.makr=0",
        ),
        ("form", "sweep sound.toml --vary duration --vary burn_in=1s,,2s"),
        ("units", "sweep sound.toml --vary duration=range(40,60,20)"),
        ("elsewhere", "sweep sound.toml --vary shocks.sale.event.meta_order.at=10s,2m"),
        ("overlap", "sweep sound.toml --vary duration=1m,2m --set duration=3m"),
        ("zip", "sweep sound.toml --vary duration=1m,2m --vary burn_in=1s,2s,3s --zip"),
        ("interval", "sweep sound.toml --vary duration=between(1,2)"),
        ("arm", "sweep sound.toml --vary duration=1m --arms forced_liquidatoin"),
        ("metric", "sweep sound.toml --vary duration=1m --metric drawdwn"),
        ("study_value", "sweep study.toml"),
        ("study_scenario", "sweep lost.toml"),
        ("scenario", "sweep broken.toml --vary duration=1m"),
        ("scenario_too", "sweep broken.toml --vary duration=range(1,2) --metric drawdwn --shard 3/2"),
        (
            "all_at_once",
            "sweep flawed.toml --vary duration=1m,soon --vary burn_in --vary shocks.sale.event.meta_order.at=10s,2m --set \
             populations.retail.strategy.retail.longz=3 --without adll --without fundin --metric drawdwn --arms stop_los,adll --shard 3/2",
        ),
        ("study_and_scenario", "sweep flawed-study.toml --set durations=1m --most-replicates 64"),
        ("name_and_values", "sweep nowhere --vary duration=1m,,2m --arms adll"),
    ] {
        let said = place.said(&format!("{words} --out out")).expect(1, &[]);
        assert_eq!(said.out, "", "{words}");
        assert_text!(format!("sweep_refused_{name}"), said.err);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn a_complete_sweep_says_so_and_another_is_refused() {
    let place = Place::new();
    let said = place.said(&format!("{SWEEP} -n 3 --metric liquidations --out out")).expect(0, &[]);
    assert!(said.out.contains("liquidations begun"), "{}", said.out);
    let again =
        place.said(&format!("{SWEEP} -n 3 --metric liquidations --out out")).expect(0, &["complete already"]);
    assert_eq!(again.out, said.out);
    place
        .said(&format!("{SWEEP} -n 3 --seed 2 --out out"))
        .expect(1, &["another plan", "- seed = 1", "+ seed = 2"]);
}

#[test]
fn amplification_is_the_ratio_of_net_falls_over_four_arms() {
    let place = Place::new();
    place.write(
        "squeeze.toml",
        "scenario = \"long-squeeze\"\nset = [\"duration=20m\", \"burn_in=1m\"]\nreplicates = 4\n\
         [axes.depth]\npath = \"populations.flow.strategy.background.depth_scale\"\nvalues = [0.75, 1]\n\
         [axes.leverage]\npath = \"populations.retail.strategy.retail.leverages\"\n\
         values = [[[5, 1]], [[20, 1]], [[50, 1]]]\nlabels = [5, 20, 50]\n",
    );
    let words = "amplify squeeze.toml --out out";
    let said = place.said(words).expect(0, &[]);
    assert_text!("amplify", said.out);
    let results = place.results("out");
    let (heads, runs) = rows(&results["runs.csv"]);
    let at = |heads: &[String], name: &str| heads.iter().position(|head| head == name).unwrap();
    let (arm, fall) = (at(&heads, "arm"), at(&heads, "drawdown_pct"));
    let mean = |point: usize, name: &str| {
        let of_point =
            runs.iter().filter(|row| row[0].parse::<usize>().unwrap() / 4 == point && &row[arm] == name);
        let falls: Vec<f64> = of_point.map(|row| row[fall].parse().unwrap()).collect();
        assert_eq!(falls.len(), 4, "{name}");
        falls.iter().sum::<f64>() / 4.0
    };
    let (heads, amplified) = rows(&results["amplification.csv"]);
    assert_eq!(amplified.len(), 6);
    for (point, row) in amplified.iter().enumerate() {
        let cell = |name: &str| row[at(&heads, name)].parse::<f64>().unwrap();
        let with = mean(point, "base") - mean(point, "calm");
        let without = mean(point, "forced_liquidation") - mean(point, "calm-forced_liquidation");
        for (name, expected) in [
            ("fall_with_pct", with),
            ("fall_without_pct", without),
            ("amplification", with / without),
            ("effective_r", 1.0 - without / with),
        ] {
            assert!(
                (cell(name) - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{name} at {point}: {expected}"
            );
        }
        assert!(
            cell("amplification_ci_low") <= cell("amplification")
                && cell("amplification") <= cell("amplification_ci_high")
        );
    }
    // The folder is a study of the same four arms, and whoever merges it tells the same.
    assert_eq!(place.said("sweep merge out").expect(0, &["complete already"]).out, said.out);
    let again = place.said("sweep out/study.toml --out again").expect(0, &[]);
    assert_same(&place.results("again"), &results, "the study in the folder");
    assert_eq!(again.out.replace("again", "out"), said.out);
    for (name, words) in [
        ("calm", "amplify calm --vary duration=1h"),
        ("off", "amplify long-squeeze --vary duration=1h --without forced_liquidation"),
    ] {
        assert_text!(format!("amplify_refused_{name}"), place.said(words).expect(1, &[]).err);
    }
}
