//! The rules of a world as data: markets and venues. They may change during a run.

use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle, Stage};
use crate::market::BookSpec;
use crate::units::{AssetId, MarketId, Money, Price, Rate, VenueId};
use rust_decimal::Decimal;

/// One asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssetSpec {
    /// Its name.
    pub name: String,
    /// Units of money in one whole of it: 1e6 for a stablecoin, 1e8 for a coin.
    pub units_per_coin: i64,
}

/// How a mark is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkRule {
    /// The best bid.
    BestBid,
    /// The last trade.
    Last,
    /// The median of best bid, best ask and last trade.
    Median,
}

/// One market's rules.
#[derive(Clone, PartialEq, Debug)]
pub struct MarketSpec {
    /// Its name in files and tables.
    pub name: String,
    /// Where it is traded.
    pub venue: VenueId,
    /// What is traded.
    pub base: AssetId,
    /// Payoff.
    pub contract: Contract,
    /// One tick in units of the quote currency.
    pub tick: Decimal,
    /// One lot in coins.
    pub lot: Decimal,
    /// The price the run starts from.
    pub initial_price: Price,
    /// How the mark is made.
    pub mark: MarkRule,
    /// Margin.
    pub brackets: Brackets,
    /// The book's own rules.
    pub book: BookSpec,
}

/// Fees as fractions of notional.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeSchedule {
    /// Of the resting order, at least 0.
    pub maker: Rate,
    /// Of the incoming order.
    pub taker: Rate,
}

/// How a venue liquidates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiquidationRules {
    /// When.
    pub breach: Breach,
    /// By what order.
    pub style: LiquidationStyle,
    /// Fee on the liquidated notional, capped at the margin that is left, to the insurance fund.
    pub fee: Rate,
    /// Who bears what the order could not close.
    pub waterfall: Vec<Stage>,
}

/// One venue's rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VenueSpec {
    /// Its name in files and tables.
    pub name: String,
    /// What accounts are settled in.
    pub settlement: AssetId,
    /// Fees.
    pub fees: FeeSchedule,
    /// Liquidation.
    pub liquidation: LiquidationRules,
    /// What the insurance fund starts with.
    pub insurance_fund: Money,
}

/// All rules.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldSpec {
    /// Assets.
    pub assets: Vec<AssetSpec>,
    /// Venues.
    pub venues: Vec<VenueSpec>,
    /// Markets.
    pub markets: Vec<MarketSpec>,
}

impl WorldSpec {
    /// Returns the rules of a market and of its venue.
    pub fn of(&self, market: MarketId) -> (&MarketSpec, &VenueSpec) {
        let market = &self.markets[market.index()];
        (market, &self.venues[market.venue.index()])
    }
}
