//! Reads margin: brackets, and what a policy makes of them.

use super::{RATE_UNIT, exact};
use crate::clearing::{Brackets, MarginRule};
use crate::scenario::Section;
use crate::units::{Money, Rate, decimal_to_units};
use crate::world::VolatilityMargin;
use rust_decimal::Decimal;

/// What a margin table says.
pub(super) struct Margin {
    /// The brackets with the rule on them.
    pub(super) brackets: Brackets,
    /// The brackets without it, if there is one.
    pub(super) own: Option<Brackets>,
    pub(super) volatility: Option<VolatilityMargin>,
}

/// Reads the margin of a perpetual.
pub(super) fn margin(table: Section<'_>, money: Option<Decimal>, is_measured: bool) -> Option<Margin> {
    let factor = exact(table, "maintenance_factor", RATE_UNIT).map(Rate);
    let (is_flat, max_leverage) = (table.bool("flat"), table.int("max_leverage") as u16);
    let volatility = table.opt_table("volatility").map(|rule| {
        if !is_measured {
            let help = "state `volatility_half_life` of the market".to_owned();
            rule.problem("", "needs a volatility, which this market does not measure", Some(help));
        }
        VolatilityMargin { reference: rule.float("reference"), cap: rule.float("cap") }
    });
    let own = brackets(table, money);
    let rule = MarginRule { is_flat, maintenance_factor: factor?, max_leverage };
    let own = own?;
    let brackets = own.under(rule);
    Some(Margin { brackets, own: (rule != MarginRule::NONE).then_some(own), volatility })
}

/// Reads what a spot market has instead, where nothing is borrowed. A policy that is written for every market may state its
/// rules here too.
pub(super) fn no_margin(market: Section<'_>) -> Margin {
    let brackets = Brackets::new(&[(Money::ZERO, Rate::ZERO, 1)], Money(i64::MAX));
    if let Some(margin) = market.opt_table("margin") {
        let rules = [
            margin.opt_exact("maintenance_factor").is_some(),
            margin.opt_bool("flat").is_some(),
            margin.opt_int("max_leverage").is_some(),
            margin
                .opt_table("volatility")
                .is_some_and(|rule| rule.opt_float("reference").is_some() | rule.opt_float("cap").is_some()),
        ];
        if margin.has("brackets") || margin.has("cap") || !rules.contains(&true) {
            margin.problem("", "a spot market has no margin", Some("remove this table".to_owned()));
        }
    }
    Margin { brackets, own: None, volatility: None }
}

/// Reads margin brackets.
fn brackets(margin: Section<'_>, money: Option<Decimal>) -> Option<Brackets> {
    // Where the settlement asset is in doubt, the rows are still checked, in the unit that stablecoins have.
    let unit = money.unwrap_or(Decimal::from_parts(1, 0, 0, false, 6));
    let cap = exact(margin, "cap", unit);
    let mut rows: Vec<(Money, Rate, u16)> = Vec::new();
    let mut sound = true;
    for row in margin.rows("brackets") {
        if !row.expect(&["notional floor", "maintenance rate", "highest leverage"]) {
            sound = false;
            continue;
        }
        let floor = decimal_to_units(row.exact(0, "0", "2000000000000"), unit);
        let rate = decimal_to_units(row.exact(1, "0", "1"), RATE_UNIT);
        let leverage = row.int(2, 1, 1_000);
        let (Ok(floor), Ok(rate)) = (floor, rate) else {
            row.problem(0, "has more digits than are booked", None);
            sound = false;
            continue;
        };
        let mut wrong = |cell, what: String, help: &str| {
            row.problem(cell, what, Some(help.to_owned()));
            sound = false;
        };
        if rate * leverage > Rate::ONE {
            let initial = Decimal::ONE / Decimal::from(leverage);
            let what =
                format!("maintenance rate is above the initial rate at {leverage}x, {}", initial.round_dp(6));
            wrong(1, what, "a position would be liquidated as it opens; lower the rate or the leverage");
        }
        match rows.last() {
            None if floor != 0 => wrong(0, "is not 0".into(), "the first bracket starts at 0"),
            Some(last) if floor <= last.0.0 => {
                wrong(0, "does not lie above the floor before".into(), "brackets ascend");
            }
            Some(last) if rate < last.1.0 => wrong(1, "is below the rate before".into(), "rates do not fall"),
            Some(last) if leverage > i64::from(last.2) => {
                wrong(2, "is above the leverage before".into(), "leverage does not rise with notional");
            }
            _ => {}
        }
        rows.push((Money(floor), Rate(rate), leverage as u16));
    }
    if rows.is_empty() {
        if sound {
            margin.problem(
                "brackets",
                "hold no bracket",
                Some("one row of [0, rate, leverage] is a flat rule".into()),
            );
        }
        return None;
    }
    let cap = Money(cap?);
    if cap <= rows[rows.len() - 1].0 {
        margin.problem("cap", "does not lie above the last bracket's floor", None);
        sound = false;
    }
    (sound && money.is_some()).then(|| Brackets::new(&rows, cap))
}
