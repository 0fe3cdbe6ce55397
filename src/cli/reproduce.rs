//! `reproduce`: does the runs of a finished folder again, from what lies in it, and compares what comes out file by file.

use super::args::{Cli, Command, CompareArgs, FormArgs, LoadArgs, ReproduceArgs, WorkArgs};
use super::load::load;
use super::stdout::Out;
use super::study::{SCENARIO, STUDY};
use super::{Failure, compare, run, sweep, targets};
use crate::experiment::whole_file::FileError;
use crate::output::{Manifest, plain_name, read_manifest, verify};
use crate::record::is_identifier;
use crate::record::tables::FAILURES;
use crate::units::{format_duration, parse_duration};
use clap::Parser as _;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How a file of the folder compares with that of the runs that were done again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Identical,
    Different,
    /// It was not made again.
    Gone,
    /// Only the runs that were done again have it.
    New,
    /// It names files of its own folder.
    Apart,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Different => "different",
            Self::Gone => "not made again",
            Self::New => "not there before",
            Self::Apart => "not compared: its commands name files of its folder",
        }
    }

    const fn is_bad(self) -> bool {
        matches!(self, Self::Different | Self::Gone | Self::New)
    }
}

/// Does the runs of a folder again and returns the exit code: 1 if a file differs.
pub(super) fn reproduce(args: &ReproduceArgs) -> Result<u8, Failure> {
    let folder = &args.results;
    let Some(manifest) = read_manifest(folder) else {
        return Err(Failure::user(format!(
            "error: {} has no whole manifest.json, so nobody can say what it holds\n  name the folder of a finished run, sweep, amplify, \
             compare or targets",
            folder.display()
        )));
    };
    let say = |text: &str| {
        if !args.quiet {
            anstream::eprintln!("{text}");
        }
    };
    let changed = verify(folder).err().unwrap_or_default();
    for problem in &changed {
        say(&format!("warning: since it was made: {problem}"));
    }
    let other = others(&manifest);
    for line in &other {
        say(&format!("note: {line}"));
    }
    let failed = |source| FileError { action: "create a folder in", path: std::env::temp_dir(), source };
    let place = tempfile::tempdir().map_err(failed)?;
    let out = args.out.clone().unwrap_or_else(|| place.path().join("results"));
    let command = again(folder, &manifest, &place.path().join("from"), &args.work(&out))?;
    let code = match &command {
        Command::Run(args) => run::run(args),
        Command::Targets(args) => targets::targets(args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Compare(args) => compare::compare(args),
        _ => unreachable!("`again` makes no other"),
    }?;
    // With failed runs there are tables; with a signal there are none.
    if ![0, 3].contains(&code) {
        return Ok(code);
    }
    let made = read_manifest(&out).expect("a command that ended well has sealed its folder");
    let files = compared(&manifest, &made);
    let is_same = changed.is_empty() && !files.iter().any(|(_, verdict)| verdict.is_bad());
    let text = if args.json {
        let files: Vec<_> =
            files.iter().map(|(name, verdict)| json!({ "path": name, "verdict": verdict.word() })).collect();
        let told =
            json!({ "identical": is_same, "changed_since": changed, "differs_in": other, "files": files });
        format!("{}\n", serde_json::to_string_pretty(&told).expect("a comparison has string keys only"))
    } else if args.quiet {
        String::new()
    } else {
        told(&files, is_same, &other)
    };
    Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    Ok(u8::from(!is_same))
}

impl ReproduceArgs {
    fn work(&self, out: &Path) -> WorkArgs {
        WorkArgs {
            threads: self.threads,
            out: Some(out.to_owned()),
            hash: false,
            forms: FormArgs::default(),
            json: false,
            quiet: self.quiet,
            force: false,
            timeout: None,
            fail_fast: false,
            untold: true,
        }
    }
}

/// Says in what this program differs from the one that made the results.
fn others(manifest: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    let (theirs, ours) = (manifest.model_version, crate::MODEL_VERSION);
    if theirs != ours {
        lines.push(format!(
            "it was made by model {theirs}, and this is model {ours}: other results are to be expected"
        ));
    }
    let (theirs, ours) = (manifest.program_version.as_str(), env!("CARGO_PKG_VERSION"));
    if theirs != ours {
        lines.push(format!("it was made by version {theirs}, and this is version {ours}"));
    }
    let (theirs, ours) = (manifest.program_commit.as_str(), env!("FIRESALE_COMMIT"));
    if theirs != ours {
        lines.push(format!("it was made by commit {theirs}, and this is commit {ours}"));
    }
    lines
}

/// Makes the command that gives the results of a folder: what was typed, on copies of the files that lie in it.
fn again(folder: &Path, manifest: &Manifest, from: &Path, work: &WorkArgs) -> Result<Command, Failure> {
    let origin = &manifest.origin;
    let unknown = || {
        Failure::user(format!(
            "error: the manifest of {} names a command that this program does not know: {}",
            folder.display(),
            origin.command.join(" ")
        ))
    };
    if !is_identifier(&origin.scenario) {
        return Err(unknown());
    }
    let typed = Cli::try_parse_from(&origin.command).map_err(|_| unknown())?;
    fs::create_dir_all(from).map_err(FileError::when("create", from))?;
    // The name of a scenario is that of its file, and stands in what describes the tables.
    let scenario = from.join(format!("{}.toml", origin.scenario));
    let load = || LoadArgs { scenario: scenario.display().to_string(), set: Vec::new(), without: Vec::new() };
    let as_typed =
        |typed: &WorkArgs| WorkArgs { hash: typed.hash, forms: typed.forms.clone(), ..work.clone() };
    match typed.command {
        Command::Run(mut args) => {
            copy(folder, SCENARIO, &scenario)?;
            args.load = load();
            args.work = as_typed(&args.work);
            Ok(Command::Run(args))
        }
        Command::Targets(mut args) => {
            copy(folder, SCENARIO, &scenario)?;
            let stem = SCENARIO.trim_end_matches("toml");
            for name in manifest.files.iter().map(|file| file.path.as_str()) {
                // A name of words and dots stays in the folder, whatever the manifest says.
                let is_beside = |rest: &&str| *rest != "toml" && rest.split('.').all(is_identifier);
                if let Some(rest) = name.strip_prefix(stem).filter(is_beside) {
                    copy(folder, name, &from.join(format!("{}.{rest}", origin.scenario)))?;
                }
            }
            args.load = load();
            args.work = as_typed(&args.work);
            Ok(Command::Targets(args))
        }
        Command::Sweep(mut args) => {
            for name in [STUDY, SCENARIO] {
                copy(folder, name, &from.join(name))?;
            }
            args.design.study = Some(from.join(STUDY).display().to_string());
            args.work = as_typed(&args.work);
            Ok(Command::Sweep(args))
        }
        Command::Compare(mut args) => {
            copy(folder, SCENARIO, &scenario)?;
            args.policies = policies(folder, &args, from)?;
            args.load = load();
            args.work = as_typed(&args.work);
            lengthen(&mut args)?;
            Ok(Command::Compare(args))
        }
        _ => Err(unknown()),
    }
}

/// Copies the policies of a comparison under their own names and returns their files, in order.
fn policies(folder: &Path, args: &CompareArgs, from: &Path) -> Result<Vec<String>, Failure> {
    let place = from.join("policies");
    fs::create_dir_all(&place).map_err(FileError::when("create", &place))?;
    let mut files = Vec::new();
    for word in &args.policies {
        let name = Path::new(word).file_stem().and_then(|stem| stem.to_str()).unwrap_or(word);
        let file = place.join(format!("{name}.toml"));
        copy(folder, &format!("policy-{name}.toml"), &file)?;
        files.push(file.display().to_string());
    }
    Ok(files)
}

/// The scenario of a comparison ends some time after its last shock, and its calm runs may have been longer.
fn lengthen(args: &mut CompareArgs) -> Result<(), Failure> {
    let duration = load(&args.load)?.scenario.duration;
    if let Some(calm) = parse_duration(&args.calm).ok().filter(|calm| *calm > duration) {
        args.load.set.push(format!("duration={}", format_duration(calm)));
    }
    Ok(())
}

fn copy(folder: &Path, name: &str, to: &PathBuf) -> Result<(), Failure> {
    let path = folder.join(name);
    fs::copy(&path, to).map(|_| ()).map_err(|error| {
        Failure::user(format!("error: cannot read {}, which says what was run: {error}", path.display()))
    })
}

/// Compares the sums of two folders, file by file.
fn compared(before: &Manifest, now: &Manifest) -> Vec<(String, Verdict)> {
    let sum = |manifest: &Manifest, name: &str| {
        manifest.files.iter().find(|file| file.path == name).map(|file| file.sha256.clone())
    };
    let names: BTreeSet<&str> =
        before.files.iter().chain(&now.files).map(|file| file.path.as_str()).collect();
    let verdict = |name: &str| match (sum(before, name), sum(now, name)) {
        (Some(_), Some(_)) if plain_name(name) == FAILURES.file_name() => Verdict::Apart,
        (Some(one), Some(other)) if one == other => Verdict::Identical,
        (Some(_), Some(_)) => Verdict::Different,
        (Some(_), None) => Verdict::Gone,
        (None, _) => Verdict::New,
    };
    names.into_iter().map(|name| (name.to_owned(), verdict(name))).collect()
}

fn told(files: &[(String, Verdict)], is_same: bool, other: &[String]) -> String {
    let mut text = String::new();
    for (name, verdict) in files {
        let _ = writeln!(text, "{name:<28} {}", verdict.word());
    }
    let count = files.len();
    let bad = files.iter().filter(|(_, verdict)| verdict.is_bad()).count();
    if is_same {
        let _ = writeln!(
            text,
            "\nreproduced: what came out is what the folder says, in all of its {count} files"
        );
    } else if bad == 0 {
        let _ = writeln!(text, "\nthe runs give what was made, but files of the folder were changed since");
    } else {
        let why = if other.is_empty() { "" } else { "; another program made it" };
        let _ = writeln!(text, "\nnot reproduced: {bad} of {count} files differ{why}");
    }
    text
}
