//! A sweep in parts: shards, their merging, and what is said on the way.

use crate::place::{Place, Said, assert_same, assert_text};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Three points of two arms and two replicates.
const SWEEP: &str = "sweep sound.toml -n 2 --arms forced_liquidation --out out --threads 1 \
    --vary populations.retail.strategy.retail.longs=100,150,200";

/// Results without the journals of shards.
fn tables(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut results = place.results("out");
    results.retain(|name, _| !name.starts_with("journal-"));
    results
}

fn whole() -> BTreeMap<String, Vec<u8>> {
    let place = Place::new();
    place.said(SWEEP).expect(0, &[]);
    tables(&place)
}

#[test]
fn shards_in_any_number_and_order_merge_to_the_bytes_of_one_process() {
    let whole = whole();
    for shards in [vec!["0/1"], vec!["1/2", "0/2"], vec!["6/7", "0/7", "2/7", "1/7", "5/7", "4/7", "3/7"]] {
        let place = Place::new();
        for shard in &shards {
            let said = place.said(&format!("{SWEEP} --shard {shard}")).expect(0, &["runs are kept in out"]);
            assert_eq!(said.out, "");
            assert!(!place.path("out/runs.csv").exists(), "tables of a part are not results");
        }
        place.said("sweep merge out").expect(0, &[]);
        assert_same(&tables(&place), &whole, &shards.join(" "));
        place.said("sweep merge out --quiet").expect(0, &[]);
        place.said(SWEEP).expect(0, &["out is complete already"]);
    }
}

#[test]
fn the_same_shard_twice_at_once_is_done_twice_and_merged_once() {
    let place = Place::new();
    let start = || {
        let mut process = place.process(&format!("{SWEEP} --shard 0/2"));
        process.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    for child in both {
        Said::from(child.wait_with_output().unwrap()).expect(0, &["shard 0/2: 6 of its 6 runs"]);
    }
    place.said(&format!("{SWEEP} --shard 1/2")).expect(0, &[]);
    place.said("sweep merge out").expect(0, &[]);
    assert_same(&tables(&place), &whole(), "twice");
}

#[test]
fn what_is_missing_is_said_and_what_is_there_is_not_done_again() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --shard 1/3")).expect(0, &[]);
    let status = place.said("sweep status out").expect(0, &[]).out;
    let filtered: Vec<&str> = status.lines().filter(|line| !line.contains("journal-")).collect();
    assert_text!("status", filtered.join("\n"));
    assert!(status.contains("4 in journal-1-of-3-"), "{status}");
    let before = fs::read_dir(place.path("out")).unwrap().count();
    place.said("sweep status out --json").expect(0, &[]);
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), before, "looking changes nothing");
    let refused = place.said("sweep merge out").expect(1, &[]);
    assert_text!("merge_missing", refused.err);
    // Another cut of the same plan finds what is done.
    place.said(&format!("{SWEEP} --shard 1/2")).expect(0, &["shard 1/2: 6 of its 6 runs"]);
    let status: serde_json::Value =
        serde_json::from_str(&place.said("sweep status out --json").expect(0, &[]).out).unwrap();
    assert_eq!((&status["finished"], &status["missing"]), (&8.into(), &4.into()), "{status:#}");
    // One process may do the rest by itself.
    place.said(SWEEP).expect(0, &[]);
    assert_same(&tables(&place), &whole(), "the rest by one process");
}

#[test]
fn a_shard_that_is_stopped_says_75_and_a_killed_one_goes_on() {
    const LONG: &str = "sweep sound.toml -n 10 --threads 1 --arms none --out out --set duration=20m \
        --vary populations.retail.strategy.retail.longs=100,150,200";
    let whole = Place::new();
    whole.said(LONG).expect(0, &[]);
    let place = Place::new();
    for (signal, code) in [("TERM", Some(75)), ("INT", Some(130)), ("KILL", None)] {
        let mut shard = place.process(&format!("{LONG} --shard 0/1"));
        let mut child = shard.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let journal = || {
            let entries = fs::read_dir(place.path("out")).ok()?;
            let ending = format!("-{}.fsj", child.id());
            let mut own =
                entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(&ending));
            own.next()?.metadata().ok().map(|data| data.len())
        };
        let mut head = None;
        for _ in 0..6_000 {
            match (journal(), head) {
                (Some(len), None) if len > 0 => head = Some(len),
                (Some(len), Some(head)) if len > head => break,
                _ => {}
            }
            thread::sleep(Duration::from_millis(2));
        }
        let sent =
            Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), code, "{signal}");
    }
    place.said(&format!("{LONG} --shard 0/1")).expect(0, &[]);
    place.said("sweep merge out").expect(0, &[]);
    assert_same(&tables(&place), &tables(&whole), "stopped and killed");
}

#[test]
fn a_shard_has_a_number_below_their_count() {
    let place = Place::new();
    for (name, shard) in
        [("form", "1"), ("count", "0/x"), ("index", "2/2"), ("env", "env/2"), ("none", "0/0")]
    {
        let said = place.said(&format!("{SWEEP} --shard {shard}")).expect(1, &[]);
        assert_text!(format!("shard_refused_{name}"), said.err);
    }
    let mut array = place.firesale(&format!("{SWEEP} --shard env/2"));
    Said::of(array.env("SLURM_ARRAY_TASK_ID", "1").env("SLURM_CPUS_PER_TASK", "2"))
        .expect(0, &["shard 1/2: 6 of its 6 runs"]);
    for verb in ["status", "merge"] {
        let said = place.said(&format!("sweep {verb} elsewhere")).expect(1, &[]);
        assert!(said.err.contains("elsewhere is not the folder of a sweep"), "{said:#?}");
    }
    place.said(&format!("{SWEEP} --seed 5 --shard 0/2")).expect(1, &["another plan"]);
}

#[test]
fn a_dry_run_says_what_it_takes_and_leaves_nothing() {
    let place = Place::new();
    let said = place.said(&format!("{SWEEP} --dry-run")).expect(0, &[]);
    assert!(
        said.out.starts_with("sound: 3 points x 2 arms x 2 replicates = 12 runs\npilot of 6 runs: "),
        "{said:#?}"
    );
    let json = place.said(&format!("{SWEEP} --dry-run --json")).expect(0, &[]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["runs"], &json["cells"]), (&12.into(), &6.into()));
    assert!(
        json["processor_seconds"].as_f64().unwrap() > 0.0 && json["disk_bytes"].as_f64().unwrap() > 12_000.0,
        "{json:#}"
    );
    assert!(!place.path("out").exists());
}

#[test]
fn a_million_points_are_counted_started_and_resumed() {
    let place = Place::new();
    let words = "sweep sound.toml -n 1 --arms none --threads 1 \
        --vary populations.retail.strategy.retail.longs=range(1,1000,1) \
        --vary populations.retail.strategy.retail.shorts=range(1,1000,1)";
    let said = place.said(&format!("{words} --dry-run")).expect(0, &[]);
    assert!(said.out.contains("1000000 points x 1 arms x 1 replicates = 1000000 runs"), "{said:#?}");
    for kept in [0, 1] {
        // Half a gigabyte of address space beside the program and its threads.
        let script = "ulimit -v 900000; exec timeout -s INT 8 \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, crate::place::PROGRAM]).args(words.split_whitespace());
        command.args(["--out", "out"]).current_dir(place.path(""));
        let said = Said::from(command.output().unwrap());
        assert_eq!(said.code, Some(124), "{said:#?}");
        let status = place.said("sweep status out --json").expect(0, &[]).out;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert!(status["finished"].as_u64().unwrap() > kept * 100, "{status:#}");
    }
}
