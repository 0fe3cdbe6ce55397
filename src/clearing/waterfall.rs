//! Who bears what a liquidation could not: the insurance fund, the deleveraging queue, nobody. Pure decisions.

use crate::units::{Money, Qty, Rounding, div_round};

/// One stage of the waterfall, in the order in which the venue lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The fund takes the rest of the position over at the bankruptcy price if it can bear the loss at the mark.
    InsuranceFund,
    /// Opposite positions are reduced at the bankruptcy price, by rank.
    AutoDeleverage,
}

/// Splits a deficit into what the fund pays and what stays uncovered.
pub fn cover(deficit: Money, fund: Money) -> (Money, Money) {
    let paid = deficit.min(fund.max(Money::ZERO));
    (paid, deficit - paid)
}

/// Tells whether a fund can take a position over: its balance bears the loss it would have at the mark.
pub fn can_take_over(fund: Money, value_at_mark: Money, takeover_cost: Money) -> bool {
    fund + value_at_mark - takeover_cost >= Money::ZERO
}

/// Who is deleveraged first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AdlRank {
    /// Profit share times effective leverage, divided by it for a loss (BitMEX's published rule: PnL% * effective leverage,
    /// effective leverage = notional / equity).
    #[default]
    Bitmex,
    /// `[max(0, uPnL) / max(1, WB)] * [MM / (WB + uPnL)]` (Binance, auto-deleveraging protocols, 2026): profit over what is
    /// behind the position, times the margin ratio.
    Binance,
}

/// What the deleveraging rank is made from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Standing {
    /// Unrealised profit at the mark.
    pub unrealized: Money,
    /// Entry value without its sign.
    pub entry_value: Money,
    /// Notional at the mark.
    pub notional: Money,
    /// Equity behind the position at the mark.
    pub equity: Money,
    /// Maintenance margin at the mark.
    pub maintenance: Money,
}

impl Standing {
    /// Returns the rank; higher is deleveraged first.
    pub fn score(&self, rank: AdlRank) -> f64 {
        match rank {
            AdlRank::Bitmex => self.bitmex(),
            AdlRank::Binance => {
                let balance = self.equity - self.unrealized;
                let profit = self.unrealized.0.max(0) as f64 / balance.0.max(1) as f64;
                profit * (self.maintenance.0 as f64 / self.equity.0.max(1) as f64)
            }
        }
    }

    fn bitmex(&self) -> f64 {
        let share = self.unrealized.0 as f64 / (self.entry_value.0.max(1)) as f64;
        let leverage = self.notional.0 as f64 / (self.equity.0.max(1)) as f64;
        if share >= 0.0 { share * leverage } else { share / leverage.max(f64::MIN_POSITIVE) }
    }
}

/// Chooses who is deleveraged: by descending score, earlier candidates first at equal scores, each at most its size.
/// Returns (index of the candidate, lots) in the order of execution; the lots sum to `qty` unless sizes do not suffice.
pub fn deleverage_queue(candidates: &[(Qty, f64)], qty: Qty) -> Vec<(usize, Qty)> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| candidates[b].1.total_cmp(&candidates[a].1).then(a.cmp(&b)));
    let mut left = qty;
    let mut chosen = Vec::new();
    for index in order {
        let take = candidates[index].0.min(left);
        if left.is_zero() {
            break;
        }
        if !take.is_zero() {
            chosen.push((index, take));
            left -= take;
        }
    }
    chosen
}

/// Splits a value over parts in proportion to their sizes, so that the parts sum to it to the unit (cumulative rounding).
pub fn split_value(value: Money, parts: &[Qty]) -> Vec<Money> {
    let total: i128 = parts.iter().map(|part| i128::from(part.0)).sum();
    let (mut seen, mut given) = (0_i128, 0_i64);
    parts
        .iter()
        .map(|part| {
            seen += i128::from(part.0);
            let upto = div_round(i128::from(value.0) * seen, total, Rounding::Floor);
            let share = upto - given;
            given = upto;
            Money(share)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_takes_the_highest_scores_first() {
        // The worked example of BitMEX's ADL page: the second closes 10 and the fifth closes 10.
        let scores = [(10, 3.0), (10, 6.0), (20, 1.0), (30, 4.0), (20, 5.0), (10, 2.0)];
        let candidates: Vec<_> = scores.iter().map(|&(qty, score)| (Qty(qty), score)).collect();
        assert_eq!(deleverage_queue(&candidates, Qty(20)), vec![(1, Qty(10)), (4, Qty(10))]);
    }

    #[test]
    fn the_queue_never_takes_more_than_there_is() {
        let candidates = [(Qty(3), 1.0), (Qty(0), 9.0), (Qty(2), 1.0)];
        assert_eq!(deleverage_queue(&candidates, Qty(10)), vec![(0, Qty(3)), (2, Qty(2))]);
    }

    #[test]
    fn parts_of_a_value_sum_to_it() {
        for value in [100, 101, -101, 7, 0] {
            let parts = split_value(Money(value), &[Qty(3), Qty(3), Qty(1)]);
            assert_eq!(parts.iter().copied().sum::<Money>(), Money(value));
        }
    }

    #[test]
    fn a_fund_pays_what_it_has_and_the_rest_is_named() {
        assert_eq!(cover(Money(10), Money(10)), (Money(10), Money(0)));
        assert_eq!(cover(Money(11), Money(10)), (Money(10), Money(1)));
        assert_eq!(cover(Money(1), Money(0)), (Money(0), Money(1)));
    }

    #[test]
    fn a_fund_takes_over_what_it_can_bear_to_the_unit() {
        assert!(can_take_over(Money(5), Money(95), Money(100)));
        assert!(!can_take_over(Money(4), Money(95), Money(100)));
    }

    #[test]
    fn profit_is_weighed_with_leverage_and_loss_against_it() {
        let standing = |unrealized, equity| Standing {
            unrealized: Money(unrealized),
            entry_value: Money(100),
            notional: Money(100),
            equity: Money(equity),
            maintenance: Money(5),
        };
        let score = |unrealized, equity| standing(unrealized, equity).score(AdlRank::Bitmex);
        assert!(score(10, 10) > score(10, 50));
        assert!(score(-10, 10) > score(-10, 50));
        assert!(score(1, 50) > score(-1, 10));
    }

    #[test]
    fn binance_ranks_by_profit_over_balance_and_margin_ratio() {
        let score = |unrealized: i64, balance: i64, maintenance: i64| {
            let (unrealized, maintenance) = (Money(unrealized), Money(maintenance));
            let equity = Money(balance) + unrealized;
            let (entry_value, notional) = (Money(1_000), Money(1_000));
            Standing { unrealized, entry_value, notional, equity, maintenance }.score(AdlRank::Binance)
        };
        // 50 of profit on a balance of 100, maintenance 6: .5 * 6 / 150.
        assert!((score(50, 100, 6) - 0.5 * 6.0 / 150.0).abs() < 1e-15);
        // A loss is not deleveraged before anybody; a balance of nothing counts as one unit.
        assert_eq!(score(-50, 100, 6).to_bits(), 0.0_f64.to_bits());
        assert!((score(3, 0, 6) - 3.0 * 6.0 / 3.0).abs() < 1e-15);
    }
}
