//! The golden tapes: the shipped program tells the same history as ever, for any number of threads.
//!
//! If this fails, the change moves results. If that is meant, raise `MODEL_VERSION`, say *changes results* in CHANGELOG.md, and
//! write the new hashes with `.ci/golden target/release/firesale > tests/golden.csv`.

use std::process::Command;

const GOLDEN: &str = include_str!("../golden.csv");

#[test]
fn the_shipped_program_tells_the_golden_tapes() {
    let mut lines = GOLDEN.lines();
    assert_eq!(lines.next(), Some("model_version,scenario,cell,replicate,tape_hash"));
    let version = firesale::MODEL_VERSION.to_string();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row[0] == version), "the golden tapes are of another model version");
    let mut scenarios: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    scenarios.dedup();
    let shipped: Vec<&str> =
        firesale::scenario::shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
    assert_eq!(scenarios, shipped);
    for scenario in scenarios {
        for threads in ["1", "2", "8"] {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join("out");
            // The sale of an hour later would be after the end.
            let sooner: &[&str] = match scenario {
                "btc-2026-02-23" | "btc-2026-02-23-light" => {
                    &["--set", "shocks.selling.event.meta_order.at=5m"]
                }
                _ => &[],
            };
            let status = Command::new(env!("CARGO_BIN_EXE_firesale"))
                .args([
                    "run",
                    scenario,
                    "--set",
                    "duration=15m",
                    "-n",
                    "2",
                    "--hash",
                    "--quiet",
                    "--threads",
                    threads,
                ])
                .args(sooner)
                .arg("--out")
                .arg(&out)
                .status()
                .unwrap();
            assert!(status.success());
            let mut runs = csv::Reader::from_path(out.join("runs.csv")).unwrap();
            let columns = runs.headers().unwrap().clone();
            let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
            let (cell, replicate, hash) = (at("cell"), at("replicate"), at("tape_hash"));
            let told: Vec<Vec<String>> = runs
                .records()
                .map(|run| run.unwrap())
                .map(|run| [cell, replicate, hash].map(|column| run[column].to_owned()).to_vec())
                .collect();
            let golden: Vec<_> =
                rows.iter().filter(|row| row[1] == scenario).map(|row| row[2..].to_vec()).collect();
            assert_eq!(told, golden, "{scenario} with {threads} threads");
        }
    }
}
