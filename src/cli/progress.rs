//! How far the work is: a bar on a terminal, a line now and then on a redirected stderr, nothing when asked for quiet.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::machine::Stopwatch;
use crate::experiment::{Ended, Progress};

/// Work that is done sooner than this needs no lines in a log, and they stay this far apart.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a bar moves its time left while no run ends.
const TICK_EVERY: Duration = Duration::from_millis(500);

/// How much is said while work goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Talk {
    /// Nothing.
    Quiet,
    /// As fits where stderr goes.
    Normal,
}

/// Shows progress on stderr.
pub struct Display {
    shape: Shape,
}

enum Shape {
    Nothing,
    Bar { bar: ProgressBar, failed: AtomicU64 },
    Lines(Mutex<Lines>),
}

impl Display {
    /// Chooses the shape that fits where stderr goes.
    pub fn new(talk: Talk) -> Self {
        let shape = match talk {
            Talk::Quiet => Shape::Nothing,
            Talk::Normal if io::stderr().is_terminal() => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                Shape::Bar { bar: bar.with_style(style()), failed: AtomicU64::new(0) }
            }
            Talk::Normal => Shape::Lines(Mutex::new(Lines::default())),
        };
        Self { shape }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {human_pos}/{human_len} runs, {msg}{pace}, {eta} left")
        .expect("the template is right")
        .with_key("pace", |state: &ProgressState, text: &mut dyn fmt::Write| {
            // A bar has no way to say that its text does not fit into memory.
            let _ = text.write_str(&pace(state.per_sec()));
        })
}

/// Says a speed with few digits, the way round that makes the number large.
fn pace(per_second: f64) -> String {
    if per_second >= 1.0 {
        format!("{per_second:.1} a second")
    } else if per_second > 0.0 {
        format!("{:.1} s each", per_second.recip())
    } else {
        "starting".to_owned()
    }
}

impl Progress for Display {
    fn begin(&self, already: u64, total: u64) {
        match &self.shape {
            Shape::Nothing => {}
            Shape::Bar { bar, .. } => {
                bar.set_length(total);
                bar.set_position(already);
                // The speed is that of this session; what was there before took no time.
                bar.reset_elapsed();
                bar.reset_eta();
                bar.enable_steady_tick(TICK_EVERY);
            }
            Shape::Lines(lines) => {
                *lines.lock().unwrap_or_else(PoisonError::into_inner) = Lines::begin(already, total);
            }
        }
    }

    fn run_ended(&self, ended: Ended) {
        match &self.shape {
            Shape::Nothing => {}
            Shape::Bar { bar, failed } => {
                if ended == Ended::Failed {
                    let failed = 1 + failed.fetch_add(1, Ordering::Relaxed);
                    bar.set_message(format!("{failed} failed, "));
                }
                bar.inc(1);
            }
            Shape::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                let now = lines.watch.elapsed();
                if let Some(line) = lines.run_ended(ended, now) {
                    // Nobody can be told that stderr is gone.
                    let _ = writeln!(io::stderr(), "{line}");
                }
            }
        }
    }

    fn end(&self) {
        if let Shape::Bar { bar, .. } = &self.shape {
            bar.finish_and_clear();
        }
    }
}

/// The count behind the lines.
struct Lines {
    watch: Stopwatch,
    already: u64,
    total: u64,
    ended: u64,
    failed: u64,
    /// When the last line was said, since the beginning.
    said: Duration,
}

impl Default for Lines {
    fn default() -> Self {
        Self::begin(0, 0)
    }
}

impl Lines {
    fn begin(already: u64, total: u64) -> Self {
        Self { watch: Stopwatch::start(), already, total, ended: 0, failed: 0, said: Duration::ZERO }
    }

    /// Counts a run and returns the line that is due, if one is.
    fn run_ended(&mut self, ended: Ended, now: Duration) -> Option<String> {
        self.ended += 1;
        self.failed += u64::from(ended == Ended::Failed);
        if now < self.said + LINE_EVERY {
            return None;
        }
        self.said = now;
        let done = self.already + self.ended;
        let left = self.total.saturating_sub(done);
        let seconds_left = now.as_secs_f64() / self.ended as f64 * left as f64;
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        // A century stands for "very long" where the product is beyond a duration.
        let time_left = HumanDuration(Duration::from_secs_f64(seconds_left.min(3.2e9)));
        Some(format!("{done}/{} runs{failed}, about {time_left} left", self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_after_ten_seconds_and_ten_seconds_apart() {
        let mut lines = Lines::begin(40, 100);
        let said: Vec<Option<String>> = [1, 9, 10, 11, 19, 20]
            .map(|seconds| lines.run_ended(Ended::Finished, Duration::from_secs(seconds)))
            .to_vec();
        let line = |text: &str| Some(text.to_owned());
        assert_eq!(
            said,
            [
                None,
                None,
                // Three runs in ten seconds, and 57 to go.
                line("43/100 runs, about 3 minutes left"),
                None,
                None,
                // Six runs in twenty seconds, and 54 to go.
                line("46/100 runs, about 3 minutes left"),
            ]
        );
    }

    #[test]
    fn a_line_counts_failures() {
        let mut lines = Lines::begin(0, 2);
        assert_eq!(lines.run_ended(Ended::Failed, Duration::ZERO), None);
        let line = lines.run_ended(Ended::Failed, Duration::from_mins(1)).unwrap();
        assert_eq!(line, "2/2 runs, 2 failed, about 0 seconds left");
    }

    #[test]
    fn a_pace_is_a_short_number() {
        for (per_second, said) in
            [(12.4328, "12.4 a second"), (0.025, "40.0 s each"), (0.0, "starting"), (f64::NAN, "starting")]
        {
            assert_eq!(pace(per_second), said);
        }
    }

    #[test]
    fn a_bar_counts_what_was_there_and_what_failed() {
        let bar = ProgressBar::hidden().with_style(style());
        let display = Display { shape: Shape::Bar { bar: bar.clone(), failed: AtomicU64::new(0) } };
        display.begin(3, 10);
        display.run_ended(Ended::Failed);
        display.run_ended(Ended::Finished);
        display.run_ended(Ended::Failed);
        assert_eq!((bar.position(), bar.length(), bar.message().as_str()), (6, Some(10), "2 failed, "));
        display.end();
        assert!(bar.is_finished());
    }
}
