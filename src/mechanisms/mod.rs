//! What else acts: the mechanisms that can be switched off by name, and the fundamental value.

use crate::units::Time;

/// A channel of the model that can be switched off without touching others and without changing any draw.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mechanism {
    /// Positions below maintenance margin are sold out.
    ForcedLiquidation,
    /// The insurance fund covers deficits and takes positions over.
    InsuranceFund,
    /// Opposite positions are deleveraged.
    Adl,
    /// Makers take their quotes away when the price runs.
    MakerWithdrawal,
    /// Makers lay perpetual inventory off on spot.
    Hedging,
    /// Arbitrageurs keep perpetual and spot together.
    Arbitrage,
    /// Longs and shorts pay each other funding.
    Funding,
    /// Retail positions have stop-loss orders.
    StopLoss,
    /// Retail closes sooner when it loses.
    Panic,
}

impl Mechanism {
    /// All mechanisms, in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::ForcedLiquidation,
        Self::InsuranceFund,
        Self::Adl,
        Self::MakerWithdrawal,
        Self::Hedging,
        Self::Arbitrage,
        Self::Funding,
        Self::StopLoss,
        Self::Panic,
    ];
    /// Their names in files and on the command line, in the same order.
    pub const NAMES: [&'static str; 9] = [
        "forced_liquidation",
        "insurance_fund",
        "adl",
        "maker_withdrawal",
        "hedging",
        "arbitrage",
        "funding",
        "stop_loss",
        "panic",
    ];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Finds a mechanism by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Returns what it does, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ForcedLiquidation => {
                "positions below maintenance margin are sold out; off, credit is extended"
            }
            Self::InsuranceFund => "the insurance fund covers deficits and takes positions over",
            Self::Adl => "opposite positions are deleveraged against bankrupt ones",
            Self::Hedging => "makers lay perpetual inventory off on spot",
            Self::Arbitrage => "arbitrageurs keep perpetual and spot together",
            Self::Funding => "longs and shorts pay each other funding",
            Self::StopLoss => "retail positions have stop-loss orders",
            Self::Panic => "retail closes sooner when it loses",
            Self::MakerWithdrawal => "makers take their quotes away when the price runs",
        }
    }
}

/// Which mechanisms act.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mechanisms {
    on: [bool; Mechanism::ALL.len()],
}

impl Default for Mechanisms {
    fn default() -> Self {
        Self::ALL_ON
    }
}

impl Mechanisms {
    /// Every mechanism acts.
    pub const ALL_ON: Self = Self { on: [true; Mechanism::ALL.len()] };

    /// Tells whether a mechanism acts.
    pub fn has(self, mechanism: Mechanism) -> bool {
        self.on[mechanism as usize]
    }

    /// Switches a mechanism on or off.
    #[must_use]
    pub fn with(mut self, mechanism: Mechanism, on: bool) -> Self {
        self.on[mechanism as usize] = on;
        self
    }
}

/// The fundamental value of a market: a random walk of its logarithm.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FundamentalSpec {
    /// Standard deviation of the logarithm per square root of an hour; 0 for a constant value.
    pub volatility: f64,
    /// Time between two moves.
    pub step: Time,
}
