//! What it costs to look at, and to go on with, a sweep of a million cells of which half are done: the journal is filled with copies
//! of real records, then each command is a process of its own whose time and most memory are printed.
//!
//! `cargo bench --bench resume [-- CELLS]`; the exit code is 1 beyond 10 s or 500 MB in a command.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use firesale::cli::machine::{Stopwatch, holder, memory};
use firesale::experiment::{JOURNAL, Opening, Plan, Store};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Most seconds of a command.
const SECONDS: f64 = 10.0;
/// Most bytes that a command may take.
const BYTES: u64 = 500_000_000;
/// Exit code of a sweep whose time was up: it was begun, and no run after the first ones.
const TIME_IS_UP: u8 = 75;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.split_first() {
        Some((word, words)) if word == "command" => command(words),
        // `cargo test --all-targets` runs this program without `--bench`.
        other if std::env::args().any(|arg| arg == "--bench") => {
            let cells = other.and_then(|(cells, _)| cells.parse().ok()).unwrap_or(1_000_000);
            if all(cells) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Fills a folder and measures; tells whether every command kept within its bounds.
fn all(cells: u32) -> bool {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("sweep");
    let out = folder.to_str().expect("a temporary folder has a plain name");
    let path = "populations.retail.strategy.retail";
    let longs = format!("{path}.longs=range(1,{},1)", cells.div_ceil(1_000));
    let shorts = format!("{path}.shorts=range(1,1000,1)");
    let begin = ["sweep", "long-squeeze", "--vary", &longs, "--vary", &shorts, "--arms", "none", "-n", "1"];
    let briefly = ["--quiet", "--threads", "1", "--timeout", "2s", "--out", out];
    run(&[&begin[..], &briefly[..]].concat(), TIME_IS_UP);
    let half = fill(&folder);
    let bytes = fs::metadata(folder.join(JOURNAL)).map_or(0, |file| file.len());
    println!("a sweep of {cells} cells, {half} of them in a journal of {} MB", bytes.div_euclid(1_000_000));
    let study = format!("{out}/study.toml");
    let resume = ["sweep", &study, "--quiet", "--threads", "1", "--timeout", "1ns", "--out", out];
    let commands: [(&str, &[&str], u8); 2] = [
        ("count (sweep status)", &["sweep", "status", out], 0),
        ("start and resume (sweep)", &resume, TIME_IS_UP),
    ];
    let measured: Vec<bool> = commands
        .into_iter()
        .map(|(name, words, code)| {
            let said = run(words, code);
            let mut words = said.lines().last().unwrap_or_default().split_whitespace();
            let mut number = || words.next().and_then(|word| word.parse::<f64>().ok()).expect("two numbers");
            let (seconds, most) = (number(), number());
            println!("{name}: {seconds:.1} s, {:.0} MB at most", most / 1e6);
            seconds <= SECONDS && most <= BYTES as f64
        })
        .collect();
    measured.into_iter().all(|is_within| is_within)
}

/// Adds a copy of the first record for every other cell, and returns how many are there.
fn fill(folder: &Path) -> usize {
    let bytes = fs::read(folder.join(JOURNAL)).expect("a journal was begun");
    // Magic, version, length of the plan's text, the text.
    let length = u64::from_le_bytes(bytes[12..20].try_into().expect("eight bytes")) as usize;
    let text = String::from_utf8(bytes[20..20 + length].to_vec()).expect("a plan is text");
    let points = text.lines().find_map(|line| line.strip_prefix("points = ")?.parse().ok());
    let cells = points.expect("a plan of a sweep says its points");
    let plan = Plan { text, cells, replicates: 1, ..Plan::default() };
    let (mut store, _) =
        Store::open(folder, &plan, &holder(), Opening::Resume).expect("the journal is sound");
    let first = store.records().expect("a journal").next().expect("two seconds are enough for a run");
    let mut record = first.expect("a whole record");
    let done = store.done();
    for key in plan.keys().filter(|key| key.cell % 2 == 0 && !done.contains(key)) {
        record.cell = key.cell;
        store.append(&record).expect("the disk takes it");
    }
    store.sync().expect("the disk takes it");
    store.done().len()
}

/// Runs firesale in a process of its own and returns what it printed.
fn run(words: &[&str], code: u8) -> String {
    let own = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(own).arg("command").args(words).output().expect("a process");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(i32::from(code)),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Is firesale, then prints its seconds and its most bytes.
fn command(words: &[String]) -> ExitCode {
    let watch = Stopwatch::start();
    let code =
        firesale::cli::main([OsString::from("firesale")].into_iter().chain(words.iter().map(OsString::from)));
    let most = memory().map_or(0, |(_, most)| most);
    println!("{} {most}", watch.elapsed().as_secs_f64());
    ExitCode::from(code)
}
