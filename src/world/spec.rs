//! The rules of a world as data: markets and venues. They may change during a run.

use super::safeguards::Safeguards;
use crate::clearing::waterfall::AdlRank;
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle, Stage};
use crate::market::BookSpec;
use crate::units::{AssetId, MarketId, Money, Price, Qty, Rate, Time, VenueId};
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
    /// The median of the index with accrued funding, the index with the mean premium of late, and the last trade: Binance's
    /// rule (mark price and price index, USD-M futures). For markets with an index.
    Index,
}

/// What a market's index is made from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct IndexSpec {
    /// The spot market whose middle it is.
    pub source: MarketId,
    /// Ticks of this market in half a tick of the source.
    pub half_tick: f64,
}

/// How longs and shorts of a perpetual pay each other.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FundingSpec {
    /// Time between two payments.
    pub interval: Time,
    /// The first one from the start of the run on.
    pub first: Time,
    /// Interest part of the rate.
    pub interest: f64,
    /// Most that interest may add to or take from the premium.
    pub clamp: f64,
    /// Largest size of the rate.
    pub cap: f64,
    /// Lots whose average execution price the premium is measured at.
    pub impact: Qty,
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
    /// Where its index comes from; `None` for a market without one.
    pub index: Option<IndexSpec>,
    /// How funding is paid; `None` where it is not.
    pub funding: Option<FundingSpec>,
    /// Half-life of the average that `View::volatility` reads; zero where nobody reads it.
    pub volatility_half_life: Time,
    /// Length of the longer returns that the average looks at beside those of one observation; zero for none.
    pub volatility_horizon: Time,
    /// What the venue has added.
    pub safeguards: Safeguards,
}

impl MarketSpec {
    /// Returns the brackets without the rule that a policy may have put on them.
    pub fn own_brackets(&self) -> &Brackets {
        self.safeguards.own_brackets.as_ref().unwrap_or(&self.brackets)
    }
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
    /// Who is deleveraged first.
    pub rank: AdlRank,
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
    /// Returns the markets whose index comes from this one.
    pub fn followers(&self, source: MarketId) -> Vec<MarketId> {
        let follows = |market: &MarketSpec| market.index.is_some_and(|index| index.source == source);
        (0..)
            .map(MarketId)
            .zip(&self.markets)
            .filter(|(_, market)| follows(market))
            .map(|(id, _)| id)
            .collect()
    }

    /// Tells whether orders in any market have to be looked at before they go to the book.
    pub(super) fn guard_orders(&self) -> bool {
        self.markets.iter().any(|market| market.safeguards.guard_orders())
    }

    /// Returns the rules of a market and of its venue.
    pub fn of(&self, market: MarketId) -> (&MarketSpec, &VenueSpec) {
        let market = &self.markets[market.index()];
        (market, &self.venues[market.venue.index()])
    }
}
