//! Activity that responds to volatility: how much faster than usual a clock runs, so that volume rises in a crash.
//!
//! A clock of people who are modelled one by one ticks at its highest rate for ever, and each tick counts with probability multiplier / highest. So
//! two runs that differ in a mechanism have the same ticks, whatever their prices do. Volatility is sampled every
//! `OBSERVED_EVERY`; until the next sample the multiplier is known, and ticks that do not count are passed over without waking
//! anybody. The first tick beyond it is decided when it comes.

use super::View;
use crate::units::{MarketId, Time};
use crate::world::OBSERVED_EVERY;

/// How a rate rises with volatility: `clamp((volatility / reference)^exponent, 1, cap)`, a capped multiplier in place of a
/// self-exciting process.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Activity {
    /// Volatility up to which nothing rises: standard deviation of the logarithm per square root of an hour, above 0.
    pub reference: f64,
    /// Exponent of the response, at least 0.
    pub exponent: f64,
    /// Highest multiplier, at least 1.
    pub cap: f64,
}

impl Activity {
    /// Does not respond.
    pub const STEADY: Self = Self { reference: 1.0, exponent: 0.0, cap: 1.0 };

    /// Returns the highest multiplier there can be.
    pub fn highest(&self) -> f64 {
        if self.exponent > 0.0 { self.cap.max(1.0) } else { 1.0 }
    }

    /// Returns the multiplier at a volatility.
    pub fn multiplier(&self, volatility: f64) -> f64 {
        let highest = self.highest();
        if highest > 1.0 {
            libm::pow(volatility / self.reference, self.exponent).clamp(1.0, highest)
        } else {
            1.0
        }
    }

    /// Returns the multiplier of this moment in a market.
    pub(super) fn now(&self, view: &View<'_>, market: MarketId) -> f64 {
        if self.highest() > 1.0 { self.multiplier(view.volatility(market)) } else { 1.0 }
    }
}

/// Returns for how long volatility stays as it is, in seconds.
pub(super) fn known_for(now: Time) -> f64 {
    (OBSERVED_EVERY - Time(now.0.rem_euclid(OBSERVED_EVERY.0))).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_multiplier_rises_from_one_at_the_reference_to_the_cap() {
        let activity = Activity { reference: 0.004, exponent: 2.0, cap: 20.0 };
        for (volatility, multiplier) in
            [(0.0, 1.0), (0.001, 1.0), (0.004, 1.0), (0.008, 4.0), (0.012, 9.0), (0.1, 20.0)]
        {
            let found = activity.multiplier(volatility);
            assert!((found - multiplier).abs() < 1e-9, "{volatility}: {found}");
        }
    }

    #[test]
    fn without_exponent_or_cap_nothing_responds() {
        for activity in [
            Activity::STEADY,
            Activity { reference: 0.001, exponent: 0.0, cap: 20.0 },
            Activity { reference: 0.001, exponent: 1.0, cap: 1.0 },
        ] {
            assert_eq!(activity.multiplier(1.0).to_bits(), 1.0_f64.to_bits());
            assert_eq!(activity.highest().to_bits(), 1.0_f64.to_bits());
        }
    }

    #[test]
    fn volatility_is_known_until_the_next_whole_multiple_of_the_sampling_time() {
        for (now, left) in [(-7, 2.0), (-5, 5.0), (0, 5.0), (4, 1.0), (5, 5.0)] {
            assert_eq!(known_for(Time(now * Time::SECOND.0)).to_bits(), f64::to_bits(left), "{now}");
        }
    }
}
