//! The arms of a design: how a cell differs from its point, apart from the values that are varied.

use crate::mechanisms::Mechanism;
use crate::scenario::{PopulationStrategy, Scenario};
use crate::units::Time;
use std::borrow::Cow;

/// How a cell differs from the scenario of its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    /// Not at all.
    Base,
    /// A mechanism is switched off.
    Without(Mechanism),
    /// Every leveraged population has leverage 1, at the same notional.
    Unlevered,
    /// Nothing happens on the timeline.
    Calm,
    /// Nothing happens on the timeline, for so long: calm is as it is after an hour as after many.
    CalmFor(Time),
    /// Nothing happens on the timeline, and a mechanism is switched off.
    CalmWithout(Mechanism),
}

/// How the names of arms of both kinds begin.
const CALM_WITHOUT: &str = "calm-";

impl Arm {
    /// Returns its name in tables.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Base => "base".into(),
            Self::Without(mechanism) => mechanism.name().into(),
            Self::Unlevered => "unlevered".into(),
            Self::Calm | Self::CalmFor(_) => "calm".into(),
            Self::CalmWithout(mechanism) => format!("{CALM_WITHOUT}{}", mechanism.name()).into(),
        }
    }

    /// Returns the names of the arms that a study may ask for.
    pub fn names() -> Vec<String> {
        let without = Mechanism::ALL.map(|mechanism| Self::Without(mechanism).name().into_owned());
        let calm = Mechanism::ALL.map(|mechanism| Self::CalmWithout(mechanism).name().into_owned());
        without.into_iter().chain(["calm".to_owned()]).chain(calm).collect()
    }

    /// Returns the arm of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "calm" {
            return Some(Self::Calm);
        }
        match name.strip_prefix(CALM_WITHOUT) {
            Some(mechanism) => Mechanism::from_name(mechanism).map(Self::CalmWithout),
            None => Mechanism::from_name(name).map(Self::Without),
        }
    }

    /// Returns the scenario of the arm.
    pub(super) fn of(self, scenario: &Scenario) -> Scenario {
        let without = |mechanism| scenario.mechanisms.with(mechanism, false);
        match self {
            Self::Base => scenario.clone(),
            Self::Without(mechanism) => Scenario { mechanisms: without(mechanism), ..scenario.clone() },
            Self::Unlevered => without_leverage(scenario),
            Self::Calm => Scenario { shocks: Vec::new(), ..scenario.clone() },
            Self::CalmFor(duration) => Scenario { shocks: Vec::new(), duration, ..scenario.clone() },
            Self::CalmWithout(mechanism) => {
                Scenario { shocks: Vec::new(), mechanisms: without(mechanism), ..scenario.clone() }
            }
        }
    }
}

/// Returns a scenario in which everybody who chooses a leverage chooses 1. Notionals are stated whatever the leverage, so they
/// stay; what is behind them grows.
fn without_leverage(scenario: &Scenario) -> Scenario {
    let mut unlevered = scenario.clone();
    for population in &mut unlevered.populations {
        match &mut population.strategy {
            PopulationStrategy::Retail { spec, .. } => {
                spec.leverages.fill(1);
            }
            PopulationStrategy::TrendFollower(spec) => {
                spec.capital *= f64::from(spec.leverage);
                spec.leverage = 1;
            }
            PopulationStrategy::Background(_)
            | PopulationStrategy::Maker { .. }
            | PopulationStrategy::Arbitrageur { .. }
            | PopulationStrategy::Holder(_)
            | PopulationStrategy::Fundamentalist(_) => {}
        }
    }
    unlevered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, check, shipped};

    #[test]
    fn without_leverage_everybody_has_one_and_the_rest_stays() {
        let text = shipped::find("long-squeeze").unwrap().text;
        let leveraged = check(&Document::parse("a", text.as_bytes()).unwrap(), "a").unwrap();
        let unlevered = Arm::Unlevered.of(&leveraged);
        assert_ne!(unlevered, leveraged);
        assert_eq!(Arm::Unlevered.of(&unlevered), unlevered);
        for population in &unlevered.populations {
            if let PopulationStrategy::Retail { spec, .. } = &population.strategy {
                assert!(spec.leverages.iter().all(|leverage| *leverage == 1));
            }
        }
        assert_eq!((&unlevered.world, &unlevered.shocks), (&leveraged.world, &leveraged.shocks));
        assert_eq!(Arm::Base.of(&leveraged), leveraged);
        let calm = Scenario { shocks: Vec::new(), ..leveraged.clone() };
        assert_eq!(Arm::Calm.of(&leveraged), calm);
        let minute = Time(60 * Time::SECOND.0);
        assert_eq!(Arm::CalmFor(minute).of(&leveraged), Scenario { duration: minute, ..calm });
    }

    #[test]
    fn arms_are_known_by_their_names() {
        let names = Arm::names();
        assert_eq!(names.len(), 2 * Mechanism::ALL.len() + 1);
        for name in &names {
            assert_eq!(Arm::from_name(name).map(Arm::name).as_deref(), Some(name.as_str()));
        }
        assert_eq!(Arm::from_name("calm-adl"), Some(Arm::CalmWithout(Mechanism::Adl)));
        assert_eq!(Arm::from_name("calm-"), None);
    }
}
