//! What the runs of a design take, by a few of its runs.

use super::Failure;
use super::args::WorkArgs;
use super::fit::fitted;
use super::job::default_threads;
use super::machine::{Stopwatch, memory};
use super::stdout::Out;
use super::summary::human;
use crate::experiment::{BATCH, Cancel, Design, Plan, Stopped};
use crate::record::RunKey;
use indicatif::{HumanBytes, HumanDuration};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Runs of a pilot, of cells at equal distances.
const RUNS: u32 = 8;
/// No further run is begun after this.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of the journal and of the rows of a run for each byte of its record, without and with series: a row of runs.csv repeats
/// its numbers, series are written once more as they are.
const WRITTEN: [f64; 2] = [1.75, 2.0];
/// Bytes of a cell in summary.csv, and of another arm than the base in effects.csv: a row for each of some forty metrics.
const CELL: f64 = 4_000.0;
/// Bytes of packed tables for each byte of plain ones: a quarter for series, a third for summaries of few cells.
const PACKED: f64 = 0.3;
/// Bytes of the other files.
const OTHERS: f64 = 30_000.0;

/// Bytes of memory for each run that is on disk: where its record lies, and that it is done.
const INDEXED: f64 = 100.0;

/// Says how many runs of a design there are and what they take.
pub(super) fn dry_run(name: &str, design: &Design, plan: &Plan, args: &WorkArgs) -> Result<u8, Failure> {
    let (points, arms) = (design.points(), design.arms.len());
    // Arms in turn: those without shocks may be much shorter.
    let at = |index: u32| {
        let point = (u64::from(points - 1) * u64::from(index)).div_euclid(u64::from(RUNS - 1)) as u32;
        design.cell(point, index as usize % arms)
    };
    let cells: BTreeSet<u32> =
        if plan.cells <= RUNS { (0..plan.cells).collect() } else { (0..RUNS).map(at).collect() };
    let watch = Stopwatch::start();
    let before = memory();
    let (mut seconds, mut bytes) = (Vec::new(), Vec::new());
    for cell in cells {
        if watch.elapsed() > LONGEST {
            break;
        }
        let run = Stopwatch::start();
        let record = design.simulate(RunKey { cell, replicate: 0 }, &Cancel::default());
        let record = record.map_err(|stopped| match stopped {
            Stopped::Failed(message) => Failure::user(message),
            Stopped::Cancelled => unreachable!("nobody cancels a pilot"),
        })?;
        seconds.push(run.elapsed().as_secs_f64());
        bytes.push(serde_json::to_vec(&record).expect("a record has string keys only").len() as f64);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (each, size) = (mean(&seconds), mean(&bytes));
    let threads = args.threads.unwrap_or_else(default_threads);
    let runs = plan.runs() as f64;
    let least =
        design.precision.map(|precision| u64::from(plan.cells) * u64::from(BATCH.min(precision.most)));
    // What a run takes is what the pilot took at most; that much for each that goes on at once.
    let own = |(before, _): (u64, u64)| Some((before as f64, memory()?.1.saturating_sub(before) as f64));
    let memory =
        before.and_then(own).map(|(program, run)| program + run * threads.get() as f64 + runs * INDEXED);
    let written = WRITTEN[usize::from(design.has_tables)];
    let estimates = f64::from(plan.cells) * 2.0 - f64::from(points);
    let packed = if args.forms.forms().csv.is_some() { PACKED } else { 1.0 };
    let disk = runs * size * (1.0 + (written - 1.0) * packed) + estimates * CELL * packed + OTHERS;
    let (work, wall) = (each * runs, each * runs / threads.get() as f64);
    let text = if args.json {
        let estimate = json!({
            "study": name,
            "points": points,
            "arms": arms,
            "cells": plan.cells,
            "replicates": plan.replicates,
            "runs": plan.runs(),
            "least_runs": least.unwrap_or(plan.runs()),
            "pilot": { "runs": seconds.len(), "seconds_a_run": each, "bytes_a_run": size },
            "processor_seconds": work,
            "threads": threads,
            "seconds": wall,
            "disk_bytes": disk,
            "memory_bytes": memory,
        });
        format!("{}\n", serde_json::to_string_pretty(&estimate).expect("an estimate has string keys only"))
    } else {
        // A century stands for "very long" where the time is beyond a duration.
        let time = |seconds: f64| HumanDuration(Duration::from_secs_f64(seconds.min(3.2e9)));
        let memory =
            memory.map_or_else(String::new, |bytes| format!(", {} of memory", HumanBytes(bytes as u64)));
        let replicates =
            if least.is_some() { format!("up to {}", plan.replicates) } else { plan.replicates.to_string() };
        let first = least.map_or_else(String::new, |least| {
            format!("at least {least} runs, {} of one processor\n", time(each * least as f64))
        });
        fitted(format!(
            "{}: {points} points x {arms} arms x {replicates} replicates = {} runs\n{first}pilot of {} runs: {} s and {} a run\n\
             estimated: {} of one processor, {} with {threads} threads; {} of disk{memory}\nnothing was written\n",
            name,
            plan.runs(),
            seconds.len(),
            human(Some(each)),
            HumanBytes(size as u64),
            time(work),
            time(wall),
            HumanBytes(disk as u64),
        ))
    };
    Out::lock().print(|out| out.write_all(text.as_bytes()))?;
    Ok(0)
}
