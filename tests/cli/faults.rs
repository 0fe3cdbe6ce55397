//! What is done to a run from outside, and what must be left of it.

use crate::place::{PROGRAM, Place, Said, assert_same, assert_text};
use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// Enough runs that a signal meets some done and some not: a tenth of a second each, or less.
const MANY: &str = "run sound.toml -n 30 --set duration=10m --threads 2";

/// One run that nobody waits for.
const ENDLESS: &str = "run sound.toml -n 1 --set duration=30d --set sample_every=1h";

/// Looks every few milliseconds until something is there, for half a minute.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("waited half a minute for {what}");
}

fn length(place: &Place, file: &str) -> u64 {
    fs::metadata(place.path(file)).map_or(0, |data| data.len())
}

/// Starts a run and waits until its first results are kept.
fn begun(place: &Place, words: &str) -> Child {
    let child = place.process(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let head = wait_for("the journal", || Some(length(place, "out/journal.fsj")).filter(|len| *len > 0));
    wait_for("the first run", || (length(place, "out/journal.fsj") > head + 2_000).then_some(()));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// Returns how a process ends if it does so within two seconds.
fn ended_within_two_seconds(child: &mut Child) -> ExitStatus {
    for _ in 0..400 {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it went on for two seconds after the signal");
}

fn sessions(place: &Place) -> Vec<serde_json::Value> {
    serde_json::from_slice(&fs::read(place.path("out/run-log.json")).unwrap()).unwrap()
}

#[test]
fn a_signal_ends_a_run_with_its_code_and_the_same_command_goes_on() {
    let whole = Place::new();
    whole.said(&format!("{MANY} --out out")).expect(0, &[]);
    let whole = whole.results("out");
    for (name, code, ended) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let place = Place::new();
        let words = format!("{MANY} --out out");
        let mut child = begun(&place, &words);
        signal(&child, name);
        let status = ended_within_two_seconds(&mut child);
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!(status.code(), Some(code), "{said:#?}");
        assert_eq!(said.out, "", "no summary of a part");
        assert!(said.err.contains("of 30 runs are kept in out"), "{said:#?}");
        assert!(!place.path("out/runs.csv").exists(), "tables of a part are not results");
        let command = said.err.lines().map(str::trim).find(|line| line.starts_with("firesale run")).unwrap();
        let again = place.said(command.strip_prefix("firesale ").unwrap()).expect(0, &[]);
        assert!(again.out.contains("results in out"), "{again:#?}");
        let sessions = sessions(&place);
        assert_eq!(sessions[0]["ended"], ended);
        assert!(sessions[1]["runs_before"].as_u64().unwrap() > 0, "{sessions:?}");
        assert_same(&place.results("out"), &whole, name);
    }
}

#[test]
fn targets_go_on_after_a_signal_as_runs_do() {
    let targets = include_str!("sound.targets.csv");
    let place = Place::new();
    place.write("sound.targets.csv", targets);
    let words = "targets sound.toml -n 15 --set duration=10m --threads 2 --out out";
    let mut child = begun(&place, words);
    signal(&child, "INT");
    let status = ended_within_two_seconds(&mut child);
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!((status.code(), said.out.as_str()), (Some(130), ""), "{said:#?}");
    let command = said.err.lines().map(str::trim).find(|line| line.starts_with("firesale targets")).unwrap();
    place.said(command.strip_prefix("firesale ").unwrap()).expect(0, &[]);
    assert!(sessions(&place)[1]["runs_before"].as_u64().unwrap() > 0);
    let whole = Place::new();
    whole.write("sound.targets.csv", targets);
    whole.said(words).expect(0, &[]);
    assert_same(&place.results("out"), &whole.results("out"), "resumed");
}

#[test]
fn a_signal_in_the_middle_of_a_run_drops_it() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let words = format!("{ENDLESS} --out out");
        let mut child = place.process(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for("the journal", || (length(&place, "out/journal.fsj") > 0).then_some(()));
        thread::sleep(Duration::from_millis(200));
        signal(&child, name);
        let status = ended_within_two_seconds(&mut child);
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!(status.code(), Some(code), "{said:#?}");
        assert!(said.err.contains("stopped: 0 of 1 runs are kept"), "{said:#?}");
    }
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_results() {
    let whole = Place::new();
    whole.said(&format!("{MANY} --out out --quiet")).expect(0, &[]);
    let whole = whole.results("out");
    let place = Place::new();
    let words = format!("{MANY} --out out --quiet");
    for _ in 0..3 {
        let mut child = begun(&place, &words);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    place.said(&words).expect(0, &[]);
    assert_same(&place.results("out"), &whole, "killed three times");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    for words in
        ["run sound.toml -n 2 --out out", "run sound.toml -n 2 --out out --json", "explain", "show calm"]
    {
        let mut child = place.process(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let said = Said::from(child.wait_with_output().unwrap()).expect(0, &[]);
        assert!(!said.err.contains("error") && !said.err.contains("panicked"), "{words}: {said:#?}");
    }
    let script = "\"$0\" run sound.toml -n 2 --out other | head -n 1";
    let command =
        Command::new("sh").args(["-c", script, PROGRAM]).current_dir(place.path("")).output().unwrap();
    let said = Said::from(command).expect(0, &[]);
    assert_eq!(said.out, "sound: a minute of a small exchange with a sale\n");
    assert!(!said.err.contains("error"), "{said:#?}");
}

#[test]
fn a_full_standard_output_is_said() {
    let place = Place::new();
    for words in
        ["run sound.toml -n 1 --out out", "list", "show calm", "explain", "check sound.toml", "--help"]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = place.process(words).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let said = Said::from(output.wait_with_output().unwrap());
        said.expect(2, &["cannot write to standard output: No space left on device"]);
    }
    assert!(place.path("out/runs.csv").exists(), "the results themselves are whole");
}

#[test]
fn a_folder_that_cannot_be_is_said_before_the_work() {
    let place = Place::new();
    place.write("file", "x");
    for (out, code, needle) in [
        ("/proc/firesale-out", 2, "cannot create /proc/firesale-out: "),
        ("file/below", 2, "cannot create file/below: Not a directory"),
        ("file", 1, "file is not a folder"),
        (".", 1, ". holds something else (file, sound.toml)"),
    ] {
        let said = place.said(&format!("{ENDLESS} --out {out}")).expect(code, &[needle]);
        assert_eq!(said.out, "");
    }
    assert_eq!(fs::read(place.path("file")).unwrap(), b"x");
}

#[test]
fn a_disk_that_ends_keeps_what_is_finished() {
    // The sizes of a journal with two and with four runs tell where the third one is.
    let sizes = [2, 4].map(|runs| {
        let place = Place::new();
        place.said(&format!("run sound.toml -n {runs} --threads 1 --out out")).expect(0, &[]);
        (length(&place, "out/journal.fsj"), place.results("out"))
    });
    let [(two, _), (four, whole)] = sizes;
    let place = Place::new();
    let words = "run sound.toml -n 4 --threads 1 --out out";
    // A block of `ulimit -f` is 512 bytes in a POSIX shell.
    let blocks = (two + (four - two) / 4) / 512;
    let said = Said::of(&mut place.limited(&format!("-f {blocks}"), words));
    let said = said.expect(2, &["out/journal.fsj", "File too large"]);
    assert_eq!(said.out, "", "no summary of a part");
    assert!(!place.path("out/runs.csv").exists());
    place.said(words).expect(0, &[]);
    assert_eq!(sessions(&place).last().unwrap()["runs_before"], 2);
    assert_same(&place.results("out"), &whole, "after the disk had ended");
}

#[test]
fn a_disk_that_ends_among_the_tables_leaves_no_sealed_results() {
    let place = Place::new();
    let words = "run sound.toml -n 2 --threads 1 --out out";
    place.said(words).expect(0, &[]);
    let whole = place.results("out");
    fs::remove_file(place.path("out/datapackage.json")).unwrap();
    // Below the description, which is the largest file after the tables of two runs.
    let blocks = whole["datapackage.json"].len() as u64 / 512 - 4;
    Said::of(&mut place.limited(&format!("-f {blocks}"), words))
        .expect(2, &["datapackage.json", "File too large"]);
    assert!(!place.path("out/datapackage.json").exists(), "a file is whole or absent");
    place.said(words).expect(0, &["datapackage.json"]);
    assert_same(&place.results("out"), &whole, "after the disk had ended");
}

#[test]
fn a_second_process_is_refused_at_once() {
    let place = Place::new();
    let words = format!("{ENDLESS} --out out");
    let mut first = place.process(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the journal", || (length(&place, "out/journal.fsj") > 0).then_some(()));
    for force in ["", " --force"] {
        let mut second = place
            .process(&format!("{words}{force}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        ended_within_two_seconds(&mut second);
        let said = Said::from(second.wait_with_output().unwrap()).expect(1, &["out is in use by process "]);
        assert!(said.err.contains(&format!("process {} on", first.id())), "{said:#?}");
        assert_text!("second_process", said.err);
    }
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_folder_of_another_scenario_is_refused_with_the_difference() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --out out").expect(0, &[]);
    let before = place.results("out");
    for (name, words) in [
        ("replicates", "run sound.toml -n 3 --out out"),
        ("seed", "run sound.toml -n 2 --seed 2 --out out"),
        ("value", "run sound.toml -n 2 --set populations.retail.strategy.retail.longs=151 --out out"),
        ("mechanism", "run sound.toml -n 2 --without adl --out out"),
        ("scenario", "run calm -n 2 --out out"),
    ] {
        let said = place.said(words).expect(1, &["out holds runs of another plan", "--force"]);
        assert_eq!(said.out, "");
        assert_text!(format!("other_plan_{name}"), said.err);
        assert_same(&place.results("out"), &before, name);
    }
    place.said("run sound.toml -n 3 --out out --force").expect(0, &[]);
    assert_ne!(place.results("out"), before);
}

#[test]
fn a_flipped_byte_is_found_and_mended() {
    let place = Place::new();
    let words = "run sound.toml -n 3 --threads 1 --out out";
    place.said(words).expect(0, &[]);
    let whole = place.results("out");
    let journal = fs::read(place.path("out/journal.fsj")).unwrap();
    for file in whole.keys() {
        let mut bytes = whole[file].clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        place.write(&format!("out/{file}"), bytes);
        let said = place.said(words).expect(0, &[" made again"]);
        assert!(said.err.contains(file.as_str()) || file == "manifest.json", "{file}: {said:#?}");
        assert_same(&place.results("out"), &whole, file);
    }
    for file in ["runs.csv", "manifest.json", "SHA256SUMS"] {
        fs::remove_file(place.path("out").join(file)).unwrap();
        place.said(words).expect(0, &[file, " made again"]);
        assert_same(&place.results("out"), &whole, file);
    }
    for at in [100, journal.len() - 100] {
        let mut bytes = journal.clone();
        bytes[at] ^= 1;
        place.write("out/journal.fsj", bytes);
        place.said(words).expect(0, &["warning: ", "out/journal.fsj", "done again"]);
        assert_same(&place.results("out"), &whole, "the journal");
    }
}

#[test]
fn a_complete_folder_says_so_and_force_does_it_again() {
    let place = Place::new();
    let words = "run sound.toml -n 2 --out out";
    let first = place.said(words).expect(0, &[]);
    let whole = place.results("out");
    let again = place.said(words).expect(0, &["out is complete already; --force does it again"]);
    assert_eq!(again.out, first.out, "the same summary");
    assert_eq!(sessions(&place).len(), 1);
    place.said(&format!("{words} --force")).expect(0, &[]);
    assert_eq!(sessions(&place).last().unwrap()["runs_before"], 0);
    assert_same(&place.results("out"), &whole, "done again");
}
