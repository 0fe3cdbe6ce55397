//! Rule W1 in numbers, and what a simulator is asked and answers. No simulator is named here.

use cpu_time::ProcessTime;

/// Share of wake-ups that send a market order [%].
pub(crate) const MARKET_PERCENT: u32 = 15;
/// Share of wake-ups that cancel, or send a limit order where the account has none to cancel [%].
pub(crate) const CANCEL_PERCENT: u32 = 40;
/// Quantities are uniform on 1 to this [lots].
pub(crate) const MAX_QTY: u32 = 10;
/// Mean of the exponential part of a limit order's distance from the middle [ticks].
pub(crate) const MEAN_DISTANCE_TICKS: f64 = 20.0;
/// Middle around which the first orders lie [ticks]; far enough from zero for any walk.
pub(crate) const START_MID_TICKS: u32 = 1_000_000;
/// Limit orders of an account before the first wake-up.
pub(crate) const ORDERS_AT_START: u32 = 2;

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Number of accounts, one agent each.
    pub(crate) accounts: u32,
    /// Messages before the clock starts.
    pub(crate) warm_up: u64,
    /// Messages on the clock.
    pub(crate) messages: u64,
    /// Differs from round to round.
    pub(crate) seed: u64,
}

/// What came out of a [`Case`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Messages that were sent on the clock.
    pub(crate) messages: u64,
    /// CPU time of the process for them, system time included [s].
    pub(crate) cpu_s: f64,
    /// Orders on the book at the end.
    pub(crate) live_orders: u64,
    /// Trades on the clock.
    pub(crate) trades: u64,
}

impl Run {
    /// Messages per second of CPU time.
    pub(crate) fn messages_per_s(&self) -> f64 {
        self.messages as f64 / self.cpu_s
    }
}

/// CPU time of this process that `work` takes [s].
pub(crate) fn cpu_s(work: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_secs_f64()
}
