//! Targets: what was observed in the world, and what of a run is compared with it.
//!
//! 1. [`read`] reads the file of targets beside a scenario, or says everything that is wrong with it.
//! 2. A [`Watcher`] hears a run and keeps for each target what its [`Statistic`] needs: a few numbers, however many events.
//! 3. At the end it gives one value a target, times the target's scale, or none where the run has none.
//!
//! A further statistic is one entry in [`STATISTICS`] and, if none of the accumulators fits, one more of these: `price` and `hours`
//! listen to marks, `flow` to trades and liquidations, `book` to samples of the market.
//!
//! What can go wrong: a window that reaches out of the run, or that is shorter than what the statistic is made from, is refused
//! with the file; a run without a liquidation has no share of longs, and that value is absent.

mod book;
mod file;
mod flow;
mod hourly;
mod hours;
mod price;
mod statistic;
mod watcher;

pub use file::{COLUMNS, read};
pub use hourly::{HOURLY_COLUMNS, Hour, Hourly, read_hourly};
pub use statistic::{Accumulator, Feed, LiquidatedSide, Look, Needs, STATISTICS, Sample, Statistic};
pub use watcher::Watcher;

use crate::units::{MarketId, Time};

/// A span of a run. What happens at `from` belongs to what was before, what happens at `to` to the window; a state at an
/// instant is that after everything that happened then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Where it begins; the burn-in is negative.
    pub from: Time,
    /// Where it ends, later than `from`.
    pub to: Time,
}

impl Window {
    /// Tells whether something that happened at this time happened in the window.
    pub fn contains(&self, time: Time) -> bool {
        self.from < time && time <= self.to
    }

    /// Returns how long it is, in hours.
    pub fn hours(&self) -> f64 {
        (self.to - self.from).as_secs_f64() / 3_600.0
    }
}

/// What a target is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The scenario was fitted to it: it is shown and is no test.
    Fit,
    /// It is a test and is scored.
    Score,
    /// It is shown for orientation.
    Show,
}

impl Purpose {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Fit, Self::Score, Self::Show];

    /// Returns its word in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Score => "score",
            Self::Show => "show",
        }
    }
}

/// One observed quantity and what of a run is compared with it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in tables.
    pub id: String,
    /// What is computed.
    pub statistic: &'static Statistic,
    /// Where.
    pub market: MarketId,
    /// Over which span.
    pub window: Window,
    /// The second span of statistics that compare two.
    pub reference: Option<Window>,
    /// What was observed, in the unit of the statistic.
    pub observed: f64,
    /// How exactly that is known or matters, in the same unit, above zero.
    pub tolerance: f64,
    /// What the simulated value is multiplied by before it is compared, above zero.
    pub scale: f64,
    /// What it is good for.
    pub purpose: Purpose,
    /// What the observation covers, and how the simulated value is made comparable, in words.
    pub scope: String,
}
