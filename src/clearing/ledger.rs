//! The ledger: every movement of money is a transfer from one purse to another with a reason; only totals are stored.

use crate::units::{AccountId, MarketId, Money, VenueId};

/// A place where money lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purse {
    /// The world outside: deposits come from here, so its balance is minus everything that is inside.
    External,
    /// An account's free balance.
    Cash(AccountId),
    /// The isolated margin of an account's position.
    Margin(AccountId, MarketId),
    /// The clearing house's variation pool of a market: minus the sum of all costs, always.
    Clearing(MarketId),
    /// The insurance fund of a venue.
    Fund(VenueId),
    /// The fees a venue has earned.
    Fees(VenueId),
    /// Losses that nobody could bear: its balance is minus the bad debt.
    Uncovered(VenueId),
}

/// Why money moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// Money that comes in at the start of a run.
    Deposit,
    /// Cash that becomes the margin of a position.
    InitialMargin,
    /// Margin that becomes cash again.
    MarginRelease,
    /// Profit or loss realised by closing lots.
    RealizedPnl,
    /// Fee of the incoming order.
    TakerFee,
    /// Fee of the resting order.
    MakerFee,
    /// Fee of a liquidation, to the fund.
    LiquidationFee,
    /// What the fund pays for a position that lost more than its margin.
    FundCover,
    /// What nobody could pay.
    UncoveredLoss,
    /// What the buyer of coins pays the seller.
    SpotPayment,
    /// What one side of a perpetual pays the other.
    Funding,
    /// Cash that is put behind an open position.
    TopUp,
    /// What the fund's account made or lost with the positions that it took over.
    FundTrading,
}

impl Reason {
    /// All reasons, in the order in which they are numbered on the tape.
    pub const ALL: [Self; 13] = [
        Self::Deposit,
        Self::InitialMargin,
        Self::MarginRelease,
        Self::RealizedPnl,
        Self::TakerFee,
        Self::MakerFee,
        Self::LiquidationFee,
        Self::FundCover,
        Self::UncoveredLoss,
        Self::SpotPayment,
        Self::Funding,
        Self::TopUp,
        Self::FundTrading,
    ];

    /// Returns the reason's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::InitialMargin => "initial_margin",
            Self::MarginRelease => "margin_release",
            Self::RealizedPnl => "realized_pnl",
            Self::TakerFee => "taker_fee",
            Self::MakerFee => "maker_fee",
            Self::LiquidationFee => "liquidation_fee",
            Self::FundCover => "fund_cover",
            Self::UncoveredLoss => "uncovered_loss",
            Self::SpotPayment => "spot_payment",
            Self::Funding => "funding",
            Self::TopUp => "top_up",
            Self::FundTrading => "fund_trading",
        }
    }
}

/// One movement of money.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Transfer {
    /// Where it leaves.
    pub from: Purse,
    /// Where it arrives.
    pub to: Purse,
    /// How much; negative amounts flow the other way (a realised loss).
    pub amount: Money,
    /// Why.
    pub reason: Reason,
}

/// Balances of the purses that are not accounts, and totals by reason.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Money from outside so far.
    pub external: i128,
    /// Variation pool by market.
    pub clearing: Vec<i128>,
    /// Insurance fund by venue.
    pub fund: Vec<Money>,
    /// Fees by venue.
    pub fees: Vec<Money>,
    /// Minus the bad debt by venue.
    pub uncovered: Vec<Money>,
    totals: [i128; Reason::ALL.len()],
    counts: [u64; Reason::ALL.len()],
}

impl Ledger {
    /// Makes an empty ledger.
    pub fn new(venues: usize, markets: usize) -> Self {
        Self {
            clearing: vec![0; markets],
            fund: vec![Money::ZERO; venues],
            fees: vec![Money::ZERO; venues],
            uncovered: vec![Money::ZERO; venues],
            ..Self::default()
        }
    }

    /// Returns the sum of all amounts moved for a reason, signed.
    pub fn total(&self, reason: Reason) -> i128 {
        self.totals[reason as usize]
    }

    /// Returns how many transfers there were for a reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize]
    }

    /// Counts a transfer under its reason.
    #[inline]
    pub fn note(&mut self, transfer: &Transfer) {
        self.totals[transfer.reason as usize] += i128::from(transfer.amount.0);
        let count = &mut self.counts[transfer.reason as usize];
        *count = count.wrapping_add(1);
    }

    /// Returns everything in the purses that are not accounts, except the outside.
    pub fn inside(&self) -> i128 {
        let venues =
            self.fund.iter().chain(&self.fees).chain(&self.uncovered).map(|money| i128::from(money.0));
        venues.sum::<i128>() + self.clearing.iter().sum::<i128>()
    }
}
