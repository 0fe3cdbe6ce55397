//! The arms of a design: how a cell differs from its point, apart from the values that are varied.

use crate::mechanisms::Mechanism;
use crate::scenario::{PopulationStrategy, Scenario};

/// How a cell differs from the scenario of its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    /// Not at all.
    Base,
    /// A mechanism is switched off.
    Without(Mechanism),
    /// Every leveraged population has leverage 1, at the same notional.
    Unlevered,
}

impl Arm {
    /// Returns its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Without(mechanism) => mechanism.name(),
            Self::Unlevered => "unlevered",
        }
    }

    /// Returns the scenario of the arm.
    pub(super) fn of(self, scenario: &Scenario) -> Scenario {
        match self {
            Self::Base => scenario.clone(),
            Self::Without(mechanism) => {
                let mechanisms = scenario.mechanisms.with(mechanism, false);
                Scenario { mechanisms, ..scenario.clone() }
            }
            Self::Unlevered => without_leverage(scenario),
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
                spec.leverages = vec![1];
                spec.weights = vec![1.0];
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
                assert_eq!(spec.leverages, [1]);
            }
        }
        assert_eq!((&unlevered.world, &unlevered.shocks), (&leveraged.world, &leveraged.shocks));
        assert_eq!(Arm::Base.of(&leveraged), leveraged);
    }
}
