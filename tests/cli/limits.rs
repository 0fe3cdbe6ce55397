//! How many runs there are and what ends them early: intervals, the time, a run that failed.

use crate::place::{PROGRAM, Place, Said, assert_same};
use std::collections::BTreeMap;
use std::process::Command;

/// Two points of two arms, of which the first is more uncertain than the second.
const SWEEP: &str = "sweep sound.toml --arms forced_liquidation --until-ci 0.08 --most-replicates 320 --set duration=20s \
    --vary shocks.sale.event.meta_order.quantity=50,300";

/// A sweep whose odd points are no whole number of lots; of its points every second one is checked before the first run.
const WRONG: &str = "sweep sound.toml --arms none -n 1 --out out --set duration=2s --set sample_every=1s --set burn_in=0s \
    --set populations.retail.strategy.retail.longs=1 --set populations.retail.strategy.retail.shorts=1 \
    --set shocks.sale.event.meta_order.at=0s --set shocks.sale.event.meta_order.duration=1s \
    --set shocks.sale.event.meta_order.slice_every=1s \
    --vary shocks.sale.event.meta_order.quantity=range(1,2.999,0.0005)";

/// Counts the rows of the runs table by cell.
fn replicates(table: &[u8]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in csv::Reader::from_reader(table).records() {
        *counts.entry(row.unwrap()[0].to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn replicates_are_added_until_every_mean_drawdown_is_known() {
    let place = Place::new();
    let said =
        place.said(&format!("{SWEEP} --threads 2 --out out")).expect(0, &["runs more until every interval"]);
    assert!(said.out.contains("every cell's mean drawdown is known within 8 %"), "{said:#?}");
    let results = place.results("out");
    let counts = replicates(&results["runs.csv"]);
    assert_eq!(counts["0"], counts["1"], "arms of a point are paired");
    assert_eq!(counts["2"], counts["3"], "arms of a point are paired");
    assert!(counts["0"] > counts["2"] && counts.values().all(|count| count % 32 == 0), "{counts:?}");
    // The table of estimates says itself whether the rule was kept.
    let mut summary = csv::Reader::from_reader(results["summary.csv"].as_slice());
    let heads: Vec<String> = summary.headers().unwrap().iter().map(str::to_owned).collect();
    let at = |name: &str| heads.iter().position(|head| head == name).unwrap();
    for row in summary.records().map(Result::unwrap).filter(|row| &row[at("metric")] == "drawdown_pct") {
        let [mean, low, high] =
            ["mean", "mean_ci_low", "mean_ci_high"].map(|name| row[at(name)].parse::<f64>().unwrap());
        assert!((high - low) / 2.0 <= 0.08 * mean, "{row:?}");
        assert_eq!(row[at("replicates")], counts[&row[0]].to_string(), "{row:?}");
    }
    // Neither threads nor interruptions leave a trace, and the folder is the study again.
    for _ in 0..100 {
        let said = place.said(&format!("{SWEEP} --threads 1 --timeout 200ms --out other"));
        if said.code != Some(75) {
            said.expect(0, &[]);
            break;
        }
        assert!(said.err.contains("time is up: "), "{said:#?}");
    }
    assert_same(&results, &place.results("other"), "with interruptions");
    place.said(&format!("{SWEEP} --out out")).expect(0, &["is complete already"]);
    place.said("sweep out/study.toml --quiet --out again").expect(0, &[]);
    assert_same(&results, &place.results("again"), "from its folder");
    place.said("sweep merge out").expect(0, &["is complete already"]);
    let status = place.said("sweep status out --json").expect(0, &[]).out;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["missing"], &status["tables"]), (&0.into(), &true.into()), "{status:#}");
}

#[test]
fn what_is_not_known_after_the_most_replicates_is_said() {
    let place = Place::new();
    let said = place
        .said("sweep sound.toml --arms none --until-ci 0.001 --most-replicates 40 --set duration=30s --vary burn_in=5s,6s")
        .expect(0, &[]);
    assert!(said.out.contains("within 0.1 %, all but 2 after 40 replicates"), "{said:#?}");
    let said = place.said(&format!("{SWEEP} --shard 0/2")).expect(1, &["--until-ci"]);
    assert!(said.err.contains("cannot be used with"), "{said:#?}");
    place.write("study.toml", "scenario = \"sound.toml\"\nuntil_ci = 0.1\naxes.burn_in = { path = \"burn_in\", values = [\"5s\"] }\n");
    place.said("sweep study.toml --shard 0/2").expect(1, &["no shard sees all that decides it"]);
    place
        .said("sweep sound.toml --vary burn_in=5s --most-replicates 40")
        .expect(1, &["nothing asks for more or fewer"]);
    place.said("sweep study.toml -n 2 --shard 0/2 --out parts").expect(0, &[]);
    place.write("study.toml", "scenario = \"sound.toml\"\nuntil_ci = 0.1\nreplicates = 3\naxes.burn_in = { path = \"burn_in\", values = [\"5s\"] }\n");
    place.said("sweep study.toml").expect(1, &["study.toml:3:", "is stated beside `until_ci`"]);
}

#[test]
fn when_its_time_is_up_a_run_says_how_it_goes_on() {
    let place = Place::new();
    let words = "run sound.toml -n 60 --threads 1 --hash";
    place.said(&format!("{words} --out whole")).expect(0, &[]);
    let said = place
        .said(&format!("{words} --out out --timeout 1ms"))
        .expect(75, &["time is up: ", " of 60 runs are kept in out"]);
    assert!(
        said.err.contains("firesale run sound.toml --replicates 60 --seed 1 --hash --out out"),
        "{said:#?}"
    );
    assert!(!place.path("out/runs.csv").exists());
    place.said(&format!("{words} --out out --timeout 1h")).expect(0, &[]);
    assert_same(&place.results("whole"), &place.results("out"), "with an interruption");
    place.said(&format!("{words} --timeout soon")).expect(1, &["a duration such as 90s"]);
}

#[test]
fn a_run_that_failed_is_a_row_with_its_error_its_seed_and_what_repeats_it() {
    let place = Place::new();
    let said = place.said(&format!("{WRONG} --fail-fast --threads 1 --seed 9")).expect(
        3,
        &["stopped after a run that failed: 1 of 3999 runs are kept", "cell 1, replicate 0 of seed 9: "],
    );
    let command = said.err.lines().find(|line| line.starts_with("  firesale run ")).unwrap().trim();
    let shell = format!("{} {}", PROGRAM, command.strip_prefix("firesale ").unwrap());
    let repeated = Command::new("sh").args(["-c", &shell]).current_dir(place.path("")).output().unwrap();
    Said::from(repeated).expect(1, &["1.0005 is not a multiple of 0.001"]);
    assert!(!place.path("out/failures.csv").exists(), "tables are of all runs");
    place.said(&format!("{WRONG} --seed 9 --quiet")).expect(3, &[]);
    let results = place.results("out");
    let mut failures = csv::Reader::from_reader(results["failures.csv"].as_slice());
    let failures: Vec<csv::StringRecord> = failures.records().map(Result::unwrap).collect();
    assert_eq!(failures.len(), 1_999);
    assert_eq!(failures[0].iter().take(3).collect::<Vec<_>>(), ["1", "0", "9"]);
    assert_eq!(&failures[0][4], command);
    assert!(failures[0][3].contains("1.0005 is not a multiple"), "{:?}", failures[0]);
}
