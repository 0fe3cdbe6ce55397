//! A checked scenario: everything a run is made from. A value of this type always runs.

use crate::agents::{
    ArbitrageurSpec, BackgroundSpec, FundamentalistSpec, MakerSpec, MetaOrderSpec, RetailSpec,
    SpotHolderSpec, TrendFollowerSpec, UnloadingSpec,
};
use crate::mechanisms::{FundamentalSpec, Mechanism, Mechanisms};
use crate::sampling::LogNormal;
use crate::units::{MarketId, Money, Position, Price, Qty, Side, Time};
use crate::world::WorldSpec;

/// Everything a run is made from, apart from its seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name in files and folders.
    pub name: String,
    /// One line of what it shows.
    pub title: String,
    /// The instant that time zero stands for.
    pub start: jiff::Timestamp,
    /// How long it runs from time zero.
    pub duration: Time,
    /// How long the market runs before time zero, without being recorded.
    pub burn_in: Time,
    /// Time between two rows of the time series.
    pub sample_every: Time,
    /// Rules of assets, venues and markets.
    pub world: WorldSpec,
    /// How each venue's fund unloads what it took over, in the order of venues; `None` where it keeps it.
    pub unloading: Vec<Option<UnloadingSpec>>,
    /// Lots of each market that are held by nobody who trades: hedged positions.
    pub passive: Vec<Qty>,
    /// Fundamental value of each market, in the order of markets.
    pub fundamentals: Vec<FundamentalSpec>,
    /// Levels that rest in the books from the beginning: what validation scenarios state exactly.
    pub levels: Vec<BookLevel>,
    /// Populations in the order of their names.
    pub populations: Vec<Population>,
    /// Positions that are stated one by one.
    pub positions: Vec<ExplicitPosition>,
    /// The timeline, in the order of names.
    pub shocks: Vec<Shock>,
    /// What who has a position at time zero does about a rule that would not let it be opened.
    pub adaptation: Adaptation,
    /// Which mechanisms act.
    pub mechanisms: Mechanisms,
    /// Mechanisms that `run` also switches off, one at a time and paired by seed.
    pub counterfactuals: Vec<Mechanism>,
}

/// What who has a position at time zero does about a margin rule that is tighter than the market's own brackets. Positions are
/// drawn by these in any case, on the same dice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Adaptation {
    /// Keeps the position as it is: the rule binds what is opened later. Maintenance margin is the rule's for everybody.
    Keep,
    /// Has the same position with more margin behind it.
    SameNotional,
    /// Has as large a position as the same margin opens.
    #[default]
    SameEquity,
}

/// Lots that rest at a price from the beginning, as one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookLevel {
    /// Where.
    pub market: MarketId,
    /// Bids or asks.
    pub side: Side,
    /// Ticks.
    pub price: Price,
    /// Lots.
    pub qty: Qty,
}

/// Delay from an agent to its venue, and from the venue's fills to the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latency {
    /// Shortest.
    pub base: Time,
    /// Added on top, uniform from 0, drawn once for all messages of one decision.
    pub jitter: Time,
}

/// One population.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    /// Its name: also the name of its stream of chance.
    pub name: String,
    /// Delay of its messages.
    pub latency: Latency,
    /// What it does.
    pub strategy: PopulationStrategy,
}

/// What a population does.
#[derive(Clone, PartialEq, Debug)]
pub enum PopulationStrategy {
    /// Zero-intelligence flow.
    Background(BackgroundSpec),
    /// Makers of one kind.
    Maker {
        /// How many.
        count: u32,
        /// What each does.
        spec: MakerSpec,
    },
    /// Arbitrageurs of one kind.
    Arbitrageur {
        /// How many.
        count: u32,
        /// What each does.
        spec: ArbitrageurSpec,
    },
    /// Leveraged accounts with the positions they have at the start.
    Retail {
        /// What they do.
        spec: RetailSpec,
        /// What they have.
        seeding: Seeding,
    },
    /// Fundamentalists and dip buyers.
    Fundamentalist(FundamentalistSpec),
    /// Trend followers.
    TrendFollower(TrendFollowerSpec),
    /// Holders of coins.
    Holder(SpotHolderSpec),
}

/// What leveraged accounts have at time zero: survivors of the price path before it.
#[derive(Clone, PartialEq, Debug)]
pub struct Seeding {
    /// How many of the accounts have a long position.
    pub longs: u32,
    /// How many have a short position.
    pub shorts: u32,
    /// Median notional of a position of each leverage, in units of the settlement asset: the margin behind it is this over the
    /// leverage, so that high leverage is small money.
    pub medians: Vec<f64>,
    /// Notional of a position over the median of its leverage.
    pub spread: LogNormal,
    /// Largest notional, in the same units.
    pub notional_cap: f64,
    /// Free balance beside the margin, as a share of it.
    pub spare: f64,
    /// Where the positions were opened.
    pub entries: Entries,
}

/// Where positions were opened.
#[derive(Clone, PartialEq, Debug)]
pub enum Entries {
    /// Around the initial price: standard deviation of the logarithm in hundredths of a percent.
    Spread(f64),
    /// Along a price path: each position was opened at a uniform price within an hour of it, an exponential age ago, and
    /// is here because no later hour touched its liquidation price.
    History {
        /// Hours in ascending order, the last one ending at time zero minus the burn-in: (high, low) in ticks.
        hours: Vec<(Price, Price)>,
        /// Mean age of a position in hours.
        mean_age: f64,
    },
}

/// A position that is stated exactly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExplicitPosition {
    /// Where.
    pub market: MarketId,
    /// Signed lots.
    pub lots: Position,
    /// Ticks.
    pub entry: Price,
    /// Isolated margin behind it.
    pub margin: Money,
    /// Free balance beside it.
    pub cash: Money,
}

/// One entry of the timeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Shock {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ShockKind,
}

/// What a shock is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ShockKind {
    /// A parent order worked off at market.
    MetaOrder(MetaOrderSpec),
    /// The fundamental value jumps.
    FundamentalJump {
        /// Where.
        market: MarketId,
        /// When.
        at: Time,
        /// Relative change in hundredths of a percent, above -10,000.
        bps: f64,
    },
}
