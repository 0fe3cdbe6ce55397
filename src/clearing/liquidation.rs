//! When a position is liquidated and at what price it is bankrupt: pure decisions in integers.

use super::{Brackets, Contract, OpenPosition};
use crate::units::{Money, Position, Price, Rounding, div_round};

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
}

/// Equity of an isolated position at a mark: margin plus unrealised profit.
pub fn equity(contract: Contract, position: &OpenPosition, mark: Price) -> Money {
    position.margin + contract.position_value(mark, position.lots) - position.cost
}

/// Tells whether an isolated position is to be liquidated at a mark.
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
    let equity = equity(contract, position, mark);
    let maintenance = brackets.maintenance(contract.notional(mark, position.lots.size()));
    match breach {
        Breach::Below => equity < maintenance,
        Breach::AtOrBelow => equity <= maintenance,
    }
}

/// Returns the mark at which a linear isolated position is liquidated: the highest such tick for a long, the lowest for
/// a short; `None` if no positive price below `Price::MAX / 2` does it.
///
/// The closed form of each bracket, `p = (cost - margin - cum) / (unit * q * (1 - mmr))` for a long, gives the
/// neighbourhood; since equity minus maintenance never falls with the price for a long (and never rises for a short),
/// a search by the predicate itself then settles the tick, so that rounding can never make the two disagree.
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
    let long = match position.lots {
        Position(0) => return None,
        Position(lots) => lots > 0,
    };
    let hit = |price: i64| is_breached(contract, brackets, breach, position, Price(price));
    // Beyond this price the notional would leave 64 bits; no book can get there.
    let limit = (i64::MAX >> 2).div_euclid(unit * position.lots.size().0);
    let guess = closed_form(unit, brackets, position).clamp(1, limit);
    // Walk out from the guess in doubling steps until the border is between `low` and `high`, then halve.
    let (mut safe_side, mut hit_side);
    let toward_hit: i64 = if long { -1 } else { 1 };
    if hit(guess) {
        hit_side = guess;
        let mut step = 1;
        loop {
            safe_side = (guess - toward_hit * step).clamp(0, limit + 1);
            if safe_side == 0 || safe_side == limit + 1 || !hit(safe_side) {
                break;
            }
            hit_side = safe_side;
            step *= 2;
        }
    } else {
        safe_side = guess;
        let mut step = 1;
        loop {
            hit_side = (guess + toward_hit * step).clamp(0, limit + 1);
            if hit_side == 0 || hit_side == limit + 1 {
                let edge = if long { 1 } else { limit };
                if !hit(edge) {
                    return None;
                }
                hit_side = edge;
                break;
            }
            if hit(hit_side) {
                break;
            }
            safe_side = hit_side;
            step *= 2;
        }
    }
    while (safe_side - hit_side).abs() > 1 {
        let middle = hit_side + ((safe_side - hit_side) >> 1);
        if hit(middle) {
            hit_side = middle;
        } else {
            safe_side = middle;
        }
    }
    Some(Price(hit_side))
}

/// Returns the closed-form liquidation price in ticks, near enough for the search to start from.
fn closed_form(unit: i64, brackets: &Brackets, position: &OpenPosition) -> i64 {
    let sign = position.lots.0.signum() as f64;
    let size = unit as f64 * position.lots.size().0 as f64;
    let cost = position.cost.0 as f64;
    let margin = position.margin.0 as f64;
    let mut best = 1.0;
    for (index, bracket) in brackets.rows().iter().enumerate() {
        let cum = bracket.cum as f64 / 1e9;
        let price = (cost - margin - cum) / (size * (sign - bracket.maintenance.to_f64()));
        best = price;
        let next = brackets.rows().get(index + 1).map_or(f64::INFINITY, |next| next.floor.0 as f64);
        if price * size <= next {
            break;
        }
    }
    best as i64
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
    use crate::units::{AgentId, MarketId, Qty, Rate, VenueId};

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
