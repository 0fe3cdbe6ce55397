//! Validation: exact results that the engine must reproduce. Everything goes through `Simulation`, as a run does.
//!
//! 1. `ladder` states worlds in which a law holds exactly;
//! 2. `cascade_law` draws cascades there and tests their number of liquidations against the law;
//! 3. `controls` states what must be *identical*: worlds without leverage, paired runs before they may differ, mechanisms
//!    of zero strength;
//! 4. `report` is what was found, as data and as a table;
//! 5. `intervals` is apart: it holds the estimators, not the engine, against known truths.
//!
//! What can go wrong: with a seed of one's own a correct engine fails now and then. The report has ten independent
//! estimates at three standard errors and ten tests at one in a thousand: about one seed in twenty-five. The default seed
//! passes, and a reported failure is a reason to run another one with more cascades, not to look away. With fewer than
//! about 150 cascades a seed there are too few to reject the planted bug, and the report fails. A control also fails where its
//! world gave the mechanism no occasion to act: a control without an occasion has shown nothing.

mod cascade_law;
mod controls;
mod crowd;
mod intervals;
mod ladder;
mod report;

pub use intervals::{Coverage, Intervals, interval_steps, intervals};
pub use report::{Case, Cell, Check, Control, Estimate, Report};

use crate::clearing::Breach;
use crate::rng::Seed;
use cascade_law::{LAWS, SEEDS, Tally, judge, tally};
use rayon::prelude::*;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to validate with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Master seed; the 20 seeds of a law are its replicates.
    pub seed: u64,
    /// Cascades of each seed, at least 2.
    pub cascades_per_seed: u64,
    /// Threads, or one for each processor.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Options {
    /// 20,000 cascades a law.
    fn default() -> Self {
        Self { seed: 1, cascades_per_seed: 1_000, threads: None }
    }
}

/// Runs the laws of a cascade and the controls through the engine and reports what was found. A function of the seed and
/// the number of cascades alone: threads and their order do not enter.
///
/// `progress` hears (cascades done, of how many) from all threads.
///
/// # Panics
/// Panics on fewer than two cascades a seed, which have no variance.
pub fn cascade_law(options: &Options, progress: &(dyn Fn(u64, u64) + Sync)) -> Report {
    assert!(options.cascades_per_seed >= 2, "a variance needs two cascades");
    let pool = options.threads.and_then(|threads| {
        // A system that grants no more threads still has those of the shared pool.
        rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build().ok()
    });
    pool.map_or_else(|| report(options, progress), |pool| pool.install(|| report(options, progress)))
}

/// Returns how often `progress` is called: once for each law, seed and breach rule.
pub fn batches() -> u64 {
    (2 * LAWS.len()) as u64 * u64::from(SEEDS)
}

fn report(options: &Options, progress: &(dyn Fn(u64, u64) + Sync)) -> Report {
    let each = options.cascades_per_seed;
    let units: Vec<_> = (LAWS.into_iter())
        .flat_map(|law| [Breach::Below, Breach::AtOrBelow].map(|breach| (law, breach)))
        .flat_map(|(law, breach)| (0..SEEDS).map(move |replicate| (law, breach, replicate)))
        .collect();
    let total = units.len() as u64 * each;
    let done = AtomicU64::new(0);
    let tallies: Vec<Tally> = units
        .into_par_iter()
        .map(|(law, breach, replicate)| {
            let tally = tally(law, breach, Seed { master: options.seed, replicate }, each);
            progress(done.fetch_add(each, Ordering::Relaxed) + each, total);
            tally
        })
        .collect();
    let seeds = SEEDS as usize;
    let cases: Vec<Case> = LAWS
        .into_iter()
        .zip(tallies.chunks(2 * seeds))
        .map(|(law, tallies)| judge(law, &tallies[..seeds], &tallies[seeds..]))
        .collect();
    let controls = controls::all(Seed { master: options.seed, replicate: 0 });
    let pass = cases.iter().all(Case::pass) && controls.iter().all(|control| control.pass);
    Report { seed: options.seed, seeds: SEEDS, cascades_per_seed: each, cases, controls, pass }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn threads_do_not_enter_the_report() {
        let heard = Mutex::new(Vec::new());
        let run = |threads| {
            let options = Options { seed: 1, cascades_per_seed: 20, threads: NonZeroUsize::new(threads) };
            cascade_law(&options, &|done, total| heard.lock().expect("no panic").push((done, total)))
        };
        assert_eq!(run(1).table(), run(3).table());
        let heard = heard.into_inner().expect("no panic");
        assert_eq!(heard.len(), 2 * 200);
        assert_eq!(heard.iter().max(), Some(&(4_000, 4_000)));
    }

    /// 3,000 cascades a law: enough to reject the planted bug in each.
    #[test]
    fn everything_passes() {
        let options = Options { seed: 1, cascades_per_seed: 150, threads: None };
        let report = cascade_law(&options, &|_, _| ());
        assert!(report.pass, "{}", report.table());
    }
}
