//! Reads what a policy adds to venues and markets: how liquidations go step by step, a larger fund, price bands, halts.

use super::{RATE_UNIT, exact};
use crate::clearing::LiquidationStyle;
use crate::market::{BeyondBand, HaltRule, PriceBand};
use crate::scenario::Section;
use crate::units::Rate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Reads how positions in breach are closed.
pub(super) fn style(rules: Section<'_>) -> Option<LiquidationStyle> {
    let word = rules.choice("style");
    let rate = |key| exact(rules, key, RATE_UNIT).map(Rate);
    let style = match word {
        "market" => Some(LiquidationStyle::Market),
        "partial" => {
            rate("step").zip(rate("buffer")).map(|(step, buffer)| LiquidationStyle::Partial { step, buffer })
        }
        "slow" => rate("step").map(|step| LiquidationStyle::Slow { step, pause: rules.duration("pause") }),
        _ => Some(LiquidationStyle::IocToBankruptcy),
    };
    let used: &[&str] = match word {
        "partial" => &["step", "buffer"],
        "slow" => &["step", "pause"],
        _ => &[],
    };
    for key in ["step", "buffer", "pause"].into_iter().filter(|key| rules.has(key) && !used.contains(key)) {
        let help = match key {
            "step" => "it is for `partial` and `slow`",
            "buffer" => "it is for `partial`",
            _ => "it is for `slow`",
        };
        rules.problem(key, format!("says nothing of the style `{word}`"), Some(help.to_owned()));
    }
    style
}

/// Reads what an insurance fund starts with, in units.
pub(super) fn fund(venue: Section<'_>, unit: Decimal) -> Option<i64> {
    let stated = exact(venue, "insurance_fund", unit)?;
    let factor = venue.exact("insurance_fund_factor");
    let fund = Decimal::from(stated).checked_mul(factor).and_then(|fund| fund.floor().to_i64());
    // Half of what fits, so that fees and profits still do.
    let fund = fund.filter(|fund| factor == Decimal::ONE || *fund <= i64::MAX >> 1);
    if fund.is_none() {
        let what = format!("makes a fund of {stated} units larger than can be booked");
        venue.problem("insurance_fund_factor", what, None);
    }
    fund
}

/// Reads a market's price band.
pub(super) fn price_band(market: Section<'_>) -> Option<PriceBand> {
    let band = market.opt_table("price_band")?;
    let beyond = match band.choice("beyond") {
        "reject" => BeyondBand::Reject,
        _ => BeyondBand::Clip,
    };
    Some(PriceBand { reach: band.float("bps") / 1e4, beyond })
}

/// Reads when a market is halted.
pub(super) fn halt(market: Section<'_>) -> Option<HaltRule> {
    let rule = market.opt_table("halt")?;
    // A billionth is finer than any tick.
    let reach = Rate(libm::rint(rule.float("move_bps") * 1e5) as i64);
    Some(HaltRule { reach, window: rule.duration("window"), pause: rule.duration("pause") })
}
