//! Purses as the transfers make them, and which roads money may take.

use super::{AuditReport, Problems};
use crate::clearing::{Bracket, Purse, Reason, Transfer};
use crate::units::{AccountId, MarketId};
use std::collections::BTreeMap;

const BILLION: i128 = 1_000_000_000;

/// A fee that the last trade must bring.
#[derive(Clone, Copy, Debug)]
struct FeeDue {
    account: AccountId,
    reason: Reason,
    left: i128,
}

/// All purses.
#[derive(Clone, Debug, Default)]
pub(super) struct Purses {
    all: BTreeMap<Purse, i128>,
    fees_due: Vec<FeeDue>,
    /// What the buyer of the last spot trade owes the seller.
    payment: Option<(AccountId, AccountId, i128)>,
    /// What accounts still owe of the funding that is being paid in a market, below zero where they are owed.
    funding: BTreeMap<(MarketId, AccountId), i128>,
    /// The account whose deficit the fund has just paid a part of.
    covered: Option<AccountId>,
}

impl Purses {
    pub(super) fn get(&self, purse: Purse) -> i128 {
        self.all.get(&purse).copied().unwrap_or(0)
    }

    pub(super) fn margin(&self, account: AccountId, market: MarketId) -> i128 {
        self.get(Purse::Margin(account, market))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Purse, &i128)> {
        self.all.iter()
    }

    /// Notes the fees of a trade (taker, maker): notional times rate, rounded up.
    pub(super) fn expect_fees(&mut self, notional: i128, rates: [(AccountId, i64); 2]) {
        for ((account, rate), reason) in rates.into_iter().zip([Reason::TakerFee, Reason::MakerFee]) {
            let left = ceil(notional.saturating_mul(i128::from(rate)));
            self.fees_due.push(FeeDue { account, reason, left });
        }
    }

    /// Notes what the buyer of coins owes the seller.
    pub(super) fn expect_payment(&mut self, buyer: AccountId, seller: AccountId, amount: i128) {
        self.payment = Some((buyer, seller, amount));
    }

    /// Notes what accounts owe of a funding payment.
    pub(super) fn expect_funding(&mut self, market: MarketId, owed: impl Iterator<Item = (AccountId, i128)>) {
        self.funding.extend(owed.map(|(account, amount)| ((market, account), amount)));
    }

    /// Checks that the fees of the last trade were paid, in full or until the account had nothing beyond what may back its
    /// resting orders, which are worth `resting`.
    pub(super) fn settle_up(&mut self, resting: impl Fn(AccountId) -> i128, problems: &mut Problems) {
        self.covered = None;
        let payment = self.payment.take();
        problems.require(payment.is_none(), || format!("coins are not paid for: {payment:?}"));
        let unpaid = self.funding.iter().find(|(_, amount)| **amount != 0);
        problems.require(unpaid.is_none(), || format!("funding is not paid: {unpaid:?}"));
        self.funding.clear();
        while let Some(fee) = self.fees_due.pop() {
            let cash = self.get(Purse::Cash(fee.account));
            let is_paid = fee.left == 0 || (fee.left > 0 && (cash <= 0 || cash <= resting(fee.account)));
            problems.require(is_paid, || {
                format!(
                    "account {} still owes {} of a {:?} and has {cash}",
                    fee.account, fee.left, fee.reason
                )
            });
        }
    }

    /// Moves money. `forced` is the position that is being liquidated.
    pub(super) fn transfer(
        &mut self,
        transfer: &Transfer,
        forced: Option<(AccountId, MarketId)>,
        report: &mut AuditReport,
        problems: &mut Problems,
    ) {
        let Transfer { from, to, amount, reason } = *transfer;
        let is_road = is_road(transfer);
        problems.require(is_road, || format!("{amount} of {reason:?} from {from:?} to {to:?}"));
        *self.all.entry(from).or_default() -= i128::from(amount.0);
        *self.all.entry(to).or_default() += i128::from(amount.0);
        let (left, arrived) = (self.get(from), self.get(to));
        let is_backed = match from {
            // Funding is owed whatever is left, and a margin below zero is in breach.
            Purse::Fund(_) | Purse::Margin(..) => left >= 0 || reason == Reason::Funding,
            Purse::Cash(_) => !matches!(reason, Reason::InitialMargin | Reason::TopUp) || left >= 0,
            Purse::External | Purse::Clearing(_) | Purse::Fees(_) | Purse::Uncovered(_) => true,
        };
        problems.require(is_backed, || format!("{from:?} is at {left} after {reason:?}"));
        match (reason, from, to) {
            (Reason::TakerFee | Reason::MakerFee, Purse::Cash(account) | Purse::Margin(account, _), _) => {
                self.pay_fee(account, reason, i128::from(amount.0), problems);
            }
            (Reason::SpotPayment, Purse::Cash(buyer), Purse::Cash(seller)) => {
                let due = self.payment.take();
                problems.require(due == Some((buyer, seller, i128::from(amount.0))), || {
                    format!("account {buyer} pays {seller} {amount} for coins, not {due:?}")
                });
            }
            (Reason::Funding, Purse::Cash(account) | Purse::Margin(account, _), Purse::Clearing(market)) => {
                *self.funding.entry((market, account)).or_default() -= i128::from(amount.0);
            }
            (Reason::Funding, Purse::Clearing(market), Purse::Cash(account)) => {
                *self.funding.entry((market, account)).or_default() += i128::from(amount.0);
            }
            (Reason::LiquidationFee, Purse::Margin(account, market), _) => {
                problems.require(forced == Some((account, market)), || {
                    format!("account {account} pays for a liquidation that is not")
                });
            }
            (Reason::FundCover, _, Purse::Margin(account, _)) => {
                report.covered += 1;
                problems.require(arrived <= 0, || format!("the fund pays account {account} too much"));
                self.covered = Some(account);
            }
            (Reason::UncoveredLoss, _, Purse::Margin(account, _)) => {
                report.uncovered += 1;
                problems.require(arrived == 0, || format!("account {account} is left with {arrived}"));
                if self.covered == Some(account) {
                    let Purse::Uncovered(venue) = from else { return };
                    let fund = self.get(Purse::Fund(venue));
                    problems.require(fund == 0, || format!("a loss stays open while the fund has {fund}"));
                }
            }
            _ => {}
        }
    }

    fn pay_fee(&mut self, account: AccountId, reason: Reason, amount: i128, problems: &mut Problems) {
        let due = self.fees_due.iter_mut().find(|fee| fee.account == account && fee.reason == reason);
        let is_due = due.is_some_and(|fee| {
            fee.left -= amount;
            fee.left >= 0
        });
        problems.require(is_due, || format!("account {account} pays a {reason:?} that it does not owe"));
    }
}

/// Tells whether money may take this road for this reason.
fn is_road(transfer: &Transfer) -> bool {
    let Transfer { from, to, amount, reason } = *transfer;
    let is_own = match (from, to) {
        (Purse::Cash(account), Purse::Margin(other, _)) | (Purse::Margin(account, _), Purse::Cash(other)) => {
            account == other
        }
        _ => false,
    };
    let has_road = match reason {
        Reason::Deposit => from == Purse::External && matches!(to, Purse::Cash(_) | Purse::Fund(_)),
        Reason::InitialMargin | Reason::TopUp => is_own && matches!(from, Purse::Cash(_)),
        Reason::SpotPayment => matches!(from, Purse::Cash(_)) && matches!(to, Purse::Cash(_)),
        Reason::Funding => match (from, to) {
            (Purse::Margin(_, other), Purse::Clearing(market)) => market == other,
            (Purse::Cash(_), Purse::Clearing(_)) | (Purse::Clearing(_), Purse::Cash(_)) => true,
            _ => false,
        },
        Reason::FundTrading => {
            matches!((from, to), (Purse::Cash(_), Purse::Fund(_)) | (Purse::Fund(_), Purse::Cash(_)))
        }
        Reason::MarginRelease => is_own && matches!(from, Purse::Margin(..)),
        Reason::RealizedPnl => match (from, to) {
            (Purse::Clearing(market), Purse::Margin(_, other)) => market == other,
            (Purse::Clearing(_), Purse::Cash(_)) => true,
            _ => false,
        },
        Reason::TakerFee | Reason::MakerFee => {
            matches!(from, Purse::Cash(_) | Purse::Margin(..)) && matches!(to, Purse::Fees(_))
        }
        Reason::LiquidationFee => matches!(from, Purse::Margin(..)) && matches!(to, Purse::Fund(_)),
        Reason::FundCover => matches!(from, Purse::Fund(_)) && matches!(to, Purse::Margin(..)),
        Reason::UncoveredLoss => matches!(from, Purse::Uncovered(_)) && matches!(to, Purse::Margin(..)),
    };
    has_road && amount.0 != 0 && (amount.0 > 0 || reason == Reason::RealizedPnl)
}

/// Returns the maintenance margin by the published formula: notional times the bracket's rate minus its continuity amount
/// `cum_n = cum_{n-1} + floor_n * (rate_n - rate_{n-1})`, rounded up.
pub(super) fn maintenance(rows: &[Bracket], notional: i128) -> i128 {
    let (mut rate, mut cum) = (0, 0);
    for row in rows {
        let (floor, next) = (i128::from(row.floor.0), i128::from(row.maintenance.0));
        if floor > 0 && floor >= notional {
            break;
        }
        cum += floor * (next - rate);
        rate = next;
    }
    ceil(notional.saturating_mul(rate).saturating_sub(cum))
}

/// Divides by the unit of rates, rounded up.
fn ceil(scaled: i128) -> i128 {
    scaled.div_euclid(BILLION) + i128::from(scaled.rem_euclid(BILLION) > 0)
}
