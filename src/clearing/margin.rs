//! Margin rules: brackets of maintenance margin with their continuity amounts, and initial margin. Pure decisions.

use crate::units::{Money, Rate, Rounding, div_round, mul_div};

/// One bracket of notional.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bracket {
    /// Smallest notional of the bracket.
    pub floor: Money,
    /// Maintenance rate within it.
    pub maintenance: Rate,
    /// Highest leverage a position within it may be opened with.
    pub max_leverage: u16,
    /// Continuity amount `cum_n = cum_{n-1} + floor_n * (mmr_n - mmr_{n-1})`, in money times 1e9, exact.
    pub(crate) cum: i128,
}

/// What a policy makes of a market's own brackets: one bracket for all, higher maintenance, a highest leverage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarginRule {
    /// The first bracket holds for every notional.
    pub is_flat: bool,
    /// Times this are the maintenance rates, at least 0.
    pub maintenance_factor: Rate,
    /// Highest leverage of any bracket, at least 1.
    pub max_leverage: u16,
}

impl MarginRule {
    /// Leaves every bracket as it is; no bracket may have a higher leverage than this.
    pub const NONE: Self = Self { is_flat: false, maintenance_factor: Rate(Rate::ONE), max_leverage: 1_000 };
}

/// The brackets of a market in ascending order; a flat rule is one bracket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brackets {
    brackets: Vec<Bracket>,
    /// Largest notional a position may have.
    cap: Money,
}

impl Brackets {
    /// Makes brackets from (floor, maintenance rate, highest leverage) in ascending order, and the largest notional.
    ///
    /// # Panics
    /// Panics unless the first floor is 0, floors ascend below the cap, rates do not fall, leverages do not rise and each
    /// maintenance rate is at most the initial rate at the bracket's highest leverage: the scenario check refuses such
    /// rules with a position.
    pub fn new(rows: &[(Money, Rate, u16)], cap: Money) -> Self {
        assert!(!rows.is_empty() && rows[0].0 == Money::ZERO, "the first bracket starts at 0");
        let mut brackets: Vec<Bracket> = Vec::with_capacity(rows.len());
        for &(floor, maintenance, max_leverage) in rows {
            let cum = brackets.last().map_or(0, |last| {
                assert!(floor > last.floor, "floors ascend");
                assert!(maintenance >= last.maintenance && max_leverage <= last.max_leverage, "rates ascend");
                last.cum + i128::from(floor.0) * i128::from(maintenance.0 - last.maintenance.0)
            });
            assert!(max_leverage >= 1, "leverage is at least 1");
            assert!(
                maintenance.0 * i64::from(max_leverage) <= Rate::ONE,
                "maintenance margin is at most initial margin"
            );
            brackets.push(Bracket { floor, maintenance, max_leverage, cum });
        }
        assert!(cap > brackets[brackets.len() - 1].floor, "the cap lies above the last floor");
        Self { brackets, cap }
    }

    /// Returns what a rule makes of these brackets. Maintenance rates are rounded up and are at most 1. A higher maintenance
    /// divides the highest leverages as well, so that a position has as far to fall from its opening in proportion; else the
    /// one who takes all the leverage that there is would be liquidated by its first fee.
    #[must_use]
    pub fn under(&self, rule: MarginRule) -> Self {
        let factor = rule.maintenance_factor.0;
        let kept = if rule.is_flat { 1 } else { self.brackets.len() };
        let rows: Vec<_> = self.brackets[..kept]
            .iter()
            .map(|bracket| {
                let rate = mul_div(bracket.maintenance.0, factor, Rate::ONE, Rounding::Ceil).min(Rate::ONE);
                let leverage = i64::from(bracket.max_leverage);
                let safe = mul_div(leverage, Rate::ONE, factor.max(Rate::ONE), Rounding::Floor);
                let leverage = safe.clamp(1, i64::from(rule.max_leverage)) as u16;
                (bracket.floor, Rate(rate), leverage)
            })
            .collect();
        Self::new(&rows, self.cap)
    }

    /// Returns the bracket that a notional falls in: `floor < notional <= next floor`; the last one beyond the cap.
    #[inline]
    pub fn bracket(&self, notional: Money) -> &Bracket {
        let mut brackets = self.brackets.iter();
        let mut found = brackets.next().expect("there is a bracket");
        for next in brackets.take_while(|bracket| bracket.floor < notional) {
            found = next;
        }
        found
    }

    /// Tells whether a position of a notional may be opened with a leverage.
    #[inline]
    pub fn allows(&self, leverage: u16, notional: Money) -> bool {
        // The last bracket's is the lowest.
        self.brackets.last().is_some_and(|bracket| leverage <= bracket.max_leverage)
            || leverage <= self.bracket(notional).max_leverage
    }

    /// Returns the bracket of a notional that may not fit 64 bits.
    pub(crate) fn bracket_of(&self, notional: i128) -> &Bracket {
        let further = self.brackets[1..].iter();
        let above = further.take_while(|bracket| i128::from(bracket.floor.0) < notional).count();
        &self.brackets[above]
    }

    /// Returns all brackets, ascending.
    pub fn rows(&self) -> &[Bracket] {
        &self.brackets
    }

    /// Returns the largest notional a position may have.
    pub fn cap(&self) -> Money {
        self.cap
    }

    /// Returns the maintenance margin `N * mmr_n - cum_n`, rounded up to the unit.
    pub fn maintenance(&self, notional: Money) -> Money {
        let bracket = self.bracket(notional);
        let scaled = i128::from(notional.0) * i128::from(bracket.maintenance.0) - bracket.cum;
        Money(div_round(scaled, i128::from(Rate::ONE), Rounding::Ceil))
    }

    /// Returns the continuity amount of a bracket in money, rounded down.
    pub fn continuity(&self, index: usize) -> Money {
        Money(div_round(self.brackets[index].cum, i128::from(Rate::ONE), Rounding::Floor))
    }
}

/// Returns the initial margin of a notional at a leverage, rounded up to the unit.
#[inline]
pub fn initial_margin(notional: Money, leverage: u16) -> Money {
    Money(mul_div(notional.0, 1, i64::from(leverage.max(1)), Rounding::Ceil))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const USDT: i64 = 1_000_000;

    /// Binance's BTCUSDT brackets 1 to 5 (data/binance-usdm-brackets.csv).
    pub(crate) fn btc_brackets() -> Brackets {
        let rows = [
            (0, 4_000_000, 150),
            (300_000, 5_000_000, 100),
            (800_000, 6_500_000, 75),
            (3_000_000, 10_000_000, 50),
            (12_000_000, 20_000_000, 25),
        ];
        let rows: Vec<_> = rows.iter().map(|&(f, r, l)| (Money(f * USDT), Rate(r), l)).collect();
        Brackets::new(&rows, Money(70_000_000 * USDT))
    }

    #[test]
    fn continuity_amounts_are_the_published_ones() {
        let brackets = btc_brackets();
        let published = [0, 300, 1_500, 12_000, 132_000];
        for (index, amount) in published.into_iter().enumerate() {
            assert_eq!(brackets.continuity(index), Money(amount * USDT));
        }
    }

    #[test]
    fn maintenance_is_continuous_over_every_border() {
        let brackets = btc_brackets();
        for bracket in &brackets.rows()[1..] {
            let below = brackets.maintenance(bracket.floor);
            let above = brackets.maintenance(bracket.floor + Money(1));
            assert!(above >= below && above - below <= Money(1), "at {}", bracket.floor);
        }
    }

    #[test]
    fn a_rule_flattens_raises_and_caps() {
        let own = btc_brackets();
        let of = |rule: MarginRule| {
            let rows = own.under(rule).rows().to_vec();
            rows.into_iter().map(|row| (row.maintenance.0, row.max_leverage)).collect::<Vec<_>>()
        };
        assert_eq!(own.under(MarginRule::NONE), own);
        assert_eq!(of(MarginRule { is_flat: true, ..MarginRule::NONE }), [(4_000_000, 150)]);
        let capped = of(MarginRule { max_leverage: 60, ..MarginRule::NONE });
        assert_eq!(capped.iter().map(|row| row.1).collect::<Vec<_>>(), [60, 60, 60, 50, 25]);
        let higher = of(MarginRule { maintenance_factor: Rate(1_500_000_000), ..MarginRule::NONE });
        let expected =
            [(6_000_000, 100), (7_500_000, 66), (9_750_000, 50), (15_000_000, 33), (30_000_000, 16)];
        assert_eq!(higher, expected);
        // Never above all that a position is worth, and never below a leverage of 1.
        let most = of(MarginRule { maintenance_factor: Rate(1_000 * Rate::ONE), ..MarginRule::NONE });
        assert_eq!(most, [(Rate::ONE, 1); 5]);
    }

    #[test]
    fn initial_margin_rounds_up() {
        assert_eq!(initial_margin(Money(100), 3), Money(34));
        assert_eq!(initial_margin(Money(99), 3), Money(33));
    }
}
