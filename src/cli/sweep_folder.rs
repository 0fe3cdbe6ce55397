//! Looking into the folder of a sweep: what is run there, and how much of it is done.

use super::Failure;
use super::args::DesignArgs;
use super::stdout::Out;
use super::study::{STUDY, Sweep};
use crate::experiment::{Counted, Store};
use crate::output::{read_manifest, verify};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Loads the sweep that a folder is of. All is said by its study; nothing of what follows `sweep` on the command line is meant.
pub(super) fn load(args: &DesignArgs, folder: &Path) -> Result<(String, Sweep), Failure> {
    let study = folder.join(STUDY);
    if !study.is_file() {
        let folder = folder.display();
        return Err(Failure::user(format!(
            "error: {folder} is not the folder of a sweep: there is no {folder}/{STUDY}"
        )));
    }
    let name = study.display().to_string();
    let sweep = Sweep::load(&name, args, None, false)?;
    Ok((name, sweep))
}

/// Says how much of a sweep is done.
pub(super) fn status(args: &DesignArgs, folder: &Path, json: bool) -> Result<u8, Failure> {
    let (_, sweep) = load(args, folder)?;
    let (counted, warnings) = Store::count(folder, &sweep.plan)?;
    for warning in warnings {
        anstream::eprintln!("warning: {warning}");
    }
    let is_sealed = verify(folder).is_ok();
    // How many replicates an interval asks for is known when all is done.
    let sealed = read_manifest(folder).filter(|_| is_sealed).and_then(|manifest| manifest.origin.runs);
    let runs = sealed.unwrap_or(sweep.plan.runs());
    let at_most = if sweep.study.precision.is_some() && !is_sealed { "at most " } else { "" };
    let Counted { finished, failed, journals } = counted;
    let missing = runs - finished - failed;
    let tables = if is_sealed {
        "whole"
    } else if missing == 0 {
        "to be made: firesale sweep merge"
    } else {
        "none yet"
    };
    let text = if json {
        let journals: Vec<_> =
            journals.iter().map(|(name, runs)| json!({ "name": name, "runs": runs })).collect();
        let status = json!({
            "study": sweep.study.name,
            "cells": sweep.plan.cells,
            "replicates": sweep.plan.replicates,
            "runs": runs,
            "finished": finished,
            "failed": failed,
            "missing": missing,
            "journals": journals,
            "tables": is_sealed,
        });
        format!("{}\n", serde_json::to_string_pretty(&status).expect("a status has string keys only"))
    } else {
        let (points, arms) = (sweep.design.points(), sweep.design.arms.len());
        let mut text = format!(
            "{}: {points} points x {arms} arms x {} replicates\n{runs} runs: {finished} finished, {failed} failed, {at_most}{missing} missing\n",
            sweep.study.name, sweep.plan.replicates
        );
        for (name, runs) in journals {
            let _ = writeln!(text, "  {runs:>10} in {name}");
        }
        let _ = writeln!(text, "tables: {tables}");
        text
    };
    Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    Ok(0)
}
