//! Every command in the documents is typed and must answer as is written there.
//!
//! A fenced block of the kind `console` holds lines that begin with `$ `, which a shell is given, and below each what it says
//! (stdout and stderr as they come). A line `...` stands for any lines; lines of progress, which come where a machine is slow, are no
//! answer. All blocks of a document share a folder, so that a page can be followed from top to bottom. Lines that begin with `> ` go
//! on with the command. After `console` may stand `clone` for what is typed in the repository, `needs=` a program or a Python package
//! without which it is left out, and `slow` for what takes longer than seconds:
//!
//!     FIRESALE_DOCS=slow cargo test --release --test cli documents
//!
//! runs those too. That they are commands at all is looked at always, in `src/cli/interface.rs`.

use crate::pages::documents;
use crate::place::{PROGRAM, Place};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command and what it is to say.
struct Step {
    line: usize,
    command: String,
    said: Vec<String>,
    kind: Kind,
}

/// What stands after `console`.
#[derive(Clone, Default)]
struct Kind {
    slow: bool,
    clone: bool,
    needs: Option<String>,
}

impl Kind {
    fn read(info: &str) -> Self {
        let has = |word: &str| info.split_whitespace().any(|other| other == word);
        let needs = info.split_whitespace().find_map(|word| word.strip_prefix("needs="));
        Self { slow: has("slow"), clone: has("clone"), needs: needs.map(str::to_owned) }
    }
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<Kind> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            let begins = block.is_none() && info.split_whitespace().next() == Some("console");
            block = begins.then(|| Kind::read(info));
            continue;
        }
        let Some(kind) = &block else { continue };
        if let Some(command) = line.strip_prefix("$ ") {
            let step =
                Step { line: index + 1, command: command.to_owned(), said: Vec::new(), kind: kind.clone() };
            steps.push(step);
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        match line.strip_prefix('>') {
            Some(more) if step.said.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more.strip_prefix(' ').unwrap_or(more));
            }
            _ => step.said.push(line.to_owned()),
        }
    }
    steps
}

/// Tells whether lines are as is written, where `...` is any number of lines.
fn fits(written: &[String], said: &[&str]) -> bool {
    match written.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=said.len()).any(|skip| fits(rest, &said[skip..]))
        }
        Some((first, rest)) => said
            .split_first()
            .is_some_and(|(line, more)| line.trim_end() == first.trim_end() && fits(rest, more)),
    }
}

/// Tells whether a line says how far a verb is: `8/10 runs, about 3 seconds left`.
fn is_progress(line: &str) -> bool {
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    line.split_once(" runs, ")
        .and_then(|(counts, rest)| Some((counts.split_once('/')?, rest)))
        .is_some_and(|((done, all), rest)| is_count(done) && is_count(all) && rest.ends_with(" left"))
}

fn typed(place: &Place, step: &Step) -> String {
    let programs = Path::new(PROGRAM).parent().unwrap().to_str().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    // Where `.ci/run` installs pandas and polars.
    let python = root.join("target/python/bin");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; PATH={programs}:{}:$PATH\n{}", python.display(), step.command)])
        .current_dir(if step.kind.clone { root.clone() } else { place.path("") })
        .env("COLUMNS", "100")
        .env("FIRESALE_CLONE", root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Tells whether a program or a package of Python is there.
fn is_there(place: &Place, needed: &str) -> bool {
    let command =
        format!("{{ command -v {needed} || python3 -c 'import {needed}'; }} > /dev/null && echo yes");
    let step = Step { line: 0, command, said: Vec::new(), kind: Kind::default() };
    typed(place, &step).ends_with("yes\n")
}

#[test]
fn commands_answer_as_the_documents_say() {
    let all = std::env::var_os("FIRESALE_DOCS").is_some_and(|word| word == "slow");
    let (mut typed_ones, mut wrong) = (0, String::new());
    let mut left_out = BTreeSet::new();
    for path in documents() {
        let place = Place::new();
        for step in steps(&fs::read_to_string(&path).unwrap()) {
            if step.kind.slow && !all {
                continue;
            }
            if let Some(needed) = step.kind.needs.as_ref().filter(|needed| !is_there(&place, needed)) {
                left_out.insert(needed.clone());
                continue;
            }
            typed_ones += 1;
            let said = typed(&place, &step);
            let answer: Vec<&str> = said.lines().filter(|line| !is_progress(line)).collect();
            if !fits(&step.said, &answer) {
                let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display();
                let _ = writeln!(wrong, "{name}:{}: $ {}\n{said}", step.line, step.command);
            }
        }
    }
    eprintln!("left out, since these are not installed: {left_out:?}");
    assert!(typed_ones >= 15, "{typed_ones} commands were found");
    assert!(wrong.is_empty(), "these answer otherwise than is written:\n{wrong}");
}

#[test]
fn progress_is_no_answer() {
    assert!(
        is_progress("8/10 runs, about 3 seconds left")
            && is_progress("2/4 runs, 2 failed, about 0 seconds left")
    );
    assert!(!is_progress("8 of 10 runs, about 3 seconds left") && !is_progress("a/b runs, none left"));
}

#[test]
fn a_wrong_answer_is_noticed() {
    let steps = steps(
        "text\n```console\n$ echo a\na\n$ echo b; echo c; echo d\nb\n...\nd\n```\n```text\n$ no\n```\n",
    );
    let place = Place::new();
    assert_eq!(steps.iter().map(|step| step.line).collect::<Vec<_>>(), [3, 5]);
    for step in &steps {
        let said = typed(&place, step);
        let lines: Vec<&str> = said.lines().collect();
        assert!(fits(&step.said, &lines));
        assert!(!fits(&step.said, &lines[..lines.len() - 1]));
        assert!(!fits(&step.said, &[&lines[..], &["more"]].concat()));
    }
}
