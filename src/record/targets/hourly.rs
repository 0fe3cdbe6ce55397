//! Hourly prices around a scenario's start, for whoever fits a process to the time before it.

use crate::scenario::{BadSheet, Columns, Problem, Sheet};
use jiff::{SignedDuration, Timestamp};

/// The columns of a file of hourly prices.
pub const HOURLY_COLUMNS: Columns =
    Columns { required: &["time_utc", "high_usdt", "low_usdt", "close_usdt"], optional: &[] };

/// One hour of prices.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hour {
    /// When it begins.
    pub begin: Timestamp,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Price at its end.
    pub close: f64,
}

/// Consecutive hours of prices.
#[derive(Clone, PartialEq, Debug)]
pub struct Hourly {
    /// The hours, ascending.
    pub hours: Vec<Hour>,
}

impl Hourly {
    /// Returns the log returns, close to close, of the hours that are over at an instant.
    pub fn log_returns_until(&self, instant: Timestamp) -> Vec<f64> {
        let over: Vec<f64> = (self.hours.iter())
            .filter(|hour| hour.begin + SignedDuration::from_hours(1) <= instant)
            .map(|hour| libm::log(hour.close))
            .collect();
        over.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Understands a sheet of hourly prices: hours named by their start, ascending, none missing.
///
/// # Errors
/// Says every time and price that is none, and every hour that does not follow the one before.
pub fn read_hourly(sheet: &Sheet) -> Result<Hourly, BadSheet> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut hours: Vec<Hour> = Vec::new();
    for line in sheet.lines() {
        let begin: Option<Timestamp> = line.cell("time_utc").parse().ok();
        if begin.is_none() {
            let help = Some("such as 2026-02-23T01:00Z".to_owned());
            problems.push(line.problem("time_utc", "is no time".to_owned(), help));
        }
        let [high, low, close] = ["high_usdt", "low_usdt", "close_usdt"].map(|column| {
            let price = line.cell(column).parse::<f64>().ok().filter(|p| p.is_finite() && *p > 0.0);
            if price.is_none() {
                problems.push(line.problem(column, "is no price above zero".to_owned(), None));
            }
            price
        });
        let (Some(begin), Some(high), Some(low), Some(close)) = (begin, high, low, close) else { continue };
        if let Some(before) = hours.last()
            && before.begin + SignedDuration::from_hours(1) != begin
        {
            let what = "is not an hour after the row before it".to_owned();
            problems.push(line.problem("time_utc", what, None));
        }
        if !(low <= close && close <= high) {
            problems.push(line.problem("close_usdt", "is not between low and high".to_owned(), None));
        }
        hours.push(Hour { begin, high, low, close });
    }
    if problems.is_empty() { Ok(Hourly { hours }) } else { Err(sheet.refuse(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "time_utc,high_usdt,low_usdt,close_usdt\n";

    #[test]
    fn returns_are_those_of_the_hours_before() {
        let text = format!(
            "{HEAD}2026-02-22T22:00Z,110,90,100\n2026-02-22T23:00Z,121,99,110\n2026-02-23T00:00Z,120,80,99\n"
        );
        let hourly = read_hourly(&Sheet::parse("a", &text, HOURLY_COLUMNS).unwrap()).unwrap();
        let at = |text: &str| hourly.log_returns_until(text.parse().unwrap());
        assert_eq!(at("2026-02-23T00:59:59Z"), [libm::log(110.0) - libm::log(100.0)]);
        assert_eq!(at("2026-02-23T01:00:00Z").len(), 2);
        assert!(at("2026-02-22T23:30:00Z").is_empty());
    }

    #[test]
    fn hours_that_are_none_are_told_all_at_once() {
        let text = format!("{HEAD}2026-02-22T22:00Z,110,90,100\nsoon,1,2,x\n2026-02-23T00:00Z,120,80,130\n");
        let sheet = Sheet::parse("a.csv", &text, HOURLY_COLUMNS).unwrap();
        let said = read_hourly(&sheet).unwrap_err().render(false);
        for part in
            ["is no time", "is no price", "is not an hour after", "is not between", "a.csv:3", "a.csv:4"]
        {
            assert!(said.contains(part), "no {part} in {said}");
        }
    }
}
