//! Simulated time: nanoseconds since the start of the scenario, and durations as people write them.

use std::ops::{Add, Sub};

/// An instant or a span of simulated time in nanoseconds; instants count from the scenario's start, and the burn-in
/// that precedes it is negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub i64);

/// A float whose last bit is worth one. The sum of it and a number is rounded to the nearest whole number, ties to the even
/// one, and its bits differ from these by that number.
const WHOLE: f64 = 6_755_399_441_055_744.0;

impl Time {
    /// The scenario's start.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const MAX: Self = Self(i64::MAX);
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);
    /// One hour.
    pub const HOUR: Self = Self(3_600 * Self::SECOND.0);

    /// Converts seconds, rounded to the nearest nanosecond and held within range.
    #[inline]
    pub fn from_secs_f64(seconds: f64) -> Self {
        let nanos = seconds * 1e9;
        // That is what adding `WHOLE` does to every wait of less than 26 days.
        if nanos.abs() < 2_251_799_813_685_248.0 {
            return Self((nanos + WHOLE).to_bits() as i64 - WHOLE.to_bits() as i64);
        }
        // `as` saturates, so an enormous waiting time means "never" rather than a wrap; a quarter of the range leaves
        // room to add it to any instant.
        Self(libm::rint(nanos).clamp(-2.3e18, 2.3e18) as i64)
    }

    /// Returns the time in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add for Time {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Time {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Why a text is not a duration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DurationError {
    /// Not a number followed by a unit.
    #[error("expected a number and a unit (ns, us, ms, s, m, h, d, w), such as \"250ms\" or \"1h30m\"")]
    Syntax,
    /// Longer than 290 years or finer than a nanosecond.
    #[error("outside what 64 bits of nanoseconds can hold")]
    Range,
}

const UNITS: [(&str, i64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a duration such as `250ms`, `8h`, `1h30m` or `2.5s`, exactly.
pub fn parse_duration(text: &str) -> Result<Time, DurationError> {
    let mut rest = text.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(DurationError::Syntax);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(DurationError::Syntax)?;
        let letters =
            rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| digits + end);
        let value: rust_decimal::Decimal = rest[..digits].parse().map_err(|_| DurationError::Syntax)?;
        let (_, unit) =
            UNITS.iter().find(|(name, _)| *name == &rest[digits..letters]).ok_or(DurationError::Syntax)?;
        let nanos = value.checked_mul((*unit).into()).ok_or(DurationError::Range)?;
        if !nanos.fract().is_zero() {
            return Err(DurationError::Range);
        }
        let nanos = i64::try_from(nanos).map_err(|_| DurationError::Range)?;
        total = total.checked_add(nanos).ok_or(DurationError::Range)?;
        rest = &rest[letters..];
    }
    Ok(Time(total))
}

/// Writes a duration so that `parse_duration` reads it back: `1h30m`, `250ms`, `0s`.
pub fn format_duration(time: Time) -> String {
    let mut rest = time.0.unsigned_abs();
    let mut text = String::new();
    if time.0 < 0 {
        text.push('-');
    }
    for (name, unit) in UNITS {
        let count = rest.checked_div(unit.unsigned_abs()).expect("a unit is positive");
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(name);
            rest -= count * unit.unsigned_abs();
        }
    }
    if time.0 == 0 {
        text.push_str("0s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_as_floats_are() {
        let rounded = |seconds: f64| libm::rint(seconds * 1e9).clamp(-2.3e18, 2.3e18) as i64;
        let edge = 2_251_799.813_685_248;
        let mut cases =
            vec![0.0, -0.0, 0.5e-9, 1.5e-9, 2.5e-9, -0.5e-9, -1.5e-9, 1e-300, f64::NAN, f64::INFINITY];
        cases.extend([
            edge,
            edge * (1.0 - f64::EPSILON),
            edge * (1.0 + f64::EPSILON),
            1e12,
            f64::NEG_INFINITY,
        ]);
        let mut state = 1_u64;
        for _ in 0..100_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let share = (state >> 11) as f64 / 9_007_199_254_740_992.0;
            cases.push(share * libm::exp2(-40.0 + (state % 64) as f64));
        }
        for seconds in cases {
            for seconds in [seconds, -seconds] {
                assert_eq!(Time::from_secs_f64(seconds), Time(rounded(seconds)), "{seconds:e}");
            }
        }
    }

    #[test]
    fn durations_read_and_write_back() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("8h", 28_800_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("2.5s", 2_500_000_000),
            ("0s", 0),
        ] {
            let time = parse_duration(text).unwrap();
            assert_eq!(time, Time(nanos), "{text}");
            assert_eq!(parse_duration(&format_duration(time)).unwrap(), time, "{text}");
        }
        assert_eq!(format_duration(Time(5_400_000_000_000)), "1h30m");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "5", "h", "5 hours", "-3s", "1e3s", "0.1ns", "99999999999w"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
