//! When a position is liquidated and at what price it is bankrupt: pure decisions in integers.

use super::{Brackets, Contract, OpenPosition};
use crate::units::{Money, Position, Price, Qty, Rate, Rounding, Time, div_round, mul_div};

/// Exactly when maintenance is breached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Breach {
    /// Equity below maintenance margin.
    #[default]
    Below,
    /// Equity at or below maintenance margin: a margin ratio that *reaches* 100 %.
    AtOrBelow,
}

/// How a position is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiquidationStyle {
    /// One market order for the whole position, at whatever price.
    Market,
    /// One immediate-or-cancel order for the whole position, no worse than the bankruptcy price.
    IocToBankruptcy,
    /// Such orders for a share of the position, one after another, until equity is above maintenance by a buffer. Without a
    /// buffer a sliver would do until the next tick.
    Partial {
        /// Share of the position as it was in breach [0-1].
        step: Rate,
        /// What equity must have above maintenance margin, as a share of that.
        buffer: Rate,
    },
    /// Such orders for a share of the position with a pause between two, until it is compliant.
    Slow {
        /// Share of the position as it was in breach [0-1].
        step: Rate,
        /// Time between two orders.
        pause: Time,
    },
}

impl LiquidationStyle {
    /// Returns how much of a position that is in breach one order closes: at least a lot.
    pub fn step(self, size: Qty) -> Qty {
        match self {
            Self::Market | Self::IocToBankruptcy => size,
            Self::Partial { step, .. } | Self::Slow { step, .. } => {
                let lots = mul_div(size.0, step.0, Rate::ONE, Rounding::Ceil);
                Qty(lots).max(Qty(1)).min(size)
            }
        }
    }
}

/// Equity of an isolated position at a mark: margin plus unrealised profit.
pub fn equity(contract: Contract, position: &OpenPosition, mark: Price) -> Money {
    position.margin + contract.position_value(mark, position.lots) - position.cost
}

/// Tells whether an isolated position is to be liquidated at a mark.
///
/// Equity is an integer, so it is below the maintenance margin `N * mmr - cum`, rounded up, exactly where it is below the
/// unrounded one: no division is needed. A value may leave 64 bits, since the mark may be one that nothing has traded at.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "it is asked after every trade, with rules that its caller has at hand"
)]
pub fn is_breached(
    contract: Contract,
    brackets: &Brackets,
    breach: Breach,
    position: &OpenPosition,
    mark: Price,
) -> bool {
    if position.lots.is_zero() {
        return false;
    }
    let reached = i64::from(breach == Breach::AtOrBelow);
    let owed = position.cost - position.margin;
    let value = match contract {
        Contract::Linear { unit } => (unit * position.lots.0).checked_mul(mark.0),
        // Coins that are paid for cannot be lost to a lender.
        Contract::Spot { .. } => return false,
        Contract::Inverse { .. } => Some(contract.position_value(mark, position.lots).0),
    };
    // Almost all values fit 64 bits, and a product of two such numbers needs no check.
    if let Some(value) = value
        && let Some(equity) = value.checked_sub(owed.0 + reached)
        && let Some(notional) = value.checked_abs()
    {
        let bracket = brackets.bracket(Money(notional));
        let maintenance = i128::from(notional) * i128::from(bracket.maintenance.0) - bracket.cum;
        return i128::from(equity) * i128::from(Rate::ONE) < maintenance;
    }
    let Contract::Linear { unit } = contract else { unreachable!("an inverse value fits 64 bits") };
    let value = i128::from(unit * position.lots.0) * i128::from(mark.0);
    let (equity, notional) = (value - i128::from(owed.0 + reached), value.abs());
    let bracket = brackets.bracket_of(notional);
    equity * i128::from(Rate::ONE) < notional * i128::from(bracket.maintenance.0) - bracket.cum
}

/// Tells whether the equity of an isolated position is above its maintenance margin by a buffer, a share of that margin.
pub fn is_sound(
    contract: Contract,
    brackets: &Brackets,
    buffer: Rate,
    position: &OpenPosition,
    mark: Price,
) -> bool {
    let maintenance = brackets.maintenance(contract.notional(mark, position.lots.size()));
    equity(contract, position, mark) > maintenance + buffer.of(maintenance, Rounding::Ceil)
}

/// Tells whether a position that was opened at `entry` with this margin behind it would not be liquidated at a mark.
pub fn survives(
    contract: Contract,
    (brackets, breach): (&Brackets, Breach),
    (lots, entry, margin): (Position, Price, Money),
    mark: Price,
) -> bool {
    // Beyond 64 bits is beyond every largest position.
    let Some(notional) = contract.checked_notional(mark, lots.size()) else { return false };
    let value = |price| contract.position_value(price, lots);
    let equity = margin + (value(mark) - value(entry));
    let maintenance = brackets.maintenance(notional);
    equity > maintenance || (equity == maintenance && breach == Breach::Below)
}

/// Returns the mark at which a linear isolated position is liquidated: the highest such tick for a long, the lowest for
/// a short; `None` if no positive price below `Price::MAX / 2` does it.
///
/// Exact, so that it is the border of [`is_breached`] to the tick. Maintenance is the largest of the brackets' lines
/// `N * mmr - cum`, so a position is breached where its equity is below any of them; and since equity is an integer, the
/// rounding of maintenance does not matter. With `s = unit * |q|`, in money times 1e9, a line is reached by a long where
/// `s * p * (1 - mmr) < cost - margin - cum` and by a short where `s * p * (1 + mmr) > margin - cost + cum`.
///
/// # Panics
/// Panics on an inverse contract, whose positions are found by the predicate alone.
pub fn trigger(
    contract: Contract,
    brackets: &Brackets,
    breach: Breach,
    position: &OpenPosition,
) -> Option<Price> {
    let Contract::Linear { unit } = contract else { panic!("triggers are closed-form for linear contracts") };
    if position.lots.is_zero() {
        return None;
    }
    let long = position.lots.0 > 0;
    let step = unit * position.lots.size().0;
    // Beyond this price the notional would leave 64 bits; no book can get there.
    let limit = (i64::MAX >> 2).div_euclid(step);
    // An integer is at or below another where it is below it once 1 is taken off.
    let equity_at_zero =
        i128::from(position.margin.0) - i128::from(position.cost.0) - i128::from(breach == Breach::AtOrBelow);
    let scaled = equity_at_zero * i128::from(Rate::ONE);
    let rows = brackets.rows();
    let mut border = if long { 0 } else { i128::from(limit) + 1 };
    for (index, bracket) in rows.iter().enumerate() {
        let rate = bracket.maintenance.0;
        let (reached, end) = if long {
            let short_of = -scaled - bracket.cum;
            let slope = i128::from(step) * i128::from(Rate::ONE - rate);
            let reached = match (short_of > 0, slope) {
                (false, _) => 0,
                (true, 0) => i128::from(limit),
                (true, _) => (short_of - 1).div_euclid(slope),
            };
            border = border.max(reached);
            (reached, reached + 1)
        } else {
            let spare = scaled + bracket.cum;
            let slope = i128::from(step) * i128::from(Rate::ONE + rate);
            let reached = if spare < 0 { 1 } else { spare.div_euclid(slope) + 1 };
            border = border.min(reached);
            (reached, reached)
        };
        // Further lines are lower than this one wherever the bracket's end is not reached.
        debug_assert!(reached >= 0);
        if rows.get(index + 1).is_none_or(|next| i128::from(step) * end <= i128::from(next.floor.0)) {
            break;
        }
    }
    let exists = if long { border >= 1 } else { border <= i128::from(limit) };
    exists.then(|| Price(border.clamp(1, i128::from(limit)) as i64))
}

/// Returns the worst tick at which closing the whole position leaves no deficit, or `None` if every price does.
/// For a long this is the price rounded up, for a short rounded down, so that the rounding is the position's.
///
/// # Panics
/// Panics on an inverse contract.
pub fn bankruptcy_price(contract: Contract, position: &OpenPosition) -> Option<Price> {
    let Contract::Linear { unit } = contract else { panic!("bankruptcy prices are for linear contracts") };
    let size = i128::from(unit) * i128::from(position.lots.size().0);
    let owed = i128::from(position.cost.0) - i128::from(position.margin.0);
    let price = match position.lots.0 {
        0 => return None,
        lots if lots > 0 => div_round(owed, size, Rounding::Ceil),
        _ => div_round(-owed, size, Rounding::Floor),
    };
    (price >= 1).then_some(Price(price))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::margin::tests::btc_brackets;
    use crate::clearing::{Accounts, MarginMode, initial_margin};
    use crate::units::{AgentId, MarketId, Position, Qty, Rate, VenueId};

    const BTC: Contract = Contract::Linear { unit: 100 };

    fn position(lots: i64, entry: i64, leverage: u16) -> OpenPosition {
        let cost = BTC.position_value(Price(entry), Position(lots));
        let margin = initial_margin(BTC.notional(Price(entry), Qty(lots.abs())), leverage);
        with(lots, cost, margin)
    }

    fn with(lots: i64, cost: Money, margin: Money) -> OpenPosition {
        let mut accounts = Accounts::new(1);
        let account = accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
        let id = accounts.find_or_open(account, MarketId(0));
        accounts.add_lots(id, Position(lots), cost);
        accounts.add_margin(id, margin);
        *accounts.position(id)
    }

    /// Published vectors (Binance liquidation formula): the price in USDT at which equity equals maintenance.
    #[test]
    fn liquidation_prices_are_the_published_ones() {
        let cases = [
            (1_000, 100, 66_337.95),
            (1_000, 20, 63_657.63),
            (1_000, 5, 53_606.43),
            (1_000_000, 5, 54_346.94),
            (200_000, 5, 53_870.71),
        ];
        for (lots, leverage, published) in cases {
            let position = position(lots, 667_400, leverage);
            let trigger = trigger(BTC, &btc_brackets(), Breach::Below, &position).unwrap();
            // The trigger is the last whole tick of 0.1 below the published price.
            let expected = libm::floor(published * 10.0) as i64;
            assert_eq!(trigger.0, expected, "{lots} lots at {leverage}x");
        }
    }

    /// Equity against the maintenance margin as an account holder would be told them.
    fn breached_as_defined(
        contract: Contract,
        brackets: &Brackets,
        breach: Breach,
        position: &OpenPosition,
        mark: Price,
    ) -> bool {
        let equity = equity(contract, position, mark);
        let maintenance = brackets.maintenance(contract.notional(mark, position.lots.size()));
        let breached = match breach {
            Breach::Below => equity < maintenance,
            Breach::AtOrBelow => equity <= maintenance,
        };
        assert_eq!(breached, is_breached(contract, brackets, breach, position, mark), "{position:?} {mark}");
        breached
    }

    /// The border of the predicate by halving: what the closed form must equal.
    fn searched(
        contract: Contract,
        brackets: &Brackets,
        breach: Breach,
        position: &OpenPosition,
    ) -> Option<Price> {
        let Contract::Linear { unit } = contract else { unreachable!("the contracts here are linear") };
        let limit = (i64::MAX >> 2).div_euclid(unit * position.lots.size().0);
        let hit = |price: i64| breached_as_defined(contract, brackets, breach, position, Price(price));
        let long = position.lots.0 > 0;
        // From where it is breached for certain, if anywhere, to where it is not.
        let (mut breached, mut safe) = if long { (0, limit + 1) } else { (limit + 1, 0) };
        while (safe - breached).abs() > 1 {
            let middle = breached + ((safe - breached) >> 1);
            if hit(middle) {
                breached = middle;
            } else {
                safe = middle;
            }
        }
        (1..=limit).contains(&breached).then_some(Price(breached))
    }

    #[test]
    fn the_closed_form_is_the_border_at_every_bracket_end() {
        let steep = [(0, 10_000_000, 50), (2_000, 400_000_000, 2), (2_003, 1_000_000_000, 1)];
        let steep: Vec<_> =
            steep.map(|(floor, rate, leverage)| (Money(floor), Rate(rate), leverage)).to_vec();
        let all = [
            btc_brackets(),
            Brackets::new(&steep, Money(i64::MAX)),
            Brackets::new(
                &steep[2..].iter().map(|row| (Money(0), row.1, row.2)).collect::<Vec<_>>(),
                Money(i64::MAX),
            ),
        ];
        let mut state = 11_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        for round in 0..60_000 {
            let brackets = &all[round % 3];
            let unit = [1, 7, 100][next(3) as usize];
            let most = [3, 40, 1_000_000][next(3) as usize];
            let lots = (1 + next(most)) * (1 - 2 * next(2));
            let scale = [30, 3_000, 1_000_000_000_000][next(3) as usize];
            let position = with(
                lots,
                Money((next(scale) - (scale as i64 >> 3)) * lots.signum()),
                Money(next(scale) - (scale as i64 >> 3)),
            );
            for breach in [Breach::Below, Breach::AtOrBelow] {
                let contract = Contract::Linear { unit };
                assert_eq!(
                    trigger(contract, brackets, breach, &position),
                    searched(contract, brackets, breach, &position),
                    "{position:?} {unit} {breach:?} {brackets:?}"
                );
            }
        }
    }

    #[test]
    fn the_trigger_is_the_border_of_the_predicate() {
        let brackets = btc_brackets();
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        for _ in 0..20_000 {
            let size = 1 + next(1_000_000);
            let lots = if next(2) == 0 { size } else { -size };
            let entry = 100_000 + next(1_000_000);
            let leverage = 1 + next(100) as u16;
            let mut position = position(lots, entry, leverage);
            position.margin = Money(position.margin.0 - next(1_000));
            for breach in [Breach::Below, Breach::AtOrBelow] {
                let hit = |price: i64| is_breached(BTC, &brackets, breach, &position, Price(price));
                match trigger(BTC, &brackets, breach, &position) {
                    Some(Price(tick)) => {
                        let away = if lots > 0 { 1 } else { -1 };
                        assert!(hit(tick), "{position:?} not breached at its trigger {tick}");
                        assert!(!hit(tick + away), "{position:?} breached beyond its trigger {tick}");
                    }
                    None => assert!(!hit(1), "{position:?}"),
                }
            }
        }
    }

    #[test]
    fn a_fully_funded_long_has_no_trigger_and_a_fully_funded_short_has_one() {
        let brackets = Brackets::new(&[(Money(0), Rate(4_000_000), 100)], Money(i64::MAX));
        assert_eq!(trigger(BTC, &brackets, Breach::Below, &position(1_000, 667_400, 1)), None);
        // p > 2 p0 / (1 + mmr)
        let short = trigger(BTC, &brackets, Breach::Below, &position(-1_000, 667_400, 1)).unwrap();
        assert_eq!(short, Price(1_329_483));
        assert_eq!(short.0, libm::floor(2.0 * 667_400.0 / 1.004) as i64 + 1);
    }

    #[test]
    fn closing_at_the_bankruptcy_price_leaves_nothing_to_pay() {
        for (lots, leverage) in [(7, 3), (-7, 3), (1_000, 100), (-1_000, 7)] {
            let position = position(lots, 667_403, leverage);
            let price = bankruptcy_price(BTC, &position).unwrap();
            let worse = Price(price.0 - lots.signum());
            assert!(equity(BTC, &position, price) >= Money::ZERO);
            assert!(equity(BTC, &position, worse) < Money::ZERO);
        }
    }
}
